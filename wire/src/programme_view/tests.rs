use std::collections::BTreeMap;

use domain::decision::{DecisionId, Scope};
use domain::fact::{Acknowledgement, KillSwitch, Ruling, Terms, Verdict};
use domain::id::{BadgeRequestId, CertificationId, CommandId, ExclusionId, ProductId, SkillId};
use domain::programme::entity::{
    BadgeEntity, BadgeRequestEntity, CertificationEntity, DisputeEntity, ExclusionEntity, KillSwitchEntity, ManufacturerEntity,
    OutageEntity, ProductEntity, ProposalEntity,
};
use domain::programme::{Action, BadgeRequestStatus, CertificationStatus, DisputeStatus, Entity, ExclusionStatus, IssuedNote};
use domain::programme::{Outcome, Step, TestingStep, Trail, Unmet};
use domain::{DecisionKind, ManufacturerId, Marketplace, Region, Timestamp};

use super::*;
use crate::command::samples::commands;
use crate::samples::{asin, at};

const NOW: &str = "2026-03-13T00:00:00Z";

/// What a sample of a command's form becomes.
fn of<T>(entity: impl Fn(Action) -> Option<T>) -> T {
    commands().into_iter().find_map(|command| entity(command.action)).expect("there is a sample")
}

fn trail(what: &'static str, status: &'static str) -> Trail {
    let step = |recorded_at, command, notes: &[&str]| Step {
        at: at("2026-03-01T00:00:00Z"),
        recorded_at,
        position: 7,
        by: "anna".to_owned(),
        command,
        what,
        status,
        notes: notes.iter().map(|&note| note.to_owned()).collect(),
    };
    let told = step(Timestamp::from_ms(1_772_323_200_005), CommandId::new("c-1"), &["it is new"]);
    Trail { steps: vec![step(None, None, &[]), told] }
}

fn unmet() -> Vec<Unmet> {
    let [requirement, detail, remedy] =
        ["listing:DE:suppressed", "the listing in DE is suppressed", "correct it"].map(str::to_owned);
    vec![Unmet { requirement, detail, remedy }]
}

fn note(kind: DecisionKind) -> IssuedNote {
    IssuedNote {
        id: DecisionId([1; 16]),
        kind,
        asin: Some(asin("B000000001")),
        manufacturer: ManufacturerId::new("m-1").expect("an id"),
        scope: Scope::Global,
        at: at("2026-02-01T00:00:00Z"),
        supersedes: None,
        reasons: vec!["budget".to_owned()],
    }
}

fn removed() -> BTreeMap<Scope, (DecisionId, Timestamp)> {
    [(Scope::Region(Region::Eu), (DecisionId([2; 16]), at("2026-02-03T00:00:00Z")))].into()
}

fn certification() -> CertificationEntity {
    of(|action| {
        let Action::DraftCertification(form) = action else { return None };
        Some(CertificationEntity {
            form,
            status: CertificationStatus::InTesting(TestingStep::DeviceReceived),
            since: at("2026-03-02T00:00:00Z"),
            reasons: vec!["no hub".to_owned()],
            repeats: CertificationId::new("cert-0"),
            repeated_by: CertificationId::new("cert-2"),
            trail: trail("advance_testing", "in_testing_device_received"),
        })
    })
}

fn badge() -> BadgeEntity {
    let terms = Terms {
        manufacturer: ManufacturerId::new("m-1").expect("an id"),
        brand: Some("Acme".to_owned()),
        model: None,
        image: None,
        skill: SkillId::new("s-1"),
        hub: None,
        marketplaces: ["DE", "US"].into_iter().filter_map(Marketplace::parse).collect(),
        customers: 7,
    };
    BadgeEntity {
        asin: asin("B000000001"),
        product: ProductId::new("p-1"),
        request: BadgeRequestId::new("b-1"),
        terms,
        enabled_at: at("2026-01-01T00:00:00Z"),
        withdrawn_at: None,
        removed: removed(),
        flags: unmet(),
        trail: trail("badge_removal", "removed"),
    }
}

fn described() -> Vec<Entity> {
    let maker = of(|action| match action {
        Action::DescribeManufacturer(form) => {
            Some(ManufacturerEntity { form, suspended: removed(), trail: trail("suspension", "suspended") })
        }
        _ => None,
    });
    let product = of(|action| match action {
        Action::DescribeProduct(form) => {
            Some(ProductEntity { form, missing: unmet(), trail: trail("describe_product", "missing_information") })
        }
        _ => None,
    });
    vec![Entity::Manufacturer(maker), Entity::Product(product)]
}

