//! Facts, and time, as the log has them: taken over as they are.

use domain::fact::{Acknowledgement, Badge, BadgeChange, Exclusion, ExclusionRevoked, Fact, KillSwitch, Ruling, Withdrawal};
use domain::id::{Asin, ExclusionId, ManufacturerId};
use domain::programme::entity::{BadgeEntity, ExclusionEntity};
use domain::programme::{Entity, ExclusionForm, ExclusionStatus, MailKind, ManufacturerForm, Trail, Unmet};
use domain::time::Timestamp;

use super::answers::{ACKNOWLEDGED, is_later, status_of, switch_status};
use super::badges::{TermsOverTime, status_name};
use super::forms::{status, unheard_of};
use super::{Book, NOBODY, Place, Plan, taken};

impl Book {
    /// Takes note of a fact that the ledger took, and that it didn't hold before.
    pub fn note(&mut self, place: Place, fact: &Fact) {
        match fact {
            Fact::Manufacturer(fact) => {
                let form = ManufacturerForm {
                    id: fact.id.clone(),
                    name: fact.name.clone().unwrap_or_else(|| fact.id.to_string()),
                    contacts: fact.contacts.clone(),
                    technical_contact: None,
                    mails: MailKind::ALL.to_vec(),
                };
                self.note_manufacturer(place, form);
            }
            Fact::Badge(badge) => self.note_badge(place, badge),
            Fact::BadgeChange(change) => self.note_change(place, change),
            Fact::Withdrawal(withdrawal) => self.note_withdrawal(place, withdrawal),
            Fact::Exclusion(exclusion) => self.note_exclusion(place, exclusion),
            Fact::ExclusionRevoked(revoked) => self.note_revoked(place, revoked),
            Fact::Listing(listing) => self.note_listing(listing),
            Fact::SkillListing(listing) => self.note_skill_listing(listing),
            Fact::Ruling(ruling) => self.note_ruling(place, ruling),
            Fact::Acknowledgement(fact) => self.note_acknowledgement(place, fact),
            Fact::KillSwitch(turn) => self.note_kill_switch(place, turn),
        }
    }

    /// Lets the log's time go on: approved badges go live, and what was dated ahead holds, each at its own
    /// instant, in how many steps time may go. The facts that follow go to `take`.
    pub fn pass(&mut self, place: Place, now: Timestamp, mut take: impl FnMut(Fact) -> Result<(), Unmet>) {
        let until = self.now.max(now);
        while self.due.first().is_some_and(|(at, _)| *at <= until) {
            let Some((at, asin)) = self.due.pop_first() else { break };
            self.now = self.now.max(at);
            if let Some(plan) = self.due_request(&asin, place) {
                // The ledger has nothing against what the book allows; if it had, nothing would change here either.
                if let Ok(plan) = taken(plan, &mut take) {
                    self.enact(plan);
                }
            }
            self.withdraw_due(&asin, place);
            self.reflag(&asin, place);
        }
        self.now = until;
        self.turn_due(until);
    }

    /// Makes a plan so.
    pub(super) fn enact(&mut self, plan: Plan) {
        let Plan { entities, fact } = plan;
        if let Some(fact) = &fact {
            self.follow(fact);
        }
        entities.into_iter().for_each(|entity| self.put(entity));
        if let Some(Fact::Badge(badge)) = &fact {
            self.catch_up(&badge.asin);
        }
    }

    /// What a fact says of a badge's terms.
    fn follow(&mut self, fact: &Fact) {
        let (asin, at, skill) = match fact {
            Fact::Badge(badge) => {
                self.terms.insert(badge.asin.clone(), TermsOverTime::new(badge.terms.clone()));
                (&badge.asin, badge.enabled_at, badge.terms.skill.clone())
            }
            Fact::BadgeChange(change) => {
                let Some(terms) = self.terms.get_mut(&change.asin) else { return };
                terms.change(change.clone());
                (&change.asin, change.at, change.skill.clone().flatten())
            }
            _ => return,
        };
        self.due.extend([(self.now, asin.clone()), (at.max(self.now), asin.clone())]);
        if let Some(skill) = skill {
            self.watch(asin, &skill);
            self.dependents.entry(skill).or_default().insert(asin.clone());
        }
    }

