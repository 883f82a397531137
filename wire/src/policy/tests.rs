use std::sync::Arc;

use domain::policy::{BurnRate, BurnWindow, Degradation, Enforcement, PolicyName, ScopeRule, Warnings, WindowRule};
use domain::{DurationMs, Ppm, Timestamp};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::samples::at;

const MINIMAL: &str = "[[policy]]\nid = \"p\"\nversion = 1\neffective_from = \"2024-03-26T00:00:00Z\"\n";

fn ppm(percent: u32) -> Ppm {
    Ppm::new(percent * 10_000).expect("at most 100 %")
}

const fn minutes(minutes: i64) -> DurationMs {
    DurationMs(minutes * 60_000)
}

/// The numbers of the contract.
fn wwa_2024() -> Policy {
    Policy {
        name: PolicyName { id: Arc::from("wwa-2024"), version: 1 },
        effective_from: at("2024-03-26T00:00:00Z"),
        scope: ScopeRule::Global,
        enforcement: Enforcement::Automatic,
        max_skew: minutes(5),
        max_removals_per_hour: 20,
        settle_warnings: minutes(5),
        settle_enforcement: minutes(24 * 60),
        target: Ppm::new(999_300).expect("at most 100 %"),
        window: WindowRule::Rolling(DurationMs::days(365)),
        outages_max: 5,
        merge_gap: minutes(5),
        min_duration: minutes(5),
        down_ratio: ppm(95),
        min_attempts: 20,
        state_ttl: Some(minutes(60)),
        warnings: Warnings {
            watch_budget: ppm(50),
            warning_budget: ppm(75),
            warning_outages: 4,
            critical_budget: ppm(90),
            critical_outages: 5,
            hysteresis: ppm(5),
            projection: DurationMs::days(30),
            min_customers: 1000,
        },
        probation_months: 3,
        min_coverage: ppm(50),
        critical_outage_acknowledge_within: None,
        burn_rate: BurnRate {
            windows: vec![
                burn_window(minutes(60), minutes(5), 2),
                burn_window(minutes(6 * 60), minutes(30), 5),
                burn_window(DurationMs::days(3), minutes(6 * 60), 10),
            ],
            min_attempts: 100,
        },
        degradation: Degradation { window: minutes(15), min_success: ppm(85), max_p90: DurationMs(5000), min_attempts: 100 },
    }
}

fn burn_window(long: DurationMs, short: DurationMs, percent: u32) -> BurnWindow {
    BurnWindow { long, short, budget: ppm(percent) }
}

fn wwa_2026() -> Policy {
    Policy {
        name: PolicyName { id: Arc::from("wwa-2026"), version: 1 },
        effective_from: at("2026-06-15T00:00:00Z"),
        scope: ScopeRule::Region,
        critical_outage_acknowledge_within: Some(minutes(24 * 60)),
        ..wwa_2024()
    }
}

/// The minimal policy with further lines.
fn with(more: &str) -> String {
    format!("{MINIMAL}{more}")
}

fn one(text: &str) -> Policy {
    let mut policies = parse(text, "p.toml").expect(text);
    assert_eq!(policies.len(), 1, "{text}");
    policies.remove(0)
}

#[test]
fn the_presets_are_the_contract_s() {
    assert_eq!(one(preset("wwa-2024").expect("a preset")), wwa_2024());
    assert_eq!(one(preset("wwa-2026").expect("a preset")), wwa_2026());
    assert_eq!(preset("wwa-2025"), None);
    assert!(PRESETS[..2].iter().all(|(name, text)| one(text).name.id.as_ref() == *name));
    assert_eq!((BurnRate::default(), Degradation::default()), (wwa_2024().burn_rate, wwa_2024().degradation));
}

#[test]
fn the_programme_is_both_presets_one_after_the_other() {
    let wwa = parse_versions(preset("wwa").expect("a preset"), "wwa").expect("two versions");
    assert_eq!(wwa.versions(), [wwa_2024(), wwa_2026()]);
    assert_eq!(wwa.at(at("2026-06-14T23:59:59.999Z")), &wwa_2024());
    assert_eq!(wwa.at(at("2026-06-15T00:00:00Z")), &wwa_2026());
}

#[test]
fn the_file_of_the_contract_is_the_first_preset() {
    let semantics = include_str!("../../../docs/semantics.md");
    let file = semantics.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a policy file");
    assert_eq!(one(file), wwa_2024());
}

