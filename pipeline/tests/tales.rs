//! Tales of one or a few products, from the logs into a whole process and out of the decisions log: what
//! stalls, what comes late, what people say (R21 to R23, R25; critical outages of R12).

#[path = "live/process.rs"]
mod process;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alerting::BadgeOfRecord;
use domain::policy::Policies;
use domain::report::Standing;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::{Asin, Decision, DecisionKind, DurationMs, Scope, Timestamp};
use ingest::partition_of;
use pipeline::{LivePorts, Rules, RunConfig, run_live};
use ports::{Log, MemoryGroup, MemoryLogs, MemoryStore, RecordSource};
use telemetry::{Brake, Metrics};

use process::Process;

/// 2025-03-01: where every tale begins.
/// After so long a run that says nothing is given up.
const PATIENCE: Duration = Duration::from_secs(60);
const START: Timestamp = Timestamp::clamped(1_740_787_200_000);
const PARTITIONS: u32 = 2;
/// When seven hours of downtime from the start on exceed the budget of 99.93 % of 365 days.
const BREACH_MS: i64 = 22_075_201;
/// Seven hours of downtime from the start on.
const OUTAGE_MS: i64 = 7 * HOUR_MS;
/// States hold for ever, so that an outage is two lines.
const LASTING: (&str, &str) = (r#"state_ttl = "1h""#, r#"state_ttl = "none""#);

fn after(ms: i64) -> Timestamp {
    START + DurationMs(ms)
}

/// A preset with changes.
fn policies(preset: &str, changes: &[(&str, &str)]) -> Policies {
    let text = changes.iter().fold(wire::policy::preset(preset).expect("a preset").to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is in the policy");
        text.replace(from, to)
    });
    wire::policy::parse(&text, preset).expect("a right policy").remove(0).into()
}

/// A process at the start, with badges of products and their manufacturers.
fn opened(policies: Policies, badges: &[(&str, &str)]) -> Process {
    let rules = Rc::new(Rules::new(policies, PARTITIONS));
    let mut process = Process::open(&rules, MemoryLogs::new(PARTITIONS, START), MemoryStore::default());
    for (asin, manufacturer) in badges {
        let badge = format!(
            r#"{{"type":"badge","asin":"{asin}","manufacturer":"{manufacturer}","skill":"s-1","marketplaces":["US"],"customers":5000,"enabled_at":"2025-02-01T00:00:00Z"}}"#
        );
        process.append(Log::Registry, "", badge.as_bytes());
        report(&mut process, asin, 0, "up");
    }
    process.advance(START);
    process
}

