//! Several members of one group against a real broker. What they own is applied as a pipeline would: positions are
//! kept here, a partition starts from its own, and no record may come twice, too early, or to somebody else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ports::{GroupEvent, GroupSource, Log, PortError, Position};
use rdkafka::admin::{AdminOptions, NewPartitions};
use storage::dev_broker::DevBroker;
use storage::{KafkaConfig, KafkaGroupSource, KafkaSource, ensure_topics};

use crate::harness::{BRIEF, Contents, PATIENCE, admin, block_on, broker, config, delete_below, frugal, produce, read_all};

/// As short a session as a broker allows by default.
const SESSION_MIN: Duration = Duration::from_secs(6);

/// What a member was told of its partitions.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Heard {
    Assigned(Vec<u32>),
    Revoked(Vec<u32>),
    Lost(Vec<u32>),
}

/// A member, and what it may read.
struct Member {
    source: KafkaGroupSource,
    started: BTreeSet<u32>,
}

/// What all members together have read.
#[derive(Default)]
struct Shared {
    contents: Contents,
    positions: BTreeMap<u32, u64>,
}

impl Member {
    fn join(config: &KafkaConfig) -> Self {
        Self { source: KafkaGroupSource::open(config, Log::Health).unwrap(), started: BTreeSet::new() }
    }

    /// Polls once; starts and releases nothing.
    fn hear(&mut self, shared: &mut Shared, timeout: Duration) -> Vec<Heard> {
        let (mut heard, started) = (Vec::new(), &mut self.started);
        let mut records = 0;
        let polled = self.source.poll(500, timeout, &mut |event| match event {
            GroupEvent::Assigned(partitions) => heard.push(Heard::Assigned(partitions.to_vec())),
            GroupEvent::Revoked(partitions) | GroupEvent::Lost(partitions) => {
                started.retain(|partition| !partitions.contains(partition));
                let lost = matches!(event, GroupEvent::Lost(_));
                heard.push(if lost { Heard::Lost } else { Heard::Revoked }(partitions.to_vec()));
            }
            GroupEvent::Record(record) => {
                assert!(started.contains(&record.partition), "{} isn't started", record.partition);
                let next = shared.positions.entry(record.partition).or_default();
                assert_eq!(record.offset, *next, "partition {}", record.partition);
                *next += 1;
                let text = String::from_utf8(record.payload.to_vec()).unwrap();
                shared.contents.entry(record.partition).or_default().push((record.offset, text));
                records += 1;
            }
        });
        assert_eq!(polled.unwrap().records, records);
        heard
    }

    /// Polls once, and does at once what is to be done.
    fn step(&mut self, shared: &mut Shared) -> Vec<Heard> {
        let heard = self.hear(shared, BRIEF);
        for news in &heard {
            match news {
                Heard::Assigned(partitions) => self.start(shared, partitions),
                Heard::Revoked(partitions) => self.source.release(partitions).unwrap(),
                Heard::Lost(_) => {}
            }
        }
        heard
    }

    fn start(&mut self, shared: &Shared, partitions: &[u32]) {
        for &partition in partitions {
            self.source.start(partition, shared.positions.get(&partition).copied()).unwrap();
            self.started.insert(partition);
        }
    }

    fn owns(&self) -> Vec<u32> {
        self.started.iter().copied().collect()
    }
}

/// Runs all members until something holds.
fn until(members: &mut [&mut Member], shared: &mut Shared, what: &str, holds: impl Fn(&[&mut Member], &Shared) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds(members, shared) {
        assert!(Instant::now() < deadline, "not in time: {what}; they own {:?}", owned(members));
        for member in members.iter_mut() {
            member.step(shared);
        }
    }
}

/// Polls one member until it hears something.
fn news(member: &mut Member, shared: &mut Shared) -> Vec<Heard> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "nothing is heard");
        let heard = member.hear(shared, BRIEF);
        if !heard.is_empty() {
            return heard;
        }
    }
}

