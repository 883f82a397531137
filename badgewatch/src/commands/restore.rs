//! `restore`: a copy that `backup` made, into empty logs and an empty state.
//!
//! Everything is looked over before anything is written. Then, in this order: each owner's state says that it is
//! being restored, so that no run takes it up before the end; the logs; the state. What logs hold that the copied
//! state had not seen is put right here: decisions that were published go into the journal, and the journal's mark
//! of what is published goes to where the copied log ends.

mod owner;
mod target;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, anyhow};
use domain::Timestamp;
use domain::decision::{InputPosition, Issuer};
use ports::{Log, RecordSink};
use wire::appended::{self, AppendTimes, Appended};

use crate::cli::Restore;
use crate::copy::files::{Copied, Reading};
use crate::copy::manifest::Manifest;
use crate::copy::{log_file, owners};
use crate::failure::Failure;
use owner::Owner;
use target::Target;

/// Records that are made durable together, at most.
const FLUSHED_RECORDS_MAX: u64 = 100_000;

pub(super) fn run(options: &Restore) -> Result<(), Failure> {
    let copy = options.from.as_path();
    let manifest = Manifest::verified(copy).map_err(Failure::Usage)?;
    let mut owners = read_owners(copy, &manifest).map_err(Failure::Usage)?;
    let mut target = Target::open(options, manifest.partitions)?;
    target.expect_empty(&manifest).map_err(Failure::Usage)?;
    owners.values_mut().try_for_each(|owner| owner.begin(target.stores.as_mut())).map_err(Failure::Failed)?;
    let inputs = write_logs(copy, &owners, target.sink.as_mut()).map_err(Failure::Failed)?;
    for owner in owners.values() {
        owner.restore(copy, &inputs, target.stores.as_mut()).map_err(Failure::Failed)?;
    }
    let (decisions, published) =
        owners.values().fold((0, 0), |(all, published), owner| (all + owner.last_seq(), published + owner.published()));
    let said = format!(
        "restored {} partitions from {}: {decisions} decisions, of which {} are still to be published; start the run on it \
         with `{}`\n",
        manifest.partitions,
        copy.display(),
        decisions - published,
        target.run_options(&manifest)
    );
    super::print(said.as_bytes())
}

