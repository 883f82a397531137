//! Probation: consecutive good months, restarts, holds, reinstatement (R14, R15).

use domain::decision::{DecisionKind, Evidence, Reason, Scope};
use domain::interval::Interval;
use domain::report::{ProbationStanding, Standing};
use domain::time::Timestamp;

use super::{Fold, Phase};
use crate::scope::TICK;

/// Why and when a month ends probation's count.
struct Break {
    at: Timestamp,
    reasons: Vec<Reason>,
}

/// How a month of probation goes.
enum Month {
    /// Everything holds at this instant.
    Reinstated(Timestamp),
    /// Counting starts anew there.
    Restarted(Timestamp),
    /// It was good, as is known at this instant.
    Passed(Timestamp),
    /// T comes first.
    Ongoing(Standing),
}

impl Fold<'_, '_> {
    /// Judges months from `start` on. Yields the instant of the reinstatement, with the floor
    /// set, or how things stand at T.
    pub(super) fn probation(&mut self, start: Timestamp) -> Result<Timestamp, Phase> {
        let needed = self.scope.case.policy.probation_months;
        let (mut start, mut passed) = (start, 0);
        loop {
            match self.month(start, passed) {
                Month::Passed(at) => {
                    passed += 1;
                    if passed == needed && self.certified(start, at) {
                        return Ok(self.reinstate(start, at));
                    }
                }
                Month::Reinstated(at) => return Ok(self.reinstate(start, at)),
                Month::Restarted(at) => (start, passed) = (at, 0),
                Month::Ongoing(Standing::Removed) => return Err(Phase::Removed),
                Month::Ongoing(standing) => {
                    let state = ProbationStanding { started: start, months_passed: passed };
                    return Err(Phase::Probation { standing, state });
                }
            }
        }
    }

    fn month(&mut self, start: Timestamp, passed: u32) -> Month {
        let scope = self.scope;
        let policy = scope.case.policy;
        let held = passed >= policy.probation_months;
        let month = Interval::new(start.plus_months(passed), start.plus_months(passed + 1));
        let broken = self.first_break(start, month);
        if held {
            let granted = self.first_certified(month).filter(|granted| broken.as_ref().is_none_or(|broken| *granted < broken.at));
            if let Some(at) = granted {
                return Month::Reinstated(at);
            }
        }
        if let Some(broken) = broken {
            let Some(at) = self.after_run(broken.at) else { return Month::Ongoing(Standing::Removed) };
            self.restart(broken.reasons, at, Interval::new(month.from, broken.at), month);
            return Month::Restarted(at);
        }
        let Some(at) = scope.hold(month.to) else {
            return Month::Ongoing(if held { Standing::Held } else { Standing::Probation });
        };
        if scope.is_dark(month) {
            self.restart(vec![Reason::Coverage], at, month, month);
            return Month::Restarted(at);
        }
        if !held {
            let mut evidence = self.month_evidence(month, month, at);
            evidence.month = Some(passed + 1);
            self.decide(DecisionKind::ProbationMonthPassed, Vec::new(), at, evidence);
        }
        Month::Passed(at)
    }

    /// The first instant in a month at which its downtime exceeds its budget, or the outages
    /// since probation's start the maximum; by T.
    fn first_break(&self, start: Timestamp, month: Interval) -> Option<Break> {
        let scope = self.scope;
        let limit_ms = scope.case.policy.target.complement().floor_of(month.ms());
        let within = |at: &Timestamp| *at <= month.to;
        let by_budget = scope.downtime.reached(month.from, domain::DurationMs(limit_ms + 1)).filter(within);
        let by_outages = self.too_many_outages(start).filter(within);
        let at = [by_budget, by_outages].into_iter().flatten().min()?;
        let reasons = [(by_budget, Reason::Budget), (by_outages, Reason::Outages)]
            .into_iter()
            .filter_map(|(when, reason)| (when == Some(at)).then_some(reason))
            .collect();
        Some(Break { at, reasons })
    }

    /// When more outages than allowed had begun since `start` and qualified; in a region, with
    /// the newest touching it (R11).
    fn too_many_outages(&self, start: Timestamp) -> Option<Timestamp> {
        let outages = &self.scope.case.evidence.outages;
        let begun = &outages[outages.partition_point(|outage| outage.run.from < start)..];
        let allowed = usize::try_from(self.scope.case.policy.outages_max).unwrap_or(usize::MAX);
        // Runs don't overlap, so an outage touches the region before the next one qualifies.
        begun.iter().skip(allowed).find_map(|outage| match self.scope.scope {
            Scope::Global => Some(outage.qualified_at),
            Scope::Region(region) => outage.first_in[region.index()].map(|first| outage.qualified_at.max(first + TICK)),
        })
    }

    /// The first instant of a month, by T, at which every requirement holds. The instant of its
    /// end belongs to the next one: a month's end comes before a fact.
    fn first_certified(&self, month: Interval) -> Option<Timestamp> {
        let (scope, case) = (self.scope, self.scope.case);
        let regained = scope.held.iter().map(|interval| interval.from);
        let changes = case.certification.changes(case.product).chain(regained);
        let holds = |at: &Timestamp| case.certification.failures(case.product, scope.scope, *at).is_empty();
        let in_month = |at: &Timestamp| month.contains(*at) && *at <= scope.at() && scope.held.contains(*at);
        changes.filter(in_month).filter(holds).min()
    }

    /// Whether every requirement holds at the end of the last month needed; if not, that is said.
    fn certified(&mut self, start: Timestamp, at: Timestamp) -> bool {
        let (scope, case) = (self.scope, self.scope.case);
        let failures = case.certification.failures(case.product, scope.scope, at);
        if failures.is_empty() {
            return true;
        }
        let evidence = scope.evidence(Interval::new(start, at), None, &[], at);
        self.decide(DecisionKind::ReinstatementHeld, failures, at, evidence);
        false
    }

    fn reinstate(&mut self, start: Timestamp, at: Timestamp) -> Timestamp {
        let evidence = self.scope.evidence(Interval::new(start, at), None, &[], at);
        self.decide(DecisionKind::Reinstatement, Vec::new(), at, evidence);
        self.floor = Some(start);
        at
    }

    fn restart(&mut self, reasons: Vec<Reason>, at: Timestamp, judged: Interval, month: Interval) {
        let evidence = self.month_evidence(judged, month, at);
        self.decide(DecisionKind::ProbationRestarted, reasons, at, evidence);
    }

    /// Evidence on what was judged of a month, with the whole month's budget.
    fn month_evidence(&self, judged: Interval, month: Interval, at: Timestamp) -> Evidence {
        let budget_ms = self.scope.case.policy.target.complement().floor_of(month.ms());
        let counting = self.scope.counting(judged, None);
        let mut evidence = self.scope.evidence(judged, Some(budget_ms), counting, at);
        evidence.outages.retain(|outage| outage.run.from >= month.from);
        evidence
    }
}
