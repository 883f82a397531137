//! What an owner publishes of its skills and hubs: downtime, whole per subject, region and UTC day.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::Region;
use domain::interval::{Interval, IntervalSet};
use domain::time::{DAY_MS, DurationMs, Timestamp};
use ingest::dependencies_partition;
use ports::{Log, PortError, RecordSink};
use wire::dependency::{self, DependencyRecord, DependencyWatermark};

use super::Place;

use crate::subjects::Subjects;
use crate::tables::dependencies::{Day, Dependencies, day_of};

/// How far back a state that holds for ever is looked for, in days.
const DAYS_BACK_MAX: i64 = 2 * 366;

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
}

impl Outflow {
    pub(super) fn new(ttls: Vec<Option<DurationMs>>) -> Self {
        Self { ttls, changed: BTreeSet::new(), in_flight: BTreeMap::new(), watermark: None }
    }

    /// Notes that an event changed a subject's downtime from its instant on. That concerns the
    /// instant's day, and the day of the state before it, which the event may have cut short.
    pub(super) fn note(&mut self, subjects: &Subjects, subject: u32, region: Region, from: Timestamp) {
        let day = day_of(from);
        self.changed.insert((subject, region, day));
        let reach = self.ttls.iter().map(|ttl| ttl.map_or(DAYS_BACK_MAX, |ttl| ttl.ms() / DAY_MS + 1)).max().unwrap_or(0);
        let before = (day.saturating_sub(reach).max(0)..day).rev();
        let with_state = before.into_iter().find(|&day| {
            let states = |ttl: &Option<DurationMs>| subjects.down_states(subject, region, stretch_of(day), *ttl);
            self.ttls.iter().any(|ttl| !states(ttl).is_empty())
        });
        self.changed.extend(with_state.map(|day| (subject, region, day)));
    }

    /// Publishes the days that changed, and then that everything up to `log_time` is said. `revision` is the
    /// first offset that hasn't been read; what was published at or after it before a restart stands.
    pub(super) fn publish(
        &mut self,
        (place, revision, log_time): (Place, u64, Timestamp),
        subjects: &Subjects,
        known: &Dependencies,
        sink: &mut dyn RecordSink,
    ) -> Result<(), PortError> {
        self.in_flight.retain(|key, day| known.revision(subjects.name(key.0), key.1, key.2) < day.revision);
        let to = dependencies_partition(place.number, sink.partitions(Log::Dependencies)?);
        let mut put = |record: &DependencyRecord| sink.append_to(Log::Dependencies, to, &record.key(), &dependency::write(record));
        for key in std::mem::take(&mut self.changed) {
            let (subject, region, number) = key;
            let name = subjects.name(subject);
            if known.revision(name, region, number) >= revision {
                continue;
            }
            let day = self.day(subjects, key, revision);
            let told = self.in_flight.get(&key).or_else(|| known.day(name, region, number));
            if told.map_or_else(|| day.is_empty(), |told| told.says_the_same(&day)) {
                continue;
            }
            put(&day.to_record(name, region, number))?;
            self.in_flight.insert(key, day);
        }
        if self.watermark.max(known.watermark_of(place.number)) < Some(log_time) {
            put(&DependencyRecord::Watermark(DependencyWatermark { partition: place.number, at: log_time }))?;
            self.watermark = Some(log_time);
        }
        Ok(())
    }

    fn day(&self, subjects: &Subjects, (subject, region, number): Key, revision: u64) -> Day {
        let within = stretch_of(number);
        let states = |ttl: &Option<DurationMs>| {
            let stretches: IntervalSet = subjects.down_states(subject, region, within, *ttl).into_iter().collect();
            (*ttl, stretches)
        };
        Day {
            revision,
            minutes: subjects.down_minutes(subject, region, within),
            states: self.ttls.iter().map(states).collect(),
        }
    }
}

fn stretch_of(day: i64) -> Interval {
    Interval::new(Timestamp::clamped(day * DAY_MS), Timestamp::clamped((day + 1) * DAY_MS))
}
