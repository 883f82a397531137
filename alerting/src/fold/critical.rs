//! Critical outages: one for each of the scope's own runs whose effective downtime reaches
//! `min_duration`, whatever the standing (R12).

use domain::decision::DecisionKind;
use domain::id::Region;
use domain::interval::Interval;

use super::Fold;
use crate::scope::TICK;

impl Fold<'_, '_> {
    /// Tells those up to the limit. A run that is under way when a version comes into force is
    /// told then, if it is long enough by then and wasn't told before (R18).
    pub(super) fn critical_outages(&mut self) {
        let scope = self.scope;
        let next = self.state.critical_next;
        self.state.critical_next = next.max(self.limit + TICK);
        if scope.policy.critical_outage_acknowledge_within.is_none() || next > self.limit {
            return;
        }
        self.depend(self.limit + TICK);
        let (gap, switch) = (scope.evidence.rules.merge_gap, scope.in_force.from);
        let first = scope.runs.as_slice().partition_point(|run| run.to.saturating_add(gap) < next);
        let limit = self.limit;
        for &run in scope.runs.as_slice()[first..].iter().take_while(|run| run.from <= limit) {
            let reached = scope.downtime.reached(run.from, scope.policy.min_duration).filter(|&at| at <= run.to);
            let Some(reached) = reached.filter(|&at| at <= limit) else { continue };
            let is_under_way =
                || scope.evidence.run_end_by(scope.scope, run, switch).is_some_and(|end| end.saturating_add(gap) >= switch);
            let of_scope = |region: &Region| scope.scope.includes(*region);
            let mut told = Region::ALL.into_iter().filter(of_scope).filter_map(|region| self.state.critical_told[region.index()]);
            let is_told = told.any(|told| told > run.from);
            let at = reached.max(switch);
            if is_told || at < next || (reached < switch && !is_under_way()) {
                continue;
            }
            Region::ALL.into_iter().filter(of_scope).for_each(|region| self.state.critical_told[region.index()] = Some(at));
            let evidence = scope.evidence(Interval::new(run.from, at), None, &[], at);
            self.decide(DecisionKind::CriticalOutage, Vec::new(), at, evidence);
        }
    }
}
