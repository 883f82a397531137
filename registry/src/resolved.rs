//! The registry at rest: every product with its history, every fact where it belongs.

use std::collections::{BTreeMap, BTreeSet};

use domain::decision::DecisionId;
use domain::fact::{Acknowledgement, BadgeChange, Exclusion, ExclusionTarget, KillSwitch, Listing, Ruling, SkillListing, Terms};
use domain::id::{Asin, ExclusionId, ManufacturerId, SkillId, Subject};
use domain::product::Product;
use domain::rejection::RejectReason;
use domain::time::Timestamp;

use crate::ledger::{Ledger, Refusal};

/// What all accepted facts say together.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Registry {
    /// Every badged product.
    pub products: BTreeMap<Asin, Product>,
    /// Every manufacturer that is registered or that a badge names.
    pub manufacturers: BTreeSet<ManufacturerId>,
    /// Every subject that events may be about (R2).
    pub subjects: BTreeSet<Subject>,
    /// Every exclusion of something known, by id; revoked ones as well.
    pub exclusions: Vec<Exclusion>,
    /// When exclusions were revoked.
    pub revoked: BTreeMap<ExclusionId, Timestamp>,
    /// Each product's listings, by instant.
    pub listings: BTreeMap<Asin, Vec<Listing>>,
    /// Each skill's listings, by instant.
    pub skill_listings: BTreeMap<SkillId, Vec<SkillListing>>,
    /// Each product's rulings on proposals, by instant.
    pub rulings: BTreeMap<Asin, Vec<Ruling>>,
    /// Acknowledgements by the critical outage that they are about.
    pub acknowledgements: BTreeMap<DecisionId, Acknowledgement>,
    /// Turns of the kill switch, by instant; of several at one instant the last is on if any is.
    pub kill_switch: Vec<KillSwitch>,
}

impl Registry {
    /// The listings of every skill that a product ever depended on.
    pub fn skill_listings_of<'a>(&'a self, product: &'a Product) -> impl Iterator<Item = &'a SkillListing> {
        let skills: BTreeSet<&SkillId> = product.terms().filter_map(|(_, terms)| terms.skill.as_ref()).collect();
        skills.into_iter().filter_map(|skill| self.skill_listings.get(skill)).flatten()
    }

    /// The exclusions that weren't revoked by an instant: they count (R7).
    pub fn exclusions_at(&self, at: Timestamp) -> impl Iterator<Item = &Exclusion> {
        let is_revoked = move |exclusion: &&Exclusion| self.revoked.get(&exclusion.id).is_some_and(|revoked| *revoked <= at);
        self.exclusions.iter().filter(move |exclusion| !is_revoked(exclusion))
    }

    /// What was ruled on proposals about a product, by instant (R22).
    #[must_use]
    pub fn rulings_on(&self, asin: &Asin) -> &[Ruling] {
        self.rulings.get(asin).map(Vec::as_slice).unwrap_or_default()
    }

    /// Every product that depends on a subject or is it, at any time.
    pub fn dependents<'a>(&'a self, subject: &'a Subject) -> impl Iterator<Item = &'a Product> {
        self.products.values().filter(move |product| subjects_of(product).any(|own| own == *subject))
    }

    fn knows(&self, target: &ExclusionTarget) -> bool {
        match target {
            ExclusionTarget::All => true,
            ExclusionTarget::Subject(subject) => self.subjects.contains(subject),
            ExclusionTarget::Manufacturer(manufacturer) => self.manufacturers.contains(manufacturer),
        }
    }
}

impl Ledger {
    /// Ties all facts together. The second value lists, by line, those about something that
    /// nobody registered: they have no effect until somebody does.
    #[must_use]
    pub fn resolve(&self) -> (Registry, Vec<Refusal>) {
        self.resolve_expecting(&|_| false)
    }

