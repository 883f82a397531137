//! What is asked of forms, all of it at once, each with what to do.

use domain::fact::ListingStatus;
use domain::id::SkillId;
use domain::programme::entity::CertificationEntity;
use domain::programme::{Action, BadgeForm, CertificationForm, Entity, ProductForm, TestingStep};
use domain::time::Timestamp;

use super::stage::{
    Stage, asin, badge, certification, certification_id, day, hour, listing, manufacturer, product, published, request,
};

/// What is told, by what was tried.
#[derive(Default)]
struct Told(String);

impl Told {
    /// Everything that is in the way of something, a line each.
    fn note(&mut self, tried: &str, told: &str) {
        self.0.push_str(&format!("{tried}\n  {}\n", told.replace(" | ", "\n  ")));
    }

    fn check(&self, snapshot: &str) {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(snapshot, self.0);
        });
    }
}

#[test]
fn a_product_says_what_it_lacks_and_a_certification_names_it() {
    let mut told = Told::default();
    let mut stage = Stage::new();
    stage.can(Action::DescribeManufacturer(manufacturer("m-1")));
    let nothing = ProductForm {
        retail_name: None,
        category: None,
        device: None,
        brand: None,
        model: None,
        connection: None,
        protocol: None,
        capabilities: Vec::new(),
        variants: Vec::new(),
        hubs: vec![asin("H1"), asin("H2")],
        ..product("bulb", "m-1", &[])
    };
    stage.can(Action::DescribeProduct(nothing));
    let empty = CertificationForm {
        hub: Some(asin("H1")),
        made_in: None,
        hardware: None,
        firmware: None,
        chipset: None,
        ..certification("na", "bulb", &["US"])
    };
    told.note(
        "another hub",
        &stage.cannot(Action::DraftCertification(CertificationForm { hub: Some(asin("H9")), ..empty.clone() })),
    );
    told.note("no hub", &stage.cannot(Action::DraftCertification(CertificationForm { hub: None, ..empty.clone() })));
    stage.can(Action::DraftCertification(empty.clone()));
    told.note("nothing is given", &stage.cannot(Action::SubmitCertification(certification_id("na"))));
    // A device says what it must be able to do, and a connection by skill asks for one.
    let bulb = ProductForm { capabilities: Vec::new(), ..product("bulb", "m-1", &["B1"]) };
    stage.can(Action::DescribeProduct(bulb));
    let skillless = CertificationForm { skill: None, skill_name: None, skill_stage: None, hub: None, ..empty };
    stage.can(Action::DraftCertification(skillless));
    told.note("a bulb without capabilities", &stage.cannot(Action::SubmitCertification(certification_id("na"))));
    stage.can(Action::DescribeProduct(product("bulb", "m-1", &["B1"])));
    stage.can(Action::DraftCertification(certification("na", "bulb", &["US"])));
    stage.can(Action::SubmitCertification(certification_id("na")));
    stage.can(Action::DraftCertification(certification("na-2", "bulb", &["CA"])));
    told.note("one request at a time", &stage.cannot(Action::SubmitCertification(certification_id("na-2"))));
    let lamp = CertificationForm { id: certification_id("na-2"), ..certification("na-2", "lamp", &["CA"]) };
    told.note("an unknown product", &stage.cannot(Action::DraftCertification(lamp.clone())));
    stage.can(Action::DescribeProduct(product("lamp", "m-1", &["B5"])));
    told.note("a draft stays its products", &stage.cannot(Action::DraftCertification(lamp)));
    told.check("a_product_says_what_it_lacks_and_a_certification_names_it");
}

#[test]
fn what_is_certified_stays_and_what_was_not_may_change() {
    let mut told = Told::default();
    let mut stage = Stage::new();
    stage.can(Action::DescribeManufacturer(manufacturer("m-1")));
    stage.can(Action::DescribeProduct(product("bulb", "m-1", &["B1"])));
    let other = |model: &str| ProductForm { model: Some(model.to_owned()), ..product("bulb", "m-1", &["B1"]) };
    let id = || certification_id("na");
    stage.can(Action::DraftCertification(certification("na", "bulb", &["US"])));
    stage.can(Action::DescribeProduct(other("Glow 2")));
    stage.can(Action::SubmitCertification(id()));
    told.note("another model", &stage.cannot(Action::DescribeProduct(other("Glow 3"))));
    stage.can(Action::RejectCertification { id: id(), reasons: vec!["it is a Glow 3".to_owned()] });
    stage.can(Action::DescribeProduct(other("Glow 3")));
    stage.can(Action::TestAgain { id: id(), new: certification_id("na-2") });
    stage.can(Action::SubmitCertification(certification_id("na-2")));
    told.note("another model once more", &stage.cannot(Action::DescribeProduct(other("Glow 2"))));
    stage.can(Action::RejectCertification { id: certification_id("na-2"), reasons: vec!["no".to_owned()] });
    told.note("an id that is used", &stage.cannot(Action::TestAgain { id: certification_id("na-2"), new: id() }));
    told.check("what_is_certified_stays_and_what_was_not_may_change");
}

