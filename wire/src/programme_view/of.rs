//! What the registry knows to what is shown.

use std::collections::BTreeMap;

use domain::decision::{DecisionId, Scope};
use domain::fact::{Acknowledgement, KillSwitch, Ruling};
use domain::id::CommandId;
use domain::programme::entity::{BadgeEntity, CertificationEntity};
use domain::programme::{Entity, EntityId, Outcome, Step, Trail, Unmet};
use domain::{Asin, SkillId, Timestamp};

use super::{AcknowledgementView, DetailsView, EntityView, FormView, NoteView, OutcomeView, RegionView, RulingView, ScopedView};
use super::{StepView, TurnView, UnmetView};
use crate::command::cells::{Cell, Cells};
use crate::command::write as forms;
use crate::fact::write::codes;

/// Where the kill switch is before it is turned for the first time.
const NEVER_TURNED: &str = "off";

impl EntityView {
    /// What is known of something, as of an instant.
    #[must_use]
    pub fn of(entity: &Entity, now: Timestamp) -> Self {
        let (status, title) = status(entity);
        let trail = entity.trail();
        Self {
            entity: id(entity).to_string(),
            revision: trail.revision(),
            status: status.to_owned(),
            status_title: title,
            details: details(entity, now),
            history: trail.steps.iter().map(StepView::from).collect(),
        }
    }
}

impl OutcomeView {
    /// What became of a command.
    #[must_use]
    pub fn of(command: &CommandId, outcome: &Outcome) -> Self {
        let (revision, unmet) = match outcome {
            Outcome::Accepted { revision } => (Some(*revision), Vec::new()),
            Outcome::Refused { unmet } => (None, unmets(unmet)),
        };
        Self { command: command.to_string(), accepted: revision.is_some(), revision, unmet }
    }
}

impl From<&Step> for StepView {
    fn from(step: &Step) -> Self {
        Self {
            at: step.at.to_string(),
            recorded_at: step.recorded_at.map(|at| at.to_string()),
            position: step.position,
            by: step.by.clone(),
            command: step.command.as_ref().map(ToString::to_string),
            what: step.what.to_owned(),
            status: step.status.to_owned(),
            notes: step.notes.clone(),
        }
    }
}

impl From<&Unmet> for UnmetView {
    fn from(unmet: &Unmet) -> Self {
        let Unmet { requirement, detail, remedy } = unmet.clone();
        Self { requirement, detail, remedy }
    }
}

fn id(entity: &Entity) -> EntityId {
    match entity {
        Entity::Manufacturer(entity) => EntityId::Manufacturer(entity.form.id.clone()),
        Entity::Product(entity) => EntityId::Product(entity.form.id.clone()),
        Entity::Certification(entity) => EntityId::Certification(entity.form.id.clone()),
        Entity::BadgeRequest(entity) => EntityId::BadgeRequest(entity.form.id.clone()),
        Entity::Badge(entity) => EntityId::Badge(entity.asin.clone()),
        Entity::Exclusion(entity) => EntityId::Exclusion(entity.form.id.clone()),
        Entity::Dispute(entity) => EntityId::Dispute(entity.form.id.clone()),
        Entity::Proposal(entity) => EntityId::Proposal(entity.note.id),
        Entity::Outage(entity) => EntityId::Outage(entity.note.id),
        Entity::KillSwitch(_) => EntityId::KillSwitch,
    }
}

/// A status's name and its title. What has no statuses of its own is where its last step left it.
fn status(entity: &Entity) -> (&'static str, String) {
    match entity {
        Entity::Certification(entity) => (entity.status.as_str(), entity.status.title().to_owned()),
        Entity::BadgeRequest(entity) => (entity.status.as_str(), entity.status.title().to_owned()),
        Entity::Exclusion(entity) => (entity.status.as_str(), entity.status.title().to_owned()),
        Entity::Dispute(entity) => (entity.status.as_str(), entity.status.title().to_owned()),
        Entity::Manufacturer(_)
        | Entity::Product(_)
        | Entity::Badge(_)
        | Entity::Proposal(_)
        | Entity::Outage(_)
        | Entity::KillSwitch(_) => {
            let name = last_status(entity.trail());
            (name, title(name))
        }
    }
}

fn last_status(trail: &Trail) -> &'static str {
    trail.steps.last().map_or(NEVER_TURNED, |step| step.status)
}

