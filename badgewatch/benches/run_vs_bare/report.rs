//! Medians, the machine, and the section of the document that holds them.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::measure::Measured;

const BEGIN: &str = "<!-- run-vs-bare: written by its command -->\n";
const END: &str = "<!-- run-vs-bare: end -->";

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

/// Processors and memory, as far as they matter to a figure.
pub(crate) fn machine() -> String {
    let field = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':'));
        value.map(|value| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let kib = field("/proc/meminfo", "MemTotal").and_then(|size| size.trim_end_matches(" kB").parse::<u64>().ok());
    format!("{cores} cores ({model}), {} GiB of memory", kib.unwrap_or_default() >> 20)
}

/// Replaces what stands between the marks in a document.
pub(crate) fn rewrite(document: &Path, section: &str) -> anyhow::Result<()> {
    let text = fs::read_to_string(document).with_context(|| format!("cannot read {}", document.display()))?;
    let marks = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        marks.with_context(|| format!("{} lacks the marks `{}` and `{END}`", document.display(), BEGIN.trim()))?;
    let text = format!("{before}{BEGIN}\n{section}\n{END}{after}");
    fs::write(document, text).with_context(|| format!("cannot write {}", document.display()))
}

/// The least, the median and the greatest.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let (half, last) = (values.len() / 2, values.len().saturating_sub(1));
    let median = if values.len().is_multiple_of(2) { f64::midpoint(at(half.saturating_sub(1)), at(half)) } else { at(half) };
    (at(0), median, at(last))
}
