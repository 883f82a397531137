//! `badgewatch rejected` over files, as its users meet it: listed, shown, repaired, replayed more than once.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Down where twenty attempts of a minute are reported: one that counts twice shows.
const TEN_FAILED: &str = r#""ok":0,"failed":10"#;

fn badge(asin: &str) -> String {
    format!(
        r#"{{"type":"badge","asin":"{asin}","manufacturer":"m-1","marketplaces":["US"],"enabled_at":"2025-01-01T00:00:00Z"}}"#
    )
}

fn event(asin: &str, region: &str, minute: u32) -> String {
    let at = format!("2025-01-10T00:{minute:02}:00Z");
    format!(r#"{{"v":1,"type":"outcome","subject":"product:{asin}","region":"{region}","at":"{at}",{TEN_FAILED}}}"#)
}

/// A folder with a registry `r`, events `e`, and what was rejected of them, `x`.
struct Stage(tempfile::TempDir);

impl Stage {
    fn new() -> Self {
        let stage = Self(tempfile::tempdir().unwrap());
        let events = [
            event("B000000001", "NA", 0),
            event("B000000002", "NA", 0),
            "nonsense".to_owned(),
            event("B000000001", "XX", 0),
            event("B000000001", "XX", 1),
        ];
        stage.write("r", &badge("B000000001"));
        stage.write("e", &events.join("\n"));
        stage.run();
        stage
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path().join(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn badgewatch(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_badgewatch"));
        let output = command.args(arguments).current_dir(self.path()).env_remove("BADGEWATCH_POLICY").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// The main job over the files as they are; yields each product's downtime.
    fn run(&self) -> BTreeMap<String, i64> {
        let run = ["run", "--registry", "r", "--source", "e", "--decisions", "d", "--standings", "s", "--rejected", "x"];
        let (code, _, stderr) = self.badgewatch(&run);
        assert_eq!(code, Some(0), "{stderr}");
        let standings = self.read("s");
        let downtimes =
            standings.lines().map(|line| wire::standing::read(line.as_bytes()).unwrap()).filter_map(|view| match view {
                wire::standing::StandingView::Product(product) => Some((product.standing.asin, product.standing.downtime_ms)),
                wire::standing::StandingView::Manufacturer(_) => None,
            });
        downtimes.collect()
    }

    /// What `evaluate` finds in the same files.
    fn evaluate(&self) -> BTreeMap<String, i64> {
        let files = ["evaluate", "--policy", "wwa-2024", "--registry", "r", "--events", "e", "--at", "2025-02-01T00:00:00Z"];
        let (code, stdout, stderr) = self.badgewatch(&files);
        assert_eq!(code, Some(0), "{stderr}");
        let report: wire::ReportView = serde_json::from_str(&stdout).unwrap();
        report.products.into_iter().map(|product| (product.asin, product.downtime_ms)).collect()
    }

    /// Succeeds; yields what it says.
    fn rejected(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.badgewatch(&[&["rejected"], arguments].concat());
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
        stdout
    }
}

#[test]
fn rejected_lines_are_listed_by_what_is_asked_for() {
    let stage = Stage::new();
    insta::assert_snapshot!("a_list", stage.rejected(&["list", "--rejected", "x"]));
    let ids = |filters: &[&str]| -> Vec<String> {
        let listed = stage.rejected(&[&["list", "--rejected", "x", "--format", "json"], filters].concat());
        let id = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
        listed.lines().map(id).collect()
    };
    assert_eq!(ids(&[]), ["e/0/4/1", "e/0/3/1", "e/0/2/1", "e/0/1/1"]);
    assert_eq!(ids(&["--reason", "unknown_subject", "--reason", "invalid_json"]), ["e/0/2/1", "e/0/1/1"]);
    assert_eq!(ids(&["--subject", "product:B000000001"]), ["e/0/4/1", "e/0/3/1"]);
    assert_eq!(ids(&["--partition", "1"]), [""; 0]);
    // A restart says lines again.
    stage.write("x", &stage.read("x").repeat(2));
    assert_eq!(ids(&[]).len(), 4);
    let (_, listed, stderr) = stage.badgewatch(&["rejected", "list", "--rejected", "x", "--limit", "1"]);
    assert!(listed.contains("e/0/4/1") && !listed.contains("e/0/3/1"), "{listed}");
    assert_eq!(stderr, "and 3 more, rejected before: --limit 4 shows them\n");
    insta::assert_snapshot!("a_summary", stage.rejected(&["list", "--rejected", "x", "--summary"]));
    assert_eq!(stage.rejected(&["list", "--rejected", "x", "--reason", "sequence_too_old"]), "No such line was rejected\n");
}

#[test]
fn a_line_is_shown_with_what_to_do() {
    let stage = Stage::new();
    insta::assert_snapshot!("a_line", stage.rejected(&["show", "e/0/1/1", "--rejected", "x"]));
}

#[test]
fn what_is_repaired_counts_once_however_often_it_is_replayed() {
    let stage = Stage::new();
    assert_eq!(stage.run(), BTreeMap::from([("B000000001".to_owned(), 0)]));
    stage.write("r", &[badge("B000000001"), badge("B000000002")].join("\n"));
    let all = ["replay", "--rejected", "x", "--to", "e", "--all"];
    let before = stage.read("e");
    insta::assert_snapshot!("a_plan", stage.rejected(&all));
    assert_eq!(stage.read("e"), before, "nothing was done");
    // Minute 0 has ten attempts of its own, minute 1 none: there only what counts twice would be judged.
    let listed = stage.rejected(&["list", "--rejected", "x", "--format", "json", "--reason", "unknown_region"]);
    let repaired = listed.replace(r#"\"XX\""#, r#"\"NA\""#);
    assert_ne!(repaired, listed);
    stage.write("repaired", &repaired);
    let replay = ["replay", "--rejected", "x", "--to", "e", "--from", "repaired", "--apply"];
    let told = stage.rejected(&replay);
    assert!(told.starts_with("2 lines replayed to e\n  e/0/3/1  product:B000000001\n"), "{told}");
    stage.rejected(&replay);
    stage.rejected(&[&all[..], &["--apply"]].concat());
    let expected = BTreeMap::from([("B000000001".to_owned(), 60_000), ("B000000002".to_owned(), 0)]);
    assert_eq!(stage.run(), expected);
    assert_eq!(stage.evaluate(), expected);
}

#[test]
fn what_can_not_be_replayed_ends_with_2_and_says_what_to_do() {
    let stage = Stage::new();
    let good = event("B000000001", "NA", 3);
    let check = |repaired: &str, arguments: &[&str], expected: &str| {
        stage.write("repaired", repaired);
        let (code, stdout, stderr) = stage.badgewatch(&[&["rejected"], arguments].concat());
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        assert!(stderr.contains(expected), "{expected:?} is not in: {stderr}");
    };
    let from = |id: &str| format!(r#"{{"id":"{id}","event":{good}}}"#);
    let replay = ["replay", "--rejected", "x", "--to", "e"];
    let with = |rest: &[&'static str]| [&replay[..], rest].concat();
    check("", &with(&[]), "say which lines");
    check("", &with(&["e/0/0/1"]), "e/0/0/1 isn't among the rejected lines");
    check("", &with(&["nonsense"]), "expected LOG/PARTITION/OFFSET/LINE");
    check(&from("e/0/7/1"), &with(&["--from", "repaired"]), "e/0/7/1 isn't among the rejected lines");
    check(
        &[from("e/0/3/1"), from("e/0/3/1")].join("\n"),
        &with(&["--from", "repaired"]),
        "repaired: line 2: e/0/3/1 is there twice",
    );
    check("{}", &with(&["--from", "repaired"]), "repaired: line 1");
    check("", &["replay", "--rejected", "x", "--all"], "--to");
    check("", &["list"], "--rejected");
    check("", &["list", "--rejected", "e"], "e: record 1 is no rejected line");
    check("", &["list", "--rejected", "x", "--since", "0"], "a file doesn't say when");
    check("", &["list", "--rejected", "x", "--reason", "bad"], "expected one of invalid_json");
    check("", &["show", "e/0/0/1", "--rejected", "x"], "e/0/0/1 isn't among the rejected lines");
}
