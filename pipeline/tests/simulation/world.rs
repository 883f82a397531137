//! The simulated world: time, what is appended from outside, the processes, and people who rule.

use std::collections::BTreeSet;
use std::rc::Rc;

use domain::fact::{Acknowledgement, Exclusion, ExclusionReason, ExclusionRevoked, ExclusionTarget, Ruling, Verdict};
use domain::id::RegionSet;
use domain::interval::Interval;
use domain::time::{DAY_MS, DurationMs, HOUR_MS, MINUTE_MS};
use domain::{Decision, DecisionId, DecisionKind, ExclusionId, Fact, Subject, Timestamp};
use loadtest::dice::Dice;
use loadtest::world::{Parcel, World, settled_after};
use pipeline::Rules;
use ports::{Log, MemoryLogs, RecordSink};

use crate::faults::Disks;
use crate::process::{Process, Shared};

const STEPS: u64 = 77;
const REPLAYS: u64 = 78;
const CUTS: u64 = 79;
/// Most records of the registry's log until a stretch of it is stored.
const STRETCH_RECORDS_MAX: u64 = 40;
/// What people do something about.
const ANSWERED: [DecisionKind; 3] = [DecisionKind::Proposal, DecisionKind::CriticalOutage, DecisionKind::BadgeRemoval];
/// How many of a million removals are excused.
const EXCUSED_PPM: i64 = 350_000;
/// How often people look after the last append.
const ANSWERS_LAST: i64 = 3;
/// How often in a million rounds somebody replays rejected lines while things go on.
const REPLAYED_PPM: i64 = 40_000;
/// Rounds after the last append until nothing more happens.
const ROUNDS_MAX: usize = 60;

/// A simulation under way, or over.
pub(crate) struct Simulation {
    pub(crate) world: World,
    pub(crate) rules: Rc<Rules>,
    pub(crate) logs: MemoryLogs,
    pub(crate) processes: Vec<Process>,
    /// By partition: the number of the process that the group has given it to.
    assigned: Vec<usize>,
    disks: Disks,
    /// Partitions that moved, and those of them that nobody handed over.
    pub(crate) moved: u64,
    pub(crate) seized: u64,
    /// T in the end.
    pub(crate) end: Timestamp,
    dice: Dice,
    /// What decides over replays.
    replays: Dice,
    /// Whatever events are about.
    subjects: Vec<Subject>,
    /// Decisions that somebody has looked at.
    answered: BTreeSet<DecisionId>,
    /// Exclusions that were approved because of a removal, and may be revoked.
    excused: Vec<ExclusionId>,
}

impl Simulation {
    pub(crate) fn new(seed: u64) -> Self {
        let world = World::new(seed);
        let mut dice = Dice::new(seed, STEPS);
        let mut rules = Rules::new(world.policies.clone(), world.partitions);
        rules.cut.records = 1 + Dice::new(seed, CUTS).below(STRETCH_RECORDS_MAX);
        let start = world.deliveries.first().map_or(Timestamp::MIN, |delivery| delivery.at);
        let logs = MemoryLogs::new(world.partitions, start);
        let count = if dice.chance(400_000) { 2 + dice.index(2) } else { 1 };
        let assigned = (0..world.partitions).map(|_| dice.index(count)).collect();
        Self {
            end: start,
            rules: Rc::new(rules),
            logs,
            processes: (0..count).map(Process::new).collect(),
            assigned,
            disks: Disks::default(),
            moved: 0,
            seized: 0,
            dice,
            replays: Dice::new(seed, REPLAYS),
            subjects: subjects(&world),
            world,
            answered: BTreeSet::new(),
            excused: Vec::new(),
        }
    }

    pub(crate) fn run(mut self) -> Self {
        let deliveries = std::mem::take(&mut self.world.deliveries);
        for delivery in &deliveries {
            self.pass_time(delivery.at);
            self.append(&delivery.what);
            self.act();
        }
        let last = deliveries.last().map_or(self.end, |delivery| delivery.at);
        self.finish(last);
        self.world.deliveries = deliveries;
        self
    }

    /// Lets time pass, with ticks on the way.
    fn pass_time(&mut self, to: Timestamp) {
        let from = self.logs.now();
        if (to - from).ms() > HOUR_MS {
            for _ in 0..self.dice.below(3) {
                let at = Timestamp::clamped(self.dice.between(from.ms(), to.ms()));
                self.logs.set_now(at);
                self.tick_logs(500_000);
                self.act();
            }
        }
        self.logs.set_now(to);
        if self.dice.chance(300_000) {
            self.tick_logs(700_000);
        }
    }

