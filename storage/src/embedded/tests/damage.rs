//! What crashes, failing disks and rotten bytes do.

use std::io::Write;

use super::*;

/// A segment of form 1 as it was first written: a header, then records without and with a key.
const GOLDEN: &str = "\
    62776c6f67730100 0000000000000000 0000000000000000 0000000000000000 a8353c27 \
    31000000 f76796ef 0000000000000000 e803000000000000 00000000 7b2276223a312c2274797065223a227469636b227d \
    29000000 7441583d 0100000000000000 7b68e5cf8b010000 08000000 7265676973747279 636166c3a9";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|digit| !digit.is_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

/// Three records in the registry, and the segment that holds them.
fn three_records(world: &World) -> PathBuf {
    let logs = world.open();
    let mut sink = logs.sink();
    for payload in ["one", "two", "three"] {
        sink.append(Log::Registry, "key", payload.as_bytes()).unwrap();
    }
    sink.flush().unwrap();
    world.segment(Log::Registry, 0, 0)
}

/// Where each of some records begins, and the last one ends.
const fn starts() -> [usize; 4] {
    let record = form::RECORD_OVERHEAD_BYTES + 3;
    let first = form::HEADER_BYTES;
    [first, first + record + 3, first + 2 * (record + 3), first + 3 * (record + 3) + 2]
}

#[test]
fn the_first_form_is_read_for_ever() {
    let world = World::small();
    drop(world.open());
    let golden = hex(GOLDEN);
    fs::write(world.segment(Log::Registry, 0, 0), &golden).unwrap();
    let logs = world.open();
    let expected = [(0, 0, 1_000, r#"{"v":1,"type":"tick"}"#.to_owned()), (0, 1, 1_700_000_000_123, "caf\u{e9}".to_owned())];
    assert_eq!(read(&logs, Log::Registry), expected);
    drop(logs);

    let written = World::new(EmbeddedConfig { segment_age: DurationMs(i64::MAX), ..EmbeddedConfig::default() });
    let logs = written.open();
    let mut sink = logs.sink();
    sink.append(Log::Registry, "", expected[0].3.as_bytes()).unwrap();
    written.set_now(1_700_000_000_123);
    sink.append(Log::Registry, "registry", expected[1].3.as_bytes()).unwrap();
    sink.flush().unwrap();
    let found = fs::read(written.segment(Log::Registry, 0, 0)).unwrap();
    let text: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(text, golden.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
}

#[test]
fn a_torn_end_is_cut_off_and_told() {
    let check = |kept: usize, garbage: &[u8], records: u64| {
        let world = World::small();
        let path = three_records(&world);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..kept], garbage].concat()).unwrap();
        let error = world.try_open().err().map(|error| text(&error)).unwrap_or_default();
        let lost = records < 3;
        assert_eq!(error.ends_with(": restore the file from a copy"), lost, "{error}");
        assert!(!lost || fs::read(&path).unwrap() == [&whole[..kept], garbage].concat(), "nothing is cut off");
        // As if none of it had been acknowledged.
        fs::write(&path, [&whole[..kept], garbage].concat()).unwrap();
        Ends::create(&*world.disk, world.root.path()).unwrap();
        let Opened { logs, torn } = world.try_open().unwrap();
        let bytes = (kept + garbage.len() - starts()[usize::try_from(records).unwrap()]) as u64;
        let expected = (bytes > 0).then_some(TornTail { log: Log::Registry, partition: 0, offset: records, bytes });
        assert_eq!(torn, Vec::from_iter(expected), "{kept} bytes and {garbage:?}");
        let mut sink = logs.sink();
        sink.append(Log::Registry, "key", b"next").unwrap();
        sink.flush().unwrap();
        let found: Vec<_> = read(&logs, Log::Registry).into_iter().map(|(_, offset, ..)| offset).collect();
        assert_eq!(found, (0..=records).collect::<Vec<_>>());
        drop((logs, sink));
        world.open();
    };
    for records in 0..3_usize {
        let (start, end) = (starts()[records], starts()[records + 1]);
        (start..end).for_each(|kept| check(kept, b"", records as u64));
        for garbage in [[0; 100].as_slice(), &[0xff; 100], b"\x1f\0\0\0garbage in place of a record", &[0; 3]] {
            check(start, garbage, records as u64);
            check(start + 9, garbage, records as u64);
        }
    }
    check(starts()[3], b"", 3);
    check(starts()[3], &[7; 5_000], 3);
}

