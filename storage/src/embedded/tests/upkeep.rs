//! Retention and compaction, and that disk and memory level off under them.

use std::collections::BTreeMap;

use super::*;

fn fill(logs: &EmbeddedLogs, log: Log, keys: u32, records: u32) {
    let mut sink = logs.sink();
    for number in 0..records {
        sink.append_to(log, 0, &format!("key {}", number % keys), format!("record {number}").as_bytes()).unwrap();
    }
    sink.flush().unwrap();
}

/// The offsets of a log's first partition that readers find.
fn offsets(logs: &EmbeddedLogs, log: Log) -> Vec<u64> {
    read(logs, log).into_iter().filter(|record| record.0 == 0).map(|record| record.1).collect()
}

#[test]
fn health_is_deleted_when_it_is_old_and_no_longer_needed() {
    let world = World::small();
    let logs = world.open();
    fill(&logs, Log::Health, 1, 100);
    let all = offsets(&logs, Log::Health);
    let check = |now: i64, needed: Option<u64>, expected: &dyn Fn(u64) -> bool| {
        world.set_now(now);
        if let Some(needed) = needed {
            logs.set_needed_from(Log::Health, 0, needed);
        }
        world.maintain(&logs);
        let first = offsets(&logs, Log::Health).first().copied().unwrap_or(100);
        assert!(expected(first), "{now} {needed:?}: begins with {first}");
    };
    // Sealed a day after, deleted seven days after the last record, but never without a word.
    check(30 * DAY_MS, None, &|first| first == 0);
    world.set_now(1_000);
    check(7 * DAY_MS + 999, Some(100), &|first| first == 0);
    check(7 * DAY_MS + 1_000, Some(0), &|first| first == 0);
    check(7 * DAY_MS + 1_000, Some(20), &|first| first == 0);
    check(7 * DAY_MS + 1_000, Some(70), &|first| first > 20 && first <= 70);
    check(7 * DAY_MS + 1_000, Some(100), &|first| first == 100);
    assert_eq!(all.len(), 100);
    // Offsets go on where they were, also after a restart.
    drop(logs);
    let logs = world.open();
    fill(&logs, Log::Health, 1, 1);
    assert_eq!(offsets(&logs, Log::Health), [100]);
}

#[test]
fn other_logs_are_deleted_by_age_or_never() {
    let world = World::small();
    let logs = world.open();
    let logs_kept = [Log::Decisions, Log::Programme, Log::Registry];
    for log in logs_kept.into_iter().chain([Log::Rejected]) {
        fill(&logs, log, 1, 100);
        logs.set_needed_from(log, 0, 1_000);
    }
    let segments = logs.usage(Log::Decisions).segments;
    let check = |now: i64, rejected: usize| {
        world.set_now(now);
        world.maintain(&logs);
        assert_eq!(offsets(&logs, Log::Rejected).len(), rejected, "{now}");
        for log in logs_kept {
            assert_eq!(offsets(&logs, log).len(), 100, "{now}: {log}");
        }
    };
    check(400 * DAY_MS, 100);
    check(400 * DAY_MS + 1_000, 0);
    check(40_000 * DAY_MS, 0);
    assert_eq!(logs.usage(Log::Decisions).segments, segments);
}

#[test]
fn a_reader_whose_next_record_was_deleted_is_told() {
    let world = World::small();
    let logs = world.open();
    fill(&logs, Log::Health, 1, 200);
    let (mut behind, mut within) = (logs.source(Log::Health), logs.source(Log::Health));
    assert_eq!(within.poll(5, Duration::ZERO, &mut |_| {}).unwrap().records, 5);
    logs.set_needed_from(Log::Health, 0, u64::MAX);
    world.set_now(8 * DAY_MS);
    world.maintain(&logs);
    let gone = |source: &mut EmbeddedSource| {
        let mut seen = 0;
        let error = std::iter::repeat_with(|| source.poll(50, Duration::ZERO, &mut |_| seen += 1)).find_map(Result::err).unwrap();
        let PortError::Gone { position: ports::Position::Record { partition: 0, offset }, .. } = error else { panic!("{error}") };
        (seen, offset)
    };
    assert_eq!(gone(&mut behind), (0, 0));
    // What was being read can be read to its end.
    let (seen, offset) = gone(&mut within);
    assert!(seen > 5 && offset == seen + 5, "{seen} {offset}");
}

