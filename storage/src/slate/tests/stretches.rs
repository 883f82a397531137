//! Stretches of the registry's log, which are no owner's.

use std::fs;

use super::*;

const FIRST: Range<u64> = 0..10_000;
const LATER: Range<u64> = 10_000..u64::MAX;

/// What every place must do, whatever it is; `stores` are processes that share it.
pub(super) fn check_stretches(mut stores: impl FnMut() -> Box<dyn StateStores>) {
    let (mut one, mut other) = (stores(), stores());
    assert_eq!((one.stretches().unwrap(), one.stretch(&FIRST).unwrap()), (Vec::new(), None));
    // Opened or not, whoever owns what.
    one.open(OWNER).unwrap();
    one.put_stretch(&LATER, b"later".to_vec()).unwrap();
    other.put_stretch(&FIRST, vec![b'x'; 3 * 1024 * 1024]).unwrap();
    other.put_stretch(&(0..300), Vec::new()).unwrap();
    assert_eq!(one.stretches().unwrap(), [0..300, FIRST, LATER]);
    assert_eq!(one.stretch(&FIRST).unwrap().map(|bytes| bytes.len()), Some(3 * 1024 * 1024));
    assert_eq!(other.stretch(&(0..300)).unwrap(), Some(Vec::new()));
    assert_eq!(one.stretch(&(0..301)).unwrap(), None);
    one.put_stretch(&FIRST, b"again".to_vec()).unwrap();
    drop((one, other));
    assert_eq!(stores().stretch(&FIRST).unwrap().as_deref(), Some(b"again".as_slice()));
    assert_eq!(stores().stretch(&LATER).unwrap().as_deref(), Some(b"later".as_slice()));
}

#[test]
fn stretches_are_kept_beside_what_owners_have() {
    let objects = memory();
    check_stretches(|| Box::new(in_memory(&objects)));
    let directory = tempfile::tempdir().unwrap();
    check_stretches(|| Box::new(in_directory(directory.path())));
    assert_eq!(opened(in_directory(directory.path())).of(OWNER).unwrap().keys(b"").unwrap(), Vec::<Vec<u8>>::new());
}

#[test]
fn what_lies_about_is_no_stretch() {
    let directory = tempfile::tempdir().unwrap();
    let mut stores = in_directory(directory.path());
    stores.put_stretch(&FIRST, b"one".to_vec()).unwrap();
    let folder = directory.path().join("registry");
    let mut names: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.pop().as_deref(), Some("00000000000000000000-00000000000000010000"));
    assert_eq!(names, Vec::<String>::new(), "nothing of the writing is left");
    for name in ["notes", "0-10", "00000000000000010000-00000000000000010000", "00000000000000000000-00000000000000010000#1"] {
        fs::write(folder.join(name), "x").unwrap();
    }
    assert_eq!(stores.stretches().unwrap(), [FIRST]);
    let long = fs::File::create(folder.join("00000000000000000000-00000000000000000005")).unwrap();
    long.set_len(STRETCH_BYTES_MAX as u64 + 1).unwrap();
    assert_eq!(stores.stretch(&(0..5)).unwrap(), None);
    let told = every_cause(&stores.put_stretch(&(0..5), vec![0; STRETCH_BYTES_MAX + 1]).unwrap_err());
    assert!(told.contains("registry: a stretch has 67108865 bytes, more than 67108864"), "{told}");
}

#[test]
fn a_full_disk_is_told() {
    let objects = failing::Failing::after(&memory(), 0);
    let told = every_cause(&in_memory(&objects).put_stretch(&FIRST, Vec::new()).unwrap_err());
    assert!(told.starts_with("cannot write state memory, registry: the disk is full"), "{told}");
}
