use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use object_store::memory::InMemory;
use ports::MemoryStore;
use proptest::prelude::*;

use super::*;

mod clock;
mod damage;
mod failing;
mod faults;
mod fencing;
mod s3;
mod stretches;

const OWNER: Issuer = Issuer::Partition(3);

fn put(key: &[u8], value: &[u8]) -> Op {
    Op::Put { key: key.to_vec(), value: value.to_vec() }
}

fn delete(key: &[u8]) -> Op {
    Op::Delete { key: key.to_vec() }
}

fn pair(key: &[u8], value: &[u8]) -> Pair {
    (key.to_vec(), value.to_vec())
}

/// Objects that no process outlives, but any number of stores.
fn in_memory(objects: &Arc<dyn ObjectStore>) -> SlateStores {
    let (objects, prefix, name) = (Arc::clone(objects), "some/where".to_owned(), "memory".to_owned());
    SlateStores::over(Place { objects, prefix, name, compares: true }, 0).unwrap()
}

fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

fn in_directory(directory: &Path) -> SlateStores {
    SlateStores::at(&StateUrl::Directory(directory.to_owned()), &S3Options::default()).unwrap()
}

fn opened(mut stores: SlateStores) -> SlateStores {
    stores.open(OWNER).unwrap();
    stores
}

fn every_cause(error: &PortError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// What every store must do, whatever it is made of.
fn check_behaviour(store: &mut dyn StateStore) {
    let long = [b"b/".as_slice(), &[b'X'; 600]].concat();
    store.write(vec![put(&long, b"long"), put(b"b/1", b"one"), put(b"a", b""), put(b"B/1", b"upper")]).unwrap();
    store.put(b"gone", b"x").unwrap();
    store.delete(b"gone").unwrap();
    store.write(Vec::new()).unwrap();
    store.write(vec![delete(b"never there"), put(b"b/1", b"1"), delete(b"b/1"), put(b"b/1", b"one again")]).unwrap();
    store.put(b"", b"no key at all").unwrap();
    store.sync().unwrap();
    store.write(vec![put(&[255, 255], b"last"), put(&[255], b"but one")]).unwrap();
    assert_eq!(store.get(b"a").unwrap(), Some(Vec::new()));
    assert_eq!(store.get(b"").unwrap().as_deref(), Some(b"no key at all".as_slice()));
    assert_eq!(store.get(b"gone").unwrap(), None);
    assert_eq!(store.scan(b"b/").unwrap(), [pair(b"b/1", b"one again"), pair(&long, b"long")]);
    assert_eq!(store.keys(b"b/").unwrap(), [b"b/1".to_vec(), long.clone()]);
    assert_eq!(store.keys(&[255]).unwrap(), [vec![255], vec![255, 255]]);
    assert_eq!(store.scan(b"c").unwrap(), []);
    let all = [b"".to_vec(), b"B/1".to_vec(), b"a".to_vec(), b"b/1".to_vec(), long, vec![255], vec![255, 255]];
    assert_eq!(store.keys(b"").unwrap(), all);
    store.sync().unwrap();
}

#[test]
fn stores_behave_alike() {
    check_behaviour(&mut MemoryStore::default());
    check_behaviour(opened(in_memory(&memory())).of(OWNER).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let mut stores = opened(in_directory(&directory.path().join("new/state")));
    check_behaviour(stores.of(OWNER).unwrap());
}

#[test]
fn what_was_closed_is_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut stores = opened(in_directory(directory.path()));
    stores.of(OWNER).unwrap().write(vec![put(b"a", b"1"), put(b"b", b"2"), delete(b"b")]).unwrap();
    stores.close(OWNER).unwrap();
    stores.close(OWNER).unwrap();
    assert!(stores.of(OWNER).map(drop).unwrap_err().to_string().ends_with("partition 3"));
    drop(stores);
    let mut stores = opened(in_directory(directory.path()));
    assert_eq!(stores.of(OWNER).unwrap().scan(b"").unwrap(), [pair(b"a", b"1")]);
}

#[test]
fn owners_do_not_disturb_each_other() {
    let objects = memory();
    let mut stores = in_memory(&objects);
    let owners = [Issuer::Partition(0), Issuer::Partition(1), Issuer::Programme];
    for (number, owner) in owners.into_iter().enumerate() {
        stores.open(owner).unwrap();
        stores.of(owner).unwrap().put(b"who", &[u8::try_from(number).unwrap()]).unwrap();
    }
    stores.close(owners[1]).unwrap();
    for (number, owner) in owners.into_iter().enumerate().filter(|(number, _)| *number != 1) {
        let store = stores.of(owner).unwrap();
        assert_eq!(store.scan(b"").unwrap(), [pair(b"who", &[u8::try_from(number).unwrap()])]);
        store.sync().unwrap();
    }
    // Another process takes one of them over.
    let mut others = in_memory(&objects);
    others.open(owners[1]).unwrap();
    assert_eq!(others.of(owners[1]).unwrap().get(b"who").unwrap(), Some(vec![1]));
    stores.of(owners[0]).unwrap().put(b"still", b"mine").unwrap();
    stores.of(owners[0]).unwrap().sync().unwrap();
}

#[test]
fn an_owner_is_read_without_being_disturbed() {
    let objects = memory();
    let mut stores = opened(in_memory(&objects));
    let readers = in_memory(&objects);
    assert!(every_cause(&readers.read_all(Issuer::Programme).unwrap_err()).ends_with("nothing is stored there"));
    let store = stores.of(OWNER).unwrap();
    store.write(vec![put(b"a", b"1"), put(b"", b"2")]).unwrap();
    store.sync().unwrap();
    store.put(b"not yet", b"synced").unwrap();
    let pairs: Vec<Pair> = readers.read_all(OWNER).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(pairs, [pair(b"", b"2"), pair(b"a", b"1")]);
    // Neither a reader in the middle of it nor one that ended keeps the owner from going on.
    let mut reading = readers.read_all(OWNER).unwrap();
    assert_eq!(reading.next().unwrap().unwrap(), pair(b"", b"2"));
    store.write(vec![put(b"b", b"3"), delete(b"a")]).unwrap();
    store.sync().unwrap();
    assert_eq!(reading.next().unwrap().unwrap(), pair(b"a", b"1"));
    assert!(reading.next().is_none());
    drop(reading);
    store.put(b"c", b"4").unwrap();
    stores.close(OWNER).unwrap();
    assert_eq!(readers.read_all(OWNER).unwrap().count(), 4);
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::sample::select(vec!["a", "A", "a/b", "..", ""]).prop_map(|key| key.as_bytes().to_vec()),
        prop::collection::vec(prop::sample::select(vec![b'a', b'Z', b'/', 0, 255]), 0..300),
    ]
}

