//! Skills whose service is degraded, through a process: told once to each manufacturer concerned, not
//! again while it lasts, and never downtime.

#[path = "live/process.rs"]
mod process;

use std::rc::Rc;

use domain::policy::Policies;
use domain::time::{DAY_MS, MINUTE_MS};
use domain::{Decision, DecisionKind, DurationMs, Timestamp};
use pipeline::Rules;
use ports::{Log, MemoryLogs, MemoryStore};

use process::Process;

/// 2025-03-01T09:00.
const START: Timestamp = Timestamp::clamped(1_740_819_600_000);
/// Product, manufacturer, skill, marketplace: m-3 hasn't the skill, and m-4 has it in another region.
const BADGES: [(&str, &str, &str, &str); 5] = [
    ("B1", "m-1", "s-1", "US"),
    ("B2", "m-2", "s-1", "US"),
    ("B3", "m-1", "s-1", "CA"),
    ("B4", "m-3", "s-2", "US"),
    ("B5", "m-4", "s-1", "DE"),
];

/// From which minute on a skill reports what each minute: attempts that succeed and fail, and latencies
/// with their counts as an event has them.
type Phase<'a> = (i64, u32, u32, &'a str);

fn minute(number: i64) -> Timestamp {
    START + DurationMs(number * MINUTE_MS)
}

fn opened() -> Process {
    let text = wire::policy::preset("wwa-2024").expect("a preset");
    let policies: Policies = wire::policy::parse(text, "wwa-2024").expect("a right policy").remove(0).into();
    let rules = Rc::new(Rules::new(policies, 2));
    let mut process = Process::open(&rules, MemoryLogs::new(2, START), MemoryStore::default());
    for (asin, manufacturer, skill, marketplace) in BADGES {
        let badge = format!(
            r#"{{"type":"badge","asin":"{asin}","manufacturer":"{manufacturer}","skill":"{skill}","marketplaces":["{marketplace}"],"enabled_at":"2025-02-01T00:00:00Z"}}"#
        );
        process.append(Log::Registry, "", badge.as_bytes());
    }
    process.advance(START);
    process
}

/// Minute after minute up to one; what was issued of services.
fn follow(process: &mut Process, minutes: std::ops::RangeInclusive<i64>, skill: &str, phases: &[Phase<'_>]) -> Vec<Decision> {
    let mut told = Vec::new();
    for number in minutes {
        if let Some((_, ok, failed, latency)) = phases.iter().rfind(|(from, ..)| *from < number) {
            let at = minute(number - 1).ms() + 30_000;
            let line = format!(
                r#"{{"v":1,"type":"outcome","subject":"skill:{skill}","region":"NA","at":{at},"ok":{ok},"failed":{failed},"latency_ms":{latency}}}"#
            );
            process.logs.set_now(Timestamp::clamped(at));
            process.append(Log::Health, &format!("skill:{skill}"), line.as_bytes());
        }
        told.extend(process.advance(minute(number)).into_iter().filter(|one| one.kind == DecisionKind::ServiceDegradation));
    }
    told
}

/// A decision in short: the minute at whose beginning it is dated, the manufacturer, why.
fn short(decision: &Decision) -> String {
    let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
    let number = (decision.at - START).ms() / MINUTE_MS;
    format!("{number} {} {} {}", decision.manufacturer, decision.scope, reasons.join(","))
}

fn check(skill: &str, last: i64, phases: &[Phase<'_>], expected: &[&str]) {
    let mut process = opened();
    let told = follow(&mut process, 1..=last, skill, phases);
    assert_eq!(told.iter().map(short).collect::<Vec<_>>(), expected, "{phases:?}");
    for decision in &told {
        assert_eq!(decision.evidence.skill.as_ref().map(domain::SkillId::as_str), Some(skill));
        assert_eq!((decision.asin.as_ref(), decision.evidence.downtime_ms), (None, None));
    }
    process.advance(START.floor_day() + DurationMs(DAY_MS));
    assert_eq!(process.faults(), Vec::<String>::new(), "nothing but notices comes of it");
    let standings = process.node.partitions().iter().flat_map(pipeline::Partition::standings);
    assert_eq!(standings.filter(|standing| standing.downtime_ms == 0).count(), BADGES.len());
}

#[test]
fn a_service_that_fails_is_told_once_and_again_after_it_recovered() {
    // Of 150 attempts in 15 minutes 127 succeed when 85 % do: two bad minutes are too few.
    let phases = [(0, 10, 0, "null"), (30, 0, 10, "null"), (40, 10, 0, "null"), (60, 0, 10, "null")];
    check("s-1", 72, &phases, &["33 m-1 NA success", "33 m-2 NA success", "63 m-1 NA success", "63 m-2 NA success"]);
    check("s-2", 32, &phases, &[]);
    check("s-2", 33, &phases, &["33 m-3 NA success"]);
    // For two hours it isn't told a second time.
    check("s-2", 150, &[(0, 10, 0, "null"), (30, 8, 2, "null")], &["42 m-3 NA success"]);
    // Exactly 85 %.
    check("s-2", 40, &[(0, 17, 3, "null")], &[]);
}

#[test]
fn a_service_that_is_slow_for_a_tenth_is_told() {
    check("s-2", 40, &[(0, 20, 0, "[[90,17],[5000,3]]")], &["5 m-3 NA latency"]);
    check("s-2", 40, &[(0, 20, 0, "[[90,18],[9000,2]]")], &[]);
    check("s-2", 40, &[(0, 20, 0, "4900")], &[]);
    check("s-2", 40, &[(0, 10, 10, "6000")], &["5 m-3 NA success,latency"]);
}

#[test]
fn too_few_attempts_tell_nothing() {
    check("s-2", 40, &[(0, 0, 6, "9000")], &[]);
    check("s-2", 40, &[(0, 0, 7, "9000")], &["15 m-3 NA success,latency"]);
}

#[test]
fn a_crash_does_not_tell_it_again_within_the_hour() {
    let phases = [(0, 5, 5, "null")];
    let mut process = opened();
    let told = follow(&mut process, 1..=20, "s-1", &phases);
    assert_eq!(told.iter().map(short).collect::<Vec<_>>(), ["10 m-1 NA success", "10 m-2 NA success"]);
    let (rules, logs, store) = (Rc::clone(&process.rules), process.logs.clone(), process.store.clone());
    let mut process = Process::open(&rules, logs, store);
    assert_eq!(follow(&mut process, 21..=120, "s-1", &phases), []);
    // What was told more than an hour ago may be told anew by a process that begins.
    let (logs, store) = (process.logs.clone(), process.store.clone());
    let mut process = Process::open(&rules, logs, store);
    let again = follow(&mut process, 121..=140, "s-1", &phases);
    assert_eq!(again.iter().map(short).collect::<Vec<_>>(), ["120 m-1 NA success", "120 m-2 NA success"]);
}
