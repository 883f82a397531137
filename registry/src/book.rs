//! The programme's book: what is described, certified, requested, badged, excused and disputed, and who did
//! it when.
//!
//! A state machine over the registry's log. Commands are planned, then carried out or refused with
//! everything that is in the way; facts and decisions are noted as they are. What follows from time alone,
//! a badge that goes live, follows from the time of the log. So every reader of one log has one book.

use std::collections::{BTreeMap, BTreeSet};

use domain::decision::DecisionId;
use domain::fact::{ExclusionRevoked, Fact, KillSwitch, Listing, SkillListing};
use domain::id::{Asin, BadgeRequestId, CertificationId, CommandId, DisputeId, ExclusionId, ManufacturerId, ProductId, SkillId};
use domain::programme::entity::{BadgeEntity, BadgeRequestEntity, CertificationEntity, DisputeEntity, ExclusionEntity};
use domain::programme::entity::{KillSwitchEntity, ManufacturerEntity, OutageEntity, ProductEntity, ProposalEntity};
use domain::programme::{Action, Command, Entity, EntityId, Outcome, Step, Trail, Unmet};
use domain::time::{DurationMs, Timestamp};

mod answers;
mod badges;
mod catalogue;
mod certifications;
mod disputes;
mod exclusions;
mod facts;
mod forms;
mod issued;
mod requests;
mod turns;
mod unmet;

use badges::TermsOverTime;
use turns::Turns;

/// How far ahead of its record a command may take effect.
pub const COMMAND_SKEW_MAX: DurationMs = DurationMs(5 * 60_000);
/// Who did what nobody did: time, or a fact that names nobody.
const NOBODY: &str = "badgewatch";

/// Where something stands in the registry's log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The record's offset, or the line of a file from 0.
    pub position: u64,
    /// When it was appended, where the log says so.
    pub recorded_at: Option<Timestamp>,
}

/// The programme's book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Book {
    /// The longest window of any policy version: what is older can't change any more (R24).
    window: DurationMs,
    /// The log's time.
    now: Timestamp,
    manufacturers: BTreeMap<ManufacturerId, ManufacturerEntity>,
    products: BTreeMap<ProductId, ProductEntity>,
    certifications: BTreeMap<CertificationId, CertificationEntity>,
    requests: BTreeMap<BadgeRequestId, BadgeRequestEntity>,
    badges: BTreeMap<Asin, BadgeEntity>,
    exclusions: BTreeMap<ExclusionId, ExclusionEntity>,
    disputes: BTreeMap<DisputeId, DisputeEntity>,
    proposals: BTreeMap<DecisionId, ProposalEntity>,
    outages: BTreeMap<DecisionId, OutageEntity>,
    kill_switch: KillSwitchEntity,
    commands: BTreeMap<CommandId, Receipt>,
    listings: BTreeMap<Asin, Vec<Listing>>,
    skill_listings: BTreeMap<SkillId, Vec<SkillListing>>,
    /// Decisions that were noted.
    noted: BTreeSet<DecisionId>,
    /// What took badges away and brought them back.
    turns: BTreeMap<Asin, Turns>,
    /// What suspended manufacturers and lifted that.
    suspensions: BTreeMap<ManufacturerId, Turns>,
    /// Amendments of proposals and outages, with the first name of what they amend.
    amended: BTreeMap<DecisionId, DecisionId>,
    terms: BTreeMap<Asin, TermsOverTime>,
    /// Facts about badges that aren't named yet.
    waiting: BTreeMap<Asin, Vec<(Place, Fact)>>,
    /// Withdrawals that are dated ahead.
    withdrawals: BTreeMap<Asin, BTreeSet<Timestamp>>,
    /// Revocations that came before their exclusions were approved.
    revoked_before: BTreeMap<ExclusionId, (Place, ExclusionRevoked)>,
    /// Answers that came before what they answer.
    answers_before: BTreeMap<DecisionId, Vec<(Place, Fact)>>,
    /// Turns of the kill switch that are dated ahead.
    turns_ahead: Vec<KillSwitch>,
    /// Requests that wait for their date, or for what isn't met.
    pending: BTreeSet<BadgeRequestId>,
    /// The product that has an ASIN among its variants.
    variants: BTreeMap<Asin, ProductId>,
    certifications_of: BTreeMap<ProductId, BTreeSet<CertificationId>>,
    tested_skills: BTreeSet<SkillId>,
    requests_for: BTreeMap<Asin, BTreeSet<BadgeRequestId>>,
    dependents: BTreeMap<SkillId, BTreeSet<Asin>>,
    /// When what is known already changes what holds of an ASIN.
    due: BTreeSet<(Timestamp, Asin)>,
}

