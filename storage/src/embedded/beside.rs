//! Reading the logs of a directory beside the process that uses it: for a copy. Nothing is locked or changed.
//!
//! What is delivered is what the files hold, which may be more than what is durable by then.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ports::{Log, PortError, Position, Record};

use super::fault::Fault;
use super::form::{self, Measured};
use super::manifest::Manifest;
use super::segment::{self, SegmentReader};
use super::{directory, manifest};

/// How often the list of segments is made anew, when maintenance takes one away that was to be read next.
const LISTINGS_MAX: u32 = 100;
const GONE_ADVICE: &str = "its retention removed it; copy again, and start from the beginning";

/// The logs of a directory that another process may be using.
#[derive(Debug)]
pub struct LogsBeside {
    root: PathBuf,
    partitions: u32,
}

impl LogsBeside {
    /// Looks at a directory.
    ///
    /// # Errors
    ///
    /// When there are no logs in it, or of a form that isn't known.
    pub fn open(root: &Path) -> Result<Self, PortError> {
        let fail = |fault: Fault| PortError::Open { what: format!("the logs in {}", root.display()), source: Box::new(fault) };
        let missing = || Fault::Manifest { what: root.join(manifest::MANIFEST) };
        let found = Manifest::read(root).and_then(|found| found.ok_or_else(missing)).map_err(fail)?;
        Ok(Self { root: root.to_owned(), partitions: found.partitions })
    }

    /// How many partitions a log has.
    #[must_use]
    pub fn partitions(&self, log: Log) -> u32 {
        log.partitions(self.partitions)
    }

    /// Delivers a partition's records from an offset on, up to where its file ends by then; from 0 on: from the
    /// earliest that there is.
    ///
    /// # Errors
    ///
    /// When the record at the offset isn't there any more, or what is there is damaged or can't be read.
    pub fn read(
        &self,
        (log, partition): (Log, u32),
        from: u64,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), PortError> {
        let directory = directory(&self.root, log, partition);
        let mut reading = Reading { partition, next: from, begun: from > 0, each };
        let what = || format!("{log} in {}", directory.display());
        for _ in 0..LISTINGS_MAX {
            match reading.pass(&directory) {
                Ok(Passed::ToTheEnd) => return Ok(()),
                Ok(Passed::Changed) => {}
                Ok(Passed::Gone) => {
                    let position = Position::Record { partition, offset: reading.next };
                    return Err(PortError::Gone { what: what(), position, advice: GONE_ADVICE });
                }
                Err(fault) => {
                    let position = Position::Record { partition, offset: reading.next };
                    return Err(PortError::Read { what: what(), position, source: Box::new(fault) });
                }
            }
        }
        let position = Position::Record { partition, offset: reading.next };
        let source = Box::new(Fault::Missing { directory: directory.clone(), offset: reading.next });
        Err(PortError::Read { what: what(), position, source })
    }
}

/// A partition that is being read.
struct Reading<'a> {
    partition: u32,
    /// Everything below was delivered or isn't wanted.
    next: u64,
    /// Whether what lies at `next` has to be there.
    begun: bool,
    each: &'a mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
}

/// How far one list of segments led.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Passed {
    ToTheEnd,
    /// Maintenance took one of them away.
    Changed,
    /// The record to go on with is not there any more.
    Gone,
}

impl Reading<'_> {
    /// Reads the segments that there are now.
    fn pass(&mut self, directory: &Path) -> Result<Passed, Fault> {
        let mut segments = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            segments.extend(segment::base_of(&path).map(|base| (base, path)));
        }
        segments.sort_unstable();
        for (place, (base, path)) in segments.iter().enumerate() {
            let following = segments.get(place + 1).map(|(base, _)| *base);
            if following.is_some_and(|following| following <= self.next) {
                continue;
            }
            if self.begun && *base > self.next {
                return Ok(Passed::Gone);
            }
            match self.segment(path, following.is_none()) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return Ok(Passed::ToTheEnd),
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(Passed::Changed),
                Err(fault) => return Err(fault),
            }
        }
        Ok(Passed::ToTheEnd)
    }

    fn segment(&mut self, path: &Path, is_last: bool) -> Result<ControlFlow<()>, Fault> {
        let header = segment::read_header(path)?;
        let mut reader = SegmentReader::open(Arc::from(path), fs::metadata(path)?.len(), Vec::new())?;
        loop {
            match reader.next() {
                Ok(Some(entry)) if entry.offset < self.next => {}
                Ok(Some(entry)) => {
                    (self.next, self.begun) = (entry.offset + 1, true);
                    let (offset, payload) = (entry.offset, entry.payload);
                    let appended_at = Some(entry.at);
                    let record = Record { partition: self.partition, offset, appended_at, payload, truncated: false };
                    if (self.each)(record).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(None) => break,
                // The end of the newest segment is being written.
                Err(Fault::Damaged { segment, byte }) if is_last => {
                    let rest = reader.rest()?;
                    let whole = matches!(form::measure(&rest), Measured::Whole(_));
                    if whole || form::find_record(&rest, reader.expected()).is_some() {
                        return Err(Fault::Damaged { segment, byte });
                    }
                    break;
                }
                Err(fault) => return Err(fault),
            }
        }
        self.next = self.next.max(header.compacted_to.unwrap_or(header.base));
        self.begun = true;
        Ok(ControlFlow::Continue(()))
    }
}
