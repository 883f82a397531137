//! What decisions mean to badges and manufacturers, in whatever scope they were made (R16, R18, R21).

use domain::Region;
use domain::decision::{DecisionKind, Scope};
use domain::fact::ListingStatus;
use domain::programme::{Action, Entity, IssuedNote};

use super::stage::{Stage, asin, badge, certification, day, decision, listing, maker, note, published, request};
use DecisionKind::{Amendment, BadgeRemoval, Reinstatement, Reversal, Suspension, SuspensionLifted};

const EU: Scope = Scope::Region(Region::Eu);
const NA: Scope = Scope::Region(Region::Na);
const FE: Scope = Scope::Region(Region::Fe);

/// B1 with a badge in US, and in DE since day 14.
fn in_two_regions() -> Stage {
    let mut stage = Stage::badged();
    stage.certify(certification("eu", "bulb", &["DE"]), 14);
    stage.says(listing("B1", "DE", day(0), ListingStatus::Good));
    stage.says(published("s-1", "DE", day(0), ListingStatus::Good));
    stage.grant(badge("r2", "B1", &["DE"]));
    stage
}

/// A decision about B1: its number, kind and scope, and the number of the one that it supersedes.
type Told = (u8, DecisionKind, Scope, Option<u8>);

/// Decisions, one a day, and where the badge is removed after each.
#[track_caller]
fn check<const N: usize>(decisions: [(u8, DecisionKind, Scope, Option<u8>, &str); N]) {
    check_dated(&decisions.map(|(id, kind, scope, other, off)| ((id, kind, scope, other), 0, off)));
}

/// The same, each dated so many days back.
#[track_caller]
fn check_dated(decisions: &[(Told, i64, &str)]) {
    let mut stage = in_two_regions();
    let mut late = Stage::new();
    for (place, &((id, kind, scope, other), back, expected)) in (0..).zip(decisions) {
        stage.go_to(day(20 + place));
        let supersedes = other.map(decision);
        let note = IssuedNote { asin: Some(asin("B1")), supersedes, ..note(id, kind, scope, day(20 + place - back)) };
        stage.note(note.clone());
        assert_eq!(stage.removed("B1"), expected, "{kind} {id}");
        let Some(Entity::Badge(badge)) = stage.entity("badge:B1") else { panic!("a badge") };
        let is_on = Region::ALL.map(|region| badge.status(Scope::Region(region)) == domain::programme::BadgeStatus::Enabled);
        let named = |scope: &str| expected.split('+').any(|off| off == scope || off == "global");
        assert_eq!(is_on, Region::ALL.map(|region| !named(region.as_str())), "{kind} {id}");
        assert_eq!(badge.is_off(), named("EU") && named("NA"));
        // Once more it changes nothing.
        let before = stage.register.clone();
        stage.note(note.clone());
        assert_eq!(stage.register.book(), before.book());
        late.note(note);
    }
    // Of a badge that is named only afterwards the same is so.
    late.says(super::stage::badge_fact("B1", &["DE", "US"], day(1)));
    assert_eq!(late.removed("B1"), stage.removed("B1"));
}

#[test]
fn a_removed_badge_comes_back_by_reinstatement_or_reversal() {
    check([(1, BadgeRemoval, Scope::Global, None, "global"), (2, Reinstatement, Scope::Global, None, "")]);
    check([(1, BadgeRemoval, NA, None, "NA"), (2, Reversal, NA, Some(1), "")]);
    // Taken back and issued again, it is another one.
    check([
        (1, BadgeRemoval, NA, None, "NA"),
        (2, Reversal, NA, Some(1), ""),
        (3, BadgeRemoval, NA, Some(2), "NA"),
        (4, Reversal, NA, Some(3), ""),
    ]);
    // A reinstatement that is taken back: it is removed as before; and reinstated later.
    check([
        (1, BadgeRemoval, NA, None, "NA"),
        (2, Reinstatement, NA, None, ""),
        (3, Reversal, NA, Some(2), "NA"),
        (4, Reinstatement, NA, Some(3), ""),
    ]);
    // A confirmed removal supersedes its proposal.
    check([
        (1, DecisionKind::Proposal, NA, None, ""),
        (2, BadgeRemoval, NA, Some(1), "NA"),
        (3, DecisionKind::ReinstatementHeld, NA, None, "NA"),
        (4, Reversal, NA, Some(2), ""),
    ]);
}

