//! Probation: consecutive good months, restarts, holds, reinstatement (R14, R15).

use domain::decision::{Decision, DecisionKind, Evidence, Reason, Scope};
use domain::interval::Interval;
use domain::life::{Active, Broken, Phase};
use domain::time::{DurationMs, Timestamp};

use super::Fold;
use crate::scope::TICK;

impl Fold<'_, '_> {
    /// Judges the month after those passed. Yields what follows it, if it ends within the limit.
    pub(super) fn probation(&mut self, start: Timestamp, passed: u32, held: Option<Timestamp>) -> Option<Phase> {
        let scope = self.scope;
        let needed = scope.policy.probation_months;
        let month = Interval::new(start.plus_months(passed), start.plus_months(passed + 1));
        let broken = self.first_break(start, month);
        if let Some(since) = held {
            let before_break = |granted: &Timestamp| broken.as_ref().is_none_or(|broken| *granted < broken.at);
            if let Some(at) = self.first_certified(month, since).filter(before_break) {
                self.within(at)?;
                return Some(self.reinstate(start, at));
            }
        }
        let in_force = scope.in_force.from;
        let is_enough = held.is_none() && passed >= needed && in_force < month.to;
        if let Some(broken) = broken.filter(|broken| !is_enough || broken.at <= in_force) {
            self.within(broken.at)?;
            return Some(Phase::Broken(Box::new(broken)));
        }
        if is_enough {
            // A version that asks for fewer months has come into force (R18).
            let at = self.within(scope.hold(in_force.max(month.from))?)?;
            return Some(self.settle(start, passed, at));
        }
        let at = self.within(scope.hold(month.to)?)?;
        if scope.is_dark(month) {
            self.restart(vec![Reason::Coverage], at, month, month);
            return Some(Phase::Probation { start: at, passed: 0, held: None });
        }
        let passed = passed + 1;
        if held.is_none() && passed <= needed {
            let mut evidence = self.month_evidence(month, month, at);
            evidence.month = Some(passed);
            // Months of a region that was lost until a switch pass at it, and are told as one.
            let is_told =
                |last: &mut Decision| (last.kind, last.scope, last.at) == (DecisionKind::ProbationMonthPassed, scope.scope, at);
            self.trail.decisions.pop_if(is_told);
            self.decide(DecisionKind::ProbationMonthPassed, Vec::new(), at, evidence);
        }
        Some(if held.is_none() && passed >= needed {
            self.settle(start, passed, at)
        } else {
            Phase::Probation { start, passed, held }
        })
    }

    /// The first instant in a month at which its downtime exceeds its budget, or the outages
    /// since probation's start the maximum. By the numbers of a version that has come into force
    /// since, no earlier than that (R18).
    fn first_break(&self, start: Timestamp, month: Interval) -> Option<Broken> {
        let scope = self.scope;
        let limit_ms = scope.policy.target.complement().floor_of(month.ms());
        let dated = |at: Timestamp| Some(at.max(scope.in_force.from)).filter(|at| *at <= month.to);
        let by_budget = scope.downtime.reached(month.from, DurationMs(limit_ms + 1)).and_then(dated);
        let by_outages = self.too_many_outages(start).and_then(dated);
        let at = [by_budget, by_outages].into_iter().flatten().min()?;
        let reasons = [(by_budget, Reason::Budget), (by_outages, Reason::Outages)]
            .into_iter()
            .filter_map(|(when, reason)| (when == Some(at)).then_some(reason))
            .collect();
        Some(Broken { start, month, at, reasons })
    }

    /// When more outages than allowed had begun since `start` and qualified; in a region, with
    /// the newest touching it (R11).
    fn too_many_outages(&self, start: Timestamp) -> Option<Timestamp> {
        let outages = &self.scope.evidence.outages;
        let begun = &outages[outages.partition_point(|outage| outage.run.from < start)..];
        let allowed = usize::try_from(self.scope.policy.outages_max).unwrap_or(usize::MAX);
        // Runs don't overlap, so an outage touches the region before the next one qualifies.
        begun.iter().skip(allowed).find_map(|outage| match self.scope.scope {
            Scope::Global => Some(outage.qualified_at),
            Scope::Region(region) => outage.first_in[region.index()].map(|first| outage.qualified_at.max(first + TICK)),
        })
    }

    /// The first instant of a month, since a hold and within the limit, at which every
    /// requirement holds. The instant of the month's end belongs to the next one: a month's end
    /// comes before a fact.
    fn first_certified(&self, month: Interval, since: Timestamp) -> Option<Timestamp> {
        let (scope, case) = (self.scope, self.scope.case);
        let regained = scope.held.iter().map(|interval| interval.from);
        // A switch of scopes asks fewer marketplaces, or more.
        let changes = case.certification.changes(case.product).chain(regained).chain([scope.in_force.from]);
        let holds = |at: &Timestamp| case.certification.failures(case.product, scope.scope, *at).is_empty();
        let stretch = Interval::new(month.from.max(since).max(scope.in_force.from), month.to.min(self.limit + TICK));
        changes.filter(|at| stretch.contains(*at) && scope.held.contains(*at)).filter(holds).min()
    }

    /// Enough months are passed: reinstated if every requirement holds; if not, that is said.
    fn settle(&mut self, start: Timestamp, passed: u32, at: Timestamp) -> Phase {
        let (scope, case) = (self.scope, self.scope.case);
        let failures = case.certification.failures(case.product, scope.scope, at);
        if failures.is_empty() {
            return self.reinstate(start, at);
        }
        let evidence = scope.evidence(Interval::new(start, at), None, &[], at);
        self.decide(DecisionKind::ReinstatementHeld, failures, at, evidence);
        Phase::Probation { start, passed, held: Some(at) }
    }

    fn reinstate(&mut self, start: Timestamp, at: Timestamp) -> Phase {
        let evidence = self.scope.evidence(Interval::new(start, at), None, &[], at);
        self.decide(DecisionKind::Reinstatement, Vec::new(), at, evidence);
        self.state.floor = Some(start);
        self.trail.removals.extend(self.state.removal(at));
        self.state.removed_at = None;
        Phase::On { next: at, active: Active::default() }
    }

    pub(super) fn restart(&mut self, reasons: Vec<Reason>, at: Timestamp, judged: Interval, month: Interval) {
        let evidence = self.month_evidence(judged, month, at);
        self.decide(DecisionKind::ProbationRestarted, reasons, at, evidence);
    }

    /// Evidence on what was judged of a month, with the whole month's budget.
    fn month_evidence(&self, judged: Interval, month: Interval, at: Timestamp) -> Evidence {
        let budget_ms = self.scope.policy.target.complement().floor_of(month.ms());
        let counting = self.scope.counting(judged, None);
        let mut evidence = self.scope.evidence(judged, Some(budget_ms), counting, at);
        evidence.outages.retain(|outage| outage.run.from >= month.from);
        evidence
    }
}
