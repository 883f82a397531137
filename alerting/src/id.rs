//! A decision's name and place (R17, R20).

use domain::decision::{Decision, DecisionId, DecisionKind, Evidence, Reason, Scope};
use domain::id::{Asin, ManufacturerId};
use domain::time::Timestamp;
use sha2::{Digest, Sha256};

/// What a decision is about.
#[derive(Clone, Debug)]
pub struct About {
    /// The product; none for a suspension.
    pub asin: Option<Asin>,
    /// The manufacturer.
    pub manufacturer: ManufacturerId,
    /// Where.
    pub scope: Scope,
}

impl About {
    /// What a decision is about.
    #[must_use]
    pub fn of(decision: &Decision) -> Self {
        Self { asin: decision.asin.clone(), manufacturer: decision.manufacturer.clone(), scope: decision.scope }
    }

    /// The decision about it; its id follows from the rest.
    #[must_use]
    pub fn decide(&self, kind: DecisionKind, reasons: Vec<Reason>, at: Timestamp, evidence: Evidence) -> Decision {
        self.decide_superseding(None, kind, reasons, at, evidence)
    }

    /// The decision about it that takes another one's place; its id follows from the rest.
    #[must_use]
    pub fn decide_superseding(
        &self,
        supersedes: Option<DecisionId>,
        kind: DecisionKind,
        mut reasons: Vec<Reason>,
        at: Timestamp,
        evidence: Evidence,
    ) -> Decision {
        reasons.sort_unstable();
        reasons.dedup();
        let id = self.id(kind, &reasons, at, &evidence, supersedes);
        let Self { asin, manufacturer, scope } = self.clone();
        Decision { id, kind, reasons, asin, manufacturer, scope, at, supersedes, evidence }
    }

    /// R20: the first 16 bytes of SHA-256 over kind, reasons (joined by commas), subject, scope,
    /// instant, policy id and version, and the id of what it supersedes (empty if nothing),
    /// joined by `|`. What is told a manufacturer of a skill has both as its subject.
    fn id(
        &self,
        kind: DecisionKind,
        reasons: &[Reason],
        at: Timestamp,
        evidence: &Evidence,
        supersedes: Option<DecisionId>,
    ) -> DecisionId {
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        let subject = match (&self.asin, &evidence.skill) {
            (Some(asin), _) => format!("product:{asin}"),
            (None, Some(skill)) => format!("skill:{skill}@manufacturer:{}", self.manufacturer),
            (None, None) => format!("manufacturer:{}", self.manufacturer),
        };
        let policy = &evidence.policy;
        let supersedes = supersedes.map(|id| id.to_string()).unwrap_or_default();
        let text =
            format!("{kind}|{}|{subject}|{}|{at}|{}|{}|{supersedes}", reasons.join(","), self.scope, policy.id, policy.version,);
        let digest = Sha256::digest(text.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        DecisionId(id)
    }
}

/// Puts decisions in the order of R17: by instant, kind, ASIN or manufacturer, scope.
pub fn in_order(decisions: &mut [Decision]) {
    decisions.sort_by(|a, b| place(a).cmp(&place(b)));
}

fn place(decision: &Decision) -> (Timestamp, DecisionKind, &str, &'static str) {
    let name = decision.asin.as_ref().map_or(decision.manufacturer.as_str(), Asin::as_str);
    (decision.at, decision.kind, name, decision.scope.as_str())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::id::Region;
    use domain::policy::PolicyName;

    use super::*;

    fn decide(asin: Option<&str>, scope: Scope, kind: DecisionKind, reasons: &[Reason]) -> Decision {
        let about = About { asin: asin.and_then(Asin::new), manufacturer: ManufacturerId::new("m-1").expect("an id"), scope };
        let at = Timestamp::parse_rfc3339("2025-03-01T06:07:55.201Z").expect("an instant");
        about.decide(kind, reasons.to_vec(), at, Evidence::new(PolicyName { id: Arc::from("wwa-2026"), version: 1 }))
    }

    /// Expected values: `printf '%s' 'badge_removal|budget,outages|product:B000000001|NA|…|wwa-2026|1|' | sha256sum`.
    #[test]
    fn an_id_is_the_start_of_the_digest_of_what_is_decided() {
        let reasons = [Reason::Outages, Reason::Budget];
        let removal = decide(Some("B000000001"), Scope::Region(Region::Na), DecisionKind::BadgeRemoval, &reasons);
        assert_eq!(removal.id.to_string(), "252bde69eef58053e3105ee22883d153");
        assert_eq!(removal.reasons, [Reason::Budget, Reason::Outages], "reasons are listed in order");
        let suspension = decide(None, Scope::Global, DecisionKind::Suspension, &[]);
        assert_eq!(suspension.id.to_string(), "4ed4edb3fbf6bc2a91c8728f066ae4f3");
    }

    /// Expected value: as above, with `|NA|…|1|252bde69eef58053e3105ee22883d153` at the end.
    #[test]
    fn an_id_holds_the_id_of_what_is_superseded() {
        let reasons = [Reason::Budget, Reason::Outages];
        let removal = decide(Some("B000000001"), Scope::Region(Region::Na), DecisionKind::BadgeRemoval, &reasons);
        let Decision { kind, at, reasons, evidence, .. } = removal.clone();
        let again = About::of(&removal).decide_superseding(Some(removal.id), kind, reasons, at, evidence);
        assert_eq!(again.id.to_string(), "50d27d89b3be2d480cd19b1882c4a6c0");
        assert_eq!(again.supersedes, Some(removal.id));
    }

    #[test]
    fn decisions_of_an_instant_are_listed_by_kind_then_name() {
        let mut decisions = vec![
            decide(Some("B2"), Scope::Global, DecisionKind::ProbationStarted, &[]),
            decide(None, Scope::Global, DecisionKind::Suspension, &[]),
            decide(Some("B2"), Scope::Global, DecisionKind::BadgeRemoval, &[]),
            decide(Some("B1"), Scope::Region(Region::Na), DecisionKind::BadgeRemoval, &[]),
            decide(Some("B1"), Scope::Region(Region::Eu), DecisionKind::BadgeRemoval, &[]),
            decide(Some("B3"), Scope::Global, DecisionKind::CriticalOutage, &[]),
        ];
        in_order(&mut decisions);
        let listed: Vec<String> =
            decisions.iter().map(|d| format!("{} {} {}", d.kind, d.asin.as_ref().map_or("m-1", Asin::as_str), d.scope)).collect();
        assert_eq!(
            listed,
            [
                "critical_outage B3 global",
                "badge_removal B1 EU",
                "badge_removal B1 NA",
                "badge_removal B2 global",
                "suspension m-1 global",
                "probation_started B2 global",
            ]
        );
    }
}
