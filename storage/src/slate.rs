//! State in an object store: a SlateDB database an owner, in a directory of this machine or in a bucket.
//!
//! Opening a database fences whoever had it open before: what it has not made durable by then, it never
//! will. `docs/adr/0007-checkpoints.md` tells what that rests on. The ports are synchronous, SlateDB is not:
//! an owner's thread waits for one small runtime that all owners of the process share, as they do the cache
//! of blocks. So nothing here may be called, or dropped, from within an asynchronous task.

mod clock;
mod fault;
mod place;
mod read;
mod sealed;
mod stretches;
#[cfg(test)]
mod tests;
mod tuning;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use domain::decision::Issuer;
use object_store::{ObjectStore, PutMode};
use ports::{Op, Pair, PortError, StateStore, StateStores};
use slatedb::config::CloseOptions;
use slatedb::db_cache::moka::{MokaCache, MokaCacheOptions};
use slatedb::{Db, DbIterator, WriteBatch};
use slatedb_common::{DefaultSystemClock, SystemClock};
use tokio::runtime::{Builder, Runtime};

use clock::StateClock;
use fault::{Fault, failure};
use place::Place;
use sealed::Sealed;

pub use place::{S3Options, StateUrl};
pub use read::SlatePairs;
pub use stretches::STRETCH_BYTES_MAX;
pub use tuning::{CACHE_BYTES_MAX, READ_AHEAD_BYTES, RETRIES_MAX, STALL_MS_MAX, TABLE_BYTES, UNSTORED_BYTES_MAX};

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 1_024;
/// Longest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Threads that wait for the store and merge tables, for all owners.
const THREADS: usize = 2;
/// Most threads that wait for the disk, for all owners.
const DISK_THREADS_MAX: usize = 8;
/// Begins every key: SlateDB knows no empty one.
const KEY_PREFIX: u8 = 1;
/// The object on which it is tried whether the store can tell a first writer from a second.
const TRIED: &str = "fencing-works";
/// How long a store that is dropped may take to end its background tasks, in ms.
const DROP_MS_MAX: u64 = 5_000;

/// The state of several owners in one place.
///
/// An owner's state that is dropped without being closed is as after a crash: what wasn't synced may be lost.
#[derive(Debug)]
pub struct SlateStores {
    shared: Arc<Shared>,
    /// Whether the place was seen to honour what fencing rests on.
    tried: bool,
    open: BTreeMap<Issuer, SlateStore>,
}

/// An owner's state.
struct SlateStore {
    shared: Arc<Shared>,
    /// What a message calls it.
    name: String,
    db: Db,
    /// Whether it was closed, so that there is nothing to end.
    closed: bool,
}

/// What all owners of a process share.
struct Shared {
    runtime: Runtime,
    cache: Arc<MokaCache>,
    clock: Arc<StateClock>,
    place: Place,
    retries: u32,
}

impl SlateStores {
    /// Gets the place ready; a directory is made where missing. Nothing is fenced.
    ///
    /// # Errors
    ///
    /// When the place can't be reached, or holds the plain files of an earlier version.
    pub fn at(url: &StateUrl, s3: &S3Options) -> Result<Self, PortError> {
        Self::over(Place::at(url, s3)?, RETRIES_MAX)
    }

    fn over(place: Place, retries: u32) -> Result<Self, PortError> {
        Self::going_by(Arc::new(DefaultSystemClock::new()), place, retries)
    }

    fn going_by(real: Arc<dyn SystemClock>, mut place: Place, retries: u32) -> Result<Self, PortError> {
        let clock = Arc::new(StateClock::new(real, Arc::clone(&place.objects), &place.prefix));
        place.objects = Sealed::over(place.objects);
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(DISK_THREADS_MAX)
            .thread_name("state")
            .enable_all()
            .build()
            .map_err(|error| Fault::Failed(error.into()).while_doing("open", &place.name))?;
        let options = MokaCacheOptions { max_capacity: CACHE_BYTES_MAX, ..MokaCacheOptions::default() };
        let cache = Arc::new(MokaCache::new_with_opts(options));
        let stores =
            Self { shared: Arc::new(Shared { runtime, cache, clock, place, retries }), tried: false, open: BTreeMap::new() };
        stores.shared.reach()?;
        Ok(stores)
    }
}

