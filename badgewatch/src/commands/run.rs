//! `run`: the main job, over Kafka, logs of its own, or files.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use domain::Policies;
use pipeline::{Ports, RunConfig, Summary, Until};
use ports::{Log, PortError, Position, RecordSink};
use storage::{Destination, FileSink, KafkaConfig, KafkaSink, KafkaSource, ensure_topics};
use telemetry::Metrics;
use telemetry::events::{InternalEvent, PipelineFailed, StopRequested};
use tracing_subscriber::EnvFilter;

use super::{check_apart, is_standard, kafka, open_lines, policy};
use crate::cli::{LogFormat, Run};
use crate::failure::Failure;
use crate::http;

mod feed;
mod live;

/// The logs that a run reads or writes.
const LOGS: [Log; 7] =
    [Log::Health, Log::Registry, Log::Dependencies, Log::Decisions, Log::Programme, Log::Standings, Log::Rejected];
/// What is logged if the environment doesn't say; of the state's own doings only what is wrong.
const LOGGED: &str = "info,slatedb=warn";
/// Where a run over Kafka serves its metrics if not told.
const HTTP_DEFAULT: &str = "127.0.0.1:9464";

pub(super) fn run(options: &Run) -> Result<(), Failure> {
    start_log(options.log_format);
    let policies = policy(&options.policy)?;
    let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION")).map_err(Failure::failed)?);
    let broker = kafka(&options.kafka)?;
    let serves = broker.is_some() || options.data.is_some();
    let default = || HTTP_DEFAULT.parse().expect("the default is an address");
    let address = options.http.or_else(|| serves.then(default));
    let _server = address.map(|address| http::serve(address, Arc::clone(&metrics))).transpose().map_err(Failure::Usage)?;
    let stop = stop_on_signals(&metrics)?;
    let summary = match (broker, options.until) {
        (Some(broker), None) => live::over_kafka(broker, options, policies, &metrics, &stop),
        (Some(broker), Some(at)) => bounded_over_kafka(&broker, policies, Until::Instant(at), &metrics, &stop),
        (None, _) if options.data.is_some() => live::over_logs(options, policies, &metrics, &stop),
        (None, at) => over_files(options, policies, at.map_or(Until::SourceEnds, Until::Instant), &metrics, &stop),
    }?;
    tracing::info!(
        records = summary.records,
        accepted = summary.accepted,
        duplicate = summary.duplicate,
        rejected = summary.rejected,
        decisions = summary.decisions,
        at = summary.at.map(tracing::field::display),
        "done"
    );
    if !summary.complete {
        return Err(Failure::Failed(anyhow::anyhow!("stopped before the end: what was asked for is not decided")));
    }
    Ok(())
}

/// What is there, up to an instant.
fn bounded_over_kafka(
    broker: &KafkaConfig,
    policies: Policies,
    until: Until,
    metrics: &Arc<Metrics>,
    stop: &AtomicBool,
) -> Result<Summary, Failure> {
    ensure_topics(broker, &LOGS).map_err(Failure::failed)?;
    let config = config_of(broker, policies);
    let mut registry = KafkaSource::open(broker, Log::Registry).map_err(Failure::failed)?;
    let mut health = KafkaSource::open(broker, Log::Health).map_err(Failure::failed)?;
    let mut sink = KafkaSink::open(broker).map_err(Failure::failed)?;
    let ports = Ports { registry: &mut registry, health: &mut health, sink: &mut sink };
    finish(pipeline::run_bounded(&config, until, ports, metrics, stop, &mut |_| {}), metrics)
}

fn config_of(broker: &KafkaConfig, policies: Policies) -> RunConfig {
    RunConfig { policies, health_name: broker.topic(Log::Health), registry_name: broker.topic(Log::Registry) }
}

fn over_files(
    options: &Run,
    policies: Policies,
    until: Until,
    metrics: &Arc<Metrics>,
    stop: &AtomicBool,
) -> Result<Summary, Failure> {
    let (Some(source), Some(registry_file)) = (&options.source, &options.registry) else {
        return Err(Failure::Usage(anyhow::anyhow!("give --kafka BROKERS, or --data DIR, or --source FILE and --registry FILE")));
    };
    if is_standard(source) && is_standard(registry_file) {
        return Err(Failure::Usage(anyhow::anyhow!("--registry and --source can't both be stdin: give one of them as a file")));
    }
    let (mut registry, mut health) = (open_lines(registry_file)?, open_lines(source)?);
    let given = [Some(&options.decisions), options.standings.as_ref(), options.rejected.as_ref()];
    check_apart(&[source, registry_file], given.into_iter().flatten().map(PathBuf::as_path))?;
    let outputs = [
        (Log::Decisions, Some(&options.decisions)),
        (Log::Standings, options.standings.as_ref()),
        (Log::Rejected, options.rejected.as_ref()),
    ];
    let mut sink = FileSink::create(outputs.into_iter().filter_map(|(log, path)| Some((log, destination(path?)))))
        .map_err(Failure::usage)?;
    let name = |path: &Path| path.display().to_string();
    let config = RunConfig { policies, health_name: name(source), registry_name: name(registry_file) };
    let sink: &mut dyn RecordSink = &mut sink;
    let ports = Ports { registry: &mut registry, health: &mut health, sink };
    finish(pipeline::run_bounded(&config, until, ports, metrics, stop, &mut |_| {}), metrics)
}

fn finish(result: Result<Summary, PortError>, metrics: &Metrics) -> Result<Summary, Failure> {
    result.map_err(|error| {
        PipelineFailed { error: &error }.emit(metrics);
        match &error {
            PortError::Setting { .. } | PortError::Open { .. } | PortError::Read { position: Position::Line(_), .. } => {
                Failure::usage(error)
            }
            _ => Failure::failed(error),
        }
    })
}

fn destination(path: &Path) -> Destination {
    if is_standard(path) { Destination::Stdout } else { Destination::File(path.to_owned()) }
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

/// SIGTERM and SIGINT end the run after the batch under way; a second one ends it at once.
fn stop_on_signals(metrics: &Arc<Metrics>) -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let signals = [(signal_hook::consts::SIGTERM, "SIGTERM"), (signal_hook::consts::SIGINT, "SIGINT")];
    for (signal, _) in signals {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))
            .context("cannot listen for signals")
            .map_err(Failure::Failed)?;
    }
    let (flag, metrics) = (Arc::clone(&stop), Arc::clone(metrics));
    let mut incoming = signal_hook::iterator::Signals::new(signals.map(|(signal, _)| signal))
        .context("cannot listen for signals")
        .map_err(Failure::Failed)?;
    std::thread::spawn(move || {
        for signal in incoming.forever() {
            let name = signals.iter().find(|(number, _)| *number == signal).map_or("signal", |(_, name)| name);
            StopRequested { signal: name }.emit(&metrics);
            flag.store(true, Ordering::Relaxed);
        }
    });
    Ok(stop)
}
