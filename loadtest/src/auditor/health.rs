//! What each subject's events say about each instant (R3, R4, R5).

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::event::HealthState;
use domain::rejection::LineSource;
use domain::time::MINUTE_MS;
use domain::{DurationMs, Event, EventBody, Policies, Region, RejectReason, Rejection, ReporterId, Subject, Timestamp};

use super::spans::Span;

/// A subject in a region.
#[derive(Default, Debug)]
pub(super) struct Timeline {
    /// Judged minutes by their start, and whether they are down.
    judged: Vec<(i64, bool)>,
    /// Explicit states and when they hold, in order of time.
    states: Vec<(Span, HealthState)>,
}

/// Every subject in every region that has evidence.
#[derive(Debug)]
pub(super) struct Health {
    timelines: HashMap<Subject, HashMap<Region, Timeline>>,
}

impl Timeline {
    pub(super) fn is_down(&self, at: i64) -> bool {
        self.slice(at) == Some(true) || self.state(at).is_some_and(HealthState::is_downtime)
    }

    pub(super) fn is_measured(&self, at: i64) -> bool {
        self.slice(at).is_some() || self.state(at).is_some_and(HealthState::is_measured)
    }

    /// The instants in `within` at which anything may change.
    pub(super) fn turns(&self, within: Span) -> impl Iterator<Item = i64> {
        let first_slice = self.judged.partition_point(|(start, _)| start + MINUTE_MS < within.from);
        let first_state = self.states.partition_point(|(span, _)| span.to < within.from);
        let slices = self.judged[first_slice..].iter().map(|(start, _)| Span { from: *start, to: start + MINUTE_MS });
        let slices = slices.take_while(move |span| span.from < within.to);
        let states = self.states[first_state..].iter().map(|(span, _)| *span);
        let states = states.take_while(move |span| span.from < within.to);
        let turns = slices.chain(states).flat_map(|span| [span.from, span.to]);
        turns.filter(move |turn| within.from < *turn && *turn < within.to)
    }

    fn slice(&self, at: i64) -> Option<bool> {
        let start = at.div_euclid(MINUTE_MS) * MINUTE_MS;
        self.judged.binary_search_by_key(&start, |(start, _)| *start).ok().map(|found| self.judged[found].1)
    }

    fn state(&self, at: i64) -> Option<HealthState> {
        let next = self.states.partition_point(|(span, _)| span.from <= at);
        let (span, state) = self.states.get(next.checked_sub(1)?)?;
        (at < span.to).then_some(*state)
    }
}

impl Health {
    pub(super) fn timeline(&self, subject: &Subject, region: Region) -> Option<&Timeline> {
        self.timelines.get(subject)?.get(&region)
    }
}

/// The events that count, by what they are about.
#[derive(Debug)]
pub(super) struct Reported<'a> {
    evidence: HashMap<(&'a Subject, Region), Vec<&'a Event>>,
}

/// Sorts the lines that count from those that don't; only those before T say anything.
pub(super) fn accept<'a>(events: &'a [(u64, Event)], known: &HashSet<Subject>, at: Timestamp) -> (Reported<'a>, Vec<Rejection>) {
    let mut rejected = Vec::new();
    let mut names: HashMap<(Option<&ReporterId>, &Subject, u64), &Event> = HashMap::new();
    let mut evidence: HashMap<(&Subject, Region), Vec<&Event>> = HashMap::new();
    let mut reject = |line, reason, detail| rejected.push(Rejection { source: LineSource::Events, line, reason, detail });
    for (line, event) in events {
        if !known.contains(&event.subject) {
            reject(*line, RejectReason::UnknownSubject, format!("{} is not registered", event.subject));
            continue;
        }
        if let Some(seq) = event.seq {
            let name = (event.reporter.as_ref(), &event.subject, seq);
            if let Some(first) = names.get(&name) {
                if (first.region, first.at, first.body) != (event.region, event.at, event.body) {
                    reject(*line, RejectReason::ConflictingDuplicate, format!("seq {seq} of {} is taken", event.subject));
                }
                continue;
            }
            names.insert(name, event);
        }
        if event.at < at {
            evidence.entry((&event.subject, event.region)).or_default().push(event);
        }
    }
    (Reported { evidence }, rejected)
}

impl Reported<'_> {
    /// What the events say by T, as it is known at an instant at which states hold for `state_ttl`:
    /// slices are judged by the version in force at their start, all else by that instant's (R18).
    pub(super) fn health(&self, policies: &Policies, state_ttl: Option<DurationMs>, at: Timestamp) -> Health {
        let mut timelines: HashMap<Subject, HashMap<Region, Timeline>> = HashMap::new();
        for ((subject, region), events) in &self.evidence {
            let timeline = Timeline { judged: judged(events, policies, at.ms()), states: states(events, state_ttl, at.ms()) };
            timelines.entry((*subject).clone()).or_default().insert(*region, timeline);
        }
        Health { timelines }
    }
}

fn judged(events: &[&Event], policies: &Policies, at: i64) -> Vec<(i64, bool)> {
    let mut minutes: BTreeMap<i64, (i128, i128)> = BTreeMap::new();
    for event in events {
        let EventBody::Outcome { ok, failed } = event.body else { continue };
        let start = event.at.ms().div_euclid(MINUTE_MS) * MINUTE_MS;
        let (attempts, failures) = minutes.entry(start).or_default();
        *attempts += i128::from(ok) + i128::from(failed);
        *failures += i128::from(failed);
    }
    let ended = minutes.into_iter().filter(|(start, _)| start + MINUTE_MS <= at);
    let judged = ended.filter_map(|(start, (attempts, failures))| {
        let policy = policies.at(Timestamp::clamped(start));
        let is_down = failures * 1_000_000 > attempts * i128::from(policy.down_ratio.get());
        (attempts >= i128::from(policy.min_attempts)).then_some((start, is_down))
    });
    judged.collect()
}

fn states(events: &[&Event], state_ttl: Option<DurationMs>, at: i64) -> Vec<(Span, HealthState)> {
    let mut worst: BTreeMap<i64, HealthState> = BTreeMap::new();
    for event in events {
        let EventBody::State(state) = event.body else { continue };
        let held = worst.entry(event.at.ms()).or_insert(state);
        *held = severity(*held).max(severity(state)).1;
    }
    let ends = worst.keys().skip(1).copied().chain([at]).collect::<Vec<_>>();
    let ttl_end = |from: i64| state_ttl.map_or(at, |ttl| from.saturating_add(ttl.ms()));
    let states = worst.into_iter().zip(ends).map(|((from, state), next)| (Span { from, to: next.min(ttl_end(from)) }, state));
    states.filter(|(span, _)| span.from < span.to).collect()
}

/// Of several states at one instant the worst holds: down, maintenance, unknown, up (R4).
fn severity(state: HealthState) -> (u8, HealthState) {
    let rank = match state {
        HealthState::Up => 0,
        HealthState::Unknown => 1,
        HealthState::Maintenance => 2,
        HealthState::Down => 3,
    };
    (rank, state)
}
