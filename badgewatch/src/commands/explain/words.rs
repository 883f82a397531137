//! An explanation for people: what was told, what holds, what may come.

use std::fmt::Write;

use wire::explanation::{AheadView, BadgeView, BurnRateView, CriticalOutageView, ExplanationView, ForecastView, WhatIfView};

use crate::table::{self, clock};

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 3_600_000;

/// The whole explanation.
pub(super) fn explanation(view: &ExplanationView) -> String {
    let ExplanationView { asin, at, known_until, rejected_lines, .. } = view;
    let mut out = format!("{asin} at {at}, by what is known up to {known_until}\n");
    if *rejected_lines > 0 {
        let (lines, verb) = if *rejected_lines == 1 { ("line", "does") } else { ("lines", "do") };
        out += &format!("{rejected_lines} {lines} of registry and events {verb} not count; `badgewatch evaluate` says why\n");
    }
    section(&mut out, "How it stood, as corrected by what is known now", &standings(view));
    section(&mut out, "As known: what had been issued by then", &issued(view));
    section(
        &mut out,
        "As corrected: what is implied now, dated up to then",
        &listed(table::story(&view.as_corrected.decisions), view),
    );
    section(&mut out, "Where the two differ", &differences(view));
    for forecast in &view.forecast {
        section(&mut out, &format!("What may come: {}", forecast.scope), &ahead(forecast));
    }
    section(&mut out, "Critical outages", &critical(&view.critical_outages));
    out
}

fn section(out: &mut String, title: &str, content: &str) {
    out.push_str(&format!("\n{title}\n{}\n", content.trim_end()));
}

fn standings(view: &ExplanationView) -> String {
    let standings = &view.as_corrected.standings;
    if standings.is_empty() { "  it wasn't badged yet".to_owned() } else { table::products(standings) }
}

fn issued(view: &ExplanationView) -> String {
    let Some(issued) = &view.as_known else {
        return "  not told: give --decisions FILE, or --kafka BROKERS".to_owned();
    };
    if issued.is_empty() {
        return "  nothing".to_owned();
    }
    let mut table = table::table(&["issued at", "dated", "who", "scope", "decision", "why", "id, and what it replaces"]);
    for decision in issued {
        let replaced = decision.supersedes.as_ref().map(|id| format!("\nreplaces {id}")).unwrap_or_default();
        table.add_row([
            decision.evidence.issued.as_ref().map_or_else(|| "not said".to_owned(), |issued| issued.at.clone()),
            decision.at.clone(),
            decision.asin.clone().unwrap_or_else(|| decision.manufacturer.clone()),
            decision.scope.clone(),
            decision
                .evidence
                .amends
                .as_ref()
                .map_or_else(|| words(&decision.kind), |of| format!("{} of {}", words(&decision.kind), words(of))),
            table::why(decision),
            format!("{}{replaced}", decision.id),
        ]);
    }
    table.to_string()
}

/// What is implied; `nothing` where that is so.
fn listed(story: String, view: &ExplanationView) -> String {
    if view.as_corrected.decisions.is_empty() { "  nothing".to_owned() } else { story }
}

fn differences(view: &ExplanationView) -> String {
    match (&view.as_known, view.differences.as_slice()) {
        (None, _) => "  not told: what was issued isn't known".to_owned(),
        (Some(_), []) => "  nowhere".to_owned(),
        (Some(_), all) => all.iter().map(|told| format!("  - {told}\n")).collect(),
    }
}

fn ahead(forecast: &ForecastView) -> String {
    match &forecast.badge {
        BadgeView::On(ahead) => on(ahead),
        BadgeView::Proposed { breach } => {
            format!("  The badge is on. A breach at {breach} waits for its ruling; until then nothing more is judged.")
        }
        BadgeView::Off { earliest_reinstatement, missing } if missing.is_empty() => {
            format!("  The badge is off. Earliest reinstatement: {earliest_reinstatement}, if nothing more goes wrong.")
        }
        BadgeView::Off { earliest_reinstatement, missing } => format!(
            "  The badge is off. Earliest reinstatement: {earliest_reinstatement}, if nothing more goes wrong, and once these \
             requirements hold: {}.",
            missing.join(", ")
        ),
        BadgeView::Withdrawn => "  There is no badge: it was withdrawn.".to_owned(),
    }
}

