//! `rehearse`: what a run would have issued over lines that are there already, and when.

use std::path::Path;

use anyhow::Context;
use domain::{Decision, Timestamp};
use pipeline::rehearsal::{Line, Rehearsal};
use ports::read_to_end;
use wire::DecisionView;
use wire::view::{ManufacturerView, ProductView};

use super::{is_standard, open_lines, policy, print};
use crate::cli::{Format, Rehearse};
use crate::failure::Failure;
use crate::table;

pub(super) fn run(options: &Rehearse) -> Result<(), Failure> {
    if is_standard(&options.registry) && is_standard(&options.events) {
        return Err(Failure::Usage(anyhow::anyhow!("--registry and --events can't both be stdin: give one of them as a file")));
    }
    let registry = lines(&options.registry, Line::registry)?;
    let events = lines(&options.events, Line::event)?;
    let start = registry.iter().chain(&events).filter_map(|line| line.at).min().unwrap_or(options.until);
    let mut rehearsal = Rehearsal::open(policy(&options.policy)?, start.min(options.until)).map_err(Failure::failed)?;
    let mut issued = Vec::new();
    rehearsal
        .run(&registry, &events, options.until, &mut |at, decision| issued.push((at, decision.clone())))
        .map_err(Failure::failed)?;
    match options.format {
        Format::Json => print(&json(&issued))?,
        Format::Table => print(told(&rehearsal, &issued, options.until).as_bytes())?,
    }
    options.registry_out.as_deref().map_or(Ok(()), |path| keep(path, &rehearsal).map_err(Failure::Failed))
}

fn lines(path: &Path, parse: impl Fn(&[u8]) -> Line) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    read_to_end(&mut open_lines(path)?, &mut || true, &mut |record| {
        if !record.payload.trim_ascii().is_empty() {
            lines.push(parse(record.payload));
        }
    })
    .map_err(Failure::usage)?;
    Ok(lines)
}

fn json(issued: &[(Timestamp, Decision)]) -> Vec<u8> {
    let line = |(_, decision): &(Timestamp, Decision)| [wire::decision::write(decision).as_slice(), b"\n"].concat();
    issued.iter().flat_map(line).collect()
}

fn told(rehearsal: &Rehearsal, issued: &[(Timestamp, Decision)], until: Timestamp) -> String {
    let mut story = table::table(&["issued", "dated", "who", "scope", "decision", "why"]);
    for (at, decision) in issued {
        let view = DecisionView::from(decision);
        story.add_row([
            at.to_string(),
            view.at.clone(),
            view.asin.clone().unwrap_or_else(|| view.manufacturer.clone()),
            view.scope.clone(),
            view.kind.replace('_', " "),
            table::why(&view),
        ]);
    }
    let node = rehearsal.node();
    let products = node.partitions().iter().flat_map(pipeline::Partition::standings);
    let mut products: Vec<ProductView> = products.map(ProductView::from).collect();
    products.sort_by(|a, b| (&a.asin, &a.scope).cmp(&(&b.asin, &b.scope)));
    let manufacturers = node.programme().map(pipeline::Programme::standings).unwrap_or_default();
    let manufacturers: Vec<ManufacturerView> = manufacturers.iter().map(ManufacturerView::from).collect();
    let rejected = rehearsal.rejected();
    let mut out = format!(
        "What was issued\n{story}\n\nStandings at {until}\n{}\nManufacturers\n{}",
        table::products(&products),
        table::manufacturers(&manufacturers)
    );
    if !rejected.is_empty() {
        out += &format!("\nRejected lines: {}\n", rejected.len());
        for line in rejected.iter().filter_map(|record| wire::rejected::read(record).ok()) {
            out += &format!("  {} {}: {}\n", line.source, line.reason, line.detail);
        }
    }
    out
}

fn keep(path: &Path, rehearsal: &Rehearsal) -> anyhow::Result<()> {
    let lines = rehearsal.registry_lines();
    let text: Vec<u8> = lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
    if is_standard(path) {
        return print(&text).map_err(|_| anyhow::anyhow!("cannot write to stdout"));
    }
    // Beside it first: it may be the file that was read, and a full disk must not cost that.
    let beside = path.with_extension("rehearsed");
    std::fs::write(&beside, text).with_context(|| format!("cannot write {}", beside.display()))?;
    std::fs::rename(&beside, path).with_context(|| format!("cannot write {}", path.display()))
}
