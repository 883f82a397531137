//! What an owner has in hand, for those who watch it.

use alerting::burn_rate::{self, Account, BurnPair};
use alerting::{AcknowledgementStatus, Brakes, acknowledgement};
use domain::decision::{DecisionKind, Reason, Scope};
use domain::id::{Region, Subject};
use domain::interval::Interval;
use domain::policy::Policy;
use domain::report::{ProductStanding, Standing};
use domain::time::{MINUTE_MS, Timestamp};
use telemetry::{Brake, OwnerState};

use super::Partition;
use super::product::Owned;
use crate::tables::Tables;

impl Partition {
    /// Counts what is in memory, waits, or is to be answered.
    #[must_use]
    pub fn in_hand(&self, tables: &Tables) -> OwnerState {
        let mut state = OwnerState {
            pages_resident_bytes: self.subjects.resident_bytes() as u64,
            skills_degraded: self.services.degraded() as u64,
            ..OwnerState::default()
        };
        let (registry, t) = (tables.registry.registry(), self.t.unwrap_or(Timestamp::MIN));
        for owned in &self.products {
            state.decisions_waiting += owned.waiting as u64;
            state.proposals_open += owned.issued.open_proposals(registry.rulings_on(&owned.asin), t).count() as u64;
            let critical = owned.issued.decisions().iter().filter(|decision| decision.kind == DecisionKind::CriticalOutage);
            for outage in critical {
                let within = self.rules.policies.at(outage.at).critical_outage_acknowledge_within;
                let fact = registry.acknowledgements.get(&outage.id);
                match within.map(|within| acknowledgement::status(outage, fact, within, t)) {
                    Some(AcknowledgementStatus::Open) => state.critical_open += 1,
                    Some(AcknowledgementStatus::Overdue) => state.critical_overdue += 1,
                    Some(AcknowledgementStatus::Acknowledged { .. }) | None => {}
                }
            }
        }
        state
    }

    /// Whether a removal that came due now would be held back by a brake (R25).
    #[must_use]
    pub fn is_held_by(&self, brake: Brake, brakes: &Brakes) -> bool {
        let Some(t) = self.t else { return false };
        let held = brakes.hold(t, self.rules.policies.at(t).max_removals_per_hour);
        held == Some(match brake {
            Brake::KillSwitch => Reason::KillSwitch,
            Brake::RemovalLimit => Reason::RemovalLimit,
        })
    }

    /// How fast products that have their badge burn their budgets, over the long window of each of the
    /// policy's pairs, and whether that pair alerts; only where there were attempts enough to say.
    pub fn burns(&self) -> impl Iterator<Item = (Scope, BurnPair)> {
        let on = |standing: &&ProductStanding| matches!(standing.standing, Standing::Good | Standing::Warned);
        let standings = self.products.iter().flat_map(move |owned| owned.standings.iter().filter(on).map(move |s| (owned, s)));
        let burning = standings.filter(|(_, standing)| standing.downtime_ms > 0);
        burning.flat_map(|(owned, standing)| {
            let known = self.burns_of(owned, standing).into_iter().filter(|pair| pair.is_known);
            known.map(|pair| (standing.scope, pair))
        })
    }

    fn burns_of(&self, owned: &Owned, standing: &ProductStanding) -> Vec<BurnPair> {
        let (at, scope) = (standing.window.to, standing.scope);
        let policy = self.rules.policies.at(at);
        let evidence = owned.evidence.by(self.rules.policies.index_at(at));
        let downtime_ms = |within: Interval| match scope {
            Scope::Global => evidence.effective.ms_within(within),
            Scope::Region(region) => evidence.region(region).map_or(0, |region| region.effective.ms_within(within)),
        };
        let account = Account { budget_ms: standing.budget_ms, window: policy.frame_at(at).length, since: standing.window.from };
        let attempts = |within: Interval| self.attempts(owned, scope, within, policy);
        burn_rate::pairs(&policy.burn_rate, account, at, &downtime_ms, &attempts)
    }

    /// At least so many attempts of a product in a stretch of time: those counted where its pages are in
    /// memory, else what its judged minutes vouch for.
    fn attempts(&self, owned: &Owned, scope: Scope, within: Interval, policy: &Policy) -> u64 {
        let Some(number) = self.subjects.number(Subject::product(&owned.asin).as_ref()) else { return 0 };
        let regions = Region::ALL.into_iter().filter(|region| scope.includes(*region));
        let counted = regions.filter_map(|region| Some((region, self.subjects.health(number, region)?)));
        counted
            .map(|(region, health)| match health.attempts(within) {
                Some(attempts) => attempts.ok.saturating_add(attempts.failed),
                None => {
                    let evidence = owned.evidence.by(self.rules.policies.index_at(within.to));
                    let measured_ms = evidence.region(region).map_or(0, |region| region.measured.ms_within(within));
                    u64::from(policy.min_attempts) * (measured_ms / MINUTE_MS).unsigned_abs()
                }
            })
            .fold(0, u64::saturating_add)
    }
}
