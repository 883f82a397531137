//! A small disk, to be filled: a tmpfs in a mount namespace of its own, which ends with the test however that ends.
//!
//! Root may make one; others may where user namespaces are allowed to them. Where neither is, a file system will do
//! that is small already, as `/dev/shm` is in many containers. Where there is none, the test fails: a limit on the
//! length of files, or a quota that only the process sees, is no full disk.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The size of the disk that is made.
const SIZE: &str = "size=192m,mode=700";
/// Where small file systems are looked for, and the largest that is small, in KiB.
const PLACES: [&str; 2] = ["/dev/shm", "/run/lock"];
const SMALL_KIB_MAX: u64 = 256 * 1024;
const SMALL_KIB_MIN: u64 = 32 * 1024;
/// What is written at a time to fill it, in bytes; the last of it piece by piece.
const FILLED_BYTES: [usize; 3] = [1 << 20, 1 << 12, 1];

/// A disk of a few MiB, empty at first.
pub(crate) struct SmallDisk {
    /// Its root as a process finds it that is started by [`Self::command`].
    root: PathBuf,
    /// Its root as the test finds it.
    seen: PathBuf,
    kind: Kind,
}

enum Kind {
    /// In a namespace that this process holds; the options that lead there.
    Apart(Child, &'static [&'static str]),
    /// It was there; a folder on it, and the right to be alone on it.
    Found { _folder: tempfile::TempDir, _alone: MutexGuard<'static, ()> },
}

/// Held by who fills a disk that others use.
static ALONE: Mutex<()> = Mutex::new(());

impl SmallDisk {
    /// Makes one, or finds one; says which.
    pub(crate) fn new(mount_point: &Path) -> Self {
        fs::create_dir(mount_point).unwrap();
        let ways: [(&str, &[&str], &[&str]); 2] =
            [("root's", &["-m"], &["-m"]), ("a user's", &["-rm"], &["-m", "-U", "--preserve-credentials"])];
        let mut told = Vec::new();
        for (whose, unshare, enter) in ways {
            match apart(mount_point, unshare) {
                Ok(holder) => {
                    println!("the small disk is a tmpfs in {whose} mount namespace");
                    let seen = PathBuf::from(format!("/proc/{}/root{}", holder.id(), mount_point.display()));
                    return Self { root: mount_point.to_owned(), seen, kind: Kind::Apart(holder, enter) };
                }
                Err(error) => told.push(format!("unshare {}: {error}", unshare.join(" "))),
            }
        }
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        for place in PLACES {
            match (is_small(Path::new(place)), tempfile::tempdir_in(place)) {
                (Ok(true), Ok(directory)) => {
                    println!("the small disk is {place}");
                    let root = directory.path().to_owned();
                    return Self { seen: root.clone(), root, kind: Kind::Found { _folder: directory, _alone: alone } };
                }
                (small, directory) => told.push(format!("{place}: small: {small:?}, writable: {}", directory.is_ok())),
            }
        }
        panic!(
            "no disk can be filled here: be root, or allow user namespaces, or mount a small tmpfs at /dev/shm\n{}",
            told.join("\n")
        );
    }

    /// Where a process that is started by [`Self::command`] finds it.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the test finds it.
    pub(crate) fn seen(&self) -> &Path {
        &self.seen
    }

    /// A command that becomes a program which finds the disk.
    pub(crate) fn command(&self, program: &str) -> Command {
        match &self.kind {
            Kind::Apart(holder, enter) => {
                let mut command = Command::new("nsenter");
                command.args(["-t", &holder.id().to_string()]).args(*enter).args(["--", program]);
                command
            }
            Kind::Found { .. } => Command::new(program),
        }
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        for bytes in FILLED_BYTES {
            let piece = vec![0x5a; bytes];
            let error = loop {
                if let Err(error) = filler.write_all(&piece) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        }
    }

    /// Makes room again.
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.seen.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Kind::Apart(holder, _) = &mut self.kind {
            // It may have ended already.
            let _killed = holder.kill();
            let _waited = holder.wait();
        }
    }
}

/// Starts what holds a namespace with a tmpfs; it ends with its input, that is with the test.
fn apart(mount_point: &Path, unshare: &[&str]) -> Result<Child, String> {
    let script = r#"mount -t tmpfs -o "$2" small "$1" && echo mounted && exec cat"#;
    let mut holder = Command::new("unshare")
        .args(unshare)
        .args(["--", "sh", "-c", script, "sh"])
        .arg(mount_point)
        .arg(SIZE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line.trim() == "mounted" {
        return Ok(holder);
    }
    let said = holder.wait_with_output().unwrap().stderr;
    Err(String::from_utf8_lossy(&said).trim().to_owned())
}

/// Whether a file system has so little room that it may be filled.
fn is_small(place: &Path) -> Result<bool, String> {
    let asked = Command::new("df").args(["-k", "--output=size,avail"]).arg(place).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&asked.stdout);
    let numbers: Vec<u64> =
        text.lines().last().unwrap_or_default().split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers.as_slice() {
        [size, free] => Ok(*size <= SMALL_KIB_MAX && *free >= SMALL_KIB_MIN),
        _ => Err(text.into_owned()),
    }
}
