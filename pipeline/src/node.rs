//! A process: the tables that it reads once, the partitions that it owns, and the programme role.
//!
//! Records come in by calls, in each log's order; nothing here waits, reads a clock or knows an
//! adapter. So the same code is driven by the live loop and, by seed, by the simulation.

use std::collections::BTreeSet;
use std::rc::Rc;

use alerting::Brakes;
use domain::Decision;
use domain::decision::Issuer;
use domain::time::Timestamp;
use ports::{Log, Record};
use registry::Registry;
use wire::appended::AppendTimes;
use wire::stored::stretch::Last;

use crate::error::Error;
use crate::partition::{Io, Partition, Rules, Taken};
use crate::programme::Programme;
use crate::stretches::Gathered;
use crate::tables::{Dependencies, RegistryTable, Tables};

mod reading;

/// A process's state.
#[derive(Debug)]
pub struct Node {
    rules: Rc<Rules>,
    tables: Tables,
    /// When the registry's records were appended first.
    append_times: AppendTimes,
    /// What of the registry's log isn't stored as a stretch yet.
    gathered: Gathered,
    /// The last record of the stretches that were taken up, by offset: the log has to hold the same.
    known_by: Option<(u64, Last)>,
    partitions: Vec<Partition>,
    programme: Option<Programme>,
    /// Of all its partitions: removals are limited over all of them.
    brakes: Brakes,
    /// Registry lines about something unknown that were told; one entry a line at most.
    unknown_told: BTreeSet<u64>,
    /// Owners that turned out to be elsewhere by now, and nobody has been told.
    fenced: Vec<Issuer>,
}

impl Node {
    /// Opens a process that owns some partitions, and manufacturers if `is_programme`. What is stored of the
    /// registry's log is taken up. Before any health record is taken in, registry, from [`Self::registry_from`] on,
    /// and `dependencies` are to be read to their ends of that time.
    ///
    /// # Errors
    /// When the store or a log fails, or the store is of another number of partitions.
    pub fn open(rules: &Rc<Rules>, owned: &[u32], is_programme: bool, io: &mut Io<'_>) -> Result<Self, Error> {
        let tables = Tables {
            registry: RegistryTable::new(rules.window),
            dependencies: Dependencies::new(rules.partitions, io.sink.partitions(Log::Dependencies)?),
        };
        let mut node = Self {
            rules: Rc::clone(rules),
            tables,
            append_times: AppendTimes::default(),
            gathered: Gathered::default(),
            known_by: None,
            partitions: Vec::with_capacity(owned.len()),
            programme: None,
            brakes: Brakes::new(Vec::new(), &rules.policies),
            unknown_told: BTreeSet::new(),
            fenced: Vec::new(),
        };
        node.recall_registry(io)?;
        if is_programme {
            node.own_programme(io)?;
        }
        for &number in owned {
            node.own(number, io)?;
        }
        Ok(node)
    }

    /// Becomes the owner of a partition, and fences whoever was. Yields the first offset of `health` that is
    /// to be read, if there is a checkpoint to go on from.
    ///
    /// # Errors
    /// When the store or a log fails, or the store is of another number of partitions.
    pub fn own(&mut self, number: u32, io: &mut Io<'_>) -> Result<Option<u64>, Error> {
        self.partitions.retain(|partition| partition.number() != number);
        let (mut partition, decisions) = Partition::open(&self.rules, number, io)?;
        for decision in &decisions {
            self.brakes.count(decision);
            if let Some(programme) = &mut self.programme {
                programme.take(decision);
            }
        }
        partition.registry_changed(&Registry::default(), &self.tables.registry);
        let from = partition.read_from();
        let place = self.partitions.partition_point(|other| other.number() < number);
        self.partitions.insert(place, partition);
        self.share_brakes();
        Ok(from)
    }

    /// Begins a checkpoint of every partition, but of those of which one is under way.
    pub fn begin_checkpoint(&mut self) {
        self.partitions.iter_mut().for_each(Partition::begin_checkpoint);
    }

