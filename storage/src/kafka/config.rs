//! Where the broker is, what the topics are called, and how the clients are tuned.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ports::{Log, PortError};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

use super::secret::Secret;

/// Most that a consumer keeps fetched ahead, in KiB over all its partitions.
const FETCHED_KIB_MAX: u32 = 64 * 1024;
/// Records a consumer tries to keep fetched ahead; [`FETCHED_KIB_MAX`] is what bounds it.
const FETCHED_RECORDS_MIN: u32 = 1_000_000;
/// Pause before fetching again once enough is fetched, in ms. The client's own 1,000 idles away most of a fast reader's time.
const FETCH_BACKOFF_MS: u32 = 10;
/// How often a consumer's lag is measured, in ms.
const LAG_INTERVAL_MS: u32 = 5_000;
/// Most records that a producer holds.
const PRODUCER_RECORDS_MAX: u32 = 500_000;
/// Most that a producer holds, in KiB.
const PRODUCER_KIB_MAX: u32 = 128 * 1024;
/// Largest batch of records, in bytes.
const PRODUCER_BATCH_BYTES_MAX: u32 = 1_000_000;
/// How long a batch may wait to fill, in ms.
const PRODUCER_LINGER_MS: u32 = 10;
/// How long a record may take until it is stored, retries included, in ms: longer than a broker's restart.
const DELIVERY_MS_MAX: u32 = 120_000;

/// What correctness rests on: not to be overridden.
const CONSUMER_FIXED: [(&str, &str); 6] = [
    // Needed by the client's consumer; no offset is ever committed to it.
    ("group.id", "badgewatch"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
    ("enable.partition.eof", "true"),
    ("isolation.level", "read_committed"),
];
const PRODUCER_FIXED: [(&str, &str); 2] = [("acks", "all"), ("enable.idempotence", "true")];
/// How partitions are handed over in a group, which the source counts on.
const MEMBER_FIXED: [(&str, &str); 2] = [("partition.assignment.strategy", "cooperative-sticky"), ("group.protocol", "classic")];
/// Set by [`KafkaConfig::group`].
const MEMBER_SETTINGS: [&str; 5] =
    ["group.id", "group.instance.id", "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms"];
/// Set by [`KafkaConfig::partitioner`].
const PARTITIONER: &str = "partitioner";

/// How to reach Kafka.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaConfig {
    /// `host:port` of one or more brokers, separated by commas.
    pub bootstrap: String,
    /// What topic names start with, e.g. `badgewatch.` for `badgewatch.health`.
    pub topic_prefix: String,
    /// Topics that are called otherwise, whole.
    pub topics: BTreeMap<Log, String>,
    /// Partitions of topics that are created: of `health` and of those keyed like it.
    pub partitions: u32,
    /// Copies of each partition of topics that are created; the broker's default where not given.
    pub replication: Option<u16>,
    /// How producers partition keys.
    pub partitioner: Partitioner,
    /// How long opening, creating and looking up may take each.
    pub timeout: Duration,
    /// How long `health` keeps its records where it is created; for ever where not given.
    pub health_retention: Option<Duration>,
    /// How a member of the group behaves.
    pub group: GroupConfig,
    /// Any of the client's own properties that are no secrets, e.g. `security.protocol`.
    pub properties: BTreeMap<String, String>,
    /// Those that are, e.g. `sasl.password`.
    pub secrets: BTreeMap<String, Secret>,
}

/// How a process belongs to the group of those that read `health`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupConfig {
    /// The group's id; `<topic prefix>compute` where not given.
    pub id: Option<String>,
    /// A name of this member's own, which outlives the process: a member that is back with it before its session
    /// ends gets its partitions again, and nobody else does meanwhile. No other process may use it.
    pub instance: Option<String>,
    /// How long without a sign of life until the group takes a member for dead.
    pub session_timeout: Duration,
    /// How often a member gives signs of life, whatever else it does: a third of its session or less.
    pub heartbeat: Duration,
    /// How long a member may go without a poll, and may keep what was revoked, until it leaves or is taken for
    /// dead; no shorter than its session.
    pub poll_interval_max: Duration,
}

impl Default for GroupConfig {
    fn default() -> Self {
        Self {
            id: None,
            instance: None,
            session_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(3),
            poll_interval_max: Duration::from_secs(600),
        }
    }
}

/// How a producer chooses a key's partition.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Partitioner {
    /// As Kafka's Java client does: the contract of our logs.
    #[default]
    Murmur2,
    /// As librdkafka does if not told: CRC-32 of the key. Only to play a producer that doesn't know the contract.
    Consistent,
}

