//! Events that arrived in another partition than their subject's, on their way to its owner.
//!
//! Such a record has two lines: where the event comes from, then the event as it arrived. Its owner
//! drops what it has seen of a partition before, so an event that is sent on twice counts once.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json;

/// The form that is written and understood.
const FORM: u64 = 1;
const WHAT: &str = "rerouted event's origin";
/// How the first line begins: `v` and `type` come first.
const BEGINNING: &[u8] = br#"{"v":1,"type":"rerouted","#;

/// Where an event arrived first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Origin {
    /// The partition.
    pub partition: u32,
    /// Its record.
    pub offset: u64,
    /// The line in the record, from 1.
    pub line: u64,
    /// When that record was appended, if its log says so.
    pub appended_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct OriginView {
    #[serde(rename = "type")]
    kind: String,
    partition: u32,
    offset: u64,
    line: u64,
    appended_at: Option<i64>,
}

/// The record that carries an event's line to its owner.
#[must_use]
pub fn write(origin: Origin, event: &[u8]) -> Vec<u8> {
    let view = OriginView {
        kind: "rerouted".to_owned(),
        partition: origin.partition,
        offset: origin.offset,
        line: origin.line,
        appended_at: origin.appended_at.map(Timestamp::ms),
    };
    let mut record = json::write_form(FORM, &view);
    record.push(b'\n');
    record.extend_from_slice(event);
    record
}

/// Splits a record into its origin and the event's line; `None` for a record that doesn't claim to be a rerouted one.
///
/// # Errors
/// [`Error::Form`] and [`Error::Json`] for one that claims to be and isn't.
pub fn read(record: &[u8]) -> Option<Result<(Origin, &[u8]), Error>> {
    if !record.starts_with(BEGINNING) {
        return None;
    }
    let end = record.iter().position(|&byte| byte == b'\n').unwrap_or(record.len());
    let (first, event) = (&record[..end], record.get(end + 1..).unwrap_or_default());
    Some(json::read::<OriginView>(WHAT, first).map(|view| {
        let appended_at = view.appended_at.map(Timestamp::clamped);
        (Origin { partition: view.partition, offset: view.offset, line: view.line, appended_at }, event)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_and_its_origin_travel_together() {
        let origin = Origin { partition: 3, offset: 17, line: 2, appended_at: Timestamp::from_ms(5) };
        let record = write(origin, b"{\"v\":1}");
        let expected = "{\"v\":1,\"type\":\"rerouted\",\"partition\":3,\"offset\":17,\"line\":2,\"appended_at\":5}\n{\"v\":1}";
        assert_eq!(String::from_utf8_lossy(&record), expected);
        assert_eq!(read(&record).expect("a rerouted record").expect("a right one"), (origin, b"{\"v\":1}".as_slice()));
        let unknown = Origin { appended_at: None, ..origin };
        assert_eq!(read(&write(unknown, b"x")).expect("a rerouted record").expect("a right one").0, unknown);
    }

    #[test]
    fn other_records_are_told_apart() {
        assert!(read(b"{\"v\":1,\"type\":\"outcome\"}").is_none());
        let error =
            read(b"{\"v\":1,\"type\":\"rerouted\",\"partition\":-1}\n{}").expect("claims to be one").expect_err("isn't one");
        assert!(error.to_string().starts_with("this is not a rerouted event's origin"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_ends_never_panic(end: Vec<u8>) {
            let record = [BEGINNING, end.as_slice()].concat();
            proptest::prop_assert!(read(&record).is_some());
        }
    }
}
