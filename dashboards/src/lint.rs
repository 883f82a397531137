//! Whether a dashboard asks for what there is: every metric and label in it exists, counters are
//! only looked at through a rate, gauges never, and histograms by their buckets.

use std::collections::BTreeSet;

use serde_json::Value;
use telemetry::{CATALOGUE, Kind, Metric};

use crate::promql::{Use, uses};

/// Labels that Prometheus adds to every series.
const TARGET_LABELS: [&str; 2] = ["instance", "job"];
/// Functions that make sense of a counter.
const COUNTER_FUNCTIONS: [&str; 4] = ["rate", "increase", "irate", "resets"];
/// Functions that make sense of a counter only.
const RATES: [&str; 3] = ["rate", "increase", "irate"];

/// A dashboard that can't be looked at.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// It isn't JSON.
    #[error("the dashboard is not JSON")]
    NotJson(#[from] serde_json::Error),
    /// It asks for nothing, so that a lint of it says nothing.
    #[error("the dashboard holds no query")]
    NoQueries,
}

/// Everything that is wrong with a dashboard's queries, against the catalogue of `telemetry`; each
/// names the query.
///
/// # Errors
///
/// When it isn't JSON or has no queries.
pub fn problems(dashboard: &str) -> Result<Vec<String>, DashboardError> {
    let dashboard: Value = serde_json::from_str(dashboard)?;
    let mut queries = Vec::new();
    collect_expressions(&dashboard, &mut queries);
    if queries.is_empty() {
        return Err(DashboardError::NoQueries);
    }
    let mut problems: Vec<String> = queries.into_iter().flat_map(expression_problems).collect();
    for variable in dashboard["templating"]["list"].as_array().into_iter().flatten() {
        let query = &variable["query"];
        if let Some(query) = query.as_str().or_else(|| query["query"].as_str()).filter(|_| variable["type"] == "query") {
            problems.extend(variable_problems(query));
        }
    }
    Ok(problems)
}

