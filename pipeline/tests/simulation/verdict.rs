//! What came out, held against what the auditor finds in the logs.

use std::collections::{BTreeMap, BTreeSet};

use domain::decision::Issuer;
use domain::{Decision, DecisionKind, Policies, Report, Scope, Timestamp};
use loadtest::auditor::{AuditInput, audit, differences};
use loadtest::record::{InForce, effective, said, unanswered};
use loadtest::truth::{LogRecord, Truth, of_logs};
use pipeline::Node;
use ports::Log;
use ports::memory::StoredRecord;

use crate::faults::shown;
use crate::process::Process;
use crate::world::Simulation;

/// What is wrong; nothing, if all is well.
pub(crate) fn faults(simulation: &Simulation) -> Vec<String> {
    let mut faults = Vec::new();
    let log = published(simulation, &mut faults);
    let truth = truth(simulation);
    standings(simulation, &truth, &mut faults);
    enforcement(simulation, &truth, &log, &mut faults);
    suspensions(simulation, &truth, &log, &mut faults);
    faults.extend(crate::requests::faults(simulation, &read(simulation)));
    faults.extend(crate::notices::faults(&simulation.world.policies, &truth, &log));
    faults.extend(crate::numbers::faults(&truth, &log));
    if !faults.is_empty() {
        faults.push(format!("T is {}", shown(Some(simulation.end))));
        faults.extend(log.iter().map(|decision| format!("issued: {}", line(decision))));
        faults.extend(anew(simulation, &truth));
    }
    faults
}

/// Whether the engine, given the same at once, agrees with the auditor: tells where a fault is.
fn anew(simulation: &Simulation, truth: &Report) -> Vec<String> {
    let read = read(simulation);
    let mut evaluation = pipeline::Evaluation::new(simulation.world.policies.clone());
    read.facts.iter().for_each(|(line, fact)| evaluation.fact(*line, fact.clone()));
    evaluation.settle_registry(None);
    read.events.iter().for_each(|(line, event)| evaluation.event(*line, &event.as_ref()));
    let mut report = evaluation.finish(simulation.end);
    report.rejected.clone_from(&truth.rejected);
    differences(&report, truth).into_iter().map(|fault| format!("at once: {fault}")).collect()
}

/// What happened that is counted.
pub(crate) fn happened(simulation: &Simulation) -> Vec<&'static str> {
    let log = published(simulation, &mut Vec::new());
    let has = |kind: DecisionKind| log.iter().any(|decision| decision.kind == kind);
    let reversals: BTreeSet<_> =
        log.iter().filter(|decision| decision.kind == DecisionKind::Reversal).map(|decision| decision.id).collect();
    let reissued = log.iter().any(|decision| decision.supersedes.is_some_and(|id| reversals.contains(&id)));
    let sum = |of: fn(&Process) -> u64| simulation.processes.iter().map(of).sum::<u64>() > 0;
    let truth = read(simulation);
    let first = simulation.world.deliveries.first().map_or(Timestamp::MAX, |delivery| delivery.at);
    let switches = simulation.world.policies.versions().iter().skip(1);
    let is_switched = switches.map(|policy| policy.effective_from).any(|at| first < at && at <= simulation.end);
    [
        ("reversal", !reversals.is_empty()),
        ("amendment", has(DecisionKind::Amendment)),
        ("proposal", has(DecisionKind::Proposal)),
        ("removal", has(DecisionKind::BadgeRemoval)),
        ("suspension", has(DecisionKind::Suspension)),
        ("reinstatement", has(DecisionKind::Reinstatement)),
        ("re-issue", reissued),
        ("warning", has(DecisionKind::Warning)),
        ("coverage warning", has(DecisionKind::CoverageWarning)),
        ("critical outage", has(DecisionKind::CriticalOutage)),
        ("page loaded", sum(|process| process.counts.pages_loaded)),
        ("event sent on to its owner", sum(|process| process.counts.rerouted)),
        ("crash", sum(|process| process.crashes)),
        ("crash between issue and publication", sum(|process| process.crashed_unpublished)),
        ("policy switch", is_switched),
        ("event set aside", truth.set_aside > 0),
        ("event before its registration", truth.unknown > 0),
        ("event counted by a replay", truth.replayed > 0),
        ("line replayed again", truth.replayed_again > 0),
        ("several processes", simulation.processes.len() > 1),
        ("checkpoint", sum(|process| process.checkpoints)),
        ("restart from a checkpoint", sum(|process| process.restored)),
        ("restart from stretches of the registry", sum(|process| process.recalled)),
        ("exclusion asked for", crate::requests::said(simulation).next().is_some()),
        ("partition moved", simulation.moved > 0),
        ("partition seized", simulation.seized > 0),
        ("write of a fenced owner", sum(|process| process.fenced)),
    ]
    .into_iter()
    .filter_map(|(what, happened)| happened.then_some(what))
    .collect()
}

