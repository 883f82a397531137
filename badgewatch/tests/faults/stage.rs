//! A broker, processes in one group on shared state, and what is done to them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::{Decision, DecisionKind, DurationMs, Policies, Report, Timestamp};
use loadtest::dice::Dice;
use ports::partition::partition_of_key;
use ports::{Log, RecordSink};
use storage::dev_broker::DevBroker;
use storage::{KafkaConfig, KafkaSink, ensure_topics};

use crate::clock::FakeClock;
use crate::damage::Damaged;
use crate::disk::SmallDisk;
use crate::events::{BREACH, badge, event, minutes, now, policy, start_of_downtime};
use crate::issued::{IssuedLog, shown, truth};
use crate::process::Process;

const PARTITIONS: u32 = 4;
/// A session in seconds: the shortest that a broker allows, if not told otherwise.
const SESSION: &str = "6";
/// Longest wait for anything: a restart of everything, an expired session, and T, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(100);
/// Event lines in a record.
const LINES: usize = 7;
/// Where on the disk the state lies.
const STATE: &str = "state";
/// How far from where it was set a clock may seem to be, in seconds, as looking takes its time.
const CLOCK_OFF_S_MAX: i64 = 600;

pub(crate) struct Stage {
    processes: Vec<Process>,
    starts: usize,
    /// Processes that were stopped, and are to be woken.
    paused: Vec<Process>,
    sink: KafkaSink,
    issued: IssuedLog,
    products: Vec<String>,
    policies: Policies,
    config: KafkaConfig,
    clock: FakeClock,
    // Dropped last, in this order.
    broker: DevBroker,
    /// What the state lies on.
    disk: SmallDisk,
    folder: tempfile::TempDir,
}

