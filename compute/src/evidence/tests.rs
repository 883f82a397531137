use domain::fact::{ExclusionReason, Terms};
use domain::id::{Asin, ExclusionId, ManufacturerId, Marketplace, RegionSet, SkillId, Subject};
use domain::policy::Policy;
use domain::time::{DurationMs, MINUTE_MS};
use domain::{EventBody, HealthState};
use proptest::prelude::*;

use super::*;
use crate::subject::SubjectHealth;

/// The preset `wwa-2024`, with states that hold for ever.
pub(crate) fn policy() -> Policy {
    let text = wire::policy::preset("wwa-2024").expect("a preset");
    let mut policy = wire::policy::parse(text, "wwa-2024").expect("a right policy").remove(0);
    policy.state_ttl = None;
    policy
}

fn policies() -> Policies {
    Policies::from(policy())
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
    let mut health = SubjectHealth::default();
    for &(from, to) in parts {
        for (at, state) in [(from, HealthState::Down), (to, HealthState::Up)] {
            assert!(matches!(health.apply(ms(at), EventBody::State(state), &policies()), crate::Applied::Changed(_)));
        }
    }
    health
}

/// Health of the product itself and of its skill, in some regions.
struct Known<'a> {
    own: &'a SubjectHealth,
    skill: &'a SubjectHealth,
    regions: &'a [Region],
}

impl Known<'_> {
    fn of(&self, subject: SubjectRef<'_>, region: Region) -> Option<&SubjectHealth> {
        let found = if subject.kind == SubjectKind::Product { self.own } else { self.skill };
        self.regions.contains(&region).then_some(found)
    }
}

impl Health for Known<'_> {
    fn downtime(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        self.of(subject, region).map(|health| health.downtime(ask)).unwrap_or_default()
    }

    fn measured(&self, subject: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        self.of(subject, region).map(|health| health.measured(ask)).unwrap_or_default()
    }
}

fn gather(product: &Product, exclusions: &[Exclusion], health: &Known<'_>) -> ProductEvidence {
    Gatherer { product, exclusions }.gather(&Policies::from(policy()), ms(1_000), health).by(0).clone()
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
    let evidence = gather(product, exclusions, &Known { own: &own, skill: &skill, regions: &[Region::Na] });
    assert_eq!(evidence.regions[0].effective.set(), &spans(expected));
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
        let health = Known { own: &own, skill: &own, regions: &[Region::Na] };
        let found = gather(&product(0, terms(None, &["US"])), exclusions, &health).outages;
        found.iter().map(|outage| (outage.run, outage.qualified_at)).collect::<Vec<_>>()
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
    let evidence = gather(&changed, &[], &Known { own: &own, skill: &own, regions: &Region::ALL });
    assert_eq!(
        evidence.regions.iter().map(|r| (r.region, r.raw.clone())).collect::<Vec<_>>(),
        [(Region::Eu, spans(&[(100, 200)])), (Region::Na, spans(&[(100, 150)]))]
    );
    assert_eq!(evidence.outages.len(), 1, "runs are merged over all regions");
    let shown = evidence.show(&evidence.outages[0], ms(1_000));
    assert_eq!((shown.run, shown.downtime_ms, shown.open), (span(100, 200), 100 * 60_000, false));
    assert_eq!(shown.regions.iter().collect::<Vec<_>>(), [Region::Eu, Region::Na]);
}

/// What happens between two looks at the evidence.
#[derive(Clone, Debug)]
enum Step {
    /// An event at a millisecond, of the product or its skill.
    Event(i64, bool, EventBody),
    /// An exclusion is approved.
    Excluded(i64, i64, bool),
    /// The last exclusion is taken back.
    Revoked,
    /// Time passes.
    Wait(i64),
}

/// Most of what happens lies within these minutes.
const MINUTES: i64 = 40;

fn step() -> impl Strategy<Value = Step> {
    let within = 0..MINUTES * MINUTE_MS;
    // Half of all instants are whole minutes, where slices and states meet.
    let instant = (within, any::<bool>()).prop_map(|(at, whole)| if whole { at - at % MINUTE_MS } else { at });
    let body = prop_oneof![
        (0..25_u32, 0..60_u32).prop_map(|(ok, failed)| EventBody::Outcome { ok, failed }),
        prop::sample::select(vec![HealthState::Up, HealthState::Down, HealthState::Maintenance, HealthState::Unknown])
            .prop_map(EventBody::State),
    ];
    prop_oneof![
        6 => (instant, any::<bool>(), body).prop_map(|(at, own, body)| Step::Event(at, own, body)),
        1 => (0..MINUTES, 1..10_i64, any::<bool>()).prop_map(|(from, len, all)| Step::Excluded(from, from + len, all)),
        1 => Just(Step::Revoked),
        4 => (0..5 * MINUTE_MS).prop_map(Step::Wait),
    ]
}

