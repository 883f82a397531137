//! The health of one subject in one region: its minutes and its states, in bounded memory (R24).
//!
//! Counts and states lie in pages, which the owner takes out when they are old and brings back
//! when a late event needs them. What they say stays: which minutes are down and judged, and how
//! far states hold. So every answer comes from memory, and is the same whichever pages are there.

use std::ops::Range;

use domain::event::{EventBody, HealthState};
use domain::health::HealthParts;
use domain::interval::{Interval, IntervalSet};
use domain::page::{PAGE_MINUTES, PageNo};
use domain::policy::Policies;
use domain::time::{DurationMs, MINUTE_MS, Timestamp};

use crate::Ask;
use crate::held::{Held, Neighbours, Ttls};
use crate::minute_set::{HOUR_MINUTES, MinuteSet, minute_of, push_hour};
use crate::page::Page;
use crate::pages::{Pages, Resident};

/// Hours of a page.
const PAGE_HOURS: u32 = PAGE_MINUTES / HOUR_MINUTES;
/// The most that an explicit state takes in memory while its page is there, spare room included:
/// 8 bytes of the state and 16 of the stretch that it may begin, and as much to grow into. A
/// subject that changes its state every second for a day takes less than 5 MB.
pub const STATE_BYTES_MAX: usize = 2 * (8 + 16);
/// The same once its page has left.
pub const STATE_LEFT_BYTES_MAX: usize = 2 * 16;

/// Everything reported about one subject in one region.
#[derive(Clone, Default, Debug)]
pub struct SubjectHealth {
    pages: Pages,
    /// The down minutes, ended or not, whether or not their page is in memory.
    down: MinuteSet,
    /// The judged minutes of pages that have left; a page in memory knows its own.
    judged: MinuteSet,
    /// How far states hold, whether or not their page is in memory.
    held: Held,
    /// What is before this instant, a page's start, isn't known any more.
    forgotten: Timestamp,
}

/// What an event changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "an event whose page is absent has not been taken in"]
pub enum Applied {
    /// Nothing that matters.
    Unchanged,
    /// Downtime or measured time may differ from this instant on.
    Changed(Timestamp),
    /// Nothing, as its page isn't in memory: [`SubjectHealth::load`] it and apply the event again.
    Absent(PageNo),
}

/// Attempts of some minutes together.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Attempts {
    /// Those that succeeded.
    pub ok: u64,
    /// Those that failed.
    pub failed: u64,
}

impl SubjectHealth {
    /// Takes in what an event says. Slices are judged by the version in force at the minute's
    /// start (R3, R18). What lies before everything that is remembered changes nothing.
    ///
    /// All calls must be given the same versions: what has left memory was summed up for them.
    #[inline]
    pub fn apply(&mut self, at: Timestamp, body: EventBody, policies: &Policies) -> Applied {
        if at < self.forgotten {
            return Applied::Unchanged;
        }
        match body {
            EventBody::Outcome { ok, failed } => self.count(at, ok, failed, policies),
            EventBody::State(state) => self.declare(at, state, policies),
        }
    }

    /// Downtime in the asked stretch: down minutes that have ended, and `down` or `maintenance`
    /// states (R3, R4). O(log n + what lies in the stretch).
    #[must_use]
    pub fn downtime(&self, ask: Ask) -> IntervalSet {
        let ended = self.ended(ask);
        self.down.clip(ended).union(&self.states(ask, HealthState::is_downtime))
    }

    /// Measured time in the asked stretch: judged minutes that have ended, and every state but
    /// `unknown` (R8). O(log n + what lies in the stretch).
    #[must_use]
    pub fn measured(&self, ask: Ask) -> IntervalSet {
        let ended = self.ended(ask);
        let minutes = self.judged.clip(ended).union(&self.judged_in_memory(ended));
        minutes.union(&self.states(ask, HealthState::is_measured))
    }

    /// Declared maintenance up to T: a state holds to the next one, at most the `state_ttl` of the version in force at
    /// its own instant, so that a switch of the policy leaves maintenance of before as it was.
    #[must_use]
    pub fn maintenance(&self, until: Timestamp, policies: &Policies) -> IntervalSet {
        self.held.maintenance(Interval::new(self.forgotten, until), |at| policies.at(at).state_ttl)
    }

    /// Whether maintenance that was declared before an instant holds up to it: declared there once more, it is renewed.
    #[must_use]
    pub fn is_maintained_before(&self, at: Timestamp, policies: &Policies) -> bool {
        self.held.is_maintained_before(at, |at| policies.at(at).state_ttl)
    }

    /// Whether maintenance was ever declared, as far as that is remembered.
    #[must_use]
    pub fn has_maintenance(&self) -> bool {
        self.held.has_maintenance()
    }