    /// The same, but facts about what is expected to be badged aren't listed: they wait.
    #[must_use]
    pub fn resolve_expecting(&self, is_expected: &dyn Fn(&Subject) -> bool) -> (Registry, Vec<Refusal>) {
        let mut unknown = Unknown::default();
        let products = self.products(&mut unknown);
        let named = products.values().flat_map(Product::manufacturers).cloned();
        let mut registry = Registry {
            manufacturers: self.manufacturers.keys().cloned().chain(named).collect(),
            subjects: products.values().flat_map(subjects_of).collect(),
            products,
            ..Registry::default()
        };
        for (line, exclusion) in self.exclusions.values() {
            if registry.knows(&exclusion.target) {
                registry.exclusions.push(exclusion.clone());
            } else {
                unknown.push(*line, &target_name(&exclusion.target));
            }
        }
        for (line, revoked) in self.revocations.values() {
            if self.exclusions.contains_key(&revoked.id) {
                registry.revoked.insert(revoked.id.clone(), revoked.at);
            } else {
                unknown.push(*line, &format!("exclusion {}", revoked.id));
            }
        }
        for (line, ruling) in self.rulings.values() {
            if registry.products.contains_key(&ruling.asin) {
                registry.rulings.entry(ruling.asin.clone()).or_default().push(ruling.clone());
            } else {
                unknown.push(*line, &Subject::product(&ruling.asin).to_string());
            }
        }
        for (line, acknowledgement) in self.acknowledgements.values() {
            if registry.products.contains_key(&acknowledgement.asin) {
                registry.acknowledgements.insert(acknowledgement.outage, acknowledgement.clone());
            } else {
                unknown.push(*line, &Subject::product(&acknowledgement.asin).to_string());
            }
        }
        registry.kill_switch = self.kill_switch.iter().map(|(_, turn)| turn.clone()).collect();
        registry.kill_switch.sort_by_key(|turn| (turn.at, turn.on));
        for (line, listing) in &self.listings {
            if registry.products.contains_key(&listing.asin) {
                registry.listings.entry(listing.asin.clone()).or_default().push(listing.clone());
            } else if !is_expected(&Subject::product(&listing.asin)) {
                unknown.push(*line, &Subject::product(&listing.asin).to_string());
            }
        }
        for (line, listing) in &self.skill_listings {
            let subject = Subject::skill(&listing.skill);
            if registry.subjects.contains(&subject) {
                registry.skill_listings.entry(listing.skill.clone()).or_default().push(listing.clone());
            } else if !is_expected(&subject) {
                unknown.push(*line, &subject.to_string());
            }
        }
        registry.rulings.values_mut().for_each(|of_product| of_product.sort_by_key(Ruling::order));
        registry.listings.values_mut().for_each(|of_product| of_product.sort_by_key(|listing| listing.at));
        registry.skill_listings.values_mut().for_each(|of_skill| of_skill.sort_by_key(|listing| listing.at));
        unknown.0.sort_by_key(|refusal| refusal.line);
        (registry, unknown.0)
    }

    fn products(&self, unknown: &mut Unknown) -> BTreeMap<Asin, Product> {
        let mut products: BTreeMap<Asin, Product> = self
            .badges
            .iter()
            .map(|(asin, (_, badge))| (asin.clone(), Product::new(asin.clone(), badge.enabled_at, badge.terms.clone())))
            .collect();
        for ((asin, at), (line, change)) in &self.changes {
            match products.get_mut(asin) {
                Some(product) => {
                    let terms = changed(product.terms_at(*at), change);
                    product.change(*at, terms);
                }
                None => unknown.push(*line, &Subject::product(asin).to_string()),
            }
        }
        for (line, withdrawal) in &self.withdrawals {
            match products.get_mut(&withdrawal.asin) {
                Some(product) => {
                    let earliest = product.withdrawn_at.map_or(withdrawal.at, |earlier| earlier.min(withdrawal.at));
                    product.withdrawn_at = Some(earliest);
                }
                None => unknown.push(*line, &Subject::product(&withdrawal.asin).to_string()),
            }
        }
        products
    }
}

#[derive(Default)]
struct Unknown(Vec<Refusal>);

impl Unknown {
    fn push(&mut self, line: u64, name: &str) {
        let detail = format!("{name} is not registered: no badge line names it");
        self.0.push(Refusal { line, reason: RejectReason::UnknownSubject, detail });
    }
}

fn target_name(target: &ExclusionTarget) -> String {
    match target {
        ExclusionTarget::All => "everything".to_owned(),
        ExclusionTarget::Subject(subject) => subject.to_string(),
        ExclusionTarget::Manufacturer(manufacturer) => format!("manufacturer {manufacturer}"),
    }
}

/// What a product is and ever depended on.
pub fn subjects_of(product: &Product) -> impl Iterator<Item = Subject> {
    let dependencies = product.terms().flat_map(|(_, terms)| {
        [terms.skill.as_ref().map(Subject::skill), terms.hub.as_ref().map(Subject::hub)].into_iter().flatten()
    });
    [Subject::product(&product.asin)].into_iter().chain(dependencies)
}

pub(crate) fn changed(before: &Terms, change: &BadgeChange) -> Terms {
    Terms {
        manufacturer: change.manufacturer.clone().unwrap_or_else(|| before.manufacturer.clone()),
        brand: change.brand.clone().unwrap_or_else(|| before.brand.clone()),
        model: change.model.clone().unwrap_or_else(|| before.model.clone()),
        image: change.image.clone().unwrap_or_else(|| before.image.clone()),
        skill: change.skill.clone().unwrap_or_else(|| before.skill.clone()),
        hub: change.hub.clone().unwrap_or_else(|| before.hub.clone()),
        marketplaces: change.marketplaces.clone().unwrap_or_else(|| before.marketplaces.clone()),
        customers: change.customers.unwrap_or(before.customers),
    }
}

#[cfg(test)]
mod tests;
