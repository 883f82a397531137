//! From evidence to standings and decisions: the fold over a product's life (R10–R17), and what of
//! it is to be issued (R20–R22, R25).
//!
//! Pure. [`judge`] looks at one product in one scope and yields everything that is implied
//! there up to T; [`suspensions`] does the same for manufacturers, from what their products'
//! judgements say. Implied decisions are a function of the evidence alone (R19): there is no
//! state between calls. [`reconcile()`] compares them with what has been issued, which is state, and
//! yields what is to be issued now. [`burn_rate`] says how fast a budget is used up, for those on
//! call, and [`forecast`] what may still happen; neither has an effect on standing.

pub mod acknowledgement;
pub mod brakes;
pub mod burn_rate;
pub mod case;
pub mod certification;
pub mod fold;
pub mod forecast;
pub mod id;
pub mod reconcile;
pub mod scope;
pub mod standing;
pub mod suspension;
pub mod warnings;

pub use acknowledgement::AcknowledgementStatus;
pub use brakes::Brakes;
pub use case::{Case, Judgement, scopes};
pub use certification::Certification;
pub use fold::judge;
pub use id::in_order;
pub use reconcile::{BadgeOfRecord, Context, Issued, reconcile};
pub use suspension::{Removed, suspensions};
