//! `badgewatch rejected` over a real broker, beside a main job that is killed half-way: what is registered later or
//! repaired counts once, though everything is replayed twice.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

#[path = "common/common.rs"]
pub mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use domain::time::MINUTE_MS;
use domain::{DurationMs, Timestamp};
use ports::{Log, RecordSink};
use storage::dev_broker::DevBroker;
use storage::{KafkaConfig, KafkaSink};

use common::process::Process;
use common::{Watched, broker_with_topics, now, topic};

const PARTITIONS: u32 = 4;
struct Stage {
    process: Process,
    sink: KafkaSink,
    config: KafkaConfig,
    // Dropped last, in this order.
    _broker: DevBroker,
    folder: tempfile::TempDir,
}

fn open(folder: &Path, config: &KafkaConfig, name: &str) -> Process {
    let state = folder.join("state");
    let partitions = PARTITIONS.to_string();
    let arguments = ["--kafka", &config.bootstrap, "--partitions", &partitions, "--state", state.to_str().unwrap()];
    Process::start(Command::new(env!("CARGO_BIN_EXE_badgewatch")), &arguments, &folder.join(name), &[])
}

impl Stage {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (broker, config) = broker_with_topics(folder.path(), PARTITIONS);
        let process = open(folder.path(), &config, "run-1.log");
        Self { process, sink: KafkaSink::open(&config).unwrap(), config, _broker: broker, folder }
    }

    fn append(&mut self, log: Log, key: &str, line: &str) {
        self.sink.append(log, key, line.as_bytes()).unwrap();
        self.sink.flush().unwrap();
    }

    fn badge(&mut self, asin: &str, before: Timestamp) {
        self.append(Log::Registry, "", &common::badge(asin, "m-1", before));
    }

    /// Ten attempts, all failed: two such reports of a minute are downtime, one is nothing.
    fn event(&mut self, asin: &str, region: &str, at: Timestamp) {
        let subject = format!("product:{asin}");
        let line =
            format!(r#"{{"v":1,"type":"outcome","subject":"{subject}","region":"{region}","at":"{at}","ok":0,"failed":10}}"#);
        self.append(Log::Health, &subject, &line);
    }

    /// A command that succeeds; yields what it prints.
    fn rejected(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_badgewatch"));
        let (kafka, broker) = ("--kafka", self.config.bootstrap.as_str());
        let arguments = [&["rejected"], arguments, &[kafka, broker]].concat();
        let output = command.args(&arguments).current_dir(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until T has passed now.
    fn catch_up(&mut self) {
        let at = now().ms() as f64 / 1_000.0;
        self.append(Log::Registry, "", &String::from_utf8_lossy(wire::tick::TICK));
        let t = |stage: &Self| stage.process.metric("badgewatch_watermark_timestamp_seconds");
        self.wait("T", |stage| t(stage).filter(|t| *t >= at));
    }

    /// The newest downtime of each product.
    fn downtimes(&self) -> BTreeMap<String, i64> {
        let mut downtimes = BTreeMap::new();
        for record in topic(&self.config, Log::Standings) {
            if let wire::standing::StandingView::Product(product) = wire::standing::read(&record.payload).unwrap() {
                downtimes.insert(product.standing.asin, product.standing.downtime_ms);
            }
        }
        downtimes
    }
}

impl Watched for Stage {
    fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

#[test]
fn what_is_replayed_twice_counts_once() {
    let mut stage = Stage::start();
    stage.wait("readiness", |stage| stage.process.get("/readyz").filter(|answer| answer.contains("200 OK")));
    let began = now().floor_minute();
    let [hour, first, second] = [60, 30, 20].map(|minutes| began.saturating_sub(DurationMs(minutes * MINUTE_MS)));
    stage.badge("B1", hour);
    for at in [first, second] {
        stage.event("B1", "XX", at);
        stage.event("B2", "NA", at);
    }
    stage.append(Log::Registry, "", &String::from_utf8_lossy(wire::tick::TICK));
    let listed = stage.wait("four rejected lines", |stage| {
        Some(stage.rejected(&["list", "--format", "json"])).filter(|listed| listed.lines().count() == 4)
    });
    let since = began.to_string();
    assert_eq!(stage.rejected(&["list", "--format", "json", "--since", &since]), listed);
    assert_eq!(stage.rejected(&["list", "--format", "json", "--until", &since]), "");
    let summary = stage.rejected(&["list", "--summary", "--format", "json"]);
    assert!(summary.contains(r#""reason":"unknown_region","lines":2"#), "{summary}");

    stage.badge("B2", hour);
    let replay = ["replay", "--reason", "unknown_subject", "--apply"];
    assert!(stage.rejected(&replay).starts_with("2 lines replayed to topic badgewatch.health\n"));
    stage.catch_up();
    stage.process.kill();
    stage.rejected(&replay);
    let regions = stage.rejected(&["list", "--format", "json", "--reason", "unknown_region"]);
    std::fs::write(stage.folder.path().join("repaired"), regions.replace(r#"\"XX\""#, r#"\"NA\""#)).unwrap();
    let repair = ["replay", "--from", "repaired", "--apply"];
    assert!(stage.rejected(&repair).starts_with("2 lines replayed to topic badgewatch.health\n"));
    stage.process = open(stage.folder.path(), &stage.config, "run-2.log");
    stage.rejected(&repair);
    // Of the first minute there are ten more attempts: there both reports make downtime.
    stage.event("B1", "NA", first);
    stage.event("B2", "NA", first);
    stage.catch_up();
    let expected = BTreeMap::from(["B1", "B2"].map(|asin| (asin.to_owned(), MINUTE_MS)));
    stage.wait("a minute of downtime each", |stage| (stage.downtimes() == expected).then_some(()));
    assert_eq!(stage.rejected(&["list", "--format", "json"]).lines().count(), 4, "nothing is rejected anew");
    assert!(stage.process.metric("badgewatch_events_duplicate_total") >= Some(4.0), "what was replayed again is dropped");
    let Stage { process, _broker, folder: _folder, .. } = stage;
    assert_eq!(process.stop(), Some(0));
}
