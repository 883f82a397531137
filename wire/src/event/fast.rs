//! The reader of ordinary event lines: one pass over the bytes, nothing allocated.
//!
//! It is optimistic. It accepts only what the slow reader accepts with the same result, and at
//! anything else (an escape, an unknown or repeated key, an odd number, a list of latencies, a wrong
//! value) it gives up without a reason. So it can be plain: every doubt ends in `None`.

use std::borrow::Cow;

use domain::id::valid_id;
use domain::{EventBody, HealthState, Region, SubjectRef, Timestamp};

use super::{Latency, ParsedEvent, latency};
use crate::instant;

/// Reads an ordinary event line; `None` leaves the line to the slow reader.
pub(super) fn parse(line: &[u8]) -> Option<ParsedEvent<'_>> {
    let text = std::str::from_utf8(line).ok()?;
    let mut cursor = Cursor { text, at: 0 };
    let mut raw = Raw::default();
    cursor.token(b'{')?;
    loop {
        let key = cursor.string()?;
        cursor.token(b':')?;
        cursor.blanks();
        raw.take(key, &mut cursor)?;
        match cursor.any_token()? {
            b',' => cursor.blanks(),
            b'}' => break,
            _ => return None,
        }
    }
    cursor.blanks();
    if cursor.at == line.len() { raw.event() } else { None }
}

/// What has been read of a line.
#[derive(Default)]
struct Raw<'a> {
    version: Option<u64>,
    kind: Option<&'a str>,
    subject: Option<&'a str>,
    region: Option<&'a str>,
    at: Option<Timestamp>,
    ok: Option<u64>,
    failed: Option<u64>,
    state: Option<&'a str>,
    reporter: Option<&'a str>,
    seq: Option<u64>,
    latency_ms: Option<u64>,
}

impl<'a> Raw<'a> {
    /// Reads the value of a key.
    #[inline]
    fn take(&mut self, key: &str, cursor: &mut Cursor<'a>) -> Option<()> {
        match key {
            "v" => once(&mut self.version, cursor.unsigned()?),
            "type" => once(&mut self.kind, cursor.string()?),
            "subject" => once(&mut self.subject, cursor.string()?),
            "region" => once(&mut self.region, cursor.string()?),
            "at" => once(&mut self.at, cursor.instant()?),
            "ok" => once(&mut self.ok, cursor.unsigned()?),
            "failed" => once(&mut self.failed, cursor.unsigned()?),
            "state" => once(&mut self.state, cursor.string()?),
            "reporter" => once(&mut self.reporter, cursor.string()?),
            "seq" => once(&mut self.seq, cursor.unsigned()?),
            "latency_ms" => once(&mut self.latency_ms, cursor.unsigned()?),
            _ => None,
        }
    }

    fn event(self) -> Option<ParsedEvent<'a>> {
        if self.version != Some(1) {
            return None;
        }
        let subject = SubjectRef::parse(self.subject?)?;
        let body = match self.kind? {
            "outcome" => EventBody::Outcome { ok: u32::try_from(self.ok?).ok()?, failed: u32::try_from(self.failed?).ok()? },
            "state" => {
                let name = self.state?;
                EventBody::State(HealthState::ALL.into_iter().find(|state| state.as_str() == name)?)
            }
            _ => return None,
        };
        if self.reporter.is_some_and(|reporter| !valid_id(reporter)) {
            return None;
        }
        let latency = match (body, self.latency_ms) {
            (EventBody::Outcome { .. }, Some(ms)) => Latency::Each(latency(ms)?),
            _ => Latency::Unknown,
        };
        Some(ParsedEvent {
            kind: subject.kind,
            id: Cow::Borrowed(subject.id),
            region: Region::parse(self.region?)?,
            at: self.at?,
            body,
            reporter: self.reporter.map(Cow::Borrowed),
            seq: self.seq,
            latency,
        })
    }
}

/// Fills a field that has not been read before.
#[inline]
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// How many bytes come before the first `"`, `\\` or control character, eight at a time.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = 0x80 * ONES;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Borrows run upwards, so the lowest marked byte of each search is a true one, and little
        // endian makes it the first in the text.
        let below = |bytes: u64, limit: u64| bytes.wrapping_sub(ONES * limit) & !bytes & HIGH_BITS;
        let marked = below(word, 0x20) | below(word ^ (ONES * u64::from(b'"')), 1) | below(word ^ (ONES * u64::from(b'\\')), 1);
        if marked != 0 {
            return index * 8 + (marked.trailing_zeros() / 8) as usize;
        }
    }
    let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
    words.len() * 8 + plain
}

/// A place in a line.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn blanks(&mut self) {
        while let Some(byte) = self.peek()
            && byte <= b' '
            && matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
        {
            self.at += 1;
        }
    }

    #[inline]
    fn any_token(&mut self) -> Option<u8> {
        self.blanks();
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Blanks, a given byte, blanks.
    #[inline]
    fn token(&mut self, token: u8) -> Option<()> {
        let found = self.any_token()? == token;
        self.blanks();
        found.then_some(())
    }

    /// A string without escapes.
    #[inline]
    fn string(&mut self) -> Option<&'a str> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let end = start + plain_length(self.text.as_bytes().get(start..)?);
        self.at = end + 1;
        (self.text.as_bytes().get(end) == Some(&b'"')).then(|| self.text.get(start..end))?
    }

    /// A whole number without sign, fraction, exponent or needless zeros, at most `u64::MAX`.
    #[inline]
    fn unsigned(&mut self) -> Option<u64> {
        let start = self.at;
        let mut number = 0_u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            self.at += 1;
        }
        let needless_zero = self.at - start > 1 && self.text.as_bytes()[start] == b'0';
        let goes_on = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        (self.at > start && !needless_zero && !goes_on).then_some(number)
    }

    /// An instant, as RFC 3339 or epoch milliseconds.
    #[inline]
    fn instant(&mut self) -> Option<Timestamp> {
        if self.peek()? == b'"' {
            let text = self.string()?;
            instant::parse_usual(text.as_bytes()).or_else(|| Timestamp::parse_rfc3339(text))
        } else {
            Timestamp::from_ms(i64::try_from(self.unsigned()?).ok()?)
        }
    }
}
