//! Instants at which something may change, and the ones beside them.

use domain::policy::WindowRule;
use domain::time::{DAY_MS, MINUTE_MS};
use domain::{DurationMs, Interval, Policy, Timestamp};

use super::policies::window_ms;
use crate::dice::Dice;

/// Instants of a scenario, gathered as it is told.
#[derive(Debug)]
pub(super) struct Instants {
    known: Vec<Timestamp>,
    /// How far beside them to look, in milliseconds.
    beside: Vec<i64>,
}

impl Instants {
    pub(super) fn new(start: Timestamp, policy: &Policy) -> Self {
        let mut beside = vec![1_000, MINUTE_MS, MINUTE_MS - 1, policy.merge_gap.ms(), policy.merge_gap.ms() + 1];
        beside.extend([policy.min_duration.ms(), policy.min_duration.ms() - 1, DAY_MS]);
        beside.extend(policy.state_ttl.map(DurationMs::ms));
        Self { known: vec![start, start.next_day().unwrap_or(Timestamp::MAX)], beside }
    }

    pub(super) fn note(&mut self, at: Timestamp) {
        self.known.push(at);
    }

    /// Notes what follows from a run of downtime: its ends, when they leave the window, the
    /// probation months from its end, the minute and midnights around it.
    pub(super) fn note_run(&mut self, run: Interval, policy: &Policy) {
        let window = DurationMs(window_ms(policy));
        self.known.extend([run.from, run.to, run.to, run.from + window, run.to + window]);
        self.known.extend([
            run.from + policy.min_duration,
            run.to + policy.merge_gap,
            run.from.floor_minute(),
            run.to.next_day().unwrap_or(Timestamp::MAX),
        ]);
        self.known.extend((1..=policy.probation_months + 1).map(|months| run.to.plus_months(months)));
        self.known.push(run.to.plus_months(policy.probation_months));
        if let WindowRule::ResetsOn { month, day } = policy.window {
            self.known.extend(Timestamp::from_date(run.to.year() + 1, month, day));
        }
    }

    /// One of them, or an instant beside it.
    pub(super) fn near(&self, dice: &mut Dice) -> Timestamp {
        let at = *dice.pick(&self.known);
        let aside = match dice.below(10) {
            0..5 => 0,
            5 => 1,
            6 => -1,
            7 => *dice.pick(&self.beside),
            8 => -*dice.pick(&self.beside),
            _ => dice.between(-2 * DAY_MS, 2 * DAY_MS),
        };
        Timestamp::clamped(at.ms() + aside)
    }
}
