//! How long a process reads on between two ticks.
//!
//! A tick judges whatever changed since the last one. While a backlog is worked off that is nearly every product, so ticks
//! at a fixed distance would take the more of the time the more products a process owns, and an event would cost the more
//! the fewer processes there are. So a tick that took long is followed by a longer pause.

use std::time::{Duration, Instant};

/// Least time between two ticks of owners.
pub(super) const TICK_WALL_MIN: Duration = Duration::from_secs(1);
/// Most time between two ticks: decisions, ticks of idle logs and checkpoints wait for them.
const TICK_WALL_MAX: Duration = Duration::from_secs(10);
/// How many times as long as a tick took nothing is judged after it: ticks take a fifth of the time at most.
const PAUSE_FACTOR: u32 = 4;

/// From the end of a tick, with checkpoints, to the next one; over at once before the first one.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Pause {
    begun: Option<Instant>,
    length: Duration,
}

impl Pause {
    /// That after a tick which took so long, from now on.
    pub(super) fn after(took: Duration) -> Self {
        Self { begun: Some(Instant::now()), length: length_after(took) }
    }

    pub(super) fn is_over(self) -> bool {
        self.begun.is_none_or(|begun| begun.elapsed() >= self.length)
    }
}

fn length_after(took: Duration) -> Duration {
    took.saturating_mul(PAUSE_FACTOR).clamp(TICK_WALL_MIN, TICK_WALL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_tick_is_followed_by_a_long_pause() {
        for (took, expected) in [(0, 1_000), (250, 1_000), (251, 1_004), (1_000, 4_000), (2_500, 10_000), (60_000, 10_000)] {
            assert_eq!(length_after(Duration::from_millis(took)), Duration::from_millis(expected), "{took}");
        }
        assert!(Pause::default().is_over());
    }
}
