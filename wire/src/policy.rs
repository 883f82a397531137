//! Policies as TOML: strict, because a number that is silently ignored takes badges away.

mod read;
mod table;
#[cfg(test)]
mod tests;
mod units;
mod write;

use domain::{DurationMs, Policies, Policy};

use crate::error::Error;

/// The policies that are built in: names and texts. The first two are one version each, in the order
/// in which they took effect; `wwa` is the first turning into the second.
pub const PRESETS: [(&str, &str); 3] = [
    ("wwa-2024", include_str!("../presets/wwa-2024.toml")),
    ("wwa-2026", include_str!("../presets/wwa-2026.toml")),
    ("wwa", concat!(include_str!("../presets/wwa-2024.toml"), "\n", include_str!("../presets/wwa-2026.toml"))),
];

/// The text of a built-in policy.
#[must_use]
pub fn preset(name: &str) -> Option<&'static str> {
    PRESETS.into_iter().find(|(known, _)| *known == name).map(|(_, text)| text)
}

/// A percentage as policies write them: digits, at most four decimals, `%`; at most `100%`.
#[must_use]
pub fn parse_percentage(text: &str) -> Option<domain::Ppm> {
    units::percent(text)
}

/// A duration as policies write it, in the longest unit of which it is a whole number: `365d`, `90s`.
#[must_use]
pub fn duration_text(duration: DurationMs) -> String {
    units::duration_text(duration)
}

/// Reads the policies of a file, ordered by `effective_from`; there is at least one. A policy that
/// leaves out an optional key has the value of the preset `wwa-2024` there. `file` is the name by
/// which errors call the text.
///
/// # Errors
/// [`Error::PolicySyntax`] where the text isn't TOML; [`Error::PolicyKey`] for an unknown or missing
/// key and for a value of the wrong type, unit or range.
pub fn parse(text: &str, file: &str) -> Result<Vec<Policy>, Error> {
    read::parse(text, file)
}

/// Reads the policies of a file as versions that follow each other (R18).
///
/// # Errors
/// As [`parse`].
pub fn parse_versions(text: &str, file: &str) -> Result<Policies, Error> {
    read::parse_versions(text, file)
}

/// A policy as a TOML file that [`parse`] reads back to the same value.
#[must_use]
pub fn write(policy: &Policy) -> String {
    write::write(policy)
}
