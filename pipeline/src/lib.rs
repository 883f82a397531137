//! The owner of products' state: events and facts in, standings and decisions out.
//!
//! [`Engine`] holds everything in memory and is owned by one thread; nothing in it locks or
//! waits. [`Evaluation`] drives it over bounded input; [`run()`] over logs.

pub mod engine;
mod epoch;
pub mod error;
pub mod evaluation;
mod figures;
pub mod journal;
pub mod node;
pub mod partition;
pub mod programme;
pub mod rehearsal;
mod rejecting;
mod replays;
pub mod restored;
pub mod run;
pub mod stretches;
mod subjects;
pub mod tables;

pub use engine::{Applied, Engine};
pub use error::Error;
pub use evaluation::Evaluation;
pub use node::Node;
pub use partition::{Io, Partition, Rules, Taken};
pub use programme::Programme;
pub use rehearsal::Rehearsal;
pub use run::{LivePorts, Ports, RunConfig, Summary, Until, run_bounded, run_live};
