//! The topics behind the logs: created where missing, looked over where present.

use std::thread;
use std::time::{Duration, Instant};

use ports::{Log, PortError};
use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::Client;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

use super::config::KafkaConfig;
use super::context::AdminContext;
use super::trouble::explained;

/// How long `rejected` keeps a record, in days. `health` keeps its records for ever if not told otherwise: a restart
/// without state of its own reads it from its beginning, and what rests on a record that is gone would be taken back.
const REJECTED_DAYS: u64 = 400;
/// How long `dependencies` keeps what later records replace, in days: so far a reader may be behind and still
/// finds before each watermark what it vouches for.
const REPLACED_DAYS: u64 = 1;
/// Pause between looks at whether a created topic has become visible.
const VISIBLE_PAUSE: Duration = Duration::from_millis(100);

/// A log's topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    /// The log.
    pub log: Log,
    /// The topic's name.
    pub name: String,
    /// Whether it was there.
    pub state: TopicState,
}

/// Whether a topic was there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TopicState {
    /// It was there and is as it was.
    Present,
    /// It was created.
    Created,
}

/// How a log's topic is kept.
struct Keeping {
    partitions: u32,
    properties: Vec<(&'static str, String)>,
}

/// Creates the topics of these logs where missing. Those that are there are left as they are, with a
/// warning where they are kept in a way that will lose data or time.
///
/// # Errors
///
/// When the broker can't be reached or refuses.
pub fn ensure_topics(config: &KafkaConfig, logs: &[Log]) -> Result<Vec<Topic>, PortError> {
    let admin: AdminClient<AdminContext> =
        config.admin()?.create_with_context(AdminContext).map_err(|error| config.creation_error("the topics", error))?;
    let mut topics = Vec::with_capacity(logs.len());
    for &log in logs {
        let name = config.topic(log);
        let state = if partitions_of(&admin, config, &name)? > 0 {
            look_over(&admin, config, log, &name)?;
            TopicState::Present
        } else {
            create(&admin, config, log, &name)?
        };
        topics.push(Topic { log, name, state });
    }
    Ok(topics)
}

fn keeping(config: &KafkaConfig, log: Log) -> Keeping {
    const FOR_EVER: &str = "-1";
    let days_ms = |days: u64| (days * 24 * 3600 * 1000).to_string();
    let compacted = || ("cleanup.policy", "compact".to_owned());
    let retained = |ms: &str| vec![("retention.ms", ms.to_owned()), ("retention.bytes", FOR_EVER.to_owned())];
    let append_time = || ("message.timestamp.type", "LogAppendTime".to_owned());
    let mut properties = match log {
        Log::Rejected => retained(&days_ms(REJECTED_DAYS)),
        Log::Health => retained(&config.health_retention.map_or(FOR_EVER.to_owned(), |kept| kept.as_millis().to_string())),
        Log::Decisions | Log::Registry | Log::Programme => retained(FOR_EVER),
        Log::Standings => vec![compacted()],
        Log::Dependencies => vec![compacted(), ("min.compaction.lag.ms", days_ms(REPLACED_DAYS))],
    };
    properties.push(append_time());
    Keeping { partitions: log.partitions(config.partitions), properties }
}

/// How many partitions a topic has; 0 where there is none such.
fn partitions_of(admin: &AdminClient<AdminContext>, config: &KafkaConfig, name: &str) -> Result<usize, PortError> {
    let found = count_partitions(admin.inner(), name, config.timeout);
    found.map_err(|error| failure(config, name, error))
}

/// How many partitions a client sees a topic have; 0 where there is none such.
pub(super) fn count_partitions<C: ClientContext>(client: &Client<C>, name: &str, timeout: Duration) -> KafkaResult<usize> {
    let metadata = client.fetch_metadata(Some(name), timeout)?;
    let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else { return Ok(0) };
    match topic.error().map(RDKafkaErrorCode::from) {
        None => Ok(topic.partitions().len()),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(0),
        Some(code) => Err(KafkaError::MetadataFetch(code)),
    }
}

fn create(admin: &AdminClient<AdminContext>, config: &KafkaConfig, log: Log, name: &str) -> Result<TopicState, PortError> {
    let fail = |error: KafkaError| failure(config, name, error);
    let keeping = keeping(config, log);
    let partitions = i32::try_from(keeping.partitions).map_err(|_| PortError::Setting {
        key: "partitions".to_owned(),
        problem: format!("{} is more than Kafka can have", keeping.partitions),
    })?;
    let replication = config.replication.map_or(-1, i32::from);
    let topic = keeping
        .properties
        .iter()
        .fold(NewTopic::new(name, partitions, TopicReplication::Fixed(replication)), |topic, (key, value)| topic.set(key, value));
    let options = AdminOptions::new().request_timeout(Some(config.timeout)).operation_timeout(Some(config.timeout));
    let results = block_on(admin.create_topics([&topic], &options)).map_err(fail)?;
    let state = match results.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => TopicState::Present,
        Some(Err((_, code))) => return Err(fail(KafkaError::AdminOp(code))),
        Some(Ok(_)) | None => TopicState::Created,
    };
    // A topic is visible a little after it is created.
    let deadline = Instant::now() + config.timeout;
    while partitions_of(admin, config, name)? == 0 {
        if Instant::now() > deadline {
            return Err(fail(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition)));
        }
        thread::sleep(VISIBLE_PAUSE);
    }
    tracing::info!(topic = name, partitions = keeping.partitions, "topic created");
    Ok(state)
}

