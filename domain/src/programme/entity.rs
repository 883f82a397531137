//! What the registry knows of each thing: what was said of it last, where it is, and how it got there.

use std::collections::BTreeMap;

use super::{BadgeForm, CertificationForm, DisputeForm, ExclusionForm, IssuedNote, ManufacturerForm, ProductForm};
use super::{BadgeRequestStatus, BadgeStatus, CertificationStatus, DisputeStatus, ExclusionStatus, TestingStep};
use crate::decision::{DecisionId, Scope};
use crate::fact::{Acknowledgement, KillSwitch, Ruling, Terms};
use crate::id::{Asin, BadgeRequestId, CertificationId, CommandId, ExclusionId, ProductId};
use crate::time::{DurationMs, Timestamp};

/// What was said or done, who did it, and how often something was.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Trail {
    /// Every step, in order.
    pub steps: Vec<Step>,
}

/// One step of something's history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// When it took effect.
    pub at: Timestamp,
    /// When its record was appended, where the log says so.
    pub recorded_at: Option<Timestamp>,
    /// Its record: the offset in the registry's log, or the line of a file, from 0.
    pub position: u64,
    /// Who did it: a person, or `badgewatch`.
    pub by: String,
    /// The command that did it; none where a fact, a decision or time did.
    pub command: Option<CommandId>,
    /// What was done: a command's type, a fact's type, a decision's kind, or `go_live`.
    pub what: &'static str,
    /// Where that left it, by the status's name on the wire.
    pub status: &'static str,
    /// Why, or what else is to be said.
    pub notes: Vec<String>,
}

impl Trail {
    /// The revision: how many steps there were. The first makes it 1.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.steps.len() as u64
    }
}

/// Something that is required and doesn't hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Unmet {
    /// Which requirement, e.g. `certification:US` or `listing:DE:suppressed`.
    pub requirement: String,
    /// What is wrong.
    pub detail: String,
    /// What to do.
    pub remedy: String,
}

/// A manufacturer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManufacturerEntity {
    /// What it says about itself.
    pub form: ManufacturerForm,
    /// Where it is suspended, by which decision and since when (R16).
    pub suspended: BTreeMap<Scope, (DecisionId, Timestamp)>,
    /// How it got there.
    pub trail: Trail,
}

/// A product as certified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductEntity {
    /// What is said about it.
    pub form: ProductForm,
    /// What a certification requires and it doesn't say yet; empty: Ready.
    pub missing: Vec<Unmet>,
    /// How it got there.
    pub trail: Trail,
}

/// A certification request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificationEntity {
    /// What is to be certified.
    pub form: CertificationForm,
    /// Where it is.
    pub status: CertificationStatus,
    /// Since when.
    pub since: Timestamp,
    /// Why it was rejected, or what failed.
    pub reasons: Vec<String>,
    /// The request that it repeats.
    pub repeats: Option<CertificationId>,
    /// The request that repeats it.
    pub repeated_by: Option<CertificationId>,
    /// How it got there.
    pub trail: Trail,
}

/// A badge request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadgeRequestEntity {
    /// What is asked for.
    pub form: BadgeForm,
    /// Where it is.
    pub status: BadgeRequestStatus,
    /// Since when.
    pub since: Timestamp,
    /// Why it was rejected in the reviewer's words.
    pub reasons: Vec<String>,
    /// What wasn't met when it was rejected.
    pub unmet: Vec<Unmet>,
    /// How it got there.
    pub trail: Trail,
}

/// The badge of an ASIN.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadgeEntity {
    /// Its product.
    pub asin: Asin,
    /// The certified product, where a request granted the badge.
    pub product: Option<ProductId>,
    /// The request that granted it; none for one that was registered as a fact.
    pub request: Option<BadgeRequestId>,
    /// What it says now.
    pub terms: Terms,
    /// When it was enabled.
    pub enabled_at: Timestamp,
    /// When it was given back.
    pub withdrawn_at: Option<Timestamp>,
    /// Where it is removed, by which decision and since when.
    pub removed: BTreeMap<Scope, (DecisionId, Timestamp)>,
    /// What doesn't hold any more of what it was granted for, as catalogues say now.
    pub flags: Vec<Unmet>,
    /// How it got there.
    pub trail: Trail,
}

/// An exclusion, requested or approved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExclusionEntity {
    /// What is to be excused.
    pub form: ExclusionForm,
    /// Where it is.
    pub status: ExclusionStatus,
    /// How it got there.
    pub trail: Trail,
}

/// A dispute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DisputeEntity {
    /// What is disputed.
    pub form: DisputeForm,
    /// Where it is.
    pub status: DisputeStatus,
    /// The exclusion that upheld it.
    pub exclusion: Option<ExclusionId>,
    /// How it got there.
    pub trail: Trail,
}

