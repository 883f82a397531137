//! The whole plan of a fleet: registry facts, and what each subject reports from each region.

use std::collections::BTreeMap;

use domain::fact::{Fact, Manufacturer, Terms, Withdrawal};
use domain::time::{DAY_MS, MINUTE_MS};
use domain::{DurationMs, Interval, ManufacturerId, Product, Region, RegionSet, ReporterId, Subject, Timestamp};

use super::cadence::{self, Need, Wish};
use super::channel::{Channel, DUTY_STARTS_MAX, Heartbeat, MINUTES_A_DAY};
use super::character::Character;
use super::config::FleetConfig;
use super::dependency::{self, Dependency};
use super::disturbance;
use super::draft::{Draft, Pool};
use super::error::Error;
use super::incident::{IncidentKind, in_order};
use super::manifest::{CastMember, Manifest};
use super::names;
use super::story;
use crate::dice::Dice;

/// Streams of the seed. Every product has its own, from [`PRODUCTS`] on, so that what is drawn
/// for one never shifts another's story.
const REGIONS: u64 = 1;
const GATEWAYS: u64 = 2;
/// The stream from which arrivals and counts are drawn.
pub(crate) const ARRIVALS: u64 = 3;
const DEPENDENCIES: u64 = 1 << 32;
const PRODUCTS: u64 = 2 << 32;
const CHANNELS: u64 = 3 << 32;

/// Products to a gateway.
const PRODUCTS_PER_GATEWAY: usize = 25;
/// Most gateways of a region.
const GATEWAYS_MAX: usize = 200;

/// Who reports.
#[derive(Debug)]
pub(crate) struct Reporter {
    /// Its id; some subjects report for themselves and give none.
    pub(crate) id: Option<ReporterId>,
    /// Whether its events carry a sequence number.
    pub(crate) numbered: bool,
    /// How long its events take at least, in milliseconds.
    pub(crate) delay_ms: i64,
}

/// Everything that is fixed before the first event.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) channels: Vec<Channel>,
    pub(crate) reporters: Vec<Reporter>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) manifest: Manifest,
    /// How many lines the events come to, about.
    pub(crate) lines: u64,
}

impl Plan {
    /// # Errors
    /// When the configuration is wrong, or its events don't fit its products.
    pub(crate) fn new(config: &FleetConfig) -> Result<Self, Error> {
        config.check()?;
        let pool = Pool::of(config);
        let mut drafts = drafts(config, pool);
        let mut regions_dice = Dice::new(config.seed, REGIONS);
        let (regional_outages, region_exclusions) = disturbance::regional_outages(&mut drafts, config, &mut regions_dice);
        let mut dependencies = dependency::of(&drafts);
        for (stream, dependency) in (DEPENDENCIES..).zip(&mut dependencies) {
            if dependency::is_casts(&dependency.subject) {
                dependency::play_cast(dependency, config);
            } else {
                dependency::play_other(dependency, config, &mut Dice::new(config.seed, stream));
            }
        }
        let mut wiring = Wiring::new(config, drafts.len());
        for (product, draft) in drafts.iter().enumerate() {
            wiring.add_product(product, draft);
        }
        for (nth, dependency) in dependencies.iter().enumerate() {
            wiring.add_dependency(drafts.len() + nth, dependency);
        }
        let Wiring { mut channels, wishes, reporters, .. } = wiring;
        let lines = cadence::spend(&mut channels, &wishes, config)?;
        let mut manifest = Manifest { regional_outages, ..Manifest::default() };
        note_products(&mut manifest, &drafts, &channels, &wishes);
        note_dependencies(&mut manifest, &dependencies);
        let mut facts = facts(config, &drafts, &dependencies);
        facts.extend(region_exclusions.into_iter().map(Fact::Exclusion));
        note_facts(&mut manifest, &facts);
        Ok(Self { channels, reporters, facts, manifest, lines })
    }
}

