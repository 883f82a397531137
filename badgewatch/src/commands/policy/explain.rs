//! What each number of a policy means, in words and with what follows from it.

use alerting::burn_rate::threshold;
use domain::policy::{BurnWindow, Enforcement, ScopeRule, WindowRule};
use domain::time::DAY_MS;
use domain::{DurationMs, Policies, Policy, Ppm, Timestamp};
use wire::policy::duration_text;

use super::scope_name;
use crate::table;

/// Days of the month whose budget is shown as an example.
const EXAMPLE_MONTH_DAYS: i64 = 30;

/// A key, its value, and what that means.
type Row = (String, String, String);

/// One version; `at` is an instant of the window whose budget is shown.
pub(super) fn version(policies: &Policies, index: usize, at: Timestamp) -> String {
    let policy = &policies.versions()[index];
    let mut table = table::table(&["key", "value", "what it means"]);
    for (key, value, meaning) in [judging(policy, at), warning(policy, at), live(policy), alerts(policy, at)].concat() {
        table.add_row([key, value, meaning]);
    }
    format!("{}: {}\n{table}\n", policy.name, in_force(policies, index))
}

/// When the version is in force, and what comes before and after it.
fn in_force(policies: &Policies, index: usize) -> String {
    let versions = policies.versions();
    let from = versions[index].effective_from;
    let before = match index.checked_sub(1).map(|before| &versions[before]) {
        Some(before) => format!("in force from {from} on, after {}", before.name),
        None => format!("in force from {from} on; it also judges what came before"),
    };
    match versions.get(index + 1) {
        Some(next) => format!("{before}; {} takes over at {}", next.name, next.effective_from),
        None => before,
    }
}

fn judging(policy: &Policy, at: Timestamp) -> Vec<Row> {
    let frame = policy.frame_at(at);
    let (of, budget) = (policy.target.complement(), time(policy.budget_ms(frame)));
    let month = time(of.floor_of(EXAMPLE_MONTH_DAYS * DAY_MS));
    let standing = match policy.scope {
        ScopeRule::Global => "one standing a product, over all its regions together",
        ScopeRule::Region => "one standing for each region of a product",
    };
    let (key, value, window) = match policy.window {
        WindowRule::Rolling(length) => ("window", duration_text(length), "judged over the last so long".to_owned()),
        WindowRule::ResetsOn { month, day } => (
            "resets_on",
            format!("{month:02}-{day:02}"),
            format!("judged over the year since that day; here since {}", frame.from),
        ),
    };
    let ttl = policy.state_ttl.map_or_else(|| "none".to_owned(), duration_text);
    vec![
        row("scope", &scope_name(policy.scope), standing),
        row(
            "availability.target",
            &policy.target,
            format!("{of} of {} may be down, {budget}; more removes the badge", length(frame.length)),
        ),
        row(format!("availability.{key}"), &value, window),
        row(
            "outages.max",
            &policy.outages_max,
            format!("outage {} in the window removes the badge", u64::from(policy.outages_max) + 1),
        ),
        row("outages.merge_gap", &duration_text(policy.merge_gap), "downtime with gaps up to this is one run"),
        row("outages.min_duration", &duration_text(policy.min_duration), "a run is an outage from so much downtime on"),
        row("minute.down_ratio", &policy.down_ratio, "a minute is down with a larger share of failures"),
        row("minute.min_attempts", &policy.min_attempts, "a minute with fewer attempts isn't judged"),
        row("minute.state_ttl", &ttl, "how long a reported state holds unless it is renewed"),
        row(
            "probation.months",
            &policy.probation_months,
            format!("good months in a row to reinstatement; one of 30 days may have {month}"),
        ),
        row("probation.min_coverage", &policy.min_coverage, "a month of which less is measured isn't good"),
    ]
}

