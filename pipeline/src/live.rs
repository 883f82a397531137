//! Issuing: what is implied at T, held against what was issued before (R20, R21).
//!
//! A tick judges only products whose downtime changed, whose run is still open, or whose
//! decisions wait to settle; at midnight, when projections and coverage are judged, all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use alerting::Removed;
use domain::decision::{Decision, DecisionId, DecisionKind, Scope};
use domain::fact::Exclusion;
use domain::id::Asin;
use domain::interval::IntervalSet;
use domain::policy::Policies;
use domain::report::{ManufacturerStanding, ProductStanding};
use domain::time::{DurationMs, MINUTE_MS, Timestamp};
use ingest::Names;
use ports::{Log, PortError, RecordSink};
use telemetry::events::{Appended, DecisionPublished, InternalEvent, Ticked};
use telemetry::{FleetGauges, Metrics};

use crate::engine::{Engine, Implied};

/// How long ids of issued decisions are remembered after they ceased to be implied: evidence that
/// comes late may imply them again.
const ISSUED_REMEMBERED: DurationMs = DurationMs::days(2 * 366);

/// The engine and what it has said so far.
pub(crate) struct Live<N> {
    pub(crate) engine: Engine<N>,
    metrics: Arc<Metrics>,
    gauges: FleetGauges,
    at: Option<Timestamp>,
    judged: BTreeMap<Asin, Judged>,
    issued: BTreeMap<DecisionId, Timestamp>,
    manufacturers: Vec<ManufacturerStanding>,
}

/// What was last judged of a product.
struct Judged {
    standings: Vec<ProductStanding>,
    removed: Vec<(Scope, IntervalSet)>,
    /// When it is to be judged again without new evidence, before the next midnight.
    due: Option<Timestamp>,
}

/// How a product is to be judged.
struct Tick<'a> {
    at: Timestamp,
    new_day: bool,
    is_dirty: bool,
    exclusions: &'a [Exclusion],
}

impl<N: Names + Default> Live<N> {
    pub(crate) fn new(policies: Policies, metrics: Arc<Metrics>) -> Self {
        Self {
            engine: Engine::new(policies),
            gauges: FleetGauges::new(Arc::clone(&metrics)),
            metrics,
            at: None,
            judged: BTreeMap::new(),
            issued: BTreeMap::new(),
            manufacturers: Vec::new(),
        }
    }

    /// T.
    pub(crate) const fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// Brings standings and decisions up to `at`; T never goes back. Returns how many decisions
    /// were issued.
    pub(crate) fn tick(&mut self, at: Timestamp, sink: &mut dyn RecordSink) -> Result<u64, PortError> {
        let started = Instant::now();
        let last = self.at;
        let at = last.map_or(at, |last| last.max(at));
        self.at = Some(at);
        let new_day = last.is_none_or(|last| last.floor_day() < at.floor_day());
        let exclusions: Vec<Exclusion> = self.engine.registry().exclusions_at(at).cloned().collect();
        let dirty: BTreeSet<Asin> = self.engine.take_dirty().into_iter().collect();
        let mut decisions = Vec::new();
        for asin in self.due_now(&dirty, at, new_day) {
            let tick = Tick { at, new_day, is_dirty: dirty.contains(&asin), exclusions: &exclusions };
            decisions.extend(self.judge(&asin, &tick, sink)?);
        }
        let (manufacturers, suspensions) = self.suspensions(at);
        decisions.extend(suspensions);
        if new_day {
            // All products were judged: what is old and no longer implied can't be issued again.
            let implied: BTreeSet<DecisionId> = decisions.iter().map(|decision| decision.id).collect();
            self.issued.retain(|id, dated| implied.contains(id) || dated.saturating_add(ISSUED_REMEMBERED) > at);
        }
        decisions.retain(|decision| decision.at.saturating_add(self.settle(decision)) <= at);
        alerting::in_order(&mut decisions);
        let issued = self.issue(&decisions, sink)?;
        self.publish_manufacturers(manufacturers, at, sink)?;
        self.show();
        Ticked { at, took: started.elapsed() }.emit(&self.metrics);
        Ok(issued)
    }

    /// Decides and publishes everything implied at `at`, settled or not.
    pub(crate) fn finish(&mut self, at: Timestamp, sink: &mut dyn RecordSink) -> Result<u64, PortError> {
        let started = Instant::now();
        let implied: Implied = self.engine.implied(at);
        let issued = self.issue(&implied.decisions, sink)?;
        for product in &implied.products {
            publish_product(product, at, sink)?;
        }
        for manufacturer in &implied.manufacturers {
            publish_manufacturer(manufacturer, at, sink)?;
        }
        let records = (implied.products.len() + implied.manufacturers.len()) as u64;
        Appended { log: Log::Standings.as_str(), records }.emit(&self.metrics);
        self.gauges.show(&implied.products, &implied.manufacturers);
        Ticked { at, took: started.elapsed() }.emit(&self.metrics);
        Ok(issued)
    }

    fn due_now(&self, dirty: &BTreeSet<Asin>, at: Timestamp, new_day: bool) -> Vec<Asin> {
        let mut asins = dirty.clone();
        if new_day {
            asins.extend(self.engine.registry().products.keys().cloned());
        } else {
            let due = self.judged.iter().filter(|(_, judged)| judged.due.is_some_and(|due| due <= at));
            asins.extend(due.map(|(asin, _)| asin.clone()));
        }
        asins.into_iter().collect()
    }

