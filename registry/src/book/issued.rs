//! Decisions, as the log repeats them: they set the status of badges and manufacturers, and ask for answers.

use domain::decision::{DecisionId, DecisionKind};
use domain::id::{Asin, ManufacturerId, RegionSet};
use domain::programme::entity::{OutageEntity, ProposalEntity};
use domain::programme::{Entity, IssuedNote, Step, Trail};

use super::answers::{OPEN, REVERSED};
use super::badges::{TermsOverTime, status_name};
use super::forms::status;
use super::turns::Off;
use super::{Book, NOBODY, Place};

impl Book {
    /// Takes note of a decision. One that was noted before changes nothing; returns whether it is new.
    pub fn issued(&mut self, place: Place, note: &IssuedNote) -> bool {
        if !self.noted.insert(note.id) {
            return false;
        }
        let opened = || Trail { steps: vec![place.noted(note, OPEN, note.reasons.clone())] };
        match note.kind {
            DecisionKind::Proposal => {
                let entity = ProposalEntity { note: note.clone(), ruling: None, reversed: false, trail: opened() };
                self.put(Entity::Proposal(entity));
                self.answer(note.id);
            }
            DecisionKind::CriticalOutage => {
                let entity = OutageEntity { note: note.clone(), acknowledgement: None, trail: opened() };
                self.put(Entity::Outage(entity));
                self.answer(note.id);
            }
            _ if self.change_question(place, note) => {}
            _ if note.asin.is_none() => self.turn_manufacturer(place, note),
            _ => self.turn_badge(place, note),
        }
        true
    }

    /// Whether a decision was noted.
    #[must_use]
    pub fn has_noted(&self, id: &DecisionId) -> bool {
        self.noted.contains(id)
    }

    /// Where a manufacturer is suspended, by what was issued and stands.
    pub(super) fn suspended(&self, id: &ManufacturerId) -> Off {
        self.suspensions.get(id).map_or_else(Off::new, |turns| turns.off(|_| RegionSet::NONE))
    }

    /// Where a manufacturer's global suspension goes on, once a region is lifted by itself: where a badge of it is
    /// still removed by a global decision.
    fn goes_on(&self, id: &ManufacturerId) -> RegionSet {
        let made = self.badges.values().filter(|badge| badge.terms.manufacturer == *id && badge.withdrawn_at.is_none());
        let removed = made.flat_map(|badge| {
            let is_global = |id| self.turns.get(&badge.asin).is_some_and(|turns| turns.is_global(id));
            let removals = badge.removed.iter().filter(move |(_, (id, _))| is_global(id));
            removals.flat_map(|(scope, _)| badge.terms.regions().iter().filter(|region| scope.includes(*region)))
        });
        removed.collect()
    }

    /// Where a badge is removed, by what was issued and stands. A global removal goes on in the regions that
    /// the badge had by then.
    pub(super) fn removed(&self, asin: &Asin) -> Off {
        let Some(turns) = self.turns.get(asin) else { return Off::new() };
        let terms = self.terms.get(asin);
        turns.off(|at| terms.map_or(RegionSet::ALL, |terms: &TermsOverTime| terms.regions_until(at)))
    }

    /// The proposal or outage that an id names: its own, or that of an amendment.
    pub(super) fn question(&self, id: DecisionId) -> DecisionId {
        self.amended.get(&id).copied().unwrap_or(id)
    }

    fn turn_manufacturer(&mut self, place: Place, note: &IssuedNote) {
        let goes_on = self.goes_on(&note.manufacturer);
        self.suspensions.entry(note.manufacturer.clone()).or_default().take(note, Some(goes_on));
        let suspended = self.suspended(&note.manufacturer);
        if let Some(entity) = self.manufacturers.get_mut(&note.manufacturer) {
            entity.suspended = suspended;
            let step = place.noted(note, status(entity), told(note));
            entity.trail.steps.push(step);
        }
        let pending: Vec<Asin> = self.pending_requests().map(|request| request.form.asin.clone()).collect();
        pending.into_iter().for_each(|asin| self.wake(asin));
    }

    fn turn_badge(&mut self, place: Place, note: &IssuedNote) {
        let Some(asin) = &note.asin else { return };
        self.turns.entry(asin.clone()).or_default().take(note, None);
        let removed = self.removed(asin);
        let Some(badge) = self.badges.get_mut(asin) else { return };
        badge.removed = removed;
        let step = place.noted(note, status_name(badge), told(note));
        badge.trail.steps.push(step);
        self.wake(asin.clone());
    }

    /// An amendment or reversal of a proposal, or of an outage: returns whether it is one. Answers may name
    /// what they answer by the amendment's id.
    fn change_question(&mut self, place: Place, note: &IssuedNote) -> bool {
        let Some(first) = note.supersedes.map(|id| self.question(id)) else { return false };
        let is_reversal = match note.kind {
            DecisionKind::Amendment => false,
            DecisionKind::Reversal => true,
            _ => return false,
        };
        let (question, trail) = if let Some(entity) = self.proposals.get_mut(&first) {
            entity.reversed |= is_reversal;
            (&mut entity.note, &mut entity.trail)
        } else if let Some(entity) = self.outages.get_mut(&first) {
            (&mut entity.note, &mut entity.trail)
        } else {
            return false;
        };
        let before = trail.steps.last().map_or(OPEN, |step| step.status);
        trail.steps.push(place.noted(note, if is_reversal { REVERSED } else { before }, note.reasons.clone()));
        if !is_reversal {
            (question.at, question.reasons) = (note.at, note.reasons.clone());
            self.amended.insert(note.id, first);
            self.answer(note.id);
        }
        true
    }

    /// Answers that came before what they answer.
    fn answer(&mut self, id: DecisionId) {
        let answers = self.answers_before.remove(&id).unwrap_or_default();
        answers.iter().for_each(|(place, fact)| self.note(*place, fact));
    }
}

impl Place {
    /// The step that a decision is.
    fn noted(self, note: &IssuedNote, status: &'static str, notes: Vec<String>) -> Step {
        self.step((note.at, NOBODY), note.kind.as_str(), status, notes)
    }
}

/// What a decision about a badge or a manufacturer says: where, and why.
fn told(note: &IssuedNote) -> Vec<String> {
    [note.scope.to_string()].into_iter().chain(note.reasons.iter().cloned()).collect()
}
