//! Lines to commands: a table of the types, each with its fields and its reader.

use domain::Asin;
use domain::fact::Verdict;
use domain::id::{CertificationId, CommandId};
use domain::programme::{Action, Command, TestingStep};

use super::REASONS_MAX;
use super::forms::{self, badge_request_id, certification_id, dispute_id, exclusion_id};
use super::values::{id, named, optional, required, some_texts, texts};
use crate::error::LineError;
use crate::fact::read as fact;
use crate::json::Fields;
use crate::json::fields::unsigned;

/// What every command has, in the order in which it is written.
const ENVELOPE: [&str; 5] = ["type", "command", "at", "by", "expects"];

/// A type of command.
struct Kind {
    name: &'static str,
    /// The fields that it has beside [`ENVELOPE`], in the order in which they are written.
    fields: &'static [&'static str],
    read: fn(&mut Fields<'_>) -> Result<Action, LineError>,
}

const KINDS: [Kind; 28] = [
    kind("describe_manufacturer", &["manufacturer", "name", "contacts", "technical_contact", "mails"], |fields| {
        forms::manufacturer(fields).map(Action::DescribeManufacturer)
    }),
    kind(
        "describe_product",
        &[
            "product",
            "manufacturer",
            "retail_name",
            "category",
            "device",
            "brand",
            "model",
            "image",
            "connection",
            "protocol",
            "dash_model",
            "capabilities",
            "hubs",
            "variants",
        ],
        |fields| forms::product(fields).map(Action::DescribeProduct),
    ),
    kind(
        "draft_certification",
        &[
            "certification",
            "product",
            "region",
            "hub",
            "marketplaces",
            "made_in",
            "hardware",
            "firmware",
            "chipset",
            "skill",
            "skill_name",
            "skill_stage",
            "approval_code",
            "proof",
        ],
        |fields| forms::certification(fields).map(Action::DraftCertification),
    ),
    kind("submit_certification", CERTIFICATION, |fields| certification(fields).map(Action::SubmitCertification)),
    kind("accept_certification", CERTIFICATION, |fields| certification(fields).map(Action::AcceptCertification)),
    kind("reject_certification", &["certification", "reasons"], |fields| {
        Ok(Action::RejectCertification { id: certification(fields)?, reasons: some_texts(fields, "reasons", REASONS_MAX)? })
    }),
    kind("advance_testing", &["certification", "step"], |fields| {
        Ok(Action::AdvanceTesting { id: certification(fields)?, step: step(fields)? })
    }),
    kind("hand_in_results", CERTIFICATION, |fields| certification(fields).map(Action::HandInResults)),
    kind("approve_certification", CERTIFICATION, |fields| certification(fields).map(Action::ApproveCertification)),
    kind("fail_certification", &["certification", "failures"], |fields| {
        Ok(Action::FailCertification { id: certification(fields)?, failures: some_texts(fields, "failures", REASONS_MAX)? })
    }),
    kind("test_again", &["certification", "new"], |fields| {
        Ok(Action::TestAgain { id: certification(fields)?, new: certification_id(fields, "new")? })
    }),
    kind(
        "draft_badge_request",
        &["badge_request", "product", "asin", "retail_id", "bundle", "hub", "marketplaces", "go_live", "customers"],
        |fields| forms::badge(fields).map(Action::DraftBadgeRequest),
    ),
    kind("submit_badge_request", BADGE_REQUEST, |fields| badge_request_id(fields).map(Action::SubmitBadgeRequest)),
    kind("approve_badge_request", BADGE_REQUEST, |fields| badge_request_id(fields).map(Action::ApproveBadgeRequest)),
    kind("reject_badge_request", &["badge_request", "reasons"], |fields| {
        Ok(Action::RejectBadgeRequest { id: badge_request_id(fields)?, reasons: texts(fields, "reasons", REASONS_MAX)? })
    }),
    kind("withdraw_badge", &["asin"], |fields| fact::asin(fields).map(Action::WithdrawBadge)),
    kind("count_customers", &["asin", "customers"], count_customers),
    kind("request_exclusion", &["exclusion", "applies_to", "regions", "from", "to", "reason", "note"], |fields| {
        forms::exclusion(fields).map(Action::RequestExclusion)
    }),
    kind("approve_exclusion", &["exclusion"], |fields| exclusion_id(fields).map(Action::ApproveExclusion)),
    kind("decline_exclusion", &["exclusion", "note"], |fields| {
        Ok(Action::DeclineExclusion { id: exclusion_id(fields)?, note: required(fields, "note")? })
    }),
    kind("revoke_exclusion", &["exclusion", "note"], |fields| {
        Ok(Action::RevokeExclusion { id: exclusion_id(fields)?, note: required(fields, "note")? })
    }),
    kind("open_dispute", &["dispute", "asin", "regions", "from", "to", "claim"], |fields| {
        forms::dispute(fields).map(Action::OpenDispute)
    }),
    kind("uphold_dispute", &["dispute", "note"], |fields| {
        Ok(Action::UpholdDispute { id: dispute_id(fields)?, note: required(fields, "note")? })
    }),
    kind("decline_dispute", &["dispute", "note"], |fields| {
        Ok(Action::DeclineDispute { id: dispute_id(fields)?, note: required(fields, "note")? })
    }),
    kind("confirm_proposal", &["proposal", "note"], |fields| rule(fields, Verdict::Confirmed)),
    kind("refuse_proposal", &["proposal", "note"], |fields| rule(fields, Verdict::Refused)),
    kind("acknowledge_outage", &["outage", "cause", "expected_fix"], acknowledge),
    kind("turn_kill_switch", &["on", "reason"], |fields| {
        Ok(Action::TurnKillSwitch { on: fact::switch(fields)?, reason: required(fields, "reason")? })
    }),
];

