//! Fields of a line by name, with the reason and the message for each way in which one is wrong.

use std::borrow::Cow;

use domain::id::{ID_BYTES_MAX, valid_id};
use domain::{Marketplace, Region, RejectReason, Timestamp};

use super::{Object, Value, parse_object};
use crate::error::{LineError, shorten};

const INSTANT: &str = "an instant, as RFC 3339 or epoch milliseconds from 1970 to 9999";

/// The fields of one line. Each getter takes its field out; what is left over is ignored.
#[derive(Debug)]
pub(crate) struct Fields<'a>(Object<'a>);

impl<'a> Fields<'a> {
    /// The fields of a line that must be one JSON object.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, LineError> {
        parse_object(line).map(Self)
    }

    /// The fields of an object that didn't come as JSON.
    pub(crate) const fn of(object: Object<'a>) -> Self {
        Self(object)
    }

    /// Checks `v`, the line's version: 1, or absent where it isn't required.
    pub(crate) fn version(&mut self, required: bool) -> Result<(), LineError> {
        match self.0.remove("v") {
            Some(Value::Unsigned(1)) => Ok(()),
            Some(value @ (Value::Unsigned(_) | Value::Negative(_))) => {
                Err(LineError::new(RejectReason::UnsupportedVersion, format!("v is {value}; expected 1")))
            }
            Some(value) => Err(invalid("v", &value, "1")),
            None if required => Err(missing("v", "1")),
            None => Ok(()),
        }
    }

    /// The one of `known` that `type` names.
    pub(crate) fn kind(&mut self, known: &[&'static str]) -> Result<&'static str, LineError> {
        let value = self.0.remove("type").ok_or_else(|| missing("type", &one_of(known)))?;
        let name = if let Value::Text(text) = &value { known.iter().find(|name| *name == text) } else { None };
        name.copied()
            .ok_or_else(|| LineError::new(RejectReason::UnknownType, format!("type is {value}; expected {}", one_of(known))))
    }

    /// Whether the field is there and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| *value != Value::Null)
    }

    /// Gives a field that isn't there, or null, a text.
    pub(crate) fn fill(&mut self, name: &'static str, text: &str) {
        if !self.has(name) {
            self.0.insert(Cow::Borrowed(name), Value::Text(Cow::Owned(text.to_owned())));
        }
    }

    /// A required field.
    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Result<T, LineError> {
        let value = self.0.remove(name).ok_or_else(|| missing(name, expected))?;
        parse(&value).ok_or_else(|| invalid(name, &value, expected))
    }

    /// A required field; where it isn't right, `parse` says what was expected.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&Value<'a>) -> Result<T, String>,
    ) -> Result<T, LineError> {
        let value = self.0.remove(name).ok_or_else(|| missing(name, expected))?;
        parse(&value).map_err(|expected| invalid(name, &value, &expected))
    }

    /// An optional field, null as good as absent; where it isn't right, `parse` says what was expected.
    pub(crate) fn optional_parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value<'a>) -> Result<T, String>,
    ) -> Result<Option<T>, LineError> {
        if self.has(name) { self.parsed(name, "", parse).map(Some) } else { Ok(self.0.remove(name).and(None)) }
    }

    /// An optional field; null is as good as absent.
    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, LineError> {
        if self.has(name) { self.required(name, expected, parse).map(Some) } else { Ok(self.0.remove(name).and(None)) }
    }

    /// An optional field in which null says something of its own: `Some(None)`.
    pub(crate) fn clearable<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Result<Option<Option<T>>, LineError> {
        let present = self.0.contains_key(name);
        Ok(self.optional(name, expected, parse)?.map_or_else(|| present.then_some(None), |value| Some(Some(value))))
    }

    /// A required instant.
    pub(crate) fn instant(&mut self, name: &str) -> Result<Timestamp, LineError> {
        self.required(name, INSTANT, instant)
    }

    /// An optional instant.
    pub(crate) fn optional_instant(&mut self, name: &str) -> Result<Option<Timestamp>, LineError> {
        self.optional(name, INSTANT, instant)
    }

    /// A required region.
    pub(crate) fn region(&mut self, name: &str) -> Result<Region, LineError> {
        let text = self.required(name, "NA, EU or FE", text)?;
        region(name, &text)
    }

    /// An optional list of regions: not empty, all known.
    pub(crate) fn regions(&mut self, name: &str) -> Result<Option<Vec<Region>>, LineError> {
        let Some(names) = self.optional(name, "a list of NA, EU and FE that isn't empty", full_list)? else { return Ok(None) };
        names.iter().map(|text| region(name, text)).collect::<Result<_, _>>().map(Some)
    }

    /// A required marketplace.
    pub(crate) fn marketplace(&mut self, name: &str) -> Result<Marketplace, LineError> {
        let code = self.required(name, "a marketplace such as US", text)?;
        marketplace(name, &code)
    }

    /// A required list of marketplaces: not empty, all known; sorted and without repetition.
    pub(crate) fn marketplaces(&mut self, name: &str) -> Result<Vec<Marketplace>, LineError> {
        let codes = self.required(name, "a list of marketplaces such as [\"US\", \"DE\"] that isn't empty", full_list)?;
        let mut known = codes.iter().map(|code| marketplace(name, code)).collect::<Result<Vec<_>, _>>()?;
        known.sort();
        known.dedup();
        Ok(known)
    }

    /// Whether the field is there, be it null.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A required object.
    pub(crate) fn object(&mut self, name: &str, expected: &str) -> Result<Self, LineError> {
        self.required(name, expected, |value| if let Value::Object(object) = value { Some(Self(object.clone())) } else { None })
    }
}

