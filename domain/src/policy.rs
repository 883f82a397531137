//! A policy: every number of the programme as data.

use std::fmt;
use std::sync::Arc;

use crate::interval::Interval;
use crate::ratio::Ppm;
use crate::time::{DurationMs, HOUR_MS, MINUTE_MS, Timestamp};

/// One version of a policy. All fields have been checked at the edge (`wire::policy`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Id and version.
    pub name: PolicyName,
    /// From when on it is in force; the first version also judges what came before (R18).
    pub effective_from: Timestamp,
    /// Whether standing is judged globally or per region.
    pub scope: ScopeRule,
    /// Whether removals are issued or proposed (live only, R22).
    pub enforcement: Enforcement,
    /// How far an event may be ahead of its record (live only, R23).
    pub max_skew: DurationMs,
    /// More removals than this in an hour become proposals (live only, R25).
    pub max_removals_per_hour: u32,
    /// How long warnings wait before they are issued (live only, R21).
    pub settle_warnings: DurationMs,
    /// How long removals, suspensions and reinstatements wait (live only, R21).
    pub settle_enforcement: DurationMs,
    /// The availability target.
    pub target: Ppm,
    /// What the target is judged over.
    pub window: WindowRule,
    /// At most this many outages in the window.
    pub outages_max: u32,
    /// Gaps up to this are part of a run (R9).
    pub merge_gap: DurationMs,
    /// Effective downtime from which a run is an outage, at least 1 ms (R9).
    pub min_duration: DurationMs,
    /// A judged slice is down above this share of failures (R3).
    pub down_ratio: Ppm,
    /// A slice is judged from this many attempts on, at least 1 (R3).
    pub min_attempts: u32,
    /// How long a state holds unrenewed; `None` is for ever (R4).
    pub state_ttl: Option<DurationMs>,
    /// Warning thresholds (R12).
    pub warnings: Warnings,
    /// Consecutive good months to reinstatement, at least 1 (R14).
    pub probation_months: u32,
    /// Coverage below this is dark (R12, R14).
    pub min_coverage: Ppm,
    /// Where set, critical outages are told and to be acknowledged within this time.
    pub critical_outage_acknowledge_within: Option<DurationMs>,
    /// When downtime is used up too fast.
    pub burn_rate: BurnRate,
    /// When a skill's service is degraded.
    pub degradation: Degradation,
}

/// The versions of a policy, one after the other (R18). Never empty; rising by `effective_from`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policies(Vec<Policy>);

impl Policies {
    /// The versions in order of time; `None` where there is none or two take effect at one instant.
    #[must_use]
    pub fn new(mut versions: Vec<Policy>) -> Option<Self> {
        versions.sort_by_key(|policy| policy.effective_from);
        let rises = versions.windows(2).all(|pair| pair[0].effective_from < pair[1].effective_from);
        (rises && !versions.is_empty()).then_some(Self(versions))
    }

