//! Facts, and time, as the log has them: taken over as they are.

use domain::fact::{Badge, BadgeChange, Exclusion, ExclusionRevoked, Fact, Withdrawal};
use domain::id::{Asin, ManufacturerId};
use domain::programme::entity::{BadgeEntity, ExclusionEntity};
use domain::programme::{Entity, ExclusionForm, ExclusionStatus, MailKind, ManufacturerForm, Trail, Unmet};
use domain::time::Timestamp;

use super::answers::{ACKNOWLEDGED, status_of, switch_status};
use super::badges::{TermsOverTime, status_name};
use super::forms::{status, unheard_of};
use super::{Book, NOBODY, Place, Plan, taken};

impl Book {
    /// Takes note of a fact that the ledger took.
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
            Fact::Ruling(ruling) => {
                if let Some(entity) = self.proposals.get_mut(&ruling.proposal) {
                    entity.ruling = Some(ruling.clone());
                    let (at, by) = (ruling.at, ruling.by.as_str());
                    let notes = ruling.note.iter().cloned().collect();
                    entity.trail.steps.push(place.step((at, by), ruling.verdict.as_str(), status_of(ruling.verdict), notes));
                }
            }
            Fact::Acknowledgement(fact) => {
                if let Some(entity) = self.outages.get_mut(&fact.outage) {
                    entity.acknowledgement = Some(fact.clone());
                    let step = place.step((fact.at, &fact.by), "acknowledgement", ACKNOWLEDGED, vec![fact.cause.clone()]);
                    entity.trail.steps.push(step);
                }
            }
            Fact::KillSwitch(turn) => {
                let step = place.step((turn.at, &turn.by), "kill_switch", switch_status(turn.on), vec![turn.reason.clone()]);
                self.kill_switch.trail.steps.push(step);
                self.kill_switch.last = Some(turn.clone());
            }
        }
    }

    /// Lets the log's time go on: approved badges go live, and what was dated ahead holds. The facts that follow go
    /// to `take`.
    pub fn pass(&mut self, place: Place, now: Timestamp, mut take: impl FnMut(Fact) -> Result<(), Unmet>) {
        self.now = self.now.max(now);
        while self.due.first().is_some_and(|(at, _)| *at <= self.now) {
            let Some((_, asin)) = self.due.pop_first() else { return };
            if let Some(plan) = self.due_request(&asin, place) {
                self.carry_out(plan, &mut take);
            }
            self.reflag(&asin, place);
        }
    }

    fn carry_out(&mut self, plan: Plan, take: &mut impl FnMut(Fact) -> Result<(), Unmet>) {
        // The ledger has nothing against what the book allows; if it had, nothing would change here either.
        if let Ok(Plan { entities, fact }) = taken(plan, take) {
            self.follow(fact.as_ref());
            entities.into_iter().for_each(|entity| self.put(entity));
        }
    }

    /// What a fact of our own says of a badge's terms.
    pub(super) fn follow(&mut self, fact: Option<&Fact>) {
        match fact {
            Some(Fact::Badge(badge)) => {
                self.terms.insert(badge.asin.clone(), TermsOverTime::new(badge.terms.clone()));
            }
            Some(Fact::BadgeChange(change)) => {
                if let Some(terms) = self.terms.get_mut(&change.asin) {
                    terms.change(change.clone());
                }
            }
            _ => {}
        }
    }

    fn note_manufacturer(&mut self, place: Place, form: ManufacturerForm) {
        let mut entity = self.manufacturers.get(&form.id).cloned().unwrap_or_else(|| unheard_of(form.clone()));
        let at = entity.trail.last_at().unwrap_or(self.now).max(self.now);
        entity.form = form;
        entity.trail.steps.push(place.step((at, NOBODY), "manufacturer", status(&entity), Vec::new()));
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
        let terms = TermsOverTime::new(badge.terms.clone());
        let waiting = self.waiting.remove(&badge.asin).unwrap_or_default();
        let mut entity = BadgeEntity {
            asin: badge.asin.clone(),
            product: None,
            request: None,
            terms: badge.terms.clone(),
            enabled_at: badge.enabled_at,
            withdrawn_at: None,
            removed: self.removed_by_turns(&badge.asin),
            flags: Vec::new(),
            trail: Trail::default(),
        };
        entity.trail.steps.push(place.step((badge.enabled_at, NOBODY), "badge", status_name(&entity), Vec::new()));
        terms.at(self.now).clone_into(&mut entity.terms);
        self.terms.insert(badge.asin.clone(), terms);
        self.put_badge(entity);
        self.due.insert((self.now.max(badge.enabled_at), badge.asin.clone()));
        for (place, fact) in waiting {
            self.note(place, &fact);
        }
    }

    fn note_change(&mut self, place: Place, change: &BadgeChange) {
        if let Some(manufacturer) = &change.manufacturer {
            self.name_manufacturer(place, manufacturer);
        }
        let (Some(terms), Some(badge)) = (self.terms.get_mut(&change.asin), self.badges.get_mut(&change.asin)) else {
            return self.wait(place, &change.asin, Fact::BadgeChange(change.clone()));
        };
        terms.change(change.clone());
        badge.trail.steps.push(place.step((change.at, NOBODY), "badge", status_name(badge), Vec::new()));
        self.due.insert((change.at.max(self.now), change.asin.clone()));
    }

    fn note_withdrawal(&mut self, place: Place, withdrawal: &Withdrawal) {
        let Some(badge) = self.badges.get_mut(&withdrawal.asin) else {
            return self.wait(place, &withdrawal.asin, Fact::Withdrawal(withdrawal.clone()));
        };
        badge.withdrawn_at = Some(badge.withdrawn_at.map_or(withdrawal.at, |earlier| earlier.min(withdrawal.at)));
        badge.trail.steps.push(place.step((withdrawal.at, NOBODY), "badge_withdrawn", status_name(badge), Vec::new()));
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
        let known = self.exclusions.get(&exclusion.id);
        if known.is_some_and(|known| known.status == ExclusionStatus::Approved || known.status == ExclusionStatus::Revoked) {
            return; // The same once more.
        }
        let trail = known.map_or_else(Trail::default, |known| known.trail.clone());
        let mut entity = ExclusionEntity { form, status: ExclusionStatus::Approved, trail };
        let at = entity.trail.last_at().unwrap_or(self.now).max(self.now);
        let step = place.step((at, &exclusion.approved_by), "exclusion", entity.status.as_str(), Vec::new());
        entity.trail.steps.push(step);
        self.put(Entity::Exclusion(entity));
        if let Some((place, revoked)) = self.revoked_before.remove(&exclusion.id) {
            self.note_revoked(place, &revoked);
        }
    }

    fn note_revoked(&mut self, place: Place, revoked: &ExclusionRevoked) {
        let Some(entity) = self.exclusions.get_mut(&revoked.id) else {
            self.revoked_before.insert(revoked.id.clone(), (place, revoked.clone()));
            return;
        };
        if entity.status != ExclusionStatus::Revoked {
            entity.status = ExclusionStatus::Revoked;
            let step = place.step((revoked.at, &revoked.by), "exclusion_revoked", entity.status.as_str(), Vec::new());
            entity.trail.steps.push(step);
        }
    }
}
