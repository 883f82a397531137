//! Half-open intervals `[from, to)` (R1) and sets of them.

use std::fmt;

use crate::time::{DurationMs, Timestamp};

/// A half-open interval `[from, to)`; empty when `to <= from`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// First instant in it.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
}

impl Interval {
    /// All of time.
    pub const ALWAYS: Self = Self { from: Timestamp::MIN, to: Timestamp::MAX };

    /// `[from, to)`.
    #[must_use]
    pub const fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to }
    }

    /// Whether no instant is in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.to <= self.from
    }

    /// Length in milliseconds, 0 when empty.
    #[must_use]
    pub fn ms(self) -> i64 {
        (self.to.ms() - self.from.ms()).max(0)
    }

    /// What both hold; may be empty.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    /// Whether the instant is in it.
    #[must_use]
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.from, self.to)
    }
}

/// A set of instants as intervals.
///
/// Invariant: sorted, none empty, and no two touch (there is a gap of at least one millisecond
/// between neighbours), so equal sets have equal representations.
#[derive(Clone, PartialEq, Eq, Default, Hash)]
pub struct IntervalSet(Vec<Interval>);

impl IntervalSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The intervals in order of time.
    #[must_use]
    pub fn as_slice(&self) -> &[Interval] {
        &self.0
    }

    /// The intervals in order of time.
    pub fn iter(&self) -> std::slice::Iter<'_, Interval> {
        self.0.iter()
    }

    /// Whether no instant is in the set.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an interval that starts no earlier than any in the set; touching ones join.
    ///
    /// # Panics
    /// In debug builds when `next` starts before the last interval does.
    pub fn push(&mut self, next: Interval) {
        if next.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if next.from <= last.to => {
                debug_assert!(last.from <= next.from, "intervals are pushed in order");
                last.to = last.to.max(next.to);
            }
            _ => self.0.push(next),
        }
    }

    /// Adds an interval that starts no earlier than any in the set, and fills a gap of at most
    /// `gap` before it (R9).
    ///
    /// # Panics
    /// In debug builds when `next` starts before the last interval does.
    pub fn push_merging(&mut self, next: Interval, gap: DurationMs) {
        match self.0.last() {
            Some(last) if !next.is_empty() && next.from.ms() - last.to.ms() <= gap.ms() => {
                self.push(Interval::new(last.to.min(next.from), next.to));
            }
            _ => self.push(next),
        }
    }

    /// Takes out what lies at or after an instant. O(what is taken out).
    pub fn truncate(&mut self, at: Timestamp) {
        while self.0.last().is_some_and(|last| last.from >= at) {
            self.0.pop();
        }
        if let Some(last) = self.0.last_mut() {
            last.to = last.to.min(at);
        }
    }

    /// Takes out the intervals that end by an instant; returns how many.
    pub fn forget(&mut self, before: Timestamp) -> usize {
        let forgotten = self.0.partition_point(|interval| interval.to <= before);
        self.0.drain(..forgotten);
        forgotten
    }

    /// Total length in milliseconds.
    #[must_use]
    pub fn ms(&self) -> i64 {
        self.0.iter().map(|interval| interval.ms()).sum()
    }

    /// Milliseconds of the set that are in `window`. O(log n + intervals in the window).
    #[must_use]
    pub fn ms_within(&self, window: Interval) -> i64 {
        self.overlapping(window).iter().map(|interval| interval.intersect(window).ms()).sum()
    }

    /// The intervals that share an instant with `window`, uncut.
    #[must_use]
    pub fn overlapping(&self, window: Interval) -> &[Interval] {
        if window.is_empty() {
            return &[];
        }
        let start = self.0.partition_point(|interval| interval.to <= window.from);
        let end = self.0.partition_point(|interval| interval.from < window.to);
        &self.0[start..end.max(start)]
    }

    /// Whether any instant of the set is in `window`.
    #[must_use]
    pub fn intersects(&self, window: Interval) -> bool {
        !self.overlapping(window).is_empty()
    }

    /// Whether the instant is in the set.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        let next = self.0.partition_point(|interval| interval.to <= at);
        self.0.get(next).is_some_and(|interval| interval.contains(at))
    }

    /// The set cut to `window`.
    #[must_use]
    pub fn clip(&self, window: Interval) -> Self {
        Self(self.overlapping(window).iter().map(|interval| interval.intersect(window)).collect())
    }

    /// What is in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut out = Self(Vec::with_capacity(self.0.len() + other.0.len()));
        loop {
            let next = match (left.peek(), right.peek()) {
                (Some(a), Some(b)) if a.from <= b.from => left.next(),
                (_, Some(_)) => right.next(),
                (_, None) => left.next(),
            };
            match next {
                Some(interval) => out.push(*interval),
                None => return out,
            }
        }
    }

    /// What is in both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let (mut i, mut j) = (0, 0);
        let mut out = Self::new();
        while let (Some(a), Some(b)) = (self.0.get(i), other.0.get(j)) {
            out.push(a.intersect(*b));
            if a.to <= b.to {
                i += 1;
            } else {
                j += 1;
            }
        }
        out
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut out = Self::new();
        let mut j = 0;
        for interval in &self.0 {
            let mut from = interval.from;
            while other.0.get(j).is_some_and(|cut| cut.to <= from) {
                j += 1;
            }
            let mut k = j;
            while let Some(cut) = other.0.get(k).filter(|cut| cut.from < interval.to) {
                out.push(Interval::new(from, cut.from));
                from = from.max(cut.to);
                k += 1;
            }
            out.push(Interval::new(from, interval.to));
        }
        out
    }

    /// The first instant that only one of two sets holds; `None` if they are equal.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<Timestamp> {
        let same = self.0.iter().zip(&other.0).take_while(|(a, b)| a == b).count();
        match (self.0.get(same), other.0.get(same)) {
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => Some(one.from),
            (Some(a), Some(b)) if a.from == b.from => Some(a.to.min(b.to)),
            (Some(a), Some(b)) => Some(a.from.min(b.from)),
        }
    }

    /// The set with gaps of at most `gap` filled (R9).
    #[must_use]
    pub fn merged(&self, gap: DurationMs) -> Self {
        let mut out = Self::new();
        self.0.iter().for_each(|interval| out.push_merging(*interval, gap));
        out
    }
}

