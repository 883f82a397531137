//! `badgewatch policy` as its users meet it.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::path::Path;
use std::process::Command;

/// Runs in a folder with these files; yields exit code, stdout and stderr.
fn policy(files: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    run(folder.path(), arguments)
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_badgewatch"));
    let output = command.arg("policy").args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Shows a policy; yields stdout.
fn show(files: &[(&str, &str)], arguments: &[&str]) -> String {
    let (code, stdout, stderr) = policy(files, &[&["show"], arguments].concat());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    stdout
}

fn preset(name: &str) -> &'static str {
    wire::policy::preset(name).unwrap()
}

#[test]
fn a_right_file_is_told_version_by_version() {
    let (code, stdout, stderr) =
        policy(&[("a.toml", preset("wwa")), ("b.toml", preset("wwa-2026"))], &["check", "a.toml", "b.toml"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let expected = "a.toml: wwa-2024 v1 from 2024-03-26T00:00:00.000Z, scope global\n\
                    a.toml: wwa-2026 v1 from 2026-06-15T00:00:00.000Z, scope region\n\
                    b.toml: wwa-2026 v1 from 2026-06-15T00:00:00.000Z, scope region\n";
    assert_eq!(stdout, expected);
}

#[test]
fn wrong_files_are_told_by_line_and_key() {
    let check = |content: &str, expected: &str| {
        let (code, stdout, stderr) =
            policy(&[("p.toml", content), ("right.toml", preset("wwa"))], &["check", "p.toml", "right.toml"]);
        assert_eq!((code, stdout.lines().count()), (Some(2), 2), "the right file is told all the same: {stdout}{stderr}");
        assert!(stderr.contains(expected), "{expected:?} is not in: {stderr}");
    };
    let with = |from: &str, to: &str| preset("wwa-2024").replacen(from, to, 1);
    check(&with("max = 5", "max = -5"), "p.toml:35:7: policy.outages.max: found the integer -5; expected an integer from 0");
    check(&with("short = \"5m\"", "short = \"5h\""), ": policy.burn_rate.windows.short: found \"5h\"; expected a whole number");
    check(&with("merge_gap", "merge_gaps"), ": policy.outages.merge_gaps: unknown key; expected one of max, merge_gap");
    check("", "p.toml:1:1: policy: missing; expected one or more [[policy]] tables");
    let both = [("a.toml", ""), ("b.toml", "x = 1")];
    let (code, _, stderr) = policy(&both, &["check", "a.toml", "b.toml", "c.toml"]);
    assert_eq!(code, Some(2));
    for part in ["a.toml:1:1: policy: missing", "b.toml:1:1: x: unknown key", "cannot read c.toml: No such file"] {
        assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
    }
    assert_eq!(policy(&[], &["check"]).0, Some(2));
}

#[test]
fn what_is_shown_as_toml_says_the_same() {
    let shown = show(&[], &["wwa"]);
    let read = |text: &str| wire::policy::parse(text, "shown").unwrap();
    assert_eq!(read(&shown), read(preset("wwa")));
    let at = |instant: &str| read(&show(&[("p.toml", preset("wwa"))], &["p.toml", "--at", instant]));
    assert_eq!(at("2026-06-14T23:59:59.999Z"), read(preset("wwa-2024")));
    assert_eq!(at("2026-06-15T00:00:00Z"), read(preset("wwa-2026")));
    assert_eq!(at("1970-01-01T00:00:00Z"), read(preset("wwa-2024")));
    let minimal = "[[policy]]\nid = \"p\"\nversion = 3\neffective_from = \"2025-01-01T00:00:00Z\"\n";
    assert!(show(&[("p.toml", minimal)], &["p.toml"]).contains("\n[policy.degradation]\nwindow = \"15m\"\n"));
}

#[test]
fn what_can_not_be_shown_is_said() {
    let (code, stdout, stderr) = policy(&[], &["show", "wwa-2025"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.contains("no preset of that name") && stderr.contains("cannot read wwa-2025"), "{stderr}");
    assert_eq!(policy(&[], &["show", "wwa", "--at", "June"]).0, Some(2));
}

#[test]
fn numbers_are_explained() {
    insta::assert_snapshot!("both_versions", show(&[], &["wwa", "--format", "table"]));
    let yearly = preset("wwa-2026").replace("window = \"365d\"", "resets_on = \"01-01\"");
    let yearly = yearly.replace("\"automatic\"", "\"review\"").replace("state_ttl = \"1h\"", "state_ttl = \"none\"");
    let arguments = ["p.toml", "--format", "table", "--at", "2028-03-01T00:00:00Z"];
    insta::assert_snapshot!("a_leap_year", show(&[("p.toml", &yearly)], &arguments));
}
