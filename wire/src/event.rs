//! Health events as JSON lines (form 1).
//!
//! Two readers give the same answer. The fast one takes what well-behaved reporters send (known keys
//! in any order, no escapes) in one pass without an allocation, and gives up at the first thing
//! out of the ordinary. The slow one then reads the line with a general JSON parser and says exactly
//! what is wrong, if anything is. Tests hold the two equal.
//!
//! An outcome may say how long its attempts took: `"latency_ms": 420` for all of them, or
//! `"latency_ms": [[420, 117], [5300, 3]]` as latencies with the number of attempts that each took.
//! Absent or null is unknown. It serves only the degradation of skills and is not part of an event's
//! content (R5), so it travels beside the event.

mod fast;
mod slow;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use domain::time::HOUR_MS;
use domain::{DurationMs, EventBody, EventRef, Region, SubjectKind, SubjectRef, Timestamp};

use crate::error::LineError;
use crate::{instant, json};

/// Most pairs of a latency and a count in an event.
pub const LATENCY_PAIRS_MAX: usize = 32;

/// Longest latency, in milliseconds.
pub const LATENCY_MS_MAX: i64 = HOUR_MS;

/// An event that borrows from its line whatever needs no unescaping.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParsedEvent<'a> {
    kind: SubjectKind,
    id: Cow<'a, str>,
    region: Region,
    at: Timestamp,
    body: EventBody,
    reporter: Option<Cow<'a, str>>,
    seq: Option<u64>,
    latency: Latency,
}

/// How long the attempts of an outcome took; latencies are at most [`LATENCY_MS_MAX`].
#[derive(Clone, PartialEq, Eq, Default, Debug)]
enum Latency {
    #[default]
    Unknown,
    /// Every attempt took so long.
    Each(DurationMs),
    /// At most [`LATENCY_PAIRS_MAX`] latencies with their counts of attempts, each at least 1.
    Counted(Box<[(DurationMs, u32)]>),
}

impl ParsedEvent<'_> {
    /// The event.
    #[must_use]
    pub fn event(&self) -> EventRef<'_> {
        EventRef {
            subject: SubjectRef { kind: self.kind, id: &self.id },
            region: self.region,
            at: self.at,
            body: self.body,
            reporter: self.reporter.as_deref(),
            seq: self.seq,
        }
    }

    /// How long attempts took, with the number of attempts that took so long, at least 1 each; nothing
    /// where it isn't known.
    pub fn latencies(&self) -> impl Iterator<Item = (DurationMs, u64)> {
        let (each, counted) = match &self.latency {
            Latency::Unknown => (None, &[][..]),
            Latency::Each(latency) => (Some((*latency, self.attempts())).filter(|(_, attempts)| *attempts > 0), &[][..]),
            Latency::Counted(pairs) => (None, &**pairs),
        };
        each.into_iter().chain(counted.iter().map(|&(latency, attempts)| (latency, u64::from(attempts))))
    }

    fn attempts(&self) -> u64 {
        match self.body {
            EventBody::Outcome { ok, failed } => u64::from(ok) + u64::from(failed),
            EventBody::State(_) => 0,
        }
    }
}

/// A latency in its range.
fn latency(ms: u64) -> Option<DurationMs> {
    i64::try_from(ms).ok().filter(|ms| *ms <= LATENCY_MS_MAX).map(DurationMs)
}

/// Reads an event line. Whether its subject is registered (R2) is not decided here.
///
/// # Errors
/// The first thing that is wrong, in this order: JSON, `v`, `type`, then `subject`, `region`,
/// `at`, the counts or the state, `reporter`, `seq`, an outcome's `latency_ms`.
pub fn parse(line: &[u8]) -> Result<ParsedEvent<'_>, LineError> {
    match fast::parse(line) {
        Some(event) => Ok(event),
        None => slow::parse(line),
    }
}

/// Appends an event as a line without its newline; `at` as RFC 3339.
pub fn write(event: &EventRef<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"v\":1,\"type\":");
    json::write(if matches!(event.body, EventBody::State(_)) { "state" } else { "outcome" }, out);
    out.extend_from_slice(b",\"subject\":");
    json::write(&event.subject.to_string(), out);
    out.extend_from_slice(b",\"region\":");
    json::write(event.region.as_str(), out);
    out.extend_from_slice(b",\"at\":\"");
    instant::write(event.at, out);
    out.push(b'"');
    match event.body {
        EventBody::Outcome { ok, failed } => {
            out.extend_from_slice(b",\"ok\":");
            json::write(&ok, out);
            out.extend_from_slice(b",\"failed\":");
            json::write(&failed, out);
        }
        EventBody::State(state) => {
            out.extend_from_slice(b",\"state\":");
            json::write(state.as_str(), out);
        }
    }
    if let Some(reporter) = event.reporter {
        out.extend_from_slice(b",\"reporter\":");
        json::write(reporter, out);
    }
    if let Some(seq) = event.seq {
        out.extend_from_slice(b",\"seq\":");
        json::write(&seq, out);
    }
    out.push(b'}');
}
