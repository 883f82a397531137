//! What holds before and after everything that happens.

use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::Catalogue;
use domain::decision::{DecisionKind, Scope};
use domain::fact::{ExclusionRevoked, Fact, KillSwitch};
use domain::id::{Asin, ExclusionId, Marketplace, RegionSet};
use domain::programme::{
    Action, BadgeForm, BadgeRequestStatus, BadgeStatus, CertificationStatus, Entry, ExclusionStatus, Outcome,
};
use domain::time::{DurationMs, Timestamp};
use domain::{Reason, Region};

use super::super::stage::WINDOW;
use super::issuer::Regions;
use super::moves::reached;
use super::{Happened, Line, World, shown};
use crate::book::Book;
use crate::register::Register;
use crate::resolved::Registry;

/// What follows from the facts that were yielded, kept as naively as can be.
#[derive(Default)]
pub(super) struct Naive {
    /// Exclusions, in whatever order they and their revocations came.
    excluded: BTreeSet<ExclusionId>,
    revoked: BTreeMap<ExclusionId, ExclusionRevoked>,
    /// Turns of the kill switch, and whether a command made them.
    turns: Vec<(KillSwitch, bool)>,
    /// Badges, and those of which facts say more than requests do.
    badges: BTreeSet<Asin>,
    changed: BTreeSet<Asin>,
    /// Records of commands.
    commands: BTreeSet<u64>,
    /// What was reached how often.
    pub(super) reached: BTreeMap<String, u32>,
}

impl Naive {
    pub(super) fn note(&mut self, before: &Register, after: &Register, happened: &Happened) {
        match happened {
            Happened::Passed(_, _, facts) => facts.iter().for_each(|fact| self.fact(fact, true, true)),
            Happened::Line(line) => {
                let Line { place, entry, result } = &**line;
                let is_command = matches!(entry, Entry::Command(_));
                if is_command {
                    self.commands.insert(place.position);
                }
                if let Ok(Some(fact)) = result {
                    self.fact(fact, is_command, place.recorded_at.is_some());
                }
                self.count(before, entry, result.as_ref().err().map(|refusal| refusal.detail.as_str()));
            }
        }
        for id in after.book().ids() {
            let revision = |book: &Book| book.entity(&id).map_or(0, |entity| entity.trail().revision());
            if revision(before.book()) < revision(after.book())
                && let Some(what) = after.book().entity(&id).as_ref().and_then(reached)
            {
                *self.reached.entry(what).or_default() += 1;
            }
        }
    }

    fn count(&mut self, before: &Register, entry: &Entry, told: Option<&str>) {
        let Entry::Command(command) = entry else { return };
        if before.book().outcome(&command.id).is_some() {
            *self.reached.entry("a command came again".to_owned()).or_default() += 1;
        } else if let Some(told) = told {
            let requirement = told.split(": ").nth(1).and_then(|named| named.split(':').next()).unwrap_or_default();
            *self.reached.entry(format!("refused by {requirement}")).or_default() += 1;
        }
    }

    fn fact(&mut self, fact: &Fact, is_ours: bool, is_recorded: bool) {
        match fact {
            Fact::Badge(badge) => drop(self.badges.insert(badge.asin.clone())),
            Fact::BadgeChange(change) if !is_ours => drop(self.changed.insert(change.asin.clone())),
            Fact::BadgeChange(change) if change.marketplaces.is_some() => {
                *self.reached.entry("a badge gained a marketplace".to_owned()).or_default() += 1;
            }
            Fact::Exclusion(fact) => {
                self.excluded.insert(fact.id.clone());
                // R24: what is frozen by then can't be taken back.
                let is_late = |revoked: &ExclusionRevoked| fact.interval.from < revoked.at.saturating_sub(WINDOW);
                if is_recorded && self.revoked.get(&fact.id).is_some_and(is_late) {
                    self.revoked.remove(&fact.id);
                }
            }
            Fact::ExclusionRevoked(fact) => drop(self.revoked.entry(fact.id.clone()).or_insert_with(|| fact.clone())),
            Fact::KillSwitch(turn) => self.turns.push((turn.clone(), is_ours)),
            _ => {}
        }
    }
}

