//! State as plain files in a directory: one file a key, for one process at a time.
//!
//! Each file is replaced as a whole and carries a checksum over its key and value. A batch of several
//! changes is first written down in one file of its own; what a crash left of it is made up for at the next
//! opening. This makes a batch atomic, not yet a whole checkpoint of many batches, and it lives on this
//! machine's disk alone: checkpoints in an object store, with fencing of earlier owners, are another adapter.

mod file;
mod journal;
mod name;

use std::collections::BTreeSet;
use std::error::Error;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use domain::decision::Issuer;
use ports::{Op, Pair, PortError, StateStore, StateStores};

use file::Fault;

/// Longest key, in bytes: its path must fit into what systems take, 4,096 bytes.
pub const KEY_BYTES_MAX: usize = 1_024;
/// Held while a process uses the directory.
const LOCK: &str = "lock";
/// A batch that isn't known to be written in whole.
const JOURNAL: &str = "batch";

/// A store in a directory.
#[derive(Debug)]
pub struct DirStore {
    root: PathBuf,
    _lock: File,
    /// Directories with names that may not survive a loss of power.
    unsynced: BTreeSet<PathBuf>,
    /// Whether a write failed, so that what is stored isn't known.
    broken: bool,
}

impl DirStore {
    /// Opens a directory, which is created where missing; ends what a crash interrupted.
    ///
    /// # Errors
    ///
    /// When it can't be read or written, another process uses it, or its interrupted batch is damaged.
    pub fn open(root: &Path) -> Result<Self, PortError> {
        let fail = |error: io::Error| state_error("open", root, error);
        fs::create_dir_all(root).map_err(fail)?;
        let lock = File::create(root.join(LOCK)).map_err(fail)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => state_error("open", root, Fault::InUse),
            TryLockError::Error(error) => fail(error),
        })?;
        let mut store = Self { root: root.to_owned(), _lock: lock, unsynced: BTreeSet::new(), broken: false };
        store.remove_leftovers(root).map_err(fail)?;
        let journal = root.join(JOURNAL);
        if let Some(batch) = file::read(&journal, JOURNAL.as_bytes()).map_err(|error| state_error("read", &journal, error))? {
            let batch = journal::decode(&batch).ok_or_else(|| state_error("read", &journal, Fault::Checksum))?;
            store.apply_journal(&batch)?;
        }
        Ok(store)
    }

    /// Removes files that a crash left half written: none of them was ever part of the state.
    fn remove_leftovers(&self, directory: &Path) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if name::is_directory(&path) {
                self.remove_leftovers(&path)?;
            } else if file::is_unfinished(&path) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Every key in a directory that begins with the prefix, in any order.
    fn list(&self, directory: &Path, prefix: &[u8], found: &mut Vec<Vec<u8>>) -> Result<(), PortError> {
        let fail = |error: io::Error| state_error("list", directory, error);
        for entry in fs::read_dir(directory).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            let inside = path.strip_prefix(&self.root).unwrap_or(&path);
            if name::is_directory(inside) {
                self.list(&path, prefix, found)?;
            } else if inside != Path::new(LOCK) && inside != Path::new(JOURNAL) {
                let key = name::decode(inside).ok_or_else(|| state_error("list", &path, Fault::Foreign))?;
                if key.starts_with(prefix) {
                    found.push(key);
                }
            }
        }
        Ok(())
    }

    fn path(&self, key: &[u8]) -> Result<PathBuf, PortError> {
        match key.len() {
            ..=KEY_BYTES_MAX => Ok(self.root.join(name::encode(key))),
            bytes => Err(state_error("find", &self.root, Fault::LongKey { bytes })),
        }
    }

    fn check(&self) -> Result<(), PortError> {
        if self.broken { Err(state_error("use", &self.root, Fault::Broken)) } else { Ok(()) }
    }

    fn write_batch(&mut self, batch: &[Op]) -> Result<(), PortError> {
        if let [single] = batch {
            return self.apply(single);
        }
        let journal = self.root.join(JOURNAL);
        file::write(&journal, JOURNAL.as_bytes(), &journal::encode(batch))
            .and_then(|()| sync_directory(&self.root))
            .map_err(|error| state_error("write", &journal, error))?;
        self.apply_journal(batch)
    }

    /// Makes the journal's changes, which may have been made in part before, and ends the journal.
    fn apply_journal(&mut self, batch: &[Op]) -> Result<(), PortError> {
        batch.iter().try_for_each(|op| self.apply(op))?;
        self.sync_all()?;
        let journal = self.root.join(JOURNAL);
        // A journal that came back after a loss of power would undo what is written from now on.
        let removed = fs::remove_file(&journal).and_then(|()| sync_directory(&self.root));
        removed.map_err(|error| state_error("remove", &journal, error))
    }

    fn apply(&mut self, op: &Op) -> Result<(), PortError> {
        let path = self.path(op.key())?;
        let result = match op {
            Op::Put { key, value } => {
                let directory = path.parent().unwrap_or(&self.root);
                fs::create_dir_all(directory).and_then(|()| file::write(&path, key, value))
            }
            Op::Delete { .. } => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(()),
            },
        };
        result.map_err(|error| state_error("write", &path, error))?;
        let within = path.ancestors().skip(1).take_while(|directory| directory.starts_with(&self.root));
        self.unsynced.extend(within.filter(|directory| directory.is_dir()).map(Path::to_owned));
        Ok(())
    }

    fn sync_all(&mut self) -> Result<(), PortError> {
        for directory in &self.unsynced {
            sync_directory(directory).map_err(|error| state_error("sync", directory, error))?;
        }
        self.unsynced.clear();
        Ok(())
    }

    /// Runs a change; after a failed one the store is of no use.
    fn change(&mut self, run: impl FnOnce(&mut Self) -> Result<(), PortError>) -> Result<(), PortError> {
        self.check()?;
        let result = run(self);
        self.broken = result.is_err();
        result
    }
}

