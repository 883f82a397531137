//! Of two that believe to own the same, only the one that opened it last can write, however long the
//! other stood still.

use std::time::Duration;

use slatedb::GarbageCollectorBuilder;
use slatedb::config::{FlushOptions, FlushType};

use super::failing::Failing;
use super::*;

fn is_fenced(result: Result<(), PortError>) -> bool {
    match result {
        Err(PortError::Fenced { what }) => what.ends_with("partition 3"),
        Err(error) => panic!("{}", every_cause(&error)),
        Ok(()) => false,
    }
}

fn write_and_sync(store: &mut dyn StateStore, key: &[u8]) -> Result<(), PortError> {
    store.put(key, b"value").and_then(|()| store.sync())
}

/// Removes at once whatever ours would remove one day.
fn remove_all_that_may_go(stores: &SlateStores) {
    let shared = &stores.shared;
    let mut options = tuning::collector(shared.place.compares);
    assert!(options.wal_fence_options.is_none(), "without its fence an earlier owner writes on");
    let aged = [
        &mut options.manifest_options,
        &mut options.wal_options,
        &mut options.compacted_options,
        &mut options.compactions_options,
    ];
    for aged in aged.into_iter().flatten() {
        aged.min_age = Duration::ZERO;
    }
    let builder = GarbageCollectorBuilder::new(shared.path(OWNER), Arc::clone(&shared.place.objects)).with_options(options);
    shared.runtime.block_on(builder.build().run_gc_once());
}

/// Stores a table of what was written, so that the log up to it is no longer needed.
fn store_table(stores: &SlateStores) {
    let flush = FlushOptions { flush_type: FlushType::MemTable };
    stores.shared.runtime.block_on(stores.open[&OWNER].db.flush_with_options(flush)).unwrap();
}

pub(super) fn check_fencing(place: impl Fn() -> SlateStores) {
    let mut first = opened(place());
    write_and_sync(first.of(OWNER).unwrap(), b"first/0").unwrap();
    // What it wrote and didn't sync it never will.
    first.of(OWNER).unwrap().put(b"first/unsynced", b"value").unwrap();

    let mut second = opened(place());
    assert_eq!(second.of(OWNER).unwrap().keys(b"").unwrap(), [b"first/0"]);
    for round in 0..6_u8 {
        for number in 0..4 {
            write_and_sync(second.of(OWNER).unwrap(), &[b's', round, number]).unwrap();
        }
        store_table(&second);
        remove_all_that_may_go(&second);
    }
    assert!(is_fenced(first.of(OWNER).unwrap().sync()));
    assert!(is_fenced(write_and_sync(first.of(OWNER).unwrap(), b"first/1")));
    assert!(is_fenced(first.close(OWNER)));
    write_and_sync(second.of(OWNER).unwrap(), b"still mine").unwrap();

    let mut third = opened(place());
    let keys = third.of(OWNER).unwrap().keys(b"").unwrap();
    assert_eq!(keys.len(), 1 + 6 * 4 + 1);
    assert!(keys.iter().all(|key| key == b"first/0" || !key.starts_with(b"first")), "{keys:?}");
    assert!(is_fenced(write_and_sync(second.of(OWNER).unwrap(), b"second")));
}

#[test]
fn an_earlier_owner_writes_nothing_more() {
    let objects = memory();
    check_fencing(|| in_memory(&objects));
}

#[test]
fn an_earlier_owner_writes_nothing_more_to_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    check_fencing(|| in_directory(directory.path()));
}

#[test]
fn opening_anew_forgets_what_was_not_synced() {
    let mut stores = opened(in_memory(&memory()));
    write_and_sync(stores.of(OWNER).unwrap(), b"synced").unwrap();
    stores.of(OWNER).unwrap().put(b"unsynced", b"").unwrap();
    stores.open(OWNER).unwrap();
    assert_eq!(stores.of(OWNER).unwrap().keys(b"").unwrap(), [b"synced"]);
    write_and_sync(stores.of(OWNER).unwrap(), b"goes on").unwrap();
}

#[test]
fn of_many_that_open_at_once_at_most_one_can_write() {
    for _ in 0..8 {
        let objects = memory();
        let mut all: Vec<SlateStores> = (0..4).map(|_| in_memory(&objects)).collect();
        let open = |stores: &mut SlateStores| stores.open(OWNER).and_then(|()| write_and_sync(stores.of(OWNER)?, b"x"));
        let opened_at_once: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = all.iter_mut().map(|stores| scope.spawn(move || open(stores))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for result in opened_at_once {
            is_fenced(result);
        }
        let still_opened = all.iter_mut().filter(|stores| stores.open.contains_key(&OWNER));
        let writes = still_opened.map(|stores| !is_fenced(write_and_sync(stores.of(OWNER).unwrap(), b"y")));
        assert!(writes.filter(|writes| *writes).count() <= 1);
        write_and_sync(opened(in_memory(&objects)).of(OWNER).unwrap(), b"z").unwrap();
    }
}

#[test]
fn a_store_that_cannot_fence_is_refused() {
    let told = every_cause(&in_memory(&Failing::careless(&memory())).open(OWNER).unwrap_err());
    assert!(told.contains("two owners could not be kept apart: use a store that honours If-None-Match"), "{told}");
}
