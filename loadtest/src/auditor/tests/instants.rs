//! The instants that are judged while the badge is on are enough: judging every millisecond
//! comes out the same.

use domain::decision::{Cause, CauseSet};
use domain::policy::WindowRule;
use domain::{
    Decision, DurationMs, OutageEvidence, Policy, Ppm, Region, RegionSet, Scope, Timestamp, WarningCause, WarningLevel,
};
use proptest::prelude::*;

use super::super::differences::decision_line;
use super::super::ground::{Outage, ScopeGround};
use super::super::on::{On, Refused, Warned};
use super::super::registry::{Product, accept};
use super::super::scoped::Scoped;
use super::super::spans::{Span, Spans};
use super::{World, at, preset};

/// 300 ms before a reset that is a midnight, too.
const ORIGIN: &str = "2024-12-31T23:59:59.700";
const HORIZON: i64 = 1200;

fn policy() -> impl Strategy<Value = Policy> {
    let window = prop_oneof![
        Just(WindowRule::ResetsOn { month: 1, day: 1 }),
        (1..700_i64).prop_map(|ms| WindowRule::Rolling(DurationMs(ms)))
    ];
    let share = || (0..=1_000_000_u32).prop_map(|ppm| Ppm::new(ppm).unwrap());
    let numbers = (0..4_u32, 0..60_i64, 1..40_i64, 0..5_u32, 0..5_u32);
    (window, share(), [share(), share(), share()], 0..300_000_u32, numbers, 0..2_000_000_000_000_i64).prop_map(
        |(window, target, levels, hysteresis, (max, gap, least, warning, critical), projection)| {
            let mut policy = preset();
            let year = Ppm::new(999_999 + u32::from(target.get() % 2 == 0)).unwrap();
            policy.target = if matches!(window, WindowRule::Rolling(_)) { target } else { year };
            policy.window = window;
            policy.outages_max = max;
            policy.merge_gap = DurationMs(gap);
            policy.min_duration = DurationMs(least);
            [policy.warnings.watch_budget, policy.warnings.warning_budget, policy.warnings.critical_budget] = levels;
            policy.warnings.hysteresis = Ppm::new(hysteresis).unwrap();
            policy.warnings.warning_outages = warning;
            policy.warnings.critical_outages = critical;
            policy.warnings.projection = DurationMs(projection);
            policy
        },
    )
}

/// Downtime as gaps and lengths, one after the other.
fn downtime() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((1..120_i64, 1..120_i64), 0..14)
}

fn is_in(parts: &[(i64, i64)], at: i64) -> bool {
    let mut end = 0;
    parts.iter().any(|(gap, length)| {
        let from = end + gap;
        end = from + length;
        (from..end).contains(&at)
    })
}

fn spans(holds: impl Fn(i64) -> bool) -> Spans {
    let origin = at(ORIGIN).ms();
    Spans::of((0..HORIZON).filter(|ms| holds(*ms)).map(|ms| Span { from: origin + ms, to: origin + ms + 1 }))
}

fn outages(global: &Spans, own: &Spans, policy: &Policy) -> Vec<Outage> {
    let qualified = |run: Span| {
        let qualifies = global.reached(run.from, policy.min_duration.ms()).filter(|at| *at <= run.to)?;
        let causes = [Cause::Own].into_iter().collect::<CauseSet>();
        let shown = OutageEvidence { run: run.shown(), downtime_ms: 0, open: false, regions: RegionSet::ALL, causes };
        let touched = own.reached(run.from, 1).filter(|at| *at <= run.to).map(|at| at - 1);
        Some(Outage { run, qualifies, first: [touched; Region::COUNT], shown })
    };
    global.runs(policy.merge_gap.ms()).into_iter().filter_map(qualified).collect()
}

/// A time with the badge on, in milliseconds since the origin.
#[derive(Clone, Debug)]
struct Case {
    policy: Policy,
    scope: Scope,
    own: Vec<(i64, i64)>,
    other: Vec<(i64, i64)>,
    since: i64,
    floor: Option<i64>,
    /// When the scope is lost and gained again, or withdrawn for good.
    turns: [i64; 3],
    /// What is active before it.
    warned: Warned,
    refused: Option<(i64, usize)>,
}

