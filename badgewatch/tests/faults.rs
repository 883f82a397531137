//! The fault runner: real processes, on a real broker and on logs of their own, and faults by a seeded schedule, each
//! with events and a decision under way. In the end everything was issued once, and is what the auditor finds.
//!
//! `BADGEWATCH_ROUNDS=12 BADGEWATCH_SEED=7 cargo test -p badgewatch --test faults -- --nocapture` is a long run: twelve
//! faults of each kind. Without, there is one of each.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

#[path = "faults/clock.rs"]
mod clock;
#[path = "faults/damage.rs"]
mod damage;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/events.rs"]
mod events;
#[path = "live/issued.rs"]
mod issued;
#[path = "faults/own.rs"]
mod own;
#[path = "live/process.rs"]
mod process;
#[path = "faults/stage.rs"]
mod stage;

use std::collections::BTreeMap;
use std::fmt::Debug;

use domain::{Decision, DecisionKind, Report};
use loadtest::dice::Dice;
use loadtest::record::{effective, said};

use events::{BREACH, minutes};
use own::Own;
use stage::Stage;

/// What is done to processes on a broker, or to what they live on.
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
    /// No room for the state.
    DiskFull,
    /// A file of the state is cut off, or a bit of it flipped.
    StateDamaged,
    /// The wall clock is wrong by hours or days, and jumps.
    ClockJumps,
}

const FAULTS: [Fault; 12] = [
    Fault::Killed,
    Fault::AfterJournal,
    Fault::AfterPublication,
    Fault::MidCheckpoint,
    Fault::MidRestore,
    Fault::Zombie,
    Fault::Handover,
    Fault::BrokerKilled,
    Fault::Duplicates,
    Fault::DiskFull,
    Fault::StateDamaged,
    Fault::ClockJumps,
];

/// What is done to a process over logs of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum OwnFault {
    /// No room for logs and state.
    DiskFull,
    /// A segment is cut off, or a bit of it flipped.
    SegmentDamaged,
    /// The wall clock, which is the logs' clock here, is wrong by hours or days, and jumps.
    ClockJumps,
}

const OWN_FAULTS: [OwnFault; 3] = [OwnFault::DiskFull, OwnFault::SegmentDamaged, OwnFault::ClockJumps];

/// Streams of dice of their own.
const SCHEDULE: u64 = 41;
const OWN_SCHEDULE: u64 = 43;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Every kind of fault as often as asked for, each time in another order; yields how many there were of each.
fn run<F: Copy + Ord + Debug>(faults: &[F], dice: &mut Dice, mut strike: impl FnMut(F, &mut Dice)) -> BTreeMap<F, u64> {
    let (rounds, mut done) = (number("BADGEWATCH_ROUNDS", 1), BTreeMap::new());
    for round in 1..=rounds {
        let mut order = faults.to_vec();
        dice.shuffle(&mut order);
        for fault in order {
            println!("round {round} of {rounds}: {fault:?}");
            strike(fault, dice);
            *done.entry(fault).or_default() += 1;
        }
    }
    done
}

#[test]
fn nothing_is_lost_or_doubled_on_a_broker() {
    let mut dice = Dice::new(number("BADGEWATCH_SEED", 1), SCHEDULE);
    let mut stage = Stage::start();
    let done = run(&FAULTS, &mut dice, |fault, dice| strike(&mut stage, fault, dice));
    stage.settle();
    let issued: Vec<Decision> = stage.issued().cloned().collect();
    check(stage.products(), &issued, &stage.truth());
    println!("{done:?}: {} decisions, each once, and as the auditor finds", issued.len());
}

#[test]
fn nothing_is_lost_or_doubled_over_logs_of_its_own() {
    let mut dice = Dice::new(number("BADGEWATCH_SEED", 1), OWN_SCHEDULE);
    let mut own = Own::start();
    let done = run(&OWN_FAULTS, &mut dice, |fault, dice| strike_own(&mut own, fault, dice));
    own.settle();
    let issued: Vec<Decision> = own.issued().all().cloned().collect();
    check(own.products(), &issued, &own.truth());
    println!("{done:?}: {} decisions, each once, and as the auditor finds", issued.len());
}

