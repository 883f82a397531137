//! Reading beside the process that uses the directory.

use std::ops::ControlFlow;

use super::*;

fn read_beside(world: &World, log: Log, partition: u32, from: u64) -> Result<Vec<Owned>, PortError> {
    let (beside, mut found) = (LogsBeside::open(world.root.path()).unwrap(), Vec::new());
    beside.read((log, partition), from, &mut |record| {
        found.push(owned(record));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

#[test]
fn a_copy_is_read_beside_its_owner_from_an_offset_on() {
    let world = World::small();
    let logs = world.open();
    let mut sink = logs.sink();
    for number in 0..200_u32 {
        sink.append_to(Log::Health, 1, "k", number.to_string().as_bytes()).unwrap();
    }
    sink.flush().unwrap();
    assert!(logs.usage(Log::Health).segments > 3);
    let all = read(&logs, Log::Health);
    assert_eq!(read_beside(&world, Log::Health, 1, 0).unwrap(), all);
    assert_eq!(read_beside(&world, Log::Health, 1, 150).unwrap(), all[150..]);
    assert_eq!(read_beside(&world, Log::Health, 1, 200).unwrap(), []);
    assert_eq!(read_beside(&world, Log::Health, 0, 0).unwrap(), []);
    logs.set_needed_from(Log::Health, 1, 150);
    world.set_now(8 * DAY_MS);
    assert!(!world.maintain(&logs).is_empty());
    assert!(matches!(read_beside(&world, Log::Health, 1, 1), Err(PortError::Gone { .. })));
    assert_eq!(read_beside(&world, Log::Health, 1, 150).unwrap(), all[150..]);
    assert_eq!(LogsBeside::open(world.root.path()).unwrap().partitions(Log::Health), 2);
}

#[test]
fn a_torn_end_is_none_and_damage_is_refused() {
    let world = World::small();
    let logs = world.open();
    let mut sink = logs.sink();
    for text in ["one", "two", "three"] {
        sink.append_to(Log::Registry, 0, "", text.as_bytes()).unwrap();
    }
    sink.flush().unwrap();
    let path = world.segment(Log::Registry, 0, 0);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(read_beside(&world, Log::Registry, 0, 0).unwrap().len(), 2);
    let mut damaged = whole;
    damaged[form::HEADER_BYTES + 5] ^= 1;
    fs::write(&path, &damaged).unwrap();
    assert!(text(&read_beside(&world, Log::Registry, 0, 0).unwrap_err()).contains("is damaged at byte"));
    let nothing = tempfile::tempdir().unwrap();
    assert!(text(&LogsBeside::open(nothing.path()).unwrap_err()).contains("the logs in"));
}
