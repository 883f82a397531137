//! All partitions of a topic, read from their earliest records on.

use std::fmt;
use std::time::Duration;

use ports::{Log, Polled, PortError, Position, Record, RecordSource};
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::config::KafkaConfig;
use super::context::SourceContext;
use super::reader::{Partition, Reader, ask};

const AHEAD_ADVICE: &str = "it was created anew, lost its end, or isn't the topic that was read; restore the topic's data, or \
                            name the topic that belongs to the state";

/// A log's topic, every partition in order, from the earliest record that the broker has.
///
/// While the broker is away it delivers nothing and tries on.
///
/// A record's append time is the broker's own, of a topic with `message.timestamp.type=LogAppendTime` as
/// [`ensure_topics`](super::ensure_topics) creates them. Of a topic with `CreateTime`, e.g. an older one of
/// somebody else's, records have none: what a producer wrote down isn't when the log took them. Such a topic
/// has no log time of its own, so a live run that reads it stands still (R23) until its records get one:
/// alter the topic (records that are there keep their type), or copy it into one of ours.
pub struct KafkaSource {
    reader: Reader<SourceContext>,
}

impl KafkaSource {
    /// Opens a log's topic: looks up where each partition begins and ends, and starts fetching.
    ///
    /// # Errors
    ///
    /// When a setting is wrong, the broker can't be reached or there is no such topic.
    pub fn open(config: &KafkaConfig, log: Log) -> Result<Self, PortError> {
        Self::open_at(config, log, &[])
    }

    /// Opens a log's topic from given offsets on, by partition; from its earliest record where none is given, or 0.
    ///
    /// # Errors
    ///
    /// As [`Self::open`]; [`PortError::Gone`] when a partition begins after the offset that was given,
    /// [`PortError::Ahead`] when it ends before it.
    pub fn open_at(config: &KafkaConfig, log: Log, from: &[u64]) -> Result<Self, PortError> {
        let context = SourceContext::of(config.topic(log));
        let mut reader = Reader::create(config, &config.consumer()?, context)?;
        start(&mut reader, from).map_err(|error| reader.cannot_open(config, error))?;
        for (partition, (found, &offset)) in (0..).zip(reader.partitions.iter().zip(from)) {
            let position = Position::Record { partition, offset };
            if offset > 0 && found.next > offset {
                return Err(reader.gone(position));
            }
            if offset > found.end {
                let (what, end, advice) = (reader.what.clone(), found.end, AHEAD_ADVICE);
                return Err(PortError::Ahead { what, end, position, advice });
            }
        }
        Ok(Self { reader })
    }
}

impl RecordSource for KafkaSource {
    fn poll(&mut self, max_records: usize, timeout: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Polled, PortError> {
        self.reader.poll(max_records, timeout, each)
    }

    fn partitions(&self) -> u32 {
        self.reader.count()
    }

    fn next_offsets(&self) -> Vec<u64> {
        self.reader.next_offsets()
    }

    fn lag_records(&self) -> Option<u64> {
        self.reader.lag_records()
    }
}

impl fmt::Debug for KafkaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSource").field("what", &self.reader.what).field("next", &self.next_offsets()).finish()
    }
}

/// Assigns every partition from its first record on, or a later one that is given.
fn start(reader: &mut Reader<SourceContext>, from: &[u64]) -> KafkaResult<()> {
    // A topic that was created just now, or whose broker was, is about to get its leaders.
    let soon = |code| matches!(code, RDKafkaErrorCode::NotLeaderForPartition | RDKafkaErrorCode::LeaderNotAvailable);
    let partitions = ask(reader.timeout, soon, || look_up(reader, from))?;
    let mut assignment = TopicPartitionList::with_capacity(partitions.len());
    for (number, partition) in (0..).zip(&partitions) {
        let offset = i64::try_from(partition.next).map_err(|_| KafkaError::MetadataFetch(RDKafkaErrorCode::OffsetOutOfRange))?;
        assignment.add_partition_offset(&reader.watch().topic, number, Offset::Offset(offset))?;
    }
    reader.set_partitions(partitions);
    reader.consumer.assign(&assignment)
}

/// Where each partition is read from, and where it ends.
fn look_up(reader: &Reader<SourceContext>, from: &[u64]) -> KafkaResult<Vec<Partition>> {
    let count = reader.count_partitions()?;
    let from = from.iter().copied().chain(std::iter::repeat(0));
    let start = |(number, from): (u32, u64)| reader.watermarks(number).map(|(low, high)| Partition::started(low.max(from), high));
    (0..count).zip(from).map(start).collect()
}
