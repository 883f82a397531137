//! The worked examples: policy, registry and events with the standings and decisions to expect.

use std::path::PathBuf;

use domain::report::{ProductStanding, Standing};
use domain::{Decision, DecisionKind, Event, Fact, Policies, Report, Timestamp};
use serde_json::Value;

use crate::auditor::{AuditInput, audit};

#[test]
fn every_story_ends_as_told() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../stories");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut stories: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect();
    stories.sort();
    assert!(!stories.is_empty(), "there are stories");
    for story in stories {
        check(&story.display().to_string(), &serde_json::from_slice(&std::fs::read(&story).unwrap()).unwrap());
    }
}

fn check(name: &str, story: &Value) {
    let report = tell(story);
    assert_eq!(report.rejected, [], "{name}");
    let expected = &story["expected"];
    let products = expected["products"].as_array().unwrap();
    assert_eq!(report.products.len(), products.len(), "{name}");
    let warnings = expected["decisions"].is_array();
    for (product, expected) in report.products.iter().zip(products) {
        check_product(name, product, expected, warnings);
    }
    if warnings {
        let decisions: Vec<String> = report.decisions.iter().map(reasoned_line).collect();
        let told: Vec<String> = expected["decisions"].as_array().unwrap().iter().map(told_reasoned_line).collect();
        assert_eq!(decisions, told, "{name}");
        return;
    }
    let mut decisions: Vec<String> =
        report.decisions.iter().filter(|decision| !is_warning(decision)).map(decision_line).collect();
    let mut told: Vec<String> = expected["decisions_without_warnings"].as_array().unwrap().iter().map(told_line).collect();
    decisions.sort();
    told.sort();
    assert_eq!(decisions, told, "{name}");
}

fn tell(story: &Value) -> Report {
    let policies = Policies::new(wire::policy::parse(story["policy"].as_str().unwrap(), "story").unwrap()).unwrap();
    let lines = |key: &str| story[key].as_array().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
    let facts: Vec<(u64, Fact)> =
        (1..).zip(lines("registry").iter().map(|line| wire::fact::parse(line.as_bytes()).unwrap())).collect();
    let events: Vec<(u64, Event)> =
        (1..).zip(lines("events").iter().map(|line| wire::event::parse(line.as_bytes()).unwrap().event().to_owned())).collect();
    let at = Timestamp::parse_rfc3339(story["at"].as_str().unwrap()).unwrap();
    audit(&AuditInput { policies: &policies, facts: &facts, events: &events, at })
}

fn check_product(name: &str, product: &ProductStanding, expected: &Value, warnings: bool) {
    let scope = product.scope;
    assert_eq!(product.asin.as_str(), expected["asin"], "{name}");
    assert_eq!(scope.as_str(), expected["scope"], "{name}");
    let standing = if warnings { product.standing } else { without_warnings(product.standing) };
    assert_eq!(standing.as_str(), expected["standing"], "{name} {scope}");
    assert_eq!(product.downtime_ms, expected["downtime_ms"].as_i64().unwrap(), "{name} {scope}");
    assert_eq!(product.outages.len(), usize::try_from(expected["outages"].as_u64().unwrap()).unwrap(), "{name} {scope}");
    let Some(told) = expected.get("coverage") else { return };
    let coverage = product.coverage.map(|coverage| format!("{:.7}", ten_millionths(coverage)));
    assert_eq!(coverage, told.as_f64().map(|told| format!("{told:.7}")), "{name} {scope}");
}

/// The stories leave warnings out: a warned product stands as a good one.
fn without_warnings(standing: Standing) -> Standing {
    if standing == Standing::Warned { Standing::Good } else { standing }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio has eight digits")]
fn ten_millionths(ratio: domain::Ratio) -> f64 {
    ratio.ten_millionths() as f64 / 1e7
}

fn is_warning(decision: &Decision) -> bool {
    matches!(decision.kind, DecisionKind::Warning | DecisionKind::CoverageWarning)
}

fn decision_line(decision: &Decision) -> String {
    let asin = decision.asin.as_ref().map_or("null", |asin| asin.as_str());
    format!("{} {} {asin} {} {}", decision.at, decision.kind, decision.manufacturer, decision.scope)
}

fn reasoned_line(decision: &Decision) -> String {
    let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
    format!("{} [{}]", decision_line(decision), reasons.join(", "))
}

fn told_reasoned_line(told: &Value) -> String {
    let reasons: Vec<&str> = told["reasons"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    format!("{} [{}]", told_line(told), reasons.join(", "))
}

fn told_line(told: &Value) -> String {
    let text = |key: &str| told[key].as_str().unwrap_or("null");
    format!("{} {} {} {} {}", text("at"), text("kind"), text("asin"), text("manufacturer"), text("scope"))
}