/// `missing_information` is shown as `Missing information`.
fn title(name: &str) -> String {
    let mut letters = name.chars().map(|letter| if letter == '_' { ' ' } else { letter });
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn details(entity: &Entity, now: Timestamp) -> DetailsView {
    let cells = Cells::default();
    match entity {
        Entity::Manufacturer(entity) => DetailsView::Manufacturer {
            form: forms::manufacturer(cells, &entity.form).into(),
            suspended: scoped(&entity.suspended),
        },
        Entity::Product(entity) => {
            DetailsView::Product { form: forms::product(cells, &entity.form).into(), missing: unmets(&entity.missing) }
        }
        Entity::Certification(entity) => certification(entity, now),
        Entity::BadgeRequest(entity) => DetailsView::BadgeRequest {
            form: forms::badge(cells, &entity.form).into(),
            since: entity.since.to_string(),
            reasons: entity.reasons.clone(),
            unmet: unmets(&entity.unmet),
        },
        Entity::Badge(entity) => badge(entity),
        Entity::Exclusion(entity) => DetailsView::Exclusion { form: forms::exclusion(cells, &entity.form).into() },
        Entity::Dispute(entity) => DetailsView::Dispute {
            form: forms::dispute(cells, &entity.form).into(),
            exclusion: entity.exclusion.as_ref().map(ToString::to_string),
        },
        Entity::Proposal(entity) => DetailsView::Proposal {
            decision: NoteView::from(&entity.note),
            ruling: entity.ruling.as_ref().map(ruling),
            reversed: entity.reversed,
        },
        Entity::Outage(entity) => DetailsView::Outage {
            decision: NoteView::from(&entity.note),
            acknowledgement: entity.acknowledgement.as_ref().map(acknowledgement),
        },
        Entity::KillSwitch(entity) => DetailsView::KillSwitch { last: entity.last.as_ref().map(turn) },
    }
}

fn certification(entity: &CertificationEntity, now: Timestamp) -> DetailsView {
    DetailsView::Certification {
        form: forms::certification(Cells::default(), &entity.form).into(),
        since: entity.since.to_string(),
        due: entity.due().map(|due| due.to_string()),
        overdue: entity.is_overdue(now),
        reasons: entity.reasons.clone(),
        repeats: entity.repeats.as_ref().map(ToString::to_string),
        repeated_by: entity.repeated_by.as_ref().map(ToString::to_string),
    }
}

fn badge(entity: &BadgeEntity) -> DetailsView {
    let region = |region| {
        let status = entity.status(Scope::Region(region));
        RegionView { region: region.to_string(), status: status.as_str().to_owned(), status_title: status.title().to_owned() }
    };
    DetailsView::Badge {
        product: entity.product.as_ref().map(ToString::to_string),
        request: entity.request.as_ref().map(ToString::to_string),
        form: terms(entity),
        enabled_at: entity.enabled_at.to_string(),
        withdrawn_at: entity.withdrawn_at.map(|at| at.to_string()),
        regions: entity.terms.regions().iter().map(region).collect(),
        removed: scoped(&entity.removed),
        flags: unmets(&entity.flags),
    }
}

/// What a badge says, with the fields of a badge's line.
fn terms(entity: &BadgeEntity) -> FormView {
    let terms = &entity.terms;
    Cells::default()
        .text("asin", entity.asin.as_str())
        .text("manufacturer", terms.manufacturer.as_str())
        .optional("brand", terms.brand.as_deref())
        .optional("model", terms.model.as_deref())
        .optional("image", terms.image.as_deref())
        .optional("skill", terms.skill.as_ref().map(SkillId::as_str))
        .optional("hub", terms.hub.as_ref().map(Asin::as_str))
        .texts("marketplaces", codes(&terms.marketplaces))
        .with("customers", Cell::Number(terms.customers))
        .into()
}

fn scoped(scopes: &BTreeMap<Scope, (DecisionId, Timestamp)>) -> Vec<ScopedView> {
    let one = |(scope, (decision, since)): (&Scope, &(DecisionId, Timestamp))| ScopedView {
        scope: scope.to_string(),
        decision: decision.to_string(),
        since: since.to_string(),
    };
    scopes.iter().map(one).collect()
}

fn unmets(unmet: &[Unmet]) -> Vec<UnmetView> {
    unmet.iter().map(UnmetView::from).collect()
}

fn ruling(ruling: &Ruling) -> RulingView {
    RulingView {
        verdict: ruling.verdict.as_str().to_owned(),
        at: ruling.at.to_string(),
        by: ruling.by.clone(),
        note: ruling.note.clone(),
    }
}

fn acknowledgement(acknowledgement: &Acknowledgement) -> AcknowledgementView {
    AcknowledgementView {
        at: acknowledgement.at.to_string(),
        by: acknowledgement.by.clone(),
        cause: acknowledgement.cause.clone(),
        expected_fix: acknowledgement.expected_fix.to_string(),
    }
}

fn turn(turn: &KillSwitch) -> TurnView {
    TurnView { on: turn.on, at: turn.at.to_string(), by: turn.by.clone(), reason: turn.reason.clone() }
}
