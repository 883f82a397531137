//! What a process knows as a whole: the registry, and the health of skills and hubs.
//!
//! Both are read from their logs once a process, not once a partition (DESIGN section 4). What they
//! say is a function of their logs alone, so that every process says the same, after a restart as
//! before it.

pub mod dependencies;
pub mod registry;

pub use dependencies::Dependencies;
pub use registry::RegistryTable;