#[test]
fn damage_in_the_middle_is_no_torn_end() {
    let world = World::small();
    let path = three_records(&world);
    let whole = fs::read(&path).unwrap();
    let [_, second, third, _] = starts();
    for byte in 0..third {
        let mut changed = whole.clone();
        changed[byte] ^= 0x04;
        fs::write(&path, &changed).unwrap();
        let error = text(&world.try_open().err().unwrap());
        let segment = path.display();
        let expected = match byte {
            6 => format!("{segment} has form 5, and only 1 is known: start the version that wrote it"),
            ..form::HEADER_BYTES => {
                format!("{segment} is damaged at byte 0, and no record is ever skipped: restore the file from a copy")
            }
            _ => {
                let (at, follows) = if byte < second { (form::HEADER_BYTES, second) } else { (second, third) };
                format!(
                    "{segment} is damaged at byte {at}, and it isn't the torn end that a crash leaves, as a whole record follows at \
                     byte {follows}: restore the file from a copy"
                )
            }
        };
        assert_eq!(error, format!("cannot open registry in {}: {expected}", path.parent().unwrap().display()), "byte {byte}");
        assert_eq!(fs::read(&path).unwrap(), changed, "nothing was cut off");
    }
}

#[test]
fn a_whole_record_in_the_wrong_place_is_no_torn_end() {
    let world = World::small();
    let path = three_records(&world);
    let whole = fs::read(&path).unwrap();
    let [first, second, third, end] = starts();
    let check = |content: &[u8], byte: usize| {
        fs::write(&path, content).unwrap();
        let error = text(&world.try_open().err().unwrap());
        assert!(error.contains(&format!("is damaged at byte {byte}, ")), "{error}");
    };
    check(&[&whole[..], &whole[first..second]].concat(), end);
    check(&[&whole[..second], &whole[third..]].concat(), second);
}

#[test]
fn damage_that_appears_later_is_told_after_what_comes_before_it() {
    let world = World::small();
    let logs = world.open();
    let mut sink = logs.sink();
    for number in 0..100 {
        sink.append(Log::Registry, "key", format!("record {number}").as_bytes()).unwrap();
    }
    sink.flush().unwrap();
    assert!(logs.usage(Log::Registry).segments > 3);
    let path = world.segment(Log::Registry, 0, 0);
    let whole = fs::read(&path).unwrap();
    let record = form::record_bytes(b"key", b"record 0");
    let fourth = form::HEADER_BYTES + 3 * record;
    let check = |content: &[u8], records: usize, expected: &str| {
        fs::write(&path, content).unwrap();
        let (mut source, mut seen) = (logs.source(Log::Registry), 0);
        let error =
            std::iter::repeat_with(|| source.poll(1_000, Duration::ZERO, &mut |_| seen += 1)).find_map(Result::err).unwrap();
        let place = format!("cannot read registry in {} at partition 0, offset {records}: ", path.parent().unwrap().display());
        assert_eq!(text(&error), format!("{place}{} {expected}", path.display()));
        assert!(source.poll(1_000, Duration::ZERO, &mut |_| {}).is_err(), "nothing is skipped by asking again");
        assert_eq!((seen, source.next_offsets()), (records, vec![records as u64]));
    };
    let damaged = format!("is damaged at byte {fourth}, and no record is ever skipped: restore the file from a copy");
    for byte in fourth..fourth + record {
        let mut changed = whole.clone();
        changed[byte] ^= 0x20;
        check(&changed, 3, &damaged);
    }
    check(&[&whole[..fourth], &whole[fourth + record..]].concat(), 3, &damaged);
    check(&whole[..fourth + 9], 3, &damaged);
    let second = 100 - read_count(&world, &logs, &whole);
    check(
        &whole[..fourth],
        3,
        &format!("ends before offset {second}, where the next segment begins: restore the file from a copy"),
    );
}

