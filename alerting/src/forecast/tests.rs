use domain::decision::{WarningCause, WarningLevel};
use domain::id::Region;
use domain::ratio::Ppm;
use domain::time::{DAY_MS, DurationMs};
use proptest::prelude::*;

use super::*;

mod naive;

use naive::World;

fn at(ms: i64) -> Timestamp {
    Timestamp::clamped(ms)
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("an instant")
}

fn wwa_2024() -> Policy {
    wwa(|_| {})
}

/// The preset, changed.
fn wwa(change: impl FnOnce(&mut Policy)) -> Policy {
    let text = wire::policy::preset("wwa-2024").expect("a preset");
    let mut policy = wire::policy::parse(text, "wwa-2024").expect("a right policy").remove(0);
    change(&mut policy);
    policy
}

/// Four hours and 5:40:12.000 of downtime: the first well before, the second right up to T.
fn world(policy: Policy) -> World {
    let t = instant("2026-03-01T00:00:00Z").ms();
    let hours = |from: i64, to: i64| (t - from * 3_600_000, t - to * 3_600_000);
    World {
        policy,
        scope: Scope::Global,
        enabled_at: t - 400 * DAY_MS,
        floor: None,
        t,
        down: [vec![hours(2_404, 2_400), hours(1, 0)], vec![]],
        excluded: vec![],
        tolerated: Tolerated::default(),
    }
}

#[test]
fn what_is_left_of_a_year_is_told() {
    world(wwa_2024()).on(|on| {
        let told = forecast(&on, 10);
        assert_eq!((told.usage.downtime_ms, told.usage.budget_ms, told.usage.outages), (18_000_000, 22_075_200, 2));
        let left: Vec<_> = told.downtime.iter().map(|left| (left.level, left.ms, left.reached_at.map(|at| at - on.at))).collect();
        let expected = [
            (Level::Watch, 0, Some(DurationMs(0))),
            (Level::Warning, 0, Some(DurationMs(0))),
            (Level::Critical, 1_867_680, Some(DurationMs(1_867_680))),
            (Level::Breach, 4_075_201, Some(DurationMs(4_075_201))),
        ];
        assert_eq!(left, expected);
        assert_eq!(told.outages.map(|left| left.outages), [2, 3, 4]);
        let year = DurationMs::days(365);
        let (first, second) = (on.outages[0].run, on.outages[1].run);
        let leaves = |run: Interval| DowntimeLeaves { from: run.from + year, to: run.to + year, ms: run.ms() };
        assert_eq!(told.downtime_leaves, [leaves(first), leaves(second)]);
        let outages = [first, second].map(|run| OutageLeaves { at: run.to + year, run });
        assert_eq!(told.outages_leave, outages);
        let one = forecast(&on, 1);
        assert_eq!((one.downtime_leaves, one.outages_leave), (vec![leaves(first)], vec![outages[0]]));
    });
}

#[test]
fn a_reset_frees_everything_at_once() {
    world(wwa(|policy| policy.window = WindowRule::ResetsOn { month: 1, day: 1 })).on(|on| {
        let told = forecast(&on, 10);
        let reset = instant("2027-01-01T00:00:00Z");
        assert_eq!(told.downtime_leaves, [DowntimeLeaves { from: reset, to: reset, ms: 3_600_000 }]);
        assert_eq!(told.outages_leave, [OutageLeaves { at: reset, run: on.outages[1].run }]);
        let late = what_if(&on, Interval::new(instant("2026-12-31T22:00:00Z"), instant("2027-01-01T06:00:00Z")));
        assert_eq!((late.breach, late.usage.downtime_ms), (None, 6 * 3_600_000));
        let longer = what_if(&on, Interval::new(instant("2026-12-31T22:00:00Z"), instant("2027-01-02T00:00:00Z")));
        let breach = Breach { at: instant("2027-01-01T06:07:55.201Z"), reasons: vec![Reason::Budget] };
        assert_eq!(longer.breach, Some(breach));
    });
}

#[test]
fn nothing_reaches_what_is_never_a_breach() {
    world(wwa(|policy| policy.target = Ppm::ZERO)).on(|on| {
        let reached = forecast(&on, 0).downtime.map(|left| left.reached_at);
        assert_eq!(reached.map(|at| at.is_some()), [true, true, true, false]);
    });
}

