//! A start from what is stored of the registry's log: whatever the log holds, wherever it was cut, the process knows
//! what it would know had it read all of it.

use std::rc::Rc;

use domain::Timestamp;
use domain::programme::EntityId;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use loadtest::dice::Dice;
use pipeline::error::Error;
use pipeline::stretches::Cut;
use pipeline::{Io, Node, Rules};
use ports::{Log, MemoryLogs, MemoryStore, Record, StateStores};
use telemetry::BatchCounts;

/// Logs that are tried.
const SEEDS: u64 = 300;
const START_MS: i64 = 1_740_787_200_000;
const PRODUCTS: usize = 3;
const NEVER: Cut = Cut { records: u64::MAX, bytes: usize::MAX };

/// What leads a product to its badge: `$P` is its number, `$N` a new number, `$AT` the record's time; `$AHEAD` lies
/// ahead of that, mostly.
const STORY: &[&str] = &[
    r#"{"type":"describe_manufacturer","command":"c-$N","at":$AT,"by":"ada","manufacturer":"m-1","name":"Acme","contacts":["badge@acme.example"]}"#,
    r#"{"type":"describe_product","command":"c-$N","at":$AT,"by":"ada","product":"p-$P","manufacturer":"m-1","retail_name":"Acme Glow","category":"Lighting","device":"light_bulb","brand":"Acme","model":"Glow","connection":"skill","protocol":"Wi-Fi","capabilities":["PowerController","BrightnessController","EndpointHealth"],"variants":["B00000000$P","B10000000$P"]}"#,
    r#"{"type":"draft_certification","command":"c-$N","at":$AT,"by":"ada","certification":"na-$P","product":"p-$P","region":"NA","marketplaces":["US"],"made_in":"PT","hardware":"1","firmware":"1.0.3","chipset":"ESP32","skill":"s-$P","skill_name":"Acme Home","skill_stage":"live"}"#,
    r#"{"type":"submit_certification","command":"c-$N","at":$AT,"by":"ada","certification":"na-$P"}"#,
    r#"{"type":"accept_certification","command":"c-$N","at":$AT,"by":"team","certification":"na-$P"}"#,
    r#"{"type":"advance_testing","command":"c-$N","at":$AT,"by":"lab","certification":"na-$P","step":"quoted"}"#,
    r#"{"type":"advance_testing","command":"c-$N","at":$AT,"by":"lab","certification":"na-$P","step":"paid"}"#,
    r#"{"type":"advance_testing","command":"c-$N","at":$AT,"by":"lab","certification":"na-$P","step":"device_received"}"#,
    r#"{"type":"advance_testing","command":"c-$N","at":$AT,"by":"lab","certification":"na-$P","step":"testing"}"#,
    r#"{"type":"hand_in_results","command":"c-$N","at":$AT,"by":"lab","certification":"na-$P"}"#,
    r#"{"type":"approve_certification","command":"c-$N","at":$AT,"by":"team","certification":"na-$P"}"#,
    r#"{"type":"listing","asin":"B00000000$P","marketplace":"US","at":$AT,"status":"live","brand":"Acme","model":"Glow"}"#,
    r#"{"type":"skill_listing","skill":"s-$P","marketplace":"US","at":$AT,"status":"published"}"#,
    r#"{"type":"draft_badge_request","command":"c-$N","at":$AT,"by":"ada","badge_request":"r-$P","product":"p-$P","asin":"B00000000$P","retail_id":"UPC 036000291452","marketplaces":["US"],"go_live":$AHEAD,"customers":5000}"#,
    r#"{"type":"submit_badge_request","command":"c-$N","at":$AT,"by":"ada","badge_request":"r-$P"}"#,
    r#"{"type":"approve_badge_request","command":"c-$N","at":$AT,"by":"team","badge_request":"r-$P"}"#,
];
/// What else happens.
const BESIDE: &[&str] = &[
    r#"{"type":"badge","asin":"B20000000$P","manufacturer":"m-$P","skill":"s-$P","marketplaces":["US"],"enabled_at":$AHEAD}"#,
    r#"{"type":"badge","asin":"B20000000$P","at":$AHEAD,"customers":$N}"#,
    r#"{"type":"badge","asin":"B20000000$P","at":$AHEAD,"skill":"s-$N"}"#,
    r#"{"type":"badge_withdrawn","asin":"B20000000$P","at":$AHEAD}"#,
    r#"{"type":"listing","asin":"B00000000$P","marketplace":"US","at":$AHEAD,"status":"suppressed"}"#,
    r#"{"type":"listing","asin":"B20000000$P","marketplace":"US","at":$AHEAD,"status":"live"}"#,
    r#"{"type":"skill_listing","skill":"s-$P","marketplace":"US","at":$AHEAD,"status":"unavailable"}"#,
    r#"{"type":"skill_listing","skill":"s-$P","marketplace":"US","at":$AHEAD,"status":"published"}"#,
    r#"{"type":"exclusion","id":"x-$P","applies_to":{"subject":"product:B00000000$P"},"from":$AT,"to":$AHEAD,"reason":"platform","approved_by":"ops"}"#,
    r#"{"type":"exclusion_revoked","id":"x-$P","at":$AT,"by":"ops"}"#,
    r#"{"type":"kill_switch","on":true,"at":$AHEAD,"by":"lead","reason":"a drill"}"#,
    r#"{"type":"kill_switch","on":false,"at":$AT,"by":"lead","reason":"it is over"}"#,
    r#"{"type":"withdraw_badge","command":"c-$N","at":$AT,"by":"ada","asin":"B00000000$P"}"#,
    r#"{"type":"withdraw_badge","command":"c-0","at":$AT,"by":"ada","asin":"B00000000$P"}"#,
    r#"{"type":"count_customers","command":"c-$N","at":$AT,"by":"ada","asin":"B00000000$P","customers":7}"#,
    r#"{"type":"issued","id":"0001020304050607$P8090a0b0c0d0e0f","kind":"badge_removal","asin":"B00000000$P","manufacturer":"m-1","scope":"global","at":$AT,"reasons":["budget"]}"#,
    r#"{"type":"issued","id":"1001020304050607$P8090a0b0c0d0e0f","kind":"suspension","manufacturer":"m-1","scope":"global","at":$AT,"reasons":[]}"#,
    r#"{"type":"issued","id":"2001020304050607$P8090a0b0c0d0e0f","kind":"suspension_lifted","manufacturer":"m-1","scope":"global","at":$AT,"reasons":[]}"#,
    r#"{"type":"badge","asin":"B20000000$P"#,
    "{\"type\":\"a kind of a later version\",\"at\":$AT}",
    "\u{feff}",
    "",
];

