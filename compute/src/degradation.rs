//! Rolling quality of a skill's service in a region: how many attempts succeed, and how long the
//! slowest tenth takes.
//!
//! Kept per whole minute, so that late reports count and a judgement at a minute's end is the
//! same whatever the order of arrival. Latencies are kept as a histogram a minute: bounded however
//! many there are, and exact to two digits.

use std::collections::VecDeque;

use domain::decision::Reason;
use domain::policy::Degradation;
use domain::ratio::{PPM, Ppm};
use domain::time::{DurationMs, MINUTE_MS, Timestamp};
use hdrhistogram::Histogram;

/// Longest latency that is told apart from longer ones, in milliseconds: whoever spoke to a device
/// has given up long before.
pub const LATENCY_MS_MAX: u64 = 120_000;
/// Most minutes that are kept. The longest window of a policy is an hour.
pub const KEPT_MINUTES_MAX: i64 = 120;
/// Decimal digits to which latencies are kept: the slowest tenth's is up to 1 % too high.
const DIGITS: u8 = 2;

/// What was reported lately of one skill in one region.
#[derive(Clone, Debug)]
pub struct Quality {
    /// Rising; only those of which something was reported, within `kept` of the last.
    minutes: VecDeque<Minute>,
    /// How many minutes are kept.
    kept: i64,
}

#[derive(Clone, Debug)]
struct Minute {
    /// Minutes since 1970.
    number: i64,
    ok: u64,
    failed: u64,
    /// Only where latencies were reported. Of more than 2³² in a minute that are as long the rest
    /// isn't counted.
    latencies: Option<Histogram<u32>>,
}

/// A service that is degraded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Degraded {
    /// Attempts in the window.
    pub attempts: u64,
    /// Their share that succeeded, rounded down.
    pub success: Ppm,
    /// Latency in milliseconds that nine tenths of the timed attempts didn't exceed, up to 1 % too
    /// high and at most [`LATENCY_MS_MAX`]; `None` where none was timed.
    pub p90_ms: Option<u64>,
    /// Why; at least one.
    pub reasons: Vec<Reason>,
}

impl Quality {
    /// Nothing reported yet. What is kept reaches back by `window`, the longest of any version,
    /// from `ahead` before the latest minute: that far may reports be ahead of what is judged.
    /// Together at most [`KEPT_MINUTES_MAX`].
    #[must_use]
    pub const fn new(window: DurationMs, ahead: DurationMs) -> Self {
        let minutes = window.ms().saturating_add(ahead.ms()).saturating_add(MINUTE_MS - 1) / MINUTE_MS;
        let kept = if minutes > KEPT_MINUTES_MAX { KEPT_MINUTES_MAX } else { minutes };
        Self { minutes: VecDeque::new(), kept }
    }

    /// Adds attempts to the minute that holds `at`, and how many took how many milliseconds. What
    /// is older than what is kept is dropped.
    pub fn add(&mut self, at: Timestamp, ok: u64, failed: u64, latencies: impl Iterator<Item = (u64, u64)>) {
        let number = at.minute();
        let newest = self.minutes.back().map_or(number, |last| last.number.max(number));
        if number <= newest - self.kept {
            return;
        }
        while self.minutes.front().is_some_and(|first| first.number <= newest - self.kept) {
            self.minutes.pop_front();
        }
        let place = self.minutes.binary_search_by_key(&number, |minute| minute.number).unwrap_or_else(|place| {
            self.minutes.insert(place, Minute { number, ok: 0, failed: 0, latencies: None });
            place
        });
        let minute = &mut self.minutes[place];
        minute.ok = minute.ok.saturating_add(ok);
        minute.failed = minute.failed.saturating_add(failed);
        for (latency_ms, count) in latencies {
            let histogram = minute.latencies.get_or_insert_with(histogram);
            histogram.saturating_record_n(latency_ms.min(LATENCY_MS_MAX), u32::try_from(count).unwrap_or(u32::MAX));
        }
    }

