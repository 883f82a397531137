//! Which registry lines count (R2, R7 and the contract), and what a badge said at each instant.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::fact::{
    Acknowledgement, BadgeChange, Exclusion, ExclusionRevoked, ExclusionTarget, Listing, Manufacturer, Ruling, SkillListing,
    Terms,
};
use domain::rejection::LineSource;
use domain::{
    Asin, DecisionId, ExclusionId, Fact, ManufacturerId, RejectReason, Rejection, Scope, Subject, SubjectKind, Timestamp,
};

/// A badged product and what its badge says over time, as far as T.
#[derive(Debug)]
pub(super) struct Product {
    pub(super) asin: Asin,
    pub(super) enabled_at: i64,
    /// The first instant without the badge; after all of time where it isn't withdrawn by T.
    pub(super) withdrawn_at: i64,
    /// From when on the badge says what; the first version is from the beginning of time.
    pub(super) versions: Vec<(i64, Terms)>,
}

/// The facts that count.
#[derive(Debug)]
pub(super) struct Registry {
    /// By ASIN.
    pub(super) products: Vec<Product>,
    /// Registered, or named by a badge line.
    pub(super) manufacturers: BTreeSet<ManufacturerId>,
    /// Those that aren't revoked by T.
    pub(super) exclusions: Vec<Exclusion>,
    /// Those given by T.
    pub(super) rulings: Vec<Ruling>,
    pub(super) listings: Vec<Listing>,
    pub(super) skill_listings: Vec<SkillListing>,
    pub(super) known: HashSet<Subject>,
}

impl Product {
    /// What the badge says at an instant.
    pub(super) fn terms_at(&self, at: i64) -> &Terms {
        let next = self.versions.partition_point(|(from, _)| *from <= at);
        &self.versions[next - 1].1
    }

    /// Whether the badge is held in a scope, removed or not (R6).
    pub(super) fn holds(&self, scope: Scope, at: i64) -> bool {
        self.enabled_at <= at
            && at < self.withdrawn_at
            && self.terms_at(at).marketplaces.iter().any(|marketplace| scope.includes(marketplace.region()))
    }

    /// The first instant from `at` on at which the badge is held in a scope.
    pub(super) fn first_held(&self, scope: Scope, at: i64) -> Option<i64> {
        let mut instants = self.turns();
        instants.push(at);
        instants.into_iter().filter(|instant| *instant >= at && self.holds(scope, *instant)).min()
    }

    /// The instants at which anything about the badge changes.
    pub(super) fn turns(&self) -> Vec<i64> {
        let changes = self.versions.iter().skip(1).map(|(from, _)| *from);
        changes.chain([self.enabled_at, self.withdrawn_at]).collect()
    }
}

impl Registry {
    /// What marketplaces say about a product.
    pub(super) fn listings_of(&self, product: &Product) -> Vec<&Listing> {
        self.listings.iter().filter(|listing| listing.asin == product.asin).collect()
    }

    /// What marketplaces say about the skills that a product ever depends on.
    pub(super) fn skill_listings_of(&self, product: &Product) -> Vec<&SkillListing> {
        let depends =
            |listing: &&SkillListing| product.versions.iter().any(|(_, terms)| terms.skill.as_ref() == Some(&listing.skill));
        self.skill_listings.iter().filter(depends).collect()
    }
}

/// Sorts the lines that count from those that don't; only what has happened by T acts.
pub(super) fn accept(facts: &[(u64, Fact)], at: Timestamp) -> (Registry, Vec<Rejection>) {
    let mut gathered = Gathered::default();
    for (line, fact) in facts {
        gathered.badge_line(*line, fact);
    }
    for (line, fact) in facts {
        gathered.change_line(*line, fact);
    }
    gathered.name_everyone();
    for (line, fact) in facts {
        gathered.other_line(*line, fact);
    }
    for (line, fact) in facts {
        gathered.revocation_line(*line, fact);
    }
    let rejected = std::mem::take(&mut gathered.rejected);
    (gathered.resolve(at.ms()), rejected)
}