/// A record of the log.
struct Appended {
    offset: u64,
    at: Option<Timestamp>,
    payload: Vec<u8>,
    truncated: bool,
}

/// A log that grows.
struct World {
    dice: Dice,
    now_ms: i64,
    offset: u64,
    number: u64,
    /// By product: how far its story is told.
    told: [usize; PRODUCTS],
    records: Vec<Appended>,
}

impl World {
    fn new(seed: u64) -> Self {
        let dice = Dice::new(seed, 1);
        Self { dice, now_ms: START_MS, offset: 0, number: 0, told: [0; PRODUCTS], records: Vec::new() }
    }

    fn logged(mut self) -> Vec<Appended> {
        let count = 20 + self.dice.index(120);
        // A log that was restored: what it begins with was appended earlier than it says.
        let mut marks = if self.dice.chance(300_000) { 1 + self.dice.index(60) } else { 0 };
        for _ in 0..count {
            let payload = self.payload();
            if marks > 0 && (self.records.is_empty() || self.dice.chance(400_000)) {
                let most = if self.dice.chance(500_000) { MINUTE_MS } else { 40 * DAY_MS };
                let before = self.dice.between(0, most);
                self.push(wire::appended::write(Timestamp::clamped(self.now_ms - before)));
            }
            self.push(payload);
            marks = marks.saturating_sub(1);
            if marks == 1 {
                self.push(wire::appended::END.to_vec());
            }
        }
        self.records
    }

    fn push(&mut self, payload: Vec<u8>) {
        let step = if self.dice.chance(500_000) { MINUTE_MS } else { DAY_MS };
        self.now_ms += self.dice.between(0, step);
        // Clocks of brokers differ; and some logs tell no time.
        let behind = if self.dice.chance(100_000) { self.dice.between(0, 3 * HOUR_MS) } else { 0 };
        let at = (!self.dice.chance(20_000)).then(|| Timestamp::clamped(self.now_ms - behind));
        let truncated = self.dice.chance(10_000);
        self.records.push(Appended { offset: self.offset, at, payload, truncated });
        // A transaction's marker has an offset of its own.
        self.offset += if self.dice.chance(30_000) { 2 } else { 1 };
    }

    fn payload(&mut self) -> Vec<u8> {
        if self.dice.chance(300_000) {
            return wire::tick::TICK.to_vec();
        }
        let mut lines = Vec::new();
        for _ in 0..=self.dice.below(3) {
            lines.push(if self.dice.chance(50_000) { wire::tick::TICK.to_vec() } else { self.line().into_bytes() });
        }
        lines.join(&b'\n')
    }