/// What became of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Receipt {
    command: Command,
    outcome: Outcome,
}

/// What a command, or time, changes: all of it or nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Plan {
    /// What is so afterwards; what the command is about comes first.
    entities: Vec<Entity>,
    /// What that means for badges and budgets.
    fact: Option<Fact>,
}

/// Everything that is in the way.
type Planned = Result<Plan, Vec<Unmet>>;

/// A command at its place.
#[derive(Clone, Copy)]
struct Asked<'a> {
    command: &'a Command,
    place: Place,
}

impl Book {
    /// An empty book; `window` is the longest window of any policy version.
    #[must_use]
    pub fn new(window: DurationMs) -> Self {
        Self {
            window,
            now: Timestamp::MIN,
            manufacturers: BTreeMap::new(),
            products: BTreeMap::new(),
            certifications: BTreeMap::new(),
            requests: BTreeMap::new(),
            badges: BTreeMap::new(),
            exclusions: BTreeMap::new(),
            disputes: BTreeMap::new(),
            proposals: BTreeMap::new(),
            outages: BTreeMap::new(),
            kill_switch: KillSwitchEntity::default(),
            commands: BTreeMap::new(),
            listings: BTreeMap::new(),
            skill_listings: BTreeMap::new(),
            noted: BTreeSet::new(),
            turns: BTreeMap::new(),
            suspensions: BTreeMap::new(),
            amended: BTreeMap::new(),
            terms: BTreeMap::new(),
            waiting: BTreeMap::new(),
            withdrawals: BTreeMap::new(),
            revoked_before: BTreeMap::new(),
            answers_before: BTreeMap::new(),
            turns_ahead: Vec::new(),
            pending: BTreeSet::new(),
            variants: BTreeMap::new(),
            certifications_of: BTreeMap::new(),
            tested_skills: BTreeSet::new(),
            requests_for: BTreeMap::new(),
            dependents: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }

    /// Carries out a command, or says everything that is in the way. A fact that follows goes to `take`, which
    /// may still refuse it; then nothing is changed.
    ///
    /// A command that was there before isn't carried out again: its outcome stands. One of the same id with
    /// other content is refused.
    pub fn apply(&mut self, place: Place, command: &Command, take: impl FnOnce(Fact) -> Result<(), Unmet>) -> Outcome {
        if let Some(receipt) = self.commands.get(&command.id) {
            return if receipt.command == *command {
                receipt.outcome.clone()
            } else {
                Outcome::Refused { unmet: vec![unmet::id_taken(command)] }
            };
        }
        let asked = Asked { command, place };
        let outcome = match self.plan(asked).and_then(|plan| taken(plan, take)) {
            Err(unmet) => Outcome::Refused { unmet },
            Ok(plan) => {
                let revision = plan.entities.first().map_or(0, |entity| entity.trail().revision());
                self.enact(plan);
                Outcome::Accepted { revision }
            }
        };
        self.commands.insert(command.id.clone(), Receipt { command: command.clone(), outcome: outcome.clone() });
        outcome
    }

    /// A command that was there, carried out or refused.
    #[must_use]
    pub fn command(&self, id: &CommandId) -> Option<&Command> {
        self.commands.get(id).map(|receipt| &receipt.command)
    }

    /// What became of a command that was there.
    #[must_use]
    pub fn outcome(&self, id: &CommandId) -> Option<&Outcome> {
        self.commands.get(id).map(|receipt| &receipt.outcome)
    }

    /// Forgets that a command was refused: it was tried out on a copy, and isn't in the log.
    pub fn forget_refused(&mut self, id: &CommandId) {
        if matches!(self.outcome(id), Some(Outcome::Refused { .. })) {
            self.commands.remove(id);
        }
    }

    /// What is known of something. A proposal or outage that was amended goes by the amendments' ids, too.
    #[must_use]
    pub fn entity(&self, id: &EntityId) -> Option<Entity> {
        match id {
            EntityId::Manufacturer(id) => self.manufacturers.get(id).cloned().map(Entity::Manufacturer),
            EntityId::Product(id) => self.products.get(id).cloned().map(Entity::Product),
            EntityId::Certification(id) => self.certifications.get(id).cloned().map(Entity::Certification),
            EntityId::BadgeRequest(id) => self.requests.get(id).cloned().map(Entity::BadgeRequest),
            EntityId::Badge(asin) => self.badges.get(asin).cloned().map(Entity::Badge),
            EntityId::Exclusion(id) => self.exclusions.get(id).cloned().map(Entity::Exclusion),
            EntityId::Dispute(id) => self.disputes.get(id).cloned().map(Entity::Dispute),
            EntityId::Proposal(id) => self.proposals.get(&self.question(*id)).cloned().map(Entity::Proposal),
            EntityId::Outage(id) => self.outages.get(&self.question(*id)).cloned().map(Entity::Outage),
            EntityId::KillSwitch => Some(Entity::KillSwitch(self.kill_switch.clone())),
        }
    }

    /// Everything that is known: by kind as in [`EntityId::KINDS`], then by id.
    pub fn ids(&self) -> impl Iterator<Item = EntityId> + '_ {
        let manufacturers = self.manufacturers.keys().cloned().map(EntityId::Manufacturer);
        let products = self.products.keys().cloned().map(EntityId::Product);
        let certifications = self.certifications.keys().cloned().map(EntityId::Certification);
        let requests = self.requests.keys().cloned().map(EntityId::BadgeRequest);
        let badges = self.badges.keys().cloned().map(EntityId::Badge);
        let exclusions = self.exclusions.keys().cloned().map(EntityId::Exclusion);
        let disputes = self.disputes.keys().cloned().map(EntityId::Dispute);
        let proposals = self.proposals.keys().copied().map(EntityId::Proposal);
        let outages = self.outages.keys().copied().map(EntityId::Outage);
        let kill_switch = self.kill_switch.trail.steps.first().map(|_| EntityId::KillSwitch);
        manufacturers
            .chain(products)
            .chain(certifications)
            .chain(requests)
            .chain(badges)
            .chain(exclusions)
            .chain(disputes)
            .chain(proposals)
            .chain(outages)
            .chain(kill_switch)
    }

