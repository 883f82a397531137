//! Logs as Kafka topics.
//!
//! Partition contract: a record's partition is murmur2 of its key modulo the number of partitions,
//! as Kafka's Java client does it (`ports::partition`), or a given one. Positions are the messages'
//! own, never a consumer group's, and a position that the broker no longer has is an error
//! (`auto.offset.reset=error`), never a jump. A group says who reads which partition, not from where.

mod config;
mod context;
mod group;
mod properties;
mod reader;
mod secret;
mod sink;
mod source;
mod topics;
mod trouble;

pub use config::{GroupConfig, KafkaConfig, Partitioner};
pub use group::KafkaGroupSource;
pub use secret::Secret;
pub use sink::KafkaSink;
pub use source::KafkaSource;
pub use topics::{Topic, TopicState, ensure_topics};