fn batch() -> impl Strategy<Value = Vec<Op>> {
    let op = (key(), prop::option::of(prop::collection::vec(any::<u8>(), 0..20)));
    let op = op.prop_map(|(key, value)| match value {
        Some(value) => Op::Put { key, value },
        None => Op::Delete { key },
    });
    prop::collection::vec(op, 0..4)
}

fn apply(batch: Vec<Op>, map: &mut BTreeMap<Vec<u8>, Vec<u8>>) {
    for op in batch {
        match op {
            Op::Put { key, value } => map.insert(key, value),
            Op::Delete { key } => map.remove(&key),
        };
    }
}

fn check_is_map(store: &dyn StateStore, map: &BTreeMap<Vec<u8>, Vec<u8>>, prefix: &[u8]) -> Result<(), TestCaseError> {
    prop_assert_eq!(store.get(prefix).unwrap(), map.get(prefix).cloned());
    let expected: Vec<Pair> = map.clone().into_iter().filter(|(key, _)| key.starts_with(prefix)).collect();
    prop_assert_eq!(store.keys(prefix).unwrap(), expected.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>());
    prop_assert_eq!(store.scan(prefix).unwrap(), expected);
    Ok(())
}

/// What happens after a batch.
#[derive(Clone, Copy, Debug)]
enum Then {
    Nothing,
    Sync,
    Close,
    CrashSynced,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_store_is_a_map(
        batches in prop::collection::vec((batch(), prop::sample::select(vec![Then::Nothing, Then::Sync, Then::Close, Then::CrashSynced])), 0..8),
        prefix in key(),
    ) {
        let objects = memory();
        let mut stores = opened(in_memory(&objects));
        let (mut twin, mut map) = (MemoryStore::default(), BTreeMap::new());
        for (batch, then) in batches {
            apply(batch.clone(), &mut map);
            twin.write(batch.clone()).unwrap();
            let store = stores.of(OWNER).unwrap();
            store.write(batch).unwrap();
            match then {
                Then::Nothing => continue,
                Then::Sync => store.sync().unwrap(),
                Then::Close => stores.close(OWNER).unwrap(),
                Then::CrashSynced => {
                    store.sync().unwrap();
                    stores = in_memory(&objects);
                }
            }
            if !matches!(then, Then::Sync) {
                stores.open(OWNER).unwrap();
            }
        }
        check_is_map(&twin, &map, &prefix)?;
        check_is_map(stores.of(OWNER).unwrap(), &map, &prefix)?;
    }
}
