//! The auditor: a deliberately naive recomputation of everything that `evaluate` reports.
//!
//! It is written from the text of the rules (`docs/semantics.md`) and shares no code with the
//! engine beyond the vocabulary, so that the two can be held against each other. Wherever a
//! definition can be evaluated from scratch, it is: a product's time is cut at every instant at
//! which anything may change, and each piece and each such instant is judged on its own.
//!
//! Where the text leaves something open, it is read so:
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
mod on;
mod probation;
mod registry;
mod scoped;
mod spans;
mod suspension;
#[cfg(test)]
mod tests;

use domain::report::{ProbationStanding, ProductStanding, Standing};
use domain::{Decision, DecisionKind, Event, Fact, Policy, Ratio, Rejection, Report, Scope, Timestamp, WarningLevel};

use self::ground::{Ground, ScopeGround};
use self::on::{On, OnEnd};
use self::probation::{OffEnd, off};
use self::registry::{Product, Registry};
use self::scoped::Scoped;
use self::spans::Span;
use self::suspension::Part;

pub use self::differences::differences;

/// What is audited: parsed lines with their line numbers.
#[derive(Clone, Copy, Debug)]
pub struct AuditInput<'a> {
    /// The one policy that judges.
    pub policy: &'a Policy,
    /// The registry's lines.
    pub facts: &'a [(u64, Fact)],
    /// The events' lines.
    pub events: &'a [(u64, Event)],
    /// T.
    pub at: Timestamp,
}

/// Recomputes the report at T: R1 to R17 and R19 for one policy with automatic enforcement.
///
/// `rejected` holds only what shows once lines are parsed (unknown subjects, conflicting
/// duplicates), decisions have no ids, and their evidence is not complete.
#[must_use]
pub fn audit(input: &AuditInput<'_>) -> Report {
    let AuditInput { policy, facts, events, at } = *input;
    let (registry, mut rejected) = registry::accept(facts, at);
    let (health, in_events) = health::accept(events, &registry.known, policy, at);
    rejected.extend(in_events);
    rejected.sort_by_key(|Rejection { source, line, .. }| (*source, *line));
    let mut folds = Vec::new();
    for product in registry.products.iter().filter(|product| product.enabled_at <= at.ms()) {
        let ground = Ground::new(product, &registry, &health, policy, at.ms());
        for scope in suspension::scopes(policy) {
            folds.extend(fold(policy, &registry, product, scope, &ground, at.ms()));
        }
    }
    let mut products = Vec::new();
    let mut decisions = Vec::new();
    let mut parts = Vec::new();
    for fold in folds {
        products.push(fold.standing);
        decisions.extend(fold.decisions);
        parts.extend(fold.parts);
    }
    let (manufacturers, suspensions) = suspension::manufacturers(policy, &registry, &parts, at.ms());
    decisions.extend(suspensions);
    decisions.sort_by(|a, b| listing_order(a).cmp(&listing_order(b)));
    Report { at, products, manufacturers, decisions, rejected }
}

/// A product in a scope, followed to T.
struct Fold<'a> {
    standing: ProductStanding,
    decisions: Vec<Decision>,
    parts: Vec<Part<'a>>,
}

/// How a scope stands at T, apart from whether it is held.
struct End {
    standing: Standing,
    level: Option<WarningLevel>,
    probation: Option<ProbationStanding>,
    floor: Option<i64>,
}

fn fold<'a>(
    policy: &Policy,
    registry: &Registry,
    product: &'a Product,
    scope: Scope,
    ground: &Ground,
    at: i64,
) -> Option<Fold<'a>> {
    // A badge that is withdrawn before it is enabled is never held, but isn't left out either.
    let never_held = (scope == Scope::Global).then_some(product.enabled_at);
    let start = product.first_held(scope, product.enabled_at).or(never_held).filter(|start| *start <= at)?;
    let own = ground.in_scope(scope, policy);
    let (listings, skill_listings) = (registry.listings_of(product), registry.skill_listings_of(product));
    let outages = &ground.outages;
    let scoped = Scoped { policy, product, scope, start, ground: &own, outages, listings, skill_listings, at };
    let mut decisions = critical_outages(&scoped, &own);
    let mut removals = Vec::new();
    let end = follow(&scoped, ground, &mut decisions, &mut removals);
    let parts = removals.into_iter().map(|Span { from, to }| Part { product, scope, removal: from, end: to }).collect();
    Some(Fold { standing: report(&scoped, ground, &end), decisions, parts })
}

