//! What can be wrong with a fleet's configuration.

use domain::{DurationMs, Ppm, Timestamp};
use thiserror::Error;

/// A configuration that no fleet can be built from.
#[derive(Clone, PartialEq, Eq, Error, Debug)]
pub enum Error {
    /// A number is too small or too large.
    #[error("{name} is {given}: give {least} to {most}{unit}")]
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// Its value.
        given: u64,
        /// The least that it may be.
        least: u64,
        /// The most that it may be.
        most: u64,
        /// What the most is.
        unit: &'static str,
    },
    /// A share is too large.
    #[error("{name} is {given}: give at most {most}")]
    ShareTooLarge {
        /// The setting.
        name: &'static str,
        /// Its value.
        given: Ppm,
        /// The most that it may be.
        most: Ppm,
    },
    /// The period doesn't start with a day.
    #[error("the period starts at {given}: let it start at 00:00:00.000 UTC of a day")]
    NotMidnight {
        /// Its start.
        given: Timestamp,
    },
    /// The period ends after the last instant there is.
    #[error("{days} days from {from} on end after the last instant there is, the year 9999's: start earlier")]
    PeriodTooLate {
        /// Its start.
        from: Timestamp,
        /// Its length in days.
        days: u32,
    },
    /// The lateness is out of its range.
    #[error("lateness_max is {given}: give 1 minute to 30 days")]
    Lateness {
        /// Its value.
        given: DurationMs,
    },
    /// The stories alone need more events.
    #[error(
        "events is {given}: {products} products over {days} days need at least {needed} for their incidents and measured probation months; give more, or fewer products or days"
    )]
    TooFewEvents {
        /// Events asked for.
        given: u64,
        /// Events needed.
        needed: u64,
        /// Products asked for.
        products: u32,
        /// Days asked for.
        days: u32,
    },
    /// The products can't report that often.
    #[error(
        "events is {given}: {products} products over {days} days can report at most {possible}; give fewer, or more products or days"
    )]
    TooManyEvents {
        /// Events asked for.
        given: u64,
        /// Events possible.
        possible: u64,
        /// Products asked for.
        products: u32,
        /// Days asked for.
        days: u32,
    },
}
