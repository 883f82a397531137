//! What a reader of the `decisions` log alone takes to be in force: a naive reading of R20 and R21, the
//! oracle for whoever issues.

use domain::decision::{Decision, DecisionId, DecisionKind, Reason, Scope};
use domain::time::Timestamp;

/// An enforcement decision in force.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct InForce {
    /// Where.
    pub scope: Scope,
    /// As dated by its latest amendment.
    pub at: Timestamp,
    /// What is decided.
    pub kind: DecisionKind,
    /// Why, by its latest amendment.
    pub reasons: Vec<Reason>,
    /// Of a probation month: its number.
    pub month: Option<u32>,
}

const NOTICES: [DecisionKind; 4] =
    [DecisionKind::Warning, DecisionKind::CoverageWarning, DecisionKind::CriticalOutage, DecisionKind::ServiceDegradation];

/// What decisions say before anything became of them; warnings lapse and are left out.
#[must_use]
pub fn said(decisions: &[Decision]) -> Vec<InForce> {
    let mut out: Vec<InForce> = decisions.iter().filter(|decision| !NOTICES.contains(&decision.kind)).map(in_force).collect();
    out.sort();
    out
}

/// What begins an arc.
const OPENINGS: [DecisionKind; 2] = [DecisionKind::BadgeRemoval, DecisionKind::Suspension];

/// A decision in force as its latest amendment names it, and by what id its arc was opened: by the last
/// opening before it, as of when it was issued.
struct Kept {
    /// As issued and as amended; never empty.
    ids: Vec<DecisionId>,
    arc: Option<DecisionId>,
    /// Of a proposal: whether a removal followed it.
    is_answered: bool,
    says: InForce,
}

/// The log of a subject with amendments and reversals applied. An opening's reversal takes back its arc.
///
/// # Panics
/// When something is amended or reversed that isn't in force: then the log is unsound.
#[must_use]
pub fn effective(log: &[Decision]) -> Vec<InForce> {
    let mut out: Vec<InForce> = kept(log).into_iter().map(|kept| kept.says).collect();
    out.sort();
    out
}

/// The proposals in force that no removal followed, each with the ids that name it.
///
/// # Panics
/// As [`effective`].
#[must_use]
pub fn unanswered(log: &[Decision]) -> Vec<(InForce, Vec<DecisionId>)> {
    let is_open = |kept: &Kept| kept.says.kind == DecisionKind::Proposal && !kept.is_answered;
    kept(log).into_iter().filter(is_open).map(|kept| (kept.says, kept.ids)).collect()
}

fn kept(log: &[Decision]) -> Vec<Kept> {
    let mut kept: Vec<Kept> = Vec::new();
    let is_about_notice = |decision: &&Decision| NOTICES.contains(&decision.evidence.amends.unwrap_or(decision.kind));
    for decision in log.iter().filter(|decision| !is_about_notice(decision)) {
        let superseded = kept.iter().position(|kept| kept.ids.last().copied() == decision.supersedes);
        match decision.kind {
            DecisionKind::Amendment => {
                let amended = &mut kept[superseded.expect("what is amended is in force")];
                assert_eq!(decision.evidence.amends, Some(amended.says.kind));
                amended.says = InForce { kind: amended.says.kind, ..in_force(decision) };
                amended.ids.push(decision.id);
            }
            DecisionKind::Reversal => {
                let reversed = kept.remove(superseded.expect("what is reversed is in force"));
                assert_eq!(decision.evidence.amends, Some(reversed.says.kind));
                kept.retain(|other| other.arc != Some(reversed.ids[0]));
            }
            _ => {
                if let Some(followed) = superseded {
                    kept[followed].is_answered = true;
                }
                let (says, arc) = (in_force(decision), arc_of(&kept, decision));
                kept.push(Kept { ids: vec![decision.id], arc, is_answered: false, says });
            }
        }
    }
    kept
}

/// What opened the arc of a decision: the last opening before it in its scope.
fn arc_of(kept: &[Kept], step: &Decision) -> Option<DecisionId> {
    let is_step = !OPENINGS.contains(&step.kind) && step.kind != DecisionKind::Proposal;
    let opened = kept.iter().filter(|other| {
        let says = &other.says;
        OPENINGS.contains(&says.kind) && says.scope == step.scope && (says.at, says.kind) < (step.at, step.kind)
    });
    opened.max_by_key(|other| other.says.at).map(|other| other.ids[0]).filter(|_| is_step)
}

fn in_force(decision: &Decision) -> InForce {
    let Decision { scope, at, kind, reasons, evidence, .. } = decision;
    InForce { scope: *scope, at: *at, kind: *kind, reasons: reasons.clone(), month: evidence.month }
}
