//! Regional scopes: gained, lost and gained again; outages that touch them.

use domain::Region;
use domain::decision::DecisionKind;

use super::{World, at, regional};

const BOTH: &str = r#""US", "DE""#;

fn up_everywhere(world: World) -> World {
    world.up("product:B1", "2025-01-01").state("product:B1", Region::Eu, "2025-01-01", domain::HealthState::Up)
}

fn without(kinds: &[DecisionKind]) -> Vec<DecisionKind> {
    DecisionKind::ALL.into_iter().filter(|kind| !kinds.contains(kind)).collect()
}

#[test]
fn a_region_gained_later_starts_its_scope_then() {
    let world = World::new(regional()).badge("B1", "m-1", r#""US""#, "2025-01-01").change(
        "B1",
        "2025-02-01",
        &format!(r#""marketplaces": [{BOTH}]"#),
    );
    let rows = |until: &str| {
        let report = world.report(until);
        let products: Vec<_> = report.products.iter().map(|row| (row.scope.as_str(), row.window.from)).collect();
        assert_eq!(
            report.manufacturers.iter().map(|row| row.scope.as_str()).collect::<Vec<_>>(),
            products.iter().map(|row| row.0).collect::<Vec<_>>()
        );
        products
    };
    assert_eq!(rows("2025-01-31T23:59:59.999"), [("NA", at("2025-01-01"))]);
    assert_eq!(rows("2025-02-01"), [("EU", at("2025-02-01")), ("NA", at("2025-01-01"))]);
}

#[test]
fn a_region_gained_again_goes_on_where_it_was_left() {
    // Europe is lost on 10 February and gained again on 20 February, in the middle of an outage;
    // the budget is exceeded by the time before and after together.
    let world = up_everywhere(World::new(regional()).badge("B1", "m-1", BOTH, "2025-01-01"));
    let world = world.change("B1", "2025-02-10", r#""marketplaces": ["US"]"#);
    let world = world.change("B1", "2025-02-20", &format!(r#""marketplaces": [{BOTH}]"#));
    let world = world.down("product:B1", Region::Eu, "2025-02-09T20:00", "2025-02-20T04:00");
    let report = world.decides_of(
        "2025-02-21",
        &without(&[DecisionKind::CoverageWarning]),
        &[
            "2025-02-09T23:03:57.600Z warning [watch:budget] B1 m-1 EU",
            "2025-02-20T00:35:56.400Z warning [warning:budget] B1 m-1 EU",
            "2025-02-20T01:31:07.680Z warning [critical:budget] B1 m-1 EU",
            "2025-02-20T02:07:55.201Z badge_removal [budget] B1 m-1 EU",
            "2025-02-20T02:07:55.201Z suspension [] - m-1 EU",
            "2025-02-20T04:00:00.000Z probation_started [] B1 m-1 EU",
        ],
    );
    let shown: Vec<_> = report.products.iter().map(|row| (row.standing.as_str(), row.downtime_ms)).collect();
    assert_eq!(shown, [("probation", 28_800_000), ("good", 0)]);
    let lost = world.report("2025-02-15");
    let shown: Vec<_> = lost.products.iter().map(|row| (row.standing.as_str(), row.warning_level, row.downtime_ms)).collect();
    assert_eq!(shown, [("withdrawn", None, 14_400_000), ("good", None, 0)]);
}

#[test]
fn a_month_that_ends_while_a_region_is_lost_is_judged_when_it_is_back() {
    let check = |lost: &str, gained: &str, expected: &[&str]| {
        let world = up_everywhere(World::new(regional()).badge("B1", "m-1", BOTH, "2025-01-01"));
        let world = world.down("product:B1", Region::Eu, "2025-03-01", "2025-03-01T07:00");
        let world = world.change("B1", lost, r#""marketplaces": ["US"]"#);
        let world = world.change("B1", gained, &format!(r#""marketplaces": [{BOTH}]"#));
        let kinds = [
            DecisionKind::ProbationMonthPassed,
            DecisionKind::ProbationRestarted,
            DecisionKind::ProbationStarted,
            DecisionKind::SuspensionLifted,
        ];
        world.decides_of("2025-06-30", &kinds, expected);
    };
    let started = "2025-03-01T07:00:00.000Z probation_started [] B1 m-1 EU";
    let lifted = "2025-06-01T07:00:00.000Z suspension_lifted [] - m-1 EU";
    check(
        "2025-03-30",
        "2025-04-05",
        &[
            started,
            "2025-04-05T00:00:00.000Z probation_month_passed [] B1 m-1 EU",
            "2025-05-01T07:00:00.000Z probation_month_passed [] B1 m-1 EU",
            "2025-06-01T07:00:00.000Z probation_month_passed [] B1 m-1 EU",
            lifted,
        ],
    );
    // April passes without any badged time: dark.
    check(
        "2025-03-30",
        "2025-05-05",
        &[
            started,
            "2025-05-05T00:00:00.000Z probation_month_passed [] B1 m-1 EU",
            "2025-05-05T00:00:00.000Z probation_restarted [coverage] B1 m-1 EU",
            "2025-06-05T00:00:00.000Z probation_month_passed [] B1 m-1 EU",
        ],
    );
    // Lost for good until July: the part in the suspension ends three months after the removal.
    check("2025-03-30", "2025-07-05", &[started, "2025-06-01T06:07:55.201Z suspension_lifted [] - m-1 EU"]);
    // Lost in the outage: probation starts when the region is back.
    check(
        "2025-03-01T06:30",
        "2025-06-05",
        &["2025-06-01T06:07:55.201Z suspension_lifted [] - m-1 EU", "2025-06-05T00:00:00.000Z probation_started [] B1 m-1 EU"],
    );
}

#[test]
fn the_outage_too_many_must_touch_the_region() {
    let mut world = up_everywhere(World::new(regional()).badge("B1", "m-1", BOTH, "2025-01-01"));
    for day in 1..=5 {
        world = world.down("product:B1", Region::Eu, &format!("2025-02-0{day}T12:00"), &format!("2025-02-0{day}T12:05"));
    }
    // The sixth qualifies in Europe at 10:05 and reaches America at 10:07.
    world = world.down("product:B1", Region::Eu, "2025-02-20T10:00", "2025-02-20T10:08");
    world = world.down("product:B1", Region::Na, "2025-02-20T10:07", "2025-02-20T10:20");
    world.decides_of(
        "2025-02-21",
        &without(&[DecisionKind::CoverageWarning, DecisionKind::Warning]),
        &[
            "2025-02-20T10:05:00.000Z badge_removal [outages] B1 m-1 EU",
            "2025-02-20T10:05:00.000Z suspension [] - m-1 EU",
            "2025-02-20T10:07:00.001Z badge_removal [outages] B1 m-1 NA",
            "2025-02-20T10:07:00.001Z suspension [] - m-1 NA",
            "2025-02-20T10:08:00.000Z probation_started [] B1 m-1 EU",
            "2025-02-20T10:20:00.000Z probation_started [] B1 m-1 NA",
        ],
    );
}
