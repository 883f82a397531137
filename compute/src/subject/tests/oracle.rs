//! What a subject's health is by the rules: all events are kept, and every answer is computed from
//! them anew.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::{EventBody, HealthState};
use domain::interval::{Interval, IntervalSet};
use domain::page::{PAGE_MS, PageNo};
use domain::policy::{Policies, Policy};
use domain::time::{DurationMs, MINUTE_MS, Timestamp};

use crate::{Ask, Attempts};

#[derive(Default)]
pub(super) struct Oracle {
    events: Vec<(Timestamp, EventBody)>,
    forgotten: Timestamp,
    /// Pages in memory, and before which page others aren't there.
    resident: BTreeSet<PageNo>,
    horizon: PageNo,
}

impl Oracle {
    pub(super) fn apply(&mut self, at: Timestamp, body: EventBody) {
        if at >= self.forgotten {
            self.events.push((at, body));
            self.resident.insert(PageNo::of(at));
        }
    }

    pub(super) fn evict(&mut self, before: Timestamp) {
        self.resident.retain(|no| no.start().ms() + PAGE_MS > before.ms());
        self.horizon = self.horizon.max(PageNo::of(before));
    }

    pub(super) fn load(&mut self, no: PageNo) {
        self.resident.insert(no);
    }

    /// No page is in memory, and none behind the last one was ever made.
    pub(super) fn restart(&mut self) {
        let behind = self.resident.last().map(|last| PageNo::new(last.get() + 1));
        self.horizon = self.horizon.max(behind.unwrap_or_default());
        self.resident.clear();
    }

    pub(super) fn forget(&mut self, before: Timestamp) {
        self.forgotten = self.forgotten.max(PageNo::of(before).start());
    }

    pub(super) fn downtime(&self, ask: Ask, policies: &Policies) -> IntervalSet {
        let minutes = self.minutes(policies, is_down);
        self.cut(ask, minutes, |state| matches!(state, HealthState::Down | HealthState::Maintenance))
    }

    pub(super) fn measured(&self, ask: Ask, policies: &Policies) -> IntervalSet {
        let minutes = self.minutes(policies, |attempts, _, policy| attempts >= u64::from(policy.min_attempts));
        self.cut(ask, minutes, |state| state != HealthState::Unknown)
    }

    pub(super) fn down_minutes(&self, within: Interval, policies: &Policies) -> IntervalSet {
        let minutes = self.minutes(policies, is_down);
        minutes.into_iter().filter(|minute| within.contains(minute.from) && minute.from >= self.forgotten).collect()
    }

    pub(super) fn down_states(&self, within: Interval, ttl: Option<DurationMs>) -> Vec<Interval> {
        let touches = |no: PageNo| !within.is_empty() && !no.interval().intersect(within).is_empty();
        let down = |state| matches!(state, HealthState::Down | HealthState::Maintenance);
        let states = self.states(ttl, down).into_iter();
        let begun = states.filter(|state| touches(PageNo::of(state.from)) && state.from >= self.forgotten);
        begun.collect::<IntervalSet>().iter().copied().collect()
    }

    pub(super) fn maintenance(&self, until: Timestamp, policies: &Policies) -> IntervalSet {
        let known = Interval::new(self.forgotten, until);
        let ttl = |at: Timestamp| in_force(policies, at).state_ttl;
        self.held(ttl, |state| state == HealthState::Maintenance).into_iter().map(|part| part.intersect(known)).collect()
    }

    pub(super) fn attempts(&self, within: Interval) -> Option<Attempts> {
        let mut sum = Attempts::default();
        for (minute, (ok, failed)) in self.counts() {
            let start = minute * MINUTE_MS;
            if within.from.ms() <= start && start + MINUTE_MS <= within.to.ms() {
                sum = Attempts { ok: sum.ok + ok, failed: sum.failed + failed };
            }
        }
        let whole_minutes = (within.from.ms() + MINUTE_MS - 1) / MINUTE_MS..within.to.ms() / MINUTE_MS;
        let mut pages = whole_minutes.map(|minute| PageNo::of(Timestamp::clamped(minute * MINUTE_MS)));
        pages.all(|no| no >= self.horizon || self.resident.contains(&no)).then_some(sum)
    }

    pub(super) fn page_before(&self, at: Timestamp) -> Option<PageNo> {
        let before = self.worst().into_keys().rfind(|instant| *instant < at);
        before.filter(|instant| *instant >= self.forgotten).map(PageNo::of)
    }

    fn cut(&self, ask: Ask, minutes: Vec<Interval>, keep: impl Fn(HealthState) -> bool) -> IntervalSet {
        let ended = minutes.into_iter().filter(|minute| minute.to <= ask.until);
        let known = Interval::new(self.forgotten, ask.until).intersect(ask.within);
        ended.chain(self.states(ask.state_ttl, keep)).map(|part| part.intersect(known)).collect()
    }

    fn counts(&self) -> BTreeMap<i64, (u64, u64)> {
        let mut sums: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
        for (at, body) in &self.events {
            if let EventBody::Outcome { ok, failed } = body {
                let sum = sums.entry(at.ms() / MINUTE_MS).or_default();
                *sum = (sum.0 + u64::from(*ok), sum.1 + u64::from(*failed));
            }
        }
        sums
    }

    fn minutes(&self, policies: &Policies, keep: impl Fn(u64, u64, &Policy) -> bool) -> Vec<Interval> {
        let minute = |number: i64| Timestamp::clamped(number * MINUTE_MS);
        let counts = self.counts().into_iter();
        let kept = counts.filter(|(number, (ok, failed))| keep(ok + failed, *failed, in_force(policies, minute(*number))));
        kept.map(|(number, _)| Interval::new(minute(number), minute(number + 1))).collect()
    }

    fn worst(&self) -> BTreeMap<Timestamp, HealthState> {
        let mut worst: BTreeMap<Timestamp, HealthState> = BTreeMap::new();
        for (at, body) in &self.events {
            if let EventBody::State(state) = body {
                let held = worst.entry(*at).or_insert(*state);
                *held = (*held).max(*state);
            }
        }
        worst
    }

    /// Each state's time, whole.
    fn states(&self, ttl: Option<DurationMs>, keep: impl Fn(HealthState) -> bool) -> Vec<Interval> {
        self.held(|_| ttl, keep)
    }

    fn held(&self, ttl: impl Fn(Timestamp) -> Option<DurationMs>, keep: impl Fn(HealthState) -> bool) -> Vec<Interval> {
        let worst = self.worst();
        let next = worst.keys().skip(1).copied().chain([Timestamp::MAX]);
        let held = worst.iter().zip(next).filter(|((_, state), _)| keep(**state));
        held.map(|((at, _), next)| Interval::new(*at, next.min(ttl(*at).map_or(Timestamp::MAX, |ttl| at.saturating_add(ttl)))))
            .collect()
    }
}

fn is_down(attempts: u64, failed: u64, policy: &Policy) -> bool {
    attempts >= u64::from(policy.min_attempts) && failed * 1_000_000 > attempts * policy.down_ratio.get().unsigned_abs()
}

fn in_force(policies: &Policies, at: Timestamp) -> &Policy {
    let mut versions = policies.versions().iter();
    let first = versions.next().expect("never empty");
    versions.fold(first, |last, next| if next.effective_from <= at { next } else { last })
}
