//! The owner loop: records in, standings and decisions out, until told to stop or all is done.
//!
//! One thread owns the engine; sources and sinks are ports. Health records are taken in batches;
//! between batches, and never more often than [`TICK_WALL_MIN`], standings and decisions are
//! brought up to T.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::policy::Policies;
use domain::rejection::{LineSource, RejectReason};
use domain::time::{DurationMs, MINUTE_MS, Timestamp};
use ingest::{ExactNames, Names, RecentNames};
use ports::{Log, PortError, Record, RecordSink, RecordSource};
use telemetry::events::{CaughtUp, InternalEvent, LineRejected, RegistryLoaded};
use telemetry::{BatchCounts, Metrics};

use crate::engine::Applied;
use crate::live::Live;

/// Most health records taken between two looks at the clock, the registry and the stop flag.
const BATCH_RECORDS_MAX: usize = 20_000;
/// Longest wait for health records.
const POLL_WAIT: Duration = Duration::from_millis(100);
/// Least time between two ticks.
const TICK_WALL_MIN: Duration = Duration::from_secs(1);

/// When the run decides, and when it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// It goes on; decisions are issued once they have settled (R21).
    Stopped,
    /// It reads what is there when it starts, decides everything up to this instant, and ends.
    Instant(Timestamp),
    /// It reads a bounded source to its end, decides everything up to the end of the last
    /// event's minute, and ends.
    SourceEnds,
}

/// How a run is set up.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// The policy to judge by, in all its versions.
    pub policies: Policies,
    /// When it ends.
    pub until: Until,
    /// What the health source is called in rejected records.
    pub health_name: String,
    /// What the registry source is called in rejected records.
    pub registry_name: String,
}

/// The ports of a run.
pub struct Ports<'a> {
    /// Registry facts.
    pub registry: &'a mut dyn RecordSource,
    /// Health events.
    pub health: &'a mut dyn RecordSource,
    /// Standings, decisions and rejected records.
    pub sink: &'a mut dyn RecordSink,
}

/// What a run came to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Summary {
    /// Health records read.
    pub records: u64,
    /// Events that counted.
    pub accepted: u64,
    /// Events dropped as repetitions.
    pub duplicate: u64,
    /// Lines rejected, of both sources.
    pub rejected: u64,
    /// Decisions published.
    pub decisions: u64,
    /// The last instant decided up to.
    pub at: Option<Timestamp>,
    /// Whether a run with an end got there; a run without one always does.
    pub complete: bool,
}

/// Runs until stopped or done. Sets `at_end` in the metrics' readiness once the backlog of the
/// start is processed; `progress` is told the number of records after each batch.
///
/// # Errors
/// Those of the ports; nothing is skipped to avoid one.
pub fn run<'a>(
    config: &'a RunConfig,
    ports: Ports<'a>,
    metrics: &'a Arc<Metrics>,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(u64),
) -> Result<Summary, PortError> {
    match config.until {
        // Whoever goes on can remember so much only; whoever ends can remember all (R5).
        Until::Stopped => Runner::<RecentNames>::new(config, ports, metrics).run(stop, progress),
        Until::Instant(_) | Until::SourceEnds => Runner::<ExactNames>::new(config, ports, metrics).run(stop, progress),
    }
}

struct Runner<'a, N> {
    config: &'a RunConfig,
    ports: Ports<'a>,
    metrics: &'a Arc<Metrics>,
    live: Live<N>,
    batch: Batch,
    summary: Summary,
    /// Registry lines about something unknown that were told; one entry a line at most.
    unknown_told: BTreeSet<u64>,
}

/// What a batch leaves behind for its owner.
#[derive(Default)]
struct Batch {
    counts: BatchCounts,
    /// The latest instant that the log is known to have reached.
    log_time: Option<Timestamp>,
    /// A record that couldn't be appended.
    failed: Option<PortError>,
}

