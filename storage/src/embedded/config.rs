//! How the embedded logs are kept.

use domain::DurationMs;
use domain::time::DAY_MS;
use ports::{Log, PortError};

/// Most partitions of `health`: each has buffers of its own.
const PARTITIONS_MAX: u32 = 1_024;
/// Shortest segment, in bytes.
const SEGMENT_BYTES_MIN: u64 = 1_024;

/// How the embedded logs are kept. No length is negative.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EmbeddedConfig {
    /// Partitions of `health`, from which those of the other logs follow. Fixed when a directory is made.
    pub partitions: u32,
    /// A segment that would grow beyond this many bytes is sealed first. What is deleted or compacted is
    /// deleted or compacted by the segment.
    pub segment_bytes: u64,
    /// A segment is sealed once its first record is this old, unless the log is kept for ever.
    pub segment_age: DurationMs,
    /// How long `health` keeps a record at least; longer where it is still needed, see
    /// [`EmbeddedLogs::set_needed_from`](super::EmbeddedLogs::set_needed_from).
    pub health_age: DurationMs,
    /// How long `rejected` keeps a record at least.
    pub rejected_age: DurationMs,
    /// How long `dependencies` keeps at least what later records replace: so far a reader may be behind and
    /// still finds before each watermark what it vouches for.
    pub replaced_age: DurationMs,
}

impl EmbeddedConfig {
    /// Default number of partitions.
    pub const PARTITIONS: u32 = 4;
    /// Default length of a segment, in bytes.
    pub const SEGMENT_BYTES: u64 = 64 << 20;
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        let days = |days: i64| DurationMs(days * DAY_MS);
        Self {
            partitions: Self::PARTITIONS,
            segment_bytes: Self::SEGMENT_BYTES,
            segment_age: days(1),
            health_age: days(7),
            rejected_age: days(400),
            replaced_age: days(1),
        }
    }
}

/// What becomes of old records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keeping {
    /// They stay.
    ForEver,
    /// Segments are deleted at this age; where a word is needed, only those of which it was said that they aren't.
    ByAge { age: DurationMs, on_word: bool },
    /// Of each key the newest stays; another goes once it and its successor are this old.
    Newest { age: DurationMs },
}

impl EmbeddedConfig {
    pub(super) fn check(&self) -> Result<(), PortError> {
        let wrong = |key: &str, problem: String| Err(PortError::Setting { key: key.to_owned(), problem });
        if !(1..=PARTITIONS_MAX).contains(&self.partitions) {
            return wrong("partitions", format!("{} is not between 1 and {PARTITIONS_MAX}", self.partitions));
        }
        if self.segment_bytes < SEGMENT_BYTES_MIN {
            return wrong("segment_bytes", format!("{} is less than {SEGMENT_BYTES_MIN}", self.segment_bytes));
        }
        let ages = [
            ("segment_age", self.segment_age),
            ("health_age", self.health_age),
            ("rejected_age", self.rejected_age),
            ("replaced_age", self.replaced_age),
        ];
        match ages.into_iter().find(|(_, age)| age.0 < 0) {
            Some((key, age)) => wrong(key, format!("{} ms is less than nothing", age.0)),
            None => Ok(()),
        }
    }

    pub(super) const fn keeping(&self, log: Log) -> Keeping {
        match log {
            Log::Registry | Log::Decisions | Log::Programme => Keeping::ForEver,
            Log::Health => Keeping::ByAge { age: self.health_age, on_word: true },
            Log::Rejected => Keeping::ByAge { age: self.rejected_age, on_word: false },
            Log::Standings => Keeping::Newest { age: DurationMs(0) },
            Log::Dependencies => Keeping::Newest { age: self.replaced_age },
        }
    }
}
