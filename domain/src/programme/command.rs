//! Commands: what somebody wants done. The registry carries one out or says why not.

use std::fmt;

use super::{BadgeForm, CertificationForm, DisputeForm, ExclusionForm, ManufacturerForm, ProductForm, TestingStep};
use crate::decision::DecisionId;
use crate::fact::Verdict;
use crate::id::{Asin, BadgeRequestId, CertificationId, CommandId, DisputeId, ExclusionId, ManufacturerId, ProductId};
use crate::time::Timestamp;

/// What somebody wants done. Two commands of one id are one; with other content the second is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Its id.
    pub id: CommandId,
    /// When it takes effect. What an entity went through is in order of these.
    pub at: Timestamp,
    /// Who wants it; not empty.
    pub by: String,
    /// The revision that the entity must have, so that nobody overwrites what they haven't seen.
    pub expects: Option<u64>,
    /// What is to be done.
    pub action: Action,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// A manufacturer registers, or says something else about itself.
    DescribeManufacturer(ManufacturerForm),
    /// A product is described, or described otherwise.
    DescribeProduct(ProductForm),
    /// A certification request is written, or written otherwise.
    DraftCertification(CertificationForm),
    /// It is handed in.
    SubmitCertification(CertificationId),
    /// It is taken on; the laboratory's quote is awaited.
    AcceptCertification(CertificationId),
    /// It isn't taken on.
    RejectCertification {
        /// The request.
        id: CertificationId,
        /// Why; not empty.
        reasons: Vec<String>,
    },
    /// The next step of testing is done.
    AdvanceTesting {
        /// The request.
        id: CertificationId,
        /// The step.
        step: TestingStep,
    },
    /// The laboratory hands in its results.
    HandInResults(CertificationId),
    /// Certified.
    ApproveCertification(CertificationId),
    /// Not certified.
    FailCertification {
        /// The request.
        id: CertificationId,
        /// What failed; not empty.
        failures: Vec<String>,
    },
    /// What was rejected or failed is tried once more, as a new request.
    TestAgain {
        /// The request.
        id: CertificationId,
        /// The new one, a draft with the same content.
        new: CertificationId,
    },
    /// A badge request is written, or written otherwise.
    DraftBadgeRequest(BadgeForm),
    /// It is handed in.
    SubmitBadgeRequest(BadgeRequestId),
    /// It is approved: it goes live at its date.
    ApproveBadgeRequest(BadgeRequestId),
    /// It isn't granted.
    RejectBadgeRequest {
        /// The request.
        id: BadgeRequestId,
        /// Why, beside the checks that aren't met.
        reasons: Vec<String>,
    },
    /// A badge is given back.
    WithdrawBadge(Asin),
    /// A badge's product has so many customers (R12).
    CountCustomers {
        /// The product.
        asin: Asin,
        /// How many.
        customers: u64,
    },
    /// Downtime is to be excused.
    RequestExclusion(ExclusionForm),
    /// It is (R7).
    ApproveExclusion(ExclusionId),
    /// It isn't.
    DeclineExclusion {
        /// The exclusion.
        id: ExclusionId,
        /// Why.
        note: String,
    },
    /// It isn't any more, as if it never had been (R7).
    RevokeExclusion {
        /// The exclusion.
        id: ExclusionId,
        /// Why.
        note: String,
    },
    /// An outage isn't accepted.
    OpenDispute(DisputeForm),
    /// Rightly: its downtime is excused.
    UpholdDispute {
        /// The dispute.
        id: DisputeId,
        /// Why.
        note: String,
    },
    /// Wrongly: it stands.
    DeclineDispute {
        /// The dispute.
        id: DisputeId,
        /// Why.
        note: String,
    },
    /// A proposal is confirmed or refused (R22).
    Rule {
        /// The proposal.
        proposal: DecisionId,
        /// How.
        verdict: Verdict,
        /// Why.
        note: Option<String>,
    },
    /// A critical outage is answered.
    AcknowledgeOutage {
        /// The `critical_outage` decision.
        outage: DecisionId,
        /// What caused it.
        cause: String,
        /// When it is expected to be mended.
        expected_fix: Timestamp,
    },
    /// Enforcement is paused, or goes on (R25).
    TurnKillSwitch {
        /// On: removals become proposals.
        on: bool,
        /// Why.
        reason: String,
    },
}

/// What a command is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EntityId {
    /// A manufacturer.
    Manufacturer(ManufacturerId),
    /// A product as certified.
    Product(ProductId),
    /// A certification request.
    Certification(CertificationId),
    /// A badge request.
    BadgeRequest(BadgeRequestId),
    /// The badge of an ASIN.
    Badge(Asin),
    /// An exclusion, requested or approved.
    Exclusion(ExclusionId),
    /// A dispute.
    Dispute(DisputeId),
    /// A proposal.
    Proposal(DecisionId),
    /// A critical outage.
    Outage(DecisionId),
    /// The kill switch.
    KillSwitch,
}