impl Stage {
    /// A broker with empty topics, and two processes on it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../dev/kafka"));
        let broker = DevBroker::start(script, &folder.path().join("kafka")).unwrap();
        let mut config = KafkaConfig::new(broker.bootstrap());
        config.partitions = PARTITIONS;
        ensure_topics(&config, &Log::ALL).unwrap();
        let policy = policy();
        std::fs::write(folder.path().join("policy.toml"), &policy).unwrap();
        let mut stage = Self {
            processes: Vec::new(),
            starts: 0,
            paused: Vec::new(),
            sink: KafkaSink::open(&config).unwrap(),
            issued: IssuedLog::open(&config, PARTITIONS),
            products: Vec::new(),
            policies: wire::policy::parse_versions(&policy, "policy.toml").unwrap(),
            config,
            clock: FakeClock::new(folder.path()),
            broker,
            disk: SmallDisk::new(&folder.path().join("small")),
            folder,
        };
        stage.open(&[]);
        stage.open(&[]);
        // Some of the faults need something that is stored.
        stage.pass();
        stage
    }

    pub(crate) fn processes(&self) -> usize {
        self.processes.len()
    }

    pub(crate) fn products(&self) -> impl Iterator<Item = &str> {
        self.products.iter().map(String::as_str)
    }

    pub(crate) fn issued(&self) -> impl Iterator<Item = &Decision> {
        self.issued.all()
    }

    pub(crate) fn truth(&self) -> Report {
        truth(&self.config, &self.policies, now())
    }

    fn open(&mut self, variables: &[(&str, &str)]) {
        self.starts += 1;
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let (state, policy) = (text(self.disk.root().join(STATE)), text(self.folder.path().join("policy.toml")));
        let partitions = PARTITIONS.to_string();
        let kafka = ["--kafka", &self.config.bootstrap, "--partitions", &partitions, "--group-session", SESSION];
        let arguments = [kafka.as_slice(), &["--state", &state, "--policy", &policy]].concat();
        let log = self.folder.path().join(format!("run-{}.log", self.starts));
        let command = self.disk.command(env!("CARGO_BIN_EXE_badgewatch"));
        self.processes.push(Process::start(command, &arguments, &log, variables));
    }

    /// A new product of a manufacturer of its own, and from when on it will be down.
    pub(crate) fn register(&mut self) -> (String, Timestamp) {
        let number = self.products.len() + 1;
        let asin = format!("B{number:09}");
        let from = start_of_downtime();
        self.sink.append(Log::Registry, "", badge(&asin, number, from).as_bytes()).unwrap();
        self.sink.flush().unwrap();
        self.products.push(asin.clone());
        (asin, from)
    }

    /// Every attempt of some minutes failed.
    pub(crate) fn down(&mut self, asin: &str, minutes: &[Timestamp]) {
        for chunk in minutes.chunks(LINES) {
            let lines: Vec<Vec<u8>> = chunk.iter().map(|at| event(asin, *at)).collect();
            self.sink.append(Log::Health, &format!("product:{asin}"), &lines.join(&b'\n')).unwrap();
        }
        self.sink.flush().unwrap();
    }

    /// A product goes down and loses its badge, and nothing fails.
    fn pass(&mut self) {
        let (asin, from) = self.register();
        self.down(&asin, &minutes(from).concat());
        assert_eq!(self.wait_for_removal(&asin).at, from.saturating_add(BREACH));
    }

    /// SIGKILL; another one is started in its place.
    pub(crate) fn kill(&mut self, place: usize) {
        self.processes.remove(place).kill();
        self.open(&[]);
    }

    /// All processes end, one is started that crashes at a point.
    pub(crate) fn restart_crashing(&mut self, point: &str) {
        for process in self.processes.drain(..) {
            assert_eq!(process.stop(), Some(0), "SIGTERM ends a run cleanly");
        }
        self.open(&[("BADGEWATCH_CRASH", point)]);
    }

    /// Waits until the process has crashed, and starts two in its place.
    pub(crate) fn wait_for_crash(&mut self) {
        self.wait("a crash", |stage| (!stage.processes[0].runs()).then_some(()));
        let said = self.processes[0].said();
        assert!(said.contains("crashing"), "it ended otherwise: {said}");
        self.processes.clear();
        self.open(&[]);
        self.open(&[]);
    }

    /// SIGSTOP of all processes, until another one has taken over and decided; then they go on.
    pub(crate) fn pause_until_replaced(&mut self) {
        self.paused = std::mem::take(&mut self.processes);
        self.paused.iter().for_each(|process| process.signal("STOP"));
        self.open(&[]);
    }

    /// SIGCONT of those that were stopped: they give up what isn't theirs, and belong to the group again.
    pub(crate) fn wake(&mut self) {
        let paused = std::mem::take(&mut self.paused);
        paused.iter().for_each(|process| process.signal("CONT"));
        if !paused.is_empty() {
            self.processes.splice(0..0, paused);
            // One more decision while they find out.
            self.pass();
            let ended = |process: &mut Process| (!process.runs()).then(|| process.said());
            let ended: Vec<String> = self.processes.iter_mut().filter_map(ended).collect();
            assert_eq!(ended, Vec::<String>::new(), "nobody ends because of that");
            while self.processes.len() > 2 {
                assert_eq!(self.processes.remove(0).stop(), Some(0), "SIGTERM ends a run cleanly");
            }
        }
    }

    /// A process joins, and the first one leaves.
    pub(crate) fn hand_over(&mut self) {
        self.open(&[]);
        self.wait_for_balance();
        assert_eq!(self.processes.remove(0).stop(), Some(0), "SIGTERM ends a run cleanly");
        self.wait_for_balance();
    }

    /// Waits until every partition has one owner, and no process has two more than another.
    fn wait_for_balance(&mut self) {
        self.wait("a balance", |stage| {
            let owned = stage.processes.iter().map(|process| process.metric("badgewatch_partitions_owned"));
            let owned: Vec<f64> = owned.collect::<Option<_>>()?;
            let (least, most) = owned.iter().fold((f64::MAX, 0.0_f64), |(least, most), one| (least.min(*one), most.max(*one)));
            (owned.iter().sum::<f64>() == f64::from(PARTITIONS) && most - least < 2.0).then_some(())
        });
    }

    pub(crate) fn kill_broker(&mut self) {
        self.broker.kill().unwrap();
        // Its port may be held for a moment yet by the connections that were cut.
        self.wait("the broker's port", |stage| stage.broker.restart().ok());
    }

    /// Fills the disk that the state lies on.
    pub(crate) fn fill_disk(&mut self) {
        self.disk.fill();
    }

    /// Waits until all processes have ended for want of room, makes some, and starts others in their place.
    pub(crate) fn make_room(&mut self) {
        self.wait("the end of every process", |stage| stage.processes.iter_mut().all(|process| !process.runs()).then_some(()));
        for process in self.processes.drain(..) {
            let said = process.said();
            assert!(
                said.contains("badgewatch: ") && said.contains("the disk is full: free some space"),
                "it ended otherwise: {said}"
            );
        }
        self.disk.make_room();
        self.open(&[]);
        self.open(&[]);
    }

    /// Ends all processes, cleanly or not, damages a file that the state of a product's owner rests on, and sees that it
    /// is refused. Then the file is put back from its copy, and processes go on.
    pub(crate) fn damage_state(&mut self, asin: &str, dice: &mut Dice) {
        let clean = dice.chance(500_000);
        for mut process in self.processes.drain(..) {
            if clean {
                assert_eq!(process.stop(), Some(0), "SIGTERM ends a run cleanly");
            } else {
                process.kill();
            }
        }
        let partition = partition_of_key(format!("product:{asin}").as_bytes(), PARTITIONS);
        let database = self.disk.seen().join(STATE).join(format!("partition-{partition}"));
        let damaged = Damaged::of_state(&database, clean, dice);
        self.open(&[]);
        self.wait(&format!("a refusal: {}", damaged.how), |stage| (!stage.processes[0].runs()).then_some(()));
        let said = self.processes[0].said();
        for told in [damaged.name(), "it is damaged, or of another version: put back what is damaged from a copy that is as new"]
        {
            assert!(said.contains(told), "{}: it doesn't say {told}: {said}", damaged.how);
        }
        self.processes.clear();
        damaged.put_back();
        self.open(&[]);
        self.open(&[]);
    }

    /// Ends all processes and starts one whose clock is wrong.
    pub(crate) fn restart_with_wrong_clock(&mut self, dice: &mut Dice) {
        for process in self.processes.drain(..) {
            assert_eq!(process.stop(), Some(0), "SIGTERM ends a run cleanly");
        }
        let ahead_s = self.clock.jump(dice);
        let variables = self.clock.variables();
        self.open(&variables.each_ref().map(|(name, value)| (*name, value.as_str())));
        self.wait_for_wrong_clock(ahead_s);
    }

    /// The clock of the process jumps again, while it runs.
    pub(crate) fn jump_clock(&mut self, dice: &mut Dice) {
        self.clock.jump(dice);
    }

    /// Another process, whose clock is right, takes over from the one whose clock is wrong.
    pub(crate) fn right_clock(&mut self) {
        self.hand_over();
        self.open(&[]);
    }

    /// Waits until the process tells by what clock it goes.
    fn wait_for_wrong_clock(&mut self, ahead_s: i64) {
        self.wait("a process with a wrong clock", |stage| {
            let said = stage.processes[0].said();
            let line: serde_json::Value = said.lines().rev().find_map(|line| serde_json::from_str(line).ok())?;
            let told = line["timestamp"].as_str()?;
            let off = |by_s: i64| now().saturating_add(DurationMs((ahead_s + by_s) * 1_000)).to_string();
            let expected = off(-CLOCK_OFF_S_MAX)..off(CLOCK_OFF_S_MAX);
            assert!(expected.contains(&told.to_owned()), "its clock is at {told}, not {expected:?}");
            Some(())
        });
    }

    /// Waits until a product has lost its badge.
    pub(crate) fn wait_for_removal(&mut self, asin: &str) -> Decision {
        self.wait(&format!("the removal of {asin}"), |stage| {
            let is_it = |decision: &&Decision| {
                decision.kind == DecisionKind::BadgeRemoval && decision.asin.as_ref().is_some_and(|own| own.as_str() == asin)
            };
            stage.issued().find(is_it).cloned()
        })
    }

    /// Waits until every manufacturer is suspended, then ends all processes.
    pub(crate) fn settle(&mut self) {
        self.wait("all suspensions", |stage| {
            let suspended = stage.issued().filter(|decision| decision.kind == DecisionKind::Suspension).count();
            (suspended == stage.products.len()).then_some(())
        });
        for process in self.processes.drain(..) {
            assert_eq!(process.stop(), Some(0), "SIGTERM ends a run cleanly");
        }
        self.issued.read(LOOK);
    }

    fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&mut Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.issued.read(LOOK);
            if let Some(found) = look(self) {
                return found;
            }
            if Instant::now() > deadline {
                let issued: Vec<String> = self.issued().map(shown).collect();
                let said: Vec<String> = self.processes.iter().map(Process::said).collect();
                panic!("waiting for {what}: it didn't come\n{}\n{}", issued.join("\n"), said.join("\n--\n"));
            }
        }
    }
}
