//! From a record of `health` to what it changes: every line counts, or is rejected, or goes to its owner.

use domain::event::{EventBody, EventRef, HealthState};
use domain::id::SubjectKind;
use domain::rejection::{LineSource, RejectReason};
use domain::time::Timestamp;
use ingest::{Named, Names, partition_of};
use ports::{Log, Record};
use telemetry::events::EventRerouted;
use wire::event::ParsedEvent;
use wire::replayed::Replayed;
use wire::rerouted::Origin;

use super::{Io, Partition};
use crate::engine::{conflicting, too_old};
use crate::error::Error;
use crate::rejecting;
use crate::replays::Replay;
use crate::tables::Tables;

/// What became of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It was taken in.
    Done,
    /// Nothing happened yet: it is about something that isn't registered as far as the registry has been
    /// read, and the registry hasn't been read up to the record's time. Read on there, then try again.
    RegistryBehind,
}

impl Partition {
    /// Takes in the partition's next record. One that was taken in before is passed over.
    ///
    /// # Errors
    /// When a log can't be appended to, or the store fails.
    pub fn take(&mut self, record: Record<'_>, tables: &Tables, io: &mut Io<'_>) -> Result<Taken, Error> {
        let record = Record { offset: record.offset.saturating_add(self.base), ..record };
        if record.offset < self.next_offset {
            return Ok(Taken::Done);
        }
        if self.next_offset == 0 && record.offset > 0 && !self.barrier.is_empty() {
            return Err(Error::HistoryLost { partition: self.number, first: record.offset });
        }
        if tables.registry.log_time() < record.appended_at && self.names_unknown(record) {
            return Ok(Taken::RegistryBehind);
        }
        io.counts.records += 1;
        io.counts.bytes += record.payload.len() as u64;
        self.next_offset = record.offset + 1;
        self.log_time = self.log_time.max(record.appended_at);
        self.lines(record, io)?;
        if self.late.is_full() {
            self.work_off_late(tables, io)?;
        }
        self.evict(tables, io)?;
        Ok(Taken::Done)
    }

    /// Whether a record has an event for this partition about a subject that isn't registered.
    fn names_unknown(&self, record: Record<'_>) -> bool {
        let text = match wire::rerouted::read(record.payload) {
            Some(Ok((_, event))) => event,
            Some(Err(_)) => return false,
            None => record.payload,
        };
        ingest::lines(text).any(|(_, line)| match wire::replayed::read(line) {
            None => self.names_unknown_in(line),
            Some(Ok(replayed)) => self.names_unknown_in(replayed.event.as_bytes()),
            Some(Err(_)) => false,
        })
    }

    fn names_unknown_in(&self, line: &[u8]) -> bool {
        wire::event::parse(line).is_ok_and(|parsed| {
            let subject = parsed.event().subject;
            !self.subjects.is_registered(subject) && partition_of(subject, self.rules.partitions) == self.number
        })
    }

    fn lines(&mut self, record: Record<'_>, io: &mut Io<'_>) -> Result<(), Error> {
        let here = Origin { partition: record.partition, offset: record.offset, line: 1, appended_at: record.appended_at };
        if record.truncated {
            return self.reject(here, record.payload, RejectReason::InvalidJson, rejecting::OVERLONG, io);
        }
        if wire::tick::is_tick(record.payload) {
            return Ok(());
        }
        match wire::rerouted::read(record.payload) {
            None => {}
            Some(Ok((origin, event))) if self.is_first_time(origin) => {
                // Its time is that of this record: it may have been long on its way, and what is frozen here is frozen.
                return self.line(Origin { appended_at: record.appended_at, ..origin }, event, io);
            }
            Some(Ok(_)) => {
                io.counts.duplicate += 1;
                return Ok(());
            }
            Some(Err(error)) => return self.reject(here, record.payload, RejectReason::InvalidField, &error.to_string(), io),
        }
        for (line, text) in ingest::lines(record.payload) {
            let here = Origin { line, ..here };
            match wire::replayed::read(text) {
                None => self.line(here, text, io)?,
                Some(Ok(replayed)) => self.replay(here, text, &replayed, io)?,
                Some(Err(error)) => self.reject(here, text, RejectReason::InvalidField, &error.to_string(), io)?,
            }
        }
        Ok(())
    }

    /// Takes in a rejected line that is replayed: from then on it is a line that arrived here and now.
    #[cold]
    fn replay(&mut self, here: Origin, text: &[u8], replayed: &Replayed<'_>, io: &mut Io<'_>) -> Result<(), Error> {
        let Replayed { partition, offset, line, ref event } = *replayed;
        if partition != self.number || (offset, line) >= (here.offset, here.line) {
            let detail = format!("{partition}/{offset}/{line} is no line before this one in partition {}", self.number);
            return self.reject(here, text, RejectReason::InvalidField, &detail, io);
        }
        match self.replays.take((offset, line)) {
            Replay::First => self.line(here, event.as_bytes(), io),
            Replay::Again => {
                io.counts.duplicate += 1;
                Ok(())
            }
            Replay::Forgotten => {
                let detail = format!(
                    "{partition}/{offset}/{line} is older than the replays that are remembered; replay this one if it never counted"
                );
                self.reject(here, event.as_bytes(), RejectReason::SequenceTooOld, &detail, io)
            }
        }
    }