fn warned() -> impl Strategy<Value = Warned> {
    let levels = [
        (WarningLevel::Watch, WarningCause::Budget),
        (WarningLevel::Warning, WarningCause::Outages),
        (WarningLevel::Warning, WarningCause::Projection),
        (WarningLevel::Critical, WarningCause::Budget),
    ];
    let reasons = prop::sample::subsequence(levels.to_vec(), 0..=levels.len());
    (reasons, any::<bool>()).prop_map(|(reasons, dark)| Warned { reasons: reasons.into_iter().collect(), dark })
}

fn case() -> impl Strategy<Value = Case> {
    let scope = prop_oneof![Just(Scope::Global), Just(Scope::Region(Region::Na))];
    let turns = [0..2 * HORIZON, 0..2 * HORIZON, 0..2 * HORIZON];
    let carried = (warned(), prop::option::of((0..300_i64, 0..5_usize)));
    (policy(), scope, downtime(), downtime(), 0..HORIZON, prop::option::of(0..HORIZON), turns, carried).prop_map(
        |(policy, scope, own, other, since, floor, mut turns, (warned, refused))| {
            turns.sort_unstable();
            let floor = floor.map(|floor| floor.min(since));
            Case { policy, scope, own, other, since, floor, turns, warned, refused }
        },
    )
}

fn check(case: &Case) {
    let Case { policy, scope, own, other, since, floor, turns, warned, refused } = case;
    let origin = at(ORIGIN).ms();
    let change = |after: &i64, marketplaces: &str| {
        let from = Timestamp::clamped(origin + after);
        format!(r#"{{"type": "badge", "asin": "B1", "at": "{from}", "marketplaces": [{marketplaces}]}}"#)
    };
    let world = World::one(policy.clone(), ORIGIN).line(&change(&turns[0], r#""JP""#));
    let (registry, _) = if turns[0] < turns[1] {
        accept(&world.line(&change(&turns[1], r#""US""#)).facts, Timestamp::MAX)
    } else {
        accept(&world.facts, Timestamp::MAX)
    };
    let product = Product {
        asin: registry.products[0].asin.clone(),
        enabled_at: origin,
        withdrawn_at: origin + turns[2],
        versions: registry.products[0].versions.clone(),
    };
    let held = |ms: i64| product.holds(*scope, origin + ms);
    let effective = spans(|ms| held(ms) && is_in(own, ms));
    let global = match scope {
        Scope::Global => effective.clone(),
        Scope::Region(_) => spans(|ms| held(ms) && is_in(own, ms) || is_in(other, ms)),
    };
    let outages = outages(&global, &effective, policy);
    let ground =
        ScopeGround { effective, runs: Vec::new(), observed: Spans::default(), held: Spans::default(), regions: Vec::new() };
    let (start, at) = (origin, origin + HORIZON);
    let (listings, skill_listings) = (Vec::new(), Vec::new());
    let (ground, outages) = (&ground, &outages[..]);
    let (product, scope, from, last) = (&product, *scope, i64::MIN, at);
    let scoped = Scoped { policy, product, scope, start, from, last, ground, outages, listings, skill_listings, at };
    let floor = floor.map(|floor| origin + floor);
    let refused = refused.map(|(downtime, outages)| Refused { downtime, outages });
    let on = On { scoped: &scoped, global: &global, since: origin + since, floor, warned: warned.clone(), refused };
    let (mut few, mut all) = (Vec::new(), Vec::new());
    let ends = (on.judge(&mut few), on.walk(origin + since..=at, &mut all));
    let lines = |decisions: &[Decision]| decisions.iter().map(decision_line).collect::<Vec<_>>();
    assert_eq!(lines(&few), lines(&all));
    assert_eq!(format!("{:?}", ends.0), format!("{:?}", ends.1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn judging_every_millisecond_comes_out_the_same(case in case()) {
        check(&case);
    }
}
