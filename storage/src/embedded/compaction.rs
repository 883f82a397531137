//! Compaction: of each key the newest record stays, under its own offset.
//!
//! A pass learns the keys of sealed segments that were never compacted, oldest first, as many as fit into
//! memory; then it rewrites all segments up to there, from the first one on, without the records that a later one
//! replaces. Each rewritten segment takes the place of one or several at once, so a pass may end anywhere: what
//! is left stays right, and another pass goes on. As a pass waits until there is as much to learn as to keep,
//! what is written in all is a small multiple of what is appended.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{DurationMs, Timestamp};

use super::disk::UNFINISHED;
use super::env::Env;
use super::fault::Fault;
use super::form::{self, Header};
use super::maintenance::Maintained;
use super::partition::{Durable, Partition, Segment};
use super::segment::{self, SegmentReader};

/// Memory for keys beyond which no further segment is learnt in a pass, in bytes; a first one always is, so
/// what there is at most is this and the keys of one segment.
const KEYS_BYTES_MAX: usize = 32 << 20;
/// What a key takes besides its own bytes, about.
const KEY_OVERHEAD_BYTES: usize = 48;
/// So many sealed segments are compacted even if they hold little.
const SEGMENTS_MAX: usize = 8;
/// How much is gathered before it is written, in bytes.
const WRITE_BYTES: usize = 128 << 10;

pub(super) struct Pass {
    partition: Arc<Partition>,
    /// The newest offset of each key that was learnt.
    newest: HashMap<Box<[u8]>, u64>,
    keys_bytes: usize,
    /// The keys of segments below are known, or were looked after by earlier passes.
    learnt_to: u64,
    /// Segments below may be learnt.
    learn_to: u64,
    /// Segments below are rewritten.
    rewritten_to: u64,
}

impl Pass {
    /// A pass over a partition, if it is worth one: over segments all of whose records are of that age.
    pub(super) fn begin(partition: &Arc<Partition>, age: DurationMs, now: Timestamp) -> Option<Self> {
        partition.durable(|durable| {
            let (kept, rest) = durable.segments.split_at(durable.segments.partition_point(|segment| segment.compacted));
            let old = |segment: &&Segment| segment.sealed_at.is_some_and(|sealed| sealed.saturating_add(age) <= now);
            let fresh: Vec<&Segment> = rest.iter().take_while(old).collect();
            let bytes = |segments: &mut dyn Iterator<Item = &Segment>| segments.map(|segment| segment.bytes).sum::<u64>();
            let enough = bytes(&mut fresh.iter().copied()) >= bytes(&mut kept.iter()) || fresh.len() >= SEGMENTS_MAX;
            let (first, last) = (fresh.first()?, fresh.last()?);
            enough.then(|| Self {
                partition: Arc::clone(partition),
                newest: HashMap::new(),
                keys_bytes: 0,
                learnt_to: first.base,
                learn_to: last.end,
                rewritten_to: durable.first(),
            })
        })
    }

    pub(super) fn partition(&self) -> &Partition {
        &self.partition
    }

    pub(super) const fn memory_bytes(&self) -> u64 {
        self.keys_bytes as u64
    }