/// A product goes down while something fails; in the end it has lost its badge, once.
fn strike(stage: &mut Stage, fault: Fault, dice: &mut Dice) {
    let (asin, from) = stage.register();
    let [first, rest] = minutes(from);
    match fault {
        Fault::AfterJournal => stage.restart_crashing("after-journal:1"),
        Fault::AfterPublication => stage.restart_crashing("after-publication:1"),
        Fault::MidCheckpoint => stage.restart_crashing(&format!("mid-checkpoint:{}", 1 + dice.below(5))),
        Fault::MidRestore => stage.restart_crashing("mid-restore:1"),
        Fault::ClockJumps => stage.restart_with_wrong_clock(dice),
        _ => {}
    }
    stage.down(&asin, &first);
    match fault {
        Fault::Killed => stage.kill(dice.index(stage.processes())),
        Fault::Zombie => stage.pause_until_replaced(),
        Fault::Handover => stage.hand_over(),
        Fault::BrokerKilled => stage.kill_broker(),
        Fault::Duplicates => stage.down(&asin, &first),
        Fault::DiskFull => stage.fill_disk(),
        Fault::StateDamaged => stage.damage_state(&asin, dice),
        Fault::ClockJumps => stage.jump_clock(dice),
        Fault::AfterJournal | Fault::AfterPublication | Fault::MidCheckpoint | Fault::MidRestore => {}
    }
    stage.down(&asin, &rest);
    match fault {
        Fault::AfterJournal | Fault::AfterPublication | Fault::MidCheckpoint | Fault::MidRestore => stage.wait_for_crash(),
        Fault::Duplicates => stage.down(&asin, &rest),
        Fault::DiskFull => stage.make_room(),
        _ => {}
    }
    let removal = stage.wait_for_removal(&asin);
    assert_eq!(removal.at, from.saturating_add(BREACH), "{fault:?}");
    match fault {
        Fault::Zombie => stage.wake(),
        Fault::ClockJumps => stage.right_clock(),
        _ => {}
    }
}

fn strike_own(own: &mut Own, fault: OwnFault, dice: &mut Dice) {
    if fault == OwnFault::ClockJumps {
        own.jump_clock(dice);
    }
    let (asin, from) = own.register();
    let [first, rest] = minutes(from);
    own.down(&asin, &first);
    match fault {
        OwnFault::DiskFull => own.fill_disk(),
        OwnFault::SegmentDamaged => own.damage_logs(&asin, &first, dice),
        OwnFault::ClockJumps => own.jump_clock(dice),
    }
    own.down(&asin, &rest);
    if fault == OwnFault::DiskFull {
        own.make_room();
        // What wasn't in the log yet is sent again, and what was, too.
        own.down(&asin, &[first, rest].concat());
    }
    let removal = own.wait_for_removal(&asin);
    assert_eq!(removal.at, from.saturating_add(BREACH), "{fault:?}");
    if fault == OwnFault::ClockJumps {
        own.right_clock();
    }
}

/// What is in force is what is implied, of every product, and every removal was issued once.
fn check<'a>(products: impl Iterator<Item = &'a str>, issued: &[Decision], truth: &Report) {
    for asin in products {
        let about = |decision: &&Decision| decision.asin.as_ref().is_some_and(|own| own.as_str() == asin);
        let issued: Vec<_> = issued.iter().filter(about).cloned().collect();
        let implied: Vec<_> = truth.decisions.iter().filter(about).cloned().collect();
        assert_eq!(effective(&issued), said(&implied), "{asin}");
        let removals = issued.iter().filter(|decision| decision.kind == DecisionKind::BadgeRemoval).count();
        assert_eq!(removals, 1, "{asin}");
    }
    let suspended = |decisions: &[Decision]| {
        let suspensions = decisions.iter().filter(|decision| decision.kind == DecisionKind::Suspension);
        let mut who: Vec<_> = suspensions.map(|decision| (decision.manufacturer.clone(), decision.at)).collect();
        who.sort();
        who
    };
    assert_eq!(suspended(issued), suspended(&truth.decisions), "manufacturers");
}