impl StateStores for SlateStores {
    fn open(&mut self, owner: Issuer) -> Result<(), PortError> {
        if !self.tried {
            self.shared.try_fencing()?;
            self.tried = true;
        }
        self.open.remove(&owner);
        self.open.insert(owner, SlateStore::open(&self.shared, owner)?);
        Ok(())
    }

    fn of(&mut self, owner: Issuer) -> Result<&mut dyn StateStore, PortError> {
        match self.open.get_mut(&owner) {
            Some(store) => Ok(store),
            None => Err(Fault::NotOpen.while_doing("use", &self.shared.name(owner))),
        }
    }

    fn close(&mut self, owner: Issuer) -> Result<(), PortError> {
        self.open.remove(&owner).map_or(Ok(()), SlateStore::close)
    }

    fn abandon(&mut self, owner: Issuer) {
        self.open.remove(&owner);
    }

    fn stretches(&self) -> Result<Vec<Range<u64>>, PortError> {
        self.shared.stretches()
    }

    fn stretch(&self, offsets: &Range<u64>) -> Result<Option<Vec<u8>>, PortError> {
        self.shared.stretch(offsets)
    }

    fn put_stretch(&mut self, offsets: &Range<u64>, bytes: Vec<u8>) -> Result<(), PortError> {
        self.shared.put_stretch(offsets, bytes)
    }
}

impl SlateStore {
    fn open(shared: &Arc<Shared>, owner: Issuer) -> Result<Self, PortError> {
        let name = shared.name(owner);
        let (path, objects) = (shared.path(owner), Arc::clone(&shared.place.objects));
        let builder = Db::builder(path, objects)
            .with_settings(tuning::settings(shared.place.compares, shared.retries))
            .with_system_clock(shared.clock.clone())
            .with_db_cache(shared.cache.clone(), cache_id(owner));
        shared.set_clock()?;
        let db = shared.runtime.block_on(builder.build()).map_err(|error| failure("open", &name, error))?;
        shared.set_clock()?;
        Ok(Self { shared: Arc::clone(shared), name, db, closed: false })
    }

    fn close(mut self) -> Result<(), PortError> {
        // A database that was fenced closes without a word.
        self.sync()?;
        self.closed = true;
        self.shared.runtime.block_on(self.db.close()).map_err(|error| failure("close", &self.name, error))
    }

    /// Reads what begins with a prefix, of each pair what is wanted.
    fn read<T>(&self, prefix: &[u8], wanted: impl Fn(Pair) -> T) -> Result<Vec<T>, PortError> {
        let reading = async {
            let mut found = Vec::new();
            let mut pairs = self.db.scan_prefix_with_options(stored(prefix), .., &tuning::scanning()).await?;
            while let Some(pair) = next(&mut pairs).await? {
                found.push(wanted(pair));
            }
            Ok(found)
        };
        self.shared.runtime.block_on(reading).map_err(|error| self.failure("read", error))
    }

    fn failure(&self, action: &'static str, error: slatedb::Error) -> PortError {
        failure(action, &self.name, error)
    }
}

impl StateStore for SlateStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, PortError> {
        check_length(key, &[]).map_err(|fault| fault.while_doing("read", &self.name))?;
        let found = self.shared.runtime.block_on(self.db.get(stored(key)));
        Ok(found.map_err(|error| self.failure("read", error))?.map(|value| value.to_vec()))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, PortError> {
        self.read(prefix, |pair| pair)
    }

    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, PortError> {
        self.read(prefix, |(key, _)| key)
    }

