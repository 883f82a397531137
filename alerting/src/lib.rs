//! From evidence to standings and decisions: the fold over a product's life (R10–R18, R22).
//!
//! Pure. [`Life`] follows one product through every scope and version of the policy and yields
//! everything that is implied up to T; [`suspensions`] does the same for manufacturers, from what
//! their products' judgements say. Implied decisions are a function of evidence and facts alone
//! (R19): what a [`Life`] remembers saves work and changes nothing.

mod bends;
pub mod case;
pub mod certification;
mod fold;
pub mod id;
pub mod life;
mod scope;
mod standing;
mod state;
pub mod suspension;
mod warnings;

pub use case::{Case, Judgement, scopes};
pub use certification::Certification;
pub use id::in_order;
pub use life::{Life, MEMOS_MAX};
pub use suspension::{Removed, suspensions};