/// Decisions as a reader takes them in: each owner's in order, repetitions dropped.
fn published(simulation: &Simulation, faults: &mut Vec<String>) -> Vec<Decision> {
    let mut by_issuer: BTreeMap<Issuer, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
    let (mut log, mut ids) = (Vec::new(), BTreeSet::new());
    let records = [Log::Decisions, Log::Programme].into_iter().flat_map(|log| simulation.logs.records(log));
    for StoredRecord { payload, .. } in records {
        let decision = wire::decision::parse(&payload).expect("a decision");
        let issued = decision.evidence.issued.clone().expect("live decisions say when they were issued");
        let seen = by_issuer.entry(issued.by).or_default();
        let last = seen.last().map_or(0, |(seq, _)| *seq);
        if issued.seq <= last {
            if seen.iter().any(|(seq, bytes)| *seq == issued.seq && *bytes != payload) {
                faults.push(format!("{} was published again with other content", decision.id));
            }
            continue;
        }
        if issued.seq != last + 1 {
            faults.push(format!("owner {}: {} follows {last}: a decision was lost", issued.by, issued.seq));
        }
        if !ids.insert(decision.id) {
            faults.push(format!("two decisions are called {}", decision.id));
        }
        seen.push((issued.seq, payload));
        log.push(decision);
    }
    log
}

fn registry(simulation: &Simulation) -> Vec<StoredRecord> {
    simulation.logs.records(Log::Registry)
}

fn health(simulation: &Simulation) -> Vec<StoredRecord> {
    simulation.logs.records(Log::Health)
}

fn records(stored: &[StoredRecord]) -> Vec<LogRecord<'_>> {
    let record = |record: &'_ StoredRecord| (record.partition, record.offset, record.appended_at);
    stored
        .iter()
        .map(|stored| {
            let (partition, offset, appended_at) = record(stored);
            LogRecord { partition, offset, appended_at, payload: &stored.payload }
        })
        .collect()
}

fn read(simulation: &Simulation) -> Truth {
    of_logs(&simulation.world.policies, &records(&registry(simulation)), &records(&health(simulation)))
}

fn truth(simulation: &Simulation) -> Report {
    let truth = read(simulation);
    let policies: &Policies = &simulation.world.policies;
    audit(&AuditInput { policies, facts: &truth.facts, events: &truth.events, at: simulation.end })
}

/// How every product stands, to the last number.
fn standings(simulation: &Simulation, truth: &Report, faults: &mut Vec<String>) {
    let nodes = simulation.processes.iter().map(Process::node);
    let mut products: Vec<_> =
        nodes.flat_map(|node| node.partitions().iter().flat_map(|partition| partition.standings().cloned())).collect();
    products.sort_by(|a, b| (&a.asin, a.scope).cmp(&(&b.asin, b.scope)));
    let told = Report { at: simulation.end, products, manufacturers: Vec::new(), decisions: Vec::new(), rejected: Vec::new() };
    let expected = Report { manufacturers: Vec::new(), decisions: Vec::new(), rejected: Vec::new(), ..truth.clone() };
    faults.extend(differences(&told, &expected).into_iter().map(|fault| format!("standings: {fault}")));
}

/// What a reader of the decisions takes to be in force is what is implied; but for what waits for a ruling,
/// and for what time alone implied since its settle before T: months pass, while nothing happens. While the
/// kill switch is on, no reinstatement is taken back.
fn enforcement(simulation: &Simulation, truth: &Report, log: &[Decision], faults: &mut Vec<String>) {
    let is_paused = is_paused(simulation);
    for asin in truth.products.iter().map(|product| &product.asin).collect::<BTreeSet<_>>() {
        let about = |decision: &&Decision| decision.asin.as_ref() == Some(asin);
        let issued: Vec<Decision> = log.iter().filter(about).cloned().collect();
        let settled = |decision: &&Decision| is_settled(simulation, decision);
        let implied: Vec<Decision> = truth.decisions.iter().filter(about).filter(settled).cloned().collect();
        let (in_force, implied) = (effective(&issued), said(&implied));
        let waits = braked(simulation, &issued);
        let compared = |list: Vec<InForce>| -> Vec<InForce> {
            list.into_iter().filter(|one| one.kind != DecisionKind::Proposal && !waits.contains(&one.scope)).collect()
        };
        let (mut in_force, implied) = (compared(in_force), compared(implied));
        if is_paused {
            in_force.retain(|one| one.kind != DecisionKind::Reinstatement || implied.contains(one));
        }
        if in_force != implied {
            let nodes = simulation.processes.iter().map(Process::node);
            let kept: Vec<_> = nodes.flat_map(Node::partitions).flat_map(|partition| partition.implied(asin)).collect();
            faults.extend(kept.into_iter().map(|decision| format!("{asin}: kept by its owner: {}", line(decision))));
            let only = |one: &[InForce], other: &[InForce]| {
                one.iter().filter(|decision| !other.contains(decision)).cloned().collect::<Vec<_>>()
            };
            faults.extend(only(&in_force, &implied).iter().map(|one| format!("{asin}: only issued: {}", in_force_line(one))));
            faults.extend(only(&implied, &in_force).iter().map(|one| format!("{asin}: only implied: {}", in_force_line(one))));
        }
    }
}

