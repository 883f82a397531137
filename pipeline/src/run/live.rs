//! A run that goes on: owners of every partition, fed from the logs, brought up to T once a second.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::time::Timestamp;
use ports::{Log, Record, RecordSource};
use telemetry::events::{CaughtUp, DecisionPublished, InternalEvent, RegistryLoaded, Ticked};
use telemetry::{BatchCounts, Metrics};

use super::{BATCH_RECORDS_MAX, LivePorts, POLL_WAIT, RunConfig, Summary};
use crate::error::Error;
use crate::figures::Figures;
use crate::node::Node;
use crate::partition::{Io, Rules, Taken};

/// Least time between two ticks.
const TICK_WALL_MIN: Duration = Duration::from_secs(1);
/// A partition without records for so long gets a tick record (R23).
const HEALTH_IDLE: Duration = Duration::from_secs(5);
/// The registry likewise; it is kept for ever, so it gets fewer.
const REGISTRY_IDLE: Duration = Duration::from_secs(30);

/// Runs until told to stop. Sets the metrics' readiness once the backlog of the start is processed;
/// `progress` is told the number of records after each batch.
///
/// # Errors
/// When a port fails or the state is damaged: the process is to be started anew, and goes on from its
/// logs and its journal.
pub fn run_live(
    config: &RunConfig,
    ports: LivePorts<'_>,
    metrics: &Arc<Metrics>,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(u64),
) -> Result<Summary, Error> {
    let partitions = ports.health.partitions();
    let rules = Rc::new(Rules::new(config.policies.clone(), partitions));
    let owned: Vec<u32> = (0..partitions).collect();
    let mut counts = BatchCounts::default();
    let node = Node::open(&rules, &owned, true, &mut Io { sink: ports.sink, stores: ports.stores, counts: &mut counts })?;
    let figures = Figures::new(metrics, &owned);
    let idle = Idle::new(owned.len());
    Live { node, ports, counts, metrics, figures, idle, summary: Summary::default() }.run(stop, progress)
}

struct Live<'a, 'm> {
    node: Node,
    ports: LivePorts<'a>,
    counts: BatchCounts,
    metrics: &'m Arc<Metrics>,
    figures: Figures,
    idle: Idle,
    summary: Summary,
}

/// Since when which log hasn't moved.
struct Idle {
    health: Vec<Seen>,
    registry: Seen,
}

/// A log's time as last seen, and when it last moved or got a tick.
type Seen = (Option<Timestamp>, Option<Instant>);

impl Live<'_, '_> {
    fn run(mut self, stop: &AtomicBool, progress: &mut dyn FnMut(u64)) -> Result<Summary, Error> {
        let started = Instant::now();
        let stopped = || stop.load(Ordering::Relaxed);
        // What owners said before a restart is known before anything is said anew.
        while !stopped() && !self.read_registry(POLL_WAIT)? {}
        while !stopped() && !self.read_dependencies(POLL_WAIT)? {}
        let facts = self.node.tables().registry.fact_count();
        RegistryLoaded { facts, rejected: self.counts.rejected_total() }.emit(self.metrics);
        let (mut caught_up, mut ticked) = (false, None::<Instant>);
        while !stopped() {
            let at_end = self.read_health(stop)?;
            self.metrics.set_source_lag(self.ports.health.lag_records());
            progress(self.summary.records);
            self.read_registry(Duration::ZERO)?;
            self.read_dependencies(Duration::ZERO)?;
            if ticked.is_none_or(|ticked| ticked.elapsed() >= TICK_WALL_MIN) {
                ticked = Some(Instant::now());
                self.tick()?;
            }
            if at_end && !caught_up {
                caught_up = true;
                CaughtUp { records: self.summary.records, took: started.elapsed() }.emit(self.metrics);
            }
        }
        self.tick()?;
        self.summary.complete = true;
        Ok(self.summary)
    }

    /// Takes in registry records; returns whether those of the start are all read.
    fn read_registry(&mut self, wait: Duration) -> Result<bool, Error> {
        let Self { node, ports, counts, .. } = self;
        let mut io = Io { sink: ports.sink, stores: ports.stores, counts };
        let at_end = read_registry(node, ports.registry, &mut io, wait)?;
        self.settle_counts();
        Ok(at_end)
    }

    fn read_dependencies(&mut self, wait: Duration) -> Result<bool, Error> {
        let (node, mut failed) = (&mut self.node, None);
        let polled = self.ports.dependencies.poll(BATCH_RECORDS_MAX, wait, &mut |record| {
            if failed.is_none() {
                failed = node.take_dependency(record).err();
            }
        })?;
        failed.map_or(Ok(polled.at_end), Err)
    }

