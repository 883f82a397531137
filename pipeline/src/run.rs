//! The two ways to run: over what is there, up to an instant ([`run_bounded`]), or on and on
//! ([`run_live`]).
//!
//! Both read records in batches from ports and write standings and decisions to them. What is bounded
//! remembers everything, as `evaluate` does; what goes on is made of owners with bounded memory.

use domain::policy::Policies;
use domain::time::Timestamp;
use ports::state::StateStores;
use ports::{GroupSource, PortError, RecordSink, RecordSource};

mod bounded;
mod live;

pub use bounded::run_bounded;
pub use live::run_live;

/// Most records taken between two looks at the clock, the registry and the stop flag.
const BATCH_RECORDS_MAX: usize = 20_000;
/// Longest wait for records.
const POLL_WAIT: std::time::Duration = std::time::Duration::from_millis(100);

/// When a bounded run ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// It reads what is there when it starts, decides everything up to this instant, and ends.
    Instant(Timestamp),
    /// It reads a bounded source to its end, decides everything up to the end of the last
    /// event's minute, and ends.
    SourceEnds,
}

/// How a run is set up.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// The policy to judge by, in all its versions.
    pub policies: Policies,
    /// What the health source is called in rejected records.
    pub health_name: String,
    /// What the registry source is called in rejected records.
    pub registry_name: String,
}

/// The ports of a bounded run.
pub struct Ports<'a> {
    /// Registry facts.
    pub registry: &'a mut dyn RecordSource,
    /// Health events.
    pub health: &'a mut dyn RecordSource,
    /// Standings, decisions and rejected records.
    pub sink: &'a mut dyn RecordSink,
}

/// The ports of a live run.
pub struct LivePorts<'a> {
    /// Opens the registry's log from an offset on: what of it is stored isn't read again.
    pub registry: &'a mut dyn FnMut(u64) -> Result<Box<dyn RecordSource>, PortError>,
    /// Health events of the partitions that the group gives to this process.
    pub health: &'a mut dyn GroupSource,
    /// What owners say of skills and hubs.
    pub dependencies: &'a mut dyn RecordSource,
    /// Opens what all partitions decided, from the beginning, for the programme role.
    pub decisions: &'a mut dyn FnMut() -> Result<Box<dyn RecordSource>, PortError>,
    /// Every log that is written.
    pub sink: &'a mut dyn RecordSink,
    /// State that outlives the process, by owner.
    pub stores: &'a mut dyn StateStores,
    /// Is told from which offset on a partition of `health` would be read after a restart.
    pub restarts: &'a mut dyn FnMut(u32, u64),
}

/// What a run came to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Summary {
    /// Health records read.
    pub records: u64,
    /// Events that counted.
    pub accepted: u64,
    /// Events dropped as repetitions.
    pub duplicate: u64,
    /// Lines rejected, of both sources.
    pub rejected: u64,
    /// Decisions published.
    pub decisions: u64,
    /// The last instant decided up to.
    pub at: Option<Timestamp>,
    /// Whether a run with an end got there; a run without one always does.
    pub complete: bool,
}
