//! A copy of everything that an installation decided and rests on, as files of a directory: form 1.
//!
//! ```text
//! <copy>/manifest              form, version, topics, partitions, and of each file items, bytes and checksum
//! <copy>/state-partition-0     an owner's state: heads, pages, lives, journal
//! <copy>/log-decisions         records of a log: partition, offset, append time, content
//! ```
//!
//! The manifest is written last: a directory without one is no copy.

pub(crate) mod files;
pub(crate) mod manifest;

use domain::decision::Issuer;
use ports::Log;

/// The logs of a copy, in the order in which they are read: after the state, each after those that rest on it.
pub(crate) const LOGS: [Log; 5] = [Log::Decisions, Log::Programme, Log::Dependencies, Log::Health, Log::Registry];

/// Every owner of an installation with so many partitions.
pub(crate) fn owners(partitions: u32) -> impl Iterator<Item = Issuer> {
    (0..partitions).map(Issuer::Partition).chain([Issuer::Programme])
}

/// The name of an owner's file.
pub(crate) fn state_file(owner: Issuer) -> String {
    match owner {
        Issuer::Partition(partition) => format!("state-partition-{partition}"),
        Issuer::Programme => "state-programme".to_owned(),
    }
}

/// The name of a log's file.
pub(crate) fn log_file(log: Log) -> String {
    format!("log-{log}")
}
