//! Health events, as accepted at the edge.

use crate::id::{Region, ReporterId, Subject, SubjectRef};
use crate::time::Timestamp;

/// An explicit state of a subject in a region (R4), ordered from best to worst: of several at
/// one instant the greatest holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HealthState {
    /// Works.
    Up,
    /// Nobody knows.
    Unknown,
    /// Declared maintenance; downtime like `Down`.
    Maintenance,
    /// Does not work.
    Down,
}

impl HealthState {
    /// Every state, from best to worst.
    pub const ALL: [Self; 4] = [Self::Up, Self::Unknown, Self::Maintenance, Self::Down];

    /// The state's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Unknown => "unknown",
            Self::Maintenance => "maintenance",
            Self::Down => "down",
        }
    }

    /// Whether the state is downtime (R4).
    #[must_use]
    pub const fn is_downtime(self) -> bool {
        matches!(self, Self::Down | Self::Maintenance)
    }

    /// Whether the state measures its subject (R8).
    #[must_use]
    pub const fn is_measured(self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

/// What an event says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EventBody {
    /// Attempts counted in the minute of the event's instant (R3).
    Outcome {
        /// Attempts that succeeded.
        ok: u32,
        /// Attempts that failed.
        failed: u32,
    },
    /// A state that holds from the event's instant on (R4).
    State(HealthState),
}

/// A health event that is still in its buffer: the form of the hot path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventRef<'a> {
    /// What it is about.
    pub subject: SubjectRef<'a>,
    /// Where.
    pub region: Region,
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub body: EventBody,
    /// Who says it, where named.
    pub reporter: Option<&'a str>,
    /// With reporter and subject the event's name (R5); without it the event is not deduplicated.
    pub seq: Option<u64>,
}

/// A health event with its own copy of everything.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Event {
    /// What it is about.
    pub subject: Subject,
    /// Where.
    pub region: Region,
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub body: EventBody,
    /// Who says it, where named.
    pub reporter: Option<ReporterId>,
    /// With reporter and subject the event's name (R5).
    pub seq: Option<u64>,
}

impl EventRef<'_> {
    /// The event with its own copy of everything.
    #[must_use]
    pub fn to_owned(&self) -> Event {
        Event {
            subject: self.subject.to_owned(),
            region: self.region,
            at: self.at,
            body: self.body,
            reporter: self.reporter.and_then(ReporterId::new),
            seq: self.seq,
        }
    }
}

impl Event {
    /// The event, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> EventRef<'_> {
        EventRef {
            subject: self.subject.as_ref(),
            region: self.region,
            at: self.at,
            body: self.body,
            reporter: self.reporter.as_ref().map(ReporterId::as_str),
            seq: self.seq,
        }
    }
}
