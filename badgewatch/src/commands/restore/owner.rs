//! What is restored of one owner: the state as copied, and a journal that agrees with the copied logs.

use std::path::Path;

use anyhow::{Context, bail};
use domain::decision::{InputPosition, Issuer};
use pipeline::journal::{entries_prefix, entry_key, mark_key};
use pipeline::partition::place_key;
use pipeline::restored::KEY;
use ports::{Op, StateStore, StateStores};
use wire::stored::restored::{self, Restored};

use crate::copy::files::Reading;
use crate::copy::state_file;

/// Most that is written at once, in bytes, but for a single pair.
const BATCH_BYTES: usize = 4 << 20;

/// An owner's state as it is to be.
#[derive(Debug)]
pub(super) struct Owner {
    issuer: Issuer,
    /// The number of the last entry in the copied journal.
    copied_seq: u64,
    /// Up to which number decisions are in the copied log, without a gap.
    published_seq: u64,
    /// Decisions in the copied log that the copied journal doesn't have, in order.
    later: Vec<Vec<u8>>,
    /// From which offset on, as stored, its partition is to be read; 0 where it has no checkpoint.
    next: u64,
    /// What the copied offsets count from.
    base: u64,
    /// The first offset of the copied log, where there is no checkpoint.
    first: Option<u64>,
}