/// What owners' files and their logs of decisions say together.
fn read_owners(copy: &Path, manifest: &Manifest) -> anyhow::Result<BTreeMap<Issuer, Owner>> {
    let mut found = BTreeMap::new();
    for owner in owners(manifest.partitions) {
        found.insert(owner, Owner::read(copy, owner)?);
    }
    for log in [Log::Decisions, Log::Programme] {
        each_record(copy, log, &mut |record| {
            let decision = wire::decision::parse(&record.payload)
                .with_context(|| format!("a record of the copied {log} is no decision that this version can read"))?;
            let issued = decision.evidence.issued.context("a copied decision doesn't say who issued it")?;
            let owner = found.get_mut(&issued.by).ok_or_else(|| anyhow!("a copied decision is of {}", issued.by))?;
            owner.published_one(issued.seq, record.payload);
            Ok(())
        })?;
    }
    // Where nothing was checkpointed, the log is read from its first record.
    each_record(copy, Log::Health, &mut |record| {
        if let Some(owner) = found.get_mut(&Issuer::Partition(record.partition)) {
            owner.health_begins(record.offset);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Writes the logs; yields how far those are that decisions of before wait for.
fn write_logs(copy: &Path, owners: &BTreeMap<Issuer, Owner>, sink: &mut dyn RecordSink) -> anyhow::Result<Vec<InputPosition>> {
    let registry = write_registry(copy, sink)?;
    // Events of before are to find the registry of before.
    sink.flush()?;
    let mut inputs = vec![InputPosition { log: Log::Registry.to_string(), partition: 0, next_offset: registry }];
    let mut counts = BTreeMap::new();
    let mut appending = Appending { sink, unflushed: 0 };
    each_record(copy, Log::Dependencies, &mut |record| {
        let key = wire::dependency::read(&record.payload).context("a copied record of dependencies can't be read")?.key();
        *counts.entry(record.partition).or_insert(0) += 1;
        appending.append(Log::Dependencies, record.partition, &key, &record.payload)
    })?;
    let position = |(partition, next_offset)| InputPosition { log: Log::Dependencies.to_string(), partition, next_offset };
    inputs.extend(counts.into_iter().map(position));
    for log in [Log::Decisions, Log::Programme] {
        each_record(copy, log, &mut |record| {
            let decision = wire::decision::parse(&record.payload)?;
            let key = match &decision.asin {
                Some(asin) => format!("product:{asin}"),
                None => format!("manufacturer:{}", decision.manufacturer),
            };
            appending.append(log, record.partition, &key, &record.payload)
        })?;
    }
    let mut next = BTreeMap::new();
    each_record(copy, Log::Health, &mut |record| {
        let begin = owners.get(&Issuer::Partition(record.partition)).map_or(record.offset, Owner::health_from);
        let next = next.entry(record.partition).or_insert(begin);
        // Offsets that hold no record, e.g. the end of a producer's transaction, are kept as ticks.
        for _ in *next..record.offset {
            appending.append(Log::Health, record.partition, "", wire::tick::TICK)?;
        }
        *next = record.offset + 1;
        appending.append(Log::Health, record.partition, &subject_of(&record.payload), &record.payload)
    })?;
    appending.sink.flush()?;
    Ok(inputs)
}

/// Writes the registry with marks of when each fact was appended first; yields how many records that are.
fn write_registry(copy: &Path, sink: &mut dyn RecordSink) -> anyhow::Result<u64> {
    let (mut times, mut marked, mut written) = (AppendTimes::default(), None, 0);
    let mut appending = Appending { sink, unflushed: 0 };
    let mut append = |payload: &[u8]| {
        written += 1;
        appending.append(Log::Registry, 0, "", payload)
    };
    each_record(copy, Log::Registry, &mut |record| {
        let Appended::At(appended_at) = times.read(&record.payload, record.appended_at) else { return Ok(()) };
        // Time alone is nothing that a tick of before has to tell.
        let at = if wire::tick::is_tick(&record.payload) { marked } else { Some(appended_at.unwrap_or(Timestamp::MIN)) };
        if let Some(at) = at.filter(|at| marked != Some(*at)) {
            append(&appended::write(at))?;
            marked = Some(at);
        }
        if marked.is_some() { append(&record.payload) } else { Ok(()) }
    })?;
    if marked.is_some() {
        append(appended::END)?;
    }
    Ok(written)
}

/// Appends, and makes durable now and then what was.
struct Appending<'a> {
    sink: &'a mut dyn RecordSink,
    unflushed: u64,
}

impl Appending<'_> {
    fn append(&mut self, log: Log, partition: u32, key: &str, payload: &[u8]) -> anyhow::Result<()> {
        self.sink.append_to(log, partition, key, payload)?;
        self.unflushed += 1;
        if self.unflushed >= FLUSHED_RECORDS_MAX {
            self.sink.flush()?;
            self.unflushed = 0;
        }
        Ok(())
    }
}

fn each_record(copy: &Path, log: Log, each: &mut dyn FnMut(Copied) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let path = copy.join(log_file(log));
    let mut reading = Reading::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    while let Some(record) = reading.record().with_context(|| format!("cannot read {}", path.display()))? {
        each(record)?;
    }
    Ok(())
}

/// The key of a record of `health`: the subject of its first event.
fn subject_of(payload: &[u8]) -> String {
    let text = match wire::rerouted::read(payload) {
        Some(Ok((_, event))) => event,
        _ => payload,
    };
    let first = ingest::lines(text).next().and_then(|(_, line)| wire::event::parse(line).ok());
    first.map(|parsed| parsed.event().subject.to_string()).unwrap_or_default()
}
