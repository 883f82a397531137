//! What the Kafka clients call back: their log lines, errors, statistics and delivery reports.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{NoCustomPartitioner, ProducerContext};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Statistics, TopicPartitionList};

/// For clients that only look things up and create topics.
pub(super) struct AdminContext;

/// A consumer's: keeps where its topic's partitions end.
pub(super) struct SourceContext {
    pub(super) topic: String,
    /// Lately known ends, by partition.
    pub(super) ends: OnceLock<Box<[AtomicU64]>>,
    /// How many partitions the topic has, once it has more than were opened.
    pub(super) grown_to: OnceLock<usize>,
}

/// A group member's: keeps what happens to its assignment as well.
pub(super) struct GroupContext {
    pub(super) source: SourceContext,
    pub(super) news: Sender<News>,
    /// Set when the member leaves: nobody releases anything any more.
    pub(super) leaving: AtomicBool,
}

/// What a member is to be told.
pub(super) enum News {
    /// What happened to which of the topic's partitions.
    Happened(Change, Vec<u32>),
    /// The group couldn't be answered.
    Failed(KafkaError),
}

/// What happens to a member's partitions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Assigned,
    Revoked,
    Lost,
}

/// A producer's: counts what isn't stored yet and keeps the first failure.
#[derive(Default)]
pub(super) struct SinkContext {
    pub(super) failed: AtomicU64,
    pub(super) first_failure: OnceLock<DeliveryFailure>,
}

/// A record that wasn't stored.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the record with key `{key}` for topic {topic} was not stored")]
pub(super) struct DeliveryFailure {
    pub(super) topic: String,
    pub(super) key: String,
    #[source]
    pub(super) cause: KafkaError,
}

pub(super) fn forward_log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            tracing::error!(target: "kafka", facility, "{message}");
        }
        RDKafkaLogLevel::Warning => tracing::warn!(target: "kafka", facility, "{message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(target: "kafka", facility, "{message}"),
        RDKafkaLogLevel::Debug => tracing::debug!(target: "kafka", facility, "{message}"),
    }
}

/// Global errors are for information: the client goes on trying.
fn forward_error(error: &KafkaError, reason: &str) {
    // Being at a partition's end is how a reader knows that it is done; the broker is fine.
    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF) {
        return;
    }
    tracing::warn!(target: "kafka", %error, reason, "trouble with the broker; trying on");
}

/// What every client does with its log lines and errors.
macro_rules! forwarding {
    () => {
        fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
            forward_log(level, facility, message);
        }

        fn error(&self, error: KafkaError, reason: &str) {
            forward_error(&error, reason);
        }
    };
}

impl ClientContext for AdminContext {
    forwarding!();
}

impl ClientContext for SourceContext {
    forwarding!();

    fn stats(&self, statistics: Statistics) {
        let Some(topic) = statistics.topics.get(&self.topic) else { return };
        self.see_count(topic.partitions.keys().filter(|partition| **partition >= 0).count());
        for (partition, seen) in &topic.partitions {
            // -1 is the partition that stands for none, and an end that isn't known.
            if let Some((partition, end)) = u32::try_from(*partition).ok().zip(u64::try_from(seen.hi_offset).ok()) {
                self.set_end(partition, end);
            }
        }
    }
}

impl ConsumerContext for SourceContext {}

impl SourceContext {
    pub(super) fn of(topic: String) -> Self {
        Self { topic, ends: OnceLock::new(), grown_to: OnceLock::new() }
    }

    fn see_count(&self, count: usize) {
        if self.ends.get().is_some_and(|ends| count > ends.len()) {
            self.grown_to.get_or_init(|| count);
        }
    }

    /// What is known lately of a partition's end.
    pub(super) fn set_end(&self, partition: u32, end: u64) {
        let ends = self.ends.get().zip(usize::try_from(partition).ok());
        if let Some(known) = ends.and_then(|(ends, index)| ends.get(index)) {
            known.store(end, Ordering::Relaxed);
        }
    }
}

impl AsRef<Self> for SourceContext {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsRef<SourceContext> for GroupContext {
    fn as_ref(&self) -> &SourceContext {
        &self.source
    }
}

impl ClientContext for GroupContext {
    forwarding!();

    fn stats(&self, statistics: Statistics) {
        self.source.stats(statistics);
    }
}

impl ConsumerContext for GroupContext {
    /// Answers the group and keeps the news; called from within a poll.
    ///
    /// An assignment is accepted without assigning anything to the client, so that it has no position to ask
    /// for and nothing to fetch before a start gives it one. A revocation is answered by the release.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, happened: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let mut numbers: Vec<u32> =
            partitions.elements().iter().filter_map(|element| u32::try_from(element.partition()).ok()).collect();
        numbers.sort_unstable();
        let (answer, change) = if happened == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            // A group's leader assigns new partitions as soon as it sees them.
            self.source.see_count(numbers.last().map_or(0, |&last| last as usize + 1));
            (consumer.incremental_assign(&TopicPartitionList::new()), Change::Assigned)
        } else if consumer.assignment_lost() {
            (unassign(consumer, &numbers), Change::Lost)
        } else if self.leaving.load(Ordering::Relaxed) {
            (unassign(consumer, &numbers), Change::Revoked)
        } else {
            (Ok(()), Change::Revoked)
        };
        // Only a source that is being dropped doesn't listen.
        drop(self.news.send(answer.map_or_else(News::Failed, |()| News::Happened(change, numbers))));
    }
}

impl GroupContext {
    pub(super) fn of(source: SourceContext, news: Sender<News>) -> Self {
        Self { source, news, leaving: AtomicBool::new(false) }
    }
}

/// Takes partitions from the client, those among them that it was given, and tells the group that they are free.
pub(super) fn unassign(consumer: &BaseConsumer<GroupContext>, numbers: &[u32]) -> KafkaResult<()> {
    let mut started = TopicPartitionList::new();
    for element in consumer.assignment()?.elements() {
        if u32::try_from(element.partition()).is_ok_and(|number| numbers.contains(&number)) {
            started.add_partition(element.topic(), element.partition());
        }
    }
    consumer.incremental_unassign(&started)
}

impl ClientContext for SinkContext {
    forwarding!();
}

impl ProducerContext<NoCustomPartitioner> for SinkContext {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((cause, message)) = result else { return };
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.first_failure.get_or_init(|| DeliveryFailure {
            topic: message.topic().to_owned(),
            key: String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned(),
            cause: cause.clone(),
        });
    }
}