impl Owner {
    /// Reads what the owner's file says.
    pub(super) fn read(copy: &Path, issuer: Issuer) -> anyhow::Result<Self> {
        let (mut next, mut base, mut copied_seq) = (0, 0, 0);
        let entries = entries_prefix(issuer);
        each_pair(copy, issuer, &mut |key, value| {
            match issuer {
                Issuer::Partition(number) if key == place_key(number) => {
                    next = wire::stored::place::read(&value)?.next_offset;
                }
                _ if key == KEY => base = restored::read(&value)?.base,
                _ if key.starts_with(&entries) => {
                    copied_seq += 1;
                    if key != entry_key(issuer, copied_seq) {
                        bail!("the copied journal of {issuer} lacks entry {copied_seq}: give another backup");
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self { issuer, copied_seq, published_seq: 0, later: Vec::new(), next, base, first: None })
    }

    /// Takes in a decision of the copied log. One that is published again is the same again.
    pub(super) fn published_one(&mut self, seq: u64, decision: Vec<u8>) {
        if seq == self.published_seq + 1 {
            self.published_seq = seq;
        }
        if seq == self.last_seq() + 1 {
            self.later.push(decision);
        }
    }

    /// Takes in that the copied `health` has a record there.
    pub(super) fn health_begins(&mut self, offset: u64) {
        self.first.get_or_insert(offset);
    }

    /// The offset of the copied `health` that becomes the first.
    pub(super) fn health_from(&self) -> u64 {
        let first = self.first.unwrap_or(0);
        if self.next > 0 { self.next.saturating_sub(self.base) } else { first }
    }

    /// The number of the last decision that was issued.
    pub(super) fn last_seq(&self) -> u64 {
        self.copied_seq + self.later.len() as u64
    }

    /// How many of them are in the log.
    pub(super) const fn published(&self) -> u64 {
        self.published_seq
    }

    /// Takes the owner's state, which is to be empty, so that no run takes it up before the end.
    pub(super) fn begin(&self, stores: &mut dyn StateStores) -> anyhow::Result<()> {
        stores.open(self.issuer)?;
        let store = stores.of(self.issuer)?;
        store.put(KEY, &restored::write(&Restored::default()))?;
        Ok(store.sync()?)
    }

    /// Writes its state, and at last that it is whole.
    pub(super) fn restore(&self, copy: &Path, inputs: &[InputPosition], stores: &mut dyn StateStores) -> anyhow::Result<()> {
        let mut batch = Batch { store: stores.of(self.issuer)?, ops: Vec::new(), bytes: 0 };
        let mark = mark_key(self.issuer);
        each_pair(copy, self.issuer, &mut |key, value| {
            if key == KEY || key == mark { Ok(()) } else { batch.put(key, value) }
        })?;
        for (seq, decision) in (self.copied_seq + 1..).zip(&self.later) {
            batch.put(entry_key(self.issuer, seq), decision.clone())?;
        }
        batch.put(mark, self.published_seq.to_string().into_bytes())?;
        batch.write()?;
        let base = self.base + self.health_from();
        let whole = Restored { complete: true, seq: self.last_seq(), base, inputs: inputs.to_vec() };
        batch.store.sync()?;
        batch.store.put(KEY, &restored::write(&whole))?;
        Ok(stores.close(self.issuer)?)
    }
}

/// Pairs that are written together.
struct Batch<'a> {
    store: &'a mut dyn StateStore,
    ops: Vec<Op>,
    bytes: usize,
}

impl Batch<'_> {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> anyhow::Result<()> {
        self.bytes += key.len() + value.len();
        self.ops.push(Op::Put { key, value });
        if self.bytes >= BATCH_BYTES { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> anyhow::Result<()> {
        self.bytes = 0;
        Ok(self.store.write(std::mem::take(&mut self.ops))?)
    }
}

fn each_pair(copy: &Path, issuer: Issuer, each: &mut dyn FnMut(Vec<u8>, Vec<u8>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let path = copy.join(state_file(issuer));
    let fail = || format!("cannot take up {}", path.display());
    let mut reading = Reading::open(&path).with_context(fail)?;
    while let Some((key, value)) = reading.pair().with_context(fail)? {
        each(key, value).with_context(fail)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ports::MemoryStore;

    use super::*;
    use crate::copy::files::Writing;

    /// A copied journal of so many entries and a mark, restored with the decisions that the log holds; yields the
    /// entries and the mark.
    fn check(copied: u64, logged: &[u64], expected: (u64, &str)) {
        let (copy, issuer) = (tempfile::tempdir().unwrap(), Issuer::Partition(1));
        let mut writing = Writing::create(&copy.path().join(state_file(issuer))).unwrap();
        let entry = |seq: u64| format!("decision {seq}").into_bytes();
        let place = br#"{"v":1,"next_offset":70,"log_time":null,"evicted":0,"origins":[],"policies":[]}"#;
        let old = Restored { complete: true, seq: 1, base: 20, inputs: Vec::new() };
        let entries = (1..=copied).map(|seq| (entry_key(issuer, seq), entry(seq)));
        let others = [
            (mark_key(issuer), b"1".to_vec()),
            (place_key(1), place.to_vec()),
            (KEY.to_vec(), restored::write(&old)),
            (b"head/1/product:A".to_vec(), b"head".to_vec()),
        ];
        entries.chain(others).for_each(|pair| writing.pair(&pair).unwrap());
        writing.finish().unwrap();
        let mut owner = Owner::read(copy.path(), issuer).unwrap();
        logged.iter().for_each(|&seq| owner.published_one(seq, entry(seq)));
        let mut stores = MemoryStore::default();
        owner.begin(&mut stores).unwrap();
        owner.restore(copy.path(), &[], &mut stores).unwrap();
        stores.open(issuer).unwrap();
        let store = stores.of(issuer).unwrap();
        let (last, mark) = expected;
        let found = store.scan(&entries_prefix(issuer)).unwrap();
        assert_eq!(found, (1..=last).map(|seq| (entry_key(issuer, seq), entry(seq))).collect::<Vec<_>>());
        assert_eq!(store.get(&mark_key(issuer)).unwrap(), Some(mark.as_bytes().to_vec()));
        assert_eq!(store.get(b"head/1/product:A").unwrap(), Some(b"head".to_vec()));
        // Offset 50 of the copied log, which counted from 20, is the first of the new one.
        let noted = restored::read(&store.get(KEY).unwrap().unwrap()).unwrap();
        assert_eq!(noted, Restored { complete: true, seq: last, base: 70, inputs: Vec::new() });
        assert_eq!(owner.health_from(), 50);
    }

    #[test]
    fn the_journal_and_the_log_of_decisions_are_made_to_agree() {
        check(0, &[], (0, "0"));
        check(2, &[1, 2], (2, "2"));
        check(2, &[1, 2, 3, 4], (4, "4"));
        check(3, &[1, 2], (3, "2"));
        check(3, &[1, 2, 2, 1, 2, 3, 4, 4], (4, "4"));
    }

    #[test]
    fn a_copied_journal_with_a_gap_is_refused() {
        let (copy, issuer) = (tempfile::tempdir().unwrap(), Issuer::Programme);
        let mut writing = Writing::create(&copy.path().join(state_file(issuer))).unwrap();
        writing.pair(&(entry_key(issuer, 2), Vec::new())).unwrap();
        writing.finish().unwrap();
        let error = format!("{:#}", Owner::read(copy.path(), issuer).unwrap_err());
        assert!(error.contains("the copied journal of programme lacks entry 1: give another backup"), "{error}");
    }
}
