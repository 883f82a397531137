//! Disputes: one outage that a manufacturer doesn't accept. Upheld, its downtime is excused.

use domain::fact::{ExclusionReason, ExclusionTarget, Fact};
use domain::id::{DisputeId, ExclusionId, Subject};
use domain::programme::entity::{DisputeEntity, ExclusionEntity};
use domain::programme::{DisputeForm, DisputeStatus, Entity, EntityId, ExclusionForm, ExclusionStatus, Trail, Unmet};

use super::exclusions::approved;
use super::unmet::{exists, not_in, refused, unknown, unmet};
use super::{Asked, Book, Plan, Planned};

impl Book {
    pub(super) fn open_dispute(&self, asked: Asked<'_>, form: &DisputeForm) -> Planned {
        if let Some(known) = self.disputes.get(&form.id) {
            return exists(&EntityId::Dispute(form.id.clone()), known.status, &known.trail);
        }
        let badge = self.badge(&form.asin)?;
        let mut in_the_way = Vec::new();
        let end = badge.withdrawn_at.unwrap_or(domain::Timestamp::MAX);
        if form.interval.from >= end || form.interval.to <= badge.enabled_at {
            let detail = format!("{} had no badge from {} to {}", form.asin, form.interval.from, form.interval.to);
            in_the_way.push(unmet("interval", detail, "dispute an outage of the badged time"));
        }
        if form.interval.to > asked.command.at {
            let detail = format!("it ends {}, after the dispute, {}", form.interval.to, asked.command.at);
            in_the_way.push(unmet("interval", detail, "dispute what has happened by now, and what goes on once it is over"));
        }
        in_the_way.extend(self.check_not_frozen(asked, form.interval.to).err().unwrap_or_default());
        let overlapping = self.disputes.values().find(|other| {
            other.status == DisputeStatus::Open
                && other.form.asin == form.asin
                && other.form.regions.iter().any(|region| form.regions.contains(region))
                && !other.form.interval.intersect(form.interval).is_empty()
        });
        if let Some(other) = overlapping {
            let detail = format!("dispute:{} about the same time is open", other.form.id);
            in_the_way.push(unmet("dispute", detail, format!("wait for the end of {}", other.form.id)));
        }
        in_the_way.extend(self.exclusion_of(form).err().unwrap_or_default());
        if !in_the_way.is_empty() {
            return Err(in_the_way);
        }
        let status = DisputeStatus::Open;
        let trail = Trail { steps: vec![asked.step(status.as_str(), vec![form.claim.clone()])] };
        Ok(Plan::of(vec![Entity::Dispute(DisputeEntity { form: form.clone(), status, exclusion: None, trail })]))
    }

    pub(super) fn uphold_dispute(&self, asked: Asked<'_>, id: &DisputeId, note: &str) -> Planned {
        let mut entity = self.open_one(id)?.clone();
        self.check_not_frozen(asked, entity.form.interval.to)?;
        let mut exclusion = self.exclusion_of(&entity.form)?;
        let cut = self.cut(asked, &mut exclusion.form);
        let fact = Some(Fact::Exclusion(approved(&exclusion.form, &asked.command.by)));
        entity.status = DisputeStatus::Upheld;
        entity.exclusion = Some(exclusion.form.id.clone());
        let notes = vec![note.to_owned(), format!("exclusion:{}", exclusion.form.id)];
        entity.trail.steps.push(asked.step(entity.status.as_str(), notes));
        let notes = [format!("dispute:{id}")].into_iter().chain(cut).collect();
        exclusion.trail.steps.push(asked.step(exclusion.status.as_str(), notes));
        Ok(Plan { entities: vec![Entity::Dispute(entity), Entity::Exclusion(exclusion)], fact })
    }

    pub(super) fn decline_dispute(&self, asked: Asked<'_>, id: &DisputeId, note: &str) -> Planned {
        let mut entity = self.open_one(id)?.clone();
        entity.status = DisputeStatus::Declined;
        entity.trail.steps.push(asked.step(entity.status.as_str(), vec![note.to_owned()]));
        Ok(Plan::of(vec![Entity::Dispute(entity)]))
    }

    fn open_one(&self, id: &DisputeId) -> Result<&DisputeEntity, Vec<Unmet>> {
        match self.disputes.get(id) {
            None => unknown(&EntityId::Dispute(id.clone())),
            Some(entity) if entity.status == DisputeStatus::Open => Ok(entity),
            Some(entity) => {
                let what_next = "open another dispute if there is more to be said";
                not_in(&EntityId::Dispute(id.clone()), (entity.status, "open"), &entity.trail, what_next)
            }
        }
    }

    /// The exclusion that upholds a dispute. Its id follows from the dispute's, so it can't be made twice.
    fn exclusion_of(&self, form: &DisputeForm) -> Result<ExclusionEntity, Vec<Unmet>> {
        let name = format!("dispute-{}", form.id);
        let other = "give the dispute another, shorter id";
        let Some(id) = ExclusionId::new(&name) else {
            return refused("exclusion", format!("{name}, the exclusion that would uphold it, has too long an id"), other);
        };
        if self.exclusions.contains_key(&id) || self.check_not_revoked(&id).is_err() {
            return refused("exclusion", format!("exclusion:{id}, which would uphold it, is there already"), other);
        }
        let form = ExclusionForm {
            id,
            target: ExclusionTarget::Subject(Subject::product(&form.asin)),
            regions: form.regions,
            interval: form.interval,
            reason: ExclusionReason::Dispute,
            note: Some(form.claim.clone()),
        };
        Ok(ExclusionEntity { form, status: ExclusionStatus::Approved, trail: Trail::default() })
    }
}
