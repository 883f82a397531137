//! Which notice that was issued stands for one that is implied at another instant.

use super::story::Step::At;
use super::story::{self, policies};

const COVERAGE: &str = "coverage_warning global 2025-02-10T00:00 coverage";
const WATCH: &str = "warning global 2025-02-10T08:00 watch:budget";
const OUTAGE: &str = "critical_outage NA 2025-02-10T08:00 from=2025-02-10T07:30";

/// Issues one, then late evidence has these implied in its place, long settled: which are issued.
fn check(first: &str, then: &[&str], expected: &[&str]) {
    let issued = format!("#1 {}", first.split(" from=").next().expect("a first part"));
    story::check(&policies(&[]), &[At("2025-02-11T00:00", &[first], &[&issued]), At("2025-12-01T00:00", then, expected)]);
}

#[test]
fn a_warning_that_moved_by_a_day_at_most_was_told() {
    check(COVERAGE, &[], &[]);
    check(COVERAGE, &["coverage_warning global 2025-02-11T00:00 coverage"], &[]);
    check(COVERAGE, &["coverage_warning global 2025-02-09T00:00 coverage"], &[]);
    check(WATCH, &["warning global 2025-02-11T08:00 watch:budget"], &[]);
    check(WATCH, &["warning global 2025-02-09T08:00 watch:budget"], &[]);
}

#[test]
fn a_warning_further_away_is_another_one() {
    for far in [
        "coverage_warning global 2025-08-01T00:00 coverage",
        "coverage_warning global 2025-02-12T00:00 coverage",
        "coverage_warning global 2025-02-08T00:00 coverage",
        "coverage_warning NA 2025-02-10T00:00 coverage",
    ] {
        check(COVERAGE, &[far], &[&format!("#2 {far}")]);
    }
    for far in ["warning global 2025-02-11T08:01 watch:budget", "warning global 2025-02-09T07:59 watch:budget"] {
        check(WATCH, &[far], &[&format!("#2 {far}")]);
    }
}

#[test]
fn one_that_was_told_stands_for_one() {
    let moved = "coverage_warning global 2025-02-11T00:00 coverage";
    let (before, far) =
        ("coverage_warning global 2025-02-09T00:00 coverage", "coverage_warning global 2025-08-01T00:00 coverage");
    check(COVERAGE, &[COVERAGE, moved], &[&format!("#2 {moved}")]);
    check(COVERAGE, &[before, moved], &[&format!("#2 {moved}")]);
    check(COVERAGE, &[moved, far], &[&format!("#2 {far}")]);
}

#[test]
fn a_critical_outage_stands_for_its_run_however_far_it_moved() {
    let moved = "critical_outage NA 2025-02-13T08:00 from=2025-02-10T07:30";
    check(OUTAGE, &[moved], &["#2 amendment NA 2025-02-13T08:00 supersedes #1 (critical_outage)"]);
    let other = "critical_outage NA 2025-02-10T09:00 from=2025-02-10T08:30";
    check(OUTAGE, &[other], &["#2 critical_outage NA 2025-02-10T09:00"]);
}
