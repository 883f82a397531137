//! Forms as their commands hold them, read field by field.

use domain::RejectReason;
use domain::id::{BadgeRequestId, CertificationId, DisputeId, ExclusionId, Marketplace, ProductId};
use domain::programme::{BadgeForm, CertificationForm, DisputeForm, ExclusionForm, ManufacturerForm, ProductForm};
use domain::programme::{Capability, Connection, DeviceType, MailKind, SkillStage};

use super::values::{addresses, asin, asins, id, items, named, optional, optional_address, optional_asin};
use super::values::{optional_retail_id, required};
use super::{BUNDLE_MAX, CONTACTS_MAX, HUBS_MAX, NAMES_MAX, VARIANTS_MAX};
use crate::error::LineError;
use crate::fact::read as fact;
use crate::json::Fields;
use crate::json::fields::{id_of, one_of, unsigned};

pub(super) fn manufacturer(fields: &mut Fields<'_>) -> Result<ManufacturerForm, LineError> {
    let mail = |name: &str| MailKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    Ok(ManufacturerForm {
        id: fact::manufacturer_id(fields, "manufacturer")?,
        name: required(fields, "name")?,
        contacts: addresses(fields, "contacts", CONTACTS_MAX)?,
        technical_contact: optional_address(fields, "technical_contact")?,
        mails: items(fields, "mails", NAMES_MAX, mail, || one_of(&MailKind::ALL.map(MailKind::as_str)))?,
    })
}

pub(super) fn product(fields: &mut Fields<'_>) -> Result<ProductForm, LineError> {
    Ok(ProductForm {
        id: product_id(fields)?,
        manufacturer: fact::manufacturer_id(fields, "manufacturer")?,
        retail_name: optional(fields, "retail_name")?,
        category: optional(fields, "category")?,
        device: fields.optional_parsed("device", named(DeviceType::all(), DeviceType::as_str))?,
        brand: optional(fields, "brand")?,
        model: optional(fields, "model")?,
        image: optional(fields, "image")?,
        connection: fields.optional_parsed("connection", named(Connection::ALL.into_iter(), Connection::as_str))?,
        protocol: optional(fields, "protocol")?,
        dash_model: optional(fields, "dash_model")?,
        capabilities: items(fields, "capabilities", NAMES_MAX, Capability::parse, || {
            one_of(&Capability::ALL.map(Capability::as_str))
        })?,
        hubs: asins(fields, "hubs", HUBS_MAX)?,
        variants: asins(fields, "variants", VARIANTS_MAX)?,
    })
}

pub(super) fn certification(fields: &mut Fields<'_>) -> Result<CertificationForm, LineError> {
    let id = certification_id(fields, "certification")?;
    let product = product_id(fields)?;
    let region = fields.region("region")?;
    let hub = optional_asin(fields, "hub")?;
    let marketplaces = fields.marketplaces("marketplaces")?;
    let outside: Vec<_> = marketplaces.iter().filter(|one| one.region() != region).map(|one| one.code()).collect();
    if !outside.is_empty() {
        let inside: Vec<_> = Marketplace::ALL.iter().filter(|one| one.region() == region).map(|one| one.code()).collect();
        let (outside, inside) = (outside.join(", "), one_of(&inside));
        let detail = format!("marketplaces has {outside}; expected marketplaces of the region {region}: {inside}");
        return Err(LineError::new(RejectReason::InvalidField, detail));
    }
    Ok(CertificationForm {
        id,
        product,
        region,
        hub,
        marketplaces,
        made_in: optional(fields, "made_in")?,
        hardware: optional(fields, "hardware")?,
        firmware: optional(fields, "firmware")?,
        chipset: optional(fields, "chipset")?,
        skill: fields.optional("skill", &id_of("a skill's id"), fact::as_skill)?,
        skill_name: optional(fields, "skill_name")?,
        skill_stage: fields.optional_parsed("skill_stage", named(SkillStage::ALL.into_iter(), SkillStage::as_str))?,
        approval_code: optional(fields, "approval_code")?,
        proof: optional(fields, "proof")?,
    })
}

pub(super) fn badge(fields: &mut Fields<'_>) -> Result<BadgeForm, LineError> {
    Ok(BadgeForm {
        id: badge_request_id(fields)?,
        product: product_id(fields)?,
        asin: asin(fields, "asin")?,
        retail_id: optional_retail_id(fields, "retail_id")?,
        bundle: asins(fields, "bundle", BUNDLE_MAX)?,
        hub: optional_asin(fields, "hub")?,
        marketplaces: fields.marketplaces("marketplaces")?,
        go_live: fields.optional_instant("go_live")?,
        customers: fields.optional("customers", fact::CUSTOMERS, unsigned)?.unwrap_or(0),
    })
}

pub(super) fn exclusion(fields: &mut Fields<'_>) -> Result<ExclusionForm, LineError> {
    Ok(ExclusionForm {
        id: exclusion_id(fields)?,
        target: fact::target(fields)?,
        regions: fact::regions(fields)?,
        interval: fact::interval(fields)?,
        reason: fact::exclusion_reason(fields)?,
        note: optional(fields, "note")?,
    })
}

pub(super) fn dispute(fields: &mut Fields<'_>) -> Result<DisputeForm, LineError> {
    Ok(DisputeForm {
        id: dispute_id(fields)?,
        asin: fact::asin(fields)?,
        regions: fact::regions(fields)?,
        interval: fact::interval(fields)?,
        claim: required(fields, "claim")?,
    })
}

pub(super) fn product_id(fields: &mut Fields<'_>) -> Result<ProductId, LineError> {
    id(fields, "product", "a product's id", ProductId::new)
}

pub(super) fn certification_id(fields: &mut Fields<'_>, name: &str) -> Result<CertificationId, LineError> {
    id(fields, name, "a certification request's id", CertificationId::new)
}

pub(super) fn badge_request_id(fields: &mut Fields<'_>) -> Result<BadgeRequestId, LineError> {
    id(fields, "badge_request", "a badge request's id", BadgeRequestId::new)
}

pub(super) fn exclusion_id(fields: &mut Fields<'_>) -> Result<ExclusionId, LineError> {
    id(fields, "exclusion", "an exclusion's id", ExclusionId::new)
}

pub(super) fn dispute_id(fields: &mut Fields<'_>) -> Result<DisputeId, LineError> {
    id(fields, "dispute", "a dispute's id", DisputeId::new)
}
