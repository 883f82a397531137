//! Adapters of the ports: Kafka topics, newline-delimited files and pipes, and state in a directory or a bucket.
//! Adapters of the ports: Kafka topics, logs embedded in the process, newline-delimited files and pipes, and
//! state in a directory.
//!
//! Only the binary and tests name these types; everything else knows `ports`.

pub mod copy;
pub mod dev_broker;
pub mod embedded;
pub mod file;
pub mod kafka;
pub mod slate;

pub use copy::{Copied, copy_records};
pub use embedded::{EmbeddedConfig, EmbeddedGroup, EmbeddedLogs, EmbeddedSink, EmbeddedSource, LogsBeside};
pub use file::{Destination, FileSink, LineSource};
pub use kafka::{
    GroupConfig, KafkaConfig, KafkaGroupSource, KafkaSink, KafkaSource, Partitioner, Secret, Topic, TopicState, ensure_topics,
};
pub use slate::{S3Options, SlatePairs, SlateStores, StateUrl};
