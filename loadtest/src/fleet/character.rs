//! The parts that products play, and what each of them is promised to lead to.

use domain::{DecisionKind, WarningCause, WarningLevel};

use super::manifest::Promise;

/// The part that a product plays in a fleet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Character {
    /// Nothing worth a word happens.
    Steady,
    /// Climbs through every budget warning and stays on.
    Climber,
    /// Removed by its budget, reinstated after three good months.
    Reinstated,
    /// Removed by its sixth outage; a month breaks by its budget; reinstated in the end.
    Restarted,
    /// Passes probation while a listing is suppressed; granted when that is corrected.
    Held,
    /// Down in Europe, fine in North America: removed in Europe, or globally.
    Regional,
    /// Goes down with the skill that it shares with another manufacturer's product.
    SharedSkill,
    /// Leaves that skill in time.
    Mover,
    /// Nobody reports in a month of its probation, which starts anew.
    DarkInProbation,
    /// Six short outages restart its probation within every month's budget.
    Blipper,
    /// Five outages, none of them long.
    OutageWarned,
    /// Short blips every day, which project beyond the budget.
    Projected,
    /// Nobody reports for weeks.
    Dark,
    /// Goes down with its hub.
    HubVictim,
    /// Long downtime that is excluded: an upheld dispute, approved maintenance.
    Excused,
    /// Removed by maintenance that nobody approved; withdrawn in probation.
    Quitter,
    /// Its badge is enabled in the middle of an outage.
    Newcomer,
    /// Passes probation while a listing shows another brand, to the end.
    StillHeld,
    /// Bursts of blips, each burst one outage.
    Flapper,
    /// Hours with many failures, never enough to be down.
    Brownout,
    /// Gains a region, loses a marketplace, grows.
    Expander,
    /// Removed by its budget six weeks before the end: in probation, one month passed.
    Fallen,
    /// Down when the period ends, and just removed for it.
    Falling,
}

use Character as C;
use DecisionKind as K;

/// A removal, three good months, the badge back.
const ONE_ARC: &[K] = &[
    K::BadgeRemoval,
    K::ProbationStarted,
    K::ProbationMonthPassed,
    K::ProbationMonthPassed,
    K::ProbationMonthPassed,
    K::Reinstatement,
];
const BROKEN_IN_SECOND: &[K] = &[
    K::BadgeRemoval,
    K::ProbationStarted,
    K::ProbationMonthPassed,
    K::ProbationRestarted,
    K::ProbationMonthPassed,
    K::ProbationMonthPassed,
    K::ProbationMonthPassed,
    K::Reinstatement,
];
const HELD: &[K] = &[
    K::BadgeRemoval,
    K::ProbationStarted,
    K::ProbationMonthPassed,
    K::ProbationMonthPassed,
    K::ProbationMonthPassed,
    K::ReinstatementHeld,
];
const HELD_AND_GRANTED: &[K] = &[
    K::BadgeRemoval,
    K::ProbationStarted,
    K::ProbationMonthPassed,
    K::ProbationMonthPassed,
    K::ProbationMonthPassed,
    K::ReinstatementHeld,
    K::Reinstatement,
];
const WATCHED: (WarningLevel, WarningCause) = (WarningLevel::Watch, WarningCause::Budget);

impl Character {
    /// The first products of a fleet, in order.
    pub const CAST: [Self; 24] = [
        C::Steady,
        C::Climber,
        C::Reinstated,
        C::Restarted,
        C::Held,
        C::Regional,
        C::SharedSkill,
        C::SharedSkill,
        C::Mover,
        C::DarkInProbation,
        C::Blipper,
        C::OutageWarned,
        C::Projected,
        C::Dark,
        C::HubVictim,
        C::Excused,
        C::Quitter,
        C::Newcomer,
        C::StillHeld,
        C::Flapper,
        C::Brownout,
        C::Expander,
        C::Fallen,
        C::Falling,
    ];

