//! A file of the store: a byte for its form, a checksum, and the value.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::KEY_BYTES_MAX;

/// The form that is written and understood.
const FORM: u8 = 1;
/// The form's byte and the checksum, lowest byte first.
const HEADER_BYTES: usize = 5;
/// Ends the name of a file that is being written.
const UNFINISHED: &str = ".tmp";

/// What is wrong with a store or a file of it, and what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it has form {found}, not {FORM}: start the version that wrote it")]
    Form { found: u8 },
    #[error("it is damaged: restore the directory from a copy, or remove it to rebuild the state from the logs")]
    Checksum,
    #[error("it is no file of the store: move it elsewhere")]
    Foreign,
    #[error("its key has {bytes} bytes, more than {KEY_BYTES_MAX}")]
    LongKey { bytes: usize },
    #[error("another process uses the directory: stop that one, or give each its own")]
    InUse,
    #[error("an earlier change failed, so what is stored isn't known: start again")]
    Broken,
}

/// Replaces a file as a whole; its content is on the disk before its name is.
pub(super) fn write(path: &Path, key: &[u8], value: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let unfinished = PathBuf::from(unfinished);
    let mut out = File::create(&unfinished)?;
    let mut header = [FORM; HEADER_BYTES];
    header[1..].copy_from_slice(&checksum(key, value).to_le_bytes());
    out.write_all(&header)?;
    out.write_all(value)?;
    out.sync_all()?;
    fs::rename(&unfinished, path)
}

/// Reads a file's value; `None` where there is no such file.
pub(super) fn read(path: &Path, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    let mut content = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        content => content?,
    };
    let Some((&[form, ref stored @ ..], value)) = content.split_first_chunk::<HEADER_BYTES>() else {
        return Err(Fault::Checksum);
    };
    if form != FORM {
        return Err(Fault::Form { found: form });
    }
    if stored != &checksum(key, value).to_le_bytes() {
        return Err(Fault::Checksum);
    }
    content.drain(..HEADER_BYTES);
    Ok(Some(content))
}

/// Whether a file is, by its name, one that was being written.
pub(super) fn is_unfinished(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(UNFINISHED.as_bytes())
}

/// CRC-32 of key and value, so that a file under another's name is damaged, too.
fn checksum(key: &[u8], value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    hasher.finalize()
}
