//! The events of a scenario: arcs of outages that aim at breaches, months and window edges, some
//! echoed by other subjects, and noise on the instants that came up.

use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::{DurationMs, Event, EventBody, HealthState, Interval, Policy, Region, ReporterId, Subject, Timestamp};

use super::instants::Instants;
use super::policies::{budget_ms, window_ms};
use super::registry::Stage;
use super::{EVENTS_MAX, SPAN_DAYS_MAX};
use crate::dice::Dice;

/// A story as it was told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) events: Vec<Event>,
    pub(super) instants: Instants,
    pub(super) at: Timestamp,
}

/// Who is down where.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Actor {
    subject: Subject,
    region: Region,
}

struct Teller<'a> {
    stage: &'a Stage,
    policy: &'a Policy,
    dice: &'a mut Dice,
    instants: Instants,
    events: Vec<Event>,
    /// No arc goes on after this.
    end: Timestamp,
    seq: u64,
}

/// Tells the story of a stage under a policy.
pub(super) fn tell(stage: &Stage, policy: &Policy, dice: &mut Dice) -> Told {
    let span_days = match dice.below(10) {
        0..2 => dice.between(1, 5),
        2..4 => dice.between(20, 120),
        _ => dice.between(200, SPAN_DAYS_MAX),
    };
    let end = stage.start + DurationMs::days(span_days);
    let mut teller =
        Teller { stage, policy, dice, instants: Instants::new(stage.start, policy), events: Vec::new(), end, seq: 0 };
    teller.everything_is_up();
    for _ in 0..teller.dice.between(1, 3) {
        teller.arc();
    }
    for _ in 0..teller.dice.between(0, 12) {
        teller.noise();
    }
    teller.repeat_names();
    let at = teller.pick_at();
    let Teller { mut events, instants, dice, .. } = teller;
    dice.shuffle(&mut events);
    Told { events, instants, at }
}

