//! Clocks that differ from one process to the next.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use slatedb::config::{FlushOptions, FlushType};
use slatedb_common::SystemClockTicker;

use super::*;

const HOUR_MS: i64 = 3_600_000;

/// A clock that is ahead by so much.
#[derive(Debug)]
struct Ahead(DefaultSystemClock, i64);

impl SystemClock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.now().timestamp_millis() + self.1).unwrap()
    }

    fn sleep<'a>(&'a self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.0.sleep(duration)
    }

    fn ticker<'a>(&'a self, duration: Duration) -> SystemClockTicker<'a> {
        SystemClockTicker::new(self, duration)
    }
}

fn ahead_by(ms: i64, objects: &Arc<dyn ObjectStore>) -> SlateStores {
    let (objects, prefix, name) = (Arc::clone(objects), "some/where".to_owned(), "memory".to_owned());
    let real = Arc::new(Ahead(DefaultSystemClock::new(), ms));
    opened(SlateStores::going_by(real, Place { objects, prefix, name, compares: true }, 0).unwrap())
}

/// Processes follow each other, some with the clock ahead or behind: each goes on where the one before was, whether
/// that had closed its state, had stored tables, or had crashed.
#[test]
fn whoever_comes_after_a_clock_that_was_ahead_writes_on() {
    let objects = memory();
    let mut expected = Vec::new();
    for (number, hours) in [0, 30 * 24, 0, -48, 2, 400 * 24, -3, 0].into_iter().enumerate() {
        let mut stores = ahead_by(hours * HOUR_MS, &objects);
        for part in 0..3 {
            let key = format!("{number}/{part}").into_bytes();
            let store = stores.of(OWNER).unwrap();
            store.put(&key, b"value").and_then(|()| store.sync()).unwrap_or_else(|error| panic!("{}", every_cause(&error)));
            expected.push(key);
            if number % 2 == 1 {
                let flush = FlushOptions { flush_type: FlushType::MemTable };
                stores.shared.runtime.block_on(stores.open[&OWNER].db.flush_with_options(flush)).unwrap();
            }
        }
        assert_eq!(stores.of(OWNER).unwrap().keys(b"").unwrap(), expected);
        if number % 3 == 0 {
            stores.close(OWNER).unwrap();
        }
    }
    let stores = ahead_by(0, &objects);
    let read: Vec<Vec<u8>> = stores.read_all(OWNER).unwrap().map(|pair| pair.unwrap().0).collect();
    assert_eq!(read, expected);
    let named = stores.shared.runtime.block_on(objects.list_with_delimiter(Some(&"some/where/clock".into()))).unwrap();
    assert!(named.objects.len() <= 2, "earlier names are removed: {named:?}");
}