    /// Returns once it is in memory, which is bounded by [`UNSTORED_BYTES_MAX`]: then it waits for the store.
    fn write(&mut self, batch: Vec<Op>) -> Result<(), PortError> {
        let mut changes = WriteBatch::new();
        for op in &batch {
            let value = if let Op::Put { value, .. } = op { value.as_slice() } else { &[] };
            check_length(op.key(), value).map_err(|fault| fault.while_doing("write", &self.name))?;
        }
        for op in batch {
            match op {
                Op::Put { key, value } => changes.put_bytes(stored(&key).into(), value.into()),
                Op::Delete { key } => changes.delete(stored(&key)),
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.shared.keep_clock(&self.name)?;
        self.shared.runtime.block_on(self.db.write(changes)).map(drop).map_err(|error| self.failure("write", error))
    }

    fn sync(&mut self) -> Result<(), PortError> {
        self.shared.runtime.block_on(self.db.flush()).map_err(|error| self.failure("sync", error))
    }
}

impl Drop for SlateStore {
    fn drop(&mut self) {
        if self.closed {
            return;
        }
        // Otherwise its background tasks would go on, and store what a crash would have lost.
        let end = self.db.close_with_options(CloseOptions::default().with_flush_type(None));
        let patience = Duration::from_millis(DROP_MS_MAX);
        if !matches!(self.shared.runtime.block_on(async { tokio::time::timeout(patience, end).await }), Ok(Ok(()))) {
            tracing::debug!(state = self.name, "its background tasks didn't end in order");
        }
    }
}

impl fmt::Debug for SlateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlateStore").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("place", &self.place.name).finish_non_exhaustive()
    }
}

impl Shared {
    /// Where an owner's database lies in the store.
    fn path(&self, owner: Issuer) -> String {
        let database = match owner {
            Issuer::Partition(partition) => format!("partition-{partition}"),
            Issuer::Programme => "programme".to_owned(),
        };
        if self.place.prefix.is_empty() { database } else { format!("{}/{database}", self.place.prefix) }
    }

    fn name(&self, owner: Issuer) -> String {
        match owner {
            Issuer::Partition(partition) => format!("{}, partition {partition}", self.place.name),
            Issuer::Programme => format!("{}, programme", self.place.name),
        }
    }

    /// Asks the store for anything, so that what hinders is told as the store tells it, and at once.
    fn reach(&self) -> Result<(), PortError> {
        let prefix = object_store::path::Path::from(self.place.prefix.as_str());
        let listed = self.runtime.block_on(self.place.objects.list_with_delimiter(Some(&prefix)));
        listed.map(drop).map_err(|error| self.unreachable(error))
    }

    /// Sees whether of two that make the same object one is refused: all fencing rests on it.
    fn try_fencing(&self) -> Result<(), PortError> {
        let mut path = object_store::path::Path::from(self.place.prefix.as_str());
        path.extend([TRIED]);
        let make = || self.runtime.block_on(self.place.objects.put_opts(&path, Vec::new().into(), PutMode::Create.into()));
        let made = |result| match result {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(self.unreachable(error)),
        };
        made(make())?;
        if made(make())? { Err(Fault::Unconditional.while_doing("open", &self.place.name)) } else { Ok(()) }
    }

    /// Sets the clock by what others in the place went by.
    fn set_clock(&self) -> Result<(), PortError> {
        self.runtime.block_on(self.clock.set()).map_err(|error| self.unreachable(error))
    }

    /// Sees to it that the clock can go on.
    fn keep_clock(&self, name: &str) -> Result<(), PortError> {
        if !self.clock.is_short() {
            return Ok(());
        }
        self.runtime.block_on(self.clock.name()).map_err(|error| Fault::of_request(error).while_doing("write", name))
    }

    fn unreachable(&self, error: object_store::Error) -> PortError {
        Fault::of_request(error).while_doing("open", &self.place.name)
    }
}

/// The next pair under its own key.
async fn next(pairs: &mut DbIterator) -> Result<Option<Pair>, slatedb::Error> {
    let pair = pairs.next().await?;
    Ok(pair.map(|pair| (pair.key.get(1..).unwrap_or_default().to_vec(), pair.value.to_vec())))
}

/// A key as SlateDB gets it.
fn stored(key: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(1 + key.len());
    stored.push(KEY_PREFIX);
    stored.extend_from_slice(key);
    stored
}

fn check_length(key: &[u8], value: &[u8]) -> Result<(), Fault> {
    match (key.len(), value.len()) {
        (bytes, _) if bytes > KEY_BYTES_MAX => Err(Fault::LongKey { bytes }),
        (_, bytes) if bytes > VALUE_BYTES_MAX => Err(Fault::LongValue { bytes }),
        _ => Ok(()),
    }
}

/// What tells an owner's blocks in the shared cache from others'.
fn cache_id(owner: Issuer) -> u64 {
    match owner {
        Issuer::Partition(partition) => 1 + u64::from(partition),
        Issuer::Programme => 0,
    }
}
