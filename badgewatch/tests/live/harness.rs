//! A broker, a running main job, producers, and a reader of what is published.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use domain::{Decision, DecisionKind, Policies, Report, Timestamp};
use ports::{Log, RecordSink, RecordSource};
use storage::dev_broker::DevBroker;
use storage::{KafkaConfig, KafkaSink, KafkaSource, Partitioner};
use wire::rejected::RejectedView;

use crate::common::process::Process;
use crate::common::{self, LOOK, Watched, broker_with_topics, is_about, now};
use crate::issued::{IssuedLog, log_of, shown, truth};

pub(crate) const PARTITIONS: u32 = 4;
/// Event lines in a record.
const LINES: usize = 7;
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

impl Live {
    /// A broker with empty topics, and the main job on it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (broker, config) = broker_with_topics(folder.path(), PARTITIONS);
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
            policies: common::policies(&policy),
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
            live.running().get("/readyz").is_some_and(|answer| answer.contains("200 OK")).then_some(())
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
        self.running().metric(name).unwrap_or_default()
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
        self.fact(&common::badge(asin, manufacturer, before));
    }

    /// Reports that every attempt of some minutes failed, several minutes to a record.
    pub(crate) fn down(&mut self, producer: Producer, asin: &str, minutes: impl IntoIterator<Item = Timestamp>) {
        let minutes: Vec<Timestamp> = minutes.into_iter().collect();
        for chunk in minutes.chunks(LINES) {
            // Each producer is a reporter of its own.
            let (sink, reporter) = match producer {
                Producer::Contract => (&mut self.contract, "gw-1"),
                Producer::Stranger => (&mut self.stranger, "gw-2"),
            };
            let lines: Vec<String> = chunk.iter().map(|at| common::down(asin, reporter, *at)).collect();
            sink.append(Log::Health, &format!("product:{asin}"), lines.join("\n").as_bytes()).unwrap();
        }
        self.contract.flush().unwrap();
        self.stranger.flush().unwrap();
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
        self.issued().filter(move |decision| is_about(decision, asin))
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

    fn running(&self) -> &Process {
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

impl Watched for Live {
    fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    fn listen(&mut self) {
        self.read(LOOK);
    }

    fn seen(&self) -> String {
        self.issued().map(shown).collect::<Vec<_>>().join("\n")
    }
}

/// Issues at once, with critical outages.
fn policy() -> String {
    format!("{}\n[policy.critical_outage]\nacknowledge_within = \"24h\"\n", common::policy())
}
