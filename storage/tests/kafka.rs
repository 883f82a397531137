//! The Kafka adapters against a real broker, started by the project's own script. Without one they fail.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

#[path = "kafka/group.rs"]
mod group;
#[path = "kafka/harness.rs"]
mod harness;
#[path = "kafka/tls.rs"]
mod tls;

use std::collections::BTreeMap;
use std::time::Duration;

use ports::log::DEPENDENCIES_PARTITIONS;
use ports::partition::partition_of_key;
use ports::{Log, Polled, PortError, Position, RecordSink, RecordSource, read_to_end};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use storage::dev_broker::DevBroker;
use storage::{KafkaConfig, KafkaSink, KafkaSource, Partitioner, TopicState, ensure_topics};

use harness::{BRIEF, Contents, PATIENCE, admin, block_on, broker, config, delete_below, frugal, produce, read_all};

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

#[test]
fn records_go_through_a_real_broker() {
    let (_directory, broker) = broker();
    topics_are_created_as_the_logs_need_them(&broker);
    everything_produced_is_read_and_then_the_end_is_known(&broker);
    the_clients_partitioner_and_ours_agree(&broker);
    a_record_goes_to_the_partition_that_it_is_given(&broker);
    a_producers_time_is_no_append_time(&broker);
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

    let settings = |name: &str, keys: &[&str]| {
        let results = block_on(admin(broker).describe_configs([&ResourceSpecifier::Topic(name)], &AdminOptions::new()));
        let found = results.unwrap().pop().unwrap().unwrap();
        keys.iter().map(|key| found.get(key).unwrap().value.clone().unwrap()).collect::<Vec<_>>()
    };
    let keys = ["cleanup.policy", "retention.ms", "message.timestamp.type"];
    let days_400 = (400_u64 * 24 * 3600 * 1000).to_string();
    assert_eq!(settings(&config.topic(Log::Rejected), &keys), ["delete", &days_400, "LogAppendTime"]);
    assert_eq!(settings(&config.topic(Log::Health), &keys), ["delete", "-1", "LogAppendTime"]);
    assert_eq!(settings(&config.topic(Log::Registry), &keys), ["delete", "-1", "LogAppendTime"]);
    assert_eq!(settings(&config.topic(Log::Decisions), &keys), ["delete", "-1", "LogAppendTime"]);
    assert_eq!(settings(&config.topic(Log::Standings), &keys[..1]), ["compact"]);
    let mut kept = config.clone();
    kept.topics.insert(Log::Health, "kept-for-days".to_owned());
    kept.health_retention = Some(KafkaConfig::HEALTH_RETENTION);
    ensure_topics(&kept, &[Log::Health]).unwrap();
    assert_eq!(settings("kept-for-days", &keys), ["delete", "604800000", "LogAppendTime"]);
    let keys = ["cleanup.policy", "min.compaction.lag.ms", "message.timestamp.type"];
    assert_eq!(settings(&config.topic(Log::Dependencies), &keys), ["compact", "86400000", "LogAppendTime"]);
    for (log, partitions) in
        [(Log::Health, 6), (Log::Dependencies, 4), (Log::Standings, 6), (Log::Registry, 1), (Log::Programme, 1)]
    {
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

/// Where a sink puts each of many keys.
fn homes(config: &KafkaConfig) -> BTreeMap<String, u32> {
    ensure_topics(config, &[Log::Health]).unwrap();
    let mut sink = KafkaSink::open(config).unwrap();
    for number in 0..2_000 {
        // Every length of the last word, and bytes above 127.
        let key = format!("{}:{}é{number}", ["product", "skill", "hub"][number % 3], "x".repeat(number % 11));
        sink.append(Log::Health, &key, key.as_bytes()).unwrap();
    }
    sink.flush().unwrap();
    let read = read_all(&mut KafkaSource::open(config, Log::Health).unwrap());
    read.into_iter().flat_map(|(home, records)| records.into_iter().map(move |(_, key)| (key, home))).collect()
}

fn the_clients_partitioner_and_ours_agree(broker: &DevBroker) {
    let mut config = config(broker, "keys", 7);
    let (found, expected) = (homes(&config), |key: &String| partition_of_key(key.as_bytes(), 7));
    assert_eq!(found.len(), 2_000);
    for (key, home) in &found {
        assert_eq!(*home, expected(key), "{key}");
    }
    // A producer that doesn't know the contract sends most elsewhere.
    config.partitioner = Partitioner::Consistent;
    config.topic_prefix = "other-keys.".to_owned();
    let strays = homes(&config).iter().filter(|(key, home)| **home != expected(key)).count();
    assert!((1_000..2_000).contains(&strays), "{strays}");
}

fn a_record_goes_to_the_partition_that_it_is_given(broker: &DevBroker) {
    let config = config(broker, "given", 5);
    ensure_topics(&config, &[Log::Health, Log::Dependencies]).unwrap();
    let mut sink = KafkaSink::open(&config).unwrap();
    assert_eq!(sink.partitions(Log::Health).unwrap(), 5);
    assert_eq!(sink.partitions(Log::Dependencies).unwrap(), DEPENDENCIES_PARTITIONS);
    let missing = sink.partitions(Log::Rejected).unwrap_err();
    assert!(missing.to_string().starts_with("cannot look up the partitions of rejected (topic given.rejected at"), "{missing}");
    let mut expected = Contents::new();
    for number in 0..200_u32 {
        // Without a key, as ticks are, and with one whose own partition is another.
        let (partition, key, text) = (number % 5, ["", "product:B1"][number as usize % 2], number.to_string());
        sink.append_to(Log::Health, partition, key, text.as_bytes()).unwrap();
        let records = expected.entry(partition).or_default();
        records.push((records.len() as u64, text));
    }
    sink.flush().unwrap();
    let mut source = KafkaSource::open(&config, Log::Health).unwrap();
    assert_eq!((source.partitions(), source.next_offsets()), (5, vec![0; 5]));
    assert_eq!(read_all(&mut source), expected);
    assert_eq!(source.next_offsets(), [40; 5]);

    for nowhere in [5, u32::MAX] {
        let mut sink = KafkaSink::open(&config).unwrap();
        let result = sink.append_to(Log::Health, nowhere, "k", b"lost").and_then(|()| sink.flush());
        assert!(result.is_err(), "there is no partition {nowhere}");
    }
}

/// A topic of somebody else's says when its producers made the records, not when the log took them.
fn a_producers_time_is_no_append_time(broker: &DevBroker) {
    let config = config(broker, "historic", 1);
    let topic = NewTopic::new("historic.health", 1, TopicReplication::Fixed(1)).set("message.timestamp.type", "CreateTime");
    block_on(admin(broker).create_topics([&topic], &AdminOptions::new())).unwrap();
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", broker.bootstrap()).create().unwrap();
    let record = BaseRecord::to("historic.health").key("k").payload("old").timestamp(1_000_000_000_000);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
    assert_eq!(ensure_topics(&config, &[Log::Health]).unwrap()[0].state, TopicState::Present);
    let mut seen = Vec::new();
    let mut source = KafkaSource::open(&config, Log::Health).unwrap();
    read_to_end(&mut source, &mut || true, &mut |record| seen.push((record.offset, record.appended_at))).unwrap();
    assert_eq!(seen, [(0, None)]);
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

fn records_that_are_gone_are_an_error(broker: &DevBroker) {
    let config = config(broker, "gone", 1);
    ensure_topics(&config, &[Log::Health]).unwrap();
    produce(&config, Log::Health, 20_000, 300);
    let mut source = KafkaSource::open(&frugal(&config), Log::Health).unwrap();
    let mut seen = 0;
    source.poll(1, PATIENCE, &mut |_| seen += 1).unwrap();
    assert_eq!(seen, 1);
    delete_below(broker, &config.topic(Log::Health), 0, 19_000);

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
    let open_at = |offset: u64| KafkaSource::open_at(&config, Log::Health, &[offset]);
    assert!(matches!(open_at(18_999), Err(PortError::Gone { .. })));
    assert!(matches!(open_at(20_001), Err(PortError::Ahead { end: 20_000, .. })));
    assert_eq!(open_at(20_000).unwrap().next_offsets(), [20_000]);
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
