//! The health of a subject in a region (R24), within its head:
//!
//! - the page before which everything is forgotten, and the one from which on none was made;
//! - its down and its judged minutes, each set in whichever form is shorter. The number of parts,
//!   shifted left by one bit, and in it the form. In form 0 a part is a row of minutes: how many
//!   are left out before it, and how many it has. In form 1 it is a run of hours with the same
//!   minutes: how many hours are left out before it, how many it has, and the bits of each;
//! - the number of runs of states; of each, the milliseconds since the last state of the one
//!   before (or since 1970), shifted left by two bits, and the state in these two; and the
//!   milliseconds from its first to its last state.

use domain::HealthParts;
use domain::health::{HOUR_MINUTES, HOUR_WHOLE, HourRun, MinuteRuns, StateRun, StateRuns};
use domain::page::PageNo;
use domain::time::{HOUR_MS, Timestamp};

use super::super::state;
use super::varint;

/// Minutes in a row, `[from, to)` since 1970.
type Row = (u32, u32);

const ROWS: u64 = 0;
const RUNS: u64 = 1;
const OUTSIDE: &str = "a minute lies outside of time";

pub(super) fn write(parts: &HealthParts, out: &mut Vec<u8>) {
    varint::write(u64::from(parts.forgotten.get()), out);
    varint::write(u64::from(parts.horizon.get()), out);
    write_minutes(parts.down.as_slice(), out);
    write_minutes(parts.judged.as_slice(), out);
    let states = parts.states.as_slice();
    varint::write(states.len() as u64, out);
    let mut before = Timestamp::MIN;
    for run in states {
        varint::write((run.from - before).ms().unsigned_abs() << state::BITS | state::code(run.state), out);
        varint::write(u64::from(run.lasts_ms), out);
        before = run.last();
    }
}

pub(super) fn read(rest: &mut &[u8]) -> Result<HealthParts, &'static str> {
    let mut page = || u32::try_from(varint::required(rest)?).map(PageNo::new).map_err(|_| "a page lies outside of time");
    let (forgotten, horizon) = (page()?, page()?);
    let (down, judged) = (read_minutes(rest)?, read_minutes(rest)?);
    let states = read_states(rest)?;
    Ok(HealthParts { forgotten, horizon, down, judged, states })
}

fn write_minutes(runs: &[HourRun], out: &mut Vec<u8>) {
    let as_runs = write_runs(runs);
    match write_rows(runs, as_runs.1.len()) {
        Some((count, bytes)) => write_parts(count, ROWS, &bytes, out),
        None => write_parts(as_runs.0, RUNS, &as_runs.1, out),
    }
}

fn write_parts(count: u64, form: u64, bytes: &[u8], out: &mut Vec<u8>) {
    varint::write(count << 1 | form, out);
    out.extend_from_slice(bytes);
}

fn write_runs(runs: &[HourRun]) -> (u64, Vec<u8>) {
    let (mut out, mut end) = (Vec::new(), 0);
    for run in runs {
        varint::write(u64::from(run.hour - end), &mut out);
        varint::write(u64::from(run.hours), &mut out);
        varint::write(run.bits, &mut out);
        end = run.end();
    }
    (runs.len() as u64, out)
}

/// The rows, as long as they take no more than so many bytes: a run can be millions of them.
fn write_rows(runs: &[HourRun], bytes_max: usize) -> Option<(u64, Vec<u8>)> {
    let (mut out, mut count, mut end) = (Vec::new(), 0, 0);
    let mut write = |(from, to): Row| {
        varint::write(u64::from(from - end), &mut out);
        varint::write(u64::from(to - from), &mut out);
        count += 1;
        end = to;
        (out.len() <= bytes_max).then_some(())
    };
    let mut open: Option<Row> = None;
    for (from, to) in runs.iter().flat_map(|run| rows(*run)) {
        match &mut open {
            Some(row) if row.1 == from => row.1 = to,
            _ => open.replace((from, to)).map_or(Some(()), &mut write)?,
        }
    }
    open.map_or(Some(()), &mut write)?;
    Some((count, out))
}

/// The rows of each hour of a run; one that is whole is one row.
fn rows(run: HourRun) -> impl Iterator<Item = Row> {
    let is_whole = run.bits == HOUR_WHOLE;
    let hours = run.hour..if is_whole { run.hour + 1 } else { run.end() };
    hours.flat_map(move |hour| {
        let start = hour * HOUR_MINUTES;
        rows_of(run.bits).map(move |(from, to)| (start + from, if is_whole { run.end() * HOUR_MINUTES } else { start + to }))
    })
}