/// Takes a step in; returns the instant from which on evidence may have changed.
fn take(
    step: &Step,
    (own, skill): (&mut SubjectHealth, &mut SubjectHealth),
    exclusions: &mut Vec<Exclusion>,
    policies: &Policies,
) -> Option<Timestamp> {
    match step {
        Step::Event(at, is_own, body) => {
            let at = Timestamp::clamped(*at);
            match if *is_own { own } else { skill }.apply(at, *body, policies) {
                crate::Applied::Changed(from) => Some(from),
                crate::Applied::Unchanged => None,
                crate::Applied::Absent(page) => panic!("{page:?} has left memory"),
            }
        }
        Step::Excluded(from, to, all) => {
            let skill = ExclusionTarget::Subject(Subject::skill(&SkillId::new("s-1").expect("an id")));
            let mut found = exclusion(if *all { ExclusionTarget::All } else { skill }, *from, *to);
            found.id = ExclusionId::new(&format!("x-{}", exclusions.len())).expect("an id");
            exclusions.push(found);
            Some(ms(*from))
        }
        Step::Revoked => exclusions.pop().map(|exclusion| exclusion.interval.from),
        Step::Wait(_) => None,
    }
}

proptest! {
    #[test]
    fn grown_in_steps_it_is_what_gathering_anew_finds(
        steps in prop::collection::vec(step(), 1..40), ttl in prop::option::of(0..10 * MINUTE_MS), gap in 0..4 * MINUTE_MS,
        forget in prop::option::of(0..MINUTES * MINUTE_MS),
    ) {
        let mut linked = product(3, terms(Some("s-1"), &["US", "DE"]));
        linked.change(ms(12), terms(None, &["DE"]));
        linked.change(ms(20), terms(Some("s-1"), &["US"]));
        linked.withdrawn_at = Some(ms(MINUTES - 4));
        let rules = EvidenceRules { merge_gap: DurationMs(gap), min_duration: DurationMs(90_000), state_ttl: ttl.map(DurationMs) };
        let policies = Policies::from(Policy { state_ttl: rules.state_ttl, ..policy() });
        let anew = |gatherer: &Gatherer<'_>, until: Timestamp, health: &Known<'_>| {
            let mut evidence = ProductEvidence::new(rules);
            gatherer.grow(&mut evidence, Timestamp::MIN, until, health);
            evidence
        };
        let (mut own, mut skill, mut exclusions) = (SubjectHealth::default(), SubjectHealth::default(), Vec::new());
        let mut grown = ProductEvidence::new(rules);
        let mut until = Timestamp::MIN;
        for step in &steps {
            let changed = take(step, (&mut own, &mut skill), &mut exclusions, &policies);
            if let Step::Wait(length) = step {
                until = until + DurationMs(*length);
            }
            let health = Known { own: &own, skill: &skill, regions: &Region::ALL };
            let gatherer = Gatherer { product: &linked, exclusions: &exclusions };
            gatherer.grow(&mut grown, changed.unwrap_or(Timestamp::MAX), until, &health);
            prop_assert_eq!(&grown, &anew(&gatherer, until, &health));
        }
        if let Some(before) = forget.map(Timestamp::clamped).filter(|before| *before <= until) {
            let whole = grown.clone();
            grown.forget(before);
            let health = Known { own: &own, skill: &skill, regions: &Region::ALL };
            let gatherer = Gatherer { product: &linked, exclusions: &exclusions };
            gatherer.grow(&mut grown, Timestamp::MIN, until + DurationMs(1), &health);
            let rest = Interval::new(before, Timestamp::MAX);
            let whole_again = anew(&gatherer, until + DurationMs(1), &health);
            prop_assert_eq!(grown.effective.set().clip(rest), whole_again.effective.set().clip(rest));
            let reaching = |run: &&Interval| run.to.saturating_add(rules.merge_gap) >= before;
            prop_assert!(whole.runs.iter().filter(reaching).all(|run| grown.runs.iter().any(|kept| kept.from == run.from)));
            prop_assert!(grown.effective.set().iter().all(|left| left.to > grown.since));
        }
    }
}
