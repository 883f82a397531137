//! The Kafka adapters against a real broker, started by the project's own script. Without one they fail.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ports::{Log, Polled, PortError, Position, RecordSink, RecordSource, read_to_end};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use storage::dev_broker::DevBroker;
use storage::{KafkaConfig, KafkaSink, KafkaSource, TopicState, ensure_topics};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dev/kafka");
const PATIENCE: Duration = Duration::from_secs(60);
const BRIEF: Duration = Duration::from_millis(200);

/// What was read, by partition: offsets and contents.
type Contents = BTreeMap<u32, Vec<(u64, String)>>;

fn broker() -> (tempfile::TempDir, DevBroker) {
    let directory = tempfile::tempdir().unwrap();
    let broker = DevBroker::start(Path::new(SCRIPT), directory.path()).unwrap();
    (directory, broker)
}

fn config(broker: &DevBroker, prefix: &str, partitions: u32) -> KafkaConfig {
    let mut config = KafkaConfig::new(broker.bootstrap());
    config.topic_prefix = format!("{prefix}.");
    config.partitions = partitions;
    config
}

/// Appends `count` numbered records of a few keys, `padding` bytes longer than need be.
fn produce(config: &KafkaConfig, log: Log, count: usize, padding: usize) {
    let mut sink = KafkaSink::open(config).unwrap();
    for number in 0..count {
        let key = format!("product:B{:03}", number % 50);
        sink.append(log, &key, format!("{key} {number} {}", "x".repeat(padding)).as_bytes()).unwrap();
    }
    sink.flush().unwrap();
}

fn read_all(source: &mut KafkaSource) -> Contents {
    let mut contents = Contents::new();
    read_to_end(source, &mut || true, &mut |record| {
        let text = String::from_utf8(record.payload.to_vec()).unwrap();
        contents.entry(record.partition).or_default().push((record.offset, text));
    })
    .unwrap();
    contents
}

/// Each partition from offset 0 without a gap, each key in one partition and its numbers in order, and all there.
fn assert_complete(contents: &Contents, count: usize) {
    let mut home = BTreeMap::new();
    let mut numbers = Vec::new();
    for (partition, records) in contents {
        let mut last = BTreeMap::new();
        for (expected, (offset, text)) in (0..).zip(records) {
            assert_eq!(*offset, expected, "partition {partition}");
            let mut words = text.split(' ');
            let (key, number) = (words.next().unwrap(), words.next().unwrap().parse::<usize>().unwrap());
            assert_eq!(home.entry(key).or_insert(partition), &partition, "{key} is in two partitions");
            assert!(last.insert(key, number).is_none_or(|before| before < number), "{key} is out of order at {number}");
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..count).collect::<Vec<_>>());
}

fn admin(broker: &DevBroker) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", broker.bootstrap()).create().unwrap()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn records_go_through_a_real_broker() {
    let (_directory, broker) = broker();
    topics_are_created_as_the_logs_need_them(&broker);
    everything_produced_is_read_and_then_the_end_is_known(&broker);
    java_and_we_agree_on_the_partition_of_a_key(&broker);
    a_transactions_marker_does_not_hide_the_end(&broker);
    records_that_are_gone_are_an_error(&broker);
    a_topic_that_grows_is_an_error(&broker);
    a_missing_topic_is_named(&broker);
}

fn topics_are_created_as_the_logs_need_them(broker: &DevBroker) {
    let config = config(broker, "topics", 6);
    let states = |topics: Vec<storage::Topic>| topics.into_iter().map(|t| (t.name, t.state)).collect::<Vec<_>>();
    let wanted = |state| Log::ALL.map(|log| (format!("topics.{log}"), state)).to_vec();
    assert_eq!(states(ensure_topics(&config, &Log::ALL).unwrap()), wanted(TopicState::Created));
    assert_eq!(states(ensure_topics(&config, &Log::ALL).unwrap()), wanted(TopicState::Present));

    let settings = |log: Log, keys: &[&str]| {
        let name = config.topic(log);
        let results = block_on(admin(broker).describe_configs([&ResourceSpecifier::Topic(&name)], &AdminOptions::new()));
        let found = results.unwrap().pop().unwrap().unwrap();
        keys.iter().map(|key| found.get(key).unwrap().value.clone().unwrap()).collect::<Vec<_>>()
    };
    let keys = ["cleanup.policy", "retention.ms", "message.timestamp.type"];
    let days_400 = (400_u64 * 24 * 3600 * 1000).to_string();
    assert_eq!(settings(Log::Health, &keys), ["delete", &days_400, "LogAppendTime"]);
    assert_eq!(settings(Log::Registry, &keys), ["delete", "-1", "LogAppendTime"]);
    assert_eq!(settings(Log::Decisions, &keys), ["delete", "-1", "LogAppendTime"]);
    assert_eq!(settings(Log::Standings, &keys[..1]), ["compact"]);
    for (log, partitions) in [(Log::Health, 6), (Log::Standings, 6), (Log::Registry, 1), (Log::Programme, 1)] {
        assert_eq!(KafkaSource::open(&config, log).unwrap().partitions(), partitions, "{log}");
    }
}