#[derive(Default)]
struct Gathered<'a> {
    badges: BTreeMap<&'a Asin, (i64, &'a Terms)>,
    changes: BTreeMap<(&'a Asin, i64), &'a BadgeChange>,
    withdrawals: HashMap<&'a Asin, i64>,
    registered: HashMap<&'a ManufacturerId, &'a Manufacturer>,
    exclusions: BTreeMap<&'a ExclusionId, &'a Exclusion>,
    revocations: HashMap<&'a ExclusionId, &'a ExclusionRevoked>,
    rulings: BTreeMap<(DecisionId, &'a Asin), &'a Ruling>,
    acknowledgements: BTreeMap<DecisionId, &'a Acknowledgement>,
    listings: Vec<&'a Listing>,
    skill_listings: Vec<&'a SkillListing>,
    named: BTreeSet<ManufacturerId>,
    known: HashSet<Subject>,
    rejected: Vec<Rejection>,
}

impl<'a> Gathered<'a> {
    fn badge_line(&mut self, line: u64, fact: &'a Fact) {
        match fact {
            Fact::Badge(badge) if self.badges.contains_key(&badge.asin) => {
                self.conflict(line, format!("{} has a badge line", badge.asin));
            }
            Fact::Badge(badge) => {
                self.badges.insert(&badge.asin, (badge.enabled_at.ms(), &badge.terms));
            }
            Fact::Manufacturer(manufacturer) => match self.registered.get(&manufacturer.id) {
                Some(first) if *first == manufacturer => {}
                Some(_) => self.conflict(line, format!("manufacturer {} is registered otherwise", manufacturer.id)),
                None => {
                    self.registered.insert(&manufacturer.id, manufacturer);
                }
            },
            _ => {}
        }
    }

    fn change_line(&mut self, line: u64, fact: &'a Fact) {
        let Fact::BadgeChange(change) = fact else { return };
        if !self.badges.contains_key(&change.asin) {
            self.unknown(line, &Subject::product(&change.asin));
            return;
        }
        match self.changes.entry((&change.asin, change.at.ms())) {
            Entry::Vacant(vacant) => {
                vacant.insert(change);
            }
            Entry::Occupied(_) => self.conflict(line, format!("{} has a change at {}", change.asin, change.at)),
        }
    }

    fn name_everyone(&mut self) {
        self.named.extend(self.registered.keys().map(|id| (*id).clone()));
        for (asin, (_, terms)) in &self.badges {
            self.known.insert(Subject::product(asin));
            self.known.extend(terms.skill.iter().map(Subject::skill).chain(terms.hub.iter().map(Subject::hub)));
            self.named.insert(terms.manufacturer.clone());
        }
        for change in self.changes.values() {
            let skill = change.skill.iter().flatten().map(Subject::skill);
            self.known.extend(skill.chain(change.hub.iter().flatten().map(Subject::hub)));
            self.named.extend(change.manufacturer.clone());
        }
    }

    fn other_line(&mut self, line: u64, fact: &'a Fact) {
        if !self.is_new(line, fact) {
            return;
        }
        let subject = match fact {
            Fact::Withdrawal(withdrawal) => Subject::product(&withdrawal.asin),
            Fact::Listing(listing) => Subject::product(&listing.asin),
            Fact::SkillListing(listing) => Subject::skill(&listing.skill),
            Fact::Exclusion(exclusion) => return self.exclusion_line(line, exclusion),
            Fact::Ruling(ruling) => Subject::product(&ruling.asin),
            Fact::Acknowledgement(acknowledgement) => Subject::product(&acknowledgement.asin),
            // The kill switch changes what is issued, not what is implied (R25).
            Fact::Manufacturer(_) | Fact::Badge(_) | Fact::BadgeChange(_) | Fact::ExclusionRevoked(_) | Fact::KillSwitch(_) => {
                return;
            }
        };
        if !self.known.contains(&subject) {
            return self.unknown(line, &subject);
        }
        match fact {
            Fact::Withdrawal(withdrawal) => {
                let at = self.withdrawals.entry(&withdrawal.asin).or_insert(i64::MAX);
                *at = (*at).min(withdrawal.at.ms());
            }
            Fact::Listing(listing) => self.listings.push(listing),
            Fact::SkillListing(listing) => self.skill_listings.push(listing),
            _ => {}
        }
    }

    /// Whether a line's name is free, if it has one; it is taken from then on, also by a line about
    /// something unknown, which waits for it. The same content again is dropped.
    fn is_new(&mut self, line: u64, fact: &'a Fact) -> bool {
        let (is_new, is_same, what) = match fact {
            Fact::Exclusion(given) => named(self.exclusions.entry(&given.id), given, "exclusion"),
            Fact::Ruling(given) => named(self.rulings.entry((given.proposal, &given.asin)), given, "ruling"),
            Fact::Acknowledgement(given) => named(self.acknowledgements.entry(given.outage), given, "acknowledgement"),
            _ => return true,
        };
        if !is_new && !is_same {
            self.conflict(line, format!("another {what} has that name"));
        }
        is_new
    }

    fn revocation_line(&mut self, line: u64, fact: &'a Fact) {
        let Fact::ExclusionRevoked(revoked) = fact else { return };
        let id = &revoked.id;
        if !self.exclusions.contains_key(id) {
            self.reject(line, RejectReason::UnknownSubject, format!("exclusion {id} is not approved"));
        } else if *self.revocations.entry(id).or_insert(revoked) != revoked {
            self.conflict(line, format!("exclusion {id} is revoked otherwise"));
        }
    }

    fn exclusion_line(&mut self, line: u64, exclusion: &'a Exclusion) {
        match &exclusion.target {
            ExclusionTarget::Subject(subject) if !self.known.contains(subject) => self.unknown(line, subject),
            ExclusionTarget::Manufacturer(id) if !self.named.contains(id) => {
                self.reject(line, RejectReason::UnknownSubject, format!("manufacturer {id} is not registered"));
            }
            ExclusionTarget::All | ExclusionTarget::Subject(_) | ExclusionTarget::Manufacturer(_) => {}
        }
    }

    fn conflict(&mut self, line: u64, detail: String) {
        self.reject(line, RejectReason::ConflictingDuplicate, detail);
    }

    fn unknown(&mut self, line: u64, subject: &Subject) {
        self.reject(line, RejectReason::UnknownSubject, format!("{subject} is not registered"));
    }

    fn reject(&mut self, line: u64, reason: RejectReason, detail: String) {
        self.rejected.push(Rejection { source: LineSource::Registry, line, reason, detail });
    }

    fn resolve(self, at: i64) -> Registry {
        let product = |(asin, (enabled_at, terms)): (&&Asin, &(i64, &Terms))| {
            let mut versions = vec![(i64::MIN, (*terms).clone())];
            for ((_, from), change) in self.changes.iter().filter(|((other, from), _)| other == asin && *from <= at) {
                let terms = changed(&versions[versions.len() - 1].1, change);
                versions.push((*from, terms));
            }
            let withdrawn_at = self.withdrawals.get(asin).copied().filter(|withdrawn| *withdrawn <= at).unwrap_or(i64::MAX);
            Product { asin: (*asin).clone(), enabled_at: *enabled_at, withdrawn_at, versions }
        };
        let is_revoked = |exclusion: &Exclusion| self.revocations.get(&exclusion.id).is_some_and(|revoked| revoked.at.ms() <= at);
        Registry {
            products: self.badges.iter().map(product).collect(),
            manufacturers: self.named,
            exclusions: self.exclusions.into_values().filter(|exclusion| !is_revoked(exclusion)).cloned().collect(),
            rulings: self.rulings.into_values().filter(|ruling| ruling.at.ms() <= at).cloned().collect(),
            listings: self.listings.into_iter().filter(|listing| listing.at.ms() <= at).cloned().collect(),
            skill_listings: self.skill_listings.into_iter().filter(|listing| listing.at.ms() <= at).cloned().collect(),
            known: self.known,
        }
    }
}

/// Takes a name if it is free: whether it was, and whether its content is the same.
fn named<'a, K: Ord, V: PartialEq>(entry: Entry<'_, K, &'a V>, given: &'a V, what: &'static str) -> (bool, bool, &'static str) {
    match entry {
        Entry::Vacant(free) => {
            free.insert(given);
            (true, true, what)
        }
        Entry::Occupied(taken) => (false, *taken.get() == given, what),
    }
}

