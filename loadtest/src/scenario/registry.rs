//! The registry of a scenario: a few products that share skills, hubs and manufacturers, and
//! facts dated on the instants that its events came up with.

use domain::fact::{
    Badge, BadgeChange, Exclusion, ExclusionReason, ExclusionTarget, Listing, ListingStatus, Manufacturer, SkillListing, Terms,
    Withdrawal,
};
use domain::time::{DAY_MS, HOUR_MS};
use domain::{
    Asin, DurationMs, ExclusionId, Fact, Interval, ManufacturerId, Marketplace, RegionSet, SkillId, Subject, Timestamp,
};

use super::instants::Instants;
use crate::dice::Dice;

/// Who is there, before anything happens.
#[derive(Debug)]
pub(super) struct Stage {
    /// The first instant.
    pub(super) start: Timestamp,
    pub(super) products: Vec<Player>,
    manufacturers: Vec<ManufacturerId>,
}

/// A product.
#[derive(Debug)]
pub(super) struct Player {
    pub(super) asin: Asin,
    /// What its badge says at first.
    pub(super) terms: Terms,
}

const BRANDS: [Option<&str>; 4] = [Some("Acme"), Some("Acme"), Some("Other"), None];
const MARKETS: [&str; 8] = ["US", "CA", "MX", "UK", "DE", "JP", "AU", "FR"];

impl Stage {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let start = start(dice);
        let manufacturers: Vec<_> = (1..=dice.between(1, 3)).filter_map(|n| ManufacturerId::new(&format!("m-{n}"))).collect();
        let products = (1..=dice.between(1, 5))
            .filter_map(|n| Asin::new(&format!("B00000000{n}")))
            .map(|asin| Player { asin, terms: terms(&manufacturers, dice) })
            .collect();
        Self { start, products, manufacturers }
    }
}

/// A first instant near the ends of months, in common and in leap years.
fn start(dice: &mut Dice) -> Timestamp {
    let (year, month, day) = *dice.pick(&[
        (2023, 11, 30),
        (2024, 1, 1),
        (2024, 1, 31),
        (2024, 2, 29),
        (2024, 8, 31),
        (2025, 1, 29),
        (2025, 1, 31),
        (2025, 3, 1),
        (2025, 12, 31),
    ]);
    let midnight = Timestamp::from_date(year, month, day).expect("a day");
    midnight + DurationMs(if dice.chance(500_000) { 0 } else { dice.between(0, DAY_MS - 1) })
}

fn terms(manufacturers: &[ManufacturerId], dice: &mut Dice) -> Terms {
    Terms {
        manufacturer: dice.pick(manufacturers).clone(),
        brand: text(dice),
        model: text(dice),
        image: text(dice),
        skill: if dice.chance(600_000) { skill(dice) } else { None },
        hub: if dice.chance(400_000) { hub(dice) } else { None },
        marketplaces: markets(dice),
        customers: *dice.pick(&[0, 999, 1_000, 50_000]),
    }
}

fn text(dice: &mut Dice) -> Option<String> {
    dice.pick(&BRANDS).map(str::to_owned)
}

fn skill(dice: &mut Dice) -> Option<SkillId> {
    SkillId::new(["skill-1", "skill-2"][dice.index(2)])
}

/// A hub; one has the ASIN of a product, which it is not (R2).
fn hub(dice: &mut Dice) -> Option<Asin> {
    Asin::new(["B0HUB00001", "B000000001"][dice.index(2)])
}

fn markets(dice: &mut Dice) -> Vec<Marketplace> {
    let mut markets: Vec<_> =
        (0..dice.between(1, 4)).filter_map(|_| Marketplace::parse(MARKETS[dice.index(MARKETS.len())])).collect();
    markets.sort_unstable();
    markets.dedup();
    markets
}

/// Every line of the registry.
pub(super) fn facts(stage: &Stage, instants: &Instants, at: Timestamp, dice: &mut Dice) -> Vec<Fact> {
    let mut facts = Vec::new();
    for id in &stage.manufacturers {
        // One that no line registers is known by its products.
        if dice.chance(700_000) {
            facts.push(Fact::Manufacturer(Manufacturer { id: id.clone(), name: None, contacts: Vec::new() }));
        }
    }
    for player in &stage.products {
        badge(player, stage, instants, &mut facts, dice);
        if dice.chance(600_000) {
            listings(player, stage, instants, &mut facts, dice);
        }
    }
    for n in 0..dice.below(4) {
        exclusion(n, stage, instants, at, &mut facts, dice);
    }
    for _ in 0..dice.below(4) {
        let (Some(skill), Some(marketplace)) = (skill(dice), Marketplace::parse(MARKETS[dice.index(MARKETS.len())])) else {
            continue;
        };
        facts.push(Fact::SkillListing(SkillListing { skill, marketplace, at: instants.near(dice), status: status(dice) }));
    }
    if dice.chance(50_000) {
        // A line whose place is taken.
        let taken = dice.pick(&facts).clone();
        facts.push(match taken {
            Fact::Badge(badge) => Fact::Badge(Badge { terms: terms(&stage.manufacturers, dice), ..badge }),
            Fact::Exclusion(exclusion) => Fact::Exclusion(Exclusion { target: ExclusionTarget::All, ..exclusion }),
            other => other,
        });
    }
    dice.shuffle(&mut facts);
    facts
}

