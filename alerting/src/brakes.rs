//! Brakes on removals (R25): the kill switch, and at most so many in an hour.
//!
//! Many removals at once are most likely our own fault or the platform's. What a brake holds back
//! is issued as a proposal and waits for somebody to rule on it.

use std::collections::VecDeque;

use domain::decision::{Decision, DecisionId, DecisionKind, Reason};
use domain::fact::KillSwitch;
use domain::policy::Policies;
use domain::time::{DurationMs, HOUR_MS, Timestamp};

/// Over what removals are counted.
const COUNTED_OVER: DurationMs = DurationMs(HOUR_MS);

/// The kill switch and the removals issued of late, by whoever shares these brakes.
///
/// A function of the registry's turns and of the decisions issued: [`Self::replay`] yields the same
/// after a restart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brakes {
    turns: Vec<KillSwitch>,
    /// T of the last removals issued, in order of it, whoever issued them; no more than any limit asks for.
    issued: VecDeque<(Timestamp, DecisionId)>,
    issued_max: usize,
    /// Of how many partitions, and of how many there are, removals are counted here: the limit is as large a share.
    share: (u32, u32),
}

impl Brakes {
    /// Brakes before any removal. `turns` in order of time; of several at one instant the last holds
    /// (as the registry lists them: on, if any is).
    #[must_use]
    pub fn new(turns: Vec<KillSwitch>, policies: &Policies) -> Self {
        let limits = policies.versions().iter().map(|policy| count(policy.max_removals_per_hour));
        Self { turns, issued: VecDeque::new(), issued_max: limits.max().unwrap_or(0), share: (1, 1) }
    }