fn failure(member: &mut Member) -> PortError {
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "it doesn't fail");
        if let Err(error) = member.source.poll(500, BRIEF, &mut |_| {}) {
            return error;
        }
    }
}

fn owned(members: &[&mut Member]) -> Vec<Vec<u32>> {
    members.iter().map(|member| member.owns()).collect()
}

/// Whether each member owns so many partitions.
fn own(counts: &[usize]) -> impl Fn(&[&mut Member], &Shared) -> bool {
    move |members, _| members.iter().map(|member| member.started.len()).eq(counts.iter().copied())
}

/// Whether each member owns some of so many partitions, and all are owned.
fn share(partitions: usize) -> impl Fn(&[&mut Member], &Shared) -> bool {
    move |members, _| {
        let counts: Vec<usize> = members.iter().map(|member| member.started.len()).collect();
        !counts.contains(&0) && counts.iter().sum::<usize>() == partitions
    }
}

/// What a member that owns four partitions has to release for one that joins; until then that one gets nothing.
fn revocation(owner: &mut Member, joining: &mut Member, shared: &mut Shared) -> Vec<u32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "nothing is revoked");
        assert_eq!(joining.step(shared), [], "nothing is free yet");
        if let Some(heard) = owner.hear(shared, BRIEF).pop() {
            let Heard::Revoked(revoked) = heard else { panic!("{heard:?}") };
            assert_eq!(revoked.len(), 2);
            return revoked;
        }
    }
}

/// Everything in the topic is read, by whichever member.
fn read_everything(members: &mut [&mut Member], shared: &mut Shared, config: &KafkaConfig) {
    let all = read_all(&mut KafkaSource::open(config, Log::Health).unwrap());
    let count = |contents: &Contents| contents.values().map(Vec::len).sum::<usize>();
    let expected = count(&all);
    until(members, shared, "all is read", |_, shared| count(&shared.contents) >= expected);
    assert_eq!(shared.contents, all);
}

fn topic(broker: &DevBroker, prefix: &str, partitions: u32) -> KafkaConfig {
    let mut config = config(broker, prefix, partitions);
    // A busy machine is not a dead member.
    config.group.session_timeout = Duration::from_secs(45);
    config.group.heartbeat = BRIEF;
    config.properties.insert("reconnect.backoff.max.ms".to_owned(), "500".to_owned());
    ensure_topics(&config, &[Log::Health]).unwrap();
    config
}

#[test]
fn a_group_shares_a_topic() {
    let (_directory, broker) = broker();
    a_partition_is_read_from_where_it_is_started(&broker);
    a_position_that_the_log_does_not_have_is_an_error(&broker);
    partitions_go_from_member_to_member(&broker);
    a_revoked_partition_is_kept_until_its_release(&broker);
    a_member_that_does_not_poll_loses_its_partitions(&broker, "lost", false);
    a_member_that_does_not_poll_loses_its_partitions(&broker, "lost-midway", true);
    a_member_that_does_not_release_is_left_behind(&broker);
    a_name_of_its_own_keeps_partitions_for_a_member(&broker);
    what_ends_a_source_says_what_to_do(&broker);
    a_broker_that_is_away_is_waited_for(&broker);
}

