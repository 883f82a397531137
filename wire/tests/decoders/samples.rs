//! Inputs that the decoders read, from which others are made.

use std::sync::Arc;

use domain::decision::{DecisionId, InputPosition, Reason, Scope};
use domain::life::{Active, Broken, LifeParts, Phase, Proposal, Refused, Removal, State};
use domain::page::{MinuteCounts, PageParts, StateAt};
use domain::policy::PolicyName;
use domain::{HealthState, Interval, Region, RejectReason, Timestamp};
use wire::rejected::Rejected;
use wire::rerouted::Origin;
use wire::{decision, policy, rerouted, standing, stored, tick};

use crate::reports::{at, report};

/// A head of form 1 that has something of everything.
const HEAD_HEX: &str = "01c0c40705090002070102070567772d31370b090a0001029c0201020a01020b01020c01020f01022c020000000000000201\
                        ac0207050180808080808080800e00010100c801d5aad5aad5aad5aa0502f001d88c010294d0bb1be8078f1f00";

fn lines(text: &str) -> Vec<Vec<u8>> {
    text.lines().map(|line| line.trim().as_bytes().to_vec()).collect()
}

pub(crate) fn events() -> Vec<Vec<u8>> {
    lines(
        r#"{"v":1,"type":"outcome","subject":"product:B000000001","region":"NA","at":"2026-03-01T00:07:12.500Z","ok":118,"failed":2,"reporter":"gw-17","seq":9912}
        {"v":1,"type":"state","subject":"skill:skill-1","region":"EU","at":1772323200000,"state":"down"}
        { "at" : "2026-03-01T00:07:12+01:00", "region":"FE", "subject":"hub:\u00420", "type":"outcome", "failed":0, "ok":7, "v":1 }
        {"v":1,"type":"outcome","subject":"skill:s","region":"NA","at":5,"ok":1,"failed":0,"latency_ms":[[420,117],[5300,3]],"seq":null}
        {"v":1,"type":"outcome","subject":"skill:s","region":"NA","at":5,"ok":1,"failed":0,"latency_ms":420}"#,
    )
}

pub(crate) fn facts() -> Vec<Vec<u8>> {
    lines(
        r#"{"type":"manufacturer","id":"m-1","name":"Acme","contacts":["a@acme.example"]}
        {"v":1,"type":"badge","asin":"B000000001","manufacturer":"m-1","brand":"Acme","model":"One","skill":"skill-1","marketplaces":["DE","US"],"customers":120000,"enabled_at":"2025-01-01T00:00:00.000Z"}
        {"type":"badge","asin":"B000000001","at":"2025-06-01T00:00:00.000Z","hub":null,"image":"i","marketplaces":["JP"]}
        {"type":"badge_withdrawn","asin":"B000000001","at":"2025-06-01T00:00:00.000Z"}
        {"type":"exclusion","id":"x-1","applies_to":{"subject":"skill:skill-1"},"regions":["NA"],"from":"2025-06-01T00:00:00.000Z","to":"2025-06-02T00:00:00.000Z","reason":"platform","approved_by":"ops"}
        {"type":"exclusion","id":"x-2","applies_to":{"all":true},"from":1,"to":2,"reason":"dispute","approved_by":"ops"}
        {"type":"listing","asin":"B000000001","marketplace":"US","at":"2025-05-20T00:00:00.000Z","status":"suppressed","brand":"Acme","model":"One"}
        {"type":"skill_listing","skill":"skill-1","marketplace":"UK","at":"2025-05-20T00:00:00.000Z","status":"published"}
        {"type":"exclusion_revoked","id":"x-1","at":"2025-06-03T00:00:00.000Z","by":"ops"}
        {"type":"refusal","proposal":"000102030405060708090a0b0c0d0e0f","asin":"B000000001","scope":"global","proposed_at":"2025-06-01T00:00:00.000Z","at":"2025-06-02T00:00:00.000Z","by":"lead","note":"seen"}
        {"type":"acknowledgement","outage":"000102030405060708090a0b0c0d0e0f","asin":"B000000001","at":"2025-06-02T00:00:00.000Z","by":"acme","cause":"power","expected_fix":"2025-06-03T00:00:00.000Z"}
        {"type":"kill_switch","on":true,"at":"2025-06-02T00:00:00.000Z","by":"lead","reason":"a fault of ours"}"#,
    )
}

pub(crate) fn commands() -> Vec<Vec<u8>> {
    let written = |command: &_| {
        let mut line = Vec::new();
        wire::command::write(command, &mut line);
        line
    };
    crate::commands::commands().iter().map(written).collect()
}

