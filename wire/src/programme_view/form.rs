//! A form's fields as they are shown: by name, in the order in which commands write them.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::command::cells::{Cell, Cells};
use crate::fact::write::Target;

/// The fields of a form.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FormView(pub Vec<(String, FieldView)>);

/// A field's value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldView {
    /// A text, a name or an instant.
    Text(String),
    /// Several of them.
    Texts(Vec<String>),
    /// A number.
    Number(u64),
    /// Yes or no.
    Switch(bool),
    /// What an exclusion covers.
    Target(TargetView),
}

/// What an exclusion covers: one of these.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetView {
    /// Every product.
    All(bool),
    /// What is the subject or depends on it.
    Subject(String),
    /// Every product of a manufacturer.
    Manufacturer(String),
}

impl FormView {
    /// A field by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&FieldView> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, field)| field)
    }
}

impl From<Cells<'_>> for FormView {
    fn from(cells: Cells<'_>) -> Self {
        Self(cells.0.into_iter().map(|(name, cell)| (name.to_owned(), cell.into())).collect())
    }
}

impl From<Cell<'_>> for FieldView {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Text(text) => Self::Text(text.to_owned()),
            Cell::Shown(text) => Self::Text(text),
            Cell::Texts(texts) => Self::Texts(texts.into_iter().map(str::to_owned).collect()),
            Cell::Number(number) => Self::Number(number),
            Cell::Switch(on) => Self::Switch(on),
            Cell::Target(Target::All) => Self::Target(TargetView::All(true)),
            Cell::Target(Target::Subject(subject)) => Self::Target(TargetView::Subject(subject)),
            Cell::Target(Target::Manufacturer(id)) => Self::Target(TargetView::Manufacturer(id.to_owned())),
        }
    }
}

impl Serialize for FormView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, field)| (name, field)))
    }
}

impl<'de> Deserialize<'de> for FormView {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FormVisitor;

        impl<'de> Visitor<'de> for FormVisitor {
            type Value = FormView;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a form's fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<FormView, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    fields.push(entry);
                }
                Ok(FormView(fields))
            }
        }

        deserializer.deserialize_map(FormVisitor)
    }
}
