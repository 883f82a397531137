//! The crates depend on each other as the codemap in ARCHITECTURE.md says, and in no other way.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Crates by name, with the crates of ours that each may use or uses.
type Arrows = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The table below the heading `## Codemap`: `| Crate | Its one job | May use |`.
fn allowed(architecture: &str) -> Arrows {
    let section = architecture.split("\n## Codemap\n").nth(1).expect("ARCHITECTURE.md has a section `## Codemap`");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.trim().strip_prefix('|')?.strip_suffix('|'));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split('|').map(str::trim).collect()).collect();
    assert_eq!(rows.first().map(Vec::as_slice), Some(["Crate", "Its one job", "May use"].as_slice()), "the codemap's table");
    let crates: BTreeSet<String> =
        rows[2..].iter().map(|row| named(row[0]).next().expect("a crate in backticks").to_owned()).collect();
    let all = |name: &str| crates.iter().filter(|other| *other != name).cloned().collect();
    let uses = |row: &Vec<&str>| {
        let name = named(row[0]).next().unwrap().to_owned();
        let may_use = match row[2] {
            "all" => all(&name),
            "—" => BTreeSet::new(),
            list => named(list).map(str::to_owned).collect(),
        };
        assert!(row[2] == "—" || !may_use.is_empty(), "{name} may use `{}`: expected crates in backticks, `all` or `—`", row[2]);
        (name, may_use)
    };
    rows[2..].iter().map(uses).collect()
}

/// What stands in backticks.
fn named(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn actual() -> Arrows {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let uses = |package: &cargo_metadata::Package| {
        let shipped = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        shipped.map(|dependency| dependency.name.clone()).filter(|name| ours.contains(name.as_str())).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), uses(package))).collect()
}

/// Every way in which the crates are not as the table says.
fn strays(allowed: &Arrows, actual: &Arrows) -> Vec<String> {
    let unlisted = actual.keys().filter(|name| !allowed.contains_key(*name)).map(|name| format!("{name} is not in the codemap"));
    let missing = allowed.keys().filter(|name| !actual.contains_key(*name)).map(|name| format!("{name} does not exist"));
    let arrows = actual.iter().filter_map(|(name, uses)| Some((name, uses, allowed.get(name)?)));
    let forbidden =
        arrows.flat_map(|(name, uses, may)| uses.difference(may).map(move |other| format!("{name} must not use {other}")));
    unlisted.chain(missing).chain(forbidden).collect()
}

#[test]
fn crates_depend_on_each_other_as_the_codemap_says() {
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let actual = actual();
    assert!(actual["badgewatch"].contains("pipeline"), "arrows are seen at all: {actual:?}");
    assert_eq!(strays(&allowed(&architecture), &actual), Vec::<String>::new());
}

#[test]
fn strays_are_found() {
    let table = "# A\n\n## Codemap\n\n| Crate | Its one job | May use |\n|---|---|---|\n| `domain` | words | — |\n| `compute` | **pure** | `domain` |\n\
                 | `gone` | none | `domain`, `compute` |\n| `badgewatch` | the binary | all |\n\n## Next\n\n| `x` | y | z |\n";
    let allowed = allowed(table);
    let arrows = |pairs: &[(&str, &[&str])]| -> Arrows {
        pairs.iter().map(|(name, uses)| ((*name).to_owned(), uses.iter().map(|used| (*used).to_owned()).collect())).collect()
    };
    let expected = [("badgewatch", ["compute", "domain", "gone"].as_slice()), ("compute", &["domain"]), ("domain", &[])];
    assert_eq!(allowed, arrows(&[expected.as_slice(), &[("gone", &["compute", "domain"])]].concat()));
    let actual = arrows(&[("badgewatch", &["compute"]), ("compute", &[]), ("domain", &["compute"]), ("new", &["domain"])]);
    let found = strays(&allowed, &actual);
    assert_eq!(found, ["new is not in the codemap", "gone does not exist", "domain must not use compute"]);
}
