//! While the badge is on (R10 to R12): every instant at which anything may change is judged
//! from scratch, up to the breach or T.

use std::collections::BTreeSet;

use domain::time::DAY_MS;
use domain::{Decision, DecisionKind, Ppm, Reason, WarningCause, WarningLevel};

use super::calendar::{frames, resets};
use super::ground::Outage;
use super::scoped::{Scoped, Usage};
use super::spans::{Span, Spans};

/// How a time with the badge on ends.
#[derive(Debug)]
pub(super) enum OnEnd {
    /// A threshold is crossed.
    Breach(Breach),
    /// The badge is still on when the policy no longer judges, with these warnings.
    Lasts(Warned),
}

/// A breach (R11).
#[derive(Clone, Debug)]
pub(super) struct Breach {
    pub(super) at: i64,
    pub(super) reasons: Vec<Reason>,
    pub(super) usage: Usage,
    /// How many outages counted.
    pub(super) outages: usize,
    /// The warnings that were active just before.
    pub(super) warned: Warned,
}

/// What was refused (R22): no breach until more is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Refused {
    pub(super) downtime: i64,
    pub(super) outages: usize,
}

/// The warnings that are active.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Warned {
    pub(super) reasons: BTreeSet<(WarningLevel, WarningCause)>,
    /// Whether coverage is too low.
    pub(super) dark: bool,
}

/// A time with the badge on.
#[derive(Debug)]
pub(super) struct On<'a> {
    pub(super) scoped: &'a Scoped<'a>,
    /// Effective downtime globally.
    pub(super) global: &'a Spans,
    pub(super) since: i64,
    pub(super) floor: Option<i64>,
    /// The warnings that are active before `since`.
    pub(super) warned: Warned,
    pub(super) refused: Option<Refused>,
}

