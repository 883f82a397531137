//! The yardstick: librdkafka's own fastest loop, which reads a topic and does nothing with it.
//!
//! It is written as a C program would be, with `rd_kafka_consume_batch_queue`, for which the Rust
//! binding has no safe counterpart. So this is the workspace's only module with unsafe code.
#![expect(unsafe_code, reason = "the C interface is what is to be measured")]

use std::ptr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::bindings::{
    rd_kafka_consume_batch_queue, rd_kafka_message_destroy, rd_kafka_message_t, rd_kafka_queue_destroy,
    rd_kafka_queue_get_consumer, rd_kafka_queue_t, rd_kafka_resp_err_t,
};
use rdkafka::consumer::{BaseConsumer, Consumer, DefaultConsumerContext};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// Most records taken at a time.
const BATCH_RECORDS_MAX: usize = 10_000;
/// Longest wait for a batch, in ms.
const BATCH_WAIT_MS: i32 = 100;
/// Longest wait for the next record; a topic that ends before its end is a failure.
const RECORD_WAIT_MAX: Duration = Duration::from_secs(30);
const LOOK_UP_WAIT_MAX: Duration = Duration::from_secs(30);
/// What `badgewatch run` sets, too: without it the client idles between fetches.
const TUNING: [(&str, &str); 3] =
    [("fetch.queue.backoff.ms", "10"), ("queued.min.messages", "1000000"), ("queued.max.messages.kbytes", "65536")];

/// What was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read {
    pub(crate) records: u64,
    /// Their contents, in bytes.
    pub(crate) bytes: u64,
    /// From the assignment of the partitions to the last record.
    pub(crate) took: Duration,
}

/// Reads every record that a topic holds.
pub(crate) fn read_topic(bootstrap: &str, topic: &str) -> anyhow::Result<Read> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("group.id", "bare").set("enable.auto.commit", "false");
    config.extend(TUNING.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let consumer: BaseConsumer = config.create().context("cannot create a consumer")?;
    let (assignment, expected) = everything(&consumer, topic)?;
    let started = Instant::now();
    consumer.assign(&assignment).context("cannot assign the partitions")?;
    let mut read = Queue::of(&consumer).read(expected)?;
    read.took = started.elapsed();
    Ok(read)
}

/// Every partition of a topic from its first record on, and how many records they hold.
fn everything(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<(TopicPartitionList, u64)> {
    let metadata = consumer.fetch_metadata(Some(topic), LOOK_UP_WAIT_MAX).context("cannot look up the topic")?;
    let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
    let (mut assignment, mut records) = (TopicPartitionList::new(), 0);
    for partition in 0..i32::try_from(partitions)? {
        let (low, high) = consumer.fetch_watermarks(topic, partition, LOOK_UP_WAIT_MAX).context("cannot look up a partition")?;
        assignment.add_partition_offset(topic, partition, Offset::Offset(low))?;
        records += u64::try_from(high - low)?;
    }
    Ok((assignment, records))
}

/// A consumer's queue, held for as long as it is read.
struct Queue<'a> {
    raw: *mut rd_kafka_queue_t,
    _consumer: &'a BaseConsumer<DefaultConsumerContext>,
}

impl<'a> Queue<'a> {
    fn of(consumer: &'a BaseConsumer) -> Self {
        // SAFETY: the client lives as long as the borrow that is kept beside the queue.
        let raw = unsafe { rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
        assert!(!raw.is_null(), "a consumer with a group has a queue");
        Self { raw, _consumer: consumer }
    }

    fn read(&self, expected: u64) -> anyhow::Result<Read> {
        let mut read = Read { records: 0, bytes: 0, took: Duration::ZERO };
        let mut batch: Vec<*mut rd_kafka_message_t> = vec![ptr::null_mut(); BATCH_RECORDS_MAX];
        let mut last = Instant::now();
        while read.records < expected {
            // SAFETY: the queue is held, and the batch has room for as many pointers as are asked for.
            let count = unsafe { rd_kafka_consume_batch_queue(self.raw, BATCH_WAIT_MS, batch.as_mut_ptr(), BATCH_RECORDS_MAX) };
            let count = usize::try_from(count).context("cannot read a batch")?;
            if count > 0 {
                last = Instant::now();
            } else if last.elapsed() > RECORD_WAIT_MAX {
                bail!("{} of {expected} records came, then none for {} s", read.records, RECORD_WAIT_MAX.as_secs());
            }
            for message in &batch[..count] {
                // SAFETY: the client filled in that many messages; each is ours until it is destroyed, which is once.
                let (error, bytes) = unsafe {
                    let seen = ((**message).err, (**message).len);
                    rd_kafka_message_destroy(*message);
                    seen
                };
                if error == rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                    read.records += 1;
                    read.bytes += bytes as u64;
                }
            }
        }
        Ok(read)
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        // SAFETY: the reference that `of` took is given back once.
        unsafe { rd_kafka_queue_destroy(self.raw) };
    }
}
