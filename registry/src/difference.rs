//! From which instant on a registry says something else about a product than another did.

use domain::fact::{Exclusion, ExclusionTarget, Terms};
use domain::id::Asin;
use domain::interval::Interval;
use domain::product::Product;
use domain::time::Timestamp;

use crate::resolved::{Registry, subjects_of};

/// The earliest instant from which on a product's life may be another; `None` if nothing about it
/// differs. A product that is new in `now` differs from the beginning of time.
///
/// Revocations act when T reaches them (ADR 5), so they are told apart by [`revoked_between`].
#[must_use]
pub fn differs_from(before: &Registry, now: &Registry, asin: &Asin) -> Option<Timestamp> {
    let product = now.products.get(asin)?;
    let Some(old) = before.products.get(asin) else { return Some(Timestamp::MIN) };
    let skills = |registry: &Registry| registry.skill_listings_of(product).cloned().collect::<Vec<_>>();
    [
        badge(old, product),
        first_only_in_one(&covering(before, old), &covering(now, product), |exclusion| exclusion.interval.from),
        first_only_in_one(of(&before.listings, asin), of(&now.listings, asin), |listing| listing.at),
        first_only_in_one(&skills(before), &skills(now), |listing| listing.at),
        first_only_in_one(of(&before.rulings, asin), of(&now.rulings, asin), |ruling| ruling.proposed_at.min(ruling.at)),
    ]
    .into_iter()
    .flatten()
    .min()
}

/// The exclusions whose revocation acts at an instant in `(after, until]`, or has become known since an
/// older registry and acts by `until`.
pub fn revoked_between<'r>(
    before: Option<&'r Registry>,
    now: &'r Registry,
    after: Option<Timestamp>,
    until: Timestamp,
) -> impl Iterator<Item = &'r Exclusion> {
    let acts = move |exclusion: &&Exclusion| {
        let at = now.revoked.get(&exclusion.id).filter(|at| **at <= until);
        let is_news = before.is_some_and(|before| !before.revoked.contains_key(&exclusion.id));
        at.is_some_and(|at| is_news || after.is_none_or(|after| *at > after))
    };
    now.exclusions.iter().filter(acts)
}

/// Whether an exclusion's target is or was a product, at any instant (R7).
#[must_use]
pub fn may_cover(target: &ExclusionTarget, product: &Product) -> bool {
    match target {
        ExclusionTarget::All => true,
        ExclusionTarget::Subject(subject) => subjects_of(product).any(|own| own == *subject),
        ExclusionTarget::Manufacturer(manufacturer) => product.manufacturers().any(|own| own == manufacturer),
    }
}

fn badge(old: &Product, now: &Product) -> Option<Timestamp> {
    let ends = |product: &Product| product.withdrawn_at.unwrap_or(Timestamp::MAX);
    let enabled = (old.enabled_at != now.enabled_at).then(|| old.enabled_at.min(now.enabled_at));
    let withdrawn = (ends(old) != ends(now)).then(|| ends(old).min(ends(now)));
    let versions = |product: &Product| product.terms().map(|(interval, terms)| (interval, terms.clone())).collect::<Vec<_>>();
    let (old, now): (Vec<(Interval, Terms)>, Vec<(Interval, Terms)>) = (versions(old), versions(now));
    let same = old.iter().zip(&now).take_while(|(a, b)| (a.0.from, &a.1) == (b.0.from, &b.1)).count();
    let changed = [old.get(same), now.get(same)].into_iter().flatten().map(|(interval, _)| interval.from).min();
    [enabled, withdrawn, changed].into_iter().flatten().min()
}

fn covering(registry: &Registry, product: &Product) -> Vec<Exclusion> {
    registry.exclusions.iter().filter(|exclusion| may_cover(&exclusion.target, product)).cloned().collect()
}

fn of<'r, T>(by_asin: &'r std::collections::BTreeMap<Asin, Vec<T>>, asin: &Asin) -> &'r [T] {
    by_asin.get(asin).map(Vec::as_slice).unwrap_or_default()
}

