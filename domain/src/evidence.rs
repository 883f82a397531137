//! What is known of a product up to an instant: the computation's result, the fold's input.

use crate::decision::{Cause, CauseSet, OutageEvidence, Scope};
use crate::id::{ExclusionId, Region, RegionSet};
use crate::interval::{Interval, IntervalSet};
use crate::time::{DurationMs, Timestamp};

/// A product's evidence, cut to [`Self::until`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductEvidence {
    /// T: nothing at or after it is in the evidence.
    pub until: Timestamp,
    /// The policy's merge gap, by which runs were merged.
    pub merge_gap: DurationMs,
    /// Every region in which the product was badged before `until`, in listing order.
    pub regions: Vec<RegionEvidence>,
    /// The outages over all regions (R9), in order of time.
    pub outages: Vec<Outage>,
    /// What exclusions took out.
    pub excluded: Vec<Excluded>,
}

/// A product's evidence in one region. All sets are cut to the badged time there and to T.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegionEvidence {
    /// The region.
    pub region: Region,
    /// Badged time (R6).
    pub badged: IntervalSet,
    /// Raw downtime (R6).
    pub raw: IntervalSet,
    /// Effective downtime (R7).
    pub effective: IntervalSet,
    /// Effective downtime by cause, in the order of [`Cause::ALL`]; may overlap.
    pub by_cause: [IntervalSet; 3],
    /// Measured time (R8).
    pub measured: IntervalSet,
}

/// A run that became an outage (R9).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outage {
    /// The run: raw downtime over all regions, merged.
    pub run: Interval,
    /// Its effective downtime over all regions; never empty.
    pub effective: IntervalSet,
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
    /// The regions of a scope.
    pub fn regions_in(&self, scope: Scope) -> impl Iterator<Item = &RegionEvidence> {
        self.regions.iter().filter(move |evidence| scope.includes(evidence.region))
    }

    /// The union over a scope's regions of what `of` picks.
    #[must_use]
    pub fn union_in<'a>(&'a self, scope: Scope, of: impl Fn(&'a RegionEvidence) -> &'a IntervalSet) -> IntervalSet {
        self.regions_in(scope).fold(IntervalSet::new(), |all, region| all.union(of(region)))
    }

    /// An outage as it shows at an instant: cut to it, with what its downtime until then was.
    #[must_use]
    pub fn show(&self, outage: &Outage, at: Timestamp) -> OutageEvidence {
        let run = outage.run.intersect(Interval::new(Timestamp::MIN, at));
        let touched = |set: &IntervalSet| set.intersects(run);
        OutageEvidence {
            run,
            downtime_ms: outage.effective.ms_within(run),
            open: run.to.saturating_add(self.merge_gap) >= at,
            regions: self.regions.iter().filter(|r| touched(&r.effective)).map(|r| r.region).collect::<RegionSet>(),
            causes: Cause::ALL
                .into_iter()
                .filter(|cause| self.regions.iter().any(|r| touched(&r.by_cause[*cause as usize])))
                .collect::<CauseSet>(),
        }
    }
}
