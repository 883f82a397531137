//! Policies that follow each other, rulings and revocations, case by case (R18, R22, R7; ADR 5).

use domain::policy::Policies;
use domain::{DecisionKind, Timestamp};
use pipeline::Evaluation;

const BADGE: &str =
    r#"{"type":"badge","asin":"B1","manufacturer":"m-1","marketplaces":["US","DE"],"enabled_at":"2025-01-01T00:00:00Z"}"#;
/// One version, in force from 2025 on: states hold for ever.
const VERSION: &str = r#"
[[policy]]
id = "p"
version = 1
effective_from = "2025-01-01T00:00:00Z"
scope = "global"
enforcement = "automatic"
[policy.availability]
target = "99.93%"
window = "365d"
[policy.outages]
max = 5
merge_gap = "5m"
min_duration = "5m"
[policy.minute]
state_ttl = "none"
[policy.probation]
months = 3
min_coverage = "50%"
"#;

/// A first version with changes to [`VERSION`], and a second one from an instant on.
fn versions(first: &[(&str, &str)], second: Option<(&str, &[(&str, &str)])>) -> String {
    let replaced = |changes: &[(&str, &str)]| {
        changes.iter().fold(VERSION.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from} is in the policy");
            text.replace(from, to)
        })
    };
    let second = second.map(|(from, changes)| {
        let later = replaced(changes).replace("version = 1", "version = 2");
        later.replace("2025-01-01T00:00:00Z", &format!("{from}Z"))
    });
    replaced(first) + &second.unwrap_or_default()
}

