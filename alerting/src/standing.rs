//! The numbers of a standing at T (R8, R10).

use domain::decision::WarningLevel;
use domain::ratio::Ratio;
use domain::report::{ProbationStanding, ProductStanding, Standing};
use domain::time::Timestamp;

use crate::scope::ScopeCase;

/// A standing with its numbers.
pub(crate) fn at(
    scope: &ScopeCase<'_>,
    floor: Option<Timestamp>,
    standing: Standing,
    warning_level: Option<WarningLevel>,
    probation: Option<ProbationStanding>,
) -> ProductStanding {
    let (at, case) = (scope.at, scope.case);
    let frame = scope.policy.frame_at(at);
    let window = scope.window(frame, floor, at);
    let downtime_ms = scope.downtime.ms_within(window);
    let (measured, badged) = scope.coverage_ms(window);
    let observed = scope.observed.ms_within(window);
    ProductStanding {
        asin: case.product.asin.clone(),
        manufacturer: case.product.terms_at(at).manufacturer.clone(),
        scope: scope.scope,
        standing,
        warning_level,
        availability: Ratio::of(frame.length.ms() - downtime_ms, frame.length.ms()),
        observed_availability: Ratio::of(observed - downtime_ms, observed),
        coverage: Ratio::of(measured, badged),
        downtime_ms,
        budget_ms: scope.policy.budget_ms(frame),
        window,
        probation,
        outages: scope.counting(window, floor).iter().map(|outage| scope.evidence.show(outage, at)).collect(),
    }
}
