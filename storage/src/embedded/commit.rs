//! Flushes at one time share their waiting for the disk.

use std::sync::{Condvar, Mutex};

use super::env::{Env, UNPOISONED, lock};
use super::fault::Fault;

/// Rounds of syncing, one at a time. A flush is served by any round that begins after it was called.
#[derive(Default)]
pub(super) struct Commit {
    rounds: Mutex<Rounds>,
    ended: Condvar,
}

#[derive(Default)]
struct Rounds {
    begun: u64,
    /// The last round that succeeded.
    succeeded: u64,
    running: bool,
}

/// The round that a flush needs, at least.
#[derive(Clone, Copy)]
pub(super) struct Wanted(u64);

impl Commit {
    /// What makes everything durable that was appended before: a round that hasn't begun.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted(lock(&self.rounds).begun + 1)
    }

    /// Runs a round or waits for another's, until the wanted one is done.
    pub(super) fn serve(&self, wanted: Wanted, env: &Env, round: impl Fn() -> Result<(), Fault>) -> Result<(), Fault> {
        let mut rounds = lock(&self.rounds);
        while rounds.succeeded < wanted.0 {
            env.check()?;
            if rounds.running {
                rounds = self.ended.wait(rounds).expect(UNPOISONED);
                continue;
            }
            rounds.begun += 1;
            rounds.running = true;
            let this = rounds.begun;
            drop(rounds);
            let result = round();
            rounds = lock(&self.rounds);
            rounds.running = false;
            self.ended.notify_all();
            result?;
            rounds.succeeded = this;
        }
        Ok(())
    }
}
