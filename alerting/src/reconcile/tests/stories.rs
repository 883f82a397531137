//! What is issued, told step by step: by exclusions, late minutes, rulings, brakes, switches.

use domain::decision::Scope;
use domain::fact::Verdict::{Confirmed, Refused};
use domain::id::Region;

use super::story::Step::{At, Forget, Rule, Switch};
use super::story::{check, play, policies, switching};
use crate::reconcile::BadgeOfRecord;

const REMOVAL: &str = "badge_removal global 2025-03-01T06:00 budget";
const STARTED: &str = "probation_started global 2025-03-01T07:00";
const MONTH_1: &str = "probation_month_passed global 2025-04-01T07:00 m1";
const MONTH_2: &str = "probation_month_passed global 2025-05-01T07:00 m2";
const MONTH_3: &str = "probation_month_passed global 2025-06-01T07:00 m3";
const BACK: &str = "reinstatement global 2025-06-01T07:00";
const ARC: [&str; 6] = [REMOVAL, STARTED, MONTH_1, MONTH_2, MONTH_3, BACK];

/// What is issued of [`ARC`], by number.
const ISSUED: [&str; 6] = [
    "#1 badge_removal global 2025-03-01T06:00 budget",
    "#2 probation_started global 2025-03-01T07:00",
    "#3 probation_month_passed global 2025-04-01T07:00 m1",
    "#4 probation_month_passed global 2025-05-01T07:00 m2",
    "#5 probation_month_passed global 2025-06-01T07:00 m3",
    "#6 reinstatement global 2025-06-01T07:00",
];

#[test]
fn enforcement_waits_a_day_and_is_issued_once() {
    let issued = check(
        &policies(&[]),
        &[
            At("2025-03-02T05:59", &ARC, &[]),
            At("2025-03-02T06:00", &ARC, &[ISSUED[0]]),
            At("2025-03-02T07:00", &ARC, &[ISSUED[1]]),
            At("2025-05-31T00:00", &ARC, &[ISSUED[2], ISSUED[3]]),
            At("2025-06-02T07:00", &ARC, &[ISSUED[4], ISSUED[5]]),
            At("2025-09-02T07:00", &ARC, &[]),
        ],
    );
    let known = |t| issued.as_known(super::story::at(t)).count();
    assert_eq!([known("2025-03-02T05:59"), known("2025-03-02T06:00"), known("2025-06-01T00:00")], [0, 1, 4]);
}

#[test]
fn an_exclusion_approved_revoked_approved_and_revoked_makes_five_decisions() {
    check(
        &policies(&[]),
        &[
            At("2025-03-03T00:00", &[REMOVAL, STARTED], &ISSUED[..2]),
            At("2025-03-04T00:00", &[], &["#3 reversal global 2025-03-04T00:00 budget supersedes #1 (badge_removal)"]),
            At(
                "2025-03-05T00:00",
                &[REMOVAL, STARTED],
                &[
                    "#4 badge_removal global 2025-03-01T06:00 budget supersedes #3",
                    "#5 probation_started global 2025-03-01T07:00 supersedes #3",
                ],
            ),
            At("2025-03-06T00:00", &[], &["#6 reversal global 2025-03-06T00:00 budget supersedes #4 (badge_removal)"]),
            At(
                "2025-03-07T00:00",
                &[REMOVAL, STARTED],
                &[
                    "#7 badge_removal global 2025-03-01T06:00 budget supersedes #6",
                    "#8 probation_started global 2025-03-01T07:00 supersedes #6",
                ],
            ),
        ],
    );
}

