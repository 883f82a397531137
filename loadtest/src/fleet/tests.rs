//! A fleet holds what its configuration and its manifest say.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use domain::fact::ExclusionReason;
use domain::{
    DecisionKind, DurationMs, EventBody, HealthState, Policy, Ppm, Reason, RejectReason, Report, Scope, SubjectKind, Timestamp,
};

use super::*;
use crate::auditor::{AuditInput, audit};

/// Three months of a small fleet.
fn small() -> FleetConfig {
    FleetConfig { products: 40, manufacturers: 20, days: 90, events: 120_000, ..FleetConfig::default() }
}

fn share(ppm: u32) -> Ppm {
    Ppm::new(ppm).expect("a share")
}

fn written(config: &FleetConfig) -> (Vec<u8>, Vec<u8>, Tally) {
    let fleet = Fleet::new(config).expect("a fleet");
    let (mut registry, mut events) = (Vec::new(), Vec::new());
    fleet.write_registry(&mut registry).expect("memory takes everything");
    let tally = fleet.write_events(&mut events, |_| ()).expect("memory takes everything");
    (registry, events, tally)
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    let config = FleetConfig { days: 30, events: 30_000, ..small() };
    let first = written(&config);
    assert_eq!(first, written(&config));
    let second = written(&FleetConfig { seed: 2, ..config });
    assert_ne!(first.0, second.0);
    assert_ne!(first.1, second.1);
}

#[test]
fn the_cast_is_the_same_in_a_larger_fleet() {
    let cast = |products| {
        let config = FleetConfig { products, manufacturers: 20, events: 2_000_000, ..FleetConfig::default() };
        let fleet = Fleet::new(&config).expect("a fleet");
        let badges = fleet.facts().filter_map(|fact| if let Fact::Badge(badge) = fact { Some(badge) } else { None });
        badges.take(Character::CAST.len()).collect::<Vec<_>>()
    };
    assert_eq!(cast(40), cast(60));
}

#[test]
fn every_line_is_what_it_is_said_to_be() {
    let fleet = Fleet::new(&FleetConfig { live_only_rejects: true, malformed_share: share(20_000), ..small() }).expect("a fleet");
    let mut seen = BTreeSet::new();
    for line in fleet.lines() {
        let text = String::from_utf8_lossy(&line.bytes);
        assert!(!line.bytes.contains(&b'\n'), "{text}");
        match (line.kind, wire::event::parse(&line.bytes)) {
            (LineKind::Malformed(kind), parsed) => {
                seen.insert(kind);
                if kind.shows_in_line() {
                    assert_eq!(parsed.expect_err(&text).reason, kind.reason(), "{text}");
                } else {
                    assert_eq!(parsed.expect(&text).event().subject.to_string(), line.key, "{text}");
                }
            }
            (_, parsed) => {
                let parsed = parsed.expect(&text);
                assert_eq!((parsed.event().subject.to_string(), parsed.event().at), (line.key, line.at), "{text}");
            }
        }
    }
    assert_eq!(seen, MalformedKind::ALL.into_iter().collect());
    let reasons: BTreeSet<_> =
        seen.iter().map(|kind| kind.reason()).chain(fleet.malformed_facts().map(|(reason, _)| reason)).collect();
    // A fleet is facts and events; nobody commands.
    assert_eq!(reasons, RejectReason::ALL.into_iter().filter(|reason| *reason != RejectReason::CommandRefused).collect());
}

#[test]
fn the_registry_reads_back_and_its_malformed_lines_do_not() {
    let fleet = Fleet::new(&small()).expect("a fleet");
    for fact in fleet.facts() {
        let mut line = Vec::new();
        wire::fact::write(&fact, &mut line);
        assert_eq!(wire::fact::parse(&line).as_ref(), Ok(&fact), "{}", String::from_utf8_lossy(&line));
    }
    for (reason, line) in fleet.malformed_facts() {
        assert_eq!(wire::fact::parse(line.as_bytes()).expect_err(line).reason, reason, "{line}");
    }
    let without = Fleet::new(&FleetConfig { malformed_share: share(0), ..small() }).expect("a fleet");
    assert_eq!(without.malformed_facts().count(), 0);
}

