use domain::id::Marketplace;
use domain::{Decision, DecisionKind, WarningCause, WarningLevel};
use proptest::prelude::*;

use super::*;
use crate::samples;

/// The bytes of [`sample`] in form 1.
const GOLDEN: &str = "
    0180f88fd28534010004055db6be87cdc806000080809ad7df048087a70e0601809d9fa10180e0e5a4010707070707070707070707070707
    0707809d9fa10180f0b25200809d9fa1010206627564676574076f75746167657380cda89cec01809d9fa101ac037b22706f6c696379223a
    7b226964223a227777612d32303234222c2276657273696f6e223a317d2c2273636f7065223a22676c6f62616c222c2277696e646f77223a
    7b2266726f6d223a22323032352d30392d30325432333a30303a30302e3030305a222c22746f223a22323032362d30392d30325432333a30
    303a30302e3030305a227d2c22646f776e74696d655f6d73223a31323030303030302c226275646765745f6d73223a32323037353230302c
    226f757461676573223a5b7b2266726f6d223a22323032362d30392d30325432303a30353a30362e3738395a222c22746f223a2232303236
    2d30392d30335430343a30353a30362e3738395a222c22646f776e74696d655f6d73223a31353030303030302c226f70656e223a66616c73
    652c22726567696f6e73223a5b224555222c224e41225d2c22636175736573223a5b226f776e222c22687562225d7d5d2c226578636c7573
    696f6e73223a5b22782d31225d2c22636f766572616765223a302e363636363636372c226c6576656c223a227761726e696e67222c226d6f
    6e7468223a322c22637573746f6d657273223a3132303030307d8087a70e06651202b6be87cdc8060000809d9fa10180ecf69d0180ecf69d
    01ffa3b2dc128088d54401066275646765740f8201b6be87cdc80600bfcf24809d9fa10100808091b976060802b6be87cdc8060000809d9f
    a101809d9fa10180b2bf9a010194057b2276223a312c226964223a2261626162616261626162616261626162616261626162616261626162
    61626162222c226b696e64223a227761726e696e67222c22726561736f6e73223a5b2277617463683a627564676574222c227761726e696e
    673a70726f6a656374696f6e225d2c226173696e223a2242303030303030303031222c226d616e756661637475726572223a226d2d31222c
    2273636f7065223a22676c6f62616c222c226174223a22323032362d30392d30325432333a30303a30302e3030305a222c22737570657273
    65646573223a6e756c6c2c2265766964656e6365223a7b22706f6c696379223a7b226964223a227777612d32303234222c2276657273696f
    6e223a317d2c2273636f7065223a22676c6f62616c222c2277696e646f77223a7b2266726f6d223a22323032352d30392d30325432333a30
    303a30302e3030305a222c22746f223a22323032362d30392d30325432333a30303a30302e3030305a227d2c22646f776e74696d655f6d73
    223a31323030303030302c226275646765745f6d73223a32323037353230302c226f757461676573223a5b7b2266726f6d223a2232303236
    2d30392d30325432303a30353a30362e3738395a222c22746f223a22323032362d30392d30335430343a30353a30362e3738395a222c2264
    6f776e74696d655f6d73223a31353030303030302c226f70656e223a66616c73652c22726567696f6e73223a5b224555222c224e41225d2c
    22636175736573223a5b226f776e222c22687562225d7d5d2c226578636c7573696f6e73223a5b22782d31225d2c22636f76657261676522
    3a302e363636363636372c226c6576656c223a227761726e696e67222c226d6f6e7468223a322c22637573746f6d657273223a3132303030
    307d7d0102e09afed1dd04a4e3dcd48603c2eca18da202
";

fn instants() -> impl Strategy<Value = Timestamp> {
    let recent = 1_700_000_000_000..1_800_000_000_000_i64;
    prop_oneof![recent, 0..=Timestamp::MAX.ms(), Just(0), Just(Timestamp::MAX.ms())].prop_map(Timestamp::clamped)
}

