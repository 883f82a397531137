use domain::{Event, HealthState, RejectReason, ReporterId};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

const OUTCOME: &str = r#"{"v": 1, "type": "outcome", "subject": "product:B000000001", "region": "NA", "at": "2026-03-01T00:07:12.500Z", "ok": 118, "failed": 2, "reporter": "gw-17", "seq": 9912}"#;
const STATE: &str =
    r#"{"v": 1, "type": "state", "subject": "skill:skill-1", "region": "EU", "at": 1772323200000, "state": "down"}"#;

/// Replaces one part of a line, which must be there.
fn with(line: &str, part: &str, by: &str) -> String {
    assert!(line.contains(part), "{part} is not in {line}");
    line.replacen(part, by, 1)
}

fn slow(line: &str) -> Result<ParsedEvent<'_>, LineError> {
    slow::parse(line.as_bytes())
}

#[test]
fn the_contract_s_lines_are_read() {
    let at = |text| Timestamp::parse_rfc3339(text).expect("an instant");
    let outcome = EventRef {
        subject: SubjectRef { kind: SubjectKind::Product, id: "B000000001" },
        region: Region::Na,
        at: at("2026-03-01T00:07:12.500Z"),
        body: EventBody::Outcome { ok: 118, failed: 2 },
        reporter: Some("gw-17"),
        seq: Some(9912),
    };
    assert_eq!(parse(OUTCOME.as_bytes()).expect("an event").event(), outcome);
    let state = EventRef {
        subject: SubjectRef { kind: SubjectKind::Skill, id: "skill-1" },
        region: Region::Eu,
        at: at("2026-03-01T00:00:00Z"),
        body: EventBody::State(HealthState::Down),
        reporter: None,
        seq: None,
    };
    assert_eq!(parse(STATE.as_bytes()).expect("an event").event(), state);
}

#[test]
fn what_may_be_otherwise_makes_no_difference() {
    let check = |line: &str, base: &str| {
        assert_eq!(parse(line.as_bytes()).expect(line), parse(base.as_bytes()).expect("an event"), "{line}");
    };
    check(&with(OUTCOME, "{", "\t{\r\n"), OUTCOME);
    check(&with(OUTCOME, "}", "} \n"), OUTCOME);
    check(&with(OUTCOME, "12.500Z", "12.5Z"), OUTCOME);
    check(&with(OUTCOME, "12.500Z", "12.500999Z"), OUTCOME);
    check(&with(OUTCOME, "00:07:12.500Z", "01:07:12.500+01:00"), OUTCOME);
    check(&with(OUTCOME, "\"2026-03-01T00:07:12.500Z\"", "1772323632500"), OUTCOME);
    check(&with(OUTCOME, "product", "prod\\u0075ct"), OUTCOME);
    check(&with(OUTCOME, "\"gw-17\"", "\"gw\\u002d17\""), OUTCOME);
    check(&with(OUTCOME, "\"seq\"", "\"s\\u0065q\""), OUTCOME);
    check(&with(OUTCOME, "\"v\"", "\"trace\": {\"v\": [1, 2.5, null]}, \"v\""), OUTCOME);
    check(&with(OUTCOME, "\"v\"", "\"state\": \"down\", \"v\""), OUTCOME);
    check(&with(OUTCOME, "\"v\"", "\"state\": 17, \"v\""), OUTCOME);
    check(&with(STATE, "\"v\"", "\"ok\": -1, \"v\""), STATE);
    check(&with(STATE, "\"v\"", "\"reporter\": null, \"seq\": null, \"v\""), STATE);
}

