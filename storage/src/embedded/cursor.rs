//! A reader's place in a partition.

use std::sync::Arc;

use ports::{PortError, Position, Record};

use super::fault::Fault;
use super::partition::{Located, Partition};
use super::segment::SegmentReader;

const GONE_ADVICE: &str = "its retention removed records that were not read yet; restore the directory from a copy or remove the \
                           state that rests on them, then start again";
const AHEAD_ADVICE: &str = "the state was made from another directory or from a newer copy of it; restore the one that belongs \
                            to it, then start again";

/// Delivers a partition's durable records in order, from an offset on.
pub(super) struct Cursor {
    partition: Arc<Partition>,
    /// Everything below was delivered or isn't to come any more.
    next: u64,
    /// The segment that is being read; it stays readable when maintenance replaces or removes it.
    reader: Option<SegmentReader>,
}

impl Cursor {
    /// Begins at the earliest record.
    pub(super) fn earliest(partition: &Arc<Partition>) -> Self {
        Self { partition: Arc::clone(partition), next: partition.durable(|durable| durable.first()), reader: None }
    }

    /// Begins at an offset.
    pub(super) fn at(partition: &Arc<Partition>, from: u64) -> Result<Self, PortError> {
        let (first, end) = partition.durable(|durable| (durable.first(), durable.next));
        let cursor = Self { partition: Arc::clone(partition), next: from, reader: None };
        match from {
            _ if from < first => Err(cursor.gone()),
            _ if from > end => {
                Err(PortError::Ahead { what: cursor.what(), end, position: cursor.position(from), advice: AHEAD_ADVICE })
            }
            _ => Ok(cursor),
        }
    }

    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// The first offset that the partition doesn't have yet, as far as is durable.
    pub(super) fn end(&self) -> u64 {
        self.partition.durable(|durable| durable.next)
    }

    /// Delivers up to `max_records`; says how many. An error comes after the records before it, at the next call.
    pub(super) fn deliver(&mut self, max_records: usize, each: &mut dyn FnMut(Record<'_>)) -> Result<usize, PortError> {
        let mut delivered = 0;
        while delivered < max_records {
            let found = match &mut self.reader {
                Some(reader) => reader.next(),
                None => Ok(None),
            };
            match found {
                Ok(Some(entry)) if entry.offset < self.next => {}
                Ok(Some(entry)) => {
                    self.next = entry.offset + 1;
                    delivered += 1;
                    let (partition, offset, payload) = (self.partition.number, entry.offset, entry.payload);
                    each(Record { partition, offset, appended_at: Some(entry.at), payload, truncated: false });
                }
                Ok(None) => match self.go_on() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(_) if delivered > 0 => break,
                    Err(error) => return Err(error),
                },
                Err(_) if delivered > 0 => break,
                Err(fault) => return Err(self.failure(fault)),
            }
        }
        Ok(delivered)
    }

    /// Looks where there is more to read; says whether there is.
    fn go_on(&mut self) -> Result<bool, PortError> {
        let Self { partition, next, reader } = self;
        // Opened under the lock, so that the file is the one that the list says.
        let found = partition.durable(|durable| {
            let Some(Located { segment, sealed }) = durable.locate(*next) else { return Ok(None) };
            let same = reader.as_mut().filter(|reader| Arc::ptr_eq(reader.path(), &segment.path));
            if let Some(reader) = same {
                if reader.extend_to(segment.bytes) {
                    return Ok(Some(true));
                }
                if !sealed && reader.position() == segment.bytes {
                    return Ok(Some(false));
                }
                if !segment.compacted || reader.position() < segment.bytes {
                    return Err(Fault::EndsEarly { segment: segment.path.to_path_buf(), next: segment.end });
                }
                if segment.end <= *next {
                    return Err(Fault::Missing { directory: partition.directory.clone(), offset: *next });
                }
                // Its last records were replaced by later ones.
                *next = segment.end;
                return Ok(Some(true));
            }
            let buffer = reader.take().map(SegmentReader::into_buffer).unwrap_or_default();
            *reader = Some(SegmentReader::open(segment.path, segment.bytes, buffer)?);
            Ok(Some(true))
        });
        match found {
            Ok(Some(more)) => Ok(more),
            Ok(None) => Err(self.gone()),
            Err(fault) => Err(self.failure(fault)),
        }
    }

    fn what(&self) -> String {
        format!("{} in {}", self.partition.log, self.partition.directory.display())
    }

    fn position(&self, offset: u64) -> Position {
        Position::Record { partition: self.partition.number, offset }
    }

    fn gone(&self) -> PortError {
        PortError::Gone { what: self.what(), position: self.position(self.next), advice: GONE_ADVICE }
    }

    fn failure(&self, fault: Fault) -> PortError {
        let offset = self.reader.as_ref().map_or(self.next, SegmentReader::expected);
        PortError::Read { what: self.what(), position: self.position(offset), source: Box::new(fault) }
    }
}
