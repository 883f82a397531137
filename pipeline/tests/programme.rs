//! The loop between the registry and standings: a badge that is granted starts the availability window; a
//! removal, a reversal and a reinstatement set its status; a suspension blocks requests for new ASINs.

use domain::programme::{Entity, EntityId};
use domain::report::Standing;
use domain::{Policies, Timestamp};
use pipeline::rehearsal::{Line, Rehearsal};

/// States hold until the next, so that an outage is two lines.
const CHANGES: (&str, &str) = (r#"state_ttl = "1h""#, r#"state_ttl = "none""#);
const DESCRIBED: &[&str] = &[
    r#"{"type":"describe_manufacturer","command":"c-1","at":"2025-01-02T09:00:00Z","by":"ada","manufacturer":"m-1","name":"Acme","contacts":["badge@acme.example"]}"#,
    r#"{"type":"describe_product","command":"c-2","at":"2025-01-02T09:10:00Z","by":"ada","product":"bulb","manufacturer":"m-1","retail_name":"Acme Glow","category":"Lighting","device":"light_bulb","brand":"Acme","model":"Glow","connection":"skill","protocol":"Wi-Fi","capabilities":["PowerController","BrightnessController","EndpointHealth"],"variants":["B000000001","B000000002"]}"#,
    r#"{"type":"draft_certification","command":"c-3","at":"2025-01-02T09:20:00Z","by":"ada","certification":"na-1","product":"bulb","region":"NA","marketplaces":["US"],"made_in":"PT","hardware":"1","firmware":"1.0.3","chipset":"ESP32","skill":"s-1","skill_name":"Acme Home","skill_stage":"live"}"#,
    r#"{"type":"submit_certification","command":"c-4","at":"2025-01-02T09:30:00Z","by":"ada","certification":"na-1"}"#,
    r#"{"type":"accept_certification","command":"c-5","at":"2025-01-03T09:00:00Z","by":"team","certification":"na-1"}"#,
    r#"{"type":"advance_testing","command":"c-6","at":"2025-01-04T09:00:00Z","by":"lab","certification":"na-1","step":"quoted"}"#,
    r#"{"type":"advance_testing","command":"c-7","at":"2025-01-05T09:00:00Z","by":"lab","certification":"na-1","step":"paid"}"#,
    r#"{"type":"advance_testing","command":"c-8","at":"2025-01-08T09:00:00Z","by":"lab","certification":"na-1","step":"device_received"}"#,
    r#"{"type":"advance_testing","command":"c-9","at":"2025-01-09T09:00:00Z","by":"lab","certification":"na-1","step":"testing"}"#,
    r#"{"type":"hand_in_results","command":"c-10","at":"2025-01-16T09:00:00Z","by":"lab","certification":"na-1"}"#,
    r#"{"type":"approve_certification","command":"c-11","at":"2025-01-17T09:00:00Z","by":"team","certification":"na-1"}"#,
    r#"{"type":"listing","asin":"B000000001","marketplace":"US","at":"2025-01-18T00:00:00Z","status":"live","brand":"Acme","model":"Glow"}"#,
    r#"{"type":"listing","asin":"B000000002","marketplace":"US","at":"2025-01-18T00:00:00Z","status":"live","brand":"Acme","model":"Glow"}"#,
    r#"{"type":"skill_listing","skill":"s-1","marketplace":"US","at":"2025-01-18T00:00:00Z","status":"published"}"#,
    r#"{"type":"draft_badge_request","command":"c-12","at":"2025-01-18T09:00:00Z","by":"ada","badge_request":"r-1","product":"bulb","asin":"B000000001","retail_id":"UPC 036000291452","marketplaces":["US"],"go_live":"2025-02-01T00:00:00Z","customers":5000}"#,
    r#"{"type":"submit_badge_request","command":"c-13","at":"2025-01-18T09:10:00Z","by":"ada","badge_request":"r-1"}"#,
    r#"{"type":"approve_badge_request","command":"c-14","at":"2025-01-20T09:00:00Z","by":"team","badge_request":"r-1"}"#,
];
/// Seven hours on the first of March.
const OUTAGE: &[&str] = &[
    r#"{"v":1,"type":"state","subject":"product:B000000001","region":"NA","at":"2025-02-01T00:00:00Z","state":"up"}"#,
    r#"{"v":1,"type":"state","subject":"product:B000000001","region":"NA","at":"2025-03-01T00:00:00Z","state":"down"}"#,
    r#"{"v":1,"type":"state","subject":"product:B000000001","region":"NA","at":"2025-03-01T07:00:00Z","state":"up"}"#,
];
const ANOTHER: &[&str] = &[
    r#"{"type":"draft_badge_request","command":"c-20","at":"2025-03-03T09:00:00Z","by":"ada","badge_request":"r-2","product":"bulb","asin":"B000000002","retail_id":"EAN 4006381333931","marketplaces":["US"]}"#,
    r#"{"type":"submit_badge_request","command":"c-21","at":"2025-03-03T09:10:00Z","by":"ada","badge_request":"r-2"}"#,
];

fn instant(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("an instant")
}

struct Story {
    rehearsal: Rehearsal,
    /// What was issued: when, dated when, which kind, where.
    issued: Vec<String>,
}

fn told(registry: &[&[&str]], events: &[&str], until: &str) -> Story {
    let text = wire::policy::preset("wwa-2024").expect("a preset").replace(CHANGES.0, CHANGES.1);
    let policies: Policies = wire::policy::parse(&text, "wwa-2024").expect("a right policy").remove(0).into();
    let registry: Vec<Line> = registry.iter().copied().flatten().map(|line| Line::registry(line.as_bytes())).collect();
    let events: Vec<Line> = events.iter().map(|line| Line::event(line.as_bytes())).collect();
    let mut rehearsal = Rehearsal::open(policies, instant("2025-01-01T00:00:00Z")).expect("memory");
    let mut issued = Vec::new();
    rehearsal
        .run(&registry, &events, instant(until), &mut |at, decision| {
            let about = decision.asin.as_ref().map_or_else(|| decision.manufacturer.to_string(), ToString::to_string);
            issued.push(format!("{at} {about} {} {}", decision.kind, decision.at));
        })
        .expect("memory");
    Story { rehearsal, issued }
}

impl Story {
    fn entity(&self, id: &str) -> Entity {
        let id = EntityId::parse(id).expect("an id");
        self.rehearsal.node().tables().registry.book().entity(&id).expect("it is known")
    }

    /// Steps of something's history, and where each left it.
    fn trail(&self, id: &str) -> Vec<String> {
        self.entity(id).trail().steps.iter().map(|step| format!("{} {} {}", step.at, step.what, step.status)).collect()
    }

    fn refused(&self) -> Vec<String> {
        let text = |record: &Vec<u8>| String::from_utf8(record.clone()).expect("text");
        self.rehearsal.rejected().iter().map(text).collect()
    }
}

#[test]
fn a_granted_badge_starts_the_window_and_a_removal_blocks_new_requests() {
    let story = told(&[DESCRIBED, ANOTHER], OUTAGE, "2025-03-04T00:00:00Z");
    assert_eq!(
        story.trail("badge:B000000001"),
        ["2025-02-01T00:00:00.000Z go_live enabled", "2025-03-01T06:07:55.201Z badge_removal removed",]
    );
    assert_eq!(
        story.trail("badge_request:r-1"),
        [
            "2025-01-18T09:00:00.000Z draft_badge_request not_submitted",
            "2025-01-18T09:10:00.000Z submit_badge_request under_review",
            "2025-01-20T09:00:00.000Z approve_badge_request pending",
            "2025-02-01T00:00:00.000Z go_live enabled",
        ]
    );
    assert_eq!(
        story.trail("manufacturer:m-1"),
        ["2025-01-02T09:00:00.000Z describe_manufacturer registered", "2025-03-01T06:07:55.201Z suspension suspended",]
    );
    assert_eq!(story.trail("badge_request:r-2"), ["2025-03-03T09:00:00.000Z draft_badge_request not_submitted"]);
    let refused = story.refused();
    // Neither the listings of what was described nor events from the first badged instant on are unknown.
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("command_refused") && refused[0].contains("suspension:global"), "{refused:?}");
}

