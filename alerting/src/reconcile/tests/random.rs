//! Whatever becomes implied, in whatever order: the log stays sound and comes to say what is implied.

use domain::decision::{Decision, DecisionKind, Evidence, Issuer, Reason, Scope, WarningCause, WarningLevel};
use domain::fact::{KillSwitch, Ruling, Verdict};
use domain::id::{Asin, ManufacturerId, Region};
use domain::policy::Policies;
use domain::time::{DAY_MS, DurationMs, HOUR_MS, Timestamp};
use proptest::prelude::*;

use super::story::{at, policies, ruling};
use crate::brakes::Brakes;
use crate::id::{About, in_order};
use crate::reconcile::{Context, Issued, reconcile};
use loadtest::record::{effective, said};

const SCOPES: [Scope; 2] = [Scope::Global, Scope::Region(Region::Eu)];
const MONTH_HOURS: i64 = 30 * 24;

/// One good → removed → reinstated arc; lengths in hours.
#[derive(Clone, Debug)]
struct Arc {
    is_there: bool,
    good: i64,
    reasons: Vec<Reason>,
    run: i64,
    /// Each month passes, or breaks after so many hours.
    months: Vec<Option<i64>>,
    held: Option<i64>,
    is_open: bool,
}

/// How the world changes, and by how many hours T moves on.
#[derive(Clone, Debug)]
struct Change {
    hours: i64,
    scope: usize,
    place: usize,
    arc: Arc,
}

fn arc() -> impl Strategy<Value = Arc> {
    let reasons = prop::sample::select(vec![vec![Reason::Budget], vec![Reason::Outages], vec![Reason::Budget, Reason::Outages]]);
    let month = prop_oneof![3 => Just(None), 1 => (1..MONTH_HOURS).prop_map(Some)];
    (
        prop::bool::weighted(0.8),
        1..1_500_i64,
        reasons,
        0..40_i64,
        prop::collection::vec(month, 0..4),
        prop::option::weighted(0.2, 1..200_i64),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(is_there, good, reasons, run, months, held, is_open)| Arc {
            is_there,
            good,
            reasons,
            run,
            months,
            held,
            is_open,
        })
}

fn change() -> impl Strategy<Value = Change> {
    let hours = prop_oneof![Just(0_i64), 1..30_i64, 1..3_000_i64];
    (hours, 0..SCOPES.len(), 0..4_usize, arc()).prop_map(|(hours, scope, place, arc)| Change { hours, scope, place, arc })
}

fn world() -> impl Strategy<Value = Vec<Vec<Arc>>> {
    prop::collection::vec(prop::collection::vec(arc(), 4), SCOPES.len())
}

/// What a world implies, at any T; in review with a proposal some time before each removal.
fn implied(world: &[Vec<Arc>], in_review: bool, policies: &Policies) -> Vec<Decision> {
    let mut out = Vec::new();
    for (&scope, arcs) in SCOPES.iter().zip(world) {
        let about = About { asin: Asin::new("B1"), manufacturer: ManufacturerId::new("m-1").expect("an id"), scope };
        let mut now = at("2025-01-01T00:00");
        let mut decide = |kind, reasons, at: Timestamp, month| {
            let evidence = Evidence { month, ..Evidence::new(policies.at(at).name.clone()) };
            out.push(about.decide(kind, reasons, at, evidence));
        };
        for arc in arcs.iter().filter(|arc| arc.is_there) {
            now = now + hours(arc.good);
            let watch = Reason::Warning(WarningLevel::Watch, WarningCause::Budget);
            decide(DecisionKind::Warning, vec![watch], now.saturating_sub(hours(arc.good / 2)), None);
            if in_review {
                decide(DecisionKind::Proposal, arc.reasons.clone(), now.saturating_sub(hours(arc.good / 3)), None);
            }
            decide(DecisionKind::BadgeRemoval, arc.reasons.clone(), now, None);
            now = now + hours(arc.run);
            decide(DecisionKind::ProbationStarted, Vec::new(), now, None);
            let mut number = 0;
            for month in &arc.months {
                now = now + hours(month.unwrap_or(MONTH_HOURS));
                number = if month.is_some() { 0 } else { number + 1 };
                match month {
                    Some(_) => decide(DecisionKind::ProbationRestarted, vec![Reason::Budget], now, None),
                    None => decide(DecisionKind::ProbationMonthPassed, Vec::new(), now, Some(number)),
                }
            }
            if let Some(held) = arc.held {
                decide(DecisionKind::ReinstatementHeld, vec![Reason::Coverage], now, None);
                now = now + hours(held);
            }
            if arc.is_open {
                break;
            }
            now = now + hours(1);
            decide(DecisionKind::Reinstatement, Vec::new(), now, None);
        }
    }
    in_order(&mut out);
    out
}

fn hours(hours: i64) -> DurationMs {
    DurationMs(hours * HOUR_MS)
}

/// A product's log as it grows.
struct Live {
    policies: Policies,
    in_review: bool,
    t: Timestamp,
    issued: Issued,
    log: Vec<Decision>,
    turns: Vec<KillSwitch>,
    rulings: Vec<Ruling>,
    brakes: Brakes,
}

