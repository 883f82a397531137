//! What an event costs in a group of one process, two and three.
//!
//!     cargo bench -p badgewatch --bench scale
//!
//! In each round a broker is started, and for each size of the group new topics are filled with a short and a long
//! backlog of the same fleet. New processes on a new state work each off from its beginning and are ended. What the long
//! one takes beyond the short one is what events cost; the rest is starting and ending. It prints medians and
//! writes them into `docs/benchmarks.md`.

mod backlog;
#[path = "../shared/document.rs"]
mod document;
mod group;
mod report;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use clap::Parser;
use storage::KafkaConfig;
use storage::dev_broker::DevBroker;

use backlog::Backlog;
use document::ROOT;
use group::{Group, Measured, work_off};
use report::{Lengths, Round, Size};

/// The short backlog's part of the long one: so little that nobody judges products a second time because of it, which a
/// group of one size may have to and another one not.
const SHORT_PART: usize = 200;
/// As brokers do if not told: who starts together is in the group from its beginning.
const BROKER: &str = "group.initial.rebalance.delay.ms=3000\n";

/// Measures what an event costs in groups of one process and more.
#[derive(Debug, Parser)]
struct Options {
    /// Events of the long backlog, about.
    #[arg(long, default_value_t = 4_000_000)]
    events: u64,
    /// Products of the fleet.
    #[arg(long, default_value_t = 20_000)]
    products: u32,
    /// Partitions.
    #[arg(long, default_value_t = 12)]
    partitions: u32,
    /// Processes of the largest group.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    processes: u8,
    /// The only core that the processes may use. Without it several use more cores than one does, and what they take
    /// from each other there, and from the broker, is measured, too.
    #[arg(long)]
    core: Option<u32>,
    /// How often each size is measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Prints the figures only, and leaves the document as it is.
    #[arg(long)]
    print_only: bool,
    /// Told by `cargo bench`; without it, as in a test of all targets, nothing is measured.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if options.bench { measure(&options) } else { Ok(()) }
}

fn measure(options: &Options) -> anyhow::Result<()> {
    // A signal ends the processes; then this one still has a broker to stop.
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted)).context("cannot listen for signals")?;
    }
    let backlog = Backlog::generate(options.products, options.events, document::now()?)?;
    let lengths = Lengths { short: backlog.len() / SHORT_PART, long: backlog.len() };
    ensure!(lengths.short > 0, "too few events: give more --events");
    let mut sizes: Vec<Size> =
        (1..=options.processes).map(|processes| Size { processes: processes.into(), rounds: Vec::new() }).collect();
    for number in 0..options.rounds {
        let folder = tempfile::tempdir().context("cannot create a folder for the round")?;
        let (_broker, config) = start_broker(folder.path(), options.partitions)?;
        let count = sizes.len();
        for place in 0..count {
            // Nobody is always the first, with a broker that is new.
            let size = &mut sizes[(place + number as usize) % count];
            let group = Group { processes: size.processes, core: options.core };
            let work_off_one = |name: &str, events: usize| {
                ensure!(!interrupted.load(Ordering::Relaxed), "interrupted");
                let folder = folder.path().join(format!("{}-{name}", size.processes));
                let measured = one(&backlog, events, &config, group, &folder)?;
                eprintln!("round {} of {}, {name} backlog: {measured:?}", number + 1, options.rounds);
                Ok(measured)
            };
            let (short, long) = (work_off_one("short", lengths.short)?, work_off_one("long", lengths.long)?);
            size.rounds.push(Round { short, long });
        }
    }
    let section = section(options, lengths, &report::table(&sizes, lengths))?;
    println!("{section}");
    if options.print_only { Ok(()) } else { document::rewrite("scale", &section) }
}

fn start_broker(folder: &Path, partitions: u32) -> anyhow::Result<(DevBroker, KafkaConfig)> {
    let properties = folder.join("broker.properties");
    std::fs::write(&properties, BROKER).context("cannot write the broker's properties")?;
    let broker = DevBroker::start_with(&Path::new(ROOT).join("dev/kafka"), &folder.join("kafka"), &[], &properties)
        .context("cannot start a broker")?;
    let mut config = KafkaConfig::new(broker.bootstrap());
    config.partitions = partitions;
    Ok((broker, config))
}

/// A backlog in topics and for a group of its own.
fn one(backlog: &Backlog, events: usize, broker: &KafkaConfig, group: Group, folder: &Path) -> anyhow::Result<Measured> {
    std::fs::create_dir(folder).context("cannot create a folder for a group")?;
    let name = folder.file_name().and_then(|name| name.to_str()).context("a folder has a name")?;
    let config = KafkaConfig { topic_prefix: format!("{name}."), ..broker.clone() };
    backlog.fill(&config, events)?;
    work_off(&config, folder, group, events as u64)
}

fn section(options: &Options, lengths: Lengths, table: &str) -> anyhow::Result<String> {
    Ok(format!(
        "`cargo bench -p badgewatch --bench scale -- --events {} --products {} --partitions {} --rounds {}{}`, {}, on {}, the \
         broker and other work on the same machine; backlogs of {} and {} events, medians of {} alternating rounds (least … \
         greatest):\n\n{table}",
        options.events,
        options.products,
        options.partitions,
        options.rounds,
        options.core.map(|core| format!(" --core {core}")).unwrap_or_default(),
        document::today()?,
        document::machine(),
        lengths.short,
        lengths.long,
        options.rounds,
    ))
}
