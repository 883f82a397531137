//! Skills whose service is degraded (DESIGN section 1): a warning of its own kind, never downtime.
//!
//! Judged at T's minute, over what was reported lately; so it depends on when T is reached, unlike
//! what evidence implies. It is issued once when a service becomes degraded.

use std::collections::{BTreeMap, BTreeSet};

use alerting::id::About;
use compute::Quality;
use domain::Product;
use domain::decision::{Decision, DecisionKind, Evidence, Scope};
use domain::event::{EventBody, EventRef};
use domain::id::{ManufacturerId, Region, SkillId};
use domain::interval::Interval;
use domain::policy::Policies;
use domain::time::{DurationMs, HOUR_MS, Timestamp};
use registry::Registry;

/// A service that was degraded when it was last told isn't told again within this time after a restart.
const TOLD_AGAIN: DurationMs = DurationMs(HOUR_MS);

/// The lately reported quality of an owner's skills.
#[derive(Debug, Default)]
pub(super) struct Services {
    quality: BTreeMap<(SkillId, Region), Quality>,
    /// Those that are degraded, since when.
    degraded: BTreeMap<(SkillId, Region), Timestamp>,
    judged: Option<Timestamp>,
    /// After a restart: what was reported before this instant isn't known whole, and isn't judged.
    paused_until: Timestamp,
}

impl Services {
    /// Services as told before a restart.
    pub(super) fn replay<'d>(decisions: impl Iterator<Item = &'d Decision>) -> Self {
        let mut services = Self::default();
        for decision in decisions.filter(|decision| decision.kind == DecisionKind::ServiceDegradation) {
            if let (Some(skill), Scope::Region(region)) = (&decision.evidence.skill, decision.scope) {
                services.degraded.insert((skill.clone(), region), decision.at);
            }
        }
        services
    }

    pub(super) fn add(&mut self, policies: &Policies, event: &EventRef<'_>, latencies: impl Iterator<Item = (DurationMs, u64)>) {
        let (EventBody::Outcome { ok, failed }, Some(skill)) = (event.body, SkillId::new(event.subject.id)) else { return };
        let quality = self.quality.entry((skill, event.region)).or_insert_with(|| {
            let windows = policies.versions().iter().map(|policy| policy.degradation.window).max();
            let ahead = policies.versions().iter().map(|policy| policy.max_skew).max();
            Quality::new(windows.unwrap_or_default(), ahead.unwrap_or_default())
        });
        let latencies = latencies.map(|(latency, count)| (latency.ms().unsigned_abs(), count));
        quality.add(event.at, u64::from(ok), u64::from(failed), latencies);
    }

    /// Notes that reports of records up to an append time were not heard here.
    pub(super) fn pause(&mut self, appended_at: Option<Timestamp>, policies: &Policies) {
        let window = policies.versions().iter().map(|policy| policy.degradation.window).max().unwrap_or_default();
        let skew = policies.versions().iter().map(|policy| policy.max_skew).max().unwrap_or_default();
        let until = appended_at.unwrap_or(Timestamp::MIN).saturating_add(window).saturating_add(skew);
        self.paused_until = self.paused_until.max(until);
    }

    /// The services that became degraded by T's minute: one decision for each manufacturer with a
    /// product that depends on one.
    pub(super) fn judge(&mut self, policies: &Policies, t: Timestamp, registry: &Registry) -> Vec<Decision> {
        let at = t.floor_minute();
        if at < self.paused_until || self.judged.replace(at).is_some_and(|judged| judged >= at) {
            return Vec::new();
        }
        let policy = policies.at(at);
        let mut out = Vec::new();
        for ((skill, region), quality) in &self.quality {
            let key = (skill.clone(), *region);
            let Some(found) = quality.judge(at, &policy.degradation) else {
                self.degraded.remove(&key);
                continue;
            };
            let told = self.degraded.insert(key, at);
            if told.is_none_or(|told| told.saturating_add(TOLD_AGAIN) < at) {
                let window = Interval::new(at.saturating_sub(policy.degradation.window), at);
                for manufacturer in concerned(registry, skill, *region, at) {
                    let mut evidence = Evidence::new(policy.name.clone());
                    evidence.window = Some(window);
                    evidence.skill = Some(skill.clone());
                    let about = About { asin: None, manufacturer, scope: Scope::Region(*region) };
                    out.push(about.decide(DecisionKind::ServiceDegradation, found.reasons.clone(), at, evidence));
                }
            }
        }
        out
    }

    /// How many services are degraded.
    pub(super) fn degraded(&self) -> usize {
        self.degraded.len()
    }
}

/// The manufacturers of the products that depend on a skill in a region at an instant.
fn concerned(registry: &Registry, skill: &SkillId, region: Region, at: Timestamp) -> BTreeSet<ManufacturerId> {
    let depends =
        |product: &&Product| product.badged_in(region).contains(at) && product.terms_at(at).skill.as_ref() == Some(skill);
    registry.products.values().filter(depends).map(|product| product.terms_at(at).manufacturer.clone()).collect()
}
