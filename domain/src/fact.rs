//! Registry facts: what is badged, excluded and listed, each with its effective date.

use std::fmt;

use crate::decision::{DecisionId, Scope};
use crate::id::{Asin, ExclusionId, ManufacturerId, Marketplace, RegionSet, SkillId, Subject};
use crate::interval::Interval;
use crate::time::Timestamp;

/// One accepted line of the registry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// A manufacturer is registered.
    Manufacturer(Manufacturer),
    /// A product is badged; one per ASIN.
    Badge(Badge),
    /// What changes about a badge from an instant on; one per ASIN and instant.
    BadgeChange(BadgeChange),
    /// A badge is withdrawn.
    Withdrawal(Withdrawal),
    /// An approved exclusion (R7).
    Exclusion(Exclusion),
    /// What a marketplace's catalogue says about a product (R15).
    Listing(Listing),
    /// What a marketplace says about a skill (R15).
    SkillListing(SkillListing),
    /// An approved exclusion is taken back: it never counts (R7).
    ExclusionRevoked(ExclusionRevoked),
    /// A proposal is confirmed or refused (R22).
    Ruling(Ruling),
    /// A critical outage is acknowledged.
    Acknowledgement(Acknowledgement),
    /// Enforcement is paused or goes on (R25).
    KillSwitch(KillSwitch),
}

/// A registered manufacturer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manufacturer {
    /// Its id.
    pub id: ManufacturerId,
    /// Its name for people.
    pub name: Option<String>,
    /// Mail addresses.
    pub contacts: Vec<String>,
}

/// What a badge says about a product; parts of it may change over time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Who makes it.
    pub manufacturer: ManufacturerId,
    /// Certified brand, where stated.
    pub brand: Option<String>,
    /// Certified model, where stated.
    pub model: Option<String>,
    /// Certified image, where stated.
    pub image: Option<String>,
    /// The skill it depends on.
    pub skill: Option<SkillId>,
    /// The hub it depends on.
    pub hub: Option<Asin>,
    /// Where it is badged: sorted, without repetition, never empty.
    pub marketplaces: Vec<Marketplace>,
    /// How many customers have one; unknown is 0 (R12).
    pub customers: u64,
}

impl Terms {
    /// The regions of its marketplaces.
    #[must_use]
    pub fn regions(&self) -> RegionSet {
        self.marketplaces.iter().map(|marketplace| marketplace.region()).collect()
    }
}

/// A badge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Badge {
    /// The product.
    pub asin: Asin,
    /// What holds from the beginning.
    pub terms: Terms,
    /// When the badge was enabled.
    pub enabled_at: Timestamp,
}

/// What changes about a badge at an instant: only the fields that are `Some`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadgeChange {
    /// The product.
    pub asin: Asin,
    /// From when on.
    pub at: Timestamp,
    /// A new manufacturer.
    pub manufacturer: Option<ManufacturerId>,
    /// A new brand, or none any more.
    pub brand: Option<Option<String>>,
    /// A new model, or none any more.
    pub model: Option<Option<String>>,
    /// A new image, or none any more.
    pub image: Option<Option<String>>,
    /// A new skill, or none any more.
    pub skill: Option<Option<SkillId>>,
    /// A new hub, or none any more.
    pub hub: Option<Option<Asin>>,
    /// New marketplaces: sorted, without repetition, not empty.
    pub marketplaces: Option<Vec<Marketplace>>,
    /// A new number of customers.
    pub customers: Option<u64>,
}

/// The end of a badge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Withdrawal {
    /// The product.
    pub asin: Asin,
    /// The first instant without the badge.
    pub at: Timestamp,
}

/// What an exclusion covers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ExclusionTarget {
    /// Every product.
    All,
    /// Every product that is the subject or depends on it.
    Subject(Subject),
    /// Every product of a manufacturer.
    Manufacturer(ManufacturerId),
}

/// Why downtime is excused (R7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ExclusionReason {
    /// The platform was disrupted.
    Platform,
    /// Maintenance was approved.
    Maintenance,
    /// Our monitoring was at fault.
    Monitoring,
    /// A dispute was upheld.
    Dispute,
}

