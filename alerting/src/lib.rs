//! From evidence to standings and decisions: the fold over a product's life (R10–R17), and what
//! holds removals back (R25).
//!
//! Pure. [`judge`] looks at one product in one scope and yields everything that is implied
//! there up to T; [`suspensions`] does the same for manufacturers, from what their products'
//! judgements say. Implied decisions are a function of the evidence alone (R19): there is no
//! state between calls.

pub mod acknowledgement;
pub mod brakes;
pub mod case;
pub mod certification;
pub mod fold;
pub mod id;
pub mod scope;
pub mod standing;
pub mod summed;
pub mod suspension;
pub mod warnings;

pub use acknowledgement::AcknowledgementStatus;
pub use brakes::Brakes;
pub use case::{Case, Judgement, scopes};
pub use certification::Certification;
pub use fold::judge;
pub use id::in_order;
pub use suspension::{Removed, suspensions};
