//! Reading rejected lines: each once, though a restart appends some again.

use std::collections::{BTreeMap, HashSet};

use anyhow::anyhow;
use domain::{RejectReason, Timestamp};
use ports::{Log, Record, RecordSource, read_to_end};
use storage::{KafkaConfig, KafkaSource};
use wire::rejected::{RejectedView, SourceView};

use crate::cli::{RejectedFilters, RejectedFrom};
use crate::commands::{broker, open_lines};
use crate::failure::Failure;

/// Most rejected lines that are told apart: about 200 MB.
const LINES_MAX: usize = 4_000_000;
/// Most bytes of lines that are kept.
const KEPT_BYTES_MAX: usize = 256 << 20;
/// What a kept line takes beside its text, about, in bytes.
const ENTRY_BYTES: usize = 200;

/// A rejected line.
#[derive(Debug)]
pub(super) struct Entry {
    /// When it was said to be rejected; not known of a file.
    pub(super) appended_at: Option<Timestamp>,
    /// What is known of it; its source is its id.
    pub(super) view: RejectedView,
}

impl Entry {
    pub(super) const fn id(&self) -> &SourceView {
        &self.view.source
    }

    /// Whether it is a registry line.
    pub(super) fn is_fact(&self) -> bool {
        self.id().log == Log::Registry.as_str()
    }

    /// Why it was rejected; none for a reason of a later version.
    pub(super) fn reason(&self) -> Option<RejectReason> {
        RejectReason::ALL.into_iter().find(|reason| reason.as_str() == self.view.reason)
    }
}

/// Where rejected lines are.
pub(super) enum Place {
    /// In a topic.
    Kafka(Box<KafkaConfig>),
    /// In a file.
    File(std::path::PathBuf),
}

impl Place {
    pub(super) fn of(from: &RejectedFrom) -> Result<Self, Failure> {
        match (broker(&from.broker)?, &from.file) {
            (Some(broker), _) => Ok(Self::Kafka(Box::new(broker))),
            (None, Some(file)) => Ok(Self::File(file.clone())),
            (None, None) => Err(Failure::Usage(anyhow!("give --kafka BROKERS, or --rejected FILE"))),
        }
    }

    /// A place as ids name it: a run up to an instant calls logs by their topics.
    pub(super) fn named(&self, mut id: SourceView) -> SourceView {
        if let Self::Kafka(broker) = self {
            let log = [Log::Health, Log::Registry].into_iter().find(|log| broker.topic(*log) == id.log);
            if let Some(log) = log {
                log.as_str().clone_into(&mut id.log);
            }
        }
        id
    }

    fn open(&self) -> Result<Box<dyn RecordSource>, Failure> {
        Ok(match self {
            Self::Kafka(broker) => Box::new(KafkaSource::open(broker, Log::Rejected).map_err(Failure::failed)?),
            Self::File(file) => Box::new(open_lines(file)?),
        })
    }

    fn name(&self) -> String {
        match self {
            Self::Kafka(broker) => format!("topic {}", broker.topic(Log::Rejected)),
            Self::File(file) => file.display().to_string(),
        }
    }
}

/// Reads to the end; yields the lines that are wanted, the latest first.
pub(super) fn read(place: &Place, wanted: &mut dyn FnMut(&Entry) -> bool) -> Result<Vec<Entry>, Failure> {
    let (mut source, mut read, mut failed) = (place.open()?, Reading::default(), None);
    let done = read_to_end(source.as_mut(), &mut || true, &mut |record| {
        if failed.is_none() {
            failed = read.take(place, record, wanted).err();
        }
    });
    done.map_err(Failure::failed)?;
    match failed {
        None => {
            read.kept.sort_by(|a, b| (b.appended_at, b.id()).cmp(&(a.appended_at, a.id())));
            Ok(read.kept)
        }
        Some(error) => Err(Failure::Usage(error.context(place.name()))),
    }
}

/// Refuses filters that ask what a file doesn't say.
pub(super) fn check_filters(filters: &RejectedFilters, place: &Place) -> Result<(), Failure> {
    let asks_times = filters.since.is_some() || filters.until.is_some();
    match place {
        Place::File(_) if asks_times => {
            Err(Failure::Usage(anyhow!("--since, --until: a file doesn't say when its lines were appended; leave them out")))
        }
        Place::File(_) | Place::Kafka(_) => Ok(()),
    }
}

/// Whether a line passes the filters.
pub(super) fn passes(filters: &RejectedFilters, entry: &Entry) -> bool {
    let RejectedFilters { reason, subject, since, until, partition } = filters;
    (reason.is_empty() || entry.reason().is_some_and(|own| reason.contains(&own)))
        && subject.as_ref().is_none_or(|subject| entry.view.subject().as_ref() == Some(subject))
        && since.is_none_or(|since| entry.appended_at >= Some(since))
        && until.is_none_or(|until| entry.appended_at.is_some_and(|at| at < until))
        && partition.is_none_or(|partition| entry.id().partition == partition)
}

#[derive(Default)]
struct Reading {
    logs: BTreeMap<String, usize>,
    seen: HashSet<(usize, u32, u64, u64)>,
    kept: Vec<Entry>,
    kept_bytes: usize,
}

impl Reading {
    fn take(&mut self, place: &Place, record: Record<'_>, wanted: &mut dyn FnMut(&Entry) -> bool) -> anyhow::Result<()> {
        if record.payload.trim_ascii().is_empty() {
            return Ok(());
        }
        let mut view = wire::rejected::read(record.payload).map_err(|error| {
            anyhow::Error::from(error).context(format!("record {} is no rejected line as `run` writes them", record.offset + 1))
        })?;
        view.source = place.named(view.source);
        if !self.is_new(&view.source) {
            return Ok(());
        }
        anyhow::ensure!(self.seen.len() <= LINES_MAX, "it holds more than {LINES_MAX} rejected lines: wait for its retention");
        let entry = Entry { appended_at: record.appended_at, view };
        if wanted(&entry) {
            self.kept_bytes += ENTRY_BYTES + record.payload.len();
            let problem = "the chosen lines take more than 256 MiB: choose fewer, with --reason, --subject or --partition";
            anyhow::ensure!(self.kept_bytes <= KEPT_BYTES_MAX, problem);
            self.kept.push(entry);
        }
        Ok(())
    }

    fn is_new(&mut self, id: &SourceView) -> bool {
        let next = self.logs.len();
        let log = match self.logs.get(&id.log) {
            Some(log) => *log,
            None => *self.logs.entry(id.log.clone()).or_insert(next),
        };
        self.seen.insert((log, id.partition, id.offset, id.line))
    }
}
