//! Commands to the programme's registry as JSON lines (form 1; `v` may be left out).
//!
//! A command is a flat object: `type`, `command` (its id), `at`, `by`, `expects` where somebody minds which
//! revision they change, and the fields of its form. The id of what it is about is under its kind:
//! `{"type":"submit_certification","command":"c-17","at":"…","by":"anna","certification":"cert-1"}`.
//!
//! What a form may lack is told by the registry, by name. Here is refused what can't be right however the
//! rest of the form goes on: an address without `@`, a wrong check digit, a country of another region, more
//! of something than a command may hold.

pub(crate) mod cells;
mod forms;
mod read;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
mod values;
pub(crate) mod write;

use domain::programme::Command;

use crate::error::LineError;

pub(crate) use read::read;
pub use read::{TYPES, fields};

/// Longest text of a command, in bytes. Ids are shorter: [`domain::id::ID_BYTES_MAX`].
pub const TEXT_BYTES_MAX: usize = 4_096;
/// Longest mail address, in bytes (RFC 5321, 4.5.3.1.3, without its brackets).
pub const ADDRESS_BYTES_MAX: usize = 254;
/// Most mail addresses of a manufacturer.
pub const CONTACTS_MAX: usize = 64;
/// Most ASINs of one product.
pub const VARIANTS_MAX: usize = 1_000;
/// Most hubs with which a product can be set up.
pub const HUBS_MAX: usize = 64;
/// Most other devices in a package.
pub const BUNDLE_MAX: usize = 64;
/// Most names in a list of known names, such as capabilities; more could only be repetitions.
pub const NAMES_MAX: usize = 64;
/// Most reasons or failures of one command.
pub const REASONS_MAX: usize = 64;

/// Reads a command. In optional fields null is as good as absent; lists keep their order and lose
/// repetitions; unknown fields are ignored.
///
/// # Errors
/// The first thing that is wrong, in this order: JSON, `v`, `type`, then `command`, `at`, `by`, `expects`
/// and the form's fields.
pub fn parse(line: &[u8]) -> Result<Command, LineError> {
    read::parse(line)
}

/// Appends a command as a line without its newline. [`parse`] reads the same command back.
pub fn write(command: &Command, out: &mut Vec<u8>) {
    write::write(command, out);
}