/// Every `expr` there is, of panels, rows and annotations.
fn collect_expressions<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(expression) if key == "expr" => found.push(expression),
                    _ => collect_expressions(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_expressions(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn expression_problems(expression: &str) -> Vec<String> {
    let found = uses(expression);
    let mut problems = Vec::new();
    let mut known: BTreeSet<&str> = TARGET_LABELS.into();
    for used in &found.metrics {
        match resolve(used.name) {
            None => problems.push(format!("no metric is called {}", used.name)),
            Some((metric, part)) => {
                let own: BTreeSet<&str> = labels_of(metric, part).collect();
                for label in used.matched.iter().filter(|label| !own.contains(*label)) {
                    problems.push(format!("{} has no label {label}", used.name));
                }
                problems.extend(usage_problem(used, metric, part, &found.grouped));
                known.extend(own);
            }
        }
    }
    if found.metrics.is_empty() {
        problems.push("it uses no metric".to_owned());
    } else {
        let unknown = found.grouped.iter().filter(|label| !known.contains(*label));
        problems.extend(unknown.map(|label| format!("none of its metrics has the label {label} that it groups by")));
    }
    problems.into_iter().map(|problem| format!("{expression}: {problem}")).collect()
}

/// Which part of a metric a series is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Whole,
    Bucket,
    SumOrCount,
}

/// The metric behind a series' name.
fn resolve(name: &str) -> Option<(&'static Metric, Part)> {
    let find =
        |name: &str, histogram: bool| CATALOGUE.iter().find(|m| m.name == name && (m.kind == Kind::Histogram) == histogram);
    let part = |suffix: &str, part: Part| find(name.strip_suffix(suffix)?, true).map(|metric| (metric, part));
    find(name, false)
        .map(|metric| (metric, Part::Whole))
        .or_else(|| part("_bucket", Part::Bucket))
        .or_else(|| part("_sum", Part::SumOrCount))
        .or_else(|| part("_count", Part::SumOrCount))
}

fn labels_of(metric: &'static Metric, part: Part) -> impl Iterator<Item = &'static str> {
    let le = (part == Part::Bucket).then_some("le");
    metric.labels.iter().copied().chain(TARGET_LABELS).chain(le)
}

fn usage_problem(used: &Use<'_>, metric: &Metric, part: Part, grouped: &[&str]) -> Option<String> {
    let name = used.name;
    let function = used.within.last().copied().unwrap_or_default();
    let grows = metric.kind != Kind::Gauge;
    if grows && !(used.ranged && COUNTER_FUNCTIONS.contains(&function)) {
        return Some(format!("{name} only grows: look at it through rate(…[…]) or increase(…[…])"));
    }
    if !grows && RATES.contains(&function) {
        return Some(format!("{name} is a gauge: {function}() makes no sense of it"));
    }
    if part == Part::Bucket && !(used.within.contains(&"histogram_quantile") && grouped.contains(&"le")) {
        return Some(format!("{name} are cumulative buckets: use histogram_quantile(…, sum by (le) (…))"));
    }
    None
}

/// `label_values(metric, label)` is all that a variable may ask.
fn variable_problems(query: &str) -> Vec<String> {
    let arguments = query.trim().strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
    let Some((series, label)) = arguments.and_then(|arguments| arguments.rsplit_once(',')) else {
        return vec![format!("{query}: expected label_values(metric, label)")];
    };
    let (label, found) = (label.trim(), uses(series));
    let mut problems = Vec::new();
    for used in &found.metrics {
        match resolve(used.name) {
            None => problems.push(format!("{query}: no metric is called {}", used.name)),
            Some((metric, part)) => {
                let own: BTreeSet<&str> = labels_of(metric, part).collect();
                let asked = used.matched.iter().copied().chain([label]);
                problems.extend(asked.filter(|l| !own.contains(l)).map(|l| format!("{query}: {} has no label {l}", used.name)));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first problem of a one-panel dashboard, without the query's name.
    fn check(expression: &str, expected: Option<&str>) {
        let dashboard = serde_json::json!({"panels": [{"targets": [{"expr": expression}]}]}).to_string();
        let found = problems(&dashboard).unwrap();
        let found = found.first().map(|problem| problem.strip_prefix(&format!("{expression}: ")).unwrap());
        assert_eq!(found, expected, "{expression}");
    }

    #[test]
    fn a_missing_metric_is_found_wherever_it_hides() {
        check("badgewatch_ready", None);
        check("badgewatch_readiness", Some("no metric is called badgewatch_readiness"));
        check("sum(rate(badgewatch_record_total[5m]))", Some("no metric is called badgewatch_record_total"));
        check(
            "badgewatch_ready + badgewatch_tick_duration_seconds",
            Some("no metric is called badgewatch_tick_duration_seconds"),
        );
        check("time()", Some("it uses no metric"));
        let nested =
            r#"{"panels": [{"panels": [{"targets": [{"expr": "gone"}]}]}], "annotations": {"list": [{"expr": "gone_too"}]}}"#;
        assert_eq!(problems(nested).unwrap().len(), 2);
    }

    #[test]
    fn a_missing_label_is_found() {
        check(r#"badgewatch_products{scope="NA", instance="a"}"#, None);
        check(r#"badgewatch_products{region="NA"}"#, Some("badgewatch_products has no label region"));
        check("sum by (kind) (badgewatch_products)", Some("none of its metrics has the label kind that it groups by"));
    }

    #[test]
    fn each_kind_is_looked_at_in_its_own_way() {
        let grows = |name: &str| format!("{name} only grows: look at it through rate(…[…]) or increase(…[…])");
        check("rate(badgewatch_records_total[5m])", None);
        check("badgewatch_records_total", Some(&grows("badgewatch_records_total")));
        check("max_over_time(badgewatch_records_total[5m])", Some(&grows("badgewatch_records_total")));
        check("rate(sum(badgewatch_records_total)[5m:])", Some(&grows("badgewatch_records_total")));
        check("rate(badgewatch_ready[5m])", Some("badgewatch_ready is a gauge: rate() makes no sense of it"));
        let bucket = "badgewatch_tick_duration_seconds_bucket";
        check(&format!("histogram_quantile(0.9, sum by (le) (rate({bucket}[5m])))"), None);
        let cumulative = format!("{bucket} are cumulative buckets: use histogram_quantile(…, sum by (le) (…))");
        check(&format!("sum(rate({bucket}[5m]))"), Some(&cumulative));
        check(&format!("histogram_quantile(0.9, sum(rate({bucket}[5m])))"), Some(&cumulative));
        check("rate(badgewatch_tick_duration_seconds_sum[5m])", None);
        check("badgewatch_tick_duration_seconds_count", Some(&grows("badgewatch_tick_duration_seconds_count")));
    }

    #[test]
    fn variables_are_held_to_the_catalogue_too() {
        let check = |query: &str, expected: usize| {
            let dashboard = serde_json::json!({
                "panels": [{"expr": "badgewatch_ready"}],
                "templating": {"list": [{"type": "query", "query": {"query": query}}]},
            });
            assert_eq!(problems(&dashboard.to_string()).unwrap().len(), expected, "{query}");
        };
        check("label_values(badgewatch_products, scope)", 0);
        check("label_values(badgewatch_products, region)", 1);
        check("label_values(badgewatch_product, scope)", 1);
        check("scope", 1);
    }

    #[test]
    fn a_dashboard_that_asks_nothing_is_no_dashboard() {
        assert!(matches!(problems("{}"), Err(DashboardError::NoQueries)));
        assert!(matches!(problems("{"), Err(DashboardError::NotJson(_))));
    }
}