#[test]
fn of_each_key_the_newest_stays_under_its_offset() {
    let world = World::small();
    let logs = world.open();
    let mut behind = logs.source(Log::Standings);
    fill(&logs, Log::Standings, 7, 600);
    let mut sink = logs.sink();
    sink.append_to(Log::Standings, 0, "", b"a tick").unwrap();
    sink.append_to(Log::Standings, 0, "", b"a later tick").unwrap();
    sink.flush().unwrap();
    assert_eq!(behind.poll(3, Duration::ZERO, &mut |_| {}).unwrap().records, 3);
    let before = logs.usage(Log::Standings);
    let done = world.maintain(&logs);
    assert!(done.iter().any(|done| matches!(done, Maintained::Learnt { log: Log::Standings, partition: 0 })));
    assert!(logs.usage(Log::Standings).disk_bytes * 5 < before.disk_bytes);
    // The newest segment isn't looked at until it is sealed, and then not for itself alone.
    let newest: Vec<u64> = (593..600).chain([601]).collect();
    let found = offsets(&logs, Log::Standings);
    assert!(newest.iter().all(|offset| found.contains(offset)) && found.len() < 50, "{found:?}");
    assert_eq!(world.maintain(&logs), [], "nothing is compacted again that didn't change");

    let mut source = logs.source(Log::Standings);
    assert!(source.poll(1_000, Duration::ZERO, &mut |_| {}).unwrap().at_end);
    assert_eq!((source.next_offsets(), source.lag_records()), (vec![602, 0], Some(0)));
    // A reader that was in the middle reads on, and misses none of what stays.
    let mut rest = Vec::new();
    read_to_end(&mut behind, &mut || true, &mut |record| rest.push(record.offset)).unwrap();
    assert!(rest.is_sorted() && newest.iter().all(|offset| rest.contains(offset)));
    drop((logs, source, behind, sink));
    let logs = world.open();
    assert_eq!(offsets(&logs, Log::Standings), found);
    fill(&logs, Log::Standings, 7, 140);
    world.set_now(DAY_MS + 1_000);
    world.maintain(&logs);
    let found = offsets(&logs, Log::Standings);
    assert_eq!(found, [601].into_iter().chain(735..742).collect::<Vec<_>>());
}

#[test]
fn dependencies_keep_what_was_replaced_for_a_day() {
    let world = World::small();
    let logs = world.open();
    fill(&logs, Log::Dependencies, 3, 300);
    let check = |now: i64, expected: &dyn Fn(usize) -> bool| {
        world.set_now(now);
        world.maintain(&logs);
        let found = offsets(&logs, Log::Dependencies).len();
        assert!(expected(found), "{now}: {found}");
    };
    check(DAY_MS + 999, &|found| found == 300);
    check(DAY_MS + 1_000, &|found| found == 3);
}

#[test]
fn a_crash_within_a_compaction_leaves_one_of_both() {
    for lost in 0..40_u64 {
        let world = World::small();
        let logs = world.open();
        fill(&logs, Log::Standings, 7, 300);
        world.set_now(2 * DAY_MS);
        let mut steps = 0;
        while steps < lost % 20 && logs.maintain(world.now()).unwrap() != Maintained::Nothing {
            steps += 1;
        }
        // Names that a compacted segment replaces come back, or a file is left half written.
        let replaced = directory(world.root.path(), Log::Standings, 0);
        let first = segment::path(&replaced, 0);
        let (before, header) = (read(&logs, Log::Standings), segment::read_header(&first).unwrap());
        drop(logs);
        if let Some(to) = header.compacted_to {
            let header = Header { base: to - 1, compacted_to: None, floor: header.floor };
            fs::write(segment::path(&replaced, to - 1), header.encode()).unwrap();
        }
        fs::write(first.with_extension("tmp"), b"half").unwrap();
        let logs = world.open();
        assert_eq!(read(&logs, Log::Standings), before);
        assert!(!first.with_extension("tmp").exists());
        world.maintain(&logs);
        assert_eq!(offsets(&logs, Log::Standings), (293..300).collect::<Vec<_>>());
    }
}

