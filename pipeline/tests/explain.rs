//! What is explained of a product against what is reported of it, on the auditor's scenarios.

use std::collections::BTreeSet;

use domain::report::Standing;
use domain::{Asin, Decision, Interval, Timestamp};
use loadtest::scenario::Scenario;
use pipeline::Evaluation;
use pipeline::engine::{Ahead, Explanation, LEAVING_SHOWN_MAX, Question};

/// Scenarios that are tried.
const SEEDS: u64 = 200;
const DAY_MS: i64 = 86_400_000;

fn read(scenario: &Scenario) -> Evaluation {
    let mut evaluation = Evaluation::new(scenario.policies.clone());
    (1..).zip(&scenario.facts).for_each(|(line, fact)| evaluation.fact(line, fact.clone()));
    evaluation.settle_registry(None);
    (1..).zip(&scenario.events).for_each(|(line, event)| evaluation.event(line, &event.as_ref()));
    evaluation
}

/// Every product at an instant, as everything up to T says.
fn explained(evaluation: &Evaluation, at: Timestamp, until: Timestamp) -> Vec<(Asin, Explanation)> {
    let engine = evaluation.engine();
    let what_if = Some(Interval::new(at, at.saturating_add(domain::DurationMs(DAY_MS))));
    let explain = |asin: &Asin| (asin.clone(), engine.explain(&Question { asin, at, until, what_if }).expect("registered"));
    engine.registry().products.keys().map(explain).collect()
}

/// The numbers agree with the standing, and what is ahead with how the badge is.
fn check(explanation: &Explanation, at: Timestamp, kinds: &mut BTreeSet<&'static str>) {
    for scope in &explanation.scopes {
        let standing = &scope.standing;
        let is_on = matches!(standing.standing, Standing::Good | Standing::Warned);
        match &scope.ahead {
            Ahead::On { forecast, burns, what_if } => {
                kinds.insert("on");
                assert!(is_on, "{standing:?}");
                let usage = forecast.usage;
                assert_eq!((usage.window, usage.budget_ms), (standing.window, standing.budget_ms));
                assert_eq!((usage.downtime_ms, usage.outages), (standing.downtime_ms, standing.outages.len()));
                assert!(forecast.downtime_leaves.len() <= LEAVING_SHOWN_MAX && forecast.outages_leave.len() <= LEAVING_SHOWN_MAX);
                assert!(what_if.as_ref().is_some_and(|what_if| what_if.assumed.from == at));
                assert!(!burns.is_empty());
            }
            Ahead::Proposed { breach } => {
                kinds.insert("proposed");
                assert!(is_on && *breach <= at, "{standing:?}");
            }
            Ahead::Off(reinstatement) => {
                kinds.insert("off");
                assert!(matches!(standing.standing, Standing::Removed | Standing::Probation | Standing::Held), "{standing:?}");
                assert!(reinstatement.earliest >= at);
                assert!(standing.standing != Standing::Held || !reinstatement.once.is_empty(), "held for a reason: {standing:?}");
            }
            Ahead::Withdrawn => {
                kinds.insert("withdrawn");
                assert_eq!(standing.standing, Standing::Withdrawn);
            }
        }
    }
}

#[test]
fn what_is_explained_is_what_is_reported() {
    let mut kinds = BTreeSet::new();
    for seed in 0..SEEDS {
        let scenario = Scenario::new(seed);
        let evaluation = read(&scenario);
        let now = scenario.at;
        let past = Timestamp::clamped(now.ms() - i64::try_from(seed % 50).expect("small") * 7 * DAY_MS - 1);
        let (at_end, before) = (explained(&evaluation, now, now), explained(&evaluation, past, now));
        let implied = evaluation.engine().implied(now);
        for (asin, explanation) in at_end.iter().chain(&before) {
            let at = if at_end.iter().any(|(_, other)| std::ptr::eq(other, explanation)) { now } else { past };
            check(explanation, at, &mut kinds);
            let is_about = |decision: &&Decision| match &decision.asin {
                Some(other) => other == asin,
                None => {
                    evaluation.engine().registry().products[asin].manufacturers().any(|other| *other == decision.manufacturer)
                }
            };
            let expected: Vec<&Decision> =
                implied.decisions.iter().filter(is_about).filter(|decision| decision.at <= at).collect();
            assert_eq!(explanation.implied.iter().collect::<Vec<_>>(), expected, "seed {seed}, {asin} at {at}");
        }
        let standings: Vec<_> =
            at_end.iter().flat_map(|(_, explanation)| explanation.scopes.iter().map(|scope| scope.standing.clone())).collect();
        assert_eq!(standings, implied.products, "seed {seed}");
    }
    assert_eq!(kinds, BTreeSet::from(["off", "on", "proposed", "withdrawn"]), "each is tried");
}
