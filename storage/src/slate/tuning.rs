//! How the databases are tuned, and why: what fencing rests on, what memory they may take, how often they look.

use std::time::Duration;

use slatedb::config::{
    CompactionWorkerOptions, CompactorOptions, DbReaderOptions, GarbageCollectorDirectoryOptions, GarbageCollectorOptions,
    ScanOptions, Settings,
};

/// Most that the blocks, indexes and filters of all owners take in memory, in bytes.
pub const CACHE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most that an owner has written and not yet stored; whoever writes more waits. In bytes.
pub const UNSTORED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How much an owner writes until it is stored as a sorted table, in bytes.
pub const TABLE_BYTES: usize = 8 * 1024 * 1024;
/// Tables that wait to be merged with others; then writing waits for the merge.
const TABLES_MAX: usize = 64;
/// Largest table that a merge writes, in bytes.
const MERGED_TABLE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What a scan or a merge fetches at a time, in bytes; a block alone has 4 KiB.
pub const READ_AHEAD_BYTES: usize = 1024 * 1024;
/// How many of these a scan fetches at once.
const FETCHES_MAX: usize = 4;
/// How often an owner looks whether it was fenced, and whether there is something to merge, in ms.
const POLL_MS: u64 = 10_000;
/// How often what is no longer needed is removed, in ms.
const REMOVE_MS: u64 = 10 * 60_000;
/// How long what is no longer needed is kept for those who read without fencing, in ms.
const UNNEEDED_MS: u64 = 60 * 60_000;
/// Longest time for which a process may stand still while it changes a manifest, and still not harm a later
/// owner, where the store can't compare and set (a directory), in ms: 7 days.
pub const STALL_MS_MAX: u64 = 7 * 24 * 60 * 60_000;
/// How often a failed request is made again before it is an error; the pauses grow to a second.
pub const RETRIES_MAX: u32 = 10;

/// An owner's database. `compares` tells whether the store can replace an object only if it is as it was.
pub(super) fn settings(compares: bool, retries: u32) -> Settings {
    Settings {
        // Stored is what an owner syncs, or writes more than a table of.
        flush_interval: None,
        manifest_poll_interval: Duration::from_millis(POLL_MS),
        max_unflushed_bytes: UNSTORED_BYTES_MAX,
        l0_sst_size_bytes: TABLE_BYTES,
        l0_max_ssts: TABLES_MAX,
        l0_max_ssts_per_key: TABLES_MAX,
        l0_flush_parallelism: 1,
        compactor_options: Some(compactor()),
        garbage_collector_options: Some(collector(compares)),
        object_store_max_retries: Some(retries),
        ..Settings::default()
    }
}

fn compactor() -> CompactorOptions {
    CompactorOptions {
        poll_interval: Duration::from_millis(POLL_MS),
        max_concurrent_compactions: 1,
        worker: Some(CompactionWorkerOptions {
            max_concurrent_compactions: 1,
            compactions_poll_interval: Duration::from_millis(POLL_MS),
            max_sst_size: MERGED_TABLE_BYTES_MAX,
            max_fetch_tasks: 1,
            bytes_to_fetch: READ_AHEAD_BYTES,
            max_subcompactions: 1,
            ..CompactionWorkerOptions::default()
        }),
        ..CompactorOptions::default()
    }
}

/// What may be removed. Two things keep an owner out that has been replaced, however long it stood still:
/// the empty log object that its successor left at the very place where it goes on to write, so these are
/// never removed; and the numbers of manifests, which a number that is free again would let it take for its
/// own. Where the store compares, a boundary is raised before any number is freed; a directory doesn't, so
/// there manifests are kept for longer than any process stands still.
pub(super) fn collector(compares: bool) -> GarbageCollectorOptions {
    let aged = |age_ms| {
        let interval = Some(Duration::from_millis(REMOVE_MS));
        Some(GarbageCollectorDirectoryOptions { interval, min_age: Duration::from_millis(age_ms), dry_run: false })
    };
    let numbered = aged(if compares { UNNEEDED_MS } else { STALL_MS_MAX });
    GarbageCollectorOptions {
        manifest_options: numbered,
        compactions_options: numbered,
        wal_options: aged(UNNEEDED_MS),
        wal_fence_options: None,
        compacted_options: aged(UNNEEDED_MS),
        detach_options: None,
        boundary_files_enabled: compares,
        ..GarbageCollectorOptions::default()
    }
}

/// A scan reads each block once, so it doesn't drive out of the cache what is read by key.
pub(super) fn scanning() -> ScanOptions {
    ScanOptions::default().with_read_ahead_bytes(READ_AHEAD_BYTES).with_max_fetch_tasks(FETCHES_MAX)
}

/// A reader that keeps what it reads from being removed.
pub(super) fn reading(retries: u32) -> DbReaderOptions {
    DbReaderOptions {
        max_memtable_bytes: TABLE_BYTES as u64,
        object_store_max_retries: Some(retries),
        ..DbReaderOptions::default()
    }
}
