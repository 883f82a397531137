//! alerting.
