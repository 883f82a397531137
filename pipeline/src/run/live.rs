//! A run that goes on: owners of the partitions that the group gives to this process, fed from the logs,
//! brought up to T once a second, and checkpointed on the way.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::decision::Issuer;
use ports::{GroupEvent, Log, Polled, Record, RecordSource};
use telemetry::events::{CaughtUp, DecisionPublished, InternalEvent, Move, PartitionMoved, RegistryLoaded, RegistryRead, Ticked};
use telemetry::{BatchCounts, Metrics};

use super::{BATCH_RECORDS_MAX, LivePorts, POLL_WAIT, RunConfig, Summary};
use crate::error::Error;
use crate::figures::Figures;
use crate::node::Node;
use crate::partition::{Io, Rules, Taken};

mod idle;
mod pause;

use idle::{Idle, REGISTRY_IDLE};
use pause::{Pause, TICK_WALL_MIN};

/// Least time from the beginning of a checkpoint to the next.
const CHECKPOINT_WALL_MIN: Duration = Duration::from_secs(30);
/// Most subjects of a partition that are stored between two ticks.
const CHECKPOINT_SUBJECTS_MAX: usize = 5_000;
/// The partition whose owner has the programme role, too.
const PROGRAMME_PARTITION: u32 = 0;
/// How often a partition is opened if another opening of it comes in between.
const OPENINGS_MAX: u32 = 3;
/// How long a process waits to hear that a partition is another's once a write showed it.
const FENCED_WALL_MAX: Duration = Duration::from_secs(60);

/// Runs until told to stop. Sets the metrics' readiness once the backlog of the start is processed;
/// `progress` is told the number of records after each batch.
///
/// # Errors
/// When a port fails or the state is damaged: the process is to be started anew, and goes on from its
/// checkpoint and its journal.
pub fn run_live(
    config: &RunConfig,
    mut ports: LivePorts<'_>,
    metrics: &Arc<Metrics>,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(u64),
) -> Result<Summary, Error> {
    let rules = Rc::new(Rules::new(config.policies.clone(), ports.health.partitions()));
    let mut counts = BatchCounts::default();
    let node = Node::open(&rules, &[], false, &mut ports.io(&mut counts))?;
    let registry = (ports.registry)(node.registry_from())?;
    let live = Live {
        node,
        registry,
        ports,
        counts,
        metrics,
        figures: Figures::new(metrics),
        idle: Idle::default(),
        decisions: None,
        fenced: Vec::new(),
        checkpointed: None,
        summary: Summary::default(),
    };
    live.run(stop, progress)
}

struct Live<'a, 'm> {
    node: Node,
    registry: Box<dyn RecordSource>,
    ports: LivePorts<'a>,
    counts: BatchCounts,
    metrics: &'m Arc<Metrics>,
    figures: Figures,
    idle: Idle,
    /// What all partitions decided, for the programme role.
    decisions: Option<Box<dyn RecordSource>>,
    /// Partitions that are elsewhere, as a write showed, and the group hasn't said so yet; since when.
    fenced: Vec<(u32, Instant)>,
    /// When the last checkpoint began.
    checkpointed: Option<Instant>,
    summary: Summary,
}

/// What the group has said, to be acted upon once its source can be spoken to again.
enum Change {
    Assigned(Vec<u32>),
    Revoked(Vec<u32>),
    Lost(Vec<u32>),
}

impl LivePorts<'_> {
    fn io<'i>(&'i mut self, counts: &'i mut BatchCounts) -> Io<'i> {
        Io { sink: self.sink, stores: self.stores, counts }
    }
}

