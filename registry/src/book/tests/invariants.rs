//! What holds of every history, whatever happens in whatever order.

use std::cell::RefCell;
use std::collections::BTreeMap;

use domain::fact::Fact;
use domain::id::{Asin, CommandId, ManufacturerId, RegionSet};
use domain::programme::{Action, Command, Entity, Entry};
use domain::time::{DurationMs, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::stage::{Stage, WINDOW, day};
use crate::book::{Book, Place};
use crate::ledger::Refusal;
use crate::register::Register;
use issuer::{Issuer, Regions};
use moves::{Move, What};

mod checks;
mod issuer;
mod moves;

/// Histories that are tried.
const CASES: u32 = 256;

/// What must have been reached so often by all of them, so that what holds isn't held of nothing.
const REACHED: &[(&str, u32)] = &[
    ("a badge gained a marketplace", 5),
    ("a command came again", 100),
    ("badge amendment removed", 5),
    ("badge badge_removal removed", 50),
    ("badge badge_withdrawn withdrawn", 1),
    ("badge count_customers enabled", 3),
    ("badge flagged enabled", 20),
    ("badge go_live enabled", 50),
    ("badge reinstatement enabled", 20),
    ("badge reversal enabled", 20),
    ("badge reversal removed", 3),
    ("badge unflagged enabled", 5),
    ("badge withdraw_badge withdrawn", 1),
    ("badge_request approve_badge_request pending", 5),
    ("badge_request go_live enabled", 50),
    ("badge_request reject_badge_request rejected", 10),
    ("certification approve_certification approved", 50),
    ("certification fail_certification failed", 1),
    ("certification reject_certification rejected", 20),
    ("certification test_again draft", 1),
    ("dispute decline_dispute declined", 1),
    ("dispute uphold_dispute upheld", 2),
    ("exclusion approve_exclusion approved", 5),
    ("exclusion decline_exclusion declined", 2),
    ("exclusion exclusion_revoked revoked", 5),
    ("exclusion revoke_exclusion revoked", 5),
    ("kill_switch turn_kill_switch off", 5),
    ("kill_switch turn_kill_switch on", 5),
    ("manufacturer suspension suspended", 50),
    ("manufacturer suspension_lifted registered", 20),
    ("outage acknowledge_outage acknowledged", 2),
    ("product describe_product missing_information", 1),
    ("proposal confirm_proposal confirmed", 1),
    ("proposal refuse_proposal refused", 1),
    ("proposal reversal reversed", 5),
    ("refused by at", 50),
    ("refused by badge", 20),
    ("refused by certification", 100),
    ("refused by order", 20),
    ("refused by revision", 50),
    ("refused by status", 100),
    ("refused by suspension", 10),
];

/// A register, and what its log says.
struct World {
    register: Register,
    now: Timestamp,
    /// Whether records name their append time.
    is_recorded: bool,
    /// Whether decisions are without rhyme or reason.
    is_mad: bool,
    position: u64,
    issuer: Issuer,
    log: Vec<Happened>,
    naive: checks::Naive,
}

/// What the log says next, and what became of it.
#[derive(Clone, Debug)]
enum Happened {
    /// Time passed.
    Passed(Place, Timestamp, Vec<Fact>),
    /// A line was added.
    Line(Box<Line>),
}

/// A line, its record, and what became of it.
#[derive(Clone, Debug)]
struct Line {
    place: Place,
    entry: Entry,
    result: Result<Option<Fact>, Refusal>,
}

impl World {
    fn new(start: u8, is_recorded: bool, is_mad: bool) -> Self {
        let stage = match start % 4 {
            0 => None,
            1 | 2 => Some(Stage::certified()),
            _ => Some(Stage::badged()),
        };
        let mut world = Self {
            register: Register::new(WINDOW),
            now: day(0),
            is_recorded,
            is_mad,
            position: 0,
            issuer: Issuer::default(),
            log: Vec::new(),
            naive: checks::Naive::default(),
        };
        for (now, entry) in stage.into_iter().flat_map(|stage| stage.lines) {
            world.now = now;
            world.pass();
            world.line(entry);
            world.pass();
        }
        world
    }

    fn go_on(&mut self, step: Move) {
        self.now = self.now + DurationMs(step.later_ms);
        self.pass();
        if let Some(entry) = self.entry(step) {
            self.line(entry);
            self.pass();
        }
    }

    fn entry(&mut self, step: Move) -> Option<Entry> {
        let book = self.register.book();
        let (pick, now) = (step.pick, self.now);
        let action = match step.what {
            What::Certify => moves::certify(book, pick),
            What::Request => match moves::ask(book, pick, now) {
                Ok(action) => action,
                Err(fact) => return Some(Entry::Fact(*fact)),
            },
            What::Excuse => moves::excuse(book, pick, now),
            What::Anything => moves::anything(book, pick, now),
            What::Catalogue => return moves::catalogue(book, pick, now).map(Entry::Fact),
            What::Fact => return Some(Entry::Fact(moves::fact(pick, now))),
            What::Again => return self.again(pick),
            What::Decide => return self.decision(pick).map(Entry::Issued),
            What::Switch => {
                self.issuer.switch();
                return None;
            }
            What::Pass => return None,
        };
        Some(Entry::Command(Box::new(self.command(step, action))))
    }

    fn command(&self, step: Move, action: Action) -> Command {
        let revision = self.register.book().entity(&action.entity()).map_or(0, |entity| entity.trail().revision());
        let expects = step.expects.map(|differs| revision.saturating_add_signed(i64::from(differs)));
        let id = CommandId::new(&format!("k-{}", self.position)).expect("an id");
        Command { id, at: Timestamp::clamped(self.now.ms() - step.back_ms), by: "ada".to_owned(), expects, action }
    }

    /// A command that came before, perhaps by somebody else.
    fn again(&self, pick: [u8; 4]) -> Option<Entry> {
        let commands = self.log.iter().filter_map(|happened| match happened {
            Happened::Line(line) => match &line.entry {
                Entry::Command(command) => Some(&**command),
                _ => None,
            },
            Happened::Passed(..) => None,
        });
        let commands: Vec<&Command> = commands.collect();
        let place = usize::from(pick[0]).checked_rem(commands.len())?;
        let mut command = commands[commands.len() - 1 - place].clone();
        if pick[1].is_multiple_of(4) {
            command.by = "bob".to_owned();
        }
        Some(Entry::Command(Box::new(command)))
    }

    fn decision(&mut self, pick: [u8; 4]) -> Option<domain::programme::IssuedNote> {
        if self.is_mad {
            let number = self.issuer.next_number();
            return Some(moves::nonsense(number, pick, self.now));
        }
        let badges = shown(self.register.book());
        let (registry, _) = self.register.resolve();
        self.issuer.decide(pick, self.now, &badges, &Regions(&registry))
    }

    fn pass(&mut self) {
        let (place, now) = (self.place(), self.now);
        let before = self.register.clone();
        let facts = self.register.pass(place, now);
        self.note(&before, Happened::Passed(place, now, facts));
    }

    fn line(&mut self, entry: Entry) {
        let place = self.place();
        let before = self.register.clone();
        let result = self.register.add(place, entry.clone());
        self.note(&before, Happened::Line(Box::new(Line { place, entry, result })));
    }

    fn note(&mut self, before: &Register, happened: Happened) {
        self.naive.note(before, &self.register, &happened);
        checks::check(before, self, &happened);
        self.log.push(happened);
    }

    fn place(&mut self) -> Place {
        self.position += 1;
        Place { position: self.position, recorded_at: self.is_recorded.then_some(self.now) }
    }
}

/// Badges that weren't given back, with their manufacturers and regions.
fn shown(book: &Book) -> Vec<(Asin, ManufacturerId, RegionSet)> {
    let shown = book.badges.values().filter(|badge| badge.withdrawn_at.is_none());
    shown.map(|badge| (badge.asin.clone(), badge.terms.manufacturer.clone(), badge.terms.regions())).collect()
}

/// A log read once more, with time going in one leap or in several.
fn replayed(log: &[Happened], leaps: i64) -> Register {
    let mut register = Register::new(WINDOW);
    let mut before = Timestamp::MIN;
    for happened in log {
        match happened {
            Happened::Passed(place, now, _) => {
                let from = before.max(day(0)).ms();
                for leap in 1..=leaps {
                    let now = Timestamp::clamped(from + (now.ms() - from) * leap / leaps);
                    register.pass(Place { recorded_at: place.recorded_at.map(|_| now), ..*place }, now);
                }
                before = *now;
            }
            Happened::Line(line) => drop(register.add(line.place, line.entry.clone())),
        }
    }
    register
}

/// Everything that is known, but for the records at which time did something.
fn timeless(register: &Register) -> Vec<Entity> {
    let book = register.book();
    let mut entities: Vec<Entity> = book.ids().filter_map(|id| book.entity(&id)).collect();
    for entity in &mut entities {
        let trail = match entity {
            Entity::Badge(entity) => &mut entity.trail,
            Entity::BadgeRequest(entity) => &mut entity.trail,
            _ => continue,
        };
        for step in trail.steps.iter_mut().filter(|step| step.command.is_none()) {
            (step.position, step.recorded_at) = (0, None);
        }
    }
    entities
}

fn try_one(start: u8, (is_recorded, is_mad): (bool, bool), steps: &[Move], reached: &RefCell<BTreeMap<String, u32>>) {
    let mut world = World::new(start, is_recorded, is_mad);
    steps.iter().for_each(|step| world.go_on(*step));
    assert_eq!(replayed(&world.log, 1), world.register, "read once more");
    let in_steps = replayed(&world.log, 5);
    assert_eq!(timeless(&in_steps), timeless(&world.register), "time in several steps");
    assert_eq!(in_steps.resolve().0, world.register.resolve().0, "time in several steps");
    let mut reached = reached.borrow_mut();
    for (what, times) in world.naive.reached {
        *reached.entry(what).or_default() += times;
    }
}

#[test]
fn every_history_holds() {
    let reached = RefCell::new(BTreeMap::new());
    let config = ProptestConfig { cases: CASES, ..ProptestConfig::with_source_file(file!()) };
    let histories = (any::<u8>(), (any::<bool>(), prop::bool::weighted(0.2)), moves::moves());
    let tried = TestRunner::new(config).run(&histories, |(start, kind, steps)| {
        try_one(start, kind, &steps, &reached);
        Ok(())
    });
    if let Err(failed) = tried {
        panic!("{failed}");
    }
    let reached = reached.into_inner();
    let seldom: Vec<_> =
        REACHED.iter().filter(|(what, least)| reached.get(*what).copied().unwrap_or_default() < *least).collect();
    assert!(seldom.is_empty(), "reached too seldom: {seldom:?} of {reached:#?}");
}