#[test]
fn a_badge_request_is_told_everything_that_is_in_the_way() {
    let mut told = Told::default();
    let mut stage = Stage::certified();
    let form = BadgeForm { retail_id: None, ..badge("r1", "B1", &["US", "DE", "JP"]) };
    told.note("no variant", &stage.cannot(Action::DraftBadgeRequest(badge("r1", "B9", &["US"]))));
    stage.can(Action::DraftBadgeRequest(form));
    told.note("another asin", &stage.cannot(Action::DraftBadgeRequest(badge("r1", "B2", &["US"]))));
    told.note("not certified", &stage.cannot(Action::SubmitBadgeRequest(request("r1"))));
    stage.can(Action::DraftBadgeRequest(BadgeForm { hub: Some(asin("H1")), ..badge("r1", "B1", &["US"]) }));
    told.note("certified with another hub", &stage.cannot(Action::SubmitBadgeRequest(request("r1"))));
    stage.can(Action::DraftBadgeRequest(badge("r1", "B1", &["US", "CA"])));
    stage.can(Action::SubmitBadgeRequest(request("r1")));
    stage.can(Action::DraftBadgeRequest(badge("r2", "B1", &["US"])));
    told.note("another request", &stage.cannot(Action::SubmitBadgeRequest(request("r2"))));
    let (domain::fact::Fact::Listing(mut wrong), now) = (listing("B1", "US", day(5), ListingStatus::Good), stage.now) else {
        panic!("a listing")
    };
    wrong.brand = Some("Acne".to_owned());
    wrong.model = Some("Glaw".to_owned());
    wrong.hub = Some(asin("H1"));
    stage.says(domain::fact::Fact::Listing(wrong));
    stage.says(listing("B1", "CA", day(5), ListingStatus::Suppressed));
    stage.says(published("s-1", "CA", now, ListingStatus::Unavailable));
    let all = stage.cannot(Action::ApproveBadgeRequest(request("r1")));
    told.note("catalogues object", &all);
    // A rejection says the same, beside the reviewer's reasons.
    stage.can(Action::RejectBadgeRequest { id: request("r1"), reasons: vec!["ask again in May".to_owned()] });
    let Some(Entity::BadgeRequest(rejected)) = stage.entity("badge_request:r1") else { panic!("it is known") };
    assert_eq!(rejected.reasons, ["ask again in May"]);
    assert_eq!(crate::register::in_words(&rejected.unmet), all);
    assert_eq!(rejected.trail.steps.last().map(|step| step.notes.len()), Some(1 + rejected.unmet.len()));
    assert!(rejected.unmet.iter().all(|unmet| !unmet.remedy.is_empty()));
    // Of B2 nobody has looked into a catalogue.
    let mut unknown = Stage::new();
    unknown.can(Action::DescribeManufacturer(manufacturer("m-1")));
    unknown.can(Action::DescribeProduct(product("bulb", "m-1", &["B1", "B2"])));
    unknown.certify(certification("na", "bulb", &["US", "CA"]), 10);
    unknown.can(Action::DraftBadgeRequest(badge("r1", "B1", &["US"])));
    unknown.can(Action::SubmitBadgeRequest(request("r1")));
    told.note("catalogues are silent", &unknown.cannot(Action::ApproveBadgeRequest(request("r1"))));
    told.check("a_badge_request_is_told_everything_that_is_in_the_way");
}

#[test]
fn one_badge_has_one_skill() {
    let mut told = Told::default();
    let mut stage = Stage::certified();
    let other = CertificationForm { skill: SkillId::new("s-2"), ..certification("eu", "bulb", &["DE"]) };
    stage.certify(other, 12);
    stage.can(Action::DraftBadgeRequest(badge("r1", "B1", &["US", "DE"])));
    told.note("two skills", &stage.cannot(Action::SubmitBadgeRequest(request("r1"))));
    stage.grant(badge("r1", "B1", &["US"]));
    stage.can(Action::DraftBadgeRequest(badge("r2", "B1", &["DE"])));
    told.note("another skill", &stage.cannot(Action::SubmitBadgeRequest(request("r2"))));
    // Certified once more with the badge's skill, it is that certification which counts.
    stage.certify(certification("eu-2", "bulb", &["DE"]), 13);
    stage.says(listing("B1", "DE", day(0), ListingStatus::Good));
    stage.says(published("s-1", "DE", day(0), ListingStatus::Good));
    stage.can(Action::SubmitBadgeRequest(request("r2")));
    stage.can(Action::ApproveBadgeRequest(request("r2")));
    assert_eq!(stage.badge("B1"), "DE+US 12..");
    told.check("one_badge_has_one_skill");
}

/// A certification that took its steps on these days: when the present one should be over, and from when on it is
/// overdue.
#[test]
fn steps_are_expected_in_time() {
    fn check(stage: &Stage, due: Option<Timestamp>) {
        let Some(Entity::Certification(entity)) = stage.entity("certification:na") else { panic!("it is known") };
        let overdue = |at: Timestamp| CertificationEntity::is_overdue(&entity, at);
        assert_eq!(entity.due(), due, "{}", entity.status);
        if let Some(due) = due {
            assert_eq!((overdue(due), overdue(Timestamp::clamped(due.ms() + 1))), (false, true), "{}", entity.status);
        } else {
            assert!(!overdue(Timestamp::MAX), "{}", entity.status);
        }
    }
    let mut stage = Stage::new();
    let id = || certification_id("na");
    stage.can(Action::DescribeManufacturer(manufacturer("m-1")));
    stage.can(Action::DescribeProduct(product("bulb", "m-1", &["B1"])));
    let advance = |step| Action::AdvanceTesting { id: id(), step };
    let path = [
        (1, Action::DraftCertification(certification("na", "bulb", &["US"])), None),
        (2, Action::SubmitCertification(id()), Some(4)),
        (3, Action::AcceptCertification(id()), Some(5)),
        (4, advance(TestingStep::Quoted), None),
        (5, advance(TestingStep::Paid), None),
        (6, advance(TestingStep::DeviceReceived), Some(16)),
        (9, advance(TestingStep::Testing), Some(16)),
        (20, Action::HandInResults(id()), Some(22)),
        (23, Action::ApproveCertification(id()), None),
    ];
    for (on, action, due) in path {
        stage.go_to(hour(on, 9));
        stage.can(action);
        check(&stage, due.map(|due| hour(due, 9)));
    }
}