#[test]
fn a_removal_issued_again_elsewhere_supersedes_the_reversal_and_a_later_breach_does_not() {
    check(
        &policies(&[]),
        &[
            At("2025-03-03T00:00", &[REMOVAL], &ISSUED[..1]),
            At("2025-03-04T00:00", &[], &["#2 reversal global 2025-03-04T00:00 budget supersedes #1 (badge_removal)"]),
            At(
                "2025-03-05T00:00",
                &["badge_removal global 2025-03-02T00:00 budget"],
                &["#3 badge_removal global 2025-03-02T00:00 budget supersedes #2"],
            ),
            At("2025-03-06T00:00", &[], &["#4 reversal global 2025-03-06T00:00 budget supersedes #3 (badge_removal)"]),
            At(
                "2025-03-09T00:00",
                &["badge_removal global 2025-03-07T00:00 budget"],
                &["#5 badge_removal global 2025-03-07T00:00 budget"],
            ),
        ],
    );
}

#[test]
fn a_moved_instant_or_another_reason_is_one_amendment() {
    let earlier = "badge_removal global 2025-03-01T05:59 budget";
    let both = "badge_removal global 2025-03-01T05:59 budget outages";
    check(
        &policies(&[]),
        &[
            At("2025-03-02T06:00", &[REMOVAL], &ISSUED[..1]),
            At("2025-03-02T06:05", &[earlier], &["#2 amendment global 2025-03-01T05:59 budget supersedes #1 (badge_removal)"]),
            At(
                "2025-03-02T06:10",
                &[both],
                &["#3 amendment global 2025-03-01T05:59 budget outages supersedes #2 (badge_removal)"],
            ),
            At("2025-03-02T06:15", &[REMOVAL], &["#4 amendment global 2025-03-01T06:00 budget supersedes #3 (badge_removal)"]),
            // What moved to an instant that hasn't settled waits, and what follows with it.
            At("2025-03-02T06:20", &["badge_removal global 2025-03-02T06:00 budget"], &[]),
            At("2025-03-02T06:25", &[], &["#5 reversal global 2025-03-02T06:25 budget supersedes #4 (badge_removal)"]),
        ],
    );
}

#[test]
fn months_restarts_and_the_reinstatement_move_and_are_taken_back_one_by_one() {
    let restarted = [
        REMOVAL,
        STARTED,
        MONTH_1,
        "probation_restarted global 2025-04-10T00:00 budget",
        "probation_month_passed global 2025-05-10T00:00 m1",
        "probation_month_passed global 2025-06-10T00:00 m2",
    ];
    let moved = [
        "badge_removal global 2025-03-01T06:00 budget",
        "probation_started global 2025-03-02T00:00",
        "probation_month_passed global 2025-04-02T00:00 m1",
        "probation_month_passed global 2025-05-02T00:00 m2",
        "probation_month_passed global 2025-06-02T00:00 m3",
        "reinstatement global 2025-06-02T00:00",
    ];
    check(
        &policies(&[]),
        &[
            At("2025-06-05T00:00", &ARC, &ISSUED),
            At(
                "2025-06-06T00:00",
                &moved,
                &[
                    "#7 amendment global 2025-03-02T00:00 supersedes #2 (probation_started)",
                    "#8 amendment global 2025-04-02T00:00 m1 supersedes #3 (probation_month_passed)",
                    "#9 amendment global 2025-05-02T00:00 m2 supersedes #4 (probation_month_passed)",
                    "#10 amendment global 2025-06-02T00:00 m3 supersedes #5 (probation_month_passed)",
                    "#11 amendment global 2025-06-02T00:00 supersedes #6 (reinstatement)",
                ],
            ),
            At(
                "2025-06-07T00:00",
                &restarted,
                &[
                    "#12 reversal global 2025-06-07T00:00 supersedes #9 (probation_month_passed)",
                    "#13 reversal global 2025-06-07T00:00 supersedes #10 (probation_month_passed)",
                    "#14 reversal global 2025-06-07T00:00 supersedes #11 (reinstatement)",
                    "#15 amendment global 2025-03-01T07:00 supersedes #7 (probation_started)",
                    "#16 amendment global 2025-04-01T07:00 m1 supersedes #8 (probation_month_passed)",
                    "#17 probation_restarted global 2025-04-10T00:00 budget",
                    "#18 probation_month_passed global 2025-05-10T00:00 m1",
                ],
            ),
            At("2025-06-11T00:00", &restarted, &["#19 probation_month_passed global 2025-06-10T00:00 m2"]),
            At(
                "2025-06-12T00:00",
                &ARC,
                &[
                    "#20 reversal global 2025-06-12T00:00 budget supersedes #17 (probation_restarted)",
                    "#21 reversal global 2025-06-12T00:00 supersedes #18 (probation_month_passed)",
                    "#22 amendment global 2025-05-01T07:00 m2 supersedes #19 (probation_month_passed)",
                    "#23 probation_month_passed global 2025-06-01T07:00 m3 supersedes #13",
                    "#24 reinstatement global 2025-06-01T07:00 supersedes #14",
                ],
            ),
        ],
    );
}