/// Days of a fleet: every product's health each hour, its standing each day, a rejected line now and then.
fn live_a_day(logs: &EmbeddedLogs, world: &World, day: i64, ends: &mut BTreeMap<u32, u64>) {
    let mut sink = logs.sink();
    for hour in 0..24 {
        world.set_now((day * 24 + hour) * 3_600_000);
        for product in 0..20_u32 {
            let (key, text) = (format!("product:{product}"), format!("{day} {hour} {product} {}", "x".repeat(100)));
            let partition = partition_of_key(key.as_bytes(), 2);
            sink.append(Log::Health, &key, text.as_bytes()).unwrap();
            *ends.entry(partition).or_default() += 1;
            if hour == 0 {
                sink.append(Log::Standings, &key, text.as_bytes()).unwrap();
            }
            sink.append_to(Log::Dependencies, partition, &format!("{key}/{}", day % 3), text.as_bytes()).unwrap();
        }
        sink.append_to(Log::Rejected, 0, "", b"not json").unwrap();
        sink.flush().unwrap();
        while logs.maintain(world.now()).unwrap() != Maintained::Nothing {}
    }
    // As after a checkpoint of the day.
    for (partition, end) in ends {
        logs.set_needed_from(Log::Health, *partition, *end);
    }
}

#[test]
fn disk_segments_and_memory_level_off() {
    const LOGS: [Log; 4] = [Log::Health, Log::Standings, Log::Dependencies, Log::Rejected];
    let days = |days: i64| DurationMs(days * DAY_MS);
    let world =
        World::new(EmbeddedConfig { partitions: 2, segment_bytes: 8_192, rejected_age: days(10), ..EmbeddedConfig::default() });
    let logs = world.open();
    let mut ends = BTreeMap::new();
    let mut greatest = |range: std::ops::Range<i64>| {
        let mut greatest = LOGS.map(|_| Usage::default());
        for day in range {
            live_a_day(&logs, &world, day, &mut ends);
            for (greatest, log) in greatest.iter_mut().zip(LOGS) {
                let Usage { segments, disk_bytes, memory_bytes } = logs.usage(log);
                greatest.segments = greatest.segments.max(segments);
                greatest.disk_bytes = greatest.disk_bytes.max(disk_bytes);
                greatest.memory_bytes = greatest.memory_bytes.max(memory_bytes);
            }
        }
        greatest
    };
    greatest(0..20);
    let (before, after) = (greatest(20..50), greatest(50..120));
    for ((log, before), after) in LOGS.into_iter().zip(before).zip(after) {
        let grown = |before: u64, after: u64| after * 10 > before * 11;
        let levels = !grown(before.segments, after.segments)
            && !grown(before.disk_bytes, after.disk_bytes)
            && !grown(before.memory_bytes, after.memory_bytes);
        assert!(levels, "{log}: {before:?}, later {after:?}");
    }
    // What is on the disk is what is said to be.
    let on_disk = |log: Log| -> u64 {
        let parts = (0..logs.partitions(log)).map(|number| directory(world.root.path(), log, number));
        parts.flat_map(|part| fs::read_dir(part).unwrap()).map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    };
    LOGS.into_iter().for_each(|log| assert_eq!(on_disk(log), logs.usage(log).disk_bytes, "{log}"));
    assert_eq!(read(&logs, Log::Standings).iter().filter(|record| record.3.starts_with("119 ")).count(), 20);
}
