//! What the logs of a run say, read naively: the facts and events that count, for the auditor.
//!
//! Written from the rules alone (R5, R23, R24, ADR 5); it shares no code with the pipeline. An event
//! that arrived in another partition counts where its owner received it: the copy stands for the
//! original, which is known by the copy's origin; its time is the copy's. A replay is a line of its own, unless
//! what it replays was replayed before in its partition; how many an owner remembers is beyond this reading.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::policy::WindowRule;
use domain::time::DAY_MS;
use domain::{Asin, DurationMs, Event, ExclusionId, Fact, Policies, ReporterId, Subject, Timestamp};

/// A record of a log.
#[derive(Clone, Copy, Debug)]
pub struct LogRecord<'a> {
    /// Its partition.
    pub partition: u32,
    /// Its number in the partition.
    pub offset: u64,
    /// When it was appended.
    pub appended_at: Timestamp,
    /// Its content.
    pub payload: &'a [u8],
}

/// The facts and events that count, in the order in which they do.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Truth {
    /// Facts, as far as they reach back.
    pub facts: Vec<(u64, Fact)>,
    /// Events.
    pub events: Vec<(u64, Event)>,
    /// Events older than their record by more than a window.
    pub set_aside: u64,
    /// Events ahead of their record.
    pub in_future: u64,
    /// Events about what wasn't registered yet.
    pub unknown: u64,
    /// Events dropped because their name was taken.
    pub repeated: u64,
    /// Events that count because they were replayed.
    pub replayed: u64,
    /// Replays of what was replayed before.
    pub replayed_again: u64,
}

/// Reads `registry` and `health`, each partition's records in order.
#[must_use]
pub fn of_logs(policies: &Policies, registry: &[LogRecord<'_>], health: &[LogRecord<'_>]) -> Truth {
    let window = longest_window(policies);
    let mut truth = Truth::default();
    let mut begins: HashMap<ExclusionId, Timestamp> = HashMap::new();
    for (line, record) in (1..).zip(registry) {
        let Ok(fact) = wire::fact::parse(record.payload) else { continue };
        let earliest = record.appended_at.saturating_sub(window);
        let fact = reaching_back(fact, earliest);
        match &fact {
            Fact::Exclusion(exclusion) => {
                let from = *begins.entry(exclusion.id.clone()).or_insert(exclusion.interval.from);
                // A revocation that came first and acts too late doesn't count either.
                truth.facts.retain(|(_, fact)| {
                    !matches!(fact, Fact::ExclusionRevoked(revoked)
                        if revoked.id == exclusion.id && from < revoked.at.saturating_sub(window))
                });
            }
            Fact::ExclusionRevoked(revoked) => {
                let earliest = record.appended_at.max(revoked.at).saturating_sub(window);
                if begins.get(&revoked.id).is_some_and(|from| *from < earliest) {
                    continue;
                }
            }
            _ => {}
        }
        truth.facts.push((line, fact));
    }
    read_events(policies, &known_since(registry), health, &mut truth);
    truth
}

fn read_events(policies: &Policies, since: &BTreeMap<Subject, Timestamp>, health: &[LogRecord<'_>], truth: &mut Truth) {
    let window = longest_window(policies);
    let sent_on: HashSet<(u32, u64, u64)> =
        health.iter().filter_map(|record| rerouted(record)).map(|(origin, ..)| origin).collect();
    let mut names: HashMap<(Option<ReporterId>, Subject, u64), ()> = HashMap::new();
    let mut seen: HashSet<(u32, u64, u64)> = HashSet::new();
    let (mut replayed, replays) = (HashSet::new(), replays(health));
    for record in health {
        for (origin, appended, text) in lines(record) {
            let is_copy = (record.partition, record.offset) != (origin.0, origin.1);
            let replay = wire::replayed::read(text).filter(|_| !is_copy).and_then(Result::ok);
            if let Some(of) = replay.as_ref().map(|of| (of.partition, of.offset, of.line)) {
                if of.0 != origin.0 || of >= origin {
                    continue;
                }
                if !replayed.insert(of) {
                    truth.replayed_again += 1;
                    continue;
                }
            }
            let text = replay.as_ref().map_or(text, |of| of.event.as_bytes());
            if (!is_copy && sent_on.contains(&origin)) || !seen.insert(origin) {
                continue;
            }
            let Ok(parsed) = wire::event::parse(text) else { continue };
            let event = parsed.event().to_owned();
            if event.at > appended + policies.at(appended).max_skew {
                truth.in_future += 1;
            } else if event.at < appended.saturating_sub(window) {
                truth.set_aside += 1;
            } else if since.get(&event.subject).is_none_or(|since| appended < *since) {
                truth.unknown += 1;
            } else if event
                .seq
                .is_some_and(|seq| names.insert((event.reporter.clone(), event.subject.clone(), seq), ()).is_some())
            {
                truth.repeated += 1;
            } else {
                truth.replayed += u64::from(replays.contains(&origin));
                truth.events.push((truth.events.len() as u64 + 1, event));
            }
        }
    }
}

/// Where replays stand.
fn replays(health: &[LogRecord<'_>]) -> HashSet<(u32, u64, u64)> {
    health.iter().flat_map(lines).filter(|(_, _, text)| wire::replayed::read(text).is_some()).map(|(origin, ..)| origin).collect()
}

/// A line of a record: where it arrived first, when that was appended, its text.
type Line<'a> = ((u32, u64, u64), Timestamp, &'a [u8]);

fn lines<'a>(record: &LogRecord<'a>) -> Vec<Line<'a>> {
    if let Some((origin, appended, text)) = rerouted(record) {
        return vec![(origin, appended, text)];
    }
    let numbered = (1..).zip(record.payload.split(|byte| *byte == b'\n'));
    numbered.map(|(line, text)| ((record.partition, record.offset, line), record.appended_at, text)).collect()
}

