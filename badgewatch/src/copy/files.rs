//! The files of a copy: pairs of an owner's state, or records of a log, each with its length first. Numbers are
//! stored lowest byte first.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use domain::Timestamp;
use ports::{Pair, Record};

/// Longest piece of an item, in bytes: none that is stored or appended is as long.
const PIECE_BYTES_MAX: u32 = 64 << 20;
/// How much is read at a time to be counted, in bytes.
const READ_BYTES: usize = 256 << 10;
/// The append time of a record that has none.
const UNKNOWN: i64 = -1;

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Counted {
    /// Pairs or records.
    pub(crate) items: u64,
    /// Its length, in bytes.
    pub(crate) bytes: u64,
    /// CRC-32 of all of it.
    pub(crate) checksum: u32,
}

/// A file that is being written.
pub(crate) struct Writing {
    file: BufWriter<File>,
    hasher: crc32fast::Hasher,
    counted: Counted,
}

/// A file that is read from its beginning.
pub(crate) struct Reading {
    file: BufReader<File>,
}

/// A record of a copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Copied {
    /// The partition that held it.
    pub(crate) partition: u32,
    /// Its number there.
    pub(crate) offset: u64,
    /// When it was appended, if the log said so.
    pub(crate) appended_at: Option<Timestamp>,
    /// Its content.
    pub(crate) payload: Vec<u8>,
}

impl Writing {
    /// Makes a file, which may not be there.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::new(File::create_new(path)?);
        Ok(Self { file, hasher: crc32fast::Hasher::new(), counted: Counted::default() })
    }

    pub(crate) fn pair(&mut self, (key, value): &Pair) -> io::Result<()> {
        self.piece(key)?;
        self.piece(value)?;
        self.counted.items += 1;
        Ok(())
    }

    pub(crate) fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.put(&record.partition.to_le_bytes())?;
        self.put(&record.offset.to_le_bytes())?;
        self.put(&record.appended_at.map_or(UNKNOWN, Timestamp::ms).to_le_bytes())?;
        self.piece(record.payload)?;
        self.counted.items += 1;
        Ok(())
    }

    /// Makes all of it durable.
    pub(crate) fn finish(self) -> io::Result<Counted> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(Counted { checksum: self.hasher.finalize(), ..self.counted })
    }

    fn piece(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= PIECE_BYTES_MAX);
        let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is longer than a backup takes"))?;
        self.put(&length.to_le_bytes())?;
        self.put(bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.counted.bytes += bytes.len() as u64;
        self.file.write_all(bytes)
    }
}

impl Reading {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufReader::new(File::open(path)?) })
    }

    /// The next pair; none at the end.
    pub(crate) fn pair(&mut self) -> io::Result<Option<Pair>> {
        let Some(length) = self.number()? else { return Ok(None) };
        let key = self.piece(u32::from_le_bytes(length))?;
        let length = self.rest()?;
        Ok(Some((key, self.piece(u32::from_le_bytes(length))?)))
    }

    /// The next record; none at the end.
    pub(crate) fn record(&mut self) -> io::Result<Option<Copied>> {
        let Some(partition) = self.number()? else { return Ok(None) };
        let (offset, at): ([u8; 8], [u8; 8]) = (self.rest()?, self.rest()?);
        let length = self.rest()?;
        Ok(Some(Copied {
            partition: u32::from_le_bytes(partition),
            offset: u64::from_le_bytes(offset),
            appended_at: Timestamp::from_ms(i64::from_le_bytes(at)),
            payload: self.piece(u32::from_le_bytes(length))?,
        }))
    }

    /// Four bytes, or the end.
    fn number(&mut self) -> io::Result<Option<[u8; 4]>> {
        let mut first = [0];
        if self.file.read(&mut first)? == 0 {
            return Ok(None);
        }
        let [second, third, fourth] = self.rest()?;
        Ok(Some([first[0], second, third, fourth]))
    }

    fn rest<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn piece(&mut self, length: u32) -> io::Result<Vec<u8>> {
        if length > PIECE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a length is longer than a backup takes"));
        }
        let mut bytes = Vec::new();
        let read = self.file.by_ref().take(u64::from(length)).read_to_end(&mut bytes)?;
        if read as u64 == u64::from(length) { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// A file's length and checksum; its items aren't counted.
pub(crate) fn counted(path: &Path) -> io::Result<Counted> {
    let (mut file, mut hasher, mut bytes) = (File::open(path)?, crc32fast::Hasher::new(), 0);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Counted { items: 0, bytes, checksum: hasher.finalize() }),
            read => {
                hasher.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let pairs: [Pair; 2] = [(b"a".to_vec(), Vec::new()), (Vec::new(), vec![0; 300_000])];
        let mut writing = Writing::create(&path).unwrap();
        pairs.iter().for_each(|pair| writing.pair(pair).unwrap());
        let written = writing.finish().unwrap();
        assert_eq!((written.items, Counted { items: 2, ..counted(&path).unwrap() }), (2, written));
        let mut reading = Reading::open(&path).unwrap();
        assert_eq!(std::iter::from_fn(|| reading.pair().unwrap()).collect::<Vec<_>>(), pairs);
        assert!(Writing::create(&path).is_err(), "nothing is written over");

        let path = directory.path().join("records");
        let mut writing = Writing::create(&path).unwrap();
        let record = |offset, appended_at, payload| Record { partition: 3, offset, appended_at, payload, truncated: false };
        writing.record(&record(7, Some(Timestamp::clamped(5)), b"one")).unwrap();
        writing.record(&record(9, None, b"")).unwrap();
        writing.finish().unwrap();
        let mut reading = Reading::open(&path).unwrap();
        let copied =
            |offset, appended_at, payload: &[u8]| Copied { partition: 3, offset, appended_at, payload: payload.to_vec() };
        assert_eq!(reading.record().unwrap(), Some(copied(7, Some(Timestamp::clamped(5)), b"one")));
        assert_eq!(reading.record().unwrap(), Some(copied(9, None, b"")));
        assert_eq!(reading.record().unwrap(), None);
        let cut = std::fs::read(&path).unwrap();
        std::fs::write(&path, &cut[..cut.len() - 1]).unwrap();
        let mut reading = Reading::open(&path).unwrap();
        assert!(reading.record().is_ok() && reading.record().is_err());
    }
}
