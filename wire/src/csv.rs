//! Commands from a CSV file (RFC 4180), as spreadsheets export them: one type of command a file, a row each.
//!
//! The header names the fields of the command's JSON form ([`crate::command::fields`]); a column that isn't
//! one of them is an error, as a misspelt one would lose what it holds. An empty cell is an absent field.
//! Cells are read by their column:
//!
//! - lists have their items separated by `|`, e.g. `US|CA`; so no item can hold that character;
//! - `applies_to` is `all`, a subject such as `skill:s-1`, or `manufacturer:m-1`;
//! - `on` is `true` or `false`, numbers are digits, instants are RFC 3339 or epoch milliseconds;
//! - everything else is the text as it is, without spaces around it.
//!
//! A row becomes the object that a JSON line would be, and the same reader reads it.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;

use ::csv::{ByteRecord, Reader, ReaderBuilder, Trim};
use domain::programme::Command;
use domain::{RejectReason, Timestamp};

use crate::command::{self, TYPES};
use crate::error::{LineError, shorten};
use crate::json::fields::{missing, one_of};
use crate::json::{Fields, Object, Value};

/// What stands between the items of a list.
pub const LIST_SEPARATOR: char = '|';

/// What spreadsheets put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const LISTS: [&str; 10] =
    ["contacts", "mails", "capabilities", "hubs", "variants", "marketplaces", "bundle", "regions", "reasons", "failures"];
const NUMBERS: [&str; 2] = ["expects", "customers"];
const INSTANTS: [&str; 5] = ["at", "from", "to", "go_live", "expected_fix"];
const SWITCH: &str = "on";
const TARGET: &str = "applies_to";
/// How many unknown columns a message names.
const NAMED_MAX: usize = 4;

/// What holds of every row that doesn't say otherwise.
#[derive(Clone, Copy)]
pub struct Defaults<'a> {
    /// The commands' type, where the file has no column `type`.
    pub kind: Option<&'a str>,
    /// The command's id, by the row's line in the file. One line should have one id, however often the file is read.
    pub id: &'a dyn Fn(u64) -> String,
    /// When the command takes effect.
    pub at: Timestamp,
    /// Who wants it.
    pub by: &'a str,
}

/// The rows of a file, one by one.
struct Commands<'a> {
    file: &'a [u8],
    reader: Reader<&'a [u8]>,
    defaults: Defaults<'a>,
    row: ByteRecord,
    columns: Vec<String>,
    header_line: u64,
    /// The type that the first row says the file has, and that row's line.
    kind: Option<(&'static str, u64)>,
    /// Bytes of the file whose lines are counted, and the line of the next.
    counted: (usize, u64),
    is_over: bool,
}

/// Reads the commands of a file: for each row the line where it begins, from 1, and its command, or why it is
/// none. Where the header is wrong, that is all that is said.
///
/// Messages begin with the column's name and its number, e.g. `retail_id (column 7) is …`.
pub fn read_commands<'a>(
    file: &'a [u8],
    defaults: Defaults<'a>,
) -> impl Iterator<Item = (u64, Result<Command, LineError>)> + use<'a> {
    let file = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
    Commands {
        file,
        reader: ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(file),
        defaults,
        row: ByteRecord::new(),
        columns: Vec::new(),
        header_line: 1,
        kind: None,
        counted: (0, 1),
        is_over: false,
    }
}

impl Iterator for Commands<'_> {
    type Item = (u64, Result<Command, LineError>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let row = self.next_row();
        self.is_over = !matches!(row, Ok(Some(_)));
        match row {
            Ok(row) => row.map(|line| (line, self.command(line).map_err(|error| self.with_column(&error)))),
            Err((line, error)) => Some((line, Err(error))),
        }
    }
}

