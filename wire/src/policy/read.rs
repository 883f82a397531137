//! The schema of a policy file.

use std::sync::Arc;

use domain::id::valid_id;
use domain::policy::{BurnRate, BurnWindow, Degradation, Enforcement, PolicyName, ScopeRule, Warnings, WindowRule};
use domain::time::{HOUR_MS, MINUTE_MS};
use domain::{DurationMs, Policies, Policy, Ppm, Timestamp};
use toml::de::{DeTable, DeValue};

use super::table::{Source, Table, policies};
use super::{preset, units};
use crate::error::Error;

/// What a policy leaves out is as in this preset.
const DEFAULTS: &str = "wwa-2024";

const POLICY_KEYS: [&str; 16] = [
    "id",
    "version",
    "effective_from",
    "scope",
    "enforcement",
    "max_skew",
    "max_removals_per_hour",
    "settle",
    "availability",
    "outages",
    "minute",
    "warnings",
    "probation",
    "critical_outage",
    "burn_rate",
    "degradation",
];

const DURATION: &str = "a whole number with a unit (ms, s, m, h or d), such as \"5m\"";
const PERCENT: &str = "a percentage from \"0%\" to \"100%\" with at most 4 decimals, such as \"99.93%\"";
const RESETS_ON: &str = "a day that every year has, as \"MM-DD\", such as \"01-01\"";
const COUNT: &str = "an integer from 0 to 4294967295";
const COUNT_FROM_1: &str = "an integer from 1 to 4294967295";
const LONG_COUNT: &str = "an integer from 0 to 9223372036854775807";
const LONG_COUNT_FROM_1: &str = "an integer from 1 to 9223372036854775807";

/// Longest window of a degradation, in milliseconds.
const DEGRADATION_MS_MAX: i64 = HOUR_MS;

