//! Removals that wait for somebody: proposed in review (R22), or held back by a brake (R25).
//!
//! In review a proposal is implied; what a brake makes of an implied removal isn't. Either waits until
//! it is ruled on, whatever the switch does meanwhile, and nothing of the arc is issued before. A
//! ruling is about a proposal as it was issued; it closes it.

use domain::decision::{Decision, DecisionKind, Reason, Scope};
use domain::fact::{Ruling, Verdict};
use domain::interval::Interval;
use domain::time::Timestamp;

use super::Desk;
use super::episode::{Episode, Role, pairs};
use crate::fold::may_be_about;

/// What an implied removal or proposal that has no counterpart meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// This proposal is about it, and nobody has ruled yet.
    Waits(usize),
    /// A removal that was confirmed by a ruling on this proposal.
    Confirmed(usize),
    /// A proposal that has been ruled on.
    Ruled,
}

/// What became of a scope's proposals.
pub(super) struct Answers {
    /// By place in the implied decisions.
    pub(super) of: Vec<Option<Answer>>,
    /// Proposals that are no longer implied and that nobody ruled on.
    pub(super) gone: Vec<usize>,
}

/// Finds the proposals that are about implied decisions without a counterpart.
pub(super) fn answers(
    desk: &Desk<'_>,
    scope: Scope,
    implied: &[&Decision],
    arcs: &[Episode],
    counterparts: &[Option<usize>],
) -> Answers {
    let issued = &desk.issued;
    let mut of = vec![None; implied.len()];
    let is_proposal = |entry: &usize| issued.first(*entry).scope == scope && issued.first(*entry).kind == DecisionKind::Proposal;
    let mut open: Vec<usize> = issued.standing().filter(is_proposal).collect();
    let mut ruled: Vec<(usize, &Ruling)> = open.iter().filter_map(|&entry| Some((entry, ruling_on(desk, entry)?))).collect();
    ruled.sort_by_key(|(_, ruling)| ruling.at);
    open.retain(|entry| !issued.is_answered(*entry) && !ruled.iter().any(|(other, _)| other == entry));
    open.sort_by_key(|&entry| issued.latest(entry).at);
    // Each ruling is about one proposal that is implied, and about one removal.
    let mut of_removals = ruled.clone();
    of_removals.retain(|(_, ruling)| ruling.verdict == Verdict::Confirmed);
    let mut of_proposals = ruled;
    for (place, decision) in implied.iter().enumerate() {
        let next = match decision.kind {
            DecisionKind::BadgeRemoval => take(desk, &mut of_removals, decision.at).map(Answer::Confirmed),
            DecisionKind::Proposal => take(desk, &mut of_proposals, decision.at).map(|_| Answer::Ruled),
            _ => None,
        };
        of[place] = next;
    }
    let mut waiting = waiting(implied, arcs, |place| counterparts[place].is_none() && of[place].is_none());
    // What review proposed doesn't hold back a removal that is now implied without it.
    let is_braked = |entry: usize| issued.latest(entry).reasons.iter().any(|reason| is_brake(*reason));
    let may_wait = |entry: usize, place: usize| is_braked(entry) || implied[place].kind == DecisionKind::Proposal;
    open.retain(|&entry| {
        let is_same = |place: usize| may_wait(entry, place) && !has_moved(issued.latest(entry), implied[place]);
        let same = waiting.iter().position(|&(place, _)| is_same(place));
        let place = same.map(|at| waiting.remove(at).0);
        if let Some(place) = place {
            of[place] = Some(Answer::Waits(entry));
        }
        place.is_none()
    });
    for braked in [false, true] {
        let span = |&entry: &usize| (entry, Interval::new(issued.latest(entry).at, Timestamp::MAX));
        let spans: Vec<_> = open.iter().filter(|entry| is_braked(**entry) == braked).map(span).collect();
        let left = |place: usize| of[place].is_none() && (braked || implied[place].kind == DecisionKind::Proposal);
        let left: Vec<_> = waiting.iter().copied().filter(|&(place, _)| left(place)).collect();
        for (entry, place) in pairs(&spans, &left) {
            of[place] = Some(Answer::Waits(entry));
            open.retain(|&other| other != entry);
        }
    }
    Answers { of, gone: open }
}

