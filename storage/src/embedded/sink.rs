//! The embedded logs as a sink, one of many.

use ports::partition::partition_of_key;
use ports::{Log, PortError, RecordSink};

use super::EmbeddedLogs;

/// Appends to the logs. Several sinks, in as many threads, append and flush at once; each flush covers what
/// any of them appended before, and flushes at one time share their waiting for the disk.
///
/// What isn't flushed when the process ends may be lost.
#[derive(Clone)]
pub struct EmbeddedSink {
    logs: EmbeddedLogs,
}

impl EmbeddedSink {
    pub(super) const fn new(logs: EmbeddedLogs) -> Self {
        Self { logs }
    }
}

impl RecordSink for EmbeddedSink {
    fn append(&mut self, log: Log, key: &str, payload: &[u8]) -> Result<(), PortError> {
        let partition = partition_of_key(key.as_bytes(), self.logs.partitions(log));
        self.append_to(log, partition, key, payload)
    }

    fn append_to(&mut self, log: Log, partition: u32, key: &str, payload: &[u8]) -> Result<(), PortError> {
        self.logs.append(log, partition, key, payload)
    }

    fn partitions(&self, log: Log) -> Result<u32, PortError> {
        Ok(self.logs.partitions(log))
    }

    fn flush(&mut self) -> Result<(), PortError> {
        self.logs.flush()
    }
}
