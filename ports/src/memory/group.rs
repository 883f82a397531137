//! A group of one over simulated logs.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::PortError;
use crate::memory::MemoryReader;
use crate::source::{GroupEvent, GroupSource, Polled};

/// All partitions of a simulated log, for one member that keeps them.
#[derive(Debug)]
pub struct MemoryGroup {
    reader: MemoryReader,
    is_assigned: bool,
    started: BTreeSet<u32>,
}

impl MemoryGroup {
    /// A member that is given every partition that a reader reads.
    #[must_use]
    pub const fn new(reader: MemoryReader) -> Self {
        Self { reader, is_assigned: false, started: BTreeSet::new() }
    }
}

impl GroupSource for MemoryGroup {
    fn poll(
        &mut self,
        max_records: usize,
        _timeout: Duration,
        each: &mut dyn FnMut(GroupEvent<'_>),
    ) -> Result<Polled, PortError> {
        if !std::mem::replace(&mut self.is_assigned, true) {
            each(GroupEvent::Assigned(self.reader.assigned()));
        }
        let mut records = 0;
        for &partition in &self.started {
            records +=
                self.reader.poll_partition(partition, max_records - records, &mut |record| each(GroupEvent::Record(record)));
        }
        let is_started = self.started.len() == self.reader.assigned().len();
        Ok(Polled { records, at_end: is_started && self.reader.is_at_end() })
    }

    fn start(&mut self, partition: u32, from: Option<u64>) -> Result<(), PortError> {
        self.reader.seek(partition, from.unwrap_or(0));
        self.started.insert(partition);
        Ok(())
    }

    fn release(&mut self, partitions: &[u32]) -> Result<(), PortError> {
        partitions.iter().for_each(|partition| {
            self.started.remove(partition);
        });
        Ok(())
    }

    fn partitions(&self) -> u32 {
        crate::RecordSource::partitions(&self.reader)
    }

    fn lag_records(&self) -> Option<u64> {
        crate::RecordSource::lag_records(&self.reader)
    }
}
