//! Applying lines: each is judged on a copy of what is there, so that later ones see earlier ones; what nothing is in
//! the way of is appended, and what became of it is read back from the log, as somebody else may have been first.

use std::collections::{BTreeSet, HashSet, VecDeque};

use anyhow::anyhow;
use domain::Timestamp;
use domain::programme::{Command, Entry, Unmet};
use indicatif::ProgressBar;
use wire::LineError;
use wire::applied::ChangeView;
use wire::programme_view::EntityView;

use super::input::{Line, Lines};
use super::known::{Became, Known};
use super::place::{Access, Place};
use super::{now, told};
use crate::cli::{Applying, Format};
use crate::commands::fleet::progress_bar;
use crate::commands::{policy, print};
use crate::failure::Failure;

/// From so many lines on a progress bar is shown.
const BAR_LINES_MIN: usize = 1_000;

/// A line and what became of it.
pub(super) struct Judged {
    /// Its number in what was given.
    pub(super) number: u64,
    /// What it says; none where it can't be read.
    pub(super) entry: Option<Entry>,
    /// What became of it, or would.
    pub(super) became: Became,
    /// Whether the registry had it already: it isn't appended again.
    pub(super) was_known: bool,
}

/// Judges lines, appends them unless that is a dry run, and tells what became of them. Fails if one was refused.
pub(super) fn run(lines: Lines, to: &Applying, format: Format) -> Result<(), Failure> {
    let window = policy(&to.place.policy)?.longest_window();
    let mut place = Place::open(&to.place, if to.dry_run { Access::Try } else { Access::Change })?;
    let mut known = Known::new(window, place.has_times());
    let mut facts = Facts::of(&lines);
    place.read(&mut known, &mut |entry, _| facts.note(entry))?;
    let bar = |what| {
        if lines.are_many && lines.lines.len() >= BAR_LINES_MIN {
            progress_bar(lines.lines.len() as u64, what)
        } else {
            ProgressBar::hidden()
        }
    };
    let (judging, appending) = (bar("judging"), bar("appending"));
    let mut copy = known.clone();
    let mut judged = Vec::with_capacity(lines.lines.len());
    for (number, line) in lines.lines {
        judged.push(judge((number, line), lines.default_at, &mut copy, &mut facts));
        judging.inc(1);
    }
    judging.finish_and_clear();
    let changes = if to.dry_run { changes(&known, &copy) } else { Vec::new() };
    if !to.dry_run {
        append(&mut place, &mut known, &mut judged, &appending)?;
        appending.finish_and_clear();
    }
    let after = if to.dry_run { &copy } else { &known };
    match format {
        Format::Json => print(&told::json(&judged, &changes))?,
        Format::Table => print(told::text(&judged, &changes, after, (&place.name(), to.dry_run)).as_bytes())?,
    }
    let refused = judged.iter().filter(|line| matches!(line.became, Became::Refused(_))).count();
    if refused == 0 {
        return Ok(());
    }
    let were = if to.dry_run {
        "would be"
    } else if refused == 1 {
        "was"
    } else {
        "were"
    };
    Err(Failure::Failed(anyhow!("{refused} of {} {were} refused", told::lines(judged.len()))))
}

fn judge((number, line): Line, default_at: Option<Timestamp>, copy: &mut Known, facts: &mut Facts) -> Judged {
    let new = |entry, became| Judged { number, entry, became, was_known: false };
    let entry = match line {
        Err(error) => return new(None, Became::Refused(vec![unreadable(error)])),
        Ok(Entry::Issued(note)) => return new(Some(Entry::Issued(note)), Became::Refused(vec![not_to_be_given()])),
        Ok(Entry::Command(command)) => Entry::Command(Box::new(as_before(*command, default_at, copy))),
        Ok(fact) => fact,
    };
    let before = match &entry {
        Entry::Command(command) => copy.before(command),
        _ if facts.are_there(&entry) => Some(Became::Accepted { revision: None, follows: None }),
        _ => None,
    };
    if let Some(became) = before {
        return Judged { number, entry: Some(entry), became, was_known: true };
    }
    let became = copy.try_next(&entry, now());
    if matches!(became, Became::Accepted { .. }) {
        facts.note(&entry);
    }
    new(Some(entry), became)
}

/// A command that was imported before, when it was another now, is meant to be that one.
fn as_before(command: Command, default_at: Option<Timestamp>, known: &Known) -> Command {
    let earlier = known.book().command(&command.id).filter(|_| default_at == Some(command.at));
    let dated = earlier.map(|earlier| Command { at: earlier.at, ..command.clone() });
    dated.filter(|dated| Some(dated) == earlier).unwrap_or(command)
}

/// Appends what is new and accepted, and reads on until all of it came back.
fn append(place: &mut Place, known: &mut Known, judged: &mut [Judged], bar: &ProgressBar) -> Result<(), Failure> {
    let mut awaited = VecDeque::new();
    let mut lines = Vec::new();
    for (index, line) in judged.iter().enumerate() {
        if let (Some(entry), Became::Accepted { .. }, false) = (&line.entry, &line.became, line.was_known) {
            lines.push(written(entry));
            awaited.push_back(index);
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    place.append(&lines, &|appended| bar.inc(appended))?;
    place.read(known, &mut |entry, became| {
        let next = awaited.front().and_then(|&index| judged.get_mut(index));
        // Others' lines may come between, but ours come in their order.
        if let Some(line) = next.filter(|line| line.entry.as_ref() == Some(entry)) {
            line.became = became.clone();
            awaited.pop_front();
        }
    })?;
    if awaited.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(anyhow!(
        "{} didn't come back from {}, though they were appended: the same command once more says what became of them",
        told::lines(awaited.len()),
        place.name()
    )))
}

/// What is another afterwards, or new.
fn changes(before: &Known, after: &Known) -> Vec<ChangeView> {
    let at = now().max(after.book().now());
    let view = |entity| EntityView::of(&entity, at);
    let changed = after.book().ids().filter_map(|id| {
        let (earlier, later) = (before.book().entity(&id), after.book().entity(&id)?);
        (earlier.as_ref() != Some(&later)).then(|| ChangeView { before: earlier.map(view), after: view(later) })
    });
    changed.collect()
}

/// Facts among what is given that the registry has already: once more they would say nothing.
struct Facts {
    given: HashSet<Vec<u8>>,
    there: BTreeSet<Vec<u8>>,
}

impl Facts {
    fn of(lines: &Lines) -> Self {
        let entries = lines.lines.iter().filter_map(|(_, line)| line.as_ref().ok());
        let given = entries.filter(|entry| matches!(entry, Entry::Fact(_))).map(written).collect();
        Self { given, there: BTreeSet::new() }
    }

    fn note(&mut self, entry: &Entry) {
        if !self.given.is_empty() && matches!(entry, Entry::Fact(_)) {
            let line = written(entry);
            if self.given.contains(&line) {
                self.there.insert(line);
            }
        }
    }

    fn are_there(&self, entry: &Entry) -> bool {
        !self.there.is_empty() && self.there.contains(&written(entry))
    }
}

fn written(entry: &Entry) -> Vec<u8> {
    let mut line = Vec::new();
    wire::entry::write(entry, &mut line);
    line
}

fn unreadable(LineError { reason, detail }: LineError) -> Unmet {
    Unmet { requirement: reason.to_string(), detail, remedy: "repair the line, and give it again".to_owned() }
}

fn not_to_be_given() -> Unmet {
    let detail = "it says what was decided, which badgewatch alone does".to_owned();
    Unmet { requirement: "type".to_owned(), detail, remedy: "leave it out".to_owned() }
}
