//! Skills and hubs: who depends on them, and when they fail.

use std::collections::{BTreeMap, BTreeSet};

use domain::fact::{Exclusion, ExclusionReason, ExclusionTarget, ListingStatus, SkillListing, Terms};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::{
    Asin, DurationMs, ExclusionId, Interval, ManufacturerId, Marketplace, RegionSet, SkillId, Subject, SubjectKind, Timestamp,
};

use super::config::FleetConfig;
use super::draft::Draft;
use super::incident::{Incident, IncidentKind};
use super::names;
use super::story::days;
use crate::dice::Dice;

/// A skill or hub with everything that is planned for it.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) subject: Subject,
    pub(crate) marketplaces: BTreeSet<Marketplace>,
    pub(crate) manufacturers: BTreeSet<ManufacturerId>,
    pub(crate) incidents: Vec<(RegionSet, Incident)>,
    pub(crate) exclusions: Vec<Exclusion>,
}

impl Dependency {
    pub(crate) fn regions(&self) -> RegionSet {
        self.marketplaces.iter().map(|marketplace| marketplace.region()).collect()
    }

    fn fails(&mut self, regions: RegionSet, from: Timestamp, length_ms: i64) -> Interval {
        let interval = Interval::new(from, from + DurationMs(length_ms));
        self.incidents.push((regions, Incident { interval, kind: IncidentKind::Down }));
        interval
    }

    fn excused(&mut self, interval: Interval, reason: ExclusionReason) {
        let id = format!("x-{}-{}", self.subject.id(), self.exclusions.len() + 1);
        self.exclusions.push(Exclusion {
            id: ExclusionId::new(&id).expect("short and not empty"),
            target: ExclusionTarget::Subject(self.subject.clone()),
            regions: self.regions(),
            interval,
            reason,
            approved_by: names::approver(self.exclusions.len() + 1).to_owned(),
        });
    }

    /// What marketplaces say about it, if it is a skill: published from the start; where it is
    /// not one of the cast's, now and then unavailable for a week.
    pub(crate) fn listings(&self, config: &FleetConfig, steady: bool, dice: &mut Dice) -> Vec<SkillListing> {
        let Some(skill) = (self.subject.kind() == SubjectKind::Skill).then(|| SkillId::new(self.subject.id())).flatten() else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for marketplace in &self.marketplaces {
            let says = |at, status| SkillListing { skill: skill.clone(), marketplace: *marketplace, at, status };
            out.push(says(config.from, ListingStatus::Good));
            if !steady && dice.chance(40_000) {
                let at = config.from + DurationMs(dice.between(0, i64::from(config.days) * DAY_MS));
                let status = *dice.pick(&[ListingStatus::Unavailable, ListingStatus::Invalid, ListingStatus::Suppressed]);
                out.push(says(at, status));
                out.push(says(at + DurationMs::days(7), ListingStatus::Good));
            }
        }
        out
    }
}

/// Every skill and hub that a badge refers to at some time, in order of their ids.
pub(crate) fn of(drafts: &[Draft]) -> Vec<Dependency> {
    let mut found: BTreeMap<Subject, Dependency> = BTreeMap::new();
    let mut refer = |subject: Subject, marketplaces: &[Marketplace], manufacturer: &ManufacturerId| {
        let dependency = found.entry(subject.clone()).or_insert_with(|| Dependency {
            subject,
            marketplaces: BTreeSet::new(),
            manufacturers: BTreeSet::new(),
            incidents: Vec::new(),
            exclusions: Vec::new(),
        });
        dependency.marketplaces.extend(marketplaces);
        dependency.manufacturers.insert(manufacturer.clone());
    };
    for draft in drafts {
        let Terms { manufacturer, skill, hub, marketplaces, .. } = &draft.badge.terms;
        // A badge that gains marketplaces needs what it depends on there, too.
        let gained = draft.changes.iter().filter_map(|change| change.marketplaces.as_ref()).flatten();
        let marketplaces: Vec<_> = marketplaces.iter().chain(gained).copied().collect();
        let later = draft.changes.iter().filter_map(|change| change.skill.as_ref()).flatten();
        skill.iter().chain(later).for_each(|skill| refer(Subject::skill(skill), &marketplaces, manufacturer));
        hub.iter().for_each(|hub: &Asin| refer(Subject::hub(hub), &marketplaces, manufacturer));
    }
    found.into_values().collect()
}

/// Lets a skill or hub of the cast fail as its products' stories want it.
pub(crate) fn play_cast(dependency: &mut Dependency, config: &FleetConfig) {
    let at = |day: i64, hour: i64| config.from + DurationMs(day * DAY_MS + hour * HOUR_MS + 17_250);
    let fits = |day: i64| day < i64::from(config.days);
    let subject = dependency.subject.clone();
    let (failing, left_alone, hub) =
        (Subject::skill(&names::skill(0)), Subject::skill(&names::skill(1)), Subject::hub(&names::hub(0)));
    if subject == failing && fits(days::SKILL_FAILS) {
        dependency.fails(RegionSet::ALL, at(days::SKILL_FAILS, 9), 430 * MINUTE_MS);
    }
    if subject == hub && fits(days::HUB_FAILS) {
        dependency.fails(RegionSet::ALL, at(days::HUB_FAILS, 10), 425 * MINUTE_MS);
    }
    let excuse = if subject == hub { ExclusionReason::Platform } else { ExclusionReason::Monitoring };
    if (subject == hub || subject == left_alone) && fits(days::MONITORING_FAILS) {
        let excused = dependency.fails(RegionSet::ALL, at(days::MONITORING_FAILS, 13), 40 * MINUTE_MS);
        dependency.excused(excused, excuse);
    }
}

/// Lets any other skill or hub fail as things do.
pub(crate) fn play_other(dependency: &mut Dependency, config: &FleetConfig, dice: &mut Dice) {
    let period_ms = i64::from(config.days) * DAY_MS;
    let somewhen = |dice: &mut Dice| config.from + DurationMs(dice.between(0, period_ms - 1));
    let outages = if dice.chance(250_000) { 1 + dice.below(2) } else { 0 };
    for _ in 0..outages {
        let everywhere = dice.chance(700_000);
        let regions: Vec<_> = dependency.regions().iter().collect();
        let region = *dice.pick(&regions);
        let stage = if everywhere { RegionSet::ALL } else { RegionSet::NONE.with(region) };
        let from = somewhen(dice);
        let outage = dependency.fails(stage, from, dice.between(4 * MINUTE_MS, 25 * MINUTE_MS));
        if dice.chance(200_000) {
            // Approved by the minute, as people do: a little of both ends may stay.
            dependency.excused(Interval::new(outage.from.floor_minute(), outage.to.floor_minute()), ExclusionReason::Platform);
        }
    }
    if dice.chance(15_000) {
        let from = somewhen(dice);
        dependency.fails(RegionSet::ALL, from, dice.between(380 * MINUTE_MS, 600 * MINUTE_MS));
    }
}

/// Whether a skill or hub is one of the cast's.
pub(crate) fn is_casts(subject: &Subject) -> bool {
    [Subject::skill(&names::skill(0)), Subject::skill(&names::skill(1)), Subject::hub(&names::hub(0))].contains(subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_casts_dependencies_are_known() {
        assert!(is_casts(&Subject::skill(&names::skill(1))));
        assert!(!is_casts(&Subject::skill(&names::skill(2))));
        assert!(!is_casts(&Subject::hub(&names::hub(1))));
    }
}
