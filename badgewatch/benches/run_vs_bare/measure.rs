//! One measured process: how fast it read, what it used.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use wait4::Wait4;

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Records that were read.
    pub(crate) records: u64,
    pub(crate) records_per_second: f64,
    /// User and system time of the whole process, start and end included, per million records.
    pub(crate) cpu_seconds_per_million: f64,
    /// The most memory that the process ever held.
    pub(crate) peak_mib: f64,
}

/// Runs a process to its end. `read_of` finds, in a line that it prints as JSON, how many records
/// it read in how many seconds.
pub(crate) fn measure(command: &mut Command, read_of: impl Fn(&Value) -> Option<(u64, f64)>) -> anyhow::Result<Measured> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {command:?}"))?;
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    let (mut read, mut tail) = (None, String::new());
    for line in output.lines() {
        tail = line.context("cannot read what it prints")?;
        read = read.or(serde_json::from_str(&tail).ok().as_ref().and_then(&read_of));
    }
    let used = child.wait4().context("cannot wait for the process")?;
    ensure!(used.status.success(), "{command:?}: {}; its last words: {tail}", used.status);
    let Some((records, seconds)) = read else { bail!("{command:?} didn't say how much it read; its last words: {tail}") };
    ensure!(records > 0, "{command:?} read nothing");
    let cpu = used.rusage.utime + used.rusage.stime;
    Ok(Measured {
        records,
        records_per_second: records as f64 / seconds,
        cpu_seconds_per_million: cpu.as_secs_f64() * 1e6 / records as f64,
        peak_mib: used.rusage.maxrss as f64 / f64::from(1 << 20),
    })
}
