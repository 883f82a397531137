//! A page in memory: minute counts and explicit states of one stretch of time.

use std::collections::BTreeMap;

use domain::event::HealthState;
use domain::page::{MinuteCounts, PAGE_MINUTES, PageParts, StateAt};

use crate::minute_set::HOUR_MINUTES;
use crate::minutes::{Counts, Hour};

/// Hours in a page.
const PAGE_HOURS: usize = (PAGE_MINUTES / HOUR_MINUTES) as usize;

/// The counts and states of a page (R24).
#[derive(Clone, Default, Debug)]
pub struct Page {
    /// In place, so that an event in order goes from the page to its slice in one step.
    hours: [Hour; PAGE_HOURS],
    /// What the 32 bits of minutes' counts overflowed, by minute; hardly ever any.
    carries: BTreeMap<u32, Carry>,
    /// Rising, one an instant: the worst reported there (R4).
    states: Vec<StateAt>,
    /// How many minutes the hour before the page had, as a guess for its first.
    expected: usize,
}

/// How often a minute's counts overflowed: in units of 2³².
#[derive(Clone, Copy, Default, Debug)]
struct Carry {
    ok: u32,
    failed: u32,
}

/// What a state changed in its page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared {
    /// Offset of the state before it in the page.
    pub(crate) before: Option<u32>,
    /// Offset of the state after it in the page.
    pub(crate) after: Option<u32>,
}

impl Page {
    /// An empty page that follows another one.
    pub(crate) fn after(before: Option<&Self>) -> Self {
        Self { expected: before.map_or(0, |before| before.hours[PAGE_HOURS - 1].len()), ..Self::default() }
    }

    /// Adds attempts to a minute. Returns its counts before and after.
    #[inline]
    pub(crate) fn add(&mut self, minute: u32, ok: u32, failed: u32) -> (Counts, Counts) {
        let place = (minute / HOUR_MINUTES) as usize;
        let (earlier, rest) = self.hours.split_at_mut(place);
        let expected = || earlier.last().map_or(self.expected, Hour::len);
        let slice = rest[0].slice(minute % HOUR_MINUTES, expected);
        let before = *slice;
        slice.ok = before.ok.wrapping_add(ok);
        slice.failed = before.failed.wrapping_add(failed);
        let after = *slice;
        let carry = self.carry(minute);
        let overflow = (after.ok < before.ok, after.failed < before.failed);
        let new_carry = if overflow == (false, false) { carry } else { self.carry_over(minute, overflow) };
        (carry.with(before.ok, before.failed), new_carry.with(after.ok, after.failed))
    }

    /// Marks a minute as judged.
    pub(crate) fn judge(&mut self, minute: u32) {
        self.hours[(minute / HOUR_MINUTES) as usize].judged |= 1 << (minute % HOUR_MINUTES);
    }

    /// The judged minutes of each hour, lowest bit first.
    pub(crate) fn judged(&self) -> impl Iterator<Item = u64> {
        self.hours.iter().map(|hour| hour.judged)
    }

    /// Says which minutes of each hour are judged: the stored form doesn't.
    pub(crate) fn set_judged(&mut self, bits: impl Iterator<Item = u64>) {
        for (hour, bits) in self.hours.iter_mut().zip(bits) {
            hour.judged = bits;
        }
    }

    /// Takes in a state; `None` if one as bad was there.
    pub(crate) fn declare(&mut self, offset_ms: u32, state: HealthState) -> Option<Declared> {
        // States come mostly in order.
        let place = match self.states.last() {
            Some(last) if last.offset_ms < offset_ms => self.states.len(),
            _ => self.states.partition_point(|other| other.offset_ms < offset_ms),
        };
        match self.states.get_mut(place) {
            Some(held) if held.offset_ms == offset_ms => {
                if state <= held.state {
                    return None;
                }
                held.state = state;
            }
            _ => self.states.insert(place, StateAt { offset_ms, state }),
        }
        let offset = |place: usize| self.states.get(place).map(|state| state.offset_ms);
        Some(Declared { before: place.checked_sub(1).and_then(offset), after: offset(place + 1) })
    }

