//! Counts per UTC minute (R3), and sets of minutes.
//!
//! Layout: a subject's minutes lie in hours, each with a bit for every minute and the counts of
//! those that were reported. An event in order touches the last hour only. A late one finds its
//! hour where it lies if there are no gaps, its minute by counting bits, and moves the rest of
//! that hour at most: with long sorted arrays instead it would cost a hundred times as much.
//! Judging happens when a count changes a slice's verdict, not when somebody asks.

use std::collections::BTreeMap;

use domain::interval::{Interval, IntervalSet};
use domain::policy::Policy;
use domain::ratio::PPM;
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};

/// Minutes in an hour: one bit each in a word.
const HOUR_MINUTES: u32 = 60;

/// Attempts of one subject in one region, by UTC minute.
#[derive(Clone, Default, Debug)]
pub struct Minutes {
    /// Sorted; only those of which something was reported.
    hours: Vec<Hour>,
    /// How often a minute's 32-bit counts overflowed: (ok, failed), in units of 2³².
    carries: BTreeMap<u32, (u32, u32)>,
    /// Few and mostly in a row, unlike judged minutes, which late events fill in one by one.
    down: MinuteSet,
}

#[derive(Clone, Debug)]
struct Hour {
    /// Hours since 1970.
    number: u32,
    /// The minutes that were reported, lowest bit first.
    reported: u64,
    /// The minutes that are judged; a subset.
    judged: u64,
    /// Counts of the reported minutes, in order.
    slices: Vec<Slice>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Slice {
    ok: u32,
    failed: u32,
}

/// What a slice's counts say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Verdict {
    judged: bool,
    down: bool,
}

impl Minutes {
    /// Adds attempts to the minute that holds `at` (R3). No allocation but for a new minute.
    /// Returns whether the minute went down or came up.
    pub fn add(&mut self, at: Timestamp, ok: u32, failed: u32, policy: &Policy) -> bool {
        let minute = minute_of(at);
        let place = self.place(minute / HOUR_MINUTES);
        let hour = &mut self.hours[place];
        let bit = 1 << (minute % HOUR_MINUTES);
        let slice = hour.slice(bit);
        let before = *slice;
        let after = Slice { ok: before.ok.wrapping_add(ok), failed: before.failed.wrapping_add(failed) };
        *slice = after;
        let old = verdict(totals(&self.carries, minute, before), policy);
        if after.ok < before.ok || after.failed < before.failed {
            let carry = self.carries.entry(minute).or_default();
            carry.0 += u32::from(after.ok < before.ok);
            carry.1 += u32::from(after.failed < before.failed);
        }
        let new = verdict(totals(&self.carries, minute, after), policy);
        if new.judged {
            hour.judged |= bit;
        }
        if old.down != new.down {
            self.down.set(minute, new.down);
        }
        old.down != new.down
    }

    /// The judged minutes that have ended by `until` (R3).
    #[must_use]
    pub fn judged(&self, until: Timestamp) -> IntervalSet {
        let ended = Interval::new(Timestamp::MIN, until.floor_minute());
        let mut out = IntervalSet::new();
        for hour in &self.hours {
            let start = i64::from(hour.number) * HOUR_MS;
            let instant = |minute: u32| Timestamp::clamped(start + i64::from(minute) * MINUTE_MS);
            let (mut rest, mut from) = (hour.judged, 0);
            while rest != 0 {
                from += rest.trailing_zeros();
                let length = (hour.judged >> from).trailing_ones();
                out.push(Interval::new(instant(from), instant(from + length)).intersect(ended));
                from += length;
                rest = hour.judged >> from;
            }
        }
        out
    }

    /// The down minutes that have ended by `until` (R3).
    #[must_use]
    pub fn down(&self, until: Timestamp) -> IntervalSet {
        self.down.intervals(until)
    }

