//! Bringing an owner up to T: evidence grown, lives followed, what is implied held against what was
//! issued, and the difference journalled and published.

use std::collections::BTreeSet;

use alerting::{Brakes, Case, Context, reconcile};
use compute::{Ask, Gatherer, Health};
use domain::Catalogue;
use domain::Decision;
use domain::decision::{InputPosition, Issued, Issuer};
use domain::fact::Exclusion;
use domain::id::{Region, SubjectKind, SubjectRef};
use domain::interval::IntervalSet;
use domain::page::PageNo;
use domain::report::ProductStanding;
use domain::time::{DurationMs, Timestamp};
use ports::Log;
use registry::Differences;

use super::{Io, Partition};
use crate::error::Error;
use crate::subjects::Subjects;
use crate::tables::{Dependencies, Tables, position};

/// What a tick came to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Ticked {
    /// T.
    pub at: Option<Timestamp>,
    /// What was issued, in the order in which it was.
    pub issued: Vec<Decision>,
    /// How many standings were published.
    pub standings: u64,
}

/// The health of a product's subjects: its own here, the others as their owners published it.
struct Seen<'a> {
    subjects: &'a Subjects,
    dependencies: &'a Dependencies,
}

/// How products are judged in a tick.
struct Round<'a> {
    t: Timestamp,
    new_day: bool,
    tables: &'a Tables,
    exclusions: &'a [Exclusion],
    inputs: &'a [InputPosition],
}

impl Partition {
    /// Says what is known of skills and hubs, and brings standings and decisions up to T.
    ///
    /// # Errors
    /// When a log or the store fails. What was decided is in the journal or isn't decided: open the
    /// partition anew.
    pub fn tick(&mut self, tables: &Tables, brakes: &mut Brakes, io: &mut Io<'_>) -> Result<Ticked, Error> {
        self.work_off_late(tables, io)?;
        self.publish_dependencies(tables, io)?;
        self.note_sent_on(io)?;
        let mut ticked = Ticked::default();
        if let Some(t) = self.reach(tables) {
            let last = self.t.replace(t);
            self.turn_facts(last, t, tables, brakes);
            self.judge_due((last, t), tables, brakes, io, &mut ticked)?;
            self.ask_exclusions(t, tables, io)?;
        }
        ticked.at = self.t;
        Ok(ticked)
    }

    /// R23: the least of the inputs' times, never earlier than before. None after a restart until its own
    /// health is read as far as this owner said that it was, as what others publish is of then; nor while
    /// an input hasn't been read up to where it had been when the last decision of before was issued.
    fn reach(&mut self, tables: &Tables) -> Option<Timestamp> {
        let reached = self.log_time.min(tables.log_time())?;
        if self.log_time < tables.dependencies.watermark_of(self.number) {
            return None;
        }
        if !self.barrier.is_empty() {
            let inputs = self.inputs(tables);
            let is_there = |old: &InputPosition| {
                inputs
                    .iter()
                    .any(|now| (&now.log, now.partition) == (&old.log, old.partition) && now.next_offset >= old.next_offset)
            };
            if !self.barrier.iter().all(is_there) {
                return None;
            }
            self.barrier.clear();
        }
        Some(self.t.map_or(reached, |last| last.max(reached)))
    }

    fn inputs(&self, tables: &Tables) -> Vec<InputPosition> {
        let mut inputs = tables.positions();
        inputs.push(position(Log::Health, self.number, self.next_offset));
        inputs
    }

    /// What facts do by time alone: revocations act, the kill switch turns.
    fn turn_facts(&mut self, last: Option<Timestamp>, t: Timestamp, tables: &Tables, brakes: &Brakes) {
        let registry = tables.registry.registry();
        let last_at = last.unwrap_or(Timestamp::MIN);
        if registry.revoked.values().any(|at| last_at < *at && *at <= t) {
            let differences = Differences::between((registry, last_at), (registry, t));
            for place in self.places() {
                if let Some(from) = differences.of(&self.products[place as usize].asin) {
                    self.touch(place, from);
                }
            }
        }
        if last.is_some_and(|last| brakes.is_on(last) != brakes.is_on(t)) {
            for place in self.places() {
                self.touch(place, Timestamp::MAX);
            }
        }
    }

