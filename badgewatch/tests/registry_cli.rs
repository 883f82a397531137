//! The registry's commands as people meet them: what they print, how they end, and what they leave in the log.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use ports::{Log, RecordSink, read_to_end};
use storage::dev_broker::DevBroker;
use storage::embedded::system_clock;
use storage::{EmbeddedConfig, EmbeddedLogs, KafkaConfig, KafkaSink, KafkaSource, ensure_topics};

const BADGE: &str = r#"{"type":"badge","asin":"B000000001","manufacturer":"m-1","marketplaces":["DE","US"],"customers":5000,"enabled_at":"2025-01-01T00:00:00.000Z"}"#;
const REQUEST: &str = r#"{"type":"request_exclusion","command":"c-1","at":"2025-02-01T00:00:00.000Z","by":"ada","exclusion":"x-1","applies_to":{"subject":"product:B000000001"},"regions":["NA"],"from":"2025-01-10T00:00:00.000Z","to":"2025-01-11T00:00:00.000Z","reason":"platform"}"#;
const APPROVE: &str =
    r#"{"type":"approve_exclusion","command":"c-2","at":"2025-02-02T00:00:00.000Z","by":"tom","exclusion":"x-1"}"#;
const PROPOSAL: &str = "000102030405060708090a0b0c0d0e0f";
const OUTAGE: &str = "0f0e0d0c0b0a09080706050403020100";

/// Runs it without what the environment says of badgewatch; yields exit code, stdout and stderr.
fn badgewatch(folder: &Path, arguments: &[&str], stdin: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_badgewatch"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BADGEWATCH_")) {
        command.env_remove(name);
    }
    let piped = || Stdio::piped();
    let spawned = command.args(arguments).current_dir(folder).stdin(piped()).stdout(piped()).stderr(piped()).spawn();
    let mut child = spawned.unwrap();
    // One that ends at once reads nothing.
    let _written = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A folder, and in it a registry `r.ndjson`.
struct Stage(tempfile::TempDir);

impl Stage {
    fn new(lines: &[&str]) -> Self {
        let stage = Self(tempfile::tempdir().unwrap());
        if !lines.is_empty() {
            stage.write("r.ndjson", &(lines.join("\n") + "\n"));
        }
        stage
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path().join(name), content).unwrap();
    }

    fn registry(&self) -> String {
        std::fs::read_to_string(self.path().join("r.ndjson")).unwrap()
    }

    /// Over the registry; it ends as expected, and yields what it prints and what it says of itself.
    fn ends(&self, expected: i32, arguments: &[&str], stdin: &str) -> (String, String) {
        let (code, stdout, stderr) = badgewatch(self.path(), &[arguments, &["--registry", "r.ndjson"]].concat(), stdin);
        assert_eq!(code, Some(expected), "{arguments:?}\n{stdout}{stderr}");
        (stdout, stderr)
    }

    fn done(&self, arguments: &[&str]) -> String {
        let (stdout, stderr) = self.ends(0, arguments, "");
        assert_eq!(stderr, "", "{arguments:?}");
        stdout
    }
}

