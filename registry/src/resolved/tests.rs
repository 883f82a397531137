use super::*;
use domain::Timestamp;

fn ledger(lines: &[&str]) -> (Ledger, Vec<(u64, RejectReason)>) {
    let mut ledger = Ledger::default();
    let mut refused = Vec::new();
    for (line, text) in (1..).zip(lines) {
        let fact = wire::fact::parse(text.as_bytes()).expect("a valid line");
        refused.extend(ledger.add(line, fact).err().map(|refusal| (refusal.line, refusal.reason)));
    }
    (ledger, refused)
}

const BADGE: &str = r#"{"type":"badge","asin":"B1","manufacturer":"m-1","brand":"Acme","skill":"s-1","hub":null,"marketplaces":["US"],"enabled_at":"2025-01-01T00:00:00Z"}"#;
const CHANGE: &str =
    r#"{"type":"badge","asin":"B1","at":"2025-03-01T00:00:00Z","skill":null,"hub":"H1","marketplaces":["US","DE"]}"#;
const LATER: &str = r#"{"type":"badge","asin":"B1","at":"2025-05-01T00:00:00Z","brand":"Other"}"#;
const EXCLUSION: &str = r#"{"type":"exclusion","id":"x-1","applies_to":{"subject":"hub:H1"},"from":"2025-01-01T00:00:00Z","to":"2025-01-02T00:00:00Z","reason":"platform","approved_by":"team"}"#;
const LISTING: &str = r#"{"type":"listing","asin":"B9","marketplace":"US","at":"2025-01-01T00:00:00Z","status":"live"}"#;

#[test]
fn the_order_of_facts_does_not_show() {
    let (forwards, _) = ledger(&[BADGE, CHANGE, LATER, EXCLUSION]);
    let (backwards, _) = ledger(&[EXCLUSION, LATER, CHANGE, BADGE]);
    let (registry, unknown) = forwards.resolve();
    assert_eq!((registry.clone(), unknown.len()), (backwards.resolve().0, 0));
    let product = &registry.products[&Asin::new("B1").expect("an id")];
    let at = |text| Timestamp::parse_rfc3339(text).expect("an instant");
    let seen = ["2025-01-01T00:00:00Z", "2025-03-01T00:00:00Z", "2025-06-01T00:00:00Z"].map(|text| {
        let terms = product.terms_at(at(text));
        (terms.brand.clone().unwrap_or_default(), terms.skill.is_some(), terms.hub.is_some(), terms.marketplaces.len())
    });
    assert_eq!(
        seen,
        [("Acme".to_owned(), true, false, 1), ("Acme".to_owned(), false, true, 2), ("Other".to_owned(), false, true, 2)]
    );
    let names: Vec<String> = registry.subjects.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["product:B1", "skill:s-1", "hub:H1"], "a skill that is no longer tied stays known");
}

#[test]
fn the_first_of_two_contradicting_lines_stands() {
    let other = EXCLUSION.replace("platform", "dispute");
    let (ledger, refused) = ledger(&[BADGE, BADGE, CHANGE, CHANGE, EXCLUSION, EXCLUSION, &other]);
    let conflict = RejectReason::ConflictingDuplicate;
    assert_eq!(refused, [(2, conflict), (4, conflict), (7, conflict)]);
    assert_eq!(ledger.resolve().0.exclusions.len(), 1);
}

#[test]
fn facts_about_the_unknown_wait_and_are_listed() {
    let (ledger, refused) = ledger(&[LISTING, LATER, EXCLUSION]);
    assert_eq!(refused, []);
    let (registry, unknown) = ledger.resolve();
    assert_eq!(registry, Registry::default());
    assert_eq!(unknown.iter().map(|refusal| refusal.line).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(unknown[0].detail, "product:B9 is not registered: no badge line names it");
}

#[test]
fn the_earliest_withdrawal_holds() {
    let withdrawal = |day| format!(r#"{{"type":"badge_withdrawn","asin":"B1","at":"2025-03-{day}T00:00:00Z"}}"#);
    let (ledger, _) = ledger(&[&withdrawal("20"), BADGE, &withdrawal("10")]);
    let (registry, _) = ledger.resolve();
    let withdrawn = registry.products.values().next().and_then(|product| product.withdrawn_at);
    assert_eq!(withdrawn, Timestamp::parse_rfc3339("2025-03-10T00:00:00Z"));
}