/// Warns where a topic that others created will lose data or time.
fn look_over(admin: &AdminClient<AdminContext>, config: &KafkaConfig, log: Log, name: &str) -> Result<(), PortError> {
    let resource = ResourceSpecifier::Topic(name);
    let options = AdminOptions::new().request_timeout(Some(config.timeout));
    let mut results = block_on(admin.describe_configs([&resource], &options)).map_err(|error| failure(config, name, error))?;
    let Some(Ok(found)) = results.pop() else { return Ok(()) };
    let found = |key: &str| found.get(key).and_then(|entry| entry.value.clone()).unwrap_or_default();
    for (key, wanted) in keeping(config, log).properties {
        let matters = match key {
            // Rejected lines may well be kept for longer or shorter on purpose; what decisions rest on may not.
            "retention.ms" => log != Log::Rejected && !lasts(&found(key), &wanted),
            "message.timestamp.type" => matches!(log, Log::Health | Log::Registry),
            "cleanup.policy" => true,
            _ => false,
        };
        let value = found(key);
        if matters && value != wanted {
            tracing::warn!(topic = name, key, value, wanted, "topic is kept otherwise than needed; alter it with kafka-configs");
        }
    }
    Ok(())
}

/// Whether records that are kept for so long are kept for long enough; negative is for ever.
fn lasts(kept_ms: &str, wanted_ms: &str) -> bool {
    let ms = |text: &str| text.parse::<i128>().map(|ms| if ms < 0 { i128::MAX } else { ms });
    ms(kept_ms).is_ok_and(|kept| ms(wanted_ms).is_ok_and(|wanted| kept >= wanted))
}

fn failure(config: &KafkaConfig, name: &str, error: KafkaError) -> PortError {
    PortError::Open {
        what: format!("topic {name} at {} (is the broker running and reachable?)", config.bootstrap),
        source: explained(config, error),
    }
}

/// The admin client is the only asynchronous part; it resolves its futures from a thread of its own.
fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers needs nothing").block_on(future)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_last_longer_than_wanted_last() {
        for (kept, wanted, expected) in [
            ("-1", "-1", true),
            ("-1", "604800000", true),
            ("604800000", "604800000", true),
            ("604800001", "604800000", true),
            ("604799999", "604800000", false),
            ("604800000", "-1", false),
            ("", "-1", false),
        ] {
            assert_eq!(lasts(kept, wanted), expected, "{kept} for {wanted}");
        }
    }
}
