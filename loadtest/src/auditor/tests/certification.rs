//! R15: what keeps a badge from coming back.

use domain::Region;
use domain::decision::DecisionKind;

use super::{World, lasting, standing};

const COURSE: [DecisionKind; 4] = [
    DecisionKind::Reinstatement,
    DecisionKind::ReinstatementHeld,
    DecisionKind::ProbationRestarted,
    DecisionKind::ProbationStarted,
];

/// Down for seven hours on 1 March, so that probation starts at 07:00 and is passed on 1 June.
fn passed() -> World {
    let world = World::one(lasting(), "2025-01-01").up("product:B1", "2025-01-01");
    world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00")
}

fn listing(marketplace: &str, at: &str, fields: &str) -> String {
    format!(r#"{{"type": "listing", "asin": "B1", "marketplace": "{marketplace}", "at": "{at}", {fields}}}"#)
}

fn check(world: &World, until: &str, expected: &[&str]) {
    let started = ["2025-03-01T07:00:00.000Z probation_started []"];
    let lines: Vec<String> = started.iter().chain(expected).map(|line| format!("{line} B1 m-1 global")).collect();
    world.decides_of(until, &COURSE, &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn every_requirement_has_its_reason() {
    let check = |lines: &[String], reasons: &str| {
        let world = lines.iter().fold(passed(), |world, line| world.line(line));
        let expected = match reasons {
            "" => "2025-06-01T07:00:00.000Z reinstatement []".to_owned(),
            reasons => format!("2025-06-01T07:00:00.000Z reinstatement_held [{reasons}]"),
        };
        check(&world, "2025-06-15", &[&expected]);
    };
    let us = |fields: &str| listing("US", "2025-05-01T00:00:00Z", fields);
    check(&[us(r#""status": "live""#)], "");
    check(
        &[us(r#""status": "unavailable", "brand": "Other", "model": "Two", "image": "x", "hub": "H1""#)],
        "listing:US:unavailable brand:US model:US hub:US",
    );
    check(&[us(r#""status": "live", "brand": "Acme", "model": "One", "hub": null"#)], "");
    check(&[listing("DE", "2025-05-01T00:00:00Z", r#""status": "suppressed""#)], "");
    let skill = |status: &str| {
        format!(
            r#"{{"type": "skill_listing", "skill": "s-1", "marketplace": "US", "at": "2025-06-01T07:00:00Z", "status": "{status}"}}"#
        )
    };
    check(&[skill("invalid")], "skill:US:invalid");
    check(&[skill("published")], "");
    check(&[skill("published"), skill("unavailable")], "skill:US:unavailable");
    // Of two at one instant the worse; a later one replaces the earlier whole; a fact at the
    // month's end is in force.
    check(&[us(r#""status": "invalid""#), us(r#""status": "suppressed""#), us(r#""status": "live""#)], "listing:US:suppressed");
    check(&[us(r#""status": "live", "brand": "Other""#), us(r#""status": "live""#)], "brand:US");
    check(&[us(r#""status": "live", "brand": "Other""#), listing("US", "2025-06-01T07:00:00Z", r#""status": "live""#)], "");
    check(&[us(r#""status": "live""#), listing("US", "2025-06-01T07:00:00Z", r#""status": "invalid""#)], "listing:US:invalid");
    check(&[us(r#""status": "live""#), listing("US", "2025-06-01T07:00:00.001Z", r#""status": "invalid""#)], "");
}

#[test]
fn a_held_badge_is_granted_by_a_fact_or_a_change() {
    let held = "2025-06-01T07:00:00.000Z reinstatement_held [brand:US]";
    let world = || passed().line(&listing("US", "2025-05-01T00:00:00Z", r#""status": "live", "brand": "Other""#));
    check(&world(), "2025-07-15", &[held]);
    let report = world().report("2025-07-15");
    assert_eq!(standing(&report), ("held", None));
    let told = report.decisions.iter().filter(|decision| decision.kind == DecisionKind::ProbationMonthPassed);
    assert_eq!(told.count(), 3);
    assert_eq!(report.products[0].probation.map(|probation| probation.months_passed), Some(4));
    let granted = "2025-07-10T00:00:00.000Z reinstatement []";
    check(&world().line(&listing("US", "2025-07-10T00:00:00Z", r#""status": "live""#)), "2025-07-15", &[held, granted]);
    check(&world().change("B1", "2025-07-10", r#""brand": "Other""#), "2025-07-15", &[held, granted]);
}

#[test]
fn months_go_on_being_judged_while_held() {
    let held = "2025-06-01T07:00:00.000Z reinstatement_held [listing:US:invalid]";
    let world = |live_at: &str| {
        let world = passed().line(&listing("US", "2025-05-01T00:00:00Z", r#""status": "invalid""#));
        world.line(&listing("US", live_at, r#""status": "live""#)).down_for("product:B1", "2025-06-20", 1_814_401)
    };
    // June has 30 days: 1,814,400 ms. At one instant a break comes before a catalogue fact.
    let broken = "2025-06-20T00:30:14.401Z probation_restarted [budget]";
    check(&world("2025-06-20T00:30:14.401Z"), "2025-07-15", &[held, broken]);
    check(&world("2025-06-20T00:30:14.400Z"), "2025-07-15", &[held, "2025-06-20T00:30:14.400Z reinstatement []"]);
}

#[test]
fn a_dark_month_while_held_restarts_before_a_fact_of_its_end() {
    let world = |live_at: &str| {
        let world = passed().line(&listing("US", "2025-05-01T00:00:00Z", r#""status": "invalid""#));
        let world = world.line(&listing("US", live_at, r#""status": "live""#));
        world.state("product:B1", Region::Na, "2025-06-02", domain::HealthState::Unknown)
    };
    let held = "2025-06-01T07:00:00.000Z reinstatement_held [listing:US:invalid]";
    check(&world("2025-07-01T07:00:00Z"), "2025-07-15", &[held, "2025-07-01T07:00:00.000Z probation_restarted [coverage]"]);
    check(&world("2025-07-01T06:59:59.999Z"), "2025-07-15", &[held, "2025-07-01T06:59:59.999Z reinstatement []"]);
}