/// Everything that is to hold.
pub(super) fn check(before: &Register, world: &World, happened: &Happened) {
    let after = &world.register;
    histories_only_grow(before.book(), after.book());
    one_at_a_time(after.book());
    badges_come_back_by_decisions(before.book(), after.book(), happened, world.is_mad);
    let (registry, unknown) = after.resolve();
    match happened {
        Happened::Passed(_, now, facts) => {
            facts.iter().for_each(|fact| granted(before, world, &registry, (fact, *now)));
            nothing_waits_in_vain(after.book(), &registry, *now);
            ledger_agrees(world, &registry, *now);
            badges_are_certified(world);
        }
        Happened::Line(line) => {
            let Line { place, entry, result } = &**line;
            if let Entry::Command(command) = entry {
                match result {
                    Ok(fact) => {
                        fact.iter().for_each(|fact| granted(before, world, &registry, (fact, world.now)));
                        not_suspended(before, world, &command.action);
                    }
                    Err(refusal) => refused(before, after, &refusal.detail),
                }
                once(after, *place, entry);
            }
            if let Entry::Issued(note) = entry
                && matches!(note.kind, DecisionKind::Suspension | DecisionKind::SuspensionLifted)
            {
                assert_eq!(before.book().badges, after.book().badges, "a suspension leaves badges alone");
            }
        }
    }
    // But for answers to nonsense about nothing, what is asked for is known to the ledger, too.
    for refusal in unknown.iter().filter(|_| !world.is_mad) {
        assert!(!world.naive.commands.contains(&(refusal.line - 1)), "a command about nothing: {}", refusal.detail);
    }
    decisions_are_followed(world, &registry);
}

/// Steps are added at the end, and those of commands are in order of their instants.
fn histories_only_grow(before: &Book, after: &Book) {
    for id in before.ids() {
        let (old, new) = (before.entity(&id).expect("listed"), after.entity(&id).expect("nothing is forgotten"));
        assert!(new.trail().steps.starts_with(&old.trail().steps), "{id}");
        if old.trail() == new.trail() && old != new {
            // What is flagged or said without a step is a badge that was given back, or what was dated ahead.
            assert!(matches!(id, domain::programme::EntityId::Badge(_) | domain::programme::EntityId::KillSwitch), "{id}");
        }
    }
    for id in after.ids() {
        let entity = after.entity(&id).expect("listed");
        let commands: Vec<Timestamp> =
            entity.trail().steps.iter().filter(|step| step.command.is_some()).map(|step| step.at).collect();
        assert!(commands.is_sorted(), "{id}: {commands:?}");
        assert!(!entity.trail().steps.is_empty(), "{id}");
    }
}

/// One open request an ASIN, one open certification a product, region and hub, one product an ASIN.
fn one_at_a_time(book: &Book) {
    let mut open = BTreeSet::new();
    for request in book.requests.values() {
        if matches!(request.status, BadgeRequestStatus::UnderReview | BadgeRequestStatus::Pending) {
            assert!(open.insert(request.form.asin.clone()), "{}", request.form.asin);
        }
    }
    let mut open = BTreeSet::new();
    for one in book.certifications.values() {
        if matches!(
            one.status,
            CertificationStatus::UnderReview | CertificationStatus::InTesting(_) | CertificationStatus::ResultsReview
        ) {
            assert!(open.insert((one.form.product.clone(), one.form.region, one.form.hub.clone())), "{}", one.form.id);
        }
    }
    let variants: Vec<&Asin> = book.products.values().flat_map(|product| &product.form.variants).collect();
    assert_eq!(variants.iter().collect::<BTreeSet<_>>().len(), variants.len(), "{variants:?}");
}

