//! Registry lines to facts.

use std::borrow::Cow;

use domain::fact::{Acknowledgement, ExclusionRevoked, KillSwitch, Ruling, SkillListing, Terms, Verdict, Withdrawal};
use domain::fact::{Badge, BadgeChange, Exclusion, ExclusionReason, ExclusionTarget, Listing, ListingStatus, Manufacturer};
use domain::{Asin, ExclusionId, Fact, Interval, ManufacturerId, RegionSet, RejectReason, SkillId, SubjectRef, Timestamp};
use domain::{DecisionId, Scope};

use crate::error::LineError;
use crate::json::fields::{id_of, list, text, unsigned};
use crate::json::{Fields, Value};

/// The types of facts.
pub(crate) const TYPES: [&str; 11] = [
    "manufacturer",
    "badge",
    "badge_withdrawn",
    "exclusion",
    "exclusion_revoked",
    "listing",
    "skill_listing",
    "confirmation",
    "refusal",
    "acknowledgement",
    "kill_switch",
];
const TEXT: &str = "a text";
/// What a number of customers looks like.
pub(crate) const CUSTOMERS: &str = "a whole number from 0 to 18446744073709551615";
const TARGET: &str = "exactly one of {\"all\": true}, {\"subject\": \"<subject>\"} and {\"manufacturer\": \"<id>\"}";

pub(super) fn parse(line: &[u8]) -> Result<Fact, LineError> {
    let mut fields = Fields::parse(line)?;
    fields.version(false)?;
    let kind = fields.kind(&TYPES)?;
    read(kind, fields)
}

/// Reads what is left of a line once its version and its type, one of [`TYPES`], are taken out.
pub(crate) fn read(kind: &'static str, fields: Fields<'_>) -> Result<Fact, LineError> {
    match kind {
        "manufacturer" => manufacturer(fields).map(Fact::Manufacturer),
        "badge" if fields.has("at") => badge_change(fields).map(Fact::BadgeChange),
        "badge" => badge(fields).map(Fact::Badge),
        "badge_withdrawn" => withdrawal(fields).map(Fact::Withdrawal),
        "exclusion" => exclusion(fields).map(Fact::Exclusion),
        "exclusion_revoked" => exclusion_revoked(fields).map(Fact::ExclusionRevoked),
        "listing" => listing(fields).map(Fact::Listing),
        "confirmation" => ruling(fields, Verdict::Confirmed).map(Fact::Ruling),
        "refusal" => ruling(fields, Verdict::Refused).map(Fact::Ruling),
        "acknowledgement" => acknowledgement(fields).map(Fact::Acknowledgement),
        "kill_switch" => kill_switch(fields).map(Fact::KillSwitch),
        _ => skill_listing(fields).map(Fact::SkillListing),
    }
}

fn manufacturer(mut fields: Fields<'_>) -> Result<Manufacturer, LineError> {
    Ok(Manufacturer {
        id: manufacturer_id(&mut fields, "id")?,
        name: fields.optional("name", TEXT, owned)?,
        contacts: fields
            .optional("contacts", "a list of texts", list)?
            .map_or_else(Vec::new, |contacts| contacts.into_iter().map(Cow::into_owned).collect()),
    })
}

fn badge(mut fields: Fields<'_>) -> Result<Badge, LineError> {
    let asin = asin(&mut fields)?;
    let terms = Terms {
        manufacturer: manufacturer_id(&mut fields, "manufacturer")?,
        brand: fields.optional("brand", TEXT, owned)?,
        model: fields.optional("model", TEXT, owned)?,
        image: fields.optional("image", TEXT, owned)?,
        skill: fields.optional("skill", &id_of("a skill's id"), as_skill)?,
        hub: fields.optional("hub", &id_of("an ASIN"), as_asin)?,
        marketplaces: fields.marketplaces("marketplaces")?,
        customers: fields.optional("customers", CUSTOMERS, unsigned)?.unwrap_or(0),
    };
    Ok(Badge { asin, terms, enabled_at: fields.instant("enabled_at")? })
}

