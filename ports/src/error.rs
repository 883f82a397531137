//! What can go wrong with the outside world.

use std::error::Error;
use std::fmt;

use crate::log::Log;

/// A failure of a port. Each says what failed and where; the cause is its source.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// A setting that can't work, found before anything was opened.
    #[error("setting `{key}`: {problem}")]
    Setting {
        /// The setting's name, as the user writes it.
        key: String,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A source or sink couldn't be opened.
    #[error("cannot open {what}")]
    Open {
        /// File, topic or server.
        what: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Reading failed for good; what can be retried has been.
    #[error("cannot read {what} at {position}")]
    Read {
        /// File or topic.
        what: String,
        /// The first position that wasn't delivered.
        position: Position,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Records that were still to be read are no longer there. They are never skipped.
    #[error("{what} no longer holds the next record to read, {position}: {advice}")]
    Gone {
        /// The topic.
        what: String,
        /// The first position that wasn't delivered.
        position: Position,
        /// What to do.
        advice: &'static str,
    },
    /// A log ends before the record to go on from: it isn't the log that was read, or it lost its end.
    #[error("{what} ends at {end}, before {position}, where reading is to go on: {advice}")]
    Ahead {
        /// The topic or directory.
        what: String,
        /// The first offset that it doesn't have.
        end: u64,
        /// Where to go on.
        position: Position,
        /// What to do.
        advice: &'static str,
    },
    /// A record couldn't be appended.
    #[error("cannot append to {log} ({what}), key `{key}`")]
    Append {
        /// To which log.
        log: Log,
        /// File or topic.
        what: String,
        /// The record's key.
        key: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A log's partitions can't be looked up.
    #[error("cannot look up the partitions of {log} ({what})")]
    Lookup {
        /// Which log.
        log: Log,
        /// File or topic.
        what: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// State can't be read or written.
    #[error("cannot {action} state {what}")]
    State {
        /// What was to be done, as a verb.
        action: &'static str,
        /// The store, file or key.
        what: String,
        /// Why, and what to do.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Somebody else has opened the state since: whoever gets this owns it no more, and stops.
    #[error("state {what} was taken over by another process: this one may not write to it any more")]
    Fenced {
        /// The store.
        what: String,
    },
    /// Not everything that was appended is known to be stored.
    #[error("cannot flush {what}: {unconfirmed} records are not known to be stored")]
    Flush {
        /// File or server.
        what: String,
        /// How many records may be missing.
        unconfirmed: u64,
        /// The first failure.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A place in a source, as an error names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Position {
    /// A partition's record.
    Record {
        /// Which partition.
        partition: u32,
        /// The record's number in it.
        offset: u64,
    },
    /// A file's line, from 1.
    Line(u64),
    /// A source's partitions, when an error doesn't say which of them it is about: the next offset
    /// of each, by partition.
    Offsets(Vec<u64>),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { partition, offset } => write!(f, "partition {partition}, offset {offset}"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Offsets(next) => write!(f, "offsets {next:?} (by partition)"),
        }
    }
}
