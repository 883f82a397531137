//! Rejected lines that somebody replays, as they were or repaired.
//!
//! Such a line stands in the log, and in the partition, that its rejected line came from, and names that
//! line's place. Each place is replayed once: so whatever is appended again counts once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json;

/// The form that is written and understood.
const FORM: u64 = 1;
const WHAT: &str = "replayed line";
const KIND: &str = "replayed";
/// How such a line begins: `v` and `type` come first.
const BEGINNING: &[u8] = br#"{"v":1,"type":"replayed","#;

/// A rejected line that is replayed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed<'a> {
    /// The partition in which the rejected line arrived.
    pub partition: u32,
    /// The rejected line's record.
    pub offset: u64,
    /// The line in the record, from 1.
    pub line: u64,
    /// The event's line, repaired or not.
    pub event: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct ReplayedView<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    partition: u32,
    offset: u64,
    line: u64,
    #[serde(borrow)]
    event: Cow<'a, str>,
}

/// The line that replays a rejected one.
#[must_use]
pub fn write(replayed: &Replayed<'_>) -> Vec<u8> {
    let Replayed { partition, offset, line, ref event } = *replayed;
    json::write_form(FORM, &ReplayedView { kind: KIND, partition, offset, line, event: Cow::Borrowed(event.as_ref()) })
}

/// Reads a line; `None` for one that doesn't claim to replay another.
///
/// # Errors
/// [`Error::Json`] for one that claims to and doesn't.
#[inline]
pub fn read(line: &[u8]) -> Option<Result<Replayed<'_>, Error>> {
    line.starts_with(BEGINNING).then(|| {
        let view: ReplayedView<'_> = json::read(WHAT, line)?;
        Ok(Replayed { partition: view.partition, offset: view.offset, line: view.line, event: view.event })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_its_place_travel_together() {
        let check = |event: &str, expected: &str| {
            let replayed = Replayed { partition: 3, offset: 1_042, line: 1, event: event.into() };
            let line = write(&replayed);
            let head = r#"{"v":1,"type":"replayed","partition":3,"offset":1042,"line":1,"event":"#;
            assert_eq!(String::from_utf8_lossy(&line), format!("{head}{expected}}}"));
            assert_eq!(read(&line).expect("a replay").expect("a right one"), replayed);
        };
        check(r#"{"v":1}"#, r#""{\"v\":1}""#);
        check("two\nlines", r#""two\nlines""#);
        check("", r#""""#);
    }

    #[test]
    fn other_lines_are_told_apart() {
        assert!(read(br#"{"v":1,"type":"outcome"}"#).is_none());
        assert!(read(br#"{"v":2,"type":"replayed","partition":0}"#).is_none());
        let wrong = read(br#"{"v":1,"type":"replayed","partition":-1}"#).expect("claims to be one").expect_err("isn't one");
        assert!(wrong.to_string().starts_with("this is not a replayed line"), "{wrong}");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(partition: u32, offset: u64, line: u64, event: String) {
            let replayed = Replayed { partition, offset, line, event: event.into() };
            let text = write(&replayed);
            proptest::prop_assert_eq!(read(&text).expect("a replay").expect("a right one"), replayed);
        }

        #[test]
        fn arbitrary_ends_never_panic(end: Vec<u8>) {
            let line = [BEGINNING, end.as_slice()].concat();
            proptest::prop_assert!(read(&line).is_some());
        }
    }
}