#[test]
fn latencies_are_beside_the_event() {
    let check = |base: &str, value: &str, expected: &[(i64, u64)]| {
        let line = with(base, "\"v\"", &format!("\"latency_ms\": {value}, \"v\""));
        let parsed = parse(line.as_bytes()).expect(&line);
        let latencies: Vec<_> = parsed.latencies().map(|(latency, attempts)| (latency.ms(), attempts)).collect();
        assert_eq!(latencies, expected, "{line}");
        assert_eq!(parsed.event(), parse(base.as_bytes()).expect("an event").event(), "{line}");
        assert_eq!(slow(&line), Ok(parsed), "{line}");
    };
    check(OUTCOME, "420", &[(420, 120)]);
    check(OUTCOME, "0", &[(0, 120)]);
    check(OUTCOME, "3600000", &[(3_600_000, 120)]);
    check(OUTCOME, "null", &[]);
    check(OUTCOME, "[]", &[]);
    check(OUTCOME, "[[5300, 3], [420, 4294967295], [420, 1]]", &[(5300, 3), (420, 4_294_967_295), (420, 1)]);
    check(OUTCOME, &format!("[{}]", ["[7,1]"; LATENCY_PAIRS_MAX].join(",")), &[(7, 1); LATENCY_PAIRS_MAX]);
    check(&with(&with(OUTCOME, "118", "0"), "2,", "0,"), "420", &[]);
    check(STATE, "420", &[]);
    check(STATE, "-1", &[]);
    check(STATE, "3600001", &[]);
    assert_eq!(parse(OUTCOME.as_bytes()).expect("an event").latencies().count(), 0);
}

#[test]
fn escapes_and_control_characters_are_seen_wherever_they_are() {
    let line = |reporter: &str| with(STATE, "\"down\"", &format!("\"down\", \"reporter\":\"{reporter}\""));
    for length in 0..20 {
        let x = "x".repeat(length);
        let plain = line(&format!("{x}-"));
        assert_eq!(fast::parse(plain.as_bytes()).expect("an ordinary line").event().reporter, Some(&*format!("{x}-")));
        let escaped = line(&format!("{x}\\n"));
        assert_eq!(parse(escaped.as_bytes()).expect("an escape").event().reporter, Some(&*format!("{x}\n")));
        for control in ['\t', '\n', '\0', '\u{1f}'] {
            let line = line(&format!("{x}{control}"));
            assert_eq!(parse(line.as_bytes()).map_err(|error| error.reason), Err(RejectReason::InvalidJson), "{line:?}");
        }
    }
}

#[test]
fn limits_are_inclusive() {
    let check = |line: &str, valid: bool| assert_eq!(parse(line.as_bytes()).is_ok(), valid, "{line}");
    for (ok, valid) in [("0", true), ("4294967295", true), ("4294967296", false), ("-1", false), ("1.0", false), ("1e2", false)] {
        check(&with(OUTCOME, "118", ok), valid);
    }
    for (seq, valid) in [("0", true), ("18446744073709551615", true), ("18446744073709551616", false), ("-1", false)] {
        check(&with(OUTCOME, "9912", seq), valid);
    }
    for (at, valid) in [("0", true), ("253402300799999", true), ("253402300800000", false), ("-1", false), ("1.5", false)] {
        check(&with(STATE, "1772323200000", at), valid);
    }
    for (length, valid) in [(0, false), (1, true), (256, true), (257, false)] {
        check(&with(STATE, "skill-1", &"x".repeat(length)), valid);
        check(&with(OUTCOME, "gw-17", &"x".repeat(length)), valid);
    }
}

#[test]
fn ordinary_lines_take_the_fast_way_and_borrow() {
    let timed = with(OUTCOME, "\"seq\"", "\"latency_ms\": 420, \"seq\"");
    for line in [OUTCOME, STATE, &timed, &OUTCOME.replace(' ', ""), &with(OUTCOME, "gw-17", "Zürich-17")] {
        let event = fast::parse(line.as_bytes()).expect(line);
        assert!(matches!(event.id, Cow::Borrowed(_)) && !matches!(event.reporter, Some(Cow::Owned(_))), "{line}");
    }
}

