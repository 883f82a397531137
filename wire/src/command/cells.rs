//! The fields of a form as they are written, in order: what a command's line and a view of what it made share.

use domain::Timestamp;
use serde::{Serialize, Serializer};

use crate::fact::write::Target;

/// A value of a field.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Cell<'a> {
    Text(&'a str),
    Shown(String),
    Texts(Vec<&'a str>),
    Number(u64),
    Switch(bool),
    Target(Target<'a>),
}

/// Fields by name, in the order in which they are written. What is none is left out.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Cells<'a>(#[serde(serialize_with = "as_map")] pub(crate) Vec<(&'static str, Cell<'a>)>);

impl<'a> Cells<'a> {
    pub(crate) fn with(mut self, name: &'static str, cell: Cell<'a>) -> Self {
        self.0.push((name, cell));
        self
    }

    pub(crate) fn text(self, name: &'static str, text: &'a str) -> Self {
        self.with(name, Cell::Text(text))
    }

    pub(crate) fn optional(self, name: &'static str, text: Option<&'a str>) -> Self {
        if let Some(text) = text { self.text(name, text) } else { self }
    }

    pub(crate) fn shown(self, name: &'static str, shown: &impl ToString) -> Self {
        self.with(name, Cell::Shown(shown.to_string()))
    }

    pub(crate) fn texts<'b: 'a>(self, name: &'static str, texts: impl IntoIterator<Item = &'b str>) -> Self {
        self.with(name, Cell::Texts(texts.into_iter().collect()))
    }

    pub(crate) fn instant(self, name: &'static str, at: Option<Timestamp>) -> Self {
        if let Some(at) = at { self.shown(name, &at) } else { self }
    }
}

fn as_map<S: Serializer>(cells: &[(&'static str, Cell<'_>)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(cells.iter().map(|(name, cell)| (name, cell)))
}