    /// Takes in a batch of health records; returns whether those of the start are all read.
    fn read_health(&mut self, stop: &AtomicBool) -> Result<bool, Error> {
        let Self { node, ports: LivePorts { registry, health, sink, stores, .. }, counts, idle, .. } = self;
        let mut failed = None;
        let polled = health.poll(BATCH_RECORDS_MAX, POLL_WAIT, &mut |record| {
            // After a failure or a stop the rest of the batch is read again after the restart.
            if failed.is_none() && !stop.load(Ordering::Relaxed) {
                let mut io = Io { sink: &mut **sink, stores: &mut **stores, counts: &mut *counts };
                failed = take(node, record, (&mut **registry, &mut *idle), &mut io, stop).err();
            }
        })?;
        self.summary.records += polled.records as u64;
        self.settle_counts();
        failed.map_or(Ok(polled.at_end), Err)
    }

    /// Brings everything up to T, after idle logs got a tick.
    fn tick(&mut self) -> Result<(), Error> {
        let started = Instant::now();
        let Self { node, ports, counts, idle, .. } = self;
        for partition in node.partitions() {
            if idle.is_health_idle(partition.number(), partition.log_time()) {
                ports.sink.append_to(Log::Health, partition.number(), "", wire::tick::TICK)?;
            }
        }
        if idle.is_registry_idle(node.tables().registry.log_time(), REGISTRY_IDLE) {
            ports.sink.append_to(Log::Registry, 0, "", wire::tick::TICK)?;
        }
        let issued = node.tick(&mut Io { sink: ports.sink, stores: ports.stores, counts })?;
        ports.sink.flush()?;
        issued.iter().for_each(|decision| DecisionPublished(decision).emit(self.metrics));
        self.summary.decisions += issued.len() as u64;
        self.settle_counts();
        if let Some(at) = self.node.t() {
            self.summary.at = Some(at);
            Ticked { at, took: started.elapsed() }.emit(self.metrics);
        }
        self.figures.show(&self.node);
        Ok(())
    }

    fn settle_counts(&mut self) {
        self.summary.accepted += self.counts.accepted;
        self.summary.duplicate += self.counts.duplicate;
        self.summary.rejected += self.counts.rejected_total();
        self.metrics.add(&mut self.counts);
    }
}

/// Takes in a health record. One about something unknown waits until the registry has been read up to
/// the record's time; ticks there see to it that this comes. Several may be needed, as the brokers' clocks
/// differ; and no more than one a [`TICK_WALL_MIN`], however many such records come.
fn take(
    node: &mut Node,
    record: Record<'_>,
    (registry, idle): (&mut dyn RecordSource, &mut Idle),
    io: &mut Io<'_>,
    stop: &AtomicBool,
) -> Result<(), Error> {
    while node.take_health(record, io)? == Taken::RegistryBehind && !stop.load(Ordering::Relaxed) {
        while !stop.load(Ordering::Relaxed) && node.tables().registry.log_time() < record.appended_at {
            if idle.is_registry_idle(node.tables().registry.log_time(), TICK_WALL_MIN) {
                io.sink.append_to(Log::Registry, 0, "", wire::tick::TICK)?;
                io.sink.flush()?;
            }
            read_registry(node, registry, io, POLL_WAIT)?;
        }
    }
    Ok(())
}

fn read_registry(node: &mut Node, registry: &mut dyn RecordSource, io: &mut Io<'_>, wait: Duration) -> Result<bool, Error> {
    let mut failed = None;
    let polled = registry.poll(BATCH_RECORDS_MAX, wait, &mut |record| {
        if failed.is_none() {
            failed = node.take_registry(record, io).err();
        }
    })?;
    failed.map_or(Ok(()), Err)?;
    node.settle_registry(io)?;
    Ok(polled.at_end)
}

impl Idle {
    fn new(partitions: usize) -> Self {
        Self { health: vec![(None, None); partitions], registry: (None, None) }
    }

    fn is_health_idle(&mut self, partition: u32, log_time: Option<Timestamp>) -> bool {
        self.health.get_mut(partition as usize).is_some_and(|seen| is_idle(seen, log_time, HEALTH_IDLE))
    }

    fn is_registry_idle(&mut self, log_time: Option<Timestamp>, after: Duration) -> bool {
        is_idle(&mut self.registry, log_time, after)
    }
}

/// Whether a log hasn't moved for so long; then it is to get a tick, and is looked at afresh. A log that
/// never said anything gets one at once.
fn is_idle(seen: &mut Seen, log_time: Option<Timestamp>, after: Duration) -> bool {
    let has_moved = log_time != seen.0;
    let is_due = !has_moved && seen.1.is_none_or(|since| since.elapsed() >= after);
    if has_moved || is_due {
        *seen = (log_time, Some(Instant::now()));
    }
    is_due
}
