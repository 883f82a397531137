use std::collections::BTreeSet;

use domain::RejectReason;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::samples::commands;
use super::*;

/// Longest message: one that lists every type or every capability.
const DETAIL_CHARS_MAX: usize = 1_200;

fn written(command: &Command) -> String {
    let mut line = Vec::new();
    write(command, &mut line);
    String::from_utf8(line).expect("JSON is UTF-8")
}

/// The first sample of a type, as it is written, with one part replaced.
fn with(kind: &str, part: &str, by: &str) -> String {
    let sample = commands().into_iter().find(|command| command.action.as_str() == kind).expect("every type has a sample");
    let line = written(&sample);
    assert!(line.contains(part), "{part} is not in {line}");
    line.replacen(part, by, 1)
}

#[test]
fn commands_are_written_as_documented() {
    let lines: Vec<_> = commands().iter().map(written).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_is_written_is_read() {
    for command in commands() {
        let line = written(&command);
        assert!(!line.contains('\n'));
        assert_eq!(parse(line.as_bytes()), Ok(command), "{line}");
    }
}

#[test]
fn every_type_is_sampled_and_has_the_fields_of_the_table() {
    let mut told = BTreeSet::new();
    for command in commands() {
        let kind = command.action.as_str();
        let kind = TYPES.into_iter().find(|known| *known == kind).unwrap_or_else(|| panic!("{kind} is not in TYPES"));
        let value: serde_json::Value = serde_json::from_str(&written(&command)).expect("JSON");
        let keys: BTreeSet<_> = value.as_object().expect("an object").keys().cloned().collect();
        let known: BTreeSet<_> = fields(kind).map(str::to_owned).collect();
        assert!(keys.is_subset(&known), "{kind}: {keys:?} are written, {known:?} are known");
        if told.insert(kind) {
            assert_eq!(keys, known, "{kind}: the first sample has everything");
        }
    }
    assert_eq!(told, TYPES.into_iter().collect(), "every type has a sample");
}

#[test]
fn lists_lose_repetitions_and_null_is_as_good_as_absent() {
    let check = |line: &str, same: &str| assert_eq!(parse(line.as_bytes()), parse(same.as_bytes()), "{line}");
    let product = with("describe_product", "", "");
    check(&with("describe_product", "[\"PowerController\"", "[\"Alexa.PowerController\",\"PowerController\""), &product);
    check(&with("describe_product", "[\"B000000002\"", "[\"B000000002\",\"B000000002\""), &product);
    check(&with("describe_product", "{", "{\"v\":1,\"later\":[],"), &product);
    check(&with("describe_product", "\"Acme One\"", "null"), &with("describe_product", "\"retail_name\":\"Acme One\",", ""));
    check(&with("describe_product", "[\"B0C1H26C46\"]", "null"), &with("describe_product", "\"hubs\":[\"B0C1H26C46\"],", ""));
    check(&with("open_dispute", "[\"EU\",\"NA\"]", "null"), &with("open_dispute", "\"regions\":[\"EU\",\"NA\"],", ""));
    let unknown = with("draft_badge_request", ",\"customers\":120000", "");
    check(&with("draft_badge_request", "120000", "0"), &unknown);
}

/// Wrong lines of every kind, with the reason that each has.
fn wrong_envelopes() -> Vec<(String, RejectReason)> {
    use RejectReason::{InvalidField, InvalidJson, MissingField, UnknownType, UnsupportedVersion};
    let submit = |part: &str, by: &str| with("submit_certification", part, by);
    vec![
        ("{".to_owned(), InvalidJson),
        (submit("}", ",\"by\":\"ben\"}"), InvalidJson),
        (submit("{", "{\"v\":2,"), UnsupportedVersion),
        (submit("submit_certification", "certify"), UnknownType),
        (submit("submit_certification", "badge"), UnknownType),
        (submit("\"command\":\"c-3\",", ""), MissingField),
        (submit("\"c-3\"", "\"\""), InvalidField),
        (submit("\"at\":\"2026-03-01T00:00:00.000Z\",", ""), MissingField),
        (submit("2026-03-01T00:00:00.000Z", "March"), InvalidField),
        (submit("\"by\":\"anna\",", ""), MissingField),
        (submit("\"anna\"", "\" \""), InvalidField),
        (submit("\"anna\"", &format!("\"{}\"", "a".repeat(TEXT_BYTES_MAX + 1))), InvalidField),
        (submit("\"expects\":3", "\"expects\":-3"), InvalidField),
        (submit("\"certification\":\"cert-1\"", "\"product\":\"cert-1\""), MissingField),
        (submit("\"cert-1\"", "1"), InvalidField),
    ]
}

fn wrong_forms() -> Vec<(String, RejectReason)> {
    use RejectReason::{InvalidField, MissingField, UnknownMarketplace, UnknownRegion};
    let maker = |part: &str, by: &str| with("describe_manufacturer", part, by);
    let product = |part: &str, by: &str| with("describe_product", part, by);
    let certify = |part: &str, by: &str| with("draft_certification", part, by);
    let badge = |part: &str, by: &str| with("draft_badge_request", part, by);
    let list = |items: usize| format!("[\"080442957X\"{}]", ",\"B000000001\"".repeat(items - 1));
    let contacts = "[\"ops@acme.example\",\"b@acme.example\"]";
    let mut wrong = vec![
        (maker("\"name\":\"Acme\",", ""), MissingField),
        (maker("\"Acme\"", "\"\""), InvalidField),
        (maker(contacts, "\"ops@acme.example\""), InvalidField),
        (maker(contacts, &format!("[{}\"a@b\"]", "\"a@b\",".repeat(CONTACTS_MAX))), InvalidField),
        (maker("warnings", "spam"), InvalidField),
        (maker("tech@acme.example", "tech"), InvalidField),
        (product("\"p-1\"", "null"), InvalidField),
        (product("\"Acme One\"", "\"\""), InvalidField),
        (product("light_bulb", "toaster"), InvalidField),
        (product("\"skill\"", "\"wire\""), InvalidField),
        (product("\"PowerController\"", "\"Alexa.Fun\",\"Joy\""), InvalidField),
        (product("B0C1H26C46", "hub"), InvalidField),
        (product("\"B000000002\"", "\"A\",\"B\",\"C\",\"D\",\"E\",\"F\""), InvalidField),
        (product("[\"B000000002\",\"B000000001\",\"080442957X\"]", &list(VARIANTS_MAX + 1)), InvalidField),
        (product("[\"B0C1H26C46\"]", &list(HUBS_MAX + 1)), InvalidField),
        (certify("\"EU\"", "\"DE\""), UnknownRegion),
        (certify("[\"DE\",\"UK\"]", "[\"XX\"]"), UnknownMarketplace),
        (certify("[\"DE\",\"UK\"]", "[\"US\",\"DE\",\"JP\"]"), InvalidField),
        (certify("[\"DE\",\"UK\"]", "[]"), InvalidField),
        (certify("B0C1H26C46", "B0C1H26C4"), InvalidField),
        (certify("\"live\"", "\"dead\""), InvalidField),
        (badge("036000291452", "036000291453"), InvalidField),
        (badge("036000291452", "36000291452"), InvalidField),
        (badge("UPC 036000291452", "JAN 4006381333931"), InvalidField),
        (badge("UPC 036000291452", "036000291452"), InvalidField),
        (badge("\"UPC 036000291452\"", "36000291452"), InvalidField),
        (badge("[\"B000000003\"]", &list(BUNDLE_MAX + 1)), InvalidField),
        (badge("120000", "\"120000\""), InvalidField),
        (badge("2026-04-01T00:00:00.000Z", "soon"), InvalidField),
    ];
    let addresses = ["a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\\n", "a@b\\u0000", "a\u{a0}@b"];
    let long = format!("{}@b", "a".repeat(ADDRESS_BYTES_MAX - 1));
    wrong.extend(addresses.into_iter().chain([&*long]).map(|address| (maker("b@acme.example", address), InvalidField)));
    wrong
}

fn wrong_actions() -> Vec<(String, RejectReason)> {
    use RejectReason::{InvalidField, MissingField};
    let reasons = "[\"no hub\",\"no manual\"]";
    let exclude = |part: &str, by: &str| with("request_exclusion", part, by);
    vec![
        (with("reject_certification", &format!(",\"reasons\":{reasons}"), ""), MissingField),
        (with("reject_certification", reasons, "[]"), InvalidField),
        (with("reject_certification", reasons, "null"), InvalidField),
        (with("reject_certification", "\"no hub\"", "\"\""), InvalidField),
        (with("reject_badge_request", reasons, &format!("[{}\"b\"]", "\"a\",".repeat(REASONS_MAX))), InvalidField),
        (with("fail_certification", reasons, "\"no hub\""), InvalidField),
        (with("advance_testing", "\"device_received\"", "\"received\""), InvalidField),
        (with("advance_testing", ",\"step\":\"device_received\"", ""), MissingField),
        (with("test_again", ",\"new\":\"cert-2\"", ""), MissingField),
        (with("count_customers", "18446744073709551615", "-1"), InvalidField),
        (exclude("{\"manufacturer\":\"m-1\"}", "{}"), InvalidField),
        (exclude("{\"manufacturer\":\"m-1\"}", "\"all\""), InvalidField),
        (exclude("2026-02-02", "2026-02-01"), InvalidField),
        (exclude("\"maintenance\"", "\"weather\""), InvalidField),
        (exclude("\"a new firmware\"", "7"), InvalidField),
        (with("decline_exclusion", "\"it isn't so\"", "\"\""), InvalidField),
        (with("open_dispute", "\"the probe was down\"", "\"\""), InvalidField),
        (with("open_dispute", "2026-02-02", "2026-01-01"), InvalidField),
        (with("open_dispute", "[\"EU\",\"NA\"]", "[]"), InvalidField),
        (with("confirm_proposal", "01010101", "0101"), InvalidField),
        (with("acknowledge_outage", "\"power\"", "\"\""), InvalidField),
        (with("acknowledge_outage", "2026-03-02T12:00:00.001Z", "soon"), InvalidField),
        (with("turn_kill_switch", "true", "1"), InvalidField),
        (with("turn_kill_switch", "\"it isn't so\"", "\"\""), InvalidField),
    ]
}

#[test]
fn wrong_lines_are_told_apart() {
    let mut told = String::new();
    for (line, reason) in wrong_envelopes().into_iter().chain(wrong_forms()).chain(wrong_actions()) {
        let error = parse(line.as_bytes()).expect_err(&line);
        assert_eq!(error.reason, reason, "{line}");
        let (start, more) = line.char_indices().nth(400).map_or((&*line, ""), |(end, _)| (&line[..end], "…"));
        told.push_str(&format!("{start}{more}\n    {error}\n"));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_as_much_as_allowed_is_read() {
    let check = |line: &str| assert!(parse(line.as_bytes()).is_ok(), "{line}");
    check(&with("submit_certification", "\"anna\"", &format!("\"{}\"", "a".repeat(TEXT_BYTES_MAX))));
    check(&with("describe_manufacturer", "b@acme.example", &format!("{}@b", "a".repeat(ADDRESS_BYTES_MAX - 2))));
    let variants: Vec<_> = (0..VARIANTS_MAX).map(|number| format!("\"B{number:09}\"")).collect();
    check(&with("describe_product", "\"B000000002\",\"B000000001\",\"080442957X\"", &variants.join(",")));
}

proptest! {
    #[test]
    fn broken_lines_never_panic(command in select(commands()), place: Index, byte: u8) {
        let mut line = written(&command).into_bytes();
        let place = place.index(line.len());
        line[place] = byte;
        match parse(&line) {
            Err(error) => prop_assert!(error.detail.chars().count() < DETAIL_CHARS_MAX, "messages are bounded: {}", error),
            Ok(command) => prop_assert_eq!(parse(written(&command).as_bytes()), Ok(command)),
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(line: Vec<u8>) {
        prop_assert!(parse(&line).is_err());
    }
}
