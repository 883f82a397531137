use domain::fact::{ExclusionReason, Terms};
use domain::id::{Asin, ExclusionId, ManufacturerId, Marketplace, RegionSet, SkillId, Subject};
use domain::{EventBody, HealthState, Policies};

use super::*;
use crate::subject::Applied;

/// The preset `wwa-2024`, with states that hold for ever.
pub(crate) fn policy() -> Policy {
    let text = wire::policy::preset("wwa-2024").expect("a preset");
    let mut policy = wire::policy::parse(text, "wwa-2024").expect("a right policy").remove(0);
    policy.state_ttl = None;
    policy
}

fn ms(at: i64) -> Timestamp {
    Timestamp::clamped(at * 60_000)
}

fn span(from: i64, to: i64) -> Interval {
    Interval::new(ms(from), ms(to))
}

fn spans(parts: &[(i64, i64)]) -> IntervalSet {
    parts.iter().map(|&(from, to)| span(from, to)).collect()
}

fn terms(skill: Option<&str>, marketplaces: &[&str]) -> Terms {
    Terms {
        manufacturer: ManufacturerId::new("m-1").expect("an id"),
        brand: None,
        model: None,
        image: None,
        skill: skill.and_then(SkillId::new),
        hub: None,
        marketplaces: marketplaces.iter().filter_map(|code| Marketplace::parse(code)).collect(),
        customers: 0,
    }
}

fn product(enabled: i64, terms: Terms) -> Product {
    Product::new(Asin::new("B1").expect("an id"), ms(enabled), terms)
}

fn down(parts: &[(i64, i64)]) -> SubjectHealth {
    let (mut health, policies) = (SubjectHealth::default(), Policies::from(policy()));
    for &(from, to) in parts {
        for (at, state) in [(from, HealthState::Down), (to, HealthState::Up)] {
            assert_eq!(health.apply(ms(at), EventBody::State(state), &policies), Applied::Changed(ms(at)));
        }
    }
    health
}

fn exclusion(target: ExclusionTarget, from: i64, to: i64) -> Exclusion {
    Exclusion {
        id: ExclusionId::new("x-1").expect("an id"),
        target,
        regions: RegionSet::ALL,
        interval: span(from, to),
        reason: ExclusionReason::Platform,
        approved_by: "team".to_owned(),
    }
}

/// Own and skill downtime in, effective downtime out, in minutes.
fn check(product: &Product, own: &[(i64, i64)], skill: &[(i64, i64)], exclusions: &[Exclusion], expected: &[(i64, i64)]) {
    let (own, skill) = (down(own), down(skill));
    let evidence = gather(product, exclusions, &policy(), ms(1_000), |subject, region| {
        (region == Region::Na).then_some(if subject.kind == SubjectKind::Product { &own } else { &skill })
    });
    assert_eq!(evidence.regions[0].effective, spans(expected));
}

#[test]
fn downtime_is_own_and_dependencies_within_badged_time() {
    let mut linked = product(100, terms(Some("s-1"), &["US"]));
    check(&linked, &[(90, 120)], &[(110, 130)], &[], &[(100, 130)]);
    linked.withdrawn_at = Some(ms(125));
    check(&linked, &[(90, 120)], &[(110, 130)], &[], &[(100, 125)]);
    check(&product(100, terms(None, &["US"])), &[(90, 120)], &[(110, 130)], &[], &[(100, 120)]);
}

#[test]
fn a_dependency_counts_while_the_registry_ties_it() {
    let mut changed = product(0, terms(Some("s-1"), &["US"]));
    changed.change(ms(120), terms(None, &["US"]));
    check(&changed, &[], &[(110, 130)], &[], &[(110, 120)]);
}

#[test]
fn an_exclusion_takes_out_all_downtime_of_whom_it_covers() {
    let linked = product(0, terms(Some("s-1"), &["US"]));
    let skill = ExclusionTarget::Subject(Subject::skill(&SkillId::new("s-1").expect("an id")));
    check(&linked, &[(100, 140)], &[(150, 160)], &[exclusion(skill.clone(), 110, 155)], &[(100, 110), (155, 160)]);
    check(&product(0, terms(None, &["US"])), &[(100, 140)], &[], &[exclusion(skill, 110, 155)], &[(100, 140)]);
    let other = ExclusionTarget::Manufacturer(ManufacturerId::new("m-2").expect("an id"));
    check(&linked, &[(100, 140)], &[], &[exclusion(other, 0, 500)], &[(100, 140)]);
    check(&linked, &[(100, 140)], &[], &[exclusion(ExclusionTarget::All, 120, 500)], &[(100, 120)]);
}

#[test]
fn an_outage_is_a_run_whose_effective_downtime_is_long_enough() {
    let own = down(&[(100, 102), (106, 108), (112, 113), (200, 204), (300, 306)]);
    let of = |exclusions: &[Exclusion]| {
        gather(&product(0, terms(None, &["US"])), exclusions, &policy(), ms(1_000), |_, region| {
            (region == Region::Na).then_some(&own)
        })
        .outages
        .iter()
        .map(|outage| (outage.run, outage.qualified_at))
        .collect::<Vec<_>>()
    };
    assert_eq!(of(&[]), [(span(100, 113), ms(113)), (span(300, 306), ms(305))]);
    let excused = exclusion(ExclusionTarget::All, 106, 107);
    assert_eq!(of(&[excused]), [(span(300, 306), ms(305))], "the run stays whole, but four minutes are no outage");
}

#[test]
fn a_lost_region_keeps_its_evidence_apart() {
    let mut changed = product(0, terms(None, &["US", "DE"]));
    changed.change(ms(150), terms(None, &["DE"]));
    let own = down(&[(100, 200)]);
    let evidence = gather(&changed, &[], &policy(), ms(1_000), |_, _| Some(&own));
    assert_eq!(
        evidence.regions.iter().map(|r| (r.region, r.raw.clone())).collect::<Vec<_>>(),
        [(Region::Eu, spans(&[(100, 200)])), (Region::Na, spans(&[(100, 150)]))]
    );
    assert_eq!(evidence.outages.len(), 1, "runs are merged over all regions");
    let shown = evidence.show(&evidence.outages[0], ms(1_000));
    assert_eq!((shown.run, shown.downtime_ms, shown.open), (span(100, 200), 100 * 60_000, false));
    assert_eq!(shown.regions.iter().collect::<Vec<_>>(), [Region::Eu, Region::Na]);
}
