//! A product's life, followed from instant to instant and remembered on the way.
//!
//! What is implied at T is a function of evidence and facts up to T (R19), and folding a whole
//! life says it. A [`Life`] gives the same without the whole: it remembers where the fold stood
//! at a few instants, each with the instant up to which evidence led there. When
//! something changes, memos that depend on it are dropped, and the fold goes on from the last one
//! left. Nothing of what lies in or after the minute that holds T is remembered: it may change
//! by time alone.

use domain::decision::{Decision, Scope};
use domain::interval::IntervalSet;
use domain::life::{Phase, Removal, State};
use domain::policy::Policies;
use domain::time::{DurationMs, MINUTE_MS, Timestamp};

use crate::case::{Case, Judgement, enabled_at, scopes};
use crate::fold::{Fold, Trail, standing_of};
use crate::scope::{ScopeCase, TICK};
use crate::suspension;

mod due;
mod memos;
mod outlook;
mod parts;
mod switch;

pub use memos::MEMOS_MAX;
use memos::Memo;
pub use outlook::{Badge, Outlook, outlook};

/// What a warning or a standing looks back at, at most, apart from its window (R12).
const LOOK_BACK: DurationMs = DurationMs::days(30);
/// The longest window that a date gives.
const YEAR: DurationMs = DurationMs::days(366);

/// The life of one product, in every scope.
#[derive(Clone, Debug)]
pub struct Life {
    /// In order of time; the first one is frozen (R24) and never dropped.
    memos: Vec<Memo>,
    trail: Trail,
    /// How many rulings acted when it was last judged.
    rulings: usize,
    /// The latest evidence that was announced.
    ahead: Timestamp,
    due: Timestamp,
}

impl Default for Life {
    fn default() -> Self {
        Self::new()
    }
}

impl Life {
    /// A life of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self { memos: vec![Memo::default()], trail: Trail::default(), rulings: 0, ahead: Timestamp::MIN, due: Timestamp::MIN }
    }

    /// Follows the life up to T, to which the case's evidence was brought. Evidence or facts that
    /// changed since the last time were named by [`Self::invalidate`].
    pub fn advance(&mut self, case: &Case<'_>, until: Timestamp) -> Judgement {
        let acting = case.rulings.iter().filter(|ruling| ruling.at <= until).count();
        let settled = until.floor_minute();
        if acting != self.rulings {
            // A ruling acts on its breach, which may lie long before it: seldom, and by hand.
            self.rulings = acting;
            self.memos.truncate(1);
        }
        self.invalidate_memos(settled);
        let mut tip = self.resume();
        for stop in memos::stops(tip.next, settled) {
            tip.go_on(case, until, stop, &mut self.trail);
            tip.decisions = self.trail.decisions.len();
            tip.removals = self.trail.removals.len();
            if tip.depends_until <= settled {
                memos::remember(&mut self.memos, tip.clone(), until);
            }
        }
        tip.go_on(case, until, until, &mut self.trail);
        self.due = self.due_after(case, &tip, until);
        let standings = tip.scopes(case, until).map(|(scope, state)| standing_of(&scope, state)).collect();
        Judgement { standings, removed: self.removed(case, &tip) }
    }

    /// The decisions dated up to T, scope by scope in order of time; without those that were frozen
    /// and whose episode is over.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        &self.trail.decisions
    }

    /// From which instant on [`Self::decisions`] are complete; those dated earlier are frozen.
    #[must_use]
    pub fn complete_from(&self) -> Timestamp {
        self.memos[0].next
    }

    /// The earliest instant at which time alone may change standing or decisions: until then there
    /// is nothing to do for it but for new evidence and facts. Evidence that is there already, but
    /// counts later only, has to be named by [`Self::expect`].
    #[must_use]
    pub const fn next_due(&self) -> Timestamp {
        self.due
    }

    /// Forgets what depends on evidence at or after an instant, or on facts that act from then on.
    /// What was frozen stays (R24).
    pub fn invalidate(&mut self, from: Timestamp) {
        self.invalidate_memos(from);
    }

    /// Notes that there is evidence at an instant: if it lies ahead of T, or in a minute that hasn't
    /// ended by then, it counts later.
    pub fn expect(&mut self, at: Timestamp) {
        self.ahead = self.ahead.max(at);
    }

    /// Freezes the life before an instant (R24), which must lie before the minute of `until`, the T
    /// up to which the life was followed with the same case. Decisions of episodes that were over by then are forgotten.
    pub fn freeze(&mut self, case: &Case<'_>, at: Timestamp, until: Timestamp) {
        let last = self.memos.iter().rposition(|memo| memo.depends_until <= at && memo.next <= at).unwrap_or(0);
        self.memos.drain(..last);
        let mut frozen = self.memos[0].clone();
        if frozen.next < at {
            let mut trail = Trail::default();
            frozen.go_on(case, until, at.saturating_sub(TICK), &mut trail);
            if frozen.depends_until <= at {
                self.adopt(frozen, &trail);
            }
        }
        self.forget_decisions();
    }

    /// Takes a memo, and what it left behind since the first one, for the first one. Later memos that
    /// still wait for what it has seen are dropped.
    fn adopt(&mut self, mut frozen: Memo, since: &Trail) {
        let (decisions, removals) = (frozen.decisions, frozen.removals);
        let is_decided = |one: &Decision| since.decisions.iter().any(|decision| decision.id == one.id);
        let is_removed = |one: &Removal| since.removals.contains(one);
        let trail = &self.trail;
        self.memos.retain(|memo| {
            let decided = trail.decisions[decisions..memo.decisions].iter().filter(|one| is_decided(one));
            let removed = trail.removals[removals..memo.removals].iter().filter(|one| is_removed(one));
            decided.count() == since.decisions.len() && removed.count() == since.removals.len() && memo.next > frozen.next
        });
        // Scope by scope they may have come later than what only the next memos hold.
        self.trail.decisions[decisions..].sort_by_key(|one| !is_decided(one));
        self.trail.removals[removals..].sort_by_key(|one| !is_removed(one));
        frozen.decisions += since.decisions.len();
        frozen.removals += since.removals.len();
        self.memos.insert(0, frozen);
    }

    /// The earliest instant of evidence that following this life may still look at.
    #[must_use]
    pub fn needs_from(&self, policies: &Policies) -> Timestamp {
        self.memos[0].needs_from(policies)
    }

    fn invalidate_memos(&mut self, from: Timestamp) {
        let kept = self.memos.iter().rposition(|memo| memo.depends_until <= from).unwrap_or(0);
        self.memos.truncate(kept + 1);
    }

    /// Goes back to the last memo.
    fn resume(&mut self) -> Memo {
        let tip = self.memos.last().cloned().unwrap_or_default();
        self.trail.decisions.truncate(tip.decisions);
        self.trail.removals.truncate(tip.removals);
        tip
    }

    fn forget_decisions(&mut self) {
        let frozen = &self.memos[0];
        let is_open = |decision: &Decision| {
            frozen.lanes.iter().any(|state| state.scope == decision.scope && state.removed_at.is_some_and(|at| at <= decision.at))
        };
        let mut place = 0;
        let before = self.trail.decisions.len();
        self.trail.decisions.retain(|decision| {
            place += 1;
            place > frozen.decisions || is_open(decision)
        });
        let forgotten = before - self.trail.decisions.len();
        self.memos.iter_mut().for_each(|memo| memo.decisions -= forgotten);
    }

    /// All removals so far, as they count for suspensions (R16).
    fn removed(&self, case: &Case<'_>, tip: &Memo) -> Vec<(Scope, IntervalSet)> {
        let open = tip.lanes.iter().filter_map(|state| state.removal(Timestamp::MAX));
        suspension::counted(case.policies, case.product, self.trail.removals.iter().copied().chain(open))
    }
}

