//! How a process reads the registry's log: what is stored of it first, then its records; and stores it as it goes.

use domain::rejection::{LineSource, RejectReason};
use domain::time::Timestamp;
use ports::{Log, Record};
use registry::Refusal;
use wire::appended::{AppendTimes, Appended};
use wire::rejected::Rejected;
use wire::stored::stretch::{Stretch, checksum};

use super::Node;
use crate::error::Error;
use crate::partition::Io;
use crate::rejecting;
use crate::stretches::{self, Gathered};

const ANOTHER: &str = "is another";
const MISSING: &str = "isn't there";

impl Node {
    /// From which offset on the registry's log is to be read. Where stretches of it were taken up, that is their last
    /// record, by which it is known again.
    #[must_use]
    pub const fn registry_from(&self) -> u64 {
        match self.known_by {
            Some((offset, _)) => offset,
            None => self.tables.registry.next_offset(),
        }
    }

    /// Takes in the registry's next record; what it says counts from [`Self::settle_registry`] on.
    ///
    /// # Errors
    /// When a line can't be appended to the rejected log, a stretch can't be stored, or the log isn't the one of which
    /// stretches are stored.
    pub fn take_registry(&mut self, record: Record<'_>, io: &mut Io<'_>) -> Result<(), Error> {
        self.recognise(&record)?;
        if record.offset < self.tables.registry.next_offset() {
            return Ok(());
        }
        let appended = self.append_times.read(record.payload, record.appended_at);
        match appended {
            Appended::Mark(log_time) => self.tables.registry.passed(record.offset, log_time),
            Appended::At(appended_at) => self.take_lines(&record, appended_at, io)?,
        }
        self.gathered.take(&record, appended, self.tables.registry.log_time());
        if self.gathered.is_due(self.rules.cut) {
            let stretch = self.gathered.finish(self.append_times.marked());
            // What was rejected of it isn't told again.
            io.sink.flush()?;
            stretches::store(&stretch, io.stores)?;
        }
        Ok(())
    }

    fn take_lines(&mut self, record: &Record<'_>, appended_at: Option<Timestamp>, io: &mut Io<'_>) -> Result<(), Error> {
        for (line, text) in ingest::lines(record.payload) {
            if wire::tick::is_tick(text) {
                continue;
            }
            let added = match wire::entry::parse(text) {
                _ if record.truncated => Err((RejectReason::InvalidJson, rejecting::OVERLONG.to_owned())),
                Err(error) => Err((error.reason, error.detail)),
                Ok(entry) => {
                    let added = self.tables.registry.add(record.offset, appended_at, entry);
                    added.map_err(|Refusal { reason, detail, .. }| (reason, detail))
                }
            };
            match added {
                Ok(()) => io.counts.facts += 1,
                Err((reason, detail)) => reject_fact((record.offset, line), (reason, &detail), text, io)?,
            }
        }
        self.tables.registry.passed(record.offset, appended_at);
        Ok(())
    }

    /// Ties the registry together where it changed; a fact about something that nobody registered is told
    /// once, and counts as soon as somebody does.
    ///
    /// # Errors
    /// When a line can't be appended to the rejected log.
    pub fn settle_registry(&mut self, io: &mut Io<'_>) -> Result<(), Error> {
        let Some((before, unknown)) = self.tables.registry.settle() else { return Ok(()) };
        for refusal in unknown {
            if self.unknown_told.insert(refusal.line) {
                reject_fact((refusal.line - 1, 1), (refusal.reason, &refusal.detail), b"", io)?;
            }
        }
        for partition in &mut self.partitions {
            partition.registry_changed(&before, &self.tables.registry);
        }
        self.brakes.turn(self.tables.registry.registry().kill_switch.clone());
        Ok(())
    }

    /// Says whether the log, read to its end, is the one of which stretches were taken up.
    ///
    /// # Errors
    /// When it doesn't reach as far.
    pub fn check_registry(&self) -> Result<(), Error> {
        self.known_by.map_or(Ok(()), |(offset, _)| Err(Error::RegistryOther { offset, problem: MISSING }))
    }

    /// Takes up what is stored of the registry's log.
    pub(super) fn recall_registry(&mut self, io: &mut Io<'_>) -> Result<(), Error> {
        let counts = &mut *io.counts;
        Ok(stretches::each_stored(&*io.stores, |stretch| counts.facts += self.recall(&stretch))?)
    }

    /// Reads a stretch as the log would be read; yields how many facts were accepted. What is rejected was told.
    fn recall(&mut self, stretch: &Stretch) -> u64 {
        let (table, mut facts) = (&mut self.tables.registry, 0);
        for kept in &stretch.records {
            table.pass(kept.log_time);
            for (_, text) in ingest::lines(&kept.payload).filter(|(_, text)| !wire::tick::is_tick(text)) {
                let Ok(entry) = wire::entry::parse(text) else { continue };
                facts += u64::from(table.add(kept.offset, kept.recorded_at, entry).is_ok());
            }
            table.passed(kept.offset, kept.recorded_at);
        }
        table.passed(stretch.to - 1, stretch.log_time);
        self.append_times = AppendTimes::resumed(stretch.marked);
        self.gathered = Gathered::behind(stretch.to);
        self.known_by = Some((stretch.to - 1, stretch.last));
        facts
    }

    /// Of a log the record at which stretches ended is the one that they name.
    fn recognise(&mut self, record: &Record<'_>) -> Result<(), Error> {
        let Some((offset, last)) = self.known_by.filter(|(offset, _)| *offset <= record.offset) else { return Ok(()) };
        let problem = match record.offset {
            found if found > offset => MISSING,
            _ if last.appended_at == record.appended_at && last.checksum == checksum(record.payload) => {
                self.known_by = None;
                return Ok(());
            }
            _ => ANOTHER,
        };
        Err(Error::RegistryOther { offset, problem })
    }
}

fn reject_fact(
    (offset, line): (u64, u64),
    (reason, detail): (RejectReason, &str),
    text: &[u8],
    io: &mut Io<'_>,
) -> Result<(), Error> {
    let rejected = Rejected { log: Log::Registry.as_str(), partition: 0, offset, line, reason, detail, payload: text };
    Ok(rejecting::reject(LineSource::Registry, &rejected, 0, io)?)
}
