//! Effective dates: commands and facts that act earlier or later than they are recorded, and badges that go live
//! at their date, or once all is met.

use domain::decision::{DecisionKind, Scope};
use domain::fact::{ExclusionTarget, Fact, ListingStatus, Withdrawal};
use domain::programme::{Action, BadgeForm, Entry};
use domain::time::{DAY_MS, DurationMs, Timestamp};

use super::stage::{
    Stage, asin, badge, badge_fact, certification, change, day, dispute, dispute_id, exclusion, exclusion_id, hour, listing,
    maker, marketplaces, published, request,
};
use crate::book::COMMAND_SKEW_MAX;
use ListingStatus::{Good, Suppressed, Unavailable};

fn later(of: &str, codes: &[&str], go_live: Timestamp) -> BadgeForm {
    BadgeForm { go_live: Some(go_live), ..badge("r1", of, codes) }
}

/// B1, certified, with its request r1 approved on day 12 to go live on day 20.
fn pending() -> Stage {
    let mut stage = Stage::certified();
    stage.go_to(day(12));
    assert_eq!(stage.grant(later("B1", &["US"], day(20))), None);
    stage
}

#[test]
fn a_command_takes_effect_within_a_window_before_its_record_and_five_minutes_after() {
    let check = |at: Timestamp, expected: Option<&str>| {
        let mut stage = Stage::badged();
        stage.go_to(day(400));
        let count = Action::CountCustomers { asin: asin("B1"), customers: 7 };
        match expected {
            None => assert!(stage.can_at(at, count).is_some(), "{at}"),
            Some(expected) => assert_eq!(stage.cannot_at(at, count), expected, "{at}"),
        }
    };
    let ms = |at: Timestamp, ms: i64| Timestamp::clamped(at.ms() + ms);
    let (ahead, old) = (day(400) + COMMAND_SKEW_MAX, day(35));
    check(ahead, None);
    check(
        ms(ahead, 1),
        Some(
            "at: it takes effect 2026-02-05T00:05:00.001Z, later than five minutes after it was recorded, \
             2026-02-05T00:00:00.000Z; give it again when it is to take effect; a badge request can name its go-live date",
        ),
    );
    check(old, None);
    check(
        ms(old, -1),
        Some(
            "at: it would take effect 2025-02-04T23:59:59.999Z, more than a window before it was recorded, \
             2026-02-05T00:00:00.000Z; give an instant within the last window: what is older is frozen",
        ),
    );
}

#[test]
fn what_happens_to_one_thing_happens_in_order() {
    let count = |customers| Action::CountCustomers { asin: asin("B1"), customers };
    let mut stage = Stage::badged();
    stage.go_to(day(15));
    stage.can_at(day(14), count(1));
    assert_eq!(
        stage.cannot_at(day(13), count(2)),
        "order: badge:B1 went through count_customers by ada at 2025-01-15T00:00:00.000Z, which is after \
         2025-01-14T00:00:00.000Z; look at it as it is now; what happens to one thing happens in order"
    );
    assert_eq!(
        stage.cannot_at(day(14), count(3)),
        "at: something else about the badge of B1 changes at 2025-01-15T00:00:00.000Z; give another instant, a millisecond later"
    );
    stage.can_at(hour(14, 1), count(4));
    // What is dated ahead hasn't happened yet.
    stage.says(Fact::BadgeChange(domain::fact::BadgeChange { customers: Some(9), ..change("B1", day(30)) }));
    stage.can(count(5));
    stage.go_to(day(31));
    assert!(stage.cannot_at(day(29), count(6)).starts_with("order: badge:B1 went through badge by badgewatch"));
    // A request is repeated no earlier than it ended.
    let id = || super::stage::certification_id("na-2");
    stage.can(Action::DraftCertification(certification("na-2", "bulb", &["MX"])));
    stage.can(Action::SubmitCertification(id()));
    stage.can(Action::RejectCertification { id: id(), reasons: vec!["no".to_owned()] });
    let again = Action::TestAgain { id: id(), new: super::stage::certification_id("na-3") };
    assert!(stage.cannot_at(day(30), again).starts_with("order: certification:na-2 went through reject_certification"));
}

