//! What is judged, and what comes out.

use domain::decision::Scope;
use domain::evidence::EvidenceByVersion;
use domain::fact::Ruling;
use domain::id::Region;
use domain::interval::IntervalSet;
use domain::policy::{Policies, ScopeRule};
use domain::product::Product;
use domain::report::ProductStanding;
use domain::time::Timestamp;

use domain::Catalogue;

/// A product and all that its standing rests on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The policy's versions.
    pub policies: &'a Policies,
    /// The product with the history of its badge.
    pub product: &'a Product,
    /// Its health up to T.
    pub evidence: &'a EvidenceByVersion,
    /// What catalogues say about it.
    pub certification: &'a Catalogue,
    /// What was ruled on proposals about it, by instant (R22).
    pub rulings: &'a [Ruling],
}

/// How a product stands at T.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// In each scope of the version in force at T, with the numbers behind it.
    pub standings: Vec<ProductStanding>,
    /// When it counts as removed for its manufacturer's suspension (R16), in every scope that it
    /// was ever judged in. May reach beyond T.
    pub removed: Vec<(Scope, IntervalSet)>,
}

/// The scopes that a version judges.
#[must_use]
pub const fn scopes(rule: ScopeRule) -> &'static [Scope] {
    match rule {
        ScopeRule::Global => &[Scope::Global],
        ScopeRule::Region => {
            const { &[Scope::Region(Region::ALL[0]), Scope::Region(Region::ALL[1]), Scope::Region(Region::ALL[2])] }
        }
    }
}

/// When the product is badged in a scope.
#[must_use]
pub fn held(product: &Product, scope: Scope) -> IntervalSet {
    match scope {
        Scope::Global => IntervalSet::from(product.badged()),
        Scope::Region(region) => product.badged_in(region),
    }
}

/// A scope's first instant; `None` for a region that the badge never reaches.
pub(crate) fn enabled_at(product: &Product, scope: Scope) -> Option<Timestamp> {
    match scope {
        Scope::Global => Some(product.enabled_at),
        Scope::Region(_) => held(product, scope).as_slice().first().map(|first| first.from),
    }
}
