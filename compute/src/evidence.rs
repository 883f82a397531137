//! From the health of subjects to a product's evidence (R6–R9), stretch by stretch.
//!
//! Evidence is grown from an instant on; what lies before it is kept. Time alone changes nothing
//! before the minute that holds T: an earlier minute has ended, and a state that goes on was cut
//! at T. So growing from there gives what gathering everything anew would.

use domain::decision::Cause;
use domain::evidence::{EvidenceByVersion, EvidenceRules, Excluded, Outage, ProductEvidence, RegionEvidence};
use domain::fact::{Exclusion, ExclusionTarget, Terms};
use domain::id::{Region, SubjectKind, SubjectRef};
use domain::interval::{Interval, IntervalSet};
use domain::policy::Policies;
use domain::product::Product;
use domain::summed::SummedSet;
use domain::time::Timestamp;

use crate::ask::Ask;

/// Who knows the health of subjects.
pub trait Health {
    /// Downtime of a subject in a region (R3, R4), cut to what is asked for.
    fn downtime(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet;

    /// Measured time of a subject in a region (R8), cut to what is asked for.
    fn measured(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet;
}

/// Gathers what is known of a product.
#[derive(Clone, Copy, Debug)]
pub struct Gatherer<'a> {
    /// The product.
    pub product: &'a Product,
    /// Exclusions that count; may hold ones that don't concern the product.
    pub exclusions: &'a [Exclusion],
}

impl Gatherer<'_> {
    /// Everything up to `until`, by every version of the policy.
    pub fn gather(&self, policies: &Policies, until: Timestamp, health: &impl Health) -> EvidenceByVersion {
        let mut evidence = EvidenceByVersion::new(policies);
        self.grow_all(&mut evidence, Timestamp::MIN, until, health);
        evidence
    }

    /// [`Self::grow`]s the evidence by every version that is in force by `until`. Of the others only
    /// what may have changed is taken out.
    pub fn grow_all(&self, evidence: &mut EvidenceByVersion, from: Timestamp, until: Timestamp, health: &impl Health) {
        for (evidence, is_needed) in evidence.with_need(until) {
            if is_needed {
                self.grow(evidence, from, until, health);
            } else if from < evidence.until {
                evidence.truncate(from);
            }
        }
    }

    /// [`Self::grow`]s the evidence by the versions to come as well, before health that they need is forgotten.
    pub fn grow_ahead(&self, evidence: &mut EvidenceByVersion, until: Timestamp, health: &impl Health) {
        let to_come = evidence.with_need(until).filter(|(_, is_needed)| !is_needed);
        to_come.for_each(|(evidence, _)| self.grow(evidence, Timestamp::MAX, until, health));
    }

    /// Brings evidence up to `until`. What lies before `from` and before the minute that held the
    /// last `until` is kept: nothing there may have changed. O(what lies in the rest).
    pub fn grow(&self, evidence: &mut ProductEvidence, from: Timestamp, until: Timestamp, health: &impl Health) {
        let settled = evidence.until.min(until).floor_minute();
        let stretch = Interval::new(from.min(settled).max(evidence.since), until);
        let unsettled = evidence.truncate(stretch.from);
        evidence.until = until;
        let (mut raw, mut effective, mut observed) = (IntervalSet::new(), IntervalSet::new(), IntervalSet::new());
        for (place, region) in self.arrange(evidence, until).into_iter().enumerate() {
            let badged = evidence.regions[place].badged.set().clip(stretch);
            let rules = evidence.rules;
            let found = Stretch { gatherer: self, rules, region, within: stretch, until, badged }.gather(health);
            for (exclusion, downtime) in &found.excluded {
                note_excluded(&mut evidence.excluded, exclusion, region, downtime);
            }
            raw = raw.union(&found.raw);
            effective = effective.union(&found.effective);
            observed = observed.union(&found.measured).union(&found.effective);
            append(&mut evidence.regions[place], rules, &found);
        }
        evidence.effective.extend(&effective);
        evidence.observed.extend(&observed);
        raw.iter().for_each(|interval| evidence.runs.push_merging(*interval, evidence.rules.merge_gap));
        find_outages(evidence, unsettled);
    }

    /// Sets each region's badged time; regions in which the product isn't badged are left out.
    fn arrange(&self, evidence: &mut ProductEvidence, until: Timestamp) -> Vec<Region> {
        let mut known = std::mem::take(&mut evidence.regions);
        for region in Region::ALL {
            let badged = self.product.badged_in(region).clip(Interval::new(Timestamp::MIN, until));
            if !badged.is_empty() {
                let place = known.iter().position(|known| known.region == region);
                let mut kept = place.map_or_else(|| RegionEvidence::new(region), |place| known.swap_remove(place));
                kept.badged = SummedSet::new(&badged);
                evidence.regions.push(kept);
            }
        }
        evidence.regions.iter().map(|region| region.region).collect()
    }
}

