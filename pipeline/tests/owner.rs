//! What an owner does with what it reads, told by examples: the simulation covers these by chance only.

use std::rc::Rc;

use domain::decision::{InputPosition, Issuer};
use domain::event::EventRef;
use domain::rejection::{LineSource, RejectReason};
use domain::{Decision, DecisionKind, Policies, Timestamp};
use ingest::partition_of;
use pipeline::error::Error;
use pipeline::{Io, Node, Partition, Rules, Taken};
use ports::state::{Op, StateStore};
use ports::{Log, MemoryLogs, MemoryStore, RecordSink};
use telemetry::BatchCounts;
use wire::stored::restored::Restored;

const BADGE: &str =
    r#"{"type":"badge","asin":"B1","manufacturer":"m-1","marketplaces":["US"],"enabled_at":"2025-01-01T00:00:00Z"}"#;

/// What is issued for a day's downtime, among others.
const REMOVED: [DecisionKind; 3] = [DecisionKind::BadgeRemoval, DecisionKind::ProbationStarted, DecisionKind::Suspension];

/// A process that owns all partitions, its disk, and the logs.
struct Stage {
    rules: Rc<Rules>,
    logs: MemoryLogs,
    store: MemoryStore,
    counts: BatchCounts,
    node: Option<Node>,
}

/// `2025-03-01T06:00` as an instant.
fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{text}:00Z")).expect("an instant")
}

