//! What the core costs: one event applied, one line read and applied, one fleet judged.
//!
//! `cargo bench -p pipeline --bench core`. An iteration is one event, so times are per event; the
//! input of a sample is made before its clock starts.

mod feed;
mod year;

use std::fmt;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use domain::Asin;
use ingest::RecentNames;
use pipeline::{Applied, Engine};

use feed::{Feed, Shape};

/// Shows what is allocated per event.
#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// Events of a sample; bounds the input that is held at a time.
const SAMPLE_EVENTS: u32 = 50_000;
const SAMPLES: u32 = 20;
/// Minutes that all products together have reported of the time into which late events fall:
/// every minute of 1,000 products, every ninth of 10,000. Bounds memory to 1 GB.
const HISTORY_MINUTES_MAX: i64 = 50_000_000;
/// Room for a line.
const LINE_BYTES: usize = 192;

const CASES: [Shape; 8] = [
    Shape { products: 1_000, late: false, named: false },
    Shape { products: 1_000, late: false, named: true },
    Shape { products: 1_000, late: true, named: false },
    Shape { products: 1_000, late: true, named: true },
    Shape { products: 10_000, late: false, named: false },
    Shape { products: 10_000, late: false, named: true },
    Shape { products: 10_000, late: true, named: false },
    Shape { products: 10_000, late: true, named: true },
];

fn main() {
    divan::main();
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { products, late, named } = *self;
        let order = if late { "10 % late" } else { "in order" };
        let names = if named { ", with reporter and seq" } else { "" };
        write!(f, "{products} products, {order}{names}")
    }
}

fn engine(feed: &Feed<'_>, shape: Shape, asins: &[Asin]) -> Engine<RecentNames> {
    let mut engine = feed::engine(asins);
    if shape.late {
        feed.history(&mut engine, HISTORY_MINUTES_MAX);
    }
    engine
}

/// Events that are parsed already.
#[divan::bench(args = CASES, sample_size = SAMPLE_EVENTS, sample_count = SAMPLES)]
fn apply(bencher: Bencher<'_, '_>, shape: Shape) {
    let asins = feed::asins(shape.products);
    let mut feed = Feed::new(shape, &asins);
    let mut engine = engine(&feed, shape, &asins);
    let bencher = bencher.counter(ItemsCount::new(1_usize)).with_inputs(|| feed.next());
    bencher.bench_local_refs(|event| assert_eq!(engine.apply(event), Applied::New));
}

/// JSON lines.
#[divan::bench(args = CASES, sample_size = SAMPLE_EVENTS, sample_count = SAMPLES)]
fn parse_and_apply(bencher: Bencher<'_, '_>, shape: Shape) {
    let asins = feed::asins(shape.products);
    let mut feed = Feed::new(shape, &asins);
    let mut engine = engine(&feed, shape, &asins);
    let next = || {
        let mut line = Vec::with_capacity(LINE_BYTES);
        wire::event::write(&feed.next(), &mut line);
        line
    };
    bencher.counter(ItemsCount::new(1_usize)).with_inputs(next).bench_local_refs(|line| {
        let parsed = wire::event::parse(line).expect("a valid line");
        assert_eq!(engine.apply(&parsed.event()), Applied::New);
    });
}

/// Everything implied at the end of a year, of which products reported little.
#[divan::bench(sample_size = 1, sample_count = 10)]
fn implied(bencher: Bencher<'_, '_>) {
    let (engine, end) = year::engine();
    bencher.counter(ItemsCount::new(engine.registry().products.len())).bench_local(|| engine.implied(end));
}