    /// The attempts of the minutes that lie in `within` as a whole; `None` when one of their pages
    /// isn't in memory.
    #[must_use]
    pub fn attempts(&self, within: Interval) -> Option<Attempts> {
        let (from, to) = (first_minute_from(within.from), minute_of(within.to));
        if from >= to {
            return Some(Attempts::default());
        }
        let page = |minute: u32| PageNo::new(minute / PAGE_MINUTES);
        let mut sum = Attempts::default();
        for resident in self.pages.whole(page(from), page(to - 1))? {
            let start = resident.no.get() * PAGE_MINUTES;
            for (_, counts) in resident.page.minutes().filter(|(minute, _)| (from..to).contains(&(start + minute))) {
                sum.ok = sum.ok.saturating_add(counts.ok);
                sum.failed = sum.failed.saturating_add(counts.failed);
            }
        }
        Some(sum)
    }

    /// The down minutes that start in `within`, whole, ended or not.
    #[must_use]
    pub fn down_minutes(&self, within: Interval) -> IntervalSet {
        self.down.between(first_minute_from(within.from), first_minute_from(within.to))
    }

    /// The downtime of the explicit states that begin in `within`, whole: each holds to the next
    /// state, at most `state_ttl`, even if that is beyond `within`; those that touch are joined.
    /// `within` is taken as the whole pages that it touches; UTC days are whole pages.
    ///
    /// A state changes this also for the stretch in which the state before it begins; see
    /// [`Self::state_before`].
    #[must_use]
    pub fn down_states(&self, within: Interval, state_ttl: Option<DurationMs>) -> Vec<Interval> {
        if within.is_empty() {
            return Vec::new();
        }
        let from = PageNo::of(within.from).start().max(self.forgotten);
        let to = PageNo::of(within.to);
        let to = if to.start() == within.to { within.to } else { to.interval().to };
        self.held.down(Interval::new(from, to), state_ttl).iter().copied().collect()
    }

    /// An instant in the page in which the last explicit state before `at` begins, if there is
    /// one: where [`Self::down_states`] changes beside the page of a state at `at`.
    #[must_use]
    pub fn state_before(&self, at: Timestamp) -> Option<Timestamp> {
        self.held.begun_before(at).filter(|begun| *begun >= self.forgotten)
    }

    /// Takes pages that end at or before `before` out of memory, and yields those that changed
    /// since they were made or loaded. They are to be stored; from now on events before `before`
    /// ask for their page.
    #[must_use = "these pages are in memory no more"]
    pub fn evict(&mut self, before: Timestamp) -> Vec<(PageNo, Page)> {
        let left = self.pages.evict(PageNo::of(before));
        for resident in &left {
            judge(&mut self.judged, resident);
        }
        left.into_iter().filter(|resident| resident.is_changed).map(|resident| (resident.no, resident.page)).collect()
    }

    /// Puts a page back into memory as it was stored last, `None` if it never was. A page that is
    /// there stays as it is.
    pub fn load(&mut self, no: PageNo, page: Option<Page>) {
        self.pages.load(no, || {
            let mut page = page.unwrap_or_default();
            page.set_judged(hours_of(no).map(|hour| self.judged.hour(hour)));
            page
        });
    }

    /// What is remembered beside the pages, as if every page had been taken out: with the pages
    /// stored as they are now, it is all there is to know.
    #[must_use]
    pub fn to_parts(&self) -> HealthParts {
        let forgotten = PageNo::of(self.forgotten);
        let mut judged = self.judged.clone();
        for resident in self.pages.resident() {
            judge(&mut judged, resident);
        }
        // Pages of a forgotten time may have brought minutes back.
        judged.forget(hours_of(forgotten).start);
        HealthParts {
            forgotten,
            horizon: self.pages.horizon(),
            down: self.down.to_parts(),
            judged: judged.to_parts(),
            states: self.held.to_parts(),
        }
    }

    /// A subject of which no page is in memory: events before the horizon ask for theirs. `None`
    /// for parts that contradict each other: minutes of a forgotten time, or minutes and states of
    /// pages that were never made.
    #[must_use]
    pub fn from_parts(parts: HealthParts) -> Option<Self> {
        let HealthParts { forgotten, horizon, down, judged, states } = parts;
        let (down, judged, held) = (MinuteSet::from(down), MinuteSet::from(judged), Held::from(states));
        let is_made = |minutes: &MinuteSet| u64::from(minutes.end()) <= u64::from(horizon.get()) * u64::from(PAGE_HOURS);
        let is_known = |minutes: &MinuteSet| {
            minutes.first().is_none_or(|first| u64::from(first) >= u64::from(forgotten.get()) * u64::from(PAGE_HOURS))
        };
        let sound = [&down, &judged].into_iter().all(|minutes| is_made(minutes) && is_known(minutes))
            && held.last().is_none_or(|last| PageNo::of(last) < horizon);
        sound.then(|| Self { pages: Pages::away(horizon), down, judged, held, forgotten: forgotten.start() })
    }

