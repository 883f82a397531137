//! The run that goes on: over Kafka as a member of a group, or over logs of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use domain::Policies;
use pipeline::{LivePorts, RunConfig, Summary};
use ports::{Log, StateStores};
use storage::embedded::{Maintained, system_clock};
use storage::{
    EmbeddedConfig, EmbeddedLogs, KafkaConfig, KafkaGroupSource, KafkaSink, KafkaSource, S3Options, SlateStores, StateUrl,
    ensure_topics,
};
use telemetry::Metrics;
use telemetry::events::{InternalEvent, PipelineFailed};

use super::{LOGS, config_of, feed};
use crate::cli::Run;
use crate::commands::state_in;
use crate::crash;
use crate::failure::Failure;

/// Between two looks at what of the logs is old.
const MAINTENANCE_WALL_MIN: Duration = Duration::from_secs(60);
/// Signs of life in a session.
const HEARTBEATS: u32 = 3;
/// Between two looks at whether to stop.
const STOP_LOOK: Duration = Duration::from_millis(200);

pub(super) fn over_kafka(
    mut broker: KafkaConfig,
    options: &Run,
    policies: Policies,
    metrics: &Arc<Metrics>,
    stop: &AtomicBool,
) -> Result<Summary, Failure> {
    let Some(state) = &options.state else {
        let message = "give --state DIR, or --state s3://bucket/prefix: what was issued has to outlive the process, and every \
                       process of the group needs the same";
        return Err(Failure::Usage(anyhow::anyhow!(message)));
    };
    broker.health_retention = Some(KafkaConfig::HEALTH_RETENTION);
    broker.group.instance.clone_from(&options.group_instance);
    broker.group.session_timeout = Duration::from_secs(options.group_session);
    broker.group.heartbeat = broker.group.session_timeout / HEARTBEATS;
    ensure_topics(&broker, &LOGS).map_err(Failure::failed)?;
    let mut stores = stores(state)?;
    let mut dependencies = KafkaSource::open(&broker, Log::Dependencies).map_err(Failure::failed)?;
    let mut sink = KafkaSink::open(&broker).map_err(Failure::failed)?;
    let mut health = KafkaGroupSource::open(&broker, Log::Health).map_err(Failure::failed)?;
    let config = config_of(&broker, policies);
    let ports = LivePorts {
        registry: &mut |from| Ok(Box::new(KafkaSource::open_at(&broker, Log::Registry, &[from])?)),
        health: &mut health,
        dependencies: &mut dependencies,
        decisions: &mut || Ok(Box::new(KafkaSource::open(&broker, Log::Decisions)?)),
        sink: &mut sink,
        stores: stores.as_mut(),
        restarts: &mut |_, _| {},
    };
    go_on(&config, ports, metrics, stop)
}

pub(super) fn over_logs(
    options: &Run,
    policies: Policies,
    metrics: &Arc<Metrics>,
    stop: &Arc<AtomicBool>,
) -> Result<Summary, Failure> {
    let root = options.data.as_deref().unwrap_or(Path::new("."));
    let given = options.kafka.partitions.unwrap_or(EmbeddedConfig::default().partitions);
    let settings = EmbeddedConfig { partitions: given, ..EmbeddedConfig::default() };
    let logs = EmbeddedLogs::open(&root.join("logs"), &settings, system_clock()).map_err(Failure::usage)?.logs;
    let mut stores = stores(&state_in(root, options.state.as_deref()))?;
    feed::start(options, &logs, stop)?;
    let maintained = maintain(logs.clone(), Arc::clone(stop));
    let kept = logs.clone();
    let config = RunConfig { policies, health_name: "health".to_owned(), registry_name: "registry".to_owned() };
    let ports = LivePorts {
        registry: &mut |from| Ok(Box::new(logs.source_from(Log::Registry, &[from])?)),
        health: &mut logs.group(Log::Health),
        dependencies: &mut logs.source(Log::Dependencies),
        decisions: &mut || Ok(Box::new(logs.source(Log::Decisions))),
        sink: &mut logs.sink(),
        stores: stores.as_mut(),
        restarts: &mut |partition, offset| kept.set_needed_from(Log::Health, partition, offset),
    };
    let summary = go_on(&config, ports, metrics, stop);
    stop.store(true, Ordering::Relaxed);
    let ended = maintained.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the logs' maintenance panicked")));
    summary.and_then(|summary| ended.map(|()| summary).map_err(Failure::Failed))
}

fn go_on(config: &RunConfig, ports: LivePorts<'_>, metrics: &Arc<Metrics>, stop: &AtomicBool) -> Result<Summary, Failure> {
    pipeline::run_live(config, ports, metrics, stop, &mut |_| {}).map_err(|error| {
        PipelineFailed { error: &error }.emit(metrics);
        Failure::failed(error)
    })
}

fn stores(state: &str) -> Result<Box<dyn StateStores>, Failure> {
    let url: StateUrl = state.parse().map_err(Failure::usage)?;
    let stores = SlateStores::at(&url, &S3Options::from_env()).map_err(Failure::usage)?;
    crash::wrapped(stores).map_err(Failure::Usage)
}

/// Seals, deletes and compacts what is old, until the run ends.
fn maintain(logs: EmbeddedLogs, stop: Arc<AtomicBool>) -> thread::JoinHandle<anyhow::Result<()>> {
    thread::spawn(move || {
        let clock = system_clock();
        let mut since = MAINTENANCE_WALL_MIN;
        while !stop.load(Ordering::Relaxed) {
            if since >= MAINTENANCE_WALL_MIN {
                since = Duration::ZERO;
                while !stop.load(Ordering::Relaxed) && logs.maintain(clock())? != Maintained::Nothing {}
            }
            thread::sleep(STOP_LOOK);
            since += STOP_LOOK;
        }
        Ok(())
    })
}
