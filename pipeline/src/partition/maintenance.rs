//! Exclusions that an owner asks for: one for each stretch of maintenance that was declared of a subject (R4).
//!
//! What is asked for follows from the states that are remembered, and whether it was asked from the registry's
//! book. So nothing that waits has to be stored: an owner that opens looks at all that it knows, and a command that
//! is said twice, after a crash or by two owners in turn, counts once. Only who declared maintenance isn't said by
//! states; it is stored with them.
//!
//! A subject in a region is looked at once an hour of T at most, and one exclusion asked for at a time.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use compute::maintenance::{APART_MAX, Stretch, stretches};
use domain::Product;
use domain::event::EventRef;
use domain::fact::{ExclusionReason, ExclusionTarget, Terms};
use domain::id::{CommandId, ExclusionId, ID_BYTES_MAX, Region, RegionSet, ReporterId, Subject, SubjectKind};
use domain::interval::{Interval, IntervalSet};
use domain::programme::{Action, Command, ExclusionForm};
use domain::time::{DurationMs, HOUR_MS, Timestamp};
use ports::Log;
use registry::Registry;
use sha2::{Digest, Sha256};
use wire::stored::declared::Declarer;

use super::{Io, Partition};
use crate::error::Error;
use crate::subjects::Subjects;
use crate::tables::Tables;

/// Least time of T between two looks at a subject in a region; each asks for one exclusion at most.
const LOOKS_APART_MIN: DurationMs = DurationMs(HOUR_MS);
/// Of so many reporters who took turns in declaring maintenance of a subject in a region the last are remembered.
const DECLARERS_MAX: usize = 16;
/// Who asks where nobody is named, or isn't remembered.
const NOBODY: &str = "badgewatch";
/// Bytes of a digest that stand for a subject whose name is too long for an id.
const DIGEST_BYTES: usize = 16;

/// A subject in a region.
type Key = (u32, Region);

/// The subjects of which maintenance was ever declared, and when they are looked at next.
#[derive(Debug, Default)]
pub(super) struct Maintenance {
    kept: BTreeMap<Key, Kept>,
    calendar: BTreeSet<(Timestamp, Key)>,
    /// What was asked for and hasn't been read back yet.
    asked: BTreeSet<CommandId>,
}

#[derive(Debug, Default)]
struct Kept {
    declarers: Declarers,
    looked: Option<Timestamp>,
    /// Also in the calendar.
    due: Option<Timestamp>,
    /// Whether there is maintenance that no badge has to do with, as far as the registry says.
    is_unbadged: bool,
}

/// Who declared maintenance, rising, from when on; neighbours differ.
#[derive(Debug, Default)]
struct Declarers(Vec<(Timestamp, Option<ReporterId>)>);

/// What a look at a subject finds.
#[derive(Default)]
struct Unasked {
    command: Option<Command>,
    is_unbadged: bool,
}

impl Maintenance {
    /// Notes who declares maintenance that wasn't declared before.
    fn declare(&mut self, key: Key, at: Timestamp, by: Option<ReporterId>) {
        self.kept.entry(key).or_default().declarers.put(at, by);
    }

    /// Notes that a subject's states changed.
    pub(super) fn note(&mut self, key: Key) {
        let Some(kept) = self.kept.get(&key) else { return };
        let next = kept.looked.map_or(Timestamp::MIN, |looked| looked.saturating_add(LOOKS_APART_MIN));
        if kept.due.is_none_or(|due| next < due) {
            self.schedule(key, Some(next));
        }
    }

    /// Notes that a badge may have to do with subjects with which none had.
    pub(super) fn note_badges(&mut self) {
        let unbadged: Vec<Key> = self.kept.iter().filter(|(_, kept)| kept.is_unbadged).map(|(key, _)| *key).collect();
        unbadged.into_iter().for_each(|key| self.note(key));
    }

    /// Takes up subjects that were restored.
    pub(super) fn restore(&mut self, subjects: &Subjects) {
        for subject in subjects.numbers() {
            for region in Region::ALL {
                if subjects.health(subject, region).is_some_and(compute::SubjectHealth::has_maintenance) {
                    self.kept.entry((subject, region)).or_default();
                    self.note((subject, region));
                }
            }
        }
    }

