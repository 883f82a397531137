//! Manufacturers: suspended from the first removal until none of their products is removed (R16).

use std::collections::{BTreeMap, BTreeSet};

use domain::decision::{Decision, DecisionKind, Evidence, Scope};
use domain::id::{Asin, ManufacturerId, Region};
use domain::interval::{Interval, IntervalSet};
use domain::policy::{Policy, ScopeRule};
use domain::product::Product;
use domain::report::ManufacturerStanding;
use domain::time::Timestamp;

use crate::case::held;
use crate::id::About;

/// When a product counts as removed in a scope ([`crate::Judgement::removed`]).
#[derive(Clone, Copy, Debug)]
pub struct Removed<'a> {
    /// The product.
    pub product: &'a Product,
    /// Where.
    pub scope: Scope,
    /// When.
    pub when: &'a IntervalSet,
}

/// Judges manufacturers at T. `manufacturers` are all that are registered or named; `products`
/// all that are registered; `removed` what their judgements say.
#[must_use]
pub fn suspensions<'a>(
    policy: &Policy,
    at: Timestamp,
    manufacturers: &BTreeSet<ManufacturerId>,
    products: impl Iterator<Item = &'a Product>,
    removed: &[Removed<'_>],
) -> (Vec<ManufacturerStanding>, Vec<Decision>) {
    let mut parts: BTreeMap<(&ManufacturerId, Scope), Vec<(&Asin, IntervalSet)>> = BTreeMap::new();
    for part in removed.iter().filter(|part| !part.when.is_empty()) {
        for manufacturer in part.product.manufacturers().collect::<BTreeSet<_>>() {
            let when = part.product.when(|terms| terms.manufacturer == *manufacturer).intersect(part.when);
            parts.entry((manufacturer, part.scope)).or_default().push((&part.product.asin, when));
        }
    }
    let made = products_by_manufacturer(products);
    let (mut standings, mut decisions) = (Vec::new(), Vec::new());
    for manufacturer in manufacturers {
        let products = made.get(manufacturer).map(Vec::as_slice).unwrap_or_default();
        for scope in scopes(policy) {
            let parts = parts.get(&(manufacturer, scope)).map(Vec::as_slice).unwrap_or_default();
            let judged = Judged { policy, manufacturer, scope, parts };
            if scope == Scope::Global || is_enabled(manufacturer, products, scope, at) || judged.is_affected(at) {
                standings.push(judged.standing(at));
                judged.decide(at, &mut decisions);
            }
        }
    }
    (standings, decisions)
}

fn products_by_manufacturer<'a>(products: impl Iterator<Item = &'a Product>) -> BTreeMap<&'a ManufacturerId, Vec<&'a Product>> {
    let mut made: BTreeMap<&ManufacturerId, Vec<&Product>> = BTreeMap::new();
    for product in products {
        for manufacturer in product.manufacturers().collect::<BTreeSet<_>>() {
            made.entry(manufacturer).or_default().push(product);
        }
    }
    made
}

fn scopes(policy: &Policy) -> Vec<Scope> {
    match policy.scope {
        ScopeRule::Global => vec![Scope::Global],
        ScopeRule::Region => Region::ALL.into_iter().map(Scope::Region).collect(),
    }
}

/// Whether one of a manufacturer's products was badged in a scope by T.
fn is_enabled(manufacturer: &ManufacturerId, products: &[&Product], scope: Scope, at: Timestamp) -> bool {
    products.iter().any(|product| {
        let made = product.when(|terms| terms.manufacturer == *manufacturer);
        !held(product, scope).intersect(&made).clip(up_to(at)).is_empty()
    })
}

fn up_to(at: Timestamp) -> Interval {
    Interval::new(Timestamp::MIN, at + crate::scope::TICK)
}

struct Judged<'a> {
    policy: &'a Policy,
    manufacturer: &'a ManufacturerId,
    scope: Scope,
    parts: &'a [(&'a Asin, IntervalSet)],
}

impl Judged<'_> {
    /// Whether it was ever suspended by T: also by a product that it took over without a badge.
    fn is_affected(&self, at: Timestamp) -> bool {
        self.parts.iter().any(|(_, part)| part.intersects(up_to(at)))
    }

    fn standing(&self, at: Timestamp) -> ManufacturerStanding {
        let removed = self.removed_at(at);
        ManufacturerStanding { id: self.manufacturer.clone(), scope: self.scope, suspended: !removed.is_empty(), removed }
    }

    fn decide(&self, at: Timestamp, decisions: &mut Vec<Decision>) {
        let suspended = self.parts.iter().fold(IntervalSet::new(), |all, (_, part)| all.union(part));
        let about = About { asin: None, manufacturer: self.manufacturer.clone(), scope: self.scope };
        for interval in &suspended {
            for (kind, instant) in [(DecisionKind::Suspension, interval.from), (DecisionKind::SuspensionLifted, interval.to)] {
                if instant <= at && instant < Timestamp::MAX {
                    let evidence = Evidence { removed: self.removed_at(instant), ..Evidence::new(self.policy.name.clone()) };
                    decisions.push(about.decide(kind, Vec::new(), instant, evidence));
                }
            }
        }
    }

    fn removed_at(&self, at: Timestamp) -> Vec<Asin> {
        self.parts.iter().filter(|(_, part)| part.contains(at)).map(|(asin, _)| (*asin).clone()).collect()
    }
}
