//! The versions of a scenario's policy: mostly one, else switches on or beside the instants that
//! matter.

use domain::policy::Enforcement;
use domain::{Policies, Policy, Timestamp};

use super::instants::Instants;
use super::policies::varied;
use crate::dice::Dice;

/// Draws to find an instant in the story.
const DRAWS_MAX: usize = 8;

/// Versions that begin with a policy; `dates` are those of the decisions that it alone implies.
pub(super) fn versions(
    mut first: Policy,
    instants: &Instants,
    dates: &[Timestamp],
    (start, at): (Timestamp, Timestamp),
    dice: &mut Dice,
) -> Policies {
    if dice.chance(130_000) {
        first.enforcement = Enforcement::Review;
    }
    let switches = match dice.below(100) {
        0..60 => 0,
        60..85 => 1,
        _ => 2,
    };
    let mut turns: Vec<Timestamp> = (0..switches).map(|_| turn(instants, dates, (start, at), dice)).collect();
    turns.sort_unstable();
    turns.dedup();
    let mut versions = vec![first];
    for turn in turns {
        if let Some(next) = versions.last().filter(|before| before.effective_from < turn).map(|before| varied(before, turn, dice))
        {
            versions.push(next);
        }
    }
    let first = versions[0].clone();
    Policies::new(versions).unwrap_or_else(|| first.into())
}

/// When another version takes effect: seldom outside the story.
fn turn(instants: &Instants, dates: &[Timestamp], (start, at): (Timestamp, Timestamp), dice: &mut Dice) -> Timestamp {
    let mut turn = at;
    for _ in 0..DRAWS_MAX {
        turn = match dice.below(20) {
            0..10 if !dates.is_empty() => beside(*dice.pick(dates), dice),
            0 => beside(at, dice),
            1 => Timestamp::clamped(dice.between(start.ms(), at.ms())),
            _ => instants.near(dice),
        };
        if start < turn && turn <= at {
            break;
        }
    }
    turn
}

/// An instant, or the one before or after it.
pub(super) fn beside(at: Timestamp, dice: &mut Dice) -> Timestamp {
    Timestamp::clamped(at.ms() + *dice.pick(&[0, 0, 0, 1, -1]))
}
