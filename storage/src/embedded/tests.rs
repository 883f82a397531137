mod beside;
mod damage;
mod disk;
mod model;
mod upkeep;

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use domain::DurationMs;
use ports::partition::partition_of_key;
use ports::{GroupEvent, GroupSource, Polled, Record, RecordSink, RecordSource, read_to_end};

use super::*;
use disk::{Counts, TestDisk};
use form::Header;

/// Long enough for any machine; nothing waits so long unless it fails.
const PATIENCE: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 86_400_000;

/// A directory with a clock and a disk of its own, which survive every opening.
struct World {
    root: tempfile::TempDir,
    config: EmbeddedConfig,
    now: Arc<AtomicI64>,
    disk: Arc<TestDisk>,
}

/// A record with its own content: partition, offset, append time, payload.
type Owned = (u32, u64, i64, String);

impl World {
    fn new(config: EmbeddedConfig) -> Self {
        let (root, now) = (tempfile::tempdir().unwrap(), Arc::new(AtomicI64::new(1_000)));
        Self { root, config, now, disk: Arc::default() }
    }

    /// Small segments, two partitions.
    fn small() -> Self {
        Self::new(EmbeddedConfig { partitions: 2, segment_bytes: 1_024, ..EmbeddedConfig::default() })
    }

    fn try_open(&self) -> Result<Opened, PortError> {
        let now = Arc::clone(&self.now);
        let clock: Clock = Arc::new(move || Timestamp::clamped(now.load(Ordering::Relaxed)));
        EmbeddedLogs::open_on(self.root.path(), &self.config, clock, Arc::<TestDisk>::clone(&self.disk))
    }

    fn open(&self) -> EmbeddedLogs {
        let opened = self.try_open().unwrap();
        assert_eq!(opened.torn, []);
        opened.logs
    }

    fn set_now(&self, ms: i64) {
        self.now.store(ms, Ordering::Relaxed);
    }

    fn now(&self) -> Timestamp {
        Timestamp::clamped(self.now.load(Ordering::Relaxed))
    }

    fn segment(&self, log: Log, partition: u32, base: u64) -> PathBuf {
        segment::path(&directory(self.root.path(), log, partition), base)
    }

    /// Maintains until nothing is due; tells what was done.
    fn maintain(&self, logs: &EmbeddedLogs) -> Vec<Maintained> {
        let step = || logs.maintain(self.now()).unwrap();
        std::iter::repeat_with(step).take_while(|done| *done != Maintained::Nothing).collect()
    }
}

fn owned(record: Record<'_>) -> Owned {
    let text = String::from_utf8(record.payload.to_vec()).unwrap();
    (record.partition, record.offset, record.appended_at.unwrap().ms(), text)
}

/// Everything that a log holds for readers, by partition and offset.
fn read(logs: &EmbeddedLogs, log: Log) -> Vec<Owned> {
    let mut found = Vec::new();
    read_to_end(&mut logs.source(log), &mut || true, &mut |record| found.push(owned(record))).unwrap();
    found.sort();
    found
}

/// An error with all of its causes.
fn text(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", text(source)))
}

