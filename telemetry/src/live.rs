//! What partition owners show: how far they and their inputs have got, what waits, and what holds decisions back.

use std::sync::Arc;

use domain::decision::Scope;
use domain::time::{DurationMs, MINUTE_MS, Timestamp};
use prometheus::{GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use crate::catalogue;
use crate::events::{InputStalled, InternalEvent, Move};
use crate::metrics::{Metrics, TelemetryError, counter, gauge, gauges, opts, register, seconds};

/// How far an input may be behind the one that is ahead until it counts as stalled.
pub const STALLED_AFTER: DurationMs = DurationMs(5 * MINUTE_MS);

/// What T is the least of (R23).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Input {
    /// The partition's own log, `health`.
    OwnLog,
    /// What others say of skills and hubs.
    Dependencies,
    /// The registry.
    Registry,
}

/// What turns removals into proposals (R25).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Brake {
    /// A fact that somebody stated.
    KillSwitch,
    /// Too many removals in an hour.
    RemovalLimit,
}

/// What an owner has in hand.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct OwnerState {
    /// Size of the pages of minutes that are in memory.
    pub pages_resident_bytes: u64,
    /// Decisions that are implied and haven't settled.
    pub decisions_waiting: u64,
    /// Proposals that nobody has ruled on.
    pub proposals_open: u64,
    /// Critical outages that may still be acknowledged in time.
    pub critical_open: u64,
    /// Critical outages that should have been acknowledged.
    pub critical_overdue: u64,
    /// Skills whose service is degraded in a region, once a region.
    pub skills_degraded: u64,
}

/// Shows one owner: its partition's watermark, and what it has in hand, added to what the others have. What it
/// shows is taken back when it is dropped, so that whoever loses a partition doesn't go on showing it.
#[derive(Debug)]
pub struct OwnerGauges {
    metrics: Arc<Metrics>,
    partition: String,
    shown: OwnerState,
}

/// Shows how far the inputs of a process have got, and which of them is stalled.
#[derive(Debug)]
pub struct InputGauges {
    metrics: Arc<Metrics>,
    stalled: [bool; Input::ALL.len()],
}

/// Shows the fleet's worst burn rates.
#[derive(Debug)]
pub struct BurnGauges {
    metrics: Arc<Metrics>,
    /// Those shown, to take back the ones that no longer are.
    shown: Vec<(String, Scope)>,
}

/// The worst burn rate of a window and scope.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct WorstBurn<'a> {
    /// The long window, as the policy writes it, e.g. `3d`.
    pub window: &'a str,
    /// Of which scope.
    pub scope: Scope,
    /// Share of the budget used in the window, over the window's share of the budget's period.
    pub rate: f64,
    /// Products that burn too fast in both windows of the pair.
    pub alerting: u32,
}

/// The handles behind these gauges and the events of owners.
#[derive(Debug)]
pub(crate) struct LiveMetrics {
    pub(crate) events_rerouted: IntCounter,
    pub(crate) events_set_aside: IntCounter,
    pub(crate) pages_loaded: IntCounter,
    pub(crate) pages_stored: IntCounter,
    pub(crate) stalled_inputs: IntGaugeVec,
    pub(crate) brakes: IntGaugeVec,
    pub(crate) partition_moves: IntCounterVec,
    partitions_owned: IntGauge,
    partition_watermark: GaugeVec,
    input_watermark: GaugeVec,
    pages_resident: IntGauge,
    decisions_waiting: IntGauge,
    proposals_open: IntGauge,
    critical_unacknowledged: IntGaugeVec,
    burn_rate_worst: GaugeVec,
    burn_rate_alerts: IntGaugeVec,
    skills_degraded: IntGauge,
}

/// Labels of critical outages.
const OPEN: &str = "open";
const OVERDUE: &str = "overdue";

impl Input {
    /// Every input.
    pub const ALL: [Self; 3] = [Self::OwnLog, Self::Dependencies, Self::Registry];

    /// The input's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnLog => "own_log",
            Self::Dependencies => "dependencies",
            Self::Registry => "registry",
        }
    }
}

impl Brake {
    /// Every brake.
    pub const ALL: [Self; 2] = [Self::KillSwitch, Self::RemovalLimit];

    /// The brake's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KillSwitch => "kill_switch",
            Self::RemovalLimit => "removal_limit",
        }
    }
}

impl OwnerGauges {
    /// Gauges of a partition's owner, which has nothing in hand yet.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, partition: u32) -> Self {
        metrics.live.partitions_owned.inc();
        Self { metrics, partition: partition.to_string(), shown: OwnerState::default() }
    }

    /// Shows up to when the partition is decided.
    pub fn set_watermark(&self, at: Timestamp) {
        self.metrics.live.partition_watermark.with_label_values(&[&self.partition]).set(seconds(at));
    }

    /// Shows what the owner has in hand now.
    pub fn show(&mut self, state: OwnerState) {
        let (live, before) = (&self.metrics.live, self.shown);
        let critical = |label| live.critical_unacknowledged.with_label_values(&[label]);
        live.pages_resident.add(change(before.pages_resident_bytes, state.pages_resident_bytes));
        live.decisions_waiting.add(change(before.decisions_waiting, state.decisions_waiting));
        live.proposals_open.add(change(before.proposals_open, state.proposals_open));
        critical(OPEN).add(change(before.critical_open, state.critical_open));
        critical(OVERDUE).add(change(before.critical_overdue, state.critical_overdue));
        live.skills_degraded.add(change(before.skills_degraded, state.skills_degraded));
        self.shown = state;
    }
}

