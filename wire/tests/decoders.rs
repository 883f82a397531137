//! Every decoder of bytes that others wrote, or that were stored: on no input does one panic, none takes more memory
//! than a few times its input, and what one reads is written and read back as the same.
//!
//! An input is a function of its decoder and a seed. A run tries the seeds from `BADGEWATCH_SEED` (0) on, as many as
//! `BADGEWATCH_INPUTS` says (20,000), on all cores; `BADGEWATCH_DECODER` names the only decoder to try. A failure
//! tells its input and the command that tries it again.
//! `BADGEWATCH_INPUTS=10000000 cargo test --release -p wire --test decoders -- --nocapture` is the long run.

#[path = "../src/command/samples.rs"]
mod commands;
#[path = "decoders/list.rs"]
mod list;
#[path = "decoders/mutate.rs"]
mod mutate;
#[path = "../src/samples.rs"]
mod reports;
#[path = "decoders/run.rs"]
mod run;
#[path = "decoders/samples.rs"]
mod samples;
#[path = "decoders/verdict.rs"]
mod verdict;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use list::{DECODERS, Decoder};

const INPUTS: u64 = 20_000;
/// How deep what has no end is nested: a parser that follows it needs more than a thread's stack.
const DEEP: usize = 200_000;

/// What a variable of the environment says.
fn from_env(name: &str, default: u64) -> u64 {
    let told = std::env::var(name).ok();
    told.map_or(default, |told| told.parse().unwrap_or_else(|_| panic!("{name} is {told:?}; expected a whole number")))
}

/// Those that the environment asks for.
fn chosen() -> impl Iterator<Item = &'static Decoder> {
    let only = std::env::var("BADGEWATCH_DECODER").ok();
    let known = only.as_ref().is_none_or(|only| DECODERS.iter().any(|decoder| decoder.name() == only));
    assert!(known, "BADGEWATCH_DECODER is none of {:?}", DECODERS.map(|decoder| decoder.name()));
    DECODERS.iter().filter(move |decoder| only.as_ref().is_none_or(|only| decoder.name() == only))
}

fn check(decoder: &Decoder, input: &[u8], expected: bool) {
    let verdict = (decoder.judge)(input);
    let text = String::from_utf8_lossy(&input[..input.len().min(200)]);
    assert_eq!(decoder.problem(input, &verdict), None, "{}: {text}", decoder.name());
    assert_eq!(verdict.accepted, expected, "{}: {text}", decoder.name());
}

#[test]
fn every_decoder_stands_every_input() {
    let first = from_env("BADGEWATCH_SEED", 0);
    let seeds = first..first.saturating_add(from_env("BADGEWATCH_INPUTS", INPUTS));
    println!("{}", run::Tally::HEADER);
    for decoder in chosen() {
        println!("{}", run::run(decoder, seeds.clone()));
    }
}

#[test]
fn every_sample_is_read() {
    for decoder in DECODERS {
        for sample in (decoder.samples)() {
            check(&decoder, &sample, true);
        }
    }
}

#[test]
fn what_nests_without_end_is_refused() {
    for decoder in DECODERS {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), ("{a=", "}"), ("[[policy]]\na=[", "]"), ("[a.", "]")] {
            let deep = [open.repeat(DEEP), "0".to_owned(), close.repeat(DEEP)].concat();
            check(&decoder, deep.as_bytes(), false);
            check(&decoder, [r#"{"v":1,"x":"#, &deep, "}"].concat().as_bytes(), false);
        }
    }
}

#[test]
fn what_is_wrong_is_told() {
    let check = |verdict: verdict::Verdict, expected: &str| {
        let told = DECODERS[0].problem(b"input", &verdict).unwrap_or_default();
        assert!(told.starts_with(expected), "{told:?} for {expected:?}");
    };
    let read = |text: &str| if text.is_empty() { Err("nothing".to_owned()) } else { Ok(text.len()) };
    check(verdict::judge(|| read("ab"), |_| Ok(())), "");
    check(verdict::judge(|| read(""), |_| panic!("isn't asked")), "");
    check(verdict::judge(|| read(&"ab"[3..]), |_| Ok(())), "it panics");
    check(verdict::judge(|| read("ab"), |_| panic!("can't be written")), "what it read can't be written: that panics");
    check(verdict::judge(|| read("ab"), |value| verdict::same(read("a"), &value)), "it reads 2, and once that is written 1");
    check(verdict::judge(|| Ok(vec![0_u8; 20_000]), |_| Ok(())), "it takes 20000 bytes for 5; expected at most 17184");
}

/// Found by the long run: the parser of a policy goes on behind each `{ l }`, and keeps more for it than was expected.
#[test]
fn what_was_found_is_stood() {
    let decoder = DECODERS.iter().find(|decoder| decoder.name() == "policy::parse_versions").expect("it is listed");
    let many = ["[[policy]]\n[policy.burn_rate]\nwindows = [\n", &"  { l },\n".repeat(800), "]\n"].concat();
    check(decoder, many.as_bytes(), false);
}

/// Public functions of the crate that read something, by module and name.
fn readers(folder: &Path, module: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the crate's own sources").map(|entry| entry.expect("an entry").path()) {
        let stem = entry.file_stem().and_then(|stem| stem.to_str()).expect("a name of ours");
        let module = if module.is_empty() { stem.to_owned() } else { format!("{module}::{stem}") };
        if entry.is_dir() {
            readers(&entry, &module, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&entry).expect("text");
            let named = text.lines().filter_map(|line| line.trim_start().strip_prefix("pub fn ")).filter_map(|rest| {
                let name = rest.split(['(', '<']).next()?;
                ["read", "parse", "decode", "from_", "is_"].iter().any(|verb| name.starts_with(verb)).then_some(name)
            });
            found.extend(named.map(|name| format!("{module}::{name}")));
        }
    }
}

#[test]
fn no_decoder_is_missing() {
    let mut found = BTreeSet::new();
    readers(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut found);
    let listed = DECODERS.iter().flat_map(|decoder| decoder.names).map(|name| (*name).to_owned()).collect();
    assert_eq!(found, listed, "left: what the sources have; right: what tests/decoders/list.rs has");
}