fn everything_produced_is_read_and_then_the_end_is_known(broker: &DevBroker) {
    let config = config(broker, "whole", 5);
    ensure_topics(&config, &[Log::Health]).unwrap();
    let mut empty = KafkaSource::open(&config, Log::Health).unwrap();
    assert_eq!(empty.poll(10, BRIEF, &mut |_| {}).unwrap(), Polled { records: 0, at_end: true });

    produce(&config, Log::Health, 20_000, 100);
    let mut source = KafkaSource::open(&config, Log::Health).unwrap();
    assert_eq!(source.lag_records(), Some(20_000));
    let (mut one, mut appended) = (0, None);
    let polled = source.poll(1, PATIENCE, &mut |record| (one, appended) = (one + 1, record.appended_at)).unwrap();
    assert_eq!((polled, one), (Polled { records: 1, at_end: false }, 1));
    assert!(appended.is_some(), "a topic of ours tells the append time");
    let mut rest = 0;
    read_to_end(&mut source, &mut || true, &mut |_| rest += 1).unwrap();
    assert_eq!(rest, 19_999);
    assert_eq!(source.lag_records(), Some(0));
    assert_complete(&read_all(&mut KafkaSource::open(&config, Log::Health).unwrap()), 20_000);

    // The source that was at the end of nothing goes on with what came since.
    let mut followed = 0;
    while followed < 20_000 {
        assert!(empty.poll(1_000, PATIENCE, &mut |_| followed += 1).unwrap().at_end);
    }
}