    /// Takes up who declared a restored subject's maintenance.
    pub(super) fn restore_declarers(&mut self, subject: u32, declarers: Vec<Declarer>) {
        for Declarer { region, from, by } in declarers {
            if let Some(kept) = self.kept.get_mut(&(subject, region)) {
                kept.declarers.put(from, by);
            }
        }
    }

    /// Who declared a subject's maintenance, to be stored with its states.
    pub(super) fn declarers(&self, subject: u32) -> Vec<Declarer> {
        let of = |region: Region| Some((region, self.kept.get(&(subject, region))?));
        let kept = Region::ALL.into_iter().filter_map(of);
        let declarer = |region, (from, by): &(Timestamp, Option<ReporterId>)| Declarer { region, from: *from, by: by.clone() };
        kept.flat_map(|(region, kept)| kept.declarers.0.iter().map(move |one| declarer(region, one))).collect()
    }

    /// The subjects to look at by T.
    fn take_due(&mut self, t: Timestamp) -> Vec<Key> {
        let mut due = Vec::new();
        while let Some((_, key)) = self.calendar.first().copied().filter(|(at, _)| *at <= t) {
            self.schedule(key, None);
            due.push(key);
        }
        due
    }

    fn schedule(&mut self, key: Key, due: Option<Timestamp>) {
        let Some(kept) = self.kept.get_mut(&key) else { return };
        if let Some(before) = std::mem::replace(&mut kept.due, due) {
            self.calendar.remove(&(before, key));
        }
        self.calendar.extend(due.map(|due| (due, key)));
    }
}

impl Declarers {
    /// Of several at one instant the greatest name stays, whatever order they come in.
    fn put(&mut self, at: Timestamp, by: Option<ReporterId>) {
        let next = self.0.partition_point(|(from, _)| *from <= at);
        match next.checked_sub(1).map(|last| &mut self.0[last]) {
            Some((from, last)) if *from == at => {
                if *last < by {
                    *last = by;
                }
            }
            Some((_, last)) if *last == by => {}
            _ => {
                if self.0.get(next).is_some_and(|(_, following)| *following == by) {
                    self.0[next].0 = at;
                } else {
                    self.0.insert(next, (at, by));
                }
            }
        }
        if self.0.len() > DECLARERS_MAX {
            self.0.remove(0);
        }
    }

    fn at(&self, at: Timestamp) -> Option<&ReporterId> {
        let next = self.0.partition_point(|(from, _)| *from <= at);
        next.checked_sub(1).and_then(|last| self.0[last].1.as_ref())
    }
}

impl Partition {
    /// Takes in who declares maintenance: an event that renews it changes nothing.
    #[cold]
    pub(super) fn note_declarer(&mut self, subject: u32, event: &EventRef<'_>) {
        let policies = &self.rules.policies;
        let health = self.subjects.health(subject, event.region);
        if !health.is_some_and(|health| health.is_maintained_before(event.at, policies)) {
            self.maintenance.declare((subject, event.region), event.at, event.reporter.and_then(ReporterId::new));
        }
    }

    /// Asks for exclusions of what maintenance was declared by T.
    pub(super) fn ask_exclusions(&mut self, t: Timestamp, tables: &Tables, io: &mut Io<'_>) -> Result<(), Error> {
        let book = tables.registry.book();
        self.maintenance.asked.retain(|id| book.outcome(id).is_none());
        for key in self.maintenance.take_due(t) {
            let Unasked { command, is_unbadged } = self.unasked(key, t, tables);
            if let Some(command) = &command {
                let mut line = Vec::new();
                wire::command::write(command, &mut line);
                io.sink.append(Log::Registry, "", &line)?;
                self.maintenance.asked.insert(command.id.clone());
            }
            self.looked(key, t, command.is_some());
            if let Some(kept) = self.maintenance.kept.get_mut(&key) {
                kept.is_unbadged = is_unbadged;
            }
        }
        Ok(())
    }

