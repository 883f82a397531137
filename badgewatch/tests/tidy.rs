//! The rules of the house that no compiler knows: see CONTRIBUTING.md.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// Longest Rust file, in lines.
const FILE_LINES_MAX: usize = 500;
/// Crates that read no clock, file or environment.
const PURE: [&str; 4] = ["alerting", "compute", "domain", "registry"];
/// What must not be left behind. Split, so that this file doesn't hold it.
const LEFTOVERS: [&str; 6] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every file of the workspace's crates with one of these endings, with its content.
fn files(endings: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut directories = vec![root().to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                // Neither build output nor what git and editors keep.
                if name != "target" && !name.starts_with('.') {
                    directories.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let content = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), content));
            }
        }
    }
    found
}

fn check(problem_of: impl Fn(&Path, &str) -> Option<String>) {
    let files = files(&[".rs"]);
    assert!(files.len() > 50, "the walk finds the sources");
    let problems: Vec<_> = files
        .iter()
        .filter_map(|(path, content)| problem_of(path, content).map(|problem| format!("{}: {problem}", path.display())))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn modules_are_named_after_their_folder() {
    check(|path, _| path.ends_with("mod.rs").then(|| "a mod.rs; name the file after the folder".to_owned()));
}

#[test]
fn files_are_short_enough_to_read() {
    check(|_, content| {
        let lines = content.lines().count();
        (lines > FILE_LINES_MAX).then(|| format!("{lines} lines; at most {FILE_LINES_MAX}"))
    });
}

#[test]
fn nothing_is_left_undone() {
    check(|_, content| {
        LEFTOVERS.iter().find(|leftover| content.contains(*leftover)).map(|leftover| format!("holds `{leftover}`"))
    });
}

#[test]
fn files_say_what_they_are_for() {
    // What a module of tests is for is said by the module that it tests.
    check(|path, content| {
        let silent = !path.ends_with("tests.rs") && !content.starts_with("//!");
        silent.then(|| "begins without a `//!` comment".to_owned())
    });
}

#[test]
fn snapshots_are_reviewed() {
    let pending = files(&[".snap.new"]);
    assert!(pending.is_empty(), "{:?}", pending.iter().map(|(path, _)| path).collect::<Vec<_>>());
}

#[test]
fn pure_crates_ban_the_same_things() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let first = read(&format!("{}/clippy.toml", PURE[0]));
    assert!(first.contains("std::time::SystemTime::now"));
    for name in PURE {
        assert!(read(&format!("{name}/clippy.toml")) == first, "{name}/clippy.toml differs from {}'s", PURE[0]);
    }
    // A crate's file hides the workspace's, so it repeats it.
    for line in read("clippy.toml").lines().filter(|line| !line.starts_with('#')) {
        assert!(first.lines().any(|own| own == line), "the pure crates' clippy.toml lacks `{line}`");
    }
}