    /// Judges the minutes that lie in the rules' window before `at` and have ended by then. `None`
    /// when the service is fine or the attempts are too few to tell; latencies are judged when as
    /// many attempts were timed. A limit above [`LATENCY_MS_MAX`] is taken as that.
    #[must_use]
    pub fn judge(&self, at: Timestamp, rules: &Degradation) -> Option<Degraded> {
        let to = at.floor_minute();
        let (from, to) = (to.saturating_sub(rules.window), to.minute());
        let window = || self.minutes.iter().filter(|minute| minute.number < to && minute.number * MINUTE_MS >= from.ms());
        let (ok, attempts) = window().fold((0_u64, 0_u64), |(ok, attempts), minute| {
            let more = minute.ok.saturating_add(minute.failed);
            (ok.saturating_add(minute.ok), attempts.saturating_add(more))
        });
        if attempts == 0 || attempts < rules.min_attempts {
            return None;
        }
        let whole = u128::from(PPM.unsigned_abs());
        let fails = u128::from(ok) * whole < u128::from(attempts) * u128::from(rules.min_success.get().unsigned_abs());
        let (timed, p90_ms) = p90(window().filter_map(|minute| minute.latencies.as_ref()));
        let max_p90_ms = rules.max_p90.ms().unsigned_abs().min(LATENCY_MS_MAX);
        let is_slow = timed >= rules.min_attempts && p90_ms.is_some_and(|p90_ms| p90_ms >= max_p90_ms);
        let reasons = [(fails, Reason::Success), (is_slow, Reason::Latency)];
        let reasons: Vec<Reason> = reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect();
        let success = u32::try_from(u128::from(ok) * whole / u128::from(attempts)).ok().and_then(Ppm::new)?;
        (!reasons.is_empty()).then_some(Degraded { attempts, success, p90_ms, reasons })
    }
}

/// How many were timed, and what nine tenths of them, rounded up, didn't exceed.
fn p90<'a>(minutes: impl Iterator<Item = &'a Histogram<u32>>) -> (u64, Option<u64>) {
    let mut counts: Vec<(u64, u64)> = minutes
        .flat_map(|minute| minute.iter_recorded().map(|step| (step.value_iterated_to(), step.count_since_last_iteration())))
        .collect();
    counts.sort_unstable();
    let timed = counts.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
    let mut below = 0_u64;
    let p90_ms = counts.into_iter().find_map(|(latency_ms, count)| {
        below = below.saturating_add(count);
        (u128::from(below) * 10 >= u128::from(timed) * 9).then_some(latency_ms.min(LATENCY_MS_MAX))
    });
    (timed, p90_ms)
}

