//! `rejected replay`: rejected lines appended again, each in the partition that it came from, naming its place. Whoever
//! reads them counts each place once, so that a replay may be repeated whenever it isn't known to be done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use ports::{Log, RecordSink, read_to_end};
use storage::{KafkaConfig, KafkaSink};
use wire::rejected::{SourceView, listed};
use wire::replayed::Replayed;

use super::hints;
use super::read::{self, Entry, Place, check_filters, passes};
use crate::cli::{RejectedFilters, ReplayRejected};
use crate::commands::{is_standard, open_lines, print};
use crate::failure::Failure;

/// Lines that are told one by one; the rest is counted.
const SHOWN_MAX: usize = 20;

/// What is to be done.
#[derive(Default)]
struct Plan {
    /// Lines to append, in the order in which they came, each with the subject of its event.
    replays: BTreeMap<SourceView, (String, String)>,
    /// Lines that aren't replayed, and why.
    left_out: Vec<(SourceView, String)>,
}

pub(super) fn run(options: &ReplayRejected) -> Result<(), Failure> {
    let place = Place::of(&options.from)?;
    check_filters(&options.filters, &place)?;
    let given = [options.from.file.as_ref(), options.repaired.as_ref()];
    if given.into_iter().flatten().filter(|file| is_standard(file)).count() > 1 {
        return Err(Failure::Usage(anyhow!("--rejected and --from can't both be stdin: give one of them as a file")));
    }
    let plan = plan(options, &place)?;
    let to = match (&place, &options.to) {
        (Place::Kafka(broker), _) => format!("topic {}", broker.topic(Log::Health)),
        (Place::File(_), Some(file)) => file.display().to_string(),
        (Place::File(_), None) => return Err(Failure::Usage(anyhow!("give --to FILE, the file of events"))),
    };
    if options.apply {
        match (&place, &options.to) {
            (Place::Kafka(broker), _) => append_to_topic(&plan, broker)?,
            (Place::File(_), Some(file)) => append_to_file(&plan, file)?,
            (Place::File(_), None) => {}
        }
    }
    print(told(&plan, &to, options.apply).as_bytes())
}

fn plan(options: &ReplayRejected, place: &Place) -> Result<Plan, Failure> {
    let ids: BTreeSet<SourceView> = options.ids.iter().map(|id| place.named(id.clone())).collect();
    let mut repaired = options.repaired.as_deref().map(|file| read_repaired(file, place)).transpose()?;
    if ids.is_empty() && repaired.is_none() && !options.all && is_empty(&options.filters) {
        let message = "say which lines: their ids, --reason, --subject, --since, --until, --partition, --from FILE, or --all";
        return Err(Failure::Usage(anyhow!(message)));
    }
    let entries = read::read(place, &mut |entry| match &repaired {
        Some(repaired) => repaired.contains_key(entry.id()),
        None => (ids.is_empty() || ids.contains(entry.id())) && passes(&options.filters, entry),
    })?;
    let mut plan = Plan::default();
    // Whoever names a line knows what is wrong with it.
    let is_named = !ids.is_empty() || repaired.is_some();
    let mut missing: BTreeSet<SourceView> =
        repaired.as_ref().map_or_else(|| ids.clone(), |repaired| repaired.keys().cloned().collect());
    for entry in entries {
        missing.remove(entry.id());
        let text = repaired.as_mut().and_then(|repaired| repaired.remove(entry.id()));
        match replayable(&entry, text, is_named, options) {
            Ok(replay) => drop(plan.replays.insert(entry.view.source, replay)),
            Err(why) => plan.left_out.push((entry.view.source, why)),
        }
    }
    match missing.first() {
        Some(id) if is_empty(&options.filters) => {
            Err(Failure::Usage(anyhow!("{id} isn't among the rejected lines: `badgewatch rejected list` names those that are")))
        }
        _ => Ok(plan),
    }
}

/// The line to append in place of a rejected one, and what it is about; or why none is.
fn replayable(
    entry: &Entry,
    repaired: Option<String>,
    is_named: bool,
    options: &ReplayRejected,
) -> Result<(String, String), String> {
    let view = &entry.view;
    let is_event = options.to.as_ref().map_or(view.source.log == Log::Health.as_str(), |to| is_same(to, &view.source.log));
    if !is_event {
        let to = options.to.as_ref().map_or_else(|| Log::Health.to_string(), |to| to.display().to_string());
        return Err(format!("it didn't come from {to}: only events are replayed, to where they came from"));
    }
    let text = match (repaired, &view.payload) {
        (Some(text), _) => text,
        (None, Some(text)) if !view.truncated => text.clone(),
        (None, _) => return Err("it wasn't kept whole as text: repair it and give it with --from".to_owned()),
    };
    let parsed = wire::event::parse(text.as_bytes())
        .map_err(|error| format!("it would be rejected again ({error}): repair it and give it with --from"))?;
    let may_count = is_named || entry.reason().is_some_and(hints::may_count_as_it_was);
    if !may_count {
        return Err(format!("it would be rejected again ({}): repair it and give it with --from", view.reason));
    }
    let subject = parsed.event().subject.to_string();
    let event = text.as_str().into();
    let replayed = Replayed { partition: view.source.partition, offset: view.source.offset, line: view.source.line, event };
    let line = String::from_utf8(wire::replayed::write(&replayed)).map_err(|error| error.to_string())?;
    Ok((line, subject))
}