    /// Ticks in some of the logs, as idle partitions get them.
    fn tick_logs(&mut self, share: i64) {
        for partition in 0..self.world.partitions {
            if self.dice.chance(share) {
                self.put(Log::Health, partition, wire::tick::TICK);
            }
        }
        if self.dice.chance(share) {
            self.put(Log::Registry, 0, wire::tick::TICK);
        }
    }

    fn append(&mut self, parcel: &Parcel) {
        match parcel {
            Parcel::Fact(fact) => self.put_fact(fact),
            Parcel::Events(events, partition) => {
                let mut lines = Vec::new();
                for event in events {
                    if !lines.is_empty() {
                        lines.push(b'\n');
                    }
                    wire::event::write(&event.as_ref(), &mut lines);
                }
                match partition {
                    Some(partition) => self.put(Log::Health, *partition, &lines),
                    None => {
                        let key = events[0].subject.to_string();
                        self.logs.append(Log::Health, &key, &lines).expect("simulated logs take all");
                    }
                }
            }
        }
    }

    fn put(&mut self, log: Log, partition: u32, payload: &[u8]) {
        self.logs.append_to(log, partition, "", payload).expect("simulated logs take all");
    }

    fn put_fact(&mut self, fact: &Fact) {
        let mut line = Vec::new();
        wire::fact::write(fact, &mut line);
        self.put(Log::Registry, 0, &line);
    }

    /// Some steps of some processes; now and then one crashes.
    fn act(&mut self) {
        for _ in 0..self.dice.below(8) {
            let place = self.dice.index(self.processes.len());
            let assigned = self.assigned_to(place);
            let Self { rules, logs, processes, disks, dice, .. } = self;
            let mut shared = Shared { rules, logs, disks, dice };
            match shared.dice.below(100) {
                0 => processes[place].kill(&mut shared),
                1..3 => processes[place].light(shared.dice),
                3..5 => self.rebalance(place),
                _ => processes[place].act(&assigned, &mut shared),
            }
        }
        if self.dice.chance(200_000) {
            self.answer();
        }
        if self.replays.chance(REPLAYED_PPM) {
            self.replay();
        }
    }

    /// Somebody replays some rejected lines: as they were or repaired, at times again, at times where they don't belong.
    fn replay(&mut self) {
        let rejected = self.logs.records(Log::Rejected);
        for _ in 0..self.replays.below(5) {
            let Some(record) = (!rejected.is_empty()).then(|| self.replays.pick(&rejected)) else { return };
            let view = wire::rejected::read(&record.payload).expect("a rejected line");
            let (source, event) = (view.source, view.payload.expect("simulated lines are text"));
            if source.log != Log::Health.as_str() {
                continue;
            }
            let event = if self.replays.chance(400_000) { self.repaired(event) } else { event };
            let (offset, line) = (source.offset, source.line);
            let replayed = wire::replayed::Replayed { partition: source.partition, offset, line, event: event.into() };
            let strays = self.replays.chance(30_000);
            let to = if strays { self.replays.below_u32(self.world.partitions) } else { source.partition };
            let text = wire::replayed::write(&replayed);
            let lines = if self.replays.chance(250_000) { [&text[..], &text].join(&b'\n') } else { text };
            for _ in 0..=u32::from(self.replays.chance(250_000)) {
                self.put(Log::Health, to, &lines);
            }
        }
    }

