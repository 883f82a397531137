//! What catalogues say of a badged product, and which requirements fail by that (R15).

use crate::decision::{Reason, Scope};
use crate::fact::{Listing, ListingStatus, SkillListing, Terms};
use crate::id::Marketplace;
use crate::product::Product;
use crate::time::Timestamp;

/// What catalogues say about a product and the skills that it ever depended on.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Catalogue {
    /// The product's listings, by instant.
    pub listings: Vec<Listing>,
    /// Its skills' listings, by instant within a skill.
    pub skill_listings: Vec<SkillListing>,
}

impl Catalogue {
    /// Which requirements fail at an instant in the scope's marketplaces; no fact, no objection.
    #[must_use]
    pub fn failures(&self, product: &Product, scope: Scope, at: Timestamp) -> Vec<Reason> {
        self.failures_of(product.terms_at(at), scope, at)
    }

    /// The same for what a badge says, or would say.
    #[must_use]
    pub fn failures_of(&self, terms: &Terms, scope: Scope, at: Timestamp) -> Vec<Reason> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Asin, ManufacturerId, Region, SkillId};

    fn day(day: i64) -> Timestamp {
        Timestamp::clamped(day * 24 * 3_600_000)
    }

    fn asin(text: &str) -> Asin {
        Asin::new(text).unwrap()
    }

    fn marketplace(code: &str) -> Marketplace {
        Marketplace::parse(code).unwrap()
    }

    fn listing(code: &str, on: i64, status: ListingStatus) -> Listing {
        let at = day(on);
        Listing { asin: asin("B1"), marketplace: marketplace(code), at, status, brand: None, model: None, image: None, hub: None }
    }

    fn skill_listing(skill: &str, status: ListingStatus) -> SkillListing {
        SkillListing { skill: SkillId::new(skill).unwrap(), marketplace: marketplace("US"), at: day(2), status }
    }

    /// Facts about B1, and what fails on day 31, as reasons are printed.
    fn check(listings: &[Listing], skill_listings: &[SkillListing], scope: Scope, expected: &[&str]) {
        let catalogue = Catalogue { listings: listings.to_vec(), skill_listings: skill_listings.to_vec() };
        let terms = Terms {
            manufacturer: ManufacturerId::new("m-1").unwrap(),
            brand: Some("Acme".to_owned()),
            model: None,
            image: None,
            skill: SkillId::new("s-1"),
            hub: None,
            marketplaces: vec![marketplace("UK"), marketplace("US")],
            customers: 0,
        };
        let product = Product::new(asin("B1"), day(0), terms);
        let failures: Vec<String> = catalogue.failures(&product, scope, day(31)).iter().map(ToString::to_string).collect();
        assert_eq!(failures, expected, "{catalogue:?}");
    }

    #[test]
    fn only_what_a_fact_says_and_the_badge_states_is_compared() {
        use ListingStatus::{Good, Suppressed};
        check(&[], &[], Scope::Global, &[]);
        check(&[listing("US", 1, Good)], &[], Scope::Global, &[]);
        let other = |text: &str| Some(text.to_owned());
        let differs = Listing { brand: other("Other"), model: other("X"), hub: Asin::new("H1"), ..listing("US", 1, Good) };
        check(&[differs], &[], Scope::Global, &["brand:US", "hub:US"]);
        check(&[listing("GB", 1, Suppressed)], &[], Scope::Global, &["listing:UK:suppressed"]);
        check(&[listing("GB", 1, Suppressed)], &[], Scope::Region(Region::Na), &[]);
        check(&[listing("DE", 1, Suppressed)], &[], Scope::Global, &[]);
    }

    #[test]
    fn a_later_fact_replaces_and_the_worse_of_one_instant_holds() {
        use ListingStatus::{Good, Suppressed};
        check(&[listing("US", 9, Good), listing("US", 1, Suppressed)], &[], Scope::Global, &[]);
        let at_the_instant = [listing("US", 31, Suppressed), listing("US", 1, Good)];
        check(&at_the_instant, &[], Scope::Global, &["listing:US:suppressed"]);
        check(&[listing("US", 32, Suppressed)], &[], Scope::Global, &[]);
        check(&[listing("US", 9, Good), listing("US", 9, Suppressed)], &[], Scope::Global, &["listing:US:suppressed"]);
        let other = Listing { brand: Some("Other".to_owned()), ..listing("US", 9, Good) };
        check(&[other, listing("US", 9, Good)], &[], Scope::Global, &["brand:US"]);
    }

    #[test]
    fn the_skill_is_to_be_published_in_each_marketplace() {
        use ListingStatus::{Good, Unavailable};
        check(&[], &[skill_listing("s-1", Unavailable)], Scope::Global, &["skill:US:unavailable"]);
        check(&[], &[skill_listing("s-1", Good)], Scope::Global, &[]);
        check(&[], &[skill_listing("s-2", Unavailable)], Scope::Global, &[]);
    }
}
