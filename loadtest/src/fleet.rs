//! A realistic fleet from a seed: registry facts, and a stream of health events in the order in
//! which they arrive, some late, some twice, some malformed.
//!
//! The first products are a cast whose stories come out as promised ([`Character::promise`]);
//! the others play the same parts with more chance in it, amid outages of regions, skills and
//! hubs. The same configuration gives the same bytes on every machine.

mod cadence;
mod channel;
mod character;
mod config;
mod dependency;
mod disturbance;
mod draft;
mod error;
mod incident;
mod lines;
mod malformed;
mod manifest;
mod names;
mod plan;
mod story;
mod stream;
#[cfg(test)]
mod tests;
mod traffic;

use std::collections::BTreeMap;
use std::io::{self, Write};

use domain::Fact;
use domain::RejectReason;

pub use character::Character;
pub use config::{
    FleetConfig, LATENESS_LEAST_MS, LATENESS_MAX_MS, MALFORMED_PPM_MAX, PERIOD_DAYS_MAX, PRODUCTS_MAX, SHARE_PPM_MAX,
};
pub use error::Error;
pub use lines::{Line, LineHead, LineKind, Lines};
pub use malformed::MalformedKind;
pub use manifest::{CastMember, Manifest, Promise};
pub use stream::{DUPLICATE_DISTANCE_LINES_MAX, PENDING_EVENTS_MAX};

use plan::Plan;

/// How much is gathered before it is written, in bytes.
const WRITE_BYTES: usize = 256 * 1024;
/// Progress is told once in so many lines.
pub const PROGRESS_LINES: u64 = 8_192;

/// A fleet, planned and ready to be written.
#[derive(Debug)]
pub struct Fleet {
    config: FleetConfig,
    plan: Plan,
}

/// What was written.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Lines, all kinds together.
    pub lines: u64,
    /// Bytes with newlines.
    pub bytes: u64,
    /// Events for the first time.
    pub events: u64,
    /// Those of them that were late.
    pub late: u64,
    /// Events that were sent again.
    pub duplicates: u64,
    /// Malformed lines by kind.
    pub malformed: BTreeMap<MalformedKind, u64>,
}

impl Fleet {
    /// Plans a fleet.
    ///
    /// # Errors
    /// When the configuration is out of its ranges, or its events don't fit its products and days.
    pub fn new(config: &FleetConfig) -> Result<Self, Error> {
        Ok(Self { plan: Plan::new(config)?, config: config.clone() })
    }

    /// What it was planned from.
    #[must_use]
    pub const fn config(&self) -> &FleetConfig {
        &self.config
    }

    /// What it was planned to hold.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.plan.manifest
    }

    /// The registry.
    pub fn facts(&self) -> impl Iterator<Item = Fact> {
        self.plan.facts.iter().cloned()
    }

    /// Registry lines that are to be rejected, and why; none when nothing is to be malformed.
    pub fn malformed_facts(&self) -> impl Iterator<Item = (RejectReason, &'static str)> {
        malformed::REGISTRY.into_iter().filter(|_| self.config.malformed_share.get() > 0)
    }

    /// The events, line by line, in the order of arrival.
    #[must_use]
    pub fn lines(&self) -> Lines<'_> {
        Lines::new(&self.plan, &self.config)
    }

    /// How many lines [`Self::lines`] yields, within a few percent.
    #[must_use]
    pub const fn events_estimate(&self) -> u64 {
        self.plan.lines
    }

    /// Writes the registry, one fact a line, then the malformed lines. Returns how many lines.
    ///
    /// # Errors
    /// When `out` can't be written.
    pub fn write_registry(&self, out: &mut impl Write) -> io::Result<u64> {
        let (mut buffer, mut lines) = (Vec::with_capacity(WRITE_BYTES), 0);
        let malformed = self.malformed_facts().map(|(_, line)| line);
        for fact in &self.plan.facts {
            wire::fact::write(fact, &mut buffer);
            buffer.push(b'\n');
            lines += 1;
            flush_when_full(&mut buffer, out)?;
        }
        for line in malformed {
            buffer.extend_from_slice(line.as_bytes());
            buffer.push(b'\n');
            lines += 1;
        }
        out.write_all(&buffer)?;
        out.flush()?;
        Ok(lines)
    }

    /// Writes all events, one a line, and tells `progress` the number of lines every
    /// [`PROGRESS_LINES`] and at the end.
    ///
    /// # Errors
    /// When `out` can't be written.
    pub fn write_events(&self, out: &mut impl Write, mut progress: impl FnMut(u64)) -> io::Result<Tally> {
        let (mut lines, mut tally) = (self.lines(), Tally::default());
        let mut buffer = Vec::with_capacity(WRITE_BYTES + 4_096);
        loop {
            let before = buffer.len();
            let Some(head) = lines.next_into(&mut buffer) else { break };
            let (kind, late) = (head.kind, head.late);
            buffer.push(b'\n');
            tally.count(kind, late, buffer.len() - before);
            flush_when_full(&mut buffer, out)?;
            if tally.lines.is_multiple_of(PROGRESS_LINES) {
                progress(tally.lines);
            }
        }
        out.write_all(&buffer)?;
        out.flush()?;
        progress(tally.lines);
        Ok(tally)
    }
}

impl Tally {
    /// Counts a line of so many bytes.
    pub fn count(&mut self, kind: LineKind, late: bool, bytes: usize) {
        self.lines += 1;
        self.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        match kind {
            LineKind::Event => {
                self.events += 1;
                self.late += u64::from(late);
            }
            LineKind::Duplicate => self.duplicates += 1,
            LineKind::Malformed(kind) => *self.malformed.entry(kind).or_default() += 1,
        }
    }
}

fn flush_when_full(buffer: &mut Vec<u8>, out: &mut impl Write) -> io::Result<()> {
    if buffer.len() >= WRITE_BYTES {
        out.write_all(buffer)?;
        buffer.clear();
    }
    Ok(())
}
