//! What the programme team said of proposals (R22), and which breach each of it belongs to.

use domain::fact::{Ruling, Verdict};
use domain::{Asin, DecisionId, Scope, Timestamp};

/// The rulings about a product that haven't been used yet, in order of time.
#[derive(Debug)]
pub(super) struct Rulings<'a>(Vec<&'a Ruling>);

/// A ruling on a breach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ruled {
    proposal: DecisionId,
    pub(super) at: i64,
    pub(super) verdict: Verdict,
}

impl<'a> Rulings<'a> {
    /// Those of `rulings`, each given by T, that are about a product.
    pub(super) fn about(asin: &Asin, rulings: &'a [Ruling]) -> Self {
        let mut about: Vec<&Ruling> = rulings.iter().filter(|ruling| ruling.asin == *asin).collect();
        about.sort_by_key(|ruling| (ruling.at, ruling.proposed_at, ruling.proposal));
        Self(about)
    }

    /// The ruling that belongs to a breach of a scope, if there is one: the first that is given no
    /// earlier, about a proposal dated within the months for which the removal would last at least.
    pub(super) fn on(&self, scope: Scope, breach: i64, months: u32) -> Option<Ruled> {
        let end = Timestamp::clamped(breach).plus_months(months);
        let belongs = |ruling: &&Ruling| ruling.scope == scope && breach <= ruling.at.ms() && ruling.proposed_at < end;
        let ruling = self.0.iter().copied().find(belongs)?;
        Some(Ruled { proposal: ruling.proposal, at: ruling.at.ms(), verdict: ruling.verdict })
    }

    /// A ruling is used once it has acted: one on a breach that no longer waits, because another
    /// region's was worse at a switch, may be about a later breach.
    pub(super) fn use_up(&mut self, ruled: Ruled) {
        self.0.retain(|ruling| ruling.proposal != ruled.proposal);
    }
}

#[cfg(test)]
mod tests {
    use domain::Region;

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
        let check = |breaches: &[(Scope, &str, Option<&str>)]| {
            let mut left = Rulings::about(&asin, &rulings);
            for (scope, breach, expected) in breaches {
                let ruled = left.on(*scope, ms(breach).ms(), 3);
                ruled.into_iter().for_each(|ruled| left.use_up(ruled));
                assert_eq!(ruled.map(|ruled| ruled.at), expected.map(|at| ms(at).ms()), "{scope} {breach}");
            }
        };
        // Each is used once, in order of time.
        check(&[(Scope::Global, "2025-01-20", Some("2025-02-03")), (Scope::Global, "2025-01-20", Some("2025-04-05"))]);
        // A proposal three months later is about another breach.
        check(&[(Scope::Global, "2025-01-01", Some("2025-02-03")), (Scope::Global, "2025-01-01", None)]);
        // It may be dated earlier: breaches move.
        check(&[(Scope::Global, "2025-04-05", Some("2025-04-05")), (Scope::Global, "2025-04-05", None)]);
        // A ruling comes no earlier than what it is about.
        check(&[(region, "2025-02-02", Some("2025-02-02"))]);
        check(&[(region, "2025-02-03", None), (Scope::Region(Region::Eu), "2025-02-01", None)]);
    }
}