fn is_empty(filters: &RejectedFilters) -> bool {
    let RejectedFilters { reason, subject, since, until, partition } = filters;
    reason.is_empty() && subject.is_none() && since.is_none() && until.is_none() && partition.is_none()
}

/// Whether a log that a run over files named is this file.
fn is_same(file: &Path, log: &str) -> bool {
    let place = |path: &Path| path.canonicalize().ok();
    file == Path::new(log) || place(file).is_some_and(|file| place(Path::new(log)) == Some(file))
}

/// What lines should have been, by their ids.
fn read_repaired(file: &Path, place: &Place) -> Result<BTreeMap<SourceView, String>, Failure> {
    let (mut source, mut repaired, mut failed) = (open_lines(file)?, BTreeMap::new(), None);
    let read = read_to_end(&mut source, &mut || true, &mut |record| {
        if failed.is_some() || record.payload.trim_ascii().is_empty() {
            return;
        }
        let line = match listed::read_repaired(record.payload) {
            _ if record.truncated => Err(anyhow!("the line is too long")),
            Ok((id, event)) => {
                let id = place.named(id);
                let twice = anyhow!("{id} is there twice: say once what it should have been");
                if repaired.insert(id, event).is_none() { Ok(()) } else { Err(twice) }
            }
            Err(error) => Err(error.into()),
        };
        failed = line.with_context(|| format!("{}: line {}", file.display(), record.offset + 1)).err();
    });
    read.map_err(Failure::usage)?;
    failed.map_or(Ok(repaired), |error| Err(Failure::Usage(error)))
}

fn append_to_topic(plan: &Plan, broker: &KafkaConfig) -> Result<(), Failure> {
    let mut sink = KafkaSink::open(broker).map_err(Failure::failed)?;
    let partitions = sink.partitions(Log::Health).map_err(Failure::failed)?;
    if let Some(id) = plan.replays.keys().find(|id| id.partition >= partitions) {
        let topic = broker.topic(Log::Health);
        return Err(Failure::Usage(anyhow!(
            "{id}: topic {topic} has {partitions} partitions only: it isn't where the line came from"
        )));
    }
    for (id, (line, subject)) in &plan.replays {
        sink.append_to(Log::Health, id.partition, subject, line.as_bytes()).map_err(Failure::failed)?;
    }
    sink.flush().map_err(Failure::failed)
}

fn append_to_file(plan: &Plan, file: &Path) -> Result<(), Failure> {
    if is_standard(file) {
        return Err(Failure::Usage(anyhow!("--to: give the file of events that the lines came from")));
    }
    let mut lines: Vec<u8> = Vec::new();
    for (line, _) in plan.replays.values() {
        lines.extend_from_slice(line.as_bytes());
        lines.push(b'\n');
    }
    append(file, &lines).with_context(|| format!("cannot append to {}", file.display())).map_err(Failure::Failed)
}

/// Appends lines to a file that is there, behind a whole line.
fn append(file: &Path, lines: &[u8]) -> std::io::Result<()> {
    let mut out: File = OpenOptions::new().read(true).append(true).open(file)?;
    if out.metadata()?.len() > 0 {
        let mut last = [0];
        out.seek(SeekFrom::End(-1))?;
        out.read_exact(&mut last)?;
        if last != *b"\n" {
            out.write_all(b"\n")?;
        }
    }
    out.write_all(lines)?;
    out.sync_all()
}

/// What was done, or would be.
fn told(plan: &Plan, to: &str, is_applied: bool) -> String {
    let count = plan.replays.len();
    let what = if is_applied { "replayed" } else { "to replay" };
    let mut told = format!("{count} {} {what} to {to}\n", if count == 1 { "line" } else { "lines" });
    let shown = plan.replays.iter().take(SHOWN_MAX).map(|(id, (_, subject))| format!("  {id}  {subject}\n"));
    told.extend(shown);
    told.push_str(&more(count));
    if !plan.left_out.is_empty() {
        told.push_str(&format!("{} left out\n", plan.left_out.len()));
        told.extend(plan.left_out.iter().take(SHOWN_MAX).map(|(id, why)| format!("  {id}  {why}\n")));
        told.push_str(&more(plan.left_out.len()));
    }
    if is_applied {
        told.push_str("Each counts once, however often it is replayed; what doesn't count is rejected anew, with another id.\n");
    } else {
        told.push_str("Nothing was done: --apply does it.\n");
    }
    told
}

fn more(count: usize) -> String {
    if count > SHOWN_MAX { format!("  and {} more\n", count - SHOWN_MAX) } else { String::new() }
}