#[test]
fn a_hold_says_why_and_is_amended_when_that_changes() {
    let held = "reinstatement_held global 2025-06-01T07:00 brand:US";
    let model = "reinstatement_held global 2025-06-01T07:00 model:US";
    let probation = [REMOVAL, STARTED, MONTH_1, MONTH_2, MONTH_3];
    check(
        &policies(&[]),
        &[
            At(
                "2025-06-03T00:00",
                &[probation.as_slice(), &[held]].concat(),
                &[&ISSUED[..5], &["#6 reinstatement_held global 2025-06-01T07:00 brand:US"]].concat(),
            ),
            At(
                "2025-06-04T00:00",
                &[probation.as_slice(), &[model]].concat(),
                &["#7 amendment global 2025-06-01T07:00 model:US supersedes #6 (reinstatement_held)"],
            ),
            At(
                "2025-06-05T00:00",
                &ARC,
                &[
                    "#8 reversal global 2025-06-05T00:00 model:US supersedes #7 (reinstatement_held)",
                    "#9 reinstatement global 2025-06-01T07:00",
                ],
            ),
        ],
    );
}

#[test]
fn a_reinstatement_taken_back_waits_while_the_kill_switch_is_on() {
    let open = [REMOVAL, STARTED, MONTH_1, MONTH_2, MONTH_3];
    let issued = check(
        &policies(&[]),
        &[
            At("2025-06-05T00:00", &ARC, &ISSUED),
            Switch(true, "2025-06-06T00:00"),
            At("2025-06-06T00:00", &open, &[]),
            Switch(false, "2025-06-07T00:00"),
            At("2025-06-07T00:00", &open, &["#7 reversal global 2025-06-07T00:00 supersedes #6 (reinstatement)"]),
        ],
    );
    assert_eq!(issued.standing_of_record(Scope::Global), BadgeOfRecord::Off);
}

#[test]
fn a_removal_under_the_kill_switch_is_proposed_and_waits_for_a_ruling() {
    check(
        &policies(&[]),
        &[
            Switch(true, "2025-03-02T00:00"),
            At("2025-03-03T00:00", &[REMOVAL, STARTED], &["#1 proposal global 2025-03-01T06:00 budget kill_switch"]),
            Switch(false, "2025-03-04T00:00"),
            At("2025-03-05T00:00", &[REMOVAL, STARTED], &[]),
            At(
                "2025-03-06T00:00",
                &["badge_removal global 2025-03-01T05:00 budget", STARTED],
                &["#2 amendment global 2025-03-01T05:00 budget kill_switch supersedes #1 (proposal)"],
            ),
            Switch(true, "2025-03-07T00:00"),
            Rule(1, Confirmed, "2025-03-08T00:00"),
            At("2025-03-07T23:59", &["badge_removal global 2025-03-01T05:00 budget"], &[]),
            At(
                "2025-03-08T00:00",
                &["badge_removal global 2025-03-01T05:00 budget"],
                &["#3 badge_removal global 2025-03-01T05:00 budget supersedes #2"],
            ),
            At("2025-03-09T00:00", &[], &["#4 reversal global 2025-03-09T00:00 budget supersedes #3 (badge_removal)"]),
            // Somebody has confirmed it: the switch doesn't hold it back.
            At(
                "2025-03-10T00:00",
                &["badge_removal global 2025-03-01T05:00 budget"],
                &["#5 badge_removal global 2025-03-01T05:00 budget supersedes #4"],
            ),
        ],
    );
}

