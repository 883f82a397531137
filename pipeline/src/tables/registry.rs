//! The registry as a process knows it: its log in order, and since when each subject is registered.

use domain::fact::Fact;
use domain::id::{Asin, Subject, SubjectRef};
use domain::programme::{Action, Entry};
use domain::time::{DurationMs, Timestamp};
use registry::{Book, Place, Refusal, Register, Registry};
use rustc_hash::FxHashMap;

/// What was read so far, and what its facts say together.
#[derive(Debug)]
pub struct RegistryTable {
    register: Register,
    registry: Registry,
    log_time: Option<Timestamp>,
    next_offset: u64,
    /// The offset of the last line that was taken in: what time does is done behind it, whatever ticks come.
    last: u64,
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
            register: Register::new(window),
            registry: Registry::default(),
            log_time: None,
            next_offset: 0,
            last: 0,
            facts: 0,
            is_stale: false,
            known: Known::default(),
        }
    }

    /// Notes that a record was read, whatever it holds: the log's time moves on, and what waits for it happens.
    pub fn passed(&mut self, offset: u64, appended_at: Option<Timestamp>) {
        self.next_offset = self.next_offset.max(offset + 1);
        self.pass(appended_at);
    }

    /// Lets the log's time go on. What waits happens one after the other, each at its own instant and behind the last
    /// line: so it is the same in however many steps time goes, and a log without its ticks says the same.
    pub fn pass(&mut self, appended_at: Option<Timestamp>) {
        self.log_time = self.log_time.max(appended_at);
        let Some(now) = self.log_time else { return };
        while let Some(due) = self.register.book().next_due().filter(|due| *due <= now) {
            self.pass_to(due.max(self.register.book().now()));
        }
        self.pass_to(now);
    }

    fn pass_to(&mut self, now: Timestamp) {
        let followed = self.register.pass(Place { position: self.last, recorded_at: Some(now) }, now);
        followed.iter().for_each(|fact| self.admit(fact, now));
    }

    /// Takes in a line of a record, once what waited for its time has happened; what it says counts from the next
    /// [`Self::settle`] on.
    ///
    /// # Errors
    /// What contradicts an earlier fact is refused, the revocation of an exclusion of which a part is frozen, and a
    /// command that something is in the way of.
    pub fn add(&mut self, offset: u64, appended_at: Option<Timestamp>, entry: Entry) -> Result<(), Refusal> {
        self.pass(appended_at);
        self.last = offset;
        let appended = appended_at.unwrap_or(Timestamp::MIN);
        let is_approval = matches!(&entry, Entry::Command(command) if matches!(command.action, Action::ApproveBadgeRequest(_)));
        let followed = self.register.add(Place { position: offset, recorded_at: appended_at }, entry)?;
        if let Some(fact) = followed {
            self.admit(&fact, appended);
        } else if is_approval {
            let Self { register, known, is_stale, .. } = self;
            register.book().coming_subjects().for_each(|subject| known.name(subject, appended));
            *is_stale = true;
        }
        Ok(())
    }

    /// What is described, certified, requested and badged, and how it got there.
    #[must_use]
    pub const fn book(&self) -> &Book {
        self.register.book()
    }

    fn admit(&mut self, fact: &Fact, appended: Timestamp) {
        self.known.note(fact, appended);
        self.facts += 1;
        self.is_stale = true;
    }

    /// Ties all facts together, if there are new ones: yields the registry as it was before, and the
    /// facts about something that nobody registered (yet).
    pub fn settle(&mut self) -> Option<(Registry, Vec<Refusal>)> {
        std::mem::take(&mut self.is_stale).then(|| {
            let (registry, unknown) = self.register.resolve();
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

#[cfg(test)]
mod tests {
    use domain::rejection::RejectReason;

    use super::*;

    const BADGE: &str = r#"{"type":"badge","asin":"B1","manufacturer":"m-1","skill":"s-1","marketplaces":["US"],"enabled_at":0}"#;
    const CHANGE: &str = r#"{"type":"badge","asin":"B1","at":50,"skill":"s-2"}"#;

    /// Facts with their append times; a subject; whether its events appended at some instants count.
    fn check(facts: &[(i64, &str)], subject: &str, expected: &[(i64, Option<bool>)]) {
        let mut table = RegistryTable::new(DurationMs(100));
        for (offset, (appended, line)) in (0..).zip(facts) {
            let entry = wire::entry::parse(line.as_bytes()).expect("a valid line");
            table.add(offset, Timestamp::from_ms(*appended), entry).expect("no contradiction");
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
                .add(offset, Timestamp::from_ms(1_000), wire::entry::parse(line.as_bytes()).expect("a valid line"))
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
            let entry = wire::entry::parse(revoked.as_bytes()).expect("a valid line");
            table.add(9, Timestamp::from_ms(appended), entry).map_err(|refusal| refusal.reason)
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
            let entry = wire::entry::parse(line.as_bytes()).expect("a valid line");
            let _refused = table.add(offset, Timestamp::from_ms(950), entry);
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
