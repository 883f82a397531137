//! Rejected lines as they are listed for people and their tools, and as those give them back repaired.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::{RejectedView, SourceView};
use crate::error::Error;
use crate::json;

const FORM: u64 = 1;
const WHAT: &str = "repaired line";

#[derive(Serialize)]
struct ListedView<'a> {
    id: String,
    appended_at: Option<String>,
    subject: Option<String>,
    reason: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_hex: Option<&'a str>,
    payload_bytes: u64,
    truncated: bool,
}

#[derive(Serialize)]
struct CountView<'a> {
    reason: &'a str,
    lines: u64,
}

#[derive(Deserialize)]
struct RepairedView {
    id: String,
    event: Option<serde_json::Value>,
    payload: Option<String>,
}

/// A rejected line on one line: its id first, then what is known of it.
#[must_use]
pub fn write(rejected: &RejectedView, appended_at: Option<Timestamp>) -> Vec<u8> {
    let view = ListedView {
        id: rejected.source.to_string(),
        appended_at: appended_at.map(|at| at.to_string()),
        subject: rejected.subject(),
        reason: &rejected.reason,
        detail: &rejected.detail,
        payload: rejected.payload.as_deref(),
        payload_hex: rejected.payload_hex.as_deref(),
        payload_bytes: rejected.payload_bytes,
        truncated: rejected.truncated,
    };
    json::write_form(FORM, &view)
}

/// How many lines were rejected for each reason, one reason a line.
#[must_use]
pub fn write_counts(counts: &BTreeMap<String, u64>) -> Vec<u8> {
    let line = |(reason, lines): (&String, &u64)| json::write_form(FORM, &CountView { reason, lines: *lines });
    counts.iter().flat_map(|count| [line(count), b"\n".to_vec()].concat()).collect()
}

/// Reads a line that says what a rejected line should have been: its `id`, and the event as `event`, or as text in
/// `payload` as [`write()`] does. Anything else in it is passed over.
///
/// # Errors
/// [`Error::Json`] where one of them is missing or isn't one.
pub fn read_repaired(line: &[u8]) -> Result<(SourceView, String), Error> {
    let view: RepairedView = json::read(WHAT, line)?;
    let wrong = |message: &str| Error::Json { what: WHAT, source: serde::de::Error::custom(message) };
    let id = SourceView::parse(&view.id)
        .ok_or_else(|| wrong("expected an id as `rejected list` tells it, LOG/PARTITION/OFFSET/LINE"))?;
    let event = match (view.event, view.payload) {
        (Some(serde_json::Value::String(text)), _) | (None, Some(text)) => text,
        (Some(event), _) => event.to_string(),
        (None, None) => return Err(wrong("expected the repaired event as `event`, or its text as `payload`")),
    };
    Ok((id, event))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"v":1,"subject":"product:B1"}"#;

    #[test]
    fn a_line_that_is_listed_is_read_back() {
        let source = SourceView { log: "health".to_owned(), partition: 3, offset: 1_042, line: 1 };
        let rejected = RejectedView {
            source: source.clone(),
            reason: "unknown_subject".to_owned(),
            detail: "product:B1 is not registered".to_owned(),
            payload: Some(EVENT.to_owned()),
            payload_hex: None,
            payload_bytes: 30,
            truncated: false,
        };
        let line = write(&rejected, Timestamp::from_ms(5));
        let expected = r#"{"v":1,"id":"health/3/1042/1","appended_at":"1970-01-01T00:00:00.005Z","subject":"product:B1","reason":"unknown_subject","detail":"product:B1 is not registered","payload":"{\"v\":1,\"subject\":\"product:B1\"}","payload_bytes":30,"truncated":false}"#;
        assert_eq!(String::from_utf8_lossy(&line), expected);
        assert_eq!(read_repaired(&line).expect("an id and a payload"), (source, EVENT.to_owned()));
        let counts = BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]);
        let lines = "{\"v\":1,\"reason\":\"a\",\"lines\":2}\n{\"v\":1,\"reason\":\"b\",\"lines\":1}\n";
        assert_eq!(String::from_utf8_lossy(&write_counts(&counts)), lines);
    }

    #[test]
    fn what_is_repaired_may_be_text_or_an_object() {
        let check = |line: &str, expected: Result<&str, &str>| match (read_repaired(line.as_bytes()), expected) {
            (Ok((id, event)), Ok(expected)) => assert_eq!((id.to_string().as_str(), event.as_str()), ("a/b/0/7/2", expected)),
            (Err(error), Err(part)) => {
                let told = format!("{error}: {}", std::error::Error::source(&error).expect("a cause"));
                assert!(told.contains(part), "{told}");
            }
            (read, _) => panic!("{line}: {read:?}"),
        };
        check(r#"{"id":"a/b/0/7/2","event":{"v":1}}"#, Ok(r#"{"v":1}"#));
        check(r#"{"id":"a/b/0/7/2","event":"{}","payload":"x"}"#, Ok("{}"));
        check(r#"{"id":"a/b/0/7/2","payload":"x","other":1}"#, Ok("x"));
        check(r#"{"id":"a/b/0/7/2"}"#, Err("expected the repaired event"));
        check(r#"{"id":"0/7/2","payload":"x"}"#, Err("expected an id"));
        check("nonsense", Err("this is not a repaired line"));
    }
}