    /// Brakes after what was issued, in the order in which it was.
    #[must_use]
    pub fn replay<'a>(turns: Vec<KillSwitch>, policies: &Policies, issued: impl Iterator<Item = &'a Decision>) -> Self {
        let mut brakes = Self::new(turns, policies);
        issued.for_each(|decision| brakes.count(decision));
        brakes
    }

    /// Takes in the registry's turns as they are now; the removals counted stay.
    pub fn turn(&mut self, turns: Vec<KillSwitch>) {
        self.turns = turns;
    }

    /// Notes that these are the brakes of so many of all partitions. Whoever has the others counts by itself, so
    /// each may issue its share of the limit: one at least, unless the limit is 0.
    pub const fn share(&mut self, owned: u32, of: u32) {
        self.share = (owned, of);
    }

    /// Whether the kill switch is on at an instant.
    #[must_use]
    pub fn is_on(&self, at: Timestamp) -> bool {
        let next = self.turns.partition_point(|turn| turn.at <= at);
        self.turns[..next].last().is_some_and(|turn| turn.on)
    }

    /// Why a removal that comes due at `t` is held back, if it is. `limit` is the policy's
    /// `max_removals_per_hour`; what was issued an hour before `t` no longer counts.
    #[must_use]
    pub fn hold(&self, t: Timestamp, limit: u32) -> Option<Reason> {
        let is_late = |(at, _): &&(Timestamp, DecisionId)| t.ms() - at.ms() < COUNTED_OVER.ms();
        if self.is_on(t) {
            Some(Reason::KillSwitch)
        } else if self.issued.iter().rev().take_while(is_late).count() >= self.shared(limit) {
            Some(Reason::RemovalLimit)
        } else {
            None
        }
    }

    fn shared(&self, limit: u32) -> usize {
        let (owned, of) = self.share;
        let share = u64::from(limit) * u64::from(owned) / u64::from(of.max(1));
        usize::try_from(share.max(u64::from(limit.min(1)))).unwrap_or(usize::MAX)
    }

    /// Counts an issued decision once, if it is a removal.
    pub fn count(&mut self, decision: &Decision) {
        if let (DecisionKind::BadgeRemoval, Some(issued)) = (decision.kind, &decision.evidence.issued) {
            let place = self.issued.partition_point(|(at, _)| *at <= issued.at);
            if self.issued.iter().all(|(_, id)| *id != decision.id) {
                self.issued.insert(place, (issued.at, decision.id));
            }
            while self.issued.len() > self.issued_max {
                self.issued.pop_front();
            }
        }
    }
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use domain::decision::{Evidence, InputPosition, Issued, Issuer, Scope};
    use domain::id::{Asin, ManufacturerId};
    use domain::time::MINUTE_MS;

    use super::*;
    use crate::id::About;

    fn minute(minute: i64) -> Timestamp {
        Timestamp::clamped(1_772_323_200_000 + minute * MINUTE_MS)
    }

    fn policies(limit: u32) -> Policies {
        let text = wire::policy::preset("wwa-2024").expect("a preset").replace("per_hour = 20", &format!("per_hour = {limit}"));
        Policies::new(wire::policy::parse(&text, "a test").expect("a policy")).expect("one version")
    }

    fn removal(number: usize, issued: i64, policies: &Policies) -> Decision {
        let about = About {
            asin: Asin::new(&format!("B{number}")),
            manufacturer: ManufacturerId::new("m-1").expect("an id"),
            scope: Scope::Global,
        };
        let mut evidence = Evidence::new(policies.at(minute(0)).name.clone());
        let inputs = vec![InputPosition { log: "events".to_owned(), partition: 0, next_offset: 7 }];
        evidence.issued = Some(Issued { at: minute(issued), by: Issuer::Partition(0), seq: 1, inputs });
        about.decide(DecisionKind::BadgeRemoval, vec![Reason::Budget], minute(0), evidence)
    }

    /// Removals issued at these minutes, turns of the switch, and what holds one back at a minute.
    fn check(limit: u32, issued: &[i64], turns: &[(i64, bool)], at: i64, expected: Option<Reason>) {
        let turns: Vec<KillSwitch> = turns
            .iter()
            .map(|&(at, on)| KillSwitch { on, at: minute(at), by: "ops".to_owned(), reason: "a test".to_owned() })
            .collect();
        let policies = policies(limit);
        let decisions: Vec<Decision> = issued.iter().enumerate().map(|(number, &at)| removal(number, at, &policies)).collect();
        let brakes = Brakes::replay(turns, &policies, decisions.iter());
        assert_eq!(brakes.hold(minute(at), limit), expected, "{limit} an hour, issued at {issued:?}, asked at {at}");
        assert!(brakes.issued.len() <= count(limit));
    }

    #[test]
    fn removals_of_the_last_hour_count() {
        check(2, &[], &[], 0, None);
        check(2, &[0], &[], 0, None);
        check(2, &[0, 0], &[], 0, Some(Reason::RemovalLimit));
        check(2, &[0, 30], &[], 59, Some(Reason::RemovalLimit));
        check(2, &[0, 30], &[], 60, None);
        check(2, &[0, 30, 40, 50], &[], 89, Some(Reason::RemovalLimit));
        check(2, &[0, 30, 40, 50], &[], 100, None);
        check(0, &[], &[], 0, Some(Reason::RemovalLimit));
    }

    #[test]
    fn the_limit_is_shared_out_by_partitions() {
        let allowed = |limit: u32, owned: u32, of: u32| {
            let policies = policies(limit);
            let mut brakes = Brakes::new(Vec::new(), &policies);
            brakes.share(owned, of);
            let free = |brakes: &Brakes| brakes.hold(minute(0), limit).is_none();
            (0..)
                .take_while(|&number| {
                    let is_free = free(&brakes);
                    brakes.count(&removal(number, 0, &policies));
                    is_free
                })
                .count()
        };
        assert_eq!([allowed(20, 4, 4), allowed(20, 2, 4), allowed(20, 1, 3)], [20, 10, 6]);
        assert_eq!([allowed(20, 1, 64), allowed(0, 1, 64), allowed(0, 4, 4)], [1, 0, 0]);
    }

    #[test]
    fn the_kill_switch_is_on_from_its_instant_until_it_is_off() {
        let turns = [(10, true), (20, false), (30, false), (30, true)];
        check(1, &[], &turns, 9, None);
        check(1, &[], &turns, 10, Some(Reason::KillSwitch));
        check(1, &[10], &turns, 19, Some(Reason::KillSwitch));
        check(1, &[], &turns, 20, None);
        check(1, &[], &turns, 30, Some(Reason::KillSwitch));
    }
}