#[test]
fn an_upheld_dispute_brings_the_badge_back_and_lets_requests_through() {
    let disputed: &[&str] = &[
        r#"{"type":"open_dispute","command":"c-30","at":"2025-03-03T10:00:00Z","by":"ada","dispute":"d-1","asin":"B000000001","from":"2025-03-01T00:00:00Z","to":"2025-03-01T07:00:00Z","regions":["NA"],"claim":"the monitoring probe had lost its network"}"#,
        r#"{"type":"uphold_dispute","command":"c-31","at":"2025-03-05T10:00:00Z","by":"team","dispute":"d-1","note":"probe logs confirm"}"#,
        r#"{"type":"submit_badge_request","command":"c-32","at":"2025-03-07T09:10:00Z","by":"ada","badge_request":"r-2"}"#,
        r#"{"type":"approve_badge_request","command":"c-33","at":"2025-03-08T09:10:00Z","by":"team","badge_request":"r-2"}"#,
    ];
    let story = told(&[DESCRIBED, ANOTHER, disputed], OUTAGE, "2025-03-09T00:00:00Z");
    let badge: Vec<String> = story.trail("badge:B000000001");
    assert_eq!(badge[1], "2025-03-01T06:07:55.201Z badge_removal removed");
    assert!(badge.last().expect("steps").ends_with("reversal enabled"), "{badge:?}");
    assert!(
        story.trail("manufacturer:m-1").last().expect("steps").ends_with("registered"),
        "{:?}",
        story.trail("manufacturer:m-1")
    );
    assert_eq!(story.trail("badge:B000000002"), ["2025-03-08T09:10:00.000Z go_live enabled"]);
    assert_eq!(story.trail("dispute:d-1").len(), 2);
    assert_eq!(story.trail("exclusion:dispute-d-1"), ["2025-03-05T10:00:00.000Z uphold_dispute approved"]);
}