fn a_partition_is_read_from_where_it_is_started(broker: &DevBroker) {
    let config = topic(broker, "started", 4);
    produce(&config, Log::Health, 4_000, 0);
    let all = read_all(&mut KafkaSource::open(&config, Log::Health).unwrap());
    let mut shared = Shared::default();
    let mut member = Member::join(&config);
    assert_eq!(member.source.partitions(), 4);
    assert_eq!(news(&mut member, &mut shared), [Heard::Assigned(vec![0, 1, 2, 3])]);
    for _ in 0..5 {
        assert_eq!(member.hear(&mut shared, BRIEF), [], "nothing is started yet");
    }
    assert!(!member.source.poll(1, BRIEF, &mut |_| {}).unwrap().at_end);

    let ends: Vec<u64> = (0..4).map(|partition| all[&partition].len() as u64).collect();
    let from = [None, Some(7), Some(ends[2]), Some(0)];
    for (partition, from) in (0..).zip(from) {
        if let Some(from) = from {
            shared.positions.insert(partition, from);
        }
        member.start(&shared, &[partition]);
    }
    assert_eq!(member.source.lag_records(), Some(ends[0] + ends[1] - 7 + ends[3]));
    let deadline = Instant::now() + PATIENCE;
    while !member.source.poll(0, Duration::ZERO, &mut |_| {}).unwrap().at_end {
        assert!(Instant::now() < deadline);
        assert_eq!(member.step(&mut shared), []);
    }
    let expected = Contents::from([(0, all[&0].clone()), (1, all[&1][7..].to_vec()), (3, all[&3].clone())]);
    assert_eq!(shared.contents, expected);
    assert_eq!(member.source.lag_records(), Some(0));
}

fn a_position_that_the_log_does_not_have_is_an_error(broker: &DevBroker) {
    let config = topic(broker, "bounds", 1);
    produce(&config, Log::Health, 100, 0);
    delete_below(broker, &config.topic(Log::Health), 0, 40);
    let mut shared = Shared::default();
    let mut member = Member::join(&config);
    assert_eq!(news(&mut member, &mut shared), [Heard::Assigned(vec![0])]);
    let gone = member.source.start(0, Some(39)).unwrap_err();
    assert!(matches!(gone, PortError::Gone { position: Position::Record { partition: 0, offset: 39 }, .. }), "{gone:?}");
    let ahead = member.source.start(0, Some(101)).unwrap_err();
    assert!(
        matches!(ahead, PortError::Ahead { end: 100, position: Position::Record { partition: 0, offset: 101 }, .. }),
        "{ahead:?}"
    );
    assert_eq!(member.hear(&mut shared, BRIEF), []);
    member.source.start(0, None).unwrap();
    member.started.insert(0);
    shared.positions.insert(0, 40);
    read_everything(&mut [&mut member], &mut shared, &config);
}

fn partitions_go_from_member_to_member(broker: &DevBroker) {
    let config = topic(broker, "shared", 6);
    produce(&config, Log::Health, 8_000, 300);
    let mut shared = Shared::default();
    let mut one = Member::join(&frugal(&config));
    until(&mut [&mut one], &mut shared, "some is read", |_, shared| !shared.contents.is_empty());
    // In the midst of reading.
    let mut two = Member::join(&frugal(&config));
    until(&mut [&mut one, &mut two], &mut shared, "two share", own(&[3, 3]));
    produce(&config, Log::Health, 2_000, 300);
    let mut three = Member::join(&config);
    until(&mut [&mut one, &mut two, &mut three], &mut shared, "three share", own(&[2, 2, 2]));
    read_everything(&mut [&mut one, &mut two, &mut three], &mut shared, &config);

    drop(one);
    produce(&config, Log::Health, 1_000, 0);
    until(&mut [&mut two, &mut three], &mut shared, "what one left is shared", own(&[3, 3]));
    drop(three);
    until(&mut [&mut two], &mut shared, "one gets all", own(&[6]));
    produce(&config, Log::Health, 1_000, 0);
    read_everything(&mut [&mut two], &mut shared, &config);
}