fn histogram() -> Histogram<u32> {
    Histogram::new_with_max(LATENCY_MS_MAX, DIGITS).expect("these are bounds that a histogram may have")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Reason::{Latency, Success};

    const WINDOW: i64 = 5;
    const AHEAD: i64 = 3;

    fn at(minute: i64) -> Timestamp {
        Timestamp::clamped(minute * MINUTE_MS)
    }

    fn minutes(count: i64) -> DurationMs {
        DurationMs(count * MINUTE_MS)
    }

    fn rules(min_success: u32, max_p90_ms: i64, min_attempts: u64) -> Degradation {
        let min_success = Ppm::new(min_success).expect("at most one whole");
        Degradation { window: minutes(WINDOW), min_success, max_p90: DurationMs(max_p90_ms), min_attempts }
    }

    /// Whose minute, ok, failed, latencies.
    type Report = (i64, u64, u64, Vec<(u64, u64)>);

    fn reports() -> impl Strategy<Value = Vec<Report>> {
        let latency = prop_oneof![0..300_u64, 4_000..6_000_u64, 0..200_000_u64];
        prop::collection::vec((0..30_i64, 0..20_u64, 0..6_u64, prop::collection::vec((latency, 1..9_u64), 0..6)), 1..40)
    }

    /// All samples, sorted: the judgement without the reason of latency, how many were timed, and
    /// the exact latency of the slowest tenth.
    fn oracle(reports: &[Report], end: i64, rules: &Degradation) -> (u64, u64, Option<u64>, u64) {
        let window = || reports.iter().filter(|(minute, ..)| (end - WINDOW..end).contains(minute));
        let ok: u64 = window().map(|(_, ok, ..)| ok).sum();
        let attempts = ok + window().map(|(_, _, failed, _)| failed).sum::<u64>();
        let mut samples: Vec<u64> = window()
            .flat_map(|(.., latencies)| latencies)
            .flat_map(|&(latency, count)| std::iter::repeat_n(latency.min(LATENCY_MS_MAX), usize::try_from(count).expect("few")))
            .collect();
        samples.sort_unstable();
        let rank = (samples.len() * 9).div_ceil(10);
        let p90 = rank.checked_sub(1).map(|place| samples[place]);
        let timed = samples.len() as u64;
        (ok, attempts, p90.filter(|_| timed >= rules.min_attempts), timed)
    }

    proptest! {
        #[test]
        fn judgements_are_those_of_all_samples(
            reports in reports(), back in 0..=AHEAD, min_success in 500_000..=1_000_000_u32, max_p90_ms in 1..6_000_i64, min_attempts in 1..60_u64,
        ) {
            let rules = rules(min_success, max_p90_ms, min_attempts);
            let mut quality = Quality::new(rules.window, minutes(AHEAD));
            for (minute, ok, failed, latencies) in &reports {
                quality.add(Timestamp::clamped(at(*minute).ms() + 500), *ok, *failed, latencies.iter().copied());
                prop_assert!(quality.minutes.len() <= usize::try_from(WINDOW + AHEAD).expect("few"));
            }
            let end = reports.iter().map(|(minute, ..)| minute + 1).max().expect("at least one") - back;
            let (ok, attempts, p90, timed) = oracle(&reports, end, &rules);
            let judged = quality.judge(at(end), &rules);
            if attempts < min_attempts {
                prop_assert_eq!(judged, None);
                return Ok(());
            }
            let reasons = judged.as_ref().map_or(&[][..], |degraded| &degraded.reasons);
            prop_assert_eq!(reasons.contains(&Success), ok * 1_000_000 < attempts * u64::from(min_success));
            let limit = max_p90_ms.unsigned_abs();
            match p90 {
                Some(p90) if p90 >= limit => prop_assert!(reasons.contains(&Latency), "{p90}"),
                Some(p90) if p90 + p90 / 100 >= limit => {}
                _ => prop_assert!(!reasons.contains(&Latency), "{p90:?} of {timed}"),
            }
            if let Some(degraded) = judged {
                prop_assert_eq!(degraded.attempts, attempts);
                prop_assert_eq!(degraded.success.get().unsigned_abs(), ok * 1_000_000 / attempts);
                prop_assert_eq!(degraded.p90_ms.is_some(), timed > 0);
                if let (Some(exact), Some(told)) = (p90, degraded.p90_ms) {
                    prop_assert!((exact..=exact + exact / 100).contains(&told), "{told} for {exact}");
                }
            }
        }
    }

    fn check(ok: u64, failed: u64, latencies: &[(u64, u64)], expected: &[Reason]) {
        let mut quality = Quality::new(minutes(WINDOW), minutes(AHEAD));
        quality.add(at(7), ok, failed, latencies.iter().copied());
        let reasons =
            |end| quality.judge(at(end), &rules(850_000, 5_000, 100)).map(|degraded| degraded.reasons).unwrap_or_default();
        assert_eq!(reasons(8), expected, "{ok} ok, {failed} failed, {latencies:?}");
        assert_eq!(reasons(7 + WINDOW), expected, "in the window to its end");
        assert_eq!((reasons(7), reasons(8 + WINDOW)), (vec![], vec![]), "not ended, or out of the window");
    }

    #[test]
    fn the_limits_are_those_of_the_rules() {
        check(85, 15, &[], &[]);
        check(84, 16, &[], &[Success]);
        check(0, 99, &[], &[]);
        check(100, 0, &[(10, 90), (9_000, 10)], &[]);
        check(100, 0, &[(10, 89), (5_000, 11)], &[Latency]);
        check(100, 0, &[(10, 89), (4_900, 11)], &[]);
        check(80, 20, &[(u64::MAX, 100)], &[Success, Latency]);
        check(100, 0, &[(9_000, 99)], &[]);
    }

    #[test]
    fn any_numbers_are_taken() {
        let mut quality = Quality::new(DurationMs(i64::MAX), DurationMs(i64::MAX));
        for minute in [0, 500, 3, 500] {
            quality.add(at(minute), u64::MAX, u64::MAX, [(0, u64::MAX), (u64::MAX, u64::MAX)].into_iter());
        }
        quality.add(Timestamp::MAX, 0, u64::MAX, std::iter::empty());
        assert_eq!(quality.minutes.len(), 1);
        let rules = Degradation { window: DurationMs(i64::MAX), ..rules(1, 1, u64::MAX) };
        assert_eq!(quality.judge(Timestamp::MAX, &rules), None, "the last minute never ends");
    }
}
