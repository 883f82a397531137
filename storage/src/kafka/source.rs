//! All partitions of a topic, read from their earliest records on.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use domain::Timestamp;
use ports::{Log, Polled, PortError, Position, Record, RecordSource};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message, Timestamp as MessageTime};
use rdkafka::{Offset, TopicPartitionList};

use super::config::KafkaConfig;
use super::context::SourceContext;

/// Pause before asking again for a partition's leader at opening.
const LEADER_PAUSE: Duration = Duration::from_millis(100);
const GONE_ADVICE: &str = "its retention or a deletion removed records that were not read yet; restore them or lengthen the \
                           retention, then start again";

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
    consumer: BaseConsumer<SourceContext>,
    what: String,
    timeout: Duration,
    progress: Progress,
    /// Why it ended; from then on every poll says so.
    broken: Option<Broken>,
}

#[derive(Clone, Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Client(#[from] KafkaError),
    #[error(
        "the topic grew from {from} to {to} partitions, and keys moved between them; stop the producers, then start again to \
         read all partitions from their beginnings"
    )]
    Grown { from: usize, to: usize },
}

/// How far the topic is read.
struct Progress {
    partitions: Vec<Partition>,
    /// Partitions that haven't been read to where they ended at opening.
    unreached: usize,
}

struct Partition {
    /// The next offset to come, at least.
    next: u64,
    /// Where it ended at opening.
    end: u64,
    reached: bool,
}

impl KafkaSource {
    /// Opens a log's topic: looks up where each partition begins and ends, and starts fetching.
    ///
    /// # Errors
    ///
    /// When a setting is wrong, the broker can't be reached or there is no such topic.
    pub fn open(config: &KafkaConfig, log: Log) -> Result<Self, PortError> {
        let topic = config.topic(log);
        let context = SourceContext { topic: topic.clone(), ends: OnceLock::new(), grown_to: OnceLock::new() };
        let consumer: BaseConsumer<SourceContext> =
            config.consumer()?.create_with_context(context).map_err(|error| config.creation_error("a consumer", error))?;
        let what = format!("topic {topic} at {}", config.bootstrap);
        let partitions = start(&consumer, &topic, config.timeout).map_err(|error| PortError::Open {
            what: format!("{what} (is the broker running and the topic there?)"),
            source: Box::new(error),
        })?;
        let unreached = partitions.iter().filter(|partition| !partition.reached).count();
        Ok(Self { consumer, what, timeout: config.timeout, progress: Progress { partitions, unreached }, broken: None })
    }

    /// Whether an error is one to live with. Whatever isn't known to pass ends the source.
    fn passes(error: &KafkaError) -> bool {
        use RDKafkaErrorCode as Code;
        let (KafkaError::MessageConsumption(code) | KafkaError::Global(code)) = error else { return false };
        matches!(
            code,
            Code::AllBrokersDown
                | Code::BrokerTransportFailure
                | Code::OperationTimedOut
                | Code::Resolve
                | Code::RequestTimedOut
                | Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::BrokerNotAvailable
                | Code::ReplicaNotAvailable
                | Code::NetworkException
                | Code::OffsetNotAvailable
                | Code::FencedLeaderEpoch
                | Code::UnknownLeaderEpoch
                | Code::CoordinatorLoadInProgress
                | Code::CoordinatorNotAvailable
                | Code::NotCoordinator
        )
    }

    fn failure(&self, error: &Broken) -> PortError {
        use RDKafkaErrorCode as Code;
        let gone = |code: &Code| matches!(code, Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation);
        if matches!(error, Broken::Client(KafkaError::MessageConsumption(code)) if gone(code)) {
            return PortError::Gone { what: self.what.clone(), position: self.gone_position(), advice: GONE_ADVICE };
        }
        PortError::Read { what: self.what.clone(), position: self.all_positions(), source: Box::new(error.clone()) }
    }

    fn all_positions(&self) -> Position {
        Position::Offsets(self.next_offsets())
    }

    /// The client doesn't say which partition it is that lost records; the broker does.
    fn gone_position(&self) -> Position {
        let topic = &self.consumer.context().topic;
        let lost = (0..).zip(&self.progress.partitions).find(|(number, partition)| {
            i32::try_from(*number)
                .ok()
                .and_then(|number| self.consumer.fetch_watermarks(topic, number, self.timeout).ok())
                .is_some_and(|(low, high)| !(low..=high).contains(&i64::try_from(partition.next).unwrap_or(i64::MAX)))
        });
        lost.map_or_else(|| self.all_positions(), |(partition, lost)| Position::Record { partition, offset: lost.next })
    }
}