/// What is decided by `at`, but for warnings; and how each scope stands then. Downtime is given as
/// region, start and end; further registry lines as they are.
fn check(policy: &str, down: &[(&str, &str, &str)], lines: &[String], at: &str, expected: &[&str]) {
    let policies = Policies::new(wire::policy::parse(policy, "p").expect("a right policy")).expect("versions");
    let mut evaluation = Evaluation::new(policies);
    for (number, line) in (1..).zip(std::iter::once(BADGE).chain(lines.iter().map(String::as_str))) {
        evaluation.registry_line(number, line.as_bytes());
    }
    evaluation.settle_registry(None);
    let state = |region: &str, at: &str, state: &str| {
        format!(r#"{{"v":1,"type":"state","subject":"product:B1","region":"{region}","at":"{at}Z","state":"{state}"}}"#)
    };
    let mut events = vec![state("NA", "2025-01-01T00:00:00", "up"), state("EU", "2025-01-01T00:00:00", "up")];
    events.extend(down.iter().flat_map(|(region, from, to)| [state(region, from, "down"), state(region, to, "up")]));
    (1..).zip(&events).for_each(|(number, line)| evaluation.event_line(number, line.as_bytes()));
    let report = evaluation.finish(Timestamp::parse_rfc3339(&format!("{at}Z")).expect("an instant"));
    assert_eq!(report.rejected, [], "every line counts");
    let is_told = |kind: DecisionKind| !matches!(kind, DecisionKind::Warning | DecisionKind::CoverageWarning);
    let decisions = report.decisions.iter().filter(|decision| is_told(decision.kind));
    let decided = decisions.map(|decision| {
        let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
        let at = decision.at.to_string();
        let version = decision.evidence.policy.version;
        format!("{} v{version} {} {} {}", at.trim_end_matches(".000Z"), decision.scope, decision.kind, reasons.join(","))
    });
    let standings = report.products.iter().map(|product| format!("{} {}", product.scope, product.standing.as_str()));
    let found: Vec<String> = decided.chain(standings).map(|line| line.trim_end().to_owned()).collect();
    assert_eq!(found, expected);
}

/// Seven hours: more than the budget of 06:07:55.200.
const MARCH: (&str, &str, &str) = ("NA", "2025-03-01T00:00:00", "2025-03-01T07:00:00");
const REGIONAL: (&str, &str) = (r#"scope = "global""#, r#"scope = "region""#);

fn ruling(kind: &str, scope: &str, proposed_at: &str, at: &str) -> String {
    let id = "00".repeat(16);
    format!(
        r#"{{"type":"{kind}","proposal":"{id}","asin":"B1","scope":"{scope}","proposed_at":"{proposed_at}Z","at":"{at}Z","by":"team"}}"#
    )
}

#[test]
fn regional_standings_become_the_worst_of_them() {
    check(
        &versions(&[REGIONAL], Some(("2025-04-15T00:00:00", &[]))),
        &[MARCH],
        &[],
        "2025-06-02T00:00:00",
        &[
            "2025-03-01T06:07:55.201Z v1 NA badge_removal budget",
            "2025-03-01T06:07:55.201Z v1 NA suspension",
            "2025-03-01T07:00:00 v1 NA probation_started",
            "2025-04-01T07:00:00 v1 NA probation_month_passed",
            "2025-05-01T07:00:00 v2 global probation_month_passed",
            "2025-06-01T07:00:00 v2 global probation_month_passed",
            "2025-06-01T07:00:00 v2 global reinstatement",
            "2025-06-01T07:00:00 v2 global suspension_lifted",
            "global good",
        ],
    );
}

#[test]
fn a_version_with_fewer_months_reinstates_at_the_switch() {
    let head = ["2025-03-01T06:07:55.201Z v1 global badge_removal budget", "2025-03-01T06:07:55.201Z v1 global suspension"];
    let start = "2025-03-01T07:00:00 v1 global probation_started";
    let passed = "2025-04-01T07:00:00 v1 global probation_month_passed";
    let tail = ["2025-04-15T00:00:00 v2 global reinstatement", "2025-04-15T00:00:00 v2 global suspension_lifted", "global good"];
    check(
        &versions(&[], Some(("2025-04-15T00:00:00", &[("months = 3", "months = 1")]))),
        &[MARCH],
        &[],
        "2025-04-20T00:00:00",
        &[&head[..], &[start, passed], &tail].concat(),
    );
}

#[test]
fn a_held_product_is_in_probation_again_where_more_months_are_asked_for() {
    let listing =
        r#"{"type":"listing","asin":"B1","marketplace":"US","at":"2025-02-01T00:00:00Z","status":"suppressed"}"#.to_owned();
    check(
        &versions(&[("months = 3", "months = 1")], Some(("2025-04-15T00:00:00", &[("months = 3", "months = 2")]))),
        &[MARCH],
        &[listing],
        "2025-05-02T00:00:00",
        &[
            "2025-03-01T06:07:55.201Z v1 global badge_removal budget",
            "2025-03-01T06:07:55.201Z v1 global suspension",
            "2025-03-01T07:00:00 v1 global probation_started",
            "2025-04-01T07:00:00 v1 global probation_month_passed",
            "2025-04-01T07:00:00 v1 global reinstatement_held listing:US:suppressed",
            "2025-05-01T07:00:00 v2 global probation_month_passed",
            "2025-05-01T07:00:00 v2 global reinstatement_held listing:US:suppressed",
            "global held",
        ],
    );
}

#[test]
fn a_month_over_the_new_limit_breaks_at_the_switch() {
    check(
        &versions(&[], Some(("2025-03-20T00:00:00", &[("99.93%", "99.99%")]))),
        // 10 minutes are within the old month's limit of 31:15, and beyond the new one's 4:27.
        &[MARCH, ("NA", "2025-03-10T00:00:00", "2025-03-10T00:10:00")],
        &[],
        "2025-03-25T00:00:00",
        &[
            "2025-03-01T06:07:55.201Z v1 global badge_removal budget",
            "2025-03-01T06:07:55.201Z v1 global suspension",
            "2025-03-01T07:00:00 v1 global probation_started",
            "2025-03-20T00:00:00 v2 global probation_restarted budget",
            "global probation",
        ],
    );
}

#[test]
fn what_waits_for_a_run_goes_on_waiting_by_the_new_gap() {
    // By the old gap one run from 00:00 to 12:00; by the new one the run that holds the breach ended at 07:00.
    let down = [MARCH, ("NA", "2025-03-01T08:00:00", "2025-03-01T12:00:00")];
    check(
        &versions(&[(r#"merge_gap = "5m""#, r#"merge_gap = "2h""#)], Some(("2025-03-01T07:30:00", &[]))),
        &down,
        &[],
        "2025-03-02T00:00:00",
        &[
            "2025-03-01T06:07:55.201Z v1 global badge_removal budget",
            "2025-03-01T06:07:55.201Z v1 global suspension",
            "2025-03-01T07:30:00 v2 global probation_started",
            "2025-03-01T12:00:00 v2 global probation_restarted budget",
            "global probation",
        ],
    );
}

#[test]
fn a_critical_outage_under_way_is_told_at_the_switch_and_once() {
    let told = ("[policy.probation]", "[policy.critical_outage]\nacknowledge_within = \"24h\"\n[policy.probation]");
    let down = [("NA", "2025-03-01T00:00:00", "2025-03-01T00:10:00"), ("NA", "2025-04-01T00:00:00", "2025-04-01T01:00:00")];
    let quiet = ["EU good", "NA good"];
    let from = "2025-04-01T00:30:00";
    let at_switch = ["2025-04-01T00:30:00 v2 NA critical_outage"];
    check(
        &versions(&[REGIONAL], Some((from, &[REGIONAL, told]))),
        &down,
        &[],
        "2025-05-01T00:00:00",
        &[&at_switch[..], &quiet].concat(),
    );
    let before = ["2025-03-01T00:05:00 v1 NA critical_outage", "2025-04-01T00:05:00 v1 NA critical_outage"];
    check(
        &versions(&[REGIONAL, told], Some((from, &[REGIONAL, told]))),
        &down,
        &[],
        "2025-05-01T00:00:00",
        &[&before[..], &quiet].concat(),
    );
}

#[test]
fn a_proposal_waits_for_its_ruling() {
    let review = versions(&[(r#""automatic""#, r#""review""#)], None);
    let proposed = "2025-03-01T06:07:55.201Z v1 global proposal budget";
    check(&review, &[MARCH], &[], "2025-03-05T00:00:00", &[proposed, "global warned"]);
    let confirmed = ruling("confirmation", "global", "2025-03-01T06:07:55.201", "2025-03-03T00:00:00");
    let removed = [
        proposed,
        "2025-03-03T00:00:00 v1 global badge_removal budget",
        "2025-03-03T00:00:00 v1 global suspension",
        "2025-03-03T00:00:00 v1 global probation_started",
        "global probation",
    ];
    check(&review, &[MARCH], std::slice::from_ref(&confirmed), "2025-03-05T00:00:00", &removed);
    check(&review, &[MARCH], &[confirmed], "2025-03-02T00:00:00", &[proposed, "global warned"]);
    let elsewhere = ruling("confirmation", "NA", "2025-03-01T06:07:55.201", "2025-03-03T00:00:00");
    check(&review, &[MARCH], &[elsewhere], "2025-03-05T00:00:00", &[proposed, "global warned"]);
    let of_another = ruling("confirmation", "global", "2025-06-01T06:07:55.201", "2025-06-03T00:00:00");
    check(&review, &[MARCH], &[of_another], "2025-06-05T00:00:00", &[proposed, "global warned"]);
}

#[test]
fn an_automatic_removal_can_be_confirmed_or_refused() {
    let automatic = versions(&[], None);
    let removed = ["2025-03-01T06:07:55.201Z v1 global badge_removal budget", "2025-03-01T06:07:55.201Z v1 global suspension"];
    let confirmed = ruling("confirmation", "global", "2025-03-01T06:07:55.201", "2025-03-03T00:00:00");
    let later = ["2025-03-03T00:00:00 v1 global probation_started", "global probation"];
    check(&automatic, &[MARCH], &[confirmed], "2025-03-05T00:00:00", &[&removed[..], &later].concat());
    let refused = || ruling("refusal", "global", "2025-03-01T06:07:55.201", "2025-03-03T00:00:00");
    check(&automatic, &[MARCH], &[refused()], "2025-03-05T00:00:00", &["global warned"]);
    let earlier = ["2025-03-01T07:00:00 v1 global probation_started", "global probation"];
    check(&automatic, &[MARCH], &[refused()], "2025-03-02T00:00:00", &[&removed[..], &earlier].concat());
    // The next removal needs more than what was refused, and ends the refusal.
    let again = [
        "2025-03-10T00:00:00.001Z v1 global badge_removal budget",
        "2025-03-10T00:00:00.001Z v1 global suspension",
        "2025-03-10T00:20:00 v1 global probation_started",
        "global probation",
    ];
    let down = [MARCH, ("EU", "2025-03-10T00:00:00", "2025-03-10T00:20:00")];
    check(&automatic, &down, &[refused()], "2025-03-11T00:00:00", &again);
}

#[test]
fn a_revoked_exclusion_never_counted() {
    let automatic = versions(&[], None);
    let excluded = r#"{"type":"exclusion","id":"x-1","applies_to":{"all":true},"from":"2025-03-01T00:00:00Z","to":"2025-03-02T00:00:00Z","reason":"platform","approved_by":"team"}"#.to_owned();
    let revoked = r#"{"type":"exclusion_revoked","id":"x-1","at":"2025-03-10T00:00:00Z","by":"team"}"#.to_owned();
    let lines = [excluded, revoked];
    check(&automatic, &[MARCH], &lines, "2025-03-09T23:59:59.999", &["global good"]);
    let removed = [
        "2025-03-01T06:07:55.201Z v1 global badge_removal budget",
        "2025-03-01T06:07:55.201Z v1 global suspension",
        "2025-03-01T07:00:00 v1 global probation_started",
        "global probation",
    ];
    check(&automatic, &[MARCH], &lines, "2025-03-10T00:00:00", &removed);
}