impl Live<'_, '_> {
    fn run(mut self, stop: &AtomicBool, progress: &mut dyn FnMut(u64)) -> Result<Summary, Error> {
        let started = Instant::now();
        let stopped = || stop.load(Ordering::Relaxed);
        // What owners said before a restart is known before anything is said anew.
        self.read_registry_log(&stopped)?;
        while !stopped() && !self.read_dependencies(POLL_WAIT)? {}
        let facts = self.node.tables().registry.fact_count();
        RegistryLoaded { facts, rejected: self.summary.rejected }.emit(self.metrics);
        let (mut caught_up, mut pause) = (false, Pause::default());
        while !stopped() {
            let at_end = self.read_health(stop)?;
            self.metrics.set_source_lag(self.ports.health.lag_records());
            progress(self.summary.records);
            self.read_registry(Duration::ZERO)?;
            self.read_dependencies(Duration::ZERO)?;
            self.read_decisions()?;
            if pause.is_over() {
                let began = Instant::now();
                self.tick()?;
                self.checkpoint()?;
                self.note_fenced()?;
                pause = Pause::after(began.elapsed());
            }
            if at_end && !caught_up {
                caught_up = true;
                CaughtUp { records: self.summary.records, took: started.elapsed() }.emit(self.metrics);
            }
        }
        self.tick()?;
        self.hand_over(&self.node.owned())?;
        self.settle_counts();
        self.summary.complete = true;
        Ok(self.summary)
    }

    /// Reads the registry's log to its end, from where stretches of it that are stored end.
    fn read_registry_log(&mut self, stopped: &dyn Fn() -> bool) -> Result<(), Error> {
        let (from, mut records) = (self.node.registry_from(), 0);
        while !stopped() {
            let polled = self.read_registry(POLL_WAIT)?;
            records += polled.records as u64;
            if polled.at_end {
                self.node.check_registry()?;
                break;
            }
        }
        RegistryRead { from, records }.emit();
        Ok(())
    }

