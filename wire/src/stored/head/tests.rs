use std::collections::BTreeMap;

use domain::HealthState::{self, Down, Up};
use domain::health::{HOUR_MINUTES, HOUR_WHOLE, HourRun, MinuteRuns, StateRun, StateRuns};
use domain::id::ReporterId;
use domain::names::{ContentHash, REMEMBERED_REPORTERS_MAX, REMEMBERED_SEQS_MAX, ReporterNames};
use domain::page::{PAGE_MINUTES, PAGE_MS, PageNo};
use domain::time::{HOUR_MS, Timestamp};
use proptest::prelude::*;

use super::*;

/// Heap bytes that a read head takes at most for each byte that it was read from: two bytes can
/// make three runs of 16 bytes, and a list has room for twice as many as it holds.
const HEAP_BYTES_PER_BYTE_MAX: usize = 48;

const LAST_HOUR: i64 = Timestamp::MAX.ms() / HOUR_MS;

fn minutes(runs: Vec<HourRun>) -> MinuteRuns {
    MinuteRuns::new(runs).expect("runs rise")
}

/// Random bits, few rows, or whole hours; near each other and far apart.
fn minute_runs() -> impl Strategy<Value = MinuteRuns> {
    let row = (0..HOUR_MINUTES, 1..=HOUR_MINUTES);
    let row = row.prop_map(|(from, length)| HOUR_WHOLE << from & HOUR_WHOLE >> (HOUR_MINUTES - length.max(from + 1)));
    let bits = prop_oneof![2 => Just(HOUR_WHOLE), 4 => row, 1 => 1..=HOUR_WHOLE, 1 => Just(HOUR_WHOLE / 3)];
    let run = (prop_oneof![4 => Just(0_u32), 3 => 1..5_u32, 1 => 0..500_000_u32], prop_oneof![1..4_u32, 1..9_000_u32], bits);
    prop::collection::vec(run, 0..20).prop_map(|steps| {
        let (mut runs, mut end) = (Vec::<HourRun>::new(), 0);
        for (left_out, hours, bits) in steps {
            let joins = runs.last().is_some_and(|last| left_out == 0 && last.bits == bits);
            let hour = end + left_out + u32::from(joins);
            runs.push(HourRun { hour, hours, bits });
            end = hour + hours;
        }
        minutes(runs)
    })
}

fn state_runs() -> impl Strategy<Value = StateRuns> {
    let page_ms = u32::try_from(PAGE_MS).expect("a page is short");
    let run = (0..page_ms, 0..page_ms, prop::sample::select(HealthState::ALL.as_slice()));
    prop::collection::btree_map(0..17_000_000_i64, run, 0..30).prop_map(|pages: BTreeMap<_, _>| {
        let run = |(page, (a, b, state)): (i64, (u32, u32, HealthState))| {
            let from = Timestamp::clamped(page * PAGE_MS + i64::from(a.min(b)));
            StateRun { from, lasts_ms: a.abs_diff(b), state }
        };
        StateRuns::new(pages.into_iter().map(run).collect()).expect("one a page")
    })
}

fn health() -> impl Strategy<Value = HealthParts> {
    (any::<u32>(), any::<u32>(), minute_runs(), minute_runs(), state_runs()).prop_map(
        |(forgotten, horizon, down, judged, states)| {
            let (forgotten, horizon) = (PageNo::new(forgotten), PageNo::new(horizon));
            HealthParts { forgotten, horizon, down, judged, states }
        },
    )
}

fn seqs() -> impl Strategy<Value = BTreeMap<u64, ContentHash>> {
    let seq = prop_oneof![4 => 0..90_u64, 1 => any::<u64>(), 1 => u64::MAX - 3..=u64::MAX];
    prop::collection::btree_map(seq, any::<ContentHash>(), 0..=REMEMBERED_SEQS_MAX)
}

fn names() -> impl Strategy<Value = NamesParts> {
    let ids = prop_oneof![Just(String::new()), "[a-z0-9-]{1,12}", "\\PC{1,20}"];
    let reporters = prop::collection::btree_map(ids, (seqs(), any::<bool>()), 0..=REMEMBERED_REPORTERS_MAX);
    (reporters, prop::option::of(0..100_u64)).prop_map(|(reporters, forgotten): (BTreeMap<_, _>, _)| {
        let names = |(id, (mut seqs, is_late)): (String, (BTreeMap<u64, ContentHash>, bool))| {
            let heard_above = forgotten.filter(|_| is_late);
            seqs.retain(|seq, _| heard_above.is_none_or(|heard| *seq > heard));
            ReporterNames { reporter: ReporterId::new(&id), heard_above, seqs: seqs.into_iter().collect() }
        };
        NamesParts::new(reporters.into_iter().map(names).collect(), forgotten).expect("each rises")
    })
}

