//! Options of the commands that people give one by one: `exclusion`, `dispute`, `proposal`, `outage` and `kill-switch`.

use clap::{Args, Subcommand};
use domain::fact::{ExclusionReason, ExclusionTarget};
use domain::id::{CommandId, DisputeId, ExclusionId};
use domain::{Asin, DecisionId, Region, SubjectRef, Timestamp};

use super::registry::{Applying, manufacturer};
use super::{Format, asin, instant};

/// Who asks for something, and when.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Who wants it.
    #[arg(long, value_name = "NAME", env = "BADGEWATCH_BY")]
    pub(crate) by: String,
    /// When it takes effect. Default: now.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) at: Option<Timestamp>,
    /// The command's id. Default: derived from what it says, so that the same line with the same --at is one command.
    #[arg(long, value_name = "ID", value_parser = command)]
    pub(crate) command: Option<CommandId>,
    /// The revision that was seen, so that nobody's change is overwritten: `registry show` tells it.
    #[arg(long, value_name = "REVISION")]
    pub(crate) expects: Option<u64>,
    /// Where.
    #[command(flatten)]
    pub(crate) to: Applying,
    /// How it is told; json: one object a line.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// Options of `exclusion`.
#[derive(Debug, Args)]
pub(crate) struct ExclusionOptions {
    /// What to do with an exclusion.
    #[command(subcommand)]
    pub(crate) command: ExclusionCommand,
}

/// What to do with an exclusion.
#[derive(Debug, Subcommand)]
pub(crate) enum ExclusionCommand {
    /// Asks that downtime be excused.
    Request(RequestExclusion),
    /// Excuses the downtime (R7).
    Approve {
        /// The exclusion.
        #[arg(value_name = "ID", value_parser = exclusion)]
        id: ExclusionId,
        /// Who, when and where.
        #[command(flatten)]
        asked: Asked,
    },
    /// Doesn't excuse it.
    Decline {
        /// The exclusion.
        #[arg(value_name = "ID", value_parser = exclusion)]
        id: ExclusionId,
        /// Why.
        #[arg(long)]
        note: String,
        /// Who, when and where.
        #[command(flatten)]
        asked: Asked,
    },
    /// Takes an approval back, as if it never had been (R7).
    Revoke {
        /// The exclusion.
        #[arg(value_name = "ID", value_parser = exclusion)]
        id: ExclusionId,
        /// Why.
        #[arg(long)]
        note: String,
        /// Who, when and where.
        #[command(flatten)]
        asked: Asked,
    },
}

