//! `badgewatch explain` as its users meet it: a small fleet by hand, what was issued about it, and what a
//! later exclusion makes of that.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::path::Path;
use std::process::Command;

use alerting::{Brakes, Context, Issued, reconcile};
use domain::decision::{Decision, DecisionKind, InputPosition, Issuer};
use domain::{Policies, Timestamp};
use pipeline::Evaluation;
use wire::explanation::{BadgeView, BreachView, ExplanationView};

/// B1 goes down for seven hours, B2 as well, and B3 for ten minutes.
const REGISTRY: [&str; 3] = [
    r#"{"type":"badge","asin":"B000000001","manufacturer":"m-1","brand":"Acme","marketplaces":["US"],"enabled_at":"2026-06-30T12:00:00Z"}"#,
    r#"{"type":"badge","asin":"B000000002","manufacturer":"m-2","brand":"Acme","marketplaces":["US"],"enabled_at":"2026-06-30T12:00:00Z"}"#,
    r#"{"type":"badge","asin":"B000000003","manufacturer":"m-3","marketplaces":["US","DE"],"enabled_at":"2026-06-30T12:00:00Z"}"#,
];
/// Approved long after B1's removal was issued.
const EXCLUSION: &str = r#"{"type":"exclusion","id":"x-1","applies_to":{"subject":"product:B000000001"},"from":"2026-07-01T00:00:00Z","to":"2026-07-01T04:00:00Z","reason":"dispute","approved_by":"ops"}"#;
/// What no catalogue should say of B2.
const LISTING: &str =
    r#"{"type":"listing","asin":"B000000002","marketplace":"US","at":"2026-07-10T00:00:00Z","status":"live","brand":"Other"}"#;
