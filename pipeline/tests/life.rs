//! A life followed step by step against the fold from scratch, on the auditor's scenarios: events
//! and facts come in any order and batches, T goes on in any steps, policies change, proposals are
//! ruled on, the past is frozen and forgotten, and at each step all is as if known at once. Beside each life
//! another one is stored whenever it is frozen, and goes on from what was read back.
//!
//! `BADGEWATCH_SEEDS=100000` tries more, `BADGEWATCH_FIRST=50000` those from there on; a failing seed is replayed with `BADGEWATCH_SEED=n`.

use std::collections::BTreeMap;

use alerting::{Case, Judgement, Life};
use compute::{Ask, Gatherer, Health, SubjectHealth};
use domain::Catalogue;
use domain::evidence::EvidenceByVersion;
use domain::fact::{Exclusion, Ruling, Verdict};
use domain::life::LifeParts;
use domain::policy::{Enforcement, Policies, Policy, PolicyName};
use domain::{
    Asin, Decision, DecisionKind, Event, EventBody, Fact, IntervalSet, Product, Region, SubjectRef, Timestamp, WarningLevel,
};
use loadtest::scenario::Scenario;
use registry::{Differences, Ledger, Registry};

/// Scenarios that are tried if nothing else is asked for.
const SEEDS: u64 = 1_500;
/// Beyond those: seeds that once found a fault.
const ONCE_FAILED: [u64; 4] = [2_562, 25_203, 30_064, 48_127];
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 1_440 * MINUTE_MS;

/// Seeded draws (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let end = u64::try_from(end.max(1)).expect("small");
        usize::try_from((mixed ^ (mixed >> 31)) % end).expect("small")
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// What was reported, by subject and region.
#[derive(Default)]
struct World {
    health: BTreeMap<(String, Region), SubjectHealth>,
}

impl Health for World {
    fn downtime(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        self.health.get(&(subject.to_string(), region)).map(|health| health.downtime(ask)).unwrap_or_default()
    }

    fn measured(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        self.health.get(&(subject.to_string(), region)).map(|health| health.measured(ask)).unwrap_or_default()
    }
}

/// All that is known of one product.
struct Scene<'a> {
    seed: u64,
    policies: &'a Policies,
    world: &'a World,
    registry: &'a Registry,
    product: &'a Product,
}

impl Scene<'_> {
    fn exclusions(&self, at: Timestamp) -> Vec<Exclusion> {
        self.registry.exclusions_at(at).cloned().collect()
    }

    fn with_case<T>(&self, evidence: &EvidenceByVersion, act: impl FnOnce(&Case<'_>) -> T) -> T {
        let certification = Catalogue {
            listings: self.registry.listings.get(&self.product.asin).cloned().unwrap_or_default(),
            skill_listings: self.registry.skill_listings_of(self.product).cloned().collect(),
        };
        let rulings = self.registry.rulings_on(&self.product.asin);
        let Self { policies, product, .. } = *self;
        act(&Case { policies, product, evidence, certification: &certification, rulings })
    }

    /// What is implied at T, all at once.
    fn anew(&self, at: Timestamp) -> (Judgement, Vec<Decision>) {
        let exclusions = self.exclusions(at);
        let gatherer = Gatherer { product: self.product, exclusions: &exclusions };
        let evidence = gatherer.gather(self.policies, at, self.world);
        let mut life = Life::new();
        let judgement = self.with_case(&evidence, |case| life.advance(case, at));
        (judgement, life.decisions().to_vec())
    }
}

/// A product that is followed.
struct Followed {
    life: Life,
    evidence: EvidenceByVersion,
    frozen: Timestamp,
    /// What was frozen when it was last stored.
    stored: LifeParts,
}

impl Followed {
    fn new(policies: &Policies) -> Self {
        let life = Life::new();
        let stored = life.to_parts();
        Self { life, evidence: EvidenceByVersion::new(policies), frozen: Timestamp::MIN, stored }
    }

    fn advance(&mut self, scene: &Scene<'_>, changed: Option<Timestamp>, at: Timestamp) -> Judgement {
        let exclusions = scene.exclusions(at);
        let gatherer = Gatherer { product: scene.product, exclusions: &exclusions };
        let from = changed.unwrap_or(Timestamp::MAX);
        gatherer.grow_all(&mut self.evidence, from, at, scene.world);
        if let Some(changed) = changed {
            self.life.invalidate(changed);
        }
        scene.with_case(&self.evidence, |case| self.life.advance(case, at))
    }
}

