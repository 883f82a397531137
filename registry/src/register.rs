//! The registry as its log tells it: facts, commands and decisions in order, one ledger and one book out.
//!
//! The ledger holds what standings are computed from; the book holds how people got there. A command that is
//! carried out becomes a fact in the ledger, and both change or neither does.

use domain::fact::Fact;
use domain::id::CommandId;
use domain::programme::{Command, Entry, IssuedNote, Outcome, Unmet};
use domain::rejection::RejectReason;
use domain::time::{DurationMs, Timestamp};

use crate::book::{Book, Place};
use crate::ledger::{Ledger, Refusal};
use crate::resolved::Registry;

/// Ledger and book of one log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Register {
    window: DurationMs,
    ledger: Ledger,
    book: Book,
}

impl Register {
    /// A register of nothing yet; `window` is the longest window of any policy version.
    #[must_use]
    pub fn new(window: DurationMs) -> Self {
        Self { window, ledger: Ledger::default(), book: Book::new(window) }
    }

    /// Takes in a line: yields the fact that follows, if one does. A fact acts on the past no farther than one
    /// window before its record was appended, where the log says when that was (R24).
    ///
    /// # Errors
    /// What contradicts an earlier fact is refused; the revocation of an exclusion of which a part is frozen; and a
    /// command that something is in the way of, with everything that is.
    pub fn add(&mut self, place: Place, entry: Entry) -> Result<Option<Fact>, Refusal> {
        match entry {
            Entry::Fact(fact) => self.add_fact(place, fact).map(Some),
            Entry::Command(command) => self.add_command(place, &command),
            Entry::Issued(note) => {
                self.issued(place, &note);
                Ok(None)
            }
        }
    }

    /// Takes in a command as [`Self::add`] does: yields what became of it, with each thing that is in the way by itself,
    /// and the fact that follows, if one does.
    pub fn apply(&mut self, place: Place, command: &Command) -> (Outcome, Option<Fact>) {
        let Self { window, ledger, book } = self;
        let mut followed = None;
        let outcome = book.apply(place, command, |fact| {
            let fact = admitted(ledger, *window, place, fact).map_err(|refusal| as_unmet(&refusal))?;
            followed = Some(fact);
            Ok(())
        });
        (outcome, followed)
    }

    /// Forgets that a command was refused: it was tried out on a copy, and isn't in the log.
    pub fn forget_refused(&mut self, id: &CommandId) {
        self.book.forget_refused(id);
    }

    /// Lets the log's time go on: yields the facts that follow.
    pub fn pass(&mut self, place: Place, now: Timestamp) -> Vec<Fact> {
        let Self { window, ledger, book } = self;
        let mut out = Vec::new();
        book.pass(place, now, |fact| {
            let fact = admitted(ledger, *window, place, fact).map_err(|refusal| as_unmet(&refusal))?;
            out.push(fact);
            Ok(())
        });
        out
    }

    /// What is described, certified, requested and badged.
    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// Ties all facts together. The second value lists, by line, those about something that nobody registered, or
    /// described.
    #[must_use]
    pub fn resolve(&self) -> (Registry, Vec<Refusal>) {
        let (mut registry, unknown) = self.ledger.resolve_expecting(&|subject| self.book.expects(subject));
        // Who reports of a badge from its first instant on reports before anybody can know that it is live.
        registry.subjects.extend(self.book.coming_subjects());
        (registry, unknown)
    }

    fn add_fact(&mut self, place: Place, fact: Fact) -> Result<Fact, Refusal> {
        let Self { window, ledger, book } = self;
        let fact = acting(ledger, *window, place, fact)?;
        let is_known = ledger.holds(&fact);
        admit(ledger, *window, place, &fact)?;
        if let Fact::Exclusion(exclusion) = &fact
            && ledger.revocation(&exclusion.id).is_none()
        {
            book.drop_revocation(&exclusion.id);
        }
        if !is_known {
            book.note(place, &fact);
        }
        Ok(fact)
    }

    fn add_command(&mut self, place: Place, command: &Command) -> Result<Option<Fact>, Refusal> {
        match self.apply(place, command) {
            (Outcome::Accepted { .. }, followed) => Ok(followed),
            (Outcome::Refused { unmet }, _) => Err(Refusal {
                line: place.position + 1,
                reason: RejectReason::CommandRefused,
                detail: format!("command {}: {}", command.id, in_words(&unmet)),
            }),
        }
    }

    fn issued(&mut self, place: Place, note: &IssuedNote) {
        self.book.issued(place, note);
    }
}

/// Everything that is in the way, as one text.
#[must_use]
pub fn in_words(unmet: &[Unmet]) -> String {
    let each = unmet.iter().map(|unmet| format!("{}: {}; {}", unmet.requirement, unmet.detail, unmet.remedy));
    each.collect::<Vec<_>>().join(" | ")
}

fn as_unmet(refusal: &Refusal) -> Unmet {
    let remedy = "look at what is registered already".to_owned();
    Unmet { requirement: refusal.reason.to_string(), detail: refusal.detail.clone(), remedy }
}

/// The fact as the ledger took it.
fn admitted(ledger: &mut Ledger, window: DurationMs, place: Place, fact: Fact) -> Result<Fact, Refusal> {
    let fact = acting(ledger, window, place, fact)?;
    admit(ledger, window, place, &fact)?;
    Ok(fact)
}

/// The fact as it can still act (R24).
fn acting(ledger: &Ledger, window: DurationMs, place: Place, fact: Fact) -> Result<Fact, Refusal> {
    let Some(appended) = place.recorded_at else { return Ok(fact) };
    check_revocation(ledger, window, place.position + 1, (&fact, appended))?;
    Ok(reaching_back(fact, appended.saturating_sub(window)))
}

fn admit(ledger: &mut Ledger, window: DurationMs, place: Place, fact: &Fact) -> Result<(), Refusal> {
    ledger.add(place.position + 1, fact.clone())?;
    if place.recorded_at.is_some() {
        check_earlier_revocation(ledger, window, fact);
    }
    Ok(())
}

/// R24: what an exclusion took out more than a window before it is revoked stays taken out, so it can't
/// be revoked as a whole.
fn check_revocation(ledger: &Ledger, window: DurationMs, line: u64, (fact, appended): (&Fact, Timestamp)) -> Result<(), Refusal> {
    let Fact::ExclusionRevoked(revoked) = fact else { return Ok(()) };
    let earliest = appended.max(revoked.at).saturating_sub(window);
    match ledger.exclusion(&revoked.id).filter(|exclusion| exclusion.interval.from < earliest) {
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
fn check_earlier_revocation(ledger: &mut Ledger, window: DurationMs, fact: &Fact) {
    let Fact::Exclusion(exclusion) = fact else { return };
    let acts = ledger.revocation(&exclusion.id).map(|revoked| revoked.at);
    if acts.is_some_and(|at| exclusion.interval.from < at.saturating_sub(window)) {
        ledger.drop_revocation(&exclusion.id);
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
