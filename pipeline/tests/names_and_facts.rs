//! Names of events (R5) and facts that come long after their instant (R6, R24), through a process.

#[path = "live/process.rs"]
mod process;

use std::rc::Rc;

use domain::policy::Policies;
use domain::rejection::LineSource;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::{DurationMs, RejectReason, Timestamp};
use pipeline::Rules;
use ports::{Log, MemoryLogs, MemoryStore};

use process::Process;

/// 2025-03-01.
const START: Timestamp = Timestamp::clamped(1_740_787_200_000);
const BADGE: &str = r#"{"type":"badge","asin":"B1","manufacturer":"m-1","skill":"s-1","hub":"H1","marketplaces":["US"],"enabled_at":"2025-02-01T00:00:00Z"}"#;
const OTHER: &str = r#"{"type":"badge","asin":"B2","manufacturer":"m-2","skill":"s-2","marketplaces":["US","DE"],"enabled_at":"2025-02-01T00:00:00Z"}"#;

fn opened() -> Process {
    let text = wire::policy::preset("wwa-2024").expect("a preset").replace(r#"scope = "global""#, r#"scope = "region""#);
    let policies: Policies = wire::policy::parse(&text, "wwa-2024").expect("a right policy").remove(0).into();
    let rules = Rc::new(Rules::new(policies, 2));
    let mut process = Process::open(&rules, MemoryLogs::new(2, START), MemoryStore::default());
    for badge in [BADGE, OTHER] {
        process.append(Log::Registry, "", badge.as_bytes());
    }
    process.advance(START);
    process
}

/// A minute after the start, with so many failures, by a reporter with a number.
fn outcome(minute: i64, failed: u32, reporter: &str, seq: u64) -> String {
    let at = START.ms() + minute * MINUTE_MS;
    format!(
        r#"{{"v":1,"type":"outcome","subject":"product:B1","region":"NA","at":{at},"ok":0,"failed":{failed},"reporter":"{reporter}","seq":{seq}}}"#
    )
}

/// Counts of a process that is sent these lines: accepted, duplicates, conflicts, too old; and the minutes
/// that its product was down.
fn check_names(lines: &[String], expected: [u64; 4], down_minutes: i64) {
    let mut process = opened();
    process.logs.set_now(START + DurationMs(DAY_MS));
    for line in lines {
        process.append(Log::Health, "product:B1", line.as_bytes());
    }
    process.advance(START + DurationMs(DAY_MS + HOUR_MS));
    let rejected = |reason| process.counts.rejected(LineSource::Events, reason);
    let found = [
        process.counts.accepted,
        process.counts.duplicate,
        rejected(RejectReason::ConflictingDuplicate),
        rejected(RejectReason::SequenceTooOld),
    ];
    assert_eq!(found, expected, "{lines:#?}");
    assert_eq!(process.counts.rejected_total(), expected[2] + expected[3], "no other reason");
    assert_eq!(process.logs.records(Log::Rejected).len() as u64, expected[2] + expected[3], "each is in its log");
    let standings: Vec<_> = process.node.partitions().iter().flat_map(pipeline::Partition::standings).collect();
    let of_b1 = standings.iter().find(|standing| standing.asin.as_str() == "B1").expect("a product");
    assert_eq!(of_b1.downtime_ms, down_minutes * MINUTE_MS, "{lines:#?}");
}

#[test]
fn a_name_counts_once() {
    let once = outcome(0, 20, "gw-1", 1);
    check_names(&[once.clone(), once.clone(), once.clone()], [1, 2, 0, 0], 1);
    check_names(&[once.clone(), outcome(1, 20, "gw-1", 1), outcome(0, 21, "gw-1", 1), once.clone()], [1, 1, 2, 0], 1);
    // The same number of another reporter, or none at all, is another name.
    check_names(&[once.clone(), outcome(1, 20, "gw-2", 1)], [2, 0, 0, 0], 2);
    let nameless = once.replace(r#","seq":1"#, "");
    check_names(&[nameless.clone(), nameless], [2, 0, 0, 0], 1);
    // In one record, too, and where the first is malformed: that has no name.
    check_names(&[format!("{once}\n{once}")], [1, 1, 0, 0], 1);
}

#[test]
fn the_last_sequence_numbers_of_a_reporter_are_remembered() {
    let run = |seqs: std::ops::RangeInclusive<u64>| seqs.map(|seq| outcome(seq.cast_signed(), 20, "gw-1", seq));
    let with = |last: u64, more: &[u64]| -> Vec<String> {
        let again = more.iter().map(|&seq| outcome(seq.cast_signed(), 20, "gw-1", seq));
        run(2..=last).chain(again).collect()
    };
    // 64 are remembered: 2 to 65, then 3 to 66.
    check_names(&with(65, &[2]), [64, 1, 0, 0], 64);
    check_names(&with(65, &[1]), [64, 0, 0, 1], 64);
    check_names(&with(66, &[2]), [65, 0, 0, 1], 65);
    check_names(&with(66, &[3]), [65, 1, 0, 0], 65);
    // A gap that is filled late counts.
    check_names(&run(1..=10).chain(run(12..=40)).chain(run(11..=11)).collect::<Vec<_>>(), [40, 0, 0, 0], 40);
}

#[test]
fn a_ninth_reporter_is_heard_and_nothing_counts_twice() {
    let of = |reporter: u64, seq: u64| outcome(reporter.cast_signed(), 20, &format!("gw-{reporter}"), seq);
    let eight: Vec<String> = (1..=8).map(|reporter| of(reporter, 100)).collect();
    let and = |more: &[String]| [&eight, more].concat();
    check_names(&and(&[of(1, 100)]), [8, 1, 0, 0], 8);
    check_names(&and(&[of(9, 5)]), [9, 0, 0, 0], 9);
    // gw-1 was silent longest: what it sent is told from new events by its number.
    check_names(&and(&[of(9, 5), of(1, 100)]), [9, 0, 0, 1], 9);
    check_names(&and(&[of(9, 5), of(1, 101)]), [10, 0, 0, 0], 9);
    check_names(&and(&[of(9, 5), of(2, 100), of(9, 5)]), [9, 2, 0, 0], 9);
}

/// A state of a subject so many minutes after the start.
fn state(subject: &str, region: &str, minute: i64, state: &str) -> (String, String) {
    let at = START.ms() + minute * MINUTE_MS;
    let line = format!(r#"{{"v":1,"type":"state","subject":"{subject}","region":"{region}","at":{at},"state":"{state}"}}"#);
    (subject.to_owned(), line)
}

/// Downtime of both products' scopes in minutes, after days of outages one after the other and with facts
/// that come so many days after the start; as the auditor has it.
fn check_facts(facts: &[(i64, &str)], expected: &[&str]) {
    let mut process = opened();
    let subjects = ["product:B1", "skill:s-1", "hub:H1", "skill:s-2"];
    let mut facts = facts.iter().peekable();
    for day in 0..12_i64 {
        let now = START + DurationMs(day * DAY_MS);
        // Hours of the day: each subject is down for one, in both regions.
        let mut lines = Vec::new();
        for (hour, subject) in (1..).zip(subjects) {
            for region in ["NA", "EU"] {
                lines.push(state(subject, region, day * 1_440 + hour * 120, "down"));
                lines.push(state(subject, region, day * 1_440 + hour * 120 + 10, "up"));
            }
        }
        process.logs.set_now(now + DurationMs(20 * HOUR_MS));
        lines.iter().for_each(|(key, line)| process.append(Log::Health, key, line.as_bytes()));
        while let Some((_, fact)) = facts.next_if(|(at, _)| *at <= day) {
            process.append(Log::Registry, "", fact.as_bytes());
        }
        process.advance(now + DurationMs(22 * HOUR_MS));
        assert_eq!(process.faults(), Vec::<String>::new(), "day {day}");
    }
    process.advance(START + DurationMs(16 * DAY_MS));
    assert_eq!(process.faults(), Vec::<String>::new());
    assert_eq!(process.counts.rejected_total(), 0);
    let standings: Vec<_> = process.node.partitions().iter().flat_map(pipeline::Partition::standings).collect();
    let mut found: Vec<String> =
        standings.iter().map(|one| format!("{} {} {}", one.asin, one.scope, one.downtime_ms / MINUTE_MS)).collect();
    found.sort();
    assert_eq!(found, expected, "{facts:?}");
}

#[test]
fn facts_act_from_their_instant_on_however_late_they_come() {
    // Ten minutes a day of B1, its skill and its hub, and of B2's skill in both of its regions.
    let all = ["B1 NA 360", "B2 EU 120", "B2 NA 120"];
    check_facts(&[], &all);
    // Another skill from the fourth day on, known on the eighth; and none.
    let moved = r#"{"type":"badge","asin":"B2","at":"2025-03-04T00:00:00Z","skill":null}"#;
    check_facts(&[(7, moved)], &["B1 NA 360", "B2 EU 30", "B2 NA 30"]);
    let hubless = r#"{"type":"badge","asin":"B1","at":"2025-03-04T00:00:00Z","skill":"s-2","hub":null}"#;
    check_facts(&[(11, hubless)], &["B1 NA 270", "B2 EU 120", "B2 NA 120"]);
    // A change that was announced, and in the middle of the skill's outage.
    let in_outage = r#"{"type":"badge","asin":"B2","at":"2025-03-06T08:04:00Z","skill":null}"#;
    check_facts(&[(0, in_outage)], &["B1 NA 360", "B2 EU 54", "B2 NA 54"]);
    // Withdrawn on the fifth day, known on the tenth.
    let withdrawn = r#"{"type":"badge_withdrawn","asin":"B1","at":"2025-03-05T00:00:00Z"}"#;
    check_facts(&[(9, withdrawn)], &["B1 NA 120", "B2 EU 120", "B2 NA 120"]);
    // Europe is lost from the third day on and gained again on the ninth, each known later; Asia is gained.
    let lost = r#"{"type":"badge","asin":"B2","at":"2025-03-03T00:00:00Z","marketplaces":["US"]}"#;
    let gained = r#"{"type":"badge","asin":"B2","at":"2025-03-09T00:00:00Z","marketplaces":["US","DE","JP"]}"#;
    check_facts(&[(5, lost)], &["B1 NA 360", "B2 EU 20", "B2 NA 120"]);
    check_facts(&[(5, lost), (11, gained)], &["B1 NA 360", "B2 EU 60", "B2 FE 0", "B2 NA 120"]);
    check_facts(&[(6, gained), (9, lost)], &["B1 NA 360", "B2 EU 60", "B2 FE 0", "B2 NA 120"]);
}