    /// Goes on with the checkpoints under way, by so many subjects a partition; yields whether all are complete.
    ///
    /// # Errors
    /// When a log or the store fails: the process is to be opened anew.
    pub fn checkpoint(&mut self, subjects_max: usize, io: &mut Io<'_>) -> Result<bool, Error> {
        let mut is_complete = true;
        for number in self.owned() {
            let Some(partition) = owner(&mut self.partitions, number) else { continue };
            let stored = partition.checkpoint(subjects_max, &self.tables, io);
            is_complete &= self.unless_fenced(Issuer::Partition(number), stored)?.unwrap_or(true);
        }
        Ok(is_complete)
    }

    /// Hands a partition over: all of it is stored, so that its next owner reads nothing again. One that isn't
    /// owned is none to hand over.
    ///
    /// # Errors
    /// When a log or the store fails. The partition isn't owned any more either way.
    pub fn hand_over(&mut self, number: u32, io: &mut Io<'_>) -> Result<(), Error> {
        let Some(place) = self.partitions.iter().position(|partition| partition.number() == number) else { return Ok(()) };
        let mut partition = self.partitions.remove(place);
        self.share_brakes();
        // What was under way began earlier; the one after it has all.
        for _ in 0..2 {
            partition.checkpoint(usize::MAX, &self.tables, io)?;
            partition.begin_checkpoint();
        }
        partition.checkpoint(usize::MAX, &self.tables, io)?;
        Ok(io.stores.close(Issuer::Partition(number))?)
    }

    /// Gives up a partition that somebody else may own by now: nothing more is said or stored of it.
    pub fn give_up(&mut self, number: u32) {
        self.partitions.retain(|partition| partition.number() != number);
        self.share_brakes();
    }

    /// R25: the limit on removals is shared out to whoever owns partitions.
    fn share_brakes(&mut self) {
        self.brakes.share(u32::try_from(self.partitions.len()).unwrap_or(u32::MAX), self.rules.partitions);
    }

    /// Takes the programme role, and fences whoever had it. What partitions of others have issued is to be
    /// given to [`Self::take_decision`], from the beginning of its log.
    ///
    /// # Errors
    /// When the store or a log fails.
    pub fn own_programme(&mut self, io: &mut Io<'_>) -> Result<(), Error> {
        self.programme = Some(Programme::open(&self.rules, io)?);
        Ok(())
    }

    /// Gives the programme role up: somebody else may have it by now.
    pub fn give_up_programme(&mut self) {
        self.programme = None;
    }

    /// Hands the programme role over.
    ///
    /// # Errors
    /// When its state can't be closed. It hasn't the role any more either way.
    pub fn hand_over_programme(&mut self, io: &mut Io<'_>) -> Result<(), Error> {
        let had = self.programme.take().is_some();
        if had { Ok(io.stores.close(Issuer::Programme)?) } else { Ok(()) }
    }

    /// Takes in the next record of a partition of `decisions`; of interest to the programme role alone.
    ///
    /// # Errors
    /// When the record is none that an owner wrote.
    pub fn take_decision(&mut self, record: Record<'_>) -> Result<(), Error> {
        self.programme.as_mut().map_or(Ok(()), |programme| programme.take_record(record))
    }

    /// Takes in the next record of a partition of `dependencies`.
    ///
    /// # Errors
    /// When the record is none that an owner wrote.
    pub fn take_dependency(&mut self, record: Record<'_>) -> Result<(), Error> {
        let changed = self.tables.dependencies.take(record.payload).map_err(|source| Error::Dependency {
            partition: record.partition,
            offset: record.offset,
            source: Box::new(source),
        })?;
        self.tables.dependencies.passed(record.partition, record.offset);
        if let Some((subject, from)) = changed {
            // What its owner had read by then may lie ahead of that by the skew that is allowed.
            let until = record.appended_at.map_or(from, |appended| appended.saturating_add(self.rules.max_skew).max(from));
            for partition in &mut self.partitions {
                partition.dependency_changed(&subject, from, until);
            }
        }
        Ok(())
    }

