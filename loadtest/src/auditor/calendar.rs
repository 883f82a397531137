//! Windows and budgets (R10).

use chrono::NaiveDate;
use domain::policy::WindowRule;
use domain::{Policy, Ppm};

/// What downtime is held against at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    /// Where the window starts, if neither badge nor floor cut it.
    pub(super) from: i64,
    /// W, in milliseconds.
    pub(super) whole: i64,
    /// ⌊(1 − target) × W⌋.
    pub(super) budget: i64,
}

/// The frames by which an instant is judged, in this order: one, or at a reset the year that
/// ends and the one that begins.
pub(super) fn frames(policy: &Policy, at: i64) -> Vec<Frame> {
    let frame = |from, whole| Frame { from, whole, budget: budget(policy.target, whole) };
    let (month, day) = match policy.window {
        WindowRule::Rolling(whole) => return vec![frame(at - whole.ms(), whole.ms())],
        WindowRule::ResetsOn { month, day } => (month, day),
    };
    let year = year_of(at);
    let resets: Vec<i64> = (year - 2..=year + 2).filter_map(|year| reset(year, month, day)).collect();
    let years = resets.windows(2).map(|pair| (pair[0], pair[1]));
    years.filter(|(from, to)| *from <= at && at <= *to).map(|(from, to)| frame(from, to - from)).collect()
}

/// The resets in `[from, to]`; none with a rolling window.
pub(super) fn resets(policy: &Policy, from: i64, to: i64) -> Vec<i64> {
    let WindowRule::ResetsOn { month, day } = policy.window else { return Vec::new() };
    let resets = (year_of(from)..=year_of(to)).filter_map(|year| reset(year, month, day));
    resets.filter(|reset| from <= *reset && *reset <= to).collect()
}

/// ⌊(1 − target) × length⌋.
pub(super) fn budget(target: Ppm, length: i64) -> i64 {
    let budget = i128::from(length) * i128::from(1_000_000 - target.get()) / 1_000_000;
    i64::try_from(budget).expect("a budget is no longer than its window")
}

fn reset(year: i32, month: u32, day: u32) -> Option<i64> {
    NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(0, 0, 0).map(|at| at.and_utc().timestamp_millis())
}

fn year_of(at: i64) -> i32 {
    domain::Timestamp::clamped(at).year()
}

#[cfg(test)]
mod tests {
    use domain::time::DAY_MS;
    use domain::{DurationMs, Timestamp};

    use super::super::tests::preset;
    use super::*;

    fn ms(text: &str) -> i64 {
        Timestamp::parse_rfc3339(text).expect("a valid instant").ms()
    }

    #[test]
    fn a_reset_is_judged_by_the_year_that_ends_and_the_one_that_begins() {
        let check = |at: &str, expected: &[(&str, i64)]| {
            let mut policy = preset();
            policy.window = WindowRule::ResetsOn { month: 3, day: 1 };
            let frames: Vec<_> = frames(&policy, ms(at)).iter().map(|frame| (frame.from, frame.whole / DAY_MS)).collect();
            let expected: Vec<_> = expected.iter().map(|(from, days)| (ms(from), *days)).collect();
            assert_eq!(frames, expected, "{at}");
        };
        check("2023-02-28T23:59:59.999Z", &[("2022-03-01T00:00:00Z", 365)]);
        check("2023-03-01T00:00:00Z", &[("2022-03-01T00:00:00Z", 365), ("2023-03-01T00:00:00Z", 366)]);
        check("2024-02-29T00:00:00Z", &[("2023-03-01T00:00:00Z", 366)]);
    }

    #[test]
    fn a_rolling_window_may_start_before_1970() {
        let mut policy = preset();
        policy.window = WindowRule::Rolling(DurationMs::days(365));
        let expected = Frame { from: -365 * DAY_MS, whole: 365 * DAY_MS, budget: 22_075_200 };
        assert_eq!(frames(&policy, 0), [expected]);
    }
}