impl StateStore for DirStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, PortError> {
        self.check()?;
        let path = self.path(key)?;
        file::read(&path, key).map_err(|error| state_error("read", &path, error))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, PortError> {
        let pair = |key: Vec<u8>| Ok(self.get(&key)?.map(|value| (key, value)));
        self.keys(prefix)?.into_iter().filter_map(|key| pair(key).transpose()).collect()
    }

    /// Lists the names of the whole directory, whatever the prefix.
    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, PortError> {
        self.check()?;
        let mut keys = Vec::new();
        self.list(&self.root, prefix, &mut keys)?;
        keys.sort_unstable();
        Ok(keys)
    }

    fn write(&mut self, batch: Vec<Op>) -> Result<(), PortError> {
        self.check()?;
        // Before anything is written, so that a wrong key spoils neither batch nor store.
        for op in &batch {
            self.path(op.key())?;
        }
        if batch.is_empty() { Ok(()) } else { self.change(|store| store.write_batch(&batch)) }
    }

    fn sync(&mut self) -> Result<(), PortError> {
        self.change(Self::sync_all)
    }
}

/// One directory for every owner of a process: their keys differ, and no other process may use it.
impl StateStores for DirStore {
    fn open(&mut self, _owner: Issuer) -> Result<(), PortError> {
        self.check()
    }

    fn of(&mut self, _owner: Issuer) -> Result<&mut dyn StateStore, PortError> {
        Ok(self)
    }

    fn close(&mut self, _owner: Issuer) -> Result<(), PortError> {
        self.sync()
    }
}

/// Makes a directory's names survive a loss of power; its files' contents have been synced one by one.
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn state_error(action: &'static str, path: &Path, error: impl Into<Box<dyn Error + Send + Sync>>) -> PortError {
    PortError::State { action, what: path.display().to_string(), source: error.into() }
}

#[cfg(test)]
mod tests;