    /// What asks for the last stretch of a subject's maintenance for which no exclusion was asked, though a badge has
    /// to do with it. Where there are several, what is decided next rests on the last.
    fn unasked(&self, key: Key, t: Timestamp, tables: &Tables) -> Unasked {
        let mut out = Unasked::default();
        let (Some(health), Some(kept)) = (self.subjects.health(key.0, key.1), self.maintenance.kept.get(&key)) else {
            return out;
        };
        // R24: the book refuses what is older than a window, by its own time.
        let earliest = tables.registry.log_time().map_or(t, |time| time.max(t)).saturating_sub(self.rules.window);
        let (book, registry) = (tables.registry.book(), tables.registry.registry());
        let name = self.subjects.name(key.0).to_owned();
        // Of a skill that takes a look at every product.
        let badged = LazyCell::new(|| if book.has_badge_of(&name) { badged(registry, &name, key.1) } else { IntervalSet::new() });
        let known = stretches(&health.maintenance(t, &self.rules.policies), t);
        for stretch in known.into_iter().rev().filter(|stretch| stretch.interval.to > earliest) {
            let Some(command) = command(&name, key.1, stretch, kept.declarers.at(stretch.interval.from)) else { continue };
            if book.outcome(&command.id).is_some() || self.maintenance.asked.contains(&command.id) {
                continue;
            }
            if !badged.intersects(stretch.interval) {
                out.is_unbadged = true;
            } else if !book.is_excluded_or_asked(&name, key.1, stretch.interval) {
                out.command = Some(command);
                break;
            }
        }
        out
    }

    /// Notes that a subject was looked at. It is again in an hour if there may be more to ask for by then.
    fn looked(&mut self, key: Key, t: Timestamp, has_asked: bool) {
        let health = self.subjects.health(key.0, key.1);
        let last = health.and_then(|health| {
            // Up to when it is declared, beyond T as well.
            health.maintenance(Timestamp::MAX, &self.rules.policies).iter().last().map(|last| last.to)
        });
        let Some(last) = last else {
            self.maintenance.kept.remove(&key);
            return;
        };
        if let Some(kept) = self.maintenance.kept.get_mut(&key) {
            kept.looked = Some(t);
        }
        let is_open = last.saturating_add(APART_MAX) >= t;
        self.maintenance.schedule(key, (has_asked || is_open).then(|| t.saturating_add(LOOKS_APART_MIN)));
    }
}

/// What asks for the exclusion of a stretch: dated at its end, so that it is the same whoever says it, and when.
fn command(subject: &Subject, region: Region, stretch: Stretch, by: Option<&ReporterId>) -> Option<Command> {
    let Stretch { interval, periods, maintained } = stretch;
    let id = id_of(subject, region, interval);
    let several = || format!("{periods} periods of maintenance, together {}", wire::policy::duration_text(maintained));
    let form = ExclusionForm {
        id: ExclusionId::new(&id)?,
        target: ExclusionTarget::Subject(subject.clone()),
        regions: RegionSet::NONE.with(region),
        interval,
        reason: ExclusionReason::Maintenance,
        note: (periods > 1).then(several),
    };
    let by = by.map_or(NOBODY, ReporterId::as_str).to_owned();
    let action = Action::RequestExclusion(form);
    Some(Command { id: CommandId::new(&id)?, at: interval.to, by, expects: None, action })
}

/// What a request and its command are called. No two subjects share a name, since region and instants are its end.
fn id_of(subject: &Subject, region: Region, interval: Interval) -> String {
    let (kind, from, to) = (subject.kind().as_str(), interval.from.ms(), interval.to.ms());
    let name = format!("maintenance-{kind}-{}-{region}-{from}-{to}", subject.id());
    if name.len() <= ID_BYTES_MAX {
        return name;
    }
    let digest = Sha256::digest(subject.to_string().as_bytes());
    let hex: String = digest[..DIGEST_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("maintenance_of-{hex}-{region}-{from}-{to}")
}

/// When a badge in a region depends on a subject.
fn badged(registry: &Registry, subject: &Subject, region: Region) -> IntervalSet {
    let id = subject.id();
    let depends = |terms: &Terms| {
        let is_tied = match subject.kind() {
            SubjectKind::Product => true,
            SubjectKind::Skill => terms.skill.as_ref().is_some_and(|skill| skill.as_str() == id),
            SubjectKind::Hub => terms.hub.as_ref().is_some_and(|hub| hub.as_str() == id),
        };
        is_tied && terms.regions().contains(region)
    };
    let on = |product: &Product| product.when(depends).clip(product.badged());
    match subject.kind() {
        SubjectKind::Product => registry.products.get(id).map(on).unwrap_or_default(),
        SubjectKind::Skill | SubjectKind::Hub => {
            registry.products.values().flat_map(|product| on(product).iter().copied().collect::<Vec<_>>()).collect()
        }
    }
}

#[cfg(test)]
mod tests;
