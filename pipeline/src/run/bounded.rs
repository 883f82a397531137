//! A run over what is there: everything is remembered, nothing waits to settle.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::rejection::{LineSource, RejectReason};
use domain::report::{ManufacturerStanding, ProductStanding};
use domain::time::{DurationMs, MINUTE_MS, Timestamp};
use ingest::ExactNames;
use ports::{Log, PortError, Record, RecordSink};
use telemetry::events::{Appended, CaughtUp, DecisionPublished, InternalEvent, LineRejected, RegistryLoaded, Ticked};
use telemetry::{BatchCounts, FleetGauges, Metrics};
use wire::appended::AppendTimes;
use wire::standing::Version;

use super::{BATCH_RECORDS_MAX, POLL_WAIT, Ports, RunConfig, Summary, Until};
use crate::engine::{Applied, Engine, Implied};
use crate::rejecting::OVERLONG;
use crate::replays::Rejects;

/// Reads what is there, decides everything up to where it ends, settled or not, and publishes it: what
/// `evaluate` prints for the same lines. `progress` is told the number of records after each batch.
///
/// # Errors
/// Those of the ports; nothing is skipped to avoid one.
pub fn run_bounded<'a>(
    config: &'a RunConfig,
    until: Until,
    ports: Ports<'a>,
    metrics: &'a Arc<Metrics>,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(u64),
) -> Result<Summary, PortError> {
    Runner::new(config, until, ports, metrics).run(stop, progress)
}

struct Runner<'a> {
    config: &'a RunConfig,
    until: Until,
    ports: Ports<'a>,
    metrics: &'a Arc<Metrics>,
    engine: Engine<ExactNames>,
    /// Tells a restored registry's marks from its facts.
    append_times: AppendTimes,
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
    /// Event lines that may be replayed.
    rejects: Rejects,
    /// A record that couldn't be appended.
    failed: Option<PortError>,
}

impl<'a> Runner<'a> {
    fn new(config: &'a RunConfig, until: Until, ports: Ports<'a>, metrics: &'a Arc<Metrics>) -> Self {
        let engine = Engine::new(config.policies.clone());
        let (batch, summary) = (Batch::default(), Summary::default());
        let (append_times, unknown_told) = (AppendTimes::default(), BTreeSet::new());
        Self { config, until, ports, metrics, engine, append_times, batch, summary, unknown_told }
    }

    fn run(mut self, stop: &AtomicBool, progress: &mut dyn FnMut(u64)) -> Result<Summary, PortError> {
        let started = Instant::now();
        let stopped = || stop.load(Ordering::Relaxed);
        while !stopped() && !self.read_registry()? {}
        self.settle_registry()?;
        RegistryLoaded { facts: self.engine.fact_count(), rejected: self.summary.rejected }.emit(self.metrics);
        while !stopped() {
            let at_end = self.read_health()?;
            self.metrics.set_source_lag(self.ports.health.lag_records());
            progress(self.summary.records);
            if at_end {
                CaughtUp { records: self.summary.records, took: started.elapsed() }.emit(self.metrics);
                self.finish()?;
                self.summary.complete = true;
                break;
            }
        }
        self.ports.sink.flush()?;
        Ok(self.summary)
    }