fn badge_change(mut fields: Fields<'_>) -> Result<BadgeChange, LineError> {
    let asin = asin(&mut fields)?;
    let change = BadgeChange {
        asin,
        at: Timestamp::MIN,
        manufacturer: if fields.contains("manufacturer") { Some(manufacturer_id(&mut fields, "manufacturer")?) } else { None },
        brand: fields.clearable("brand", TEXT, owned)?,
        model: fields.clearable("model", TEXT, owned)?,
        image: fields.clearable("image", TEXT, owned)?,
        skill: fields.clearable("skill", &id_of("a skill's id"), as_skill)?,
        hub: fields.clearable("hub", &id_of("an ASIN"), as_asin)?,
        marketplaces: if fields.contains("marketplaces") { Some(fields.marketplaces("marketplaces")?) } else { None },
        customers: fields.clearable("customers", CUSTOMERS, unsigned)?.map(Option::unwrap_or_default),
    };
    fields.optional_instant("enabled_at")?;
    Ok(BadgeChange { at: fields.instant("at")?, ..change })
}

fn withdrawal(mut fields: Fields<'_>) -> Result<Withdrawal, LineError> {
    Ok(Withdrawal { asin: asin(&mut fields)?, at: fields.instant("at")? })
}

fn exclusion(mut fields: Fields<'_>) -> Result<Exclusion, LineError> {
    let id = fields.required("id", &id_of("an exclusion's id"), |value| text(value).and_then(|id| ExclusionId::new(&id)))?;
    let target = target(&mut fields)?;
    let regions = regions(&mut fields)?;
    let interval = interval(&mut fields)?;
    let reason = exclusion_reason(&mut fields)?;
    let approved_by = fields.required("approved_by", "who approved it", |value| owned(value).filter(|who| !who.is_empty()))?;
    Ok(Exclusion { id, target, regions, interval, reason, approved_by })
}

/// The one target that `applies_to` names (R7).
pub(crate) fn target(fields: &mut Fields<'_>) -> Result<ExclusionTarget, LineError> {
    let mut fields = fields.object("applies_to", TARGET)?;
    let all = fields.optional("all", "true", |value| (*value == Value::Bool(true)).then_some(ExclusionTarget::All));
    let subject = fields.optional("subject", "product:<ASIN>, skill:<id> or hub:<ASIN>", |value| {
        text(value).and_then(|text| SubjectRef::parse(&text).map(|subject| ExclusionTarget::Subject(subject.to_owned())))
    });
    let manufacturer = fields.optional("manufacturer", &id_of("a manufacturer's id"), |value| {
        text(value).and_then(|id| ManufacturerId::new(&id)).map(ExclusionTarget::Manufacturer)
    });
    let within = |found: Result<Option<ExclusionTarget>, LineError>| {
        found.map_err(|error| LineError { detail: format!("applies_to.{}", error.detail), ..error })
    };
    match (within(all)?, within(subject)?, within(manufacturer)?) {
        (Some(target), None, None) | (None, Some(target), None) | (None, None, Some(target)) => Ok(target),
        (None, None, None) => {
            Err(LineError::new(RejectReason::InvalidField, format!("applies_to names no target; expected {TARGET}")))
        }
        _ => Err(LineError::new(RejectReason::InvalidField, format!("applies_to names several targets; expected {TARGET}"))),
    }
}

/// The regions that are named; all where none are.
pub(crate) fn regions(fields: &mut Fields<'_>) -> Result<RegionSet, LineError> {
    Ok(fields.regions("regions")?.map_or(RegionSet::ALL, |regions| regions.into_iter().collect()))
}

/// `from` and `to`; not empty.
pub(crate) fn interval(fields: &mut Fields<'_>) -> Result<Interval, LineError> {
    let interval = Interval::new(fields.instant("from")?, fields.instant("to")?);
    if interval.is_empty() {
        let (from, to) = (interval.from, interval.to);
        return Err(LineError::new(RejectReason::InvalidField, format!("to is {to}; expected an instant after from, {from}")));
    }
    Ok(interval)
}

/// Why downtime is excused.
pub(crate) fn exclusion_reason(fields: &mut Fields<'_>) -> Result<ExclusionReason, LineError> {
    fields.required("reason", "platform, maintenance, monitoring or dispute", |value| {
        text(value).and_then(|name| ExclusionReason::ALL.into_iter().find(|reason| reason.as_str() == name))
    })
}

fn listing(mut fields: Fields<'_>) -> Result<Listing, LineError> {
    Ok(Listing {
        asin: asin(&mut fields)?,
        marketplace: fields.marketplace("marketplace")?,
        at: fields.instant("at")?,
        status: status(&mut fields, "live")?,
        brand: fields.optional("brand", TEXT, owned)?,
        model: fields.optional("model", TEXT, owned)?,
        image: fields.optional("image", TEXT, owned)?,
        hub: fields.optional("hub", &id_of("an ASIN"), as_asin)?,
    })
}

