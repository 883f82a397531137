//! A process over logs of its own, on a small disk, and what is done to it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use domain::{Decision, DecisionKind, Policies, Report, Timestamp};
use loadtest::auditor::{AuditInput, audit};
use loadtest::dice::Dice;
use loadtest::truth::of_logs;
use ports::partition::partition_of_key;
use ports::{Log, Record, RecordSink};
use storage::embedded::system_clock;
use storage::{EmbeddedConfig, EmbeddedLogs, LogsBeside};

use crate::clock::FakeClock;
use crate::damage::Damaged;
use crate::disk::SmallDisk;
use crate::events::{badge, event, now, policy, start_of_downtime};
use crate::issued::{Issued, Stored, shown};
use crate::process::Process;

const PARTITIONS: u32 = 2;
/// Longest wait for anything, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(100);
/// Where on the disk logs and state lie.
const DATA: &str = "data";
/// A segment with nothing in it, in bytes.
const EMPTY_BYTES: u64 = 36;

pub(crate) struct Own {
    process: Option<Process>,
    /// What the process reads events from.
    pipe: Option<File>,
    starts: usize,
    products: Vec<String>,
    policies: Policies,
    clock: FakeClock,
    // Dropped last, in this order.
    disk: SmallDisk,
    folder: tempfile::TempDir,
}

