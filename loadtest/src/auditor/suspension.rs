//! Manufacturers (R16): suspended while any of their products counts as removed.

use std::collections::BTreeSet;

use domain::decision::DecisionId;
use domain::policy::ScopeRule;
use domain::report::ManufacturerStanding;
use domain::{Asin, Decision, DecisionKind, Evidence, ManufacturerId, Policy, Region, Scope, Timestamp};

use super::registry::{Product, Registry};

/// One removal of a product in a scope, as a version of the policy judges it.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) product: &'a Product,
    pub(super) scope: Scope,
    pub(super) removal: i64,
    /// The reinstatement; after all of time where there is none while the version judges.
    pub(super) end: i64,
}

/// A version of the policy, and what it has to do with.
#[derive(Debug)]
pub(super) struct Era<'a> {
    pub(super) policy: &'a Policy,
    pub(super) from: i64,
    pub(super) last: i64,
    /// The removals that end while the version judges, or later.
    pub(super) parts: Vec<Part<'a>>,
}

/// A manufacturer followed from version to version.
struct Follower<'a> {
    id: &'a ManufacturerId,
    /// The scopes in which it is suspended.
    suspended: BTreeSet<Scope>,
    /// The scopes in which it ever was.
    ever: BTreeSet<Scope>,
    decisions: Vec<Decision>,
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

impl Era<'_> {
    /// The products of a manufacturer that count as removed in a scope, by the numbers of `policy`.
    fn removed(&self, id: &ManufacturerId, scope: Scope, policy: &Policy, at: i64) -> BTreeSet<&Asin> {
        let parts = self.parts.iter().filter(|part| part.scope == scope && part.counts(policy, at));
        parts.filter(|part| part.product.terms_at(at).manufacturer == *id).map(|part| &part.product.asin).collect()
    }

    /// The instants that the version judges at which that may change.
    fn turns(&self, id: &ManufacturerId, scope: Scope) -> BTreeSet<i64> {
        let mine = self.parts.iter().filter(|part| part.scope == scope && was_made_by(part.product, id));
        let turns =
            mine.flat_map(|part| part.product.turns().into_iter().chain([part.removal, part.end, part.least(self.policy)]));
        turns.chain([self.from]).filter(|turn| (self.from..=self.last).contains(turn)).collect()
    }
}

impl Follower<'_> {
    fn follow(&mut self, era: &Era<'_>) {
        for scope in scopes(era.policy) {
            for turn in era.turns(self.id, scope) {
                let is_suspended = !era.removed(self.id, scope, era.policy, turn).is_empty();
                if is_suspended != self.suspended.contains(&scope) {
                    let kind = if is_suspended { DecisionKind::Suspension } else { DecisionKind::SuspensionLifted };
                    self.decisions.push(decide(era.policy, kind, self.id, scope, turn));
                    self.set(scope, is_suspended);
                }
            }
        }
    }

    /// A switch that changes the scopes decides nothing: in the new ones the manufacturer is suspended
    /// or not by what held just before, as the products' lives are carried over (R18).
    fn change_scopes(&mut self, before: &Era<'_>, era: &Era<'_>) {
        self.suspended.clear();
        for scope in scopes(era.policy) {
            let is_suspended = !era.removed(self.id, scope, before.policy, before.last).is_empty();
            self.set(scope, is_suspended);
        }
    }

    fn set(&mut self, scope: Scope, is_suspended: bool) {
        if is_suspended {
            self.suspended.insert(scope);
            self.ever.insert(scope);
        } else {
            self.suspended.remove(&scope);
        }
    }
}

/// Every manufacturer's standing at T, the end of the last era, and what was decided about it by then.
pub(super) fn manufacturers(registry: &Registry, eras: &[Era<'_>]) -> (Vec<ManufacturerStanding>, Vec<Decision>) {
    let (mut standings, mut decisions) = (Vec::new(), Vec::new());
    let Some(now) = eras.last() else { return (standings, decisions) };
    for id in &registry.manufacturers {
        let mut follower = Follower { id, suspended: BTreeSet::new(), ever: BTreeSet::new(), decisions: Vec::new() };
        for (n, era) in eras.iter().enumerate() {
            if let Some(before) = n.checked_sub(1).map(|n| &eras[n]).filter(|before| before.policy.scope != era.policy.scope) {
                follower.change_scopes(before, era);
            }
            follower.follow(era);
        }
        for scope in scopes(now.policy) {
            if follower.ever.contains(&scope) || is_listed(registry, id, scope, now.last) {
                let removed = now.removed(id, scope, now.policy, now.last).into_iter().cloned().collect();
                let suspended = follower.suspended.contains(&scope);
                standings.push(ManufacturerStanding { id: id.clone(), scope, suspended, removed });
            }
        }
        decisions.append(&mut follower.decisions);
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
