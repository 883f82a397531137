//! A breach that waits for its ruling: confirmed, it is a removal from then on; refused, the badge
//! is on again, and more has to go wrong than what was refused (R22).

use domain::decision::{DecisionKind, Evidence};
use domain::fact::{Ruling, Verdict};
use domain::life::{Phase, Proposal, Refused};
use domain::policy::Policies;
use domain::time::Timestamp;

use super::Fold;

impl<'a> Fold<'_, 'a> {
    /// What follows a breach.
    pub(super) fn breached(&mut self, proposal: Proposal) -> Option<Phase> {
        let at = proposal.breach;
        self.within(at)?;
        if self.scope.policy.enforcement == domain::policy::Enforcement::Review {
            self.decide(DecisionKind::Proposal, proposal.reasons.clone(), at, proposal.evidence.clone());
            return Some(Phase::Proposed(Box::new(proposal)));
        }
        match self.ruling_on(&proposal) {
            // It isn't implied; the badge is on again from the refusal on.
            Some(ruling) if ruling.verdict == Verdict::Refused => Some(Phase::Proposed(Box::new(proposal))),
            ruling => {
                let not_before = ruling.map_or(at, |ruling| ruling.at.max(at));
                ruling.into_iter().for_each(|ruling| self.use_up(ruling, at));
                self.remove(proposal.reasons, at, proposal.evidence);
                Some(Phase::Removed { breach: at, not_before })
            }
        }
    }

    /// What follows a breach's ruling.
    pub(super) fn proposed(&mut self, proposal: Proposal) -> Option<Phase> {
        let ruling = self.ruling_on(&proposal)?;
        match ruling.verdict {
            Verdict::Confirmed => {
                let at = self.within(self.scope.hold(ruling.at)?)?;
                let evidence = Evidence { policy: self.scope.policy.name.clone(), ..proposal.evidence };
                self.use_up(ruling, proposal.breach);
                self.remove(proposal.reasons, at, evidence);
                Some(Phase::Removed { breach: proposal.breach, not_before: at })
            }
            Verdict::Refused => {
                let at = self.within(ruling.at.max(self.scope.in_force.from))?;
                self.use_up(ruling, proposal.breach);
                self.state.refused = Some(proposal.used.max(self.used(at)));
                Some(Phase::On { next: at, active: proposal.active })
            }
        }
    }

    /// The first unused ruling, by T, that belongs to a breach.
    fn ruling_on(&self, proposal: &Proposal) -> Option<&'a Ruling> {
        let case = self.scope.case;
        let breach = proposal.breach;
        let acting = case.rulings.iter().take_while(|ruling| ruling.at <= self.scope.at);
        acting
            .filter(|ruling| !self.state.ruled.contains(&ruling.order()))
            .find(|ruling| ruling.scope == proposal.scope && may_be_about(case.policies, ruling, breach))
    }

    /// Notes that a ruling was used for a breach.
    fn use_up(&mut self, ruling: &Ruling, breach: Timestamp) {
        self.state.ruled.retain(|(at, ..)| *at >= breach);
        self.state.ruled.insert(ruling.order());
    }

    /// What the window holds at an instant; at a reset the larger of both years, as both are judged.
    fn used(&self, at: Timestamp) -> Refused {
        let policy = self.scope.policy;
        let used_of = |frame| {
            let window = self.scope.window(frame, self.state.floor, at);
            let outages = self.scope.counting(window, self.state.floor).len();
            Refused { downtime_ms: self.scope.downtime.ms_within(window), outages }
        };
        let used = used_of(policy.frame_at(at));
        policy.frame_ending_at(at).map_or(used, |ending| used.max(used_of(ending)))
    }
}

/// Whether a ruling may be about a breach: the removal of an earlier one would have lasted at least until
/// the proposal (ADR 5), by whatever version came into force meanwhile.
pub(crate) fn may_be_about(policies: &Policies, ruling: &Ruling, breach: Timestamp) -> bool {
    let months = policies.least_probation_months(breach, ruling.proposed_at);
    breach <= ruling.at && ruling.proposed_at < breach.plus_months(months)
}
