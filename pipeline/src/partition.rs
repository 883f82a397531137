//! The owner of one partition of `health`: its subjects' events in, its products' decisions out.
//!
//! A plain state machine without threads or locks: records come in by calls, everything else goes
//! out through the ports that it is handed. What it says is a function of its logs (R19, R23):
//!
//! - T is the least of the partition's own log time, the watermark of `dependencies` and the
//!   registry's. It never goes back; an input that stalls stalls T.
//! - A product's own events are here. Its skill's and hub's downtime comes from `dependencies`, also
//!   where their owner is this very partition.
//! - A decision is journalled, then published, then marked.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use compute::Applied;
use domain::Decision;
use domain::decision::Issuer;
use domain::event::EventBody;
use domain::id::{Region, Subject, SubjectKind};
use domain::policy::Policies;
use domain::report::ProductStanding;
use domain::time::{DAY_MS, DurationMs, Timestamp};
use ingest::{RecentNames, partition_of};
use ports::state::{StateStore, StateStores};
use ports::{Log, RecordSink};
use registry::{Differences, Registry};
use rustc_hash::FxHashMap;
use telemetry::BatchCounts;
use wire::dependency::Decided;
use wire::standing::Version;

use crate::epoch;
use crate::error::Error;
use crate::journal::Journal;
use crate::replays::Replays;
use crate::restored;
use crate::stretches::Cut;
use crate::subjects::Subjects;
use crate::tables::{RegistryTable, Tables};

mod checkpoint;
mod figures;
mod intake;
mod judging;
mod late;
mod maintenance;
mod outflow;
mod product;
mod services;

use checkpoint::Round;
use late::Late;
use maintenance::Maintenance;
use outflow::{Outflow, Standpoint};
use product::Owned;
use services::Services;

pub use checkpoint::place_key;
pub use intake::Taken;
pub use judging::Ticked;

/// The key under which the number of partitions is stored.
pub const PARTITIONS_KEY: &[u8] = b"partitions";

/// What every owner of a process goes by.
#[derive(Debug)]
pub struct Rules {
    /// The policy's versions.
    pub policies: Policies,
    /// Their longest window: evidence that is older than that when it comes is set aside (R24).
    pub window: DurationMs,
    /// What lies farther back is frozen: the longest window, or longer where decisions settle longer.
    pub frozen_after: DurationMs,
    /// The longest that an event may be ahead of its record, by any version.
    pub max_skew: DurationMs,
    /// How many partitions `health` has.
    pub partitions: u32,
    /// Where stretches of the registry's log end.
    pub cut: Cut,
}

/// The ports that an owner acts through, and where it counts.
pub struct Io<'a> {
    /// The logs.
    pub sink: &'a mut dyn RecordSink,
    /// State that outlives the process, by owner.
    pub stores: &'a mut dyn StateStores,
    /// What happened.
    pub counts: &'a mut BatchCounts,
}

/// The owner of a partition.
#[derive(Debug)]
pub struct Partition {
    rules: Rc<Rules>,
    number: u32,
    subjects: Subjects,
    names: RecentNames,
    late: Late,
    outflow: Outflow,
    services: Services,
    maintenance: Maintenance,
    /// By source partition: the last event that it sent here, by offset and line.
    origins: Vec<Option<(u64, u64)>>,
    /// Its own lines that were replayed.
    replays: Replays,
    /// The last event that was sent on to its owner, by offset and line, and whether that is stored.
    sent_on: Option<(u64, u64)>,
    sent_on_stored: Option<(u64, u64)>,
    next_offset: u64,
    /// Offsets of `health` count from here: what is stored may be of a log that was copied into this one.
    base: u64,
    log_time: Option<Timestamp>,
    /// Up to which page pages have left memory.
    evicted: Timestamp,
    products: Vec<Owned>,
    numbers: FxHashMap<domain::Asin, u32>,
    /// Products by the skills and hubs that they ever depend on.
    dependents: FxHashMap<Subject, Vec<u32>>,
    /// Products whose evidence or facts changed, from which instant on.
    changed: BTreeMap<u32, Timestamp>,
    /// When time alone makes a product worth judging.
    due: BTreeSet<(Timestamp, u32)>,
    journal: Journal,
    /// What its standings are numbered by.
    version: Version,
    /// What lies before, no product of this owner looks at any more.
    needs_from: Timestamp,
    /// Not before every input has been read up to here: what was issued before a restart rests on it.
    barrier: Vec<domain::decision::InputPosition>,
    t: Option<Timestamp>,
    /// The checkpoint under way.
    round: Option<Round>,
    /// From which offset on the log would be read after a restart.
    restart_from: u64,
    /// The log's time there.
    restart_time: Option<Timestamp>,
    /// What lives as stored still look at begins here.
    stored_needs_from: Option<Timestamp>,
}

