//! A product's evidence (R6 to R9): all of time cut at every instant at which anything may
//! change, each segment judged at its first instant, and the sets and runs read off from that.

use domain::decision::{Cause, CauseSet};
use domain::fact::{Exclusion, Terms};
use domain::{OutageEvidence, Policy, Region, RegionSet, Scope, Subject};

use super::health::{Health, Timeline};
use super::registry::{Product, Registry, targets};
use super::spans::{Span, Spans};

/// What holds of a product in a region.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Cell {
    held: bool,
    measured: bool,
    excluded: bool,
    /// Down by itself, its skill, its hub.
    causes: [bool; 3],
}

/// A time in which nothing changes.
#[derive(Clone, Copy, Debug)]
struct Segment {
    span: Span,
    cells: [Cell; Region::COUNT],
}

/// A qualified outage (R9).
#[derive(Clone, Debug)]
pub(super) struct Outage {
    pub(super) run: Span,
    /// When its effective downtime reaches `min_duration`.
    pub(super) qualifies: i64,
    /// Its first effective downtime in each region.
    pub(super) first: [Option<i64>; Region::COUNT],
    pub(super) shown: OutageEvidence,
}

/// A product's evidence over all regions.
#[derive(Debug)]
pub(super) struct Ground {
    segments: Vec<Segment>,
    /// Effective downtime, globally.
    pub(super) effective: Spans,
    /// In order of time.
    pub(super) outages: Vec<Outage>,
}

/// A product's evidence in one scope.
#[derive(Debug)]
pub(super) struct ScopeGround {
    /// Effective downtime.
    pub(super) effective: Spans,
    /// The scope's own runs of raw downtime.
    pub(super) runs: Vec<Span>,
    /// Measured ∪ effective downtime.
    pub(super) observed: Spans,
    /// When the scope is badged.
    pub(super) held: Spans,
    /// Badged and measured time of each of its regions.
    pub(super) regions: Vec<(Spans, Spans)>,
}

impl Cell {
    fn is_raw(self) -> bool {
        self.causes.contains(&true)
    }

    fn is_effective(self) -> bool {
        self.is_raw() && !self.excluded
    }
}

impl Ground {
    pub(super) fn new(product: &Product, registry: &Registry, health: &Health, policy: &Policy, at: i64) -> Self {
        let segments = segments(product, registry, health, at);
        let effective = select(&segments, |cells| cells.iter().any(|cell| cell.is_effective()));
        let runs = select(&segments, |cells| cells.iter().any(|cell| cell.is_raw())).runs(policy.merge_gap.ms());
        let mut ground = Self { segments, effective, outages: Vec::new() };
        ground.outages = runs.into_iter().filter_map(|run| ground.outage(run, policy, at)).collect();
        ground
    }

    pub(super) fn in_scope(&self, scope: Scope, policy: &Policy) -> ScopeGround {
        let regions: Vec<Region> = Region::ALL.into_iter().filter(|region| scope.includes(*region)).collect();
        let any =
            |holds: fn(Cell) -> bool| select(&self.segments, |cells| regions.iter().any(|region| holds(cells[region.index()])));
        let in_region = |region: Region, holds: fn(Cell) -> bool| select(&self.segments, |cells| holds(cells[region.index()]));
        ScopeGround {
            effective: any(Cell::is_effective),
            runs: any(Cell::is_raw).runs(policy.merge_gap.ms()),
            observed: any(|cell| cell.measured || cell.is_effective()),
            held: any(|cell| cell.held),
            regions: regions
                .iter()
                .map(|region| (in_region(*region, |cell| cell.held), in_region(*region, |cell| cell.measured)))
                .collect(),
        }
    }

    fn outage(&self, run: Span, policy: &Policy, at: i64) -> Option<Outage> {
        let qualifies = self.effective.reached(run.from, policy.min_duration.ms()).filter(|at| *at <= run.to)?;
        let first = self.segments.partition_point(|segment| segment.span.to <= run.from);
        let next = self.segments.partition_point(|segment| segment.span.from < run.to);
        let within = &self.segments[first..next];
        let effective = |region: Region| within.iter().filter(move |segment| segment.cells[region.index()].is_effective());
        let has = |cause: &Cause| {
            let mut cells = Region::ALL.into_iter().flat_map(|region| effective(region).map(move |s| s.cells[region.index()]));
            cells.any(|cell| cell.causes[*cause as usize])
        };
        let first = Region::ALL.map(|region| effective(region).map(|segment| segment.span.from).next());
        let shown = OutageEvidence {
            run: run.shown(),
            downtime_ms: self.effective.ms_in(run.from, run.to),
            open: run.to + policy.merge_gap.ms() >= at,
            regions: Region::ALL.into_iter().filter(|region| first[region.index()].is_some()).collect::<RegionSet>(),
            causes: Cause::ALL.into_iter().filter(has).collect::<CauseSet>(),
        };
        Some(Outage { run, qualifies, first, shown })
    }
}