impl Drop for OwnerGauges {
    fn drop(&mut self) {
        self.show(OwnerState::default());
        self.metrics.live.partitions_owned.dec();
        let _absent = self.metrics.live.partition_watermark.remove_label_values(&[&self.partition]);
    }
}

impl InputGauges {
    /// Gauges of a process's inputs.
    #[must_use]
    pub const fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, stalled: [false; Input::ALL.len()] }
    }

    /// Shows up to when each input is known, in the order of [`Input::ALL`]. One that is more than
    /// [`STALLED_AFTER`] behind the one ahead is stalled; where all stand still none is.
    pub fn show(&mut self, watermarks: [Timestamp; Input::ALL.len()]) {
        let ahead = watermarks.into_iter().max().unwrap_or(Timestamp::MIN);
        for (index, (input, at)) in Input::ALL.into_iter().zip(watermarks).enumerate() {
            self.metrics.live.input_watermark.with_label_values(&[input.as_str()]).set(seconds(at));
            let stalled = ahead - at > STALLED_AFTER;
            if std::mem::replace(&mut self.stalled[index], stalled) != stalled {
                InputStalled { input, at, stalled }.emit(&self.metrics);
            }
        }
    }
}

impl BurnGauges {
    /// Gauges of these metrics.
    #[must_use]
    pub const fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, shown: Vec::new() }
    }

    /// Shows the worst rate of each window and scope of the whole process; what was shown before is replaced.
    pub fn show(&mut self, worst: &[WorstBurn<'_>]) {
        let (rates, alerts) = (&self.metrics.live.burn_rate_worst, &self.metrics.live.burn_rate_alerts);
        for (window, scope) in &self.shown {
            if !worst.iter().any(|burn| burn.window == window && burn.scope == *scope) {
                let _absent = rates.remove_label_values(&[window.as_str(), scope.as_str()]);
                let _absent = alerts.remove_label_values(&[window.as_str(), scope.as_str()]);
            }
        }
        for burn in worst {
            rates.with_label_values(&[burn.window, burn.scope.as_str()]).set(burn.rate);
            alerts.with_label_values(&[burn.window, burn.scope.as_str()]).set(i64::from(burn.alerting));
        }
        self.shown = worst.iter().map(|burn| (burn.window.to_owned(), burn.scope)).collect();
    }
}

impl LiveMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, TelemetryError> {
        let r = registry;
        Ok(Self {
            events_rerouted: counter(r, catalogue::EVENTS_REROUTED)?,
            events_set_aside: counter(r, catalogue::EVENTS_SET_ASIDE)?,
            pages_loaded: counter(r, catalogue::PAGES_LOADED)?,
            pages_stored: counter(r, catalogue::PAGES_STORED)?,
            stalled_inputs: gauges(r, catalogue::STALLED_INPUTS)?,
            brakes: gauges(r, catalogue::BRAKES)?,
            partition_moves: register(r, catalogue::PARTITION_MOVES, |m| IntCounterVec::new(opts(m), m.labels))?,
            partitions_owned: gauge(r, catalogue::PARTITIONS_OWNED)?,
            partition_watermark: gauges(r, catalogue::PARTITION_WATERMARK)?,
            input_watermark: gauges(r, catalogue::INPUT_WATERMARK)?,
            pages_resident: gauge(r, catalogue::PAGES_RESIDENT)?,
            decisions_waiting: gauge(r, catalogue::DECISIONS_WAITING)?,
            proposals_open: gauge(r, catalogue::PROPOSALS_OPEN)?,
            critical_unacknowledged: gauges(r, catalogue::CRITICAL_UNACKNOWLEDGED)?,
            burn_rate_worst: gauges(r, catalogue::BURN_RATE_WORST)?,
            burn_rate_alerts: gauges(r, catalogue::BURN_RATE_ALERTS)?,
            skills_degraded: gauge(r, catalogue::SKILLS_DEGRADED)?,
        })
    }

    /// Every series whose labels are known beforehand and for which 0 says something.
    pub(crate) fn start_at_zero(&self) {
        for input in Input::ALL {
            self.stalled_inputs.with_label_values(&[input.as_str()]);
        }
        for brake in Brake::ALL {
            self.brakes.with_label_values(&[brake.as_str()]);
        }
        for what in Move::LABELS {
            self.partition_moves.with_label_values(&[what]);
        }
        for state in [OPEN, OVERDUE] {
            self.critical_unacknowledged.with_label_values(&[state]);
        }
    }
}

/// What a gauge that several owners share changes by.
fn change(before: u64, now: u64) -> i64 {
    now.cast_signed().wrapping_sub(before.cast_signed())
}