impl Followed {
    /// Freezes and forgets the past.
    fn freeze(&mut self, scene: &Scene<'_>, frozen: Timestamp, at: Timestamp) {
        self.check_stored(scene.seed);
        scene.with_case(&self.evidence, |case| self.life.freeze(case, frozen, at));
        self.frozen = frozen;
        self.evidence.forget(self.life.needs_from(scene.policies));
        self.check_stored(scene.seed);
        self.stored = self.life.to_parts();
    }

    /// What is frozen stays the same while the instant does.
    fn check_stored(&self, seed: u64) {
        let parts = self.life.to_parts();
        assert_eq!(parts.next, self.life.complete_from());
        assert!(parts.next > self.stored.next || parts == self.stored, "seed {seed}: {:?} became {parts:?}", self.stored);
    }

    /// Ends, and begins again with nothing but the stored life.
    fn restart(&mut self, scene: &Scene<'_>) {
        let bytes = wire::stored::life::write(&self.stored);
        let parts = wire::stored::life::read(&bytes).expect("what was written");
        assert_eq!(parts, self.stored);
        self.life = Life::from_parts(parts, scene.policies).unwrap_or_else(|| panic!("seed {}: parts fit together", scene.seed));
        self.evidence = EvidenceByVersion::new(scene.policies);
        self.check_stored(scene.seed);
    }
}

/// A product that is followed without and with restarts.
struct Both {
    on: Followed,
    restarted: Followed,
}

impl Both {
    fn new(policies: &Policies) -> Self {
        Self { on: Followed::new(policies), restarted: Followed::new(policies) }
    }

    /// Lets both go on; a restart makes no difference.
    fn advance(&mut self, scene: &Scene<'_>, changed: Option<Timestamp>, expected: Timestamp, at: Timestamp) -> Judgement {
        let [judgement, restarted] = [&mut self.on, &mut self.restarted].map(|followed| {
            followed.life.expect(expected);
            followed.advance(scene, changed, at)
        });
        let Scene { seed, product: Product { asin, .. }, .. } = scene;
        assert_eq!(judgement, restarted, "seed {seed}, {asin}, T {at}: restarted");
        let [on, restarted] = [&self.on.life, &self.restarted.life];
        assert_eq!(on.next_due(), restarted.next_due(), "seed {seed}, {asin}, T {at}: restarted");
        // Of what is frozen, more may be forgotten in one that is frozen farther on.
        let from = on.complete_from().max(restarted.complete_from());
        let from = if on.complete_from() == restarted.complete_from() { Timestamp::MIN } else { from };
        let [on, restarted] = [on, restarted].map(|life| {
            let mut decisions: Vec<Decision> = life.decisions().iter().filter(|one| one.at >= from).cloned().collect();
            alerting::in_order(&mut decisions);
            decisions
        });
        assert_eq!(on, restarted, "seed {seed}, {asin}, T {at}: restarted");
        judgement
    }
}

/// Facts of a scenario with the rulings that somebody might make of what is decided in it.
fn ruled(scenario: &Scenario, policies: &Policies, dice: &mut Dice) -> Vec<Fact> {
    let mut facts = scenario.facts.clone();
    let (registry, world) = (registry(&facts), told(&scenario.events, policies));
    for product in registry.products.values() {
        let scene = Scene { seed: scenario.seed, policies, world: &world, registry: &registry, product };
        let breaches = scene.anew(scenario.at).1.into_iter();
        let breaches = breaches.filter(|decision| matches!(decision.kind, DecisionKind::BadgeRemoval | DecisionKind::Proposal));
        for breach in breaches.filter(|_| dice.chance(60)).collect::<Vec<_>>() {
            let later = i64::try_from(dice.below(40)).expect("small") * DAY_MS / 4;
            facts.push(Fact::Ruling(Ruling {
                proposal: breach.id,
                asin: product.asin.clone(),
                scope: breach.scope,
                proposed_at: breach.at,
                at: Timestamp::clamped(breach.at.ms() + later),
                verdict: Verdict::ALL[dice.below(2)],
                by: "team".to_owned(),
                note: None,
            }));
        }
    }
    facts
}

fn registry(facts: &[Fact]) -> Registry {
    let mut ledger = Ledger::default();
    for (line, fact) in (1..).zip(facts) {
        // What contradicts an earlier fact doesn't count.
        let _refused = ledger.add(line, fact.clone());
    }
    ledger.resolve().0
}

fn told(events: &[Event], policies: &Policies) -> World {
    let mut world = World::default();
    events.iter().for_each(|event| tell(&mut world, event, policies));
    world
}

