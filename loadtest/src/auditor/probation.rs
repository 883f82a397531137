//! While the badge is off (R14, R15): from the breach to the reinstatement or T.

use domain::{Decision, DecisionKind, Reason, Timestamp};

use super::calendar::budget;
use super::on::{count, is_below};
use super::scoped::Scoped;

/// How far a time with the badge off is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Probation starts at the end of the run that holds an instant.
    Unsettled {
        /// The breach, or the break of a month.
        holds: i64,
        /// A confirmation, before which it doesn't start (R22).
        not_before: i64,
        /// Why it is to start anew, if it had started.
        restart: Option<Vec<Reason>>,
    },
    /// Months are counted.
    Probation {
        started: i64,
        passed: u32,
        /// Only requirements fail.
        is_held: bool,
    },
}

/// How a time with the badge off ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum OffEnd {
    /// The badge is back.
    Reinstated {
        /// When.
        at: i64,
        /// When the probation that was passed started: the new floor.
        floor: i64,
    },
    /// It is still off when the policy no longer judges.
    Lasts(Phase),
}

/// How one probation ends.
enum Course {
    Ends(OffEnd),
    /// A month breaks: probation starts anew at the end of the run that holds the instant.
    Breaks(i64, Vec<Reason>),
    /// A month was dark: probation starts anew at its end.
    Dark(i64),
}

/// Follows a scope through a time with the badge off.
pub(super) fn off(scoped: &Scoped<'_>, mut phase: Phase, decisions: &mut Vec<Decision>) -> OffEnd {
    let anew = |started| Phase::Probation { started, passed: 0, is_held: false };
    loop {
        phase = match phase {
            Phase::Unsettled { holds, not_before, restart } => {
                let start = scoped.settled(holds).and_then(|end| scoped.first_held(end.max(not_before)));
                let Some(start) = start else { return OffEnd::Lasts(Phase::Unsettled { holds, not_before, restart }) };
                decisions.push(match restart {
                    Some(reasons) => scoped.decide(DecisionKind::ProbationRestarted, start, reasons),
                    None => scoped.decide(DecisionKind::ProbationStarted, start, Vec::new()),
                });
                anew(start)
            }
            Phase::Probation { started, passed, is_held } => match probation(scoped, started, passed, is_held, decisions) {
                Course::Ends(end) => return end,
                Course::Breaks(holds, reasons) => Phase::Unsettled { holds, not_before: holds, restart: Some(reasons) },
                Course::Dark(at) => {
                    decisions.push(scoped.decide(DecisionKind::ProbationRestarted, at, vec![Reason::Coverage]));
                    anew(at)
                }
            },
        };
    }
}

