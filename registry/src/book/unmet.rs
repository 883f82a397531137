//! What is in the way, in words: which requirement, what is wrong, what to do.

use std::fmt::Display;

use domain::fact::ListingStatus;
use domain::programme::{Command, EntityId, Step, Trail, Unmet};
use domain::time::Timestamp;
use domain::{Marketplace, Reason};

/// Any requirement.
pub(super) fn unmet(requirement: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Unmet {
    Unmet { requirement: requirement.into(), detail: detail.into(), remedy: remedy.into() }
}

/// One thing in the way.
pub(super) fn refused<T>(
    requirement: impl Into<String>,
    detail: impl Into<String>,
    remedy: impl Into<String>,
) -> Result<T, Vec<Unmet>> {
    Err(vec![unmet(requirement, detail, remedy)])
}

pub(super) fn id_taken(command: &Command) -> Unmet {
    let detail = format!("the id {} was used by a command with other content", command.id);
    unmet("command", detail, "give the command an id of its own")
}

pub(super) fn too_early(at: Timestamp, recorded: Timestamp) -> Unmet {
    let detail = format!("it takes effect {at}, later than five minutes after it was recorded, {recorded}");
    unmet("at", detail, "give it again when it is to take effect; a badge request can name its go-live date")
}

pub(super) fn too_old(at: Timestamp, recorded: Timestamp) -> Unmet {
    let detail = format!("it would take effect {at}, more than a window before it was recorded, {recorded}");
    unmet("at", detail, "give an instant within the last window: what is older is frozen")
}

pub(super) fn revision(id: &EntityId, expected: u64, revision: u64) -> Unmet {
    let detail = format!("{id} is at revision {revision}, not {expected}: somebody else was first");
    unmet("revision", detail, format!("look at it as it is now, and expect revision {revision}"))
}

pub(super) fn overtaken(id: &EntityId, at: Timestamp, last: &Step) -> Unmet {
    let detail = format!("{id} went through {} by {} at {}, which is after {at}", last.what, last.by, last.at);
    unmet("order", detail, "look at it as it is now; what happens to one thing happens in order")
}

/// Something that nobody has named before.
pub(super) fn unknown<T>(id: &EntityId) -> Result<T, Vec<Unmet>> {
    refused("known", format!("{id} is not known"), "check the id, or register it first")
}

/// Something is no longer, or not yet, where the command wants it to be: the other one won.
pub(super) fn not_in<T>(
    id: &EntityId,
    (status, expected): (impl Display, &str),
    trail: &Trail,
    remedy: impl Into<String>,
) -> Result<T, Vec<Unmet>> {
    refused("status", format!("{id} is {status}{}; expected {expected}", since(trail)), remedy)
}

/// Something of that id is there already.
pub(super) fn exists<T>(id: &EntityId, status: impl Display, trail: &Trail) -> Result<T, Vec<Unmet>> {
    refused("id", format!("{id} is there already, {status}{}", since(trail)), "give the new one an id of its own")
}

/// Since when something is where it is, and who did that.
fn since(trail: &Trail) -> String {
    let mut steps = trail.steps.iter().rev();
    let Some(last) = steps.next() else { return String::new() };
    let first = steps.take_while(|step| step.status == last.status).last().unwrap_or(last);
    format!(" since {} ({} by {})", first.at, first.what, first.by)
}

/// What a catalogue says against a badge (R15).
pub(super) fn of_reason(reason: Reason) -> Unmet {
    let requirement = reason.to_string();
    let differs = |what: &str, marketplace: Marketplace| {
        (
            format!("the listing in {marketplace} names another {what} than was certified"),
            format!("correct the listing's {what} in {marketplace}, or have what it names certified"),
        )
    };
    let (detail, remedy) = match reason {
        Reason::Listing(marketplace, status) => (
            format!("the listing in {marketplace} is {status}"),
            format!("make the ASIN live in {marketplace}{}", reinstating(status)),
        ),
        Reason::Brand(marketplace) => differs("brand", marketplace),
        Reason::Model(marketplace) => differs("model", marketplace),
        Reason::Image(marketplace) => differs("image", marketplace),
        Reason::Hub(marketplace) => differs("hub", marketplace),
        Reason::Skill(marketplace, status) => (
            format!("the skill in {marketplace} is {}", status.as_str("published")),
            format!("publish the skill in {marketplace}"),
        ),
        other => (format!("{other} doesn't hold"), "ask the programme team".to_owned()),
    };
    Unmet { requirement, detail, remedy }
}

const fn reinstating(status: ListingStatus) -> &'static str {
    match status {
        ListingStatus::Suppressed => ": the marketplace says what it suppressed it for",
        ListingStatus::Good | ListingStatus::Unavailable | ListingStatus::Invalid => "",
    }
}
