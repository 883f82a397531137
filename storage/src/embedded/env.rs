//! What all partitions of a directory share: settings, clock, disk, and what happened.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::time::Instant;

use domain::time::MINUTE_MS;
use domain::{DurationMs, Timestamp};

use super::config::EmbeddedConfig;
use super::disk::Disk;
use super::fault::Fault;

/// How far the clock has to be behind the logs' time to be told.
const BEHIND_MIN: DurationMs = DurationMs(MINUTE_MS);

/// Says what time it is: the append time of records, unless an earlier record's is later, in whatever log.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(super) struct Env {
    pub(super) config: EmbeddedConfig,
    clock: Clock,
    /// The latest append time of all, in ms.
    latest_ms: AtomicI64,
    /// Whether it was told that the clock is behind it.
    behind_told: AtomicBool,
    pub(super) disk: Arc<dyn Disk>,
    /// The first write that failed: from then on nothing is written. A failed sync can't be tried again, as
    /// the system may have dropped what it couldn't store, and then says that all is well.
    broken: OnceLock<String>,
    pub(super) news: News,
}

/// Tells readers that there is something new.
#[derive(Default)]
pub(super) struct News {
    published: Mutex<u64>,
    arrived: Condvar,
}

impl Env {
    pub(super) fn new(config: EmbeddedConfig, clock: Clock, disk: Arc<dyn Disk>) -> Self {
        Self {
            config,
            clock,
            latest_ms: AtomicI64::new(Timestamp::MIN.ms()),
            behind_told: AtomicBool::new(false),
            disk,
            broken: OnceLock::new(),
            news: News::default(),
        }
    }

    /// The append time of a record that is appended now.
    pub(super) fn append_time(&self) -> Timestamp {
        let shown = (self.clock)();
        let latest = self.saw(shown);
        let is_behind = shown.saturating_add(BEHIND_MIN) < latest;
        if is_behind && !self.behind_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(%shown, %latest, "the clock is behind the logs: their time stands still until it has come so far");
        } else if !is_behind {
            self.behind_told.store(false, Ordering::Relaxed);
        }
        latest
    }

    /// Takes in a time at which a record may have been appended; yields the latest such.
    pub(super) fn saw(&self, at: Timestamp) -> Timestamp {
        Timestamp::clamped(self.latest_ms.fetch_max(at.ms(), Ordering::Relaxed).max(at.ms()))
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        self.broken.get().map_or(Ok(()), |first| Err(Fault::Broken { first: first.clone() }))
    }

    /// Ends all writing.
    pub(super) fn end_writing(&self, cause: &Fault) {
        self.broken.get_or_init(|| cause.to_string());
    }
}

impl News {
    pub(super) fn count(&self) -> u64 {
        *lock(&self.published)
    }

    pub(super) fn publish(&self) {
        *lock(&self.published) += 1;
        self.arrived.notify_all();
    }

    /// Waits until there is other news than that, or for the deadline; says whether there is.
    pub(super) fn wait(&self, seen: u64, deadline: Instant) -> bool {
        let mut published = lock(&self.published);
        while *published == seen {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.arrived.wait_timeout(published, left);
            (published, _) = waited.expect(UNPOISONED);
        }
        true
    }
}

/// Why a lock can be had.
pub(super) const UNPOISONED: &str = "nobody panics while holding the lock";

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect(UNPOISONED)
}