const CERTIFICATION: &[&str] = &["certification"];
const BADGE_REQUEST: &[&str] = &["badge_request"];

/// The types of commands.
pub const TYPES: [&str; KINDS.len()] = {
    let mut names = [""; KINDS.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = KINDS[place].name;
        place += 1;
    }
    names
};

pub(super) fn parse(line: &[u8]) -> Result<Command, LineError> {
    let mut fields = Fields::parse(line)?;
    fields.version(false)?;
    let kind = fields.kind(&TYPES)?;
    read(kind, fields)
}

/// Reads what is left of a line once its version and its type, one of [`TYPES`], are taken out.
pub(crate) fn read(kind: &'static str, mut fields: Fields<'_>) -> Result<Command, LineError> {
    let id = id(&mut fields, "command", "a command's id", CommandId::new)?;
    let at = fields.instant("at")?;
    let by = required(&mut fields, "by")?;
    let expects = fields.optional("expects", "a revision, a whole number", unsigned)?;
    let action = (of(kind).expect("it is one of TYPES").read)(&mut fields)?;
    Ok(Command { id, at, by, expects, action })
}

/// The fields that a command of a type can have, in the order in which they are written; none for an unknown type.
pub fn fields(kind: &str) -> impl Iterator<Item = &'static str> {
    let own = of(kind).map(|kind| ENVELOPE.into_iter().chain(kind.fields.iter().copied()));
    own.into_iter().flatten()
}

fn of(kind: &str) -> Option<&'static Kind> {
    const { &KINDS }.iter().find(|known| known.name == kind)
}

const fn kind(
    name: &'static str,
    fields: &'static [&'static str],
    read: fn(&mut Fields<'_>) -> Result<Action, LineError>,
) -> Kind {
    Kind { name, fields, read }
}

fn certification(fields: &mut Fields<'_>) -> Result<CertificationId, LineError> {
    certification_id(fields, "certification")
}

fn step(fields: &mut Fields<'_>) -> Result<TestingStep, LineError> {
    fields.parsed("step", "a step of testing such as quoted", named(TestingStep::ALL.into_iter(), TestingStep::as_str))
}

fn count_customers(fields: &mut Fields<'_>) -> Result<Action, LineError> {
    let asin: Asin = fact::asin(fields)?;
    Ok(Action::CountCustomers { asin, customers: fields.required("customers", fact::CUSTOMERS, unsigned)? })
}

fn rule(fields: &mut Fields<'_>, verdict: Verdict) -> Result<Action, LineError> {
    Ok(Action::Rule { proposal: fact::decision_id(fields, "proposal")?, verdict, note: optional(fields, "note")? })
}

fn acknowledge(fields: &mut Fields<'_>) -> Result<Action, LineError> {
    Ok(Action::AcknowledgeOutage {
        outage: fact::decision_id(fields, "outage")?,
        cause: required(fields, "cause")?,
        expected_fix: fields.instant("expected_fix")?,
    })
}