    /// The log's time.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// When [`Self::pass`] has something to do next; by now if it lies before [`Self::now`].
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    fn plan(&self, asked: Asked<'_>) -> Planned {
        let Command { action, .. } = asked.command;
        self.check_order(asked)?;
        match action {
            Action::DescribeManufacturer(form) => Ok(self.describe_manufacturer(asked, form)),
            Action::DescribeProduct(form) => self.describe_product(asked, form),
            Action::DraftCertification(form) => self.draft_certification(asked, form),
            Action::SubmitCertification(id) => self.submit_certification(asked, id),
            Action::AcceptCertification(id) => self.accept_certification(asked, id),
            Action::RejectCertification { id, reasons } => self.reject_certification(asked, id, reasons),
            Action::AdvanceTesting { id, step } => self.advance_testing(asked, id, *step),
            Action::HandInResults(id) => self.hand_in_results(asked, id),
            Action::ApproveCertification(id) => self.approve_certification(asked, id),
            Action::FailCertification { id, failures } => self.fail_certification(asked, id, failures),
            Action::TestAgain { id, new } => self.test_again(asked, id, new),
            Action::DraftBadgeRequest(form) => self.draft_badge_request(asked, form),
            Action::SubmitBadgeRequest(id) => self.submit_badge_request(asked, id),
            Action::ApproveBadgeRequest(id) => self.approve_badge_request(asked, id),
            Action::RejectBadgeRequest { id, reasons } => self.reject_badge_request(asked, id, reasons),
            Action::WithdrawBadge(asin) => self.withdraw_badge(asked, asin),
            Action::CountCustomers { asin, customers } => self.count_customers(asked, asin, *customers),
            Action::RequestExclusion(form) => self.request_exclusion(asked, form),
            Action::ApproveExclusion(id) => self.approve_exclusion(asked, id),
            Action::DeclineExclusion { id, note } => self.decline_exclusion(asked, id, note),
            Action::RevokeExclusion { id, note } => self.revoke_exclusion(asked, id, note),
            Action::OpenDispute(form) => self.open_dispute(asked, form),
            Action::UpholdDispute { id, note } => self.uphold_dispute(asked, id, note),
            Action::DeclineDispute { id, note } => self.decline_dispute(asked, id, note),
            Action::Rule { proposal, verdict, note } => self.rule(asked, *proposal, (*verdict, note.as_deref())),
            Action::AcknowledgeOutage { outage, cause, expected_fix } => self.acknowledge(asked, *outage, (cause, *expected_fix)),
            Action::TurnKillSwitch { on, reason } => self.turn_kill_switch(asked, *on, reason),
        }
    }