fn java_and_we_agree_on_the_partition_of_a_key(broker: &DevBroker) {
    let config = config(broker, "keys", 10);
    ensure_topics(&config, &[Log::Health]).unwrap();
    let mut sink = KafkaSink::open(&config).unwrap();
    // murmur2 of these keys as in Kafka's own tests (org.apache.kafka.common.utils.UtilsTest), positive, modulo 10.
    let known: [(&str, i32); 4] =
        [("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536), ("abc", 479_470_107)];
    for (key, _) in known {
        sink.append(Log::Health, key, key.as_bytes()).unwrap();
    }
    sink.flush().unwrap();
    let read = read_all(&mut KafkaSource::open(&config, Log::Health).unwrap());
    for (key, hash) in known {
        let home = u32::try_from((hash & i32::MAX) % 10).unwrap();
        assert!(read.get(&home).is_some_and(|records| records.iter().any(|(_, text)| text == key)), "{key}: {read:?}");
    }
}

fn a_transactions_marker_does_not_hide_the_end(broker: &DevBroker) {
    let config = config(broker, "transactions", 3);
    ensure_topics(&config, &[Log::Registry]).unwrap();
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", broker.bootstrap()).set("transactional.id", "a-test").create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    let topic = config.topic(Log::Registry);
    for (commit, text) in [(true, "kept"), (false, "aborted")] {
        producer.begin_transaction().unwrap();
        producer.send(BaseRecord::to(&topic).key("registry").payload(text)).map_err(|(error, _)| error).unwrap();
        producer.flush(PATIENCE).unwrap();
        if commit { producer.commit_transaction(PATIENCE) } else { producer.abort_transaction(PATIENCE) }.unwrap();
    }
    let read = read_all(&mut KafkaSource::open(&config, Log::Registry).unwrap());
    assert_eq!(read, Contents::from([(0, vec![(0, "kept".to_owned())])]));
}

/// A source that fetches little ahead, so that most of its topic is still to be fetched after a first record.
fn frugal(config: &KafkaConfig) -> KafkaConfig {
    let mut config = config.clone();
    for (key, value) in [("queued.max.messages.kbytes", "64"), ("fetch.message.max.bytes", "20000"), ("queued.min.messages", "1")]
    {
        config.properties.insert(key.to_owned(), value.to_owned());
    }
    config
}

fn records_that_are_gone_are_an_error(broker: &DevBroker) {
    let config = config(broker, "gone", 1);
    ensure_topics(&config, &[Log::Health]).unwrap();
    produce(&config, Log::Health, 20_000, 300);
    let mut source = KafkaSource::open(&frugal(&config), Log::Health).unwrap();
    let mut seen = 0;
    source.poll(1, PATIENCE, &mut |_| seen += 1).unwrap();
    assert_eq!(seen, 1);
    let mut until = TopicPartitionList::new();
    until.add_partition_offset(&config.topic(Log::Health), 0, Offset::Offset(19_000)).unwrap();
    block_on(admin(broker).delete_records(&until, &AdminOptions::new())).unwrap();

    let failure = loop {
        let polled = source.poll(1_000, PATIENCE, &mut |record| {
            assert_eq!(record.offset, seen);
            seen += 1;
        });
        match polled {
            Ok(polled) => assert!(!polled.at_end),
            Err(error) => break error,
        }
    };
    assert!(seen < 19_000);
    let PortError::Gone { position, .. } = &failure else { panic!("{failure:?}") };
    assert_eq!(position, &Position::Record { partition: 0, offset: seen });
    assert!(source.poll(1, BRIEF, &mut |_| {}).is_err(), "a broken source stays broken");
    // Whoever starts anew starts at what is left.
    let left = read_all(&mut KafkaSource::open(&config, Log::Health).unwrap());
    assert_eq!((left[&0].len(), left[&0][0].0), (1_000, 19_000));
}

fn a_topic_that_grows_is_an_error(broker: &DevBroker) {
    let mut config = config(broker, "grows", 2);
    for (key, value) in [("statistics.interval.ms", "100"), ("topic.metadata.refresh.interval.ms", "100")] {
        config.properties.insert(key.to_owned(), value.to_owned());
    }
    ensure_topics(&config, &[Log::Health]).unwrap();
    let mut source = KafkaSource::open(&config, Log::Health).unwrap();
    let name = config.topic(Log::Health);
    block_on(admin(broker).create_partitions([&NewPartitions::new(&name, 3)], &AdminOptions::new())).unwrap();
    let error = (0..600).find_map(|_| source.poll(1, BRIEF, &mut |_| {}).err()).unwrap();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("the topic grew from 2 to 3 partitions"), "{cause}");
}

fn a_missing_topic_is_named(broker: &DevBroker) {
    let error = KafkaSource::open(&config(broker, "missing", 1), Log::Health).unwrap_err();
    assert!(error.to_string().starts_with("cannot open topic missing.health at 127.0.0.1:"), "{error}");
}

#[test]
fn a_killed_broker_costs_patience_but_no_record() {
    let (_directory, broker) = broker();
    let config = config(&broker, "killed", 3);
    ensure_topics(&config, &[Log::Health]).unwrap();
    produce(&config, Log::Health, 30_000, 300);

    let mut source = KafkaSource::open(&frugal(&config), Log::Health).unwrap();
    let mut contents = Contents::new();
    let mut poll = |timeout: Duration| {
        source.poll(1_000, timeout, &mut |record| {
            let text = String::from_utf8(record.payload.to_vec()).unwrap();
            contents.entry(record.partition).or_default().push((record.offset, text));
        })
    };
    assert!(!poll(PATIENCE).unwrap().at_end);
    broker.kill().unwrap();
    // What had been fetched still comes; then nothing, and no end is reported.
    let mut polled = poll(BRIEF).unwrap();
    while polled.records > 0 {
        assert!(!polled.at_end);
        polled = poll(BRIEF).unwrap();
    }
    assert!(!polled.at_end);

    let mut impatient = config.clone();
    impatient.properties.insert("message.timeout.ms".to_owned(), "1000".to_owned());
    let mut sink = KafkaSink::open(&impatient).unwrap();
    sink.append(Log::Health, "product:lost", b"lost").unwrap();
    let error = sink.flush().unwrap_err();
    assert!(matches!(error, PortError::Flush { unconfirmed: 1, .. }), "{error:?}");
    assert!(sink.flush().is_err(), "a sink that lost a record doesn't forget it");

    let mut patient = KafkaSink::open(&config).unwrap();
    patient.append(Log::Health, "product:B000", b"product:B000 30000 ").unwrap();
    broker.restart().unwrap();
    patient.flush().unwrap();
    while !poll(PATIENCE).unwrap().at_end {}
    drop(source);
    assert_complete(&read_all(&mut KafkaSource::open(&config, Log::Health).unwrap()), 30_001);
    for records in contents.values_mut() {
        records.retain(|(_, text)| !text.starts_with("product:B000 30000"));
    }
    assert_complete(&contents, 30_000);
}

#[test]
fn a_broker_that_is_not_there_is_named() {
    let mut config = KafkaConfig::new("127.0.0.1:1");
    config.timeout = BRIEF;
    for error in [KafkaSource::open(&config, Log::Health).unwrap_err(), ensure_topics(&config, &[Log::Health]).unwrap_err()] {
        assert!(error.to_string().contains("badgewatch.health at 127.0.0.1:1"), "{error}");
    }
}