impl Teller<'_> {
    /// Most products are up from the start on, often in every region, so that silence isn't all there is.
    fn everything_is_up(&mut self) {
        for product in &self.stage.products {
            let everywhere = self.dice.chance(300_000);
            for region in Region::ALL {
                if (everywhere || product.terms.regions().contains(region)) && self.dice.chance(900_000) {
                    self.state(&Actor { subject: Subject::product(&product.asin), region }, self.stage.start, HealthState::Up);
                }
            }
        }
    }

    fn actor(&mut self) -> Actor {
        let product = self.dice.pick(&self.stage.products);
        let regions: Vec<_> = product.terms.regions().iter().collect();
        let region = if self.dice.chance(900_000) { *self.dice.pick(&regions) } else { *self.dice.pick(&Region::ALL) };
        let subject = match (self.dice.below(10), &product.terms.skill, &product.terms.hub) {
            (0..3, Some(skill), _) => Subject::skill(skill),
            (3..5, _, Some(hub)) => Subject::hub(hub),
            _ => Subject::product(&product.asin),
        };
        Actor { subject, region }
    }

    /// A few outages of one subject, one after the other.
    fn arc(&mut self) {
        let actor = self.actor();
        let mut from = self.stage.start + self.first_gap();
        // Downtime since the last breach, and the last end of a run that held one.
        let (mut used, mut probation) = (0, None);
        for _ in 0..self.dice.between(1, 9) {
            if from >= self.end || self.events.len() >= EVENTS_MAX {
                return;
            }
            let to = if self.dice.chance(150_000) {
                self.slices(&actor, from)
            } else {
                let length = self.length(used, probation);
                self.outage(&actor, Interval::new(from, from + DurationMs(length)));
                from + DurationMs(length)
            };
            used += to.ms() - from.ms();
            self.instants.note_run(Interval::new(from, to), self.policy);
            if used > budget_ms(self.policy) {
                (used, probation) = (0, Some(to));
            }
            let next = self.next_start(Interval::new(from, to), probation);
            from = next.max(to + DurationMs(1));
        }
    }

    fn first_gap(&mut self) -> DurationMs {
        DurationMs(match self.dice.below(4) {
            0 => 0,
            1 => self.dice.between(0, HOUR_MS),
            2 => self.dice.between(0, 3) * DAY_MS,
            _ => self.dice.between(0, 40 * DAY_MS),
        })
    }

    /// How long an outage is: what is left of a budget and a millisecond more or less, or just an
    /// outage, or anything.
    fn length(&mut self, used: i64, probation: Option<Timestamp>) -> i64 {
        let (budget, aside) = (budget_ms(self.policy), self.dice.between(-1, 1));
        let length = match self.dice.below(12) {
            0..4 => budget - used + aside.abs(),
            4 => budget - used + aside,
            5 => budget / 2 + aside,
            6 => self.policy.min_duration.ms() + aside,
            7 => match probation {
                Some(start) => self.month_budget(start) + aside,
                None => budget + 1,
            },
            8 => self.dice.between(1, 30) * MINUTE_MS,
            9 => self.dice.between(1, 10 * HOUR_MS),
            10 => self.policy.warnings.warning_budget.ceil_of(budget) - used + aside,
            _ => self.dice.between(1, 2_000),
        };
        length.clamp(1, 20 * DAY_MS)
    }

    /// What one of the months from `start` on may hold.
    fn month_budget(&mut self, start: Timestamp) -> i64 {
        let month = u32::try_from(self.dice.below(u64::from(self.policy.probation_months) + 1)).expect("few months");
        let length = start.plus_months(month + 1) - start.plus_months(month);
        self.policy.target.complement().floor_of(length.ms())
    }

    /// When the next outage of an arc starts.
    fn next_start(&mut self, last: Interval, probation: Option<Timestamp>) -> Timestamp {
        let aside = DurationMs(self.dice.between(-1, 1));
        let gap = self.policy.merge_gap;
        match (self.dice.below(12), probation) {
            (0, _) => last.to + gap,
            (1, _) => last.to + gap + DurationMs(1),
            (2, _) => last.from + DurationMs(window_ms(self.policy)) + aside,
            (3, _) => last.to.next_day().unwrap_or(Timestamp::MAX) + aside,
            (4..8, Some(start)) => {
                let months = 1 + u32::try_from(self.dice.below(u64::from(self.policy.probation_months) + 1)).expect("few months");
                let before = *self.dice.pick(&[0, 0, 1, MINUTE_MS, DAY_MS]);
                start.plus_months(months).saturating_sub(DurationMs(before))
            }
            (4..6, None) => last.to + gap + DurationMs(self.dice.between(1, HOUR_MS)),
            (6..8, None) => last.to + DurationMs(self.dice.between(HOUR_MS, 10 * DAY_MS)),
            (8, _) => last.to + DurationMs(self.dice.between(1, 10 * MINUTE_MS)),
            (9, _) => last.to + DurationMs::days(self.dice.between(1, 40)),
            (10, _) => Timestamp::clamped(last.to.floor_minute().ms() + self.dice.between(1, 3) * MINUTE_MS),
            _ => last.to + DurationMs(self.dice.between(1, 100 * DAY_MS)),
        }
    }

    /// Down for an interval, told in one of the ways in which it can be; others may join.
    fn outage(&mut self, actor: &Actor, run: Interval) {
        let worst = if self.dice.chance(200_000) { HealthState::Maintenance } else { HealthState::Down };
        self.state(actor, run.from, worst);
        if let Some(ttl) = self.policy.state_ttl {
            let renewals = (run.ms() - 1) / ttl.ms().max(1);
            // A long outage with a short life of states just runs out.
            for renewal in (1..=renewals).filter(|_| renewals <= 8) {
                self.state(actor, run.from + DurationMs(renewal * ttl.ms()), worst);
            }
        }
        match self.dice.below(20) {
            0 => {}
            1 => self.state(actor, run.to, HealthState::Unknown),
            2 => {
                // A tie: whatever is worse holds.
                self.state(actor, run.to, HealthState::Up);
                let tied = *self.dice.pick(&HealthState::ALL);
                self.state(actor, run.to, tied);
            }
            _ => self.state(actor, run.to, HealthState::Up),
        }
        if self.dice.chance(250_000) && self.events.len() < EVENTS_MAX {
            let other = self.actor();
            let shift = match self.dice.below(5) {
                0 => 0,
                1 => run.ms(),
                2 => run.ms() + self.policy.merge_gap.ms() + self.dice.between(0, 1),
                3 => -run.ms() / 2,
                _ => self.dice.between(-HOUR_MS, HOUR_MS),
            };
            let from = Timestamp::clamped(run.from.ms() + shift);
            let to = from + DurationMs(run.ms());
            self.state(&other, from, HealthState::Down);
            self.state(&other, to, HealthState::Up);
            self.instants.note_run(Interval::new(from, to), self.policy);
        }
    }

    /// Minutes of counts in a row, most of them down; returns the end of the last one.
    fn slices(&mut self, actor: &Actor, from: Timestamp) -> Timestamp {
        let minutes = self.dice.between(1, 8);
        for nth in 0..minutes {
            let minute = from.floor_minute() + DurationMs(nth * MINUTE_MS);
            self.slice(actor, minute);
        }
        from.floor_minute() + DurationMs(minutes * MINUTE_MS)
    }

    /// The counts of a minute, near the thresholds of attempts and of failures, in one to three parts.
    fn slice(&mut self, actor: &Actor, minute: Timestamp) {
        let least = i64::from(self.policy.min_attempts);
        let attempts = (least + *self.dice.pick(&[-1, 0, 0, 0, 1, least, 100])).max(1);
        let tolerated = self.policy.down_ratio.floor_of(attempts);
        let failed = match self.dice.below(6) {
            0 => tolerated,
            1 => 0,
            2 => (tolerated + 1).min(attempts),
            _ => attempts,
        };
        let (mut ok, mut failed) = (attempts - failed, failed);
        for part in (0..self.dice.between(1, 3)).rev() {
            let of = |whole: i64, dice: &mut Dice| if part == 0 { whole } else { dice.between(0, whole) };
            let (some_ok, some_failed) = (of(ok, self.dice), of(failed, self.dice));
            (ok, failed) = (ok - some_ok, failed - some_failed);
            let within = *self.dice.pick(&[0, 0, 1, 30_000, MINUTE_MS - 1]);
            let count = |value: i64| u32::try_from(value).expect("small");
            let body = EventBody::Outcome { ok: count(some_ok), failed: count(some_failed) };
            self.push(actor, minute + DurationMs(within), body);
        }
    }

    /// Anything, on an instant that has come up.
    fn noise(&mut self) {
        let actor = if self.dice.chance(30_000) {
            let asin = domain::Asin::new("B0STRANGER").expect("not empty");
            Actor { subject: Subject::product(&asin), region: Region::Na }
        } else {
            self.actor()
        };
        let at = self.instants.near(self.dice);
        if self.dice.chance(300_000) {
            self.slice(&actor, at.floor_minute());
        } else {
            let state = *self.dice.pick(&[
                HealthState::Up,
                HealthState::Up,
                HealthState::Unknown,
                HealthState::Maintenance,
                HealthState::Down,
            ]);
            self.state(&actor, at, state);
            self.instants.note(at);
        }
    }

    fn state(&mut self, actor: &Actor, at: Timestamp, state: HealthState) {
        self.push(actor, at, EventBody::State(state));
    }

    fn push(&mut self, actor: &Actor, at: Timestamp, body: EventBody) {
        if self.events.len() >= EVENTS_MAX {
            return;
        }
        let reporter = match self.dice.below(4) {
            0 => ReporterId::new("gw-1"),
            1 => ReporterId::new("gw-2"),
            _ => None,
        };
        let seq = self.dice.chance(400_000).then(|| {
            self.seq += 1;
            self.seq
        });
        self.events.push(Event { subject: actor.subject.clone(), region: actor.region, at, body, reporter, seq });
    }

    /// Sends some events again, and takes some names for something else.
    fn repeat_names(&mut self) {
        for _ in 0..self.dice.below(4) {
            let named: Vec<_> = self.events.iter().filter(|event| event.seq.is_some()).cloned().collect();
            if named.is_empty() || self.events.len() >= EVENTS_MAX {
                return;
            }
            let mut again = self.dice.pick(&named).clone();
            match self.dice.below(8) {
                0 => again.at = self.instants.near(self.dice),
                1 => again.region = *self.dice.pick(&Region::ALL),
                2 => again.body = EventBody::State(*self.dice.pick(&HealthState::ALL)),
                3 => again.body = EventBody::Outcome { ok: 0, failed: 50 },
                // Another reporter, or none, is another name.
                4 => again.reporter = ReporterId::new("gw-3"),
                _ => {}
            }
            self.events.push(again);
        }
    }

    /// T: on or beside an instant that has come up, or at the end.
    fn pick_at(&mut self) -> Timestamp {
        let latest = self.stage.start + DurationMs::days(SPAN_DAYS_MAX);
        let at = match self.dice.below(10) {
            0..4 => self.instants.near(self.dice),
            // The later of some, so that stories get told.
            4..7 => (0..8).map(|_| self.instants.near(self.dice)).max().unwrap_or(self.end),
            _ => self.end.max(self.stage.start),
        };
        at.clamp(self.stage.start, latest)
    }
}
