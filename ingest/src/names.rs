//! Names of events and what is remembered of them (R5).
//!
//! `(reporter, subject, seq)` names an event. Over files every name is remembered
//! ([`ExactNames`]); live, each subject remembers a bounded number ([`RecentNames`]).

use std::collections::btree_map::OccupiedEntry;
use std::collections::{BTreeMap, VecDeque};

use domain::id::{ReporterId, valid_id};
use domain::names::{ContentHash, ReporterNames};
pub use domain::names::{REMEMBERED_REPORTERS_MAX, REMEMBERED_SEQS_MAX};
use domain::{EventBody, EventRef, HealthState, NamesParts, Region, Timestamp};
use rustc_hash::FxHashMap;

/// Constants of `wyhash`; what is stored was made with them.
const HASH_SECRETS: [u64; 2] = [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];
/// Most sequence numbers in a block of [`ExactNames`].
const BLOCK_SEQS_MAX: usize = 128;

/// An event's name within its subject.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name<'a> {
    /// Who reported it; no reporter is one of its own.
    pub reporter: Option<&'a str>,
    /// The reporter's sequence number.
    pub seq: u64,
}

/// What a name's memory says of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    /// The name is new; from now on it is taken.
    New,
    /// The same event again: drop it.
    Duplicate,
    /// The name is taken by an event with other content: reject this one.
    Conflict,
    /// The sequence number is older than what is remembered: reject the event whole.
    TooOld,
}

/// A memory of names.
pub trait Names {
    /// Looks an event's name up and occupies it if it is free. `subject` is the subject's
    /// number, dense from 0. An event without `seq` has no name and is always new.
    fn occupy(&mut self, subject: u32, event: &EventRef<'_>) -> Named;
}

/// What a name stands for: type, region, instant, and counts or state.
type Content = (Region, Timestamp, EventBody);

fn name<'a>(event: &EventRef<'a>) -> Option<Name<'a>> {
    let reporter = event.reporter.filter(|reporter| valid_id(reporter));
    event.seq.map(|seq| Name { reporter, seq })
}

/// Remembers every name exactly; for bounded input.
///
/// Names lie by subject and reporter, in blocks by sequence number: those of events in order lie
/// side by side, where one great table would miss the processor's caches at every event.
#[derive(Default, Debug)]
pub struct ExactNames {
    /// Numbers of reporters from 1; 0 is no reporter.
    reporters: FxHashMap<Box<str>, u32>,
    seqs: FxHashMap<(u32, u32), Seqs>,
}

/// One reporter's sequence numbers about one subject, with what each stands for.
///
/// A block is sorted, and its key is a number that none in it is below and that none of the block
/// before reaches; the first block's key is 0.
#[derive(Default, Debug)]
struct Seqs(BTreeMap<u64, Vec<(u64, Content)>>);

impl ExactNames {
    fn number(&mut self, reporter: &str) -> u32 {
        if let Some(&known) = self.reporters.get(reporter) {
            return known;
        }
        let next = u32::try_from(self.reporters.len() + 1).expect("bounded input names fewer than 2^32 reporters");
        self.reporters.insert(Box::from(reporter), next);
        next
    }
}

impl Names for ExactNames {
    fn occupy(&mut self, subject: u32, event: &EventRef<'_>) -> Named {
        let Some(name) = name(event) else { return Named::New };
        let reporter = name.reporter.map_or(0, |reporter| self.number(reporter));
        self.seqs.entry((subject, reporter)).or_default().occupy(name.seq, (event.region, event.at, event.body))
    }
}

impl Seqs {
    fn occupy(&mut self, seq: u64, content: Content) -> Named {
        let Some(block) = self.block(seq) else {
            self.0.insert(0, vec![(seq, content)]);
            return Named::New;
        };
        let place = match block.last() {
            Some(&(last, _)) if last < seq => block.len(),
            _ => match block.binary_search_by_key(&seq, |&(seq, _)| seq) {
                Ok(found) if block[found].1 == content => return Named::Duplicate,
                Ok(_) => return Named::Conflict,
                Err(place) => place,
            },
        };
        if place == BLOCK_SEQS_MAX {
            self.0.insert(seq, vec![(seq, content)]);
            return Named::New;
        }
        block.insert(place, (seq, content));
        if block.len() > BLOCK_SEQS_MAX {
            let upper = block.split_off(BLOCK_SEQS_MAX / 2);
            self.0.insert(upper[0].0, upper);
        }
        Named::New
    }

    /// The block that a number belongs to, mostly the last one; none before the first number.
    fn block(&mut self, seq: u64) -> Option<&mut Vec<(u64, Content)>> {
        match self.0.last_key_value() {
            Some((first, _)) if *first <= seq => self.0.last_entry().map(OccupiedEntry::into_mut),
            _ => self.0.range_mut(..=seq).next_back().map(|(_, block)| block),
        }
    }
}

/// Remembers what R5 asks for live: the last [`REMEMBERED_SEQS_MAX`] sequence numbers of each of
/// a subject's last [`REMEMBERED_REPORTERS_MAX`] reporters.
///
/// A ninth reporter takes the place of the one that was silent longest. What that one had sent
/// is then told from new events by sequence number alone: a reporter that isn't remembered is
/// heard only above the highest number that was ever forgotten, so nothing counts twice.
#[derive(Default, Debug)]
pub struct RecentNames {
    subjects: Vec<Reporters>,
}

