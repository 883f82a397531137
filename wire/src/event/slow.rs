//! The reader that accepts every valid event and says what is wrong with the others.

use std::borrow::Cow;

use domain::{EventBody, HealthState, SubjectKind, SubjectRef};

use super::ParsedEvent;
use crate::error::LineError;
use crate::json::{Fields, Value, fields};

const COUNT: &str = "a whole number from 0 to 4294967295";

/// Reads an event line in the contract's order of checks.
pub(super) fn parse(line: &[u8]) -> Result<ParsedEvent<'_>, LineError> {
    let mut fields = Fields::parse(line)?;
    fields.version(true)?;
    let kind = fields.kind(&["outcome", "state"])?;
    let (subject_kind, id) = fields.required("subject", "product:<ASIN>, skill:<id> or hub:<ASIN>", subject)?;
    let region = fields.region("region")?;
    let at = fields.instant("at")?;
    let body = if kind == "outcome" {
        let ok = fields.required("ok", COUNT, count)?;
        EventBody::Outcome { ok, failed: fields.required("failed", COUNT, count)? }
    } else {
        EventBody::State(fields.required("state", "up, down, maintenance or unknown", state)?)
    };
    let reporter = fields.optional("reporter", &fields::id_of("a reporter's id"), fields::id)?;
    let seq = fields.optional("seq", "a whole number from 0 to 18446744073709551615", fields::unsigned)?;
    Ok(ParsedEvent { kind: subject_kind, id, region, at, body, reporter, seq })
}

fn subject<'a>(value: &Value<'a>) -> Option<(SubjectKind, Cow<'a, str>)> {
    match value {
        Value::Text(Cow::Borrowed(text)) => SubjectRef::parse(text).map(|subject| (subject.kind, Cow::Borrowed(subject.id))),
        Value::Text(Cow::Owned(text)) => SubjectRef::parse(text).map(|subject| (subject.kind, Cow::Owned(subject.id.to_owned()))),
        _ => None,
    }
}

fn count(value: &Value<'_>) -> Option<u32> {
    fields::unsigned(value).and_then(|number| u32::try_from(number).ok())
}

fn state(value: &Value<'_>) -> Option<HealthState> {
    let name = fields::text(value)?;
    HealthState::ALL.into_iter().find(|state| state.as_str() == name)
}
