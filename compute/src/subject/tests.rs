mod oracle;

use std::collections::BTreeMap;

use domain::health::{HourRun, MinuteRuns, StateRun, StateRuns};
use domain::id::Region;
use domain::page::{PAGE_MS, PageParts};
use domain::policy::Policy;
use domain::ratio::Ppm;
use domain::time::DAY_MS;
use proptest::prelude::*;
use wire::stored::head::Head;

use super::*;
use crate::evidence::tests::policy;
use HealthState::{Down, Maintenance, Unknown, Up};
use oracle::Oracle;

/// All events lie in so many pages.
const PAGES: i64 = 4;

fn ms(at: i64) -> Timestamp {
    Timestamp::clamped(at)
}

fn always(state_ttl: Option<DurationMs>) -> Ask {
    Ask { within: Interval::ALWAYS, until: Timestamp::MAX, state_ttl }
}

/// A subject whose owner keeps what leaves memory in its stored form.
#[derive(Default)]
struct Owned {
    health: SubjectHealth,
    store: BTreeMap<PageNo, Vec<u8>>,
}

impl Owned {
    fn load(&mut self, no: PageNo) {
        let parts = self.store.get(&no).map(|bytes| wire::stored::page::read(bytes).expect("what was written"));
        self.health.load(no, parts.as_ref().map(Page::from));
    }

    fn evict(&mut self, before: Timestamp) {
        for (no, page) in self.health.evict(before) {
            assert!(no.interval().to <= before, "page {no:?} reaches beyond {before}");
            self.keep(no, &page);
        }
    }

    /// Stores the pages that changed; yields the head that goes with them.
    fn store(&mut self) -> Vec<u8> {
        for (no, page) in self.health.changed_pages() {
            self.keep(no, &page);
        }
        assert!(self.health.changed_pages().is_empty(), "they are stored");
        wire::stored::head::write(&Head { health: vec![(Region::Na, self.health.to_parts())], ..Head::default() })
    }

    fn restart(&mut self) {
        let head = wire::stored::head::read(&self.store()).expect("what was written");
        let (_, parts) = head.health.into_iter().next().expect("one region");
        self.health = SubjectHealth::from_parts(parts.clone()).expect("parts of a subject");
        assert_eq!(self.health.to_parts(), parts);
    }

    fn keep(&mut self, no: PageNo, page: &Page) {
        self.store.insert(no, wire::stored::page::write(&PageParts::from(page)));
    }

    fn apply(&mut self, at: Timestamp, body: EventBody, policies: &Policies) -> Applied {
        let applied = self.health.apply(at, body, policies);
        let Applied::Absent(no) = applied else { return applied };
        assert_eq!(no, PageNo::of(at));
        self.load(no);
        self.health.apply(at, body, policies)
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Event(Timestamp, EventBody),
    Evict(Timestamp),
    Load(PageNo),
    Forget(Timestamp),
    /// The head and the pages that changed are stored; nothing else happens.
    Store,
    /// They are stored, and restored by another process.
    Restart,
}

/// Near the pages' edges they are dense, so that they meet.
fn instants() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        3 => (0..PAGES, 0..20_i64).prop_map(|(page, steps)| ms(page * PAGE_MS + steps * 20_000)),
        1 => (1..PAGES, 1..9_i64).prop_map(|(page, steps)| ms(page * PAGE_MS - steps * 20_000)),
        1 => (0..PAGES, 0..6_i64).prop_map(|(page, offset)| ms(page * PAGE_MS + offset)),
        1 => (0..PAGES * PAGE_MS / 600_000).prop_map(|steps| ms(steps * 600_000)),
        1 => (0..PAGES * PAGE_MS).prop_map(ms),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![(0..15_u32, 0..15_u32), (Just(0_u32), 5..30_u32)];
    let body = prop_oneof![
        outcome.prop_map(|(ok, failed)| EventBody::Outcome { ok, failed }),
        prop::sample::select(&HealthState::ALL[..]).prop_map(EventBody::State),
    ];
    prop_oneof![
        16 => (instants(), body).prop_map(|(at, body)| Step::Event(at, body)),
        3 => instants().prop_map(Step::Evict),
        1 => instants().prop_map(|at| Step::Load(PageNo::of(at))),
        1 => instants().prop_map(Step::Forget),
        1 => Just(Step::Store),
        1 => Just(Step::Restart),
    ]
}

