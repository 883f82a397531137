//! Ports that fail after so many writes: there a process crashes.

use std::collections::BTreeMap;
use std::ops::Range;

use domain::Timestamp;
use domain::decision::Issuer;
use loadtest::dice::Dice;
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

/// The state of every owner, as processes share it, and what is nobody's.
#[derive(Default)]
pub(crate) struct Disks {
    owners: BTreeMap<Issuer, Disk>,
    pub(crate) shared: MemoryStore,
}

/// The state of one owner: what whoever has it open sees, and what would be left after a loss of power.
#[derive(Default)]
struct Disk {
    /// Who opened it last.
    holder: Option<Holder>,
    seen: MemoryStore,
    durable: MemoryStore,
    /// Batches that aren't known to be durable, in the order in which they were written.
    unsynced: Vec<Vec<Op>>,
}

/// A life of a process: its number, and how often it was opened.
pub(crate) type Holder = (usize, u64);

/// The disks as a process has them, with a fuse.
pub(crate) struct FusedStores<'a> {
    pub(crate) disks: &'a mut Disks,
    pub(crate) me: Holder,
    pub(crate) fuse: &'a std::cell::Cell<Fuse>,
    /// Whose state is asked.
    pub(crate) at: Issuer,
    /// What decides how much of somebody else's unsynced writes survives a takeover.
    pub(crate) dice: &'a mut Dice,
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

impl Disks {
    pub(crate) fn seen(&self, owner: Issuer) -> Option<&MemoryStore> {
        self.owners.get(&owner).map(|disk| &disk.seen)
    }

    /// The process dies: what it had open is as a loss of power leaves it.
    pub(crate) fn lose_power(&mut self, process: usize, dice: &mut Dice) {
        let held = |disk: &&mut Disk| disk.holder.is_some_and(|(holder, _)| holder == process);
        self.owners.values_mut().filter(held).for_each(|disk| disk.lose_power(dice));
    }
}

impl Disk {
    fn sync(&mut self) -> Result<(), PortError> {
        self.unsynced.drain(..).try_for_each(|batch| self.durable.write(batch))
    }

    /// Of what wasn't synced the first batches are left, as many as the dice say.
    fn lose_power(&mut self, dice: &mut Dice) {
        let kept = dice.index(self.unsynced.len() + 1);
        for batch in self.unsynced.drain(..).take(kept) {
            self.durable.write(batch).expect("a store in memory");
        }
        self.seen = self.durable.clone();
        self.holder = None;
    }
}

impl FusedStores<'_> {
    /// The disk, unless somebody else has opened it since.
    fn disk(&self) -> Result<&Disk, PortError> {
        let disk = &self.disks.owners[&self.at];
        if disk.holder == Some(self.me) { Ok(disk) } else { Err(PortError::Fenced { what: self.at.to_string() }) }
    }

    fn own(&mut self) -> Result<&mut Disk, PortError> {
        self.disk()?;
        Ok(self.disks.owners.get_mut(&self.at).expect("it was opened"))
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

impl StateStore for FusedStores<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, PortError> {
        self.disk()?.seen.get(key)
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, PortError> {
        self.disk()?.seen.scan(prefix)
    }

    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, PortError> {
        self.disk()?.seen.keys(prefix)
    }

    fn write(&mut self, batch: Vec<Op>) -> Result<(), PortError> {
        let (is_done, blows) = Fuse::burn(self.fuse);
        if is_done {
            let disk = self.own()?;
            disk.unsynced.push(batch.clone());
            disk.seen.write(batch)?;
        }
        if blows { Err(crash(Log::Decisions)) } else { Ok(()) }
    }

    fn sync(&mut self) -> Result<(), PortError> {
        self.own()?.sync()
    }
}

impl StateStores for FusedStores<'_> {
    fn open(&mut self, owner: Issuer) -> Result<(), PortError> {
        let disk = self.disks.owners.entry(owner).or_default();
        if disk.holder != Some(self.me) {
            disk.lose_power(self.dice);
            disk.holder = Some(self.me);
        }
        Ok(())
    }

    fn of(&mut self, owner: Issuer) -> Result<&mut dyn StateStore, PortError> {
        self.at = owner;
        Ok(self)
    }

    fn close(&mut self, owner: Issuer) -> Result<(), PortError> {
        self.at = owner;
        self.sync()?;
        self.own()?.holder = None;
        Ok(())
    }

    fn abandon(&mut self, owner: Issuer) {
        self.at = owner;
        if let Some(disk) = self.disks.owners.get_mut(&owner).filter(|disk| disk.holder == Some(self.me)) {
            disk.lose_power(self.dice);
        }
    }

    fn stretches(&self) -> Result<Vec<Range<u64>>, PortError> {
        self.disks.shared.stretches()
    }

    fn stretch(&self, offsets: &Range<u64>) -> Result<Option<Vec<u8>>, PortError> {
        self.disks.shared.stretch(offsets)
    }

    fn put_stretch(&mut self, offsets: &Range<u64>, bytes: Vec<u8>) -> Result<(), PortError> {
        let (is_done, blows) = Fuse::burn(self.fuse);
        if is_done {
            self.disks.shared.put_stretch(offsets, bytes)?;
        }
        if blows { Err(crash(Log::Registry)) } else { Ok(()) }
    }
}

/// An instant as a seed's story names it.
pub(crate) fn shown(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.to_string())
}
