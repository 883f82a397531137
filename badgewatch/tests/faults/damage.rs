//! Files that were changed while nobody looked, and their copies.

use std::fs;
use std::path::{Path, PathBuf};

use loadtest::dice::Dice;

/// How many of its first bytes a table is changed in: there lies what is read at once.
const TABLE_HEAD_BYTES: u64 = 48;

/// A file that was damaged, and what it was.
pub(crate) struct Damaged {
    path: PathBuf,
    whole: Vec<u8>,
    /// What was done to it.
    pub(crate) how: String,
}

impl Damaged {
    /// Cuts a file off somewhere, or flips a bit, in its first so many bytes.
    pub(crate) fn file(path: &Path, within: u64, dice: &mut Dice) -> Self {
        let whole = fs::read(path).unwrap();
        let at = usize::try_from(dice.below(within.min(whole.len() as u64))).unwrap();
        let mut content = whole.clone();
        let how = if dice.chance(500_000) {
            content.truncate(at);
            format!("{} of {} bytes, cut to {at}", path.display(), whole.len())
        } else {
            content[at] ^= 1 << dice.below(8);
            format!("{} of {} bytes, byte {at} changed", path.display(), whole.len())
        };
        fs::write(path, content).unwrap();
        println!("damaged: {how}");
        Self { path: path.to_owned(), whole, how }
    }

    /// One of the files that the state of an owner rests on: the last manifest, or the last object of the log; where it
    /// was closed cleanly, what is in the log is in a table, too, so it is the last table.
    pub(crate) fn of_state(database: &Path, clean: bool, dice: &mut Dice) -> Self {
        let files = |folder: &str| -> Vec<PathBuf> {
            let listed = fs::read_dir(database.join(folder)).into_iter().flatten();
            // What is being written has another name.
            listed.map(|entry| entry.unwrap().path()).filter(|path| !path.to_string_lossy().contains('#')).collect()
        };
        let manifest = files("manifest").into_iter().max().unwrap();
        let written = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap();
        let other = if clean {
            files("compacted").into_iter().max_by_key(written).map(|table| (table, TABLE_HEAD_BYTES))
        } else {
            files("wal").into_iter().max().map(|log| (log, u64::MAX))
        };
        let other = other.filter(|_| dice.chance(600_000));
        let (path, within) = other.unwrap_or((manifest, u64::MAX));
        Self::file(&path, within, dice)
    }

    /// What a message has to name.
    pub(crate) fn name(&self) -> &str {
        self.path.file_name().unwrap().to_str().unwrap()
    }

    /// Puts the copy back.
    pub(crate) fn put_back(self) {
        fs::write(self.path, self.whole).unwrap();
    }
}