fn rows_of(bits: u64) -> impl Iterator<Item = Row> {
    let mut end = 0;
    std::iter::from_fn(move || {
        let rest = bits >> end;
        let from = end + if rest == 0 { return None } else { rest.trailing_zeros() };
        end = from + (bits >> from).trailing_ones();
        Some((from, end))
    })
}

fn read_minutes(rest: &mut &[u8]) -> Result<MinuteRuns, &'static str> {
    let count = varint::required(rest)?;
    let runs = if count & 1 == RUNS { read_runs(count >> 1, rest)? } else { read_rows(count >> 1, rest)? };
    MinuteRuns::new(runs).ok_or("its minutes are empty, could be fewer runs, or lie outside of time")
}

/// Each takes three bytes at least, so their number needs no limit of its own.
fn read_runs(count: u64, rest: &mut &[u8]) -> Result<Vec<HourRun>, &'static str> {
    let (mut runs, mut end) = (Vec::new(), 0_u32);
    for _ in 0..count {
        let (left_out, hours, bits) = (varint::required(rest)?, varint::required(rest)?, varint::required(rest)?);
        let hour = u32::try_from(left_out).ok().and_then(|left_out| end.checked_add(left_out)).ok_or(OUTSIDE)?;
        let hours = u32::try_from(hours).map_err(|_| OUTSIDE)?;
        end = hour.checked_add(hours).ok_or(OUTSIDE)?;
        runs.push(HourRun { hour, hours, bits });
    }
    Ok(runs)
}

/// A row takes two bytes at least and makes three runs at most.
fn read_rows(count: u64, rest: &mut &[u8]) -> Result<Vec<HourRun>, &'static str> {
    let minutes_max = (Timestamp::MAX.ms().unsigned_abs() / HOUR_MS.unsigned_abs() + 1) * u64::from(HOUR_MINUTES);
    let (mut runs, mut end) = (Vec::new(), 0_u32);
    for _ in 0..count {
        let (left_out, length) = (varint::required(rest)?, varint::required(rest)?);
        let from = u64::from(end).checked_add(left_out).ok_or(OUTSIDE)?;
        let to = from.checked_add(length).filter(|to| *to <= minutes_max).ok_or(OUTSIDE)?;
        let (from, to) = (u32::try_from(from).map_err(|_| OUTSIDE)?, u32::try_from(to).map_err(|_| OUTSIDE)?);
        push_row((from, to), &mut runs);
        end = to;
    }
    Ok(runs)
}

/// Adds minutes in a row behind those that are there.
fn push_row((mut from, to): Row, runs: &mut Vec<HourRun>) {
    while from < to {
        let (hour, minute) = (from / HOUR_MINUTES, from % HOUR_MINUTES);
        let (hours, length) = match (to - from) / HOUR_MINUTES {
            hours @ 1.. if minute == 0 => (hours, HOUR_MINUTES),
            _ => (1, (to - from).min(HOUR_MINUTES - minute)),
        };
        push_run(HourRun { hour, hours, bits: (HOUR_WHOLE >> (HOUR_MINUTES - length)) << minute }, runs);
        from += if hours > 1 { hours * HOUR_MINUTES } else { length };
    }
}

/// Adds a run that begins in the last hour that is there, or behind it.
fn push_run(mut run: HourRun, runs: &mut Vec<HourRun>) {
    if let Some(last) = runs.last_mut().filter(|last| last.end() > run.hour) {
        run.bits |= last.bits;
        last.hours -= 1;
        if last.hours == 0 {
            runs.pop();
        }
    }
    match runs.last_mut() {
        Some(last) if last.end() == run.hour && last.bits == run.bits => last.hours += run.hours,
        _ => runs.push(run),
    }
}

/// Each takes two bytes at least.
fn read_states(rest: &mut &[u8]) -> Result<StateRuns, &'static str> {
    const OUTSIDE: &str = "a state lies outside of time";
    let count = varint::required(rest)?;
    let mut states = Vec::with_capacity(usize::try_from(count).unwrap_or(usize::MAX).min(rest.len() / 2));
    let mut before = Timestamp::MIN;
    for _ in 0..count {
        let (value, lasts_ms) = (varint::required(rest)?, varint::required(rest)?);
        let later = i64::try_from(value >> state::BITS).ok().and_then(|later| before.ms().checked_add(later));
        let from = later.and_then(Timestamp::from_ms).ok_or(OUTSIDE)?;
        let run = StateRun { from, lasts_ms: u32::try_from(lasts_ms).map_err(|_| OUTSIDE)?, state: state::of(value) };
        before = run.last();
        states.push(run);
    }
    StateRuns::new(states).ok_or("its states don't rise, or one lasts beyond its page")
}
