//! From which instant on two registries say something else about a product: what was judged
//! before it stands.

use domain::fact::{Exclusion, ExclusionTarget, Listing};
use domain::id::Asin;
use domain::product::Product;
use domain::time::Timestamp;

use crate::resolved::{Registry, subjects_of};

/// What differs between a registry as known at an instant and another one at another.
#[derive(Debug)]
pub struct Differences<'a> {
    old: &'a Registry,
    new: &'a Registry,
    /// Exclusions that count for one only.
    exclusions: Vec<&'a Exclusion>,
}

impl<'a> Differences<'a> {
    /// Compares two registries, each as known at its instant: an exclusion that was revoked by then
    /// doesn't count.
    #[must_use]
    pub fn between((old, old_at): (&'a Registry, Timestamp), (new, new_at): (&'a Registry, Timestamp)) -> Self {
        let gone = old.exclusions_at(old_at).filter(|one| !new.exclusions_at(new_at).any(|other| other == *one));
        let come = new.exclusions_at(new_at).filter(|one| !old.exclusions_at(old_at).any(|other| other == *one));
        Self { old, new, exclusions: gone.chain(come).collect() }
    }

    /// The earliest instant at which evidence or facts about a product may differ; `None` if nothing
    /// about it does.
    #[must_use]
    pub fn of(&self, asin: &Asin) -> Option<Timestamp> {
        let (old, new) = (self.old.products.get(asin), self.new.products.get(asin));
        let (Some(old), Some(new)) = (old, new) else {
            return if old == new { None } else { Some(Timestamp::MIN) };
        };
        let exclusions = self.exclusions.iter().filter(|exclusion| concerns(exclusion, old) || concerns(exclusion, new));
        let earliest = [
            product_differs_from(old, new),
            exclusions.map(|exclusion| exclusion.interval.from).min(),
            first_difference(listings(self.old, asin), listings(self.new, asin), |listing| listing.at),
            first_difference(
                &self.old.skill_listings_of(old).collect::<Vec<_>>(),
                &self.new.skill_listings_of(new).collect::<Vec<_>>(),
                |listing| listing.at,
            ),
            first_difference(self.old.rulings_on(asin), self.new.rulings_on(asin), |ruling| ruling.at),
        ];
        earliest.into_iter().flatten().min()
    }
}

fn listings<'a>(registry: &'a Registry, asin: &Asin) -> &'a [Listing] {
    registry.listings.get(asin).map(Vec::as_slice).unwrap_or_default()
}

/// The earliest of what is in one list only.
fn first_difference<T: PartialEq>(old: &[T], new: &[T], at: impl Fn(&T) -> Timestamp) -> Option<Timestamp> {
    let gone = old.iter().filter(|one| !new.contains(one));
    let come = new.iter().filter(|one| !old.contains(one));
    gone.chain(come).map(at).min()
}

fn product_differs_from(old: &Product, new: &Product) -> Option<Timestamp> {
    let enabled = (old.enabled_at != new.enabled_at).then(|| old.enabled_at.min(new.enabled_at));
    let withdrawals = [old.withdrawn_at, new.withdrawn_at].into_iter().flatten().min();
    let withdrawn = withdrawals.filter(|_| old.withdrawn_at != new.withdrawn_at);
    let changes = old.terms().chain(new.terms()).map(|(interval, _)| interval.from);
    let terms = changes.filter(|at| old.terms_at(*at) != new.terms_at(*at)).min();
    [enabled, withdrawn, terms].into_iter().flatten().min()
}

/// Whether an exclusion may ever cover a product.
fn concerns(exclusion: &Exclusion, product: &Product) -> bool {
    match &exclusion.target {
        ExclusionTarget::All => true,
        ExclusionTarget::Manufacturer(manufacturer) => product.manufacturers().any(|own| own == manufacturer),
        ExclusionTarget::Subject(subject) => subjects_of(product).any(|own| own == *subject),
    }
}

#[cfg(test)]
mod tests;
