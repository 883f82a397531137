//! Back from a published decision to the value: for whoever has to go on from what was issued.

use std::sync::Arc;

use domain::decision::{Cause, InputPosition, Issued, Issuer};
use domain::policy::PolicyName;
use domain::{Asin, Decision, DecisionId, DecisionKind, Evidence, ExclusionId, Interval, ManufacturerId, OutageEvidence};
use domain::{Ratio, Reason, Region, Scope, SkillId, Timestamp, WarningLevel};

use super::{DecisionView, EvidenceView, IssuedView, OutageView, WindowView};
use crate::error::{Error, shorten};

const WHAT: &str = "decision";
const TEN_MILLIONTHS: f64 = 1e7;

impl TryFrom<&DecisionView> for Decision {
    type Error = Error;

    fn try_from(view: &DecisionView) -> Result<Self, Error> {
        Ok(Self {
            id: required("id", &view.id, DecisionId::parse)?,
            kind: required("kind", &view.kind, DecisionKind::parse)?,
            reasons: all("reasons", &view.reasons, Reason::parse)?,
            asin: optional("asin", view.asin.as_deref(), Asin::new)?,
            manufacturer: required("manufacturer", &view.manufacturer, ManufacturerId::new)?,
            scope: required("scope", &view.scope, Scope::parse)?,
            at: instant("at", &view.at)?,
            supersedes: optional("supersedes", view.supersedes.as_deref(), DecisionId::parse)?,
            evidence: Evidence::try_from(&view.evidence)?,
        })
    }
}

impl TryFrom<&EvidenceView> for Evidence {
    type Error = Error;

    fn try_from(view: &EvidenceView) -> Result<Self, Error> {
        Ok(Self {
            policy: PolicyName { id: Arc::from(view.policy.id.as_str()), version: view.policy.version },
            window: view.window.as_ref().map(|window| interval("window", window)).transpose()?,
            downtime_ms: view.downtime_ms,
            budget_ms: view.budget_ms,
            outages: view.outages.iter().map(outage).collect::<Result<_, _>>()?,
            exclusions: all("exclusions", &view.exclusions, ExclusionId::new)?,
            coverage: view.coverage.map(ratio),
            level: optional("level", view.level.as_deref(), level)?,
            month: view.month,
            customers: view.customers,
            removed: all("removed", &view.removed, Asin::new)?,
            skill: optional("skill", view.skill.as_deref(), SkillId::new)?,
            amends: optional("amends", view.amends.as_deref(), DecisionKind::parse)?,
            issued: view.issued.as_ref().map(issued).transpose()?,
        })
    }
}

fn outage(view: &OutageView) -> Result<OutageEvidence, Error> {
    let run = WindowView { from: view.from.clone(), to: view.to.clone() };
    Ok(OutageEvidence {
        run: interval("outages", &run)?,
        downtime_ms: view.downtime_ms,
        open: view.open,
        regions: all("regions", &view.regions, Region::parse)?.into_iter().collect(),
        causes: all("causes", &view.causes, |name| Cause::ALL.into_iter().find(|cause| cause.as_str() == name))?
            .into_iter()
            .collect(),
    })
}

fn issued(view: &IssuedView) -> Result<Issued, Error> {
    let input = |input: &super::InputView| InputPosition {
        log: input.log.clone(),
        partition: input.partition,
        next_offset: input.next_offset,
    };
    Ok(Issued {
        at: instant("issued.at", &view.at)?,
        by: required("issued.by", &view.by, |by| match by {
            "programme" => Some(Issuer::Programme),
            number => number.parse().ok().map(Issuer::Partition),
        })?,
        seq: view.seq,
        inputs: view.inputs.iter().map(input).collect(),
    })
}

fn interval(field: &'static str, view: &WindowView) -> Result<Interval, Error> {
    Ok(Interval::new(instant(field, &view.from)?, instant(field, &view.to)?))
}

fn instant(field: &'static str, text: &str) -> Result<Timestamp, Error> {
    required(field, text, Timestamp::parse_rfc3339)
}

fn level(name: &str) -> Option<WarningLevel> {
    WarningLevel::ALL.into_iter().find(|level| level.as_str() == name)
}

/// A published ratio has at most seven decimals and so is found again exactly; what is no such
/// number is pulled into range by the cast.
#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and no ratio of ours is near the ends")]
fn ratio(number: f64) -> Ratio {
    Ratio::from_ten_millionths((number * TEN_MILLIONTHS).round() as i64)
}

fn all<T>(field: &'static str, texts: &[String], parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Error> {
    texts.iter().map(|text| required(field, text, &parse)).collect()
}

fn optional<T>(field: &'static str, text: Option<&str>, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Error> {
    text.map(|text| required(field, text, parse)).transpose()
}

fn required<T>(field: &'static str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    parse(text).ok_or_else(|| Error::Value { what: WHAT, field, found: shorten(text) })
}
