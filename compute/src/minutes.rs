//! Counts per UTC minute (R3), and what they say.
//!
//! Layout: an hour has a bit for every minute and the counts of those that were reported; its
//! page holds its hours in place. An event in order touches the last hour only. A late one finds
//! its hour by its number, its minute by counting bits, and moves the rest of that hour at most:
//! with long sorted arrays instead it would cost a hundred times as much. Judging happens when a
//! count changes a slice's verdict, not when somebody asks.

use domain::policy::Policy;
use domain::ratio::PPM;

use crate::minute_set::HOUR_MINUTES;

/// The counts of an hour's minutes, and which of them are judged: here rather than in a set of
/// their own, since an event in order mostly makes its minute a judged one.
#[derive(Clone, Default, Debug)]
pub(crate) struct Hour {
    /// The minutes that were reported, lowest bit first.
    reported: u64,
    /// The minutes that are judged; a subset.
    pub(crate) judged: u64,
    /// Counts of the reported minutes, in order.
    slices: Vec<Slice>,
}

/// A minute's counts modulo 2³²; the page holds what they overflowed.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Slice {
    pub(crate) ok: u32,
    pub(crate) failed: u32,
}

/// A minute's counts, whole.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Counts {
    pub(crate) ok: u64,
    pub(crate) failed: u64,
}

/// What a slice's counts say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Verdict {
    pub(crate) judged: bool,
    pub(crate) down: bool,
}

impl Hour {
    /// How many minutes were reported.
    pub(crate) const fn len(&self) -> usize {
        self.slices.len()
    }

    /// Bytes on the heap.
    pub(crate) const fn heap_bytes(&self) -> usize {
        self.slices.capacity() * size_of::<Slice>()
    }

    /// The counts of a minute of the hour. No allocation but for a new minute; for the first one
    /// room is made for as many as are expected.
    #[inline]
    pub(crate) fn slice(&mut self, minute: u32, expected: impl FnOnce() -> usize) -> &mut Slice {
        let bit = 1 << minute;
        let index = (self.reported & (bit - 1)).count_ones() as usize;
        if self.reported & bit == 0 {
            self.reported |= bit;
            if self.slices.len() == self.slices.capacity() {
                let minutes = if self.slices.is_empty() { expected() } else { self.slices.len() + 1 };
                self.slices.reserve_exact(room(minutes) - self.slices.len());
            }
            self.slices.insert(index, Slice::default());
        }
        &mut self.slices[index]
    }

    /// The reported minutes of the hour with their counts, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, Slice)> {
        let minutes = (0..HOUR_MINUTES).filter(|minute| self.reported & (1 << minute) != 0);
        minutes.zip(self.slices.iter().copied())
    }
}

impl Counts {
    /// R3: judged from `min_attempts` on; down when failed × 1,000,000 > attempts × `down_ratio`.
    pub(crate) fn verdict(self, policy: &Policy) -> Verdict {
        let attempts = u128::from(self.ok) + u128::from(self.failed);
        let judged = attempts >= u128::from(policy.min_attempts);
        let limit = attempts * u128::from(policy.down_ratio.get().unsigned_abs());
        Verdict { judged, down: judged && u128::from(self.failed) * u128::from(PPM.unsigned_abs()) > limit }
    }
}

/// Room to make for so many of an hour's minutes: for all of them where half are there, as late
/// ones mostly fill the gaps of a busy hour.
const fn room(minutes: usize) -> usize {
    const ALL: usize = HOUR_MINUTES as usize;
    if minutes > ALL / 2 { ALL } else { minutes.next_power_of_two() }
}
