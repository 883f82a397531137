//! Opening a partition's directory: the work of a crash is undone, anything else that is wrong refused.
//!
//! What a crash can leave: files being written; segments that a compacted one replaces; and at the end of the
//! newest segment, and only there, a torn record. A torn end has no whole record behind it, and nothing in it was
//! acknowledged: otherwise what is wrong is damage, and is never cut off.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::Timestamp;
use ports::{Log, PortError};

use super::config::Keeping;
use super::disk::{Disk, UNFINISHED};
use super::env::Env;
use super::fault::Fault;
use super::form::{self, HEADER_BYTES, Header, Measured};
use super::partition::{Durable, Partition, Segment, Writer};
use super::segment::{self, SegmentReader};

/// The end of a partition that a crash had left unfinished and that was cut off. None of it was acknowledged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TornTail {
    /// The log.
    pub log: Log,
    /// Its partition.
    pub partition: u32,
    /// The offset that the torn record would have had; the next record gets it.
    pub offset: u64,
    /// How much was cut off, in bytes.
    pub bytes: u64,
}

/// Makes a partition's directory with an empty segment, unless an interrupted attempt already did.
pub(super) fn create(disk: &dyn Disk, directory: &Path) -> Result<(), Fault> {
    fs::create_dir_all(directory)?;
    let segments = list(disk, directory)?;
    for path in &segments {
        if fs::metadata(path)?.len() > HEADER_BYTES as u64 {
            return Err(Fault::NoManifest { what: path.clone() });
        }
    }
    if segments.is_empty() {
        segment::create(disk, directory, Header { base: 0, compacted_to: None, floor: Timestamp::MIN })?;
    }
    Ok(())
}

/// Opens a partition's directory, in which records were acknowledged up to an offset; tells what was cut off.
pub(super) fn open(
    env: &Arc<Env>,
    (log, number): (Log, u32),
    directory: PathBuf,
    acknowledged: u64,
) -> Result<(Partition, Option<TornTail>), PortError> {
    let fail = |fault: Fault| PortError::Open { what: format!("{log} in {}", directory.display()), source: Box::new(fault) };
    let segments = chain(&*env.disk, log, &directory, env.config.keeping(log)).map_err(fail)?;
    let (writer, durable, torn) = open_last(&*env.disk, segments, acknowledged).map_err(fail)?;
    env.saw(writer.last_at);
    let torn = torn.map(|bytes| TornTail { log, partition: number, offset: writer.next, bytes });
    if let Some(TornTail { offset, bytes, .. }) = torn {
        let segment = writer.path.display();
        tracing::warn!(%log, partition = number, offset, bytes, %segment, "cut off a torn end that a crash left");
    }
    Ok((Partition::new((log, number), directory, Arc::clone(env), writer, durable), torn))
}

/// Every segment's path, by offset; what was being written is removed.
fn list(disk: &dyn Disk, directory: &Path) -> Result<Vec<PathBuf>, Fault> {
    let mut found = Vec::new();
    let entries = fs::read_dir(directory).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Fault::Missing { directory: directory.to_owned(), offset: 0 },
        _ => error.into(),
    })?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == UNFINISHED) {
            disk.remove(&path)?;
        } else if segment::base_of(&path).is_some() {
            found.push(path);
        } else {
            return Err(Fault::Foreign { what: path });
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The segments in order, each beginning where the one before ends.
fn chain(disk: &dyn Disk, log: Log, directory: &Path, keeping: Keeping) -> Result<Vec<Segment>, Fault> {
    let mut segments: Vec<Segment> = Vec::new();
    let missing = |offset: u64| Fault::Missing { directory: directory.to_owned(), offset };
    let mut replaced = false;
    let paths = list(disk, directory)?;
    // The process may have ended between giving a name and making it durable; what follows rests on all of them.
    disk.sync_directory(directory)?;
    for path in paths {
        let header = segment::read_header(&path)?;
        if segment::base_of(&path) != Some(header.base) {
            return Err(Fault::Damaged { segment: path, byte: 0 });
        }
        if let Some(before) = segments.last_mut() {
            if before.compacted && header.base < before.end {
                // A crash came between the compacted segment and the removal of those that it replaces.
                tracing::info!(%log, segment = %path.display(), "removed a segment that a compacted one replaces");
                disk.remove(&path)?;
                replaced = true;
                continue;
            }
            if before.compacted && header.base > before.end {
                return Err(missing(before.end));
            }
            (before.end, before.sealed_at) = (header.base, Some(header.floor));
        }
        let bytes = fs::metadata(&path)?.len();
        let (end, compacted) = (header.compacted_to.unwrap_or(header.base), header.compacted_to.is_some());
        segments.push(Segment { bytes, end, compacted, ..Segment::empty(path.into(), header.base) });
    }
    if replaced {
        disk.sync_directory(directory)?;
    }
    let may_begin_later = matches!(keeping, Keeping::ByAge { .. });
    match (segments.first(), segments.last()) {
        (Some(first), _) if first.base > 0 && !may_begin_later => Err(missing(0)),
        (_, Some(last)) if last.compacted => Err(missing(last.end)),
        (None, _) => Err(missing(0)),
        _ => Ok(segments),
    }
}

/// Reads the newest segment to its end, which is made durable before anybody reads it; returns how much
/// was cut off as torn.
fn open_last(disk: &dyn Disk, mut segments: Vec<Segment>, acknowledged: u64) -> Result<(Writer, Durable, Option<u64>), Fault> {
    let last = segments.last_mut().expect("a chain has a segment");
    let header = segment::read_header(&last.path)?;
    let mut reader = SegmentReader::open(Arc::clone(&last.path), last.bytes, Vec::new())?;
    let (mut first_at, mut last_at) = (None, header.floor);
    let torn = loop {
        match reader.next() {
            Ok(Some(entry)) => {
                first_at.get_or_insert(entry.at);
                last_at = last_at.max(entry.at);
            }
            Ok(None) => break None,
            Err(Fault::Damaged { segment, byte }) => {
                let rest = reader.rest()?;
                if matches!(form::measure(&rest), Measured::Whole(_)) {
                    // A whole record in a place that isn't its own.
                    return Err(Fault::Damaged { segment, byte });
                }
                if let Some(follows) = form::find_record(&rest, reader.expected()) {
                    return Err(Fault::DamagedWithin { segment, byte, follows: byte + follows as u64 });
                }
                if reader.expected() < acknowledged {
                    return Err(Fault::Damaged { segment, byte });
                }
                break Some(rest.len() as u64);
            }
            Err(fault) => return Err(fault),
        }
    };
    if reader.expected() < acknowledged {
        return Err(Fault::Lacks { segment: last.path.to_path_buf(), next: acknowledged });
    }
    let file = OpenOptions::new().append(true).open(&last.path)?;
    last.bytes = reader.position();
    if torn.is_some() {
        disk.cut(&file, &last.path, last.bytes)?;
    }
    disk.sync(&file, &last.path)?;
    let next = reader.expected();
    last.end = next;
    let writer = Writer {
        file: Arc::new(file),
        path: Arc::clone(&last.path),
        base: last.base,
        next,
        written: last.bytes,
        buffer: Vec::new(),
        first_at,
        last_at,
        dirty: false,
    };
    Ok((writer, Durable { segments, next, needed_from: None }, torn))
}
