//! Manufacturers (R16): suspended while any of their products counts as removed.

use std::collections::BTreeSet;

use domain::decision::DecisionId;
use domain::policy::ScopeRule;
use domain::report::ManufacturerStanding;
use domain::{Asin, Decision, DecisionKind, Evidence, ManufacturerId, Policy, Region, Scope, Timestamp};

use super::registry::{Product, Registry};

/// One removal of a product in a scope.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) product: &'a Product,
    pub(super) scope: Scope,
    pub(super) removal: i64,
    /// The reinstatement; after all of time where there is none by T.
    pub(super) end: i64,
}

impl Part<'_> {
    /// `removal` plus the months for which it lasts even when the badge is withdrawn.
    fn least(&self, policy: &Policy) -> i64 {
        Timestamp::clamped(self.removal).plus_months(policy.probation_months).ms()
    }

    fn counts(&self, policy: &Policy, at: i64) -> bool {
        self.removal <= at && at < self.end && (at < self.least(policy) || self.product.holds(self.scope, at))
    }
}

/// Every manufacturer's standing at T, and what was decided about it by then.
pub(super) fn manufacturers(
    policy: &Policy,
    registry: &Registry,
    parts: &[Part<'_>],
    at: i64,
) -> (Vec<ManufacturerStanding>, Vec<Decision>) {
    let (mut standings, mut decisions) = (Vec::new(), Vec::new());
    for id in &registry.manufacturers {
        for scope in scopes(policy) {
            let mine: Vec<&Part<'_>> = parts.iter().filter(|part| part.scope == scope && was_made_by(part.product, id)).collect();
            let removed_at = |instant: i64| -> BTreeSet<&Asin> {
                let removed = mine.iter().filter(|part| part.counts(policy, instant));
                let removed = removed.filter(|part| part.product.terms_at(instant).manufacturer == *id);
                removed.map(|part| &part.product.asin).collect()
            };
            let mut turns: Vec<i64> = mine
                .iter()
                .flat_map(|part| part.product.turns().into_iter().chain([part.removal, part.end, part.least(policy)]))
                .filter(|turn| *turn <= at)
                .collect();
            turns.sort_unstable();
            turns.dedup();
            let mut suspended = false;
            let mut ever_suspended = false;
            for turn in turns {
                if suspended == removed_at(turn).is_empty() {
                    suspended = !suspended;
                    ever_suspended = true;
                    let kind = if suspended { DecisionKind::Suspension } else { DecisionKind::SuspensionLifted };
                    decisions.push(decide(policy, kind, id, scope, turn));
                }
            }
            if ever_suspended || is_listed(registry, id, scope, at) {
                let removed = removed_at(at).into_iter().cloned().collect();
                standings.push(ManufacturerStanding { id: id.clone(), scope, suspended, removed });
            }
        }
    }
    (standings, decisions)
}

/// The scopes that a policy judges, in listing order.
pub(super) fn scopes(policy: &Policy) -> Vec<Scope> {
    match policy.scope {
        ScopeRule::Global => vec![Scope::Global],
        ScopeRule::Region => Region::ALL.map(Scope::Region).to_vec(),
    }
}

/// Globally each one; regionally where a product of its was badged by T.
fn is_listed(registry: &Registry, id: &ManufacturerId, scope: Scope, at: i64) -> bool {
    let was_badged = |product: &Product| {
        let mut turns = product.turns().into_iter().filter(|turn| *turn <= at);
        turns.any(|turn| product.holds(scope, turn) && product.terms_at(turn).manufacturer == *id)
    };
    scope == Scope::Global || registry.products.iter().any(was_badged)
}

fn was_made_by(product: &Product, id: &ManufacturerId) -> bool {
    product.versions.iter().any(|(_, terms)| terms.manufacturer == *id)
}

fn decide(policy: &Policy, kind: DecisionKind, id: &ManufacturerId, scope: Scope, at: i64) -> Decision {
    Decision {
        id: DecisionId([0; 16]),
        kind,
        reasons: Vec::new(),
        asin: None,
        manufacturer: id.clone(),
        scope,
        at: Timestamp::clamped(at),
        supersedes: None,
        evidence: Evidence::new(policy.name.clone()),
    }
}
