//! The decoders, each with its samples and with what holds of whatever it reads.

use std::fmt::Debug;

use domain::Timestamp;
use serde::Serialize;
use serde_json::Value;
use wire::LineError;
use wire::appended::{AppendTimes, Appended};
use wire::csv::{self, Defaults};
use wire::policy;
use wire::stored::{declared, head, life, page, place, restored, stretch};
use wire::{command, decision, dependency, entry, event, explanation, fact, issued_note, rejected, replayed, rerouted};
use wire::{standing, tick};

use crate::samples;
use crate::verdict::{Verdict, judge, same};

/// Most memory that decoding takes at one time: so many bytes for each byte of the input, and so many beside them. In
/// text two bytes can make a list of four values of 32 bytes, which is copied when it grows.
const PEAK_BYTES_PER_BYTE_MAX: u64 = 160;
const PEAK_BYTES_MAX: u64 = 16 * 1024;
/// A policy is read beside the preset that fills in what it leaves out; the parser keeps a table with its places for
/// each few bytes of a dotted key or a `{}`, and goes on behind a mistake to tell of others.
const POLICY_PEAK_BYTES_PER_BYTE_MAX: u64 = 400;
const PRESET_BYTES_MAX: u64 = 128 * 1024;
/// A number that has more digits than a float keeps comes back with another last one.
const FLOAT_SHARE: f64 = 1e-15;

/// What inputs of a decoder are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    Text,
    Integers,
}

/// A decoder under test.
#[derive(Clone, Copy)]
pub(crate) struct Decoder {
    /// The functions that it stands for, by module and name; its own name is the first.
    pub(crate) names: &'static [&'static str],
    pub(crate) shape: Shape,
    /// Inputs that it reads.
    pub(crate) samples: fn() -> Vec<Vec<u8>>,
    pub(crate) judge: fn(&[u8]) -> Verdict,
    bytes_per_byte_max: u64,
    beside_bytes_max: u64,
}

impl Decoder {
    pub(crate) fn name(&self) -> &'static str {
        self.names[0]
    }

    /// What a verdict says is wrong.
    pub(crate) fn problem(&self, input: &[u8], verdict: &Verdict) -> Option<String> {
        let bytes_max = input.len() as u64 * self.bytes_per_byte_max + self.beside_bytes_max;
        let greedy = verdict.peak_bytes > bytes_max;
        let told = || format!("it takes {} bytes for {}; expected at most {bytes_max}", verdict.peak_bytes, input.len());
        verdict.fault.clone().or_else(|| greedy.then(told))
    }
}

const fn text(names: &'static [&'static str], samples: fn() -> Vec<Vec<u8>>, judge: fn(&[u8]) -> Verdict) -> Decoder {
    Decoder {
        names,
        shape: Shape::Text,
        samples,
        judge,
        bytes_per_byte_max: PEAK_BYTES_PER_BYTE_MAX,
        beside_bytes_max: PEAK_BYTES_MAX,
    }
}

const fn integers(names: &'static [&'static str], samples: fn() -> Vec<Vec<u8>>, judge: fn(&[u8]) -> Verdict) -> Decoder {
    Decoder { shape: Shape::Integers, ..text(names, samples, judge) }
}

