//! Where a product's life stands in one scope: all that going on from there needs to know.
//!
//! There is no history in it, so it is remembered cheaply; what is decided, and when the product
//! was removed, its owner keeps ([`crate::Life`]).

use std::collections::BTreeSet;

use domain::decision::{DecisionId, Evidence, Reason, Scope};
use domain::id::Region;
use domain::interval::Interval;
use domain::time::Timestamp;

use crate::suspension::Removal;
use crate::warnings::Active;

/// A life in one scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct State {
    pub(crate) scope: Scope,
    /// When the policy came to judge the scope.
    pub(crate) since: Timestamp,
    pub(crate) phase: Phase,
    /// Start of the last passed probation (R10).
    pub(crate) floor: Option<Timestamp>,
    /// When the badge was removed, while it is (R16).
    pub(crate) removed_at: Option<Timestamp>,
    /// What a breach has to exceed beside the policy's limits, after a refusal (R22).
    pub(crate) refused: Option<Refused>,
    /// Rulings that were used, by their order; not those before the last breach that was ruled on, which
    /// are too early for a later one.
    pub(crate) ruled: BTreeSet<(Timestamp, Timestamp, DecisionId)>,
    /// The first instant at which no critical outage was looked for.
    pub(crate) critical_next: Timestamp,
    /// The last critical outage that was told of each region, by itself or globally.
    pub(crate) critical_told: [Option<Timestamp>; Region::COUNT],
    /// Another evidence or fact before this instant would have led elsewhere, perhaps.
    pub(crate) depends_until: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
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
        breach: Timestamp,
        /// Probation starts no earlier.
        not_before: Timestamp,
    },
    /// Months are counted.
    Probation {
        start: Timestamp,
        passed: u32,
        /// Since when a certification requirement holds the reinstatement up.
        held: Option<Timestamp>,
    },
    /// A month broke: the badge is off until the run that holds that instant has ended.
    Broken(Box<Broken>),
}

/// A breach that is proposed or was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Proposal {
    /// Where it was proposed: a switch of scopes doesn't change that.
    pub(crate) scope: Scope,
    pub(crate) breach: Timestamp,
    pub(crate) reasons: Vec<Reason>,
    /// The window at the breach.
    pub(crate) window: Interval,
    /// What it rests on, whatever scope judges by the time of the ruling.
    pub(crate) evidence: Evidence,
    /// What was used of it.
    pub(crate) used: Refused,
    /// Warnings that were active just before.
    pub(crate) active: Active,
}

/// Usage of a window that was refused as too little for a removal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refused {
    pub(crate) downtime_ms: i64,
    pub(crate) outages: usize,
}

impl Refused {
    pub(crate) fn max(self, other: Self) -> Self {
        Self { downtime_ms: self.downtime_ms.max(other.downtime_ms), outages: self.outages.max(other.outages) }
    }
}

/// A month of probation that broke.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Broken {
    pub(crate) start: Timestamp,
    pub(crate) month: Interval,
    pub(crate) at: Timestamp,
    pub(crate) reasons: Vec<Reason>,
}

impl State {
    /// A life that begins.
    pub(crate) fn new(scope: Scope, enabled_at: Timestamp) -> Self {
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
            depends_until: enabled_at + crate::scope::TICK,
        }
    }

    /// The removal that ends, or would end, at an instant.
    pub(crate) fn removal(&self, to: Timestamp) -> Option<Removal> {
        let interval = Interval::new(self.removed_at?, to);
        Some(Removal { scope: self.scope, since: self.since, interval })
    }

    /// The earliest instant of evidence that going on from here looks at, apart from windows and
    /// look-backs.
    pub(crate) fn needs_from(&self) -> Timestamp {
        let phase = match &self.phase {
            Phase::On { next, .. } => *next,
            Phase::Proposed(proposal) => proposal.window.from,
            Phase::Removed { breach, .. } => *breach,
            Phase::Probation { start, .. } => *start,
            Phase::Broken(broken) => broken.start,
        };
        self.removed_at.map_or(phase, |removed_at| removed_at.min(phase))
    }
}
