//! A product's evidence as one scope and one version of the policy see it.

use domain::decision::{Evidence, Scope};
use domain::evidence::{Outage, ProductEvidence, RegionEvidence};
use domain::interval::{Interval, IntervalSet};
use domain::policy::{Frame, Policy};
use domain::ratio::{PPM, Ratio};
use domain::summed::SummedSet;
use domain::time::{DurationMs, Timestamp};

use crate::case::{Case, enabled_at, held};
use crate::id::About;

/// One scope of a case, by one version of the policy.
#[derive(Debug)]
pub(crate) struct ScopeCase<'a> {
    /// The case.
    pub(crate) case: Case<'a>,
    /// The version.
    pub(crate) policy: &'a Policy,
    /// When it is in force.
    pub(crate) in_force: Interval,
    /// The evidence by its rules.
    pub(crate) evidence: &'a ProductEvidence,
    /// T: what follows from the end of a run is known once the run has ended by then.
    pub(crate) at: Timestamp,
    /// The scope.
    pub(crate) scope: Scope,
    /// When the product is badged in the scope, also beyond T.
    pub(crate) held: IntervalSet,
    /// The scope's first instant.
    pub(crate) enabled_at: Timestamp,
    /// Effective downtime in the scope.
    pub(crate) downtime: &'a SummedSet,
    /// Measured time and effective downtime in the scope (R8).
    pub(crate) observed: &'a SummedSet,
    /// The scope's own runs: raw downtime, merged (R14).
    pub(crate) runs: &'a IntervalSet,
}

/// What is known of a region that has only just begun.
static NO_RUNS: IntervalSet = IntervalSet::new();
static NO_TIME: SummedSet = SummedSet::empty();

/// How a run goes on, as known at T.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RunEnd {
    /// When it ended, by which what follows is dated; `None` while it may still go on.
    pub(crate) at: Option<Timestamp>,
    /// Evidence before this instant says so.
    pub(crate) depends_until: Timestamp,
}

impl<'a> ScopeCase<'a> {
    /// A scope by a version, given by its number, at T; `None` if the product is never badged in it.
    pub(crate) fn new(case: Case<'a>, version: usize, scope: Scope, at: Timestamp) -> Option<Self> {
        let held = held(case.product, scope);
        let enabled_at = enabled_at(case.product, scope)?;
        let evidence = case.evidence.by(version);
        let (in_force, policy) = case.policies.in_force().nth(version)?;
        let (downtime, observed, runs) = match scope {
            Scope::Global => (&evidence.effective, &evidence.observed, &evidence.runs),
            Scope::Region(region) => evidence
                .region(region)
                .map_or((&NO_TIME, &NO_TIME, &NO_RUNS), |region| (&region.effective, &region.observed, &region.runs)),
        };
        Some(Self { case, policy, in_force, evidence, at, scope, held, enabled_at, downtime, observed, runs })
    }

    /// Who and where, for a decision dated `at`.
    pub(crate) fn about(&self, at: Timestamp) -> About {
        About {
            asin: Some(self.case.product.asin.clone()),
            manufacturer: self.case.product.terms_at(at).manufacturer.clone(),
            scope: self.scope,
        }
    }

    /// The first instant from `at` on at which the scope is held and the version in force.
    pub(crate) fn hold(&self, at: Timestamp) -> Option<Timestamp> {
        let at = at.max(self.in_force.from);
        let next = self.held.as_slice().partition_point(|interval| interval.to <= at);
        self.held.as_slice().get(next).map(|interval| interval.from.max(at))
    }

    /// The end of the scope's own run that holds an instant (`from < at ≤ to`), or the instant
    /// itself if none does (R14).
    pub(crate) fn run_end(&self, at: Timestamp) -> RunEnd {
        let gap = self.evidence.rules.merge_gap;
        let over = |run: &Interval| run.to.saturating_add(gap);
        let next = self.runs.as_slice().partition_point(|run| run.to < at);
        match self.runs.as_slice().get(next).filter(|run| run.from < at) {
            Some(run) => RunEnd { at: (over(run) < self.at).then_some(run.to), depends_until: over(run) + TICK },
            None => {
                // A run that ended before may still come to hold the instant.
                let before = next.checked_sub(1).map(|before| over(&self.runs.as_slice()[before]) + TICK);
                RunEnd { at: Some(at), depends_until: before.map_or(at, |before| before.max(at)) }
            }
        }
    }