impl ExclusionReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Platform, Self::Maintenance, Self::Monitoring, Self::Dispute];

    /// The reason's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Maintenance => "maintenance",
            Self::Monitoring => "monitoring",
            Self::Dispute => "dispute",
        }
    }
}

/// An approved exclusion (R7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exclusion {
    /// Its id.
    pub id: ExclusionId,
    /// Whose downtime.
    pub target: ExclusionTarget,
    /// In which regions; never empty.
    pub regions: RegionSet,
    /// When; never empty.
    pub interval: Interval,
    /// Why.
    pub reason: ExclusionReason,
    /// Who approved it.
    pub approved_by: String,
}

/// The end of an exclusion: from its instant on the exclusion counts nowhere, as if never approved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExclusionRevoked {
    /// The exclusion.
    pub id: ExclusionId,
    /// When it was revoked.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// What the programme team says of a proposal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// The badge is removed.
    Confirmed,
    /// It stays, until more is wrong than what was refused.
    Refused,
}

impl Verdict {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Confirmed, Self::Refused];

    /// The line's type on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmation",
            Self::Refused => "refusal",
        }
    }
}

/// A confirmation or refusal of a proposal (R22). One a proposal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ruling {
    /// The proposal.
    pub proposal: DecisionId,
    /// Its product.
    pub asin: Asin,
    /// Its scope.
    pub scope: Scope,
    /// The instant that the proposal is dated.
    pub proposed_at: Timestamp,
    /// When it was ruled on.
    pub at: Timestamp,
    /// How.
    pub verdict: Verdict,
    /// By whom.
    pub by: String,
    /// Why, for people.
    pub note: Option<String>,
}

impl Ruling {
    /// Rulings on a product are used in this order: by instant, then by what they are about.
    #[must_use]
    pub const fn order(&self) -> (Timestamp, Timestamp, DecisionId) {
        (self.at, self.proposed_at, self.proposal)
    }
}

/// A manufacturer's answer to a critical outage. One an outage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acknowledgement {
    /// The `critical_outage` decision.
    pub outage: DecisionId,
    /// Its product.
    pub asin: Asin,
    /// When it was acknowledged.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What caused the outage.
    pub cause: String,
    /// When it is expected to be mended.
    pub expected_fix: Timestamp,
}

/// The kill switch, turned on or off (R25).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KillSwitch {
    /// On: removals become proposals.
    pub on: bool,
    /// From when on.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why, for people.
    pub reason: String,
}

/// A listing's status, from good to bad.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ListingStatus {
    /// Live (a product) or published (a skill).
    Good,
    /// Unavailable.
    Unavailable,
    /// Invalid.
    Invalid,
    /// Suppressed.
    Suppressed,
}

impl ListingStatus {
    /// Every status, from good to bad.
    pub const ALL: [Self; 4] = [Self::Good, Self::Unavailable, Self::Invalid, Self::Suppressed];

    /// The status's name on the wire; the good one is `good`.
    #[must_use]
    pub const fn as_str(self, good: &'static str) -> &'static str {
        match self {
            Self::Good => good,
            Self::Unavailable => "unavailable",
            Self::Invalid => "invalid",
            Self::Suppressed => "suppressed",
        }
    }
}

impl fmt::Display for ListingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str("live"))
    }
}

/// What a marketplace's catalogue says about a product from an instant on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Listing {
    /// The product.
    pub asin: Asin,
    /// The marketplace.
    pub marketplace: Marketplace,
    /// From when on.
    pub at: Timestamp,
    /// Live or not.
    pub status: ListingStatus,
    /// The brand it names, if any.
    pub brand: Option<String>,
    /// The model it names, if any.
    pub model: Option<String>,
    /// The image it names, if any.
    pub image: Option<String>,
    /// The hub it names, if any.
    pub hub: Option<Asin>,
}

/// What a marketplace says about a skill from an instant on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SkillListing {
    /// The skill.
    pub skill: SkillId,
    /// The marketplace.
    pub marketplace: Marketplace,
    /// From when on.
    pub at: Timestamp,
    /// Published or not.
    pub status: ListingStatus,
}
