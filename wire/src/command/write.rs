//! Commands to lines.

use domain::programme::{Action, BadgeForm, CertificationForm, Command, DisputeForm, ExclusionForm, ManufacturerForm};
use domain::programme::{Capability, Connection, DeviceType, MailKind, ProductForm, SkillStage};
use domain::{Asin, Interval, Region, RegionSet, SkillId};

use super::cells::{Cell, Cells};
use crate::fact::write::{Target, codes};
use crate::json;

pub(super) fn write(command: &Command, out: &mut Vec<u8>) {
    let envelope = Cells::default()
        .text("type", command.action.as_str())
        .text("command", command.id.as_str())
        .shown("at", &command.at)
        .text("by", &command.by);
    let envelope = match command.expects {
        Some(revision) => envelope.with("expects", Cell::Number(revision)),
        None => envelope,
    };
    json::write(&action(envelope, &command.action), out);
}

fn action<'a>(cells: Cells<'a>, action: &'a Action) -> Cells<'a> {
    match action {
        Action::DescribeManufacturer(form) => manufacturer(cells, form),
        Action::DescribeProduct(form) => product(cells, form),
        Action::DraftCertification(form) => certification(cells, form),
        Action::SubmitCertification(id)
        | Action::AcceptCertification(id)
        | Action::HandInResults(id)
        | Action::ApproveCertification(id) => cells.text("certification", id.as_str()),
        Action::RejectCertification { id, reasons } => cells.text("certification", id.as_str()).texts("reasons", texts(reasons)),
        Action::AdvanceTesting { id, step } => cells.text("certification", id.as_str()).text("step", step.as_str()),
        Action::FailCertification { id, failures } => cells.text("certification", id.as_str()).texts("failures", texts(failures)),
        Action::TestAgain { id, new } => cells.text("certification", id.as_str()).text("new", new.as_str()),
        Action::DraftBadgeRequest(form) => badge(cells, form),
        Action::SubmitBadgeRequest(id) | Action::ApproveBadgeRequest(id) => cells.text("badge_request", id.as_str()),
        Action::RejectBadgeRequest { id, reasons } => cells.text("badge_request", id.as_str()).texts("reasons", texts(reasons)),
        Action::WithdrawBadge(asin) => cells.text("asin", asin.as_str()),
        Action::CountCustomers { asin, customers } => {
            cells.text("asin", asin.as_str()).with("customers", Cell::Number(*customers))
        }
        Action::RequestExclusion(form) => exclusion(cells, form),
        Action::ApproveExclusion(id) => cells.text("exclusion", id.as_str()),
        Action::DeclineExclusion { id, note } | Action::RevokeExclusion { id, note } => {
            cells.text("exclusion", id.as_str()).text("note", note)
        }
        Action::OpenDispute(form) => dispute(cells, form),
        Action::UpholdDispute { id, note } | Action::DeclineDispute { id, note } => {
            cells.text("dispute", id.as_str()).text("note", note)
        }
        Action::Rule { proposal, verdict: _, note } => cells.shown("proposal", proposal).optional("note", note.as_deref()),
        Action::AcknowledgeOutage { outage, cause, expected_fix } => {
            cells.shown("outage", outage).text("cause", cause).shown("expected_fix", expected_fix)
        }
        Action::TurnKillSwitch { on, reason } => cells.with("on", Cell::Switch(*on)).text("reason", reason),
    }
}

/// What a manufacturer says about itself.
pub(crate) fn manufacturer<'a>(cells: Cells<'a>, form: &'a ManufacturerForm) -> Cells<'a> {
    cells
        .text("manufacturer", form.id.as_str())
        .text("name", &form.name)
        .texts("contacts", texts(&form.contacts))
        .optional("technical_contact", form.technical_contact.as_deref())
        .texts("mails", form.mails.iter().copied().map(MailKind::as_str))
}

/// What is said about a product.
pub(crate) fn product<'a>(cells: Cells<'a>, form: &'a ProductForm) -> Cells<'a> {
    cells
        .text("product", form.id.as_str())
        .text("manufacturer", form.manufacturer.as_str())
        .optional("retail_name", form.retail_name.as_deref())
        .optional("category", form.category.as_deref())
        .optional("device", form.device.map(DeviceType::as_str))
        .optional("brand", form.brand.as_deref())
        .optional("model", form.model.as_deref())
        .optional("image", form.image.as_deref())
        .optional("connection", form.connection.map(Connection::as_str))
        .optional("protocol", form.protocol.as_deref())
        .optional("dash_model", form.dash_model.as_deref())
        .texts("capabilities", form.capabilities.iter().copied().map(Capability::as_str))
        .texts("hubs", form.hubs.iter().map(Asin::as_str))
        .texts("variants", form.variants.iter().map(Asin::as_str))
}

/// What is to be certified.
pub(crate) fn certification<'a>(cells: Cells<'a>, form: &'a CertificationForm) -> Cells<'a> {
    cells
        .text("certification", form.id.as_str())
        .text("product", form.product.as_str())
        .text("region", form.region.as_str())
        .optional("hub", form.hub.as_ref().map(Asin::as_str))
        .texts("marketplaces", codes(&form.marketplaces))
        .optional("made_in", form.made_in.as_deref())
        .optional("hardware", form.hardware.as_deref())
        .optional("firmware", form.firmware.as_deref())
        .optional("chipset", form.chipset.as_deref())
        .optional("skill", form.skill.as_ref().map(SkillId::as_str))
        .optional("skill_name", form.skill_name.as_deref())
        .optional("skill_stage", form.skill_stage.map(SkillStage::as_str))
        .optional("approval_code", form.approval_code.as_deref())
        .optional("proof", form.proof.as_deref())
}

/// What a badge is asked for.
pub(crate) fn badge<'a>(cells: Cells<'a>, form: &'a BadgeForm) -> Cells<'a> {
    let cells =
        cells.text("badge_request", form.id.as_str()).text("product", form.product.as_str()).text("asin", form.asin.as_str());
    let cells = if let Some(retail_id) = &form.retail_id { cells.shown("retail_id", retail_id) } else { cells };
    cells
        .texts("bundle", form.bundle.iter().map(Asin::as_str))
        .optional("hub", form.hub.as_ref().map(Asin::as_str))
        .texts("marketplaces", codes(&form.marketplaces))
        .instant("go_live", form.go_live)
        .with("customers", Cell::Number(form.customers))
}

/// What is to be excused.
pub(crate) fn exclusion<'a>(cells: Cells<'a>, form: &'a ExclusionForm) -> Cells<'a> {
    let cells = cells.text("exclusion", form.id.as_str()).with("applies_to", Cell::Target(Target::of(&form.target)));
    where_and_when(cells, form.regions, form.interval).text("reason", form.reason.as_str()).optional("note", form.note.as_deref())
}

/// What is disputed.
pub(crate) fn dispute<'a>(cells: Cells<'a>, form: &'a DisputeForm) -> Cells<'a> {
    let cells = cells.text("dispute", form.id.as_str()).text("asin", form.asin.as_str());
    where_and_when(cells, form.regions, form.interval).text("claim", &form.claim)
}

fn where_and_when(cells: Cells<'_>, regions: RegionSet, interval: Interval) -> Cells<'_> {
    cells.texts("regions", regions.iter().map(Region::as_str)).shown("from", &interval.from).shown("to", &interval.to)
}

fn texts(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().map(String::as_str)
}
