//! Decisions as records of a log: the fields that a report has, and the form's number `v`.

use domain::Decision;

use crate::error::Error;
use crate::json;
use crate::view::DecisionView;

/// The form that is written and understood.
const FORM: u64 = 1;
const WHAT: &str = "decision";

/// A decision as a record. Equal decisions are equal byte for byte.
#[must_use]
pub fn write(decision: &Decision) -> Vec<u8> {
    json::write_form(FORM, &DecisionView::from(decision))
}

/// Reads a record that [`write()`] has written.
///
/// # Errors
/// [`Error::Form`] for a form that isn't understood, [`Error::Json`] for anything else.
pub fn read(record: &[u8]) -> Result<DecisionView, Error> {
    json::check_form(WHAT, FORM, record)?;
    json::read(WHAT, record)
}

/// Reads a record that [`write()`] has written back to the decision that it was written from.
///
/// # Errors
/// Those of [`read`], and [`Error::Value`] for a field that no decision can have.
pub fn parse(record: &[u8]) -> Result<Decision, Error> {
    Decision::try_from(&read(record)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn what_is_written_is_read() {
        for decision in samples::report().decisions {
            assert_eq!(read(&write(&decision)).expect("a decision"), DecisionView::from(&decision));
            assert_eq!(parse(&write(&decision)).expect("a decision"), decision);
        }
    }

    #[test]
    fn records_are_lines_with_their_form_first() {
        let records: Vec<_> = samples::report().decisions.iter().map(write).collect();
        insta::assert_snapshot!(String::from_utf8(records.join(&b'\n')).expect("JSON is UTF-8"));
    }

    #[test]
    fn other_records_are_errors() {
        let check = |record: &str, expected: &str| assert_eq!(read(record.as_bytes()).expect_err(record).to_string(), expected);
        check("{", "this is not a decision: EOF while parsing an object at line 1 column 1");
        check(r#"{"id":"1"}"#, "this is not a decision: missing field `v` at line 1 column 10");
        check(r#"{"v":1,"id":"1"}"#, "this is not a decision: missing field `kind` at line 1 column 16");
        check(
            r#"{"v":2}"#,
            "this decision has form 2; expected form 1: upgrade the reader, or read what this version has written",
        );
    }

    #[test]
    fn fields_that_no_decision_can_have_are_named() {
        let decision = samples::report().decisions.remove(0);
        let text = String::from_utf8(write(&decision)).expect("JSON is UTF-8");
        let check = |part: &str, by: &str, expected: &str| {
            assert!(text.contains(part), "{part} is in {text}");
            let error = parse(text.replacen(part, by, 1).as_bytes()).expect_err(by);
            assert_eq!(error.to_string(), expected);
        };
        check(r#""kind":"warning""#, r#""kind":"praise""#, "this is not a decision: kind is \"praise\"");
        check(r#""scope":"global""#, r#""scope":"XX""#, "this is not a decision: scope is \"XX\"");
        check("watch:budget", "watch:fun", "this is not a decision: reasons is \"watch:fun\"");
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            proptest::prop_assert!(read(&bytes).is_err());
        }
    }
}