fn a_revoked_partition_is_kept_until_its_release(broker: &DevBroker) {
    let config = topic(broker, "kept", 4);
    let mut shared = Shared::default();
    let mut one = Member::join(&config);
    until(&mut [&mut one], &mut shared, "one has all", own(&[4]));
    let mut two = Member::join(&config);
    let revoked = revocation(&mut one, &mut two, &mut shared);
    // Members poll on, records come in, and one of the two is released: still nobody gets anything.
    produce(&config, Log::Health, 500, 0);
    one.source.release(&revoked[..1]).unwrap();
    for _ in 0..5 {
        assert_eq!((one.hear(&mut shared, BRIEF), two.hear(&mut shared, BRIEF)), (vec![], vec![]));
    }
    // What isn't revoked isn't given away.
    one.source.release(&one.owns()).unwrap();
    one.source.release(&revoked[1..]).unwrap();
    until(&mut [&mut one, &mut two], &mut shared, "both have some", own(&[2, 2]));
    assert_eq!(two.owns(), revoked);
    read_everything(&mut [&mut one, &mut two], &mut shared, &config);

    // A member that leaves holding what was revoked doesn't hold it for ever.
    let mut three = Member::join(&config);
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline);
        three.step(&mut shared);
        if [&mut one, &mut two].into_iter().any(|member| !member.hear(&mut shared, BRIEF).is_empty()) {
            break;
        }
    }
    drop((one, two));
    until(&mut [&mut three], &mut shared, "the last one has all", own(&[4]));
}

/// Whether it owned its partitions quietly, or was in the midst of a rebalance, when it was last polled.
fn a_member_that_does_not_poll_loses_its_partitions(broker: &DevBroker, prefix: &str, midway: bool) {
    let mut config = topic(broker, prefix, 4);
    let mut shared = Shared::default();
    let mut slow = config.clone();
    (slow.group.session_timeout, slow.group.poll_interval_max) = (SESSION_MIN, SESSION_MIN);
    config.group.poll_interval_max = PATIENCE;
    let mut slow = Member::join(&slow);
    until(&mut [&mut slow], &mut shared, "the slow one has all", own(&[4]));
    let mut quick = Member::join(&config);
    if midway {
        let revoked = revocation(&mut slow, &mut quick, &mut shared);
        slow.source.release(&revoked).unwrap();
    } else {
        until(&mut [&mut slow, &mut quick], &mut shared, "they share", own(&[2, 2]));
    }
    // The slow one's client fetches some of these, too.
    produce(&config, Log::Health, 2_000, 0);
    until(&mut [&mut quick], &mut shared, "the quick one takes over", own(&[4]));
    read_everything(&mut [&mut quick], &mut shared, &config);

    let before = slow.owns();
    assert_eq!(news(&mut slow, &mut shared), [Heard::Lost(before)]);
    assert!(slow.started.is_empty());
    until(&mut [&mut slow, &mut quick], &mut shared, "they share again", own(&[2, 2]));
    produce(&config, Log::Health, 2_000, 0);
    read_everything(&mut [&mut slow, &mut quick], &mut shared, &config);
}

fn a_member_that_does_not_release_is_left_behind(broker: &DevBroker) {
    let mut config = topic(broker, "unreleased", 4);
    (config.group.session_timeout, config.group.poll_interval_max) = (SESSION_MIN, SESSION_MIN);
    let mut shared = Shared::default();
    let mut one = Member::join(&config);
    until(&mut [&mut one], &mut shared, "one has all", own(&[4]));
    let mut two = Member::join(&config);
    let revoked = revocation(&mut one, &mut two, &mut shared);
    let kept = one.owns();
    // A third makes the group wait for everybody, though not for ever.
    let mut three = Member::join(&config);
    let deadline = Instant::now() + PATIENCE;
    while two.started.len() + three.started.len() < 4 {
        assert!(Instant::now() < deadline);
        assert_eq!(one.hear(&mut shared, BRIEF), []);
        two.step(&mut shared);
        three.step(&mut shared);
    }
    one.source.release(&revoked).unwrap();
    assert_eq!(news(&mut one, &mut shared), [Heard::Lost(kept)]);
    until(&mut [&mut one, &mut two, &mut three], &mut shared, "three share", share(4));
    produce(&config, Log::Health, 1_000, 0);
    read_everything(&mut [&mut one, &mut two, &mut three], &mut shared, &config);
}