/// A removed badge comes back only by reinstatement or reversal. Nonsense may amend a removal away, too.
fn badges_come_back_by_decisions(before: &Book, after: &Book, happened: &Happened, is_mad: bool) {
    for (asin, old) in &before.badges {
        let new = &after.badges[asin];
        let is_back = |region| {
            let status = |badge: &domain::programme::entity::BadgeEntity| badge.status(Scope::Region(region));
            status(old) == BadgeStatus::Removed && status(new) == BadgeStatus::Enabled
        };
        if !Region::ALL.into_iter().any(is_back) {
            continue;
        }
        let Happened::Line(line) = happened else { panic!("{asin} is back by time") };
        let Entry::Issued(note) = &line.entry else { panic!("{asin} is back by {line:?}") };
        let brings_back = matches!(note.kind, DecisionKind::Reinstatement | DecisionKind::Reversal);
        assert!(brings_back || is_mad && note.kind == DecisionKind::Amendment, "{asin} is back by {note:?}");
        assert_eq!(note.asin.as_ref(), Some(asin));
    }
}

/// Whether a certification was approved that covers a marketplace at an instant.
fn is_certified(book: &Book, form: &BadgeForm, marketplace: Marketplace, at: Timestamp) -> bool {
    book.certifications.values().any(|one| {
        let approved = one.trail.steps.iter().find(|step| step.what == "approve_certification");
        one.status == CertificationStatus::Approved
            && one.form.product == form.product
            && one.form.hub == form.hub
            && one.form.marketplaces.contains(&marketplace)
            && one.form.region == marketplace.region()
            && approved.is_some_and(|step| step.at <= at)
    })
}

/// A badge, or a marketplace of it, that was granted just now, and everything that is asked for.
fn granted(before: &Register, world: &World, registry: &Registry, (fact, now): (&Fact, Timestamp)) {
    let book = world.register.book();
    let (asin, at) = match fact {
        Fact::Badge(badge) => (&badge.asin, badge.enabled_at),
        Fact::BadgeChange(change) if change.marketplaces.is_some() => (&change.asin, change.at),
        _ => return,
    };
    let is_new = |request: &&domain::programme::entity::BadgeRequestEntity| {
        let was = before.book().requests.get(&request.form.id).map(|before| before.status);
        request.form.asin == *asin && request.status == BadgeRequestStatus::Enabled && was != Some(BadgeRequestStatus::Enabled)
    };
    let granting: Vec<_> = book.requests.values().filter(is_new).collect();
    let [request] = granting.as_slice() else { panic!("{fact:?} by {granting:?}") };
    let form = &request.form;
    assert!(form.go_live.is_none_or(|date| date <= at), "{fact:?} before its date");
    let product = &registry.products[asin];
    for marketplace in &form.marketplaces {
        assert!(is_certified(book, form, *marketplace, at), "{fact:?} isn't certified for {marketplace}");
        let is_shown = product.terms_at(at).marketplaces.contains(marketplace);
        assert!(is_shown || world.naive.changed.contains(asin), "{fact:?} isn't shown in {marketplace}");
    }
    match fact {
        Fact::Badge(badge) => {
            assert!(!before.book().badges.contains_key(asin), "{asin} has a badge already");
            assert_eq!(badge.terms.marketplaces, form.marketplaces);
            assert!(!is_suspended(world, &badge.terms.manufacturer, form), "{fact:?} during a suspension");
        }
        Fact::BadgeChange(change) => {
            let gained: BTreeSet<&Marketplace> = change.marketplaces.iter().flatten().collect();
            let had = before.book().badges[asin].terms.marketplaces.iter();
            assert!(had.chain(&form.marketplaces).all(|marketplace| gained.contains(marketplace)), "{fact:?}");
        }
        _ => {}
    }
    // What is clamped to the window (R24) was checked at its own instant; what facts say beside isn't asked for.
    if at.max(now) - at.min(now) < DurationMs::days(300) && !world.naive.changed.contains(asin) {
        let terms = domain::fact::Terms { marketplaces: form.marketplaces.clone(), ..product.terms_at(at).clone() };
        let catalogue = catalogue(registry, asin, &terms);
        assert_eq!(catalogue.failures_of(&terms, Scope::Global, at), Vec::<Reason>::new(), "{fact:?}");
        for marketplace in &form.marketplaces {
            assert!(catalogue.listings.iter().any(|one| one.marketplace == *marketplace && one.at <= at), "{fact:?} unseen");
        }
    }
}