fn rerouted<'a>(record: &LogRecord<'a>) -> Option<Line<'a>> {
    let (origin, text) = wire::rerouted::read(record.payload)?.ok()?;
    Some(((origin.partition, origin.offset, origin.line), record.appended_at, text))
}

/// The longest window of any version; a year that resets has 366 days at most.
fn longest_window(policies: &Policies) -> DurationMs {
    let lengths = policies.versions().iter().map(|policy| match policy.window {
        WindowRule::Rolling(length) => length,
        WindowRule::ResetsOn { .. } => DurationMs(366 * DAY_MS),
    });
    lengths.max().unwrap_or_default()
}

/// When each subject was first named for a product with a badge line.
fn known_since(registry: &[LogRecord<'_>]) -> BTreeMap<Subject, Timestamp> {
    let facts: Vec<(Timestamp, Fact)> =
        registry.iter().filter_map(|record| Some((record.appended_at, wire::fact::parse(record.payload).ok()?))).collect();
    let mut badged: BTreeMap<&Asin, Timestamp> = BTreeMap::new();
    for (appended, fact) in &facts {
        if let Fact::Badge(badge) = fact {
            badged.entry(&badge.asin).or_insert(*appended);
        }
    }
    let mut since: BTreeMap<Subject, Timestamp> = BTreeMap::new();
    let mut changed: BTreeSet<(&Asin, Timestamp)> = BTreeSet::new();
    let mut has_badge_line: BTreeSet<&Asin> = BTreeSet::new();
    for (appended, fact) in &facts {
        let (asin, named): (&Asin, Vec<Subject>) = match fact {
            Fact::Badge(badge) if has_badge_line.insert(&badge.asin) => {
                let terms = &badge.terms;
                let ties = terms.skill.iter().map(Subject::skill).chain(terms.hub.iter().map(Subject::hub));
                (&badge.asin, ties.chain([Subject::product(&badge.asin)]).collect())
            }
            Fact::BadgeChange(change) if changed.insert((&change.asin, change.at)) => {
                let skill = change.skill.iter().flatten().map(Subject::skill);
                (&change.asin, skill.chain(change.hub.iter().flatten().map(Subject::hub)).collect())
            }
            _ => continue,
        };
        if let Some(badge) = badged.get(asin) {
            for subject in named {
                let from = (*appended).max(*badge);
                since.entry(subject).and_modify(|known| *known = (*known).min(from)).or_insert(from);
            }
        }
    }
    since
}

/// R24: a fact acts on the past no farther than one window before it was appended.
fn reaching_back(fact: Fact, earliest: Timestamp) -> Fact {
    match fact {
        Fact::Badge(mut badge) => {
            badge.enabled_at = badge.enabled_at.max(earliest);
            Fact::Badge(badge)
        }
        Fact::BadgeChange(mut change) => {
            change.at = change.at.max(earliest);
            Fact::BadgeChange(change)
        }
        Fact::Withdrawal(mut withdrawal) => {
            withdrawal.at = withdrawal.at.max(earliest);
            Fact::Withdrawal(withdrawal)
        }
        Fact::Exclusion(mut exclusion) => {
            exclusion.interval.from = exclusion.interval.from.max(earliest);
            Fact::Exclusion(exclusion)
        }
        Fact::Listing(mut listing) => {
            listing.at = listing.at.max(earliest);
            Fact::Listing(listing)
        }
        Fact::SkillListing(mut listing) => {
            listing.at = listing.at.max(earliest);
            Fact::SkillListing(listing)
        }
        other => other,
    }
}
