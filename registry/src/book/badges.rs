//! Badges that are, or were, enabled.

use std::collections::BTreeMap;

use domain::decision::Scope;
use domain::fact::{BadgeChange, Fact, Terms, Withdrawal};
use domain::id::{Asin, RegionSet};
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

    /// The last change of marketplaces up to an instant.
    pub(super) fn marketplaces_since(&self, at: Timestamp) -> Option<Timestamp> {
        let mut changes = self.changes.range(..=at).rev();
        changes.find(|(_, change)| change.marketplaces.is_some()).map(|(at, _)| *at)
    }

    /// Every region in which it was, up to an instant.
    pub(super) fn regions_until(&self, at: Timestamp) -> RegionSet {
        let changed = self.changes.range(..=at).filter_map(|(_, change)| change.marketplaces.as_ref()).flatten();
        self.base.marketplaces.iter().chain(changed).map(|marketplace| marketplace.region()).collect()
    }

    /// Every hub on which it depends, at any time.
    pub(super) fn hubs(&self) -> impl Iterator<Item = &Asin> {
        let changed = self.changes.values().filter_map(|change| change.hub.as_ref().and_then(Option::as_ref));
        self.base.hub.iter().chain(changed)
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
        if at < badge.enabled_at {
            let detail = format!("the badge of {asin} is enabled {}, after {at}", badge.enabled_at);
            return refused("at", detail, "give it back once it is enabled");
        }
        badge.withdrawn_at = Some(at);
        badge.trail.steps.push(asked.step(BadgeStatus::Withdrawn.as_str(), Vec::new()));
        let fact = Some(Fact::Withdrawal(Withdrawal { asin: asin.clone(), at }));
        Ok(Plan { entities: vec![Entity::Badge(badge)], fact })
    }

    pub(super) fn count_customers(&self, asked: Asked<'_>, asin: &Asin, customers: u64) -> Planned {
        let mut badge = self.badge(asin)?.clone();
        let at = asked.command.at;
        if let Some(withdrawn) = badge.withdrawn_at {
            return refused(
                "status",
                format!("the badge of {asin} was given back at {withdrawn}"),
                "its customers count no more",
            );
        }
        self.check_free(asin, at)?;
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

    /// The first instant from one on at which nothing else about a badge changes; where there is none, the last.
    pub(super) fn free_from(&self, asin: &Asin, mut at: Timestamp) -> Timestamp {
        while at < Timestamp::MAX && self.check_free(asin, at).is_err() {
            at = at.saturating_add(DurationMs(1));
        }
        at
    }

    /// What it says is what it says now, and it is removed where it is by the regions that it has had.
    pub(super) fn put_badge(&mut self, mut entity: BadgeEntity) {
        if let Some(terms) = self.terms.get(&entity.asin) {
            entity.terms = terms.at(self.now.max(entity.enabled_at));
        }
        entity.removed = self.removed(&entity.asin);
        self.badges.insert(entity.asin.clone(), entity);
    }
}

/// Where a badge is: removed if it is in any of its regions.
pub(super) fn status_name(badge: &BadgeEntity) -> &'static str {
    let status = if badge.withdrawn_at.is_some() {
        BadgeStatus::Withdrawn
    } else if badge.terms.regions().iter().any(|region| badge.status(Scope::Region(region)) == BadgeStatus::Removed) {
        BadgeStatus::Removed
    } else {
        BadgeStatus::Enabled
    };
    status.as_str()
}
