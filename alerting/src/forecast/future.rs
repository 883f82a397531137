//! The window as it goes on beyond T, with what is assumed.

use std::borrow::Cow;

use domain::decision::Scope;
use domain::evidence::Outage;
use domain::interval::{Interval, IntervalSet};
use domain::policy::{Frame, Policy, WindowRule};
use domain::time::{DurationMs, Timestamp};

use super::{BadgeOn, Level, Usage};
use crate::scope::TICK;
use crate::warnings::budget_levels;

/// What is known at T, and further downtime that is assumed.
pub(super) struct Future<'a> {
    pub(super) on: &'a BadgeOn<'a>,
    /// What is assumed; empty where nothing is.
    pub(super) assumed: Interval,
    /// Effective downtime in the scope.
    downtime: Cow<'a, IntervalSet>,
    /// In order of time.
    outages: Vec<Counted>,
}

/// An outage as far as it counts.
struct Counted {
    run: Interval,
    qualified_at: Timestamp,
    /// From when on it touches the scope; none if it never does (R11).
    touches_from: Option<Timestamp>,
    effective: IntervalSet,
}

/// The usage from which a level is reached, in milliseconds.
pub(super) fn budget_level(on: &BadgeOn<'_>, budget_ms: i64, level: Level) -> i64 {
    budget_levels(on.policy, budget_ms, budget_ms.max(on.tolerated.downtime_ms))[level as usize]
}

/// The number of outages from which a level is reached; none where outages don't reach it.
pub(super) fn outage_level(on: &BadgeOn<'_>, level: Level) -> Option<usize> {
    let warnings = &on.policy.warnings;
    let count = match level {
        Level::Watch => return None,
        Level::Warning => warnings.warning_outages.max(1),
        Level::Critical => warnings.critical_outages.max(1),
        Level::Breach => {
            let allowed = usize::try_from(on.policy.outages_max).ok()?;
            return allowed.max(on.tolerated.outages).checked_add(1);
        }
    };
    usize::try_from(count).ok()
}

impl<'a> Future<'a> {
    /// Nothing more goes wrong.
    pub(super) fn calm(on: &'a BadgeOn<'a>) -> Self {
        let nothing = Interval::new(on.at, on.at);
        let outages = on.outages.iter().map(|outage| Counted::known(on, outage)).collect();
        Self { on, assumed: nothing, downtime: Cow::Borrowed(on.downtime), outages }
    }

    /// Downtime in the scope, no earlier than T.
    pub(super) fn assuming(on: &'a BadgeOn<'a>, assumed: Interval) -> Self {
        let from = assumed.from.max(on.at);
        let mut future = Self { assumed: Interval::new(from, assumed.to.max(from)), ..Self::calm(on) };
        if !future.assumed.is_empty() {
            future.downtime = Cow::Owned(on.downtime.union(&IntervalSet::from(future.assumed)));
            future.add_outage();
        }
        future
    }

    /// What the window holds at an instant, by a frame that ends or holds there.
    pub(super) fn usage(&self, frame: Frame, at: Timestamp) -> Usage {
        let window = Policy::window(frame, self.on.enabled_at, self.on.floor, at);
        Usage {
            window,
            budget_ms: self.on.policy.budget_ms(frame),
            downtime_ms: self.downtime.ms_within(window),
            outages: self.counting(window).count(),
        }
    }

    /// The outages that count in a window (R9, R11): their runs, and the last ends of their downtime.
    pub(super) fn counting(&self, window: Interval) -> impl Iterator<Item = (Interval, Timestamp)> {
        self.counted(window).map(|outage| (outage.run, outage.effective.as_slice().last().map_or(outage.run.to, |last| last.to)))
    }

