//! Scenarios are valid inputs, and between them everything happens.

mod live;
mod split;

use std::collections::{BTreeMap, HashMap};

use domain::policy::ScopeRule;
use domain::{Decision, DecisionKind, DurationMs, Reason, Report, WarningCause, WarningLevel};

use super::*;
use crate::auditor::{AuditInput, audit};

/// How many seeds are looked at.
const SEEDS: u64 = 600;

/// In how many percent of the scenarios something happens at least.
const OFTEN: [(&str, u64); 18] = [
    ("badge_removal budget", 40),
    ("badge_removal outages", 10),
    ("probation_started", 40),
    ("probation_month_passed", 30),
    ("probation_restarted budget", 20),
    ("probation_restarted coverage", 7),
    ("probation_restarted outages", 5),
    ("reinstatement", 20),
    ("reinstatement_held listing", 3),
    ("reinstatement_held brand", 1),
    ("reinstatement_held model", 1),
    ("reinstatement_held image", 1),
    ("reinstatement_held hub", 1),
    ("reinstatement_held skill", 1),
    ("suspension", 40),
    ("suspension_lifted", 20),
    ("coverage_warning coverage", 15),
    ("critical_outage", 20),
];

fn scenarios() -> impl Iterator<Item = Scenario> {
    (0..SEEDS).map(Scenario::new)
}

fn audited(scenario: &Scenario) -> Report {
    let facts: Vec<_> = (1..).zip(scenario.facts.iter().cloned()).collect();
    let events: Vec<_> = (1..).zip(scenario.events.iter().cloned()).collect();
    audit(&AuditInput { policies: &scenario.policies, facts: &facts, events: &events, at: scenario.at })
}

#[test]
fn a_seed_gives_the_same_scenario() {
    assert_eq!(Scenario::new(42), Scenario::new(42));
    assert_ne!(Scenario::new(42).events, Scenario::new(43).events);
}

#[test]
fn scenarios_can_be_written_and_read_back() {
    for scenario in scenarios() {
        let seed = scenario.seed;
        let text: String = scenario.policies.versions().iter().map(|policy| wire::policy::write(policy) + "\n").collect();
        let versions = wire::policy::parse(&text, "scenario.toml").expect("valid policies");
        assert_eq!(versions, scenario.policies.versions(), "seed {seed}");
        for fact in &scenario.facts {
            let mut line = Vec::new();
            wire::fact::write(fact, &mut line);
            assert_eq!(wire::fact::parse(&line).as_ref(), Ok(fact), "seed {seed}");
        }
        for event in &scenario.events {
            let mut line = Vec::new();
            wire::event::write(&event.as_ref(), &mut line);
            assert_eq!(wire::event::parse(&line).map(|parsed| parsed.event().to_owned()).as_ref(), Ok(event), "seed {seed}");
        }
    }
}

#[test]
fn scenarios_are_small() {
    for Scenario { seed, facts, events, at, .. } in scenarios() {
        assert!(events.len() <= EVENTS_MAX, "seed {seed}: {} events", events.len());
        assert!(facts.len() <= 120, "seed {seed}: {} facts", facts.len());
        let enabled = facts.iter().filter_map(|fact| if let Fact::Badge(badge) = fact { Some(badge.enabled_at) } else { None });
        let first = enabled.min().expect("a badge");
        assert!(at - first <= DurationMs::days(2 * SPAN_DAYS_MAX), "seed {seed}");
    }
}

#[test]
fn permutations_keep_which_line_of_a_name_comes_first() {
    let mut moved = 0;
    for scenario in scenarios() {
        let events = scenario.permuted(7);
        moved += usize::from(events != scenario.events);
        assert_eq!(count(&events), count(&scenario.events));
        assert_eq!(firsts(&events, name), firsts(&scenario.events, name), "seed {}", scenario.seed);
        let facts = scenario.permuted_facts(7);
        assert_eq!(facts.len(), scenario.facts.len());
        assert!(facts.iter().all(|fact| scenario.facts.contains(fact)));
        let (before, after) = (firsts(&scenario.facts, identity), firsts(&facts, identity));
        assert!(before.iter().all(|(key, fact)| after.get(key) == Some(fact)), "seed {}", scenario.seed);
    }
    assert!(moved > scenarios().count() * 9 / 10);
}

#[test]
fn duplicates_come_later_and_are_the_same() {
    let mut added = 0;
    for scenario in scenarios() {
        let events = scenario.duplicated(7);
        added += events.len() - scenario.events.len();
        let mut rest = scenario.events.iter().peekable();
        for (place, event) in events.iter().enumerate() {
            if rest.peek() == Some(&event) {
                rest.next();
            } else {
                assert!(event.seq.is_some() && events[..place].contains(event), "seed {}", scenario.seed);
            }
        }
        assert_eq!(rest.next(), None, "every event is still there, in its order");
        assert_eq!(firsts(&events, name), firsts(&scenario.events, name));
    }
    assert!(added > scenarios().count());
}

