//! Pages: fixed stretches of a subject's past that leave memory and come back (R24).
//!
//! A page holds what can't be summed up: the counts of each minute, since a late report adds to
//! them, and each explicit state, since a late one may end it. [`PageParts`] is a page as plain
//! values, the form in which it is stored.

use crate::event::HealthState;
use crate::interval::Interval;
use crate::time::{MINUTE_MS, Timestamp};

/// Minutes of a page. Long enough that a year is some two thousand pages and a busy page of two
/// kilobytes is worth a write of its own, short enough that a late event brings back little; and
/// a divisor of the UTC day, so that whole days are whole pages.
pub const PAGE_MINUTES: u32 = 240;
/// Milliseconds of a page.
pub const PAGE_MS: i64 = PAGE_MINUTES as i64 * MINUTE_MS;

/// The number of a page: pages since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct PageNo(u32);

impl PageNo {
    /// A page by its number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The page that holds an instant.
    ///
    /// # Panics
    /// Never: instants lie between 1970 and 9999.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(u32::try_from(at.ms() / PAGE_MS).expect("instants lie between 1970 and 9999"))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Its first instant.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::clamped(i64::from(self.0) * PAGE_MS)
    }

    /// The stretch of time that it holds.
    #[must_use]
    pub fn interval(self) -> Interval {
        Interval::new(self.start(), Timestamp::clamped((i64::from(self.0) + 1) * PAGE_MS))
    }
}

/// The attempts of one minute (R3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MinuteCounts {
    /// Minutes since the page's start, below [`PAGE_MINUTES`].
    pub minute: u16,
    /// Attempts that succeeded.
    pub ok: u64,
    /// Attempts that failed.
    pub failed: u64,
}

/// An explicit state: the worst that was declared at one instant (R4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateAt {
    /// Milliseconds since the page's start, below [`PAGE_MS`].
    pub offset_ms: u32,
    /// The state.
    pub state: HealthState,
}

/// A page as plain values. Minutes and states rise and lie within the page.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PageParts {
    minutes: Vec<MinuteCounts>,
    states: Vec<StateAt>,
}

impl PageParts {
    /// A page; `None` where minutes or states don't rise or don't lie within one.
    #[must_use]
    pub fn new(minutes: Vec<MinuteCounts>, states: Vec<StateAt>) -> Option<Self> {
        let rise = minutes.windows(2).all(|pair| pair[0].minute < pair[1].minute)
            && states.windows(2).all(|pair| pair[0].offset_ms < pair[1].offset_ms);
        let within = minutes.last().is_none_or(|last| u32::from(last.minute) < PAGE_MINUTES)
            && states.last().is_none_or(|last| i64::from(last.offset_ms) < PAGE_MS);
        (rise && within).then_some(Self { minutes, states })
    }

    /// The minutes that were reported, in order of time.
    #[must_use]
    pub fn minutes(&self) -> &[MinuteCounts] {
        &self.minutes
    }

    /// The states, in order of time, one an instant.
    #[must_use]
    pub fn states(&self) -> &[StateAt] {
        &self.states
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::DAY_MS;

    #[test]
    fn pages_tile_the_days() {
        assert_eq!(DAY_MS % PAGE_MS, 0);
        for ms in [0, 1, PAGE_MS - 1, PAGE_MS, 7 * PAGE_MS + 5, Timestamp::MAX.ms() - 1] {
            let at = Timestamp::clamped(ms);
            assert!(PageNo::of(at).interval().contains(at), "{at}");
        }
        assert_eq!(PageNo::of(Timestamp::clamped(PAGE_MS - 1)).interval().to, PageNo::new(1).start());
    }

    #[test]
    fn parts_rise_and_lie_within_the_page() {
        let check = |minutes: &[u16], states: &[u32], expected: bool| {
            let minutes = minutes.iter().map(|&minute| MinuteCounts { minute, ok: 1, failed: 0 }).collect();
            let states = states.iter().map(|&offset_ms| StateAt { offset_ms, state: HealthState::Up }).collect();
            assert_eq!(PageParts::new(minutes, states).is_some(), expected);
        };
        check(&[], &[], true);
        check(&[0, 7, 239], &[0, 14_399_999], true);
        check(&[240], &[], false);
        check(&[3, 3], &[], false);
        check(&[4, 3], &[], false);
        check(&[], &[14_400_000], false);
        check(&[], &[9, 9], false);
        check(&[], &[9, 8], false);
    }
}
