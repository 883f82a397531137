//! What was issued, read as a consumer does, and what the auditor makes of the logs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::decision::Issuer;
use domain::{Decision, Policies, Report, Timestamp};
use loadtest::auditor::{AuditInput, audit};
use loadtest::truth::{LogRecord, of_logs};
use ports::partition::partition_of_key;
use ports::{Log, RecordSource, read_to_end};
use storage::{KafkaConfig, KafkaSource};

const RECORDS: usize = 1_000;

/// The decisions of all owners, as they are published.
pub(crate) struct IssuedLog {
    decisions: KafkaSource,
    programme: KafkaSource,
    issued: Issued,
}

/// What was issued, by owner and in order, with its bytes.
pub(crate) struct Issued {
    partitions: u32,
    issued: BTreeMap<Issuer, Vec<(Decision, Vec<u8>)>>,
}

impl IssuedLog {
    pub(crate) fn open(config: &KafkaConfig, partitions: u32) -> Self {
        let source = |log: Log| KafkaSource::open(config, log).unwrap();
        Self { decisions: source(Log::Decisions), programme: source(Log::Programme), issued: Issued::of(partitions) }
    }

    /// Takes in what was published.
    pub(crate) fn read(&mut self, wait: Duration) {
        let mut records = Vec::new();
        let mut keep = |record: ports::Record<'_>| records.push((record.partition, record.payload.to_vec()));
        self.decisions.poll(RECORDS, wait, &mut keep).unwrap();
        self.programme.poll(RECORDS, Duration::ZERO, &mut keep).unwrap();
        for (partition, bytes) in records {
            self.issued.take(partition, bytes);
        }
    }

    /// Everything that was issued.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Decision> {
        self.issued.all()
    }
}

impl Issued {
    /// Nothing yet, of so many partitions.
    pub(crate) const fn of(partitions: u32) -> Self {
        Self { partitions, issued: BTreeMap::new() }
    }

    /// Everything that was issued.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Decision> {
        self.issued.values().flatten().map(|(decision, _)| decision)
    }

    /// R20: an owner's decisions come in order, none is missing, and what comes again comes byte for byte.
    pub(crate) fn take(&mut self, partition: u32, bytes: Vec<u8>) {
        let decision = wire::decision::parse(&bytes).unwrap();
        let stamp = decision.evidence.issued.clone().unwrap();
        let is_home = match (&stamp.by, &decision.asin) {
            (Issuer::Programme, None) => true,
            (Issuer::Partition(owner), Some(asin)) => {
                *owner == partition && *owner == partition_of_key(format!("product:{asin}").as_bytes(), self.partitions)
            }
            _ => false,
        };
        assert!(is_home, "issued by another than its owner: {}", shown(&decision));
        let known: BTreeSet<_> = self.all().map(|decision| decision.id).collect();
        let told = self.issued.entry(stamp.by).or_default();
        match told.get(usize::try_from(stamp.seq).unwrap() - 1) {
            Some((_, before)) => assert!(*before == bytes, "published again with other content: {}", shown(&decision)),
            None => {
                assert_eq!(told.len() as u64 + 1, stamp.seq, "a decision before it is lost: {}", shown(&decision));
                assert!(!known.contains(&decision.id), "two decisions are called {}", decision.id);
                told.push((decision, bytes));
            }
        }
    }
}

/// What the auditor finds in the logs as they are now.
pub(crate) fn truth(config: &KafkaConfig, policies: &Policies, at: Timestamp) -> Report {
    let (registry, health) = (log_of(config, Log::Registry), log_of(config, Log::Health));
    let registry: Vec<LogRecord<'_>> = registry.iter().map(Stored::record).collect();
    let health: Vec<LogRecord<'_>> = health.iter().map(Stored::record).collect();
    let truth = of_logs(policies, &registry, &health);
    audit(&AuditInput { policies, facts: &truth.facts, events: &truth.events, at })
}

/// Everything that a topic holds.
pub(crate) fn log_of(config: &KafkaConfig, log: Log) -> Vec<Stored> {
    let mut source = KafkaSource::open(config, log).unwrap();
    let mut records = Vec::new();
    let mut keep = |record: ports::Record<'_>| {
        let (partition, offset, appended_at) = (record.partition, record.offset, record.appended_at.unwrap());
        records.push(Stored { partition, offset, appended_at, payload: record.payload.to_vec() });
    };
    read_to_end(&mut source, &mut || true, &mut keep).unwrap();
    records
}

/// A record of a topic.
pub(crate) struct Stored {
    pub(crate) partition: u32,
    pub(crate) offset: u64,
    pub(crate) appended_at: Timestamp,
    pub(crate) payload: Vec<u8>,
}

impl Stored {
    pub(crate) fn record(&self) -> LogRecord<'_> {
        let Self { partition, offset, appended_at, ref payload } = *self;
        LogRecord { partition, offset, appended_at, payload }
    }
}

/// A decision on one line.
pub(crate) fn shown(decision: &Decision) -> String {
    let about = decision.asin.as_ref().map_or(decision.manufacturer.as_str(), domain::Asin::as_str);
    let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
    let issued = decision.evidence.issued.as_ref().map(|issued| format!("{}/{} at {}", issued.by, issued.seq, issued.at));
    let what = decision.evidence.amends.map(|kind| format!(" of {kind}")).unwrap_or_default();
    format!("{}{what} {about} {} {} issued {issued:?}", decision.kind, decision.at, reasons.join(","))
}
