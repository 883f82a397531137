use domain::page::PAGE_MS;
use domain::{Asin, SkillId};
use proptest::prelude::*;

use super::*;

/// 2026-03-01T00:00, the start of a page.
const START: i64 = 1_772_323_200_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::clamped(ms)
}

fn set(pairs: &[(i64, i64)]) -> IntervalSet {
    pairs.iter().map(|&(from, to)| Interval::new(at(from), at(to))).collect()
}

fn sample() -> DependencyRecord {
    DependencyRecord::Health(DependencyHealth {
        subject: Subject::skill(&SkillId::new("s-1").unwrap()),
        region: Region::Na,
        page: PageNo::of(at(START)),
        revision: 7,
        minutes: set(&[(START, START + 2 * MINUTE_MS), (START + PAGE_MS - MINUTE_MS, START + PAGE_MS)]),
        states: vec![
            StateDowntime { state_ttl: Some(DurationMs(3_600_000)), down: set(&[(START + 1, START + 3_600_001)]) },
            StateDowntime { state_ttl: None, down: set(&[(START + 1, Timestamp::MAX.ms())]) },
        ],
    })
}

#[test]
fn records_are_lines_of_one_spelling_under_their_keys() {
    let check = |record: &DependencyRecord, key: &str, expected: &str| {
        assert_eq!(record.key(), key);
        assert_eq!(String::from_utf8(write(record)).unwrap(), expected);
        assert_eq!(&read(expected.as_bytes()).unwrap(), record);
    };
    let states = r#"[{"state_ttl":3600000,"down":[[1772323200001,1772326800001]]},{"state_ttl":null,"down":[[1772323200001,253402300799999]]}]"#;
    let minutes = "[[1772323200000,1772323320000],[1772337540000,1772337600000]]";
    let health = format!(
        r#"{{"v":1,"type":"dependency","subject":"skill:s-1","region":"NA","page":123078,"revision":7,"minutes":{minutes},"states":{states}}}"#
    );
    check(&sample(), "skill:s-1/NA/123078", &health);
    let watermark =
        DependencyRecord::Watermark(DependencyWatermark { partition: 3, at: at(START + 5), decided: None, needs_from: None });
    check(&watermark, "watermark/3", r#"{"v":1,"type":"watermark","partition":3,"at":1772323200005}"#);
    let decided = Some(Decided { at: at(START), seq: 7 });
    let watermark =
        DependencyRecord::Watermark(DependencyWatermark { partition: 3, at: at(START + 5), decided, needs_from: Some(at(9)) });
    let written =
        r#"{"v":1,"type":"watermark","partition":3,"at":1772323200005,"decided":{"at":1772323200000,"seq":7},"needs_from":9}"#;
    check(&watermark, "watermark/3", written);
}

#[test]
fn the_last_minute_that_there_is_has_no_end_of_its_own() {
    let last = Interval::new(Timestamp::MAX.floor_minute(), Timestamp::MAX);
    let record = DependencyRecord::Health(DependencyHealth {
        subject: Subject::hub(&Asin::new("B1").unwrap()),
        region: Region::Fe,
        page: PageNo::of(Timestamp::MAX),
        revision: 0,
        minutes: last.into(),
        states: Vec::new(),
    });
    assert_eq!(record.key(), "hub:B1/FE/17597381");
    assert_eq!(read(&write(&record)).unwrap(), record);
}

#[test]
fn what_the_types_do_not_promise_is_refused() {
    let sample = String::from_utf8(write(&sample())).unwrap();
    let check = |from: &str, to: &str, expected: &str| {
        let changed = sample.replacen(from, to, 1);
        assert!(changed != sample || from == to, "{from} is not in {sample}");
        let error = read(changed.as_bytes()).expect_err(&changed).to_string();
        let told = error.strip_prefix("this is not a dependency record: ").unwrap_or(&error);
        assert!(told.starts_with(expected), "{told}");
    };
    check("\"v\":1", "\"v\":2", "this dependency record has form 2; expected form 1");
    check("\"dependency\"", "\"health\"", "unknown variant `health`");
    check("skill:", "product:", "subject has \"product:s-1\"; expected skill:<id> or hub:<ASIN>");
    check("skill:s-1", "skill:", "subject has \"skill:\"");
    check("\"NA\"", "\"XX\"", "region has \"XX\"; expected NA, EU or FE");
    check("123078", "17597382", "page has \"17597382\"; expected a page from 1970 to 9999");
    check("123078", "-1", "invalid value");
    check("123078", "123079", "minutes are not all whole minutes of page 123079");
    check("[1772323200000,", "[1772323200001,", "minutes are not all whole minutes");
    check("1772337600000]", "1772337660000]", "minutes are not all whole minutes");
    check("[1772323200000,1772323320000]", "[1772323200000,1772323200000]", "minutes has \"[1772323200000,1772323200000]\"");
    check("1772323320000],[1772337540000", "1772337540000],[1772337540000", "minutes has");
    check("[1772323200000", "[-1", "minutes has \"-1\"; expected epoch milliseconds from 1970 to 9999");
    check("[[1772323200001,1772326800001]]", "[[1772337600000,1772337600001]]", "a stretch of down doesn't begin in page 123078");
    check("[[1772323200001,1772326800001]]", "[[1772323199999,1772326800001]]", "a stretch of down doesn't begin in page 123078");
    check("\"state_ttl\":3600000", "\"state_ttl\":null", "a state_ttl comes twice");
    check("\"state_ttl\":3600000", "\"state_ttl\":-1", "state_ttl has \"-1\"");
    check("\"state_ttl\":3600000,", "", "missing field `state_ttl`");
    check("\"revision\":7", "\"revision\":-7", "invalid value");
    check("\"revision\":7", "\"revision\":7,\"revision\":8", "duplicate field `revision`");
    check("\"revision\":7", "\"revision\":7,\"more\":8", "unknown field `more`");
    check("\"revision\":7,", "", "missing field `revision`");
}

fn interval_set(starts: std::ops::Range<i64>, unit: i64, longest: i64) -> impl Strategy<Value = IntervalSet> {
    let parts = prop::collection::vec((starts, 1..=longest), 0..6);
    parts.prop_map(move |parts| set(&parts.iter().map(|(from, long)| (from * unit, (from + long) * unit)).collect::<Vec<_>>()))
}

prop_compose! {
    fn health()(page in 0..=PageNo::of(Timestamp::MAX).get())(
        id in ".{1,12}",
        hub in any::<bool>(),
        region in 0..3_usize,
        page in Just(page),
        revision in any::<u64>(),
        minutes in interval_set(i64::from(page) * 240..i64::from(page) * 240 + 240, MINUTE_MS, 90),
        states in prop::collection::btree_map(
            prop::option::of(0..=i64::MAX),
            interval_set(i64::from(page) * PAGE_MS..(i64::from(page) + 1) * PAGE_MS, 1, 240 * PAGE_MS),
            0..4,
        ),
    ) -> DependencyRecord {
        let page = PageNo::new(page);
        DependencyRecord::Health(DependencyHealth {
            subject: SubjectRef { kind: if hub { SubjectKind::Hub } else { SubjectKind::Skill }, id: &id }.to_owned(),
            region: Region::ALL[region],
            page,
            revision,
            minutes: minutes.clip(page.interval()),
            states: states
                .into_iter()
                .map(|(ttl, down)| StateDowntime { state_ttl: ttl.map(DurationMs), down })
                .collect(),
        })
    }
}

fn record() -> impl Strategy<Value = DependencyRecord> {
    let decided = prop::option::of((0..=Timestamp::MAX.ms(), any::<u64>()));
    let needs_from = prop::option::of((0..=Timestamp::MAX.ms()).prop_map(at));
    let watermark =
        (any::<u32>(), 0..=Timestamp::MAX.ms(), decided, needs_from).prop_map(|(partition, ms, decided, needs_from)| {
            let decided = decided.map(|(ms, seq)| Decided { at: at(ms), seq });
            DependencyRecord::Watermark(DependencyWatermark { partition, at: at(ms), decided, needs_from })
        });
    prop_oneof![4 => health(), 1 => watermark]
}

proptest! {
    #[test]
    fn what_is_written_is_read(record in record()) {
        let line = write(&record);
        prop_assert!(!line.contains(&b'\n'));
        prop_assert_eq!(read(&line).expect("a record of ours"), record);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn damaged_records_never_panic(record in record(), at: prop::sample::Index, byte: u8) {
        let mut line = write(&record);
        let at = at.index(line.len());
        line[at] = byte;
        if let Ok(read_back) = read(&line) {
            // What is accepted is again a record of ours.
            prop_assert_eq!(read(&write(&read_back)).expect("a record of ours"), read_back);
        }
    }
}
