//! Removals and what follows from them, suspensions, proposals.

use domain::decision::{Decision, DecisionKind, Scope};

use super::episode::{Episode, Role, implied as implied_episodes, overlapping};
use super::proposals;
use super::{Desk, Issued};

/// Issues a scope's enforcement: takes back what is no longer implied, then amends, then adds, each in
/// order and up to the first that hasn't settled.
pub(super) fn reconcile(desk: &mut Desk<'_>, scope: Scope, implied: &[&Decision]) {
    let mut plan = Plan::new(&desk.issued, scope, implied);
    let answers = proposals::answers(desk, scope, implied, &plan.arcs, &plan.counterparts);
    plan.gone.extend(answers.gone);
    // What is frozen stays as it was issued.
    plan.gone.retain(|&entry| desk.issued.latest(entry).at >= desk.context.complete_from);
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
        } else if !add_step(desk, decision, plan.opening_of(place).map(|opening| plan.counterparts[opening])) {
            break;
        }
    }
}

/// Issues a step that is new. `opening` is what opened its arc in its scope, and the entry of that, if it
/// was issued: nothing follows what is withheld. Whether what comes after it needn't wait: the log alone
/// says which arc a step belongs to, so it waits while the next arc is still dated too early.
fn add_step(desk: &mut Desk<'_>, step: &Decision, opening: Option<Option<usize>>) -> bool {
    let is_withheld = opening == Some(None) || step.at < desk.issued.horizon();
    let fits = is_withheld || desk.issued.arc_at(step) == opening.flatten();
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
        for &(arc, place) in &matched {
            let left = plan.pair_steps(issued, implied, &standing[arc], place);
            plan.gone.extend(left);
        }
        plan
    }

    /// Pairs the steps of an issued arc with those of its implied counterpart: equal ones first, the
    /// others by kind and month, in order. Yields the entries that are left.
    fn pair_steps(&mut self, issued: &Issued, implied: &[&Decision], standing: &Episode, arc: usize) -> Vec<usize> {
        let mut left = standing.steps.clone();
        let Episode { opening, steps, .. } = &self.arcs[arc];
        // Of arcs with an opening all is kept or all forgotten.
        let is_kept = |place: usize| opening.is_some() || issued.horizon() <= implied[place].at;
        for may_move in [false, true] {
            for &place in steps.iter().filter(|place| is_kept(**place)) {
                let is_one = |entry: &usize| {
                    is_like(issued, *entry, implied[place]) && (may_move || !differs(issued.latest(*entry), implied[place]))
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