#[test]
fn a_badge_goes_live_at_its_date_however_time_passes() {
    for steps in [vec![day(20)], vec![day(19), day(21)], (13..30).map(day).collect(), vec![day(300)]] {
        let mut stage = pending();
        assert_eq!(stage.status("badge:B1"), "-");
        let facts: Vec<Fact> = steps.iter().flat_map(|step| stage.go_to(*step)).collect();
        let [Fact::Badge(fact)] = facts.as_slice() else { panic!("{facts:?}") };
        assert_eq!(fact.enabled_at, day(20));
        assert_eq!(stage.badge("B1"), "US 20..");
        assert_eq!(stage.trail("badge:B1"), ["20 go_live enabled"]);
        assert_eq!(stage.trail("badge_request:r1")[3..], ["20 go_live enabled"]);
    }
    // The registry's facts reach back one window.
    let mut stage = pending();
    stage.go_to(day(400));
    assert_eq!(stage.badge("B1"), "US 35..");
}

#[test]
fn a_date_that_has_come_when_it_is_approved_is_kept() {
    let mut stage = Stage::certified();
    stage.can(Action::DraftBadgeRequest(later("B1", &["US"], day(11))));
    stage.can(Action::SubmitBadgeRequest(request("r1")));
    stage.go_to(day(12));
    let mut at_once = stage.clone();
    at_once.can_at(hour(10, 12), Action::ApproveBadgeRequest(request("r1")));
    assert_eq!(at_once.badge("B1"), "US 11..");
    // What didn't hold at the date holds from now on.
    stage.says(listing("B1", "US", hour(10, 18), Suppressed));
    stage.says(listing("B1", "US", hour(11, 12), Good));
    stage.can_at(hour(10, 12), Action::ApproveBadgeRequest(request("r1")));
    assert_eq!(stage.badge("B1"), "US 12..");
}

/// B1 is to go live on day 20; what is in the way then, and where it is on which days.
#[track_caller]
fn check_late(between: impl Fn(&mut Stage), expected: &str) {
    let mut stages = [pending(), pending()];
    for stage in &mut stages {
        between(stage);
    }
    let [mut leap, mut steps] = stages;
    (1..=240).for_each(|step| drop(steps.go_to(leap.now.max(hour(20, 0)) + DurationMs(step * DAY_MS / 24))));
    leap.go_to(leap.now.max(hour(20, 0)) + DurationMs::days(10));
    assert_eq!(leap.badge("B1"), expected);
    assert_eq!(steps.badge("B1"), expected, "in steps");
}

#[test]
fn a_badge_goes_live_once_all_is_met() {
    let suppressed = |stage: &mut Stage| stage.says(listing("B1", "US", day(19), Suppressed));
    check_late(suppressed, "-");
    check_late(
        |stage| {
            suppressed(stage);
            stage.says(listing("B1", "US", hour(23, 5), Good));
        },
        "US 23+5h..",
    );
    let unpublished = |stage: &mut Stage| stage.says(published("s-1", "US", day(19), Unavailable));
    check_late(unpublished, "-");
    check_late(
        |stage| {
            unpublished(stage);
            stage.says(published("s-1", "US", hour(24, 1), Good));
        },
        "US 24+1h..",
    );
    // During a suspension nothing new goes live, and afterwards not as of a date in it.
    let suspended = |stage: &mut Stage| {
        stage.go_to(day(18));
        stage.issued(1, DecisionKind::Suspension, Scope::Global, None);
        stage.go_to(day(22));
    };
    check_late(suspended, "-");
    check_late(
        |stage| {
            suspended(stage);
            stage.issued(2, DecisionKind::SuspensionLifted, Scope::Global, None);
        },
        "US 22..",
    );
    // A suspension in another region is none here.
    check_late(
        |stage| {
            stage.go_to(day(18));
            stage.issued(1, DecisionKind::Suspension, Scope::Region(domain::Region::Eu), None);
        },
        "US 20..",
    );
}

