//! What one subject reports from one region: when it sends states, in which minutes it counts.
//!
//! Both clocks are pure functions of the plan, so that a year needs no memory but a cursor.

use domain::time::{DAY_MS, MINUTE_MS};
use domain::{DurationMs, HealthState, Interval, Region, Subject, Timestamp};

use super::incident::{Incident, IncidentKind};

/// How often a state is renewed. Less than the hour for which states hold in the presets, so
/// that renewals leave no gap.
pub(crate) const RENEWAL: DurationMs = DurationMs(59 * MINUTE_MS);
/// States a day of a channel that is on duty for half of the day: they hold for 12 hours and 48 minutes.
pub(crate) const DUTY_STATES: i64 = 13;
/// Latest minute of the day at which duty may start to end on the same day.
pub(crate) const DUTY_STARTS_MAX: i64 = MINUTES_A_DAY - 13 * 60;
/// Minutes in a day.
pub(crate) const MINUTES_A_DAY: i64 = DAY_MS / MINUTE_MS;

/// When states are sent while nothing is wrong. Incidents are always reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heartbeat {
    /// At the start only.
    Never,
    /// Once a day.
    Daily,
    /// [`DUTY_STATES`] times a day in a row, [`RENEWAL`] apart.
    Duty,
    /// Every [`RENEWAL`].
    Always,
}

/// A subject in a region.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) subject: Subject,
    pub(crate) region: Region,
    /// When it reports at all.
    pub(crate) active: Interval,
    /// Indexes of its reporters.
    pub(crate) reporters: [u32; 2],
    pub(crate) heartbeat: Heartbeat,
    /// Milliseconds into the day at which duty starts, and the daily state is sent.
    pub(crate) duty_from_ms: i64,
    /// Minutes a day of which outcomes are reported, in one block; incidents are reported beyond it.
    pub(crate) outcome_minutes: i64,
    /// Minute of the day at which that block would best have its middle.
    pub(crate) busiest_minute: i64,
    /// Whether it reports outcomes at all: those of incidents in any case.
    pub(crate) reports_outcomes: bool,
    /// Attempts in a minute at the busiest time.
    pub(crate) attempts_peak: u32,
    /// Share of attempts that fails although nothing is wrong, in parts per million.
    pub(crate) noise_ppm: u32,
    /// In order of time, none overlapping another.
    pub(crate) incidents: Vec<Incident>,
}

/// Walks through the states that a channel sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StateClock {
    /// The next state, and when it is sent.
    pub(crate) next: Option<(Timestamp, HealthState)>,
    incident: usize,
}

/// Walks through the minutes of which a channel reports outcomes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MinuteClock {
    /// The next minute.
    pub(crate) next: Option<i64>,
    incident: usize,
}

impl Channel {
    /// The first instant after `after` at which a state is due while nothing is wrong.
    fn scheduled_after(&self, after: Timestamp) -> Option<Timestamp> {
        let step = RENEWAL.ms();
        let day = after.floor_day().ms();
        let due = match self.heartbeat {
            Heartbeat::Never => return None,
            Heartbeat::Always => {
                let start = self.active.from.ms();
                start + ((after.ms() - start).div_euclid(step) + 1) * step
            }
            Heartbeat::Daily => {
                let today = day + self.duty_from_ms;
                if after.ms() < today { today } else { today + DAY_MS }
            }
            Heartbeat::Duty => {
                let today = day + self.duty_from_ms;
                let sent = if after.ms() < today { 0 } else { (after.ms() - today) / step + 1 };
                if sent < DUTY_STATES { today + sent * step } else { today + DAY_MS }
            }
        };
        Some(Timestamp::clamped(due))
    }

    /// The first minute from `minute` on that is in the day's block.
    fn block_minute(&self, minute: i64) -> Option<i64> {
        let length = self.outcome_minutes.min(MINUTES_A_DAY);
        if length == 0 {
            return None;
        }
        let starts = (self.busiest_minute - length / 2).clamp(0, MINUTES_A_DAY - length);
        let today = minute.div_euclid(MINUTES_A_DAY) * MINUTES_A_DAY + starts;
        Some(if minute < today + length { minute.max(today) } else { today + MINUTES_A_DAY })
    }

    /// The share of a minute's attempts that its incidents let fail, in parts per million.
    pub(crate) fn failing_ppm(&self, clock: &MinuteClock, minute: i64) -> u32 {
        let slice = Interval::new(Timestamp::clamped(minute * MINUTE_MS), Timestamp::clamped((minute + 1) * MINUTE_MS));
        let rest = self.incidents.get(clock.incident..).unwrap_or(&[]);
        let failing: i64 = rest
            .iter()
            .take_while(|incident| incident.interval.from < slice.to)
            .map(|incident| incident.interval.intersect(slice).ms() * i64::from(incident.kind.failing_ppm()))
            .sum();
        u32::try_from(failing / MINUTE_MS).expect("at most one whole")
    }
}

