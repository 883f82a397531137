//! The registry as its log has it so far, and as it would be with more lines.

use domain::fact::Fact;
use domain::programme::{Command, Entry, Outcome, Unmet};
use domain::time::{DurationMs, Timestamp};
use ports::Record;
use registry::{Book, Place, Refusal, Register};
use wire::appended::{AppendTimes, Appended};

/// Ledger and book, and how far the log was read. A clone is a copy to try something on.
#[derive(Clone)]
pub(super) struct Known {
    register: Register,
    times: AppendTimes,
    /// Whether the log has a time of its own. A file has none: there time goes on as commands say.
    has_times: bool,
    next: u64,
    log_time: Option<Timestamp>,
}

/// What became of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Became {
    /// It was carried out, or taken over.
    Accepted {
        /// What a command is about has this revision since.
        revision: Option<u64>,
        /// What that means for badges and budgets.
        follows: Option<Fact>,
    },
    /// It wasn't, for all of these.
    Refused(Vec<Unmet>),
}

impl Known {
    /// Nothing read yet; `window` is the longest window of any policy version.
    pub(super) fn new(window: DurationMs, has_times: bool) -> Self {
        Self { register: Register::new(window), times: AppendTimes::default(), has_times, next: 0, log_time: None }
    }

    pub(super) const fn book(&self) -> &Book {
        self.register.book()
    }

    /// The position that the next record has, as far as is known.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// The append time of the last record.
    pub(super) const fn log_time(&self) -> Option<Timestamp> {
        self.log_time
    }

    /// Takes in a record, unless it was taken in before; tells each line and what became of it. Lines that can't be
    /// read are the main job's to tell.
    pub(super) fn take(&mut self, record: Record<'_>, each: &mut dyn FnMut(&Entry, &Became)) {
        if record.offset < self.next {
            return;
        }
        self.next = record.offset + 1;
        let recorded_at = match self.times.read(record.payload, record.appended_at) {
            Appended::Mark(log_time) => return self.passed(record.offset, log_time),
            Appended::At(at) => at,
        };
        let texts = ingest::lines(record.payload).filter(|(_, text)| !record.truncated && !wire::tick::is_tick(text));
        for (_, text) in texts {
            if let Ok(entry) = wire::entry::parse(text) {
                let became = self.add(Place { position: record.offset, recorded_at }, &entry);
                each(&entry, &became);
            }
        }
        self.passed(record.offset, recorded_at);
    }

    /// What becomes of a line if it is appended next. One that is refused leaves nothing behind.
    pub(super) fn try_next(&mut self, entry: &Entry, now: Timestamp) -> Became {
        let recorded_at = self.has_times.then(|| self.log_time.map_or(now, |log_time| log_time.max(now)));
        let place = Place { position: self.next, recorded_at };
        let was_there = matches!(entry, Entry::Command(command) if self.book().command(&command.id).is_some());
        let became = self.add(place, entry);
        match (&became, entry) {
            (Became::Accepted { .. }, _) => {
                self.next += 1;
                self.passed(place.position, recorded_at);
            }
            (Became::Refused(_), Entry::Command(command)) if !was_there => self.register.forget_refused(&command.id),
            (Became::Refused(_), _) => {}
        }
        became
    }

    /// What became of the very same command before, if it was there.
    pub(super) fn before(&self, command: &Command) -> Option<Became> {
        let same = self.book().command(&command.id).filter(|earlier| *earlier == command)?;
        self.book().outcome(&same.id).map(|outcome| became(outcome.clone(), None))
    }

    /// Lets time go on where the log doesn't.
    pub(super) fn settle(&mut self, now: Timestamp) {
        if !self.has_times {
            self.register.pass(Place { position: self.next.saturating_sub(1), recorded_at: None }, now);
        }
    }

    fn add(&mut self, place: Place, entry: &Entry) -> Became {
        match entry {
            Entry::Command(command) if !self.has_times => drop(self.register.pass(place, command.at)),
            Entry::Issued(note) if !self.has_times => drop(self.register.pass(place, note.at)),
            _ => {}
        }
        let Entry::Command(command) = entry else {
            return match self.register.add(place, entry.clone()) {
                Ok(follows) => Became::Accepted { revision: None, follows },
                Err(refusal) => Became::Refused(vec![as_unmet(refusal)]),
            };
        };
        let (outcome, follows) = self.register.apply(place, command);
        became(outcome, follows)
    }

    fn passed(&mut self, position: u64, recorded_at: Option<Timestamp>) {
        self.log_time = self.log_time.max(recorded_at);
        if let Some(now) = self.log_time {
            self.register.pass(Place { position, recorded_at: Some(now) }, now);
        }
    }
}

fn became(outcome: Outcome, follows: Option<Fact>) -> Became {
    match outcome {
        Outcome::Accepted { revision } => Became::Accepted { revision: Some(revision), follows },
        Outcome::Refused { unmet } => Became::Refused(unmet),
    }
}

fn as_unmet(Refusal { reason, detail, .. }: Refusal) -> Unmet {
    let remedy = "look at what the registry knows: `badgewatch registry show`".to_owned();
    Unmet { requirement: reason.to_string(), detail, remedy }
}
