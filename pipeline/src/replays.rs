//! Which rejected lines were replayed: each place of a log is replayed once, whatever is appended again.
//!
//! What doesn't count of a replay is rejected anew, at the replay's own place, and can be replayed from there.
//! So of a rejected line there is at any time one place that can still come to count.

use std::collections::{BTreeSet, HashSet};

use wire::stored::place::ReplayedParts;

/// Most replayed lines that an owner remembers, of the latest ones: 1 MiB.
pub(crate) const REPLAYED_LINES_MAX: usize = 65_536;

/// What an owner remembers of its partition: a function of the log up to a position, as is what follows from it.
#[derive(Default, Debug)]
pub(crate) struct Replays {
    lines: BTreeSet<(u64, u64)>,
    /// Of lines up to here it is forgotten which were replayed.
    forgotten: Option<(u64, u64)>,
}

/// Whether a line may be replayed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Replay {
    /// It wasn't before.
    First,
    /// It was before.
    Again,
    /// That is forgotten.
    Forgotten,
}

/// What is remembered of bounded input: rejected lines that weren't replayed, by partition, offset and line.
#[derive(Default, Debug)]
pub(crate) struct Rejects(HashSet<(u32, u64, u64)>);

impl Replays {
    /// Takes in that a line is replayed, by its offset and line.
    pub(crate) fn take(&mut self, line: (u64, u64)) -> Replay {
        if Some(line) <= self.forgotten {
            return Replay::Forgotten;
        }
        if !self.lines.insert(line) {
            return Replay::Again;
        }
        if self.lines.len() > REPLAYED_LINES_MAX {
            self.forgotten = self.lines.pop_first();
        }
        Replay::First
    }

    pub(crate) fn to_parts(&self) -> ReplayedParts {
        ReplayedParts { forgotten: self.forgotten, lines: self.lines.iter().copied().collect() }
    }
}

impl From<ReplayedParts> for Replays {
    fn from(parts: ReplayedParts) -> Self {
        Self { lines: parts.lines.into_iter().collect(), forgotten: parts.forgotten }
    }
}

impl Rejects {
    /// Takes in that a line was rejected.
    pub(crate) fn add(&mut self, place: (u32, u64, u64)) {
        self.0.insert(place);
    }

    /// Takes in that a line is replayed; yields whether it was rejected, and wasn't replayed before.
    pub(crate) fn take(&mut self, place: (u32, u64, u64)) -> bool {
        self.0.remove(&place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_replayed_once_in_any_order() {
        let mut replays = Replays::default();
        let taken = [(7, 1), (3, 2), (7, 1), (3, 1), (7, 2), (3, 2)].map(|line| replays.take(line));
        assert_eq!(taken, [Replay::First, Replay::First, Replay::Again, Replay::First, Replay::First, Replay::Again]);
        let mut restored = Replays::from(replays.to_parts());
        assert_eq!((restored.take((3, 1)), restored.take((4, 1))), (Replay::Again, Replay::First));
    }

    #[test]
    fn the_oldest_are_forgotten_and_refused() {
        let mut replays = Replays::default();
        let most = REPLAYED_LINES_MAX as u64;
        assert!((1..=most).all(|offset| replays.take((offset, 1)) == Replay::First));
        assert_eq!(replays.take((1, 1)), Replay::Again);
        assert_eq!(replays.take((most + 1, 1)), Replay::First, "it takes the oldest one's place");
        assert_eq!(
            [(0, 1), (1, 1), (2, 1)].map(|line| replays.take(line)),
            [Replay::Forgotten, Replay::Forgotten, Replay::Again]
        );
        assert_eq!(replays.to_parts().lines.len(), REPLAYED_LINES_MAX);
        let mut restored = Replays::from(replays.to_parts());
        assert_eq!((restored.take((1, 1)), restored.take((1, 2))), (Replay::Forgotten, Replay::First));
        assert_eq!((restored.take((1, 2)), restored.take((2, 1))), (Replay::Forgotten, Replay::Again), "itself is the oldest");
    }

    #[test]
    fn of_bounded_input_what_was_rejected_is_replayed_once() {
        let mut rejects = Rejects::default();
        rejects.add((0, 5, 1));
        assert_eq!([(0, 5, 2), (0, 5, 1), (0, 5, 1)].map(|place| rejects.take(place)), [false, true, false]);
    }
}
