//! Removals and what follows from them, suspensions, proposals.

use std::collections::BTreeSet;

use domain::decision::{Decision, DecisionKind, Scope};
use domain::time::Timestamp;

use super::episode::{Episode, Role, dissolve, implied as implied_episodes, openings, overlapping};
use super::proposals;
use super::{Desk, Issued};

/// Issues a scope's enforcement: takes back what is no longer implied, then amends, then adds, each in
/// order and up to the first that hasn't settled.
pub(super) fn reconcile(desk: &mut Desk<'_>, scope: Scope, implied: &[&Decision]) {
    let mut plan = Plan::new(desk, scope, implied);
    let answers = proposals::answers(desk, scope, implied, &plan.arcs, &plan.counterparts);
    plan.gone.extend(answers.gone);
    plan.gone.retain(|&entry| !desk.is_frozen(desk.issued.latest(entry)));
    let is_switched_on = desk.context.brakes.is_on(desk.context.t);
    for &entry in &plan.gone {
        // A badge that would go off by this waits while enforcement is paused.
        if !(is_switched_on && desk.issued.first(entry).kind == DecisionKind::Reinstatement) {
            desk.reverse(entry);
        }
    }
    let enforced = implied.iter().enumerate().filter(|(_, decision)| Role::of(decision.kind) != Role::Notice);
    let due: Vec<(usize, &Decision)> = enforced.map(|(place, d)| (place, *d)).take_while(|(_, d)| desk.is_due(d)).collect();
    for &(place, decision) in &due {
        if let Some(entry) = plan.counterparts[place].filter(|&entry| differs(desk.issued.latest(entry), decision)) {
            desk.amend(entry, decision, decision.reasons.clone());
        }
    }
    for (place, decision) in due {
        if plan.counterparts[place].is_some() {
            continue;
        }
        if matches!(Role::of(decision.kind), Role::Opening | Role::Proposal) {
            plan.counterparts[place] = proposals::decide(desk, decision, answers.of[place]);
        } else if !add_step(desk, &plan, place, decision) {
            break;
        }
    }
}

/// Issues a step that is new: nothing follows an opening that is withheld. Whether what comes after it
/// needn't wait: the log alone says which arc a step belongs to, so it waits while the next arc is still
/// dated too early.
fn add_step(desk: &mut Desk<'_>, plan: &Plan, place: usize, step: &Decision) -> bool {
    let opening = plan.opening_of(place).map(|opening| plan.counterparts[opening]);
    let is_withheld = opening == Some(None) || desk.is_frozen(step);
    let arc = desk.issued.arc_at(step).filter(|entry| !plan.over.contains(entry));
    let fits = is_withheld || arc == opening.flatten();
    if !is_withheld && fits {
        desk.issue(step);
    }
    fits
}

/// What of a scope's issued decisions is which of its implied ones.
struct Plan {
    /// The implied arcs.
    arcs: Vec<Episode>,
    /// The entry of each implied decision.
    counterparts: Vec<Option<usize>>,
    /// Entries that are no longer implied: whole arcs by their opening, then single steps.
    gone: Vec<usize>,
    /// Entries of frozen openings that aren't listed as implied any more.
    over: Vec<usize>,
}

impl Plan {
    fn new(desk: &Desk<'_>, scope: Scope, implied: &[&Decision]) -> Self {
        let issued = &desk.issued;
        let (mut standing, mut arcs) = (issued.episodes(scope), implied_episodes(implied));
        // Of frozen openings the one side may have been forgotten and the other not.
        let frozen = |at: Timestamp| at < desk.context.complete_from;
        let said: BTreeSet<Timestamp> = openings(&standing).map(|entry| issued.latest(entry).at).collect();
        let meant: BTreeSet<Timestamp> = openings(&arcs).map(|place| implied[place].at).collect();
        let over = dissolve(&mut standing, |entry| frozen(issued.latest(entry).at) && !meant.contains(&issued.latest(entry).at));
        dissolve(&mut arcs, |place| frozen(implied[place].at) && !said.contains(&implied[place].at));
        let matched = overlapping(&standing, &arcs);
        let mut plan = Self { arcs, counterparts: vec![None; implied.len()], gone: Vec::new(), over };
        for &(left, right) in &matched {
            if let (Some(entry), Some(place)) = (standing[left].opening, plan.arcs[right].opening) {
                plan.counterparts[place] = Some(entry);
            }
        }
        let is_matched = |arc: &usize| matched.iter().any(|(left, _)| left == arc);
        let unmatched = (0..standing.len()).filter(|arc| !is_matched(arc));
        plan.gone = unmatched.filter_map(|arc| standing[arc].opening).collect();
        for &(arc, place) in &matched {
            let left = plan.pair_steps(desk, implied, &standing[arc], place);
            plan.gone.extend(left);
        }
        plan
    }

    /// Pairs the steps of an issued arc with those of its implied counterpart: equal ones first, the
    /// others by kind and month, in order, but for frozen ones. Yields the entries that are left.
    fn pair_steps(&mut self, desk: &Desk<'_>, implied: &[&Decision], standing: &Episode, arc: usize) -> Vec<usize> {
        let issued = &desk.issued;
        let mut left = standing.steps.clone();
        for may_move in [false, true] {
            for &place in &self.arcs[arc].steps {
                let step = implied[place];
                let is_free = |latest: &Decision| may_move && !desk.is_frozen(step) && !desk.is_frozen(latest);
                let is_one = |entry: &usize| {
                    let latest = issued.latest(*entry);
                    is_like(issued, *entry, step) && (is_free(latest) || !differs(latest, step))
                };
                if self.counterparts[place].is_none()
                    && let Some(at) = left.iter().position(is_one)
                {
                    self.counterparts[place] = Some(left.remove(at));
                }
            }
        }
        left
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
