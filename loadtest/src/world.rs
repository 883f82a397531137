//! A scenario as it reaches the logs: who appends what, when, and into which partition.
//!
//! Events come a little late, very late, too late, too early, twice, packed, or into a partition
//! that isn't their subject's; facts before what they are about or long after.

use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::{DurationMs, Event, Fact, Policies, Timestamp};

use crate::dice::Dice;
use crate::scenario::Scenario;

const DELIVERY: u64 = 10;
/// Most partitions of `health` in a world.
pub const PARTITIONS_MAX: u32 = 4;
/// Latest that anything is appended after it happened, in days.
const LATE_DAYS_MAX: i64 = 400;

/// Everything that is appended from outside, in order of time.
#[derive(Clone, Debug)]
pub struct World {
    /// What it was built from.
    pub seed: u64,
    /// The policy's versions.
    pub policies: Policies,
    /// How many partitions `health` has.
    pub partitions: u32,
    /// In order of time.
    pub deliveries: Vec<Delivery>,
}

/// An append.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Parcel,
}

/// What is appended.
#[derive(Clone, Debug)]
pub enum Parcel {
    /// A registry line.
    Fact(Fact),
    /// Events in one record, for the partition of the first one's subject or for this one.
    Events(Vec<Event>, Option<u32>),
}

impl World {
    /// The world of a seed: its scenario's facts and events, but for rulings, which answer proposals.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::of(Scenario::new(seed))
    }

    /// The world of a scenario.
    ///
    /// # Panics
    /// Never: partitions are few.
    #[must_use]
    pub fn of(scenario: Scenario) -> Self {
        let dice = &mut Dice::new(scenario.seed, DELIVERY);
        let partitions = 1 + dice.below_u32(PARTITIONS_MAX);
        let mut deliveries = Vec::new();
        for fact in &scenario.facts {
            if !matches!(fact, Fact::Ruling(_)) {
                deliveries.push(Delivery { at: fact_appended(fact, &scenario, dice), what: Parcel::Fact(fact.clone()) });
            }
        }
        let mut events = scenario.events.clone();
        for _ in 0..dice.below(6) {
            if let Some(again) = (!events.is_empty()).then(|| dice.pick(&events).clone()).filter(|event| event.seq.is_some()) {
                events.push(again);
            }
        }
        for event in events {
            let at = event_appended(&event, &scenario.policies, dice);
            let strays = dice.chance(120_000).then(|| dice.below_u32(partitions));
            deliveries.push(Delivery { at, what: Parcel::Events(vec![event], strays) });
        }
        deliveries.sort_by_key(|delivery| delivery.at);
        Self { seed: scenario.seed, policies: scenario.policies, partitions, deliveries: packed(deliveries, dice) }
    }

    /// When everything is appended.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        self.deliveries.last().map_or(Timestamp::MIN, |delivery| delivery.at)
    }
}

/// Joins some neighbours about one subject into records of several lines.
fn packed(deliveries: Vec<Delivery>, dice: &mut Dice) -> Vec<Delivery> {
    let mut out: Vec<Delivery> = Vec::new();
    for next in deliveries {
        if let (Some(Delivery { what: Parcel::Events(before, strays), at }), Parcel::Events(events, None)) =
            (out.last_mut(), &next.what)
            && strays.is_none()
            && before[0].subject == events[0].subject
            && (next.at - *at).ms() < MINUTE_MS
            && dice.chance(500_000)
        {
            before.extend(events.iter().cloned());
            *at = next.at;
            continue;
        }
        out.push(next);
    }
    out
}

fn event_appended(event: &Event, policies: &Policies, dice: &mut Dice) -> Timestamp {
    let max_skew = policies.at(event.at).max_skew.ms();
    let delay = match dice.below(100) {
        0..60 => dice.between(0, 3_000),
        60..70 => dice.between(0, 10 * MINUTE_MS),
        70..78 => dice.between(0, 2 * DAY_MS),
        78..88 => dice.between(0, 30 * DAY_MS),
        88..92 => dice.between(0, LATE_DAYS_MAX * DAY_MS),
        92..98 => -dice.between(0, max_skew),
        _ => -dice.between(max_skew, max_skew + HOUR_MS),
    };
    Timestamp::clamped(event.at.ms() + delay)
}

/// Most facts are appended before what they are about, some long after.
fn fact_appended(fact: &Fact, scenario: &Scenario, dice: &mut Dice) -> Timestamp {
    let start = scenario.events.iter().map(|event| event.at).min().unwrap_or(scenario.at);
    let own = match fact {
        Fact::Manufacturer(_) => start,
        Fact::Badge(badge) => badge.enabled_at.min(start),
        Fact::BadgeChange(change) => change.at,
        Fact::Withdrawal(withdrawal) => withdrawal.at,
        Fact::Exclusion(exclusion) => exclusion.interval.to,
        Fact::Listing(listing) => listing.at,
        Fact::SkillListing(listing) => listing.at,
        Fact::ExclusionRevoked(revoked) => revoked.at,
        Fact::Ruling(ruling) => ruling.at,
        Fact::Acknowledgement(acknowledgement) => acknowledgement.at,
        Fact::KillSwitch(turn) => turn.at,
    };
    let own = own.min(scenario.at);
    let delay = match dice.below(10) {
        0..6 => -dice.between(0, 2 * DAY_MS),
        6..8 => dice.between(0, HOUR_MS),
        8 => dice.between(0, 30 * DAY_MS),
        _ => dice.between(0, LATE_DAYS_MAX * DAY_MS),
    };
    Timestamp::clamped(own.ms() + delay)
}

/// How long after the last append everything has settled, by these policies.
#[must_use]
pub fn settled_after(policies: &Policies) -> DurationMs {
    let longest = policies.versions().iter().map(|policy| policy.settle_enforcement.max(policy.settle_warnings)).max();
    DurationMs(longest.unwrap_or_default().ms() + 2 * DAY_MS)
}
