//! An idempotent producer with a bounded buffer.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ports::{Log, PortError, RecordSink};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::config::KafkaConfig;
use super::context::SinkContext;
use super::topics::count_partitions;

/// Delivery reports are looked at once in so many appends.
const APPENDS_PER_POLL: u32 = 256;
/// How long to wait for room in a full buffer before looking again.
const ROOM_WAIT: Duration = Duration::from_millis(10);
/// Longest wait for a full buffer to drain, or for a flush. Records time out before, so it only ends what would hang.
const DRAIN_WAIT_MAX: Duration = Duration::from_secs(600);

/// Appends to the logs' topics, in order per key; a record is stored once all in-sync replicas have it.
pub struct KafkaSink {
    producer: BaseProducer<SinkContext>,
    bootstrap: String,
    topics: [String; Log::ALL.len()],
    timeout: Duration,
    appends: u32,
}

impl KafkaSink {
    /// A sink for the topics of a configuration. The broker is only contacted by the first records.
    ///
    /// # Errors
    ///
    /// When a setting is wrong.
    pub fn open(config: &KafkaConfig) -> Result<Self, PortError> {
        let producer = config
            .producer()?
            .create_with_context(SinkContext::default())
            .map_err(|error| config.creation_error("a producer", error))?;
        let topics = Log::ALL.map(|log| config.topic(log));
        Ok(Self { producer, bootstrap: config.bootstrap.clone(), topics, timeout: config.timeout, appends: 0 })
    }

    fn append_error(&self, log: Log, key: &str, error: KafkaError) -> PortError {
        PortError::Append { log, what: self.what(log), key: key.to_owned(), source: Box::new(error) }
    }

    fn what(&self, log: Log) -> String {
        format!("topic {} at {}", self.topics[log as usize], self.bootstrap)
    }

    /// The first record that wasn't stored, if any: from then on the sink is broken.
    fn check(&self) -> Result<(), PortError> {
        let context = self.producer.context();
        let Some(failure) = context.first_failure.get() else { return Ok(()) };
        let unconfirmed = context.failed.load(Ordering::Relaxed) + u64::try_from(self.producer.in_flight_count()).unwrap_or(0);
        Err(PortError::Flush { what: format!("Kafka at {}", self.bootstrap), unconfirmed, source: Box::new(failure.clone()) })
    }
}

impl KafkaSink {
    /// Takes a record for a partition, or for its key's where none is given.
    fn send(&mut self, log: Log, partition: Option<i32>, key: &str, payload: &[u8]) -> Result<(), PortError> {
        self.appends = self.appends.wrapping_add(1);
        if self.appends.is_multiple_of(APPENDS_PER_POLL) {
            self.producer.poll(Duration::ZERO);
            self.check()?;
        }
        let mut record = BaseRecord::to(&self.topics[log as usize]).key(key).payload(payload);
        record.partition = partition;
        let mut deadline = None;
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => record = refused,
                Err((error, _)) => return Err(self.append_error(log, key, error)),
            }
            if Instant::now() > *deadline.get_or_insert_with(|| Instant::now() + DRAIN_WAIT_MAX) {
                return Err(self.append_error(log, key, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)));
            }
            self.producer.poll(ROOM_WAIT);
            self.check()?;
        }
    }
}

impl RecordSink for KafkaSink {
    fn append(&mut self, log: Log, key: &str, payload: &[u8]) -> Result<(), PortError> {
        self.send(log, None, key, payload)
    }

    fn append_to(&mut self, log: Log, partition: u32, key: &str, payload: &[u8]) -> Result<(), PortError> {
        // Above what Kafka can number there is no partition either, and -1 would mean any.
        let Ok(partition) = i32::try_from(partition) else {
            let error = KafkaError::MessageProduction(RDKafkaErrorCode::UnknownPartition);
            return Err(self.append_error(log, key, error));
        };
        self.send(log, Some(partition), key, payload)
    }

    fn partitions(&self, log: Log) -> Result<u32, PortError> {
        let found = count_partitions(self.producer.client(), &self.topics[log as usize], self.timeout);
        let missing = || KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopic);
        let count = found.and_then(|count| u32::try_from(count).ok().filter(|&count| count > 0).ok_or_else(missing));
        count.map_err(|error| PortError::Lookup { log, what: self.what(log), source: Box::new(error) })
    }

    fn flush(&mut self) -> Result<(), PortError> {
        let flushed = self.producer.flush(DRAIN_WAIT_MAX);
        self.check()?;
        flushed.map_err(|error| PortError::Flush {
            what: format!("Kafka at {}", self.bootstrap),
            unconfirmed: u64::try_from(self.producer.in_flight_count()).unwrap_or(0),
            source: Box::new(error),
        })
    }
}
