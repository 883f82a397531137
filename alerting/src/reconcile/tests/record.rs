//! When products count as removed by what was issued, and what that means for their manufacturer.

use std::collections::BTreeSet;

use domain::decision::Decision;
use domain::policy::Policies;
use domain::product::Product;

use super::story::{at, implied, policies, switching};
use crate::id::About;
use crate::reconcile::Issued;
use crate::{Removed, suspensions};

const REMOVAL: &str = "badge_removal global 2025-03-01T06:00 budget";
const BACK: &str = "reinstatement global 2025-05-20T00:00";

/// B1, in North America, and in Europe from an instant on if there is one.
fn product(europe_from: Option<&str>, withdrawn: Option<&str>) -> Product {
    let line = |marketplaces: &str| {
        let line = format!(
            r#"{{"type":"badge","asin":"B1","manufacturer":"m-1","marketplaces":[{marketplaces}],"enabled_at":"2025-01-01T00:00:00Z"}}"#
        );
        match wire::fact::parse(line.as_bytes()).expect("a valid line") {
            domain::Fact::Badge(badge) => badge,
            other => panic!("no badge: {other:?}"),
        }
    };
    let badge = line(r#""US""#);
    let mut product = Product::new(badge.asin, badge.enabled_at, badge.terms);
    if let Some(from) = europe_from {
        product.change(at(from), line(r#""US","DE""#).terms);
    }
    product.withdrawn_at = withdrawn.map(at);
    product
}

/// Issues these; `amend 1 …` and `reverse 1 …` are about the decision of that number.
fn issued(lines: &[&str], policies: &Policies) -> Issued {
    let mut log: Vec<Decision> = Vec::new();
    for line in lines {
        let (about, rest) = match line.split_once(' ') {
            Some((verb @ ("amendment" | "reversal"), rest)) => {
                let (number, rest) = rest.split_once(' ').expect("a number");
                (Some(number.parse::<usize>().expect("a number") - 1), format!("{verb} {rest}"))
            }
            _ => (None, (*line).to_owned()),
        };
        let plain = implied(&rest, Some("B1"), policies);
        let supersedes = about.map(|number| log[number].id);
        log.push(About::of(&plain).decide_superseding(supersedes, plain.kind, plain.reasons, plain.at, plain.evidence));
    }
    Issued::replay(log)
}

fn check(lines: &[&str], policies: &Policies, product: &Product, expected: &[&str]) {
    let removed = issued(lines, policies).removed(policies, product);
    let shown = |(scope, when): &(domain::Scope, domain::IntervalSet)| {
        let days: Vec<String> =
            when.iter().map(|i| format!("{} {}", &i.from.to_string()[..10], &i.to.to_string()[..10])).collect();
        format!("{scope} {}", days.join(", "))
    };
    assert_eq!(removed.iter().map(shown).collect::<Vec<_>>(), expected, "{lines:?}");
}

#[test]
fn removed_is_what_stands_of_removals_and_reinstatements() {
    let (policies, product) = (policies(&[]), product(None, None));
    check(&[], &policies, &product, &[]);
    check(&[REMOVAL], &policies, &product, &["global 2025-03-01 9999-12-31"]);
    check(&[REMOVAL, BACK], &policies, &product, &["global 2025-03-01 2025-05-20"]);
    check(&[REMOVAL, "amendment 1 global 2025-02-01T00:00", BACK], &policies, &product, &["global 2025-02-01 2025-05-20"]);
    check(&[REMOVAL, BACK, "reversal 2 global 2025-06-01T00:00"], &policies, &product, &["global 2025-03-01 9999-12-31"]);
    check(&[REMOVAL, BACK, "reversal 1 global 2025-06-01T00:00"], &policies, &product, &[]);
    let again = "badge_removal global 2025-07-01T00:00 budget";
    check(&[REMOVAL, BACK, again], &policies, &product, &["global 2025-03-01 2025-05-20, 2025-07-01 9999-12-31"]);
    check(&["proposal global 2025-03-01T06:00 budget"], &policies, &product, &[]);
}

#[test]
fn withdrawing_a_removed_product_ends_its_part_no_earlier_than_three_months_after_its_removal() {
    let policies = policies(&[]);
    check(&[REMOVAL], &policies, &product(None, Some("2025-03-10T00:00")), &["global 2025-03-01 2025-06-01"]);
    check(&[REMOVAL], &policies, &product(None, Some("2025-09-10T00:00")), &["global 2025-03-01 2025-09-10"]);
    check(&[REMOVAL, BACK], &policies, &product(None, Some("2025-03-10T00:00")), &["global 2025-03-01 2025-05-20"]);
}

#[test]
fn a_switch_carries_the_removal_into_the_regions_that_were_badged() {
    // From the millisecond before it on: the switch itself begins nothing.
    let policies = switching();
    let open = ["NA 2025-05-31 9999-12-31", "global 2025-03-01 2025-06-01"];
    check(&[REMOVAL], &policies, &product(None, None), &open);
    check(&[REMOVAL], &policies, &product(Some("2025-06-01T00:00"), None), &open);
    check(&[REMOVAL, BACK], &policies, &product(None, None), &["global 2025-03-01 2025-05-20"]);
    let both = product(Some("2025-04-01T00:00"), None);
    check(
        &[REMOVAL, "reinstatement EU 2025-06-05T00:00"],
        &policies,
        &both,
        &["EU 2025-05-31 2025-06-05", "NA 2025-05-31 9999-12-31", "global 2025-03-01 2025-06-01"],
    );
    let mut global_again = policies.versions()[0].clone();
    (global_again.name.version, global_again.effective_from) = (3, at("2025-07-01T00:00"));
    let policies = Policies::new([policies.versions(), &[global_again]].concat()).expect("three versions");
    check(
        &["badge_removal NA 2025-06-10T00:00 budget", "reinstatement global 2025-07-10T00:00"],
        &policies,
        &both,
        &["NA 2025-06-10 2025-07-01", "global 2025-06-30 2025-07-10"],
    );
    // Of two in probation the later one goes on, though it was removed first.
    check(
        &[
            "badge_removal EU 2025-06-10T00:00 budget",
            "badge_removal NA 2025-06-12T00:00 budget",
            "probation_started NA 2025-06-13T00:00",
            "probation_started EU 2025-06-20T00:00",
        ],
        &policies,
        &product(Some("2025-04-01T00:00"), Some("2025-06-25T00:00")),
        &["EU 2025-06-10 2025-07-01", "NA 2025-06-12 2025-07-01", "global 2025-06-30 2025-09-10"],
    );
}

#[test]
fn suspensions_follow_from_what_was_issued() {
    let (policies, product) = (policies(&[]), product(None, None));
    let removed = issued(&[REMOVAL, BACK], &policies).removed(&policies, &product);
    let parts: Vec<Removed<'_>> =
        removed.iter().map(|(scope, when)| Removed { product: &product, scope: *scope, when }).collect();
    let manufacturers: BTreeSet<_> = product.manufacturers().cloned().collect();
    let t = at("2025-06-01T00:00");
    let (_, decisions) = suspensions(&policies, t, &manufacturers, [&product].into_iter(), &parts);
    let shown: Vec<String> = decisions.iter().map(|decision| format!("{} {}", decision.kind, decision.at)).collect();
    assert_eq!(shown, ["suspension 2025-03-01T06:00:00.000Z", "suspension_lifted 2025-05-20T00:00:00.000Z"]);
}
