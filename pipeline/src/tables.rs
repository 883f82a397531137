//! What a process knows as a whole: the registry, and the health of skills and hubs.
//!
//! Both are read from their logs once a process, not once a partition (DESIGN section 4). What they
//! say is a function of their logs alone, so that every process says the same, after a restart as
//! before it.

use domain::decision::InputPosition;
use domain::time::Timestamp;
use ports::Log;

pub mod dependencies;
pub mod registry;

pub use dependencies::Dependencies;
pub use registry::RegistryTable;

/// The tables of a process.
#[derive(Debug)]
pub struct Tables {
    /// What is registered.
    pub registry: RegistryTable,
    /// How skills and hubs are.
    pub dependencies: Dependencies,
}

impl Tables {
    /// Up to when both have been read: nothing can be decided beyond (R23).
    #[must_use]
    pub fn log_time(&self) -> Option<Timestamp> {
        self.registry.log_time().min(self.dependencies.log_time())
    }

    /// How far both have been read.
    #[must_use]
    pub fn positions(&self) -> Vec<InputPosition> {
        let next_offsets = (0..).zip(self.dependencies.next_offsets());
        let dependencies = next_offsets.map(|(partition, next)| position(Log::Dependencies, partition, *next));
        dependencies.chain([position(Log::Registry, 0, self.registry.next_offset())]).collect()
    }
}

/// How far a partition of a log has been read.
pub(crate) fn position(log: Log, partition: u32, next_offset: u64) -> InputPosition {
    InputPosition { log: log.as_str().to_owned(), partition, next_offset }
}
