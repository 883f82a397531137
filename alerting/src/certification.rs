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

#[cfg(test)]
mod tests {
    use super::*;

    const BADGE: &str = r#"{"type":"badge","asin":"B1","manufacturer":"m-1","brand":"Acme","skill":"s-1","marketplaces":["US","UK"],"enabled_at":"2025-01-01T00:00:00Z"}"#;

    /// Lines about B1 in March, and what fails at their end, as reasons are printed.
    fn check(lines: &[&str], scope: Scope, expected: &[&str]) {
        let mut certification = Certification::default();
        for line in lines {
            match wire::fact::parse(line.as_bytes()).expect("a valid line") {
                domain::Fact::Listing(listing) => certification.listings.push(listing),
                domain::Fact::SkillListing(listing) => certification.skill_listings.push(listing),
                other => panic!("no catalogue fact: {other:?}"),
            }
        }
        let domain::Fact::Badge(badge) = wire::fact::parse(BADGE.as_bytes()).expect("a valid line") else { panic!("a badge") };
        let product = Product::new(badge.asin, badge.enabled_at, badge.terms);
        let at = Timestamp::parse_rfc3339("2025-03-31T00:00:00Z").expect("an instant");
        let failures: Vec<String> = certification.failures(&product, scope, at).iter().map(ToString::to_string).collect();
        assert_eq!(failures, expected, "{lines:?}");
    }

    fn listing(marketplace: &str, day: u32, rest: &str) -> String {
        format!(r#"{{"type":"listing","asin":"B1","marketplace":"{marketplace}","at":"2025-03-{day:02}T00:00:00Z",{rest}}}"#)
    }

    #[test]
    fn only_what_a_fact_says_and_the_badge_states_is_compared() {
        check(&[], Scope::Global, &[]);
        check(&[&listing("US", 1, r#""status":"live""#)], Scope::Global, &[]);
        check(
            &[&listing("US", 1, r#""status":"live","brand":"Other","model":"X","hub":"H1""#)],
            Scope::Global,
            &["brand:US", "hub:US"],
        );
        check(&[&listing("GB", 1, r#""status":"suppressed""#)], Scope::Global, &["listing:UK:suppressed"]);
        check(&[&listing("GB", 1, r#""status":"suppressed""#)], Scope::Region(domain::Region::Na), &[]);
        check(&[&listing("DE", 1, r#""status":"suppressed""#)], Scope::Global, &[]);
    }

    #[test]
    fn a_later_fact_replaces_and_the_worse_of_one_instant_holds() {
        let (bad, good) = (r#""status":"suppressed""#, r#""status":"live""#);
        check(&[&listing("US", 9, good), &listing("US", 1, bad)], Scope::Global, &[]);
        check(&[&listing("US", 31, bad), &listing("US", 1, good)], Scope::Global, &["listing:US:suppressed"]);
        check(&[&listing("US", 9, good), &listing("US", 9, bad)], Scope::Global, &["listing:US:suppressed"]);
        check(&[&listing("US", 9, r#""status":"live","brand":"Other""#), &listing("US", 9, good)], Scope::Global, &["brand:US"]);
    }

    #[test]
    fn the_skill_is_to_be_published_in_each_marketplace() {
        let skill = |skill: &str, status: &str| {
            format!(
                r#"{{"type":"skill_listing","skill":"{skill}","marketplace":"US","at":"2025-03-02T00:00:00Z","status":"{status}"}}"#
            )
        };
        check(&[&skill("s-1", "unavailable")], Scope::Global, &["skill:US:unavailable"]);
        check(&[&skill("s-1", "published")], Scope::Global, &[]);
        check(&[&skill("s-2", "unavailable")], Scope::Global, &[]);
    }
}
