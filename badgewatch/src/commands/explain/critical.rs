//! Critical outages of one product, with how they were answered.

use std::collections::BTreeMap;

use alerting::acknowledgement::status;
use alerting::{AcknowledgementStatus, Issued};
use domain::decision::{Decision, DecisionId, DecisionKind};
use domain::fact::Acknowledgement;
use domain::policy::Policies;
use domain::time::Timestamp;
use wire::explanation::{AcknowledgementView, CriticalOutageView};

use super::issued;

/// Those issued by an instant and not taken back by then, and those implied and not issued; by instant. Those of
/// policies that ask for no acknowledgement are left out.
pub(super) fn outages(
    issued: Option<&[Decision]>,
    implied: &[Decision],
    policies: &Policies,
    acknowledgements: &BTreeMap<DecisionId, Acknowledgement>,
    at: Timestamp,
) -> Vec<CriticalOutageView> {
    let is_critical = |decision: &&Decision| decision.kind == DecisionKind::CriticalOutage;
    let by_then: Vec<&Decision> = issued.map(|all| issued::by(all, at).collect()).unwrap_or_default();
    let record = Issued::replay(issued.into_iter().flatten().cloned());
    let implied: Vec<&Decision> = implied.iter().filter(is_critical).collect();
    let mut found = Vec::new();
    for outage in by_then.into_iter().filter(is_critical) {
        // One that was moved since is still the same.
        match record.outcome(outage.id) {
            Some((_, Some(reversal))) if issued::when(reversal) <= at => {}
            Some((latest, _)) => found.push((outage, latest, true)),
            None => {}
        }
    }
    for outage in &implied {
        if !found.iter().any(|(_, latest, _)| (latest.scope, latest.at) == (outage.scope, outage.at)) {
            found.push((outage, outage, false));
        }
    }
    found.sort_by_key(|(outage, ..)| outage.at);
    let view = |(outage, latest, is_issued): (&Decision, &Decision, bool)| {
        let within = policies.at(outage.at).critical_outage_acknowledge_within?;
        let fact = acknowledgements.get(&outage.id);
        let is_implied = implied.iter().any(|other| (other.scope, other.at) == (latest.scope, latest.at));
        let (name, acknowledgement) = match status(outage, fact, within, at) {
            AcknowledgementStatus::Open => ("open", None),
            AcknowledgementStatus::Overdue => ("overdue", None),
            AcknowledgementStatus::Acknowledged { at, cause, expected_fix, late } => {
                let by = fact.map(|fact| fact.by.clone()).unwrap_or_default();
                let (at, expected_fix) = (at.to_string(), expected_fix.to_string());
                ("acknowledged", Some(AcknowledgementView { at, by, cause: cause.to_owned(), expected_fix, late }))
            }
        };
        Some(CriticalOutageView {
            id: outage.id.to_string(),
            scope: outage.scope.to_string(),
            at: outage.at.to_string(),
            issued: issued.map(|_| is_issued),
            implied: is_implied,
            due: outage.at.saturating_add(within).to_string(),
            status: name.to_owned(),
            acknowledgement,
        })
    };
    found.into_iter().filter_map(view).collect()
}
