//! What the pipeline tells about itself: metrics by name, and internal events as types.
//!
//! [`catalogue`] lists every metric; dashboards are held to it. The hot path adds up plain integers
//! in [`BatchCounts`] and hands them over once a batch. An internal event owns its log line and its
//! metric change, so neither is forgotten where the event happens.

pub mod catalogue;
pub mod counts;
pub mod events;
pub mod fleet;
pub mod live;
pub mod metrics;

pub use catalogue::{CATALOGUE, Kind, Metric};
pub use counts::BatchCounts;
pub use events::InternalEvent;
pub use fleet::FleetGauges;
pub use live::{Brake, BurnGauges, InputGauges, OwnerGauges, OwnerState, WorstBurn};
pub use metrics::{Metrics, TelemetryError};