    /// Takes in registry records; returns whether those of the start are all read.
    fn read_registry(&mut self, wait: Duration) -> Result<Polled, Error> {
        let Self { node, registry, ports, counts, .. } = self;
        let polled = read_registry(node, &mut **registry, &mut ports.io(counts), wait)?;
        self.settle_counts();
        Ok(polled)
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

    fn read_decisions(&mut self) -> Result<(), Error> {
        let Some(decisions) = &mut self.decisions else { return Ok(()) };
        let (node, mut failed) = (&mut self.node, None);
        decisions.poll(BATCH_RECORDS_MAX, Duration::ZERO, &mut |record| {
            if failed.is_none() {
                failed = node.take_decision(record).err();
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// Takes in a batch of health records, and what the group says; returns whether those of the start are all read.
    fn read_health(&mut self, stop: &AtomicBool) -> Result<bool, Error> {
        let Self { node, registry, ports: LivePorts { health, sink, stores, .. }, counts, idle, .. } = self;
        let (mut failed, mut changes, mut records) = (None, VecDeque::new(), 0);
        let polled = health.poll(BATCH_RECORDS_MAX, POLL_WAIT, &mut |event| match event {
            GroupEvent::Assigned(partitions) => changes.push_back(Change::Assigned(partitions.to_vec())),
            GroupEvent::Revoked(partitions) => changes.push_back(Change::Revoked(partitions.to_vec())),
            GroupEvent::Lost(partitions) => changes.push_back(Change::Lost(partitions.to_vec())),
            // After a failure or a stop the rest of the batch is read again after the restart.
            GroupEvent::Record(record) => {
                records += 1;
                if failed.is_none() && !stop.load(Ordering::Relaxed) {
                    let mut io = Io { sink: &mut **sink, stores: &mut **stores, counts: &mut *counts };
                    failed = take(node, record, (&mut **registry, &mut *idle), &mut io, stop).err();
                }
            }
        })?;
        self.summary.records += records;
        failed.map_or(Ok(()), Err)?;
        let is_settled = changes.is_empty();
        for change in changes {
            match change {
                Change::Assigned(partitions) => partitions.into_iter().try_for_each(|partition| self.own(partition))?,
                Change::Revoked(partitions) => self.hand_over(&partitions)?,
                Change::Lost(partitions) => self.give_up(&partitions),
            }
        }
        self.settle_counts();
        Ok(polled.at_end && is_settled)
    }

    /// Becomes the owner of a partition that the group gave to this process.
    fn own(&mut self, partition: u32) -> Result<(), Error> {
        self.fenced.retain(|(fenced, _)| *fenced != partition);
        let Self { node, ports, counts, .. } = self;
        let mut io = ports.io(counts);
        if partition == PROGRAMME_PARTITION {
            again(|| node.own_programme(&mut io))?;
        }
        let from = again(|| node.own(partition, &mut io))?;
        if partition == PROGRAMME_PARTITION {
            self.decisions = Some((ports.decisions)()?);
        }
        self.idle.begin(partition);
        PartitionMoved { partition, what: Move::Owned { from } }.emit(self.metrics);
        Ok(self.ports.health.start(partition, from)?)
    }

    /// Hands partitions over, with all that is known of them.
    fn hand_over(&mut self, partitions: &[u32]) -> Result<(), Error> {
        for &partition in partitions {
            let mut io = self.ports.io(&mut self.counts);
            let mut handed = self.node.hand_over(partition, &mut io);
            if partition == PROGRAMME_PARTITION {
                self.decisions = None;
                handed = handed.and(self.node.hand_over_programme(&mut io));
            }
            match handed {
                Err(error) if error.is_fenced() => self.give_up(&[partition]),
                handed => handed?,
            }
            PartitionMoved { partition, what: Move::HandedOver }.emit(self.metrics);
        }
        Ok(self.ports.health.release(partitions)?)
    }

    /// Gives up partitions that somebody else may own by now.
    fn give_up(&mut self, partitions: &[u32]) {
        for &partition in partitions {
            self.fenced.retain(|(fenced, _)| *fenced != partition);
            self.node.give_up(partition);
            self.ports.stores.abandon(Issuer::Partition(partition));
            if partition == PROGRAMME_PARTITION {
                self.decisions = None;
                self.node.give_up_programme();
                self.ports.stores.abandon(Issuer::Programme);
            }
            PartitionMoved { partition, what: Move::Lost }.emit(self.metrics);
        }
    }

    /// What turned out to be elsewhere is waited to be told by the group, too.
    fn note_fenced(&mut self) -> Result<(), Error> {
        for owner in self.node.take_fenced() {
            let partition = if let Issuer::Partition(partition) = owner { partition } else { PROGRAMME_PARTITION };
            self.give_up(&[partition]);
            self.fenced.push((partition, Instant::now()));
        }
        let overdue = self.fenced.iter().find(|(_, since)| since.elapsed() > FENCED_WALL_MAX);
        overdue.map_or(Ok(()), |(partition, _)| Err(Error::Disowned { partition: *partition }))
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
        let issued = node.tick(&mut ports.io(counts))?;
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

    /// Stores a part of what changed; begins a checkpoint when it is time for one.
    fn checkpoint(&mut self) -> Result<(), Error> {
        if self.checkpointed.is_none_or(|begun| begun.elapsed() >= CHECKPOINT_WALL_MIN) {
            self.checkpointed = Some(Instant::now());
            self.node.begin_checkpoint();
        }
        let Self { node, ports, counts, .. } = self;
        node.checkpoint(CHECKPOINT_SUBJECTS_MAX, &mut ports.io(counts))?;
        for partition in node.partitions() {
            (ports.restarts)(partition.number(), partition.restart_from());
        }
        Ok(())
    }

    fn settle_counts(&mut self) {
        self.summary.accepted += self.counts.accepted;
        self.summary.duplicate += self.counts.duplicate;
        self.summary.rejected += self.counts.rejected_total();
        self.metrics.add(&mut self.counts);
    }
}

/// Two that open at the same time may both be refused; whoever opens next has it.
fn again<T>(mut open: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 1..OPENINGS_MAX {
        match open() {
            Err(error) if error.is_fenced() => {}
            opened => return opened,
        }
    }
    open()
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

fn read_registry(node: &mut Node, registry: &mut dyn RecordSource, io: &mut Io<'_>, wait: Duration) -> Result<Polled, Error> {
    let mut failed = None;
    let polled = registry.poll(BATCH_RECORDS_MAX, wait, &mut |record| {
        if failed.is_none() {
            failed = node.take_registry(record, io).err();
        }
    })?;
    failed.map_or(Ok(()), Err)?;
    node.settle_registry(io)?;
    Ok(polled)
}