    /// What was said of a badge before it was named.
    fn catch_up(&mut self, asin: &Asin) {
        let waiting = self.waiting.remove(asin).unwrap_or_default();
        waiting.iter().for_each(|(place, fact)| self.note(*place, fact));
    }

    fn note_manufacturer(&mut self, place: Place, form: ManufacturerForm) {
        let known = self.manufacturers.get(&form.id).cloned();
        let mut entity = known.unwrap_or_else(|| unheard_of(form.clone(), self.suspended(&form.id)));
        entity.form = form;
        let step = place.step((self.instant(place), NOBODY), "manufacturer", status(&entity), Vec::new());
        entity.trail.steps.push(step);
        self.put(Entity::Manufacturer(entity));
    }

    /// A manufacturer that a badge names is known by its id.
    fn name_manufacturer(&mut self, place: Place, id: &ManufacturerId) {
        if !self.manufacturers.contains_key(id) {
            let (contacts, mails) = (Vec::new(), MailKind::ALL.to_vec());
            let form = ManufacturerForm { id: id.clone(), name: id.to_string(), contacts, technical_contact: None, mails };
            self.note_manufacturer(place, form);
        }
    }

    fn note_badge(&mut self, place: Place, badge: &Badge) {
        self.name_manufacturer(place, &badge.terms.manufacturer);
        self.follow(&Fact::Badge(badge.clone()));
        let mut entity = BadgeEntity {
            asin: badge.asin.clone(),
            product: None,
            request: None,
            terms: badge.terms.clone(),
            enabled_at: badge.enabled_at,
            withdrawn_at: None,
            removed: self.removed(&badge.asin),
            flags: Vec::new(),
            trail: Trail::default(),
        };
        entity.trail.steps.push(place.step((badge.enabled_at, NOBODY), "badge", status_name(&entity), Vec::new()));
        self.put_badge(entity);
        self.catch_up(&badge.asin);
    }

    fn note_change(&mut self, place: Place, change: &BadgeChange) {
        let Some(mut badge) = self.badges.get(&change.asin).cloned() else {
            return self.wait(place, &change.asin, Fact::BadgeChange(change.clone()));
        };
        if let Some(manufacturer) = &change.manufacturer {
            self.name_manufacturer(place, manufacturer);
        }
        self.follow(&Fact::BadgeChange(change.clone()));
        badge.trail.steps.push(place.step((change.at, NOBODY), "badge", status_name(&badge), Vec::new()));
        self.put_badge(badge);
    }

    fn note_withdrawal(&mut self, place: Place, withdrawal: &Withdrawal) {
        let now = self.instant(place);
        let Some(badge) = self.badges.get_mut(&withdrawal.asin) else {
            return self.wait(place, &withdrawal.asin, Fact::Withdrawal(withdrawal.clone()));
        };
        if withdrawal.at > now {
            // It is shown until then.
            badge.trail.steps.push(place.step((withdrawal.at, NOBODY), WITHDRAWN, status_name(badge), Vec::new()));
            self.withdrawals.entry(withdrawal.asin.clone()).or_default().insert(withdrawal.at);
            self.due.insert((withdrawal.at, withdrawal.asin.clone()));
            return;
        }
        badge.withdrawn_at = Some(badge.withdrawn_at.map_or(withdrawal.at, |earlier| earlier.min(withdrawal.at)));
        badge.trail.steps.push(place.step((withdrawal.at, NOBODY), WITHDRAWN, status_name(badge), Vec::new()));
    }

    fn withdraw_due(&mut self, asin: &Asin, place: Place) {
        let Some(ahead) = self.withdrawals.get_mut(asin) else { return };
        while ahead.first().is_some_and(|at| *at <= self.now) {
            let at = ahead.pop_first();
            let is_earlier = |badge: &&mut BadgeEntity| badge.withdrawn_at.is_none_or(|known| Some(known) > at);
            if let Some(badge) = self.badges.get_mut(asin).filter(is_earlier) {
                badge.withdrawn_at = at;
                badge.trail.steps.push(place.step((self.now, NOBODY), WITHDRAWN, status_name(badge), Vec::new()));
            }
        }
        if ahead.is_empty() {
            self.withdrawals.remove(asin);
        }
    }

    /// Facts come in any order: what is said of a badge before it is named waits.
    fn wait(&mut self, place: Place, asin: &Asin, fact: Fact) {
        self.waiting.entry(asin.clone()).or_default().push((place, fact));
    }

