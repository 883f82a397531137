//! A process of the simulated world: what of it survives a crash, and what doesn't.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use domain::decision::Issuer;
use loadtest::dice::Dice;
use pipeline::{Io, Node, Rules, Taken};
use ports::memory::{MemoryReader, StoredRecord};
use ports::{Log, MemoryLogs};
use telemetry::BatchCounts;

use crate::faults::{Disks, Fuse, FusedLogs, FusedStores};

/// A process, whether it runs or not.
pub(crate) struct Process {
    number: usize,
    /// How often it was opened.
    life: u64,
    pub(crate) running: Option<Running>,
    pub(crate) counts: BatchCounts,
    /// Crashes with something in the journal that wasn't known to be published.
    pub(crate) crashed_unpublished: u64,
    pub(crate) crashes: u64,
    /// Checkpoints that were completed, and partitions that were opened on one.
    pub(crate) checkpoints: u64,
    pub(crate) restored: u64,
    /// Starts that didn't read the registry's log from its beginning.
    pub(crate) recalled: u64,
    /// Writes that were refused because somebody else had taken over.
    pub(crate) fenced: u64,
    fuse: Cell<Fuse>,
}

/// What a crash takes away.
pub(crate) struct Running {
    pub(crate) node: Node,
    registry: MemoryReader,
    dependencies: MemoryReader,
    decisions: MemoryReader,
    health: MemoryReader,
    /// Records that wait for the registry, by partition.
    waiting: BTreeMap<u32, StoredRecord>,
}

/// What all processes share.
pub(crate) struct Shared<'a> {
    pub(crate) rules: &'a Rc<Rules>,
    pub(crate) logs: &'a mut MemoryLogs,
    pub(crate) disks: &'a mut Disks,
    pub(crate) dice: &'a mut Dice,
}

type Done<T> = Result<T, pipeline::error::Error>;

impl Process {
    pub(crate) fn new(number: usize) -> Self {
        Self {
            number,
            life: 0,
            running: None,
            counts: BatchCounts::default(),
            crashed_unpublished: 0,
            crashes: 0,
            checkpoints: 0,
            restored: 0,
            recalled: 0,
            fenced: 0,
            fuse: Cell::new(Fuse::NONE),
        }
    }

    /// Lets the process crash after so many more writes.
    pub(crate) fn light(&mut self, dice: &mut Dice) {
        self.fuse.set(Fuse::after(dice.below_u32(12), dice.chance(500_000)));
    }

    /// Ends the process as a power cut would.
    pub(crate) fn kill(&mut self, shared: &mut Shared<'_>) {
        self.crash(&self.owned(), shared);
    }

    fn crash(&mut self, owned: &[u32], shared: &mut Shared<'_>) {
        self.crashed_unpublished += u64::from(has_unpublished(owned, shared));
        self.running = None;
        self.crashes += 1;
        self.fuse.set(Fuse::NONE);
        shared.disks.lose_power(self.number, shared.dice);
    }

    /// One thing that a process does, or its start with the partitions that are given to it.
    pub(crate) fn act(&mut self, assigned: &[u32], shared: &mut Shared<'_>) {
        if self.running.is_none() {
            self.start(assigned, shared);
            return;
        }
        let (most, choice, subjects) = (1 + shared.dice.index(20), shared.dice.below(13), 1 + shared.dice.index(4));
        let owned: Vec<u32> = self.owned();
        let partition = if owned.is_empty() { None } else { Some(*shared.dice.pick(&owned)) };
        let mut completed = 0;
        self.run(shared, |running, io| match choice {
            0 | 1 => running.registry(most, io).map(|_| ()),
            2..4 => {
                running.dependencies(most);
                running.decisions(most);
                Ok(())
            }
            4..8 => partition.map_or(Ok(0), |partition| running.health(partition, most, io)).map(|_| ()),
            8 => {
                running.node.begin_checkpoint();
                Ok(())
            }
            9 | 10 => running.node.checkpoint(subjects, io).map(|is_complete| completed = u64::from(is_complete)),
            _ => running.node.tick(io).map(|_| ()),
        });
        self.checkpoints += completed;
    }

    /// Everything that is there: how many records it took in.
    pub(crate) fn catch_up(&mut self, assigned: &[u32], shared: &mut Shared<'_>) -> usize {
        self.fuse.set(Fuse::NONE);
        if self.running.is_none() {
            self.start(assigned, shared);
        }
        // The group has told whoever was taken for dead.
        for partition in self.owned().into_iter().filter(|partition| !assigned.contains(partition)) {
            let running = self.running.as_mut().expect("it runs");
            running.waiting.remove(&partition);
            running.node.give_up(partition);
        }
        if let Some(running) = self.running.as_mut().filter(|_| !assigned.contains(&0)) {
            running.node.give_up_programme();
        }
        let mut records = 0;
        self.run(shared, |running, io| {
            records += running.registry(usize::MAX, io)? + running.dependencies(usize::MAX) + running.decisions(usize::MAX);
            for partition in assigned {
                records += running.health(*partition, usize::MAX, io)?;
            }
            running.node.tick(io).map(|_| ())
        });
        assert!(self.running.is_some(), "nothing fails without a fuse");
        records
    }

