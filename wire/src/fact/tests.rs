use domain::fact::{
    Acknowledgement, Badge, BadgeChange, Exclusion, ExclusionReason, ExclusionRevoked, ExclusionTarget, KillSwitch, Listing,
    ListingStatus, Manufacturer, Ruling, SkillListing, Terms, Verdict, Withdrawal,
};
use domain::{
    Asin, DecisionId, ExclusionId, Interval, ManufacturerId, Marketplace, Region, RegionSet, RejectReason, Scope, SkillId,
    SubjectRef, Timestamp,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::samples::{asin, at};

const MANUFACTURER: &str = r#"{"type": "manufacturer", "id": "m-1", "name": "Acme", "contacts": ["a@acme.example"]}"#;
const BADGE: &str = r#"{"type": "badge", "asin": "B000000001", "manufacturer": "m-1", "brand": "Acme", "model": "One", "skill": "skill-1", "hub": null, "marketplaces": ["US", "DE"], "customers": 120000, "enabled_at": "2025-01-01T00:00:00Z"}"#;
const CHANGE: &str = r#"{"type": "badge", "asin": "B000000001", "at": "2025-06-01T00:00:00Z", "hub": null}"#;
const WITHDRAWN: &str = r#"{"type": "badge_withdrawn", "asin": "B000000001", "at": "2025-06-01T00:00:00Z"}"#;
const EXCLUSION: &str = r#"{"type": "exclusion", "id": "x-1", "applies_to": {"all": true}, "regions": ["NA"], "from": "2025-06-01T00:00:00Z", "to": "2025-06-02T00:00:00Z", "reason": "platform", "approved_by": "ops"}"#;
const LISTING: &str = r#"{"type": "listing", "asin": "B000000001", "marketplace": "US", "at": "2025-05-20T00:00:00Z", "status": "suppressed", "brand": "Acme", "model": "One"}"#;
const SKILL_LISTING: &str =
    r#"{"type": "skill_listing", "skill": "skill-1", "marketplace": "GB", "at": 1747699200000, "status": "published"}"#;
const REVOKED: &str = r#"{"type": "exclusion_revoked", "id": "x-1", "at": "2025-06-03T00:00:00Z", "by": "ops"}"#;
const CONFIRMATION: &str = r#"{"type": "confirmation", "proposal": "000102030405060708090a0b0c0d0e0f", "asin": "B000000001", "scope": "global", "proposed_at": "2025-06-01T00:00:00Z", "at": "2025-06-02T00:00:00Z", "by": "lead", "note": "seen"}"#;
const ACKNOWLEDGEMENT: &str = r#"{"type": "acknowledgement", "outage": "000102030405060708090a0b0c0d0e0f", "asin": "B000000001", "at": "2025-06-02T00:00:00Z", "by": "acme", "cause": "power", "expected_fix": "2025-06-03T00:00:00Z"}"#;
const KILL_SWITCH: &str =
    r#"{"type": "kill_switch", "on": true, "at": "2025-06-02T00:00:00Z", "by": "lead", "reason": "a fault of ours"}"#;
/// The decision that the lines name.
const DECISION: DecisionId = DecisionId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

/// Replaces one part of a line, which must be there.
fn with(line: &str, part: &str, by: &str) -> String {
    assert!(line.contains(part), "{part} is not in {line}");
    line.replacen(part, by, 1)
}

fn marketplace(code: &str) -> Marketplace {
    Marketplace::parse(code).expect("a marketplace")
}

fn manufacturer(id: &str) -> ManufacturerId {
    ManufacturerId::new(id).expect("an id")
}

fn badge() -> Badge {
    let terms = Terms {
        manufacturer: manufacturer("m-1"),
        brand: Some("Acme".to_owned()),
        model: Some("One".to_owned()),
        image: None,
        skill: SkillId::new("skill-1"),
        hub: None,
        marketplaces: vec![marketplace("DE"), marketplace("US")],
        customers: 120_000,
    };
    Badge { asin: asin("B000000001"), terms, enabled_at: at("2025-01-01T00:00:00Z") }
}

fn change() -> BadgeChange {
    BadgeChange {
        asin: asin("B000000001"),
        at: at("2025-06-01T00:00:00Z"),
        manufacturer: None,
        brand: None,
        model: None,
        image: None,
        skill: None,
        hub: Some(None),
        marketplaces: None,
        customers: None,
    }
}

fn exclusion() -> Exclusion {
    Exclusion {
        id: ExclusionId::new("x-1").expect("an id"),
        target: ExclusionTarget::All,
        regions: [Region::Na].into_iter().collect(),
        interval: Interval::new(at("2025-06-01T00:00:00Z"), at("2025-06-02T00:00:00Z")),
        reason: ExclusionReason::Platform,
        approved_by: "ops".to_owned(),
    }
}

fn listing() -> Listing {
    Listing {
        asin: asin("B000000001"),
        marketplace: marketplace("US"),
        at: at("2025-05-20T00:00:00Z"),
        status: ListingStatus::Suppressed,
        brand: Some("Acme".to_owned()),
        model: Some("One".to_owned()),
        image: None,
        hub: None,
    }
}

fn check(line: &str, expected: Fact) {
    assert_eq!(parse(line.as_bytes()), Ok(expected), "{line}");
}

#[test]
fn manufacturers_are_read() {
    let expected =
        Manufacturer { id: manufacturer("m-1"), name: Some("Acme".to_owned()), contacts: vec!["a@acme.example".to_owned()] };
    check(MANUFACTURER, Fact::Manufacturer(expected.clone()));
    check(&with(MANUFACTURER, "{", "{\"v\": 1, \"x\": [], "), Fact::Manufacturer(expected.clone()));
    let bare = Fact::Manufacturer(Manufacturer { name: None, contacts: vec![], ..expected });
    check(r#"{"type": "manufacturer", "id": "m-1"}"#, bare.clone());
    check(r#"{"type": "manufacturer", "id": "m-1", "name": null, "contacts": null}"#, bare);
}

#[test]
fn badges_are_read() {
    check(BADGE, Fact::Badge(badge()));
    check(&with(BADGE, "[\"US\", \"DE\"]", "[\"DE\", \"US\", \"US\", \"DE\"]"), Fact::Badge(badge()));
    check(&with(BADGE, "{", "{\"at\": null, "), Fact::Badge(badge()));
    let terms =
        Terms { image: Some("i".to_owned()), hub: Some(asin("H1")), marketplaces: vec![marketplace("UK")], ..badge().terms };
    let line = with(&with(BADGE, "\"hub\": null", "\"hub\": \"H1\", \"image\": \"i\""), "[\"US\", \"DE\"]", "[\"GB\", \"UK\"]");
    check(&line, Fact::Badge(Badge { terms, ..badge() }));
    let terms =
        Terms { brand: None, model: None, skill: None, marketplaces: vec![marketplace("JP")], customers: 0, ..badge().terms };
    let line =
        r#"{"type": "badge", "asin": "B000000001", "manufacturer": "m-1", "marketplaces": ["JP"], "enabled_at": 1735689600000}"#;
    check(line, Fact::Badge(Badge { terms, ..badge() }));
}

#[test]
fn badge_changes_hold_only_what_changes() {
    check(CHANGE, Fact::BadgeChange(change()));
    check(&with(CHANGE, "\"hub\"", "\"enabled_at\": 0, \"hub\""), Fact::BadgeChange(change()));
    check(&with(CHANGE, ", \"hub\": null", ""), Fact::BadgeChange(BadgeChange { hub: None, ..change() }));
    let cleared = BadgeChange { brand: Some(None), model: Some(None), image: Some(None), skill: Some(None), ..change() };
    let nulls = "\"brand\": null, \"model\": null, \"image\": null, \"skill\": null, \"hub\"";
    check(&with(CHANGE, "\"hub\"", nulls), Fact::BadgeChange(cleared));
    check(
        &with(CHANGE, "\"hub\"", "\"customers\": null, \"hub\""),
        Fact::BadgeChange(BadgeChange { customers: Some(0), ..change() }),
    );
    let all = BadgeChange {
        manufacturer: Some(manufacturer("m-2")),
        brand: Some(Some("b".to_owned())),
        skill: Some(SkillId::new("s")),
        marketplaces: Some(vec![marketplace("FR"), marketplace("US")]),
        customers: Some(7),
        ..change()
    };
    let values = r#""manufacturer": "m-2", "brand": "b", "skill": "s", "marketplaces": ["US", "FR"], "customers": 7, "hub""#;
    check(&with(CHANGE, "\"hub\"", values), Fact::BadgeChange(all));
}

#[test]
fn withdrawals_and_listings_are_read() {
    check(WITHDRAWN, Fact::Withdrawal(Withdrawal { asin: asin("B000000001"), at: at("2025-06-01T00:00:00Z") }));
    check(LISTING, Fact::Listing(listing()));
    let full =
        Listing { image: Some("i".to_owned()), hub: Some(asin("H1")), brand: None, status: ListingStatus::Good, ..listing() };
    let line =
        with(&with(LISTING, "suppressed", "live"), "\"brand\": \"Acme\"", "\"image\": \"i\", \"hub\": \"H1\", \"brand\": null");
    check(&line, Fact::Listing(full));
    let skill = SkillListing {
        skill: SkillId::new("skill-1").expect("an id"),
        marketplace: marketplace("UK"),
        at: at("2025-05-20T00:00:00Z"),
        status: ListingStatus::Good,
    };
    check(SKILL_LISTING, Fact::SkillListing(skill));
}

#[test]
fn exclusions_are_read() {
    check(EXCLUSION, Fact::Exclusion(exclusion()));
    let everywhere = Fact::Exclusion(Exclusion { regions: RegionSet::ALL, ..exclusion() });
    check(&with(EXCLUSION, "\"regions\": [\"NA\"], ", ""), everywhere.clone());
    check(&with(EXCLUSION, "[\"NA\"]", "null"), everywhere.clone());
    check(&with(EXCLUSION, "[\"NA\"]", "[\"NA\", \"EU\", \"FE\", \"NA\"]"), everywhere);
    let subject = ExclusionTarget::Subject(SubjectRef::parse("skill:skill-1").expect("a subject").to_owned());
    let targeted = |target: ExclusionTarget| Fact::Exclusion(Exclusion { target, ..exclusion() });
    check(&with(EXCLUSION, "{\"all\": true}", "{\"subject\": \"skill:skill-1\", \"all\": null}"), targeted(subject));
    let manufacturer = ExclusionTarget::Manufacturer(manufacturer("m-1"));
    check(&with(EXCLUSION, "{\"all\": true}", "{\"manufacturer\": \"m-1\", \"x\": 1}"), targeted(manufacturer));
}

#[test]
fn revocations_and_the_kill_switch_are_read() {
    let revoked = ExclusionRevoked { id: exclusion().id, at: at("2025-06-03T00:00:00Z"), by: "ops".to_owned() };
    check(REVOKED, Fact::ExclusionRevoked(revoked.clone()));
    check(&with(REVOKED, "{", "{\"v\": 1, \"reason\": 7, "), Fact::ExclusionRevoked(revoked));
    let on = KillSwitch { on: true, at: at("2025-06-02T00:00:00Z"), by: "lead".to_owned(), reason: "a fault of ours".to_owned() };
    check(KILL_SWITCH, Fact::KillSwitch(on.clone()));
    check(&with(KILL_SWITCH, "true", "false"), Fact::KillSwitch(KillSwitch { on: false, ..on }));
}

#[test]
fn rulings_are_read() {
    let ruling = Ruling {
        proposal: DECISION,
        asin: asin("B000000001"),
        scope: Scope::Global,
        proposed_at: at("2025-06-01T00:00:00Z"),
        at: at("2025-06-02T00:00:00Z"),
        verdict: Verdict::Confirmed,
        by: "lead".to_owned(),
        note: Some("seen".to_owned()),
    };
    check(CONFIRMATION, Fact::Ruling(ruling.clone()));
    let refused = Ruling { verdict: Verdict::Refused, ..ruling.clone() };
    check(&with(CONFIRMATION, "confirmation", "refusal"), Fact::Ruling(refused));
    let regional = Ruling { scope: Scope::Region(Region::Eu), note: None, ..ruling };
    check(&with(&with(CONFIRMATION, "global", "EU"), ", \"note\": \"seen\"", ""), Fact::Ruling(regional.clone()));
    check(&with(&with(CONFIRMATION, "global", "EU"), "\"seen\"", "null"), Fact::Ruling(regional));
}

#[test]
fn acknowledgements_are_read() {
    let acknowledgement = Acknowledgement {
        outage: DECISION,
        asin: asin("B000000001"),
        at: at("2025-06-02T00:00:00Z"),
        by: "acme".to_owned(),
        cause: "power".to_owned(),
        expected_fix: at("2025-06-03T00:00:00Z"),
    };
    check(ACKNOWLEDGEMENT, Fact::Acknowledgement(acknowledgement.clone()));
    let past = Acknowledgement { expected_fix: at("2025-06-01T00:00:00Z"), ..acknowledgement };
    check(&with(ACKNOWLEDGEMENT, "2025-06-03T00:00:00Z", "2025-06-01T00:00:00Z"), Fact::Acknowledgement(past));
}

/// Wrong lines of every kind, with the reason that each has.
fn wrong_lines() -> Vec<(String, RejectReason)> {
    use RejectReason::{
        InvalidField, InvalidJson, MissingField, UnknownMarketplace, UnknownRegion, UnknownType, UnsupportedVersion,
    };
    let applies_to = |target: &str| with(EXCLUSION, "{\"all\": true}", target);
    vec![
        ("{".to_owned(), InvalidJson),
        (with(BADGE, "}", ", \"asin\": \"B000000002\"}"), InvalidJson),
        (with(BADGE, "{", "{\"v\": 2, "), UnsupportedVersion),
        (with(BADGE, "{", "{\"v\": null, "), InvalidField),
        (with(BADGE, "\"badge\"", "\"badges\""), UnknownType),
        (with(BADGE, "\"type\": \"badge\", ", ""), MissingField),
        (with(MANUFACTURER, "\"id\": \"m-1\", ", ""), MissingField),
        (with(MANUFACTURER, "m-1", ""), InvalidField),
        (with(MANUFACTURER, "\"Acme\"", "1"), InvalidField),
        (with(MANUFACTURER, "[\"a@acme.example\"]", "\"a@acme.example\""), InvalidField),
        (with(MANUFACTURER, "\"a@acme.example\"", "1"), InvalidField),
        (with(BADGE, "\"asin\": \"B000000001\", ", ""), MissingField),
        (with(BADGE, "\"B000000001\"", "null"), InvalidField),
        (with(BADGE, "\"manufacturer\": \"m-1\", ", ""), MissingField),
        (with(BADGE, "\"Acme\"", "[\"Acme\"]"), InvalidField),
        (with(BADGE, "\"skill-1\"", "\"\""), InvalidField),
        (with(BADGE, "\"hub\": null", "\"hub\": false"), InvalidField),
        (with(BADGE, "\"marketplaces\": [\"US\", \"DE\"], ", ""), MissingField),
        (with(BADGE, "[\"US\", \"DE\"]", "[]"), InvalidField),
        (with(BADGE, "[\"US\", \"DE\"]", "null"), InvalidField),
        (with(BADGE, "[\"US\", \"DE\"]", "\"US\""), InvalidField),
        (with(BADGE, "[\"US\", \"DE\"]", "[\"US\", 1]"), InvalidField),
        (with(BADGE, "\"DE\"", "\"XX\""), UnknownMarketplace),
        (with(BADGE, "120000", "-1"), InvalidField),
        (with(BADGE, ", \"enabled_at\": \"2025-01-01T00:00:00Z\"", ""), MissingField),
        (with(BADGE, "2025-01-01T00:00:00Z", "2025-01-01"), InvalidField),
        (with(CHANGE, "\"2025-06-01T00:00:00Z\"", "\"June\""), InvalidField),
        (with(CHANGE, "\"hub\"", "\"manufacturer\": null, \"hub\""), InvalidField),
        (with(CHANGE, "\"hub\"", "\"marketplaces\": null, \"hub\""), InvalidField),
        (with(CHANGE, "\"hub\"", "\"marketplaces\": [], \"hub\""), InvalidField),
        (with(CHANGE, "\"hub\"", "\"marketplaces\": [\"EU\"], \"hub\""), UnknownMarketplace),
        (with(CHANGE, "\"hub\"", "\"enabled_at\": \"June\", \"hub\""), InvalidField),
        (with(CHANGE, "\"hub\": null", "\"hub\": \"\""), InvalidField),
        (with(WITHDRAWN, ", \"at\": \"2025-06-01T00:00:00Z\"", ""), MissingField),
        (with(EXCLUSION, "\"id\": \"x-1\", ", ""), MissingField),
        (with(EXCLUSION, "\"applies_to\": {\"all\": true}, ", ""), MissingField),
        (applies_to("\"all\""), InvalidField),
        (applies_to("{}"), InvalidField),
        (applies_to("{\"all\": false}"), InvalidField),
        (applies_to("{\"subject\": \"device:1\"}"), InvalidField),
        (applies_to("{\"manufacturer\": \"\"}"), InvalidField),
        (applies_to("{\"all\": true, \"manufacturer\": \"m-1\"}"), InvalidField),
        (with(EXCLUSION, "[\"NA\"]", "[]"), InvalidField),
        (with(EXCLUSION, "[\"NA\"]", "\"NA\""), InvalidField),
        (with(EXCLUSION, "[\"NA\"]", "[\"NA\", \"US\"]"), UnknownRegion),
        (with(EXCLUSION, "2025-06-02", "2025-06-01"), InvalidField),
        (with(EXCLUSION, "2025-06-02", "2025-05-01"), InvalidField),
        (with(EXCLUSION, "\"platform\"", "\"weather\""), InvalidField),
        (with(EXCLUSION, ", \"approved_by\": \"ops\"", ""), MissingField),
        (with(EXCLUSION, "\"ops\"", "\"\""), InvalidField),
        (with(EXCLUSION, "\"ops\"", "null"), InvalidField),
        (with(LISTING, "\"US\"", "\"us\""), UnknownMarketplace),
        (with(LISTING, "\"US\"", "[\"US\"]"), InvalidField),
        (with(LISTING, "\"marketplace\": \"US\", ", ""), MissingField),
        (with(LISTING, "suppressed", "published"), InvalidField),
        (with(LISTING, "\"One\"", "1"), InvalidField),
        (with(SKILL_LISTING, "published", "live"), InvalidField),
        (with(SKILL_LISTING, "\"skill\": \"skill-1\", ", ""), MissingField),
    ]
}

/// Wrong lines about decisions and enforcement, with the reason that each has.
fn wrong_rulings() -> Vec<(String, RejectReason)> {
    use RejectReason::{InvalidField, MissingField, UnknownType};
    let confirmation = |part: &str, by: &str| with(CONFIRMATION, part, by);
    vec![
        (with(REVOKED, "\"id\": \"x-1\", ", ""), MissingField),
        (with(REVOKED, "x-1", ""), InvalidField),
        (with(REVOKED, "2025-06-03T00:00:00Z", "June"), InvalidField),
        (with(REVOKED, ", \"by\": \"ops\"", ""), MissingField),
        (with(REVOKED, "\"ops\"", "\"\""), InvalidField),
        (confirmation("confirmation", "approval"), UnknownType),
        (confirmation("\"proposal\": \"000102030405060708090a0b0c0d0e0f\", ", ""), MissingField),
        (confirmation("0a0b", "0A0B"), InvalidField),
        (confirmation("0e0f", "0e"), InvalidField),
        (confirmation("\"B000000001\"", "null"), InvalidField),
        (confirmation("\"scope\": \"global\", ", ""), MissingField),
        (confirmation("global", "US"), InvalidField),
        (confirmation("\"proposed_at\": \"2025-06-01T00:00:00Z\", ", ""), MissingField),
        (confirmation(", \"at\": \"2025-06-02T00:00:00Z\"", ""), MissingField),
        (confirmation("\"lead\"", "null"), InvalidField),
        (confirmation("\"seen\"", "1"), InvalidField),
        (with(ACKNOWLEDGEMENT, "\"000102030405060708090a0b0c0d0e0f\"", "15"), InvalidField),
        (with(ACKNOWLEDGEMENT, "\"by\": \"acme\", ", ""), MissingField),
        (with(ACKNOWLEDGEMENT, "\"power\"", "\"\""), InvalidField),
        (with(ACKNOWLEDGEMENT, ", \"expected_fix\": \"2025-06-03T00:00:00Z\"", ""), MissingField),
        (with(ACKNOWLEDGEMENT, "\"2025-06-03T00:00:00Z\"", "\"soon\""), InvalidField),
        (with(KILL_SWITCH, "\"on\": true, ", ""), MissingField),
        (with(KILL_SWITCH, "true", "\"on\""), InvalidField),
        (with(KILL_SWITCH, "true", "null"), InvalidField),
        (with(KILL_SWITCH, "\"at\": \"2025-06-02T00:00:00Z\", ", ""), MissingField),
        (with(KILL_SWITCH, "\"a fault of ours\"", "\"\""), InvalidField),
    ]
}

#[test]
fn wrong_lines_are_told_apart() {
    let mut told = String::new();
    for (line, reason) in wrong_lines().into_iter().chain(wrong_rulings()) {
        let error = parse(line.as_bytes()).expect_err(&line);
        assert_eq!(error.reason, reason, "{line}");
        told.push_str(&format!("{line}\n    {error}\n"));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn facts_are_written_as_the_contract_shows_them() {
    let refusal = with(CONFIRMATION, "confirmation", "refusal");
    let standing = [MANUFACTURER, BADGE, CHANGE, WITHDRAWN, EXCLUSION, LISTING, SKILL_LISTING];
    let live = [REVOKED, CONFIRMATION, &refusal, ACKNOWLEDGEMENT, KILL_SWITCH];
    let facts: Vec<_> = standing.into_iter().chain(live).map(|line| parse(line.as_bytes()).expect(line)).collect();
    let mut out = Vec::new();
    for fact in &facts {
        write(fact, &mut out);
        out.push(b'\n');
    }
    insta::assert_snapshot!(String::from_utf8(out).expect("JSON is UTF-8"));
}

fn any_id<T: std::fmt::Debug>(new: fn(&str) -> Option<T>) -> impl Strategy<Value = T> {
    prop_oneof!["[A-Z0-9]{1,10}", ".{1,20}"].prop_filter_map("an id", move |id| new(&id))
}

fn any_at() -> impl Strategy<Value = Timestamp> {
    (0..=Timestamp::MAX.ms()).prop_map(Timestamp::clamped)
}

fn any_marketplaces() -> impl Strategy<Value = Vec<Marketplace>> {
    let codes = ["US", "CA", "UK", "DE", "IN", "JP", "NZ"].map(marketplace).to_vec();
    prop::collection::btree_set(select(codes), 1..5).prop_map(|set| set.into_iter().collect())
}

fn any_badge() -> impl Strategy<Value = Fact> {
    let texts = (any::<Option<String>>(), any::<Option<String>>(), any::<Option<String>>());
    let links = (prop::option::of(any_id(SkillId::new)), prop::option::of(any_id(Asin::new)));
    (any_id(Asin::new), any_id(ManufacturerId::new), texts, links, any_marketplaces(), any::<u64>(), any_at()).prop_map(
        |(asin, manufacturer, (brand, model, image), (skill, hub), marketplaces, customers, enabled_at)| {
            let terms = Terms { manufacturer, brand, model, image, skill, hub, marketplaces, customers };
            Fact::Badge(Badge { asin, terms, enabled_at })
        },
    )
}

fn any_badge_change() -> impl Strategy<Value = Fact> {
    let text = any::<Option<Option<String>>>;
    let links = (prop::option::of(prop::option::of(any_id(SkillId::new))), prop::option::of(prop::option::of(any_id(Asin::new))));
    let rest = (prop::option::of(any_id(ManufacturerId::new)), prop::option::of(any_marketplaces()), any::<Option<u64>>());
    (any_id(Asin::new), any_at(), (text(), text(), text()), links, rest).prop_map(
        |(asin, at, (brand, model, image), (skill, hub), (manufacturer, marketplaces, customers))| {
            Fact::BadgeChange(BadgeChange { asin, at, manufacturer, brand, model, image, skill, hub, marketplaces, customers })
        },
    )
}

fn any_exclusion() -> impl Strategy<Value = Fact> {
    let subject = (select(vec!["product", "skill", "hub"]), any_id(Asin::new))
        .prop_filter_map("a subject", |(kind, id)| SubjectRef::parse(&format!("{kind}:{id}")).map(SubjectRef::to_owned));
    let target = prop_oneof![
        Just(ExclusionTarget::All),
        subject.prop_map(ExclusionTarget::Subject),
        any_id(ManufacturerId::new).prop_map(ExclusionTarget::Manufacturer),
    ];
    let regions = prop::collection::vec(select(Region::ALL.to_vec()), 1..4).prop_map(|regions| regions.into_iter().collect());
    let interval = (any_at(), any_at()).prop_map(|(one, other)| Interval::new(one.min(other), one.max(other)));
    let interval = interval.prop_filter("not empty", |interval| !interval.is_empty());
    (any_id(ExclusionId::new), target, regions, interval, select(ExclusionReason::ALL.to_vec()), ".{1,20}").prop_map(
        |(id, target, regions, interval, reason, approved_by)| {
            Fact::Exclusion(Exclusion { id, target, regions, interval, reason, approved_by })
        },
    )
}

fn any_listing() -> impl Strategy<Value = Fact> {
    let status = || select(ListingStatus::ALL.to_vec());
    let market = || any_marketplaces().prop_map(|marketplaces| marketplaces[0]);
    let texts = (any::<Option<String>>(), any::<Option<String>>(), any::<Option<String>>());
    let listing = (any_id(Asin::new), market(), any_at(), status(), texts, prop::option::of(any_id(Asin::new))).prop_map(
        |(asin, marketplace, at, status, (brand, model, image), hub)| {
            Fact::Listing(Listing { asin, marketplace, at, status, brand, model, image, hub })
        },
    );
    let skill = (any_id(SkillId::new), market(), any_at(), status())
        .prop_map(|(skill, marketplace, at, status)| Fact::SkillListing(SkillListing { skill, marketplace, at, status }));
    prop_oneof![listing, skill]
}

fn any_ruling() -> impl Strategy<Value = Fact> {
    let scopes = Region::ALL.map(Scope::Region).into_iter().chain([Scope::Global]).collect::<Vec<_>>();
    let about = (any::<[u8; 16]>().prop_map(DecisionId), any_id(Asin::new), select(scopes), any_at());
    (about, any_at(), select(Verdict::ALL.to_vec()), ".{1,20}", any::<Option<String>>()).prop_map(
        |((proposal, asin, scope, proposed_at), at, verdict, by, note)| {
            Fact::Ruling(Ruling { proposal, asin, scope, proposed_at, at, verdict, by, note })
        },
    )
}

fn any_live_fact() -> impl Strategy<Value = Fact> {
    let revoked = (any_id(ExclusionId::new), any_at(), ".{1,20}")
        .prop_map(|(id, at, by)| Fact::ExclusionRevoked(ExclusionRevoked { id, at, by }));
    let acknowledgement = (any::<[u8; 16]>().prop_map(DecisionId), any_id(Asin::new), any_at(), ".{1,20}", ".{1,20}", any_at())
        .prop_map(|(outage, asin, at, by, cause, expected_fix)| {
            Fact::Acknowledgement(Acknowledgement { outage, asin, at, by, cause, expected_fix })
        });
    let kill_switch = (any::<bool>(), any_at(), ".{1,20}", ".{1,20}")
        .prop_map(|(on, at, by, reason)| Fact::KillSwitch(KillSwitch { on, at, by, reason }));
    prop_oneof![revoked, any_ruling(), acknowledgement, kill_switch]
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let manufacturer = (any_id(ManufacturerId::new), any::<Option<String>>(), any::<Vec<String>>())
        .prop_map(|(id, name, contacts)| Fact::Manufacturer(Manufacturer { id, name, contacts }));
    let withdrawal = (any_id(Asin::new), any_at()).prop_map(|(asin, at)| Fact::Withdrawal(Withdrawal { asin, at }));
    prop_oneof![manufacturer, withdrawal, any_badge(), any_badge_change(), any_exclusion(), any_listing(), any_live_fact()]
}

proptest! {
    #[test]
    fn what_is_written_is_read(fact in any_fact()) {
        let mut line = Vec::new();
        write(&fact, &mut line);
        prop_assert!(!line.contains(&b'\n'));
        prop_assert_eq!(parse(&line), Ok(fact));
    }

    #[test]
    fn broken_lines_never_panic(fact in any_fact(), place: Index, byte: u8) {
        let mut line = Vec::new();
        write(&fact, &mut line);
        let place = place.index(line.len());
        line[place] = byte;
        if let Err(error) = parse(&line) {
            prop_assert!(error.detail.chars().count() < 512, "messages are bounded: {}", error);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(line: Vec<u8>) {
        prop_assert!(parse(&line).is_err());
    }
}