#[test]
fn what_is_left_out_is_as_in_the_first_preset() {
    let defaults = Policy { name: PolicyName { id: Arc::from("p"), version: 1 }, ..wwa_2024() };
    assert_eq!(one(MINIMAL), defaults);
    let tables = "[policy.settle]\n[policy.availability]\n[policy.outages]\n[policy.minute]\n[policy.warnings]\nwatch = {}\n[policy.probation]\n";
    assert_eq!(one(&with(tables)), defaults);
    assert_eq!(one(&with("[policy.outages]\nmax = 2\n")), Policy { outages_max: 2, ..defaults.clone() });
    let warnings = Warnings { critical_outages: 9, ..defaults.warnings.clone() };
    assert_eq!(one(&with("[policy.warnings.critical]\noutages = 9\n")), Policy { warnings, ..defaults });
}

#[test]
fn values_have_their_units() {
    let check = |more: &str, expected: fn(&Policy) -> bool| assert!(expected(&one(&with(more))), "{more}");
    check("[policy.availability]\nresets_on = \"01-01\"\n", |policy| policy.window == WindowRule::ResetsOn { month: 1, day: 1 });
    check("[policy.availability]\nresets_on = \"02-28\"\n", |policy| policy.window == WindowRule::ResetsOn { month: 2, day: 28 });
    check("[policy.availability]\nwindow = \"1ms\"\n", |policy| policy.window == WindowRule::Rolling(DurationMs(1)));
    check("[policy.availability]\ntarget = \"99.1234%\"\n", |policy| policy.target.get() == 991_234);
    check("[policy.outages]\nmin_duration = \"0ms\"\n", |policy| policy.min_duration == DurationMs(1));
    check("[policy.outages]\nmin_duration = \"1ms\"\n", |policy| policy.min_duration == DurationMs(1));
    check("[policy.outages]\nmerge_gap = \"0s\"\nmax = 0\n", |policy| {
        policy.merge_gap == DurationMs(0) && policy.outages_max == 0
    });
    check("[policy.minute]\nstate_ttl = \"none\"\n", |policy| policy.state_ttl.is_none());
    check("[policy.minute]\nmin_attempts = 1\n", |policy| policy.min_attempts == 1);
    check("[policy.burn_rate]\nwindows = [{ long = \"2m\", short = \"1ms\", budget = \"0.0001%\" }]\n", |policy| {
        let window = BurnWindow { long: minutes(2), short: DurationMs(1), budget: Ppm::new(1).expect("at most 100 %") };
        policy.burn_rate == BurnRate { windows: vec![window], min_attempts: 100 }
    });
    check("[[policy.burn_rate.windows]]\nlong = \"2m\"\nshort = \"1m\"\nbudget = \"100%\"\n", |policy| {
        policy.burn_rate.windows == [burn_window(minutes(2), minutes(1), 100)]
    });
    check("[policy.burn_rate]\nmin_attempts = 1\n", |policy| {
        policy.burn_rate == BurnRate { min_attempts: 1, ..wwa_2024().burn_rate }
    });
    check("[policy.degradation]\nwindow = \"1h\"\nmax_p90 = \"1ms\"\n", |policy| {
        policy.degradation == Degradation { window: minutes(60), max_p90: DurationMs(1), ..wwa_2024().degradation }
    });
    check("[policy.degradation]\nwindow = \"60s\"\nmin_success = \"0%\"\n", |policy| {
        policy.degradation == Degradation { window: minutes(1), min_success: Ppm::ZERO, ..wwa_2024().degradation }
    });
    check("scope = \"region\"\nenforcement = \"review\"\n", |policy| {
        policy.scope == ScopeRule::Region && policy.enforcement == Enforcement::Review
    });
    check("max_removals_per_hour = 0x10\n", |policy| policy.max_removals_per_hour == 16);
}

#[test]
fn several_policies_are_ordered_by_when_they_take_effect() {
    let text = format!("{}\n{}", preset("wwa-2026").expect("a preset"), preset("wwa-2024").expect("a preset"));
    assert_eq!(parse(&text, "both.toml").expect("two policies"), [wwa_2024(), wwa_2026()]);
}

