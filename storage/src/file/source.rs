//! Lines as records, from a file or from a pipe.
//!
//! A file is read in place. A pipe can keep its reader waiting for ever, so a thread of its own reads
//! it and hands over blocks through a bounded channel: the owner still hears a signal meanwhile.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use ports::{Polled, PortError, Position, Record, RecordSource};

/// Longest line that is delivered whole, in bytes; as long as Kafka's largest record by default.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// How much is read at a time, in bytes.
const BLOCK_BYTES: usize = 1 << 18;
/// Blocks of a pipe that wait for their reader.
const BLOCKS_QUEUED_MAX: usize = 4;

/// The lines of a file or pipe, partition 0; a line's offset is its number, from 0.
///
/// A line longer than [`LINE_BYTES_MAX`] is delivered as its beginning and marked as truncated; the
/// lines after it follow as usual. A last line without a line feed counts, an empty rest doesn't.
pub struct LineSource {
    name: String,
    input: Input,
    buffer: Vec<u8>,
    /// Where in the buffer the next line starts.
    start: usize,
    /// How much of that line has been searched for its end.
    searched: usize,
    lines: u64,
    /// Whether the rest of an overlong line, already delivered, is being passed over.
    skipping: bool,
    ended: bool,
    /// What reading failed with: from then on it fails, so that a broken input isn't taken for an ended one.
    failed: Option<io::ErrorKind>,
}

enum Input {
    Direct(Box<dyn Read + Send>),
    Pipe(Receiver<io::Result<Vec<u8>>>),
}

enum Filled {
    Some,
    Nothing,
    End,
}

impl LineSource {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// When the file can't be opened.
    pub fn open(path: &Path) -> Result<Self, PortError> {
        let name = path.display().to_string();
        match File::open(path).and_then(|file| Ok((file.metadata()?.is_file(), file))) {
            Ok((true, file)) => Ok(Self::direct(name, file)),
            Ok((false, file)) => Ok(Self::pipe(name, file)),
            Err(error) => Err(PortError::Open { what: name, source: Box::new(error) }),
        }
    }

    /// Reads standard input.
    #[must_use]
    pub fn stdin() -> Self {
        Self::pipe("stdin".to_owned(), io::stdin())
    }

    /// Reads something that never keeps its reader waiting for long.
    #[must_use]
    pub fn direct(name: String, input: impl Read + Send + 'static) -> Self {
        Self::new(name, Input::Direct(Box::new(input)))
    }

    /// Reads something that may have nothing to say for long.
    #[must_use]
    pub fn pipe(name: String, input: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(BLOCKS_QUEUED_MAX);
        thread::spawn(move || read_blocks(input, &sender));
        Self::new(name, Input::Pipe(receiver))
    }

    fn new(name: String, input: Input) -> Self {
        Self { name, input, buffer: Vec::new(), start: 0, searched: 0, lines: 0, skipping: false, ended: false, failed: None }
    }

