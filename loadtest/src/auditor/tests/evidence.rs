//! R2 to R9 and the registry: what counts, and what is made of it.

use domain::decision::{Cause, CauseSet};
use domain::event::{EventBody, HealthState};
use domain::{Region, ReporterId};

use super::super::differences::differences;
use super::{World, at, lasting, preset};

/// Raw downtime that is left of an hour, and the outages that it is shown as.
fn left(world: &World) -> i64 {
    world.report("2025-03-02").products[0].downtime_ms
}

#[test]
fn exclusions_cover_while_the_registry_ties_them() {
    let check = |target: &str, expected: i64| {
        let world = World::one(lasting(), "2025-01-01").down("product:B1", Region::Na, "2025-03-01", "2025-03-01T01:00");
        let world = world.change("B1", "2025-03-01T00:30", r#""skill": "s-2", "hub": "H1", "manufacturer": "m-2""#);
        let world = world.exclude(target, "2025-03-01T00:20", "2025-03-01T00:50");
        assert_eq!(left(&world), expected * 60_000, "{target}");
    };
    check(r#"{"all": true}"#, 30);
    check(r#"{"subject": "product:B1"}"#, 30);
    check(r#"{"subject": "skill:s-1"}"#, 50);
    check(r#"{"subject": "skill:s-2"}"#, 40);
    check(r#"{"subject": "hub:H1"}"#, 40);
    check(r#"{"manufacturer": "m-1"}"#, 50);
    check(r#"{"manufacturer": "m-2"}"#, 40);
}

#[test]
fn downtime_is_tied_and_cut_to_badged_time() {
    let world = World::one(lasting(), "2025-03-01T00:10").change("B1", "2025-03-01T00:30", r#""skill": null, "hub": "H1""#);
    let world = world.down("skill:s-1", Region::Na, "2025-02-28", "2025-03-01T00:40");
    let world = world.down("hub:H1", Region::Na, "2025-03-01T00:20", "2025-03-01T00:45");
    let world = world.down("product:B1", Region::Eu, "2025-03-01T01:00", "2025-03-01T02:00");
    let report = world.report("2025-03-02");
    let [outage] = report.products[0].outages.as_slice() else { panic!("one outage") };
    assert_eq!((outage.run.from, outage.run.to), (at("2025-03-01T00:10"), at("2025-03-01T00:45")));
    assert_eq!(outage.causes, [Cause::Skill, Cause::Hub].into_iter().collect::<CauseSet>());
    assert_eq!((outage.downtime_ms, outage.open), (35 * 60_000, false));
}

#[test]
fn of_several_states_at_one_instant_the_worst_holds() {
    let check = |states: &[HealthState], expected: i64| {
        let mut world = World::one(preset(), "2025-01-01");
        for state in states {
            world = world.state("product:B1", Region::Na, "2025-03-01", *state);
        }
        world = world.state("product:B1", Region::Na, "2025-03-01T00:10", HealthState::Up);
        assert_eq!(left(&world), expected * 60_000, "{states:?}");
    };
    check(&[HealthState::Up, HealthState::Down, HealthState::Maintenance], 10);
    check(&[HealthState::Maintenance, HealthState::Unknown], 10);
    check(&[HealthState::Unknown, HealthState::Up], 0);
}

#[test]
fn a_minute_counts_once_it_has_ended() {
    let body = EventBody::Outcome { ok: 0, failed: 20 };
    let world = World::one(lasting(), "2025-01-01").event("product:B1", Region::Na, at("2025-03-01T00:00:30"), body);
    for (until, expected) in [("2025-03-01T00:00:59.999", 0), ("2025-03-01T00:01", 60_000)] {
        assert_eq!(world.report(until).products[0].downtime_ms, expected, "{until}");
    }
}

#[test]
fn an_events_name_counts_once() {
    let count = |reporter: Option<&str>, seq: Option<u64>, failed: u32| {
        (reporter.map(|name| ReporterId::new(name).unwrap()), seq, EventBody::Outcome { ok: 0, failed })
    };
    let check = |events: Vec<(Option<ReporterId>, Option<u64>, EventBody)>, minutes: i64, rejected: &[u64]| {
        let mut world = World::one(lasting(), "2025-01-01");
        for (reporter, seq, body) in events {
            world = world.event("product:B1", Region::Na, at("2025-03-01T00:00:30"), body);
            let (_, event) = world.events.last_mut().unwrap();
            (event.reporter, event.seq) = (reporter, seq);
        }
        assert_eq!(left(&world), minutes * 60_000);
        let report = world.report("2025-03-02");
        assert_eq!(report.rejected.iter().map(|rejection| rejection.line).collect::<Vec<_>>(), rejected);
    };
    check(vec![count(Some("a"), Some(1), 10), count(Some("b"), Some(1), 10)], 1, &[]);
    check(vec![count(Some("a"), Some(1), 10), count(Some("a"), Some(1), 10)], 0, &[]);
    check(vec![count(None, Some(1), 10), count(None, Some(1), 11)], 0, &[2]);
    check(vec![count(None, None, 10), count(None, None, 10)], 1, &[]);
}

#[test]
fn lines_that_do_not_count_are_told() {
    let exclusion = |id: &str, target: &str, to: &str| {
        format!(
            r#"{{"type": "exclusion", "id": "{id}", "applies_to": {target}, "from": "2025-03-01T00:00:00Z", "to": "{to}", "reason": "dispute", "approved_by": "team"}}"#
        )
    };
    let maker = |name: &str| format!(r#"{{"type": "manufacturer", "id": "m-9", "name": "{name}", "contacts": []}}"#);
    let all = r#"{"all": true}"#;
    let world = World::new(lasting()).change("B1", "2025-02-01", r#""skill": "s-9""#).badge("B1", "m-1", r#""US""#, "2025-01-01");
    let world = world.badge("B1", "m-1", r#""US""#, "2025-01-01").change("B1", "2025-02-01", r#""skill": "s-8""#);
    let world = world.change("B2", "2025-02-01", r#""skill": "s-8""#).withdraw("B2", "2025-02-01");
    let world = world.line(&exclusion("x-1", r#"{"subject": "skill:s-8"}"#, "2025-03-02T00:00:00Z"));
    let world = world.line(&exclusion("x-1", r#"{"subject": "skill:s-9"}"#, "2025-03-02T00:00:00Z"));
    let world = world.line(&exclusion("x-1", r#"{"subject": "skill:s-9"}"#, "2025-03-02T00:00:00Z"));
    let world =
        world.line(&exclusion("x-1", all, "2025-03-02T00:00:00Z")).line(&maker("Nine")).line(&maker("Nine")).line(&maker("9"));
    let world = world.line(&exclusion("x-2", r#"{"manufacturer": "m-9"}"#, "2025-03-02T00:00:00Z"));
    let world = world.line(&exclusion("x-3", r#"{"manufacturer": "m-8"}"#, "2025-03-02T00:00:00Z"));
    let world = world.up("product:B1", "2025-03-01").up("skill:s-8", "2025-03-01").up("hub:B1", "2025-03-01");
    let report = world.report("2025-03-03");
    let told: Vec<String> = report
        .rejected
        .iter()
        .map(|rejection| format!("{} {} {}", rejection.source.as_str(), rejection.line, rejection.reason))
        .collect();
    assert_eq!(
        told,
        [
            "registry 3 conflicting_duplicate",
            "registry 4 conflicting_duplicate",
            "registry 5 unknown_subject",
            "registry 6 unknown_subject",
            "registry 7 unknown_subject",
            // The one before waits for its skill, and keeps its name.
            "registry 8 conflicting_duplicate",
            "registry 9 conflicting_duplicate",
            "registry 10 conflicting_duplicate",
            "registry 13 conflicting_duplicate",
            "registry 15 unknown_subject",
            "events 2 unknown_subject",
            "events 3 unknown_subject",
        ]
    );
    assert_eq!(report.manufacturers.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["m-1", "m-9"]);
}

#[test]
fn coverage_and_observed_availability_count_measured_time_only() {
    // Up for an hour, silent for one, down for half an hour, of which a quarter is excused.
    let world = World::one(lasting(), "2025-03-01").up("product:B1", "2025-03-01");
    let world = world.state("product:B1", Region::Na, "2025-03-01T01:00", HealthState::Unknown);
    let world = world.down("skill:s-1", Region::Na, "2025-03-01T02:00", "2025-03-01T02:30");
    let world = world.exclude(r#"{"all": true}"#, "2025-03-01T02:00", "2025-03-01T02:15");
    let report = world.report("2025-03-01T05:00");
    let product = &report.products[0];
    assert_eq!(product.coverage.map(domain::Ratio::ten_millionths), Some(2_000_000));
    assert_eq!(product.observed_availability.map(domain::Ratio::ten_millionths), Some(8_000_000));
    assert_eq!(
        product.availability.map(domain::Ratio::ten_millionths),
        domain::Ratio::of(365 * 96 - 1, 365 * 96).map(domain::Ratio::ten_millionths)
    );
    let silent = World::one(lasting(), "2025-03-01").report("2025-03-01");
    assert_eq!((silent.products[0].coverage, silent.products[0].observed_availability), (None, None));
    assert_eq!(World::one(lasting(), "2025-03-01T00:00:00.001").report("2025-03-01").products, []);
}

#[test]
fn differences_name_what_differs() {
    let world = World::one(lasting(), "2025-01-01").down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
    let audit = world.report("2025-03-02");
    assert_eq!(differences(&audit, &audit), Vec::<String>::new());
    let mut engine = audit.clone();
    engine.products[0].downtime_ms += 1;
    engine.manufacturers[0].suspended = false;
    engine.decisions.retain(|decision| decision.asin.is_some());
    engine.decisions[0].id.0[0] = 1;
    assert_eq!(
        differences(&engine, &audit),
        [
            "B1 global: downtime_ms: engine 25200001, auditor 25200000",
            "m-1 global: suspended: engine false, auditor true",
            "decisions: only the auditor has 2025-03-01T06:07:55.201Z suspension [] - m-1 global by wwa-2024 v1",
        ]
    );
    engine = audit.clone();
    engine.decisions.swap(0, 1);
    assert_eq!(differences(&engine, &audit).len(), 1);
}