/// Follows a probation of which `passed` months have passed.
fn probation(scoped: &Scoped<'_>, start: i64, mut passed: u32, is_held: bool, decisions: &mut Vec<Decision>) -> Course {
    let months = scoped.policy.probation_months;
    // At a switch the months passed may be enough, or no longer be (R18).
    let mut held_since = (is_held && passed >= months).then_some(scoped.from);
    let mut is_due = passed >= months && !is_held;
    loop {
        let (from, to) = (after(start, passed), after(start, passed + 1));
        // What holds back the badge can end in any month; a break comes before that, a month's
        // end comes before that, too.
        let grant = held_since.and_then(|since| scoped.granted(since));
        let broken = first_break(scoped, start, from, to);
        let end = scoped.first_held(broken.as_ref().map_or(to, |(at, _)| *at));
        if let Some(at) = grant.filter(|grant| end.is_none_or(|end| *grant < end)) {
            decisions.push(scoped.decide(DecisionKind::Reinstatement, at, Vec::new()));
            return Course::Ends(OffEnd::Reinstated { at, floor: start });
        }
        // It is due at the switch, also where a region that is lost then has to be gained again first.
        let is_first = scoped.from < to && broken.as_ref().is_none_or(|(at, _)| scoped.from < *at);
        if std::mem::take(&mut is_due) && is_first {
            let Some(at) = scoped.first_held(scoped.from) else {
                return Course::Ends(OffEnd::Lasts(Phase::Probation { started: start, passed, is_held: false }));
            };
            if is_reinstated(scoped, at, decisions) {
                return Course::Ends(OffEnd::Reinstated { at, floor: start });
            }
            held_since = Some(at);
            continue;
        }
        if let Some((at, reasons)) = broken {
            return Course::Breaks(at, reasons);
        }
        let Some(end) = end else {
            return Course::Ends(OffEnd::Lasts(Phase::Probation { started: start, passed, is_held: held_since.is_some() }));
        };
        if is_dark(scoped, from, to) {
            return Course::Dark(end);
        }
        passed += 1;
        if passed <= months {
            let mut decision = scoped.decide(DecisionKind::ProbationMonthPassed, end, Vec::new());
            decision.evidence.month = Some(passed);
            // Of several months that pass at one instant only the last is told (R18).
            decisions.pop_if(|last| (last.kind, last.scope, last.at) == (decision.kind, decision.scope, decision.at));
            decisions.push(decision);
        }
        if passed >= months && held_since.is_none() {
            if is_reinstated(scoped, end, decisions) {
                return Course::Ends(OffEnd::Reinstated { at: end, floor: start });
            }
            held_since = Some(end);
        }
    }
}

/// Judges the requirements once the months are enough: whether the badge is back, or held.
fn is_reinstated(scoped: &Scoped<'_>, at: i64, decisions: &mut Vec<Decision>) -> bool {
    let failures = scoped.failures(at);
    let is_back = failures.is_empty();
    let kind = if is_back { DecisionKind::Reinstatement } else { DecisionKind::ReinstatementHeld };
    decisions.push(scoped.decide(kind, at, failures));
    is_back
}

/// The first instant at which a month of the probation from `start` breaks, and why.
///
/// In the month of a switch everything is judged at it that would have broken the month before it by
/// the new numbers (R18); outages are counted from probation's start on, whichever month they are in.
fn first_break(scoped: &Scoped<'_>, start: i64, from: i64, to: i64) -> Option<(i64, Vec<Reason>)> {
    let judged = |at: i64| Some(at.max(scoped.from)).filter(|at| *at <= scoped.last);
    let over_budget = scoped.ground.effective.reached(from, budget(scoped.policy.target, to - from) + 1);
    let over_budget = over_budget.filter(|at| *at <= to).and_then(judged);
    let begun = scoped.outages.iter().filter(|outage| start <= outage.run.from);
    let too_many = begun.skip(count(scoped.policy.outages_max)).filter_map(|outage| scoped.touches_from(outage));
    let too_many = too_many.filter(|at| (*at).max(scoped.from) > from && *at <= to).filter_map(judged).min();
    let at = [over_budget, too_many].into_iter().flatten().min()?;
    let reasons = [(over_budget, Reason::Budget), (too_many, Reason::Outages)];
    Some((at, reasons.into_iter().filter(|(instant, _)| *instant == Some(at)).map(|(_, reason)| reason).collect()))
}

/// Whether a month restarts probation at its end (R14).
fn is_dark(scoped: &Scoped<'_>, from: i64, to: i64) -> bool {
    let mut badged_at_all = false;
    for (badged, measured) in &scoped.ground.regions {
        let (badged, measured) = (badged.ms_in(from, to), measured.ms_in(from, to));
        badged_at_all |= badged > 0;
        if is_below(measured, badged, scoped.policy.min_coverage) {
            return true;
        }
    }
    !badged_at_all
}

/// "k months after s" (R1), after all of time where there is no such instant.
fn after(start: i64, months: u32) -> i64 {
    match Timestamp::clamped(start).plus_months(months) {
        Timestamp::MAX => i64::MAX,
        at => at.ms(),
    }
}
