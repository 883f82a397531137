//! The fault runner: a real broker, real processes, and faults by a seeded schedule, each with events and a
//! decision under way. In the end everything was issued once, and is what the auditor finds in the logs.
//!
//! `BADGEWATCH_FAULTS=120 BADGEWATCH_SEED=7 cargo test --release -p badgewatch --test faults -- --nocapture` is a long
//! run that tells how many faults of each kind there were. Without, there is one of each kind.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

#[path = "live/issued.rs"]
mod issued;
#[path = "live/process.rs"]
mod process;
#[path = "faults/stage.rs"]
mod stage;

use std::collections::BTreeMap;

use domain::DecisionKind;
use loadtest::dice::Dice;
use loadtest::record::{effective, said};

use stage::{BREACH, Stage};

/// What is done to the processes, or to what they live on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Fault {
    /// SIGKILL at any moment.
    Killed,
    /// A crash once a decision is journalled.
    AfterJournal,
    /// A crash once it is published, before that is noted.
    AfterPublication,
    /// A crash between two heads.
    MidCheckpoint,
    /// A crash while heads are restored.
    MidRestore,
    /// SIGSTOP until another process has taken over, then SIGCONT.
    Zombie,
    /// A process joins, and one is ended by SIGTERM.
    Handover,
    /// The broker is killed and started again.
    BrokerKilled,
    /// Every event is delivered twice.
    Duplicates,
}

const FAULTS: [Fault; 9] = [
    Fault::Killed,
    Fault::AfterJournal,
    Fault::AfterPublication,
    Fault::MidCheckpoint,
    Fault::MidRestore,
    Fault::Zombie,
    Fault::Handover,
    Fault::BrokerKilled,
    Fault::Duplicates,
];
/// A stream of dice of its own.
const SCHEDULE: u64 = 41;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn nothing_is_lost_or_doubled() {
    let (seed, count) = (number("BADGEWATCH_SEED", 1), number("BADGEWATCH_FAULTS", FAULTS.len() as u64));
    let mut dice = Dice::new(seed, SCHEDULE);
    let mut stage = Stage::start();
    let mut done: BTreeMap<Fault, u64> = BTreeMap::new();
    for round in 0..count {
        let fault = FAULTS[usize::try_from(round).unwrap() % FAULTS.len()];
        println!("fault {} of {count}: {fault:?}", round + 1);
        strike(&mut stage, fault, &mut dice);
        *done.entry(fault).or_default() += 1;
    }
    stage.settle();
    check(&stage);
    println!("{done:?}: {} decisions, each once, and as the auditor finds", stage.issued().count());
}

/// A product goes down while something fails; in the end it has lost its badge, once.
fn strike(stage: &mut Stage, fault: Fault, dice: &mut Dice) {
    let (asin, from) = stage.register();
    let [first, rest] = stage.minutes(from);
    match fault {
        Fault::AfterJournal => stage.restart_crashing("after-journal:1"),
        Fault::AfterPublication => stage.restart_crashing("after-publication:1"),
        Fault::MidCheckpoint => stage.restart_crashing(&format!("mid-checkpoint:{}", 1 + dice.below(5))),
        Fault::MidRestore => stage.restart_crashing("mid-restore:1"),
        _ => {}
    }
    stage.down(&asin, &first);
    match fault {
        Fault::Killed => stage.kill(dice.index(stage.processes())),
        Fault::Zombie => stage.pause_until_replaced(),
        Fault::Handover => stage.hand_over(),
        Fault::BrokerKilled => stage.kill_broker(),
        Fault::Duplicates => stage.down(&asin, &first),
        Fault::AfterJournal | Fault::AfterPublication | Fault::MidCheckpoint | Fault::MidRestore => {}
    }
    stage.down(&asin, &rest);
    if matches!(fault, Fault::AfterJournal | Fault::AfterPublication | Fault::MidCheckpoint | Fault::MidRestore) {
        stage.wait_for_crash();
    }
    if fault == Fault::Duplicates {
        stage.down(&asin, &rest);
    }
    let removal = stage.wait_for_removal(&asin);
    assert_eq!(removal.at, from.saturating_add(BREACH), "{fault:?}");
    stage.wake();
}

/// What is in force is what is implied, of every product, and every removal was issued once.
fn check(stage: &Stage) {
    let truth = stage.truth();
    for asin in stage.products() {
        let about = |decision: &&domain::Decision| decision.asin.as_ref().is_some_and(|own| own.as_str() == asin);
        let issued: Vec<_> = stage.issued().filter(about).cloned().collect();
        let implied: Vec<_> = truth.decisions.iter().filter(about).cloned().collect();
        assert_eq!(effective(&issued), said(&implied), "{asin}");
        let removals = issued.iter().filter(|decision| decision.kind == DecisionKind::BadgeRemoval).count();
        assert_eq!(removals, 1, "{asin}");
    }
    let suspended = |decisions: &mut dyn Iterator<Item = &domain::Decision>| {
        let mut who: Vec<_> = decisions
            .filter(|decision| decision.kind == DecisionKind::Suspension)
            .map(|decision| (decision.manufacturer.clone(), decision.at))
            .collect();
        who.sort();
        who
    };
    assert_eq!(suspended(&mut stage.issued()), suspended(&mut truth.decisions.iter()), "manufacturers");
}
