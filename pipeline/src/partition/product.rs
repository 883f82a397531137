//! A product as its owner keeps it: evidence, life, and what was issued about it.

use alerting::{Issued, Life};
use domain::Asin;
use domain::evidence::EvidenceByVersion;
use domain::policy::Policies;
use domain::report::ProductStanding;
use domain::time::Timestamp;

/// An owned product.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) asin: Asin,
    pub(super) evidence: EvidenceByVersion,
    pub(super) life: Life,
    pub(super) issued: Issued,
    /// How it stood when it was last judged.
    pub(super) standings: Vec<ProductStanding>,
    /// When time alone makes it worth judging; also in the partition's calendar.
    pub(super) due: Option<Timestamp>,
    /// How many implied decisions wait to settle.
    pub(super) waiting: usize,
}

impl Owned {
    pub(super) fn new(asin: Asin, policies: &Policies) -> Self {
        Self {
            asin,
            evidence: EvidenceByVersion::new(policies),
            life: Life::new(),
            issued: Issued::default(),
            standings: Vec::new(),
            due: None,
            waiting: 0,
        }
    }
}