impl Rules {
    /// The rules of a policy, for so many partitions.
    #[must_use]
    pub fn new(policies: Policies, partitions: u32) -> Self {
        let window = policies.longest_window();
        let settle = policies.versions().iter().map(|policy| policy.settle_enforcement.max(policy.settle_warnings)).max();
        let frozen_after = window.max(DurationMs(settle.unwrap_or_default().ms() + DAY_MS));
        let max_skew = policies.versions().iter().map(|policy| policy.max_skew).max().unwrap_or_default();
        Self { policies, window, frozen_after, max_skew, partitions, cut: Cut::default() }
    }
}

impl Partition {
    /// Opens a partition with what its checkpoint and its journal say, and fences whoever owned it. Records are
    /// to be read from [`Self::next_offset`] on; until they are as far as the journal saw them, nothing is decided.
    ///
    /// # Errors
    /// When the store can't be read, or holds what this version did not write.
    pub fn open(rules: &Rc<Rules>, number: u32, io: &mut Io<'_>) -> Result<(Self, Vec<Decision>), Error> {
        let owner = Issuer::Partition(number);
        io.stores.open(owner)?;
        check_partitions(rules.partitions, io.stores.of(owner)?)?;
        let (journal, decisions) = Journal::open(owner, io.stores.of(owner)?)?;
        let last = decisions.last().and_then(|decision| decision.evidence.issued.clone());
        let restored = restored::read(owner, io.stores.of(owner)?)?;
        let sent_on = late::stored_place(number, io.stores.of(owner)?)?;
        let mut partition = Self {
            number,
            subjects: Subjects::default(),
            names: RecentNames::default(),
            late: Late::default(),
            outflow: Outflow::new(&rules.policies),
            services: Services::replay(decisions.iter()),
            maintenance: Maintenance::default(),
            origins: vec![None; rules.partitions as usize],
            replays: Replays::default(),
            sent_on,
            sent_on_stored: sent_on,
            next_offset: 0,
            base: restored.base,
            log_time: None,
            evicted: Timestamp::MIN,
            products: Vec::new(),
            numbers: FxHashMap::default(),
            dependents: FxHashMap::default(),
            changed: BTreeMap::new(),
            due: BTreeSet::new(),
            journal,
            version: epoch::next(owner, io.stores.of(owner)?)?,
            needs_from: Timestamp::MIN,
            barrier: restored.barrier(last),
            t: None,
            round: None,
            restart_from: 0,
            restart_time: None,
            stored_needs_from: None,
            rules: Rc::clone(rules),
        };
        partition.restore(io.stores.of(owner)?)?;
        for decision in &decisions {
            if let Some(asin) = &decision.asin {
                partition.own(asin).issued.push(decision.clone());
            }
        }
        partition.publish(partition.journal.unpublished(&decisions), io)?;
        Ok((partition, decisions))
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The first offset that has not been read, as it is stored: after a restore offsets go on where those of the
    /// copied log ended.
    #[must_use]
    pub const fn next_offset(&self) -> u64 {
        self.next_offset
    }

    /// From which offset of the log on records are to be read; none where nothing is known of it yet.
    #[must_use]
    pub const fn read_from(&self) -> Option<u64> {
        if self.next_offset > 0 { Some(self.next_offset.saturating_sub(self.base)) } else { None }
    }

    /// The append time of the last record read.
    #[must_use]
    pub const fn log_time(&self) -> Option<Timestamp> {
        self.log_time
    }

    /// The number of the last decision that it issued; 0 before the first.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.journal.last_seq()
    }

    /// T (R23).
    #[must_use]
    pub const fn t(&self) -> Option<Timestamp> {
        self.t
    }

    /// Takes in what the registry says now, and said before: subjects and products that this
    /// partition owns, and from when on their lives are other than they were.
    pub fn registry_changed(&mut self, before: &Registry, table: &RegistryTable) {
        let (number, partitions) = (self.number, self.rules.partitions);
        let now = table.registry();
        let is_mine = |subject: &Subject| partition_of(subject.as_ref(), partitions) == number;
        for subject in now.subjects.iter().filter(|subject| is_mine(subject)) {
            let since = table.known_since(subject.as_ref()).unwrap_or(Timestamp::MIN);
            self.subjects.register(subject, since);
        }
        self.dependents.clear();
        let known_at = self.t.unwrap_or(Timestamp::MIN);
        let differences = Differences::between((before, known_at), (now, known_at));
        for (asin, product) in &now.products {
            if !is_mine(&Subject::product(asin)) {
                continue;
            }
            let place = self.number_of(asin);
            for subject in registry::subjects_of(product).filter(|subject| subject.kind() != SubjectKind::Product) {
                self.dependents.entry(subject).or_default().push(place);
            }
            if let Some(from) = differences.of(asin) {
                self.touch(place, from);
            }
        }
        self.maintenance.note_badges();
    }

