//! A policy: every number of the programme as data.

use std::fmt;
use std::sync::Arc;

use crate::interval::Interval;
use crate::ratio::Ppm;
use crate::time::{DurationMs, Timestamp};

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
