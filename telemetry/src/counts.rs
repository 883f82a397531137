//! Counting on the hot path: plain integers of one owner, handed over once a batch.

use domain::rejection::{LineSource, RejectReason};

/// What a batch of records came to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct BatchCounts {
    /// Records read.
    pub records: u64,
    /// Their content, in bytes.
    pub bytes: u64,
    /// Events that count.
    pub accepted: u64,
    /// Events dropped as repetitions (R5).
    pub duplicate: u64,
    /// Events passed over after a restart, as the checkpoint has them already.
    pub replayed: u64,
    /// Events appended again to the partition that owns their subject.
    pub rerouted: u64,
    /// Pages of minutes and states brought back into memory.
    pub pages_loaded: u64,
    /// Pages put away.
    pub pages_stored: u64,
    /// Registry lines accepted.
    pub facts: u64,
    rejected: [[u64; RejectReason::ALL.len()]; SOURCES.len()],
}

/// Every source of lines, in the order of [`BatchCounts::rejected`].
pub(crate) const SOURCES: [LineSource; 2] = [LineSource::Registry, LineSource::Events];

impl BatchCounts {
    /// Counts a rejected line.
    pub fn reject(&mut self, source: LineSource, reason: RejectReason) {
        self.rejected[source as usize][reason as usize] += 1;
    }

    /// Lines rejected from a source for a reason.
    #[must_use]
    pub fn rejected(&self, source: LineSource, reason: RejectReason) -> u64 {
        self.rejected[source as usize][reason as usize]
    }

    /// Lines rejected altogether.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.iter().flatten().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_reasons_are_listed_in_the_order_of_their_numbers() {
        for (index, source) in SOURCES.into_iter().enumerate() {
            assert_eq!(source as usize, index);
        }
        for (index, reason) in RejectReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
    }
}
