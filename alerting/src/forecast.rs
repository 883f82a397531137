//! Looking ahead from T: how much may still go wrong, when old downtime ages out, what an assumed outage
//! would do, and when a badge can be back at the earliest.
//!
//! Everything but what is assumed is taken to go well from T on: no further downtime, everything
//! measured, the badge kept, the policy unchanged. While downtime goes on without a gap, usage of a
//! window never falls (what ages out is at most what is added), so the instant at which it reaches a
//! threshold is found by bisection, exact to the millisecond.

use domain::decision::{Reason, Scope};
use domain::evidence::Outage;
use domain::interval::{Interval, IntervalSet};
use domain::policy::{Policy, WindowRule};
use domain::report::ProbationStanding;
use domain::time::Timestamp;

use future::Future;

mod future;
#[cfg(test)]
mod tests;
mod what_if;

pub use what_if::{Breach, Reached, WhatIf, what_if};

/// Most instants of each list of what ages out.
pub const LEAVING_MAX: usize = 100;

/// A scope whose badge is on at T, as far as looking ahead needs it.
#[derive(Clone, Copy, Debug)]
pub struct BadgeOn<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// The scope.
    pub scope: Scope,
    /// The scope's first instant.
    pub enabled_at: Timestamp,
    /// Start of the last passed probation (R10).
    pub floor: Option<Timestamp>,
    /// T.
    pub at: Timestamp,
    /// Effective downtime in the scope, cut to T.
    pub downtime: &'a IntervalSet,
    /// Effective downtime over all regions, cut to T.
    pub effective: &'a IntervalSet,
    /// The outages over all regions (R9), in order of time, cut to T.
    pub outages: &'a [Outage],
    /// The newest run, which may still go on.
    pub last_run: Option<LastRun>,
    /// What is no breach beside the policy's limits.
    pub tolerated: Tolerated,
}

/// Usage of a window that was refused as too little for a removal (R22); nothing where nothing was refused.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tolerated {
    /// Effective downtime, in milliseconds.
    pub downtime_ms: i64,
    /// Outages that count.
    pub outages: usize,
}

/// The newest run of raw downtime over all regions (R9), an outage or not yet one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastRun {
    /// The run, cut to T.
    pub run: Interval,
    /// Its effective downtime over all regions, in milliseconds.
    pub effective_ms: i64,
}

/// How bad it is, from good to bad.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// `watch`.
    Watch,
    /// `warning`.
    Warning,
    /// `critical`.
    Critical,
    /// The badge goes.
    Breach,
}

/// How a window stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// The window (R10).
    pub window: Interval,
    /// Its budget, in milliseconds.
    pub budget_ms: i64,
    /// Effective downtime in it, in milliseconds.
    pub downtime_ms: i64,
    /// Outages that count in it.
    pub outages: usize,
}

/// What is ahead of a badge that is on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forecast {
    /// The window at T.
    pub usage: Usage,
    /// Downtime to each level, in the order of [`Level`].
    pub downtime: [DowntimeLeft; 4],
    /// Outages to each level that has a number of them.
    pub outages: [OutagesLeft; 3],
    /// The next stretches of downtime that age out, oldest first.
    pub downtime_leaves: Vec<DowntimeLeaves>,
    /// The next outages that age out, oldest first.
    pub outages_leave: Vec<OutageLeaves>,
}

/// Downtime to a level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DowntimeLeft {
    /// The level.
    pub level: Level,
    /// Further downtime, in milliseconds, that would reach it if it were in the window at T; 0 when it
    /// is reached.
    pub ms: i64,
    /// When it is reached by downtime that begins at T and never ends, old downtime ageing out
    /// meanwhile; T where it is reached already, none where that can't be.
    pub reached_at: Option<Timestamp>,
}

/// Outages to a level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutagesLeft {
    /// The level.
    pub level: Level,
    /// Further outages that reach it; 0 when it is reached.
    pub outages: usize,
}

/// Downtime that ages out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DowntimeLeaves {
    /// From when on it leaves the window.
    pub from: Timestamp,
    /// When all of it has left.
    pub to: Timestamp,
    /// How much of the budget that frees, in milliseconds.
    pub ms: i64,
}

