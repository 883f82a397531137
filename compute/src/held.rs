//! How far explicit states hold (R4), in a form that stays in memory when their page leaves.
//!
//! States of one page that say the same and follow each other closely enough for every version
//! of the policy are one *stretch*: whatever `state_ttl` is asked for, there is no gap in it. How
//! far its end reaches is said when somebody asks, by the next stretch and the `state_ttl`. So one
//! list answers for all versions, a late state changes nothing but the stretches around it, and a
//! subject that renews its state every few seconds leaves one stretch a page.

use domain::event::HealthState;
use domain::health::{StateRun, StateRuns};
use domain::interval::{Interval, IntervalSet};
use domain::page::PageNo;
use domain::policy::Policies;
use domain::time::{DurationMs, Timestamp};

use crate::minute_set::spare;

/// What a stretch takes in memory, but for spare room.
pub(crate) const STRETCH_BYTES: usize = size_of::<StateRun>();

/// The stretches of all explicit states of a subject in a region. They rise and don't overlap.
#[derive(Clone, Default, Debug)]
pub(crate) struct Held(Vec<StateRun>);

/// The least and the greatest `state_ttl` of all versions; `None` is for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ttls {
    shortest: Option<DurationMs>,
    longest: Option<DurationMs>,
}

/// The states of the same page around an instant, that instant left out.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Neighbours {
    pub(crate) before: Option<Timestamp>,
    pub(crate) after: Option<Timestamp>,
}

impl Ttls {
    pub(crate) fn of(policies: &Policies) -> Self {
        let ttls = || policies.versions().iter().map(|policy| policy.state_ttl);
        let longest = if ttls().any(|ttl| ttl.is_none()) { None } else { ttls().flatten().max() };
        Self { shortest: ttls().flatten().min(), longest }
    }
}

impl Held {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes on the heap.
    pub(crate) const fn heap_bytes(&self) -> usize {
        self.0.capacity() * STRETCH_BYTES
    }

    /// Takes in a state, new at its instant or worse than what was there. Amortized O(1) in order.
    /// Returns whether anything may have changed, at the earliest at its instant.
    pub(crate) fn declare(&mut self, at: Timestamp, state: HealthState, around: Neighbours, ttls: Ttls) -> bool {
        // States come mostly in order, and searching among a year of them is slow.
        let next = match self.0.last() {
            Some(last) if last.from <= at => self.0.len(),
            _ => self.0.partition_point(|stretch| stretch.from <= at),
        };
        let Some(place) = next.checked_sub(1) else {
            self.0.insert(0, one(at, state));
            self.join(0, ttls);
            return state.is_measured();
        };
        let held = self.0[place];
        if at <= held.last() {
            return held.state != state && self.split(place, at, state, around, ttls);
        }
        let changed = self.changes(place, at, state, ttls);
        self.0.insert(next, one(at, state));
        self.join(next, ttls);
        self.join(place, ttls);
        changed
    }

    /// The time within which such states hold, cut to `within`.
    pub(crate) fn time(&self, within: Interval, ttl: Option<DurationMs>, keep: impl Fn(HealthState) -> bool) -> IntervalSet {
        let mut out = IntervalSet::new();
        if within.is_empty() {
            return out;
        }
        let first = self.0.partition_point(|stretch| stretch.from <= within.from).saturating_sub(1);
        for place in first..self.0.len() {
            let stretch = self.0[place];
            if stretch.from >= within.to {
                break;
            }
            if keep(stretch.state) {
                out.push(Interval::new(stretch.from, self.end(place, ttl)).intersect(within));
            }
        }
        out
    }

    /// The downtime of the states that begin in `within`, which holds whole pages; it may reach
    /// beyond it.
    pub(crate) fn down(&self, within: Interval, ttl: Option<DurationMs>) -> IntervalSet {
        let mut out = IntervalSet::new();
        let first = self.0.partition_point(|stretch| stretch.from < within.from);
        for place in first..self.0.len() {
            let stretch = self.0[place];
            if stretch.from >= within.to {
                break;
            }
            if stretch.state.is_downtime() {
                out.push(Interval::new(stretch.from, self.end(place, ttl)));
            }
        }
        out
    }

    /// The time within which maintenance holds, cut to `within`; each state holds for as long as it may by what is
    /// said of its own instant.
    pub(crate) fn maintenance(&self, within: Interval, ttl_at: impl Fn(Timestamp) -> Option<DurationMs>) -> IntervalSet {
        let mut out = IntervalSet::new();
        let first = self.0.partition_point(|stretch| stretch.from <= within.from).saturating_sub(1);
        for (place, stretch) in (0..).zip(&self.0).skip(first).take_while(|(_, stretch)| stretch.from < within.to) {
            if stretch.state == HealthState::Maintenance {
                out.push(Interval::new(stretch.from, self.end(place, ttl_at(stretch.last()))).intersect(within));
            }
        }
        out
    }

