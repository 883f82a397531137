//! Why something was decided.

use std::fmt;

use crate::fact::ListingStatus;
use crate::id::Marketplace;

/// How near a threshold is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WarningLevel {
    /// Half of the budget.
    Watch,
    /// Three quarters, the fourth outage, or a projection beyond it.
    Warning,
    /// Nine tenths, or the fifth outage.
    Critical,
}

impl WarningLevel {
    /// Every level, rising.
    pub const ALL: [Self; 3] = [Self::Watch, Self::Warning, Self::Critical];

    /// The level's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What a warning is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WarningCause {
    /// Downtime used of the budget.
    Budget,
    /// Outages counted.
    Outages,
    /// Downtime projected.
    Projection,
}

impl WarningCause {
    /// Every cause, in listing order.
    pub const ALL: [Self; 3] = [Self::Budget, Self::Outages, Self::Projection];

    /// The cause's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Outages => "outages",
            Self::Projection => "projection",
        }
    }
}

/// Why something was decided; ordered as listed in a decision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// Downtime exceeds the budget.
    Budget,
    /// Outages exceed the maximum.
    Outages,
    /// Too little was measured.
    Coverage,
    /// A warning's level and cause.
    Warning(WarningLevel, WarningCause),
    /// The product isn't live in a marketplace.
    Listing(Marketplace, ListingStatus),
    /// The listing names another brand.
    Brand(Marketplace),
    /// The listing names another model.
    Model(Marketplace),
    /// The listing names another image.
    Image(Marketplace),
    /// The listing names another hub.
    Hub(Marketplace),
    /// The skill isn't published in a marketplace.
    Skill(Marketplace, ListingStatus),
    /// Too few of a skill's attempts succeed.
    Success,
    /// A skill's attempts take too long.
    Latency,
    /// Enforcement is paused by the kill switch (R25).
    KillSwitch,
    /// There were too many removals within an hour (R25).
    RemovalLimit,
}

impl Reason {
    /// Parses what it prints.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain =
            [Self::Budget, Self::Outages, Self::Coverage, Self::Success, Self::Latency, Self::KillSwitch, Self::RemovalLimit];
        if let Some(found) = plain.into_iter().find(|reason| reason.to_string() == text) {
            return Some(found);
        }
        let (head, rest) = text.split_once(':')?;
        let warning = || {
            let level = WarningLevel::ALL.into_iter().find(|level| level.as_str() == head)?;
            let cause = WarningCause::ALL.into_iter().find(|cause| cause.as_str() == rest)?;
            Some(Self::Warning(level, cause))
        };
        let status = |good: &'static str, of: fn(Marketplace, ListingStatus) -> Self| {
            let (marketplace, name) = rest.split_once(':')?;
            let status = ListingStatus::ALL.into_iter().find(|status| status.as_str(good) == name)?;
            Some(of(Marketplace::parse(marketplace)?, status))
        };
        match head {
            "listing" => status("live", Self::Listing),
            "skill" => status("published", Self::Skill),
            "brand" => Marketplace::parse(rest).map(Self::Brand),
            "model" => Marketplace::parse(rest).map(Self::Model),
            "image" => Marketplace::parse(rest).map(Self::Image),
            "hub" => Marketplace::parse(rest).map(Self::Hub),
            _ => warning(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget => f.write_str("budget"),
            Self::Outages => f.write_str("outages"),
            Self::Coverage => f.write_str("coverage"),
            Self::Warning(level, cause) => write!(f, "{}:{}", level.as_str(), cause.as_str()),
            Self::Listing(marketplace, status) => write!(f, "listing:{marketplace}:{}", status.as_str("live")),
            Self::Brand(marketplace) => write!(f, "brand:{marketplace}"),
            Self::Model(marketplace) => write!(f, "model:{marketplace}"),
            Self::Image(marketplace) => write!(f, "image:{marketplace}"),
            Self::Hub(marketplace) => write!(f, "hub:{marketplace}"),
            Self::Skill(marketplace, status) => write!(f, "skill:{marketplace}:{}", status.as_str("published")),
            Self::Success => f.write_str("success"),
            Self::Latency => f.write_str("latency"),
            Self::KillSwitch => f.write_str("kill_switch"),
            Self::RemovalLimit => f.write_str("removal_limit"),
        }
    }
}