impl Partitioner {
    /// librdkafka's name for it; records without a key go anywhere.
    const fn property(self) -> &'static str {
        match self {
            Self::Murmur2 => "murmur2_random",
            Self::Consistent => "consistent_random",
        }
    }
}

impl KafkaConfig {
    /// Default number of partitions.
    pub const PARTITIONS: u32 = 64;
    /// How long `health` keeps its records by default where state outlives it.
    pub const HEALTH_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);

    /// The usual configuration for a broker.
    #[must_use]
    pub fn new(bootstrap: &str) -> Self {
        Self {
            bootstrap: bootstrap.to_owned(),
            topic_prefix: "badgewatch.".to_owned(),
            topics: BTreeMap::new(),
            partitions: Self::PARTITIONS,
            replication: None,
            partitioner: Partitioner::Murmur2,
            timeout: Duration::from_secs(30),
            health_retention: None,
            group: GroupConfig::default(),
            properties: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }

    /// The name of a log's topic.
    #[must_use]
    pub fn topic(&self, log: Log) -> String {
        self.topics.get(&log).cloned().unwrap_or_else(|| format!("{}{log}", self.topic_prefix))
    }

    /// The id of the group that reads `health`.
    #[must_use]
    pub fn group_id(&self) -> String {
        self.group.id.clone().unwrap_or_else(|| format!("{}compute", self.topic_prefix))
    }

    pub(super) fn admin(&self) -> Result<ClientConfig, PortError> {
        self.client(&[], &[])
    }

    pub(super) fn consumer(&self) -> Result<ClientConfig, PortError> {
        let tuned = [
            ("fetch.queue.backoff.ms", FETCH_BACKOFF_MS),
            ("queued.min.messages", FETCHED_RECORDS_MIN),
            ("queued.max.messages.kbytes", FETCHED_KIB_MAX),
            ("statistics.interval.ms", LAG_INTERVAL_MS),
        ];
        self.client(&tuned, &CONSUMER_FIXED)
    }

    /// A consumer's, in the group.
    pub(super) fn member(&self) -> Result<ClientConfig, PortError> {
        let mut client = self.consumer()?;
        for (key, value) in MEMBER_FIXED {
            client.set(key, value);
        }
        let ms = |duration: Duration| duration.as_millis().to_string();
        client.set("group.id", self.group_id());
        client.set("session.timeout.ms", ms(self.group.session_timeout));
        client.set("heartbeat.interval.ms", ms(self.group.heartbeat));
        client.set("max.poll.interval.ms", ms(self.group.poll_interval_max));
        if let Some(instance) = &self.group.instance {
            client.set("group.instance.id", instance);
        }
        Ok(client)
    }

    pub(super) fn producer(&self) -> Result<ClientConfig, PortError> {
        let tuned = [
            ("queue.buffering.max.messages", PRODUCER_RECORDS_MAX),
            ("queue.buffering.max.kbytes", PRODUCER_KIB_MAX),
            ("batch.size", PRODUCER_BATCH_BYTES_MAX),
            ("batch.num.messages", PRODUCER_RECORDS_MAX),
            ("linger.ms", PRODUCER_LINGER_MS),
            ("message.timeout.ms", DELIVERY_MS_MAX),
        ];
        let mut client = self.client(&tuned, &PRODUCER_FIXED)?;
        client.set(PARTITIONER, self.partitioner.property());
        if !self.properties.contains_key("compression.type") {
            client.set("compression.type", "lz4");
        }
        Ok(client)
    }

    fn client(&self, tuned: &[(&str, u32)], fixed: &[(&str, &str)]) -> Result<ClientConfig, PortError> {
        let mut client = ClientConfig::new();
        client.set("client.id", "badgewatch");
        for (key, value) in tuned {
            client.set(*key, value.to_string());
        }
        let secrets = self.secrets.iter().map(|(key, secret)| (key, secret.expose()));
        for (key, value) in self.properties.iter().map(|(key, value)| (key, value.as_str())).chain(secrets) {
            if let Some(problem) = self.refusal(key) {
                return Err(PortError::Setting { key: key.clone(), problem });
            }
            client.set(key, value);
        }
        for (key, value) in fixed {
            client.set(*key, *value);
        }
        client.set("bootstrap.servers", &self.bootstrap);
        Ok(client)
    }

    fn refusal(&self, key: &str) -> Option<String> {
        if key == "bootstrap.servers" || key == "metadata.broker.list" {
            return Some(format!("already given as `{}`; remove it from the properties", self.bootstrap));
        }
        if key == PARTITIONER {
            let problem = "the logs' owners rest on it; remove it from the properties";
            return Some(format!("already given as `{}`: {problem}", self.partitioner.property()));
        }
        if MEMBER_SETTINGS.contains(&key) {
            return Some("one of the group's own settings; remove it from the properties".to_owned());
        }
        let fixed = CONSUMER_FIXED.iter().chain(&PRODUCER_FIXED).chain(&MEMBER_FIXED).find(|(fixed, _)| *fixed == key)?;
        Some(format!("fixed at `{}`, because exactness rests on it; remove it from the properties", fixed.1))
    }

    /// What a client couldn't be made of, as an error about the setting that is wrong.
    pub(super) fn creation_error(&self, what: &str, error: KafkaError) -> PortError {
        match error {
            KafkaError::ClientConfig(_, problem, key, _) => PortError::Setting { key, problem },
            error => PortError::Open { what: format!("{what} at {}", self.bootstrap), source: Box::new(error) },
        }
    }
}