    fn judge_due(
        &mut self,
        (last, t): (Option<Timestamp>, Timestamp),
        tables: &Tables,
        brakes: &mut Brakes,
        io: &mut Io<'_>,
        ticked: &mut Ticked,
    ) -> Result<(), Error> {
        let registry = tables.registry.registry();
        let new_day = last.is_none_or(|last| last.floor_day() < t.floor_day());
        let due = self.due_now(t, new_day);
        // Most ticks of most partitions judge nothing.
        let exclusions: Vec<Exclusion> = if due.is_empty() { Vec::new() } else { registry.exclusions_at(t).cloned().collect() };
        let inputs = self.inputs(tables);
        let round = Round { t, new_day, tables, exclusions: &exclusions, inputs: &inputs };
        for place in due {
            let from = self.changed.remove(&place);
            self.judge((place, from), &round, brakes, io, ticked)?;
        }
        if new_day {
            self.forget_past(t, tables);
            self.delete_old_pages(t, io)?;
        }
        for mut decision in self.services.judge(&self.rules.policies, t, registry) {
            let (by, seq) = (Issuer::Partition(self.number), self.journal.last_seq() + ticked.issued.len() as u64 + 1);
            decision.evidence.issued = Some(Issued { at: t, by, seq, inputs: inputs.clone() });
            ticked.issued.push(decision);
        }
        if !ticked.issued.is_empty() {
            self.journal.write(&ticked.issued, io.stores.of(Issuer::Partition(self.number))?)?;
            self.publish(ticked.issued.iter(), io)?;
        }
        Ok(())
    }

    fn due_now(&mut self, t: Timestamp, new_day: bool) -> BTreeSet<u32> {
        let mut places: BTreeSet<u32> = self.changed.keys().copied().collect();
        let later = self.due.split_off(&(t.saturating_add(DurationMs(1)), 0));
        places.extend(std::mem::replace(&mut self.due, later).into_iter().map(|(_, place)| place));
        if new_day {
            places.extend(self.places());
        }
        places
    }

    fn judge(
        &mut self,
        (place, from): (u32, Option<Timestamp>),
        round: &Round<'_>,
        brakes: &mut Brakes,
        io: &mut Io<'_>,
        ticked: &mut Ticked,
    ) -> Result<(), Error> {
        let registry = round.tables.registry.registry();
        let owned = &mut self.products[place as usize];
        let Some(product) = registry.products.get(&owned.asin) else { return Ok(()) };
        let health = Seen { subjects: &self.subjects, dependencies: &round.tables.dependencies };
        let from = from.unwrap_or(Timestamp::MAX);
        if from < Timestamp::MAX {
            owned.life.invalidate(from);
        }
        let gatherer = Gatherer { product, exclusions: round.exclusions };
        gatherer.grow_all(&mut owned.evidence, from, round.t, &health);
        if round.new_day {
            gatherer.grow_ahead(&mut owned.evidence, round.t, &health);
        }
        let certification = Catalogue {
            listings: registry.listings.get(&owned.asin).cloned().unwrap_or_default(),
            skill_listings: registry.skill_listings_of(product).cloned().collect(),
        };
        let rulings = registry.rulings_on(&owned.asin);
        let policies = &self.rules.policies;
        let case = Case { policies, product, evidence: &owned.evidence, certification: &certification, rulings };
        let judgement = owned.life.advance(&case, round.t);
        let implied = owned.life.decisions();
        let context = Context {
            t: round.t,
            policies,
            rulings,
            brakes: &mut *brakes,
            by: Issuer::Partition(self.number),
            next_seq: self.journal.last_seq() + ticked.issued.len() as u64 + 1,
            complete_from: owned.life.complete_from(),
            inputs: round.inputs,
        };
        let issued = reconcile(&owned.issued, &in_order(implied), context);
        issued.iter().for_each(|decision| owned.issued.push(decision.clone()));
        ticked.issued.extend(issued);
        let settles = implied.iter().map(|decision| alerting::settled_at(policies, decision));
        let settles: Vec<Timestamp> = settles.filter(|settled| *settled > round.t).collect();
        owned.waiting = settles.len();
        let due = settles.into_iter().min().into_iter().chain([owned.life.next_due()]).min();
        // While enforcement is paused, what is to be taken back may wait (R25).
        if round.new_day && !brakes.is_on(round.t) {
            let frozen = round.t.saturating_sub(self.rules.frozen_after);
            let waits = owned.issued.waits_since(rulings, round.t).unwrap_or(Timestamp::MAX);
            owned.life.freeze(&case, frozen.min(waits), round.t);
        }
        self.settle(place, due);
        self.publish_standings(place, judgement.standings, round, io, ticked)
    }

