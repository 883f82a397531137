//! The stories, day by day. Budgets are those of the presets: 367.9 minutes a year, 28.2 to 31.2
//! minutes a probation month, five outages of five minutes.
//!
//! Everything here happens from 06:00 to 23:00 UTC; outages of regions happen before, so that
//! what excuses one of them never touches a story.

use domain::fact::{ExclusionReason, ExclusionTarget, ListingStatus};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::{DurationMs, Interval, Region, RegionSet, Subject, Timestamp};

use super::character::Character;
use super::config::FleetConfig;
use super::draft::{Draft, markets};
use super::incident::IncidentKind;
use super::names;
use crate::dice::Dice;

/// A product beyond the cast strays from its story's lengths by at most this, in parts per million.
const STRAY_PPM: i64 = 30_000;

/// Puts a product's story into its draft.
pub(crate) fn play(draft: &mut Draft, config: &FleetConfig, dice: &mut Dice) {
    let slack = i64::from(config.days - draft.character.days_needed().min(config.days));
    let offset = if draft.in_cast { 0 } else { dice.between(0, slack) };
    let day0 = config.from + DurationMs::days(offset);
    Story { draft, dice, day0 }.tell(config);
}

/// Days of the cast's story on which things happen to what it depends on.
pub(crate) mod days {
    /// The shared skill fails.
    pub(crate) const SKILL_FAILS: i64 = 45;
    /// A product leaves it.
    pub(crate) const SKILL_LEFT: i64 = 40;
    /// The hub fails.
    pub(crate) const HUB_FAILS: i64 = 55;
    /// The skill and the hub seem to fail: excused.
    pub(crate) const MONITORING_FAILS: i64 = 70;
}

struct Story<'a> {
    draft: &'a mut Draft,
    dice: &'a mut Dice,
    day0: Timestamp,
}

