//! What an owner publishes of its skills and hubs: downtime, whole per subject, region and page.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::Region;
use domain::interval::IntervalSet;
use domain::page::PageNo;
use domain::policy::Policies;
use domain::time::{DurationMs, Timestamp};
use ingest::dependencies_partition;
use ports::{Log, PortError, RecordSink};
use wire::dependency::{self, Decided, DependencyRecord, DependencyWatermark};

use crate::subjects::Subjects;
use crate::tables::dependencies::{Dependencies, Said};

/// A page of a subject in a region.
type Key = (u32, Region, PageNo);

/// Pages to publish, and what was published and not read back yet.
#[derive(Debug)]
pub(super) struct Outflow {
    /// The lengths that states may hold, by the policy's versions, each once.
    ttls: Vec<Option<DurationMs>>,
    changed: BTreeSet<Key>,
    in_flight: BTreeMap<Key, Said>,
    watermark: Option<Timestamp>,
    decided: Option<Decided>,
    needs_from: Option<Timestamp>,
    /// Pages that were over by then are said for good, but for a state that reaches beyond.
    frozen: Timestamp,
}

/// How far an owner has got.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standpoint {
    pub(super) partition: u32,
    /// The first offset that hasn't been read.
    pub(super) next_offset: u64,
    /// The append time of the last record read.
    pub(super) log_time: Timestamp,
    pub(super) decided: Option<Decided>,
    /// From when on its products look at skills and hubs, also after a restart.
    pub(super) needs_from: Option<Timestamp>,
}

impl Outflow {
    pub(super) fn new(policies: &Policies) -> Self {
        let mut ttls: Vec<_> = policies.versions().iter().map(|policy| policy.state_ttl).collect();
        ttls.sort_unstable();
        ttls.dedup();
        Self {
            ttls,
            changed: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            watermark: None,
            decided: None,
            needs_from: None,
            frozen: Timestamp::MIN,
        }
    }

    /// Notes that an event changed a subject's downtime from an instant on. That concerns the instant's
    /// page, and the page of the state before it.
    pub(super) fn note(&mut self, subjects: &Subjects, (subject, region): (u32, Region), from: Timestamp) {
        let before = subjects.health(subject, region).and_then(|health| health.state_before(from));
        let pages = [Some(from), before].into_iter().flatten().map(PageNo::of);
        self.changed.extend(pages.map(|page| (subject, region, page)));
    }

    /// Notes that health before a midnight is forgotten, but for pages of which a state reaches beyond it.
    pub(super) fn freeze(&mut self, before: Timestamp) {
        self.frozen = self.frozen.max(before);
    }

    /// Publishes the pages that changed, and then that everything up to the owner's log time is said; what was
    /// published at or after its place before a restart stands.
    pub(super) fn publish(
        &mut self,
        Standpoint { partition, next_offset: revision, log_time, decided, needs_from }: Standpoint,
        subjects: &Subjects,
        known: &Dependencies,
        sink: &mut dyn RecordSink,
    ) -> Result<(), PortError> {
        self.in_flight.retain(|key, said| known.revision(subjects.name(key.0), key.1, key.2) < said.revision);
        let to = dependencies_partition(partition, sink.partitions(Log::Dependencies)?);
        let mut put =
            |record: &DependencyRecord| sink.append_to(Log::Dependencies, to, &record.key(), &dependency::write(record));
        for key in self.take_changed(subjects, known) {
            let (subject, region, page) = key;
            let name = subjects.name(subject);
            if known.revision(name, region, page) >= revision {
                continue;
            }
            let told = self.in_flight.get(&key).or_else(|| known.said(name, region, page));
            if page.start() < self.frozen && !told.is_some_and(|told| told.reaches(self.frozen)) {
                continue;
            }
            // After a restart, too: what was said of a page stands once what it rested on is forgotten.
            if subjects.health(subject, region).is_some_and(|health| page.start() < health.remembers_from()) {
                continue;
            }
            let said = self.said(subjects, key, revision);
            if told.map_or_else(|| said.is_empty(), |told| told.says_the_same(&said)) {
                continue;
            }
            put(&said.to_record(name, region, page))?;
            self.in_flight.insert(key, said);
        }
        let is_news = (self.decided, self.needs_from) != (decided, needs_from);
        if is_news || self.watermark.max(known.watermark_of(partition)) < Some(log_time) {
            put(&DependencyRecord::Watermark(DependencyWatermark { partition, at: log_time, decided, needs_from }))?;
            (self.watermark, self.decided, self.needs_from) = (Some(log_time), decided, needs_from);
        }
        Ok(())
    }

    /// The pages that changed, and those before of which it was said that a state reaches into them: it may
    /// not any more, or a later one goes on in its place.
    fn take_changed(&mut self, subjects: &Subjects, known: &Dependencies) -> BTreeSet<Key> {
        let mut keys = std::mem::take(&mut self.changed);
        for (subject, region, page) in keys.clone() {
            let start = page.start();
            keys.extend(known.reaching(subjects.name(subject), region, start).map(|page| (subject, region, page)));
            let in_flight = self.in_flight.range((subject, region, PageNo::default())..(subject, region, page));
            keys.extend(in_flight.filter(|(_, said)| said.reaches(start)).map(|(key, _)| *key));
        }
        keys
    }

    fn said(&self, subjects: &Subjects, (subject, region, page): Key, revision: u64) -> Said {
        let within = page.interval();
        let Some(health) = subjects.health(subject, region) else { return Said { revision, ..Said::default() } };
        let states = |ttl: &Option<DurationMs>| (*ttl, health.down_states(within, *ttl).into_iter().collect::<IntervalSet>());
        Said { revision, minutes: health.down_minutes(within), states: self.ttls.iter().map(states).collect() }
    }
}
