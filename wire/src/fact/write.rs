//! Facts to registry lines.

use domain::fact::{Badge, BadgeChange, Exclusion, ExclusionTarget, Listing, Ruling, SkillListing, Verdict};
use domain::{Asin, Fact, ManufacturerId, Marketplace, Region, RegionSet, SkillId};
use serde::{Serialize, Serializer};

use crate::json;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Manufacturer {
        id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        contacts: &'a [String],
    },
    Badge(BadgeLine<'a>),
    BadgeWithdrawn {
        asin: &'a str,
        at: String,
    },
    Exclusion {
        id: &'a str,
        applies_to: Target<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        regions: Option<Vec<&'static str>>,
        from: String,
        to: String,
        reason: &'static str,
        approved_by: &'a str,
    },
    Listing {
        asin: &'a str,
        marketplace: &'static str,
        at: String,
        status: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        brand: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        image: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        hub: Option<&'a str>,
    },
    SkillListing {
        skill: &'a str,
        marketplace: &'static str,
        at: String,
        status: &'static str,
    },
    ExclusionRevoked {
        id: &'a str,
        at: String,
        by: &'a str,
    },
    Confirmation(RulingLine<'a>),
    Refusal(RulingLine<'a>),
    Acknowledgement {
        outage: String,
        asin: &'a str,
        at: String,
        by: &'a str,
        cause: &'a str,
        expected_fix: String,
    },
    KillSwitch {
        on: bool,
        at: String,
        by: &'a str,
        reason: &'a str,
    },
}

#[derive(Serialize)]
struct RulingLine<'a> {
    proposal: String,
    asin: &'a str,
    scope: &'static str,
    proposed_at: String,
    at: String,
    by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

/// Both kinds of badge line: the outer `None` leaves a field out, the inner one is null.
#[derive(Serialize)]
struct BadgeLine<'a> {
    asin: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skill: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hub: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marketplaces: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customers: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled_at: Option<String>,
}

/// What an exclusion covers, as `applies_to` holds it.
pub(crate) enum Target<'a> {
    All,
    Subject(String),
    Manufacturer(&'a str),
}

impl<'a> Target<'a> {
    pub(crate) fn of(target: &'a ExclusionTarget) -> Self {
        match target {
            ExclusionTarget::All => Self::All,
            ExclusionTarget::Subject(subject) => Self::Subject(subject.to_string()),
            ExclusionTarget::Manufacturer(id) => Self::Manufacturer(id.as_str()),
        }
    }
}

impl Serialize for Target<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.collect_map([("all", true)]),
            Self::Subject(subject) => serializer.collect_map([("subject", subject)]),
            Self::Manufacturer(id) => serializer.collect_map([("manufacturer", id)]),
        }
    }
}

pub(super) fn write(fact: &Fact, out: &mut Vec<u8>) {
    let line = match fact {
        Fact::Manufacturer(fact) => {
            Line::Manufacturer { id: fact.id.as_str(), name: fact.name.as_deref(), contacts: &fact.contacts }
        }
        Fact::Badge(fact) => Line::Badge(badge(fact)),
        Fact::BadgeChange(fact) => Line::Badge(badge_change(fact)),
        Fact::Withdrawal(fact) => Line::BadgeWithdrawn { asin: fact.asin.as_str(), at: fact.at.to_string() },
        Fact::Exclusion(fact) => exclusion(fact),
        Fact::Listing(fact) => listing(fact),
        Fact::SkillListing(fact) => skill_listing(fact),
        Fact::ExclusionRevoked(fact) => Line::ExclusionRevoked { id: fact.id.as_str(), at: fact.at.to_string(), by: &fact.by },
        Fact::Ruling(fact) => match fact.verdict {
            Verdict::Confirmed => Line::Confirmation(ruling(fact)),
            Verdict::Refused => Line::Refusal(ruling(fact)),
        },
        Fact::Acknowledgement(fact) => Line::Acknowledgement {
            outage: fact.outage.to_string(),
            asin: fact.asin.as_str(),
            at: fact.at.to_string(),
            by: &fact.by,
            cause: &fact.cause,
            expected_fix: fact.expected_fix.to_string(),
        },
        Fact::KillSwitch(fact) => Line::KillSwitch { on: fact.on, at: fact.at.to_string(), by: &fact.by, reason: &fact.reason },
    };
    json::write(&line, out);
}

fn badge(fact: &Badge) -> BadgeLine<'_> {
    let terms = &fact.terms;
    BadgeLine {
        asin: fact.asin.as_str(),
        at: None,
        manufacturer: Some(terms.manufacturer.as_str()),
        brand: terms.brand.as_deref().map(Some),
        model: terms.model.as_deref().map(Some),
        image: terms.image.as_deref().map(Some),
        skill: terms.skill.as_ref().map(SkillId::as_str).map(Some),
        hub: terms.hub.as_ref().map(Asin::as_str).map(Some),
        marketplaces: Some(codes(&terms.marketplaces)),
        customers: Some(terms.customers),
        enabled_at: Some(fact.enabled_at.to_string()),
    }
}

fn badge_change(fact: &BadgeChange) -> BadgeLine<'_> {
    BadgeLine {
        asin: fact.asin.as_str(),
        at: Some(fact.at.to_string()),
        manufacturer: fact.manufacturer.as_ref().map(ManufacturerId::as_str),
        brand: fact.brand.as_ref().map(Option::as_deref),
        model: fact.model.as_ref().map(Option::as_deref),
        image: fact.image.as_ref().map(Option::as_deref),
        skill: fact.skill.as_ref().map(|skill| skill.as_ref().map(SkillId::as_str)),
        hub: fact.hub.as_ref().map(|hub| hub.as_ref().map(Asin::as_str)),
        marketplaces: fact.marketplaces.as_deref().map(codes),
        customers: fact.customers,
        enabled_at: None,
    }
}

fn exclusion(fact: &Exclusion) -> Line<'_> {
    Line::Exclusion {
        id: fact.id.as_str(),
        applies_to: Target::of(&fact.target),
        regions: (fact.regions != RegionSet::ALL).then(|| fact.regions.iter().map(Region::as_str).collect()),
        from: fact.interval.from.to_string(),
        to: fact.interval.to.to_string(),
        reason: fact.reason.as_str(),
        approved_by: &fact.approved_by,
    }
}

fn listing(fact: &Listing) -> Line<'_> {
    Line::Listing {
        asin: fact.asin.as_str(),
        marketplace: fact.marketplace.code(),
        at: fact.at.to_string(),
        status: fact.status.as_str("live"),
        brand: fact.brand.as_deref(),
        model: fact.model.as_deref(),
        image: fact.image.as_deref(),
        hub: fact.hub.as_ref().map(Asin::as_str),
    }
}

fn skill_listing(fact: &SkillListing) -> Line<'_> {
    Line::SkillListing {
        skill: fact.skill.as_str(),
        marketplace: fact.marketplace.code(),
        at: fact.at.to_string(),
        status: fact.status.as_str("published"),
    }
}

fn ruling(fact: &Ruling) -> RulingLine<'_> {
    RulingLine {
        proposal: fact.proposal.to_string(),
        asin: fact.asin.as_str(),
        scope: fact.scope.as_str(),
        proposed_at: fact.proposed_at.to_string(),
        at: fact.at.to_string(),
        by: &fact.by,
        note: fact.note.as_deref(),
    }
}

/// Marketplaces by their codes.
pub(crate) fn codes(marketplaces: &[Marketplace]) -> Vec<&'static str> {
    marketplaces.iter().map(|marketplace| marketplace.code()).collect()
}
