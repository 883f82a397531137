//! Options of `rejected`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::{RejectReason, Timestamp};
use wire::rejected::SourceView;

use super::{Broker, Format, instant};

/// Options of `rejected`.
#[derive(Debug, Args)]
pub(crate) struct RejectedOptions {
    /// What to do with rejected lines.
    #[command(subcommand)]
    pub(crate) command: RejectedCommand,
}

/// What to do with rejected lines.
#[derive(Debug, Subcommand)]
pub(crate) enum RejectedCommand {
    /// Which lines were rejected, the latest first, and why.
    List(ListRejected),
    /// One rejected line as it came, what was wrong, and what to do about it.
    Show(ShowRejected),
    /// Appends rejected lines again, as they were or repaired: each counts once, however often it is replayed. Says
    /// what it would do, and does it with --apply.
    Replay(ReplayRejected),
}

/// Where rejected lines are read.
#[derive(Debug, Args)]
pub(crate) struct RejectedFrom {
    /// Rejected lines from a file, as `run --rejected` writes it, instead of Kafka; `-` is stdin.
    #[arg(long = "rejected", value_name = "FILE", conflicts_with = "kafka", required_unless_present = "kafka")]
    pub(crate) file: Option<PathBuf>,
    /// The broker and its topics.
    #[command(flatten)]
    pub(crate) broker: Broker,
}

/// Which rejected lines.
#[derive(Debug, Default, Args)]
pub(crate) struct RejectedFilters {
    /// Only those rejected for this reason; may be repeated.
    #[arg(long, value_parser = reason)]
    pub(crate) reason: Vec<RejectReason>,
    /// Only those about this subject, e.g. product:B000000001.
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// Only those rejected at this instant or later: RFC 3339, or epoch milliseconds. Not of a file.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) since: Option<Timestamp>,
    /// Only those rejected before this instant. Not of a file.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) until: Option<Timestamp>,
    /// Only those that came from this partition.
    #[arg(long)]
    pub(crate) partition: Option<u32>,
}

/// Options of `rejected list`.
#[derive(Debug, Args)]
pub(crate) struct ListRejected {
    /// Where they are read.
    #[command(flatten)]
    pub(crate) from: RejectedFrom,
    /// Which ones.
    #[command(flatten)]
    pub(crate) filters: RejectedFilters,
    /// At most so many lines.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// Counts by reason instead.
    #[arg(long)]
    pub(crate) summary: bool,
    /// How they are printed; json: one a line, to be repaired and given to `rejected replay --from`.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// Options of `rejected show`.
#[derive(Debug, Args)]
pub(crate) struct ShowRejected {
    /// The line, as `rejected list` names it.
    #[arg(value_name = "ID", value_parser = id)]
    pub(crate) id: SourceView,
    /// Where it is read.
    #[command(flatten)]
    pub(crate) from: RejectedFrom,
}

/// Options of `rejected replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayRejected {
    /// Lines, as `rejected list` names them.
    #[arg(value_name = "ID", value_parser = id)]
    pub(crate) ids: Vec<SourceView>,
    /// Where they are read, and over Kafka the topic `health` to which they are appended.
    #[command(flatten)]
    pub(crate) from: RejectedFrom,
    /// Which ones.
    #[command(flatten)]
    pub(crate) filters: RejectedFilters,
    /// All of them.
    #[arg(long, conflicts_with_all = ["ids", "reason", "subject", "since", "until", "partition"])]
    pub(crate) all: bool,
    /// What lines should have been, one a line with `id` and `event`, or as `rejected list --format json` prints them.
    #[arg(long = "from", value_name = "FILE", conflicts_with_all = ["ids", "reason", "subject", "since", "until", "partition", "all"])]
    pub(crate) repaired: Option<PathBuf>,
    /// The file of events to which they are appended: with --rejected.
    #[arg(long, value_name = "FILE", conflicts_with = "kafka", required_unless_present = "kafka")]
    pub(crate) to: Option<PathBuf>,
    /// Does it.
    #[arg(long)]
    pub(crate) apply: bool,
}

fn reason(text: &str) -> Result<RejectReason, String> {
    RejectReason::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or_else(|| {
        let names = RejectReason::ALL.map(RejectReason::as_str).join(", ");
        format!("expected one of {names}")
    })
}

fn id(text: &str) -> Result<SourceView, String> {
    SourceView::parse(text).ok_or_else(|| "expected LOG/PARTITION/OFFSET/LINE, e.g. health/3/1042/1".to_owned())
}
