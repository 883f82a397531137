//! R12: warnings, their hysteresis, the projection, coverage warnings, critical outages.

use domain::decision::DecisionKind;
use domain::event::HealthState;
use domain::policy::WindowRule;
use domain::{DurationMs, Policy, Ppm, Region};

use super::{World, at, lasting, preset, regional, standing};

/// Ten days of which `target` is to be kept.
fn ten_days(target: u32) -> Policy {
    let target = Ppm::new(target).unwrap();
    Policy { target, window: WindowRule::Rolling(DurationMs::days(10)), ..lasting() }
}

#[test]
fn budget_reasons_begin_at_the_millisecond() {
    let world = World::one(preset(), "2025-01-01").up("product:B1", "2025-01-01");
    let world = World { policies: Policy { state_ttl: None, ..preset() }.into(), ..world };
    let world = world.down_for("product:B1", "2025-03-01", 19_867_680);
    let report = world.decides(
        "2025-03-02",
        &[
            "2025-03-01T03:03:57.600Z warning [watch:budget] B1 m-1 global",
            "2025-03-01T04:35:56.400Z warning [warning:budget] B1 m-1 global",
            "2025-03-01T05:31:07.680Z warning [critical:budget] B1 m-1 global",
            "2025-03-02T00:00:00.000Z warning [warning:projection] B1 m-1 global",
        ],
    );
    assert_eq!(standing(&report), ("warned", Some("critical")));
    assert_eq!(standing(&world.report("2025-03-01T03:03:57.600")), ("warned", Some("watch")));
    assert_eq!(standing(&world.report("2025-03-01T03:03:57.599")), ("good", None));
}

#[test]
fn a_budget_reason_lapses_hysteresis_lower() {
    let check = |second: &str, expected: &[&str]| {
        // Half of the budget is 432,000 ms, lapsed at 388,800 ms.
        let world = World::one(ten_days(999_000), "2025-03-01").up("product:B1", "2025-03-01");
        let world =
            world.down_for("product:B1", "2025-03-02", 432_000).down("product:B1", Region::Na, second, "2025-03-12T00:10");
        world.decides("2025-03-12T01:00", expected);
    };
    let first = "2025-03-02T00:07:12.000Z warning [watch:budget] B1 m-1 global";
    check("2025-03-12T00:00:43.199", &[first]);
    check("2025-03-12T00:00:43.200", &[first, "2025-03-12T00:07:55.200Z warning [watch:budget] B1 m-1 global"]);
}

#[test]
fn outage_reasons_lapse_with_the_count() {
    let mut world = World::one(ten_days(990_000), "2025-02-01").up("product:B1", "2025-02-01");
    for start in ["2025-03-01", "2025-03-02", "2025-03-03", "2025-03-04", "2025-03-05", "2025-03-11T12:00"] {
        world = world.down_for("product:B1", start, 300_000);
    }
    let report = world.decides(
        "2025-03-11T13:00",
        &[
            "2025-03-04T00:05:00.000Z warning [warning:outages] B1 m-1 global",
            "2025-03-05T00:05:00.000Z warning [critical:outages] B1 m-1 global",
            "2025-03-11T12:05:00.000Z warning [critical:outages] B1 m-1 global",
        ],
    );
    assert_eq!(standing(&report), ("warned", Some("critical")));
    assert_eq!(standing(&world.report("2025-03-11T00:05")), ("warned", Some("warning")));
    assert_eq!(standing(&world.report("2025-03-11T00:04:59.999")), ("warned", Some("critical")));
}

#[test]
fn reasons_of_one_instant_are_one_decision() {
    let policy = Policy { min_duration: DurationMs(216_000), ..ten_days(998_000) };
    let mut world = World::one(policy, "2025-03-01").up("product:B1", "2025-03-01");
    for start in ["2025-03-02", "2025-03-03", "2025-03-04", "2025-03-05"] {
        world = world.down_for("product:B1", start, 216_000);
    }
    world.decides("2025-03-06", &["2025-03-05T00:03:36.000Z warning [watch:budget warning:outages] B1 m-1 global"]);
}

