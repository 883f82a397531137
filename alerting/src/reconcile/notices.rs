//! Warnings, coverage warnings and critical outages: issued once, never taken back (R12, R21).
//!
//! One that is no longer implied lapses in silence. One that moved was said already: a warning for the
//! same reasons, at most [`MOVE_MAX`] away and while the badge was on, is not repeated, a critical outage
//! of the same run is amended. Whatever else is implied was never said, and is issued (ADR 5).

use std::collections::BTreeMap;

use domain::decision::{Decision, DecisionKind, Scope};
use domain::time::{DAY_MS, DurationMs};

use super::Desk;
use super::episode::Role;

/// How far a warning may have moved and still be the one that was told. Some are judged only at 00:00 UTC
/// (R12), and move by whole days: it can't be shorter. It isn't longer, as telling one twice costs a mail,
/// and keeping silent about another costs its whole warning.
const MOVE_MAX: DurationMs = DurationMs(DAY_MS);

/// Issues a scope's notices.
pub(super) fn reconcile(desk: &mut Desk<'_>, scope: Scope, implied: &[&Decision]) {
    for (notice, entry) in counterparts(desk, scope, implied) {
        if !desk.is_due(notice) {
            continue;
        }
        match entry {
            None => desk.issue(notice),
            Some(entry) if notice.kind == DecisionKind::CriticalOutage && desk.issued.latest(entry).at != notice.at => {
                desk.amend(entry, notice, notice.reasons.clone());
            }
            Some(_) => {}
        }
    }
}

/// Each implied notice with what was issued about it. Equal ones find each other first; each of the
/// rest, in order of time, the nearest that is left and may be the same. Settled or not, so T has no say
/// in it.
fn counterparts<'d>(desk: &Desk<'_>, scope: Scope, implied: &[&'d Decision]) -> Vec<(&'d Decision, Option<usize>)> {
    let issued = &desk.issued;
    let is_notice = |decision: &Decision| Role::of(decision.kind) == Role::Notice;
    let mut left: Vec<usize> =
        issued.entries().filter(|&e| issued.first(e).scope == scope && is_notice(issued.first(e))).collect();
    left.retain(|&entry| !desk.is_frozen(issued.latest(entry)));
    let notices: Vec<&Decision> =
        implied.iter().copied().filter(|decision| is_notice(decision) && !desk.is_frozen(decision)).collect();
    let mut found: BTreeMap<usize, usize> = BTreeMap::new();
    for (place, notice) in notices.iter().enumerate() {
        let is_equal = |entry: &usize| is_like(issued.first(*entry), notice) && issued.latest(*entry).at == notice.at;
        if let Some(at) = left.iter().position(is_equal) {
            found.insert(place, left.remove(at));
        }
    }
    let reinstated: Vec<_> = implied.iter().filter(|d| Role::of(d.kind) == Role::Closing).map(|d| d.at).collect();
    let phase = |decision: &Decision| reinstated.partition_point(|&at| at <= decision.at);
    for (place, notice) in notices.iter().enumerate().filter(|(place, _)| !found.contains_key(place)).collect::<Vec<_>>() {
        let near = |entry: usize| issued.latest(entry).at.ms().abs_diff(notice.at.ms());
        let said = |entry: usize| {
            let latest = issued.latest(entry);
            is_like(issued.first(entry), notice)
                && if notice.kind == DecisionKind::CriticalOutage {
                    is_same_run(latest, notice)
                } else {
                    near(entry) <= MOVE_MAX.ms().unsigned_abs() && phase(latest) == phase(notice)
                }
        };
        let nearest = left.iter().enumerate().filter(|&(_, &entry)| said(entry)).min_by_key(|&(_, &entry)| near(entry));
        if let Some(at) = nearest.map(|(at, _)| at) {
            found.insert(place, left.remove(at));
        }
    }
    notices.iter().enumerate().map(|(place, &notice)| (notice, found.get(&place).copied())).collect()
}

fn is_like(issued: &Decision, implied: &Decision) -> bool {
    issued.kind == implied.kind && issued.reasons == implied.reasons
}

/// A critical outage's window is the part of its run up to its instant.
fn is_same_run(issued: &Decision, implied: &Decision) -> bool {
    let windows = issued.evidence.window.zip(implied.evidence.window);
    windows.is_some_and(|(a, b)| a.from == b.from || !a.intersect(b).is_empty())
}
