//! The health of skills and hubs, as their owners published it to the `dependencies` log.

use std::collections::BTreeMap;

use compute::Ask;
use domain::id::{Region, Subject, SubjectRef};
use domain::interval::{Interval, IntervalSet};
use domain::time::{DAY_MS, DurationMs, Timestamp};
use rustc_hash::FxHashMap;
use wire::dependency::{DependencyHealth, DependencyRecord, StateDowntime};

/// What was published of skills and hubs, whole per subject, region and UTC day, and up to when.
#[derive(Debug)]
pub struct Dependencies {
    /// By source partition: everything its records up to this append time say is here.
    watermarks: Vec<Option<Timestamp>>,
    next_offsets: Vec<u64>,
    subjects: FxHashMap<Subject, [BTreeMap<i64, Day>; Region::COUNT]>,
}

/// A subject's downtime in a region that begins on one UTC day.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Day {
    /// Rises each time its owner publishes the day; readers keep the highest.
    pub revision: u64,
    /// Down minutes that start that day, ended or not.
    pub minutes: IntervalSet,
    /// For each length that states may hold: the stretches of `down` and `maintenance` that begin that day, whole.
    pub states: Vec<(Option<DurationMs>, IntervalSet)>,
}

impl Dependencies {
    /// An empty table for so many health partitions and so many of the log's own.
    #[must_use]
    pub fn new(health_partitions: u32, log_partitions: u32) -> Self {
        Self {
            watermarks: vec![None; health_partitions as usize],
            next_offsets: vec![0; log_partitions as usize],
            subjects: FxHashMap::default(),
        }
    }

    /// Takes in a record of the log. Yields whose downtime may be another, and from which instant on.
    ///
    /// # Errors
    /// When the record isn't one of the log's: nothing but owners should append to it.
    pub fn take(&mut self, payload: &[u8]) -> Result<Option<(Subject, Timestamp)>, wire::Error> {
        Ok(match wire::dependency::read(payload)? {
            DependencyRecord::Watermark(watermark) => {
                self.watermark(watermark.partition, watermark.at);
                None
            }
            DependencyRecord::Health(health) => {
                let states = health.states.into_iter().map(|states| (states.state_ttl, states.down)).collect();
                let day = Day { revision: health.revision, minutes: health.minutes, states };
                self.put(&health.subject, health.region, day_of(health.day), day).map(|from| (health.subject, from))
            }
        })
    }

    /// Notes that a record of the log was read.
    pub fn passed(&mut self, partition: u32, offset: u64) {
        if let Some(next) = self.next_offsets.get_mut(partition as usize) {
            *next = (*next).max(offset + 1);
        }
    }

    /// Takes in a source partition's watermark.
    fn watermark(&mut self, partition: u32, at: Timestamp) {
        if let Some(watermark) = self.watermarks.get_mut(partition as usize) {
            *watermark = (*watermark).max(Some(at));
        }
    }

    /// Takes in a day's health; yields from which instant on the subject's downtime may be another.
    fn put(&mut self, subject: &Subject, region: Region, number: i64, day: Day) -> Option<Timestamp> {
        let days = &mut self.subjects.entry(subject.clone()).or_default()[region.index()];
        let before = days.get(&number);
        if before.is_some_and(|before| before.revision >= day.revision) {
            return None;
        }
        let changed = first_difference(before, &day);
        days.insert(number, day);
        changed
    }

    /// A day as last published.
    #[must_use]
    pub fn day(&self, subject: SubjectRef<'_>, region: Region, number: i64) -> Option<&Day> {
        self.days(subject, region)?.get(&number)
    }

    /// The days before an instant's of which it was said that a state reaches beyond that instant.
    pub fn reaching(&self, subject: SubjectRef<'_>, region: Region, at: Timestamp) -> impl Iterator<Item = i64> {
        let before = self.days(subject, region).into_iter().flat_map(move |days| days.range(..day_of(at)));
        before.filter(move |(_, day)| day.reaches(at)).map(|(number, _)| *number)
    }

    /// The revision in which a day was last published; 0 if never.
    #[must_use]
    pub fn revision(&self, subject: SubjectRef<'_>, region: Region, number: i64) -> u64 {
        self.day(subject, region, number).map_or(0, |day| day.revision)
    }

