//! A restart goes on from what is stored of the registry's log; what is damaged of that is read from the log; and a log
//! that isn't the one that was stored ends the run.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

#[path = "common/common.rs"]
pub mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use ports::{Log, RecordSink};
use storage::embedded::system_clock;
use storage::{EmbeddedConfig, EmbeddedLogs};

use common::process::Process;
use common::{LOOK, Watched};

/// Facts, and as many ticks: more than are read until something is stored.
const BADGES: u64 = 5_100;
/// How often it is looked whether a run has ended.
const LOOKS_MAX: usize = 600;
/// Records of the registry that a run adds at most: ticks.
const FEW: u64 = 100;

/// Appends badges, each with a tick behind it, and lines that nobody understands.
fn fill(logs: &Path, badges: u64) {
    let logs = EmbeddedLogs::open(logs, &EmbeddedConfig::default(), system_clock()).unwrap().logs;
    let mut sink = logs.sink();
    for number in 0..badges {
        let badge = format!(
            r#"{{"type":"badge","asin":"B{number:09}","manufacturer":"m-{}","marketplaces":["US"],"enabled_at":0}}"#,
            number % 9
        );
        let badge = if number % 1_000 == 7 { badge.replace("marketplaces", "places") } else { badge };
        sink.append(Log::Registry, "", badge.as_bytes()).unwrap();
        sink.append(Log::Registry, "", wire::tick::TICK).unwrap();
    }
    sink.flush().unwrap();
}

fn run(data: &Path, log: &Path) -> Process {
    let command = Command::new(env!("CARGO_BIN_EXE_badgewatch"));
    Process::start(command, &["--data", data.to_str().unwrap()], log, &[])
}

/// What a process says of an event, once it does.
fn told(process: &mut Process, message: &str) -> serde_json::Value {
    process.wait(message, |process| {
        let said = process.said();
        let lines = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.map(|line| line["fields"].clone()).find(|fields| fields["message"] == message)
    })
}

/// What a run read of the registry's log and knew then.
#[derive(PartialEq, Eq, Debug)]
struct Start {
    from: u64,
    records: u64,
    facts: u64,
    rejected: u64,
    damaged: bool,
}

/// Starts a run and ends it, by a signal that it doesn't get to see or by one that it does.
fn start(data: &Path, log: &Path, is_killed: bool) -> Start {
    let mut process = run(data, log);
    let (read, loaded) = (told(&mut process, "registry's log read"), told(&mut process, "registry loaded"));
    let facts = process.wait("facts", |process| process.metric("badgewatch_registry_facts_total").filter(|facts| *facts > 0.0));
    let damaged = process.said().contains("is passed over: the log is read instead");
    let number = |of: &serde_json::Value, name: &str| of[name].as_u64().unwrap();
    assert_eq!(loaded["facts"].as_f64(), Some(facts), "{loaded}");
    if is_killed {
        process.kill();
    } else {
        assert_eq!(process.stop(), Some(0), "SIGTERM ends a run cleanly");
    }
    Start {
        from: number(&read, "from"),
        records: number(&read, "records"),
        facts: number(&loaded, "facts"),
        rejected: number(&loaded, "rejected"),
        damaged,
    }
}

#[test]
fn a_restart_reads_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fill(&data.join("logs"), BADGES);
    let mut starts = 0;
    let mut start = |data: &Path| {
        starts += 1;
        start(data, &folder.path().join(format!("run-{starts}.log")), starts == 1)
    };
    let first = start(&data);
    let facts = BADGES - 6;
    assert_eq!(first, Start { from: 0, records: 2 * BADGES, facts, rejected: 6, damaged: false });
    let second = start(&data);
    assert_eq!((second.from, second.facts, second.rejected, second.damaged), (9_999, facts, 1, false));
    assert!(second.records < 2 * (BADGES - 5_000) + FEW, "{second:?}");

    // A damaged one is told, and the log is read; then it is there again.
    let stored = data.join("state/registry");
    let object = fs::read_dir(&stored).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&object, bytes).unwrap();
    let third = start(&data);
    assert_eq!((third.from, third.facts, third.rejected, third.damaged), (0, facts, 6, true));
    let fourth = start(&data);
    assert_eq!((fourth.from, fourth.facts, fourth.damaged), (9_999, facts, false));

    // Logs of before beside the state of now.
    fs::remove_dir_all(data.join("logs")).unwrap();
    fill(&data.join("logs"), 10);
    let log = folder.path().join("another.log");
    let mut process = run(&data, &log);
    let ended = (0..LOOKS_MAX).any(|_| {
        std::thread::sleep(LOOK);
        !process.runs()
    });
    assert!(ended, "it goes on:\n{}", process.said());
    let said = process.said();
    assert!(said.contains("ends at 20, before partition 0, offset 9999, where reading is to go on"), "{said}");
}
