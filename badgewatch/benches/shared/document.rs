//! What measured figures need: the spread of several, the machine, the day, and their section of the document.
//!
//! It is in a folder, as a file beside the benches would be one of its own.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use domain::Timestamp;

/// The project's root.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

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

/// The machine's time.
pub(crate) fn now() -> anyhow::Result<Timestamp> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(Timestamp::clamped(i64::try_from(since.as_millis())?))
}

/// Today's date.
pub(crate) fn today() -> anyhow::Result<String> {
    Ok(now()?.to_string()[..10].to_owned())
}

/// Replaces what stands in the document of figures between the marks of a bench.
pub(crate) fn rewrite(bench: &str, section: &str) -> anyhow::Result<()> {
    let document = Path::new(ROOT).join("docs/benchmarks.md");
    let (begin, end) = (format!("<!-- {bench}: written by its command -->\n"), format!("<!-- {bench}: end -->"));
    let text = fs::read_to_string(&document).with_context(|| format!("cannot read {}", document.display()))?;
    let marks = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) =
        marks.with_context(|| format!("{} lacks the marks `{}` and `{end}`", document.display(), begin.trim()))?;
    let text = format!("{before}{begin}\n{section}\n{end}{after}");
    fs::write(&document, text).with_context(|| format!("cannot write {}", document.display()))
}

/// The least, the median and the greatest.
pub(crate) fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let (half, last) = (values.len() / 2, values.len().saturating_sub(1));
    let median = if values.len().is_multiple_of(2) { f64::midpoint(at(half.saturating_sub(1)), at(half)) } else { at(half) };
    (at(0), median, at(last))
}
