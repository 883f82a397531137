//! Options of `rehearse`.

use std::path::PathBuf;

use clap::Args;
use domain::Timestamp;

use super::{Format, instant};

/// Options of `rehearse`.
#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// Preset (wwa-2024, wwa-2026, wwa) or policy file.
    #[arg(long, default_value = "wwa-2024", env = "BADGEWATCH_POLICY")]
    pub(crate) policy: String,
    /// Registry lines (NDJSON), facts and commands: each is recorded at the instant it names, or when the line
    /// before was, if that is later; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(crate) registry: PathBuf,
    /// Event lines (NDJSON) in the order in which they arrive, likewise; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: PathBuf,
    /// Up to when: RFC 3339, or epoch milliseconds.
    #[arg(long, value_parser = instant, value_name = "T")]
    pub(crate) until: Timestamp,
    /// Writes the registry's lines as they stand then, with what was noted of decisions; may be the registry's own file.
    #[arg(long, value_name = "FILE")]
    pub(crate) registry_out: Option<PathBuf>,
    /// How decisions are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}