/// Wrong files of every kind, with the key that each message names.
fn wrong_files() -> Vec<(String, &'static str)> {
    let replaced = |part: &str, by: &str| MINIMAL.replacen(part, by, 1);
    let later = "[[policy]]\nid = \"p\"\nversion = 2\neffective_from = \"2025-03-26T00:00:00Z\"\n";
    let availability = |more: &str| with(&format!("[policy.availability]\n{more}\n"));
    let outages = |more: &str| with(&format!("[policy.outages]\n{more}\n"));
    vec![
        (String::new(), "policy"),
        ("policy = []".to_owned(), "policy"),
        ("policy = 1".to_owned(), "policy"),
        ("policy = [1]".to_owned(), "policy"),
        ("[policy]\nid = \"p\"\n".to_owned(), "policy"),
        (with("[alerts]\nx = 1\n"), "alerts"),
        ("x = 1\n".to_owned() + MINIMAL, "x"),
        (replaced("id = \"p\"\n", ""), "policy.id"),
        (replaced("\"p\"", "\"\""), "policy.id"),
        (replaced("\"p\"", "7"), "policy.id"),
        (replaced("version = 1\n", ""), "policy.version"),
        (replaced("version = 1", "version = \"1\""), "policy.version"),
        (replaced("version = 1", "version = -1"), "policy.version"),
        (replaced("version = 1", "version = 4294967296"), "policy.version"),
        (replaced("effective_from = \"2024-03-26T00:00:00Z\"\n", ""), "policy.effective_from"),
        (replaced("2024-03-26T00:00:00Z", "2024-03-26"), "policy.effective_from"),
        (replaced("\"2024-03-26T00:00:00Z\"", "2024-03-26T00:00:00Z"), "policy.effective_from"),
        (with("scope = \"Global\"\n"), "policy.scope"),
        (with("enforcement = true\n"), "policy.enforcement"),
        (with("max_skew = 300\n"), "policy.max_skew"),
        (with("max_removals_per_hour = 1.5\n"), "policy.max_removals_per_hour"),
        (with("max_removal_per_hour = 1\n"), "policy.max_removal_per_hour"),
        (with("[policy.settle]\nwarnings = \"5 m\"\n"), "policy.settle.warnings"),
        (with("settle = \"5m\"\n"), "policy.settle"),
        (availability("target = \"99.93\""), "policy.availability.target"),
        (availability("target = 0.9993"), "policy.availability.target"),
        (availability("target = \"101%\""), "policy.availability.target"),
        (availability("target = \"99.99999%\""), "policy.availability.target"),
        (availability("window = \"0ms\""), "policy.availability.window"),
        (availability("window = \"12months\""), "policy.availability.window"),
        (availability("window = \"365d\"\nresets_on = \"01-01\""), "policy.availability.resets_on"),
        (availability("resets_on = \"02-29\""), "policy.availability.resets_on"),
        (availability("resets_on = \"1-1\""), "policy.availability.resets_on"),
        (availability("resets_on = 01-01"), "policy.availability.resets_on"),
        (outages("max = -1"), "policy.outages.max"),
        (outages("merge_gap = \"-5m\""), "policy.outages.merge_gap"),
        (outages("maximum = 5"), "policy.outages.maximum"),
        (with("[policy.minute]\nmin_attempts = 0\n"), "policy.minute.min_attempts"),
        (with("[policy.minute]\nstate_ttl = \"never\"\n"), "policy.minute.state_ttl"),
        (with("[policy.warnings]\nwatch = { budget_used = \"50%\", outages = 3 }\n"), "policy.warnings.watch.outages"),
        (with("[policy.warnings]\nwarning = { outages = 0 }\n"), "policy.warnings.warning.outages"),
        (with("[policy.warnings]\ncritical = 5\n"), "policy.warnings.critical"),
        (with("[policy.warnings]\nmin_customers = -1\n"), "policy.warnings.min_customers"),
        (with("[policy.probation]\nmonths = 0\n"), "policy.probation.months"),
        (with("[policy.probation]\nmin_coverage = \"half\"\n"), "policy.probation.min_coverage"),
        (with("[policy.critical_outage]\n"), "policy.critical_outage.acknowledge_within"),
        (with("[policy.critical_outage]\nacknowledge_within = \"soon\"\n"), "policy.critical_outage.acknowledge_within"),
        (with(MINIMAL), "policy.version"),
        (with(&later.replace("2025", "2024")), "policy.effective_from"),
        (with(&format!("{later}scope = \"both\"\n")), "policy.scope"),
        (with("scope = global\n"), "policy.scope"),
        (outages("max = 5\nmax = 6"), "policy.outages.max"),
        (outages("max 5"), "policy.outages.max"),
        (with("[policy.outages\nmax = 5\n"), "policy.outages"),
    ]
}

