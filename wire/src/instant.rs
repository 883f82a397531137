//! Instants in their usual spelling, `2026-03-01T00:07:12[.500]Z`, read and written without the
//! general date parser: that alone would cost more than the rest of an event.

use domain::Timestamp;
use domain::time::DAY_MS;

/// Days of a 400-year cycle of the calendar.
const CYCLE_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

/// Reads the usual spelling. `None` says nothing about other spellings: ask
/// [`Timestamp::parse_rfc3339`].
pub(crate) fn parse_usual(text: &[u8]) -> Option<Timestamp> {
    let (seconds, rest) = text.split_first_chunk::<19>()?;
    let [y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T', h0, h1, b':', mi0, mi1, b':', s0, s1] = *seconds else {
        return None;
    };
    let year = number([y0, y1])? * 100 + number([y2, y3])?;
    let (month, day) = (number([mo0, mo1])?, number([d0, d1])?);
    let (hour, minute, second) = (number([h0, h1])?, number([mi0, mi1])?, number([s0, s1])?);
    let ms = match *rest {
        [b'Z'] => 0,
        [b'.', f0, f1, f2, b'Z'] => number([f0, f1])? * 10 + number([b'0', f2])?,
        _ => return None,
    };
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Timestamp::from_ms(days_since_epoch(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + ms)
}

/// Appends the usual spelling with milliseconds, as [`Timestamp`] displays itself.
pub(crate) fn write(at: Timestamp, out: &mut Vec<u8>) {
    let (year, month, day) = date(at.ms().div_euclid(DAY_MS));
    let ms = at.ms().rem_euclid(DAY_MS);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let parts = [(year / 100, 0), (year % 100, b'-'), (month, b'-'), (day, b'T'), (hour, b':'), (minute, b':'), (second, b'.')];
    for (number, after) in parts {
        out.extend([digit(number / 10), digit(number)]);
        if after != 0 {
            out.push(after);
        }
    }
    out.extend([digit(ms / 100), digit(ms / 10), digit(ms), b'Z']);
}

fn number(digits: [u8; 2]) -> Option<i64> {
    let [tens, ones] = digits.map(|digit| digit.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(tens) * 10 + i64::from(ones))
}

fn digit(number: i64) -> u8 {
    b"0123456789"[usize::try_from(number.rem_euclid(10)).unwrap_or(0)]
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the epoch to a date. Years are counted from 1 March, so that a leap day is the last.
const fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (cycle, year_of_cycle) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    cycle * CYCLE_DAYS + year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year - EPOCH_DAYS
}

/// The inverse of [`days_since_epoch`].
const fn date(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (cycle, day_of_cycle) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS));
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = cycle * 400 + year_of_cycle;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn odd_spellings_are_left_to_the_general_parser() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(parse_usual(text.as_bytes()).map(|at| at.to_string()).as_deref(), expected, "{text}");
        };
        check("2026-03-01T00:07:12.500Z", Some("2026-03-01T00:07:12.500Z"));
        check("2024-02-29T23:59:59Z", Some("2024-02-29T23:59:59.000Z"));
        check("9999-12-31T23:59:59.999Z", Some("9999-12-31T23:59:59.999Z"));
        check("2023-02-29T00:00:00Z", None);
        check("1969-12-31T23:59:59.999Z", None);
        check("2026-03-01T00:07:60Z", None);
        check("2026-03-01T00:07:12.5Z", None);
        check("2026-03-01T00:07:12+00:00", None);
        check("2026-3-01T00:07:12Z", None);
        check("", None);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_the_general_parser_reads(
            (year, month, day) in (1960_u32..10_100, 0_u32..15, 0_u32..33),
            (hour, minute, second) in (0_u32..26, 0_u32..62, 0_u32..62),
            ms in 0_u32..1000,
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z");
            if let Some(at) = parse_usual(text.as_bytes()) {
                prop_assert_eq!(Some(at), Timestamp::parse_rfc3339(&text));
            } else if second < 60 {
                prop_assert_eq!(None, Timestamp::parse_rfc3339(&text));
            }
        }

        #[test]
        fn what_is_written_is_what_an_instant_displays(ms in 0..=Timestamp::MAX.ms()) {
            let at = Timestamp::clamped(ms);
            let mut out = Vec::new();
            write(at, &mut out);
            prop_assert_eq!(String::from_utf8(out.clone()).expect("ASCII"), at.to_string());
            prop_assert_eq!(parse_usual(&out), Some(at));
        }
    }
}