    /// The version in force at an instant; the first one also judges what came before it.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> &Policy {
        &self.0[self.index_at(at)]
    }

    /// The number, from 0, of the version in force at an instant.
    #[must_use]
    pub fn index_at(&self, at: Timestamp) -> usize {
        self.0.partition_point(|policy| policy.effective_from <= at).max(1) - 1
    }

    /// For how many months a removal at `from` lasts at least that still lasts at `to`: the least of any
    /// version in force from the one to the other (R15, R18).
    #[must_use]
    pub fn least_probation_months(&self, from: Timestamp, to: Timestamp) -> u32 {
        let (first, last) = (self.index_at(from), self.index_at(to.max(from)));
        self.0[first..=last].iter().map(|policy| policy.probation_months).min().unwrap_or(0)
    }

    /// The versions in order of time.
    #[must_use]
    pub fn versions(&self) -> &[Policy] {
        &self.0
    }

    /// The same versions with removals issued, not proposed: what `evaluate` judges by (R19).
    #[must_use]
    pub fn automatic(mut self) -> Self {
        self.0.iter_mut().for_each(|policy| policy.enforcement = Enforcement::Automatic);
        self
    }

    /// The longest window of any version; a year that resets has 366 days at most. What happened longer
    /// ago than that is frozen (R24).
    #[must_use]
    pub fn longest_window(&self) -> DurationMs {
        const YEAR_MAX: DurationMs = DurationMs::days(366);
        let lengths = self.0.iter().map(|policy| match policy.window {
            WindowRule::Rolling(length) => length,
            WindowRule::ResetsOn { .. } => YEAR_MAX,
        });
        lengths.max().unwrap_or(YEAR_MAX)
    }

    /// Each version with the stretch of time in which it is in force.
    pub fn in_force(&self) -> impl Iterator<Item = (Interval, &Policy)> {
        let starts = std::iter::once(Timestamp::MIN).chain(self.0.iter().skip(1).map(|policy| policy.effective_from));
        let ends = self.0.iter().skip(1).map(|policy| policy.effective_from).chain([Timestamp::MAX]);
        starts.zip(ends).map(|(from, to)| Interval::new(from, to)).zip(&self.0)
    }
}

impl From<Policy> for Policies {
    fn from(policy: Policy) -> Self {
        Self(vec![policy])
    }
}

/// Multi-window burn rates: how fast the downtime budget is used up, as a multiple of the rate that
/// uses exactly the budget over the window. The thresholds follow from the shares: `budget` of the
/// window's budget used within `long` is a burn rate of `budget × window ÷ long` (the multiwindow,
/// multi-burn-rate alerts of the Site Reliability Workbook, chapter 5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BurnRate {
    /// The pairs of windows, fastest first.
    pub windows: Vec<BurnWindow>,
    /// A burn rate is known only where the long window holds at least so many attempts.
    pub min_attempts: u64,
}

/// A pair of windows that both have to burn fast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BurnWindow {
    /// How long it has to last.
    pub long: DurationMs,
    /// How lately it has to go on.
    pub short: DurationMs,
    /// The share of the budget that `long` uses up at the threshold.
    pub budget: Ppm,
}

/// When a skill's service counts as degraded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Degradation {
    /// Over the last so many whole minutes.
    pub window: DurationMs,
    /// Below this share of successful attempts.
    pub min_success: Ppm,
    /// At or above this latency for the slowest tenth.
    pub max_p90: DurationMs,
    /// Only with at least so many attempts in the window.
    pub min_attempts: u64,
}

impl Default for BurnRate {
    /// The presets' values: 2 % in 1 h (5 min), 5 % in 6 h (30 min), 10 % in 3 d (6 h); 100 attempts.
    fn default() -> Self {
        const HOURS: fn(i64) -> DurationMs = |hours| DurationMs(hours * HOUR_MS);
        let share = |ppm| Ppm::new(ppm).unwrap_or(Ppm::ZERO);
        Self {
            windows: vec![
                BurnWindow { long: HOURS(1), short: DurationMs(5 * MINUTE_MS), budget: share(20_000) },
                BurnWindow { long: HOURS(6), short: DurationMs(30 * MINUTE_MS), budget: share(50_000) },
                BurnWindow { long: HOURS(72), short: HOURS(6), budget: share(100_000) },
            ],
            min_attempts: 100,
        }
    }
}

impl Default for Degradation {
    /// The presets' values: below 85 % or P90 from 5 s on, over 15 minutes with 100 attempts.
    fn default() -> Self {
        Self {
            window: DurationMs(15 * MINUTE_MS),
            min_success: Ppm::new(850_000).unwrap_or(Ppm::ZERO),
            max_p90: DurationMs(5_000),
            min_attempts: 100,
        }
    }
}

/// The stretch of time that a window rule gives for an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The window's earliest start, before `enabled_at` and `floor` cut it.
    pub from: Timestamp,
    /// W: the window's whole length, which the budget is a share of.
    pub length: DurationMs,
}

