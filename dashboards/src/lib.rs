//! dashboards.
