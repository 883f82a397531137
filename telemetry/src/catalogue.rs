//! Every metric that `/metrics` shows: name, kind, meaning and labels.
//!
//! Names follow Prometheus: base units, `_total` on counters and on nothing else.

/// How a metric behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Only grows, until the process restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by size: `_bucket`, `_sum` and `_count`.
    Histogram,
}

/// A metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// What it means.
    pub help: &'static str,
    /// What its series differ by. All but `asin` and `partition` take few values; `asin` is bounded by
    /// [`AT_RISK_PRODUCTS_MAX`](crate::fleet::AT_RISK_PRODUCTS_MAX), `partition` by the partitions that a
    /// process owns.
    pub labels: &'static [&'static str],
}

const fn metric(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind, help, labels }
}

/// Records read.
pub const RECORDS: Metric = metric("badgewatch_records_total", Kind::Counter, &[], "Records read from the health source.");
/// Bytes read.
pub const RECORDS_BYTES: Metric =
    metric("badgewatch_records_bytes_total", Kind::Counter, &[], "Content of the records read from the health source.");
/// Events that count.
pub const EVENTS_ACCEPTED: Metric =
    metric("badgewatch_events_accepted_total", Kind::Counter, &[], "Health events that were valid and new.");
/// Events dropped as repetitions (R5).
pub const EVENTS_DUPLICATE: Metric = metric(
    "badgewatch_events_duplicate_total",
    Kind::Counter,
    &[],
    "Health events that were dropped as exact repetitions of an accepted one.",
);
/// Events that a checkpoint has already.
pub const EVENTS_REPLAYED: Metric = metric(
    "badgewatch_events_replayed_total",
    Kind::Counter,
    &[],
    "Health events that were read again after a restart and passed over, as the checkpoint has them already.",
);
/// Lines that don't count.
pub const REJECTED: Metric = metric(
    "badgewatch_rejected_total",
    Kind::Counter,
    &["reason", "source"],
    "Lines of health records and of the registry that were rejected, by reason and source.",
);
/// Registry lines in force.
pub const FACTS: Metric = metric("badgewatch_registry_facts_total", Kind::Counter, &[], "Registry lines that were accepted.");
/// How far behind reading is.
pub const SOURCE_LAG: Metric =
    metric("badgewatch_source_lag_records", Kind::Gauge, &[], "Records known to be in the health source and not read yet.");
/// Whether the backlog of the start is worked off.
pub const READY: Metric = metric(
    "badgewatch_ready",
    Kind::Gauge,
    &[],
    "1 once everything that was in the source at the start has been processed, else 0.",
);
/// T (R23).
pub const WATERMARK: Metric = metric(
    "badgewatch_watermark_timestamp_seconds",
    Kind::Gauge,
    &[],
    "The instant up to which standings and decisions are known, in seconds since 1970.",
);
/// What was decided.
pub const DECISIONS: Metric = metric("badgewatch_decisions_total", Kind::Counter, &["kind"], "Decisions published, by kind.");
/// What was written.
pub const APPENDED: Metric =
    metric("badgewatch_appended_total", Kind::Counter, &["log"], "Records appended to the output logs, by log.");
