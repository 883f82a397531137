//! What is remembered of a life: a few instants, the denser the nearer to T.

use domain::life::State;
use domain::time::{DurationMs, MINUTE_MS, Timestamp};

use crate::scope::TICK;

/// Most memos of a product. Late evidence costs going on from the last one before it; with ages
/// that rise eightfold, from a minute to half a year, that is about eight times as far back as
/// need be at most.
pub const MEMOS_MAX: usize = 8;
/// How much older each memo is than the next.
const AGE_FACTOR: i64 = 8;

/// Where a life stood at an instant, in every scope, without its history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Memo {
    /// The first instant that wasn't judged.
    pub(super) next: Timestamp,
    /// The number of the policy's version in force just before.
    pub(super) version: usize,
    pub(super) lanes: Vec<State>,
    /// How many decisions had been made.
    pub(super) decisions: usize,
    /// How many removals had ended.
    pub(super) removals: usize,
    pub(super) depends_until: Timestamp,
}

impl Default for Memo {
    /// Before all that may be.
    fn default() -> Self {
        Self { next: Timestamp::MIN, version: 0, lanes: Vec::new(), decisions: 0, removals: 0, depends_until: Timestamp::MIN }
    }
}

/// Where to stop for memos on the way from an instant to the one before which all is settled.
pub(super) fn stops(next: Timestamp, settled: Timestamp) -> impl Iterator<Item = Timestamp> {
    let age = |step: u32| DurationMs(if step == 0 { 0 } else { MINUTE_MS * AGE_FACTOR.pow(step - 1) });
    let steps = (0..u32::try_from(MEMOS_MAX).unwrap_or(0)).rev();
    let stops = steps.map(move |step| settled.ms() - TICK.ms() - age(step).ms()).filter_map(Timestamp::from_ms);
    stops.filter(move |stop| *stop >= next)
}

/// Adds a memo; of too many, the one goes whose neighbours lie nearest to each other for its age.
pub(super) fn remember(memos: &mut Vec<Memo>, memo: Memo, until: Timestamp) {
    if memos.last().is_none_or(|last| last.next < memo.next) {
        memos.push(memo);
    }
    if memos.len() > MEMOS_MAX {
        // Neither the frozen one nor the last.
        let between = 1..memos.len() - 1;
        let density = |place: usize| {
            let age = i128::from((until - memos[place].next).ms());
            let gap = i128::from((memos[place + 1].next - memos[place - 1].next).ms().max(1));
            (age, gap)
        };
        let densest = between.max_by(|&a, &b| {
            let ((age_a, gap_a), (age_b, gap_b)) = (density(a), density(b));
            (age_a * gap_b).cmp(&(age_b * gap_a))
        });
        if let Some(place) = densest {
            memos.remove(place);
        }
    }
}
