//! R11, R13, R16: breaches, removals, suspensions.

use domain::decision::DecisionKind;
use domain::event::HealthState;
use domain::policy::WindowRule;
use domain::{DurationMs, Policy, Region};

use super::{World, lasting, standing};

const STATE: [DecisionKind; 3] = [DecisionKind::BadgeRemoval, DecisionKind::Suspension, DecisionKind::SuspensionLifted];

#[test]
fn two_breaches_at_one_instant_are_one() {
    let check = |window: i64, expected: &str| {
        let window = WindowRule::Rolling(DurationMs(window));
        let policy = Policy { window, min_duration: DurationMs(100_000), ..lasting() };
        let mut world = World::one(policy, "2025-03-01").up("product:B1", "2025-03-01");
        for day in 1..=6 {
            world = world.down_for("product:B1", &format!("2025-03-0{day}T12:00"), 100_000);
        }
        world.decides_of("2025-03-07", &[DecisionKind::BadgeRemoval], &[expected]);
    };
    // 0.07 % of it is 599,999.4 ms, six outages are 600,000 ms.
    check(857_142_000, "2025-03-06T12:01:40.000Z badge_removal [budget outages] B1 m-1 global");
    check(857_142_857, "2025-03-06T12:01:40.000Z badge_removal [budget outages] B1 m-1 global");
    check(857_142_858, "2025-03-06T12:01:40.000Z badge_removal [outages] B1 m-1 global");
    check(857_140_000, "2025-03-06T12:01:39.999Z badge_removal [budget] B1 m-1 global");
}

#[test]
fn the_year_that_ends_is_judged_at_the_reset() {
    let check = |from: &str, expected: &[&str]| {
        let policy = Policy { window: WindowRule::ResetsOn { month: 1, day: 1 }, ..lasting() };
        let world = World::one(policy, "2024-06-01").up("product:B1", "2024-06-01");
        let world = world.down("product:B1", Region::Na, from, "2025-01-01T01:00");
        world.decides_of("2025-02-01", &[DecisionKind::BadgeRemoval], expected);
    };
    check("2024-12-31T17:51:04.320", &[]);
    check("2024-12-31T17:51:04.319", &["2025-01-01T00:00:00.000Z badge_removal [budget] B1 m-1 global"]);
}

#[test]
fn a_badge_is_not_removed_when_it_is_withdrawn() {
    let check = |withdrawn: &str, expected: &[&str]| {
        let world = World::one(lasting(), "2025-01-01").up("product:B1", "2025-01-01").withdraw("B1", withdrawn);
        let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
        let report = world.decides_of("2025-04-01", &STATE, expected);
        assert_eq!(standing(&report), ("withdrawn", None));
    };
    check("2025-03-01T06:07:55.201", &[]);
    check(
        "2025-03-01T06:07:55.202",
        &["2025-03-01T06:07:55.201Z badge_removal [budget] B1 m-1 global", "2025-03-01T06:07:55.201Z suspension [] - m-1 global"],
    );
}

#[test]
fn a_badge_withdrawn_before_it_is_enabled_is_never_held() {
    let world = World::one(lasting(), "2025-02-01").withdraw("B1", "2025-01-01");
    let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
    let report = world.decides("2025-04-01", &[]);
    assert_eq!(standing(&report), ("withdrawn", None));
    assert_eq!((report.products[0].downtime_ms, report.products[0].coverage), (0, None));
}

#[test]
fn withdrawing_a_removed_product_ends_its_part_in_a_suspension() {
    let check = |withdrawn: &str, until: &str, lifted: Option<&str>| {
        let world = World::one(lasting(), "2025-01-01").withdraw("B1", withdrawn);
        let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
        let world = world.state("product:B1", Region::Na, "2025-03-02", HealthState::Unknown);
        let mut expected = vec![
            "2025-03-01T06:07:55.201Z badge_removal [budget] B1 m-1 global".to_owned(),
            "2025-03-01T06:07:55.201Z suspension [] - m-1 global".to_owned(),
        ];
        expected.extend(lifted.map(|at| format!("{at}Z suspension_lifted [] - m-1 global")));
        let report = world.decides_of(until, &STATE, &expected.iter().map(String::as_str).collect::<Vec<_>>());
        let [manufacturer] = report.manufacturers.as_slice() else { panic!("one manufacturer") };
        assert_eq!(manufacturer.suspended, lifted.is_none());
        assert_eq!(manufacturer.removed.len(), usize::from(lifted.is_none()));
    };
    let soonest = "2025-06-01T06:07:55.201";
    check("2025-03-02", soonest, Some(soonest));
    check("2025-03-02", "2025-06-01T06:07:55.200", None);
    // Dark all the time, so never reinstated: the part ends with the badge.
    check("2025-08-01", "2025-09-01", Some("2025-08-01T00:00:00.000"));
    check("2025-08-01", "2025-07-31", None);
}

#[test]
fn a_suspension_lasts_while_any_product_is_removed() {
    // Reinstated on 1 June at 07:00, and on 2 June at 07:00.
    let world = World::new(lasting()).badge("B1", "m-1", r#""US""#, "2025-01-01").badge("B2", "m-1", r#""US""#, "2025-01-01");
    let world = world.up("product:B1", "2025-01-01").up("product:B2", "2025-01-01");
    let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
    let world = world.down("product:B2", Region::Na, "2025-03-02", "2025-03-02T07:00");
    world.decides_of(
        "2025-07-01",
        &STATE[1..],
        &["2025-03-01T06:07:55.201Z suspension [] - m-1 global", "2025-06-02T07:00:00.000Z suspension_lifted [] - m-1 global"],
    );
    // The manufacturer of one of them changes in between.
    let world = world.change("B2", "2025-04-01", r#""manufacturer": "m-2""#);
    let report = world.decides_of(
        "2025-07-01",
        &STATE[1..],
        &[
            "2025-03-01T06:07:55.201Z suspension [] - m-1 global",
            "2025-04-01T00:00:00.000Z suspension [] - m-2 global",
            "2025-06-01T07:00:00.000Z suspension_lifted [] - m-1 global",
            "2025-06-02T07:00:00.000Z suspension_lifted [] - m-2 global",
        ],
    );
    let standings: Vec<_> = report.manufacturers.iter().map(|row| (row.id.as_str(), row.suspended, row.removed.len())).collect();
    assert_eq!(standings, [("m-1", false, 0), ("m-2", false, 0)]);
}

#[test]
fn a_suspension_that_goes_over_has_no_gap() {
    // B2's removal is at the instant of B1's reinstatement: 1 June 07:00.
    let world = World::new(lasting()).badge("B1", "m-1", r#""US""#, "2025-01-01").badge("B2", "m-1", r#""US""#, "2025-01-01");
    let world = world.up("product:B1", "2025-01-01").up("product:B2", "2025-01-01");
    let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
    let world = world.down("product:B2", Region::Na, "2025-06-01T00:52:04.799", "2025-06-01T08:00");
    world.decides_of(
        "2025-07-01",
        &STATE,
        &[
            "2025-03-01T06:07:55.201Z badge_removal [budget] B1 m-1 global",
            "2025-03-01T06:07:55.201Z suspension [] - m-1 global",
            "2025-06-01T07:00:00.000Z badge_removal [budget] B2 m-1 global",
        ],
    );
}
