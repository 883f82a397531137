//! What `explain` rests on: registry, events and issued decisions, of files or of topics read to their ends.

use std::path::Path;

use anyhow::{Context, anyhow};
use domain::decision::Decision;
use domain::policy::Policies;
use domain::rejection::LineSource as Kind;
use domain::time::{DurationMs, MINUTE_MS, Timestamp};
use pipeline::Evaluation;
use ports::{Log, Record, RecordSource, read_to_end};
use storage::{KafkaConfig, KafkaSource};
use wire::appended::{AppendTimes, Appended};

use crate::cli::Explain;
use crate::commands::{is_standard, open_lines};
use crate::failure::Failure;

/// Everything that was read.
pub(super) struct Known {
    /// Registry and events.
    pub(super) evaluation: Evaluation,
    /// Issued decisions in the order of their logs; none where no log was given.
    pub(super) issued: Option<Vec<Decision>>,
    /// The end of what is known; none where nothing is.
    pub(super) until: Option<Timestamp>,
}

/// Reads files and stdin.
pub(super) fn of_files(options: &Explain, policies: Policies) -> Result<Known, Failure> {
    let (Some(registry), Some(events)) = (&options.registry, &options.events) else {
        return Err(Failure::Usage(anyhow!("give --kafka BROKERS, or --registry FILE and --events FILE")));
    };
    let given = [Some(registry), Some(events), options.decisions.as_ref()];
    if given.into_iter().flatten().filter(|path| is_standard(path)).count() > 1 {
        return Err(Failure::Usage(anyhow!(
            "only one of --registry, --events and --decisions can be stdin: give the others as files"
        )));
    }
    let open = |path: &Path| open_lines(path);
    let (mut registry, mut events) = (open(registry)?, open(events)?);
    let (evaluation, appended) = evaluation(policies, (&mut registry, options.at), &mut events).map_err(Failure::Usage)?;
    let issued = options.decisions.as_ref().map(|path| {
        let mut source = open(path)?;
        decisions(&mut source, &path.display().to_string()).map_err(Failure::Usage)
    });
    Ok(known(evaluation, appended, issued.transpose()?))
}

/// Reads topics to where they end now. They have to be there: nothing is created.
pub(super) fn of_kafka(broker: &KafkaConfig, policies: Policies) -> Result<Known, Failure> {
    let open = |log| KafkaSource::open(broker, log).map_err(Failure::failed);
    let (mut registry, mut health) = (open(Log::Registry)?, open(Log::Health)?);
    let (evaluation, appended) = evaluation(policies, (&mut registry, None), &mut health).map_err(Failure::Failed)?;
    let mut issued = Vec::new();
    for log in [Log::Decisions, Log::Programme] {
        issued.extend(decisions(&mut open(log)?, &broker.topic(log)).map_err(Failure::Failed)?);
    }
    Ok(known(evaluation, appended, Some(issued)))
}

/// What is known ends where the log of events does, by its own time if it has one; or where the last decision
/// was issued, should that be later.
fn known(evaluation: Evaluation, appended: Option<Timestamp>, issued: Option<Vec<Decision>>) -> Known {
    let minute_ends = |at: Timestamp| at.floor_minute().saturating_add(DurationMs(MINUTE_MS));
    let read = appended.or_else(|| evaluation.latest_event().map(minute_ends));
    let at = |decision: &Decision| decision.evidence.issued.as_ref().map(|issued| issued.at);
    let last_issued = issued.iter().flatten().filter_map(at).max();
    Known { evaluation, until: read.max(last_issued), issued }
}

/// Reads registry, whose time goes on to an instant or to its last record, then events; yields the last append time of an event's record, too.
fn evaluation(
    policies: Policies,
    (registry, mut until): (&mut dyn RecordSource, Option<Timestamp>),
    events: &mut dyn RecordSource,
) -> anyhow::Result<(Evaluation, Option<Timestamp>)> {
    let (mut evaluation, mut append_times) = (Evaluation::new(policies), AppendTimes::default());
    read_to_end(registry, &mut || true, &mut |record| {
        until = until.max(record.appended_at);
        let Appended::At(recorded_at) = append_times.read(record.payload, record.appended_at) else { return };
        each_line(record, |line, text| match text {
            Some(text) => evaluation.registry_line_at(line, recorded_at, text),
            None => evaluation.overlong(Kind::Registry, line),
        });
    })?;
    evaluation.settle_registry(until);
    let mut appended = None;
    read_to_end(events, &mut || true, &mut |record| {
        appended = record.appended_at.max(appended);
        // All partitions are read, so an event counts where it arrived first.
        if wire::rerouted::read(record.payload).is_none() {
            let place = |line| (record.partition, record.offset, line);
            match record {
                Record { truncated: true, .. } => evaluation.overlong(Kind::Events, record.offset + 1),
                _ if wire::tick::is_tick(record.payload) => {}
                _ => ingest::lines(record.payload).for_each(|(line, text)| evaluation.event_line_at(place(line), text)),
            }
        }
    })?;
    Ok((evaluation, appended))
}

/// Hands over each line of a record that isn't a tick, with the record's number from 1; none for one that is too long.
fn each_line(record: Record<'_>, mut each: impl FnMut(u64, Option<&[u8]>)) {
    let number = record.offset + 1;
    if record.truncated {
        each(number, None);
    } else if !wire::tick::is_tick(record.payload) {
        ingest::lines(record.payload).for_each(|(_, text)| each(number, Some(text)));
    }
}

/// Reads a log of decisions. They are ours: one that can't be read is a wrong file or version, not bad input.
fn decisions(source: &mut dyn RecordSource, name: &str) -> anyhow::Result<Vec<Decision>> {
    let (mut read, mut failed) = (Vec::new(), None);
    read_to_end(source, &mut || true, &mut |record| {
        each_line(record, |line, text| match text.map(wire::decision::parse) {
            Some(Ok(decision)) => read.push(decision),
            Some(Err(error)) => failed = failed.take().or(Some((line, anyhow::Error::from(error)))),
            None => failed = failed.take().or(Some((line, anyhow!("the line is too long")))),
        });
    })?;
    match failed {
        None => Ok(read),
        Some((line, error)) => Err(error).with_context(|| format!("{name}: record {line} is no decision as `run` writes them")),
    }
}