    /// An event as it should have been: about something else, or of another time.
    fn repaired(&mut self, line: String) -> String {
        let Ok(parsed) = wire::event::parse(line.as_bytes()) else { return line };
        let mut event = parsed.event().to_owned();
        if self.replays.chance(400_000) && !self.subjects.is_empty() {
            (event.subject, event.reporter, event.seq) = (self.replays.pick(&self.subjects).clone(), None, None);
        } else {
            let before = DurationMs(self.replays.between(0, DAY_MS));
            event.at = self.logs.now().saturating_sub(before);
        }
        let mut out = Vec::new();
        wire::event::write(&event.as_ref(), &mut out);
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    fn assigned_to(&self, process: usize) -> Vec<u32> {
        (0..).zip(&self.assigned).filter(|(_, to)| **to == process).map(|(partition, _)| partition).collect()
    }

    /// The group gives a partition to another process: handed over, or because its owner was taken for dead.
    fn rebalance(&mut self, to: usize) {
        let partition = self.dice.below_u32(self.world.partitions);
        let from = std::mem::replace(&mut self.assigned[partition as usize], to);
        if from == to {
            return;
        }
        self.moved += 1;
        let is_handed_over = self.dice.chance(500_000);
        self.seized += u64::from(!is_handed_over);
        let Self { rules, logs, processes, disks, dice, .. } = self;
        let mut shared = Shared { rules, logs, disks, dice };
        if is_handed_over {
            processes[from].hand_over(partition, &mut shared);
        }
        processes[to].take_over(partition, &mut shared);
    }

    /// People look at what was decided since they last looked, and think again about what they excused.
    fn answer(&mut self) {
        for id in std::mem::take(&mut self.excused) {
            if self.dice.chance(700_000) {
                let (at, by) = (self.logs.now(), "the team".to_owned());
                self.put_fact(&Fact::ExclusionRevoked(ExclusionRevoked { id, at, by }));
            }
        }
        for record in self.logs.records(Log::Decisions) {
            let decision = wire::decision::parse(&record.payload).expect("a decision");
            if !ANSWERED.contains(&decision.kind) || !self.answered.insert(decision.id) {
                continue;
            }
            let answer = match decision.kind {
                DecisionKind::Proposal => self.rule(&decision),
                DecisionKind::CriticalOutage => self.acknowledge(&decision),
                _ => self.excuse(&decision),
            };
            answer.into_iter().for_each(|fact| self.put_fact(&fact));
        }
    }

    fn rule(&mut self, proposal: &Decision) -> Option<Fact> {
        let asin = proposal.asin.clone().filter(|_| self.dice.chance(750_000))?;
        Some(Fact::Ruling(Ruling {
            proposal: proposal.id,
            asin,
            scope: proposal.scope,
            proposed_at: proposal.at,
            at: self.logs.now(),
            verdict: if self.dice.chance(500_000) { Verdict::Confirmed } else { Verdict::Refused },
            by: "the team".to_owned(),
            note: None,
        }))
    }

    fn acknowledge(&mut self, outage: &Decision) -> Option<Fact> {
        let asin = outage.asin.clone().filter(|_| self.dice.chance(500_000))?;
        let at = self.logs.now();
        let (by, cause, expected_fix) = ("the maker".to_owned(), "a simulation".to_owned(), at + DurationMs(DAY_MS));
        Some(Fact::Acknowledgement(Acknowledgement { outage: outage.id, asin, at, by, cause, expected_fix }))
    }

    /// Approves an exclusion of the downtime behind a removal.
    fn excuse(&mut self, removal: &Decision) -> Option<Fact> {
        let asin = removal.asin.as_ref().filter(|_| self.dice.chance(EXCUSED_PPM))?;
        let id = ExclusionId::new(&format!("x-{}", removal.id)).expect("an id");
        self.excused.push(id.clone());
        let from = removal.evidence.window.map_or(removal.at, |window| window.from);
        Some(Fact::Exclusion(Exclusion {
            id,
            target: ExclusionTarget::Subject(Subject::product(asin)),
            regions: RegionSet::ALL,
            interval: Interval::new(from, removal.at + DurationMs(MINUTE_MS)),
            reason: ExclusionReason::Dispute,
            approved_by: "the team".to_owned(),
        }))
    }

    /// Until everything is read, decided and settled.
    fn finish(&mut self, last: Timestamp) {
        for round in 1..=ANSWERS_LAST {
            self.catch_up(last + DurationMs(round * MINUTE_MS));
            self.answer();
            if self.replays.chance(300_000) {
                self.replay();
            }
        }
        let end = self.logs.now() + settled_after(&self.world.policies);
        self.catch_up(end);
        self.end = end;
    }

    fn catch_up(&mut self, to: Timestamp) {
        self.logs.set_now(to);
        self.tick_logs(1_000_000);
        for round in 0.. {
            assert!(round < ROUNDS_MAX, "seed {}: the processes don't come to rest", self.world.seed);
            let mut taken = 0;
            for place in 0..self.processes.len() {
                let assigned = self.assigned_to(place);
                let Self { rules, logs, processes, disks, dice, .. } = self;
                taken += processes[place].catch_up(&assigned, &mut Shared { rules, logs, disks, dice });
            }
            let owners = self.processes.iter().flat_map(|process| process.node().partitions());
            let is_there = owners.clone().count() == self.assigned.len()
                && owners.into_iter().all(|owner| owner.t() == Some(self.logs.now()));
            if taken == 0 && is_there {
                break;
            }
        }
    }
}

fn subjects(world: &World) -> Vec<Subject> {
    let events = world.deliveries.iter().filter_map(|delivery| match &delivery.what {
        Parcel::Events(events, _) => Some(events),
        Parcel::Fact(_) => None,
    });
    events.flatten().map(|event| event.subject.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}
