use ports::{MemorySink, MemorySource};
use serde_json::Value;

use super::*;

const BADGE: &str = r#"{"type":"badge","asin":"B1","manufacturer":"m-1","brand":"Acme","marketplaces":["US"],"enabled_at":"2025-01-01T00:00:00Z"}"#;

fn config() -> RunConfig {
    let text = wire::policy::preset("wwa-2024").expect("a preset");
    let policy = wire::policy::parse(text, "wwa-2024").expect("a right policy").remove(0);
    RunConfig { policies: policy.into(), health_name: "health".to_owned(), registry_name: "registry".to_owned() }
}

fn outcome(asin: &str, at: &str, failed: u32) -> String {
    format!(r#"{{"v":1,"type":"outcome","subject":"product:{asin}","region":"NA","at":"{at}","ok":0,"failed":{failed}}}"#)
}

/// Runs over lines; yields what was appended to a log, and the summary.
fn run_over(until: Until, registry: &str, health: &str, log: Log) -> (Vec<Value>, Summary) {
    let (mut registry, mut health) = (MemorySource::lines(registry), MemorySource::lines(health));
    let mut sink = MemorySink::default();
    let metrics = Arc::new(Metrics::new("test").expect("metrics"));
    let ports = Ports { registry: &mut registry, health: &mut health, sink: &mut sink };
    let summary = run_bounded(&config(), until, ports, &metrics, &AtomicBool::new(false), &mut |_| {}).expect("a run");
    let parse = |payload: &[u8]| serde_json::from_slice(payload).expect("JSON");
    (sink.appended().iter().filter(|a| a.log == log).map(|a| parse(&a.payload)).collect(), summary)
}

#[test]
fn a_bounded_source_is_decided_up_to_its_last_minute() {
    let health = [outcome("B1", "2025-03-01T00:07:12Z", 20), outcome("B1", "2025-03-01T00:08:12Z", 20)].join("\n");
    let (standings, summary) = run_over(Until::SourceEnds, BADGE, &health, Log::Standings);
    assert_eq!(summary.at.map(|at| at.to_string()), Some("2025-03-01T00:09:00.000Z".to_owned()));
    assert_eq!(standings[0]["downtime_ms"], 120_000);
    assert_eq!((summary.records, summary.accepted), (2, 2));
}

#[test]
fn decisions_are_those_of_an_evaluation() {
    let health: Vec<String> =
        (0..380).map(|n| outcome("B1", &format!("2025-03-01T{:02}:{:02}:00Z", n / 60, n % 60), 30)).collect();
    let at = Timestamp::parse_rfc3339("2025-06-01T00:00:00Z").expect("an instant");
    let (decisions, summary) = run_over(Until::Instant(at), BADGE, &health.join("\n"), Log::Decisions);
    let mut evaluation = crate::Evaluation::new(config().policies);
    evaluation.registry_line(1, BADGE.as_bytes());
    evaluation.settle_registry(None);
    (1..).zip(&health).for_each(|(line, text)| evaluation.event_line(line, text.as_bytes()));
    let expected = evaluation.finish(at).decisions;
    assert!(expected.iter().any(|decision| decision.kind == domain::DecisionKind::BadgeRemoval));
    let ids: Vec<_> = decisions.iter().map(|decision| decision["id"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(ids, expected.iter().map(|decision| decision.id.to_string()).collect::<Vec<_>>());
    assert_eq!(summary.decisions, expected.len() as u64);
}

#[test]
fn a_rejected_line_is_kept_with_its_reason_and_position() {
    let health = ["{", &outcome("B2", "2025-03-01T00:00:00Z", 1), "", &outcome("B1", "2025-03-01T00:00:00Z", 1)].join("\n");
    let listing = r#"{"type":"listing","asin":"B9","marketplace":"US","at":"2025-01-01T00:00:00Z","status":"live"}"#;
    let (rejected, summary) = run_over(Until::SourceEnds, &format!("{BADGE}\n{BADGE}\n{listing}"), &health, Log::Rejected);
    let told: Vec<_> = rejected
        .iter()
        .map(|line| {
            let source = &line["source"];
            format!("{}@{}:{} {}", source["log"], source["offset"], source["line"], line["reason"])
        })
        .collect();
    assert_eq!(
        told,
        [
            r#""registry"@1:1 "conflicting_duplicate""#,
            r#""registry"@2:1 "unknown_subject""#,
            r#""health"@0:1 "invalid_json""#,
            r#""health"@1:1 "unknown_subject""#,
        ]
    );
    assert_eq!((summary.rejected, summary.accepted), (4, 1));
}
