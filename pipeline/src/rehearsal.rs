//! The live computation over lines that are there already: what would have been issued, and when.
//!
//! A whole process over logs and state in memory, whose time is that of the lines: each is appended at the
//! instant it names, or where the log then is, if that is later. So what is late in a file is late here, a
//! decision waits until it settles, and late evidence amends and reverses, as it does live; unlike
//! [`crate::Evaluation`], which says what is implied by everything at once.

use std::rc::Rc;

use domain::programme::Entry;
use domain::time::{DurationMs, HOUR_MS, Timestamp};
use domain::{Decision, Fact};
use ports::{Log, MemoryLogs, MemoryReader, MemoryStore, RecordSink};
use telemetry::BatchCounts;

use crate::error::Error;
use crate::node::Node;
use crate::partition::{Io, Rules};

/// Logs get a tick, and decisions are made, at least so often.
const STEP: DurationMs = DurationMs(HOUR_MS);
/// Ownership is of no interest here.
const PARTITIONS: u32 = 1;

/// A process over lines.
#[derive(Debug)]
pub struct Rehearsal {
    logs: MemoryLogs,
    store: MemoryStore,
    counts: BatchCounts,
    node: Node,
    registry: MemoryReader,
    dependencies: MemoryReader,
    health: MemoryReader,
    /// Lines of the registry whose time hasn't come.
    to_come: Vec<Vec<u8>>,
}

/// A line with the instant it names, if it names one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// When it is appended at the earliest.
    pub at: Option<Timestamp>,
    /// The line, without its newline.
    pub text: Vec<u8>,
}

impl Line {
    /// A line of the registry. A fact is appended when it takes effect; one that says nothing of that, right after
    /// the line before.
    #[must_use]
    pub fn registry(text: &[u8]) -> Self {
        let at = match wire::entry::parse(text) {
            Ok(Entry::Command(command)) => Some(command.at),
            Ok(Entry::Issued(note)) => Some(note.at),
            Ok(Entry::Fact(fact)) => effective(&fact),
            Err(_) => None,
        };
        Self { at, text: text.to_vec() }
    }

    /// An event.
    #[must_use]
    pub fn event(text: &[u8]) -> Self {
        let at = wire::event::parse(text).ok().map(|parsed| parsed.event().at);
        Self { at, text: text.to_vec() }
    }
}

impl Rehearsal {
    /// A process that begins at an instant.
    ///
    /// # Errors
    /// None that memory has; those of a process's opening.
    pub fn open(policies: domain::Policies, start: Timestamp) -> Result<Self, Error> {
        let rules = Rc::new(Rules::new(policies, PARTITIONS));
        let (mut logs, mut store, mut counts) =
            (MemoryLogs::new(PARTITIONS, start), MemoryStore::default(), BatchCounts::default());
        let reader = |log: Log| logs.reader(log, 0..log.partitions(PARTITIONS));
        let [registry, dependencies, health] = [Log::Registry, Log::Dependencies, Log::Health].map(reader);
        let owned: Vec<u32> = (0..PARTITIONS).collect();
        let node = Node::open(&rules, &owned, true, &mut Io { sink: &mut logs, stores: &mut store, counts: &mut counts })?;
        Ok(Self { logs, store, counts, node, registry, dependencies, health, to_come: Vec::new() })
    }

