//! State in memory.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::PortError;
use domain::decision::Issuer;

use crate::state::{Op, Pair, StateStore, StateStores};

/// A store in memory that counts what is asked of it.
///
/// Its clone is what a crash leaves: everything that was written, and nothing of what its owner had in mind.
#[derive(Clone, Default, Debug)]
pub struct MemoryStore {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Of the registry's log, by their offsets.
    stretches: BTreeMap<(u64, u64), Vec<u8>>,
    loads: Cell<u64>,
    stores: u64,
}

impl MemoryStore {
    /// Values read so far, by key or by scan.
    #[must_use]
    pub const fn loads(&self) -> u64 {
        self.loads.get()
    }

    /// Changes written so far.
    #[must_use]
    pub const fn stores(&self) -> u64 {
        self.stores
    }

    /// How many keys have a value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no key has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl StateStore for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, PortError> {
        let found = self.values.get(key).cloned();
        self.loads.update(|loads| loads + u64::from(found.is_some()));
        Ok(found)
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, PortError> {
        let from = self.values.range(prefix.to_vec()..);
        let pairs: Vec<Pair> =
            from.take_while(|(key, _)| key.starts_with(prefix)).map(|(key, value)| (key.clone(), value.clone())).collect();
        self.loads.update(|loads| loads + pairs.len() as u64);
        Ok(pairs)
    }

    fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, PortError> {
        let from = self.values.range(prefix.to_vec()..).map(|(key, _)| key);
        Ok(from.take_while(|key| key.starts_with(prefix)).cloned().collect())
    }

    fn write(&mut self, batch: Vec<Op>) -> Result<(), PortError> {
        self.stores += batch.len() as u64;
        for op in batch {
            match op {
                Op::Put { key, value } => self.values.insert(key, value),
                Op::Delete { key } => self.values.remove(&key),
            };
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), PortError> {
        Ok(())
    }
}

/// One store for every owner of a process: their keys differ. There is no other process to fence.
impl StateStores for MemoryStore {
    fn open(&mut self, _owner: Issuer) -> Result<(), PortError> {
        Ok(())
    }

    fn of(&mut self, _owner: Issuer) -> Result<&mut dyn StateStore, PortError> {
        Ok(self)
    }

    fn close(&mut self, _owner: Issuer) -> Result<(), PortError> {
        Ok(())
    }

    fn abandon(&mut self, _owner: Issuer) {}

    fn stretches(&self) -> Result<Vec<Range<u64>>, PortError> {
        Ok(self.stretches.keys().map(|&(from, to)| from..to).collect())
    }

    fn stretch(&self, offsets: &Range<u64>) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.stretches.get(&(offsets.start, offsets.end)).cloned())
    }

    fn put_stretch(&mut self, offsets: &Range<u64>, bytes: Vec<u8>) -> Result<(), PortError> {
        self.stretches.insert((offsets.start, offsets.end), bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_counted_and_survives() {
        let mut store = MemoryStore::default();
        let put = |key: &[u8], value: &[u8]| Op::Put { key: key.to_vec(), value: value.to_vec() };
        store.write(vec![put(b"b/2", b"two"), put(b"a/1", b"x"), put(b"b/1", b"one"), put(b"a/1", b"y")]).unwrap();
        store.put(b"c", b"").unwrap();
        assert_eq!(store.get(b"a/1").unwrap().as_deref(), Some(b"y".as_slice()));
        assert_eq!(store.get(b"missing").unwrap(), None);
        let one_and_two = [(b"b/1".to_vec(), b"one".to_vec()), (b"b/2".to_vec(), b"two".to_vec())];
        assert_eq!(store.scan(b"b/").unwrap(), one_and_two);
        assert_eq!(store.keys(b"b/").unwrap(), [b"b/1", b"b/2"]);
        assert_eq!((store.loads(), store.stores(), store.len()), (3, 5, 4));

        let survivor = store.clone();
        store.delete(b"c").unwrap();
        store.delete(b"never there").unwrap();
        assert_eq!((store.get(b"c").unwrap(), survivor.get(b"c").unwrap()), (None, Some(Vec::new())));
        assert!(!store.is_empty());
    }

    #[test]
    fn stretches_are_found_by_their_offsets() {
        let mut store = MemoryStore::default();
        for (offsets, bytes) in [(5..9, b"b"), (0..5, b"x"), (0..5, b"a")] {
            store.put_stretch(&offsets, bytes.to_vec()).unwrap();
        }
        assert_eq!(store.stretches().unwrap(), [0..5, 5..9]);
        assert_eq!(store.stretch(&(0..5)).unwrap().as_deref(), Some(b"a".as_slice()));
        assert_eq!((store.stretch(&(0..9)).unwrap(), store.is_empty()), (None, true));
    }
}
