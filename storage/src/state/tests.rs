use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn put(key: &[u8], value: &[u8]) -> Op {
    Op::Put { key: key.to_vec(), value: value.to_vec() }
}

fn delete(key: &[u8]) -> Op {
    Op::Delete { key: key.to_vec() }
}

fn cause(error: &PortError) -> String {
    format!("{error}: {}", Error::source(error).unwrap())
}

/// A failure that names the path and says this of it.
fn check_failure<T: std::fmt::Debug>(result: Result<T, PortError>, action: &str, path: &Path, told: &str) {
    let expected = format!("cannot {action} state {}: {told}", path.display());
    assert!(cause(&result.unwrap_err()).starts_with(&expected), "{expected}");
}

#[test]
fn what_is_written_is_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("new/state");
    let mut store = DirStore::open(&root).unwrap();
    let long = [b"b/".as_slice(), &[b'X'; 600]].concat();
    store.write(vec![put(&long, b"long"), put(b"b/1", b"one"), put(b"a", b""), put(b"B/1", b"upper")]).unwrap();
    store.put(b"gone", b"x").unwrap();
    store.delete(b"gone").unwrap();
    store.write(Vec::new()).unwrap();
    store.write(vec![delete(b"never there"), put(b"b/1", b"one again")]).unwrap();
    store.sync().unwrap();
    drop(store);
    let store = DirStore::open(&root).unwrap();
    assert_eq!(store.get(b"a").unwrap(), Some(Vec::new()));
    assert_eq!(store.get(b"gone").unwrap(), None);
    let expected = [(b"b/1".to_vec(), b"one again".to_vec()), (long, b"long".to_vec())];
    assert_eq!(store.scan(b"b/").unwrap(), expected);
    assert_eq!(store.scan(b"").unwrap().len(), 4);
}

#[test]
fn a_damaged_file_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = DirStore::open(directory.path()).unwrap();
    store.put(b"key", b"value").unwrap();
    let path = directory.path().join("key.state");
    let whole = fs::read(&path).unwrap();
    let damaged = "it is damaged: restore the directory from a copy";
    for position in 1..whole.len() {
        let mut changed = whole.clone();
        changed[position] ^= 0x10;
        fs::write(&path, changed).unwrap();
        check_failure(store.get(b"key"), "read", &path, damaged);
        check_failure(store.scan(b""), "read", &path, damaged);
        assert_eq!(store.keys(b"").unwrap(), [b"key"], "no content is read for its name");
    }
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        check_failure(store.get(b"key"), "read", &path, damaged);
    }
    fs::write(&path, [&[2], &whole[1..]].concat()).unwrap();
    check_failure(store.get(b"key"), "read", &path, "it has form 2, not 1");
    // Another key's file isn't this one's.
    fs::write(directory.path().join("other.state"), &whole).unwrap();
    check_failure(store.get(b"other"), "read", &directory.path().join("other.state"), damaged);
}

#[test]
fn a_batch_that_a_crash_interrupted_is_ended() {
    let directory = tempfile::tempdir().unwrap();
    let (root, journal) = (directory.path(), directory.path().join(JOURNAL));
    let mut store = DirStore::open(root).unwrap();
    store.write(vec![put(b"a", b"old"), put(b"b", b"old"), put(b"c", b"old")]).unwrap();
    assert!(!journal.exists());
    let batch = [put(b"a", b"new"), delete(b"b"), put(b"c", b"new")];
    // As after a crash between the first two changes.
    file::write(&journal, JOURNAL.as_bytes(), &journal::encode(&batch)).unwrap();
    store.apply(&batch[0]).unwrap();
    drop(store);
    let store = DirStore::open(root).unwrap();
    let pair = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    assert_eq!(store.scan(b"").unwrap(), [pair(b"a", b"new"), pair(b"c", b"new")]);
    assert!(!journal.exists());
    drop(store);

    // What was being written when it crashed never counted.
    for unfinished in ["batch.tmp", "a.state.tmp"] {
        fs::write(root.join(unfinished), b"half").unwrap();
    }
    let store = DirStore::open(root).unwrap();
    assert_eq!(store.scan(b"").unwrap().len(), 2);
    drop(store);
    fs::write(&journal, b"rot").unwrap();
    check_failure(DirStore::open(root), "read", &journal, "it is damaged");
}

#[test]
fn a_directory_has_one_user_and_holds_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    check_failure(DirStore::open(directory.path()), "open", directory.path(), "another process uses the directory");
    let stranger = directory.path().join("notes.txt");
    fs::write(&stranger, b"mine").unwrap();
    check_failure(store.scan(b""), "list", &stranger, "it is no file of the store");
    drop(store);
    assert!(DirStore::open(directory.path()).is_ok());
    check_failure(DirStore::open(&stranger), "open", &stranger, "");
}

#[test]
fn a_change_that_failed_is_not_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = DirStore::open(directory.path()).unwrap();
    let long = [b'x'; KEY_BYTES_MAX + 1];
    check_failure(store.get(&long), "find", directory.path(), "its key has 1025 bytes, more than 1024");
    check_failure(store.write(vec![put(b"a", b""), delete(&long)]), "find", directory.path(), "its key has 1025 bytes");
    assert_eq!(store.get(b"a").unwrap(), None, "a wrong key spoils neither batch nor store");
    store.put(&long[..KEY_BYTES_MAX], b"longest").unwrap();

    let path = directory.path().join("a.state");
    fs::create_dir(&path).unwrap();
    check_failure(store.put(b"a", b""), "write", &path, "");
    fs::remove_dir(&path).unwrap();
    for result in
        [store.put(b"a", b""), store.sync(), store.get(b"a").map(drop), store.scan(b"").map(drop), store.keys(b"").map(drop)]
    {
        check_failure(result, "use", directory.path(), "an earlier change failed");
    }
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_store_is_a_map(batches in prop::collection::vec((batch(), any::<bool>()), 0..8), prefix in key()) {
        let directory = tempfile::tempdir().unwrap();
        let mut store = DirStore::open(directory.path()).unwrap();
        let mut map = BTreeMap::new();
        for (batch, again) in batches {
            for op in batch.clone() {
                match op {
                    Op::Put { key, value } => map.insert(key, value),
                    Op::Delete { key } => map.remove(&key),
                };
            }
            store.write(batch).unwrap();
            if again {
                store.sync().unwrap();
                drop(store);
                store = DirStore::open(directory.path()).unwrap();
            }
        }
        prop_assert_eq!(store.get(&prefix).unwrap(), map.get(&prefix).cloned());
        let expected: Vec<Pair> = map.into_iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
        prop_assert_eq!(store.keys(&prefix).unwrap(), expected.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>());
        prop_assert_eq!(store.scan(&prefix).unwrap(), expected);
    }
}
