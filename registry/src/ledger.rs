//! Facts as they come, with those refused that contradict an earlier one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use domain::decision::DecisionId;
use domain::fact::{Acknowledgement, Badge, BadgeChange, Exclusion, ExclusionRevoked, Fact, KillSwitch, Listing};
use domain::fact::{Manufacturer, Ruling, SkillListing, Withdrawal};
use domain::id::{Asin, ExclusionId, ManufacturerId};
use domain::rejection::RejectReason;
use domain::time::Timestamp;

/// Accepted facts, each with its line in the source.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Ledger {
    pub(crate) manufacturers: BTreeMap<ManufacturerId, (u64, Manufacturer)>,
    pub(crate) badges: BTreeMap<Asin, (u64, Badge)>,
    pub(crate) changes: BTreeMap<(Asin, Timestamp), (u64, BadgeChange)>,
    pub(crate) withdrawals: Vec<(u64, Withdrawal)>,
    pub(crate) exclusions: BTreeMap<ExclusionId, (u64, Exclusion)>,
    pub(crate) listings: Vec<(u64, Listing)>,
    pub(crate) skill_listings: Vec<(u64, SkillListing)>,
    pub(crate) revocations: BTreeMap<ExclusionId, (u64, ExclusionRevoked)>,
    /// By ASIN, too: a mistaken one doesn't keep a proposal from being ruled on.
    pub(crate) rulings: BTreeMap<(DecisionId, Asin), (u64, Ruling)>,
    pub(crate) acknowledgements: BTreeMap<DecisionId, (u64, Acknowledgement)>,
    pub(crate) kill_switch: Vec<(u64, KillSwitch)>,
}

/// Why a fact doesn't count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The fact's line in the source.
    pub line: u64,
    /// The contract's reason.
    pub reason: RejectReason,
    /// What was wrong, for people.
    pub detail: String,
}

impl Ledger {
    /// An exclusion that was accepted, revoked or not.
    #[must_use]
    pub fn exclusion(&self, id: &ExclusionId) -> Option<&Exclusion> {
        self.exclusions.get(id).map(|(_, exclusion)| exclusion)
    }

    /// The revocation of an exclusion, known or not.
    #[must_use]
    pub fn revocation(&self, id: &ExclusionId) -> Option<&ExclusionRevoked> {
        self.revocations.get(id).map(|(_, revoked)| revoked)
    }

    /// Lets an exclusion stand that was to be revoked.
    pub fn drop_revocation(&mut self, id: &ExclusionId) {
        self.revocations.remove(id);
    }

    /// Whether the very same fact was taken in before, and once more means nothing.
    #[must_use]
    pub fn holds(&self, fact: &Fact) -> bool {
        fn is<K: Ord, V: PartialEq>(known: &BTreeMap<K, (u64, V)>, key: &K, value: &V) -> bool {
            known.get(key).is_some_and(|(_, known)| known == value)
        }
        match fact {
            Fact::Manufacturer(fact) => is(&self.manufacturers, &fact.id, fact),
            Fact::Exclusion(fact) => is(&self.exclusions, &fact.id, fact),
            Fact::ExclusionRevoked(fact) => is(&self.revocations, &fact.id, fact),
            Fact::Ruling(fact) => is(&self.rulings, &(fact.proposal, fact.asin.clone()), fact),
            Fact::Acknowledgement(fact) => is(&self.acknowledgements, &fact.outage, fact),
            Fact::Badge(_)
            | Fact::BadgeChange(_)
            | Fact::Withdrawal(_)
            | Fact::Listing(_)
            | Fact::SkillListing(_)
            | Fact::KillSwitch(_) => false,
        }
    }

    /// Takes in a fact.
    ///
    /// # Errors
    /// A second badge line for an ASIN (or an ASIN and instant), and a manufacturer or exclusion
    /// id used before with other content. The first stands; the very same exclusion or
    /// manufacturer again is no error and changes nothing.
    pub fn add(&mut self, line: u64, fact: Fact) -> Result<(), Refusal> {
        match fact {
            Fact::Manufacturer(fact) => {
                insert_or_same(line, self.manufacturers.entry(fact.id.clone()), fact, |id| format!("manufacturer {id}"))
            }
            Fact::Exclusion(fact) => {
                insert_or_same(line, self.exclusions.entry(fact.id.clone()), fact, |id| format!("exclusion {id}"))
            }
            Fact::Badge(fact) => insert_first(line, self.badges.entry(fact.asin.clone()), fact, |asin| {
                format!("badge of {asin} without `at`: give a later change an `at`")
            }),
            Fact::BadgeChange(fact) => {
                insert_first(line, self.changes.entry((fact.asin.clone(), fact.at)), fact, |(asin, at)| {
                    format!("badge of {asin} at {at}: put all that changes then into one line")
                })
            }
            Fact::Withdrawal(fact) => {
                self.withdrawals.push((line, fact));
                Ok(())
            }
            Fact::Listing(fact) => {
                self.listings.push((line, fact));
                Ok(())
            }
            Fact::SkillListing(fact) => {
                self.skill_listings.push((line, fact));
                Ok(())
            }
            Fact::ExclusionRevoked(fact) => {
                insert_or_same(line, self.revocations.entry(fact.id.clone()), fact, |id| format!("the end of exclusion {id}"))
            }
            Fact::Ruling(fact) => {
                let name = (fact.proposal, fact.asin.clone());
                insert_or_same(line, self.rulings.entry(name), fact, |(id, asin)| format!("a ruling on proposal {id} for {asin}"))
            }
            Fact::Acknowledgement(fact) => insert_or_same(line, self.acknowledgements.entry(fact.outage), fact, |id| {
                format!("an acknowledgement of outage {id}")
            }),
            Fact::KillSwitch(fact) => {
                self.kill_switch.push((line, fact));
                Ok(())
            }
        }
    }
}

fn insert_first<K: Ord, V>(
    line: u64,
    entry: Entry<'_, K, (u64, V)>,
    value: V,
    name: impl Fn(&K) -> String,
) -> Result<(), Refusal> {
    match entry {
        Entry::Vacant(free) => {
            free.insert((line, value));
            Ok(())
        }
        Entry::Occupied(taken) => Err(conflict(line, taken.get().0, &name(taken.key()))),
    }
}

fn insert_or_same<K: Ord, V: PartialEq>(
    line: u64,
    entry: Entry<'_, K, (u64, V)>,
    value: V,
    name: impl Fn(&K) -> String,
) -> Result<(), Refusal> {
    match &entry {
        Entry::Occupied(taken) if taken.get().1 == value => Ok(()),
        Entry::Occupied(_) | Entry::Vacant(_) => insert_first(line, entry, value, name),
    }
}

fn conflict(line: u64, first: u64, what: &str) -> Refusal {
    Refusal { line, reason: RejectReason::ConflictingDuplicate, detail: format!("line {first} already gives {what}") }
}
