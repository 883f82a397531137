//! Dashboards as code: Grafana's JSON and provisioning, and the lint that holds every query in them
//! to the metrics that the pipeline really shows.

pub mod lint;
pub mod promql;

pub use lint::{DashboardError, problems};

/// A file for Grafana.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asset {
    /// Where it belongs, below Grafana's directories.
    pub path: &'static str,
    /// Its content.
    pub content: &'static str,
}

/// The dashboard "badgewatch: pipeline and fleet".
pub const PIPELINE: Asset =
    Asset { path: "dashboards/badgewatch/pipeline.json", content: include_str!("../grafana/pipeline.json") };

/// Every dashboard.
pub const DASHBOARDS: [Asset; 1] = [PIPELINE];

/// What makes Grafana load the dashboards.
pub const PROVISIONING: [Asset; 2] = [
    Asset {
        path: "provisioning/dashboards/badgewatch.yaml",
        content: include_str!("../grafana/provisioning/dashboards/badgewatch.yaml"),
    },
    Asset {
        path: "provisioning/datasources/prometheus.yaml",
        content: include_str!("../grafana/provisioning/datasources/prometheus.yaml"),
    },
];