    fn line(&mut self, origin: Origin, text: &[u8], io: &mut Io<'_>) -> Result<(), Error> {
        match wire::event::parse(text) {
            Ok(parsed) => self.event(origin, text, &parsed, io),
            Err(error) => self.reject(origin, text, error.reason, &error.detail, io),
        }
    }

    fn event(&mut self, origin: Origin, text: &[u8], parsed: &ParsedEvent<'_>, io: &mut Io<'_>) -> Result<(), Error> {
        let event = parsed.event();
        if let Some((reason, detail)) = self.untimely(&event, origin.appended_at) {
            return self.reject(origin, text, reason, &detail, io);
        }
        let owner = partition_of(event.subject, self.rules.partitions);
        if owner != self.number {
            return self.send_on(owner, origin, text, io);
        }
        let is_known = |subject: &u32| origin.appended_at.is_none_or(|at| self.subjects.since(*subject) <= at);
        let Some(subject) = self.subjects.number(event.subject).filter(is_known) else {
            let detail = format!("{} is not registered", event.subject);
            return self.reject(origin, text, RejectReason::UnknownSubject, &detail, io);
        };
        if self.next_offset <= self.subjects.applied_to(subject) {
            self.services.pause(origin.appended_at, &self.rules.policies);
            io.counts.replayed += 1;
            return Ok(());
        }
        self.subjects.note_unstored(subject);
        match self.names.occupy(subject, &event) {
            Named::New => {}
            Named::Duplicate => {
                io.counts.duplicate += 1;
                return Ok(());
            }
            Named::Conflict => {
                return self.reject(origin, text, RejectReason::ConflictingDuplicate, &conflicting(&event), io);
            }
            Named::TooOld => return self.reject(origin, text, RejectReason::SequenceTooOld, &too_old(&event), io),
        }
        io.counts.accepted += 1;
        if event.subject.kind == SubjectKind::Skill {
            self.services.add(&self.rules.policies, &event, parsed.latencies());
        }
        if event.body == EventBody::State(HealthState::Maintenance) {
            self.note_declarer(subject, &event);
        }
        self.apply(subject, event.region, event.at, event.body);
        Ok(())
    }

    /// R23, R24: an event too far ahead of its record, or older than what can still be judged.
    fn untimely(&self, event: &EventRef<'_>, appended_at: Option<Timestamp>) -> Option<(RejectReason, String)> {
        let appended = appended_at?;
        let (max_skew, window) = (self.rules.policies.at(appended).max_skew, self.rules.window);
        if event.at > appended.saturating_add(max_skew) {
            let detail = format!("at is more than {max_skew} after {appended}, when the record was appended");
            return Some((RejectReason::TooFarInFuture, detail));
        }
        (event.at < appended.saturating_sub(window)).then(|| {
            let detail = format!("at is more than a window, {window}, before {appended}, when the record was appended");
            (RejectReason::OlderThanWindow, detail)
        })
    }

    /// Sends an event to the partition that owns its subject; it counts there (DESIGN section 4).
    fn send_on(&mut self, owner: u32, origin: Origin, text: &[u8], io: &mut Io<'_>) -> Result<(), Error> {
        let place = Some((origin.offset, origin.line));
        if origin.partition != self.number || self.sent_on >= place {
            return Ok(());
        }
        io.sink.append_to(Log::Health, owner, "", &wire::rerouted::write(origin, text))?;
        self.sent_on = place;
        EventRerouted { partition: origin.partition, offset: origin.offset, owner }.emit(io.counts);
        Ok(())
    }

    /// Whether an event that was sent here wasn't seen before: a partition sends its own in order.
    fn is_first_time(&mut self, origin: Origin) -> bool {
        let Some(last) = self.origins.get_mut(origin.partition as usize) else { return false };
        let place = Some((origin.offset, origin.line));
        let is_new = *last < place;
        if is_new {
            *last = place;
        }
        is_new
    }

    fn reject(&mut self, origin: Origin, text: &[u8], reason: RejectReason, detail: &str, io: &mut Io<'_>) -> Result<(), Error> {
        let rejected = wire::rejected::Rejected {
            log: Log::Health.as_str(),
            partition: origin.partition,
            offset: origin.offset,
            line: origin.line,
            reason,
            detail,
            payload: text,
        };
        Ok(rejecting::reject(LineSource::Events, &rejected, self.number, io)?)
    }
}