fn intervals() -> impl Strategy<Value = Interval> {
    (instants(), instants()).prop_map(|(from, to)| Interval::new(from, to))
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop::sample::select(vec![Scope::Global, Scope::Region(Region::Eu), Scope::Region(Region::Fe), Scope::Region(Region::Na)])
}

fn reasons() -> impl Strategy<Value = Vec<Reason>> {
    let brand = Reason::Brand(Marketplace::parse("US").expect("a marketplace"));
    let warning = Reason::Warning(WarningLevel::Warning, WarningCause::Projection);
    prop::sample::subsequence(vec![Reason::Budget, Reason::Outages, Reason::Coverage, warning, brand], 0..=5)
}

fn actives() -> impl Strategy<Value = Active> {
    any::<([bool; 6], bool)>().prop_map(|(reasons, coverage)| Active { reasons, coverage })
}

fn usages() -> impl Strategy<Value = Refused> {
    prop_oneof![(any::<i64>(), any::<usize>()), (0..30_000_000_i64, 0..9_usize)]
        .prop_map(|(downtime_ms, outages)| Refused { downtime_ms, outages })
}

fn decisions() -> impl Strategy<Value = Decision> {
    (prop::sample::select(samples::report().decisions), instants(), scopes(), prop::sample::select(&DecisionKind::ALL[..]))
        .prop_map(|(decision, at, scope, kind)| Decision { at, scope, kind, ..decision })
}

fn proposals() -> impl Strategy<Value = Proposal> {
    (scopes(), instants(), reasons(), intervals(), decisions(), usages(), actives()).prop_map(
        |(scope, breach, reasons, window, Decision { evidence, .. }, used, active)| Proposal {
            scope,
            breach,
            reasons,
            window,
            evidence,
            used,
            active,
        },
    )
}

fn phases() -> impl Strategy<Value = Phase> {
    let broken = (instants(), intervals(), instants(), reasons());
    prop_oneof![
        (instants(), actives()).prop_map(|(next, active)| Phase::On { next, active }),
        proposals().prop_map(|proposal| Phase::Proposed(Box::new(proposal))),
        (instants(), instants()).prop_map(|(breach, not_before)| Phase::Removed { breach, not_before }),
        (instants(), any::<u32>(), prop::option::of(instants())).prop_map(|(start, passed, held)| Phase::Probation {
            start,
            passed,
            held
        }),
        broken.prop_map(|(start, month, at, reasons)| Phase::Broken(Box::new(Broken { start, month, at, reasons }))),
    ]
}

fn lanes() -> impl Strategy<Value = State> {
    let id = any::<[u8; 16]>().prop_map(DecisionId);
    let ruled = prop::collection::btree_set((instants(), instants(), id), 0..3);
    let maybe = || prop::option::of(instants());
    let options = (maybe(), maybe(), prop::option::of(usages()), [maybe(), maybe(), maybe()]);
    (scopes(), phases(), [instants(), instants(), instants()], options, ruled).prop_map(
        |(scope, phase, [since, critical_next, depends_until], (floor, removed_at, refused, critical_told), ruled)| State {
            scope,
            since,
            phase,
            floor,
            removed_at,
            refused,
            ruled,
            critical_next,
            critical_told,
            depends_until,
        },
    )
}

fn lives() -> impl Strategy<Value = LifeParts> {
    let removals = (scopes(), instants(), intervals()).prop_map(|(scope, since, interval)| Removal { scope, since, interval });
    (
        (instants(), any::<usize>(), instants()),
        prop::collection::vec(lanes(), 0..=LANES_MAX),
        prop::collection::vec(decisions(), 0..3),
        prop::collection::vec(removals, 0..3),
    )
        .prop_map(|((next, version, depends_until), lanes, decisions, removals)| LifeParts {
            next,
            version,
            depends_until,
            lanes,
            decisions,
            removals,
        })
}

