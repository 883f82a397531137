//! Late events whose page of the past isn't in memory: gathered by page, then applied page by page (R24).

use std::collections::BTreeMap;

use domain::event::EventBody;
use domain::id::Region;
use domain::page::PageNo;
use domain::time::{DurationMs, HOUR_MS, Timestamp};
use ports::state::{Op, StateStore};

use crate::error::Error;
use crate::subjects::Subjects;

/// Pages whose end is older than the log's time by more than this leave memory.
pub const RESIDENT: DurationMs = DurationMs(8 * HOUR_MS);
/// Late events that wait for their pages at most; then the pages are loaded.
pub const WAITING_EVENTS_MAX: usize = 20_000;

/// A subject's page in a region.
type Key = (u32, Region, PageNo);

/// Late events by page, and what was loaded and stored.
#[derive(Debug, Default)]
pub(super) struct Late {
    waiting: BTreeMap<Key, Vec<(Timestamp, EventBody)>>,
    waiting_events: usize,
    pub(super) loaded: u64,
    pub(super) stored: u64,
}

impl Late {
    pub(super) fn put(&mut self, subject: u32, region: Region, page: PageNo, at: Timestamp, body: EventBody) {
        self.waiting.entry((subject, region, page)).or_default().push((at, body));
        self.waiting_events += 1;
    }

    pub(super) const fn is_full(&self) -> bool {
        self.waiting_events >= WAITING_EVENTS_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the page that has waited for... in order of subject, region and page.
    pub(super) fn take(&mut self) -> Option<(Key, Vec<(Timestamp, EventBody)>)> {
        let next = self.waiting.pop_first()?;
        self.waiting_events -= next.1.len();
        Some(next)
    }
}

/// Keys of stored pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageKeys {
    pub(super) partition: u32,
}

impl PageKeys {
    pub(super) fn prefix(self) -> Vec<u8> {
        format!("page/{}/", self.partition).into_bytes()
    }

    pub(super) fn of(self, subjects: &Subjects, (subject, region, page): Key) -> Vec<u8> {
        format!("page/{}/{}/{region}/{}", self.partition, subjects.name(subject), page.get()).into_bytes()
    }
}
