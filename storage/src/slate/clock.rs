//! The time that SlateDB goes by: never earlier than what anybody went by before in the same place.
//!
//! SlateDB refuses what would be stored earlier than what is stored already. So a process whose clock was ahead would
//! leave a state that nobody can write to until their clocks have come that far. Therefore nobody goes by a time
//! that the place doesn't know beforehand: an object names the latest one that may be used, and whoever opens a state
//! begins no earlier than the latest that is named. Where a clock was ahead, time then stands still for a while; it
//! only tells how old objects are. Once a process runs, nothing that happens to its clock changes this one.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, Result};
use slatedb_common::{SystemClock, SystemClockTicker};

/// The folder of objects that each name a time, in ms.
const FOLDER: &str = "clock";
/// How far ahead of its use a time is named, in ms.
const AHEAD_MS: i64 = 120_000;
/// When less than this is left of it, a later one is named, in ms.
const LEFT_MS_MIN: i64 = 60_000;

/// A clock for one place, shared by all owners of a process.
pub(super) struct StateClock {
    real: Arc<dyn SystemClock>,
    objects: Arc<dyn ObjectStore>,
    folder: Path,
    /// The earliest and the latest time that may be used, in ms.
    earliest: AtomicI64,
    latest: AtomicI64,
}

impl StateClock {
    /// A clock that has yet to be set.
    pub(super) fn new(real: Arc<dyn SystemClock>, objects: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        let mut folder = Path::from(prefix);
        folder.extend([FOLDER]);
        Self { real, objects, folder, earliest: AtomicI64::new(i64::MIN), latest: AtomicI64::new(i64::MIN) }
    }

    /// Takes in what others went by, and names a time of its own. To be done before a state is opened; and after, as
    /// whoever had it before may have named a later time meanwhile.
    pub(super) async fn set(&self) -> Result<()> {
        let listed: Vec<Path> = self.objects.list(Some(&self.folder)).map_ok(|object| object.location).try_collect().await?;
        let named = listed.iter().filter_map(time_of).max();
        if let Some(named) = named {
            self.earliest.fetch_max(named, Ordering::SeqCst);
        }
        self.name().await?;
        // Of those that are earlier the names say nothing any more.
        let is_earlier = |path: &&Path| time_of(path).is_some_and(|time| Some(time) < named);
        for path in listed.iter().filter(is_earlier) {
            self.remove(path).await;
        }
        Ok(())
    }

    /// Whether a later time is to be named soon.
    pub(super) fn is_short(&self) -> bool {
        self.wanted() + LEFT_MS_MIN > self.latest.load(Ordering::SeqCst)
    }

    /// Names a later time, if it is needed.
    pub(super) async fn name(&self) -> Result<()> {
        if !self.is_short() {
            return Ok(());
        }
        let (before, latest) = (self.latest.load(Ordering::SeqCst), self.wanted() + AHEAD_MS);
        self.objects.put(&self.path(latest), Vec::new().into()).await?;
        self.latest.fetch_max(latest, Ordering::SeqCst);
        if before > i64::MIN {
            self.remove(&self.path(before)).await;
        }
        Ok(())
    }

    fn wanted(&self) -> i64 {
        self.real.now().timestamp_millis().max(self.earliest.load(Ordering::SeqCst))
    }

    fn path(&self, ms: i64) -> Path {
        self.folder.clone().join(format!("{ms:020}"))
    }

    async fn remove(&self, path: &Path) {
        // One too many does no harm.
        if let Err(error) = self.objects.delete(path).await {
            tracing::debug!(%path, %error, "a name of an earlier time stays");
        }
    }
}

impl fmt::Debug for StateClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateClock").field("earliest", &self.earliest).field("latest", &self.latest).finish_non_exhaustive()
    }
}

impl SystemClock for StateClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.wanted().min(self.latest.load(Ordering::SeqCst))).unwrap_or_default()
    }

    fn sleep<'a>(&'a self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.real.sleep(duration)
    }

    fn ticker<'a>(&'a self, duration: Duration) -> SystemClockTicker<'a> {
        SystemClockTicker::new(self, duration)
    }
}

/// The time that an object names, in ms.
fn time_of(path: &Path) -> Option<i64> {
    path.filename()?.parse().ok()
}
