//! A partition: one writer at its end, and the segments that readers may see, up to what is durable.
//!
//! Two locks: the writer's, and for a moment the list of segments; the list's is taken last. Syncing goes on
//! without either, so that others append meanwhile.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use domain::Timestamp;
use ports::Log;

use super::config::Keeping;
use super::env::{Env, lock};
use super::fault::Fault;
use super::form::{self, Entry, HEADER_BYTES, Header};
use super::segment;

/// How much is gathered before it is written, in bytes.
const WRITE_BYTES: usize = 128 << 10;

pub(super) struct Partition {
    pub(super) log: Log,
    pub(super) number: u32,
    pub(super) directory: PathBuf,
    env: Arc<Env>,
    writer: Mutex<Writer>,
    durable: Mutex<Durable>,
}

/// The end of the newest segment.
pub(super) struct Writer {
    pub(super) file: Arc<File>,
    pub(super) path: Arc<Path>,
    pub(super) base: u64,
    /// The offset that the next record gets.
    pub(super) next: u64,
    /// How long the file is.
    pub(super) written: u64,
    /// Records that aren't in the file yet.
    pub(super) buffer: Vec<u8>,
    /// When the segment's first record was appended.
    pub(super) first_at: Option<Timestamp>,
    /// When the last record was appended, in whatever segment.
    pub(super) last_at: Timestamp,
    /// Whether something was appended that isn't synced.
    pub(super) dirty: bool,
}

/// What readers may see.
#[derive(Default)]
pub(super) struct Durable {
    /// In order, each beginning where the one before ends; the last one is the writer's.
    pub(super) segments: Vec<Segment>,
    /// The first offset that isn't durable.
    pub(super) next: u64,
    /// From which offset on records are still needed, if anybody said so.
    pub(super) needed_from: Option<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) path: Arc<Path>,
    pub(super) base: u64,
    /// How much of it is durable, in bytes.
    pub(super) bytes: u64,
    /// The first offset of the next segment; of the last one the next offset.
    pub(super) end: u64,
    pub(super) compacted: bool,
    /// The append time that none of its records is after, once it is sealed.
    pub(super) sealed_at: Option<Timestamp>,
}

/// Where reading goes on.
pub(super) struct Located {
    pub(super) segment: Segment,
    /// Whether no record will be added to the segment.
    pub(super) sealed: bool,
}

impl Partition {
    pub(super) fn new((log, number): (Log, u32), directory: PathBuf, env: Arc<Env>, writer: Writer, durable: Durable) -> Self {
        Self { log, number, directory, env, writer: Mutex::new(writer), durable: Mutex::new(durable) }
    }

    /// Takes a record, to be written later.
    pub(super) fn append(&self, key: &[u8], payload: &[u8]) -> Result<(), Fault> {
        let bytes = key.len() + payload.len();
        if bytes > form::RECORD_BYTES_MAX {
            return Err(Fault::TooLong { bytes });
        }
        let writer = &mut *lock(&self.writer);
        self.env.check()?;
        let at = writer.last_at.max(self.env.append_time());
        let length = form::record_bytes(key, payload);
        if writer.is_full(length as u64, self.env.config.segment_bytes) || self.is_old(writer, at) {
            self.write(writer, Self::seal)?;
        }
        form::encode(&Entry { offset: writer.next, at, key, payload }, &mut writer.buffer);
        writer.next += 1;
        writer.first_at.get_or_insert(at);
        (writer.last_at, writer.dirty) = (at, true);
        if writer.buffer.len() >= WRITE_BYTES {
            self.write(writer, |_, writer, env| writer.write_out(env))?;
        }
        Ok(())
    }

    /// Makes everything appended so far durable; says whether there was anything.
    pub(super) fn sync(&self) -> Result<bool, Fault> {
        let (file, path, base, written, next) = {
            let writer = &mut *lock(&self.writer);
            self.env.check()?;
            if !writer.dirty {
                return Ok(false);
            }
            self.write(writer, |_, writer, env| writer.write_out(env))?;
            writer.dirty = false;
            (Arc::clone(&writer.file), Arc::clone(&writer.path), writer.base, writer.written, writer.next)
        };
        if let Err(error) = self.env.disk.sync(&file, &path) {
            return Err(self.fail(&mut lock(&self.writer), error.into()));
        }
        self.publish(base, written, next)?;
        Ok(true)
    }

    /// Seals the newest segment if its first record is old, so that a log that nobody writes to any more is
    /// kept no longer than others; says whether it was.
    pub(super) fn seal_old(&self, now: Timestamp) -> Result<bool, Fault> {
        let writer = &mut *lock(&self.writer);
        self.env.check()?;
        let old = self.is_old(writer, now);
        if old {
            self.write(writer, Self::seal)?;
        }
        Ok(old)
    }

    /// The list of what is durable.
    pub(super) fn durable<T>(&self, look: impl FnOnce(&mut Durable) -> T) -> T {
        look(&mut lock(&self.durable))
    }