/// A badge with its changes and its end.
fn badge(player: &Player, stage: &Stage, instants: &Instants, facts: &mut Vec<Fact>, dice: &mut Dice) {
    let asin = player.asin.clone();
    let enabled_at = match dice.below(10) {
        0..7 => stage.start,
        7 => stage.start + DurationMs(dice.between(0, 5 * DAY_MS)),
        // Often in the middle of an outage.
        _ => instants.near(dice).max(stage.start.saturating_sub(DurationMs::days(2))),
    };
    facts.push(Fact::Badge(Badge { asin: asin.clone(), terms: player.terms.clone(), enabled_at }));
    let mut dates = Vec::new();
    for _ in 0..dice.below(8).saturating_sub(4) {
        let at = instants.near(dice);
        if !dates.contains(&at) {
            dates.push(at);
            facts.push(Fact::BadgeChange(change(asin.clone(), at, stage, dice)));
        }
    }
    if dice.chance(150_000) {
        let at = instants.near(dice);
        if at > enabled_at {
            facts.push(Fact::Withdrawal(Withdrawal { asin, at }));
        }
    }
}

fn change(asin: Asin, at: Timestamp, stage: &Stage, dice: &mut Dice) -> BadgeChange {
    let mut change = BadgeChange {
        asin,
        at,
        manufacturer: None,
        brand: None,
        model: None,
        image: None,
        skill: None,
        hub: None,
        marketplaces: None,
        customers: None,
    };
    for _ in 0..dice.between(1, 2) {
        match dice.below(8) {
            0 => change.manufacturer = Some(dice.pick(&stage.manufacturers).clone()),
            1 => change.brand = Some(text(dice)),
            2 => change.image = Some(text(dice)),
            3 => change.skill = Some(if dice.chance(700_000) { skill(dice) } else { None }),
            4 => change.hub = Some(if dice.chance(700_000) { hub(dice) } else { None }),
            5 => change.customers = Some(1_000),
            _ => change.marketplaces = Some(markets(dice)),
        }
    }
    change
}

/// What catalogues say: anything on any of the instants, or wrong from one on and right from a
/// later one on; sometimes both at one instant.
fn listings(player: &Player, stage: &Stage, instants: &Instants, facts: &mut Vec<Fact>, dice: &mut Dice) {
    for marketplace in &player.terms.marketplaces {
        let mut says = |at, right: bool, dice: &mut Dice| {
            let listing = Listing {
                asin: player.asin.clone(),
                marketplace: *marketplace,
                at,
                status: ListingStatus::Good,
                brand: player.terms.brand.clone(),
                model: player.terms.model.clone(),
                image: player.terms.image.clone(),
                hub: player.terms.hub.clone(),
            };
            facts.push(Fact::Listing(if right { listing } else { spoilt(listing, dice) }));
        };
        if dice.chance(400_000) {
            let (first, second) = (instants.near(dice), instants.near(dice));
            says(first.min(second), false, dice);
            says(first.max(second), true, dice);
        } else {
            let mut at = stage.start;
            for _ in 0..dice.below(4) {
                let right = dice.chance(600_000);
                says(at, right, dice);
                if dice.chance(850_000) {
                    at = instants.near(dice);
                }
            }
        }
    }
}

fn spoilt(right: Listing, dice: &mut Dice) -> Listing {
    match dice.below(4) {
        0 => Listing { brand: text(dice), model: text(dice), image: text(dice), ..right },
        1 => Listing { hub: if dice.chance(500_000) { hub(dice) } else { None }, ..right },
        _ => Listing { status: status(dice), ..right },
    }
}

fn status(dice: &mut Dice) -> ListingStatus {
    if dice.chance(200_000) { ListingStatus::Good } else { *dice.pick(&ListingStatus::ALL) }
}

/// An exclusion between two of the instants, or for a while from one of them.
fn exclusion(n: u64, stage: &Stage, instants: &Instants, at: Timestamp, facts: &mut Vec<Fact>, dice: &mut Dice) {
    let from = instants.near(dice);
    let to = if dice.chance(300_000) { instants.near(dice).max(at) } else { from + DurationMs(dice.between(1, 4 * HOUR_MS)) };
    let interval = Interval::new(from.min(to), from.max(to));
    let Some(id) = ExclusionId::new(&format!("x-{n}")) else { return };
    if interval.is_empty() {
        return;
    }
    let player = dice.pick(&stage.products);
    let target = match (dice.below(10), &player.terms.skill, &player.terms.hub) {
        (0, ..) => ExclusionTarget::All,
        (1..3, ..) => ExclusionTarget::Manufacturer(player.terms.manufacturer.clone()),
        (3..5, Some(skill), _) => ExclusionTarget::Subject(Subject::skill(skill)),
        (5..7, _, Some(hub)) => ExclusionTarget::Subject(Subject::hub(hub)),
        _ => ExclusionTarget::Subject(Subject::product(&player.asin)),
    };
    let some: RegionSet = player.terms.regions().iter().filter(|_| dice.chance(500_000)).collect();
    let regions = if some.is_empty() { RegionSet::ALL } else { some };
    let reason = *dice.pick(&ExclusionReason::ALL);
    facts.push(Fact::Exclusion(Exclusion { id, target, regions, interval, reason, approved_by: "someone".to_owned() }));
}
