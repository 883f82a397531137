//! The fold: a product's life in one scope, from its badge's first instant to T.
//!
//! Good (or warned) until a breach; then removed until the run that holds the breach has ended;
//! then in probation, month by month, until it is reinstated, and good again. What it says at T
//! depends on the evidence alone.

use domain::decision::{Decision, DecisionKind, Evidence, Reason, WarningLevel};
use domain::interval::{Interval, IntervalSet};
use domain::report::{ProbationStanding, Standing};
use domain::time::{DurationMs, Timestamp};

use crate::case::{Case, Judgement};
use crate::scope::{RunEnd, ScopeCase};
use crate::standing;

mod badge_on;
mod probation;

/// Judges a product in a scope; `None` if its badge isn't enabled there by T.
#[must_use]
pub fn judge(case: &Case<'_>, scope: domain::Scope) -> Option<Judgement> {
    let scope = ScopeCase::new(*case, scope).filter(|scope| scope.enabled_at <= scope.at())?;
    let mut fold = Fold { scope: &scope, decisions: Vec::new(), floor: None, removals: Vec::new() };
    let phase = fold.run();
    fold.critical_outages();
    Some(fold.finish(phase))
}

/// Where the fold stands at T.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    On(Option<WarningLevel>),
    Removed,
    Probation { standing: Standing, state: ProbationStanding },
}

/// A crossed threshold.
struct Breach {
    at: Timestamp,
    reasons: Vec<Reason>,
    evidence: Evidence,
}

struct Fold<'s, 'a> {
    scope: &'s ScopeCase<'a>,
    decisions: Vec<Decision>,
    /// Start of the last passed probation (R10).
    floor: Option<Timestamp>,
    /// From each removal to its reinstatement, or for ever.
    removals: Vec<Interval>,
}

impl Fold<'_, '_> {
    fn run(&mut self) -> Phase {
        let mut from = self.scope.enabled_at;
        loop {
            let breach = match self.badge_on(from) {
                Ok(breach) => breach,
                Err(level) => return Phase::On(level),
            };
            let removed_at = breach.at;
            self.removals.push(Interval::new(removed_at, Timestamp::MAX));
            self.decide(DecisionKind::BadgeRemoval, breach.reasons, removed_at, breach.evidence);
            let Some(start) = self.after_run(removed_at) else { return Phase::Removed };
            let since_removal = self.scope.evidence(Interval::new(removed_at, start), None, &[], start);
            self.decide(DecisionKind::ProbationStarted, Vec::new(), start, since_removal);
            from = match self.probation(start) {
                Ok(reinstated) => reinstated,
                Err(phase) => return phase,
            };
            if let Some(removal) = self.removals.last_mut() {
                removal.to = from;
            }
        }
    }

    /// When what follows the run around `at` may begin; `None` while it isn't known.
    fn after_run(&self, at: Timestamp) -> Option<Timestamp> {
        match self.scope.run_end(at) {
            RunEnd::At(end) => self.scope.hold(end),
            RunEnd::Open => None,
        }
    }

    fn decide(&mut self, kind: DecisionKind, reasons: Vec<Reason>, at: Timestamp, evidence: Evidence) {
        self.decisions.push(self.scope.about(at).decide(kind, reasons, at, evidence));
    }

    /// One for each of the scope's own runs whose effective downtime reaches `min_duration` (R12).
    fn critical_outages(&mut self) {
        let policy = self.scope.case.policy;
        if policy.critical_outage_acknowledge_within.is_none() {
            return;
        }
        for &run in self.scope.runs {
            let Some(at) = self.scope.downtime.reached(run.from, policy.min_duration).filter(|&at| at <= run.to) else {
                continue;
            };
            let evidence = self.scope.evidence(Interval::new(run.from, at), None, &[], at);
            self.decide(DecisionKind::CriticalOutage, Vec::new(), at, evidence);
        }
    }

    fn finish(self, phase: Phase) -> Judgement {
        let scope = self.scope;
        let (mut standing, level, probation) = match phase {
            Phase::On(None) => (Standing::Good, None, None),
            Phase::On(level) => (Standing::Warned, level, None),
            Phase::Removed => (Standing::Removed, None, None),
            Phase::Probation { standing, state } => (standing, None, Some(state)),
        };
        let badged = scope.held.contains(scope.at());
        if !badged {
            standing = Standing::Withdrawn;
        }
        let standing = standing::at(scope, self.floor, standing, level.filter(|_| badged), probation.filter(|_| badged));
        Judgement { standing, removed: self.removed(), decisions: self.decisions }
    }

    /// R16: removed until reinstated; without a badge no longer than `probation.months` after
    /// the removal.
    fn removed(&self) -> IntervalSet {
        let months = self.scope.case.policy.probation_months;
        let parts = self.removals.iter().map(|&removal| {
            let least = Interval::new(removal.from, removal.from.plus_months(months)).intersect(removal);
            self.scope.held.clip(removal).union(&IntervalSet::from(least))
        });
        parts.fold(IntervalSet::new(), |all, part| all.union(&part))
    }
}

/// An instant plus the window's length: when what happened then has left a rolling window.
fn leaves(at: Timestamp, window: DurationMs) -> Timestamp {
    at.saturating_add(window)
}
