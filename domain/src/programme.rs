//! The programme's own vocabulary: what is described, certified, requested and disputed, and the commands
//! that do it.
//!
//! Forms are what people fill in. They may lack what a later step requires: that is told by name, not
//! refused at the edge. What can be wrong in itself (a check digit, a marketplace) is parsed once.

pub mod command;
pub mod device;
pub mod entity;
pub mod retail;
pub mod status;

use crate::decision::{DecisionId, DecisionKind, Scope};
use crate::fact::{ExclusionReason, ExclusionTarget, Fact};
use crate::id::{Asin, BadgeRequestId, CertificationId, DisputeId, ExclusionId, ManufacturerId, Marketplace, ProductId};
use crate::id::{Region, RegionSet, SkillId};
use crate::interval::Interval;
use crate::time::Timestamp;

pub use command::{Action, Command, EntityId};
pub use device::{Capability, Connection, DeviceType};
pub use entity::{Entity, Outcome, Step, Trail, Unmet};
pub use retail::{RetailId, RetailIdKind};
pub use status::{BadgeRequestStatus, BadgeStatus, CertificationStatus, DisputeStatus, ExclusionStatus, TestingStep};

/// One line of the registry's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// What is so, whoever says it: taken over as it is.
    Fact(Fact),
    /// What somebody wants: carried out if nothing is in the way.
    Command(Box<Command>),
    /// What was decided about a badge or a manufacturer.
    Issued(IssuedNote),
}

/// What a manufacturer says about itself. A new one replaces the former as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManufacturerForm {
    /// Its id.
    pub id: ManufacturerId,
    /// Its name for people.
    pub name: String,
    /// Mail addresses.
    pub contacts: Vec<String>,
    /// Who answers critical outages.
    pub technical_contact: Option<String>,
    /// What it wants to be told by mail; removals and suspensions always are.
    pub mails: Vec<MailKind>,
}

/// Mails that a manufacturer can choose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MailKind {
    /// Warnings by budget and outages.
    Warnings,
    /// Progress of probation.
    Probation,
    /// Steps of certification and badge requests.
    Requests,
}

impl MailKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Warnings, Self::Probation, Self::Requests];

    /// The kind's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warnings => "warnings",
            Self::Probation => "probation",
            Self::Requests => "requests",
        }
    }
}

/// A product to be certified: one model. A new one replaces the former as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductForm {
    /// Its id.
    pub id: ProductId,
    /// Who makes it.
    pub manufacturer: ManufacturerId,
    /// Its name in shops.
    pub retail_name: Option<String>,
    /// The shops' category.
    pub category: Option<String>,
    /// What it is.
    pub device: Option<DeviceType>,
    /// Its brand.
    pub brand: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// The picture that shops show.
    pub image: Option<String>,
    /// How it talks to the assistant.
    pub connection: Option<Connection>,
    /// The protocol beneath, in the maker's words, e.g. `Wi-Fi 802.11n`.
    pub protocol: Option<String>,
    /// Its model id at the replenishment service, where it has that connection.
    pub dash_model: Option<String>,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// The hubs with which it can be set up; none where it needs none.
    pub hubs: Vec<Asin>,
    /// The ASINs that share the model: colours, pack sizes.
    pub variants: Vec<Asin>,
}

/// A request to certify one product in one region with one hub. While it is a draft, a new one replaces
/// the former as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificationForm {
    /// Its id.
    pub id: CertificationId,
    /// The product.
    pub product: ProductId,
    /// The region.
    pub region: Region,
    /// The hub it is tested with.
    pub hub: Option<Asin>,
    /// The countries of the region where it is to be sold: sorted, without repetition, never empty.
    pub marketplaces: Vec<Marketplace>,
    /// Where it is made.
    pub made_in: Option<String>,
    /// The hardware's version.
    pub hardware: Option<String>,
    /// The firmware's version.
    pub firmware: Option<String>,
    /// The chipset.
    pub chipset: Option<String>,
    /// The skill it is tested with.
    pub skill: Option<SkillId>,
    /// That skill's name for people.
    pub skill_name: Option<String>,
    /// That skill's stage.
    pub skill_stage: Option<SkillStage>,
    /// The code of an approval by the programme, where it has one already.
    pub approval_code: Option<String>,
    /// Proof of an earlier certification.
    pub proof: Option<String>,
}

/// Whether a skill can be used by anybody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SkillStage {
    /// By its developers.
    Development,
    /// By anybody.
    Live,
}

impl SkillStage {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Development, Self::Live];

    /// The stage's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Live => "live",
        }
    }
}

/// A request for the badge on one ASIN. While it isn't submitted, a new one replaces the former as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadgeForm {
    /// Its id.
    pub id: BadgeRequestId,
    /// The product.
    pub product: ProductId,
    /// Its variant.
    pub asin: Asin,
    /// The number on its package.
    pub retail_id: Option<RetailId>,
    /// Other devices in the package.
    pub bundle: Vec<Asin>,
    /// The hub it is set up with.
    pub hub: Option<Asin>,
    /// Where the badge is to be shown: sorted, without repetition, never empty.
    pub marketplaces: Vec<Marketplace>,
    /// From when on; as soon as possible if none.
    pub go_live: Option<Timestamp>,
    /// How many customers have one; unknown is 0 (R12).
    pub customers: u64,
}

/// Downtime that somebody wants excused (R7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExclusionForm {
    /// Its id; the exclusion's once approved.
    pub id: ExclusionId,
    /// Whose downtime.
    pub target: ExclusionTarget,
    /// In which regions; never empty.
    pub regions: RegionSet,
    /// When; never empty.
    pub interval: Interval,
    /// Why, by kind.
    pub reason: ExclusionReason,
    /// Why, in words.
    pub note: Option<String>,
}

/// One outage that a manufacturer doesn't accept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DisputeForm {
    /// Its id.
    pub id: DisputeId,
    /// The product.
    pub asin: Asin,
    /// The outage, or the part of it that is disputed; never empty.
    pub interval: Interval,
    /// In which regions; never empty.
    pub regions: RegionSet,
    /// What is said against it.
    pub claim: String,
}

/// A decision as the registry's log repeats it, so that what follows for requests and badges is decided
/// from one ordered log, everywhere the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IssuedNote {
    /// The decision.
    pub id: DecisionId,
    /// Its kind: one of [`IssuedNote::KINDS`].
    pub kind: DecisionKind,
    /// Its product; none for one about a manufacturer.
    pub asin: Option<Asin>,
    /// Its manufacturer.
    pub manufacturer: ManufacturerId,
    /// Its scope.
    pub scope: Scope,
    /// The instant it is dated.
    pub at: Timestamp,
    /// The decision that it takes back or replaces.
    pub supersedes: Option<DecisionId>,
    /// Why, as decisions print their reasons.
    pub reasons: Vec<String>,
}

impl IssuedNote {
    /// The kinds that mean something to requests, badges and people's answers.
    pub const KINDS: [DecisionKind; 9] = [
        DecisionKind::CriticalOutage,
        DecisionKind::Reinstatement,
        DecisionKind::ReinstatementHeld,
        DecisionKind::SuspensionLifted,
        DecisionKind::BadgeRemoval,
        DecisionKind::Suspension,
        DecisionKind::Proposal,
        DecisionKind::Reversal,
        DecisionKind::Amendment,
    ];
}