#[test]
fn a_skill_that_is_to_vanish_concerns_who_asks_later() {
    let mut stage = Stage::certified();
    stage.says(published("s-1", "US", day(25), Unavailable));
    stage.says(published("s-1", "US", day(28), Good));
    stage.go_to(day(12));
    stage.grant(later("B1", &["US"], day(26)));
    stage.grant(BadgeForm { go_live: None, ..badge("r2", "B2", &["US"]) });
    stage.go_to(day(27));
    assert_eq!((stage.badge("B1"), stage.flags("B2")), ("-".to_owned(), vec!["skill:US:unavailable".to_owned()]));
    stage.go_to(day(40));
    assert_eq!(stage.badge("B1"), "US 28..");
    assert_eq!(stage.trail("badge:B2"), ["12 go_live enabled", "25 flagged enabled", "28 unflagged enabled"]);
}

#[test]
fn certifications_count_from_their_approval_on() {
    let mut stage = Stage::certified();
    stage.go_to(day(12));
    let draft = Action::DraftBadgeRequest(badge("r1", "B1", &["US"]));
    stage.can_at(day(5), draft);
    assert_eq!(
        stage.cannot_at(day(9), Action::SubmitBadgeRequest(request("r1"))),
        "certification:US: certification:na covers US since 2025-01-11T00:00:00.000Z, which is after 2025-01-10T00:00:00.000Z; \
         ask for US from 2025-01-11T00:00:00.000Z on"
    );
    stage.can_at(day(10), Action::SubmitBadgeRequest(request("r1")));
    stage.can_at(day(11), Action::ApproveBadgeRequest(request("r1")));
    assert_eq!(stage.badge("B1"), "US 11..");
}

#[test]
fn a_badge_gains_marketplaces_and_loses_none() {
    let mut stage = Stage::badged();
    let fact = stage.grant(badge("r2", "B1", &["CA"]));
    assert!(matches!(fact, Some(Fact::BadgeChange(change)) if change.marketplaces == Some(marketplaces(&["CA", "US"]))));
    assert_eq!(stage.badge("B1"), "CA+US 12..");
    assert_eq!(stage.trail("badge_request:r2")[3..], ["12 go_live enabled"]);
    stage.can(Action::DraftBadgeRequest(badge("r3", "B1", &["CA", "US"])));
    assert_eq!(
        stage.cannot(Action::SubmitBadgeRequest(request("r3"))),
        "marketplaces: B1 has the badge in every one of these marketplaces; name a marketplace where it hasn't got it yet"
    );
    // Two that are approved out of order: neither undoes the other.
    stage.certify(certification("na-2", "bulb", &["MX"]), 13);
    stage.certify(certification("na-3", "bulb", &["BR"]), 14);
    for code in ["MX", "BR"] {
        stage.says(listing("B1", code, day(0), Good));
        stage.says(published("s-1", code, day(0), Good));
    }
    stage.go_to(day(20));
    stage.can_at(day(15), Action::DraftBadgeRequest(badge("r4", "B1", &["MX"])));
    stage.can_at(day(15), Action::DraftBadgeRequest(badge("r5", "B1", &["BR"])));
    stage.can_at(day(15), Action::SubmitBadgeRequest(request("r4")));
    stage.can_at(day(18), Action::ApproveBadgeRequest(request("r4")));
    stage.can_at(day(15), Action::SubmitBadgeRequest(request("r5")));
    stage.can_at(day(16), Action::ApproveBadgeRequest(request("r5")));
    assert_eq!(stage.badge("B1"), "BR+CA+MX+US 12..");
    // What is wrong where it is badged already is no objection to another marketplace.
    let mut stage = Stage::badged();
    stage.says(listing("B1", "US", day(12), Suppressed));
    assert_eq!(stage.flags("B1"), ["listing:US:suppressed"]);
    stage.grant(badge("r2", "B1", &["CA"]));
    assert_eq!(stage.badge("B1"), "CA+US 12..");
}