#[test]
fn three_clean_months_bring_the_badge_back_once_the_listing_is_right() {
    let suppressed: &[&str] = &[
        r#"{"type":"listing","asin":"B000000001","marketplace":"US","at":"2025-05-20T00:00:00Z","status":"suppressed"}"#,
        r#"{"type":"listing","asin":"B000000001","marketplace":"US","at":"2025-06-03T12:00:00Z","status":"live","brand":"Acme","model":"Glow"}"#,
    ];
    let story = told(&[DESCRIBED, suppressed], OUTAGE, "2025-06-06T00:00:00Z");
    assert_eq!(
        story.trail("badge:B000000001"),
        [
            "2025-02-01T00:00:00.000Z go_live enabled",
            "2025-03-01T06:07:55.201Z badge_removal removed",
            "2025-05-20T00:00:00.000Z flagged removed",
            "2025-06-01T07:00:00.000Z reinstatement_held removed",
            "2025-06-03T12:00:00.000Z unflagged removed",
            "2025-06-03T12:00:00.000Z reinstatement enabled",
        ]
    );
    assert!(story.trail("manufacturer:m-1").last().expect("steps").ends_with("suspension_lifted registered"));
}

#[test]
fn what_a_rehearsal_noted_changes_nothing_when_it_is_rehearsed_again() {
    let story = told(&[DESCRIBED, ANOTHER], OUTAGE, "2025-03-04T00:00:00Z");
    let lines: Vec<String> = story.rehearsal.registry_lines().into_iter().map(|line| String::from_utf8(line).unwrap()).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let again = told(&[&lines], OUTAGE, "2025-03-04T00:00:00Z");
    assert_eq!(again.issued, story.issued);
    assert_eq!(again.rehearsal.registry_lines().len(), lines.len());
    for id in ["badge:B000000001", "manufacturer:m-1", "badge_request:r-2"] {
        assert_eq!(again.trail(id), story.trail(id), "{id}");
    }
}

#[test]
fn what_a_rehearsal_left_is_evaluated_as_it_was_lived() {
    let until = "2025-03-04T00:00:00Z";
    let story = told(&[DESCRIBED, ANOTHER], OUTAGE, until);
    let text = wire::policy::preset("wwa-2024").expect("a preset").replace(CHANGES.0, CHANGES.1);
    let policy = wire::policy::parse(&text, "wwa-2024").expect("a right policy").remove(0);
    let mut evaluation = pipeline::Evaluation::new(policy);
    for (line, text) in (1..).zip(story.rehearsal.registry_lines()) {
        evaluation.registry_line(line, &text);
    }
    evaluation.settle_registry(Some(instant(until)));
    (1..).zip(OUTAGE).for_each(|(line, text)| evaluation.event_line(line, text.as_bytes()));
    let report = evaluation.finish(instant(until));
    let standings: Vec<_> = report.products.iter().map(|one| (one.asin.to_string(), one.standing)).collect();
    assert_eq!(standings, [("B000000001".to_owned(), Standing::Probation)], "{:?}", report.rejected);
    assert_eq!(report.rejected.len(), 1, "the request of a suspended manufacturer alone: {:?}", report.rejected);
}

#[test]
fn lines_whose_time_has_not_come_are_kept() {
    let story = told(&[DESCRIBED], &[], "2025-01-10T00:00:00Z");
    let lines = story.rehearsal.registry_lines();
    assert_eq!(lines, DESCRIBED.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>());
}
