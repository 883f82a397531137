//! What people say in a scenario: exclusions are revoked, critical outages acknowledged, proposals
//! ruled on, the kill switch turned. Rulings are about what the auditor finds by then.

use domain::fact::{Acknowledgement, ExclusionRevoked, KillSwitch, Ruling, Verdict};
use domain::time::{DAY_MS, HOUR_MS};
use domain::{
    Asin, Decision, DecisionId, DecisionKind, DurationMs, Event, EventBody, ExclusionId, Fact, HealthState, Region, Scope,
    Subject, Timestamp,
};

use super::instants::Instants;
use super::policies::budget_ms;
use super::switches::beside;
use super::{EVENTS_MAX, Scenario};
use crate::auditor::{AuditInput, audit};
use crate::dice::Dice;

/// Most rounds of rulings: what is implied after one may be ruled on in the next.
const ROUNDS_MAX: i64 = 4;

/// Adds facts that change nothing about the products, and revocations.
pub(super) fn chatter(scenario: &mut Scenario, instants: &Instants, dice: &mut Dice) {
    let approved: Vec<ExclusionId> = scenario
        .facts
        .iter()
        .filter_map(|fact| if let Fact::Exclusion(exclusion) = fact { Some(exclusion.id.clone()) } else { None })
        .collect();
    let unknown = ExclusionId::new("x-unknown").filter(|_| dice.chance(30_000));
    for id in approved.into_iter().chain(unknown) {
        if dice.chance(200_000) {
            let at = if dice.chance(500_000) { instants.near(dice) } else { beside(scenario.at, dice) };
            let revoked = Fact::ExclusionRevoked(ExclusionRevoked { id, at, by: "someone".to_owned() });
            add(scenario, revoked, dice);
        }
    }
    if dice.chance(100_000) {
        let at = instants.near(dice);
        let asin = stranger(dice).or_else(|| Asin::new("B000000001"));
        let (by, cause) = ("m-1".to_owned(), "a cable".to_owned());
        let told = asin.map(|asin| Acknowledgement { outage: id(dice), asin, at, by, cause, expected_fix: at });
        told.into_iter().for_each(|told| add(scenario, Fact::Acknowledgement(told), dice));
    }
    if dice.chance(100_000) {
        let (at, by, reason) = (instants.near(dice), "someone".to_owned(), "drill".to_owned());
        add(scenario, Fact::KillSwitch(KillSwitch { on: dice.chance(700_000), at, by, reason }), dice);
    }
}

/// Adds rulings on what is implied, round by round.
pub(super) fn rulings(scenario: &mut Scenario, instants: &Instants, dice: &mut Dice) {
    let rules_on_removals = dice.chance(250_000);
    let mut ruled: Vec<(Asin, Scope, Timestamp)> = Vec::new();
    for _ in 0..dice.between(1, ROUNDS_MAX) {
        let before = ruled.len();
        for decision in implied(scenario) {
            let chance = match decision.kind {
                DecisionKind::Proposal => 750_000,
                DecisionKind::BadgeRemoval if rules_on_removals => 350_000,
                _ => continue,
            };
            let Some(asin) = decision.asin.clone() else { continue };
            let key = (asin, decision.scope, decision.at);
            if dice.chance(chance) && !ruled.contains(&key) {
                ruled.push(key);
                rule(scenario, &decision, instants, dice);
            }
        }
        if ruled.len() == before {
            return;
        }
    }
}

/// The dates of what a scenario implies; half of them in the rare times in which a badge is held.
pub(super) fn dates(scenario: &Scenario) -> Vec<Timestamp> {
    let implied = implied(scenario);
    let held = implied.iter().filter(|decision| decision.kind == DecisionKind::ReinstatementHeld);
    let held = held.flat_map(|decision| [HOUR_MS, DAY_MS, 10 * DAY_MS].map(|after| decision.at + DurationMs(after)));
    implied.iter().map(|decision| decision.at).chain(held.cycle().take(implied.len())).collect()
}

