//! Exclusions that owners asked for, held against the maintenance in the logs: none is lost, and none said in two ways.

use std::collections::BTreeMap;

use compute::SubjectHealth;
use compute::maintenance::stretches;
use domain::fact::Terms;
use domain::id::{CommandId, Region, Subject};
use domain::interval::Interval;
use domain::programme::{Action, Command, Outcome};
use domain::{Event, EventBody, SubjectKind};
use loadtest::truth::Truth;
use ports::Log;
use registry::Registry;

use crate::process::Process;
use crate::world::Simulation;

/// The commands, each as often as it was said.
pub(crate) fn said(simulation: &Simulation) -> impl Iterator<Item = Command> {
    let records = simulation.logs.records(Log::Registry);
    records.into_iter().filter_map(|record| wire::command::parse(&record.payload).ok())
}

/// Whoever asks for an exclusion, and however often, says the same of it. The book takes each, but from a process that
/// was behind by a window. And in the end the last stretch of each subject's maintenance was asked for.
pub(crate) fn faults(simulation: &Simulation, truth: &Truth) -> Vec<String> {
    let mut faults = Vec::new();
    let mut asked: BTreeMap<CommandId, Command> = BTreeMap::new();
    for command in said(simulation) {
        let first = asked.entry(command.id.clone()).or_insert_with(|| command.clone());
        if *first != command {
            faults.push(format!("asked for in two ways: {first:?} and {command:?}"));
        }
    }
    for book in simulation.processes.iter().map(|process| process.node().tables().registry.book()) {
        let is_right = |outcome: Option<&Outcome>| match outcome {
            Some(Outcome::Accepted { .. }) => true,
            Some(Outcome::Refused { unmet }) => unmet.iter().all(|unmet| unmet.detail.contains("more than a window")),
            None => false,
        };
        let wrong = asked.keys().filter(|id| !is_right(book.outcome(id)));
        faults.extend(wrong.map(|id| format!("{id} came to {:?}", book.outcome(id))));
    }
    let is_for = |command: &Command, interval: Interval, name: &str| match &command.action {
        Action::RequestExclusion(form) => form.interval == interval && command.id.as_str().contains(name),
        _ => false,
    };
    for (subject, region, interval) in last(simulation, truth) {
        let name = format!("{}-{}-{region}-", subject.kind().as_str(), subject.id());
        if !asked.values().any(|command| is_for(command, interval, &name)) {
            faults.push(format!("never asked for: {subject} {region} {} to {}", interval.from, interval.to));
        }
    }
    faults
}

/// The last stretch of maintenance of whatever a badge depended on then.
fn last(simulation: &Simulation, truth: &Truth) -> Vec<(Subject, Region, Interval)> {
    let mut all: BTreeMap<(&Subject, Region), SubjectHealth> = BTreeMap::new();
    for (_, Event { subject, region, at, body, .. }) in &truth.events {
        if matches!(body, EventBody::State(_)) {
            let _ = all.entry((subject, *region)).or_default().apply(*at, *body, &simulation.world.policies);
        }
    }
    let Some(process) = simulation.processes.first() else { return Vec::new() };
    let earliest = simulation.end.saturating_sub(simulation.rules.window);
    let stretch = |((subject, region), health): (&(&Subject, Region), &SubjectHealth)| {
        let last = *stretches(&health.maintenance(simulation.end, &simulation.world.policies), simulation.end).last()?;
        let is_due = last.interval.to > earliest && is_badged(registry(process), (subject, *region), last.interval);
        is_due.then(|| ((*subject).clone(), *region, last.interval))
    };
    all.iter().filter_map(stretch).collect()
}

fn registry(process: &Process) -> &Registry {
    process.node().tables().registry.registry()
}

fn is_badged(registry: &Registry, (subject, region): (&Subject, Region), interval: Interval) -> bool {
    let depends = |terms: &Terms| {
        let tied = match subject.kind() {
            SubjectKind::Product => return terms.regions().contains(region),
            SubjectKind::Skill => terms.skill.as_ref().map(Subject::skill),
            SubjectKind::Hub => terms.hub.as_ref().map(Subject::hub),
        };
        tied.as_ref() == Some(subject) && terms.regions().contains(region)
    };
    registry.dependents(subject).any(|product| product.when(depends).clip(product.badged()).intersects(interval))
}
