//! What became of lines, told to people and to tools.

use domain::fact::Fact;
use domain::programme::{EntityId, Entry, Unmet};
use wire::applied::{self, AppliedView, ChangeView};
use wire::programme_view::UnmetView;

use super::NOTHING;
use super::apply::Judged;
use super::fields::{self, Fields};
use super::known::{Became, Known};
use crate::table::table;

/// Lines and things that are told one by one; the rest is counted.
const SHOWN_MAX: usize = 50;

/// One object a line: first the lines, then what a dry run would change.
pub(super) fn json(judged: &[Judged], changes: &[ChangeView]) -> Vec<u8> {
    let lines = judged.iter().map(|line| applied::write(&view(line)));
    let mut out = Vec::new();
    for line in lines.chain(changes.iter().map(applied::write_change)) {
        out.extend(line);
        out.push(b'\n');
    }
    out
}

/// Tables and what is in the way; `place` is where it was applied, and whether nothing was.
pub(super) fn text(judged: &[Judged], changes: &[ChangeView], after: &Known, (place, is_dry): (&str, bool)) -> String {
    if judged.is_empty() {
        return "No line was given\n".to_owned();
    }
    let mut out = outcomes(judged, after, is_dry);
    let refused = judged.iter().filter_map(|line| match &line.became {
        Became::Refused(unmet) => Some((line, unmet.as_slice())),
        Became::Accepted { .. } => None,
    });
    let refused: Vec<_> = refused.collect();
    for (line, unmet) in refused.iter().take(SHOWN_MAX) {
        out.push_str(&why(line, unmet, is_dry));
    }
    out.push_str(&more(refused.len(), "refused"));
    if is_dry {
        out.push_str(&follows(judged));
        out.push_str(&changed(changes));
    }
    let count = |wanted: &dyn Fn(&Judged) -> bool| judged.iter().filter(|line| wanted(line)).count();
    let were_known = count(&|line| line.was_known && matches!(line.became, Became::Accepted { .. }));
    let accepted = judged.len() - refused.len() - were_known;
    let mut summary = vec![format!("{accepted} accepted")];
    if !refused.is_empty() {
        summary.push(format!("{} refused", refused.len()));
    }
    if were_known > 0 {
        summary.push(format!("{were_known} there already"));
    }
    let end = match (is_dry, accepted) {
        (true, _) => format!("nothing was appended to {place}: that is done without --dry-run"),
        (false, 0) => format!("nothing was appended to {place}"),
        (false, _) => format!("appended to {place}"),
    };
    out.push_str(&format!("{}; {end}\n", summary.join(", ")));
    out
}

/// So many lines.
pub(super) fn lines(count: usize) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

fn outcomes(judged: &[Judged], after: &Known, is_dry: bool) -> String {
    let mut told = table(&["line", "type", "about", "outcome"]);
    for line in judged.iter().take(SHOWN_MAX) {
        let kind = line.entry.as_ref().map_or(NOTHING, kind);
        let about = line.entry.as_ref().and_then(about).map_or_else(|| NOTHING.to_owned(), |id| id.to_string());
        told.add_row([line.number.to_string(), kind.to_owned(), about, outcome(line, after, is_dry)]);
    }
    format!("{told}\n{}", more(judged.len(), "lines"))
}

fn outcome(line: &Judged, after: &Known, is_dry: bool) -> String {
    let (would, known) = (if is_dry { "would be " } else { "" }, if line.was_known { "there already" } else { "accepted" });
    match &line.became {
        Became::Refused(_) if line.was_known => "refused, as before".to_owned(),
        Became::Refused(_) => format!("{would}refused"),
        Became::Accepted { .. } if line.was_known => format!("{known}{}", left(line, after)),
        Became::Accepted { .. } => format!("{would}{known}{}", left(line, after)),
    }
}

/// Where a command left what it is about.
fn left(line: &Judged, after: &Known) -> String {
    let Became::Accepted { revision: Some(revision), .. } = line.became else { return String::new() };
    let entity = line.entry.as_ref().and_then(about).and_then(|id| after.book().entity(&id));
    let place = usize::try_from(revision).ok().and_then(|revision| revision.checked_sub(1));
    let status = entity.as_ref().zip(place).and_then(|(entity, place)| entity.trail().steps.get(place)).map(|step| step.status);
    format!(": {}, revision {revision}", status.unwrap_or(NOTHING))
}

fn why(line: &Judged, unmet: &[Unmet], is_dry: bool) -> String {
    let about = line.entry.as_ref().and_then(about).map_or_else(String::new, |id| format!(" of {id}"));
    let kind = line.entry.as_ref().map_or_else(String::new, |entry| format!(", {}{about}", kind(entry)));
    let command = match &line.entry {
        Some(Entry::Command(command)) => format!(", command {}", command.id),
        _ => String::new(),
    };
    let end = match (line.was_known, is_dry) {
        (true, _) => "refused before, which stays so: to try again, give it an id of its own",
        (false, true) => "would be refused",
        (false, false) => "refused",
    };
    let mut out = format!("Line {}{kind}{command}: {end}\n", line.number);
    for Unmet { requirement, detail, remedy } in unmet {
        out.push_str(&format!("  {requirement}: {detail}\n    {remedy}\n"));
    }
    out
}

/// Facts that commands would become.
fn follows(judged: &[Judged]) -> String {
    let facts =
        judged.iter().filter(|line| matches!(line.entry, Some(Entry::Command(_)))).filter_map(|line| match &line.became {
            Became::Accepted { follows: Some(fact), .. } => Some(format!("  line {}: {}\n", line.number, written(fact))),
            Became::Accepted { follows: None, .. } | Became::Refused(_) => None,
        });
    let facts: Vec<String> = facts.collect();
    if facts.is_empty() {
        return String::new();
    }
    let shown = facts.iter().take(SHOWN_MAX).map(String::as_str).collect::<String>();
    format!("Facts that would follow\n{shown}{}", more(facts.len(), "facts"))
}