#[test]
fn a_removal_refused_is_over_until_it_is_exceeded() {
    check(
        &policies(&[]),
        &[
            Switch(true, "2025-03-02T00:00"),
            At("2025-03-03T00:00", &[REMOVAL], &["#1 proposal global 2025-03-01T06:00 budget kill_switch"]),
            Switch(false, "2025-03-04T00:00"),
            Rule(1, Refused, "2025-03-05T00:00"),
            At("2025-03-05T00:00", &[], &[]),
            At(
                "2025-03-12T00:00",
                &["badge_removal global 2025-03-10T00:00 budget"],
                &["#2 badge_removal global 2025-03-10T00:00 budget"],
            ),
        ],
    );
}

#[test]
fn a_proposal_nobody_ruled_on_is_taken_back_when_it_is_no_longer_implied() {
    check(
        &policies(&[]),
        &[
            Switch(true, "2025-03-02T00:00"),
            At("2025-03-03T00:00", &[REMOVAL], &["#1 proposal global 2025-03-01T06:00 budget kill_switch"]),
            At("2025-03-04T00:00", &[], &["#2 reversal global 2025-03-04T00:00 budget kill_switch supersedes #1 (proposal)"]),
            At("2025-03-05T00:00", &[REMOVAL], &["#3 proposal global 2025-03-01T06:00 budget kill_switch supersedes #2"]),
        ],
    );
}

