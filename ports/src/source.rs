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

/// What a member of a group is told, in the order in which it happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupEvent<'a> {
    /// These partitions are this member's from now on. Nothing of them is delivered before
    /// [`GroupSource::start`].
    Assigned(&'a [u32]),
    /// These are to be handed over: they are this member's until [`GroupSource::release`], and the
    /// group waits for that. Nothing of them is delivered any more.
    Revoked(&'a [u32]),
    /// These were taken away without a handover: somebody else may own them already.
    Lost(&'a [u32]),
    /// The next record of a partition that was started.
    Record(Record<'a>),
}

/// A log that a group of processes reads, each some of its partitions. The log keeps no positions for the
/// group: whoever gets a partition says where to go on.
pub trait GroupSource {
    /// Tells what happened, up to `max_records` records among it; waits up to `timeout` for the first news.
    /// Delivering none is no error. A member that doesn't poll for long is taken for dead by the group.
    ///
    /// [`Polled::at_end`] says whether every started partition was delivered up to where it ended when it
    /// was started, and at least one partition is assigned and none of those waits for its start.
    ///
    /// # Errors
    ///
    /// When the source can't go on. No record is ever skipped instead.
    fn poll(&mut self, max_records: usize, timeout: Duration, each: &mut dyn FnMut(GroupEvent<'_>)) -> Result<Polled, PortError>;

    /// Starts an assigned partition from an offset on; from its earliest record where none is given.
    ///
    /// # Errors
    ///
    /// [`PortError::Gone`] when the log doesn't hold that record any more, [`PortError::Ahead`] when it
    /// ends before it. Both before anything is delivered.
    fn start(&mut self, partition: u32, from: Option<u64>) -> Result<(), PortError>;

    /// Gives revoked partitions away: they are another member's from then on. What isn't revoked is ignored.
    ///
    /// # Errors
    ///
    /// When the group can't be told.
    fn release(&mut self, partitions: &[u32]) -> Result<(), PortError>;

    /// How many partitions the log has.
    fn partitions(&self) -> u32;

    /// Records known to be in the started partitions and not yet delivered, as of lately; `None` where nobody knows.
    fn lag_records(&self) -> Option<u64>;
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
