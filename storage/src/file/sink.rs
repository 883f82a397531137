//! Logs as newline-delimited files or on stdout.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use ports::{Log, PortError, RecordSink};

/// How much is gathered before it is written, in bytes.
const BUFFER_BYTES: usize = 1 << 16;

/// Where a log goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination {
    /// To standard output.
    Stdout,
    /// To a file, which is emptied first.
    File(PathBuf),
}

/// Writes each log's records, one a line, to where it was told; keys are left out, as the content
/// names them. A log without a destination is dropped. Several logs may share one.
pub struct FileSink {
    writers: Vec<Writer>,
    logs: [Option<usize>; Log::ALL.len()],
}

struct Writer {
    to: Destination,
    out: BufWriter<Box<dyn Write + Send>>,
    unflushed: u64,
}

impl FileSink {
    /// Opens every destination.
    ///
    /// # Errors
    ///
    /// When a file can't be created.
    pub fn create(destinations: impl IntoIterator<Item = (Log, Destination)>) -> Result<Self, PortError> {
        let mut sink = Self { writers: Vec::new(), logs: [None; Log::ALL.len()] };
        for (log, to) in destinations {
            let writer = match sink.writers.iter().position(|writer| writer.to == to) {
                Some(writer) => writer,
                None => {
                    sink.writers.push(Writer::open(to)?);
                    sink.writers.len() - 1
                }
            };
            sink.logs[log as usize] = Some(writer);
        }
        Ok(sink)
    }
}

impl RecordSink for FileSink {
    fn append(&mut self, log: Log, key: &str, payload: &[u8]) -> Result<(), PortError> {
        let Some(writer) = self.logs[log as usize].map(|writer| &mut self.writers[writer]) else { return Ok(()) };
        writer.write(payload).map_err(|error| PortError::Append {
            log,
            what: writer.name(),
            key: key.to_owned(),
            source: Box::new(error),
        })
    }

    fn append_to(&mut self, log: Log, partition: u32, key: &str, payload: &[u8]) -> Result<(), PortError> {
        if partition > 0 {
            let what = self.logs[log as usize].map_or_else(|| "nowhere".to_owned(), |writer| self.writers[writer].name());
            let problem = format!("a file is partition 0 and has no partition {partition}");
            return Err(PortError::Append { log, what, key: key.to_owned(), source: problem.into() });
        }
        self.append(log, key, payload)
    }

    fn partitions(&self, _log: Log) -> Result<u32, PortError> {
        Ok(1)
    }

    fn flush(&mut self) -> Result<(), PortError> {
        for writer in &mut self.writers {
            if let Err(error) = writer.out.flush() {
                return Err(PortError::Flush { what: writer.name(), unconfirmed: writer.unflushed, source: Box::new(error) });
            }
            writer.unflushed = 0;
        }
        Ok(())
    }
}

impl Writer {
    fn open(to: Destination) -> Result<Self, PortError> {
        let out: Box<dyn Write + Send> = match &to {
            Destination::Stdout => Box::new(io::stdout()),
            Destination::File(path) => match File::create(path) {
                Ok(file) => Box::new(file),
                Err(error) => return Err(PortError::Open { what: path.display().to_string(), source: Box::new(error) }),
            },
        };
        Ok(Self { to, out: BufWriter::with_capacity(BUFFER_BYTES, out), unflushed: 0 })
    }

    fn name(&self) -> String {
        match &self.to {
            Destination::Stdout => "stdout".to_owned(),
            Destination::File(path) => path.display().to_string(),
        }
    }

    fn write(&mut self, payload: &[u8]) -> io::Result<()> {
        if payload.contains(&b'\n') {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a record of a newline-delimited file holds a line feed"));
        }
        self.out.write_all(payload)?;
        self.out.write_all(b"\n")?;
        self.unflushed += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn each_log_goes_where_it_was_told() {
        let dir = tempfile::tempdir().unwrap();
        let (both, rejected) = (dir.path().join("decisions.ndjson"), dir.path().join("rejected.ndjson"));
        fs::write(&both, "old\n").unwrap();
        let mut sink = FileSink::create([
            (Log::Decisions, Destination::File(both.clone())),
            (Log::Programme, Destination::File(both.clone())),
            (Log::Rejected, Destination::File(rejected.clone())),
        ])
        .unwrap();
        for (log, payload) in [(Log::Decisions, "1"), (Log::Programme, "2"), (Log::Rejected, "3"), (Log::Standings, "4")] {
            sink.append(log, "key", payload.as_bytes()).unwrap();
        }
        sink.append_to(Log::Decisions, 0, "key", b"5").unwrap();
        sink.flush().unwrap();
        assert_eq!(fs::read_to_string(both).unwrap(), "1\n2\n5\n");
        assert_eq!(sink.partitions(Log::Decisions).unwrap(), 1);
        assert!(sink.append_to(Log::Decisions, 1, "key", b"6").is_err());
        assert!(sink.append_to(Log::Standings, 1, "key", b"7").is_err());
        assert_eq!(fs::read_to_string(rejected).unwrap(), "3\n");
    }

    #[test]
    fn what_cannot_be_written_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing/decisions.ndjson");
        let error = FileSink::create([(Log::Decisions, Destination::File(missing))]).err().unwrap();
        assert!(matches!(error, PortError::Open { what, .. } if what.ends_with("missing/decisions.ndjson")));

        let mut sink = FileSink::create([(Log::Rejected, Destination::File("/dev/full".into()))]).unwrap();
        assert!(sink.append(Log::Rejected, "key", b"a\nb").is_err());
        sink.append(Log::Rejected, "key", b"ab").unwrap();
        assert_eq!(sink.flush().unwrap_err().to_string(), "cannot flush /dev/full: 1 records are not known to be stored");
    }
}
