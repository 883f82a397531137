//! `policy`: checks policy files, and shows what a policy says.

use std::borrow::Cow;
use std::path::Path;

use anyhow::Context;
use domain::policy::ScopeRule;
use domain::{Policies, Policy, Timestamp};

use super::print;
use crate::cli::{PolicyCommand, PolicyFormat};
use crate::failure::Failure;

mod explain;

pub(super) fn run(command: &PolicyCommand) -> Result<(), Failure> {
    match command {
        PolicyCommand::Check { files } => {
            check(files.iter().map(|file| (file.display().to_string(), read(file).and_then(|text| versions(&text, file)))))
        }
        PolicyCommand::Show { policy, at, format } => {
            let file = Path::new(policy);
            let text = match wire::policy::preset(policy) {
                Some(text) => Cow::Borrowed(text),
                None => Cow::Owned(read(file).map_err(|error| Failure::Usage(error.context("no preset of that name")))?),
            };
            show(&versions(&text, file).map_err(Failure::Usage)?, *at, *format)
        }
    }
}

/// Tells of every version; fails with everything that is wrong with any file.
fn check(files: impl Iterator<Item = (String, anyhow::Result<Policies>)>) -> Result<(), Failure> {
    let (mut told, mut wrong) = (String::new(), Vec::new());
    for (file, read) in files {
        match read {
            Ok(policies) => {
                for Policy { name, effective_from, scope, .. } in policies.versions() {
                    told.push_str(&format!("{file}: {name} from {effective_from}, scope {}\n", scope_name(*scope)));
                }
            }
            Err(error) => wrong.push(format!("{error:#}")),
        }
    }
    print(told.as_bytes())?;
    if wrong.is_empty() { Ok(()) } else { Err(Failure::Usage(anyhow::anyhow!(wrong.join("\n")))) }
}

/// Shows all versions, or the one in force at an instant.
fn show(policies: &Policies, at: Option<Timestamp>, format: PolicyFormat) -> Result<(), Failure> {
    let versions = policies.versions();
    let shown = at.map_or(0..versions.len(), |at| policies.index_at(at)..policies.index_at(at) + 1);
    let parts: Vec<String> = shown
        .map(|index| match format {
            PolicyFormat::Toml => wire::policy::write(&versions[index]),
            PolicyFormat::Table => explain::version(policies, index, at.unwrap_or(versions[index].effective_from)),
        })
        .collect();
    print(parts.join("\n").as_bytes())
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn versions(text: &str, file: &Path) -> anyhow::Result<Policies> {
    Ok(wire::policy::parse_versions(text, &file.display().to_string())?)
}

const fn scope_name(scope: ScopeRule) -> &'static str {
    match scope {
        ScopeRule::Global => "global",
        ScopeRule::Region => "region",
    }
}
