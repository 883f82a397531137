//! The dashboards that ship: they ask only for what there is, and Grafana and people can read them.

use std::collections::BTreeSet;

use dashboards::{DASHBOARDS, PROVISIONING, problems};
use serde_json::Value;

#[test]
fn every_query_asks_for_metrics_that_exist() {
    for dashboard in DASHBOARDS {
        assert_eq!(problems(dashboard.content).unwrap(), Vec::<String>::new(), "{}", dashboard.path);
    }
}

#[test]
fn a_metric_that_was_renamed_would_be_missed() {
    for dashboard in DASHBOARDS {
        let broken = dashboard.content.replace("badgewatch_open_outages", "badgewatch_outages_open");
        let found = problems(&broken).unwrap();
        assert!(found.iter().any(|problem| problem.ends_with("no metric is called badgewatch_outages_open")), "{found:?}");
    }
}

#[test]
fn every_metric_of_ours_is_on_a_dashboard() {
    for metric in telemetry::CATALOGUE.iter().filter(|metric| metric.name.starts_with("badgewatch_")) {
        assert!(DASHBOARDS.iter().any(|dashboard| dashboard.content.contains(metric.name)), "{}", metric.name);
    }
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    for dashboard in DASHBOARDS {
        let json: Value = serde_json::from_str(dashboard.content).unwrap();
        let mut ids = BTreeSet::new();
        for panel in json["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id is taken");
            if panel["type"] == "row" {
                continue;
            }
            assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{title} has no description");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
            assert!(panel["fieldConfig"]["defaults"]["thresholds"]["steps"].is_array(), "{title} has no thresholds");
            for target in panel["targets"].as_array().unwrap() {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{title} is bound to one data source");
            }
        }
        assert!(ids.len() > 10);
    }
}

#[test]
fn provisioning_leads_to_the_dashboards() {
    let [provider, source] = PROVISIONING;
    for dashboard in DASHBOARDS {
        let directory = dashboard.path.rsplit_once('/').unwrap().0;
        assert!(provider.content.contains(&format!("/{directory}\n")), "{directory}");
    }
    assert!(source.content.contains("type: prometheus"));
}
