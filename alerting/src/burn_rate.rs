//! Burn rates: how fast the downtime budget is used up, and where that is an alert.
//!
//! A rate of 1 uses exactly the budget over the whole window W. A pair of windows alerts when both burn
//! at least at its threshold: the long one shows that it matters, the short one that it still goes on
//! (multiwindow, multi-burn-rate alerts: Site Reliability Workbook, chapter 5, "Alerting on SLOs").
//! An alert is for those on call; it has no effect on standing.

use std::fmt;

use domain::interval::Interval;
use domain::policy::{BurnRate, BurnWindow};
use domain::ratio::PPM;
use domain::time::{DurationMs, Timestamp};

#[cfg(test)]
mod tests;

/// What downtime is held against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    /// The window's budget, in milliseconds.
    pub budget_ms: i64,
    /// W: the window's whole length, at least 1 ms.
    pub window: DurationMs,
    /// The window's start: what lies before doesn't count.
    pub since: Timestamp,
}

/// A burn rate in parts per million, rounded half up; `i64::MAX` where there is downtime and no budget.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Burn(i64);

/// A threshold of a burn rate, exactly.
#[derive(Clone, Copy, Debug)]
pub struct Threshold {
    numerator: i128,
    denominator: i128,
}

/// A pair of windows that both burn too fast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BurnAlert {
    /// The pair.
    pub window: BurnWindow,
    /// The rate over its long window.
    pub long_burn: Burn,
    /// The rate over its short window.
    pub short_burn: Burn,
}

/// How fast a budget is used up over a pair of windows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BurnPair {
    /// The pair.
    pub window: BurnWindow,
    /// The rate, in hundredths, from which on it alerts.
    pub threshold_hundredths: i64,
    /// The rate over the long window.
    pub long_burn: Burn,
    /// The rate over the short window.
    pub short_burn: Burn,
    /// Attempts in the long window.
    pub attempts: u64,
    /// Whether those are enough for the rate to say something.
    pub is_known: bool,
    /// Whether both burn too fast, and that is known.
    pub alerts: bool,
}

impl Burn {
    /// Parts per million.
    #[must_use]
    pub const fn ppm(self) -> i64 {
        self.0
    }
}

impl Threshold {
    /// The threshold in hundredths, rounded half up.
    #[must_use]
    pub fn hundredths(self) -> i64 {
        rounded(100 * self.numerator, self.denominator)
    }
}

impl fmt::Display for Threshold {
    /// With at most two decimals: `175.2`, `73`, `12.17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.hundredths() / 100, self.hundredths() % 100);
        if rest == 0 { write!(f, "{whole}") } else { write!(f, "{whole}.{}", format!("{rest:02}").trim_end_matches('0')) }
    }
}

/// The burn rate of the last `length` before `at`. `downtime_ms` yields the effective downtime in an
/// interval. In a young window the length is cut to the window's start, but still divided by as a
/// whole (as R12's projection does).
#[must_use]
pub fn burn(downtime_ms: &impl Fn(Interval) -> i64, account: Account, at: Timestamp, length: DurationMs) -> Burn {
    let used = i128::from(downtime_ms(last(account, at, length)));
    let whole = i128::from(length.ms()) * i128::from(account.budget_ms);
    match whole {
        0 if used == 0 => Burn(0),
        0 => Burn(i64::MAX),
        _ => Burn(rounded(used * i128::from(account.window.ms()) * i128::from(PPM), whole)),
    }
}

/// The rate at which `long` uses up the pair's share of the budget of a window of length W: share × W ÷
/// long.
#[must_use]
pub fn threshold(pair: BurnWindow, window: DurationMs) -> Threshold {
    Threshold {
        numerator: i128::from(pair.budget.get()) * i128::from(window.ms()),
        denominator: i128::from(PPM) * i128::from(pair.long.ms()),
    }
}

/// The pairs that burn too fast at an instant, in the policy's order. `attempts` yields the attempts in an
/// interval where they are known: with fewer than `min_attempts` in the long window, or none known,
/// its rate isn't known, and that is no alert.
#[must_use]
pub fn alerts(
    policy: &BurnRate,
    account: Account,
    at: Timestamp,
    downtime_ms: &impl Fn(Interval) -> i64,
    attempts: &impl Fn(Interval) -> Option<u64>,
) -> Vec<BurnAlert> {
    let known = |pair: &BurnWindow| attempts(last(account, at, pair.long)).is_some_and(|count| count >= policy.min_attempts);
    let fast = |pair: &BurnWindow, length| {
        let used = i128::from(downtime_ms(last(account, at, length)));
        // used ÷ length ÷ (budget ÷ W) ≥ share × W ÷ long, without a division.
        let share = i128::from(pair.budget.get()) * i128::from(account.budget_ms) * i128::from(length.ms());
        used > 0 && used * i128::from(pair.long.ms()) * i128::from(PPM) >= share
    };
    let alert = |pair: &BurnWindow| BurnAlert {
        window: *pair,
        long_burn: burn(downtime_ms, account, at, pair.long),
        short_burn: burn(downtime_ms, account, at, pair.short),
    };
    let pairs = policy.windows.iter();
    pairs.filter(|pair| fast(pair, pair.long) && fast(pair, pair.short) && known(pair)).map(alert).collect()
}

/// Every pair of the policy's, in its order: how both windows burn, and whether that is an alert.
/// `attempts` yields the attempts in an interval.
#[must_use]
pub fn pairs(
    policy: &BurnRate,
    account: Account,
    at: Timestamp,
    downtime_ms: &impl Fn(Interval) -> i64,
    attempts: &impl Fn(Interval) -> u64,
) -> Vec<BurnPair> {
    let alerts = alerts(policy, account, at, downtime_ms, &|within| Some(attempts(within)));
    let pair = |window: &BurnWindow| {
        let attempts = attempts(last(account, at, window.long));
        BurnPair {
            window: *window,
            threshold_hundredths: threshold(*window, account.window).hundredths(),
            long_burn: burn(downtime_ms, account, at, window.long),
            short_burn: burn(downtime_ms, account, at, window.short),
            attempts,
            is_known: attempts >= policy.min_attempts,
            alerts: alerts.iter().any(|alert| alert.window == *window),
        }
    };
    policy.windows.iter().map(pair).collect()
}

fn last(account: Account, at: Timestamp, length: DurationMs) -> Interval {
    Interval::new(at.saturating_sub(length).max(account.since), at)
}

/// A quotient of numbers that aren't negative, rounded half up.
fn rounded(part: i128, whole: i128) -> i64 {
    i64::try_from((2 * part + whole) / (2 * whole)).unwrap_or(i64::MAX)
}
