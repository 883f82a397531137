//! A copy made while a run goes on, and a run that goes on from the copy: over logs of its own, with a badge that
//! is older than the window, and over a real broker. What was issued stands, nothing is issued twice, and what is in
//! force in the end is what the auditor finds in everything that was ever appended.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

#[path = "common/common.rs"]
pub mod common;
#[path = "backup/installation.rs"]
mod installation;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use alerting::id::About;
use domain::decision::Issuer;
use domain::time::HOUR_MS;
use domain::{Decision, DecisionKind, DurationMs, Timestamp};
use loadtest::auditor::{AuditInput, audit};
use loadtest::record::{effective, said};
use loadtest::truth::{LogRecord, of_logs};
use ports::Log;

use common::{BREACH, MINUTES, Stored, ago, badge, broker, is_about, minutes, now, policies, policy, suspends};
use installation::{Installation, PARTITIONS};

/// Lost its badge before the copy.
const REMOVED: &str = "B000000001";
/// Half of its downtime is before the copy, half after the restore.
const HALF: &str = "B000000002";
/// Everything about it comes after the restore.
const LATER: &str = "B000000003";
/// Badged for two years; lost it ten months ago for downtime of which half is sixteen months ago.
const OLD: &str = "B000000004";

#[test]
fn a_run_goes_on_from_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut before = Installation::of_its_own(&path("a"));
    before.append_at(ago(DurationMs::days(700)), Log::Registry, &[badge(OLD, "m-4", ago(DurationMs::days(720)))]);
    for days in [490, 300] {
        let from = ago(DurationMs::days(days));
        before.append_at(from.saturating_add(DurationMs(6 * HOUR_MS)), Log::Health, &down(OLD, from, 0..MINUTES / 2));
    }
    let mut after = Installation::of_its_own(&path("b"));
    goes_on(&mut before, &mut after, &path("copy"), &[OLD]);
}

#[test]
fn a_run_over_kafka_goes_on_from_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (_broker, config) = broker(folder.path(), PARTITIONS);
    let mut before = Installation::over_kafka(&config, "before.", &path("a"));
    let mut after = Installation::over_kafka(&config, "after.", &path("b"));
    goes_on(&mut before, &mut after, &path("copy"), &[]);
}

/// Runs, makes a copy of that, and goes on elsewhere; `earlier` products lose their badges by what is there already.
fn goes_on(before: &mut Installation, after: &mut Installation, copy: &Path, earlier: &[&str]) {
    let from = ago(DurationMs::days(10));
    let registered = ago(DurationMs::days(20));
    before.register(registered, &[REMOVED, HALF, LATER].map(|asin| badge(asin, maker(asin), registered)));
    before.run();
    before.send(&down(REMOVED, from, 0..MINUTES));
    for asin in earlier.iter().chain(&[REMOVED]) {
        wait_for_removal(before, asin);
    }
    let half = down(HALF, from, 0..MINUTES / 2);
    before.send(&half);
    before.wait_for_lines(HALF, half.len());
    // The last that is decided by what is there, so that nothing is between the copy and the end.
    before.wait_for("the warning about half of a budget", |one| one.kind == DecisionKind::Warning && is_about(one, HALF));

    let (made, restored) = (["backup", "--out", text(copy)], ["restore", "--from", text(copy)]);
    let done = badgewatch(&made, before);
    assert!(done.success, "{}", done.said);
    assert!(done.said.contains("backed up 2 partitions"), "{}", done.said);
    before.kill();
    let again = badgewatch(&made, before);
    assert!(!again.success && again.said.contains("isn't empty: name a new directory for each backup"), "{}", again.said);

    let done = badgewatch(&restored, after);
    assert!(done.success, "{}", done.said);
    let again = badgewatch(&restored, after);
    assert!(!again.success && again.said.contains("isn't empty, or once wasn't"), "{}", again.said);
    for log in [Log::Decisions, Log::Programme] {
        assert_eq!(payloads(&before.read(log)), payloads(&after.read(log)), "{log}");
    }

    after.run();
    after.send(&down(HALF, from, MINUTES / 2..MINUTES));
    let later = ago(DurationMs::days(5));
    after.send(&down(LATER, later, 0..MINUTES));
    for asin in [HALF, LATER] {
        wait_for_removal(after, asin);
    }
    assert_eq!(after.stop(), Some(0));
    let issued = expect_one_history(before, after);
    for (asin, from) in [(REMOVED, from), (HALF, from), (LATER, later)] {
        let is_one = |one: &&Decision| is_about(one, asin) && one.kind == DecisionKind::BadgeRemoval;
        let removals: Vec<Timestamp> = issued.iter().filter(is_one).map(|one| one.at).collect();
        assert_eq!(removals, [from.saturating_add(BREACH)], "{asin} is removed once");
    }
    expect_what_the_auditor_finds(before, after, &issued, &[&[REMOVED, HALF, LATER], earlier].concat());
}

/// A manufacturer of a product's own.
fn maker(asin: &str) -> &'static str {
    match asin {
        REMOVED => "m-1",
        HALF => "m-2",
        LATER => "m-3",
        _ => "m-4",
    }
}

fn wait_for_removal(running: &mut Installation, asin: &str) {
    let is_it = |one: &Decision| one.kind == DecisionKind::BadgeRemoval && is_about(one, asin);
    running.wait_for(&format!("the removal of {asin}"), is_it);
    running.wait_for(&format!("the suspension of {asin}'s maker"), |one| suspends(one, maker(asin)));
}