fn skill_listing(mut fields: Fields<'_>) -> Result<SkillListing, LineError> {
    Ok(SkillListing {
        skill: fields.required("skill", &id_of("a skill's id"), as_skill)?,
        marketplace: fields.marketplace("marketplace")?,
        at: fields.instant("at")?,
        status: status(&mut fields, "published")?,
    })
}

fn exclusion_revoked(mut fields: Fields<'_>) -> Result<ExclusionRevoked, LineError> {
    Ok(ExclusionRevoked {
        id: fields.required("id", &id_of("an exclusion's id"), |value| text(value).and_then(|id| ExclusionId::new(&id)))?,
        at: fields.instant("at")?,
        by: somebody(&mut fields, "by")?,
    })
}

fn ruling(mut fields: Fields<'_>, verdict: Verdict) -> Result<Ruling, LineError> {
    Ok(Ruling {
        proposal: decision_id(&mut fields, "proposal")?,
        asin: asin(&mut fields)?,
        scope: scope(&mut fields)?,
        proposed_at: fields.instant("proposed_at")?,
        at: fields.instant("at")?,
        verdict,
        by: somebody(&mut fields, "by")?,
        note: fields.optional("note", TEXT, owned)?,
    })
}

fn acknowledgement(mut fields: Fields<'_>) -> Result<Acknowledgement, LineError> {
    Ok(Acknowledgement {
        outage: decision_id(&mut fields, "outage")?,
        asin: asin(&mut fields)?,
        at: fields.instant("at")?,
        by: somebody(&mut fields, "by")?,
        cause: somebody(&mut fields, "cause")?,
        expected_fix: fields.instant("expected_fix")?,
    })
}

fn kill_switch(mut fields: Fields<'_>) -> Result<KillSwitch, LineError> {
    let on = switch(&mut fields)?;
    Ok(KillSwitch { on, at: fields.instant("at")?, by: somebody(&mut fields, "by")?, reason: somebody(&mut fields, "reason")? })
}

/// Where it holds.
pub(crate) fn scope(fields: &mut Fields<'_>) -> Result<Scope, LineError> {
    fields.required("scope", "global, NA, EU or FE", |value| text(value).and_then(|name| Scope::parse(&name)))
}

/// Whether it is on.
pub(crate) fn switch(fields: &mut Fields<'_>) -> Result<bool, LineError> {
    fields.required("on", "true or false", |value| match value {
        Value::Bool(on) => Some(*on),
        _ => None,
    })
}

/// A decision's id.
pub(crate) fn decision_id(fields: &mut Fields<'_>, name: &str) -> Result<DecisionId, LineError> {
    fields.required(name, "a decision's id, 32 hexadecimal digits", |value| text(value).and_then(|id| DecisionId::parse(&id)))
}

fn somebody(fields: &mut Fields<'_>, name: &str) -> Result<String, LineError> {
    fields.required(name, "a text that isn't empty", |value| owned(value).filter(|who| !who.is_empty()))
}

/// The product, by an ASIN of any form.
pub(crate) fn asin(fields: &mut Fields<'_>) -> Result<Asin, LineError> {
    fields.required("asin", &id_of("an ASIN"), as_asin)
}

/// A manufacturer's id.
pub(crate) fn manufacturer_id(fields: &mut Fields<'_>, name: &str) -> Result<ManufacturerId, LineError> {
    fields.required(name, &id_of("a manufacturer's id"), |value| text(value).and_then(|id| ManufacturerId::new(&id)))
}

fn status(fields: &mut Fields<'_>, good: &'static str) -> Result<ListingStatus, LineError> {
    fields.required("status", &format!("{good}, unavailable, invalid or suppressed"), |value| {
        text(value).and_then(|name| ListingStatus::ALL.into_iter().find(|status| status.as_str(good) == name))
    })
}

fn owned(value: &Value<'_>) -> Option<String> {
    text(value).map(Cow::into_owned)
}

/// A text as an ASIN of any form.
pub(crate) fn as_asin(value: &Value<'_>) -> Option<Asin> {
    text(value).and_then(|id| Asin::new(&id))
}

/// A text as a skill's id.
pub(crate) fn as_skill(value: &Value<'_>) -> Option<SkillId> {
    text(value).and_then(|id| SkillId::new(&id))
}
