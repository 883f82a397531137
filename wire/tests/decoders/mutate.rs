//! Inputs from seeds: valid samples that are damaged in the ways in which bytes go wrong, or that somebody would try,
//! and a few that are made of nothing but the decoder's words.

use std::collections::BTreeSet;
use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::list::{Decoder, Shape};

/// Longest input, in bytes.
const INPUT_BYTES_MAX: usize = 8 * 1024;
/// One input in so many is made of words or bytes alone, and one in so many is long.
const SCRATCH_SHARE: u64 = 8;
const LONG_SHARE: u64 = 32;
const SCRATCH_WORDS_MAX: u64 = 40;
const NEST_MAX: u64 = 200;
/// Most bytes that are cut out, or put twice, at a time.
const CHUNK_BYTES_MAX: u64 = 64;

/// What has a meaning in some text, or just not.
const WORDS: [&str; 54] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "1",
    "00",
    "1e999",
    "1E-999",
    "0.5",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "253402300799999",
    "253402300800000",
    "1e15",
    "123456789012345678.5e-3",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"v\":2",
    "\"v\":1",
    "\"1969-12-31T23:59:59.999Z\"",
    "\"9999-12-31T23:59:59.999Z\"",
    "\"2024-02-29T24:00:00+14:00\"",
    "\"2026-06-30T23:59:60Z\"",
    "\"é\u{301}\u{1F600}\"",
    "\n",
    "\r\n",
    "#",
    "=",
    "[[",
    "]]",
    "'",
    "\"\"\"",
    "inf",
    "nan",
    "0x7fffffffffffffff",
    "1979-05-27T07:32:00Z",
];
const NO_UTF8: [&[u8]; 6] = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"];
/// Integers of variable length at the ends of what they can be, and beyond.
const INTEGERS: [&[u8]; 8] = [
    b"\x00",
    b"\x7f",
    b"\x80\x80\x80\x80\x08",
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
];
const BRACKETS: [(&[u8], &[u8]); 4] = [(b"[", b"]"), (b"{\"a\":", b"}"), (b"[[", b"]]"), (b"{a=", b"}")];

/// Makes inputs for one decoder.
pub(crate) struct Mutator {
    shape: Shape,
    samples: Vec<Vec<u8>>,
    /// Texts and integers that are put in.
    words: Vec<Vec<u8>>,
    rng: ChaCha8Rng,
    input: Vec<u8>,
}

impl Mutator {
    pub(crate) fn new(decoder: &Decoder) -> Self {
        let samples = (decoder.samples)();
        let mut words: BTreeSet<Vec<u8>> = NO_UTF8.iter().map(|word| word.to_vec()).collect();
        match decoder.shape {
            Shape::Integers => words.extend(INTEGERS.iter().map(|word| word.to_vec())),
            Shape::Text => words.extend(WORDS.iter().map(|word| word.as_bytes().to_vec())),
        }
        // Every name and text of the samples.
        for sample in &samples {
            let text = String::from_utf8_lossy(sample);
            words.extend(text.split('"').skip(1).step_by(2).map(|text| format!("\"{text}\"").into_bytes()));
        }
        let words = words.into_iter().collect();
        Self { shape: decoder.shape, samples, words, rng: ChaCha8Rng::seed_from_u64(0), input: Vec::new() }
    }

    /// The input of a seed.
    pub(crate) fn input(&mut self, seed: u64) -> &[u8] {
        self.rng = ChaCha8Rng::seed_from_u64(seed);
        self.input.clear();
        if self.below(SCRATCH_SHARE) == 0 {
            self.scratch();
        } else {
            let sample = self.index(self.samples.len());
            self.input.extend_from_slice(&self.samples[sample]);
            // None is for the sample itself; one is most common, for it is what is most often still read.
            let changes = self.below(16).trailing_zeros().min(4) + u32::from(self.below(64) != 0);
            (0..changes).for_each(|_| self.change());
        }
        if self.below(LONG_SHARE) == 0 {
            self.repeat();
        }
        self.input.truncate(INPUT_BYTES_MAX);
        &self.input
    }

    fn scratch(&mut self) {
        let of_bytes = self.below(4) == 0;
        if self.shape == Shape::Integers && self.below(4) != 0 {
            self.input.push(1);
        }
        for _ in 0..self.below(SCRATCH_WORDS_MAX) {
            if of_bytes {
                let byte = self.byte();
                self.input.push(byte);
            } else if self.shape == Shape::Integers && self.below(3) != 0 {
                let small = self.byte() & 0x0f;
                self.input.push(small);
            } else {
                self.put_word(self.input.len());
            }
        }
    }

    fn change(&mut self) {
        let at = self.index(self.input.len() + 1);
        match self.below(20) {
            0 => self.at(at, |byte, random| byte ^ 1 << (random % 8)),
            1 => self.at(at, |_, random| random),
            2 => self.at(at, |byte, random| byte.wrapping_add(random % 5).wrapping_sub(2)),
            3 => self.input.truncate(at),
            4 => drop(self.cut(at)),
            5 => {
                let chunk = self.cut(at);
                let to = self.index(self.input.len() + 1);
                self.insert(to, &chunk);
            }
            6 => {
                let range = self.chunk(at);
                let twice = self.input[range].to_vec();
                self.insert(at, &twice);
            }
            7 => self.splice(at),
            8 => self.put_word(at),
            9 => self.nest(at),
            10 => self.repeat_field(),
            11 | 12 => self.exchange_value(),
            13..16 => self.change_number(at),
            _ => self.replace_value(at),
        }
    }

