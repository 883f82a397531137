//! Warnings, coverage warnings and critical outages against the auditor's (R12, R21): whatever is implied was
//! told, and nothing twice. What late evidence took away stays told, so more may be told than is implied.

use std::collections::{BTreeMap, BTreeSet};

use domain::time::DAY_MS;
use domain::{Asin, Decision, DecisionId, DecisionKind, Policies, Reason, Report, Scope, Timestamp};

/// As ADR 5 reads it: a warning that moved by no more was told.
const MOVE_MAX_MS: u64 = DAY_MS.unsigned_abs();

const KINDS: [DecisionKind; 3] = [DecisionKind::Warning, DecisionKind::CoverageWarning, DecisionKind::CriticalOutage];

/// What has to be the same for one notice to stand for another.
type Like<'d> = (&'d Asin, Scope, DecisionKind, &'d [Reason]);

/// What is wrong with the notices issued by T.
pub(crate) fn faults(policies: &Policies, truth: &Report, log: &[Decision]) -> Vec<String> {
    let mut faults = Vec::new();
    let told = told(log, &mut faults);
    let mut implied: BTreeMap<Like<'_>, Vec<Timestamp>> = BTreeMap::new();
    let settled = truth.decisions.iter().filter(|decision| alerting::settled_at(policies, decision) <= truth.at);
    for (like, at) in settled.filter_map(|decision| Some((like(decision)?, decision.at))) {
        implied.entry(like).or_default().push(at);
    }
    for (like, mut instants) in implied {
        instants.sort_unstable();
        let back = reinstated(truth, like.0, like.1);
        let untold = untold(like.2, &instants, told.get(&like).map_or(&[], Vec::as_slice), &back);
        faults.extend(untold.into_iter().map(|at| format!("{}: never told: {} {} {at} {:?}", like.0, like.2, like.1, like.3)));
    }
    faults
}

fn like(decision: &Decision) -> Option<Like<'_>> {
    let asin = decision.asin.as_ref().filter(|_| KINDS.contains(&decision.kind))?;
    Some((asin, decision.scope, decision.kind, &decision.reasons))
}

/// When the notices that were issued are dated, by their latest amendments, in order of time.
fn told<'d>(log: &'d [Decision], faults: &mut Vec<String>) -> BTreeMap<Like<'d>, Vec<Timestamp>> {
    let mut notices: Vec<(DecisionId, Like<'d>, Timestamp)> = Vec::new();
    for decision in log {
        if let Some(like) = like(decision) {
            notices.push((decision.id, like, decision.at));
        } else if decision.evidence.amends.is_some_and(|kind| KINDS.contains(&kind)) {
            match notices.iter_mut().find(|(id, ..)| Some(*id) == decision.supersedes) {
                Some(notice) if decision.kind == DecisionKind::Amendment => (notice.0, notice.2) = (decision.id, decision.at),
                _ => faults.push(format!("{} takes back or amends a notice in vain", decision.id)),
            }
        }
    }
    let mut out: BTreeMap<Like<'d>, Vec<Timestamp>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (id, like, at) in notices {
        if !seen.insert((like, at)) {
            faults.push(format!("{id} says again what was told: {} {} {} {at}", like.0, like.2, like.1));
        }
        out.entry(like).or_default().push(at);
    }
    out.values_mut().for_each(|instants| instants.sort_unstable());
    out
}

/// When the badge came back in a scope: what is told before isn't told of what comes after.
fn reinstated(truth: &Report, asin: &Asin, scope: Scope) -> Vec<Timestamp> {
    let about = truth.decisions.iter().filter(|one| one.asin.as_ref() == Some(asin) && one.scope == scope);
    about.filter(|one| one.kind == DecisionKind::Reinstatement).map(|one| one.at).collect()
}

/// The implied instants for which no notice is left that stands for them, each for one. Both lists rise;
/// the earliest that may stand for the earliest leaves most to the rest.
fn untold(kind: DecisionKind, implied: &[Timestamp], told: &[Timestamp], reinstated: &[Timestamp]) -> Vec<Timestamp> {
    let phase = |at: Timestamp| reinstated.iter().filter(|back| **back <= at).count();
    let stands = |told: Timestamp, implied: Timestamp| match kind {
        // It is amended when it moves.
        DecisionKind::CriticalOutage => told == implied,
        _ => told.ms().abs_diff(implied.ms()) <= MOVE_MAX_MS && phase(told) == phase(implied),
    };
    let mut left = told.to_vec();
    let mut untold = Vec::new();
    for &at in implied {
        match left.iter().position(|told| stands(*told, at)) {
            Some(place) => drop(left.remove(place)),
            None => untold.push(at),
        }
    }
    untold
}
