//! From health events to evidence: slices, states, down intervals, runs, outages, coverage.
//!
//! Pure: no clock, no I/O. Events go in through [`SubjectHealth`], in any order; out comes
//! [`domain::ProductEvidence`]. The result depends on the set of events only, never on their
//! order of arrival (R19). A minute more costs what happened in it: [`Gatherer::grow`].

pub mod ask;
pub mod degradation;
pub mod evidence;
mod held;
pub mod maintenance;
mod minute_set;
mod minutes;
pub mod page;
mod pages;
pub mod subject;

pub use ask::Ask;
pub use degradation::{Degraded, Quality};
pub use evidence::{Gatherer, Health};
pub use page::Page;
pub use subject::{Applied, Attempts, SubjectHealth};
