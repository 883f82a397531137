//! What the tests of whole processes share: the time, lines of events and facts, a policy that issues at once, a
//! broker, and how something is waited for.
//!
//! It is in a folder, as a file beside the tests would be a test of its own; and public, as no test needs all of it.
#![expect(clippy::missing_panics_doc, reason = "a test ends where something fails")]

use std::ops::Range;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::event::EventRef;
use domain::time::{HOUR_MS, MINUTE_MS};
use domain::{Decision, DecisionKind, DurationMs, EventBody, Policies, Region, SubjectKind, SubjectRef, Timestamp};
use loadtest::truth::LogRecord;
use ports::{Log, Record, read_to_end};
use storage::dev_broker::DevBroker;
use storage::{KafkaConfig, KafkaSource, ensure_topics};

use process::Process;

#[path = "../live/process.rs"]
pub(crate) mod process;

/// Down minutes that just exceed the budget: with any one less there is no breach, so that nothing is decided, and
/// amended, before the last one is in.
pub const MINUTES: i64 = 368;
/// The budget of 99.93 % of 365 days and one more millisecond: when a product that goes down loses its badge.
pub const BREACH: DurationMs = DurationMs(22_075_201);
/// Between two looks at what may have come.
pub const LOOK: Duration = Duration::from_millis(100);
/// Longest wait for anything: T alone may take some ten seconds to come, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(180);

/// The machine's time; the broker's is the same.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::clamped(i64::try_from(since.as_millis()).unwrap())
}

/// A whole minute, so long ago.
#[must_use]
pub fn ago(time: DurationMs) -> Timestamp {
    now().saturating_sub(time).floor_minute()
}

/// Minutes, counted from an instant.
pub fn minutes(from: Timestamp, counted: Range<i64>) -> impl Iterator<Item = Timestamp> {
    counted.map(move |minute| from.saturating_add(DurationMs(minute * MINUTE_MS)))
}

/// `wwa-2024` that issues at once.
#[must_use]
pub fn policy() -> String {
    let preset = wire::policy::preset("wwa-2024").unwrap();
    preset.replace("warnings = \"5m\"", "warnings = \"0s\"").replace("enforcement = \"24h\"", "enforcement = \"0s\"")
}

/// What a policy file says.
#[must_use]
pub fn policies(policy: &str) -> Policies {
    wire::policy::parse_versions(policy, "policy.toml").unwrap()
}

/// A registry line: a product is badged, in one region, since an hour before an instant.
#[must_use]
pub fn badge(asin: &str, manufacturer: &str, before: Timestamp) -> String {
    let enabled_at = before.saturating_sub(DurationMs(HOUR_MS));
    format!(
        r#"{{"type":"badge","asin":"{asin}","manufacturer":"{manufacturer}","marketplaces":["US"],"customers":5000,"enabled_at":"{enabled_at}"}}"#
    )
}

/// An event line: every attempt of a minute failed. A reporter numbers its lines by its clock.
#[must_use]
pub fn down(asin: &str, reporter: &str, at: Timestamp) -> String {
    let mut line = Vec::new();
    let event = EventRef {
        subject: SubjectRef { kind: SubjectKind::Product, id: asin },
        region: Region::Na,
        at,
        body: EventBody::Outcome { ok: 0, failed: 100 },
        reporter: Some(reporter),
        seq: Some(at.ms().unsigned_abs()),
    };
    wire::event::write(&event, &mut line);
    String::from_utf8(line).unwrap()
}

/// Whether a decision is about a product.
#[must_use]
pub fn is_about(decision: &Decision, asin: &str) -> bool {
    decision.asin.as_ref().is_some_and(|own| own.as_str() == asin)
}

/// Whether a decision suspends a manufacturer.
#[must_use]
pub fn suspends(decision: &Decision, manufacturer: &str) -> bool {
    decision.kind == DecisionKind::Suspension && decision.manufacturer.as_str() == manufacturer
}

/// A broker that keeps its topics in a folder, and how it is reached; there are no topics yet.
#[must_use]
pub fn broker(folder: &Path, partitions: u32) -> (DevBroker, KafkaConfig) {
    let script = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../dev/kafka"));
    let broker = DevBroker::start(script, &folder.join("kafka")).unwrap();
    let mut config = KafkaConfig::new(broker.bootstrap());
    config.partitions = partitions;
    (broker, config)
}

/// A broker with empty topics.
#[must_use]
pub fn broker_with_topics(folder: &Path, partitions: u32) -> (DevBroker, KafkaConfig) {
    let (broker, config) = broker(folder, partitions);
    ensure_topics(&config, &Log::ALL).unwrap();
    (broker, config)
}

/// A record of a log.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its partition.
    pub partition: u32,
    /// Its number in the partition.
    pub offset: u64,
    /// When it was appended.
    pub appended_at: Timestamp,
    /// Its content.
    pub payload: Vec<u8>,
}

impl Stored {
    /// A copy of a record.
    #[must_use]
    pub fn of(record: &Record<'_>) -> Self {
        let (partition, offset, appended_at) = (record.partition, record.offset, record.appended_at.unwrap());
        Self { partition, offset, appended_at, payload: record.payload.to_vec() }
    }

    /// As the auditor's reader takes it.
    #[must_use]
    pub fn record(&self) -> LogRecord<'_> {
        let Self { partition, offset, appended_at, ref payload } = *self;
        LogRecord { partition, offset, appended_at, payload }
    }
}

/// Everything that a topic holds.
#[must_use]
pub fn topic(config: &KafkaConfig, log: Log) -> Vec<Stored> {
    let mut source = KafkaSource::open(config, log).unwrap();
    let mut records = Vec::new();
    read_to_end(&mut source, &mut || true, &mut |record| records.push(Stored::of(&record))).unwrap();
    records
}

/// Something that runs, and on which something is waited for.
pub(crate) trait Watched {
    /// The process that is to bring it.
    fn process(&mut self) -> &mut Process;

    /// Takes in what is new, or lets some time pass in which it may come.
    fn listen(&mut self) {
        thread::sleep(LOOK);
    }

    /// What was seen so far, for whoever looks why something didn't come.
    fn seen(&self) -> String {
        String::new()
    }

    /// Waits for something; fails with what the process said instead.
    fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.listen();
            if let Some(found) = look(self) {
                return found;
            }
            let process = self.process();
            let (runs, said) = (process.runs(), process.said());
            assert!(runs, "waiting for {what}: the process ended\n{}\n{said}", self.seen());
            assert!(Instant::now() < deadline, "waiting for {what}: it didn't come\n{}\n{said}", self.seen());
        }
    }
}

impl Watched for Process {
    fn process(&mut self) -> &mut Process {
        self
    }
}
