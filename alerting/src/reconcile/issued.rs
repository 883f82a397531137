//! What has been issued about one subject, and what became of it.
//!
//! A function of the issued decisions, in the order in which they were issued: [`Issued::replay`]
//! over the decisions log is all that recovery needs. A decision is never edited; an amendment or
//! reversal of it is another decision, and the state says which one holds.

use domain::decision::{Decision, DecisionId, DecisionKind, Scope};
use domain::fact::Ruling;
use domain::interval::Interval;
use domain::time::Timestamp;

use super::episode::{Episode, Role};
use crate::scope::TICK;

/// The decisions issued about one product (all its scopes) or one manufacturer.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Issued {
    /// In the order in which they were issued.
    decisions: Vec<Decision>,
    /// What they amount to, in the same order.
    entries: Vec<Entry>,
    /// How many decisions were dropped.
    forgotten: usize,
}

/// A decision that is neither amendment nor reversal, with what became of it. Numbers are places in
/// [`Issued::decisions`].
#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    first: usize,
    amendments: Vec<usize>,
    /// The reversal that took it back: its own, or its arc's.
    taken_back: Option<usize>,
    /// Of a proposal: the removal that followed it.
    answered: Option<usize>,
    /// Of a step: the entry that opened its arc; none where that was decided in another scope (R18).
    arc: Option<usize>,
}

impl Issued {
    /// The state after these decisions, in the order in which they were issued.
    #[must_use]
    pub fn replay(decisions: impl IntoIterator<Item = Decision>) -> Self {
        let mut issued = Self::default();
        decisions.into_iter().for_each(|decision| issued.push(decision));
        issued
    }

    /// Takes in a decision that was issued. One that is there already changes nothing.
    pub fn push(&mut self, decision: Decision) {
        if self.contains(decision.id) {
            return;
        }
        let place = self.decisions.len();
        let superseded = decision.supersedes.and_then(|id| self.holder(id));
        match Role::of(decision.kind) {
            Role::Amendment => {
                if let Some(entry) = superseded {
                    self.entries[entry].amendments.push(place);
                }
            }
            Role::Reversal => {
                if let Some(entry) = superseded {
                    self.take_back(entry, place);
                }
            }
            role => {
                let arc = if role.is_step() { self.arc_at(&decision) } else { None };
                if let (DecisionKind::BadgeRemoval, Some(entry)) = (decision.kind, superseded)
                    && self.first(entry).kind == DecisionKind::Proposal
                {
                    self.entries[entry].answered = Some(place);
                }
                self.entries.push(Entry { first: place, amendments: Vec::new(), taken_back: None, answered: None, arc });
            }
        }
        self.decisions.push(decision);
    }

    /// The decisions in the order in which they were issued, without forgotten ones.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// How many decisions were ever issued, forgotten ones included.
    #[must_use]
    pub fn total(&self) -> usize {
        self.decisions.len() + self.forgotten
    }

