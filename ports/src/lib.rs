//! The outside world as traits: named logs that are read as records and written as records, and a
//! store for state.
//!
//! The pipeline knows these traits alone; `storage` implements them over Kafka and files, and
//! [`memory`] for tests and simulation.

pub mod error;
pub mod log;
pub mod memory;
pub mod partition;
pub mod sink;
pub mod source;
pub mod state;

pub use error::{PortError, Position};
pub use log::Log;
pub use memory::{MemoryGroup, MemoryLogs, MemoryReader, MemorySink, MemorySource, MemoryStore};
pub use sink::RecordSink;
pub use source::{GroupEvent, GroupSource, Polled, Record, RecordSource, read_to_end};
pub use state::{Op, Pair, StateStore, StateStores};
