//! An interval set with running sums: how much of it lies in a window, in O(log n).

use domain::interval::{Interval, IntervalSet};
use domain::time::{DurationMs, Timestamp};

/// An interval set that knows how much of it lies before each of its intervals.
#[derive(Clone, Default, Debug)]
pub struct SummedSet {
    set: IntervalSet,
    /// Milliseconds of the set before each interval; one entry an interval.
    before_ms: Vec<i64>,
}

impl SummedSet {
    /// Sums up a set.
    #[must_use]
    pub fn new(set: IntervalSet) -> Self {
        let mut sum = 0;
        let before_ms = set
            .iter()
            .map(|interval| {
                let before = sum;
                sum += interval.ms();
                before
            })
            .collect();
        Self { set, before_ms }
    }

    /// The set itself.
    #[must_use]
    pub const fn set(&self) -> &IntervalSet {
        &self.set
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

    fn ms_before(&self, at: Timestamp) -> i64 {
        let next = self.set.as_slice().partition_point(|interval| interval.from < at);
        match next.checked_sub(1) {
            Some(last) => {
                let interval = self.set.as_slice()[last];
                self.before_ms[last] + (interval.to.min(at) - interval.from).ms()
            }
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::clamped(ms)
    }

    proptest! {
        #[test]
        fn sums_agree_with_the_set(parts in prop::collection::vec((0..90_i64, 1..12_i64), 0..9), from in 0..100_i64, len in 0..100_i64) {
            let set: IntervalSet = parts.iter().map(|&(from, len)| Interval::new(at(from), at(from + len))).collect();
            let summed = SummedSet::new(set.clone());
            let window = Interval::new(at(from), at(from + len));
            prop_assert_eq!(summed.ms_within(window), set.ms_within(window));
            let length = DurationMs(len.max(1));
            let expected = (from..=300).map(at).find(|&to| set.ms_within(Interval::new(at(from), to)) >= length.ms());
            prop_assert_eq!(summed.reached(at(from), length), expected);
        }
    }
}
