//! How many attempts there are in a minute, and how many fail. Integers only, so that every
//! machine draws the same.

use domain::ratio::PPM;
use domain::{EventBody, Region};

use super::channel::{Channel, MINUTES_A_DAY};
use crate::dice::Dice;

/// Traffic at each full hour of local time, in percent of the busiest.
const HOURLY_PERCENT: [i64; 24] =
    [30, 22, 18, 15, 15, 20, 38, 60, 70, 62, 55, 55, 60, 60, 58, 60, 68, 80, 95, 100, 98, 85, 65, 45];
/// Traffic of each day of the week from Monday on, in percent of the average.
const WEEKLY_PERCENT: [i64; 7] = [92, 90, 90, 92, 97, 108, 110];
/// How far a minute strays from that, in parts per million.
const STRAY_PPM: i64 = 120_000;
/// 1 January 1970 was a Thursday.
const FIRST_WEEKDAY: i64 = 3;

/// Expected attempts of a minute, in parts per million of the busiest time's.
fn level_ppm(region: Region, minute: i64) -> i64 {
    let local = minute
        + 60 * match region {
            Region::Na => -5,
            Region::Eu => 1,
            Region::Fe => 9,
        };
    let (day, of_day) = (local.div_euclid(MINUTES_A_DAY), local.rem_euclid(MINUTES_A_DAY));
    let percent = |hour: i64| HOURLY_PERCENT[usize::try_from(hour.rem_euclid(24)).expect("an hour")];
    let (hour, within) = (of_day / 60, of_day % 60);
    let hourly = percent(hour) * (60 - within) + percent(hour + 1) * within;
    let weekday = usize::try_from((day + FIRST_WEEKDAY).rem_euclid(7)).expect("a weekday");
    hourly * WEEKLY_PERCENT[weekday] * (PPM / 10_000) / 60
}

/// The counts of a minute of a channel, of whose attempts `failing_ppm` fail by an incident.
/// (`ok`, `failed`); at least one attempt.
pub(crate) fn counts(channel: &Channel, minute: i64, failing_ppm: u32, dice: &mut Dice) -> (u32, u32) {
    let level = level_ppm(channel.region, minute) * dice.between(PPM - STRAY_PPM, PPM + STRAY_PPM) / PPM;
    let attempts = ((i64::from(channel.attempts_peak) * level + dice.between(0, PPM - 1)) / PPM).max(1);
    // What no incident touches still fails now and then.
    let failing = i64::from(failing_ppm) + (PPM - i64::from(failing_ppm)) * i64::from(channel.noise_ppm) / PPM;
    let failed = (attempts * failing + dice.between(0, PPM - 1)) / PPM;
    let count = |value: i64| u32::try_from(value).expect("bounded by the peak");
    (count(attempts - failed), count(failed))
}

/// Splits counts between two reporters; the second may get nothing of one of them.
pub(crate) fn split(ok: u32, failed: u32, dice: &mut Dice) -> [EventBody; 2] {
    let part = |whole: u32, dice: &mut Dice| u32::try_from(dice.between(0, i64::from(whole))).expect("within the whole");
    let (first_ok, first_failed) = (part(ok, dice), part(failed, dice));
    [
        EventBody::Outcome { ok: first_ok, failed: first_failed },
        EventBody::Outcome { ok: ok - first_ok, failed: failed - first_failed },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenings_are_busy_nights_are_not_by_local_time() {
        // Wednesday, 1 January 2025.
        let minute = |hour: i64| 20_089 * MINUTES_A_DAY + hour * 60;
        let check = |region, utc_hour, expected| assert_eq!(level_ppm(region, minute(utc_hour)), expected, "{region} {utc_hour}");
        check(Region::Eu, 18, 900_000);
        check(Region::Eu, 2, 135_000);
        check(Region::Na, 24, 900_000 * 92 / 90 * 90 / 92);
        check(Region::Fe, 10, 900_000);
        assert_eq!(minute(0) * domain::time::MINUTE_MS, 1_735_689_600_000);
    }

    #[test]
    fn parts_add_up() {
        let mut dice = Dice::new(1, 0);
        for _ in 0..100 {
            let [first, second] = split(7, 3, &mut dice);
            let (EventBody::Outcome { ok: a, failed: b }, EventBody::Outcome { ok: c, failed: d }) = (first, second) else {
                panic!("counts are split into counts");
            };
            assert_eq!((a + c, b + d), (7, 3));
        }
    }
}
