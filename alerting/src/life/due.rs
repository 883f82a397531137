//! When time alone may change what is implied.

use domain::interval::Interval;
use domain::life::{Phase, State};
use domain::time::Timestamp;

use super::{Life, MINUTE, Memo};
use crate::bends::bends;
use crate::case::{Case, enabled_at, scopes};
use crate::scope::{ScopeCase, TICK};

impl Life {
    /// The earliest instant after T at which something may follow without new evidence.
    pub(super) fn due_after(&self, case: &Case<'_>, tip: &Memo, until: Timestamp) -> Timestamp {
        let minute = until.floor_minute();
        // A state counts at once, a slice when its minute has ended.
        let pending = (self.ahead >= minute).then(|| if self.ahead >= until { until + TICK } else { minute + MINUTE });
        let switch = case.policies.versions().get(tip.version + 1).map(|next| next.effective_from);
        // A run that ended before a switch is known to have by the old gap, and what follows it is dated then.
        let mut before = case.policies.in_force().take(tip.version);
        let ends = before.any(|(in_force, policy)| in_force.to.saturating_add(policy.merge_gap) >= until).then(|| until + TICK);
        let rule = case.policies.versions()[tip.version].scope;
        let begins = scopes(rule).iter().filter_map(|scope| enabled_at(case.product, *scope));
        let terms = case.product.terms().map(|(interval, _)| interval.from).chain(case.product.withdrawn_at);
        let rulings = case.rulings.iter().map(|ruling| ruling.at);
        let facts = pending.into_iter().chain(ends).chain(switch).chain(begins).chain(terms).chain(rulings);
        let due = tip.scopes(case, until).map(|(scope, state)| scope_due(&scope, state));
        // What ties a product to somebody else's downtime at T shows a millisecond later.
        facts.filter(|at| *at >= until).map(|at| at.max(until + TICK)).chain(due).min().unwrap_or(Timestamp::MAX)
    }
}

/// The same for one scope.
fn scope_due(scope: &ScopeCase<'_>, state: &State) -> Timestamp {
    let gap = scope.evidence.rules.merge_gap;
    let last_runs = [&scope.evidence.runs, scope.runs].into_iter().filter_map(|runs| runs.as_slice().last());
    let runs = last_runs.map(|run| match run.to {
        // It goes on, as far as is known.
        to if to >= scope.at => scope.at + TICK,
        to => to.saturating_add(gap) + TICK,
    });
    let regained = scope.held.iter().flat_map(|interval| [interval.from, interval.to]);
    let certification = scope.case.certification.changes(scope.case.product);
    let month = match &state.phase {
        Phase::Probation { start, passed, .. } => Some(start.plus_months(passed + 1)),
        Phase::On { .. } | Phase::Proposed(_) | Phase::Removed { .. } | Phase::Broken(_) => None,
    };
    // What leaves the window by the end of the day, and midnight itself; nothing after a withdrawal.
    let day = scope.at.next_day().unwrap_or(Timestamp::MAX);
    let goes_on = scope.held.as_slice().last().is_some_and(|last| last.to > scope.at);
    let leaving = if goes_on { bends(scope, state.floor, Interval::new(scope.at, day)) } else { Vec::new() };
    // While downtime leaves the window, a warning may lapse at any instant.
    let is_warned = matches!(&state.phase, Phase::On { active, .. } if active.level().is_some());
    let window = scope.window(scope.policy.frame_at(scope.at), state.floor, scope.at);
    let falls = (is_warned && scope.downtime.set().contains(window.from)).then_some(scope.at + TICK);
    let all = falls.into_iter().chain(runs).chain(regained).chain(certification).chain(month).chain(leaving);
    all.filter(|at| *at > scope.at).min().unwrap_or(Timestamp::MAX)
}
