//! The fleet in a bounded number of series: how products stand, and the few that are next.

use std::sync::Arc;

use domain::decision::Scope;
use domain::id::{Asin, Region, RegionSet};
use domain::report::{ManufacturerStanding, ProductStanding, Standing};

use crate::metrics::{Metrics, SCOPES};

/// How many products are shown by name.
pub const AT_RISK_PRODUCTS_MAX: usize = 20;

/// How much of its downtime budget a product has used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BudgetBand {
    /// Nothing.
    None,
    /// Less than half.
    UpTo50,
    /// Half to three quarters.
    From50,
    /// Three quarters to nine tenths.
    From75,
    /// Nine tenths to all of it.
    From90,
    /// More than there is.
    Over,
}

/// Shows standings as gauges. Owned by whoever computes them.
#[derive(Debug)]
pub struct FleetGauges {
    metrics: Arc<Metrics>,
    /// Those shown by name, to take back the ones that no longer are.
    at_risk: Vec<(Asin, Scope)>,
}

#[derive(Default)]
struct Tally {
    standings: [[i64; Standing::ALL.len()]; SCOPES.len()],
    bands: [[i64; BudgetBand::ALL.len()]; SCOPES.len()],
    coverage_sum: [i64; SCOPES.len()],
    coverage_count: [i64; SCOPES.len()],
    open: [i64; Region::COUNT],
}

impl BudgetBand {
    /// Every band.
    pub const ALL: [Self; 6] = [Self::None, Self::UpTo50, Self::From50, Self::From75, Self::From90, Self::Over];

    /// The band of a downtime and budget in milliseconds.
    #[must_use]
    pub fn of(downtime_ms: i64, budget_ms: i64) -> Self {
        let used = |percent: i64| i128::from(downtime_ms) * 100 >= i128::from(budget_ms) * i128::from(percent);
        match () {
            () if downtime_ms > budget_ms => Self::Over,
            () if downtime_ms == 0 => Self::None,
            () if used(90) => Self::From90,
            () if used(75) => Self::From75,
            () if used(50) => Self::From50,
            () => Self::UpTo50,
        }
    }

    /// The band's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::UpTo50 => "0-50%",
            Self::From50 => "50-75%",
            Self::From75 => "75-90%",
            Self::From90 => "90-100%",
            Self::Over => "over",
        }
    }
}

impl FleetGauges {
    /// Gauges of these metrics.
    #[must_use]
    pub const fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, at_risk: Vec::new() }
    }

    /// Shows the whole fleet's standings at an instant; what was shown before is replaced.
    /// Products are listed by ASIN, as in a report.
    pub fn show(&mut self, products: &[ProductStanding], manufacturers: &[ManufacturerStanding]) {
        let tally = Tally::of(products);
        for scope in SCOPES {
            self.show_scope(scope, &tally, manufacturers);
        }
        for region in Region::ALL {
            self.metrics.open_outages.with_label_values(&[region.as_str()]).set(tally.open[region.index()]);
        }
        self.show_at_risk(products);
    }

    fn show_scope(&self, scope: Scope, tally: &Tally, manufacturers: &[ManufacturerStanding]) {
        let (metrics, index, name) = (&self.metrics, index_of(scope), scope.as_str());
        for (standing, count) in Standing::ALL.into_iter().zip(tally.standings[index]) {
            metrics.products.with_label_values(&[standing.as_str(), name]).set(count);
        }
        for (band, count) in BudgetBand::ALL.into_iter().zip(tally.bands[index]) {
            metrics.products_budget_used.with_label_values(&[name, band.as_str()]).set(count);
        }
        let suspended = manufacturers.iter().filter(|manufacturer| manufacturer.scope == scope && manufacturer.suspended).count();
        metrics.manufacturers_suspended.with_label_values(&[name]).set(i64::try_from(suspended).unwrap_or(i64::MAX));
        // No products are no coverage rather than a coverage of 0.
        if tally.coverage_count[index] == 0 {
            let _absent = metrics.coverage.remove_label_values(&[name]);
        } else {
            let mean = tally.coverage_sum[index] as f64 / tally.coverage_count[index] as f64 / TEN_MILLIONTHS;
            metrics.coverage.with_label_values(&[name]).set(mean);
        }
    }

    fn show_at_risk(&mut self, products: &[ProductStanding]) {
        let mut at_risk: Vec<_> = products.iter().filter(|product| badge_is_on(product) && product.downtime_ms > 0).collect();
        // downtime ÷ budget, compared without dividing; then by name, so that ties don't flicker.
        let scaled = |used: &ProductStanding, of: &ProductStanding| i128::from(used.downtime_ms) * i128::from(of.budget_ms);
        at_risk
            .sort_unstable_by(|a, b| scaled(b, a).cmp(&scaled(a, b)).then_with(|| (&a.asin, a.scope).cmp(&(&b.asin, b.scope))));
        at_risk.truncate(AT_RISK_PRODUCTS_MAX);
        for (asin, scope) in &self.at_risk {
            if !at_risk.iter().any(|product| product.asin == *asin && product.scope == *scope) {
                let _absent = self.metrics.at_risk.remove_label_values(&[asin.as_str(), scope.as_str()]);
            }
        }
        for product in &at_risk {
            let used = if product.budget_ms > 0 { product.downtime_ms as f64 / product.budget_ms as f64 } else { f64::INFINITY };
            self.metrics.at_risk.with_label_values(&[product.asin.as_str(), product.scope.as_str()]).set(used);
        }
        self.at_risk = at_risk.iter().map(|product| (product.asin.clone(), product.scope)).collect();
    }
}

const TEN_MILLIONTHS: f64 = 10_000_000.0;

impl Tally {
    fn of(products: &[ProductStanding]) -> Self {
        let mut tally = Self::default();
        for product in products {
            let scope = index_of(product.scope);
            tally.standings[scope][product.standing as usize] += 1;
            if badge_is_on(product) {
                tally.bands[scope][BudgetBand::of(product.downtime_ms, product.budget_ms) as usize] += 1;
            }
            if let Some(coverage) = product.coverage {
                tally.coverage_sum[scope] += coverage.ten_millionths();
                tally.coverage_count[scope] += 1;
            }
        }
        // Only a product's last run can be open, and it is the same one in each of its scopes (R9).
        for scopes in products.chunk_by(|a, b| a.asin == b.asin) {
            let open = scopes.iter().flat_map(|product| &product.outages).filter(|outage| outage.open);
            for region in open.flat_map(|outage| outage.regions.iter()).collect::<RegionSet>().iter() {
                tally.open[region.index()] += 1;
            }
        }
        tally
    }
}

fn badge_is_on(product: &ProductStanding) -> bool {
    matches!(product.standing, Standing::Good | Standing::Warned)
}

const fn index_of(scope: Scope) -> usize {
    match scope {
        Scope::Region(region) => region.index(),
        Scope::Global => Region::COUNT,
    }
}
