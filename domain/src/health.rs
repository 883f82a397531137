//! What is remembered of a subject's health in a region beside its pages, as plain values (R24).
//!
//! [`HealthParts`] is the form in which it is stored. Its lists are sound in themselves once they
//! exist; whether they contradict each other is for whoever computes with them to say.

use crate::event::HealthState;
use crate::page::PageNo;
use crate::time::{HOUR_MS, Timestamp};

/// Minutes in an hour: one bit each in a word.
pub const HOUR_MINUTES: u32 = 60;
/// The bits of a whole hour.
pub const HOUR_WHOLE: u64 = (1 << HOUR_MINUTES) - 1;

/// The health of a subject in a region without its pages.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct HealthParts {
    /// What lies before this page isn't known any more, but for a state that went on holding.
    pub forgotten: PageNo,
    /// From this page on none was ever made; earlier ones may be stored.
    pub horizon: PageNo,
    /// The down minutes, ended or not.
    pub down: MinuteRuns,
    /// The judged minutes, ended or not.
    pub judged: MinuteRuns,
    /// How far explicit states hold.
    pub states: StateRuns,
}

/// Hours in a row with the same minutes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HourRun {
    /// The first hour, since 1970.
    pub hour: u32,
    /// How many hours, at least one.
    pub hours: u32,
    /// The minutes of each of the hours, lowest bit first; at least one.
    pub bits: u64,
}

/// A set of minutes: runs that rise, don't overlap, and of which no two in a row could be one.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MinuteRuns(Vec<HourRun>);

/// Explicit states of one page that say the same, close enough to each other to be one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateRun {
    /// The instant of the first.
    pub from: Timestamp,
    /// Milliseconds from the first to the last; less than a page.
    pub lasts_ms: u32,
    /// What they say.
    pub state: HealthState,
}

/// Runs of explicit states that rise and don't overlap.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StateRuns(Vec<StateRun>);

impl HourRun {
    /// The first hour after it.
    #[must_use]
    pub const fn end(self) -> u32 {
        self.hour + self.hours
    }

    /// Whether it holds a minute, and none that lies outside of its hours or of accepted time.
    fn is_sound(self) -> bool {
        let hours_max = Timestamp::MAX.ms() / HOUR_MS + 1;
        let end = i64::from(self.hour) + i64::from(self.hours);
        self.hours > 0 && end <= hours_max && self.bits != 0 && self.bits <= HOUR_WHOLE
    }
}

impl MinuteRuns {
    /// A set; `None` where runs are empty, lie outside of time, don't rise, or could be fewer.
    #[must_use]
    pub fn new(runs: Vec<HourRun>) -> Option<Self> {
        let apart = |a: HourRun, b: HourRun| a.end() < b.hour || (a.end() == b.hour && a.bits != b.bits);
        let sound = runs.iter().all(|run| run.is_sound()) && runs.windows(2).all(|pair| apart(pair[0], pair[1]));
        sound.then_some(Self(runs))
    }

    /// The runs, in order of time.
    #[must_use]
    pub fn as_slice(&self) -> &[HourRun] {
        &self.0
    }

    /// The runs, in order of time.
    #[must_use]
    pub fn into_vec(self) -> Vec<HourRun> {
        self.0
    }
}

impl StateRun {
    /// The instant of its last state.
    #[must_use]
    pub fn last(self) -> Timestamp {
        Timestamp::clamped(self.from.ms() + i64::from(self.lasts_ms))
    }

    /// Whether first and last state lie in one page.
    fn is_sound(self) -> bool {
        let last = Timestamp::from_ms(self.from.ms() + i64::from(self.lasts_ms));
        last.is_some_and(|last| PageNo::of(last) == PageNo::of(self.from))
    }
}

impl StateRuns {
    /// The runs; `None` where one isn't within a page, or they don't rise.
    #[must_use]
    pub fn new(runs: Vec<StateRun>) -> Option<Self> {
        let sound = runs.iter().all(|run| run.is_sound()) && runs.windows(2).all(|pair| pair[0].last() < pair[1].from);
        sound.then_some(Self(runs))
    }

    /// The runs, in order of time.
    #[must_use]
    pub fn as_slice(&self) -> &[StateRun] {
        &self.0
    }

    /// The runs, in order of time.
    #[must_use]
    pub fn into_vec(self) -> Vec<StateRun> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::PAGE_MS;

    #[test]
    fn minutes_rise_within_time_and_are_as_few_runs_as_can_be() {
        const HOURS: u32 = 70_389_528;
        let check = |runs: &[(u32, u32, u64)], expected: bool| {
            let list = runs.iter().map(|&(hour, hours, bits)| HourRun { hour, hours, bits }).collect();
            assert_eq!(MinuteRuns::new(list).is_some(), expected, "{runs:?}");
        };
        check(&[], true);
        check(&[(0, 1, 1), (1, 2, HOUR_WHOLE), (5, 1, HOUR_WHOLE)], true);
        check(&[(HOURS - 1, 1, 1)], true);
        check(&[(HOURS - 1, 2, 1)], false);
        check(&[(u32::MAX, u32::MAX, 1)], false);
        check(&[(0, 0, 1)], false);
        check(&[(0, 1, 0)], false);
        check(&[(0, 1, HOUR_WHOLE + 1)], false);
        check(&[(0, 2, 1), (2, 1, 1)], false);
        check(&[(0, 2, 1), (1, 1, 2)], false);
        check(&[(2, 1, 1), (0, 1, 1)], false);
    }

    #[test]
    fn states_rise_each_within_a_page() {
        use HealthState::{Down, Maintenance, Up};
        let check = |runs: &[(i64, u32, HealthState)], expected: bool| {
            let run = |&(from, lasts_ms, state): &_| StateRun { from: Timestamp::clamped(from), lasts_ms, state };
            assert_eq!(StateRuns::new(runs.iter().map(run).collect()).is_some(), expected, "{runs:?}");
        };
        check(&[], true);
        check(&[(5, 3, Up), (9, 0, Up), (PAGE_MS - 1, 0, Down), (PAGE_MS, 0, Down)], true);
        check(&[(PAGE_MS - 1, 1, Up)], false);
        check(&[(Timestamp::MAX.ms(), 1, Up)], false);
        check(&[(5, u32::MAX, Up)], false);
        check(&[(5, 0, Maintenance), (6, 0, Down)], true);
        check(&[(5, 3, Up), (8, 0, Down)], false);
        check(&[(5, 0, Up), (4, 0, Up)], false);
    }
}
