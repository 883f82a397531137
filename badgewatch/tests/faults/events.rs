//! What products go through on every stage: registered, down for as long as it takes to lose a badge.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::time::MINUTE_MS;
use domain::{DurationMs, EventBody, EventRef, Region, SubjectKind, SubjectRef, Timestamp};

/// Down minutes that just exceed the budget.
const MINUTES: i64 = 368;
/// The budget of 99.93 % of 365 days and one more millisecond.
pub(crate) const BREACH: DurationMs = DurationMs(22_075_201);

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::clamped(i64::try_from(since.as_millis()).unwrap())
}

/// `wwa-2024` that issues at once.
pub(crate) fn policy() -> String {
    let preset = wire::policy::preset("wwa-2024").unwrap();
    preset
        .replace("warnings = \"5m\"", "warnings = \"0s\"")
        .replace("enforcement = \"24h\"", "enforcement = \"0s\"")
        .replace("max_removals_per_hour = 20", "max_removals_per_hour = 100000")
}

/// From when on a product that is registered now will be down.
pub(crate) fn start_of_downtime() -> Timestamp {
    now().saturating_sub(DurationMs::days(10)).floor_minute()
}

/// The registry's line of a product with a manufacturer of its own, badged before it goes down.
pub(crate) fn badge(asin: &str, number: usize, from: Timestamp) -> String {
    let enabled_at = from.saturating_sub(DurationMs(60 * MINUTE_MS));
    format!(
        r#"{{"type":"badge","asin":"{asin}","manufacturer":"m-{number}","marketplaces":["US"],"customers":5000,"enabled_at":"{enabled_at}"}}"#
    )
}

/// The minutes that take a badge away, in two halves.
pub(crate) fn minutes(from: Timestamp) -> [Vec<Timestamp>; 2] {
    let minute = |minute: i64| from.saturating_add(DurationMs(minute * MINUTE_MS));
    [(0..MINUTES / 2).map(minute).collect(), (MINUTES / 2..MINUTES).map(minute).collect()]
}

/// The line that says that every attempt of a minute failed.
pub(crate) fn event(asin: &str, at: Timestamp) -> Vec<u8> {
    let mut line = Vec::new();
    let event = EventRef {
        subject: SubjectRef { kind: SubjectKind::Product, id: asin },
        region: Region::Na,
        at,
        body: EventBody::Outcome { ok: 0, failed: 100 },
        reporter: Some("gw-1"),
        seq: Some(at.ms().unsigned_abs()),
    };
    wire::event::write(&event, &mut line);
    line
}