/// Wrong lines of every kind, with the reason that each has.
fn wrong_lines() -> Vec<(String, RejectReason)> {
    use RejectReason::{InvalidField, InvalidJson, MissingField, UnknownRegion, UnknownType, UnsupportedVersion};
    let outcome = |part: &str, by: &str| with(OUTCOME, part, by);
    let state = |part: &str, by: &str| with(STATE, part, by);
    vec![
        (String::new(), InvalidJson),
        ("[1]".to_owned(), InvalidJson),
        ("17".to_owned(), InvalidJson),
        ("null".to_owned(), InvalidJson),
        (outcome("}", ""), InvalidJson),
        (outcome("}", "} {}"), InvalidJson),
        (outcome("}", ",}"), InvalidJson),
        (outcome("118", "0118"), InvalidJson),
        (outcome("118", "+118"), InvalidJson),
        (outcome("\"seq\"", "\"v\": 1, \"seq\""), InvalidJson),
        (outcome("\"seq\"", "\"x\": 1, \"x\": 2, \"seq\""), InvalidJson),
        (outcome("\"seq\"", "\"x\": {\"y\": 1, \"y\": 1}, \"seq\""), InvalidJson),
        (outcome("gw-17", "gw\u{1}17"), InvalidJson),
        (outcome("\"v\": 1, ", ""), MissingField),
        (outcome("\"v\": 1", "\"v\": 2"), UnsupportedVersion),
        (outcome("\"v\": 1", "\"v\": -1"), UnsupportedVersion),
        (outcome("\"v\": 1", "\"v\": \"1\""), InvalidField),
        (outcome("\"v\": 1", "\"v\": 1.0"), InvalidField),
        (outcome("\"v\": 1", "\"v\": null"), InvalidField),
        (outcome("\"type\": \"outcome\", ", ""), MissingField),
        (outcome("\"outcome\"", "\"latency\""), UnknownType),
        (outcome("\"outcome\"", "null"), UnknownType),
        (outcome("\"subject\": \"product:B000000001\", ", ""), MissingField),
        (outcome("product:", "device:"), InvalidField),
        (outcome("product:", ""), InvalidField),
        (outcome("product:B000000001", "product:"), InvalidField),
        (outcome("\"product:B000000001\"", "17"), InvalidField),
        (outcome("B000000001", &"B".repeat(300)), InvalidField),
        (outcome("\"region\": \"NA\", ", ""), MissingField),
        (outcome("\"NA\"", "\"na\""), UnknownRegion),
        (outcome("\"NA\"", "\"US\""), UnknownRegion),
        (outcome("\"NA\"", "1"), InvalidField),
        (outcome("\"at\": \"2026-03-01T00:07:12.500Z\", ", ""), MissingField),
        (outcome("2026-03-01T00:07:12.500Z", "2026-02-29T00:07:12.500Z"), InvalidField),
        (outcome("2026-03-01T00:07:12.500Z", "2026-03-01"), InvalidField),
        (outcome("2026-03-01T00:07:12.500Z", "1969-12-31T23:59:59.999Z"), InvalidField),
        (state("1772323200000", "253402300800000"), InvalidField),
        (state("1772323200000", "-1"), InvalidField),
        (state("1772323200000", "true"), InvalidField),
        (outcome("\"ok\": 118, ", ""), MissingField),
        (outcome("118", "4294967296"), InvalidField),
        (outcome("118", "\"118\""), InvalidField),
        (outcome("118", "null"), InvalidField),
        (outcome(", \"failed\": 2", ""), MissingField),
        (outcome("\"failed\": 2", "\"failed\": 2.5"), InvalidField),
        (state(", \"state\": \"down\"", ""), MissingField),
        (state("\"down\"", "\"DOWN\""), InvalidField),
        (state("\"down\"", "[]"), InvalidField),
        (outcome("\"gw-17\"", "\"\""), InvalidField),
        (outcome("\"gw-17\"", "{}"), InvalidField),
        (outcome("9912", "-9912"), InvalidField),
        (outcome("9912", "\"9912\""), InvalidField),
        (outcome("9912", "9912, \"latency_ms\": -1"), InvalidField),
        (outcome("9912", "9912, \"latency_ms\": 3600001"), InvalidField),
        (outcome("9912", "9912, \"latency_ms\": 1.5"), InvalidField),
        (outcome("9912", "9912, \"latency_ms\": [420, 120]"), InvalidField),
        (outcome("9912", "9912, \"latency_ms\": [[420, 0]]"), InvalidField),
        (outcome("9912", "9912, \"latency_ms\": [[420, 4294967296]]"), InvalidField),
        (outcome("9912", "9912, \"latency_ms\": [[3600001, 1]]"), InvalidField),
        (outcome("9912", "9912, \"latency_ms\": [[420, 119, 1]]"), InvalidField),
        (outcome("9912", &format!("9912, \"latency_ms\": [{}]", ["[7,1]"; LATENCY_PAIRS_MAX + 1].join(","))), InvalidField),
    ]
}

