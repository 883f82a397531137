//! What tests of the Kafka adapters share: a broker, its topics, and what is produced to and read from them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ports::{Log, RecordSink, read_to_end};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::{Offset, TopicPartitionList};
use storage::dev_broker::DevBroker;
use storage::{KafkaConfig, KafkaSink, KafkaSource};

pub(crate) const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dev/kafka");
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const BRIEF: Duration = Duration::from_millis(200);

/// What was read, by partition: offsets and contents.
pub(crate) type Contents = BTreeMap<u32, Vec<(u64, String)>>;

pub(crate) fn broker() -> (tempfile::TempDir, DevBroker) {
    let directory = tempfile::tempdir().unwrap();
    let broker = DevBroker::start(Path::new(SCRIPT), directory.path()).unwrap();
    (directory, broker)
}

pub(crate) fn config(broker: &DevBroker, prefix: &str, partitions: u32) -> KafkaConfig {
    let mut config = KafkaConfig::new(broker.bootstrap());
    config.topic_prefix = format!("{prefix}.");
    config.partitions = partitions;
    config
}

/// Appends `count` numbered records of a few keys, `padding` bytes longer than need be.
pub(crate) fn produce(config: &KafkaConfig, log: Log, count: usize, padding: usize) {
    let mut sink = KafkaSink::open(config).unwrap();
    for number in 0..count {
        let key = format!("product:B{:03}", number % 50);
        sink.append(log, &key, format!("{key} {number} {}", "x".repeat(padding)).as_bytes()).unwrap();
    }
    sink.flush().unwrap();
}

pub(crate) fn read_all(source: &mut KafkaSource) -> Contents {
    let mut contents = Contents::new();
    read_to_end(source, &mut || true, &mut |record| {
        let text = String::from_utf8(record.payload.to_vec()).unwrap();
        contents.entry(record.partition).or_default().push((record.offset, text));
    })
    .unwrap();
    contents
}

pub(crate) fn admin(broker: &DevBroker) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", broker.bootstrap()).create().unwrap()
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A source that fetches little ahead, so that most of its topic is still to be fetched after a first record.
pub(crate) fn frugal(config: &KafkaConfig) -> KafkaConfig {
    let mut config = config.clone();
    for (key, value) in [("queued.max.messages.kbytes", "64"), ("fetch.message.max.bytes", "20000"), ("queued.min.messages", "1")]
    {
        config.properties.insert(key.to_owned(), value.to_owned());
    }
    config
}

/// Deletes a partition's records below an offset.
pub(crate) fn delete_below(broker: &DevBroker, topic: &str, partition: i32, offset: i64) {
    let mut until = TopicPartitionList::new();
    until.add_partition_offset(topic, partition, Offset::Offset(offset)).unwrap();
    block_on(admin(broker).delete_records(&until, &AdminOptions::new())).unwrap();
}