/// Decides on an implied removal, suspension or proposal that has no counterpart. Yields its entry, if it
/// is issued as what it is.
pub(super) fn decide(desk: &mut Desk<'_>, implied: &Decision, answer: Option<Answer>) -> Option<usize> {
    match answer {
        Some(Answer::Ruled) => {}
        Some(Answer::Waits(entry)) => keep(desk, entry, implied),
        Some(Answer::Confirmed(entry)) => {
            let follows = (!desk.issued.is_answered(entry)).then(|| desk.issued.latest(entry).id);
            desk.issue_as(implied.kind, implied.reasons.clone(), implied, follows);
            return desk.issued.entries().last();
        }
        None if desk.is_frozen(implied) => {}
        None => {
            let t = desk.context.t;
            let limit = desk.context.policies.at(t).max_removals_per_hour;
            let brake = desk.context.brakes.hold(t, limit).filter(|_| implied.kind == DecisionKind::BadgeRemoval);
            let Some(brake) = brake else {
                desk.issue(implied);
                return desk.issued.entries().last();
            };
            let reasons = implied.reasons.iter().copied().chain([brake]).collect();
            desk.issue_as(DecisionKind::Proposal, reasons, implied, None);
        }
    }
    None
}

/// Lets an open proposal wait, amended where what it is about has moved. What held it back stays.
fn keep(desk: &mut Desk<'_>, entry: usize, implied: &Decision) {
    let latest = desk.issued.latest(entry);
    if has_moved(latest, implied) {
        let brakes = latest.reasons.iter().filter(|reason| is_brake(**reason));
        let reasons = implied.reasons.iter().chain(brakes).copied().collect();
        desk.amend(entry, implied, reasons);
    }
}

/// Whether a proposal is dated or reasoned otherwise than what it is about, but for what held it back.
fn has_moved(proposal: &Decision, implied: &Decision) -> bool {
    let reasons = proposal.reasons.iter().filter(|reason| !is_brake(**reason));
    proposal.at != implied.at || !reasons.eq(&implied.reasons)
}

/// The implied openings and proposals that `waits` picks, each up to the end of its arc or the next.
fn waiting(implied: &[&Decision], arcs: &[Episode], waits: impl Fn(usize) -> bool) -> Vec<(usize, Interval)> {
    let starts: Vec<usize> =
        (0..implied.len()).filter(|&place| matches!(Role::of(implied[place].kind), Role::Opening | Role::Proposal)).collect();
    let ends = starts.iter().skip(1).map(|&next| implied[next].at).chain([Timestamp::MAX]);
    let span = |(&place, end): (&usize, Timestamp)| {
        let arc = arcs.iter().find(|arc| arc.opening == Some(place));
        (place, Interval::new(implied[place].at, arc.map_or(end, |arc| arc.span.to)))
    };
    starts.iter().zip(ends).map(span).filter(|&(place, _)| waits(place)).collect()
}

/// The ruling on a proposal, by T.
fn ruling_on<'a>(desk: &Desk<'a>, entry: usize) -> Option<&'a Ruling> {
    let rulings = desk.context.rulings;
    rulings.iter().find(|ruling| ruling.at <= desk.context.t && desk.issued.is_named(entry, ruling.proposal))
}

/// The proposal of the first ruling that is about a breach at `at`; it is used then.
fn take(desk: &Desk<'_>, rulings: &mut Vec<(usize, &Ruling)>, at: Timestamp) -> Option<usize> {
    let first = rulings.iter().position(|(_, ruling)| may_be_about(desk.context.policies, ruling, at))?;
    Some(rulings.remove(first).0)
}

fn is_brake(reason: Reason) -> bool {
    matches!(reason, Reason::KillSwitch | Reason::RemovalLimit)
}