fn requested() -> Vec<Entity> {
    let request = of(|action| match action {
        Action::DraftBadgeRequest(form) => Some(BadgeRequestEntity {
            form,
            status: BadgeRequestStatus::Rejected,
            since: at("2026-03-02T00:00:00Z"),
            reasons: vec!["no hub".to_owned()],
            unmet: unmet(),
            trail: trail("reject_badge_request", "rejected"),
        }),
        _ => None,
    });
    let exclusion = of(|action| match action {
        Action::RequestExclusion(form) => {
            Some(ExclusionEntity { form, status: ExclusionStatus::Approved, trail: trail("approve_exclusion", "approved") })
        }
        _ => None,
    });
    let dispute = of(|action| match action {
        Action::OpenDispute(form) => Some(DisputeEntity {
            form,
            status: DisputeStatus::Upheld,
            exclusion: ExclusionId::new("dispute:d-1"),
            trail: trail("uphold_dispute", "upheld"),
        }),
        _ => None,
    });
    vec![Entity::BadgeRequest(request), Entity::Exclusion(exclusion), Entity::Dispute(dispute)]
}

fn answered() -> Vec<Entity> {
    let (asin, by, at) = (asin("B000000001"), "lead".to_owned(), at("2026-03-02T00:00:00Z"));
    let id = DecisionId([1; 16]);
    let proposed_at = at;
    let ruling = Ruling {
        proposal: id,
        asin: asin.clone(),
        scope: Scope::Global,
        proposed_at,
        at,
        verdict: Verdict::Refused,
        by: by.clone(),
        note: Some("seen".to_owned()),
    };
    let proposal = ProposalEntity {
        note: note(DecisionKind::Proposal),
        ruling: Some(ruling),
        reversed: false,
        trail: trail("refuse_proposal", "refused"),
    };
    let answer = Acknowledgement { outage: id, asin, at, by: by.clone(), cause: "power".to_owned(), expected_fix: at };
    let outage = OutageEntity {
        note: note(DecisionKind::CriticalOutage),
        acknowledgement: Some(answer),
        trail: trail("acknowledge_outage", "acknowledged"),
    };
    let last = Some(KillSwitch { on: true, at, by, reason: "a fault of ours".to_owned() });
    let switch = KillSwitchEntity { last, trail: trail("turn_kill_switch", "on") };
    vec![Entity::Proposal(proposal), Entity::Outage(outage), Entity::KillSwitch(switch)]
}

fn check(entity: &Entity) -> String {
    let view = EntityView::of(entity, at(NOW));
    let text = serde_json::to_string_pretty(&view).expect("JSON");
    assert_eq!(serde_json::from_str::<EntityView>(&text).expect(&text), view);
    text
}

#[test]
fn everything_is_shown_with_its_form_status_and_history() {
    let some = [Entity::Certification(certification()), Entity::Badge(badge())];
    let entities = described().into_iter().chain(some).chain(requested()).chain(answered());
    let told: Vec<_> = entities.map(|entity| check(&entity)).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_never_was_is_shown_without_it() {
    let bare = CertificationEntity {
        status: CertificationStatus::Draft,
        reasons: vec![],
        repeats: None,
        repeated_by: None,
        ..certification()
    };
    let withdrawn = BadgeEntity {
        product: None,
        request: None,
        withdrawn_at: Some(at("2026-03-01T00:00:00Z")),
        removed: BTreeMap::new(),
        flags: vec![],
        trail: trail("withdraw_badge", "withdrawn"),
        ..badge()
    };
    let entities = [Entity::Certification(bare), Entity::Badge(withdrawn), Entity::KillSwitch(KillSwitchEntity::default())];
    let told: Vec<_> = entities.iter().map(check).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_certification_is_overdue_after_its_due_date() {
    let check = |now: &str, expected: bool| {
        let view = EntityView::of(&Entity::Certification(certification()), at(now));
        let DetailsView::Certification { due, overdue, .. } = view.details else { panic!("{view:?}") };
        assert_eq!((due.as_deref(), overdue), (Some("2026-03-12T00:00:00.000Z"), expected), "{now}");
    };
    check("2026-03-12T00:00:00Z", false);
    check(NOW, true);
}

#[test]
fn what_is_shown_of_a_form_can_be_sent() {
    let sample = commands().into_iter().find(|command| matches!(command.action, Action::DraftCertification(_)));
    let mut view = serde_json::to_value(EntityView::of(&Entity::Certification(certification()), at(NOW))).expect("JSON");
    let mut line = view["form"].take();
    for (name, value) in [("type", "draft_certification"), ("command", "c-2"), ("at", "2026-03-01T00:00:00Z"), ("by", "anna")] {
        line[name] = value.into();
    }
    line["expects"] = 2.into();
    assert_eq!(crate::command::parse(line.to_string().as_bytes()).ok(), sample);
}

#[test]
fn outcomes_are_shown() {
    let check = |outcome: Outcome, expected: &str| {
        let view = OutcomeView::of(&CommandId::new("c-1").expect("an id"), &outcome);
        let text = serde_json::to_string(&view).expect("JSON");
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<OutcomeView>(&text).expect(&text), view);
    };
    check(Outcome::Accepted { revision: 3 }, r#"{"command":"c-1","accepted":true,"revision":3}"#);
    check(
        Outcome::Refused { unmet: unmet() },
        r#"{"command":"c-1","accepted":false,"unmet":[{"requirement":"listing:DE:suppressed","detail":"the listing in DE is suppressed","remedy":"correct it"}]}"#,
    );
}