impl Live {
    fn new(in_review: bool) -> Self {
        let policies = policies(&[]);
        let brakes = Brakes::new(Vec::new(), &policies);
        let (issued, log, turns, rulings) = (Issued::default(), Vec::new(), Vec::new(), Vec::new());
        Self { policies, in_review, t: at("2025-01-01T00:00"), issued, log, turns, rulings, brakes }
    }

    fn reconcile(&mut self, implied: &[Decision]) -> Vec<Decision> {
        let Self { policies, t, issued, rulings, brakes, .. } = self;
        reconcile(
            issued,
            implied,
            Context {
                t: *t,
                policies,
                rulings,
                brakes,
                by: Issuer::Partition(0),
                next_seq: issued.total() as u64 + 1,
                complete_from: Timestamp::MIN,
                inputs: &[],
            },
        )
    }

    /// Reconciles at T; what is wrong with the log is said.
    fn step(&mut self, world: &[Vec<Arc>]) -> Result<(), TestCaseError> {
        let mut implied = implied(world, self.in_review, &self.policies);
        implied.retain(|decision| decision.at <= self.t);
        let now = self.reconcile(&implied);
        for decision in now {
            prop_assert!(!self.log.iter().any(|other| other.id == decision.id), "a second {}", decision.id);
            self.issued.push(decision.clone());
            self.log.push(decision);
        }
        prop_assert_eq!(self.reconcile(&implied), vec![], "nothing is left");
        prop_assert_eq!(&Issued::replay(self.log.iter().cloned()), &self.issued);
        prop_assert_eq!(&Brakes::replay(self.turns.clone(), &self.policies, self.log.iter()), &self.brakes);
        let settled = implied.iter().all(|decision| decision.at + DurationMs(DAY_MS) <= self.t);
        if settled && self.turns.is_empty() && !self.in_review {
            prop_assert_eq!(effective(&self.log), said(&implied));
        }
        Ok(())
    }

    fn turn(&mut self, on: bool) {
        self.turns.push(KillSwitch { on, at: self.t, by: "ops".to_owned(), reason: "a test".to_owned() });
        self.brakes.turn(self.turns.clone());
    }

    /// Rules on the first proposal that nobody has ruled on.
    fn rule(&mut self, verdict: Verdict) {
        let is_ruled = |proposal: &Decision| self.rulings.iter().any(|ruling| ruling.proposal == proposal.id);
        let open = self.log.iter().find(|decision| decision.kind == DecisionKind::Proposal && !is_ruled(decision));
        let next = open.map(|proposal| ruling(proposal, verdict, self.t));
        self.rulings.extend(next);
    }
}

proptest! {
    #[test]
    fn the_log_comes_to_say_what_is_implied(mut world in world(), changes in prop::collection::vec(change(), 1..12)) {
        let mut live = Live::new(false);
        for change in changes {
            live.t = live.t + hours(change.hours);
            live.step(&world)?;
            world[change.scope][change.place] = change.arc;
            live.step(&world)?;
        }
        live.t = live.t + hours(24 * 3_000);
        live.step(&world)?;
    }

    #[test]
    fn brakes_hold_back_what_nobody_confirmed(
        mut world in world(),
        changes in prop::collection::vec((change(), 0..4_usize), 1..12),
    ) {
        let mut live = Live::new(false);
        for (change, act) in changes {
            live.t = live.t + hours(change.hours);
            match act {
                0 => live.turn(true),
                1 => live.turn(false),
                2 => live.rule(Verdict::Confirmed),
                _ => world[change.scope][change.place] = change.arc,
            }
            let before = live.log.len();
            live.step(&world)?;
            if live.brakes.is_on(live.t) {
                for removal in live.log[before..].iter().filter(|decision| decision.kind == DecisionKind::BadgeRemoval) {
                    prop_assert!(live.rulings.iter().any(|ruling| ruling.scope == removal.scope && removal.at <= ruling.at));
                }
            }
        }
        // With the switch off and every proposal confirmed, the log says what is implied.
        live.t = live.t + hours(24 * 3_000);
        live.turn(false);
        for _ in 0..live.log.len() + 8 {
            live.rule(Verdict::Confirmed);
            live.step(&world)?;
        }
        let in_force = effective(&live.log);
        let implied = said(&implied(&world, false, &live.policies));
        let decided = in_force.into_iter().filter(|decision| decision.kind != DecisionKind::Proposal).collect::<Vec<_>>();
        prop_assert_eq!(decided, implied);
    }

    /// The worlds don't heed rulings, so nothing is said here of what comes out.
    #[test]
    fn the_log_stays_sound_whatever_is_proposed_and_ruled(
        in_review: bool,
        mut world in world(),
        changes in prop::collection::vec((change(), 0..6_usize), 1..12),
    ) {
        let mut live = Live::new(in_review);
        for (change, act) in changes {
            live.t = live.t + hours(change.hours);
            match act {
                0 => live.turn(true),
                1 => live.turn(false),
                2 => live.rule(Verdict::Confirmed),
                3 => live.rule(Verdict::Refused),
                _ => world[change.scope][change.place] = change.arc,
            }
            live.step(&world)?;
            let _sound = effective(&live.log);
        }
    }
}
