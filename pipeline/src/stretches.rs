//! Stretches of the registry's log: a process stores what it reads, so that the next start needn't read it again.
//!
//! A stretch holds what the log holds, but for ticks: lines that were rejected, too. So a later version that takes more
//! kinds of lines, or a policy with a longer window, reads of it what it would read of the log. Where one ends follows
//! from where it begins and from the log: every process cuts at the same places and writes the same bytes, so it doesn't
//! matter which one does, how many do, or whether one of them has stood still for long. A stretch is a shortcut and
//! nothing else: one that can't be read is told, the log is read instead, and it is written anew.

use std::ops::Range;

use domain::time::Timestamp;
use ports::{PortError, Record, StateStores};
use telemetry::events::{StretchStored, StretchUnreadable};
use wire::appended::Appended;
use wire::stored::stretch::{self, Kept, Last, Stretch};

/// Offsets of a stretch, ticks among them: some three days of an idle registry.
pub const SNAPSHOT_RECORDS_MIN: u64 = 10_000;
/// Most bytes of records that are kept until there is one, and a record.
pub const SNAPSHOT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Where a stretch ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Once it has so many offsets.
    pub records: u64,
    /// Once its records have so many bytes, if that is earlier.
    pub bytes: usize,
}

/// What was read of the registry's log since the last stretch.
#[derive(Default, Debug)]
pub(crate) struct Gathered {
    stretch: Stretch,
    bytes: usize,
}

impl Default for Cut {
    fn default() -> Self {
        Self { records: SNAPSHOT_RECORDS_MIN, bytes: SNAPSHOT_BYTES_MAX }
    }
}

impl Gathered {
    /// Nothing yet, behind a stretch.
    pub(crate) fn behind(to: u64) -> Self {
        Self { stretch: Stretch { from: to, to, ..Stretch::default() }, bytes: 0 }
    }

    /// Takes in the log's next record, and its time with it.
    pub(crate) fn take(&mut self, record: &Record<'_>, appended: Appended, log_time: Option<Timestamp>) {
        let Self { stretch, bytes } = self;
        let mut lines = ingest::lines(record.payload);
        if let Appended::At(recorded_at) = appended
            && !record.truncated
            && lines.any(|(_, line)| !wire::tick::is_tick(line))
        {
            *bytes += record.payload.len();
            stretch.records.push(Kept { offset: record.offset, recorded_at, log_time, payload: record.payload.to_vec() });
        }
        stretch.last = Last { appended_at: record.appended_at, checksum: stretch::checksum(record.payload) };
        (stretch.to, stretch.log_time) = (record.offset + 1, log_time);
    }

    /// Whether the stretch is complete.
    pub(crate) const fn is_due(&self, cut: Cut) -> bool {
        self.stretch.to - self.stretch.from >= cut.records || self.bytes >= cut.bytes
    }

    /// The stretch, after which the next one begins.
    pub(crate) fn finish(&mut self, marked: Option<Timestamp>) -> Stretch {
        let next = Self::behind(self.stretch.to);
        Stretch { marked, ..std::mem::replace(self, next).stretch }
    }
}

/// Stores a stretch.
pub(crate) fn store(stretch: &Stretch, stores: &mut dyn StateStores) -> Result<(), PortError> {
    let bytes = stretch::write(stretch);
    StretchStored { from: stretch.from, to: stretch.to, records: stretch.records.len(), bytes: bytes.len() }.emit();
    stores.put_stretch(&(stretch.from..stretch.to), bytes)
}

/// Hands over the stretches that are stored, one behind the other from the log's beginning on; of several that begin
/// at one place the one that reaches farthest.
pub(crate) fn each_stored(stores: &dyn StateStores, mut each: impl FnMut(Stretch)) -> Result<(), PortError> {
    let (stored, mut next) = (stores.stretches()?, Some(0));
    while let Some(from) = next.take() {
        let begin = stored.partition_point(|offsets| offsets.start < from);
        let beginning_there = stored[begin..].iter().take_while(|offsets| offsets.start == from).collect::<Vec<_>>();
        for offsets in beginning_there.into_iter().rev() {
            if let Some(stretch) = read(stores, offsets)? {
                next = Some(stretch.to);
                each(stretch);
                break;
            }
        }
    }
    Ok(())
}

/// A stretch; none, and that is told, if it isn't as it was written.
fn read(stores: &dyn StateStores, offsets: &Range<u64>) -> Result<Option<Stretch>, PortError> {
    let problem = match stores.stretch(offsets)?.as_deref().map(stretch::read) {
        Some(Ok(stretch)) if stretch.from == offsets.start && stretch.to == offsets.end => return Ok(Some(stretch)),
        Some(Ok(stretch)) => format!("it says that it reaches from {} to {}", stretch.from, stretch.to),
        Some(Err(error)) => error.to_string(),
        None => "it isn't there".to_owned(),
    };
    StretchUnreadable { from: offsets.start, to: offsets.end, problem: &problem }.emit();
    Ok(None)
}
