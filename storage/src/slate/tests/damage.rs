//! Objects that were changed behind the store's back: what is read is right, or it is refused with their names.

use std::fs;
use std::path::PathBuf;

use slatedb::config::{FlushOptions, FlushType};

use super::*;

type Damage = Box<dyn Fn(&mut Vec<u8>)>;

/// The state of one owner, some of it in tables, some in the log, as a crash leaves it; yields what is in it.
fn state_in(directory: &Path) -> Vec<Pair> {
    let mut stores = opened(in_directory(directory));
    for number in 0..8_u8 {
        let store = stores.of(OWNER).unwrap();
        store.put(&[number], &vec![number; 700]).unwrap();
        store.sync().unwrap();
        if number == 3 {
            let flush = FlushOptions { flush_type: FlushType::MemTable };
            stores.shared.runtime.block_on(stores.open[&OWNER].db.flush_with_options(flush)).unwrap();
        }
    }
    stores.of(OWNER).unwrap().scan(b"").unwrap()
}

fn files(directory: &Path, folder: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir(directory.join("partition-3").join(folder)).unwrap();
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Damages one file of a copy; yields what is read then, or what is told.
fn read_with(state: &Path, file: &Path, damage: &dyn Fn(&mut Vec<u8>)) -> Result<Vec<Pair>, String> {
    let directory = tempfile::tempdir().unwrap();
    copy(state, directory.path());
    let path = directory.path().join(file.strip_prefix(state).unwrap());
    let mut content = fs::read(&path).unwrap();
    damage(&mut content);
    fs::write(&path, content).unwrap();
    let mut stores = in_directory(directory.path());
    let read = stores.open(OWNER).and_then(|()| stores.of(OWNER)?.scan(b""));
    read.map_err(|error| every_cause(&error))
}

/// How many of all damages to a folder's files are refused; the others change nothing.
fn check(state: &Path, expected: &[Pair], folder: &str) -> usize {
    let mut refused = 0;
    for file in files(state, folder) {
        let bytes = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap();
        let flip = |at: usize| -> Damage { Box::new(move |content| content[at] ^= 0x10) };
        let cut = |at: usize| -> Damage { Box::new(move |content| content.truncate(at)) };
        let flips = (0..7).map(|part| bytes * part / 7).chain([bytes - 1, bytes.saturating_sub(9)]).map(flip);
        for damage in flips.chain([0, 5, bytes / 2, bytes - 1].map(cut)) {
            match read_with(state, &file, &*damage) {
                Ok(read) => assert_eq!(read, expected, "{}", file.display()),
                Err(told) => {
                    let name = file.file_name().unwrap().to_str().unwrap();
                    assert!(told.contains("it is damaged, or of another version") && told.contains(name), "{name}: {told}");
                    assert!(told.contains("restore a backup"), "{told}");
                    refused += 1;
                }
            }
        }
    }
    refused
}

#[test]
fn what_is_damaged_is_not_taken_for_state() {
    let directory = tempfile::tempdir().unwrap();
    let expected = state_in(directory.path());
    assert_eq!(read_with(directory.path(), &files(directory.path(), "wal")[0], &|_| {}), Ok(expected.clone()));
    // Those that count: the newest manifest, and every object of the log that isn't in a table yet.
    for (folder, least) in [("manifest", 13), ("wal", 4 * 13), ("compacted", 8)] {
        let refused = check(directory.path(), &expected, folder);
        assert!(refused >= least, "{folder}: {refused}");
    }
}
