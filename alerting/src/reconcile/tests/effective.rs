//! The oracle: what a reader of the log alone takes to be in force.

use domain::decision::{Decision, DecisionId, DecisionKind, Reason, Scope};
use domain::time::Timestamp;

/// An enforcement decision in force.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct InForce {
    pub(super) scope: Scope,
    pub(super) at: Timestamp,
    pub(super) kind: DecisionKind,
    pub(super) reasons: Vec<Reason>,
    pub(super) month: Option<u32>,
}

const NOTICES: [DecisionKind; 3] = [DecisionKind::Warning, DecisionKind::CoverageWarning, DecisionKind::CriticalOutage];

/// What decisions say before anything became of them.
pub(super) fn said(decisions: &[Decision]) -> Vec<InForce> {
    let mut out: Vec<InForce> = decisions.iter().filter(|decision| !NOTICES.contains(&decision.kind)).map(in_force).collect();
    out.sort();
    out
}

/// A decision in force as its latest amendment names it, and by what id its arc was opened: by the last
/// removal before it, as of when it was issued.
struct Kept {
    id: DecisionId,
    first: DecisionId,
    arc: Option<DecisionId>,
    says: InForce,
}

/// The log with amendments and reversals applied. A removal's reversal takes back its arc.
pub(super) fn effective(log: &[Decision]) -> Vec<InForce> {
    let mut kept: Vec<Kept> = Vec::new();
    for decision in log.iter().filter(|decision| !NOTICES.contains(&decision.kind)) {
        let superseded = kept.iter().position(|kept| Some(kept.id) == decision.supersedes);
        match decision.kind {
            DecisionKind::Amendment => {
                let amended = &mut kept[superseded.expect("what is amended is in force")];
                assert_eq!(decision.evidence.amends, Some(amended.says.kind));
                amended.says = InForce { kind: amended.says.kind, ..in_force(decision) };
                amended.id = decision.id;
            }
            DecisionKind::Reversal => {
                let reversed = kept.remove(superseded.expect("what is reversed is in force"));
                assert_eq!(decision.evidence.amends, Some(reversed.says.kind));
                kept.retain(|other| other.arc != Some(reversed.first));
            }
            _ => {
                let says = in_force(decision);
                let opened = kept.iter().filter(|other| {
                    (other.says.kind, other.says.scope) == (DecisionKind::BadgeRemoval, says.scope)
                        && (other.says.at, other.says.kind) < (says.at, says.kind)
                });
                let is_step = ![DecisionKind::BadgeRemoval, DecisionKind::Proposal].contains(&says.kind);
                let arc = opened.max_by_key(|other| other.says.at).map(|other| other.first).filter(|_| is_step);
                kept.push(Kept { id: decision.id, first: decision.id, arc, says });
            }
        }
    }
    let mut out: Vec<InForce> = kept.into_iter().map(|kept| kept.says).collect();
    out.sort();
    out
}

fn in_force(decision: &Decision) -> InForce {
    let Decision { scope, at, kind, reasons, evidence, .. } = decision;
    InForce { scope: *scope, at: *at, kind: *kind, reasons: reasons.clone(), month: evidence.month }
}
