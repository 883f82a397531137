//! Adapters of the ports: Kafka topics, logs embedded in the process, newline-delimited files and pipes, and
//! state in a directory.
//!
//! Only the binary and tests name these types; everything else knows `ports`.

pub mod copy;
pub mod dev_broker;
pub mod embedded;
pub mod file;
pub mod kafka;
pub mod state;

pub use copy::{Copied, copy_records};
pub use embedded::{EmbeddedConfig, EmbeddedGroup, EmbeddedLogs, EmbeddedSink, EmbeddedSource};
pub use file::{Destination, FileSink, LineSource};
pub use kafka::{KafkaConfig, KafkaSink, KafkaSource, Partitioner, Topic, TopicState, ensure_topics};
pub use state::DirStore;
