//! The logs between stages.

use std::fmt;

/// A named, partitioned, replayable log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Log {
    /// Health events, keyed by subject.
    Health,
    /// What skills' and hubs' owners say of their health, keyed by subject, region and day, and how far
    /// they have got. Compacted; partitioned by where it comes from, not by its key.
    Dependencies,
    /// Commands and facts in order, one partition.
    Registry,
    /// Decisions about products, keyed like [`Self::Health`].
    Decisions,
    /// Each subject's newest standing, keyed by subject.
    Standings,
    /// Records that didn't count, with the reason and where they came from.
    Rejected,
    /// Decisions about manufacturers, keyed by manufacturer.
    Programme,
}

/// Partitions of [`Log::Dependencies`]: every process reads all of them, so few are enough.
pub const DEPENDENCIES_PARTITIONS: u32 = 4;

impl Log {
    /// Every log.
    pub const ALL: [Self; 7] =
        [Self::Health, Self::Dependencies, Self::Registry, Self::Decisions, Self::Standings, Self::Rejected, Self::Programme];

    /// The log's name, as it ends topic and file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Dependencies => "dependencies",
            Self::Registry => "registry",
            Self::Decisions => "decisions",
            Self::Standings => "standings",
            Self::Rejected => "rejected",
            Self::Programme => "programme",
        }
    }

    /// How many partitions the log is created with where `health` has so many.
    #[must_use]
    pub const fn partitions(self, health: u32) -> u32 {
        match self {
            Self::Health | Self::Decisions | Self::Standings | Self::Rejected => health,
            Self::Dependencies => DEPENDENCIES_PARTITIONS,
            Self::Registry | Self::Programme => 1,
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