    fn line(&mut self) -> String {
        let product = self.dice.index(PRODUCTS);
        let told = self.told[product];
        let template = match self.dice.below(10) {
            0..3 => *self.dice.pick(BESIDE),
            // Something may have gone wrong before.
            3..6 => STORY[self.dice.index(told + 1)],
            _ => {
                self.told[product] = (told + 1).min(STORY.len() - 1);
                STORY[told]
            }
        };
        self.number += 1;
        let ahead = self.now_ms + self.dice.between(-2 * HOUR_MS, 4 * DAY_MS);
        let text = template.replace("$P", &product.to_string()).replace("$N", &self.number.to_string());
        text.replace("$AT", &self.now_ms.to_string()).replace("$AHEAD", &ahead.to_string())
    }
}

/// A process that reads a part of the log, as one that is started does, and stops.
fn read(log: &[Appended], cut: Cut, store: &mut MemoryStore) -> Result<(Node, BatchCounts, usize), Error> {
    let policies = wire::policy::parse(wire::policy::preset("wwa-2024").expect("a preset"), "a test").expect("a policy");
    let mut rules = Rules::new(policies.into_iter().next().expect("a version").into(), 1);
    rules.cut = cut;
    let (mut sink, mut counts, mut records) = (MemoryLogs::new(1, Timestamp::MIN), BatchCounts::default(), 0);
    let io = &mut Io { sink: &mut sink, stores: store, counts: &mut counts };
    let mut node = Node::open(&Rc::new(rules), &[], false, io)?;
    let from = node.registry_from();
    for Appended { offset, at, payload, truncated } in log.iter().skip_while(|record| record.offset < from) {
        records += 1;
        let record = Record { partition: 0, offset: *offset, appended_at: *at, payload, truncated: *truncated };
        node.take_registry(record, io)?;
        if offset % 7 == 0 {
            node.settle_registry(io)?;
        }
    }
    node.check_registry()?;
    node.settle_registry(io)?;
    Ok((node, counts, records))
}

/// Everything that a process knows of the registry.
fn known(node: &Node) -> String {
    format!("{:#?}", node.tables().registry)
}

fn cut(dice: &mut Dice) -> Cut {
    let bytes = if dice.chance(300_000) { 200 + dice.index(3_000) } else { usize::MAX };
    Cut { records: 1 + dice.below(40), bytes }
}

/// Damages one of the stretches that are stored.
fn damage(store: &mut MemoryStore, dice: &mut Dice) {
    let stored = store.stretches().expect("memory");
    let Some(offsets) = (!stored.is_empty()).then(|| dice.pick(&stored).clone()) else { return };
    let mut bytes = store.stretch(&offsets).expect("memory").expect("it is there");
    let place = dice.index(bytes.len());
    bytes[place] ^= 1 << dice.below_u32(8);
    store.put_stretch(&offsets, bytes).expect("memory");
}

#[test]
fn a_start_from_stretches_knows_what_reading_all_of_the_log_says() {
    let (mut lives, mut skipped, mut went_live) = (0, 0, 0);
    for seed in 0..SEEDS {
        let (log, mut dice) = (World::new(seed).logged(), Dice::new(seed, 2));
        let mut store = MemoryStore::default();
        let mut ends: Vec<usize> = (0..1 + dice.index(5)).map(|_| dice.index(log.len() + 1)).collect();
        ends.sort_unstable();
        ends.push(log.len());
        for end in ends {
            let (node, counts, records) = read(&log[..end], cut(&mut dice), &mut store).expect("memory");
            let (all, all_counts, all_records) = read(&log[..end], NEVER, &mut MemoryStore::default()).expect("memory");
            assert_eq!(known(&node), known(&all), "seed {seed}, up to {end}");
            assert_eq!((counts.facts, node.registry_from()), (all_counts.facts, all.registry_from()), "seed {seed}");
            (lives, skipped) = (lives + 1, skipped + all_records - records);
            let book = node.tables().registry.book();
            let trails = book.ids().filter(|id| matches!(id, EntityId::Badge(_))).filter_map(|id| book.entity(&id));
            went_live += trails.flat_map(|entity| entity.trail().steps.clone()).filter(|step| step.what == "go_live").count();
            if dice.chance(300_000) {
                damage(&mut store, &mut dice);
            }
        }
    }
    println!("{lives} lives passed over {skipped} records; {went_live} badges went live");
    assert!(lives > 500 && skipped > 10_000 && went_live > 100, "{lives} {skipped} {went_live}");
}

