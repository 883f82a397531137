use domain::programme::Action;
use proptest::prelude::*;

use super::*;
use crate::command::samples::commands;
use crate::samples::at;

fn defaults(kind: Option<&str>) -> Defaults<'_> {
    Defaults { kind, id: &|line| format!("import-{line}"), at: at("2026-03-01T00:00:00Z"), by: "anna" }
}

/// What a file says of each row: its line, and its command's JSON form or what is wrong.
fn told(file: &[u8], kind: Option<&str>) -> Vec<String> {
    let told = |(line, result): (u64, Result<Command, LineError>)| match result {
        Ok(command) => {
            let mut written = Vec::new();
            command::write(&command, &mut written);
            format!("{line} {}", String::from_utf8(written).expect("JSON is UTF-8"))
        }
        Err(error) => format!("{line} {error}"),
    };
    read_commands(file, defaults(kind)).map(told).collect()
}

fn check(file: &str, kind: Option<&str>, expected: &[&str]) {
    assert_eq!(told(file.as_bytes(), kind), expected, "{file}");
}

/// A value as a cell holds it. No sample has a quotation mark.
fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join("|"),
        serde_json::Value::Object(target) => match target.iter().next() {
            Some((kind, id)) if kind == "manufacturer" => format!("manufacturer:{}", cell(id)),
            Some((kind, id)) if kind == "subject" => cell(id),
            _ => "all".to_owned(),
        },
        other => other.to_string(),
    }
}

#[test]
fn every_command_can_be_a_row() {
    for command in commands() {
        let mut line = Vec::new();
        command::write(&command, &mut line);
        let value: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
        let fields = value.as_object().expect("an object");
        let header = fields.keys().cloned().collect::<Vec<_>>().join(",");
        let row = fields.values().map(|value| format!("\"{}\"", cell(value))).collect::<Vec<_>>().join(",");
        let file = format!("{header}\r\n{row}\r\n");
        let read: Vec<_> = read_commands(file.as_bytes(), defaults(None)).collect();
        assert_eq!(read, [(2, Ok(command))], "{file}");
    }
}

#[test]
fn rows_are_read_with_what_the_caller_says() {
    let submit = |command: &str, at: &str, by: &str, certification: &str| {
        format!(
            r#"{{"type":"submit_certification","command":"{command}","at":"{at}","by":"{by}","certification":"{certification}"}}"#
        )
    };
    let (march, april) = ("2026-03-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z");
    let kind = Some("submit_certification");
    check(
        "\u{feff}certification , by\r\n\r\ncert-1,\r\n\"cert,\n\"\"2\"\"\", ben \r\n\n\ncert-3,ben",
        kind,
        &[
            &format!("3 {}", submit("import-3", march, "anna", "cert-1")),
            &format!("4 {}", submit("import-4", march, "ben", "cert,\\n\\\"2\\\"")),
            &format!("8 {}", submit("import-8", march, "ben", "cert-3")),
        ],
    );
    check(
        "type,command,at,certification\nsubmit_certification,c-1,2026-04-01T00:00:00Z,cert-1\n,c-2,1775001600000,cert-2\n",
        Some("accept_certification"),
        &[&format!("2 {}", submit("c-1", april, "anna", "cert-1")), &format!("3 {}", submit("c-2", april, "anna", "cert-2"))],
    );
    check("certification\n", kind, &[]);
    check("certification", kind, &[]);
}

#[test]
fn cells_are_read_by_their_column() {
    let check = |file: &str, kind, expected: &dyn Fn(&Action) -> bool| {
        let read: Vec<_> = read_commands(file.as_bytes(), defaults(Some(kind))).collect();
        assert!(matches!(&read[..], [(2, Ok(command))] if expected(&command.action)), "{read:?}");
    };
    check(
        "product,manufacturer,variants\np-1,m-1, B000000001 | | B000000002|\n",
        "describe_product",
        &|action| matches!(action, Action::DescribeProduct(form) if form.variants.len() == 2),
    );
    check(
        "on,reason\nTRUE,a fault\n",
        "turn_kill_switch",
        &|action| matches!(action, Action::TurnKillSwitch { on: true, reason } if reason == "a fault"),
    );
    check("asin,customers\nB1,007\n", "count_customers", &|action| matches!(action, Action::CountCustomers { customers: 7, .. }));
}

#[test]
fn what_is_wrong_is_told_by_line_and_column() {
    let badge = "product,badge_request,asin,marketplaces,retail_id,customers\n";
    let rows = "p-1,b-1,B000000001,US,UPC 036000291453,1\np-1,b-2,B000000001,US|XX,,1\np-1,b-3,B000000001,US,,+1\n\
                p-1,b-4,B000000001,US,\np-1,b-5,B000000001,,,\n";
    let exclusion = "exclusion,applies_to,from,to,reason\nx-1,everything,1,2,platform\nx-2,manufacturer:,1,2,platform\n\
                     x-3,skill:,1,2,platform\nx-4,all,2,2,platform\n";
    let files: [(&[u8], Option<&str>); 12] = [
        (&[badge.as_bytes(), rows.as_bytes()].concat(), Some("draft_badge_request")),
        (exclusion.as_bytes(), Some("request_exclusion")),
        (b"certificaton,by,note,a,b,c,d\n\xff\n", Some("submit_certification")),
        (b"certification\ncert-1\n", None),
        (b"certification\ncert-1\n", Some("badge")),
        (b"type,certification\nsubmit,cert-1\n", None),
        (b"type,certification\nsubmit_certification,cert-1\naccept_certification,cert-1\n", None),
        (b"certification,by,certification\n", Some("submit_certification")),
        (b"certification,\n", Some("submit_certification")),
        (b"certification,\xff\n", Some("submit_certification")),
        (b"certification,by\ncert-1,\xff\n", Some("submit_certification")),
        (b"", Some("submit_certification")),
    ];
    let text: Vec<_> = files.iter().map(|(file, kind)| told(file, *kind).join("\n")).collect();
    insta::assert_snapshot!(text.join("\n\n"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(rows: Vec<u8>, header in "(certification|by|at|type|,|\n|\"){1,9}") {
        let file = [header.as_bytes(), b"\n", &rows].concat();
        let mut last = 0;
        for (line, _) in read_commands(&file, defaults(Some("submit_certification"))) {
            prop_assert!(last < line, "lines rise");
            last = line;
        }
    }
}