#[derive(Default, Debug)]
struct Reporters {
    /// Most recently heard last.
    recent: Vec<Memory>,
    /// The highest sequence number of a reporter that was forgotten.
    forgotten: Option<u64>,
}

#[derive(Debug)]
struct Memory {
    reporter: Option<ReporterId>,
    /// Numbers up to this may have been taken before the reporter was last forgotten.
    heard_above: Option<u64>,
    /// Rising sequence numbers, each with its content's hash.
    seqs: VecDeque<(u64, ContentHash)>,
}

impl RecentNames {
    /// What a subject remembers, as plain values.
    #[must_use]
    pub fn parts(&self, subject: u32) -> NamesParts {
        self.subjects.get(place(subject)).map(Reporters::parts).unwrap_or_default()
    }

    /// Makes a subject remember this, and nothing else.
    pub fn put(&mut self, subject: u32, parts: NamesParts) {
        *self.of(subject) = Reporters::from(parts);
    }

    fn of(&mut self, subject: u32) -> &mut Reporters {
        let place = place(subject);
        if place >= self.subjects.len() {
            self.subjects.resize_with(place + 1, Reporters::default);
        }
        &mut self.subjects[place]
    }
}

impl Names for RecentNames {
    fn occupy(&mut self, subject: u32, event: &EventRef<'_>) -> Named {
        let Some(name) = name(event) else { return Named::New };
        self.of(subject).occupy(name, hash((event.region, event.at, event.body)))
    }
}

impl Reporters {
    fn occupy(&mut self, name: Name<'_>, content: ContentHash) -> Named {
        let known = self.recent.iter().rposition(|memory| memory.reporter.as_ref().map(ReporterId::as_str) == name.reporter);
        match known {
            Some(index) if index + 1 == self.recent.len() => {}
            Some(index) => self.recent[index..].rotate_left(1),
            None if self.forgotten.is_some_and(|forgotten| name.seq <= forgotten) => return Named::TooOld,
            None => {
                let heard_above = self.forgotten;
                if self.recent.len() == REMEMBERED_REPORTERS_MAX {
                    let forgotten = self.recent.remove(0).seqs.back().map(|&(seq, _)| seq);
                    self.forgotten = self.forgotten.max(forgotten);
                }
                self.recent.push(Memory {
                    reporter: name.reporter.and_then(ReporterId::new),
                    heard_above,
                    seqs: VecDeque::new(),
                });
            }
        }
        self.recent.last_mut().map_or(Named::New, |memory| memory.occupy(name.seq, content))
    }

    fn parts(&self) -> NamesParts {
        let reporters = self.recent.iter().map(|memory| ReporterNames {
            reporter: memory.reporter.clone(),
            heard_above: memory.heard_above,
            seqs: memory.seqs.iter().copied().collect(),
        });
        NamesParts::new(reporters.collect(), self.forgotten).expect("reporters are few and differ, and their numbers rise")
    }
}

impl From<NamesParts> for Reporters {
    fn from(parts: NamesParts) -> Self {
        let forgotten = parts.forgotten();
        let recent = parts.into_reporters().into_iter().map(|ReporterNames { reporter, heard_above, seqs }| Memory {
            reporter,
            heard_above,
            seqs: seqs.into(),
        });
        Self { recent: recent.collect(), forgotten }
    }
}

impl Memory {
    fn occupy(&mut self, seq: u64, content: ContentHash) -> Named {
        let place = match self.seqs.back() {
            Some(&(last, _)) if last >= seq => match self.seqs.binary_search_by_key(&seq, |&(seq, _)| seq) {
                Ok(found) if self.seqs[found].1 == content => return Named::Duplicate,
                Ok(_) => return Named::Conflict,
                Err(place) => place,
            },
            _ => self.seqs.len(),
        };
        if self.heard_above.is_some_and(|heard| seq <= heard) {
            return Named::TooOld;
        }
        if self.seqs.len() == REMEMBERED_SEQS_MAX {
            if place == 0 {
                return Named::TooOld;
            }
            self.seqs.pop_front();
            self.seqs.insert(place - 1, (seq, content));
        } else {
            self.seqs.insert(place, (seq, content));
        }
        Named::New
    }
}

fn place(subject: u32) -> usize {
    usize::try_from(subject).expect("a subject's number fits in memory")
}

/// A content's hash. It is stored, so it must never change: two words, multiplied as `wyhash` does
/// it, and of that the lowest bytes. The first word is the instant in milliseconds, with the region
/// in the highest byte but one and the kind in the highest; the second is the counts, the failed
/// ones higher, or the state. One multiplication, since it is on the hot path.
fn hash((region, at, body): Content) -> ContentHash {
    let (kind, second) = match body {
        EventBody::Outcome { ok, failed } => (0, u64::from(failed) << u32::BITS | u64::from(ok)),
        EventBody::State(HealthState::Up) => (1, 0),
        EventBody::State(HealthState::Unknown) => (1, 1),
        EventBody::State(HealthState::Maintenance) => (1, 2),
        EventBody::State(HealthState::Down) => (1, 3),
    };
    let region: u64 = match region {
        Region::Eu => 0,
        Region::Fe => 1,
        Region::Na => 2,
    };
    // Instants before the year 10000 take 48 bits.
    let first = at.ms().cast_unsigned() | region << 48 | kind << 56;
    let product = u128::from(first ^ HASH_SECRETS[0]) * u128::from(second ^ HASH_SECRETS[1]);
    let folded = product ^ (product >> u64::BITS);
    let [a, b, c, ..] = folded.to_le_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests;
