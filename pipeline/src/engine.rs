//! The engine: facts and events in, in any order; what they imply out (R19).

use std::collections::BTreeSet;

use alerting::{Case, Judgement, Life, Removed};
use compute::Gatherer;
use domain::Catalogue;
use domain::decision::Decision;
use domain::event::EventRef;
use domain::fact::{Exclusion, Fact};
use domain::id::ManufacturerId;
use domain::policy::Policies;
use domain::product::Product;
use domain::programme::Entry;
use domain::rejection::RejectReason;
use domain::report::{ManufacturerStanding, ProductStanding};
use domain::time::Timestamp;
use ingest::{Named, Names};
use registry::{Place, Refusal, Register, Registry};

use crate::subjects::Subjects;

mod explain;

pub use explain::{Ahead, Explanation, LEAVING_SHOWN_MAX, Question, ScopeExplained};

/// What became of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Applied {
    /// It counts.
    New,
    /// It was there before and is dropped (R5).
    Duplicate,
    /// It doesn't count.
    Rejected(RejectReason, String),
}

/// Everything implied at an instant, but for rejections.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Implied {
    /// By ASIN, then scope.
    pub products: Vec<ProductStanding>,
    /// By id, then scope.
    pub manufacturers: Vec<ManufacturerStanding>,
    /// In the order of R17.
    pub decisions: Vec<Decision>,
}

/// All state of the computation, in memory, owned by one thread.
#[derive(Debug)]
pub struct Engine<N> {
    policies: Policies,
    names: N,
    register: Register,
    /// The latest instant that commands and their records name.
    register_time: Option<Timestamp>,
    facts: u64,
    registry: Registry,
    subjects: Subjects,
}

impl<N: Names + Default> Engine<N> {
    /// An engine that knows nothing yet.
    #[must_use]
    pub fn new(policies: impl Into<Policies>) -> Self {
        let policies: Policies = policies.into();
        let window = policies.longest_window();
        Self {
            policies,
            names: N::default(),
            register: Register::new(window),
            register_time: None,
            facts: 0,
            registry: Registry::default(),
            subjects: Subjects::default(),
        }
    }

    /// The policy's versions that it judges by.
    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The registry as of the last [`Self::settle_registry`].
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Takes in a registry fact; it counts from the next [`Self::settle_registry`] on.
    ///
    /// # Errors
    /// What contradicts an earlier fact is refused.
    pub fn add_fact(&mut self, line: u64, fact: Fact) -> Result<(), Refusal> {
        self.add_entry(line, None, Entry::Fact(fact))
    }

    /// Takes in a line of the registry: facts in any order, commands and decisions in that of their log. What it
    /// says counts from the next [`Self::settle_registry`] on. Nothing is frozen here, so a fact reaches back as
    /// far as it says.
    ///
    /// # Errors
    /// What contradicts an earlier fact is refused, and a command that something is in the way of.
    pub fn add_entry(&mut self, line: u64, recorded_at: Option<Timestamp>, entry: Entry) -> Result<(), Refusal> {
        let mut place = Place { position: line - 1, recorded_at: None };
        let dated = match &entry {
            Entry::Command(command) => Some(command.at),
            Entry::Issued(note) => Some(note.at),
            Entry::Fact(_) => None,
        };
        if let Some(dated) = dated {
            place.recorded_at = recorded_at;
            self.pass(place, recorded_at.unwrap_or(dated));
        }
        let followed = self.register.add(place, entry)?;
        self.facts += u64::from(followed.is_some());
        Ok(())
    }

    /// Ties all facts together; must be called after facts were added and before events about
    /// what they register. What waits for its date happens up to `until`, or up to the last command.
    /// Returns the facts about something that nobody registered (yet).
    pub fn settle_registry(&mut self, until: Option<Timestamp>) -> Vec<Refusal> {
        if let Some(now) = until.max(self.register_time) {
            self.pass(Place { position: 0, recorded_at: None }, now);
        }
        let (registry, unknown) = self.register.resolve();
        self.registry = registry;
        self.registry.subjects.iter().for_each(|subject| self.subjects.register(subject, Timestamp::MIN));
        unknown
    }

    /// What is described, certified, requested and badged, and how it got there.
    #[must_use]
    pub const fn book(&self) -> &registry::Book {
        self.register.book()
    }

