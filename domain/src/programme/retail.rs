//! Retail identifiers: GS1 numbers with their check digit, and the form of an ASIN.

use std::fmt;

/// What kind of number is on a package.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RetailIdKind {
    /// 12 digits.
    Upc,
    /// 13 digits.
    Ean,
    /// An EAN that begins with 45 or 49, Japan's prefixes.
    Jan,
    /// 14 digits.
    Gtin14,
}

impl RetailIdKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Upc, Self::Ean, Self::Jan, Self::Gtin14];

    /// The kind's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upc => "UPC",
            Self::Ean => "EAN",
            Self::Jan => "JAN",
            Self::Gtin14 => "GTIN-14",
        }
    }

    /// How many digits it has, the check digit among them.
    #[must_use]
    pub const fn digits(self) -> usize {
        match self {
            Self::Upc => 12,
            Self::Ean | Self::Jan => 13,
            Self::Gtin14 => 14,
        }
    }
}

/// A number on a package whose check digit is right.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RetailId {
    kind: RetailIdKind,
    digits: Box<str>,
}

/// Why a text is no retail identifier of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetailIdFault {
    /// It isn't that many digits.
    Digits(RetailIdKind),
    /// It doesn't begin with Japan's prefix.
    Prefix,
    /// Its last digit isn't the check digit, which is to be this one.
    Check(u8),
}

impl RetailId {
    /// Parses a number of a kind.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(kind: RetailIdKind, text: &str) -> Result<Self, RetailIdFault> {
        if text.len() != kind.digits() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(RetailIdFault::Digits(kind));
        }
        if kind == RetailIdKind::Jan && !(text.starts_with("45") || text.starts_with("49")) {
            return Err(RetailIdFault::Prefix);
        }
        let (payload, check) = text.split_at(text.len() - 1);
        let expected = check_digit(payload.bytes().map(|byte| byte - b'0'));
        if check.bytes().next() == Some(expected + b'0') {
            Ok(Self { kind, digits: text.into() })
        } else {
            Err(RetailIdFault::Check(expected))
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> RetailIdKind {
        self.kind
    }

    /// Its digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.digits
    }
}

impl fmt::Display for RetailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.digits)
    }
}

impl fmt::Display for RetailIdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digits(kind) => write!(f, "{} digits", kind.digits()),
            Self::Prefix => f.write_str("13 digits that begin with 45 or 49"),
            Self::Check(digit) => write!(f, "a number whose check digit, the last one, is {digit}"),
        }
    }
}

/// Whether a text has the form of an ASIN: ten of `A`–`Z` and `0`–`9`, the first `B`; or a book's ISBN-10,
/// whose check digit is right.
#[must_use]
pub fn is_asin(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_alphanumeric = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    bytes.len() == 10 && bytes.iter().all(is_alphanumeric) && (bytes[0] == b'B' || is_isbn_10(bytes))
}

/// GS1 General Specifications, 7.9.1: weights 3 and 1 in turn, from the right.
fn check_digit(payload: impl DoubleEndedIterator<Item = u8>) -> u8 {
    let sum: u32 = payload.rev().zip([3, 1].into_iter().cycle()).map(|(digit, weight)| u32::from(digit) * weight).sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

/// ISO 2108:1992: weights 10 to 1, a sum that 11 divides; `X` is 10, and stands at the end only.
fn is_isbn_10(bytes: &[u8]) -> bool {
    let mut sum = 0;
    for (weight, byte) in (1..=10).rev().zip(bytes) {
        sum += weight
            * match byte {
                b'0'..=b'9' => u32::from(byte - b'0'),
                b'X' if weight == 1 => 10,
                _ => return false,
            };
    }
    sum % 11 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_checked() {
        let check = |kind, text: &str, expected: Result<(), RetailIdFault>| {
            assert_eq!(RetailId::parse(kind, text).map(|_| ()), expected, "{text}");
        };
        check(RetailIdKind::Upc, "036000291452", Ok(()));
        check(RetailIdKind::Upc, "036000291453", Err(RetailIdFault::Check(2)));
        check(RetailIdKind::Upc, "36000291452", Err(RetailIdFault::Digits(RetailIdKind::Upc)));
        check(RetailIdKind::Ean, "4006381333931", Ok(()));
        check(RetailIdKind::Ean, "4006381333930", Err(RetailIdFault::Check(1)));
        check(RetailIdKind::Ean, "400638133393x", Err(RetailIdFault::Digits(RetailIdKind::Ean)));
        check(RetailIdKind::Jan, "4901234567894", Ok(()));
        check(RetailIdKind::Jan, "4006381333931", Err(RetailIdFault::Prefix));
        check(RetailIdKind::Gtin14, "10614141000415", Ok(()));
        check(RetailIdKind::Gtin14, "10614141000410", Err(RetailIdFault::Check(5)));
        check(RetailIdKind::Gtin14, "１0614141000415", Err(RetailIdFault::Digits(RetailIdKind::Gtin14)));
    }

    #[test]
    fn a_changed_digit_is_found() {
        for place in 0..13 {
            for digit in b'0'..=b'9' {
                let mut text = *b"4006381333931";
                let same = text[place] == digit;
                text[place] = digit;
                let text = std::str::from_utf8(&text).unwrap();
                assert_eq!(RetailId::parse(RetailIdKind::Ean, text).is_ok(), same, "{text}");
            }
        }
    }

    #[test]
    fn asins_have_a_form() {
        for (text, expected) in [
            ("B000000001", true),
            ("B0C1H26C46", true),
            ("0306406152", true),
            ("080442957X", true),
            ("0306406153", false),
            ("A000000001", false),
            ("B00000001", false),
            ("b000000001", false),
            ("B00000000é", false),
            ("", false),
        ] {
            assert_eq!(is_asin(text), expected, "{text}");
        }
    }
}