#[test]
fn nothing_used_warns_of_nothing() {
    let none = Ppm::new(0).unwrap();
    let mut policy = ten_days(1_000_000);
    policy.outages_max = 9;
    (policy.warnings.watch_budget, policy.warnings.warning_outages) = (none, 0);
    let world = World::one(policy.clone(), "2025-03-01").up("product:B1", "2025-03-01");
    world.decides("2025-03-03", &[]);
    // Every budget is exceeded by the first millisecond; removals have no warnings.
    let removal =
        ["2025-03-02T00:00:00.001Z badge_removal [budget] B1 m-1 global", "2025-03-02T00:00:00.001Z suspension [] - m-1 global"];
    world.down_for("product:B1", "2025-03-02", 300_000).decides("2025-03-02T00:05", &removal);
    policy.target = Ppm::new(0).unwrap();
    policy.warnings.warning_budget = Ppm::new(1_000_000).unwrap();
    let world = World::one(policy, "2025-03-01").up("product:B1", "2025-03-01").down_for("product:B1", "2025-03-02", 300_000);
    let expected = [
        "2025-03-02T00:00:00.001Z warning [watch:budget] B1 m-1 global",
        "2025-03-02T00:05:00.000Z warning [warning:outages] B1 m-1 global",
    ];
    world.decides("2025-03-03", &expected);
}

#[test]
fn the_projection_is_judged_at_midnight() {
    let check = |first: i64, second: i64, expected: &[&str]| {
        let policy = Policy { state_ttl: None, ..preset() };
        let world = World::one(policy, "2025-03-01").up("product:B1", "2025-03-01");
        let world = world.down_for("product:B1", "2025-03-02", first).down_for("product:B1", "2025-03-12T06:00", second);
        world.decides("2025-03-14", expected);
    };
    let watch = "2025-03-02T03:03:57.600Z warning [watch:budget] B1 m-1 global";
    let begins = "2025-03-03T00:00:00.000Z warning [warning:projection] B1 m-1 global";
    let again = "2025-03-13T00:00:00.000Z warning [warning:projection] B1 m-1 global";
    // Thirty days of the same as the last thirty would use up exactly the budget.
    check(11_037_600, 1, &[watch]);
    check(11_037_601, 2_088_194, &[watch, begins]);
    check(11_037_601, 2_088_195, &[watch, begins, again]);
}

#[test]
fn the_projection_forgets_the_year_that_ended() {
    let policy = Policy { window: WindowRule::ResetsOn { month: 3, day: 10 }, state_ttl: None, ..preset() };
    let world =
        World::one(policy, "2025-02-01").up("product:B1", "2025-02-01").down_for("product:B1", "2025-03-08T12:00", 11_037_601);
    let world = world.down_for("product:B1", "2025-03-10T12:00", 2_088_195);
    let kept = world.decides(
        "2025-03-11",
        &[
            "2025-03-08T15:03:57.600Z warning [watch:budget] B1 m-1 global",
            "2025-03-09T00:00:00.000Z warning [warning:projection] B1 m-1 global",
        ],
    );
    assert_eq!(standing(&kept), ("good", None));
    assert_eq!(standing(&world.report("2025-03-09T23:59:59.999")), ("warned", Some("warning")));
    assert_eq!(standing(&world.report("2025-03-10")), ("good", None));
}

