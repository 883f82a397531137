//! The journal of one owner: what it issues is written here before it is published (DESIGN section 5).
//!
//! Write, publish, mark. After a crash the owner publishes anew, byte for byte, what isn't marked, and
//! goes on from what it has issued: an issued decision is never lost, edited or doubled (R20).

use domain::Decision;
use domain::decision::Issuer;
use ports::state::{Op, StateStore};

use crate::error::Error;

/// What was issued by one owner, and how much of it is known to be published.
#[derive(Debug)]
pub struct Journal {
    issuer: Issuer,
    /// The number of the last entry; 0 where there is none.
    last_seq: u64,
    /// Up to which number entries are known to be published.
    published_seq: u64,
}

impl Journal {
    /// Opens an owner's journal; yields the decisions in it, in the order in which they were issued.
    ///
    /// # Errors
    /// When the store can't be read, or an entry isn't what was written.
    pub fn open(issuer: Issuer, store: &dyn StateStore) -> Result<(Self, Vec<Decision>), Error> {
        let mut journal = Self { issuer, last_seq: 0, published_seq: 0 };
        if let Some(mark) = store.get(&mark_key(issuer))? {
            journal.published_seq = number(&mark).ok_or_else(|| journal.damaged("mark", &mark))?;
        }
        let mut decisions = Vec::new();
        for (key, value) in store.scan(&entries_prefix(issuer))? {
            let decision = wire::decision::parse(&value).map_err(|source| journal.unreadable(&key, source))?;
            let seq = decision.evidence.issued.as_ref().map(|issued| issued.seq);
            if seq != Some(journal.last_seq + 1) {
                return Err(journal.damaged("entry", &key));
            }
            journal.last_seq += 1;
            decisions.push(decision);
        }
        Ok((journal, decisions))
    }

    /// Writes decisions, all or none; they are numbered from [`Self::last_seq`] + 1 on. They may be
    /// published once this returns.
    ///
    /// # Errors
    /// When they can't be written, or it isn't certain that they are.
    ///
    /// # Panics
    /// In debug builds when they are numbered otherwise.
    pub fn write(&mut self, decisions: &[Decision], store: &mut dyn StateStore) -> Result<(), Error> {
        if decisions.is_empty() {
            return Ok(());
        }
        let entry = |(seq, decision): (u64, &Decision)| {
            debug_assert_eq!(decision.evidence.issued.as_ref().map(|issued| (issued.by, issued.seq)), Some((self.issuer, seq)));
            Op::Put { key: entry_key(self.issuer, seq), value: wire::decision::write(decision) }
        };
        store.write((self.last_seq + 1..).zip(decisions).map(entry).collect())?;
        store.sync()?;
        self.last_seq += decisions.len() as u64;
        Ok(())
    }

    /// Notes that everything written so far is published.
    ///
    /// # Errors
    /// When that can't be written: it would be published once more, which readers drop.
    pub fn mark(&mut self, store: &mut dyn StateStore) -> Result<(), Error> {
        if self.published_seq < self.last_seq {
            store.put(&mark_key(self.issuer), self.last_seq.to_string().as_bytes())?;
            self.published_seq = self.last_seq;
        }
        Ok(())
    }

    /// The number of the last entry; 0 where there is none.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Of an owner's decisions, those that aren't known to be published.
    pub fn unpublished<'d>(&self, decisions: &'d [Decision]) -> impl Iterator<Item = &'d Decision> + use<'d> {
        let published = self.published_seq;
        let number = |decision: &Decision| decision.evidence.issued.as_ref().map(|issued| issued.seq);
        decisions.iter().filter(move |decision| number(decision).is_some_and(|seq| seq > published))
    }

    /// Whether all entries are known to be published.
    #[must_use]
    pub const fn is_published(&self) -> bool {
        self.published_seq == self.last_seq
    }

    fn unreadable(&self, key: &[u8], source: wire::Error) -> Error {
        Error::of_stored(key, source, |key, source| Error::Journal { issuer: self.issuer, key, source: Some(Box::new(source)) })
    }

    fn damaged(&self, what: &str, found: &[u8]) -> Error {
        Error::Journal { issuer: self.issuer, key: format!("{what} {}", String::from_utf8_lossy(found)), source: None }
    }
}

/// What the keys of an owner's entries begin with; the number follows, in twenty digits.
#[must_use]
pub fn entries_prefix(issuer: Issuer) -> Vec<u8> {
    format!("journal/{issuer}/entry/").into_bytes()
}

/// The key of an owner's entry.
#[must_use]
pub fn entry_key(issuer: Issuer, seq: u64) -> Vec<u8> {
    format!("journal/{issuer}/entry/{seq:020}").into_bytes()
}

/// The key under which stands, in digits, up to which number an owner's entries are published.
#[must_use]
pub fn mark_key(issuer: Issuer) -> Vec<u8> {
    format!("journal/{issuer}/published").into_bytes()
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
