//! What the sources have in common: a consumer, how far each partition is read, and which errors pass.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use domain::Timestamp;
use ports::{Polled, PortError, Position, Record};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message, Timestamp as MessageTime};

use super::config::KafkaConfig;
use super::context::SourceContext;
use super::topics::count_partitions;
use super::trouble::explained;

/// Pause before asking again for what a broker couldn't say yet.
const ASK_AGAIN_PAUSE: Duration = Duration::from_millis(100);
const GONE_ADVICE: &str = "its retention or a deletion removed records that were not read yet; restore them or lengthen the \
                           retention, then start again";

/// A consumer of one topic.
pub(super) struct Reader<C: ConsumerContext> {
    pub(super) consumer: BaseConsumer<C>,
    /// Topic and broker, for people.
    pub(super) what: String,
    pub(super) timeout: Duration,
    /// By number.
    pub(super) partitions: Vec<Partition>,
    /// Why it ended; from then on every poll says so.
    pub(super) broken: Option<Broken>,
    /// Whether it left its group because nobody polled; for the group's source to take note of.
    pub(super) expelled: bool,
}

/// How far a partition is read.
#[derive(Default)]
pub(super) struct Partition {
    pub(super) stage: Stage,
    /// The next offset to come, at least.
    pub(super) next: u64,
    /// Where it ended when it was started.
    pub(super) end: u64,
    reached: bool,
}

/// Whose a partition is.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Stage {
    /// Another's, or nobody's.
    #[default]
    Foreign,
    /// Ours, to be started.
    Waiting,
    /// Ours, and read.
    Started,
    /// Ours until released.
    Revoked,
    /// Released, while others that were revoked with it are not.
    Released,
}

/// Why a source ended.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Client(#[from] KafkaError),
    #[error(
        "the topic grew from {from} to {to} partitions, and keys moved between them; stop the producers, then start again to \
         read all partitions from their beginnings"
    )]
    Grown { from: usize, to: usize },
    #[error("the topic is not there any more; restore it, then start again")]
    Missing,
    #[error("another process joined the group with this one's instance name; give each its own, then start again")]
    Fenced,
}

impl Partition {
    pub(super) fn started(next: u64, end: u64) -> Self {
        Self { stage: Stage::Started, next, end, reached: next >= end }
    }

    /// Says whether a record is the next to deliver, and if so counts it.
    fn take(&mut self, offset: u64) -> bool {
        let due = self.stage == Stage::Started && offset >= self.next;
        if due {
            self.next = offset + 1;
            self.reached |= self.next >= self.end;
        }
        due
    }

    /// The broker has nothing more in it for now. Its last records may be none to deliver
    /// (a transaction's marker, an aborted one's records), so this counts as its end, too; says
    /// whether it hadn't been reached before.
    fn reach(&mut self) -> bool {
        self.stage == Stage::Started && !std::mem::replace(&mut self.reached, true)
    }
}

impl<C: ConsumerContext + AsRef<SourceContext>> Reader<C> {
    /// A consumer that reads nothing yet.
    pub(super) fn create(config: &KafkaConfig, client: &ClientConfig, context: C) -> Result<Self, PortError> {
        let what = format!("topic {} at {}", context.as_ref().topic, config.bootstrap);
        let consumer = client.create_with_context(context).map_err(|error| config.creation_error("a consumer", error))?;
        Ok(Self { consumer, what, timeout: config.timeout, partitions: Vec::new(), broken: None, expelled: false })
    }

    pub(super) fn watch(&self) -> &SourceContext {
        (**self.consumer.context()).as_ref()
    }

    pub(super) fn cannot_open(&self, config: &KafkaConfig, error: KafkaError) -> PortError {
        let what = format!("{} (is the broker running and the topic there?)", self.what);
        PortError::Open { what, source: explained(config, error) }
    }

    /// Sets the partitions, and what is known of their ends.
    pub(super) fn set_partitions(&mut self, partitions: Vec<Partition>) {
        let ends = partitions.iter().map(|partition| AtomicU64::new(partition.end)).collect();
        self.watch().ends.set(ends).expect("a consumer is opened once");
        self.partitions = partitions;
    }

    pub(super) fn partition(&mut self, number: u32) -> Option<&mut Partition> {
        self.partitions.get_mut(usize::try_from(number).ok()?)
    }

