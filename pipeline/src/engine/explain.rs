//! One product at an instant: how it stood there as everything known says, what had been implied by then,
//! and what was ahead of it (R26: *as corrected*).

use std::collections::BTreeSet;

use alerting::burn_rate::{self, Account, BurnPair};
use alerting::forecast::{self, BadgeOn, Forecast, Reinstatement, WhatIf};
use alerting::{Badge, Case};
use compute::Gatherer;
use domain::decision::{Decision, Scope};
use domain::fact::Exclusion;
use domain::id::{Asin, ManufacturerId, Region, Subject};
use domain::interval::Interval;
use domain::policy::Policy;
use domain::product::Product;
use domain::report::ProductStanding;
use domain::time::Timestamp;
use ingest::Names;

use super::Engine;

/// Most stretches of downtime, and most outages, that are told to age out next.
pub const LEAVING_SHOWN_MAX: usize = 5;

/// What is asked of a product.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The product.
    pub asin: &'a Asin,
    /// The instant that is asked about.
    pub at: Timestamp,
    /// T: up to when everything is known; not before [`Self::at`].
    pub until: Timestamp,
    /// Further downtime that is assumed, in every scope.
    pub what_if: Option<Interval>,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// Each scope of the version in force at the instant.
    pub scopes: Vec<ScopeExplained>,
    /// What is implied now about the product and its manufacturers, dated up to the instant, in the order of R17.
    pub implied: Vec<Decision>,
}

/// A scope at the instant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScopeExplained {
    /// How the product stood.
    pub standing: ProductStanding,
    /// What was ahead.
    pub ahead: Ahead,
}

/// What was ahead of a badge.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::large_enum_variant, reason = "one a scope of one product")]
pub enum Ahead {
    /// It was on.
    On {
        /// How much was left, and what aged out next.
        forecast: Forecast,
        /// How fast the budget was used up, over each of the policy's pairs of windows.
        burns: Vec<BurnPair>,
        /// What the assumed downtime would do, if any is.
        what_if: Option<WhatIf>,
    },
    /// A breach waited for its ruling.
    Proposed {
        /// The breach's instant.
        breach: Timestamp,
    },
    /// It was off.
    Off(Reinstatement),
    /// There was none.
    Withdrawn,
}

impl<N: Names + Default> Engine<N> {
    /// Explains a product; `None` for one that is not registered.
    #[must_use]
    pub fn explain(&self, question: &Question<'_>) -> Option<Explanation> {
        let Question { asin, at, until, .. } = *question;
        let product = self.registry.products.get(asin)?;
        let manufacturers: BTreeSet<ManufacturerId> = product.manufacturers().cloned().collect();
        let is_related = |other: &&Product| other.manufacturers().any(|manufacturer| manufacturers.contains(manufacturer));
        let related: Vec<&Product> = self.registry.products.values().filter(is_related).collect();
        let mut implied = self.implied_about(&related, &manufacturers, until).decisions;
        implied.retain(|decision| decision.at <= at && decision.asin.as_ref().is_none_or(|other| other == asin));
        Some(Explanation { scopes: self.scopes_of(product, question), implied })
    }

    fn scopes_of(&self, product: &Product, question: &Question<'_>) -> Vec<ScopeExplained> {
        let Question { at, until, .. } = *question;
        let exclusions: Vec<Exclusion> = self.registry.exclusions_at(until).cloned().collect();
        let gather = |to| Gatherer { product, exclusions: &exclusions }.gather(&self.policies, to, &self.subjects);
        let (all, up_to_then) = (gather(until), gather(at));
        let certification = self.certification_of(product);
        let rulings = self.registry.rulings_on(&product.asin);
        let known = Case { policies: &self.policies, product, evidence: &all, certification: &certification, rulings };
        let then = Case { evidence: &up_to_then, ..known };
        let outlooks = alerting::outlook(&known, until, &then, at).into_iter();
        outlooks
            .map(|outlook| ScopeExplained { ahead: self.ahead(product, question, outlook.badge), standing: outlook.standing })
            .collect()
    }

    fn ahead(&self, product: &Product, question: &Question<'_>, badge: Badge<'_>) -> Ahead {
        match badge {
            Badge::On(on) => Ahead::On {
                forecast: forecast::forecast(&on, LEAVING_SHOWN_MAX),
                burns: self.burns(product, &on),
                what_if: question.what_if.map(|assumed| forecast::what_if(&on, assumed)),
            },
            Badge::Proposed { breach } => Ahead::Proposed { breach },
            Badge::Off(reinstatement) => Ahead::Off(reinstatement),
            Badge::Withdrawn => Ahead::Withdrawn,
        }
    }

    fn burns(&self, product: &Product, on: &BadgeOn<'_>) -> Vec<BurnPair> {
        let frame = on.policy.frame_at(on.at);
        let since = Policy::window(frame, on.enabled_at, on.floor, on.at).from;
        let account = Account { budget_ms: on.policy.budget_ms(frame), window: frame.length, since };
        let downtime_ms = |within: Interval| on.downtime.ms_within(within);
        let attempts = |within: Interval| self.attempts(product, on.scope, within);
        burn_rate::pairs(&on.policy.burn_rate, account, on.at, &downtime_ms, &attempts)
    }

    /// The attempts of a product in the minutes of a stretch of time.
    fn attempts(&self, product: &Product, scope: Scope, within: Interval) -> u64 {
        let subject = Subject::product(&product.asin);
        let regions = Region::ALL.into_iter().filter(|region| scope.includes(*region));
        let healths = regions.filter_map(|region| self.subjects.health_of(subject.as_ref(), region));
        let counted = healths.filter_map(|health| health.attempts(within));
        counted.fold(0, |sum, attempts| sum.saturating_add(attempts.ok).saturating_add(attempts.failed))
    }
}
