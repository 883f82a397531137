//! A process: the tables that it reads once, the partitions that it owns, and the programme role.
//!
//! Records come in by calls, in each log's order; nothing here waits, reads a clock or knows an
//! adapter. So the same code is driven by the live loop and, by seed, by the simulation.

use std::collections::BTreeSet;
use std::rc::Rc;

use alerting::Brakes;
use domain::rejection::{LineSource, RejectReason};
use domain::time::Timestamp;
use domain::{Decision, DecisionKind};
use ports::{Log, Record};
use registry::Refusal;
use wire::rejected::Rejected;

use crate::error::Error;
use crate::partition::{Io, Partition, Rules, Taken};
use crate::programme::Programme;
use crate::rejecting;
use crate::tables::{Dependencies, RegistryTable, Tables};

/// A process's state.
#[derive(Debug)]
pub struct Node {
    rules: Rc<Rules>,
    tables: Tables,
    partitions: Vec<Partition>,
    programme: Option<Programme>,
    /// Of all its partitions: removals are limited over all of them.
    brakes: Brakes,
    /// What `dependencies` holds from before is forgotten.
    forgotten: Timestamp,
    /// Registry lines about something unknown that were told; one entry a line at most.
    unknown_told: BTreeSet<u64>,
}

impl Node {
    /// Opens a process that owns some partitions, and manufacturers if `is_programme`. Before any health
    /// record is taken in, registry and `dependencies` are to be read to their ends of that time.
    ///
    /// # Errors
    /// When the store or a log fails, or the store is of another number of partitions.
    pub fn open(rules: &Rc<Rules>, owned: &[u32], is_programme: bool, io: &mut Io<'_>) -> Result<Self, Error> {
        let mut programme = if is_programme { Some(Programme::open(rules, io)?) } else { None };
        let (mut partitions, mut removals) = (Vec::with_capacity(owned.len()), Vec::new());
        for &number in owned {
            let (partition, decisions) = Partition::open(rules, number, io)?;
            if let Some(programme) = &mut programme {
                decisions.iter().for_each(|decision| programme.take(decision));
            }
            partitions.push(partition);
            removals.extend(decisions.into_iter().filter(|decision| decision.kind == DecisionKind::BadgeRemoval));
        }
        let brakes = Brakes::replay(Vec::new(), &rules.policies, removals.iter());
        let tables = Tables {
            registry: RegistryTable::new(rules.window),
            dependencies: Dependencies::new(rules.partitions, io.sink.partitions(Log::Dependencies)?),
        };
        let (rules, forgotten, unknown_told) = (Rc::clone(rules), Timestamp::MIN, BTreeSet::new());
        Ok(Self { rules, tables, partitions, programme, brakes, forgotten, unknown_told })
    }

    /// Takes in the registry's next record; what it says counts from [`Self::settle_registry`] on.
    ///
    /// # Errors
    /// When a line can't be appended to the rejected log.
    pub fn take_registry(&mut self, record: Record<'_>, io: &mut Io<'_>) -> Result<(), Error> {
        if record.offset < self.tables.registry.next_offset() {
            return Ok(());
        }
        for (line, text) in ingest::lines(record.payload) {
            if wire::tick::is_tick(text) {
                continue;
            }
            let added = match wire::fact::parse(text) {
                _ if record.truncated => Err((RejectReason::InvalidJson, rejecting::OVERLONG.to_owned())),
                Err(error) => Err((error.reason, error.detail)),
                Ok(fact) => {
                    let added = self.tables.registry.add(record.offset, record.appended_at, fact);
                    added.map_err(|Refusal { reason, detail, .. }| (reason, detail))
                }
            };
            match added {
                Ok(()) => io.counts.facts += 1,
                Err((reason, detail)) => reject_fact((record.offset, line), (reason, &detail), text, io)?,
            }
        }
        self.tables.registry.passed(record.offset, record.appended_at);
        Ok(())
    }

    /// Ties the registry together where it changed; a fact about something that nobody registered is told
    /// once, and counts as soon as somebody does.
    ///
    /// # Errors
    /// When a line can't be appended to the rejected log.
    pub fn settle_registry(&mut self, io: &mut Io<'_>) -> Result<(), Error> {
        let Some((before, unknown)) = self.tables.registry.settle() else { return Ok(()) };
        for refusal in unknown {
            if self.unknown_told.insert(refusal.line) {
                reject_fact((refusal.line - 1, 1), (refusal.reason, &refusal.detail), b"", io)?;
            }
        }
        for partition in &mut self.partitions {
            partition.registry_changed(&before, &self.tables.registry);
        }
        self.brakes.turn(self.tables.registry.registry().kill_switch.clone());
        Ok(())
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
        match self.partitions.iter_mut().find(|partition| partition.number() == record.partition) {
            Some(partition) => partition.take(record, &self.tables, io),
            None => Ok(Taken::Done),
        }
    }

    /// Brings everything up to date; yields what was issued.
    ///
    /// # Errors
    /// When a log or the store fails: the process is to be opened anew.
    pub fn tick(&mut self, io: &mut Io<'_>) -> Result<Vec<Decision>, Error> {
        self.settle_registry(io)?;
        let (mut issued, mut least) = (Vec::new(), None);
        for (place, partition) in self.partitions.iter_mut().enumerate() {
            let ticked = partition.tick(&self.tables, &mut self.brakes, io)?;
            if let Some(programme) = &mut self.programme {
                ticked.issued.iter().for_each(|decision| programme.take(decision));
            }
            issued.extend(ticked.issued);
            least = if place == 0 { ticked.at } else { least.min(ticked.at) };
        }
        if let (Some(programme), Some(t)) = (&mut self.programme, least) {
            issued.extend(programme.tick(t, &self.tables.registry, io)?);
        }
        self.forget_dependencies();
        Ok(issued)
    }

    /// R24: of skills and hubs, what no partition's products look at any more.
    fn forget_dependencies(&mut self) {
        let needed = self.partitions.iter().map(Partition::needs_from).min();
        if let Some(needed) = needed.filter(|needed| *needed > self.forgotten) {
            self.tables.dependencies.forget(needed);
            self.forgotten = needed;
        }
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

fn reject_fact(
    (offset, line): (u64, u64),
    (reason, detail): (RejectReason, &str),
    text: &[u8],
    io: &mut Io<'_>,
) -> Result<(), Error> {
    let rejected = Rejected { log: Log::Registry.as_str(), partition: 0, offset, line, reason, detail, payload: text };
    Ok(rejecting::reject(LineSource::Registry, &rejected, 0, io)?)
}
