//! From records to events: lines, names, rejections.
//!
//! A record holds one event or several, newline-delimited ([`lines`]). What is valid occupies
//! its name ([`names`], R5); what isn't is rejected with a reason and its position, never lost.
//! Each subject has one partition, its owner's ([`partition`]).

pub mod lines;
pub mod names;
pub mod partition;

pub use lines::lines;
pub use names::{ExactNames, Name, Named, Names, RecentNames};
pub use partition::{dependencies_partition, partition_of};