/// How many records follow a first segment that is whole.
fn read_count(world: &World, logs: &EmbeddedLogs, whole: &[u8]) -> usize {
    fs::write(world.segment(Log::Registry, 0, 0), whole).unwrap();
    let partition = logs.partition(Log::Registry, 0).unwrap();
    100 - usize::try_from(partition.durable(|durable| durable.segments[0].end)).unwrap()
}

#[test]
fn what_is_missing_or_foreign_is_named() {
    let check = |spoil: &dyn Fn(&World), expected: &str| {
        let world = World::small();
        let logs = world.open();
        let mut sink = logs.sink();
        (0..100).for_each(|_| sink.append(Log::Registry, "key", b"a record").unwrap());
        sink.flush().unwrap();
        drop((logs, sink));
        spoil(&world);
        let error = text(&world.try_open().err().unwrap());
        assert!(error.ends_with(expected), "{error}");
    };
    let registry = |world: &World| directory(world.root.path(), Log::Registry, 0);
    check(
        &|world| fs::remove_dir_all(registry(world)).unwrap(),
        "registry-0 lacks the segment from offset 0 on: restore it from a copy",
    );
    check(
        &|world| fs::remove_file(world.segment(Log::Registry, 0, 0)).unwrap(),
        "lacks the segment from offset 0 on: restore it from a copy",
    );
    check(
        &|world| fs::write(registry(world).join("notes.txt"), b"mine").unwrap(),
        "notes.txt is no file of the log: move it elsewhere",
    );
    let swap = |world: &World| fs::rename(world.segment(Log::Registry, 0, 0), world.segment(Log::Registry, 0, 1)).unwrap();
    check(&swap, "00000000000000000001.log is damaged at byte 0, and no record is ever skipped: restore the file from a copy");
    check(&|world| fs::remove_file(world.root.path().join(manifest::MANIFEST)).unwrap(), "restore the manifest from a copy");
    check(
        &|world| fs::write(world.root.path().join(manifest::MANIFEST), b"rot").unwrap(),
        "manifest is damaged: restore it from a copy",
    );
}

#[test]
fn an_interrupted_making_is_made_up_for() {
    let world = World::small();
    drop(world.open());
    fs::remove_file(world.root.path().join(manifest::MANIFEST)).unwrap();
    fs::remove_dir_all(directory(world.root.path(), Log::Standings, 1)).unwrap();
    fs::write(world.segment(Log::Standings, 0, 0).with_extension("tmp"), b"half").unwrap();
    fs::write(world.root.path().join("manifest.tmp"), b"half").unwrap();
    let logs = world.open();
    assert_eq!(logs.usage(Log::Standings).segments, 2);
    drop(logs);
    world.open();
}

