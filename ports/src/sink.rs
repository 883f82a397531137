//! Writing: records are taken at once and stored in the background; `flush` makes sure.

use crate::error::PortError;
use crate::log::Log;

/// Logs to append to.
pub trait RecordSink {
    /// Takes a record; waits while the sink's bounded buffer is full. Records of one key stay in order.
    ///
    /// # Errors
    ///
    /// When the record can't be taken, or an earlier one couldn't be stored.
    fn append(&mut self, log: Log, key: &str, payload: &[u8]) -> Result<(), PortError>;

    /// Waits until every record that was taken is stored.
    ///
    /// # Errors
    ///
    /// When one isn't, now or since the last flush: the first failure.
    fn flush(&mut self) -> Result<(), PortError>;
}
