//! A set of minutes that is small where they lie in a row and bounded where they don't.
//!
//! Sorted ranges would take eight bytes for every lonely minute, and late events fill minutes in
//! one by one; a bit for each minute would take as much for a subject that is always judged as
//! for one that never is. So: an hour's minutes are bits of one word, and hours with the same
//! bits in a row are one run. A year in which all minutes are members is one run, and none takes
//! more than [`HOUR_BYTES_MAX`] an hour.

pub(crate) use domain::health::HOUR_MINUTES;
use domain::health::{HOUR_WHOLE, HourRun, MinuteRuns};
use domain::interval::{Interval, IntervalSet};
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};

/// The most that an hour takes, but for spare room.
#[cfg(test)]
pub(crate) const HOUR_BYTES_MAX: usize = size_of::<HourRun>();

/// A set of minutes. Invariant: runs rise, don't overlap, hold a minute each, and no two in a row
/// could be one.
#[derive(Clone, Default, Debug)]
pub(crate) struct MinuteSet(Vec<HourRun>);

impl MinuteSet {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes on the heap.
    pub(crate) const fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<HourRun>()
    }

    /// Adds a minute or takes it out.
    pub(crate) fn set(&mut self, minute: u32, member: bool) {
        let (hour, bit) = (minute / HOUR_MINUTES, 1 << (minute % HOUR_MINUTES));
        let (next, held) = self.find(hour);
        let old = held.map_or(0, |held| self.0[held].bits);
        self.replace(hour, next, held, if member { old | bit } else { old & !bit });
    }

    /// The minutes of an hour, lowest bit first.
    pub(crate) fn hour(&self, hour: u32) -> u64 {
        self.find(hour).1.map_or(0, |held| self.0[held].bits)
    }

    /// Says which minutes of an hour are members.
    pub(crate) fn set_hour(&mut self, hour: u32, bits: u64) {
        let (next, held) = self.find(hour);
        self.replace(hour, next, held, bits);
    }

    /// The minutes of this stretch of minutes (`[from, to)`, since 1970) as intervals.
    pub(crate) fn between(&self, from: u32, to: u32) -> IntervalSet {
        let mut out = IntervalSet::new();
        let window = Interval::new(instant(from), instant(to));
        let start = self.0.partition_point(|run| run.end() <= from / HOUR_MINUTES);
        for run in self.0[start..].iter().take_while(|run| run.hour * HOUR_MINUTES < to) {
            if run.bits == HOUR_WHOLE {
                let whole = Interval::new(instant(run.hour * HOUR_MINUTES), instant(run.end() * HOUR_MINUTES));
                out.push(whole.intersect(window));
                continue;
            }
            for hour in run.hour.max(from / HOUR_MINUTES)..run.end().min(to.div_ceil(HOUR_MINUTES)) {
                push_hour(&mut out, hour, run.bits, window);
            }
        }
        out
    }

    /// The part that lies in `within`, cut to it.
    pub(crate) fn clip(&self, within: Interval) -> IntervalSet {
        if within.is_empty() {
            return IntervalSet::new();
        }
        let last = within.to.ms() - 1;
        self.between(minute_of(within.from), minute_of(Timestamp::clamped(last)) + 1).clip(within)
    }

    /// Takes out the minutes of all hours before this one.
    pub(crate) fn forget(&mut self, before: u32) {
        let gone = self.0.partition_point(|run| run.end() <= before);
        self.0.drain(..gone);
        if let Some(first) = self.0.first_mut().filter(|first| first.hour < before) {
            first.hours = first.end() - before;
            first.hour = before;
        }
        spare(&mut self.0);
    }

    /// The first hour behind all minutes.
    pub(crate) fn end(&self) -> u32 {
        self.0.last().map_or(0, |last| last.end())
    }

    /// The first hour that has a minute; `None` where none has.
    pub(crate) fn first(&self) -> Option<u32> {
        self.0.first().map(|first| first.hour)
    }

    /// The set as plain values.
    pub(crate) fn to_parts(&self) -> MinuteRuns {
        MinuteRuns::new(self.0.clone()).expect("runs rise, and accepted minutes lie before the year 10000")
    }

    /// The place of the first run that begins after an hour, and of the one that holds it, if one
    /// does.
    fn find(&self, hour: u32) -> (usize, Option<usize>) {
        // Mostly it is the last hour.
        let next = match self.0.last() {
            Some(last) if last.hour <= hour => self.0.len(),
            _ => self.0.partition_point(|run| run.hour <= hour),
        };
        (next, next.checked_sub(1).filter(|&held| hour < self.0[held].end()))
    }

    /// Gives an hour other minutes.
    fn replace(&mut self, hour: u32, next: usize, held: Option<usize>, bits: u64) {
        match held.map(|held| (held, self.0[held])) {
            Some((_, run)) if run.bits == bits => {}
            Some((held, run)) if run.hours == 1 => self.change(held, bits),
            Some((held, run)) => {
                let parts = [(run.hour, hour, run.bits), (hour, hour + 1, bits), (hour + 1, run.end(), run.bits)];
                let parts = parts.map(|(from, to, bits)| HourRun { hour: from, hours: to - from, bits });
                self.0.splice(held..=held, parts.into_iter().filter(|part| part.hours > 0 && part.bits != 0));
                self.join_around(held);
            }
            None if bits == 0 => {}
            None => {
                self.0.insert(next, HourRun { hour, hours: 1, bits });
                self.join_around(next);
            }
        }
    }

    /// Gives the only hour of a run other minutes.
    fn change(&mut self, place: usize, bits: u64) {
        if bits == 0 {
            self.0.remove(place);
        } else {
            self.0[place].bits = bits;
            self.join_around(place);
        }
    }

    /// Joins what can be one run, from the run before this place to two behind it.
    fn join_around(&mut self, place: usize) {
        for left in (place.saturating_sub(1)..place + 3).rev() {
            let (Some(a), Some(b)) = (self.0.get(left), self.0.get(left + 1)) else { continue };
            if a.end() == b.hour && a.bits == b.bits {
                self.0[left].hours += b.hours;
                self.0.remove(left + 1);
            }
        }
    }
}

