//! Two commands about one thing: one wins, the other is told why. One command, however often, is one.

use domain::decision::{DecisionKind, Scope};
use domain::fact::{ExclusionTarget, Verdict};
use domain::id::CommandId;
use domain::programme::{Action, Command, Entry, Outcome};

use super::stage::{Stage, asin, badge, day, decision, exclusion, exclusion_id, request};

fn by(who: &str, id: &str, expects: Option<u64>, action: Action) -> Command {
    let id = CommandId::new(id).expect("an id");
    Command { id, at: day(15), by: who.to_owned(), expects, action }
}

fn add(stage: &mut Stage, command: &Command) -> Result<(), String> {
    stage.add(Entry::Command(Box::new(command.clone()))).map(drop)
}

/// Of two commands the first is carried out, and the other is told.
#[track_caller]
fn check(stage: &Stage, actions: [Action; 2], told: &str) {
    let mut stage = stage.clone();
    stage.go_to(day(15));
    let [first, second] = actions;
    let (first, second) = (by("ada", "first", None, first), by("bob", "second", None, second));
    assert_eq!(add(&mut stage, &first), Ok(()));
    let before = stage.clone();
    assert_eq!(add(&mut stage, &second), Err(format!("command second: {told}")));
    for id in stage.register.book().ids() {
        assert_eq!(stage.register.book().entity(&id), before.register.book().entity(&id));
    }
    assert_eq!(stage.register.resolve(), before.register.resolve());
}

#[test]
fn one_wins_and_the_other_is_told() {
    let mut stage = Stage::badged();
    stage.can(Action::RequestExclusion(exclusion("x", ExclusionTarget::All, (10, 11))));
    stage.issued(1, DecisionKind::Proposal, Scope::Global, Some("B1"));
    stage.can(Action::DraftBadgeRequest(badge("r2", "B2", &["US"])));
    stage.can(Action::SubmitBadgeRequest(request("r2")));
    let approve = || Action::ApproveExclusion(exclusion_id("x"));
    let decline = || Action::DeclineExclusion { id: exclusion_id("x"), note: "no".to_owned() };
    let approved = "status: exclusion:x is Approved since 2025-01-16T00:00:00.000Z (approve_exclusion by ada); expected requested; \
                    it counts: revoke it if it isn't to";
    check(&stage, [approve(), approve()], approved);
    check(&stage, [approve(), decline()], approved);
    let rule = |verdict| Action::Rule { proposal: decision(1), verdict, note: None };
    let confirmed = "status: proposal:01010101010101010101010101010101 was confirmed by ada at 2025-01-16T00:00:00.000Z; the first \
                     answer stands";
    check(&stage, [rule(Verdict::Confirmed), rule(Verdict::Refused)], confirmed);
    let reject = || Action::RejectBadgeRequest { id: request("r2"), reasons: vec!["no".to_owned()] };
    check(
        &stage,
        [reject(), Action::ApproveBadgeRequest(request("r2"))],
        "status: badge_request:r2 is Rejected since 2025-01-16T00:00:00.000Z (reject_badge_request by ada); expected under review; \
         mend what it was rejected for, draft it again and submit it",
    );
    check(
        &stage,
        [Action::ApproveBadgeRequest(request("r2")), reject()],
        "status: badge_request:r2 is Enabled since 2025-01-16T00:00:00.000Z (go_live by badgewatch); expected under review, or \
         pending; the badge is live: give it back, or ask for other marketplaces in another request",
    );
    let withdraw = || Action::WithdrawBadge(asin("B1"));
    check(
        &stage,
        [withdraw(), withdraw()],
        "status: the badge of B1 was given back at 2025-01-16T00:00:00.000Z; nothing is left to do",
    );
}

#[test]
fn nobody_overwrites_what_they_have_not_seen() {
    let mut stage = Stage::badged();
    stage.go_to(day(15));
    let draft = |id: &str, expects| by("ada", id, expects, Action::DraftBadgeRequest(badge("r2", "B2", &["US"])));
    assert_eq!(
        add(&mut stage, &draft("a", Some(1))),
        Err("command a: revision: badge_request:r2 is at revision 0, not 1: somebody else was first; look at it as it is now, and \
             expect revision 0"
            .to_owned())
    );
    assert_eq!(add(&mut stage, &draft("b", Some(0))), Ok(()));
    assert_eq!(stage.register.book().outcome(&CommandId::new("b").expect("an id")), Some(&Outcome::Accepted { revision: 1 }));
    assert!(add(&mut stage, &draft("c", Some(0))).is_err());
    assert_eq!(add(&mut stage, &draft("d", Some(1))), Ok(()));
    assert_eq!(add(&mut stage, &draft("e", None)), Ok(()));
    // A badge that goes live at once has two steps more.
    add(&mut stage, &by("ada", "f", Some(3), Action::SubmitBadgeRequest(request("r2")))).expect("revision 3");
    add(&mut stage, &by("team", "g", Some(4), Action::ApproveBadgeRequest(request("r2")))).expect("revision 4");
    assert_eq!(stage.register.book().outcome(&CommandId::new("g").expect("an id")), Some(&Outcome::Accepted { revision: 6 }));
}

#[test]
fn a_command_is_carried_out_once() {
    let mut stage = Stage::badged();
    stage.go_to(day(15));
    let count = |customers| by("ada", "c", None, Action::CountCustomers { asin: asin("B1"), customers });
    assert_eq!(add(&mut stage, &count(7)), Ok(()));
    let before = stage.register.clone();
    stage.go_to(day(16));
    assert_eq!(stage.add(Entry::Command(Box::new(count(7)))), Ok(None));
    let taken = "command c: command: the id c was used by a command with other content; give the command an id of its own";
    assert_eq!(add(&mut stage, &count(8)), Err(taken.to_owned()));
    assert_eq!(add(&mut stage, &Command { at: day(16), ..count(7) }), Err(taken.to_owned()));
    // A refused one stays refused, though it could be carried out by now.
    let withdraw = by("ada", "w", None, Action::WithdrawBadge(asin("B2")));
    let told = add(&mut stage, &withdraw).expect_err("no badge");
    stage.grant(badge("r2", "B2", &["US"]));
    assert_eq!(add(&mut stage, &withdraw), Err(told));
    assert_eq!(stage.status("badge:B2"), "enabled");
    assert_eq!(stage.entity("badge:B1"), before.book().entity(&domain::programme::EntityId::Badge(asin("B1"))));
}