/// Follows a scope from its start to T, from one phase to the next.
fn follow(scoped: &Scoped<'_>, ground: &Ground, decisions: &mut Vec<Decision>, removals: &mut Vec<Span>) -> End {
    let (mut since, mut floor) = (scoped.start, None);
    loop {
        let on = On { scoped, global: &ground.effective, since, floor };
        let breach = match on.judge(decisions) {
            OnEnd::Breach { at } => at,
            OnEnd::Lasts { level } => {
                let standing = if level.is_some() { Standing::Warned } else { Standing::Good };
                return End { standing, level, probation: None, floor };
            }
        };
        let end = off(scoped, breach, decisions);
        let back = if let OffEnd::Reinstated { at, .. } = end { at } else { i64::MAX };
        removals.push(Span { from: breach, to: back });
        let (standing, course) = match end {
            OffEnd::Reinstated { at, floor: passed } => {
                (since, floor) = (at, Some(passed));
                continue;
            }
            OffEnd::Removed => (Standing::Removed, None),
            OffEnd::Probation { started, passed } => (Standing::Probation, Some((started, passed))),
            OffEnd::Held { started, passed } => (Standing::Held, Some((started, passed))),
        };
        let probation =
            course.map(|(started, months_passed)| ProbationStanding { started: Timestamp::clamped(started), months_passed });
        return End { standing, level: None, probation, floor };
    }
}

fn report(scoped: &Scoped<'_>, ground: &Ground, end: &End) -> ProductStanding {
    let at = scoped.at;
    let frames = calendar::frames(scoped.policy, at);
    let frame = frames.last().copied().expect("every instant is in a year");
    let usage = scoped.usage(at, frame, end.floor);
    let window = usage.window;
    let (measured, badged) = scoped.ground.coverage(window.from, at);
    let observed = scoped.ground.observed.ms_in(window.from, at);
    let held = scoped.is_held(at);
    ProductStanding {
        asin: scoped.product.asin.clone(),
        manufacturer: scoped.product.terms_at(at).manufacturer.clone(),
        scope: scoped.scope,
        standing: if held { end.standing } else { Standing::Withdrawn },
        warning_level: end.level.filter(|_| held),
        availability: Ratio::of(frame.whole - usage.downtime, frame.whole),
        observed_availability: Ratio::of(observed - usage.downtime, observed),
        coverage: Ratio::of(measured, badged),
        downtime_ms: usage.downtime,
        budget_ms: usage.budget,
        window: window.shown(),
        probation: end.probation.filter(|_| held),
        outages: scoped.counted(window, end.floor, &ground.effective).into_iter().map(|outage| outage.shown.clone()).collect(),
    }
}

/// One for each of the scope's own runs whose effective downtime reaches `min_duration` (R12).
fn critical_outages(scoped: &Scoped<'_>, own: &ScopeGround) -> Vec<Decision> {
    if scoped.policy.critical_outage_acknowledge_within.is_none() {
        return Vec::new();
    }
    let least = scoped.policy.min_duration.ms();
    let qualified = own.runs.iter().filter_map(|run| own.effective.reached(run.from, least).filter(|at| *at <= run.to));
    qualified.map(|at| scoped.decide(DecisionKind::CriticalOutage, at, Vec::new())).collect()
}

/// R17.
fn listing_order(decision: &Decision) -> (Timestamp, usize, &str, Scope) {
    let rank = DecisionKind::ALL.iter().position(|kind| *kind == decision.kind).unwrap_or(DecisionKind::ALL.len());
    let name = decision.asin.as_ref().map_or(decision.manufacturer.as_str(), |asin| asin.as_str());
    (decision.at, rank, name, decision.scope)
}