impl Commands<'_> {
    /// The line of the next row, once the header and the file's type are known.
    fn next_row(&mut self) -> Result<Option<u64>, (u64, LineError)> {
        if self.columns.is_empty() {
            self.header()?;
        }
        let Some(line) = self.advance() else { return Ok(None) };
        if self.kind.is_none() {
            let kind = self.first_kind().map_err(|error| (line, error))?;
            self.check_columns(kind).map_err(|error| (self.header_line, error))?;
            self.kind = Some((kind, line));
        }
        Ok(Some(line))
    }

    /// Goes to the next row; yields its line. Bytes in memory can always be read as rows of bytes.
    fn advance(&mut self) -> Option<u64> {
        if !self.reader.read_byte_record(&mut self.row).unwrap_or(false) {
            return None;
        }
        let offset = self.row.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        let rest = self.file.get(offset..).unwrap_or_default();
        let start = offset + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let (counted, line) = self.counted;
        let ends = (counted..start).filter(|&place| match self.file.get(place) {
            Some(b'\n') => true,
            Some(b'\r') => self.file.get(place + 1) != Some(&b'\n'),
            _ => false,
        });
        self.counted = (start, line + ends.count() as u64);
        Some(self.counted.1)
    }

    fn header(&mut self) -> Result<(), (u64, LineError)> {
        let line = self.advance().ok_or_else(|| (1, missing("the header", "a row with the columns' names")))?;
        self.header_line = line;
        let mut known = BTreeSet::new();
        for (place, name) in self.row.iter().enumerate() {
            let wrong = |what: &str| (line, invalid(format!("column {} {what}", place + 1)));
            let name = std::str::from_utf8(name).map_err(|_| wrong("has a name that isn't UTF-8; save the file as UTF-8"))?;
            if name.is_empty() {
                return Err(wrong("has no name; name it, or delete it"));
            }
            if !known.insert(name) {
                return Err(wrong(&format!("is {:?} once more; expected each name once", shorten(name))));
            }
            self.columns.push(name.to_owned());
        }
        Ok(())
    }

    /// The type that the first row says, or else the caller.
    fn first_kind(&self) -> Result<&'static str, LineError> {
        let cell = self.cell("type").map(String::from_utf8_lossy);
        let name = cell.as_deref().or(self.defaults.kind).ok_or_else(|| missing("type", &one_of(&TYPES)))?;
        TYPES.into_iter().find(|kind| *kind == name).ok_or_else(|| {
            let detail = format!("type is {:?}; expected {}", shorten(name), one_of(&TYPES));
            LineError::new(RejectReason::UnknownType, detail)
        })
    }

    /// Every column is a field of the file's type.
    fn check_columns(&self, kind: &str) -> Result<(), LineError> {
        let fields: Vec<_> = command::fields(kind).collect();
        let unknown: Vec<_> = self.columns.iter().filter(|column| !fields.contains(&column.as_str())).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let named: Vec<_> = unknown.iter().take(NAMED_MAX).map(|column| format!("{:?}", shorten(column))).collect();
        let more = if unknown.len() > NAMED_MAX { format!(" and {} more", unknown.len() - NAMED_MAX) } else { String::new() };
        let (named, fields) = (named.join(", "), one_of(&fields));
        Err(invalid(format!("the header has {named}{more}; expected columns of {kind}: {fields}")))
    }

    fn command(&self, line: u64) -> Result<Command, LineError> {
        let Some((kind, first)) = self.kind else { return Err(missing("type", &one_of(&TYPES))) };
        let (cells, columns) = (self.row.len(), self.columns.len());
        if cells != columns {
            return Err(invalid(format!("the row has {cells} cells; expected {columns}, one for each column of the header")));
        }
        let mut object = Object::new();
        for (column, cell) in self.columns.iter().zip(&self.row).filter(|(_, cell)| !cell.is_empty()) {
            let text = std::str::from_utf8(cell)
                .map_err(|_| invalid(format!("{column} holds something else than UTF-8; save the file as UTF-8")))?;
            object.insert(Cow::Borrowed(column), value(column, text));
        }
        if let Some(named) = object.remove("type").filter(|named| *named != Value::Text(Cow::Borrowed(kind))) {
            return Err(invalid(format!("type is {named}; expected {kind} as in line {first}: a file has one type of command")));
        }
        let Defaults { id, at, by, .. } = self.defaults;
        object.entry(Cow::Borrowed("command")).or_insert_with(|| Value::Text(id(line).into()));
        object.entry(Cow::Borrowed("at")).or_insert_with(|| Value::Text(at.to_string().into()));
        object.entry(Cow::Borrowed("by")).or_insert(Value::Text(Cow::Borrowed(by)));
        command::read(kind, Fields::of(object))
    }

    /// The row's cell in a column, if it holds something.
    fn cell(&self, name: &str) -> Option<&[u8]> {
        let place = self.columns.iter().position(|column| column == name)?;
        self.row.get(place).filter(|cell| !cell.is_empty())
    }

    /// The error with the number of the column whose name it begins with.
    fn with_column(&self, error: &LineError) -> LineError {
        let found = self.columns.iter().enumerate().find_map(|(place, column)| {
            let rest = error.detail.strip_prefix(column.as_str()).filter(|rest| rest.starts_with([' ', '.']))?;
            Some(format!("{column} (column {}){rest}", place + 1))
        });
        LineError::new(error.reason, found.unwrap_or_else(|| error.detail.clone()))
    }
}

/// A cell as the value that JSON would have; what can't be one is left a text, for which the reader has the message.
fn value<'a>(column: &str, cell: &'a str) -> Value<'a> {
    let text = Value::Text(Cow::Borrowed(cell));
    if LISTS.contains(&column) {
        let items = cell.split(LIST_SEPARATOR).map(str::trim).filter(|item| !item.is_empty());
        Value::List(items.map(|item| Value::Text(Cow::Borrowed(item))).collect())
    } else if NUMBERS.contains(&column) || INSTANTS.contains(&column) {
        // `parse` alone would take a sign, too.
        let is_number = cell.bytes().all(|byte| byte.is_ascii_digit());
        cell.parse().ok().filter(|_| is_number).map_or(text, Value::Unsigned)
    } else if column == SWITCH {
        cell.to_ascii_lowercase().parse().map_or(text, Value::Bool)
    } else if column == TARGET {
        target(cell).map_or(text, |(kind, target)| Value::Object([(Cow::Borrowed(kind), target)].into()))
    } else {
        text
    }
}

fn target(cell: &str) -> Option<(&'static str, Value<'_>)> {
    if cell == "all" {
        return Some(("all", Value::Bool(true)));
    }
    let (kind, id) = cell.split_once(':')?;
    match kind {
        "manufacturer" => Some(("manufacturer", Value::Text(Cow::Borrowed(id)))),
        "product" | "skill" | "hub" => Some(("subject", Value::Text(Cow::Borrowed(cell)))),
        _ => None,
    }
}

fn invalid(detail: String) -> LineError {
    LineError::new(RejectReason::InvalidField, detail)
}
