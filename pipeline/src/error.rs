//! What can go wrong with an owner.

use std::error::Error as StdError;

use domain::decision::Issuer;
use ports::PortError;

/// Why an owner can't go on. Bad input is no error: it is rejected and kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A log or the state store failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The journal holds something that this version did not write.
    #[error(
        "the journal of owner {issuer} is damaged at {key}: restore the state directory from a copy; do not delete the journal, or decisions are issued anew"
    )]
    Journal {
        /// Whose journal.
        issuer: Issuer,
        /// Where in it.
        key: String,
        /// What is wrong there.
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// A checkpoint holds something that this version did not write.
    #[error(
        "the checkpoint is damaged at {key}: restore the state from a copy; do not delete the journal, or decisions are issued anew"
    )]
    Checkpoint {
        /// Its key.
        key: String,
        /// What is wrong there.
        source: Option<Box<wire::Error>>,
    },
    /// Something in the state has a form that this version doesn't know.
    #[error(
        "the state at {key} was written by another version: start that version, or restore a backup that this one can read into new logs and a new state; do not delete the state, or decisions are issued anew"
    )]
    Form {
        /// Its key.
        key: String,
        /// Which form it has, and which is known.
        source: Box<wire::Error>,
    },
    /// A restore from a copy didn't come to its end.
    #[error(
        "the state of owner {owner} is a restore's that didn't come to its end: empty the state and the logs that it wrote, and run `badgewatch restore` again"
    )]
    RestoreUnfinished {
        /// Whose state.
        owner: Issuer,
    },
    /// The policy isn't the one by which the state was made.
    #[error(
        "the policy differs, in versions that were in force by {}, from the one that the state was made with: what was judged can't be judged anew from it; give that policy (a new version may only take effect later), or start with an empty state and the whole log",
        .log_time.map_or_else(|| "the beginning".to_owned(), |at| at.to_string())
    )]
    PolicyChanged {
        /// The append time up to which the state was made.
        log_time: Option<domain::Timestamp>,
    },
    /// A page of the past holds something that this version did not write.
    #[error("a stored page is damaged: {key}; restore the state from a copy: the log doesn't reach back as far as pages do")]
    Page {
        /// Its key.
        key: String,
        /// What is wrong with it.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The store holds something that this version did not write.
    #[error("the state holds {found:?} at {key}: this version did not write that; restore the state directory from a copy")]
    State {
        /// Where.
        key: String,
        /// What is there.
        found: String,
    },
    /// The `dependencies` log holds something that no owner wrote.
    #[error(
        "partition {partition}, offset {offset} of the dependencies log is no record of an owner: only badgewatch may append there; products' downtime can't be known without it"
    )]
    Dependency {
        /// The log's partition.
        partition: u32,
        /// The record.
        offset: u64,
        /// What is wrong with it.
        source: Box<wire::Error>,
    },
    /// The `decisions` log holds something that no owner wrote.
    #[error(
        "partition {partition}, offset {offset} of the decisions log is no decision: only badgewatch may append there; manufacturers' standing can't be known without it"
    )]
    Decision {
        /// The log's partition.
        partition: u32,
        /// The record.
        offset: u64,
        /// What is wrong with it.
        source: Box<wire::Error>,
    },
    /// Decisions rest on health records that the log doesn't hold any more.
    #[error(
        "partition {partition} of the health log begins at offset {first}, but decisions in the state rest on what came before: they would be taken back; restore the topic from a copy, and keep its records for ever (retention.ms=-1)"
    )]
    HistoryLost {
        /// The log's partition.
        partition: u32,
        /// The first offset that it still holds.
        first: u64,
    },
    /// The group says that a partition is this process's, and its state says that it isn't.
    #[error(
        "partition {partition} was taken over by another process, but the group still gives it to this one: is another group reading the same topics into the same state? give it its own --topic-prefix and --state"
    )]
    Disowned {
        /// Which one.
        partition: u32,
    },
    /// The registry's log isn't the one of which stretches are stored.
    #[error(
        "the registry's log isn't the one that the state was made with: its record {offset} {problem}; start with the log that belongs to the state, or restore both from one copy; if that log lost its end for good, remove the objects below `registry` from the state, and what the log still holds is read"
    )]
    RegistryOther {
        /// The record at which what is stored of it ends.
        offset: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The state was written for another number of partitions.
    #[error(
        "the state is of {stored} partitions, the health log has {found}: an event's owner follows from that number; go back to {stored} partitions, or start with an empty state directory"
    )]
    Partitions {
        /// As stored.
        stored: u32,
        /// As found.
        found: u32,
    },
}

impl Error {
    /// What is told of something stored that can't be read: of another form, or else damaged.
    pub(crate) fn of_stored(key: &[u8], source: wire::Error, damaged: impl FnOnce(String, wire::Error) -> Self) -> Self {
        let key = String::from_utf8_lossy(key).into_owned();
        match source {
            wire::Error::Form { .. } => Self::Form { key, source: Box::new(source) },
            source => damaged(key, source),
        }
    }

    /// Whether it says that somebody else owns the state by now.
    #[must_use]
    pub const fn is_fenced(&self) -> bool {
        matches!(self, Self::Port(PortError::Fenced { .. }))
    }
}