    /// Copies of the pages in memory that changed since they were made, loaded or yielded; they
    /// stay. They are to be stored together with [`Self::to_parts`].
    #[must_use = "these pages count as stored"]
    pub fn changed_pages(&mut self) -> Vec<(PageNo, Page)> {
        self.pages.changed()
    }

    /// From when on it is known what was reported; of what lies before only a state that went on holding.
    #[must_use]
    pub const fn remembers_from(&self) -> Timestamp {
        self.forgotten
    }

    /// Drops what is known of the time before `before`, rounded down to a page. A state that
    /// began earlier goes on holding. Pages in memory stay until they are taken out.
    pub fn forget(&mut self, before: Timestamp) {
        let no = PageNo::of(before);
        self.forgotten = self.forgotten.max(no.start());
        let hour = hours_of(no).start;
        self.down.forget(hour);
        self.judged.forget(hour);
        self.held.forget(no.start());
    }

    /// Whether nothing is in memory.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.down.is_empty() && self.judged.is_empty() && self.held.is_empty()
    }

    /// About how much memory it takes, in bytes, with what it holds on the heap.
    #[must_use]
    pub fn resident_bytes(&self) -> usize {
        size_of::<Self>() + self.pages.heap_bytes() + self.down.heap_bytes() + self.judged.heap_bytes() + self.held.heap_bytes()
    }

    #[inline]
    fn count(&mut self, at: Timestamp, ok: u32, failed: u32, policies: &Policies) -> Applied {
        let minute = minute_of(at);
        let no = PageNo::new(minute / PAGE_MINUTES);
        let Some(resident) = self.pages.at(no) else { return Applied::Absent(no) };
        let (before, after) = resident.page.add(minute % PAGE_MINUTES, ok, failed);
        resident.is_changed = true;
        let start = at.floor_minute();
        let policy = policies.at(start);
        let (old, new) = (before.verdict(policy), after.verdict(policy));
        if old == new {
            return Applied::Unchanged;
        }
        if new.judged {
            resident.page.judge(minute % PAGE_MINUTES);
        }
        if old.down != new.down {
            self.down.set(minute, new.down);
        }
        Applied::Changed(start)
    }

    fn declare(&mut self, at: Timestamp, state: HealthState, policies: &Policies) -> Applied {
        let no = PageNo::of(at);
        let Some(resident) = self.pages.at(no) else { return Applied::Absent(no) };
        let offset_ms = u32::try_from(at.ms() - no.start().ms()).expect("a page is shorter than 2^32 milliseconds");
        let Some(declared) = resident.page.declare(offset_ms, state) else { return Applied::Unchanged };
        resident.is_changed = true;
        let instant = |offset_ms: u32| Timestamp::clamped(no.start().ms() + i64::from(offset_ms));
        let around = Neighbours { before: declared.before.map(instant), after: declared.after.map(instant) };
        if self.held.declare(at, state, around, Ttls::of(policies)) { Applied::Changed(at) } else { Applied::Unchanged }
    }

    /// The part of the asked stretch in which minutes have ended.
    fn ended(&self, ask: Ask) -> Interval {
        ask.within.intersect(Interval::new(self.forgotten, ask.until.floor_minute()))
    }

    fn states(&self, ask: Ask, keep: impl Fn(HealthState) -> bool) -> IntervalSet {
        self.held.time(ask.within.intersect(Interval::new(self.forgotten, ask.until)), ask.state_ttl, keep)
    }

    fn judged_in_memory(&self, within: Interval) -> IntervalSet {
        let mut out = IntervalSet::new();
        for resident in self.pages.between(PageNo::of(within.from), PageNo::of(within.to)) {
            for (hour, bits) in hours_of(resident.no).zip(resident.page.judged()) {
                push_hour(&mut out, hour, bits, within);
            }
        }
        out
    }
}

/// The hours of a page, since 1970.
fn hours_of(no: PageNo) -> Range<u32> {
    no.get() * PAGE_HOURS..(no.get() + 1) * PAGE_HOURS
}

/// Adds the judged minutes of a page to those of pages that aren't in memory.
fn judge(judged: &mut MinuteSet, resident: &Resident) {
    for (hour, bits) in hours_of(resident.no).zip(resident.page.judged()) {
        judged.set_hour(hour, bits);
    }
}

/// The first minute that starts at an instant or later.
fn first_minute_from(at: Timestamp) -> u32 {
    minute_of(at) + u32::from(at.ms() % MINUTE_MS != 0)
}

#[cfg(test)]
mod tests;
