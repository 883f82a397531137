//! Rejected lines that are replayed: each counts once, whatever is appended again and whoever crashes.

use std::rc::Rc;

use domain::event::EventRef;
use domain::rejection::{LineSource, RejectReason};
use domain::{Policies, Timestamp};
use ingest::partition_of;
use pipeline::{Evaluation, Io, Node, Rules};
use ports::{Log, MemoryLogs, MemoryStore, RecordSink};
use telemetry::BatchCounts;
use wire::replayed::Replayed;

/// Subjects that a checkpoint stores at a time.
const SUBJECTS_MAX: usize = 10;

struct Stage {
    rules: Rc<Rules>,
    logs: MemoryLogs,
    store: MemoryStore,
    counts: BatchCounts,
    node: Node,
    /// An hour passes with each append.
    hours: i64,
}

fn policies() -> Policies {
    Policies::new(wire::policy::parse(wire::policy::preset("wwa-2024").expect("a preset"), "a test").expect("a policy"))
        .expect("one version")
}

fn badge(asin: &str) -> String {
    format!(r#"{{"type":"badge","asin":"{asin}","manufacturer":"m-1","marketplaces":["US"],"enabled_at":0}}"#)
}

fn event(asin: &str) -> String {
    let at = "1970-01-01T00:00:00Z";
    format!(r#"{{"v":1,"type":"outcome","subject":"product:{asin}","region":"NA","at":"{at}","ok":0,"failed":10}}"#)
}

fn home(asin: &str, partitions: u32) -> u32 {
    let line = event(asin);
    let parsed = wire::event::parse(line.as_bytes()).expect("an event");
    let event: EventRef<'_> = parsed.event();
    partition_of(event.subject, partitions)
}

/// A product whose owner is a partition.
fn product_of(partition: u32, partitions: u32) -> String {
    (1..).map(|n| format!("B{n}")).find(|asin| home(asin, partitions) == partition).expect("a product")
}

fn replay((partition, offset, line): (u32, u64, u64), event: &str) -> String {
    let replayed = Replayed { partition, offset, line, event: event.into() };
    String::from_utf8(wire::replayed::write(&replayed)).expect("JSON is UTF-8")
}

impl Stage {
    fn new(partitions: u32) -> Self {
        let rules = Rc::new(Rules::new(policies(), partitions));
        let (mut logs, mut store) = (MemoryLogs::new(partitions, Timestamp::MIN), MemoryStore::default());
        let mut counts = BatchCounts::default();
        let node = open(&rules, &mut Io { sink: &mut logs, stores: &mut store, counts: &mut counts });
        Self { rules, logs, store, counts, node, hours: 0 }
    }

    /// Opens the process anew, as after a crash: on its last checkpoint.
    fn reopen(&mut self) {
        let Self { rules, logs, store, counts, .. } = self;
        self.node = open(rules, &mut Io { sink: logs, stores: store, counts });
        self.read();
    }

    /// Appends and reads; yields how many events count, how many are dropped as repeated, and how many are rejected,
    /// of what is new.
    fn say(&mut self, log: Log, partition: u32, text: &str) -> (u64, u64, u64) {
        self.counts = BatchCounts::default();
        self.hours += 1;
        self.logs.set_now(Timestamp::clamped(self.hours * 60 * 60_000));
        self.logs.append_to(log, partition, "", text.as_bytes()).expect("simulated logs take all");
        if log != Log::Registry {
            self.logs.append_to(Log::Registry, 0, "", wire::tick::TICK).expect("simulated logs take all");
        }
        // What is sent on is read in the second round.
        self.read();
        self.read();
        (self.counts.accepted, self.counts.duplicate, self.counts.rejected_total())
    }

    fn read(&mut self) {
        let Self { logs, store, counts, node, .. } = self;
        let (registry, health) = (logs.records(Log::Registry), logs.records(Log::Health));
        let mut io = Io { sink: logs, stores: store, counts };
        for record in &registry {
            node.take_registry(record.as_record(), &mut io).expect("no port fails");
        }
        node.settle_registry(&mut io).expect("no port fails");
        for record in &health {
            node.take_health(record.as_record(), &mut io).expect("no port fails");
        }
    }

    fn checkpoint(&mut self) {
        let Self { logs, store, counts, node, .. } = self;
        node.begin_checkpoint();
        while !node.checkpoint(SUBJECTS_MAX, &mut Io { sink: logs, stores: store, counts }).expect("no port fails") {}
    }

    fn rejected(&self, reason: RejectReason) -> u64 {
        self.counts.rejected(LineSource::Events, reason)
    }
}

fn open(rules: &Rc<Rules>, io: &mut Io<'_>) -> Node {
    let owned: Vec<u32> = (0..rules.partitions).collect();
    Node::open(rules, &owned, true, io).expect("no port fails")
}

#[test]
fn an_unknown_product_s_event_counts_once_it_is_registered() {
    let mut stage = Stage::new(1);
    assert_eq!(stage.say(Log::Health, 0, &event("B1")), (0, 0, 1));
    // Too early: it is rejected anew, at the replay's own place.
    assert_eq!(stage.say(Log::Health, 0, &replay((0, 0, 1), &event("B1"))), (0, 0, 1));
    assert_eq!(stage.rejected(RejectReason::UnknownSubject), 1);
    stage.say(Log::Registry, 0, &badge("B1"));
    assert_eq!(stage.say(Log::Health, 0, &replay((0, 0, 1), &event("B1"))), (0, 1, 0), "that one was replayed");
    assert_eq!(stage.say(Log::Health, 0, &replay((0, 1, 1), &event("B1"))), (1, 0, 0));
    assert_eq!(stage.say(Log::Health, 0, &replay((0, 1, 1), &event("B1"))), (0, 1, 0));
    let last = wire::rejected::read(&stage.logs.records(Log::Rejected)[1].payload).expect("a rejected line");
    assert_eq!((last.source.offset, last.payload), (1, Some(event("B1"))));
}

#[test]
fn a_line_that_is_repaired_twice_counts_once_whoever_owns_what_it_is_about() {
    let (here, there) = (product_of(0, 2), product_of(1, 2));
    let mut stage = Stage::new(2);
    stage.say(Log::Registry, 0, &badge(&here));
    stage.say(Log::Registry, 0, &badge(&there));
    assert_eq!(stage.say(Log::Health, 0, "nonsense"), (0, 0, 1));
    assert_eq!(stage.say(Log::Health, 0, &replay((0, 0, 1), &event(&there))), (1, 0, 0), "it is sent on");
    assert_eq!(stage.counts.rerouted, 1);
    assert_eq!(stage.say(Log::Health, 0, &replay((0, 0, 1), &event(&here))), (0, 1, 0));
    let both = [replay((0, 0, 1), &event(&here)), event(&here), replay((0, 0, 1), &event(&there))].join("\n");
    assert_eq!(stage.say(Log::Health, 0, &both), (1, 2, 0));
}

#[test]
fn a_replay_is_known_after_a_crash_whatever_was_stored() {
    for is_stored in [false, true] {
        let mut stage = Stage::new(1);
        stage.say(Log::Registry, 0, &badge("B1"));
        stage.say(Log::Health, 0, "nonsense\nnonsense");
        stage.say(Log::Health, 0, &replay((0, 0, 2), &event("B1")));
        if is_stored {
            stage.checkpoint();
        }
        stage.reopen();
        assert_eq!(stage.say(Log::Health, 0, &replay((0, 0, 2), &event("B1"))), (0, 1, 0), "{is_stored}");
        assert_eq!(stage.say(Log::Health, 0, &replay((0, 0, 1), &event("B1"))), (1, 0, 0), "{is_stored}");
    }
}

#[test]
fn a_replay_of_what_is_not_before_it_is_rejected() {
    let mut stage = Stage::new(2);
    stage.say(Log::Registry, 0, &badge("B1"));
    stage.say(Log::Health, 0, "nonsense");
    let mut check = |of: (u32, u64, u64), to: u32| {
        let said = stage.say(Log::Health, to, &replay(of, &event("B1")));
        assert_eq!((said, stage.rejected(RejectReason::InvalidField)), ((0, 0, 1), 1), "{of:?} in {to}");
    };
    check((0, 0, 1), 1);
    check((0, 1, 1), 0);
    check((0, u64::MAX, 1), 0);
    check((7, 0, 1), 0);
    assert_eq!(stage.say(Log::Health, 0, r#"{"v":1,"type":"replayed","offset":0}"#), (0, 0, 1));
    assert_eq!(stage.say(Log::Health, 0, &replay((0, 0, 1), &event("B1"))), (1, 0, 0), "none of them used it up");
}

#[test]
fn over_bounded_input_a_line_counts_as_it_was_or_as_it_was_replayed() {
    let check = |lines: &[String], registered: &[&str], downtime_ms: i64| {
        let mut evaluation = Evaluation::new(policies());
        (1..).zip(registered).for_each(|(line, asin)| evaluation.registry_line(line, badge(asin).as_bytes()));
        evaluation.settle_registry(None);
        (1..).zip(lines).for_each(|(line, text)| evaluation.event_line(line, text.as_bytes()));
        let report = evaluation.finish(Timestamp::clamped(60 * 60_000));
        assert_eq!(report.products.iter().map(|product| product.downtime_ms).sum::<i64>(), downtime_ms, "{lines:?}");
    };
    // Ten attempts are too few to judge a minute; twenty are enough.
    let again = replay((0, 0, 1), &event("B1"));
    check(&["nonsense".to_owned(), again.clone()], &["B1"], 0);
    check(&["nonsense".to_owned(), again.clone(), event("B1")], &["B1"], 60_000);
    check(&["nonsense".to_owned(), again.clone(), again.clone()], &["B1"], 0);
    check(&[event("B1"), again.clone()], &["B1"], 0);
    let chain = [event("B2"), replay((0, 0, 1), &event("B2")), replay((0, 1, 1), &event("B1")), event("B1")];
    check(&chain, &["B1"], 60_000);
}
