//! R14: probation, its months, and what restarts it.

use domain::decision::DecisionKind;
use domain::{Policy, Region, Timestamp};

use super::{World, at, lasting, standing};

const COURSE: [DecisionKind; 5] = [
    DecisionKind::ProbationMonthPassed,
    DecisionKind::Reinstatement,
    DecisionKind::ReinstatementHeld,
    DecisionKind::ProbationRestarted,
    DecisionKind::ProbationStarted,
];

/// Down for seven hours on 1 March, so that probation starts at 07:00.
fn removed(policy: Policy) -> World {
    let world = World::one(policy, "2025-01-01").up("product:B1", "2025-01-01");
    world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00")
}

fn check(world: &World, until: &str, expected: &[&str]) {
    let lines: Vec<String> = expected.iter().map(|line| format!("{line} B1 m-1 global")).collect();
    world.decides_of(until, &COURSE, &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn probation_starts_once_the_run_has_ended() {
    let started = "2025-03-01T07:00:00.000Z probation_started []";
    let world = removed(lasting());
    for (until, standing_then, expected) in [
        ("2025-03-01T06:07:55.200", "warned", &[][..]),
        ("2025-03-01T06:07:55.201", "removed", &[]),
        ("2025-03-01T07:05", "removed", &[]),
        ("2025-03-01T07:05:00.001", "probation", &[started]),
    ] {
        check(&world, until, expected);
        assert_eq!(standing(&world.report(until)).0, standing_then, "{until}");
    }
}

#[test]
fn a_month_breaks_at_its_own_budget() {
    // March to April from 07:00 has 31 days: 1,874,880 ms.
    let passed = "2025-04-01T07:00:00.000Z probation_month_passed []";
    let started = "2025-03-01T07:00:00.000Z probation_started []";
    let fine = removed(lasting()).down_for("product:B1", "2025-03-20", 1_874_880);
    check(&fine, "2025-04-02", &[started, passed]);
    let broken = removed(lasting()).down_for("product:B1", "2025-03-20", 1_874_881);
    check(&broken, "2025-04-02", &[started, "2025-03-20T00:31:14.881Z probation_restarted [budget]"]);
    // Exceeded at the month's very end, by a run that goes on: that month's.
    let at_end = removed(lasting()).down_for("product:B1", "2025-04-01T06:28:45.119", 3_600_000);
    check(&at_end, "2025-04-02", &[started, "2025-04-01T07:28:45.119Z probation_restarted [budget]"]);
    assert_eq!(standing(&at_end.report("2025-04-01T07:10")).0, "removed");
    let split = removed(lasting()).down_for("product:B1", "2025-04-01T06:28:45.120", 3_600_000);
    check(&split, "2025-04-02", &[started, passed]);
}

#[test]
fn outages_since_the_start_break_a_month() {
    let mut world = removed(Policy { outages_max: 1, ..lasting() });
    world = world.down_for("product:B1", "2025-03-10", 300_000).down_for("product:B1", "2025-04-10", 300_000);
    let expected = [
        "2025-03-01T07:00:00.000Z probation_started []",
        "2025-04-01T07:00:00.000Z probation_month_passed []",
        "2025-04-10T00:05:00.000Z probation_restarted [outages]",
    ];
    check(&world, "2025-05-01", &expected);
    let report = world.report("2025-05-01");
    let probation = report.products[0].probation.map(|probation| (probation.started, probation.months_passed));
    assert_eq!(probation, Some((at("2025-04-10T00:05"), 0)));
}

#[test]
fn a_dark_month_restarts_at_its_end() {
    let check_measured = |from: &str, expected: &str| {
        let world = removed(lasting()).state("product:B1", Region::Na, "2025-03-02", domain::HealthState::Unknown);
        let world = world.up("product:B1", from);
        check(&world, "2025-04-01T07:00", &["2025-03-01T07:00:00.000Z probation_started []", expected]);
    };
    // 17 h before, so 15 d 12 h − 17 h at the end are half of the month.
    check_measured("2025-03-17T12:00", "2025-04-01T07:00:00.000Z probation_month_passed []");
    check_measured("2025-03-17T12:00:00.001", "2025-04-01T07:00:00.000Z probation_restarted [coverage]");
}

#[test]
fn an_outage_that_begins_with_the_probation_is_in_it() {
    let world = |outages_max: u32| {
        let policy = Policy { outages_max, probation_months: 1, ..lasting() };
        let world = removed(policy).state("product:B1", Region::Na, "2025-03-02", domain::HealthState::Unknown);
        world.down("product:B1", Region::Na, "2025-04-01T07:00", "2025-04-01T07:05")
    };
    let started = "2025-03-01T07:00:00.000Z probation_started []";
    let dark = "2025-04-01T07:00:00.000Z probation_restarted [coverage]";
    check(&world(0), "2025-04-20", &[started, dark, "2025-04-01T07:05:00.000Z probation_restarted [outages]"]);
    let passed = "2025-05-01T07:00:00.000Z probation_month_passed []";
    check(&world(5), "2025-05-02", &[started, dark, passed, "2025-05-01T07:00:00.000Z reinstatement []"]);
    assert_eq!(world(5).report("2025-05-02").products[0].outages.len(), 1);
}

#[test]
fn months_are_counted_from_the_start() {
    let report = removed(lasting()).report("2025-05-20");
    let probation = report.products[0].probation.map(|probation| (probation.started, probation.months_passed));
    assert_eq!(probation, Some((at("2025-03-01T07:00"), 2)));
}

#[test]
fn warnings_are_judged_afresh_at_the_reinstatement() {
    // 1,800,000 ms in each month, within its budget; together more than 20 % of the year's.
    let mut policy = lasting();
    policy.warnings.watch_budget = domain::Ppm::new(200_000).unwrap();
    let mut world = removed(policy);
    for month in 3..=5 {
        world = world.down_for("product:B1", &format!("2025-0{month}-20"), 1_800_000);
    }
    let kinds = [DecisionKind::Warning, DecisionKind::Reinstatement, DecisionKind::BadgeRemoval];
    let report = world.decides_of(
        "2025-06-02",
        &kinds,
        &[
            "2025-03-01T01:13:35.040Z warning [watch:budget] B1 m-1 global",
            "2025-03-01T04:35:56.400Z warning [warning:budget] B1 m-1 global",
            "2025-03-01T05:31:07.680Z warning [critical:budget] B1 m-1 global",
            "2025-03-01T06:07:55.201Z badge_removal [budget] B1 m-1 global",
            "2025-06-01T07:00:00.000Z reinstatement [] B1 m-1 global",
            "2025-06-01T07:00:00.000Z warning [watch:budget] B1 m-1 global",
        ],
    );
    assert_eq!(report.products[0].window.from, at("2025-03-01T07:00"));
    // With a window of a month or so the same three are a breach, at that very instant.
    let window = domain::policy::WindowRule::Rolling(domain::DurationMs::days(89));
    world.policies = Policy { window, ..lasting() }.into();
    let report = world.report("2025-06-02");
    let last = report.decisions.iter().filter(|decision| decision.kind == DecisionKind::BadgeRemoval).map(|decision| decision.at);
    assert_eq!(last.collect::<Vec<Timestamp>>(), [at("2025-03-01T01:29:42.721"), at("2025-06-01T07:00")]);
}
