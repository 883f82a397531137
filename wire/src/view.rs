//! Decisions, standings and reports as they cross a boundary: plain data in the contract's names
//! and order. Instants are RFC 3339 with milliseconds, lengths are milliseconds, ratios numbers
//! with up to seven decimals.

mod decode;

use domain::decision::{InputPosition, Issued};
use domain::report::{ManufacturerStanding, ProbationStanding, ProductStanding};
use domain::{Decision, Evidence, Interval, OutageEvidence, Ratio, Rejection, Report, WarningLevel};
use serde::{Deserialize, Serialize};

/// A report.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReportView {
    /// T.
    pub at: String,
    /// By ASIN, then scope.
    pub products: Vec<ProductView>,
    /// By id, then scope.
    pub manufacturers: Vec<ManufacturerView>,
    /// In the order of R17.
    pub decisions: Vec<DecisionView>,
    /// By source and line.
    pub rejected: Vec<RejectionView>,
}

/// A product's standing in one scope.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProductView {
    /// The product.
    pub asin: String,
    /// Its manufacturer.
    pub manufacturer: String,
    /// `global` or a region.
    pub scope: String,
    /// `good`, `warned`, `removed`, `probation`, `held` or `withdrawn`.
    pub standing: String,
    /// `watch`, `warning` or `critical`.
    pub warning_level: Option<String>,
    /// 1 − downtime / W.
    pub availability: Option<f64>,
    /// 1 − downtime / |measured ∪ downtime| (R8).
    pub observed_availability: Option<f64>,
    /// Measured / badged elapsed time of the window (R8).
    pub coverage: Option<f64>,
    /// Effective downtime in the window.
    pub downtime_ms: i64,
    /// The window's budget.
    pub budget_ms: i64,
    /// The window at T.
    pub window: WindowView,
    /// While in probation or held.
    pub probation: Option<ProbationView>,
    /// The outages that count in the window.
    pub outages: Vec<OutageView>,
}

/// A stretch of time, `[from, to)`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WindowView {
    /// First instant in it.
    pub from: String,
    /// First instant after it.
    pub to: String,
}

/// How far probation is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProbationView {
    /// When it started, or started anew.
    pub started: String,
    /// Months passed since.
    pub months_passed: u32,
}

/// An outage.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutageView {
    /// Start of the run.
    pub from: String,
    /// End of the run.
    pub to: String,
    /// Effective downtime over all regions.
    pub downtime_ms: i64,
    /// Whether the run may still go on (R14).
    pub open: bool,
    /// Where its effective downtime is.
    pub regions: Vec<String>,
    /// `own`, `skill`, `hub`.
    pub causes: Vec<String>,
}

/// A manufacturer's standing in one scope.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ManufacturerView {
    /// The manufacturer.
    pub id: String,
    /// `global` or a region.
    pub scope: String,
    /// Whether it may not request badges for new ASINs.
    pub suspended: bool,
    /// Its products that count as removed there.
    pub removed: Vec<String>,
}

/// A decision.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DecisionView {
    /// Its name (R20): 32 hexadecimal digits.
    pub id: String,
    /// What is decided.
    pub kind: String,
    /// Why.
    pub reasons: Vec<String>,
    /// The product; null for a suspension.
    pub asin: Option<String>,
    /// The manufacturer.
    pub manufacturer: String,
    /// `global` or a region.
    pub scope: String,
    /// The instant that it is dated.
    pub at: String,
    /// The decision that it takes back or amends.
    pub supersedes: Option<String>,
    /// What it rests on.
    pub evidence: EvidenceView,
}

/// What a decision rests on (R26); what doesn't apply to its kind is left out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EvidenceView {
    /// The policy that it was judged by.
    pub policy: PolicyNameView,
    /// `global` or a region.
    pub scope: String,
    /// The window, probation month or run that was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowView>,
    /// Effective downtime in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_ms: Option<i64>,
    /// The budget that it was held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_ms: Option<i64>,
    /// The outages that count in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<OutageView>,
    /// The exclusions that took out downtime in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<String>,
    /// Its coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
    /// A warning's highest active level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// A probation month's number, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<u32>,
    /// How many customers have the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers: Option<u64>,
    /// A manufacturer's products that are removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// The skill that a service degradation is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// The kind of what an amendment or reversal supersedes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amends: Option<String>,
    /// When and from which inputs it was issued; live only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<IssuedView>,
}

/// When a decision was issued, and what had been read by then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IssuedView {
    /// T.
    pub at: String,
    /// The number of the partition whose owner issued it, or `programme`.
    pub by: String,
    /// Its number among what that owner issued, from 1.
    pub seq: u64,
    /// The next position to read of each input.
    pub inputs: Vec<InputView>,
}

/// Up to where an input had been read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InputView {
    /// The log's name.
    pub log: String,
    /// The partition.
    pub partition: u32,
    /// The first offset that had not been read.
    pub next_offset: u64,
}

/// A policy's id and version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyNameView {
    /// The policy's id.
    pub id: String,
    /// Its version.
    pub version: u32,
}

