//! The programme role: owns manufacturers, and alone issues suspensions (R16).
//!
//! It knows the registry and what partitions have issued, nothing of their evidence: a manufacturer
//! is suspended by decisions that were issued, not by such as are only implied. What was issued it repeats in
//! the registry's log, so that what follows for badges and requests is decided from one ordered log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use alerting::{Brakes, Context, Issued, Removed, reconcile};
use domain::decision::{Decision, DecisionId, InputPosition, Issuer, Scope};
use domain::id::{Asin, ManufacturerId};
use domain::interval::IntervalSet;
use domain::programme::IssuedNote;
use domain::report::ManufacturerStanding;
use domain::time::Timestamp;
use ports::{Log, Record};
use wire::standing::Version;

use crate::epoch;
use crate::error::Error;
use crate::journal::Journal;
use crate::partition::{Io, Rules};
use crate::restored;
use crate::tables::{RegistryTable, position};

/// The owner of manufacturers.
#[derive(Debug)]
pub struct Programme {
    rules: Rc<Rules>,
    journal: Journal,
    /// What its standings are numbered by.
    version: Version,
    /// What partitions have issued, by product.
    products: BTreeMap<Asin, Issued>,
    /// By partition: the number of the last decision that was taken in.
    seen: BTreeMap<Issuer, u64>,
    issued: BTreeMap<ManufacturerId, Issued>,
    /// Suspensions are no removals, so nothing holds them back.
    brakes: Brakes,
    standings: Vec<ManufacturerStanding>,
    t: Option<Timestamp>,
    /// What the registry's log may still have to be told.
    unnoted: VecDeque<IssuedNote>,
    /// What it was told and hasn't come back yet.
    told: BTreeSet<DecisionId>,
}

impl Programme {
    /// Opens the role with what its journal says, and publishes what of that may not be published.
    ///
    /// # Errors
    /// When the store or the log fails, or the store holds what this version did not write.
    pub fn open(rules: &Rc<Rules>, io: &mut Io<'_>) -> Result<Self, Error> {
        io.stores.open(Issuer::Programme)?;
        restored::read(Issuer::Programme, io.stores.of(Issuer::Programme)?)?;
        let (journal, decisions) = Journal::open(Issuer::Programme, io.stores.of(Issuer::Programme)?)?;
        let mut programme = Self {
            rules: Rc::clone(rules),
            products: BTreeMap::new(),
            seen: BTreeMap::new(),
            issued: BTreeMap::new(),
            brakes: Brakes::new(Vec::new(), &rules.policies),
            standings: Vec::new(),
            unnoted: decisions.iter().filter_map(note_of).collect(),
            told: BTreeSet::new(),
            t: decisions.last().and_then(|decision| decision.evidence.issued.as_ref()).map(|issued| issued.at),
            journal,
            version: epoch::next(Issuer::Programme, io.stores.of(Issuer::Programme)?)?,
        };
        for decision in &decisions {
            programme.issued.entry(decision.manufacturer.clone()).or_default().push(decision.clone());
        }
        programme.publish(programme.journal.unpublished(&decisions), io)?;
        Ok(programme)
    }

    /// Takes in a decision of a partition's owner if it is the next one of that owner. One that was taken in
    /// before is dropped; one that comes before its predecessors comes again with them, from the log.
    pub fn take(&mut self, decision: &Decision) {
        let Some(issued) = &decision.evidence.issued else { return };
        let seen = self.seen.entry(issued.by).or_default();
        if issued.seq == *seen + 1 {
            *seen = issued.seq;
            self.unnoted.extend(note_of(decision));
            if let Some(asin) = &decision.asin {
                self.products.entry(asin.clone()).or_default().push(decision.clone());
            }
        }
    }

    /// Takes in a record of the decisions log.
    ///
    /// # Errors
    /// When it isn't what an owner wrote.
    pub fn take_record(&mut self, record: Record<'_>) -> Result<(), Error> {
        let decision = wire::decision::parse(record.payload).map_err(|source| Error::Decision {
            partition: record.partition,
            offset: record.offset,
            source: Box::new(source),
        })?;
        self.take(&decision);
        Ok(())
    }

    /// Whether every decision of an owner up to this number was taken in.
    #[must_use]
    pub fn has_seen(&self, partition: u32, seq: u64) -> bool {
        seq == 0 || self.seen.get(&Issuer::Partition(partition)).is_some_and(|seen| *seen >= seq)
    }

