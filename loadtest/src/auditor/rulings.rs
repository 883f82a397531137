//! What the programme team said of proposals (R22), and which breach each of it belongs to.

use domain::fact::{Ruling, Verdict};
use domain::{Asin, DecisionId, Policies, Scope, Timestamp};

/// The rulings about a product that haven't been used yet, in order of time.
#[derive(Debug)]
pub(super) struct Rulings<'a> {
    left: Vec<&'a Ruling>,
    policies: &'a Policies,
}

/// A ruling on a breach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ruled {
    proposal: DecisionId,
    pub(super) at: i64,
    pub(super) verdict: Verdict,
}

impl<'a> Rulings<'a> {
    /// Those of `rulings`, each given by T, that are about a product.
    pub(super) fn about(asin: &Asin, rulings: &'a [Ruling], policies: &'a Policies) -> Self {
        let mut left: Vec<&Ruling> = rulings.iter().filter(|ruling| ruling.asin == *asin).collect();
        left.sort_by_key(|ruling| (ruling.at, ruling.proposed_at, ruling.proposal));
        Self { left, policies }
    }

    /// The ruling that belongs to a breach of a scope, if there is one: the first that is given no
    /// earlier, about a proposal by which the removal can't have been over, whatever version of the
    /// policy came into force since the breach.
    pub(super) fn on(&self, scope: Scope, breach: i64) -> Option<Ruled> {
        let breach = Timestamp::clamped(breach);
        let is_over = |proposed_at: Timestamp| {
            let in_force = self.policies.in_force().filter(|(when, _)| when.to > breach && when.from <= proposed_at.max(breach));
            in_force.map(|(_, policy)| breach.plus_months(policy.probation_months)).any(|end| end <= proposed_at)
        };
        let belongs = |ruling: &&Ruling| ruling.scope == scope && breach <= ruling.at && !is_over(ruling.proposed_at);
        let ruling = self.left.iter().copied().find(belongs)?;
        Some(Ruled { proposal: ruling.proposal, at: ruling.at.ms(), verdict: ruling.verdict })
    }

    /// A ruling is used once it has acted: one on a breach that no longer waits, because another
    /// region's was worse at a switch, may be about a later breach.
    pub(super) fn use_up(&mut self, ruled: Ruled) {
        self.left.retain(|ruling| ruling.proposal != ruled.proposal);
    }
}

#[cfg(test)]
mod tests {
    use domain::{Policy, Region};

    use super::*;

    #[test]
    fn a_ruling_belongs_to_the_first_breach_that_it_can_be_about() {
        let asin = Asin::new("B1").unwrap();
        let ms = |text: &str| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")).unwrap();
        let ruling = |n: u8, scope, proposed_at: &str, at: &str| Ruling {
            proposal: DecisionId([n; 16]),
            asin: asin.clone(),
            scope,
            proposed_at: ms(proposed_at),
            at: ms(at),
            verdict: Verdict::Refused,
            by: "team".to_owned(),
            note: None,
        };
        let region = Scope::Region(Region::Na);
        let rulings = [
            ruling(1, Scope::Global, "2025-04-01", "2025-04-05"),
            ruling(2, region, "2025-02-01", "2025-02-02"),
            ruling(3, Scope::Global, "2025-02-01", "2025-02-03"),
        ];
        let preset = wire::policy::parse(wire::policy::preset("wwa-2024").unwrap(), "a test").unwrap();
        let later = |version, from: &str, months| {
            let mut policy = preset[0].clone();
            (policy.name.version, policy.effective_from, policy.probation_months) = (version, ms(from), months);
            policy
        };
        let check_by = |versions: Vec<Policy>, breaches: &[(Scope, &str, Option<&str>)]| {
            let policies = Policies::new(versions).unwrap();
            let mut left = Rulings::about(&asin, &rulings, &policies);
            for (scope, breach, expected) in breaches {
                let ruled = left.on(*scope, ms(breach).ms());
                ruled.into_iter().for_each(|ruled| left.use_up(ruled));
                assert_eq!(ruled.map(|ruled| ruled.at), expected.map(|at| ms(at).ms()), "{scope} {breach}");
            }
        };
        let check = |breaches: &[(Scope, &str, Option<&str>)]| check_by(preset.clone(), breaches);
        // Each is used once, in order of time.
        check(&[(Scope::Global, "2025-01-20", Some("2025-02-03")), (Scope::Global, "2025-01-20", Some("2025-04-05"))]);
        // A proposal three months later is about another breach.
        check(&[(Scope::Global, "2025-01-01", Some("2025-02-03")), (Scope::Global, "2025-01-01", None)]);
        // It may be dated earlier: breaches move.
        check(&[(Scope::Global, "2025-04-05", Some("2025-04-05")), (Scope::Global, "2025-04-05", None)]);
        // A ruling comes no earlier than what it is about.
        check(&[(region, "2025-02-02", Some("2025-02-02"))]);
        check(&[(region, "2025-02-03", None), (Scope::Region(Region::Eu), "2025-02-01", None)]);
        // A version that asks for one month only may have ended the removal by then, if it was in force.
        let switch = |from| vec![preset[0].clone(), later(2, from, 1)];
        let first = |expected| [(Scope::Global, "2025-01-20", Some("2025-02-03")), (Scope::Global, "2025-01-20", expected)];
        check_by(switch("2025-04-01"), &first(None));
        check_by(switch("2025-04-02"), &first(Some("2025-04-05")));
    }
}