    /// Takes in that a skill's or hub's downtime is another from an instant on; nothing is known of it after `until`.
    pub fn dependency_changed(&mut self, subject: &Subject, from: Timestamp, until: Timestamp) {
        for place in self.dependents.get(subject).cloned().unwrap_or_default() {
            self.touch(place, from);
            self.products[place as usize].life.expect(until);
        }
    }

    /// The decisions issued about a product, in the order in which they were.
    #[must_use]
    pub fn issued(&self, asin: &domain::Asin) -> Option<&alerting::Issued> {
        self.numbers.get(asin).map(|&place| &self.products[place as usize].issued)
    }

    /// How its products stood when they were last judged.
    pub fn standings(&self) -> impl Iterator<Item = &ProductStanding> {
        self.products.iter().flat_map(|owned| &owned.standings)
    }

    /// What is implied of a product at T, as far as it isn't frozen and over.
    #[must_use]
    pub fn implied(&self, asin: &domain::Asin) -> &[Decision] {
        self.numbers.get(asin).map(|&place| self.products[place as usize].life.decisions()).unwrap_or_default()
    }

    fn apply(&mut self, subject: u32, region: Region, at: Timestamp, body: EventBody) {
        let applied = self.subjects.health_mut(subject, region).apply(at, body, &self.rules.policies);
        match applied {
            Applied::Unchanged => {}
            Applied::Changed(from) => {
                self.subject_changed((subject, region), from, at);
                if matches!(body, EventBody::State(_)) {
                    self.maintenance.note((subject, region));
                }
            }
            Applied::Absent(page) => self.late.put((subject, region, page), at, body),
        }
    }

    fn subject_changed(&mut self, (subject, region): (u32, Region), from: Timestamp, at: Timestamp) {
        let name = self.subjects.name(subject);
        if name.kind == SubjectKind::Product {
            if let Some(&place) = self.numbers.get(name.id) {
                self.touch(place, from);
                self.products[place as usize].life.expect(at);
            }
        } else {
            self.outflow.note(&self.subjects, (subject, region), from);
        }
    }

    /// Says what is known of skills and hubs, and how far this owner has got.
    fn publish_dependencies(&mut self, tables: &Tables, io: &mut Io<'_>) -> Result<(), Error> {
        let Some(log_time) = self.log_time else { return Ok(()) };
        let decided = self.t.map(|at| Decided { at, seq: self.journal.last_seq() });
        let needs_from = self.stored_needs_from;
        let standpoint = Standpoint { partition: self.number, next_offset: self.next_offset, log_time, decided, needs_from };
        Ok(self.outflow.publish(standpoint, &self.subjects, &tables.dependencies, io.sink)?)
    }

    fn touch(&mut self, place: u32, from: Timestamp) {
        let earliest = self.changed.entry(place).or_insert(from);
        *earliest = (*earliest).min(from);
    }

    fn number_of(&mut self, asin: &domain::Asin) -> u32 {
        if let Some(&place) = self.numbers.get(asin) {
            return place;
        }
        let place = u32::try_from(self.products.len()).expect("fewer than 2^32 products fit in memory");
        self.products.push(Owned::new(asin.clone(), &self.rules.policies));
        self.numbers.insert(asin.clone(), place);
        place
    }

    fn own(&mut self, asin: &domain::Asin) -> &mut Owned {
        let place = self.number_of(asin);
        &mut self.products[place as usize]
    }

    /// After a restart: what may not have been published is, byte for byte.
    fn publish<'d>(&mut self, decisions: impl Iterator<Item = &'d Decision>, io: &mut Io<'_>) -> Result<(), Error> {
        for decision in decisions {
            let key = match &decision.asin {
                Some(asin) => format!("product:{asin}"),
                None => format!("manufacturer:{}", decision.manufacturer),
            };
            io.sink.append_to(Log::Decisions, self.number, &key, &wire::decision::write(decision))?;
        }
        if !self.journal.is_published() {
            io.sink.flush()?;
            self.journal.mark(io.stores.of(Issuer::Partition(self.number))?)?;
        }
        Ok(())
    }
}

/// A subject's owner follows from the number of partitions, so it may not change below the state.
fn check_partitions(partitions: u32, store: &mut dyn StateStore) -> Result<(), Error> {
    let Some(stored) = store.get(PARTITIONS_KEY)? else {
        return Ok(store.put(PARTITIONS_KEY, partitions.to_string().as_bytes())?);
    };
    let text = String::from_utf8_lossy(&stored).into_owned();
    match text.parse::<u32>() {
        Ok(stored) if stored == partitions => Ok(()),
        Ok(stored) => Err(Error::Partitions { stored, found: partitions }),
        Err(_) => Err(Error::State { key: "partitions".to_owned(), found: text }),
    }
}

#[cfg(test)]
mod tests;