fn changed(changes: &[ChangeView]) -> String {
    if changes.is_empty() {
        return "Nothing would change\n".to_owned();
    }
    let shown = changes.iter().take(SHOWN_MAX).map(change).collect::<String>();
    format!("What would change\n{shown}{}", more(changes.len(), "things"))
}

fn change(change: &ChangeView) -> String {
    let ChangeView { before, after } = change;
    let mut out = match before {
        None => format!("  {}: new, {}\n", after.entity, after.status_title),
        Some(before) if before.status == after.status => format!("  {}: {}\n", after.entity, after.status_title),
        Some(before) => format!("  {}: {} -> {}\n", after.entity, before.status_title, after.status_title),
    };
    let mut earlier = before.as_ref().map(Fields::of).unwrap_or_default().0;
    for (name, now) in Fields::of(after).0 {
        let place = earlier.iter().position(|(other, _)| *other == name);
        match place.map(|place| earlier.remove(place).1) {
            None => out.push_str(&format!("    {name}: {now}\n")),
            Some(was) if was != now => out.push_str(&format!("    {name}: {was} -> {now}\n")),
            Some(_) => {}
        }
    }
    for (name, was) in earlier {
        out.push_str(&format!("    {name}: {was} -> {NOTHING}\n"));
    }
    let none: &[UnmetView] = &[];
    let (what, now) = fields::unmet(after);
    let was = before.as_ref().map_or(none, |before| fields::unmet(before).1);
    for unmet in now.iter().filter(|unmet| !was.contains(unmet)) {
        out.push_str(&format!("    {what}: {}: {}\n", unmet.requirement, unmet.detail));
    }
    for unmet in was.iter().filter(|unmet| !now.contains(unmet)) {
        out.push_str(&format!("    no longer {what}: {}\n", unmet.requirement));
    }
    out
}

fn view(line: &Judged) -> AppliedView {
    let (revision, unmet, follows) = match &line.became {
        Became::Accepted { revision, follows } => (*revision, Vec::new(), follows.as_ref()),
        Became::Refused(unmet) => (None, unmet.iter().map(UnmetView::from).collect(), None),
    };
    let entry = line.entry.as_ref();
    let command = entry.and_then(|entry| match entry {
        Entry::Command(command) => Some(command.id.to_string()),
        Entry::Fact(_) | Entry::Issued(_) => None,
    });
    AppliedView {
        line: line.number,
        r#type: entry.map(|entry| kind(entry).to_owned()),
        follows: follows.filter(|_| command.is_some()).map(written),
        command,
        entity: entry.and_then(about).map(|id| id.to_string()),
        accepted: matches!(line.became, Became::Accepted { .. }),
        known: line.was_known,
        revision,
        unmet,
    }
}

fn written(fact: &Fact) -> String {
    let mut line = Vec::new();
    wire::fact::write(fact, &mut line);
    String::from_utf8_lossy(&line).into_owned()
}

fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::Command(command) => command.action.as_str(),
        Entry::Issued(_) => "issued",
        Entry::Fact(Fact::Manufacturer(_)) => "manufacturer",
        Entry::Fact(Fact::Badge(_) | Fact::BadgeChange(_)) => "badge",
        Entry::Fact(Fact::Withdrawal(_)) => "badge_withdrawn",
        Entry::Fact(Fact::Exclusion(_)) => "exclusion",
        Entry::Fact(Fact::ExclusionRevoked(_)) => "exclusion_revoked",
        Entry::Fact(Fact::Listing(_)) => "listing",
        Entry::Fact(Fact::SkillListing(_)) => "skill_listing",
        Entry::Fact(Fact::Ruling(ruling)) => ruling.verdict.as_str(),
        Entry::Fact(Fact::Acknowledgement(_)) => "acknowledgement",
        Entry::Fact(Fact::KillSwitch(_)) => "kill_switch",
    }
}

fn about(entry: &Entry) -> Option<EntityId> {
    Some(match entry {
        Entry::Command(command) => command.action.entity(),
        Entry::Issued(_) | Entry::Fact(Fact::SkillListing(_)) => return None,
        Entry::Fact(Fact::Manufacturer(fact)) => EntityId::Manufacturer(fact.id.clone()),
        Entry::Fact(Fact::Badge(fact)) => EntityId::Badge(fact.asin.clone()),
        Entry::Fact(Fact::BadgeChange(fact)) => EntityId::Badge(fact.asin.clone()),
        Entry::Fact(Fact::Withdrawal(fact)) => EntityId::Badge(fact.asin.clone()),
        Entry::Fact(Fact::Listing(fact)) => EntityId::Badge(fact.asin.clone()),
        Entry::Fact(Fact::Exclusion(fact)) => EntityId::Exclusion(fact.id.clone()),
        Entry::Fact(Fact::ExclusionRevoked(fact)) => EntityId::Exclusion(fact.id.clone()),
        Entry::Fact(Fact::Ruling(fact)) => EntityId::Proposal(fact.proposal),
        Entry::Fact(Fact::Acknowledgement(fact)) => EntityId::Outage(fact.outage),
        Entry::Fact(Fact::KillSwitch(_)) => EntityId::KillSwitch,
    })
}

fn more(count: usize, what: &str) -> String {
    if count > SHOWN_MAX { format!("and {} more {what}: --format json tells all\n", count - SHOWN_MAX) } else { String::new() }
}
