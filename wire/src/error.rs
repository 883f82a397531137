//! What can be wrong with something that crosses a boundary.

use std::fmt;

use domain::RejectReason;

/// Longest part of a wrong value that a message repeats, in characters.
pub const VALUE_CHARS_MAX: usize = 64;

/// Why a line doesn't count: a reason of the contract and what was wrong, for people.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct LineError {
    /// The reason, by its contract name.
    pub reason: RejectReason,
    /// Which field, what it holds and what was expected; bounded by [`VALUE_CHARS_MAX`].
    pub detail: String,
}

impl LineError {
    pub(crate) fn new(reason: RejectReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// What is wrong with a policy file, or with a stored or published value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A policy file isn't TOML.
    #[error("{place}: {}{message}", prefix(key))]
    PolicySyntax {
        /// Where.
        place: Place,
        /// The dotted key of that line, where one can be made out.
        key: Option<String>,
        /// What the TOML parser says.
        message: String,
    },
    /// A key of a policy file is missing, unknown, or has a value that it can't have.
    #[error("{place}: {key}: {found}; expected {expected}")]
    PolicyKey {
        /// Where.
        place: Place,
        /// The dotted key, e.g. `policy.availability.target`.
        key: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A published value isn't what it should be.
    #[error("this is not a {what}: {source}")]
    Json {
        /// What was to be read.
        what: &'static str,
        /// What the JSON parser says.
        #[source]
        source: serde_json::Error,
    },
    /// A published value has a field that it can't have.
    #[error("this is not a {what}: {field} is {found:?}")]
    Value {
        /// What was to be read.
        what: &'static str,
        /// Which field.
        field: &'static str,
        /// What it holds; bounded by [`VALUE_CHARS_MAX`].
        found: String,
    },
    /// A published value has a form that isn't understood.
    #[error("this {what} has form {found}; expected form {expected}: upgrade the reader, or read what this version has written")]
    Form {
        /// What was to be read.
        what: &'static str,
        /// The form that it says it has.
        found: u64,
        /// The form that is understood.
        expected: u64,
    },
    /// Stored bytes aren't what they should be.
    #[error("this is not a stored {what}: {problem}")]
    Stored {
        /// What was to be read.
        what: &'static str,
        /// What is wrong with the bytes.
        problem: &'static str,
    },
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file's name as the caller gave it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The place of a byte offset in a text.
    pub(crate) fn of(file: &str, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { file: file.to_owned(), line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A text as messages repeat it: at most [`VALUE_CHARS_MAX`] characters, the rest as `…`.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn prefix(key: &Option<String>) -> String {
    key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default()
}
