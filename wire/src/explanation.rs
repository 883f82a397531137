//! What `badgewatch explain` says of one product at one instant: plain data, as the other views are
//! ([`crate::view`]), with the form's number `v` first.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json;
use crate::view::{DecisionView, ProductView, WindowView};

/// The form that is written and understood.
const FORM: u64 = 1;
const WHAT: &str = "explanation";

/// An explanation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ExplanationView {
    /// The product.
    pub asin: String,
    /// The instant that is explained.
    pub at: String,
    /// Up to when everything is known.
    pub known_until: String,
    /// How many lines of registry and events didn't count.
    pub rejected_lines: u64,
    /// The decisions issued by then (R26), in the order in which they were; null where none are given.
    pub as_known: Option<Vec<DecisionView>>,
    /// What is implied now (R26).
    pub as_corrected: CorrectedView,
    /// In words: where what was issued by then and what is implied now differ.
    pub differences: Vec<String>,
    /// What was ahead, scope by scope.
    pub forecast: Vec<ForecastView>,
    /// What had to be acknowledged by then.
    pub critical_outages: Vec<CriticalOutageView>,
}

/// What is implied now of an instant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CorrectedView {
    /// How the product stood then, scope by scope.
    pub standings: Vec<ProductView>,
    /// The implied decisions dated up to it, in the order of R17.
    pub decisions: Vec<DecisionView>,
}

/// What was ahead of a scope.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ForecastView {
    /// `global` or a region.
    pub scope: String,
    /// How the badge was.
    #[serde(flatten)]
    pub badge: BadgeView,
}

/// How a badge was, and what that lets one foresee.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "badge", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one a scope of one product")]
pub enum BadgeView {
    /// It was on.
    On(AheadView),
    /// A breach waited for its ruling (R22): nothing more is judged until then.
    Proposed {
        /// The breach's instant.
        breach: String,
    },
    /// It was off.
    Off {
        /// The earliest possible reinstatement.
        earliest_reinstatement: String,
        /// The requirements that fail, and have to hold by then (R15).
        missing: Vec<String>,
    },
    /// There was none.
    Withdrawn,
}

/// What is ahead of a badge that is on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AheadView {
    /// How the window stands.
    pub usage: UsageView,
    /// Downtime to each level.
    pub downtime_left: Vec<DowntimeLeftView>,
    /// Outages to each level.
    pub outages_left: Vec<OutagesLeftView>,
    /// The next stretches of downtime that leave the window, oldest first.
    pub downtime_ages_out: Vec<DowntimeLeavesView>,
    /// The next outages that leave it, oldest first.
    pub outages_age_out: Vec<OutageLeavesView>,
    /// How fast the budget is used up.
    pub burn_rates: Vec<BurnRateView>,
    /// What the assumed downtime would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what_if: Option<WhatIfView>,
}

/// How a window stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UsageView {
    /// The window.
    pub window: WindowView,
    /// Its budget.
    pub budget_ms: i64,
    /// Effective downtime in it.
    pub downtime_ms: i64,
    /// Outages that count in it.
    pub outages: u64,
}

/// Downtime to a level.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DowntimeLeftView {
    /// `watch`, `warning`, `critical` or `breach`.
    pub level: String,
    /// Further downtime that would reach it at once; 0 when it is reached.
    pub downtime_ms: i64,
    /// When it would be reached if the product went down now and stayed down; null where it can't be.
    pub reached_at: Option<String>,
}

/// Outages to a level.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutagesLeftView {
    /// `warning`, `critical` or `breach`.
    pub level: String,
    /// Further outages that reach it.
    pub outages: u64,
}

/// Downtime that ages out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DowntimeLeavesView {
    /// When it begins to leave.
    pub from: String,
    /// When all of it has left.
    pub to: String,
    /// How much that frees.
    pub downtime_ms: i64,
}

/// An outage that ages out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutageLeavesView {
    /// When it no longer counts.
    pub at: String,
    /// Its run.
    pub run: WindowView,
}

/// How fast a budget is used up over a pair of windows; a rate of 1 uses just the budget.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BurnRateView {
    /// The long window.
    pub long_ms: i64,
    /// The short window.
    pub short_ms: i64,
    /// The rate from which on both alert.
    pub threshold: f64,
    /// The rate over the long window; null where there is downtime and no budget.
    pub long_rate: Option<f64>,
    /// The rate over the short window.
    pub short_rate: Option<f64>,
    /// Attempts in the long window.
    pub attempts: u64,
    /// Whether those are enough for the rate to say something.
    pub known: bool,
    /// Whether both burn too fast, and that is known.
    pub alerts: bool,
}

/// What assumed downtime would do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WhatIfView {
    /// What is assumed, no earlier than the explained instant.
    pub assumed: WindowView,
    /// The window at its end, or at the breach.
    pub usage: UsageView,
    /// The warning reasons that would hold.
    pub warnings: Vec<ReachedView>,
    /// The breach that it would be.
    pub breach: Option<BreachView>,
}

/// A warning reason and when it holds first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReachedView {
    /// When.
    pub at: String,
    /// The reason.
    pub reason: String,
}