#[test]
fn an_amendment_moves_a_decision_and_goes_by_its_own_id_from_then_on() {
    check([
        (1, BadgeRemoval, NA, None, "NA"),
        (2, Amendment, NA, Some(1), "NA"),
        (3, Amendment, NA, Some(2), "NA"),
        (4, Reversal, NA, Some(3), ""),
    ]);
    let mut stage = in_two_regions();
    stage.issued(1, BadgeRemoval, Scope::Global, Some("B1"));
    stage.supersedes(2, Amendment, (1, day(13)), Some("B1"));
    let Some(Entity::Badge(badge)) = stage.entity("badge:B1") else { panic!("a badge") };
    assert_eq!(badge.removed.into_iter().collect::<Vec<_>>(), [(Scope::Global, (decision(2), day(13)))]);
    assert_eq!(stage.trail("badge:B1").last().map(String::as_str), Some("13 amendment removed"));
}

#[test]
fn a_removal_that_is_taken_back_takes_its_arc_with_it() {
    // Its reinstatement, too, so that what is issued instead stands, wherever it is dated.
    check_dated(&[
        ((1, BadgeRemoval, NA, None), 0, "NA"),
        ((2, Reinstatement, NA, None), 0, ""),
        ((3, Reversal, NA, Some(1)), 0, ""),
        ((4, BadgeRemoval, NA, Some(3)), 3, "NA"),
    ]);
}

#[test]
fn scopes_take_over_what_others_decided() {
    check([
        (1, BadgeRemoval, Scope::Global, None, "global"),
        (2, Reinstatement, NA, None, "EU"),
        (3, BadgeRemoval, NA, None, "EU+NA"),
        (4, Reinstatement, EU, None, "NA"),
        (5, Reinstatement, Scope::Global, None, ""),
    ]);
    // A region that it hasn't got isn't removed there, and can be asked for.
    check([
        (1, BadgeRemoval, Scope::Global, None, "global"),
        (2, Reinstatement, EU, None, "NA"),
        (3, Reinstatement, NA, None, ""),
    ]);
    let mut stage = in_two_regions();
    stage.certify(certification("fe", "bulb", &["JP"]), 15);
    stage.issued(1, BadgeRemoval, Scope::Global, Some("B1"));
    stage.can(Action::DraftBadgeRequest(badge("r3", "B1", &["JP"])));
    assert!(stage.cannot(Action::SubmitBadgeRequest(request("r3"))).starts_with("badge: the badge of B1 was removed"));
    stage.go_to(day(16));
    stage.issued(2, Reinstatement, NA, Some("B1"));
    stage.can(Action::SubmitBadgeRequest(request("r3")));
    // One removed in a region can be asked for in another, not in that one.
    stage.certify(certification("eu-2", "bulb", &["FR"]), 17);
    stage.can(Action::RejectBadgeRequest { id: request("r3"), reasons: vec!["not yet".to_owned()] });
    stage.can(Action::DraftBadgeRequest(badge("r4", "B1", &["FR"])));
    assert!(stage.cannot(Action::SubmitBadgeRequest(request("r4"))).starts_with("badge: the badge of B1 was removed"));
}

#[test]
fn a_suspension_blocks_new_badges_and_leaves_the_others() {
    let mut stage = Stage::badged();
    stage.can(Action::DraftBadgeRequest(badge("r2", "B2", &["US"])));
    let mut reviewed = stage.clone();
    reviewed.can(Action::SubmitBadgeRequest(request("r2")));
    for stage in [&mut stage, &mut reviewed] {
        stage.go_to(day(20));
        stage.issued(1, Suspension, Scope::Global, None);
    }
    let told = "suspension:global: manufacturer m-1 is suspended in global since 2025-01-21T00:00:00.000Z by decision \
                01010101010101010101010101010101; wait until its removed badges are reinstated; badges that it has stay";
    assert_eq!(stage.cannot(Action::SubmitBadgeRequest(request("r2"))), told);
    assert_eq!(reviewed.cannot(Action::ApproveBadgeRequest(request("r2"))), told);
    // An instant before it makes no difference.
    assert_eq!(reviewed.cannot_at(day(19), Action::ApproveBadgeRequest(request("r2"))), told);
    assert_eq!(stage.badge("B1"), "US 12..");
    stage.grant(badge("r3", "B1", &["CA"]));
    assert_eq!(stage.badge("B1"), "CA+US 12..");
    reviewed.go_to(day(21));
    reviewed.issued(2, SuspensionLifted, Scope::Global, None);
    reviewed.can(Action::ApproveBadgeRequest(request("r2")));
    assert_eq!(reviewed.badge("B2"), "US 21..");
}

