//! Writing: records are taken at once and stored in the background; `flush` makes sure.

use crate::error::PortError;
use crate::log::Log;

/// Logs to append to.
pub trait RecordSink {
    /// Takes a record for its key's partition (see [`partition`](crate::partition)); waits while the sink's
    /// bounded buffer is full. Records of one key stay in order.
    ///
    /// # Errors
    ///
    /// When the record can't be taken, or an earlier one couldn't be stored.
    fn append(&mut self, log: Log, key: &str, payload: &[u8]) -> Result<(), PortError>;

    /// Takes a record for a given partition, whatever its key. Records of one partition stay in order.
    ///
    /// # Errors
    ///
    /// As [`Self::append`]; also, at the latest at the flush, when the log has no such partition.
    fn append_to(&mut self, log: Log, partition: u32, key: &str, payload: &[u8]) -> Result<(), PortError>;

    /// How many partitions a log has.
    ///
    /// # Errors
    ///
    /// When the log isn't there or can't be asked.
    fn partitions(&self, log: Log) -> Result<u32, PortError>;

    /// Waits until every record that was taken is stored.
    ///
    /// # Errors
    ///
    /// When one isn't, now or since the last flush: the first failure.
    fn flush(&mut self) -> Result<(), PortError>;
}
