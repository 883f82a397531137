//! A copy made while a run goes on, and a run that goes on from the copy: over logs of its own, with a badge that
//! is older than the window. What was issued stands, nothing is issued twice, and what is in force in the end is
//! what the auditor finds in everything that was ever appended.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

#[path = "backup/installation.rs"]
mod installation;
#[path = "live/process.rs"]
mod process;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use domain::decision::Issuer;
use domain::time::{HOUR_MS, MINUTE_MS};
use domain::{Decision, DecisionKind, DurationMs, Timestamp};
use loadtest::auditor::{AuditInput, audit};
use loadtest::record::{effective, said};
use loadtest::truth::{LogRecord, of_logs};
use ports::Log;

use installation::{Installation, Stored, down, now, policies};

/// Down minutes that just exceed the budget of 365 days at 99.93 %.
const MINUTES: i64 = 368;

/// Lost its badge before the copy.
const REMOVED: &str = "B000000001";
/// Half of its downtime is before the copy, half after the restore.
const HALF: &str = "B000000002";
/// Everything about it comes after the restore.
const LATER: &str = "B000000003";
/// Badged for two years; lost it ten months ago for downtime of which half is sixteen months ago.
const OLD: &str = "B000000004";

fn ago(days: i64) -> Timestamp {
    now().saturating_sub(DurationMs::days(days)).floor_minute()
}

#[test]
fn a_run_goes_on_from_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut before = Installation::new(&path("a"));
    before.append_at(ago(700), Log::Registry, &[badge(OLD, "m-4", ago(720))]);
    for days in [490, 300] {
        let later = ago(days).saturating_add(DurationMs(6 * HOUR_MS));
        before.append_at(later, Log::Health, &down(OLD, ago(days), 0..MINUTES / 2));
    }
    let badges = [(REMOVED, "m-1"), (HALF, "m-2"), (LATER, "m-3")];
    before.append_at(ago(20), Log::Registry, &badges.map(|(asin, manufacturer)| badge(asin, manufacturer, ago(20))));
    before.run();
    before.send(down(REMOVED, ago(10), 0..MINUTES));
    for (asin, manufacturer) in [(REMOVED, "m-1"), (OLD, "m-4")] {
        before.wait_for(&format!("{asin} is removed"), |one| is_about(one, asin, DecisionKind::BadgeRemoval));
        before.wait_for("its maker is suspended", |one| is_suspended(one, manufacturer));
    }
    let half = down(HALF, ago(10), 0..MINUTES / 2);
    let lines = half.len();
    before.send(half);
    before.wait_for_lines(HALF, lines);

    let (data, copy) = (path("a"), path("copy"));
    let done = badgewatch(&["backup", "--data", text(&data), "--out", text(&copy)]);
    assert!(done.success, "{}", done.said);
    assert!(done.said.contains("backed up 2 partitions"), "{}", done.said);
    before.kill();
    let again = badgewatch(&["backup", "--data", text(&data), "--out", text(&copy)]);
    assert!(!again.success && again.said.contains("isn't empty: name a new directory for each backup"), "{}", again.said);

    let restored = path("b");
    let done = badgewatch(&["restore", "--from", text(&copy), "--data", text(&restored)]);
    assert!(done.success, "{}", done.said);
    let again = badgewatch(&["restore", "--from", text(&copy), "--data", text(&restored)]);
    assert!(!again.success && again.said.contains("isn't empty, or once wasn't"), "{}", again.said);
    for log in [Log::Decisions, Log::Programme] {
        assert_eq!(payloads(&before.read(log)), payloads(&Installation::new(&restored).read(log)), "{log}");
    }

    let mut after = Installation::new(&restored);
    after.run();
    after.send(down(HALF, ago(10), MINUTES / 2..MINUTES));
    after.send(down(LATER, ago(5), 0..MINUTES));
    for (asin, manufacturer) in [(HALF, "m-2"), (LATER, "m-3")] {
        after.wait_for(&format!("{asin} is removed"), |one| is_about(one, asin, DecisionKind::BadgeRemoval));
        after.wait_for("its maker is suspended", |one| is_suspended(one, manufacturer));
    }
    assert_eq!(after.stop(), Some(0));
    let issued = expect_one_history(&before, &after);
    expect_what_the_auditor_finds(&before, &after, &issued);
}

