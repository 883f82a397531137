//! A product's life as plain values: where it stands in each scope at an instant, and what it left
//! behind by then. Going on from there needs no earlier history.
//!
//! `alerting::Life` goes on with them. Its frozen part (R24) can't be found again once the evidence is
//! forgotten, so it is stored: [`LifeParts`].

use std::collections::BTreeSet;

use crate::decision::{Decision, DecisionId, Evidence, Reason, Scope, WarningCause, WarningLevel};
use crate::id::Region;
use crate::interval::Interval;
use crate::time::{DurationMs, Timestamp};

/// The warning reasons, in listing order.
pub const WARNINGS: [(WarningLevel, WarningCause); 6] = [
    (WarningLevel::Watch, WarningCause::Budget),
    (WarningLevel::Warning, WarningCause::Budget),
    (WarningLevel::Warning, WarningCause::Outages),
    (WarningLevel::Warning, WarningCause::Projection),
    (WarningLevel::Critical, WarningCause::Budget),
    (WarningLevel::Critical, WarningCause::Outages),
];

/// What is frozen of a life. Whether it fits together, and fits a policy, is for
/// `alerting::Life::from_parts` to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LifeParts {
    /// The first instant that wasn't judged.
    pub next: Timestamp,
    /// The number, from 0, of the policy's version in force just before.
    pub version: usize,
    /// Other evidence before this instant would have led elsewhere, perhaps.
    pub depends_until: Timestamp,
    /// One life a scope that has begun, in listing order.
    pub lanes: Vec<State>,
    /// What was decided, in the order in which it was; where an episode is over, it may be left out.
    pub decisions: Vec<Decision>,
    /// Removals that have ended, or are followed in other scopes.
    pub removals: Vec<Removal>,
}

/// A life in one scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// The scope.
    pub scope: Scope,
    /// When the policy came to judge the scope.
    pub since: Timestamp,
    /// Where the badge stands.
    pub phase: Phase,
    /// Start of the last passed probation (R10).
    pub floor: Option<Timestamp>,
    /// When the badge was removed, while it is (R16).
    pub removed_at: Option<Timestamp>,
    /// What a breach has to exceed beside the policy's limits, after a refusal (R22).
    pub refused: Option<Refused>,
    /// Rulings that were used, by their order; not those before the last breach that was ruled on, which
    /// are too early for a later one.
    pub ruled: BTreeSet<(Timestamp, Timestamp, DecisionId)>,
    /// The first instant at which no critical outage was looked for.
    pub critical_next: Timestamp,
    /// The last critical outage that was told of each region, by itself or globally.
    pub critical_told: [Option<Timestamp>; Region::COUNT],
    /// Another evidence or fact before this instant would have led elsewhere, perhaps.
    pub depends_until: Timestamp,
}

/// Where a badge stands in a scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Phase {
    /// The badge is on.
    On {
        /// The first instant that wasn't judged.
        next: Timestamp,
        /// Which warnings are active.
        active: Active,
    },
    /// A breach waits for its ruling (R22); the badge is on.
    Proposed(Box<Proposal>),
    /// The badge is off, until the run that holds the breach has ended.
    Removed {
        /// When limits were exceeded.
        breach: Timestamp,
        /// Probation starts no earlier.
        not_before: Timestamp,
    },
    /// Months are counted.
    Probation {
        /// When it started, or started anew.
        start: Timestamp,
        /// Months passed since.
        passed: u32,
        /// Since when a certification requirement holds the reinstatement up.
        held: Option<Timestamp>,
    },
    /// A month broke: the badge is off until the run that holds that instant has ended.
    Broken(Box<Broken>),
}

/// Which warning reasons are active.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Active {
    /// Those of [`WARNINGS`], in its order.
    pub reasons: [bool; WARNINGS.len()],
    /// Whether coverage is too low.
    pub coverage: bool,
}

/// A breach that is proposed or was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// Where it was proposed: a switch of scopes doesn't change that.
    pub scope: Scope,
    /// When limits were exceeded.
    pub breach: Timestamp,
    /// Which ones.
    pub reasons: Vec<Reason>,
    /// The window at the breach.
    pub window: Interval,
    /// What it rests on, whatever scope judges by the time of the ruling.
    pub evidence: Evidence,
    /// What was used of it.
    pub used: Refused,
    /// Warnings that were active just before.
    pub active: Active,
}

/// Usage of a window that was refused as too little for a removal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Effective downtime, in milliseconds.
    pub downtime_ms: i64,
    /// Outages that count.
    pub outages: usize,
}

/// A month of probation that broke.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// When probation started.
    pub start: Timestamp,
    /// The month.
    pub month: Interval,
    /// When it broke.
    pub at: Timestamp,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// A removal of a product, as it is followed in a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Removal {
    /// The scope, also where the badge was removed in another that it was taken over from.
    pub scope: Scope,
    /// When the policy came to judge the scope.
    pub since: Timestamp,
    /// From the removal to the reinstatement, or to where the policy ceases to judge the scope.
    pub interval: Interval,
}

impl State {
    /// A life that begins.
    #[must_use]
    pub fn new(scope: Scope, enabled_at: Timestamp) -> Self {
        Self {
            scope,
            since: enabled_at,
            phase: Phase::On { next: enabled_at, active: Active::default() },
            floor: None,
            removed_at: None,
            refused: None,
            ruled: BTreeSet::new(),
            critical_next: enabled_at,
            critical_told: [None; Region::COUNT],
            depends_until: enabled_at + DurationMs(1),
        }
    }

    /// The removal that ends, or would end, at an instant.
    #[must_use]
    pub fn removal(&self, to: Timestamp) -> Option<Removal> {
        let interval = Interval::new(self.removed_at?, to);
        Some(Removal { scope: self.scope, since: self.since, interval })
    }
}

impl Active {
    /// The highest active level.
    #[must_use]
    pub fn level(&self) -> Option<WarningLevel> {
        WARNINGS.into_iter().zip(self.reasons).filter(|(_, active)| *active).map(|((level, _), _)| level).max()
    }

    /// What is active in either.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        self.reasons.iter_mut().zip(other.reasons).for_each(|(active, other)| *active |= other);
        self.coverage |= other.coverage;
        self
    }
}

impl Refused {
    /// The larger of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { downtime_ms: self.downtime_ms.max(other.downtime_ms), outages: self.outages.max(other.outages) }
    }
}