    /// The window of a frame at an instant (R10).
    pub(crate) fn window(&self, frame: Frame, floor: Option<Timestamp>, at: Timestamp) -> Interval {
        Policy::window(frame, self.enabled_at, floor, at)
    }

    /// The outages that count in a window (R9, R11): qualified by its end, with effective
    /// downtime in it, and begun no earlier than `floor`.
    pub(crate) fn counting(&self, window: Interval, floor: Option<Timestamp>) -> &'a [Outage] {
        let outages = &self.evidence.outages;
        let qualified = outages.partition_point(|outage| outage.qualified_at <= window.to);
        let begun = floor.map_or(0, |floor| outages.partition_point(|outage| outage.run.from < floor));
        let mut first = begun.max(outages.partition_point(|outage| outage.run.to <= window.from)).min(qualified);
        // Only the first can reach out of the window; later ones begin in it.
        while first < qualified && !self.evidence.effective.set().intersects(outages[first].run.intersect(window)) {
            first += 1;
        }
        &outages[first..qualified]
    }

    /// Whether an outage's downtime before `at` touches the scope (R11).
    pub(crate) fn touches(&self, outage: &Outage, at: Timestamp) -> bool {
        match self.scope {
            Scope::Global => true,
            Scope::Region(region) => outage.first_in[region.index()].is_some_and(|first| first < at),
        }
    }

    /// Measured and badged milliseconds of a stretch of time over the scope's regions together (R8).
    pub(crate) fn coverage_ms(&self, window: Interval) -> (i64, i64) {
        let regions = self.evidence.regions_in(self.scope).map(|region| covered_ms(region, window));
        regions.fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
    }

    /// Whether any region's coverage of a month is too low (R14). A month in which the scope
    /// wasn't badged at all is dark, too: nobody is reinstated by silence.
    pub(crate) fn is_dark(&self, month: Interval) -> bool {
        let min = self.policy.min_coverage;
        let regions = self.evidence.regions_in(self.scope).map(|region| covered_ms(region, month));
        let mut regions = regions.filter(|&(_, badged)| badged > 0).peekable();
        regions.peek().is_none() || regions.any(|(measured, badged)| below(measured, badged, min.get()))
    }

    /// What a decision on a window rests on (R26).
    pub(crate) fn evidence(&self, window: Interval, budget_ms: Option<i64>, outages: &[Outage], at: Timestamp) -> Evidence {
        let (measured, badged) = self.coverage_ms(window);
        let excluded = &self.evidence.excluded;
        let mut exclusions: Vec<_> = excluded
            .iter()
            .filter(|excluded| self.scope.includes(excluded.region) && excluded.downtime.intersects(window))
            .map(|excluded| excluded.id.clone())
            .collect();
        exclusions.dedup();
        Evidence {
            window: Some(window),
            downtime_ms: Some(self.downtime.ms_within(window)),
            budget_ms,
            outages: outages.iter().map(|outage| self.evidence.show(outage, at)).collect(),
            exclusions,
            coverage: Ratio::of(measured, badged),
            customers: Some(self.case.product.terms_at(at).customers),
            ..Evidence::new(self.policy.name.clone())
        }
    }
}

/// Measured and badged milliseconds of a region in a window.
fn covered_ms(region: &RegionEvidence, window: Interval) -> (i64, i64) {
    (region.measured.ms_within(window), region.badged.ms_within(window))
}

/// Whether `part` is below a share of `whole`, exactly.
pub(crate) fn below(part: i64, whole: i64, ppm: i64) -> bool {
    i128::from(part) * i128::from(PPM) < i128::from(whole) * i128::from(ppm)
}

/// One millisecond, the grain of time.
pub(crate) const TICK: DurationMs = DurationMs(1);
