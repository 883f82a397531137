//! What changes files, in one place: so that tests can count what is synced, fail it, and lose what wasn't.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Every way in which a log changes its directory. The methods are those of a real disk.
pub(super) trait Disk: Send + Sync {
    /// Creates a file that isn't there, to be appended to.
    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).create_new(true).open(path)
    }

    /// Appends bytes.
    fn write(&self, mut file: &File, _path: &Path, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Waits until a file's content survives a loss of power.
    fn sync(&self, file: &File, _path: &Path) -> io::Result<()> {
        file.sync_data()
    }

    /// Cuts a file to a length.
    fn cut(&self, file: &File, _path: &Path, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }

    /// Gives a file a name, and ends what had it before.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Removes a file's name.
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Waits until the names in a directory survive a loss of power.
    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }
}

/// The machine's own files.
pub(super) struct RealDisk;

impl Disk for RealDisk {}

/// Puts a small file in place as a whole: its content is on the disk before its name is.
pub(super) fn put_file(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(UNFINISHED);
    if unfinished.exists() {
        disk.remove(&unfinished)?;
    }
    let file = disk.create(&unfinished)?;
    disk.write(&file, &unfinished, content)?;
    disk.sync(&file, &unfinished)?;
    disk.rename(&unfinished, path)?;
    path.parent().map_or(Ok(()), |directory| disk.sync_directory(directory))
}

/// The extension of a file that is being written.
pub(super) const UNFINISHED: &str = "tmp";