/// How products stand.
pub const PRODUCTS: Metric = metric(
    "badgewatch_products",
    Kind::Gauge,
    &["standing", "scope"],
    "Products by standing and scope; a product counts once in each of its scopes.",
);
/// Who may not request badges.
pub const MANUFACTURERS_SUSPENDED: Metric = metric(
    "badgewatch_manufacturers_suspended",
    Kind::Gauge,
    &["scope"],
    "Manufacturers that are suspended from requesting badges, by scope.",
);
/// How the budget is used over the fleet.
pub const PRODUCTS_BUDGET_USED: Metric = metric(
    "badgewatch_products_budget_used",
    Kind::Gauge,
    &["scope", "band"],
    "Products whose badge is on, by scope and by how much of their downtime budget is used.",
);
/// What is down now.
pub const OPEN_OUTAGES: Metric = metric(
    "badgewatch_open_outages",
    Kind::Gauge,
    &["region"],
    "Outages that have not ended, by region; one that touches several regions counts in each.",
);
/// How much is measured.
pub const COVERAGE: Metric = metric(
    "badgewatch_coverage_ratio",
    Kind::Gauge,
    &["scope"],
    "Mean coverage of the products in a scope: measured part of their badged time, 0 to 1.",
);
/// How long a tick takes.
pub const TICK_DURATION: Metric = metric(
    "badgewatch_tick_duration_seconds",
    Kind::Histogram,
    &[],
    "Time to bring standings and decisions up to a new instant.",
);
/// Who is next.
pub const AT_RISK: Metric = metric(
    "badgewatch_products_at_risk_budget_used_ratio",
    Kind::Gauge,
    &["asin", "scope"],
    "Downtime over budget of those products with the badge on that have used most of it; above 1 the badge is lost.",
);
/// Each partition's T (R23).
pub const PARTITION_WATERMARK: Metric = metric(
    "badgewatch_partition_watermark_timestamp_seconds",
    Kind::Gauge,
    &["partition"],
    "The instant up to which a health partition is decided, in seconds since 1970; of the partitions that this process owns.",
);
/// What T is the least of (R23).
pub const INPUT_WATERMARK: Metric = metric(
    "badgewatch_input_watermark_timestamp_seconds",
    Kind::Gauge,
    &["input"],
    "The instant up to which an input is known, in seconds since 1970; of the health log that of the slowest partition.",
);
/// What stalls decisions (R23).
pub const STALLED_INPUTS: Metric = metric(
    "badgewatch_stalled_inputs",
    Kind::Gauge,
    &["input"],
    "1 while an input holds decisions back by minutes although others move on, else 0.",
);
/// Events of producers that partition otherwise.
pub const EVENTS_REROUTED: Metric = metric(
    "badgewatch_events_rerouted_total",
    Kind::Counter,
    &[],
    "Health events that arrived at another partition than their subject's and were appended again to that one.",
);
/// Events of the frozen past (R24).
pub const EVENTS_SET_ASIDE: Metric = metric(
    "badgewatch_events_set_aside_total",
    Kind::Counter,
    &[],
    "Health events that were older than the window and change nothing any more; also counted as rejected.",
);
/// Late events at work.
pub const PAGES_LOADED: Metric =
    metric("badgewatch_pages_loaded_total", Kind::Counter, &[], "Pages of minutes that were loaded from the store.");
/// Pages put away.
pub const PAGES_STORED: Metric =
    metric("badgewatch_pages_stored_total", Kind::Counter, &[], "Pages of minutes that were written to the store.");
/// Partitions that come and go.
pub const PARTITION_MOVES: Metric = metric(
    "badgewatch_partition_moves_total",
    Kind::Counter,
    &["what"],
    "Partitions that the process came to own, handed over, or lost to another one.",
);
/// What a process owns.
pub const PARTITIONS_OWNED: Metric = metric("badgewatch_partitions_owned", Kind::Gauge, &[], "Partitions that the process owns.");
/// What the pages in memory take.
pub const PAGES_RESIDENT: Metric =
    metric("badgewatch_pages_resident_bytes", Kind::Gauge, &[], "Size of the pages of minutes that are in memory.");
/// What settles (R21).
pub const DECISIONS_WAITING: Metric = metric(
    "badgewatch_decisions_waiting",
    Kind::Gauge,
    &[],
    "Decisions that are implied and not issued yet, as they haven't settled.",
);
/// What people are to rule on (R22, R25).
pub const PROPOSALS_OPEN: Metric =
    metric("badgewatch_proposals_open", Kind::Gauge, &[], "Proposals of removals that nobody has ruled on.");
