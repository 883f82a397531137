//! What is registered, certified, badged, excluded and listed.
//!
//! Pure. [`Register`] takes the registry's log in its order: facts as they are, commands if nothing is in the
//! way, decisions for what they mean to badges. It keeps a [`Book`] of how everything got where it is, and a
//! [`Ledger`] of the facts that standings are computed from. [`Ledger`] takes facts as they come and refuses
//! what contradicts an earlier one; [`Ledger::resolve`] ties them together into a [`Registry`], in which the
//! order of facts no longer shows. A fact about something that nobody registered waits in the ledger: it counts
//! once a badge names it, and is listed as unknown until then.

pub mod book;
pub mod differences;
pub mod ledger;
pub mod register;
pub mod resolved;

pub use book::{Book, Place};
pub use differences::Differences;
pub use ledger::{Ledger, Refusal};
pub use register::Register;
pub use resolved::{Registry, subjects_of};
