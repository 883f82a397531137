//! Small adversarial scenarios from a seed, to hold the engine against the auditor.
//!
//! A scenario has every parameter of the policy varied, some several versions of it, and a few products whose events, facts and
//! T cluster on the instants at which something may change: window edges, month ends, ends of
//! runs, midnights, minutes, and a millisecond beside them. Downtime is chosen so that sums meet
//! a budget exactly or miss it by a millisecond. People revoke exclusions and rule on what is
//! proposed or removed.

mod events;
mod instants;
mod people;
mod policies;
mod registry;
mod switches;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use domain::fact::{Badge, BadgeChange};
use domain::{DecisionId, Event, ExclusionId, Fact, Policies, ReporterId, Subject, Timestamp};

use self::instants::Instants;
use crate::dice::Dice;

/// Most events of a scenario, duplicates aside.
pub const EVENTS_MAX: usize = 120;
/// Longest time from a scenario's first instant to its T, in days.
pub const SPAN_DAYS_MAX: i64 = 1_100;

const STORY: u64 = 0;
const PERMUTATION: u64 = 1;
const FACTS: u64 = 2;
const DUPLICATION: u64 = 3;
const SWITCHES: u64 = 4;
const PEOPLE: u64 = 5;

/// An input of `evaluate`, already parsed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// What it was built from.
    pub seed: u64,
    /// The versions of the policy; the first is in force from the beginning.
    pub policies: Policies,
    /// The registry's lines.
    pub facts: Vec<Fact>,
    /// The events' lines. Some repeat another's name, with its content or with other content.
    pub events: Vec<Event>,
    /// T.
    pub at: Timestamp,
}

impl Scenario {
    /// The scenario of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let (mut scenario, instants, start) = told(seed);
        let (first, dates) = (scenario.policies.versions()[0].clone(), people::dates(&scenario));
        let story = (start, scenario.at);
        scenario.policies = switches::versions(first, &instants, &dates, story, &mut Dice::new(seed, SWITCHES));
        let dice = &mut Dice::new(seed, PEOPLE);
        people::chatter(&mut scenario, &instants, dice);
        people::rulings(&mut scenario, &instants, dice);
        scenario
    }

    /// The same with one version of the policy, automatic, and without what people say.
    #[must_use]
    pub fn single(seed: u64) -> Self {
        told(seed).0
    }

    /// The events in another order. Events of one name keep theirs, since the first one stands (R5).
    #[must_use]
    pub fn permuted(&self, seed: u64) -> Vec<Event> {
        shuffled(&self.events, &mut Dice::new(seed, PERMUTATION), name)
    }

    /// The facts in another order. Facts of which only the first stands keep theirs.
    #[must_use]
    pub fn permuted_facts(&self, seed: u64) -> Vec<Fact> {
        shuffled(&self.facts, &mut Dice::new(seed, FACTS), identity)
    }

    /// The events with some that have a name sent again, as they were, at any time later.
    #[must_use]
    pub fn duplicated(&self, seed: u64) -> Vec<Event> {
        let dice = &mut Dice::new(seed, DUPLICATION);
        let mut events = self.events.clone();
        for _ in 0..dice.between(1, 20) {
            if events.is_empty() {
                break;
            }
            let original = dice.index(events.len());
            // What conflicts with an earlier line is rejected however often it is sent.
            if events[original].seq.is_some() {
                let copy = events[original].clone();
                let later = original + 1 + dice.index(events.len() - original);
                events.insert(later, copy);
            }
        }
        events
    }
}

impl Scenario {
    /// The least of what still `fails` when versions, events and facts are left out one by one: what to
    /// look at when the engine and the auditor differ.
    #[must_use]
    pub fn minimized(mut self, fails: impl Fn(&Self) -> bool) -> Self {
        loop {
            let before = self.size();
            for place in (0..self.policies.versions().len()).rev() {
                let mut fewer = self.policies.versions().to_vec();
                fewer.remove(place);
                let Some(fewer) = Policies::new(fewer) else { continue };
                let policies = std::mem::replace(&mut self.policies, fewer);
                if !fails(&self) {
                    self.policies = policies;
                }
            }
            for place in (0..self.events.len()).rev() {
                let event = self.events.remove(place);
                if !fails(&self) {
                    self.events.insert(place, event);
                }
            }
            for place in (0..self.facts.len()).rev() {
                let fact = self.facts.remove(place);
                if !fails(&self) {
                    self.facts.insert(place, fact);
                }
            }
            if self.size() == before {
                return self;
            }
        }
    }

    fn size(&self) -> usize {
        self.policies.versions().len() + self.events.len() + self.facts.len()
    }
}

/// A story under one policy, with the instants that came up and the first one.
fn told(seed: u64) -> (Scenario, Instants, Timestamp) {
    let dice = &mut Dice::new(seed, STORY);
    let policy = policies::policy(dice);
    let stage = registry::Stage::new(dice);
    let told = events::tell(&stage, &policy, dice);
    let facts = registry::facts(&stage, &told.instants, told.at, dice);
    let scenario = Scenario { seed, policies: policy.into(), facts, events: told.events, at: told.at };
    (scenario, told.instants, stage.start)
}

/// An event's name (R5), if it has one.
fn name(event: &Event) -> Option<(Option<ReporterId>, Subject, u64)> {
    event.seq.map(|seq| (event.reporter.clone(), event.subject.clone(), seq))
}

/// Of facts with the same identity the first one stands.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Badge(domain::Asin, Option<Timestamp>),
    Exclusion(ExclusionId),
    Revocation(ExclusionId),
    Ruling(DecisionId),
    Acknowledgement(DecisionId),
}

fn identity(fact: &Fact) -> Option<Identity> {
    match fact {
        Fact::Badge(Badge { asin, .. }) => Some(Identity::Badge(asin.clone(), None)),
        Fact::BadgeChange(BadgeChange { asin, at, .. }) => Some(Identity::Badge(asin.clone(), Some(*at))),
        Fact::Exclusion(exclusion) => Some(Identity::Exclusion(exclusion.id.clone())),
        Fact::ExclusionRevoked(revoked) => Some(Identity::Revocation(revoked.id.clone())),
        Fact::Ruling(ruling) => Some(Identity::Ruling(ruling.proposal)),
        Fact::Acknowledgement(given) => Some(Identity::Acknowledgement(given.outage)),
        Fact::Manufacturer(_) | Fact::Withdrawal(_) | Fact::Listing(_) | Fact::SkillListing(_) | Fact::KillSwitch(_) => None,
    }
}

/// Shuffles items; those with the same key take the places of their group in their old order.
fn shuffled<T: Clone, K: Eq + std::hash::Hash>(items: &[T], dice: &mut Dice, key: impl Fn(&T) -> Option<K>) -> Vec<T> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    dice.shuffle(&mut order);
    let mut places: HashMap<K, Vec<usize>> = HashMap::new();
    for (place, item) in order.iter().enumerate() {
        if let Some(key) = key(&items[*item]) {
            places.entry(key).or_default().push(place);
        }
    }
    for places in places.values() {
        let mut members: Vec<usize> = places.iter().map(|place| order[*place]).collect();
        members.sort_unstable();
        for (place, member) in places.iter().zip(members) {
            order[*place] = member;
        }
    }
    order.into_iter().map(|item| items[item].clone()).collect()
}
