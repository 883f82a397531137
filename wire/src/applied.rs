//! What became of lines that were given to the registry, or would: for tools, one JSON object a line.

use serde::{Deserialize, Serialize};

use crate::json;
use crate::programme_view::{EntityView, StepView, UnmetView};

const FORM: u64 = 1;

/// What became of one line, or would.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AppliedView {
    /// Its number in what was given, from 1.
    pub line: u64,
    /// The line's type; none where it can't be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// The command; none of a fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What it is about, as `KIND:ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// Whether it was carried out, or taken over.
    pub accepted: bool,
    /// Whether the registry had it already, so that nothing was appended.
    pub known: bool,
    /// The revision that what a command is about has since; none where it wasn't carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Everything that was in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<UnmetView>,
    /// The fact that follows, as a line of the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<String>,
}

/// What a dry run would change about one thing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangeView {
    /// As it is; none where it isn't known yet.
    pub before: Option<EntityView>,
    /// As it would be.
    pub after: EntityView,
}

/// What became of a line, on one line.
#[must_use]
pub fn write(applied: &AppliedView) -> Vec<u8> {
    json::write_form(FORM, applied)
}

/// What would change, on one line.
#[must_use]
pub fn write_change(change: &ChangeView) -> Vec<u8> {
    json::write_form(FORM, change)
}

/// What is known of something, on one line.
#[must_use]
pub fn write_entity(entity: &EntityView) -> Vec<u8> {
    json::write_form(FORM, entity)
}

/// A step of something's history, on one line.
#[must_use]
pub fn write_step(step: &StepView) -> Vec<u8> {
    json::write_form(FORM, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_left_out() {
        let refused = AppliedView {
            line: 3,
            r#type: None,
            command: None,
            entity: None,
            accepted: false,
            known: false,
            revision: None,
            unmet: vec![UnmetView { requirement: "r".to_owned(), detail: "d".to_owned(), remedy: "do".to_owned() }],
            follows: None,
        };
        let expected =
            r#"{"v":1,"line":3,"accepted":false,"known":false,"unmet":[{"requirement":"r","detail":"d","remedy":"do"}]}"#;
        assert_eq!(String::from_utf8_lossy(&write(&refused)), expected);
        let carried_out = AppliedView {
            r#type: Some("approve_exclusion".to_owned()),
            command: Some("c-1".to_owned()),
            entity: Some("exclusion:x-1".to_owned()),
            accepted: true,
            revision: Some(2),
            unmet: Vec::new(),
            ..refused
        };
        let expected = r#"{"v":1,"line":3,"type":"approve_exclusion","command":"c-1","entity":"exclusion:x-1","accepted":true,"known":false,"revision":2}"#;
        assert_eq!(String::from_utf8_lossy(&write(&carried_out)), expected);
        assert_eq!(serde_json::from_str::<AppliedView>(expected).expect("a line"), carried_out);
    }
}
