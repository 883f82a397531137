//! The health of skills and hubs, as their owners published it to the `dependencies` log.

use std::collections::BTreeMap;

use compute::Ask;
use domain::id::{Region, Subject, SubjectRef};
use domain::interval::{Interval, IntervalSet};
use domain::page::PageNo;
use domain::time::{DurationMs, Timestamp};
use rustc_hash::FxHashMap;
use wire::dependency::{Decided, DependencyHealth, DependencyRecord, DependencyWatermark, StateDowntime};

/// What was published of skills and hubs, whole per subject, region and page, and up to when.
#[derive(Debug)]
pub struct Dependencies {
    /// By source partition: everything its records up to this append time say is here.
    watermarks: Vec<Option<Timestamp>>,
    /// By source partition: how far its owner has decided.
    decided: Vec<Option<Decided>>,
    /// By source partition: what its products still look at begins here.
    needs_from: Vec<Option<Timestamp>>,
    /// What lies before is forgotten.
    forgotten: Timestamp,
    next_offsets: Vec<u64>,
    subjects: FxHashMap<Subject, [BTreeMap<PageNo, Said>; Region::COUNT]>,
}

/// A subject's downtime in a region that begins in one page of time.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Said {
    /// Rises each time its owner publishes the page; readers keep the highest.
    pub revision: u64,
    /// Its down minutes, ended or not.
    pub minutes: IntervalSet,
    /// For each length that states may hold: the stretches of `down` and `maintenance` that begin in it, whole.
    pub states: Vec<(Option<DurationMs>, IntervalSet)>,
}

impl Dependencies {
    /// An empty table for so many health partitions and so many of the log's own.
    #[must_use]
    pub fn new(health_partitions: u32, log_partitions: u32) -> Self {
        Self {
            watermarks: vec![None; health_partitions as usize],
            decided: vec![None; health_partitions as usize],
            needs_from: vec![None; health_partitions as usize],
            forgotten: Timestamp::MIN,
            next_offsets: vec![0; log_partitions as usize],
            subjects: FxHashMap::default(),
        }
    }

    /// Takes in a record of the log. Yields whose downtime may be another, and from which instant on.
    ///
    /// # Errors
    /// When the record isn't one of the log's: nothing but owners should append to it.
    pub fn take(&mut self, payload: &[u8]) -> Result<Option<(Subject, Timestamp)>, wire::Error> {
        Ok(match wire::dependency::read(payload)? {
            DependencyRecord::Watermark(watermark) => {
                self.watermark(watermark);
                None
            }
            DependencyRecord::Health(health) => {
                let states = health.states.into_iter().map(|states| (states.state_ttl, states.down)).collect();
                let said = Said { revision: health.revision, minutes: health.minutes, states };
                self.put(&health.subject, health.region, health.page, said).map(|from| (health.subject, from))
            }
        })
    }

    /// Notes that a record of the log was read.
    pub fn passed(&mut self, partition: u32, offset: u64) {
        if let Some(next) = self.next_offsets.get_mut(partition as usize) {
            *next = (*next).max(offset + 1);
        }
    }

    /// Takes in a source partition's watermark.
    fn watermark(&mut self, said: DependencyWatermark) {
        let place = said.partition as usize;
        if let (Some(watermark), Some(decided)) = (self.watermarks.get_mut(place), self.decided.get_mut(place)) {
            *watermark = (*watermark).max(Some(said.at));
            if said.decided.map(|now| now.at) > decided.map(|before| before.at) {
                *decided = said.decided;
            }
            self.needs_from[place] = self.needs_from[place].max(said.needs_from);
        }
    }

    /// Takes in a page's health; yields from which instant on the subject's downtime may be another.
    fn put(&mut self, subject: &Subject, region: Region, page: PageNo, said: Said) -> Option<Timestamp> {
        let pages = &mut self.subjects.entry(subject.clone()).or_default()[region.index()];
        let before = pages.get(&page);
        if before.is_some_and(|before| before.revision >= said.revision) {
            return None;
        }
        let changed = first_difference(before, &said);
        pages.insert(page, said);
        changed
    }

    /// What was published last of a page.
    #[must_use]
    pub fn said(&self, subject: SubjectRef<'_>, region: Region, page: PageNo) -> Option<&Said> {
        self.pages(subject, region)?.get(&page)
    }

    /// The pages before an instant's of which it was said that a state reaches beyond that instant.
    pub fn reaching(&self, subject: SubjectRef<'_>, region: Region, at: Timestamp) -> impl Iterator<Item = PageNo> {
        let before = self.pages(subject, region).into_iter().flat_map(move |pages| pages.range(..PageNo::of(at)));
        before.filter(move |(_, said)| said.reaches(at)).map(|(page, _)| *page)
    }

    /// The revision in which a page was last published; 0 if never.
    #[must_use]
    pub fn revision(&self, subject: SubjectRef<'_>, region: Region, page: PageNo) -> u64 {
        self.said(subject, region, page).map_or(0, |said| said.revision)
    }