    /// The reported minutes with their counts, in order.
    pub(crate) fn minutes(&self) -> impl Iterator<Item = (u32, Counts)> {
        (0..).zip(&self.hours).flat_map(move |(hour, counts)| {
            counts.iter().map(move |(minute, slice)| {
                let minute = hour * HOUR_MINUTES + minute;
                (minute, self.carry(minute).with(slice.ok, slice.failed))
            })
        })
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.hours.iter().map(Hour::heap_bytes).sum::<usize>()
            + self.carries.len() * size_of::<(u32, Carry)>()
            + self.states.capacity() * size_of::<StateAt>()
    }

    fn carry(&self, minute: u32) -> Carry {
        if self.carries.is_empty() { Carry::default() } else { self.carries.get(&minute).copied().unwrap_or_default() }
    }

    #[cold]
    fn carry_over(&mut self, minute: u32, (ok, failed): (bool, bool)) -> Carry {
        let carry = self.carries.entry(minute).or_default();
        carry.ok = carry.ok.saturating_add(u32::from(ok));
        carry.failed = carry.failed.saturating_add(u32::from(failed));
        *carry
    }
}

impl Carry {
    fn with(self, ok: u32, failed: u32) -> Counts {
        let whole = |carry: u32, low: u32| (u64::from(carry) << u32::BITS) + u64::from(low);
        Counts { ok: whole(self.ok, ok), failed: whole(self.failed, failed) }
    }
}

impl From<&PageParts> for Page {
    fn from(parts: &PageParts) -> Self {
        let mut page = Self { states: parts.states().to_vec(), ..Self::default() };
        let in_hour = |hour: u32| parts.minutes().iter().filter(|counts| u32::from(counts.minute) / HOUR_MINUTES == hour).count();
        for counts in parts.minutes() {
            let minute = u32::from(counts.minute);
            let (hour, (ok_high, ok)) = (minute / HOUR_MINUTES, halves(counts.ok));
            let (failed_high, failed) = halves(counts.failed);
            let slice = page.hours[hour as usize].slice(minute % HOUR_MINUTES, || in_hour(hour));
            (slice.ok, slice.failed) = (ok, failed);
            if (ok_high, failed_high) != (0, 0) {
                page.carries.insert(minute, Carry { ok: ok_high, failed: failed_high });
            }
        }
        page
    }
}

impl From<&Page> for PageParts {
    fn from(page: &Page) -> Self {
        let minutes = page.minutes().map(|(minute, Counts { ok, failed })| {
            let minute = u16::try_from(minute).expect("a page has few minutes");
            MinuteCounts { minute, ok, failed }
        });
        Self::new(minutes.collect(), page.states.clone()).expect("a page's minutes and states rise and lie within it")
    }
}

/// A count's upper and lower 32 bits.
fn halves(count: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = count.to_be_bytes();
    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_beyond_32_bits_stay_exact_and_come_back() {
        let mut page = Page::default();
        let mut sum = Counts::default();
        for (ok, failed) in [(0, u32::MAX), (u32::MAX, u32::MAX), (7, 1), (u32::MAX, 0)] {
            let before = sum;
            sum = Counts { ok: sum.ok + u64::from(ok), failed: sum.failed + u64::from(failed) };
            assert_eq!(page.add(61, ok, failed), (before, sum));
        }
        page.add(239, 1, 2);
        let back = Page::from(&PageParts::from(&page));
        let expected = [(61, sum), (239, Counts { ok: 1, failed: 2 })];
        assert_eq!(back.minutes().collect::<Vec<_>>(), expected);
        assert_eq!(PageParts::from(&back), PageParts::from(&page));
    }
}
