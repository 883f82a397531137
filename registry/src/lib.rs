//! What is registered, badged, excluded and listed: facts in any order, one registry out.
//!
//! Pure. [`Ledger`] takes facts as they come and refuses what contradicts an earlier one;
//! [`Ledger::resolve`] ties them together into a [`Registry`], in which the order of facts no
//! longer shows. A fact about something that nobody registered waits in the ledger: it counts
//! once a badge names it, and is listed as unknown until then.

pub mod differences;
pub mod ledger;
pub mod resolved;

pub use differences::Differences;
pub use ledger::{Ledger, Refusal};
pub use resolved::{Registry, subjects_of};
