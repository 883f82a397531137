//! Certification requests: one product, one region, one hub, from a draft to its end.

use domain::id::{CertificationId, ProductId};
use domain::programme::entity::{CertificationEntity, ProductEntity};
use domain::programme::{CertificationForm, CertificationStatus, Connection, Entity, EntityId, TestingStep, Trail, Unmet};

use super::forms::{check_ready, known_product};
use super::unmet::{not_in, refused, unknown, unmet};
use super::{Asked, Book, Plan, Planned};

impl Book {
    /// A product's certification requests, by id.
    pub(super) fn certifications_of(&self, product: &ProductId) -> impl Iterator<Item = &CertificationEntity> {
        self.certifications_of.get(product).into_iter().flatten().filter_map(|id| self.certifications.get(id))
    }

    pub(super) fn draft_certification(&self, asked: Asked<'_>, form: &CertificationForm) -> Planned {
        let product = known_product(self, &form.product)?;
        check_hub(product, form)?;
        let status = CertificationStatus::Draft;
        let mut entity = match self.certifications.get(&form.id) {
            None => CertificationEntity {
                form: form.clone(),
                status,
                since: asked.command.at,
                reasons: Vec::new(),
                repeats: None,
                repeated_by: None,
                trail: Trail::default(),
            },
            Some(known) if known.status == status && known.form.product == form.product => known.clone(),
            Some(known) if known.status == status => {
                let detail = format!("certification:{} is about product {}", form.id, known.form.product);
                return refused("product", detail, "draft another request for another product");
            }
            Some(known) => return elsewhere(known, "a draft"),
        };
        entity.form = form.clone();
        entity.trail.steps.push(asked.step(status.as_str(), Vec::new()));
        Ok(Plan::of(vec![Entity::Certification(entity)]))
    }

    pub(super) fn submit_certification(&self, asked: Asked<'_>, id: &CertificationId) -> Planned {
        let entity = self.certification_in(id, &[CertificationStatus::Draft], "a draft")?;
        let product = known_product(self, &entity.form.product)?;
        let mut unmet = check_ready(product).err().unwrap_or_default();
        unmet.extend(check_hub(product, &entity.form).err().unwrap_or_default());
        unmet.extend(missing(product, &entity.form));
        unmet.extend(self.already_asked(&entity.form));
        if !unmet.is_empty() {
            return Err(unmet);
        }
        Ok(moved(asked, entity, CertificationStatus::UnderReview, Vec::new()))
    }

    pub(super) fn accept_certification(&self, asked: Asked<'_>, id: &CertificationId) -> Planned {
        let entity = self.certification_in(id, &[CertificationStatus::UnderReview], "under review")?;
        Ok(moved(asked, entity, CertificationStatus::InTesting(TestingStep::Accepted), Vec::new()))
    }

    pub(super) fn reject_certification(&self, asked: Asked<'_>, id: &CertificationId, reasons: &[String]) -> Planned {
        let entity = self.certification_in(id, &[CertificationStatus::UnderReview], "under review")?;
        Ok(moved(asked, entity, CertificationStatus::Rejected, reasons.to_vec()))
    }

    pub(super) fn advance_testing(&self, asked: Asked<'_>, id: &CertificationId, step: TestingStep) -> Planned {
        let entity = self.certification(id)?;
        let CertificationStatus::InTesting(now) = entity.status else { return elsewhere(entity, "in testing") };
        if now.next() != Some(step) {
            let detail = format!("certification:{id} is in testing ({now}): {} isn't the next step", step.as_str());
            return refused("step", detail, what_next(entity.status));
        }
        Ok(moved(asked, entity, CertificationStatus::InTesting(step), Vec::new()))
    }

    pub(super) fn hand_in_results(&self, asked: Asked<'_>, id: &CertificationId) -> Planned {
        let entity =
            self.certification_in(id, &[CertificationStatus::InTesting(TestingStep::Testing)], "in testing (testing)")?;
        Ok(moved(asked, entity, CertificationStatus::ResultsReview, Vec::new()))
    }

    pub(super) fn approve_certification(&self, asked: Asked<'_>, id: &CertificationId) -> Planned {
        let entity = self.certification_in(id, &[CertificationStatus::ResultsReview], "in results review")?;
        Ok(moved(asked, entity, CertificationStatus::Approved, Vec::new()))
    }

    pub(super) fn fail_certification(&self, asked: Asked<'_>, id: &CertificationId, failures: &[String]) -> Planned {
        let entity = self.certification_in(id, &[CertificationStatus::ResultsReview], "in results review")?;
        Ok(moved(asked, entity, CertificationStatus::Failed, failures.to_vec()))
    }

    pub(super) fn test_again(&self, asked: Asked<'_>, id: &CertificationId, new: &CertificationId) -> Planned {
        let ended = [CertificationStatus::Rejected, CertificationStatus::Failed];
        let mut before = self.certification_in(id, &ended, "rejected, or completed without success")?.clone();
        if let Some(by) = &before.repeated_by {
            return refused("again", format!("certification:{id} is repeated by {by} already"), format!("go on with {by}"));
        }
        if let Some(overtaken) = self.overtaken(asked, &EntityId::Certification(id.clone()), &before.trail) {
            return Err(vec![overtaken]);
        }
        if self.certifications.contains_key(new) {
            return refused("new", format!("certification:{new} exists"), "give the new request an id of its own");
        }
        let again = CertificationEntity {
            form: CertificationForm { id: new.clone(), ..before.form.clone() },
            status: CertificationStatus::Draft,
            since: asked.command.at,
            reasons: Vec::new(),
            repeats: Some(id.clone()),
            repeated_by: None,
            trail: Trail { steps: vec![asked.step(CertificationStatus::Draft.as_str(), vec![format!("repeats {id}")])] },
        };
        before.repeated_by = Some(new.clone());
        before.trail.steps.push(asked.step(before.status.as_str(), vec![format!("repeated by {new}")]));
        Ok(Plan::of(vec![Entity::Certification(again), Entity::Certification(before)]))
    }

