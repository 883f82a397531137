//! The registry as a process knows it: facts in the order of their log, and since when each subject
//! is registered.

use domain::fact::Fact;
use domain::id::{Asin, Subject, SubjectRef};
use domain::rejection::RejectReason;
use domain::time::{DurationMs, Timestamp};
use registry::{Ledger, Refusal, Registry};
use rustc_hash::FxHashMap;

/// Facts read so far, and what they say together.
///
/// A fact acts on the past no farther than one window before its record was appended (R24): what is
/// older is frozen.
#[derive(Debug)]
pub struct RegistryTable {
    window: DurationMs,
    ledger: Ledger,
    registry: Registry,
    log_time: Option<Timestamp>,
    next_offset: u64,
    facts: u64,
    is_stale: bool,
    known: Known,
}

/// Since when, by the registry's log, events about a subject count.
#[derive(Default, Debug)]
struct Known {
    since: FxHashMap<Subject, Timestamp>,
    badges: FxHashMap<Asin, Timestamp>,
    /// What changes name of products that have no badge line yet.
    waiting: FxHashMap<Asin, Vec<Subject>>,
}

impl RegistryTable {
    /// A table that knows nothing yet; `window` is the longest window of any policy version.
    #[must_use]
    pub fn new(window: DurationMs) -> Self {
        Self {
            window,
            ledger: Ledger::default(),
            registry: Registry::default(),
            log_time: None,
            next_offset: 0,
            facts: 0,
            is_stale: false,
            known: Known::default(),
        }
    }

    /// Notes that a record was read, whatever it holds: the log's time moves on.
    pub fn passed(&mut self, offset: u64, appended_at: Option<Timestamp>) {
        self.next_offset = self.next_offset.max(offset + 1);
        self.log_time = self.log_time.max(appended_at);
    }

    /// Takes in a fact of a record; it counts from the next [`Self::settle`] on.
    ///
    /// # Errors
    /// What contradicts an earlier fact is refused, and the revocation of an exclusion of which a part is frozen.
    pub fn add(&mut self, offset: u64, appended_at: Option<Timestamp>, fact: Fact) -> Result<(), Refusal> {
        let fact = match appended_at {
            Some(appended) => {
                let earliest = appended.saturating_sub(self.window);
                self.check_revocation(offset + 1, &fact, appended)?;
                reaching_back(fact, earliest)
            }
            None => fact,
        };
        let named = fact.clone();
        self.ledger.add(offset + 1, fact)?;
        self.check_earlier_revocation(&named);
        self.known.note(&named, appended_at.unwrap_or(Timestamp::MIN));
        self.facts += 1;
        self.is_stale = true;
        Ok(())
    }

    /// R24: what an exclusion took out more than a window before it is revoked stays taken out, so it can't
    /// be revoked as a whole.
    fn check_revocation(&self, line: u64, fact: &Fact, appended: Timestamp) -> Result<(), Refusal> {
        let Fact::ExclusionRevoked(revoked) = fact else { return Ok(()) };
        let earliest = appended.max(revoked.at).saturating_sub(self.window);
        match self.ledger.exclusion(&revoked.id).filter(|exclusion| exclusion.interval.from < earliest) {
            None => Ok(()),
            Some(exclusion) => Err(Refusal {
                line,
                reason: RejectReason::OlderThanWindow,
                detail: format!(
                    "exclusion {} began {}, before {earliest}: a part of it is more than one window ago and can't change any more",
                    exclusion.id, exclusion.interval.from
                ),
            }),
        }
    }

    /// The same where the revocation came first, and acts long after the exclusion began: it doesn't count.
    fn check_earlier_revocation(&mut self, fact: &Fact) {
        let Fact::Exclusion(exclusion) = fact else { return };
        let acts = self.ledger.revocation(&exclusion.id).map(|revoked| revoked.at);
        if acts.is_some_and(|at| exclusion.interval.from < at.saturating_sub(self.window)) {
            self.ledger.drop_revocation(&exclusion.id);
        }
    }

