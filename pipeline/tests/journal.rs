//! Crashes around the journal: between it and publication, between publication and mark, and while a restarted
//! owner isn't as far yet as its journal; after each a late record comes. There is one removal, always.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use domain::decision::Issuer;
use domain::{Decision, DecisionKind, Policies, Timestamp};
use pipeline::error::Error;
use pipeline::{Io, Node, Rules};
use ports::state::{Op, Pair, StateStore, StateStores};
use ports::{Log, MemoryLogs, MemoryStore, PortError, RecordSink};
use telemetry::BatchCounts;

const BADGE: &str =
    r#"{"type":"badge","asin":"B1","manufacturer":"m-1","marketplaces":["US"],"enabled_at":"2025-01-01T00:00:00Z"}"#;

/// Where the process crashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Crash {
    Never,
    /// A decision is journalled, and can't be published.
    BeforePublication,
    /// It is published, and that can't be noted.
    BeforeMark,
}

/// Logs in which publication may fail.
struct Sink<'a>(&'a mut MemoryLogs, Crash);

/// A store in which the mark may fail.
struct Store<'a>(&'a mut MemoryStore, Crash);

fn crash() -> PortError {
    PortError::Append { log: Log::Decisions, what: "a test".to_owned(), key: String::new(), source: "crash".into() }
}

impl RecordSink for Sink<'_> {
    fn append(&mut self, log: Log, key: &str, payload: &[u8]) -> Result<(), PortError> {
        self.0.append(log, key, payload)
    }

    fn append_to(&mut self, log: Log, partition: u32, key: &str, payload: &[u8]) -> Result<(), PortError> {
        let fails = self.1 == Crash::BeforePublication && log == Log::Decisions;
        if fails { Err(crash()) } else { self.0.append_to(log, partition, key, payload) }
    }

    fn partitions(&self, log: Log) -> Result<u32, PortError> {
        self.0.partitions(log)
    }

    fn flush(&mut self) -> Result<(), PortError> {
        self.0.flush()
    }
}

impl StateStore for Store<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, PortError> {
        self.0.get(key)
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, PortError> {
        self.0.scan(prefix)
    }

    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, PortError> {
        self.0.keys(prefix)
    }

    fn write(&mut self, batch: Vec<Op>) -> Result<(), PortError> {
        let fails = self.1 == Crash::BeforeMark && batch.iter().any(|op| op.key().ends_with(b"/published"));
        if fails { Err(crash()) } else { self.0.write(batch) }
    }

    fn sync(&mut self) -> Result<(), PortError> {
        self.0.sync()
    }
}

impl StateStores for Store<'_> {
    fn open(&mut self, _owner: Issuer) -> Result<(), PortError> {
        Ok(())
    }

    fn of(&mut self, _owner: Issuer) -> Result<&mut dyn StateStore, PortError> {
        Ok(self)
    }

    fn abandon(&mut self, _owner: Issuer) {}

    fn close(&mut self, _owner: Issuer) -> Result<(), PortError> {
        Ok(())
    }

    fn stretches(&self) -> Result<Vec<Range<u64>>, PortError> {
        self.0.stretches()
    }

    fn stretch(&self, offsets: &Range<u64>) -> Result<Option<Vec<u8>>, PortError> {
        self.0.stretch(offsets)
    }

    fn put_stretch(&mut self, offsets: &Range<u64>, bytes: Vec<u8>) -> Result<(), PortError> {
        self.0.put_stretch(offsets, bytes)
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{text}:00Z")).expect("an instant")
}