#[test]
fn shares_are_those_that_were_asked_for() {
    let config = FleetConfig {
        late_share: share(100_000),
        duplicate_share: share(50_000),
        malformed_share: share(10_000),
        lateness_max: DurationMs::days(10),
        ..small()
    };
    let fleet = Fleet::new(&config).expect("a fleet");
    let (mut tally, mut latest, mut sent_at) =
        (Tally::default(), DurationMs::ZERO, config.from.saturating_sub(DurationMs::days(1)));
    let (mut lines, mut buffer) = (fleet.lines(), Vec::new());
    while let Some(head) = lines.next_into(&mut buffer) {
        assert!(sent_at <= head.sent_at, "lines come in the order of arrival");
        sent_at = head.sent_at;
        if head.kind == LineKind::Event {
            let delay = head.sent_at - head.at;
            assert!(delay >= DurationMs::ZERO && delay <= config.lateness_max, "{delay}");
            assert_eq!(head.late, delay.ms() >= 60_000, "{delay}");
            latest = latest.max(delay);
        }
        tally.count(head.kind, head.late, buffer.len());
        buffer.clear();
    }
    let near = |part: u64, whole: u64, ppm: u64| {
        let found = part * 1_000_000 / whole;
        assert!(found.abs_diff(ppm) <= ppm / 20, "{found} ppm, not {ppm}");
    };
    near(tally.late, tally.events, 100_000);
    near(tally.duplicates, tally.events, 50_000);
    near(tally.malformed.values().sum(), tally.lines, 10_000);
    near(tally.lines, fleet.events_estimate(), 1_000_000);
    assert!(latest > DurationMs::days(9), "{latest}");
}

#[test]
fn the_number_of_events_is_near_what_was_asked_for() {
    for events in [100_000, 400_000, 3_000_000] {
        let config = FleetConfig { events, ..small() };
        let fleet = Fleet::new(&config).expect("a fleet");
        let found = u64::try_from(fleet.lines().count()).expect("64 bits");
        assert!(found.abs_diff(fleet.events_estimate()) < events / 50, "{found}, estimated {}", fleet.events_estimate());
        assert!(found.abs_diff(events) < events / 33, "{found} of {events}");
    }
}

#[test]
fn impossible_numbers_of_events_are_refused_with_what_is_possible() {
    let check = |events| Fleet::new(&FleetConfig { events, ..small() }).expect_err("impossible");
    let Error::TooFewEvents { needed, .. } = check(1_000) else { panic!("too few") };
    let Error::TooManyEvents { possible, .. } = check(u64::MAX) else { panic!("too many") };
    assert!(needed < possible);
    for events in [needed + 10, possible] {
        Fleet::new(&FleetConfig { events, ..small() }).expect("what is said to be possible is");
    }
}

/// What a live reader remembers of a subject and reporter (R5).
type Memory = VecDeque<(u64, Vec<u8>)>;