    fn judge(&mut self, asin: &Asin, tick: &Tick<'_>, sink: &mut dyn RecordSink) -> Result<Vec<Decision>, PortError> {
        let Tick { at, new_day, is_dirty, exclusions } = *tick;
        let Some(product) = self.engine.registry().products.get(asin) else { return Ok(Vec::new()) };
        let (judgement, life) = self.engine.judge(product, exclusions, at);
        let before = self.judged.get(asin);
        let mut published = 0;
        for standing in &judgement.standings {
            let told = before.and_then(|before| before.standings.iter().find(|other| other.scope == standing.scope));
            if new_day || told.is_none_or(|told| differs(told, standing)) {
                publish_product(standing, at, sink)?;
                published += 1;
            }
        }
        Appended { log: Log::Standings.as_str(), records: published }.emit(&self.metrics);
        let waiting = life.decisions().iter().filter(|decision| !self.issued.contains_key(&decision.id));
        let settles = waiting.map(|decision| decision.at.saturating_add(self.settle(decision))).min();
        // What was reported in this minute counts once it has ended.
        let minute_ends = is_dirty.then(|| at.floor_minute().saturating_add(DurationMs(MINUTE_MS)));
        let due = settles.into_iter().chain(minute_ends).chain([life.next_due()]).min();
        self.judged.insert(asin.clone(), Judged { standings: judgement.standings, removed: judgement.removed, due });
        Ok(life.decisions().to_vec())
    }

    fn suspensions(&self, at: Timestamp) -> (Vec<ManufacturerStanding>, Vec<Decision>) {
        let registry = self.engine.registry();
        let removed: Vec<Removed<'_>> = self
            .judged
            .iter()
            .filter_map(|(asin, judged)| registry.products.get(asin).map(|product| (product, judged)))
            .flat_map(|(product, judged)| {
                judged.removed.iter().map(move |(scope, when)| Removed { product, scope: *scope, when })
            })
            .collect();
        alerting::suspensions(self.engine.policies(), at, &registry.manufacturers, registry.products.values(), &removed)
    }

    fn settle(&self, decision: &Decision) -> DurationMs {
        let policy = self.engine.policies().at(decision.at);
        match decision.kind {
            DecisionKind::Warning
            | DecisionKind::CoverageWarning
            | DecisionKind::CriticalOutage
            | DecisionKind::ServiceDegradation => policy.settle_warnings,
            DecisionKind::ProbationMonthPassed
            | DecisionKind::Reinstatement
            | DecisionKind::ReinstatementHeld
            | DecisionKind::SuspensionLifted
            | DecisionKind::BadgeRemoval
            | DecisionKind::Suspension
            | DecisionKind::ProbationRestarted
            | DecisionKind::ProbationStarted
            | DecisionKind::Proposal
            | DecisionKind::Reversal
            | DecisionKind::Amendment => policy.settle_enforcement,
        }
    }

    fn issue(&mut self, decisions: &[Decision], sink: &mut dyn RecordSink) -> Result<u64, PortError> {
        let mut issued = 0;
        for decision in decisions {
            if self.issued.insert(decision.id, decision.at).is_none() {
                let key = match &decision.asin {
                    Some(asin) => format!("product:{asin}"),
                    None => format!("manufacturer:{}", decision.manufacturer),
                };
                sink.append(Log::Decisions, &key, &wire::decision::write(decision))?;
                DecisionPublished(decision).emit(&self.metrics);
                issued += 1;
            }
        }
        Appended { log: Log::Decisions.as_str(), records: issued }.emit(&self.metrics);
        Ok(issued)
    }

    fn publish_manufacturers(
        &mut self,
        manufacturers: Vec<ManufacturerStanding>,
        at: Timestamp,
        sink: &mut dyn RecordSink,
    ) -> Result<(), PortError> {
        let mut records = 0;
        for manufacturer in manufacturers.iter().filter(|standing| !self.manufacturers.contains(standing)) {
            publish_manufacturer(manufacturer, at, sink)?;
            records += 1;
        }
        Appended { log: Log::Standings.as_str(), records }.emit(&self.metrics);
        self.manufacturers = manufacturers;
        Ok(())
    }

    fn show(&mut self) {
        let products: Vec<ProductStanding> = self.judged.values().flat_map(|judged| judged.standings.iter().cloned()).collect();
        self.gauges.show(&products, &self.manufacturers);
    }
}

/// Whether two standings differ in more than what moves with time alone.
fn differs(before: &ProductStanding, now: &ProductStanding) -> bool {
    let told = |standing: &ProductStanding| {
        (standing.standing, standing.warning_level, standing.probation, standing.downtime_ms, standing.outages.len())
    };
    told(before) != told(now) || before.manufacturer != now.manufacturer
}

fn publish_product(product: &ProductStanding, at: Timestamp, sink: &mut dyn RecordSink) -> Result<(), PortError> {
    let key = format!("product:{}/{}", product.asin, product.scope);
    sink.append(Log::Standings, &key, &wire::standing::write_product(product, at))
}

fn publish_manufacturer(manufacturer: &ManufacturerStanding, at: Timestamp, sink: &mut dyn RecordSink) -> Result<(), PortError> {
    let key = format!("manufacturer:{}/{}", manufacturer.id, manufacturer.scope);
    sink.append(Log::Standings, &key, &wire::standing::write_manufacturer(manufacturer, at))
}