/// Whether an exclusion's target is a product, at an instant at which its badge says `terms` (R7).
pub(super) fn targets(target: &ExclusionTarget, asin: &Asin, terms: &Terms) -> bool {
    match target {
        ExclusionTarget::All => true,
        ExclusionTarget::Manufacturer(id) => *id == terms.manufacturer,
        ExclusionTarget::Subject(subject) => match subject.kind() {
            SubjectKind::Product => subject.id() == asin.as_str(),
            SubjectKind::Skill => terms.skill.as_ref().is_some_and(|skill| skill.as_str() == subject.id()),
            SubjectKind::Hub => terms.hub.as_ref().is_some_and(|hub| hub.as_str() == subject.id()),
        },
    }
}

fn changed(terms: &Terms, change: &BadgeChange) -> Terms {
    let mut terms = terms.clone();
    terms.manufacturer = change.manufacturer.clone().unwrap_or(terms.manufacturer);
    terms.brand = change.brand.clone().unwrap_or(terms.brand);
    terms.model = change.model.clone().unwrap_or(terms.model);
    terms.image = change.image.clone().unwrap_or(terms.image);
    terms.skill = change.skill.clone().unwrap_or(terms.skill);
    terms.hub = change.hub.clone().unwrap_or(terms.hub);
    terms.marketplaces = change.marketplaces.clone().unwrap_or(terms.marketplaces);
    terms.customers = change.customers.unwrap_or(terms.customers);
    terms
}
