//! While the badge is off (R14, R15): from the breach to the reinstatement or T.

use domain::{Decision, DecisionKind, Reason, Timestamp};

use super::calendar::budget;
use super::on::{count, is_below};
use super::scoped::Scoped;

/// How a time with the badge off ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OffEnd {
    /// The badge is back.
    Reinstated {
        /// When.
        at: i64,
        /// When the probation that was passed started: the new floor.
        floor: i64,
    },
    /// Probation hasn't started, or is to start anew.
    Removed,
    /// Months are counted.
    Probation { started: i64, passed: u32 },
    /// Only requirements fail.
    Held { started: i64, passed: u32 },
}

/// How one probation ends.
enum Course {
    Ends(OffEnd),
    /// It is to start anew at this instant, or isn't yet by T.
    Restarts(Option<i64>, Vec<Reason>),
}

/// Follows a scope from a breach on.
pub(super) fn off(scoped: &Scoped<'_>, breach: i64, decisions: &mut Vec<Decision>) -> OffEnd {
    let Some(mut start) = settled_and_held(scoped, breach) else { return OffEnd::Removed };
    decisions.push(scoped.decide(DecisionKind::ProbationStarted, start, Vec::new()));
    loop {
        match probation(scoped, start, decisions) {
            Course::Ends(end) => return end,
            Course::Restarts(None, _) => return OffEnd::Removed,
            Course::Restarts(Some(at), reasons) => {
                decisions.push(scoped.decide(DecisionKind::ProbationRestarted, at, reasons));
                start = at;
            }
        }
    }
}

fn probation(scoped: &Scoped<'_>, start: i64, decisions: &mut Vec<Decision>) -> Course {
    let mut held_since = None;
    let mut month = 0;
    loop {
        let (from, to) = (after(start, month), after(start, month + 1));
        // What holds back the badge can end in any month; a break comes before that, a month's
        // end comes before that, too.
        let grant = held_since.and_then(|since| scoped.granted(since));
        let broken = first_break(scoped, start, from, to);
        let (end, is_break) = match &broken {
            Some((at, _)) => (scoped.first_held(*at), true),
            None => (scoped.first_held(to), false),
        };
        if let Some(at) = grant.filter(|grant| end.is_none_or(|end| *grant < end)) {
            decisions.push(scoped.decide(DecisionKind::Reinstatement, at, Vec::new()));
            return Course::Ends(OffEnd::Reinstated { at, floor: start });
        }
        if let (Some((at, reasons)), true) = (broken, is_break) {
            return Course::Restarts(settled_and_held(scoped, at), reasons);
        }
        let Some(end) = end else {
            let (started, passed) = (start, month);
            let end = if held_since.is_some() { OffEnd::Held { started, passed } } else { OffEnd::Probation { started, passed } };
            return Course::Ends(end);
        };
        if is_dark(scoped, from, to) {
            return Course::Restarts(Some(end), vec![Reason::Coverage]);
        }
        let passed = month + 1;
        if passed <= scoped.policy.probation_months {
            let mut decision = scoped.decide(DecisionKind::ProbationMonthPassed, end, Vec::new());
            decision.evidence.month = Some(passed);
            decisions.push(decision);
        }
        if passed == scoped.policy.probation_months {
            let failures = scoped.failures(end);
            if failures.is_empty() {
                decisions.push(scoped.decide(DecisionKind::Reinstatement, end, Vec::new()));
                return Course::Ends(OffEnd::Reinstated { at: end, floor: start });
            }
            decisions.push(scoped.decide(DecisionKind::ReinstatementHeld, end, failures));
            held_since = Some(end);
        }
        month = passed;
    }
}

/// The first instant up to T at which a month of the probation from `start` breaks, and why.
fn first_break(scoped: &Scoped<'_>, start: i64, from: i64, to: i64) -> Option<(i64, Vec<Reason>)> {
    let in_month = |at: &i64| from < *at && *at <= to && *at <= scoped.at;
    let over_budget = scoped.ground.effective.reached(from, budget(scoped.policy.target, to - from) + 1).filter(in_month);
    let begun = scoped.outages.iter().filter(|outage| start <= outage.run.from);
    let too_many = begun.skip(count(scoped.policy.outages_max)).filter_map(|outage| scoped.touches_from(outage));
    let too_many = too_many.filter(in_month).min();
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

/// When what an instant is part of has ended and the scope is held, if by T.
fn settled_and_held(scoped: &Scoped<'_>, at: i64) -> Option<i64> {
    scoped.settled(at).and_then(|end| scoped.first_held(end))
}

/// "k months after s" (R1), after all of time where there is no such instant.
fn after(start: i64, months: u32) -> i64 {
    match Timestamp::clamped(start).plus_months(months) {
        Timestamp::MAX => i64::MAX,
        at => at.ms(),
    }
}
