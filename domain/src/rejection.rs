//! Lines that do not count, and why: reported, never lost.

use std::fmt;

/// Why a line was rejected; the names are the contract's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RejectReason {
    /// Not a JSON object.
    InvalidJson,
    /// `v` is not a version that is understood.
    UnsupportedVersion,
    /// `type` is none that is understood.
    UnknownType,
    /// A required field is missing.
    MissingField,
    /// A field has a value that it can't have.
    InvalidField,
    /// The subject isn't registered (R2).
    UnknownSubject,
    /// The region is none of the programme's.
    UnknownRegion,
    /// The marketplace is none of the programme's.
    UnknownMarketplace,
    /// The name is taken by a line with other content (R5).
    ConflictingDuplicate,
    /// The sequence number is older than what is remembered (live only, R5).
    SequenceTooOld,
    /// The instant is ahead of the record by more than `max_skew` (live only, R23).
    TooFarInFuture,
    /// The instant is older than what can still be judged (live only, R24).
    OlderThanWindow,
    /// Something is in the way of a command (the registry's log only).
    CommandRefused,
}

impl RejectReason {
    /// Every reason.
    pub const ALL: [Self; 13] = [
        Self::InvalidJson,
        Self::UnsupportedVersion,
        Self::UnknownType,
        Self::MissingField,
        Self::InvalidField,
        Self::UnknownSubject,
        Self::UnknownRegion,
        Self::UnknownMarketplace,
        Self::ConflictingDuplicate,
        Self::SequenceTooOld,
        Self::TooFarInFuture,
        Self::OlderThanWindow,
        Self::CommandRefused,
    ];

    /// The reason's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::UnsupportedVersion => "unsupported_version",
            Self::UnknownType => "unknown_type",
            Self::MissingField => "missing_field",
            Self::InvalidField => "invalid_field",
            Self::UnknownSubject => "unknown_subject",
            Self::UnknownRegion => "unknown_region",
            Self::UnknownMarketplace => "unknown_marketplace",
            Self::ConflictingDuplicate => "conflicting_duplicate",
            Self::SequenceTooOld => "sequence_too_old",
            Self::TooFarInFuture => "too_far_in_future",
            Self::OlderThanWindow => "older_than_window",
            Self::CommandRefused => "command_refused",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a line came from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LineSource {
    /// The registry.
    Registry,
    /// The health events.
    Events,
}

impl LineSource {
    /// The source's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Events => "events",
        }
    }
}

/// A rejected line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rejection {
    /// Which input.
    pub source: LineSource,
    /// Line in the input, from 1.
    pub line: u64,
    /// Why.
    pub reason: RejectReason,
    /// What was wrong, for people.
    pub detail: String,
}
