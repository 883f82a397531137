//! What a live run shows of itself: fleet, owners, inputs, burn rates.
//!
//! Gathered from state that is there anyway, and no more often than [`FIGURES_WALL_MIN`], as it looks
//! at every product.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::decision::Scope;
use domain::report::ProductStanding;
use telemetry::events::{BrakeChanged, InternalEvent};
use telemetry::{Brake, BurnGauges, FleetGauges, InputGauges, Metrics, OwnerGauges, WorstBurn};

use crate::node::Node;
use crate::partition::Partition;

/// Least time between two looks.
const FIGURES_WALL_MIN: Duration = Duration::from_secs(10);
const PPM: f64 = 1e6;

/// The gauges of a live run.
pub(crate) struct Figures {
    metrics: Arc<Metrics>,
    fleet: FleetGauges,
    owners: BTreeMap<u32, OwnerGauges>,
    inputs: InputGauges,
    burns: BurnGauges,
    brakes: [bool; Brake::ALL.len()],
    shown: Option<Instant>,
}

impl Figures {
    /// Gauges of a process that owns nothing yet.
    pub(crate) fn new(metrics: &Arc<Metrics>) -> Self {
        Self {
            metrics: Arc::clone(metrics),
            fleet: FleetGauges::new(Arc::clone(metrics)),
            owners: BTreeMap::new(),
            inputs: InputGauges::new(Arc::clone(metrics)),
            burns: BurnGauges::new(Arc::clone(metrics)),
            brakes: [false; Brake::ALL.len()],
            shown: None,
        }
    }

    /// Shows how a process stands, if it is time to.
    pub(crate) fn show(&mut self, node: &Node) {
        if self.shown.is_some_and(|shown| shown.elapsed() < FIGURES_WALL_MIN) {
            return;
        }
        self.shown = Some(Instant::now());
        let standings: Vec<ProductStanding> =
            node.partitions().iter().flat_map(|partition| partition.standings().cloned()).collect();
        self.fleet.show(&standings, node.programme().map_or(&[], |programme| programme.standings()));
        self.owners.retain(|number, _| node.partitions().iter().any(|partition| partition.number() == *number));
        for partition in node.partitions() {
            let new = || OwnerGauges::new(Arc::clone(&self.metrics), partition.number());
            let gauges = self.owners.entry(partition.number()).or_insert_with(new);
            if let Some(t) = partition.t() {
                gauges.set_watermark(t);
            }
            gauges.show(partition.in_hand(node.tables()));
        }
        let own = node.partitions().iter().map(Partition::log_time).min().flatten();
        let tables = node.tables();
        let inputs = [own, tables.dependencies.log_time(), tables.registry.log_time()];
        self.inputs.show(inputs.map(|at| at.unwrap_or(Timestamp::MIN)));
        self.show_brakes(node);
        self.show_burns(node);
    }

    fn show_brakes(&mut self, node: &Node) {
        let on = Brake::ALL.map(|brake| node.partitions().iter().any(|partition| partition.is_held_by(brake, node.brakes())));
        for ((brake, on), was) in Brake::ALL.into_iter().zip(on).zip(&mut self.brakes) {
            if std::mem::replace(was, on) != on {
                BrakeChanged { brake, on }.emit(&self.metrics);
            }
        }
    }

    fn show_burns(&mut self, node: &Node) {
        let mut worst: BTreeMap<(String, Scope), (f64, u32)> = BTreeMap::new();
        for (scope, pair) in node.partitions().iter().flat_map(Partition::burns) {
            let (rate, alerting) = worst.entry((wire::policy::duration_text(pair.window.long), scope)).or_default();
            *rate = rate.max(pair.long_burn.ppm() as f64 / PPM);
            *alerting += u32::from(pair.alerts);
        }
        let shown = worst.iter().map(|((window, scope), (rate, alerting))| WorstBurn {
            window,
            scope: *scope,
            rate: *rate,
            alerting: *alerting,
        });
        let worst: Vec<WorstBurn<'_>> = shown.collect();
        self.burns.show(&worst);
    }
}
