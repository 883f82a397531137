//! R18: a switch to the very same numbers changes nothing, wherever it is.

use std::collections::BTreeSet;

use domain::{Policies, Timestamp};

use super::super::Scenario;
use super::audited;
use crate::auditor::differences;

const SEEDS: u64 = 600;
/// Most switches of a scenario.
const SWITCHES_MAX: usize = 24;

#[test]
fn a_switch_to_the_same_numbers_changes_nothing() {
    for seed in 0..SEEDS {
        let scenario = Scenario::new(seed);
        let report = audited(&scenario);
        let dates: BTreeSet<_> = report.decisions.iter().map(|decision| decision.at.ms()).collect();
        let beside = i64::try_from(seed % 3).expect("small") - 1;
        let turns: BTreeSet<_> = dates.into_iter().chain([scenario.at.ms()]).map(|at| Timestamp::clamped(at + beside)).collect();
        let mut versions = scenario.policies.versions().to_vec();
        for turn in turns.into_iter().rev().take(SWITCHES_MAX) {
            if versions.iter().all(|version| version.effective_from != turn) {
                versions.push(domain::Policy { effective_from: turn, ..scenario.policies.at(turn).clone() });
            }
        }
        let policies = Policies::new(versions).expect("no two at one instant");
        let split = audited(&Scenario { policies, ..scenario });
        assert_eq!(differences(&split, &report), Vec::<String>::new(), "seed {seed}");
    }
}