    /// Ties all facts together, if there are new ones: yields the registry as it was before, and the
    /// facts about something that nobody registered (yet).
    pub fn settle(&mut self) -> Option<(Registry, Vec<Refusal>)> {
        std::mem::take(&mut self.is_stale).then(|| {
            let (registry, unknown) = self.ledger.resolve();
            (std::mem::replace(&mut self.registry, registry), unknown)
        })
    }

    /// The registry as of the last [`Self::settle`].
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// From which append time on events about a subject count; none if it isn't registered.
    #[must_use]
    pub fn known_since(&self, subject: SubjectRef<'_>) -> Option<Timestamp> {
        self.known.since.get(&subject.to_owned()).copied()
    }

    /// The append time of the last record read: this input's watermark (R23).
    #[must_use]
    pub const fn log_time(&self) -> Option<Timestamp> {
        self.log_time
    }

    /// The first offset that has not been read.
    #[must_use]
    pub const fn next_offset(&self) -> u64 {
        self.next_offset
    }

    /// How many facts were accepted.
    #[must_use]
    pub const fn fact_count(&self) -> u64 {
        self.facts
    }
}

impl Known {
    fn note(&mut self, fact: &Fact, appended: Timestamp) {
        match fact {
            Fact::Badge(badge) => {
                self.badges.insert(badge.asin.clone(), appended);
                let waiting = self.waiting.remove(&badge.asin).unwrap_or_default();
                let terms = &badge.terms;
                let named = [
                    Some(Subject::product(&badge.asin)),
                    terms.skill.as_ref().map(Subject::skill),
                    terms.hub.as_ref().map(Subject::hub),
                ];
                named.into_iter().flatten().chain(waiting).for_each(|subject| self.name(subject, appended));
            }
            Fact::BadgeChange(change) => {
                let skill = change.skill.iter().flatten().map(Subject::skill);
                let named: Vec<Subject> = skill.chain(change.hub.iter().flatten().map(Subject::hub)).collect();
                if self.badges.contains_key(&change.asin) {
                    named.into_iter().for_each(|subject| self.name(subject, appended));
                } else {
                    self.waiting.entry(change.asin.clone()).or_default().extend(named);
                }
            }
            _ => {}
        }
    }

    /// The log is read in order, so the first to name a subject is the earliest.
    fn name(&mut self, subject: Subject, appended: Timestamp) {
        self.since.entry(subject).or_insert(appended);
    }
}

/// The fact with every instant of its own that lies before `earliest` taken as that one (R24). A
/// ruling and an acknowledgement stay: there is nothing frozen that they change.
fn reaching_back(mut fact: Fact, earliest: Timestamp) -> Fact {
    let clamp = |at: &mut Timestamp| *at = (*at).max(earliest);
    match &mut fact {
        Fact::Badge(badge) => clamp(&mut badge.enabled_at),
        Fact::BadgeChange(change) => clamp(&mut change.at),
        Fact::Withdrawal(withdrawal) => clamp(&mut withdrawal.at),
        Fact::Exclusion(exclusion) => clamp(&mut exclusion.interval.from),
        Fact::Listing(listing) => clamp(&mut listing.at),
        Fact::SkillListing(listing) => clamp(&mut listing.at),
        Fact::Manufacturer(_) | Fact::ExclusionRevoked(_) | Fact::Ruling(_) | Fact::Acknowledgement(_) | Fact::KillSwitch(_) => {}
    }
    fact
}

#[cfg(test)]
mod tests {
    use super::*;

    const BADGE: &str = r#"{"type":"badge","asin":"B1","manufacturer":"m-1","skill":"s-1","marketplaces":["US"],"enabled_at":0}"#;
    const CHANGE: &str = r#"{"type":"badge","asin":"B1","at":50,"skill":"s-2"}"#;

