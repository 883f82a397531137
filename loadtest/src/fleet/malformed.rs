//! Lines that are to be rejected: one fault each, so that each has one reason.

use domain::{EventBody, EventRef, HealthState, RejectReason, SubjectRef, Timestamp};

/// What is wrong with a line of events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MalformedKind {
    /// It breaks off.
    Truncated,
    /// JSON, but not an object.
    NotAnObject,
    /// A version that nobody knows yet.
    NewerVersion,
    /// A type that nobody knows.
    UnknownType,
    /// Without `subject`.
    WithoutSubject,
    /// Without `at`.
    WithoutInstant,
    /// Counts below zero.
    NegativeCount,
    /// A day that isn't in the calendar.
    ImpossibleInstant,
    /// A state that there isn't.
    UnknownState,
    /// A region that there isn't.
    UnknownRegion,
    /// A product that nobody registered.
    UnknownSubject,
    /// The name of the line before, with other content.
    ConflictingDuplicate,
    /// An exact duplicate that comes after more events than are remembered; `evaluate` drops it.
    StaleDuplicate,
    /// Far in the future; after any T of `evaluate`.
    FarFuture,
    /// Decades ago; without effect in `evaluate`.
    LongAgo,
}

/// The region, product, type and state that don't exist.
const NOWHERE: &str = "XX";
const NOBODY: &str = "B0NOBODY00";
/// Year 2999 and year 1971.
const FAR_FUTURE: Timestamp = Timestamp::clamped(32_472_144_000_000);
const LONG_AGO: Timestamp = Timestamp::clamped(31_536_000_000);

impl MalformedKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Truncated,
        Self::NotAnObject,
        Self::NewerVersion,
        Self::UnknownType,
        Self::WithoutSubject,
        Self::WithoutInstant,
        Self::NegativeCount,
        Self::ImpossibleInstant,
        Self::UnknownState,
        Self::UnknownRegion,
        Self::UnknownSubject,
        Self::ConflictingDuplicate,
        Self::StaleDuplicate,
        Self::FarFuture,
        Self::LongAgo,
    ];

    /// Why it is rejected.
    #[must_use]
    pub const fn reason(self) -> RejectReason {
        match self {
            Self::Truncated | Self::NotAnObject => RejectReason::InvalidJson,
            Self::NewerVersion => RejectReason::UnsupportedVersion,
            Self::UnknownType => RejectReason::UnknownType,
            Self::WithoutSubject | Self::WithoutInstant => RejectReason::MissingField,
            Self::NegativeCount | Self::ImpossibleInstant | Self::UnknownState => RejectReason::InvalidField,
            Self::UnknownRegion => RejectReason::UnknownRegion,
            Self::UnknownSubject => RejectReason::UnknownSubject,
            Self::ConflictingDuplicate => RejectReason::ConflictingDuplicate,
            Self::StaleDuplicate => RejectReason::SequenceTooOld,
            Self::FarFuture => RejectReason::TooFarInFuture,
            Self::LongAgo => RejectReason::OlderThanWindow,
        }
    }

    /// Whether only a live run rejects it.
    #[must_use]
    pub const fn is_live_only(self) -> bool {
        matches!(self, Self::StaleDuplicate | Self::FarFuture | Self::LongAgo)
    }

    /// Whether the line alone shows the fault; else it takes the registry, or what came before.
    #[must_use]
    pub const fn shows_in_line(self) -> bool {
        !self.is_live_only() && !matches!(self, Self::UnknownSubject | Self::ConflictingDuplicate)
    }
}

/// Whose key a malformed line is sent with, if not the event's that it is made from.
pub(crate) fn key(kind: MalformedKind) -> Option<String> {
    (kind == MalformedKind::UnknownSubject).then(|| format!("product:{NOBODY}"))
}

