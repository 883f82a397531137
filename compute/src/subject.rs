//! The health of one subject in one region: its minutes and its states.

use domain::event::{EventBody, HealthState};
use domain::interval::{Interval, IntervalSet};
use domain::policy::Policy;
use domain::time::{DurationMs, Timestamp};

use crate::minutes::Minutes;

/// Everything reported about one subject in one region.
#[derive(Clone, Default, Debug)]
pub struct SubjectHealth {
    minutes: Minutes,
    /// Sorted by instant, one state each: the worst reported there (R4).
    states: Vec<(Timestamp, HealthState)>,
}

impl SubjectHealth {
    /// Takes in what an event says. Returns whether downtime may have changed.
    pub fn apply(&mut self, at: Timestamp, body: EventBody, policy: &Policy) -> bool {
        match body {
            EventBody::Outcome { ok, failed } => self.minutes.add(at, ok, failed, policy),
            EventBody::State(state) => self.declare(at, state),
        }
    }

    /// Downtime up to `until`: down minutes and `down` or `maintenance` states (R3, R4).
    #[must_use]
    pub fn downtime(&self, until: Timestamp, policy: &Policy) -> IntervalSet {
        self.minutes.down(until).union(&self.states(until, policy.state_ttl, HealthState::is_downtime))
    }

    /// Measured time up to `until`: judged minutes and every state but `unknown` (R8).
    #[must_use]
    pub fn measured(&self, until: Timestamp, policy: &Policy) -> IntervalSet {
        self.minutes.judged(until).union(&self.states(until, policy.state_ttl, HealthState::is_measured))
    }

    fn declare(&mut self, at: Timestamp, state: HealthState) -> bool {
        // States come mostly in order, and searching among a year of them is slow.
        let next = match self.states.last() {
            Some(&(last, _)) if last < at => self.states.len(),
            _ => self.states.partition_point(|&(instant, _)| instant < at),
        };
        match self.states.get_mut(next) {
            Some((instant, held)) if *instant == at => {
                let changed = state > *held;
                *held = state.max(*held);
                changed
            }
            _ => {
                self.states.insert(next, (at, state));
                true
            }
        }
    }

    fn states(&self, until: Timestamp, ttl: Option<DurationMs>, keep: impl Fn(HealthState) -> bool) -> IntervalSet {
        let mut out = IntervalSet::new();
        for (index, &(at, state)) in self.states.iter().enumerate() {
            if keep(state) {
                let next = self.states.get(index + 1).map_or(Timestamp::MAX, |&(next, _)| next);
                let expires = ttl.map_or(Timestamp::MAX, |ttl| at.saturating_add(ttl));
                out.push(Interval::new(at, next.min(expires).min(until)));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::policy;
    use HealthState::{Down, Maintenance, Unknown, Up};

    fn check(ttl: Option<i64>, states: &[(i64, HealthState)], down: &[(i64, i64)], measured: &[(i64, i64)]) {
        let mut policy = policy();
        policy.state_ttl = ttl.map(DurationMs);
        let set = |parts: &[(i64, i64)]| {
            parts.iter().map(|&(a, b)| Interval::new(Timestamp::clamped(a), Timestamp::clamped(b))).collect::<IntervalSet>()
        };
        let until = Timestamp::clamped(1_000);
        let mut orders = vec![states.to_vec(), states.to_vec()];
        orders[1].reverse();
        for order in orders {
            let mut health = SubjectHealth::default();
            for (at, state) in order {
                health.apply(Timestamp::clamped(at), EventBody::State(state), &policy);
            }
            assert_eq!(health.downtime(until, &policy), set(down), "downtime of {states:?}");
            assert_eq!(health.measured(until, &policy), set(measured), "measured of {states:?}");
        }
    }

    #[test]
    fn a_state_holds_to_the_next_at_most_its_ttl() {
        check(Some(100), &[(10, Down)], &[(10, 110)], &[(10, 110)]);
        check(None, &[(10, Down)], &[(10, 1_000)], &[(10, 1_000)]);
        check(Some(100), &[(10, Down), (60, Down), (90, Up)], &[(10, 90)], &[(10, 190)]);
        check(Some(100), &[(10, Up), (60, Unknown), (90, Maintenance)], &[(90, 190)], &[(10, 60), (90, 190)]);
        check(None, &[(10, Up), (2_000, Down)], &[], &[(10, 1_000)]);
    }

    #[test]
    fn the_worst_of_one_instant_holds() {
        check(Some(10), &[(10, Up), (10, Down), (10, Maintenance), (10, Unknown)], &[(10, 20)], &[(10, 20)]);
        check(Some(10), &[(10, Up), (10, Unknown)], &[], &[]);
        check(Some(10), &[(10, Maintenance), (10, Unknown)], &[(10, 20)], &[(10, 20)]);
    }
}
