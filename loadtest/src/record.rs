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
    id: DecisionId,
    first: DecisionId,
    arc: Option<DecisionId>,
    says: InForce,
}

/// The log of a subject with amendments and reversals applied. An opening's reversal takes back its arc.
///
/// # Panics
/// When something is amended or reversed that isn't in force: then the log is unsound.
#[must_use]
pub fn effective(log: &[Decision]) -> Vec<InForce> {
    let mut kept: Vec<Kept> = Vec::new();
    let is_about_notice = |decision: &&Decision| NOTICES.contains(&decision.evidence.amends.unwrap_or(decision.kind));
    for decision in log.iter().filter(|decision| !is_about_notice(decision)) {
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
                    OPENINGS.contains(&other.says.kind)
                        && other.says.scope == says.scope
                        && (other.says.at, other.says.kind) < (says.at, says.kind)
                });
                let is_step = !OPENINGS.contains(&says.kind) && says.kind != DecisionKind::Proposal;
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
