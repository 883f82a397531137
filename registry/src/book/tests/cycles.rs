//! Every command in every status: where it leads, or what is told.

use domain::decision::{DecisionKind, Scope};
use domain::fact::{ExclusionTarget, Verdict};
use domain::programme::{Action, TestingStep};
use domain::time::Timestamp;

use super::stage::{
    Stage, asin, badge, certification, certification_id, day, decision, dispute, dispute_id, exclusion, exclusion_id,
    manufacturer, product, request,
};

/// Something in each status, and each command: where that leaves it, or why not.
fn check(snapshot: &str, id: &str, stages: &[(&str, Stage)], actions: &[Action]) {
    let mut told = String::new();
    for (status, stage) in stages {
        assert_eq!(stage.status(id), *status, "{:?}", stage.entity(id));
        told.push_str(&format!("{status}\n"));
        for action in actions {
            let mut stage = stage.clone();
            let command = domain::programme::Command { expects: None, ..stage.command(stage.now, action.clone()) };
            let line = match stage.add(domain::programme::Entry::Command(Box::new(command))) {
                Ok(fact) => format!("-> {}{}", stage.status(id), if fact.is_some() { ", a fact" } else { "" }),
                Err(told) => told.split_once(": ").map(|(_, told)| told.to_owned()).unwrap_or(told),
            };
            told.push_str(&format!("  {}: {line}\n", name(action)));
        }
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(snapshot, told);
    });
}

fn name(action: &Action) -> String {
    match action {
        Action::AdvanceTesting { step, .. } => format!("advance_testing {}", step.as_str()),
        Action::TurnKillSwitch { on, .. } => format!("turn_kill_switch {}", if *on { "on" } else { "off" }),
        other => other.as_str().to_owned(),
    }
}

/// The stage after each of some commands, with the status that each leads to.
fn stages(mut stage: Stage, first: &'static str, path: Vec<(&'static str, Action)>) -> Vec<(&'static str, Stage)> {
    let mut out = vec![(first, stage.clone())];
    for (status, action) in path {
        stage.can(action);
        out.push((status, stage.clone()));
    }
    out
}

#[test]
fn manufacturers_and_products() {
    let mut known = Stage::new();
    known.can(Action::DescribeManufacturer(manufacturer("m-1")));
    let mut suspended = known.clone();
    suspended.issued(1, DecisionKind::Suspension, Scope::Global, None);
    let makers = [("-", Stage::new()), ("registered", known.clone()), ("suspended", suspended)];
    check("manufacturer", "manufacturer:m-1", &makers, &[Action::DescribeManufacturer(manufacturer("m-1"))]);

    let bulb = || product("bulb", "m-1", &["B1", "B2"]);
    let mut unready = bulb();
    unready.capabilities.clear();
    let mut lacking = known.clone();
    lacking.can(Action::DescribeProduct(unready.clone()));
    let mut ready = known.clone();
    ready.can(Action::DescribeProduct(bulb()));
    let products = [("-", known), ("missing_information", lacking), ("ready", ready), ("ready", Stage::badged())];
    let mut other = product("bulb", "m-2", &["B2"]);
    (other.brand, other.model, other.device, other.connection) = (None, None, None, None);
    let mut of_nobody = bulb();
    of_nobody.manufacturer = super::stage::maker("m-9");
    let mut of_another = bulb();
    of_another.id = domain::id::ProductId::new("lamp").expect("an id");
    let actions = [bulb(), unready, of_nobody, of_another].map(Action::DescribeProduct);
    check("product", "product:bulb", &products, &actions);
    let mut stage = Stage::badged();
    stage.can(Action::DescribeManufacturer(manufacturer("m-2")));
    check("another_product", "product:bulb", &[("ready", stage)], &[Action::DescribeProduct(other)]);
}

