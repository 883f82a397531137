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
    /// Subjects of which something isn't stored, in the order in which that came about.
    unstored: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    subject: Subject,
    /// Events of records appended earlier don't count.
    since: Timestamp,
    /// Records before this offset are applied: a restored subject may be ahead of its partition.
    applied_to: u64,
    is_unstored: bool,
    /// Whether it is among those to be stored next.
    is_listed: bool,
    regions: [Option<Box<SubjectHealth>>; Region::COUNT],
}

impl Subjects {
    /// Registers a subject, if it isn't yet: events count if their record was appended at or after `since`.
    pub(crate) fn register(&mut self, subject: &Subject, since: Timestamp) {
        let number = self.place(subject.as_ref());
        let slot = &mut self.slots[number as usize];
        slot.since = slot.since.min(since);
    }

    /// Takes up what was stored of a subject. Its events don't count before it is registered.
    pub(crate) fn restore(&mut self, subject: SubjectRef<'_>, applied_to: u64, health: Vec<(Region, SubjectHealth)>) -> u32 {
        let number = self.place(subject);
        let slot = &mut self.slots[number as usize];
        slot.applied_to = applied_to;
        for (region, health) in health {
            slot.regions[region.index()] = Some(Box::new(health));
        }
        number
    }

    fn place(&mut self, subject: SubjectRef<'_>) -> u32 {
        if let Some(number) = self.number(subject) {
            return number;
        }
        let next = u32::try_from(self.slots.len()).expect("fewer than 2^32 subjects fit in memory");
        self.numbers[kind_index(subject.kind)].insert(Box::from(subject.id), next);
        let (since, regions) = (Timestamp::MAX, Default::default());
        self.slots.push(Slot {
            subject: subject.to_owned(),
            since,
            applied_to: 0,
            is_unstored: false,
            is_listed: false,
            regions,
        });
        next
    }

    /// The number of a subject that is registered, or was when it was stored.
    #[inline]
    pub(crate) fn number(&self, subject: SubjectRef<'_>) -> Option<u32> {
        self.numbers[kind_index(subject.kind)].get(subject.id).copied()
    }

    /// Whether a subject is registered, as far as the registry was read: one that was restored may not be yet.
    pub(crate) fn is_registered(&self, subject: SubjectRef<'_>) -> bool {
        self.number(subject).is_some_and(|number| self.since(number) < Timestamp::MAX)
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

    /// The first offset of the partition that isn't applied to a subject, if that is ahead of the partition's own.
    #[inline]
    pub(crate) fn applied_to(&self, number: u32) -> u64 {
        self.slots[number as usize].applied_to
    }

    /// Notes that something of a subject isn't stored.
    #[inline]
    pub(crate) fn note_unstored(&mut self, number: u32) {
        let slot = &mut self.slots[number as usize];
        slot.is_unstored = true;
        if !slot.is_listed {
            slot.is_listed = true;
            self.unstored.push(number);
        }
    }

    /// The same of all subjects.
    pub(crate) fn note_all_unstored(&mut self) {
        self.numbers().for_each(|number| self.note_unstored(number));
    }

    /// The subjects of which something isn't stored; they are to be stored.
    pub(crate) fn take_unstored(&mut self) -> Vec<u32> {
        let taken = std::mem::take(&mut self.unstored);
        taken.iter().for_each(|&number| self.slots[number as usize].is_listed = false);
        taken
    }

    /// Whether something of a subject isn't stored.
    pub(crate) fn is_unstored(&self, number: u32) -> bool {
        self.slots[number as usize].is_unstored
    }

    /// Notes that a subject is stored whole.
    pub(crate) fn note_stored(&mut self, number: u32) {
        self.slots[number as usize].is_unstored = false;
    }

    /// A subject's health in every region of which anything was reported.
    pub(crate) fn regions_mut(&mut self, number: u32) -> impl Iterator<Item = (Region, &mut SubjectHealth)> {
        let regions = Region::ALL.into_iter().zip(&mut self.slots[number as usize].regions);
        regions.filter_map(|(region, health)| Some((region, health.as_deref_mut()?)))
    }

    /// The numbers of all subjects.
    pub(crate) fn numbers(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
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