fn first_only_in_one<T: PartialEq>(a: &[T], b: &[T], at: impl Fn(&T) -> Timestamp) -> Option<Timestamp> {
    let only_in = |one: &[T], other: &[T]| one.iter().filter(|item| !other.contains(item)).map(&at).min();
    [only_in(a, b), only_in(b, a)].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ledger;

    const BADGE: &str = r#"{"type":"badge","asin":"B1","manufacturer":"m-1","skill":"s-1","marketplaces":["US"],"enabled_at":5}"#;
    const OTHER: &str = r#"{"type":"badge","asin":"B2","manufacturer":"m-2","marketplaces":["US"],"enabled_at":5}"#;

    fn registry(lines: &[&str]) -> Registry {
        let mut ledger = Ledger::default();
        for (number, line) in (1..).zip([OTHER].iter().chain(lines)) {
            ledger.add(number, wire::fact::parse(line.as_bytes()).expect("a valid line")).expect("no contradiction");
        }
        ledger.resolve().0
    }

    fn check(before: &[&str], added: &str, expected: Option<i64>) {
        let now = registry(&[before, &[added]].concat());
        let asin = Asin::new("B1").expect("an id");
        assert_eq!(differs_from(&registry(before), &now, &asin).map(Timestamp::ms), expected, "{added}");
        assert_eq!(differs_from(&now, &now, &asin), None);
    }

    #[test]
    fn a_product_differs_from_the_instant_on_from_which_something_about_it_does() {
        check(&[], BADGE, Some(0));
        check(&[BADGE], r#"{"type":"badge","asin":"B1","at":50,"skill":"s-2"}"#, Some(50));
        check(&[BADGE], r#"{"type":"badge","asin":"B2","at":50,"skill":"s-2"}"#, None);
        check(&[BADGE], r#"{"type":"badge_withdrawn","asin":"B1","at":60}"#, Some(60));
        check(&[BADGE], r#"{"type":"listing","asin":"B1","marketplace":"US","at":70,"status":"live"}"#, Some(70));
        check(&[BADGE], r#"{"type":"listing","asin":"B2","marketplace":"US","at":70,"status":"live"}"#, None);
        check(&[BADGE], r#"{"type":"skill_listing","skill":"s-1","marketplace":"US","at":80,"status":"published"}"#, Some(80));
        let exclusion = |target: &str| {
            format!(
                r#"{{"type":"exclusion","id":"x","applies_to":{{{target}}},"from":90,"to":95,"reason":"platform","approved_by":"t"}}"#
            )
        };
        check(&[BADGE], &exclusion(r#""all":true"#), Some(90));
        check(&[BADGE], &exclusion(r#""subject":"skill:s-1""#), Some(90));
        check(&[BADGE], &exclusion(r#""manufacturer":"m-1""#), Some(90));
        check(&[BADGE], &exclusion(r#""manufacturer":"m-2""#), None);
    }

    #[test]
    fn a_revocation_counts_once_when_t_reaches_it_or_it_comes_late() {
        let exclusion =
            r#"{"type":"exclusion","id":"x","applies_to":{"all":true},"from":90,"to":95,"reason":"platform","approved_by":"t"}"#;
        let before = registry(&[BADGE, exclusion]);
        let now = registry(&[BADGE, exclusion, r#"{"type":"exclusion_revoked","id":"x","at":100,"by":"t"}"#]);
        let at = |ms: i64| Timestamp::clamped(ms);
        let count =
            |old: Option<&Registry>, after: i64, until: i64| revoked_between(old, &now, Some(at(after)), at(until)).count();
        assert_eq!(count(None, 98, 99), 0);
        assert_eq!(count(None, 99, 100), 1);
        assert_eq!(count(None, 100, 101), 0);
        assert_eq!(count(Some(&before), 200, 201), 1, "it came late");
        assert_eq!(count(Some(&before), 50, 60), 0, "it acts later");
    }
}
