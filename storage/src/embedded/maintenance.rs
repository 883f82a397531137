//! What is done to old segments, a step at a time: sealing, deleting, compacting.

use std::sync::Arc;

use domain::{DurationMs, Timestamp};
use ports::{Log, PortError};

use super::compaction::Pass;
use super::config::Keeping;
use super::env::Env;
use super::fault::Fault;
use super::partition::Partition;

/// What a step of maintenance did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Maintained {
    /// Nothing was due.
    Nothing,
    /// Ended a segment whose first record had become old.
    Sealed {
        /// The log.
        log: Log,
        /// Its partition.
        partition: u32,
    },
    /// Deleted the oldest segment.
    Deleted {
        /// The log.
        log: Log,
        /// Its partition.
        partition: u32,
        /// The offset that the partition begins with now.
        first: u64,
        /// How much was deleted, in bytes.
        bytes: u64,
    },
    /// Learnt a segment's keys, to compact with.
    Learnt {
        /// The log.
        log: Log,
        /// Its partition.
        partition: u32,
    },
    /// Replaced some segments by one without the records that later ones replace.
    Compacted {
        /// The log.
        log: Log,
        /// Its partition.
        partition: u32,
        /// The length of the segments before, in bytes.
        bytes_before: u64,
        /// The length of the one segment, in bytes.
        bytes_after: u64,
    },
}

/// Whose turn it is, and the compaction under way: one at a time, so that only one's keys are in memory.
#[derive(Default)]
pub(super) struct Maintenance {
    turn: usize,
    pass: Option<Pass>,
}

impl Maintenance {
    pub(super) fn step(
        &mut self,
        env: &Env,
        partitions: &[Vec<Arc<Partition>>],
        now: Timestamp,
    ) -> Result<Maintained, PortError> {
        if let Some(mut pass) = self.pass.take() {
            let done = pass.step(env).map_err(|fault| failure(pass.partition(), fault))?;
            if let Some(done) = done {
                self.pass = Some(pass);
                return Ok(done);
            }
        }
        let all: Vec<&Arc<Partition>> = partitions.iter().flatten().collect();
        for _ in 0..all.len() {
            // Moved on before anything can fail: one damaged segment doesn't keep the others from their turn.
            self.turn = (self.turn + 1) % all.len();
            let partition = all[self.turn];
            match self.look_after(env, partition, now).map_err(|fault| failure(partition, fault))? {
                Maintained::Nothing => {}
                done => return Ok(done),
            }
        }
        Ok(Maintained::Nothing)
    }

    /// Memory that the compaction of a log holds, in bytes.
    pub(super) fn memory_bytes(&self, log: Log) -> u64 {
        self.pass.as_ref().filter(|pass| pass.partition().log == log).map_or(0, Pass::memory_bytes)
    }

    fn look_after(&mut self, env: &Env, partition: &Arc<Partition>, now: Timestamp) -> Result<Maintained, Fault> {
        let (log, number) = (partition.log, partition.number);
        if partition.seal_old(now)? {
            return Ok(Maintained::Sealed { log, partition: number });
        }
        match env.config.keeping(log) {
            Keeping::ForEver => Ok(Maintained::Nothing),
            Keeping::ByAge { age, on_word } => {
                let unsaid = if on_word { 0 } else { u64::MAX };
                let deleted = delete_oldest(env, partition, (now, age), unsaid)?;
                let deleted = deleted.map(|(first, bytes)| Maintained::Deleted { log, partition: number, first, bytes });
                Ok(deleted.unwrap_or(Maintained::Nothing))
            }
            Keeping::Newest { age } => {
                let Some(mut pass) = Pass::begin(partition, age, now) else { return Ok(Maintained::Nothing) };
                let done = pass.step(env)?;
                self.pass = Some(pass);
                Ok(done.unwrap_or(Maintained::Nothing))
            }
        }
    }
}

/// Deletes the oldest segment if all of it is old enough and not needed; returns where the partition begins
/// then, and how much was deleted. One at a time, so that a crash never leaves a hole.
fn delete_oldest(
    env: &Env,
    partition: &Partition,
    (now, age): (Timestamp, DurationMs),
    unsaid: u64,
) -> Result<Option<(u64, u64)>, Fault> {
    let deleted = partition.durable(|durable| {
        let needed_from = durable.needed_from.unwrap_or(unsaid);
        let oldest = durable.segments.first().filter(|oldest| {
            let old = oldest.sealed_at.is_some_and(|sealed| sealed.saturating_add(age) <= now);
            old && oldest.end <= needed_from
        });
        let Some(oldest) = oldest else { return Ok(None) };
        env.disk.remove(&oldest.path)?;
        let (first, bytes) = (oldest.end, oldest.bytes);
        durable.segments.remove(0);
        Ok::<_, Fault>(Some((first, bytes)))
    })?;
    if deleted.is_some() {
        env.disk.sync_directory(&partition.directory)?;
    }
    Ok(deleted)
}

fn failure(partition: &Partition, fault: Fault) -> PortError {
    PortError::State { action: "maintain", what: partition.directory.display().to_string(), source: Box::new(fault) }
}
