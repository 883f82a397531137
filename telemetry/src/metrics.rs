//! The metrics of a process: one registry, and a handle for each entry of the catalogue.

use domain::decision::{DecisionKind, Scope};
use domain::id::Region;
use domain::rejection::{LineSource, RejectReason};
use domain::report::Standing;
use domain::time::Timestamp;
use prometheus::core::{Collector, GenericGaugeVec};
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::catalogue::{self, Metric};
use crate::counts::{BatchCounts, SOURCES};
use crate::fleet::BudgetBand;
use crate::live::LiveMetrics;

/// Upper bounds of the tick's histogram, in seconds.
const TICK_SECONDS_BUCKETS: [f64; 14] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Metrics that can't be set up or shown.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// A metric of the catalogue can't be registered.
    #[error("cannot register metric {name}")]
    Register {
        /// Its name.
        name: &'static str,
        /// Why.
        source: prometheus::Error,
    },
    /// What was gathered can't be written as text.
    #[error("cannot render the metrics")]
    Render(#[source] prometheus::Error),
}

/// The metrics of a process. Cheap to share: every handle may be used from any thread.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    records: IntCounter,
    records_bytes: IntCounter,
    events_accepted: IntCounter,
    events_duplicate: IntCounter,
    events_replayed: IntCounter,
    rejected: IntCounterVec,
    facts: IntCounter,
    source_lag: IntGauge,
    ready: IntGauge,
    watermark: Gauge,
    decisions: IntCounterVec,
    appended: IntCounterVec,
    tick_duration: Histogram,
    pub(crate) live: LiveMetrics,
    pub(crate) products: IntGaugeVec,
    pub(crate) manufacturers_suspended: IntGaugeVec,
    pub(crate) products_budget_used: IntGaugeVec,
    pub(crate) open_outages: IntGaugeVec,
    pub(crate) coverage: GaugeVec,
    pub(crate) at_risk: GaugeVec,
}

impl Metrics {
    /// All metrics of the catalogue, at zero, with every value of every label that is known beforehand.
    ///
    /// # Errors
    ///
    /// When a metric can't be registered, which only a fault of the catalogue can cause.
    pub fn new(version: &str) -> Result<Self, TelemetryError> {
        let registry = Registry::new();
        let r = &registry;
        let metrics = Self {
            records: counter(r, catalogue::RECORDS)?,
            records_bytes: counter(r, catalogue::RECORDS_BYTES)?,
            events_accepted: counter(r, catalogue::EVENTS_ACCEPTED)?,
            events_duplicate: counter(r, catalogue::EVENTS_DUPLICATE)?,
            events_replayed: counter(r, catalogue::EVENTS_REPLAYED)?,
            rejected: register(r, catalogue::REJECTED, |m| IntCounterVec::new(opts(m), m.labels))?,
            facts: counter(r, catalogue::FACTS)?,
            source_lag: gauge(r, catalogue::SOURCE_LAG)?,
            ready: gauge(r, catalogue::READY)?,
            watermark: register(r, catalogue::WATERMARK, |m| Gauge::with_opts(opts(m)))?,
            decisions: register(r, catalogue::DECISIONS, |m| IntCounterVec::new(opts(m), m.labels))?,
            appended: register(r, catalogue::APPENDED, |m| IntCounterVec::new(opts(m), m.labels))?,
            tick_duration: register(r, catalogue::TICK_DURATION, |m| {
                Histogram::with_opts(HistogramOpts::new(m.name, m.help).buckets(TICK_SECONDS_BUCKETS.to_vec()))
            })?,
            live: LiveMetrics::register(r)?,
            products: gauges(r, catalogue::PRODUCTS)?,
            manufacturers_suspended: gauges(r, catalogue::MANUFACTURERS_SUSPENDED)?,
            products_budget_used: gauges(r, catalogue::PRODUCTS_BUDGET_USED)?,
            open_outages: gauges(r, catalogue::OPEN_OUTAGES)?,
            coverage: gauges(r, catalogue::COVERAGE)?,
            at_risk: gauges(r, catalogue::AT_RISK)?,
            registry: registry.clone(),
        };
        gauges::<prometheus::core::AtomicI64>(r, catalogue::BUILD_INFO)?.with_label_values(&[version]).set(1);
        register_process(r)?;
        metrics.start_at_zero();
        Ok(metrics)
    }

    /// Adds up what a batch came to, and leaves the counts at zero for the next one.
    pub fn add(&self, counts: &mut BatchCounts) {
        self.records.inc_by(counts.records);
        self.records_bytes.inc_by(counts.bytes);
        self.events_accepted.inc_by(counts.accepted);
        self.events_duplicate.inc_by(counts.duplicate);
        self.events_replayed.inc_by(counts.replayed);
        self.facts.inc_by(counts.facts);
        self.live.events_rerouted.inc_by(counts.rerouted);
        self.live.pages_loaded.inc_by(counts.pages_loaded);
        self.live.pages_stored.inc_by(counts.pages_stored);
        self.live.events_set_aside.inc_by(counts.rejected(LineSource::Events, RejectReason::OlderThanWindow));
        if counts.rejected_total() > 0 {
            for source in SOURCES {
                for reason in RejectReason::ALL {
                    let rejected = counts.rejected(source, reason);
                    self.rejected.with_label_values(&[reason.as_str(), source.as_str()]).inc_by(rejected);
                }
            }
        }
        *counts = BatchCounts::default();
    }