#[test]
fn certification_requests() {
    let id = || certification_id("eu");
    let form = || certification("eu", "bulb", &["DE", "UK"]);
    let advance = |step| Action::AdvanceTesting { id: id(), step };
    let path = || {
        vec![
            ("draft", Action::DraftCertification(form())),
            ("under_review", Action::SubmitCertification(id())),
            ("in_testing_accepted", Action::AcceptCertification(id())),
            ("in_testing_quoted", advance(TestingStep::Quoted)),
            ("in_testing_paid", advance(TestingStep::Paid)),
            ("in_testing_device_received", advance(TestingStep::DeviceReceived)),
            ("in_testing", advance(TestingStep::Testing)),
            ("results_review", Action::HandInResults(id())),
        ]
    };
    let reject = || Action::RejectCertification { id: id(), reasons: vec!["the photos are blurred".to_owned()] };
    let fail = || Action::FailCertification { id: id(), failures: vec!["it drops off after a minute".to_owned()] };
    let again = || Action::TestAgain { id: id(), new: certification_id("eu-2") };
    let mut all = stages(Stage::certified(), "-", path());
    let (under_review, results) = (all[2].1.clone(), all[8].1.clone());
    let ends = [(under_review, "rejected", reject()), (results.clone(), "failed", fail())];
    for (mut stage, status, action) in ends {
        stage.can(action);
        all.push((status, stage.clone()));
        stage.can(again());
        all.push((status, stage));
    }
    let mut approved = results;
    approved.can(Action::ApproveCertification(id()));
    all.push(("approved", approved));
    let mut actions: Vec<Action> = path().into_iter().map(|(_, action)| action).collect();
    actions.extend([Action::ApproveCertification(id()), reject(), fail(), again()]);
    check("certification", "certification:eu", &all, &actions);
}

#[test]
fn badge_requests() {
    let form = || badge("r1", "B1", &["US"]);
    let later = || domain::programme::BadgeForm { go_live: Some(day(20)), ..form() };
    let reject = || Action::RejectBadgeRequest { id: request("r1"), reasons: vec!["the photo shows another lamp".to_owned()] };
    let mut all = stages(
        Stage::certified(),
        "-",
        vec![
            ("not_submitted", Action::DraftBadgeRequest(later())),
            ("under_review", Action::SubmitBadgeRequest(request("r1"))),
            ("pending", Action::ApproveBadgeRequest(request("r1"))),
        ],
    );
    let (mut rejected, mut enabled) = (all[2].1.clone(), all[3].1.clone());
    rejected.can(reject());
    enabled.go_to(day(20));
    all.extend([("rejected", rejected), ("enabled", enabled)]);
    let actions = [
        Action::DraftBadgeRequest(form()),
        Action::SubmitBadgeRequest(request("r1")),
        Action::ApproveBadgeRequest(request("r1")),
        reject(),
        Action::RejectBadgeRequest { id: request("r1"), reasons: Vec::new() },
    ];
    check("badge_request", "badge_request:r1", &all, &actions);
}

#[test]
fn badges() {
    let enabled = Stage::badged();
    let (mut removed, mut withdrawn) = (enabled.clone(), enabled.clone());
    removed.issued(1, DecisionKind::BadgeRemoval, Scope::Global, Some("B1"));
    withdrawn.can(Action::WithdrawBadge(asin("B1")));
    let stages = [("-", Stage::certified()), ("enabled", enabled), ("removed", removed), ("withdrawn", withdrawn)];
    let actions = [Action::WithdrawBadge(asin("B1")), Action::CountCustomers { asin: asin("B1"), customers: 7 }];
    check("badge", "badge:B1", &stages, &actions);
    // The same about a request for another marketplace of it.
    let stages = stages.map(|(status, mut stage)| {
        stage.can(Action::DraftBadgeRequest(badge("r2", "B1", &["CA"])));
        assert_eq!(stage.status("badge:B1"), status);
        ("not_submitted", stage)
    });
    check("another_marketplace", "badge_request:r2", &stages, &[Action::SubmitBadgeRequest(request("r2"))]);
}

#[test]
fn exclusions() {
    let form = || exclusion("x", ExclusionTarget::Manufacturer(super::stage::maker("m-1")), (10, 11));
    let (decline, revoke) = (
        || Action::DeclineExclusion { id: exclusion_id("x"), note: "it was announced too late".to_owned() },
        || Action::RevokeExclusion { id: exclusion_id("x"), note: "it was another product's".to_owned() },
    );
    let path = || {
        vec![
            ("requested", Action::RequestExclusion(form())),
            ("approved", Action::ApproveExclusion(exclusion_id("x"))),
            ("revoked", revoke()),
        ]
    };
    let mut all = stages(Stage::badged(), "-", path());
    let mut declined = all[1].1.clone();
    declined.can(decline());
    all.push(("declined", declined));
    let mut actions: Vec<Action> = path().into_iter().map(|(_, action)| action).collect();
    actions.push(decline());
    check("exclusion", "exclusion:x", &all, &actions);
}

