//! What an assumed stretch of downtime would do.

use domain::decision::{Reason, WarningCause, WarningLevel};
use domain::interval::Interval;
use domain::policy::Frame;
use domain::time::{DurationMs, Timestamp};

use super::future::{Future, outage_level};
use super::{BadgeOn, Level, Usage};

/// What would be if the scope were down for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WhatIf {
    /// What is assumed, no earlier than T.
    pub assumed: Interval,
    /// The window at its end, or at the breach.
    pub usage: Usage,
    /// The warning reasons that hold in it, or at the midnight that ends its last day, by instant:
    /// also those that hold already when it begins, but none from the breach on.
    pub warnings: Vec<Reached>,
    /// The breach that it would be, if any.
    pub breach: Option<Breach>,
}

/// A reason for a warning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reached {
    /// The first instant at which it holds.
    pub at: Timestamp,
    /// The reason.
    pub reason: Reason,
}

/// A breach (R11).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    /// Its instant.
    pub at: Timestamp,
    /// Budget, outages, or both.
    pub reasons: Vec<Reason>,
}

/// The projection's look-backs (R12).
const LOOK_BACKS: [DurationMs; 2] = [DurationMs::days(7), DurationMs::days(30)];

/// The levels of warnings.
const LEVELS: [(Level, WarningLevel); 3] =
    [(Level::Watch, WarningLevel::Watch), (Level::Warning, WarningLevel::Warning), (Level::Critical, WarningLevel::Critical)];

/// What downtime of the scope, raw and effective, would do from T on, nothing else going wrong.
#[must_use]
pub fn what_if(on: &BadgeOn<'_>, assumed: Interval) -> WhatIf {
    let future = Future::assuming(on, assumed);
    let assumed = future.assumed;
    let (breach, frame) = match breach(&future) {
        Some((breach, frame)) => (Some(breach), frame),
        None => (None, on.policy.frame_at(assumed.to)),
    };
    let ends = breach.as_ref().map_or(assumed.to, |breach| breach.at);
    let until = breach.as_ref().map_or_else(|| ends.ceil_day(), |breach| breach.at);
    let budget = LEVELS.into_iter().filter_map(|(level, warning)| {
        let (at, _) = future.reached(level, assumed.from, ends)?;
        Some(Reached { at, reason: Reason::Warning(warning, WarningCause::Budget) })
    });
    let outages = LEVELS.into_iter().filter_map(|(level, warning)| {
        let at = outages_reached(&future, outage_level(on, level)?)?;
        Some(Reached { at, reason: Reason::Warning(warning, WarningCause::Outages) })
    });
    let projection = projection_reached(&future, until)
        .map(|at| Reached { at, reason: Reason::Warning(WarningLevel::Warning, WarningCause::Projection) });
    let mut warnings: Vec<_> = budget.chain(outages).chain(projection).collect();
    warnings.retain(|reached| breach.as_ref().is_none_or(|breach| reached.at < breach.at));
    warnings.sort_unstable();
    WhatIf { assumed, usage: future.usage(frame, ends), warnings, breach }
}

/// The first breach, with the frame that it is one in.
fn breach(future: &Future<'_>) -> Option<(Breach, Frame)> {
    let assumed = future.assumed;
    let by_budget = future.reached(Level::Breach, assumed.from, assumed.to);
    let too_many = |at: Timestamp| Some((at, frames(future, at).find(|frame| future.too_many(*frame, at))?));
    let by_outages = future.touches_from().and_then(too_many);
    let (at, frame) = [by_budget, by_outages].into_iter().flatten().min_by_key(|(at, _)| *at)?;
    let reasons = [(by_budget, Reason::Budget), (by_outages, Reason::Outages)]
        .into_iter()
        .filter_map(|(found, reason)| found.is_some_and(|(when, own)| when == at && own == frame).then_some(reason))
        .collect();
    Some((Breach { at, reasons }, frame))
}

/// The first instant of the assumed downtime at which so many outages count: they grow only where it
/// becomes one itself.
fn outages_reached(future: &Future<'_>, least: usize) -> Option<Timestamp> {
    let instants = [Some(future.assumed.from), future.counts_from()].into_iter().flatten();
    let enough = |at: Timestamp| frames(future, at).any(|frame| future.usage(frame, at).outages >= least);
    instants.filter(|at| enough(*at)).min()
}

/// The first 00:00 UTC up to `until` at which the projection holds (R12).
fn projection_reached(future: &Future<'_>, until: Timestamp) -> Option<Timestamp> {
    let midnights = std::iter::successors(Some(future.assumed.from.ceil_day()), |day| day.next_day());
    midnights.take_while(|day| *day <= until).find(|day| frames(future, *day).any(|frame| projected(future, frame, *day)))
}

/// The frames that an instant is judged in: a year that ends there first, but for one that ends as the
/// assumed downtime begins.
fn frames(future: &Future<'_>, at: Timestamp) -> impl Iterator<Item = Frame> {
    let policy = future.on.policy;
    let ending = policy.frame_ending_at(at).filter(|_| at > future.assumed.from);
    ending.into_iter().chain([policy.frame_at(at)])
}

/// Used + burn × horizon would exceed the budget, by both look-backs.
fn projected(future: &Future<'_>, frame: Frame, at: Timestamp) -> bool {
    let horizon_ms = i128::from(future.on.policy.warnings.projection.ms());
    let usage = future.usage(frame, at);
    let left_ms = i128::from(usage.budget_ms - usage.downtime_ms);
    LOOK_BACKS.into_iter().all(|back| {
        let recent = Interval::new(at.saturating_sub(back).max(usage.window.from), at);
        i128::from(future.downtime_ms(recent)) * horizon_ms > left_ms * i128::from(back.ms())
    })
}
