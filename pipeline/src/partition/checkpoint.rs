//! What of an owner outlives its process (DESIGN section 5): heads of subjects, their pages, and from where
//! on the log is read again.
//!
//! A checkpoint is fuzzy. Each subject is stored by itself, its head and its changed pages (and a product's
//! frozen life) in one batch, so that it is as of one position, which the head names. A round stores every
//! subject that had changed when the round began, some at a time; then the position at which the round
//! began is stored as the place to go on from. What is read again from there skips subjects that are ahead.
//!
//! Before anything of this is written, all that was appended to logs is stored: what a head has taken in
//! isn't said again after a restart.

use std::collections::VecDeque;

use alerting::Life;
use compute::SubjectHealth;
use domain::decision::Issuer;
use domain::id::{Asin, Region, SubjectKind, SubjectRef};
use domain::page::PageParts;
use domain::policy::Policies;
use domain::time::Timestamp;
use ports::state::{Op, StateStore};
use wire::stored::head::Head;
use wire::stored::place::Place;

use super::late::{RegionPage, page_key};
use super::{Io, Partition, Rules};
use crate::error::Error;
use crate::tables::Tables;

/// A round of a checkpoint.
#[derive(Debug)]
pub(super) struct Round {
    /// Where it began.
    place: Place,
    /// What products looked at by then began here.
    needs_from: Timestamp,
    /// Subjects that were not stored then, and aren't yet.
    pending: VecDeque<u32>,
}

impl Partition {
    /// Begins a round of a checkpoint, unless one is under way or nothing was read since the last.
    pub fn begin_checkpoint(&mut self) {
        if self.round.is_none() && self.next_offset > self.restart_from {
            let place = Place {
                next_offset: self.next_offset,
                log_time: self.log_time,
                evicted: self.evicted,
                origins: self.origins.clone(),
                replayed: self.replays.to_parts(),
                policies: versions(&self.rules.policies),
            };
            self.round = Some(Round { place, needs_from: self.needs_from, pending: self.subjects.take_unstored().into() });
        }
    }

    /// Stores up to so many subjects of the round that is under way; yields whether there is nothing left to do.
    ///
    /// # Errors
    /// When a log or the store fails: the partition is to be opened anew.
    pub fn checkpoint(&mut self, subjects_max: usize, tables: &Tables, io: &mut Io<'_>) -> Result<bool, Error> {
        if self.round.is_none() {
            return Ok(true);
        }
        // Events that wait for their page would be taken for applied.
        self.work_off_late(tables, io)?;
        self.settle_logs(tables, io)?;
        for _ in 0..subjects_max {
            let Some(subject) = self.round.as_mut().and_then(|round| round.pending.pop_front()) else { break };
            if self.subjects.is_unstored(subject) {
                self.store_subject(subject, Vec::new(), io)?;
            }
        }
        let Some(round) = self.round.take_if(|round| round.pending.is_empty()) else { return Ok(false) };
        let store = io.stores.of(Issuer::Partition(self.number))?;
        store.put(&place_key(self.number), &wire::stored::place::write(&round.place))?;
        store.sync()?;
        (self.restart_from, self.restart_time) = (round.place.next_offset, round.place.log_time);
        self.stored_needs_from = Some(round.needs_from).filter(|needed| *needed > Timestamp::MIN);
        Ok(true)
    }

    /// From which offset of `health` on the log would be read after a restart.
    #[must_use]
    pub const fn restart_from(&self) -> u64 {
        self.restart_from.saturating_sub(self.base)
    }

    /// Makes sure that everything that this owner appended is stored. To be called before heads are.
    pub(super) fn settle_logs(&mut self, tables: &Tables, io: &mut Io<'_>) -> Result<(), Error> {
        self.publish_dependencies(tables, io)?;
        Ok(io.sink.flush()?)
    }

    /// Stores a subject as it is now, with changed pages that left memory and those that didn't.
    pub(super) fn store_subject(&mut self, subject: u32, mut pages: Vec<RegionPage>, io: &mut Io<'_>) -> Result<(), Error> {
        for (region, health) in self.subjects.regions_mut(subject) {
            pages.extend(health.changed_pages().into_iter().map(|(no, page)| (region, no, page)));
        }
        io.counts.pages_stored += pages.len() as u64;
        let name = self.subjects.name(subject);
        let put_page = |(region, no, page): &RegionPage| Op::Put {
            key: page_key(self.number, name, *region, *no),
            value: wire::stored::page::write(&PageParts::from(page)),
        };
        let mut batch: Vec<Op> = pages.iter().map(put_page).collect();
        let health =
            Region::ALL.into_iter().filter_map(|region| Some((region, self.subjects.health(subject, region)?.to_parts())));
        let head = Head { applied_to: self.next_offset, names: self.names.parts(subject), health: health.collect() };
        batch.push(Op::Put { key: head_key(self.number, name), value: wire::stored::head::write(&head) });
        let declarers = self.maintenance.declarers(subject);
        if !declarers.is_empty() {
            let (key, value) = (declared_key(self.number, name), wire::stored::declared::write(&declarers));
            batch.push(Op::Put { key, value });
        }
        if let Some(&place) = self.numbers.get(name.id).filter(|_| name.kind == SubjectKind::Product) {
            let life = &self.products[place as usize].life;
            if life.complete_from() > Timestamp::MIN {
                batch.push(Op::Put { key: life_key(self.number, name.id), value: wire::stored::life::write(&life.to_parts()) });
            }
        }
        io.stores.of(Issuer::Partition(self.number))?.write(batch)?;
        self.subjects.note_stored(subject);
        Ok(())
    }

