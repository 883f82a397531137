//! Tables of a policy file, read key by key so that every error knows its place and dotted key.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Place, shorten};

/// A file's text, for places.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

/// A table of the file, with the table of the preset that fills in what it leaves out.
pub(super) struct Table<'a> {
    source: Source<'a>,
    path: String,
    /// Where the table is; where it is left out, its parent's place.
    span: Range<usize>,
    own: Option<&'a DeTable<'a>>,
    preset: Option<&'a DeTable<'a>>,
}

impl Source<'_> {
    /// An error at a key.
    pub(super) fn wrong(self, span: &Range<usize>, key: &str, found: impl Into<String>, expected: impl Into<String>) -> Error {
        let place = Place::of(self.file, self.text, span.start);
        Error::PolicyKey { place, key: key.to_owned(), found: found.into(), expected: expected.into() }
    }

    /// The error that the TOML parser found.
    pub(super) fn not_toml(self, error: &toml::de::Error) -> Error {
        let offset = error.span().map_or(0, |span| span.start);
        let message = told(error.message());
        Error::PolicySyntax { place: Place::of(self.file, self.text, offset), key: self.key_at(offset), message }
    }

    /// The dotted key of the line that holds an offset, as far as plain text shows it.
    fn key_at(self, offset: usize) -> Option<String> {
        let before = self.text.get(..offset)?;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[start..].lines().next()?.trim();
        let table_of = |line: &str| line.trim_start_matches('[').split(']').next().map(|name| name.trim().to_owned());
        if line.starts_with('[') {
            return table_of(line);
        }
        let key = line.split_once('=').map_or(line, |(key, _)| key).trim();
        let table =
            before[..start].lines().rev().find(|line| line.trim_start().starts_with('[')).and_then(|line| table_of(line.trim()));
        (!key.is_empty()).then(|| table.map_or_else(|| shorten(key), |table| shorten(&format!("{table}.{key}"))))
    }
}

