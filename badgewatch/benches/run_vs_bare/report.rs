//! Medians of both, side by side.

use std::fmt::Write;

use crate::document::spread;
use crate::measure::Measured;

/// What is told of every run.
struct Figure {
    name: &'static str,
    decimals: usize,
    of: fn(&Measured) -> f64,
}

const FIGURES: [Figure; 3] = [
    Figure { name: "records/s", decimals: 0, of: |measured| measured.records_per_second },
    Figure { name: "CPU s per million records", decimals: 2, of: |measured| measured.cpu_seconds_per_million },
    Figure { name: "peak memory, MiB", decimals: 0, of: |measured| measured.peak_mib },
];

/// A table of medians, each with the least and the greatest, and what `run` makes of `bare`.
pub(crate) fn table(bare: &[Measured], run: &[Measured]) -> String {
    let mut table = "| | bare loop | `badgewatch run` | run ÷ bare |\n|---|---|---|---|\n".to_owned();
    for Figure { name, decimals, of } in FIGURES {
        let cell = |runs: &[Measured]| {
            let (least, median, greatest) = spread(runs.iter().map(of).collect());
            (median, format!("**{median:.decimals$}** ({least:.decimals$} … {greatest:.decimals$})"))
        };
        let ((bare, bare_cell), (run, run_cell)) = (cell(bare), cell(run));
        let ratio = run / bare;
        writeln!(table, "| {name} | {bare_cell} | {run_cell} | **{ratio:.2}** |").expect("a string takes everything");
    }
    table
}
