//! Pages of a subject's past (R24).
//!
//! Form 1, in variable-length integers but for the first byte:
//!
//! - the form, one byte;
//! - the number of runs of reported minutes; of each run, how many minutes were left out before
//!   it and how long it is;
//! - of each reported minute, `ok` and `failed`;
//! - the number of states; of each, the milliseconds since the one before (or the page's start),
//!   shifted left by two bits, and the state in these two.

use domain::page::{MinuteCounts, PAGE_MINUTES, PageParts, StateAt};

use super::{state, varint};
use crate::Error;

/// The form that is written, and the only one that is read.
pub const FORM: u8 = 1;

/// A page as bytes.
#[must_use]
pub fn write(page: &PageParts) -> Vec<u8> {
    let mut out = vec![FORM];
    let runs = page.minutes().chunk_by(|a, b| a.minute + 1 == b.minute);
    varint::write(runs.clone().count() as u64, &mut out);
    let mut end = 0;
    for run in runs {
        varint::write(u64::from(run[0].minute - end), &mut out);
        varint::write(run.len() as u64, &mut out);
        end = run[run.len() - 1].minute + 1;
    }
    for counts in page.minutes() {
        varint::write(counts.ok, &mut out);
        varint::write(counts.failed, &mut out);
    }
    varint::write(page.states().len() as u64, &mut out);
    let mut before = 0;
    for at in page.states() {
        varint::write(u64::from(at.offset_ms - before) << state::BITS | state::code(at.state), &mut out);
        before = at.offset_ms;
    }
    out
}

/// A page from its bytes.
///
/// # Errors
/// Bytes that [`write`] can't have written, which includes those of a later form.
pub fn read(bytes: &[u8]) -> Result<PageParts, Error> {
    match bytes.split_first() {
        Some((&FORM, rest)) => read_parts(rest).map_err(|problem| Error::Stored { what: "page", problem }),
        Some((&form, _)) => Err(Error::Form { what: "page", found: u64::from(form), expected: u64::from(FORM) }),
        None => Err(Error::Stored { what: "page", problem: "it is empty" }),
    }
}

fn read_parts(mut rest: &[u8]) -> Result<PageParts, &'static str> {
    let mut minutes = read_runs(&mut rest)?;
    for counts in &mut minutes {
        counts.ok = varint::required(&mut rest)?;
        counts.failed = varint::required(&mut rest)?;
    }
    let states = read_states(&mut rest)?;
    if !rest.is_empty() {
        return Err("there is more behind it");
    }
    PageParts::new(minutes, states).ok_or("its minutes or states don't rise, or lie outside of it")
}

/// The minutes that are there, without counts. At most [`PAGE_MINUTES`], whatever the bytes say.
fn read_runs(rest: &mut &[u8]) -> Result<Vec<MinuteCounts>, &'static str> {
    const OUTSIDE: &str = "a run of minutes lies outside of it";
    let (mut minutes, mut end) = (Vec::new(), 0_u16);
    for _ in 0..varint::required(rest)? {
        let (left_out, length) = (varint::required(rest)?, varint::required(rest)?);
        let from = u64::from(end).checked_add(left_out).ok_or(OUTSIDE)?;
        let to = from.checked_add(length).filter(|to| *to <= u64::from(PAGE_MINUTES)).ok_or(OUTSIDE)?;
        let (from, to) = (u16::try_from(from).map_err(|_| OUTSIDE)?, u16::try_from(to).map_err(|_| OUTSIDE)?);
        minutes.extend((from..to).map(|minute| MinuteCounts { minute, ok: 0, failed: 0 }));
        end = to;
    }
    Ok(minutes)
}