impl<'a, N: Names + Default> Runner<'a, N> {
    fn new(config: &'a RunConfig, ports: Ports<'a>, metrics: &'a Arc<Metrics>) -> Self {
        let live = Live::new(config.policies.clone(), Arc::clone(metrics));
        Self { config, ports, metrics, live, batch: Batch::default(), summary: Summary::default(), unknown_told: BTreeSet::new() }
    }

    fn run(mut self, stop: &AtomicBool, progress: &mut dyn FnMut(u64)) -> Result<Summary, PortError> {
        let started = Instant::now();
        let stopped = || stop.load(Ordering::Relaxed);
        let (mut caught_up, mut ticked) = (false, started);
        while !stopped() && !self.read_registry()? {}
        self.settle_registry()?;
        RegistryLoaded { facts: self.live.engine.fact_count(), rejected: self.summary.rejected }.emit(self.metrics);
        while !stopped() {
            let at_end = self.read_health(self.config.until == Until::Stopped)?;
            self.metrics.set_source_lag(self.ports.health.lag_records());
            progress(self.summary.records);
            if at_end && !caught_up {
                caught_up = true;
                CaughtUp { records: self.summary.records, took: started.elapsed() }.emit(self.metrics);
            }
            if self.config.until == Until::Stopped {
                let known = self.live.engine.fact_count();
                self.read_registry()?;
                if self.live.engine.fact_count() > known {
                    self.settle_registry()?;
                }
                if let Some(at) = self.batch.log_time.filter(|_| caught_up && ticked.elapsed() >= TICK_WALL_MIN) {
                    ticked = Instant::now();
                    self.tick(at)?;
                }
            } else if at_end {
                self.finish()?;
                self.summary.complete = true;
                break;
            }
        }
        self.summary.complete |= self.config.until == Until::Stopped;
        self.ports.sink.flush()?;
        Ok(self.summary)
    }

    fn tick(&mut self, at: Timestamp) -> Result<(), PortError> {
        self.summary.decisions += self.live.tick(at, self.ports.sink)?;
        self.summary.at = self.live.at();
        self.ports.sink.flush()
    }

    /// Ties the registry together; a fact about something that nobody registered is told once.
    /// It stays in the registry log, and counts as soon as somebody does.
    fn settle_registry(&mut self) -> Result<(), PortError> {
        for refusal in self.live.engine.settle_registry() {
            if self.unknown_told.insert(refusal.line) {
                let source = Source { kind: LineSource::Registry, name: &self.config.registry_name };
                let offset = refusal.line - 1;
                let record = Record { partition: 0, offset, appended_at: None, payload: b"", truncated: false };
                self.batch.reject(&source, record, 1, b"", refusal.reason, &refusal.detail, self.ports.sink);
            }
        }
        self.settle_batch()
    }

    /// Decides everything, settled or not: nothing more is to come.
    fn finish(&mut self) -> Result<(), PortError> {
        let at = match self.config.until {
            Until::Instant(at) => Some(at),
            Until::SourceEnds | Until::Stopped => {
                self.batch.log_time.map(|last| last.floor_minute().saturating_add(DurationMs(MINUTE_MS)))
            }
        };
        if let Some(at) = at {
            self.summary.decisions += self.live.finish(at, self.ports.sink)?;
            self.summary.at = Some(at);
        }
        Ok(())
    }

    /// Takes in registry records; returns whether those of the start are all read.
    fn read_registry(&mut self) -> Result<bool, PortError> {
        let Self { config, ports, live, batch, .. } = self;
        let source = Source { kind: LineSource::Registry, name: &config.registry_name };
        let wait = if batch.counts.records == 0 { POLL_WAIT } else { Duration::ZERO };
        let sink = &mut *ports.sink;
        let polled = ports.registry.poll(BATCH_RECORDS_MAX, wait, &mut |record| {
            batch.each_line(&source, record, sink, |batch, line, text, sink| match wire::fact::parse(text) {
                Ok(fact) => match live.engine.add_fact(record.offset + 1, fact) {
                    Ok(()) => batch.counts.facts += 1,
                    Err(refusal) => batch.reject(&source, record, line, text, refusal.reason, &refusal.detail, sink),
                },
                Err(error) => batch.reject(&source, record, line, text, error.reason, &error.detail, sink),
            });
        })?;
        self.take_failure()?;
        Ok(polled.at_end)
    }

