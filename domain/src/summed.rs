//! An interval set with running sums: how much of it lies in a window, in O(log n).
//!
//! It is cut and grown at its end, and forgotten from its beginning, each in the time that the
//! change takes: a year of intervals isn't summed up anew for a minute more.

use crate::interval::{Interval, IntervalSet};
use crate::time::{DurationMs, Timestamp};

/// An interval set that knows how much of it lies before each of its intervals.
#[derive(Clone, Default, Debug)]
pub struct SummedSet {
    set: IntervalSet,
    /// Milliseconds of the set before each interval, from an arbitrary zero; one entry an interval.
    before_ms: Vec<i64>,
}

impl SummedSet {
    /// The empty set.
    #[must_use]
    pub const fn empty() -> Self {
        Self { set: IntervalSet::new(), before_ms: Vec::new() }
    }

    /// Sums up a set.
    #[must_use]
    pub fn new(set: &IntervalSet) -> Self {
        let mut summed = Self::default();
        summed.extend(set);
        summed
    }

    /// The set itself.
    #[must_use]
    pub const fn set(&self) -> &IntervalSet {
        &self.set
    }

    /// Adds an interval that starts no earlier than any in the set; touching ones join.
    ///
    /// # Panics
    /// In debug builds when `next` starts before the last interval does.
    pub fn push(&mut self, next: Interval) {
        let (known, sum) = (self.before_ms.len(), self.sum_ms());
        self.set.push(next);
        if self.set.as_slice().len() > known {
            self.before_ms.push(sum);
        }
    }

    /// Adds a set's intervals, which start no earlier than any in this one.
    pub fn extend(&mut self, later: &IntervalSet) {
        later.iter().for_each(|interval| self.push(*interval));
    }

    /// Takes out what lies at or after an instant. O(what is taken out).
    pub fn truncate(&mut self, at: Timestamp) {
        self.set.truncate(at);
        self.before_ms.truncate(self.set.as_slice().len());
    }

    /// Takes out the intervals that end by an instant.
    pub fn forget(&mut self, before: Timestamp) {
        let forgotten = self.set.forget(before);
        self.before_ms.drain(..forgotten);
    }

    /// Milliseconds of the set in a window.
    #[must_use]
    pub fn ms_within(&self, window: Interval) -> i64 {
        if window.is_empty() { 0 } else { self.ms_before(window.to) - self.ms_before(window.from) }
    }

    /// The earliest instant t at which `[from, t)` holds `length` of the set; `None` if none does.
    #[must_use]
    pub fn reached(&self, from: Timestamp, length: DurationMs) -> Option<Timestamp> {
        let target = self.ms_before(from) + length.ms();
        let next = self.before_ms.partition_point(|&before| before < target);
        let (interval, before) = (self.set.as_slice().get(next.checked_sub(1)?)?, self.before_ms[next - 1]);
        let missing = target - before;
        (missing <= interval.ms()).then(|| interval.from.saturating_add(DurationMs(missing)))
    }

    fn sum_ms(&self) -> i64 {
        match (self.set.as_slice().last(), self.before_ms.last()) {
            (Some(last), Some(before)) => before + last.ms(),
            _ => 0,
        }
    }

    fn ms_before(&self, at: Timestamp) -> i64 {
        let next = self.set.as_slice().partition_point(|interval| interval.from < at);
        match next.checked_sub(1) {
            Some(last) => {
                let interval = self.set.as_slice()[last];
                self.before_ms[last] + (interval.to.min(at) - interval.from).ms()
            }
            None => self.before_ms.first().copied().unwrap_or(0),
        }
    }
}

impl PartialEq for SummedSet {
    /// By the set: where the sums' zero lies doesn't matter.
    fn eq(&self, other: &Self) -> bool {
        self.set == other.set
    }
}

impl Eq for SummedSet {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::clamped(ms)
    }

    fn set() -> impl Strategy<Value = IntervalSet> {
        prop::collection::vec((0..90_i64, 1..12_i64), 0..9)
            .prop_map(|parts| parts.iter().map(|&(from, len)| Interval::new(at(from), at(from + len))).collect())
    }

    fn check(summed: &SummedSet, set: &IntervalSet, window: Interval) {
        assert_eq!(summed.ms_within(window), set.ms_within(window));
        let length = DurationMs(window.ms().max(1));
        let expected = (window.from.ms()..=300).map(at).find(|&to| set.ms_within(Interval::new(window.from, to)) >= length.ms());
        assert_eq!(summed.reached(window.from, length), expected);
    }

    proptest! {
        #[test]
        fn sums_agree_with_the_set(set in set(), from in 0..100_i64, len in 0..100_i64) {
            check(&SummedSet::new(&set), &set, Interval::new(at(from), at(from + len)));
        }

        #[test]
        fn cut_grown_and_forgotten_it_is_still_summed_up(
            set in set(), other in set(), cut in 0..100_i64, gone in 0..100_i64, from in 0..100_i64, len in 0..100_i64,
        ) {
            let mut summed = SummedSet::new(&set);
            summed.truncate(at(cut));
            summed.extend(&other.clip(Interval::new(at(cut), Timestamp::MAX)));
            let grown = set.clip(Interval::new(at(0), at(cut))).union(&other.clip(Interval::new(at(cut), Timestamp::MAX)));
            prop_assert_eq!(summed.set(), &grown);
            check(&summed, &grown, Interval::new(at(from), at(from + len)));
            summed.forget(at(gone));
            let left: IntervalSet = grown.iter().filter(|interval| interval.to > at(gone)).copied().collect();
            prop_assert_eq!(summed.set(), &left);
            check(&summed, &left, Interval::new(at(from), at(from + len)));
        }
    }
}