/// How many values were read at most, for each of which there is room in memory.
fn values(life: &LifeParts) -> usize {
    let of_phase = |phase: &Phase| match phase {
        Phase::Proposed(proposal) => proposal.reasons.len(),
        Phase::Broken(broken) => broken.reasons.len(),
        Phase::On { .. } | Phase::Removed { .. } | Phase::Probation { .. } => 0,
    };
    let of_lanes: usize = life.lanes.iter().map(|lane| 1 + lane.ruled.len() + of_phase(&lane.phase)).sum();
    of_lanes + life.decisions.len() + life.removals.len()
}

proptest! {
    #[test]
    fn lives_come_back(life in lives()) {
        let bytes = write(&life);
        prop_assert_eq!(read(&bytes).expect("what was written"), life);
        for end in 0..bytes.len() {
            prop_assert!(read(&bytes[..end]).is_err(), "cut off at {} of {}", end, bytes.len());
        }
        prop_assert!(read(&[&bytes[..], &[0]].concat()).is_err(), "more behind it");
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..300), is_form in any::<bool>()) {
        if let Some(form) = bytes.first_mut().filter(|_| is_form) {
            *form = FORM;
        }
        if let Ok(life) = read(&bytes) {
            prop_assert!(values(&life) <= bytes.len());
            prop_assert_eq!(read(&write(&life)).expect("what was written"), life);
        }
    }

    #[test]
    fn small_numbers_are_read_or_refused(bytes in prop::collection::vec(0..9_u8, 0..60)) {
        if let Ok(life) = read(&[&[FORM], &bytes[..]].concat()) {
            prop_assert!(values(&life) <= bytes.len());
            prop_assert_eq!(read(&write(&life)).expect("what was written"), life);
        }
    }

    #[test]
    fn damage_is_read_or_refused(life in lives(), at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut bytes = write(&life);
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(life) = read(&bytes) {
            prop_assert!(read(&write(&life)).is_ok(), "what was written");
        }
    }
}

fn at(text: &str) -> Timestamp {
    samples::at(text)
}

/// A lane in good standing.
fn good(scope: Scope) -> State {
    let next = at("2026-09-01T00:00:00Z");
    State {
        phase: Phase::On { next, active: Active::default() },
        critical_next: next,
        depends_until: next,
        ..State::new(scope, at("2023-02-03T04:05:06.789Z"))
    }
}

fn life(lanes: Vec<State>) -> LifeParts {
    let next = at("2026-09-01T00:00:00Z");
    LifeParts { next, version: 1, depends_until: next, lanes, decisions: Vec::new(), removals: Vec::new() }
}

/// A life that has something of everything.
fn sample() -> LifeParts {
    let [eu, fe, na] = Region::ALL.map(|region| good(Scope::Region(region)));
    let breach = at("2026-08-30T01:02:03.456Z");
    let decision = samples::report().decisions.remove(0);
    let used = Refused { downtime_ms: 15_000_000, outages: 6 };
    let active = Active { reasons: [true, false, true, false, false, true], coverage: true };
    let proposal = Proposal {
        scope: Scope::Global,
        breach,
        reasons: vec![Reason::Budget, Reason::Outages],
        window: Interval::new(at("2025-08-30T01:02:03.456Z"), breach),
        evidence: decision.evidence.clone(),
        used,
        active,
    };
    let proposed = State {
        phase: Phase::Proposed(Box::new(proposal)),
        floor: Some(at("2024-01-31T00:00:00Z")),
        refused: Some(used),
        ruled: [(breach, at("2026-08-30T00:00:00Z"), DecisionId([7; 16]))].into(),
        critical_told: [Some(breach), None, Some(at("2026-08-31T00:00:00Z"))],
        ..eu
    };
    let removed_at = Some(breach);
    let broken = Broken {
        start: at("2026-08-30T02:00:00Z"),
        month: Interval::new(at("2026-08-30T02:00:00Z"), at("2026-09-30T02:00:00Z")),
        at: at("2026-08-31T04:00:00Z"),
        reasons: vec![Reason::Budget],
    };
    let broken = State { phase: Phase::Broken(Box::new(broken)), removed_at, ..fe };
    let held = Phase::Probation { start: at("2026-03-01T00:00:00Z"), passed: 6, held: Some(at("2026-09-01T00:00:00Z")) };
    let held = State { phase: held, removed_at, depends_until: at("2026-09-01T00:05:00Z"), ..na };
    let removed = Phase::Removed { breach, not_before: at("2026-08-30T03:00:00Z") };
    let removed = State { phase: removed, removed_at, ..good(Scope::Global) };
    let interval = Interval::new(at("2025-01-02T03:04:05.678Z"), at("2025-06-07T08:09:10.111Z"));
    let removal = Removal { scope: Scope::Region(Region::Fe), since: at("2024-02-03T04:05:06Z"), interval };
    let lanes = vec![proposed, broken, held, removed];
    LifeParts { decisions: vec![decision], removals: vec![removal], ..life(lanes) }
}

