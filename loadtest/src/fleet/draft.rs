//! A product on its way into the plan: its badge, what changes about it, and what goes wrong.

use domain::fact::{Badge, BadgeChange, Exclusion, ExclusionReason, ExclusionTarget, Listing, ListingStatus, Terms};
use domain::{Asin, DurationMs, ExclusionId, Interval, ManufacturerId, Marketplace, RegionSet, Timestamp};

use super::character::Character;
use super::config::FleetConfig;
use super::incident::{Incident, IncidentKind};
use super::names;
use crate::dice::Dice;

/// Skills of the cast: the one that fails, and the one that is left alone.
pub(crate) const CAST_SKILLS: usize = 2;
/// Hubs of the cast.
pub(crate) const CAST_HUBS: usize = 1;
/// Manufacturers of the cast, where the fleet has that many.
pub(crate) const CAST_MANUFACTURERS: usize = 14;
/// What a device type's products are called.
const MODELS: [&str; 10] = ["Bulb", "Plug", "Switch", "Lock", "Thermostat", "Camera", "Blind", "Sensor", "Fan", "Strip"];

/// How many of each there are to choose from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    /// Manufacturers.
    pub(crate) manufacturers: usize,
    /// Skills, those of the cast included.
    pub(crate) skills: usize,
    /// Hubs, those of the cast included.
    pub(crate) hubs: usize,
}

/// A product with everything that is planned for it.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) character: Character,
    /// Nothing but its own story happens to it.
    pub(crate) in_cast: bool,
    pub(crate) badge: Badge,
    pub(crate) changes: Vec<BadgeChange>,
    pub(crate) withdrawn_at: Option<Timestamp>,
    /// What goes wrong, and in which of its regions.
    pub(crate) incidents: Vec<(RegionSet, Incident)>,
    pub(crate) listings: Vec<Listing>,
    pub(crate) exclusions: Vec<Exclusion>,
    /// Where its story takes place.
    pub(crate) stage: RegionSet,
}

impl Pool {
    /// For so many products.
    pub(crate) fn of(config: &FleetConfig) -> Self {
        let products = usize::try_from(config.products).expect("32 bits fit");
        Self {
            manufacturers: usize::try_from(config.manufacturers).expect("32 bits fit"),
            skills: CAST_SKILLS + 1 + products / 6,
            hubs: CAST_HUBS + 1 + products / 25,
        }
    }

    /// A manufacturer for a product beyond the cast, none of the cast's where there are others:
    /// a suspension that is promised to be lifted must not be prolonged by chance.
    pub(crate) fn other_manufacturer(self, dice: &mut Dice) -> ManufacturerId {
        let first = if self.manufacturers > CAST_MANUFACTURERS { CAST_MANUFACTURERS } else { 0 };
        names::manufacturer(first + dice.index(self.manufacturers - first))
    }

    fn other_skill(self, dice: &mut Dice) -> domain::SkillId {
        names::skill(CAST_SKILLS + dice.index(self.skills - CAST_SKILLS))
    }
}

impl Draft {
    /// The product with this number, its badge on from the start of the period.
    pub(crate) fn new(
        index: usize,
        character: Character,
        in_cast: bool,
        config: &FleetConfig,
        pool: Pool,
        dice: &mut Dice,
    ) -> Self {
        let model = format!("{} {}", dice.pick(&MODELS), 100 + dice.below(900));
        let customers = if in_cast { dice.long_tail(4_000, 8) } else { dice.long_tail(60, 15) };
        let mut terms = if in_cast { cast_terms(index, character, pool) } else { other_terms(character, pool, dice) };
        terms.brand = Some(names::brand(&terms.manufacturer));
        terms.model = Some(model);
        terms.customers = customers;
        let stage = terms.regions();
        let badge = Badge { asin: names::asin(index), terms, enabled_at: config.from };
        Self {
            character,
            in_cast,
            badge,
            changes: Vec::new(),
            withdrawn_at: None,
            incidents: Vec::new(),
            listings: Vec::new(),
            exclusions: Vec::new(),
            stage,
        }
    }

    pub(crate) const fn asin(&self) -> &Asin {
        &self.badge.asin
    }

    /// A change that says nothing yet.
    pub(crate) fn change(&self, at: Timestamp) -> BadgeChange {
        BadgeChange {
            asin: self.asin().clone(),
            at,
            manufacturer: None,
            brand: None,
            model: None,
            image: None,
            skill: None,
            hub: None,
            marketplaces: None,
            customers: None,
        }
    }

    /// A good listing, as the badge wants it.
    pub(crate) fn listing(&self, marketplace: Marketplace, at: Timestamp) -> Listing {
        Listing {
            asin: self.asin().clone(),
            marketplace,
            at,
            status: ListingStatus::Good,
            brand: self.badge.terms.brand.clone(),
            model: self.badge.terms.model.clone(),
            image: None,
            hub: self.badge.terms.hub.clone(),
        }
    }

    /// Lets something go wrong.
    pub(crate) fn happens(&mut self, regions: RegionSet, from: Timestamp, length: DurationMs, kind: IncidentKind) -> Interval {
        let interval = Interval::new(from, from + length);
        self.incidents.push((regions, Incident { interval, kind }));
        interval
    }

    /// Excuses an interval.
    pub(crate) fn excused(&mut self, target: ExclusionTarget, interval: Interval, reason: ExclusionReason) {
        let id = format!("x-{}-{}", self.asin(), self.exclusions.len() + 1);
        self.exclusions.push(Exclusion {
            id: ExclusionId::new(&id).expect("short and not empty"),
            target,
            regions: RegionSet::ALL,
            interval,
            reason,
            approved_by: names::approver(self.exclusions.len()).to_owned(),
        });
    }