#[test]
fn an_assumed_outage_warns_or_breaches() {
    let minutes =
        |on: &BadgeOn<'_>, from: i64, to: i64| Interval::new(on.at + DurationMs(from * 60_000), on.at + DurationMs(to * 60_000));
    let warning = |level, cause| Reason::Warning(level, cause);
    world(wwa_2024()).on(|on| {
        // Goes on with the open run: no further outage.
        let more = what_if(&on, minutes(&on, 0, 60));
        assert_eq!((more.usage.downtime_ms, more.usage.outages, more.breach.clone()), (21_600_000, 2, None));
        // An hour of the last 30 days is within the budget at T, two hours are not at the next midnight.
        let expected = [
            (0, warning(WarningLevel::Watch, WarningCause::Budget)),
            (0, warning(WarningLevel::Warning, WarningCause::Budget)),
            (1_867_680, warning(WarningLevel::Critical, WarningCause::Budget)),
            (DAY_MS, warning(WarningLevel::Warning, WarningCause::Projection)),
        ];
        assert_eq!(more.warnings, expected.map(|(after, reason)| Reached { at: on.at + DurationMs(after), reason }));
        let apart = what_if(&on, minutes(&on, 6, 66));
        assert_eq!(apart.usage.outages, 3);
        let breach = what_if(&on, minutes(&on, 0, 120)).breach.expect("a breach");
        assert_eq!((breach.at - on.at, breach.reasons), (DurationMs(4_075_201), vec![Reason::Budget]));
    });
    world(wwa(|policy| policy.outages_max = 2)).on(|on| {
        let breach = Breach { at: on.at + DurationMs(11 * 60_000), reasons: vec![Reason::Outages] };
        assert_eq!(what_if(&on, minutes(&on, 6, 66)).breach, Some(breach));
        assert_eq!(what_if(&on, minutes(&on, 6, 10)).breach, None);
    });
}

#[test]
fn a_projection_looks_back_7_and_30_days() {
    let hours_before = |t: i64, from: i64, ms: i64| (t - from * 3_600_000, t - from * 3_600_000 + ms);
    let check = |floor: Option<i64>, parts: &[(i64, i64)], expected: bool| {
        let mut world = world(wwa_2024());
        let t = world.t;
        world.floor = floor.map(|hours| t - hours * 3_600_000);
        world.down = [parts.iter().map(|&(from, ms)| hours_before(t, from, ms)).collect(), vec![]];
        world.on(|on| {
            let told = what_if(&on, Interval::new(on.at, on.at)).warnings;
            let projection = Reason::Warning(WarningLevel::Warning, WarningCause::Projection);
            assert_eq!(told.contains(&Reached { at: on.at, reason: projection }), expected, "{parts:?}");
        });
    };
    // 535,200 ms are left, and as many are reached by 540,000 ms in 30 days.
    check(None, &[(2_000, 21_000_000), (167, 540_000)], true);
    check(None, &[(2_000, 21_000_000), (169, 540_000)], false);
    check(None, &[(2_000, 21_000_000), (167, 537_000)], false);
    check(None, &[(750, 21_000_000), (167, 540_000)], true);
    // What lies before the window's start doesn't burn.
    check(None, &[(100, 12_000_000)], true);
    check(Some(90), &[(100, 24_000_000)], false);
}

/// An excluded run that goes on: its outage has aged out, and counts again with the first millisecond.
#[test]
fn an_aged_outage_counts_again_when_it_goes_on() {
    let policy = wwa(|policy| {
        policy.window = WindowRule::Rolling(DurationMs(4));
        policy.target = Ppm::ZERO;
        policy.min_duration = DurationMs(2);
        (policy.outages_max, policy.warnings.warning_outages) = (1, 1);
    });
    let down = [vec![(70, 80)], vec![]];
    World {
        policy,
        scope: Scope::Global,
        enabled_at: 0,
        floor: None,
        t: 80,
        down,
        excluded: vec![(73, 80)],
        tolerated: Tolerated::default(),
    }
    .on(|on| {
        assert_eq!(forecast(&on, 1).usage.outages, 0);
        let warnings = what_if(&on, Interval::new(at(80), at(81))).warnings;
        let counted = Reached { at: at(81), reason: Reason::Warning(WarningLevel::Warning, WarningCause::Outages) };
        assert!(warnings.contains(&counted), "{warnings:?}");
    });
}

#[test]
fn a_badge_is_back_when_its_months_are_over() {
    let policy = wwa_2024();
    let check = |off: Off, expected: &str, once: Vec<Reason>| {
        let t = instant("2026-03-31T12:00:00Z");
        assert_eq!(reinstatement(&policy, t, off, once.clone()), Reinstatement { earliest: instant(expected), once });
    };
    check(Off::Removed { run_to: instant("2026-03-31T12:00:00Z") }, "2026-06-30T12:00:00Z", vec![]);
    check(Off::Removed { run_to: instant("2026-03-31T11:58:00Z") }, "2026-06-30T11:58:00Z", vec![]);
    let started = |text| Off::Probation(ProbationStanding { started: instant(text), months_passed: 1 });
    let us = domain::Marketplace::parse("US").expect("a marketplace");
    check(started("2026-01-31T00:00:00Z"), "2026-04-30T00:00:00Z", vec![Reason::Brand(us)]);
    check(started("2025-11-30T00:00:00Z"), "2026-03-31T12:00:00Z", vec![]);
    check(Off::Held, "2026-03-31T12:00:00Z", vec![Reason::Brand(us)]);
}