    /// Up to which append time everything said about skills and hubs is here: the least over all source partitions.
    #[must_use]
    pub fn log_time(&self) -> Option<Timestamp> {
        self.watermarks.iter().copied().min().flatten()
    }

    /// A source partition's watermark as last published.
    #[must_use]
    pub fn watermark_of(&self, partition: u32) -> Option<Timestamp> {
        self.watermarks.get(partition as usize).copied().flatten()
    }

    /// The first offset of each of the log's partitions that has not been read.
    #[must_use]
    pub fn next_offsets(&self) -> &[u64] {
        &self.next_offsets
    }

    /// Downtime of a skill or hub (R3, R4); what was never published is none.
    #[must_use]
    pub fn downtime(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        let Some(days) = self.days(subject, region).filter(|_| !ask.within.is_empty()) else { return IntervalSet::new() };
        let (first, last) = (day_of(ask.within.from), day_of(ask.within.to));
        let ended = Interval::new(Timestamp::MIN, ask.until.floor_minute()).intersect(ask.within);
        let known = Interval::new(Timestamp::MIN, ask.until).intersect(ask.within);
        let minutes =
            days.range(first - 1..=last).flat_map(|(_, day)| day.minutes.overlapping(ended).iter().map(|i| i.intersect(ended)));
        // States end where the next begins, so only the last that began before can reach in.
        let reaches_in = days.range(..first).rev().find(|(_, day)| !day.stretches(ask.state_ttl).is_empty());
        let states = reaches_in
            .into_iter()
            .chain(days.range(first..=last))
            .flat_map(|(_, day)| day.stretches(ask.state_ttl).overlapping(known).iter().map(|stretch| stretch.intersect(known)));
        minutes.chain(states).collect()
    }

    /// Drops days that are over before an instant; one with a state that reaches beyond it stays.
    pub fn forget(&mut self, before: Timestamp) {
        for days in self.subjects.values_mut().flatten() {
            days.retain(|number, day| *number >= day_of(before) - 1 || day.reaches(before));
        }
    }

    fn days(&self, subject: SubjectRef<'_>, region: Region) -> Option<&BTreeMap<i64, Day>> {
        self.subjects.get(&subject.to_owned()).map(|regions| &regions[region.index()])
    }
}

impl Day {
    /// Whether it holds no downtime.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.minutes.is_empty() && self.states.iter().all(|(_, stretches)| stretches.is_empty())
    }

    /// Whether two versions of a day say the same.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        (&self.minutes, &self.states) == (&other.minutes, &other.states)
    }

    /// The day as a record of the log.
    #[must_use]
    pub fn to_record(&self, subject: SubjectRef<'_>, region: Region, number: i64) -> DependencyRecord {
        let states = self.states.iter().map(|(state_ttl, down)| StateDowntime { state_ttl: *state_ttl, down: down.clone() });
        DependencyRecord::Health(DependencyHealth {
            subject: subject.to_owned(),
            region,
            day: start_of(number),
            revision: self.revision,
            minutes: self.minutes.clone(),
            states: states.collect(),
        })
    }

    /// Stretches of states that hold so long.
    fn stretches(&self, state_ttl: Option<DurationMs>) -> &IntervalSet {
        static NONE: IntervalSet = IntervalSet::new();
        self.states.iter().find(|(ttl, _)| *ttl == state_ttl).map_or(&NONE, |(_, stretches)| stretches)
    }

    /// Whether a state that begins that day reaches beyond an instant.
    pub(crate) fn reaches(&self, at: Timestamp) -> bool {
        self.states.iter().filter_map(|(_, stretches)| stretches.as_slice().last()).any(|last| last.to > at)
    }
}

/// The UTC day that holds an instant, counted from 1970-01-01.
#[must_use]
pub fn day_of(at: Timestamp) -> i64 {
    at.ms().div_euclid(DAY_MS)
}

/// 00:00 UTC of a day.
#[must_use]
pub fn start_of(day: i64) -> Timestamp {
    Timestamp::clamped(day * DAY_MS)
}

/// The first instant that only one of two versions of a day calls downtime.
fn first_difference(before: Option<&Day>, now: &Day) -> Option<Timestamp> {
    let none = Day::default();
    let before = before.unwrap_or(&none);
    let ttls = before.states.iter().chain(&now.states).map(|(ttl, _)| *ttl);
    let states = ttls.map(|ttl| (before.stretches(ttl), now.stretches(ttl)));
    states.chain([(&before.minutes, &now.minutes)]).filter_map(|(a, b)| a.first_difference(b)).min()
}

