//! While the badge is on: warnings, and the search for the breach (R11, R12).

use domain::decision::{DecisionKind, Reason};
use domain::interval::Interval;
use domain::life::{Active, Phase, Proposal, Refused};
use domain::policy::Frame;
use domain::time::{DurationMs, Timestamp};

use super::Fold;
use crate::bends::bends;
use crate::scope::TICK;
use crate::warnings::{self, Usage, budget_levels, coverage_window, is_midnight};

impl Fold<'_, '_> {
    /// Judges from `next` to the limit.
    pub(super) fn badge_on(&mut self, next: Timestamp, mut active: Active) -> Option<Phase> {
        if next > self.limit {
            return None;
        }
        let mut last: Option<Timestamp> = None;
        for bend in bends(self.scope, self.state.floor, Interval::new(next, self.limit)) {
            let between = last.map(|last| self.crossings(last, bend)).unwrap_or_default();
            for at in between.into_iter().chain([bend]) {
                if let Some(breach) = self.judge_at(at, &mut active) {
                    return self.breached(breach);
                }
            }
            last = Some(bend);
        }
        self.depend(self.limit + TICK);
        self.state.phase = Phase::On { next: self.limit + TICK, active };
        None
    }

    /// The instants strictly between two bends at which usage, rising, reaches a threshold.
    fn crossings(&self, last: Timestamp, next: Timestamp) -> Vec<Timestamp> {
        let policy = self.scope.policy;
        let frame = policy.frame_at(last);
        let before = self.usage_ms(frame, last);
        let after = self.usage_ms(policy.frame_ending_at(next).unwrap_or_else(|| policy.frame_at(next)), next);
        if after <= before {
            return Vec::new();
        }
        let budget_ms = policy.budget_ms(frame);
        let mut out: Vec<Timestamp> = budget_levels(policy, budget_ms, self.most_ms(budget_ms))
            .into_iter()
            .filter(|&level| before < level && level < after)
            .map(|level| last + DurationMs(level - before))
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    fn usage_ms(&self, frame: Frame, at: Timestamp) -> i64 {
        self.scope.downtime.ms_within(self.scope.window(frame, self.state.floor, at))
    }

    /// How much downtime is no breach: the budget, or what was refused (R22).
    fn most_ms(&self, budget_ms: i64) -> i64 {
        self.state.refused.map_or(budget_ms, |refused| budget_ms.max(refused.downtime_ms))
    }

    fn judge_at(&mut self, at: Timestamp, active: &mut Active) -> Option<Proposal> {
        if !self.scope.held.contains(at) {
            return None;
        }
        let policy = self.scope.policy;
        let ending = policy.frame_ending_at(at);
        for frame in ending.into_iter().chain([policy.frame_at(at)]) {
            if let Some(breach) = self.judge(at, frame, active) {
                return Some(breach);
            }
        }
        self.check_coverage(at, active);
        None
    }

    fn judge(&mut self, at: Timestamp, frame: Frame, active: &mut Active) -> Option<Proposal> {
        let scope = self.scope;
        let policy = scope.policy;
        let window = scope.window(frame, self.state.floor, at);
        let counting = scope.counting(window, self.state.floor);
        let used = Refused { downtime_ms: scope.downtime.ms_within(window), outages: counting.len() };
        let budget_ms = policy.budget_ms(frame);
        let allowed = usize::try_from(policy.outages_max).unwrap_or(usize::MAX);
        let allowed = self.state.refused.map_or(allowed, |refused| allowed.max(refused.outages));
        let too_many = used.outages > allowed && counting.last().is_some_and(|newest| scope.touches(newest, at));
        let reasons: Vec<Reason> = [(used.downtime_ms > self.most_ms(budget_ms), Reason::Budget), (too_many, Reason::Outages)]
            .into_iter()
            .filter_map(|(holds, reason)| holds.then_some(reason))
            .collect();
        if !reasons.is_empty() {
            let evidence = scope.evidence(window, Some(budget_ms), counting, at);
            return Some(Proposal { scope: scope.scope, breach: at, reasons, window, evidence, used, active: *active });
        }
        let usage = Usage { at, window, budget_ms, downtime_ms: used.downtime_ms, outages: used.outages };
        let fresh = warnings::update(active, scope, usage);
        if !fresh.is_empty() {
            let mut evidence = scope.evidence(window, Some(budget_ms), counting, at);
            evidence.level = active.level();
            self.decide(DecisionKind::Warning, fresh, at, evidence);
        }
        None
    }

    fn check_coverage(&mut self, at: Timestamp, active: &mut Active) {
        if is_midnight(at) && warnings::coverage_fell(active, self.scope, at) {
            let last_days: Interval = coverage_window(at);
            let window = Interval::new(last_days.from.max(self.scope.enabled_at), at);
            let evidence = self.scope.evidence(window, None, &[], at);
            self.decide(DecisionKind::CoverageWarning, vec![Reason::Coverage], at, evidence);
        }
    }
}