#[test]
fn what_is_flushed_is_read_and_nothing_else() {
    let world = World::small();
    let logs = world.open();
    let mut sink = logs.sink();
    assert_eq!((sink.partitions(Log::Health).unwrap(), sink.partitions(Log::Registry).unwrap()), (2, 1));
    let home = partition_of_key(b"product:B1", 2);
    sink.append(Log::Health, "product:B1", b"first").unwrap();
    sink.append_to(Log::Registry, 0, "", b"fact").unwrap();
    let mut early = logs.source(Log::Health);
    let mut follow = |expected: &[Owned], at_end| {
        let mut found = Vec::new();
        let polled = early.poll(10, Duration::ZERO, &mut |record| found.push(owned(record))).unwrap();
        assert_eq!((found.as_slice(), polled), (expected, Polled { records: expected.len(), at_end }));
    };
    follow(&[], true);
    sink.flush().unwrap();
    world.set_now(2_000);
    sink.append(Log::Health, "product:B1", b"second").unwrap();
    let first = (home, 0, 1_000, "first".to_owned());
    follow(std::slice::from_ref(&first), true);
    follow(&[], true);
    assert_eq!(read(&logs, Log::Registry), [(0, 0, 1_000, "fact".to_owned())]);
    sink.flush().unwrap();
    let second = (home, 1, 2_000, "second".to_owned());
    follow(std::slice::from_ref(&second), true);
    assert_eq!(read(&logs, Log::Health), [first.clone(), second.clone()]);

    // A clock that was set back doesn't take the log's time with it, not even after a restart.
    sink.append(Log::Health, "product:B1", b"lost with the process").unwrap();
    drop((logs, sink, early));
    world.set_now(500);
    let logs = world.open();
    let mut sink = logs.sink();
    sink.append(Log::Health, "product:B1", b"third").unwrap();
    sink.flush().unwrap();
    assert_eq!(read(&logs, Log::Health), [first, second, (home, 2, 2_000, "third".to_owned())]);
    assert_eq!(logs.source(Log::Health).lag_records(), Some(3));

    // Nor is one log's time behind another's.
    sink.append(Log::Programme, "m-1", b"decided").unwrap();
    sink.flush().unwrap();
    assert_eq!(read(&logs, Log::Programme), [(0, 0, 2_000, "decided".to_owned())]);
}

#[test]
fn a_reader_is_woken_by_a_flush() {
    let world = World::small();
    let logs = world.open();
    let mut source = logs.source(Log::Registry);
    // That it is at its end is news by itself, but once.
    assert_eq!(source.poll(10, PATIENCE, &mut |_| {}).unwrap(), Polled { records: 0, at_end: true });
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut sink = logs.sink();
            sink.append(Log::Registry, "registry", b"fact").unwrap();
            sink.flush().unwrap();
        });
        assert_eq!(source.poll(10, PATIENCE, &mut |_| {}).unwrap(), Polled { records: 1, at_end: true });
    });
    assert_eq!(source.next_offsets(), [1]);
    let seen = logs.shared.env.news.count();
    assert!(!logs.shared.env.news.wait(seen, std::time::Instant::now()));
}

#[test]
fn partitions_take_turns() {
    let world = World::small();
    let logs = world.open();
    let mut sink = logs.sink();
    for number in 0..200_u32 {
        sink.append_to(Log::Health, number % 2, "", number.to_string().as_bytes()).unwrap();
    }
    sink.flush().unwrap();
    let (mut source, mut seen) = (logs.source(Log::Health), [0; 2]);
    for polled in 1..=20 {
        let count = source.poll(10, Duration::ZERO, &mut |record| seen[record.partition as usize] += 1).unwrap();
        assert_eq!((count, seen), (Polled { records: 10, at_end: polled == 20 }, [polled * 5; 2]));
    }
}

