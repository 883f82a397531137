//! What crosses a boundary: JSON of events, registry facts, decisions and standings, and TOML of
//! policies.
//!
//! Parsing happens here and only here: what comes out are `domain` values that have been checked,
//! or a reason why not. Nothing in this crate reads a file, a clock or the environment, and bad
//! input never panics. `serde` stays in this crate; `domain` types know nothing of it.

pub mod appended;
pub mod applied;
pub mod command;
pub mod csv;
pub mod decision;
pub mod dependency;
pub mod entry;
mod error;
pub mod event;
pub mod explanation;
pub mod fact;
mod instant;
pub mod issued_note;
mod json;
pub mod policy;
pub mod programme_view;
pub mod rejected;
pub mod replayed;
pub mod report;
pub mod rerouted;
#[cfg(test)]
mod samples;
pub mod standing;
pub mod stored;
pub mod tick;
pub mod view;

pub use error::{Error, LineError, Place, VALUE_CHARS_MAX};
pub use view::{DecisionView, ReportView};
