//! Facts come in any order, and the very same one once more means nothing.

use domain::decision::{DecisionKind, Scope};
use domain::fact::{
    Acknowledgement, BadgeChange, Exclusion, ExclusionReason, ExclusionRevoked, ExclusionTarget, Fact, KillSwitch,
};
use domain::fact::{ListingStatus, Manufacturer, Ruling, Verdict, Withdrawal};
use domain::id::{RegionSet, Subject};
use domain::interval::Interval;
use domain::programme::{Action, Entity, Entry, MailKind, ManufacturerForm};
use domain::time::Timestamp;

use super::stage::{
    Stage, asin, badge, badge_fact, change, day, decision, exclusion, exclusion_id, listing, maker, manufacturer, marketplaces,
    request,
};

fn withdrawal(at: Timestamp) -> Fact {
    Fact::Withdrawal(Withdrawal { asin: asin("B1"), at })
}

fn moved(codes: &[&str], at: Timestamp) -> Fact {
    Fact::BadgeChange(BadgeChange { marketplaces: Some(marketplaces(codes)), ..change("B1", at) })
}

fn excused(id: &str, from: i64) -> Fact {
    Fact::Exclusion(Exclusion {
        id: exclusion_id(id),
        target: ExclusionTarget::All,
        regions: RegionSet::ALL,
        interval: Interval::new(day(from), day(from + 1)),
        reason: ExclusionReason::Platform,
        approved_by: "lead".to_owned(),
    })
}

fn revoked(id: &str, at: i64) -> Fact {
    Fact::ExclusionRevoked(ExclusionRevoked { id: exclusion_id(id), at: day(at), by: "lead".to_owned() })
}

/// The exclusions that count, by the book and by the ledger.
fn counting(stage: &Stage) -> Vec<String> {
    let (registry, _) = stage.register.resolve();
    let of_ledger: Vec<String> = registry.exclusions_at(stage.now).map(|exclusion| exclusion.id.to_string()).collect();
    let of_book = stage.register.book().ids().filter_map(|id| match stage.register.book().entity(&id) {
        Some(Entity::Exclusion(entity)) => Some(entity),
        _ => None,
    });
    let of_book = of_book.filter(|entity| entity.status == domain::programme::ExclusionStatus::Approved);
    assert_eq!(of_book.map(|entity| entity.form.id.to_string()).collect::<Vec<_>>(), of_ledger);
    of_ledger
}

#[test]
fn a_badge_is_the_same_in_whatever_order_it_is_told() {
    let facts = [
        badge_fact("B1", &["US"], day(1)),
        moved(&["CA"], day(3)),
        moved(&["DE"], day(2)),
        withdrawal(day(9)),
        withdrawal(day(7)),
        listing("B1", "CA", day(1), ListingStatus::Suppressed),
    ];
    let orders: [[usize; 6]; 4] = [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [1, 3, 0, 5, 2, 4], [2, 4, 5, 1, 3, 0]];
    for order in orders {
        let mut stage = Stage::new();
        order.iter().for_each(|place| stage.says(facts[*place].clone()));
        assert_eq!(stage.badge("B1"), "US 1..", "{order:?}");
        stage.go_to(day(2));
        assert_eq!(stage.badge("B1"), "DE 1..", "{order:?}");
        stage.go_to(day(4));
        assert_eq!((stage.badge("B1"), stage.flags("B1").len()), ("CA 1..".to_owned(), 1), "{order:?}");
        stage.go_to(day(20));
        assert_eq!(stage.badge("B1"), "CA 1..7", "{order:?}");
        assert_eq!(stage.status("manufacturer:m-1"), "registered");
    }
}

#[test]
fn what_was_said_before_a_badge_was_granted_holds_of_it() {
    let mut stage = Stage::certified();
    stage.says(moved(&["CA"], day(20)));
    stage.go_to(day(12));
    stage.grant(badge("r1", "B1", &["US"]));
    assert_eq!(stage.badge("B1"), "US 12..");
    stage.go_to(day(20));
    assert_eq!(stage.badge("B1"), "CA 12..");
    // A badge that was given back isn't granted.
    let mut stage = Stage::certified();
    stage.says(withdrawal(day(5)));
    stage.can(Action::DraftBadgeRequest(badge("r1", "B1", &["US"])));
    assert_eq!(
        stage.cannot(Action::SubmitBadgeRequest(request("r1"))),
        "badge: the badge of B1 was given back at 2025-01-06T00:00:00.000Z; ask for the badge of another ASIN: one that was given \
         back doesn't come again"
    );
}

#[test]
fn a_revocation_may_come_first() {
    let mut stage = Stage::badged();
    stage.says(revoked("x", 11));
    stage.says(excused("y", 5));
    assert_eq!(counting(&stage), ["y"]);
    stage.says(excused("x", 5));
    assert_eq!((counting(&stage), stage.status("exclusion:x")), (vec!["y".to_owned()], "revoked"));
    // The revocation that comes before an exclusion of which a part is frozen by then doesn't count.
    stage.says(revoked("z", 420));
    stage.go_to(day(410));
    stage.says(excused("z", 50));
    assert_eq!(counting(&stage), ["y", "z"]);
}

