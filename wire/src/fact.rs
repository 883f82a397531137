//! Registry facts as JSON lines (form 1; `v` may be left out).

pub(crate) mod read;
#[cfg(test)]
mod tests;
pub(crate) mod write;

use domain::Fact;

use crate::error::LineError;

/// Reads a registry line.
///
/// A `badge` line with `at` changes what it holds from then on: null clears `brand`, `model`,
/// `image`, `skill` and `hub` and makes `customers` unknown; an `enabled_at` in it has no effect,
/// for the line without `at` alone says when the badge was enabled. Elsewhere null is as good as
/// absent in every optional field.
///
/// # Errors
/// The first thing that is wrong, in this order: JSON, `v`, `type`, then the fields as the
/// contract lists them.
pub fn parse(line: &[u8]) -> Result<Fact, LineError> {
    read::parse(line)
}

/// Appends a fact as a line without its newline. [`parse`] reads the same fact back.
pub fn write(fact: &Fact, out: &mut Vec<u8>) {
    write::write(fact, out);
}