#[test]
fn only_duplicates_repeat_a_name_and_they_do_so_soon() {
    let config = FleetConfig { duplicate_share: share(300_000), late_share: share(300_000), ..small() };
    let fleet = Fleet::new(&config).expect("a fleet");
    let mut remembered: HashMap<(String, String), Memory> = HashMap::new();
    let mut reporters: HashMap<String, BTreeSet<String>> = HashMap::new();
    for line in fleet.lines().filter(|line| !matches!(line.kind, LineKind::Malformed(_))) {
        let parsed = wire::event::parse(&line.bytes).expect("well-formed");
        let event = parsed.event();
        let reporter = event.reporter.unwrap_or_default().to_owned();
        reporters.entry(line.key.clone()).or_default().insert(reporter.clone());
        let Some(seq) = event.seq else {
            assert_eq!(line.kind, LineKind::Event, "only what has a name is sent again");
            continue;
        };
        let memory = remembered.entry((line.key, reporter)).or_default();
        let known = memory.iter().find(|(known, _)| *known == seq);
        match line.kind {
            LineKind::Duplicate => assert_eq!(known.map(|(_, bytes)| bytes), Some(&line.bytes)),
            _ => {
                assert!(memory.back().is_none_or(|(last, _)| *last < seq), "sequence numbers increase");
                memory.push_back((seq, line.bytes));
                if memory.len() > 64 {
                    memory.pop_front();
                }
            }
        }
    }
    assert!(reporters.values().all(|names| names.len() <= 8));
}

#[test]
fn everything_that_is_promised_by_the_manifest_is_there() {
    let fleet = Fleet::new(&FleetConfig { products: 300, manufacturers: 40, events: 4_000_000, ..FleetConfig::default() })
        .expect("a fleet");
    let manifest = fleet.manifest();
    let kinds = ["badge", "badge_change", "badge_withdrawn", "exclusion", "listing", "manufacturer", "skill_listing"];
    assert_eq!(manifest.facts.keys().copied().collect::<Vec<_>>(), kinds);
    assert_eq!(manifest.incidents.keys().copied().collect::<Vec<_>>(), ["down", "maintenance", "partial", "silent"]);
    assert_eq!(manifest.exclusions.keys().copied().collect::<Vec<_>>(), ExclusionReason::ALL);
    let characters: BTreeSet<_> = Character::CAST.into_iter().collect();
    assert_eq!(manifest.characters.keys().copied().collect::<BTreeSet<_>>(), characters);
    assert_eq!(manifest.characters.values().sum::<u32>(), 300);
    assert_eq!(manifest.covered_products, 300);
    let some = [
        manifest.multi_region_products,
        manifest.shared_skills,
        manifest.hubs,
        manifest.regional_outages,
        manifest.dependency_outages,
        manifest.outcome_products,
    ];
    assert!(some.iter().all(|count| *count > 3), "{manifest:?}");
    assert_eq!(manifest.facts.values().sum::<u64>(), u64::try_from(fleet.facts().count()).expect("64 bits"));
}

#[test]
fn without_a_cast_nothing_is_promised_and_fewer_events_do() {
    let with = |has_cast| Fleet::new(&FleetConfig { has_cast, days: 365, events: 100_000, ..small() });
    assert!(with(true).is_err(), "the cast alone takes more");
    let fleet = with(false).expect("a fleet");
    assert_eq!((fleet.manifest().cast.len(), fleet.manifest().characters.values().sum::<u32>()), (0, 40));
}

#[test]
fn a_short_period_leaves_long_stories_out() {
    let fleet = Fleet::new(&FleetConfig { days: 1, events: 10_000, ..small() }).expect("a fleet");
    let parts: Vec<_> = fleet.manifest().characters.keys().copied().collect();
    assert_eq!(parts, [Character::Steady, Character::Flapper, Character::Brownout]);
}

#[test]
fn subjects_report_states_and_counts_of_every_kind() {
    let fleet = Fleet::new(&FleetConfig { days: 200, events: 500_000, ..small() }).expect("a fleet");
    let (mut states, mut subjects, mut heavy_failures) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    for line in fleet.lines().filter(|line| line.kind == LineKind::Event) {
        let parsed = wire::event::parse(&line.bytes).expect("well-formed");
        subjects.insert(parsed.event().subject.kind);
        match parsed.event().body {
            EventBody::State(state) => {
                states.insert(state);
            }
            EventBody::Outcome { ok, failed } if ok + failed >= 20 => {
                let tenth = u64::from(failed) * 10 / u64::from(ok + failed);
                *heavy_failures.entry(tenth).or_insert(0) += 1;
            }
            EventBody::Outcome { .. } => {}
        }
    }
    assert_eq!(states, HealthState::ALL.into_iter().collect());
    assert_eq!(subjects, [SubjectKind::Product, SubjectKind::Skill, SubjectKind::Hub].into());
    assert!([0, 6, 7, 8, 9, 10].iter().all(|tenth| heavy_failures.contains_key(tenth)), "{heavy_failures:?}");
}

