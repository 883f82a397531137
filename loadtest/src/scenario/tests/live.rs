//! Scenarios in which policies switch and people have their say.

use std::collections::{BTreeMap, BTreeSet};

use domain::fact::{Ruling, Verdict};
use domain::policy::{Enforcement, ScopeRule};
use domain::report::Standing;
use domain::{DecisionKind, Fact, Policies, Report, Timestamp};

use super::super::Scenario;
use super::audited;
use crate::auditor::differences;

/// How many seeds are looked at.
const SEEDS: u64 = 2_000;

/// In how many of 1,000 scenarios something happens at least.
const OFTEN: [(&str, u64); 39] = [
    ("switch", 250),
    ("two switches", 80),
    ("switch matters", 250),
    ("review", 120),
    ("proposal", 80),
    ("confirmation matters in review", 40),
    ("refusal matters in review", 40),
    ("confirmation matters in automatic", 15),
    ("refusal matters in automatic", 30),
    ("refusal exceeded", 40),
    ("refused again", 15),
    ("ruling without effect", 60),
    ("waits over a switch", 10),
    ("revocation", 150),
    ("revocation matters", 20),
    ("global to region: good", 50),
    ("global to region: warned", 25),
    ("global to region: removed", 15),
    ("global to region: probation", 20),
    ("global to region: held", 3),
    ("global to region: withdrawn", 5),
    ("region to global: good", 50),
    ("region to global: warned", 25),
    ("region to global: removed", 15),
    ("region to global: probation", 20),
    ("region to global: held", 3),
    ("region to global: withdrawn", 10),
    ("region to global: mixed", 30),
    ("at a switch: badge_removal", 30),
    ("at a switch: proposal", 5),
    ("at a switch: warning", 30),
    ("at a switch: critical_outage", 15),
    ("at a switch: probation_started", 20),
    ("at a switch: probation_restarted", 12),
    ("at a switch: probation_month_passed", 8),
    ("at a switch: reinstatement", 5),
    ("at a switch: reinstatement_held", 1),
    ("at a switch: suspension", 20),
    ("at a switch: suspension_lifted", 5),
];

/// What happened in how many scenarios.
#[derive(Default)]
struct Tally(BTreeMap<String, u64>);

impl Tally {
    fn note(&mut self, seen: BTreeSet<String>) {
        seen.into_iter().for_each(|what| *self.0.entry(what).or_default() += 1);
    }
}

#[test]
fn policies_switch_and_people_have_their_say() {
    let mut tally = Tally::default();
    for seed in 0..SEEDS {
        let scenario = Scenario::new(seed);
        let report = audited(&scenario);
        let mut seen = BTreeSet::new();
        switches(&scenario, &report, &mut seen);
        rulings(&scenario, &report, &mut seen);
        revocations(&scenario, &report, &mut seen);
        tally.note(seen);
    }
    for (what, least) in OFTEN {
        let found = tally.0.get(what).copied().unwrap_or(0);
        assert!(found * 1_000 >= SEEDS * least, "{what}: {found} of {SEEDS} scenarios; {:?}", tally.0);
    }
}

#[test]
fn a_single_scenario_is_told_without_either() {
    for seed in 0..200 {
        let (single, scenario) = (Scenario::single(seed), Scenario::new(seed));
        assert!(scenario.events.starts_with(&single.events), "seed {seed}");
        assert_eq!((single.at, single.policies.versions().len()), (scenario.at, 1), "seed {seed}");
        assert_eq!(single.policies.versions()[0].enforcement, Enforcement::Automatic, "seed {seed}");
        let said = |fact: &Fact| matches!(fact, Fact::Ruling(_) | Fact::ExclusionRevoked(_) | Fact::KillSwitch(_));
        assert!(!single.facts.iter().any(said), "seed {seed}");
    }
}

#[test]
fn orders_and_repetitions_are_told_the_same() {
    for seed in 0..600 {
        let scenario = Scenario::new(seed);
        let expected = lines(&audited(&scenario));
        let facts = scenario.permuted_facts(seed);
        for events in [scenario.permuted(seed), scenario.duplicated(seed)] {
            let reordered = Scenario { facts: facts.clone(), events, ..scenario.clone() };
            assert_eq!(lines(&audited(&reordered)), expected, "seed {seed}");
        }
    }
}

