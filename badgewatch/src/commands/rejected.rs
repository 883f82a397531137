//! `rejected`: which lines don't count and why, and replaying them.

use std::collections::BTreeMap;

use anyhow::anyhow;
use domain::Timestamp;
use wire::rejected::listed;

use super::print;
use crate::cli::{Format, ListRejected, RejectedCommand, ShowRejected};
use crate::failure::Failure;
use crate::table::table;
use read::{Entry, Place, check_filters, passes};

mod hints;
mod read;
mod replay;

/// What stands for what isn't known.
const NOTHING: &str = "-";

pub(super) fn run(command: &RejectedCommand) -> Result<(), Failure> {
    match command {
        RejectedCommand::List(options) => list(options),
        RejectedCommand::Show(options) => show(options),
        RejectedCommand::Replay(options) => replay::run(options),
    }
}

fn list(options: &ListRejected) -> Result<(), Failure> {
    let place = Place::of(&options.from)?;
    check_filters(&options.filters, &place)?;
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut entries = read::read(&place, &mut |entry| {
        let is_wanted = passes(&options.filters, entry);
        if is_wanted {
            let reason = entry.reason().map_or_else(|| "of a later version".to_owned(), |reason| reason.to_string());
            *counts.entry(reason).or_default() += 1;
        }
        is_wanted && !options.summary
    })?;
    if options.summary {
        return summary(options.format, &counts);
    }
    let more = entries.len().saturating_sub(options.limit);
    entries.truncate(options.limit);
    match options.format {
        Format::Json => print(&entries.iter().flat_map(line).collect::<Vec<u8>>())?,
        Format::Table => print(lines(&entries).as_bytes())?,
    }
    if more > 0 {
        eprintln!("and {more} more, rejected before: --limit {} shows them", entries.len() + more);
    }
    Ok(())
}

fn summary(format: Format, counts: &BTreeMap<String, u64>) -> Result<(), Failure> {
    if format == Format::Json {
        return print(&listed::write_counts(counts));
    }
    let mut told = table(&["reason", "lines"]);
    for (reason, lines) in counts {
        told.add_row([reason.as_str(), &lines.to_string()]);
    }
    print(format!("{told}\n").as_bytes())
}

fn line(entry: &Entry) -> Vec<u8> {
    let mut line = listed::write(&entry.view, entry.appended_at);
    line.push(b'\n');
    line
}

fn lines(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "No such line was rejected\n".to_owned();
    }
    let mut told = table(&["id", "rejected at", "subject", "reason", "detail"]);
    for entry in entries {
        told.add_row([
            entry.id().to_string(),
            instant(entry.appended_at),
            entry.view.subject().unwrap_or_else(|| NOTHING.to_owned()),
            entry.view.reason.clone(),
            entry.view.detail.clone(),
        ]);
    }
    format!("{told}\n")
}

fn show(options: &ShowRejected) -> Result<(), Failure> {
    let place = Place::of(&options.from)?;
    let id = place.named(options.id.clone());
    let found = read::read(&place, &mut |entry| *entry.id() == id)?;
    let entry = found.first().ok_or_else(|| {
        Failure::Usage(anyhow!("{id} isn't among the rejected lines: `badgewatch rejected list` names those that are"))
    })?;
    print(story(entry).as_bytes())
}

/// A line with everything that is known of it.
fn story(entry: &Entry) -> String {
    let view = &entry.view;
    let (kind, payload) = match (&view.payload, &view.payload_hex) {
        (Some(text), _) => ("", text.as_str()),
        (None, Some(hex)) => (" in hexadecimal digits, as it isn't UTF-8", hex.as_str()),
        (None, None) => (" that weren't kept", ""),
    };
    let cut = if view.truncated { ", of which the beginning was kept" } else { "" };
    let subject = view.subject();
    [
        format!("{}\n", entry.id()),
        format!("rejected at  {}\n", instant(entry.appended_at)),
        format!("subject      {}\n", subject.as_deref().unwrap_or(NOTHING)),
        format!("reason       {}\n", view.reason),
        format!("detail       {}\n", view.detail),
        format!("what to do   {}\n", hint(entry)),
        format!("{} bytes{kind}{cut}:\n{payload}\n", view.payload_bytes),
    ]
    .concat()
}

fn hint(entry: &Entry) -> &'static str {
    match entry.reason() {
        Some(reason) if entry.is_fact() => hints::of_fact(reason),
        Some(reason) => hints::of_event(reason),
        None => "A later version of badgewatch rejected it: use that version's `badgewatch rejected show`.",
    }
}

fn instant(at: Option<Timestamp>) -> String {
    at.map_or_else(|| NOTHING.to_owned(), |at| at.to_string())
}