    /// Gives everything that may change about a steady product its chance to.
    pub(crate) fn live_a_life(&mut self, config: &FleetConfig, pool: Pool, dice: &mut Dice) {
        let some_day = |dice: &mut Dice| config.from + DurationMs::days(dice.between(1, i64::from(config.days)));
        if dice.chance(150_000) {
            self.badge.enabled_at = config.from + DurationMs::days(dice.between(0, i64::from(config.days) * 4 / 5));
        }
        if dice.chance(30_000) {
            self.withdrawn_at = Some(some_day(dice) + DurationMs(dice.between(1, 80_000_000)));
        }
        if dice.chance(80_000) {
            let mut change = self.change(some_day(dice) + DurationMs(dice.between(0, 80_000_000)));
            match dice.below(4) {
                0 => change.customers = Some(self.badge.terms.customers * 2),
                1 if self.badge.terms.skill.is_some() => change.skill = Some(Some(pool.other_skill(dice))),
                2 => change.manufacturer = Some(pool.other_manufacturer(dice)),
                _ => change.marketplaces = Some(gained(&self.badge.terms.marketplaces, dice)),
            }
            self.changes.push(change);
        }
    }
}

fn market(code: &str) -> Marketplace {
    Marketplace::parse(code).expect("a marketplace of the programme")
}

/// The marketplaces with these codes, in order.
pub(crate) fn markets(codes: &[&str]) -> Vec<Marketplace> {
    let mut markets: Vec<_> = codes.iter().map(|code| market(code)).collect();
    markets.sort_unstable();
    markets.dedup();
    markets
}

/// The same and one more.
fn gained(markets: &[Marketplace], dice: &mut Dice) -> Vec<Marketplace> {
    let mut markets = markets.to_vec();
    markets.push(market(["CA", "DE", "FR", "JP", "UK", "US"][dice.index(6)]));
    markets.sort_unstable();
    markets.dedup();
    markets
}

fn cast_terms(index: usize, character: Character, pool: Pool) -> Terms {
    use Character as C;
    // Who is promised a lifted suspension shares a manufacturer with the harmless only.
    let (house, codes): (usize, &[&str]) = match character {
        C::Steady => (0, &["US", "UK", "JP"]),
        C::Reinstated => (0, &["US", "CA"]),
        C::Climber => (1, &["US"]),
        C::Restarted => (1, &["DE", "FR"]),
        C::Held => (2, &["US"]),
        C::OutageWarned => (2, &["UK"]),
        C::Regional => (3, &["US", "DE"]),
        // Two products, two manufacturers.
        C::SharedSkill => (4 + index % 2, &["DE", "IT"]),
        C::Mover => (5, &["DE"]),
        C::DarkInProbation => (6, &["US"]),
        C::Blipper => (7, &["JP"]),
        C::Projected => (7, &["US", "MX"]),
        C::Dark => (8, &["UK"]),
        C::HubVictim => (8, &["UK"]),
        C::Excused => (9, &["US"]),
        C::Quitter => (10, &["US"]),
        C::Newcomer => (10, &["JP", "AU"]),
        C::StillHeld => (11, &["US"]),
        C::Flapper => (3, &["US"]),
        C::Brownout => (6, &["US"]),
        C::Expander => (5, &["US", "CA"]),
        C::Fallen => (12, &["FR", "ES"]),
        C::Falling => (13, &["US"]),
    };
    let skill = matches!(character, C::SharedSkill | C::Mover).then(|| names::skill(0));
    let hub = matches!(character, C::HubVictim).then(|| names::hub(0));
    let manufacturer = names::manufacturer(house % pool.manufacturers);
    Terms { manufacturer, brand: None, model: None, image: None, skill, hub, marketplaces: markets(codes), customers: 0 }
}

fn other_terms(character: Character, pool: Pool, dice: &mut Dice) -> Terms {
    let skill = dice.chance(600_000).then(|| pool.other_skill(dice));
    let hub = dice.chance(150_000).then(|| names::hub(CAST_HUBS + dice.index(pool.hubs - CAST_HUBS)));
    let manufacturer = pool.other_manufacturer(dice);
    let marketplaces = if character == Character::Regional { markets(&["US", "DE"]) } else { some_markets(dice) };
    Terms { manufacturer, brand: None, model: None, image: None, skill, hub, marketplaces, customers: 0 }
}

/// Mostly one region: that is how products are sold, and every region costs its own events.
fn some_markets(dice: &mut Dice) -> Vec<Marketplace> {
    const AMERICAS: &[(&str, i64)] = &[("US", 1_000_000), ("CA", 400_000), ("MX", 150_000), ("BR", 80_000)];
    const EUROPE: &[(&str, i64)] = &[
        ("DE", 1_000_000),
        ("UK", 600_000),
        ("FR", 500_000),
        ("IT", 300_000),
        ("ES", 300_000),
        ("NL", 150_000),
        ("SE", 100_000),
        ("PL", 100_000),
        ("IN", 150_000),
        ("AE", 60_000),
    ];
    const FAR_EAST: &[(&str, i64)] = &[("JP", 1_000_000), ("AU", 300_000), ("SG", 100_000), ("NZ", 80_000)];
    let regions: &[&[(&str, i64)]] = match dice.below(100) {
        0..45 => &[AMERICAS],
        45..75 => &[EUROPE],
        75..87 => &[FAR_EAST],
        87..96 => &[AMERICAS, EUROPE],
        96..98 => &[EUROPE, FAR_EAST],
        _ => &[AMERICAS, EUROPE, FAR_EAST],
    };
    let codes: Vec<_> =
        regions.iter().flat_map(|codes| codes.iter()).filter(|(_, ppm)| dice.chance(*ppm)).map(|(code, _)| *code).collect();
    markets(&codes)
}
