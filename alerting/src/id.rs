//! A decision's name and place (R17, R20).

use domain::decision::{Decision, DecisionId, DecisionKind, Evidence, Reason, Scope};
use domain::id::{Asin, ManufacturerId};
use domain::policy::PolicyName;
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
    /// The decision about it; its id follows from the rest.
    #[must_use]
    pub fn decide(&self, kind: DecisionKind, mut reasons: Vec<Reason>, at: Timestamp, evidence: Evidence) -> Decision {
        reasons.sort_unstable();
        let id = self.id(kind, &reasons, at, &evidence.policy, None);
        let Self { asin, manufacturer, scope } = self.clone();
        Decision { id, kind, reasons, asin, manufacturer, scope, at, supersedes: None, evidence }
    }

    /// R20: the first 16 bytes of SHA-256 over kind, reasons (joined by commas), subject, scope,
    /// instant, policy id and version, and the id of what it supersedes (empty if nothing),
    /// joined by `|`.
    fn id(
        &self,
        kind: DecisionKind,
        reasons: &[Reason],
        at: Timestamp,
        policy: &PolicyName,
        supersedes: Option<DecisionId>,
    ) -> DecisionId {
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        let subject = match &self.asin {
            Some(asin) => format!("product:{asin}"),
            None => format!("manufacturer:{}", self.manufacturer),
        };
        let supersedes = supersedes.map(|id| id.to_string()).unwrap_or_default();
        let text = format!(
            "{kind}|{}|{subject}|{}|{at}|{}|{}|{supersedes}",
            reasons.join(","),
            self.scope,
            policy.id,
            policy.version,
        );
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