    /// Delivers up to `max_records` records, and waits for the first one only.
    pub(super) fn poll(
        &mut self,
        max_records: usize,
        timeout: Duration,
        each: &mut dyn FnMut(Record<'_>),
    ) -> Result<Polled, PortError> {
        self.check()?;
        let deadline = Instant::now() + timeout;
        let mut records = 0;
        while records < max_records {
            // Of the others it takes what has been fetched.
            let wait = if records == 0 { deadline.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            match self.consumer.poll(wait) {
                None => break,
                Some(Ok(message)) => {
                    let record = record(&message);
                    let partition = self.partitions.get_mut(record.partition as usize);
                    if partition.is_some_and(|partition| partition.take(record.offset)) {
                        each(record);
                        records += 1;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(number))) => {
                    let partition = usize::try_from(number).ok().and_then(|index| self.partitions.get_mut(index));
                    // The news that this was the end shouldn't wait for a record to come.
                    if partition.is_some_and(Partition::reach) && self.at_end() {
                        break;
                    }
                }
                Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::PollExceeded))) => {
                    self.expelled = true;
                    break;
                }
                Some(Err(error)) => match self.judge(error.clone()) {
                    None => tracing::warn!(source = self.what, %error, "cannot read for now; trying on"),
                    Some(broken) => self.broken = Some(broken),
                },
            }
            if let Some(broken) = &self.broken {
                return Err(self.failure(broken));
            }
        }
        Ok(Polled { records, at_end: self.at_end() })
    }

    /// Fails if the source ended, or has to because its topic grew.
    pub(super) fn check(&mut self) -> Result<(), PortError> {
        if self.broken.is_none() {
            let from = self.partitions.len();
            self.broken = self.watch().grown_to.get().map(|&to| Broken::Grown { from, to });
        }
        self.broken.as_ref().map_or(Ok(()), |broken| Err(self.failure(broken)))
    }

    /// Whether each started partition was read to where it ended, and none is still to be started.
    pub(super) fn at_end(&self) -> bool {
        let mut started = self.partitions.iter().filter(|partition| partition.stage == Stage::Started).peekable();
        started.peek().is_some()
            && started.all(|partition| partition.reached)
            && !self.partitions.iter().any(|partition| partition.stage == Stage::Waiting)
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.partitions.len()).expect("Kafka numbers partitions with 31 bits")
    }

    pub(super) fn next_offsets(&self) -> Vec<u64> {
        self.partitions.iter().map(|partition| partition.next).collect()
    }

    pub(super) fn lag_records(&self) -> Option<u64> {
        let ends = self.watch().ends.get()?;
        let started = self.partitions.iter().zip(ends).filter(|(partition, _)| partition.stage == Stage::Started);
        Some(started.map(|(partition, end)| end.load(Ordering::Relaxed).saturating_sub(partition.next)).sum())
    }

    /// What an error ends the source with, if it isn't one to live with. Whatever isn't known to pass does.
    fn judge(&self, error: KafkaError) -> Option<Broken> {
        use RDKafkaErrorCode as Code;
        match error {
            KafkaError::MessageConsumptionFatal(_) => match self.consumer.client().fatal_error() {
                Some((Code::FencedInstanceId, _)) => Some(Broken::Fenced),
                _ => Some(error.into()),
            },
            // A broker that is just starting may not know its topics yet.
            KafkaError::MessageConsumption(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition) => {
                let missing = KafkaError::MetadataFetch(Code::UnknownTopic);
                self.count_partitions().is_err_and(|found| found == missing).then_some(Broken::Missing)
            }
            KafkaError::MessageConsumption(code) | KafkaError::Global(code) if passes(code) => None,
            error => Some(error.into()),
        }
    }

    pub(super) fn failure(&self, broken: &Broken) -> PortError {
        use RDKafkaErrorCode as Code;
        let gone = |code: &Code| matches!(code, Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation);
        if matches!(broken, Broken::Client(KafkaError::MessageConsumption(code)) if gone(code)) {
            return self.gone(self.gone_position());
        }
        PortError::Read { what: self.what.clone(), position: self.all_positions(), source: Box::new(broken.clone()) }
    }

    pub(super) fn gone(&self, position: Position) -> PortError {
        PortError::Gone { what: self.what.clone(), position, advice: GONE_ADVICE }
    }

    pub(super) fn all_positions(&self) -> Position {
        Position::Offsets(self.next_offsets())
    }

    /// The client doesn't say which partition it is that lost records; the broker does.
    fn gone_position(&self) -> Position {
        let lost = (0..).zip(&self.partitions).find(|(number, partition)| {
            partition.stage == Stage::Started
                && self.watermarks(*number).is_ok_and(|(low, high)| !(low..=high).contains(&partition.next))
        });
        lost.map_or_else(|| self.all_positions(), |(partition, lost)| Position::Record { partition, offset: lost.next })
    }

    /// How many partitions the topic has.
    pub(super) fn count_partitions(&self) -> KafkaResult<u32> {
        match count_partitions(self.consumer.client(), &self.watch().topic, self.timeout)? {
            0 => Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic)),
            count => u32::try_from(count).map_err(|_| KafkaError::MetadataFetch(RDKafkaErrorCode::InvalidPartitions)),
        }
    }

    /// Where a partition begins and ends.
    pub(super) fn watermarks(&self, number: u32) -> KafkaResult<(u64, u64)> {
        let number = i32::try_from(number).map_err(|_| KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownPartition))?;
        let (low, high) = self.consumer.fetch_watermarks(&self.watch().topic, number, self.timeout)?;
        Ok((u64::try_from(low).unwrap_or(0), u64::try_from(high).unwrap_or(0)))
    }
}

/// Whether what an error is about passes by itself.
pub(super) fn passes(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
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
            // A member that was taken for dead is told so by a rebalance, and joins again.
            | Code::UnknownMemberId
            | Code::IllegalGeneration
            | Code::RebalanceInProgress
    )
}

/// Asks until there is an answer, the broker fails with what doesn't pass, or the time is up.
pub(super) fn ask<T>(
    timeout: Duration,
    passes: fn(RDKafkaErrorCode) -> bool,
    mut question: impl FnMut() -> KafkaResult<T>,
) -> KafkaResult<T> {
    let deadline = Instant::now() + timeout;
    loop {
        match question() {
            Err(KafkaError::MetadataFetch(code)) if passes(code) && Instant::now() < deadline => thread::sleep(ASK_AGAIN_PAUSE),
            result => return result,
        }
    }
}

fn record<'a>(message: &'a BorrowedMessage<'_>) -> Record<'a> {
    Record {
        partition: u32::try_from(message.partition()).expect("a delivered record has a partition"),
        offset: u64::try_from(message.offset()).expect("a delivered record has an offset"),
        appended_at: match message.timestamp() {
            MessageTime::LogAppendTime(ms) => Timestamp::from_ms(ms),
            MessageTime::CreateTime(_) | MessageTime::NotAvailable => None,
        },
        payload: message.payload().unwrap_or_default(),
        truncated: false,
    }
}
