//! A product over time: what its badge said at each instant.

use crate::fact::Terms;
use crate::id::{Asin, ManufacturerId, Region, RegionSet};
use crate::interval::{Interval, IntervalSet};
use crate::time::Timestamp;

/// A badged product with the history of its badge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Product {
    /// The product.
    pub asin: Asin,
    /// When its badge was enabled.
    pub enabled_at: Timestamp,
    /// When its badge was withdrawn, if it was.
    pub withdrawn_at: Option<Timestamp>,
    terms: Vec<(Timestamp, Terms)>,
}

impl Product {
    /// A product whose badge says `terms` from the beginning on.
    #[must_use]
    pub fn new(asin: Asin, enabled_at: Timestamp, terms: Terms) -> Self {
        Self { asin, enabled_at, withdrawn_at: None, terms: vec![(Timestamp::MIN, terms)] }
    }

    /// Lets the badge say `terms` from `at` on, which must be later than every earlier change.
    ///
    /// # Panics
    /// In debug builds when `at` is not later than the last change.
    pub fn change(&mut self, at: Timestamp, terms: Terms) {
        debug_assert!(self.terms.last().is_none_or(|(last, _)| *last <= at), "changes are applied in order of time");
        self.terms.push((at, terms));
    }

    /// What the badge says at an instant.
    #[must_use]
    pub fn terms_at(&self, at: Timestamp) -> &Terms {
        let next = self.terms.partition_point(|(from, _)| *from <= at);
        &self.terms[next.max(1) - 1].1
    }

    /// Each version of what the badge says, with the interval in which it does.
    pub fn terms(&self) -> impl Iterator<Item = (Interval, &Terms)> {
        let ends = self.terms.iter().skip(1).map(|(from, _)| *from).chain([Timestamp::MAX]);
        self.terms.iter().zip(ends).map(|((from, terms), to)| (Interval::new(*from, to), terms))
    }

    /// The badged time `[enabled_at, withdrawn_at)` (R6).
    #[must_use]
    pub fn badged(&self) -> Interval {
        Interval::new(self.enabled_at, self.withdrawn_at.unwrap_or(Timestamp::MAX))
    }

    /// When something holds of the badge's terms, within all of time.
    #[must_use]
    pub fn when(&self, holds: impl Fn(&Terms) -> bool) -> IntervalSet {
        let mut out = IntervalSet::new();
        for (interval, terms) in self.terms() {
            if holds(terms) {
                out.push(interval);
            }
        }
        out
    }

    /// The badged time in a region: while one of its marketplaces is there (R6).
    #[must_use]
    pub fn badged_in(&self, region: Region) -> IntervalSet {
        self.when(|terms| terms.regions().contains(region)).clip(self.badged())
    }

    /// Every region in which it was ever badged.
    #[must_use]
    pub fn regions_ever(&self) -> RegionSet {
        Region::ALL.into_iter().filter(|region| !self.badged_in(*region).is_empty()).collect()
    }

    /// Every manufacturer that it ever had, in order of time.
    pub fn manufacturers(&self) -> impl Iterator<Item = &ManufacturerId> {
        self.terms.iter().map(|(_, terms)| &terms.manufacturer)
    }
}
