//! A product and its skill whose states turn every second for a day, through their owner with a tick a
//! minute: told exactly, in bounded memory, and the last hours cost what the first did.

#[path = "live/process.rs"]
mod process;

use std::rc::Rc;

use compute::subject::STATE_BYTES_MAX;
use domain::policy::Policies;
use domain::{DurationMs, Timestamp};
use pipeline::Rules;
use ports::{Log, MemoryLogs, MemoryStore};

use process::Process;

/// 2025-03-01.
const START: Timestamp = Timestamp::clamped(1_740_787_200_000);
const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 1_440;
/// Minutes that are compared, at the day's beginning and at its end: those of a page.
const COMPARED_MINUTES: usize = 240;
/// What a subject with a state every second takes after a day, if none of its pages has left, in bytes.
const HOT_SUBJECT_BYTES_MAX: u64 = 86_400 * STATE_BYTES_MAX as u64 + 8_192;
/// How much dearer the last of them may be than the first, in percent: sets that hold the whole day grow.
const GROWTH_PERCENT_MAX: u64 = 20;
const BADGE: &[u8] = br#"{"type":"badge","asin":"B1","manufacturer":"m-1","skill":"s-1","marketplaces":["US"],"enabled_at":"2025-02-28T00:00:00Z"}"#;

/// The preset with another target: under which the badge stays on, or doesn't.
fn policies(target: &str) -> Policies {
    let text = wire::policy::preset("wwa-2024").expect("a preset").replace("99.93%", target);
    wire::policy::parse(&text, "wwa-2024").expect("a right policy").remove(0).into()
}

/// A minute's states: the product's at each second, the skill's half a second after.
fn report(process: &mut Process, from: Timestamp) {
    for half in 0..120 {
        let at = from + DurationMs(half * 500);
        let (subject, state) =
            (["product:B1", "skill:s-1"][usize::from(half % 2 == 1)], ["down", "up"][usize::from(half % 4 > 1)]);
        let line = format!(r#"{{"v":1,"type":"state","subject":"{subject}","region":"NA","at":{},"state":"{state}"}}"#, at.ms());
        process.logs.set_now(at);
        process.append(Log::Health, subject, line.as_bytes());
    }
}

/// The hot day's allocations, and their bytes, minute by minute.
fn follow(target: &str) -> Vec<(u64, u64)> {
    let rules = Rc::new(Rules::new(policies(target), 1));
    let mut process = Process::open(&rules, MemoryLogs::new(1, START), MemoryStore::default());
    process.append(Log::Registry, "", BADGE);
    process.advance(START);
    let minutes = (0..DAY_MINUTES)
        .map(|minute| {
            let from = START + DurationMs(minute * MINUTE_MS);
            report(&mut process, from);
            // Now and then in the middle of a second.
            let info = allocation_counter::measure(|| drop(process.advance(from + DurationMs(MINUTE_MS - minute % 3 * 100))));
            let bytes = process.node.partitions()[0].in_hand(process.node.tables()).pages_resident_bytes;
            assert!(bytes <= 2 * HOT_SUBJECT_BYTES_MAX, "{bytes} bytes after minute {minute}");
            if [7, 121, DAY_MINUTES - 1].contains(&minute) {
                assert_eq!(process.faults(), Vec::<String>::new(), "minute {minute}");
            }
            (info.count_total, info.bytes_total)
        })
        .collect();
    // Once all has settled: manufacturers, too.
    process.advance(START + DurationMs(5 * DAY_MINUTES * MINUTE_MS));
    assert_eq!(process.faults(), Vec::<String>::new());
    minutes
}

fn check(target: &str) {
    let minutes = follow(target);
    let sum = |part: &[(u64, u64)]| part.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let (early, late) = (sum(&minutes[..COMPARED_MINUTES]), sum(&minutes[minutes.len() - COMPARED_MINUTES..]));
    let is_flat = |early: u64, late: u64| late * 100 <= early * (100 + GROWTH_PERCENT_MAX);
    assert!(is_flat(early.0, late.0) && is_flat(early.1, late.1), "{target}: {early:?} allocations and bytes became {late:?}");
}

#[test]
fn a_hot_product_and_skill_that_stay_on() {
    check("10%");
}

#[test]
fn a_hot_product_and_skill_that_are_removed() {
    check("99.93%");
}
