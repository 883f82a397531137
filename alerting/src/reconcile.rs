//! Reconciling: what has been issued about a subject against what is implied now (R21).
//!
//! Pure: the result is decided completely, with ids and evidence, in the order in which it is to be
//! issued. Issuing it and reconciling again at the same T yields nothing.
//!
//! - A scope's arcs are matched by overlap, in order of time, and the steps of matched arcs first
//!   where they are equal, then by kind (and month) in order. A counterpart with another instant or
//!   other reasons is one amendment; one that is equal but for its evidence is none.
//! - Settling counts from the implied instant, once: what is new or moved waits until T has passed its
//!   instant by `settle`, and a scope's later enforcement waits with it. What is no longer implied is
//!   taken back at once: its own instant was passed by as much when it was issued.
//! - A decision that is issued again after it was taken back supersedes the reversal, so no two have
//!   one id (R20).
//! - A switch of scopes leaves arcs without end in the old scopes and without beginning in the new
//!   ones, in what is implied as in what was issued. So nothing is to be done for it.
//! - What is frozen (R24) is neither issued nor taken back, and matches only what equals it. An arc whose
//!   opening is frozen and forgotten on one side goes on as one without an opening.

use std::borrow::Cow;
use std::collections::BTreeSet;

use domain::decision::{Decision, DecisionId, DecisionKind, Evidence, InputPosition, Issued as IssuedAt, Issuer, Reason, Scope};
use domain::fact::Ruling;
use domain::policy::Policies;
use domain::time::Timestamp;

use crate::brakes::Brakes;
use crate::id::About;
use episode::Role;

mod enforcement;
mod episode;
mod issued;
mod notices;
mod proposals;
mod record;

#[cfg(test)]
mod tests;

pub use issued::Issued;
pub use record::BadgeOfRecord;

/// What reconciling at T depends on besides issued and implied decisions.
#[derive(Debug)]
pub struct Context<'a> {
    /// T (R23).
    pub t: Timestamp,
    /// The policy's versions.
    pub policies: &'a Policies,
    /// The rulings on the product's proposals, by instant; none for a manufacturer.
    pub rulings: &'a [Ruling],
    /// What holds removals back. Each removal in the result has been counted.
    pub brakes: &'a mut Brakes,
    /// Who issues: the owner of the subject.
    pub by: Issuer,
    /// The number that the first decision gets among what the owner issues.
    pub next_seq: u64,
    /// From which instant on the implied decisions are complete: what was implied before it is frozen
    /// (R24) and may have been forgotten.
    pub complete_from: Timestamp,
    /// How far each input was read, for the evidence.
    pub inputs: &'a [InputPosition],
}

/// What is to be issued now. `implied` is everything that is implied at T about the subject of
/// `issued`, in all scopes, in the order of R17.
#[must_use]
pub fn reconcile(issued: &Issued, implied: &[Decision], context: Context<'_>) -> Vec<Decision> {
    let mut desk = Desk { issued: Cow::Borrowed(issued), context, out: Vec::new() };
    let scopes: BTreeSet<Scope> = implied.iter().map(|decision| decision.scope).chain(issued.scopes()).collect();
    for scope in scopes {
        let implied: Vec<&Decision> = implied.iter().filter(|decision| decision.scope == scope).collect();
        enforcement::reconcile(&mut desk, scope, &implied);
        notices::reconcile(&mut desk, scope, &implied);
    }
    desk.out
}

/// When an implied decision has waited long enough for late evidence (R21), by the policy that it was
/// judged by.
#[must_use]
pub fn settled_at(policies: &Policies, implied: &Decision) -> Timestamp {
    let judged_by = policies.versions().iter().find(|policy| policy.name == implied.evidence.policy);
    let policy = judged_by.unwrap_or_else(|| policies.at(implied.at));
    implied.at.saturating_add(match Role::of(implied.kind) {
        Role::Notice => policy.settle_warnings,
        Role::Opening | Role::Step | Role::Closing | Role::Proposal | Role::Amendment | Role::Reversal => {
            policy.settle_enforcement
        }
    })
}