#[test]
fn a_marketplace_is_gained_once_the_badge_is_back() {
    let mut stage = Stage::badged();
    stage.grant(BadgeForm { go_live: Some(day(20)), ..badge("r2", "B1", &["CA"]) });
    stage.go_to(day(18));
    stage.issued(1, DecisionKind::BadgeRemoval, Scope::Global, Some("B1"));
    stage.go_to(day(30));
    assert_eq!(stage.status("badge_request:r2"), "pending");
    stage.issued(2, DecisionKind::Reinstatement, Scope::Global, Some("B1"));
    assert_eq!(stage.badge("B1"), "CA+US 12..");
    assert_eq!(stage.trail("badge_request:r2")[3..], ["30 go_live enabled"]);
}

#[test]
fn a_badge_that_a_fact_registered_is_its_own_products() {
    let mut stage = Stage::certified();
    stage.says(badge_fact("B1", &["US"], day(1)));
    stage.can(Action::DraftBadgeRequest(badge("r1", "B1", &["CA"])));
    assert_eq!(
        stage.cannot(Action::SubmitBadgeRequest(request("r1"))),
        "dependencies: the badge of B1 depends on skill none and hub none, and this request on skill s-1 and hub none; have it \
         certified for these marketplaces with skill none and hub none"
    );
    stage.says(Fact::BadgeChange(domain::fact::BadgeChange {
        skill: Some(domain::id::SkillId::new("s-1")),
        model: Some(Some("Glimmer".to_owned())),
        ..change("B1", day(2))
    }));
    assert_eq!(
        stage.cannot(Action::SubmitBadgeRequest(request("r1"))),
        "product: the badge of B1 names another model than product bulb; ask with the certified product that the badge is for"
    );
    stage.says(Fact::BadgeChange(domain::fact::BadgeChange { model: Some(None), ..change("B1", day(3)) }));
    stage.can(Action::SubmitBadgeRequest(request("r1")));
    stage.can(Action::ApproveBadgeRequest(request("r1")));
    assert_eq!(stage.badge("B1"), "CA+US 1..");
}

#[test]
fn withdrawals_act_at_their_instant() {
    let ahead = || Fact::Withdrawal(Withdrawal { asin: asin("B1"), at: day(20) });
    let mut stage = Stage::badged();
    stage.says(ahead());
    assert_eq!((stage.status("badge:B1"), stage.badge("B1")), ("enabled", "US 12..".to_owned()));
    let mut earlier = stage.clone();
    stage.go_to(day(21));
    assert_eq!((stage.status("badge:B1"), stage.badge("B1")), ("withdrawn", "US 12..20".to_owned()));
    assert!(stage.cannot(Action::WithdrawBadge(asin("B1"))).contains("was given back at 2025-01-21T00:00:00.000Z"));
    earlier.go_to(day(15));
    earlier.can(Action::WithdrawBadge(asin("B1")));
    earlier.go_to(day(21));
    assert_eq!(earlier.badge("B1"), "US 12..15");
    // One that isn't enabled yet can't be given back yet.
    let mut stage = Stage::new();
    stage.says(badge_fact("B1", &["US"], day(9)));
    assert_eq!(
        stage.cannot(Action::WithdrawBadge(asin("B1"))),
        "at: the badge of B1 is enabled 2025-01-10T00:00:00.000Z, after 2025-01-01T00:00:00.000Z; give it back once it is enabled"
    );
}