impl From<MinuteRuns> for MinuteSet {
    fn from(runs: MinuteRuns) -> Self {
        Self(runs.into_vec())
    }
}

/// The number of the minute that holds an instant, since 1970.
pub(crate) fn minute_of(at: Timestamp) -> u32 {
    u32::try_from(at.minute()).expect("accepted instants lie between 1970 and 9999")
}

/// Gives back memory when most of it is spare.
pub(crate) fn spare<T>(list: &mut Vec<T>) {
    if list.len() < list.capacity() / 4 {
        list.shrink_to(list.len() * 2);
    }
}

fn instant(minute: u32) -> Timestamp {
    Timestamp::clamped(i64::from(minute) * MINUTE_MS)
}

/// Adds an hour's minutes, cut to `window`, to what lies before them.
pub(crate) fn push_hour(out: &mut IntervalSet, hour: u32, bits: u64, window: Interval) {
    let start = i64::from(hour) * HOUR_MS;
    let instant = |minute: u32| Timestamp::clamped(start + i64::from(minute) * MINUTE_MS);
    let (mut rest, mut from) = (bits, 0);
    while rest != 0 {
        from += rest.trailing_zeros();
        let length = (bits >> from).trailing_ones();
        out.push(Interval::new(instant(from), instant(from + length)).intersect(window));
        from += length;
        rest = bits >> from;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const HOURS: u32 = 6;

    fn intervals(minutes: impl Iterator<Item = u32>) -> IntervalSet {
        minutes.map(|minute| Interval::new(instant(minute), instant(minute + 1))).collect()
    }

    /// One minute, or many: whole hours make runs.
    fn steps() -> impl Strategy<Value = Vec<(u32, u32, bool)>> {
        let length = prop_oneof![Just(1_u32), 1..200_u32];
        prop::collection::vec((0..HOURS * HOUR_MINUTES, length, prop::bool::weighted(0.7)), 0..60)
    }

    proptest! {
        #[test]
        fn a_minute_set_is_a_set(steps in steps(), from in 0..400_u32, length in 0..400_u32, cut_ms in 0..MINUTE_MS) {
            let (mut set, mut oracle) = (MinuteSet::default(), BTreeSet::new());
            for (first, length, member) in steps {
                for minute in first..(first + length).min(HOURS * HOUR_MINUTES) {
                    set.set(minute, member);
                    if member { oracle.insert(minute); } else { oracle.remove(&minute); }
                }
                prop_assert_eq!(set.between(0, HOURS * HOUR_MINUTES), intervals(oracle.iter().copied()));
                prop_assert!(set.0.iter().all(|run| run.bits != 0 && run.hours > 0), "{:?}", set.0);
                let apart = |pair: &[HourRun]| pair[0].end() < pair[1].hour || (pair[0].end() == pair[1].hour && pair[0].bits != pair[1].bits);
                prop_assert!(set.0.windows(2).all(apart), "{:?}", set.0);
            }
            let part = intervals(oracle.iter().copied().filter(|minute| (from..from + length).contains(minute)));
            prop_assert_eq!(set.between(from, from + length), part);
            let within = Interval::new(
                Timestamp::clamped(instant(from).ms() + cut_ms), Timestamp::clamped(instant(from + length).ms() - cut_ms));
            prop_assert_eq!(set.clip(within), intervals(oracle.iter().copied()).clip(within));
            let before = from / HOUR_MINUTES;
            set.forget(before);
            prop_assert_eq!(set.between(0, u32::MAX), intervals(oracle.iter().copied().filter(|minute| *minute >= before * HOUR_MINUTES)));
        }
    }

    #[test]
    fn a_year_in_a_row_is_one_run_and_a_scattered_one_is_bounded() {
        const HOURS_A_YEAR: u32 = 365 * 24;
        let (mut whole, mut scattered) = (MinuteSet::default(), MinuteSet::default());
        for minute in 0..HOURS_A_YEAR * HOUR_MINUTES {
            whole.set(minute, true);
            if minute % 7 < 3 {
                scattered.set(minute, true);
            }
        }
        assert_eq!(whole.0.len(), 1);
        assert!(scattered.0.len() * size_of::<HourRun>() <= HOURS_A_YEAR as usize * HOUR_BYTES_MAX);
        assert_eq!(HOUR_BYTES_MAX, 16);
    }
}