pub(crate) fn tables() -> Vec<Vec<u8>> {
    let rejections = "certification,reasons,at\r\ncert-1,no hub|no manual,1772323200000\r\n\"cert\n2\",no hub,\r\n";
    let products = "type,command,by,product,manufacturer,capabilities,variants\n\
                    describe_product,c-1,ben,p-1,m-1,Alexa.PowerController|Speaker,B000000001 | B000000002\n";
    let exclusions = "type,exclusion,applies_to,regions,from,to,reason\nrequest_exclusion,x-1,skill:s,NA|EU,1,2,platform\n";
    [rejections, products, exclusions].map(|text| text.as_bytes().to_vec()).to_vec()
}

pub(crate) fn notes() -> Vec<Vec<u8>> {
    lines(
        r#"{"type":"issued","id":"000102030405060708090a0b0c0d0e0f","kind":"badge_removal","asin":"B000000001","manufacturer":"m-1","scope":"EU","at":"2025-06-01T00:00:00.000Z","supersedes":"0f0e0d0c0b0a09080706050403020100","reasons":["budget","outages"]}
        {"v":1,"type":"issued","id":"000102030405060708090a0b0c0d0e0f","kind":"suspension","manufacturer":"m-1","scope":"global","at":5,"reasons":[]}"#,
    )
}

pub(crate) fn entries() -> Vec<Vec<u8>> {
    [facts(), commands(), notes()].concat()
}

pub(crate) fn dependencies() -> Vec<Vec<u8>> {
    lines(
        r#"{"v":1,"type":"dependency","subject":"skill:s-1","region":"NA","page":123078,"revision":7,"minutes":[[1772323200000,1772323320000],[1772337540000,1772337600000]],"states":[{"state_ttl":3600000,"down":[[1772323200001,1772326800001]]},{"state_ttl":null,"down":[[1772323200001,253402300799999]]}]}
        {"v":1,"type":"dependency","subject":"hub:B1","region":"EU","page":0,"revision":0,"minutes":[[0,60000]],"states":[]}
        {"v":1,"type":"watermark","partition":3,"at":1772323200005}
        {"v":1,"type":"watermark","partition":3,"at":1772323200005,"decided":{"at":1772323200000,"seq":7},"needs_from":9}"#,
    )
}

pub(crate) fn decisions() -> Vec<Vec<u8>> {
    report().decisions.iter().map(decision::write).collect()
}

pub(crate) fn standings() -> Vec<Vec<u8>> {
    let report = report();
    let products = report
        .products
        .iter()
        .map(|product| standing::write_product(product, report.at, standing::Version { epoch: 2, revision: 9 }));
    let makers = report
        .manufacturers
        .iter()
        .map(|maker| standing::write_manufacturer(maker, report.at, standing::Version { epoch: 2, revision: 9 }));
    products.chain(makers).collect()
}

pub(crate) fn rejected() -> Vec<Vec<u8>> {
    let record = |payload| {
        let (log, reason, detail) = ("badgewatch.health", RejectReason::UnknownRegion, "region is \"XX\"");
        wire::rejected::write(&Rejected { log, partition: 3, offset: 1_234, line: 1, reason, detail, payload })
    };
    vec![record(b"{\"v\":1}"), record(b"\xff\x00")]
}

pub(crate) fn rerouted() -> Vec<Vec<u8>> {
    let origin = Origin { partition: 3, offset: 17, line: 2, appended_at: Timestamp::from_ms(5) };
    vec![rerouted::write(origin, &events()[0]), rerouted::write(Origin { appended_at: None, ..origin }, b"")]
}