fn read_states(rest: &mut &[u8]) -> Result<Vec<StateAt>, &'static str> {
    let count = varint::required(rest)?;
    // A state takes a byte at least: no number of states makes room for more than there can be.
    let mut states = Vec::with_capacity(usize::try_from(count).unwrap_or(usize::MAX).min(rest.len()));
    let mut offset_ms = 0_u32;
    for _ in 0..count {
        let value = varint::required(rest)?;
        let later = u32::try_from(value >> state::BITS).ok().and_then(|later| offset_ms.checked_add(later));
        offset_ms = later.ok_or("a state lies outside of it")?;
        states.push(StateAt { offset_ms, state: state::of(value) });
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::HealthState;
    use domain::page::PAGE_MS;
    use proptest::prelude::*;

    use super::*;

    fn pages() -> impl Strategy<Value = PageParts> {
        let counts = prop_oneof![(0..200_u64, 0..10_u64), (any::<u64>(), any::<u64>())];
        let minutes = prop::collection::btree_map(0..240_u16, counts, 0..240);
        let offsets = 0..u32::try_from(PAGE_MS).expect("a page is short");
        let states = prop::collection::btree_map(offsets, prop::sample::select(&HealthState::ALL[..]), 0..50);
        (minutes, states).prop_map(|(minutes, states): (BTreeMap<_, _>, BTreeMap<_, _>)| {
            let minutes = minutes.into_iter().map(|(minute, (ok, failed))| MinuteCounts { minute, ok, failed });
            let states = states.into_iter().map(|(offset_ms, state)| StateAt { offset_ms, state });
            PageParts::new(minutes.collect(), states.collect()).expect("sorted by their keys")
        })
    }

    proptest! {
        #[test]
        fn pages_come_back(page in pages()) {
            let bytes = write(&page);
            prop_assert_eq!(read(&bytes).expect("what was written"), page);
            for end in 0..bytes.len() {
                prop_assert!(read(&bytes[..end]).is_err(), "cut off at {} of {}", end, bytes.len());
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..300), is_form in any::<bool>()) {
            if let Some(form) = bytes.first_mut().filter(|_| is_form) {
                *form = FORM;
            }
            if let Ok(page) = read(&bytes) {
                prop_assert!(page.minutes().len() + page.states().len() <= bytes.len());
                prop_assert_eq!(read(&write(&page)).expect("what was written"), page);
            }
        }

        #[test]
        fn damage_is_read_or_refused(page in pages(), at in any::<prop::sample::Index>(), value in any::<u8>()) {
            let mut bytes = write(&page);
            let at = at.index(bytes.len());
            bytes[at] = value;
            if let Ok(page) = read(&bytes) {
                prop_assert_eq!(read(&write(&page)).expect("what was written"), page);
            }
        }
    }

    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(read(bytes).expect_err("wrong bytes").to_string(), expected, "{bytes:?}");
    }

    #[test]
    fn wrong_bytes_are_told_apart() {
        const HUGE: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        check(&[], "this is not a stored page: it is empty");
        check(&[2, 0, 0], "this page has form 2; expected form 1: upgrade the reader, or read what this version has written");
        check(&[1, 1, 0], "this is not a stored page: an integer is cut off or too large");
        check(&[1, 0, 0, 0], "this is not a stored page: there is more behind it");
        check(&[1, 1, 200, 1, 41], "this is not a stored page: a run of minutes lies outside of it");
        check(&[&[1, 1, 1], &HUGE[..]].concat(), "this is not a stored page: a run of minutes lies outside of it");
        check(&[&[1, 0], &HUGE[..]].concat(), "this is not a stored page: an integer is cut off or too large");
        check(&[&[1, 0, 1], &HUGE[..]].concat(), "this is not a stored page: a state lies outside of it");
        check(&[1, 0, 2, 4, 0], "this is not a stored page: its minutes or states don't rise, or lie outside of it");
    }

    #[test]
    fn an_ordinary_page_is_small() {
        let counts = |minute| MinuteCounts { minute, ok: 118, failed: 2 };
        let page = PageParts::new((0..240).map(counts).collect(), Vec::new()).expect("in order");
        assert_eq!(write(&page).len(), 1 + 4 + 240 * 2 + 1);
    }
}
