//! What is known of a product up to an instant: the computation's result, the fold's input.
//!
//! It is a cache: cut at an instant and grown again (`compute::Gatherer`), so that a minute more
//! costs what happened in it. So nothing here is derived from a whole history at once: sets know
//! their sums, a run its place, and an outage its run.

use crate::decision::{Cause, CauseSet, OutageEvidence, Scope};
use crate::id::{ExclusionId, Region, RegionSet};
use crate::interval::{Interval, IntervalSet};
use crate::policy::{Policies, Policy};
use crate::summed::SummedSet;
use crate::time::{DurationMs, Timestamp};

/// What of a policy evidence depends on: versions that agree on it share their evidence (R18).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EvidenceRules {
    /// Gaps up to this are part of a run (R9).
    pub merge_gap: DurationMs,
    /// Effective downtime from which a run is an outage (R9).
    pub min_duration: DurationMs,
    /// How long a state holds unrenewed; `None` is for ever (R4).
    pub state_ttl: Option<DurationMs>,
}

impl From<&Policy> for EvidenceRules {
    fn from(policy: &Policy) -> Self {
        Self { merge_gap: policy.merge_gap, min_duration: policy.min_duration, state_ttl: policy.state_ttl }
    }
}

/// A product's evidence, cut to [`Self::until`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductEvidence {
    /// T: nothing at or after it is in the evidence.
    pub until: Timestamp,
    /// What ended before this may have been forgotten (R24).
    pub since: Timestamp,
    /// The rules that it was gathered by.
    pub rules: EvidenceRules,
    /// Every region in which the product was badged before `until`, in listing order.
    pub regions: Vec<RegionEvidence>,
    /// Effective downtime over all regions (R7).
    pub effective: SummedSet,
    /// Measured time and effective downtime over all regions (R8).
    pub observed: SummedSet,
    /// Raw downtime over all regions, merged (R9).
    pub runs: IntervalSet,
    /// The runs that became outages (R9), in order of time.
    pub outages: Vec<Outage>,
    /// What exclusions took out, by exclusion, then region.
    pub excluded: Vec<Excluded>,
}

/// A product's evidence in one region. All sets are cut to the badged time there and to T.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegionEvidence {
    /// The region.
    pub region: Region,
    /// Badged time (R6).
    pub badged: SummedSet,
    /// Raw downtime (R6).
    pub raw: IntervalSet,
    /// Raw downtime, merged (R14).
    pub runs: IntervalSet,
    /// Effective downtime (R7).
    pub effective: SummedSet,
    /// Effective downtime by cause, in the order of [`Cause::ALL`]; may overlap.
    pub by_cause: [IntervalSet; 3],
    /// Measured time (R8).
    pub measured: SummedSet,
    /// Measured time and effective downtime (R8).
    pub observed: SummedSet,
}

/// A run that became an outage (R9). Its effective downtime is what of
/// [`ProductEvidence::effective`] lies in the run; never nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outage {
    /// The run: raw downtime over all regions, merged.
    pub run: Interval,
    /// When its effective downtime reached `min_duration`.
    pub qualified_at: Timestamp,
    /// The first instant of its effective downtime in each region, by [`Region::index`].
    pub first_in: [Option<Timestamp>; Region::COUNT],
}

/// What an exclusion took out of a product's downtime in a region; never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excluded {
    /// The exclusion.
    pub id: ExclusionId,
    /// Where.
    pub region: Region,
    /// What.
    pub downtime: IntervalSet,
}

impl ProductEvidence {
    /// Evidence of nothing, up to the beginning of time.
    #[must_use]
    pub fn new(rules: EvidenceRules) -> Self {
        Self {
            until: Timestamp::MIN,
            since: Timestamp::MIN,
            rules,
            regions: Vec::new(),
            effective: SummedSet::default(),
            observed: SummedSet::default(),
            runs: IntervalSet::new(),
            outages: Vec::new(),
            excluded: Vec::new(),
        }
    }

    /// A region's evidence.
    #[must_use]
    pub fn region(&self, region: Region) -> Option<&RegionEvidence> {
        self.regions.iter().find(|evidence| evidence.region == region)
    }

    /// The regions of a scope.
    pub fn regions_in(&self, scope: Scope) -> impl Iterator<Item = &RegionEvidence> {
        self.regions.iter().filter(move |evidence| scope.includes(evidence.region))
    }

    /// Up to when a run of a scope's raw downtime had gone on by an instant.
    #[must_use]
    pub fn run_end_by(&self, scope: Scope, run: Interval, at: Timestamp) -> Option<Timestamp> {
        let so_far = Interval::new(run.from, run.to.min(at));
        let last = |region: &RegionEvidence| region.raw.overlapping(so_far).last().map(|last| last.to.min(at));
        self.regions_in(scope).filter_map(last).max()
    }

    /// An outage as it shows at an instant, by what lies before it.
    #[must_use]
    pub fn show(&self, outage: &Outage, at: Timestamp) -> OutageEvidence {
        let to = self.run_end_by(Scope::Global, outage.run, at).unwrap_or(outage.run.from);
        let run = Interval::new(outage.run.from, to);
        OutageEvidence {
            run,
            downtime_ms: self.effective.ms_within(run),
            open: run.to.saturating_add(self.rules.merge_gap) >= at,
            regions: self.regions.iter().filter(|r| r.effective.set().intersects(run)).map(|r| r.region).collect::<RegionSet>(),
            causes: Cause::ALL
                .into_iter()
                .filter(|cause| self.regions.iter().any(|r| r.by_cause[*cause as usize].intersects(run)))
                .collect::<CauseSet>(),
        }
    }

