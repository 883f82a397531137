//! A product whose state turns every second for a day, judged each minute: exact, and as cheap at
//! the day's end as at its beginning.

use alerting::{Case, Life};
use compute::{Ask, Gatherer, Health};
use domain::Catalogue;
use domain::evidence::EvidenceByVersion;
use domain::policy::Policies;
use domain::{Fact, Interval, IntervalSet, Product, Region, SubjectRef, Timestamp};

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 1_440;
/// What the sets of a day may take when they grow. Copied once a minute they would take a hundred
/// times as much in three hours.
const GROWTH_BYTES_MAX: u64 = 32 << 20;
/// 2025-03-01, and the badge is on for a day by then.
const START: i64 = 1_740_787_200_000;
const BADGE: &[u8] =
    br#"{"type":"badge","asin":"B1","manufacturer":"m-1","marketplaces":["US"],"enabled_at":"2025-02-28T00:00:00Z"}"#;

/// Down in every other second of the day.
struct Blips;

impl Health for Blips {
    fn downtime(&self, _: SubjectRef<'_>, region: Region, ask: Ask) -> IntervalSet {
        let day = Interval::new(Timestamp::clamped(START), Timestamp::clamped(START + DAY_MINUTES * MINUTE_MS));
        let within = day.intersect(ask.within);
        let mut out = IntervalSet::new();
        let first = within.from.ms().div_euclid(2_000) * 2_000;
        let mut at = if region == Region::Na { first } else { within.to.ms() };
        while at < within.to.ms() {
            out.push(Interval::new(Timestamp::clamped(at), Timestamp::clamped(at + 1_000)).intersect(within));
            at += 2_000;
        }
        out
    }

    fn measured(&self, _: SubjectRef<'_>, _: Region, ask: Ask) -> IntervalSet {
        IntervalSet::from(ask.within)
    }
}

fn product() -> Product {
    let Ok(Fact::Badge(badge)) = wire::fact::parse(BADGE) else { panic!("a badge") };
    Product::new(badge.asin, badge.enabled_at, badge.terms)
}

/// Policies under which the badge stays on, and under which it doesn't.
fn policies(target: &str) -> Policies {
    let text = wire::policy::preset("wwa-2024").expect("a preset").replace("99.93%", target);
    wire::policy::parse(&text, "wwa-2024").expect("a right policy").remove(0).into()
}

/// Follows the product through its day. Yields how often, and how many bytes, each minute allocates.
fn follow(policies: &Policies) -> Vec<(u64, u64)> {
    let (product, certification) = (product(), Catalogue::default());
    let gatherer = Gatherer { product: &product, exclusions: &[] };
    let (mut life, mut evidence) = (Life::new(), EvidenceByVersion::new(policies));
    let judge = |life: &mut Life, evidence: &EvidenceByVersion, at| {
        life.advance(&Case { policies, product: &product, evidence, certification: &certification, rulings: &[] }, at)
    };
    (0..DAY_MINUTES)
        .map(|minute| {
            // Not at whole minutes: the last one is always under way.
            let at = Timestamp::clamped(START + minute * MINUTE_MS + 30_500);
            let mut judgement = None;
            let info = allocation_counter::measure(|| {
                gatherer.grow_all(&mut evidence, at, at, &Blips);
                life.invalidate(at);
                judgement = Some(judge(&mut life, &evidence, at));
            });
            if minute % 240 == 239 || minute == 7 {
                let anew = gatherer.gather(policies, at, &Blips);
                let mut whole = Life::new();
                assert_eq!(judgement, Some(judge(&mut whole, &anew, at)), "minute {minute}");
                let (mut found, mut expected) = (life.decisions().to_vec(), whole.decisions().to_vec());
                alerting::in_order(&mut found);
                alerting::in_order(&mut expected);
                assert_eq!(found, expected, "minute {minute}");
            }
            (info.count_total, info.bytes_total)
        })
        .collect()
}

/// The work of a minute doesn't grow with the day before it.
fn check(target: &str) {
    let minutes = follow(&policies(target));
    let sum = |part: &[(u64, u64)]| part.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let (early, late) = (sum(&minutes[60..240]), sum(&minutes[1_260..]));
    assert!(late.0 * 2 < early.0 * 3, "{target}: {early:?} allocations and bytes in three hours became {late:?}");
    assert!(late.1 < early.1 * 2 + GROWTH_BYTES_MAX, "{target}: {early:?} allocations and bytes in three hours became {late:?}");
}

#[test]
fn the_work_of_a_minute_does_not_grow_with_its_day() {
    check("10%");
    check("99.93%");
}
