//! What the registry's log repeats of a decision, as JSON lines (form 1; `v` may be left out).

use std::borrow::Cow;

use domain::DecisionKind;
use domain::programme::IssuedNote;
use serde::{Deserialize, Serialize};

use crate::error::LineError;
use crate::fact::read as fact;
use crate::json::fields::{id_of, list, one_of, text};
use crate::json::{self, Fields};

/// The line's type.
pub(crate) const TYPE: &str = "issued";

/// A note as it is written and shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoteView {
    /// The decision.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its product; none for one about a manufacturer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asin: Option<String>,
    /// Its manufacturer.
    pub manufacturer: String,
    /// `global` or a region.
    pub scope: String,
    /// The instant it is dated.
    pub at: String,
    /// The decision that it takes back or replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<String>,
    /// Why.
    pub reasons: Vec<String>,
}

#[derive(Serialize)]
struct NoteLine {
    r#type: &'static str,
    #[serde(flatten)]
    note: NoteView,
}

/// Reads a note.
///
/// # Errors
/// The first thing that is wrong, in this order: JSON, `v`, `type`, then the fields as they are written.
pub fn parse(line: &[u8]) -> Result<IssuedNote, LineError> {
    let mut fields = Fields::parse(line)?;
    fields.version(false)?;
    fields.kind(&[TYPE])?;
    read(fields)
}

/// Appends a note as a line without its newline. [`parse`] reads the same note back.
pub fn write(note: &IssuedNote, out: &mut Vec<u8>) {
    json::write(&NoteLine { r#type: TYPE, note: note.into() }, out);
}

/// Reads what is left of a line once its version and type are taken out.
pub(crate) fn read(mut fields: Fields<'_>) -> Result<IssuedNote, LineError> {
    let fields = &mut fields;
    Ok(IssuedNote {
        id: fact::decision_id(fields, "id")?,
        kind: fields.parsed("kind", "a decision's kind", |value| {
            let kind = text(value).and_then(|name| DecisionKind::parse(&name));
            kind.filter(|kind| IssuedNote::KINDS.contains(kind))
                .ok_or_else(|| one_of(&IssuedNote::KINDS.map(DecisionKind::as_str)))
        })?,
        asin: fields.optional("asin", &id_of("an ASIN"), fact::as_asin)?,
        manufacturer: fact::manufacturer_id(fields, "manufacturer")?,
        scope: fact::scope(fields)?,
        at: fields.instant("at")?,
        supersedes: if fields.has("supersedes") { Some(fact::decision_id(fields, "supersedes")?) } else { None },
        reasons: fields.required("reasons", "a list of texts", list)?.into_iter().map(Cow::into_owned).collect(),
    })
}

impl From<&IssuedNote> for NoteView {
    fn from(note: &IssuedNote) -> Self {
        Self {
            id: note.id.to_string(),
            kind: note.kind.to_string(),
            asin: note.asin.as_ref().map(ToString::to_string),
            manufacturer: note.manufacturer.to_string(),
            scope: note.scope.to_string(),
            at: note.at.to_string(),
            supersedes: note.supersedes.map(|id| id.to_string()),
            reasons: note.reasons.clone(),
        }
    }
}
