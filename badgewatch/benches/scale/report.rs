//! Medians of groups of one process to several, side by side.

use std::fmt::Write;

use crate::document::spread;
use crate::group::{Measured, Share};

/// What all rounds of a group of one size came to.
pub(crate) struct Size {
    pub(crate) processes: usize,
    pub(crate) rounds: Vec<Round>,
}

/// A short and a long backlog, in turn.
pub(crate) struct Round {
    pub(crate) short: Measured,
    pub(crate) long: Measured,
}

/// Events of the short and the long backlog.
#[derive(Clone, Copy)]
pub(crate) struct Lengths {
    pub(crate) short: usize,
    pub(crate) long: usize,
}

impl Lengths {
    /// CPU seconds that a million further events take.
    fn further(self, round: &Round) -> f64 {
        (round.long.cpu_s - round.short.cpu_s) * 1e6 / (self.long - self.short) as f64
    }

    /// CPU seconds of a process that no event takes: its start, its end, its share of what all of them do.
    fn fixed(self, round: &Round) -> f64 {
        (round.short.cpu_s - self.further(round) * self.short as f64 / 1e6) / round.short.shares.len() as f64
    }
}

/// A table of medians, each with the least and the greatest.
pub(crate) fn table(sizes: &[Size], lengths: Lengths) -> String {
    let mut table = "| |".to_owned();
    for size in sizes {
        let _ = write!(table, " {} process{} |", size.processes, if size.processes == 1 { "" } else { "es" });
    }
    let _ = writeln!(table, "\n|---|{}", "---|".repeat(sizes.len()));
    let mut row = |name: &str, decimals: usize, of: &dyn Fn(&Size) -> Vec<f64>| {
        let _ = write!(table, "| {name} |");
        for size in sizes {
            let (least, median, greatest) = spread(of(size));
            let _ = write!(table, " **{median:.decimals$}** ({least:.decimals$} … {greatest:.decimals$}) |");
        }
        table.push('\n');
    };
    let each = |size: &Size, of: &dyn Fn(&Round) -> f64| -> Vec<f64> { size.rounds.iter().map(of).collect() };
    row("CPU s per million further events, all together", 2, &|size| each(size, &|round| lengths.further(round)));
    let first = &sizes[0];
    row("÷ that of the first, by round", 2, &|size| {
        let pairs = size.rounds.iter().zip(&first.rounds);
        pairs.map(|(round, one)| lengths.further(round) / lengths.further(one)).collect()
    });
    row("CPU s per million events of the long backlog, start and end included", 2, &|size| {
        each(size, &|round| round.long.cpu_s * 1e6 / lengths.long as f64)
    });
    row("CPU s of a process beside the events", 2, &|size| each(size, &|round| lengths.fixed(round)));
    let shares = |size: &Size, of: &dyn Fn(&Share) -> f64| -> Vec<f64> {
        size.rounds.iter().flat_map(|round| &round.long.shares).map(of).collect()
    };
    row("partitions of a process", 0, &|size| shares(size, &|share| share.partitions as f64));
    row("records that a process read, in thousands", 0, &|size| shares(size, &|share| share.records as f64 / 1e3));
    row("partitions that moved on the way", 0, &|size| shares(size, &|share| share.moves as f64));
    row("seconds for the long backlog, from the first start to the last end", 1, &|size| each(size, &|round| round.long.wall_s));
    table
}