    /// Where an hour lies; it is made if there is none yet.
    fn place(&mut self, number: u32) -> usize {
        let Some((last, before)) = self.hours.split_last() else { return self.open(0, number) };
        match last.number.checked_sub(number) {
            Some(0) => before.len(),
            None => self.open(self.hours.len(), number),
            Some(back) => {
                // Mostly there are no gaps.
                let guess = before.len().checked_sub(back as usize);
                match guess.filter(|guess| before[*guess].number == number) {
                    Some(guess) => guess,
                    None => {
                        before.binary_search_by_key(&number, |hour| hour.number).unwrap_or_else(|place| self.open(place, number))
                    }
                }
            }
        }
    }

    /// Makes an hour, with room for as many minutes as the one before it has.
    fn open(&mut self, place: usize, number: u32) -> usize {
        let expected = place.checked_sub(1).map_or(0, |before| self.hours[before].slices.len());
        let slices = Vec::with_capacity(room(expected));
        self.hours.insert(place, Hour { number, reported: 0, judged: 0, slices });
        place
    }
}

impl Hour {
    /// The counts of a minute, given as its bit.
    fn slice(&mut self, bit: u64) -> &mut Slice {
        let index = (self.reported & (bit - 1)).count_ones() as usize;
        if self.reported & bit == 0 {
            self.reported |= bit;
            if self.slices.len() == self.slices.capacity() {
                self.slices.reserve_exact(room(self.slices.len() + 1) - self.slices.len());
            }
            self.slices.insert(index, Slice::default());
        }
        &mut self.slices[index]
    }
}

/// Room to make for so many of an hour's minutes: for all of them where half are there, as late
/// ones mostly fill the gaps of a busy hour.
const fn room(minutes: usize) -> usize {
    const ALL: usize = HOUR_MINUTES as usize;
    if minutes > ALL / 2 { ALL } else { minutes.next_power_of_two() }
}

/// A minute's counts with what they overflowed.
fn totals(carries: &BTreeMap<u32, (u32, u32)>, minute: u32, slice: Slice) -> (u64, u64) {
    let (ok, failed) = if carries.is_empty() { (0, 0) } else { carries.get(&minute).copied().unwrap_or_default() };
    ((u64::from(ok) << 32) + u64::from(slice.ok), (u64::from(failed) << 32) + u64::from(slice.failed))
}

fn minute_of(at: Timestamp) -> u32 {
    u32::try_from(at.minute()).expect("accepted instants lie between 1970 and 9999")
}

/// R3: judged from `min_attempts` on; down when failed × 1,000,000 > attempts × `down_ratio`.
fn verdict((ok, failed): (u64, u64), policy: &Policy) -> Verdict {
    let attempts = u128::from(ok) + u128::from(failed);
    let judged = attempts >= u128::from(policy.min_attempts);
    let limit = attempts * u128::from(policy.down_ratio.get().unsigned_abs());
    Verdict { judged, down: judged && u128::from(failed) * u128::from(PPM.unsigned_abs()) > limit }
}

/// A set of minutes as sorted, disjoint, not touching ranges.
#[derive(Clone, Default, Debug)]
struct MinuteSet(Vec<(u32, u32)>);

impl MinuteSet {
    fn set(&mut self, minute: u32, member: bool) {
        if member { self.insert(minute) } else { self.remove(minute) }
    }

    fn insert(&mut self, minute: u32) {
        let next = self.0.partition_point(|&(from, _)| from <= minute);
        let joins_left = next > 0 && self.0[next - 1].1 >= minute;
        let joins_right = self.0.get(next).is_some_and(|&(from, _)| from == minute + 1);
        match (joins_left, joins_right) {
            (true, _) if self.0[next - 1].1 > minute => {}
            (true, true) => {
                self.0[next - 1].1 = self.0[next].1;
                self.0.remove(next);
            }
            (true, false) => self.0[next - 1].1 = minute + 1,
            (false, true) => self.0[next].0 = minute,
            (false, false) => self.0.insert(next, (minute, minute + 1)),
        }
    }

