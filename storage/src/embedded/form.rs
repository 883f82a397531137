//! A segment as bytes: a header, then records, each with its length and a checksum. Numbers are stored lowest byte first.
//!
//! | Header | bytes | | Record | bytes |
//! |---|---|---|---|---|
//! | `bwlogs` | 6 | | length of the whole record | 4 |
//! | form, 1 | 1 | | CRC-32 of everything but itself | 4 |
//! | kind: 0 as appended, 1 compacted | 1 | | offset | 8 |
//! | offset of the first record there can be | 8 | | append time, epoch ms | 8 |
//! | first offset after a compacted segment's, else 0 | 8 | | length of the key | 4 |
//! | append time that no record is before, epoch ms | 8 | | key | |
//! | CRC-32 of what is before | 4 | | payload | |

use domain::Timestamp;

/// Longest record, key and payload together, in bytes: twice the longest line that a source delivers.
pub const RECORD_BYTES_MAX: usize = 2 << 20;
/// Length of a segment's header, in bytes.
pub(super) const HEADER_BYTES: usize = 36;
/// Length of a record without key and payload, in bytes.
pub(super) const RECORD_OVERHEAD_BYTES: usize = 28;
/// The form that is written and understood.
pub(super) const FORM: u8 = 1;
const MAGIC: [u8; 6] = *b"bwlogs";
/// Where the checksum of a record ends, and what it is about goes on.
const CHECKED_FROM: usize = 8;
const CHECKSUM_BYTES: usize = 4;

/// What a segment says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// The offset of the first record that it can hold.
    pub(super) base: u64,
    /// Of a compacted segment the first offset that it doesn't answer for.
    pub(super) compacted_to: Option<u64>,
    /// The append time of the record before it: none of its own is earlier.
    pub(super) floor: Timestamp,
}

/// A record within a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry<'a> {
    pub(super) offset: u64,
    pub(super) at: Timestamp,
    pub(super) key: &'a [u8],
    pub(super) payload: &'a [u8],
}

/// What a header can't be read for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BadHeader {
    Form(u8),
    Damaged,
}

/// What the bytes at a place come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Measured {
    /// A whole record of so many bytes, its checksum right.
    Whole(usize),
    /// At least so many bytes are needed.
    Short(usize),
    /// No record.
    Bad,
}

impl Header {
    pub(super) fn encode(self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..6].copy_from_slice(&MAGIC);
        (out[6], out[7]) = (FORM, u8::from(self.compacted_to.is_some()));
        out[8..16].copy_from_slice(&self.base.to_le_bytes());
        out[16..24].copy_from_slice(&self.compacted_to.unwrap_or(0).to_le_bytes());
        out[24..32].copy_from_slice(&self.floor.ms().to_le_bytes());
        let checksum = crc32fast::hash(&out[..HEADER_BYTES - CHECKSUM_BYTES]);
        out[HEADER_BYTES - CHECKSUM_BYTES..].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadHeader> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(BadHeader::Damaged)?;
        if header[..6] != MAGIC {
            return Err(BadHeader::Damaged);
        }
        let (checked, stored) = header.split_at(HEADER_BYTES - CHECKSUM_BYTES);
        // A later form may well have another header, checksum included.
        if header[6] > FORM {
            return Err(BadHeader::Form(header[6]));
        }
        if stored != crc32fast::hash(checked).to_le_bytes() {
            return Err(BadHeader::Damaged);
        }
        let (base, to) = (number(header, 8), number(header, 16));
        let compacted_to = match header[7] {
            0 => None,
            1 if to > base => Some(to),
            _ => return Err(BadHeader::Damaged),
        };
        let floor = timestamp(header, 24).ok_or(BadHeader::Damaged)?;
        Ok(Self { base, compacted_to, floor })
    }
}

/// A record's length, in bytes.
pub(super) const fn record_bytes(key: &[u8], payload: &[u8]) -> usize {
    RECORD_OVERHEAD_BYTES + key.len() + payload.len()
}

