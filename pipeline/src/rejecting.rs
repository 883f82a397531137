//! Lines that don't count: told, counted and kept with their reason and place.

use domain::rejection::LineSource;
use ports::{Log, PortError};
use telemetry::events::LineRejected;
use wire::rejected::Rejected;

use crate::partition::Io;

/// What is said of a line that is longer than a record may be.
pub(crate) const OVERLONG: &str = "the line is longer than a record may be; split it";

/// Appends a line to the rejected log.
#[cold]
pub(crate) fn reject(source: LineSource, rejected: &Rejected<'_>, to: u32, io: &mut Io<'_>) -> Result<(), PortError> {
    let Rejected { partition, offset, reason, detail, .. } = *rejected;
    LineRejected { source, partition, offset, reason, detail }.emit(io.counts);
    io.sink.append_to(Log::Rejected, to, rejected.log, &wire::rejected::write(rejected))
}
