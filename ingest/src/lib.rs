//! From records to events: lines, names, rejections.
//!
//! A record holds one event or several, newline-delimited ([`lines`]). What is valid occupies
//! its name ([`names`], R5); what isn't is rejected with a reason and its position, never lost.

pub mod lines;
pub mod names;

pub use lines::lines;
pub use names::{ExactNames, Name, Named, Names, RecentNames};
