//! Ratios without floating point: integers until the last division.

use std::fmt;

/// One whole in parts per million.
pub const PPM: i64 = 1_000_000;

/// A share in parts per million, 0 … 1,000,000. Percentages of the policy have at most four
/// decimals, so this is exact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ppm(u32);

impl Ppm {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A share, or `None` above one whole.
    #[must_use]
    pub const fn new(ppm: u32) -> Option<Self> {
        if ppm > 1_000_000 { None } else { Some(Self(ppm)) }
    }

    /// Parts per million.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0 as i64
    }

    /// ⌊share × whole⌋, exactly.
    #[must_use]
    pub fn floor_of(self, whole: i64) -> i64 {
        narrow(i128::from(whole) * i128::from(self.0) / i128::from(PPM))
    }

    /// ⌈share × whole⌉, exactly.
    #[must_use]
    pub fn ceil_of(self, whole: i64) -> i64 {
        narrow((i128::from(whole) * i128::from(self.0) + i128::from(PPM - 1)) / i128::from(PPM))
    }

    /// What is missing to one whole.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(1_000_000 - self.0)
    }
}

impl fmt::Display for Ppm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        if rest == 0 { write!(f, "{whole}%") } else { write!(f, "{whole}.{}%", format!("{rest:04}").trim_end_matches('0')) }
    }
}

/// A reported ratio: rounded half up to seven decimal places, the only division on the way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ratio(i64);

impl Ratio {
    const SCALE: i128 = 10_000_000;

    /// `part / whole`, or `None` when `whole` is zero: no samples is not 100 %.
    #[must_use]
    pub fn of(part: i64, whole: i64) -> Option<Self> {
        (whole > 0)
            .then(|| Self(narrow((2 * i128::from(part) * Self::SCALE + i128::from(whole)).div_euclid(2 * i128::from(whole)))))
    }

    /// A ratio that was printed before, in units of 10⁻⁷.
    #[must_use]
    pub const fn from_ten_millionths(ratio: i64) -> Self {
        Self(ratio)
    }

    /// The ratio in units of 10⁻⁷.
    #[must_use]
    pub const fn ten_millionths(self) -> i64 {
        self.0
    }
}

fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_of_a_year_is_exact() {
        let target = Ppm::new(999_300).expect("below one whole");
        assert_eq!(target.complement().floor_of(365 * 86_400_000), 22_075_200);
        assert_eq!(target.to_string(), "99.93%");
        assert_eq!(Ppm::new(1_000_001), None);
    }

    #[test]
    fn ratios_round_half_up_to_seven_places() {
        let check = |part, whole, expected| assert_eq!(Ratio::of(part, whole).map(Ratio::ten_millionths), expected);
        check(1, 3, Some(3_333_333));
        check(2, 3, Some(6_666_667));
        check(1, 20_000_000, Some(1));
        check(1, 20_000_001, Some(0));
        check(0, 0, None);
    }
}
