//! The log of decisions as far as it is about one product and its manufacturers.

use std::collections::BTreeSet;

use domain::decision::Decision;
use domain::id::{Asin, ManufacturerId};
use domain::time::Timestamp;

/// What was issued about a product, and about suspensions of its manufacturers, in the order in which it was;
/// what was published more than once, once.
pub(super) fn about(all: &[Decision], asin: &Asin, manufacturers: &[&ManufacturerId]) -> Vec<Decision> {
    let (mut ids, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let is_about = |decision: &&Decision| match &decision.asin {
        Some(other) => other == asin,
        // What is told a manufacturer of its skill is no suspension.
        None => decision.evidence.skill.is_none() && manufacturers.contains(&&decision.manufacturer),
    };
    let mut first_time = |decision: &&Decision| {
        let is_new_number = decision.evidence.issued.as_ref().is_none_or(|issued| numbers.insert((issued.by, issued.seq)));
        ids.insert(decision.id) && is_new_number
    };
    let mut out: Vec<Decision> = all.iter().filter(is_about).filter(|decision| first_time(decision)).cloned().collect();
    out.sort_by_key(when);
    out
}

/// What of it was issued by an instant (R26).
pub(super) fn by(about: &[Decision], at: Timestamp) -> impl Iterator<Item = &Decision> {
    about.iter().filter(move |decision| when(decision) <= at)
}

/// When a decision was issued. A bounded run doesn't say: it decides everything as of its instant.
pub(super) fn when(decision: &Decision) -> Timestamp {
    decision.evidence.issued.as_ref().map_or(decision.at, |issued| issued.at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alerting::id::About;
    use domain::decision::{DecisionKind, Evidence, Issued, Issuer, Scope};
    use domain::policy::PolicyName;

    use super::*;

    fn warning(asin: &str, hour: i64, issued: Option<(u64, i64)>) -> Decision {
        let at = |hour: i64| Timestamp::clamped(hour * 3_600_000);
        let about = About { asin: Asin::new(asin), manufacturer: ManufacturerId::new("m-1").unwrap(), scope: Scope::Global };
        let issued = issued.map(|(seq, hour)| Issued { at: at(hour), by: Issuer::Partition(0), seq, inputs: vec![] });
        let evidence = Evidence { issued, ..Evidence::new(PolicyName { id: Arc::from("p"), version: 1 }) };
        about.decide(DecisionKind::Warning, vec![], at(hour), evidence)
    }

    /// The hours of what is about B1, and of those issued by hour 5.
    fn check(all: &[Decision], expected: &[i64], by_five: &[i64]) {
        let asin = Asin::new("B1").unwrap();
        let manufacturer = ManufacturerId::new("m-1").unwrap();
        let found = about(all, &asin, &[&manufacturer]);
        let hours = |decisions: Vec<&Decision>| decisions.iter().map(|decision| decision.at.ms() / 3_600_000).collect::<Vec<_>>();
        assert_eq!(hours(found.iter().collect()), expected);
        assert_eq!(hours(by(&found, Timestamp::clamped(5 * 3_600_000)).collect()), by_five);
    }

    #[test]
    fn repeated_records_count_once() {
        let one = warning("B1", 1, Some((1, 2)));
        check(&[one.clone(), warning("B2", 1, Some((2, 2))), one.clone(), warning("B1", 3, Some((3, 9)))], &[1, 3], &[1]);
        check(&[one, warning("B1", 4, Some((1, 4)))], &[1], &[1]);
        check(&[warning("B1", 7, None), warning("B1", 4, None), warning("B1", 4, None)], &[4, 7], &[4]);
    }
}
