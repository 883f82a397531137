//! `backup`: everything that an installation decided and rests on, into files, while it goes on.
//!
//! What is read first rests on what is read later: the owners' state, then the logs, `registry` last. So everything
//! that the state has taken in is in the logs that are copied; what the logs hold beyond it, it takes in after a
//! restore. Nobody is fenced, and no lock is taken.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use domain::decision::Issuer;
use pipeline::partition::{PARTITIONS_KEY, place_key};
use ports::{Log, PortError, Record, RecordSource, read_to_end};
use storage::{KafkaConfig, KafkaSource, LogsBeside, S3Options, SlateStores};

use super::broker;
use crate::cli::Backup;
use crate::copy::files::{Counted, Writing};
use crate::copy::manifest::Manifest;
use crate::copy::{LOGS, log_file, owners, state_file};
use crate::failure::Failure;

/// Where the logs are.
enum Origin {
    Kafka(Box<KafkaConfig>),
    Directory(LogsBeside),
}

pub(super) fn run(options: &Backup) -> Result<(), Failure> {
    let (origin, state) = match (broker(&options.broker)?, &options.data) {
        (Some(config), _) => (Origin::Kafka(Box::new(config)), options.state.clone()),
        (None, Some(data)) => {
            let logs = LogsBeside::open(&data.join("logs")).map_err(Failure::usage)?;
            (Origin::Directory(logs), Some(super::state_in(data, options.state.as_deref())))
        }
        (None, None) => return Err(Failure::Usage(anyhow!("give --kafka BROKERS and --state, or --data DIR"))),
    };
    let Some(state) = state else {
        return Err(Failure::Usage(anyhow!("give --state DIR or --state s3://bucket/prefix, the same as the run's")));
    };
    let stores = SlateStores::at(&state.parse().map_err(Failure::usage)?, &S3Options::from_env()).map_err(Failure::usage)?;
    prepare(&options.out).map_err(Failure::Usage)?;
    let manifest = copy(&origin, &stores, &options.out).map_err(Failure::Failed)?;
    let items = |name: &str| manifest.files.iter().find(|(file, _)| file == name).map_or(0, |(_, counted)| counted.items);
    let bytes: u64 = manifest.files.iter().map(|(_, counted)| counted.bytes).sum();
    let said = format!(
        "backed up {} partitions to {}: {} decisions, {} of the programme, {} registry records, {} health records since \
         the checkpoints; {} files, {bytes} bytes\n",
        manifest.partitions,
        options.out.display(),
        items(&log_file(Log::Decisions)),
        items(&log_file(Log::Programme)),
        items(&log_file(Log::Registry)),
        items(&log_file(Log::Health)),
        manifest.files.len()
    );
    super::print(said.as_bytes())
}

/// A directory that holds nothing yet.
fn prepare(out: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let is_empty = std::fs::read_dir(out).with_context(|| format!("cannot read {}", out.display()))?.next().is_none();
    if is_empty { Ok(()) } else { bail!("{} isn't empty: name a new directory for each backup", out.display()) }
}

fn copy(origin: &Origin, stores: &SlateStores, out: &Path) -> anyhow::Result<Manifest> {
    let partitions = origin.partitions(Log::Health)?;
    let mut files = Vec::new();
    let mut health_from = vec![0; partitions as usize];
    for owner in owners(partitions) {
        let (counted, from) = copy_state(stores, owner, partitions, &out.join(state_file(owner)))?;
        if let Issuer::Partition(partition) = owner {
            health_from[partition as usize] = from;
        }
        files.push((state_file(owner), counted));
    }
    for log in LOGS {
        let from = if log == Log::Health { health_from.as_slice() } else { &[] };
        files.push((log_file(log), copy_log(origin, (log, from), &out.join(log_file(log)))?));
    }
    let topic_prefix = match origin {
        Origin::Kafka(config) => config.topic_prefix.clone(),
        Origin::Directory(_) => String::new(),
    };
    let manifest = Manifest { version: env!("CARGO_PKG_VERSION").to_owned(), topic_prefix, partitions, files };
    manifest.write(out)?;
    Ok(manifest)
}

/// Copies an owner's state; yields from which offset on its partition of `health` is still to be read by it.
fn copy_state(stores: &SlateStores, owner: Issuer, partitions: u32, path: &Path) -> anyhow::Result<(Counted, u64)> {
    let fail = || format!("cannot write {}: free some space, or name another place", path.display());
    let mut writing = Writing::create(path).with_context(fail)?;
    let (mut next, mut base) = (0, 0);
    let pairs = stores.read_all(owner).context("is this the state of a run that has begun, and all partitions have owners?")?;
    for pair in pairs {
        let (key, value) = pair?;
        if key == PARTITIONS_KEY && value != partitions.to_string().as_bytes() {
            let stored = String::from_utf8_lossy(&value);
            bail!("the state is of {stored} partitions, the logs have {partitions}: name the state and the logs of one run");
        }
        match owner {
            Issuer::Partition(number) if key == place_key(number) => next = wire::stored::place::read(&value)?.next_offset,
            _ if key == pipeline::restored::KEY => base = wire::stored::restored::read(&value)?.base,
            _ => {}
        }
        writing.pair(&(key, value)).with_context(fail)?;
    }
    Ok((writing.finish().with_context(fail)?, next.saturating_sub(base)))
}

fn copy_log(origin: &Origin, (log, from): (Log, &[u64]), path: &Path) -> anyhow::Result<Counted> {
    let fail = || format!("cannot write {}: free some space, or name another place", path.display());
    let mut writing = Writing::create(path).with_context(fail)?;
    let mut failed = None;
    origin.read(log, from, &mut |record| {
        failed = failed.take().or_else(|| writing.record(&record).err());
        failed.is_none()
    })?;
    failed.map_or(Ok(()), Err::<(), io::Error>).with_context(fail)?;
    writing.finish().with_context(fail)
}

impl Origin {
    fn partitions(&self, log: Log) -> Result<u32, PortError> {
        match self {
            Self::Kafka(config) => Ok(KafkaSource::open(config, log)?.partitions()),
            Self::Directory(logs) => Ok(logs.partitions(log)),
        }
    }

    /// Hands over a log's records from offsets on, by partition, up to where it ends now, or as long as they are wanted.
    fn read(&self, log: Log, from: &[u64], each: &mut dyn FnMut(Record<'_>) -> bool) -> Result<(), PortError> {
        match self {
            Self::Kafka(config) => {
                let (mut source, mut wanted) = (KafkaSource::open_at(config, log, from)?, true);
                let goes_on = std::cell::Cell::new(true);
                read_to_end(&mut source, &mut || goes_on.get(), &mut |record| {
                    wanted = wanted && each(record);
                    goes_on.set(wanted);
                })?;
                Ok(())
            }
            Self::Directory(logs) => (0..logs.partitions(log)).try_for_each(|partition| {
                let from = from.get(partition as usize).copied().unwrap_or(0);
                let mut flow = |record: Record<'_>| if each(record) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
                logs.read((log, partition), from, &mut flow)
            }),
        }
    }
}
