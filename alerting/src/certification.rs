//! Whether every certification requirement holds, as far as catalogue facts say (R15).

use domain::decision::{Reason, Scope};
use domain::fact::{Listing, ListingStatus, SkillListing, Terms};
use domain::id::Marketplace;
use domain::product::Product;
use domain::time::Timestamp;

/// What catalogues say about a product and the skills that it ever depended on.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Certification {
    /// The product's listings, by instant.
    pub listings: Vec<Listing>,
    /// Its skills' listings, by instant within a skill.
    pub skill_listings: Vec<SkillListing>,
}

impl Certification {
    /// Which requirements fail at an instant in the scope's marketplaces; no fact, no objection.
    #[must_use]
    pub fn failures(&self, product: &Product, scope: Scope, at: Timestamp) -> Vec<Reason> {
        let terms = product.terms_at(at);
        let mut out: Vec<Reason> = terms
            .marketplaces
            .iter()
            .filter(|marketplace| scope.includes(marketplace.region()))
            .flat_map(|&marketplace| self.failures_in(terms, marketplace, at))
            .collect();
        out.sort_unstable();
        out
    }

    /// The instants at which the answer of [`Self::failures`] may change.
    pub fn changes<'a>(&'a self, product: &'a Product) -> impl Iterator<Item = Timestamp> + 'a {
        let terms = product.terms().map(|(interval, _)| interval.from);
        let listings = self.listings.iter().map(|listing| listing.at);
        let skills = self.skill_listings.iter().map(|listing| listing.at);
        terms.chain(listings).chain(skills)
    }

    fn failures_in(&self, terms: &Terms, marketplace: Marketplace, at: Timestamp) -> Vec<Reason> {
        let listings = self.listings.iter().filter(|listing| listing.marketplace == marketplace && listing.at <= at);
        let worst = listings
            .map(|listing| {
                let failures = listing_failures(terms, listing);
                (listing.at, listing.status, failures.len(), listing, failures)
            })
            .max_by(|a, b| (a.0, a.1, a.2, a.3).cmp(&(b.0, b.1, b.2, b.3)));
        let skill = terms.skill.as_ref().and_then(|skill| {
            let facts = self.skill_listings.iter();
            facts
                .filter(|listing| listing.skill == *skill && listing.marketplace == marketplace && listing.at <= at)
                .max_by_key(|listing| (listing.at, listing.status))
        });
        let mut out = worst.map(|(_, _, _, _, failures)| failures).unwrap_or_default();
        if let Some(listing) = skill.filter(|listing| listing.status != ListingStatus::Good) {
            out.push(Reason::Skill(marketplace, listing.status));
        }
        out
    }
}

/// Where a listing names something, it is the badge's. What the badge doesn't state isn't
/// compared, but for the hub: a badge without one has none.
fn listing_failures(terms: &Terms, listing: &Listing) -> Vec<Reason> {
    let marketplace = listing.marketplace;
    let differs = |named: &Option<String>, stated: &Option<String>| named.is_some() && stated.is_some() && named != stated;
    [
        (listing.status != ListingStatus::Good, Reason::Listing(marketplace, listing.status)),
        (differs(&listing.brand, &terms.brand), Reason::Brand(marketplace)),
        (differs(&listing.model, &terms.model), Reason::Model(marketplace)),
        (differs(&listing.image, &terms.image), Reason::Image(marketplace)),
        (listing.hub.is_some() && listing.hub != terms.hub, Reason::Hub(marketplace)),
    ]
    .into_iter()
    .filter_map(|(fails, reason)| fails.then_some(reason))
    .collect()
}
