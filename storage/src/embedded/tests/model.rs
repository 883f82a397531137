//! The logs beside a naive model: a list of records for each partition.

use proptest::prelude::*;

use super::*;

const LOGS: [Log; 4] = [Log::Health, Log::Decisions, Log::Standings, Log::Dependencies];
const HOUR_MS: i64 = 3_600_000;

#[derive(Clone, Debug)]
enum Step {
    Append {
        log: usize,
        partition: u32,
        key: u8,
        bytes: usize,
    },
    Flush,
    Poll {
        log: usize,
        max_records: usize,
    },
    Advance {
        hours: i64,
    },
    Maintain {
        steps: usize,
    },
    Need {
        partition: u32,
        percent: usize,
    },
    Reopen,
    /// Maintenance and a flush get no farther than so many changes of the disk; then the process ends, and
    /// with a seed the power is lost.
    Stop {
        changes: u64,
        seed: Option<u64>,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let append = (0..LOGS.len(), 0..2_u32, 0..5_u8, 0..200_usize);
    prop_oneof![
        40 => append.prop_map(|(log, partition, key, bytes)| Step::Append { log, partition, key, bytes }),
        8 => Just(Step::Flush),
        8 => (0..LOGS.len(), 1..20_usize).prop_map(|(log, max_records)| Step::Poll { log, max_records }),
        4 => (-2..60_i64).prop_map(|hours| Step::Advance { hours }),
        8 => (1..10_usize).prop_map(|steps| Step::Maintain { steps }),
        2 => (0..2_u32, 0..=100_usize).prop_map(|(partition, percent)| Step::Need { partition, percent }),
        1 => Just(Step::Reopen),
        3 => (any::<Option<u64>>(), 0..30_u64).prop_map(|(seed, changes)| Step::Stop { changes, seed }),
    ]
}

#[derive(Clone, Debug)]
struct Naive {
    at: i64,
    key: String,
    text: String,
}

#[derive(Default)]
struct Part {
    records: Vec<Naive>,
    /// So many are acknowledged.
    acknowledged: usize,
    needed_from: usize,
    /// Below there somebody has deleted.
    first: usize,
}

struct Model {
    world: World,
    logs: Option<EmbeddedLogs>,
    readers: Vec<EmbeddedSource>,
    parts: Vec<[Part; 2]>,
    /// The latest instant at which anything was maintained.
    latest_ms: i64,
    /// The latest append time of all.
    appended_ms: i64,
    appended: usize,
}

impl Model {
    fn new() -> Self {
        let world = World::small();
        let logs = world.open();
        let readers = LOGS.map(|log| logs.source(log)).into();
        let parts = LOGS.map(|_| <[Part; 2]>::default()).into();
        Self { world, logs: Some(logs), readers, parts, latest_ms: 0, appended_ms: 0, appended: 0 }
    }

    fn logs(&self) -> EmbeddedLogs {
        self.logs.clone().unwrap()
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Append { log, partition, key, bytes } => {
                self.appended += 1;
                let text = format!("{} {}", self.appended, "x".repeat(bytes));
                let key = if key == 0 { String::new() } else { format!("key {key}") };
                self.logs().sink().append_to(LOGS[log], partition, &key, text.as_bytes()).unwrap();
                let records = &mut self.parts[log][partition as usize].records;
                let at = self.appended_ms.max(self.world.now().ms());
                self.appended_ms = at;
                records.push(Naive { at, key, text });
            }
            Step::Flush => {
                self.logs().sink().flush().unwrap();
                self.parts.iter_mut().flatten().for_each(|part| part.acknowledged = part.records.len());
            }
            Step::Poll { log, max_records } => self.poll(log, max_records),
            Step::Advance { hours } => self.world.set_now((self.world.now().ms() + hours * HOUR_MS).max(0)),
            Step::Maintain { steps } => {
                self.latest_ms = self.latest_ms.max(self.world.now().ms());
                (0..steps).for_each(|_| {
                    self.logs().maintain(self.world.now()).unwrap();
                });
            }
            Step::Need { partition, percent } => {
                let logs = self.logs();
                let part = &mut self.parts[0][partition as usize];
                let needed = part.acknowledged * percent / 100;
                part.needed_from = part.needed_from.max(needed);
                logs.set_needed_from(Log::Health, partition, part.needed_from as u64);
            }
            Step::Reopen => self.reopen(None),
            Step::Stop { changes, seed } => {
                self.latest_ms = self.latest_ms.max(self.world.now().ms());
                self.world.disk.stop_after(Some(changes));
                while self.logs().maintain(self.world.now()).is_ok_and(|done| done != Maintained::Nothing) {}
                let _ = self.logs().sink().flush();
                self.world.disk.stop_after(None);
                self.reopen(seed);
            }
        }
    }

