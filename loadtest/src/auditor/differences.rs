//! Where an engine's report and the auditor's differ, in words.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};

use domain::decision::Cause;
use domain::report::{ManufacturerStanding, ProductStanding};
use domain::{Decision, OutageEvidence, Region, RejectReason, Rejection, Report};

/// Everything that the contract reports, except ids, evidence other than the policy, the details of
/// rejections, and rejections of kinds that only a parser finds. Empty when the reports agree.
#[must_use]
pub fn differences(engine: &Report, audit: &Report) -> Vec<String> {
    let mut out = Vec::new();
    field(&mut out, "report", "at", &engine.at, &audit.at);
    let product = |product: &ProductStanding| format!("{} {}", product.asin, product.scope);
    paired(&mut out, "products", &engine.products, &audit.products, product, compare_products);
    let manufacturer = |manufacturer: &ManufacturerStanding| format!("{} {}", manufacturer.id, manufacturer.scope);
    paired(&mut out, "manufacturers", &engine.manufacturers, &audit.manufacturers, manufacturer, compare_manufacturers);
    let judged_by = |decision: &Decision| format!("{} by {}", decision_line(decision), decision.evidence.policy);
    listed(&mut out, "decisions", engine.decisions.iter().map(judged_by), audit.decisions.iter().map(judged_by));
    let lines = |report: &Report| -> Vec<String> {
        let found = report.rejected.iter().filter(|rejection| is_audited(rejection));
        found.map(|rejection| format!("{} {}: {}", rejection.source.as_str(), rejection.line, rejection.reason)).collect()
    };
    listed(&mut out, "rejected", lines(engine).into_iter(), lines(audit).into_iter());
    out
}

fn is_audited(rejection: &Rejection) -> bool {
    matches!(rejection.reason, RejectReason::UnknownSubject | RejectReason::ConflictingDuplicate)
}

pub(super) fn decision_line(decision: &Decision) -> String {
    let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
    let asin = decision.asin.as_ref().map_or("-", |asin| asin.as_str());
    let supersedes = decision.supersedes.map(|id| format!(" supersedes {id}")).unwrap_or_default();
    format!(
        "{} {} [{}] {asin} {} {}{supersedes}",
        decision.at,
        decision.kind,
        reasons.join(" "),
        decision.manufacturer,
        decision.scope
    )
}

fn outage_line(outage: &OutageEvidence) -> String {
    let regions: Vec<&str> = outage.regions.iter().map(Region::as_str).collect();
    let causes: Vec<&str> = outage.causes.iter().map(Cause::as_str).collect();
    let open = if outage.open { " open" } else { "" };
    format!("{:?} {} ms{open} in {} by {}", outage.run, outage.downtime_ms, regions.join(" "), causes.join(" "))
}

fn compare_products(out: &mut Vec<String>, name: &str, engine: &ProductStanding, audit: &ProductStanding) {
    field(out, name, "manufacturer", &engine.manufacturer, &audit.manufacturer);
    field(out, name, "standing", &engine.standing, &audit.standing);
    field(out, name, "warning_level", &engine.warning_level, &audit.warning_level);
    field(out, name, "availability", &engine.availability, &audit.availability);
    field(out, name, "observed_availability", &engine.observed_availability, &audit.observed_availability);
    field(out, name, "coverage", &engine.coverage, &audit.coverage);
    field(out, name, "downtime_ms", &engine.downtime_ms, &audit.downtime_ms);
    field(out, name, "budget_ms", &engine.budget_ms, &audit.budget_ms);
    field(out, name, "window", &engine.window, &audit.window);
    field(out, name, "probation", &engine.probation, &audit.probation);
    let name = format!("{name} outages");
    listed(out, &name, engine.outages.iter().map(outage_line), audit.outages.iter().map(outage_line));
}

fn compare_manufacturers(out: &mut Vec<String>, name: &str, engine: &ManufacturerStanding, audit: &ManufacturerStanding) {
    field(out, name, "suspended", &engine.suspended, &audit.suspended);
    field(out, name, "removed", &engine.removed, &audit.removed);
}

fn field<T: PartialEq + Debug>(out: &mut Vec<String>, name: &str, field: &str, engine: &T, audit: &T) {
    if engine != audit {
        out.push(format!("{name}: {field}: engine {engine:?}, auditor {audit:?}"));
    }
}

/// Compares rows of one name; which rows there are, and their order, as lines.
fn paired<T, K: Ord + Display>(
    out: &mut Vec<String>,
    name: &str,
    engine: &[T],
    audit: &[T],
    key: impl Fn(&T) -> K,
    compare: impl Fn(&mut Vec<String>, &str, &T, &T),
) {
    listed(out, name, engine.iter().map(|row| key(row).to_string()), audit.iter().map(|row| key(row).to_string()));
    let audited: BTreeMap<K, &T> = audit.iter().map(|row| (key(row), row)).collect();
    for row in engine {
        if let Some(other) = audited.get(&key(row)) {
            compare(out, &key(row).to_string(), row, other);
        }
    }
}

/// Compares lines: those that only one has, else their order.
fn listed(out: &mut Vec<String>, name: &str, engine: impl Iterator<Item = String>, audit: impl Iterator<Item = String>) {
    let (engine, audit): (Vec<String>, Vec<String>) = (engine.collect(), audit.collect());
    let mut balance: BTreeMap<&String, i64> = BTreeMap::new();
    engine.iter().for_each(|line| *balance.entry(line).or_default() += 1);
    audit.iter().for_each(|line| *balance.entry(line).or_default() -= 1);
    let before = out.len();
    for (line, more) in balance {
        match more {
            0 => {}
            1.. => out.push(format!("{name}: only the engine has {line}")),
            _ => out.push(format!("{name}: only the auditor has {line}")),
        }
    }
    if out.len() == before
        && let Some((at, (mine, other))) = engine.iter().zip(&audit).enumerate().find(|(_, (mine, other))| mine != other)
    {
        out.push(format!("{name}: order: at position {at} the engine has {mine}, the auditor {other}"));
    }
}
