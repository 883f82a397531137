//! A run over logs of its own, with what is appended to them by a clock of the past before it, and by a pipe during it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::event::EventRef;
use domain::time::MINUTE_MS;
use domain::{Decision, DurationMs, EventBody, Policies, Region, SubjectKind, SubjectRef, Timestamp};
use loadtest::truth::LogRecord;
use ports::{Log, Record, RecordSink};
use storage::{EmbeddedConfig, EmbeddedLogs, LogsBeside};

use crate::process::Process;

pub(crate) const PARTITIONS: u32 = 2;
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at what may have come.
const LOOK: Duration = Duration::from_millis(100);

/// A directory of logs and state, and a run on it.
pub(crate) struct Installation {
    root: PathBuf,
    process: Option<Process>,
    pipe: Option<File>,
}

/// A record of a log.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) partition: u32,
    offset: u64,
    appended_at: Timestamp,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::clamped(i64::try_from(since.as_millis()).unwrap())
}

impl Stored {
    pub(crate) fn record(&self) -> LogRecord<'_> {
        let Self { partition, offset, appended_at, ref payload } = *self;
        LogRecord { partition, offset, appended_at, payload }
    }
}

impl Installation {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), process: None, pipe: None }
    }

    /// Appends lines as if it were another time, before anything runs.
    pub(crate) fn append_at(&self, at: Timestamp, log: Log, lines: &[String]) {
        let config = EmbeddedConfig { partitions: PARTITIONS, ..EmbeddedConfig::default() };
        let logs = EmbeddedLogs::open(&self.logs(), &config, Arc::new(move || at)).unwrap().logs;
        let mut sink = logs.sink();
        for line in lines {
            let parsed = wire::event::parse(line.as_bytes());
            let key = parsed.map(|parsed| parsed.event().subject.to_string()).unwrap_or_default();
            sink.append(log, &key, line.as_bytes()).unwrap();
        }
        sink.flush().unwrap();
    }

    /// Starts the run; its events come from a pipe.
    pub(crate) fn run(&mut self) {
        let (pipe, policy) = (self.root.join("events"), self.root.join("policy.toml"));
        std::fs::write(&policy, policy_text()).unwrap();
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let (data, policy, source) = (text(&self.root), text(&policy), text(&pipe));
        let partitions = PARTITIONS.to_string();
        let arguments = ["--data", &data, "--partitions", &partitions, "--policy", &policy, "--source", &source];
        self.process =
            Some(Process::start(Command::new(env!("CARGO_BIN_EXE_badgewatch")), &arguments, &self.root.join("run.log"), &[]));
        // Both ways, so that it doesn't wait for a reader that may have ended.
        self.pipe = Some(OpenOptions::new().read(true).write(true).open(&pipe).unwrap());
    }

    /// Events, to be appended where their subjects belong.
    pub(crate) fn send(&mut self, lines: impl IntoIterator<Item = String>) {
        let pipe = self.pipe.as_mut().unwrap();
        lines.into_iter().for_each(|line| writeln!(pipe, "{line}").unwrap());
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    /// SIGTERM; yields the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.process.take().unwrap().stop()
    }

    /// Waits for a decision.
    pub(crate) fn wait_for(&mut self, what: &str, is_it: impl Fn(&Decision) -> bool) {
        self.wait(what, |installation| {
            let issued = [Log::Decisions, Log::Programme].into_iter().flat_map(|log| installation.read(log));
            issued.into_iter().any(|record| is_it(&wire::decision::parse(&record.payload).unwrap()))
        });
    }

    /// Waits until so many records that name a product are appended to `health`.
    pub(crate) fn wait_for_lines(&mut self, asin: &str, lines: usize) {
        let names = |record: &Stored| String::from_utf8_lossy(&record.payload).contains(asin);
        self.wait(asin, |installation| installation.read(Log::Health).iter().filter(|one| names(one)).count() >= lines);
    }

    fn wait(&mut self, what: &str, is_there: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_there(self) {
            let process = self.process.as_mut().unwrap();
            let runs = process.runs();
            assert!(runs, "waiting for {what}: the run ended\n{}", process.said());
            let t = process.metric("badgewatch_watermark_timestamp_seconds");
            assert!(Instant::now() < deadline, "waiting for {what}: T is {t:?}\n{}", process.said());
            std::thread::sleep(LOOK);
        }
    }

    /// Everything that a log holds, read beside whoever uses it.
    pub(crate) fn read(&self, log: Log) -> Vec<Stored> {
        self.read_after(log, 0)
    }

    /// The same, with offsets that count from there.
    pub(crate) fn read_after(&self, log: Log, base: u64) -> Vec<Stored> {
        let (logs, mut found) = (LogsBeside::open(&self.logs()).unwrap(), Vec::new());
        for partition in 0..logs.partitions(log) {
            let mut keep = |record: Record<'_>| {
                let (offset, appended_at) = (base + record.offset, record.appended_at.unwrap());
                found.push(Stored { partition, offset, appended_at, payload: record.payload.to_vec() });
                ControlFlow::Continue(())
            };
            logs.read((log, partition), 0, &mut keep).unwrap();
        }
        found
    }

    fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }
}

/// `wwa-2024` that issues at once.
fn policy_text() -> String {
    let preset = wire::policy::preset("wwa-2024").unwrap();
    preset.replace("warnings = \"5m\"", "warnings = \"0s\"").replace("enforcement = \"24h\"", "enforcement = \"0s\"")
}

pub(crate) fn policies() -> Policies {
    wire::policy::parse_versions(&policy_text(), "policy.toml").unwrap()
}

/// Lines that say of a product that every attempt of some minutes failed.
pub(crate) fn down(asin: &str, from: Timestamp, minutes: Range<i64>) -> Vec<String> {
    let line = |minute: i64| {
        let (at, mut line) = (from.saturating_add(DurationMs(minute * MINUTE_MS)), Vec::new());
        let event = EventRef {
            subject: SubjectRef { kind: SubjectKind::Product, id: asin },
            region: Region::Na,
            at,
            body: EventBody::Outcome { ok: 0, failed: 100 },
            reporter: Some("gw-1"),
            seq: Some(at.ms().unsigned_abs()),
        };
        wire::event::write(&event, &mut line);
        String::from_utf8(line).unwrap()
    };
    minutes.map(line).collect()
}