    /// Whether maintenance that began before an instant holds up to it.
    pub(crate) fn is_maintained_before(&self, at: Timestamp, ttl_at: impl Fn(Timestamp) -> Option<DurationMs>) -> bool {
        let next = self.0.partition_point(|stretch| stretch.from < at);
        next.checked_sub(1).is_some_and(|place| {
            let held = self.0[place];
            held.state == HealthState::Maintenance && self.end(place, ttl_at(held.last())) >= at
        })
    }

    /// Whether maintenance was ever declared, as far as that is remembered.
    pub(crate) fn has_maintenance(&self) -> bool {
        self.0.iter().any(|stretch| stretch.state == HealthState::Maintenance)
    }

    /// Where the last stretch that begins before an instant does so.
    pub(crate) fn begun_before(&self, at: Timestamp) -> Option<Timestamp> {
        let next = self.0.partition_point(|stretch| stretch.from < at);
        next.checked_sub(1).map(|place| self.0[place].from)
    }

    /// Drops what ended before an instant, a page's start: all but the last stretch before it,
    /// which may still hold.
    pub(crate) fn forget(&mut self, before: Timestamp) {
        let gone = self.0.partition_point(|stretch| stretch.from < before).saturating_sub(1);
        self.0.drain(..gone);
        spare(&mut self.0);
    }

    /// The instant of the last state of all.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        self.0.last().map(|last| last.last())
    }

    /// The stretches as plain values.
    pub(crate) fn to_parts(&self) -> StateRuns {
        StateRuns::new(self.0.clone()).expect("stretches rise, each within a page")
    }

    /// How far a stretch holds.
    fn end(&self, place: usize, ttl: Option<DurationMs>) -> Timestamp {
        let next = self.0.get(place + 1).map_or(Timestamp::MAX, |next| next.from);
        ttl.map_or(next, |ttl| self.0[place].last().saturating_add(ttl).min(next))
    }

    /// Whether a state behind the end of a stretch, and before the next one, changes anything.
    fn changes(&self, place: usize, at: Timestamp, state: HealthState, ttls: Ttls) -> bool {
        let held = self.0[place];
        if held.state != state {
            let is_over = ttls.longest.is_some_and(|ttl| held.last().saturating_add(ttl) <= at);
            return state.is_measured() || !is_over;
        }
        // A renewal does where the state would expire before the next one. The first of a page
        // always does: the states that begin in that page are others.
        let next = self.0.get(place + 1).map_or(Timestamp::MAX, |next| next.from);
        state.is_measured() && (self.end(place, ttls.shortest) < next || PageNo::of(held.from) != PageNo::of(at))
    }

    /// Puts another state into a stretch.
    #[cold]
    fn split(&mut self, place: usize, at: Timestamp, state: HealthState, around: Neighbours, ttls: Ttls) -> bool {
        let held = self.0[place];
        let left = around.before.filter(|before| held.from <= *before && *before < at);
        let right = around.after.filter(|after| at < *after && *after <= held.last());
        let parts = [
            left.map(|last| between(held.from, last, held.state)),
            Some(one(at, state)),
            right.map(|from| between(from, held.last(), held.state)),
        ];
        self.0.splice(place..=place, parts.into_iter().flatten());
        let new = place + usize::from(left.is_some());
        self.join(new, ttls);
        if let Some(before) = new.checked_sub(1) {
            self.join(before, ttls);
        }
        true
    }

    /// Makes a stretch and the next one into one, if they can be.
    fn join(&mut self, place: usize, ttls: Ttls) {
        let (Some(a), Some(b)) = (self.0.get(place), self.0.get(place + 1)) else { return };
        let is_close = ttls.shortest.is_none_or(|ttl| b.from.ms() - a.last().ms() <= ttl.ms());
        if a.state == b.state && is_close && PageNo::of(a.from) == PageNo::of(b.from) {
            self.0[place] = between(a.from, b.last(), a.state);
            self.0.remove(place + 1);
        }
    }
}

impl From<StateRuns> for Held {
    fn from(runs: StateRuns) -> Self {
        Self(runs.into_vec())
    }
}

/// The stretch of a single state.
const fn one(at: Timestamp, state: HealthState) -> StateRun {
    StateRun { from: at, lasts_ms: 0, state }
}

/// The stretch from a first to a last state.
fn between(from: Timestamp, last: Timestamp, state: HealthState) -> StateRun {
    let lasts_ms = u32::try_from(last.ms() - from.ms()).expect("first and last state lie in order in one page");
    StateRun { from, lasts_ms, state }
}