fn tell(world: &mut World, event: &Event, policies: &Policies) {
    let key = (event.subject.as_ref().to_string(), event.region);
    // What an event may change is told by `changed_at`, more generously than by what is returned.
    let _changed = world.health.entry(key).or_default().apply(event.at, event.body, policies);
}

/// From which instant on an event may change evidence.
fn changed_at(event: &Event) -> Timestamp {
    match event.body {
        EventBody::State(_) => event.at,
        EventBody::Outcome { .. } => event.at.floor_minute(),
    }
}

/// The scenario's policy, and up to two that follow it when something happens.
fn policies(scenario: &Scenario, dice: &mut Dice) -> Policies {
    let mut versions = vec![scenario.policies.versions()[0].clone()];
    for number in 1..=dice.below(3) {
        let other = Scenario::single(scenario.seed.wrapping_mul(3).wrapping_add(u64::try_from(number).expect("small")));
        let other = other.policies.versions()[0].clone();
        let event = &scenario.events[dice.below(scenario.events.len())];
        let name = PolicyName { id: other.name.id.clone(), version: 1 + u32::try_from(number).expect("small") };
        let jitter = i64::try_from(dice.below(3)).expect("small") - 1;
        let effective_from = Timestamp::clamped(event.at.ms() + [0, 1, DAY_MS, 40 * DAY_MS][dice.below(4)] * jitter);
        versions.push(Policy { name, effective_from, ..other });
    }
    versions[0].effective_from = Timestamp::MIN;
    for policy in &mut versions {
        if dice.chance(40) {
            policy.enforcement = Enforcement::Review;
        }
    }
    Policies::new(versions.clone()).unwrap_or_else(|| Policies::from(versions.remove(0)))
}

/// What doesn't move with time alone.
fn told_of(judgement: &Judgement) -> Vec<(domain::Scope, domain::report::Standing, Option<WarningLevel>, Option<u32>)> {
    let standings = judgement.standings.iter();
    standings.map(|s| (s.scope, s.standing, s.warning_level, s.probation.map(|probation| probation.months_passed))).collect()
}

struct Step {
    at: Timestamp,
    events: Vec<Event>,
    facts: usize,
}

/// T going on in random steps, with the events and facts that come in before each.
fn steps(scenario: &Scenario, facts: usize, dice: &mut Dice) -> Vec<Step> {
    let mut names = std::collections::BTreeSet::new();
    let mut events: Vec<Event> = scenario
        .events
        .iter()
        .filter(|event| event.seq.is_none_or(|seq| names.insert((event.reporter.clone(), event.subject.clone(), seq))))
        .cloned()
        .collect();
    dice.shuffle(&mut events);
    let mut instants: Vec<Timestamp> = (0..4 + dice.below(8))
        .map(|_| {
            let near = events.get(dice.below(events.len())).map_or(scenario.at, |event| event.at);
            let after = [0, 1, MINUTE_MS, 7 * MINUTE_MS, DAY_MS, 31 * DAY_MS, 100 * DAY_MS][dice.below(7)];
            Timestamp::clamped(near.ms() + after).min(scenario.at)
        })
        .collect();
    instants.push(scenario.at);
    instants.sort_unstable();
    let mut known = dice.below(facts + 1);
    let last = instants.len() - 1;
    (0..)
        .zip(instants)
        .map(|(place, at)| {
            let count = if place == last { events.len() } else { dice.below(events.len() / 2 + 1) };
            known = if place == last { facts } else { known + dice.below((facts - known) / 2 + 1) };
            Step { at, events: events.drain(..count).collect(), facts: known }
        })
        .collect()
}

