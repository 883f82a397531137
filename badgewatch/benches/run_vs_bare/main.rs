//! `badgewatch run` beside a bare librdkafka loop, on the same topic of a real broker.
//!
//!     cargo bench -p badgewatch --bench run_vs_bare
//!
//! It starts a broker of its own, fills a topic with a generated fleet's events, reads it with both
//! in turn, prints medians and writes them into `docs/benchmarks.md`. Both are whole processes; both
//! clocks run from the assignment of the partitions to the last record, and `run` reads its
//! registry within that time.

mod bare;
#[path = "../shared/document.rs"]
mod document;
mod measure;
mod report;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use document::ROOT;
use measure::{Measured, measure};
use serde_json::Value;
use storage::dev_broker::DevBroker;

const BADGEWATCH: &str = env!("CARGO_BIN_EXE_badgewatch");
/// What the filled topics' names begin with.
const PREFIX: &str = "fill-1.";
/// The end of the year that `generate` makes by default.
const UNTIL: &str = "2026-01-01T00:00:00Z";

/// Measures `badgewatch run` beside a bare consumer loop.
#[derive(Debug, Parser)]
struct Options {
    /// Health records to fill the topic with, about.
    #[arg(long, default_value_t = 3_000_000)]
    records: u64,
    /// Products of the fleet.
    #[arg(long, default_value_t = 1_000)]
    products: u32,
    /// How often each is run.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Prints the figures only, and leaves the document as it is.
    #[arg(long)]
    print_only: bool,
    /// Told by `cargo bench`; without it, as in a test of all targets, nothing is measured.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The bare loop itself, in a process of its own.
    #[command(hide = true)]
    Bare { bootstrap: String, topic: String },
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    match &options.part {
        Some(Part::Bare { bootstrap, topic }) => {
            let read = bare::read_topic(bootstrap, topic)?;
            println!(r#"{{"records":{},"bytes":{},"seconds":{}}}"#, read.records, read.bytes, read.took.as_secs_f64());
            Ok(())
        }
        None if options.bench => compare(&options),
        None => Ok(()),
    }
}

fn compare(options: &Options) -> anyhow::Result<()> {
    // A signal ends the child; then this process still has a broker to stop.
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted)).context("cannot listen for signals")?;
    }
    let directory = tempfile::tempdir().context("cannot create a folder for the broker")?;
    let broker = DevBroker::start(&Path::new(ROOT).join("dev/kafka"), directory.path()).context("cannot start a broker")?;
    fill(&broker, options)?;
    let (mut bare, mut run) = (Vec::new(), Vec::new());
    for number in 1..=options.runs {
        for (what, measured) in [("bare", &mut bare), ("run", &mut run)] {
            ensure!(!interrupted.load(Ordering::Relaxed), "interrupted");
            let now = if what == "bare" { bare_loop(&broker)? } else { badgewatch_run(&broker)? };
            eprintln!("{number}/{} {what:>4}: {:.0} records/s", options.runs, now.records_per_second);
            measured.push(now);
        }
    }
    let records = bare[0].records;
    let all = || bare.iter().chain(&run);
    ensure!(all().all(|measured| measured.records == records), "not all runs read the same number of records: {bare:?}, {run:?}");
    let section = section(options, records, &report::table(&bare, &run))?;
    println!("{section}");
    if options.print_only { Ok(()) } else { document::rewrite("run-vs-bare", &section) }
}

fn fill(broker: &DevBroker, options: &Options) -> anyhow::Result<()> {
    let mut generate = Command::new(BADGEWATCH);
    generate.args(["generate", "--kafka", broker.bootstrap(), "--topic-prefix", PREFIX]);
    generate.args(["--events", &options.records.to_string(), "--products", &options.products.to_string()]);
    let status = generate.status().context("cannot start generate")?;
    ensure!(status.success(), "generate: {status}");
    Ok(())
}

fn bare_loop(broker: &DevBroker) -> anyhow::Result<Measured> {
    let mut bare = Command::new(std::env::current_exe().context("cannot find the benchmark itself")?);
    bare.args(["bare", broker.bootstrap(), &format!("{PREFIX}health")]);
    measure(&mut bare, |line| Some((line["records"].as_u64()?, line["seconds"].as_f64()?)))
}

fn badgewatch_run(broker: &DevBroker) -> anyhow::Result<Measured> {
    // Its log goes to stderr; the shell makes that its stdout and is then replaced by it.
    let mut run = Command::new("sh");
    run.args(["-c", r#"exec "$@" 2>&1"#, "sh", BADGEWATCH, "run", "--kafka", broker.bootstrap(), "--topic-prefix", PREFIX]);
    run.args(["--until", UNTIL, "--http", "127.0.0.1:0", "--log-format", "json"])
        .env("RUST_LOG", "info")
        .stderr(Stdio::inherit());
    measure(&mut run, |line: &Value| {
        let fields = &line["fields"];
        let caught_up = fields["message"] == "caught up with the source";
        caught_up.then(|| Some((fields["records"].as_u64()?, fields["seconds"].as_f64()?)))?
    })
}

fn section(options: &Options, records: u64, table: &str) -> anyhow::Result<String> {
    Ok(format!(
        "`cargo bench -p badgewatch --bench run_vs_bare -- --records {} --products {} --runs {}`, {}, on {}, the broker on the \
         same machine; {records} records, medians of {} runs each (least … greatest):\n\n{table}",
        options.records,
        options.products,
        options.runs,
        document::today()?,
        document::machine(),
        options.runs,
    ))
}
