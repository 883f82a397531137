//! The frozen part of a life as plain values, and back: what has to be stored, since the evidence that
//! it rests on may be forgotten (R24). All else is followed anew from there.

use domain::life::{LifeParts, Phase, Refused, State};
use domain::policy::Policies;
use domain::time::Timestamp;

use super::{Life, Memo};
use crate::case::scopes;
use crate::fold::Trail;
use crate::scope::TICK;

impl Life {
    /// What is frozen. As long as [`Self::complete_from`] stays the same, so do these parts: only
    /// [`Self::freeze`] changes them, and it forgets decisions just where it moves that instant on. So to
    /// know whether they have to be stored again it is enough to remember [`LifeParts::next`] of those
    /// that were stored; of one and the same life, and a restored one goes on where the stored one was.
    #[must_use]
    pub fn to_parts(&self) -> LifeParts {
        let frozen = &self.memos[0];
        LifeParts {
            next: frozen.next,
            version: frozen.version,
            depends_until: frozen.depends_until,
            lanes: frozen.lanes.clone(),
            decisions: self.trail.decisions.iter().take(frozen.decisions).cloned().collect(),
            removals: self.trail.removals.iter().take(frozen.removals).copied().collect(),
        }
    }

    /// A life that goes on from what was frozen, by the same policies; `None` where the parts contradict
    /// one another or the policies, and can't have come from [`Self::to_parts`]. Evidence from
    /// [`Self::needs_from`] on has to be gathered anew and named again ([`Self::expect`]); until it is
    /// followed for the first time, it is due at once.
    #[must_use]
    pub fn from_parts(parts: LifeParts, policies: &Policies) -> Option<Self> {
        fits(&parts, policies).then(|| {
            let LifeParts { next, version, depends_until, lanes, decisions, removals } = parts;
            let frozen = Memo { next, version, lanes, decisions: decisions.len(), removals: removals.len(), depends_until };
            // Rulings that act now are news to it, which is no matter: there is no later memo to drop.
            Self { memos: vec![frozen], trail: Trail { decisions, removals }, ..Self::new() }
        })
    }
}

fn fits(parts: &LifeParts, policies: &Policies) -> bool {
    let LifeParts { next, version, lanes, decisions, removals, depends_until: _ } = parts;
    let last = next.saturating_sub(TICK);
    *version == policies.index_at(last)
        && lanes.windows(2).all(|pair| pair[0].scope < pair[1].scope)
        && lanes.iter().all(|lane| scopes(policies.versions()[*version].scope).contains(&lane.scope) && lane_fits(lane, *next))
        && decisions.iter().all(|decision| decision.at < *next)
        && removals.iter().all(|removal| removal.interval.from <= removal.interval.to && removal.interval.to < *next)
}

fn lane_fits(state: &State, next: Timestamp) -> bool {
    let (is_removed, fits) = match &state.phase {
        Phase::On { next: judged, .. } => (false, *judged <= next),
        Phase::Proposed(proposal) => (false, proposal.breach < next && usage_fits(proposal.used)),
        Phase::Removed { breach, .. } => (true, *breach < next),
        Phase::Probation { start, passed, .. } => (true, start.plus_months(*passed) < next),
        Phase::Broken(broken) => (true, broken.at < next),
    };
    fits && is_removed == state.removed_at.is_some()
        && state.removed_at.is_none_or(|at| at < next)
        && state.critical_next <= next
        && state.refused.is_none_or(usage_fits)
}

/// Whether it is something that a window can hold.
fn usage_fits(used: Refused) -> bool {
    (0..=Timestamp::MAX.ms()).contains(&used.downtime_ms)
}

#[cfg(test)]
mod tests;
