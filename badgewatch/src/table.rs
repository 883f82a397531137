//! Results as tables for people.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use domain::Report;
use wire::ReportView;
use wire::view::{DecisionView, EvidenceView, ManufacturerView, ProductView, RejectionView};

/// Width of a budget bar, in characters.
const BAR_CHARS: i64 = 20;
/// Rejected lines that are shown; the rest is counted.
const REJECTED_SHOWN_MAX: usize = 20;

/// A whole report.
pub(crate) fn report(report: &Report) -> String {
    let view = ReportView::from(report);
    format!(
        "Standings at {}\n{}\n\nManufacturers\n{}\n\nDecisions\n{}\n\n{}",
        view.at,
        products(&view.products),
        manufacturers(&view.manufacturers),
        story(&view.decisions),
        rejected(&view.rejected),
    )
}

/// Products with their budgets.
pub(crate) fn products(products: &[ProductView]) -> String {
    let mut table = table(&[
        "product",
        "scope",
        "standing",
        "budget used",
        "downtime",
        "outages",
        "availability",
        "coverage",
        "manufacturer",
    ]);
    for product in products {
        table.add_row([
            product.asin.clone(),
            product.scope.clone(),
            standing(product),
            bar(product.downtime_ms, product.budget_ms),
            duration(product.downtime_ms),
            product.outages.len().to_string(),
            percent(product.availability, 4),
            percent(product.coverage, 1),
            product.manufacturer.clone(),
        ]);
    }
    for column in [4, 5, 6, 7] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n")
}

/// Manufacturers and why they are suspended.
pub(crate) fn manufacturers(manufacturers: &[ManufacturerView]) -> String {
    let mut table = table(&["manufacturer", "scope", "may request badges", "removed products"]);
    for manufacturer in manufacturers {
        let may = if manufacturer.suspended { "no: suspended" } else { "yes" };
        table.add_row([manufacturer.id.as_str(), &manufacturer.scope, may, &manufacturer.removed.join(" ")]);
    }
    format!("{table}\n")
}

/// Decisions in order, each with why.
pub(crate) fn story(decisions: &[DecisionView]) -> String {
    let mut table = table(&["when", "who", "scope", "decision", "why"]);
    for decision in decisions {
        table.add_row([
            decision.at.clone(),
            decision.asin.clone().unwrap_or_else(|| decision.manufacturer.clone()),
            decision.scope.clone(),
            decision.kind.replace('_', " "),
            why(decision),
        ]);
    }
    format!("{table}\n")
}

fn rejected(rejected: &[RejectionView]) -> String {
    if rejected.is_empty() {
        return "No line was rejected\n".to_owned();
    }
    let mut table = table(&["source", "line", "reason", "detail"]);
    for line in rejected.iter().take(REJECTED_SHOWN_MAX) {
        table.add_row([line.source.as_str(), &line.line.to_string(), &line.reason, &line.detail]);
    }
    format!("Rejected lines: {} of {}\n{table}\n", rejected.len().min(REJECTED_SHOWN_MAX), rejected.len())
}

/// Why something was decided, and the numbers behind it.
pub(crate) fn why(decision: &DecisionView) -> String {
    let EvidenceView { downtime_ms, budget_ms, outages, exclusions, coverage, month, removed, .. } = &decision.evidence;
    let mut parts = decision.reasons.clone();
    if let (Some(downtime), Some(budget)) = (downtime_ms, budget_ms) {
        parts.push(format!("{} of {} used", duration(*downtime), duration(*budget)));
    }
    if let (Some(downtime), None) = (downtime_ms, budget_ms) {
        parts.push(format!("{} down in what was judged", duration(*downtime)));
    }
    if !outages.is_empty() {
        let plural = if outages.len() == 1 { "" } else { "s" };
        parts.push(format!("{} outage{plural}", outages.len()));
    }
    if !exclusions.is_empty() {
        parts.push(format!("excused by {}", exclusions.join(" ")));
    }
    if let Some(month) = month {
        parts.push(format!("month {month}"));
    }
    if decision.reasons.iter().any(|reason| reason == "coverage") {
        parts.push(format!("{} measured", percent(*coverage, 1)));
    }
    if !removed.is_empty() {
        parts.push(format!("removed: {}", removed.join(" ")));
    }
    parts.join(", ")
}

fn standing(product: &ProductView) -> String {
    match (&product.warning_level, &product.probation) {
        (Some(level), _) => format!("{} ({level})", product.standing),
        (None, Some(probation)) => format!("{} (months passed: {})", product.standing, probation.months_passed),
        (None, None) => product.standing.clone(),
    }
}

fn bar(downtime_ms: i64, budget_ms: i64) -> String {
    let filled = if budget_ms > 0 { downtime_ms.saturating_mul(BAR_CHARS) / budget_ms } else { 0 }.clamp(0, BAR_CHARS);
    let count = |n: i64| usize::try_from(n).unwrap_or_default();
    let share = if budget_ms > 0 { (downtime_ms * 100 / budget_ms).to_string() } else { "-".to_owned() };
    format!("{}{} {share:>3}%", "█".repeat(count(filled)), "·".repeat(count(BAR_CHARS - filled)))
}

/// Hours, minutes, seconds and milliseconds.
pub(crate) fn duration(ms: i64) -> String {
    let (minutes, seconds) = (ms / 60_000, ms % 60_000);
    format!("{}:{:02}:{:02}.{:03}", minutes / 60, minutes % 60, seconds / 1_000, seconds % 1_000)
}

/// Hours, minutes and seconds; milliseconds only where there are any.
pub(crate) fn clock(ms: i64) -> String {
    let text = duration(ms);
    text.strip_suffix(".000").map(str::to_owned).unwrap_or(text)
}

fn percent(ratio: Option<f64>, decimals: usize) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{:.decimals$}%", ratio * 100.0))
}

/// An empty table.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header.iter().copied());
    table
}