    /// Lets everything happen up to an instant; `issued` is told what was issued and when, in that order.
    ///
    /// # Errors
    /// None that memory has.
    pub fn run(
        &mut self,
        registry: &[Line],
        events: &[Line],
        until: Timestamp,
        issued: &mut dyn FnMut(Timestamp, &Decision),
    ) -> Result<(), Error> {
        let (mut facts, mut events) = (registry.iter().peekable(), events.iter().peekable());
        loop {
            let now = self.logs.now();
            let due = |line: Option<&&Line>| line.map(|line| line.at.unwrap_or(now).max(now));
            let (fact, event) = (due(facts.peek()), due(events.peek()));
            // What is registered comes before what is reported of it at the same instant.
            let is_fact = fact.is_some_and(|fact| event.is_none_or(|event| fact <= event));
            let next = if is_fact { fact } else { event }.filter(|next| *next <= until);
            let step = now.saturating_add(STEP);
            match next {
                Some(at) if at <= step => {
                    self.logs.set_now(at);
                    let log = if is_fact { Log::Registry } else { Log::Health };
                    let line = if is_fact { facts.next() } else { events.next() };
                    if let Some(line) = line {
                        self.logs.append_to(log, 0, "", &line.text)?;
                    }
                    if is_fact {
                        self.advance(at, issued)?;
                    }
                }
                _ if now >= until => {
                    self.to_come = facts.map(|line| line.text.clone()).collect();
                    return self.advance(until, issued);
                }
                _ => self.advance(step.min(until), issued)?,
            }
        }
    }

    /// The process as it is.
    #[must_use]
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// The registry's lines as they stand in its log by now: those that were given, what was noted of decisions,
    /// and exclusions that were asked for.
    #[must_use]
    pub fn registry_lines(&self) -> Vec<Vec<u8>> {
        let records = self.logs.records(Log::Registry);
        let lines = records.iter().filter(|record| !wire::tick::is_tick(&record.payload));
        lines.map(|record| record.payload.clone()).chain(self.to_come.iter().cloned()).collect()
    }

    /// What doesn't count, as the rejected log has it.
    #[must_use]
    pub fn rejected(&self) -> Vec<Vec<u8>> {
        self.logs.records(Log::Rejected).iter().map(|record| record.payload.clone()).collect()
    }

    /// Lets time pass, with a tick in every log, and brings everything up to it.
    fn advance(&mut self, at: Timestamp, issued: &mut dyn FnMut(Timestamp, &Decision)) -> Result<(), Error> {
        self.logs.set_now(at);
        for log in [Log::Health, Log::Registry] {
            self.logs.append_to(log, 0, "", wire::tick::TICK)?;
        }
        // What was just said of skills and hubs comes back in the second round.
        for _ in 0..2 {
            for decision in self.tick()? {
                issued(at, &decision);
            }
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<Vec<Decision>, Error> {
        let Self { logs, store, counts, node, registry, dependencies, health, .. } = self;
        let mut failed = None;
        let io = &mut Io { sink: logs, stores: store, counts };
        let mut note = |taken: Result<(), Error>| failed = failed.take().or(taken.err());
        registry.poll_partition(0, usize::MAX, &mut |record| note(node.take_registry(record, io)));
        note(node.settle_registry(io));
        for partition in dependencies.assigned().to_vec() {
            dependencies.poll_partition(partition, usize::MAX, &mut |record| note(node.take_dependency(record)));
        }
        health.poll_partition(0, usize::MAX, &mut |record| note(node.take_health(record, io).map(drop)));
        failed.map_or_else(|| node.tick(io), Err)
    }
}

/// When a fact takes effect, where it says so.
fn effective(fact: &Fact) -> Option<Timestamp> {
    match fact {
        Fact::Badge(badge) => Some(badge.enabled_at),
        Fact::BadgeChange(change) => Some(change.at),
        Fact::Withdrawal(withdrawal) => Some(withdrawal.at),
        Fact::Exclusion(exclusion) => Some(exclusion.interval.to),
        Fact::ExclusionRevoked(revoked) => Some(revoked.at),
        Fact::Listing(listing) => Some(listing.at),
        Fact::SkillListing(listing) => Some(listing.at),
        Fact::Ruling(ruling) => Some(ruling.at),
        Fact::Acknowledgement(acknowledgement) => Some(acknowledgement.at),
        Fact::KillSwitch(turn) => Some(turn.at),
        Fact::Manufacturer(_) => None,
    }
}
