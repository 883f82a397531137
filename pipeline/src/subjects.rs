//! The table of subjects: from a subject's name to its number, from its number to its health.

use compute::{Ask, Health, SubjectHealth};
use domain::id::{Region, Subject, SubjectKind, SubjectRef};
use domain::interval::IntervalSet;
use domain::policy::{Policies, Policy};
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

#[derive(Default, Debug)]
struct Slot {
    regions: [Option<Box<SubjectHealth>>; Region::COUNT],
    /// Products to judge again when its downtime or measured time changes.
    dependents: Vec<u32>,
}

impl Subjects {
    /// Registers a subject, if it isn't yet.
    pub(crate) fn register(&mut self, subject: &Subject) {
        let numbers = &mut self.numbers[kind_index(subject.kind())];
        if !numbers.contains_key(subject.id()) {
            let next = u32::try_from(self.slots.len()).expect("fewer than 2^32 subjects fit in memory");
            numbers.insert(Box::from(subject.id()), next);
            self.slots.push(Slot::default());
        }
    }

    /// A registered subject's number.
    #[inline]
    pub(crate) fn number(&self, subject: SubjectRef<'_>) -> Option<u32> {
        self.numbers[kind_index(subject.kind)].get(subject.id).copied()
    }

    /// What was reported about a subject in a region, for adding to it.
    #[inline]
    pub(crate) fn health_mut(&mut self, number: u32, region: Region) -> &mut SubjectHealth {
        self.slots[number as usize].regions[region.index()].get_or_insert_default()
    }

    /// What was reported about a subject in a region, if anything was.
    pub(crate) fn health(&self, subject: SubjectRef<'_>, region: Region) -> Option<&SubjectHealth> {
        let number = self.number(subject)?;
        self.slots[number as usize].regions[region.index()].as_deref()
    }

    /// The products that depend on a subject.
    pub(crate) fn dependents(&self, number: u32) -> &[u32] {
        &self.slots[number as usize].dependents
    }

    /// Sets which products depend on which subject, anew.
    pub(crate) fn tie<'a>(&mut self, ties: impl Iterator<Item = (&'a Subject, u32)>) {
        self.slots.iter_mut().for_each(|slot| slot.dependents.clear());
        for (subject, product) in ties {
            if let Some(number) = self.number(subject.as_ref()) {
                self.slots[number as usize].dependents.push(product);
            }
        }
    }
}

/// Subjects' health as a source of evidence by one of several versions of a policy.
pub(crate) struct KnownHealth<'a> {
    pub(crate) subjects: &'a Subjects,
    pub(crate) policies: &'a Policies,
}

impl KnownHealth<'_> {
    fn answer(
        &self,
        subject: SubjectRef<'_>,
        region: Region,
        ask: Ask,
        of: impl Fn(&SubjectHealth, Timestamp, &Policy) -> IntervalSet,
    ) -> IntervalSet {
        let policy = self.policies.versions().iter().find(|policy| policy.state_ttl == ask.state_ttl);
        let health = self.subjects.health(subject, region);
        health.zip(policy).map(|(health, policy)| of(health, ask.until, policy).clip(ask.within)).unwrap_or_default()
    }
}

impl Health for KnownHealth<'_> {
    fn downtime(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        self.answer(subject, region, ask, SubjectHealth::downtime)
    }

    fn measured(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        self.answer(subject, region, ask, SubjectHealth::measured)
    }
}

const fn kind_index(kind: SubjectKind) -> usize {
    match kind {
        SubjectKind::Product => 0,
        SubjectKind::Skill => 1,
        SubjectKind::Hub => 2,
    }
}