#[test]
fn flags_come_and_go() {
    let mut stage = Stage::badged();
    let Fact::Listing(good) = listing("B1", "US", day(14), Good) else { panic!("a listing") };
    let text = |text: &str| Some(text.to_owned());
    let facts = [
        (Fact::Listing(domain::fact::Listing { model: text("Glaw"), ..good.clone() }), vec!["model:US"]),
        (Fact::Listing(domain::fact::Listing { at: day(15), model: text("Glow"), ..good.clone() }), vec![]),
        (Fact::Listing(domain::fact::Listing { at: day(16), hub: Some(asin("H1")), ..good }), vec!["hub:US"]),
        (published("s-1", "US", day(17), Unavailable), vec!["hub:US", "skill:US:unavailable"]),
        (listing("B1", "US", day(18), Suppressed), vec!["listing:US:suppressed", "skill:US:unavailable"]),
        (listing("B1", "CA", day(19), Suppressed), vec!["listing:US:suppressed", "skill:US:unavailable"]),
        (published("s-2", "US", day(20), Unavailable), vec!["listing:US:suppressed", "skill:US:unavailable"]),
        (published("s-1", "US", day(21), Good), vec!["listing:US:suppressed"]),
        (listing("B1", "US", day(22), Good), vec![]),
    ];
    for (fact, expected) in facts {
        stage.says(fact.clone());
        stage.go_to(stage.now + DurationMs::days(2));
        let mut at_once = stage.clone();
        assert_eq!(stage.flags("B1"), expected, "{fact:?}");
        at_once.add(Entry::Fact(fact)).expect("no contradiction");
        assert_eq!(at_once.flags("B1"), expected, "once more");
    }
    let flagged = stage.trail("badge:B1").iter().filter(|step| step.contains(" flagged")).count();
    assert_eq!(flagged, 5, "{:?}", stage.trail("badge:B1"));
    // What a flagged badge is held for is told by the decision, and the badge stays flagged until all is right.
    stage.says(listing("B1", "US", stage.now, Suppressed));
    stage.issued(1, DecisionKind::BadgeRemoval, Scope::Global, Some("B1"));
    stage.issued(2, DecisionKind::ReinstatementHeld, Scope::Global, Some("B1"));
    assert_eq!((stage.status("badge:B1"), stage.flags("B1").len()), ("removed", 1));
}

#[test]
fn what_is_excused_lies_within_the_last_window() {
    let mut stage = Stage::badged();
    stage.go_to(day(400));
    let of_all = |id, when| exclusion(id, ExclusionTarget::All, when);
    assert_eq!(
        stage.cannot(Action::RequestExclusion(of_all("x", (20, 35)))),
        "interval: it ends 2025-02-05T00:00:00.000Z, before 2025-02-05T00:00:00.000Z: more than a window ago; nothing that long \
         ago counts any more"
    );
    assert!(stage.cannot(Action::OpenDispute(dispute("d", "B1", (20, 35)))).starts_with("interval: it ends"));
    // Half of it counts, and as what counts is frozen it can't be taken back.
    stage.can(Action::RequestExclusion(of_all("x", (20, 50))));
    let Some(Fact::Exclusion(fact)) = stage.can(Action::ApproveExclusion(exclusion_id("x"))) else { panic!("a fact") };
    assert_eq!((fact.interval.from, fact.interval.to), (day(35), day(50)));
    let revoke = |id| Action::RevokeExclusion { id: exclusion_id(id), note: "a mistake".to_owned() };
    stage.go_to(day(401));
    assert_eq!(
        stage.cannot(revoke("x")),
        "interval: it began 2025-02-05T00:00:00.000Z, before 2025-02-06T00:00:00.000Z: what it excused more than a window ago is \
         frozen; let it stand: it can only be revoked as a whole"
    );
    stage.can(Action::RequestExclusion(of_all("y", (36, 50))));
    stage.can(Action::ApproveExclusion(exclusion_id("y")));
    stage.can(revoke("y"));
    stage.can(Action::OpenDispute(dispute("d", "B1", (30, 60))));
    let Some(Fact::Exclusion(fact)) = stage.can(Action::UpholdDispute { id: dispute_id("d"), note: "so it was".to_owned() })
    else {
        panic!("a fact")
    };
    assert_eq!((fact.interval.from, fact.approved_by.as_str()), (day(36), "ada"));
    // One that was asked for in time and forgotten.
    stage.can(Action::RequestExclusion(of_all("z", (40, 50))));
    stage.go_to(day(500));
    assert!(stage.cannot(Action::ApproveExclusion(exclusion_id("z"))).starts_with("interval: it ends"));
    stage.can(Action::DeclineExclusion { id: exclusion_id("z"), note: "too late".to_owned() });
    assert_eq!(
        stage.cannot(Action::RequestExclusion(exclusion("u", ExclusionTarget::Manufacturer(maker("m-7")), (480, 490)))),
        "target: no badge has to do with manufacturer m-7; check the id, or wait until a badge names it"
    );
}