impl ScopeGround {
    /// Measured and badged milliseconds of `[from, to)`, over the scope's regions together (R8).
    pub(super) fn coverage(&self, from: i64, to: i64) -> (i64, i64) {
        let total = |of: fn(&(Spans, Spans)) -> &Spans| self.regions.iter().map(|region| of(region).ms_in(from, to)).sum();
        (total(|(_, measured)| measured), total(|(badged, _)| badged))
    }
}

fn select(segments: &[Segment], holds: impl Fn(&[Cell; Region::COUNT]) -> bool) -> Spans {
    Spans::of(segments.iter().filter(|segment| holds(&segment.cells)).map(|segment| segment.span))
}

/// The badged time up to T in segments; neighbours that say the same are one.
fn segments(product: &Product, registry: &Registry, health: &Health, at: i64) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    let ends = product.versions.iter().skip(1).map(|(from, _)| *from).chain([i64::MAX]);
    for ((from, terms), to) in product.versions.iter().zip(ends) {
        let within = Span { from: product.enabled_at.max(*from), to: product.withdrawn_at.min(to).min(at) };
        if within.from >= within.to {
            continue;
        }
        for segment in Terrain::new(product, terms, registry, health).segments(within) {
            match out.last_mut() {
                Some(last) if last.span.to == segment.span.from && last.cells == segment.cells => last.span.to = segment.span.to,
                _ => out.push(segment),
            }
        }
    }
    out
}

/// What a product is made of while its badge says the same.
struct Terrain<'a> {
    /// For each region the product's own timeline, its skill's and its hub's.
    subjects: [[Option<&'a Timeline>; 3]; Region::COUNT],
    exclusions: Vec<&'a Exclusion>,
    held: RegionSet,
}

impl<'a> Terrain<'a> {
    fn new(product: &Product, terms: &Terms, registry: &'a Registry, health: &'a Health) -> Self {
        let own = Subject::product(&product.asin);
        let skill = terms.skill.as_ref().map(Subject::skill);
        let hub = terms.hub.as_ref().map(Subject::hub);
        let find = |subject: Option<&Subject>, region| subject.and_then(|subject| health.timeline(subject, region));
        Self {
            subjects: Region::ALL
                .map(|region| [find(Some(&own), region), find(skill.as_ref(), region), find(hub.as_ref(), region)]),
            exclusions: registry.exclusions.iter().filter(|other| targets(&other.target, &product.asin, terms)).collect(),
            held: terms.marketplaces.iter().map(|marketplace| marketplace.region()).collect(),
        }
    }

    fn segments(&self, within: Span) -> Vec<Segment> {
        let mut turns = vec![within.from, within.to];
        turns.extend(self.subjects.iter().flatten().flatten().flat_map(|timeline| timeline.turns(within)));
        let edges = self.exclusions.iter().flat_map(|exclusion| [exclusion.interval.from.ms(), exclusion.interval.to.ms()]);
        turns.extend(edges.filter(|turn| within.from < *turn && *turn < within.to));
        turns.sort_unstable();
        turns.dedup();
        let spans = turns.windows(2).map(|pair| Span { from: pair[0], to: pair[1] });
        spans.map(|span| Segment { span, cells: Region::ALL.map(|region| self.cell(region, span.from)) }).collect()
    }

    fn cell(&self, region: Region, at: i64) -> Cell {
        if !self.held.contains(region) {
            return Cell::default();
        }
        let subjects = &self.subjects[region.index()];
        Cell {
            held: true,
            measured: subjects[0].is_some_and(|own| own.is_measured(at)),
            excluded: self.exclusions.iter().any(|exclusion| {
                exclusion.regions.contains(region) && exclusion.interval.from.ms() <= at && at < exclusion.interval.to.ms()
            }),
            causes: subjects.map(|subject| subject.is_some_and(|timeline| timeline.is_down(at))),
        }
    }
}