/// Appends a record, which is not longer than [`RECORD_BYTES_MAX`].
pub(super) fn encode(entry: &Entry<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    // Both fit, as the record isn't longer than the most that there is.
    let length = u32::try_from(record_bytes(entry.key, entry.payload)).unwrap_or(u32::MAX);
    let key_bytes = u32::try_from(entry.key.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&[0; CHECKSUM_BYTES]);
    out.extend_from_slice(&entry.offset.to_le_bytes());
    out.extend_from_slice(&entry.at.ms().to_le_bytes());
    out.extend_from_slice(&key_bytes.to_le_bytes());
    out.extend_from_slice(entry.key);
    out.extend_from_slice(entry.payload);
    let checksum = checksum(&out[start..]);
    out[start + CHECKED_FROM - CHECKSUM_BYTES..start + CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
}

/// Looks whether the bytes begin with a record.
pub(super) fn measure(bytes: &[u8]) -> Measured {
    let Some(start) = bytes.first_chunk::<RECORD_OVERHEAD_BYTES>() else { return Measured::Short(RECORD_OVERHEAD_BYTES) };
    let (length, key_bytes) = (size(start, 0), size(start, 24));
    let fits = (RECORD_OVERHEAD_BYTES..=RECORD_OVERHEAD_BYTES + RECORD_BYTES_MAX).contains(&length)
        && key_bytes <= length - RECORD_OVERHEAD_BYTES
        && timestamp(start, 16).is_some();
    match bytes.get(..length) {
        _ if !fits => Measured::Bad,
        None => Measured::Short(length),
        Some(record) if checksum(record).to_le_bytes() == start[4..8] => Measured::Whole(length),
        Some(_) => Measured::Bad,
    }
}

/// The record that [`measure`] has found to be whole; `None` for other bytes.
pub(super) fn decode(record: &[u8]) -> Option<Entry<'_>> {
    let (start, content) = record.split_first_chunk::<RECORD_OVERHEAD_BYTES>()?;
    let (key, payload) = content.split_at_checked(size(start, 24))?;
    Some(Entry { offset: number(start, 8), at: timestamp(start, 16)?, key, payload })
}

/// Where the first whole record begins, at or after which offset `least`; searched for at every byte.
pub(super) fn find_record(bytes: &[u8], least: u64) -> Option<usize> {
    (0..bytes.len()).find(|&at| {
        let here = &bytes[at..];
        // Asked before the checksum, which would make the search quadratic: no more records than bytes can follow.
        let plausible = here.first_chunk::<RECORD_OVERHEAD_BYTES>().is_some_and(|start| {
            number(start, 8).checked_sub(least).is_some_and(|ahead| ahead <= (bytes.len() / RECORD_OVERHEAD_BYTES) as u64)
        });
        plausible && matches!(measure(here), Measured::Whole(_))
    })
}

fn checksum(record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&record[..CHECKED_FROM - CHECKSUM_BYTES]);
    hasher.update(&record[CHECKED_FROM..]);
    hasher.finalize()
}

fn number<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |number| u64::from_le_bytes(*number))
}

fn size<const N: usize>(bytes: &[u8; N], at: usize) -> usize {
    let number = bytes[at..].first_chunk().map_or(0, |number| u32::from_le_bytes(*number));
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn timestamp<const N: usize>(bytes: &[u8; N], at: usize) -> Option<Timestamp> {
    Timestamp::from_ms(i64::try_from(number(bytes, at)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms).unwrap()
    }

    fn encoded(entry: &Entry<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        encode(entry, &mut out);
        out
    }

    #[test]
    fn a_header_with_any_byte_changed_is_none() {
        for compacted_to in [None, Some(77)] {
            let header = Header { base: 5, compacted_to, floor: at(1_000) };
            let whole = header.encode();
            assert_eq!(Header::decode(&whole), Ok(header));
            for byte in 0..HEADER_BYTES {
                let mut changed = whole;
                changed[byte] ^= 0x10;
                let expected = if byte == 6 { BadHeader::Form(0x11) } else { BadHeader::Damaged };
                assert_eq!(Header::decode(&changed), Err(expected), "byte {byte}");
                assert_eq!(Header::decode(&whole[..byte]), Err(BadHeader::Damaged), "{byte} bytes");
            }
        }
    }

    #[test]
    fn a_record_with_any_byte_changed_is_none() {
        let whole = encoded(&Entry { offset: 3, at: at(7), key: b"product:B1", payload: b"payload" });
        for byte in 0..whole.len() {
            for flip in [1, 0x80] {
                let mut changed = whole.clone();
                changed[byte] ^= flip;
                assert!(!matches!(measure(&changed), Measured::Whole(_)), "byte {byte}");
            }
            assert!(matches!(measure(&whole[..byte]), Measured::Short(needed) if needed > byte), "{byte} bytes");
        }
    }

    #[test]
    fn a_record_is_found_behind_other_bytes_unless_it_is_an_old_one() {
        let record = encoded(&Entry { offset: 9, at: at(7), key: b"", payload: b"x" });
        let check =
            |least, expected| assert_eq!(find_record(&[b"rubbish".as_slice(), &record, b"more"].concat(), least), expected);
        check(9, Some(7));
        check(8, Some(7));
        check(10, None);
        check(1, None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            offset: u64, ms in 0..=Timestamp::MAX.ms(), key: Vec<u8>, payload: Vec<u8>, rest: Vec<u8>,
        ) {
            let entry = Entry { offset, at: at(ms), key: &key, payload: &payload };
            let mut bytes = encoded(&entry);
            let length = record_bytes(&key, &payload);
            prop_assert_eq!(bytes.len(), length);
            bytes.extend_from_slice(&rest);
            prop_assert_eq!(measure(&bytes), Measured::Whole(length));
            prop_assert_eq!(decode(&bytes[..length]), Some(entry));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = (measure(&bytes), decode(&bytes), Header::decode(&bytes), find_record(&bytes, 0));
        }
    }
}
