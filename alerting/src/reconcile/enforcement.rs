//! Removals and what follows from them, suspensions, proposals.

use std::collections::BTreeSet;

use domain::decision::{Decision, DecisionKind, Scope};

use super::episode::{Episode, Role, implied as implied_episodes, overlapping};
use super::proposals;
use super::{Desk, Issued};

/// Issues a scope's enforcement: takes back what is no longer implied, then amends and adds in order,
/// up to the first that hasn't settled.
pub(super) fn reconcile(desk: &mut Desk<'_>, scope: Scope, implied: &[&Decision]) {
    let mut plan = Plan::new(&desk.issued, scope, implied);
    let answers = proposals::answers(desk, scope, implied, &plan.arcs, &plan.counterparts);
    plan.gone.extend(answers.gone);
    let is_switched_on = desk.context.brakes.is_on(desk.context.t);
    for &entry in &plan.gone {
        // A badge that would go off by this waits while enforcement is paused.
        if !(is_switched_on && desk.issued.first(entry).kind == DecisionKind::Reinstatement) {
            desk.reverse(entry);
        }
    }
    let mut withheld = BTreeSet::new();
    for (place, &decision) in implied.iter().enumerate().filter(|(_, d)| Role::of(d.kind) != Role::Notice) {
        if !desk.is_due(decision) {
            break;
        }
        if let Some(entry) = plan.counterparts[place] {
            if differs(desk.issued.latest(entry), decision) {
                desk.amend(entry, decision, decision.reasons.clone());
            }
            continue;
        }
        let role = Role::of(decision.kind);
        let is_withheld = if matches!(role, Role::Opening | Role::Proposal) {
            !proposals::decide(desk, decision, answers.of[place])
        } else {
            let opening = plan.opening_of(place);
            let is_withheld = opening.is_some_and(|opening| withheld.contains(&opening)) || decision.at < desk.issued.horizon();
            if !is_withheld {
                desk.issue(decision);
            }
            is_withheld
        };
        if is_withheld && role == Role::Opening {
            withheld.insert(place);
        }
    }
}

/// What of a scope's issued decisions is which of its implied ones.
struct Plan {
    /// The implied arcs.
    arcs: Vec<Episode>,
    /// The entry of each implied decision.
    counterparts: Vec<Option<usize>>,
    /// Entries that are no longer implied: whole arcs by their opening, then single steps.
    gone: Vec<usize>,
}

impl Plan {
    fn new(issued: &Issued, scope: Scope, implied: &[&Decision]) -> Self {
        let (standing, arcs) = (issued.episodes(scope), implied_episodes(implied));
        let matched = overlapping(&standing, &arcs);
        let mut plan = Self { arcs, counterparts: vec![None; implied.len()], gone: Vec::new() };
        for &(left, right) in &matched {
            if let (Some(entry), Some(place)) = (standing[left].opening, plan.arcs[right].opening) {
                plan.counterparts[place] = Some(entry);
            }
        }
        let is_matched = |arc: &usize| matched.iter().any(|(left, _)| left == arc);
        let unmatched = (0..standing.len()).filter(|arc| !is_matched(arc));
        plan.gone = unmatched.filter_map(|arc| standing[arc].opening).collect();
        let mut left: BTreeSet<usize> = matched.iter().flat_map(|&(arc, _)| standing[arc].steps.iter().copied()).collect();
        plan.pair_equal_steps(issued, implied, &mut left);
        for &(arc, place) in &matched {
            plan.pair_moved_steps(issued, implied, (&standing[arc], place), &mut left);
        }
        plan.gone.extend(left);
        plan
    }

    fn pair_equal_steps(&mut self, issued: &Issued, implied: &[&Decision], left: &mut BTreeSet<usize>) {
        for &place in self.arcs.iter().flat_map(|arc| &arc.steps) {
            let is_equal =
                |entry: &usize| is_like(issued, *entry, implied[place]) && !differs(issued.latest(*entry), implied[place]);
            if let Some(entry) = left.iter().copied().find(|entry| is_equal(entry)) {
                left.remove(&entry);
                self.counterparts[place] = Some(entry);
            }
        }
    }

    /// Pairs what is left of an issued arc and its implied counterpart, by kind and month, in order.
    fn pair_moved_steps(&mut self, issued: &Issued, implied: &[&Decision], pair: (&Episode, usize), left: &mut BTreeSet<usize>) {
        let (standing, arc) = pair;
        for &place in &self.arcs[arc].steps {
            if self.counterparts[place].is_some() || implied[place].at < issued.horizon() {
                continue;
            }
            let moved =
                standing.steps.iter().copied().find(|entry| left.contains(entry) && is_like(issued, *entry, implied[place]));
            if let Some(entry) = moved {
                left.remove(&entry);
                self.counterparts[place] = Some(entry);
            }
        }
    }

    /// What opened the arc of an implied step.
    fn opening_of(&self, step: usize) -> Option<usize> {
        self.arcs.iter().find(|arc| arc.steps.contains(&step)).and_then(|arc| arc.opening)
    }
}

/// Whether an issued step may be an implied one, at whatever instant.
fn is_like(issued: &Issued, entry: usize, implied: &Decision) -> bool {
    issued.first(entry).kind == implied.kind && issued.latest(entry).evidence.month == implied.evidence.month
}

/// Whether an issued decision is to be amended.
fn differs(issued: &Decision, implied: &Decision) -> bool {
    issued.at != implied.at || issued.reasons != implied.reasons
}
