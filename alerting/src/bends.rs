//! The instants at which a window has to be judged (R11, R12).
//!
//! Usage of the window is piecewise linear in time: it bends only where downtime begins or ends,
//! or where either leaves the window. So it is enough to judge at those instants, at the ones
//! between them at which usage reaches a threshold, and at those at which something else happens
//! (an outage qualifies or leaves, midnight, a reset). To judge at others does no harm. Each
//! source is asked for the stretch alone: a year of history costs nothing where none of it bends.

use domain::decision::Scope;
use domain::interval::{Interval, IntervalSet};
use domain::policy::WindowRule;
use domain::time::{DurationMs, Timestamp};

use crate::scope::{ScopeCase, TICK};

/// Every instant of a stretch at which usage may bend or something else happens, in order, with the
/// stretch's first and last instant. Other than elsewhere `stretch.to` is in it.
pub(crate) fn bends(scope: &ScopeCase<'_>, floor: Option<Timestamp>, stretch: Interval) -> Vec<Timestamp> {
    let mut out = vec![stretch.from, stretch.to];
    // What moves something a millisecond later is looked for a millisecond earlier.
    let early = Interval::new(stretch.from.saturating_sub(TICK), stretch.to);
    happenings(scope, floor, early, &mut out);
    match scope.policy.window {
        WindowRule::Rolling(window) => {
            let (from, before) = (back(early.from, window), out.len());
            if let Some(to) = back(early.to, window) {
                happenings(scope, floor, Interval::new(from.unwrap_or(Timestamp::MIN), to), &mut out);
            }
            out[before..].iter_mut().for_each(|at| *at = leaves(*at, window));
        }
        WindowRule::ResetsOn { .. } => {
            let next = |at: Timestamp| scope.policy.reset_after(at);
            let resets = std::iter::successors(next(early.from.saturating_sub(TICK)), |&at| next(at));
            out.extend(resets.take_while(|&at| at <= stretch.to).flat_map(|at| [at, at + TICK]));
        }
    }
    let days = std::iter::successors(Some(stretch.from.ceil_day()), |day| day.next_day());
    out.extend(days.take_while(|&day| day <= stretch.to));
    out.retain(|&at| stretch.from <= at && at <= stretch.to);
    out.sort_unstable();
    out.dedup();
    out
}

/// What begins, ends or qualifies in a stretch, and a little of what does so beside it.
fn happenings(scope: &ScopeCase<'_>, floor: Option<Timestamp>, stretch: Interval, out: &mut Vec<Timestamp>) {
    out.extend(near(scope.downtime.set(), stretch).iter().flat_map(|interval| [interval.from, interval.to]));
    // An outage that is running when a window begins counts in it a millisecond later.
    out.extend(scope.held.iter().flat_map(|interval| [interval.from, interval.from + TICK, interval.to]));
    out.extend(near(scope.evidence.effective.set(), stretch).iter().flat_map(|interval| [interval.from + TICK, interval.to]));
    out.extend(floor);
    out.push(scope.enabled_at);
    let outages = &scope.evidence.outages;
    let first = outages.partition_point(|outage| outage.run.to < stretch.from);
    for outage in outages[first..].iter().take_while(|outage| outage.run.from <= stretch.to) {
        out.push(outage.qualified_at);
        if let Scope::Region(region) = scope.scope {
            out.extend(outage.first_in[region.index()].map(|first| first + TICK));
        }
    }
}

/// The intervals that touch a stretch, its last instant included.
fn near(set: &IntervalSet, stretch: Interval) -> &[Interval] {
    let intervals = set.as_slice();
    let first = intervals.partition_point(|interval| interval.to < stretch.from);
    let end = intervals.partition_point(|interval| interval.from <= stretch.to);
    &intervals[first..end.max(first)]
}

/// An instant plus the window's length: when what happened then has left a rolling window.
fn leaves(at: Timestamp, window: DurationMs) -> Timestamp {
    at.saturating_add(window)
}

/// The instant that leaves a rolling window at another; `None` before time begins.
fn back(at: Timestamp, window: DurationMs) -> Option<Timestamp> {
    Timestamp::from_ms(at.ms() - window.ms())
}
