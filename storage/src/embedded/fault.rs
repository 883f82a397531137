//! What can be wrong with the embedded log, and what to do about it: the causes within a `PortError`.

use std::io;
use std::path::PathBuf;

use super::form::{FORM, RECORD_BYTES_MAX};

/// A cause. Messages name the file, as one error's place is a whole directory.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Io(io::Error),
    #[error("the disk is full: make room and start again, nothing that was flushed is lost")]
    Full(#[source] io::Error),
    #[error("an earlier write failed ({first}): start again, nothing that was flushed is lost")]
    Broken { first: String },
    #[error("the record has {bytes} bytes with its key, more than {RECORD_BYTES_MAX}")]
    TooLong { bytes: usize },
    #[error("there is no partition {partition}, only {count}")]
    NoPartition { partition: u32, count: u32 },
    #[error("partition {partition} isn't assigned yet: poll first")]
    NotAssigned { partition: u32 },
    #[error("another process uses the directory: stop that one, or give each its own")]
    InUse,
    #[error("{what} has form {found}, and only {FORM} is known: start the version that wrote it")]
    Form { what: PathBuf, found: u32 },
    #[error("{segment} is damaged at byte {byte}, and no record is ever skipped: restore the file from a copy")]
    Damaged { segment: PathBuf, byte: u64 },
    #[error(
        "{segment} is damaged at byte {byte}, and it isn't the torn end that a crash leaves, as a whole record follows at byte \
         {follows}: restore the file from a copy"
    )]
    DamagedWithin { segment: PathBuf, byte: u64, follows: u64 },
    #[error("{segment} ends before offset {next}, where the next segment begins: restore the file from a copy")]
    EndsEarly { segment: PathBuf, next: u64 },
    #[error("{segment} ends before offset {next}, up to which records were acknowledged: restore the file from a copy")]
    Lacks { segment: PathBuf, next: u64 },
    #[error("{directory} lacks the segment from offset {offset} on: restore it from a copy")]
    Missing { directory: PathBuf, offset: u64 },
    #[error("{what} is no file of the log: move it elsewhere")]
    Foreign { what: PathBuf },
    #[error("{what} is damaged: restore it from a copy")]
    Manifest { what: PathBuf },
    #[error("{what} is missing or damaged: restore it from a copy, or nobody knows whether records are lost")]
    Ends { what: PathBuf },
    #[error("{what} holds records, but the directory has no manifest: restore the manifest from a copy")]
    NoManifest { what: PathBuf },
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(error),
            _ => Self::Io(error),
        }
    }
}