/// Milliseconds that worlds of a rolling window are looked at.
const HORIZON_MS: i64 = 200;

/// A world of a few milliseconds: a rolling window, budgets and outages that are used up at once.
fn small_world() -> impl Strategy<Value = World> {
    let down = || prop::collection::vec((0..80_i64, 1..10_i64), 0..6);
    let numbers = (1..60_i64, 700_000..=1_000_000_u32, 0..3_u32, 0..5_i64, 1..6_i64);
    let warnings = (1..4_u32, 1..4_u32);
    let scope = prop::sample::select(vec![Scope::Global, Scope::Region(Region::Na)]);
    let refused = prop::option::weighted(0.3, (0..40_i64, 0..5_usize));
    let life = (0..40_i64, prop::option::weighted(0.3, 40..60_i64), 60..80_i64, refused);
    (down(), down(), down(), numbers, warnings, scope, life).prop_map(
        |(own, other, excluded, (window, target, outages_max, merge_gap, min_duration), (warning, critical), scope, life)| {
            let (enabled_at, floor, t, refused) = life;
            let policy = wwa(|policy| {
                policy.window = WindowRule::Rolling(DurationMs(window));
                policy.target = Ppm::new(target).expect("at most one whole");
                policy.outages_max = outages_max;
                policy.merge_gap = DurationMs(merge_gap);
                policy.min_duration = DurationMs(min_duration);
                (policy.warnings.warning_outages, policy.warnings.critical_outages) = (warning, critical);
            });
            let cut = |parts: Vec<(i64, i64)>| {
                let spans = parts.into_iter().map(|(from, len)| (from.max(enabled_at), (from + len).min(t)));
                spans.filter(|(from, to)| from < to).collect::<Vec<_>>()
            };
            let down = [cut(own), cut(other)];
            let tolerated = refused.map(|(downtime_ms, outages)| Tolerated { downtime_ms, outages }).unwrap_or_default();
            World { policy, scope, enabled_at, floor, t, down, excluded: cut(excluded), tolerated }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_left_agrees_with_stepping(world in small_world()) {
        world.on(|on| {
            let told = forecast(&on, LEAVING_MAX);
            let calm = |t: i64| world.usage(None, t);
            prop_assert_eq!(told.usage, calm(world.t));
            let endless = Some((world.t, HORIZON_MS));
            for left in told.downtime {
                let reached = (world.t..=HORIZON_MS).find(|&t| world.reaches(endless, t, left.level));
                prop_assert_eq!(left.reached_at, reached.map(at), "{:?}", left);
                let level_ms = (0..).find(|&more| world.is_level(calm(world.t).budget_ms, calm(world.t).downtime_ms + more, left.level));
                prop_assert_eq!(Some(left.ms), level_ms);
            }
            for t in world.t..HORIZON_MS {
                let (now, next) = (calm(t), calm(t + 1));
                let leaving: i64 = told.downtime_leaves.iter().filter(|part| part.from <= at(t) && at(t) < part.to).map(|_| 1).sum();
                prop_assert_eq!(now.downtime_ms - next.downtime_ms, leaving, "at {}", t);
                let gone = told.outages_leave.iter().filter(|outage| outage.at == at(t + 1)).count();
                prop_assert_eq!(now.outages - next.outages, gone, "at {}", t);
            }
            prop_assert!(told.downtime_leaves.iter().all(|part| part.ms == Interval::new(part.from, part.to).ms()));
            Ok(())
        })?;
    }

    #[test]
    fn what_if_agrees_with_stepping(world in small_world(), start in 0..40_i64, length in 0..60_i64) {
        world.on(|on| {
            let (from, to) = (world.t + start, world.t + start + length);
            let told = what_if(&on, Interval::new(at(from), at(to)));
            if !world.breach(None, world.t).is_empty() {
                return Ok(()); // The badge isn't on.
            }
            let assumed = Some((from, to));
            let breach = (from..=to).find(|&t| !world.breach(assumed, t).is_empty());
            let expected = breach.map(|t| Breach { at: at(t), reasons: world.breach(assumed, t) });
            prop_assert_eq!(&told.breach, &expected);
            let ends = breach.unwrap_or(to);
            prop_assert_eq!(told.usage, world.usage(assumed, ends));
            let mut warnings = vec![];
            for level in [Level::Watch, Level::Warning, Level::Critical] {
                for (cause, holds) in [
                    (WarningCause::Budget, world.first(from..=ends, |t| world.reaches(assumed, t, level))),
                    (WarningCause::Outages, world.first(from..=ends, |t| world.counts(assumed, t, level))),
                ] {
                    let level = [WarningLevel::Watch, WarningLevel::Warning, WarningLevel::Critical][level as usize];
                    let reached = holds.filter(|at| breach.is_none_or(|breach| at.ms() < breach));
                    warnings.extend(reached.map(|at| Reached { at, reason: Reason::Warning(level, cause) }));
                }
            }
            warnings.sort_unstable();
            let projection = |reached: &&Reached| !matches!(reached.reason, Reason::Warning(_, WarningCause::Projection));
            prop_assert_eq!(told.warnings.iter().filter(projection).copied().collect::<Vec<_>>(), warnings);
            Ok(())
        })?;
    }

    /// Of a window that resets: what is found holds, and nothing before it does, at any reset nor a
    /// millisecond earlier.
    #[test]
    fn resets_are_crossed_exactly(
        down in prop::collection::vec((0..800_i64, 1..300_i64), 0..5),
        target in 0..=1_000_000_u32,
        (month, day) in prop_oneof![1 => Just((12_u32, 30_u32)), 3 => (1..=12_u32, 1..=28_u32)],
        t in prop_oneof![1 => Just(0), 3 => 0..DAY_MS],
    ) {
        let t = instant("2027-12-30T00:00:00Z").ms() + t;
        let policy = wwa(|policy| {
            policy.window = WindowRule::ResetsOn { month, day };
            policy.target = Ppm::new(target).expect("at most one whole");
        });
        let hours = |(ago, length): (i64, i64)| (t - ago * 3_600_000, (t - (ago - length) * 3_600_000).min(t));
        let down = [down.into_iter().map(hours).filter(|(from, to)| from < to).collect(), vec![]];
        let world = World { policy, scope: Scope::Global, enabled_at: t - 300 * DAY_MS, floor: None, t, down, excluded: vec![], tolerated: Tolerated::default() };
        let far = t + 1_200 * DAY_MS;
        world.on(|on| {
            for left in forecast(&on, 1).downtime {
                let resets: Vec<_> = std::iter::successors(world.policy.reset_after(at(t)), |reset| world.policy.reset_after(*reset))
                    .take_while(|reset| reset.ms() <= far).collect();
                let reaches = |at: &Timestamp| world.reaches_year(Some((t, far)), at.ms(), left.level);
                let before = left.reached_at.map_or(far, Timestamp::ms);
                prop_assert!(left.reached_at.as_ref().is_none_or(reaches));
                let earlier = resets.iter().copied().chain([at(t), at(before - 1)]).filter(|at| at.ms() >= t && at.ms() < before);
                prop_assert_eq!(earlier.filter(reaches).count(), 0);
            }
            Ok(())
        })?;
    }

    /// The projection at each midnight of a few months of hours.
    #[test]
    fn projections_agree_with_midnights(
        down in prop::collection::vec((0..2_000_i64, 1..6_i64), 0..5),
        (start, length, t) in (0..200_i64, 0..90_i64, 0..24_i64),
        (target, horizon, young) in (980_000..=1_000_000_u32, 0..60_i64, any::<bool>()),
    ) {
        const HOUR_MS: i64 = DAY_MS / 24;
        let t = instant("2026-03-01T00:00:00Z").ms() + t * HOUR_MS;
        let policy = wwa(|policy| {
            policy.target = Ppm::new(target).expect("at most one whole");
            policy.outages_max = u32::MAX;
            policy.warnings.projection = DurationMs::days(horizon);
        });
        let enabled_at = t - if young { 20 } else { 400 } * DAY_MS;
        let hours = |(ago, length): (i64, i64)| ((t - ago * HOUR_MS).max(enabled_at), (t - (ago - length) * HOUR_MS).min(t));
        let down = [down.into_iter().map(hours).filter(|(from, to)| from < to).collect(), vec![]];
        let world = World { policy, scope: Scope::Global, enabled_at, floor: None, t, down, excluded: vec![], tolerated: Tolerated::default() };
        let (from, to) = (t + start * HOUR_MS, t + (start + length) * HOUR_MS);
        world.on(|on| {
            let told = what_if(&on, Interval::new(at(from), at(to)));
            let breach = told.breach.map(|breach| breach.at.ms());
            let last = breach.unwrap_or(at(to).ceil_day().ms());
            let mut midnights = (from..=last).step_by(usize::try_from(HOUR_MS).expect("small")).filter(|t| t % DAY_MS == 0);
            let expected = midnights.find(|&t| breach != Some(t) && world.projects(Some((from, to)), t)).map(at);
            let found = told.warnings.iter().find(|reached| matches!(reached.reason, Reason::Warning(_, WarningCause::Projection)));
            prop_assert_eq!(found.map(|reached| reached.at), expected);
            Ok(())
        })?;
    }
}