fn ttls() -> impl Strategy<Value = Option<DurationMs>> {
    const LENGTHS_MS: [i64; 7] = [0, 1, 20_000, 60_000, 600_000, PAGE_MS, PAGE_MS * 3 / 2];
    prop::option::weighted(0.8, prop::sample::select(&LENGTHS_MS[..]).prop_map(DurationMs))
}

fn policies() -> impl Strategy<Value = Policies> {
    let version = (instants(), 1..20_u32, 0..=1_000_000_u32, ttls());
    prop::collection::vec(version, 1..=3).prop_filter_map("two versions at one instant", |versions| {
        let version = |(effective_from, min_attempts, down_ratio, state_ttl)| {
            let down_ratio = Ppm::new(down_ratio).expect("at most one whole");
            Policy { effective_from, min_attempts, down_ratio, state_ttl, ..policy() }
        };
        Policies::new(versions.into_iter().map(version).collect())
    })
}

/// The stretch, T, and of which version.
type Question = (Timestamp, Timestamp, Timestamp, prop::sample::Index);

fn questions() -> impl Strategy<Value = Question> {
    (instants(), instants(), instants(), any::<prop::sample::Index>())
}

fn first_difference(a: &IntervalSet, b: &IntervalSet) -> Option<Timestamp> {
    a.subtract(b).union(&b.subtract(a)).iter().next().map(|interval| interval.from)
}

/// Everything that the versions see, whole: downtime and measured time for each.
fn whole(health: &SubjectHealth, policies: &Policies) -> Vec<IntervalSet> {
    let asks = policies.versions().iter().map(|version| always(version.state_ttl));
    asks.flat_map(|ask| [health.downtime(ask), health.measured(ask)]).collect()
}

fn take(step: Step, owned: &mut Owned, oracle: &mut Oracle, policies: &Policies) -> Result<(), TestCaseError> {
    let before = whole(&owned.health, policies);
    let applied = match step {
        Step::Event(at, body) => {
            oracle.apply(at, body);
            owned.apply(at, body, policies)
        }
        Step::Evict(at) => {
            oracle.evict(at);
            owned.evict(at);
            Applied::Unchanged
        }
        Step::Load(no) => {
            oracle.load(no);
            owned.load(no);
            Applied::Unchanged
        }
        Step::Store => {
            owned.store();
            Applied::Unchanged
        }
        Step::Restart => {
            oracle.restart();
            owned.restart();
            Applied::Unchanged
        }
        Step::Forget(at) => {
            oracle.forget(at);
            owned.health.forget(at);
            return Ok(());
        }
    };
    let after = whole(&owned.health, policies);
    let first = before.iter().zip(&after).filter_map(|(before, after)| first_difference(before, after)).min();
    match applied {
        Applied::Unchanged => prop_assert_eq!(first, None),
        Applied::Changed(from) => {
            prop_assert!(first.is_none_or(|first| from <= first), "{:?} differs from {:?} on", applied, first);
        }
        Applied::Absent(_) => prop_assert!(false, "absent after it was loaded"),
    }
    Ok(())
}

