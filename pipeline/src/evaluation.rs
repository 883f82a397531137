//! `evaluate`: the engine over bounded input, at one instant.

use domain::policy::Policy;
use domain::rejection::{LineSource, RejectReason, Rejection};
use domain::report::Report;
use domain::time::Timestamp;
use ingest::ExactNames;
use registry::Refusal;

use crate::engine::{Applied, Engine};

/// An evaluation under way: first every registry line, then every event line.
#[derive(Debug)]
pub struct Evaluation {
    engine: Engine<ExactNames>,
    rejected: Vec<Rejection>,
}

impl Evaluation {
    /// Nothing read yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { engine: Engine::new(policy), rejected: Vec::new() }
    }

    /// Takes in all registry lines, each with its number; blank ones should be left out.
    pub fn registry<'a>(&mut self, lines: impl Iterator<Item = (u64, &'a [u8])>) {
        for (line, text) in lines {
            match wire::fact::parse(text) {
                Ok(fact) => {
                    if let Err(refusal) = self.engine.add_fact(line, fact) {
                        self.refuse(refusal);
                    }
                }
                Err(error) => self.reject(LineSource::Registry, line, error.reason, error.detail),
            }
        }
        for refusal in self.engine.settle_registry() {
            self.refuse(refusal);
        }
    }

    /// Takes in one event line.
    pub fn event(&mut self, line: u64, text: &[u8]) {
        match wire::event::parse(text) {
            Ok(parsed) => {
                if let Applied::Rejected(reason, detail) = self.engine.apply(&parsed.event()) {
                    self.reject(LineSource::Events, line, reason, detail);
                }
            }
            Err(error) => self.reject(LineSource::Events, line, error.reason, error.detail),
        }
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

    fn refuse(&mut self, refusal: Refusal) {
        self.reject(LineSource::Registry, refusal.line, refusal.reason, refusal.detail);
    }

    fn reject(&mut self, source: LineSource, line: u64, reason: RejectReason, detail: String) {
        self.rejected.push(Rejection { source, line, reason, detail });
    }
}

#[cfg(test)]
mod tests;
