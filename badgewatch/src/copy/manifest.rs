//! What a copy says of itself: a text of a few lines, ended by a checksum.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};

use super::files::{self, Counted};
use super::{LOGS, log_file, owners, state_file};

/// The manifest's name.
pub(crate) const MANIFEST: &str = "manifest";
/// The form that is written and understood.
const FORM: u32 = 1;
const TITLE: &str = "badgewatch backup, form ";
const VERSION: &str = "version ";
const TOPICS: &str = "topics ";
const PARTITIONS: &str = "partitions ";
const FILE: &str = "file ";
const CHECKSUM: &str = "crc32 ";

/// What is copied, and how it is to be found again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Manifest {
    /// The version that wrote it.
    pub(crate) version: String,
    /// What the topics' names began with; empty for a directory of logs.
    pub(crate) topic_prefix: String,
    /// Partitions of `health`.
    pub(crate) partitions: u32,
    /// Its files.
    pub(crate) files: Vec<(String, Counted)>,
}

impl Manifest {
    /// Reads a copy's manifest, and looks whether every file is there as it was written.
    ///
    /// # Errors
    /// When it is none, of a later form, or a file is missing or damaged: each with what to do.
    pub(crate) fn verified(copy: &Path) -> anyhow::Result<Self> {
        let path = copy.join(MANIFEST);
        let bytes = fs::read(&path).with_context(|| {
            format!("{} can't be read: a directory without it is no whole backup; give another one", path.display())
        })?;
        let text = String::from_utf8_lossy(&bytes);
        match text.strip_prefix(TITLE).and_then(|rest| rest.lines().next()?.parse::<u32>().ok()) {
            Some(found) if found > FORM => bail!(
                "{} has form {found}, and only {FORM} is known: restore with the version that wrote it, or a later one",
                path.display()
            ),
            _ => {}
        }
        let manifest = Self::parse(&text)
            .with_context(|| format!("{} is damaged: nothing was restored; give another backup", path.display()))?;
        manifest.expect_whole(&path)?;
        for (name, counted) in &manifest.files {
            let file = copy.join(name);
            let found = files::counted(&file)
                .with_context(|| format!("{} can't be read: nothing was restored; give a whole backup", file.display()))?;
            if (found.bytes, found.checksum) != (counted.bytes, counted.checksum) {
                bail!(
                    "{} is damaged: it has {} bytes with checksum {:08x}, and was written with {} and {:08x}; nothing was \
                     restored; give another backup",
                    file.display(),
                    found.bytes,
                    found.checksum,
                    counted.bytes,
                    counted.checksum
                );
            }
        }
        Ok(manifest)
    }

    /// Writes it under its name, once all of it is durable.
    pub(crate) fn write(&self, copy: &Path) -> anyhow::Result<()> {
        let (unfinished, path) = (copy.join("manifest.tmp"), copy.join(MANIFEST));
        let write = || {
            let mut file = fs::File::create(&unfinished)?;
            file.write_all(self.text().as_bytes())?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            fs::File::open(copy)?.sync_all()
        };
        write().with_context(|| format!("cannot write {}: free some space, or name another place", path.display()))
    }

    /// Every owner and every log has its file.
    fn expect_whole(&self, path: &Path) -> anyhow::Result<()> {
        let wanted = owners(self.partitions).map(state_file).chain(LOGS.map(log_file));
        match wanted.into_iter().find(|wanted| !self.files.iter().any(|(name, _)| name == wanted)) {
            Some(missing) => bail!("{} names no {missing}: nothing was restored; give a whole backup", path.display()),
            None => Ok(()),
        }
    }

    fn text(&self) -> String {
        let Self { version, topic_prefix, partitions, files } = self;
        let mut text = format!("{TITLE}{FORM}\n{VERSION}{version}\n{TOPICS}{topic_prefix}\n{PARTITIONS}{partitions}\n");
        for (name, Counted { items, bytes, checksum }) in files {
            text.push_str(&format!("{FILE}{name} {items} {bytes} {checksum:08x}\n"));
        }
        let checksum = crc32fast::hash(text.as_bytes());
        format!("{text}{CHECKSUM}{checksum:08x}\n")
    }

    /// Only what [`Self::text`] writes is a manifest.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let _title = lines.next()?;
        let version = lines.next()?.strip_prefix(VERSION)?.to_owned();
        let topic_prefix = lines.next()?.strip_prefix(TOPICS)?.to_owned();
        let partitions = lines.next()?.strip_prefix(PARTITIONS)?.parse().ok()?;
        let file = |line: &str| {
            let mut parts = line.strip_prefix(FILE)?.split(' ');
            let name = parts.next().filter(|name| !name.contains(['/', '\\']))?.to_owned();
            let (items, bytes) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            Some((name, Counted { items, bytes, checksum: u32::from_str_radix(parts.next()?, 16).ok()? }))
        };
        let files = lines.map_while(file).collect();
        let manifest = Self { version, topic_prefix, partitions, files };
        (manifest.text() == text).then_some(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_written_and_with_any_byte_changed_refused() {
        let directory = tempfile::tempdir().unwrap();
        let none = Counted { items: 0, bytes: 0, checksum: 0 };
        let names = owners(2).map(state_file).chain(LOGS.map(log_file));
        let files: Vec<_> = names.map(|name| (name, none)).collect();
        for (name, _) in &files {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let topic_prefix = "badgewatch.".to_owned();
        let manifest = Manifest { version: "1.2.3".to_owned(), topic_prefix, partitions: 2, files };
        manifest.write(directory.path()).unwrap();
        let verified = || Manifest::verified(directory.path());
        assert_eq!(verified().unwrap(), manifest);
        let path = directory.path().join(MANIFEST);
        let whole = fs::read(&path).unwrap();
        for byte in 0..whole.len() {
            let mut changed = whole.clone();
            changed[byte] ^= 1;
            fs::write(&path, changed).unwrap();
            assert!(verified().is_err(), "byte {byte}");
        }
        fs::write(&path, "badgewatch backup, form 2\nanything\n").unwrap();
        let later = verified().unwrap_err().to_string();
        assert!(
            later.ends_with("has form 2, and only 1 is known: restore with the version that wrote it, or a later one"),
            "{later}"
        );
        let partial = Manifest { files: manifest.files[1..].to_vec(), ..manifest };
        partial.write(directory.path()).unwrap();
        let partial = verified().unwrap_err().to_string();
        assert!(partial.contains("names no state-partition-0"), "{partial}");
    }
}
