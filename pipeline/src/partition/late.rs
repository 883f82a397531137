//! The past that isn't in memory (R24): late events wait for their page, then page by page is
//! loaded, added to and put away again.

use std::collections::BTreeMap;

use compute::Page;
use domain::decision::Issuer;
use domain::event::EventBody;
use domain::id::{Region, SubjectRef};
use domain::page::{PAGE_MS, PageNo};
use domain::time::{DurationMs, Timestamp};
use ports::state::{Op, StateStore};

use super::{Io, Partition};
use crate::error::Error;
use crate::tables::Tables;

/// Pages that ended longer before the log's time leave memory.
pub(super) const RESIDENT: DurationMs = DurationMs(2 * PAGE_MS);
/// Most late events that wait for their pages before those are loaded.
pub(super) const WAITING_EVENTS_MAX: usize = 20_000;

/// A subject's page in a region.
type Key = (u32, Region, PageNo);

/// A page of a subject in a region.
pub(super) type RegionPage = (Region, PageNo, Page);

/// Late events by page.
#[derive(Debug, Default)]
pub(super) struct Late {
    waiting: BTreeMap<Key, Vec<(Timestamp, EventBody)>>,
    events: usize,
}

impl Late {
    pub(super) fn put(&mut self, page: Key, at: Timestamp, body: EventBody) {
        self.waiting.entry(page).or_default().push((at, body));
        self.events += 1;
    }

    pub(super) const fn is_full(&self) -> bool {
        self.events >= WAITING_EVENTS_MAX
    }
}

impl Partition {
    /// Applies late events to their pages, subject by subject.
    pub(super) fn work_off_late(&mut self, tables: &Tables, io: &mut Io<'_>) -> Result<(), Error> {
        if self.late.events == 0 {
            return Ok(());
        }
        let mut waiting = std::mem::take(&mut self.late).waiting.into_iter().peekable();
        let mut loaded = Vec::new();
        while let Some(((subject, region, no), events)) = waiting.next() {
            let key = page_key(self.number, self.subjects.name(subject), region, no);
            let page = io.stores.of(Issuer::Partition(self.number))?.get(&key)?;
            let page = page.map(|stored| read_page(&key, &stored)).transpose()?;
            self.subjects.health_mut(subject, region).load(no, page);
            io.counts.pages_loaded += 1;
            for (at, body) in events {
                self.apply(subject, region, at, body);
            }
            if waiting.peek().is_none_or(|((next, ..), _)| *next != subject) {
                loaded.push(subject);
            }
        }
        self.put_away(&loaded, tables, io)
    }

    /// Lets pages leave memory that the log's time has left behind. A look a page, not an event.
    pub(super) fn evict(&mut self, tables: &Tables, io: &mut Io<'_>) -> Result<(), Error> {
        let Some(horizon) = self.log_time.map(|time| PageNo::of(time.saturating_sub(RESIDENT)).start()) else { return Ok(()) };
        if horizon <= self.evicted {
            return Ok(());
        }
        self.work_off_late(tables, io)?;
        self.evicted = horizon;
        let all: Vec<u32> = self.subjects.numbers().collect();
        self.put_away(&all, tables, io)
    }

    /// Lets old pages of subjects leave memory; a subject of which some changed is stored as a whole, as of now.
    fn put_away(&mut self, subjects: &[u32], tables: &Tables, io: &mut Io<'_>) -> Result<(), Error> {
        let mut changed: Vec<(u32, Vec<RegionPage>)> = Vec::new();
        for &subject in subjects {
            let gone = self
                .subjects
                .regions_mut(subject)
                .flat_map(|(region, health)| health.evict(self.evicted).into_iter().map(move |(no, page)| (region, no, page)));
            let gone: Vec<RegionPage> = gone.collect();
            if !gone.is_empty() {
                changed.push((subject, gone));
            }
        }
        if !changed.is_empty() {
            self.settle_logs(tables, io)?;
        }
        changed.into_iter().try_for_each(|(subject, gone)| self.store_subject(subject, gone, io))
    }

    /// R24: deletes stored pages that no event can reach any more, not even one that is read again after a
    /// restart. To be called once a day.
    pub(super) fn delete_old_pages(&self, t: Timestamp, io: &mut Io<'_>) -> Result<(), Error> {
        let Some(from) = self.restart_time.map(|restart| restart.min(t)) else { return Ok(()) };
        let kept = PageNo::of(from.saturating_sub(self.rules.window));
        delete_pages(self.number, io.stores.of(Issuer::Partition(self.number))?, |no| no < kept)
    }

    /// Stores up to which event misplaced ones were sent on, once they are known to be stored.
    pub(super) fn note_sent_on(&mut self, io: &mut Io<'_>) -> Result<(), Error> {
        if let Some((offset, line)) = self.sent_on.filter(|_| self.sent_on > self.sent_on_stored) {
            io.sink.flush()?;
            io.stores
                .of(Issuer::Partition(self.number))?
                .put(&sent_on_key(self.number), format!("{offset}/{line}").as_bytes())?;
            self.sent_on_stored = self.sent_on;
        }
        Ok(())
    }
}

/// Up to which event misplaced ones were sent on before a restart.
pub(super) fn stored_place(partition: u32, store: &dyn StateStore) -> Result<Option<(u64, u64)>, Error> {
    let key = sent_on_key(partition);
    let Some(stored) = store.get(&key)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&stored).into_owned();
    let place = text.split_once('/').and_then(|(offset, line)| Some((offset.parse().ok()?, line.parse().ok()?)));
    place.map(Some).ok_or_else(|| Error::State { key: String::from_utf8_lossy(&key).into_owned(), found: text })
}

fn delete_pages(partition: u32, store: &mut dyn StateStore, is_old: impl Fn(PageNo) -> bool) -> Result<(), Error> {
    let keys = store.keys(&pages_prefix(partition))?;
    let old: Vec<Op> = keys.into_iter().filter(|key| page_no(key).is_some_and(&is_old)).map(|key| Op::Delete { key }).collect();
    if old.is_empty() { Ok(()) } else { Ok(store.write(old)?) }
}

fn read_page(key: &[u8], stored: &[u8]) -> Result<Page, Error> {
    let parts = wire::stored::page::read(stored)
        .map_err(|source| Error::of_stored(key, source, |key, source| Error::Page { key, source: Box::new(source) }))?;
    Ok(Page::from(&parts))
}

fn pages_prefix(partition: u32) -> Vec<u8> {
    format!("page/{partition}/").into_bytes()
}

pub(super) fn page_key(partition: u32, name: SubjectRef<'_>, region: Region, no: PageNo) -> Vec<u8> {
    format!("page/{partition}/{name}/{region}/{}", no.get()).into_bytes()
}

/// The page that a key of [`page_key`] is of.
fn page_no(key: &[u8]) -> Option<PageNo> {
    let number = key.rsplit(|byte| *byte == b'/').next()?;
    std::str::from_utf8(number).ok()?.parse().ok().map(PageNo::new)
}

fn sent_on_key(partition: u32) -> Vec<u8> {
    format!("sent_on/{partition}").into_bytes()
}
