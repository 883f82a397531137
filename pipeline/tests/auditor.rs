//! The engine against the auditor, on adversarial scenarios: whatever the order, repetition or
//! batching of events and the order of facts, what is reported is the same.
//!
//! `BADGEWATCH_SEEDS=100000` tries more, `BADGEWATCH_FROM=20000` passes over the first; a failing seed is
//! replayed with `BADGEWATCH_SEED=n`. The search ends at the first that fails.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use domain::{DecisionKind, Event, Fact, Report};
use loadtest::auditor::{AuditInput, audit, differences};
use loadtest::scenario::Scenario;
use pipeline::{Evaluation, Ports, RunConfig, Until};
use ports::memory::OwnedRecord;
use ports::{Log, MemorySink, MemorySource};
use telemetry::Metrics;

/// Scenarios that are tried if nothing else is asked for.
const SEEDS: u64 = 3_000;
/// Beyond those: seeds that once found a fault.
const ONCE_FAILED: [u64; 8] = [8_662, 19_661, 20_557, 53_583, 73_972, 119_779, 132_845, 147_954];
/// Each of these differs from the auditor's report in the order of its input only.
const ORDERS: u64 = 2;

fn numbered<T: Clone>(items: &[T]) -> Vec<(u64, T)> {
    (1..).zip(items.iter().cloned()).collect()
}

fn audited(scenario: &Scenario) -> Report {
    let (facts, events) = (numbered(&scenario.facts), numbered(&scenario.events));
    audit(&AuditInput { policies: &scenario.policies, facts: &facts, events: &events, at: scenario.at })
}

fn evaluated(scenario: &Scenario, facts: &[Fact], events: &[Event]) -> Report {
    let mut evaluation = Evaluation::new(scenario.policies.clone());
    numbered(facts).into_iter().for_each(|(line, fact)| evaluation.fact(line, fact));
    evaluation.settle_registry(None);
    (1..).zip(events).for_each(|(line, event)| evaluation.event(line, &event.as_ref()));
    evaluation.finish(scenario.at)
}

/// Ids that `run` publishes when the events come in records of several lines.
fn published(scenario: &Scenario, events: &[Event], lines_per_record: usize) -> Vec<String> {
    let record = |offset, payload| OwnedRecord { partition: 0, offset, appended_at: None, payload };
    let facts = scenario.facts.iter().map(|fact| {
        let mut line = Vec::new();
        wire::fact::write(fact, &mut line);
        line
    });
    let batches = events.chunks(lines_per_record).map(|batch| {
        let mut lines = Vec::new();
        for event in batch {
            wire::event::write(&event.as_ref(), &mut lines);
            lines.push(b'\n');
        }
        lines
    });
    let mut registry = MemorySource::new((0..).zip(facts).map(|(offset, line)| record(offset, line)));
    let mut health = MemorySource::new((0..).zip(batches).map(|(offset, lines)| record(offset, lines)));
    let mut sink = MemorySink::default();
    let config =
        RunConfig { policies: scenario.policies.clone(), health_name: "health".to_owned(), registry_name: "registry".to_owned() };
    let metrics = Arc::new(Metrics::new("test").expect("metrics"));
    let ports = Ports { registry: &mut registry, health: &mut health, sink: &mut sink };
    pipeline::run_bounded(&config, Until::Instant(scenario.at), ports, &metrics, &AtomicBool::new(false), &mut |_| {})
        .expect("a run");
    let decisions = sink.appended().iter().filter(|appended| appended.log == Log::Decisions);
    decisions.map(|appended| wire::decision::read(&appended.payload).expect("a decision").id).collect()
}

/// What is wrong with a scenario; nothing, if all is well.
fn faults(scenario: &Scenario) -> Vec<String> {
    let mut expected = audited(scenario);
    let told = evaluated(scenario, &scenario.facts, &scenario.events);
    let mut faults = differences(&told, &expected);
    expected.rejected.clear();
    for order in 0..ORDERS {
        let events = if order == 0 { scenario.permuted(order) } else { scenario.duplicated(order) };
        let mut reordered = evaluated(scenario, &scenario.permuted_facts(order), &events);
        reordered.rejected.clear();
        faults.extend(differences(&reordered, &expected).into_iter().map(|fault| format!("order {order}: {fault}")));
    }
    let ids: Vec<String> = told.decisions.iter().map(|decision| decision.id.to_string()).collect();
    if published(scenario, &scenario.events, 7) != ids {
        faults.push("run in batches of seven publishes other decisions".to_owned());
    }
    if ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
        faults.push("two decisions have one id".to_owned());
    }
    faults
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn the_engine_agrees_with_the_auditor() {
    let (from, to) = (from_env("BADGEWATCH_FROM").unwrap_or(0), from_env("BADGEWATCH_SEEDS").unwrap_or(SEEDS));
    let seeds: Vec<u64> = match from_env("BADGEWATCH_SEED") {
        Some(seed) => vec![seed],
        None => (from..to).chain(ONCE_FAILED).collect(),
    };
    let (mut kinds, many) = (BTreeSet::new(), seeds.len() as u64 >= SEEDS);
    for seed in seeds {
        let scenario = Scenario::new(seed);
        let faults = faults(&scenario);
        if !faults.is_empty() {
            let small = scenario.minimized(|scenario| !self::faults(scenario).is_empty());
            panic!(
                "seed {seed}: replay with BADGEWATCH_SEED={seed} cargo test -p pipeline --test auditor\n{faults:#?}\nsmallest: {:#?}\n{small:#?}",
                self::faults(&small)
            );
        }
        kinds.extend(audited(&scenario).decisions.iter().map(|decision| decision.kind));
    }
    if many {
        let all = DecisionKind::IMPLIED.into_iter().chain([DecisionKind::Proposal]);
        assert_eq!(kinds, all.collect(), "every kind of decision was compared");
    }
}
