//! The auditor: a deliberately naive recomputation of everything that `evaluate` reports.
//!
//! It is written from the text of the rules (`docs/semantics.md`) and shares no code with the
//! engine beyond the vocabulary, so that the two can be held against each other. Wherever a
//! definition can be evaluated from scratch, it is: a product's time is cut at every instant at
//! which anything may change, and each piece and each such instant is judged on its own.
//!
//! Where the text leaves something open, it is read as ADR 1 and ADR 5 say, and so:
//! - R5: every valid line occupies its name, also one dated at or after T.
//! - R10: a scope that starts with a region gained later has its window start then, too.
//! - R11: whether the newest outage that counts touches the region is asked at each instant at
//!   which the badge is on and held; what went by while the region was lost is judged when it is
//!   back.
//! - R12: no coverage warning at the instant of a removal; "badged" there is the time at which the
//!   scope is held at all. Active warnings outlast the time in which a region is lost.
//! - R14: what would start or restart probation while the region is lost does so when it is back.
//! - R15: of two listing facts at one instant the one with more objections is found by the badge
//!   of the instant that is judged.
//! - Contract: a manufacturer is listed in a region if a product was badged there while it was
//!   its, or if it was ever suspended there; it is named by any accepted badge line.

mod calendar;
mod differences;
mod ground;
mod health;
mod life;
mod on;
mod probation;
mod registry;
mod rulings;
mod scoped;
mod spans;
mod suspension;
mod switch;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use domain::report::{ProductStanding, Standing};
use domain::{Decision, DecisionKind, Event, Fact, Policies, Policy, Ratio, Rejection, Report, Scope, Timestamp};

use self::ground::{Ground, ScopeGround};
use self::health::Health;
use self::life::{Follower, Life};
use self::registry::{Product, Registry};
use self::rulings::Rulings;
use self::scoped::Scoped;
use self::spans::Span;
use self::suspension::{Era, Part};

pub use self::differences::differences;

/// What is audited: parsed lines with their line numbers.
#[derive(Clone, Copy, Debug)]
pub struct AuditInput<'a> {
    /// The versions that judge, each while it is in force.
    pub policies: &'a Policies,
    /// The registry's lines.
    pub facts: &'a [(u64, Fact)],
    /// The events' lines.
    pub events: &'a [(u64, Event)],
    /// T.
    pub at: Timestamp,
}

/// Recomputes the report at T: R1 to R19, and R22 as far as it is implied.
///
/// `rejected` holds only what shows once lines are parsed (unknown subjects, conflicting
/// duplicates), decisions have no ids, and their evidence is not complete.
#[must_use]
pub fn audit(input: &AuditInput<'_>) -> Report {
    let AuditInput { policies, facts, events, at } = *input;
    let (registry, mut rejected) = registry::accept(facts, at);
    let (reported, in_events) = health::accept(events, &registry.known, at);
    rejected.extend(in_events);
    rejected.sort_by_key(|Rejection { source, line, .. }| (*source, *line));
    let in_force: Vec<_> = policies.in_force().filter(|(in_force, _)| in_force.from <= at).collect();
    let versions = in_force.iter().enumerate().map(|(n, (time, policy))| Version {
        policy,
        // The first version also judges what came before it, the last one up to T.
        from: if n == 0 { i64::MIN } else { time.from.ms() },
        last: in_force.get(n + 1).map_or(at.ms(), |(next, _)| next.from.ms() - 1),
        health: reported.health(policies, policy.state_ttl, at),
    });
    let versions: Vec<Version<'_>> = versions.collect();
    let mut told = Told::default();
    told.parts.resize_with(versions.len(), Vec::new);
    for product in registry.products.iter().filter(|product| product.enabled_at <= at.ms()) {
        let rulings = Rulings::about(&product.asin, &registry.rulings, policies);
        tell(&versions, &registry, (product, rulings), at.ms(), &mut told);
    }
    let Told { standings: products, mut decisions, parts } = told;
    let eras: Vec<Era<'_>> = versions
        .iter()
        .zip(parts)
        .map(|(Version { policy, from, last, .. }, parts)| Era { policy, from: *from, last: *last, parts })
        .collect();
    let (manufacturers, suspensions) = suspension::manufacturers(&registry, &eras);
    decisions.extend(suspensions);
    decisions.sort_by(|a, b| listing_order(a).cmp(&listing_order(b)));
    Report { at, products, manufacturers, decisions, rejected }
}

/// A version of the policy, the instants up to T that it judges, and how it sees the events.
struct Version<'a> {
    policy: &'a Policy,
    from: i64,
    last: i64,
    health: Health,
}

/// What is told of products.
#[derive(Default)]
struct Told<'a> {
    /// At T.
    standings: Vec<ProductStanding>,
    decisions: Vec<Decision>,
    /// The removals, by version.
    parts: Vec<Vec<Part<'a>>>,
}

