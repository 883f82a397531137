//! Newline-delimited files, stdin and stdout.

mod sink;
mod source;

pub use sink::{Destination, FileSink};
pub use source::{LINE_BYTES_MAX, LineSource};
