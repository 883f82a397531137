//! Logs and state in memory, for tests and simulation.

use std::collections::VecDeque;
use std::time::Duration;

use domain::Timestamp;

use crate::error::PortError;
use crate::log::Log;
use crate::sink::RecordSink;
use crate::source::{Polled, Record, RecordSource};

mod group;
mod logs;
mod store;

pub use group::MemoryGroup;
pub use logs::{MemoryLogs, MemoryReader, StoredRecord};
pub use store::MemoryStore;

/// A record with its own content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnedRecord {
    /// The partition that holds it.
    pub partition: u32,
    /// Its number in the partition.
    pub offset: u64,
    /// When the log took it.
    pub appended_at: Option<Timestamp>,
    /// Its content.
    pub payload: Vec<u8>,
}

/// A bounded source: the records that it was made from, in that order. It never waits.
#[derive(Clone, Default, Debug)]
pub struct MemorySource {
    records: VecDeque<OwnedRecord>,
    /// The next offset of each partition, by partition.
    next: Vec<u64>,
}

/// What a [`MemorySink`] was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Appended {
    /// To which log.
    pub log: Log,
    /// Under which key.
    pub key: String,
    /// The content.
    pub payload: Vec<u8>,
}

/// A sink that keeps what it is given; every log has one partition.
#[derive(Clone, Default, Debug)]
pub struct MemorySink {
    appended: Vec<Appended>,
}

impl MemorySource {
    /// A source of these records.
    #[must_use]
    pub fn new(records: impl IntoIterator<Item = OwnedRecord>) -> Self {
        let records: VecDeque<_> = records.into_iter().collect();
        let partitions = records.iter().map(|record| record.partition).max().map_or(1, |last| last as usize + 1);
        Self { records, next: vec![0; partitions] }
    }

    /// A source of a text's lines: partition 0, numbered from 0, without an append time.
    #[must_use]
    pub fn lines(text: &str) -> Self {
        Self::new((0..).zip(text.lines()).map(|(offset, line)| OwnedRecord {
            partition: 0,
            offset,
            appended_at: None,
            payload: line.as_bytes().to_vec(),
        }))
    }
}

impl RecordSource for MemorySource {
    fn poll(&mut self, max_records: usize, _timeout: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Polled, PortError> {
        let records = max_records.min(self.records.len());
        for record in self.records.drain(..records) {
            self.next[record.partition as usize] = record.offset + 1;
            each(Record {
                partition: record.partition,
                offset: record.offset,
                appended_at: record.appended_at,
                payload: &record.payload,
                truncated: false,
            });
        }
        Ok(Polled { records, at_end: self.records.is_empty() })
    }

    fn partitions(&self) -> u32 {
        u32::try_from(self.next.len()).unwrap_or(u32::MAX)
    }

    fn next_offsets(&self) -> Vec<u64> {
        self.next.clone()
    }

    fn lag_records(&self) -> Option<u64> {
        Some(self.records.len() as u64)
    }
}

impl MemorySink {
    /// Everything appended so far, in order.
    #[must_use]
    pub fn appended(&self) -> &[Appended] {
        &self.appended
    }

    /// The content of one log so far, in order.
    pub fn of(&self, log: Log) -> impl Iterator<Item = &[u8]> {
        self.appended.iter().filter(move |appended| appended.log == log).map(|appended| appended.payload.as_slice())
    }
}

impl RecordSink for MemorySink {
    fn append(&mut self, log: Log, key: &str, payload: &[u8]) -> Result<(), PortError> {
        self.appended.push(Appended { log, key: key.to_owned(), payload: payload.to_vec() });
        Ok(())
    }

    fn append_to(&mut self, log: Log, partition: u32, key: &str, payload: &[u8]) -> Result<(), PortError> {
        if partition > 0 {
            let problem = format!("there is no partition {partition}, only 0");
            return Err(PortError::Append { log, what: "memory".to_owned(), key: key.to_owned(), source: problem.into() });
        }
        self.append(log, key, payload)
    }

    fn partitions(&self, _log: Log) -> Result<u32, PortError> {
        Ok(1)
    }

    fn flush(&mut self) -> Result<(), PortError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::read_to_end;

    #[test]
    fn a_source_delivers_its_records_in_batches_and_then_is_at_its_end() {
        let mut source = MemorySource::lines("a\nb\nc");
        let mut seen = Vec::new();
        let mut poll = |max| {
            let polled = source.poll(max, Duration::ZERO, &mut |r| seen.push((r.offset, r.payload.to_vec()))).unwrap();
            (polled.records, polled.at_end, source.lag_records())
        };
        assert_eq!(poll(2), (2, false, Some(1)));
        assert_eq!(poll(2), (1, true, Some(0)));
        assert_eq!(poll(2), (0, true, Some(0)));
        assert_eq!(seen, [(0, b"a".to_vec()), (1, b"b".to_vec()), (2, b"c".to_vec())]);
        assert_eq!((source.partitions(), source.next_offsets()), (1, vec![3]));
    }

    #[test]
    fn reading_to_the_end_can_be_ended_early() {
        let mut seen = 0;
        assert_eq!(read_to_end(&mut MemorySource::lines("a\nb"), &mut || true, &mut |_| seen += 1).unwrap(), 2);
        assert_eq!(read_to_end(&mut MemorySource::lines("a\nb"), &mut || false, &mut |_| seen += 1).unwrap(), 0);
        assert_eq!(seen, 2);
    }

    #[test]
    fn a_sink_keeps_logs_apart() {
        let mut sink = MemorySink::default();
        sink.append(Log::Decisions, "product:A", b"1").unwrap();
        sink.append(Log::Rejected, "0", b"2").unwrap();
        sink.append(Log::Decisions, "product:B", b"3").unwrap();
        sink.flush().unwrap();
        assert_eq!(sink.of(Log::Decisions).collect::<Vec<_>>(), [b"1", b"3"]);
        assert_eq!(sink.appended()[1].key, "0");
        sink.append_to(Log::Decisions, 0, "product:C", b"4").unwrap();
        assert_eq!((sink.of(Log::Decisions).count(), sink.partitions(Log::Decisions).unwrap()), (3, 1));
        assert!(sink.append_to(Log::Decisions, 1, "product:C", b"5").is_err());
    }
}
