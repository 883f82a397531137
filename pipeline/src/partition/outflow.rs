//! What an owner publishes of its skills and hubs: downtime, whole per subject, region and UTC day.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::Region;
use domain::interval::{Interval, IntervalSet};
use domain::policy::Policies;
use domain::time::{DurationMs, Timestamp};
use ingest::dependencies_partition;
use ports::{Log, PortError, RecordSink};
use wire::dependency::{self, DependencyRecord, DependencyWatermark};

use crate::subjects::Subjects;
use crate::tables::dependencies::{Day, Dependencies, day_of, start_of};

/// A day of a subject in a region.
type Key = (u32, Region, i64);

/// Days to publish, and what was published and not read back yet.
#[derive(Debug)]
pub(super) struct Outflow {
    /// The lengths that states may hold, by the policy's versions, each once.
    ttls: Vec<Option<DurationMs>>,
    changed: BTreeSet<Key>,
    in_flight: BTreeMap<Key, Day>,
    watermark: Option<Timestamp>,
    /// Days that were over by then are said for good, but for a state that reaches beyond.
    frozen: Timestamp,
}

impl Outflow {
    pub(super) fn new(policies: &Policies) -> Self {
        let mut ttls: Vec<_> = policies.versions().iter().map(|policy| policy.state_ttl).collect();
        ttls.sort_unstable();
        ttls.dedup();
        Self { ttls, changed: BTreeSet::new(), in_flight: BTreeMap::new(), watermark: None, frozen: Timestamp::MIN }
    }

    /// Notes that an event changed a subject's downtime from an instant on. That concerns the instant's
    /// day, and the day of the state before it.
    pub(super) fn note(&mut self, subjects: &Subjects, (subject, region): (u32, Region), from: Timestamp) {
        let before = subjects.health(subject, region).and_then(|health| health.state_before(from));
        let days = [Some(from), before].into_iter().flatten().map(day_of);
        self.changed.extend(days.map(|day| (subject, region, day)));
    }

    /// Notes that health before a midnight is forgotten, but for days of which a state reaches beyond it.
    pub(super) fn freeze(&mut self, before: Timestamp) {
        self.frozen = self.frozen.max(before);
    }

    /// Publishes the days that changed, and then that everything up to `log_time` is said. `revision` is the
    /// first offset that hasn't been read; what was published at or after it before a restart stands.
    pub(super) fn publish(
        &mut self,
        (partition, revision, log_time): (u32, u64, Timestamp),
        subjects: &Subjects,
        known: &Dependencies,
        sink: &mut dyn RecordSink,
    ) -> Result<(), PortError> {
        self.in_flight.retain(|key, day| known.revision(subjects.name(key.0), key.1, key.2) < day.revision);
        let to = dependencies_partition(partition, sink.partitions(Log::Dependencies)?);
        let mut put =
            |record: &DependencyRecord| sink.append_to(Log::Dependencies, to, &record.key(), &dependency::write(record));
        for key in self.days_to_publish(subjects, known) {
            let (subject, region, number) = key;
            let name = subjects.name(subject);
            if known.revision(name, region, number) >= revision {
                continue;
            }
            let told = self.in_flight.get(&key).or_else(|| known.day(name, region, number));
            if start_of(number) < self.frozen && !told.is_some_and(|told| told.reaches(self.frozen)) {
                continue;
            }
            let day = self.day(subjects, key, revision);
            if told.map_or_else(|| day.is_empty(), |told| told.says_the_same(&day)) {
                continue;
            }
            put(&day.to_record(name, region, number))?;
            self.in_flight.insert(key, day);
        }
        if self.watermark.max(known.watermark_of(partition)) < Some(log_time) {
            put(&DependencyRecord::Watermark(DependencyWatermark { partition, at: log_time }))?;
            self.watermark = Some(log_time);
        }
        Ok(())
    }

    /// The days that changed, and those before of which it was said that a state reaches into them: it may
    /// not any more, or a later one goes on in its place.
    fn days_to_publish(&mut self, subjects: &Subjects, known: &Dependencies) -> BTreeSet<Key> {
        let mut keys = std::mem::take(&mut self.changed);
        for (subject, region, number) in keys.clone() {
            let start = stretch_of(number).from;
            keys.extend(known.reaching(subjects.name(subject), region, start).map(|day| (subject, region, day)));
            let in_flight = self.in_flight.range((subject, region, i64::MIN)..(subject, region, number));
            keys.extend(in_flight.filter(|(_, day)| day.reaches(start)).map(|(key, _)| *key));
        }
        keys
    }

    fn day(&self, subjects: &Subjects, (subject, region, number): Key, revision: u64) -> Day {
        let within = stretch_of(number);
        let Some(health) = subjects.health(subject, region) else { return Day { revision, ..Day::default() } };
        let states = |ttl: &Option<DurationMs>| (*ttl, health.down_states(within, *ttl).into_iter().collect::<IntervalSet>());
        Day { revision, minutes: health.down_minutes(within), states: self.ttls.iter().map(states).collect() }
    }
}

fn stretch_of(day: i64) -> Interval {
    Interval::new(start_of(day), start_of(day + 1))
}
