//! What `badgewatch evaluate --format json` prints.

use domain::Report;

use crate::json;
use crate::view::ReportView;

/// A report as a JSON value, for looking into it; its keys are in alphabetical order.
///
/// # Panics
/// Never: a report holds nothing that JSON can't.
#[must_use]
pub fn to_json(report: &Report) -> serde_json::Value {
    serde_json::to_value(ReportView::from(report)).expect("a report holds texts, whole numbers and finite ratios")
}

/// Appends a report as indented JSON, its fields in the contract's order, with a newline at the end.
pub fn write(report: &Report, out: &mut Vec<u8>) {
    json::write_indented(&ReportView::from(report), out);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use crate::view::ReportView;

    #[test]
    fn a_report_has_the_fields_of_the_contract_in_its_order() {
        let mut out = Vec::new();
        super::write(&crate::samples::report(), &mut out);
        insta::assert_snapshot!(String::from_utf8(out).expect("JSON is UTF-8"));
    }

    #[test]
    fn text_and_value_say_the_same() {
        let mut out = Vec::new();
        super::write(&crate::samples::report(), &mut out);
        let value = super::to_json(&crate::samples::report());
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).expect("JSON"), value);
        assert_eq!(serde_json::from_value::<ReportView>(value).expect("a report"), ReportView::from(&crate::samples::report()));
    }
}