/// Reports a product's state as of so long after the start.
fn report(process: &mut Process, asin: &str, ms: i64, state: &str) {
    let at = after(ms).ms();
    let line = format!(r#"{{"v":1,"type":"state","subject":"product:{asin}","region":"NA","at":{at},"state":"{state}"}}"#);
    process.logs.set_now(after(ms));
    process.append(Log::Health, &format!("product:{asin}"), line.as_bytes());
}

/// Lets products be down for seven hours from the start on.
fn break_down(process: &mut Process, asins: &[&str]) {
    asins.iter().for_each(|asin| report(process, asin, 0, "down"));
    asins.iter().for_each(|asin| report(process, asin, OUTAGE_MS, "up"));
}

/// A product that a partition owns; `not` is another's name.
fn owned_by(partition: u32, not: &str) -> String {
    let mut names = (1..).map(|number| format!("B{number:09}"));
    let is_owned = |name: &String| {
        let subject = format!("product:{name}");
        let subject = domain::SubjectRef::parse(&subject).expect("a subject");
        partition_of(subject, PARTITIONS) == partition && name != not
    };
    names.find(is_owned).expect("every partition owns some")
}

/// Decisions about badges and manufacturers in short: since the start, what, whose, why.
fn told(decisions: &[Decision]) -> Vec<String> {
    let is_enforcement = |one: &&Decision| !matches!(one.kind, DecisionKind::Warning | DecisionKind::CoverageWarning);
    let short = |one: &Decision| {
        let whose = one.asin.as_ref().map_or(one.manufacturer.as_str(), Asin::as_str);
        let reasons: Vec<String> = one.reasons.iter().map(ToString::to_string).collect();
        format!("{} {} {whose} {}", (one.at - START).ms(), one.kind, reasons.join(",")).trim_end().to_owned()
    };
    decisions.iter().filter(is_enforcement).map(short).collect()
}

fn of_kind(decisions: &[Decision], kind: DecisionKind) -> Vec<&Decision> {
    decisions.iter().filter(|decision| decision.kind == kind).collect()
}

/// T when a decision was issued.
fn issued_at(decision: &Decision) -> Timestamp {
    decision.evidence.issued.as_ref().expect("an issued decision").at
}

/// What is told of products at T is what the auditor finds, who reads the same logs.
fn assert_audited(process: &Process) {
    assert_eq!(process.faults(), Vec::<String>::new());
}

fn standing(process: &Process, asin: &str) -> Standing {
    let mut standings = process.node.partitions().iter().flat_map(pipeline::Partition::standings);
    standings.find(|standing| standing.asin.as_str() == asin).expect("a product").standing
}

/// A removal settles a day after the breach. Some inputs stall for three days from before that on; T at which
/// it is issued, in days.
fn check_stalled(held: &[(Log, u32)], expected_day: i64) {
    let asin = owned_by(0, "");
    let mut process = opened(policies("wwa-2024", &[LASTING]), &[(&asin, "m-1")]);
    break_down(&mut process, &[&asin]);
    let stalled = after(8 * HOUR_MS);
    process.advance(stalled);
    process.held = held.to_vec();
    let mut issued = Vec::new();
    for day in 2..=3 {
        issued = [issued, process.advance(after(day * DAY_MS))].concat();
        if !held.is_empty() {
            assert_eq!(process.node.t(), Some(stalled), "{held:?}");
            assert_eq!(issued, [], "{held:?} decides nothing, not even that a feed is lost");
        }
    }
    process.held.clear();
    issued.extend(process.advance(after(4 * DAY_MS)));
    let removals = of_kind(&issued, DecisionKind::BadgeRemoval);
    assert_eq!(
        removals.iter().map(|one| (one.at, issued_at(one))).collect::<Vec<_>>(),
        [(after(BREACH_MS), after(expected_day * DAY_MS))]
    );
    let is_removal = |payload: &[u8]| wire::decision::parse(payload).expect("a decision").kind == DecisionKind::BadgeRemoval;
    let records = process.logs.records(Log::Decisions);
    let published = records.iter().filter(|record| is_removal(&record.payload)).map(|record| record.appended_at);
    let day = if held.is_empty() { expected_day } else { 4 };
    assert_eq!(published.collect::<Vec<_>>(), [after(day * DAY_MS)], "{held:?}");
    assert_audited(&process);
}

#[test]
fn a_stalled_input_stalls_decisions() {
    check_stalled(&[], 2);
    // The other partition says nothing of its skills and hubs.
    check_stalled(&[(Log::Health, 1)], 4);
    // T is then as far as both partitions had said by day 3: what they say on day 4 is read a tick later.
    check_stalled(&[(Log::Registry, 0)], 3);
    let dependencies: Vec<(Log, u32)> =
        (0..Log::Dependencies.partitions(PARTITIONS)).map(|partition| (Log::Dependencies, partition)).collect();
    check_stalled(&dependencies, 3);
    check_stalled(&[&dependencies[..], &[(Log::Registry, 0)]].concat(), 3);
}

/// Reads health and registry from their beginnings in a run that goes on, until it has decided on all.
fn replayed(logs: &MemoryLogs) -> Vec<Decision> {
    let mut copy = MemoryLogs::new(PARTITIONS, START);
    let mut records: Vec<_> =
        [Log::Registry, Log::Health].into_iter().flat_map(|log| logs.records(log).into_iter().map(move |r| (log, r))).collect();
    records.sort_by_key(|(_, record)| record.appended_at);
    for (log, record) in records {
        copy.set_now(record.appended_at);
        ports::RecordSink::append_to(&mut copy, log, record.partition, &record.key, &record.payload).expect("logs in memory");
    }
    let policies = policies("wwa-2024", &[LASTING]);
    let config = RunConfig { policies, health_name: "health".to_owned(), registry_name: "registry".to_owned() };
    let [health, mut dependencies] = [Log::Health, Log::Dependencies].map(|log| copy.reader(log, 0..log.partitions(PARTITIONS)));
    let (mut sink, mut store, mut health) = (copy.clone(), MemoryStore::default(), MemoryGroup::new(health));
    let reader = copy.reader(Log::Decisions, 0..PARTITIONS);
    let read = copy.clone();
    let mut decisions = Some(Box::new(reader) as Box<dyn RecordSource>);
    let ports = LivePorts {
        registry: &mut |from| {
            let mut registry = read.reader(Log::Registry, [0]);
            registry.seek(0, from);
            Ok(Box::new(registry))
        },
        health: &mut health,
        dependencies: &mut dependencies,
        decisions: &mut || Ok(decisions.take().expect("it is asked once")),
        sink: &mut sink,
        stores: &mut store,
        restarts: &mut |_, _| {},
    };
    let (metrics, stop, begun) = (Arc::new(Metrics::new("test").expect("metrics")), AtomicBool::new(false), Instant::now());
    // It ticks once a second; a manufacturer's suspension is what is said last.
    let said = copy.clone();
    let mut progress = |_| {
        let is_said = !said.records(Log::Programme).is_empty() || begun.elapsed() > PATIENCE;
        stop.store(is_said, Ordering::Relaxed);
    };
    run_live(&config, ports, &metrics, &stop, &mut progress).expect("logs in memory");
    let decisions = [Log::Decisions, Log::Programme].into_iter().flat_map(|log| copy.records(log));
    decisions.map(|record| wire::decision::parse(&record.payload).expect("a decision")).collect()
}

#[test]
fn a_historic_topic_replays_as_of_its_own_time() {
    let mut process = opened(policies("wwa-2024", &[LASTING]), &[("B000000001", "m-1")]);
    break_down(&mut process, &["B000000001"]);
    let end_hours = 72;
    for hours in (8..=end_hours).step_by(4) {
        let now = after(hours * HOUR_MS);
        for decision in process.advance(now) {
            let settle = if decision.kind == DecisionKind::Warning { 5 * MINUTE_MS } else { DAY_MS };
            assert_eq!(issued_at(&decision), now, "T is the append time of the last records: {decision:?}");
            assert!(decision.at + DurationMs(settle) <= now, "{decision:?}");
        }
    }
    let live = process.decisions();
    assert!(live.len() > told(&live).len() && told(&live).len() == 3, "warnings, a removal, a suspension and a probation");
    let historic = replayed(&process.logs);
    // In one tick removals are issued before warnings.
    let said = |decisions: &[Decision]| -> BTreeSet<_> { decisions.iter().map(|one| (one.at, one.kind, one.id)).collect() };
    assert_eq!(said(&historic), said(&live), "the same decisions with the same names");
    for decision in &historic {
        assert_eq!(issued_at(decision), after(end_hours * HOUR_MS), "the log's end in 2025, not today: {decision:?}");
    }
}

/// Failed attempts in a minute after the start.
fn failures(minute: i64, failed: u32) -> String {
    let at = after(minute * MINUTE_MS + 30_000).ms();
    format!(r#"{{"v":1,"type":"outcome","subject":"product:B1","region":"NA","at":{at},"ok":0,"failed":{failed}}}"#)
}

#[test]
fn a_late_minute_moves_a_breach() {
    let badge = [("B1", "m-1")];
    let mut process = opened(policies("wwa-2024", &[("min_coverage = \"50%\"", "min_coverage = \"0%\"")]), &badge);
    // Of minute 100 only half of its attempts are known: too few to judge it.
    let minutes: Vec<String> = (0..380).map(|minute| failures(minute, if minute == 100 { 10 } else { 20 })).collect();
    process.logs.set_now(after(OUTAGE_MS));
    process.append(Log::Health, "product:B1", minutes.join("\n").as_bytes());
    process.advance(after(8 * HOUR_MS));
    let issued = process.advance(after(2 * DAY_MS));
    let (breach, end) = (BREACH_MS + MINUTE_MS, 380 * MINUTE_MS);
    let expected =
        [format!("{breach} badge_removal B1 budget"), format!("{end} probation_started B1"), format!("{breach} suspension m-1")];
    assert_eq!(told(&issued), expected);
    let removal = of_kind(&issued, DecisionKind::BadgeRemoval)[0].clone();

    // The other half comes, two days late.
    let known = process.decisions().len();
    process.append(Log::Health, "product:B1", failures(100, 10).as_bytes());
    let issued = process.advance(after(2 * DAY_MS + HOUR_MS));
    assert_eq!(told(&issued), [format!("{BREACH_MS} amendment B1 budget"), format!("{BREACH_MS} amendment m-1")]);
    assert_eq!(process.decisions().len(), known + 2, "no warning is told again");
    let amendment = &issued[0];
    assert_eq!((amendment.supersedes, amendment.evidence.amends), (Some(removal.id), Some(DecisionKind::BadgeRemoval)));
    assert_ne!(amendment.id, removal.id);
    assert_eq!(amendment.evidence.policy, removal.evidence.policy);

    // More of a minute that was down anyway moves nothing.
    process.append(Log::Health, "product:B1", failures(50, 10).as_bytes());
    assert_eq!(process.advance(after(3 * DAY_MS)), []);
    process.advance(after(40 * DAY_MS));
    assert_audited(&process);
    let all = process.decisions();
    let count = |kind| of_kind(&all, kind).len();
    assert_eq!([DecisionKind::BadgeRemoval, DecisionKind::Reversal, DecisionKind::Amendment].map(count), [1, 0, 2]);
    assert_eq!(standing(&process, "B1"), Standing::Probation);
}

/// Says something of an issued proposal.
fn rule(process: &mut Process, kind: &str, proposal: &Decision, at: Timestamp) {
    let (id, asin, scope) = (proposal.id, proposal.asin.as_ref().expect("a product's"), proposal.scope);
    let (proposed, ruled) = (proposal.at.ms(), at.ms());
    let line = format!(
        r#"{{"type":"{kind}","proposal":"{id}","asin":"{asin}","scope":"{scope}","proposed_at":{proposed},"at":{ruled},"by":"team"}}"#
    );
    process.logs.set_now(at);
    process.append(Log::Registry, "", line.as_bytes());
}

fn open_proposals(process: &Process) -> u64 {
    process.node.partitions().iter().map(|partition| partition.in_hand(process.node.tables()).proposals_open).sum()
}

#[test]
fn a_refused_removal_is_proposed_again_once_more_is_wrong() {
    let review = (r#"enforcement = "automatic""#, r#"enforcement = "review""#);
    // As in `stories/33-one-refusal-exceeded.json`, which gives the ids, too.
    let mut process = opened(policies("wwa-2024", &[LASTING, review]), &[("B000000001", "m-1")]);
    break_down(&mut process, &["B000000001"]);
    process.advance(after(8 * HOUR_MS));
    let issued = process.advance(after(2 * DAY_MS));
    assert_eq!(told(&issued), [format!("{BREACH_MS} proposal B000000001 budget")]);
    let proposal = of_kind(&issued, DecisionKind::Proposal)[0].clone();
    assert_eq!(proposal.id.to_string(), "fe66ae8ccbf7365c96ff1e7bbc9429d1");
    assert_eq!((standing(&process, "B000000001"), open_proposals(&process)), (Standing::Warned, 1));

    rule(&mut process, "refusal", &proposal, after(2 * DAY_MS + 10 * HOUR_MS));
    let mut quiet = process.advance(after(3 * DAY_MS));
    assert_eq!(open_proposals(&process), 0);
    // More than the budget all the time, but no more than what was refused.
    quiet.extend(process.advance(after(30 * DAY_MS)));
    assert_eq!(told(&quiet), Vec::<String>::new());
    assert_eq!(standing(&process, "B000000001"), Standing::Warned);
    assert_audited(&process);

    let again = 31 * DAY_MS;
    report(&mut process, "B000000001", again, "down");
    report(&mut process, "B000000001", again + HOUR_MS, "up");
    assert_eq!(told(&process.advance(after(again + 12 * HOUR_MS))), Vec::<String>::new(), "it hasn't settled");
    let issued = process.advance(after(again + 30 * HOUR_MS));
    assert_eq!(told(&issued), [format!("{} proposal B000000001 budget", again + 1)]);
    let second = of_kind(&issued, DecisionKind::Proposal)[0].clone();
    assert_eq!(second.id.to_string(), "46c12c9126be9ca2c73bd7b3cfe23ed1");

    let confirmed = again + 36 * HOUR_MS;
    rule(&mut process, "confirmation", &second, after(confirmed));
    let issued = process.advance(after(again + 3 * DAY_MS));
    let expected = [
        format!("{confirmed} badge_removal B000000001 budget"),
        format!("{confirmed} probation_started B000000001"),
        format!("{confirmed} suspension m-1"),
    ];
    assert_eq!(told(&issued), expected);
    assert_eq!(of_kind(&issued, DecisionKind::BadgeRemoval)[0].supersedes, Some(second.id));
    assert_eq!((standing(&process, "B000000001"), open_proposals(&process)), (Standing::Probation, 0));
    assert_audited(&process);
}

/// Critical outages that wait for an acknowledgement, and those that waited too long.
fn unacknowledged(process: &Process) -> (u64, u64) {
    let in_hand = process.node.partitions().iter().map(|partition| partition.in_hand(process.node.tables()));
    in_hand.fold((0, 0), |(open, overdue), state| (open + state.critical_open, overdue + state.critical_overdue))
}

/// A manufacturer's answer to a critical outage; the fix is expected two hours later.
fn acknowledge(process: &mut Process, outage: &Decision, ms: i64, cause: &str) {
    let (id, asin) = (outage.id, outage.asin.as_ref().expect("a product's"));
    let (at, fix) = (after(ms).ms(), after(ms + 2 * HOUR_MS).ms());
    let line =
        format!(r#"{{"type":"acknowledgement","outage":"{id}","asin":"{asin}","at":{at},"by":"m",{cause}"expected_fix":{fix}}}"#);
    process.logs.set_now(after(ms));
    process.append(Log::Registry, "", line.as_bytes());
}

#[test]
fn a_critical_outage_is_to_be_acknowledged_within_a_day() {
    let cause = r#""cause":"a certificate ran out","#;
    let mut process = opened(policies("wwa-2026", &[LASTING]), &[("B1", "m-1"), ("B2", "m-2")]);
    ["B1", "B2"].iter().for_each(|asin| report(&mut process, asin, 1, "down"));
    let (opens, due) = (5 * MINUTE_MS + 1, DAY_MS + 5 * MINUTE_MS + 1);
    assert_eq!(told(&process.advance(after(opens + 4 * MINUTE_MS))), Vec::<String>::new());
    assert_eq!(unacknowledged(&process), (0, 0), "it hasn't settled");
    let mut issued = process.advance(after(opens + 5 * MINUTE_MS));
    issued.sort_by(|a, b| a.asin.cmp(&b.asin));
    assert_eq!(told(&issued), [format!("{opens} critical_outage B1"), format!("{opens} critical_outage B2")]);
    let outages: Vec<Decision> = of_kind(&issued, DecisionKind::CriticalOutage).into_iter().cloned().collect();
    assert_eq!(unacknowledged(&process), (2, 0));

    // Without a cause it is none.
    acknowledge(&mut process, &outages[0], 2 * HOUR_MS, "");
    process.advance(after(2 * HOUR_MS));
    assert_eq!((unacknowledged(&process), process.counts.rejected_total()), ((2, 0), 1));
    acknowledge(&mut process, &outages[0], 3 * HOUR_MS, cause);
    process.advance(after(3 * HOUR_MS));
    assert_eq!(unacknowledged(&process), (1, 0));

    // The last instant in time, and the first that isn't. What was acknowledged stays so, though the fix is late.
    process.advance(after(due));
    assert_eq!(unacknowledged(&process), (1, 0));
    process.advance(after(due + 1));
    assert_eq!(unacknowledged(&process), (0, 1));
    acknowledge(&mut process, &outages[1], 30 * HOUR_MS, cause);
    process.advance(after(30 * HOUR_MS));
    assert_eq!(unacknowledged(&process), (0, 0));

    // The next outage is another one, although the badge is off.
    report(&mut process, "B1", 40 * HOUR_MS, "up");
    report(&mut process, "B1", 41 * HOUR_MS, "down");
    let issued = process.advance(after(42 * HOUR_MS));
    assert_eq!(of_kind(&issued, DecisionKind::CriticalOutage).len(), 1);
    assert_eq!((standing(&process, "B1"), unacknowledged(&process)), (Standing::Removed, (1, 0)));
}

fn is_limited(process: &Process) -> bool {
    let brakes = process.node.brakes();
    process.node.partitions().iter().any(|partition| partition.is_held_by(Brake::RemovalLimit, brakes))
}

/// Two products of one partition, and a third of another.
fn three() -> [String; 3] {
    let first = owned_by(0, "");
    let second = owned_by(0, &first);
    [first, second, owned_by(1, "")]
}

/// What was issued says of their badges.
fn of_record(process: &Process) -> [BadgeOfRecord; 3] {
    three().map(|asin| {
        let asin = Asin::new(&asin).expect("an id");
        let issued = process.node.partitions().iter().find_map(|partition| partition.issued(&asin));
        issued.expect("a product").standing_of_record(Scope::Global)
    })
}

/// All three break down at once: what is issued of them.
fn check_limit(limit: u32, expected: &[(DecisionKind, usize, &str)]) -> (Process, Vec<Decision>) {
    let limit = format!("max_removals_per_hour = {limit}");
    let asins = three();
    let badges: Vec<(&str, &str)> = asins.iter().map(String::as_str).zip(["m-1", "m-2", "m-3"]).collect();
    let mut process = opened(policies("wwa-2024", &[LASTING, ("max_removals_per_hour = 20", &limit)]), &badges);
    break_down(&mut process, &asins.each_ref().map(String::as_str));
    process.advance(after(8 * HOUR_MS));
    assert!(!is_limited(&process), "{limit}");
    let issued = process.advance(after(2 * DAY_MS));
    let is_removal = |kind| matches!(kind, DecisionKind::BadgeRemoval | DecisionKind::Proposal);
    let found: Vec<_> = issued.iter().filter(|one| is_removal(one.kind)).collect();
    let place = |one: &Decision| asins.iter().position(|asin| Some(asin.as_str()) == one.asin.as_ref().map(Asin::as_str));
    let reasons = |one: &Decision| one.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let found: Vec<_> = found.iter().map(|one| (one.kind, place(one).expect("a product"), reasons(one))).collect();
    let expected: Vec<_> = expected.iter().map(|&(kind, place, reasons)| (kind, place, reasons.to_owned())).collect();
    assert_eq!(found, expected, "{limit}");
    (process, issued)
}

#[test]
fn removals_above_the_limit_are_proposed() {
    use BadgeOfRecord::{Off, On};
    use DecisionKind::{BadgeRemoval, Proposal};
    check_limit(20, &[(BadgeRemoval, 0, "budget"), (BadgeRemoval, 1, "budget"), (BadgeRemoval, 2, "budget")]);
    check_limit(2, &[(BadgeRemoval, 0, "budget"), (BadgeRemoval, 1, "budget"), (Proposal, 2, "budget,removal_limit")]);
    let held = "budget,removal_limit";
    let expected = [(BadgeRemoval, 0, "budget"), (Proposal, 1, held), (Proposal, 2, held)];
    let (mut process, issued) = check_limit(1, &expected);
    let suspended = |issued: &[Decision]| -> Vec<String> {
        of_kind(issued, DecisionKind::Suspension).into_iter().map(|one| one.manufacturer.to_string()).collect()
    };
    assert_eq!(suspended(&issued), ["m-1"], "nothing follows from what is only proposed");
    assert_eq!((is_limited(&process), open_proposals(&process)), (true, 2));
    assert_eq!(of_kind(&issued, DecisionKind::ProbationStarted).len(), 1);
    assert_eq!(of_record(&process), [Off, On, On]);

    // The hour passes: others could be removed, but what was proposed waits for somebody.
    assert_eq!(process.advance(after(2 * DAY_MS + HOUR_MS)), []);
    assert_eq!((is_limited(&process), open_proposals(&process)), (false, 2));
    let proposal = of_kind(&issued, Proposal)[0].clone();
    let confirmed = 2 * DAY_MS + 2 * HOUR_MS;
    rule(&mut process, "confirmation", &proposal, after(confirmed));
    let issued = process.advance(after(4 * DAY_MS));
    let asin = proposal.asin.as_ref().expect("a product's");
    let expected = [
        format!("{BREACH_MS} badge_removal {asin} budget"),
        format!("{confirmed} probation_started {asin}"),
        format!("{BREACH_MS} suspension m-2"),
    ];
    assert_eq!(told(&issued), expected);
    assert_eq!((of_kind(&issued, BadgeRemoval)[0].supersedes, open_proposals(&process)), (Some(proposal.id), 1));
    assert_eq!(of_record(&process), [Off, Off, On]);
}
