//! What each command does.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use domain::Policies;

use crate::cli::{Broker, Cli, Command, Kafka};
use crate::failure::Failure;

mod backup;
mod demo;
mod evaluate;
mod explain;
mod fleet;
mod generate;
mod policy;
mod registry;
mod rehearse;
mod rejected;
mod restore;
mod run;

/// Does what the command line asks for.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Demo(options) => demo::run(&options),
        Command::Evaluate(options) => evaluate::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Run(options) => run::run(&options),
        Command::Backup(options) => backup::run(&options),
        Command::Restore(options) => restore::run(&options),
        Command::Generate(options) => generate::run(&options),
        Command::Policy(options) => policy::run(&options.command),
        Command::Rehearse(options) => rehearse::run(&options),
        Command::Rejected(options) => rejected::run(&options.command),
        Command::Registry(options) => registry::run(&options.command),
        Command::Exclusion(options) => registry::exclusion(*options),
        Command::Dispute(options) => registry::dispute(*options),
        Command::Proposal(options) => registry::proposal(*options),
        Command::Outage(options) => registry::outage(*options),
        Command::KillSwitch(options) => registry::kill_switch(*options),
    }
}

/// A policy's versions, by the name of a preset or from a file.
fn policy(name: &str) -> Result<Policies, Failure> {
    let parsed = match wire::policy::preset(name) {
        Some(text) => wire::policy::parse(text, name),
        None => {
            let text = std::fs::read_to_string(name)
                .with_context(|| {
                    let presets = wire::policy::PRESETS.map(|(name, _)| name).join(", ");
                    format!("cannot read policy `{name}`: it is no preset ({presets}), and no readable file")
                })
                .map_err(Failure::Usage)?;
            wire::policy::parse(&text, name)
        }
    };
    let versions = parsed.map_err(Failure::usage)?;
    let message = "no [[policy]], or two that take effect at one instant: give each its own effective_from";
    Policies::new(versions).ok_or_else(|| Failure::Usage(anyhow::anyhow!("{name}: policy: {message}")))
}

/// Writes to stdout. A reader that has seen enough is no failure.
fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::failed(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Refuses outputs that would overwrite an input or each other.
fn check_apart<'a>(inputs: &[&Path], outputs: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
    let place = |path: &Path| path.canonicalize().ok();
    let mut taken: Vec<_> = inputs.iter().filter_map(|path| place(path)).collect();
    for output in outputs.into_iter().filter(|path| !is_standard(path)) {
        // A file that is to be created is told from others by its folder's place.
        let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let to_be = place(folder).zip(output.file_name()).map(|(folder, name)| folder.join(name));
        if let Some(found) = place(output).or(to_be) {
            if taken.contains(&found) {
                let message = "would be written over: it is another input or output, too";
                return Err(Failure::Usage(anyhow::anyhow!("{} {message}", output.display())));
            }
            taken.push(found);
        }
    }
    Ok(())
}

/// Whether a path stands for stdin or stdout.
fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens a file or stdin, line by line.
fn open_lines(path: &Path) -> Result<storage::LineSource, Failure> {
    if is_standard(path) { Ok(storage::LineSource::stdin()) } else { storage::LineSource::open(path).map_err(Failure::usage) }
}

/// Where a run over `--data` keeps its state if not told.
fn state_in(data: &Path, given: Option<&str>) -> String {
    given.map_or_else(|| data.join("state").display().to_string(), str::to_owned)
}

/// The broker's configuration, if one is named.
fn kafka(options: &Kafka) -> Result<Option<storage::KafkaConfig>, Failure> {
    let partitions = options.partitions.unwrap_or(storage::KafkaConfig::PARTITIONS);
    let config = broker(&options.broker)?;
    Ok(config.map(|config| storage::KafkaConfig { partitions, ..config }))
}

/// The configuration of a broker that is only read from, if one is named.
fn broker(options: &Broker) -> Result<Option<storage::KafkaConfig>, Failure> {
    let Some(bootstrap) = &options.kafka else { return Ok(None) };
    let mut config = storage::KafkaConfig::new(bootstrap);
    options.topic_prefix.clone_into(&mut config.topic_prefix);
    if let Some(path) = &options.kafka_config {
        config.read_properties(path).map_err(Failure::usage)?;
    }
    for (key, value) in &options.properties {
        config.set_argument(key, value).map_err(Failure::usage)?;
    }
    Ok(Some(config))
}
