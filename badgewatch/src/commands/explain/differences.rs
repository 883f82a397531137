//! Where what was issued and what is implied now differ, in words.

use std::collections::BTreeMap;

use alerting::Issued;
use domain::decision::{Decision, DecisionKind};
use domain::id::{Asin, ManufacturerId};
use domain::policy::Policies;
use domain::time::Timestamp;

use super::issued;

/// A product, or a manufacturer.
type Subject<'a> = (Option<&'a Asin>, Option<&'a ManufacturerId>);

/// One subject: what was issued about it, ever, and what is implied.
struct Compared<'a> {
    all: Vec<&'a Decision>,
    record: Issued,
    /// What is implied, and whether it was found among what was issued.
    implied: Vec<(&'a Decision, bool)>,
    policies: &'a Policies,
    /// The explained instant.
    at: Timestamp,
    /// T.
    until: Timestamp,
}

/// The product first, then its manufacturers; each in the order of issuing, then what wasn't issued by then.
pub(super) fn between(
    all: &[Decision],
    implied: &[Decision],
    policies: &Policies,
    (at, until): (Timestamp, Timestamp),
) -> Vec<String> {
    let mut subjects: BTreeMap<Subject<'_>, (Vec<&Decision>, Vec<&Decision>)> = BTreeMap::new();
    for decision in all {
        subjects.entry(subject(decision)).or_default().0.push(decision);
    }
    for decision in implied {
        subjects.entry(subject(decision)).or_default().1.push(decision);
    }
    // A product has an ASIN, and what has none is listed before it.
    let told = subjects.into_values().rev().flat_map(|(all, implied)| {
        let record = Issued::replay(all.iter().copied().cloned());
        let implied = implied.into_iter().map(|decision| (decision, false)).collect();
        Compared { all, record, implied, policies, at, until }.tell()
    });
    told.collect()
}

impl Compared<'_> {
    fn tell(mut self) -> Vec<String> {
        let is_first = |decision: &&Decision| !matches!(decision.kind, DecisionKind::Amendment | DecisionKind::Reversal);
        let by_then: Vec<&Decision> =
            self.all.iter().copied().filter(|decision| issued::when(decision) <= self.at).filter(is_first).collect();
        let same: Vec<Option<String>> = by_then.iter().map(|decision| self.same(decision)).collect();
        let pairs = by_then.iter().zip(same);
        let mut out: Vec<String> = pairs
            .filter_map(|(decision, same)| same.or_else(|| Some(self.other(decision))))
            .filter(|told| !told.is_empty())
            .collect();
        out.extend(self.implied.iter().filter(|(_, found)| !found).map(|(implied, _)| self.missing(implied)));
        out
    }

    /// What there is to say of a decision that is implied as it now holds: nothing, if it always did. None if it isn't.
    fn same(&mut self, decision: &Decision) -> Option<String> {
        let (latest, None) = self.record.outcome(decision.id)? else { return None };
        let place = (latest.scope, latest.at);
        let is_same = |implied: &Decision| {
            (implied.scope, implied.at) == place && implied.kind == decision.kind && implied.reasons == latest.reasons
        };
        if let Some((_, found)) = self.implied.iter_mut().find(|(implied, found)| !found && is_same(implied)) {
            *found = true;
            let moved = latest.id != decision.id && issued::when(latest) > self.at;
            let told = || {
                format!(
                    "{}: is {} now: amended by {}, issued at {}",
                    named(decision),
                    dated(latest),
                    latest.id,
                    issued::when(latest)
                )
            };
            return Some(if moved { told() } else { String::new() });
        }
        // What a brake made a proposal of is implied as a removal (R25).
        if decision.kind != DecisionKind::Proposal {
            return None;
        }
        let is_answer = |other: &&Decision| other.kind == DecisionKind::BadgeRemoval && other.supersedes == Some(latest.id);
        if self.all.iter().copied().any(|other| is_answer(&other)) {
            return Some(String::new());
        }
        let is_removal = |implied: &Decision| (implied.scope, implied.at) == place && implied.kind == DecisionKind::BadgeRemoval;
        let (_, found) = self.implied.iter_mut().find(|(implied, found)| !found && is_removal(implied))?;
        *found = true;
        Some(format!("{}: was issued where a badge removal is implied: it waits for a ruling", named(decision)))
    }

    /// What became of a decision that isn't implied as it was issued.
    fn other(&mut self, decision: &Decision) -> String {
        let (name, outcome) = (named(decision), self.record.outcome(decision.id));
        if let Some((_, Some(reversal))) = outcome {
            return format!(
                "{name}: isn't implied any more: taken back by {}, issued at {}",
                reversal.id,
                issued::when(reversal)
            );
        }
        let is_other = |implied: &Decision| {
            (implied.kind, implied.scope, implied.evidence.month) == (decision.kind, decision.scope, decision.evidence.month)
        };
        if let Some((implied, found)) = self.implied.iter_mut().find(|(implied, found)| !found && is_other(implied)) {
            *found = true;
            return match (implied.at, &implied.reasons) == (decision.at, &decision.reasons) {
                true => format!("{name}: is implied as it was issued; its amendment isn't any more"),
                false => format!("{name}: is implied otherwise now: {}", dated(implied)),
            };
        }
        match decision.kind {
            DecisionKind::Warning | DecisionKind::CoverageWarning | DecisionKind::CriticalOutage => {
                format!("{name}: isn't implied any more; what was only told isn't taken back")
            }
            DecisionKind::Proposal => format!("{name}: isn't implied any more, or was ruled on"),
            _ => format!("{name}: isn't implied any more, and wasn't taken back yet"),
        }
    }

    /// Why something implied wasn't issued by then.
    fn missing(&self, implied: &Decision) -> String {
        let name = named(implied);
        let is_it = |other: &&&Decision| {
            let latest = self.record.outcome(other.id).map_or(**other, |(latest, _)| latest);
            (other.kind, latest.scope, latest.at) == (implied.kind, implied.scope, implied.at)
        };
        if let Some(later) = self.all.iter().filter(|other| issued::when(other) > self.at).find(is_it) {
            return format!("{name}: is implied, but was issued only at {}", issued::when(later));
        }
        let settled = alerting::settled_at(self.policies, implied);
        if settled > self.until {
            format!("{name}: is implied, but isn't issued before {settled}: late evidence may still come")
        } else {
            format!("{name}: is implied, but wasn't issued")
        }
    }
}

/// A decision by its kind, scope, instant and reasons.
fn named(decision: &Decision) -> String {
    format!("{} in {}, {}", decision.kind.as_str().replace('_', " "), decision.scope, dated(decision))
}

fn dated(decision: &Decision) -> String {
    let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
    if reasons.is_empty() { format!("dated {}", decision.at) } else { format!("dated {} ({})", decision.at, reasons.join(", ")) }
}

const fn subject(decision: &Decision) -> Subject<'_> {
    match &decision.asin {
        Some(asin) => (Some(asin), None),
        None => (None, Some(&decision.manufacturer)),
    }
}
