//! Time as data (R1): epoch milliseconds in UTC, and calendar arithmetic on them.

use std::fmt;
use std::ops::{Add, Sub};

use chrono::{DateTime, Datelike, Months, NaiveDate, SecondsFormat, Utc};

/// Milliseconds in one UTC minute, the length of a slice (R3).
pub const MINUTE_MS: i64 = 60_000;
/// Milliseconds in one hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds in one UTC day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A length of time in milliseconds, never negative by construction at the edge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct DurationMs(pub i64);

impl Timestamp {
    /// The earliest accepted instant, 1970-01-01T00:00:00.000Z.
    pub const MIN: Self = Self(0);
    /// The latest accepted instant, 9999-12-31T23:59:59.999Z; also stands for "for ever" as an
    /// interval's end.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// An instant from epoch milliseconds, or `None` outside [`Self::MIN`] … [`Self::MAX`].
    #[must_use]
    pub const fn from_ms(ms: i64) -> Option<Self> {
        if ms < Self::MIN.0 || ms > Self::MAX.0 { None } else { Some(Self(ms)) }
    }

    /// An instant from epoch milliseconds, pulled into the accepted range.
    #[must_use]
    pub const fn clamped(ms: i64) -> Self {
        if ms < Self::MIN.0 {
            Self::MIN
        } else if ms > Self::MAX.0 {
            Self::MAX
        } else {
            Self(ms)
        }
    }

    /// Parses RFC 3339 with any offset; what is finer than a millisecond is cut off.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().and_then(|at| Self::from_ms(at.timestamp_millis()))
    }

    /// Epoch milliseconds.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// The number of the UTC minute that holds this instant.
    #[must_use]
    pub const fn minute(self) -> i64 {
        self.0.div_euclid(MINUTE_MS)
    }

    /// The start of the UTC minute that holds this instant.
    #[must_use]
    pub const fn floor_minute(self) -> Self {
        Self(self.minute() * MINUTE_MS)
    }

    /// 00:00 UTC of the day that holds this instant.
    #[must_use]
    pub const fn floor_day(self) -> Self {
        Self(self.0.div_euclid(DAY_MS) * DAY_MS)
    }

    /// The first 00:00 UTC at or after this instant.
    #[must_use]
    pub const fn ceil_day(self) -> Self {
        Self((self.0 + DAY_MS - 1).div_euclid(DAY_MS) * DAY_MS)
    }

    /// "k months after s" (R1): same day and time, the day clamped to the month's end.
    ///
    /// Always call this on the original start, never on an earlier result: 31 January plus two
    /// months is 31 March, but 28 February plus one month is 28 March.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        self.utc().checked_add_months(Months::new(months)).map_or(Self::MAX, |at| Self::clamped(at.timestamp_millis()))
    }

    /// The calendar year (UTC) that holds this instant.
    #[must_use]
    pub fn year(self) -> i32 {
        self.utc().year()
    }

    /// 00:00 UTC of a calendar day, or `None` where there is no such day.
    #[must_use]
    pub fn from_date(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day)
            .and_then(|date| date.and_hms_opt(0, 0, 0))
            .and_then(|at| Self::from_ms(at.and_utc().timestamp_millis()))
    }

    /// 00:00 UTC of the next day; `None` on the last day there is.
    #[must_use]
    pub fn next_day(self) -> Option<Self> {
        Self::from_ms(self.floor_day().0 + DAY_MS)
    }

    /// The later instant that is `by` after this one, at most [`Self::MAX`].
    #[must_use]
    pub const fn saturating_add(self, by: DurationMs) -> Self {
        Self::clamped(self.0.saturating_add(by.0))
    }

    /// The earlier instant that is `by` before this one, at least [`Self::MIN`].
    #[must_use]
    pub const fn saturating_sub(self, by: DurationMs) -> Self {
        Self::clamped(self.0.saturating_sub(by.0))
    }

    fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl Sub for Timestamp {
    type Output = DurationMs;

    fn sub(self, earlier: Self) -> DurationMs {
        DurationMs(self.0 - earlier.0)
    }
}

impl Add<DurationMs> for Timestamp {
    type Output = Self;

    fn add(self, by: DurationMs) -> Self {
        self.saturating_add(by)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with milliseconds and `Z` (R1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl DurationMs {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// The length in milliseconds.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// A length of whole days.
    #[must_use]
    pub const fn days(days: i64) -> Self {
        Self(days * DAY_MS)
    }
}

impl fmt::Display for DurationMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a valid instant")
    }

    #[test]
    fn months_are_counted_from_the_start_and_clamped() {
        let check = |start: &str, months: u32, expected: &str| {
            assert_eq!(at(start).plus_months(months).to_string(), expected, "{start} + {months}");
        };
        check("2025-01-31T17:00:00Z", 1, "2025-02-28T17:00:00.000Z");
        check("2025-01-31T17:00:00Z", 2, "2025-03-31T17:00:00.000Z");
        check("2024-01-31T17:00:00Z", 1, "2024-02-29T17:00:00.000Z");
        check("2025-11-30T00:00:00Z", 3, "2026-02-28T00:00:00.000Z");
        check("2025-03-01T06:40:00.001Z", 4, "2025-07-01T06:40:00.001Z");
    }

    #[test]
    fn instants_print_as_rfc3339_with_milliseconds() {
        assert_eq!(at("2026-03-01T01:07:12.5+01:00").to_string(), "2026-03-01T00:07:12.500Z");
        assert_eq!(at("2026-03-01T00:07:12.123999Z").to_string(), "2026-03-01T00:07:12.123Z");
        assert_eq!(Timestamp::parse_rfc3339("2026-03-01"), None);
        assert_eq!(Timestamp::from_ms(-1), None);
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn days_start_at_midnight_utc() {
        assert_eq!(at("2026-03-01T00:00:00Z").ceil_day(), at("2026-03-01T00:00:00Z"));
        assert_eq!(at("2026-02-28T00:00:00.001Z").ceil_day(), at("2026-03-01T00:00:00Z"));
        assert_eq!(at("2026-02-28T23:59:59.999Z").floor_day(), at("2026-02-28T00:00:00Z"));
        assert_eq!(at("2026-02-28T12:00:00Z").next_day(), Some(at("2026-03-01T00:00:00Z")));
        assert_eq!(Timestamp::MAX.next_day(), None);
    }
}