#[test]
fn minimizing_leaves_what_matters() {
    let scenario = scenarios().find(|scenario| scenario.events.len() > 20 && scenario.facts.len() > 5).expect("a large one");
    let (event, fact) = (scenario.events[3].clone(), scenario.facts[2].clone());
    let least = scenario.minimized(|left| left.events.contains(&event) && left.facts.contains(&fact));
    assert_eq!((least.events, least.facts), (vec![event], vec![fact]));
}

fn count(events: &[Event]) -> HashMap<&Event, usize> {
    events.iter().fold(HashMap::new(), |mut counts, event| {
        *counts.entry(event).or_default() += 1;
        counts
    })
}

/// The first item of each key.
fn firsts<T, K: Eq + std::hash::Hash>(items: &[T], key: impl Fn(&T) -> Option<K>) -> HashMap<K, &T> {
    let mut out = HashMap::new();
    for item in items {
        if let Some(key) = key(item) {
            out.entry(key).or_insert(item);
        }
    }
    out
}

/// What a decision is, without its marketplaces.
fn label(decision: &Decision, reason: Option<&Reason>) -> String {
    let reason = reason.map_or(String::new(), |reason| match reason {
        Reason::Warning(..) | Reason::Budget | Reason::Outages | Reason::Coverage => format!(" {reason}"),
        requirement => format!(" {}", requirement.to_string().split(':').next().unwrap_or_default()),
    });
    format!("{}{reason}", decision.kind)
}

#[test]
fn between_them_everything_happens_often() {
    let mut happened: BTreeMap<String, u64> = BTreeMap::new();
    let (mut global, mut restarted_in_held, mut granted_later, mut removed_again) = (0, 0, 0, 0);
    for scenario in (0..SEEDS).map(Scenario::single) {
        global += u64::from(scenario.policies.versions()[0].scope == ScopeRule::Global);
        let report = audited(&scenario);
        let mut labels: Vec<_> = report
            .decisions
            .iter()
            .flat_map(|decision| {
                let bare = decision.reasons.is_empty().then(|| label(decision, None));
                bare.into_iter().chain(decision.reasons.iter().map(|reason| label(decision, Some(reason))))
            })
            .collect();
        labels.sort_unstable();
        labels.dedup();
        labels.into_iter().for_each(|label| *happened.entry(label).or_default() += 1);
        let mut arcs: BTreeMap<_, Vec<DecisionKind>> = BTreeMap::new();
        for decision in report.decisions.iter().filter(|decision| decision.asin.is_some()) {
            arcs.entry((decision.asin.clone(), decision.scope)).or_default().push(decision.kind);
        }
        let after_held = |next: DecisionKind| {
            let follows = |arc: &Vec<DecisionKind>| {
                let held = arc.iter().position(|kind| *kind == DecisionKind::ReinstatementHeld);
                held.is_some_and(|held| arc[held..].contains(&next))
            };
            u64::from(arcs.values().any(follows))
        };
        restarted_in_held += after_held(DecisionKind::ProbationRestarted);
        granted_later += after_held(DecisionKind::Reinstatement);
        let removals = |arc: &Vec<DecisionKind>| arc.iter().filter(|kind| **kind == DecisionKind::BadgeRemoval).count();
        removed_again += u64::from(arcs.values().any(|arc| removals(arc) > 1));
    }
    let often = |what: &str, percent: u64| {
        let found = happened.get(what).copied().unwrap_or(0);
        assert!(found * 100 >= SEEDS * percent, "{what}: {found} of {SEEDS} scenarios; {happened:?}");
    };
    for (what, percent) in OFTEN {
        often(what, percent);
    }
    for (level, cause) in [
        (WarningLevel::Watch, WarningCause::Budget),
        (WarningLevel::Warning, WarningCause::Budget),
        (WarningLevel::Critical, WarningCause::Budget),
        (WarningLevel::Warning, WarningCause::Outages),
        (WarningLevel::Critical, WarningCause::Outages),
        (WarningLevel::Warning, WarningCause::Projection),
    ] {
        often(&format!("warning {}", Reason::Warning(level, cause)), 5);
    }
    assert!((SEEDS / 3..SEEDS * 2 / 3).contains(&global), "{global}");
    for (found, what) in
        [(restarted_in_held, "restarted in held"), (granted_later, "granted later"), (removed_again, "removed again")]
    {
        assert!(found * 100 >= SEEDS, "{what}: {found} of {SEEDS} scenarios");
    }
}