pub(crate) fn replayed() -> Vec<Vec<u8>> {
    let replay = |event: &'static str| {
        wire::replayed::write(&wire::replayed::Replayed { partition: 3, offset: 1_042, line: 1, event: event.into() })
    };
    vec![replay(r#"{"v":1,"type":"state"}"#), replay("")]
}

pub(crate) fn repaired() -> Vec<Vec<u8>> {
    let event = r#"{"id":"health/3/1042/1","event":{"v":1,"type":"state","subject":"skill:s-1"}}"#;
    let text = r#"{"id":"health/0/0/1","reason":"r","payload":"{\"v\":1}"}"#;
    [event, text, r#"{"id":"health/0/0/1","event":"x"}"#].map(|line| line.as_bytes().to_vec()).into()
}

pub(crate) fn restored() -> Vec<Vec<u8>> {
    let inputs = vec![InputPosition { log: "registry".to_owned(), partition: 0, next_offset: 7 }];
    let note = stored::restored::Restored { complete: true, seq: 3, base: 1_042, inputs };
    vec![stored::restored::write(&note), stored::restored::write(&stored::restored::Restored::default())]
}

pub(crate) fn declarers() -> Vec<Vec<u8>> {
    let list = br#"{"v":1,"by":[["EU",1772323200000,"gw-17"],["NA",5,null]]}"#;
    vec![list.to_vec(), stored::declared::write(&[])]
}

pub(crate) fn marks() -> Vec<Vec<u8>> {
    vec![wire::appended::write(Timestamp::clamped(1_772_323_200_000)), wire::appended::write(Timestamp::MIN)]
}

pub(crate) fn ids() -> Vec<Vec<u8>> {
    vec![b"health/3/1042/1".to_vec(), b"badgewatch.registry/0/18446744073709551615/2".to_vec()]
}

pub(crate) fn explanations() -> Vec<Vec<u8>> {
    let window = r#"{"from":"a","to":"b"}"#;
    let usage = format!(r#"{{"window":{window},"budget_ms":1,"downtime_ms":2,"outages":3}}"#);
    let rate = r#"{"long_ms":3,"short_ms":1,"threshold":175.2,"long_rate":0.5,"short_rate":null,"attempts":100,"known":true,"alerts":false}"#;
    let what_if = format!(
        r#"{{"assumed":{window},"usage":{usage},"warnings":[{{"at":"t","reason":"r"}}],"breach":{{"at":"t","reasons":["budget"]}}}}"#
    );
    let on = format!(
        r#"{{"scope":"EU","badge":"on","usage":{usage},"downtime_left":[{{"level":"watch","downtime_ms":5,"reached_at":null}}],"outages_left":[{{"level":"breach","outages":4}}],"downtime_ages_out":[{{"from":"a","to":"b","downtime_ms":7}}],"outages_age_out":[{{"at":"a","run":{window}}}],"burn_rates":[{rate}],"what_if":{what_if}}}"#
    );
    let off =
        r#"{"scope":"NA","badge":"off","earliest_reinstatement":"t","missing":["brand:US"]},{"scope":"FE","badge":"withdrawn"}"#;
    let outage = r#"{"id":"0","scope":"global","at":"t","issued":true,"implied":true,"due":"t","status":"open","acknowledgement":{"at":"t","by":"o","cause":"p","expected_fix":"t","late":false}}"#;
    let of = |known: &str, decisions: &str, forecast: &str, outages: &str| {
        let corrected = format!(r#"{{"standings":[],"decisions":{decisions}}}"#);
        format!(
            r#"{{"v":1,"asin":"B1","at":"t","known_until":"t","rejected_lines":0,"as_known":{known},"as_corrected":{corrected},"differences":["d"],"forecast":[{forecast}],"critical_outages":[{outages}]}}"#
        )
        .into_bytes()
    };
    let decision = String::from_utf8(decisions().remove(1)).expect("JSON is UTF-8").replacen(r#""v":1,"#, "", 1);
    vec![
        of("null", "[]", "", ""),
        of("[]", "[]", off, outage),
        of("[]", "[]", &on, ""),
        of(&format!("[{decision}]"), "[]", "", ""),
    ]
}

pub(crate) fn ticks() -> Vec<Vec<u8>> {
    vec![tick::TICK.to_vec()]
}

pub(crate) fn percentages() -> Vec<Vec<u8>> {
    lines("99.93%\n0%\n100%\n0.0001%")
}

pub(crate) fn policies() -> Vec<Vec<u8>> {
    let least = "[[policy]]\nid = \"a\"\nversion = 1\neffective_from = \"2026-01-01T00:00:00Z\"\n";
    let resets = format!("{least}availability = {{ target = \"99.95%\", resets_on = \"01-01\" }}\noutages.max = 3\n");
    let other = least.replace('1', "2");
    let preset = policy::preset("wwa-2026").expect("a preset");
    let whole = policy::parse(preset, "wwa-2026").expect("a right policy").first().map(policy::write).expect("one version");
    [least.to_owned(), resets, format!("{least}{other}"), whole].map(String::into_bytes).to_vec()
}

pub(crate) fn pages() -> Vec<Vec<u8>> {
    let counts = |minute| MinuteCounts { minute, ok: 118, failed: u64::from(minute % 3) };
    let states = vec![
        StateAt { offset_ms: 5, state: HealthState::Down },
        StateAt { offset_ms: 60_000, state: HealthState::Up },
        StateAt { offset_ms: 14_399_999, state: HealthState::Maintenance },
    ];
    let page = |minutes: Vec<u16>, states| PageParts::new(minutes.into_iter().map(counts).collect(), states).expect("in order");
    let pages = [page(vec![], vec![]), page(vec![0, 1, 2, 7, 100, 239], states), page((0..240).collect(), vec![])];
    pages.iter().map(stored::page::write).collect()
}

pub(crate) fn heads() -> Vec<Vec<u8>> {
    let digits = HEAD_HEX.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
    let whole = digits.map(|pair| u8::from_str_radix(pair, 16).expect("digits")).collect();
    vec![whole, stored::head::write(&stored::head::Head::default()), vec![1, 0, 2, 1, b'a', 4, 7, 0, 0, 1, 2, 3, 4, 5, 6, 0]]
}

pub(crate) fn stretches() -> Vec<Vec<u8>> {
    use stored::stretch::{Kept, Last, Stretch};
    let time = |ms: i64| Timestamp::from_ms(1_772_323_200_000 + ms);
    let lines = [facts(), vec![b"no JSON".to_vec(), Vec::new()]].concat();
    let kept = |(place, payload): (u64, Vec<u8>)| {
        let ms = i64::try_from(place * 7).expect("few");
        Kept { offset: 1_000 + place * 3, recorded_at: time(ms), log_time: time(ms + 5), payload }
    };
    let records: Vec<Kept> = (0..).zip(lines).map(kept).collect();
    let last = Last { appended_at: time(8_000), checksum: stored::stretch::checksum(tick::TICK) };
    let whole = Stretch { from: 1_000, to: 11_000, log_time: time(9_000), marked: None, last, records };
    let ticks = Stretch { to: 1_001, marked: time(1), last: Last::default(), records: Vec::new(), ..whole.clone() };
    [whole, ticks].iter().map(stored::stretch::write).collect()
}

/// A lane in good standing.
fn lane(scope: Scope) -> State {
    let next = at("2026-09-01T00:00:00Z");
    let phase = Phase::On { next, active: Active::default() };
    State { phase, critical_next: next, depends_until: next, ..State::new(scope, at("2023-02-03T04:05:06.789Z")) }
}

fn life(lanes: Vec<State>) -> LifeParts {
    let next = at("2026-09-01T00:00:00Z");
    LifeParts { next, version: 1, depends_until: next, lanes, decisions: Vec::new(), removals: Vec::new() }
}

pub(crate) fn lives() -> Vec<Vec<u8>> {
    let breach = at("2026-08-30T01:02:03.456Z");
    let window = Interval::new(at("2025-08-30T01:02:03.456Z"), breach);
    let used = Refused { downtime_ms: 15_000_000, outages: 6 };
    let proposal = Proposal {
        scope: Scope::Global,
        breach,
        reasons: vec![Reason::Budget, Reason::Outages],
        window,
        evidence: domain::Evidence::new(PolicyName { id: Arc::from("p"), version: 1 }),
        used,
        active: Active { reasons: [true, false, true, false, false, true], coverage: true },
    };
    let proposed = State {
        phase: Phase::Proposed(Box::new(proposal)),
        floor: Some(breach),
        refused: Some(used),
        ruled: [(breach, breach, DecisionId([7; 16]))].into(),
        critical_told: [Some(breach), None, Some(breach)],
        ..lane(Scope::Region(Region::Eu))
    };
    let broken = Broken { start: breach, month: window, at: breach, reasons: vec![Reason::Budget] };
    let broken = State { phase: Phase::Broken(Box::new(broken)), removed_at: Some(breach), ..lane(Scope::Region(Region::Fe)) };
    let held = Phase::Probation { start: breach, passed: 6, held: Some(breach) };
    let held = State { phase: held, removed_at: Some(breach), ..lane(Scope::Region(Region::Na)) };
    let removed = State { phase: Phase::Removed { breach, not_before: breach }, ..lane(Scope::Global) };
    let removal = Removal { scope: Scope::Region(Region::Fe), since: breach, interval: window };
    let decided = LifeParts { decisions: vec![report().decisions.remove(1)], removals: vec![removal], ..life(vec![]) };
    let lives = [life(vec![]), life(vec![proposed]), life(vec![broken, held, removed]), decided];
    lives.iter().map(stored::life::write).collect()
}

pub(crate) fn places() -> Vec<Vec<u8>> {
    lines(
        r#"{"v":1,"next_offset":7,"log_time":1772323200005,"evicted":0,"origins":[null,[3,1]],"policies":[[0,"x"]]}
        {"v":1,"next_offset":0,"log_time":null,"evicted":5,"origins":[],"policies":[]}"#,
    )
}
