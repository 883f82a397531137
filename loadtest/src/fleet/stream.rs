//! Events in the order of their arrival: all channels merged by time, some delayed, some sent
//! again, some spoilt. Memory is bounded by the channels and [`PENDING_EVENTS_MAX`].

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use domain::ratio::PPM;
use domain::time::MINUTE_MS;
use domain::{EventBody, EventRef, Timestamp};

use super::cadence::SPLIT_ONE_IN;
use super::channel::{Channel, Heartbeat, MinuteClock, StateClock};
use super::config::FleetConfig;
use super::malformed::MalformedKind;
use super::plan::{ARRIVALS, Plan};
use super::traffic;
use crate::dice::Dice;

/// Most events that are under way at once. When they are reached, further ones arrive on time.
pub const PENDING_EVENTS_MAX: usize = 1 << 20;
/// A duplicate comes at most this many lines after its original, so a reader that remembers the
/// last 64 of a subject and reporter (R5) still knows it.
pub const DUPLICATE_DISTANCE_LINES_MAX: u64 = 32;
/// A duplicate comes after more events of its subject and reporter than a live reader remembers.
const STALE_AFTER_EVENTS: u64 = 64;
/// Longest delay of an event that isn't late, beyond its reporter's own, in milliseconds.
const JITTER_MS: i64 = 2_000;
/// Shortest delay of a late event, in milliseconds.
const LATE_LEAST_MS: i64 = MINUTE_MS;

/// An event as it is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Message {
    /// Index of the channel that it is from.
    pub(crate) channel: u32,
    reporter: u32,
    pub(crate) at: Timestamp,
    body: EventBody,
    seq: Option<u64>,
    /// When it arrives.
    pub(crate) sent_at: Timestamp,
    pub(crate) late: bool,
}

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sent {
    /// An event for the first time.
    First(Message),
    /// The same again.
    Duplicate(Message),
    /// A line to be made wrong from this event.
    Malformed(MalformedKind, Message),
}

#[derive(Debug)]
enum Clock {
    States(StateClock),
    Minutes(MinuteClock),
}

#[derive(Debug)]
struct Source {
    channel: u32,
    clock: Clock,
}

/// Under way: ordered by arrival, then by departure.
#[derive(Debug)]
struct Pending {
    order: u64,
    message: Message,
}

