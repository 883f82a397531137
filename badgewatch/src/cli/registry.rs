//! Options of `registry`, and what everything that changes the registry has in common.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use domain::programme::EntityId;
use domain::{ManufacturerId, Timestamp};

use super::{Broker, Format, instant};

/// Longest name of a batch, in bytes: a line's number still fits into a command's id behind it.
const BATCH_BYTES_MAX: usize = 200;

/// Options of `registry`.
#[derive(Debug, Args)]
pub(crate) struct RegistryOptions {
    /// What to do with the registry.
    #[command(subcommand)]
    pub(crate) command: RegistryCommand,
}

/// What to do with the registry.
#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// Gives commands and facts (NDJSON), in order: what nothing is in the way of is appended, the rest is told with
    /// everything that is.
    Apply(ApplyLines),
    /// Commands from a CSV file, or commands and facts as NDJSON, whose ids, instants and names may be left out. Doing
    /// it again changes nothing.
    Import(Import),
    /// What the registry knows: counts, all of one kind, or everything about one thing.
    Show(Show),
    /// Every step that one thing went through.
    History(History),
}

/// Where the registry is.
#[derive(Debug, Args)]
pub(crate) struct RegistryPlace {
    /// Registry lines in a file; it is made where something is appended.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kafka", "data"], required_unless_present_any = ["kafka", "data"])]
    pub(crate) registry: Option<PathBuf>,
    /// The directory of a run over logs of its own; to change something, one that is stopped.
    #[arg(long, value_name = "DIR", env = "BADGEWATCH_DATA", conflicts_with = "kafka")]
    pub(crate) data: Option<PathBuf>,
    /// The broker and its topics.
    #[command(flatten)]
    pub(crate) broker: Broker,
    /// Preset (wwa-2024, wwa-2026, wwa) or policy file, the same as the run's: its longest window is how far commands
    /// reach back.
    #[arg(long, default_value = "wwa-2024", env = "BADGEWATCH_POLICY")]
    pub(crate) policy: String,
}

/// Where something is applied, or would be.
#[derive(Debug, Args)]
pub(crate) struct Applying {
    /// Where the registry is.
    #[command(flatten)]
    pub(crate) place: RegistryPlace,
    /// Changes nothing: says what would become of each line, and what would change.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Options of `registry apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyLines {
    /// Commands and facts, one a line; `-` is stdin.
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Where.
    #[command(flatten)]
    pub(crate) to: Applying,
    /// How it is told; json: one object a line.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// Options of `registry import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file; `-` is stdin.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What the file is. Default: by its extension.
    #[arg(long, value_enum)]
    pub(crate) format: Option<InputFormat>,
    /// The type of every command, for a CSV file without a column `type`.
    #[arg(long = "type", value_name = "COMMAND_TYPE")]
    pub(crate) kind: Option<String>,
    /// Who wants it, where the file doesn't say.
    #[arg(long, value_name = "NAME", env = "BADGEWATCH_BY")]
    pub(crate) by: Option<String>,
    /// When it takes effect, where the file doesn't say. Default: now, or if it was imported before, as then.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) at: Option<Timestamp>,
    /// What commands' ids begin with where the file has none; a line's number follows. Default: the file's name.
    #[arg(long, value_name = "NAME", value_parser = batch)]
    pub(crate) batch: Option<String>,
    /// Where.
    #[command(flatten)]
    pub(crate) to: Applying,
    /// How it is told; json: one object a line.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// What a file to import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// Commands of one type, a row each, under a header that names their fields.
    Csv,
    /// Commands and facts as JSON, one a line.
    Ndjson,
}

/// Options of `registry show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A kind, e.g. badge, or one thing, e.g. badge:B000000001. Without it: how many there are of each.
    #[arg(value_name = "KIND|KIND:ID", value_parser = shown)]
    pub(crate) what: Option<Shown>,
    /// Only those with this status, by its name or as the console shows it; may be repeated.
    #[arg(long)]
    pub(crate) status: Vec<String>,
    /// Only those of this manufacturer.
    #[arg(long, value_name = "ID", value_parser = manufacturer)]
    pub(crate) manufacturer: Option<ManufacturerId>,
    /// Only those whose present step should be over.
    #[arg(long)]
    pub(crate) overdue: bool,
    /// The instant that is now. Default: the clock's, or the log's if that is later.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) now: Option<Timestamp>,
    /// Where the registry is.
    #[command(flatten)]
    pub(crate) place: RegistryPlace,
    /// How it is shown; json: each thing with its history on a line.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// Options of `registry history`.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// The thing, e.g. exclusion:x-1.
    #[arg(value_name = "KIND:ID", value_parser = entity)]
    pub(crate) what: EntityId,
    /// Where the registry is.
    #[command(flatten)]
    pub(crate) place: RegistryPlace,
    /// How it is shown; json: a step a line.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// What is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// All of a kind.
    Kind(&'static str),
    /// One thing.
    One(EntityId),
}

/// `kill_switch` is a kind and its only one.
fn shown(text: &str) -> Result<Shown, String> {
    match EntityId::parse(text) {
        Some(id) => Ok(Shown::One(id)),
        None => EntityId::KINDS.into_iter().find(|kind| *kind == text).map(Shown::Kind).ok_or_else(|| {
            let kinds = EntityId::KINDS.join(", ");
            format!("expected a kind ({kinds}), or KIND:ID, e.g. badge:B000000001")
        }),
    }
}

fn entity(text: &str) -> Result<EntityId, String> {
    EntityId::parse(text).ok_or_else(|| {
        let kinds = EntityId::KINDS.join(", ");
        format!("expected KIND:ID, e.g. badge:B000000001, with a kind of {kinds}")
    })
}

pub(super) fn manufacturer(text: &str) -> Result<ManufacturerId, String> {
    ManufacturerId::new(text).ok_or_else(|| "expected a manufacturer's id, e.g. m-1".to_owned())
}

fn batch(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.len() <= BATCH_BYTES_MAX;
    if is_name { Ok(text.to_owned()) } else { Err(format!("expected a name of 1 to {BATCH_BYTES_MAX} bytes")) }
}
