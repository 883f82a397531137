//! A year of sparse evidence: what judging costs when products report little.

use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::{EventBody, EventRef, HealthState, Region, SubjectKind, SubjectRef, Timestamp};
use ingest::RecentNames;
use pipeline::Engine;

use crate::feed;

const PRODUCTS: u32 = 1_000;
const DAYS: i64 = 365;
/// How long an outage is, in minutes; six of them in a year are too many.
const OUTAGE_MINUTES: i64 = 10;
/// Products have 0 … this many outages, in turn.
const OUTAGES_MAX: i64 = 7;

/// An engine that holds the year 2025, and its end: each product was found up once an hour, and
/// counted as many failures as make its outages.
pub(crate) fn engine() -> (Engine<RecentNames>, Timestamp) {
    let asins = feed::asins(PRODUCTS);
    let mut engine = feed::engine(&asins);
    let start = Timestamp::from_date(2025, 1, 1).expect("a day").ms();
    for (number, asin) in (0..).zip(&asins) {
        let mut report = |ms: i64, body| {
            let subject = SubjectRef { kind: SubjectKind::Product, id: asin.as_str() };
            let event =
                EventRef { subject, region: Region::Na, at: Timestamp::clamped(start + ms), body, reporter: None, seq: None };
            engine.apply(&event);
        };
        for hour in 0..DAYS * 24 {
            report(hour * HOUR_MS, EventBody::State(HealthState::Up));
        }
        let outages = number % (OUTAGES_MAX + 1);
        for outage in 0..outages {
            let at = (outage * DAYS / outages + number % 7) * DAY_MS;
            for minute in 0..OUTAGE_MINUTES {
                report(at + minute * MINUTE_MS, EventBody::Outcome { ok: 0, failed: 40 });
            }
        }
    }
    (engine, Timestamp::clamped(start + DAYS * DAY_MS))
}
