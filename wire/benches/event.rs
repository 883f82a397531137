//! What reading and writing one event costs, beside a plain `serde_json` reader of the same line.

use std::borrow::Cow;

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};
use serde::Deserialize;
use wire::event;

/// Shows what is allocated: an ordinary event is read without.
#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const LINES: [(&str, &str); 4] = [
    (
        "outcome",
        r#"{"v":1,"type":"outcome","subject":"product:B000000001","region":"NA","at":"2026-03-01T00:07:12.500Z","ok":118,"failed":2,"seq":991238}"#,
    ),
    (
        "spaced",
        r#"{"v": 1, "type": "outcome", "subject": "product:B000000001", "region": "NA", "at": "2026-03-01T00:07:12.500Z", "ok": 118, "failed": 2, "reporter": "gw-17", "seq": 9912}"#,
    ),
    ("state", r#"{"v":1,"type":"state","subject":"skill:skill-1","region":"EU","at":1772323200000,"state":"down"}"#),
    (
        "unknown_field",
        r#"{"v":1,"type":"outcome","subject":"product:B000000001","region":"NA","at":"2026-03-01T00:07:12.500Z","ok":118,"failed":2,"x":1}"#,
    ),
];

fn main() {
    divan::main();
}

fn line(name: &str) -> &'static [u8] {
    LINES.iter().find(|(known, _)| *known == name).map(|(_, line)| line.as_bytes()).expect("one of the lines")
}

#[divan::bench(args = LINES.map(|(name, _)| name))]
fn parse(bencher: Bencher<'_, '_>, name: &str) {
    let line = line(name);
    let bencher = bencher.counter(BytesCount::new(line.len())).counter(ItemsCount::new(1_usize));
    bencher.bench(|| event::parse(divan::black_box(line)).expect("a valid event"));
}

/// The fields alone, without any of the checks: what a general parser costs at least.
#[derive(Deserialize)]
#[expect(dead_code, reason = "it is read to be measured")]
struct Plain<'a> {
    v: u8,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    #[serde(borrow)]
    region: Cow<'a, str>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    ok: u32,
    failed: u32,
    #[serde(borrow)]
    reporter: Option<Cow<'a, str>>,
    seq: Option<u64>,
}

#[divan::bench(args = ["outcome", "spaced"])]
fn plain_serde_json(bencher: Bencher<'_, '_>, name: &str) {
    let line = line(name);
    bencher.bench(|| serde_json::from_slice::<Plain<'_>>(divan::black_box(line)).expect("a valid event"));
}

#[divan::bench(args = ["outcome", "state"])]
fn write(bencher: Bencher<'_, '_>, name: &str) {
    let parsed = event::parse(line(name)).expect("a valid event");
    let mut out = Vec::with_capacity(512);
    bencher.bench_local(|| {
        out.clear();
        event::write(divan::black_box(&parsed.event()), &mut out);
        out.len()
    });
}