impl Memo {
    /// Lets all lives go on up to `limit`, as evidence up to T says.
    fn go_on(&mut self, case: &Case<'_>, until: Timestamp, limit: Timestamp, trail: &mut Trail) {
        loop {
            let versions = case.policies.versions();
            let switch = versions.get(self.version + 1).map(|next| next.effective_from).filter(|switch| *switch <= limit);
            let last = switch.map_or(limit, |switch| switch.saturating_sub(TICK));
            self.begin_lanes(case, last);
            for state in &mut self.lanes {
                if let Some(scope) = ScopeCase::new(*case, self.version, state.scope, until) {
                    Fold::go_on(&scope, state, last, trail);
                }
                self.depends_until = self.depends_until.max(state.depends_until);
            }
            self.next = self.next.max(last + TICK);
            match switch {
                Some(switch) => self.switch(case, switch, trail),
                None => break,
            }
        }
    }

    /// Lets lives begin in scopes that are badged by an instant.
    fn begin_lanes(&mut self, case: &Case<'_>, limit: Timestamp) {
        for &scope in scopes(case.policies.versions()[self.version].scope) {
            let begins = enabled_at(case.product, scope).filter(|enabled| *enabled <= limit);
            if let Some(enabled) = begins.filter(|_| self.lanes.iter().all(|state| state.scope != scope)) {
                self.lanes.push(State::new(scope, enabled));
            }
        }
        self.lanes.sort_by_key(|state| state.scope);
    }

    /// Every life with its scope at T.
    fn scopes<'s, 'a>(&'s self, case: &'s Case<'a>, until: Timestamp) -> impl Iterator<Item = (ScopeCase<'a>, &'s State)> {
        let begun = self.lanes.iter().filter_map(move |state| {
            let scope = ScopeCase::new(*case, self.version, state.scope, until)?;
            Some((scope, state))
        });
        begun.filter(move |(scope, _)| scope.enabled_at <= until)
    }

    fn needs_from(&self, policies: &Policies) -> Timestamp {
        let windows = policies.versions().iter().map(|policy| match policy.window {
            domain::policy::WindowRule::Rolling(length) => length,
            domain::policy::WindowRule::ResetsOn { .. } => YEAR,
        });
        let back = windows.max().unwrap_or(YEAR).max(LOOK_BACK);
        let phases = self.lanes.iter().map(phase_needs_from).chain([self.next]);
        let window = self.next.saturating_sub(back).saturating_sub(TICK);
        phases.min().unwrap_or(self.next).min(window)
    }
}

/// The earliest instant of evidence that going on in a scope looks at, apart from windows and
/// look-backs.
fn phase_needs_from(state: &State) -> Timestamp {
    let phase = match &state.phase {
        Phase::On { next, .. } => *next,
        Phase::Proposed(proposal) => proposal.window.from,
        Phase::Removed { breach, .. } => *breach,
        Phase::Probation { start, .. } => *start,
        Phase::Broken(broken) => broken.start,
    };
    state.removed_at.map_or(phase, |removed_at| removed_at.min(phase))
}

/// How long a minute lasts.
const MINUTE: DurationMs = DurationMs(MINUTE_MS);
