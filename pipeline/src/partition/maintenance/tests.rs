use domain::id::Asin;

use super::*;

fn reporter(name: &str) -> Option<ReporterId> {
    ReporterId::new(name)
}

#[test]
fn a_request_is_called_after_what_it_is_for() {
    let check = |asin: &str, expected: &str| {
        let interval = Interval::new(Timestamp::clamped(1_740_787_200_000), Timestamp::clamped(1_740_812_400_000));
        let id = id_of(&Subject::product(&Asin::new(asin).expect("an id")), Region::Na, interval);
        assert_eq!(id, expected);
        assert!(CommandId::new(&id).is_some());
    };
    check("B000000001", "maintenance-product-B000000001-NA-1740787200000-1740812400000");
    let end = "-NA-1740787200000-1740812400000";
    let most = ID_BYTES_MAX - "maintenance-product-".len() - end.len();
    check(&"x".repeat(most), &format!("maintenance-product-{}{end}", "x".repeat(most)));
    // `printf '%s' "product:$(printf 'x%.0s' $(seq 206))" | sha256sum`
    check(&"x".repeat(most + 1), &format!("maintenance_of-67b02c08500e2efe679a90fd6b03801a{end}"));
}

#[test]
fn who_declared_is_remembered_in_whatever_order_it_is_heard() {
    let turns = [(10, "a"), (20, "b"), (30, "a"), (30, "c"), (40, "c"), (5, "a")];
    for shift in 0..turns.len() {
        let mut declarers = Declarers::default();
        for (at, by) in turns.iter().cycle().skip(shift).take(turns.len()) {
            declarers.put(Timestamp::clamped(*at), reporter(by));
        }
        let at = |at| declarers.at(Timestamp::clamped(at)).map(ReporterId::as_str);
        assert_eq!([4, 5, 19, 20, 29, 30, 99].map(at), [None, Some("a"), Some("a"), Some("b"), Some("b"), Some("c"), Some("c")]);
    }
}

#[test]
fn of_reporters_who_take_turns_the_last_are_remembered() {
    let mut declarers = Declarers::default();
    for turn in 0..1_000 {
        declarers.put(Timestamp::clamped(turn), reporter(if turn % 2 == 0 { "a" } else { "b" }));
        declarers.put(Timestamp::clamped(turn), None);
    }
    assert_eq!(declarers.0.len(), DECLARERS_MAX);
    assert_eq!(declarers.at(Timestamp::clamped(999)), reporter("b").as_ref());
    assert_eq!(declarers.at(Timestamp::clamped(1)), None);
}
