//! The worked examples of `stories/`, each with its expected result.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::*;

/// Evaluates a story; panics with its name where the result differs.
fn check(path: &Path) {
    let text = std::fs::read_to_string(path).expect("a readable story");
    let story: Value = serde_json::from_str(&text).expect("a story is JSON");
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let report = evaluate(&story);
    let expected = &story["expected"];
    let expected_decisions = expected["decisions"].as_array();
    if let Some(products) = expected["products"].as_array() {
        let actual = report["products"].as_array().expect("products");
        assert_eq!(actual.len(), products.len(), "{name}: {actual:#?}");
        for (actual, expected) in actual.iter().zip(products) {
            for (field, value) in expected.as_object().expect("a product") {
                let found = match (field.as_str(), value) {
                    ("outages", Value::Number(_)) => Value::from(actual["outages"].as_array().map_or(0, Vec::len)),
                    // Where a story leaves warnings out, it leaves out that they show in the standing.
                    ("standing", _) if actual[field] == "warned" && expected_decisions.is_none() => Value::from("good"),
                    _ => actual[field].clone(),
                };
                assert_eq!(found, rounded(field, value), "{name}: {field} of {}", expected["asin"]);
            }
        }
    }
    for (key, warnings) in [("decisions_without_warnings", false), ("decisions", true)] {
        if let Some(decisions) = expected[key].as_array() {
            let is_warning = |decision: &Value| decision["kind"].as_str().is_some_and(|kind| kind.ends_with("warning"));
            let fields: Vec<&String> =
                decisions.first().and_then(Value::as_object).map(|o| o.keys().collect()).unwrap_or_default();
            let shown = |decision: &Value| fields.iter().map(|field| format!("{field}={}", decision[*field])).collect::<String>();
            let found: Vec<String> = report["decisions"]
                .as_array()
                .expect("decisions")
                .iter()
                .filter(|decision| warnings || !is_warning(decision))
                .map(shown)
                .collect();
            let wanted: Vec<String> = decisions.iter().map(shown).collect();
            if warnings {
                assert_eq!(found, wanted, "{name}");
            } else {
                let set = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>();
                assert_eq!(set(&found), set(&wanted), "{name}");
                assert_eq!(found.len(), wanted.len(), "{name}: nothing is decided twice");
            }
        }
    }
    for key in ["manufacturers", "rejected"] {
        if !expected[key].is_null() {
            assert_eq!(report[key], expected[key], "{name}: {key}");
        }
    }
}

/// The stories give ratios to nine places, the contract prints seven.
fn rounded(field: &str, value: &Value) -> Value {
    match (field, value.as_f64()) {
        ("coverage", Some(ratio)) => Value::from((ratio * 1e7).round() / 1e7),
        _ => value.clone(),
    }
}

fn evaluate(story: &Value) -> Value {
    let policy = story["policy"].as_str().expect("a policy");
    let policies = Policies::new(wire::policy::parse(policy, "story").expect("a right policy")).expect("versions");
    let lines = |key: &str| -> Vec<Vec<u8>> {
        story[key].as_array().expect("lines").iter().map(|line| line.to_string().into_bytes()).collect()
    };
    let mut evaluation = Evaluation::new(policies);
    (1..).zip(lines("registry")).for_each(|(number, line)| evaluation.registry_line(number, &line));
    evaluation.settle_registry(None);
    (1..).zip(lines("events")).for_each(|(number, line)| evaluation.event_line(number, &line));
    let at = story["at"].as_str().and_then(Timestamp::parse_rfc3339).expect("an instant");
    wire::report::to_json(&evaluation.finish(at))
}

#[test]
fn every_story_comes_out_as_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stories");
    let mut stories: Vec<_> =
        std::fs::read_dir(folder).expect("the stories").map(|entry| entry.expect("an entry").path()).collect();
    stories.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    stories.sort();
    assert!(stories.len() >= 20, "only {} stories found", stories.len());
    stories.iter().for_each(|path| check(path));
}
