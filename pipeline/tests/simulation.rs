//! Deterministic simulation: whole processes over simulated logs, by seed.
//!
//! A scenario's events and facts reach the logs early, late, twice, packed, misplaced; one or two
//! processes own the partitions, read in any interleaving, crash between any two appends or writes and
//! are opened anew; people rule on proposals. In the end what is decided and how everybody stands is
//! what the auditor finds in the logs.
//!
//! `BADGEWATCH_SEEDS=10000 cargo test --release -p pipeline --test simulation -- --nocapture` tries more and
//! counts what happened; a failing seed is replayed with `BADGEWATCH_SEED=n`.

#[path = "simulation/faults.rs"]
mod faults;
#[path = "simulation/process.rs"]
mod process;
#[path = "simulation/verdict.rs"]
mod verdict;
#[path = "simulation/world.rs"]
mod world;

use std::collections::BTreeMap;

use world::Simulation;

/// Seeds that are tried if nothing else is asked for.
const SEEDS: u64 = 300;
/// What has to happen in at least one of twenty seeds.
const REQUIRED: [&str; 9] = [
    "reversal",
    "amendment",
    "page loaded",
    "crash between issue and publication",
    "policy switch",
    "re-issue",
    "proposal",
    "event sent on to its owner",
    "event set aside",
];
/// One in so many seeds.
const SHARE: u64 = 20;

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn whatever_happens_the_logs_say_what_the_auditor_finds() {
    let seeds: Vec<u64> = match from_env("BADGEWATCH_SEED") {
        Some(seed) => vec![seed],
        None => (0..from_env("BADGEWATCH_SEEDS").unwrap_or(SEEDS)).collect(),
    };
    let mut happened: BTreeMap<&'static str, u64> = BTreeMap::new();
    for &seed in &seeds {
        let finished = Simulation::new(seed).run();
        let faults = verdict::faults(&finished);
        assert!(
            faults.is_empty(),
            "seed {seed}: replay with BADGEWATCH_SEED={seed} cargo test -p pipeline --test simulation -- --nocapture\n{faults:#?}"
        );
        for what in verdict::happened(&finished) {
            *happened.entry(what).or_default() += 1;
        }
    }
    println!("of {} seeds:", seeds.len());
    happened.iter().for_each(|(what, count)| println!("{count:>8}  {what}"));
    if seeds.len() as u64 >= SEEDS {
        for what in REQUIRED {
            let count = happened.get(what).copied().unwrap_or(0);
            assert!(count * SHARE >= seeds.len() as u64, "{what}: only in {count} of {} seeds", seeds.len());
        }
    }
}