    pub(crate) fn node(&self) -> &Node {
        &self.running.as_ref().expect("it was caught up").node
    }

    fn owned(&self) -> Vec<u32> {
        self.running.as_ref().map(|running| running.node.owned()).unwrap_or_default()
    }

    /// Hands a partition over, if it runs.
    pub(crate) fn hand_over(&mut self, partition: u32, shared: &mut Shared<'_>) {
        self.run(shared, |running, io| {
            running.waiting.remove(&partition);
            if partition == 0 {
                running.node.hand_over_programme(io)?;
            }
            running.node.hand_over(partition, io)
        });
    }

    /// Becomes the owner of a partition, whoever is: at once if it runs, else when it starts.
    pub(crate) fn take_over(&mut self, partition: u32, shared: &mut Shared<'_>) {
        let mut restored = 0;
        self.run(shared, |running, io| running.own(partition, io).map(|is_restored| restored = u64::from(is_restored)));
        self.restored += restored;
    }

    /// Opens the process on what is there; registry, from where it is stored to, and dependencies are read to their
    /// ends first.
    fn start(&mut self, assigned: &[u32], shared: &mut Shared<'_>) {
        self.life += 1;
        let rules = Rc::clone(shared.rules);
        let all = |log| shared.logs.reader(log, 0..logs_of(shared.logs, log));
        let readers = [Log::Registry, Log::Dependencies, Log::Decisions, Log::Health].map(all);
        let (mut restored, mut recalled) = (0, 0);
        let opened = self.with_io(shared, |io| {
            let [mut registry, dependencies, decisions, health] = readers;
            let node = Node::open(&rules, &[], false, io)?;
            registry.seek(0, node.registry_from());
            recalled = u64::from(node.registry_from() > 0);
            let mut running = Running { node, registry, dependencies, decisions, health, waiting: BTreeMap::new() };
            running.registry(usize::MAX, io)?;
            running.node.check_registry()?;
            running.dependencies(usize::MAX);
            for &partition in assigned {
                restored += u64::from(running.own(partition, io)?);
            }
            Ok(running)
        });
        (self.restored, self.recalled) = (self.restored + restored, self.recalled + recalled);
        match opened {
            Ok(running) => self.running = Some(running),
            Err(_) => self.kill(shared),
        }
    }

    /// Lets the process do something, if it runs; a failure ends it.
    fn run(&mut self, shared: &mut Shared<'_>, act: impl FnOnce(&mut Running, &mut Io<'_>) -> Done<()>) {
        let owned = self.owned();
        let Some(mut running) = self.running.take() else { return };
        match self.with_io(shared, |io| act(&mut running, io)) {
            Ok(()) => {
                self.fenced += running.node.take_fenced().len() as u64;
                self.running = Some(running);
            }
            Err(_) => self.crash(&owned, shared),
        }
    }

    fn with_io<T>(&mut self, shared: &mut Shared<'_>, act: impl FnOnce(&mut Io<'_>) -> Done<T>) -> Done<T> {
        let Shared { logs, disks, dice, .. } = shared;
        let mut sink = FusedLogs { logs, fuse: &self.fuse };
        let me = (self.number, self.life);
        let mut stores = FusedStores { disks, me, fuse: &self.fuse, at: Issuer::Programme, dice };
        act(&mut Io { sink: &mut sink, stores: &mut stores, counts: &mut self.counts })
    }
}

fn has_unpublished(owned: &[u32], shared: &Shared<'_>) -> bool {
    let owners = owned.iter().copied().map(Issuer::Partition);
    owners
        .filter_map(|owner| Some((owner, shared.disks.seen(owner)?)))
        .any(|(owner, store)| pipeline::journal::Journal::open(owner, store).is_ok_and(|(journal, _)| !journal.is_published()))
}

fn logs_of(logs: &MemoryLogs, log: Log) -> u32 {
    ports::RecordSink::partitions(logs, log).expect("simulated logs are always there")
}

impl Running {
    /// Becomes the owner of a partition, and of manufacturers with the first one; whether there was a checkpoint.
    fn own(&mut self, partition: u32, io: &mut Io<'_>) -> Done<bool> {
        if partition == 0 {
            self.node.own_programme(io)?;
            for decisions in self.decisions.assigned().to_vec() {
                self.decisions.seek(decisions, 0);
            }
        }
        let from = self.node.own(partition, io)?;
        self.health.seek(partition, from.unwrap_or(0));
        self.waiting.remove(&partition);
        Ok(from.is_some())
    }

    fn registry(&mut self, most: usize, io: &mut Io<'_>) -> Done<usize> {
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

    fn decisions(&mut self, most: usize) -> usize {
        if self.node.programme().is_none() {
            return 0;
        }
        let partitions = self.decisions.assigned().to_vec();
        let mut taken = 0;
        for partition in partitions {
            taken += self.decisions.poll_partition(partition, most, &mut |record| {
                self.node.take_decision(record).expect("only owners append there");
            });
        }
        taken
    }

    fn health(&mut self, partition: u32, most: usize, io: &mut Io<'_>) -> Done<usize> {
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
