//! From evidence to standings and decisions: the fold over a product's life (R10–R18, R22), and what of
//! it is to be issued (R20–R22, R25).
//!
//! Pure. [`Life`] follows one product through every scope and version of the policy and yields
//! everything that is implied up to T; [`suspensions`] does the same for manufacturers, from what
//! their products' judgements say. Implied decisions are a function of evidence and facts alone
//! (R19): what a [`Life`] remembers saves work and changes nothing. [`reconcile()`] compares them with
//! what has been issued, which is state, and yields what is to be issued now. [`burn_rate`] says how
//! fast a budget is used up, for those on call, and [`forecast`] what may still happen; neither has an
//! effect on standing.

pub mod acknowledgement;
mod bends;
pub mod brakes;
pub mod burn_rate;
pub mod case;
pub mod fold;
pub mod forecast;
pub mod id;
pub mod life;
pub mod reconcile;
mod scope;
mod standing;
pub mod suspension;
mod warnings;

pub use acknowledgement::AcknowledgementStatus;
pub use brakes::Brakes;
pub use case::{Case, Judgement, scopes};
pub use id::in_order;
pub use life::{Badge, Life, MEMOS_MAX, Outlook, outlook};
pub use reconcile::{BadgeOfRecord, Context, Issued, reconcile, settled_at};
pub use suspension::{Removed, suspensions};