    /// Facts with their append times; a subject; whether its events appended at some instants count.
    fn check(facts: &[(i64, &str)], subject: &str, expected: &[(i64, Option<bool>)]) {
        let mut table = RegistryTable::new(DurationMs(100));
        for (offset, (appended, line)) in (0..).zip(facts) {
            let fact = wire::fact::parse(line.as_bytes()).expect("a valid line");
            table.add(offset, Timestamp::from_ms(*appended), fact).expect("no contradiction");
            table.passed(offset, Timestamp::from_ms(*appended));
        }
        let subject = SubjectRef::parse(subject).expect("a subject");
        for (appended, knows) in expected {
            let known = table.known_since(subject).map(|since| since.ms() <= *appended);
            assert_eq!(known, *knows, "{subject} at {appended}");
        }
    }

    #[test]
    fn a_subject_is_known_from_the_line_on_that_names_it_for_a_badge() {
        check(&[], "product:B1", &[(0, None)]);
        check(&[(10, BADGE)], "product:B1", &[(9, Some(false)), (10, Some(true))]);
        check(&[(10, BADGE)], "skill:s-1", &[(9, Some(false)), (10, Some(true))]);
        check(&[(10, BADGE), (20, CHANGE)], "skill:s-2", &[(19, Some(false)), (20, Some(true))]);
        check(&[(10, CHANGE), (20, BADGE)], "skill:s-2", &[(19, Some(false)), (20, Some(true))]);
        check(&[(10, CHANGE)], "skill:s-2", &[(30, None)]);
    }

    #[test]
    fn a_fact_reaches_back_one_window_at_most() {
        let mut table = RegistryTable::new(DurationMs(100));
        let excluded =
            r#"{"type":"exclusion","id":"x","applies_to":{"all":true},"from":5,"to":950,"reason":"platform","approved_by":"t"}"#;
        for (offset, line) in (0..).zip([BADGE, CHANGE, excluded]) {
            table
                .add(offset, Timestamp::from_ms(1_000), wire::fact::parse(line.as_bytes()).expect("a valid line"))
                .expect("fine");
        }
        assert!(table.settle().is_some());
        assert!(table.settle().is_none(), "nothing new");
        let registry = table.registry().clone();
        assert_eq!(registry.exclusions[0].interval.from.ms(), 900);
        let product = registry.products.values().next().expect("a product");
        assert_eq!(product.enabled_at.ms(), 900);
        let revoked = r#"{"type":"exclusion_revoked","id":"x","at":950,"by":"t"}"#;
        let revoke = |table: &mut RegistryTable, appended: i64| {
            let fact = wire::fact::parse(revoked.as_bytes()).expect("a valid line");
            table.add(9, Timestamp::from_ms(appended), fact).map_err(|refusal| refusal.reason)
        };
        assert_eq!(revoke(&mut table, 1_001), Err(RejectReason::OlderThanWindow));
        assert_eq!(revoke(&mut table, 1_000), Ok(()));
        assert_eq!(product.terms().map(|(interval, _)| interval.from.ms()).collect::<Vec<_>>(), [0, 900]);
    }

    /// An exclusion from 900 on and its revocation, in whatever order; whether it is revoked in the end.
    fn check_revoked(acts: i64, first: &str, expected: bool) {
        let exclusion = r#"{"type":"exclusion","id":"x","applies_to":{"all":true},"from":900,"to":950,"reason":"platform","approved_by":"t"}"#;
        let revoked = format!(r#"{{"type":"exclusion_revoked","id":"x","at":{acts},"by":"t"}}"#);
        let mut lines = [exclusion, revoked.as_str()];
        lines.sort_by_key(|line| !line.contains(first));
        let mut table = RegistryTable::new(DurationMs(100));
        for (offset, line) in (0..).zip(lines) {
            let fact = wire::fact::parse(line.as_bytes()).expect("a valid line");
            let _refused = table.add(offset, Timestamp::from_ms(950), fact);
        }
        table.settle();
        assert_eq!(!table.registry().revoked.is_empty(), expected, "{acts}, first {first}");
    }

    #[test]
    fn a_revocation_acts_within_a_window_of_the_beginning_or_not_at_all() {
        for first in ["exclusion_revoked", "applies_to"] {
            check_revoked(940, first, true);
            check_revoked(1_000, first, true);
            check_revoked(1_001, first, false);
        }
    }
}