/// A proposal that is, or was, to be ruled on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProposalEntity {
    /// What is proposed.
    pub note: IssuedNote,
    /// What was said to it.
    pub ruling: Option<Ruling>,
    /// Whether it was taken back meanwhile.
    pub reversed: bool,
    /// How it got there.
    pub trail: Trail,
}

/// A critical outage that is, or was, to be acknowledged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutageEntity {
    /// The decision.
    pub note: IssuedNote,
    /// What was said to it.
    pub acknowledgement: Option<Acknowledgement>,
    /// How it got there.
    pub trail: Trail,
}

/// The kill switch.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct KillSwitchEntity {
    /// The last turn.
    pub last: Option<KillSwitch>,
    /// Every turn.
    pub trail: Trail,
}

/// Anything that can be shown, with its history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entity {
    /// A manufacturer.
    Manufacturer(ManufacturerEntity),
    /// A product as certified.
    Product(ProductEntity),
    /// A certification request.
    Certification(CertificationEntity),
    /// A badge request.
    BadgeRequest(BadgeRequestEntity),
    /// The badge of an ASIN.
    Badge(BadgeEntity),
    /// An exclusion.
    Exclusion(ExclusionEntity),
    /// A dispute.
    Dispute(DisputeEntity),
    /// A proposal.
    Proposal(ProposalEntity),
    /// A critical outage.
    Outage(OutageEntity),
    /// The kill switch.
    KillSwitch(KillSwitchEntity),
}

/// What became of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was carried out; what it is about has this revision since.
    Accepted {
        /// The revision.
        revision: u64,
    },
    /// It wasn't, and changed nothing.
    Refused {
        /// Everything that was in the way; not empty.
        unmet: Vec<Unmet>,
    },
}

impl CertificationEntity {
    /// Review of a request: two days.
    pub const REVIEW: DurationMs = DurationMs(2 * DAY_MS);
    /// The laboratory's quote: two days.
    pub const QUOTE: DurationMs = DurationMs(2 * DAY_MS);
    /// Testing: ten days.
    pub const TESTING: DurationMs = DurationMs(10 * DAY_MS);
    /// Review of the results: two days.
    pub const RESULTS: DurationMs = DurationMs(2 * DAY_MS);

    /// When its present step should be over; none where nobody but the manufacturer is waited for.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let expected = match self.status {
            CertificationStatus::UnderReview => Self::REVIEW,
            CertificationStatus::InTesting(TestingStep::Accepted) => Self::QUOTE,
            CertificationStatus::InTesting(TestingStep::DeviceReceived | TestingStep::Testing) => Self::TESTING,
            CertificationStatus::ResultsReview => Self::RESULTS,
            CertificationStatus::Draft
            | CertificationStatus::Rejected
            | CertificationStatus::InTesting(TestingStep::Quoted | TestingStep::Paid)
            | CertificationStatus::Approved
            | CertificationStatus::Failed => return None,
        };
        Some(self.clock().saturating_add(expected))
    }

    /// Whether its present step should be over.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.due().is_some_and(|due| due < now)
    }

    /// Testing takes ten days from the device's arrival, however it is subdivided.
    fn clock(&self) -> Timestamp {
        let received = CertificationStatus::InTesting(TestingStep::DeviceReceived).as_str();
        let arrival = self.trail.steps.iter().rev().find(|step| step.status == received).map(|step| step.at);
        match self.status {
            CertificationStatus::InTesting(TestingStep::Testing) => arrival.unwrap_or(self.since),
            _ => self.since,
        }
    }
}

impl BadgeEntity {
    /// What became of it in a scope. One that is removed globally is removed everywhere.
    #[must_use]
    pub fn status(&self, scope: Scope) -> BadgeStatus {
        if self.withdrawn_at.is_some() {
            BadgeStatus::Withdrawn
        } else if self.removed.contains_key(&scope) || self.removed.contains_key(&Scope::Global) {
            BadgeStatus::Removed
        } else {
            BadgeStatus::Enabled
        }
    }

    /// Whether it is removed in every one of its regions.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.terms.regions().iter().all(|region| self.status(Scope::Region(region)) != BadgeStatus::Enabled)
    }
}

impl Entity {
    /// How it got there.
    #[must_use]
    pub const fn trail(&self) -> &Trail {
        match self {
            Self::Manufacturer(ManufacturerEntity { trail, .. })
            | Self::Product(ProductEntity { trail, .. })
            | Self::Certification(CertificationEntity { trail, .. })
            | Self::BadgeRequest(BadgeRequestEntity { trail, .. })
            | Self::Badge(BadgeEntity { trail, .. })
            | Self::Exclusion(ExclusionEntity { trail, .. })
            | Self::Dispute(DisputeEntity { trail, .. })
            | Self::Proposal(ProposalEntity { trail, .. })
            | Self::Outage(OutageEntity { trail, .. })
            | Self::KillSwitch(KillSwitchEntity { trail, .. }) => trail,
        }
    }
}

const DAY_MS: i64 = 24 * 3_600_000;
