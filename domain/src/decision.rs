//! Decisions: complete, immutable values. Delivery makes no choices.

mod reason;

use std::fmt;

use crate::id::{Asin, ExclusionId, ManufacturerId, Region, RegionSet, SkillId};
use crate::interval::Interval;
use crate::policy::PolicyName;
use crate::ratio::Ratio;
use crate::time::Timestamp;

pub use self::reason::{Reason, WarningCause, WarningLevel};

/// What a standing is judged over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// One region.
    Region(Region),
    /// All regions of a product together.
    Global,
}

impl Scope {
    /// `global`, or the region's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Region(region) => region.as_str(),
            Self::Global => "global",
        }
    }

    /// The scope named `global` or by a region.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "global" { Some(Self::Global) } else { Region::parse(text).map(Self::Region) }
    }

    /// Whether the scope takes in a region.
    #[must_use]
    pub fn includes(self, region: Region) -> bool {
        match self {
            Self::Region(own) => own == region,
            Self::Global => true,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is decided, in the order in which decisions of one instant are listed (R17).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DecisionKind {
    /// A run's effective downtime reached `min_duration`; to be acknowledged.
    CriticalOutage,
    /// A month of probation was good.
    ProbationMonthPassed,
    /// The badge is back.
    Reinstatement,
    /// Probation is passed, but a certification requirement doesn't hold.
    ReinstatementHeld,
    /// The manufacturer may request badges again.
    SuspensionLifted,
    /// A threshold is near.
    Warning,
    /// Too little of the last 30 days was measured.
    CoverageWarning,
    /// A threshold was crossed: the badge is off.
    BadgeRemoval,
    /// The manufacturer may not request badges for new ASINs.
    Suspension,
    /// A month of probation broke or was dark.
    ProbationRestarted,
    /// The run that held the breach ended.
    ProbationStarted,
    /// A removal that waits for a confirmation or refusal (R22, R25).
    Proposal,
    /// An issued decision that is no longer implied is taken back (R21); live only.
    Reversal,
    /// An issued decision is implied at another instant or for other reasons (R21); live only.
    Amendment,
    /// A skill answers slowly or seldom; never downtime; live only.
    ServiceDegradation,
}

impl DecisionKind {
    /// Every kind, in listing order.
    pub const ALL: [Self; 15] = [
        Self::CriticalOutage,
        Self::ProbationMonthPassed,
        Self::Reinstatement,
        Self::ReinstatementHeld,
        Self::SuspensionLifted,
        Self::Warning,
        Self::CoverageWarning,
        Self::BadgeRemoval,
        Self::Suspension,
        Self::ProbationRestarted,
        Self::ProbationStarted,
        Self::Proposal,
        Self::Reversal,
        Self::Amendment,
        Self::ServiceDegradation,
    ];

    /// The kinds that evidence implies under automatic enforcement, in listing order (R17).
    pub const IMPLIED: [Self; 11] = [
        Self::CriticalOutage,
        Self::ProbationMonthPassed,
        Self::Reinstatement,
        Self::ReinstatementHeld,
        Self::SuspensionLifted,
        Self::Warning,
        Self::CoverageWarning,
        Self::BadgeRemoval,
        Self::Suspension,
        Self::ProbationRestarted,
        Self::ProbationStarted,
    ];

    /// The kind's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CriticalOutage => "critical_outage",
            Self::ProbationMonthPassed => "probation_month_passed",
            Self::Reinstatement => "reinstatement",
            Self::ReinstatementHeld => "reinstatement_held",
            Self::SuspensionLifted => "suspension_lifted",
            Self::Warning => "warning",
            Self::CoverageWarning => "coverage_warning",
            Self::BadgeRemoval => "badge_removal",
            Self::Suspension => "suspension",
            Self::ProbationRestarted => "probation_restarted",
            Self::ProbationStarted => "probation_started",
            Self::Proposal => "proposal",
            Self::Reversal => "reversal",
            Self::Amendment => "amendment",
            Self::ServiceDegradation => "service_degradation",
        }
    }

    /// The kind that a name on the wire stands for.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for DecisionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names a decision (R20): the first 16 bytes of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId(pub [u8; 16]);

impl DecisionId {
    /// Parses what it prints: 32 hexadecimal digits in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let mut id = [0; 16];
        if digits.len() != 2 * id.len() {
            return None;
        }
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Some(Self(id))
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Its name, a function of the other fields (`alerting::id`).
    pub id: DecisionId,
    /// What is decided.
    pub kind: DecisionKind,
    /// Why: sorted, without repetition; empty where the kind says it all.
    pub reasons: Vec<Reason>,
    /// The product; none for a suspension.
    pub asin: Option<Asin>,
    /// The manufacturer.
    pub manufacturer: ManufacturerId,
    /// Where it holds.
    pub scope: Scope,
    /// The instant that it is dated.
    pub at: Timestamp,
    /// The decision that it takes back or amends (live only, R21).
    pub supersedes: Option<DecisionId>,
    /// What it rests on.
    pub evidence: Evidence,
}

/// What a decision rests on: enough to recompute it by hand, and bounded (R26).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// The policy that it was judged by.
    pub policy: PolicyName,
    /// The window, probation month or run that was judged.
    pub window: Option<Interval>,
    /// Effective downtime in it, in milliseconds.
    pub downtime_ms: Option<i64>,
    /// The budget that it was held against, in milliseconds.
    pub budget_ms: Option<i64>,
    /// The outages that count in it.
    pub outages: Vec<OutageEvidence>,
    /// The exclusions that took out downtime in it.
    pub exclusions: Vec<ExclusionId>,
    /// Its coverage.
    pub coverage: Option<Ratio>,
    /// A warning's highest active level.
    pub level: Option<WarningLevel>,
    /// A probation month's number, from 1.
    pub month: Option<u32>,
    /// How many customers have the product.
    pub customers: Option<u64>,
    /// A manufacturer's products that are removed.
    pub removed: Vec<Asin>,
    /// The skill that a service degradation is about.
    pub skill: Option<SkillId>,
    /// The kind of the decision that an amendment or reversal supersedes.
    pub amends: Option<DecisionKind>,
    /// When and from which inputs a live decision was issued; none for what is only implied.
    pub issued: Option<Issued>,
}