    /// Takes in a batch of health records; returns whether those of the start are all read.
    fn read_health(&mut self, is_live: bool) -> Result<bool, PortError> {
        let Self { config, ports, live, batch, .. } = self;
        let source = Source { kind: LineSource::Events, name: &config.health_name };
        let sink = &mut *ports.sink;
        let polled = ports.health.poll(BATCH_RECORDS_MAX, POLL_WAIT, &mut |record| {
            batch.counts.records += 1;
            batch.counts.bytes += record.payload.len() as u64;
            batch.log_time = batch.log_time.max(record.appended_at);
            batch.each_line(&source, record, sink, |batch, line, text, sink| match wire::event::parse(text) {
                Ok(parsed) => {
                    let event = parsed.event();
                    let appended = record.appended_at.filter(|_| is_live);
                    let max_skew = config.policies.at(event.at).max_skew;
                    if appended.is_some_and(|appended| event.at > appended.saturating_add(max_skew)) {
                        let detail = format!("at is more than {max_skew} after the record was appended");
                        return batch.reject(&source, record, line, text, RejectReason::TooFarInFuture, &detail, sink);
                    }
                    match live.engine.apply(&event) {
                        Applied::New => batch.counts.accepted += 1,
                        Applied::Duplicate => batch.counts.duplicate += 1,
                        Applied::Rejected(reason, detail) => {
                            return batch.reject(&source, record, line, text, reason, &detail, sink);
                        }
                    }
                    if record.appended_at.is_none() {
                        batch.log_time = batch.log_time.max(Some(event.at));
                    }
                }
                Err(error) => batch.reject(&source, record, line, text, error.reason, &error.detail, sink),
            });
        })?;
        self.summary.records += polled.records as u64;
        self.settle_batch()?;
        Ok(polled.at_end)
    }

    fn settle_batch(&mut self) -> Result<(), PortError> {
        self.summary.accepted += self.batch.counts.accepted;
        self.summary.duplicate += self.batch.counts.duplicate;
        self.summary.rejected += self.batch.counts.rejected_total();
        self.metrics.add(&mut self.batch.counts);
        self.take_failure()
    }

    fn take_failure(&mut self) -> Result<(), PortError> {
        self.batch.failed.take().map_or(Ok(()), Err)
    }
}

/// Where lines come from.
struct Source<'a> {
    kind: LineSource,
    name: &'a str,
}

impl Batch {
    /// Hands over each line of a record.
    #[inline]
    fn each_line(
        &mut self,
        source: &Source<'_>,
        record: Record<'_>,
        sink: &mut dyn RecordSink,
        mut each: impl FnMut(&mut Self, u64, &[u8], &mut dyn RecordSink),
    ) {
        if record.truncated {
            let detail = "the line is longer than a record may be; split it";
            self.reject(source, record, 1, record.payload, RejectReason::InvalidJson, detail, sink);
        } else if record.payload.contains(&b'\n') {
            ingest::lines(record.payload).for_each(|(line, text)| each(self, line, text, sink));
        } else if !record.payload.trim_ascii().is_empty() {
            each(self, 1, record.payload, sink);
        }
    }

    #[cold]
    #[expect(clippy::too_many_arguments, reason = "a rejected line is told with everything known about it")]
    fn reject(
        &mut self,
        source: &Source<'_>,
        record: Record<'_>,
        line: u64,
        payload: &[u8],
        reason: RejectReason,
        detail: &str,
        sink: &mut dyn RecordSink,
    ) {
        let Record { partition, offset, .. } = record;
        LineRejected { source: source.kind, partition, offset, reason, detail }.emit(&mut self.counts);
        let rejected = wire::rejected::Rejected { log: source.name, partition, offset, line, reason, detail, payload };
        let appended = sink.append(Log::Rejected, source.name, &wire::rejected::write(&rejected));
        self.failed = self.failed.take().or(appended.err());
    }
}

#[cfg(test)]
mod tests;