#[test]
fn disputes() {
    let mut start = Stage::badged();
    start.go_to(day(20));
    let note = || "the probe's log says so".to_owned();
    let uphold = || Action::UpholdDispute { id: dispute_id("d"), note: note() };
    let decline = || Action::DeclineDispute { id: dispute_id("d"), note: note() };
    let mut all = stages(start, "-", vec![("open", Action::OpenDispute(dispute("d", "B1", (13, 14)))), ("upheld", uphold())]);
    let mut declined = all[1].1.clone();
    declined.can(decline());
    all.push(("declined", declined));
    let actions = [Action::OpenDispute(dispute("d", "B1", (13, 14))), uphold(), decline()];
    check("dispute", "dispute:d", &all, &actions);
    let others = [
        Action::OpenDispute(dispute("e", "B1", (13, 14))),
        Action::OpenDispute(dispute("e", "B9", (13, 14))),
        Action::OpenDispute(dispute("e", "B1", (1, 3))),
        Action::OpenDispute(dispute("e", "B1", (19, 21))),
        Action::OpenDispute(dispute(&"e".repeat(250), "B1", (15, 16))),
        Action::OpenDispute(dispute("e", "B1", (14, 15))),
    ];
    let open = all[1].1.clone();
    check("another_dispute", "dispute:e", &[("-", open)], &others);
}

#[test]
fn answers() {
    let rule = |verdict| Action::Rule { proposal: decision(1), verdict, note: None };
    let rulings = || [rule(Verdict::Confirmed), rule(Verdict::Refused)];
    let mut open = Stage::badged();
    open.issued(1, DecisionKind::Proposal, Scope::Global, Some("B1"));
    let (mut confirmed, mut refused, mut reversed) = (open.clone(), open.clone(), open.clone());
    confirmed.can(rule(Verdict::Confirmed));
    refused.can(rule(Verdict::Refused));
    let now = reversed.now;
    reversed.supersedes(2, DecisionKind::Reversal, (1, now), Some("B1"));
    let mut nobodys = Stage::badged();
    nobodys.issued(1, DecisionKind::Proposal, Scope::Global, None);
    let stages =
        [("-", Stage::badged()), ("open", open), ("confirmation", confirmed), ("refusal", refused), ("reversed", reversed)];
    let stages = stages.map(|(status, stage)| match status {
        "confirmation" => ("confirmed", stage),
        "refusal" => ("refused", stage),
        other => (other, stage),
    });
    let id = format!("proposal:{}", decision(1));
    check("proposal", &id, &stages, &rulings());
    check("proposal_about_no_product", &id, &[("open", nobodys)], &rulings());

    let acknowledge =
        || Action::AcknowledgeOutage { outage: decision(1), cause: "a certificate ran out".to_owned(), expected_fix: day(13) };
    let mut open = Stage::badged();
    open.issued(1, DecisionKind::CriticalOutage, Scope::Global, Some("B1"));
    let mut nobodys = Stage::badged();
    nobodys.issued(1, DecisionKind::CriticalOutage, Scope::Global, None);
    let mut acknowledged = open.clone();
    acknowledged.can(acknowledge());
    let stages = [("-", Stage::badged()), ("open", open), ("acknowledged", acknowledged), ("open", nobodys)];
    check("outage", &format!("outage:{}", decision(1)), &stages, &[acknowledge()]);
}

#[test]
fn the_kill_switch() {
    let turn = |on| Action::TurnKillSwitch { on, reason: "a fault of ours".to_owned() };
    let mut on = Stage::new();
    on.can(turn(true));
    let (mut later, mut off) = (on.clone(), on.clone());
    later.go_to(Timestamp::clamped(day(0).ms() + 1));
    off.go_to(day(1));
    off.can(turn(false));
    let stages = [("-", Stage::new()), ("on", on), ("on", later), ("off", off)];
    check("kill_switch", "kill_switch", &stages, &[turn(true), turn(false)]);
}