impl StateClock {
    pub(crate) fn new(channel: &Channel) -> Self {
        let mut clock = Self { next: None, incident: 0 };
        let start = channel.active.from;
        clock.next = Some((start, HealthState::Up));
        if let Some(incident) = clock.upcoming(channel).filter(|incident| incident.interval.from == start) {
            clock.next = Some((start, incident.kind.state().unwrap_or(HealthState::Up)));
        }
        clock
    }

    /// Goes on to the next state.
    pub(crate) fn advance(&mut self, channel: &Channel) {
        let Some((last, _)) = self.next else { return };
        self.next = match self.upcoming(channel) {
            Some(incident) if incident.interval.from <= last => {
                let renewed = if incident.kind == IncidentKind::Silent { incident.interval.to } else { last + RENEWAL };
                if renewed < incident.interval.to {
                    incident.kind.state().map(|state| (renewed, state))
                } else {
                    let ended = incident.interval.to;
                    self.incident += 1;
                    let follows = self.upcoming(channel).filter(|next| next.interval.from <= ended);
                    Some((ended, follows.and_then(|next| next.kind.state()).unwrap_or(HealthState::Up)))
                }
            }
            Some(incident) => match channel.scheduled_after(last) {
                Some(at) if at < incident.interval.from => Some((at, HealthState::Up)),
                _ => incident.kind.state().map(|state| (incident.interval.from, state)),
            },
            None => channel.scheduled_after(last).map(|at| (at, HealthState::Up)),
        }
        .filter(|(at, _)| *at < channel.active.to);
    }

    /// The incident that is under way or comes next, of those that show in states.
    fn upcoming<'a>(&mut self, channel: &'a Channel) -> Option<&'a Incident> {
        while let Some(incident) = channel.incidents.get(self.incident) {
            if incident.kind.state().is_some() {
                return Some(incident);
            }
            self.incident += 1;
        }
        None
    }
}

impl MinuteClock {
    pub(crate) fn new(channel: &Channel) -> Self {
        let mut clock = Self { next: Some(channel.active.from.minute()), incident: 0 };
        clock.advance(channel);
        clock
    }

    /// Goes on to the next minute: of the day's block, or of an incident; none while nobody reports.
    pub(crate) fn advance(&mut self, channel: &Channel) {
        let Some(last) = self.next else { return };
        let earliest = last + 1;
        let mut candidate = channel.block_minute(earliest);
        while let Some(incident) = channel.incidents.get(self.incident) {
            let (first, end) = (incident.interval.from.minute(), ceil_minute(incident.interval.to));
            if end <= earliest {
                self.incident += 1;
            } else if incident.kind != IncidentKind::Silent {
                let reported = first.max(earliest);
                candidate = Some(candidate.map_or(reported, |minute| minute.min(reported)));
                break;
            } else if candidate.is_some_and(|minute| minute >= first) {
                candidate = channel.block_minute(end);
                self.incident += 1;
            } else {
                break;
            }
        }
        self.next = candidate.filter(|minute| minute * MINUTE_MS < channel.active.to.ms());
    }
}

