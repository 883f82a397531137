//! What goes wrong with a subject in a region, and when.

use domain::{HealthState, Interval, Timestamp};

/// Something that goes wrong for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Incident {
    /// When.
    pub(crate) interval: Interval,
    /// What.
    pub(crate) kind: IncidentKind,
}

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IncidentKind {
    /// Nothing works.
    Down,
    /// Declared maintenance; nothing works.
    Maintenance,
    /// A share of the attempts fails, in parts per million; too few to be down.
    Partial(u32),
    /// Nobody reports.
    Silent,
}

impl IncidentKind {
    /// The state that is reported while it lasts, if it shows in states.
    pub(crate) const fn state(self) -> Option<HealthState> {
        match self {
            Self::Down => Some(HealthState::Down),
            Self::Maintenance => Some(HealthState::Maintenance),
            Self::Silent => Some(HealthState::Unknown),
            Self::Partial(_) => None,
        }
    }

    /// The share of attempts that fails while it lasts, in parts per million.
    pub(crate) const fn failing_ppm(self) -> u32 {
        match self {
            Self::Down | Self::Maintenance => 1_000_000,
            Self::Partial(ppm) => ppm,
            Self::Silent => 0,
        }
    }
}

/// Puts incidents in order of time, cut to `active`, one at a time: of two that overlap the later
/// one starts when the earlier one ends.
pub(crate) fn in_order(mut incidents: Vec<Incident>, active: Interval) -> Vec<Incident> {
    incidents.sort_by_key(|incident| (incident.interval.from, incident.interval.to));
    let mut free_from = Timestamp::MIN;
    incidents.retain_mut(|incident| {
        incident.interval = incident.interval.intersect(active).intersect(Interval::new(free_from, Timestamp::MAX));
        free_from = free_from.max(incident.interval.to);
        !incident.interval.is_empty()
    });
    incidents.shrink_to_fit();
    incidents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incidents_follow_each_other() {
        let incident = |from, to| Incident {
            interval: Interval::new(Timestamp::clamped(from), Timestamp::clamped(to)),
            kind: IncidentKind::Down,
        };
        let check = |given: &[(i64, i64)], expected: &[(i64, i64)]| {
            let active = Interval::new(Timestamp::clamped(10), Timestamp::clamped(90));
            let ordered = in_order(given.iter().map(|(from, to)| incident(*from, *to)).collect(), active);
            let expected: Vec<_> = expected.iter().map(|(from, to)| incident(*from, *to)).collect();
            assert_eq!(ordered, expected, "{given:?}");
        };
        check(&[(50, 60), (20, 30)], &[(20, 30), (50, 60)]);
        check(&[(20, 40), (30, 50), (35, 38)], &[(20, 40), (40, 50)]);
        check(&[(0, 5), (5, 15), (85, 120), (95, 99)], &[(10, 15), (85, 90)]);
    }
}
