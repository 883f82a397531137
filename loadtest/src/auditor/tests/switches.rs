//! R18: what is carried from one version of a policy to the next.

use domain::decision::DecisionKind;
use domain::event::{EventBody, HealthState};
use domain::{DurationMs, Policy, Ppm, Region, Timestamp};

use super::{COURSE, World, at, lasting, regional, then};

/// B1 of m-1 in the US and in Germany, up in both.
fn two_regions(first: Policy, switches: &[(&str, Policy)]) -> World {
    let world = World::new(then(first, switches)).badge("B1", "m-1", r#""US", "DE""#, "2025-01-01");
    let world = world.up("product:B1", "2025-01-01");
    world.state("product:B1", Region::Eu, "2025-01-01", HealthState::Up)
}

/// B1 in the US, up.
fn one_region(first: Policy, switches: &[(&str, Policy)]) -> World {
    World::one(then(first, switches), "2025-01-01").up("product:B1", "2025-01-01")
}

fn share(ppm: u32) -> Ppm {
    Ppm::new(ppm).unwrap()
}

/// Scope, standing and warning of each row.
fn rows(world: &World, until: &str) -> Vec<String> {
    let row = |product: &domain::report::ProductStanding| {
        let level = product.warning_level.map_or(String::new(), |level| format!(" {}", level.as_str()));
        format!("{} {}{level}", product.scope, product.standing.as_str())
    };
    world.report(until).products.iter().map(row).collect()
}

const REMOVED: [&str; 2] =
    ["2025-03-01T06:07:55.201Z badge_removal [budget] B1 m-1 global", "2025-03-01T06:07:55.201Z suspension [] - m-1 global"];

#[test]
fn a_warning_is_carried_to_every_region_and_lapses_where_it_has_no_cause() {
    let world = two_regions(lasting(), &[("2025-02-01", regional())]);
    assert_eq!(rows(&world, "2025-03-01"), ["EU good", "NA good"]);
    let world = world.down("product:B1", Region::Na, "2025-01-10", "2025-01-10T04:00");
    world.decides("2025-03-01", &["2025-01-10T03:03:57.600Z warning [watch:budget] B1 m-1 global"]);
    assert_eq!(rows(&world, "2025-01-31"), ["global warned watch"]);
    assert_eq!(rows(&world, "2025-03-01"), ["EU good", "NA warned watch"]);
}

#[test]
fn a_removal_is_carried_to_every_region() {
    let check = |switch: &str, until: &str, expected: &[&str]| {
        let world = two_regions(lasting(), &[(switch, regional())]);
        let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
        world.decides_of(until, &COURSE, &[&REMOVED, expected].concat());
    };
    // Each waits for the end of its own run; in Europe none holds the breach.
    check(
        "2025-03-01T06:30",
        "2025-03-02",
        &["2025-03-01T06:30:00.000Z probation_started [] B1 m-1 EU", "2025-03-01T07:00:00.000Z probation_started [] B1 m-1 NA"],
    );
    check("2025-03-01T07:00", "2025-03-01T07:00", &["2025-03-01T07:00:00.000Z probation_started [] B1 m-1 EU"]);
    check(
        "2025-03-01T07:00",
        "2025-03-02",
        &["2025-03-01T07:00:00.000Z probation_started [] B1 m-1 EU", "2025-03-01T07:00:00.000Z probation_started [] B1 m-1 NA"],
    );
    // A probation keeps its start and its months; the suspension is lifted where it goes on.
    check(
        "2025-04-15",
        "2025-07-01",
        &[
            "2025-03-01T07:00:00.000Z probation_started [] B1 m-1 global",
            "2025-04-01T07:00:00.000Z probation_month_passed [] B1 m-1 global",
            "2025-05-01T07:00:00.000Z probation_month_passed [] B1 m-1 EU",
            "2025-05-01T07:00:00.000Z probation_month_passed [] B1 m-1 NA",
            "2025-06-01T07:00:00.000Z probation_month_passed [] B1 m-1 EU",
            "2025-06-01T07:00:00.000Z probation_month_passed [] B1 m-1 NA",
            "2025-06-01T07:00:00.000Z reinstatement [] B1 m-1 EU",
            "2025-06-01T07:00:00.000Z reinstatement [] B1 m-1 NA",
            "2025-06-01T07:00:00.000Z suspension_lifted [] - m-1 EU",
            "2025-06-01T07:00:00.000Z suspension_lifted [] - m-1 NA",
        ],
    );
}

#[test]
fn a_held_badge_is_held_in_the_region_that_holds_it_back() {
    let world = two_regions(lasting(), &[("2025-06-10", regional())]);
    let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
    let world = world.line(
        r#"{"type": "listing", "asin": "B1", "marketplace": "DE", "at": "2025-05-01T00:00:00Z", "status": "live", "brand": "Other"}"#,
    );
    let kinds = [DecisionKind::Reinstatement, DecisionKind::ReinstatementHeld, DecisionKind::SuspensionLifted];
    let report = world.decides_of(
        "2025-06-15",
        &kinds,
        &[
            "2025-06-01T07:00:00.000Z reinstatement_held [brand:DE] B1 m-1 global",
            "2025-06-10T00:00:00.000Z reinstatement [] B1 m-1 NA",
            "2025-06-10T00:00:00.000Z suspension_lifted [] - m-1 NA",
        ],
    );
    assert_eq!(rows(&world, "2025-06-15"), ["EU held", "NA good"]);
    let manufacturers: Vec<_> = report.manufacturers.iter().map(|row| (row.scope.as_str(), row.suspended)).collect();
    assert_eq!(manufacturers, [("EU", true), ("NA", false)]);
    assert_eq!(report.products[1].window.from, at("2025-03-01T07:00"), "the floor is carried, too");
}

#[test]
fn a_region_that_begins_at_the_switch_starts_afresh() {
    let check = |gained: &str, expected: &[&str]| {
        let world = one_region(lasting(), &[("2025-04-15", regional())]);
        let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
        let world = world.change("B1", gained, r#""marketplaces": ["US", "DE"]"#);
        assert_eq!(rows(&world, "2025-04-16"), expected, "{gained}");
    };
    check("2025-04-14T23:59:59.999", &["EU probation", "NA probation"]);
    check("2025-04-15", &["EU good", "NA probation"]);
}

/// Regions that become a global scope, and what it is then: standing, start of probation, months.
#[test]
fn the_worst_region_holds_globally() {
    let world = |switch: &str| two_regions(regional(), &[(switch, lasting())]);
    let check = |world: &World, until: &str, expected: &str| {
        let report = world.report(until);
        let [product] = report.products.as_slice() else { panic!("one scope") };
        let probation = product.probation.map_or(String::new(), |course| format!(" {} {}", course.started, course.months_passed));
        assert_eq!(format!("{}{probation}", product.standing.as_str()), expected, "until {until}");
        let decided = report.decisions.iter().filter(|decision| decision.scope == domain::Scope::Global);
        assert_eq!(decided.count(), 0, "the switch decides nothing");
        assert!(report.manufacturers.iter().all(|m| m.suspended == matches!(&expected[..4], "remo" | "prob" | "held")));
    };
    let na = |world: World| world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
    let eu = |world: World| world.down("product:B1", Region::Eu, "2025-03-10", "2025-03-10T07:00");
    check(&world("2025-04-15"), "2025-04-16", "good");
    check(&na(world("2025-03-01T06:30")), "2025-03-01T06:45", "removed");
    check(&na(world("2025-04-15")), "2025-04-16", "probation 2025-03-01T07:00:00.000Z 1");
    check(&na(eu(world("2025-04-15"))), "2025-04-16", "probation 2025-03-10T07:00:00.000Z 1");
    // Removed is worse than in probation, be it earlier.
    check(&na(eu(world("2025-03-10T06:30"))), "2025-03-10T06:45", "removed");
    // Only regions that are held are asked; what happened in others counts by the new numbers.
    let lost = na(two_regions(regional(), &[("2025-04-15", Policy { target: share(998_000), ..lasting() })]));
    check(&lost.change("B1", "2025-04-01", r#""marketplaces": ["DE"]"#), "2025-04-16", "good");
    let listing = r#"{"type": "listing", "asin": "B1", "marketplace": "US", "at": "2025-05-01T00:00:00Z", "status": "invalid"}"#;
    check(&na(world("2025-06-05")).line(listing), "2025-06-06", "held 2025-03-01T07:00:00.000Z 3");
    // In probation is worse than held.
    check(&na(eu(world("2025-06-05"))).line(listing), "2025-06-06", "probation 2025-03-10T07:00:00.000Z 2");
}

#[test]
fn where_no_region_is_held_all_are_asked() {
    let world = two_regions(regional(), &[("2025-04-15", lasting())]).withdraw("B1", "2025-04-01");
    let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
    let suspended = |until: &str| world.report(until).manufacturers[0].suspended;
    assert_eq!(rows(&world, "2025-04-16"), ["global withdrawn"]);
    assert!(suspended("2025-06-01T06:07:55.200"));
    assert!(!suspended("2025-06-01T06:07:55.201"));
}

#[test]
fn what_was_atoned_for_in_a_region_is_not_held_against_the_product() {
    let world = two_regions(regional(), &[("2025-06-10", lasting())]);
    let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
    let world = world.down("product:B1", Region::Eu, "2025-02-01", "2025-02-01T05:00");
    let report = world.report("2025-06-11");
    assert_eq!((report.products[0].window.from, report.products[0].downtime_ms), (at("2025-03-01T07:00"), 0));
    assert_eq!(rows(&world, "2025-06-09"), ["EU warned warning", "NA good"]);
    assert_eq!(rows(&world, "2025-06-11"), ["global good"]);
}

#[test]
fn the_warnings_of_all_regions_are_active_globally() {
    // 4 hours and 1 hour: watch in one region, globally none that is new.
    let world = two_regions(regional(), &[("2025-02-01", lasting())]);
    let world = world.down("product:B1", Region::Na, "2025-01-10", "2025-01-10T04:00");
    let world = world.down("product:B1", Region::Eu, "2025-01-12", "2025-01-12T00:30");
    world.decides("2025-03-01", &["2025-01-10T03:03:57.600Z warning [watch:budget] B1 m-1 NA"]);
    let world = world.down("product:B1", Region::Eu, "2025-01-14", "2025-01-14T00:30");
    world.decides(
        "2025-03-01",
        &[
            "2025-01-10T03:03:57.600Z warning [watch:budget] B1 m-1 NA",
            "2025-02-01T00:00:00.000Z warning [warning:budget] B1 m-1 global",
        ],
    );
}

#[test]
fn a_switch_is_a_breach_only_under_its_own_numbers() {
    let check = |next: Policy, expected: &[&str]| {
        let mut world = one_region(lasting(), &[("2025-02-01", next)]);
        for day in 1..=4 {
            world = world.down("product:B1", Region::Na, &format!("2025-01-1{day}"), &format!("2025-01-1{day}T01:00"));
        }
        let report = world.decides_of("2025-02-02", &COURSE, expected);
        let by = |kind| report.decisions.iter().find(|decision| decision.kind == kind).map(|d| d.evidence.policy.version);
        assert_eq!(by(DecisionKind::Warning), Some(1));
        assert_eq!(by(DecisionKind::BadgeRemoval), (!expected.is_empty()).then_some(2));
    };
    check(lasting(), &[]);
    check(Policy { target: share(999_543), ..lasting() }, &[]);
    check(Policy { outages_max: 4, ..lasting() }, &[]);
    let removed = |reasons: &str| {
        [
            format!("2025-02-01T00:00:00.000Z badge_removal [{reasons}] B1 m-1 global"),
            "2025-02-01T00:00:00.000Z suspension [] - m-1 global".to_owned(),
            "2025-02-01T00:00:00.000Z probation_started [] B1 m-1 global".to_owned(),
        ]
    };
    let check_removed = |next: Policy, reasons: &str| {
        check(next, &removed(reasons).each_ref().map(String::as_str));
    };
    // 0.0457 % of a year is just more than 4 hours.
    check_removed(Policy { target: share(999_544), ..lasting() }, "budget");
    check_removed(Policy { outages_max: 3, ..lasting() }, "outages");
    check_removed(Policy { outages_max: 3, target: share(999_600), ..lasting() }, "budget outages");
    check_removed(Policy { window: domain::policy::WindowRule::Rolling(DurationMs::days(100)), ..lasting() }, "budget");
}

#[test]
fn slices_keep_the_verdict_of_the_version_at_their_start() {
    let check = |next: Policy, expected: i64| {
        let mut world = one_region(lasting(), &[("2025-02-01T00:01:30", next)]);
        for minute in 0..4 {
            let body = EventBody::Outcome { ok: 5, failed: 15 };
            world = world.event("product:B1", Region::Na, at(&format!("2025-02-01T00:0{minute}")), body);
        }
        assert_eq!(world.report("2025-02-02").products[0].downtime_ms, expected);
    };
    check(lasting(), 0);
    // The minute that holds the switch began before it.
    check(Policy { down_ratio: share(500_000), ..lasting() }, 120_000);
    let lenient = Policy { down_ratio: share(500_000), min_attempts: 21, ..lasting() };
    check(lenient, 0);
}

#[test]
fn states_and_runs_are_seen_by_the_version_in_force() {
    let check = |first: Policy, next: Policy, before: (i64, usize), after: (i64, usize)| {
        let world = one_region(first, &[("2025-02-01", next)]);
        let world = world.state("product:B1", Region::Na, "2025-01-10", HealthState::Down);
        let world = world.state("product:B1", Region::Na, "2025-01-11", HealthState::Up);
        let world = world.down("product:B1", Region::Na, "2025-01-20", "2025-01-20T00:04");
        let world = world.down("product:B1", Region::Na, "2025-01-20T00:10", "2025-01-20T00:14");
        let seen = |until: &str| {
            let report = world.report(until);
            (report.products[0].downtime_ms, report.products[0].outages.len())
        };
        assert_eq!((seen("2025-01-31"), seen("2025-02-01")), (before, after));
    };
    let hours = |hours: i64| Policy { state_ttl: Some(DurationMs(hours * 3_600_000)), ..lasting() };
    let (one, two) = (3_600_000 + 480_000, 2 * 3_600_000 + 480_000);
    check(hours(1), hours(2), (one, 1), (two, 1));
    check(hours(2), hours(1), (two, 1), (one, 1));
    check(hours(1), Policy { merge_gap: DurationMs(360_000), ..hours(1) }, (one, 1), (one, 2));
    check(hours(1), Policy { min_duration: DurationMs(240_000), ..hours(1) }, (one, 1), (one, 3));
    check(hours(1), Policy { min_duration: DurationMs(3_600_001), ..hours(1) }, (one, 1), (one, 0));
}

/// A product in probation since 1 March 07:00, with some outages of 20 minutes.
fn in_probation(next: Policy, switch: &str, outages: &[&str]) -> World {
    let world = one_region(lasting(), &[(switch, next)]);
    let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
    outages.iter().fold(world, |world, from| world.down_for("product:B1", from, 20 * 60_000))
}

#[test]
fn months_are_judged_by_the_new_numbers_from_the_switch_on() {
    let kinds = [DecisionKind::ProbationMonthPassed, DecisionKind::ProbationRestarted, DecisionKind::Reinstatement];
    let check = |world: &World, until: &str, expected: &[&str]| {
        world.decides_of(until, &kinds, expected);
    };
    let strict = || Policy { target: share(999_600), ..lasting() };
    let (first, second) = (
        "2025-04-01T07:00:00.000Z probation_month_passed [] B1 m-1 global",
        "2025-05-01T07:00:00.000Z probation_month_passed [] B1 m-1 global",
    );
    // 31 days may hold 31 min 14.88 s, then 17 min 51.36 s.
    check(
        &in_probation(strict(), "2025-03-20", &["2025-03-10"]),
        "2025-04-02",
        &["2025-03-20T00:00:00.000Z probation_restarted [budget] B1 m-1 global"],
    );
    check(
        &in_probation(strict(), "2025-03-10T00:19", &["2025-03-10"]),
        "2025-04-02",
        &["2025-03-10T00:20:00.000Z probation_restarted [budget] B1 m-1 global"],
    );
    check(&in_probation(strict(), "2025-04-01T07:00:00.001", &["2025-03-10"]), "2025-04-02", &[first]);
    // A break comes before the month's end.
    check(
        &in_probation(strict(), "2025-04-01T07:00", &["2025-03-10"]),
        "2025-04-02",
        &["2025-04-01T07:00:00.000Z probation_restarted [budget] B1 m-1 global"],
    );
    // Outages count from probation's start on.
    let fewer = || Policy { outages_max: 1, ..lasting() };
    check(&in_probation(fewer(), "2025-04-20", &["2025-03-10"]), "2025-05-02", &[first, second]);
    check(
        &in_probation(fewer(), "2025-04-20", &["2025-03-10", "2025-04-10"]),
        "2025-05-02",
        &[first, "2025-04-20T00:00:00.000Z probation_restarted [outages] B1 m-1 global"],
    );
    // A month is as dark as it is at its end.
    let dark = in_probation(Policy { state_ttl: Some(DurationMs::days(1)), ..lasting() }, "2025-03-31", &[]);
    check(&dark, "2025-04-02", &["2025-04-01T07:00:00.000Z probation_restarted [coverage] B1 m-1 global"]);
}

#[test]
fn the_months_that_are_asked_for_may_change() {
    let kinds = [DecisionKind::ProbationMonthPassed, DecisionKind::ReinstatementHeld, DecisionKind::Reinstatement];
    let months = |months: u32| Policy { probation_months: months, ..lasting() };
    let month = |n: u32| format!("2025-0{}-01T07:00:00.000Z probation_month_passed [] B1 m-1 global", n + 3);
    let check = |world: &World, until: &str, expected: &[&str]| {
        world.decides_of(until, &kinds, expected);
    };
    check(
        &in_probation(months(1), "2025-04-20", &[]),
        "2025-04-21",
        &[&month(1), "2025-04-20T00:00:00.000Z reinstatement [] B1 m-1 global"],
    );
    check(
        &in_probation(months(1), "2025-04-01T07:00", &[]),
        "2025-04-21",
        &[&month(1), "2025-04-01T07:00:00.000Z reinstatement [] B1 m-1 global"],
    );
    check(&in_probation(months(2), "2025-04-20", &[]), "2025-04-21", &[&month(1)]);
    let listing = r#"{"type": "listing", "asin": "B1", "marketplace": "US", "at": "2025-02-01T00:00:00Z", "status": "invalid"}"#;
    let held = "2025-04-20T00:00:00.000Z reinstatement_held [listing:US:invalid] B1 m-1 global";
    check(&in_probation(months(1), "2025-04-20", &[]).line(listing), "2025-06-02", &[&month(1), held]);
    // A held badge is in probation again where more months are asked for, and held without a word where not.
    let held = "2025-06-01T07:00:00.000Z reinstatement_held [listing:US:invalid] B1 m-1 global";
    let again = "2025-07-01T07:00:00.000Z reinstatement_held [listing:US:invalid] B1 m-1 global";
    let (first, second, third) = (month(1), month(2), month(3));
    let longer = in_probation(months(4), "2025-06-20", &[]).line(listing);
    check(&longer, "2025-07-02", &[&first, &second, &third, held, &month(4), again]);
    assert_eq!(rows(&longer, "2025-06-19"), ["global held"]);
    assert_eq!(rows(&longer, "2025-06-21"), ["global probation"]);
    let same = in_probation(months(2), "2025-06-20", &[]).line(listing);
    check(&same, "2025-07-02", &[&first, &second, &third, held]);
    assert_eq!(rows(&same, "2025-06-21"), ["global held"]);
}

#[test]
fn a_critical_outage_is_told_once_over_a_switch() {
    let told = |policy: Policy| Policy { critical_outage_acknowledge_within: Some(DurationMs::days(1)), ..policy };
    let check = |first: Policy, next: Policy, expected: &[&str]| {
        let world = two_regions(first, &[("2025-02-01T00:10", next)]);
        let world = world.down("product:B1", Region::Na, "2025-01-20", "2025-01-20T00:20");
        let world = world.down("product:B1", Region::Na, "2025-02-01", "2025-02-01T00:20");
        let world = world.down("product:B1", Region::Eu, "2025-02-01T00:08", "2025-02-01T00:20");
        world.decides_of("2025-02-02", &[DecisionKind::CriticalOutage], expected);
    };
    let line = |at: &str, scope: &str| format!("{at}Z critical_outage [] B1 m-1 {scope}");
    let (old, before) = (line("2025-01-20T00:05:00.000", "global"), line("2025-02-01T00:05:00.000", "global"));
    check(told(lasting()), told(lasting()), &[&old, &before]);
    // Where it has just begun in Europe it had not been told.
    let europe = line("2025-02-01T00:13:00.000", "EU");
    check(told(lasting()), told(regional()), &[&old, &before, &europe]);
    let america = line("2025-02-01T00:10:00.000", "NA");
    check(lasting(), told(regional()), &[&america, &europe]);
    check(lasting(), told(lasting()), &[&line("2025-02-01T00:10:00.000", "global")]);
    check(told(lasting()), lasting(), &[&old, &before]);
}

#[test]
fn a_switch_of_numbers_may_end_the_part_of_a_withdrawn_product() {
    let check = |switch: &str, next: Policy, until: &str, lifted: Option<&str>| {
        let world = one_region(lasting(), &[(switch, next)]).withdraw("B1", "2025-03-05");
        let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
        let expected: Vec<String> = lifted.iter().map(|lifted| format!("{lifted}Z suspension_lifted [] - m-1 global")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        world.decides_of(until, &[DecisionKind::SuspensionLifted], &expected);
    };
    let months = |months: u32| Policy { probation_months: months, ..lasting() };
    check("2025-04-15", months(1), "2025-05-01", Some("2025-04-15T00:00:00.000"));
    check("2025-03-15", months(1), "2025-05-01", Some("2025-04-01T06:07:55.201"));
    check("2025-04-15", months(2), "2025-05-02", Some("2025-05-01T06:07:55.201"));
    check("2025-04-15", months(4), "2025-06-30", None);
    // Other scopes alone end nothing: it goes on until its time there.
    check("2025-04-15", regional(), "2025-06-01T06:07:55.200", None);
    let world = one_region(lasting(), &[("2025-04-15", regional())]).withdraw("B1", "2025-03-05");
    let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
    world.decides_of(
        "2025-07-01",
        &[DecisionKind::SuspensionLifted],
        &["2025-06-01T06:07:55.201Z suspension_lifted [] - m-1 NA"],
    );
}

#[test]
fn the_first_version_judges_what_came_before_it() {
    let versions = || then(Policy { effective_from: at("2026-01-01"), ..lasting() }, &[("2027-01-01", regional())]);
    let world = World::one(versions(), "2025-01-01").up("product:B1", "2025-01-01");
    let world = world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00");
    let report = world.report("2025-03-02");
    assert_eq!(report.products[0].scope, domain::Scope::Global);
    assert!(report.decisions.iter().any(|decision| decision.kind == DecisionKind::BadgeRemoval));
    assert_eq!(world.report(&Timestamp::MAX.to_string().replace('Z', "")).products[0].scope, domain::Scope::Region(Region::Na));
}
