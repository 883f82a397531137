//! The main job on a real broker: a generated fleet goes in through Kafka, and what `run` publishes
//! is what `evaluate` prints for the same lines, which is what the auditor finds.
//!
//! The fleet is small unless `BADGEWATCH_JOB_PRODUCTS` and `BADGEWATCH_JOB_EVENTS` ask for more, e.g.
//! `BADGEWATCH_JOB_PRODUCTS=1000 BADGEWATCH_JOB_EVENTS=8000000 cargo test --release -p badgewatch --test main_job -- --nocapture`.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use domain::{Event, Fact, Report, Timestamp};
use loadtest::auditor::{AuditInput, audit, differences};
use ports::{Log, read_to_end};
use storage::dev_broker::DevBroker;
use storage::{KafkaConfig, KafkaSource};
use wire::standing::StandingView;
use wire::view::{DecisionView, ManufacturerView, ProductView, ReportView};

const UNTIL: &str = "2026-01-01T00:00:00Z";
const PARTITIONS: &str = "8";

fn badgewatch(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_badgewatch"));
    command.args(arguments);
    command
}

/// Runs to the end; yields stdout.
fn output(arguments: &[&str]) -> Vec<u8> {
    let started = Instant::now();
    let output = badgewatch(arguments).env("RUST_LOG", "warn,badgewatch=info").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {}\n{said}", output.status);
    println!(
        "badgewatch {}\n  {:.1} s; {}",
        arguments.join(" "),
        started.elapsed().as_secs_f64(),
        said.trim().replace('\n', "\n  ")
    );
    output.stdout
}

fn from_env(name: &str, default: u64) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_string())
}

/// Everything that a topic holds.
fn topic(bootstrap: &str, log: Log) -> Vec<Vec<u8>> {
    let mut source = KafkaSource::open(&KafkaConfig::new(bootstrap), log).unwrap();
    let mut records = Vec::new();
    read_to_end(&mut source, &mut || true, &mut |record| records.push(record.payload.to_vec())).unwrap();
    records
}

/// What the topics say: by id and by subject, as partitions keep no order between them.
#[derive(PartialEq, Debug)]
struct Told {
    decisions: BTreeMap<String, DecisionView>,
    products: BTreeMap<(String, String), ProductView>,
    manufacturers: BTreeMap<(String, String), ManufacturerView>,
}

impl Told {
    fn by_topics(bootstrap: &str) -> Self {
        let decisions = topic(bootstrap, Log::Decisions).iter().map(|record| wire::decision::read(record).unwrap()).collect();
        let (mut products, mut manufacturers) = (Vec::new(), Vec::new());
        for record in topic(bootstrap, Log::Standings) {
            match wire::standing::read(&record).unwrap() {
                StandingView::Product(product) => products.push(product.standing),
                StandingView::Manufacturer(manufacturer) => manufacturers.push(manufacturer.standing),
            }
        }
        Self::new(decisions, products, manufacturers)
    }

    fn new(decisions: Vec<DecisionView>, products: Vec<ProductView>, manufacturers: Vec<ManufacturerView>) -> Self {
        let counts = (decisions.len(), products.len(), manufacturers.len());
        let told = Self {
            decisions: decisions.into_iter().map(|d| (d.id.clone(), d)).collect(),
            products: products.into_iter().map(|p| ((p.asin.clone(), p.scope.clone()), p)).collect(),
            manufacturers: manufacturers.into_iter().map(|m| ((m.id.clone(), m.scope.clone()), m)).collect(),
        };
        assert_eq!(counts, (told.decisions.len(), told.products.len(), told.manufacturers.len()), "nothing is told twice");
        told
    }
}

/// What the auditor makes of the same files.
fn audited(registry: &Path, events: &Path) -> Report {
    let policy = wire::policy::parse(wire::policy::preset("wwa-2024").unwrap(), "wwa-2024").unwrap().remove(0);
    let lines = |path: &Path| BufReader::new(std::fs::File::open(path).unwrap()).split(b'\n').map(Result::unwrap);
    let facts: Vec<(u64, Fact)> =
        (1..).zip(lines(registry)).filter_map(|(number, line)| Some((number, wire::fact::parse(&line).ok()?))).collect();
    let events: Vec<(u64, Event)> = (1..)
        .zip(lines(events))
        .filter_map(|(number, line)| Some((number, wire::event::parse(&line).ok()?.event().to_owned())))
        .collect();
    let at = Timestamp::parse_rfc3339(UNTIL).unwrap();
    audit(&AuditInput { policies: &policy.into(), facts: &facts, events: &events, at })
}

/// The engine's report on files, in this process, and what its JSON says.
fn evaluated(registry: &Path, events: &Path) -> Report {
    let policy = wire::policy::parse(wire::policy::preset("wwa-2024").unwrap(), "wwa-2024").unwrap().remove(0);
    let mut evaluation = pipeline::Evaluation::new(policy);
    let lines = |path: &Path| BufReader::new(std::fs::File::open(path).unwrap()).split(b'\n').map(Result::unwrap);
    (1..).zip(lines(registry)).for_each(|(number, line)| evaluation.registry_line(number, &line));
    evaluation.settle_registry(None);
    (1..).zip(lines(events)).for_each(|(number, line)| evaluation.event_line(number, &line));
    evaluation.finish(Timestamp::parse_rfc3339(UNTIL).unwrap())
}

