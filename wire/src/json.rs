//! JSON objects as the slow paths read them: every value by its kind, strings borrowed where they
//! hold no escapes, and a key that comes twice is an error instead of a silent choice.

pub(crate) mod fields;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use domain::RejectReason;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, LineError, shorten};

pub(crate) use fields::Fields;

const WRITES: &str = "a Vec takes every byte, and our values hold nothing that JSON can't";

/// A JSON value by its kind.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Negative(i64),
    /// Has a fraction or an exponent, or is too big for 64 bits.
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object(Object<'a>),
}

/// A JSON object; keys are unique.
pub(crate) type Object<'a> = BTreeMap<Cow<'a, str>, Value<'a>>;

/// Reads a line as one JSON object.
///
/// # Errors
/// `invalid_json` where the line isn't UTF-8, isn't one JSON object and nothing else, holds a key
/// twice (at any depth), or nests deeper than the JSON parser's limit of 128 levels.
pub(crate) fn parse_object(line: &[u8]) -> Result<Object<'_>, LineError> {
    let invalid = |detail: String| LineError::new(RejectReason::InvalidJson, detail);
    let text =
        std::str::from_utf8(line).map_err(|error| invalid(format!("not UTF-8 from byte {} on", error.valid_up_to() + 1)))?;
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(invalid(format!("expected an object, found {other}"))),
        Err(error) => Err(invalid(within_line(&error))),
    }
}

/// Appends a value as JSON without newlines.
pub(crate) fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect(WRITES);
}

/// Appends a value as JSON over several lines.
pub(crate) fn write_indented<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    serde_json::to_writer_pretty(out, value).expect(WRITES);
}

/// An object whose first field is the form's number.
#[derive(Serialize)]
struct Formed<'a, T> {
    v: u64,
    #[serde(flatten)]
    value: &'a T,
}

/// As [`write_form`], over several lines.
pub(crate) fn write_form_indented<T: Serialize>(form: u64, value: &T, out: &mut Vec<u8>) {
    write_indented(&Formed { v: form, value }, out);
}

/// A value as a record: an object whose first field is the form's number `v`.
pub(crate) fn write_form<T: Serialize>(form: u64, value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    write(&Formed { v: form, value }, &mut out);
    out
}

/// Checks a record's form before its content, so that a newer form is called by its name.
pub(crate) fn check_form(what: &'static str, expected: u64, record: &[u8]) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct FormOnly {
        v: u64,
    }

    let FormOnly { v: found } = read(what, record)?;
    if found == expected { Ok(()) } else { Err(Error::Form { what, found, expected }) }
}

/// Reads a record's content.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &'static str, record: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(record).map_err(|source| Error::Json { what, source })
}

impl fmt::Display for Value<'_> {
    /// The value as messages show it: as JSON, shortened; lists and objects by their kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Unsigned(value) => write!(f, "{value}"),
            Self::Negative(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) => write!(f, "{:?}", shorten(text)),
            Self::List(items) if items.is_empty() => f.write_str("an empty list"),
            Self::List(_) => f.write_str("a list"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// What the JSON parser says, without the "line 1" that could be taken for the file's line.
fn within_line(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let (line, column) = (error.line(), error.column());
    match told.strip_suffix(&format!(" at line {line} column {column}")) {
        Some(message) if line <= 1 => format!("{message} at column {column}"),
        _ => told,
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(u64::try_from(value).map_or(Value::Negative(value), Value::Unsigned))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'de>, E> {
        Ok(Value::Float(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'de>, A::Error> {
        let mut object = Object::new();
        while let Some(Key(key)) = entries.next_key()? {
            let value = entries.next_value()?;
            if let Some(name) = object.contains_key(&key).then(|| shorten(&key)) {
                return Err(A::Error::custom(format_args!("the key {name:?} comes twice")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// A key, borrowed where it holds no escapes (`Cow` alone would always copy).
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}
