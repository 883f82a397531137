//! Commands that people give one by one. Each goes through its line's form, so that what a line can't say can't be
//! asked for here either.

use domain::RegionSet;
use domain::fact::Verdict;
use domain::id::{CommandId, DisputeId, ExclusionId, Region};
use domain::interval::Interval;
use domain::programme::{Action, Command, DisputeForm, ExclusionForm};
use sha2::{Digest, Sha256};

use super::input::Lines;
use super::{apply, now};
use crate::cli::{
    Asked, DisputeCommand, DisputeOptions, ExclusionCommand, ExclusionOptions, KillSwitchCommand, KillSwitchOptions, OpenDispute,
    OutageCommand, OutageOptions, ProposalCommand, ProposalOptions, RequestExclusion,
};
use crate::failure::Failure;

/// Hexadecimal digits of an id that is derived from what is asked for.
const DERIVED_DIGITS: usize = 16;
/// What stands for an id until it is derived.
const UNNAMED: &str = "-";

pub(in crate::commands) fn exclusion(options: ExclusionOptions) -> Result<(), Failure> {
    match options.command {
        ExclusionCommand::Request(options) => request_exclusion(options),
        ExclusionCommand::Approve { id, asked } => give(Action::ApproveExclusion(id), &asked),
        ExclusionCommand::Decline { id, note, asked } => give(Action::DeclineExclusion { id, note }, &asked),
        ExclusionCommand::Revoke { id, note, asked } => give(Action::RevokeExclusion { id, note }, &asked),
    }
}

pub(in crate::commands) fn dispute(options: DisputeOptions) -> Result<(), Failure> {
    match options.command {
        DisputeCommand::Open(options) => open_dispute(options),
        DisputeCommand::Uphold { id, note, asked } => give(Action::UpholdDispute { id, note }, &asked),
        DisputeCommand::Decline { id, note, asked } => give(Action::DeclineDispute { id, note }, &asked),
    }
}

pub(in crate::commands) fn proposal(options: ProposalOptions) -> Result<(), Failure> {
    let (verdict, rule) = match options.command {
        ProposalCommand::Confirm(rule) => (Verdict::Confirmed, rule),
        ProposalCommand::Refuse(rule) => (Verdict::Refused, rule),
    };
    give(Action::Rule { proposal: rule.proposal, verdict, note: rule.note }, &rule.asked)
}

pub(in crate::commands) fn outage(options: OutageOptions) -> Result<(), Failure> {
    let OutageCommand::Acknowledge { outage, cause, expected_fix, asked } = options.command;
    give(Action::AcknowledgeOutage { outage, cause, expected_fix }, &asked)
}

pub(in crate::commands) fn kill_switch(options: KillSwitchOptions) -> Result<(), Failure> {
    let (on, turn) = match options.command {
        KillSwitchCommand::On(turn) => (true, turn),
        KillSwitchCommand::Off(turn) => (false, turn),
    };
    give(Action::TurnKillSwitch { on, reason: turn.reason }, &turn.asked)
}

fn request_exclusion(options: RequestExclusion) -> Result<(), Failure> {
    let RequestExclusion { id, applies_to: target, regions, from, to, reason, note, asked } = options;
    let (regions, interval) = (regions_of(&regions), Interval::new(from, to));
    let of = |id: ExclusionId, note: Option<String>| {
        Action::RequestExclusion(ExclusionForm { id, target: target.clone(), regions, interval, reason, note })
    };
    // Asked for in other words it is the same exclusion.
    let id = id.or_else(|| ExclusionId::new(&derived("x", &of(ExclusionId::new(UNNAMED)?, None))?));
    give(of(id.expect("a derived id isn't long"), note), &asked)
}

fn open_dispute(options: OpenDispute) -> Result<(), Failure> {
    let OpenDispute { id, asin, regions, from, to, claim, asked } = options;
    let (regions, interval) = (regions_of(&regions), Interval::new(from, to));
    let of = |id: DisputeId, claim: String| Action::OpenDispute(DisputeForm { id, asin: asin.clone(), interval, regions, claim });
    let id = id.or_else(|| DisputeId::new(&derived("d", &of(DisputeId::new(UNNAMED)?, String::new()))?));
    give(of(id.expect("a derived id isn't long"), claim), &asked)
}

fn regions_of(regions: &[Region]) -> RegionSet {
    if regions.is_empty() { RegionSet::ALL } else { regions.iter().copied().collect() }
}

/// An id that follows from an action, whoever asks for it and when.
fn derived(prefix: &str, action: &Action) -> Option<String> {
    let id = CommandId::new(UNNAMED)?;
    let command = Command { id, at: domain::Timestamp::MIN, by: String::new(), expects: None, action: action.clone() };
    Some(format!("{prefix}-{}", digest(&command)))
}

fn digest(command: &Command) -> String {
    let mut line = Vec::new();
    wire::command::write(command, &mut line);
    let digest = Sha256::digest(&line);
    digest.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).take(DERIVED_DIGITS).map(char::from).collect()
}

/// Makes the command and applies it.
fn give(action: Action, asked: &Asked) -> Result<(), Failure> {
    let kind = action.as_str();
    let unnamed = CommandId::new(UNNAMED).expect("it is an id");
    let at = asked.at.unwrap_or_else(now);
    let mut command = Command { id: unnamed, at, by: asked.by.clone(), expects: asked.expects, action };
    command.id = match &asked.command {
        Some(id) => id.clone(),
        None => CommandId::new(&format!("{kind}-{}", digest(&command))).expect("a derived id isn't long"),
    };
    let mut line = Vec::new();
    wire::command::write(&command, &mut line);
    let command = wire::command::parse(&line).map_err(|error| Failure::Usage(anyhow::anyhow!("{}", error.detail)))?;
    apply::run(Lines::one(command), &asked.to, asked.format)
}