#[test]
fn in_review_a_removal_follows_its_confirmation() {
    let policies = policies(&[(r#"enforcement = "automatic""#, r#"enforcement = "review""#)]);
    let (first, second) = ("proposal global 2025-03-01T06:00 budget", "proposal global 2025-03-20T00:00 budget outages");
    let removal = "badge_removal global 2025-03-25T00:00 budget outages";
    check(
        &policies,
        &[
            At("2025-03-02T05:59", &[first], &[]),
            At("2025-03-02T06:00", &[first], &["#1 proposal global 2025-03-01T06:00 budget"]),
            At(
                "2025-03-02T07:00",
                &["proposal global 2025-03-01T05:00 budget"],
                &["#2 amendment global 2025-03-01T05:00 budget supersedes #1 (proposal)"],
            ),
            Rule(1, Refused, "2025-03-10T00:00"),
            At("2025-03-11T00:00", &[first], &[]),
            At("2025-03-22T00:00", &[first, second], &["#3 proposal global 2025-03-20T00:00 budget outages"]),
            Rule(3, Confirmed, "2025-03-25T00:00"),
            Switch(true, "2025-03-25T00:00"),
            At("2025-03-25T00:00", &[first, second, removal], &[]),
            At(
                "2025-03-26T00:00",
                &[first, second, removal],
                &["#4 badge_removal global 2025-03-25T00:00 budget outages supersedes #3"],
            ),
            At(
                "2025-03-28T00:00",
                &[first, second, removal, "probation_started global 2025-03-26T00:00"],
                &["#5 probation_started global 2025-03-26T00:00"],
            ),
        ],
    );
}

#[test]
fn warnings_are_told_once_and_lapse_in_silence() {
    let watch = |at: &str| format!("warning global {at} watch:budget");
    let (first, moved, later) = (watch("2025-02-01T00:00"), watch("2025-02-01T08:00"), watch("2025-02-20T00:00"));
    let after = watch("2025-06-03T00:00");
    let arc = |more: &'static [&'static str]| [ARC.as_slice(), more].concat();
    check(
        &policies(&[]),
        &[
            At("2025-02-01T00:04", &[&first], &[]),
            At("2025-02-01T00:05", &[&first], &["#1 warning global 2025-02-01T00:00 watch:budget"]),
            At("2025-02-02T00:00", &[&moved], &[]),
            At("2025-02-03T00:00", &[], &[]),
            At("2025-02-21T00:00", &[&moved, &later], &["#2 warning global 2025-02-20T00:00 watch:budget"]),
            At("2025-02-22T00:00", &[&first], &[]),
            At(
                "2025-02-23T00:00",
                &["coverage_warning global 2025-02-22T00:00 coverage"],
                &["#3 coverage_warning global 2025-02-22T00:00 coverage"],
            ),
        ],
    );
    // What is dated in another stretch with the badge on is another warning.
    check(
        &policies(&[]),
        &[
            At("2025-02-02T00:00", &[&first], &["#1 warning global 2025-02-01T00:00 watch:budget"]),
            At(
                "2025-06-05T00:00",
                &[arc(&[]).as_slice(), &[&after]].concat(),
                &[
                    "#2 badge_removal global 2025-03-01T06:00 budget",
                    "#3 probation_started global 2025-03-01T07:00",
                    "#4 probation_month_passed global 2025-04-01T07:00 m1",
                    "#5 probation_month_passed global 2025-05-01T07:00 m2",
                    "#6 probation_month_passed global 2025-06-01T07:00 m3",
                    "#7 reinstatement global 2025-06-01T07:00",
                    "#8 warning global 2025-06-03T00:00 watch:budget",
                ],
            ),
        ],
    );
}

#[test]
fn a_critical_outage_is_told_once_a_run_and_amended_when_it_moves() {
    let outage = |at: &str, from: &str| format!("critical_outage NA 2025-03-01T{at} from=2025-03-01T{from}");
    let (first, earlier, merged) = (outage("06:05", "06:00"), outage("06:03", "05:58"), outage("05:05", "05:00"));
    let other = outage("05:06", "05:01");
    check(
        &policies(&[]),
        &[
            At("2025-03-01T06:10", &[&first], &["#1 critical_outage NA 2025-03-01T06:05"]),
            At("2025-03-01T06:11", &[&earlier], &["#2 amendment NA 2025-03-01T06:03 supersedes #1 (critical_outage)"]),
            At(
                "2025-03-01T06:12",
                &[&other, &first],
                &["#3 critical_outage NA 2025-03-01T05:06", "#4 amendment NA 2025-03-01T06:05 supersedes #2 (critical_outage)"],
            ),
            At("2025-03-01T06:13", &[&merged], &["#5 amendment NA 2025-03-01T05:05 supersedes #3 (critical_outage)"]),
            At("2025-03-01T06:14", &[], &[]),
            At("2025-03-01T06:15", &[&merged, &first], &[]),
        ],
    );
}

#[test]
fn a_switch_of_scope_reverses_nothing_and_repeats_nothing() {
    let global = [REMOVAL, STARTED, MONTH_1, MONTH_2];
    let na = |more: &[&'static str]| [global.as_slice(), more].concat();
    let (month, back) = ("probation_month_passed NA 2025-06-01T07:00 m3", "reinstatement NA 2025-06-01T07:00");
    let eu = "probation_restarted EU 2025-06-10T00:00 outages";
    let issued = check(
        &switching(),
        &[
            At("2025-05-20T00:00", &global, &ISSUED[..4]),
            At("2025-06-01T06:00", &global, &[]),
            At(
                "2025-06-03T00:00",
                &na(&[month, back]),
                &["#5 probation_month_passed NA 2025-06-01T07:00 m3", "#6 reinstatement NA 2025-06-01T07:00"],
            ),
            At("2025-06-12T00:00", &na(&[month, back, eu]), &["#7 probation_restarted EU 2025-06-10T00:00 outages"]),
            At(
                "2025-06-20T00:00",
                &na(&[month, back, eu, "badge_removal NA 2025-06-15T00:00 budget"]),
                &["#8 badge_removal NA 2025-06-15T00:00 budget"],
            ),
            At(
                "2025-06-21T00:00",
                &na(&[month, back, "badge_removal NA 2025-06-15T00:00 budget"]),
                &["#9 reversal EU 2025-06-21T00:00 outages supersedes #7 (probation_restarted)"],
            ),
            At(
                "2025-06-22T00:00",
                &na(&[month, back]),
                &["#10 reversal NA 2025-06-22T00:00 budget supersedes #8 (badge_removal)"],
            ),
        ],
    );
    let standing = |scope| issued.standing_of_record(scope);
    let [na, eu] = [Region::Na, Region::Eu].map(Scope::Region);
    assert_eq!(
        [standing(na), standing(eu), standing(Scope::Global)],
        [BadgeOfRecord::On, BadgeOfRecord::Off, BadgeOfRecord::Off]
    );
}

#[test]
fn a_decision_settles_by_the_version_that_judged_it() {
    let mut slow = policies(&[(r#"enforcement = "24h""#, r#"enforcement = "48h""#)]).versions()[0].clone();
    (slow.name.version, slow.effective_from) = (2, super::story::at("2025-03-01T06:30"));
    let versions = [policies(&[]).versions(), &[slow]].concat();
    let policies = domain::Policies::new(versions).expect("two versions");
    check(
        &policies,
        &[
            At("2025-03-02T06:00", &[REMOVAL, STARTED], &ISSUED[..1]),
            At("2025-03-03T06:59", &[REMOVAL, STARTED], &[]),
            At("2025-03-03T07:00", &[REMOVAL, STARTED], &ISSUED[1..2]),
        ],
    );
}

#[test]
fn suspensions_are_reconciled_like_removals() {
    let (first, lifted) = ("suspension global 2025-03-01T06:00", "suspension_lifted global 2025-06-01T07:00");
    play(
        &policies(&[]),
        None,
        &[
            Switch(true, "2025-03-01T00:00"),
            At("2025-03-02T06:00", &[first], &["#1 suspension global 2025-03-01T06:00"]),
            At(
                "2025-03-03T00:00",
                &["suspension global 2025-03-01T05:00"],
                &["#2 amendment global 2025-03-01T05:00 supersedes #1 (suspension)"],
            ),
            At("2025-03-04T00:00", &[], &["#3 reversal global 2025-03-04T00:00 supersedes #2 (suspension)"]),
            At("2025-03-05T00:00", &[first], &["#4 suspension global 2025-03-01T06:00 supersedes #3"]),
            At("2025-06-03T00:00", &[first, lifted], &["#5 suspension_lifted global 2025-06-01T07:00"]),
            At("2025-06-04T00:00", &[first], &["#6 reversal global 2025-06-04T00:00 supersedes #5 (suspension_lifted)"]),
            At("2025-06-05T00:00", &[first, lifted], &["#7 suspension_lifted global 2025-06-01T07:00 supersedes #6"]),
        ],
    );
}

#[test]
fn what_is_long_over_is_forgotten_and_not_issued_again() {
    let watch = "warning global 2025-02-01T00:00 watch:budget";
    let again = "badge_removal global 2025-08-01T00:00 budget";
    let all = [ARC.as_slice(), &[watch]].concat();
    let issued = check(
        &policies(&[]),
        &[
            At("2025-06-05T00:00", &all, &[ISSUED.as_slice(), &["#7 warning global 2025-02-01T00:00 watch:budget"]].concat()),
            Forget("2025-06-01T07:00"),
            At("2025-06-06T00:00", &all, &[]),
            Forget("2025-06-01T08:00"),
            At("2025-06-07T00:00", &all, &[]),
            At("2025-08-03T00:00", &[all.as_slice(), &[again]].concat(), &["#8 badge_removal global 2025-08-01T00:00 budget"]),
            Forget("2025-09-01T00:00"),
            At("2025-09-02T00:00", &[all.as_slice(), &[again]].concat(), &[]),
        ],
    );
    assert_eq!((issued.decisions().len(), issued.total()), (1, 8));
}
