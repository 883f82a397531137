//! Standings at an instant: what `evaluate` prints and the live pipeline publishes.

use crate::decision::{Decision, OutageEvidence, Scope, WarningLevel};
use crate::id::{Asin, ManufacturerId};
use crate::interval::Interval;
use crate::ratio::Ratio;
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// Everything that is implied at an instant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// T.
    pub at: Timestamp,
    /// By ASIN, then scope.
    pub products: Vec<ProductStanding>,
    /// By id, then scope.
    pub manufacturers: Vec<ManufacturerStanding>,
    /// In the order of R17.
    pub decisions: Vec<Decision>,
    /// By source (registry first) and line.
    pub rejected: Vec<Rejection>,
}

/// How a product stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// The badge is on.
    Good,
    /// The badge is on and a warning is active.
    Warned,
    /// The badge is off and probation hasn't started, or is to start anew.
    Removed,
    /// The badge is off and months are counted.
    Probation,
    /// Probation is passed, but a certification requirement doesn't hold.
    Held,
    /// The badge was withdrawn.
    Withdrawn,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 6] = [Self::Good, Self::Warned, Self::Removed, Self::Probation, Self::Held, Self::Withdrawn];

    /// The standing's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warned => "warned",
            Self::Removed => "removed",
            Self::Probation => "probation",
            Self::Held => "held",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A product's standing in one scope, with the numbers behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductStanding {
    /// The product.
    pub asin: Asin,
    /// Its manufacturer at T.
    pub manufacturer: ManufacturerId,
    /// Where.
    pub scope: Scope,
    /// How it stands.
    pub standing: Standing,
    /// The highest active warning.
    pub warning_level: Option<WarningLevel>,
    /// 1 − downtime / W, W being the window's whole length.
    pub availability: Option<Ratio>,
    /// 1 − downtime / |measured ∪ downtime| (R8); `None` when nothing was measured.
    pub observed_availability: Option<Ratio>,
    /// Measured / badged elapsed time of the window (R8); `None` when nothing has elapsed.
    pub coverage: Option<Ratio>,
    /// Effective downtime in the window, in milliseconds.
    pub downtime_ms: i64,
    /// The window's budget, in milliseconds.
    pub budget_ms: i64,
    /// The window at T (R10).
    pub window: Interval,
    /// While in probation or held.
    pub probation: Option<ProbationStanding>,
    /// The outages that count in the window.
    pub outages: Vec<OutageEvidence>,
}

/// How far probation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProbationStanding {
    /// When it started, or started anew.
    pub started: Timestamp,
    /// Months passed since; counts on while held.
    pub months_passed: u32,
}

/// A manufacturer's standing in one scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManufacturerStanding {
    /// The manufacturer.
    pub id: ManufacturerId,
    /// Where.
    pub scope: Scope,
    /// Whether it may request badges for new ASINs.
    pub suspended: bool,
    /// Its products that count as removed there, by ASIN.
    pub removed: Vec<Asin>,
}
