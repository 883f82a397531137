//! The brake that looks at all products of an owner together.

use std::collections::BTreeMap;

use domain::decision::{Decision, DecisionKind, Issuer};
use domain::fact::{Ruling, Verdict};
use domain::time::Timestamp;

use super::story::{at, implied, policies, ruling};
use crate::brakes::Brakes;
use crate::reconcile::{Context, Issued, reconcile};

const REMOVAL: &str = "badge_removal global 2025-03-01T06:00 budget";

#[test]
fn of_21_removals_in_an_hour_one_is_proposed_and_waits() {
    let policies = policies(&[]);
    let mut brakes = Brakes::new(Vec::new(), &policies);
    let mut fleet: BTreeMap<String, Issued> = (1..=21).map(|number| (format!("B{number:02}"), Issued::default())).collect();
    let mut rulings: Vec<Ruling> = Vec::new();
    // Reconciles every product that is implied to be removed at T; yields what is issued, by kind.
    let mut round = |t: &str, rulings: &[Ruling]| -> Vec<Decision> {
        let mut all = Vec::new();
        for (asin, issued) in &mut fleet {
            let removal = implied(REMOVAL, Some(asin), &policies);
            let context = Context {
                t: at(t),
                policies: &policies,
                rulings,
                brakes: &mut brakes,
                by: Issuer::Partition(0),
                next_seq: 1,
                complete_from: Timestamp::MIN,
                inputs: &[],
            };
            for decision in reconcile(issued, &[removal], context) {
                issued.push(decision.clone());
                all.push(decision);
            }
        }
        all
    };
    let count = |issued: &[Decision], kind| issued.iter().filter(|decision| decision.kind == kind).count();
    let first = round("2025-03-02T06:00", &rulings);
    assert_eq!((count(&first, DecisionKind::BadgeRemoval), count(&first, DecisionKind::Proposal)), (20, 1));
    let proposal = first.last().expect("the last one is held back");
    let reasons: Vec<String> = proposal.reasons.iter().map(ToString::to_string).collect();
    assert_eq!(reasons, ["budget", "removal_limit"]);
    assert_eq!(round("2025-03-02T08:00", &rulings), [], "it waits for a ruling, not for the hour to end");
    rulings.push(ruling(proposal, Verdict::Confirmed, at("2025-03-02T09:00")));
    let then = round("2025-03-02T09:00", &rulings);
    assert_eq!((then.len(), then[0].kind, then[0].supersedes), (1, DecisionKind::BadgeRemoval, Some(proposal.id)));
}
