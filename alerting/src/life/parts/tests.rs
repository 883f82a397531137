use domain::decision::Scope;
use domain::id::Region;
use domain::interval::Interval;
use domain::life::{Active, Removal};

use super::*;

const NEXT: Timestamp = Timestamp::clamped(1_767_225_600_000);
const BEFORE: Timestamp = Timestamp::clamped(1_767_225_600_000 - 86_400_000);

fn policies() -> Policies {
    let preset = wire::policy::preset("wwa-2024").expect("a preset");
    Policies::new(wire::policy::parse(preset, "a test").expect("a policy")).expect("one version")
}

fn lane() -> State {
    let phase = Phase::On { next: NEXT, active: Active::default() };
    State { phase, critical_next: NEXT, depends_until: NEXT, ..State::new(Scope::Global, BEFORE) }
}

fn off(phase: Phase) -> State {
    State { phase, removed_at: Some(BEFORE), ..lane() }
}

fn life(lanes: Vec<State>) -> LifeParts {
    LifeParts { next: NEXT, version: 0, depends_until: NEXT, lanes, decisions: Vec::new(), removals: Vec::new() }
}

fn check(parts: &LifeParts, expected: bool) {
    let restored = Life::from_parts(parts.clone(), &policies());
    assert_eq!(restored.is_some(), expected, "{parts:?}");
    assert!(restored.is_none_or(|life| life.to_parts() == *parts && life.complete_from() == parts.next));
}

#[test]
fn parts_that_fit_together_are_a_life() {
    check(&Life::new().to_parts(), true);
    check(&life(vec![]), true);
    check(&life(vec![lane()]), true);
    check(&life(vec![off(Phase::Removed { breach: BEFORE, not_before: NEXT })]), true);
    check(&life(vec![off(Phase::Probation { start: BEFORE, passed: 0, held: None })]), true);
}

#[test]
fn parts_that_contradict_each_other_are_none() {
    check(&life(vec![lane(), lane()]), false);
    check(&life(vec![State { scope: Scope::Region(Region::Eu), ..lane() }]), false);
    check(&LifeParts { version: 1, ..life(vec![lane()]) }, false);
    check(&LifeParts { version: usize::MAX, ..life(vec![]) }, false);
    check(&life(vec![State { removed_at: Some(BEFORE), ..lane() }]), false);
    check(&life(vec![State { removed_at: None, ..off(Phase::Removed { breach: BEFORE, not_before: BEFORE }) }]), false);
    check(&life(vec![State { critical_next: NEXT + TICK, ..lane() }]), false);
    check(&life(vec![State { phase: Phase::On { next: NEXT + TICK, active: Active::default() }, ..lane() }]), false);
    check(&life(vec![off(Phase::Removed { breach: NEXT, not_before: NEXT })]), false);
    check(&life(vec![off(Phase::Probation { start: BEFORE, passed: 1, held: None })]), false);
    check(&life(vec![off(Phase::Probation { start: BEFORE, passed: u32::MAX, held: None })]), false);
    check(&life(vec![State { refused: Some(Refused { downtime_ms: i64::MAX, outages: 0 }), ..lane() }]), false);
    check(&life(vec![State { refused: Some(Refused { downtime_ms: -1, outages: 0 }), ..lane() }]), false);
    let removal = Removal { scope: Scope::Global, since: BEFORE, interval: Interval::new(BEFORE, NEXT) };
    check(&LifeParts { removals: vec![removal], ..life(vec![lane()]) }, false);
}
