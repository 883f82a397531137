//! `generate`: a fleet from a seed, to files, stdout or Kafka.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::DurationMs;
use loadtest::fleet::{Fleet, FleetConfig, PROGRESS_LINES, Tally};
use ports::{Log, PortError, RecordSink};
use storage::{KafkaConfig, KafkaSink, Partitioner, ensure_topics};

use super::fleet::progress_bar;
use super::{check_apart, is_standard, kafka};
use crate::cli::{self, Generate, Part};
use crate::failure::Failure;

/// How much is gathered before it is written, in bytes.
const WRITE_BYTES: usize = 1 << 18;

pub(super) fn run(options: &Generate) -> Result<(), Failure> {
    let config = FleetConfig {
        seed: options.seed,
        products: options.products,
        manufacturers: options.manufacturers.unwrap_or_else(|| (options.products / 4).max(1)),
        from: options.from,
        days: options.days,
        events: options.events,
        late_share: options.late,
        lateness_max: DurationMs::days(i64::from(options.late_days_max)),
        duplicate_share: options.duplicates,
        malformed_share: options.malformed,
        ..FleetConfig::default()
    };
    let fleet = Fleet::new(&config).map_err(Failure::usage)?;
    let pace = Pace { part: options.part, rate: options.rate };
    let result = match (kafka(&options.kafka)?, &options.registry_out, &options.events_out) {
        (Some(mut broker), _, _) => {
            broker.partitioner = match options.partitioner {
                cli::Partitioner::Murmur2 => Partitioner::Murmur2,
                cli::Partitioner::Consistent => Partitioner::Consistent,
            };
            to_kafka(&fleet, &broker, pace)
        }
        (None, Some(registry), Some(events)) => to_files(&fleet, registry, events, pace),
        (None, _, _) => return Err(Failure::Usage(anyhow::anyhow!("give --kafka, or --registry-out and --events-out"))),
    };
    let tally = match result {
        // A reader that has seen enough is no failure.
        Err(error) if error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) => {
            return Ok(());
        }
        other => other.map_err(Failure::Failed)?,
    };
    let Tally { lines, bytes, events, late, duplicates, malformed } = tally;
    let malformed: u64 = malformed.values().sum();
    eprintln!(
        "{lines} lines ({bytes} bytes): {events} events, {late} of them late; {duplicates} duplicates; {malformed} malformed"
    );
    eprintln!("the period ends at {}: evaluate with --at, or run with --until, that or later", config.to());
    Ok(())
}

/// Which of a fleet's lines are handed over, and how fast.
#[derive(Clone, Copy)]
struct Pace {
    part: Part,
    /// Lines a second.
    rate: Option<u32>,
}

fn to_files(fleet: &Fleet, registry: &Path, events: &Path, pace: Pace) -> anyhow::Result<Tally> {
    let name = |path: &Path| format!("cannot write {}", path.display());
    check_apart(&[], [registry, events]).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    fleet.write_registry(&mut create(registry)?).with_context(|| name(registry))?;
    let mut out = create(events)?;
    let tally = each_line(fleet, pace, &mut |_, line| {
        out.write_all(line)?;
        out.write_all(b"\n")?;
        if pace.rate.is_some() {
            out.flush()?;
        }
        Ok(())
    });
    let tally = tally.with_context(|| name(events))?;
    out.flush().with_context(|| name(events))?;
    Ok(tally)
}

fn to_kafka(fleet: &Fleet, broker: &KafkaConfig, pace: Pace) -> anyhow::Result<Tally> {
    ensure_topics(broker, &[Log::Registry, Log::Health])?;
    let mut sink = KafkaSink::open(broker)?;
    if pace.part.number == 1 {
        append_registry(fleet, &mut sink)?;
    }
    let tally =
        each_line(fleet, pace, &mut |key, line| Ok::<_, PortError>(sink.append(Log::Health, key, line)?).map_err(Into::into))?;
    sink.flush()?;
    Ok(tally)
}

fn append_registry(fleet: &Fleet, sink: &mut KafkaSink) -> Result<(), PortError> {
    let mut line = Vec::new();
    for fact in fleet.facts() {
        line.clear();
        wire::fact::write(&fact, &mut line);
        sink.append(Log::Registry, "", &line)?;
    }
    for (_, line) in fleet.malformed_facts() {
        sink.append(Log::Registry, "", line.as_bytes())?;
    }
    sink.flush()
}

fn create(path: &Path) -> anyhow::Result<Box<dyn Write>> {
    if is_standard(path) {
        return Ok(Box::new(BufWriter::with_capacity(WRITE_BYTES, std::io::stdout())));
    }
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(Box::new(BufWriter::with_capacity(WRITE_BYTES, file)))
}

/// Hands over each event line of the part with its key, no faster than told, and shows progress.
fn each_line(fleet: &Fleet, pace: Pace, each: &mut dyn FnMut(&str, &[u8]) -> anyhow::Result<()>) -> anyhow::Result<Tally> {
    let bar = progress_bar(fleet.events_estimate() / pace.part.of, "generating");
    let (mut lines, mut line, mut tally) = (fleet.lines(), Vec::new(), Tally::default());
    let started = Instant::now();
    for number in 0.. {
        line.clear();
        let Some(head) = lines.next_into(&mut line) else { break };
        if !pace.part.holds(number) {
            continue;
        }
        each(head.key, &line)?;
        tally.count(head.kind, head.late, line.len() + 1);
        if let Some(rate) = pace.rate {
            let due = Duration::from_secs_f64(tally.lines as f64 / f64::from(rate));
            std::thread::sleep(due.saturating_sub(started.elapsed()));
        }
        if tally.lines.is_multiple_of(PROGRESS_LINES) {
            bar.set_position(tally.lines);
        }
    }
    bar.finish_and_clear();
    Ok(tally)
}