/// Each owner's decisions go on where they were, none comes twice; yields all of them.
fn expect_one_history(before: &Installation, after: &Installation) -> Vec<Decision> {
    let (mut by_owner, mut issued) = (BTreeMap::<Issuer, u64>::new(), Vec::new());
    for log in [Log::Decisions, Log::Programme] {
        let (old, new) = (before.read(log), after.read(log));
        for partition in 0..2 {
            let of = |records: &[Stored]| -> Vec<Vec<u8>> {
                records.iter().filter(|one| one.partition == partition).map(|one| one.payload.clone()).collect()
            };
            assert!(of(&new).starts_with(&of(&old)), "{log} {partition}: what was issued before stands first, byte for byte");
        }
        for record in new {
            let decision = wire::decision::parse(&record.payload).unwrap();
            let stamp = decision.evidence.issued.clone().unwrap();
            let last = by_owner.entry(stamp.by).or_default();
            assert_eq!(stamp.seq, *last + 1, "{} goes on without a gap and without a double", stamp.by);
            *last = stamp.seq;
            issued.push(decision);
        }
    }
    issued
}

fn expect_what_the_auditor_finds(before: &Installation, after: &Installation, issued: &[Decision]) {
    // A restored event is the original's name again, and counts once.
    let health = [before.read(Log::Health), after.read_after(Log::Health, 1 << 32)].concat();
    let registry = before.read(Log::Registry);
    let policies = policies();
    let truth = of_logs(&policies, &as_records(&registry), &as_records(&health));
    let report = audit(&AuditInput { policies: &policies, facts: &truth.facts, events: &truth.events, at: now() });
    for asin in [REMOVED, HALF, LATER, OLD] {
        let of = |list: &[Decision]| -> Vec<Decision> {
            list.iter().filter(|one| one.asin.as_ref().is_some_and(|own| own.as_str() == asin)).cloned().collect()
        };
        let implied = of(&report.decisions);
        assert!(implied.iter().any(|one| one.kind == DecisionKind::BadgeRemoval), "{asin}");
        assert_eq!(effective(&of(issued)), said(&implied), "{asin}");
    }
}

#[test]
fn a_damaged_copy_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut running = Installation::new(&path("a"));
    running.append_at(ago(20), Log::Registry, &[badge(REMOVED, "m-1", ago(20))]);
    running.run();
    running.send(down(REMOVED, ago(10), 0..MINUTES));
    running.wait_for("a removal", |one| is_about(one, REMOVED, DecisionKind::BadgeRemoval));
    let copy = path("copy");
    let done = badgewatch(&["backup", "--data", text(&path("a")), "--out", text(&copy)]);
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
        let refused = badgewatch(&["restore", "--from", text(&damaged), "--data", text(&target)]);
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

fn badgewatch(arguments: &[&str]) -> Done {
    let output = Command::new(env!("CARGO_BIN_EXE_badgewatch")).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    Done { success: output.status.success(), said }
}

fn badge(asin: &str, manufacturer: &str, since: Timestamp) -> String {
    let enabled_at = since.saturating_sub(DurationMs(60 * MINUTE_MS));
    format!(
        r#"{{"type":"badge","asin":"{asin}","manufacturer":"{manufacturer}","marketplaces":["US"],"customers":5000,"enabled_at":"{enabled_at}"}}"#
    )
}

fn is_about(decision: &Decision, asin: &str, kind: DecisionKind) -> bool {
    decision.kind == kind && decision.asin.as_ref().is_some_and(|own| own.as_str() == asin)
}

fn is_suspended(decision: &Decision, manufacturer: &str) -> bool {
    decision.kind == DecisionKind::Suspension && decision.manufacturer.as_str() == manufacturer
}

fn as_records(stored: &[Stored]) -> Vec<LogRecord<'_>> {
    stored.iter().map(Stored::record).collect()
}

fn payloads(records: &[Stored]) -> Vec<(u32, &[u8])> {
    records.iter().map(|record| (record.partition, record.payload.as_slice())).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