    /// Takes out what lies at or after an instant; what lies before it stays as it is. Outages of
    /// runs that may go on from there are taken out, too: returns the start of the first such run.
    /// O(what is taken out).
    pub fn truncate(&mut self, at: Timestamp) -> Timestamp {
        self.until = self.until.min(at);
        self.effective.truncate(at);
        self.observed.truncate(at);
        self.regions.iter_mut().for_each(|region| region.truncate(at));
        let end = self.regions.iter().filter_map(|region| region.raw.as_slice().last()).map(|last| last.to).max();
        self.runs.truncate(end.unwrap_or(Timestamp::MIN));
        let gap = self.rules.merge_gap;
        let settled = self.runs.as_slice().partition_point(|run| run.to.saturating_add(gap) < at);
        let next = self.runs.as_slice().get(settled).map_or(at, |run| run.from);
        self.outages.truncate(self.outages.partition_point(|outage| outage.run.from < next));
        self.excluded.iter_mut().for_each(|excluded| excluded.downtime.truncate(at));
        self.excluded.retain(|excluded| !excluded.downtime.is_empty());
        next
    }

    /// Takes out what is older than an instant, but no part of a run that reaches beyond it (R24).
    /// Where nothing was gathered yet, no run is known: nothing is taken out. Yields from when on health is
    /// needed to gather what is left anew.
    pub fn forget(&mut self, before: Timestamp) -> Timestamp {
        if self.until < before {
            return before;
        }
        let gap = self.rules.merge_gap;
        let kept = self.runs.as_slice().partition_point(|run| run.to.saturating_add(gap) < before);
        let cut = self.runs.as_slice().get(kept).map_or(before, |run| run.from.min(before)).max(self.since);
        self.since = cut;
        self.effective.forget(cut);
        self.observed.forget(cut);
        self.runs.forget(cut);
        self.outages.drain(..self.outages.partition_point(|outage| outage.run.to <= cut));
        self.regions.iter_mut().for_each(|region| region.forget(cut));
        for excluded in &mut self.excluded {
            excluded.downtime.forget(cut);
        }
        self.excluded.retain(|excluded| !excluded.downtime.is_empty());
        cut.min(before)
    }
}

impl RegionEvidence {
    /// Evidence of nothing in a region.
    #[must_use]
    pub fn new(region: Region) -> Self {
        Self {
            region,
            badged: SummedSet::default(),
            raw: IntervalSet::new(),
            runs: IntervalSet::new(),
            effective: SummedSet::default(),
            by_cause: Default::default(),
            measured: SummedSet::default(),
            observed: SummedSet::default(),
        }
    }

    fn truncate(&mut self, at: Timestamp) {
        self.raw.truncate(at);
        self.runs.truncate(self.raw.as_slice().last().map_or(Timestamp::MIN, |last| last.to));
        self.by_cause.iter_mut().for_each(|set| set.truncate(at));
        for set in [&mut self.effective, &mut self.measured, &mut self.observed] {
            set.truncate(at);
        }
    }

    fn forget(&mut self, cut: Timestamp) {
        for set in [&mut self.raw, &mut self.runs] {
            set.forget(cut);
        }
        for set in &mut self.by_cause {
            set.forget(cut);
        }
        for set in [&mut self.effective, &mut self.measured, &mut self.observed] {
            set.forget(cut);
        }
    }
}

/// A product's evidence by the rules of every version of a policy (R18). Versions that agree on the
/// rules share it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EvidenceByVersion {
    all: Vec<ProductEvidence>,
    /// By version: which of them.
    of_version: Vec<usize>,
    /// By evidence: when the first version that needs it comes into force.
    needed_from: Vec<Timestamp>,
}

impl EvidenceByVersion {
    /// Evidence of nothing, up to the beginning of time.
    #[must_use]
    pub fn new(policies: &Policies) -> Self {
        let mut out = Self { all: Vec::new(), of_version: Vec::new(), needed_from: Vec::new() };
        for (in_force, policy) in policies.in_force() {
            let rules = EvidenceRules::from(policy);
            let known = out.all.iter().position(|evidence| evidence.rules == rules);
            out.of_version.push(known.unwrap_or(out.all.len()));
            if known.is_none() {
                out.all.push(ProductEvidence::new(rules));
                out.needed_from.push(in_force.from);
            }
        }
        out
    }

    /// The evidence by a version's rules.
    ///
    /// # Panics
    /// If this wasn't made for that many versions.
    #[must_use]
    pub fn by(&self, version: usize) -> &ProductEvidence {
        &self.all[self.of_version[version]]
    }

    /// All evidence, each with whether a version in force by an instant needs it.
    pub fn with_need(&mut self, at: Timestamp) -> impl Iterator<Item = (&mut ProductEvidence, bool)> {
        self.all.iter_mut().zip(&self.needed_from).map(move |(evidence, from)| (evidence, *from <= at))
    }

    /// Takes out what is older than an instant, but no part of a run that reaches beyond it (R24). Yields from
    /// when on health is needed to gather what is left anew.
    pub fn forget(&mut self, before: Timestamp) -> Timestamp {
        self.all.iter_mut().map(|evidence| evidence.forget(before)).min().unwrap_or(before)
    }
}