/// When the removals were issued, and when what the exclusion changes was.
const ISSUED_AT: &str = "2026-07-02T12:00:00Z";
const CORRECTED_AT: &str = "2026-07-05T00:00:00Z";
/// The last event's minute ends.
const END: &str = "2026-07-15T00:01:00.000Z";

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// The preset, with states that hold until the next one.
fn policy_text() -> String {
    wire::policy::preset("wwa-2026").unwrap().replace(r#"state_ttl = "1h""#, r#"state_ttl = "none""#)
}

fn policies() -> Policies {
    Policies::new(wire::policy::parse(&policy_text(), "p.toml").unwrap()).unwrap()
}

fn events() -> Vec<String> {
    let state = |(asin, region, at, state): (&str, &str, &str, &str)| {
        format!(r#"{{"v":1,"type":"state","subject":"product:{asin}","region":"{region}","at":"{at}","state":"{state}"}}"#)
    };
    let (one, two, three) = ("B000000001", "B000000002", "B000000003");
    let begin = [(one, "NA"), (two, "NA"), (three, "NA"), (three, "EU")]
        .map(|(asin, region)| (asin, region, "2026-06-30T12:00:00Z", "up"));
    let later = [
        (one, "NA", "2026-07-01T00:00:00Z", "down"),
        (one, "NA", "2026-07-01T07:00:00Z", "up"),
        (two, "NA", "2026-07-01T00:00:00Z", "down"),
        (two, "NA", "2026-07-01T07:00:00Z", "up"),
        (three, "NA", "2026-07-14T00:00:00Z", "down"),
        (three, "NA", "2026-07-14T00:10:00Z", "up"),
        (three, "NA", "2026-07-15T00:00:00Z", "up"),
    ];
    begin.into_iter().chain(later).map(state).collect()
}

/// What an owner issues about one product whose registry grew.
#[derive(Default)]
struct Owner {
    issued: Issued,
    log: Vec<Decision>,
}

impl Owner {
    fn reconcile(&mut self, asin: &str, registry: &[&str], t: &str) {
        let mut evaluation = Evaluation::new(policies());
        (1..).zip(registry).for_each(|(line, text)| evaluation.registry_line(line, text.as_bytes()));
        evaluation.settle_registry(None);
        (1..).zip(events()).for_each(|(line, text)| evaluation.event_line(line, text.as_bytes()));
        let mut implied = evaluation.finish(at(t)).decisions;
        implied.retain(|decision| decision.asin.as_ref().is_some_and(|other| other.as_str() == asin));
        let inputs = [InputPosition { log: "health".to_owned(), partition: 0, next_offset: 30 }];
        let context = Context {
            t: at(t),
            policies: &policies(),
            rulings: &[],
            brakes: &mut Brakes::new(Vec::new(), &policies()),
            by: Issuer::Partition(0),
            next_seq: self.log.len() as u64 + 1,
            complete_from: Timestamp::MIN,
            inputs: &inputs,
        };
        for decision in reconcile(&self.issued, &implied, context) {
            self.issued.push(decision.clone());
            self.log.push(decision);
        }
    }
}

/// The log about B1 with its removal, and with the reversal once that is excused. One record is there twice.
fn logs() -> [String; 2] {
    let mut owner = Owner::default();
    owner.reconcile("B000000001", &REGISTRY, ISSUED_AT);
    let first = records(&owner.log);
    owner.reconcile("B000000001", &[&REGISTRY[..], &[EXCLUSION]].concat(), CORRECTED_AT);
    let kinds: Vec<DecisionKind> = owner.log.iter().map(|decision| decision.kind).collect();
    assert!(kinds.contains(&DecisionKind::BadgeRemoval) && kinds.contains(&DecisionKind::Reversal), "{kinds:?}");
    owner.log.push(owner.log[0].clone());
    [first, records(&owner.log)]
}

fn records(log: &[Decision]) -> String {
    String::from_utf8(log.iter().map(wire::decision::write).collect::<Vec<_>>().join(&b'\n')).unwrap()
}

/// Runs with these registry lines, the events and the log; yields exit code, stdout and stderr.
fn run(registry: &[&str], arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: String| std::fs::write(folder.path().join(name), content).unwrap();
    write("r", registry.join("\n"));
    write("e", events().join("\n"));
    let [first, whole] = logs();
    write("d1", first);
    write("d", whole);
    write("p.toml", policy_text());
    explain(folder.path(), arguments)
}

fn explain(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_badgewatch"));
    let output = command.arg("explain").args(arguments).current_dir(folder).env_remove("BADGEWATCH_POLICY").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const FILES: [&str; 6] = ["--policy", "p.toml", "--registry", "r", "--events", "e"];

/// The explanation of a product, as JSON that is read again.
fn explained(registry: &[&str], arguments: &[&str]) -> ExplanationView {
    let (code, stdout, stderr) = run(registry, &[&FILES[..], &["--format", "json"], arguments].concat());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.starts_with("{\n  \"v\": 1,\n"), "{stdout}");
    wire::explanation::read(stdout.as_bytes()).unwrap()
}

fn excused() -> Vec<&'static str> {
    [&REGISTRY[..], &[EXCLUSION]].concat()
}

/// What is known and what is corrected of B1 at an instant: kinds, standing in NA, and how the differences begin.
fn check(instant: &str, known: &[&str], standing: &str, corrected: &[&str], differences: &[&str]) {
    let view = explained(&excused(), &["B000000001", "--decisions", "d", "--at", instant]);
    let kinds = |decisions: &[wire::DecisionView]| decisions.iter().map(|one| one.kind.clone()).collect::<Vec<_>>();
    assert_eq!(kinds(view.as_known.as_ref().unwrap()), known, "as known at {instant}");
    assert_eq!(view.as_corrected.standings[0].standing, standing, "{instant}");
    assert_eq!(kinds(&view.as_corrected.decisions), corrected, "as corrected at {instant}");
    assert_eq!(view.differences.len(), differences.len(), "{:#?}", view.differences);
    for (told, expected) in view.differences.iter().zip(differences) {
        assert!(told.starts_with(expected), "{expected:?} is not how this begins: {told}");
    }
}

#[test]
fn a_removal_that_was_excused_later_is_known_and_corrected() {
    let removed = ["badge_removal", "probation_started", "critical_outage", "warning", "warning", "warning"];
    let taken_back = [&removed[..], &["reversal", "amendment"]].concat();
    let removal = "badge removal in NA, dated 2026-07-01T06:07:55.201Z (budget): isn't implied any more: taken back by ";
    let probation = "probation started in NA, dated 2026-07-01T07:00:00.000Z: isn't implied any more: taken back by ";
    let moved = "critical outage in NA, dated 2026-07-01T00:05:00.000Z: is dated 2026-07-01T04:05:00.000Z now: amended by ";
    let lapsed = [
        "warning in NA, dated 2026-07-01T03:03:57.600Z (watch:budget): isn't implied any more; what was only told isn't taken back",
        "warning in NA, dated 2026-07-01T04:35:56.400Z (warning:budget): isn't implied any more",
        "warning in NA, dated 2026-07-01T05:31:07.680Z (critical:budget): isn't implied any more",
    ];
    let late =
        "critical outage in NA, dated 2026-07-01T04:05:00.000Z: is implied, but was issued only at 2026-07-02T12:00:00.000Z";
    check("2026-07-01T12:00:00Z", &[], "good", &["critical_outage"], &[late]);
    let told = [&[removal, probation, moved], &lapsed[..]].concat();
    check("2026-07-03T00:00:00Z", &removed, "good", &["critical_outage"], &told);
    check(END, &taken_back, "good", &["critical_outage"], &[&[removal, probation], &lapsed[..]].concat());
}

#[test]
fn what_was_issued_and_is_implied_still_differs_nowhere() {
    let known = ["B000000001", "--at", "2026-07-02T12:00:00Z"];
    let view = explained(&REGISTRY, &[&known[..], &["--decisions", "d1"]].concat());
    assert_eq!(view.as_corrected.standings[0].standing, "probation");
    // Suspensions are issued by the programme, of which the log holds nothing.
    assert_eq!(view.differences, ["suspension in NA, dated 2026-07-01T06:07:55.201Z: is implied, but wasn't issued"]);
    let amended = explained(&REGISTRY, &[&known[..], &["--decisions", "d"]].concat());
    let reverted =
        "critical outage in NA, dated 2026-07-01T00:05:00.000Z: is implied as it was issued; its amendment isn't any more";
    assert!(amended.differences.iter().any(|told| told == reverted), "{:#?}", amended.differences);
}

#[test]
fn without_a_log_of_decisions_only_what_is_implied_is_told() {
    let silent = explained(&REGISTRY, &["B000000001"]);
    assert_eq!((silent.as_known, silent.differences), (None, Vec::new()));
    assert_eq!((silent.at.as_str(), silent.known_until.as_str()), (END, END));
    assert_eq!(silent.critical_outages[0].issued, None);
}

#[test]
fn a_badge_that_is_off_is_told_when_it_can_be_back() {
    let check = |registry: &[&str], instant: &str, standing: &str, earliest: &str, missing: &[&str]| {
        let view = explained(registry, &["B000000002", "--at", instant]);
        assert_eq!(view.as_corrected.standings[0].standing, standing, "{instant}");
        let missing = missing.iter().map(|&reason| reason.to_owned()).collect();
        let expected = BadgeView::Off { earliest_reinstatement: earliest.to_owned(), missing };
        assert_eq!(view.forecast[0].badge, expected, "{instant}");
    };
    let listed = [&REGISTRY[..], &[LISTING]].concat();
    check(&REGISTRY, "2026-07-01T06:30:00Z", "removed", "2026-10-01T06:30:00.000Z", &[]);
    check(&REGISTRY, "2026-07-15T00:00:00Z", "probation", "2026-10-01T07:00:00.000Z", &[]);
    check(&listed, "2026-07-15T00:00:00Z", "probation", "2026-10-01T07:00:00.000Z", &["brand:US"]);
    check(&listed, "2026-10-02T00:00:00Z", "held", "2026-10-02T00:00:00.000Z", &["brand:US"]);
}

#[test]
fn assumed_downtime_is_followed_to_the_breach() {
    let assume = |assumed: &str| {
        let view = explained(&REGISTRY, &["B000000003", "--what-if", assumed]);
        let of = |scope: &str| view.forecast.iter().find(|forecast| forecast.scope == scope).unwrap().badge.clone();
        ["NA", "EU"].map(|scope| match of(scope) {
            BadgeView::On(ahead) => ahead.what_if.unwrap(),
            other => panic!("{other:?}"),
        })
    };
    let [na, eu] = assume("2026-07-16T00:00:00Z..2026-07-16T08:00:00Z");
    let breach = |at: &str| Some(BreachView { at: at.to_owned(), reasons: vec!["budget".to_owned()] });
    assert_eq!((na.breach, eu.breach), (breach("2026-07-16T05:57:55.201Z"), breach("2026-07-16T06:07:55.201Z")));
    assert_eq!(na.warnings.len(), 3);
    let [na, _] = assume("2026-07-16T00:00:00Z..2026-07-16T01:00:00Z");
    assert_eq!((na.breach, na.usage.downtime_ms, na.usage.outages), (None, 4_200_000, 2));
    let (code, _, stderr) = run(&REGISTRY, &[&FILES[..], &["B000000003", "--what-if", "0..1000"]].concat());
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--what-if") && stderr.contains("ends before the explained instant"), "{stderr}");
}

#[test]
fn critical_outages_are_open_acknowledged_or_overdue() {
    let id = explained(&REGISTRY, &["B000000003"]).critical_outages[0].id.clone();
    let acknowledged = format!(
        r#"{{"type":"acknowledgement","outage":"{id}","asin":"B000000003","at":"2026-07-14T20:00:00Z","by":"acme","cause":"power","expected_fix":"2026-07-16T00:00:00Z"}}"#
    );
    let late = acknowledged.replace("07-14T20", "07-15T20");
    let check = |fact: Option<&str>, instant: &str, status: &str, is_late: Option<bool>| {
        let registry: Vec<&str> = REGISTRY.into_iter().chain(fact).collect();
        let outages = explained(&registry, &["B000000003", "--at", instant]).critical_outages;
        assert_eq!(outages.len(), 1);
        assert_eq!((outages[0].status.as_str(), outages[0].due.as_str()), (status, "2026-07-15T00:05:00.000Z"), "{instant}");
        assert_eq!(outages[0].acknowledgement.as_ref().map(|answer| answer.late), is_late, "{instant}");
    };
    check(None, "2026-07-15T00:05:00Z", "open", None);
    check(None, "2026-07-15T00:05:00.001Z", "overdue", None);
    check(Some(&acknowledged), "2026-07-14T19:00:00Z", "open", None);
    check(Some(&acknowledged), "2026-07-14T20:00:00Z", "acknowledged", Some(false));
    check(Some(&late), "2026-07-15T19:00:00Z", "overdue", None);
    check(Some(&late), "2026-07-15T21:00:00Z", "acknowledged", Some(true));
}

#[test]
fn the_table_tells_it_in_words() {
    let rest = ["B000000001", "--decisions", "d", "--at", "2026-07-03T00:00:00Z"];
    let assumed = ["--what-if", "2026-07-03T01:00:00Z..2026-07-03T05:00:00Z"];
    let (code, stdout, stderr) = run(&excused(), &[&FILES[..], &rest, &assumed].concat());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!("an_excused_removal", stdout);
    let (_, stdout, _) = run(&REGISTRY, &[&FILES[..], &["B000000002", "--at", "2026-06-30T00:00:00Z"]].concat());
    assert!(stdout.contains("it wasn't badged yet"), "{stdout}");
}

#[test]
fn what_can_not_be_explained_ends_with_2_and_says_what_to_do() {
    let check = |arguments: &[&str], expected: &[&str]| {
        let (code, stdout, stderr) = run(&REGISTRY, arguments);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        for part in expected {
            assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
        }
    };
    let with = |rest: &[&'static str]| [&FILES[..], rest].concat();
    check(&with(&["B00X"]), &["B00X is not registered", "no badge line names it", "check the ASIN and the registry"]);
    check(&with(&["B000000001", "--decisions", "e"]), &["e: record 1 is no decision as `run` writes them"]);
    check(&with(&["B000000001", "--what-if", "1000"]), &["expected FROM..TO"]);
    check(&["B000000001"], &["--registry", "required"]);
    check(&["B000000001", "--registry", "r"], &["--events"]);
    check(&["B000000001", "--registry", "-", "--events", "-"], &["only one of --registry, --events and --decisions"]);
    check(&["B000000001", "--registry", "r", "--events", "/dev/null"], &["give --at INSTANT"]);
    check(&["B000000001", "--registry", "r", "--events", "nowhere"], &["nowhere"]);
}
