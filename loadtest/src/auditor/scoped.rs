//! One product in one scope: the questions that R10 to R15 ask of its evidence at an instant.

use domain::decision::DecisionId;
use domain::fact::{Listing, ListingStatus, SkillListing, Terms};
use domain::{Decision, DecisionKind, Evidence, Marketplace, Policy, Reason, Scope, SkillId, Timestamp};

use super::calendar::Frame;
use super::ground::{Outage, ScopeGround};
use super::registry::Product;
use super::spans::{Span, Spans};

/// A product's evidence in a scope.
#[derive(Debug)]
pub(super) struct Scoped<'a> {
    pub(super) policy: &'a Policy,
    pub(super) product: &'a Product,
    pub(super) scope: Scope,
    /// When the scope starts: the first instant at which it is held.
    pub(super) start: i64,
    /// The first instant that the policy judges; before all of time for the first version.
    pub(super) from: i64,
    /// The last one up to T.
    pub(super) last: i64,
    pub(super) ground: &'a ScopeGround,
    /// The product's qualified outages over all regions, in order of time.
    pub(super) outages: &'a [Outage],
    /// What marketplaces say about the product.
    pub(super) listings: Vec<&'a Listing>,
    /// What they say about any skill that it ever depends on.
    pub(super) skill_listings: Vec<&'a SkillListing>,
    /// T.
    pub(super) at: i64,
}

/// A window and what is used of its budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    pub(super) window: Span,
    pub(super) downtime: i64,
    pub(super) budget: i64,
}

impl<'a> Scoped<'a> {
    pub(super) fn is_held(&self, at: i64) -> bool {
        self.product.holds(self.scope, at)
    }

    /// The first instant from `at` on at which the scope is held, among those that the policy judges:
    /// what would be dated before a switch is dated at it (R18).
    pub(super) fn first_held(&self, at: i64) -> Option<i64> {
        self.product.first_held(self.scope, at.max(self.from)).filter(|held| *held <= self.last)
    }

    /// Downtime over the window at an instant (R10).
    pub(super) fn usage(&self, at: i64, frame: Frame, floor: Option<i64>) -> Usage {
        let from = frame.from.max(self.start).max(floor.unwrap_or(i64::MIN));
        Usage { window: Span { from, to: at }, downtime: self.ground.effective.ms_in(from, at), budget: frame.budget }
    }

    /// The outages that count in a window, oldest first (R9): qualified by its end, with
    /// effective downtime in it, and begun no earlier than the floor.
    pub(super) fn counted(&self, window: Span, floor: Option<i64>, global: &Spans) -> Vec<&'a Outage> {
        let qualified = self.outages.partition_point(|outage| outage.qualifies <= window.to);
        let recent = self.outages[..qualified].iter().rev().take_while(|outage| outage.run.to > window.from);
        let mut counted: Vec<&Outage> = recent
            .filter(|outage| floor.is_none_or(|floor| floor <= outage.run.from))
            .filter(|outage| global.ms_in(window.from.max(outage.run.from), window.to.min(outage.run.to)) > 0)
            .collect();
        counted.reverse();
        counted
    }

    /// From when on an outage can be the one too many here: qualified, and in a regional scope
    /// with a millisecond of effective downtime in the region (R11).
    pub(super) fn touches_from(&self, outage: &Outage) -> Option<i64> {
        match self.scope {
            Scope::Global => Some(outage.qualifies),
            Scope::Region(region) => outage.first[region.index()].map(|first| outage.qualifies.max(first + 1)),
        }
    }

    /// Where what holds an instant ends (R14): the end of the scope's own run, or the instant if
    /// no run holds it. `None` while that run may still go on at T.
    pub(super) fn settled(&self, at: i64) -> Option<i64> {
        match self.ground.runs.iter().find(|run| run.from < at && at <= run.to) {
            Some(run) => (run.to + self.policy.merge_gap.ms() < self.at).then_some(run.to),
            None => Some(at),
        }
    }

    /// What keeps the badge from coming back at an instant (R15), sorted.
    pub(super) fn failures(&self, at: i64) -> Vec<Reason> {
        let terms = self.product.terms_at(at);
        let mut reasons = Vec::new();
        for marketplace in terms.marketplaces.iter().filter(|marketplace| self.scope.includes(marketplace.region())) {
            if let Some(listing) = self.listing_at(*marketplace, at, terms) {
                reasons.extend(objections(listing, terms));
            }
            let skill = terms.skill.as_ref().and_then(|skill| self.skill_listing_at(skill, *marketplace, at));
            if let Some(listing) = skill.filter(|listing| listing.status != ListingStatus::Good) {
                reasons.push(Reason::Skill(*marketplace, listing.status));
            }
        }
        reasons.sort_unstable();
        reasons.dedup();
        reasons
    }

    /// The first instant from `at` on that the policy judges at which the scope is held and nothing
    /// fails (R15).
    pub(super) fn granted(&self, at: i64) -> Option<i64> {
        let at = at.max(self.from);
        let listings = self.listings.iter().map(|listing| listing.at.ms());
        let skills = self.skill_listings.iter().map(|listing| listing.at.ms());
        let mut instants: Vec<i64> = listings.chain(skills).chain(self.product.turns()).chain([at]).collect();
        instants.sort_unstable();
        let mut instants = instants.into_iter().filter(|instant| (at..=self.last).contains(instant));
        instants.find(|instant| self.is_held(*instant) && self.failures(*instant).is_empty())
    }

    pub(super) fn decide(&self, kind: DecisionKind, at: i64, reasons: Vec<Reason>) -> Decision {
        Decision {
            id: DecisionId([0; 16]),
            kind,
            reasons,
            asin: Some(self.product.asin.clone()),
            manufacturer: self.product.terms_at(at).manufacturer.clone(),
            scope: self.scope,
            at: Timestamp::clamped(at),
            supersedes: None,
            evidence: Evidence::new(self.policy.name.clone()),
        }
    }

    fn listing_at(&self, marketplace: Marketplace, at: i64, terms: &Terms) -> Option<&'a Listing> {
        let facts = self.listings.iter().copied().filter(|fact| fact.marketplace == marketplace && fact.at.ms() <= at);
        facts.max_by_key(|fact| (fact.at, fact.status, objections(fact, terms).len(), *fact))
    }

    fn skill_listing_at(&self, skill: &SkillId, marketplace: Marketplace, at: i64) -> Option<&'a SkillListing> {
        let facts = self.skill_listings.iter().copied().filter(|fact| fact.skill == *skill && fact.marketplace == marketplace);
        facts.filter(|fact| fact.at.ms() <= at).max_by_key(|fact| (fact.at, fact.status))
    }
}

/// What a listing says against a badge.
fn objections(listing: &Listing, terms: &Terms) -> Vec<Reason> {
    let marketplace = listing.marketplace;
    let differs = |named: Option<&String>, stated: Option<&String>| matches!((named, stated), (Some(a), Some(b)) if a != b);
    let mut reasons = Vec::new();
    if listing.status != ListingStatus::Good {
        reasons.push(Reason::Listing(marketplace, listing.status));
    }
    if differs(listing.brand.as_ref(), terms.brand.as_ref()) {
        reasons.push(Reason::Brand(marketplace));
    }
    if differs(listing.model.as_ref(), terms.model.as_ref()) {
        reasons.push(Reason::Model(marketplace));
    }
    if differs(listing.image.as_ref(), terms.image.as_ref()) {
        reasons.push(Reason::Image(marketplace));
    }
    if listing.hub.is_some() && listing.hub != terms.hub {
        reasons.push(Reason::Hub(marketplace));
    }
    reasons
}
