//! A new version of the policy comes into force: lives go on under it (R18, ADR 5).

use domain::decision::Scope;
use domain::id::Region;
use domain::interval::Interval;
use domain::life::{Active, Phase, Refused, State};
use domain::policy::ScopeRule;
use domain::time::{DurationMs, Timestamp};

use super::Memo;
use crate::case::{Case, held};
use crate::fold::Trail;
use crate::scope::TICK;

/// How bad a state is, where the worst holds.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Badness {
    On,
    Proposed,
    Held,
    Probation,
    Removed,
}

impl Memo {
    /// Goes over to the next version, at the instant of its coming into force.
    pub(super) fn switch(&mut self, case: &Case<'_>, at: Timestamp, trail: &mut Trail) {
        let versions = case.policies.versions();
        let (before, now) = (&versions[self.version], &versions[self.version + 1]);
        self.version += 1;
        // Where the badge is held at that instant matters, and that nothing followed before by the old
        // numbers; of a run's end that is known once a gap has passed.
        let is_waiting = self.lanes.iter().any(|state| matches!(state.phase, Phase::Removed { .. } | Phase::Broken(_)));
        let gap = if is_waiting { before.merge_gap } else { DurationMs::ZERO };
        self.depends_until = self.depends_until.max(at + gap + TICK);
        if before.scope != now.scope {
            trail.removals.extend(self.lanes.iter().filter_map(|state| state.removal(at)));
            self.lanes = match now.scope {
                ScopeRule::Region => self.to_regions(case, at),
                ScopeRule::Global => self.to_global(case, at).into_iter().collect(),
            };
        }
        for state in &mut self.lanes {
            if let Phase::Probation { passed, held, .. } = &mut state.phase {
                *held = held.filter(|_| *passed >= now.probation_months);
            }
        }
    }

    /// Every region in which the product was badged before gets the global state.
    fn to_regions(&self, case: &Case<'_>, at: Timestamp) -> Vec<State> {
        let Some(global) = self.lanes.first() else { return Vec::new() };
        let before = Interval::new(Timestamp::MIN, at);
        let scopes = crate::case::scopes(ScopeRule::Region).iter().copied();
        let badged = scopes.filter(|scope| held(case.product, *scope).intersects(before));
        badged.map(|scope| State { scope, since: at, ..global.clone() }).collect()
    }

    /// The worst of the states where the badge is held, or of all where it is held nowhere.
    fn to_global(&self, case: &Case<'_>, at: Timestamp) -> Option<State> {
        let is_held = |state: &&State| held(case.product, state.scope).contains(at);
        let mut asked: Vec<&State> = self.lanes.iter().filter(is_held).collect();
        if asked.is_empty() {
            asked = self.lanes.iter().collect();
        }
        // Of equals the first in listing order: the last one is the maximum.
        let mut out = (*asked.iter().rev().max_by_key(|state| badness(state))?).clone();
        let actives = asked.iter().filter_map(|state| match &state.phase {
            Phase::On { active, .. } => Some(*active),
            Phase::Proposed(proposal) => Some(proposal.active),
            Phase::Removed { .. } | Phase::Probation { .. } | Phase::Broken(_) => None,
        });
        match &mut out.phase {
            Phase::On { active, .. } => *active = actives.fold(*active, Active::union),
            Phase::Proposed(proposal) => proposal.active = actives.fold(proposal.active, Active::union),
            Phase::Removed { .. } | Phase::Probation { .. } | Phase::Broken(_) => {}
        }
        (out.scope, out.since) = (Scope::Global, at);
        out.floor = self.lanes.iter().filter_map(|state| state.floor).max();
        out.refused = asked.iter().filter_map(|state| state.refused).reduce(Refused::max).filter(|_| out.removed_at.is_none());
        out.ruled = self.lanes.iter().flat_map(|state| state.ruled.iter().copied()).collect();
        out.critical_told =
            Region::ALL.map(|region| self.lanes.iter().filter_map(|state| state.critical_told[region.index()]).max());
        Some(out)
    }
}

/// How bad a state is; of two equally bad ones, the later.
fn badness(state: &State) -> (Badness, Option<Timestamp>) {
    match &state.phase {
        Phase::On { .. } => (Badness::On, None),
        Phase::Proposed(proposal) => (Badness::Proposed, Some(proposal.breach)),
        Phase::Probation { start, held: Some(_), .. } => (Badness::Held, Some(*start)),
        Phase::Probation { start, held: None, .. } => (Badness::Probation, Some(*start)),
        Phase::Removed { .. } | Phase::Broken(_) => (Badness::Removed, state.removed_at),
    }
}