fn drafts(config: &FleetConfig, pool: Pool) -> Vec<Draft> {
    let products = usize::try_from(config.products).expect("32 bits fit");
    (0..products)
        .map(|index| {
            let stream = PRODUCTS + u64::try_from(index).expect("64 bits fit");
            let dice = &mut Dice::new(config.seed, stream);
            let fits = |character: &Character| character.days_needed() <= config.days;
            let cast = Character::CAST.get(index).copied().filter(|character| config.has_cast && fits(character));
            let character = cast.or_else(|| Some(supporting(dice)).filter(fits)).unwrap_or(Character::Steady);
            let mut draft = Draft::new(index, character, cast.is_some(), config, pool, dice);
            if !draft.in_cast {
                if character == Character::Steady {
                    draft.live_a_life(config, pool, dice);
                }
                disturbance::disturb(&mut draft, config, dice);
                disturbance::mislist(&mut draft, config, dice);
            }
            story::play(&mut draft, config, dice);
            draft
        })
        .collect()
}

fn supporting(dice: &mut Dice) -> Character {
    let mut left = dice.below(1_000);
    for (character, share) in Character::SUPPORTING {
        if left < share {
            return character;
        }
        left -= share;
    }
    Character::Steady
}

/// Connects subjects with gateways.
struct Wiring<'a> {
    config: &'a FleetConfig,
    channels: Vec<Channel>,
    wishes: Vec<Wish>,
    reporters: Vec<Reporter>,
    gateways: [Vec<u32>; Region::COUNT],
}

impl<'a> Wiring<'a> {
    fn new(config: &'a FleetConfig, products: usize) -> Self {
        let mut dice = Dice::new(config.seed, GATEWAYS);
        let mut reporters = Vec::new();
        let count = (products / PRODUCTS_PER_GATEWAY + 2).min(GATEWAYS_MAX);
        let gateways = Region::ALL.map(|region| {
            (0..count)
                .map(|index| {
                    let id = Some(names::gateway(region, index));
                    reporters.push(Reporter { id, numbered: true, delay_ms: dice.between(20, 3_000) });
                    u32::try_from(reporters.len() - 1).expect("gateways are bounded")
                })
                .collect()
        });
        Self { config, channels: Vec::new(), wishes: Vec::new(), reporters, gateways }
    }

    fn dice(&self) -> Dice {
        Dice::new(self.config.seed, CHANNELS + u64::try_from(self.channels.len()).expect("64 bits fit"))
    }

    fn add_product(&mut self, number: usize, draft: &Draft) {
        let mut dice = self.dice();
        let peak = u32::try_from((draft.badge.terms.customers / 4).clamp(3, 20_000)).expect("clamped");
        let wish = Wish {
            need: if draft.in_cast || draft.character.needs_coverage() { Need::Coverage } else { Need::Some },
            product: number,
            needs_outcomes: draft.character.needs_outcomes(),
            weight: 1 + i64::from(peak.ilog2() / 4),
            may_drop_states: !draft.in_cast && !draft.character.needs_coverage() && dice.chance(300_000),
            dither_ppm: 0,
        };
        let reports_outcomes = draft.in_cast || wish.needs_outcomes || dice.chance(500_000);
        let own_reporter = (!draft.in_cast).then(|| self.own_reporter(&mut dice)).flatten();
        let product = product(draft);
        for region in product.regions_ever().iter() {
            let badged = product.badged_in(region);
            let (Some(first), Some(last)) = (badged.as_slice().first(), badged.as_slice().last()) else { continue };
            let active = self.active(draft, Interval::new(first.from, last.to), &mut dice);
            let here = draft.incidents.iter().filter(|(regions, _)| regions.contains(region));
            let incidents = here.map(|(_, incident)| *incident).collect();
            let reporters = own_reporter.map_or_else(|| self.two_gateways(region, &mut dice), |own| [own, own]);
            let channel = Channel {
                subject: Subject::product(draft.asin()),
                region,
                active,
                reporters,
                attempts_peak: peak,
                reports_outcomes,
                incidents: in_order(incidents, active),
                ..self.quiet(&Subject::product(draft.asin()), region, &mut dice)
            };
            self.channels.push(channel);
            self.wishes.push(Wish { dither_ppm: dice.between(0, 999_999), ..wish });
        }
    }

    fn add_dependency(&mut self, number: usize, dependency: &Dependency) {
        let mut dice = self.dice();
        for region in dependency.regions().iter() {
            let reporters = self.two_gateways(region, &mut dice);
            let here = dependency.incidents.iter().filter(|(regions, _)| regions.contains(region));
            let incidents = here.map(|(_, incident)| *incident).collect();
            let active = Interval::new(self.config.from, self.config.to());
            let channel = Channel {
                reporters,
                incidents: in_order(incidents, active),
                ..self.quiet(&dependency.subject, region, &mut dice)
            };
            self.channels.push(channel);
            let dither_ppm = dice.between(0, 999_999);
            self.wishes.push(Wish {
                need: Need::None,
                product: number,
                needs_outcomes: false,
                weight: 1,
                may_drop_states: false,
                dither_ppm,
            });
        }
    }

