//! Made-up input: products that report one outcome a minute each, some of them late.
//!
//! Everything is a function of an event's number, so input is made in pieces, ahead of what is
//! measured, and memory holds one piece at a time.

use domain::fact::{Badge, Manufacturer, Terms};
use domain::time::MINUTE_MS;
use domain::{Asin, EventBody, EventRef, Fact, ManufacturerId, Marketplace, Policy, Region, SubjectKind, SubjectRef, Timestamp};
use ingest::Names;
use pipeline::Engine;

/// The minute of the first event in order: 1 March 2026, 00:00 UTC.
const FIRST_MINUTE: i64 = 29_538_720;
/// One event in so many is late, where some are.
pub(crate) const LATE_EVERY: i64 = 10;
/// Latest that late events arrive.
pub(crate) const LATE_MINUTES_MAX: i64 = 30 * 24 * 60;
const REPORTER: &str = "gw-na-001";

/// What the input is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    /// Products, one outcome a minute each.
    pub(crate) products: u32,
    /// Whether one event in [`LATE_EVERY`] belongs to a minute up to [`LATE_MINUTES_MAX`] before,
    /// of which nothing has been reported yet.
    pub(crate) late: bool,
    /// Whether events have a name: a reporter and a sequence number in the order of arrival.
    pub(crate) named: bool,
}

/// A fleet's events in the order of arrival.
#[derive(Debug)]
pub(crate) struct Feed<'a> {
    shape: Shape,
    asins: &'a [Asin],
    next: i64,
}

impl<'a> Feed<'a> {
    /// The feed of a shape's products, which [`asins`] names.
    pub(crate) const fn new(shape: Shape, asins: &'a [Asin]) -> Self {
        Self { shape, asins, next: 0 }
    }

    /// Lets every product report what came before, every minute but those that are to be late, back
    /// from the first event: as far as `minutes_max` allow, over all products together.
    pub(crate) fn history<N: Names + Default>(&self, engine: &mut Engine<N>, minutes_max: i64) {
        let products = i64::from(self.shape.products);
        let step = 1 + LATE_MINUTES_MAX * products / minutes_max;
        for number in 0..products {
            for minute in (1..=LATE_MINUTES_MAX).rev().step_by(usize::try_from(step).expect("a small number")) {
                if !is_hole(number, -minute) {
                    engine.apply(&EventRef { seq: None, ..self.event(number, -minute, 0) });
                }
            }
        }
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> EventRef<'a> {
        let products = i64::from(self.shape.products);
        let (minute, product) = (self.next / products, self.next % products);
        self.next += 1;
        let late = if self.shape.late && is_hole(product, minute) {
            // Whole multiples lead from one hole to another.
            LATE_EVERY * (1 + scattered(self.next) % (LATE_MINUTES_MAX / LATE_EVERY))
        } else {
            0
        };
        self.event(product, minute - late, self.next)
    }

    fn event(&self, product: i64, minute: i64, seq: i64) -> EventRef<'a> {
        let asin = &self.asins[usize::try_from(product).expect("a product's number")];
        let failed = u32::from(scattered(product * 31 + minute) % 64 == 0);
        EventRef {
            subject: SubjectRef { kind: SubjectKind::Product, id: asin.as_str() },
            region: Region::Na,
            at: Timestamp::clamped((FIRST_MINUTE + minute) * MINUTE_MS + product % MINUTE_MS),
            body: EventBody::Outcome { ok: 118, failed },
            reporter: self.shape.named.then_some(REPORTER),
            seq: self.shape.named.then(|| u64::try_from(seq).expect("counted from 0")),
        }
    }
}

/// Whether a product's minute is missing in order, to be reported late.
fn is_hole(product: i64, minute: i64) -> bool {
    (product + minute).rem_euclid(LATE_EVERY) == 0
}

/// A number that looks like chance (splitmix64), not negative.
fn scattered(number: i64) -> i64 {
    let mut bits = number.cast_unsigned().wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits >> 33).cast_signed()
}

/// The names of so many products.
pub(crate) fn asins(products: u32) -> Vec<Asin> {
    (1..=products).map(|number| Asin::new(&format!("B0{number:08}")).expect("short and not empty")).collect()
}

/// An engine that knows the products, all badged from 2025 on and of one manufacturer.
pub(crate) fn engine<N: Names + Default>(asins: &[Asin]) -> Engine<N> {
    let mut engine = Engine::new(policy());
    (1..).zip(facts(asins)).for_each(|(line, fact)| engine.add_fact(line, fact).expect("no fact contradicts another"));
    assert_eq!(engine.settle_registry(None), [], "every fact is about a known product");
    engine
}

fn policy() -> Policy {
    let text = wire::policy::preset("wwa-2024").expect("a preset");
    wire::policy::parse(text, "wwa-2024").expect("a right policy").remove(0)
}

fn facts(asins: &[Asin]) -> impl Iterator<Item = Fact> {
    let manufacturer = ManufacturerId::new("m-001").expect("short and not empty");
    let terms = Terms {
        manufacturer: manufacturer.clone(),
        brand: None,
        model: None,
        image: None,
        skill: None,
        hub: None,
        marketplaces: vec![Marketplace::parse("US").expect("a marketplace")],
        customers: 5_000,
    };
    let enabled_at = Timestamp::from_date(2025, 1, 1).expect("a day");
    let badge = move |asin: &Asin| Fact::Badge(Badge { asin: asin.clone(), terms: terms.clone(), enabled_at });
    let maker = Fact::Manufacturer(Manufacturer { id: manufacturer, name: None, contacts: Vec::new() });
    std::iter::once(maker).chain(asins.iter().map(badge))
}
