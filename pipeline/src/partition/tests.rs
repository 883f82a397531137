//! An owner from within: its limits, and what it says of skills.

use domain::event::HealthState;
use domain::id::{Asin, SkillId};
use ports::memory::StoredRecord;
use ports::{MemoryLogs, MemoryStore, Record};
use wire::dependency::DependencyRecord;

use super::late::WAITING_EVENTS_MAX;
use super::*;
use crate::tables::{Dependencies, Tables};

const BADGE: &str = r#"{"type":"badge","asin":"B1","manufacturer":"m-1","marketplaces":["US"],"enabled_at":0}"#;

fn policies() -> Policies {
    let preset = wire::policy::preset("wwa-2024").expect("a preset").replace(r#"state_ttl = "1h""#, r#"state_ttl = "none""#);
    Policies::new(wire::policy::parse(&preset, "a test").expect("a policy")).expect("one version")
}

fn day(number: i64, hour: i64) -> Timestamp {
    Timestamp::clamped(number * DAY_MS + hour * 60 * 60_000)
}

#[test]
fn late_events_wait_for_their_page_up_to_a_limit() {
    let rules = Rc::new(Rules::new(policies(), 1));
    let (mut logs, mut store, mut counts) = (MemoryLogs::new(1, day(0, 0)), MemoryStore::default(), BatchCounts::default());
    let mut io = Io { sink: &mut logs, stores: &mut store, counts: &mut counts };
    let mut tables = Tables { registry: RegistryTable::new(rules.window), dependencies: Dependencies::new(1, 1) };
    tables.registry.add(0, Some(day(0, 0)), wire::entry::parse(BADGE.as_bytes()).expect("a fact")).expect("the first one");
    tables.registry.passed(0, Some(day(30, 0)));
    let (before, _) = tables.registry.settle().expect("there is something new");
    let (mut partition, _) = Partition::open(&rules, 0, &mut io).expect("an empty store is fine");
    partition.registry_changed(&before, &tables.registry);
    let line = r#"{"v":1,"type":"outcome","subject":"product:B1","region":"NA","at":"1970-01-02T00:00:00Z","ok":1,"failed":0}"#;
    let mut take = |offset: u64, appended: i64, payload: &[u8]| {
        let record = Record { partition: 0, offset, appended_at: Some(day(appended, 0)), payload, truncated: false };
        assert_eq!(partition.take(record, &tables, &mut io).expect("no port fails"), Taken::Done);
        (io.counts.accepted, io.counts.pages_loaded)
    };
    assert_eq!(take(0, 1, line.as_bytes()), (1, 0));
    assert_eq!(take(1, 30, wire::tick::TICK), (1, 0), "the page leaves memory");
    let most = u64::try_from(WAITING_EVENTS_MAX).expect("few");
    let lines = [line].repeat(WAITING_EVENTS_MAX - 1).join("\n");
    assert_eq!(take(2, 30, lines.as_bytes()), (most, 0));
    assert_eq!(take(3, 30, line.as_bytes()), (most + 1, 1));
}

/// What an owner says of a skill from state to state, each at the day and hour that it happened.
struct Told {
    policies: Policies,
    subjects: Subjects,
    skill: u32,
    outflow: Outflow,
    known: Dependencies,
    logs: MemoryLogs,
    read: usize,
}

impl Told {
    fn new() -> Self {
        let policies = policies();
        let mut subjects = Subjects::default();
        let skill = Subject::skill(&SkillId::new("s-1").expect("an id"));
        subjects.register(&skill, Timestamp::MIN);
        let number = subjects.number(skill.as_ref()).expect("it was registered");
        let (outflow, logs) = (Outflow::new(&policies), MemoryLogs::new(1, day(0, 0)));
        Self { policies, subjects, skill: number, outflow, known: Dependencies::new(1, 1), logs, read: 0 }
    }

    /// Yields the days of the pages that were published.
    fn declare(&mut self, at: Timestamp, state: HealthState) -> Vec<i64> {
        let health = self.subjects.health_mut(self.skill, Region::Na);
        if let Applied::Changed(from) = health.apply(at, EventBody::State(state), &self.policies) {
            self.outflow.note(&self.subjects, (self.skill, Region::Na), from);
        }
        let revision = self.read as u64 + 1;
        let standpoint = Standpoint { partition: 0, next_offset: revision, log_time: at, decided: None, needs_from: None };
        self.outflow.publish(standpoint, &self.subjects, &self.known, &mut self.logs).expect("simulated logs take all");
        let records = self.logs.records(Log::Dependencies);
        let new: Vec<StoredRecord> = records.into_iter().skip(self.read).collect();
        self.read += new.len();
        let mut days = Vec::new();
        for record in new {
            self.known.take(&record.payload).expect("an owner's record");
            if let Ok(DependencyRecord::Health(health)) = wire::dependency::read(&record.payload) {
                days.push(health.page.start().ms() / DAY_MS);
            }
        }
        days
    }
}

#[test]
fn a_page_whose_health_is_forgotten_is_not_said_anew() {
    let mut told = Told::new();
    assert_eq!(told.declare(day(1, 6), HealthState::Down), [1]);
    assert_eq!(told.declare(day(3, 6), HealthState::Maintenance), [1, 3]);
    told.subjects.forget(told.skill, day(3, 0));
    told.outflow.freeze(day(9, 0));
    // Day 1's state ends in day 3, of which that page is said again.
    assert_eq!(told.declare(day(10, 12), HealthState::Up), [3]);
    let down = told.known.downtime(
        told.subjects.name(told.skill),
        Region::Na,
        compute::Ask { within: domain::interval::Interval::ALWAYS, until: day(20, 0), state_ttl: None },
    );
    assert_eq!(down.ms(), (day(10, 12) - day(1, 6)).ms());
}

#[test]
fn a_partition_owns_what_its_number_says() {
    let rules = Rc::new(Rules::new(policies(), 2));
    let (mut logs, mut store, mut counts) = (MemoryLogs::new(2, day(0, 0)), MemoryStore::default(), BatchCounts::default());
    let mut io = Io { sink: &mut logs, stores: &mut store, counts: &mut counts };
    let mut table = RegistryTable::new(rules.window);
    table.add(0, Some(day(0, 0)), wire::entry::parse(BADGE.as_bytes()).expect("a fact")).expect("the first one");
    let (before, _) = table.settle().expect("there is something new");
    let asin = Asin::new("B1").expect("an ASIN");
    let home = partition_of(Subject::product(&asin).as_ref(), 2);
    for number in 0..2 {
        let (mut partition, _) = Partition::open(&rules, number, &mut io).expect("an empty store is fine");
        partition.registry_changed(&before, &table);
        assert_eq!(partition.issued(&asin).is_some(), number == home);
    }
}
