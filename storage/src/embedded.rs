//! The embedded logs: a directory of append-only segments, for one process with nothing else installed.
//!
//! ```text
//! <root>/lock                              held while a process uses the directory
//! <root>/manifest                          form, partitions of `health`, names of the logs
//! <root>/ends                              up to where each partition is acknowledged
//! <root>/health-0/00000000000000000000.log segments, named by the offset that they begin with
//! ```
//!
//! A record is acknowledged by the flush after it: it then survives a loss of power, and only then readers see
//! it. Each record has a checksum, looked at whenever it is read: what is damaged is refused, never skipped. A
//! torn end, as a crash leaves it, is cut off at opening and told, unless it lacks what was acknowledged. The first
//! write that fails ends all writing until the directory is opened anew. Append times never go back, whatever the
//! clock does, in none of the logs: whoever waits for one log to come to the time of another doesn't wait for ever.
//!
//! `health` and `rejected` are kept by age, `health` no shorter than [`EmbeddedLogs::set_needed_from`] asks for.
//! `standings` and `dependencies` are compacted: of each key the newest record stays, under its own offset. An
//! empty key is one like any other. The other logs are kept for ever.
//!
//! All of it is an adapter: its locks are of threads that append, flush and read; owners of partitions have none.

mod beside;
mod commit;
mod compaction;
mod config;
mod cursor;
mod disk;
mod ends;
mod env;
mod fault;
mod form;
mod maintenance;
mod manifest;
mod partition;
mod recovery;
mod segment;
mod sink;
mod source;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::Timestamp;
use ports::{Log, PortError};

use commit::Commit;
use disk::{Disk, RealDisk};
use ends::Ends;
use env::{Env, lock};
use fault::Fault;
use maintenance::Maintenance;
use manifest::Manifest;
use partition::Partition;

pub use beside::LogsBeside;
pub use config::EmbeddedConfig;
pub use env::Clock;
pub use form::RECORD_BYTES_MAX;
pub use maintenance::Maintained;
pub use recovery::TornTail;
pub use sink::EmbeddedSink;
pub use source::{EmbeddedGroup, EmbeddedSource};

/// Held while a process uses the directory.
const LOCK: &str = "lock";

/// The logs of a directory; clones are the same logs, for as many threads as one likes.
#[derive(Clone)]
pub struct EmbeddedLogs {
    shared: Arc<Shared>,
}

/// What opening found.
pub struct Opened {
    /// The logs.
    pub logs: EmbeddedLogs,
    /// What a crash had left unfinished and was cut off.
    pub torn: Vec<TornTail>,
}

/// What the logs take.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    /// Segments.
    pub segments: u64,
    /// Their length, as far as it is durable, in bytes.
    pub disk_bytes: u64,
    /// Memory for appending, for the list of segments and for compaction, in bytes. Sources have their own.
    pub memory_bytes: u64,
}

struct Shared {
    root: PathBuf,
    env: Arc<Env>,
    /// By log and partition.
    partitions: Vec<Vec<Arc<Partition>>>,
    commit: Commit,
    ends: Mutex<Ends>,
    maintenance: Mutex<Maintenance>,
    _lock: File,
}

/// The machine's clock.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::clamped(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}

impl EmbeddedLogs {
    /// Opens a directory, which is made where missing; undoes what a crash interrupted.
    ///
    /// # Errors
    ///
    /// [`PortError::Setting`] when a setting can't work or the directory was made with another number of
    /// partitions; otherwise when it can't be read or written, is used by another process, or is damaged.
    pub fn open(root: &Path, config: &EmbeddedConfig, clock: Clock) -> Result<Opened, PortError> {
        Self::open_on(root, config, clock, Arc::new(RealDisk))
    }

    fn open_on(root: &Path, config: &EmbeddedConfig, clock: Clock, disk: Arc<dyn Disk>) -> Result<Opened, PortError> {
        config.check()?;
        let fail = |fault: Fault| PortError::Open { what: format!("the logs in {}", root.display()), source: Box::new(fault) };
        let held = take_lock(root).map_err(fail)?;
        if let Some(found) = prepare(root, config.partitions, &*disk).map_err(fail)? {
            let problem = format!(
                "the logs in {} were made with {found}, not {}: set it to {found}, or choose an empty directory and generate \
                 or copy the logs into it anew",
                root.display(),
                config.partitions
            );
            return Err(PortError::Setting { key: "partitions".to_owned(), problem });
        }
        let ends = Ends::open(&*disk, root).map_err(fail)?;
        let env = Arc::new(Env::new(config.clone(), clock, disk));
        let (mut partitions, mut torn) = (Vec::new(), Vec::new());
        for log in Log::ALL {
            let mut opened = Vec::new();
            for number in 0..log.partitions(config.partitions) {
                let (partition, tail) =
                    recovery::open(&env, (log, number), directory(root, log, number), ends.of((log, number)))?;
                opened.push(Arc::new(partition));
                torn.extend(tail);
            }
            partitions.push(opened);
        }
        let (commit, maintenance, ends) = (Commit::default(), Mutex::default(), Mutex::new(ends));
        let shared = Shared { root: root.to_owned(), env, partitions, commit, ends, maintenance, _lock: held };
        Ok(Opened { logs: Self { shared: Arc::new(shared) }, torn })
    }

    /// A sink for all logs.
    #[must_use]
    pub fn sink(&self) -> EmbeddedSink {
        EmbeddedSink::new(self.clone())
    }

    /// All partitions of a log, from their earliest records on.
    #[must_use]
    pub fn source(&self, log: Log) -> EmbeddedSource {
        EmbeddedSource::open(&self.shared.env, self.of(log))
    }

