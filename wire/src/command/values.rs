//! Values of forms that are checked here: texts within their limits, names, addresses, ASINs and numbers on packages.

use std::borrow::Cow;

use domain::programme::retail::is_asin;
use domain::programme::{RetailId, RetailIdKind};
use domain::{Asin, RejectReason};

use super::{ADDRESS_BYTES_MAX, TEXT_BYTES_MAX};
use crate::error::{LineError, shorten};
use crate::json::fields::{id_of, list, missing, one_of, text};
use crate::json::{Fields, Value};

const ASIN: &str = "ten of A-Z and 0-9, the first a B; or a book's ISBN-10";
/// How many wrong items of a list a message names.
const NAMED_MAX: usize = 4;

/// A required id.
pub(super) fn id<T>(
    fields: &mut Fields<'_>,
    name: &str,
    what: &str,
    new: impl FnOnce(&str) -> Option<T>,
) -> Result<T, LineError> {
    fields.required(name, &id_of(what), |value| text(value).and_then(|id| new(&id)))
}

/// A required text.
pub(super) fn required(fields: &mut Fields<'_>, name: &str) -> Result<String, LineError> {
    fields.required(name, &some_text(), as_text)
}

/// An optional text: if there is one, it isn't blank.
pub(super) fn optional(fields: &mut Fields<'_>, name: &str) -> Result<Option<String>, LineError> {
    fields.optional(name, &some_text(), as_text)
}

/// A list of texts, empty where there is none.
pub(super) fn texts(fields: &mut Fields<'_>, name: &str, max: usize) -> Result<Vec<String>, LineError> {
    items(fields, name, max, |text| is_text(text).then(|| text.to_owned()), || format!("texts of 1 to {TEXT_BYTES_MAX} bytes"))
}

/// A list of texts that isn't empty.
pub(super) fn some_texts(fields: &mut Fields<'_>, name: &str, max: usize) -> Result<Vec<String>, LineError> {
    if !fields.contains(name) {
        return Err(missing(name, "a list of texts that isn't empty"));
    }
    let texts = texts(fields, name, max)?;
    if texts.is_empty() { Err(invalid(format!("{name} is empty; expected at least one text"))) } else { Ok(texts) }
}

/// A list of mail addresses, empty where there is none.
pub(super) fn addresses(fields: &mut Fields<'_>, name: &str, max: usize) -> Result<Vec<String>, LineError> {
    items(fields, name, max, |text| is_address(text).then(|| text.to_owned()), || format!("mail addresses {}", like_an_address()))
}

/// An optional mail address.
pub(super) fn optional_address(fields: &mut Fields<'_>, name: &str) -> Result<Option<String>, LineError> {
    fields.optional(name, &format!("a mail address {}", like_an_address()), |value| {
        text(value).filter(|text| is_address(text)).map(Cow::into_owned)
    })
}

/// A required ASIN of the right form.
pub(super) fn asin(fields: &mut Fields<'_>, name: &str) -> Result<Asin, LineError> {
    fields.required(name, &an_asin(), as_asin)
}

/// An optional ASIN of the right form.
pub(super) fn optional_asin(fields: &mut Fields<'_>, name: &str) -> Result<Option<Asin>, LineError> {
    fields.optional(name, &an_asin(), as_asin)
}

/// A list of ASINs of the right form, empty where there is none.
pub(super) fn asins(fields: &mut Fields<'_>, name: &str, max: usize) -> Result<Vec<Asin>, LineError> {
    let parse = |text: &str| Some(text).filter(|text| is_asin(text)).and_then(Asin::new);
    items(fields, name, max, parse, || format!("ASINs: {ASIN}"))
}

/// An optional number on a package: its kind, a space and its digits.
pub(super) fn optional_retail_id(fields: &mut Fields<'_>, name: &str) -> Result<Option<RetailId>, LineError> {
    fields.optional_parsed(name, |value| {
        let told = text(value).unwrap_or_default();
        let parts = told.split_once(' ').and_then(|(kind, digits)| {
            RetailIdKind::ALL.into_iter().find(|known| known.as_str() == kind).map(|kind| (kind, digits))
        });
        let Some((kind, digits)) = parts else {
            let kinds = one_of(&RetailIdKind::ALL.map(RetailIdKind::as_str));
            return Err(format!("{kinds}, a space and the digits, such as \"UPC 036000291452\""));
        };
        RetailId::parse(kind, digits).map_err(|fault| format!("{} and {fault}", kind.as_str()))
    })
}

/// One of what is known, by its name.
pub(super) fn named<T: Copy>(
    known: impl Iterator<Item = T> + Clone,
    name_of: fn(T) -> &'static str,
) -> impl FnOnce(&Value<'_>) -> Result<T, String> {
    move |value| {
        let found = text(value).and_then(|text| known.clone().find(|one| name_of(*one) == text));
        found.ok_or_else(|| one_of(&known.map(name_of).collect::<Vec<_>>()))
    }
}

/// A list of texts, each parsed, without repetition; empty where there is none. `expected` is what they ought to be.
pub(super) fn items<T: PartialEq>(
    fields: &mut Fields<'_>,
    name: &str,
    max: usize,
    parse: impl Fn(&str) -> Option<T>,
    expected: impl FnOnce() -> String,
) -> Result<Vec<T>, LineError> {
    let Some(texts) = fields.optional(name, "a list of texts", list)? else { return Ok(Vec::new()) };
    if texts.len() > max {
        return Err(invalid(format!("{name} has {} items; expected at most {max}", texts.len())));
    }
    let (mut found, mut wrong) = (Vec::with_capacity(texts.len()), Vec::new());
    for text in &texts {
        match parse(text) {
            Some(item) if found.contains(&item) => {}
            Some(item) => found.push(item),
            None => wrong.push(text),
        }
    }
    if wrong.is_empty() {
        return Ok(found);
    }
    let named: Vec<_> = wrong.iter().take(NAMED_MAX).map(|text| format!("{:?}", shorten(text))).collect();
    let more = if wrong.len() > NAMED_MAX { format!(" and {} more", wrong.len() - NAMED_MAX) } else { String::new() };
    Err(invalid(format!("{name} has {}{more}; expected {}", named.join(", "), expected())))
}

/// A field can't have what it has.
pub(super) fn invalid(detail: String) -> LineError {
    LineError::new(RejectReason::InvalidField, detail)
}

fn some_text() -> String {
    format!("a text of 1 to {TEXT_BYTES_MAX} bytes that isn't blank")
}

fn as_text(value: &Value<'_>) -> Option<String> {
    text(value).filter(|text| is_text(text)).map(Cow::into_owned)
}

fn is_text(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX && !text.trim().is_empty()
}

fn like_an_address() -> String {
    format!("such as ops@acme.example, without spaces and of at most {ADDRESS_BYTES_MAX} bytes")
}

/// Whether a text can be a mail address: one `@` with something on both sides, nothing that could end a header.
fn is_address(text: &str) -> bool {
    let sides = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    sides && text.len() <= ADDRESS_BYTES_MAX && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn an_asin() -> String {
    format!("an ASIN: {ASIN}")
}

fn as_asin(value: &Value<'_>) -> Option<Asin> {
    text(value).filter(|text| is_asin(text)).and_then(|text| Asin::new(&text))
}