/// When a decision was issued, and what had been read by then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    /// T at which it was issued (R23).
    pub at: Timestamp,
    /// Who issued it.
    pub by: Issuer,
    /// Its number among what that owner issued, from 1; rises without a gap.
    pub seq: u64,
    /// The next position to read of each input.
    pub inputs: Vec<InputPosition>,
}

/// Who owns what is decided about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Issuer {
    /// The owner of a partition: decisions about its products.
    Partition(u32),
    /// The programme role: decisions about manufacturers.
    Programme,
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition(partition) => write!(f, "{partition}"),
            Self::Programme => f.write_str("programme"),
        }
    }
}

/// Up to where an input had been read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct InputPosition {
    /// The log's name.
    pub log: String,
    /// The partition.
    pub partition: u32,
    /// The first offset that had not been read.
    pub next_offset: u64,
}

impl Evidence {
    /// Evidence that names its policy and nothing else yet.
    #[must_use]
    pub const fn new(policy: PolicyName) -> Self {
        Self {
            policy,
            window: None,
            downtime_ms: None,
            budget_ms: None,
            outages: Vec::new(),
            exclusions: Vec::new(),
            coverage: None,
            level: None,
            month: None,
            customers: None,
            removed: Vec::new(),
            skill: None,
            amends: None,
            issued: None,
        }
    }
}

/// An outage as a decision or report shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutageEvidence {
    /// The run, cut to badged time and T.
    pub run: Interval,
    /// Its effective downtime over all regions, in milliseconds.
    pub downtime_ms: i64,
    /// Whether the run may still go on (R14).
    pub open: bool,
    /// Where its effective downtime is.
    pub regions: RegionSet,
    /// What its effective downtime is from.
    pub causes: CauseSet,
}

/// What downtime is from, in listing order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// The product itself.
    Own,
    /// Its skill.
    Skill,
    /// Its hub.
    Hub,
}

impl Cause {
    /// Every cause, in listing order.
    pub const ALL: [Self; 3] = [Self::Own, Self::Skill, Self::Hub];

    /// The cause's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Skill => "skill",
            Self::Hub => "hub",
        }
    }
}

/// A set of causes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct CauseSet(u8);

impl CauseSet {
    /// Whether the cause is in the set.
    #[must_use]
    pub const fn contains(self, cause: Cause) -> bool {
        self.0 & (1 << cause as u8) != 0
    }

    /// The causes in listing order.
    pub fn iter(self) -> impl Iterator<Item = Cause> {
        Cause::ALL.into_iter().filter(move |cause| self.contains(*cause))
    }
}

impl FromIterator<Cause> for CauseSet {
    fn from_iter<I: IntoIterator<Item = Cause>>(causes: I) -> Self {
        Self(causes.into_iter().fold(0, |set, cause| set | (1 << cause as u8)))
    }
}
