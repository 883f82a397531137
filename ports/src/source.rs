//! Reading: records come in batches, borrowed from the source's buffer.

use std::time::Duration;

use domain::Timestamp;

use crate::error::PortError;

/// Most records that [`read_to_end`] takes at a time.
const READ_RECORDS_MAX: usize = 10_000;
/// Longest that [`read_to_end`] waits for one batch before it looks again.
const READ_WAIT: Duration = Duration::from_millis(100);

/// A record in its source's buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// The partition that holds it; 0 where there is one only.
    pub partition: u32,
    /// Its number in the partition, from 0; of a file its line's number minus one.
    pub offset: u64,
    /// When the log took it, if the log itself says so (R23). A time set by a producer isn't one: such a
    /// record moves no log time, and its events can be neither `too_far_in_future` nor `older_than_window`.
    pub appended_at: Option<Timestamp>,
    /// Its content; empty for a record without any.
    pub payload: &'a [u8],
    /// Whether the record is longer than the source takes. `payload` is then its beginning only:
    /// the record is to be rejected, not parsed.
    pub truncated: bool,
}

/// What a poll brought.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Polled {
    /// Records delivered by this poll.
    pub records: usize,
    /// Whether everything has been delivered that was there when the source was opened; of a
    /// bounded source, all there is. Once true it stays true.
    pub at_end: bool,
}

/// A log to read, each partition in order.
pub trait RecordSource {
    /// Delivers up to `max_records` records that follow those already delivered; waits up to
    /// `timeout` for the first one, no longer than needed for the others.
    ///
    /// Delivering none is no error: nothing may have come, or the log's server may be away.
    ///
    /// # Errors
    ///
    /// When the source can't go on. No record is ever skipped instead.
    fn poll(&mut self, max_records: usize, timeout: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Polled, PortError>;

    /// How many partitions the log has.
    fn partitions(&self) -> u32;

    /// The next offset to be delivered of each partition, by partition: offsets below were delivered or
    /// are not to come any more.
    fn next_offsets(&self) -> Vec<u64>;

    /// Records known to be in the log and not yet delivered, as of lately; `None` where nobody knows.
    fn lag_records(&self) -> Option<u64> {
        None
    }
}

/// Reads until the source is at its end (see [`Polled::at_end`]); returns how many records came.
///
/// `keep_on` is asked between batches: `false` ends the reading early, e.g. on a signal.
///
/// # Errors
///
/// Those of the source.
pub fn read_to_end(
    source: &mut dyn RecordSource,
    keep_on: &mut dyn FnMut() -> bool,
    each: &mut dyn FnMut(Record<'_>),
) -> Result<u64, PortError> {
    let mut records = 0;
    while keep_on() {
        let polled = source.poll(READ_RECORDS_MAX, READ_WAIT, each)?;
        records += polled.records as u64;
        if polled.at_end {
            break;
        }
    }
    Ok(records)
}
