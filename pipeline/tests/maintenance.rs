//! Declared maintenance asks for an exclusion (R4): once, whatever happens to its owner, and with effect once somebody
//! approves.

use std::rc::Rc;

use domain::programme::{Action, Entity, EntityId, Entry};
use domain::{Policies, Timestamp};
use pipeline::rehearsal::{Line, Rehearsal};
use pipeline::{Io, Node, Rules, Taken};
use ports::{Log, MemoryLogs, MemoryStore, RecordSink};
use telemetry::BatchCounts;

const BADGE: &str = r#"{"type":"badge","asin":"B1","manufacturer":"m-1","skill":"s-1","marketplaces":["US"],"enabled_at":"2025-01-01T00:00:00Z"}"#;
const HOUR_MS: i64 = 3_600_000;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{text}:00Z")).expect("an instant")
}

fn policies(state_ttl: &str) -> Policies {
    let ttl = format!("state_ttl = {state_ttl:?}");
    let preset = wire::policy::preset("wwa-2024").expect("a preset").replace(r#"state_ttl = "1h""#, &ttl);
    Policies::new(wire::policy::parse(&preset, "a test").expect("a policy")).expect("one version")
}

fn state(subject: &str, region: &str, time: &str, state: &str) -> String {
    format!(
        r#"{{"v":1,"type":"state","subject":"{subject}","region":"{region}","at":"{time}:00Z","state":"{state}","reporter":"gw-1"}}"#
    )
}

fn id(subject: &str, from: &str, to: &str) -> String {
    format!("maintenance-{}-NA-{}-{}", subject.replace(':', "-"), at(from).ms(), at(to).ms())
}

/// Who asked for which exclusions, and when that is dated, in the order of the registry's log.
fn asked(lines: &[Vec<u8>]) -> Vec<(String, String, Timestamp)> {
    let entries = lines.iter().filter_map(|line| wire::entry::parse(line).ok());
    let request = |entry| match entry {
        Entry::Command(command) => match &command.action {
            Action::RequestExclusion(form) => Some((form.id.to_string(), command.by.clone(), command.at)),
            _ => None,
        },
        Entry::Fact(_) | Entry::Issued(_) => None,
    };
    entries.filter_map(request).collect()
}

struct Story {
    rehearsal: Rehearsal,
    issued: Vec<String>,
}

fn told(state_ttl: &str, registry: &[&str], events: &[String], until: &str) -> Story {
    let registry: Vec<Line> = registry.iter().map(|line| Line::registry(line.as_bytes())).collect();
    let events: Vec<Line> = events.iter().map(|line| Line::event(line.as_bytes())).collect();
    let mut rehearsal = Rehearsal::open(policies(state_ttl), at("2025-01-01T00:00")).expect("memory");
    let mut issued = Vec::new();
    let mut note = |_: Timestamp, decision: &domain::Decision| issued.push(decision.kind.to_string());
    rehearsal.run(&registry, &events, at(until), &mut note).expect("memory");
    Story { rehearsal, issued }
}

impl Story {
    fn asked(&self) -> Vec<String> {
        assert!(self.rehearsal.rejected().is_empty(), "{:?}", self.rehearsal.rejected());
        asked(&self.rehearsal.registry_lines()).into_iter().map(|(id, ..)| id).collect()
    }

    fn trail(&self, exclusion: &str) -> Vec<String> {
        let book = self.rehearsal.node().tables().registry.book();
        let entity: Option<Entity> = book.entity(&EntityId::parse(&format!("exclusion:{exclusion}")).expect("an id"));
        let steps = entity.map(|entity| entity.trail().steps.clone()).unwrap_or_default();
        steps.iter().map(|step| format!("{} {} {}", step.at, step.by, step.status)).collect()
    }
}

/// Seven hours of maintenance, more than a year's budget, and what the team says of the request.
fn check_answer(answer: &str, status: &str, is_removed: bool) {
    let subject = "product:B1";
    let exclusion = id(subject, "2025-03-01T00:00", "2025-03-01T07:00");
    let answer = format!(
        r#"{{"type":"{answer}_exclusion","command":"c-1","at":"2025-03-01T12:00:00Z","by":"team","exclusion":"{exclusion}","note":"checked"}}"#
    );
    let events = [
        state(subject, "NA", "2025-01-01T00:00", "up"),
        state(subject, "NA", "2025-03-01T00:00", "maintenance"),
        state(subject, "NA", "2025-03-01T03:00", "maintenance"),
        state(subject, "NA", "2025-03-01T07:00", "up"),
    ];
    let story = told("none", &[BADGE, &answer], &events, "2025-03-05T00:00");
    assert_eq!(story.asked(), [exclusion.as_str()]);
    let expected = ["2025-03-01T07:00:00.000Z gw-1 requested".to_owned(), format!("2025-03-01T12:00:00.000Z team {status}")];
    assert_eq!(story.trail(&exclusion), expected);
    assert_eq!(story.issued.iter().any(|kind| kind == "badge_removal"), is_removed, "{:?}", story.issued);
    let downtime: i64 = story.rehearsal.node().partitions()[0].standings().map(|standing| standing.downtime_ms).sum();
    assert_eq!(downtime, if is_removed { 7 * HOUR_MS } else { 0 });
}

#[test]
fn maintenance_is_downtime_until_its_exclusion_is_approved() {
    check_answer("approve", "approved", false);
    check_answer("decline", "declined", true);
}

fn check_asked(state_ttl: &str, events: &[String], until: &str, expected: &[String]) {
    assert_eq!(told(state_ttl, &[BADGE], events, until).asked(), expected, "{events:?}");
}

#[test]
fn a_request_is_for_a_stretch_of_maintenance_of_what_a_badge_has_to_do_with() {
    let skill = "skill:s-1";
    let two = |region: &str, to: &str| {
        [state(skill, region, "2025-03-01T01:00", "maintenance"), state(skill, region, "2025-03-01T02:00", to)]
    };
    check_asked("none", &two("NA", "up"), "2025-03-01T09:00", &[id(skill, "2025-03-01T01:00", "2025-03-01T02:00")]);
    check_asked("none", &two("NA", "down"), "2025-03-01T09:00", &[id(skill, "2025-03-01T01:00", "2025-03-01T02:00")]);
    check_asked("none", &two("EU", "up"), "2025-03-01T09:00", &[]);
    // It isn't over for an hour yet.
    check_asked("none", &two("NA", "up"), "2025-03-01T03:00", &[]);
    // It has no end, or one by the length that a state holds.
    check_asked("none", &two("NA", "maintenance"), "2025-03-01T23:00", &[]);
    check_asked("1h", &two("NA", "maintenance"), "2025-03-01T23:00", &[id(skill, "2025-03-01T01:00", "2025-03-01T03:00")]);
    // Once it lasts longer than a day it is asked for by day.
    let days = [id(skill, "2025-03-01T01:00", "2025-03-02T00:00"), id(skill, "2025-03-02T00:00", "2025-03-03T00:00")];
    check_asked("none", &two("NA", "maintenance"), "2025-03-03T12:00", &days);
}

#[test]
fn late_evidence_asks_anew_and_flapping_does_not_flood() {
    let subject = "product:B1";
    let minute =
        |minute: usize, told: &str| state(subject, "NA", &format!("2025-03-01T{:02}:{:02}", minute / 60, minute % 60), told);
    let flapping: Vec<String> = (0..600).map(|step| minute(step, if step % 2 == 0 { "maintenance" } else { "up" })).collect();
    let whole = id(subject, "2025-03-01T00:00", "2025-03-01T09:59");
    check_asked("none", &flapping, "2025-03-01T23:00", std::slice::from_ref(&whole));
    // The last line is late: maintenance was over for hours after all.
    let mut events: Vec<String> = vec![minute(0, "maintenance"), minute(599, "up"), minute(900, "up")];
    events.push(minute(300, "up"));
    check_asked("none", &events, "2025-03-01T23:00", &[whole, id(subject, "2025-03-01T00:00", "2025-03-01T05:00")]);
}

#[test]
fn maintenance_before_the_badge_is_known_is_asked_for_once_it_is() {
    let listing = r#"{"type":"listing","asin":"B1","marketplace":"US","at":"2025-03-02T06:00:00Z","status":"live"}"#;
    // It is appended behind the listing.
    let change = r#"{"type":"badge","asin":"B1","at":"2025-03-01T00:00:00Z","marketplaces":["US","DE"]}"#;
    let events =
        [state("product:B1", "EU", "2025-03-01T22:00", "maintenance"), state("product:B1", "EU", "2025-03-01T23:00", "up")];
    let expected = id("product:B1", "2025-03-01T22:00", "2025-03-01T23:00").replace("-NA-", "-EU-");
    assert_eq!(told("none", &[BADGE, listing, change], &events, "2025-03-02T09:00").asked(), [expected]);
    assert!(told("none", &[BADGE, listing], &events, "2025-03-02T09:00").asked().is_empty());
}

/// A process, its disk, and the logs.
struct Stage {
    rules: Rc<Rules>,
    logs: MemoryLogs,
    store: MemoryStore,
    counts: BatchCounts,
    node: Option<Node>,
}

impl Stage {
    fn new() -> Self {
        let logs = MemoryLogs::new(1, at("2025-01-01T00:00"));
        let (store, counts) = (MemoryStore::default(), BatchCounts::default());
        let mut stage = Self { rules: Rc::new(Rules::new(policies("none"), 1)), logs, store, counts, node: None };
        stage.open();
        stage.append(Log::Registry, "2025-01-01T00:00", BADGE.as_bytes());
        stage
    }

    fn open(&mut self) {
        let rules = Rc::clone(&self.rules);
        self.node = Some(self.with_io(|io| Node::open(&rules, &[0], true, io).expect("no port fails")));
    }

    fn append(&mut self, log: Log, time: &str, line: &[u8]) {
        self.logs.set_now(at(time));
        self.logs.append_to(log, 0, "", line).expect("simulated logs take all");
    }

    fn with_io<T>(&mut self, act: impl FnOnce(&mut Io<'_>) -> T) -> T {
        act(&mut Io { sink: &mut self.logs, stores: &mut self.store, counts: &mut self.counts })
    }

    fn with_node(&mut self, act: impl FnOnce(&mut Node, &mut Io<'_>)) {
        let mut node = self.node.take().expect("it is open");
        self.with_io(|io| act(&mut node, io));
        self.node = Some(node);
    }

    /// Time passes in all logs, and everything is read.
    fn pass(&mut self, time: &str) {
        for log in [Log::Health, Log::Registry] {
            self.append(log, time, wire::tick::TICK);
        }
        self.read(usize::MAX);
    }

    /// Reads what is there, of the registry so many records.
    fn read(&mut self, facts: usize) {
        let [registry, health, dependencies] = [Log::Registry, Log::Health, Log::Dependencies].map(|log| self.logs.records(log));
        self.with_node(|node, io| {
            registry.iter().take(facts).for_each(|record| node.take_registry(record.as_record(), io).expect("no port fails"));
            node.settle_registry(io).expect("no port fails");
            dependencies.iter().for_each(|record| node.take_dependency(record.as_record()).expect("an owner's record"));
            for record in &health {
                assert_eq!(node.take_health(record.as_record(), io).expect("no port fails"), Taken::Done);
            }
            node.tick(io).expect("no port fails");
        });
    }

    fn checkpoint(&mut self) {
        self.with_node(|node, io| {
            node.begin_checkpoint();
            assert!(node.checkpoint(usize::MAX, io).expect("no port fails"));
        });
    }

    fn asked(&self) -> Vec<(String, String, Timestamp)> {
        asked(&self.logs.records(Log::Registry).into_iter().map(|record| record.payload).collect::<Vec<_>>())
    }
}

/// A restart after each of these hours of a maintenance from 01:00 to 20:00, by then with everything of before stored or
/// not: what is asked for is the same, once.
fn check_restarts(hours: &[u32], is_stored: bool) {
    let mut stage = Stage::new();
    let subject = "product:B1";
    for hour in 0..24 {
        let time = format!("2025-03-01T{hour:02}:00");
        match hour {
            1 => stage.append(Log::Health, &time, state(subject, "NA", &time, "maintenance").as_bytes()),
            20 => stage.append(Log::Health, &time, state(subject, "NA", &time, "up").as_bytes()),
            _ => {}
        }
        stage.pass(&time);
        if hours.contains(&hour) {
            if is_stored {
                stage.checkpoint();
            }
            stage.open();
        }
    }
    stage.pass("2025-03-03T00:00");
    let (from, to) = ("2025-03-01T01:00", "2025-03-01T20:00");
    assert_eq!(stage.asked(), [(id(subject, from, to), "gw-1".to_owned(), at(to))], "{hours:?} {is_stored}");
}

#[test]
fn whatever_restarts_there_are_each_exclusion_is_asked_for_once() {
    for is_stored in [false, true] {
        check_restarts(&[], is_stored);
        check_restarts(&[5], is_stored);
        // The declaration's page has left memory by then.
        check_restarts(&[15, 19], is_stored);
        check_restarts(&[20, 21], is_stored);
        check_restarts(&[22, 23], is_stored);
        check_restarts(&(0..24).collect::<Vec<_>>(), is_stored);
    }
}

#[test]
fn what_was_asked_for_and_is_not_read_back_is_said_again_as_the_same_command() {
    let mut stage = Stage::new();
    stage.append(Log::Health, "2025-03-01T00:00", state("product:B1", "NA", "2025-03-01T00:00", "maintenance").as_bytes());
    stage.append(Log::Health, "2025-03-01T01:00", state("product:B1", "NA", "2025-03-01T01:00", "up").as_bytes());
    stage.pass("2025-03-01T03:00");
    stage.pass("2025-03-01T04:00");
    assert_eq!(stage.asked().len(), 1);
    // The next owner looks before it reads the request.
    let read = stage.logs.records(Log::Registry).len() - 1;
    stage.open();
    stage.read(read);
    stage.pass("2025-03-01T05:00");
    stage.pass("2025-03-01T06:00");
    let asked = stage.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1]);
    assert!(stage.logs.records(Log::Rejected).is_empty());
    let book = stage.node.as_ref().expect("it is open").tables().registry.book();
    assert_eq!(book.ids().filter(|id| matches!(id, EntityId::Exclusion(_))).count(), 1);
}