fn heads() -> impl Strategy<Value = Head> {
    let regions = prop::sample::subsequence(&Region::ALL[..], 0..=Region::COUNT);
    let health = regions.prop_flat_map(|regions| {
        let count = regions.len();
        (Just(regions), prop::collection::vec(health(), count))
    });
    (any::<u64>(), names(), health).prop_map(|(applied_to, names, (regions, health))| {
        let health = regions.into_iter().zip(health).collect();
        Head { applied_to, names, health }
    })
}

/// What a head's lists take, without spare room.
fn heap_bytes(head: &Head) -> usize {
    let names = head.names.reporters().iter().map(|one| size_of::<ReporterNames>() + one.seqs.len() * 16).sum::<usize>();
    let health = head.health.iter().map(|(_, parts)| {
        let runs = parts.down.as_slice().len() + parts.judged.as_slice().len();
        size_of::<HealthParts>() + runs * size_of::<HourRun>() + size_of_val(parts.states.as_slice())
    });
    names + health.sum::<usize>()
}

proptest! {
    #[test]
    fn heads_come_back(head in heads(), at in any::<prop::sample::Index>()) {
        let bytes = write(&head);
        prop_assert_eq!(read(&bytes).expect("what was written"), head);
        prop_assert!(read(&bytes[..at.index(bytes.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(prop_oneof![0..8_u8, any::<u8>()], 0..300), is_form in any::<bool>()) {
        if let Some(form) = bytes.first_mut().filter(|_| is_form) {
            *form = FORM;
        }
        if let Ok(head) = read(&bytes) {
            prop_assert!(heap_bytes(&head) <= bytes.len() * HEAP_BYTES_PER_BYTE_MAX);
            prop_assert_eq!(read(&write(&head)).expect("what was written"), head);
        }
    }

    #[test]
    fn damage_is_read_or_refused(head in heads(), at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut bytes = write(&head);
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(head) = read(&bytes) {
            prop_assert!(heap_bytes(&head) <= bytes.len() * HEAP_BYTES_PER_BYTE_MAX);
            prop_assert_eq!(read(&write(&head)).expect("what was written"), head);
        }
    }
}

/// A head of every kind of thing.
fn sample() -> Head {
    let names = |reporter: &str, heard_above, seqs: &[u64]| {
        let seqs = seqs.iter().map(|&seq| (seq, [1, 2, u8::try_from(seq % 256).expect("a byte")])).collect();
        ReporterNames { reporter: ReporterId::new(reporter), heard_above, seqs }
    };
    let reporters = vec![names("", None, &[7]), names("gw-17", Some(9), &[10, 11, 12, 15, 300])];
    let run = |hour, hours, bits| HourRun { hour, hours, bits };
    let state = |from, lasts_ms, state| StateRun { from: Timestamp::clamped(from), lasts_ms, state };
    let na = HealthParts {
        forgotten: PageNo::new(1),
        horizon: PageNo::new(300),
        down: minutes(vec![run(5, 1, 0b111 << 57), run(6, 1, 1), run(7, 200, HOUR_WHOLE / 3)]),
        judged: minutes(vec![run(4, 300, HOUR_WHOLE), run(304, 1, 0xff)]),
        states: StateRuns::new(vec![state(14_400_005, 1_000, Up), state(14_402_000, 0, Down)]).expect("they rise"),
    };
    Head {
        applied_to: 123_456,
        names: NamesParts::new(reporters, Some(9)).expect("they rise"),
        health: vec![(Region::Eu, HealthParts::default()), (Region::Na, na)],
    }
}

/// Must never change: heads of form 1 are stored.
const SAMPLE_HEX: &str = "01c0c40705090002070102070567772d31370b090a0001029c0201020a01020b01020c01020f01022c020000000000000201ac0207050180808080808080800e00010100c801d5aad5aad5aad5aa0502f001d88c010294d0bb1be8078f1f00";

#[test]
fn form_1_is_read_for_ever() {
    let pairs = SAMPLE_HEX.as_bytes().chunks(2);
    let bytes: Vec<u8> =
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("a byte")).collect();
    assert_eq!(read(&bytes).expect("a head of form 1"), sample());
    let written: String = write(&sample()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(written, SAMPLE_HEX);
}

fn check(bytes: &[u8], expected: &str) {
    assert_eq!(read(bytes).expect_err("wrong bytes").to_string(), expected, "{bytes:?}");
}

#[test]
fn wrong_bytes_are_told_apart() {
    const HUGE: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    check(&[], "this is not a stored head: it is empty");
    check(&[2], "this head has form 2; expected form 1: upgrade the reader, or read what this version has written");
    check(&[1, 0, 0, 0, 0], "this is not a stored head: there is more behind it");
    check(&[1, 0, 18], "this is not a stored head: it has too many reporters");
    check(&[1, 0, 2, 2, 65], "this is not a stored head: a reporter is cut off");
    check(&[1, 0, 2, 1, 0xff], "this is not a stored head: a reporter isn't text");
    check(&[1, 0, 2, 0, 130, 1], "this is not a stored head: a reporter has too many numbers");
    check(&[1, 0, 2, 0, 6, 7, 0, 2], "this is not a stored head: a row of sequence numbers is too long");
    check(&[&[1, 0, 2, 0, 4], HUGE, &[1]].concat(), "this is not a stored head: a sequence number is too large");
    check(&[1, 0, 2, 0, 2, 7, 1, 2], "this is not a stored head: a hash is cut off");
    check(&[1, 0, 4, 0, 0, 0, 0], "this is not a stored head: its reporters or their numbers contradict each other");
    check(&[1, 0, 0, 1, 3], "this is not a stored head: a region is unknown");
    check(&[1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], "this is not a stored head: a region is there twice");
    check(&[&[1, 0, 0, 1, 0], HUGE].concat(), "this is not a stored head: a page lies outside of time");
    check(&[&[1, 0, 0, 1, 0, 0, 0, 2, 0], HUGE].concat(), "this is not a stored head: a minute lies outside of time");
    check(&[&[1, 0, 0, 1, 0, 0, 0, 3, 0], HUGE, &[1]].concat(), "this is not a stored head: a minute lies outside of time");
    let empty = "this is not a stored head: its minutes are empty, could be fewer runs, or lie outside of time";
    check(&[1, 0, 0, 1, 0, 0, 0, 3, 0, 0, 1], empty);
    check(&[&[1, 0, 0, 1, 0, 0, 0, 0, 0, 1], HUGE, &[0]].concat(), "this is not a stored head: a state lies outside of time");
    let unsound = "this is not a stored head: its states don't rise, or one lasts beyond its page";
    check(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 3, 0x80, 0xf4, 0xee, 0x06], unsound);
}

#[test]
fn the_last_minute_of_time_comes_back() {
    let hour = u32::try_from(LAST_HOUR).expect("few hours");
    let last = minutes(vec![HourRun { hour, hours: 1, bits: 1 << 59 }]);
    let head = Head { health: vec![(Region::Fe, HealthParts { judged: last, ..HealthParts::default() })], ..Head::default() };
    assert_eq!(read(&write(&head)).expect("what was written"), head);
}

const YEAR_HOURS: u32 = 365 * 24;
/// 2025-01-01T00:00:00Z.
const START_HOUR: u32 = 482_136;

/// A year of one-minute reports by two reporters, each of which skips so many numbers, with these
/// minutes of an hour down in six hours.
fn year(skips: u64) -> Head {
    let reporter = |id| {
        let seqs = (0..64_u64).map(|n| (1_000_000 + n * (skips + 1), [7, 8, 9])).collect();
        ReporterNames { reporter: ReporterId::new(id), heard_above: None, seqs }
    };
    let down = (0..6).map(|n| HourRun { hour: START_HOUR + 1_000 * (n + 1), hours: 1, bits: 0x7ff << 17 });
    let pages = |hours: u32| hours * HOUR_MINUTES / PAGE_MINUTES;
    let parts = HealthParts {
        forgotten: PageNo::new(pages(START_HOUR)),
        horizon: PageNo::new(pages(START_HOUR + YEAR_HOURS)),
        down: minutes(down.collect()),
        judged: minutes(vec![HourRun { hour: START_HOUR, hours: YEAR_HOURS, bits: HOUR_WHOLE }]),
        states: StateRuns::default(),
    };
    let names = NamesParts::new(vec![reporter("gateway-eu-0017"), reporter("gateway-eu-0018")], None);
    Head { applied_to: 4_000_000_000, names: names.expect("they rise"), health: vec![(Region::Na, parts)] }
}

#[test]
fn a_head_of_a_year_is_small() {
    assert_eq!(write(&year(0)).len(), 480);
    assert_eq!(write(&year(50)).len(), 602, "reporters of many subjects");
}

#[test]
fn minutes_take_the_shorter_form() {
    let bytes = |run| {
        let down = minutes(vec![run]);
        write(&Head { health: vec![(Region::Eu, HealthParts { down, ..HealthParts::default() })], ..Head::default() }).len()
    };
    let none = write(&Head { health: vec![(Region::Eu, HealthParts::default())], ..Head::default() }).len();
    assert_eq!(bytes(HourRun { hour: 0, hours: 1, bits: 0b111 << 50 }) - none, 2, "a row");
    assert_eq!(bytes(HourRun { hour: 1, hours: 10_000, bits: HOUR_WHOLE / 3 }) - none, 1 + 2 + 9, "every other minute of a year");
}
