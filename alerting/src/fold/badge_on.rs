//! While the badge is on: warnings, and the search for the breach (R11, R12).
//!
//! Usage of the window is piecewise linear in time: it bends only where downtime begins or ends,
//! or where either leaves the window. So it is enough to judge at those instants, at the ones
//! between them at which usage reaches a threshold, and at those at which something else happens
//! (an outage qualifies or leaves, midnight, a reset).

use domain::decision::{DecisionKind, Reason, Scope, WarningLevel};
use domain::interval::Interval;
use domain::policy::{Frame, WindowRule};
use domain::time::{DurationMs, Timestamp};

use super::{Breach, Fold, leaves};
use crate::scope::TICK;
use crate::warnings::{Active, Usage, budget_levels, coverage_window, is_midnight};

impl Fold<'_, '_> {
    /// Judges from `from` on. Yields the breach, or what is active at T if there is none.
    pub(super) fn badge_on(&mut self, from: Timestamp) -> Result<Breach, Option<WarningLevel>> {
        let mut active = Active::default();
        let bends = self.bends(from);
        let mut last: Option<Timestamp> = None;
        for next in bends {
            let between = last.map(|last| self.crossings(last, next)).unwrap_or_default();
            for at in between.into_iter().chain([next]) {
                if !self.scope.held.contains(at) {
                    continue;
                }
                let policy = self.scope.case.policy;
                let ending = policy.frame_ending_at(at);
                for frame in ending.into_iter().chain([policy.frame_at(at)]) {
                    if let Some(breach) = self.judge(at, frame, &mut active) {
                        return Ok(breach);
                    }
                }
                self.check_coverage(at, &mut active);
            }
            last = Some(next);
        }
        Err(active.level())
    }

    /// Every instant from `from` to T at which usage may bend or something else happens.
    fn bends(&self, from: Timestamp) -> Vec<Timestamp> {
        let (scope, until) = (self.scope, self.scope.at());
        let mut out = vec![from, until];
        out.extend(scope.downtime.set().iter().flat_map(|interval| [interval.from, interval.to]));
        // An outage that is running when a window begins counts in it a millisecond later.
        out.extend(scope.held.iter().flat_map(|interval| [interval.from, interval.from + TICK, interval.to]));
        for outage in &scope.case.evidence.outages {
            out.push(outage.qualified_at);
            if let Scope::Region(region) = scope.scope {
                out.extend(outage.first_in[region.index()].map(|first| first + TICK));
            }
        }
        let effective = scope.case.evidence.effective.set();
        out.extend(effective.iter().flat_map(|interval| [interval.from + TICK, interval.to]));
        match scope.case.policy.window {
            WindowRule::Rolling(window) => {
                out.extend(self.floor);
                let leaving: Vec<_> = out.iter().map(|&at| leaves(at, window)).collect();
                out.extend(leaving);
                out.push(leaves(scope.enabled_at, window));
            }
            WindowRule::ResetsOn { .. } => {
                let resets = std::iter::successors(scope.case.policy.reset_after(from), |&at| scope.case.policy.reset_after(at));
                out.extend(resets.take_while(|&at| at <= until).flat_map(|at| [at, at + TICK]));
            }
        }
        out.extend(std::iter::successors(Some(from.ceil_day()), |day| day.next_day()).take_while(|&day| day <= until));
        out.retain(|&at| from <= at && at <= until);
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The instants strictly between two bends at which usage, rising, reaches a threshold.
    fn crossings(&self, last: Timestamp, next: Timestamp) -> Vec<Timestamp> {
        let policy = self.scope.case.policy;
        let frame = policy.frame_at(last);
        let before = self.usage_ms(frame, last);
        let after = self.usage_ms(policy.frame_ending_at(next).unwrap_or_else(|| policy.frame_at(next)), next);
        if after <= before {
            return Vec::new();
        }
        let mut out: Vec<Timestamp> = budget_levels(policy, policy.budget_ms(frame))
            .into_iter()
            .filter(|&level| before < level && level < after)
            .map(|level| last + DurationMs(level - before))
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    fn usage_ms(&self, frame: Frame, at: Timestamp) -> i64 {
        self.scope.downtime.ms_within(self.scope.window(frame, self.floor, at))
    }

    fn judge(&mut self, at: Timestamp, frame: Frame, active: &mut Active) -> Option<Breach> {
        let scope = self.scope;
        let policy = scope.case.policy;
        let window = scope.window(frame, self.floor, at);
        let counting = scope.counting(window, self.floor);
        let usage = Usage {
            at,
            window,
            budget_ms: policy.budget_ms(frame),
            downtime_ms: scope.downtime.ms_within(window),
            outages: counting.len(),
        };
        let too_many = usage.outages > usize::try_from(policy.outages_max).unwrap_or(usize::MAX)
            && counting.last().is_some_and(|newest| scope.touches(newest, at));
        let reasons: Vec<Reason> = [(usage.downtime_ms > usage.budget_ms, Reason::Budget), (too_many, Reason::Outages)]
            .into_iter()
            .filter_map(|(holds, reason)| holds.then_some(reason))
            .collect();
        if !reasons.is_empty() {
            return Some(Breach { at, reasons, evidence: scope.evidence(window, Some(usage.budget_ms), counting, at) });
        }
        let fresh = active.update(scope, usage);
        if !fresh.is_empty() {
            let mut evidence = scope.evidence(window, Some(usage.budget_ms), counting, at);
            evidence.level = active.level();
            self.decide(DecisionKind::Warning, fresh, at, evidence);
        }
        None
    }

    fn check_coverage(&mut self, at: Timestamp, active: &mut Active) {
        if is_midnight(at) && active.coverage_fell(self.scope, at) {
            let last_days: Interval = coverage_window(at);
            let window = Interval::new(last_days.from.max(self.scope.enabled_at), at);
            let evidence = self.scope.evidence(window, None, &[], at);
            self.decide(DecisionKind::CoverageWarning, vec![Reason::Coverage], at, evidence);
        }
    }
}
