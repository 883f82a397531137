//! Spends the events that are asked for: who sends states how often, and who counts how many
//! minutes a day.
//!
//! The trade: a year has 525,600 minutes, so a thousand products that count all of them take half
//! a billion events. A state measures up to an hour with one event (R4, R8), an outcome one
//! minute. So coverage is bought with states and traffic with what is left; see
//! [`super::FleetConfig::events`] for the order.

use domain::ratio::PPM;

use super::channel::{Channel, DUTY_STATES, Heartbeat, MINUTES_A_DAY, RENEWAL};
use super::config::FleetConfig;
use super::error::Error;
use super::incident::IncidentKind;

/// One minute in so many is counted by two reporters, each with its part.
pub(crate) const SPLIT_ONE_IN: i64 = 8;
/// Minutes a day that a product counts at least if its story shows in counts only.
const STORY_MINUTES: i64 = 20;
/// Minutes a day from which a product may do without states: more than half of the day.
const MINUTES_INSTEAD_OF_STATES: i64 = 870;
/// Attempts at the busiest time with which every minute of the day is judged under the presets.
const ATTEMPTS_FOR_EVERY_MINUTE: u32 = 200;

/// How much a channel's coverage matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Need {
    /// Its story needs measured months.
    Coverage,
    /// Half of the day would be good.
    Some,
    /// It isn't a product.
    None,
}

/// What the budget looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) need: Need,
    /// Channels of one product have the same number; they are covered together.
    pub(crate) product: usize,
    /// Its story shows in counts only.
    pub(crate) needs_outcomes: bool,
    /// Share of the traffic, relative to others.
    pub(crate) weight: i64,
    /// May report outcomes without states if they are many.
    pub(crate) may_drop_states: bool,
    /// Evens out what rounding leaves, in parts per million of a minute.
    pub(crate) dither_ppm: i64,
}

/// Sets heartbeats and outcome minutes of all channels; returns the number of lines they come to.
///
/// # Errors
/// When the stories alone need more events than asked for, or the products can't report so many.
pub(crate) fn spend(channels: &mut [Channel], wishes: &[Wish], config: &FleetConfig) -> Result<u64, Error> {
    let wanted = well_formed(config);
    for (channel, wish) in channels.iter_mut().zip(wishes) {
        channel.heartbeat = match wish.need {
            Need::Coverage => Heartbeat::Always,
            Need::Some => Heartbeat::Never,
            Need::None => Heartbeat::Daily,
        };
    }
    let stories = state_events(channels) + outcome_events(channels, wishes, 0);
    if stories > wanted {
        return Err(Error::TooFewEvents {
            given: config.events,
            needed: lines(stories, config),
            products: config.products,
            days: config.days,
        });
    }
    let for_outcomes = outcome_events(channels, wishes, 0).max(config.outcome_share.floor_of(wanted));
    cover(channels, wishes, wanted - for_outcomes);
    let mut rate = traffic(channels, wishes, wanted);
    if drop_states(channels, wishes, rate) {
        rate = traffic(channels, wishes, wanted);
    }
    let reached = state_events(channels) + outcome_events(channels, wishes, rate);
    // What a whole minute a day more would overshoot, and what rounding leaves.
    if reached < wanted - wanted / 50 {
        return Err(Error::TooManyEvents {
            given: config.events,
            possible: lines(reached, config),
            products: config.products,
            days: config.days,
        });
    }
    for (channel, wish) in channels.iter_mut().zip(wishes) {
        channel.outcome_minutes = minutes_a_day(channel, wish, rate);
    }
    Ok(lines(reached, config))
}

/// Gives as many products as possible half of every day, then the whole day.
fn cover(channels: &mut [Channel], wishes: &[Wish], budget: i64) {
    let mut left = budget - state_events(channels);
    for heartbeat in [Heartbeat::Duty, Heartbeat::Always] {
        let mut first = 0;
        while first < channels.len() {
            let product = wishes[first].product;
            let end = first + wishes[first..].iter().take_while(|wish| wish.product == product).count();
            let ours = &mut channels[first..end];
            first = end;
            if wishes[end - 1].need != Need::Some {
                continue;
            }
            let before: i64 = ours.iter().map(|channel| heartbeat_events(channel, channel.heartbeat)).sum();
            let after: i64 = ours.iter().map(|channel| heartbeat_events(channel, heartbeat)).sum();
            if after - before <= left {
                left -= after - before;
                ours.iter_mut().for_each(|channel| channel.heartbeat = heartbeat);
            }
        }
    }
}