    /// What happens to a member of the cast, under the preset policies and with nothing else
    /// going wrong.
    #[must_use]
    pub const fn promise(self) -> Promise {
        let (arc, warnings): (&'static [K], &'static [(WarningLevel, WarningCause)]) = match self {
            C::Climber => {
                (&[], &[WATCHED, (WarningLevel::Warning, WarningCause::Budget), (WarningLevel::Critical, WarningCause::Budget)])
            }
            C::OutageWarned => {
                (&[], &[(WarningLevel::Warning, WarningCause::Outages), (WarningLevel::Critical, WarningCause::Outages)])
            }
            C::Projected => (&[], &[WATCHED, (WarningLevel::Warning, WarningCause::Projection)]),
            C::Reinstated | C::Regional | C::SharedSkill | C::HubVictim => (ONE_ARC, &[WATCHED]),
            C::Restarted => (BROKEN_IN_SECOND, &[(WarningLevel::Critical, WarningCause::Outages)]),
            C::DarkInProbation | C::Blipper => (BROKEN_IN_SECOND, &[WATCHED]),
            C::Held => (HELD_AND_GRANTED, &[WATCHED]),
            C::StillHeld => (HELD, &[WATCHED]),
            C::Quitter => (&[K::BadgeRemoval, K::ProbationStarted], &[WATCHED]),
            C::Fallen => (&[K::BadgeRemoval, K::ProbationStarted, K::ProbationMonthPassed], &[WATCHED]),
            C::Falling => (&[K::BadgeRemoval], &[WATCHED]),
            C::Steady | C::Mover | C::Dark | C::Excused | C::Newcomer | C::Flapper | C::Brownout | C::Expander => (&[], &[]),
        };
        Promise { arc, warnings, coverage_warning: matches!(self, C::Dark) }
    }

    /// How many days its story takes, to its last decision.
    pub(crate) const fn days_needed(self) -> u32 {
        match self {
            C::Steady | C::Flapper | C::Brownout => 1,
            C::Falling => 10,
            C::Fallen => 60,
            C::Climber | C::Expander | C::Newcomer => 130,
            C::Dark | C::Excused | C::Projected => 90,
            C::OutageWarned | C::Reinstated => 140,
            C::Regional | C::SharedSkill | C::Mover | C::HubVictim | C::StillHeld => 160,
            C::Held => 150,
            C::Quitter | C::Blipper => 175,
            C::DarkInProbation | C::Restarted => 195,
        }
    }

    /// Whether its story needs months that are measured around the clock.
    pub(crate) const fn needs_coverage(self) -> bool {
        matches!(
            self,
            C::Reinstated
                | C::Restarted
                | C::Held
                | C::Regional
                | C::SharedSkill
                | C::DarkInProbation
                | C::Blipper
                | C::HubVictim
                | C::Quitter
                | C::StillHeld
                | C::Newcomer
                | C::Fallen
                | C::Falling
        )
    }

    /// Whether its story shows in counts by the minute only.
    pub(crate) const fn needs_outcomes(self) -> bool {
        matches!(self, C::Brownout)
    }

    /// The parts of products beyond the cast, with how many in a thousand play each; what is
    /// missing to a thousand is steady.
    pub(crate) const SUPPORTING: [(Self, u64); 16] = [
        (C::Brownout, 60),
        (C::Flapper, 30),
        (C::Climber, 25),
        (C::OutageWarned, 25),
        (C::Dark, 25),
        (C::Reinstated, 25),
        (C::Excused, 15),
        (C::Expander, 15),
        (C::Newcomer, 15),
        (C::Projected, 15),
        (C::Restarted, 12),
        (C::Held, 12),
        (C::Regional, 10),
        (C::DarkInProbation, 8),
        (C::Blipper, 8),
        (C::Quitter, 7),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cast_is_promised_every_kind_of_decision_about_a_product() {
        let promised: Vec<_> = C::CAST.iter().flat_map(|character| character.promise().arc).collect();
        for kind in DecisionKind::IMPLIED {
            let elsewhere =
                matches!(kind, K::Warning | K::CoverageWarning | K::CriticalOutage | K::Suspension | K::SuspensionLifted);
            assert_eq!(!promised.contains(&&kind), elsewhere, "{kind}");
        }
    }

    #[test]
    fn most_products_are_steady() {
        assert!(C::SUPPORTING.iter().map(|(_, share)| share).sum::<u64>() < 400);
    }
}