impl On<'_> {
    /// Judges every instant from `since` on, as long as the policy judges, at which anything may come out otherwise than at
    /// the one before.
    pub(super) fn judge(&self, decisions: &mut Vec<Decision>) -> OnEnd {
        let turns = self.turns();
        let crossings = |i: usize| turns.get(i + 1).map(|next| self.crossings(turns[i], *next)).unwrap_or_default();
        self.walk((0..turns.len()).flat_map(|i| [turns[i]].into_iter().chain(crossings(i))), decisions)
    }

    /// Judges instants in order of time, up to the breach.
    pub(super) fn walk(&self, instants: impl Iterator<Item = i64>, decisions: &mut Vec<Decision>) -> OnEnd {
        let mut warned = self.warned.clone();
        for at in instants.filter(|at| self.scoped.is_held(*at)) {
            if let Some(breach) = self.judge_at(at, &mut warned, decisions) {
                return OnEnd::Breach(breach);
            }
        }
        OnEnd::Lasts(warned)
    }

    /// Judges one instant; the breach, if it is one.
    fn judge_at(&self, at: i64, warned: &mut Warned, decisions: &mut Vec<Decision>) -> Option<Breach> {
        for frame in frames(self.scoped.policy, at) {
            let usage = self.scoped.usage(at, frame, self.floor);
            let counted = self.scoped.counted(usage.window, self.floor, self.global);
            let reasons = self.breach(at, usage, &counted);
            if !reasons.is_empty() {
                return Some(Breach { at, reasons, usage, outages: counted.len(), warned: warned.clone() });
            }
            let news = self.warn(at, usage, counted.len(), warned);
            if !news.is_empty() {
                let mut warning = with_usage(self.scoped.decide(DecisionKind::Warning, at, news), usage);
                warning.evidence.level = warned.level();
                decisions.push(warning);
            }
        }
        if at % DAY_MS == 0 {
            let dark = self.is_dark(at);
            if dark && !warned.dark {
                decisions.push(self.scoped.decide(DecisionKind::CoverageWarning, at, vec![Reason::Coverage]));
            }
            warned.dark = dark;
        }
        None
    }

    fn breach(&self, at: i64, usage: Usage, counted: &[&Outage]) -> Vec<Reason> {
        let refused = self.refused.unwrap_or(Refused { downtime: 0, outages: 0 });
        let too_many = counted.len() > count(self.scoped.policy.outages_max).max(refused.outages);
        let newest_touches = || {
            let newest = counted.last().and_then(|newest| self.scoped.touches_from(newest));
            newest.is_some_and(|from| from <= at)
        };
        let mut reasons = Vec::new();
        if usage.downtime > usage.budget.max(refused.downtime) {
            reasons.push(Reason::Budget);
        }
        if too_many && newest_touches() {
            reasons.push(Reason::Outages);
        }
        reasons
    }

    /// Brings the warnings up to an instant; returns the reasons that became active.
    fn warn(&self, at: i64, usage: Usage, outages: usize, warned: &mut Warned) -> Vec<Reason> {
        let warnings = &self.scoped.policy.warnings;
        let mut news = Vec::new();
        let mut turn = |level, cause, active| {
            if active && warned.reasons.insert((level, cause)) {
                news.push(Reason::Warning(level, cause));
            } else if !active {
                warned.reasons.remove(&(level, cause));
            }
        };
        for (level, threshold) in self.budget_levels() {
            let used = i128::from(usage.downtime) * 1_000_000;
            let budget = i128::from(usage.budget);
            let lower = i128::from(threshold.get()) - i128::from(warnings.hysteresis.get());
            let reached = usage.downtime > 0 && used >= budget * i128::from(threshold.get());
            let lapsed = usage.downtime == 0 || used <= budget * lower;
            if reached {
                turn(level, WarningCause::Budget, true);
            } else if lapsed {
                turn(level, WarningCause::Budget, false);
            }
        }
        for (level, threshold) in
            [(WarningLevel::Warning, warnings.warning_outages), (WarningLevel::Critical, warnings.critical_outages)]
        {
            turn(level, WarningCause::Outages, outages > 0 && outages >= count(threshold));
        }
        if at % DAY_MS == 0 {
            turn(WarningLevel::Warning, WarningCause::Projection, self.projects_beyond(at, usage));
        }
        news.sort_unstable();
        news
    }

    /// Whether both burns would use up more than the budget within the horizon (R12).
    fn projects_beyond(&self, at: i64, usage: Usage) -> bool {
        [7, 30].into_iter().all(|days: i64| {
            let length = days * DAY_MS;
            let burnt = self.scoped.ground.effective.ms_in(usage.window.from.max(at - length), at);
            let horizon = i128::from(self.scoped.policy.warnings.projection.ms());
            let length = i128::from(length);
            i128::from(usage.downtime) * length + i128::from(burnt) * horizon > i128::from(usage.budget) * length
        })
    }

    /// Whether too little of the last 30 days was measured (R12).
    fn is_dark(&self, at: i64) -> bool {
        let from = at - 30 * DAY_MS;
        let (measured, badged) = self.scoped.ground.coverage(from, at);
        self.scoped.ground.held.ms_in(from, at) >= DAY_MS && is_below(measured, badged, self.scoped.policy.min_coverage)
    }

    fn budget_levels(&self) -> [(WarningLevel, Ppm); 3] {
        let warnings = &self.scoped.policy.warnings;
        [
            (WarningLevel::Watch, warnings.watch_budget),
            (WarningLevel::Warning, warnings.warning_budget),
            (WarningLevel::Critical, warnings.critical_budget),
        ]
    }

    /// Every instant from `since` on, as long as the policy judges, at which the window's course or anything else may turn;
    /// between two of them usage grows, shrinks or stays, evenly.
    fn turns(&self) -> Vec<i64> {
        let Scoped { policy, product, last, ground, .. } = self.scoped;
        let mut turns = vec![self.since, *last];
        turns.extend(product.turns());
        // An outage that goes on counts again from the first millisecond of the new year on.
        turns.extend(resets(policy, self.since, *last).into_iter().flat_map(|reset| [reset, reset + 1]));
        turns.extend((0..).map(|day| (self.since.div_euclid(DAY_MS) + day) * DAY_MS).take_while(|midnight| midnight <= last));
        turns.extend(
            self.scoped.outages.iter().flat_map(|outage| [Some(outage.qualifies), self.scoped.touches_from(outage)]).flatten(),
        );
        let edges = self.global.iter().chain(ground.effective.iter()).flat_map(|Span { from, to }| [from, to]);
        let edges = edges.chain([self.scoped.start]).chain(self.floor);
        let length = match policy.window {
            domain::policy::WindowRule::Rolling(length) => length.ms(),
            domain::policy::WindowRule::ResetsOn { .. } => 0,
        };
        turns.extend(edges.flat_map(|edge| [edge, edge + 1, edge + length, edge + length + 1]));
        turns.retain(|turn| (self.since..=*last).contains(turn));
        turns.sort_unstable();
        turns.dedup();
        turns
    }

    /// The instants between two turns at which usage passes a level that matters.
    fn crossings(&self, from: i64, to: i64) -> Vec<i64> {
        let usage = |at, frame: Option<super::calendar::Frame>| frame.map(|frame| self.scoped.usage(at, frame, self.floor));
        let first = usage(from, frames(self.scoped.policy, from).last().copied());
        let last = usage(to, frames(self.scoped.policy, to).first().copied());
        let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
        debug_assert!([0, to - from].contains(&(last.downtime - first.downtime).abs()), "usage is even between turns");
        let (low, high) = (first.downtime.min(last.downtime), first.downtime.max(last.downtime));
        let levels = self.levels(first.budget).into_iter().filter(|level| low < *level && *level < high);
        let mut instants: Vec<i64> = levels.map(|level| from + (level - first.downtime).abs()).collect();
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    /// Usages at which a budget reason may begin or lapse, or the badge be removed.
    fn levels(&self, budget: i64) -> Vec<i64> {
        let hysteresis = self.scoped.policy.warnings.hysteresis.get();
        let shares = self.budget_levels().into_iter().flat_map(|(_, share)| [share.get(), (share.get() - hysteresis).max(0)]);
        let floors = shares.map(|share| i128::from(budget) * i128::from(share) / 1_000_000);
        let floors = floors.map(|floor| i64::try_from(floor).expect("a share of the budget is no more than it"));
        let refused = self.refused.map(|refused| refused.downtime);
        floors.chain([0, budget]).chain(refused).flat_map(|floor| [floor, floor + 1]).collect()
    }
}

impl Warned {
    /// The highest active level.
    pub(super) fn level(&self) -> Option<WarningLevel> {
        self.reasons.last().map(|(level, _)| *level)
    }
}

/// Whether measured time is below a share of badged time, which isn't nothing.
pub(super) fn is_below(measured: i64, badged: i64, share: Ppm) -> bool {
    badged > 0 && i128::from(measured) * 1_000_000 < i128::from(badged) * i128::from(share.get())
}

/// A decision with the window that it rests on.
pub(super) fn with_usage(mut decision: Decision, usage: Usage) -> Decision {
    decision.evidence.window = Some(usage.window.shown());
    decision.evidence.downtime_ms = Some(usage.downtime);
    decision.evidence.budget_ms = Some(usage.budget);
    decision
}

/// A number of the policy that outages are counted against.
pub(super) fn count(number: u32) -> usize {
    usize::try_from(number).expect("a usize has at least 32 bits")
}