/// Reads the policies of a file, ordered by `effective_from`.
pub(super) fn parse(text: &str, file: &str) -> Result<Vec<Policy>, Error> {
    let source = Source { file, text };
    let root = DeTable::parse(text).map_err(|error| source.not_toml(&error))?;
    let defaults = Source { file: DEFAULTS, text: preset(DEFAULTS).unwrap_or_default() };
    let defaults_root = DeTable::parse(defaults.text).map_err(|error| defaults.not_toml(&error))?;
    let preset = policies(defaults, &defaults_root)?.first().map(|(_, table)| *table);
    let mut read: Vec<(Table<'_>, Policy)> = Vec::new();
    for (span, own) in policies(source, &root)? {
        let table = Table::new(source, "policy", span, own, preset, &POLICY_KEYS)?;
        let policy = policy(&table)?;
        if read.iter().any(|(_, other)| other.name == policy.name) {
            return Err(table.wrong("version", &format!("a version that no other policy {:?} of the file has", policy.name.id)));
        }
        if read.iter().any(|(_, other)| other.effective_from == policy.effective_from) {
            return Err(table.wrong("effective_from", "an instant that no other policy of the file has"));
        }
        read.push((table, policy));
    }
    let mut policies: Vec<_> = read.into_iter().map(|(_, policy)| policy).collect();
    policies.sort_by_key(|policy| policy.effective_from);
    Ok(policies)
}

/// The policies of a file as versions that follow each other.
pub(super) fn parse_versions(text: &str, file: &str) -> Result<Policies, Error> {
    let versions = Policies::new(parse(text, file)?);
    versions.ok_or_else(|| Source { file, text }.wrong(&(0..0), "policy", "none", "one or more [[policy]] tables"))
}

fn policy(table: &Table<'_>) -> Result<Policy, Error> {
    let settle = table.table("settle", &["warnings", "enforcement"])?;
    let availability = table.table("availability", &["target", "window", "resets_on"])?;
    let outages = table.table("outages", &["max", "merge_gap", "min_duration"])?;
    let minute = table.table("minute", &["down_ratio", "min_attempts", "state_ttl"])?;
    let probation = table.table("probation", &["months", "min_coverage"])?;
    Ok(Policy {
        name: PolicyName {
            id: table.required("id", "a text of 1 to 256 bytes", |value| text(value).filter(|id| valid_id(id)).map(Arc::from))?,
            version: table.required("version", COUNT, count)?,
        },
        effective_from: table.required("effective_from", "an RFC 3339 text such as \"2026-06-15T00:00:00Z\"", instant)?,
        scope: table.value("scope", "\"global\" or \"region\"", |value| match text(value)? {
            "global" => Some(ScopeRule::Global),
            "region" => Some(ScopeRule::Region),
            _ => None,
        })?,
        enforcement: table.value("enforcement", "\"automatic\" or \"review\"", |value| match text(value)? {
            "automatic" => Some(Enforcement::Automatic),
            "review" => Some(Enforcement::Review),
            _ => None,
        })?,
        max_skew: table.value("max_skew", DURATION, duration)?,
        max_removals_per_hour: table.value("max_removals_per_hour", COUNT, count)?,
        settle_warnings: settle.value("warnings", DURATION, duration)?,
        settle_enforcement: settle.value("enforcement", DURATION, duration)?,
        target: availability.value("target", PERCENT, percent)?,
        window: window(&availability)?,
        outages_max: outages.value("max", COUNT, count)?,
        merge_gap: outages.value("merge_gap", DURATION, duration)?,
        min_duration: outages.value("min_duration", DURATION, duration)?.max(DurationMs(1)),
        down_ratio: minute.value("down_ratio", PERCENT, percent)?,
        min_attempts: minute.value("min_attempts", COUNT_FROM_1, count_from_1)?,
        state_ttl: minute.value("state_ttl", &format!("{DURATION}, or \"none\""), |value| match text(value)? {
            "none" => Some(None),
            text => units::duration(text).map(Some),
        })?,
        warnings: warnings(table)?,
        probation_months: probation.value("months", COUNT_FROM_1, count_from_1)?,
        min_coverage: probation.value("min_coverage", PERCENT, percent)?,
        critical_outage_acknowledge_within: critical_outage(table)?,
        burn_rate: burn_rate(table)?,
        degradation: degradation(table)?,
    })
}

fn window(availability: &Table<'_>) -> Result<WindowRule, Error> {
    if !availability.has("resets_on") {
        return availability.value("window", &format!("{DURATION}, at least \"1ms\""), |value| {
            positive_duration(value).map(WindowRule::Rolling)
        });
    }
    if availability.has("window") {
        return Err(availability.wrong("resets_on", "either window or resets_on, not both"));
    }
    availability.required("resets_on", RESETS_ON, |value| {
        units::day_of_year(text(value)?).map(|(month, day)| WindowRule::ResetsOn { month, day })
    })
}

fn warnings(table: &Table<'_>) -> Result<Warnings, Error> {
    let warnings = table.table("warnings", &["watch", "warning", "critical", "hysteresis", "projection", "min_customers"])?;
    let watch = warnings.table("watch", &["budget_used"])?;
    let warning = warnings.table("warning", &["budget_used", "outages"])?;
    let critical = warnings.table("critical", &["budget_used", "outages"])?;
    Ok(Warnings {
        watch_budget: watch.value("budget_used", PERCENT, percent)?,
        warning_budget: warning.value("budget_used", PERCENT, percent)?,
        warning_outages: warning.value("outages", COUNT_FROM_1, count_from_1)?,
        critical_budget: critical.value("budget_used", PERCENT, percent)?,
        critical_outages: critical.value("outages", COUNT_FROM_1, count_from_1)?,
        hysteresis: warnings.value("hysteresis", PERCENT, percent)?,
        projection: warnings.value("projection", DURATION, duration)?,
        min_customers: warnings.value("min_customers", LONG_COUNT, long_count)?,
    })
}

fn critical_outage(table: &Table<'_>) -> Result<Option<DurationMs>, Error> {
    if !table.has("critical_outage") {
        return Ok(None);
    }
    let critical_outage = table.table("critical_outage", &["acknowledge_within"])?;
    critical_outage.required("acknowledge_within", DURATION, duration).map(Some)
}

fn burn_rate(table: &Table<'_>) -> Result<BurnRate, Error> {
    let burn_rate = table.table("burn_rate", &["windows", "min_attempts"])?;
    let windows = burn_rate.tables("windows", &["long", "short", "budget"])?;
    Ok(BurnRate {
        windows: windows.iter().map(burn_window).collect::<Result<_, _>>()?,
        min_attempts: burn_rate.value("min_attempts", LONG_COUNT_FROM_1, long_count_from_1)?,
    })
}

fn burn_window(window: &Table<'_>) -> Result<BurnWindow, Error> {
    let long = window.required("long", &format!("{DURATION}, at least \"1ms\""), positive_duration)?;
    Ok(BurnWindow {
        long,
        short: window.required("short", &format!("{DURATION}, at least \"1ms\" and shorter than long"), |value| {
            positive_duration(value).filter(|short| *short < long)
        })?,
        budget: window
            .required("budget", &format!("{PERCENT}, above \"0%\""), |value| percent(value).filter(|share| *share > Ppm::ZERO))?,
    })
}

fn degradation(table: &Table<'_>) -> Result<Degradation, Error> {
    let degradation = table.table("degradation", &["window", "min_success", "max_p90", "min_attempts"])?;
    Ok(Degradation {
        window: degradation.value("window", "whole minutes from \"1m\" to \"1h\", such as \"15m\"", |value| {
            let whole = |ms: i64| ms % MINUTE_MS == 0 && (MINUTE_MS..=DEGRADATION_MS_MAX).contains(&ms);
            duration(value).filter(|window| whole(window.ms()))
        })?,
        min_success: degradation.value("min_success", PERCENT, percent)?,
        max_p90: degradation.value("max_p90", &format!("{DURATION}, at least \"1ms\""), positive_duration)?,
        min_attempts: degradation.value("min_attempts", LONG_COUNT_FROM_1, long_count_from_1)?,
    })
}

fn text<'a>(value: &'a DeValue<'_>) -> Option<&'a str> {
    value.as_str()
}

fn instant(value: &DeValue<'_>) -> Option<Timestamp> {
    text(value).and_then(Timestamp::parse_rfc3339)
}

fn duration(value: &DeValue<'_>) -> Option<DurationMs> {
    text(value).and_then(units::duration)
}

fn positive_duration(value: &DeValue<'_>) -> Option<DurationMs> {
    duration(value).filter(|length| length.ms() >= 1)
}

fn percent(value: &DeValue<'_>) -> Option<Ppm> {
    text(value).and_then(units::percent)
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn count(value: &DeValue<'_>) -> Option<u32> {
    integer(value).and_then(|number| u32::try_from(number).ok())
}

fn count_from_1(value: &DeValue<'_>) -> Option<u32> {
    count(value).filter(|number| *number >= 1)
}

fn long_count(value: &DeValue<'_>) -> Option<u64> {
    integer(value).and_then(|number| u64::try_from(number).ok())
}

fn long_count_from_1(value: &DeValue<'_>) -> Option<u64> {
    long_count(value).filter(|number| *number >= 1)
}