/// Whether the kill switch is on in the end.
fn is_paused(simulation: &Simulation) -> bool {
    let turns = facts(simulation)
        .filter_map(|fact| if let domain::Fact::KillSwitch(turn) = fact { Some((turn.at, turn.on)) } else { None });
    turns.filter(|(at, _)| *at <= simulation.end).max().is_some_and(|(_, on)| on)
}

/// Whether a decision is to be issued by the last T.
fn is_settled(simulation: &Simulation, decision: &Decision) -> bool {
    alerting::settled_at(&simulation.world.policies, decision) <= simulation.end
}

/// A decision on one line.
fn line(decision: &Decision) -> String {
    let reasons = decision.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let issued = decision.evidence.issued.as_ref().map(|issued| issued.at);
    let about = decision.asin.as_ref().map_or(decision.manufacturer.as_str(), domain::Asin::as_str);
    format!("{} {about} {} {} [{reasons}] issued {}", decision.kind, decision.scope, decision.at, shown(issued))
}

fn in_force_line(one: &InForce) -> String {
    let reasons = one.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    format!("{} {} {} [{reasons}] {:?}", one.kind, one.scope, one.at, one.month)
}

/// Scopes in which a removal is held back by a brake and nobody has ruled.
fn braked(simulation: &Simulation, issued: &[Decision]) -> BTreeSet<Scope> {
    let ruled: BTreeSet<_> = facts(simulation)
        .filter_map(|fact| if let domain::Fact::Ruling(ruling) = fact { Some(ruling) } else { None })
        .filter(|ruling| ruling.at <= simulation.end)
        .map(|ruling| ruling.proposal)
        .collect();
    let is_brake = |reason: &domain::Reason| matches!(reason, domain::Reason::KillSwitch | domain::Reason::RemovalLimit);
    unanswered(issued)
        .into_iter()
        .filter(|(one, ids)| one.reasons.iter().any(is_brake) && !ids.iter().any(|id| ruled.contains(id)))
        .map(|(one, _)| one.scope)
        .collect()
}

/// Whatever the registry's log holds.
fn facts(simulation: &Simulation) -> impl Iterator<Item = domain::Fact> {
    registry(simulation).into_iter().filter_map(|record| wire::fact::parse(&record.payload).ok())
}

/// A manufacturer is suspended by what was issued; where nothing waits for a ruling or for its settle that is
/// what is implied.
fn suspensions(simulation: &Simulation, truth: &Report, log: &[Decision], faults: &mut Vec<String>) {
    let programmes: Vec<_> = simulation.processes.iter().filter_map(|process| process.node().programme()).collect();
    let [programme] = programmes[..] else {
        return faults.push(format!("{} processes have the programme role", programmes.len()));
    };
    let is_proposal = |decision: &Decision| decision.kind == DecisionKind::Proposal;
    if log.iter().any(is_proposal) || !truth.decisions.iter().all(|decision| is_settled(simulation, decision)) {
        return;
    }
    let told = Report {
        at: simulation.end,
        products: Vec::new(),
        manufacturers: programme.standings().to_vec(),
        decisions: Vec::new(),
        rejected: Vec::new(),
    };
    let expected = Report { products: Vec::new(), decisions: Vec::new(), rejected: Vec::new(), ..truth.clone() };
    faults.extend(differences(&told, &expected).into_iter().map(|fault| format!("manufacturers: {fault}")));
    for manufacturer in &truth.manufacturers {
        let about = |decision: &&Decision| decision.asin.is_none() && decision.manufacturer == manufacturer.id;
        let issued: Vec<Decision> = log.iter().filter(about).cloned().collect();
        let implied: Vec<Decision> = truth.decisions.iter().filter(about).cloned().collect();
        let (in_force, implied) = (effective(&issued), said(&implied));
        if in_force != implied {
            faults.push(format!("manufacturer {}: in force {in_force:#?}, implied {implied:#?}", manufacturer.id));
        }
    }
}
