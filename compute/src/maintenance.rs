//! From declared maintenance to the stretches for which an exclusion is asked (R4, R7).
//!
//! A function of the maintenance alone. Who flaps between maintenance and up asks for one stretch, and whose
//! maintenance has no end asks day by day: so what is asked for is bounded by time, not by events.

use domain::interval::{Interval, IntervalSet};
use domain::time::{DAY_MS, DurationMs, HOUR_MS, Timestamp};

/// Periods of maintenance at most so far apart are asked for as one; so a stretch is asked for once it is over for
/// longer than that.
pub const APART_MAX: DurationMs = DurationMs(HOUR_MS);
/// What lasts longer is asked for by UTC day, while it goes on.
pub const WHOLE_MAX: DurationMs = DurationMs(DAY_MS);

/// A stretch for which an exclusion is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// From the first declared maintenance in it to the end of the last.
    pub interval: Interval,
    /// How many periods of maintenance it holds.
    pub periods: usize,
    /// Their time together.
    pub maintained: DurationMs,
}

/// The stretches to ask for by T, in order of time; of one subject and region no more than begin an hour apart, or
/// with a UTC day. `maintenance` reaches up to T. O(periods + days).
#[must_use]
pub fn stretches(maintenance: &IntervalSet, t: Timestamp) -> Vec<Stretch> {
    let is_over = |to: Timestamp| to.saturating_add(APART_MAX) < t;
    let merged = maintenance.merged(APART_MAX);
    let parts = merged.iter().flat_map(|group| days(*group)).filter(|part| is_over(part.to));
    parts.filter_map(|part| stretch(maintenance, part)).collect()
}

/// A stretch as a whole, or by UTC day where it is long.
fn days(group: Interval) -> impl Iterator<Item = Interval> {
    let is_long = group.ms() > WHOLE_MAX.ms();
    let end = move |from: Timestamp| if is_long { from.next_day().map_or(group.to, |next| next.min(group.to)) } else { group.to };
    let parts = std::iter::successors(Some(Interval::new(group.from, end(group.from))), move |part| {
        (part.to < group.to).then(|| Interval::new(part.to, end(part.to)))
    });
    parts.filter(|part| !part.is_empty())
}

/// What of a part is maintenance, from its first instant to its last; none where it is a gap.
fn stretch(maintenance: &IntervalSet, part: Interval) -> Option<Stretch> {
    let periods = maintenance.overlapping(part);
    let (first, last) = (periods.first()?, periods.last()?);
    let interval = Interval::new(first.from, last.to).intersect(part);
    Some(Stretch { interval, periods: periods.len(), maintained: DurationMs(maintenance.ms_within(part)) })
}

#[cfg(test)]
mod tests;