impl fmt::Debug for KafkaConfig {
    /// Without the values of the properties: one may hold a secret that isn't known as one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaConfig")
            .field("bootstrap", &self.bootstrap)
            .field("topic_prefix", &self.topic_prefix)
            .field("topics", &self.topics)
            .field("partitions", &self.partitions)
            .field("replication", &self.replication)
            .field("partitioner", &self.partitioner)
            .field("timeout", &self.timeout)
            .field("health_retention", &self.health_retention)
            .field("group", &self.group)
            .field("properties", &self.properties.keys())
            .field("secrets", &self.secrets.keys())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(key: &str, value: &str) -> KafkaConfig {
        let mut config = KafkaConfig::new("127.0.0.1:9092");
        config.properties.insert(key.to_owned(), value.to_owned());
        config
    }

    #[test]
    fn topics_are_named_by_prefix_or_whole() {
        let mut config = KafkaConfig::new("127.0.0.1:9092");
        config.topics.insert(Log::Health, "device-health".to_owned());
        assert_eq!(config.topic(Log::Health), "device-health");
        assert_eq!(config.topic(Log::Standings), "badgewatch.standings");
    }

    #[test]
    fn properties_pass_through_unless_exactness_rests_on_them() {
        let consumer = with("fetch.queue.backoff.ms", "5").consumer().unwrap();
        assert_eq!(consumer.get("fetch.queue.backoff.ms"), Some("5"));
        assert_eq!(with("compression.type", "zstd").producer().unwrap().get("compression.type"), Some("zstd"));
        for key in ["auto.offset.reset", "acks", "bootstrap.servers", "partitioner", "group.id", "group.protocol"] {
            let error = with(key, "x").consumer().err().unwrap();
            assert!(matches!(&error, PortError::Setting { key: named, .. } if named == key), "{error}");
        }
    }

    #[test]
    fn keys_are_partitioned_as_chosen() {
        let mut config = KafkaConfig::new("127.0.0.1:9092");
        assert_eq!(config.producer().unwrap().get(PARTITIONER), Some("murmur2_random"));
        config.partitioner = Partitioner::Consistent;
        assert_eq!(config.producer().unwrap().get(PARTITIONER), Some("consistent_random"));
    }

    #[test]
    fn a_member_is_of_the_group_of_its_topics() {
        let get = |config: &KafkaConfig, key| config.member().unwrap().get(key).map(str::to_owned);
        let mut config = KafkaConfig::new("127.0.0.1:9092");
        assert_eq!(get(&config, "group.id").unwrap(), "badgewatch.compute");
        assert_eq!(get(&config, "session.timeout.ms").unwrap(), "10000");
        assert_eq!(get(&config, "group.instance.id"), None);
        config.group.id = Some("others".to_owned());
        config.group.instance = Some("one".to_owned());
        assert_eq!(get(&config, "group.id").unwrap(), "others");
        assert_eq!(get(&config, "group.instance.id").unwrap(), "one");
        // Whoever only reads is of no group.
        assert_eq!(config.consumer().unwrap().get("group.id"), Some("badgewatch"));
    }

    #[test]
    fn secrets_are_not_printed() {
        let mut config = with("security.protocol", "SASL_SSL");
        config.secrets.insert("sasl.password".to_owned(), Secret::new("hunter2".to_owned()));
        let printed = format!("{config:?} {:?}", config.secrets);
        assert!(printed.contains("sasl.password") && !printed.contains("hunter2"), "{printed}");
    }
}