fn compare(owned: &Owned, oracle: &Oracle, policies: &Policies, question: &Question) -> Result<(), TestCaseError> {
    let &(a, b, until, version) = question;
    let (health, within) = (&owned.health, Interval::new(a.min(b), a.max(b)));
    let state_ttl = version.get(policies.versions()).state_ttl;
    for ask in [Ask { within, until, state_ttl }, always(state_ttl)] {
        prop_assert_eq!(health.downtime(ask), oracle.downtime(ask, policies), "downtime, {:?}", ask);
        prop_assert_eq!(health.measured(ask), oracle.measured(ask, policies), "measured, {:?}", ask);
        prop_assert_eq!(health.down_minutes(ask.within), oracle.down_minutes(ask.within, policies), "minutes, {:?}", ask.within);
        let states = oracle.down_states(ask.within, state_ttl);
        prop_assert_eq!(health.down_states(ask.within, state_ttl), states, "states, {:?}", ask);
    }
    prop_assert_eq!(health.attempts(within), oracle.attempts(within), "attempts in {:?}", within);
    let maintained = oracle.maintenance(until, policies);
    prop_assert_eq!(health.maintenance(until, policies), maintained, "maintenance until {}", until);
    let ever = oracle.maintenance(Timestamp::MAX, policies);
    prop_assert!(ever.is_empty() || health.has_maintenance());
    let just_before = a.saturating_sub(DurationMs(1));
    if health.remembers_from() <= just_before && just_before < a {
        prop_assert_eq!(health.is_maintained_before(a, policies), ever.contains(just_before), "maintained before {}", a);
    }
    prop_assert_eq!(health.state_before(a).map(PageNo::of), oracle.page_before(a), "before {}", a);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Restarts among them: what comes back answers as what went on.
    #[test]
    fn whatever_leaves_memory_answers_stay_those_of_all_events(
        policies in policies(),
        steps in prop::collection::vec((steps(), questions()), 1..60),
    ) {
        let (mut owned, mut oracle) = (Owned::default(), Oracle::default());
        for (step, question) in steps {
            take(step, &mut owned, &mut oracle, &policies)?;
            compare(&owned, &oracle, &policies, &question)?;
        }
    }
}

fn check(ttl: Option<i64>, states: &[(i64, HealthState)], down: &[(i64, i64)], measured: &[(i64, i64)]) {
    let mut policy = policy();
    policy.state_ttl = ttl.map(DurationMs);
    let ask = Ask { within: Interval::ALWAYS, until: ms(1_000), state_ttl: policy.state_ttl };
    let policies = Policies::from(policy);
    let set = |parts: &[(i64, i64)]| parts.iter().map(|&(a, b)| Interval::new(ms(a), ms(b))).collect::<IntervalSet>();
    let mut orders = vec![states.to_vec(), states.to_vec()];
    orders[1].reverse();
    for order in orders {
        let mut owned = Owned::default();
        for (at, state) in order {
            let _ = owned.apply(ms(at), EventBody::State(state), &policies);
        }
        assert_eq!(owned.health.downtime(ask), set(down), "downtime of {states:?}");
        assert_eq!(owned.health.measured(ask), set(measured), "measured of {states:?}");
    }
}

#[test]
fn a_state_holds_to_the_next_at_most_its_ttl() {
    check(Some(100), &[(10, Down)], &[(10, 110)], &[(10, 110)]);
    check(None, &[(10, Down)], &[(10, 1_000)], &[(10, 1_000)]);
    check(Some(100), &[(10, Down), (60, Down), (90, Up)], &[(10, 90)], &[(10, 190)]);
    check(Some(100), &[(10, Up), (60, Unknown), (90, Maintenance)], &[(90, 190)], &[(10, 60), (90, 190)]);
    check(None, &[(10, Up), (2_000, Down)], &[], &[(10, 1_000)]);
}

#[test]
fn the_worst_of_one_instant_holds() {
    check(Some(10), &[(10, Up), (10, Down), (10, Maintenance), (10, Unknown)], &[(10, 20)], &[(10, 20)]);
    check(Some(10), &[(10, Up), (10, Unknown)], &[], &[]);
    check(Some(10), &[(10, Maintenance), (10, Unknown)], &[(10, 20)], &[(10, 20)]);
}

