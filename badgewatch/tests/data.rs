//! The main job over logs of its own, with nothing else installed: fed from files, killed, and going on.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

#[path = "common/common.rs"]
pub mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use domain::decision::Issuer;
use domain::{Decision, DecisionKind, DurationMs, Timestamp};
use ports::{Log, read_to_end};
use storage::embedded::system_clock;
use storage::{EmbeddedConfig, EmbeddedLogs};

use common::process::Process;
use common::{BREACH, MINUTES, Watched, ago, badge, down, is_about, minutes, policy, suspends};

/// Everything that was issued; what was published again after a crash is there byte for byte, and counts once.
fn issued(folder: &Path) -> Vec<Decision> {
    let logs = EmbeddedLogs::open(&folder.join("data/logs"), &EmbeddedConfig::default(), system_clock()).unwrap().logs;
    let mut decisions: BTreeMap<(Issuer, u64), Vec<u8>> = BTreeMap::new();
    let mut keep = |record: ports::Record<'_>| {
        let issued = wire::decision::parse(record.payload).unwrap().evidence.issued.unwrap();
        let first = decisions.entry((issued.by, issued.seq)).or_insert_with(|| record.payload.to_vec());
        assert_eq!(first, record.payload, "published again with other content");
    };
    read_to_end(&mut logs.source(Log::Decisions), &mut || true, &mut keep).unwrap();
    read_to_end(&mut logs.source(Log::Programme), &mut || true, &mut keep).unwrap();
    decisions.values().map(|bytes| wire::decision::parse(bytes).unwrap()).collect()
}

#[test]
fn a_run_over_logs_of_its_own_goes_on_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let from = ago(DurationMs::days(10));
    std::fs::write(path("policy.toml"), policy()).unwrap();
    std::fs::write(path("first.ndjson"), badge("B000000001", "m-1", from)).unwrap();
    std::fs::write(path("second.ndjson"), badge("B000000002", "m-2", from)).unwrap();
    for asin in ["B000000001", "B000000002"] {
        let lines: Vec<String> = minutes(from, 0..MINUTES).map(|at| down(asin, "gw-1", at)).collect();
        std::fs::write(path(asin), lines.join("\n")).unwrap();
    }
    let (data, policy) = (path("data"), path("policy.toml"));
    let run = |registry: &str, source: &str, log: &str| {
        let feed = ["--registry", &path(registry), "--source", &path(source)].map(str::to_owned);
        let arguments: Vec<String> = ["--data", &data, "--policy", &policy].map(str::to_owned).into_iter().chain(feed).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Process::start(Command::new(env!("CARGO_BIN_EXE_badgewatch")), &arguments, &folder.path().join(log), &[])
    };
    let removals = |process: &Process| {
        let metrics = process.get("/metrics").unwrap_or_default();
        let line = metrics.lines().find(|line| line.starts_with("badgewatch_decisions_total{kind=\"badge_removal\"}"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).unwrap_or_default()
    };
    let mut first = run("first.ndjson", "B000000001", "first.log");
    first.wait("the first removal", |process| (removals(process) >= 1.0).then_some(()));
    first.kill();

    // What is given again with names of its own counts once.
    let mut second = run("second.ndjson", "B000000002", "second.log");
    second.wait("the second removal", |process| (removals(process) >= 1.0).then_some(()));
    second.wait("the partitions", |process| process.metric("badgewatch_partitions_owned").filter(|owned| *owned == 4.0));
    assert_eq!(second.stop(), Some(0), "SIGTERM ends a run cleanly");

    let issued = issued(folder.path());
    for (asin, manufacturer) in [("B000000001", "m-1"), ("B000000002", "m-2")] {
        let removed: Vec<Timestamp> =
            issued.iter().filter(|one| one.kind == DecisionKind::BadgeRemoval && is_about(one, asin)).map(|one| one.at).collect();
        assert_eq!(removed, [from.saturating_add(BREACH)], "{asin}");
        assert!(issued.iter().any(|one| suspends(one, manufacturer)), "{manufacturer}");
    }
}
