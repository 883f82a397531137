//! The names of a subject's events (R5), within its head:
//!
//! - the number of reporters, shifted left by one bit, and in it whether one was forgotten; where
//!   one was, the highest sequence number of those;
//! - of each reporter, the length of its id, 0 for none, and the id; the number of sequence
//!   numbers, shifted left by one bit, and in it whether they are heard above a number only; that
//!   number; the sequence numbers; their contents' hashes, three bytes each;
//! - of sequence numbers, the first, and of each other one how many were left out before it; a 0
//!   there is followed by how many more come without a gap.

use domain::NamesParts;
use domain::id::ReporterId;
use domain::names::{ContentHash, REMEMBERED_REPORTERS_MAX, REMEMBERED_SEQS_MAX, ReporterNames};

use super::varint;

pub(super) fn write(names: &NamesParts, out: &mut Vec<u8>) {
    write_count(names.reporters().len(), names.forgotten(), out);
    for one in names.reporters() {
        let id = one.reporter.as_ref().map_or("", ReporterId::as_str);
        varint::write(id.len() as u64, out);
        out.extend_from_slice(id.as_bytes());
        write_count(one.seqs.len(), one.heard_above, out);
        write_seqs(&one.seqs, out);
        out.extend(one.seqs.iter().flat_map(|(_, hash)| hash));
    }
}

pub(super) fn read(rest: &mut &[u8]) -> Result<NamesParts, &'static str> {
    let (count, forgotten) = read_count(rest)?;
    if count > REMEMBERED_REPORTERS_MAX as u64 {
        return Err("it has too many reporters");
    }
    let reporters = (0..count).map(|_| read_reporter(rest)).collect::<Result<Vec<_>, _>>()?;
    NamesParts::new(reporters, forgotten).ok_or("its reporters or their numbers contradict each other")
}

fn write_count(count: usize, optional: Option<u64>, out: &mut Vec<u8>) {
    varint::write((count as u64) << 1 | u64::from(optional.is_some()), out);
    if let Some(value) = optional {
        varint::write(value, out);
    }
}

fn read_count(rest: &mut &[u8]) -> Result<(u64, Option<u64>), &'static str> {
    let count = varint::required(rest)?;
    let optional = if count & 1 == 1 { Some(varint::required(rest)?) } else { None };
    Ok((count >> 1, optional))
}

fn read_reporter(rest: &mut &[u8]) -> Result<ReporterNames, &'static str> {
    let bytes = usize::try_from(varint::required(rest)?).unwrap_or(usize::MAX);
    let (id, behind) = rest.split_at_checked(bytes).ok_or("a reporter is cut off")?;
    *rest = behind;
    let id = std::str::from_utf8(id).map_err(|_| "a reporter isn't text")?;
    let reporter = match id {
        "" => None,
        id => Some(ReporterId::new(id).ok_or("a reporter's id is too long")?),
    };
    let (count, heard_above) = read_count(rest)?;
    if count > REMEMBERED_SEQS_MAX as u64 {
        return Err("a reporter has too many numbers");
    }
    let seqs = read_seqs(count, rest)?;
    let hashes = seqs.iter().map(|_| {
        let (hash, behind) = rest.split_first_chunk::<{ size_of::<ContentHash>() }>().ok_or("a hash is cut off")?;
        *rest = behind;
        Ok(*hash)
    });
    let hashes = hashes.collect::<Result<Vec<_>, &'static str>>()?;
    Ok(ReporterNames { reporter, heard_above, seqs: seqs.into_iter().zip(hashes).collect() })
}

fn write_seqs(seqs: &[(u64, ContentHash)], out: &mut Vec<u8>) {
    let mut rows = seqs.chunk_by(|(a, _), (b, _)| b - a == 1);
    let mut before = None;
    for row in &mut rows {
        let first = row[0].0;
        varint::write(before.map_or(first, |before: u64| first - before - 1), out);
        if row.len() > 1 {
            varint::write(0, out);
            varint::write(row.len() as u64 - 2, out);
        }
        before = Some(row[row.len() - 1].0);
    }
}

/// At most [`REMEMBERED_SEQS_MAX`] numbers, rising.
fn read_seqs(count: u64, rest: &mut &[u8]) -> Result<Vec<u64>, &'static str> {
    const BEYOND: &str = "a sequence number is too large";
    let mut seqs = Vec::new();
    while (seqs.len() as u64) < count {
        let left_out = varint::required(rest)?;
        let Some(&before) = seqs.last() else {
            seqs.push(left_out);
            continue;
        };
        let more = if left_out == 0 { varint::required(rest)? } else { 0 };
        if more > count - seqs.len() as u64 - 1 {
            return Err("a row of sequence numbers is too long");
        }
        let next = left_out.checked_add(1).and_then(|gap| gap.checked_add(before)).ok_or(BEYOND)?;
        let last = next.checked_add(more).ok_or(BEYOND)?;
        seqs.extend(next..=last);
    }
    Ok(seqs)
}
