//! What the Kafka clients call back: their log lines, errors, statistics and delivery reports.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{NoCustomPartitioner, ProducerContext};
use rdkafka::{ClientContext, Statistics};

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

fn forward_log(level: RDKafkaLogLevel, facility: &str, message: &str) {
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

impl ClientContext for AdminContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        forward_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        forward_error(&error, reason);
    }
}

impl ClientContext for SourceContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        forward_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        forward_error(&error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let Some((ends, topic)) = self.ends.get().zip(statistics.topics.get(&self.topic)) else { return };
        let count = topic.partitions.keys().filter(|partition| **partition >= 0).count();
        if count > ends.len() {
            self.grown_to.get_or_init(|| count);
        }
        for (partition, seen) in &topic.partitions {
            // -1 is the partition that stands for none, and an end that isn't known.
            let end = usize::try_from(*partition).ok().and_then(|index| ends.get(index));
            if let Some((end, high)) = end.zip(u64::try_from(seen.hi_offset).ok()) {
                end.store(high, Ordering::Relaxed);
            }
        }
    }
}

impl ConsumerContext for SourceContext {}

impl ClientContext for SinkContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        forward_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        forward_error(&error, reason);
    }
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