    /// What is asked for everywhere: an instant that the log's time allows, the revision that was seen, and that
    /// nothing happened to it later.
    fn check_order(&self, asked: Asked<'_>) -> Result<(), Vec<Unmet>> {
        let Command { at, expects, action, .. } = asked.command;
        let mut out = Vec::new();
        if let Some(recorded) = asked.place.recorded_at {
            if *at > recorded.saturating_add(COMMAND_SKEW_MAX) {
                out.push(unmet::too_early(*at, recorded));
            }
            if *at < recorded.saturating_sub(self.window) {
                out.push(unmet::too_old(*at, recorded));
            }
        }
        let id = action.entity();
        let entity = self.entity(&id);
        let trail = entity.as_ref().map(Entity::trail);
        let revision = trail.map_or(0, Trail::revision);
        if let Some(expected) = expects.filter(|expected| *expected != revision) {
            out.push(unmet::revision(&id, expected, revision));
        }
        out.extend(trail.and_then(|trail| self.overtaken(asked, &id, trail)));
        if out.is_empty() { Ok(()) } else { Err(out) }
    }

    /// What happened to something after a command's instant. What facts date ahead hasn't happened yet.
    fn overtaken(&self, asked: Asked<'_>, id: &EntityId, trail: &Trail) -> Option<Unmet> {
        let (at, now) = (asked.command.at, self.instant(asked.place));
        let later = trail.steps.iter().filter(|step| step.at > at && (step.command.is_some() || step.at <= now));
        later.max_by_key(|step| step.at).map(|last| unmet::overtaken(id, at, last))
    }

    fn put(&mut self, entity: Entity) {
        match entity {
            Entity::Manufacturer(entity) => drop(self.manufacturers.insert(entity.form.id.clone(), entity)),
            Entity::Product(entity) => self.put_product(entity),
            Entity::Certification(entity) => self.put_certification(entity),
            Entity::BadgeRequest(entity) => self.put_request(entity),
            Entity::Badge(entity) => self.put_badge(entity),
            Entity::Exclusion(entity) => drop(self.exclusions.insert(entity.form.id.clone(), entity)),
            Entity::Dispute(entity) => drop(self.disputes.insert(entity.form.id.clone(), entity)),
            Entity::Proposal(entity) => drop(self.proposals.insert(entity.note.id, entity)),
            Entity::Outage(entity) => drop(self.outages.insert(entity.note.id, entity)),
            Entity::KillSwitch(entity) => self.kill_switch = entity,
        }
    }
}

impl Asked<'_> {
    /// The step that the command is in the history of what it is about.
    fn step(&self, status: &'static str, notes: Vec<String>) -> Step {
        let Command { id, at, by, action, .. } = self.command;
        Step {
            at: *at,
            recorded_at: self.place.recorded_at,
            position: self.place.position,
            by: by.clone(),
            command: Some(id.clone()),
            what: action.as_str(),
            status,
            notes,
        }
    }
}

impl Place {
    /// A step that no command made.
    fn step(self, (at, by): (Timestamp, &str), what: &'static str, status: &'static str, notes: Vec<String>) -> Step {
        let (position, recorded_at) = (self.position, self.recorded_at);
        Step { at, recorded_at, position, by: by.to_owned(), command: None, what, status, notes }
    }
}

impl Plan {
    const fn of(entities: Vec<Entity>) -> Self {
        Self { entities, fact: None }
    }
}

/// The plan, once its fact was taken.
fn taken(plan: Plan, take: impl FnOnce(Fact) -> Result<(), Unmet>) -> Planned {
    plan.fact.clone().map_or(Ok(()), take).map_err(|unmet| vec![unmet])?;
    Ok(plan)
}

#[cfg(test)]
mod tests;