fn catalogue(registry: &Registry, asin: &Asin, terms: &domain::fact::Terms) -> Catalogue {
    let skill = terms.skill.as_ref().and_then(|skill| registry.skill_listings.get(skill));
    Catalogue {
        listings: registry.listings.get(asin).cloned().unwrap_or_default(),
        skill_listings: skill.cloned().unwrap_or_default(),
    }
}

fn is_suspended(world: &World, maker: &domain::id::ManufacturerId, form: &BadgeForm) -> bool {
    let suspended = world.issuer.suspended(maker);
    form.marketplaces.iter().any(|marketplace| suspended.contains(marketplace.region()))
}

/// No request of a suspended manufacturer for a new ASIN is accepted.
fn not_suspended(before: &Register, world: &World, action: &Action) {
    let (Action::SubmitBadgeRequest(id) | Action::ApproveBadgeRequest(id)) = action else { return };
    let form = &world.register.book().requests[id].form;
    let is_again = before.book().requests.get(id) == world.register.book().requests.get(id);
    if !is_again && !before.book().badges.contains_key(&form.asin) {
        let maker = &world.register.book().products[&form.product].form.manufacturer;
        assert!(!is_suspended(world, maker, form), "{action:?}");
    }
}

/// A refused command changes nothing but what is told of it, and is never contradicted by the ledger.
fn refused(before: &Register, after: &Register, detail: &str) {
    for reason in ["conflicting_duplicate", "older_than_window", "unknown_subject"] {
        assert!(!detail.contains(reason), "{detail}");
    }
    let [old, new] = [before, after].map(|register| {
        let mut book = register.book().clone();
        book.commands.clear();
        book
    });
    assert!(old == new, "{detail} changed something");
    assert_eq!(before.resolve(), after.resolve());
    let told = detail.split_once(": ").map_or("", |(_, told)| told);
    for each in told.split(" | ") {
        let words = each.split_once(": ").and_then(|(_, words)| words.split_once("; "));
        assert!(words.is_some_and(|(wrong, remedy)| !wrong.is_empty() && !remedy.is_empty()), "{each}");
    }
}

/// Once more, a command changes nothing: it is told what it was told, and one with other content is refused.
fn once(after: &Register, place: crate::book::Place, entry: &Entry) {
    let Entry::Command(command) = entry else { return };
    let mut again = after.clone();
    let outcome = after.book().outcome(&command.id).cloned();
    let other = domain::programme::Command { by: "somebody else".to_owned(), ..(**command).clone() };
    let told = again.add(place, Entry::Command(Box::new(other)));
    assert!(told.is_err_and(|refusal| refusal.detail.contains("used by a command with other content")));
    let is_the_first = after.book().commands.get(&command.id).is_some_and(|receipt| receipt.command == **command);
    if is_the_first {
        let told = again.add(place, entry.clone());
        assert_eq!(told.is_ok(), matches!(outcome, Some(Outcome::Accepted { .. })));
        assert!(told.map_or(true, |fact| fact.is_none()));
    }
    assert!(again == *after, "{command:?} once more");
}

/// What could go live has; what is wrong with a badge is flagged.
fn nothing_waits_in_vain(book: &Book, registry: &Registry, now: Timestamp) {
    for request in book.requests.values().filter(|request| request.status == BadgeRequestStatus::Pending) {
        let date = request.form.go_live.unwrap_or(request.since).max(request.since);
        assert!(date > now || !book.unmet_of(&request.form, now).is_empty(), "{} waits in vain", request.form.id);
    }
    for (asin, badge) in &book.badges {
        let terms = registry.products[asin].terms_at(now.max(badge.enabled_at));
        let failures = catalogue(registry, asin, terms).failures_of(terms, Scope::Global, now);
        let failures: Vec<String> = failures.iter().map(ToString::to_string).collect();
        let flags: Vec<&str> = badge.flags.iter().map(|flag| flag.requirement.as_str()).collect();
        assert_eq!(flags, failures, "{asin}");
    }
}

