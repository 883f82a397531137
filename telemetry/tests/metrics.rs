//! What `/metrics` shows for what happened.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::decision::{CauseSet, Decision, DecisionId, DecisionKind, Evidence, OutageEvidence, Scope};
use domain::id::{Asin, ManufacturerId, Region, RegionSet};
use domain::policy::PolicyName;
use domain::rejection::{LineSource, RejectReason};
use domain::report::{ManufacturerStanding, ProductStanding, Standing};
use domain::time::MINUTE_MS;
use domain::{Interval, Ratio, Timestamp};
use telemetry::events::{Appended, BrakeChanged, CaughtUp, DecisionPublished, EventRerouted, LineRejected, Ticked};
use telemetry::fleet::{AT_RISK_PRODUCTS_MAX, BudgetBand};
use telemetry::live::{Brake, OwnerState, WorstBurn};
use telemetry::{BatchCounts, BurnGauges, CATALOGUE, FleetGauges, InputGauges, InternalEvent, Kind, Metrics, OwnerGauges};

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new("0.1.0").unwrap())
}

/// The series of one metric with their values, comments left out.
fn series(metrics: &Metrics, name: &str) -> BTreeMap<String, f64> {
    let text = metrics.render().unwrap();
    let lines = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
    lines.map(|line| line.rsplit_once(' ').unwrap()).map(|(key, value)| (key.to_owned(), value.parse().unwrap())).collect()
}

/// The series of one metric that aren't zero.
fn check(metrics: &Metrics, name: &str, expected: &[(&str, f64)]) {
    let seen: Vec<_> = series(metrics, name).into_iter().filter(|(_, value)| *value != 0.0).collect();
    let seen: Vec<_> = seen.iter().map(|(key, value)| (key.strip_prefix(name).unwrap(), *value)).collect();
    assert_eq!(seen, expected, "{name}");
}

fn asin(number: usize) -> Asin {
    Asin::new(&format!("B{number:09}")).unwrap()
}

fn product(number: usize, scope: Scope, standing: Standing, downtime_ms: i64) -> ProductStanding {
    let now = Timestamp::clamped(1_772_323_200_000);
    ProductStanding {
        asin: asin(number),
        manufacturer: ManufacturerId::new("m-1").unwrap(),
        scope,
        standing,
        warning_level: None,
        availability: None,
        observed_availability: None,
        coverage: Ratio::of(i64::from(downtime_ms > 0), 2),
        downtime_ms,
        budget_ms: 1_000,
        window: Interval::new(Timestamp::MIN, now),
        probation: None,
        outages: Vec::new(),
    }
}

#[test]
fn the_catalogue_is_what_is_shown_and_nothing_else() {
    let metrics = metrics();
    FleetGauges::new(Arc::clone(&metrics)).show(&[product(1, Scope::Global, Standing::Good, 1)], &[]);
    let owner = OwnerGauges::new(Arc::clone(&metrics), 3);
    owner.set_watermark(Timestamp::MIN);
    InputGauges::new(Arc::clone(&metrics)).show([Timestamp::MIN; 3]);
    BurnGauges::new(Arc::clone(&metrics)).show(&[WorstBurn { window: "3d", scope: Scope::Global, rate: 0.0, alerting: 0 }]);
    let text = metrics.render().unwrap();
    let shown: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(|line| line.split_once(' ').unwrap()).collect();
    let kind = |kind| match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let listed: BTreeMap<&str, &str> = CATALOGUE.iter().map(|metric| (metric.name, kind(metric.kind))).collect();
    assert_eq!(shown, listed);
    for metric in CATALOGUE {
        let labels: BTreeSet<&str> = metric.labels.iter().copied().collect();
        let suffix = if metric.kind == Kind::Histogram { "_count" } else { "" };
        let name = format!("{}{suffix}", metric.name);
        let all = series(&metrics, &name);
        let first = all.keys().next().unwrap_or_else(|| panic!("{name} has no series"));
        let found: BTreeSet<&str> = match first.split_once('{') {
            Some((_, inner)) => inner.trim_end_matches('}').split(',').map(|pair| pair.split('=').next().unwrap()).collect(),
            None => BTreeSet::new(),
        };
        assert_eq!(found, labels, "{name}");
    }
}