    /// A channel about which nothing is planned.
    fn quiet(&self, subject: &Subject, region: Region, dice: &mut Dice) -> Channel {
        // 18:30 in New York, Berlin, Tokyo.
        let busiest_minute = match region {
            Region::Na => 23 * 60 + 30,
            Region::Eu => 17 * 60 + 30,
            Region::Fe => 9 * 60 + 30,
        };
        Channel {
            subject: subject.clone(),
            region,
            active: self.config.period(),
            reporters: [0, 0],
            heartbeat: Heartbeat::Never,
            duty_from_ms: dice.between(0, DUTY_STARTS_MAX) * MINUTE_MS + dice.between(0, MINUTE_MS - 1),
            outcome_minutes: 0,
            busiest_minute: (busiest_minute + dice.between(-90, 90)).clamp(0, MINUTES_A_DAY - 1),
            reports_outcomes: dice.chance(300_000),
            attempts_peak: 2_000,
            noise_ppm: u32::try_from(dice.between(300, 6_000)).expect("positive"),
            incidents: Vec::new(),
        }
    }

    /// Devices report from a little before the badge is enabled until a little after it is gone.
    /// On duty for half of the day only, a first day that is cut short would look dark, so those
    /// badges are enabled at midnight and need no more than the minutes before.
    fn active(&self, draft: &Draft, badged: Interval, dice: &mut Dice) -> Interval {
        let lead = if draft.character == Character::Newcomer { 3 * 60 } else { dice.between(1, 50) };
        let from = badged.from.saturating_sub(DurationMs(lead * MINUTE_MS));
        let to = (badged.to + DurationMs(dice.between(0, 2 * DAY_MS))).min(self.config.to());
        Interval::new(from.min(to), to)
    }

    /// Some subjects report for themselves: without a reporter's name, or without numbers.
    fn own_reporter(&mut self, dice: &mut Dice) -> Option<u32> {
        let reporter = match dice.below(100) {
            0..3 => Reporter { id: None, numbered: true, delay_ms: 50 },
            3..5 => Reporter { id: ReporterId::new("cloud"), numbered: false, delay_ms: 50 },
            _ => return None,
        };
        self.reporters.push(reporter);
        Some(u32::try_from(self.reporters.len() - 1).expect("products are bounded"))
    }

    fn two_gateways(&self, region: Region, dice: &mut Dice) -> [u32; 2] {
        let gateways = &self.gateways[region.index()];
        let first = dice.index(gateways.len());
        [gateways[first], gateways[(first + 1) % gateways.len()]]
    }
}

/// The product as the registry will know it.
fn product(draft: &Draft) -> Product {
    let mut product = Product::new(draft.asin().clone(), draft.badge.enabled_at, draft.badge.terms.clone());
    product.withdrawn_at = draft.withdrawn_at;
    let mut terms = draft.badge.terms.clone();
    for change in &draft.changes {
        if let Some(marketplaces) = &change.marketplaces {
            terms = Terms { marketplaces: marketplaces.clone(), ..terms };
        }
        product.change(change.at, terms.clone());
    }
    product
}

/// Every line of the registry, manufacturers first; the order says nothing.
fn facts(config: &FleetConfig, drafts: &[Draft], dependencies: &[Dependency]) -> Vec<Fact> {
    let mut facts = Vec::new();
    for index in 0..usize::try_from(config.manufacturers).expect("32 bits fit") {
        facts.push(Fact::Manufacturer(manufacturer(names::manufacturer(index))));
    }
    for draft in drafts {
        facts.push(Fact::Badge(draft.badge.clone()));
        facts.extend(draft.changes.iter().cloned().map(Fact::BadgeChange));
        facts.extend(draft.withdrawn_at.map(|at| Fact::Withdrawal(Withdrawal { asin: draft.asin().clone(), at })));
        facts.extend(listings(draft));
        facts.extend(draft.exclusions.iter().cloned().map(Fact::Exclusion));
    }
    for (stream, dependency) in (DEPENDENCIES..).zip(dependencies) {
        // Drawn apart from its outages, which were drawn from the same stream before.
        let mut dice = Dice::new(config.seed ^ 1, stream);
        let steady = dependency::is_casts(&dependency.subject);
        facts.extend(dependency.listings(config, steady, &mut dice).into_iter().map(Fact::SkillListing));
        facts.extend(dependency.exclusions.iter().cloned().map(Fact::Exclusion));
    }
    facts
}