/// Wrong files of what is told beyond the standing, with the key that each message names.
fn wrong_alerts() -> Vec<(String, &'static str)> {
    let burn_rate = |more: &str| with(&format!("[policy.burn_rate]\n{more}\n"));
    let window = |more: &str| burn_rate(&format!("windows = [{{ {more} }}]"));
    let degradation = |more: &str| with(&format!("[policy.degradation]\n{more}\n"));
    vec![
        (with("burn_rate = []\n"), "policy.burn_rate"),
        (burn_rate("long = \"1h\""), "policy.burn_rate.long"),
        (burn_rate("windows = []"), "policy.burn_rate.windows"),
        (burn_rate("windows = \"1h\""), "policy.burn_rate.windows"),
        (burn_rate("windows = [\"1h\"]"), "policy.burn_rate.windows"),
        (window(""), "policy.burn_rate.windows.long"),
        (window("long = \"0h\", short = \"5m\", budget = \"2%\""), "policy.burn_rate.windows.long"),
        (window("long = \"1h\", budget = \"2%\""), "policy.burn_rate.windows.short"),
        (window("long = \"1h\", short = \"0m\", budget = \"2%\""), "policy.burn_rate.windows.short"),
        (window("long = \"1h\", short = \"60m\", budget = \"2%\""), "policy.burn_rate.windows.short"),
        (window("long = \"1h\", short = \"5m\", budget = \"0%\""), "policy.burn_rate.windows.budget"),
        (window("long = \"1h\", short = \"5m\", budget = \"2%\", rate = 14"), "policy.burn_rate.windows.rate"),
        (burn_rate("min_attempts = 0"), "policy.burn_rate.min_attempts"),
        (degradation("window = \"0m\""), "policy.degradation.window"),
        (degradation("window = \"90s\""), "policy.degradation.window"),
        (degradation("window = \"61m\""), "policy.degradation.window"),
        (degradation("min_success = 85"), "policy.degradation.min_success"),
        (degradation("max_p90 = \"0s\""), "policy.degradation.max_p90"),
        (degradation("min_attempts = \"many\""), "policy.degradation.min_attempts"),
        (degradation("p90 = \"5s\""), "policy.degradation.p90"),
    ]
}