#[test]
fn a_minute_changes_things_when_its_verdict_does_and_counts_once_it_has_ended() {
    let (mut health, policies) = (SubjectHealth::default(), Policies::from(policy()));
    let (start, end) = (ms(7 * MINUTE_MS), ms(8 * MINUTE_MS));
    let mut add = |ok, failed| health.apply(ms(start.ms() + 500), EventBody::Outcome { ok, failed }, &policies);
    assert_eq!(add(0, 19), Applied::Unchanged, "19 attempts aren't judged");
    assert_eq!(add(0, 1), Applied::Changed(start), "judged and down");
    assert_eq!(add(0, 1), Applied::Unchanged);
    assert_eq!(add(2, 0), Applied::Changed(start), "judged and not down");
    assert_eq!(add(2, 0), Applied::Unchanged);
    assert_eq!(add(0, 1_000), Applied::Changed(start), "down again");
    let ask = |until| Ask { within: Interval::ALWAYS, until, state_ttl: None };
    assert!(health.downtime(ask(ms(end.ms() - 1))).is_empty());
    assert_eq!(health.downtime(ask(end)), Interval::new(start, end).into());
    assert_eq!(health.down_minutes(Interval::ALWAYS), Interval::new(start, end).into());
}

#[test]
fn counts_beyond_32_bits_stay_exact() {
    let (mut health, policies) = (SubjectHealth::default(), Policies::from(policy()));
    let mut is_down = |ok, failed| {
        let _ = health.apply(ms(500), EventBody::Outcome { ok, failed }, &policies);
        !health.downtime(always(None)).is_empty()
    };
    assert!(is_down(0, u32::MAX));
    assert!(is_down(u32::MAX / 20, 0), "more than 95 % failed");
    assert!(is_down(0, u32::MAX), "the failures must not wrap around to almost none");
    assert!(!is_down(u32::MAX / 10, 0), "more than 5 % are fine again");
}

#[test]
fn a_page_is_stored_only_when_it_changed() {
    let (mut owned, policies) = (Owned::default(), Policies::from(policy()));
    let late = EventBody::Outcome { ok: 1, failed: 0 };
    assert_eq!(owned.apply(ms(5), late, &policies), Applied::Unchanged, "too few attempts");
    let evicted = |owned: &mut Owned| owned.health.evict(ms(2 * PAGE_MS)).into_iter().map(|(no, _)| no).collect::<Vec<_>>();
    owned.evict(ms(PAGE_MS));
    assert_eq!(owned.health.apply(ms(5), late, &policies), Applied::Absent(PageNo::new(0)));
    for no in [0, 1] {
        owned.load(PageNo::new(no));
    }
    assert_eq!(evicted(&mut owned), [], "loaded and not changed, or never stored and empty");
    assert_eq!(owned.apply(ms(5), late, &policies), Applied::Unchanged);
    assert_eq!(evicted(&mut owned), [PageNo::new(0)]);
    assert!(owned.health.is_empty(), "no verdict and no state: nothing remains");
}

#[test]
fn a_restored_subject_asks_for_every_page_that_may_be_stored() {
    let (mut owned, policies) = (Owned::default(), Policies::from(policy()));
    let outcome = EventBody::Outcome { ok: 20, failed: 0 };
    let _ = owned.apply(ms(3 * PAGE_MS), outcome, &policies);
    owned.restart();
    assert!(owned.store.contains_key(&PageNo::new(3)));
    for page in 0..4_u32 {
        let at = PageNo::new(page).start();
        assert_eq!(owned.health.apply(at, outcome, &policies), Applied::Absent(PageNo::new(page)));
    }
    assert_eq!(owned.health.attempts(Interval::new(ms(3 * PAGE_MS), ms(4 * PAGE_MS))), None);
    assert_eq!(owned.health.apply(ms(4 * PAGE_MS), outcome, &policies), Applied::Changed(ms(4 * PAGE_MS)), "none was ever made");
    owned.load(PageNo::new(3));
    assert_eq!(owned.health.apply(ms(3 * PAGE_MS), outcome, &policies), Applied::Unchanged, "judged as it was");
    let attempts = owned.health.attempts(Interval::new(ms(3 * PAGE_MS), ms(4 * PAGE_MS)));
    assert_eq!(attempts, Some(Attempts { ok: 40, failed: 0 }));
}