    /// Learns a segment or rewrites some; `None` once all is done.
    pub(super) fn step(&mut self, env: &Env) -> Result<Option<Maintained>, Fault> {
        let (log, partition) = (self.partition.log, self.partition.number);
        if self.learnt_to < self.learn_to && (self.newest.is_empty() || self.keys_bytes < KEYS_BYTES_MAX) {
            self.learn()?;
            return Ok(Some(Maintained::Learnt { log, partition }));
        }
        let group = self.partition.durable(|durable| self.next_group(durable, env.config.segment_bytes));
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(None) };
        let bytes_before = group.iter().map(|segment| segment.bytes).sum();
        let unfinished = first.path.with_extension(UNFINISHED);
        let written = self.write(env, &group, &unfinished).inspect_err(|_| {
            // It is in the way of the next attempt, and on a full disk of everybody.
            if let Err(error) = env.disk.remove(&unfinished) {
                tracing::warn!(file = %unfinished.display(), %error, "an unfinished compaction was not removed");
            }
        })?;
        self.replace(env, &group, &unfinished, written)?;
        self.rewritten_to = last.end;
        Ok(Some(Maintained::Compacted { log, partition, bytes_before, bytes_after: written }))
    }

    /// Takes in the keys of the next segment.
    fn learn(&mut self) -> Result<(), Fault> {
        let learnt_to = self.learnt_to;
        let found = self.partition.durable(|durable| durable.locate(learnt_to));
        let Some(segment) = found.map(|located| located.segment) else { return Ok(()) };
        each_record(&segment, |entry| {
            match self.newest.get_mut(entry.key) {
                Some(newest) => *newest = entry.offset,
                None => {
                    self.keys_bytes += entry.key.len() + KEY_OVERHEAD_BYTES;
                    self.newest.insert(entry.key.into(), entry.offset);
                }
            }
            Ok(())
        })?;
        self.learnt_to = segment.end;
        Ok(())
    }

    /// The next segments that fit into one, all of them sealed and learnt.
    fn next_group(&self, durable: &Durable, segment_bytes: u64) -> Vec<Segment> {
        let mut bytes = 0;
        let ahead = durable.segments.iter().skip_while(|segment| segment.base < self.rewritten_to);
        let fits = |segment: &&Segment| {
            bytes += segment.bytes;
            // The newest one ends there, too, while it is empty.
            segment.sealed_at.is_some() && segment.end <= self.learnt_to && (bytes == segment.bytes || bytes <= segment_bytes)
        };
        ahead.take_while(fits).cloned().collect()
    }

    /// Writes what stays of some segments; returns the length.
    fn write(&self, env: &Env, group: &[Segment], unfinished: &Path) -> Result<u64, Fault> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(0) };
        let floor = segment::read_header(&first.path)?.floor;
        let mut out = Out::create(env, unfinished.to_owned())?;
        out.put(&Header { base: first.base, compacted_to: Some(last.end), floor }.encode())?;
        for segment in group {
            each_record(segment, |entry| {
                let replaced = self.newest.get(entry.key).is_some_and(|newest| entry.offset < *newest);
                if replaced { Ok(()) } else { out.put_record(&entry) }
            })?;
        }
        out.finish()
    }

    /// Puts the new segment in the place of some; readers of those have them open.
    fn replace(&self, env: &Env, group: &[Segment], unfinished: &Path, bytes: u64) -> Result<(), Fault> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(()) };
        self.partition.durable(|durable| {
            env.disk.rename(unfinished, &first.path)?;
            let at = durable.segments.partition_point(|segment| segment.base < first.base);
            let path: PathBuf = first.path.to_path_buf();
            let (end, sealed_at) = (last.end, last.sealed_at);
            let new = Segment { path: path.into(), base: first.base, bytes, end, compacted: true, sealed_at };
            durable.segments.splice(at..at + group.len(), [new]);
            Ok::<_, Fault>(())
        })?;
        // What comes back without this is found to be replaced; what is missing without it would be lost.
        env.disk.sync_directory(&self.partition.directory)?;
        for replaced in &group[1..] {
            env.disk.remove(&replaced.path)?;
        }
        env.disk.sync_directory(&self.partition.directory)?;
        Ok(())
    }
}

/// A segment that is being written.
struct Out<'a> {
    env: &'a Env,
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    written: u64,
}

impl<'a> Out<'a> {
    fn create(env: &'a Env, path: PathBuf) -> Result<Self, Fault> {
        let file = env.disk.create(&path)?;
        Ok(Self { env, path, file, buffer: Vec::new(), written: 0 })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.buffer.extend_from_slice(bytes);
        self.write_beyond(WRITE_BYTES)
    }

    fn put_record(&mut self, entry: &form::Entry<'_>) -> Result<(), Fault> {
        form::encode(entry, &mut self.buffer);
        self.write_beyond(WRITE_BYTES)
    }

    fn write_beyond(&mut self, bytes: usize) -> Result<(), Fault> {
        if self.buffer.len() > bytes {
            self.env.disk.write(&self.file, &self.path, &self.buffer)?;
            self.written += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<u64, Fault> {
        self.write_beyond(0)?;
        self.env.disk.sync(&self.file, &self.path)?;
        Ok(self.written)
    }
}

/// Reads a sealed segment's records, all of them or none is left out.
fn each_record(segment: &Segment, mut each: impl FnMut(form::Entry<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut reader = SegmentReader::open(Arc::clone(&segment.path), segment.bytes, Vec::new())?;
    while let Some(entry) = reader.next()? {
        each(entry)?;
    }
    let whole = segment.compacted || reader.expected() == segment.end;
    if whole { Ok(()) } else { Err(Fault::EndsEarly { segment: segment.path.to_path_buf(), next: segment.end }) }
}
