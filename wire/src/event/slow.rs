//! The reader that accepts every valid event and says what is wrong with the others.

use std::borrow::Cow;

use domain::{DurationMs, EventBody, HealthState, SubjectKind, SubjectRef};

use super::{LATENCY_MS_MAX, LATENCY_PAIRS_MAX, Latency, ParsedEvent};
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
    let latency = if kind == "outcome" { latency(&mut fields)? } else { Latency::Unknown };
    Ok(ParsedEvent { kind: subject_kind, id, region, at, body, reporter, seq, latency })
}

fn latency(fields: &mut Fields<'_>) -> Result<Latency, LineError> {
    let expected = || {
        format!(
            "a whole number from 0 to {LATENCY_MS_MAX}, or a list of at most {LATENCY_PAIRS_MAX} pairs of such a number and a count \
             from 1 to 4294967295"
        )
    };
    let latency = if fields.has("latency_ms") { fields.optional("latency_ms", &expected(), latencies)? } else { None };
    Ok(latency.unwrap_or_default())
}

fn latencies(value: &Value<'_>) -> Option<Latency> {
    match value {
        Value::List(pairs) if pairs.len() <= LATENCY_PAIRS_MAX => {
            pairs.iter().map(pair).collect::<Option<_>>().map(Latency::Counted)
        }
        _ => fields::unsigned(value).and_then(super::latency).map(Latency::Each),
    }
}

fn pair(value: &Value<'_>) -> Option<(DurationMs, u32)> {
    let Value::List(pair) = value else { return None };
    let [latency, attempts] = &**pair else { return None };
    let attempts = count(attempts).filter(|attempts| *attempts >= 1)?;
    fields::unsigned(latency).and_then(super::latency).map(|latency| (latency, attempts))
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