#[test]
fn an_id_that_was_revoked_is_used_up() {
    let ask = |id: &str| Action::RequestExclusion(exclusion(id, ExclusionTarget::All, (10, 11)));
    let told = |id: &str| {
        format!(
            "exclusion: exclusion:{id} was revoked by lead at 2025-01-12T00:00:00.000Z, before it was approved; ask for it under an \
             id of its own"
        )
    };
    let mut stage = Stage::badged();
    stage.says(revoked("x", 11));
    assert_eq!(stage.cannot(ask("x")), told("x"));
    // One that is revoked while it is only asked for.
    stage.can(ask("y"));
    stage.says(revoked("y", 11));
    assert_eq!(stage.status("exclusion:y"), "requested");
    assert_eq!(stage.cannot(Action::ApproveExclusion(exclusion_id("y"))), told("y"));
    stage.can(Action::DeclineExclusion { id: exclusion_id("y"), note: "it was revoked".to_owned() });
    // Nor is there a dispute that it would uphold.
    stage.says(revoked("dispute-d", 11));
    assert!(stage.cannot(Action::OpenDispute(super::stage::dispute("d", "B1", (12, 12)))).contains("dispute-d"));
    assert_eq!(counting(&stage), Vec::<String>::new());
}

#[test]
fn answers_may_come_before_what_they_answer() {
    let ruling = |about: &str, verdict| {
        Fact::Ruling(Ruling {
            proposal: decision(1),
            asin: asin(about),
            scope: Scope::Global,
            proposed_at: day(12),
            at: day(13),
            verdict,
            by: "lead".to_owned(),
            note: None,
        })
    };
    let rule = || Action::Rule { proposal: decision(1), verdict: Verdict::Refused, note: None };
    let mut stage = Stage::badged();
    stage.says(ruling("B2", Verdict::Refused));
    let mut mistaken = stage.clone();
    stage.says(ruling("B1", Verdict::Confirmed));
    for stage in [&mut stage, &mut mistaken] {
        stage.issued(1, DecisionKind::Proposal, Scope::Global, Some("B1"));
        stage.go_to(day(14));
    }
    assert!(stage.cannot(rule()).contains("was confirmed by lead at 2025-01-14T00:00:00.000Z"));
    // A ruling that names another product is about none.
    mistaken.can(rule());

    let mut stage = Stage::badged();
    stage.says(Fact::Acknowledgement(Acknowledgement {
        outage: decision(2),
        asin: asin("B1"),
        at: day(12),
        by: "ops".to_owned(),
        cause: "a certificate ran out".to_owned(),
        expected_fix: day(13),
    }));
    stage.issued(2, DecisionKind::CriticalOutage, Scope::Global, Some("B1"));
    let action = Action::AcknowledgeOutage { outage: decision(2), cause: "a cable".to_owned(), expected_fix: day(13) };
    assert!(stage.cannot(action).contains("was acknowledged by ops"));
}

#[test]
fn the_very_same_fact_once_more_changes_nothing() {
    let mut stage = Stage::badged();
    let fact = Fact::Manufacturer(Manufacturer {
        id: maker("m-2"),
        name: Some("Bright".to_owned()),
        contacts: vec!["ops@bright.example".to_owned()],
    });
    stage.says(fact.clone());
    // What was said since stays.
    let technical_contact = Some("night@bright.example".to_owned());
    let form = ManufacturerForm { technical_contact, mails: vec![MailKind::Warnings], ..manufacturer("m-2") };
    stage.can(Action::DescribeManufacturer(form.clone()));
    stage.says(excused("x", 5));
    let before = stage.register.book().clone();
    stage.says(fact);
    stage.says(excused("x", 5));
    assert_eq!(*stage.register.book(), before);
    let Some(Entity::Manufacturer(entity)) = stage.entity("manufacturer:m-2") else { panic!("a manufacturer") };
    assert_eq!(entity.form, form);
    // With other content the first stands.
    let other = Fact::Manufacturer(Manufacturer { id: maker("m-2"), name: None, contacts: Vec::new() });
    assert!(stage.add(Entry::Fact(other)).is_err());
    assert_eq!(*stage.register.book(), before);
}

#[test]
fn turns_of_the_kill_switch_act_at_their_instants() {
    let turn = |on, at| Fact::KillSwitch(KillSwitch { on, at, by: "lead".to_owned(), reason: "a fault of ours".to_owned() });
    let is_on = |stage: &Stage| match stage.entity("kill_switch") {
        Some(Entity::KillSwitch(entity)) => entity.last.is_some_and(|last| last.on),
        _ => false,
    };
    let mut stage = Stage::new();
    stage.go_to(day(5));
    stage.says(turn(true, day(8)));
    stage.says(turn(false, day(10)));
    stage.says(turn(false, day(4)));
    assert!(!is_on(&stage));
    stage.go_to(day(8));
    assert!(is_on(&stage));
    stage.says(turn(false, day(7)));
    assert!(is_on(&stage));
    stage.go_to(day(10));
    assert!(!is_on(&stage));
    stage.can(Action::TurnKillSwitch { on: true, reason: "once more".to_owned() });
    assert!(is_on(&stage));
}

#[test]
fn an_exclusion_may_be_about_what_a_badge_once_had() {
    let mut stage = Stage::new();
    let change = BadgeChange { hub: Some(Some(asin("H1"))), ..change("B1", day(3)) };
    stage.says(badge_fact("B1", &["US"], day(1)));
    stage.says(Fact::BadgeChange(change.clone()));
    stage.says(Fact::BadgeChange(BadgeChange { hub: Some(None), at: day(5), ..change }));
    let ask = |id: &str, subject| exclusion(id, ExclusionTarget::Subject(subject), (1, 9));
    for now in [1, 4, 6] {
        stage.go_to(day(now));
        stage.can(Action::RequestExclusion(ask(&format!("x-{now}"), Subject::hub(&asin("H1")))));
        stage.can(Action::ApproveExclusion(exclusion_id(&format!("x-{now}"))));
    }
    assert_eq!(counting(&stage).len(), 3);
    stage.cannot(Action::RequestExclusion(ask("y", Subject::hub(&asin("H2")))));
}