    fn note_exclusion(&mut self, place: Place, exclusion: &Exclusion) {
        let form = ExclusionForm {
            id: exclusion.id.clone(),
            target: exclusion.target.clone(),
            regions: exclusion.regions,
            interval: exclusion.interval,
            reason: exclusion.reason,
            note: None,
        };
        let trail = self.exclusions.get(&exclusion.id).map_or_else(Trail::default, |known| known.trail.clone());
        let mut entity = ExclusionEntity { form, status: ExclusionStatus::Approved, trail };
        let at = (self.instant(place), exclusion.approved_by.as_str());
        entity.trail.steps.push(place.step(at, "exclusion", entity.status.as_str(), Vec::new()));
        self.put(Entity::Exclusion(entity));
        if let Some((place, revoked)) = self.revoked_before.remove(&exclusion.id) {
            self.note_revoked(place, &revoked);
        }
    }

    fn note_revoked(&mut self, place: Place, revoked: &ExclusionRevoked) {
        match self.exclusions.get_mut(&revoked.id).filter(|entity| entity.status == ExclusionStatus::Approved) {
            Some(entity) => {
                entity.status = ExclusionStatus::Revoked;
                let step = place.step((revoked.at, &revoked.by), "exclusion_revoked", entity.status.as_str(), Vec::new());
                entity.trail.steps.push(step);
            }
            None => {
                self.revoked_before.insert(revoked.id.clone(), (place, revoked.clone()));
            }
        }
    }

    /// Lets an exclusion stand once it comes: what was to be revoked of it is frozen (R24).
    pub(crate) fn drop_revocation(&mut self, exclusion: &ExclusionId) {
        self.revoked_before.remove(exclusion);
    }

    /// One that names another product than the proposal's isn't about it.
    fn note_ruling(&mut self, place: Place, ruling: &Ruling) {
        let Some(entity) = self.proposals.get_mut(&self.amended.get(&ruling.proposal).copied().unwrap_or(ruling.proposal)) else {
            return self.answers_before.entry(ruling.proposal).or_default().push((place, Fact::Ruling(ruling.clone())));
        };
        if entity.ruling.is_none() && entity.note.asin.as_ref() == Some(&ruling.asin) {
            entity.ruling = Some(ruling.clone());
            let (at, notes) = ((ruling.at, ruling.by.as_str()), ruling.note.iter().cloned().collect());
            entity.trail.steps.push(place.step(at, ruling.verdict.as_str(), status_of(ruling.verdict), notes));
        }
    }

    fn note_acknowledgement(&mut self, place: Place, fact: &Acknowledgement) {
        let Some(entity) = self.outages.get_mut(&self.amended.get(&fact.outage).copied().unwrap_or(fact.outage)) else {
            return self.answers_before.entry(fact.outage).or_default().push((place, Fact::Acknowledgement(fact.clone())));
        };
        if entity.acknowledgement.is_none() {
            entity.acknowledgement = Some(fact.clone());
            let at = (fact.at, fact.by.as_str());
            entity.trail.steps.push(place.step(at, "acknowledgement", ACKNOWLEDGED, vec![fact.cause.clone()]));
        }
    }

    fn note_kill_switch(&mut self, place: Place, turn: &KillSwitch) {
        let step = place.step((turn.at, &turn.by), "kill_switch", switch_status(turn.on), vec![turn.reason.clone()]);
        self.kill_switch.trail.steps.push(step);
        self.turns_ahead.push(turn.clone());
        self.turn_due(self.instant(place));
    }

    /// Turns of the kill switch that were dated ahead, once they act.
    fn turn_due(&mut self, now: Timestamp) {
        for turn in self.turns_ahead.extract_if(.., |turn| turn.at <= now) {
            if self.kill_switch.last.as_ref().is_none_or(|last| is_later(&turn, last)) {
                self.kill_switch.last = Some(turn);
            }
        }
    }

    /// The instant of what has none of its own.
    pub(super) fn instant(&self, place: Place) -> Timestamp {
        place.recorded_at.map_or(self.now, |recorded| recorded.max(self.now))
    }
}

/// A badge is given back, as a fact says.
const WITHDRAWN: &str = "badge_withdrawn";