    /// Takes in the next record of an owned partition of `health`; one of another partition is passed over.
    ///
    /// # Errors
    /// When a log or the store fails.
    pub fn take_health(&mut self, record: Record<'_>, io: &mut Io<'_>) -> Result<Taken, Error> {
        let taken = owner(&mut self.partitions, record.partition)
            .map_or(Ok(Taken::Done), |partition| partition.take(record, &self.tables, io));
        self.unless_fenced(Issuer::Partition(record.partition), taken).map(|taken| taken.unwrap_or(Taken::Done))
    }

    /// Brings everything up to date; yields what was issued.
    ///
    /// # Errors
    /// When a log or the store fails: the process is to be opened anew.
    pub fn tick(&mut self, io: &mut Io<'_>) -> Result<Vec<Decision>, Error> {
        self.settle_registry(io)?;
        let mut issued = Vec::new();
        for number in self.owned() {
            let Some(partition) = owner(&mut self.partitions, number) else { continue };
            let ticked = partition.tick(&self.tables, &mut self.brakes, io);
            let Some(ticked) = self.unless_fenced(Issuer::Partition(number), ticked)? else { continue };
            if let Some(programme) = &mut self.programme {
                ticked.issued.iter().for_each(|decision| programme.take(decision));
            }
            issued.extend(ticked.issued);
        }
        if let (Some(t), Some(programme)) = (self.decided(), &mut self.programme) {
            let ticked = programme.tick(t, &self.tables.registry, io);
            issued.extend(self.unless_fenced(Issuer::Programme, ticked)?.unwrap_or_default());
        }
        self.tables.dependencies.forget_past();
        Ok(issued)
    }

    /// The owners that turned out to be elsewhere by now since this was last asked: a write was refused. They
    /// aren't owned here any more, and their state is to be abandoned.
    pub fn take_fenced(&mut self) -> Vec<Issuer> {
        std::mem::take(&mut self.fenced)
    }

    /// Gives up an owner whose write was refused because it is elsewhere by now: nothing of that was published.
    fn unless_fenced<T>(&mut self, owner: Issuer, done: Result<T, Error>) -> Result<Option<T>, Error> {
        match done {
            Err(error) if error.is_fenced() => {
                match owner {
                    Issuer::Partition(number) => self.give_up(number),
                    Issuer::Programme => self.give_up_programme(),
                }
                self.fenced.push(owner);
                Ok(None)
            }
            done => done.map(Some),
        }
    }

    /// The numbers of its partitions.
    #[must_use]
    pub fn owned(&self) -> Vec<u32> {
        self.partitions.iter().map(Partition::number).collect()
    }

    /// Up to when the programme role knows the decisions of every partition, owned here or elsewhere.
    fn decided(&self) -> Option<Timestamp> {
        let programme = self.programme.as_ref()?;
        let decided = |number: u32| {
            let own = self.partitions.iter().find(|partition| partition.number() == number);
            let said = own.map_or_else(
                || self.tables.dependencies.decided(number).map(|decided| (decided.at, decided.seq)),
                |own| own.t().map(|t| (t, own.last_seq())),
            );
            said.filter(|(_, seq)| programme.has_seen(number, *seq)).map(|(at, _)| at)
        };
        (0..self.rules.partitions).map(decided).min().flatten()
    }

    /// The least T of its partitions.
    #[must_use]
    pub fn t(&self) -> Option<Timestamp> {
        self.partitions.iter().map(Partition::t).min().flatten()
    }

    /// The brakes on its partitions' removals.
    #[must_use]
    pub const fn brakes(&self) -> &Brakes {
        &self.brakes
    }

    /// What it knows as a whole.
    #[must_use]
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Its partitions.
    #[must_use]
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// The programme role, if it has it.
    #[must_use]
    pub const fn programme(&self) -> Option<&Programme> {
        self.programme.as_ref()
    }
}

fn owner(partitions: &mut [Partition], number: u32) -> Option<&mut Partition> {
    partitions.iter_mut().find(|partition| partition.number() == number)
}
