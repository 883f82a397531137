//! What is judged, and what comes out.

use domain::decision::{Decision, Scope};
use domain::evidence::ProductEvidence;
use domain::id::Region;
use domain::interval::IntervalSet;
use domain::policy::{Policy, ScopeRule};
use domain::product::Product;
use domain::report::ProductStanding;
use domain::time::Timestamp;

use crate::certification::Certification;

/// A product and all that its standing rests on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// The product with the history of its badge.
    pub product: &'a Product,
    /// Its health up to T, which is [`ProductEvidence::until`].
    pub evidence: &'a ProductEvidence,
    /// What catalogues say about it.
    pub certification: &'a Certification,
}

impl Case<'_> {
    /// T: what is dated later isn't decided.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.evidence.until
    }
}

/// Everything implied for a product in a scope at T.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// The standing at T, with the numbers behind it.
    pub standing: ProductStanding,
    /// The decisions dated up to T, by instant.
    pub decisions: Vec<Decision>,
    /// When the product counts as removed for its manufacturer's suspension (R16). May reach
    /// beyond T.
    pub removed: IntervalSet,
}

/// The scopes in which a product is judged at T: none before its badge is enabled there.
#[must_use]
pub fn scopes(policy: &Policy, product: &Product, at: Timestamp) -> Vec<Scope> {
    let all: Vec<Scope> = match policy.scope {
        ScopeRule::Global => vec![Scope::Global],
        ScopeRule::Region => Region::ALL.into_iter().map(Scope::Region).collect(),
    };
    all.into_iter().filter(|scope| enabled_at(product, *scope).is_some_and(|enabled| enabled <= at)).collect()
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
