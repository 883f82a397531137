//! What catalogues say: it holds up a request, flags a badge, and holds a reinstatement (R15).

use domain::catalogue::Catalogue;
use domain::decision::Scope;
use domain::fact::{Listing, SkillListing, Terms};
use domain::id::{Asin, SkillId, Subject, SubjectKind};
use domain::programme::Unmet;
use domain::time::Timestamp;

use super::badges::status_name;
use super::unmet::{of_reason, unmet};
use super::{Book, NOBODY, Place};

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
        let listings = self.listings.entry(listing.asin.clone()).or_default();
        listings.push(listing.clone());
        let of_marketplace = |other: &Listing| other.marketplace == listing.marketplace;
        let in_force = listings.iter().filter(|other| of_marketplace(other) && other.at <= self.now).map(|other| other.at).max();
        listings.retain(|other| !of_marketplace(other) || in_force.is_none_or(|newest| other.at >= newest));
    }

    pub(super) fn note_skill_listing(&mut self, listing: &SkillListing) {
        let badged = self.dependents.get(&listing.skill).into_iter().flatten();
        let asked_for = self.pending.iter().filter_map(|id| self.requests.get(id)).map(|request| &request.form.asin);
        let at = listing.at.max(self.now);
        let due: Vec<(Timestamp, Asin)> = badged.chain(asked_for).map(|asin| (at, asin.clone())).collect();
        self.due.extend(due);
        let listings = self.skill_listings.entry(listing.skill.clone()).or_default();
        listings.push(listing.clone());
        let of_marketplace = |other: &SkillListing| other.marketplace == listing.marketplace;
        let in_force = listings.iter().filter(|other| of_marketplace(other) && other.at <= self.now).map(|other| other.at).max();
        listings.retain(|other| !of_marketplace(other) || in_force.is_none_or(|newest| other.at >= newest));
    }

    /// What catalogues have against a badge that is asked for. Here silence is an objection: somebody has to
    /// have looked.
    pub(super) fn catalogue_objections(&self, asin: &Asin, terms: &Terms, at: Timestamp) -> Vec<Unmet> {
        let catalogue = self.catalogue_of(asin, terms.skill.as_ref());
        let failures = catalogue.failures_of(terms, Scope::Global, at);
        let mut out: Vec<Unmet> = failures.into_iter().map(of_reason).collect();
        for marketplace in &terms.marketplaces {
            let is_listed = catalogue.listings.iter().any(|listing| listing.marketplace == *marketplace && listing.at <= at);
            if !is_listed {
                let detail = format!("nothing is known of a listing of {asin} in {marketplace}");
                let remedy = format!("list it in {marketplace}, and have the listing recorded");
                out.push(unmet(format!("listing:{marketplace}:unknown"), detail, remedy));
            }
            let is_published = catalogue.skill_listings.iter().any(|one| one.marketplace == *marketplace && one.at <= at);
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
        let catalogue = self.catalogue_of(asin, terms.skill.as_ref());
        let failures = catalogue.failures_of(&terms, Scope::Global, self.now);
        let flags: Vec<Unmet> = failures.into_iter().map(of_reason).collect();
        if flags == badge.flags && terms == badge.terms {
            return;
        }
        let mut badge = badge.clone();
        if flags != badge.flags && badge.withdrawn_at.is_none() {
            let notes = flags.iter().map(|flag| format!("{}: {}", flag.requirement, flag.detail)).collect();
            let at = badge.trail.last_at().map_or(self.now, |last| last.max(self.now));
            let what = if flags.is_empty() { "unflagged" } else { "flagged" };
            badge.trail.steps.push(place.step((at, NOBODY), what, status_name(&badge), notes));
        }
        (badge.flags, badge.terms) = (flags, terms);
        self.put_badge(badge);
    }

    fn catalogue_of(&self, asin: &Asin, skill: Option<&SkillId>) -> Catalogue {
        Catalogue {
            listings: self.listings.get(asin).cloned().unwrap_or_default(),
            skill_listings: skill.and_then(|skill| self.skill_listings.get(skill)).cloned().unwrap_or_default(),
        }
    }
}