/// Bytes that were stored once are read for ever. They are never to be changed: a new form gets bytes of
/// its own beside them.
#[test]
fn stored_bytes_of_form_1_are_read() {
    let digits: Vec<u8> = GOLDEN.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).expect("a digit");
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    assert_eq!(read(&bytes).expect("stored bytes"), sample());
    assert_eq!(write(&sample()), bytes, "other bytes are another form");
}

#[test]
fn a_life_in_normal_standing_is_small() {
    let check = |lanes: Vec<State>, most: usize| {
        let length = write(&life(lanes)).len();
        assert!(length <= most, "{length} bytes");
    };
    check(vec![good(Scope::Global)], 24);
    check(Region::ALL.map(|region| good(Scope::Region(region))).into(), 64);
    let told = State { critical_told: [Some(at("2024-02-03T04:05:06.789Z")); 3], ..good(Scope::Global) };
    check(vec![told], 64);
}

#[test]
fn wrong_bytes_are_told_apart() {
    let check = |bytes: &[u8], expected: &str| {
        assert_eq!(read(bytes).expect_err("wrong bytes").to_string(), expected, "{bytes:?}");
    };
    let stored = |problem: &str| format!("this is not a stored life: {problem}");
    check(&[], &stored("it is empty"));
    check(&[2, 0], "this life has form 2; expected form 1: upgrade the reader, or read what this version has written");
    check(&[1, 0x80], &stored("an integer is cut off or too large"));
    check(&[1, 0, 0, 2], &stored("an instant lies outside of time"));
    check(&[1, 0, 0, 0, 5], &stored("it has more lanes than there are scopes"));
    check(&[1, 0, 0, 0, 1, 0, 0x80, 2], &stored("a lane has flags that it can't have"));
    check(&[1, 0, 0, 0, 1, 0, 0x80, 1], &stored("a lane has flags that it can't have"));
    check(&[1, 0, 0, 0, 1, 5 << 2, 0, 0, 0, 0], &stored("a lane has a phase that there isn't"));
    check(&[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x80, 1], &stored("there are warnings that there aren't"));
    check(&[1, 0, 0, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 9], &stored("a ruling is cut off"));
    check(&[1, 0, 0, 0, 1, 4 << 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, b'x'], &stored("a reason isn't one"));
    check(&[1, 0, 0, 0, 0, 1, 9, b'{'], &stored("a text is cut off"));
    check(&[1, 0, 0, 0, 0, 1, 1, b'{'], "this is not a decision: EOF while parsing an object at line 1 column 1");
    check(&[1, 0, 0, 0, 0, 0, 1, 4], &stored("a scope isn't one"));
    check(&[1, 0, 0, 0, 0, 0, 0, 0], &stored("there is more behind it"));
}
