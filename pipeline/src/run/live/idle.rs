//! Which logs are idle: they get tick records, so that time goes on without events (R23).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::time::Timestamp;

/// A partition without records for so long gets a tick record.
const HEALTH_IDLE: Duration = Duration::from_secs(5);
/// The registry likewise; it is kept for ever, so it gets fewer.
pub(super) const REGISTRY_IDLE: Duration = Duration::from_secs(30);

/// Since when which log hasn't moved.
#[derive(Default, Debug)]
pub(super) struct Idle {
    health: BTreeMap<u32, Seen>,
    registry: Seen,
}

/// A log's time as last seen, and when it last moved or got a tick.
type Seen = (Option<Timestamp>, Option<Instant>);

impl Idle {
    /// A partition is looked at afresh.
    pub(super) fn begin(&mut self, partition: u32) {
        self.health.insert(partition, Seen::default());
    }

    pub(super) fn is_health_idle(&mut self, partition: u32, log_time: Option<Timestamp>) -> bool {
        is_idle(self.health.entry(partition).or_default(), log_time, HEALTH_IDLE)
    }

    pub(super) fn is_registry_idle(&mut self, log_time: Option<Timestamp>, after: Duration) -> bool {
        is_idle(&mut self.registry, log_time, after)
    }
}

/// Whether a log hasn't moved for so long; then it is to get a tick, and is looked at afresh. A log that
/// never said anything gets one at once.
fn is_idle(seen: &mut Seen, log_time: Option<Timestamp>, after: Duration) -> bool {
    let has_moved = log_time != seen.0;
    let is_due = !has_moved && seen.1.is_none_or(|since| since.elapsed() >= after);
    if has_moved || is_due {
        *seen = (log_time, Some(Instant::now()));
    }
    is_due
}
