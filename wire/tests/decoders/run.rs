//! Many inputs of a decoder, on all cores, and what came of them.

use std::fmt;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::list::Decoder;
use crate::mutate::Mutator;

/// Seeds that a thread takes at a time.
const SEEDS_AT_A_TIME: u64 = 512;
/// Memory is compared with inputs of this size or longer: shorter ones say nothing of how it grows.
const COMPARED_BYTES_MIN: u64 = 256;

/// What came of a decoder's inputs.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    name: &'static str,
    inputs: u64,
    accepted: u64,
    /// Of all inputs together.
    input_bytes: u64,
    peak_bytes_max: u64,
    /// The largest of peak over input, for inputs of [`COMPARED_BYTES_MIN`] or more.
    ratio_max: f64,
    elapsed: Duration,
}

impl Tally {
    pub(crate) const HEADER: &str = "| Decoder | inputs | read | mean bytes | inputs/s | most memory, KiB | most memory ÷ input |\n\
                                     |---|---|---|---|---|---|---|";

    fn add(&mut self, other: &Self) {
        self.inputs += other.inputs;
        self.accepted += other.accepted;
        self.input_bytes += other.input_bytes;
        self.peak_bytes_max = self.peak_bytes_max.max(other.peak_bytes_max);
        self.ratio_max = self.ratio_max.max(other.ratio_max);
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| `{}` | {} | {:.1} % | {:.0} | {:.0} | {:.1} | {:.1} |",
            self.name,
            self.inputs,
            share(self.accepted, self.inputs) * 100.0,
            share(self.input_bytes, self.inputs),
            share(self.inputs, 1) / self.elapsed.as_secs_f64(),
            share(self.peak_bytes_max, 1024),
            self.ratio_max,
        )
    }
}

/// Tries the inputs of these seeds; ends the test at one that shows something wrong.
pub(crate) fn run(decoder: &Decoder, seeds: Range<u64>) -> Tally {
    let started = Instant::now();
    let (next, total, failure) = (AtomicU64::new(seeds.start), Mutex::new(Tally::default()), Mutex::new(None));
    let work = || {
        let (mut mutator, mut tally) = (Mutator::new(decoder), Tally::default());
        loop {
            let from = next.fetch_add(SEEDS_AT_A_TIME, Ordering::Relaxed);
            if from >= seeds.end || failure.lock().expect("not poisoned").is_some() {
                break;
            }
            let some = from..seeds.end.min(from.saturating_add(SEEDS_AT_A_TIME));
            if let Some(found) = some.into_iter().find_map(|seed| attempt(decoder, seed, &mut mutator, &mut tally)) {
                *failure.lock().expect("not poisoned") = Some(found);
            }
        }
        total.lock().expect("not poisoned").add(&tally);
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    if let Some(failure) = failure.into_inner().expect("not poisoned") {
        panic!("{failure}");
    }
    Tally { name: decoder.name(), elapsed: started.elapsed(), ..total.into_inner().expect("not poisoned") }
}

/// Tries one input; yields what is wrong, with how to see it again.
fn attempt(decoder: &Decoder, seed: u64, mutator: &mut Mutator, tally: &mut Tally) -> Option<String> {
    let input = mutator.input(seed);
    let verdict = (decoder.judge)(input);
    let bytes = input.len() as u64;
    tally.inputs += 1;
    tally.accepted += u64::from(verdict.accepted);
    tally.input_bytes += bytes;
    tally.peak_bytes_max = tally.peak_bytes_max.max(verdict.peak_bytes);
    if bytes >= COMPARED_BYTES_MIN {
        tally.ratio_max = tally.ratio_max.max(share(verdict.peak_bytes, bytes));
    }
    decoder.problem(input, &verdict).map(|problem| {
        let (name, text) = (decoder.name(), String::from_utf8_lossy(input));
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        let again =
            format!("BADGEWATCH_DECODER={name} BADGEWATCH_SEED={seed} BADGEWATCH_INPUTS=1 cargo test -p wire --test decoders");
        format!("{name}, seed {seed}: {problem}\ninput: {hex}\nas text: {text}\nagain: {again}")
    })
}
