//! The owner of products' state: events and facts in, standings and decisions out.
//!
//! [`Engine`] holds everything in memory and is owned by one thread; nothing in it locks or
//! waits. [`Evaluation`] drives it over bounded input; [`run()`] over logs.

pub mod engine;
pub mod evaluation;
mod live;
pub mod run;
mod subjects;
pub mod tables;

pub use engine::{Applied, Engine};
pub use evaluation::Evaluation;
pub use run::{Ports, RunConfig, Summary, Until, run};
