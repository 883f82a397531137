//! A policy as a canonical TOML file: every key, always in the same order.

use domain::Policy;
use domain::policy::{BurnRate, Degradation, Enforcement, ScopeRule, WindowRule};

use super::units::duration_text;

pub(super) fn write(policy: &Policy) -> String {
    let warnings = &policy.warnings;
    let mut text = format!(
        "[[policy]]\n\
         id = {id}\n\
         version = {version}\n\
         effective_from = \"{effective_from}\"\n\
         scope = \"{scope}\"\n\
         enforcement = \"{enforcement}\"\n\
         max_skew = \"{max_skew}\"\n\
         max_removals_per_hour = {max_removals_per_hour}\n\
         \n[policy.settle]\n\
         warnings = \"{settle_warnings}\"\n\
         enforcement = \"{settle_enforcement}\"\n\
         \n[policy.availability]\n\
         target = \"{target}\"\n\
         {window}\n\
         \n[policy.outages]\n\
         max = {outages_max}\n\
         merge_gap = \"{merge_gap}\"\n\
         min_duration = \"{min_duration}\"\n\
         \n[policy.minute]\n\
         down_ratio = \"{down_ratio}\"\n\
         min_attempts = {min_attempts}\n\
         state_ttl = \"{state_ttl}\"\n\
         \n[policy.warnings]\n\
         watch = {{ budget_used = \"{watch_budget}\" }}\n\
         warning = {{ budget_used = \"{warning_budget}\", outages = {warning_outages} }}\n\
         critical = {{ budget_used = \"{critical_budget}\", outages = {critical_outages} }}\n\
         hysteresis = \"{hysteresis}\"\n\
         projection = \"{projection}\"\n\
         min_customers = {min_customers}\n\
         \n[policy.probation]\n\
         months = {probation_months}\n\
         min_coverage = \"{min_coverage}\"\n",
        id = toml::Value::from(&*policy.name.id),
        version = policy.name.version,
        effective_from = policy.effective_from,
        scope = scope(policy.scope),
        enforcement = enforcement(policy.enforcement),
        max_skew = duration_text(policy.max_skew),
        max_removals_per_hour = policy.max_removals_per_hour,
        settle_warnings = duration_text(policy.settle_warnings),
        settle_enforcement = duration_text(policy.settle_enforcement),
        target = policy.target,
        window = window(policy.window),
        outages_max = policy.outages_max,
        merge_gap = duration_text(policy.merge_gap),
        min_duration = duration_text(policy.min_duration),
        down_ratio = policy.down_ratio,
        min_attempts = policy.min_attempts,
        state_ttl = policy.state_ttl.map_or_else(|| "none".to_owned(), duration_text),
        watch_budget = warnings.watch_budget,
        warning_budget = warnings.warning_budget,
        warning_outages = warnings.warning_outages,
        critical_budget = warnings.critical_budget,
        critical_outages = warnings.critical_outages,
        hysteresis = warnings.hysteresis,
        projection = duration_text(warnings.projection),
        min_customers = warnings.min_customers,
        probation_months = policy.probation_months,
        min_coverage = policy.min_coverage,
    );
    if let Some(within) = policy.critical_outage_acknowledge_within {
        text.push_str(&format!("\n[policy.critical_outage]\nacknowledge_within = \"{}\"\n", duration_text(within)));
    }
    text.push_str(&burn_rate(&policy.burn_rate));
    text.push_str(&degradation(&policy.degradation));
    text
}

fn burn_rate(burn_rate: &BurnRate) -> String {
    let windows = burn_rate.windows.iter().map(|window| {
        let (long, short) = (duration_text(window.long), duration_text(window.short));
        format!("  {{ long = \"{long}\", short = \"{short}\", budget = \"{}\" }},\n", window.budget)
    });
    let windows: String = windows.collect();
    format!("\n[policy.burn_rate]\nwindows = [\n{windows}]\nmin_attempts = {}\n", burn_rate.min_attempts)
}

fn degradation(degradation: &Degradation) -> String {
    format!(
        "\n[policy.degradation]\n\
         window = \"{window}\"\n\
         min_success = \"{min_success}\"\n\
         max_p90 = \"{max_p90}\"\n\
         min_attempts = {min_attempts}\n",
        window = duration_text(degradation.window),
        min_success = degradation.min_success,
        max_p90 = duration_text(degradation.max_p90),
        min_attempts = degradation.min_attempts,
    )
}

const fn scope(scope: ScopeRule) -> &'static str {
    match scope {
        ScopeRule::Global => "global",
        ScopeRule::Region => "region",
    }
}

const fn enforcement(enforcement: Enforcement) -> &'static str {
    match enforcement {
        Enforcement::Automatic => "automatic",
        Enforcement::Review => "review",
    }
}

fn window(window: WindowRule) -> String {
    match window {
        WindowRule::Rolling(length) => format!("window = \"{}\"", duration_text(length)),
        WindowRule::ResetsOn { month, day } => format!("resets_on = \"{month:02}-{day:02}\""),
    }
}