/// Merges a plan's channels.
#[derive(Debug)]
pub(crate) struct Stream<'a> {
    plan: &'a Plan,
    dice: Dice,
    late_ppm: i64,
    lateness_max_ms: i64,
    duplicate_ppm: i64,
    malformed_ppm: i64,
    kinds: Vec<MalformedKind>,
    sources: Vec<Source>,
    /// (next instant, source)
    due: BinaryHeap<Reverse<(i64, u32)>>,
    pending: BinaryHeap<Reverse<Pending>>,
    departed: u64,
    /// The last sequence number of each reporter.
    sequences: Vec<u64>,
    /// (line from which on it may be sent, message); bounded by [`DUPLICATE_DISTANCE_LINES_MAX`].
    echoes: VecDeque<(u64, Message)>,
    lines: u64,
    malformed_credit: i64,
    next_kind: usize,
    last: Option<Message>,
    stale: Option<(u64, Message)>,
    /// Events of each channel that were sent by each of its reporters.
    sent: Vec<[u64; 2]>,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(plan: &'a Plan, config: &FleetConfig) -> Self {
        let mut sources = Vec::new();
        for (channel, index) in plan.channels.iter().zip(0_u32..) {
            sources.push(Source { channel: index, clock: Clock::States(StateClock::new(channel)) });
            if channel.reports_outcomes {
                sources.push(Source { channel: index, clock: Clock::Minutes(MinuteClock::new(channel)) });
            }
        }
        let due =
            sources.iter().zip(0_u32..).filter_map(|(source, index)| Some(Reverse((source.clock.next_ms()?, index)))).collect();
        let kinds = MalformedKind::ALL.into_iter().filter(|kind| config.live_only_rejects || !kind.is_live_only()).collect();
        Self {
            plan,
            dice: Dice::new(config.seed, ARRIVALS),
            late_ppm: config.late_share.get(),
            lateness_max_ms: config.lateness_max.ms(),
            duplicate_ppm: config.duplicate_share.get(),
            malformed_ppm: config.malformed_share.get(),
            kinds,
            sources,
            due,
            pending: BinaryHeap::new(),
            departed: 0,
            sequences: vec![0; plan.reporters.len()],
            echoes: VecDeque::new(),
            lines: 0,
            malformed_credit: 0,
            next_kind: 0,
            last: None,
            stale: None,
            sent: vec![[0; 2]; plan.channels.len()],
        }
    }

    /// The channel of a message.
    pub(crate) fn channel(&self, message: &Message) -> &'a Channel {
        &self.plan.channels[as_index(message.channel)]
    }

    /// A message as an event.
    pub(crate) fn event(&self, message: &Message) -> EventRef<'a> {
        let channel = self.channel(message);
        EventRef {
            subject: channel.subject.as_ref(),
            region: channel.region,
            at: message.at,
            body: message.body,
            reporter: self.plan.reporters[as_index(message.reporter)].id.as_ref().map(domain::ReporterId::as_str),
            seq: message.seq,
        }
    }

    /// What is sent next, in the order of arrival.
    pub(crate) fn next(&mut self) -> Option<Sent> {
        let sent = match self.malformed() {
            Some(sent) => sent,
            None => match self.echo() {
                Some(message) => Sent::Duplicate(message),
                None => Sent::First(self.first()?),
            },
        };
        self.lines += 1;
        self.malformed_credit += self.malformed_ppm;
        Some(sent)
    }

    /// The next event that is sent for the first time.
    fn first(&mut self) -> Option<Message> {
        loop {
            let arrived = self.pending.peek().map(|Reverse(pending)| pending.message.sent_at.ms());
            match (arrived, self.due.peek()) {
                (None, None) => return None,
                (Some(arrived), Some(Reverse((due, _)))) if arrived > *due => self.depart(),
                (None, Some(_)) => self.depart(),
                (Some(_), _) => break,
            }
        }
        let Reverse(Pending { mut message, .. }) = self.pending.pop()?;
        message.seq = self.number(message.reporter);
        let slot = usize::from(self.channel(&message).reporters[0] != message.reporter);
        self.sent[as_index(message.channel)][slot] += 1;
        if message.seq.is_some() {
            if self.dice.chance(self.duplicate_ppm) {
                let from = self.lines + 1 + self.dice.below(DUPLICATE_DISTANCE_LINES_MAX / 2);
                self.echoes.push_back((from, message));
            }
            self.last = Some(message);
            // Only a busy channel gets beyond what is remembered.
            if self.stale.is_none() && self.channel(&message).heartbeat == Heartbeat::Always {
                self.stale = Some((self.sent[as_index(message.channel)][slot], message));
            }
        }
        Some(message)
    }

    /// Draws the next event of the source that is due, and when it arrives.
    fn depart(&mut self) {
        let Some(mut top) = self.due.peek_mut() else { return };
        let source = &mut self.sources[as_index(top.0.1)];
        let (index, channel) = (source.channel, &self.plan.channels[as_index(source.channel)]);
        let mut parts: [Option<(Timestamp, EventBody, u32)>; 2] = [None, None];
        match &mut source.clock {
            Clock::States(clock) => {
                parts[0] = clock.next.map(|(at, state)| (at, EventBody::State(state), channel.reporters[0]));
                clock.advance(channel);
            }
            Clock::Minutes(clock) => {
                let minute = clock.next.unwrap_or_default();
                let failing = channel.failing_ppm(clock, minute);
                let (ok, failed) = traffic::counts(channel, minute, failing, &mut self.dice);
                let within = self.dice.between(0, MINUTE_MS - 1);
                let at = Timestamp::clamped(minute * MINUTE_MS + within);
                if self.dice.between(1, SPLIT_ONE_IN) == 1 {
                    let [first, second] = traffic::split(ok, failed, &mut self.dice);
                    parts = [Some((at, first, channel.reporters[0])), Some((at, second, channel.reporters[1]))];
                } else {
                    let reporter = *self.dice.pick(&channel.reporters);
                    parts[0] = Some((at, EventBody::Outcome { ok, failed }, reporter));
                }
                clock.advance(channel);
            }
        }
        match source.clock.next_ms() {
            Some(next) => {
                top.0.0 = next;
                drop(top);
            }
            None => {
                std::collections::binary_heap::PeekMut::pop(top);
            }
        }
        for (at, body, reporter) in parts.into_iter().flatten() {
            self.send(index, reporter, at, body);
        }
    }

    fn send(&mut self, channel: u32, reporter: u32, at: Timestamp, body: EventBody) {
        let late = self.dice.chance(self.late_ppm) && self.pending.len() < PENDING_EVENTS_MAX;
        let own = self.plan.reporters[as_index(reporter)].delay_ms;
        let delay = if late { self.lateness() } else { own + self.dice.between(0, JITTER_MS) };
        let sent_at = Timestamp::clamped(at.ms() + delay);
        let message = Message { channel, reporter, at, body, seq: None, sent_at, late };
        self.pending.push(Reverse(Pending { order: self.departed, message }));
        self.departed += 1;
    }

    /// From a minute up to the latest allowed; each doubling is as likely as the one before.
    fn lateness(&mut self) -> i64 {
        let doublings = i64::from((self.lateness_max_ms / LATE_LEAST_MS).ilog2());
        let least = LATE_LEAST_MS << self.dice.between(0, doublings);
        self.dice.between(least, 2 * least - 1).min(self.lateness_max_ms)
    }

    fn number(&mut self, reporter: u32) -> Option<u64> {
        let reporter = as_index(reporter);
        self.plan.reporters[reporter].numbered.then(|| {
            self.sequences[reporter] += 1;
            self.sequences[reporter]
        })
    }

    /// A duplicate whose turn has come, or any when nothing else is left to send.
    fn echo(&mut self) -> Option<Message> {
        let nothing_else = self.pending.is_empty() && self.due.is_empty();
        let (from, _) = self.echoes.front()?;
        if *from <= self.lines || nothing_else { self.echoes.pop_front().map(|(_, message)| message) } else { None }
    }

    /// A malformed line, when enough right ones have gone before.
    fn malformed(&mut self) -> Option<Sent> {
        if self.malformed_credit < PPM {
            return None;
        }
        let mut base = self.last?;
        let mut kind = self.kinds[self.next_kind];
        self.next_kind = (self.next_kind + 1) % self.kinds.len();
        if kind == MalformedKind::StaleDuplicate {
            match self.stale.filter(|(since, message)| self.is_stale(*since, message)) {
                Some((_, message)) => {
                    base = message;
                    self.stale = None;
                }
                None => kind = MalformedKind::Truncated,
            }
        } else if kind != MalformedKind::ConflictingDuplicate {
            base.seq = self.number(base.reporter);
        }
        self.malformed_credit -= PPM;
        Some(Sent::Malformed(kind, base))
    }

    fn is_stale(&self, since: u64, message: &Message) -> bool {
        let slot = usize::from(self.channel(message).reporters[0] != message.reporter);
        self.sent[as_index(message.channel)][slot] > since + STALE_AFTER_EVENTS
    }
}

impl Clock {
    fn next_ms(&self) -> Option<i64> {
        match self {
            Self::States(clock) => clock.next.map(|(at, _)| at.ms()),
            Self::Minutes(clock) => clock.next.map(|minute| minute * MINUTE_MS),
        }
    }
}

impl Pending {
    fn key(&self) -> (Timestamp, u64) {
        (self.message.sent_at, self.order)
    }
}

impl PartialEq for Pending {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Pending {}

impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pending {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

fn as_index(number: u32) -> usize {
    usize::try_from(number).expect("32 bits fit")
}