/// A region of a product in a stretch of time.
struct Stretch<'a> {
    gatherer: &'a Gatherer<'a>,
    rules: EvidenceRules,
    region: Region,
    within: Interval,
    until: Timestamp,
    /// Cut to the stretch.
    badged: IntervalSet,
}

/// What was found there.
struct Found<'a> {
    raw: IntervalSet,
    effective: IntervalSet,
    by_cause: [IntervalSet; 3],
    measured: IntervalSet,
    excluded: Vec<(&'a Exclusion, IntervalSet)>,
}

impl<'a> Stretch<'a> {
    fn gather(&self, health: &impl Health) -> Found<'a> {
        let own = SubjectRef { kind: SubjectKind::Product, id: self.gatherer.product.asin.as_str() };
        let measured = health.measured(own, self.region, self.ask(self.within)).intersect(&self.badged);
        let down = Cause::ALL.map(|cause| self.downtime(cause, health));
        let raw = down.iter().fold(IntervalSet::new(), |all, set| all.union(set));
        let excluded = self.excluded(&raw);
        let excuse = excluded.iter().fold(IntervalSet::new(), |all, (_, downtime)| all.union(downtime));
        Found { effective: raw.subtract(&excuse), by_cause: down.map(|set| set.subtract(&excuse)), raw, measured, excluded }
    }

    const fn ask(&self, within: Interval) -> Ask {
        Ask { within, until: self.until, state_ttl: self.rules.state_ttl }
    }

    /// Downtime from a cause while the registry ties the product to it and the badge holds (R6).
    fn downtime(&self, cause: Cause, health: &impl Health) -> IntervalSet {
        let product = self.gatherer.product;
        let mut out = IntervalSet::new();
        for (tied, terms) in product.terms() {
            let within = tied.intersect(self.within);
            let subject = match cause {
                Cause::Own => Some(SubjectRef { kind: SubjectKind::Product, id: product.asin.as_str() }),
                Cause::Skill => terms.skill.as_ref().map(|skill| SubjectRef { kind: SubjectKind::Skill, id: skill.as_str() }),
                Cause::Hub => terms.hub.as_ref().map(|hub| SubjectRef { kind: SubjectKind::Hub, id: hub.as_str() }),
            };
            if let Some(subject) = subject.filter(|_| !within.is_empty()) {
                health.downtime(subject, self.region, self.ask(within)).iter().for_each(|interval| out.push(*interval));
            }
        }
        out.intersect(&self.badged)
    }

    /// What exclusions take out of raw downtime (R7).
    fn excluded(&self, raw: &IntervalSet) -> Vec<(&'a Exclusion, IntervalSet)> {
        let product = self.gatherer.product;
        let here = self.gatherer.exclusions.iter().filter(|exclusion| exclusion.regions.contains(self.region));
        here.filter_map(|exclusion| {
            let downtime = raw.clip(exclusion.interval);
            if downtime.is_empty() {
                return None;
            }
            let downtime = downtime.intersect(&product.when(|terms| covers(&exclusion.target, product, terms)));
            (!downtime.is_empty()).then_some((exclusion, downtime))
        })
        .collect()
    }
}

/// Adds a stretch's evidence to a region's, which ends where the stretch begins.
fn append(region: &mut RegionEvidence, rules: EvidenceRules, found: &Found<'_>) {
    for interval in &found.raw {
        region.raw.push(*interval);
        region.runs.push_merging(*interval, rules.merge_gap);
    }
    region.effective.extend(&found.effective);
    region.measured.extend(&found.measured);
    region.observed.extend(&found.measured.union(&found.effective));
    for (all, more) in region.by_cause.iter_mut().zip(&found.by_cause) {
        more.iter().for_each(|interval| all.push(*interval));
    }
}

fn note_excluded(all: &mut Vec<Excluded>, exclusion: &Exclusion, region: Region, downtime: &IntervalSet) {
    let place = all.binary_search_by(|known| (&known.id, known.region).cmp(&(&exclusion.id, region)));
    let place = place.unwrap_or_else(|place| {
        all.insert(place, Excluded { id: exclusion.id.clone(), region, downtime: IntervalSet::new() });
        place
    });
    downtime.iter().for_each(|interval| all[place].downtime.push(*interval));
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

/// Finds the outages among the runs from an instant on (R9).
fn find_outages(evidence: &mut ProductEvidence, from: Timestamp) {
    let settled = evidence.runs.as_slice().partition_point(|run| run.from < from);
    for &run in &evidence.runs.as_slice()[settled..] {
        let qualified = evidence.effective.reached(run.from, evidence.rules.min_duration).filter(|at| *at <= run.to);
        if let Some(qualified_at) = qualified {
            let mut first_in = [None; Region::COUNT];
            for region in &evidence.regions {
                let first = region.effective.set().overlapping(run).first();
                first_in[region.region.index()] = first.map(|first| first.from.max(run.from));
            }
            evidence.outages.push(Outage { run, qualified_at, first_in });
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
