//! What a fleet is to be like, checked once.

use domain::ratio::PPM;
use domain::time::DAY_MS;
use domain::{DurationMs, Interval, Ppm, Timestamp};

use super::error::Error;

/// Most products of a fleet: its plan is held in memory, a few KiB a product.
pub const PRODUCTS_MAX: u32 = 200_000;
/// Longest period, in days.
pub const PERIOD_DAYS_MAX: u32 = 3_660;
/// Latest that an event may arrive after its instant, in milliseconds.
pub const LATENESS_MAX_MS: i64 = 30 * DAY_MS;
/// Shortest lateness that can be asked for, in milliseconds: what is less is jitter.
pub const LATENESS_LEAST_MS: i64 = 60_000;
/// Largest share of duplicates and of late events, in parts per million.
pub const SHARE_PPM_MAX: i64 = 500_000;
/// Largest share of malformed lines, in parts per million.
pub const MALFORMED_PPM_MAX: i64 = 100_000;

/// What a fleet is to be like. Equal configurations give equal bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FleetConfig {
    /// Everything that is left to chance follows from it.
    pub seed: u64,
    /// How many products, 1 … [`PRODUCTS_MAX`]. The first ones play the cast of [`super::Character::CAST`].
    pub products: u32,
    /// Whether there is a cast. It tells its stories in the first half year, and each member costs the
    /// events of a product that is measured around the clock; the others live all through the period.
    pub has_cast: bool,
    /// How many manufacturers, 1 … `products`.
    pub manufacturers: u32,
    /// First instant of the period, 00:00 UTC.
    pub from: Timestamp,
    /// Length of the period in days, 1 … [`PERIOD_DAYS_MAX`]. Stories that need longer are left out.
    pub days: u32,
    /// How many lines of events to aim at, all kinds together; met within a few percent.
    ///
    /// What they are spent on, in this order: incidents; states every 59 minutes of products whose
    /// story needs measured months; states for 13 hours a day of the others, which is a coverage of 53 %
    /// where states hold for an hour; `outcome_share` in outcomes by the minute; then states around
    /// the clock for the others, too. Products that can't be covered with what is asked for report
    /// incidents and a few minutes a day, and show as a loss of coverage.
    pub events: u64,
    /// At least this share of the events is outcomes.
    pub outcome_share: Ppm,
    /// Share of the events that arrive later than jitter explains, at most 50 %.
    pub late_share: Ppm,
    /// Latest that they arrive, 1 minute … 30 days. The later, the rarer.
    pub lateness_max: DurationMs,
    /// Share of the events that are sent again as they were, at most 50 %.
    pub duplicate_share: Ppm,
    /// Share of the lines that are malformed, at most 10 %; every kind in turn.
    pub malformed_share: Ppm,
    /// Whether malformed lines are also of the kinds that only a live run rejects (too old a
    /// sequence number, too far in the future, older than the window). None of them bears on a decision.
    pub live_only_rejects: bool,
}

impl Default for FleetConfig {
    /// A hundred products over the year 2025.
    fn default() -> Self {
        Self {
            seed: 1,
            products: 100,
            has_cast: true,
            manufacturers: 24,
            from: Timestamp::from_date(2025, 1, 1).expect("a day"),
            days: 365,
            events: 1_000_000,
            outcome_share: ppm(200_000),
            late_share: ppm(50_000),
            lateness_max: DurationMs::days(30),
            duplicate_share: ppm(10_000),
            malformed_share: ppm(500),
            live_only_rejects: false,
        }
    }
}

impl FleetConfig {
    /// The fleet of the demo: the cast and a few more over a year.
    #[must_use]
    pub fn demo() -> Self {
        Self { products: 26, manufacturers: 15, ..Self::default() }
    }

    /// The first instant after the period.
    #[must_use]
    pub fn to(&self) -> Timestamp {
        self.from + DurationMs::days(i64::from(self.days))
    }

    /// The period.
    #[must_use]
    pub fn period(&self) -> Interval {
        Interval::new(self.from, self.to())
    }

    /// # Errors
    /// What is out of its range, with the range.
    pub(super) fn check(&self) -> Result<(), Error> {
        let within = |name, given: u64, least: u64, most: u64, unit| {
            if (least..=most).contains(&given) { Ok(()) } else { Err(Error::OutOfRange { name, given, least, most, unit }) }
        };
        let share = |name, share: Ppm, most: i64| {
            if share.get() <= most { Ok(()) } else { Err(Error::ShareTooLarge { name, given: share, most: ppm(most) }) }
        };
        within("products", self.products.into(), 1, PRODUCTS_MAX.into(), "")?;
        within("manufacturers", self.manufacturers.into(), 1, self.products.into(), " (the number of products)")?;
        within("days", self.days.into(), 1, PERIOD_DAYS_MAX.into(), " days")?;
        if self.from != self.from.floor_day() {
            return Err(Error::NotMidnight { given: self.from });
        }
        if self.to() == Timestamp::MAX {
            return Err(Error::PeriodTooLate { from: self.from, days: self.days });
        }
        let late = self.lateness_max.ms();
        if !(LATENESS_LEAST_MS..=LATENESS_MAX_MS).contains(&late) {
            return Err(Error::Lateness { given: self.lateness_max });
        }
        share("late_share", self.late_share, SHARE_PPM_MAX)?;
        share("duplicate_share", self.duplicate_share, SHARE_PPM_MAX)?;
        share("malformed_share", self.malformed_share, MALFORMED_PPM_MAX)
    }
}

fn ppm(share: i64) -> Ppm {
    Ppm::new(u32::try_from(share.clamp(0, PPM)).expect("within one whole")).expect("within one whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_configuration_says_what_is_wrong() {
        let check = |change: &dyn Fn(&mut FleetConfig), expected: &str| {
            let mut config = FleetConfig::default();
            change(&mut config);
            assert_eq!(config.check().expect_err(expected).to_string(), expected);
        };
        check(&|c| c.products = 0, "products is 0: give 1 to 200000");
        check(&|c| c.manufacturers = 101, "manufacturers is 101: give 1 to 100 (the number of products)");
        check(&|c| c.days = 3_661, "days is 3661: give 1 to 3660 days");
        check(
            &|c| c.from = c.from + DurationMs(1),
            "the period starts at 2025-01-01T00:00:00.001Z: let it start at 00:00:00.000 UTC of a day",
        );
        check(
            &|c| c.from = Timestamp::MAX.floor_day(),
            "365 days from 9999-12-31T00:00:00.000Z on end after the last instant there is, the year 9999's: start earlier",
        );
        check(&|c| c.lateness_max = DurationMs(59_999), "lateness_max is 59999ms: give 1 minute to 30 days");
        check(&|c| c.late_share = ppm(500_001), "late_share is 50.0001%: give at most 50%");
        check(&|c| c.malformed_share = ppm(200_000), "malformed_share is 20%: give at most 10%");
    }

    #[test]
    fn the_given_configurations_are_right() {
        for config in [FleetConfig::default(), FleetConfig::demo()] {
            assert_eq!(config.check(), Ok(()));
            assert_eq!(config.to() - config.from, DurationMs::days(365));
        }
    }
}
