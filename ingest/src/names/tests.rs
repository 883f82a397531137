use std::collections::BTreeMap;

use domain::{HealthState, SubjectKind, SubjectRef};
use proptest::prelude::*;

use super::*;

fn event(reporter: Option<&str>, seq: Option<u64>, at: i64) -> EventRef<'_> {
    EventRef {
        subject: SubjectRef { kind: SubjectKind::Product, id: "B1" },
        region: Region::Na,
        at: Timestamp::clamped(at),
        body: EventBody::State(HealthState::Up),
        reporter,
        seq,
    }
}

#[test]
fn a_name_is_new_once() {
    let memories: [Box<dyn Names>; 2] = [Box::<ExactNames>::default(), Box::<RecentNames>::default()];
    for mut names in memories {
        let mut check = |subject, reporter, seq, at, expected| {
            assert_eq!(names.occupy(subject, &event(reporter, seq, at)), expected, "{subject} {reporter:?} {seq:?} {at}");
        };
        check(0, Some("a"), Some(1), 5, Named::New);
        check(0, Some("a"), Some(1), 5, Named::Duplicate);
        check(0, Some("a"), Some(1), 6, Named::Conflict);
        check(0, None, Some(1), 6, Named::New);
        check(0, None, Some(1), 6, Named::Duplicate);
        check(1, Some("a"), Some(1), 6, Named::New);
        check(0, Some("a"), None, 5, Named::New);
        check(0, Some("a"), None, 5, Named::New);
    }
}

#[test]
fn a_hash_is_the_same_for_ever() {
    let check = |region, at, body, expected: ContentHash| {
        assert_eq!(hash((region, Timestamp::clamped(at), body)), expected, "{region} {at} {body:?}");
    };
    // As another implementation has them.
    check(Region::Eu, 0, EventBody::Outcome { ok: 0, failed: 0 }, [0x2c, 0x8d, 0x78]);
    check(Region::Na, 1_740_787_200_500, EventBody::Outcome { ok: 118, failed: 2 }, [0x53, 0xb8, 0x63]);
    check(Region::Fe, 253_402_300_799_999, EventBody::Outcome { ok: u32::MAX, failed: u32::MAX }, [0xa3, 0xf9, 0xc1]);
    check(Region::Na, 1_740_787_200_500, EventBody::State(HealthState::Up), [0x56, 0x55, 0x48]);
    check(Region::Na, 1_740_787_200_500, EventBody::State(HealthState::Unknown), [0x70, 0x2b, 0x8a]);
    check(Region::Na, 1_740_787_200_500, EventBody::State(HealthState::Maintenance), [0xad, 0x01, 0xd4]);
    check(Region::Na, 1_740_787_200_500, EventBody::State(HealthState::Down), [0xc5, 0xd7, 0x16]);
}

#[test]
fn what_is_no_longer_remembered_is_too_old() {
    let mut names = RecentNames::default();
    let last = REMEMBERED_SEQS_MAX as u64 + 10;
    for seq in 10..last {
        assert_eq!(names.occupy(0, &event(None, Some(seq * 2), 5)), Named::New);
    }
    assert_eq!(names.occupy(0, &event(None, Some(20), 5)), Named::Duplicate);
    assert_eq!(names.occupy(0, &event(None, Some(last * 2), 5)), Named::New);
    assert_eq!(names.occupy(0, &event(None, Some(20), 5)), Named::TooOld);
    assert_eq!(names.occupy(0, &event(None, Some(25), 5)), Named::New, "late, but newer than the oldest that is remembered");
    assert_eq!(names.occupy(0, &event(None, Some(22), 5)), Named::TooOld, "it took the oldest one's place");
}

#[test]
fn a_forgotten_reporter_is_never_counted_twice() {
    let mut names = RecentNames::default();
    let reporters: Vec<String> = (0..=REMEMBERED_REPORTERS_MAX).map(|n| format!("gw-{n}")).collect();
    for (reporter, seq) in reporters.iter().zip(100..) {
        assert_eq!(names.occupy(0, &event(Some(reporter), Some(seq), 5)), Named::New);
    }
    assert_eq!(names.occupy(0, &event(Some("gw-0"), Some(100), 5)), Named::TooOld);
    assert_eq!(names.occupy(0, &event(Some("gw-0"), Some(101), 5)), Named::New);
    assert_eq!(names.occupy(0, &event(Some("gw-1"), Some(101), 5)), Named::TooOld, "gw-0 took the place of gw-1");
}

proptest! {
    /// Whatever comes in whatever order: live, no name is ever new twice, and what is neither too
    /// old nor beyond the eighth reporter is told exactly as over files.
    #[test]
    fn live_memory_agrees_with_exact_memory(steps in prop::collection::vec((0..10_u8, 0..200_u64, 0..2_i64), 0..600)) {
        let (mut exact, mut recent) = (ExactNames::default(), RecentNames::default());
        let mut taken: BTreeMap<(u8, u64), i64> = BTreeMap::new();
        for (reporter, seq, at) in steps {
            let name = format!("gw-{reporter}");
            let event = event(Some(&name), Some(seq), at);
            let expected = match taken.get(&(reporter, seq)) {
                None => Named::New,
                Some(first) if *first == at => Named::Duplicate,
                Some(_) => Named::Conflict,
            };
            let live = recent.occupy(0, &event);
            if live == Named::TooOld {
                continue;
            }
            prop_assert_eq!(live, expected);
            prop_assert_eq!(exact.occupy(0, &event), expected);
            taken.entry((reporter, seq)).or_insert(at);
        }
    }

    /// Names that are stored and put back at any moment answer as those that go on.
    #[test]
    fn names_come_back(steps in prop::collection::vec((0..12_u8, 0..150_u64, 0..2_i64, prop::bool::weighted(0.1)), 0..600)) {
        let (mut names, mut stored) = (RecentNames::default(), RecentNames::default());
        for (reporter, seq, at, is_restart) in steps {
            if is_restart {
                let parts = stored.parts(3);
                stored = RecentNames::default();
                stored.put(3, parts);
            }
            let name = (reporter > 0).then(|| format!("gw-{reporter}"));
            let event = event(name.as_deref(), Some(seq), at);
            prop_assert_eq!(stored.occupy(3, &event), names.occupy(3, &event));
            prop_assert_eq!(stored.parts(3), names.parts(3));
        }
        prop_assert_eq!(stored.parts(2), NamesParts::default());
        prop_assert_eq!(stored.parts(7), NamesParts::default());
    }

    /// Runs of numbers, rising and falling, that overlap and fill blocks to beyond their size.
    #[test]
    fn exact_memory_is_a_map(
        runs in prop::collection::vec((0..3_u8, 0..2_000_u64, 1..4_u64, 1..300_u64, any::<bool>(), 0..2_i64), 0..12),
    ) {
        let mut names = ExactNames::default();
        let mut taken: BTreeMap<(u8, u64), i64> = BTreeMap::new();
        for (reporter, start, step, length, falling, at) in runs {
            for index in 0..length {
                let seq = start + step * if falling { length - index } else { index };
                let name = (reporter > 0).then(|| format!("gw-{reporter}"));
                let expected = match taken.get(&(reporter, seq)) {
                    None => Named::New,
                    Some(first) if *first == at => Named::Duplicate,
                    Some(_) => Named::Conflict,
                };
                prop_assert_eq!(names.occupy(0, &event(name.as_deref(), Some(seq), at)), expected);
                taken.entry((reporter, seq)).or_insert(at);
            }
        }
    }
}
