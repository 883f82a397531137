//! From the health of subjects to a product's evidence (R6–R9).

use domain::decision::Cause;
use domain::evidence::{Excluded, Outage, ProductEvidence, RegionEvidence};
use domain::fact::{Exclusion, ExclusionTarget, Terms};
use domain::id::{Region, SubjectKind, SubjectRef};
use domain::interval::{Interval, IntervalSet};
use domain::policy::Policy;
use domain::product::Product;
use domain::time::{DurationMs, Timestamp};

use crate::ask::Ask;
use crate::subject::SubjectHealth;

/// Gathers what is known of a product up to `until`.
///
/// `health` finds what was reported about a subject in a region; `exclusions` may hold ones
/// that don't concern the product.
pub fn gather<'h>(
    product: &Product,
    exclusions: &[Exclusion],
    policy: &Policy,
    until: Timestamp,
    health: impl Fn(SubjectRef<'_>, Region) -> Option<&'h SubjectHealth>,
) -> ProductEvidence {
    let mut excluded = Vec::new();
    let regions: Vec<RegionEvidence> = Region::ALL
        .into_iter()
        .filter_map(|region| {
            let badged = product.badged_in(region).clip(Interval::new(Timestamp::MIN, until));
            (!badged.is_empty()).then(|| {
                let gatherer = Gatherer { product, policy, until, region, badged };
                gatherer.region(exclusions, &mut excluded, &health)
            })
        })
        .collect();
    let outages = outages(&regions, policy);
    ProductEvidence { until, merge_gap: policy.merge_gap, regions, outages, excluded }
}

struct Gatherer<'a> {
    product: &'a Product,
    policy: &'a Policy,
    until: Timestamp,
    region: Region,
    badged: IntervalSet,
}

impl Gatherer<'_> {
    fn region<'h>(
        self,
        exclusions: &[Exclusion],
        excluded: &mut Vec<Excluded>,
        health: &impl Fn(SubjectRef<'_>, Region) -> Option<&'h SubjectHealth>,
    ) -> RegionEvidence {
        let own = SubjectRef { kind: SubjectKind::Product, id: self.product.asin.as_str() };
        let measured = health(own, self.region).map(|own| own.measured(self.ask())).unwrap_or_default();
        let down = Cause::ALL.map(|cause| self.downtime(cause, health));
        let raw = down.iter().fold(IntervalSet::new(), |all, set| all.union(set));
        let excuse = self.excuse(&raw, exclusions, excluded);
        RegionEvidence {
            region: self.region,
            effective: raw.subtract(&excuse),
            raw,
            by_cause: down.map(|set| set.subtract(&excuse)),
            measured: measured.intersect(&self.badged),
            badged: self.badged,
        }
    }

    fn ask(&self) -> Ask {
        Ask { within: Interval::ALWAYS, until: self.until, state_ttl: self.policy.state_ttl }
    }

    /// Downtime from a cause while the registry ties the product to it and the badge holds (R6).
    fn downtime<'h>(&self, cause: Cause, health: &impl Fn(SubjectRef<'_>, Region) -> Option<&'h SubjectHealth>) -> IntervalSet {
        let mut out: Vec<Interval> = Vec::new();
        for (tied, terms) in self.product.terms() {
            let subject = match cause {
                Cause::Own => Some(SubjectRef { kind: SubjectKind::Product, id: self.product.asin.as_str() }),
                Cause::Skill => terms.skill.as_ref().map(|skill| SubjectRef { kind: SubjectKind::Skill, id: skill.as_str() }),
                Cause::Hub => terms.hub.as_ref().map(|hub| SubjectRef { kind: SubjectKind::Hub, id: hub.as_str() }),
            };
            if let Some(found) = subject.and_then(|subject| health(subject, self.region)) {
                out.extend(found.downtime(self.ask()).clip(tied).iter());
            }
        }
        out.into_iter().collect::<IntervalSet>().intersect(&self.badged)
    }

    /// What exclusions take out of this region's raw downtime (R7).
    fn excuse(&self, raw: &IntervalSet, exclusions: &[Exclusion], excluded: &mut Vec<Excluded>) -> IntervalSet {
        let mut all = IntervalSet::new();
        for exclusion in exclusions.iter().filter(|exclusion| exclusion.regions.contains(self.region)) {
            let downtime = raw.clip(exclusion.interval);
            if downtime.is_empty() {
                continue;
            }
            let downtime = downtime.intersect(&self.product.when(|terms| covers(&exclusion.target, self.product, terms)));
            if !downtime.is_empty() {
                all = all.union(&downtime);
                excluded.push(Excluded { id: exclusion.id.clone(), region: self.region, downtime });
            }
        }
        all
    }
}

fn covers(target: &ExclusionTarget, product: &Product, terms: &Terms) -> bool {
    match target {
        ExclusionTarget::All => true,
        ExclusionTarget::Manufacturer(manufacturer) => terms.manufacturer == *manufacturer,
        ExclusionTarget::Subject(subject) => match subject.kind() {
            SubjectKind::Product => product.asin.as_str() == subject.id(),
            SubjectKind::Skill => terms.skill.as_ref().is_some_and(|skill| skill.as_str() == subject.id()),
            SubjectKind::Hub => terms.hub.as_ref().is_some_and(|hub| hub.as_str() == subject.id()),
        },
    }
}

/// The runs of all regions together that became outages (R9).
fn outages(regions: &[RegionEvidence], policy: &Policy) -> Vec<Outage> {
    let union = |of: fn(&RegionEvidence) -> &IntervalSet| regions.iter().fold(IntervalSet::new(), |all, r| all.union(of(r)));
    let (raw, effective) = (union(|region| &region.raw), union(|region| &region.effective));
    raw.merged(policy.merge_gap)
        .iter()
        .filter_map(|&run| {
            let effective = effective.clip(run);
            let qualified_at = reached(&effective, policy.min_duration)?;
            let mut first_in = [None; Region::COUNT];
            for evidence in regions {
                let first = evidence.effective.overlapping(run).first();
                first_in[evidence.region.index()] = first.map(|first| first.from.max(run.from));
            }
            Some(Outage { run, effective, qualified_at, first_in })
        })
        .collect()
}

/// The first instant at which so much of the set lies before it; `None` if it never does.
#[must_use]
pub fn reached(set: &IntervalSet, length: DurationMs) -> Option<Timestamp> {
    let mut missing = length.ms();
    set.iter().find_map(|interval| {
        if interval.ms() >= missing {
            return Some(interval.from.saturating_add(DurationMs(missing)));
        }
        missing -= interval.ms();
        None
    })
}

#[cfg(test)]
pub(crate) mod tests;