    /// Brings suspensions up to T: the least of the partitions', whose decisions up to it were taken in.
    ///
    /// # Errors
    /// When a log or the store fails.
    pub fn tick(&mut self, t: Timestamp, registry: &RegistryTable, io: &mut Io<'_>) -> Result<Vec<Decision>, Error> {
        let t = self.t.map_or(t, |last| last.max(t));
        self.t = Some(t);
        let (standings, implied) = self.judge(t, registry);
        let mut by_manufacturer: BTreeMap<&ManufacturerId, Vec<Decision>> = BTreeMap::new();
        for decision in &implied {
            by_manufacturer.entry(&decision.manufacturer).or_default().push(decision.clone());
        }
        let inputs = self.inputs(registry);
        let mut out = Vec::new();
        let known: Vec<ManufacturerId> = self.issued.keys().chain(by_manufacturer.keys().copied()).cloned().collect();
        for manufacturer in BTreeSet::from_iter(known) {
            let issued = self.issued.entry(manufacturer.clone()).or_default();
            let context = Context {
                t,
                policies: &self.rules.policies,
                rulings: &[],
                brakes: &mut self.brakes,
                by: Issuer::Programme,
                next_seq: self.journal.last_seq() + out.len() as u64 + 1,
                complete_from: Timestamp::MIN,
                inputs: &inputs,
            };
            let implied = by_manufacturer.get(&manufacturer).map(Vec::as_slice).unwrap_or_default();
            let decisions = reconcile(issued, implied, context);
            decisions.iter().for_each(|decision| issued.push(decision.clone()));
            out.extend(decisions);
        }
        self.journal.write(&out, io.stores.of(Issuer::Programme)?)?;
        self.publish(out.iter(), io)?;
        self.publish_standings(standings, t, io)?;
        self.unnoted.extend(out.iter().filter_map(note_of));
        self.publish_notes(registry, io)?;
        Ok(out)
    }

    /// The decisions issued about a manufacturer, in the order in which they were.
    #[must_use]
    pub fn issued(&self, manufacturer: &ManufacturerId) -> Option<&Issued> {
        self.issued.get(manufacturer)
    }

    /// How manufacturers stood at the last tick.
    #[must_use]
    pub fn standings(&self) -> &[ManufacturerStanding] {
        &self.standings
    }

    fn judge(&self, t: Timestamp, registry: &RegistryTable) -> (Vec<ManufacturerStanding>, Vec<Decision>) {
        let (policies, registry) = (&self.rules.policies, registry.registry());
        let removed: Vec<(&Asin, Vec<(Scope, IntervalSet)>)> = self
            .products
            .iter()
            .filter_map(|(asin, issued)| Some((asin, issued.removed(policies, registry.products.get(asin)?))))
            .collect();
        let parts: Vec<Removed<'_>> = removed
            .iter()
            .flat_map(|(asin, parts)| parts.iter().map(move |(scope, when)| (*asin, *scope, when)))
            .filter_map(|(asin, scope, when)| Some(Removed { product: registry.products.get(asin)?, scope, when }))
            .collect();
        alerting::suspensions(policies, t, &registry.manufacturers, registry.products.values(), &parts)
    }

    fn inputs(&self, registry: &RegistryTable) -> Vec<InputPosition> {
        let decisions = self.seen.iter().filter_map(|(issuer, seq)| match issuer {
            Issuer::Partition(partition) => Some(position(Log::Decisions, *partition, *seq)),
            Issuer::Programme => None,
        });
        decisions.chain([position(Log::Registry, 0, registry.next_offset())]).collect()
    }

    fn publish<'d>(&mut self, decisions: impl Iterator<Item = &'d Decision>, io: &mut Io<'_>) -> Result<(), Error> {
        for decision in decisions {
            io.sink.append(
                Log::Programme,
                &format!("manufacturer:{}", decision.manufacturer),
                &wire::decision::write(decision),
            )?;
        }
        if !self.journal.is_published() {
            io.sink.flush()?;
            self.journal.mark(io.stores.of(Issuer::Programme)?)?;
        }
        Ok(())
    }

    fn publish_standings(&mut self, standings: Vec<ManufacturerStanding>, t: Timestamp, io: &mut Io<'_>) -> Result<(), Error> {
        for standing in standings.iter().filter(|standing| !self.standings.contains(standing)) {
            let key = format!("manufacturer:{}/{}", standing.id, standing.scope);
            self.version.revision += 1;
            io.sink.append(Log::Standings, &key, &wire::standing::write_manufacturer(standing, t, self.version))?;
        }
        self.standings = standings;
        Ok(())
    }

    /// Tells the registry's log what it doesn't know yet. Told twice, after a crash or by two owners in turn, it
    /// takes note once.
    fn publish_notes(&mut self, registry: &RegistryTable, io: &mut Io<'_>) -> Result<(), Error> {
        let book = registry.book();
        self.told.retain(|id| !book.has_noted(id));
        while let Some(note) = self.unnoted.pop_front() {
            if !book.has_noted(&note.id) && self.told.insert(note.id) {
                let mut line = Vec::new();
                wire::issued_note::write(&note, &mut line);
                io.sink.append(Log::Registry, "", &line)?;
            }
        }
        Ok(())
    }
}

/// What a decision means to badges and requests, if anything.
fn note_of(decision: &Decision) -> Option<IssuedNote> {
    IssuedNote::KINDS.contains(&decision.kind).then(|| IssuedNote {
        id: decision.id,
        kind: decision.kind,
        asin: decision.asin.clone(),
        manufacturer: decision.manufacturer.clone(),
        scope: decision.scope,
        at: decision.at,
        supersedes: decision.supersedes,
        reasons: decision.reasons.iter().map(ToString::to_string).collect(),
    })
}
