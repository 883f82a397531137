//! The table of subjects: from a subject's name to its number, from its number to its health.

use compute::{Ask, Health, SubjectHealth};
use domain::id::{Region, Subject, SubjectKind, SubjectRef};
use domain::interval::IntervalSet;
use domain::time::Timestamp;
use rustc_hash::FxHashMap;

/// Every registered subject with its health.
///
/// A lookup hashes the borrowed id: the hot path doesn't allocate. Subjects are never removed,
/// so a number stays valid.
#[derive(Default, Debug)]
pub(crate) struct Subjects {
    numbers: [FxHashMap<Box<str>, u32>; 3],
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    subject: Subject,
    /// Events of records appended earlier don't count.
    since: Timestamp,
    regions: [Option<Box<SubjectHealth>>; Region::COUNT],
}

impl Subjects {
    /// Registers a subject, if it isn't yet: events count if their record was appended at or after `since`.
    pub(crate) fn register(&mut self, subject: &Subject, since: Timestamp) {
        let numbers = &mut self.numbers[kind_index(subject.kind())];
        if !numbers.contains_key(subject.id()) {
            let next = u32::try_from(self.slots.len()).expect("fewer than 2^32 subjects fit in memory");
            numbers.insert(Box::from(subject.id()), next);
            self.slots.push(Slot { subject: subject.clone(), since, regions: Default::default() });
        }
    }

    /// A registered subject's number.
    #[inline]
    pub(crate) fn number(&self, subject: SubjectRef<'_>) -> Option<u32> {
        self.numbers[kind_index(subject.kind)].get(subject.id).copied()
    }

    /// A subject by its number.
    pub(crate) fn name(&self, number: u32) -> SubjectRef<'_> {
        self.slots[number as usize].subject.as_ref()
    }

    /// From which append time on a subject's events count.
    #[inline]
    pub(crate) fn since(&self, number: u32) -> Timestamp {
        self.slots[number as usize].since
    }

    /// What was reported about a subject in a region, for adding to it.
    #[inline]
    pub(crate) fn health_mut(&mut self, number: u32, region: Region) -> &mut SubjectHealth {
        self.slots[number as usize].regions[region.index()].get_or_insert_default()
    }

    /// What was reported about a subject in a region, if anything was.
    pub(crate) fn health(&self, number: u32, region: Region) -> Option<&SubjectHealth> {
        self.slots[number as usize].regions[region.index()].as_deref()
    }

    /// What was reported about a subject in a region, by its name.
    pub(crate) fn health_of(&self, subject: SubjectRef<'_>, region: Region) -> Option<&SubjectHealth> {
        self.health(self.number(subject)?, region)
    }

    /// Every subject's health in every region of which anything was reported.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = (SubjectRef<'_>, Region, &mut SubjectHealth)> {
        self.slots.iter_mut().flat_map(|Slot { subject, regions, .. }| {
            let regions = Region::ALL.into_iter().zip(regions);
            regions.filter_map(|(region, health)| health.as_deref_mut().map(|health| (subject.as_ref(), region, health)))
        })
    }

    /// Drops what is known of a subject's time before an instant.
    pub(crate) fn forget(&mut self, number: u32, before: Timestamp) {
        self.slots[number as usize].regions.iter_mut().flatten().for_each(|health| health.forget(before));
    }
}

impl Subjects {
    /// About how much memory the health of all subjects takes, in bytes.
    pub(crate) fn resident_bytes(&self) -> usize {
        self.slots.iter().flat_map(|slot| slot.regions.iter().flatten()).map(|health| health.resident_bytes()).sum()
    }
}

impl Health for Subjects {
    fn downtime(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        self.health_of(subject, region).map(|health| health.downtime(ask)).unwrap_or_default()
    }

    fn measured(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        self.health_of(subject, region).map(|health| health.measured(ask)).unwrap_or_default()
    }
}

const fn kind_index(kind: SubjectKind) -> usize {
    match kind {
        SubjectKind::Product => 0,
        SubjectKind::Skill => 1,
        SubjectKind::Hub => 2,
    }
}