    /// What was issued by `at` (R26), in the order in which it was.
    pub fn as_known(&self, at: Timestamp) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().filter(move |decision| decision.evidence.issued.as_ref().is_some_and(|issued| issued.at <= at))
    }

    /// The proposals that nobody has ruled on by T, as last amended.
    pub fn open_proposals<'i>(&'i self, rulings: &'i [Ruling], t: Timestamp) -> impl Iterator<Item = &'i Decision> {
        let is_ruled = move |entry: usize| rulings.iter().any(|ruling| ruling.at <= t && self.is_named(entry, ruling.proposal));
        let proposals = self.standing().filter(|&entry| self.first(entry).kind == DecisionKind::Proposal);
        proposals.filter(move |&entry| !self.is_answered(entry) && !is_ruled(entry)).map(|entry| self.latest(entry))
    }

    /// The instant of the earliest of the [`Self::open_proposals`]: what it is about may still come out
    /// either way, so it can't be frozen yet.
    #[must_use]
    pub fn waits_since(&self, rulings: &[Ruling], t: Timestamp) -> Option<Timestamp> {
        self.open_proposals(rulings, t).map(|proposal| proposal.at).min()
    }

    /// Whether a decision of this id was issued.
    #[must_use]
    pub fn contains(&self, id: DecisionId) -> bool {
        self.decisions.iter().any(|decision| decision.id == id)
    }

    /// Drops what can't be touched any more: arcs that were closed or taken back, and everything
    /// else dated, before `before`. A proposal so old lapses. `before` is T − 2 W (R24), and lies in the
    /// frozen past: nothing dated there is issued again ([`super::Context::complete_from`]).
    pub fn forget(&mut self, before: Timestamp) {
        let kept: Vec<usize> = (0..self.entries.len()).filter(|&entry| !self.is_past(entry, before)).collect();
        if kept.len() == self.entries.len() {
            return;
        }
        let mut places: Vec<usize> = kept.iter().flat_map(|&entry| self.places(entry)).collect();
        places.sort_unstable();
        places.dedup();
        let mut next = Self { forgotten: self.total() - places.len(), ..Self::default() };
        places.into_iter().for_each(|place| next.push(self.decisions[place].clone()));
        *self = next;
    }

    /// The scopes in which something stands.
    pub(super) fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.standing().map(|entry| self.first(entry).scope)
    }

    /// The entries that weren't taken back.
    pub(super) fn standing(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.entries().filter(|&entry| self.entries[entry].taken_back.is_none())
    }

    /// All entries.
    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        0..self.entries.len()
    }

    /// An entry's decision as it was first issued.
    pub(super) fn first(&self, entry: usize) -> &Decision {
        &self.decisions[self.entries[entry].first]
    }

    /// Its latest amendment, or itself: instant and reasons that hold.
    pub(super) fn latest(&self, entry: usize) -> &Decision {
        let Entry { first, amendments, .. } = &self.entries[entry];
        &self.decisions[amendments.last().copied().unwrap_or(*first)]
    }

    /// What was said last about it: its reversal, the removal that followed it, or [`Self::latest`].
    pub(super) fn last_word(&self, entry: usize) -> &Decision {
        let Entry { taken_back, answered, .. } = &self.entries[entry];
        taken_back.or(*answered).map_or_else(|| self.latest(entry), |place| &self.decisions[place])
    }

    /// The reversal that took an entry back.
    pub(super) fn reversal(&self, entry: usize) -> Option<&Decision> {
        self.entries[entry].taken_back.map(|place| &self.decisions[place])
    }

    /// Whether a removal followed a proposal.
    pub(super) fn is_answered(&self, entry: usize) -> bool {
        self.entries[entry].answered.is_some()
    }

    /// Whether an id names an entry or one of its amendments.
    pub(super) fn is_named(&self, entry: usize, id: DecisionId) -> bool {
        let Entry { first, amendments, .. } = &self.entries[entry];
        amendments.iter().chain([first]).any(|&place| self.decisions[place].id == id)
    }

    /// A scope's arcs as they stand, by instant; what has no opening there comes first.
    pub(super) fn episodes(&self, scope: Scope) -> Vec<Episode> {
        let in_scope = |entry: &usize| self.first(*entry).scope == scope;
        let role = |entry: &usize| Role::of(self.first(*entry).kind);
        let mut openings: Vec<usize> = self.standing().filter(in_scope).filter(|e| role(e) == Role::Opening).collect();
        openings.sort_by_key(|&entry| self.latest(entry).at);
        let ends = openings.iter().skip(1).map(|&next| self.latest(next).at).chain([Timestamp::MAX]);
        let arcs = openings.iter().zip(ends).map(|(&opening, end)| (Some(opening), self.latest(opening).at, end));
        let steps = |opening| {
            let mut steps: Vec<usize> = self.standing().filter(in_scope).filter(|e| role(e).is_step()).collect();
            steps.retain(|&step| self.entries[step].arc == opening);
            steps.sort_by_key(|&step| (self.latest(step).at, self.first(step).kind));
            steps
        };
        let episode = |(opening, from, end): (Option<usize>, Timestamp, Timestamp)| {
            let steps = steps(opening);
            let closed = steps.iter().filter(|step| role(step) == Role::Closing).map(|&step| self.latest(step).at).max();
            // Where a step waits for its amendment, its instant may lie before the opening's.
            let to = closed.unwrap_or(end).max(from + TICK);
            Episode { opening, steps, span: Interval::new(from, to) }
        };
        let first = openings.first().map_or(Timestamp::MAX, |&first| self.latest(first).at);
        std::iter::once((None, Timestamp::MIN, first)).chain(arcs).map(episode).collect()
    }

    /// The entry whose last word an id is, or that it names.
    fn holder(&self, id: DecisionId) -> Option<usize> {
        self.entries().rev().find(|&entry| self.is_named(entry, id))
    }

    /// A step belongs to the last arc in its scope that was opened before it, in the order of R17.
    pub(super) fn arc_at(&self, step: &Decision) -> Option<usize> {
        let opened = |entry: &usize| {
            let opening = self.latest(*entry);
            let kind = self.first(*entry).kind;
            Role::of(kind) == Role::Opening && opening.scope == step.scope && (opening.at, kind) < (step.at, step.kind)
        };
        self.standing().filter(opened).max_by_key(|&entry| self.latest(entry).at)
    }

    /// The reversal of an opening takes back everything of its arc.
    fn take_back(&mut self, reversed: usize, place: usize) {
        for (number, entry) in self.entries.iter_mut().enumerate() {
            if (number == reversed || entry.arc == Some(reversed)) && entry.taken_back.is_none() {
                entry.taken_back = Some(place);
            }
        }
    }

    /// Every decision about an entry.
    fn places(&self, entry: usize) -> impl Iterator<Item = usize> {
        let Entry { first, amendments, taken_back, .. } = &self.entries[entry];
        amendments.iter().copied().chain([*first]).chain(*taken_back)
    }

    /// Whether an entry, or the whole arc that it is part of, is over since before an instant.
    fn is_past(&self, entry: usize, before: Timestamp) -> bool {
        let is_opening = |entry: usize| Role::of(self.first(entry).kind) == Role::Opening;
        let opening = if is_opening(entry) { Some(entry) } else { self.entries[entry].arc };
        let Some(opening) = opening else { return self.is_before(entry, before) };
        let mut of_arc = self.entries().filter(|&other| other == opening || self.entries[other].arc == Some(opening));
        let is_closed = self.reversal(opening).is_some()
            || self
                .standing()
                .any(|other| self.entries[other].arc == Some(opening) && Role::of(self.first(other).kind) == Role::Closing);
        is_closed && of_arc.all(|other| self.is_before(other, before))
    }

    /// Whether all that was said about an entry is dated before an instant: what is issued later has other ids.
    fn is_before(&self, entry: usize, before: Timestamp) -> bool {
        self.places(entry).all(|place| self.decisions[place].at < before)
    }
}
