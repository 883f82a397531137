//! What a crash leaves, and what is told when something is wrong.

use std::fs;

use super::failing::Failing;
use super::*;

/// Writes batches that each say their number thrice, syncing after some.
fn write_numbered(store: &mut dyn StateStore, numbers: Range<u32>, sync_every: u32) -> (u32, Result<(), PortError>) {
    let mut durable = 0;
    for number in numbers {
        let value = number.to_be_bytes();
        let batch = vec![put(b"a", &value), put(&value, &[b'x'; 3_000]), put(b"z", &value)];
        let done = store.write(batch).and_then(|()| if number % sync_every == 0 { store.sync() } else { Ok(()) });
        if let Err(error) = done {
            return (durable, Err(error));
        }
        if number % sync_every == 0 {
            durable = number;
        }
    }
    (durable, Ok(()))
}

/// Whether what is there is what the first so-and-so many batches said, at least those that are durable.
fn check_is_prefix(store: &dyn StateStore, durable: u32) {
    let number = |key: &[u8]| store.get(key).unwrap().map_or(0, |value| u32::from_be_bytes(value.try_into().unwrap()));
    let last = number(b"a");
    assert!(last >= durable, "{last} of at least {durable}");
    assert_eq!(number(b"z"), last, "a batch is there in whole");
    let numbered = store.keys(&[0]).unwrap();
    assert_eq!(numbered, (1..=last).map(|number| number.to_be_bytes().to_vec()).collect::<Vec<_>>());
}

#[test]
fn a_crash_leaves_a_prefix_of_what_was_written() {
    for (written, sync_every) in [(1, 9), (7, 3), (30, 4), (30, 31)] {
        let objects = memory();
        let mut stores = opened(in_memory(&objects));
        let (durable, result) = write_numbered(stores.of(OWNER).unwrap(), 1..written + 1, sync_every);
        result.unwrap();
        drop(stores);
        check_is_prefix(opened(in_memory(&objects)).of(OWNER).unwrap(), durable);
    }
}

/// Nobody syncs, and yet nobody waits for ever.
#[test]
fn more_can_be_written_than_may_wait_in_memory() {
    let objects = memory();
    let mut stores = opened(in_memory(&objects));
    let value = vec![b'x'; 1024 * 1024];
    let count = u32::try_from(UNSTORED_BYTES_MAX / value.len()).unwrap() * 2;
    for number in 0..count {
        stores.of(OWNER).unwrap().put(&number.to_be_bytes(), &value).unwrap();
    }
    assert_eq!(stores.of(OWNER).unwrap().keys(b"").unwrap().len(), count as usize);
    drop(stores);
    let there = opened(in_memory(&objects)).of(OWNER).unwrap().keys(b"").unwrap();
    assert!(!there.is_empty());
    assert_eq!(there, (0..u32::try_from(there.len()).unwrap()).map(|number| number.to_be_bytes().to_vec()).collect::<Vec<_>>());
}

#[test]
fn wherever_storing_ends_what_is_there_is_a_prefix() {
    for left in 0..12 {
        let objects = memory();
        drop(opened(in_memory(&objects)));
        let failing = Failing::after(&objects, 4 + left);
        let mut stores = in_memory(&failing);
        let opened_too = stores.open(OWNER);
        let mut durable = 0;
        if opened_too.is_ok() {
            let result;
            (durable, result) = write_numbered(stores.of(OWNER).unwrap(), 1..40, 2);
            let told = every_cause(&result.unwrap_err());
            assert!(told.contains("the disk is full"), "{told}");
            // It has failed: nothing that is written now may seem to be stored.
            let store = stores.of(OWNER).unwrap();
            assert!(store.put(b"later", b"").and_then(|()| store.sync()).is_err());
        }
        drop(stores);
        let mut stores = opened(in_memory(&objects));
        check_is_prefix(stores.of(OWNER).unwrap(), durable);
    }
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let check = |error: PortError, expected: &str| {
        let told = every_cause(&error);
        assert!(told.contains(expected), "{told}");
    };
    let directory = tempfile::tempdir().unwrap();
    let at = |path: &Path| SlateStores::at(&StateUrl::Directory(path.to_owned()), &S3Options::default()).unwrap_err();

    for plain in ["lock", "head%2fb0.state", "xxx.d"] {
        let path = directory.path().join(format!("of-{plain}"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join(plain), "").unwrap();
        let name = format!("cannot open state {}: `{plain}` is of the plain files of an earlier version", path.display());
        check(at(&path), &name);
    }
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    check(at(&file), "no directory can be made there: name another place");
    check(at(&file.join("below")), "no directory can be made there: name another place");

    let full = in_memory(&Failing::after(&memory(), 0)).open(OWNER).unwrap_err();
    check(full, "cannot open state memory: the disk is full: free some space, then start again");

    let mut stores = in_memory(&memory());
    check(stores.of(OWNER).map(drop).unwrap_err(), "cannot use state memory, partition 3: it isn't open");
    stores.open(OWNER).unwrap();
    let store = stores.of(OWNER).unwrap();
    let long = [b'x'; KEY_BYTES_MAX + 1];
    check(store.get(&long).unwrap_err(), "cannot read state memory, partition 3: a key has 1025 bytes, more than 1024");
    check(store.write(vec![put(b"a", b""), delete(&long)]).unwrap_err(), "a key has 1025 bytes, more than 1024");
    check(store.put(b"a", &vec![0; VALUE_BYTES_MAX + 1]).unwrap_err(), "a value has 16777217 bytes, more than 16777216");
    assert_eq!(store.get(b"a").unwrap(), None, "what is wrong in one change spoils the batch, not the store");
    store.put(&long[..KEY_BYTES_MAX], b"longest").unwrap();
    store.sync().unwrap();
}
