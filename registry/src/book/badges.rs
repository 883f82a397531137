//! Badges that are, or were, enabled.

use std::collections::BTreeMap;

use domain::fact::{BadgeChange, Fact, Terms, Withdrawal};
use domain::id::Asin;
use domain::programme::entity::BadgeEntity;
use domain::programme::{BadgeStatus, Entity, EntityId, Unmet};
use domain::time::{DurationMs, Timestamp};

use super::requests::unchanged;
use super::unmet::{refused, unknown};
use super::{Asked, Book, Plan, Planned};

/// What a badge says over time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TermsOverTime {
    base: Terms,
    changes: BTreeMap<Timestamp, BadgeChange>,
}

impl TermsOverTime {
    pub(super) const fn new(base: Terms) -> Self {
        Self { base, changes: BTreeMap::new() }
    }

    /// Takes in a change; of two at one instant the first stands.
    pub(super) fn change(&mut self, change: BadgeChange) {
        self.changes.entry(change.at).or_insert(change);
    }

    pub(super) fn at(&self, at: Timestamp) -> Terms {
        let mut terms = self.base.clone();
        for change in self.changes.range(..=at).map(|(_, change)| change) {
            terms = crate::resolved::changed(&terms, change);
        }
        terms
    }
}

impl Book {
    pub(super) fn withdraw_badge(&self, asked: Asked<'_>, asin: &Asin) -> Planned {
        let mut badge = self.badge(asin)?.clone();
        let at = asked.command.at;
        if let Some(withdrawn) = badge.withdrawn_at {
            return refused("status", format!("the badge of {asin} was given back at {withdrawn}"), "nothing is left to do");
        }
        badge.withdrawn_at = Some(at);
        badge.trail.steps.push(asked.step(BadgeStatus::Withdrawn.as_str(), Vec::new()));
        let fact = Some(Fact::Withdrawal(Withdrawal { asin: asin.clone(), at }));
        Ok(Plan { entities: vec![Entity::Badge(badge)], fact })
    }

    pub(super) fn count_customers(&self, asked: Asked<'_>, asin: &Asin, customers: u64) -> Planned {
        let mut badge = self.badge(asin)?.clone();
        let at = asked.command.at;
        self.check_free(asin, at)?;
        badge.terms.customers = customers;
        badge.trail.steps.push(asked.step(status_name(&badge), vec![format!("{customers} customers")]));
        let fact = Some(Fact::BadgeChange(BadgeChange { customers: Some(customers), ..unchanged(asin.clone(), at) }));
        Ok(Plan { entities: vec![Entity::Badge(badge)], fact })
    }

    pub(super) fn badge(&self, asin: &Asin) -> Result<&BadgeEntity, Vec<Unmet>> {
        self.badges.get(asin).map_or_else(|| unknown(&EntityId::Badge(asin.clone())), Ok)
    }

    /// One change of a badge an instant: the registry's facts allow no more.
    pub(super) fn check_free(&self, asin: &Asin, at: Timestamp) -> Result<(), Vec<Unmet>> {
        if self.terms.get(asin).is_some_and(|terms| terms.changes.contains_key(&at)) {
            let detail = format!("something else about the badge of {asin} changes at {at}");
            return refused("at", detail, "give another instant, a millisecond later");
        }
        Ok(())
    }

    /// The first instant from one on at which nothing else about a badge changes.
    pub(super) fn free_from(&self, asin: &Asin, mut at: Timestamp) -> Timestamp {
        while self.terms.get(asin).is_some_and(|terms| terms.changes.contains_key(&at)) {
            at = at.saturating_add(DurationMs(1));
        }
        at
    }

    pub(super) fn put_badge(&mut self, entity: BadgeEntity) {
        if let Some(skill) = &entity.terms.skill {
            self.dependents.entry(skill.clone()).or_default().insert(entity.asin.clone());
        }
        self.badges.insert(entity.asin.clone(), entity);
    }
}

/// Where a badge is, taken over all of its regions.
pub(super) fn status_name(badge: &BadgeEntity) -> &'static str {
    let status = if badge.withdrawn_at.is_some() {
        BadgeStatus::Withdrawn
    } else if badge.removed.is_empty() {
        BadgeStatus::Enabled
    } else {
        BadgeStatus::Removed
    };
    status.as_str()
}
