//! All logs of a simulated world, partitioned as Kafka would, with a clock that the simulation sets.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use domain::Timestamp;

use crate::error::PortError;
use crate::log::Log;
use crate::partition::partition_of_key;
use crate::sink::RecordSink;
use crate::source::{Polled, Record, RecordSource};

/// A record of a simulated log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredRecord {
    /// The partition that holds it.
    pub partition: u32,
    /// Its number in the partition, from 0.
    pub offset: u64,
    /// The simulated instant at which it was appended.
    pub appended_at: Timestamp,
    /// Under which key.
    pub key: String,
    /// Its content.
    pub payload: Vec<u8>,
}

/// A handle to the logs; its clones are the same logs. Of one thread: simulations are.
///
/// It survives every reader and writer, so what it holds is what a crash leaves.
#[derive(Clone, Debug)]
pub struct MemoryLogs {
    world: Rc<RefCell<World>>,
}

#[derive(Debug)]
struct World {
    now: Timestamp,
    /// By log and partition.
    logs: Vec<Vec<Vec<Rc<StoredRecord>>>>,
}

/// Reads some partitions of a simulated log, from positions of its own; it never waits.
///
/// [`RecordSource::poll`] takes the partitions in turn; [`Self::poll_partition`] leaves the interleaving to
/// the caller. While a record is looked at the logs may be appended to.
#[derive(Debug)]
pub struct MemoryReader {
    world: Rc<RefCell<World>>,
    log: Log,
    /// The partitions that are read, rising.
    partitions: Vec<u32>,
    /// The next offset of every partition, by partition.
    next: Vec<u64>,
    /// Where each partition ended at opening.
    ends: Vec<u64>,
    /// Whose turn it is, as an index of `partitions`.
    turn: usize,
}

impl MemoryLogs {
    /// Empty logs at an instant; `health` has so many partitions and the others as many as follows from that.
    #[must_use]
    pub fn new(health_partitions: u32, now: Timestamp) -> Self {
        let empty = |log: Log| (0..log.partitions(health_partitions)).map(|_| Vec::new()).collect();
        Self { world: Rc::new(RefCell::new(World { now, logs: Log::ALL.map(empty).into() })) }
    }

    /// Moves the clock on; an earlier instant leaves it where it is.
    pub fn set_now(&self, now: Timestamp) {
        let mut world = self.world.borrow_mut();
        world.now = world.now.max(now);
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.world.borrow().now
    }

    /// A reader of some partitions of a log, from their beginnings; those that the log doesn't have are left out.
    #[must_use]
    pub fn reader(&self, log: Log, partitions: impl IntoIterator<Item = u32>) -> MemoryReader {
        let world = self.world.borrow();
        let ends: Vec<u64> = world.logs[log as usize].iter().map(|records| records.len() as u64).collect();
        let mut partitions: Vec<u32> = partitions.into_iter().filter(|&partition| (partition as usize) < ends.len()).collect();
        partitions.sort_unstable();
        partitions.dedup();
        MemoryReader { world: Rc::clone(&self.world), log, partitions, next: vec![0; ends.len()], ends, turn: 0 }
    }

    /// Everything in a log, by partition and offset.
    #[must_use]
    pub fn records(&self, log: Log) -> Vec<StoredRecord> {
        self.world.borrow().logs[log as usize].iter().flatten().map(|record| StoredRecord::clone(record)).collect()
    }

    /// What compaction would leave of a log: of each partition the last record of each key, by partition and offset.
    #[must_use]
    pub fn compacted(&self, log: Log) -> Vec<StoredRecord> {
        let records = self.records(log);
        let last: BTreeMap<(u32, String), u64> =
            records.iter().map(|record| ((record.partition, record.key.clone()), record.offset)).collect();
        let mut kept: Vec<StoredRecord> = records;
        kept.retain(|record| last[&(record.partition, record.key.clone())] == record.offset);
        kept
    }
}

impl MemoryReader {
    /// Goes on from an offset of a partition.
    pub fn seek(&mut self, partition: u32, offset: u64) {
        if let Some(next) = self.next.get_mut(partition as usize) {
            *next = offset;
        }
    }
}