/// Lines that say of a product that every attempt of some minutes failed.
fn down(asin: &str, from: Timestamp, counted: Range<i64>) -> Vec<String> {
    minutes(from, counted).map(|at| common::down(asin, "gw-1", at)).collect()
}

/// Each owner's decisions go on where they were, none comes twice; yields all of them.
fn expect_one_history(before: &Installation, after: &Installation) -> Vec<Decision> {
    let (mut by_owner, mut issued) = (BTreeMap::<Issuer, u64>::new(), Vec::new());
    for log in [Log::Decisions, Log::Programme] {
        let (old, new) = (before.read(log), after.read(log));
        for partition in 0..PARTITIONS {
            let of = |records: &[Stored]| -> Vec<Vec<u8>> {
                records.iter().filter(|one| one.partition == partition).map(|one| one.payload.clone()).collect()
            };
            assert!(of(&new).starts_with(&of(&old)), "{log} {partition}: what was issued before stands first, byte for byte");
        }
        for record in new {
            let decision = wire::decision::parse(&record.payload).unwrap();
            assert_eq!(decision.id, named_anew(&decision).id, "an id follows from what is decided");
            let stamp = decision.evidence.issued.clone().unwrap();
            let last = by_owner.entry(stamp.by).or_default();
            assert_eq!(stamp.seq, *last + 1, "{} goes on without a gap and without a double", stamp.by);
            *last = stamp.seq;
            issued.push(decision);
        }
    }
    issued
}

fn named_anew(decision: &Decision) -> Decision {
    let Decision { supersedes, kind, reasons, at, evidence, .. } = decision.clone();
    About::of(decision).decide_superseding(supersedes, kind, reasons, at, evidence)
}

fn expect_what_the_auditor_finds(before: &Installation, after: &Installation, issued: &[Decision], products: &[&str]) {
    // A restored event is the original's name again, and counts once. Offsets go on.
    let mut health = before.read(Log::Health);
    health.extend(after.read(Log::Health).into_iter().map(|one| Stored { offset: one.offset + (1 << 32), ..one }));
    let registry = before.read(Log::Registry);
    let policies = policies(&policy());
    let truth = of_logs(&policies, &as_records(&registry), &as_records(&health));
    let report = audit(&AuditInput { policies: &policies, facts: &truth.facts, events: &truth.events, at: now() });
    for asin in products {
        let of = |list: &[Decision]| -> Vec<Decision> { list.iter().filter(|one| is_about(one, asin)).cloned().collect() };
        let implied = of(&report.decisions);
        assert!(implied.iter().any(|one| one.kind == DecisionKind::BadgeRemoval), "{asin}");
        assert_eq!(effective(&of(issued)), said(&implied), "{asin}");
    }
}

#[test]
fn a_damaged_copy_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut running = Installation::of_its_own(&path("a"));
    let registered = ago(DurationMs::days(20));
    running.register(registered, &[badge(REMOVED, maker(REMOVED), registered)]);
    running.run();
    running.send(&down(REMOVED, ago(DurationMs::days(10)), 0..MINUTES));
    wait_for_removal(&mut running, REMOVED);
    let copy = path("copy");
    let done = badgewatch(&["backup", "--out", text(&copy)], &running);
    assert!(done.success, "{}", done.said);
    running.kill();

    let check = |what: &str, expected: &str, change: &dyn Fn(&Path)| {
        let (damaged, target) = (path(&format!("damaged-{what}")), path(&format!("target-{what}")));
        fs::create_dir(&damaged).unwrap();
        for entry in fs::read_dir(&copy).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), damaged.join(entry.file_name())).unwrap();
        }
        change(&damaged);
        let refused = badgewatch(&["restore", "--from", text(&damaged)], &Installation::of_its_own(&target));
        assert!(!refused.success && refused.said.contains(expected), "{what}: {}", refused.said);
        assert!(!target.exists(), "{what}: nothing is written");
    };
    for name in ["log-decisions", "log-registry", "state-partition-0", "state-partition-1", "manifest"] {
        check(&format!("flipped-{name}"), "is damaged", &|copy| {
            let mut bytes = fs::read(copy.join(name)).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(copy.join(name), bytes).unwrap();
        });
    }
    check("missing", "log-registry can't be read: nothing was restored; give a whole backup", &|copy| {
        fs::remove_file(copy.join("log-registry")).unwrap();
    });
    check("unfinished", "a directory without it is no whole backup", &|copy| fs::remove_file(copy.join("manifest")).unwrap());
    check("later", "has form 2, and only 1 is known: restore with the version that wrote it", &|copy| {
        let manifest = fs::read_to_string(copy.join("manifest")).unwrap();
        fs::write(copy.join("manifest"), manifest.replacen("form 1", "form 2", 1)).unwrap();
    });
}

/// What a command came to.
struct Done {
    success: bool,
    said: String,
}

/// A command on an installation.
fn badgewatch(arguments: &[&str], installation: &Installation) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_badgewatch"));
    let output = command.args(arguments).args(installation.options()).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    Done { success: output.status.success(), said }
}

fn as_records(stored: &[Stored]) -> Vec<LogRecord<'_>> {
    stored.iter().map(Stored::record).collect()
}

fn payloads(records: &[Stored]) -> BTreeMap<u32, Vec<&[u8]>> {
    let mut by_partition = BTreeMap::<u32, Vec<&[u8]>>::new();
    records.iter().for_each(|record| by_partition.entry(record.partition).or_default().push(&record.payload));
    by_partition
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