fn implied(scenario: &Scenario) -> Vec<Decision> {
    let facts: Vec<_> = (1..).zip(scenario.facts.iter().cloned()).collect();
    let events: Vec<_> = (1..).zip(scenario.events.iter().cloned()).collect();
    audit(&AuditInput { policies: &scenario.policies, facts: &facts, events: &events, at: scenario.at }).decisions
}

/// Rules on a decision: mostly soon, and mostly naming it right.
fn rule(scenario: &mut Scenario, decision: &Decision, instants: &Instants, dice: &mut Dice) {
    let breach = decision.at;
    let months = scenario.policies.at(breach).probation_months;
    let proposed_at = match dice.below(20) {
        0 | 1 => beside(breach, dice),
        2 => beside(breach.plus_months(months), dice),
        3 => instants.near(dice),
        _ => breach,
    };
    let at = match dice.below(20) {
        0..3 => breach,
        3 => Timestamp::clamped(breach.ms() - 1),
        4..8 => breach + DurationMs(dice.between(1, 2 * HOUR_MS)),
        8..12 => breach + DurationMs(dice.between(HOUR_MS, 30 * DAY_MS)),
        12 => beside(breach.next_day().unwrap_or(breach), dice),
        13 => beside(scenario.at, dice),
        14 => beside(scenario.policies.versions()[scenario.policies.versions().len() - 1].effective_from, dice),
        15 => instants.near(dice),
        _ => instants.near(dice).max(breach),
    };
    let verdict = *dice.pick(&Verdict::ALL);
    let right = decision.asin.clone();
    let Some(asin) = stranger(dice).or(right) else { return };
    let scope = if dice.chance(30_000) { Scope::Region(*dice.pick(&Region::ALL)) } else { decision.scope };
    let ruling = Ruling { proposal: id(dice), asin, scope, proposed_at, at, verdict, by: "team".to_owned(), note: None };
    if verdict == Verdict::Refused && dice.chance(500_000) {
        exceed(scenario, decision, at, dice);
    }
    if dice.chance(30_000) {
        add(scenario, Fact::Ruling(ruling.clone()), dice);
    }
    if dice.chance(30_000) {
        let other = *dice.pick(&Verdict::ALL);
        add(
            scenario,
            Fact::Ruling(Ruling { verdict: other, note: Some("on second thoughts".to_owned()), ..ruling.clone() }),
            dice,
        );
    }
    add(scenario, Fact::Ruling(ruling), dice);
}

/// Some more downtime after a refusal, from a millisecond to a budget.
fn exceed(scenario: &mut Scenario, decision: &Decision, refused_at: Timestamp, dice: &mut Dice) {
    let Some(asin) = decision.asin.as_ref().filter(|_| scenario.events.len() + 2 <= EVENTS_MAX) else { return };
    let policy = scenario.policies.at(refused_at);
    let region = match decision.scope {
        Scope::Region(region) => region,
        Scope::Global => *dice.pick(&Region::ALL),
    };
    let from = refused_at + DurationMs(*dice.pick(&[0, 1, HOUR_MS, DAY_MS]));
    let lengths =
        [1, 1, policy.min_duration.ms(), policy.min_duration.ms() + 1, budget_ms(policy) / 10 + 1, budget_ms(policy) + 1];
    let to = from + DurationMs(*dice.pick(&lengths));
    for (at, state) in [(from, HealthState::Down), (to, HealthState::Up)] {
        let (subject, body) = (Subject::product(asin), EventBody::State(state));
        scenario.events.push(Event { subject, region, at, body, reporter: None, seq: None });
    }
}

/// Adds a fact on any line.
fn add(scenario: &mut Scenario, fact: Fact, dice: &mut Dice) {
    let line = dice.index(scenario.facts.len() + 1);
    scenario.facts.insert(line, fact);
}

/// Seldom, a product that isn't registered.
fn stranger(dice: &mut Dice) -> Option<Asin> {
    if dice.chance(20_000) { Asin::new("B0STRANGER") } else { None }
}

fn id(dice: &mut Dice) -> DecisionId {
    DecisionId(std::array::from_fn(|_| u8::try_from(dice.below(256)).expect("below 256")))
}
