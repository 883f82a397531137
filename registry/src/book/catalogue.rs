//! What catalogues say: it holds up a request, flags a badge, and holds a reinstatement (R15).

use std::collections::BTreeMap;

use domain::catalogue::Catalogue;
use domain::decision::Scope;
use domain::fact::{Listing, SkillListing, Terms};
use domain::id::{Asin, Marketplace, SkillId, Subject, SubjectKind};
use domain::programme::Unmet;
use domain::time::Timestamp;

use super::badges::status_name;
use super::unmet::{of_reason, unmet};
use super::{Book, NOBODY, Place};

/// What a catalogue says about one marketplace from an instant on.
trait Said {
    fn said(&self) -> (Marketplace, Timestamp);
}

impl Book {
    /// Whether a product was described, or a skill tested, that no badge may name yet.
    #[must_use]
    pub fn expects(&self, subject: &Subject) -> bool {
        match subject.kind() {
            SubjectKind::Product => self.variants.contains_key(subject.id()),
            SubjectKind::Skill => self.tested_skills.contains(subject.id()),
            SubjectKind::Hub => false,
        }
    }

    pub(super) fn note_listing(&mut self, listing: &Listing) {
        self.due.insert((listing.at.max(self.now), listing.asin.clone()));
        let earliest = self.now.saturating_sub(self.window);
        keep(self.listings.entry(listing.asin.clone()).or_default(), listing, earliest);
    }

    pub(super) fn note_skill_listing(&mut self, listing: &SkillListing) {
        let badged = self.dependents.get(&listing.skill).into_iter().flatten();
        let asked_for = self.pending_requests().map(|request| &request.form.asin);
        let at = listing.at.max(self.now);
        let due: Vec<(Timestamp, Asin)> = badged.chain(asked_for).map(|asin| (at, asin.clone())).collect();
        self.due.extend(due);
        let earliest = self.now.saturating_sub(self.window);
        keep(self.skill_listings.entry(listing.skill.clone()).or_default(), listing, earliest);
    }

    /// What is known already of a skill's future concerns one more.
    pub(super) fn watch(&mut self, asin: &Asin, skill: &SkillId) {
        let ahead = self.skill_listings.get(skill).into_iter().flatten().filter(|listing| listing.at > self.now);
        self.due.extend(ahead.map(|listing| (listing.at, asin.clone())));
    }

    /// What catalogues have against a badge that is asked for, in its marketplaces. Here silence is an
    /// objection: somebody has to have looked.
    pub(super) fn catalogue_objections(&self, asin: &Asin, terms: &Terms, at: Timestamp) -> Vec<Unmet> {
        let catalogue = self.catalogue_of(asin, terms.skill.as_ref(), at);
        let failures = catalogue.failures_of(terms, Scope::Global, at);
        let mut out: Vec<Unmet> = failures.into_iter().map(of_reason).collect();
        for marketplace in &terms.marketplaces {
            if !catalogue.listings.iter().any(|listing| listing.marketplace == *marketplace) {
                let detail = format!("nothing is known of a listing of {asin} in {marketplace}");
                let remedy = format!("list it in {marketplace}, and have the listing recorded");
                out.push(unmet(format!("listing:{marketplace}:unknown"), detail, remedy));
            }
            let is_published = catalogue.skill_listings.iter().any(|one| one.marketplace == *marketplace);
            if let Some(skill) = terms.skill.as_ref().filter(|_| !is_published) {
                let detail = format!("nothing is known of skill {skill} in {marketplace}");
                let remedy = format!("publish it in {marketplace}, and have that recorded");
                out.push(unmet(format!("skill:{marketplace}:unknown"), detail, remedy));
            }
        }
        out
    }

    /// Looks anew at what a badge says now and at what catalogues have against it.
    pub(super) fn reflag(&mut self, asin: &Asin, place: Place) {
        let (Some(badge), Some(terms)) = (self.badges.get(asin), self.terms.get(asin)) else { return };
        let terms = terms.at(self.now.max(badge.enabled_at));
        let catalogue = self.catalogue_of(asin, terms.skill.as_ref(), self.now);
        let failures = catalogue.failures_of(&terms, Scope::Global, self.now);
        let flags: Vec<Unmet> = failures.into_iter().map(of_reason).collect();
        if flags == badge.flags && terms == badge.terms {
            return;
        }
        let mut badge = badge.clone();
        if flags != badge.flags && badge.withdrawn_at.is_none() {
            let notes = flags.iter().map(|flag| format!("{}: {}", flag.requirement, flag.detail)).collect();
            let what = if flags.is_empty() { "unflagged" } else { "flagged" };
            badge.trail.steps.push(place.step((self.now, NOBODY), what, status_name(&badge), notes));
        }
        badge.flags = flags;
        self.put_badge(badge);
    }

    /// What is in force at an instant.
    fn catalogue_of(&self, asin: &Asin, skill: Option<&SkillId>, at: Timestamp) -> Catalogue {
        let skill = skill.and_then(|skill| self.skill_listings.get(skill));
        Catalogue {
            listings: in_force(self.listings.get(asin).map_or(&[], Vec::as_slice), at),
            skill_listings: in_force(skill.map_or(&[], Vec::as_slice), at),
        }
    }
}

impl Said for Listing {
    fn said(&self) -> (Marketplace, Timestamp) {
        (self.marketplace, self.at)
    }
}

impl Said for SkillListing {
    fn said(&self) -> (Marketplace, Timestamp) {
        (self.marketplace, self.at)
    }
}

/// Keeps what is said, without what was replaced by the earliest instant that anybody may still ask about.
fn keep<T: Said + Clone>(all: &mut Vec<T>, one: &T, earliest: Timestamp) {
    all.push(one.clone());
    let since = since(all, one.said().0, earliest);
    all.retain(|other| other.said().0 != one.said().0 || since.is_none_or(|since| other.said().1 >= since));
}

/// What is in force in each marketplace: of several at one instant all.
fn in_force<T: Said + Clone>(all: &[T], at: Timestamp) -> Vec<T> {
    let mut newest: BTreeMap<Marketplace, Timestamp> = BTreeMap::new();
    for (marketplace, from) in all.iter().map(Said::said).filter(|(_, from)| *from <= at) {
        let newest = newest.entry(marketplace).or_insert(from);
        *newest = from.max(*newest);
    }
    all.iter().filter(|one| newest.get(&one.said().0) == Some(&one.said().1)).cloned().collect()
}

/// Since when what is in force at an instant in a marketplace is.
fn since<T: Said>(all: &[T], marketplace: Marketplace, at: Timestamp) -> Option<Timestamp> {
    all.iter().map(Said::said).filter(|said| said.0 == marketplace && said.1 <= at).map(|said| said.1).max()
}