fn ceil_minute(at: Timestamp) -> i64 {
    (at.ms() + MINUTE_MS - 1).div_euclid(MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use domain::Asin;
    use domain::time::HOUR_MS;

    use super::*;

    const DAY0: i64 = 20_000 * DAY_MS;

    fn at(ms: i64) -> Timestamp {
        Timestamp::clamped(DAY0 + ms)
    }

    fn channel(heartbeat: Heartbeat, incidents: &[(i64, i64, IncidentKind)]) -> Channel {
        let incident =
            |(from, to, kind): &(i64, i64, IncidentKind)| Incident { interval: Interval::new(at(*from), at(*to)), kind: *kind };
        Channel {
            subject: Subject::product(&Asin::new("B0").expect("an id")),
            region: Region::Na,
            active: Interval::new(at(0), at(3 * DAY_MS)),
            reporters: [0, 0],
            heartbeat,
            duty_from_ms: 2 * HOUR_MS,
            outcome_minutes: 0,
            busiest_minute: 720,
            reports_outcomes: true,
            attempts_peak: 100,
            noise_ppm: 0,
            incidents: incidents.iter().map(incident).collect(),
        }
    }

    /// Every state, in minutes since the start.
    fn states(channel: &Channel) -> Vec<(i64, HealthState)> {
        let mut clock = StateClock::new(channel);
        let mut out = Vec::new();
        while let Some((at, state)) = clock.next {
            out.push(((at.ms() - DAY0) / MINUTE_MS, state));
            clock.advance(channel);
        }
        out
    }

    /// Every counted minute since the start, with the share that fails in percent.
    fn minutes(channel: &Channel) -> Vec<(i64, u32)> {
        let mut clock = MinuteClock::new(channel);
        let mut out = Vec::new();
        while let Some(minute) = clock.next {
            out.push((minute - DAY0 / MINUTE_MS, channel.failing_ppm(&clock, minute) / 10_000));
            clock.advance(channel);
        }
        out
    }

    #[test]
    fn states_are_sent_as_scheduled() {
        use HealthState::Up;
        assert_eq!(states(&channel(Heartbeat::Never, &[])), [(0, Up)]);
        assert_eq!(states(&channel(Heartbeat::Daily, &[])), [(0, Up), (120, Up), (1_560, Up), (3_000, Up)]);
        let always = states(&channel(Heartbeat::Always, &[]));
        assert_eq!(always.len(), 3 * 1_440 / 59 + 1);
        assert!(always.iter().enumerate().all(|(n, (minute, _))| *minute == i64::try_from(n).unwrap() * 59));
        let duty = states(&channel(Heartbeat::Duty, &[]));
        assert_eq!(duty.len(), 1 + 3 * 13);
        assert_eq!(duty[1..4], [(120, Up), (179, Up), (238, Up)]);
        assert_eq!(duty[13..15], [(120 + 12 * 59, Up), (1_440 + 120, Up)]);
    }

    #[test]
    fn incidents_show_in_states_to_the_millisecond_and_are_renewed() {
        use HealthState::{Down, Maintenance, Unknown, Up};
        let minute = MINUTE_MS;
        let check = |incidents: &[(i64, i64, IncidentKind)], expected: &[(i64, HealthState)]| {
            assert_eq!(states(&channel(Heartbeat::Never, incidents)), expected, "{incidents:?}");
        };
        check(&[(30 * minute, 100 * minute, IncidentKind::Down)], &[(0, Up), (30, Down), (89, Down), (100, Up)]);
        check(&[(30 * minute, 200 * minute, IncidentKind::Silent)], &[(0, Up), (30, Unknown), (200, Up)]);
        check(&[(0, 9 * minute, IncidentKind::Maintenance)], &[(0, Maintenance), (9, Up)]);
        check(&[(30 * minute, 100 * minute, IncidentKind::Partial(700_000))], &[(0, Up)]);
        // One after the other without a gap.
        let follow = [(30 * minute, 40 * minute, IncidentKind::Down), (40 * minute, 50 * minute, IncidentKind::Silent)];
        check(&follow, &[(0, Up), (30, Down), (40, Unknown), (50, Up)]);
    }

    #[test]
    fn outcomes_come_from_the_days_block_and_from_incidents() {
        let mut quiet = channel(Heartbeat::Never, &[]);
        quiet.outcome_minutes = 4;
        let counted: Vec<_> = minutes(&quiet).into_iter().map(|(minute, _)| minute).collect();
        assert_eq!(counted, [718, 719, 720, 721, 2_158, 2_159, 2_160, 2_161, 3_598, 3_599, 3_600, 3_601]);

        let half = MINUTE_MS / 2;
        let mut down = channel(Heartbeat::Never, &[(half, 2 * MINUTE_MS + half, IncidentKind::Down)]);
        down.active.to = at(HOUR_MS);
        assert_eq!(minutes(&down), [(1, 100), (2, 50)]);

        let partial = [(10 * MINUTE_MS, 12 * MINUTE_MS, IncidentKind::Partial(700_000))];
        let mut partial = channel(Heartbeat::Never, &partial);
        partial.active.to = at(HOUR_MS);
        assert_eq!(minutes(&partial), [(10, 70), (11, 70)]);
    }

    #[test]
    fn nobody_counts_in_silence() {
        let silent =
            [(719 * MINUTE_MS, 721 * MINUTE_MS, IncidentKind::Silent), (725 * MINUTE_MS, 726 * MINUTE_MS, IncidentKind::Down)];
        let mut silent = channel(Heartbeat::Never, &silent);
        silent.outcome_minutes = 4;
        silent.active.to = at(DAY_MS);
        assert_eq!(minutes(&silent), [(718, 0), (721, 0), (725, 100)]);
    }

    #[test]
    fn a_block_of_the_whole_day_is_every_minute() {
        let mut all = channel(Heartbeat::Never, &[]);
        all.outcome_minutes = MINUTES_A_DAY;
        assert_eq!(minutes(&all).len(), 3 * 1_440 - 1);
    }
}
