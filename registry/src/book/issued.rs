//! Decisions, as the log repeats them: they set the status of badges and manufacturers.

use std::collections::BTreeMap;

use domain::decision::{DecisionId, DecisionKind, Scope};
use domain::id::{Asin, Region};
use domain::programme::entity::{OutageEntity, ProposalEntity};
use domain::programme::{Entity, IssuedNote, Trail};
use domain::time::Timestamp;

use super::answers::{OPEN, REVERSED};
use super::badges::status_name;
use super::forms::status;
use super::{Book, NOBODY, Place};

/// A removal or a reinstatement that was issued, as it was amended since.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    /// Its id, and those of its amendments.
    ids: Vec<DecisionId>,
    kind: DecisionKind,
    scope: Scope,
    at: Timestamp,
    reversed: bool,
}

impl Book {
    /// Takes note of a decision. One that was noted before changes nothing; returns whether it is new.
    pub fn issued(&mut self, place: Place, note: &IssuedNote) -> bool {
        if !self.noted.insert(note.id) {
            return false;
        }
        match note.kind {
            DecisionKind::Proposal => {
                let trail = Trail { steps: vec![place.step((note.at, NOBODY), note.kind.as_str(), OPEN, note.reasons.clone())] };
                self.put(Entity::Proposal(ProposalEntity { note: note.clone(), ruling: None, reversed: false, trail }));
            }
            DecisionKind::CriticalOutage => {
                let trail = Trail { steps: vec![place.step((note.at, NOBODY), note.kind.as_str(), OPEN, note.reasons.clone())] };
                self.put(Entity::Outage(OutageEntity { note: note.clone(), acknowledgement: None, trail }));
            }
            DecisionKind::Suspension | DecisionKind::SuspensionLifted => self.turn_manufacturer(place, note),
            DecisionKind::Reversal | DecisionKind::Amendment if note.asin.is_none() => self.turn_manufacturer(place, note),
            _ => self.turn_badge(place, note),
        }
        true
    }

    /// Whether a decision was noted.
    #[must_use]
    pub fn has_noted(&self, id: &DecisionId) -> bool {
        self.noted.contains(id)
    }

    fn turn_manufacturer(&mut self, place: Place, note: &IssuedNote) {
        let Some(entity) = self.manufacturers.get_mut(&note.manufacturer) else { return };
        match note.kind {
            DecisionKind::Suspension => drop(entity.suspended.insert(note.scope, (note.id, note.at))),
            DecisionKind::SuspensionLifted => drop(entity.suspended.remove(&note.scope)),
            DecisionKind::Reversal => entity.suspended.retain(|_, (id, _)| Some(*id) != note.supersedes),
            _ => {
                let amended = entity.suspended.values_mut().find(|(id, _)| Some(*id) == note.supersedes);
                if let Some(suspension) = amended {
                    *suspension = (note.id, note.at);
                }
            }
        }
        let at = entity.trail.last_at().map_or(note.at, |last| last.max(note.at));
        let notes = [note.scope.to_string()].into_iter().chain(note.reasons.iter().cloned()).collect();
        let step = place.step((at, NOBODY), note.kind.as_str(), status(entity), notes);
        entity.trail.steps.push(step);
        let pending = self.pending.iter().filter_map(|id| self.requests.get(id)).map(|request| request.form.asin.clone());
        let due: Vec<(Timestamp, Asin)> = pending.map(|asin| (self.now, asin)).collect();
        self.due.extend(due);
    }

    fn turn_badge(&mut self, place: Place, note: &IssuedNote) {
        let Some(asin) = &note.asin else { return };
        if let Some(superseded) = note.supersedes {
            self.supersede(place, note, superseded);
        } else if matches!(note.kind, DecisionKind::BadgeRemoval | DecisionKind::Reinstatement) {
            let turn = Turn { ids: vec![note.id], kind: note.kind, scope: note.scope, at: note.at, reversed: false };
            self.turns.entry(asin.clone()).or_default().push(turn);
        }
        let removed = self.removed_by_turns(asin);
        let Some(badge) = self.badges.get_mut(asin) else { return };
        badge.removed = removed;
        let at = badge.trail.last_at().map_or(note.at, |last| last.max(note.at));
        let notes = [note.scope.to_string()].into_iter().chain(note.reasons.iter().cloned()).collect();
        let step = place.step((at, NOBODY), note.kind.as_str(), status_name(badge), notes);
        badge.trail.steps.push(step);
    }

    /// A decision that replaces another, or takes it back, or is it once more after it was taken back.
    fn supersede(&mut self, place: Place, note: &IssuedNote, superseded: DecisionId) {
        if let Some(proposal) = self.proposals.get_mut(&superseded).filter(|_| note.kind == DecisionKind::Reversal) {
            proposal.reversed = true;
            let at = proposal.trail.last_at().map_or(note.at, |last| last.max(note.at));
            proposal.trail.steps.push(place.step((at, NOBODY), note.kind.as_str(), REVERSED, Vec::new()));
            return;
        }
        let Some(asin) = &note.asin else { return };
        let turns = self.turns.entry(asin.clone()).or_default();
        let earlier = turns.iter_mut().find(|turn| turn.ids.contains(&superseded));
        match (note.kind, earlier) {
            (DecisionKind::Reversal, Some(turn)) => {
                turn.reversed = true;
                turn.ids.push(note.id);
            }
            (DecisionKind::Amendment, Some(turn)) => {
                turn.at = note.at;
                turn.ids.push(note.id);
            }
            (DecisionKind::BadgeRemoval | DecisionKind::Reinstatement, _) => {
                let turn = Turn { ids: vec![note.id], kind: note.kind, scope: note.scope, at: note.at, reversed: false };
                turns.push(turn);
            }
            _ => {}
        }
    }

    /// Where a badge is removed, by what was issued and stands.
    pub(super) fn removed_by_turns(&self, asin: &Asin) -> BTreeMap<Scope, (DecisionId, Timestamp)> {
        let mut standing: Vec<&Turn> = self.turns.get(asin).into_iter().flatten().filter(|turn| !turn.reversed).collect();
        // At one instant a reinstatement comes before a removal (R17).
        standing.sort_by_key(|turn| (turn.at, turn.kind));
        let mut removed = BTreeMap::new();
        for turn in standing {
            let id = turn.ids.last().copied().unwrap_or(turn.ids[0]);
            if turn.kind == DecisionKind::BadgeRemoval {
                removed.entry(turn.scope).or_insert((id, turn.at));
            } else {
                reinstate(&mut removed, turn.scope);
            }
        }
        removed
    }
}

/// A global state goes on in each region, and regional ones in the global (R18).
fn reinstate(removed: &mut BTreeMap<Scope, (DecisionId, Timestamp)>, scope: Scope) {
    if scope == Scope::Global {
        removed.clear();
        return;
    }
    if let Some(global) = removed.remove(&Scope::Global) {
        for region in Region::ALL {
            removed.entry(Scope::Region(region)).or_insert(global);
        }
    }
    removed.remove(&scope);
}