#[test]
fn a_group_of_one_gets_every_partition_once_and_says_where_to_go_on() {
    let world = World::small();
    let logs = world.open();
    let mut sink = logs.sink();
    for number in 0..100_u32 {
        sink.append_to(Log::Health, number % 2, "", number.to_string().as_bytes()).unwrap();
    }
    sink.flush().unwrap();
    let mut group = logs.group(Log::Health);
    assert!(text(&group.start(0, None).unwrap_err()).ends_with("partition 0 isn't assigned yet: poll first"));
    let poll = |group: &mut EmbeddedGroup| {
        let (mut assigned, mut records) = (Vec::new(), Vec::new());
        let polled = group.poll(1_000, Duration::ZERO, &mut |event| match event {
            GroupEvent::Assigned(partitions) => assigned.extend_from_slice(partitions),
            GroupEvent::Record(record) => records.push(owned(record)),
            GroupEvent::Revoked(_) | GroupEvent::Lost(_) => panic!("nobody else is there"),
        });
        let polled = polled.unwrap();
        assert_eq!(polled.records, records.len());
        (assigned, records.len(), records.first().map(|first| first.1), polled.at_end)
    };
    assert_eq!(poll(&mut group), (vec![0, 1], 0, None, false));
    assert_eq!(poll(&mut group), (vec![], 0, None, false));
    group.start(1, Some(40)).unwrap();
    assert_eq!(group.lag_records(), Some(10));
    assert_eq!(poll(&mut group), (vec![], 10, Some(40), false));
    group.start(0, None).unwrap();
    group.release(&[0, 1]).unwrap();
    assert_eq!(poll(&mut group), (vec![], 50, Some(0), true));
    // Started again, from the very end.
    group.start(0, Some(50)).unwrap();
    assert_eq!((poll(&mut group), group.partitions()), ((vec![], 0, None, true), 2));

    let ahead = group.start(1, Some(51)).unwrap_err();
    assert!(matches!(ahead, PortError::Ahead { end: 50, position: ports::Position::Record { partition: 1, offset: 51 }, .. }));
    assert!(text(&group.start(2, None).unwrap_err()).ends_with("there is no partition 2, only 2"));
    assert_eq!(logs.source_from(Log::Health, &[50, 49]).unwrap().next_offsets(), [50, 49]);
    assert_eq!(logs.source_from(Log::Health, &[7]).unwrap().lag_records(), Some(93));
    let ahead = logs.source_from(Log::Health, &[0, 51]).err().unwrap();
    assert!(matches!(ahead, PortError::Ahead { end: 50, position: ports::Position::Record { partition: 1, offset: 51 }, .. }));
    logs.set_needed_from(Log::Health, 0, 40);
    world.set_now(8 * DAY_MS);
    assert!(world.maintain(&logs).iter().any(|done| matches!(done, Maintained::Deleted { log: Log::Health, partition: 0, .. })));
    let gone = group.start(0, Some(0)).unwrap_err();
    assert!(matches!(gone, PortError::Gone { position: ports::Position::Record { partition: 0, offset: 0 }, .. }));
    group.start(0, Some(40)).unwrap();
    assert_eq!(poll(&mut group), (vec![], 10, Some(40), true));
}

#[test]
fn a_directory_has_one_user_and_one_number_of_partitions() {
    let world = World::small();
    let logs = world.open();
    let open = |partitions: u32| {
        let config = EmbeddedConfig { partitions, ..world.config.clone() };
        text(&EmbeddedLogs::open(world.root.path(), &config, system_clock()).err().unwrap())
    };
    let root = world.root.path().display();
    let in_use = "another process uses the directory: stop that one, or give each its own";
    assert_eq!(open(2), format!("cannot open the logs in {root}: {in_use}"));
    drop(logs);
    let expected = format!("setting `partitions`: the logs in {root} were made with 2, not 3: set it to 2, or choose an empty");
    assert!(open(3).starts_with(&expected), "{}", open(3));
    assert_eq!(open(0), "setting `partitions`: 0 is not between 1 and 1024");
    world.open();
}

#[test]
fn what_cannot_be_appended_is_refused_and_the_rest_goes_on() {
    let world = World::small();
    let logs = world.open();
    let mut sink = logs.sink();
    let mut check = |partition, payload: &[u8], expected: &str| {
        let error = text(&sink.append_to(Log::Decisions, partition, "k", payload).unwrap_err());
        assert!(error.starts_with("cannot append to decisions ("), "{error}");
        assert!(error.ends_with(expected), "{error}");
    };
    check(2, b"", "there is no partition 2, only 2");
    check(u32::MAX, b"", "there is no partition 4294967295, only 2");
    check(0, &vec![b'x'; RECORD_BYTES_MAX], "the record has 2097153 bytes with its key, more than 2097152");
    let longest = "x".repeat(RECORD_BYTES_MAX - 1);
    for payload in ["short", &longest, "short"] {
        sink.append_to(Log::Decisions, 0, "k", payload.as_bytes()).unwrap();
    }
    sink.flush().unwrap();
    let lengths: Vec<_> = read(&logs, Log::Decisions).into_iter().map(|(.., text)| text.len()).collect();
    assert_eq!(lengths, [5, longest.len(), 5]);
    assert_eq!(logs.usage(Log::Decisions).segments, 4, "a segment holds at least a record");
}

