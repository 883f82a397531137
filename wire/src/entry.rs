//! Lines of the registry's log: facts, commands and notes of decisions, told apart by their `type`.

use domain::Timestamp;
use domain::programme::Entry;

use crate::error::LineError;
use crate::json::Fields;
use crate::{command, fact, issued_note};

/// Every type, in the order in which messages list them.
const TYPES: [&str; fact::read::TYPES.len() + command::TYPES.len() + 1] = {
    let (facts, commands) = (fact::read::TYPES, command::TYPES);
    let mut all = [issued_note::TYPE; fact::read::TYPES.len() + command::TYPES.len() + 1];
    let mut place = 0;
    while place < facts.len() {
        all[place] = facts[place];
        place += 1;
    }
    while place < facts.len() + commands.len() {
        all[place] = commands[place - facts.len()];
        place += 1;
    }
    all
};

/// Reads a line.
///
/// # Errors
/// The first thing that is wrong, in this order: JSON, `v`, `type`, then the fields of its kind.
pub fn parse(line: &[u8]) -> Result<Entry, LineError> {
    let mut fields = Fields::parse(line)?;
    fields.version(false)?;
    let kind = fields.kind(&TYPES)?;
    read(kind, fields)
}

/// What a command in a file has where its line doesn't say it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filled<'a> {
    /// Its id.
    pub command: String,
    /// When it takes effect.
    pub at: Timestamp,
    /// Who wants it.
    pub by: Option<&'a str>,
}

/// Reads a line in which a command's `command`, `at` and `by` may be left out.
///
/// # Errors
/// As [`parse`].
pub fn parse_filled(line: &[u8], filled: &Filled<'_>) -> Result<Entry, LineError> {
    let mut fields = Fields::parse(line)?;
    fields.version(false)?;
    let kind = fields.kind(&TYPES)?;
    if command::TYPES.contains(&kind) {
        fields.fill("command", &filled.command);
        fields.fill("at", &filled.at.to_string());
        filled.by.iter().for_each(|by| fields.fill("by", by));
    }
    read(kind, fields)
}

/// Appends an entry as a line without its newline. [`parse`] reads the same entry back.
pub fn write(entry: &Entry, out: &mut Vec<u8>) {
    match entry {
        Entry::Fact(fact) => fact::write(fact, out),
        Entry::Command(command) => command::write(command, out),
        Entry::Issued(note) => issued_note::write(note, out),
    }
}

fn read(kind: &'static str, fields: Fields<'_>) -> Result<Entry, LineError> {
    match kind {
        issued_note::TYPE => issued_note::read(fields).map(Entry::Issued),
        kind if fact::read::TYPES.contains(&kind) => fact::read::read(kind, fields).map(Entry::Fact),
        kind => command::read(kind, fields).map(|command| Entry::Command(Box::new(command))),
    }
}

#[cfg(test)]
mod tests {
    use domain::RejectReason;

    use super::*;

    const FACT: &str = r#"{"type":"badge_withdrawn","asin":"B000000001","at":"2025-06-01T00:00:00.000Z"}"#;
    const COMMAND: &str =
        r#"{"type":"withdraw_badge","command":"c-1","at":"2025-06-01T00:00:00.000Z","by":"anna","asin":"B000000001"}"#;
    const NOTE: &str = r#"{"type":"issued","id":"000102030405060708090a0b0c0d0e0f","kind":"badge_removal","asin":"B000000001","manufacturer":"m-1","scope":"EU","at":"2025-06-01T00:00:00.000Z","supersedes":"0f0e0d0c0b0a09080706050403020100","reasons":["budget"]}"#;

    fn check(line: &str, expected: impl Fn(&Entry) -> bool) {
        let entry = parse(line.as_bytes()).expect(line);
        assert!(expected(&entry), "{line} is {entry:?}");
        let mut again = Vec::new();
        write(&entry, &mut again);
        assert_eq!(String::from_utf8(again).expect("JSON is UTF-8"), line);
    }

    fn check_wrong(line: &str, reason: RejectReason, detail: &str) {
        let error = parse(line.as_bytes()).expect_err(line);
        assert_eq!((error.reason, &*error.detail), (reason, detail), "{line}");
    }

    #[test]
    fn lines_are_told_apart_by_their_type() {
        check(FACT, |entry| matches!(entry, Entry::Fact(_)));
        check(COMMAND, |entry| matches!(entry, Entry::Command(_)));
        check(NOTE, |entry| matches!(entry, Entry::Issued(_)));
        let about_a_maker = NOTE.replace("\"asin\":\"B000000001\",", "").replace("badge_removal", "suspension");
        check(
            &about_a_maker.replace("\"supersedes\":\"0f0e0d0c0b0a09080706050403020100\",", ""),
            |entry| matches!(entry, Entry::Issued(note) if note.asin.is_none() && note.supersedes.is_none()),
        );
    }

    #[test]
    fn what_is_wrong_is_told_by_the_kind() {
        use RejectReason::{InvalidField, MissingField, UnknownType};
        let kinds = "critical_outage, reinstatement, reinstatement_held, suspension_lifted, badge_removal, suspension, proposal, \
                     reversal or amendment";
        check_wrong(&NOTE.replace("badge_removal", "warning"), InvalidField, &format!("kind is \"warning\"; expected {kinds}"));
        check_wrong(&NOTE.replace(",\"reasons\":[\"budget\"]", ""), MissingField, "reasons is missing; expected a list of texts");
        check_wrong(&FACT.replace("asin", "sin"), MissingField, "asin is missing; expected an ASIN of 1 to 256 bytes");
        check_wrong(&COMMAND.replace("c-1", ""), InvalidField, "command is \"\"; expected a command's id of 1 to 256 bytes");
        let error = parse(FACT.replace("badge_withdrawn", "badged").as_bytes()).expect_err("no type");
        assert_eq!(error.reason, UnknownType);
        for kind in TYPES {
            assert!(error.detail.contains(kind), "{kind} is not in {}", error.detail);
        }
    }

    #[test]
    fn what_a_command_leaves_out_is_filled_in() {
        let filled = Filled { command: "import-7".to_owned(), at: Timestamp::clamped(1_748_736_000_000), by: Some("ben") };
        let check = |line: &str, expected: &str| {
            let mut again = Vec::new();
            write(&parse_filled(line.as_bytes(), &filled).expect(line), &mut again);
            assert_eq!(String::from_utf8(again).expect("JSON is UTF-8"), expected);
        };
        check(COMMAND, COMMAND);
        check(FACT, FACT);
        let bare = r#"{"type":"withdraw_badge","command":null,"asin":"B000000001"}"#;
        check(bare, &COMMAND.replace("c-1", "import-7").replace("anna", "ben"));
        let nobody = parse_filled(bare.as_bytes(), &Filled { by: None, ..filled.clone() }).expect_err(bare);
        assert_eq!(nobody.reason, RejectReason::MissingField);
    }

    #[test]
    fn each_reader_keeps_to_its_own_types() {
        for line in [COMMAND, NOTE] {
            assert_eq!(fact::parse(line.as_bytes()).expect_err(line).reason, RejectReason::UnknownType);
        }
        assert_eq!(command::parse(FACT.as_bytes()).expect_err(FACT).reason, RejectReason::UnknownType);
        assert_eq!(issued_note::parse(FACT.as_bytes()).expect_err(FACT).reason, RejectReason::UnknownType);
    }
}
