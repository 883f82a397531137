//! What a directory of logs says of itself: a text of a few lines, ended by a checksum.
//!
//! It is written after the directories of the logs that it names: one that is missing later is a loss, not news.

use std::fs;
use std::io;
use std::path::Path;

use ports::Log;

use super::disk::{Disk, put_file};
use super::fault::Fault;
use super::form::FORM;

/// The manifest's name.
pub(super) const MANIFEST: &str = "manifest";
const TITLE: &str = "badgewatch logs, form ";
const PARTITIONS: &str = "partitions ";
const LOGS: &str = "logs ";
const CHECKSUM: &str = "crc32 ";

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Manifest {
    /// Partitions of `health`.
    pub(super) partitions: u32,
    /// The logs that have directories.
    pub(super) logs: Vec<Log>,
}

impl Manifest {
    /// The manifest of a directory, if it has one.
    pub(super) fn read(root: &Path) -> Result<Option<Self>, Fault> {
        let path = root.join(MANIFEST);
        let content = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            content => content?,
        };
        let text = String::from_utf8_lossy(&content);
        let form = text.strip_prefix(TITLE).and_then(|rest| rest.lines().next()?.parse().ok());
        match form {
            Some(found) if found > u32::from(FORM) => Err(Fault::Form { what: path, found }),
            _ => Self::parse(&text).map(Some).ok_or(Fault::Manifest { what: path }),
        }
    }

    pub(super) fn write(&self, disk: &dyn Disk, root: &Path) -> io::Result<()> {
        put_file(disk, &root.join(MANIFEST), self.text().as_bytes())
    }

    fn text(&self) -> String {
        let logs: Vec<&str> = self.logs.iter().map(|log| log.as_str()).collect();
        let text = format!("{TITLE}{FORM}\n{PARTITIONS}{}\n{LOGS}{}\n", self.partitions, logs.join(" "));
        let checksum = crc32fast::hash(text.as_bytes());
        format!("{text}{CHECKSUM}{checksum:08x}\n")
    }

    /// Only what [`Self::text`] writes is a manifest.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let _title = lines.next()?;
        let partitions = lines.next()?.strip_prefix(PARTITIONS)?.parse().ok()?;
        let named = |name: &str| Log::ALL.into_iter().find(|log| log.as_str() == name);
        let logs = lines.next()?.strip_prefix(LOGS)?.split(' ').map(named).collect::<Option<_>>()?;
        let manifest = Self { partitions, logs };
        (manifest.text() == text).then_some(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::disk::RealDisk;

    #[test]
    fn a_manifest_is_read_as_written_and_with_any_byte_changed_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Manifest::read(directory.path()).unwrap().is_none());
        let manifest = Manifest { partitions: 4, logs: Log::ALL.to_vec() };
        manifest.write(&RealDisk, directory.path()).unwrap();
        assert_eq!(Manifest::read(directory.path()).unwrap(), Some(manifest));
        let path = directory.path().join(MANIFEST);
        let whole = fs::read(&path).unwrap();
        let expected = "badgewatch logs, form 1\npartitions 4\n\
                        logs health dependencies registry decisions standings rejected programme\ncrc32 e0028168\n";
        assert_eq!(String::from_utf8(whole.clone()).unwrap(), expected);
        for byte in 0..whole.len() {
            let mut changed = whole.clone();
            changed[byte] ^= 1;
            fs::write(&path, changed).unwrap();
            assert!(Manifest::read(directory.path()).is_err(), "byte {byte}");
        }
        fs::write(&path, "badgewatch logs, form 2\nanything\n").unwrap();
        let error = Manifest::read(directory.path()).unwrap_err().to_string();
        assert!(error.ends_with("has form 2, and only 1 is known: start the version that wrote it"), "{error}");
    }
}
