//! `evaluate`: standings and decisions implied by files.

use domain::rejection::LineSource;
use pipeline::Evaluation;
use ports::read_to_end;

use super::{is_standard, open_lines, policy, print};
use crate::cli::{Evaluate, Format};
use crate::failure::Failure;
use crate::table;

pub(super) fn run(options: &Evaluate) -> Result<(), Failure> {
    if is_standard(&options.registry) && is_standard(&options.events) {
        return Err(Failure::Usage(anyhow::anyhow!("--registry and --events can't both be stdin: give one of them as a file")));
    }
    let mut evaluation = Evaluation::new(policy(&options.policy)?.automatic());
    let mut registry = open_lines(&options.registry)?;
    let mut events = open_lines(&options.events)?;
    read_lines(&mut registry, |line, text, truncated| {
        if truncated { evaluation.overlong(LineSource::Registry, line) } else { evaluation.registry_line(line, text) }
    })?;
    evaluation.settle_registry(Some(options.at));
    read_lines(&mut events, |line, text, truncated| {
        if truncated { evaluation.overlong(LineSource::Events, line) } else { evaluation.event_line(line, text) }
    })?;
    let report = evaluation.finish(options.at);
    let mut out = Vec::new();
    match options.format {
        Format::Json => {
            wire::report::write(&report, &mut out);
            out.push(b'\n');
        }
        Format::Table => out.extend(table::report(&report).into_bytes()),
    }
    print(&out)
}

/// Hands over each line that isn't blank, with its number from 1 and whether it is cut off.
fn read_lines(source: &mut storage::LineSource, mut each: impl FnMut(u64, &[u8], bool)) -> Result<(), Failure> {
    let read = read_to_end(source, &mut || true, &mut |record| {
        if record.truncated || !record.payload.trim_ascii().is_empty() {
            each(record.offset + 1, record.payload, record.truncated);
        }
    });
    read.map(drop).map_err(Failure::usage)
}
