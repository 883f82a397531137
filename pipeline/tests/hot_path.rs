//! The hot path, from a record's line to the engine's state, doesn't allocate per event.

use domain::{Event, EventBody, Policy, Region, ReporterId, Subject, Timestamp};
use ingest::RecentNames;
use pipeline::{Applied, Engine};

const MINUTE_MS: i64 = 60_000;
/// Of in-order events, one in so many may allocate: when a product's new hour begins.
const EVENTS_PER_ALLOCATION_MIN: u64 = 30;
const START: i64 = 1_740_787_200_000;

fn engine() -> Engine<RecentNames> {
    let preset = wire::policy::preset("wwa-2024").expect("a preset");
    let policy: Policy = wire::policy::parse(preset, "wwa-2024").expect("a right policy").remove(0);
    let mut engine = Engine::new(policy);
    let badge =
        br#"{"type":"badge","asin":"B000000001","manufacturer":"m-1","marketplaces":["US"],"enabled_at":"2025-01-01T00:00:00Z"}"#;
    engine.add_fact(1, wire::fact::parse(badge).expect("a badge")).expect("the first");
    engine.settle_registry(None);
    engine
}

/// One line for each of these minutes, sequence numbers rising from `seq`.
fn lines(minutes: std::ops::Range<i64>, seq: u64) -> Vec<Vec<u8>> {
    let asin = domain::Asin::new("B000000001").expect("an id");
    minutes
        .zip(seq..)
        .map(|(minute, seq)| {
            let event = Event {
                subject: Subject::product(&asin),
                region: Region::Na,
                at: Timestamp::clamped(START + minute * MINUTE_MS + 500),
                body: EventBody::Outcome { ok: 118, failed: 2 },
                reporter: ReporterId::new("gw-17"),
                seq: Some(seq),
            };
            let mut line = Vec::new();
            wire::event::write(&event.as_ref(), &mut line);
            line
        })
        .collect()
}

/// Applies lines; yields how often something was allocated meanwhile.
fn allocations(engine: &mut Engine<RecentNames>, lines: &[Vec<u8>]) -> u64 {
    let mut counted = 0;
    let info = allocation_counter::measure(|| {
        for line in lines {
            let parsed = wire::event::parse(line).expect("a valid line");
            counted += u64::from(engine.apply(&parsed.event()) == Applied::New);
        }
    });
    assert_eq!(counted, lines.len() as u64, "every event counts");
    info.count_total
}

#[test]
fn events_in_order_allocate_for_a_new_hour_at_most() {
    let mut engine = engine();
    allocations(&mut engine, &lines(0..1_440, 1));
    let day = lines(1_440..11_520, 10_000);
    let allocated = allocations(&mut engine, &day);
    assert!(allocated * EVENTS_PER_ALLOCATION_MIN <= day.len() as u64, "{allocated} allocations for {} events", day.len());
}

#[test]
fn events_of_known_minutes_allocate_nothing() {
    let mut engine = engine();
    allocations(&mut engine, &lines(0..1_440, 1));
    assert_eq!(allocations(&mut engine, &lines(0..1_440, 10_000)), 0);
}
