//! R22: proposals, confirmations, refusals; and R7's revocations.

use domain::decision::DecisionKind;
use domain::policy::Enforcement;
use domain::rejection::RejectReason;
use domain::{Policy, Region};

use super::{COURSE, World, at, lasting, regional, standing, then};

fn review() -> Policy {
    Policy { enforcement: Enforcement::Review, ..lasting() }
}

/// B1 in the US, down for seven hours on 1 March: a breach at 06:07:55.201.
fn breached(policies: impl Into<domain::Policies>) -> World {
    let world = World::one(policies, "2025-01-01").up("product:B1", "2025-01-01");
    world.down("product:B1", Region::Na, "2025-03-01", "2025-03-01T07:00")
}

const BREACH: &str = "2025-03-01T06:07:55.201";
const PROPOSAL: &str = "2025-03-01T06:07:55.201Z proposal [budget] B1 m-1 global";

impl World {
    /// A confirmation or refusal of the proposal dated `proposed_at` in a scope.
    fn rule(self, verdict: &str, scope: &str, proposed_at: &str, from: &str) -> Self {
        let (id, proposed_at, from) = (self.facts.len(), at(proposed_at), at(from));
        self.line(&format!(
            r#"{{"type": "{verdict}", "proposal": "{id:032x}", "asin": "B1", "scope": "{scope}",
            "proposed_at": "{proposed_at}", "at": "{from}", "by": "team"}}"#
        ))
    }

    fn confirm(self, from: &str) -> Self {
        self.rule("confirmation", "global", BREACH, from)
    }

    fn refuse(self, from: &str) -> Self {
        self.rule("refusal", "global", BREACH, from)
    }
}

#[test]
fn a_proposal_waits_and_nothing_more_is_judged() {
    let world = breached(review()).down("product:B1", Region::Na, "2025-03-10", "2025-03-10T07:00");
    let told = Policy { critical_outage_acknowledge_within: Some(domain::DurationMs::days(1)), ..review() };
    let report = world.decides_of("2026-06-01", &COURSE, &[PROPOSAL]);
    // Its warnings stay, though nothing is used any more.
    assert_eq!(standing(&report), ("warned", Some("critical")));
    let world = World { policies: told.into(), ..world };
    world.decides_of(
        "2026-06-01",
        &[DecisionKind::CriticalOutage],
        &[
            "2025-03-01T00:05:00.000Z critical_outage [] B1 m-1 global",
            "2025-03-10T00:05:00.000Z critical_outage [] B1 m-1 global",
        ],
    );
    // With thresholds that are reached at the breach itself no warning is issued, and none is active.
    let mut late = review();
    for share in [&mut late.warnings.watch_budget, &mut late.warnings.warning_budget, &mut late.warnings.critical_budget] {
        *share = domain::Ppm::new(1_000_000).unwrap();
    }
    late.target = domain::Ppm::new(1_000_000).unwrap();
    let report = breached(late).decides("2025-03-02", &["2025-03-01T00:00:00.001Z proposal [budget] B1 m-1 global"]);
    assert_eq!(standing(&report), ("good", None));
}

#[test]
fn a_confirmed_proposal_is_a_removal_from_then_on() {
    let check = |confirmed: &str, until: &str, expected: &[&str]| {
        breached(review()).confirm(confirmed).decides_of(until, &COURSE, &[&[PROPOSAL], expected].concat());
    };
    check("2025-03-05", "2025-03-04", &[]);
    check(
        "2025-03-05",
        "2025-03-05",
        &[
            "2025-03-05T00:00:00.000Z badge_removal [budget] B1 m-1 global",
            "2025-03-05T00:00:00.000Z suspension [] - m-1 global",
            "2025-03-05T00:00:00.000Z probation_started [] B1 m-1 global",
        ],
    );
    // Probation starts at the end of the run that holds the breach.
    check(
        "2025-03-01T06:30",
        "2025-03-02",
        &[
            "2025-03-01T06:30:00.000Z badge_removal [budget] B1 m-1 global",
            "2025-03-01T06:30:00.000Z suspension [] - m-1 global",
            "2025-03-01T07:00:00.000Z probation_started [] B1 m-1 global",
        ],
    );
    // It is not about this breach: given before it.
    check("2025-03-01T06:07:55.200", "2025-03-02", &[]);
}