/// Where decisions are made out. What was issued so far includes what is about to be.
struct Desk<'a> {
    issued: Cow<'a, Issued>,
    context: Context<'a>,
    out: Vec<Decision>,
}

impl Desk<'_> {
    /// Whether a decision has settled under the policy that it was judged by.
    fn is_due(&self, implied: &Decision) -> bool {
        settled_at(self.context.policies, implied) <= self.context.t
    }

    /// Whether a decision lies in the frozen past (R24): whatever is implied or was issued there stays so,
    /// and either may have been forgotten.
    fn is_frozen(&self, decision: &Decision) -> bool {
        decision.at < self.context.complete_from
    }

    /// Issues what is implied.
    fn issue(&mut self, implied: &Decision) {
        self.issue_as(implied.kind, implied.reasons.clone(), implied, None);
    }

    /// Issues what is implied, perhaps as another kind; `follows` is a proposal that it answers.
    fn issue_as(&mut self, kind: DecisionKind, reasons: Vec<Reason>, implied: &Decision, follows: Option<DecisionId>) {
        let about = About::of(implied);
        let plain = about.decide(kind, reasons, implied.at, implied.evidence.clone());
        let supersedes = follows.or_else(|| self.replaced_by(&plain));
        let decision = about.decide_superseding(supersedes, kind, plain.reasons, implied.at, plain.evidence);
        self.put(decision);
    }

    /// Says that an issued decision holds at another instant or for other reasons.
    fn amend(&mut self, entry: usize, implied: &Decision, reasons: Vec<Reason>) {
        let (amends, supersedes) = (self.issued.first(entry).kind, self.issued.latest(entry).id);
        let evidence = Evidence { amends: Some(amends), ..implied.evidence.clone() };
        let about = About::of(implied);
        self.put(about.decide_superseding(Some(supersedes), DecisionKind::Amendment, reasons, implied.at, evidence));
    }

    /// Takes an issued decision back, as of T. Why it was issued is the reversal's reason, too.
    fn reverse(&mut self, entry: usize) {
        let t = self.context.t;
        let (first, latest) = (self.issued.first(entry), self.issued.latest(entry));
        let evidence = Evidence { amends: Some(first.kind), ..Evidence::new(self.context.policies.at(t).name.clone()) };
        let (about, supersedes, reasons) = (About::of(latest), latest.id, latest.reasons.clone());
        self.put(about.decide_superseding(Some(supersedes), DecisionKind::Reversal, reasons, t, evidence));
    }

    /// What a new decision replaces: what was last said about one of the same content, which an id
    /// can't name twice; or else the reversal of one of its kind, if that came after its instant.
    fn replaced_by(&self, plain: &Decision) -> Option<DecisionId> {
        let issued = &self.issued;
        let is_same = |entry: &usize| {
            let first = issued.first(*entry);
            (first.kind, first.scope, first.at) == (plain.kind, plain.scope, plain.at)
                && first.reasons == plain.reasons
                && first.evidence.policy == plain.evidence.policy
        };
        let reversal_of_one = |entry: usize| {
            let first = issued.first(entry);
            let is_one = (first.kind, first.scope, first.evidence.month) == (plain.kind, plain.scope, plain.evidence.month);
            issued.reversal(entry).filter(|reversal| is_one && plain.at <= reversal.at)
        };
        let is_replaced = |id: DecisionId| {
            issued.decisions().iter().any(|decision| decision.supersedes == Some(id) && decision.kind == plain.kind)
        };
        let same = issued.entries().rev().find(is_same).map(|entry| issued.last_word(entry).id);
        same.or_else(|| {
            let mut reversals = issued.entries().rev().filter_map(reversal_of_one).map(|reversal| reversal.id);
            reversals.find(|&id| !is_replaced(id))
        })
    }

    fn put(&mut self, mut decision: Decision) {
        let (at, by, seq) = (self.context.t, self.context.by, self.context.next_seq);
        decision.evidence.issued = Some(IssuedAt { at, by, seq, inputs: self.context.inputs.to_vec() });
        self.context.next_seq += 1;
        self.context.brakes.count(&decision);
        self.issued.to_mut().push(decision.clone());
        self.out.push(decision);
    }
}
