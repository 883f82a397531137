//! Stretches of the registry's log: its records from one offset up to another, without its ticks, so that a start
//! needn't read the log from its beginning.
//!
//! Form 1, in variable-length integers but for the first byte, the records' bytes and the last four bytes:
//!
//! - the form, one byte;
//! - the first offset, and how many offsets there are;
//! - the log's time behind them, the mark that still counts there ([`crate::appended`]), and of the last record, which
//!   may be a tick, the append time and the checksum; times as epoch milliseconds and one, or 0 where there is none;
//! - the number of records that are kept; of each, how many offsets were left out before it, when it was appended
//!   first, the log's time there, its length and its bytes;
//! - the CRC-32 of all this, lowest byte first.
//!
//! The log says everything that a stretch says, so whoever finds one damaged reads the log instead.

use domain::Timestamp;

use super::varint;
use crate::Error;

/// The form that is written, and the only one that is read.
pub const FORM: u8 = 1;
const WHAT: &str = "stretch of the registry";
/// Length of the checksum at the end, in bytes.
const CHECKSUM_BYTES: usize = 4;
const RANGE: &str = "its offsets don't rise, or lie outside of it";
const TIMES: &str = "its times don't rise, or lie outside of 1970 to 9999";

/// A part of the registry's log.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Stretch {
    /// Its first offset.
    pub from: u64,
    /// The first offset behind it.
    pub to: u64,
    /// The latest append time up to its end, as the log tells it.
    pub log_time: Option<Timestamp>,
    /// The mark that counts for what follows, in a log that was restored.
    pub marked: Option<Timestamp>,
    /// Its last record, by which the log is known again.
    pub last: Last,
    /// Its records, but for ticks and such as hold no line.
    pub records: Vec<Kept>,
}

/// What the record before the end of a stretch was.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Last {
    /// When this log took it.
    pub appended_at: Option<Timestamp>,
    /// The [`checksum`] of its bytes.
    pub checksum: u32,
}

/// A record of the registry's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its offset.
    pub offset: u64,
    /// When it was appended first.
    pub recorded_at: Option<Timestamp>,
    /// The latest append time up to it: clocks of brokers differ.
    pub log_time: Option<Timestamp>,
    /// Its bytes.
    pub payload: Vec<u8>,
}

/// The CRC-32 of some bytes.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// A stretch as bytes. What [`read`] refuses for its order mustn't be given.
#[must_use]
pub fn write(stretch: &Stretch) -> Vec<u8> {
    let mut out = vec![FORM];
    varint::write(stretch.from, &mut out);
    varint::write(stretch.to.saturating_sub(stretch.from), &mut out);
    for time in [stretch.log_time, stretch.marked, stretch.last.appended_at] {
        write_time(time, &mut out);
    }
    varint::write(stretch.last.checksum.into(), &mut out);
    varint::write(stretch.records.len() as u64, &mut out);
    let mut next = stretch.from;
    for kept in &stretch.records {
        varint::write(kept.offset.saturating_sub(next), &mut out);
        write_time(kept.recorded_at, &mut out);
        write_time(kept.log_time, &mut out);
        varint::write(kept.payload.len() as u64, &mut out);
        out.extend_from_slice(&kept.payload);
        next = kept.offset.saturating_add(1);
    }
    let checksum = checksum(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    out
}

/// A stretch from its bytes.
///
/// # Errors
/// [`Error::Form`] for a form that isn't understood, [`Error::Stored`] for anything else that [`write`] can't have
/// written, or that was damaged since.
pub fn read(bytes: &[u8]) -> Result<Stretch, Error> {
    let wrong = |problem| Error::Stored { what: WHAT, problem };
    let (body, stored) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(wrong("it is cut off"))?;
    if checksum(body) != u32::from_le_bytes(*stored) {
        return Err(wrong("its checksum is another"));
    }
    match body.split_first() {
        Some((&FORM, rest)) => read_parts(rest).map_err(wrong),
        Some((&form, _)) => Err(Error::Form { what: WHAT, found: u64::from(form), expected: u64::from(FORM) }),
        None => Err(wrong("it is empty")),
    }
}

fn read_parts(mut rest: &[u8]) -> Result<Stretch, &'static str> {
    let (from, count) = (varint::required(&mut rest)?, varint::required(&mut rest)?);
    let to = from.checked_add(count).filter(|to| *to > from).ok_or(RANGE)?;
    let [log_time, marked, appended_at] = [read_time(&mut rest)?, read_time(&mut rest)?, read_time(&mut rest)?];
    let checksum = u32::try_from(varint::required(&mut rest)?).map_err(|_| "a checksum is too large")?;
    let last = Last { appended_at, checksum };
    let mut stretch = Stretch { from, to, log_time, marked, last, records: Vec::new() };
    let (mut next, mut time) = (from, None);
    for _ in 0..varint::required(&mut rest)? {
        let kept = read_kept(&mut rest, next)?;
        if kept.log_time < time || kept.recorded_at > kept.log_time {
            return Err(TIMES);
        }
        next = kept.offset.checked_add(1).filter(|next| *next <= to).ok_or(RANGE)?;
        time = kept.log_time;
        stretch.records.push(kept);
    }
    match rest {
        _ if log_time < time => Err(TIMES),
        [] => Ok(stretch),
        _ => Err("there is more behind it"),
    }
}