#[test]
fn lines_are_applied_in_order_and_what_is_refused_is_told() {
    let stage = Stage::new(&[]);
    let again = APPROVE.replace("c-2", "c-3").replace("tom", "eve");
    let note = format!(
        r#"{{"type":"issued","id":"{PROPOSAL}","kind":"proposal","asin":"B000000001","manufacturer":"m-1","scope":"NA","at":"2025-02-01T00:00:00Z","reasons":["budget"]}}"#
    );
    let lines = [BADGE, REQUEST, "", APPROVE, &again, "nonsense", &note].join("\n");
    let (told, stderr) = stage.ends(1, &["registry", "apply"], &lines);
    insta::assert_snapshot!("lines_applied", told);
    assert_eq!(stderr, "badgewatch: 3 of 6 lines were refused\n");
    assert_eq!(stage.registry(), [BADGE, REQUEST, APPROVE, ""].join("\n"), "what is refused isn't appended");

    // A second time nothing is new, and a last line without its end gets one.
    stage.write("r.ndjson", stage.registry().trim_end());
    let (told, _) = stage.ends(1, &["registry", "apply", "-"], &lines);
    assert!(told.contains("0 accepted, 3 refused, 3 there already; nothing was appended to r.ndjson\n"), "{told}");
    let revoke = APPROVE.replace("c-2", "c-4").replace("approve", "revoke").replace('}', r#","note":"a mistake"}"#);
    stage.write("revoke.ndjson", &revoke);
    stage.done(&["registry", "apply", "revoke.ndjson"]);
    assert_eq!(stage.registry(), [BADGE, REQUEST, APPROVE, &revoke, ""].join("\n"));

    let (told, _) = stage.ends(1, &["registry", "apply", "--format", "json"], &[APPROVE, &again].join("\n"));
    let views: Vec<wire::applied::AppliedView> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((views[0].accepted, views[0].known, views[0].revision), (true, true, Some(2)));
    assert_eq!((views[1].accepted, views[1].unmet.len()), (false, 1));
}

#[test]
fn a_refused_line_of_a_batch_leaves_nothing_behind() {
    let stage = Stage::new(&[BADGE]);
    // The same command is in order once what it is about has been asked for.
    let (told, _) = stage.ends(1, &["registry", "apply", "--format", "json"], &[APPROVE, REQUEST, APPROVE].join("\n"));
    let accepted = told.lines().map(|line| line.contains(r#""accepted":true"#)).collect::<Vec<_>>();
    assert_eq!(accepted, [false, true, true], "{told}");
}

#[test]
fn a_dry_run_says_what_would_change_and_changes_no_byte() {
    let stage = Stage::new(&[]);
    let lines = [BADGE, REQUEST, APPROVE].join("\n");
    stage.ends(0, &["registry", "apply", "--dry-run"], &lines);
    assert!(!stage.path().join("r.ndjson").exists(), "not even the file is made");
    stage.write("r.ndjson", &[BADGE, REQUEST].join("\n"));
    let before = stage.registry();
    let on = r#"{"type":"count_customers","command":"c-9","at":"2025-02-03T00:00:00Z","by":"ada","asin":"B000000001","customers":9000}"#;
    let unknown = APPROVE.replace("c-2", "c-8").replace("x-1", "x-2");
    let dry = ["registry", "apply", "--dry-run"];
    let (told, stderr) = stage.ends(1, &dry, &[&lines, on, unknown.as_str()].join("\n"));
    insta::assert_snapshot!("a_dry_run", told);
    assert_eq!(stderr, "badgewatch: 1 of 5 lines would be refused\n");
    let (told, _) = stage.ends(0, &[&dry[..], &["--format", "json"]].concat(), &lines);
    let last = told.lines().last().unwrap();
    let change: wire::applied::ChangeView = serde_json::from_str(last).unwrap();
    assert_eq!((change.before.unwrap().status, change.after.status), ("requested".to_owned(), "approved".to_owned()));
    assert_eq!(stage.registry(), before);
    assert_eq!(stage.ends(0, &dry, REQUEST).0.matches("Nothing would change").count(), 1);
}

const PRODUCTS: &str = "product,manufacturer,retail_name,category,device,brand,model,connection,protocol,capabilities,variants
glow,m-1,Glow,Lighting,light_bulb,Acme,Glow,skill,Wi-Fi,PowerController|BrightnessController|EndpointHealth,B000000001|B000000002
glim,m-1,Glim,Lighting,light_bulb,Acme,Glim,skill,Wi-Fi,PowerController,B000000003
";

#[test]
fn a_file_is_imported_once_however_often_that_is_done() {
    let stage = Stage::new(&[BADGE]);
    stage.write("products.csv", PRODUCTS);
    let import = ["registry", "import", "products.csv", "--type", "describe_product", "--by", "ada"];
    let at = ["--at", "2025-02-01T00:00:00Z"];
    stage.done(&[&import[..], &at, &["--dry-run"]].concat());
    assert_eq!(stage.registry(), format!("{BADGE}\n"));
    let told = stage.done(&import);
    assert!(told.contains("2 accepted; appended to r.ndjson"), "{told}");
    let imported = stage.registry();
    assert!(imported.contains(r#""command":"products.csv-3""#), "{imported}");
    // Later it is another now, but no other command.
    let told = stage.done(&import);
    assert!(told.contains("0 accepted, 2 there already; nothing was appended"), "{told}");
    assert_eq!(stage.registry(), imported);
    let (told, _) = stage.ends(1, &[&import[..], &at].concat(), "");
    assert_eq!(told.matches("the id products.csv-2 was used by a command with other content").count(), 1, "{told}");
    assert_eq!(stage.registry(), imported);

    let lines = [
        BADGE,
        r#"{"type":"badge_withdrawn","asin":"B000000001","at":"2025-03-01T00:00:00.000Z"}"#,
        r#"{"type":"turn_kill_switch","on":true,"reason":"a fault"}"#,
    ];
    let import = ["registry", "import", "-", "--format", "ndjson", "--batch", "march", "--by", "ada"];
    stage.ends(0, &import, &lines.join("\n"));
    assert!(stage.registry().contains(r#""command":"march-3""#));
    let imported = stage.registry();
    stage.ends(0, &import, &lines.join("\n"));
    assert_eq!(stage.registry(), imported);
}

#[test]
fn what_is_wrong_with_a_row_is_told_by_line_and_column() {
    let stage = Stage::new(&[]);
    stage.write("products.csv", &PRODUCTS.replace("B000000003", "B3").replace("glow,m-1", "glow,"));
    let import = ["registry", "import", "products.csv", "--type", "describe_product", "--by", "ada"];
    let (told, _) = stage.ends(1, &[&import[..], &["--at", "2025-02-01T00:00:00Z"]].concat(), "");
    insta::assert_snapshot!("wrong_rows", told);
}

#[test]
fn a_large_import_is_told_in_part() {
    let stage = Stage::new(&[BADGE]);
    let rows = (1..=1_200).map(|n| format!("x-{n},all,2025-01-10T00:00:00Z,2025-01-11T00:00:00Z,platform\n"));
    stage.write("x.csv", &("exclusion,applies_to,from,to,reason\n".to_owned() + &rows.collect::<String>()));
    let told = stage.done(&["registry", "import", "x.csv", "--type", "request_exclusion", "--by", "ada"]);
    assert!(told.contains("and 1150 more lines"), "{told}");
    assert!(told.ends_with("1200 accepted; appended to r.ndjson\n"), "{told}");
    assert_eq!(stage.registry().lines().count(), 1_201);
}

/// A registry with something of most kinds.
fn lived_in() -> Stage {
    let stage = Stage::new(&[BADGE, REQUEST, APPROVE]);
    stage.write("products.csv", PRODUCTS);
    let at = "2025-02-01T00:00:00Z";
    stage.done(&["registry", "import", "products.csv", "--type", "describe_product", "--by", "ada", "--at", at]);
    let draft = r#"{"type":"draft_certification","command":"d-1","at":"2025-02-02T00:00:00Z","by":"ada","certification":"cert-1","product":"glow","region":"NA","marketplaces":["US"],"made_in":"Portugal","hardware":"1","firmware":"1","chipset":"ESP32","skill":"s-1","skill_name":"Acme","skill_stage":"live"}"#;
    let submit =
        r#"{"type":"submit_certification","command":"d-2","at":"2025-02-03T00:00:00Z","by":"ada","certification":"cert-1"}"#;
    stage.ends(0, &["registry", "apply"], &[draft, submit].join("\n"));
    stage
}

#[test]
fn what_is_known_is_shown() {
    let stage = lived_in();
    let now = ["--now", "2025-02-10T00:00:00Z"];
    let show = |arguments: &[&str]| stage.done(&[&["registry", "show"], arguments, &now].concat());
    insta::assert_snapshot!("counts", show(&[]));
    insta::assert_snapshot!("certifications", show(&["certification"]));
    insta::assert_snapshot!("a_product", show(&["product:glim"]));
    insta::assert_snapshot!("an_exclusion", show(&["exclusion:x-1"]));
    let ids = |arguments: &[&str]| -> Vec<String> {
        let shown = show(&[arguments, &["--format", "json"]].concat());
        let entity = |line: &str| serde_json::from_str::<wire::programme_view::EntityView>(line).unwrap().entity;
        shown.lines().map(entity).collect()
    };
    assert_eq!(ids(&["--overdue"]), ["certification:cert-1"]);
    assert_eq!(ids(&["product", "--status", "missing_information"]), ["product:glim"]);
    assert_eq!(ids(&["product", "--status", "Ready", "--status", "missing information"]).len(), 2);
    assert_eq!(ids(&["--manufacturer", "m-1"]).len(), 6, "maker, products, certification, badge, exclusion");
    assert_eq!(ids(&["--manufacturer", "m-2"]), [""; 0]);
    assert_eq!(ids(&["badge:B000000001"]), ["badge:B000000001"]);
    assert_eq!(show(&["dispute"]), "The registry knows nothing of the kind\n");
}

#[test]
fn every_step_is_told() {
    let stage = lived_in();
    insta::assert_snapshot!("a_history", stage.done(&["registry", "history", "exclusion:x-1"]));
    let told = stage.done(&["registry", "history", "certification:cert-1", "--format", "json"]);
    let steps: Vec<wire::programme_view::StepView> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(steps.iter().map(|step| step.what.as_str()).collect::<Vec<_>>(), ["draft_certification", "submit_certification"]);
}

#[test]
fn people_give_commands_one_by_one() {
    let note = |id: &str, kind: &str| {
        format!(
            r#"{{"type":"issued","id":"{id}","kind":"{kind}","asin":"B000000001","manufacturer":"m-1","scope":"NA","at":"2025-02-01T00:00:00Z","reasons":["budget"]}}"#
        )
    };
    let stage = Stage::new(&[BADGE, &note(PROPOSAL, "proposal"), &note(OUTAGE, "critical_outage")]);
    let give = |arguments: &[&str]| stage.done(&[arguments, &["--by", "tom", "--at", "2025-02-05T00:00:00Z"]].concat());
    let (from, to) = (["--from", "2025-01-10T00:00:00Z"], ["--to", "2025-01-11T00:00:00Z"]);
    let ask = ["--applies-to", "product:B000000001", "--regions", "NA,EU", "--reason", "maintenance", "--note", "announced"];
    let request = [&["exclusion", "request"], &ask[..], &from, &to].concat();
    insta::assert_snapshot!("a_request", give(&request));
    let asked = stage.registry();
    assert!(give(&request).contains("there already: requested, revision 1"), "the same line is one command");
    assert_eq!(stage.registry(), asked);
    // Asked for at another time it is the same exclusion, which is there.
    let (told, _) = stage.ends(1, &[&request[..], &["--by", "tom", "--at", "2025-02-06T00:00:00Z"]].concat(), "");
    assert!(told.contains("give the new one an id of its own"), "{told}");

    let dispute = ["dispute", "open", "--id", "d-1", "--asin", "B000000001", "--region", "NA", "--claim", "a probe's fault"];
    give(&[&["exclusion", "request", "--id", "x-1", "--expects", "0"], &ask[..], &from, &to].concat());
    give(&["exclusion", "approve", "x-1", "--expects", "1"]);
    give(&["exclusion", "revoke", "x-1", "--note", "a mistake"]);
    give(&[&["exclusion", "request", "--id", "x-2"], &ask[..], &from, &to].concat());
    give(&["exclusion", "decline", "x-2", "--note", "no"]);
    give(&[&dispute[..], &from, &to].concat());
    give(&["dispute", "uphold", "d-1", "--note", "it was"]);
    give(&[&["dispute", "open", "--asin", "B000000001", "--claim", "not so"][..], &from, &to].concat());
    give(&["proposal", "refuse", PROPOSAL, "--note", "not yet"]);
    give(&["outage", "acknowledge", OUTAGE, "--cause", "power", "--expected-fix", "2025-02-06T00:00:00Z"]);
    give(&["kill-switch", "on", "--reason", "a fault"]);
    let later = ["--by", "tom", "--at", "2025-02-05T00:01:00Z"];
    stage.done(&[&["kill-switch", "off", "--reason", "mended", "--command", "k-2"][..], &later].concat());
    insta::assert_snapshot!("after_all", stage.done(&["registry", "show"]));
    let (told, _) = stage.ends(1, &["proposal", "confirm", PROPOSAL, "--by", "eve", "--at", "2025-02-07T00:00:00Z"], "");
    insta::assert_snapshot!("the_first_answer_stands", told);
    let (told, _) = stage.ends(1, &["dispute", "decline", "d-1", "--note", "no", "--by", "eve", "--expects", "1"], "");
    assert!(told.contains("dispute:d-1 is at revision 2, not 1: somebody else was first"), "{told}");
}

#[test]
fn what_can_not_be_asked_for_ends_with_2_and_says_what_to_do() {
    let stage = Stage::new(&[BADGE]);
    let check = |arguments: &[&str], expected: &str| {
        let (_, stderr) = stage.ends(2, arguments, "");
        assert!(stderr.contains(expected), "{expected:?} is not in: {stderr}");
    };
    let approve = ["exclusion", "approve", "x-1"];
    check(&approve, "--by");
    check(&[&approve[..], &["--by", " "]].concat(), "by is \" \"; expected a text");
    check(&[&approve[..], &["--by", "a", "--data", "d"]].concat(), "cannot be used with");
    check(&[&approve[..], &["--by", "a", "--at", "soon"]].concat(), "expected RFC 3339");
    check(&["proposal", "confirm", "p-1", "--by", "a"], "expected a decision's id");
    check(&["registry", "show", "bulb"], "expected a kind (manufacturer, product,");
    check(&["registry", "show", "badge:B9"], "badge:B9 isn't known: `badgewatch registry show badge` names those that are");
    check(&["registry", "history", "badge"], "expected KIND:ID");
    check(&["registry", "apply", "nowhere"], "nowhere");
    check(&["registry", "import", "x", "--by", "a"], "--format csv or --format ndjson");
    check(&["registry", "import", "-", "--by", "a"], "--batch NAME");
    check(&["registry", "import", "x.ndjson", "--type", "withdraw_badge"], "--type is for CSV");
    let interval = ["--from", "2025-01-02T00:00:00Z", "--to", "2025-01-01T00:00:00Z", "--reason", "platform", "--by", "a"];
    check(&[&["exclusion", "request", "--applies-to", "all"], &interval[..]].concat(), "expected an instant after from");
    check(&[&["exclusion", "request", "--applies-to", "bulb"], &interval[..]].concat(), "expected all, product:ASIN");
    assert_eq!(stage.registry(), format!("{BADGE}\n"));
    let (code, _, stderr) = badgewatch(stage.path(), &["registry", "show"], "");
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--registry"), "{stderr}");
    assert!(badgewatch(stage.path(), &["registry", "show", "--registry", "none"], "").2.contains("cannot open none"));
}

#[test]
fn the_registry_of_a_stopped_run_is_changed_and_that_of_a_running_one_looked_at() {
    let stage = Stage::new(&[]);
    let root = stage.path().join("data/logs");
    let run = |expected: i32, arguments: &[&str], stdin: &str| {
        let (code, stdout, stderr) = badgewatch(stage.path(), &[arguments, &["--data", "data"]].concat(), stdin);
        assert_eq!(code, Some(expected), "{stdout}{stderr}");
        (stdout, stderr)
    };
    assert!(run(2, &["registry", "apply"], BADGE).1.contains("data/logs"), "there is no run yet");
    let opened = EmbeddedLogs::open(&root, &EmbeddedConfig { partitions: 3, ..EmbeddedConfig::default() }, system_clock());
    let logs = opened.unwrap().logs;
    let (mut sink, tick) = (logs.sink(), wire::tick::TICK);
    sink.append(Log::Registry, "", BADGE.as_bytes()).unwrap();
    sink.append(Log::Registry, "", tick).unwrap();
    sink.flush().unwrap();
    let approve = ["exclusion", "approve", "x-1", "--by", "tom"];
    let (_, stderr) = run(2, &approve, "");
    assert!(stderr.contains("changed while its run is stopped") && stderr.contains("another process uses"), "{stderr}");
    assert!(run(0, &["registry", "show", "badge"], "").0.contains("B000000001"));
    let (told, _) = run(1, &[&approve[..], &["--dry-run"]].concat(), "");
    assert!(told.contains("exclusion:x-1 is not known"), "{told}");
    drop((sink, logs));

    let old = ["--from", "2025-01-10T00:00:00Z", "--to", "2025-01-11T00:00:00Z", "--reason", "platform", "--by", "ada"];
    let ask = ["exclusion", "request", "--id", "x-1", "--applies-to", "product:B000000001"];
    let (told, _) = run(1, &[&ask[..], &old].concat(), "");
    assert!(told.contains("more than a window ago"), "a log has a time of its own: {told}");
    let lately = ["--from", "2100-01-10T00:00:00Z", "--to", "2100-01-11T00:00:00Z", "--reason", "maintenance", "--by", "ada"];
    run(0, &[&ask[..], &lately].concat(), "");
    run(0, &approve, "");
    let (told, _) = run(1, &["exclusion", "approve", "x-1", "--by", "eve"], "");
    assert!(told.contains("approve_exclusion by tom"), "{told}");
    let (told, _) = run(0, &["registry", "history", "exclusion:x-1", "--format", "json"], "");
    assert_eq!(told.matches(r#""recorded_at""#).count(), 2, "{told}");
}

#[test]
fn of_two_who_approve_the_same_one_is_told_who_was_first() {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../dev/kafka"));
    let broker = DevBroker::start(script, &folder.path().join("kafka")).unwrap();
    let config = KafkaConfig::new(broker.bootstrap());
    ensure_topics(&config, &[Log::Registry]).unwrap();
    let mut sink = KafkaSink::open(&config).unwrap();
    sink.append(Log::Registry, "", BADGE.as_bytes()).unwrap();
    sink.flush().unwrap();
    let run = |arguments: &[&str]| badgewatch(folder.path(), &[arguments, &["--kafka", broker.bootstrap()]].concat(), "");
    let time = ["--from", "2100-01-10T00:00:00Z", "--to", "2100-01-11T00:00:00Z", "--reason", "maintenance", "--by", "ada"];
    let exclusions = ["x-1", "x-2", "x-3"];
    for id in exclusions {
        let (code, told, stderr) = run(&[&["exclusion", "request", "--id", id, "--applies-to", "all"], &time[..]].concat());
        assert_eq!(code, Some(0), "{told}{stderr}");
    }
    for id in exclusions {
        let approve = |by: &str| run(&["exclusion", "approve", id, "--by", by]);
        let (tom, eve) = std::thread::scope(|scope| {
            let (tom, eve) = (scope.spawn(|| approve("tom")), scope.spawn(|| approve("eve")));
            (tom.join().unwrap(), eve.join().unwrap())
        });
        let (won, lost) = if tom.0 == Some(0) { (tom, eve) } else { (eve, tom) };
        assert_eq!((won.0, lost.0), (Some(0), Some(1)), "{won:?} {lost:?}");
        assert!(won.1.contains("accepted: approved, revision 2"), "{won:?}");
        assert!(lost.1.contains("approve_exclusion by"), "{lost:?}");
    }
    let mut approvals = 0;
    let mut source = KafkaSource::open(&config, Log::Registry).unwrap();
    let each = &mut |record: ports::Record<'_>| approvals += usize::from(record.payload.starts_with(br#"{"type":"approve"#));
    read_to_end(&mut source, &mut || true, each).unwrap();
    assert!((3..=6).contains(&approvals), "{approvals}");
    let (_, told, _) = run(&["registry", "show", "exclusion", "--status", "approved"]);
    assert!(exclusions.iter().all(|id| told.contains(id)), "{told}");
}
