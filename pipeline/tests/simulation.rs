//! Deterministic simulation: whole processes over simulated logs, by seed.
//!
//! A scenario's events and facts reach the logs early, late, twice, packed, misplaced; one to three
//! processes own the partitions, read in any interleaving, checkpoint, crash between any two appends or
//! writes and lose what wasn't synced, are opened anew, hand partitions over or are taken for dead;
//! people rule on proposals, excuse removals and revoke that, and replay rejected lines. In the end what is
//! decided and how everybody stands is what the auditor finds in the logs.
//!
//! `BADGEWATCH_SEEDS=10000 cargo test --release -p pipeline --test simulation -- --nocapture` tries more (or
//! `2000..9000`) and counts what happened; a failing seed is replayed with `BADGEWATCH_SEED=n`. What is told of
//! it ends with whether the engine, given everything at once, differs from the auditor, too.

#[path = "simulation/faults.rs"]
mod faults;
#[path = "simulation/notices.rs"]
mod notices;
#[path = "simulation/numbers.rs"]
mod numbers;
#[path = "simulation/process.rs"]
mod process;
#[path = "simulation/requests.rs"]
mod requests;
#[path = "simulation/verdict.rs"]
mod verdict;
#[path = "simulation/world.rs"]
mod world;

use std::collections::BTreeMap;

use world::Simulation;

/// Seeds that are tried if nothing else is asked for: about half a minute of one core.
const SEEDS: u64 = 2_000;
/// What has to happen in at least one of twenty seeds.
const REQUIRED: [&str; 17] = [
    "reversal",
    "amendment",
    "page loaded",
    "crash between issue and publication",
    "policy switch",
    "re-issue",
    "proposal",
    "event sent on to its owner",
    "event set aside",
    "event counted by a replay",
    "line replayed again",
    "exclusion asked for",
    "restart from a checkpoint",
    "restart from stretches of the registry",
    "partition moved",
    "partition seized",
    "write of a fenced owner",
];
/// One in so many seeds.
const SHARE: u64 = 20;

/// Later seeds that found a fault once; they are tried, too. A change of the workload makes other stories of
/// them, so the oldest go when there are more than fifty.
const ONCE_FAILED: &[u64] = &[2_306, 3_693, 4_193, 6_160, 6_227, 9_718, 9_918, 10_058];
/// Most failing seeds that are looked for before the test gives up.
const FAILING_MAX: usize = 20;

/// Seeds to try: `7`, or `3000..6000`.
fn seeds() -> Vec<u64> {
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("{text} is a number"));
    if let Ok(seed) = std::env::var("BADGEWATCH_SEED") {
        return vec![number(&seed)];
    }
    match std::env::var("BADGEWATCH_SEEDS").ok() {
        None => (0..SEEDS).chain(ONCE_FAILED.iter().copied().filter(|seed| *seed >= SEEDS)).collect(),
        Some(text) => match text.split_once("..") {
            Some((first, end)) => (number(first)..number(end)).collect(),
            None => (0..number(&text)).collect(),
        },
    }
}

/// What is wrong with a seed's run, and what happened in it.
fn tried(seed: u64) -> (Vec<String>, Vec<&'static str>) {
    let run = || {
        let finished = Simulation::new(seed).run();
        (verdict::faults(&finished), verdict::happened(&finished))
    };
    std::panic::catch_unwind(run).unwrap_or_else(|_| (vec!["it panicked: see above".to_owned()], Vec::new()))
}

#[test]
fn whatever_happens_the_logs_say_what_the_auditor_finds() {
    let seeds = seeds();
    let mut happened: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut failing: Vec<u64> = Vec::new();
    for &seed in &seeds {
        let (faults, events) = tried(seed);
        if !faults.is_empty() {
            failing.push(seed);
            println!("seed {seed}: BADGEWATCH_SEED={seed} cargo test -p pipeline --test simulation -- --nocapture\n{faults:#?}");
        }
        assert!(failing.len() < FAILING_MAX, "seeds {failing:?} fail");
        events.into_iter().for_each(|what| *happened.entry(what).or_default() += 1);
    }
    println!("of {} seeds:", seeds.len());
    happened.iter().for_each(|(what, count)| println!("{count:>8}  {what}"));
    assert!(failing.is_empty(), "seeds {failing:?} fail");
    if seeds.len() as u64 >= SEEDS {
        for what in REQUIRED {
            let count = happened.get(what).copied().unwrap_or(0);
            assert!(count * SHARE >= seeds.len() as u64, "{what}: only in {count} of {} seeds", seeds.len());
        }
    }
}
