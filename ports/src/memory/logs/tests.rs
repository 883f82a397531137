use super::*;
use crate::log::DEPENDENCIES_PARTITIONS;

fn at(ms: i64) -> Timestamp {
    Timestamp::clamped(ms)
}

/// Partition, offset, append time and content of what a poll of everything brings.
fn poll_all(reader: &mut MemoryReader) -> Vec<(u32, u64, i64, String)> {
    let mut seen = Vec::new();
    let polled = reader.poll(usize::MAX, Duration::ZERO, &mut |record| seen.push(seen_of(record))).unwrap();
    assert_eq!(polled, Polled { records: seen.len(), at_end: true });
    seen
}

fn seen_of(record: Record<'_>) -> (u32, u64, i64, String) {
    let text = String::from_utf8(record.payload.to_vec()).unwrap();
    (record.partition, record.offset, record.appended_at.unwrap().ms(), text)
}

fn seen(partition: u32, offset: u64, ms: i64, text: &str) -> (u32, u64, i64, String) {
    (partition, offset, ms, text.to_owned())
}

#[test]
fn logs_have_partitions_as_kafkas_topics_would() {
    let logs = MemoryLogs::new(10, at(0));
    let counts = Log::ALL.map(|log| (log, logs.partitions(log).unwrap()));
    let expected = Log::ALL.map(|log| match log {
        Log::Registry | Log::Programme => (log, 1),
        Log::Dependencies => (log, DEPENDENCIES_PARTITIONS),
        Log::Health | Log::Decisions | Log::Standings | Log::Rejected => (log, 10),
    });
    assert_eq!(counts, expected);
}

#[test]
fn a_record_goes_to_its_keys_partition_or_to_a_given_one_at_the_clocks_time() {
    let mut logs = MemoryLogs::new(10, at(5));
    // "21" is at 0 of 10, as Kafka's Java client has it.
    logs.append(Log::Health, "21", b"by key").unwrap();
    logs.set_now(at(7));
    logs.append_to(Log::Health, 3, "21", b"to 3").unwrap();
    logs.set_now(at(6));
    assert_eq!(logs.now(), at(7));
    logs.append_to(Log::Health, 0, "", b"to 0").unwrap();
    let mut reader = logs.reader(Log::Health, 0..10);
    let expected = [seen(0, 0, 5, "by key"), seen(3, 0, 7, "to 3"), seen(0, 1, 7, "to 0")];
    assert_eq!(poll_all(&mut reader), expected);
    let error = logs.append_to(Log::Health, 10, "k", b"").unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "there is no partition 10, only 10");
}

#[test]
fn readers_have_positions_of_their_own_and_the_caller_chooses_the_interleaving() {
    let mut logs = MemoryLogs::new(3, at(0));
    for (partition, text) in [(0, "a"), (0, "b"), (1, "c"), (2, "d")] {
        logs.append_to(Log::Health, partition, "", text.as_bytes()).unwrap();
    }
    let (mut some, mut all) = (logs.reader(Log::Health, [1, 0, 1, 9]), logs.reader(Log::Health, 0..3));
    assert_eq!((some.assigned(), some.partitions(), some.lag_records()), ([0, 1].as_slice(), 3, Some(3)));
    let mut texts = Vec::new();
    let mut poll = |partition, max| some.poll_partition(partition, max, &mut |record| texts.push(record.payload.to_vec()));
    assert_eq!([poll(1, 5), poll(0, 1), poll(2, 5), poll(9, 5), poll(0, 5), poll(0, 5)], [1, 1, 0, 0, 1, 0]);
    assert_eq!(texts, [b"c", b"a", b"b"]);
    assert_eq!((some.next_offsets(), some.next_offset(0), some.next_offset(9)), (vec![2, 1, 0], 2, 0));
    assert_eq!(all.lag_records(), Some(4));
    assert_eq!(poll_all(&mut all).len(), 4);

    // What is appended later is read later, and the end that was reached stays reached.
    logs.append_to(Log::Health, 2, "", b"e").unwrap();
    assert_eq!(all.lag_records(), Some(1));
    assert_eq!(all.poll(0, Duration::ZERO, &mut |_| {}).unwrap(), Polled { records: 0, at_end: true });
    assert_eq!(poll_all(&mut all), [seen(2, 1, 0, "e")]);
    let mut anew = logs.reader(Log::Health, 0..3);
    assert_eq!(anew.poll(1, Duration::ZERO, &mut |_| {}).unwrap(), Polled { records: 1, at_end: false });
    assert_eq!(logs.reader(Log::Health, []).poll(1, Duration::ZERO, &mut |_| {}).unwrap(), Polled { records: 0, at_end: true });
}

#[test]
fn what_is_read_may_be_appended_elsewhere_at_once() {
    let mut logs = MemoryLogs::new(2, at(0));
    logs.append_to(Log::Health, 0, "k", b"stray").unwrap();
    let mut owner = logs.clone();
    let mut reader = logs.reader(Log::Health, 0..2);
    let mut rerouted = 0;
    let polled = reader.poll(10, Duration::ZERO, &mut |record| {
        if record.partition == 0 {
            owner.append_to(Log::Health, 1, "k", record.payload).unwrap();
            rerouted += 1;
        }
    });
    assert_eq!((polled.unwrap().records, rerouted), (2, 1));
}

#[test]
fn compaction_leaves_the_last_record_of_each_key() {
    let mut logs = MemoryLogs::new(2, at(0));
    for (partition, key, text) in [(1, "a", "old"), (1, "b", "only"), (1, "a", "new"), (0, "a", "elsewhere")] {
        logs.append_to(Log::Dependencies, partition, key, text.as_bytes()).unwrap();
    }
    let left: Vec<_> = logs.compacted(Log::Dependencies).iter().map(|record| seen_of(record.as_record())).collect();
    assert_eq!(left, [seen(0, 0, 0, "elsewhere"), seen(1, 1, 0, "only"), seen(1, 2, 0, "new")]);
    assert_eq!(logs.records(Log::Dependencies).len(), 4);
}