impl Story<'_> {
    fn tell(&mut self, config: &FleetConfig) {
        match self.draft.character {
            Character::Steady | Character::SharedSkill | Character::HubVictim => {}
            Character::Climber => self.downs(&[(20, 190), (60, 95), (95, 55)]),
            Character::Reinstated => self.downs(&[(25, 440)]),
            Character::Restarted => self.downs(&[(10, 9), (18, 9), (26, 9), (34, 9), (42, 9), (50, 9), (88, 45)]),
            Character::Held => self.held(Some(130)),
            Character::StillHeld => self.held(None),
            Character::Regional => self.regional(),
            Character::Mover => {
                let left_at = self.at(days::SKILL_LEFT, 12, 0);
                let mut change = self.draft.change(left_at);
                change.skill = Some(Some(names::skill(1)));
                self.draft.changes.push(change);
            }
            Character::DarkInProbation => {
                self.downs(&[(20, 440)]);
                self.happens(60, 9, DurationMs::days(20), IncidentKind::Silent);
            }
            Character::Blipper => self.blipper(),
            Character::OutageWarned => self.downs(&[(15, 12), (40, 11), (70, 13), (100, 12), (130, 10)]),
            Character::Projected => {
                for day in 30..56 {
                    for hour in [8, 16] {
                        self.happens(day, hour, minutes(4), IncidentKind::Down);
                    }
                }
            }
            Character::Dark => {
                self.happens(50, 9, DurationMs::days(25), IncidentKind::Silent);
            }
            Character::Excused => self.excused(),
            Character::Quitter => {
                self.happens(70, 8, minutes(430), IncidentKind::Maintenance);
                // Before its first month ends, were it February.
                self.draft.withdrawn_at = Some(self.at(95, 10, 0));
            }
            Character::Newcomer => self.newcomer(),
            Character::Flapper => {
                for day in [7, 77, 147].into_iter().filter(|day| *day < i64::from(config.days)) {
                    self.flaps(day);
                }
            }
            Character::Brownout => self.brownouts(config),
            Character::Expander => self.expander(),
            Character::Fallen => self.downs(&[(i64::from(config.days) - 42, 450)]),
            Character::Falling => {
                self.happens(i64::from(config.days) - 1, 14, minutes(700), IncidentKind::Down);
            }
        }
    }

    /// An instant of the story, somewhere in that minute.
    fn at(&mut self, day: i64, hour: i64, minute: i64) -> Timestamp {
        let within = self.dice.between(0, MINUTE_MS - 1);
        self.day0 + DurationMs(day * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS + within)
    }

    fn about(&mut self, length: DurationMs) -> DurationMs {
        let stray = if self.draft.in_cast { 0 } else { self.dice.between(-STRAY_PPM, STRAY_PPM) };
        DurationMs(length.ms() + length.ms() / 1_000 * stray / 1_000)
    }

    fn happens(&mut self, day: i64, hour: i64, length: DurationMs, kind: IncidentKind) -> Interval {
        let minute = self.dice.between(0, 50);
        let (from, length) = (self.at(day, hour, minute), self.about(length));
        self.draft.happens(RegionSet::ALL, from, length, kind)
    }

    /// Outages at some hour of these days, of so many minutes.
    fn downs(&mut self, outages: &[(i64, i64)]) {
        for (day, length) in outages {
            let hour = self.dice.between(7, 14);
            self.happens(*day, hour, minutes(*length), IncidentKind::Down);
        }
    }

    /// Removed on day 15, through probation after about day 107.
    fn held(&mut self, corrected_on: Option<i64>) {
        self.downs(&[(15, 480)]);
        let marketplace = self.draft.badge.terms.marketplaces[0];
        let wrong_from = self.at(60, 10, 0);
        let mut wrong = self.draft.listing(marketplace, wrong_from);
        match corrected_on {
            Some(_) => wrong.status = ListingStatus::Suppressed,
            None => wrong.brand = Some("Nobody's".to_owned()),
        }
        self.draft.listings.push(wrong);
        if let Some(day) = corrected_on {
            let right_from = self.at(day, 15, 30);
            let right = self.draft.listing(marketplace, right_from);
            self.draft.listings.push(right);
        }
    }

    fn regional(&mut self) {
        let stage = RegionSet::NONE.with(Region::Eu);
        let (from, length) = (self.at(30, 8, 20), self.about(minutes(540)));
        self.draft.happens(stage, from, length, IncidentKind::Down);
        self.draft.stage = stage;
    }

    fn blipper(&mut self) {
        self.downs(&[(12, 430)]);
        for day in [20, 28, 36, 44, 52, 60] {
            // Just an outage: six of them are within a month's budget.
            let from = self.at(day, 11, 0);
            self.draft.happens(RegionSet::ALL, from, DurationMs(300_000 + self.dice.between(0, 2_000)), IncidentKind::Down);
        }
    }

    fn excused(&mut self) {
        let disputed = self.happens(35, 7, minutes(500), IncidentKind::Down);
        let subject = ExclusionTarget::Subject(Subject::product(self.draft.asin()));
        self.draft.excused(subject, disputed, ExclusionReason::Dispute);
        let maintained = self.happens(64, 9, minutes(180), IncidentKind::Maintenance);
        let manufacturer = ExclusionTarget::Manufacturer(self.draft.badge.terms.manufacturer.clone());
        self.draft.excused(manufacturer, maintained, ExclusionReason::Maintenance);
    }

    fn newcomer(&mut self) {
        let outage = self.happens(100, 9, minutes(200), IncidentKind::Down);
        self.draft.badge.enabled_at = outage.from + minutes(140);
    }

    /// Five hours of blips three and a half minutes apart: one outage of half an hour.
    fn flaps(&mut self, day: i64) {
        let first = self.at(day, 10, 0);
        for blip in 0..85 {
            self.draft.happens(RegionSet::ALL, first + DurationMs(blip * 210_000), DurationMs(20_000), IncidentKind::Down);
        }
    }

    fn brownouts(&mut self, config: &FleetConfig) {
        for day in (5..i64::from(config.days)).step_by(16) {
            let failing = u32::try_from(self.dice.between(600_000, 940_000)).expect("positive");
            let (hour, length) = (self.dice.between(7, 16), self.dice.between(40, 360));
            self.happens(day, hour, minutes(length), IncidentKind::Partial(failing));
        }
    }

    fn expander(&mut self) {
        for (day, codes, customers) in [(60, &["US", "CA", "DE"], 20_000), (100, &["US", "DE", "UK"], 45_000)] {
            let mut change = self.draft.change(self.day0 + DurationMs::days(day));
            change.marketplaces = Some(markets(codes));
            change.customers = Some(customers);
            self.draft.changes.push(change);
        }
        self.downs(&[(80, 30)]);
    }
}

const fn minutes(minutes: i64) -> DurationMs {
    DurationMs(minutes * MINUTE_MS)
}
