//! Up to where each partition is acknowledged, in a file beside them.
//!
//! A segment that was cut off looks as after a crash: its end is torn, and what was behind it unknown. So each flush
//! says here, before it acknowledges, up to which offset records are stored; a partition that ends before that has
//! lost some, and is refused. Each line holds what changed, and a checksum. A torn last line is the work of a crash.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use ports::Log;

use super::disk::{Disk, put_file};
use super::fault::Fault;
use super::form::FORM;

/// The file's name.
pub(super) const ENDS: &str = "ends";
const TITLE: &str = "badgewatch ends, form ";
const CHECKSUM: &str = "crc32 ";
/// Longest file; then it is written anew, with one line, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 10;

/// A log's partition.
pub(super) type Place = (Log, u32);

/// Where each partition ends at least; where nothing is said, at 0.
pub(super) struct Ends {
    path: PathBuf,
    file: File,
    bytes: u64,
    ends: BTreeMap<Place, u64>,
}

impl Ends {
    /// Makes the file of a directory that is being made.
    pub(super) fn create(disk: &dyn Disk, root: &Path) -> io::Result<()> {
        put_file(disk, &root.join(ENDS), text(&BTreeMap::new()).as_bytes())
    }

    /// Reads what was said, and is ready to say more.
    pub(super) fn open(disk: &dyn Disk, root: &Path) -> Result<Self, Fault> {
        let path = root.join(ENDS);
        let content = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Fault::Ends { what: path }),
            content => content?,
        };
        let ends = parse(&String::from_utf8_lossy(&content)).ok_or_else(|| Fault::Ends { what: path.clone() })?;
        // Nothing is appended behind a torn line.
        let (file, bytes) = write_anew(disk, &path, &ends)?;
        Ok(Self { path, file, bytes, ends })
    }

    pub(super) fn of(&self, place: Place) -> u64 {
        self.ends.get(&place).copied().unwrap_or(0)
    }

    /// Says where partitions end, as far as that is news, and waits until it survives a loss of power.
    pub(super) fn note(&mut self, disk: &dyn Disk, ends: impl Iterator<Item = (Place, u64)>) -> Result<(), Fault> {
        let news: BTreeMap<Place, u64> = ends.filter(|(place, end)| *end > self.of(*place)).collect();
        if news.is_empty() {
            return Ok(());
        }
        let line = line(&news);
        if self.bytes + line.len() as u64 > FILE_BYTES_MAX {
            let mut ends = self.ends.clone();
            ends.extend(&news);
            (self.file, self.bytes) = write_anew(disk, &self.path, &ends)?;
        } else {
            disk.write(&self.file, &self.path, line.as_bytes())?;
            disk.sync(&self.file, &self.path)?;
            self.bytes += line.len() as u64;
        }
        self.ends.extend(news);
        Ok(())
    }
}

fn write_anew(disk: &dyn Disk, path: &Path, ends: &BTreeMap<Place, u64>) -> io::Result<(File, u64)> {
    let text = text(ends);
    put_file(disk, path, text.as_bytes())?;
    Ok((OpenOptions::new().append(true).open(path)?, text.len() as u64))
}

fn text(ends: &BTreeMap<Place, u64>) -> String {
    let mut text = format!("{TITLE}{FORM}\n");
    text.push_str(&line(ends));
    text
}

fn line(ends: &BTreeMap<Place, u64>) -> String {
    let mut line = String::new();
    for ((log, partition), end) in ends {
        // Writing to a text doesn't fail.
        let _ = write!(line, "{log}-{partition} {end} ");
    }
    let checksum = crc32fast::hash(line.as_bytes());
    format!("{line}{CHECKSUM}{checksum:08x}\n")
}

/// What the lines say, of which those at the end may be torn.
fn parse(text: &str) -> Option<BTreeMap<Place, u64>> {
    let (title, rest) = text.split_once('\n')?;
    if title != format!("{TITLE}{FORM}") {
        return None;
    }
    let mut lines = rest.split_inclusive('\n').map(parse_line);
    // The first was written as a whole.
    let mut ends = lines.next()??;
    for said in lines.by_ref().map_while(|said| said) {
        ends.extend(said);
    }
    lines.all(|said| said.is_none()).then_some(ends)
}

fn parse_line(line: &str) -> Option<BTreeMap<Place, u64>> {
    let (said, checksum) = line.strip_suffix('\n')?.rsplit_once(CHECKSUM)?;
    if checksum != format!("{:08x}", crc32fast::hash(said.as_bytes())) {
        return None;
    }
    let mut words = said.split_ascii_whitespace();
    let mut ends = BTreeMap::new();
    while let Some(place) = words.next() {
        let (log, partition) = place.rsplit_once('-')?;
        let log = Log::ALL.into_iter().find(|known| known.as_str() == log)?;
        ends.insert((log, partition.parse().ok()?), words.next()?.parse().ok()?);
    }
    Some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::disk::RealDisk;

    #[test]
    fn what_was_said_is_known_whatever_a_crash_leaves_behind_it() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(Ends::open(&RealDisk, directory.path()), Err(Fault::Ends { .. })), "there is none");
        Ends::create(&RealDisk, directory.path()).unwrap();
        let (registry, health) = ((Log::Registry, 0), (Log::Health, 3));
        let mut ends = Ends::open(&RealDisk, directory.path()).unwrap();
        ends.note(&RealDisk, [(registry, 4), (health, 0)].into_iter()).unwrap();
        ends.note(&RealDisk, [(registry, 4), (health, 7)].into_iter()).unwrap();
        let path = directory.path().join(ENDS);
        let whole = fs::read(&path).unwrap();
        let expected = "badgewatch ends, form 1\ncrc32 00000000\nregistry-0 4 crc32 f6ad43ee\nhealth-3 7 crc32 ce692a5f\n";
        assert_eq!(String::from_utf8(whole.clone()).unwrap(), expected);
        let last = expected.len() - "health-3 7 crc32 ce692a5f\n".len();
        for kept in 0..=whole.len() {
            fs::write(&path, &whole[..kept]).unwrap();
            let found = Ends::open(&RealDisk, directory.path()).map(|ends| (ends.of(registry), ends.of(health)));
            match found {
                Ok(found) if kept == whole.len() => assert_eq!(found, (4, 7)),
                Ok(found) if kept >= last => assert_eq!(found, (4, 0)),
                Ok(found) => assert!(found == (0, 0) && kept > 30, "{kept}"),
                Err(_) => assert!(kept < last, "{kept}"),
            }
        }
        // Without its end a line is part of the next one, which then looks torn.
        for byte in 0..last - 1 {
            let mut changed = whole.clone();
            changed[byte] ^= 1;
            fs::write(&path, changed).unwrap();
            assert!(Ends::open(&RealDisk, directory.path()).is_err(), "byte {byte}");
        }
    }

    #[test]
    fn the_file_stays_short() {
        let directory = tempfile::tempdir().unwrap();
        Ends::create(&RealDisk, directory.path()).unwrap();
        let mut ends = Ends::open(&RealDisk, directory.path()).unwrap();
        ends.bytes = FILE_BYTES_MAX - 100;
        for end in 1..20 {
            ends.note(&RealDisk, [((Log::Registry, 0), end)].into_iter()).unwrap();
        }
        assert!(fs::metadata(directory.path().join(ENDS)).unwrap().len() < 1_000);
        assert_eq!(Ends::open(&RealDisk, directory.path()).unwrap().of((Log::Registry, 0)), 19);
    }
}