    /// How many appended records aren't known to be durable.
    pub(super) fn unconfirmed(&self) -> u64 {
        let next = lock(&self.writer).next;
        next - lock(&self.durable).next
    }

    /// Memory that is held for appending, in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        let buffer = lock(&self.writer).buffer.capacity();
        (buffer + lock(&self.durable).segments.capacity() * size_of::<Segment>()) as u64
    }

    /// Whether the newest segment is to be sealed for its age: of a log that is kept for ever none is, it would
    /// only make for more files.
    fn is_old(&self, writer: &Writer, now: Timestamp) -> bool {
        let ages = self.env.config.keeping(self.log) != Keeping::ForEver;
        ages && writer.first_at.is_some_and(|first| first.saturating_add(self.env.config.segment_age) <= now)
    }

    /// Runs what writes; once that fails nothing is written any more.
    fn write(&self, writer: &mut Writer, run: impl FnOnce(&Self, &mut Writer, &Env) -> Result<(), Fault>) -> Result<(), Fault> {
        run(self, writer, &self.env).map_err(|fault| self.fail(writer, fault))
    }

    /// Ends all writing, and takes back what isn't known to be stored: at the next opening it would look as if it were.
    fn fail(&self, writer: &mut Writer, fault: Fault) -> Fault {
        self.env.end_writing(&fault);
        writer.buffer = Vec::new();
        let durable = lock(&self.durable);
        if let Some(segment) = durable.segments.last().filter(|segment| segment.base == writer.base) {
            // Where even that fails, the torn end is found at the next opening.
            if let Err(error) = self.env.disk.cut(&writer.file, &writer.path, segment.bytes) {
                tracing::warn!(segment = %writer.path.display(), %error, "what could not be stored was not taken back");
            }
        }
        fault
    }

    /// Lets readers see the newest segment up to there.
    fn publish(&self, base: u64, written: u64, next: u64) -> Result<(), Fault> {
        let mut durable = lock(&self.durable);
        // After a failure elsewhere in the partition this may have been taken back.
        self.env.check()?;
        if let Some(segment) = durable.segments.last_mut().filter(|segment| segment.base == base) {
            segment.bytes = segment.bytes.max(written);
            segment.end = segment.end.max(next);
            durable.next = durable.next.max(next);
        }
        Ok(())
    }

    /// Ends the newest segment, all of it durable, and begins another.
    fn seal(&self, writer: &mut Writer, env: &Env) -> Result<(), Fault> {
        writer.write_out(env)?;
        // Before the next one exists: so only the newest segment can have a torn end.
        env.disk.sync(&writer.file, &writer.path)?;
        self.publish(writer.base, writer.written, writer.next)?;
        let header = Header { base: writer.next, compacted_to: None, floor: writer.last_at };
        let (file, path) = segment::create(&*env.disk, &self.directory, header)?;
        let path: Arc<Path> = path.into();
        let mut durable = lock(&self.durable);
        if let Some(sealed) = durable.segments.last_mut() {
            sealed.sealed_at = Some(writer.last_at);
        }
        durable.segments.push(Segment::empty(Arc::clone(&path), writer.next));
        drop(durable);
        (writer.file, writer.path, writer.base) = (Arc::new(file), path, writer.next);
        (writer.written, writer.first_at, writer.dirty) = (HEADER_BYTES as u64, None, false);
        env.news.publish();
        Ok(())
    }
}

impl Writer {
    fn is_full(&self, record_bytes: u64, segment_bytes: u64) -> bool {
        let bytes = self.written + self.buffer.len() as u64;
        self.first_at.is_some() && bytes + record_bytes > segment_bytes
    }

    fn write_out(&mut self, env: &Env) -> Result<(), Fault> {
        if !self.buffer.is_empty() {
            env.disk.write(&self.file, &self.path, &self.buffer)?;
            self.written += self.buffer.len() as u64;
            self.buffer.clear();
            // One long record doesn't hold memory for ever.
            self.buffer.shrink_to(2 * WRITE_BYTES);
        }
        Ok(())
    }
}

impl Durable {
    /// The first offset that is still there.
    pub(super) fn first(&self) -> u64 {
        self.segments.first().map_or(self.next, |segment| segment.base)
    }

    /// The segment that answers for an offset, the newest one for those beyond; `None` for one that is gone.
    pub(super) fn locate(&self, offset: u64) -> Option<Located> {
        let index = self.segments.partition_point(|segment| segment.base <= offset).checked_sub(1)?;
        Some(Located { segment: self.segments[index].clone(), sealed: index + 1 < self.segments.len() })
    }
}

impl Segment {
    pub(super) const fn empty(path: Arc<Path>, base: u64) -> Self {
        Self { path, base, bytes: HEADER_BYTES as u64, end: base, compacted: false, sealed_at: None }
    }
}
