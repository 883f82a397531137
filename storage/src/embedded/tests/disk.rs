//! A disk that counts what is synced, fails when told to, and knows what a loss of power would leave.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::super::disk::{Disk, RealDisk};

#[derive(Default)]
pub(super) struct TestDisk {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counts: Counts,
    /// How many bytes of each file are durable.
    durable: BTreeMap<PathBuf, u64>,
    /// Changes of names that aren't durable, in order.
    names: Vec<Change>,
    sync_fails: bool,
    /// How many bytes may still be written.
    room: Option<u64>,
    /// How many changes may still be made.
    changes: Option<u64>,
}

/// How often what was called.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Counts {
    pub(super) writes: u64,
    pub(super) syncs: u64,
    pub(super) directory_syncs: u64,
}

impl State {
    /// Counts a change, and fails it when no more may be made.
    fn change(&mut self) -> io::Result<()> {
        let left = self.changes.map_or(Some(None), |changes| changes.checked_sub(1).map(Some));
        self.changes = left.ok_or_else(|| io::Error::other("the power is going"))?;
        Ok(())
    }
}

enum Change {
    Created(PathBuf),
    Renamed { from: PathBuf, to: PathBuf, before: Option<Vec<u8>> },
    Removed { path: PathBuf, content: Vec<u8> },
}

impl TestDisk {
    pub(super) fn counts(&self) -> Counts {
        self.state.lock().unwrap().counts
    }

    pub(super) fn fail_syncs(&self, fails: bool) {
        self.state.lock().unwrap().sync_fails = fails;
    }

    pub(super) fn leave_room(&self, bytes: Option<u64>) {
        self.state.lock().unwrap().room = bytes;
    }

    /// Fails everything after so many changes, as if the process had ended there.
    pub(super) fn stop_after(&self, changes: Option<u64>) {
        self.state.lock().unwrap().changes = changes;
    }

    /// What isn't durable is lost, more or less of it as chosen below a bound; a garbage tail may be in its place.
    pub(super) fn lose_power(&self, mut choose: impl FnMut(u64) -> u64) {
        let state = &mut *self.state.lock().unwrap();
        let kept = usize::try_from(choose(state.names.len() as u64 + 1)).unwrap();
        for change in state.names.drain(..).skip(kept).collect::<Vec<_>>().into_iter().rev() {
            match change {
                Change::Created(path) => {
                    fs::remove_file(&path).unwrap();
                    state.durable.remove(&path);
                }
                Change::Renamed { from, to, before } => {
                    fs::rename(&to, &from).unwrap();
                    let durable = state.durable.remove(&to).unwrap_or(0);
                    state.durable.insert(from, durable);
                    if let Some(before) = before {
                        state.durable.insert(to.clone(), before.len() as u64);
                        fs::write(&to, before).unwrap();
                    }
                }
                Change::Removed { path, content } => {
                    state.durable.insert(path.clone(), content.len() as u64);
                    fs::write(&path, content).unwrap();
                }
            }
        }
        for (path, durable) in &mut state.durable {
            let length = fs::metadata(path).unwrap().len();
            let survives = *durable + choose(length - *durable + 1);
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            file.set_len(survives).unwrap();
            if survives < length {
                let garbage = usize::try_from(choose(length - survives + 1)).unwrap();
                let byte = u8::try_from(choose(256)).unwrap();
                file.write_all(&vec![byte; garbage]).unwrap();
            }
            *durable = fs::metadata(path).unwrap().len();
        }
    }
}

impl Disk for TestDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        let mut state = self.state.lock().unwrap();
        state.change()?;
        let file = RealDisk.create(path)?;
        state.durable.insert(path.to_owned(), 0);
        state.names.push(Change::Created(path.to_owned()));
        Ok(file)
    }

    fn write(&self, file: &File, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.change()?;
        state.counts.writes += 1;
        let fits = state.room.map_or(bytes.len(), |room| bytes.len().min(usize::try_from(room).unwrap()));
        state.room = state.room.map(|room| room - fits as u64);
        RealDisk.write(file, path, &bytes[..fits])?;
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.change()?;
        state.counts.syncs += 1;
        if state.sync_fails {
            return Err(io::Error::other("the disk is broken"));
        }
        state.durable.insert(path.to_owned(), file.metadata()?.len());
        Ok(())
    }

    fn cut(&self, file: &File, path: &Path, bytes: u64) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.change()?;
        RealDisk.cut(file, path, bytes)?;
        let durable = state.durable.entry(path.to_owned()).or_insert(bytes);
        *durable = bytes.min(*durable);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.change()?;
        let before = fs::read(to).ok();
        RealDisk.rename(from, to)?;
        let durable = state.durable.remove(from).unwrap_or(0);
        state.durable.insert(to.to_owned(), durable);
        state.names.push(Change::Renamed { from: from.to_owned(), to: to.to_owned(), before });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.change()?;
        let replaced_by = |change: &Change| matches!(change, Change::Renamed { to, .. } if to.parent() == path.parent());
        let lasts = super::super::segment::base_of(path).is_none() || !state.names.iter().any(replaced_by);
        assert!(lasts, "{} is removed before the name of what replaces it is durable", path.display());
        let content = fs::read(path)?;
        RealDisk.remove(path)?;
        state.durable.remove(path);
        state.names.push(Change::Removed { path: path.to_owned(), content });
        Ok(())
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.change()?;
        state.counts.directory_syncs += 1;
        state.names.retain(|change| {
            let (Change::Created(path) | Change::Renamed { to: path, .. } | Change::Removed { path, .. }) = change;
            path.parent() != Some(directory)
        });
        Ok(())
    }
}