    /// The first instant of a stretch of unbroken downtime at which usage reaches a level, with its frame.
    /// Where a year ends it is judged before the next (R10), but for one that ends as the stretch begins.
    pub(super) fn reached(&self, level: Level, from: Timestamp, to: Timestamp) -> Option<(Timestamp, Frame)> {
        let policy = self.on.policy;
        let reaches = |frame: Frame, at: Timestamp| {
            let window = Policy::window(frame, self.on.enabled_at, self.on.floor, at);
            self.downtime.ms_within(window) >= budget_level(self.on, policy.budget_ms(frame), level)
        };
        let mut start = from;
        loop {
            let end = policy.reset_after(start).map_or(to, |reset| reset.min(to));
            let year = policy.frame_at(start);
            let frame = |at| if matches!(policy.window, WindowRule::Rolling(_)) { policy.frame_at(at) } else { year };
            if reaches(frame(end), end) {
                let at = first(start, end, |at| reaches(frame(at), at));
                return Some((at, frame(at)));
            }
            if end >= to {
                return None;
            }
            start = end;
        }
    }

    /// Effective downtime in a stretch of time, in milliseconds.
    pub(super) fn downtime_ms(&self, window: Interval) -> i64 {
        self.downtime.ms_within(window)
    }

    /// When the assumed downtime counts as an outage, or more of one, by its end at the latest.
    pub(super) fn counts_from(&self) -> Option<Timestamp> {
        self.own_outage().map(|own| own.qualified_at.max(self.assumed.from + TICK))
    }

    /// When it counts and touches the scope: then it may be the one too many (R11).
    pub(super) fn touches_from(&self) -> Option<Timestamp> {
        self.own_outage().and_then(|own| own.touches_from).zip(self.counts_from()).map(|(touches, counts)| touches.max(counts))
    }

    /// The outage that the assumed downtime is, or is a part of.
    fn own_outage(&self) -> Option<&Counted> {
        self.outages.last().filter(|outage| !self.assumed.is_empty() && outage.run.to == self.assumed.to)
    }

    /// Whether more outages count than allowed, the newest touching the scope (R11).
    pub(super) fn too_many(&self, frame: Frame, at: Timestamp) -> bool {
        let window = Policy::window(frame, self.on.enabled_at, self.on.floor, at);
        let newest = self.counted(window).last();
        outage_level(self.on, Level::Breach).is_some_and(|least| self.counted(window).count() >= least)
            && newest.is_some_and(|newest| newest.touches_from.is_some_and(|touches| touches <= at))
    }

    fn counted(&self, window: Interval) -> impl Iterator<Item = &Counted> {
        let floor = self.on.floor.unwrap_or(Timestamp::MIN);
        let counts = move |outage: &&Counted| {
            outage.qualified_at <= window.to && outage.run.from >= floor && outage.effective.intersects(window)
        };
        self.outages.iter().filter(counts)
    }

    /// Lengthens the run that the assumed downtime goes on with, or begins one.
    fn add_outage(&mut self) {
        let (on, assumed) = (self.on, self.assumed);
        let goes_on = on.last_run.filter(|last| last.run.to.saturating_add(on.policy.merge_gap) >= assumed.from);
        let run = Interval::new(goes_on.map_or(assumed.from, |last| last.run.from), assumed.to);
        if let Some(known) = self.outages.last_mut().filter(|known| goes_on.is_some() && known.run.from == run.from) {
            known.run = run;
            known.touches_from = known.touches_from.or(Some(assumed.from + TICK));
            known.effective = known.effective.union(&IntervalSet::from(assumed));
            return;
        }
        let missing_ms = on.policy.min_duration.ms() - goes_on.map_or(0, |last| last.effective_ms);
        if missing_ms <= assumed.ms() {
            self.outages.push(Counted {
                run,
                qualified_at: assumed.from + DurationMs(missing_ms),
                touches_from: Some(assumed.from + TICK),
                effective: IntervalSet::from(assumed),
            });
        }
    }
}

impl Counted {
    fn known(on: &BadgeOn<'_>, outage: &Outage) -> Self {
        let touches_from = match on.scope {
            Scope::Global => Some(outage.run.from),
            Scope::Region(region) => outage.first_in[region.index()].map(|first| first + TICK),
        };
        Self { run: outage.run, qualified_at: outage.qualified_at, touches_from, effective: on.effective.clip(outage.run) }
    }
}

/// The first instant in `[from, to]` at which something holds that never stops holding, and does at `to`.
fn first(from: Timestamp, to: Timestamp, holds: impl Fn(Timestamp) -> bool) -> Timestamp {
    let (mut low, mut high) = (from.ms(), to.ms());
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(Timestamp::clamped(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Timestamp::clamped(high)
}