#[test]
fn a_failed_sync_ends_all_writing_and_what_it_was_about_is_taken_back() {
    let world = World::small();
    let logs = world.open();
    let (mut sink, mut other) = (logs.sink(), logs.sink());
    sink.append(Log::Decisions, "a", b"kept").unwrap();
    sink.flush().unwrap();
    sink.append(Log::Decisions, "a", b"doubtful").unwrap();
    world.disk.fail_syncs(true);
    let error = sink.flush().unwrap_err();
    assert!(matches!(error, PortError::Flush { unconfirmed: 1, .. }), "{error:?}");
    assert!(text(&error).ends_with("1 records are not known to be stored: the disk is broken"), "{}", text(&error));
    // Were it asked again, the system might say that all is well.
    world.disk.fail_syncs(false);
    let before = world.disk.counts();
    let broken = "an earlier write failed (the disk is broken): start again, nothing that was flushed is lost";
    for error in [sink.flush().unwrap_err(), other.append(Log::Health, "b", b"").unwrap_err(), other.flush().unwrap_err()] {
        assert!(text(&error).ends_with(broken), "{}", text(&error));
    }
    assert_eq!(world.disk.counts(), before);
    assert_eq!(read(&logs, Log::Decisions).len(), 1, "reading goes on");
    drop((logs, sink, other));
    let logs = world.open();
    assert_eq!(read(&logs, Log::Decisions).len(), 1);
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    for room in [0, 1, 40, 500, 5_000] {
        let world = World::small();
        let logs = world.open();
        let mut sink = logs.sink();
        let (mut appended, mut acknowledged) = (0_usize, 0);
        world.disk.leave_room(Some(room));
        let error = loop {
            let result = sink.append(Log::Registry, "key", format!("record {appended}").as_bytes());
            match result.and_then(|()| if appended % 7 == 6 { sink.flush() } else { Ok(()) }) {
                Err(error) => break text(&error),
                Ok(()) => appended += 1,
            }
            if appended % 7 == 0 {
                acknowledged = appended;
            }
        };
        assert!(
            error.ends_with("the disk is full: make room and start again, nothing that was flushed is lost: no storage space"),
            "{error}"
        );
        drop((logs, sink));
        world.disk.leave_room(None);
        let logs = world.open();
        let found = read(&logs, Log::Registry).len();
        assert!((acknowledged..=appended).contains(&found), "{acknowledged} {found} {appended}");
        let mut sink = logs.sink();
        sink.append(Log::Registry, "key", b"goes on").unwrap();
        sink.flush().unwrap();
        assert_eq!(read(&logs, Log::Registry).len(), found + 1);
    }
}

#[test]
fn a_full_disk_spoils_no_compaction() {
    let world = World::small();
    let logs = world.open();
    let mut sink = logs.sink();
    for number in 0..200 {
        sink.append_to(Log::Standings, 0, &format!("key {number}"), format!("record {number}").as_bytes()).unwrap();
    }
    sink.flush().unwrap();
    let before = read(&logs, Log::Standings);
    world.disk.leave_room(Some(50));
    let error = std::iter::repeat_with(|| logs.maintain(world.now())).find_map(Result::err).unwrap();
    let place = format!("cannot maintain state {}: the disk is full", directory(world.root.path(), Log::Standings, 0).display());
    assert!(text(&error).starts_with(&place), "{}", text(&error));
    assert_eq!(read(&logs, Log::Standings), before);
    world.disk.leave_room(None);
    assert!(world.maintain(&logs).iter().any(|done| matches!(done, Maintained::Compacted { .. })));
    assert_eq!(read(&logs, Log::Standings), before);
    assert!(logs.usage(Log::Standings).segments > 5, "one segment doesn't swallow the others");
}

#[test]
fn damaged_segments_are_not_compacted() {
    let world = World::small();
    let logs = world.open();
    let mut sink = logs.sink();
    (0..200).for_each(|number| sink.append_to(Log::Standings, 0, "key", format!("record {number}").as_bytes()).unwrap());
    sink.flush().unwrap();
    let path = world.segment(Log::Standings, 0, 0);
    let mut content = fs::read(&path).unwrap();
    content[200] ^= 1;
    File::create(&path).unwrap().write_all(&content).unwrap();
    let error = std::iter::repeat_with(|| logs.maintain(world.now())).find_map(Result::err).unwrap();
    assert!(text(&error).contains("00000000000000000000.log is damaged at byte "), "{}", text(&error));
    assert_eq!(fs::read(&path).unwrap(), content);
}