    /// Ties the registry together; a fact about something that nobody registered is told once.
    /// It stays in the registry log, and counts as soon as somebody does.
    fn settle_registry(&mut self) -> Result<(), PortError> {
        let until = if let Until::Instant(at) = self.until { Some(at) } else { None };
        for refusal in self.engine.settle_registry(until) {
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
        let at = match self.until {
            Until::Instant(at) => Some(at),
            Until::SourceEnds => self.batch.log_time.map(|last| last.floor_minute().saturating_add(DurationMs(MINUTE_MS))),
        };
        let Some(at) = at else { return Ok(()) };
        let started = Instant::now();
        let implied = self.engine.implied(at);
        self.publish(&implied, at)?;
        FleetGauges::new(Arc::clone(self.metrics)).show(&implied.products, &implied.manufacturers);
        Ticked { at, took: started.elapsed() }.emit(self.metrics);
        self.summary.at = Some(at);
        Ok(())
    }

    fn publish(&mut self, implied: &Implied, at: Timestamp) -> Result<(), PortError> {
        for decision in &implied.decisions {
            let key = match &decision.asin {
                Some(asin) => format!("product:{asin}"),
                None => format!("manufacturer:{}", decision.manufacturer),
            };
            self.ports.sink.append(Log::Decisions, &key, &wire::decision::write(decision))?;
            DecisionPublished(decision).emit(self.metrics);
        }
        self.summary.decisions = implied.decisions.len() as u64;
        Appended { log: Log::Decisions.as_str(), records: self.summary.decisions }.emit(self.metrics);
        for product in &implied.products {
            publish_product(product, at, self.ports.sink)?;
        }
        for manufacturer in &implied.manufacturers {
            publish_manufacturer(manufacturer, at, self.ports.sink)?;
        }
        let records = (implied.products.len() + implied.manufacturers.len()) as u64;
        Appended { log: Log::Standings.as_str(), records }.emit(self.metrics);
        Ok(())
    }

    /// Takes in registry records; returns whether those of the start are all read.
    fn read_registry(&mut self) -> Result<bool, PortError> {
        let Self { config, ports, engine, append_times, batch, .. } = self;
        let source = Source { kind: LineSource::Registry, name: &config.registry_name };
        let wait = if batch.counts.records == 0 { POLL_WAIT } else { Duration::ZERO };
        let sink = &mut *ports.sink;
        let polled = ports.registry.poll(BATCH_RECORDS_MAX, wait, &mut |record| {
            let wire::appended::Appended::At(appended_at) = append_times.read(record.payload, record.appended_at) else { return };
            if wire::tick::is_tick(record.payload) {
                return;
            }
            batch.each_line(&source, record, sink, |batch, line, text, sink| match wire::entry::parse(text) {
                Ok(entry) => match engine.add_entry(record.offset + 1, appended_at, entry) {
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
    fn read_health(&mut self) -> Result<bool, PortError> {
        let Self { config, ports, engine, batch, .. } = self;
        let source = Source { kind: LineSource::Events, name: &config.health_name };
        let sink = &mut *ports.sink;
        let polled = ports.health.poll(BATCH_RECORDS_MAX, POLL_WAIT, &mut |record| {
            batch.counts.records += 1;
            batch.counts.bytes += record.payload.len() as u64;
            batch.log_time = batch.log_time.max(record.appended_at);
            // Every partition is read here, so an event counts where it arrived first.
            if wire::tick::is_tick(record.payload) || wire::rerouted::read(record.payload).is_some() {
                return;
            }
            batch.each_line(&source, record, sink, |batch, line, text, sink| match wire::replayed::read(text) {
                None => batch.event(&source, record, line, text, engine, sink),
                Some(Ok(replayed)) if batch.rejects.take((replayed.partition, replayed.offset, replayed.line)) => {
                    batch.event(&source, record, line, replayed.event.as_bytes(), engine, sink);
                }
                Some(Ok(_)) => batch.counts.duplicate += 1,
                Some(Err(error)) => {
                    batch.reject(&source, record, line, text, RejectReason::InvalidField, &error.to_string(), sink);
                }
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
            self.reject(source, record, 1, record.payload, RejectReason::InvalidJson, OVERLONG, sink);
        } else if record.payload.contains(&b'\n') {
            ingest::lines(record.payload).for_each(|(line, text)| each(self, line, text, sink));
        } else if !record.payload.trim_ascii().is_empty() {
            each(self, 1, record.payload, sink);
        }
    }

    fn event(
        &mut self,
        source: &Source<'_>,
        record: Record<'_>,
        line: u64,
        text: &[u8],
        engine: &mut Engine<ExactNames>,
        sink: &mut dyn RecordSink,
    ) {
        match wire::event::parse(text) {
            Ok(parsed) => {
                let event = parsed.event();
                match engine.apply(&event) {
                    Applied::New => self.counts.accepted += 1,
                    Applied::Duplicate => self.counts.duplicate += 1,
                    Applied::Rejected(reason, detail) => {
                        return self.reject(source, record, line, text, reason, &detail, sink);
                    }
                }
                if record.appended_at.is_none() {
                    self.log_time = self.log_time.max(Some(event.at));
                }
            }
            Err(error) => self.reject(source, record, line, text, error.reason, &error.detail, sink),
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
        if source.kind == LineSource::Events {
            self.rejects.add((partition, offset, line));
        }
        let rejected = wire::rejected::Rejected { log: source.name, partition, offset, line, reason, detail, payload };
        let appended = sink.append(Log::Rejected, source.name, &wire::rejected::write(&rejected));
        self.failed = self.failed.take().or(appended.err());
    }
}

fn publish_product(product: &ProductStanding, at: Timestamp, sink: &mut dyn RecordSink) -> Result<(), PortError> {
    let key = format!("product:{}/{}", product.asin, product.scope);
    sink.append(Log::Standings, &key, &wire::standing::write_product(product, at, Version::default()))
}

fn publish_manufacturer(manufacturer: &ManufacturerStanding, at: Timestamp, sink: &mut dyn RecordSink) -> Result<(), PortError> {
    let key = format!("manufacturer:{}/{}", manufacturer.id, manufacturer.scope);
    sink.append(Log::Standings, &key, &wire::standing::write_manufacturer(manufacturer, at, Version::default()))
}

#[cfg(test)]
mod tests;