#[test]
fn every_flush_syncs_what_is_dirty_and_only_that() {
    let world = World::new(EmbeddedConfig::default());
    let logs = world.open();
    let mut sink = logs.sink();
    let counts = |before: Counts| {
        let now = world.disk.counts();
        (now.writes - before.writes, now.syncs - before.syncs, now.directory_syncs - before.directory_syncs)
    };
    let before = world.disk.counts();
    sink.flush().unwrap();
    assert_eq!(counts(before), (0, 0, 0));
    for _ in 0..100 {
        sink.append_to(Log::Health, 1, "k", b"one").unwrap();
        sink.append_to(Log::Health, 3, "k", b"two").unwrap();
    }
    assert_eq!(counts(before), (0, 0, 0), "appending gathers");
    sink.flush().unwrap();
    assert_eq!(counts(before), (3, 3, 0), "one write and one sync for each partition, and for where they end");
    sink.flush().unwrap();
    assert_eq!(counts(before), (3, 3, 0));
    // A new segment: the old one synced, the new one's header and name, too.
    world.set_now(2 * DAY_MS);
    sink.append_to(Log::Health, 1, "k", b"three").unwrap();
    assert_eq!(counts(before), (4, 5, 1));
    sink.flush().unwrap();
    assert_eq!(counts(before), (6, 7, 1));
}

#[test]
fn flushes_at_one_time_share_a_sync() {
    let world = World::new(EmbeddedConfig::default());
    let logs = world.open();
    let (commit, rounds, waiting) = (Commit::default(), AtomicI64::new(0), Mutex::new(Vec::new()));
    let round = || {
        if rounds.fetch_add(1, Ordering::Relaxed) == 0 {
            // What was appended since this one began isn't in it for certain.
            lock(&waiting).extend((0..8).map(|_| commit.wanted()));
        }
        Ok(())
    };
    commit.serve(commit.wanted(), &logs.shared.env, round).unwrap();
    let waiting = lock(&waiting).clone();
    waiting.into_iter().for_each(|wanted| commit.serve(wanted, &logs.shared.env, round).unwrap());
    assert_eq!(rounds.load(Ordering::Relaxed), 2);
}

#[test]
fn many_append_at_once() {
    const THREADS: u32 = 4;
    const EACH: u32 = 2_000;
    let world = World::new(EmbeddedConfig { partitions: 3, segment_bytes: 16_384, ..EmbeddedConfig::default() });
    let logs = world.open();
    let mut source = logs.source(Log::Health);
    // That nothing is there yet is news, which isn't waited for.
    assert_eq!(source.poll(1_000, Duration::ZERO, &mut |_| {}).unwrap(), Polled { records: 0, at_end: true });
    let mut next = [0; 3];
    let mut last = std::collections::BTreeMap::new();
    thread::scope(|scope| {
        for writer in 0..THREADS {
            let mut sink = logs.sink();
            scope.spawn(move || {
                for number in 0..EACH {
                    let key = format!("product:{}", number % 7);
                    sink.append(Log::Health, &key, format!("{writer} {key} {number}").as_bytes()).unwrap();
                    if number % 50 == writer {
                        sink.flush().unwrap();
                    }
                }
                sink.flush().unwrap();
            });
        }
        // Reads beside them: every offset once, and every writer's records of a key in order.
        let mut seen = 0;
        while seen < THREADS * EACH {
            let polled = source.poll(1_000, PATIENCE, &mut |record| {
                let (partition, offset, _, text) = owned(record);
                assert_eq!(offset, next[partition as usize]);
                next[partition as usize] += 1;
                let (who, number) = text.rsplit_once(' ').unwrap();
                let number: u32 = number.parse().unwrap();
                assert!(last.insert(who.to_owned(), number).is_none_or(|before| before < number), "{text}");
            });
            let records = polled.unwrap().records;
            assert!(records > 0, "nothing came in a minute");
            seen += u32::try_from(records).unwrap();
        }
    });
    assert_eq!(next.iter().sum::<u64>(), u64::from(THREADS * EACH));
    drop(logs);
    assert_eq!(read(&world.try_open().unwrap().logs, Log::Health).len(), (THREADS * EACH) as usize);
}
