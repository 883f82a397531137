use domain::interval::IntervalSet;
use domain::ratio::Ppm;
use domain::time::{HOUR_MS, MINUTE_MS};
use proptest::prelude::*;

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::clamped(ms)
}

/// T of the tables: one year after the epoch.
const T: i64 = 365 * 24 * HOUR_MS;

/// The budget of 99.93 % over 365 days.
const YEAR: Account = Account { budget_ms: 22_075_200, window: DurationMs::days(365), since: Timestamp::MIN };

#[test]
fn thresholds_are_what_uses_the_share_within_the_long_window() {
    let told: Vec<_> = BurnRate::default().windows.iter().map(|pair| threshold(*pair, YEAR.window)).collect();
    assert_eq!(told.iter().map(ToString::to_string).collect::<Vec<_>>(), ["175.2", "73", "12.17"]);
    assert_eq!(told.iter().map(|threshold| threshold.hundredths()).collect::<Vec<_>>(), [17_520, 7_300, 1_217]);
    let month = threshold(BurnRate::default().windows[0], DurationMs::days(30));
    assert_eq!(month.to_string(), "14.4");
}

#[test]
fn a_rate_of_one_uses_the_budget_over_the_window() {
    let check = |down: i64, account: Account, length: DurationMs, expected: i64| {
        let set = IntervalSet::from(Interval::new(at(T - down), at(T)));
        let burn = burn(&|window| set.ms_within(window), account, at(T), length);
        assert_eq!(burn.ppm(), expected, "{down} ms down, {account:?}, {length:?}");
    };
    check(22_075_200, YEAR, DurationMs::days(365), 1_000_000);
    check(0, YEAR, DurationMs(HOUR_MS), 0);
    check(HOUR_MS, YEAR, DurationMs(HOUR_MS), 1_428_571_429);
    check(2 * HOUR_MS, YEAR, DurationMs(HOUR_MS), 1_428_571_429);
    let young = Account { since: at(T - HOUR_MS / 4), ..YEAR };
    check(HOUR_MS, young, DurationMs(HOUR_MS), 357_142_857);
    let none = Account { budget_ms: 0, ..YEAR };
    check(1, none, DurationMs(HOUR_MS), i64::MAX);
    check(0, none, DurationMs(HOUR_MS), 0);
}

/// Downtime as minutes before T, attempts in every long window; the long windows, in hours, that alert.
fn check(down: &[(i64, i64)], attempts: Option<u64>, expected: &[i64]) {
    let minutes = |&(from, to): &(i64, i64)| Interval::new(at(T - from * MINUTE_MS), at(T - to * MINUTE_MS));
    let set: IntervalSet = down.iter().map(minutes).collect();
    let found = alerts(&BurnRate::default(), YEAR, at(T), &|window| set.ms_within(window), &|_| attempts);
    assert_eq!(found.iter().map(|alert| alert.window.long.ms() / HOUR_MS).collect::<Vec<_>>(), expected, "{down:?}");
}

#[test]
fn an_alert_needs_both_windows_and_enough_attempts() {
    check(&[], Some(100), &[]);
    // 2 % of the budget, 7.36 minutes, within the hour, and still going on.
    check(&[(8, 0)], Some(100), &[1]);
    check(&[(8, 0)], Some(99), &[]);
    check(&[(8, 0)], None, &[]);
    check(&[(7, 0)], Some(100), &[]);
    // Over for more than five minutes: the short window is clean.
    check(&[(14, 6)], Some(100), &[]);
    // 5 % in six hours, 10 % in three days.
    check(&[(330, 318), (20, 12)], Some(100), &[6]);
    check(&[(4000, 3970), (20, 12)], Some(100), &[72]);
    check(&[(40, 0)], Some(1_000_000), &[1, 6, 72]);
}

proptest! {
    /// Rates and thresholds as fractions of plain counts of milliseconds.
    #[test]
    fn alerts_agree_with_fractions(
        parts in prop::collection::vec((0..60_i64, 1..12_i64), 0..6),
        pairs in prop::collection::vec((2..60_i64, 1..60_i64, 1..=1_000_000_u32), 1..4),
        (budget_ms, window, since, t) in (0..60_i64, 1..90_i64, 0..60_i64, 0..80_i64),
        attempts in prop::option::of(0..4_u64),
        min_attempts in 1..4_u64,
    ) {
        let set: IntervalSet = parts.iter().map(|&(from, len)| Interval::new(at(from), at(from + len))).collect();
        let windows: Vec<_> = pairs.into_iter().map(|(long, short, share)| BurnWindow {
            long: DurationMs(long),
            short: DurationMs(short.min(long - 1)),
            budget: Ppm::new(share).expect("at most one whole"),
        }).collect();
        let account = Account { budget_ms, window: DurationMs(window), since: at(since) };
        let policy = BurnRate { windows, min_attempts };
        let found = alerts(&policy, account, at(t), &|window| set.ms_within(window), &|_| attempts);
        let used = |length: i64| (t - length..t).filter(|&ms| ms >= since && ms >= 0 && set.contains(at(ms))).count();
        let used = |length: DurationMs| i128::try_from(used(length.ms())).expect("small");
        let fast = |pair: &BurnWindow, length: DurationMs| {
            let burn = (used(length) * i128::from(window), i128::from(length.ms() * budget_ms));
            let least = (i128::from(pair.budget.get() * window), i128::from(PPM * pair.long.ms()));
            used(length) > 0 && burn.0 * least.1 >= least.0 * burn.1
        };
        let known = attempts.is_some_and(|attempts| attempts >= min_attempts);
        let expected: Vec<_> =
            policy.windows.iter().filter(|pair| known && fast(pair, pair.long) && fast(pair, pair.short)).copied().collect();
        prop_assert_eq!(found.iter().map(|alert| alert.window).collect::<Vec<_>>(), expected);
        for alert in &found {
            let (part, whole) = (used(alert.window.long) * i128::from(window * PPM), i128::from(alert.window.long.ms() * budget_ms));
            let ppm = i128::from(alert.long_burn.ppm());
            let right = if whole == 0 { ppm == i128::from(i64::MAX) } else { (2 * (ppm * whole - part)).abs() <= whole };
            prop_assert!(right);
        }
    }
}
