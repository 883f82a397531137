//! Durations, percentages and days of the year as policies spell them.

use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::{DurationMs, Ppm, Timestamp};

/// Longest accepted duration: from the earliest to the latest instant, in milliseconds.
pub(super) const DURATION_MS_MAX: i64 = Timestamp::MAX.ms();

/// Most decimals of a percentage.
const PERCENT_DECIMALS_MAX: usize = 4;

/// Units by name, with their lengths in milliseconds, the longest first.
const UNITS: [(&str, i64); 5] = [("d", DAY_MS), ("h", HOUR_MS), ("m", MINUTE_MS), ("s", 1000), ("ms", 1)];

/// A year that has no 29 February.
const SHORT_YEAR: i32 = 2023;

/// `365d`, `24h`, `5m`, `10s` or `250ms`.
pub(super) fn duration(text: &str) -> Option<DurationMs> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, unit_ms) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let ms = digits.parse::<i64>().ok()?.checked_mul(unit_ms)?;
    (ms <= DURATION_MS_MAX).then_some(DurationMs(ms))
}

/// A duration in the longest unit of which it is a whole number.
pub(super) fn duration_text(duration: DurationMs) -> String {
    let ms = duration.ms();
    let (unit, unit_ms) = UNITS.into_iter().find(|(_, unit_ms)| ms != 0 && ms % unit_ms == 0).unwrap_or(("ms", 1));
    format!("{}{unit}", ms / unit_ms)
}

/// `0%` to `100%`, exact to four decimals.
pub(super) fn percent(text: &str) -> Option<Ppm> {
    let number = text.strip_suffix('%')?;
    let (whole, decimals) = match number.split_once('.') {
        Some((whole, decimals)) if (1..=PERCENT_DECIMALS_MAX).contains(&decimals.len()) => (whole, decimals),
        Some(_) => return None,
        None => (number, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(decimals.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{decimals:0<PERCENT_DECIMALS_MAX$}").parse().ok().and_then(Ppm::new)
}

/// `MM-DD`, a day that every year has.
pub(super) fn day_of_year(text: &str) -> Option<(u32, u32)> {
    let (month, day) = text.split_once('-')?;
    let two_digits =
        |part: &str| (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?;
    let (month, day) = (two_digits(month)?, two_digits(day)?);
    Timestamp::from_date(SHORT_YEAR, month, day).map(|_| (month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_a_unit() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(duration(text).map(DurationMs::ms), expected, "{text}");
        check("365d", Some(365 * DAY_MS));
        check("24h", Some(24 * HOUR_MS));
        check("5m", Some(300_000));
        check("7s", Some(7000));
        check("1ms", Some(1));
        check("0ms", Some(0));
        check("2932896d", Some(2_932_896 * DAY_MS));
        for bad in [
            "",
            "5",
            "m",
            "ms",
            "-5m",
            "+5m",
            "5 m",
            " 5m",
            "5m ",
            "1.5h",
            "5M",
            "5min",
            "5w",
            "٥m",
            "2932897d",
            "99999999999999999999d",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn durations_are_written_in_the_longest_whole_unit() {
        let check = |ms: i64, expected: &str| assert_eq!(duration_text(DurationMs(ms)), expected);
        check(31_536_000_000, "365d");
        check(86_400_000, "1d");
        check(90_000, "90s");
        check(300_000, "5m");
        check(1001, "1001ms");
        check(0, "0ms");
    }

    #[test]
    fn percentages_have_at_most_four_decimals() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(percent(text).map(Ppm::get), expected, "{text}");
        check("99.93%", Some(999_300));
        check("0%", Some(0));
        check("100%", Some(1_000_000));
        check("100.0000%", Some(1_000_000));
        check("0.0001%", Some(1));
        check("5.5%", Some(55_000));
        for bad in [
            "",
            "%",
            "99.93",
            "99,93%",
            "100.0001%",
            "101%",
            "-1%",
            "+1%",
            "1.%",
            ".5%",
            "1.00000%",
            "1e1%",
            "50 %",
            "99999999999%",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn windows_reset_on_days_that_every_year_has() {
        let check = |text: &str, expected: Option<(u32, u32)>| assert_eq!(day_of_year(text), expected, "{text}");
        check("01-01", Some((1, 1)));
        check("12-31", Some((12, 31)));
        check("02-28", Some((2, 28)));
        for bad in ["02-29", "02-30", "04-31", "13-01", "00-10", "01-00", "1-1", "01-1", "0101", "01-01-01", "+1-01", ""] {
            check(bad, None);
        }
    }
}