    /// Up to which append time everything said about skills and hubs is here: the least over all source partitions.
    #[must_use]
    pub fn log_time(&self) -> Option<Timestamp> {
        self.watermarks.iter().copied().min().flatten()
    }

    /// How far a source partition's owner has decided, as last published.
    #[must_use]
    pub fn decided(&self, partition: u32) -> Option<Decided> {
        self.decided.get(partition as usize).copied().flatten()
    }

    /// A source partition's watermark as last published.
    #[must_use]
    pub fn watermark_of(&self, partition: u32) -> Option<Timestamp> {
        self.watermarks.get(partition as usize).copied().flatten()
    }

    /// The first offset of each of the log's partitions that has not been read.
    #[must_use]
    pub fn next_offsets(&self) -> &[u64] {
        &self.next_offsets
    }

    /// Downtime of a skill or hub (R3, R4); what was never published is none.
    #[must_use]
    pub fn downtime(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        let Some(pages) = self.pages(subject, region).filter(|_| !ask.within.is_empty()) else { return IntervalSet::new() };
        let (first, last) = (PageNo::of(ask.within.from), PageNo::of(ask.within.to));
        let ended = Interval::new(Timestamp::MIN, ask.until.floor_minute()).intersect(ask.within);
        let known = Interval::new(Timestamp::MIN, ask.until).intersect(ask.within);
        let minutes =
            pages.range(first..=last).flat_map(|(_, said)| said.minutes.overlapping(ended).iter().map(|i| i.intersect(ended)));
        // States end where the next begins, so only the last that began before can reach in.
        let reaches_in = pages.range(..first).rev().find(|(_, said)| !said.stretches(ask.state_ttl).is_empty());
        let states = reaches_in.into_iter().chain(pages.range(first..=last)).flat_map(|(_, said)| {
            said.stretches(ask.state_ttl).overlapping(known).iter().map(|stretch| stretch.intersect(known))
        });
        minutes.chain(states).collect()
    }

    /// R24: drops pages that are over before everything that products of any partition look at, whoever owns
    /// them; one with a state that reaches beyond stays. They come again when the log is read again.
    pub fn forget_past(&mut self) {
        let Some(before) = self.needs_from.iter().copied().min().flatten().filter(|before| *before > self.forgotten) else {
            return;
        };
        self.forgotten = before;
        for pages in self.subjects.values_mut().flatten() {
            pages.retain(|page, said| *page >= PageNo::of(before) || said.reaches(before));
        }
    }

    fn pages(&self, subject: SubjectRef<'_>, region: Region) -> Option<&BTreeMap<PageNo, Said>> {
        self.subjects.get(&subject.to_owned()).map(|regions| &regions[region.index()])
    }
}

impl Said {
    /// Whether it holds no downtime.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.minutes.is_empty() && self.states.iter().all(|(_, stretches)| stretches.is_empty())
    }

    /// Whether two versions of a page say the same.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        (&self.minutes, &self.states) == (&other.minutes, &other.states)
    }

    /// It as a record of the log.
    #[must_use]
    pub fn to_record(&self, subject: SubjectRef<'_>, region: Region, page: PageNo) -> DependencyRecord {
        let states = self.states.iter().map(|(state_ttl, down)| StateDowntime { state_ttl: *state_ttl, down: down.clone() });
        DependencyRecord::Health(DependencyHealth {
            subject: subject.to_owned(),
            region,
            page,
            revision: self.revision,
            minutes: self.minutes.clone(),
            states: states.collect(),
        })
    }

    /// Stretches of states that hold so long.
    fn stretches(&self, state_ttl: Option<DurationMs>) -> &IntervalSet {
        static NONE: IntervalSet = IntervalSet::new();
        self.states.iter().find(|(ttl, _)| *ttl == state_ttl).map_or(&NONE, |(_, stretches)| stretches)
    }

    /// Whether a state that begins in it reaches beyond an instant.
    pub(crate) fn reaches(&self, at: Timestamp) -> bool {
        self.states.iter().filter_map(|(_, stretches)| stretches.as_slice().last()).any(|last| last.to > at)
    }
}

/// The first instant that only one of two versions of a page calls downtime.
fn first_difference(before: Option<&Said>, now: &Said) -> Option<Timestamp> {
    let none = Said::default();
    let before = before.unwrap_or(&none);
    let ttls = before.states.iter().chain(&now.states).map(|(ttl, _)| *ttl);
    let states = ttls.map(|ttl| (before.stretches(ttl), now.stretches(ttl)));
    states.chain([(&before.minutes, &now.minutes)]).filter_map(|(a, b)| a.first_difference(b)).min()
}

#[cfg(test)]
mod tests {
    use domain::id::SkillId;
    use domain::page::PAGE_MS;
    use domain::time::MINUTE_MS;

    use super::*;

    fn set(parts: &[(i64, i64)]) -> IntervalSet {
        parts.iter().map(|&(from, to)| Interval::new(Timestamp::clamped(from), Timestamp::clamped(to))).collect()
    }