    /// All partitions of a log, from given offsets on, by partition; from its earliest record where none is given.
    ///
    /// # Errors
    ///
    /// [`PortError::Gone`] when a partition doesn't hold that record any more, [`PortError::Ahead`] when it ends before it.
    pub fn source_from(&self, log: Log, from: &[u64]) -> Result<EmbeddedSource, PortError> {
        EmbeddedSource::open_at(&self.shared.env, self.of(log), from)
    }

    /// A log as a group reads it of which this process is the only member.
    #[must_use]
    pub fn group(&self, log: Log) -> EmbeddedGroup {
        EmbeddedGroup::open(&self.shared.env, log, self.of(log))
    }

    /// How many partitions a log has.
    #[must_use]
    pub fn partitions(&self, log: Log) -> u32 {
        log.partitions(self.shared.env.config.partitions)
    }

    /// Says from which offset on a partition's records are still needed, e.g. by the last checkpoint: older
    /// ones may be deleted once they are old enough. Until it is said, no record of `health` is deleted.
    /// Not stored: to be said again after each opening. What the log doesn't have is ignored.
    pub fn set_needed_from(&self, log: Log, partition: u32, offset: u64) {
        if let Some(partition) = self.partition(log, partition) {
            partition.durable(|durable| durable.needed_from = Some(offset));
        }
    }

    /// Does one bounded step of what is due: seals, deletes or compacts about a segment. Call it again until
    /// it says [`Maintained::Nothing`], and then now and then, e.g. once a minute. Others append and read meanwhile.
    ///
    /// # Errors
    ///
    /// When a segment is damaged, or the disk fails or is full; nothing is lost by that, and it may be tried again.
    pub fn maintain(&self, now: Timestamp) -> Result<Maintained, PortError> {
        lock(&self.shared.maintenance).step(&self.shared.env, &self.shared.partitions, now)
    }

    /// What a log takes.
    #[must_use]
    pub fn usage(&self, log: Log) -> Usage {
        let maintenance = lock(&self.shared.maintenance);
        let mut usage = Usage { memory_bytes: maintenance.memory_bytes(log), ..Usage::default() };
        drop(maintenance);
        for partition in self.of(log) {
            usage.memory_bytes += partition.memory_bytes();
            let bytes: Vec<u64> = partition.durable(|durable| durable.segments.iter().map(|segment| segment.bytes).collect());
            usage.segments += bytes.len() as u64;
            usage.disk_bytes += bytes.iter().sum::<u64>();
        }
        usage
    }

    fn append(&self, log: Log, number: u32, key: &str, payload: &[u8]) -> Result<(), PortError> {
        let appended = match self.partition(log, number) {
            Some(partition) => partition.append(key.as_bytes(), payload),
            None => Err(Fault::NoPartition { partition: number, count: self.partitions(log) }),
        };
        appended.map_err(|fault| {
            let what = directory(&self.shared.root, log, number).display().to_string();
            PortError::Append { log, what, key: key.to_owned(), source: Box::new(fault) }
        })
    }

    fn flush(&self) -> Result<(), PortError> {
        let shared = &*self.shared;
        let all = || shared.partitions.iter().flatten();
        let round = || {
            let synced = all().map(|partition| partition.sync()).collect::<Result<Vec<bool>, Fault>>();
            if synced.as_ref().map_or(true, |synced| synced.contains(&true)) {
                shared.env.news.publish();
            }
            synced?;
            let ends = all().map(|partition| ((partition.log, partition.number), partition.durable(|durable| durable.next)));
            let noted = lock(&shared.ends).note(&*shared.env.disk, ends);
            noted.inspect_err(|fault| shared.env.end_writing(fault))
        };
        shared.commit.serve(shared.commit.wanted(), &shared.env, round).map_err(|fault| PortError::Flush {
            what: format!("the logs in {}", shared.root.display()),
            unconfirmed: all().map(|partition| partition.unconfirmed()).sum(),
            source: Box::new(fault),
        })
    }

    fn of(&self, log: Log) -> &[Arc<Partition>] {
        &self.shared.partitions[log as usize]
    }

    fn partition(&self, log: Log, number: u32) -> Option<&Arc<Partition>> {
        self.of(log).get(usize::try_from(number).ok()?)
    }
}

fn directory(root: &Path, log: Log, partition: u32) -> PathBuf {
    root.join(format!("{log}-{partition}"))
}

fn take_lock(root: &Path) -> Result<File, Fault> {
    fs::create_dir_all(root)?;
    let lock = File::create(root.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Fault::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Makes the directories of logs that the manifest doesn't name yet, and then the manifest. Returns the
/// directory's number of partitions where it is another one.
fn prepare(root: &Path, partitions: u32, disk: &dyn Disk) -> Result<Option<u32>, Fault> {
    let found = Manifest::read(root)?;
    disk.sync_directory(root)?;
    if let Some(found) = found.as_ref().map(|found| found.partitions).filter(|found| *found != partitions) {
        return Ok(Some(found));
    }
    let known = found.map(|found| found.logs).unwrap_or_default();
    let missing: Vec<Log> = Log::ALL.into_iter().filter(|log| !known.contains(log)).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    if known.is_empty() {
        Ends::create(disk, root)?;
    }
    for log in missing {
        for number in 0..log.partitions(partitions) {
            recovery::create(disk, &directory(root, log, number))?;
        }
    }
    disk.sync_directory(root)?;
    Manifest { partitions, logs: Log::ALL.to_vec() }.write(disk, root)?;
    Ok(None)
}

#[cfg(test)]
mod tests;
