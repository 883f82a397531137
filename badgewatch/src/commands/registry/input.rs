//! What is to be applied: lines of a file or of stdin, read as a whole before anything is changed.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow};
use domain::Timestamp;
use domain::programme::{Command, Entry};
use ports::read_to_end;
use storage::LineSource;
use wire::LineError;
use wire::entry::Filled;

use crate::cli::{Import, InputFormat};
use crate::commands::{is_standard, open_lines};
use crate::failure::Failure;

/// Most bytes that are applied at a time.
const INPUT_BYTES_MAX: u64 = 256 << 20;

/// What a line says, or why it can't be read; with its number in what was given, from 1.
pub(super) type Line = (u64, Result<Entry, LineError>);

/// Lines to apply, in order.
#[derive(Default)]
pub(super) struct Lines {
    /// The lines.
    pub(super) lines: Vec<Line>,
    /// The instant of commands that don't say one.
    pub(super) default_at: Option<Timestamp>,
    /// Whether there may be many.
    pub(super) are_many: bool,
}

impl Lines {
    /// One command.
    pub(super) fn one(command: Command) -> Self {
        Self { lines: vec![(1, Ok(Entry::Command(Box::new(command))))], ..Self::default() }
    }

    /// Commands and facts as they are.
    pub(super) fn of(file: &Path) -> Result<Self, Failure> {
        Ok(Self { lines: ndjson(file, &|_, text| wire::entry::parse(text))?, ..Self::default() })
    }

    /// What a file holds, with what it leaves out.
    pub(super) fn imported(options: &Import, now: Timestamp) -> Result<Self, Failure> {
        let file = &options.file;
        let name = file.file_name().filter(|_| !is_standard(file)).map(|name| name.to_string_lossy().into_owned());
        let Some(batch) = options.batch.clone().or(name) else {
            return Err(Failure::Usage(anyhow!("give --batch NAME: stdin has no name from which ids could follow")));
        };
        let id = |line: u64| format!("{batch}-{line}");
        let (at, by) = (options.at.unwrap_or(now), options.by.as_deref());
        let lines = match format(options)? {
            InputFormat::Ndjson if options.kind.is_some() => {
                return Err(Failure::Usage(anyhow!("--type is for CSV: each line of NDJSON says its own")));
            }
            InputFormat::Ndjson => {
                ndjson(file, &|line, text| wire::entry::parse_filled(text, &Filled { command: id(line), at, by }))?
            }
            InputFormat::Csv => {
                let by = by.unwrap_or_default();
                let defaults = wire::csv::Defaults { kind: options.kind.as_deref(), id: &id, at, by };
                let text = bytes(file)?;
                let rows = wire::csv::read_commands(&text, defaults);
                rows.map(|(line, command)| (line, command.map(|command| Entry::Command(Box::new(command))))).collect()
            }
        };
        Ok(Self { lines, default_at: options.at.is_none().then_some(at), are_many: true })
    }
}

fn format(options: &Import) -> Result<InputFormat, Failure> {
    let extension = options.file.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    match (options.format, extension.as_deref()) {
        (Some(format), _) => Ok(format),
        (None, Some("csv")) => Ok(InputFormat::Csv),
        (None, Some("ndjson" | "jsonl" | "json")) => Ok(InputFormat::Ndjson),
        (None, _) => Err(Failure::Usage(anyhow!("give --format csv or --format ndjson: the file's name doesn't end in either"))),
    }
}

type Parse<'a> = &'a dyn Fn(u64, &[u8]) -> Result<Entry, LineError>;

fn ndjson(file: &Path, parse: Parse<'_>) -> Result<Vec<Line>, Failure> {
    let (mut lines, mut bytes) = (Vec::new(), 0);
    let mut source: LineSource = open_lines(file)?;
    let read = read_to_end(&mut source, &mut || true, &mut |record| {
        bytes += record.payload.len() as u64;
        let is_blank = record.payload.trim_ascii().is_empty();
        if bytes <= INPUT_BYTES_MAX && !is_blank {
            let number = record.offset + 1;
            lines.push((number, if record.truncated { Err(too_long()) } else { parse(number, record.payload) }));
        }
    });
    read.map_err(Failure::usage)?;
    check_size(file, bytes)?;
    Ok(lines)
}

fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if is_standard(file) {
        std::io::stdin().lock().take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("cannot read {}", file.display())).map_err(Failure::Usage)?;
    check_size(file, bytes.len() as u64)?;
    Ok(bytes)
}

fn check_size(file: &Path, bytes: u64) -> Result<(), Failure> {
    if bytes <= INPUT_BYTES_MAX {
        return Ok(());
    }
    Err(Failure::Usage(anyhow!("{} has more than {} MiB: split it", file.display(), INPUT_BYTES_MAX >> 20)))
}

fn too_long() -> LineError {
    LineError { reason: domain::RejectReason::InvalidJson, detail: "the line is longer than a record may be".to_owned() }
}
