//! What is wrong with the databases or where they lie, in words that tell what to do.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use ports::PortError;
use slatedb::CloseReason;

use super::sealed::Damaged;
use super::{KEY_BYTES_MAX, STRETCH_BYTES_MAX, VALUE_BYTES_MAX};

pub(super) type Cause = Box<dyn Error + Send + Sync>;
type Explanation = fn(Cause) -> Fault;

/// S3's codes of what is wrong with the bucket or who asks.
const CODES: [(&str, Explanation); 5] = [
    ("<Code>NoSuchBucket</Code>", Fault::NoBucket),
    ("<Code>AccessDenied</Code>", Fault::Refused),
    ("<Code>InvalidAccessKeyId</Code>", Fault::Refused),
    ("<Code>SignatureDoesNotMatch</Code>", Fault::Refused),
    ("<Code>ExpiredToken</Code>", Fault::Refused),
];

/// How SlateDB tells that another process made the manifest that was to be made: of the kind of damaged data, which it
/// is not.
const OUTRUN: &str = "version already exists";

/// What is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the disk is full: free some space, then start again")]
    DiskFull(#[source] Cause),
    #[error("it may not be written: give this user the right to, or name another place")]
    Forbidden(#[source] Cause),
    #[error("no directory can be made there: name another place")]
    NoDirectory(#[source] Cause),
    #[error("the credentials are missing or refused: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the bucket's policy")]
    Refused(#[source] Cause),
    #[error("there is no such bucket: create it, or correct the name")]
    NoBucket(#[source] Cause),
    #[error("it can't be reached or doesn't answer as expected: check endpoint, region and network, then start again")]
    Unreachable(#[source] Cause),
    #[error(
        "it is damaged, or of another version: put back what is damaged from a copy that is as new, or restore a backup into new logs and a new state (docs/operations.md); do not begin with an empty state, or decisions are issued anew"
    )]
    Damaged(#[source] Cause),
    #[error("it failed: start again, which takes up what is stored")]
    Failed(#[source] Cause),
    #[error(
        "what is there can be written over unasked, so two owners could not be kept apart: use a store that honours If-None-Match"
    )]
    Unconditional,
    #[error(
        "`{file}` is of the plain files of an earlier version: start that version, or name an empty place to rebuild the state from the logs"
    )]
    PlainFiles { file: String },
    #[error("it isn't open")]
    NotOpen,
    #[error("nothing is stored there")]
    Nothing,
    #[error("a stretch has {bytes} bytes, more than {STRETCH_BYTES_MAX}")]
    LongStretch { bytes: u64 },
    #[error("a key has {bytes} bytes, more than {KEY_BYTES_MAX}")]
    LongKey { bytes: usize },
    #[error("a value has {bytes} bytes, more than {VALUE_BYTES_MAX}")]
    LongValue { bytes: usize },
}

impl Fault {
    /// The fault behind a failure of the store.
    fn of_store(error: slatedb::Error) -> Self {
        if let Some(explain) = explain(&error) {
            return explain(error.into());
        }
        match error.kind() {
            slatedb::ErrorKind::Data => Self::Damaged(error.into()),
            slatedb::ErrorKind::Unavailable => Self::Unreachable(error.into()),
            _ => Self::Failed(error.into()),
        }
    }

    /// The fault behind a failed request.
    pub(super) fn of_request(error: object_store::Error) -> Self {
        explain(&error).unwrap_or(Self::Unreachable)(error.into())
    }

    /// The fault behind a failed call of the system.
    pub(super) fn of_system(error: io::Error) -> Self {
        explain(&error).unwrap_or(Self::NoDirectory)(error.into())
    }

    pub(super) fn while_doing(self, action: &'static str, what: &str) -> PortError {
        PortError::State { action, what: what.to_owned(), source: self.into() }
    }
}

/// A failure as the port tells it: to have lost the state to another owner is no fault.
pub(super) fn failure(action: &'static str, what: &str, error: slatedb::Error) -> PortError {
    match error.kind() {
        slatedb::ErrorKind::Closed(CloseReason::Fenced) => PortError::Fenced { what: what.to_owned() },
        slatedb::ErrorKind::Data if error.to_string().contains(OUTRUN) => PortError::Fenced { what: what.to_owned() },
        _ => Fault::of_store(error).while_doing(action, what),
    }
}

/// The first cause that is known by its type: what wraps it differs from one background task to another.
fn explain(error: &(dyn Error + 'static)) -> Option<Explanation> {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<Damaged>() {
            return Some(Fault::Damaged);
        }
        if let Some(error) = shared::<io::Error>(error) {
            match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => return Some(Fault::DiskFull),
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => return Some(Fault::Forbidden),
                // It hides what it holds from `source`.
                _ => next = error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            }
            continue;
        }
        match shared::<object_store::Error>(error) {
            Some(object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }) => {
                return Some(Fault::Refused);
            }
            // Of a listing it tells no more than the server's words.
            Some(object_store::Error::Generic { source, .. }) => {
                let told = source.to_string();
                if let Some((_, fault)) = CODES.iter().find(|(code, _)| told.contains(code)) {
                    return Some(*fault);
                }
            }
            _ => {}
        }
        next = match error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
            Some(inner) => Some(inner.as_ref()),
            None => error.source(),
        };
    }
    None
}

/// An error of this type, or a shared one.
fn shared<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    error.downcast_ref().or_else(|| error.downcast_ref::<Arc<T>>().map(AsRef::as_ref))
}