    /// Reads some more; what is left of the line so far moves to the buffer's beginning.
    fn fill(&mut self, timeout: Duration) -> Result<Filled, PortError> {
        if let Some(kind) = self.failed {
            return Err(self.failure(kind.into()));
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let result = match &mut self.input {
            Input::Direct(input) => read_block(input, &mut self.buffer),
            Input::Pipe(blocks) => match blocks.recv_timeout(timeout) {
                Ok(Ok(block)) => {
                    self.buffer.extend_from_slice(&block);
                    Ok(block.len())
                }
                Ok(Err(error)) => Err(error),
                Err(RecvTimeoutError::Timeout) => return Ok(Filled::Nothing),
                Err(RecvTimeoutError::Disconnected) => Ok(0),
            },
        };
        match result {
            Ok(0) => Ok(Filled::End),
            Ok(_) => Ok(Filled::Some),
            Err(error) => {
                self.failed = Some(error.kind());
                Err(self.failure(error))
            }
        }
    }

    fn failure(&self, error: io::Error) -> PortError {
        let (what, position) = (self.name.clone(), Position::Line(self.lines + 1));
        PortError::Read { what, position, source: Box::new(error) }
    }

    /// Takes the next line that the buffer holds, if it holds a whole one; says whether it was delivered.
    fn next_line(&mut self, each: &mut dyn FnMut(Record<'_>)) -> Option<bool> {
        let unsearched = &self.buffer[self.start + self.searched..];
        let length = self.searched + find_line_feed(unsearched).unwrap_or(unsearched.len());
        let complete = self.start + length < self.buffer.len();
        let from = self.start;
        if complete {
            (self.start, self.searched) = (from + length + 1, 0);
            if std::mem::take(&mut self.skipping) {
                self.lines += 1;
                return Some(false);
            }
            let truncated = length > LINE_BYTES_MAX;
            self.deliver(from, length.min(LINE_BYTES_MAX), truncated, each);
            self.lines += 1;
            return Some(true);
        }
        self.searched = length;
        if self.skipping {
            (self.start, self.searched) = (self.buffer.len(), 0);
        } else if length > LINE_BYTES_MAX {
            self.deliver(from, LINE_BYTES_MAX, true, each);
            (self.start, self.searched, self.skipping) = (self.buffer.len(), 0, true);
            return Some(true);
        }
        None
    }

    /// Delivers a last line that no line feed ends.
    fn last_line(&mut self, each: &mut dyn FnMut(Record<'_>)) -> bool {
        let (from, length) = (self.start, self.buffer.len() - self.start);
        self.ended = true;
        if length > 0 {
            self.deliver(from, length, false, each);
            self.lines += 1;
        }
        self.buffer = Vec::new();
        length > 0
    }

    fn deliver(&self, from: usize, length: usize, truncated: bool, each: &mut dyn FnMut(Record<'_>)) {
        let payload = &self.buffer[from..from + length];
        each(Record { partition: 0, offset: self.lines, appended_at: None, payload, truncated });
    }
}

impl RecordSource for LineSource {
    fn poll(&mut self, max_records: usize, timeout: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Polled, PortError> {
        let mut records = 0;
        while records < max_records && !self.ended {
            match self.next_line(each) {
                Some(delivered) => records += usize::from(delivered),
                None => match self.fill(if records == 0 { timeout } else { Duration::ZERO })? {
                    Filled::Some => {}
                    Filled::Nothing => break,
                    Filled::End => records += usize::from(self.last_line(each)),
                },
            }
        }
        Ok(Polled { records, at_end: self.ended })
    }

    fn partitions(&self) -> u32 {
        1
    }

    fn next_offsets(&self) -> Vec<u64> {
        // A line that is passed over was delivered, but isn't counted before its end is found.
        vec![self.lines + u64::from(self.skipping)]
    }
}

/// The standard library's own search for a byte, the fastest that is at hand.
fn find_line_feed(bytes: &[u8]) -> Option<usize> {
    let last = (&mut &*bytes).skip_until(b'\n').ok()?.checked_sub(1)?;
    (bytes[last] == b'\n').then_some(last)
}

/// Appends up to a block to the buffer.
fn read_block(input: &mut dyn Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let filled = buffer.len();
    buffer.resize(filled + BLOCK_BYTES, 0);
    let result = loop {
        match input.read(&mut buffer[filled..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result,
        }
    };
    buffer.truncate(filled + result.as_ref().map_or(0, |read| *read));
    result
}

/// Reads a pipe to its end, block by block; ends when nobody wants them any more.
fn read_blocks(mut input: impl Read, blocks: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut block = Vec::new();
        let result = read_block(&mut input, &mut block).map(|_| block);
        let last = result.as_ref().map_or(true, Vec::is_empty);
        if blocks.send(result).is_err() || last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets, contents and whether they were cut.
    type Lines = Vec<(u64, Vec<u8>, bool)>;

    /// Hands out its bytes a few at a time, then the error if there is one.
    struct Drips {
        bytes: Vec<u8>,
        at_once: usize,
        error: Option<io::ErrorKind>,
    }

    impl Read for Drips {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.at_once.min(self.bytes.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.bytes[..count]);
            self.bytes.drain(..count);
            match self.error {
                Some(kind) if count == 0 => Err(kind.into()),
                _ => Ok(count),
            }
        }
    }

    fn drips(bytes: &[u8], at_once: usize) -> Drips {
        Drips { bytes: bytes.to_vec(), at_once, error: None }
    }

    fn read_all(mut source: LineSource, max_records: usize) -> Lines {
        let mut lines = Vec::new();
        loop {
            let before = lines.len();
            let polled = source
                .poll(max_records, Duration::from_secs(60), &mut |r| lines.push((r.offset, r.payload.to_vec(), r.truncated)))
                .unwrap();
            assert_eq!(polled.records, lines.len() - before);
            assert!(polled.records <= max_records);
            assert_eq!(source.next_offsets(), [lines.last().map_or(0, |(offset, ..)| offset + 1)]);
            if polled.at_end {
                return lines;
            }
        }
    }

    fn check(input: &[u8], expected: &[(u64, &[u8], bool)]) {
        let expected: Lines = expected.iter().map(|(offset, line, cut)| (*offset, line.to_vec(), *cut)).collect();
        for (at_once, max_records) in [(usize::MAX, 1000), (1 << 17, 1), (3 * LINE_BYTES_MAX, 2)] {
            let direct = LineSource::direct("test".to_owned(), drips(input, at_once));
            assert!(read_all(direct, max_records) == expected, "direct, {at_once} at once");
            let pipe = LineSource::pipe("test".to_owned(), drips(input, at_once));
            assert!(read_all(pipe, max_records) == expected, "pipe, {at_once} at once");
        }
    }

    #[test]
    fn every_line_is_delivered_with_its_number() {
        check(b"", &[]);
        check(b"a\nbc\n", &[(0, b"a", false), (1, b"bc", false)]);
        check(b"a\n\nbc", &[(0, b"a", false), (1, b"", false), (2, b"bc", false)]);
        check(b"\n", &[(0, b"", false)]);
    }

    #[test]
    fn an_overlong_line_is_cut_and_marked_and_those_after_it_follow() {
        let longest = vec![b'x'; LINE_BYTES_MAX];
        let text = |length: usize, rest: &[u8]| [&vec![b'x'; length], rest].concat();
        check(&text(LINE_BYTES_MAX, b"\nend\n"), &[(0, &longest, false), (1, b"end", false)]);
        check(&text(LINE_BYTES_MAX + 1, b"\nend\n"), &[(0, &longest, true), (1, b"end", false)]);
        check(&text(5 * LINE_BYTES_MAX, b"\nend"), &[(0, &longest, true), (1, b"end", false)]);
        check(&text(LINE_BYTES_MAX, b""), &[(0, &longest, false)]);
        check(&text(LINE_BYTES_MAX + 1, b""), &[(0, &longest, true)]);
    }

    #[test]
    fn a_broken_input_is_not_taken_for_an_ended_one() {
        let broken = || Drips { bytes: b"a\nb".to_vec(), at_once: 8, error: Some(io::ErrorKind::ConnectionReset) };
        for mut source in [LineSource::direct("in".to_owned(), broken()), LineSource::pipe("in".to_owned(), broken())] {
            let mut lines = 0;
            let mut poll = || source.poll(10, Duration::from_secs(60), &mut |_| lines += 1);
            let error = std::iter::repeat_with(&mut poll).find_map(Result::err).unwrap();
            assert_eq!(error.to_string(), "cannot read in at line 2");
            assert!(poll().is_err());
            assert_eq!(lines, 1);
        }
    }

    #[test]
    fn a_silent_pipe_keeps_nobody_waiting() {
        let (reader, writer) = io::pipe().unwrap();
        let mut source = LineSource::pipe("pipe".to_owned(), reader);
        assert_eq!(source.poll(10, Duration::ZERO, &mut |_| {}).unwrap(), Polled { records: 0, at_end: false });
        drop(writer);
        assert_eq!(source.poll(10, Duration::from_secs(60), &mut |_| {}).unwrap(), Polled { records: 0, at_end: true });
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = LineSource::open(Path::new("no/such.ndjson")).err().unwrap();
        assert_eq!(error.to_string(), "cannot open no/such.ndjson");
    }
}
