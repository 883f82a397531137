//! Policies with every number varied.

use domain::policy::{BurnRate, Degradation, Enforcement, PolicyName, ScopeRule, Warnings, WindowRule};
use domain::ratio::PPM;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::{DurationMs, Policy, Ppm, Timestamp};

use crate::dice::Dice;

const SECOND_MS: i64 = 1_000;

/// A policy, biased to budgets that a few outages exceed.
pub(super) fn policy(dice: &mut Dice) -> Policy {
    let window = window(dice);
    let state_ttl = if dice.chance(650_000) { None } else { Some(one(dice, &[MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, DAY_MS])) };
    // Where states run out, a demand for coverage is seldom met.
    let lenient = dice.chance(if state_ttl.is_some() { 700_000 } else { 200_000 });
    Policy {
        name: PolicyName { id: "scenario".into(), version: 1 },
        effective_from: Timestamp::from_date(2000, 1, 1).expect("a day"),
        scope: if dice.chance(500_000) { ScopeRule::Global } else { ScopeRule::Region },
        enforcement: Enforcement::Automatic,
        max_skew: DurationMs(5 * MINUTE_MS),
        max_removals_per_hour: 20,
        settle_warnings: DurationMs(5 * MINUTE_MS),
        settle_enforcement: DurationMs(DAY_MS),
        target: target(window, dice),
        window,
        outages_max: u32::try_from(dice.below(7)).expect("small"),
        merge_gap: one(dice, &[0, 1, SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS]),
        min_duration: one(dice, &[1, 1, SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS]),
        down_ratio: ppm(*dice.pick(&[0, 500_000, 900_001, 950_000, 950_000, 999_999, 1_000_000])),
        min_attempts: u32::try_from(*dice.pick(&[1, 2, 5, 10, 20])).expect("small"),
        state_ttl,
        warnings: warnings(dice),
        probation_months: u32::try_from(1 + dice.below(4)).expect("small"),
        min_coverage: ppm(if lenient { 0 } else { *dice.pick(&[100_000, 500_000, 500_000, 900_000, 1_000_000]) }),
        critical_outage_acknowledge_within: dice.chance(500_000).then_some(DurationMs(DAY_MS)),
        burn_rate: BurnRate::default(),
        degradation: Degradation::default(),
    }
}

/// Another version of a policy, from an instant on: the same but for some numbers.
pub(super) fn varied(before: &Policy, effective_from: Timestamp, dice: &mut Dice) -> Policy {
    let mut policy = Policy { effective_from, ..before.clone() };
    policy.name.version += 1;
    if dice.chance(500_000) {
        policy.scope = match policy.scope {
            ScopeRule::Global => ScopeRule::Region,
            ScopeRule::Region => ScopeRule::Global,
        };
    }
    if dice.chance(80_000) {
        policy.enforcement = match policy.enforcement {
            Enforcement::Automatic => Enforcement::Review,
            Enforcement::Review => Enforcement::Automatic,
        };
    }
    let other = self::policy(dice);
    for _ in 0..dice.between(0, 4) {
        match dice.below(14) {
            0 => (policy.window, policy.target) = (other.window, other.target),
            1 => policy.target = target(policy.window, dice),
            // A budget a little beside the one before.
            2 => {
                let aside = dice.between(-2, 2);
                policy.target = ppm((policy.target.get() + aside).clamp(0, PPM));
            }
            3 => policy.outages_max = policy.outages_max.saturating_sub(1),
            4 => policy.outages_max = other.outages_max,
            5 => policy.merge_gap = other.merge_gap,
            6 => policy.min_duration = other.min_duration,
            7 => policy.min_attempts = other.min_attempts,
            8 => policy.down_ratio = other.down_ratio,
            9 => policy.state_ttl = other.state_ttl,
            10 => policy.probation_months = other.probation_months,
            11 => policy.min_coverage = other.min_coverage,
            12 => policy.warnings = other.warnings.clone(),
            _ => policy.critical_outage_acknowledge_within = other.critical_outage_acknowledge_within,
        }
    }
    policy
}

/// The length over which the budget is figured; a reset year's is that of 365 days, near enough
/// to aim at.
pub(super) fn window_ms(policy: &Policy) -> i64 {
    match policy.window {
        WindowRule::Rolling(window) => window.ms(),
        WindowRule::ResetsOn { .. } => 365 * DAY_MS,
    }
}

/// The downtime that a window may hold.
pub(super) fn budget_ms(policy: &Policy) -> i64 {
    policy.target.complement().floor_of(window_ms(policy))
}

fn window(dice: &mut Dice) -> WindowRule {
    if dice.chance(200_000) {
        let (month, day) = *dice.pick(&[(1, 1), (2, 28), (3, 1), (7, 1), (12, 31)]);
        return WindowRule::ResetsOn { month, day };
    }
    let length = *dice.pick(&[
        5 * MINUTE_MS,
        HOUR_MS,
        DAY_MS,
        3 * DAY_MS,
        30 * DAY_MS,
        90 * DAY_MS,
        365 * DAY_MS,
        365 * DAY_MS,
        365 * DAY_MS,
        400 * DAY_MS,
    ]);
    let stray = if dice.chance(200_000) { dice.between(-1, 1) } else { 0 };
    WindowRule::Rolling(DurationMs(length + stray))
}

/// A target that leaves a budget between nothing and some hours, or that of the programme.
fn target(window: WindowRule, dice: &mut Dice) -> Ppm {
    let length = match window {
        WindowRule::Rolling(length) => length.ms(),
        WindowRule::ResetsOn { .. } => 365 * DAY_MS,
    };
    let missing = match dice.below(10) {
        0 => 0,
        1..5 => 700,
        _ => {
            let budget = *dice.pick(&[1, SECOND_MS, MINUTE_MS, 3 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS]);
            (budget * PPM / length).clamp(1, 500_000)
        }
    };
    ppm(PPM - missing)
}

fn warnings(dice: &mut Dice) -> Warnings {
    let mut levels: Vec<i64> = (0..3).map(|_| *dice.pick(&[1, 100_000, 333_333, 500_000, 750_000, 900_000, PPM])).collect();
    levels.sort_unstable();
    let mut outages: Vec<u32> = (0..2).map(|_| u32::try_from(1 + dice.below(6)).expect("small")).collect();
    outages.sort_unstable();
    Warnings {
        watch_budget: ppm(levels[0]),
        warning_budget: ppm(levels[1]),
        warning_outages: outages[0],
        critical_budget: ppm(levels[2]),
        critical_outages: outages[1],
        hysteresis: ppm(*dice.pick(&[0, 0, 50_000, 50_000, 200_000, PPM])),
        projection: one(dice, &[DAY_MS, 30 * DAY_MS, 30 * DAY_MS, 90 * DAY_MS]),
        min_customers: *dice.pick(&[0, 1_000]),
    }
}

fn one(dice: &mut Dice, lengths_ms: &[i64]) -> DurationMs {
    DurationMs(*dice.pick(lengths_ms))
}

fn ppm(share: i64) -> Ppm {
    u32::try_from(share).ok().and_then(Ppm::new).expect("a share")
}