fn state(time: &str, state: &str) -> String {
    format!(r#"{{"v":1,"type":"state","subject":"product:B1","region":"NA","at":"{time}:00Z","state":"{state}"}}"#)
}

/// Logs and a disk.
struct Stage {
    rules: Rc<Rules>,
    logs: MemoryLogs,
    store: MemoryStore,
}

impl Stage {
    fn new() -> Self {
        let preset = wire::policy::preset("wwa-2024").expect("a preset").replace(r#"state_ttl = "1h""#, r#"state_ttl = "none""#);
        let policies = Policies::new(wire::policy::parse(&preset, "a test").expect("a policy")).expect("one version");
        let logs = MemoryLogs::new(1, at("2025-01-01T00:00"));
        let (rules, store) = (Rc::new(Rules::new(policies, 1)), MemoryStore::default());
        let mut stage = Self { rules, logs, store };
        stage.append(Log::Registry, "2025-01-01T00:00", BADGE);
        stage.append(Log::Health, "2025-03-01T06:00", &state("2025-03-01T06:00", "down"));
        stage.append(Log::Health, "2025-03-02T06:00", &state("2025-03-02T06:00", "up"));
        stage.pass("2025-03-04T00:00");
        stage
    }

    fn append(&mut self, log: Log, time: &str, text: &str) {
        self.logs.set_now(at(time));
        self.logs.append_to(log, 0, "", text.as_bytes()).expect("simulated logs take all");
    }

    fn pass(&mut self, time: &str) {
        let tick = String::from_utf8(wire::tick::TICK.to_vec()).expect("a text");
        self.append(Log::Health, time, &tick);
        self.append(Log::Registry, time, &tick);
    }

    /// A process from its start on, until it crashes or has nothing to do; it reads health up to an offset.
    fn run(&mut self, crash: Crash, health_to: u64) {
        let (mut counts, mut logs) = (BatchCounts::default(), self.logs.clone());
        let (mut sink, mut stores) = (Sink(&mut logs, crash), Store(&mut self.store, crash));
        let io = &mut Io { sink: &mut sink, stores: &mut stores, counts: &mut counts };
        let done = live(&self.rules, &self.logs, health_to, io);
        assert_eq!(done.is_err(), crash != Crash::Never, "{crash:?}: {done:?}");
    }

    /// What a reader takes in: of each owner's decisions each number once, with one content.
    fn issued(&self) -> Vec<Decision> {
        let mut issued: BTreeMap<(Issuer, u64), Vec<u8>> = BTreeMap::new();
        for record in [Log::Decisions, Log::Programme].into_iter().flat_map(|log| self.logs.records(log)) {
            let stamp = wire::decision::parse(&record.payload).expect("a decision").evidence.issued.expect("it was issued");
            let first = issued.entry((stamp.by, stamp.seq)).or_insert_with(|| record.payload.clone());
            assert_eq!(*first, record.payload, "published again with other content");
        }
        issued.values().map(|bytes| wire::decision::parse(bytes).expect("a decision")).collect()
    }
}

fn live(rules: &Rc<Rules>, logs: &MemoryLogs, health_to: u64, io: &mut Io<'_>) -> Result<(), Error> {
    let mut node = Node::open(rules, &[0], true, io)?;
    for record in logs.records(Log::Registry) {
        node.take_registry(record.as_record(), io)?;
    }
    node.settle_registry(io)?;
    let mut said = 0;
    for round in 0..3 {
        for record in logs.records(Log::Dependencies).iter().skip(said) {
            node.take_dependency(record.as_record())?;
            said += 1;
        }
        let health = logs.records(Log::Health);
        for record in health.iter().filter(|record| round == 0 && record.offset < health_to) {
            node.take_health(record.as_record(), io)?;
        }
        node.tick(io)?;
    }
    Ok(())
}

/// Crashes one after the other, a late record after each; in the end one removal, and as it is implied by all.
fn check(crashes: &[(Crash, u64)]) {
    let mut stage = Stage::new();
    for (number, &(crash, health_to)) in (0..).zip(crashes) {
        stage.run(crash, health_to);
        // A minute of January that nobody knew of: the budget is used up a minute earlier.
        let from = format!("2025-01-1{number}T00:00");
        stage.append(Log::Health, "2025-03-04T00:00", &state(&from, "down"));
        stage.append(Log::Health, "2025-03-04T00:00", &state(&from.replace("00:00", "00:01"), "up"));
    }
    stage.pass("2025-03-06T00:00");
    stage.run(Crash::Never, u64::MAX);
    let issued = stage.issued();
    let of = |kind: DecisionKind| issued.iter().filter(|decision| decision.kind == kind).count();
    assert_eq!(
        (of(DecisionKind::BadgeRemoval), of(DecisionKind::Reversal), of(DecisionKind::Suspension)),
        (1, 0, 1),
        "{crashes:?}"
    );
    let is_removal = |one: &&Decision| one.evidence.amends.unwrap_or(one.kind) == DecisionKind::BadgeRemoval;
    let late_ms = i64::try_from(crashes.len()).expect("few") * 60_000;
    let breach = Timestamp::clamped(at("2025-03-01T06:00").ms() + 22_075_201 - late_ms);
    assert_eq!(issued.iter().filter(is_removal).map(|one| one.at).min(), Some(breach), "{crashes:?}");
}

#[test]
fn there_is_one_removal_wherever_the_process_crashes() {
    const ALL: u64 = u64::MAX;
    check(&[]);
    check(&[(Crash::BeforePublication, ALL)]);
    check(&[(Crash::BeforeMark, ALL)]);
    // Restarted, and dead again before it is as far as its journal.
    check(&[(Crash::BeforePublication, ALL), (Crash::Never, 2)]);
    check(&[(Crash::BeforeMark, ALL), (Crash::Never, 2), (Crash::Never, 1)]);
    check(&[(Crash::BeforePublication, ALL), (Crash::Never, 1), (Crash::Never, ALL)]);
}