    /// The numbers of its products.
    fn places(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.products.len()).unwrap_or(u32::MAX)
    }

    fn settle(&mut self, place: u32, due: Option<Timestamp>) {
        let owned = &mut self.products[place as usize];
        if let Some(before) = owned.due.take() {
            self.due.remove(&(before, place));
        }
        owned.due = due;
        self.due.extend(due.map(|due| (due, place)));
    }

    fn publish_standings(
        &mut self,
        place: u32,
        standings: Vec<ProductStanding>,
        round: &Round<'_>,
        io: &mut Io<'_>,
        ticked: &mut Ticked,
    ) -> Result<(), Error> {
        let owned = &mut self.products[place as usize];
        for standing in &standings {
            let told = owned.standings.iter().find(|told| told.scope == standing.scope);
            if round.new_day || told.is_none_or(|told| differs(told, standing)) {
                let key = format!("product:{}/{}", standing.asin, standing.scope);
                self.version.revision += 1;
                let record = wire::standing::write_product(standing, round.t, self.version);
                io.sink.append_to(Log::Standings, self.number, &key, &record)?;
                ticked.standings += 1;
            }
        }
        owned.standings = standings;
        Ok(())
    }

    /// R24: minute pages are kept one window, down intervals two, and what lives still look at.
    fn forget_past(&mut self, t: Timestamp, tables: &Tables) {
        let registry = tables.registry.registry();
        let two_windows = t.saturating_sub(self.rules.frozen_after).saturating_sub(self.rules.frozen_after);
        self.needs_from = two_windows;
        for owned in &mut self.products {
            let needed = owned.life.needs_from(&self.rules.policies).min(two_windows);
            // After a restart evidence is gathered anew, runs that began earlier whole.
            let needed = owned.evidence.forget(needed);
            self.needs_from = self.needs_from.min(needed);
            let waits = owned.issued.waits_since(registry.rulings_on(&owned.asin), t).unwrap_or(Timestamp::MAX);
            owned.issued.forget(two_windows.min(waits).min(owned.life.complete_from()));
            let subject = SubjectRef { kind: SubjectKind::Product, id: owned.asin.as_str() };
            if let Some(number) = self.subjects.number(subject) {
                self.subjects.forget(number, needed);
            }
        }
        let midnight = two_windows.floor_day();
        for (name, region, health) in self.subjects.all_mut().filter(|(name, ..)| name.kind != SubjectKind::Product) {
            // A page is published whole, also when its last state ends much later.
            let begun = tables.dependencies.reaching(name, region, midnight).map(PageNo::start).min();
            health.forget(begun.unwrap_or(midnight));
        }
        self.outflow.freeze(midnight);
        // So that once a day what is stored forgets as well, and lives are stored as frozen.
        self.subjects.note_all_unstored();
    }
}

impl Health for Seen<'_> {
    fn downtime(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        match subject.kind {
            SubjectKind::Product => self.subjects.downtime(subject, region, ask),
            SubjectKind::Skill | SubjectKind::Hub => self.dependencies.downtime(subject, region, ask),
        }
    }

    fn measured(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        self.subjects.measured(subject, region, ask)
    }
}

/// A life lists decisions scope by scope; they are reconciled in the order of R17.
fn in_order(implied: &[Decision]) -> Vec<Decision> {
    let mut ordered = implied.to_vec();
    alerting::in_order(&mut ordered);
    ordered
}

/// Whether two standings differ in more than what moves with time alone.
fn differs(before: &ProductStanding, now: &ProductStanding) -> bool {
    let told = |standing: &ProductStanding| {
        (standing.standing, standing.warning_level, standing.probation, standing.downtime_ms, standing.outages.len())
    };
    told(before) != told(now) || before.manufacturer != now.manufacturer
}