impl Action {
    /// The command's type on the wire.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::DescribeManufacturer(_) => "describe_manufacturer",
            Self::DescribeProduct(_) => "describe_product",
            Self::DraftCertification(_) => "draft_certification",
            Self::SubmitCertification(_) => "submit_certification",
            Self::AcceptCertification(_) => "accept_certification",
            Self::RejectCertification { .. } => "reject_certification",
            Self::AdvanceTesting { .. } => "advance_testing",
            Self::HandInResults(_) => "hand_in_results",
            Self::ApproveCertification(_) => "approve_certification",
            Self::FailCertification { .. } => "fail_certification",
            Self::TestAgain { .. } => "test_again",
            Self::DraftBadgeRequest(_) => "draft_badge_request",
            Self::SubmitBadgeRequest(_) => "submit_badge_request",
            Self::ApproveBadgeRequest(_) => "approve_badge_request",
            Self::RejectBadgeRequest { .. } => "reject_badge_request",
            Self::WithdrawBadge(_) => "withdraw_badge",
            Self::CountCustomers { .. } => "count_customers",
            Self::RequestExclusion(_) => "request_exclusion",
            Self::ApproveExclusion(_) => "approve_exclusion",
            Self::DeclineExclusion { .. } => "decline_exclusion",
            Self::RevokeExclusion { .. } => "revoke_exclusion",
            Self::OpenDispute(_) => "open_dispute",
            Self::UpholdDispute { .. } => "uphold_dispute",
            Self::DeclineDispute { .. } => "decline_dispute",
            Self::Rule { verdict: Verdict::Confirmed, .. } => "confirm_proposal",
            Self::Rule { verdict: Verdict::Refused, .. } => "refuse_proposal",
            Self::AcknowledgeOutage { .. } => "acknowledge_outage",
            Self::TurnKillSwitch { .. } => "turn_kill_switch",
        }
    }

    /// What it is about.
    #[must_use]
    pub fn entity(&self) -> EntityId {
        match self {
            Self::DescribeManufacturer(form) => EntityId::Manufacturer(form.id.clone()),
            Self::DescribeProduct(form) => EntityId::Product(form.id.clone()),
            Self::DraftCertification(CertificationForm { id, .. })
            | Self::SubmitCertification(id)
            | Self::AcceptCertification(id)
            | Self::RejectCertification { id, .. }
            | Self::AdvanceTesting { id, .. }
            | Self::HandInResults(id)
            | Self::ApproveCertification(id)
            | Self::FailCertification { id, .. }
            | Self::TestAgain { new: id, .. } => EntityId::Certification(id.clone()),
            Self::DraftBadgeRequest(BadgeForm { id, .. })
            | Self::SubmitBadgeRequest(id)
            | Self::ApproveBadgeRequest(id)
            | Self::RejectBadgeRequest { id, .. } => EntityId::BadgeRequest(id.clone()),
            Self::WithdrawBadge(asin) | Self::CountCustomers { asin, .. } => EntityId::Badge(asin.clone()),
            Self::RequestExclusion(ExclusionForm { id, .. })
            | Self::ApproveExclusion(id)
            | Self::DeclineExclusion { id, .. }
            | Self::RevokeExclusion { id, .. } => EntityId::Exclusion(id.clone()),
            Self::OpenDispute(DisputeForm { id, .. }) | Self::UpholdDispute { id, .. } | Self::DeclineDispute { id, .. } => {
                EntityId::Dispute(id.clone())
            }
            Self::Rule { proposal, .. } => EntityId::Proposal(*proposal),
            Self::AcknowledgeOutage { outage, .. } => EntityId::Outage(*outage),
            Self::TurnKillSwitch { .. } => EntityId::KillSwitch,
        }
    }
}

impl EntityId {
    /// What kinds of entities are called, as in `KIND:ID`.
    pub const KINDS: [&'static str; 10] = [
        "manufacturer",
        "product",
        "certification",
        "badge_request",
        "badge",
        "exclusion",
        "dispute",
        "proposal",
        "outage",
        "kill_switch",
    ];

    /// Parses `KIND:ID`, as it is printed, or `kill_switch`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "kill_switch" {
            return Some(Self::KillSwitch);
        }
        let (kind, id) = text.split_once(':')?;
        match kind {
            "manufacturer" => ManufacturerId::new(id).map(Self::Manufacturer),
            "product" => ProductId::new(id).map(Self::Product),
            "certification" => CertificationId::new(id).map(Self::Certification),
            "badge_request" => BadgeRequestId::new(id).map(Self::BadgeRequest),
            "badge" => Asin::new(id).map(Self::Badge),
            "exclusion" => ExclusionId::new(id).map(Self::Exclusion),
            "dispute" => DisputeId::new(id).map(Self::Dispute),
            "proposal" => DecisionId::parse(id).map(Self::Proposal),
            "outage" => DecisionId::parse(id).map(Self::Outage),
            _ => None,
        }
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manufacturer(id) => write!(f, "manufacturer:{id}"),
            Self::Product(id) => write!(f, "product:{id}"),
            Self::Certification(id) => write!(f, "certification:{id}"),
            Self::BadgeRequest(id) => write!(f, "badge_request:{id}"),
            Self::Badge(asin) => write!(f, "badge:{asin}"),
            Self::Exclusion(id) => write!(f, "exclusion:{id}"),
            Self::Dispute(id) => write!(f, "dispute:{id}"),
            Self::Proposal(id) => write!(f, "proposal:{id}"),
            Self::Outage(id) => write!(f, "outage:{id}"),
            Self::KillSwitch => f.write_str("kill_switch"),
        }
    }
}