#[cfg(test)]
mod tests {
    use domain::id::SkillId;
    use domain::time::MINUTE_MS;

    use super::*;

    fn set(parts: &[(i64, i64)]) -> IntervalSet {
        parts.iter().map(|&(from, to)| Interval::new(Timestamp::clamped(from), Timestamp::clamped(to))).collect()
    }

    fn skill() -> Subject {
        Subject::skill(&SkillId::new("s-1").expect("an id"))
    }

    fn day(revision: u64, minutes: &[(i64, i64)], states: &[(i64, i64)]) -> Day {
        Day { revision, minutes: set(minutes), states: vec![(None, set(states))] }
    }

    fn table(days: &[(i64, Day)]) -> Dependencies {
        let mut table = Dependencies::new(2, 1);
        for (number, day) in days {
            table.put(&skill(), Region::Na, *number, day.clone());
        }
        table
    }

    fn check(days: &[(i64, Day)], within: (i64, i64), until: i64, expected: &[(i64, i64)]) {
        let within = Interval::new(Timestamp::clamped(within.0), Timestamp::clamped(within.1));
        let ask = Ask { within, until: Timestamp::clamped(until), state_ttl: None };
        assert_eq!(table(days).downtime(skill().as_ref(), Region::Na, ask), set(expected), "{days:?} {within:?} {until}");
        assert!(table(days).downtime(skill().as_ref(), Region::Eu, ask).is_empty());
    }

    #[test]
    fn minutes_count_once_they_have_ended_and_states_up_to_t() {
        let minutes = [(0, day(1, &[(0, 2 * MINUTE_MS)], &[]))];
        check(&minutes, (0, DAY_MS), 2 * MINUTE_MS, &[(0, 2 * MINUTE_MS)]);
        check(&minutes, (0, DAY_MS), 2 * MINUTE_MS - 1, &[(0, MINUTE_MS)]);
        check(&[(0, day(1, &[], &[(5, DAY_MS)]))], (0, DAY_MS), 50, &[(5, 50)]);
    }

    #[test]
    fn a_state_reaches_into_later_days() {
        let days = [(0, day(1, &[], &[(1, 2), (5, 3 * DAY_MS)])), (1, day(1, &[(DAY_MS, DAY_MS + MINUTE_MS)], &[]))];
        check(&days, (2 * DAY_MS, 4 * DAY_MS), 9 * DAY_MS, &[(2 * DAY_MS, 3 * DAY_MS)]);
        check(&days, (3 * DAY_MS, 4 * DAY_MS), 9 * DAY_MS, &[]);
        let mut kept = table(&days);
        kept.forget(Timestamp::clamped(3 * DAY_MS - 1));
        assert_eq!(kept.revision(skill().as_ref(), Region::Na, 0), 1, "it still reaches there");
        kept.forget(Timestamp::clamped(5 * DAY_MS));
        assert_eq!(kept.revision(skill().as_ref(), Region::Na, 0), 0);
    }

    #[test]
    fn the_highest_revision_holds_and_says_what_it_changed() {
        let mut table = Dependencies::new(1, 1);
        let mut take = |day: Day| table.put(&skill(), Region::Na, 0, day).map(Timestamp::ms);
        assert_eq!(take(day(2, &[(0, MINUTE_MS)], &[])), Some(0));
        assert_eq!(take(day(1, &[], &[(7, 9)])), None, "an older one is passed over");
        assert_eq!(take(day(3, &[(0, MINUTE_MS)], &[(7, 9)])), Some(7));
        assert_eq!(take(day(4, &[(0, MINUTE_MS)], &[(7, 8)])), Some(8));
        assert_eq!(take(day(5, &[(0, MINUTE_MS)], &[(7, 8)])), None);
    }

    #[test]
    fn the_least_watermark_holds() {
        let mut table = Dependencies::new(2, 1);
        table.watermark(0, Timestamp::clamped(5));
        assert_eq!(table.log_time(), None, "partition 1 has said nothing yet");
        table.watermark(1, Timestamp::clamped(9));
        table.watermark(1, Timestamp::clamped(3));
        assert_eq!((table.log_time(), table.watermark_of(1)), (Some(Timestamp::clamped(5)), Some(Timestamp::clamped(9))));
    }
}