fn warning(policy: &Policy, at: Timestamp) -> Vec<Row> {
    let warnings = &policy.warnings;
    let budget_ms = policy.budget_ms(policy.frame_at(at));
    let share = |name: &str, share: Ppm| {
        row(format!("warnings.{name}.budget_used"), &share, format!("from {} of downtime on", time(share.ceil_of(budget_ms))))
    };
    let outages =
        |name: &str, count: u32| row(format!("warnings.{name}.outages"), &count, format!("from outage {count} in the window on"));
    vec![
        share("watch", warnings.watch_budget),
        share("warning", warnings.warning_budget),
        outages("warning", warnings.warning_outages),
        share("critical", warnings.critical_budget),
        outages("critical", warnings.critical_outages),
        row(
            "warnings.hysteresis",
            &warnings.hysteresis,
            format!("a warning lapses {} below where it became active", time(warnings.hysteresis.ceil_of(budget_ms))),
        ),
        row(
            "warnings.projection",
            &duration_text(warnings.projection),
            "a warning when the budget is used up so soon, as fast as in the last 7 and 30 days",
        ),
        row("warnings.min_customers", &warnings.min_customers, "mail is for products with at least so many customers"),
    ]
}

fn live(policy: &Policy) -> Vec<Row> {
    let enforcement = match policy.enforcement {
        Enforcement::Automatic => ("automatic", "a removal is issued"),
        Enforcement::Review => ("review", "a removal is proposed and waits for a confirmation"),
    };
    let critical = policy.critical_outage_acknowledge_within.map_or_else(
        || row("critical_outage", &"-", "critical outages aren't told"),
        |within| {
            row(
                "critical_outage.acknowledge_within",
                &duration_text(within),
                "critical outages are to be acknowledged within this",
            )
        },
    );
    vec![
        row("enforcement", &enforcement.0, enforcement.1),
        row("max_skew", &duration_text(policy.max_skew), "an event dated later than its record by more is rejected"),
        row("max_removals_per_hour", &policy.max_removals_per_hour, "further removals in an hour become proposals"),
        row("settle.warnings", &duration_text(policy.settle_warnings), "warnings wait so long for late evidence"),
        row(
            "settle.enforcement",
            &duration_text(policy.settle_enforcement),
            "removals, suspensions and reinstatements wait so long",
        ),
        critical,
    ]
}

fn alerts(policy: &Policy, at: Timestamp) -> Vec<Row> {
    let frame = policy.frame_at(at);
    let pair = |pair: &BurnWindow| {
        let value = format!("{} in {}, {}", pair.budget, duration_text(pair.long), duration_text(pair.short));
        let used = time(pair.budget.ceil_of(policy.budget_ms(frame)));
        let times = threshold(*pair, frame.length);
        let meaning = format!("alert at a burn rate of {times} over both: {used} of downtime in {}", duration_text(pair.long));
        row("burn_rate.windows", &value, meaning)
    };
    let degradation = &policy.degradation;
    let rest = [
        row(
            "burn_rate.min_attempts",
            &policy.burn_rate.min_attempts,
            "with fewer attempts in the longer one the rate isn't known",
        ),
        row("degradation.window", &duration_text(degradation.window), "a skill's service is looked at over the last so long"),
        row("degradation.min_success", &degradation.min_success, "degraded when fewer attempts succeed"),
        row(
            "degradation.max_p90",
            &duration_text(degradation.max_p90),
            "degraded when the slowest tenth of attempts takes so long",
        ),
        row("degradation.min_attempts", &degradation.min_attempts, "with fewer attempts it isn't known"),
    ];
    policy.burn_rate.windows.iter().map(pair).chain(rest).collect()
}

fn row(key: impl Into<String>, value: &impl ToString, meaning: impl Into<String>) -> Row {
    (key.into(), value.to_string(), meaning.into())
}

/// Milliseconds, as such and in hours, minutes and seconds.
fn time(ms: i64) -> String {
    format!("{} ms ({})", grouped(ms), table::duration(ms))
}

/// A window's length in days where it is a whole number of them.
fn length(length: DurationMs) -> String {
    if length.ms() % DAY_MS == 0 { format!("{} days", length.ms() / DAY_MS) } else { duration_text(length) }
}

/// A number that isn't negative, with a comma before every three digits.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let separated = digits.char_indices().flat_map(|(index, digit)| {
        let comma = (index > 0 && (digits.len() - index).is_multiple_of(3)).then_some(',');
        comma.into_iter().chain([digit])
    });
    separated.collect()
}
