//! A switch of versions (R18): what a scope is told by the scopes of the version before.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use domain::Scope;

use super::life::{Life, State};
use super::on::{Breach, Refused, Warned};
use super::probation::Phase;
use super::registry::Product;

/// The life with which a scope enters a version at `at`, if anything was judged before.
pub(super) fn carried(before: &BTreeMap<Scope, Life>, product: &Product, scope: Scope, at: i64) -> Option<Life> {
    match scope {
        _ if before.contains_key(&scope) => before.get(&scope).cloned(),
        Scope::Region(_) => before.get(&Scope::Global).cloned(),
        Scope::Global => worst(before, product, at),
    }
}

/// What regions come to globally: the worst of those that are held, or of all where none is.
fn worst(regions: &BTreeMap<Scope, Life>, product: &Product, at: i64) -> Option<Life> {
    let is_held = |scope: &Scope| product.holds(*scope, at);
    let any_is_held = regions.keys().any(is_held);
    let asked: Vec<&Life> = regions.iter().filter(|(scope, _)| !any_is_held || is_held(scope)).map(|(_, life)| life).collect();
    // Of equals the first in listing order is taken.
    let worst = asked.iter().enumerate().max_by_key(|(place, life)| (badness(&life.state), Reverse(*place)));
    let warned = || Warned {
        reasons: asked.iter().filter_map(|life| life.warned()).flat_map(|warned| warned.reasons.iter().copied()).collect(),
        dark: asked.iter().filter_map(|life| life.warned()).any(|warned| warned.dark),
    };
    let state = match worst?.1.state.clone() {
        State::On { since, .. } => State::On { since, warned: warned(), refused: refused(&asked) },
        State::Waiting { breach, ruling } => State::Waiting { breach: Breach { warned: warned(), ..breach }, ruling },
        off @ State::Off { .. } => off,
    };
    Some(Life { state, floor: regions.values().filter_map(|life| life.floor).max() })
}

/// Which state is worse, and of equals the later one.
fn badness(state: &State) -> (u8, i64) {
    match state {
        State::On { .. } => (0, 0),
        State::Waiting { breach, .. } => (1, breach.at),
        State::Off { phase: Phase::Probation { started, is_held: true, .. }, .. } => (2, *started),
        State::Off { phase: Phase::Probation { started, is_held: false, .. }, .. } => (3, *started),
        State::Off { removal, phase: Phase::Unsettled { .. } } => (4, *removal),
    }
}

/// What was refused anywhere isn't held against the product globally.
fn refused(lives: &[&Life]) -> Option<Refused> {
    let refused = lives.iter().filter_map(|life| if let State::On { refused, .. } = &life.state { *refused } else { None });
    refused.reduce(|a, b| Refused { downtime: a.downtime.max(b.downtime), outages: a.outages.max(b.outages) })
}

impl Life {
    /// The warnings that are active while the badge is on.
    fn warned(&self) -> Option<&Warned> {
        match &self.state {
            State::On { warned, .. } => Some(warned),
            State::Waiting { breach, .. } => Some(&breach.warned),
            State::Off { .. } => None,
        }
    }
}
