//! A broker, a running main job, producers, and a reader of what is published.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::time::MINUTE_MS;
use domain::{
    Decision, DecisionKind, DurationMs, EventBody, EventRef, Policies, Region, Report, SubjectKind, SubjectRef, Timestamp,
};
use ports::{Log, RecordSink, RecordSource};
use storage::dev_broker::DevBroker;
use storage::{KafkaConfig, KafkaSink, KafkaSource, Partitioner, ensure_topics};
use wire::rejected::RejectedView;

use crate::issued::{IssuedLog, log_of, shown, truth};
use crate::process::Process;

pub(crate) const PARTITIONS: u32 = 4;
/// Event lines in a record.
const LINES: usize = 7;
/// Longest wait for anything: T alone may take some ten seconds to come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at what may have come.
const LOOK: Duration = Duration::from_millis(100);
const RECORDS: usize = 1_000;

/// Which producer sends events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Producer {
    /// It partitions as the contract says.
    Contract,
    /// It partitions as librdkafka does if not told.
    Stranger,
}

/// The stage.
pub(crate) struct Live {
    process: Option<Process>,
    starts: usize,
    contract: KafkaSink,
    stranger: KafkaSink,
    rejected_log: KafkaSource,
    issued: IssuedLog,
    /// Rejected lines, each once: a restart tells them again.
    rejected: Vec<RejectedView>,
    policies: Policies,
    config: KafkaConfig,
    // Dropped last, in this order.
    _broker: DevBroker,
    folder: tempfile::TempDir,
}

/// The machine's time; the broker's is the same.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::clamped(i64::try_from(since.as_millis()).unwrap())
}