impl FromIterator<Interval> for IntervalSet {
    /// The union of intervals in any order.
    fn from_iter<I: IntoIterator<Item = Interval>>(intervals: I) -> Self {
        let mut sorted: Vec<_> = intervals.into_iter().filter(|interval| !interval.is_empty()).collect();
        sorted.sort_unstable();
        let mut out = Self(Vec::with_capacity(sorted.len()));
        for interval in sorted {
            out.push(interval);
        }
        out
    }
}

impl From<Interval> for IntervalSet {
    fn from(interval: Interval) -> Self {
        [interval].into_iter().collect()
    }
}

impl<'a> IntoIterator for &'a IntervalSet {
    type Item = &'a Interval;
    type IntoIter = std::slice::Iter<'a, Interval>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Debug for IntervalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HORIZON: i64 = 60;

    fn interval(from: i64, to: i64) -> Interval {
        Interval::new(Timestamp::clamped(from), Timestamp::clamped(to))
    }

    fn set() -> impl Strategy<Value = IntervalSet> {
        prop::collection::vec((0..HORIZON, 0..12_i64), 0..8)
            .prop_map(|parts| parts.into_iter().map(|(from, len)| interval(from, (from + len).min(HORIZON))).collect())
    }

    /// The oracle: a set of instants is the list of its members.
    fn members(set: &IntervalSet) -> Vec<bool> {
        (0..HORIZON).map(|at| set.iter().any(|i| i.from.ms() <= at && at < i.to.ms())).collect()
    }

    fn zip(a: &IntervalSet, b: &IntervalSet, f: impl Fn(bool, bool) -> bool) -> Vec<bool> {
        members(a).into_iter().zip(members(b)).map(|(x, y)| f(x, y)).collect()
    }

    fn is_canonical(set: &IntervalSet) -> bool {
        set.iter().all(|i| !i.is_empty()) && set.as_slice().windows(2).all(|pair| pair[0].to < pair[1].from)
    }

    proptest! {
        #[test]
        fn operations_agree_with_membership(a in set(), b in set(), from in 0..HORIZON, len in 0..HORIZON) {
            let window = interval(from, (from + len).min(HORIZON));
            let windowed = IntervalSet::from(window);
            for (result, expected) in [
                (a.union(&b), zip(&a, &b, |x, y| x || y)),
                (a.intersect(&b), zip(&a, &b, |x, y| x && y)),
                (a.subtract(&b), zip(&a, &b, |x, y| x && !y)),
                (a.clip(window), zip(&a, &windowed, |x, y| x && y)),
            ] {
                prop_assert!(is_canonical(&result), "{result:?}");
                prop_assert_eq!(members(&result), expected);
            }
            let differs = members(&a).into_iter().zip(members(&b)).position(|(x, y)| x != y);
            prop_assert_eq!(a.first_difference(&b).map(Timestamp::ms), differs.map(|at| i64::try_from(at).expect("small")));
            prop_assert_eq!(a.ms_within(window), a.clip(window).ms());
            prop_assert_eq!(a.intersects(window), a.ms_within(window) > 0);
            for at in 0..HORIZON {
                prop_assert_eq!(a.contains(Timestamp::clamped(at)), members(&a)[usize::try_from(at).expect("not negative")]);
            }
        }

        #[test]
        fn merging_fills_short_gaps_only(a in set(), gap in 0..6_i64) {
            let merged = a.merged(DurationMs(gap));
            prop_assert!(is_canonical(&merged));
            prop_assert!(merged.as_slice().windows(2).all(|pair| pair[1].from.ms() - pair[0].to.ms() > gap));
            prop_assert!(merged.subtract(&a).iter().all(|filled| filled.ms() <= gap));
            prop_assert_eq!(a.subtract(&merged), IntervalSet::new());
        }
    }
}
