//! The main job that goes on, against a real broker: what it publishes while producers misplace events,
//! people approve, revoke, brake and confirm, and the process is killed, is what the auditor finds in the logs.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

#[path = "common/common.rs"]
pub mod common;
#[path = "live/harness.rs"]
mod harness;
#[path = "live/issued.rs"]
mod issued;

use std::collections::BTreeMap;

use domain::time::{HOUR_MS, MINUTE_MS};
use domain::{Decision, DecisionKind, DurationMs, Reason};
use loadtest::record::{InForce, effective, said};

use common::{BREACH, MINUTES, Watched, ago, is_about, minutes, now, suspends};
use harness::{Live, Producer};
use issued::shown;

// The products, each with a manufacturer of its own. Of the first three the stranger's partition is another
// than the owner's.
const MISPLACED: &str = "B000000002";
const INTERRUPTED: &str = "B000000004";
const HELD_BACK: &str = "B000000010";
const EXCUSED: &str = "B000000001";
const LATER: &str = "B000000003";
const UNREGISTERED: &str = "B000000005";

#[test]
fn a_run_goes_on() {
    let mut live = Live::start();
    one_owner_decides_wherever_events_arrive(&mut live);
    exclusions_are_approved_and_revoked(&mut live);
    a_clock_ahead_moves_nothing(&mut live);
    time_goes_on_without_events(&mut live);
    a_killed_process_goes_on_where_it_was(&mut live);
    an_unknown_subject_counts_once_it_is_registered(&mut live);
    the_kill_switch_makes_proposals(&mut live);
    what_is_in_force_is_what_the_auditor_finds(&mut live);
    assert_eq!(live.stop(), Some(0), "SIGTERM ends a run cleanly");
}

fn one_owner_decides_wherever_events_arrive(live: &mut Live) {
    let from = ago(DurationMs::days(10));
    live.badge(MISPLACED, "m-1", from);
    let (even, odd): (Vec<_>, Vec<_>) = minutes(from, 0..MINUTES).partition(|at| at.minute() % 2 == 0);
    live.down(Producer::Contract, MISPLACED, even);
    live.down(Producer::Stranger, MISPLACED, odd);
    let removal = live.wait_for(MISPLACED, DecisionKind::BadgeRemoval, 1);
    assert_eq!(removal.at, from.saturating_add(BREACH));
    assert_eq!(removal.reasons, [Reason::Budget]);
    let implied = live.truth(now()).decisions;
    let implied = implied.iter().find(|decision| decision.kind == DecisionKind::BadgeRemoval).unwrap();
    assert_eq!((removal.at, &removal.reasons, removal.scope), (implied.at, &implied.reasons, implied.scope));
    assert!(live.metric("badgewatch_events_rerouted_total") >= MINUTES as f64 / 2.0, "the odd ones were sent on");
    let suspension = live.wait("a suspension", |live| suspended(live, "m-1"));
    assert_eq!(suspension.at, removal.at);
}

