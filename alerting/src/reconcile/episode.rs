//! Arcs: good → removed → reinstated, in what is implied and in what was issued.

use domain::decision::{Decision, DecisionKind};
use domain::interval::Interval;
use domain::time::Timestamp;

/// What a kind of decision does to an arc.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// Begins an arc.
    Opening,
    /// Happens within one.
    Step,
    /// Ends it.
    Closing,
    /// Asks for a ruling on an opening.
    Proposal,
    /// Says something and changes nothing.
    Notice,
    /// Says that another decision is dated or reasoned otherwise.
    Amendment,
    /// Takes another decision back.
    Reversal,
}

impl Role {
    pub(super) const fn of(kind: DecisionKind) -> Self {
        match kind {
            DecisionKind::BadgeRemoval | DecisionKind::Suspension => Self::Opening,
            DecisionKind::ProbationStarted
            | DecisionKind::ProbationMonthPassed
            | DecisionKind::ProbationRestarted
            | DecisionKind::ReinstatementHeld => Self::Step,
            DecisionKind::Reinstatement | DecisionKind::SuspensionLifted => Self::Closing,
            DecisionKind::Proposal => Self::Proposal,
            DecisionKind::Warning
            | DecisionKind::CoverageWarning
            | DecisionKind::CriticalOutage
            | DecisionKind::ServiceDegradation => Self::Notice,
            DecisionKind::Amendment => Self::Amendment,
            DecisionKind::Reversal => Self::Reversal,
        }
    }

    /// Whether it is part of an arc that something else opened.
    pub(super) const fn is_step(self) -> bool {
        matches!(self, Self::Step | Self::Closing)
    }
}

/// One arc of a scope. Numbers are places in whatever list it was made from.
#[derive(Clone, Debug)]
pub(super) struct Episode {
    /// What opened it; none where that was decided in another scope, before a switch (R18).
    pub(super) opening: Option<usize>,
    /// What followed, by instant.
    pub(super) steps: Vec<usize>,
    /// From its opening to its closing, or to the next opening, or for ever; never empty.
    pub(super) span: Interval,
}

/// The arcs of one scope's implied decisions, which are in order; what has no opening comes first.
pub(super) fn implied(decisions: &[&Decision]) -> Vec<Episode> {
    let mut out = vec![Episode { opening: None, steps: Vec::new(), span: Interval::ALWAYS }];
    for (place, decision) in decisions.iter().enumerate() {
        let Some(current) = out.last_mut() else { break };
        match Role::of(decision.kind) {
            Role::Opening => {
                current.span.to = current.span.to.min(decision.at);
                let span = Interval::new(decision.at, Timestamp::MAX);
                out.push(Episode { opening: Some(place), steps: Vec::new(), span });
            }
            Role::Step => current.steps.push(place),
            Role::Closing => {
                current.steps.push(place);
                current.span.to = decision.at;
            }
            Role::Proposal | Role::Notice | Role::Amendment | Role::Reversal => {}
        }
    }
    out
}

/// What opened arcs, in order of time.
pub(super) fn openings(arcs: &[Episode]) -> impl Iterator<Item = usize> {
    arcs.iter().filter_map(|arc| arc.opening)
}

/// Drops arcs by their openings; their steps count as steps without one. Yields what was dropped.
pub(super) fn dissolve(arcs: &mut Vec<Episode>, is_over: impl Fn(usize) -> bool) -> Vec<usize> {
    let (over, kept): (Vec<Episode>, Vec<Episode>) = arcs.drain(..).partition(|arc| arc.opening.is_some_and(&is_over));
    *arcs = kept;
    if let Some(without) = arcs.iter_mut().find(|arc| arc.opening.is_none()) {
        without.steps.extend(over.iter().flat_map(|arc| &arc.steps));
    }
    openings(&over).collect()
}

/// Pairs of arcs that share an instant, in order of time: those without an opening with each other,
/// and each of the others with at most one.
pub(super) fn overlapping(issued: &[Episode], implied: &[Episode]) -> Vec<(usize, usize)> {
    let without = |arcs: &[Episode]| arcs.iter().position(|arc| arc.opening.is_none());
    let with = |arcs: &[Episode]| -> Vec<(usize, Interval)> {
        let opened = arcs.iter().enumerate().filter(|(_, arc)| arc.opening.is_some());
        opened.map(|(place, arc)| (place, arc.span)).collect()
    };
    let mut out: Vec<(usize, usize)> = without(issued).zip(without(implied)).into_iter().collect();
    out.extend(pairs(&with(issued), &with(implied)));
    out
}

/// Pairs of spans that share an instant, in order of time, each used once. Both lists rise.
pub(super) fn pairs(left: &[(usize, Interval)], right: &[(usize, Interval)]) -> Vec<(usize, usize)> {
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    while let (Some(&(a, left)), Some(&(b, right))) = (left.get(i), right.get(j)) {
        if !left.intersect(right).is_empty() {
            out.push((a, b));
            (i, j) = (i + 1, j + 1);
        } else if left.to <= right.from {
            i += 1;
        } else {
            j += 1;
        }
    }
    out
}