/// Follows every product of a scenario; panics where following differs from folding anew.
fn check(seed: u64) {
    let scenario = Scenario::single(seed);
    if scenario.events.is_empty() {
        return;
    }
    let dice = &mut Dice(seed);
    let policies = policies(&scenario, dice);
    let mut facts = ruled(&scenario, &policies, dice);
    // Nothing but facts about products comes later than the products themselves.
    facts.sort_by_key(|fact| !matches!(fact, Fact::Badge(_) | Fact::Manufacturer(_)));
    let base = facts.iter().filter(|fact| matches!(fact, Fact::Badge(_) | Fact::Manufacturer(_))).count();
    let mut world = World::default();
    let mut last_event = Timestamp::MIN;
    let (mut old, mut old_at) = (registry(&facts[..base]), Timestamp::MIN);
    let mut followed: BTreeMap<Asin, Both> = BTreeMap::new();
    for step in steps(&scenario, facts.len() - base, dice) {
        let new = registry(&facts[..base + step.facts]);
        let differences = Differences::between((&old, old_at), (&new, step.at));
        let frozen = followed.values().map(|both| both.on.frozen).max().unwrap_or(Timestamp::MIN);
        let events: Vec<&Event> = step.events.iter().filter(|event| changed_at(event) >= frozen).collect();
        events.iter().for_each(|event| tell(&mut world, event, &policies));
        last_event = events.iter().map(|event| event.at).chain([last_event]).max().unwrap_or(last_event);
        for product in new.products.values() {
            let scene = Scene { seed, policies: &policies, world: &world, registry: &new, product };
            let both = followed.entry(product.asin.clone()).or_insert_with(|| Both::new(&policies));
            let changed = events.iter().map(|event| changed_at(event)).chain(differences.of(&product.asin)).min();
            let acting =
                |registry: &Registry, at| registry.rulings_on(&product.asin).iter().filter(|ruling| ruling.at <= at).count();
            let is_ruled = acting(&old, old_at) != acting(&new, step.at);
            if changed.is_some_and(|changed| changed < both.on.frozen) || is_ruled {
                // What is frozen changes, or its breaches were ruled on: the product is followed anew.
                *both = Both::new(&policies);
            }
            let judgement = both.advance(&scene, changed, last_event, step.at);
            compare(&scene, &both.on, &judgement, step.at);
            freeze(&scene, both, step.at, dice);
        }
        (old, old_at) = (new, step.at);
    }
}

fn compare(scene: &Scene<'_>, followed: &Followed, judgement: &Judgement, at: Timestamp) {
    let seed = scene.seed;
    let (expected, mut decisions) = scene.anew(at);
    assert_eq!(judgement, &expected, "seed {seed}, {}, T {at}", scene.product.asin);
    let mut found = followed.life.decisions().to_vec();
    alerting::in_order(&mut decisions);
    alerting::in_order(&mut found);
    assert!(found.iter().all(|decision| decisions.contains(decision)), "seed {seed}: nothing else is decided");
    let recent = |decision: &Decision| decision.at >= followed.frozen;
    found.retain(recent);
    decisions.retain(recent);
    let extra = |all: &[Decision], of: &[Decision]| -> Vec<String> {
        let missing = of.iter().filter(|decision| !all.contains(decision));
        missing.map(|decision| format!("{} {} {} {:?}", decision.at, decision.kind, decision.scope, decision.reasons)).collect()
    };
    assert_eq!(extra(&found, &decisions), Vec::<String>::new(), "seed {seed}, {}, T {at}: missing", scene.product.asin);
    assert_eq!(found.len(), decisions.len(), "seed {seed}, {}, T {at}", scene.product.asin);
    let due = followed.life.next_due();
    assert!(due > at, "seed {seed}: {due} is no later than {at}");
    if let Some(before) = Timestamp::from_ms(due.ms() - 1).filter(|before| *before > at && due < Timestamp::MAX) {
        // An exclusion's revocation is for the registry's owner to know.
        if scene.exclusions(before) == scene.exclusions(at) {
            let (later, mut implied) = scene.anew(before);
            assert_eq!(told_of(&later), told_of(&expected), "seed {seed}: between {at} and {due} nothing changes");
            alerting::in_order(&mut implied);
            implied.retain(recent);
            assert_eq!(extra(&implied, &decisions), Vec::<String>::new(), "seed {seed}: between {at} and {due} nothing lapses");
            assert_eq!(
                extra(&decisions, &implied),
                Vec::<String>::new(),
                "seed {seed}: between {at} and {due} nothing is decided"
            );
        }
    }
}

/// Freezes the past here and there, and forgets what isn't needed any more.
fn freeze(scene: &Scene<'_>, both: &mut Both, at: Timestamp, dice: &mut Dice) {
    if dice.chance(25) {
        let back = [MINUTE_MS, DAY_MS, 90 * DAY_MS, 366 * DAY_MS][dice.below(4)];
        let frozen = Timestamp::clamped(at.floor_minute().ms() - back).max(both.on.frozen);
        if frozen <= at.floor_minute() {
            both.on.freeze(scene, frozen, at);
            both.restarted.freeze(scene, frozen, at);
            both.restarted.restart(scene);
        }
    }
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn a_life_followed_is_the_life_folded_anew() {
    match from_env("BADGEWATCH_SEED") {
        Some(seed) => check(seed),
        None => (from_env("BADGEWATCH_FIRST").unwrap_or(0)..from_env("BADGEWATCH_SEEDS").unwrap_or(SEEDS))
            .chain(ONCE_FAILED)
            .for_each(check),
    }
}
