//! Health events as JSON lines (form 1).
//!
//! Two readers give the same answer. The fast one takes what well-behaved reporters send (known keys
//! in any order, no escapes) in one pass without an allocation, and gives up at the first thing
//! out of the ordinary. The slow one then reads the line with a general JSON parser and says exactly
//! what is wrong, if anything is. Tests hold the two equal.

mod fast;
mod slow;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use domain::{EventBody, EventRef, Region, SubjectKind, SubjectRef, Timestamp};

use crate::error::LineError;
use crate::{instant, json};

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
}

/// Reads an event line. Whether its subject is registered (R2) is not decided here.
///
/// # Errors
/// The first thing that is wrong, in this order: JSON, `v`, `type`, then `subject`, `region`,
/// `at`, the counts or the state, `reporter`, `seq`.
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
