//! Ports that fail after so many writes: there a process crashes.

use domain::Timestamp;
use domain::decision::Issuer;
use ports::state::{Op, Pair, StateStore, StateStores};
use ports::{Log, MemoryLogs, MemoryStore, PortError, RecordSink};

/// When a process's next crash comes, counted in appends and writes; none if it doesn't crash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fuse {
    left: Option<u32>,
    /// Whether the write at which it blows is done.
    is_late: bool,
}

/// Simulated logs with a fuse.
pub(crate) struct FusedLogs<'a> {
    pub(crate) logs: &'a mut MemoryLogs,
    pub(crate) fuse: &'a std::cell::Cell<Fuse>,
}

/// A store with a fuse.
pub(crate) struct FusedStore<'a> {
    pub(crate) store: &'a mut MemoryStore,
    pub(crate) fuse: &'a std::cell::Cell<Fuse>,
}

impl Fuse {
    pub(crate) const NONE: Self = Self { left: None, is_late: false };

    pub(crate) const fn after(writes: u32, is_late: bool) -> Self {
        Self { left: Some(writes), is_late }
    }

    /// Counts a write: whether it is done, and whether the process crashes there.
    fn burn(cell: &std::cell::Cell<Self>) -> (bool, bool) {
        let mut fuse = cell.get();
        let Some(left) = fuse.left else { return (true, false) };
        fuse.left = left.checked_sub(1);
        let blows = fuse.left.is_none();
        cell.set(fuse);
        (!blows || fuse.is_late, blows)
    }
}

fn crash(log: Log) -> PortError {
    PortError::Append { log, what: "simulated".to_owned(), key: String::new(), source: "crash".into() }
}

impl RecordSink for FusedLogs<'_> {
    fn append(&mut self, log: Log, key: &str, payload: &[u8]) -> Result<(), PortError> {
        let partition = ports::partition::partition_of_key(key.as_bytes(), self.partitions(log)?);
        self.append_to(log, partition, key, payload)
    }

    fn append_to(&mut self, log: Log, partition: u32, key: &str, payload: &[u8]) -> Result<(), PortError> {
        let (is_done, blows) = Fuse::burn(self.fuse);
        if is_done {
            self.logs.append_to(log, partition, key, payload)?;
        }
        if blows { Err(crash(log)) } else { Ok(()) }
    }

    fn partitions(&self, log: Log) -> Result<u32, PortError> {
        self.logs.partitions(log)
    }

    fn flush(&mut self) -> Result<(), PortError> {
        Ok(())
    }
}

impl StateStore for FusedStore<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, PortError> {
        self.store.get(key)
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, PortError> {
        self.store.scan(prefix)
    }

    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, PortError> {
        self.store.keys(prefix)
    }

    fn write(&mut self, batch: Vec<Op>) -> Result<(), PortError> {
        let (is_done, blows) = Fuse::burn(self.fuse);
        if is_done {
            self.store.write(batch)?;
        }
        if blows { Err(crash(Log::Decisions)) } else { Ok(()) }
    }

    fn sync(&mut self) -> Result<(), PortError> {
        Ok(())
    }
}

impl StateStores for FusedStore<'_> {
    fn open(&mut self, _owner: Issuer) -> Result<(), PortError> {
        Ok(())
    }

    fn of(&mut self, _owner: Issuer) -> Result<&mut dyn StateStore, PortError> {
        Ok(self)
    }

    fn close(&mut self, _owner: Issuer) -> Result<(), PortError> {
        Ok(())
    }
}

/// An instant as a seed's story names it.
pub(crate) fn shown(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.to_string())
}
