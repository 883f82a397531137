//! Exclusions: asked for, approved, declined, revoked (R7).

use domain::fact::{Exclusion, ExclusionRevoked, ExclusionTarget, Fact};
use domain::id::{ExclusionId, Region, Subject, SubjectKind};
use domain::interval::Interval;
use domain::programme::entity::ExclusionEntity;
use domain::programme::{Entity, EntityId, ExclusionForm, ExclusionStatus, Trail, Unmet};
use domain::time::Timestamp;

use super::unmet::{exists, not_in, refused, unknown};
use super::{Asked, Book, Plan, Planned};

impl Book {
    /// Whether a badge has to do with a subject: its downtime can be excused.
    #[must_use]
    pub fn has_badge_of(&self, subject: &Subject) -> bool {
        let depends_on_hub = |hub: &str| self.terms.values().any(|terms| terms.hubs().any(|own| own.as_str() == hub));
        match subject.kind() {
            SubjectKind::Product => self.badges.contains_key(subject.id()),
            SubjectKind::Skill => self.dependents.contains_key(subject.id()),
            SubjectKind::Hub => depends_on_hub(subject.id()),
        }
    }

    /// Whether an exclusion of a subject in a region is asked for, or approved, for just that time. O(exclusions).
    #[must_use]
    pub fn is_excluded_or_asked(&self, subject: &Subject, region: Region, interval: Interval) -> bool {
        let target = ExclusionTarget::Subject(subject.clone());
        self.exclusions.values().any(|ExclusionEntity { form, status, .. }| {
            let is_open = matches!(status, ExclusionStatus::Requested | ExclusionStatus::Approved);
            is_open && form.interval == interval && form.regions.contains(region) && form.target == target
        })
    }

    pub(super) fn request_exclusion(&self, asked: Asked<'_>, form: &ExclusionForm) -> Planned {
        if let Some(known) = self.exclusions.get(&form.id) {
            return exists(&EntityId::Exclusion(form.id.clone()), known.status, &known.trail);
        }
        self.check_not_revoked(&form.id)?;
        self.check_target(&form.target)?;
        self.check_not_frozen(asked, form.interval.to)?;
        let status = ExclusionStatus::Requested;
        let notes = form.note.iter().cloned().collect();
        let trail = Trail { steps: vec![asked.step(status.as_str(), notes)] };
        Ok(Plan::of(vec![Entity::Exclusion(ExclusionEntity { form: form.clone(), status, trail })]))
    }

    pub(super) fn approve_exclusion(&self, asked: Asked<'_>, id: &ExclusionId) -> Planned {
        let mut entity = self.exclusion_in(id, ExclusionStatus::Requested)?.clone();
        self.check_not_revoked(id)?;
        self.check_not_frozen(asked, entity.form.interval.to)?;
        let notes = self.cut(asked, &mut entity.form);
        let fact = Fact::Exclusion(approved(&entity.form, &asked.command.by));
        Ok(Plan { fact: Some(fact), ..moved(asked, &entity, ExclusionStatus::Approved, notes) })
    }

    pub(super) fn decline_exclusion(&self, asked: Asked<'_>, id: &ExclusionId, note: &str) -> Planned {
        let entity = self.exclusion_in(id, ExclusionStatus::Requested)?;
        Ok(moved(asked, entity, ExclusionStatus::Declined, vec![note.to_owned()]))
    }

    pub(super) fn revoke_exclusion(&self, asked: Asked<'_>, id: &ExclusionId, note: &str) -> Planned {
        let entity = self.exclusion_in(id, ExclusionStatus::Approved)?;
        self.check_none_frozen(asked, entity.form.interval.from)?;
        let (at, by) = (asked.command.at, asked.command.by.clone());
        let fact = Fact::ExclusionRevoked(ExclusionRevoked { id: id.clone(), at, by });
        Ok(Plan { fact: Some(fact), ..moved(asked, entity, ExclusionStatus::Revoked, vec![note.to_owned()]) })
    }

