//! The oracle: a few milliseconds of two regions, judged afresh at each.

use domain::evidence::Outage;

use super::*;

/// All that is known of a product at T, and what is assumed.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) policy: Policy,
    /// Global, or the first region.
    pub(super) scope: Scope,
    pub(super) enabled_at: i64,
    pub(super) floor: Option<i64>,
    pub(super) t: i64,
    /// Raw downtime in NA and EU, before T.
    pub(super) down: [Vec<(i64, i64)>; 2],
    /// What is excluded in both.
    pub(super) excluded: Vec<(i64, i64)>,
    /// What was refused (R22).
    pub(super) tolerated: Tolerated,
}

const REGIONS: [Region; 2] = [Region::Na, Region::Eu];

/// Downtime that is assumed in the first region.
type Assumed = Option<(i64, i64)>;

/// A run and what it holds.
struct Run {
    span: Interval,
    effective: IntervalSet,
    first_in: [Option<Timestamp>; Region::COUNT],
}

fn set(spans: &[(i64, i64)]) -> IntervalSet {
    spans.iter().map(|&(from, to)| Interval::new(at(from), at(to))).collect()
}

impl World {
    /// What production code is given.
    pub(super) fn on<T>(&self, look: impl FnOnce(BadgeOn<'_>) -> T) -> T {
        let runs = self.runs(None, self.t);
        let outages: Vec<Outage> = runs.iter().filter_map(|run| self.outage(run)).collect();
        let downtime = self.effective(None, self.t, self.scope);
        let effective = self.effective(None, self.t, Scope::Global);
        let last_run = runs.last().map(|run| LastRun { run: run.span, effective_ms: run.effective.ms() });
        look(BadgeOn {
            policy: &self.policy,
            scope: self.scope,
            enabled_at: at(self.enabled_at),
            floor: self.floor.map(at),
            at: at(self.t),
            downtime: &downtime,
            effective: &effective,
            outages: &outages,
            last_run,
            tolerated: self.tolerated,
        })
    }

    pub(super) fn usage(&self, assumed: Assumed, t: i64) -> Usage {
        let frame = self.policy.frame_at(at(t));
        let window = Policy::window(frame, at(self.enabled_at), self.floor.map(at), at(t));
        let downtime_ms = self.effective(assumed, t, self.scope).ms_within(window);
        Usage { window, budget_ms: self.policy.budget_ms(frame), downtime_ms, outages: self.counting(assumed, t).len() }
    }

    /// Whether downtime is at a level of a budget, as R11 and R12 say it.
    pub(super) fn is_level(&self, budget_ms: i64, downtime_ms: i64, level: Level) -> bool {
        let share = |share: Ppm| downtime_ms > 0 && downtime_ms * 1_000_000 >= budget_ms * share.get();
        match level {
            Level::Watch => share(self.policy.warnings.watch_budget),
            Level::Warning => share(self.policy.warnings.warning_budget),
            Level::Critical => share(self.policy.warnings.critical_budget),
            Level::Breach => downtime_ms > budget_ms && downtime_ms > self.tolerated.downtime_ms,
        }
    }

    pub(super) fn reaches(&self, assumed: Assumed, t: i64, level: Level) -> bool {
        let usage = self.usage(assumed, t);
        self.is_level(usage.budget_ms, usage.downtime_ms, level)
    }

    /// As [`Self::reaches`], in the year that ends at `t`, after T, or the one that begins there.
    pub(super) fn reaches_year(&self, assumed: Assumed, t: i64, level: Level) -> bool {
        let years = self.policy.frame_ending_at(at(t)).filter(|_| t > self.t).into_iter().chain([self.policy.frame_at(at(t))]);
        let down = self.effective(assumed, t, self.scope);
        years.into_iter().any(|year| {
            let window = Interval::new(year.from.max(at(self.enabled_at)), at(t));
            self.is_level(self.policy.budget_ms(year), down.ms_within(window), level)
        })
    }

    pub(super) fn counts(&self, assumed: Assumed, t: i64, level: Level) -> bool {
        let counting = u32::try_from(self.counting(assumed, t).len()).expect("small");
        match level {
            Level::Watch => false,
            Level::Warning => counting >= self.policy.warnings.warning_outages,
            Level::Critical => counting >= self.policy.warnings.critical_outages,
            Level::Breach => counting > self.policy.outages_max && counting as usize > self.tolerated.outages,
        }
    }

    pub(super) fn breach(&self, assumed: Assumed, t: i64) -> Vec<Reason> {
        let newest = self.counting(assumed, t).pop();
        let touches = newest.is_some_and(|run| self.scope == Scope::Global || run.first_in[Region::Na.index()].is_some());
        let too_many = self.counts(assumed, t, Level::Breach) && touches;
        let budget = self.reaches(assumed, t, Level::Breach);
        [(budget, Reason::Budget), (too_many, Reason::Outages)]
            .into_iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, reason)| reason)
            .collect()
    }

    pub(super) fn first(&self, mut instants: impl Iterator<Item = i64>, holds: impl Fn(i64) -> bool) -> Option<Timestamp> {
        instants.find(|t| holds(*t)).map(at)
    }

    /// Whether, at the rate of the last week and of the last month, the projection exceeds the budget.
    pub(super) fn projects(&self, assumed: Assumed, t: i64) -> bool {
        let usage = self.usage(assumed, t);
        let down = self.effective(assumed, t, self.scope).clip(usage.window);
        [7, 30].into_iter().all(|days| {
            let burnt = i128::from(down.ms_within(Interval::new(at(t - days * DAY_MS), at(t))));
            let ahead = burnt * i128::from(self.policy.warnings.projection.ms());
            i128::from(usage.downtime_ms * days * DAY_MS) + ahead > i128::from(usage.budget_ms * days * DAY_MS)
        })
    }

    /// The outages that count at an instant, from what there is before it.
    fn counting(&self, assumed: Assumed, t: i64) -> Vec<Run> {
        let window = Policy::window(self.policy.frame_at(at(t)), at(self.enabled_at), self.floor.map(at), at(t));
        let least = self.policy.min_duration.ms();
        let counts = |run: &Run| {
            let old = self.floor.is_some_and(|floor| run.span.from < at(floor));
            run.effective.ms() >= least && run.effective.ms_within(window) > 0 && !old
        };
        self.runs(assumed, t).into_iter().filter(counts).collect()
    }

    fn outage(&self, run: &Run) -> Option<Outage> {
        let mut held = 0;
        let qualified_at = (run.span.from.ms()..run.span.to.ms()).find_map(|ms| {
            held += i64::from(run.effective.contains(at(ms)));
            (held == self.policy.min_duration.ms()).then(|| at(ms + 1))
        })?;
        Some(Outage { run: run.span, qualified_at, first_in: run.first_in })
    }

    fn runs(&self, assumed: Assumed, t: i64) -> Vec<Run> {
        let raw = self.raw(assumed, t, 0).union(&self.raw(assumed, t, 1)).merged(self.policy.merge_gap);
        let in_regions = [0, 1].map(|region| self.raw(assumed, t, region).subtract(&set(&self.excluded)));
        let run = |&span: &Interval| {
            let mut first_in = [None; Region::COUNT];
            for (region, down) in REGIONS.iter().zip(&in_regions) {
                first_in[region.index()] = down.clip(span).as_slice().first().map(|first| first.from);
            }
            Run { span, effective: in_regions[0].union(&in_regions[1]).clip(span), first_in }
        };
        raw.iter().map(run).collect()
    }

    fn raw(&self, assumed: Assumed, t: i64, region: usize) -> IntervalSet {
        let mut spans = self.down[region].clone();
        spans.extend(assumed.filter(|_| region == 0));
        set(&spans).clip(Interval::new(at(0), at(t)))
    }

    fn effective(&self, assumed: Assumed, t: i64, scope: Scope) -> IntervalSet {
        let regions = [0, 1].into_iter().filter(|&region| scope.includes(REGIONS[region]));
        let raw = regions.fold(IntervalSet::new(), |all, region| all.union(&self.raw(assumed, t, region)));
        raw.subtract(&set(&self.excluded))
    }
}