fn on(ahead: &AheadView) -> String {
    let usage = &ahead.usage;
    let mut out = format!(
        "  The badge is on. {} of {} used, {} since {}.\n",
        clock(usage.downtime_ms),
        clock(usage.budget_ms),
        counted(usage.outages, "outage"),
        usage.window.from,
    );
    let mut table = table::table(&["until", "further downtime", "if it went down now, at", "further outages"]);
    for left in &ahead.downtime_left {
        let outages = ahead.outages_left.iter().find(|outages| outages.level == left.level);
        let reached = left.downtime_ms == 0;
        table.add_row([
            if left.level == "breach" { "the badge goes".to_owned() } else { left.level.clone() },
            if reached { "reached".to_owned() } else { clock(left.downtime_ms) },
            if reached { "-".to_owned() } else { left.reached_at.clone().unwrap_or_else(|| "never".to_owned()) },
            outages.map_or_else(
                || "-".to_owned(),
                |outages| if outages.outages == 0 { "reached".to_owned() } else { outages.outages.to_string() },
            ),
        ]);
    }
    writeln!(out, "{table}").expect("a string takes everything");
    out += &ages_out(ahead);
    out += &burns(&ahead.burn_rates);
    out += &ahead.what_if.as_ref().map(what_if).unwrap_or_default();
    out
}

fn ages_out(ahead: &AheadView) -> String {
    let downtime = ahead.downtime_ages_out.iter().map(|part| {
        let span = if part.from == part.to { format!("at {}", part.from) } else { format!("{} to {}", part.from, part.to) };
        format!("  {} of downtime: {span}\n", clock(part.downtime_ms))
    });
    let outages = ahead.outages_age_out.iter().map(|outage| format!("  the outage of {}: at {}\n", outage.run.from, outage.at));
    let told: String = downtime.chain(outages).collect();
    if told.is_empty() { "Nothing is there to age out.\n".to_owned() } else { format!("What ages out next\n{told}") }
}

fn burns(rates: &[BurnRateView]) -> String {
    let mut table = table::table(&["burn rate over", "rate", "and over", "rate", "alerts from", "attempts", "alert"]);
    for rate in rates {
        table.add_row([
            length(rate.long_ms),
            times(rate.long_rate),
            length(rate.short_ms),
            times(rate.short_rate),
            times(Some(rate.threshold)),
            rate.attempts.to_string(),
            match (rate.known, rate.alerts) {
                (false, _) => "not known: too few attempts",
                (true, true) => "yes",
                (true, false) => "no",
            }
            .to_owned(),
        ]);
    }
    format!("{table}\n")
}

fn what_if(assumed: &WhatIfView) -> String {
    let usage = &assumed.usage;
    let mut out = format!("What if it is down from {} to {}\n", assumed.assumed.from, assumed.assumed.to);
    let when = if assumed.breach.is_some() { "At the breach" } else { "At its end" };
    let (used, budget) = (clock(usage.downtime_ms), clock(usage.budget_ms));
    out += &format!("  {when} {used} of {budget} would be used, {}.\n", counted(usage.outages, "outage"));
    for warning in &assumed.warnings {
        out += &format!("  {}: warning {}\n", warning.at, warning.reason);
    }
    match &assumed.breach {
        Some(breach) => out += &format!("  {}: the badge would go, by {}\n", breach.at, breach.reasons.join(" and ")),
        None => out.push_str("  The badge would stay.\n"),
    }
    out
}

fn critical(outages: &[CriticalOutageView]) -> String {
    if outages.is_empty() {
        return "  none to be acknowledged".to_owned();
    }
    let mut table = table::table(&["critical at", "scope", "answer", "due by", "cause", "expected fix", "told", "id"]);
    for outage in outages {
        let answer = outage.acknowledgement.as_ref();
        let status = answer.map_or_else(
            || outage.status.clone(),
            |answer| format!("{}{} at {} by {}", outage.status, if answer.late { " late" } else { "" }, answer.at, answer.by),
        );
        let told = match (outage.issued, outage.implied) {
            (Some(true), true) => "issued",
            (Some(true), false) => "issued, not implied now",
            (Some(false), _) => "not issued by then",
            (None, _) => "implied",
        };
        table.add_row([
            outage.at.clone(),
            outage.scope.clone(),
            status,
            outage.due.clone(),
            answer.map_or_else(|| "-".to_owned(), |answer| answer.cause.clone()),
            answer.map_or_else(|| "-".to_owned(), |answer| answer.expected_fix.clone()),
            told.to_owned(),
            outage.id.clone(),
        ]);
    }
    table.to_string()
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn length(ms: i64) -> String {
    if ms % DAY_MS == 0 { format!("{} d", ms / DAY_MS) } else { clock(ms) }
}

fn times(rate: Option<f64>) -> String {
    rate.map_or_else(|| "no budget".to_owned(), |rate| format!("{rate:.2}"))
}