    fn remove(&mut self, minute: u32) {
        let next = self.0.partition_point(|&(from, _)| from <= minute);
        let Some(held) = next.checked_sub(1).filter(|&held| self.0[held].1 > minute) else { return };
        let (from, to) = self.0[held];
        match (from == minute, to == minute + 1) {
            (true, true) => {
                self.0.remove(held);
            }
            (true, false) => self.0[held].0 = minute + 1,
            (false, true) => self.0[held].1 = minute,
            (false, false) => {
                self.0[held].1 = minute;
                self.0.insert(next, (minute + 1, to));
            }
        }
    }

    fn intervals(&self, until: Timestamp) -> IntervalSet {
        let ended = Interval::new(Timestamp::MIN, until.floor_minute());
        let instant = |minute: u32| Timestamp::clamped(i64::from(minute) * MINUTE_MS);
        let mut out = IntervalSet::new();
        for &(from, to) in &self.0 {
            out.push(Interval::new(instant(from), instant(to)).intersect(ended));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::evidence::tests::policy;

    fn at(minute: u32) -> Timestamp {
        Timestamp::clamped(i64::from(minute) * MINUTE_MS + 500)
    }

    proptest! {
        #[test]
        fn a_minute_set_is_a_set(steps in prop::collection::vec((0..40_u32, any::<bool>()), 0..200)) {
            let (mut set, mut oracle) = (MinuteSet::default(), BTreeSet::new());
            for (minute, member) in steps {
                set.set(minute, member);
                if member { oracle.insert(minute); } else { oracle.remove(&minute); }
                let listed: Vec<u32> = set.0.iter().flat_map(|&(from, to)| from..to).collect();
                prop_assert_eq!(listed, oracle.iter().copied().collect::<Vec<_>>());
                prop_assert!(set.0.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", set.0);
            }
        }

        #[test]
        fn verdicts_follow_the_sums_in_any_order(
            far in prop::collection::vec((0..4_000_u32, 0..30_u32, 0..60_u32), 0..60),
            near in prop::collection::vec((230..350_u32, 0..30_u32, 0..60_u32), 0..200),
        ) {
            let counts = [far, near].concat();
            let mut policy = policy();
            policy.min_attempts = 20;
            let mut minutes = Minutes::default();
            let mut sums: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
            for &(minute, ok, failed) in &counts {
                minutes.add(at(minute), ok, failed, &policy);
                let sum = sums.entry(minute).or_default();
                *sum = (sum.0 + u64::from(ok), sum.1 + u64::from(failed));
            }
            let until = at(4_000);
            let expected = |keep: &dyn Fn(u64, u64) -> bool| sums.iter()
                .filter(|(_, (ok, failed))| keep(*ok, *failed))
                .map(|(minute, _)| Interval::new(at(*minute).floor_minute(), at(*minute + 1).floor_minute()))
                .collect::<IntervalSet>();
            prop_assert_eq!(minutes.judged(until), expected(&|ok, failed| ok + failed >= 20));
            prop_assert_eq!(minutes.down(until), expected(&|ok, failed| {
                ok + failed >= 20 && failed * 1_000_000 > (ok + failed) * 950_000
            }));
        }
    }

    #[test]
    fn counts_beyond_32_bits_stay_exact() {
        let mut minutes = Minutes::default();
        let policy = policy();
        minutes.add(at(7), 0, u32::MAX, &policy);
        minutes.add(at(7), u32::MAX / 20, 0, &policy);
        assert!(!minutes.down(at(9)).is_empty(), "more than 95 % failed");
        minutes.add(at(7), 0, u32::MAX, &policy);
        assert!(!minutes.down(at(9)).is_empty(), "the failures must not wrap around to almost none");
        minutes.add(at(7), u32::MAX / 10, 0, &policy);
        assert!(minutes.down(at(9)).is_empty(), "more than 5 % are fine again");
    }

    #[test]
    fn a_minute_counts_once_it_has_ended() {
        let mut minutes = Minutes::default();
        minutes.add(at(7), 0, 20, &policy());
        let end = Timestamp::clamped(8 * MINUTE_MS);
        assert!(minutes.down(Timestamp::clamped(end.ms() - 1)).is_empty());
        assert_eq!(minutes.down(end).ms(), MINUTE_MS);
    }
}