    /// What follows comes from a fresh opening; readers begin anew.
    fn reopen(&mut self, power_lost: Option<u64>) {
        self.readers.clear();
        self.logs = None;
        if let Some(mut seed) = power_lost {
            self.world.disk.lose_power(|bound| {
                // SplitMix64.
                seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                ((mixed ^ (mixed >> 27)) >> 11) % bound
            });
        }
        let Opened { logs, torn } = self.world.try_open().unwrap();
        assert!(power_lost.is_some() || torn.is_empty(), "{torn:?}");
        self.readers = LOGS.map(|log| logs.source(log)).into();
        for (log, parts) in LOGS.into_iter().zip(&mut self.parts) {
            for (number, part) in (0..).zip(parts) {
                let next = usize::try_from(logs.partition(log, number).unwrap().durable(|durable| durable.next)).unwrap();
                assert!((part.acknowledged..=part.records.len()).contains(&next), "{log}: {next}");
                part.records.truncate(next);
                part.acknowledged = next;
                if log == Log::Health {
                    logs.set_needed_from(log, number, part.needed_from as u64);
                }
            }
        }
        let times = self.parts.iter().flatten().filter_map(|part| Some(part.records.last()?.at));
        self.appended_ms = times.max().unwrap_or(0);
        self.logs = Some(logs);
    }

    /// Reads on where the last poll ended.
    fn poll(&mut self, log: usize, max_records: usize) {
        let before = self.readers[log].next_offsets();
        let mut found = Vec::new();
        match self.readers[log].poll(max_records, Duration::ZERO, &mut |record| found.push(owned(record))) {
            Ok(polled) => assert!(polled.records == found.len() && found.len() <= max_records),
            Err(PortError::Gone { .. }) if LOGS[log] == Log::Health => {
                self.readers[log] = self.logs().source(LOGS[log]);
                return;
            }
            Err(error) => panic!("{}", text(&error)),
        }
        let after = self.readers[log].next_offsets();
        for (number, (from, to)) in (0..).zip(before.into_iter().zip(after)).take(2) {
            let found: Vec<&Owned> = found.iter().filter(|record| record.0 == number).collect();
            self.check(log, number, (from, to), &found);
        }
    }

    /// What was found of a partition from one offset to another is what the model has there.
    fn check(&self, log: usize, partition: u32, (from, to): (u64, u64), found: &[&Owned]) {
        let part = &self.parts[log][partition as usize];
        let durable = self.logs().partition(LOGS[log], partition).unwrap().durable(|durable| durable.next);
        assert!(to <= durable && durable >= part.acknowledged as u64, "{to} {durable}");
        let place = |offset: u64| &part.records[usize::try_from(offset).unwrap()];
        for &&(_, offset, at, ref text) in found {
            assert_eq!((at, text), (place(offset).at, &place(offset).text));
        }
        let offsets: Vec<u64> = found.iter().map(|record| record.1).collect();
        assert!(offsets.is_sorted_by(|before, after| before < after), "{offsets:?}");
        for offset in (from..to).filter(|offset| !offsets.contains(offset)) {
            let age = match LOGS[log] {
                Log::Standings => 0,
                Log::Dependencies => DAY_MS,
                other => panic!("{other}: {offset} is missing"),
            };
            let newer = (offset + 1..durable).map(place).find(|newer| newer.key == place(offset).key);
            let replaced = newer.is_some_and(|newer| newer.at + age <= self.latest_ms);
            assert!(replaced, "{}: {offset} is missing", LOGS[log]);
        }
    }

    /// A fresh reader finds everything that is to be there.
    fn check_all(&mut self) {
        for (index, log) in LOGS.into_iter().enumerate() {
            let mut source = self.logs().source(log);
            let (mut found, firsts) = (Vec::new(), source.next_offsets());
            read_to_end(&mut source, &mut || true, &mut |record| found.push(owned(record))).unwrap();
            for (number, first) in (0..).zip(firsts).take(2) {
                let of: Vec<&Owned> = found.iter().filter(|record| record.0 == number).collect();
                let end = source.next_offsets()[number as usize];
                self.check(index, number, (first, end), &of);
                let latest_ms = self.latest_ms;
                let part = &mut self.parts[index][number as usize];
                assert!(end >= part.acknowledged as u64);
                let first = usize::try_from(first).unwrap();
                assert!(first == 0 || (log == Log::Health && first <= part.needed_from), "{log}: {first}");
                let old = |record: &Naive| record.at + 7 * DAY_MS <= latest_ms;
                assert!(part.records[..first].iter().all(old), "{log}: {first}");
                assert!(first >= part.first, "what was deleted came back");
                part.first = first;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_logs_are_lists(steps in prop::collection::vec(step(), 0..300)) {
        let mut model = Model::new();
        for (number, step) in steps.iter().enumerate() {
            model.run(step);
            if number % 20 == 0 || matches!(step, Step::Reopen | Step::Stop { .. }) {
                model.check_all();
            }
        }
        model.check_all();
        model.reopen(Some(1));
        model.check_all();
    }
}