impl Live {
    /// A broker with empty topics, and the main job on it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../dev/kafka"));
        let broker = DevBroker::start(script, &folder.path().join("kafka")).unwrap();
        let mut config = KafkaConfig::new(broker.bootstrap());
        config.partitions = PARTITIONS;
        ensure_topics(&config, &Log::ALL).unwrap();
        let policy = policy();
        std::fs::write(folder.path().join("policy.toml"), &policy).unwrap();
        let stranger = KafkaConfig { partitioner: Partitioner::Consistent, ..config.clone() };
        let source = |log: Log| KafkaSource::open(&config, log).unwrap();
        let mut live = Self {
            process: None,
            starts: 0,
            contract: KafkaSink::open(&config).unwrap(),
            stranger: KafkaSink::open(&stranger).unwrap(),
            rejected_log: source(Log::Rejected),
            issued: IssuedLog::open(&config, PARTITIONS),
            rejected: Vec::new(),
            policies: wire::policy::parse_versions(&policy, "policy.toml").unwrap(),
            config,
            _broker: broker,
            folder,
        };
        live.open();
        live
    }

    /// Starts the main job, on the state that is there.
    pub(crate) fn open(&mut self) {
        self.starts += 1;
        let path = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let (state, policy, partitions) = (path("state"), path("policy.toml"), PARTITIONS.to_string());
        let kafka = ["--kafka", &self.config.bootstrap, "--partitions", &partitions, "--group-instance", "live"];
        let arguments = [kafka.as_slice(), &["--state", &state, "--policy", &policy]].concat();
        self.process = Some(Process::start(
            Command::new(env!("CARGO_BIN_EXE_badgewatch")),
            &arguments,
            &self.folder.path().join(format!("run-{}.log", self.starts)),
            &[],
        ));
        self.wait("readiness", |live| {
            live.process().get("/readyz").is_some_and(|answer| answer.contains("200 OK")).then_some(())
        });
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    /// SIGTERM; yields the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.process.take().unwrap().stop()
    }

    /// A metric of the main job.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        self.process().metric(name).unwrap_or_default()
    }

    /// T, as the main job shows it.
    pub(crate) fn watermark(&self) -> Timestamp {
        let seconds = self.metric("badgewatch_watermark_timestamp_seconds");
        Timestamp::clamped(Duration::from_secs_f64(seconds).as_millis().try_into().unwrap())
    }

    /// Waits until T has passed an instant, with no other records than the main job's own ticks.
    pub(crate) fn wait_for_t(&mut self, at: Timestamp) {
        self.wait(&format!("T to reach {at}"), |live| (live.watermark() >= at).then_some(()));
    }

    /// Waits until T has passed now; a tick sees to it that this isn't for the registry's next one.
    pub(crate) fn catch_up(&mut self) {
        let at = now();
        self.contract.append(Log::Registry, "", wire::tick::TICK).unwrap();
        self.contract.flush().unwrap();
        self.wait_for_t(at);
    }

    /// States a registry line.
    pub(crate) fn fact(&mut self, line: &str) {
        wire::fact::parse(line.as_bytes()).unwrap();
        self.contract.append(Log::Registry, "", line.as_bytes()).unwrap();
        self.contract.flush().unwrap();
    }

    /// States that a product is badged, in one region, since an hour before an instant.
    pub(crate) fn badge(&mut self, asin: &str, manufacturer: &str, before: Timestamp) {
        let enabled_at = before.saturating_sub(DurationMs(60 * MINUTE_MS));
        self.fact(&format!(
            r#"{{"type":"badge","asin":"{asin}","manufacturer":"{manufacturer}","marketplaces":["US"],"customers":5000,"enabled_at":"{enabled_at}"}}"#
        ));
    }

    /// Reports that every attempt of some minutes failed, several minutes to a record.
    pub(crate) fn down(&mut self, producer: Producer, asin: &str, minutes: impl IntoIterator<Item = Timestamp>) {
        let minutes: Vec<Timestamp> = minutes.into_iter().collect();
        for chunk in minutes.chunks(LINES) {
            let lines: Vec<Vec<u8>> = chunk.iter().map(|at| event(producer, asin, *at)).collect();
            let sink = match producer {
                Producer::Contract => &mut self.contract,
                Producer::Stranger => &mut self.stranger,
            };
            sink.append(Log::Health, &format!("product:{asin}"), &lines.join(&b'\n')).unwrap();
        }
        self.contract.flush().unwrap();
        self.stranger.flush().unwrap();
    }

    /// Waits for something that the main job says; fails with what it said instead.
    pub(crate) fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.read(LOOK);
            if let Some(found) = look(self) {
                return found;
            }
            let runs = self.process.as_mut().is_some_and(Process::runs);
            if !runs || Instant::now() > deadline {
                let why = if runs { "it didn't come" } else { "the main job ended" };
                let issued: Vec<String> = self.issued().map(shown).collect();
                panic!("waiting for {what}: {why}\n{}\n{}", issued.join("\n"), self.process().said());
            }
        }
    }

    /// Waits for the `count`-th decision of a kind about a product.
    pub(crate) fn wait_for(&mut self, asin: &str, kind: DecisionKind, count: usize) -> Decision {
        self.wait(&format!("{kind} {count} of {asin}"), |live| {
            live.about(asin).filter(|decision| decision.kind == kind).nth(count - 1).cloned()
        })
    }

    /// Everything that was issued.
    pub(crate) fn issued(&self) -> impl Iterator<Item = &Decision> {
        self.issued.all()
    }

    /// What was issued about a product, in the order in which it was.
    pub(crate) fn about(&self, asin: &str) -> impl Iterator<Item = &Decision> {
        self.issued().filter(move |decision| decision.asin.as_ref().is_some_and(|own| own.as_str() == asin))
    }

    /// What was issued about a product's removal: proposals and removals, and what became of them.
    pub(crate) fn removals(&self, asin: &str) -> Vec<DecisionKind> {
        let is_one = |decision: &&Decision| {
            let kind = decision.evidence.amends.unwrap_or(decision.kind);
            matches!(kind, DecisionKind::Proposal | DecisionKind::BadgeRemoval)
        };
        self.about(asin).filter(is_one).map(|decision| decision.kind).collect()
    }

    /// Lines that were rejected.
    pub(crate) fn rejected(&self) -> &[RejectedView] {
        &self.rejected
    }

    /// What the auditor finds in the logs as they are now.
    pub(crate) fn truth(&self, at: Timestamp) -> Report {
        truth(&self.config, &self.policies, at)
    }

    /// The newest standing of each product, by ASIN: its name and downtime.
    pub(crate) fn standings(&self) -> BTreeMap<String, (String, i64)> {
        let (mut standings, mut newest) = (BTreeMap::new(), BTreeMap::new());
        for record in log_of(&self.config, Log::Standings) {
            if let wire::standing::StandingView::Product(product) = wire::standing::read(&record.payload).unwrap() {
                let (version, standing) = (product.version(), product.standing);
                let known = newest.entry(standing.asin.clone()).or_insert(version);
                if version >= *known {
                    *known = version;
                    standings.insert(standing.asin, (standing.standing, standing.downtime_ms));
                }
            }
        }
        standings
    }

    fn process(&self) -> &Process {
        self.process.as_ref().unwrap()
    }

    /// Takes in what was published.
    fn read(&mut self, wait: Duration) {
        self.issued.read(wait);
        let rejected = &mut self.rejected;
        let mut keep = |record: ports::Record<'_>| {
            let view = wire::rejected::read(record.payload).unwrap();
            if !rejected.contains(&view) {
                rejected.push(view);
            }
        };
        self.rejected_log.poll(RECORDS, Duration::ZERO, &mut keep).unwrap();
    }
}

/// `wwa-2024` that issues at once, with critical outages.
fn policy() -> String {
    let preset = wire::policy::preset("wwa-2024").unwrap();
    let settled =
        preset.replace("warnings = \"5m\"", "warnings = \"0s\"").replace("enforcement = \"24h\"", "enforcement = \"0s\"");
    format!("{settled}\n[policy.critical_outage]\nacknowledge_within = \"24h\"\n")
}

/// A line; each producer is a reporter of its own, numbered by its clock.
fn event(producer: Producer, asin: &str, at: Timestamp) -> Vec<u8> {
    let mut line = Vec::new();
    let event = EventRef {
        subject: SubjectRef { kind: SubjectKind::Product, id: asin },
        region: Region::Na,
        at,
        body: EventBody::Outcome { ok: 0, failed: 100 },
        reporter: Some(if producer == Producer::Contract { "gw-1" } else { "gw-2" }),
        seq: Some(at.ms().unsigned_abs()),
    };
    wire::event::write(&event, &mut line);
    line
}