#[test]
fn coverage_warnings_need_a_badged_day() {
    let check = |enabled_at: &str, states: &[(&str, HealthState)], expected: &[&str]| {
        let mut world = World::one(lasting(), enabled_at);
        for (from, state) in states {
            world = world.state("product:B1", Region::Na, from, *state);
        }
        let lines: Vec<String> = expected.iter().map(|at| format!("{at} coverage_warning [coverage] B1 m-1 global")).collect();
        let report = world.decides("2025-03-06", &lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(standing(&report), ("good", None));
    };
    let (second, third, fifth) = ("2025-03-02T00:00:00.000Z", "2025-03-03T00:00:00.000Z", "2025-03-05T00:00:00.000Z");
    check("2025-03-01", &[], &[second]);
    check("2025-03-01T00:00:00.001", &[], &[third]);
    check("2025-03-01", &[("2025-03-01", HealthState::Up)], &[]);
    check("2025-03-01", &[("2025-03-01T12:00", HealthState::Up)], &[]);
    check("2025-03-01", &[("2025-03-01T12:00:00.001", HealthState::Up)], &[second]);
    // 12 h of 24 h, 12 of 48, 36 of 72, 36 of 96, 36 of 120.
    let (up, unknown) = (HealthState::Up, HealthState::Unknown);
    let on_and_off = [("2025-03-01T12:00", up), ("2025-03-02", unknown), ("2025-03-03", up), ("2025-03-04", unknown)];
    check("2025-03-01", &on_and_off, &[third, fifth]);
}

#[test]
fn critical_outages_are_told_of_each_run_of_a_scope() {
    let check = |policy: &Policy, until: &str, expected: &[&str]| {
        let policy = Policy { critical_outage_acknowledge_within: Some(DurationMs::days(1)), ..policy.clone() };
        let world = World::new(policy).badge("B1", "m-1", r#""US", "DE""#, "2025-03-01").withdraw("B1", "2025-03-02T00:05");
        let world = world.down("product:B1", Region::Eu, "2025-03-01T10:00", "2025-03-01T10:03");
        let world = world.down("product:B1", Region::Na, "2025-03-01T10:02", "2025-03-01T10:06");
        let world = world.down("product:B1", Region::Eu, "2025-03-02T00:00", "2025-03-02T09:00");
        world.decides_of(until, &[DecisionKind::CriticalOutage], expected);
    };
    let first = "2025-03-01T10:05:00.000Z critical_outage [] B1 m-1 global";
    let last = "2025-03-02T00:05:00.000Z critical_outage [] B1 m-1";
    check(&lasting(), "2025-03-02T00:04:59.999", &[first]);
    check(&lasting(), "2025-03-02T00:05", &[first, &format!("{last} global")]);
    check(&regional(), "2025-03-03", &[&format!("{last} EU")]);
}

#[test]
fn usage_is_counted_by_the_year_with_resets() {
    let policy = Policy { window: WindowRule::ResetsOn { month: 1, day: 1 }, state_ttl: None, ..preset() };
    let world = World::one(policy, "2024-06-01").up("product:B1", "2024-06-01");
    let world = world.down("product:B1", Region::Na, "2024-12-31T18:00", "2025-01-01T06:00");
    let report = world.decides(
        "2025-01-01T12:00",
        &[
            "2024-12-31T21:04:27.840Z warning [watch:budget] B1 m-1 global",
            "2024-12-31T22:36:41.760Z warning [warning:budget] B1 m-1 global",
            "2024-12-31T23:32:02.112Z warning [critical:budget] B1 m-1 global",
            "2025-01-01T00:00:00.000Z warning [warning:projection] B1 m-1 global",
            "2025-01-01T03:03:57.600Z warning [watch:budget] B1 m-1 global",
            "2025-01-01T04:35:56.400Z warning [warning:budget] B1 m-1 global",
            "2025-01-01T05:31:07.680Z warning [critical:budget] B1 m-1 global",
        ],
    );
    assert_eq!((report.products[0].downtime_ms, report.products[0].budget_ms), (21_600_000, 22_075_200));
    let new_year = world.report("2025-01-01");
    assert_eq!(standing(&new_year), ("good", None));
    assert_eq!((new_year.products[0].window.from, new_year.products[0].downtime_ms), (at("2025-01-01"), 0));
    let old_year = world.report("2024-12-31T23:59:59.999");
    assert_eq!((old_year.products[0].downtime_ms, old_year.products[0].budget_ms), (21_599_999, 22_135_680));
    assert_eq!(old_year.products[0].window.from, at("2024-06-01"));
}
