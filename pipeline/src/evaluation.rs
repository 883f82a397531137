//! `evaluate`: the engine over bounded input, at one instant.

use domain::event::EventRef;
use domain::fact::Fact;
use domain::policy::Policies;
use domain::programme::Entry;
use domain::rejection::{LineSource, RejectReason, Rejection};
use domain::report::Report;
use domain::time::Timestamp;
use ingest::ExactNames;
use registry::Refusal;

use crate::engine::{Applied, Engine};
use crate::replays::Rejects;

/// An evaluation under way: first every registry line, then every event line.
#[derive(Debug)]
pub struct Evaluation {
    engine: Engine<ExactNames>,
    rejected: Vec<Rejection>,
    rejects: Rejects,
    latest: Option<Timestamp>,
}

impl Evaluation {
    /// Nothing read yet.
    #[must_use]
    pub fn new(policies: impl Into<Policies>) -> Self {
        Self { engine: Engine::new(policies), rejected: Vec::new(), rejects: Rejects::default(), latest: None }
    }

    /// Takes in a registry line.
    pub fn registry_line(&mut self, line: u64, text: &[u8]) {
        self.registry_line_at(line, None, text);
    }

    /// Takes in a registry line with the instant at which it was appended, where that is known.
    pub fn registry_line_at(&mut self, line: u64, recorded_at: Option<Timestamp>, text: &[u8]) {
        match wire::entry::parse(text) {
            Ok(entry) => self.entry(line, recorded_at, entry),
            Err(error) => self.reject(LineSource::Registry, line, error.reason, error.detail),
        }
    }

    /// Takes in a registry fact.
    pub fn fact(&mut self, line: u64, fact: Fact) {
        self.entry(line, None, Entry::Fact(fact));
    }

    /// Takes in a parsed line of the registry, with the instant at which it was appended, where that is known.
    pub fn entry(&mut self, line: u64, recorded_at: Option<Timestamp>, entry: Entry) {
        if let Err(refusal) = self.engine.add_entry(line, recorded_at, entry) {
            self.refuse(refusal);
        }
    }

    /// Ties the registry together: after its last line, before the first event. What waits for its date happens up
    /// to `until`.
    pub fn settle_registry(&mut self, until: Option<Timestamp>) {
        for refusal in self.engine.settle_registry(until) {
            self.refuse(refusal);
        }
    }

    /// Notes a line of a file that is too long to be read.
    pub fn overlong(&mut self, source: LineSource, line: u64) {
        if source == LineSource::Events {
            self.rejects.add(in_file(line));
        }
        let detail = "the line is longer than a record may be; split it".to_owned();
        self.reject(source, line, RejectReason::InvalidJson, detail);
    }

    /// Takes in a line of a file of events, by its number from 1.
    pub fn event_line(&mut self, line: u64, text: &[u8]) {
        self.event_line_at(in_file(line), text);
    }

    /// Takes in an event line by partition, offset and line in the record. It is told by its offset, counted from 1.
    pub fn event_line_at(&mut self, place: (u32, u64, u64), text: &[u8]) {
        let rejected = self.rejected.len();
        let number = place.1 + 1;
        match wire::replayed::read(text) {
            None => self.parse_event(number, text),
            Some(Ok(replayed)) => {
                if self.rejects.take((replayed.partition, replayed.offset, replayed.line)) {
                    self.parse_event(number, replayed.event.as_bytes());
                }
            }
            Some(Err(error)) => self.reject(LineSource::Events, number, RejectReason::InvalidField, error.to_string()),
        }
        if self.rejected.len() > rejected {
            self.rejects.add(place);
        }
    }

    /// Takes in an event.
    pub fn event(&mut self, line: u64, event: &EventRef<'_>) {
        match self.engine.apply(event) {
            Applied::New | Applied::Duplicate => self.latest = self.latest.max(Some(event.at)),
            Applied::Rejected(reason, detail) => self.reject(LineSource::Events, line, reason, detail),
        }
    }

    /// The engine, for asking it more than a report says.
    #[must_use]
    pub const fn engine(&self) -> &Engine<ExactNames> {
        &self.engine
    }

    /// The latest instant of an event that counts.
    #[must_use]
    pub const fn latest_event(&self) -> Option<Timestamp> {
        self.latest
    }

    /// The lines that don't count, as they came.
    #[must_use]
    pub fn rejected(&self) -> &[Rejection] {
        &self.rejected
    }

    /// What everything read implies at T.
    #[must_use]
    pub fn finish(mut self, at: Timestamp) -> Report {
        let implied = self.engine.implied(at);
        self.rejected.sort_unstable();
        Report {
            at,
            products: implied.products,
            manufacturers: implied.manufacturers,
            decisions: implied.decisions,
            rejected: self.rejected,
        }
    }

    fn parse_event(&mut self, line: u64, text: &[u8]) {
        match wire::event::parse(text) {
            Ok(parsed) => self.event(line, &parsed.event()),
            Err(error) => self.reject(LineSource::Events, line, error.reason, error.detail),
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.reject(LineSource::Registry, refusal.line, refusal.reason, refusal.detail);
    }

    fn reject(&mut self, source: LineSource, line: u64, reason: RejectReason, detail: String) {
        self.rejected.push(Rejection { source, line, reason, detail });
    }
}

/// The place of a file's line by its number from 1.
const fn in_file(line: u64) -> (u32, u64, u64) {
    (0, line.saturating_sub(1), 1)
}

#[cfg(test)]
mod tests;