fn switches(scenario: &Scenario, report: &Report, seen: &mut BTreeSet<String>) {
    let enabled =
        scenario.facts.iter().filter_map(|fact| if let Fact::Badge(badge) = fact { Some(badge.enabled_at) } else { None });
    let first = enabled.min().expect("a badge");
    let versions = scenario.policies.versions();
    if versions.iter().any(|version| version.enforcement == Enforcement::Review) {
        seen.insert("review".to_owned());
    }
    let within: Vec<_> = (1..versions.len())
        .filter(|n| first < versions[*n].effective_from && versions[*n].effective_from <= scenario.at)
        .collect();
    if within.is_empty() {
        return;
    }
    seen.insert("switch".to_owned());
    if within.len() > 1 {
        seen.insert("two switches".to_owned());
    }
    let unswitched = Scenario { policies: versions[0].clone().into(), ..scenario.clone() };
    if lines(&audited(&unswitched)) != lines(report) {
        seen.insert("switch matters".to_owned());
    }
    for n in within {
        let at = versions[n].effective_from;
        let dated = report.decisions.iter().filter(|decision| decision.at == at);
        seen.extend(dated.map(|decision| format!("at a switch: {}", decision.kind)));
        let direction = match (versions[n - 1].scope, versions[n].scope) {
            (ScopeRule::Global, ScopeRule::Region) => "global to region",
            (ScopeRule::Region, ScopeRule::Global) => "region to global",
            _ => continue,
        };
        let before = audited(&Scenario { at: Timestamp::clamped(at.ms() - 1), ..scenario.clone() });
        let mut standings: BTreeMap<_, BTreeSet<Standing>> = BTreeMap::new();
        for product in &before.products {
            standings.entry(&product.asin).or_default().insert(product.standing);
            seen.insert(format!("{direction}: {}", product.standing.as_str()));
        }
        if standings.values().any(|standings| standings.len() > 1) {
            seen.insert(format!("{direction}: mixed"));
        }
    }
}

fn rulings(scenario: &Scenario, report: &Report, seen: &mut BTreeSet<String>) {
    if report.decisions.iter().any(|decision| decision.kind == DecisionKind::Proposal) {
        seen.insert("proposal".to_owned());
    }
    let mut refusals = 0;
    for (place, fact) in scenario.facts.iter().enumerate() {
        let Fact::Ruling(ruling) = fact else { continue };
        if lines(&without(scenario, place)) == lines(report) {
            seen.insert("ruling without effect".to_owned());
            continue;
        }
        let enforcement = match scenario.policies.at(ruling.proposed_at).enforcement {
            Enforcement::Automatic => "automatic",
            Enforcement::Review => "review",
        };
        let verdict = match ruling.verdict {
            Verdict::Confirmed => "confirmation",
            Verdict::Refused => "refusal",
        };
        seen.insert(format!("{verdict} matters in {enforcement}"));
        if ruling.verdict == Verdict::Refused {
            refusals += 1;
            if is_exceeded(ruling, report) {
                seen.insert("refusal exceeded".to_owned());
            }
        }
        if waits_over_a_switch(ruling, &scenario.policies) {
            seen.insert("waits over a switch".to_owned());
        }
    }
    if refusals > 1 {
        seen.insert("refused again".to_owned());
    }
}

/// Whether there is another breach where one was refused.
fn is_exceeded(refusal: &Ruling, report: &Report) -> bool {
    report.decisions.iter().any(|decision| {
        matches!(decision.kind, DecisionKind::Proposal | DecisionKind::BadgeRemoval)
            && (decision.asin.as_ref(), decision.scope) == (Some(&refusal.asin), refusal.scope)
            && decision.at > refusal.at
    })
}

fn waits_over_a_switch(ruling: &Ruling, policies: &Policies) -> bool {
    policies.index_at(ruling.proposed_at) < policies.index_at(ruling.at)
}

fn revocations(scenario: &Scenario, report: &Report, seen: &mut BTreeSet<String>) {
    for (place, fact) in scenario.facts.iter().enumerate() {
        if matches!(fact, Fact::ExclusionRevoked(_)) {
            seen.insert("revocation".to_owned());
            if lines(&without(scenario, place)) != lines(report) {
                seen.insert("revocation matters".to_owned());
            }
        }
    }
}

fn without(scenario: &Scenario, fact: usize) -> Report {
    let mut less = scenario.clone();
    less.facts.remove(fact);
    audited(&less)
}

/// What is reported, but for rejected lines.
fn lines(report: &Report) -> Vec<String> {
    let nothing =
        Report { at: report.at, products: Vec::new(), manufacturers: Vec::new(), decisions: Vec::new(), rejected: Vec::new() };
    let mut report = report.clone();
    report.rejected.clear();
    let mut lines = differences(&report, &nothing);
    lines.extend(report.products.iter().map(|product| format!("{product:?}")));
    lines.extend(report.manufacturers.iter().map(|manufacturer| format!("{manufacturer:?}")));
    lines
}
