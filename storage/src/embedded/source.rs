//! The embedded logs as sources: all partitions of a log, or a group of the one process that there is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ports::{GroupEvent, GroupSource, Log, Polled, PortError, Position, Record, RecordSource};

use super::cursor::Cursor;
use super::env::Env;
use super::fault::Fault;
use super::partition::Partition;

/// Longest wait of one poll.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

/// All partitions of a log from their earliest records on. Only what survives a loss of power is delivered,
/// so nothing can be decided from what may be lost.
///
/// While a record is looked at, the logs may be appended to and flushed.
pub struct EmbeddedSource {
    env: Arc<Env>,
    cursors: Vec<Cursor>,
    /// Where each partition ended at opening.
    ends: Vec<u64>,
    /// Which partition is asked first.
    turn: usize,
    /// Whether the last poll said that all this was delivered.
    at_end: bool,
}

/// A log read by a group whose only member this is: the first poll assigns every partition, and none is ever
/// revoked. Delivers as [`EmbeddedSource`] does.
pub struct EmbeddedGroup {
    env: Arc<Env>,
    log: Log,
    partitions: Vec<Arc<Partition>>,
    numbers: Vec<u32>,
    assigned: bool,
    started: Vec<Option<Started>>,
    turn: usize,
    at_end: bool,
}

struct Started {
    cursor: Cursor,
    /// Where the partition ended when it was started.
    end: u64,
}

impl EmbeddedSource {
    pub(super) fn open(env: &Arc<Env>, partitions: &[Arc<Partition>]) -> Self {
        Self::over(env, partitions.iter().map(Cursor::earliest).collect())
    }

    pub(super) fn open_at(env: &Arc<Env>, partitions: &[Arc<Partition>], from: &[u64]) -> Result<Self, PortError> {
        let from = from.iter().copied().map(Some).chain(std::iter::repeat(None));
        let cursor = |(partition, from): (_, Option<u64>)| {
            from.map_or_else(|| Ok(Cursor::earliest(partition)), |from| Cursor::at(partition, from))
        };
        Ok(Self::over(env, partitions.iter().zip(from).map(cursor).collect::<Result<_, PortError>>()?))
    }

    fn over(env: &Arc<Env>, cursors: Vec<Cursor>) -> Self {
        let ends = cursors.iter().map(Cursor::end).collect();
        Self { env: Arc::clone(env), cursors, ends, turn: 0, at_end: false }
    }

    fn is_at_end(&self) -> bool {
        self.cursors.iter().zip(&self.ends).all(|(cursor, end)| cursor.next() >= *end)
    }
}

impl EmbeddedGroup {
    pub(super) fn open(env: &Arc<Env>, log: Log, partitions: &[Arc<Partition>]) -> Self {
        let numbers = partitions.iter().map(|partition| partition.number).collect();
        let started = partitions.iter().map(|_| None).collect();
        let (env, partitions) = (Arc::clone(env), partitions.to_vec());
        Self { env, log, partitions, numbers, assigned: false, started, turn: 0, at_end: false }
    }

    fn is_at_end(&self) -> bool {
        let reached = |started: &Option<Started>| started.as_ref().is_some_and(|started| started.cursor.next() >= started.end);
        self.started.iter().all(reached)
    }

    fn cursors(&mut self) -> Vec<&mut Cursor> {
        self.started.iter_mut().flatten().map(|started| &mut started.cursor).collect()
    }
}