/// The preset, but for states that hold until the next.
fn rules(partitions: u32) -> Rc<Rules> {
    let preset = wire::policy::preset("wwa-2024").expect("a preset").replace(r#"state_ttl = "1h""#, r#"state_ttl = "none""#);
    let policies = Policies::new(wire::policy::parse(&preset, "a test").expect("a policy")).expect("one version");
    Rc::new(Rules::new(policies, partitions))
}

fn state(time: &str, state: &str) -> String {
    format!(r#"{{"v":1,"type":"state","subject":"product:B1","region":"NA","at":"{time}:00Z","state":"{state}"}}"#)
}

/// Where B1's events belong.
fn home(partitions: u32) -> u32 {
    home_of("B1", partitions)
}

fn home_of(asin: &str, partitions: u32) -> u32 {
    let line = state("2025-01-01T00:00", "up").replace("B1", asin);
    let parsed = wire::event::parse(line.as_bytes()).expect("an event");
    let event: EventRef<'_> = parsed.event();
    partition_of(event.subject, partitions)
}

impl Stage {
    fn new(partitions: u32) -> Self {
        let logs = MemoryLogs::new(partitions, at("2025-01-01T00:00"));
        let (store, counts) = (MemoryStore::default(), BatchCounts::default());
        let mut stage = Self { rules: rules(partitions), logs, store, counts, node: None };
        stage.open();
        stage
    }

    /// At most so many removals an hour.
    fn limited(partitions: u32, per_hour: u32) -> Self {
        let mut stage = Self::new(partitions);
        let mut policies = stage.rules.policies.versions().to_vec();
        policies.iter_mut().for_each(|policy| policy.max_removals_per_hour = per_hour);
        stage.rules = Rc::new(Rules::new(Policies::new(policies).expect("one version"), partitions));
        stage.open();
        stage
    }

    /// B1 is registered, and down for a day in March.
    fn with_a_day_down() -> Self {
        let mut stage = Self::new(1);
        stage.append(Log::Registry, 0, "2025-01-01T00:00", BADGE);
        stage.append(Log::Health, 0, "2025-03-01T06:00", &state("2025-03-01T06:00", "down"));
        stage.append(Log::Health, 0, "2025-03-02T06:00", &state("2025-03-02T06:00", "up"));
        stage
    }

    /// Opens the process, anew if it ran; says why that fails.
    fn try_open(&mut self) -> Option<Error> {
        self.node = None;
        let owned: Vec<u32> = (0..self.rules.partitions).collect();
        let rules = Rc::clone(&self.rules);
        let mut failed = None;
        self.node = self.with_io(|io| match Node::open(&rules, &owned, true, io) {
            Ok(node) => Some(node),
            Err(error) => {
                failed = Some(error);
                None
            }
        });
        failed
    }

    fn open(&mut self) {
        let failed = self.try_open();
        assert!(failed.is_none(), "{failed:?}");
    }

    fn append(&mut self, log: Log, partition: u32, time: &str, text: &str) {
        self.logs.set_now(at(time));
        self.logs.append_to(log, partition, "", text.as_bytes()).expect("simulated logs take all");
    }

    /// Time passes in all logs.
    fn pass(&mut self, time: &str) {
        let tick = String::from_utf8(wire::tick::TICK.to_vec()).expect("a text");
        (0..self.rules.partitions).for_each(|partition| self.append(Log::Health, partition, time, &tick));
        self.append(Log::Registry, 0, time, &tick);
    }

    fn with_io<T>(&mut self, act: impl FnOnce(&mut Io<'_>) -> T) -> T {
        act(&mut Io { sink: &mut self.logs, stores: &mut self.store, counts: &mut self.counts })
    }

    /// Reads a log from its beginning: what was read before is passed over.
    fn read(&mut self, log: Log) -> Vec<Taken> {
        let mut node = self.node.take().expect("it is open");
        let records = self.logs.records(log);
        let taken = self.with_io(|io| {
            let mut taken = Vec::new();
            for record in &records {
                let record = record.as_record();
                match log {
                    Log::Registry => node.take_registry(record, io).expect("no port fails"),
                    Log::Dependencies => node.take_dependency(record).expect("only owners append there"),
                    _ => taken.push(node.take_health(record, io).expect("no port fails")),
                }
            }
            node.settle_registry(io).expect("no port fails");
            taken
        });
        self.node = Some(node);
        taken
    }

    fn tick(&mut self) -> Vec<Decision> {
        let mut node = self.node.take().expect("it is open");
        let issued = self.with_io(|io| node.tick(io).expect("no port fails"));
        self.node = Some(node);
        issued
    }

    /// Reads everything that is there; yields what is issued on that.
    fn catch_up(&mut self) -> Vec<DecisionKind> {
        self.read(Log::Registry);
        self.read(Log::Health);
        let mut issued = self.tick();
        self.read(Log::Dependencies);
        issued.extend(self.tick());
        issued.into_iter().map(|decision| decision.kind).collect()
    }

    fn check_removed(&mut self) {
        let issued = self.catch_up();
        assert!(REMOVED.iter().all(|kind| issued.contains(kind)), "{issued:?}");
    }

    fn t(&self) -> Option<Timestamp> {
        self.node.as_ref().and_then(Node::t)
    }

    fn downtime_ms(&self) -> i64 {
        let node = self.node.as_ref().expect("it is open");
        node.partitions().iter().flat_map(Partition::standings).map(|standing| standing.downtime_ms).sum()
    }

    fn payloads(&self, log: Log) -> Vec<Vec<u8>> {
        self.logs.records(log).into_iter().map(|record| record.payload).collect()
    }
}

#[test]
fn what_is_not_marked_is_published_again_byte_for_byte_and_a_reader_sees_it_once() {
    let mut stage = Stage::with_a_day_down();
    stage.pass("2025-03-04T00:00");
    stage.check_removed();
    let published = [Log::Decisions, Log::Programme].map(|log| stage.payloads(log));
    let marks: Vec<_> = stage.store.scan(b"journal/").expect("a store").into_iter().map(|(key, _)| key).collect();
    let marks = marks.into_iter().filter(|key| key.ends_with(b"published"));
    stage.store.write(marks.map(|key| Op::Delete { key }).collect()).expect("a store");
    stage.open();
    for (log, once) in [Log::Decisions, Log::Programme].into_iter().zip(published) {
        assert_eq!(stage.payloads(log), [once.as_slice(), once.as_slice()].concat(), "{log:?}");
        let (mut last, mut seen) = (0, Vec::new());
        for payload in stage.payloads(log) {
            let seq = wire::decision::parse(&payload).expect("a decision").evidence.issued.expect("it was issued").seq;
            if seq > last {
                last = seq;
                seen.push(payload);
            }
        }
        assert_eq!(seen, once, "{log:?}");
    }
    stage.open();
    assert_eq!(stage.catch_up(), [], "nothing is issued twice");
}

#[test]
fn a_record_about_what_is_not_registered_yet_waits_for_the_registry() {
    let mut stage = Stage::new(1);
    stage.append(Log::Registry, 0, "2025-01-01T00:00", BADGE);
    stage.append(Log::Health, 0, "2025-01-02T00:00", &state("2025-01-02T00:00", "up"));
    assert_eq!(stage.read(Log::Health), [Taken::RegistryBehind]);
    assert_eq!((stage.counts.records, stage.counts.accepted), (0, 0));
    stage.read(Log::Registry);
    assert_eq!(stage.read(Log::Health), [Taken::Done]);
    assert_eq!((stage.counts.records, stage.counts.accepted), (1, 1));
    // What the registry doesn't know up to the record's time is unknown.
    stage.append(Log::Health, 0, "2025-01-03T00:00", &state("2025-01-03T00:00", "up").replace("B1", "B2"));
    assert_eq!(stage.read(Log::Health), [Taken::Done, Taken::RegistryBehind]);
    stage.pass("2025-01-03T00:00");
    stage.read(Log::Registry);
    stage.read(Log::Health);
    assert_eq!(stage.counts.rejected(LineSource::Events, RejectReason::UnknownSubject), 1);
}

#[test]
fn a_record_about_what_was_stored_waits_for_a_registry_that_is_behind() {
    let mut stage = Stage::new(1);
    stage.append(Log::Registry, 0, "2025-01-01T00:00", BADGE);
    stage.append(Log::Health, 0, "2025-01-02T00:00", &state("2025-01-02T00:00", "up"));
    stage.pass("2025-01-02T00:00");
    stage.catch_up();
    let mut node = stage.node.take().expect("it is open");
    node.begin_checkpoint();
    assert!(stage.with_io(|io| node.checkpoint(usize::MAX, io)).expect("no port fails"));
    stage.append(Log::Health, 0, "2025-01-03T00:00", &state("2025-01-03T00:00", "down"));
    // The next owner knows the product by its checkpoint only.
    stage.counts = BatchCounts::default();
    stage.open();
    assert_eq!(stage.read(Log::Health), [Taken::Done, Taken::Done, Taken::RegistryBehind]);
    stage.read(Log::Registry);
    assert_eq!(stage.read(Log::Health), [Taken::Done; 3]);
    assert_eq!((stage.counts.accepted, stage.counts.rejected_total()), (1, 0));
}

#[test]
fn an_event_that_is_sent_on_twice_counts_once() {
    let mut stage = Stage::new(2);
    let (home, away) = (home(2), 1 - home(2));
    stage.append(Log::Registry, 0, "2025-01-01T00:00", BADGE);
    stage.append(Log::Health, away, "2025-01-02T00:00", &state("2025-01-02T00:00", "up"));
    stage.read(Log::Registry);
    stage.read(Log::Health);
    // It crashes before it notes what it sent on.
    stage.open();
    stage.read(Log::Registry);
    stage.read(Log::Health);
    let copies = stage.logs.records(Log::Health).into_iter().filter(|record| record.partition == home).count();
    assert_eq!((copies, stage.counts.rerouted), (2, 2));
    stage.counts = BatchCounts::default();
    stage.open();
    stage.catch_up();
    stage.catch_up();
    assert_eq!((stage.counts.accepted, stage.counts.duplicate), (1, stage.counts.rerouted + 1));
}

#[test]
fn a_stalled_input_stalls_t_and_nothing_is_issued() {
    let mut stage = Stage::with_a_day_down();
    let tick = String::from_utf8(wire::tick::TICK.to_vec()).expect("a text");
    stage.append(Log::Health, 0, "2025-04-01T00:00", &tick);
    assert_eq!(stage.catch_up(), [], "the registry was last appended to in January");
    assert_eq!(stage.t(), Some(at("2025-01-01T00:00")));
    stage.append(Log::Registry, 0, "2025-05-01T00:00", &tick);
    stage.check_removed();
    assert_eq!(stage.t(), Some(at("2025-04-01T00:00")), "now the partition's own log is behind");
}

#[test]
fn a_gateway_that_is_a_year_ahead_moves_nothing() {
    let mut stage = Stage::new(1);
    stage.append(Log::Registry, 0, "2025-01-01T00:00", BADGE);
    stage.pass("2025-02-01T00:00");
    stage.append(Log::Health, 0, "2025-02-01T00:00", &state("2026-02-01T00:00", "down"));
    stage.catch_up();
    assert_eq!(stage.counts.rejected(LineSource::Events, RejectReason::TooFarInFuture), 1);
    assert_eq!(stage.t(), Some(at("2025-02-01T00:00")));
    assert_eq!(stage.downtime_ms(), 0);
}

#[test]
fn pages_leave_memory_and_come_back() {
    let mut stage = Stage::new(1);
    stage.append(Log::Registry, 0, "2025-01-01T00:00", BADGE);
    stage.append(Log::Health, 0, "2025-01-02T00:00", &state("2025-01-02T00:00", "up"));
    stage.pass("2025-02-01T00:00");
    stage.catch_up();
    assert_eq!((stage.counts.pages_loaded, stage.counts.pages_stored), (0, 1));
    for (minute, health, downtime_ms) in [("00:10", "down", 30 * 24 * 60 * 60_000 - 600_000), ("00:11", "up", 60_000)] {
        stage.append(Log::Health, 0, "2025-02-01T00:00", &state(&format!("2025-01-02T{minute}"), health));
        stage.catch_up();
        assert_eq!(stage.downtime_ms(), downtime_ms);
    }
    assert_eq!((stage.counts.pages_loaded, stage.counts.pages_stored), (2, 3));
}

#[test]
fn another_number_of_partitions_is_refused() {
    let mut stage = Stage::new(2);
    stage.rules = rules(3);
    stage.logs = MemoryLogs::new(3, at("2025-01-01T00:00"));
    assert!(matches!(stage.try_open(), Some(Error::Partitions { stored: 2, found: 3 })));
    stage.rules = rules(2);
    stage.logs = MemoryLogs::new(2, at("2025-01-01T00:00"));
    stage.open();
}

#[test]
fn decisions_whose_records_the_log_has_lost_are_not_taken_back() {
    let mut stage = Stage::with_a_day_down();
    stage.pass("2025-03-04T00:00");
    stage.check_removed();
    stage.open();
    stage.read(Log::Registry);
    let kept = stage.logs.records(Log::Health).into_iter().find(|record| record.offset == 1).expect("a record");
    let mut node = stage.node.take().expect("it is open");
    let taken = stage.with_io(|io| node.take_health(kept.as_record(), io));
    assert!(matches!(taken, Err(Error::HistoryLost { partition: 0, first: 1 })), "{taken:?}");
}

#[test]
fn after_a_restart_nothing_is_judged_before_the_health_that_was_read_is_read_again() {
    let mut stage = Stage::with_a_day_down();
    stage.pass("2025-03-02T07:00");
    stage.catch_up();
    assert_eq!(stage.t(), Some(at("2025-03-02T07:00")));
    stage.open();
    stage.read(Log::Registry);
    stage.read(Log::Dependencies);
    let first = stage.logs.records(Log::Health).into_iter().next().expect("a record");
    let mut node = stage.node.take().expect("it is open");
    let issued = stage.with_io(|io| {
        node.take_health(first.as_record(), io).expect("no port fails");
        node.tick(io).expect("no port fails")
    });
    stage.node = Some(node);
    assert_eq!((issued, stage.t()), (Vec::new(), None));
    stage.catch_up();
    assert_eq!(stage.t(), Some(at("2025-03-02T07:00")));
}

#[test]
fn removals_are_limited_over_all_partitions() {
    let mut stage = Stage::limited(2, 1);
    let of = |partition| (1..).map(|n| format!("B{n}")).find(|asin| home_of(asin, 2) == partition).expect("a product");
    for (partition, asin) in [0, 1].map(|partition| (partition, of(partition))) {
        stage.append(Log::Registry, 0, "2025-01-01T00:00", &BADGE.replace("B1", &asin));
        for (time, told) in [("2025-03-01T06:00", "down"), ("2025-03-02T06:00", "up")] {
            stage.append(Log::Health, partition, time, &state(time, told).replace("B1", &asin));
        }
    }
    stage.pass("2025-03-04T00:00");
    let issued = stage.catch_up();
    let count = |kind| issued.iter().filter(|issued| **issued == kind).count();
    assert_eq!((count(DecisionKind::BadgeRemoval), count(DecisionKind::Proposal)), (1, 1), "{issued:?}");
    stage.open();
    assert_eq!(stage.catch_up(), [], "nor after a restart");
}

/// What a restore leaves: the state, a registry with marks of when its facts were appended, and nothing else.
fn restored(complete: bool) -> Stage {
    let mut stage = Stage::with_a_day_down();
    stage.pass("2025-03-04T00:00");
    stage.check_removed();
    let mut node = stage.node.take().expect("it is open");
    let stored = stage.with_io(|io| {
        node.begin_checkpoint();
        node.checkpoint(usize::MAX, io).expect("no port fails")
    });
    assert!(stored);
    let owner = &node.partitions()[0];
    let mark = wire::appended::write(at("2025-01-01T00:00"));
    let registry = [mark.as_slice(), BADGE.as_bytes(), wire::appended::END];
    let inputs = vec![InputPosition { log: "registry".to_owned(), partition: 0, next_offset: registry.len() as u64 }];
    let note = Restored { complete, seq: owner.last_seq(), base: owner.next_offset(), inputs };
    stage.store.put(pipeline::restored::KEY, &wire::stored::restored::write(&note)).expect("a store");
    stage.logs = MemoryLogs::new(1, at("2025-03-05T00:00"));
    for line in registry {
        stage.append(Log::Registry, 0, "2025-03-05T00:00", std::str::from_utf8(line).expect("a text"));
    }
    stage
}

#[test]
fn after_a_restore_new_logs_go_on_where_the_copied_ones_ended() {
    let mut stage = restored(true);
    let told = stage.payloads(Log::Decisions).len();
    stage.open();
    let read_from = stage.node.as_ref().expect("it is open").partitions()[0].read_from();
    assert_eq!((read_from, told), (Some(0), 0));
    stage.append(Log::Health, 0, "2025-03-05T01:00", &state("2025-03-05T01:00", "down"));
    stage.append(Log::Health, 0, "2025-03-05T02:00", &state("2025-03-05T02:00", "up"));
    stage.pass("2025-03-05T03:00");
    let before = stage.downtime_ms();
    let issued = stage.catch_up();
    assert!(!issued.iter().any(|kind| REMOVED.contains(kind) || *kind == DecisionKind::Reversal), "{issued:?}");
    assert_eq!(stage.t(), Some(at("2025-03-05T03:00")), "nothing waits for positions of the copied logs");
    assert_eq!((before, stage.downtime_ms()), (0, (24 + 1) * 3_600_000), "the first records are new, and old downtime is known");
}

#[test]
fn a_restored_fact_acts_as_far_back_as_it_did() {
    let mut stage = restored(true);
    stage.logs = MemoryLogs::new(1, at("2027-01-01T00:00"));
    for line in [&wire::appended::write(at("2025-01-01T00:00")), BADGE.as_bytes(), wire::appended::END] {
        stage.append(Log::Registry, 0, "2027-01-01T00:00", std::str::from_utf8(line).expect("a text"));
    }
    stage.open();
    stage.read(Log::Registry);
    let registry = &stage.node.as_ref().expect("it is open").tables().registry;
    let product = registry.registry().products.values().next().expect("B1");
    assert_eq!(product.enabled_at, at("2025-01-01T00:00"));
    assert_eq!(registry.log_time(), Some(at("2027-01-01T00:00")));
}

#[test]
fn a_restore_that_was_cut_short_is_not_taken_up() {
    let mut stage = restored(false);
    assert!(matches!(stage.try_open(), Some(Error::RestoreUnfinished { owner: Issuer::Programme })));
}

#[test]
fn a_later_form_of_anything_stored_is_refused_and_says_so() {
    let check = |key: &str, later: &[u8], told_forms: &str| {
        let mut stage = restored(true);
        let keys = stage.store.keys(key.as_bytes()).expect("a store");
        let key = keys.first().unwrap_or_else(|| panic!("{key} is stored")).clone();
        stage.store.put(&key, later).expect("a store");
        let error = stage.try_open().expect("it is refused");
        assert!(matches!(error, Error::Form { .. }), "{error:?}");
        let (told, key) = (error.to_string(), String::from_utf8_lossy(&key).into_owned());
        assert!(told.starts_with(&format!("the state at {key} was written by another version: start that version")), "{told}");
        let form = std::error::Error::source(&error).expect("a cause").to_string();
        assert!(form.contains(told_forms), "{form}");
    };
    check("head/0/", &[2], "has form 2; expected form 1");
    check("place/0", br#"{"v":3}"#, "has form 3; expected form 2");
    check("restored", br#"{"v":2}"#, "has form 2; expected form 1");
    check("journal/0/entry/", br#"{"v":2}"#, "has form 2; expected form 1");
    check("journal/programme/entry/", br#"{"v":2}"#, "has form 2; expected form 1");
}