impl Policy {
    /// The window's frame at an instant (R10).
    #[must_use]
    pub fn frame_at(&self, at: Timestamp) -> Frame {
        match self.window {
            WindowRule::Rolling(length) => Frame { from: at.saturating_sub(length), length },
            WindowRule::ResetsOn { month, day } => year_frame(at, month, day),
        }
    }

    /// The frame of the year that ends at `at`, where a year does: there it is judged first (R10).
    #[must_use]
    pub fn frame_ending_at(&self, at: Timestamp) -> Option<Frame> {
        match self.window {
            WindowRule::Rolling(_) => None,
            WindowRule::ResetsOn { month, day } => {
                let (now, before) = (year_frame(at, month, day), year_frame(at.saturating_sub(DurationMs(1)), month, day));
                (now.from == at && before.from < at).then_some(before)
            }
        }
    }

    /// The first reset after an instant; `None` for a rolling window, and where time ends.
    #[must_use]
    pub fn reset_after(&self, at: Timestamp) -> Option<Timestamp> {
        match self.window {
            WindowRule::Rolling(_) => None,
            WindowRule::ResetsOn { .. } => {
                let frame = self.frame_at(at);
                Some(frame.from.saturating_add(frame.length)).filter(|reset| *reset > at && *reset < Timestamp::MAX)
            }
        }
    }

    /// The budget of a frame: ⌊(1 − target) × W⌋ milliseconds (R10).
    #[must_use]
    pub fn budget_ms(&self, frame: Frame) -> i64 {
        self.target.complement().floor_of(frame.length.ms())
    }

    /// The window at an instant: the frame, cut to when judging may begin (R10).
    #[must_use]
    pub fn window(frame: Frame, enabled_at: Timestamp, floor: Option<Timestamp>, at: Timestamp) -> Interval {
        Interval::new(frame.from.max(enabled_at).max(floor.unwrap_or(Timestamp::MIN)), at)
    }
}

fn year_frame(at: Timestamp, month: u32, day: u32) -> Frame {
    let start = |year| Timestamp::from_date(year, month, day);
    let this = start(at.year()).unwrap_or(Timestamp::MIN);
    let (from, to) = if this <= at {
        (this, start(at.year() + 1).unwrap_or(Timestamp::MAX))
    } else {
        (start(at.year() - 1).unwrap_or(Timestamp::MIN), this)
    };
    Frame { from, length: to - from }
}

/// A policy's id and version.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PolicyName {
    /// The policy's id.
    pub id: Arc<str>,
    /// Its version.
    pub version: u32,
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}", self.id, self.version)
    }
}

/// Whether standing is judged globally or per region.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ScopeRule {
    /// One standing a product.
    Global,
    /// One standing for each region of a product.
    Region,
}

/// What happens at a breach, live (R22).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Enforcement {
    /// The removal is issued.
    Automatic,
    /// The removal is proposed and waits for a confirmation.
    Review,
}

/// What the target is judged over (R10).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WindowRule {
    /// The last so many milliseconds, at least 1.
    Rolling(DurationMs),
    /// Since the last such date, 00:00 UTC; every year has it.
    ResetsOn {
        /// 1 … 12.
        month: u32,
        /// 1 … 31.
        day: u32,
    },
}

/// Warning thresholds (R12).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warnings {
    /// `watch:budget` from this share of the budget on.
    pub watch_budget: Ppm,
    /// `warning:budget` from this share of the budget on.
    pub warning_budget: Ppm,
    /// `warning:outages` from this many on.
    pub warning_outages: u32,
    /// `critical:budget` from this share of the budget on.
    pub critical_budget: Ppm,
    /// `critical:outages` from this many on.
    pub critical_outages: u32,
    /// How much lower usage must be for a reason to lapse, as a share of the budget.
    pub hysteresis: Ppm,
    /// How far `warning:projection` looks ahead.
    pub projection: DurationMs,
    /// Mail is for products with at least this many customers.
    pub min_customers: u64,
}