/// A breach.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BreachView {
    /// When.
    pub at: String,
    /// Budget, outages, or both.
    pub reasons: Vec<String>,
}

/// A critical outage and how it was answered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CriticalOutageView {
    /// The decision's id, which an acknowledgement names.
    pub id: String,
    /// `global` or a region.
    pub scope: String,
    /// When the outage was critical.
    pub at: String,
    /// Whether it was issued by then; null where issued decisions aren't given.
    pub issued: Option<bool>,
    /// Whether it is implied now.
    pub implied: bool,
    /// The last instant at which an acknowledgement is in time.
    pub due: String,
    /// `open`, `acknowledged` or `overdue`.
    pub status: String,
    /// The acknowledgement, if it was given by then.
    pub acknowledgement: Option<AcknowledgementView>,
}

/// A manufacturer's answer to a critical outage.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AcknowledgementView {
    /// When.
    pub at: String,
    /// By whom.
    pub by: String,
    /// What caused the outage.
    pub cause: String,
    /// When it is expected to be mended.
    pub expected_fix: String,
    /// Whether it came after it was due.
    pub late: bool,
}

/// Appends an explanation as indented JSON, with a newline at the end.
pub fn write(explanation: &ExplanationView, out: &mut Vec<u8>) {
    json::write_form_indented(FORM, explanation, out);
    out.push(b'\n');
}

/// Reads what [`write()`] has written.
///
/// # Errors
/// [`Error::Form`] for a form that isn't understood, [`Error::Json`] for anything else.
pub fn read(text: &[u8]) -> Result<ExplanationView, Error> {
    json::check_form(WHAT, FORM, text)?;
    json::read(WHAT, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use crate::view::ReportView;

    /// An explanation that has something of everything.
    fn sample() -> ExplanationView {
        let report = ReportView::from(&samples::report());
        let text = |at: &str| at.to_owned();
        let usage = UsageView { window: report.products[0].window.clone(), budget_ms: 22_075_200, downtime_ms: 12, outages: 1 };
        let what_if = WhatIfView {
            assumed: report.products[0].window.clone(),
            usage: usage.clone(),
            warnings: vec![ReachedView { at: text("2026-11-01T00:00:00.000Z"), reason: text("watch:budget") }],
            breach: Some(BreachView { at: text("2026-11-02T00:00:00.000Z"), reasons: vec![text("budget")] }),
        };
        let ahead = AheadView {
            usage,
            downtime_left: vec![DowntimeLeftView { level: text("watch"), downtime_ms: 5, reached_at: None }],
            outages_left: vec![OutagesLeftView { level: text("breach"), outages: 4 }],
            downtime_ages_out: vec![DowntimeLeavesView { from: text("a"), to: text("b"), downtime_ms: 7 }],
            outages_age_out: vec![OutageLeavesView { at: text("a"), run: report.products[0].window.clone() }],
            burn_rates: vec![BurnRateView {
                long_ms: 3_600_000,
                short_ms: 300_000,
                threshold: 175.2,
                long_rate: Some(0.5),
                short_rate: None,
                attempts: 100,
                known: true,
                alerts: false,
            }],
            what_if: Some(what_if),
        };
        let off = BadgeView::Off { earliest_reinstatement: text("2027-01-01T00:00:00.000Z"), missing: vec![text("brand:US")] };
        let forecast = [BadgeView::On(ahead), BadgeView::Proposed { breach: text("t") }, off, BadgeView::Withdrawn];
        ExplanationView {
            asin: text("B000000001"),
            at: text("2026-11-01T00:00:00.000Z"),
            known_until: text("2026-11-01T00:00:00.000Z"),
            rejected_lines: 0,
            as_known: Some(report.decisions.clone()),
            as_corrected: CorrectedView { standings: report.products.clone(), decisions: vec![] },
            differences: vec![text("a difference")],
            forecast: forecast.into_iter().map(|badge| ForecastView { scope: text("global"), badge }).collect(),
            critical_outages: vec![CriticalOutageView {
                id: text("000102030405060708090a0b0c0d0e0f"),
                scope: text("global"),
                at: text("2026-11-01T00:00:00.000Z"),
                issued: Some(true),
                implied: true,
                due: text("2026-11-02T00:00:00.000Z"),
                status: text("acknowledged"),
                acknowledgement: Some(AcknowledgementView {
                    at: text("2026-11-01T01:00:00.000Z"),
                    by: text("ops"),
                    cause: text("power"),
                    expected_fix: text("2026-11-01T02:00:00.000Z"),
                    late: false,
                }),
            }],
        }
    }

    #[test]
    fn what_is_written_is_read_and_begins_with_its_form() {
        let mut out = Vec::new();
        write(&sample(), &mut out);
        assert!(out.starts_with(b"{\n  \"v\": 1,\n  \"asin\": \"B000000001\",\n"), "{}", String::from_utf8_lossy(&out));
        assert_eq!(read(&out).expect("an explanation"), sample());
    }

    #[test]
    fn other_forms_are_called_by_their_name() {
        let error = read(br#"{"v":2}"#).expect_err("another form");
        assert!(error.to_string().starts_with("this explanation has form 2; expected form 1"), "{error}");
    }
}
