//! Where a copy is restored to: logs and a state, both empty.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use ports::{Log, PortError, RecordSink, RecordSource, StateStores};
use storage::embedded::system_clock;
use storage::{
    EmbeddedConfig, EmbeddedLogs, KafkaConfig, KafkaSink, KafkaSource, S3Options, SlateStores, StateUrl, ensure_topics,
};

use crate::cli::Restore;
use crate::commands::{broker, state_in};
use crate::copy::manifest::Manifest;
use crate::copy::{LOGS, owners};
use crate::failure::Failure;

/// Logs and state.
pub(super) struct Target {
    logs: Logs,
    pub(super) sink: Box<dyn RecordSink>,
    pub(super) stores: Box<dyn StateStores>,
    state: String,
}

enum Logs {
    Kafka(Box<KafkaConfig>),
    Directory(PathBuf, EmbeddedLogs),
}

impl Target {
    /// Makes logs and state ready, where they are missing.
    pub(super) fn open(options: &Restore, partitions: u32) -> Result<Self, Failure> {
        let (logs, sink, state): (Logs, Box<dyn RecordSink>, _) = match (broker(&options.broker)?, &options.data) {
            (Some(mut config), _) => {
                config.partitions = partitions;
                config.health_retention = Some(KafkaConfig::HEALTH_RETENTION);
                ensure_topics(&config, &Log::ALL).map_err(Failure::failed)?;
                let sink = KafkaSink::open(&config).map_err(Failure::failed)?;
                (Logs::Kafka(Box::new(config)), Box::new(sink), options.state.clone())
            }
            (None, Some(data)) => {
                let settings = EmbeddedConfig { partitions, ..EmbeddedConfig::default() };
                let opened = EmbeddedLogs::open(&data.join("logs"), &settings, system_clock()).map_err(Failure::usage)?;
                let sink = Box::new(opened.logs.sink());
                (Logs::Directory(data.clone(), opened.logs), sink, Some(state_in(data, options.state.as_deref())))
            }
            (None, None) => return Err(Failure::Usage(anyhow!("give --kafka BROKERS and --state, or --data DIR"))),
        };
        let Some(state) = state else {
            return Err(Failure::Usage(anyhow!("give --state DIR or --state s3://bucket/prefix: an empty place for the state")));
        };
        let url: StateUrl = state.parse().map_err(Failure::usage)?;
        let stores = SlateStores::at(&url, &S3Options::from_env()).map_err(Failure::usage)?;
        Ok(Self { logs, sink, stores: Box::new(stores), state })
    }

    /// Refuses logs and a state that aren't empty, and logs of another number of partitions.
    pub(super) fn expect_empty(&mut self, manifest: &Manifest) -> anyhow::Result<()> {
        for log in LOGS {
            let (partitions, next, lag) = self.looked_at(log)?;
            let expected = log.partitions(manifest.partitions);
            if partitions != expected {
                bail!(
                    "{log} has {partitions} partitions, the backup's had {expected}, and which owner a subject has follows \
                     from that: name a topic prefix or a directory where nothing is yet"
                );
            }
            if lag != Some(0) || next.iter().any(|next| *next > 0) {
                bail!(
                    "{log} isn't empty, or once wasn't: a backup is restored into new logs only; name another --topic-prefix \
                     or directory, and let producers send there once this is done"
                );
            }
        }
        if !self.stores.stretches()?.is_empty() {
            bail!("the state in {} holds stretches of another registry: name a place where nothing is yet", self.state);
        }
        for owner in owners(manifest.partitions) {
            self.stores.open(owner)?;
            if !self.stores.of(owner)?.keys(b"")?.is_empty() {
                bail!("the state in {} isn't empty: name a place where nothing is yet", self.state);
            }
        }
        Ok(())
    }

    /// How a run is started on it.
    pub(super) fn run_options(&self, manifest: &Manifest) -> String {
        let state = &self.state;
        match &self.logs {
            Logs::Kafka(config) => {
                let (brokers, prefix) = (&config.bootstrap, &config.topic_prefix);
                format!("run --kafka {brokers} --topic-prefix {prefix} --state {state}")
            }
            Logs::Directory(data, _) => {
                format!("run --data {} --partitions {} --state {state}", data.display(), manifest.partitions)
            }
        }
    }

    /// Partitions of a log, where each begins, and how many records there are.
    fn looked_at(&self, log: Log) -> Result<(u32, Vec<u64>, Option<u64>), PortError> {
        let source: Box<dyn RecordSource> = match &self.logs {
            Logs::Kafka(config) => Box::new(KafkaSource::open(config, log)?),
            Logs::Directory(_, logs) => Box::new(logs.source(log)),
        };
        Ok((source.partitions(), source.next_offsets(), source.lag_records()))
    }
}