fn a_name_of_its_own_keeps_partitions_for_a_member(broker: &DevBroker) {
    let config = topic(broker, "named", 4);
    let named = |name: &str| {
        let mut config = config.clone();
        config.group.instance = Some(name.to_owned());
        config
    };
    let mut shared = Shared::default();
    let (mut one, mut two) = (Member::join(&named("one")), Member::join(&named("two")));
    until(&mut [&mut one, &mut two], &mut shared, "they share", own(&[2, 2]));
    let (of_one, of_two) = (one.owns(), two.owns());
    drop(one);
    let mut one = Member::join(&named("one"));
    until(&mut [&mut one, &mut two], &mut shared, "it is back", own(&[2, 2]));
    assert_eq!((one.owns(), two.owns()), (of_one, of_two));

    let mut usurper = Member::join(&named("one"));
    until(&mut [&mut usurper, &mut two], &mut shared, "it is another", own(&[2, 2]));
    let error = failure(&mut one);
    assert!(cause(&error).starts_with("another process joined the group with this one's instance name"), "{error:?}");
}

fn what_ends_a_source_says_what_to_do(broker: &DevBroker) {
    let missing = KafkaGroupSource::open(&config(broker, "no-group", 1), Log::Health).unwrap_err();
    assert!(missing.to_string().starts_with("cannot open topic no-group.health at 127.0.0.1:"), "{missing}");

    let watchful = |prefix: &str| {
        let mut config = topic(broker, prefix, 2);
        for key in ["statistics.interval.ms", "topic.metadata.refresh.interval.ms", "topic.metadata.propagation.max.ms"] {
            config.properties.insert(key.to_owned(), "100".to_owned());
        }
        config
    };
    let grown = watchful("grown");
    let mut member = Member::join(&grown);
    until(&mut [&mut member], &mut Shared::default(), "it has both", own(&[2]));
    let name = grown.topic(Log::Health);
    block_on(admin(broker).create_partitions([&NewPartitions::new(&name, 3)], &AdminOptions::new())).unwrap();
    let error = failure(&mut member);
    assert!(cause(&error).starts_with("the topic grew from 2 to 3 partitions"), "{error:?}");
    assert!(member.source.poll(1, BRIEF, &mut |_| {}).is_err(), "a broken source stays broken");

    let deleted = watchful("deleted");
    let mut member = Member::join(&deleted);
    until(&mut [&mut member], &mut Shared::default(), "it has both", own(&[2]));
    block_on(admin(broker).delete_topics(&[&deleted.topic(Log::Health)], &AdminOptions::new())).unwrap();
    let error = failure(&mut member);
    assert!(cause(&error).starts_with("the topic is not there any more"), "{error:?}");
}

fn cause(error: &PortError) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

fn a_broker_that_is_away_is_waited_for(broker: &DevBroker) {
    let config = topic(broker, "away", 4);
    produce(&config, Log::Health, 1_000, 0);
    let mut shared = Shared::default();
    let (mut one, mut two) = (Member::join(&config), Member::join(&config));
    until(&mut [&mut one, &mut two], &mut shared, "they share", own(&[2, 2]));
    read_everything(&mut [&mut one, &mut two], &mut shared, &config);
    broker.stop().unwrap();
    for _ in 0..5 {
        assert_eq!((one.hear(&mut shared, BRIEF), two.hear(&mut shared, BRIEF)), (vec![], vec![]));
    }
    broker.restart().unwrap();
    produce(&config, Log::Health, 1_000, 0);
    read_everything(&mut [&mut one, &mut two], &mut shared, &config);
    // They still are a group.
    let mut three = Member::join(&config);
    until(&mut [&mut one, &mut two, &mut three], &mut shared, "three share", share(4));
    // To leave doesn't take a broker.
    broker.stop().unwrap();
    drop((one, two, three));
}