#[test]
fn a_removal_waits_until_the_region_is_held_again() {
    let policy = Policy { enforcement: Enforcement::Review, ..regional() };
    let world = breached(policy).rule("confirmation", "NA", BREACH, "2025-03-05");
    let world = world.change("B1", "2025-03-03", r#""marketplaces": ["DE"]"#);
    let world = world.change("B1", "2025-03-08", r#""marketplaces": ["US"]"#);
    world.decides_of(
        "2025-03-10",
        &[DecisionKind::BadgeRemoval, DecisionKind::ProbationStarted],
        &["2025-03-08T00:00:00.000Z badge_removal [budget] B1 m-1 NA", "2025-03-08T00:00:00.000Z probation_started [] B1 m-1 NA"],
    );
}

#[test]
fn what_was_refused_stands_until_it_is_exceeded() {
    let check = |refused: &str, more_ms: i64, expected: &[&str]| {
        let mut world = breached(review()).refuse(refused);
        if more_ms > 0 {
            world = world.down_for("product:B1", "2025-03-02", more_ms);
        }
        world.decides_of("2025-03-04", &COURSE, &[&[PROPOSAL], expected].concat());
    };
    check("2025-03-01T08:00", 0, &[]);
    check("2025-03-01T08:00", 1, &["2025-03-02T00:00:00.001Z proposal [budget] B1 m-1 global"]);
    // The larger of what there was at the breach and what there is at the refusal.
    check("2025-03-01T06:30", 0, &["2025-03-01T06:30:00.001Z proposal [budget] B1 m-1 global"]);
    check(BREACH, 0, &["2025-03-01T06:07:55.202Z proposal [budget] B1 m-1 global"]);
    check("2025-03-03", 1_000, &[]);
    // The window moves on, what was refused does not.
    let world = breached(review()).refuse("2025-03-01T08:00");
    let world = world.down_for("product:B1", "2026-03-01T06:00", 25_200_000);
    world.decides_of("2026-03-05", &COURSE, &[PROPOSAL]);
    let world = world.down_for("product:B1", "2026-03-02T06:00", 1);
    world.decides_of("2026-03-05", &COURSE, &[PROPOSAL, "2026-03-02T06:00:00.001Z proposal [budget] B1 m-1 global"]);
}

#[test]
fn downtime_and_outages_are_refused_each_for_itself() {
    let policy = Policy { outages_max: 1, ..review() };
    let check = |third: i64, expected: &[&str]| {
        let world = World::one(policy.clone(), "2025-01-01").up("product:B1", "2025-01-01");
        let world = world.down_for("product:B1", "2025-03-01", 600_000).down_for("product:B1", "2025-03-02", 600_000);
        let world = world.rule("refusal", "global", "2025-03-02T00:05", "2025-03-02T12:00");
        let world = world.down_for("product:B1", "2025-03-03", third);
        let first = "2025-03-02T00:05:00.000Z proposal [outages] B1 m-1 global";
        world.decides_of("2025-03-05", &COURSE, &[&[first], expected].concat());
    };
    check(299_999, &[]);
    check(300_000, &["2025-03-03T00:05:00.000Z proposal [outages] B1 m-1 global"]);
}

#[test]
fn the_badge_is_judged_again_from_the_refusal_on() {
    let world = breached(review()).refuse("2025-03-01T08:00");
    let warnings = [DecisionKind::Warning];
    let before = [
        "2025-03-01T03:03:57.600Z warning [watch:budget] B1 m-1 global",
        "2025-03-01T04:35:56.400Z warning [warning:budget] B1 m-1 global",
        "2025-03-01T05:31:07.680Z warning [critical:budget] B1 m-1 global",
    ];
    let report = world.decides_of("2025-03-01T09:00", &warnings, &before);
    assert_eq!(standing(&report), ("warned", Some("critical")));
    // The projection is judged at midnight; while the proposal waits it is not.
    let after = ["2025-03-02T00:00:00.000Z warning [warning:projection] B1 m-1 global"];
    world.decides_of("2025-03-03", &warnings, &[&before[..], &after].concat());
    breached(review()).decides_of("2025-03-03", &warnings, &before);
    // What is used lapses with the window.
    assert_eq!(standing(&world.report("2026-03-02")), ("good", None));
}

#[test]
fn the_next_removal_ends_a_refusal() {
    let world = breached(review()).refuse("2025-03-01T08:00");
    let world = world.down_for("product:B1", "2025-03-02", 1);
    let world = world.rule("confirmation", "global", "2025-03-02T00:00:00.001", "2025-03-02T12:00");
    // Reinstated on 2 June at noon; a budget's worth of downtime is a breach again.
    let world = world.down_for("product:B1", "2025-07-01", 22_075_201);
    world.decides_of(
        "2025-07-02",
        &[DecisionKind::Proposal, DecisionKind::BadgeRemoval, DecisionKind::Reinstatement],
        &[
            PROPOSAL,
            "2025-03-02T00:00:00.001Z proposal [budget] B1 m-1 global",
            "2025-03-02T12:00:00.000Z badge_removal [budget] B1 m-1 global",
            "2025-06-02T12:00:00.000Z reinstatement [] B1 m-1 global",
            "2025-07-01T06:07:55.201Z proposal [budget] B1 m-1 global",
        ],
    );
}

#[test]
fn a_refusal_by_then_means_that_no_removal_is_implied() {
    let removed = [
        "2025-03-01T06:07:55.201Z badge_removal [budget] B1 m-1 global",
        "2025-03-01T06:07:55.201Z suspension [] - m-1 global",
        "2025-03-01T07:00:00.000Z probation_started [] B1 m-1 global",
    ];
    let world = breached(lasting()).refuse("2025-03-05");
    world.decides_of("2025-03-04", &COURSE, &removed);
    let report = world.decides_of("2025-03-05", &COURSE, &[]);
    assert_eq!(standing(&report), ("warned", Some("critical")));
    let world = world.down_for("product:B1", "2025-03-06", 1);
    world.decides_of(
        "2025-03-06T01:00",
        &COURSE,
        &[
            "2025-03-06T00:00:00.001Z badge_removal [budget] B1 m-1 global",
            "2025-03-06T00:00:00.001Z suspension [] - m-1 global",
            "2025-03-06T00:00:00.001Z probation_started [] B1 m-1 global",
        ],
    );
}

#[test]
fn a_confirmation_delays_the_start_of_probation() {
    let check = |confirmed: &str, until: &str, started: &str| {
        let started = format!("{started}Z probation_started [] B1 m-1 global");
        let expected = [
            "2025-03-01T06:07:55.201Z badge_removal [budget] B1 m-1 global",
            "2025-03-01T06:07:55.201Z suspension [] - m-1 global",
            &started,
        ];
        breached(lasting()).confirm(confirmed).decides_of(until, &COURSE, &expected);
    };
    check("2025-03-05", "2025-03-06", "2025-03-05T00:00:00.000");
    check("2025-03-05", "2025-03-04", "2025-03-01T07:00:00.000");
    check("2025-03-01T06:30", "2025-03-04", "2025-03-01T07:00:00.000");
}

#[test]
fn a_proposal_waits_over_a_switch() {
    let check = |policies: domain::Policies, expected: &[&str]| {
        let world = breached(policies).confirm("2025-03-05");
        let report = world.decides_of("2025-03-05", &COURSE, &[&[PROPOSAL], expected].concat());
        let removal = report.decisions.iter().find(|decision| decision.kind == DecisionKind::BadgeRemoval);
        assert_eq!(removal.map(|decision| decision.evidence.policy.version), Some(2));
    };
    check(
        then(review(), &[("2025-03-03", lasting())]),
        &[
            "2025-03-05T00:00:00.000Z badge_removal [budget] B1 m-1 global",
            "2025-03-05T00:00:00.000Z suspension [] - m-1 global",
            "2025-03-05T00:00:00.000Z probation_started [] B1 m-1 global",
        ],
    );
    // The ruling names the scope in which it was proposed.
    check(
        then(review(), &[("2025-03-03", regional())]),
        &[
            "2025-03-05T00:00:00.000Z badge_removal [budget] B1 m-1 NA",
            "2025-03-05T00:00:00.000Z suspension [] - m-1 NA",
            "2025-03-05T00:00:00.000Z probation_started [] B1 m-1 NA",
        ],
    );
}

#[test]
fn a_revoked_exclusion_never_counted() {
    let check = |revoked: Option<&str>, until: &str, downtime_ms: i64| {
        let mut world = breached(lasting()).exclude(r#"{"all": true}"#, "2025-03-01", "2025-03-01T01:00");
        let id = world.facts.len() - 1;
        if let Some(revoked) = revoked {
            let revoked = at(revoked);
            world = world.line(&format!(r#"{{"type": "exclusion_revoked", "id": "x-{id}", "at": "{revoked}", "by": "team"}}"#));
        }
        let report = world.report(until);
        assert_eq!(report.products[0].downtime_ms, downtime_ms, "revoked {revoked:?}");
        let is_removed = report.decisions.iter().any(|decision| decision.kind == DecisionKind::BadgeRemoval);
        assert_eq!(is_removed, downtime_ms > 22_075_200);
        assert_eq!(report.rejected, []);
    };
    check(None, "2025-03-20", 6 * 3_600_000);
    check(Some("2025-03-10"), "2025-03-09", 6 * 3_600_000);
    check(Some("2025-03-10"), "2025-03-10", 7 * 3_600_000);
}

#[test]
fn what_people_say_twice_counts_once() {
    let exclusion = r#"{"type": "exclusion", "id": "x-1", "applies_to": {"all": true}, "from": "2025-03-01T00:00:00Z",
        "to": "2025-03-02T00:00:00Z", "reason": "platform", "approved_by": "team"}"#;
    let revoked = |id: &str, by: &str| {
        format!(r#"{{"type": "exclusion_revoked", "id": "{id}", "at": "2025-03-05T00:00:00Z", "by": "{by}"}}"#)
    };
    let ruling = |verdict: &str, n: u32, asin: &str| {
        format!(
            r#"{{"type": "{verdict}", "proposal": "{n:032x}", "asin": "{asin}", "scope": "global",
            "proposed_at": "2025-03-01T00:00:00Z", "at": "2099-03-01T00:00:00Z", "by": "team"}}"#
        )
    };
    let acknowledged = |n: u32, asin: &str, cause: &str| {
        format!(
            r#"{{"type": "acknowledgement", "outage": "{n:032x}", "asin": "{asin}", "at": "2025-03-01T00:00:00Z",
            "by": "m-1", "cause": "{cause}", "expected_fix": "2025-03-02T00:00:00Z"}}"#
        )
    };
    let switch = r#"{"type": "kill_switch", "on": true, "at": "2025-01-01T00:00:00Z", "by": "team", "reason": "drill"}"#;
    let check = |lines: &[&str], expected: &[(u64, RejectReason)]| {
        let world = lines.iter().fold(breached(lasting()), |world, line| world.line(line));
        let rejected: Vec<_> = world.report("2025-04-01").rejected.iter().map(|line| (line.line, line.reason)).collect();
        assert_eq!(rejected, expected, "{lines:?}");
    };
    let (unknown, conflict) = (RejectReason::UnknownSubject, RejectReason::ConflictingDuplicate);
    check(&[&revoked("x-1", "a"), exclusion, &revoked("x-1", "a"), &revoked("x-1", "b")], &[(5, conflict)]);
    check(&[&revoked("x-2", "a"), exclusion], &[(2, unknown)]);
    let (confirmed, refused) = (ruling("confirmation", 1, "B1"), ruling("refusal", 1, "B1"));
    check(&[&confirmed, &confirmed, &refused, &ruling("refusal", 2, "B1")], &[(4, conflict)]);
    check(&[&ruling("refusal", 1, "B2"), &confirmed], &[(2, unknown)]);
    let cable = acknowledged(1, "B1", "a cable");
    check(&[&cable, &cable, &acknowledged(1, "B1", "fire"), &acknowledged(2, "B2", "fire")], &[(4, conflict), (5, unknown)]);
    check(&[switch, switch], &[]);
}
