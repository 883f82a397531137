//! Warnings: which reasons are active, and which become so (R12).

use domain::decision::{Reason, WarningCause, WarningLevel};
use domain::interval::Interval;
use domain::life::{Active, WARNINGS};
use domain::policy::Policy;
use domain::ratio::{PPM, Ppm};
use domain::time::{DurationMs, Timestamp};

use crate::scope::{ScopeCase, below};

/// The projection's and the coverage warning's look-backs.
const WEEK: DurationMs = DurationMs::days(7);
const MONTH: DurationMs = DurationMs::days(30);
/// A coverage warning needs at least so much badged time.
const COVERAGE_BADGED_MIN: DurationMs = DurationMs::days(1);

/// What the window holds at an instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// The instant.
    pub(crate) at: Timestamp,
    /// The window.
    pub(crate) window: Interval,
    /// Its budget, in milliseconds.
    pub(crate) budget_ms: i64,
    /// Effective downtime in it, in milliseconds.
    pub(crate) downtime_ms: i64,
    /// Outages that count in it.
    pub(crate) outages: usize,
}

/// Takes in what an instant's usage says; returns the reasons that became active.
pub(crate) fn update(active: &mut Active, scope: &ScopeCase<'_>, usage: Usage) -> Vec<Reason> {
    let mut fresh = Vec::new();
    for ((level, cause), active) in WARNINGS.into_iter().zip(&mut active.reasons) {
        let was = *active;
        *active = match cause {
            WarningCause::Budget => budget_active(scope.policy, level, usage, was),
            WarningCause::Outages => usage.outages >= outages_threshold(scope.policy, level),
            WarningCause::Projection if is_midnight(usage.at) => projection_active(scope, usage),
            WarningCause::Projection => was,
        };
        if *active && !was {
            fresh.push(Reason::Warning(level, cause));
        }
    }
    fresh
}

/// Whether coverage of the last 30 days just fell too low; asked at 00:00 UTC.
pub(crate) fn coverage_fell(active: &mut Active, scope: &ScopeCase<'_>, at: Timestamp) -> bool {
    let window = coverage_window(at);
    let (measured, badged) = scope.coverage_ms(window);
    let enough = scope.held.ms_within(window) >= COVERAGE_BADGED_MIN.ms();
    let is = enough && badged > 0 && below(measured, badged, scope.policy.min_coverage.get());
    !std::mem::replace(&mut active.coverage, is) && is
}

/// The stretch of time that a coverage warning looks at.
pub(crate) fn coverage_window(at: Timestamp) -> Interval {
    Interval::new(at.saturating_sub(MONTH), at)
}

/// Whether an instant is 00:00 UTC.
pub(crate) fn is_midnight(at: Timestamp) -> bool {
    at == at.floor_day()
}

/// The usages at which a budget reason becomes active, or `most_ms` is exceeded, in milliseconds.
pub(crate) fn budget_levels(policy: &Policy, budget_ms: i64, most_ms: i64) -> [i64; 4] {
    let warnings = &policy.warnings;
    let [watch, warning, critical] =
        [warnings.watch_budget, warnings.warning_budget, warnings.critical_budget].map(|share| share.ceil_of(budget_ms).max(1));
    [watch, warning, critical, most_ms + 1]
}

fn budget_threshold(policy: &Policy, level: WarningLevel) -> Ppm {
    match level {
        WarningLevel::Watch => policy.warnings.watch_budget,
        WarningLevel::Warning => policy.warnings.warning_budget,
        WarningLevel::Critical => policy.warnings.critical_budget,
    }
}

fn outages_threshold(policy: &Policy, level: WarningLevel) -> usize {
    let count = match level {
        WarningLevel::Watch | WarningLevel::Warning => policy.warnings.warning_outages,
        WarningLevel::Critical => policy.warnings.critical_outages,
    };
    usize::try_from(count.max(1)).unwrap_or(usize::MAX)
}

/// Reached: active. Hysteresis lower, or 0: not. In between: as it was.
fn budget_active(policy: &Policy, level: WarningLevel, usage: Usage, was: bool) -> bool {
    let share = budget_threshold(policy, level);
    let scaled = i128::from(usage.downtime_ms) * i128::from(PPM);
    let of_budget = |ppm: i64| i128::from(usage.budget_ms) * i128::from(ppm);
    if usage.downtime_ms == 0 {
        return false;
    }
    let reached = scaled >= of_budget(share.get());
    let lapsed = scaled <= of_budget(share.get() - policy.warnings.hysteresis.get());
    reached || (was && !lapsed)
}

/// R12: used + burn × horizon would exceed the budget by both look-backs.
fn projection_active(scope: &ScopeCase<'_>, usage: Usage) -> bool {
    let horizon = i128::from(scope.policy.warnings.projection.ms());
    [WEEK, MONTH].into_iter().all(|back| {
        let recent = Interval::new(usage.at.saturating_sub(back).max(usage.window.from), usage.at);
        let burnt = i128::from(scope.downtime.ms_within(recent));
        let missing = i128::from(usage.budget_ms - usage.downtime_ms);
        burnt * horizon > missing * i128::from(back.ms())
    })
}
