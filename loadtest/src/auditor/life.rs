//! A scope's life under one version of the policy: followed from phase to phase, as long as the
//! version judges.

use domain::fact::Verdict;
use domain::policy::Enforcement;
use domain::report::{ProbationStanding, Standing};
use domain::{Decision, DecisionKind, Reason, Timestamp, WarningLevel};

use super::calendar::frames;
use super::on::{Breach, On, OnEnd, Refused, Warned, with_usage};
use super::probation::{OffEnd, Phase, off};
use super::rulings::{Ruled, Rulings};
use super::scoped::Scoped;
use super::spans::{Span, Spans};

/// How a scope stands at an instant, with all that carries over.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) state: State,
    /// The start of the last passed probation (R10).
    pub(super) floor: Option<i64>,
}

/// Whether the badge is on.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// It is, and is judged.
    On {
        since: i64,
        /// The warnings that are active before `since`.
        warned: Warned,
        refused: Option<Refused>,
    },
    /// It is, but isn't judged until a breach is ruled on.
    Waiting { breach: Breach, ruling: Option<Ruled> },
    /// It isn't.
    Off { removal: i64, phase: Phase },
}

/// Follows a scope's life as long as the version judges. Appends what is decided, and each time
/// with the badge off: from the removal, whenever that was, to the reinstatement, if by then.
#[derive(Debug)]
pub(super) struct Follower<'a> {
    pub(super) scoped: &'a Scoped<'a>,
    /// Effective downtime globally.
    pub(super) global: &'a Spans,
    pub(super) decisions: &'a mut Vec<Decision>,
    pub(super) removals: &'a mut Vec<Span>,
}

impl Life {
    /// A badge that has just been enabled.
    pub(super) fn fresh(since: i64) -> Self {
        Self { state: State::On { since, warned: Warned::default(), refused: None }, floor: None }
    }

    /// The standing where the badge is held.
    pub(super) fn standing(&self) -> Standing {
        match (&self.state, self.level()) {
            (State::On { .. } | State::Waiting { .. }, None) => Standing::Good,
            (State::On { .. } | State::Waiting { .. }, Some(_)) => Standing::Warned,
            (State::Off { phase: Phase::Unsettled { .. }, .. }, _) => Standing::Removed,
            (State::Off { phase: Phase::Probation { is_held, .. }, .. }, _) => {
                if *is_held {
                    Standing::Held
                } else {
                    Standing::Probation
                }
            }
        }
    }

    /// The highest active warning.
    pub(super) fn level(&self) -> Option<WarningLevel> {
        match &self.state {
            State::On { warned, .. } => warned.level(),
            State::Waiting { breach, .. } => breach.warned.level(),
            State::Off { .. } => None,
        }
    }

    /// How far probation is.
    pub(super) fn probation(&self) -> Option<ProbationStanding> {
        let State::Off { phase: Phase::Probation { started, passed, .. }, .. } = &self.state else { return None };
        Some(ProbationStanding { started: Timestamp::clamped(*started), months_passed: *passed })
    }
}

impl Follower<'_> {
    /// Follows a life to the last instant that the version judges.
    pub(super) fn follow(&mut self, life: Life, rulings: &mut Rulings<'_>) -> Life {
        let Life { mut state, mut floor } = life;
        loop {
            state = match state {
                State::On { since, warned, refused } => {
                    let (scoped, since) = (self.scoped, since.max(self.scoped.from));
                    let on = On { scoped, global: self.global, since, floor, warned, refused };
                    match on.judge(self.decisions) {
                        OnEnd::Breach(breach) => self.breached(breach, rulings),
                        OnEnd::Lasts(warned) => return Life { state: State::On { since, warned, refused }, floor },
                    }
                }
                State::Waiting { breach, ruling } => {
                    match ruling.and_then(|ruling| Some((self.ruled(&breach, ruling, floor)?, ruling))) {
                        Some((next, ruling)) => {
                            rulings.use_up(ruling);
                            next
                        }
                        None => return Life { state: State::Waiting { breach, ruling }, floor },
                    }
                }
                State::Off { removal, phase } => match off(self.scoped, phase, self.decisions) {
                    OffEnd::Reinstated { at, floor: passed } => {
                        self.removals.push(Span { from: removal, to: at });
                        floor = Some(passed);
                        State::On { since: at, warned: Warned::default(), refused: None }
                    }
                    OffEnd::Lasts(phase) => {
                        self.removals.push(Span { from: removal, to: i64::MAX });
                        return Life { state: State::Off { removal, phase }, floor };
                    }
                },
            }
        }
    }

    /// What a breach comes to (R13, R22).
    fn breached(&mut self, breach: Breach, rulings: &mut Rulings<'_>) -> State {
        let ruling = rulings.on(self.scoped.scope, breach.at);
        match (self.scoped.policy.enforcement, ruling) {
            (Enforcement::Automatic, None) => self.removed(&breach, breach.at, breach.at),
            (Enforcement::Automatic, Some(ruled @ Ruled { at, verdict: Verdict::Confirmed, .. })) => {
                rulings.use_up(ruled);
                self.removed(&breach, breach.at, at)
            }
            (Enforcement::Automatic, Some(Ruled { verdict: Verdict::Refused, .. })) => State::Waiting { breach, ruling },
            (Enforcement::Review, ruling) => {
                self.decide(DecisionKind::Proposal, breach.at, &breach);
                State::Waiting { breach, ruling }
            }
        }
    }

    /// What a ruling on a breach comes to, if it acts as long as the version judges.
    fn ruled(&mut self, breach: &Breach, ruling: Ruled, floor: Option<i64>) -> Option<State> {
        match ruling.verdict {
            Verdict::Confirmed => self.scoped.first_held(ruling.at).map(|at| self.removed(breach, at, at)),
            Verdict::Refused if ruling.at <= self.scoped.last => {
                let refused = Some(self.refused(breach, ruling.at, floor));
                Some(State::On { since: ruling.at, warned: breach.warned.clone(), refused })
            }
            Verdict::Refused => None,
        }
    }

    fn removed(&mut self, breach: &Breach, at: i64, not_before: i64) -> State {
        self.decide(DecisionKind::BadgeRemoval, at, breach);
        State::Off { removal: at, phase: Phase::Unsettled { holds: breach.at, not_before, restart: None } }
    }

    /// The larger of what there was at the breach and what there is at the refusal.
    fn refused(&self, breach: &Breach, at: i64, floor: Option<i64>) -> Refused {
        let mut refused = Refused { downtime: breach.usage.downtime, outages: breach.outages };
        for frame in frames(self.scoped.policy, at) {
            let usage = self.scoped.usage(at, frame, floor);
            refused.downtime = refused.downtime.max(usage.downtime);
            refused.outages = refused.outages.max(self.scoped.counted(usage.window, floor, self.global).len());
        }
        refused
    }

    fn decide(&mut self, kind: DecisionKind, at: i64, breach: &Breach) {
        let reasons: Vec<Reason> = breach.reasons.clone();
        self.decisions.push(with_usage(self.scoped.decide(kind, at, reasons), breach.usage));
    }
}