#[test]
fn suspensions_are_amended_taken_back_and_mapped_as_removals_are() {
    let mut stage = in_two_regions();
    let issue = |stage: &mut Stage, id: u8, kind, scope, other: Option<u8>| {
        stage.note(IssuedNote { supersedes: other.map(decision), ..note(id, kind, scope, stage.now) });
        stage.suspended("m-1")
    };
    assert_eq!(issue(&mut stage, 1, Suspension, NA, None), "NA");
    assert_eq!(issue(&mut stage, 2, Amendment, NA, Some(1)), "NA");
    assert_eq!(issue(&mut stage, 3, Reversal, NA, Some(2)), "");
    assert_eq!(issue(&mut stage, 4, Suspension, NA, Some(3)), "NA");
    stage.go_to(day(20));
    assert_eq!(issue(&mut stage, 5, SuspensionLifted, NA, None), "");
    assert_eq!(issue(&mut stage, 6, Reversal, NA, Some(5)), "NA");
    assert_eq!(issue(&mut stage, 7, SuspensionLifted, NA, Some(6)), "");
    // A global one goes on where a badge is removed, once a region is lifted by itself.
    stage.go_to(day(30));
    stage.issued(20, BadgeRemoval, Scope::Global, Some("B1"));
    assert_eq!(issue(&mut stage, 8, Suspension, Scope::Global, None), "global");
    stage.go_to(day(40));
    stage.issued(21, Reinstatement, NA, Some("B1"));
    assert_eq!(issue(&mut stage, 9, SuspensionLifted, NA, None), "EU");
    stage.issued(22, Reinstatement, EU, Some("B1"));
    assert_eq!(issue(&mut stage, 10, SuspensionLifted, EU, None), "");
    assert_eq!(issue(&mut stage, 11, Suspension, FE, None), "FE");
    stage.go_to(day(50));
    assert_eq!(issue(&mut stage, 12, SuspensionLifted, Scope::Global, None), "");
}

#[test]
fn a_manufacturer_is_suspended_by_what_was_said_before_it_was_known() {
    let mut stage = Stage::new();
    stage.issued(1, Suspension, Scope::Global, None);
    let mut named = stage.clone();
    stage.can(Action::DescribeManufacturer(super::stage::manufacturer("m-1")));
    named.says(super::stage::badge_fact("B1", &["US"], day(0)));
    for stage in [stage, named] {
        assert_eq!((stage.suspended("m-1").as_str(), stage.status("manufacturer:m-1")), ("global", "suspended"));
    }
    assert_eq!(maker("m-1").as_str(), "m-1");
}

#[test]
fn what_is_asked_goes_by_the_ids_of_its_amendments() {
    use domain::fact::{Fact, Verdict};
    let rule = |number| Action::Rule { proposal: decision(number), verdict: Verdict::Confirmed, note: None };
    let mut stage = Stage::badged();
    stage.issued(1, DecisionKind::Proposal, Scope::Global, Some("B1"));
    stage.supersedes(2, Amendment, (1, day(11)), Some("B1"));
    stage.supersedes(3, Amendment, (2, day(10)), Some("B1"));
    let mut reversed = stage.clone();
    let Some(Fact::Ruling(ruling)) = stage.can(rule(2)) else { panic!("a ruling") };
    assert_eq!((ruling.proposal, ruling.proposed_at), (decision(1), day(10)));
    assert!(stage.cannot(rule(1)).contains("was confirmed by ada"));
    assert_eq!(
        stage.trail(&format!("proposal:{}", decision(3))),
        ["12 proposal open", "11 amendment open", "10 amendment open", "12 confirm_proposal confirmed"]
    );
    assert!(stage.trail("badge:B1").iter().all(|step| !step.contains("amendment")), "{:?}", stage.trail("badge:B1"));
    reversed.supersedes(4, Reversal, (3, day(12)), Some("B1"));
    assert!(reversed.cannot(rule(3)).contains("is reversed since"));

    let mut stage = Stage::badged();
    stage.issued(1, DecisionKind::CriticalOutage, NA, Some("B1"));
    stage.supersedes(2, Amendment, (1, day(11)), Some("B1"));
    let action = Action::AcknowledgeOutage { outage: decision(2), cause: "a certificate".to_owned(), expected_fix: day(12) };
    let Some(Fact::Acknowledgement(fact)) = stage.can(action) else { panic!("an acknowledgement") };
    assert_eq!(fact.outage, decision(1));
}