/// Follows a product's scopes through every version (R18): each version sees all evidence by its own
/// numbers, and goes on from where the one before left off.
fn tell<'a>(
    versions: &[Version<'_>],
    registry: &Registry,
    (product, mut rulings): (&'a Product, Rulings<'_>),
    at: i64,
    told: &mut Told<'a>,
) {
    let mut lives: BTreeMap<Scope, Life> = BTreeMap::new();
    let mut critical: Vec<Decision> = Vec::new();
    for (n, version) in versions.iter().enumerate() {
        let Version { policy, from, last, health } = version;
        let (from, last) = (*from, *last);
        let ground = Ground::new(product, registry, health, policy, at);
        let before = std::mem::take(&mut lives);
        let earlier = critical.len();
        for scope in suspension::scopes(policy) {
            let Some(start) = start(product, scope).filter(|start| *start <= last) else { continue };
            let own = ground.in_scope(scope, policy);
            let (listings, skill_listings) = (registry.listings_of(product), registry.skill_listings_of(product));
            let outages = &ground.outages;
            let scoped =
                Scoped { policy, product, scope, start, from, last, ground: &own, outages, listings, skill_listings, at };
            critical.extend(critical_outages(&scoped, &own, &critical[..earlier]));
            let carried = (start < from).then(|| switch::carried(&before, product, scope, from)).flatten();
            let life = carried.unwrap_or_else(|| Life::fresh(start.max(from)));
            let mut removals = Vec::new();
            let (global, decisions) = (&ground.effective, &mut told.decisions);
            let life = Follower { scoped: &scoped, global, decisions, removals: &mut removals }.follow(life, &mut rulings);
            let parts = removals.into_iter().map(|Span { from, to }| Part { product, scope, removal: from, end: to });
            told.parts[n].extend(parts);
            if last == at {
                told.standings.push(report(&scoped, &ground, &life));
            }
            lives.insert(scope, life);
        }
    }
    told.decisions.extend(critical);
}

/// When a scope starts.
fn start(product: &Product, scope: Scope) -> Option<i64> {
    // A badge that is withdrawn before it is enabled is never held, but isn't left out either.
    let never_held = (scope == Scope::Global).then_some(product.enabled_at);
    product.first_held(scope, product.enabled_at).or(never_held)
}

fn report(scoped: &Scoped<'_>, ground: &Ground, life: &Life) -> ProductStanding {
    let at = scoped.at;
    let frames = calendar::frames(scoped.policy, at);
    let frame = frames.last().copied().expect("every instant is in a year");
    let usage = scoped.usage(at, frame, life.floor);
    let window = usage.window;
    let (measured, badged) = scoped.ground.coverage(window.from, at);
    let observed = scoped.ground.observed.ms_in(window.from, at);
    let held = scoped.is_held(at);
    ProductStanding {
        asin: scoped.product.asin.clone(),
        manufacturer: scoped.product.terms_at(at).manufacturer.clone(),
        scope: scoped.scope,
        standing: if held { life.standing() } else { Standing::Withdrawn },
        warning_level: life.level().filter(|_| held),
        availability: Ratio::of(frame.whole - usage.downtime, frame.whole),
        observed_availability: Ratio::of(observed - usage.downtime, observed),
        coverage: Ratio::of(measured, badged),
        downtime_ms: usage.downtime,
        budget_ms: usage.budget,
        window: window.shown(),
        probation: life.probation().filter(|_| held),
        outages: scoped.counted(window, life.floor, &ground.effective).into_iter().map(|outage| outage.shown.clone()).collect(),
    }
}

/// One for each of the scope's own runs whose effective downtime reaches `min_duration` (R12).
///
/// A run that has reached it before a switch and hasn't ended by then is told at the switch. None is told
/// again that a version before has told, in this scope or in one that overlaps it.
fn critical_outages(scoped: &Scoped<'_>, own: &ScopeGround, earlier: &[Decision]) -> Vec<Decision> {
    if scoped.policy.critical_outage_acknowledge_within.is_none() {
        return Vec::new();
    }
    let least = scoped.policy.min_duration.ms();
    // Until then it hasn't ended (R14).
    let over = |run: &Span| run.to + scoped.policy.merge_gap.ms();
    let overlaps = |other: Scope| other == scoped.scope || [other, scoped.scope].contains(&Scope::Global);
    let is_told =
        |run: &Span| earlier.iter().any(|told| overlaps(told.scope) && run.from < told.at.ms() && told.at.ms() <= over(run));
    let instants = own.runs.iter().filter(|run| !is_told(run)).filter_map(|run| {
        let qualified = own.effective.reached(run.from, least).filter(|at| *at <= run.to)?;
        Some(qualified.max(scoped.from)).filter(|at| *at <= over(run) && *at <= scoped.last)
    });
    instants.map(|at| scoped.decide(DecisionKind::CriticalOutage, at, Vec::new())).collect()
}

/// R17.
fn listing_order(decision: &Decision) -> (Timestamp, usize, &str, Scope) {
    let rank = DecisionKind::ALL.iter().position(|kind| *kind == decision.kind).unwrap_or(DecisionKind::ALL.len());
    let name = decision.asin.as_ref().map_or(decision.manufacturer.as_str(), |asin| asin.as_str());
    (decision.at, rank, name, decision.scope)
}