/// Appends a line with this fault, made from a right event. A conflicting duplicate must be made
/// from the last event as it was sent; everything else from one with a fresh sequence number.
pub(crate) fn write(kind: MalformedKind, event: &EventRef<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    match kind {
        MalformedKind::UnknownSubject => {
            let subject = SubjectRef { id: NOBODY, ..event.subject };
            wire::event::write(
                &EventRef { subject: SubjectRef { kind: domain::SubjectKind::Product, ..subject }, ..*event },
                out,
            );
        }
        MalformedKind::ConflictingDuplicate => {
            wire::event::write(&EventRef { at: Timestamp::clamped(event.at.ms() + 1), ..*event }, out);
        }
        MalformedKind::StaleDuplicate => wire::event::write(event, out),
        MalformedKind::FarFuture => wire::event::write(&EventRef { at: FAR_FUTURE, ..*event }, out),
        MalformedKind::LongAgo => {
            wire::event::write(&EventRef { at: LONG_AGO, body: EventBody::Outcome { ok: 1, failed: 0 }, ..*event }, out);
        }
        MalformedKind::Truncated => {
            wire::event::write(event, out);
            out.truncate(start + (out.len() - start) / 2);
        }
        _ => out.extend_from_slice(by_hand(kind, event).as_bytes()),
    }
}

/// Lines that `wire` can't be made to write.
fn by_hand(kind: MalformedKind, event: &EventRef<'_>) -> String {
    let (subject, region, at) = (event.subject, event.region, event.at);
    match kind {
        MalformedKind::NotAnObject => format!(r#"["{subject}","{region}","{at}",1,0]"#),
        MalformedKind::NewerVersion => {
            format!(r#"{{"v":2,"type":"outcome","subject":"{subject}","region":"{region}","at":"{at}","ok":1,"failed":0}}"#)
        }
        MalformedKind::UnknownType => {
            format!(r#"{{"v":1,"type":"telemetry","subject":"{subject}","region":"{region}","at":"{at}","celsius":21}}"#)
        }
        MalformedKind::WithoutSubject => {
            format!(r#"{{"v":1,"type":"outcome","region":"{region}","at":"{at}","ok":1,"failed":0}}"#)
        }
        MalformedKind::WithoutInstant => {
            format!(r#"{{"v":1,"type":"outcome","subject":"{subject}","region":"{region}","ok":1,"failed":0}}"#)
        }
        MalformedKind::NegativeCount => {
            format!(r#"{{"v":1,"type":"outcome","subject":"{subject}","region":"{region}","at":"{at}","ok":1,"failed":-1}}"#)
        }
        MalformedKind::ImpossibleInstant => {
            format!(
                r#"{{"v":1,"type":"state","subject":"{subject}","region":"{region}","at":"2025-02-30T00:00:00Z","state":"up"}}"#
            )
        }
        MalformedKind::UnknownState => {
            format!(r#"{{"v":1,"type":"state","subject":"{subject}","region":"{region}","at":"{at}","state":"sleepy"}}"#)
        }
        _ => {
            let up = HealthState::Up.as_str();
            format!(r#"{{"v":1,"type":"state","subject":"{subject}","region":"{NOWHERE}","at":"{at}","state":"{up}"}}"#)
        }
    }
}

/// Registry lines that are to be rejected, and why. None names anything of the fleet's.
pub(crate) const REGISTRY: [(RejectReason, &str); 6] = [
    (RejectReason::InvalidJson, r#"{"type":"badge","asin":"B0NOBODY01","manufac"#),
    (RejectReason::UnknownType, r#"{"type":"warranty","asin":"B0NOBODY01","months":24}"#),
    (RejectReason::MissingField, r#"{"type":"manufacturer","name":"Nobody Inc."}"#),
    (
        RejectReason::MissingField,
        r#"{"type":"exclusion","id":"x-nobody","applies_to":{"all":true},"from":"2025-03-01T00:00:00Z","to":"2025-03-02T00:00:00Z","reason":"platform"}"#,
    ),
    (
        RejectReason::InvalidField,
        r#"{"type":"exclusion","id":"x-nobody","applies_to":{"all":true},"from":"2025-03-01T00:00:00Z","to":"2025-03-01T00:00:00Z","reason":"platform","approved_by":"nobody"}"#,
    ),
    (
        RejectReason::UnknownMarketplace,
        r#"{"type":"badge","asin":"B0NOBODY01","manufacturer":"m-nobody","marketplaces":["XX"],"customers":1,"enabled_at":"2025-03-01T00:00:00Z"}"#,
    ),
];