#[test]
fn wrong_files_are_told_by_place_and_key() {
    let mut told = String::new();
    for (text, key) in wrong_files().into_iter().chain(wrong_alerts()) {
        let error = parse(&text, "p.toml").expect_err(&text).to_string();
        assert!(error.starts_with("p.toml:") && error.contains(&format!(": {key}")), "{key}: {error}");
        let more = text.strip_prefix(MINIMAL).map_or_else(|| text.clone(), |more| format!("...\n{more}"));
        told.push_str(&format!("{}\n    {error}\n", more.trim_end()));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn places_count_characters() {
    let text = with("[policy.availability] # ü\n  target = \"ü\"\n");
    let error = parse(&text, "dir/p.toml").expect_err("a wrong target").to_string();
    assert!(error.starts_with("dir/p.toml:6:12: policy.availability.target: found \"ü\"; expected a percentage"), "{error}");
}

#[test]
fn a_policy_is_written_with_every_key() {
    insta::assert_snapshot!(write(&wwa_2026()));
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let duration = |from: i64| {
        prop_oneof![Just(from), (from..100_000), (1_i64..400).prop_map(|days| days * 86_400_000), from..=units::DURATION_MS_MAX]
            .prop_map(DurationMs)
    };
    let share = || (0..=1_000_000_u32).prop_filter_map("at most 100 %", Ppm::new);
    let day = (1..=12_u32, 1..=31_u32)
        .prop_filter("every year has it", |(month, day)| Timestamp::from_date(2023, *month, *day).is_some());
    let window =
        prop_oneof![duration(1).prop_map(WindowRule::Rolling), day.prop_map(|(month, day)| WindowRule::ResetsOn { month, day })];
    let name = (prop_oneof!["[a-z0-9-]{1,12}", "[\"\\\\\n\t\u{7f}\u{1}'#é]{1,9}", ".{1,40}"], any::<u32>());
    let head = (name, 0..=Timestamp::MAX.ms(), select(vec![ScopeRule::Global, ScopeRule::Region]));
    let live = (select(vec![Enforcement::Automatic, Enforcement::Review]), duration(0), any::<u32>(), duration(0), duration(0));
    let judged = (share(), window, any::<u32>(), duration(0), duration(1));
    let minute = (share(), 1..=u32::MAX, prop::option::of(duration(0)));
    let probation = (1..=u32::MAX, share(), prop::option::of(duration(0)));
    let service = (any_burn_rate(), any_degradation());
    (head, live, judged, minute, any_warnings(), probation, service).prop_map(
        |(head, live, judged, minute, warnings, probation, service)| {
            let ((id, version), from, scope) = head;
            let (enforcement, max_skew, max_removals_per_hour, settle_warnings, settle_enforcement) = live;
            let (target, window, outages_max, merge_gap, min_duration) = judged;
            let (down_ratio, min_attempts, state_ttl) = minute;
            let (probation_months, min_coverage, critical_outage_acknowledge_within) = probation;
            let (burn_rate, degradation) = service;
            Policy {
                name: PolicyName { id: Arc::from(id), version },
                effective_from: Timestamp::clamped(from),
                scope,
                enforcement,
                max_skew,
                max_removals_per_hour,
                settle_warnings,
                settle_enforcement,
                target,
                window,
                outages_max,
                merge_gap,
                min_duration,
                down_ratio,
                min_attempts,
                state_ttl,
                warnings,
                probation_months,
                min_coverage,
                critical_outage_acknowledge_within,
                burn_rate,
                degradation,
            }
        },
    )
}

fn any_warnings() -> impl Strategy<Value = Warnings> {
    let share = || (0..=1_000_000_u32).prop_filter_map("at most 100 %", Ppm::new);
    (
        share(),
        share(),
        1..=u32::MAX,
        share(),
        1..=u32::MAX,
        share(),
        (0..=units::DURATION_MS_MAX).prop_map(DurationMs),
        0..=i64::MAX.unsigned_abs(),
    )
        .prop_map(
            |(
                watch_budget,
                warning_budget,
                warning_outages,
                critical_budget,
                critical_outages,
                hysteresis,
                projection,
                min_customers,
            )| {
                Warnings {
                    watch_budget,
                    warning_budget,
                    warning_outages,
                    critical_budget,
                    critical_outages,
                    hysteresis,
                    projection,
                    min_customers,
                }
            },
        )
}

fn any_burn_rate() -> impl Strategy<Value = BurnRate> {
    let lengths =
        (1..units::DURATION_MS_MAX, 1..=units::DURATION_MS_MAX).prop_filter("short < long", |(short, long)| short < long);
    let window = (lengths, 1..=1_000_000_u32).prop_map(|((short, long), share)| BurnWindow {
        long: DurationMs(long),
        short: DurationMs(short),
        budget: Ppm::new(share).expect("at most 100 %"),
    });
    (prop::collection::vec(window, 1..5), 1..=i64::MAX.unsigned_abs())
        .prop_map(|(windows, min_attempts)| BurnRate { windows, min_attempts })
}

fn any_degradation() -> impl Strategy<Value = Degradation> {
    (1..=60_i64, 0..=100_u32, 1..=units::DURATION_MS_MAX, 1..=i64::MAX.unsigned_abs()).prop_map(
        |(window, success, max_p90, min_attempts)| Degradation {
            window: minutes(window),
            min_success: ppm(success),
            max_p90: DurationMs(max_p90),
            min_attempts,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(policy in any_policy()) {
        prop_assert_eq!(parse(&write(&policy), "p.toml").expect("a policy"), vec![policy]);
    }

    #[test]
    fn broken_files_never_panic(
        base in select(PRESETS.to_vec()),
        edits in prop::collection::vec((any::<Index>(), prop_oneof![select("\"[]{}=.,#-_%0129\n'\u{1}é".chars().collect::<Vec<_>>()), any::<char>()], any::<bool>()), 1..4),
    ) {
        let mut text: Vec<char> = base.1.chars().collect();
        for (place, by, insert) in edits {
            let place = place.index(text.len());
            if insert { text.insert(place, by) } else { text[place] = by }
        }
        let text: String = text.into_iter().collect();
        if let Err(error) = parse(&text, "p.toml") {
            prop_assert!(error.to_string().starts_with("p.toml:"), "{}", error);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text: String) {
        prop_assert!(parse(&text, "p.toml").is_err());
    }
}