/// A rejected line of `evaluate`'s files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RejectionView {
    /// `registry` or `events`.
    pub source: String,
    /// Line in the file, from 1.
    pub line: u64,
    /// Why, by its contract name.
    pub reason: String,
    /// What was wrong, for people.
    pub detail: String,
}

impl From<&Report> for ReportView {
    fn from(report: &Report) -> Self {
        Self {
            at: report.at.to_string(),
            products: report.products.iter().map(ProductView::from).collect(),
            manufacturers: report.manufacturers.iter().map(ManufacturerView::from).collect(),
            decisions: report.decisions.iter().map(DecisionView::from).collect(),
            rejected: report.rejected.iter().map(RejectionView::from).collect(),
        }
    }
}

impl From<&ProductStanding> for ProductView {
    fn from(product: &ProductStanding) -> Self {
        Self {
            asin: product.asin.to_string(),
            manufacturer: product.manufacturer.to_string(),
            scope: product.scope.to_string(),
            standing: product.standing.as_str().to_owned(),
            warning_level: product.warning_level.map(level),
            availability: product.availability.map(number),
            observed_availability: product.observed_availability.map(number),
            coverage: product.coverage.map(number),
            downtime_ms: product.downtime_ms,
            budget_ms: product.budget_ms,
            window: product.window.into(),
            probation: product.probation.map(ProbationView::from),
            outages: product.outages.iter().map(OutageView::from).collect(),
        }
    }
}

impl From<Interval> for WindowView {
    fn from(interval: Interval) -> Self {
        Self { from: interval.from.to_string(), to: interval.to.to_string() }
    }
}

impl From<ProbationStanding> for ProbationView {
    fn from(probation: ProbationStanding) -> Self {
        Self { started: probation.started.to_string(), months_passed: probation.months_passed }
    }
}

impl From<&OutageEvidence> for OutageView {
    fn from(outage: &OutageEvidence) -> Self {
        Self {
            from: outage.run.from.to_string(),
            to: outage.run.to.to_string(),
            downtime_ms: outage.downtime_ms,
            open: outage.open,
            regions: outage.regions.iter().map(|region| region.to_string()).collect(),
            causes: outage.causes.iter().map(|cause| cause.as_str().to_owned()).collect(),
        }
    }
}

impl From<&ManufacturerStanding> for ManufacturerView {
    fn from(manufacturer: &ManufacturerStanding) -> Self {
        Self {
            id: manufacturer.id.to_string(),
            scope: manufacturer.scope.to_string(),
            suspended: manufacturer.suspended,
            removed: texts(&manufacturer.removed),
        }
    }
}

impl From<&Decision> for DecisionView {
    fn from(decision: &Decision) -> Self {
        Self {
            id: decision.id.to_string(),
            kind: decision.kind.to_string(),
            reasons: texts(&decision.reasons),
            asin: decision.asin.as_ref().map(ToString::to_string),
            manufacturer: decision.manufacturer.to_string(),
            scope: decision.scope.to_string(),
            at: decision.at.to_string(),
            supersedes: decision.supersedes.map(|id| id.to_string()),
            evidence: EvidenceView::new(&decision.evidence, decision.scope.as_str()),
        }
    }
}

impl EvidenceView {
    pub(crate) fn new(evidence: &Evidence, scope: &str) -> Self {
        Self {
            policy: PolicyNameView { id: evidence.policy.id.to_string(), version: evidence.policy.version },
            scope: scope.to_owned(),
            window: evidence.window.map(WindowView::from),
            downtime_ms: evidence.downtime_ms,
            budget_ms: evidence.budget_ms,
            outages: evidence.outages.iter().map(OutageView::from).collect(),
            exclusions: texts(&evidence.exclusions),
            coverage: evidence.coverage.map(number),
            level: evidence.level.map(level),
            month: evidence.month,
            customers: evidence.customers,
            removed: texts(&evidence.removed),
            skill: evidence.skill.as_ref().map(ToString::to_string),
            amends: evidence.amends.map(|kind| kind.to_string()),
            issued: evidence.issued.as_ref().map(IssuedView::from),
        }
    }
}

impl From<&Issued> for IssuedView {
    fn from(issued: &Issued) -> Self {
        let input = |input: &InputPosition| InputView {
            log: input.log.clone(),
            partition: input.partition,
            next_offset: input.next_offset,
        };
        Self {
            at: issued.at.to_string(),
            by: issued.by.to_string(),
            seq: issued.seq,
            inputs: issued.inputs.iter().map(input).collect(),
        }
    }
}

impl From<&Rejection> for RejectionView {
    fn from(rejection: &Rejection) -> Self {
        Self {
            source: rejection.source.as_str().to_owned(),
            line: rejection.line,
            reason: rejection.reason.to_string(),
            detail: rejection.detail.clone(),
        }
    }
}

/// A ratio as a number. Both parts are exact in a double, so the quotient is the double nearest
/// to the seven decimals and prints as just them.
fn number(ratio: Ratio) -> f64 {
    ratio.ten_millionths() as f64 / 1e7
}

fn level(level: WarningLevel) -> String {
    level.as_str().to_owned()
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}