pub(crate) const DECODERS: [Decoder; 28] = [
    text(&["event::parse"], samples::events, |input| {
        judge(
            || event::parse(input).map_err(|error| error.to_string()),
            |parsed| {
                // A key that isn't known is left to the slow reader, which must say the same.
                let slowly = unknown_key_in(input).map(|line| event::parse(&line).map(|slow| slow == parsed));
                if !matches!(slowly, None | Some(Ok(true))) {
                    return Err(format!("it reads {parsed:?} in one way, and not in the other"));
                }
                let mut line = Vec::new();
                event::write(&parsed.event(), &mut line);
                let again = event::parse(&line).map(|again| again.event() == parsed.event());
                same(again, &true).map_err(|told| format!("{told} for {parsed:?}"))
            },
        )
    }),
    text(&["fact::parse"], samples::facts, |input| line(input, fact::parse, fact::write)),
    text(&["command::parse"], samples::commands, |input| line(input, command::parse, command::write)),
    text(&["csv::read_commands"], samples::tables, |input| {
        let defaults =
            Defaults { kind: Some("reject_certification"), id: &|line| line.to_string(), at: Timestamp::MIN, by: "anna" };
        judge(
            || csv::read_commands(input, defaults).filter_map(|(_, row)| row.ok()).last().ok_or_else(String::new),
            |value| {
                let mut line = Vec::new();
                command::write(&value, &mut line);
                same(command::parse(&line), &value)
            },
        )
    }),
    text(&["issued_note::parse"], samples::notes, |input| line(input, issued_note::parse, issued_note::write)),
    text(&["entry::parse"], samples::entries, |input| line(input, entry::parse, entry::write)),
    text(&["entry::parse_filled"], samples::entries, |input| {
        let parse = |text: &[u8]| {
            let filled = entry::Filled { command: "c-1".to_owned(), at: Timestamp::MIN, by: Some("anna") };
            entry::parse_filled(text, &filled)
        };
        line(input, parse, entry::write)
    }),
    text(&["dependency::read"], samples::dependencies, |input| {
        judge(|| told(dependency::read(input)), |record| same(dependency::read(&dependency::write(&record)), &record))
    }),
    text(&["decision::read"], samples::decisions, |input| {
        judge(|| told(decision::read(input)), |view| viewed(&view, decision::read))
    }),
    text(&["decision::parse"], samples::decisions, |input| {
        judge(|| told(decision::parse(input)), |value| same(decision::parse(&decision::write(&value)), &value))
    }),
    text(&["standing::read"], samples::standings, |input| {
        judge(|| told(standing::read(input)), |view| viewed(&view, standing::read))
    }),
    text(&["rejected::read"], samples::rejected, |input| {
        judge(|| told(rejected::read(input)), |view| viewed(&view, rejected::read))
    }),
    text(&["rerouted::read"], samples::rerouted, |input| {
        judge(
            || told(rerouted::read(input).ok_or("not one")?),
            |(origin, event)| {
                let written = rerouted::write(origin, event);
                same(rerouted::read(&written).ok_or("not one")?, &(origin, event))
            },
        )
    }),
    text(&["replayed::read"], samples::replayed, |input| {
        judge(
            || told(replayed::read(input).ok_or("not one")?),
            |replay| same(replayed::read(&replayed::write(&replay)).ok_or("not one")?, &replay),
        )
    }),
    text(&["rejected::listed::read_repaired"], samples::repaired, |input| {
        judge(
            || told(rejected::listed::read_repaired(input)),
            |(id, event)| {
                let line = serde_json::json!({ "id": id.to_string(), "event": event }).to_string();
                same(rejected::listed::read_repaired(line.as_bytes()), &(id, event))
            },
        )
    }),
    text(&["rejected::parse"], samples::ids, |input| {
        judge(
            || utf8(input).and_then(|text| rejected::SourceView::parse(text).ok_or_else(String::new)),
            |id| same(rejected::SourceView::parse(&id.to_string()).ok_or("no id"), &id),
        )
    }),
    text(&["explanation::read"], samples::explanations, |input| {
        judge(|| told(explanation::read(input)), |view| viewed(&view, explanation::read))
    }),
    text(&["tick::is_tick"], samples::ticks, |input| {
        let expected = input == tick::TICK;
        judge(
            || tick::is_tick(input).then_some(()).ok_or_else(String::new),
            |()| if expected { Ok(()) } else { Err("it isn't one".to_owned()) },
        )
    }),
    text(&["policy::parse_percentage"], samples::percentages, |input| {
        judge(
            || utf8(input).and_then(|text| policy::parse_percentage(text).ok_or_else(String::new)),
            |share| {
                let millionths = share.get();
                let (whole, rest) = (millionths / 10_000, millionths % 10_000);
                same(policy::parse_percentage(&format!("{whole}.{rest:04}%")).ok_or("no percentage"), &share)
            },
        )
    }),
    Decoder {
        bytes_per_byte_max: POLICY_PEAK_BYTES_PER_BYTE_MAX,
        beside_bytes_max: PRESET_BYTES_MAX,
        ..text(&["policy::parse_versions", "policy::parse"], samples::policies, |input| {
            judge(
                || utf8(input).and_then(|text| told(policy::parse_versions(text, "p"))),
                |versions| {
                    let written: String = versions.versions().iter().map(policy::write).collect();
                    same(
                        policy::parse_versions(&written, "p").map(|again| again.versions().to_vec()),
                        &versions.versions().to_vec(),
                    )
                },
            )
        })
    },
    integers(&["stored::page::read"], samples::pages, |input| {
        judge(|| told(page::read(input)), |parts| same(page::read(&page::write(&parts)), &parts))
    }),
    integers(&["stored::head::read"], samples::heads, |input| {
        judge(|| told(head::read(input)), |parts| same(head::read(&head::write(&parts)), &parts))
    }),
    integers(&["stored::life::read"], samples::lives, |input| {
        judge(|| told(life::read(input)), |parts| same(life::read(&life::write(&parts)), &parts))
    }),
    text(&["stored::declared::read"], samples::declarers, |input| {
        judge(|| told(declared::read(input)), |list| same(declared::read(&declared::write(&list)), &list))
    }),
    integers(&["stored::stretch::read"], samples::stretches, |input| {
        // What others wrote has the checksum that belongs to it.
        let body = &input[..input.len().saturating_sub(size_of::<u32>())];
        let input = [body, &stretch::checksum(body).to_le_bytes()].concat();
        judge(|| told(stretch::read(&input)), |parts| same(stretch::read(&stretch::write(&parts)), &parts))
    }),
    text(&["stored::restored::read"], samples::restored, |input| {
        judge(|| told(restored::read(input)), |note| same(restored::read(&restored::write(&note)), &note))
    }),
    text(&["appended::read"], samples::marks, |input| {
        let read = |record: &[u8]| AppendTimes::default().read(record, None);
        judge(
            || matches!(read(input), Appended::Mark(_)).then_some(()).ok_or_else(String::new),
            |()| if input.starts_with(br#"{"v":1,"type":"appended""#) { Ok(()) } else { Err("it isn't one".to_owned()) },
        )
    }),
    text(&["stored::place::read"], samples::places, |input| {
        judge(|| told(place::read(input)), |parts| same(place::read(&place::write(&parts)), &parts))
    }),
];

/// A line of the registry.
fn line<T: PartialEq + Debug>(input: &[u8], parse: fn(&[u8]) -> Result<T, LineError>, write: fn(&T, &mut Vec<u8>)) -> Verdict {
    judge(
        || parse(input).map_err(|error| error.to_string()),
        |value| {
            let mut line = Vec::new();
            write(&value, &mut line);
            same(parse(&line), &value)
        },
    )
}

fn told<T>(result: Result<T, wire::Error>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn utf8(input: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(input).map_err(|error| error.to_string())
}

/// The line with a key that no form knows before its own; `None` where it has that one already.
fn unknown_key_in(line: &[u8]) -> Option<Vec<u8>> {
    let start = line.iter().position(|byte| *byte == b'{')? + 1;
    (!line.contains(&b'~')).then(|| [&line[..start], br#""~":0,"#, &line[start..]].concat())
}

/// What is read of a view that is written again is the view.
fn viewed<T: Serialize>(view: &T, read: impl Fn(&[u8]) -> Result<T, wire::Error>) -> Result<(), String> {
    let json = |view: &T| serde_json::to_value(view).map_err(|error| error.to_string());
    let mut value = json(view)?;
    value.as_object_mut().ok_or("it is no object")?.insert("v".to_owned(), 1.into());
    let again = read(value.to_string().as_bytes()).map_err(|error| format!("{value} is written, and then: {error}"))?;
    let mut again = json(&again)?;
    again.as_object_mut().ok_or("it is no object")?.insert("v".to_owned(), 1.into());
    if equal(&value, &again) { Ok(()) } else { Err(format!("it reads {value}, and once that is written {again}")) }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        (Value::Number(x), Value::Number(y)) if x.is_f64() => {
            x.as_f64().zip(y.as_f64()).is_some_and(|(x, y)| (x - y).abs() <= x.abs() * FLOAT_SHARE)
        }
        _ => a == b,
    }
}