    pub(super) fn put_certification(&mut self, entity: CertificationEntity) {
        let (id, product) = (entity.form.id.clone(), entity.form.product.clone());
        self.wake_requests(&product);
        self.tested_skills.extend(entity.form.skill.clone());
        self.certifications_of.entry(product).or_default().insert(id.clone());
        self.certifications.insert(id, entity);
    }

    fn certification(&self, id: &CertificationId) -> Result<&CertificationEntity, Vec<Unmet>> {
        self.certifications.get(id).map_or_else(|| unknown(&EntityId::Certification(id.clone())), Ok)
    }

    fn certification_in(
        &self,
        id: &CertificationId,
        statuses: &[CertificationStatus],
        expected: &str,
    ) -> Result<&CertificationEntity, Vec<Unmet>> {
        let entity = self.certification(id)?;
        if statuses.contains(&entity.status) { Ok(entity) } else { elsewhere(entity, expected) }
    }

    /// One request at a time about a product, region and hub.
    fn already_asked(&self, form: &CertificationForm) -> Option<Unmet> {
        let is_same = |other: &&CertificationEntity| {
            other.form.id != form.id && other.form.region == form.region && other.form.hub == form.hub && is_open(other.status)
        };
        self.certifications_of(&form.product).find(is_same).map(|other| {
            let detail = format!("certification:{} of the same product, region and hub is {}", other.form.id, other.status);
            unmet("certification", detail, format!("wait for the end of {}", other.form.id))
        })
    }
}

const fn is_open(status: CertificationStatus) -> bool {
    match status {
        CertificationStatus::UnderReview | CertificationStatus::InTesting(_) | CertificationStatus::ResultsReview => true,
        CertificationStatus::Draft
        | CertificationStatus::Rejected
        | CertificationStatus::Approved
        | CertificationStatus::Failed => false,
    }
}

fn moved(asked: Asked<'_>, entity: &CertificationEntity, status: CertificationStatus, reasons: Vec<String>) -> Plan {
    let mut entity = entity.clone();
    (entity.status, entity.since) = (status, asked.command.at);
    entity.trail.steps.push(asked.step(status.as_str(), reasons.clone()));
    entity.reasons = reasons;
    Plan::of(vec![Entity::Certification(entity)])
}

fn elsewhere<T>(entity: &CertificationEntity, expected: &str) -> Result<T, Vec<Unmet>> {
    let id = EntityId::Certification(entity.form.id.clone());
    not_in(&id, (entity.status, expected), &entity.trail, what_next(entity.status))
}

/// What can be done with a request.
fn what_next(status: CertificationStatus) -> String {
    match status {
        CertificationStatus::Draft => "complete it, and submit it".to_owned(),
        CertificationStatus::UnderReview => "accept or reject it".to_owned(),
        CertificationStatus::InTesting(step) => match step.next() {
            Some(next) => format!("record that it is {} first", next.as_str()),
            None => "hand in the results".to_owned(),
        },
        CertificationStatus::ResultsReview => "approve it, or fail it with what failed".to_owned(),
        CertificationStatus::Rejected | CertificationStatus::Failed => "test again, as a new request".to_owned(),
        CertificationStatus::Approved => "nothing is left to do; draft another request for what it doesn't cover".to_owned(),
    }
}

/// The hub is one that the product can be set up with; one without hubs is tested without.
fn check_hub(product: &ProductEntity, form: &CertificationForm) -> Result<(), Vec<Unmet>> {
    let hubs = &product.form.hubs;
    match &form.hub {
        Some(hub) if !hubs.contains(hub) => {
            let detail = format!("product {} isn't described as set up with hub {hub}", form.product);
            refused("hub", detail, "name one of the product's hubs, or describe the product with this one")
        }
        None if !hubs.is_empty() => {
            let names: Vec<&str> = hubs.iter().map(domain::Asin::as_str).collect();
            let detail = format!("product {} is set up with a hub", form.product);
            refused("hub", detail, format!("name the hub it is tested with: {}", names.join(", ")))
        }
        _ => Ok(()),
    }
}

/// What a request has to say before it is handed in.
fn missing(product: &ProductEntity, form: &CertificationForm) -> Vec<Unmet> {
    let mut out = Vec::new();
    let mut require = |name: &str, is_given: bool, what: &str| {
        if !is_given {
            out.push(unmet(name, format!("{name} is missing"), format!("give {what}")));
        }
    };
    require("made_in", form.made_in.is_some(), "the country where it is made");
    require("hardware", form.hardware.is_some(), "the hardware's version");
    require("firmware", form.firmware.is_some(), "the firmware's version");
    require("chipset", form.chipset.is_some(), "the chipset");
    if product.form.connection.is_some_and(Connection::needs_skill) {
        require("skill", form.skill.is_some(), "the id of the skill it is tested with");
        require("skill_name", form.skill_name.is_some(), "the skill's name");
        require("skill_stage", form.skill_stage.is_some(), "the skill's stage");
    }
    out
}