/// What holds enforcement back (R25).
pub const BRAKES: Metric = metric(
    "badgewatch_brakes",
    Kind::Gauge,
    &["brake"],
    "1 while a brake turns removals into proposals, else 0: the kill switch, or the limit of removals per hour.",
);
/// What manufacturers haven't answered.
pub const CRITICAL_UNACKNOWLEDGED: Metric = metric(
    "badgewatch_critical_outages_unacknowledged",
    Kind::Gauge,
    &["state"],
    "Critical outages that are not acknowledged: open ones still may be in time, overdue ones no more.",
);
/// How fast the budget goes.
pub const BURN_RATE_WORST: Metric = metric(
    "badgewatch_burn_rate_worst",
    Kind::Gauge,
    &["window", "scope"],
    "Highest burn rate of any product with the badge on, by window and scope: at 1 the budget is used up exactly at its end.",
);
/// What burns too fast.
pub const BURN_RATE_ALERTS: Metric = metric(
    "badgewatch_burn_rate_alerts",
    Kind::Gauge,
    &["window", "scope"],
    "Products with the badge on whose burn rate is at least the policy's threshold in both the long window (as labelled) and its short one.",
);
/// What degrades.
pub const SKILLS_DEGRADED: Metric = metric(
    "badgewatch_skills_degraded",
    Kind::Gauge,
    &[],
    "Skills whose service is degraded in a region, counted once a region.",
);
/// What runs.
pub const BUILD_INFO: Metric = metric("badgewatch_build_info", Kind::Gauge, &["version"], "1, with the version that runs.");

/// Every metric. The last ones are the process's own, under their usual names.
pub static CATALOGUE: [Metric; 44] = [
    RECORDS,
    RECORDS_BYTES,
    EVENTS_ACCEPTED,
    EVENTS_DUPLICATE,
    EVENTS_REPLAYED,
    REJECTED,
    FACTS,
    SOURCE_LAG,
    READY,
    WATERMARK,
    DECISIONS,
    APPENDED,
    PRODUCTS,
    MANUFACTURERS_SUSPENDED,
    PRODUCTS_BUDGET_USED,
    OPEN_OUTAGES,
    COVERAGE,
    TICK_DURATION,
    AT_RISK,
    PARTITION_WATERMARK,
    INPUT_WATERMARK,
    STALLED_INPUTS,
    EVENTS_REROUTED,
    EVENTS_SET_ASIDE,
    PAGES_LOADED,
    PAGES_STORED,
    PAGES_RESIDENT,
    PARTITION_MOVES,
    PARTITIONS_OWNED,
    DECISIONS_WAITING,
    PROPOSALS_OPEN,
    BRAKES,
    CRITICAL_UNACKNOWLEDGED,
    BURN_RATE_WORST,
    BURN_RATE_ALERTS,
    SKILLS_DEGRADED,
    BUILD_INFO,
    metric("process_cpu_seconds_total", Kind::Counter, &[], "Total user and system CPU time spent in seconds."),
    metric("process_open_fds", Kind::Gauge, &[], "Number of open file descriptors."),
    metric("process_max_fds", Kind::Gauge, &[], "Maximum number of open file descriptors."),
    metric("process_virtual_memory_bytes", Kind::Gauge, &[], "Virtual memory size in bytes."),
    metric("process_resident_memory_bytes", Kind::Gauge, &[], "Resident memory size in bytes."),
    metric("process_threads", Kind::Gauge, &[], "Number of OS threads in the process."),
    metric("process_start_time_seconds", Kind::Gauge, &[], "Start time of the process since unix epoch in seconds."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_follow_the_conventions() {
        let names: BTreeSet<_> = CATALOGUE.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        for Metric { name, kind, help, .. } in CATALOGUE {
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
            assert!(name.starts_with("badgewatch_") || name.starts_with("process_"), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert!(help.ends_with('.'), "{name}: {help}");
            for unit in ["_ms", "_minutes", "_percent", "_kib"] {
                assert!(!name.contains(unit), "{name} isn't in a base unit");
            }
        }
    }
}