#[test]
fn parts_that_contradict_each_other_are_refused() {
    let check = |forgotten: u32, horizon: u32, hour: u32, state_at: i64, expected: bool| {
        let minutes = MinuteRuns::new(vec![HourRun { hour, hours: 4, bits: 1 }]).expect("sound");
        let states = StateRuns::new(vec![StateRun { from: ms(state_at), lasts_ms: 0, state: Up }]).expect("sound");
        let (forgotten, horizon) = (PageNo::new(forgotten), PageNo::new(horizon));
        let rest = HealthParts { forgotten, horizon, states, ..HealthParts::default() };
        let down = HealthParts { down: minutes.clone(), ..rest.clone() };
        for parts in [down, HealthParts { judged: minutes, ..rest }] {
            assert_eq!(SubjectHealth::from_parts(parts.clone()).is_some(), expected, "{parts:?}");
        }
    };
    check(1, 2, 4, 0, true);
    check(2, 2, 4, 0, false);
    check(0, 1, 4, 0, false);
    check(0, 2, 5, 0, false);
    check(0, 2, 4, 2 * PAGE_MS, false);
    check(u32::MAX, u32::MAX, 4, 0, false);
    assert!(SubjectHealth::from_parts(HealthParts::default()).is_some());
}

/// What is not the states' own.
const REST_BYTES_MAX: usize = 4_096;

#[test]
fn a_state_every_second_for_a_day_is_exact_in_bounded_memory() {
    const SECONDS: usize = 86_400;
    let mut policy = policy();
    policy.state_ttl = Some(DurationMs(3_600_000));
    let ask = always(policy.state_ttl);
    let policies = Policies::from(policy);
    let mut owned = Owned::default();
    let instants = (0..SECONDS).zip((0..).step_by(1_000));
    for ((second, at), state) in instants.zip([Down, Up].into_iter().cycle()) {
        assert_eq!(owned.apply(ms(at), EventBody::State(state), &policies), Applied::Changed(ms(at)));
        let bytes = owned.health.resident_bytes();
        assert!(bytes <= REST_BYTES_MAX + (second + 1) * STATE_BYTES_MAX, "{bytes} after {second} s");
    }
    let down: IntervalSet = (0..DAY_MS / 2_000).map(|pair| Interval::new(ms(pair * 2_000), ms(pair * 2_000 + 1_000))).collect();
    assert_eq!(owned.health.downtime(ask), down);
    owned.evict(ms(DAY_MS));
    let bytes = owned.health.resident_bytes();
    assert!(bytes <= REST_BYTES_MAX + SECONDS * STATE_LEFT_BYTES_MAX, "{bytes} without pages");
    assert_eq!(owned.apply(ms(10_500), EventBody::State(Down), &policies), Applied::Unchanged, "down anyway to 11 s");
    assert_eq!(owned.apply(ms(11_500), EventBody::State(Down), &policies), Applied::Changed(ms(11_500)));
    assert_eq!(owned.health.downtime(ask).ms(), down.ms() + 500);
}

#[test]
fn a_state_renewed_every_second_leaves_little() {
    let (mut owned, policies) = (Owned::default(), Policies::from(policy()));
    for at in (0..DAY_MS).step_by(1_000) {
        let _ = owned.apply(ms(at), EventBody::State(Up), &policies);
    }
    owned.evict(ms(DAY_MS));
    let pages = usize::try_from(DAY_MS / PAGE_MS).expect("few");
    let bytes = owned.health.resident_bytes();
    assert!(bytes <= size_of::<SubjectHealth>() + pages * STATE_LEFT_BYTES_MAX + 256, "{bytes}");
    assert_eq!(owned.health.measured(always(None)), Interval::ALWAYS.into());
}
