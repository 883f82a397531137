//! What is so by what was issued: whether a badge is on, and when it was removed (R16).
//!
//! The role that owns suspensions knows the decisions log and the registry, and nothing of health.

use std::collections::BTreeMap;

use domain::decision::Scope;
use domain::id::Region;
use domain::interval::{Interval, IntervalSet};
use domain::policy::{Policies, ScopeRule};
use domain::product::Product;
use domain::time::Timestamp;

use super::Issued;
use super::episode::Role;
use crate::case::held;
use crate::suspension::{self, Removal};

/// How a badge stands by what was issued; a suspended manufacturer's is off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadgeOfRecord {
    /// Not removed, or reinstated since.
    On,
    /// Removed, or in probation.
    Off,
}

impl Issued {
    /// Whether the badge is on in a scope. What was issued globally holds in every region, and what
    /// was issued in any region globally: so the answer is right after a switch of scopes, too (R18).
    /// Whether the badge is held there is the registry's to say.
    #[must_use]
    pub fn standing_of_record(&self, scope: Scope) -> BadgeOfRecord {
        let mut off = [false; Region::COUNT];
        for (_, role, decided_for) in self.turns() {
            for region in Region::ALL.into_iter().filter(|region| decided_for.includes(*region)) {
                off[region.index()] = role == Role::Opening;
            }
        }
        let is_off = Region::ALL.into_iter().any(|region| scope.includes(region) && off[region.index()]);
        if is_off { BadgeOfRecord::Off } else { BadgeOfRecord::On }
    }

    /// When the product counts as removed for its manufacturer's suspension, by what was issued: the
    /// counterpart of [`crate::Judgement::removed`], by scope. At a switch of scopes it ends in the old
    /// ones and goes on in those that take the state over (R18).
    #[must_use]
    pub fn removed(&self, policies: &Policies, product: &Product) -> Vec<(Scope, IntervalSet)> {
        suspension::counted(policies, product, self.removals(policies, product).into_iter())
    }

    /// Openings and closings that stand, in order.
    fn turns(&self) -> Vec<(Timestamp, Role, Scope)> {
        let kinds = self.standing().map(|entry| (self.first(entry).kind, self.latest(entry)));
        let mut turns: Vec<_> = kinds.filter(|(kind, _)| matches!(Role::of(*kind), Role::Opening | Role::Closing)).collect();
        turns.sort_by_key(|(kind, latest)| (latest.at, *kind));
        turns.into_iter().map(|(kind, latest)| (latest.at, Role::of(kind), latest.scope)).collect()
    }

    fn removals(&self, policies: &Policies, product: &Product) -> Vec<Removal> {
        let turns = self.turns();
        let mut out = Vec::new();
        let mut removed: BTreeMap<Scope, Timestamp> = BTreeMap::new();
        let mut before = None;
        for (phase, rule) in phases(policies) {
            if before.is_some() {
                removed = carried(&removed, rule, phase.from, product);
            }
            before = Some(rule);
            let until = |scope, from, to| Removal { scope, since: phase.from, interval: Interval::new(from, to) };
            for &(at, role, scope) in turns.iter().filter(|(at, _, scope)| phase.contains(*at) && is_of(rule, *scope)) {
                if role == Role::Opening {
                    removed.entry(scope).or_insert(at);
                } else if let Some(from) = removed.remove(&scope) {
                    out.push(until(scope, from, at));
                }
            }
            out.extend(removed.iter().map(|(&scope, &from)| until(scope, from, phase.to)));
        }
        out
    }
}

/// When standing is judged in which scopes; neighbours differ.
fn phases(policies: &Policies) -> Vec<(Interval, ScopeRule)> {
    let mut out: Vec<(Interval, ScopeRule)> = Vec::new();
    for (interval, policy) in policies.in_force() {
        match out.last_mut() {
            Some((last, rule)) if *rule == policy.scope => last.to = interval.to,
            _ => out.push((interval, policy.scope)),
        }
    }
    out
}

fn is_of(rule: ScopeRule, scope: Scope) -> bool {
    (rule == ScopeRule::Global) == (scope == Scope::Global)
}

/// R18: where the badge is off after a switch, and since when. A region takes over the global state if
/// the product was badged there before; globally the worst of the regions held at the switch holds, or
/// of all where none is, and of several the latest removal.
fn carried(
    removed: &BTreeMap<Scope, Timestamp>,
    rule: ScopeRule,
    switch: Timestamp,
    product: &Product,
) -> BTreeMap<Scope, Timestamp> {
    let all = Region::ALL.into_iter().map(Scope::Region);
    match rule {
        ScopeRule::Region => {
            let was_badged = |scope: &Scope| held(product, *scope).as_slice().first().is_some_and(|first| first.from < switch);
            let global = removed.get(&Scope::Global).copied();
            all.filter(was_badged).filter_map(|scope| Some((scope, global?))).collect()
        }
        ScopeRule::Global => {
            let regions: Vec<Scope> = all.collect();
            let held_then = |scope: &&Scope| held(product, **scope).contains(switch);
            let is_any_held = regions.iter().any(|scope| held_then(&scope));
            let asked = regions.iter().filter(|scope| !is_any_held || held_then(scope));
            let latest = asked.filter_map(|scope| removed.get(scope).copied()).max();
            latest.map(|at| (Scope::Global, at)).into_iter().collect()
        }
    }
}
