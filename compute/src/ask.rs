//! What is asked of a subject's health.

use domain::interval::Interval;
use domain::time::{DurationMs, Timestamp};

/// A question about a subject's health in a region: what lies in a stretch of time, as known at T.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ask {
    /// The stretch; the answer is cut to it.
    pub within: Interval,
    /// T: a minute counts once it has ended, a state holds up to here.
    pub until: Timestamp,
    /// How long a state holds unrenewed by the judging version of the policy (R4); `None` is for ever.
    pub state_ttl: Option<DurationMs>,
}