    /// Takes up what was stored: heads at once, pages when they are needed.
    pub(super) fn restore(&mut self, store: &dyn StateStore) -> Result<(), Error> {
        let prefix = head_prefix(self.number);
        for (key, value) in store.scan(&prefix)? {
            let name = std::str::from_utf8(&key[prefix.len()..]).ok().and_then(SubjectRef::parse);
            let (name, head) = match (name, wire::stored::head::read(&value)) {
                (Some(name), Ok(head)) => (name, head),
                (None, _) => return Err(damaged(&key, None)),
                (_, Err(source)) => return Err(damaged(&key, Some(source))),
            };
            let health = head.health.into_iter().map(|(region, parts)| Some((region, SubjectHealth::from_parts(parts)?)));
            let health: Option<Vec<_>> = health.collect();
            let subject = self.subjects.restore(name, head.applied_to, health.ok_or_else(|| damaged(&key, None))?);
            self.names.put(subject, head.names);
        }
        self.restore_maintenance(store)?;
        let prefix = life_prefix(self.number);
        for (key, value) in store.scan(&prefix)? {
            let parts = wire::stored::life::read(&value).map_err(|source| damaged(&key, Some(source)))?;
            let asin = std::str::from_utf8(&key[prefix.len()..]).ok().and_then(Asin::new).ok_or_else(|| damaged(&key, None))?;
            let life = Life::from_parts(parts, &self.rules.policies).ok_or_else(|| damaged(&key, None))?;
            self.own(&asin).life = life;
        }
        let key = place_key(self.number);
        if let Some(stored) = store.get(&key)? {
            let place = wire::stored::place::read(&stored).map_err(|source| damaged(&key, Some(source)))?;
            check_policies(&place, &self.rules)?;
            self.next_offset = place.next_offset;
            (self.restart_from, self.restart_time) = (place.next_offset, place.log_time);
            self.log_time = place.log_time;
            self.evicted = place.evicted;
            self.origins = place.origins;
            self.replays = place.replayed.into();
            self.services.pause(place.log_time, &self.rules.policies);
        }
        Ok(())
    }

    fn restore_maintenance(&mut self, store: &dyn StateStore) -> Result<(), Error> {
        self.maintenance.restore(&self.subjects);
        let prefix = declared_prefix(self.number);
        for (key, value) in store.scan(&prefix)? {
            let declarers = wire::stored::declared::read(&value).map_err(|source| damaged(&key, Some(source)))?;
            let name = std::str::from_utf8(&key[prefix.len()..]).ok().and_then(SubjectRef::parse);
            if let Some(subject) = self.subjects.number(name.ok_or_else(|| damaged(&key, None))?) {
                self.maintenance.restore_declarers(subject, declarers);
            }
        }
        Ok(())
    }
}

/// What was summed up of minutes, and what is frozen, holds for the versions that were in force.
fn check_policies(place: &Place, rules: &Rules) -> Result<(), Error> {
    let by = place.log_time.unwrap_or(Timestamp::MIN);
    let in_force = |versions: Vec<(Timestamp, String)>| -> Vec<(Timestamp, String)> {
        // The first also judges what came before.
        let numbered = versions.into_iter().enumerate();
        numbered.take_while(|(number, (from, _))| *number == 0 || *from <= by).map(|(_, version)| version).collect()
    };
    let (stored, now) = (in_force(place.policies.clone()), in_force(versions(&rules.policies)));
    if stored == now { Ok(()) } else { Err(Error::PolicyChanged { log_time: place.log_time }) }
}

fn versions(policies: &Policies) -> Vec<(Timestamp, String)> {
    policies.versions().iter().map(|policy| (policy.effective_from, wire::policy::write(policy))).collect()
}

fn damaged(key: &[u8], source: Option<wire::Error>) -> Error {
    match source {
        None => Error::Checkpoint { key: String::from_utf8_lossy(key).into_owned(), source: None },
        Some(source) => Error::of_stored(key, source, |key, source| Error::Checkpoint { key, source: Some(Box::new(source)) }),
    }
}

/// The key of a partition's [`Place`].
#[must_use]
pub fn place_key(partition: u32) -> Vec<u8> {
    format!("place/{partition}").into_bytes()
}

fn head_prefix(partition: u32) -> Vec<u8> {
    format!("head/{partition}/").into_bytes()
}

fn head_key(partition: u32, name: SubjectRef<'_>) -> Vec<u8> {
    format!("head/{partition}/{name}").into_bytes()
}

fn declared_prefix(partition: u32) -> Vec<u8> {
    format!("declared/{partition}/").into_bytes()
}

fn declared_key(partition: u32, name: SubjectRef<'_>) -> Vec<u8> {
    format!("declared/{partition}/{name}").into_bytes()
}

fn life_prefix(partition: u32) -> Vec<u8> {
    format!("life/{partition}/").into_bytes()
}

fn life_key(partition: u32, asin: &str) -> Vec<u8> {
    format!("life/{partition}/{asin}").into_bytes()
}