#[test]
fn a_batch_is_added_once() {
    let metrics = metrics();
    let mut counts = BatchCounts::default();
    (counts.records, counts.bytes) = (5, 700);
    (counts.accepted, counts.duplicate, counts.facts) = (3, 1, 2);
    EventRerouted { partition: 3, offset: 16, owner: 1 }.emit(&mut counts);
    counts.reject(LineSource::Registry, RejectReason::OlderThanWindow);
    for _ in 0..4 {
        counts.reject(LineSource::Events, RejectReason::OlderThanWindow);
    }
    let rejected = LineRejected {
        source: LineSource::Events,
        partition: 3,
        offset: 17,
        reason: RejectReason::UnknownSubject,
        detail: "product:B0 is not registered",
    };
    rejected.emit(&mut counts);
    metrics.add(&mut counts);
    assert_eq!(counts, BatchCounts::default());
    metrics.add(&mut counts);
    for (name, value) in [
        ("badgewatch_records_total", 5.0),
        ("badgewatch_records_bytes_total", 700.0),
        ("badgewatch_events_accepted_total", 3.0),
        ("badgewatch_events_duplicate_total", 1.0),
        ("badgewatch_registry_facts_total", 2.0),
        ("badgewatch_events_rerouted_total", 1.0),
        ("badgewatch_events_set_aside_total", 4.0),
    ] {
        check(&metrics, name, &[("", value)]);
    }
    check(
        &metrics,
        "badgewatch_rejected_total",
        &[
            (r#"{reason="older_than_window",source="events"}"#, 4.0),
            (r#"{reason="older_than_window",source="registry"}"#, 1.0),
            (r#"{reason="unknown_subject",source="events"}"#, 1.0),
        ],
    );
}

#[test]
fn events_change_their_metrics() {
    let metrics = metrics();
    assert!(!metrics.is_ready());
    CaughtUp { records: 5, took: Duration::from_secs(1) }.emit(&metrics);
    assert!(metrics.is_ready());
    let at = Timestamp::clamped(1_772_323_200_500);
    Ticked { at, took: Duration::from_millis(2) }.emit(&metrics);
    check(&metrics, "badgewatch_watermark_timestamp_seconds", &[("", 1_772_323_200.5)]);
    check(&metrics, "badgewatch_tick_duration_seconds_sum", &[("", 0.002)]);
    check(&metrics, "badgewatch_tick_duration_seconds_count", &[("", 1.0)]);
    Appended { log: "standings", records: 7 }.emit(&metrics);
    check(&metrics, "badgewatch_appended_total", &[(r#"{log="standings"}"#, 7.0)]);
    metrics.set_source_lag(Some(12));
    metrics.set_source_lag(None);
    check(&metrics, "badgewatch_source_lag_records", &[("", 12.0)]);
    let decision = Decision {
        id: DecisionId([7; 16]),
        kind: DecisionKind::BadgeRemoval,
        reasons: Vec::new(),
        asin: Some(asin(1)),
        manufacturer: ManufacturerId::new("m-1").unwrap(),
        scope: Scope::Global,
        at,
        supersedes: None,
        evidence: Evidence::new(PolicyName { id: "wwa-2024".into(), version: 1 }),
    };
    let mut counts = BatchCounts::default();
    (counts.pages_loaded, counts.pages_stored) = (3, 5);
    metrics.add(&mut counts);
    check(&metrics, "badgewatch_pages_loaded_total", &[("", 3.0)]);
    check(&metrics, "badgewatch_pages_stored_total", &[("", 5.0)]);
    BrakeChanged { brake: Brake::KillSwitch, on: true }.emit(&metrics);
    BrakeChanged { brake: Brake::RemovalLimit, on: true }.emit(&metrics);
    BrakeChanged { brake: Brake::KillSwitch, on: false }.emit(&metrics);
    check(&metrics, "badgewatch_brakes", &[(r#"{brake="removal_limit"}"#, 1.0)]);
    DecisionPublished(&decision).emit(&metrics);
    check(&metrics, "badgewatch_decisions_total", &[(r#"{kind="badge_removal"}"#, 1.0)]);
}

#[test]
fn the_fleet_is_shown_by_scope_and_only_the_few_at_risk_by_name() {
    let metrics = metrics();
    let mut gauges = FleetGauges::new(Arc::clone(&metrics));
    let (na, eu) = (Scope::Region(Region::Na), Scope::Region(Region::Eu));
    let mut down = product(3, na, Standing::Good, 950);
    down.outages.push(OutageEvidence {
        run: down.window,
        downtime_ms: 950,
        open: true,
        regions: RegionSet::ALL,
        causes: CauseSet::default(),
    });
    let mut also_down = down.clone();
    also_down.scope = eu;
    let fleet = [product(1, na, Standing::Removed, 2_000), product(2, na, Standing::Good, 0), down.clone(), also_down];
    let suspended = ManufacturerStanding { id: ManufacturerId::new("m-1").unwrap(), scope: na, suspended: true, removed: vec![] };
    gauges.show(&fleet, &[suspended]);

    check(
        &metrics,
        "badgewatch_products",
        &[
            (r#"{scope="EU",standing="good"}"#, 1.0),
            (r#"{scope="NA",standing="good"}"#, 2.0),
            (r#"{scope="NA",standing="removed"}"#, 1.0),
        ],
    );
    check(
        &metrics,
        "badgewatch_products_budget_used",
        &[(r#"{band="0",scope="NA"}"#, 1.0), (r#"{band="90-100%",scope="EU"}"#, 1.0), (r#"{band="90-100%",scope="NA"}"#, 1.0)],
    );
    check(&metrics, "badgewatch_manufacturers_suspended", &[(r#"{scope="NA"}"#, 1.0)]);
    let open = [(r#"{region="EU"}"#, 1.0), (r#"{region="FE"}"#, 1.0), (r#"{region="NA"}"#, 1.0)];
    check(&metrics, "badgewatch_open_outages", &open);
    let coverage = series(&metrics, "badgewatch_coverage_ratio");
    assert_eq!(coverage.get(r#"badgewatch_coverage_ratio{scope="EU"}"#), Some(&0.5));
    assert_eq!(coverage.len(), 2, "{coverage:?}");
    let at_risk = [(r#"{asin="B000000003",scope="EU"}"#, 0.95), (r#"{asin="B000000003",scope="NA"}"#, 0.95)];
    check(&metrics, "badgewatch_products_at_risk_budget_used_ratio", &at_risk);

    let many: Vec<_> = (0..100).map(|number| product(number, na, Standing::Good, 1 + i64::try_from(number).unwrap())).collect();
    gauges.show(&many, &[]);
    let at_risk = series(&metrics, "badgewatch_products_at_risk_budget_used_ratio");
    assert_eq!(at_risk.len(), AT_RISK_PRODUCTS_MAX);
    let least = at_risk.values().copied().fold(f64::INFINITY, f64::min);
    assert!((least - 0.081).abs() < 1e-9, "{at_risk:?}");
    check(&metrics, "badgewatch_open_outages", &[]);
}

#[test]
fn owners_add_up_and_take_back_what_they_showed() {
    let metrics = metrics();
    let owner = |partition| OwnerGauges::new(Arc::clone(&metrics), partition);
    let (mut first, mut second) = (owner(0), owner(11));
    let state = |waiting, critical_overdue| OwnerState {
        pages_resident_bytes: 1_000,
        decisions_waiting: waiting,
        proposals_open: 2,
        critical_open: 3,
        critical_overdue,
        skills_degraded: 1,
    };
    first.show(state(5, 0));
    second.show(state(7, 4));
    first.show(state(1, 6));
    let both = |values: [f64; 4], critical: &[(&str, f64)]| {
        let names = ["pages_resident_bytes", "decisions_waiting", "proposals_open", "skills_degraded"];
        for (name, value) in names.into_iter().zip(values) {
            assert_eq!(series(&metrics, &format!("badgewatch_{name}"))[&format!("badgewatch_{name}")], value, "{name}");
        }
        check(&metrics, "badgewatch_critical_outages_unacknowledged", critical);
    };
    both([2_000.0, 8.0, 4.0, 2.0], &[(r#"{state="open"}"#, 6.0), (r#"{state="overdue"}"#, 10.0)]);
    first.set_watermark(Timestamp::clamped(1_500));
    second.set_watermark(Timestamp::clamped(2_000));
    let name = "badgewatch_partition_watermark_timestamp_seconds";
    check(&metrics, name, &[(r#"{partition="0"}"#, 1.5), (r#"{partition="11"}"#, 2.0)]);
    drop(second);
    check(&metrics, name, &[(r#"{partition="0"}"#, 1.5)]);
    both([1_000.0, 1.0, 2.0, 1.0], &[(r#"{state="open"}"#, 3.0), (r#"{state="overdue"}"#, 6.0)]);
}

#[test]
fn an_input_is_stalled_while_another_is_far_ahead() {
    let metrics = metrics();
    let mut gauges = InputGauges::new(Arc::clone(&metrics));
    let mut step = |minutes: [i64; 3], stalled: &[&str]| {
        let watermarks = minutes.map(|minutes| Timestamp::clamped(minutes * MINUTE_MS));
        gauges.show(watermarks);
        let label = |input: &&str| (format!("{{input=\"{input}\"}}"), 1.0);
        let expected: Vec<_> = stalled.iter().map(label).collect();
        let expected: Vec<_> = expected.iter().map(|(label, value)| (label.as_str(), *value)).collect();
        check(&metrics, "badgewatch_stalled_inputs", &expected);
        let shown = series(&metrics, "badgewatch_input_watermark_timestamp_seconds");
        let shown = shown.get(r#"badgewatch_input_watermark_timestamp_seconds{input="registry"}"#);
        assert_eq!(shown, Some(&(minutes[2] as f64 * 60.0)));
    };
    step([10, 10, 10], &[]);
    step([15, 14, 10], &[]);
    step([16, 14, 10], &["registry"]);
    step([16, 10, 10], &["dependencies", "registry"]);
    step([10, 16, 16], &["own_log"]);
    step([16, 16, 16], &[]);
}

#[test]
fn the_worst_burn_is_shown_by_window_and_scope_and_no_longer_than_it_is_told() {
    let metrics = metrics();
    let mut gauges = BurnGauges::new(Arc::clone(&metrics));
    let burn = |window, scope, rate| WorstBurn { window, scope, rate, alerting: 1 };
    gauges.show(&[burn("3d", Scope::Global, 2.5), burn("6h", Scope::Global, 14.0), burn("6h", Scope::Region(Region::Na), 1.0)]);
    let name = "badgewatch_burn_rate_worst";
    assert_eq!(series(&metrics, name).len(), 3);
    gauges.show(&[burn("6h", Scope::Global, 15.5)]);
    check(&metrics, name, &[(r#"{scope="global",window="6h"}"#, 15.5)]);
    gauges.show(&[]);
    assert_eq!(series(&metrics, name).len(), 0);
}

#[test]
fn bands_follow_the_budget_exactly() {
    for (downtime, band) in [
        (0, BudgetBand::None),
        (1, BudgetBand::UpTo50),
        (499, BudgetBand::UpTo50),
        (500, BudgetBand::From50),
        (750, BudgetBand::From75),
        (900, BudgetBand::From90),
        (1_000, BudgetBand::From90),
        (1_001, BudgetBand::Over),
    ] {
        assert_eq!(BudgetBand::of(downtime, 1_000), band, "{downtime}");
    }
}
