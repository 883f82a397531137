//! The command line as its users meet it: exit codes, messages, files, the README's examples.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::path::Path;
use std::process::{Command, Output};

const BADGE: &str = r#"{"type": "badge", "asin": "B000000001", "manufacturer": "m-1", "marketplaces": ["US"], "enabled_at": "2025-01-01T00:00:00Z"}"#;

fn badgewatch(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_badgewatch")).args(arguments).current_dir(folder).output().unwrap()
}

/// Evaluates in a folder with these files; yields exit code and stderr.
fn evaluate(files: &[(&str, &str)], policy: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let arguments =
        ["evaluate", "--policy", policy, "--registry", "r.ndjson", "--events", "e.ndjson", "--at", "2025-02-01T00:00:00Z"];
    let output = badgewatch(folder.path(), &arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The preset with a line replaced.
fn policy_with(from: &str, to: &str) -> String {
    let preset = wire::policy::preset("wwa-2024").unwrap();
    assert!(preset.contains(from), "{from}");
    preset.replace(from, to)
}

#[test]
fn rejected_lines_are_reported_and_the_others_count() {
    let events = [
        r#"{"v": 1, "type": "outcome", "subject": "product:B000000001", "region": "NA", "at": "2025-01-10T00:00:00Z", "ok": 0, "failed": 20}"#,
        r#"{"v": 1, "type": "outcome", "subject": "product:B00X", "region": "NA", "at": "2025-01-10T00:01:00Z", "ok": 0, "failed": 20}"#,
        "",
        "nonsense",
    ]
    .join("\n");
    let (code, stdout, stderr) = evaluate(&[("r.ndjson", BADGE), ("e.ndjson", &events)], "wwa-2024");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["products"][0]["downtime_ms"], 60_000);
    let rejected: Vec<String> = report["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| format!("{} {} {}", line["source"], line["line"], line["reason"]))
        .collect();
    assert_eq!(rejected, [r#""events" 2 "unknown_subject""#, r#""events" 4 "invalid_json""#]);
    assert_eq!(report["rejected"][0]["detail"], "product:B00X is not registered");
}

#[test]
fn what_can_not_be_read_ends_with_2_and_says_what_to_do() {
    let check = |files: &[(&str, &str)], policy: &str, expected: &[&str]| {
        let (code, stdout, stderr) = evaluate(files, policy);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        for part in expected {
            assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
        }
    };
    let files = [("r.ndjson", BADGE), ("e.ndjson", "")];
    check(&[("e.ndjson", "")], "wwa-2024", &["r.ndjson", "No such file"]);
    check(&files, "nowhere.toml", &["nowhere.toml", "wwa-2024, wwa-2026"]);
    let target = policy_with(r#"target = "99.93%""#, r#"target = "101%""#);
    check(
        &[&files[..], &[("p.toml", &target)]].concat(),
        "p.toml",
        &["p.toml:", "policy.availability.target", "101%", "expected a percentage"],
    );
    let unknown = policy_with("merge_gap", "merge_gaps");
    check(&[&files[..], &[("p.toml", &unknown)]].concat(), "p.toml", &["p.toml:", "merge_gaps"]);
    let two = format!("{0}\n{0}", wire::policy::preset("wwa-2024").unwrap());
    check(&[&files[..], &[("p.toml", &two)]].concat(), "p.toml", &["p.toml", "policy.version"]);
}

#[test]
fn a_policy_file_may_hold_several_versions() {
    let two = format!("{0}\n{1}", wire::policy::preset("wwa-2024").unwrap(), wire::policy::preset("wwa-2026").unwrap());
    let (code, stdout, stderr) = evaluate(&[("r.ndjson", BADGE), ("e.ndjson", ""), ("p.toml", &two)], "p.toml");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains(r#""scope": "global""#) || stdout.contains(r#""scope":"global""#), "{stdout}");
}

#[test]
fn parts_of_a_fleet_make_up_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let lines = |part: &[&str]| {
        let output = ["generate", "--products", "10", "--events", "130000", "--registry-out", "r", "--events-out", "-"];
        let generated = badgewatch(folder.path(), &[&output, part].concat());
        assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
        let text = String::from_utf8_lossy(&generated.stdout).into_owned();
        (text.lines().map(str::to_owned).collect::<Vec<_>>(), std::fs::read(folder.path().join("r")).unwrap())
    };
    let (whole, registry) = lines(&[]);
    let parts = ["1/3", "2/3", "3/3"].map(|part| lines(&["--part", part]));
    assert!(whole.len() > 1_000 && parts.iter().all(|(_, of_part)| *of_part == registry));
    let mut parts = parts.map(|(lines, _)| lines.into_iter());
    let woven: Vec<_> = (0..whole.len()).map(|number| parts[number % 3].next().unwrap()).collect();
    assert_eq!(woven, whole);
    assert!(parts.iter_mut().all(|part| part.next().is_none()));
}

#[test]
fn run_over_files_decides_what_evaluate_prints() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let generate =
        ["generate", "--products", "30", "--events", "300000", "--registry-out", &path("r"), "--events-out", &path("e")];
    let generated = badgewatch(folder.path(), &generate);
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
    let run = badgewatch(
        folder.path(),
        &[
            "run",
            "--policy",
            "wwa-2026",
            "--registry",
            "r",
            "--source",
            "e",
            "--until",
            "2026-01-01T00:00:00Z",
            "--decisions",
            "d",
            "--standings",
            "s",
            "--rejected",
            "x",
        ],
    );
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let at = ["--at", "2026-01-01T00:00:00Z"];
    let evaluate =
        badgewatch(folder.path(), &[&["evaluate", "--policy", "wwa-2026", "--registry", "r", "--events", "e"][..], &at].concat());
    let report: wire::ReportView = serde_json::from_slice(&evaluate.stdout).unwrap();
    let lines = |name: &str| std::fs::read_to_string(path(name)).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    let decisions: Vec<_> = lines("d").iter().map(|line| wire::decision::read(line.as_bytes()).unwrap()).collect();
    assert_eq!(decisions, report.decisions);
    assert_eq!(lines("s").len(), report.products.len() + report.manufacturers.len());
    assert_eq!(lines("x").len(), report.rejected.len());
    assert!(!decisions.is_empty() && !report.rejected.is_empty());
}

#[test]
fn the_last_instant_there_is_can_be_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r"), BADGE).unwrap();
    let event = r#"{"v": 1, "type": "state", "subject": "product:B000000001", "region": "NA", "at": "2025-03-01T00:00:00Z", "state": "down"}"#;
    std::fs::write(folder.path().join("e"), event).unwrap();
    let output = badgewatch(
        folder.path(),
        &["evaluate", "--policy", "wwa-2024", "--registry", "r", "--events", "e", "--at", "9999-12-31T23:59:59.999Z"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_output_never_overwrites_an_input_or_another_output() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r"), BADGE).unwrap();
    std::fs::write(folder.path().join("e"), "").unwrap();
    for (decisions, standings) in [("./r", "s"), ("e", "s"), ("d", "./d")] {
        let run = ["run", "--registry", "r", "--source", "e", "--decisions", decisions, "--standings", standings];
        let output = badgewatch(folder.path(), &run);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("would be written over"), "{said}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("r")).unwrap(), BADGE);
}

#[test]
fn the_demo_tells_the_whole_story() {
    let output = badgewatch(Path::new("."), &["demo"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    for part in
        ["warning", "badge removal", "suspension", "probation restarted", "reinstatement", "reinstatement held", "evaluate"]
    {
        assert!(told.contains(part), "the demo shows no {part}");
    }
}

/// The fenced blocks of the README that start with `ndjson registry` and `ndjson events` evaluate
/// together without a rejected line, and each `toml policy` block is a right policy.
#[test]
fn the_readme_s_examples_are_valid() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let (mut counts, mut files) = ([0, 0, 0], [String::new(), String::new()]);
    for block in readme.split("\n```").filter_map(|block| block.split_once('\n')) {
        match block {
            ("ndjson registry", lines) => {
                counts[0] += lines.lines().count();
                files[0] += lines;
            }
            ("ndjson events", lines) => {
                counts[1] += lines.lines().count();
                files[1] += lines;
            }
            ("toml policy", text) => {
                wire::policy::parse(text, "README.md").unwrap();
                counts[2] += 1;
            }
            _ => {}
        }
    }
    assert!(counts.into_iter().all(|count| count > 0), "{counts:?}");
    let (code, stdout, stderr) = evaluate(&[("r.ndjson", &files[0]), ("e.ndjson", &files[1])], "wwa-2024");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["rejected"], serde_json::json!([]));
}