/// A field is missing.
pub(crate) fn missing(name: &str, expected: &str) -> LineError {
    LineError::new(RejectReason::MissingField, format!("{name} is missing; expected {expected}"))
}

/// A field has a value that it can't have.
pub(crate) fn invalid(name: &str, value: &Value<'_>, expected: &str) -> LineError {
    LineError::new(RejectReason::InvalidField, format!("{name} is {value}; expected {expected}"))
}

/// Any text.
pub(crate) fn text<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    if let Value::Text(text) = value { Some(text.clone()) } else { None }
}

/// A text that can be an id.
pub(crate) fn id<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    text(value).filter(|text| valid_id(text))
}

/// What an id looks like, for messages.
pub(crate) fn id_of(what: &str) -> String {
    format!("{what} of 1 to {ID_BYTES_MAX} bytes")
}

/// A whole number that isn't negative.
pub(crate) const fn unsigned(value: &Value<'_>) -> Option<u64> {
    if let Value::Unsigned(number) = value { Some(*number) } else { None }
}

/// A list of texts, which may be empty.
pub(crate) fn list<'a>(value: &Value<'a>) -> Option<Vec<Cow<'a, str>>> {
    if let Value::List(items) = value { items.iter().map(text).collect() } else { None }
}

/// Names as a sentence lists them: `a, b or c`.
pub(crate) fn one_of(known: &[&str]) -> String {
    match known {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn full_list<'a>(value: &Value<'a>) -> Option<Vec<Cow<'a, str>>> {
    list(value).filter(|items| !items.is_empty())
}

fn instant(value: &Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Text(text) => Timestamp::parse_rfc3339(text),
        Value::Unsigned(ms) => i64::try_from(*ms).ok().and_then(Timestamp::from_ms),
        _ => None,
    }
}

fn region(name: &str, text: &str) -> Result<Region, LineError> {
    Region::parse(text).ok_or_else(|| {
        LineError::new(RejectReason::UnknownRegion, format!("{name} is {:?}; expected NA, EU or FE", shorten(text)))
    })
}

fn marketplace(name: &str, code: &str) -> Result<Marketplace, LineError> {
    Marketplace::parse(code).ok_or_else(|| {
        let detail = format!("{name} has {:?}; expected a marketplace of the programme, such as US or DE", shorten(code));
        LineError::new(RejectReason::UnknownMarketplace, detail)
    })
}
