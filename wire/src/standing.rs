//! Standings as records of a log: the fields that a report has, and before them the form's number
//! `v`, the `type` (`product` or `manufacturer`) and the instant `at` that the record speaks of.

use domain::Timestamp;
use domain::report::{ManufacturerStanding, ProductStanding};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json;
use crate::view::{ManufacturerView, ProductView};

/// The form that is written and understood.
const FORM: u64 = 1;
const WHAT: &str = "standing";

/// A product's or a manufacturer's standing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "read one at a time; nearly all are products")]
pub enum StandingView {
    /// A product's.
    Product(StandingAt<ProductView>),
    /// A manufacturer's.
    Manufacturer(StandingAt<ManufacturerView>),
}

/// A standing and its instant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StandingAt<T> {
    /// T.
    pub at: String,
    /// How it stands.
    #[serde(flatten)]
    pub standing: T,
}

/// A product's standing at an instant as a record.
#[must_use]
pub fn write_product(product: &ProductStanding, at: Timestamp) -> Vec<u8> {
    json::write_form(FORM, &StandingView::Product(StandingAt { at: at.to_string(), standing: product.into() }))
}

/// A manufacturer's standing at an instant as a record.
#[must_use]
pub fn write_manufacturer(manufacturer: &ManufacturerStanding, at: Timestamp) -> Vec<u8> {
    json::write_form(FORM, &StandingView::Manufacturer(StandingAt { at: at.to_string(), standing: manufacturer.into() }))
}

/// Reads a record that [`write_product`] or [`write_manufacturer`] has written.
///
/// # Errors
/// [`Error::Form`] for a form that isn't understood, [`Error::Json`] for anything else.
pub fn read(record: &[u8]) -> Result<StandingView, Error> {
    json::check_form(WHAT, FORM, record)?;
    json::read(WHAT, record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn what_is_written_is_read() {
        let report = samples::report();
        for product in &report.products {
            let expected = StandingView::Product(StandingAt { at: report.at.to_string(), standing: product.into() });
            assert_eq!(read(&write_product(product, report.at)).expect("a standing"), expected);
        }
        for manufacturer in &report.manufacturers {
            let expected = StandingView::Manufacturer(StandingAt { at: report.at.to_string(), standing: manufacturer.into() });
            assert_eq!(read(&write_manufacturer(manufacturer, report.at)).expect("a standing"), expected);
        }
    }

    #[test]
    fn records_are_lines_with_form_type_and_instant_first() {
        let report = samples::report();
        let products = report.products.iter().map(|product| write_product(product, report.at));
        let manufacturers = report.manufacturers.iter().map(|manufacturer| write_manufacturer(manufacturer, report.at));
        let records: Vec<_> = products.chain(manufacturers).collect();
        insta::assert_snapshot!(String::from_utf8(records.join(&b'\n')).expect("JSON is UTF-8"));
    }

    #[test]
    fn other_records_are_errors() {
        let check = |record: &str, expected: &str| assert_eq!(read(record.as_bytes()).expect_err(record).to_string(), expected);
        check("[]", "this is not a standing: invalid length 0, expected struct FormOnly with 1 element at line 1 column 2");
        check(
            r#"{"v":7}"#,
            "this standing has form 7; expected form 1: upgrade the reader, or read what this version has written",
        );
        check(
            r#"{"v":1,"type":"skill"}"#,
            "this is not a standing: unknown variant `skill`, expected `product` or `manufacturer` at line 1 column 21",
        );
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            proptest::prop_assert!(read(&bytes).is_err());
        }
    }
}