    /// What lies more than a window ago is frozen: excusing it changes nothing (R24).
    pub(super) fn check_not_frozen(&self, asked: Asked<'_>, to: Timestamp) -> Result<(), Vec<Unmet>> {
        match asked.place.recorded_at.map(|recorded| recorded.saturating_sub(self.window)) {
            Some(earliest) if to <= earliest => {
                let detail = format!("it ends {to}, before {earliest}: more than a window ago");
                refused("interval", detail, "nothing that long ago counts any more")
            }
            _ => Ok(()),
        }
    }

    /// What it took out more than a window ago stays taken out, so it can't be revoked as a whole (R24).
    fn check_none_frozen(&self, asked: Asked<'_>, from: Timestamp) -> Result<(), Vec<Unmet>> {
        match asked.place.recorded_at.map(|recorded| recorded.max(asked.command.at).saturating_sub(self.window)) {
            Some(earliest) if from < earliest => {
                let detail = format!("it began {from}, before {earliest}: what it excused more than a window ago is frozen");
                refused("interval", detail, "let it stand: it can only be revoked as a whole")
            }
            _ => Ok(()),
        }
    }

    /// An exclusion that is approved counts no earlier than one window ago (R24): says so.
    pub(super) fn cut(&self, asked: Asked<'_>, form: &mut ExclusionForm) -> Vec<String> {
        match asked.place.recorded_at.map(|recorded| recorded.saturating_sub(self.window)) {
            Some(earliest) if form.interval.from < earliest => {
                let note = format!("from {earliest}, not {}: what is older than a window is frozen", form.interval.from);
                form.interval.from = earliest;
                vec![note]
            }
            _ => Vec::new(),
        }
    }

    /// An id that was revoked before anything was approved under it is used up.
    pub(super) fn check_not_revoked(&self, id: &ExclusionId) -> Result<(), Vec<Unmet>> {
        match self.revoked_before.get(id) {
            Some((_, revoked)) => {
                let detail = format!("exclusion:{id} was revoked by {} at {}, before it was approved", revoked.by, revoked.at);
                refused("exclusion", detail, "ask for it under an id of its own")
            }
            None => Ok(()),
        }
    }

    fn check_target(&self, target: &ExclusionTarget) -> Result<(), Vec<Unmet>> {
        let (is_known, name) = match target {
            ExclusionTarget::All => return Ok(()),
            ExclusionTarget::Manufacturer(id) => (self.manufacturers.contains_key(id), format!("manufacturer {id}")),
            ExclusionTarget::Subject(subject) => (self.has_badge_of(subject), subject.to_string()),
        };
        if is_known {
            Ok(())
        } else {
            refused("target", format!("no badge has to do with {name}"), "check the id, or wait until a badge names it")
        }
    }

    fn exclusion_in(&self, id: &ExclusionId, status: ExclusionStatus) -> Result<&ExclusionEntity, Vec<Unmet>> {
        match self.exclusions.get(id) {
            None => unknown(&EntityId::Exclusion(id.clone())),
            Some(entity) if entity.status == status => Ok(entity),
            Some(entity) => {
                let what_next = match entity.status {
                    ExclusionStatus::Requested => "approve or decline it",
                    ExclusionStatus::Approved => "it counts: revoke it if it isn't to",
                    ExclusionStatus::Declined | ExclusionStatus::Revoked => "ask for another under an id of its own",
                };
                not_in(&EntityId::Exclusion(id.clone()), (entity.status, status.as_str()), &entity.trail, what_next)
            }
        }
    }
}

/// The exclusion that a form asks for, as somebody approves it.
pub(super) fn approved(form: &ExclusionForm, by: &str) -> Exclusion {
    Exclusion {
        id: form.id.clone(),
        target: form.target.clone(),
        regions: form.regions,
        interval: form.interval,
        reason: form.reason,
        approved_by: by.to_owned(),
    }
}

fn moved(asked: Asked<'_>, entity: &ExclusionEntity, status: ExclusionStatus, notes: Vec<String>) -> Plan {
    let mut entity = entity.clone();
    entity.status = status;
    entity.trail.steps.push(asked.step(status.as_str(), notes));
    Plan::of(vec![Entity::Exclusion(entity)])
}
