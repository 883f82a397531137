use proptest::prelude::*;

use super::*;

/// Time in steps of ten minutes: an hour is six of them, a day 144.
const STEP_MS: i64 = 10 * 60_000;
const HOUR: usize = 6;
const DAY: usize = 144;

fn at(step: usize) -> Timestamp {
    Timestamp::clamped(i64::try_from(step).expect("few steps") * STEP_MS)
}

/// The periods of maintenance in steps, T in milliseconds; the stretches in steps, each with its periods and time.
type Told = (usize, usize, usize, usize);

fn asked(periods: &[(usize, usize)], t: Timestamp) -> Vec<Stretch> {
    let set: IntervalSet = periods.iter().map(|(from, to)| Interval::new(at(*from), at(*to))).collect();
    stretches(&set.clip(Interval::new(Timestamp::MIN, t)), t)
}

fn check(periods: &[(usize, usize)], t_ms: i64, expected: &[Told]) {
    let told = |&(from, to, periods, maintained): &Told| Stretch {
        interval: Interval::new(at(from), at(to)),
        periods,
        maintained: at(maintained) - Timestamp::MIN,
    };
    let expected: Vec<Stretch> = expected.iter().map(told).collect();
    assert_eq!(asked(periods, Timestamp::clamped(t_ms)), expected, "{periods:?} at {t_ms}");
}

#[test]
fn a_stretch_is_asked_for_once_it_is_over_for_more_than_an_hour() {
    check(&[], 1_000_000_000, &[]);
    check(&[(6, 48)], 54 * STEP_MS, &[]);
    check(&[(6, 48)], 54 * STEP_MS + 1, &[(6, 48, 1, 42)]);
    check(&[(6, 48)], 47 * STEP_MS, &[]);
}

#[test]
fn periods_within_an_hour_of_each_other_are_one() {
    let late = 1_000 * STEP_MS;
    check(&[(0, 1), (7, 9), (16, 17)], late, &[(0, 9, 2, 3), (16, 17, 1, 1)]);
    let flapping: Vec<(usize, usize)> = (0..60).map(|n| (2 * n, 2 * n + 1)).collect();
    check(&flapping, late, &[(0, 119, 60, 60)]);
}

#[test]
fn what_lasts_longer_than_a_day_is_asked_for_by_utc_day_while_it_goes_on() {
    check(&[(100, 244)], 250 * STEP_MS + 1, &[(100, 244, 1, 144)]);
    let long = [(100, 1_000)];
    check(&long, 244 * STEP_MS, &[]);
    check(&long, 244 * STEP_MS + 1, &[(100, 144, 1, 44)]);
    check(&long, 294 * STEP_MS + 1, &[(100, 144, 1, 44), (144, 288, 1, 144)]);
    check(&[(100, 140), (146, 300)], 307 * STEP_MS, &[(100, 140, 1, 40), (146, 288, 1, 142), (288, 300, 1, 12)]);
}

/// Every step of maintenance by itself: of what group it is, and on which day.
fn naive(steps: &[bool], t: Timestamp) -> Vec<Stretch> {
    let known: Vec<usize> = (0..steps.len()).filter(|step| steps[*step]).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for step in known {
        match groups.last_mut() {
            Some(group) if step - group[group.len() - 1] - 1 <= HOUR => group.push(step),
            _ => groups.push(vec![step]),
        }
    }
    let mut parts = Vec::new();
    for group in groups {
        let end = group[group.len() - 1] + 1;
        if end - group[0] <= DAY {
            parts.push((group, end));
        } else {
            let mut days: Vec<usize> = group.iter().map(|step| step / DAY).collect();
            days.dedup();
            let of_day = |day: &usize| group.iter().copied().filter(|step| step / DAY == *day).collect::<Vec<_>>();
            parts.extend(days.iter().map(|day| (of_day(day), end.min((day + 1) * DAY))));
        }
    }
    let over = parts.into_iter().filter(|(_, end)| at(end + HOUR) < t);
    over.map(|(part, _)| Stretch {
        interval: Interval::new(at(part[0]), at(part[part.len() - 1] + 1)),
        periods: 1 + part.windows(2).filter(|pair| pair[1] > pair[0] + 1).count(),
        maintained: at(part.len()) - Timestamp::MIN,
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn stretches_are_those_that_a_naive_reader_finds(
        runs in prop::collection::vec((prop_oneof![1_usize..10, 1_usize..300], prop_oneof![1_usize..9, 1_usize..200]), 0..20),
        t in 0_usize..2_000,
    ) {
        let mut steps = Vec::new();
        for (maintained, free) in runs {
            steps.extend(std::iter::repeat_n(true, maintained));
            steps.extend(std::iter::repeat_n(false, free));
        }
        steps.truncate(t);
        let periods: Vec<(usize, usize)> = (0..steps.len()).filter(|step| steps[*step]).map(|step| (step, step + 1)).collect();
        let told = asked(&periods, at(t));
        prop_assert_eq!(&told, &naive(&steps, at(t)));
        // What was asked for stays, and of a day there are no more than hours.
        let later = asked(&periods, at(t + 100));
        prop_assert!(told.iter().all(|stretch| later.contains(stretch)), "{told:?} then {later:?}");
        for day in told.iter().map(|stretch| stretch.interval.from.floor_day()) {
            prop_assert!(told.iter().filter(|stretch| stretch.interval.from.floor_day() == day).count() <= 24);
        }
    }
}
