//! From health events to evidence: slices, states, down intervals, runs, outages, coverage.
//!
//! Pure: no clock, no I/O. Events go in through [`SubjectHealth`], in any order; out comes
//! [`domain::ProductEvidence`]. The result depends on the set of events only, never on their
//! order of arrival (R19). A minute more costs what happened in it: [`Gatherer::grow`].

pub mod ask;
pub mod evidence;
pub mod minutes;
pub mod subject;

pub use ask::Ask;
pub use evidence::{Gatherer, Health};
pub use subject::SubjectHealth;