/// An outage that ages out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutageLeaves {
    /// The first instant at which it no longer counts.
    pub at: Timestamp,
    /// Its run.
    pub run: Interval,
}

/// How a badge is off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Off {
    /// Removed, and the run that holds the breach may still go on.
    Removed {
        /// The run's last instant so far: T while it is down. Not before a confirmation (R22).
        run_to: Timestamp,
    },
    /// Months are counted.
    Probation(ProbationStanding),
    /// Probation is passed, but a requirement doesn't hold.
    Held,
}

/// When a badge can be back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reinstatement {
    /// The earliest instant, if nothing more goes wrong and every month is measured.
    pub earliest: Timestamp,
    /// The requirements that fail at T and have to hold by then (R15); a held badge is back as soon as
    /// they do.
    pub once: Vec<Reason>,
}

impl Level {
    /// Every level, from good to bad.
    pub const ALL: [Self; 4] = [Self::Watch, Self::Warning, Self::Critical, Self::Breach];
}

/// Looks ahead. Each list of what ages out holds at most `leaving_max` entries, and never more than
/// [`LEAVING_MAX`].
#[must_use]
pub fn forecast(on: &BadgeOn<'_>, leaving_max: usize) -> Forecast {
    let (calm, endless) = (Future::calm(on), Future::assuming(on, Interval::new(on.at, Timestamp::MAX)));
    let usage = calm.usage(on.policy.frame_at(on.at), on.at);
    let downtime = Level::ALL.map(|level| DowntimeLeft {
        level,
        ms: (future::budget_level(on, usage.budget_ms, level) - usage.downtime_ms).max(0),
        reached_at: endless.reached(level, on.at, Timestamp::MAX).map(|(at, _)| at),
    });
    let outages = [Level::Warning, Level::Critical, Level::Breach].map(|level| OutagesLeft {
        level,
        outages: future::outage_level(on, level).unwrap_or(usize::MAX).saturating_sub(usage.outages),
    });
    let most = leaving_max.min(LEAVING_MAX);
    let leaving = usage.window;
    Forecast {
        usage,
        downtime,
        outages,
        downtime_leaves: downtime_leaves(on, leaving).into_iter().take(most).collect(),
        outages_leave: calm.counting(leaving).take(most).map(|(run, last)| OutageLeaves { at: leaves(on, last), run }).collect(),
    }
}

/// When the badge can be back at the earliest. `failures` are the requirements that fail at T
/// ([`domain::Catalogue::failures`]).
#[must_use]
pub fn reinstatement(policy: &Policy, at: Timestamp, off: Off, failures: Vec<Reason>) -> Reinstatement {
    let earliest = match off {
        Off::Removed { run_to } => run_to.plus_months(policy.probation_months),
        Off::Probation(state) => state.started.plus_months(policy.probation_months),
        Off::Held => at,
    };
    Reinstatement { earliest: earliest.max(at), once: failures }
}

fn downtime_leaves(on: &BadgeOn<'_>, window: Interval) -> Vec<DowntimeLeaves> {
    let used = on.downtime.clip(window);
    match on.policy.window {
        WindowRule::Rolling(_) => used
            .iter()
            .map(|part| DowntimeLeaves { from: leaves(on, part.from), to: leaves(on, part.to), ms: part.ms() })
            .collect(),
        // A reset frees all of it at once.
        WindowRule::ResetsOn { .. } if used.is_empty() => Vec::new(),
        WindowRule::ResetsOn { .. } => {
            let reset = leaves(on, on.at);
            vec![DowntimeLeaves { from: reset, to: reset, ms: used.ms() }]
        }
    }
}

/// When a window that moves on, or starts anew, begins at or after an instant of the window at T.
fn leaves(on: &BadgeOn<'_>, at: Timestamp) -> Timestamp {
    match on.policy.window {
        WindowRule::Rolling(window) => at.saturating_add(window),
        WindowRule::ResetsOn { .. } => on.policy.reset_after(on.at).unwrap_or(Timestamp::MAX),
    }
}