/// The traffic, in parts per million of a minute a day for each unit of weight, at which the
/// events reach `wanted`, or that of all products counting all day if they can't.
fn traffic(channels: &[Channel], wishes: &[Wish], wanted: i64) -> i64 {
    let states = state_events(channels);
    let (mut low, mut high) = (0, MINUTES_A_DAY * PPM);
    while low < high {
        let middle = low + (high - low) / 2;
        if states + outcome_events(channels, wishes, middle) < wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Lets products that count most of the day do without states.
fn drop_states(channels: &mut [Channel], wishes: &[Wish], rate: i64) -> bool {
    let mut dropped = false;
    for (channel, wish) in channels.iter_mut().zip(wishes) {
        let enough = minutes_a_day(channel, wish, rate) >= MINUTES_INSTEAD_OF_STATES;
        if enough && wish.may_drop_states && channel.attempts_peak >= ATTEMPTS_FOR_EVERY_MINUTE {
            channel.heartbeat = Heartbeat::Never;
            dropped = true;
        }
    }
    dropped
}

fn minutes_a_day(channel: &Channel, wish: &Wish, rate: i64) -> i64 {
    if !channel.reports_outcomes {
        return 0;
    }
    let least = if wish.needs_outcomes { STORY_MINUTES } else { 0 };
    ((rate * wish.weight + wish.dither_ppm) / PPM).clamp(least, MINUTES_A_DAY)
}

fn state_events(channels: &[Channel]) -> i64 {
    channels.iter().map(|channel| heartbeat_events(channel, channel.heartbeat) + incident_states(channel)).sum()
}

fn heartbeat_events(channel: &Channel, heartbeat: Heartbeat) -> i64 {
    let minutes = channel.active.ms() / 60_000;
    1 + match heartbeat {
        Heartbeat::Never => 0,
        Heartbeat::Daily => minutes / MINUTES_A_DAY,
        Heartbeat::Duty => minutes * DUTY_STATES / MINUTES_A_DAY,
        Heartbeat::Always => channel.active.ms() / RENEWAL.ms(),
    }
}

fn incident_states(channel: &Channel) -> i64 {
    let renewals = |ms: i64| if channel.heartbeat == Heartbeat::Always { 0 } else { ms / RENEWAL.ms() };
    channel
        .incidents
        .iter()
        .map(|incident| match incident.kind {
            IncidentKind::Down | IncidentKind::Maintenance => 2 + renewals(incident.interval.ms()),
            IncidentKind::Silent if channel.heartbeat == Heartbeat::Always => 2 - incident.interval.ms() / RENEWAL.ms(),
            IncidentKind::Silent => 2,
            IncidentKind::Partial(_) => 0,
        })
        .sum()
}

/// Outcomes of all channels at a traffic.
fn outcome_events(channels: &[Channel], wishes: &[Wish], rate: i64) -> i64 {
    channels
        .iter()
        .zip(wishes)
        .map(|(channel, wish)| {
            let minutes = minutes_a_day(channel, wish, rate);
            if !channel.reports_outcomes {
                return 0;
            }
            let (mut silent, mut beyond) = (0, 0);
            for incident in &channel.incidents {
                let length = incident.interval.to.minute() - incident.interval.from.minute() + 1;
                if incident.kind == IncidentKind::Silent {
                    silent += length;
                } else {
                    beyond += length * (MINUTES_A_DAY - minutes) / MINUTES_A_DAY;
                }
            }
            let counted = (channel.active.ms() / 60_000 - silent).max(0) * minutes / MINUTES_A_DAY + beyond;
            counted + counted / SPLIT_ONE_IN
        })
        .sum()
}

/// How many well-formed first copies make up the lines that are asked for.
fn well_formed(config: &FleetConfig) -> i64 {
    let lines = i64::try_from(config.events).unwrap_or(i64::MAX);
    let formed = config.malformed_share.complement().floor_of(lines);
    let product = i128::from(formed) * i128::from(PPM) / i128::from(PPM + config.duplicate_share.get());
    i64::try_from(product).unwrap_or(i64::MAX)
}

/// How many lines so many well-formed first copies come to.
fn lines(events: i64, config: &FleetConfig) -> u64 {
    let with_duplicates = i128::from(events) * i128::from(PPM + config.duplicate_share.get());
    let lines = with_duplicates / i128::from(config.malformed_share.complement().get());
    u64::try_from(lines).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_well_formed_events_are_each_others_inverse() {
        let config = FleetConfig::default();
        for events in [10_000, 1_000_000, 5_000_000_000] {
            let back = lines(well_formed(&FleetConfig { events, ..config.clone() }), &config);
            assert!(events.abs_diff(back) <= 2, "{events} {back}");
        }
    }
}