fn tick(offset: u64, ms: i64) -> Appended {
    Appended { offset, at: Some(Timestamp::clamped(START_MS + ms)), payload: wire::tick::TICK.to_vec(), truncated: false }
}

#[test]
fn every_process_cuts_alike_and_mends_what_is_damaged() {
    let log: Vec<Appended> = (0..35).map(|offset| tick(offset, 30_000 * i64::try_from(offset).expect("few"))).collect();
    let cut = Cut { records: 10, ..Cut::default() };
    let (mut one, mut other) = (MemoryStore::default(), MemoryStore::default());
    let records = |log: &[Appended], store: &mut MemoryStore| read(log, cut, store).expect("memory").2;
    assert_eq!(records(&log, &mut one), 35);
    // Another has read the same in three lives.
    assert_eq!((records(&log[..7], &mut other), records(&log[..12], &mut other), records(&log, &mut other)), (7, 12, 26));
    let all = |store: &MemoryStore| {
        let read = |offsets| store.stretch(&offsets).expect("memory").expect("it is there");
        store.stretches().expect("memory").into_iter().map(|offsets| (offsets.clone(), read(offsets))).collect::<Vec<_>>()
    };
    assert_eq!(all(&one), all(&other));
    assert_eq!(one.stretches().expect("memory"), [0..10, 10..20, 20..30]);

    // The second isn't believed; what follows it is of no use without it, and then it is there again.
    let mut second = one.stretch(&(10..20)).expect("memory").expect("it is there");
    second[5] ^= 1;
    one.put_stretch(&(10..20), second).expect("memory");
    assert_eq!((records(&log, &mut one), records(&log, &mut one)), (26, 6));
    assert_eq!(all(&one), all(&other));

    // Of several the one that reaches farthest; one that says it reaches elsewhere is none.
    let mut longer = MemoryStore::default();
    assert_eq!(read(&log, Cut { records: 34, ..cut }, &mut longer).expect("memory").2, 35);
    let bytes = longer.stretch(&(0..34)).expect("memory").expect("it is there");
    one.put_stretch(&(0..34), bytes.clone()).expect("memory");
    assert_eq!(records(&log, &mut one), 2);
    one.put_stretch(&(0..35), bytes).expect("memory");
    assert_eq!(records(&log, &mut one), 2);
}

#[test]
fn another_log_than_the_one_that_was_stored_is_told() {
    let log = |last: i64| (0..12).map(|offset| tick(offset, if offset < 9 { 0 } else { last })).collect::<Vec<_>>();
    let mut store = MemoryStore::default();
    let mut check = |log: &[Appended], expected: &str| {
        let told = read(log, Cut { records: 10, ..Cut::default() }, &mut store).map(|_| "read".to_owned());
        let told = told.unwrap_or_else(|error| error.to_string());
        assert!(told.contains(expected), "{told}");
    };
    check(&log(5), "read");
    check(&log(5), "read");
    check(&log(6), "the registry's log isn't the one that the state was made with: its record 9 is another; start with the log");
    check(&log(5)[..9], "its record 9 isn't there");
    let mut other = log(5);
    other.remove(9);
    check(&other, "its record 9 isn't there");
    other = log(5);
    other[9].payload = b"{}".to_vec();
    check(&other, "its record 9 is another");
}

#[test]
fn what_was_rejected_is_told_before_it_is_stored() {
    let log = [Appended { payload: b"no JSON".to_vec(), ..tick(0, 0) }, tick(1, 0)];
    let (mut store, mut sink, mut counts) = (MemoryStore::default(), MemoryLogs::new(1, Timestamp::MIN), BatchCounts::default());
    let policies = wire::policy::parse(wire::policy::preset("wwa-2024").expect("a preset"), "a test").expect("a policy");
    let mut rules = Rules::new(policies.into_iter().next().expect("a version").into(), 1);
    rules.cut = Cut { records: 2, ..Cut::default() };
    let rules = Rc::new(rules);
    for _ in 0..2 {
        let io = &mut Io { sink: &mut sink, stores: &mut store, counts: &mut counts };
        let mut node = Node::open(&rules, &[], false, io).expect("memory");
        let from = node.registry_from();
        for record in log.iter().filter(|record| record.offset >= from) {
            let Appended { offset, at, payload, truncated } = record;
            let record = Record { partition: 0, offset: *offset, appended_at: *at, payload, truncated: *truncated };
            node.take_registry(record, io).expect("memory");
        }
    }
    assert_eq!(sink.records(Log::Rejected).len(), 1, "a restart doesn't tell it again");
}
