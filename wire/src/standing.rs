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

/// Which of several records about one subject and scope is the newest: the greatest is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Version {
    /// Grows each time that the subject's owner is opened: what an earlier owner still said is older.
    pub epoch: u64,
    /// Grows with each record of an owner.
    pub revision: u64,
}

/// A standing, its instant and its version. Of records without a version the last one is the newest.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StandingAt<T> {
    /// T.
    pub at: String,
    /// [`Version::epoch`].
    #[serde(default)]
    pub epoch: u64,
    /// [`Version::revision`].
    #[serde(default)]
    pub revision: u64,
    /// How it stands.
    #[serde(flatten)]
    pub standing: T,
}

/// A product's standing at an instant as a record.
#[must_use]
pub fn write_product(product: &ProductStanding, at: Timestamp, version: Version) -> Vec<u8> {
    json::write_form(FORM, &StandingView::Product(StandingAt::new(at, version, product.into())))
}

/// A manufacturer's standing at an instant as a record.
#[must_use]
pub fn write_manufacturer(manufacturer: &ManufacturerStanding, at: Timestamp, version: Version) -> Vec<u8> {
    json::write_form(FORM, &StandingView::Manufacturer(StandingAt::new(at, version, manufacturer.into())))
}

impl<T> StandingAt<T> {
    fn new(at: Timestamp, Version { epoch, revision }: Version, standing: T) -> Self {
        Self { at: at.to_string(), epoch, revision, standing }
    }

    /// Which of several is the newest.
    #[must_use]
    pub const fn version(&self) -> Version {
        Version { epoch: self.epoch, revision: self.revision }
    }
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

    const VERSION: Version = Version { epoch: 3, revision: 17 };

    #[test]
    fn records_without_a_version_are_read() {
        let report = samples::report();
        let text = String::from_utf8(write_product(&report.products[0], report.at, VERSION)).expect("JSON is UTF-8");
        let older = text.replace(r#""epoch":3,"revision":17,"#, "");
        assert_ne!(older, text);
        let StandingView::Product(product) = read(older.as_bytes()).expect("a standing") else { panic!("{older}") };
        assert!(product.version() < VERSION);
    }

    #[test]
    fn what_is_written_is_read() {
        let report = samples::report();
        for product in &report.products {
            let expected = StandingView::Product(StandingAt::new(report.at, VERSION, product.into()));
            assert_eq!(read(&write_product(product, report.at, VERSION)).expect("a standing"), expected);
        }
        for manufacturer in &report.manufacturers {
            let expected = StandingView::Manufacturer(StandingAt::new(report.at, VERSION, manufacturer.into()));
            assert_eq!(read(&write_manufacturer(manufacturer, report.at, VERSION)).expect("a standing"), expected);
        }
    }

    #[test]
    fn records_are_lines_with_form_type_and_instant_first() {
        let report = samples::report();
        let products = report.products.iter().map(|product| write_product(product, report.at, VERSION));
        let manufacturers = report.manufacturers.iter().map(|manufacturer| write_manufacturer(manufacturer, report.at, VERSION));
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
