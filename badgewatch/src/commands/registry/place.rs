//! Where the registry's log is: a topic, a run's directory, or a file. Read to its end, and appended to durably.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use domain::programme::Entry;
use ports::{Log, Record, RecordSink, RecordSource, read_to_end};
use storage::embedded::system_clock;
use storage::{EmbeddedConfig, EmbeddedLogs, KafkaConfig, KafkaSink, KafkaSource, LogsBeside};

use super::known::{Became, Known};
use crate::cli::RegistryPlace;
use crate::commands::{broker, is_standard, open_lines};
use crate::failure::Failure;

/// Records that are made durable together, at most.
const FLUSHED_RECORDS_MAX: usize = 10_000;

/// What a place is opened for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    /// Nothing is locked, made or changed.
    Look,
    /// The same, to say what a change would do: a file may still have to be made.
    Try,
    /// Whoever else changes it waits, or comes first or second in one order.
    Change,
}

/// The registry's log, opened.
pub(super) enum Place {
    /// A topic.
    Kafka(Box<KafkaConfig>),
    /// A run's directory, whether or not the run goes on.
    Beside(LogsBeside, PathBuf),
    /// A run's directory, locked.
    Data(EmbeddedLogs, PathBuf),
    /// A file; locked if it is to be changed.
    File(PathBuf, Option<File>),
    /// A file that isn't there yet.
    NoFile(PathBuf),
}

impl Place {
    /// Opens what the command line names.
    pub(super) fn open(options: &RegistryPlace, access: Access) -> Result<Self, Failure> {
        match (broker(&options.broker)?, &options.data, &options.registry) {
            (Some(config), _, _) => Ok(Self::Kafka(Box::new(config))),
            (None, Some(data), _) => open_data(data, access),
            (None, None, Some(file)) => open_file(file, access),
            (None, None, None) => Err(Failure::Usage(anyhow!("give --kafka BROKERS, --data DIR or --registry FILE"))),
        }
    }

    /// Whether the log says when its records were appended.
    pub(super) const fn has_times(&self) -> bool {
        !matches!(self, Self::File(..) | Self::NoFile(_))
    }

    /// What it is called.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Kafka(config) => format!("topic {}", config.topic(Log::Registry)),
            Self::Beside(_, data) | Self::Data(_, data) => format!("the logs in {}", data.display()),
            Self::File(file, _) | Self::NoFile(file) => file.display().to_string(),
        }
    }

    /// Reads from where reading ended before up to where the log ends now.
    pub(super) fn read(&self, known: &mut Known, each: &mut dyn FnMut(&Entry, &Became)) -> Result<(), Failure> {
        match self {
            Self::Kafka(config) => {
                let source = KafkaSource::open_at(config, Log::Registry, &[known.next()]);
                read_source(&mut source.map_err(Failure::failed)?, known, each).map_err(Failure::Failed)
            }
            Self::Beside(logs, _) => {
                let mut take = |record: Record<'_>| {
                    known.take(record, each);
                    ControlFlow::Continue(())
                };
                logs.read((Log::Registry, 0), 0, &mut take).map_err(Failure::failed)
            }
            Self::Data(logs, _) => read_source(&mut logs.source(Log::Registry), known, each).map_err(Failure::Failed),
            Self::File(file, _) => read_source(&mut open_lines(file)?, known, each).map_err(Failure::Usage),
            Self::NoFile(_) => Ok(()),
        }
    }

    /// Appends lines; once this is done they are durable. `progress` is told how many of them were taken.
    pub(super) fn append(&mut self, lines: &[Vec<u8>], progress: &dyn Fn(u64)) -> Result<(), Failure> {
        match self {
            Self::Kafka(config) => {
                append_records(&mut KafkaSink::open(config).map_err(Failure::failed)?, lines, progress).map_err(Failure::Failed)
            }
            Self::Data(logs, _) => append_records(&mut logs.sink(), lines, progress).map_err(Failure::Failed),
            Self::File(path, Some(file)) => append_lines(path, file, lines)
                .with_context(|| format!("cannot append to {}", path.display()))
                .map_err(Failure::Failed),
            Self::Beside(..) | Self::File(_, None) | Self::NoFile(_) => {
                Err(Failure::Failed(anyhow!("{} was opened to be looked at", self.name())))
            }
        }
    }
}

fn open_data(data: &Path, access: Access) -> Result<Place, Failure> {
    let root = data.join("logs");
    let beside = LogsBeside::open(&root).map_err(Failure::usage)?;
    if access != Access::Change {
        return Ok(Place::Beside(beside, data.to_owned()));
    }
    let settings = EmbeddedConfig { partitions: beside.partitions(Log::Health), ..EmbeddedConfig::default() };
    let opened = EmbeddedLogs::open(&root, &settings, system_clock()).with_context(|| {
        "a registry in --data is changed while its run is stopped, which takes it in once it is started again".to_owned()
    });
    Ok(Place::Data(opened.map_err(Failure::Usage)?.logs, data.to_owned()))
}

fn open_file(file: &Path, access: Access) -> Result<Place, Failure> {
    match access {
        Access::Try if !is_standard(file) && !file.exists() => return Ok(Place::NoFile(file.to_owned())),
        Access::Look | Access::Try => return Ok(Place::File(file.to_owned(), None)),
        Access::Change => {}
    }
    if is_standard(file) {
        return Err(Failure::Usage(anyhow!("--registry: name a file, as lines are appended to it")));
    }
    let opened = OpenOptions::new().read(true).append(true).create(true).open(file);
    let locked = opened.and_then(|opened| opened.lock().map(|()| opened));
    let locked = locked.with_context(|| format!("cannot open {} to append to it", file.display())).map_err(Failure::Usage)?;
    Ok(Place::File(file.to_owned(), Some(locked)))
}

fn read_source(source: &mut dyn RecordSource, known: &mut Known, each: &mut dyn FnMut(&Entry, &Became)) -> anyhow::Result<()> {
    read_to_end(source, &mut || true, &mut |record| known.take(record, each))?;
    Ok(())
}

fn append_records(sink: &mut dyn RecordSink, lines: &[Vec<u8>], progress: &dyn Fn(u64)) -> anyhow::Result<()> {
    for some in lines.chunks(FLUSHED_RECORDS_MAX) {
        for line in some {
            sink.append(Log::Registry, "", line)?;
            progress(1);
        }
        sink.flush()?;
    }
    Ok(())
}

/// Appends behind a whole line, all of it at once.
fn append_lines(path: &Path, file: &mut File, lines: &[Vec<u8>]) -> std::io::Result<()> {
    let mut text = Vec::new();
    let is_new = file.metadata()?.len() == 0;
    if !is_new {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push(b'\n');
        }
    }
    for line in lines {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    file.write_all(&text)?;
    file.sync_all()?;
    // A new file is durable once its folder is.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if is_new { File::open(folder)?.sync_all() } else { Ok(()) }
}