/// Options of `exclusion request`.
#[derive(Debug, Args)]
pub(crate) struct RequestExclusion {
    /// The exclusion's id. Default: derived from target, regions, time and reason.
    #[arg(long, value_name = "ID", value_parser = exclusion)]
    pub(crate) id: Option<ExclusionId>,
    /// Whose downtime: `all`, product:ASIN, skill:ID, hub:ASIN or manufacturer:ID.
    #[arg(long, value_name = "TARGET", value_parser = target)]
    pub(crate) applies_to: ExclusionTarget,
    /// In which regions, e.g. EU,NA. Default: all.
    #[arg(long, visible_alias = "region", value_delimiter = ',', value_parser = region)]
    pub(crate) regions: Vec<Region>,
    /// Its first instant.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) from: Timestamp,
    /// The first instant after it.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) to: Timestamp,
    /// Why: platform, maintenance, monitoring or dispute.
    #[arg(long, value_parser = reason)]
    pub(crate) reason: ExclusionReason,
    /// Why, in words.
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// Who, when and where.
    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// Options of `dispute`.
#[derive(Debug, Args)]
pub(crate) struct DisputeOptions {
    /// What to do with a dispute.
    #[command(subcommand)]
    pub(crate) command: DisputeCommand,
}

/// What to do with a dispute.
#[derive(Debug, Subcommand)]
pub(crate) enum DisputeCommand {
    /// Doesn't accept an outage.
    Open(OpenDispute),
    /// Rightly: the outage is excused.
    Uphold {
        /// The dispute.
        #[arg(value_name = "ID", value_parser = dispute)]
        id: DisputeId,
        /// Why.
        #[arg(long)]
        note: String,
        /// Who, when and where.
        #[command(flatten)]
        asked: Asked,
    },
    /// Wrongly: it stands.
    Decline {
        /// The dispute.
        #[arg(value_name = "ID", value_parser = dispute)]
        id: DisputeId,
        /// Why.
        #[arg(long)]
        note: String,
        /// Who, when and where.
        #[command(flatten)]
        asked: Asked,
    },
}

/// Options of `dispute open`.
#[derive(Debug, Args)]
pub(crate) struct OpenDispute {
    /// The dispute's id. Default: derived from product, regions and time.
    #[arg(long, value_name = "ID", value_parser = dispute)]
    pub(crate) id: Option<DisputeId>,
    /// The product.
    #[arg(long, value_parser = asin)]
    pub(crate) asin: Asin,
    /// In which regions, e.g. EU,NA. Default: all.
    #[arg(long, visible_alias = "region", value_delimiter = ',', value_parser = region)]
    pub(crate) regions: Vec<Region>,
    /// The outage's first instant.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) from: Timestamp,
    /// The first instant after it.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) to: Timestamp,
    /// What is said against it.
    #[arg(long)]
    pub(crate) claim: String,
    /// Who, when and where.
    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// Options of `proposal`.
#[derive(Debug, Args)]
pub(crate) struct ProposalOptions {
    /// What to say to a proposal.
    #[command(subcommand)]
    pub(crate) command: ProposalCommand,
}

/// What to say to a proposal.
#[derive(Debug, Subcommand)]
pub(crate) enum ProposalCommand {
    /// The badge is removed (R22).
    Confirm(Rule),
    /// The badge stays (R22).
    Refuse(Rule),
}

/// Options of `proposal confirm` and `proposal refuse`.
#[derive(Debug, Args)]
pub(crate) struct Rule {
    /// The proposal: a decision's id.
    #[arg(value_name = "ID", value_parser = decision)]
    pub(crate) proposal: DecisionId,
    /// Why.
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// Who, when and where.
    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// Options of `outage`.
#[derive(Debug, Args)]
pub(crate) struct OutageOptions {
    /// What to say to a critical outage.
    #[command(subcommand)]
    pub(crate) command: OutageCommand,
}

/// What to say to a critical outage.
#[derive(Debug, Subcommand)]
pub(crate) enum OutageCommand {
    /// Its manufacturer's answer.
    Acknowledge {
        /// The outage: a `critical_outage` decision's id.
        #[arg(value_name = "ID", value_parser = decision)]
        outage: DecisionId,
        /// What caused it.
        #[arg(long)]
        cause: String,
        /// When it is expected to be mended.
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        expected_fix: Timestamp,
        /// Who, when and where.
        #[command(flatten)]
        asked: Asked,
    },
}

/// Options of `kill-switch`.
#[derive(Debug, Args)]
pub(crate) struct KillSwitchOptions {
    /// How to turn it.
    #[command(subcommand)]
    pub(crate) command: KillSwitchCommand,
}

/// How to turn the kill switch.
#[derive(Debug, Subcommand)]
pub(crate) enum KillSwitchCommand {
    /// Removals become proposals (R25).
    On(Turn),
    /// Enforcement goes on.
    Off(Turn),
}

/// Options of `kill-switch on` and `kill-switch off`.
#[derive(Debug, Args)]
pub(crate) struct Turn {
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    /// Who, when and where.
    #[command(flatten)]
    pub(crate) asked: Asked,
}

fn command(text: &str) -> Result<CommandId, String> {
    CommandId::new(text).ok_or_else(|| "expected a command's id, e.g. c-17".to_owned())
}

fn exclusion(text: &str) -> Result<ExclusionId, String> {
    ExclusionId::new(text).ok_or_else(|| "expected an exclusion's id, e.g. x-1".to_owned())
}

fn dispute(text: &str) -> Result<DisputeId, String> {
    DisputeId::new(text).ok_or_else(|| "expected a dispute's id, e.g. d-1".to_owned())
}

fn decision(text: &str) -> Result<DecisionId, String> {
    let message = || "expected a decision's id, 32 hexadecimal digits: `badgewatch registry show proposal` tells them".to_owned();
    DecisionId::parse(text).ok_or_else(message)
}

fn region(text: &str) -> Result<Region, String> {
    Region::parse(text).ok_or_else(|| "expected NA, EU or FE".to_owned())
}

fn reason(text: &str) -> Result<ExclusionReason, String> {
    ExclusionReason::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or_else(|| {
        let names = ExclusionReason::ALL.map(ExclusionReason::as_str).join(", ");
        format!("expected one of {names}")
    })
}

fn target(text: &str) -> Result<ExclusionTarget, String> {
    if text == "all" {
        return Ok(ExclusionTarget::All);
    }
    if let Some(id) = text.strip_prefix("manufacturer:") {
        return manufacturer(id).map(ExclusionTarget::Manufacturer);
    }
    let subject = SubjectRef::parse(text).map(|subject| ExclusionTarget::Subject(subject.to_owned()));
    subject.ok_or_else(|| "expected all, product:ASIN, skill:ID, hub:ASIN or manufacturer:ID".to_owned())
}
