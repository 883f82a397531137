//! The vocabulary of badgewatch: ids, time, intervals, events, registry facts, policy values,
//! decisions and standings.
//!
//! No I/O, no clock, no serialization. Every other crate speaks in these types, so a value that
//! exists has already been checked: parsing happens once, at the edge (`wire`).
//! Rule numbers (R1 … R26) refer to `docs/semantics.md`.

pub mod catalogue;
pub mod decision;
pub mod event;
pub mod evidence;
pub mod fact;
pub mod health;
pub mod id;
pub mod interval;
pub mod life;
pub mod names;
pub mod page;
pub mod policy;
pub mod product;
pub mod programme;
pub mod ratio;
pub mod rejection;
pub mod report;
pub mod summed;
pub mod time;

pub use catalogue::Catalogue;
pub use decision::{Decision, DecisionId, DecisionKind, Evidence, OutageEvidence, Reason, Scope, WarningCause, WarningLevel};
pub use event::{Event, EventBody, EventRef, HealthState};
pub use evidence::{EvidenceByVersion, EvidenceRules, Outage, ProductEvidence, RegionEvidence};
pub use fact::Fact;
pub use health::HealthParts;
pub use id::{
    Asin, ExclusionId, ManufacturerId, Marketplace, Region, RegionSet, ReporterId, SkillId, Subject, SubjectKind, SubjectRef,
};
pub use interval::{Interval, IntervalSet};
pub use life::LifeParts;
pub use names::NamesParts;
pub use page::{PageNo, PageParts};
pub use policy::{Policies, Policy};
pub use product::Product;
pub use ratio::{Ppm, Ratio};
pub use rejection::{RejectReason, Rejection};
pub use report::Report;
pub use summed::SummedSet;
pub use time::{DurationMs, Timestamp};
