//! R19 on random fleets under policies that may switch: the order of lines doesn't matter, and what is dated before the last
//! minute and merge gap stays as it is at any later T.

use domain::decision::DecisionKind;
use domain::event::{EventBody, HealthState};
use domain::policy::{ScopeRule, WindowRule};
use domain::time::{DAY_MS, MINUTE_MS};
use domain::{Decision, DurationMs, Policies, Policy, Ppm, Region, Timestamp};
use proptest::prelude::*;

use super::super::differences::{decision_line, differences};
use super::super::{AuditInput, audit};
use super::{World, at, preset};

const ORIGIN: &str = "2024-01-01";
const DAYS: i64 = 420;
const SUBJECTS: [&str; 4] = ["product:B1", "product:B2", "skill:s-1", "hub:H1"];
const MARKETPLACES: [&str; 5] = [r#""US""#, r#""DE""#, r#""US", "DE""#, r#""DE", "JP""#, r#""US", "DE", "JP""#];

fn policy() -> impl Strategy<Value = Policy> {
    let day = || (1..60_i64).prop_map(DurationMs::days);
    let window = prop_oneof![day().prop_map(WindowRule::Rolling), Just(WindowRule::ResetsOn { month: 2, day: 29 - 1 })];
    let scope = prop_oneof![Just(ScopeRule::Global), Just(ScopeRule::Region)];
    let share = |least: u32, most: u32| (least..=most).prop_map(|ppm| Ppm::new(ppm).unwrap());
    let durations = (0..30 * MINUTE_MS, 1..30 * MINUTE_MS, prop::option::of(day()));
    let judged = (share(990_000, 999_900), share(0, 700_000), 1..3_u32, 0..4_u32, any::<bool>());
    (window, scope, durations, judged).prop_map(
        |(window, scope, (gap, least, ttl), (target, coverage, months, outages, critical))| Policy {
            window,
            scope,
            target,
            merge_gap: DurationMs(gap),
            min_duration: DurationMs(least),
            state_ttl: ttl,
            min_coverage: coverage,
            probation_months: months,
            outages_max: outages,
            critical_outage_acknowledge_within: critical.then_some(DurationMs::days(1)),
            ..preset()
        },
    )
}

/// One version, or up to three.
fn policies() -> impl Strategy<Value = Policies> {
    let later = prop_oneof![3 => Just(Vec::new()), 2 => prop::collection::vec((instant(), policy()), 1..3)];
    (policy(), later).prop_map(|(first, later)| {
        let later = later.into_iter().map(|(effective_from, policy)| Policy { effective_from, ..policy });
        let origin = Policy { effective_from: Timestamp::MIN, ..first.clone() };
        Policies::new([origin].into_iter().chain(later).collect()).unwrap_or_else(|| first.into())
    })
}

fn instant() -> impl Strategy<Value = Timestamp> {
    let origin = at(ORIGIN).ms();
    prop_oneof![
        (0..DAYS * DAY_MS).prop_map(move |ms| Timestamp::clamped(origin + ms)),
        (0..DAYS).prop_map(move |day| Timestamp::clamped(origin + day * DAY_MS)),
    ]
}

/// A few lines about the registry: changes, withdrawals, exclusions, listings.
fn registry_line() -> impl Strategy<Value = String> {
    let asin = prop_oneof![Just("B1"), Just("B2")];
    let change = prop_oneof![
        prop::sample::select(&MARKETPLACES).prop_map(|list| format!(r#""marketplaces": [{list}]"#)),
        prop::sample::select(&["null", r#""s-1""#]).prop_map(|skill| format!(r#""skill": {skill}"#)),
        prop::sample::select(&["null", r#""H1""#]).prop_map(|hub| format!(r#""hub": {hub}"#)),
        prop::sample::select(&["m-1", "m-2"]).prop_map(|maker| format!(r#""manufacturer": "{maker}""#)),
        prop::sample::select(&["Acme", "Other"]).prop_map(|brand| format!(r#""brand": "{brand}""#)),
    ];
    let status = prop::sample::select(&["live", "live", "unavailable", "suppressed"]);
    let brand = prop::sample::select(&["Acme", "Other"]);
    prop_oneof![
        6 => (asin.clone(), instant(), change).prop_map(|(asin, at, change)| format!(r#"{{"type": "badge", "asin": "{asin}", "at": "{at}", {change}}}"#)),
        1 => (asin.clone(), instant()).prop_map(|(asin, at)| format!(r#"{{"type": "badge_withdrawn", "asin": "{asin}", "at": "{at}"}}"#)),
        2 => (0..99_u8, prop::sample::select(&SUBJECTS), instant(), 1..DAY_MS).prop_map(|(id, subject, from, length)| {
            let to = Timestamp::clamped(from.ms() + length);
            format!(
                r#"{{"type": "exclusion", "id": "x-{id}-{from}", "applies_to": {{"subject": "{subject}"}}, "from": "{from}", "to": "{to}", "reason": "platform", "approved_by": "team"}}"#
            )
        }),
        4 => (asin, prop::sample::select(&["US", "DE"]), instant(), status, brand).prop_map(|(asin, marketplace, at, status, brand)| {
            format!(r#"{{"type": "listing", "asin": "{asin}", "marketplace": "{marketplace}", "at": "{at}", "status": "{status}", "brand": "{brand}"}}"#)
        }),
    ]
}

/// Downtime and what comes after it, or one minute's counts.
type Happening = (&'static str, Region, Timestamp, i64, Option<HealthState>);

fn happening() -> impl Strategy<Value = Happening> {
    let after = prop::sample::select(&[HealthState::Up, HealthState::Up, HealthState::Up, HealthState::Unknown]);
    let length = prop_oneof![1..20 * MINUTE_MS, 1..12 * 60 * MINUTE_MS];
    (prop::sample::select(&SUBJECTS), prop::sample::select(&Region::ALL), instant(), length, prop::option::weighted(0.8, after))
}

fn world() -> impl Strategy<Value = World> {
    let badges = (instant(), prop::sample::select(&MARKETPLACES), prop::sample::select(&MARKETPLACES));
    (policies(), badges, prop::collection::vec(registry_line(), 0..8), prop::collection::vec(happening(), 0..40)).prop_map(
        |(policies, (later, first, second), lines, happenings)| {
            let world = World::new(policies).badge("B1", "m-1", first, ORIGIN);
            let world = world.badge("B2", "m-1", second, later.to_string().trim_end_matches('Z'));
            let world = world.change("B2", "2024-01-02", r#""hub": "H1""#);
            let world = lines.iter().fold(world, |world, line| world.line(line));
            let world = Region::ALL.into_iter().fold(world, |world, region| {
                let world = world.state("product:B1", region, ORIGIN, HealthState::Up);
                world.state("product:B2", region, ORIGIN, HealthState::Up)
            });
            happenings.into_iter().fold(world, |world, (subject, region, from, length, after)| match after {
                Some(after) => {
                    let to = Timestamp::clamped(from.ms() + length);
                    let world = world.event(subject, region, from, EventBody::State(HealthState::Down));
                    world.event(subject, region, to, EventBody::State(after))
                }
                None => world.event(subject, region, from, EventBody::Outcome { ok: 0, failed: 20 }),
            })
        },
    )
}

fn lines_before(decisions: &[Decision], before: i64) -> Vec<String> {
    decisions.iter().filter(|decision| decision.at.ms() < before).map(decision_line).collect()
}

/// Where the badge is on or off at each instant, as told by the decisions of a product's scope.
fn check_course(decisions: &[Decision]) {
    let mut removed = std::collections::BTreeSet::new();
    for decision in decisions.iter().filter(|decision| decision.asin.is_some()) {
        let key = (decision.asin.clone(), decision.scope);
        let is_on = match decision.kind {
            DecisionKind::BadgeRemoval => removed.insert(key),
            DecisionKind::Reinstatement => !removed.remove(&key),
            DecisionKind::Warning | DecisionKind::CoverageWarning => !removed.contains(&key),
            DecisionKind::CriticalOutage => continue,
            _ => {
                assert!(removed.contains(&key), "{}", decision_line(decision));
                continue;
            }
        };
        let fits = is_on || decision.kind == DecisionKind::Reinstatement;
        assert!(fits, "{}", decision_line(decision));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_old_enough_stays(world in world(), one in instant(), other in instant()) {
        let (sooner, later) = (one.min(other), one.max(other));
        let audit_at = |at| audit(&AuditInput { policies: &world.policies, facts: &world.facts, events: &world.events, at });
        let (first, second) = (audit_at(sooner), audit_at(later));
        let merge_gap = world.policies.versions().iter().map(|policy| policy.merge_gap.ms()).max().unwrap_or(0);
        let settled = sooner.ms() - MINUTE_MS - merge_gap;
        prop_assert_eq!(lines_before(&first.decisions, settled), lines_before(&second.decisions, settled));
        if world.policies.versions().iter().all(|policy| policy.scope == world.policies.versions()[0].scope) {
            check_course(&second.decisions);
        }
    }

    #[test]
    fn the_order_of_lines_does_not_matter(world in world(), until in instant(), seed in any::<[u8; 32]>()) {
        let World { policies, mut facts, mut events } = world;
        let told = |facts: &[_], events: &[_]| {
            let mut report = audit(&AuditInput { policies: &policies, facts, events, at: until });
            report.rejected.clear();
            report
        };
        let expected = told(&facts, &events);
        let key = |line: u64| (line ^ u64::from(seed[usize::try_from(line % 32).unwrap()])).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let conflicts = audit(&AuditInput { policies: &policies, facts: &facts, events: &events, at: until }).rejected;
        facts.retain(|(line, _)| conflicts.iter().all(|conflict| conflict.line != *line));
        facts.sort_by_key(|(line, _)| key(*line));
        events.sort_by_key(|(line, _)| key(*line));
        prop_assert_eq!(differences(&told(&facts, &events), &expected), Vec::<String>::new());
    }
}
