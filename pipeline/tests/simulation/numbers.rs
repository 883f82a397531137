//! The numbers that removals in force rest on against the auditor's (R26).

use std::collections::BTreeSet;

use domain::{Decision, DecisionKind, Reason, Report};

/// What is wrong with the downtime and budget of removals that are as they were issued.
///
/// Only those for downtime that grew past the budget are compared: what else leads to a breach may do so
/// with any downtime, and late evidence that changes only this amends nothing (R21). Where the window begins
/// isn't compared: late evidence may move it alone (R10).
pub(crate) fn faults(truth: &Report, log: &[Decision]) -> Vec<String> {
    let touched: BTreeSet<_> = log.iter().filter_map(|decision| decision.supersedes).collect();
    let is_removal = |one: &&Decision| one.kind == DecisionKind::BadgeRemoval && one.reasons == [Reason::Budget];
    let mut faults = Vec::new();
    for issued in log.iter().filter(is_removal).filter(|issued| !touched.contains(&issued.id)) {
        let is_same = |one: &&Decision| (&one.asin, one.scope, one.at) == (&issued.asin, issued.scope, issued.at);
        let Some(implied) = truth.decisions.iter().filter(is_removal).find(is_same) else { continue };
        let numbers = |one: &Decision| (one.evidence.downtime_ms, one.evidence.budget_ms);
        let (downtime, budget) = numbers(implied);
        if downtime == budget.map(|budget| budget + 1) && numbers(issued) != (downtime, budget) {
            faults.push(format!("{}: rests on {:?}, implied {:?}", issued.id, numbers(issued), numbers(implied)));
        }
    }
    faults
}