fn exclusions_are_approved_and_revoked(live: &mut Live) {
    let from = ago(DurationMs(20 * HOUR_MS));
    live.badge(EXCUSED, "m-2", from);
    live.down(Producer::Contract, EXCUSED, minutes(from, 0..MINUTES));
    let mut last = live.wait_for(EXCUSED, DecisionKind::BadgeRemoval, 1);
    // The second one is revoked as of earlier, so that T is past it when the line comes.
    for (count, id, since) in [(1, "x-1", DurationMs(0)), (2, "x-2", DurationMs(MINUTE_MS))] {
        let to = from.saturating_add(DurationMs(HOUR_MS));
        live.fact(&format!(
            r#"{{"type":"exclusion","id":"{id}","applies_to":{{"subject":"product:{EXCUSED}"}},"from":"{from}","to":"{to}","reason":"dispute","approved_by":"t"}}"#
        ));
        let reversal = live.wait_for(EXCUSED, DecisionKind::Reversal, count);
        assert_eq!((reversal.supersedes, reversal.evidence.amends), (Some(last.id), Some(DecisionKind::BadgeRemoval)));
        let at = now().saturating_sub(since);
        live.fact(&format!(r#"{{"type":"exclusion_revoked","id":"{id}","at":"{at}","by":"t"}}"#));
        last = live.wait_for(EXCUSED, DecisionKind::BadgeRemoval, count + 1);
        assert_eq!((last.supersedes, last.at), (Some(reversal.id), from.saturating_add(BREACH)));
    }
    let (removal, reversal) = (DecisionKind::BadgeRemoval, DecisionKind::Reversal);
    assert_eq!(live.removals(EXCUSED), [removal, reversal, removal, reversal, removal]);
}

fn a_clock_ahead_moves_nothing(live: &mut Live) {
    live.down(Producer::Contract, EXCUSED, [now().saturating_add(DurationMs::days(365))]);
    let rejected = live.wait("a rejection", |live| rejected(live, "too_far_in_future"));
    assert!(rejected.contains(EXCUSED), "{rejected}");
}

/// Nobody but the main job appends anything meanwhile.
fn time_goes_on_without_events(live: &mut Live) {
    live.wait_for_t(now());
    assert!(live.watermark() <= now(), "T doesn't run ahead");
}

fn a_killed_process_goes_on_where_it_was(live: &mut Live) {
    let before: Vec<Decision> = live.issued().cloned().collect();
    live.kill();
    let killed = now();
    live.open();
    live.catch_up();
    let news: Vec<String> =
        live.issued().filter(|decision| !before.contains(decision) && decision.at < killed).map(shown).collect();
    assert_eq!(news, Vec::<String>::new(), "nothing is issued anew");
    assert!(before.iter().all(|decision| live.issued().any(|now| now == decision)), "nothing is lost");

    let from = ago(DurationMs(20 * HOUR_MS));
    live.badge(INTERRUPTED, "m-3", from);
    live.down(Producer::Stranger, INTERRUPTED, minutes(from, 0..MINUTES));
    live.kill();
    live.open();
    live.badge(LATER, "m-4", from);
    live.down(Producer::Contract, LATER, minutes(from, 0..MINUTES));
    for asin in [INTERRUPTED, LATER] {
        assert_eq!(live.wait_for(asin, DecisionKind::BadgeRemoval, 1).at, from.saturating_add(BREACH), "{asin}");
    }
}

fn an_unknown_subject_counts_once_it_is_registered(live: &mut Live) {
    let from = ago(DurationMs(20 * HOUR_MS));
    live.down(Producer::Contract, UNREGISTERED, [from]);
    let rejected = live.wait("a rejection", |live| rejected(live, "unknown_subject"));
    assert!(rejected.contains(UNREGISTERED), "{rejected}");
    live.badge(UNREGISTERED, "m-5", from);
    let later = from.saturating_add(DurationMs(MINUTE_MS));
    live.down(Producer::Contract, UNREGISTERED, minutes(later, 0..MINUTES));
    let removal = live.wait_for(UNREGISTERED, DecisionKind::BadgeRemoval, 1);
    assert_eq!(removal.at, later.saturating_add(BREACH), "the rejected minute doesn't count");
}

fn the_kill_switch_makes_proposals(live: &mut Live) {
    let from = ago(DurationMs(20 * HOUR_MS));
    let turned = |on: bool| format!(r#"{{"type":"kill_switch","on":{on},"at":"{}","by":"t","reason":"a drill"}}"#, now());
    live.fact(&turned(true));
    live.catch_up();
    live.badge(HELD_BACK, "m-6", from);
    live.down(Producer::Stranger, HELD_BACK, minutes(from, 0..MINUTES));
    let proposal = live.wait_for(HELD_BACK, DecisionKind::Proposal, 1);
    assert_eq!(proposal.at, from.saturating_add(BREACH));
    assert_eq!(proposal.reasons, [Reason::Budget, Reason::KillSwitch]);
    live.fact(&format!(
        r#"{{"type":"confirmation","proposal":"{}","asin":"{HELD_BACK}","scope":"global","proposed_at":"{}","at":"{}","by":"t"}}"#,
        proposal.id,
        proposal.at,
        now()
    ));
    let removal = live.wait_for(HELD_BACK, DecisionKind::BadgeRemoval, 1);
    assert_eq!(removal.supersedes, Some(proposal.id));
    assert_eq!(live.removals(HELD_BACK), [DecisionKind::Proposal, DecisionKind::BadgeRemoval]);
    live.fact(&turned(false));
}

fn what_is_in_force_is_what_the_auditor_finds(live: &mut Live) {
    let truth = live.truth(now());
    for asin in [MISPLACED, EXCUSED, INTERRUPTED, LATER, UNREGISTERED, HELD_BACK] {
        let issued: Vec<Decision> = live.about(asin).cloned().collect();
        let implied: Vec<Decision> = truth.decisions.iter().filter(|one| is_about(one, asin)).cloned().collect();
        let settled =
            |list: Vec<InForce>| -> Vec<_> { list.into_iter().filter(|one| one.kind != DecisionKind::Proposal).collect() };
        assert_eq!(settled(effective(&issued)), settled(said(&implied)), "{asin}");
    }
    for asin in [MISPLACED, INTERRUPTED, LATER, UNREGISTERED] {
        assert_eq!(live.removals(asin), [DecisionKind::BadgeRemoval], "{asin}");
    }
    let expected: BTreeMap<String, (String, i64)> = truth
        .products
        .iter()
        .map(|product| (product.asin.to_string(), (product.standing.as_str().to_owned(), product.downtime_ms)))
        .collect();
    assert_eq!(live.standings(), expected);
}

fn suspended(live: &Live, manufacturer: &str) -> Option<Decision> {
    live.issued().find(|one| suspends(one, manufacturer)).cloned()
}

/// What a line that was rejected for a reason said.
fn rejected(live: &Live, reason: &str) -> Option<String> {
    live.rejected().iter().find(|rejected| rejected.reason == reason).and_then(|rejected| rejected.payload.clone())
}