#[test]
fn run_publishes_what_evaluate_prints_and_the_auditor_finds() {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../dev/kafka"));
    let broker = DevBroker::start(script, &folder.path().join("kafka")).unwrap();
    let bootstrap = broker.bootstrap();
    let (registry, events) = (folder.path().join("registry.ndjson"), folder.path().join("events.ndjson"));
    let (registry_file, events_file) = (registry.to_str().unwrap(), events.to_str().unwrap());
    let (products, lines) = (from_env("BADGEWATCH_JOB_PRODUCTS", 40), from_env("BADGEWATCH_JOB_EVENTS", 400_000));
    let fleet = ["generate", "--products", &products, "--events", &lines];
    output(&[&fleet[..], &["--kafka", bootstrap, "--partitions", PARTITIONS]].concat());
    output(&[&fleet[..], &["--registry-out", registry_file, "--events-out", events_file]].concat());

    output(&["run", "--kafka", bootstrap, "--partitions", PARTITIONS, "--until", UNTIL, "--http", "127.0.0.1:0"]);
    let told = Told::by_topics(bootstrap);
    let printed = output(&[
        "evaluate",
        "--policy",
        "wwa-2024",
        "--registry",
        registry_file,
        "--events",
        events_file,
        "--at",
        UNTIL,
        "--format",
        "json",
    ]);
    let printed: ReportView = serde_json::from_slice(&printed).unwrap();
    explains_alike(&printed, &["--kafka", bootstrap], &["--registry", registry_file, "--events", events_file]);
    let rejected = topic(bootstrap, Log::Rejected).len();
    assert_eq!(rejected, printed.rejected.len(), "rejected lines");
    let engine = evaluated(&registry, &events);
    assert!(ReportView::from(&engine) == printed, "the binary prints what the library says");
    let faults = differences(&engine, &audited(&registry, &events));
    assert_eq!(faults, Vec::<String>::new(), "engine and auditor");

    let kinds: BTreeSet<&str> = printed.decisions.iter().map(|decision| decision.kind.as_str()).collect();
    let expected = Told::new(printed.decisions.clone(), printed.products.clone(), printed.manufacturers.clone());
    assert_eq!(told.decisions, expected.decisions);
    assert!(told == expected, "standings differ");
    for kind in ["warning", "badge_removal", "suspension", "probation_restarted", "reinstatement_held", "reinstatement"] {
        assert!(kinds.contains(kind), "the fleet shows a {kind}");
    }
    println!(
        "equal: {} products, {} manufacturers, {} decisions of {} kinds; {rejected} rejected lines",
        expected.products.len(),
        expected.manufacturers.len(),
        expected.decisions.len(),
        kinds.len(),
    );
    serves_and_stops_cleanly(bootstrap);
}

/// Of topics and of files the same is explained of a product that was removed; only topics hold what was issued.
fn explains_alike(printed: &ReportView, topics: &[&str], files: &[&str]) {
    let removal = printed.decisions.iter().find(|decision| decision.kind == "badge_removal").unwrap();
    let asin = removal.asin.as_deref().unwrap();
    let explain = |from: &[&str]| {
        let arguments = [&["explain", asin, "--policy", "wwa-2024", "--at", UNTIL, "--format", "json"], from].concat();
        wire::explanation::read(&output(&arguments)).unwrap()
    };
    let (live, evaluated) = (explain(topics), explain(files));
    assert_eq!((&live.as_corrected, &live.forecast), (&evaluated.as_corrected, &evaluated.forecast));
    assert!(live.as_corrected.decisions.iter().any(|decision| decision.id == removal.id));
    assert_eq!(live.as_known.unwrap().len(), live.as_corrected.decisions.len(), "a bounded run issues what is implied");
    assert_eq!((evaluated.as_known, live.differences), (None, Vec::new()));
}

/// A run without an end serves its metrics and, told to stop, ends with exit code 0.
fn serves_and_stops_cleanly(bootstrap: &str) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_str().unwrap();
    let mut run = badgewatch(&["run", "--kafka", bootstrap, "--state", state, "--http", "127.0.0.1:0", "--log-format", "json"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(run.stderr.take().unwrap()).lines().map(|line| {
        let line = line.unwrap();
        serde_json::from_str::<serde_json::Value>(&line).unwrap_or_else(|_| panic!("a JSON line: {line}"))
    });
    let mut wait_for =
        |message: &str| log.find(|line| line["fields"]["message"].as_str().unwrap_or("").starts_with(message)).unwrap();
    let address = wait_for("serving")["fields"]["address"].as_str().unwrap().to_owned();
    wait_for("caught up");
    assert!(get(&address, "/healthz").contains("200 OK"));
    assert!(get(&address, "/readyz").contains("200 OK"));
    let metrics = get(&address, "/metrics");
    assert!(metrics.contains("\nbadgewatch_ready 1\n") && metrics.contains("badgewatch_events_accepted_total"), "{metrics}");
    assert!(Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap().success());
    wait_for("done");
    assert_eq!(run.wait().unwrap().code(), Some(0), "SIGTERM ends a run cleanly");
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
