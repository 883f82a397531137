use super::*;
use crate::ledger::Ledger;

const BADGES: [&str; 2] = [
    r#"{"type":"badge","asin":"B1","manufacturer":"m-1","skill":"s-1","marketplaces":["US"],"enabled_at":"2025-01-01T00:00:00Z"}"#,
    r#"{"type":"badge","asin":"B2","manufacturer":"m-2","marketplaces":["US"],"enabled_at":"2025-01-01T00:00:00Z"}"#,
];

fn registry<'a>(lines: impl Iterator<Item = &'a str>) -> Registry {
    let mut ledger = Ledger::default();
    for (number, line) in (1..).zip(lines) {
        ledger.add(number, wire::fact::parse(line.as_bytes()).expect("a valid line")).expect("no conflict");
    }
    ledger.resolve().0
}

/// What lines beside the badges change about B1 and B2, T being the start of August.
fn check(before: &[&str], after: &[&str], expected: [Option<&str>; 2]) {
    let at = Timestamp::parse_rfc3339("2025-08-01T00:00:00Z").expect("an instant");
    let old = registry(BADGES.iter().chain(before).copied());
    let new = registry(BADGES.iter().chain(before).chain(after).copied());
    let differences = Differences::between((&old, at), (&new, at));
    let found = ["B1", "B2"].map(|asin| differences.of(&Asin::new(asin).expect("an id")).map(|at| at.to_string()));
    assert_eq!(found, expected.map(|at| at.map(|day| format!("{day}T00:00:00.000Z"))), "{after:?}");
}

#[test]
fn a_change_counts_from_its_own_instant() {
    check(&[], &[], [None, None]);
    check(&[], &[r#"{"type":"badge","asin":"B1","at":"2025-03-01T00:00:00Z","skill":null}"#], [Some("2025-03-01"), None]);
    check(&[], &[r#"{"type":"badge","asin":"B1","at":"2025-03-01T00:00:00Z","manufacturer":"m-1"}"#], [None, None]);
    let later = r#"{"type":"badge_withdrawn","asin":"B2","at":"2025-05-01T00:00:00Z"}"#;
    let earlier = r#"{"type":"badge_withdrawn","asin":"B2","at":"2025-04-01T00:00:00Z"}"#;
    check(&[later], &[earlier], [None, Some("2025-04-01")]);
    check(&[earlier], &[later], [None, None]);
}

#[test]
fn catalogue_facts_concern_whom_they_name() {
    check(
        &[],
        &[r#"{"type":"listing","asin":"B1","marketplace":"US","at":"2025-03-02T00:00:00Z","status":"live"}"#],
        [Some("2025-03-02"), None],
    );
    check(
        &[],
        &[r#"{"type":"skill_listing","skill":"s-1","marketplace":"US","at":"2025-03-03T00:00:00Z","status":"published"}"#],
        [Some("2025-03-03"), None],
    );
}

#[test]
fn an_exclusion_counts_for_whom_it_may_cover_until_it_is_revoked() {
    let exclusion = |target: &str| {
        format!(
            r#"{{"type":"exclusion","id":"x-1","applies_to":{target},"from":"2025-02-01T00:00:00Z","to":"2025-02-02T00:00:00Z","reason":"platform","approved_by":"team"}}"#
        )
    };
    let revoked = |at: &str| format!(r#"{{"type":"exclusion_revoked","id":"x-1","at":"{at}","by":"team"}}"#);
    let feb = Some("2025-02-01");
    check(&[], &[&exclusion(r#"{"all":true}"#)], [feb, feb]);
    check(&[], &[&exclusion(r#"{"manufacturer":"m-2"}"#)], [None, feb]);
    let skill = exclusion(r#"{"subject":"skill:s-1"}"#);
    check(&[], &[&skill], [feb, None]);
    check(&[&skill], &[&revoked("2025-07-01T00:00:00Z")], [feb, None]);
    check(&[&skill], &[&revoked("2025-09-01T00:00:00Z")], [None, None]);
}
