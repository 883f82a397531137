//! The main job over logs of its own, with nothing else installed: fed from files, killed, and going on.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

#[path = "live/process.rs"]
mod process;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::decision::Issuer;
use domain::time::MINUTE_MS;
use domain::{Decision, DecisionKind, DurationMs, Timestamp};
use ports::{Log, read_to_end};
use storage::embedded::system_clock;
use storage::{EmbeddedConfig, EmbeddedLogs};

use process::Process;

/// Down minutes that just exceed the budget, and when they do.
const MINUTES: i64 = 368;
const BREACH: DurationMs = DurationMs(22_075_201);
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::clamped(i64::try_from(since.as_millis()).unwrap())
}

/// `wwa-2024` that issues at once.
fn policy() -> String {
    let preset = wire::policy::preset("wwa-2024").unwrap();
    preset.replace("warnings = \"5m\"", "warnings = \"0s\"").replace("enforcement = \"24h\"", "enforcement = \"0s\"")
}

/// Down minutes of a product.
fn events(asin: &str, from: Timestamp) -> String {
    let line = |minute: i64| {
        let at = from.saturating_add(DurationMs(minute * MINUTE_MS)).ms();
        format!(
            r#"{{"v":1,"type":"outcome","subject":"product:{asin}","region":"NA","at":{at},"ok":0,"failed":99,"reporter":"gw-1","seq":{minute}}}"#
        )
    };
    (0..MINUTES).map(line).collect::<Vec<_>>().join("\n") + "\n"
}

fn badge(asin: &str, manufacturer: &str, enabled_at: Timestamp) -> String {
    format!(
        r#"{{"type":"badge","asin":"{asin}","manufacturer":"{manufacturer}","marketplaces":["US"],"customers":5000,"enabled_at":"{enabled_at}"}}"#
    ) + "\n"
}

fn wait(process: &mut Process, what: &str, look: impl Fn(&Process) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !look(process) {
        assert!(process.runs() && Instant::now() < deadline, "{what} didn't come:\n{}", process.said());
        std::thread::sleep(LOOK);
    }
}

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
    let from = now().saturating_sub(DurationMs::days(10)).floor_minute();
    let enabled_at = from.saturating_sub(DurationMs(60 * MINUTE_MS));
    std::fs::write(path("policy.toml"), policy()).unwrap();
    std::fs::write(path("first.ndjson"), badge("B000000001", "m-1", enabled_at)).unwrap();
    std::fs::write(path("second.ndjson"), badge("B000000002", "m-2", enabled_at)).unwrap();
    for asin in ["B000000001", "B000000002"] {
        std::fs::write(path(asin), events(asin, from)).unwrap();
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
    wait(&mut first, "the first removal", |process| removals(process) >= 1.0);
    first.kill();

    // What is given again with names of its own counts once.
    let mut second = run("second.ndjson", "B000000002", "second.log");
    wait(&mut second, "the second removal", |process| removals(process) >= 1.0);
    wait(&mut second, "the partitions", |process| process.metric("badgewatch_partitions_owned") == Some(4.0));
    assert_eq!(second.stop(), Some(0), "SIGTERM ends a run cleanly");

    let issued = issued(folder.path());
    for (asin, manufacturer) in [("B000000001", "m-1"), ("B000000002", "m-2")] {
        let removed: Vec<Timestamp> = issued
            .iter()
            .filter(|one| one.kind == DecisionKind::BadgeRemoval && one.asin.as_ref().is_some_and(|own| own.as_str() == asin))
            .map(|one| one.at)
            .collect();
        assert_eq!(removed, [from.saturating_add(BREACH)], "{asin}");
        let suspended = issued.iter().filter(|one| one.kind == DecisionKind::Suspension);
        assert!(suspended.clone().any(|one| one.manufacturer.as_str() == manufacturer), "{manufacturer}");
    }
}
