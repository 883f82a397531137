//! What is ahead of a badge, as it is printed.

use alerting::burn_rate::Burn;
use alerting::burn_rate::BurnPair;
use alerting::forecast::{Forecast, Level, Usage, WhatIf};
use domain::decision::Reason;
use domain::ratio::PPM;
use domain::time::Timestamp;
use pipeline::engine::Ahead;
use wire::explanation::{
    AheadView, BadgeView, BreachView, BurnRateView, DowntimeLeavesView, DowntimeLeftView, OutageLeavesView, OutagesLeftView,
    ReachedView, UsageView, WhatIfView,
};

/// How a badge is, and what that lets one foresee.
pub(super) fn badge(ahead: &Ahead) -> BadgeView {
    match ahead {
        Ahead::On { forecast, burns, what_if } => BadgeView::On(on(forecast, burns, what_if.as_ref())),
        Ahead::Proposed { breach } => BadgeView::Proposed { breach: breach.to_string() },
        Ahead::Off(reinstatement) => {
            BadgeView::Off { earliest_reinstatement: reinstatement.earliest.to_string(), missing: texts(&reinstatement.once) }
        }
        Ahead::Withdrawn => BadgeView::Withdrawn,
    }
}

fn on(forecast: &Forecast, burns: &[BurnPair], assumed: Option<&WhatIf>) -> AheadView {
    let downtime_left = forecast.downtime.iter().map(|left| DowntimeLeftView {
        level: level(left.level),
        downtime_ms: left.ms,
        reached_at: left.reached_at.as_ref().map(Timestamp::to_string),
    });
    let outages_left =
        forecast.outages.iter().map(|left| OutagesLeftView { level: level(left.level), outages: left.outages as u64 });
    let downtime_ages_out = forecast.downtime_leaves.iter().map(|part| DowntimeLeavesView {
        from: part.from.to_string(),
        to: part.to.to_string(),
        downtime_ms: part.ms,
    });
    let outages_age_out =
        forecast.outages_leave.iter().map(|outage| OutageLeavesView { at: outage.at.to_string(), run: outage.run.into() });
    AheadView {
        usage: usage(&forecast.usage),
        downtime_left: downtime_left.collect(),
        outages_left: outages_left.collect(),
        downtime_ages_out: downtime_ages_out.collect(),
        outages_age_out: outages_age_out.collect(),
        burn_rates: burns.iter().map(burn).collect(),
        what_if: assumed.map(what_if),
    }
}

fn usage(usage: &Usage) -> UsageView {
    UsageView {
        window: usage.window.into(),
        budget_ms: usage.budget_ms,
        downtime_ms: usage.downtime_ms,
        outages: usage.outages as u64,
    }
}

fn burn(pair: &BurnPair) -> BurnRateView {
    BurnRateView {
        long_ms: pair.window.long.ms(),
        short_ms: pair.window.short.ms(),
        threshold: pair.threshold_hundredths as f64 / 100.0,
        long_rate: rate(pair.long_burn),
        short_rate: rate(pair.short_burn),
        attempts: pair.attempts,
        known: pair.is_known,
        alerts: pair.alerts,
    }
}

/// A rate as a number; none where there is no budget to divide by.
fn rate(burn: Burn) -> Option<f64> {
    (burn.ppm() < i64::MAX).then(|| burn.ppm() as f64 / PPM as f64)
}

fn what_if(what_if: &WhatIf) -> WhatIfView {
    let reached = what_if.warnings.iter();
    WhatIfView {
        assumed: what_if.assumed.into(),
        usage: usage(&what_if.usage),
        warnings: reached.map(|reached| ReachedView { at: reached.at.to_string(), reason: reached.reason.to_string() }).collect(),
        breach: what_if.breach.as_ref().map(|breach| BreachView { at: breach.at.to_string(), reasons: texts(&breach.reasons) }),
    }
}

fn level(level: Level) -> String {
    let name = match level {
        Level::Watch => "watch",
        Level::Warning => "warning",
        Level::Critical => "critical",
        Level::Breach => "breach",
    };
    name.to_owned()
}

fn texts(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(ToString::to_string).collect()
}
