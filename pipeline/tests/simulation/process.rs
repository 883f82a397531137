//! A process of the simulated world: what of it survives a crash, and what doesn't.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use loadtest::dice::Dice;
use pipeline::{Io, Node, Rules, Taken};
use ports::memory::{MemoryReader, StoredRecord};
use ports::{Log, MemoryLogs, MemoryStore};
use telemetry::BatchCounts;

use crate::faults::{Fuse, FusedLogs, FusedStore};

/// A process and its disk.
pub(crate) struct Process {
    pub(crate) owned: Vec<u32>,
    pub(crate) is_programme: bool,
    pub(crate) store: MemoryStore,
    pub(crate) running: Option<Running>,
    pub(crate) counts: BatchCounts,
    /// Crashes with something in the journal that wasn't known to be published.
    pub(crate) crashed_unpublished: u64,
    pub(crate) crashes: u64,
    fuse: Cell<Fuse>,
}

/// What a crash takes away.
pub(crate) struct Running {
    pub(crate) node: Node,
    registry: MemoryReader,
    dependencies: MemoryReader,
    health: MemoryReader,
    /// Records that wait for the registry, by partition.
    waiting: BTreeMap<u32, StoredRecord>,
}

impl Process {
    pub(crate) fn new(owned: Vec<u32>, is_programme: bool) -> Self {
        Self {
            owned,
            is_programme,
            store: MemoryStore::default(),
            running: None,
            counts: BatchCounts::default(),
            crashed_unpublished: 0,
            crashes: 0,
            fuse: Cell::new(Fuse::NONE),
        }
    }

    /// Lets the process crash after so many more writes.
    pub(crate) fn light(&mut self, dice: &mut Dice) {
        self.fuse.set(Fuse::after(dice.below_u32(12), dice.chance(500_000)));
    }

    /// Ends the process as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.running = None;
        self.crashes += 1;
        self.fuse.set(Fuse::NONE);
        self.crashed_unpublished += u64::from(self.has_unpublished());
    }

    /// One thing that a process does, or its start; how many records it took in.
    pub(crate) fn act(&mut self, rules: &Rc<Rules>, logs: &mut MemoryLogs, dice: &mut Dice) -> usize {
        let Some(mut running) = self.running.take() else {
            self.running = self.open(rules, logs);
            if self.running.is_none() {
                self.kill();
            }
            return 0;
        };
        let (most, partition) = (1 + dice.index(20), *dice.pick(&self.owned));
        let choice = dice.below(10);
        let done = self.with_io(logs, |io| match choice {
            0 | 1 => running.registry(most, io),
            2..4 => Ok(running.dependencies(most)),
            4..8 => running.health(partition, most, io),
            _ => running.node.tick(io).map(|_| 0),
        });
        match done {
            Ok(records) => {
                self.running = Some(running);
                records
            }
            Err(_) => {
                self.kill();
                0
            }
        }
    }

    /// Everything that is there: how many records it took in.
    pub(crate) fn catch_up(&mut self, rules: &Rc<Rules>, logs: &mut MemoryLogs) -> usize {
        self.fuse.set(Fuse::NONE);
        if self.running.is_none() {
            self.running = self.open(rules, logs);
        }
        let mut running = self.running.take().expect("nothing fails without a fuse");
        let owned = self.owned.clone();
        let records = self.with_io(logs, |io| {
            let mut records = running.registry(usize::MAX, io)? + running.dependencies(usize::MAX);
            for partition in owned {
                records += running.health(partition, usize::MAX, io)?;
            }
            running.node.tick(io)?;
            Ok(records)
        });
        self.running = Some(running);
        records.expect("nothing fails without a fuse")
    }

    pub(crate) fn node(&self) -> &Node {
        &self.running.as_ref().expect("it was caught up").node
    }

    /// Opens the process on what it left; registry and dependencies are read to their ends first.
    fn open(&mut self, rules: &Rc<Rules>, logs: &mut MemoryLogs) -> Option<Running> {
        let (owned, is_programme) = (self.owned.clone(), self.is_programme);
        let all = |log| logs.reader(log, 0..logs_of(logs, log));
        let (registry, dependencies, health) =
            (all(Log::Registry), all(Log::Dependencies), logs.reader(Log::Health, owned.iter().copied()));
        let opened = self.with_io(logs, |io| {
            let node = Node::open(rules, &owned, is_programme, io)?;
            let mut running = Running { node, registry, dependencies, health, waiting: BTreeMap::new() };
            running.registry(usize::MAX, io)?;
            running.dependencies(usize::MAX);
            Ok(running)
        });
        opened.ok()
    }

    fn with_io<T>(
        &mut self,
        logs: &mut MemoryLogs,
        act: impl FnOnce(&mut Io<'_>) -> Result<T, pipeline::error::Error>,
    ) -> Result<T, pipeline::error::Error> {
        let mut sink = FusedLogs { logs, fuse: &self.fuse };
        let mut store = FusedStore { store: &mut self.store, fuse: &self.fuse };
        act(&mut Io { sink: &mut sink, stores: &mut store, counts: &mut self.counts })
    }

    fn has_unpublished(&self) -> bool {
        self.owned
            .iter()
            .map(|partition| domain::decision::Issuer::Partition(*partition))
            .any(|issuer| pipeline::journal::Journal::open(issuer, &self.store).is_ok_and(|(journal, _)| !journal.is_published()))
    }
}

fn logs_of(logs: &MemoryLogs, log: Log) -> u32 {
    ports::RecordSink::partitions(logs, log).expect("simulated logs are always there")
}

impl Running {
    fn registry(&mut self, most: usize, io: &mut Io<'_>) -> Result<usize, pipeline::error::Error> {
        let (mut taken, mut failed) = (0, None);
        self.registry.poll_partition(0, most, &mut |record| {
            taken += 1;
            if failed.is_none() {
                failed = self.node.take_registry(record, io).err();
            }
        });
        failed.map_or(Ok(()), Err)?;
        self.node.settle_registry(io)?;
        Ok(taken)
    }

    fn dependencies(&mut self, most: usize) -> usize {
        let partitions = self.dependencies.assigned().to_vec();
        let mut taken = 0;
        for partition in partitions {
            taken += self.dependencies.poll_partition(partition, most, &mut |record| {
                self.node.take_dependency(record).expect("only owners append there");
            });
        }
        taken
    }

    fn health(&mut self, partition: u32, most: usize, io: &mut Io<'_>) -> Result<usize, pipeline::error::Error> {
        let mut taken = 0;
        if let Some(record) = self.waiting.remove(&partition) {
            if self.node.take_health(record.as_record(), io)? == Taken::RegistryBehind {
                self.waiting.insert(partition, record);
                return Ok(0);
            }
            taken += 1;
        }
        while taken < most {
            let (mut outcome, mut waits) = (Ok(Taken::Done), None);
            let polled = self.health.poll_partition(partition, 1, &mut |record| {
                outcome = self.node.take_health(record, io);
                waits = Some(StoredRecord {
                    partition,
                    offset: record.offset,
                    appended_at: record.appended_at.expect("simulated logs have times"),
                    key: String::new(),
                    payload: record.payload.to_vec(),
                });
            });
            if polled == 0 {
                break;
            }
            if outcome? == Taken::RegistryBehind {
                self.waiting.extend(waits.map(|record| (partition, record)));
                break;
            }
            taken += 1;
        }
        Ok(taken)
    }
}
