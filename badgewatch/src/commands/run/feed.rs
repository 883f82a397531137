//! Lines of files and pipes into the logs of a run over `--data`: each is appended where its subject belongs.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Context;
use ports::{Log, RecordSink};
use storage::{EmbeddedLogs, EmbeddedSink};

use super::is_standard;
use crate::cli::Run;
use crate::failure::Failure;

/// Lines that are made durable together, at most.
const FLUSHED_LINES_MAX: usize = 10_000;
/// Longest line that is taken; a longer one is cut, and rejected where it is read, in bytes.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

type Lines = BufReader<Box<dyn Read + Send>>;

/// Appends the registry's lines, then begins to append events.
pub(super) fn start(options: &Run, logs: &EmbeddedLogs, stop: &Arc<AtomicBool>) -> Result<(), Failure> {
    if let Some(registry) = &options.registry {
        append(open(registry)?, Log::Registry, &mut logs.sink(), stop).map_err(Failure::Failed)?;
    }
    if let Some(source) = &options.source {
        let (lines, mut sink, stop) = (open(source)?, logs.sink(), Arc::clone(stop));
        let name = source.display().to_string();
        thread::spawn(move || match append(lines, Log::Health, &mut sink, &stop) {
            Ok(lines) => tracing::info!(source = name, lines, "all lines are appended"),
            Err(error) => {
                tracing::error!(source = name, error = format!("{error:#}"), "cannot append; stopping");
                stop.store(true, Ordering::Relaxed);
            }
        });
    }
    Ok(())
}

fn open(path: &Path) -> Result<Lines, Failure> {
    if is_standard(path) {
        return Ok(BufReader::new(Box::new(std::io::stdin())));
    }
    let file = std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display())).map_err(Failure::Usage)?;
    Ok(BufReader::new(Box::new(file)))
}

/// Appends lines until they end; what is read at once is made durable at once.
fn append(mut lines: Lines, log: Log, sink: &mut EmbeddedSink, stop: &AtomicBool) -> anyhow::Result<u64> {
    let (mut line, mut appended, mut unflushed) = (Vec::new(), 0, 0);
    while !stop.load(Ordering::Relaxed) {
        line.clear();
        let ended = lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0;
        let text = line.trim_ascii_end();
        if !text.is_empty() {
            let subject = (log == Log::Health).then(|| wire::event::parse(text).ok()).flatten();
            let key = subject.map(|parsed| parsed.event().subject.to_string()).unwrap_or_default();
            sink.append(log, &key, text)?;
            (appended, unflushed) = (appended + 1, unflushed + 1);
        }
        // What comes next may take its time.
        let waits = lines.buffer().is_empty();
        if unflushed > 0 && (ended || waits || unflushed >= FLUSHED_LINES_MAX) {
            sink.flush()?;
            unflushed = 0;
        }
        if ended {
            break;
        }
    }
    Ok(appended)
}
