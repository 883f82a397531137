//! Values for tests.

use std::sync::Arc;

use domain::decision::{Cause, DecisionId, InputPosition, Issued, Issuer};
use domain::fact::ListingStatus;
use domain::policy::PolicyName;
use domain::rejection::LineSource;
use domain::report::{ManufacturerStanding, ProbationStanding, ProductStanding, Standing};
use domain::{Asin, Decision, DecisionKind, Evidence, ExclusionId, Interval, ManufacturerId, Marketplace, OutageEvidence, Ratio};
use domain::{Reason, Region, RejectReason, Rejection, Report, Scope, Timestamp, WarningCause, WarningLevel};

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a valid instant")
}

pub(crate) fn asin(text: &str) -> Asin {
    Asin::new(text).expect("a valid ASIN")
}

fn manufacturer(id: &str) -> ManufacturerId {
    ManufacturerId::new(id).expect("a valid id")
}

/// A report that has something of everything.
pub(crate) fn report() -> Report {
    let manufacturers = vec![
        ManufacturerStanding {
            id: manufacturer("m-1"),
            scope: Scope::Global,
            suspended: true,
            removed: vec![asin("B000000001")],
        },
        ManufacturerStanding { id: manufacturer("m-2"), scope: Scope::Global, suspended: false, removed: vec![] },
    ];
    let rejected = vec![Rejection {
        source: LineSource::Events,
        line: 17,
        reason: RejectReason::UnknownSubject,
        detail: "product:B00X is not registered".to_owned(),
    }];
    Report { at: at("2026-11-01T00:00:00Z"), products: products(), manufacturers, decisions: decisions(), rejected }
}

fn products() -> Vec<ProductStanding> {
    let window = Interval::new(at("2025-11-01T00:00:00Z"), at("2026-11-01T00:00:00Z"));
    let removed = ProductStanding {
        asin: asin("B000000001"),
        manufacturer: manufacturer("m-1"),
        scope: Scope::Global,
        standing: Standing::Probation,
        warning_level: None,
        availability: Ratio::of(31_521_000_000, 31_536_000_000),
        observed_availability: Ratio::of(30_521_000_000, 30_536_000_000),
        coverage: Ratio::of(98, 100),
        downtime_ms: 15_000_000,
        budget_ms: 22_075_200,
        window,
        probation: Some(ProbationStanding { started: at("2026-09-03T04:05:06.789Z"), months_passed: 1 }),
        outages: vec![outage()],
    };
    let young = ProductStanding {
        asin: asin("B000000002"),
        manufacturer: manufacturer("m-2"),
        scope: Scope::Region(Region::Eu),
        standing: Standing::Warned,
        warning_level: Some(WarningLevel::Warning),
        availability: Ratio::of(1, 1),
        observed_availability: None,
        coverage: None,
        downtime_ms: 0,
        probation: None,
        outages: vec![],
        ..removed.clone()
    };
    vec![removed, young]
}

fn outage() -> OutageEvidence {
    OutageEvidence {
        run: Interval::new(at("2026-09-02T20:05:06.789Z"), at("2026-09-03T04:05:06.789Z")),
        downtime_ms: 15_000_000,
        open: false,
        regions: [Region::Na, Region::Eu].into_iter().collect(),
        causes: [Cause::Hub, Cause::Own].into_iter().collect(),
    }
}

fn decisions() -> Vec<Decision> {
    let us = Marketplace::parse("US").expect("a marketplace");
    let evidence = Evidence::new(PolicyName { id: Arc::from("wwa-2024"), version: 1 });
    let warning = Decision {
        id: DecisionId([0xab; 16]),
        kind: DecisionKind::Warning,
        reasons: vec![
            Reason::Warning(WarningLevel::Watch, WarningCause::Budget),
            Reason::Warning(WarningLevel::Warning, WarningCause::Projection),
        ],
        asin: Some(asin("B000000001")),
        manufacturer: manufacturer("m-1"),
        scope: Scope::Global,
        at: at("2026-09-02T23:00:00Z"),
        supersedes: None,
        evidence: Evidence {
            window: Some(Interval::new(at("2025-09-02T23:00:00Z"), at("2026-09-02T23:00:00Z"))),
            downtime_ms: Some(12_000_000),
            budget_ms: Some(22_075_200),
            outages: vec![outage()],
            exclusions: vec![ExclusionId::new("x-1").expect("a valid id")],
            coverage: Ratio::of(2, 3),
            level: Some(WarningLevel::Warning),
            month: Some(2),
            customers: Some(120_000),
            ..evidence.clone()
        },
    };
    let suspension = Decision {
        kind: DecisionKind::Suspension,
        reasons: vec![],
        asin: None,
        supersedes: Some(DecisionId([1; 16])),
        evidence: Evidence { removed: vec![asin("B000000001")], ..evidence.clone() },
        ..warning.clone()
    };
    let held = Decision {
        kind: DecisionKind::ReinstatementHeld,
        reasons: vec![
            Reason::Listing(us, ListingStatus::Suppressed),
            Reason::Brand(us),
            Reason::Skill(us, ListingStatus::Unavailable),
        ],
        evidence,
        ..warning.clone()
    };
    let amendment = Decision {
        kind: DecisionKind::Amendment,
        reasons: vec![Reason::Budget],
        supersedes: Some(DecisionId([2; 16])),
        evidence: Evidence {
            amends: Some(DecisionKind::BadgeRemoval),
            issued: Some(Issued {
                at: at("2026-09-04T00:00:00Z"),
                by: Issuer::Partition(3),
                seq: 17,
                inputs: vec![InputPosition { log: "health".to_owned(), partition: 3, next_offset: 1_000 }],
            }),
            ..held.evidence.clone()
        },
        ..warning.clone()
    };
    vec![warning, suspension, held, amendment]
}
