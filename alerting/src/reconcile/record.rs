//! What is so by what was issued: whether a badge is on, and when it was removed (R16).
//!
//! The role that owns suspensions knows the decisions log and the registry, and nothing of health.

use std::collections::BTreeMap;

use domain::decision::{DecisionKind, Scope};
use domain::id::Region;
use domain::interval::{Interval, IntervalSet};
use domain::life::Removal;
use domain::policy::{Policies, ScopeRule};
use domain::product::Product;
use domain::time::Timestamp;

use super::Issued;
use super::episode::Role;
use crate::case::held;
use crate::suspension;

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
        for (_, kind, decided_for) in self.turns() {
            for region in Region::ALL.into_iter().filter(|region| decided_for.includes(*region)) {
                match Role::of(kind) {
                    Role::Opening => off[region.index()] = true,
                    Role::Closing => off[region.index()] = false,
                    _ => {}
                }
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

    /// Openings, steps and closings that stand, in order.
    fn turns(&self) -> Vec<(Timestamp, DecisionKind, Scope)> {
        let kinds = self.standing().map(|entry| (self.first(entry).kind, self.latest(entry)));
        let turns = kinds.filter(|(kind, _)| Role::of(*kind) == Role::Opening || Role::of(*kind).is_step());
        let mut turns: Vec<_> = turns.map(|(kind, latest)| (latest.at, kind, latest.scope)).collect();
        turns.sort_by_key(|(at, kind, _)| (*at, *kind));
        turns
    }

    fn removals(&self, policies: &Policies, product: &Product) -> Vec<Removal> {
        let turns = self.turns();
        let mut out = Vec::new();
        let mut removed: BTreeMap<Scope, Off> = BTreeMap::new();
        let mut before = None;
        for (phase, rule) in phases(policies) {
            if before.is_some() {
                removed = carried(&removed, rule, phase.from, product);
            }
            before = Some(rule);
            let until = |scope, from, to| Removal { scope, since: phase.from, interval: Interval::new(from, to) };
            for &(at, kind, scope) in turns.iter().filter(|(at, _, scope)| phase.contains(*at) && is_of(rule, *scope)) {
                if Role::of(kind) == Role::Opening {
                    removed.entry(scope).or_insert(Off { badness: Badness::Removed, since: at, removed_at: at });
                } else if Role::of(kind) == Role::Closing {
                    out.extend(removed.remove(&scope).map(|off| until(scope, off.removed_at, at)));
                } else if let Some(off) = removed.get_mut(&scope) {
                    off.step(kind, at);
                }
            }
            out.extend(removed.iter().map(|(&scope, off)| until(scope, off.removed_at, phase.to)));
        }
        out
    }
}

/// How a badge is off; ordered by what is worse, where the worst holds (R18).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Off {
    badness: Badness,
    /// When it was removed, or its probation began.
    since: Timestamp,
    removed_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Badness {
    Held,
    Probation,
    Removed,
}

impl Off {
    fn step(&mut self, kind: DecisionKind, at: Timestamp) {
        match kind {
            DecisionKind::ReinstatementHeld => self.badness = Badness::Held,
            DecisionKind::ProbationStarted | DecisionKind::ProbationRestarted => {
                (self.badness, self.since) = (Badness::Probation, at);
            }
            _ => {}
        }
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
/// of all where none is, and of several the latest.
fn carried(removed: &BTreeMap<Scope, Off>, rule: ScopeRule, switch: Timestamp, product: &Product) -> BTreeMap<Scope, Off> {
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
            let worst = asked.filter_map(|scope| removed.get(scope).copied()).max();
            worst.map(|off| (Scope::Global, off)).into_iter().collect()
        }
    }
}
