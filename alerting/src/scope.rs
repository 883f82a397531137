//! A product's evidence as one scope sees it, summed up for the fold.

use domain::decision::{Evidence, Scope};
use domain::evidence::{Outage, RegionEvidence};
use domain::interval::{Interval, IntervalSet};
use domain::policy::{Frame, Policy};
use domain::ratio::{PPM, Ratio};
use domain::summed::SummedSet;
use domain::time::{DurationMs, Timestamp};

use crate::case::{Case, enabled_at, held};
use crate::id::About;

/// One scope of a case.
#[derive(Debug)]
pub struct ScopeCase<'a> {
    /// The case.
    pub case: Case<'a>,
    /// The scope.
    pub scope: Scope,
    /// When the product is badged in the scope, also beyond T.
    pub held: IntervalSet,
    /// The scope's first instant.
    pub enabled_at: Timestamp,
    /// Effective downtime in the scope.
    pub downtime: &'a SummedSet,
    /// Measured time and effective downtime in the scope (R8).
    pub observed: &'a SummedSet,
    /// The scope's own runs: raw downtime, merged (R14).
    pub runs: &'a IntervalSet,
}

/// What is known of a region that has only just begun.
static NO_RUNS: IntervalSet = IntervalSet::new();
static NO_TIME: SummedSet = SummedSet::empty();

/// How a run goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunEnd {
    /// It ended then; what follows from its end is dated so.
    At(Timestamp),
    /// It may still go on at T.
    Open,
}

impl<'a> ScopeCase<'a> {
    /// Sums up a scope; `None` if the product is never badged in it.
    #[must_use]
    pub fn new(case: Case<'a>, scope: Scope) -> Option<Self> {
        let held = held(case.product, scope);
        let enabled_at = enabled_at(case.product, scope)?;
        let evidence = case.evidence;
        let (downtime, observed, runs) = match scope {
            Scope::Global => (&evidence.effective, &evidence.observed, &evidence.runs),
            Scope::Region(region) => evidence
                .region(region)
                .map_or((&NO_TIME, &NO_TIME, &NO_RUNS), |region| (&region.effective, &region.observed, &region.runs)),
        };
        Some(Self { downtime, observed, runs, case, scope, held, enabled_at })
    }

    /// T.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.case.at()
    }

    /// Who and where, for a decision dated `at`.
    #[must_use]
    pub fn about(&self, at: Timestamp) -> About {
        About {
            asin: Some(self.case.product.asin.clone()),
            manufacturer: self.case.product.terms_at(at).manufacturer.clone(),
            scope: self.scope,
        }
    }

    /// The first instant from `at` on, up to T, at which the scope is held.
    #[must_use]
    pub fn hold(&self, at: Timestamp) -> Option<Timestamp> {
        let next = self.held.as_slice().partition_point(|interval| interval.to <= at);
        self.held.as_slice().get(next).map(|interval| interval.from.max(at)).filter(|&instant| instant <= self.at())
    }

    /// The end of the scope's own run that holds an instant (`from < at ≤ to`), or the instant
    /// itself if none does (R14).
    #[must_use]
    pub fn run_end(&self, at: Timestamp) -> RunEnd {
        let next = self.runs.as_slice().partition_point(|run| run.to < at);
        match self.runs.as_slice().get(next).filter(|run| run.from < at) {
            Some(run) if run.to.saturating_add(self.case.evidence.rules.merge_gap) < self.at() => RunEnd::At(run.to),
            Some(_) => RunEnd::Open,
            None => RunEnd::At(at),
        }
    }

    /// The window of a frame at an instant (R10).
    #[must_use]
    pub fn window(&self, frame: Frame, floor: Option<Timestamp>, at: Timestamp) -> Interval {
        Policy::window(frame, self.enabled_at, floor, at)
    }

    /// The outages that count in a window (R9, R11): qualified by its end, with effective
    /// downtime in it, and begun no earlier than `floor`.
    #[must_use]
    pub fn counting(&self, window: Interval, floor: Option<Timestamp>) -> &'a [Outage] {
        let outages = &self.case.evidence.outages;
        let qualified = outages.partition_point(|outage| outage.qualified_at <= window.to);
        let begun = floor.map_or(0, |floor| outages.partition_point(|outage| outage.run.from < floor));
        let mut first = begun.max(outages.partition_point(|outage| outage.run.to <= window.from)).min(qualified);
        // Only the first can reach out of the window; later ones begin in it.
        while first < qualified && !self.case.evidence.effective.set().intersects(outages[first].run.intersect(window)) {
            first += 1;
        }
        &outages[first..qualified]
    }

    /// Whether an outage's downtime before `at` touches the scope (R11).
    #[must_use]
    pub fn touches(&self, outage: &Outage, at: Timestamp) -> bool {
        match self.scope {
            Scope::Global => true,
            Scope::Region(region) => outage.first_in[region.index()].is_some_and(|first| first < at),
        }
    }

    /// Coverage of a stretch of time over the scope's regions together (R8).
    #[must_use]
    pub fn coverage_ms(&self, window: Interval) -> (i64, i64) {
        self.case
            .evidence
            .regions_in(self.scope)
            .map(|region| covered_ms(region, window))
            .fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
    }

    /// Whether any region's coverage of a month is too low (R14). A month in which the scope
    /// wasn't badged at all is dark, too: nobody is reinstated by silence.
    #[must_use]
    pub fn is_dark(&self, month: Interval) -> bool {
        let min = self.case.policy.min_coverage;
        let regions = self.case.evidence.regions_in(self.scope).map(|region| covered_ms(region, month));
        let mut regions = regions.filter(|&(_, badged)| badged > 0).peekable();
        regions.peek().is_none() || regions.any(|(measured, badged)| below(measured, badged, min.get()))
    }

    /// What a decision on a window rests on (R26).
    #[must_use]
    pub fn evidence(&self, window: Interval, budget_ms: Option<i64>, outages: &[Outage], at: Timestamp) -> Evidence {
        let (measured, badged) = self.coverage_ms(window);
        let excluded = &self.case.evidence.excluded;
        let mut exclusions: Vec<_> = excluded
            .iter()
            .filter(|excluded| self.scope.includes(excluded.region) && excluded.downtime.intersects(window))
            .map(|excluded| excluded.id.clone())
            .collect();
        exclusions.sort_unstable();
        exclusions.dedup();
        Evidence {
            window: Some(window),
            downtime_ms: Some(self.downtime.ms_within(window)),
            budget_ms,
            outages: outages.iter().map(|outage| self.case.evidence.show(outage, at)).collect(),
            exclusions,
            coverage: Ratio::of(measured, badged),
            customers: Some(self.case.product.terms_at(at).customers),
            ..Evidence::new(self.case.policy.name.clone())
        }
    }
}

/// Measured and badged milliseconds of a region in a window.
fn covered_ms(region: &RegionEvidence, window: Interval) -> (i64, i64) {
    (region.measured.ms_within(window), region.badged.ms_within(window))
}

/// Whether `part` is below a share of `whole`, exactly.
#[must_use]
pub fn below(part: i64, whole: i64, ppm: i64) -> bool {
    i128::from(part) * i128::from(PPM) < i128::from(whole) * i128::from(ppm)
}

/// One millisecond, the grain of time.
pub const TICK: DurationMs = DurationMs(1);