impl Progress {
    fn deliver(&mut self, message: &BorrowedMessage<'_>, each: &mut dyn FnMut(Record<'_>)) {
        let number = u32::try_from(message.partition()).expect("a delivered record has a partition");
        let offset = u64::try_from(message.offset()).expect("a delivered record has an offset");
        let appended_at = match message.timestamp() {
            MessageTime::LogAppendTime(ms) => Timestamp::from_ms(ms),
            MessageTime::CreateTime(_) | MessageTime::NotAvailable => None,
        };
        each(Record { partition: number, offset, appended_at, payload: message.payload().unwrap_or_default(), truncated: false });
        let partition = &mut self.partitions[number as usize];
        partition.next = offset + 1;
        if partition.next >= partition.end && !partition.reached {
            partition.reached = true;
            self.unreached -= 1;
        }
    }

    /// The broker has nothing more in a partition for now. Its last records may be none to deliver
    /// (a transaction's marker, an aborted one's records), so this counts as its end, too; says
    /// whether it hadn't been reached before.
    fn end_of(&mut self, number: i32) -> bool {
        let Some(partition) = usize::try_from(number).ok().and_then(|index| self.partitions.get_mut(index)) else { return false };
        let news = !std::mem::replace(&mut partition.reached, true);
        self.unreached -= usize::from(news);
        news
    }
}

impl RecordSource for KafkaSource {
    fn poll(&mut self, max_records: usize, timeout: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Polled, PortError> {
        if self.broken.is_none() {
            let from = self.progress.partitions.len();
            self.broken = self.consumer.context().grown_to.get().map(|&to| Broken::Grown { from, to });
        }
        if let Some(error) = &self.broken {
            return Err(self.failure(error));
        }
        let deadline = Instant::now() + timeout;
        let mut records = 0;
        while records < max_records {
            // Waits for the first record only; of the others it takes what has been fetched.
            let wait = if records == 0 { deadline.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            match self.consumer.poll(wait) {
                None => break,
                Some(Ok(message)) => {
                    self.progress.deliver(&message, each);
                    records += 1;
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    // The news that this was the end shouldn't wait for a record to come.
                    if self.progress.end_of(partition) && self.progress.unreached == 0 {
                        break;
                    }
                }
                Some(Err(error)) if Self::passes(&error) => {
                    tracing::warn!(source = self.what, %error, "cannot read for now; trying on");
                }
                Some(Err(error)) => {
                    let error = Broken::from(error);
                    let failure = self.failure(&error);
                    self.broken = Some(error);
                    return Err(failure);
                }
            }
        }
        Ok(Polled { records, at_end: self.progress.unreached == 0 })
    }

    fn partitions(&self) -> u32 {
        u32::try_from(self.progress.partitions.len()).expect("Kafka numbers partitions with 31 bits")
    }

    fn next_offsets(&self) -> Vec<u64> {
        self.progress.partitions.iter().map(|partition| partition.next).collect()
    }

    fn lag_records(&self) -> Option<u64> {
        let ends = self.consumer.context().ends.get()?;
        let lag = |(partition, end): (&Partition, &AtomicU64)| end.load(Ordering::Relaxed).saturating_sub(partition.next);
        Some(self.progress.partitions.iter().zip(ends).map(lag).sum())
    }
}

impl fmt::Debug for KafkaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSource").field("what", &self.what).field("next", &self.all_positions()).finish()
    }
}

/// Assigns every partition from its first record on; returns where each begins and ends.
fn start(consumer: &BaseConsumer<SourceContext>, topic: &str, timeout: Duration) -> Result<Vec<Partition>, KafkaError> {
    let deadline = Instant::now() + timeout;
    let partitions = loop {
        match look_up(consumer, topic, timeout) {
            // A topic that was created just now, or whose broker was, is about to get its leaders.
            Err(KafkaError::MetadataFetch(RDKafkaErrorCode::NotLeaderForPartition | RDKafkaErrorCode::LeaderNotAvailable))
                if Instant::now() < deadline =>
            {
                thread::sleep(LEADER_PAUSE);
            }
            result => break result?,
        }
    };
    let mut assignment = TopicPartitionList::with_capacity(partitions.len());
    for (number, partition) in (0..).zip(&partitions) {
        let offset = i64::try_from(partition.next).map_err(|_| KafkaError::MetadataFetch(RDKafkaErrorCode::OffsetOutOfRange))?;
        assignment.add_partition_offset(topic, number, Offset::Offset(offset))?;
    }
    let ends = partitions.iter().map(|partition| AtomicU64::new(partition.end)).collect();
    consumer.context().ends.set(ends).expect("a consumer is started once");
    consumer.assign(&assignment)?;
    Ok(partitions)
}

/// Where each partition begins and ends.
fn look_up(consumer: &BaseConsumer<SourceContext>, topic: &str, timeout: Duration) -> Result<Vec<Partition>, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), timeout)?;
    let found = metadata.topics().first().ok_or(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic))?;
    if let Some(error) = found.error() {
        return Err(KafkaError::MetadataFetch(error.into()));
    }
    let count =
        i32::try_from(found.partitions().len()).map_err(|_| KafkaError::MetadataFetch(RDKafkaErrorCode::InvalidPartitions))?;
    let mut partitions = Vec::with_capacity(found.partitions().len());
    for number in 0..count {
        let (low, high) = consumer.fetch_watermarks(topic, number, timeout)?;
        let (next, end) = (u64::try_from(low).unwrap_or(0), u64::try_from(high).unwrap_or(0));
        partitions.push(Partition { next, end, reached: next >= end });
    }
    Ok(partitions)
}