    fn pass(&mut self, place: Place, now: Timestamp) {
        self.register_time = self.register_time.max(Some(now));
        self.facts += self.register.pass(place, now).len() as u64;
    }

    /// Takes in an event. The order of events doesn't matter, but for two of one name: the first
    /// stands (R5).
    #[inline]
    pub fn apply(&mut self, event: &EventRef<'_>) -> Applied {
        let Some(subject) = self.subjects.number(event.subject) else { return unknown_subject(event) };
        match self.names.occupy(subject, event) {
            Named::New => {}
            Named::Duplicate => return Applied::Duplicate,
            Named::Conflict => return Applied::Rejected(RejectReason::ConflictingDuplicate, conflicting(event)),
            Named::TooOld => return Applied::Rejected(RejectReason::SequenceTooOld, too_old(event)),
        }
        // Pages never leave memory here, so none is absent; and all is judged at the end, whatever changed.
        let _changed = self.subjects.health_mut(subject, event.region).apply(event.at, event.body, &self.policies);
        Applied::New
    }

    /// How many facts were accepted so far.
    #[must_use]
    pub const fn fact_count(&self) -> u64 {
        self.facts
    }

    /// Judges a product at T, with its life so far.
    #[must_use]
    pub fn judge(&self, product: &Product, exclusions: &[Exclusion], at: Timestamp) -> (Judgement, Life) {
        let evidence = Gatherer { product, exclusions }.gather(&self.policies, at, &self.subjects);
        let certification = self.certification_of(product);
        let rulings = self.registry.rulings_on(&product.asin);
        let case = Case { policies: &self.policies, product, evidence: &evidence, certification: &certification, rulings };
        let mut life = Life::new();
        (life.advance(&case, at), life)
    }

    /// Everything implied at T (R19).
    #[must_use]
    pub fn implied(&self, at: Timestamp) -> Implied {
        let products: Vec<&Product> = self.registry.products.values().collect();
        self.implied_about(&products, &self.registry.manufacturers, at)
    }

    /// What is implied at T about manufacturers and all the products that they ever had.
    fn implied_about(&self, products: &[&Product], manufacturers: &BTreeSet<ManufacturerId>, at: Timestamp) -> Implied {
        let exclusions: Vec<_> = self.registry.exclusions_at(at).cloned().collect();
        let (mut implied, mut removed) = (Implied::default(), Vec::new());
        for product in products.iter().copied() {
            let (judgement, life) = self.judge(product, &exclusions, at);
            implied.products.extend(judgement.standings);
            implied.decisions.extend(life.decisions().iter().cloned());
            removed.push((product, judgement.removed));
        }
        let removed: Vec<Removed<'_>> = removed
            .iter()
            .flat_map(|(product, parts)| parts.iter().map(|(scope, when)| Removed { product, scope: *scope, when }))
            .collect();
        let (standings, suspensions) =
            alerting::suspensions(&self.policies, at, manufacturers, products.iter().copied(), &removed);
        implied.manufacturers = standings;
        implied.decisions.extend(suspensions);
        alerting::in_order(&mut implied.decisions);
        implied
    }

    fn certification_of(&self, product: &Product) -> Catalogue {
        Catalogue {
            listings: self.registry.listings.get(&product.asin).cloned().unwrap_or_default(),
            skill_listings: self.registry.skill_listings_of(product).cloned().collect(),
        }
    }
}

#[cold]
fn unknown_subject(event: &EventRef<'_>) -> Applied {
    Applied::Rejected(RejectReason::UnknownSubject, format!("{} is not registered", event.subject))
}

/// What is wrong with an event whose name is taken.
#[cold]
pub(crate) fn conflicting(event: &EventRef<'_>) -> String {
    format!("{} has other content before", name_of(event))
}

/// What is wrong with an event whose name may have been forgotten.
#[cold]
pub(crate) fn too_old(event: &EventRef<'_>) -> String {
    format!("{} is older than what is remembered; replay it by hand if it never counted", name_of(event))
}

fn name_of(event: &EventRef<'_>) -> String {
    let reporter = event.reporter.map_or_else(|| "no reporter".to_owned(), |reporter| format!("reporter {reporter}"));
    format!("seq {} of {} for {}", event.seq.unwrap_or_default(), reporter, event.subject)
}