impl RecordSource for EmbeddedSource {
    fn poll(&mut self, max_records: usize, timeout: Duration, each: &mut dyn FnMut(Record<'_>)) -> Result<Polled, PortError> {
        // That everything was delivered is news, which isn't waited for.
        let timeout = if self.is_at_end() == self.at_end { timeout } else { Duration::ZERO };
        let Self { env, cursors, turn, .. } = self;
        let mut cursors: Vec<&mut Cursor> = cursors.iter_mut().collect();
        let records = poll(env, &mut cursors, turn, (max_records, timeout), each)?;
        self.at_end = self.is_at_end();
        Ok(Polled { records, at_end: self.at_end })
    }

    fn partitions(&self) -> u32 {
        count(&self.cursors)
    }

    fn next_offsets(&self) -> Vec<u64> {
        self.cursors.iter().map(Cursor::next).collect()
    }

    /// Of a compacted log at most so many: what compaction took away is counted until it is passed.
    fn lag_records(&self) -> Option<u64> {
        Some(self.cursors.iter().map(lag).sum())
    }
}

impl GroupSource for EmbeddedGroup {
    fn poll(&mut self, max_records: usize, timeout: Duration, each: &mut dyn FnMut(GroupEvent<'_>)) -> Result<Polled, PortError> {
        if !std::mem::replace(&mut self.assigned, true) {
            each(GroupEvent::Assigned(&self.numbers));
            return Ok(Polled::default());
        }
        let timeout = if self.is_at_end() == self.at_end { timeout } else { Duration::ZERO };
        let (env, mut turn) = (Arc::clone(&self.env), self.turn);
        let mut record = |record: Record<'_>| each(GroupEvent::Record(record));
        let records = poll(&env, &mut self.cursors(), &mut turn, (max_records, timeout), &mut record)?;
        (self.turn, self.at_end) = (turn, self.is_at_end());
        Ok(Polled { records, at_end: self.at_end })
    }

    fn start(&mut self, partition: u32, from: Option<u64>) -> Result<(), PortError> {
        let index = usize::try_from(partition).ok().filter(|&index| index < self.partitions.len());
        let fault = match index {
            Some(index) if self.assigned => {
                let partition = &self.partitions[index];
                let cursor = from.map_or_else(|| Ok(Cursor::earliest(partition)), |from| Cursor::at(partition, from))?;
                let end = cursor.end();
                self.started[index] = Some(Started { cursor, end });
                return Ok(());
            }
            Some(_) => Fault::NotAssigned { partition },
            None => Fault::NoPartition { partition, count: count(&self.partitions) },
        };
        let position = Position::Record { partition, offset: from.unwrap_or(0) };
        Err(PortError::Read { what: self.log.to_string(), position, source: Box::new(fault) })
    }

    fn release(&mut self, _partitions: &[u32]) -> Result<(), PortError> {
        Ok(())
    }

    fn partitions(&self) -> u32 {
        count(&self.partitions)
    }

    fn lag_records(&self) -> Option<u64> {
        Some(self.started.iter().flatten().map(|started| lag(&started.cursor)).sum())
    }
}

/// Delivers what there is, from each place in turn; waits for the first record.
fn poll(
    env: &Env,
    cursors: &mut [&mut Cursor],
    turn: &mut usize,
    (max_records, timeout): (usize, Duration),
    each: &mut dyn FnMut(Record<'_>),
) -> Result<usize, PortError> {
    let deadline = Instant::now() + timeout.min(WAIT_MAX);
    loop {
        // Before looking, so that what comes meanwhile isn't waited for.
        let seen = env.news.count();
        let delivered = deliver(cursors, turn, max_records, each)?;
        if delivered > 0 || !env.news.wait(seen, deadline) {
            return Ok(delivered);
        }
    }
}

/// Delivers up to so many records; each place gets its share while others have some, too.
fn deliver(
    cursors: &mut [&mut Cursor],
    turn: &mut usize,
    max_records: usize,
    each: &mut dyn FnMut(Record<'_>),
) -> Result<usize, PortError> {
    let share = max_records.div_ceil(cursors.len().max(1));
    let (mut delivered, mut idle) = (0, 0);
    while delivered < max_records && idle < cursors.len() {
        *turn = (*turn + 1) % cursors.len();
        match cursors[*turn].deliver(share.min(max_records - delivered), each) {
            Ok(0) => idle += 1,
            Ok(records) => (delivered, idle) = (delivered + records, 0),
            // Told by the next poll, which meets it again.
            Err(_) if delivered > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(delivered)
}

fn lag(cursor: &Cursor) -> u64 {
    cursor.end().saturating_sub(cursor.next())
}

/// A log's number of partitions, which is a `u32` where it is set.
fn count<T>(partitions: &[T]) -> u32 {
    u32::try_from(partitions.len()).unwrap_or(u32::MAX)
}