    fn at(&mut self, at: usize, change: impl Fn(u8, u8) -> u8) {
        let random = self.byte();
        if let Some(byte) = self.input.get_mut(at) {
            *byte = change(*byte, random);
        }
    }

    fn chunk(&mut self, from: usize) -> Range<usize> {
        let length = usize::try_from(1 + self.below(CHUNK_BYTES_MAX)).expect("a small number");
        from..self.input.len().min(from + length)
    }

    fn cut(&mut self, at: usize) -> Vec<u8> {
        let range = self.chunk(at);
        self.input.drain(range).collect()
    }

    fn insert(&mut self, at: usize, bytes: &[u8]) {
        self.input.splice(at..at, bytes.iter().copied());
    }

    /// What follows is another sample's end.
    fn splice(&mut self, at: usize) {
        let other = self.index(self.samples.len());
        let from = self.index(self.samples[other].len() + 1);
        self.input.truncate(at);
        self.input.extend_from_slice(&self.samples[other][from..]);
    }

    fn put_word(&mut self, at: usize) {
        let word = self.index(self.words.len());
        self.input.splice(at..at, self.words[word].iter().copied());
    }

    fn nest(&mut self, at: usize) {
        let (open, close) = BRACKETS[self.index(BRACKETS.len())];
        let times = usize::try_from(self.below(NEST_MAX)).expect("a small number");
        let nested = [open.repeat(times), b"0".to_vec(), close.repeat(times)].concat();
        self.insert(at, &nested);
    }

    /// What stands between two commas, or in a line, comes again elsewhere.
    fn repeat_field(&mut self) {
        let ends: Vec<usize> = (0..self.input.len()).filter(|at| matches!(self.input[*at], b',' | b'\n' | b'{' | b'}')).collect();
        if ends.len() < 2 {
            return;
        }
        let (from, to) = (self.index(ends.len() - 1), self.index(ends.len()));
        let field = [b",", &self.input[ends[from] + 1..ends[from + 1]]].concat();
        self.insert(ends[to], &field);
    }

    /// Where a text has a value, it gets another; an integer becomes another.
    fn replace_value(&mut self, at: usize) {
        let (start, end) = match self.shape {
            Shape::Text => {
                let Some(colon) = (at..self.input.len()).find(|at| matches!(self.input[*at], b':' | b'[' | b'=')) else { return };
                let ends = |at: &usize| matches!(self.input[*at], b',' | b'}' | b']' | b'\n');
                (colon + 1, (colon + 1..self.input.len()).find(ends).unwrap_or(self.input.len()))
            }
            Shape::Integers => {
                let length = (at..self.input.len()).take_while(|at| self.input[*at] & 0x80 != 0).count() + 1;
                (at, self.input.len().min(at + length))
            }
        };
        self.input.drain(start..end);
        match self.below(3) {
            0 if self.shape == Shape::Text => {
                let number = (self.rng.next_u64() >> self.below(64)).to_string();
                self.insert(start, number.as_bytes());
            }
            0 => {
                let small = self.byte();
                self.insert(start, &[small & 0x7f]);
            }
            _ => self.put_word(start),
        }
    }

    /// A key of the text gets the value that it has in another sample.
    fn exchange_value(&mut self) {
        let end = |text: &[u8], from: usize| {
            (from..text.len()).find(|at| matches!(text[*at], b',' | b'}' | b']' | b'\n')).unwrap_or(text.len())
        };
        let find = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|part| part == what).map(|at| at + what.len());
        let word = self.index(self.words.len());
        let key = [&self.words[word], &b":"[..]].concat();
        let other = &self.samples[self.rng.next_u32() as usize % self.samples.len()];
        if let (Some(here), Some(there)) = (find(&self.input, &key), find(other, &key)) {
            let value = other[there..end(other, there)].to_vec();
            self.input.splice(here..end(&self.input, here), value);
        }
    }

    /// A digit, or an integer of one byte, becomes another; a text without one there gets a blank.
    fn change_number(&mut self, at: usize) {
        let random = self.byte();
        let is_number = |byte: u8| if self.shape == Shape::Text { byte.is_ascii_digit() } else { byte < 0x80 };
        if let Some(at) = (at..self.input.len()).find(|at| is_number(self.input[*at])) {
            self.input[at] = if self.shape == Shape::Text { b'0' + random % 10 } else { random % 0x80 };
        } else if self.shape == Shape::Text {
            self.insert(at, b" ");
        }
    }

    /// A short part comes many times.
    fn repeat(&mut self) {
        let at = self.index(self.input.len() + 1);
        let range = self.chunk(at);
        let part = self.input[range].to_vec();
        let times = (INPUT_BYTES_MAX - self.input.len().min(INPUT_BYTES_MAX)) / part.len().max(1);
        let many = part.repeat(times.min(INPUT_BYTES_MAX / 4));
        self.insert(at, &many);
    }

    fn byte(&mut self) -> u8 {
        self.rng.next_u32().to_le_bytes()[0]
    }

    /// In `0..end`; 0 when there is none.
    fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).expect("below a size")
    }

    fn below(&mut self, end: u64) -> u64 {
        u64::try_from((u128::from(self.rng.next_u64()) * u128::from(end)) >> 64).expect("below 64 bits")
    }
}