fn read_kept(rest: &mut &[u8], next: u64) -> Result<Kept, &'static str> {
    let offset = varint::required(rest)?.checked_add(next).ok_or(RANGE)?;
    let (recorded_at, log_time) = (read_time(rest)?, read_time(rest)?);
    let length = usize::try_from(varint::required(rest)?).unwrap_or(usize::MAX);
    let (payload, behind) = rest.split_at_checked(length).ok_or("a record is cut off")?;
    *rest = behind;
    Ok(Kept { offset, recorded_at, log_time, payload: payload.to_vec() })
}

fn write_time(time: Option<Timestamp>, out: &mut Vec<u8>) {
    let ms = time.and_then(|time| u64::try_from(time.ms()).ok());
    varint::write(ms.map_or(0, |ms| ms + 1), out);
}

fn read_time(rest: &mut &[u8]) -> Result<Option<Timestamp>, &'static str> {
    match varint::required(rest)? {
        0 => Ok(None),
        after => i64::try_from(after - 1).ok().and_then(Timestamp::from_ms).map(Some).ok_or(TIMES),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Option<Timestamp> {
        Timestamp::from_ms(ms)
    }

    fn kept(offset: u64, recorded: i64, log: i64, payload: &[u8]) -> Kept {
        Kept { offset, recorded_at: at(recorded), log_time: at(log), payload: payload.to_vec() }
    }

    fn stretch() -> Stretch {
        let records = vec![kept(300, 5, 5, b"{}"), kept(304, 1_000, 2_000, b"a\n\xff"), kept(305, -1, 2_000, b"")];
        Stretch {
            from: 300,
            to: 310,
            log_time: at(3_000),
            marked: at(0),
            last: Last { appended_at: at(7), checksum: 9 },
            records,
        }
    }

    /// With its checksum as it should be.
    fn sealed(body: &[u8]) -> Vec<u8> {
        [body, &checksum(body).to_le_bytes()].concat()
    }

    /// Must never change: stretches of form 1 are stored.
    const FORM_1: &[u8] = &[
        1, 0xac, 2, 10, 0xb9, 0x17, 1, 8, 9, 3, // The head.
        0, 6, 6, 2, b'{', b'}', // A record.
        3, 0xe9, 7, 0xd1, 0x0f, 3, b'a', b'\n', 0xff, // One behind three ticks.
        0, 0, 0xd1, 0x0f, 0, // One whose append time nobody knows.
    ];

    #[test]
    fn form_1_is_read_and_written() {
        assert_eq!(read(&sealed(FORM_1)).expect("form 1"), stretch());
        assert_eq!(write(&stretch()), sealed(FORM_1));
    }

    #[test]
    fn a_damaged_one_is_refused_whatever_changed() {
        let whole = sealed(FORM_1);
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[place] ^= 1 << bit;
                let told = read(&damaged).expect_err("a bit is another").to_string();
                assert_eq!(told, "this is not a stored stretch of the registry: its checksum is another", "{place} {bit}");
            }
            assert!(read(&whole[..place]).is_err(), "cut off at {place}");
        }
    }

    #[test]
    fn what_was_never_written_is_refused() {
        let check = |body: &[u8], expected: &str| {
            let told = read(&sealed(body)).expect_err("never written").to_string();
            assert!(told.contains(expected), "{told}");
        };
        check(&[2, 7], "has form 2; expected form 1: upgrade the reader");
        check(&[], "it is empty");
        check(&[1, 5, 0, 0, 0, 0, 0, 0], RANGE);
        check(&[1, 5, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0], RANGE);
        check(&[1, 5, 2, 9, 0, 0, 0, 1, 0, 9, 8, 0], TIMES);
        check(&[1, 5, 2, 7, 0, 0, 0, 1, 0, 8, 8, 0], TIMES);
        check(&[1, 5, 2, 7, 0, 0, 0, 1, 0, 7, 7, 9, b'x'], "a record is cut off");
        check(&[1, 5, 2, 7, 0, 0, 0, 0, 0], "there is more behind it");
        assert_eq!(read(&sealed(&[1, 5, 2, 7, 0, 0, 0, 0])).expect("ticks alone").to, 7);
    }

    prop_compose! {
        fn stretches()(
            from in 0..u64::MAX / 2,
            behind in 1..9_u64,
            marked in prop::option::of(0..=Timestamp::MAX.ms()),
            appended in prop::option::of(0..=Timestamp::MAX.ms()),
            checksum: u32,
            records in prop::collection::vec((0..5_u64, 0..100_000_i64, 0..100_000_i64, any::<bool>(), any::<Vec<u8>>()), 0..6),
        ) -> Stretch {
            let (mut to, mut time, mut kept) = (from, 0, Vec::new());
            for (left_out, later, before, is_dated, payload) in records {
                time += later;
                let recorded_at = is_dated.then(|| Timestamp::clamped(time - before));
                kept.push(Kept { offset: to + left_out, recorded_at, log_time: Timestamp::from_ms(time), payload });
                to += left_out + 1;
            }
            Stretch {
                from,
                to: to + behind,
                log_time: Timestamp::from_ms(time),
                marked: marked.and_then(Timestamp::from_ms),
                last: Last { appended_at: appended.and_then(Timestamp::from_ms), checksum },
                records: kept,
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(stretch in stretches()) {
            prop_assert_eq!(read(&write(&stretch)).expect("a stretch"), stretch);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            prop_assert!(read(&bytes).is_err());
            let _read_or_refused = read(&sealed(&[&[FORM], &bytes[..]].concat()));
        }
    }
}
