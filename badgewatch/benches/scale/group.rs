//! Processes of one group that work a backlog off, and what that took.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use storage::KafkaConfig;
use wait4::{ResUse, Wait4};

const BADGEWATCH: &str = env!("CARGO_BIN_EXE_badgewatch");
/// Between two looks at how far they are; a look costs them some time, too.
const LOOK: Duration = Duration::from_millis(500);
/// Longest time for a backlog.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a group came to.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// User and system time of all processes together, start and end included.
    pub(crate) cpu_s: f64,
    /// From the first start to the last end.
    pub(crate) wall_s: f64,
    pub(crate) shares: Vec<Share>,
}

/// What a process had of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    /// Partitions that it got first and last.
    pub(crate) partitions: usize,
    /// Partitions that moved after it had them.
    pub(crate) moves: usize,
    pub(crate) records: u64,
}

struct Process {
    /// None once it was waited for.
    child: Option<Child>,
    log: PathBuf,
}

/// A group to be measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) processes: usize,
    /// The only core that they may use, if not all.
    pub(crate) core: Option<u32>,
}

/// Starts the processes on a fresh state, waits until they have read all events, and ends them together.
pub(crate) fn work_off(config: &KafkaConfig, folder: &Path, of: Group, events: u64) -> anyhow::Result<Measured> {
    let started = Instant::now();
    let mut group = Vec::new();
    for number in 1..=of.processes {
        group.push(Process::start(config, of.core, &folder.join("state"), folder.join(format!("{number}.log")))?);
    }
    while !are_done(&mut group, events)? {
        ensure!(started.elapsed() < PATIENCE, "the backlog isn't worked off after {} s", PATIENCE.as_secs());
        std::thread::sleep(LOOK);
    }
    // Counted before the end, at which everything is handed over.
    let moves: Vec<(usize, usize)> = group.iter().map(Process::moves).collect::<anyhow::Result<_>>()?;
    // At once, so that nobody takes over what another one leaves.
    let pids: Vec<String> = group.iter().filter_map(|process| Some(process.child.as_ref()?.id().to_string())).collect();
    let told = Command::new("kill").arg("-TERM").args(&pids).status().context("cannot tell the processes to end")?;
    ensure!(told.success(), "kill: {told}");
    let (mut cpu_s, mut shares) = (0.0, Vec::new());
    for (process, (owned, left)) in group.into_iter().zip(moves) {
        let (used, records) = process.end()?;
        cpu_s += (used.rusage.utime + used.rusage.stime).as_secs_f64();
        shares.push(Share { partitions: owned - left, moves: left, records });
    }
    Ok(Measured { cpu_s, wall_s: started.elapsed().as_secs_f64(), shares })
}

/// Whether every event is read, and nobody has any left.
fn are_done(group: &mut [Process], events: u64) -> anyhow::Result<bool> {
    let (mut read, mut lag) = (0.0, 0.0);
    for process in group {
        let child = process.child.as_mut().context("it was waited for already")?;
        if let Some(status) = child.try_wait()? {
            bail!("a process ended early: {status}; it said in the end: {}", process.last_words()?);
        }
        let Some(metrics) = process.metrics()? else { return Ok(false) };
        let of = |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        read += of("badgewatch_records_total ").unwrap_or_default();
        lag += of("badgewatch_source_lag_records ").unwrap_or_default();
    }
    Ok(read >= events as f64 && lag == 0.0)
}

impl Process {
    fn start(config: &KafkaConfig, core: Option<u32>, state: &Path, log: PathBuf) -> anyhow::Result<Self> {
        let said = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        // Either is replaced by the process that it starts.
        let mut command = Command::new(if core.is_some() { "taskset" } else { "env" });
        if let Some(core) = core {
            command.args(["-c", &core.to_string()]);
        }
        let child = command
            .arg(BADGEWATCH)
            .args(["run", "--kafka", &config.bootstrap, "--topic-prefix", &config.topic_prefix])
            .arg("--state")
            .arg(state)
            .args(["--http", "127.0.0.1:0", "--log-format", "json"])
            .env("RUST_LOG", "info,slatedb=warn")
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .context("cannot start badgewatch")?;
        Ok(Self { child: Some(child), log })
    }

    /// Waits until it has ended; yields what it used, and how many records it read.
    fn end(mut self) -> anyhow::Result<(ResUse, u64)> {
        let used = self.child.take().context("it was waited for already")?.wait4().context("cannot wait for a process")?;
        ensure!(used.status.success(), "a process: {}; it said in the end: {}", used.status, self.last_words()?);
        let done = |line: &Value| (line["fields"]["message"] == "done").then(|| line["fields"]["records"].as_u64())?;
        let records = self.said()?.iter().find_map(done).context("a process didn't say how much it read")?;
        Ok((used, records))
    }

    /// How many partitions it got, and how many of them went.
    fn moves(&self) -> anyhow::Result<(usize, usize)> {
        let said = self.said()?;
        let count = |what: &str| said.iter().filter(|line| line["fields"]["message"] == what).count();
        Ok((count("partition owned"), count("partition handed over") + count("partition lost to another process")))
    }

    fn metrics(&self) -> anyhow::Result<Option<String>> {
        let address = self.said()?.iter().find_map(|line| line["fields"]["address"].as_str().map(str::to_owned));
        // One that can't be asked just now is asked again; if it has ended, the next look says so.
        Ok(address.and_then(|address| ask(&address).ok()))
    }

    fn said(&self) -> anyhow::Result<Vec<Value>> {
        let text = std::fs::read_to_string(&self.log).with_context(|| format!("cannot read {}", self.log.display()))?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    fn last_words(&self) -> anyhow::Result<String> {
        let text = std::fs::read_to_string(&self.log).with_context(|| format!("cannot read {}", self.log.display()))?;
        Ok(text.lines().last().unwrap_or_default().to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended already.
            let _killed = child.kill();
            let _waited = child.wait();
        }
    }
}

fn ask(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