#[test]
fn wrong_lines_are_told_apart() {
    let mut told = String::new();
    for (line, reason) in wrong_lines() {
        let error = parse(line.as_bytes()).expect_err(&line);
        assert_eq!(error.reason, reason, "{line}");
        told.push_str(&format!("{line:?}\n    {error}\n"));
    }
    let error = parse(b"{\"v\": 1, \"type\": \"\xff\"}").expect_err("not UTF-8");
    assert_eq!(error.reason, RejectReason::InvalidJson);
    insta::assert_snapshot!(format!("{told}not UTF-8\n    {error}\n"));
}

#[test]
fn the_first_thing_wrong_is_told() {
    let steps = [
        ("{\"seq\":-1}", "v is missing"),
        ("{\"v\":1,\"seq\":-1}", "type is missing"),
        ("{\"v\":1,\"type\":\"outcome\",\"seq\":-1}", "subject is missing"),
        ("{\"v\":1,\"type\":\"outcome\",\"seq\":-1,\"region\":1,\"subject\":\"hub:H\"}", "region is 1"),
        ("{\"v\":1,\"type\":\"outcome\",\"seq\":-1,\"region\":\"FE\",\"subject\":\"hub:H\"}", "at is missing"),
        (
            "{\"v\":1,\"type\":\"outcome\",\"seq\":-1,\"region\":\"FE\",\"subject\":\"hub:H\",\"at\":1,\"failed\":-1}",
            "ok is missing",
        ),
        (
            "{\"v\":1,\"type\":\"state\",\"seq\":-1,\"region\":\"FE\",\"subject\":\"hub:H\",\"at\":1,\"reporter\":\"\"}",
            "state is missing",
        ),
        (
            "{\"v\":1,\"type\":\"state\",\"seq\":-1,\"region\":\"FE\",\"subject\":\"hub:H\",\"at\":1,\"state\":\"up\",\"reporter\":\"\"}",
            "reporter is \"\"",
        ),
        (
            "{\"v\":1,\"type\":\"state\",\"seq\":-1,\"region\":\"FE\",\"subject\":\"hub:H\",\"at\":1,\"state\":\"up\"}",
            "seq is -1",
        ),
        (
            "{\"v\":1,\"type\":\"outcome\",\"latency_ms\":-1,\"region\":\"FE\",\"subject\":\"hub:H\",\"at\":1,\"ok\":1,\"failed\":0,\"seq\":-1}",
            "seq is -1",
        ),
        (
            "{\"v\":1,\"type\":\"outcome\",\"latency_ms\":-1,\"region\":\"FE\",\"subject\":\"hub:H\",\"at\":1,\"ok\":1,\"failed\":0}",
            "latency_ms is -1",
        ),
    ];
    for (line, told) in steps {
        let detail = parse(line.as_bytes()).expect_err(line).detail;
        assert!(detail.starts_with(told), "{line}: {detail}");
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    let id = || prop_oneof!["[A-Z0-9]{1,12}", "[a-z:\"\\\\\u{1}é/ ]{1,8}", ".{1,60}"].prop_filter("an id", |id| id.len() <= 256);
    let subject = (select(vec!["product", "skill", "hub"]), id())
        .prop_map(|(kind, id)| SubjectRef::parse(&format!("{kind}:{id}")).expect("a subject").to_owned());
    let body = prop_oneof![
        any::<(u32, u32)>().prop_map(|(ok, failed)| EventBody::Outcome { ok, failed }),
        select(HealthState::ALL.to_vec()).prop_map(EventBody::State),
    ];
    let at = (0..=Timestamp::MAX.ms()).prop_map(Timestamp::clamped);
    let reporter = proptest::option::of(id()).prop_map(|id| id.and_then(|id| ReporterId::new(&id)));
    (subject, select(Region::ALL.to_vec()), at, body, reporter, any::<Option<u64>>())
        .prop_map(|(subject, region, at, body, reporter, seq)| Event { subject, region, at, body, reporter, seq })
}

/// Objects of fields in any order that are right, wrong, odd, missing, repeated or unknown.
fn any_line() -> impl Strategy<Value = String> {
    let values: [(&str, &[&str]); 12] = [
        ("v", &["1", "1", "1", "1", "2", "\"1\"", "1.0", "01"]),
        ("type", &["\"outcome\"", "\"outcome\"", "\"state\"", "\"sta\\u0074e\"", "\"x\"", "null"]),
        ("subject", &["\"product:B1\"", "\"hub:é\"", "\"skill:a\\\"b\"", "\"skill:\"", "\"x\"", "1"]),
        ("region", &["\"NA\"", "\"EU\"", "\"FE\"", "\"F\\u0045\"", "\"XX\"", "null"]),
        (
            "at",
            &[
                "1",
                "1772323200000",
                "\"2026-03-01T00:07:12.500Z\"",
                "\"2026-03-01t00:07:12+01:00\"",
                "\"2016-12-31T23:59:60Z\"",
                "-1",
                "1e3",
                "\"\"",
            ],
        ),
        ("ok", &["0", "118", "4294967295", "4294967296", "00", "-0", "null", "1.5"]),
        ("failed", &["0", "2", "18446744073709551616", "-1", "\"2\""]),
        ("state", &["\"up\"", "\"down\"", "\"unknown\"", "\"maintenance\"", "\"Up\"", "null"]),
        ("reporter", &["\"gw\"", "null", "\"\"", "\"a\\nb\"", "7"]),
        ("seq", &["0", "18446744073709551615", "18446744073709551616", "null", "1E5", "-1"]),
        ("latency_ms", &["420", "0", "3600001", "[[420, 2]]", "[]", "null", "18446744073709551616", "[[1,0]]", "007"]),
        ("other", &["null", "[1,{}]", "\"\"", "{\"v\":1}"]),
    ];
    let field = |(name, values): (&'static str, &'static [&'static str])| {
        let value = prop_oneof![9 => Just(values[0]), 1 => select(values)];
        (Just(name), proptest::option::weighted(0.98, value), prop::bool::weighted(0.01))
    };
    let fields: Vec<_> = values.into_iter().map(field).collect();
    let blank = select(vec!["", "", " ", "\t"]);
    (fields, any::<Index>(), blank).prop_flat_map(|(fields, rotate, blank)| {
        let mut parts = Vec::new();
        for (name, value, twice) in fields {
            let part = value.map(|value| format!("\"{name}\"{blank}:{blank}{value}"));
            parts.extend(part.iter().cloned());
            parts.extend(part.filter(|_| twice));
        }
        let turn = rotate.index(parts.len().max(1));
        parts.rotate_left(turn);
        let sorted = Just(parts.clone());
        prop_oneof![sorted, Just(parts).prop_shuffle()]
            .prop_map(move |parts| format!("{blank}{{{}}}", parts.join(&format!("{blank},{blank}"))))
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(event in any_event()) {
        let mut line = Vec::new();
        write(&event.as_ref(), &mut line);
        prop_assert!(!line.contains(&b'\n'));
        prop_assert_eq!(parse(&line).map(|parsed| parsed.event().to_owned()), Ok(event));
    }

    #[test]
    fn both_readers_agree_on_valid_lines(event in any_event()) {
        let mut line = Vec::new();
        write(&event.as_ref(), &mut line);
        let fast = fast::parse(&line);
        prop_assert_eq!(fast.is_some(), !line.contains(&b'\\'), "only escapes are left to the slow reader");
        if let Some(fast) = fast {
            prop_assert_eq!(Ok(fast), slow::parse(&line));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(line: Vec<u8>) {
        prop_assert!(parse(&line).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn both_readers_agree_on_odd_lines(line in any_line()) {
        if let Some(fast) = fast::parse(line.as_bytes()) {
            prop_assert_eq!(Ok(fast), slow(&line));
        }
    }

    #[test]
    fn both_readers_agree_on_broken_lines(
        base in prop_oneof![Just(OUTCOME.to_owned()), Just(STATE.to_owned()), any_line()],
        edits in prop::collection::vec((any::<Index>(), prop_oneof![select(b"\"\\{}:,0129e.-+ \t\n\x00\x1f\x7f".to_vec()), any::<u8>()], 0..3_u8), 1..4),
    ) {
        let mut line = base.into_bytes();
        for (place, byte, how) in edits {
            let place = place.index(line.len().max(1));
            match how {
                0 => line.insert(place.min(line.len()), byte),
                1 if place < line.len() => line[place] = byte,
                _ if place < line.len() => { line.remove(place); }
                _ => {}
            }
        }
        if let Some(fast) = fast::parse(&line) {
            prop_assert_eq!(Ok(fast), slow::parse(&line));
        }
        let _ = parse(&line);
    }
}