    /// Notes how far behind reading is, where that is known.
    pub fn set_source_lag(&self, records: Option<u64>) {
        if let Some(records) = records {
            self.source_lag.set(i64::try_from(records).unwrap_or(i64::MAX));
        }
    }

    /// Notes up to when standings and decisions are known (R23).
    pub fn set_watermark(&self, at: Timestamp) {
        self.watermark.set(seconds(at));
    }

    /// The metrics in Prometheus' text format.
    ///
    /// # Errors
    ///
    /// When they can't be written as text, which only a fault of the catalogue can cause.
    pub fn render(&self) -> Result<String, TelemetryError> {
        TextEncoder::new().encode_to_string(&self.registry.gather()).map_err(TelemetryError::Render)
    }

    /// Whether everything that was there at the start has been processed.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.get() == 1
    }

    pub(crate) fn set_ready(&self) {
        self.ready.set(1);
    }

    pub(crate) fn count_decision(&self, kind: DecisionKind) {
        self.decisions.with_label_values(&[kind.as_str()]).inc();
    }

    pub(crate) fn count_appended(&self, log: &str, records: u64) {
        self.appended.with_label_values(&[log]).inc_by(records);
    }

    pub(crate) fn observe_tick(&self, seconds: f64) {
        self.tick_duration.observe(seconds);
    }

    /// Series that start with their first event would hide it from `rate`.
    fn start_at_zero(&self) {
        for source in SOURCES {
            for reason in RejectReason::ALL {
                self.rejected.with_label_values(&[reason.as_str(), source.as_str()]);
            }
        }
        for kind in DecisionKind::ALL {
            self.decisions.with_label_values(&[kind.as_str()]);
        }
        for log in OUTPUT_LOGS {
            self.appended.with_label_values(&[log]);
        }
        self.live.start_at_zero();
        for region in Region::ALL {
            self.open_outages.with_label_values(&[region.as_str()]);
        }
        for scope in SCOPES {
            self.manufacturers_suspended.with_label_values(&[scope.as_str()]);
            for standing in Standing::ALL {
                self.products.with_label_values(&[standing.as_str(), scope.as_str()]);
            }
            for band in BudgetBand::ALL {
                self.products_budget_used.with_label_values(&[scope.as_str(), band.as_str()]);
            }
        }
    }
}

/// Every scope.
pub(crate) const SCOPES: [Scope; 4] =
    [Scope::Region(Region::Eu), Scope::Region(Region::Fe), Scope::Region(Region::Na), Scope::Global];

/// The logs that the pipeline appends to.
const OUTPUT_LOGS: [&str; 6] = ["decisions", "dependencies", "health", "programme", "rejected", "standings"];

/// An instant in Prometheus' unit.
pub(crate) fn seconds(at: Timestamp) -> f64 {
    at.ms() as f64 / 1000.0
}

pub(crate) fn counter(registry: &Registry, metric: Metric) -> Result<IntCounter, TelemetryError> {
    register(registry, metric, |metric| IntCounter::with_opts(opts(metric)))
}

pub(crate) fn gauge(registry: &Registry, metric: Metric) -> Result<IntGauge, TelemetryError> {
    register(registry, metric, |metric| IntGauge::with_opts(opts(metric)))
}

pub(crate) fn opts(metric: Metric) -> Opts {
    Opts::new(metric.name, metric.help)
}

pub(crate) fn gauges<P: prometheus::core::Atomic + 'static>(
    registry: &Registry,
    metric: Metric,
) -> Result<GenericGaugeVec<P>, TelemetryError> {
    register(registry, metric, |metric| GenericGaugeVec::new(opts(metric), metric.labels))
}

pub(crate) fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    metric: Metric,
    make: impl FnOnce(Metric) -> prometheus::Result<C>,
) -> Result<C, TelemetryError> {
    make(metric)
        .and_then(|collector| registry.register(Box::new(collector.clone())).map(|()| collector))
        .map_err(|source| TelemetryError::Register { name: metric.name, source })
}

#[cfg(target_os = "linux")]
fn register_process(registry: &Registry) -> Result<(), TelemetryError> {
    let collector = prometheus::process_collector::ProcessCollector::for_self();
    registry.register(Box::new(collector)).map_err(|source| TelemetryError::Register { name: "process_*", source })
}

#[cfg(not(target_os = "linux"))]
fn register_process(_registry: &Registry) -> Result<(), TelemetryError> {
    Ok(())
}
