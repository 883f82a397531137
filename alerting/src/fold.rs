//! The fold: a product's life in one scope by one version of the policy, from where it stands on.
//!
//! Good (or warned) until a breach; then removed until the run that holds the breach has ended;
//! then in probation, month by month, until it is reinstated, and good again. A breach may wait
//! for a ruling first. What it says depends on the evidence and facts alone, not on where it was
//! interrupted: an instant is judged by what lies before it, and what waits for the end of a run
//! is found anew whenever the fold goes on.

use domain::decision::{Decision, DecisionKind, Evidence, Reason, WarningLevel};
use domain::interval::Interval;
use domain::life::{Phase, Removal, State};
use domain::report::{ProbationStanding, ProductStanding, Standing};
use domain::time::Timestamp;

use crate::scope::{ScopeCase, TICK};
use crate::standing;

mod badge_on;
mod critical;
mod probation;
mod ruling;

pub(crate) use ruling::may_be_about;

/// What a life leaves behind.
#[derive(Clone, Default, Debug)]
pub(crate) struct Trail {
    /// Decisions in the order in which they were made.
    pub(crate) decisions: Vec<Decision>,
    /// Removals that have ended, or are followed in other scopes.
    pub(crate) removals: Vec<Removal>,
}

/// A life going on.
pub(crate) struct Fold<'f, 'a> {
    scope: &'f ScopeCase<'a>,
    state: &'f mut State,
    /// The last instant to be judged.
    limit: Timestamp,
    trail: &'f mut Trail,
}

impl<'f, 'a> Fold<'f, 'a> {
    /// Lets a life go on up to `limit`, at most T.
    pub(crate) fn go_on(scope: &'f ScopeCase<'a>, state: &'f mut State, limit: Timestamp, trail: &'f mut Trail) {
        let mut fold = Self { scope, state, limit, trail };
        while let Some(next) = fold.step() {
            fold.state.phase = next;
        }
        fold.critical_outages();
    }

    /// Yields the phase that follows within the limit.
    fn step(&mut self) -> Option<Phase> {
        match self.state.phase.clone() {
            Phase::On { next, active } => self.badge_on(next, active),
            Phase::Proposed(proposal) => self.proposed(*proposal),
            Phase::Removed { breach, not_before } => {
                let start = self.after_run(breach, not_before)?;
                let removed_at = self.state.removed_at.unwrap_or(breach);
                let since_removal = self.scope.evidence(Interval::new(removed_at, start), None, &[], start);
                self.decide(DecisionKind::ProbationStarted, Vec::new(), start, since_removal);
                Some(Phase::Probation { start, passed: 0, held: None })
            }
            Phase::Probation { start, passed, held } => self.probation(start, passed, held),
            Phase::Broken(broken) => {
                let at = self.after_run(broken.at, broken.at)?;
                let judged = Interval::new(broken.month.from, broken.at);
                self.restart(broken.reasons, at, judged, broken.month);
                Some(Phase::Probation { start: at, passed: 0, held: None })
            }
        }
    }

    /// When what follows the run around `at` begins, but not before an instant; `None` while it
    /// isn't known or lies beyond the limit.
    fn after_run(&mut self, at: Timestamp, not_before: Timestamp) -> Option<Timestamp> {
        let end = self.scope.run_end(at);
        let start = self.within(self.scope.hold(end.at?.max(not_before))?)?;
        self.depend(end.depends_until);
        Some(start)
    }

    /// An instant within the limit, on which the state depends from now on.
    fn within(&mut self, at: Timestamp) -> Option<Timestamp> {
        let within = (at <= self.limit).then_some(at)?;
        self.depend(within + TICK);
        Some(within)
    }

    /// Notes that what lies before an instant matters.
    fn depend(&mut self, until: Timestamp) {
        self.state.depends_until = self.state.depends_until.max(until);
    }

    fn remove(&mut self, reasons: Vec<Reason>, at: Timestamp, evidence: Evidence) {
        self.state.removed_at = Some(at);
        self.state.refused = None;
        self.decide(DecisionKind::BadgeRemoval, reasons, at, evidence);
    }

    fn decide(&mut self, kind: DecisionKind, reasons: Vec<Reason>, at: Timestamp, evidence: Evidence) {
        self.trail.decisions.push(self.scope.about(at).decide(kind, reasons, at, evidence));
    }
}

/// How a life stands at T, with its numbers.
pub(crate) fn standing_of(scope: &ScopeCase<'_>, state: &State) -> ProductStanding {
    let warned = |level: Option<WarningLevel>| if level.is_some() { Standing::Warned } else { Standing::Good };
    let (mut standing, level, probation) = match &state.phase {
        Phase::On { active, .. } => (warned(active.level()), active.level(), None),
        Phase::Proposed(proposal) => (warned(proposal.active.level()), proposal.active.level(), None),
        Phase::Removed { .. } | Phase::Broken(_) => (Standing::Removed, None, None),
        Phase::Probation { start, passed, held } => {
            let standing = if held.is_some() { Standing::Held } else { Standing::Probation };
            (standing, None, Some(ProbationStanding { started: *start, months_passed: *passed }))
        }
    };
    let badged = scope.held.contains(scope.at);
    if !badged {
        standing = Standing::Withdrawn;
    }
    standing::at(scope, state.floor, standing, level.filter(|_| badged), probation.filter(|_| badged))
}