/// What the auditor makes of the demo's fleet, with another seed over another year.
fn audited(policy: &Policy, seed: u64, from: Timestamp) -> (Fleet, Report) {
    let fleet = Fleet::new(&FleetConfig { seed, from, events: 420_000, ..FleetConfig::demo() }).expect("a fleet");
    let facts: Vec<_> = (1..).zip(fleet.facts()).collect();
    let parsed = (1..)
        .zip(fleet.lines())
        .filter_map(|(number, line)| Some((number, wire::event::parse(&line.bytes).ok()?.event().to_owned())));
    let events: Vec<_> = parsed.collect();
    let report = audit(&AuditInput { policies: &policy.clone().into(), facts: &facts, events: &events, at: fleet.config().to() });
    (fleet, report)
}

fn policy(preset: &str) -> Policy {
    let text = wire::policy::preset(preset).expect("a preset");
    wire::policy::parse(text, preset).expect("presets are right").remove(0)
}

/// Holds a report against what the cast is promised.
fn promises_are_kept(fleet: &Fleet, report: &Report) {
    let mut kinds = BTreeSet::new();
    for member in &fleet.manifest().cast {
        let promise = member.promise();
        let about = |scope: Scope| match scope {
            Scope::Global => true,
            Scope::Region(region) => member.regions.contains(region),
        };
        let decisions: Vec<_> = report
            .decisions
            .iter()
            .filter(|decision| decision.asin.as_ref() == Some(&member.asin) && about(decision.scope))
            .collect();
        let arc: Vec<_> = decisions
            .iter()
            .map(|decision| decision.kind)
            .filter(|kind| !matches!(kind, DecisionKind::Warning | DecisionKind::CoverageWarning | DecisionKind::CriticalOutage))
            .collect();
        assert_eq!(arc, promise.arc, "{member:?}");
        let warned: BTreeSet<_> = decisions.iter().flat_map(|decision| &decision.reasons).copied().collect();
        for (level, cause) in promise.warnings {
            assert!(warned.contains(&Reason::Warning(*level, *cause)), "{member:?} lacks {level:?} {cause:?}");
        }
        let dark = decisions.iter().any(|decision| decision.kind == DecisionKind::CoverageWarning);
        assert_eq!(dark, promise.coverage_warning, "{member:?}");
        kinds.extend(decisions.iter().map(|decision| decision.kind));
    }
    kinds.extend(report.decisions.iter().map(|decision| decision.kind));
    let told: BTreeSet<_> = DecisionKind::IMPLIED.into_iter().filter(|kind| *kind != DecisionKind::CriticalOutage).collect();
    assert!(kinds.is_superset(&told), "{kinds:?}");
}

#[test]
fn the_cast_keeps_its_promises_globally() {
    // A year with a 29 February in a probation month, and one that starts with the year.
    for (seed, year, month) in [(1, 2025, 1), (9, 2023, 12)] {
        let (fleet, report) = audited(&policy("wwa-2024"), seed, Timestamp::from_date(year, month, 1).expect("a day"));
        promises_are_kept(&fleet, &report);
    }
}

#[test]
fn the_cast_keeps_its_promises_by_region() {
    let (fleet, report) = audited(&policy("wwa-2026"), 4, Timestamp::from_date(2025, 8, 1).expect("a day"));
    promises_are_kept(&fleet, &report);
    assert!(report.decisions.iter().any(|decision| decision.kind == DecisionKind::CriticalOutage));
}
