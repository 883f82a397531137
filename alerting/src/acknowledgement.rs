//! Critical outages are to be acknowledged in time, with cause and expected fix (R12).
//!
//! A function of the outage, the registry's fact about it and T; nothing is remembered.

use domain::decision::Decision;
use domain::fact::Acknowledgement;
use domain::time::{DurationMs, Timestamp};

/// How a manufacturer answered a critical outage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AcknowledgementStatus<'a> {
    /// Not yet, and there is time left.
    Open,
    /// It did.
    Acknowledged {
        /// When.
        at: Timestamp,
        /// What caused the outage.
        cause: &'a str,
        /// When it is expected to be mended.
        expected_fix: Timestamp,
        /// Whether that was after the time allowed.
        late: bool,
    },
    /// Not yet, and the time allowed has passed.
    Overdue,
}

/// The status at `t` of a critical outage as it was issued. The last instant at which it is in time
/// is `acknowledge_within` after the outage's own; an acknowledgement dated after `t` doesn't act yet.
#[must_use]
pub fn status<'a>(
    outage: &Decision,
    acknowledgement: Option<&'a Acknowledgement>,
    acknowledge_within: DurationMs,
    t: Timestamp,
) -> AcknowledgementStatus<'a> {
    let due = outage.at.saturating_add(acknowledge_within);
    match acknowledgement.filter(|acknowledgement| acknowledgement.at <= t) {
        Some(Acknowledgement { at, cause, expected_fix, .. }) => {
            AcknowledgementStatus::Acknowledged { at: *at, cause, expected_fix: *expected_fix, late: *at > due }
        }
        None if t > due => AcknowledgementStatus::Overdue,
        None => AcknowledgementStatus::Open,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::decision::{DecisionKind, Evidence, Scope};
    use domain::id::{Asin, ManufacturerId};
    use domain::policy::PolicyName;
    use domain::time::HOUR_MS;

    use super::*;
    use crate::id::About;

    fn hour(hour: i64) -> Timestamp {
        Timestamp::clamped(1_772_323_200_000 + hour * HOUR_MS)
    }

    /// An outage at hour 0, to be acknowledged within a day, and what holds at an hour.
    fn check(acknowledged: Option<i64>, at: i64, expected: &str) {
        let (asin, manufacturer) = (Asin::new("B1").expect("an id"), ManufacturerId::new("m-1").expect("an id"));
        let about = About { asin: Some(asin.clone()), manufacturer, scope: Scope::Global };
        let evidence = Evidence::new(PolicyName { id: Arc::from("wwa-2026"), version: 1 });
        let outage = about.decide(DecisionKind::CriticalOutage, Vec::new(), hour(0), evidence);
        let acknowledgement = acknowledged.map(|at| Acknowledgement {
            outage: outage.id,
            asin,
            at: hour(at),
            by: "ops".to_owned(),
            cause: "a certificate ran out".to_owned(),
            expected_fix: hour(48),
        });
        let found = match status(&outage, acknowledgement.as_ref(), DurationMs::days(1), hour(at)) {
            AcknowledgementStatus::Open => "open".to_owned(),
            AcknowledgementStatus::Overdue => "overdue".to_owned(),
            AcknowledgementStatus::Acknowledged { at, cause, expected_fix, late } => {
                assert_eq!((cause, expected_fix), ("a certificate ran out", hour(48)));
                format!("at {}{}", (at - hour(0)).ms() / HOUR_MS, if late { ", late" } else { "" })
            }
        };
        assert_eq!(found, expected, "acknowledged {acknowledged:?}, asked at {at}");
    }

    #[test]
    fn an_outage_is_acknowledged_in_time_late_or_not_at_all() {
        check(None, 0, "open");
        check(None, 24, "open");
        check(None, 25, "overdue");
        check(Some(5), 4, "open");
        check(Some(5), 5, "at 5");
        check(Some(24), 30, "at 24");
        check(Some(30), 29, "overdue");
        check(Some(30), 30, "at 30, late");
    }
}