    fn skill() -> Subject {
        Subject::skill(&SkillId::new("s-1").expect("an id"))
    }

    fn said(revision: u64, minutes: &[(i64, i64)], states: &[(i64, i64)]) -> Said {
        Said { revision, minutes: set(minutes), states: vec![(None, set(states))] }
    }

    fn table(pages: &[(u32, Said)]) -> Dependencies {
        let mut table = Dependencies::new(2, 1);
        for (number, said) in pages {
            table.put(&skill(), Region::Na, PageNo::new(*number), said.clone());
        }
        table
    }

    fn check(pages: &[(u32, Said)], within: (i64, i64), until: i64, expected: &[(i64, i64)]) {
        let within = Interval::new(Timestamp::clamped(within.0), Timestamp::clamped(within.1));
        let ask = Ask { within, until: Timestamp::clamped(until), state_ttl: None };
        assert_eq!(table(pages).downtime(skill().as_ref(), Region::Na, ask), set(expected), "{pages:?} {within:?} {until}");
        assert!(table(pages).downtime(skill().as_ref(), Region::Eu, ask).is_empty());
    }

    #[test]
    fn minutes_count_once_they_have_ended_and_states_up_to_t() {
        let minutes = [(0, said(1, &[(0, 2 * MINUTE_MS)], &[]))];
        check(&minutes, (0, PAGE_MS), 2 * MINUTE_MS, &[(0, 2 * MINUTE_MS)]);
        check(&minutes, (0, PAGE_MS), 2 * MINUTE_MS - 1, &[(0, MINUTE_MS)]);
        check(&[(0, said(1, &[], &[(5, PAGE_MS)]))], (0, PAGE_MS), 50, &[(5, 50)]);
    }

    #[test]
    fn a_state_reaches_into_later_pages() {
        let pages = [(0, said(1, &[], &[(1, 2), (5, 3 * PAGE_MS)])), (1, said(1, &[(PAGE_MS, PAGE_MS + MINUTE_MS)], &[]))];
        check(&pages, (2 * PAGE_MS, 4 * PAGE_MS), 9 * PAGE_MS, &[(2 * PAGE_MS, 3 * PAGE_MS)]);
        check(&pages, (3 * PAGE_MS, 4 * PAGE_MS), 9 * PAGE_MS, &[]);
        let mut kept = table(&pages);
        forget(&mut kept, 3 * PAGE_MS - 1);
        assert_eq!(kept.revision(skill().as_ref(), Region::Na, PageNo::new(0)), 1, "it still reaches there");
        forget(&mut kept, 5 * PAGE_MS);
        assert_eq!(kept.revision(skill().as_ref(), Region::Na, PageNo::new(0)), 0);
    }

    #[test]
    fn the_highest_revision_holds_and_says_what_it_changed() {
        let mut table = Dependencies::new(1, 1);
        let mut take = |said: Said| table.put(&skill(), Region::Na, PageNo::new(0), said).map(Timestamp::ms);
        assert_eq!(take(said(2, &[(0, MINUTE_MS)], &[])), Some(0));
        assert_eq!(take(said(1, &[], &[(7, 9)])), None, "an older one is passed over");
        assert_eq!(take(said(3, &[(0, MINUTE_MS)], &[(7, 9)])), Some(7));
        assert_eq!(take(said(4, &[(0, MINUTE_MS)], &[(7, 8)])), Some(8));
        assert_eq!(take(said(5, &[(0, MINUTE_MS)], &[(7, 8)])), None);
    }

    /// Every partition looks at what begins here.
    fn forget(table: &mut Dependencies, needs_from: i64) {
        let needs_from = Some(Timestamp::clamped(needs_from));
        for partition in 0..u32::try_from(table.needs_from.len()).expect("few") {
            table.watermark(DependencyWatermark { partition, at: Timestamp::MIN, decided: None, needs_from });
        }
        table.forget_past();
    }

    fn watermark(table: &mut Dependencies, partition: u32, at: i64) {
        let decided = Some(Decided { at: Timestamp::clamped(at - 1), seq: at.unsigned_abs() });
        table.watermark(DependencyWatermark { partition, at: Timestamp::clamped(at), decided, needs_from: None });
    }

    #[test]
    fn the_least_watermark_holds() {
        let mut table = Dependencies::new(2, 1);
        watermark(&mut table, 0, 5);
        assert_eq!(table.log_time(), None, "partition 1 has said nothing yet");
        watermark(&mut table, 1, 9);
        watermark(&mut table, 1, 3);
        assert_eq!((table.log_time(), table.watermark_of(1)), (Some(Timestamp::clamped(5)), Some(Timestamp::clamped(9))));
        assert_eq!(table.decided(1), Some(Decided { at: Timestamp::clamped(8), seq: 9 }));
        table.watermark(DependencyWatermark { partition: 1, at: Timestamp::clamped(10), decided: None, needs_from: None });
        assert!(table.decided(1).is_some(), "after a restart its owner decides nothing at first");
    }
}
