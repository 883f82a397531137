//! What goes wrong by chance: blips and brownouts of single products, outages of whole regions.

use domain::fact::{Exclusion, ExclusionReason, ExclusionTarget, ListingStatus};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::{DurationMs, ExclusionId, Interval, Region, RegionSet};

use super::character::Character;
use super::config::FleetConfig;
use super::draft::Draft;
use super::incident::IncidentKind;
use super::names;
use crate::dice::Dice;

/// One outage of each region in so many days.
const REGIONAL_OUTAGE_EVERY_DAYS: i64 = 150;
/// Share of a region's products that such an outage hits, in parts per million.
const REGIONAL_OUTAGE_HITS_PPM: i64 = 400_000;

/// Gives a product beyond the cast its share of bad luck. Whoever has a story gets little of it.
pub(crate) fn disturb(draft: &mut Draft, config: &FleetConfig, dice: &mut Dice) {
    let days = i64::from(config.days);
    let somewhen = |dice: &mut Dice| config.from + DurationMs(dice.between(0, days * DAY_MS - 1));
    let somewhere = |dice: &mut Dice| match dice.below(4) {
        0 => RegionSet::NONE.with(*dice.pick(&Region::ALL)),
        _ => RegionSet::ALL,
    };
    for _ in 0..dice.between(0, days / 40) {
        let (regions, from) = (somewhere(dice), somewhen(dice));
        draft.happens(regions, from, DurationMs(dice.between(5_000, 55_000)), IncidentKind::Down);
    }
    for _ in 0..dice.between(0, days / 60) {
        let failing = u32::try_from(dice.between(600_000, 940_000)).expect("positive");
        let (regions, from) = (somewhere(dice), somewhen(dice));
        draft.happens(regions, from, DurationMs(dice.between(10, 200) * MINUTE_MS), IncidentKind::Partial(failing));
    }
    if draft.character != Character::Steady {
        return;
    }
    for _ in 0..dice.between(0, days / 120) {
        let (regions, from) = (somewhere(dice), somewhen(dice));
        let kind = if dice.chance(300_000) { IncidentKind::Maintenance } else { IncidentKind::Down };
        let outage = draft.happens(regions, from, DurationMs(dice.between(2 * MINUTE_MS, 30 * MINUTE_MS)), kind);
        if kind == IncidentKind::Maintenance && dice.chance(600_000) {
            let subject = ExclusionTarget::Subject(domain::Subject::product(draft.asin()));
            // Maintenance that is approved for its first half only is excused for that.
            let approved = if dice.chance(250_000) { outage.from + DurationMs(outage.ms() / 2) } else { outage.to };
            draft.excused(subject, Interval::new(outage.from, approved), ExclusionReason::Maintenance);
        }
    }
}

/// Gives a product's listings their accidents: suppressed, or under another brand, for some days.
pub(crate) fn mislist(draft: &mut Draft, config: &FleetConfig, dice: &mut Dice) {
    let days = i64::from(config.days);
    if !dice.chance(60_000) {
        return;
    }
    let marketplace = *dice.pick(&draft.badge.terms.marketplaces);
    let from = config.from + DurationMs(dice.between(0, days * DAY_MS - 1));
    let mut wrong = draft.listing(marketplace, from);
    match dice.below(4) {
        0 => wrong.brand = Some("Nobody's".to_owned()),
        1 => wrong.model = Some("Another".to_owned()),
        _ => wrong.status = *dice.pick(&[ListingStatus::Suppressed, ListingStatus::Unavailable, ListingStatus::Invalid]),
    }
    let corrected_at = from + DurationMs(dice.between(3, 20) * DAY_MS);
    let right = draft.listing(marketplace, corrected_at);
    draft.listings.extend([wrong, right]);
}

/// Lets each region fail for some of its products now and then, from 02:00 to 05:00 UTC; every
/// other time it was the platform and everyone is excused. Returns how often, and the excuses.
pub(crate) fn regional_outages(drafts: &mut [Draft], config: &FleetConfig, dice: &mut Dice) -> (u32, Vec<Exclusion>) {
    let (mut outages, mut exclusions) = (0, Vec::new());
    let days = i64::from(config.days);
    for region in Region::ALL {
        for nth in 0..(days / REGIONAL_OUTAGE_EVERY_DAYS).max(1) {
            let first_day = nth * REGIONAL_OUTAGE_EVERY_DAYS;
            let day = first_day + dice.between(0, (days - first_day).min(REGIONAL_OUTAGE_EVERY_DAYS) - 1);
            let from = config.from + DurationMs(day * DAY_MS + dice.between(2 * HOUR_MS, 4 * HOUR_MS));
            let length = DurationMs(dice.between(8 * MINUTE_MS, 25 * MINUTE_MS));
            let regions = RegionSet::NONE.with(region);
            for draft in drafts.iter_mut().filter(|draft| !draft.in_cast) {
                if draft.badge.terms.regions().contains(region) && dice.chance(REGIONAL_OUTAGE_HITS_PPM) {
                    // Gateways notice a little earlier or later.
                    let seen = from + DurationMs(dice.between(0, 45_000));
                    draft.happens(regions, seen, length, IncidentKind::Down);
                }
            }
            outages += 1;
            if nth % 2 == 0 {
                let id = format!("x-{}-{}", region.as_str().to_lowercase(), exclusions.len() + 1);
                exclusions.push(Exclusion {
                    id: ExclusionId::new(&id).expect("short and not empty"),
                    target: ExclusionTarget::All,
                    regions,
                    interval: Interval::new(from.floor_minute(), from + length + DurationMs(2 * MINUTE_MS)),
                    reason: ExclusionReason::Platform,
                    approved_by: names::approver(exclusions.len()).to_owned(),
                });
            }
        }
    }
    (outages, exclusions)
}
