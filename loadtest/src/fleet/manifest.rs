//! What a fleet was planned to hold, so that a test can ask whether it happened.

use std::collections::BTreeMap;

use domain::fact::ExclusionReason;
use domain::{Asin, DecisionKind, RegionSet, WarningCause, WarningLevel};

use super::character::Character;

/// What a member of the cast is promised, under the preset policies (R11 … R15).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Promise {
    /// Every decision about the product but warnings and critical outages, in order of time; under a regional
    /// policy, in the scope that its story is about.
    pub arc: &'static [DecisionKind],
    /// Warnings that are among its decisions.
    pub warnings: &'static [(WarningLevel, WarningCause)],
    /// Whether a coverage warning is among its decisions.
    pub coverage_warning: bool,
}

/// A product of the cast.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CastMember {
    /// The product.
    pub asin: Asin,
    /// Its part.
    pub character: Character,
    /// Where its story takes place.
    pub regions: RegionSet,
}

impl CastMember {
    /// What it is promised.
    #[must_use]
    pub const fn promise(&self) -> Promise {
        self.character.promise()
    }
}

/// What a fleet was planned to hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Manifest {
    /// The cast: products whose stories come out exactly as promised.
    pub cast: Vec<CastMember>,
    /// How many products play each part, cast and others. The others' stories may be disturbed
    /// by outages of regions, skills and hubs.
    pub characters: BTreeMap<Character, u32>,
    /// Registry facts by kind: `manufacturer`, `badge`, `badge_change`, `badge_withdrawn`,
    /// `exclusion`, `listing`, `skill_listing`.
    pub facts: BTreeMap<&'static str, u64>,
    /// Exclusions by reason.
    pub exclusions: BTreeMap<ExclusionReason, u64>,
    /// Incidents by kind, over all subjects and regions: `down`, `maintenance`, `partial`, `silent`.
    pub incidents: BTreeMap<&'static str, u64>,
    /// Products in more than one region.
    pub multi_region_products: u32,
    /// Skills that products depend on.
    pub skills: u32,
    /// Skills on which products of several manufacturers depend.
    pub shared_skills: u32,
    /// Hubs that products depend on.
    pub hubs: u32,
    /// Outages that hit a share of a region's products.
    pub regional_outages: u32,
    /// Outages of skills and hubs.
    pub dependency_outages: u32,
    /// Products whose measured time reaches half of every month unless their story says otherwise.
    pub covered_products: u32,
    /// Products that report outcomes by the minute.
    pub outcome_products: u32,
}