impl Own {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policy = policy();
        fs::write(folder.path().join("policy.toml"), &policy).unwrap();
        let mut own = Self {
            process: None,
            pipe: None,
            starts: 0,
            products: Vec::new(),
            policies: wire::policy::parse_versions(&policy, "policy.toml").unwrap(),
            clock: FakeClock::new(folder.path()),
            disk: SmallDisk::new(&folder.path().join("small")),
            folder,
        };
        own.open();
        own
    }

    /// Starts the process. It goes by the clock that jumps, which is right most of the time.
    pub(crate) fn open(&mut self) {
        self.starts += 1;
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        // A new one each time: what the last process left unread is gone with it.
        let pipe = self.folder.path().join(format!("events-{}", self.starts));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let (data, policy) = (text(self.disk.root().join(DATA)), text(self.folder.path().join("policy.toml")));
        let (source, partitions) = (text(pipe.clone()), PARTITIONS.to_string());
        let arguments = ["--data", &data, "--partitions", &partitions, "--policy", &policy, "--source", &source];
        let log = self.folder.path().join(format!("run-{}.log", self.starts));
        let command = self.disk.command(env!("CARGO_BIN_EXE_badgewatch"));
        let variables = self.clock.variables();
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        self.process = Some(Process::start(command, &arguments, &log, &variables));
        // Both ways, so that it doesn't wait for a reader that may have ended.
        self.pipe = Some(OpenOptions::new().read(true).write(true).open(&pipe).unwrap());
    }

    pub(crate) fn products(&self) -> impl Iterator<Item = &str> {
        self.products.iter().map(String::as_str)
    }

    /// Ends the process by SIGTERM or SIGKILL.
    pub(crate) fn end(&mut self, cleanly: bool) {
        let mut process = self.process.take().unwrap();
        if cleanly {
            assert_eq!(process.stop(), Some(0), "SIGTERM ends a run cleanly");
        } else {
            process.kill();
        }
    }

    /// A new product, registered while the process is down, and from when on it will be down.
    pub(crate) fn register(&mut self) -> (String, Timestamp) {
        self.wait("readiness", |own| own.process_mut().get("/readyz").filter(|answer| answer.contains("200 OK")));
        self.end(true);
        let number = self.products.len() + 1;
        let (asin, from) = (format!("B{number:09}"), start_of_downtime());
        let config = EmbeddedConfig { partitions: PARTITIONS, ..EmbeddedConfig::default() };
        let logs = EmbeddedLogs::open(&self.logs(), &config, system_clock()).unwrap().logs;
        let mut sink = logs.sink();
        sink.append(Log::Registry, "", badge(&asin, number, from).as_bytes()).unwrap();
        sink.flush().unwrap();
        drop((sink, logs));
        self.products.push(asin.clone());
        self.open();
        (asin, from)
    }

    /// Every attempt of some minutes failed.
    pub(crate) fn down(&mut self, asin: &str, minutes: &[Timestamp]) {
        let pipe = self.pipe.as_mut().unwrap();
        for at in minutes {
            let mut line = event(asin, *at);
            line.push(b'\n');
            pipe.write_all(&line).unwrap();
        }
    }

    pub(crate) fn fill_disk(&self) {
        self.disk.fill();
    }

    /// Waits until the process has ended for want of room, makes some, and starts another.
    pub(crate) fn make_room(&mut self) {
        self.wait("the end of the process", |own| (!own.process_mut().runs()).then_some(()));
        let process = self.process.take().unwrap();
        let said = process.said();
        assert!(said.contains("badgewatch: ") && said.contains("the disk is full: "), "it ended otherwise: {said}");
        self.disk.make_room();
        self.open();
    }

    /// Ends the process and damages a file of its logs, which is refused; then the file is put back from its copy.
    pub(crate) fn damage_logs(&mut self, asin: &str, minutes: &[Timestamp], dice: &mut Dice) {
        self.wait("what was sent", |own| (own.lines(asin) >= minutes.len()).then_some(()));
        // What a crash leaves unacknowledged may be cut off; here all of it is acknowledged.
        self.end(true);
        let partition = partition_of_key(format!("product:{asin}").as_bytes(), PARTITIONS);
        let logs = [(Log::Health, partition), (Log::Registry, 0), (Log::Decisions, partition), (Log::Programme, 0)];
        let newest = |(log, partition): (Log, u32)| -> Option<PathBuf> {
            let listed = fs::read_dir(self.logs().join(format!("{log}-{partition}"))).unwrap();
            let newest = listed.map(|entry| entry.unwrap().path()).max()?;
            (fs::metadata(&newest).unwrap().len() > EMPTY_BYTES).then_some(newest)
        };
        let found: Vec<PathBuf> = logs.into_iter().filter_map(newest).collect();
        let damaged = Damaged::file(&found[dice.index(found.len())], u64::MAX, dice);
        self.open();
        self.wait(&format!("a refusal: {}", damaged.how), |own| (!own.process_mut().runs()).then_some(()));
        let process = self.process.take().unwrap();
        let said = process.said();
        for told in [damaged.name(), "restore the file from a copy"] {
            assert!(said.contains(told), "{}: it doesn't say {told}: {said}", damaged.how);
        }
        damaged.put_back();
        self.open();
    }

    /// The clock of the process jumps while it runs.
    pub(crate) fn jump_clock(&mut self, dice: &mut Dice) {
        self.clock.jump(dice);
    }

    /// The clock is right again.
    pub(crate) fn right_clock(&mut self) {
        self.clock.set(0);
    }

    /// Waits until a product has lost its badge.
    pub(crate) fn wait_for_removal(&mut self, asin: &str) -> Decision {
        self.wait(&format!("the removal of {asin}"), |own| {
            let is_it = |decision: &&Decision| {
                decision.kind == DecisionKind::BadgeRemoval && decision.asin.as_ref().is_some_and(|id| id.as_str() == asin)
            };
            own.issued().all().find(is_it).cloned()
        })
    }

    /// Waits until every manufacturer is suspended, then ends the process.
    pub(crate) fn settle(&mut self) {
        self.wait("all suspensions", |own| {
            let suspended = own.issued().all().filter(|decision| decision.kind == DecisionKind::Suspension).count();
            (suspended == own.products.len()).then_some(())
        });
        self.end(true);
    }

    /// Everything that was issued so far.
    pub(crate) fn issued(&self) -> Issued {
        let mut issued = Issued::of(PARTITIONS);
        for record in [Log::Decisions, Log::Programme].into_iter().flat_map(|log| self.read(log)) {
            issued.take(record.partition, record.payload);
        }
        issued
    }

    /// What the auditor finds in the logs.
    pub(crate) fn truth(&self) -> Report {
        let (registry, health) = (self.read(Log::Registry), self.read(Log::Health));
        // By the logs' time, which a clock that was ahead may have set ahead, too.
        let at = health.iter().chain(&registry).map(|stored| stored.appended_at).max().unwrap_or(now()).max(now());
        let registry: Vec<_> = registry.iter().map(Stored::record).collect();
        let health: Vec<_> = health.iter().map(Stored::record).collect();
        let truth = of_logs(&self.policies, &registry, &health);
        audit(&AuditInput { policies: &self.policies, facts: &truth.facts, events: &truth.events, at })
    }

    /// How many events of a product are in the log.
    fn lines(&self, asin: &str) -> usize {
        let names = |stored: &Stored| String::from_utf8_lossy(&stored.payload).contains(asin);
        self.read(Log::Health).iter().filter(|stored| names(stored)).count()
    }

    fn read(&self, log: Log) -> Vec<Stored> {
        // There is nothing before the first start has come so far.
        let (Ok(logs), mut found) = (LogsBeside::open(&self.logs()), Vec::new()) else { return Vec::new() };
        for partition in 0..logs.partitions(log) {
            let mut keep = |record: Record<'_>| {
                let (offset, appended_at) = (record.offset, record.appended_at.unwrap());
                found.push(Stored { partition, offset, appended_at, payload: record.payload.to_vec() });
                ControlFlow::Continue(())
            };
            logs.read((log, partition), 0, &mut keep).unwrap();
        }
        found
    }

    fn logs(&self) -> PathBuf {
        self.disk.seen().join(DATA).join("logs")
    }

    fn process_mut(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&mut Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            if Instant::now() > deadline {
                let issued: Vec<String> = self.issued().all().map(shown).collect();
                let said = self.process.as_ref().map(Process::said).unwrap_or_default();
                panic!("waiting for {what}: it didn't come\n{}\n{said}", issued.join("\n"));
            }
            std::thread::sleep(LOOK);
        }
    }
}