/// Book and ledger say the same.
fn ledger_agrees(world: &World, registry: &Registry, now: Timestamp) {
    let (book, naive) = (world.register.book(), &world.naive);
    assert_eq!(book.badges.keys().collect::<BTreeSet<_>>(), registry.products.keys().collect::<BTreeSet<_>>());
    assert_eq!(book.badges.keys().collect::<BTreeSet<_>>(), naive.badges.iter().collect::<BTreeSet<_>>());
    for (asin, product) in &registry.products {
        let badge = &book.badges[asin];
        let until = |at: Option<Timestamp>| at.filter(|at| *at <= now);
        assert_eq!((badge.enabled_at, until(badge.withdrawn_at)), (product.enabled_at, until(product.withdrawn_at)), "{asin}");
        assert_eq!(badge.terms, *product.terms_at(now.max(product.enabled_at)), "{asin}");
    }
    assert!(registry.manufacturers.iter().all(|id| book.manufacturers.contains_key(id)));
    let approved = book.exclusions.values().filter(|one| one.status == ExclusionStatus::Approved);
    let counting: BTreeSet<&ExclusionId> = naive.excluded.iter().filter(|id| !naive.revoked.contains_key(*id)).collect();
    assert_eq!(approved.map(|one| &one.form.id).collect::<BTreeSet<_>>(), counting);
    for exclusion in &registry.exclusions {
        assert_eq!(book.exclusions[&exclusion.id].form.interval, exclusion.interval);
    }
    for ruling in book.proposals.values().filter_map(|proposal| proposal.ruling.as_ref()) {
        assert!(!registry.products.contains_key(&ruling.asin) || registry.rulings_on(&ruling.asin).contains(ruling));
    }
    let turns = naive.turns.iter().filter(|(turn, is_ours)| *is_ours || turn.at <= now).map(|(turn, _)| (turn.at, turn.on));
    assert_eq!(book.kill_switch.last.as_ref().map(|last| (last.at, last.on)), turns.max());
}

/// Every badge that requests alone are about is certified wherever it is shown.
fn badges_are_certified(world: &World) {
    let book = world.register.book();
    for (asin, badge) in &book.badges {
        let Some(request) = badge.request.as_ref().filter(|_| !world.naive.changed.contains(asin)) else { continue };
        let form = &book.requests[request].form;
        for marketplace in &badge.terms.marketplaces {
            let at = badge.trail.steps.iter().filter(|step| step.what == "go_live").map(|step| step.at).max();
            let asked =
                BadgeForm { hub: badge.terms.hub.clone(), product: badge.product.clone().expect("granted"), ..form.clone() };
            assert!(is_certified(book, &asked, *marketplace, at.expect("it went live")), "{asin} in {marketplace}");
        }
    }
}

/// Badges are removed where what was issued and stands says so, and manufacturers suspended.
fn decisions_are_followed(world: &World, registry: &Registry) {
    if world.is_mad {
        return;
    }
    let book = world.register.book();
    for (asin, maker, own) in shown(book) {
        let badge = &book.badges[&asin];
        let removed: RegionSet =
            own.iter().filter(|region| badge.status(Scope::Region(*region)) == BadgeStatus::Removed).collect();
        let off: RegionSet = world.issuer.off(&asin, &Regions(registry)).iter().filter(|region| own.contains(*region)).collect();
        assert_eq!(removed, off, "{asin}");
        let said = world.issuer.suspended(&maker);
        let entity = &book.manufacturers[&maker];
        for region in Region::ALL {
            let is_suspended = entity.suspended.keys().any(|scope| scope.includes(region));
            assert_eq!(is_suspended, said.contains(region), "{maker} in {region}");
        }
    }
}