impl RecordSink for MemoryLogs {
    fn append(&mut self, log: Log, key: &str, payload: &[u8]) -> Result<(), PortError> {
        let partition = partition_of_key(key.as_bytes(), self.partitions(log)?);
        self.append_to(log, partition, key, payload)
    }

    fn append_to(&mut self, log: Log, partition: u32, key: &str, payload: &[u8]) -> Result<(), PortError> {
        let World { now, logs } = &mut *self.world.borrow_mut();
        let partitions = &mut logs[log as usize];
        let count = partitions.len();
        let Some(records) = partitions.get_mut(partition as usize) else {
            let problem = format!("there is no partition {partition}, only {count}");
            return Err(PortError::Append { log, what: "memory".to_owned(), key: key.to_owned(), source: problem.into() });
        };
        let (offset, appended_at) = (records.len() as u64, *now);
        let record = StoredRecord { partition, offset, appended_at, key: key.to_owned(), payload: payload.to_vec() };
        records.push(Rc::new(record));
        Ok(())
    }

    fn partitions(&self, log: Log) -> Result<u32, PortError> {
        Ok(count(&self.world.borrow().logs[log as usize]))
    }

    fn flush(&mut self) -> Result<(), PortError> {
        Ok(())
    }
}

impl MemoryReader {
    /// Delivers up to `max_records` of one partition; says how many. A partition that isn't read has none.
    pub fn poll_partition(&mut self, partition: u32, max_records: usize, each: &mut dyn FnMut(Record<'_>)) -> usize {
        if !self.partitions.contains(&partition) {
            return 0;
        }
        let index = partition as usize;
        let mut delivered = 0;
        while delivered < max_records {
            // Not borrowed while the record is looked at.
            let found = self.world.borrow().logs[self.log as usize][index].get(to_index(self.next[index])).cloned();
            let Some(record) = found else { break };
            self.next[index] += 1;
            delivered += 1;
            each(record.as_record());
        }
        delivered
    }

    /// Whether everything was delivered that was there when it was opened.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.sum(|partition| self.ends[partition].saturating_sub(self.next[partition])) == 0
    }

    /// The partitions that are read, rising.
    #[must_use]
    pub fn assigned(&self) -> &[u32] {
        &self.partitions
    }

    /// The next offset of a partition; of one that isn't read 0.
    #[must_use]
    pub fn next_offset(&self, partition: u32) -> u64 {
        self.next.get(partition as usize).copied().unwrap_or(0)
    }

    fn sum(&self, of: impl Fn(usize) -> u64) -> u64 {
        self.partitions.iter().map(|&partition| of(partition as usize)).sum()
    }
}

impl RecordSource for MemoryReader {
    fn poll(&mut self, max_records: usize, _timeout: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Polled, PortError> {
        let (mut records, mut idle) = (0, 0);
        while records < max_records && idle < self.partitions.len() {
            let partition = self.partitions[self.turn];
            self.turn = (self.turn + 1) % self.partitions.len();
            let delivered = self.poll_partition(partition, 1, each);
            records += delivered;
            idle = if delivered == 0 { idle + 1 } else { 0 };
        }
        Ok(Polled { records, at_end: self.is_at_end() })
    }

    fn partitions(&self) -> u32 {
        count(&self.next)
    }

    fn next_offsets(&self) -> Vec<u64> {
        self.next.clone()
    }

    fn lag_records(&self) -> Option<u64> {
        let world = self.world.borrow();
        Some(self.sum(|partition| world.logs[self.log as usize][partition].len() as u64 - self.next[partition]))
    }
}

impl StoredRecord {
    /// The record as a source delivers it.
    #[must_use]
    pub fn as_record(&self) -> Record<'_> {
        Record {
            partition: self.partition,
            offset: self.offset,
            appended_at: Some(self.appended_at),
            payload: &self.payload,
            truncated: false,
        }
    }
}

fn to_index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// A log's number of partitions, which was a `u32` when it was made.
fn count<T>(partitions: &[T]) -> u32 {
    u32::try_from(partitions.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