impl<'a> Table<'a> {
    /// A table whose keys are all among `known`.
    pub(super) fn new(
        source: Source<'a>,
        path: &str,
        span: Range<usize>,
        own: &'a DeTable<'a>,
        preset: Option<&'a DeTable<'a>>,
        known: &[&str],
    ) -> Result<Self, Error> {
        let unknown = own.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).min_by_key(|key| key.span().start);
        if let Some(key) = unknown {
            let dotted = join(path, &shorten(key.get_ref()));
            return Err(source.wrong(&key.span(), &dotted, "unknown key", format!("one of {}", known.join(", "))));
        }
        Ok(Self { source, path: path.to_owned(), span, own: Some(own), preset })
    }

    /// A table in this one. Where the file leaves it out, all its values are the preset's.
    pub(super) fn table(&self, key: &str, known: &[&str]) -> Result<Self, Error> {
        let preset = self.preset.and_then(|preset| preset.get(key)).and_then(|value| value.get_ref().as_table());
        let path = join(&self.path, key);
        match self.own.and_then(|own| own.get(key)) {
            None => Ok(Self { source: self.source, path, span: self.span.clone(), own: None, preset }),
            Some(value) => match value.get_ref() {
                DeValue::Table(own) => Self::new(self.source, &path, value.span(), own, preset, known),
                other => Err(self.source.wrong(&value.span(), &path, found(other), "a table")),
            },
        }
    }

    /// The tables of a list in this one, the preset's where the file leaves the list out; never none.
    pub(super) fn tables(&self, key: &str, known: &[&str]) -> Result<Vec<Self>, Error> {
        let path = join(&self.path, key);
        let expected = || format!("a list of one or more tables of {}", known.join(", "));
        let entry = self.own.and_then(|own| own.get(key)).or_else(|| self.preset.and_then(|preset| preset.get(key)));
        let Some(value) = entry else { return Err(self.source.wrong(&self.span, &path, "missing", expected())) };
        let items = match value.get_ref() {
            DeValue::Array(items) if items.is_empty() => {
                return Err(self.source.wrong(&value.span(), &path, "found an empty array", expected()));
            }
            DeValue::Array(items) => items,
            other => return Err(self.source.wrong(&value.span(), &path, found(other), expected())),
        };
        let table = |item: &'a Spanned<DeValue<'a>>| match item.get_ref() {
            DeValue::Table(own) => Self::new(self.source, &path, item.span(), own, None, known),
            other => Err(self.source.wrong(&item.span(), &path, found(other), expected())),
        };
        items.iter().map(table).collect()
    }

    /// Whether the file itself has the key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.own.is_some_and(|own| own.contains_key(key))
    }

    /// The value of a key, the preset's where the file leaves it out.
    pub(super) fn value<T>(&self, key: &str, expected: &str, parse: impl Fn(&DeValue<'_>) -> Option<T>) -> Result<T, Error> {
        if !self.has(key)
            && let Some(value) = self.preset.and_then(|preset| preset.get(key)).and_then(|value| parse(value.get_ref()))
        {
            return Ok(value);
        }
        self.required(key, expected, parse)
    }

    /// The value of a key that the file must have.
    pub(super) fn required<T>(&self, key: &str, expected: &str, parse: impl Fn(&DeValue<'_>) -> Option<T>) -> Result<T, Error> {
        let path = join(&self.path, key);
        let Some(value) = self.own.and_then(|own| own.get(key)) else {
            return Err(self.source.wrong(&self.span, &path, "missing", expected));
        };
        parse(value.get_ref()).ok_or_else(|| self.source.wrong(&value.span(), &path, found(value.get_ref()), expected))
    }

    /// An error at a key of this table.
    pub(super) fn wrong(&self, key: &str, expected: &str) -> Error {
        let path = join(&self.path, key);
        match self.own.and_then(|own| own.get(key)) {
            Some(value) => self.source.wrong(&value.span(), &path, found(value.get_ref()), expected),
            None => self.source.wrong(&self.span, &path, "missing", expected),
        }
    }
}

/// What a value is, for messages.
pub(super) fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("found {:?}", shorten(text)),
        DeValue::Integer(number) => format!("found the integer {}", shorten(&number.to_string())),
        DeValue::Float(number) => format!("found the float {}", shorten(&number.to_string())),
        DeValue::Boolean(value) => format!("found {value}"),
        DeValue::Datetime(instant) => format!("found the unquoted instant {instant}"),
        DeValue::Array(_) => "found an array".to_owned(),
        DeValue::Table(_) => "found a table".to_owned(),
    }
}

/// The policy tables of a file, with their spans.
pub(super) fn policies<'a>(
    source: Source<'_>,
    root: &'a Spanned<DeTable<'a>>,
) -> Result<Vec<(Range<usize>, &'a DeTable<'a>)>, Error> {
    const EXPECTED: &str = "one or more [[policy]] tables";
    if let Some(key) = root.get_ref().keys().filter(|key| key.get_ref() != "policy").min_by_key(|key| key.span().start) {
        return Err(source.wrong(&key.span(), &shorten(key.get_ref()), "unknown key", EXPECTED));
    }
    let Some(value) = root.get_ref().get("policy") else {
        return Err(source.wrong(&(0..0), "policy", "missing", EXPECTED));
    };
    let tables = match value.get_ref() {
        DeValue::Array(tables) if tables.is_empty() => {
            return Err(source.wrong(&value.span(), "policy", "found an empty array", EXPECTED));
        }
        DeValue::Array(tables) => tables,
        other => return Err(source.wrong(&value.span(), "policy", found(other), EXPECTED)),
    };
    let table = |entry: &'a Spanned<DeValue<'a>>| match entry.get_ref() {
        DeValue::Table(table) => Ok((entry.span(), table)),
        other => Err(source.wrong(&entry.span(), "policy", found(other), EXPECTED)),
    };
    tables.iter().map(table).collect()
}

fn join(path: &str, key: &str) -> String {
    format!("{path}.{key}")
}

/// The parser's message on one line, with what was expected.
fn told(message: &str) -> String {
    let message = message.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    match message.as_str() {
        "duplicate key" => format!("{message}; expected each key once"),
        _ if message.contains("expected") => message,
        _ => format!("{message}; expected TOML"),
    }
}