fn manufacturer(id: ManufacturerId) -> Manufacturer {
    let contacts = vec![names::contact("programme", &id), names::contact("oncall", &id)];
    Manufacturer { name: Some(format!("{} Inc.", names::brand(&id))), contacts, id }
}

/// Live everywhere from the start of the badge, then what the draft says.
fn listings(draft: &Draft) -> impl Iterator<Item = Fact> {
    let first = draft.badge.terms.marketplaces.iter().map(|marketplace| (*marketplace, draft.badge.enabled_at));
    let gained = draft.changes.iter().flat_map(|change| {
        let markets = change.marketplaces.iter().flatten();
        markets.filter(|market| !draft.badge.terms.marketplaces.contains(market)).map(|market| (*market, change.at))
    });
    let mut live: BTreeMap<_, Timestamp> = BTreeMap::new();
    for (marketplace, at) in first.chain(gained) {
        live.entry(marketplace).or_insert(at);
    }
    let live = live.into_iter().map(|(marketplace, at)| draft.listing(marketplace, at));
    live.chain(draft.listings.iter().cloned()).map(Fact::Listing)
}

fn note_products(manifest: &mut Manifest, drafts: &[Draft], channels: &[Channel], wishes: &[Wish]) {
    for draft in drafts {
        *manifest.characters.entry(draft.character).or_default() += 1;
        if draft.in_cast {
            let (asin, character, regions) = (draft.asin().clone(), draft.character, draft.stage);
            manifest.cast.push(CastMember { asin, character, regions });
        }
        let regions: RegionSet = product(draft).regions_ever();
        manifest.multi_region_products += u32::from(regions.iter().count() > 1);
    }
    for channel in channels {
        for incident in &channel.incidents {
            let kind = match incident.kind {
                IncidentKind::Down => "down",
                IncidentKind::Maintenance => "maintenance",
                IncidentKind::Partial(_) => "partial",
                IncidentKind::Silent => "silent",
            };
            *manifest.incidents.entry(kind).or_default() += 1;
        }
    }
    let reports: Vec<_> = channels.iter().zip(wishes).filter(|(_, wish)| wish.product < drafts.len()).collect();
    for ours in reports.chunk_by(|(_, a), (_, b)| a.product == b.product) {
        let covered = |channel: &Channel| {
            matches!(channel.heartbeat, Heartbeat::Duty | Heartbeat::Always) || channel.outcome_minutes * 2 > MINUTES_A_DAY
        };
        manifest.covered_products += u32::from(ours.iter().all(|(channel, _)| covered(channel)));
        manifest.outcome_products += u32::from(ours.iter().any(|(channel, _)| channel.reports_outcomes));
    }
}

fn note_dependencies(manifest: &mut Manifest, dependencies: &[Dependency]) {
    for dependency in dependencies {
        if dependency.subject.kind() == domain::SubjectKind::Skill {
            manifest.skills += 1;
            manifest.shared_skills += u32::from(dependency.manufacturers.len() > 1);
        } else {
            manifest.hubs += 1;
        }
        manifest.dependency_outages += u32::try_from(dependency.incidents.len()).expect("a few each");
    }
}

fn note_facts(manifest: &mut Manifest, facts: &[Fact]) {
    for fact in facts {
        let kind = match fact {
            Fact::Manufacturer(_) => "manufacturer",
            Fact::Badge(_) => "badge",
            Fact::BadgeChange(_) => "badge_change",
            Fact::Withdrawal(_) => "badge_withdrawn",
            Fact::Exclusion(exclusion) => {
                *manifest.exclusions.entry(exclusion.reason).or_default() += 1;
                "exclusion"
            }
            Fact::Listing(_) => "listing",
            Fact::SkillListing(_) => "skill_listing",
            Fact::ExclusionRevoked(_) => "exclusion_revoked",
            Fact::Ruling(ruling) => ruling.verdict.as_str(),
            Fact::Acknowledgement(_) => "acknowledgement",
            Fact::KillSwitch(_) => "kill_switch",
        };
        *manifest.facts.entry(kind).or_default() += 1;
    }
}
