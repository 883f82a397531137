//! Rejected records as records of a log: where they came from, why they don't count, and what they
//! said, so that none is lost.

use std::fmt;

use domain::RejectReason;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json;

pub mod listed;

/// Longest part of a payload that is kept, in bytes. What is cut off is still in the source log.
pub const PAYLOAD_BYTES_MAX: usize = 65_536;

/// The form that is written and understood.
const FORM: u64 = 1;
const WHAT: &str = "rejected record";

/// A line of a record that doesn't count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rejected<'a> {
    /// The log, topic or file that it came from.
    pub log: &'a str,
    /// Its partition; 0 where there is only one.
    pub partition: u32,
    /// The record's position in the partition, from 0.
    pub offset: u64,
    /// The line in the record, from 1.
    pub line: u64,
    /// Why.
    pub reason: RejectReason,
    /// What was wrong, for people.
    pub detail: &'a str,
    /// What the line said.
    pub payload: &'a [u8],
}

/// A rejected record as it is published.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RejectedView {
    /// Where it came from.
    pub source: SourceView,
    /// Why, by its contract name.
    pub reason: String,
    /// What was wrong, for people.
    pub detail: String,
    /// What the line said, where that is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// What the line said in hexadecimal digits, where it isn't UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_hex: Option<String>,
    /// How long the line was.
    pub payload_bytes: u64,
    /// Whether the payload is cut at [`PAYLOAD_BYTES_MAX`].
    pub truncated: bool,
}

/// Where a rejected record came from: its id, whoever says it how often.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct SourceView {
    /// The log, topic or file.
    pub log: String,
    /// Its partition.
    pub partition: u32,
    /// The record's position in the partition, from 0.
    pub offset: u64,
    /// The line in the record, from 1.
    pub line: u64,
}

/// A rejected record as a record.
#[must_use]
pub fn write(rejected: &Rejected<'_>) -> Vec<u8> {
    json::write_form(FORM, &RejectedView::from(rejected))
}

/// Reads a record that [`write()`] has written.
///
/// # Errors
/// [`Error::Form`] for a form that isn't understood, [`Error::Json`] for anything else.
pub fn read(record: &[u8]) -> Result<RejectedView, Error> {
    json::check_form(WHAT, FORM, record)?;
    json::read(WHAT, record)
}

impl RejectedView {
    /// What the line is about, as far as it says so.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct SubjectOnly {
            subject: String,
        }

        let text = self.payload.as_deref()?;
        serde_json::from_str::<SubjectOnly>(text).ok().map(|only| only.subject)
    }
}

impl SourceView {
    /// A place as it is written, `LOG/PARTITION/OFFSET/LINE`; a log's name may hold slashes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(4, '/');
        let (line, offset) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let (partition, log) = (parts.next()?.parse().ok()?, parts.next()?);
        (!log.is_empty()).then(|| Self { log: log.to_owned(), partition, offset, line })
    }
}

impl fmt::Display for SourceView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.log, self.partition, self.offset, self.line)
    }
}

impl From<&Rejected<'_>> for RejectedView {
    fn from(rejected: &Rejected<'_>) -> Self {
        let (payload, payload_hex) = match std::str::from_utf8(rejected.payload) {
            Ok(text) => (Some(text[..text.floor_char_boundary(PAYLOAD_BYTES_MAX)].to_owned()), None),
            Err(_) => (None, Some(hex(&rejected.payload[..rejected.payload.len().min(PAYLOAD_BYTES_MAX)]))),
        };
        Self {
            source: SourceView {
                log: rejected.log.to_owned(),
                partition: rejected.partition,
                offset: rejected.offset,
                line: rejected.line,
            },
            reason: rejected.reason.to_string(),
            detail: rejected.detail.to_owned(),
            payload,
            payload_hex,
            payload_bytes: rejected.payload.len() as u64,
            truncated: rejected.payload.len() > PAYLOAD_BYTES_MAX,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rejected(payload: &[u8]) -> Rejected<'_> {
        Rejected {
            log: "badgewatch.health",
            partition: 3,
            offset: 1_234,
            line: 1,
            reason: RejectReason::UnknownRegion,
            detail: "region is \"XX\"; expected NA, EU or FE",
            payload,
        }
    }

    #[test]
    fn records_tell_where_from_why_and_what() {
        let check = |payload: &[u8], expected: &str| {
            let record = String::from_utf8(write(&rejected(payload))).expect("JSON is UTF-8");
            let head =
                r#"{"v":1,"source":{"log":"badgewatch.health","partition":3,"offset":1234,"line":1},"reason":"unknown_region","#;
            let detail = r#""detail":"region is \"XX\"; expected NA, EU or FE","#;
            assert_eq!(record, format!("{head}{detail}{expected}"));
        };
        check(b"{\"v\":1}", r#""payload":"{\"v\":1}","payload_bytes":7,"truncated":false}"#);
        check(b"\xff\x00a", r#""payload_hex":"ff0061","payload_bytes":3,"truncated":false}"#);
        check(b"", r#""payload":"","payload_bytes":0,"truncated":false}"#);
    }

    #[test]
    fn places_are_written_and_read() {
        let check = |text: &str, expected: Option<(&str, u32, u64, u64)>| {
            let read = SourceView::parse(text);
            assert_eq!(read.as_ref().map(|id| (id.log.as_str(), id.partition, id.offset, id.line)), expected, "{text}");
            read.iter().for_each(|id| assert_eq!(id.to_string(), text));
        };
        check("health/3/1042/1", Some(("health", 3, 1_042, 1)));
        check("/tmp/e.ndjson/0/7/2", Some(("/tmp/e.ndjson", 0, 7, 2)));
        for wrong in ["", "health", "3/1042/1", "/3/1042/1", "health/3/1042", "health/-1/0/1", "health/0/0/x"] {
            check(wrong, None);
        }
    }

    #[test]
    fn long_payloads_are_cut_between_characters() {
        let check = |payload: &[u8], text: Option<usize>, hex: Option<usize>, truncated: bool| {
            let view = read(&write(&rejected(payload))).expect("a rejected record");
            assert_eq!(view.payload.map(|text| text.len()), text);
            assert_eq!(view.payload_hex.map(|hex| hex.len()), hex);
            assert_eq!((view.payload_bytes, view.truncated), (payload.len() as u64, truncated));
        };
        check("x".repeat(PAYLOAD_BYTES_MAX).as_bytes(), Some(PAYLOAD_BYTES_MAX), None, false);
        check("x".repeat(PAYLOAD_BYTES_MAX + 1).as_bytes(), Some(PAYLOAD_BYTES_MAX), None, true);
        check("€".repeat(PAYLOAD_BYTES_MAX / 3 + 1).as_bytes(), Some(PAYLOAD_BYTES_MAX - 1), None, true);
        check(&vec![0xff; PAYLOAD_BYTES_MAX + 1], None, Some(2 * PAYLOAD_BYTES_MAX), true);
    }

    proptest! {
        #[test]
        fn no_byte_is_lost(payload: Vec<u8>) {
            let view = read(&write(&rejected(&payload))).expect("a rejected record");
            let kept = match (view.payload, view.payload_hex) {
                (Some(text), None) => text.into_bytes(),
                (None, Some(hex)) => {
                    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hexadecimal digits");
                    (0..hex.len()).step_by(2).map(pair).collect()
                }
                other => panic!("either text or digits: {other:?}"),
            };
            prop_assert_eq!(kept, payload);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            prop_assert!(read(&bytes).is_err());
        }
    }
}
