//! A segment's file: its name, its making, and reading it from front to back.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, UNFINISHED};
use super::fault::Fault;
use super::form::{self, BadHeader, Entry, HEADER_BYTES, Header, Measured};

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 256 << 10;
/// The extension of a segment.
const SEGMENT: &str = "log";
/// Digits of an offset in a segment's name, so that names and offsets have one order.
const DIGITS: usize = 20;

/// The path of the segment that begins at an offset.
pub(super) fn path(directory: &Path, base: u64) -> PathBuf {
    directory.join(format!("{base:0DIGITS$}.{SEGMENT}"))
}

/// The offset in a segment's name; `None` for other names.
pub(super) fn base_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(SEGMENT)?.strip_suffix('.')?;
    let digits = name.len() == DIGITS && name.bytes().all(|byte| byte.is_ascii_digit());
    if digits { name.parse().ok() } else { None }
}

/// Creates an empty segment, ready to be appended to. Its header survives a loss of power before its name
/// does, so a segment with a damaged header is never the work of a crash.
pub(super) fn create(disk: &dyn Disk, directory: &Path, header: Header) -> io::Result<(File, PathBuf)> {
    let path = path(directory, header.base);
    let unfinished = path.with_extension(UNFINISHED);
    let file = disk.create(&unfinished)?;
    disk.write(&file, &unfinished, &header.encode())?;
    disk.sync(&file, &unfinished)?;
    disk.rename(&unfinished, &path)?;
    disk.sync_directory(directory)?;
    Ok((file, path))
}

/// Reads a segment's header.
pub(super) fn read_header(path: &Path) -> Result<Header, Fault> {
    let file = File::open(path)?;
    let mut bytes = [0; HEADER_BYTES];
    match file.read_exact_at(&mut bytes, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(damaged_header(path, BadHeader::Damaged)),
        result => result?,
    }
    Header::decode(&bytes).map_err(|bad| damaged_header(path, bad))
}

fn damaged_header(path: &Path, bad: BadHeader) -> Fault {
    match bad {
        BadHeader::Form(found) => Fault::Form { what: path.to_owned(), found: found.into() },
        BadHeader::Damaged => Fault::Damaged { segment: path.to_owned(), byte: 0 },
    }
}

/// Reads the records of a segment in order, each checked.
pub(super) struct SegmentReader {
    file: File,
    path: Arc<Path>,
    compacted_to: Option<u64>,
    /// Up to which byte there is something to read.
    bytes: u64,
    buffer: Vec<u8>,
    /// Where in the buffer the next record starts.
    start: usize,
    /// Up to where in the buffer something was read.
    filled: usize,
    /// The file's byte at the buffer's end of what was read.
    read_to: u64,
    /// The next record's offset, at least; of a segment as appended exactly.
    expected: u64,
}

impl SegmentReader {
    /// Opens a segment of which so many bytes are to be read; the buffer is used again.
    pub(super) fn open(path: Arc<Path>, bytes: u64, buffer: Vec<u8>) -> Result<Self, Fault> {
        let header = read_header(&path)?;
        let (file, read_to) = (File::open(&path)?, HEADER_BYTES as u64);
        let Header { base: expected, compacted_to, .. } = header;
        Ok(Self { file, path, compacted_to, bytes, buffer, start: 0, filled: 0, read_to, expected })
    }

    /// The next record, if there is one before the end of what is to be read.
    pub(super) fn next(&mut self) -> Result<Option<Entry<'_>>, Fault> {
        let length = loop {
            match form::measure(&self.buffer[self.start..self.filled]) {
                Measured::Whole(length) => break length,
                Measured::Short(needed) => {
                    if !self.fill(needed)? {
                        return if self.start == self.filled { Ok(None) } else { Err(self.damaged()) };
                    }
                }
                Measured::Bad => return Err(self.damaged()),
            }
        };
        let range = self.start..self.start + length;
        let wanted = |offset: u64| match self.compacted_to {
            Some(to) => (self.expected..to).contains(&offset),
            None => offset == self.expected,
        };
        match form::decode(&self.buffer[range.clone()]).map(|entry| entry.offset) {
            Some(offset) if wanted(offset) => self.expected = offset + 1,
            _ => return Err(self.damaged()),
        }
        self.start = range.end;
        Ok(form::decode(&self.buffer[range]))
    }

    /// Where in the file the next record begins.
    pub(super) fn position(&self) -> u64 {
        self.read_to - (self.filled - self.start) as u64
    }

    /// The least offset that the next record can have.
    pub(super) const fn expected(&self) -> u64 {
        self.expected
    }

    /// The path that it was opened by.
    pub(super) const fn path(&self) -> &Arc<Path> {
        &self.path
    }

    /// Lets it read up to there; says whether that is farther than before.
    pub(super) fn extend_to(&mut self, bytes: u64) -> bool {
        let farther = self.bytes < bytes;
        self.bytes = self.bytes.max(bytes);
        farther
    }

    /// The buffer, for another reader.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// Everything from the next record on.
    pub(super) fn rest(&self) -> io::Result<Vec<u8>> {
        let position = self.position();
        // No more than a segment, whose length is bounded when it is written.
        let length = usize::try_from(self.bytes.saturating_sub(position)).unwrap_or(usize::MAX);
        let mut rest = vec![0; length];
        self.file.read_exact_at(&mut rest, position)?;
        Ok(rest)
    }

    fn damaged(&self) -> Fault {
        Fault::Damaged { segment: self.path.to_path_buf(), byte: self.position() }
    }

    /// Reads on, so that at least `needed` bytes are there; says whether anything came.
    fn fill(&mut self, needed: usize) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.filled, 0);
        (self.start, self.filled) = (0, self.filled - self.start);
        let left = usize::try_from(self.bytes.saturating_sub(self.read_to)).unwrap_or(usize::MAX);
        let wanted = needed.max(READ_BYTES).min(self.filled.saturating_add(left));
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let mut came = false;
        while self.filled < wanted {
            match self.file.read_at(&mut self.buffer[self.filled..wanted], self.read_to) {
                Ok(0) => break,
                Ok(read) => {
                    self.filled += read;
                    self.read_to += read as u64;
                    came = true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(came)
    }
}
