//! The logs between stages.

use std::fmt;

/// A named, partitioned, replayable log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Log {
    /// Health events, keyed by subject.
    Health,
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

impl Log {
    /// Every log.
    pub const ALL: [Self; 6] = [Self::Health, Self::Registry, Self::Decisions, Self::Standings, Self::Rejected, Self::Programme];

    /// The log's name, as it ends topic and file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Registry => "registry",
            Self::Decisions => "decisions",
            Self::Standings => "standings",
            Self::Rejected => "rejected",
            Self::Programme => "programme",
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
