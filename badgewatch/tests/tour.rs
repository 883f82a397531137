//! The tour in docs/tour.md runs as it stands there, and prints what it says.
//!
//! Fenced blocks in order: one with a file's name is written to that file, `sh` is run, and a `text` right after
//! it is what was printed. `BADGEWATCH_UPDATE=1` writes what is printed into the page instead.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A fenced block: its language, its file's name if it has one, its text, and where that stands in the page.
struct Block {
    language: String,
    file: Option<String>,
    lines: std::ops::Range<usize>,
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tour.md")
}

fn blocks(lines: &[&str]) -> Vec<Block> {
    let (mut out, mut open) = (Vec::new(), None::<(String, usize)>);
    for (number, line) in lines.iter().enumerate() {
        let Some(fence) = line.strip_prefix("```") else { continue };
        match open.take() {
            None => open = Some((fence.to_owned(), number + 1)),
            Some((info, from)) => {
                assert_eq!(fence, "", "a fence closes, line {}", number + 1);
                let (language, file) = info.split_once(' ').unwrap_or((&info, ""));
                let file = (!file.is_empty()).then(|| file.to_owned());
                out.push(Block { language: language.to_owned(), file, lines: from..number });
            }
        }
    }
    assert!(open.is_none(), "every fence is closed");
    out
}

fn run(folder: &Path, script: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_badgewatch"));
    let found = binary.parent().expect("a folder").as_os_str().to_owned();
    let path: OsString = [found, std::env::var_os("PATH").unwrap_or_default()].join(std::ffi::OsStr::new(":"));
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]).current_dir(folder).env("PATH", path);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BADGEWATCH_")) {
        command.env_remove(name);
    }
    let output = command.output().expect("bash");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}\n{out}\n{err}");
    out.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tour_runs_as_it_is_told() {
    let text = std::fs::read_to_string(page()).expect("docs/tour.md");
    let lines: Vec<&str> = text.lines().collect();
    let folder = tempfile::tempdir().expect("a folder");
    let (mut printed, mut told, mut runs) = (None::<String>, Vec::new(), 0);
    for block in blocks(&lines) {
        let content = lines[block.lines.clone()].join("\n");
        match (block.language.as_str(), &block.file) {
            (_, Some(file)) => std::fs::write(folder.path().join(file), format!("{content}\n")).expect("a file"),
            ("sh", None) => {
                printed = Some(run(folder.path(), &content));
                runs += 1;
            }
            ("text", None) => told.push((block.lines, printed.take().expect("a text follows what printed it"))),
            (other, None) => panic!("a block of {other} has no meaning here"),
        }
    }
    assert!(runs >= 6 && told.len() >= 6, "{runs} runs, {} texts", told.len());
    if std::env::var_os("BADGEWATCH_UPDATE").is_some() {
        let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
        for (place, printed) in told.into_iter().rev() {
            lines.splice(place, printed.lines().map(str::to_owned));
        }
        std::fs::write(page(), lines.join("\n") + "\n").expect("docs/tour.md");
        return;
    }
    for (place, printed) in told {
        assert_eq!(lines[place.clone()].join("\n"), printed, "docs/tour.md, line {}", place.start);
    }
}
