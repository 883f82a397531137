//! What may happen next: a move is a few numbers, which become a line of the log by where things are.

use domain::decision::DecisionKind;
use domain::fact::{Acknowledgement, Ruling, Verdict, Withdrawal};
use domain::fact::{BadgeChange, Exclusion, ExclusionRevoked, ExclusionTarget, Fact, KillSwitch, ListingStatus, Manufacturer};
use domain::id::{RegionSet, SkillId, Subject};
use domain::programme::{Action, BadgeForm, CertificationForm, CertificationStatus, Entity, ProductForm, TestingStep};
use domain::programme::{BadgeRequestStatus, DisputeStatus, ExclusionStatus, IssuedNote};
use domain::time::{DAY_MS, DurationMs, HOUR_MS, MINUTE_MS, Timestamp};
use domain::{Region, Scope};
use proptest::prelude::*;

use super::super::stage::{
    asin, badge, badge_fact, certification, certification_id, change, decision, dispute, dispute_id, exclusion, exclusion_id,
    listing, maker, manufacturer, marketplaces, note, product, published, request,
};
use crate::book::Book;

/// What happens next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pub(super) what: What,
    /// Which things it is about, and how.
    pub(super) pick: [u8; 4],
    /// How much later it is recorded than what came before.
    pub(super) later_ms: i64,
    /// How much earlier than its record it takes effect.
    pub(super) back_ms: i64,
    /// How the revision that a command expects differs from the one that there is.
    pub(super) expects: Option<i8>,
}

/// What kind of thing happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// A certification goes on as is natural.
    Certify,
    /// A badge request does.
    Request,
    /// An exclusion or a dispute does.
    Excuse,
    /// A catalogue says something about a badge: what is wrong, or what is right again.
    Catalogue,
    /// Somebody does anything to anything.
    Anything,
    /// A fact.
    Fact,
    /// A decision.
    Decide,
    /// Decisions are made in other scopes from now on.
    Switch,
    /// A command comes once more, perhaps with other content.
    Again,
    /// Nothing but time.
    Pass,
}

const ASINS: [&str; 4] = ["B1", "B2", "B3", "B4"];
const CERTIFICATIONS: [&str; 5] = ["c0", "c1", "c2", "c3", "c4"];
const REQUESTS: [&str; 4] = ["r0", "r1", "r2", "r3"];
const EXCLUSIONS: [&str; 4] = ["x0", "x1", "dispute-d0", "x3"];
const DISPUTES: [&str; 3] = ["d0", "d1", "d2"];
const MARKETS: [&[&str]; 5] = [&["US"], &["CA", "US"], &["DE"], &["JP"], &["DE", "US"]];

pub(super) fn moves() -> impl Strategy<Value = Vec<Move>> {
    proptest::collection::vec(one(), 1..200)
}

fn one() -> impl Strategy<Value = Move> {
    let what = prop_oneof![
        12 => Just(What::Certify),
        16 => Just(What::Request),
        4 => Just(What::Excuse),
        4 => Just(What::Catalogue),
        6 => Just(What::Anything),
        6 => Just(What::Fact),
        7 => Just(What::Decide),
        1 => Just(What::Switch),
        2 => Just(What::Again),
        2 => Just(What::Pass),
    ];
    let later = prop_oneof![
        100 => Just(0),
        40 => 0..10 * MINUTE_MS,
        30 => (0_i64..30).prop_map(|hours| hours * HOUR_MS),
        10 => (0_i64..6).prop_map(|days| days * DAY_MS),
        1 => Just(200 * DAY_MS),
    ];
    let back = prop_oneof![
        24 => Just(0),
        2 => (0_i64..50).prop_map(|hours| hours * HOUR_MS),
        1 => Just(-2 * MINUTE_MS),
        1 => Just(-10 * MINUTE_MS),
        1 => Just(400 * DAY_MS),
    ];
    let expects = prop_oneof![8 => Just(None), 3 => Just(Some(0)), 1 => (-2_i8..3).prop_map(Some)];
    (what, any::<[u8; 4]>(), later, back, expects).prop_map(|(what, pick, later_ms, back_ms, expects)| Move {
        what,
        pick,
        later_ms,
        back_ms,
        expects,
    })
}

/// One of several, by a number.
fn of<T: Copy>(all: &[T], pick: u8) -> T {
    all[usize::from(pick) % all.len()]
}

/// A bulb, of which B1 and B2 are variants, or a plug, of which B3 and B4 are and which has a hub.
fn product_of(is_plug: bool) -> ProductForm {
    let hubs = vec![asin("H1"), asin("H2")];
    if is_plug { ProductForm { hubs, ..product("plug", "m-2", &["B3", "B4"]) } } else { product("bulb", "m-1", &["B1", "B2"]) }
}

/// The product of an ASIN, by its number.
fn product_with(asin: u8) -> ProductForm {
    product_of(usize::from(asin) % ASINS.len() >= 2)
}

/// What is missing for anything about a product.
fn described(book: &Book, form: &ProductForm) -> Option<Action> {
    let maker = &form.manufacturer;
    if book.manufacturers.get(maker).is_none_or(|known| known.form.contacts.is_empty()) {
        return Some(Action::DescribeManufacturer(manufacturer(maker.as_str())));
    }
    let is_ready = book.products.get(&form.id).is_some_and(|known| known.missing.is_empty());
    (!is_ready).then(|| Action::DescribeProduct(form.clone()))
}

fn certification_form(id: &str, [which, market, other, _]: [u8; 4]) -> CertificationForm {
    let product = product_of(which % 2 == 1);
    let mut markets = of(&MARKETS, market);
    if markets == ["DE", "US"] {
        markets = &["DE"];
    }
    let skill = if other % 16 == 0 { "s-2" } else { "s-1" };
    let hub = product.hubs.get(usize::from(other % 8 == 1)).cloned();
    CertificationForm { hub, skill: SkillId::new(skill), ..certification(id, product.id.as_str(), markets) }
}

/// The next step of a certification, as is natural.
pub(super) fn certify(book: &Book, pick: [u8; 4]) -> Action {
    let id = of(&CERTIFICATIONS, pick[0]);
    let form = certification_form(id, pick);
    if let Some(action) = described(book, &product_of(pick[0] % 2 == 1)) {
        return action;
    }
    let id = certification_id(id);
    let is_bad = pick[3].is_multiple_of(4);
    let reasons = || vec!["it isn't right".to_owned()];
    match book.certifications.get(&id).map(|known| known.status) {
        None => Action::DraftCertification(form),
        Some(CertificationStatus::Draft) => Action::SubmitCertification(id),
        Some(CertificationStatus::UnderReview) if is_bad => Action::RejectCertification { id, reasons: reasons() },
        Some(CertificationStatus::UnderReview) => Action::AcceptCertification(id),
        Some(CertificationStatus::InTesting(step)) => match step.next() {
            Some(step) => Action::AdvanceTesting { id, step },
            None => Action::HandInResults(id),
        },
        Some(CertificationStatus::ResultsReview) if is_bad => Action::FailCertification { id, failures: reasons() },
        Some(CertificationStatus::ResultsReview) => Action::ApproveCertification(id),
        Some(_) => Action::TestAgain { id, new: certification_id(of(&CERTIFICATIONS, pick[1])) },
    }
}

/// A request for what is certified, mostly.
fn badge_form(book: &Book, id: &str, [_, which, market, other]: [u8; 4], now: Timestamp) -> BadgeForm {
    let product = product_with(which);
    let go_live = match other % 6 {
        0 | 3 => Some(now + DurationMs::days(15)),
        1 => Some(now + DurationMs::days(1)),
        2 => Some(now.saturating_sub(DurationMs(HOUR_MS))),
        _ => None,
    };
    let of_product = book.certifications.values().filter(|one| one.form.product == product.id);
    let approved: Vec<_> = of_product.filter(|one| one.status == CertificationStatus::Approved).collect();
    let plain = BadgeForm { product: product.id, go_live, ..badge(id, of(&ASINS, which), of(&MARKETS, market)) };
    match usize::from(market).checked_rem(approved.len()).filter(|_| other % 8 != 0) {
        Some(place) => {
            let CertificationForm { hub, marketplaces, .. } = approved[place].form.clone();
            let marketplaces = if market % 3 == 0 { marketplaces[..1].to_vec() } else { marketplaces };
            BadgeForm { hub, marketplaces, ..plain }
        }
        None => plain,
    }
}

/// The next step of a badge request, as is natural: what nobody has looked into is looked into first.
pub(super) fn ask(book: &Book, pick: [u8; 4], now: Timestamp) -> Result<Action, Box<Fact>> {
    let id = of(&REQUESTS, pick[0]);
    if let Some(action) = described(book, &product_with(pick[1])) {
        return Ok(action);
    }
    let form = badge_form(book, id, pick, now);
    let id = request(id);
    let Some(known) = book.requests.get(&id) else { return Ok(Action::DraftBadgeRequest(form)) };
    let again = BadgeForm { asin: known.form.asin.clone(), product: known.form.product.clone(), ..form };
    let is_certified = |form: &BadgeForm| {
        !book.unmet_of(form, now).iter().any(|unmet| unmet.requirement.starts_with("cert") || unmet.requirement == "marketplaces")
    };
    Ok(match known.status {
        BadgeRequestStatus::NotSubmitted if pick[3] % 4 != 1 && !is_certified(&known.form) => Action::DraftBadgeRequest(again),
        BadgeRequestStatus::NotSubmitted => Action::SubmitBadgeRequest(id),
        BadgeRequestStatus::UnderReview if pick[3].is_multiple_of(8) => {
            Action::RejectBadgeRequest { id, reasons: vec!["no".to_owned()] }
        }
        BadgeRequestStatus::UnderReview => {
            let unmet = book.unmet_of(&known.form, now);
            let looked = unmet.iter().find_map(|unmet| {
                let mut parts = unmet.requirement.split(':');
                let (kind, code) = (parts.next()?, parts.next()?);
                match kind {
                    "listing" => Some(listing(known.form.asin.as_str(), code, now, ListingStatus::Good)),
                    "skill" => Some(published("s-1", code, now, ListingStatus::Good)),
                    _ => None,
                }
            });
            match looked.filter(|_| pick[3] % 4 != 1) {
                Some(fact) => return Err(Box::new(fact)),
                None if unmet.is_empty() || pick[3] % 4 == 1 => Action::ApproveBadgeRequest(id),
                None => Action::RejectBadgeRequest { id, reasons: Vec::new() },
            }
        }
        BadgeRequestStatus::Pending if pick[3].is_multiple_of(4) => {
            Action::RejectBadgeRequest { id, reasons: vec!["no".to_owned()] }
        }
        BadgeRequestStatus::Pending => Action::ApproveBadgeRequest(id),
        BadgeRequestStatus::Enabled | BadgeRequestStatus::Rejected => Action::DraftBadgeRequest(again),
    })
}

/// What is wrong with a badge from now on, or what is flagged and right again.
pub(super) fn catalogue(book: &Book, [which, how, market, _]: [u8; 4], now: Timestamp) -> Option<Fact> {
    let badge = book.badges.values().nth(usize::from(which).checked_rem(book.badges.len())?)?;
    let about = badge.asin.as_str();
    let (flag, skill) = (badge.flags.first(), badge.terms.skill.as_ref().map_or("s-1", SkillId::as_str));
    let flagged = flag.and_then(|flag| flag.requirement.split(':').next().zip(flag.requirement.split(':').nth(1)));
    let code = of(&badge.terms.marketplaces, market).code();
    Some(match (flagged, how % 3) {
        (Some(("skill", code)), _) => published(skill, code, now, ListingStatus::Good),
        (Some((_, code)), _) => listing(about, code, now, ListingStatus::Good),
        (None, 0) => published(skill, code, now, ListingStatus::Unavailable),
        (None, 1) => listing(about, code, now, ListingStatus::Suppressed),
        (None, _) => listing_that_says(about, code, now, (ListingStatus::Good, how / 3 % 2)),
    })
}

fn days(now: Timestamp, back: u8, long: u8) -> (i64, i64) {
    let today = now.ms() / DAY_MS - super::super::stage::day(0).ms() / DAY_MS;
    let to = (today - i64::from(back % 40)).max(1);
    ((to - 1 - i64::from(long % 30)).max(0), to)
}

fn target(pick: u8) -> ExclusionTarget {
    match pick % 6 {
        0 => ExclusionTarget::All,
        1 => ExclusionTarget::Manufacturer(maker(of(&["m-1", "m-2", "m-9"], pick / 6))),
        2 => ExclusionTarget::Subject(Subject::hub(&asin(of(&["H1", "H2"], pick / 6)))),
        3 => SkillId::new(of(&["s-1", "s-2"], pick / 6))
            .map_or(ExclusionTarget::All, |skill| ExclusionTarget::Subject(Subject::skill(&skill))),
        _ => ExclusionTarget::Subject(Subject::product(&asin(of(&ASINS, pick / 6)))),
    }
}

/// The next step of an exclusion or dispute, as is natural.
pub(super) fn excuse(book: &Book, pick: [u8; 4], now: Timestamp) -> Action {
    let note = || "so it was".to_owned();
    let when = days(now, pick[2], pick[3]);
    if pick[0].is_multiple_of(2) {
        let id = exclusion_id(of(&EXCLUSIONS, pick[1]));
        match book.exclusions.get(&id).map(|known| known.status) {
            None => Action::RequestExclusion(exclusion(id.as_str(), target(pick[3]), when)),
            Some(ExclusionStatus::Requested) if pick[2].is_multiple_of(4) => Action::DeclineExclusion { id, note: note() },
            Some(ExclusionStatus::Requested) => Action::ApproveExclusion(id),
            Some(_) => Action::RevokeExclusion { id, note: note() },
        }
    } else {
        let id = dispute_id(of(&DISPUTES, pick[1]));
        match book.disputes.get(&id).map(|known| known.status) {
            None => Action::OpenDispute(dispute(id.as_str(), of(&ASINS, pick[3]), when)),
            Some(DisputeStatus::Open) if pick[2].is_multiple_of(4) => Action::DeclineDispute { id, note: note() },
            Some(_) => Action::UpholdDispute { id, note: note() },
        }
    }
}

/// Anything, whether it fits or not.
pub(super) fn anything(book: &Book, pick: [u8; 4], now: Timestamp) -> Action {
    let [kind, a, b, c] = pick;
    let note = || "so it was".to_owned();
    let (certification, asked) = (certification_id(of(&CERTIFICATIONS, a)), request(of(&REQUESTS, a)));
    let (excluded, disputed) = (exclusion_id(of(&EXCLUSIONS, a)), dispute_id(of(&DISPUTES, a)));
    let when = days(now, b, c);
    let proposal = book.proposals.keys().nth(usize::from(a) % 3).copied().unwrap_or(decision(a % 8));
    let outage = book.outages.keys().nth(usize::from(a) % 3).copied().unwrap_or(decision(a % 8));
    match kind % 29 {
        0 => Action::DescribeManufacturer(manufacturer(of(&["m-1", "m-2", "m-3"], a))),
        1 => {
            let mut form = product_of(a % 2 == 1);
            match b % 6 {
                0 => form.model = Some("Glow 2".to_owned()),
                1 => form.image = Some(format!("https://pictures.example/{}", c % 3)),
                2 => form.capabilities.clear(),
                3 => drop(form.variants.pop()),
                4 => form.variants.push(asin("B9")),
                _ => {}
            }
            Action::DescribeProduct(form)
        }
        2 => Action::DraftCertification(certification_form(of(&CERTIFICATIONS, a), pick)),
        3 => Action::SubmitCertification(certification),
        4 => Action::AcceptCertification(certification),
        5 => Action::RejectCertification { id: certification, reasons: vec![note()] },
        6 => Action::AdvanceTesting { id: certification, step: of(&TestingStep::ALL, b) },
        7 => Action::HandInResults(certification),
        8 => Action::ApproveCertification(certification),
        9 => Action::FailCertification { id: certification, failures: vec![note()] },
        10 => Action::TestAgain { id: certification, new: certification_id(of(&CERTIFICATIONS, b)) },
        11 => Action::DraftBadgeRequest(badge_form(book, of(&REQUESTS, a), pick, now)),
        12 => Action::SubmitBadgeRequest(asked),
        13 => Action::ApproveBadgeRequest(asked),
        14 => Action::RejectBadgeRequest { id: asked, reasons: if b.is_multiple_of(2) { Vec::new() } else { vec![note()] } },
        15 if b.is_multiple_of(2) => Action::WithdrawBadge(asin(of(&ASINS, a))),
        15 | 16 => Action::CountCustomers { asin: asin(of(&ASINS, a)), customers: u64::from(b) },
        17 => Action::RequestExclusion(exclusion(excluded.as_str(), target(c), when)),
        18 => Action::ApproveExclusion(excluded),
        19 => Action::DeclineExclusion { id: excluded, note: note() },
        20 => Action::RevokeExclusion { id: excluded, note: note() },
        21 => Action::OpenDispute(dispute(disputed.as_str(), of(&ASINS, b), when)),
        22 => Action::UpholdDispute { id: disputed, note: note() },
        23 => Action::DeclineDispute { id: disputed, note: note() },
        24 | 25 => Action::Rule { proposal, verdict: of(&Verdict::ALL, b), note: None },
        26 | 27 => Action::AcknowledgeOutage { outage, cause: note(), expected_fix: now },
        _ => Action::TurnKillSwitch { on: b.is_multiple_of(2), reason: note() },
    }
}

/// A fact, dated up to days before or after now.
pub(super) fn fact([kind, a, b, c]: [u8; 4], now: Timestamp) -> Fact {
    let hours = (i64::from(c) - 128) / 2;
    let at = if c.is_multiple_of(4) { now } else { Timestamp::clamped(now.ms() + hours * HOUR_MS) };
    let (about, by) = (of(&ASINS, a), "lead".to_owned());
    let code = of(&["US", "CA", "DE", "JP"], b);
    let status = of(&[ListingStatus::Good, ListingStatus::Good, ListingStatus::Suppressed, ListingStatus::Unavailable], b / 4);
    match kind % 20 {
        0 => Fact::Manufacturer(Manufacturer { id: maker(of(&["m-1", "m-3"], a)), name: None, contacts: Vec::new() }),
        1 => badge_fact(about, of(&MARKETS, b), at),
        2 => Fact::BadgeChange(BadgeChange { marketplaces: Some(marketplaces(of(&MARKETS, b))), ..change(about, at) }),
        3 => {
            let (skill, hub) = (Some(SkillId::new(of(&["s-1", "s-2"], b))), Some(Some(asin(of(&["H1", "H2"], b / 2)))));
            Fact::BadgeChange(BadgeChange { skill, hub, ..change(about, at) })
        }
        4 => {
            let (manufacturer, customers) = ((b.is_multiple_of(2)).then(|| maker("m-2")), Some(u64::from(b)));
            Fact::BadgeChange(BadgeChange { manufacturer, customers, ..change(about, at) })
        }
        5 if b.is_multiple_of(4) => Fact::Withdrawal(Withdrawal { asin: asin(about), at }),
        5 | 6 => {
            let (from, to) = days(now, b, c);
            let form = exclusion(of(&EXCLUSIONS, a), target(c), (from, to));
            let (regions, approved_by) = (RegionSet::ALL, by);
            Fact::Exclusion(Exclusion {
                id: form.id,
                target: form.target,
                regions,
                interval: form.interval,
                reason: form.reason,
                approved_by,
            })
        }
        7 | 8 => Fact::ExclusionRevoked(ExclusionRevoked { id: exclusion_id(of(&EXCLUSIONS, a)), at, by }),
        9 => Fact::Ruling(Ruling {
            proposal: decision(a % 16),
            asin: asin(of(&ASINS, b)),
            scope: Scope::Global,
            proposed_at: at,
            at,
            verdict: of(&Verdict::ALL, c),
            by,
            note: None,
        }),
        10 => Fact::Acknowledgement(Acknowledgement {
            outage: decision(a % 16),
            asin: asin(of(&ASINS, b)),
            at,
            by,
            cause: "a cable".to_owned(),
            expected_fix: at,
        }),
        11 => Fact::KillSwitch(KillSwitch { on: a.is_multiple_of(2), at, by, reason: "a fault of ours".to_owned() }),
        12..=16 => listing_that_says(about, code, at, (status, c)),
        _ => published(of(&["s-1", "s-1", "s-2"], a), code, at, status),
    }
}

fn listing_that_says(about: &str, code: &str, at: Timestamp, (status, names): (ListingStatus, u8)) -> Fact {
    let mut fact = listing(about, code, at, status);
    if let Fact::Listing(listing) = &mut fact {
        match names % 8 {
            0 => listing.model = Some("Glaw".to_owned()),
            1 => listing.hub = Some(asin("H9")),
            _ => {}
        }
    }
    fact
}

/// A decision without rhyme or reason.
pub(super) fn nonsense(number: u8, [kind, a, b, c]: [u8; 4], now: Timestamp) -> IssuedNote {
    let kind = of(&IssuedNote::KINDS, kind);
    let scope = of(&[Scope::Global, Scope::Region(Region::Na), Scope::Region(Region::Eu)], b);
    let is_about_a_maker = matches!(kind, DecisionKind::Suspension | DecisionKind::SuspensionLifted) || b.is_multiple_of(8);
    let about = if is_about_a_maker { None } else { Some(asin(of(&ASINS, a))) };
    let supersedes = (c % 3 != 0).then(|| decision(c / 3 % number.max(1)));
    let at = now.saturating_sub(DurationMs(i64::from(c) * HOUR_MS));
    IssuedNote { asin: about, manufacturer: maker(of(&["m-1", "m-2"], a)), supersedes, ..note(number, kind, scope, at) }
}

/// Which kind of thing is where, for counting what was reached.
pub(super) fn reached(entity: &Entity) -> Option<String> {
    let last = entity.trail().steps.last()?;
    let kind = match entity {
        Entity::Manufacturer(_) => "manufacturer",
        Entity::Product(_) => "product",
        Entity::Certification(_) => "certification",
        Entity::BadgeRequest(_) => "badge_request",
        Entity::Badge(_) => "badge",
        Entity::Exclusion(_) => "exclusion",
        Entity::Dispute(_) => "dispute",
        Entity::Proposal(_) => "proposal",
        Entity::Outage(_) => "outage",
        Entity::KillSwitch(_) => "kill_switch",
    };
    Some(format!("{kind} {} {}", last.what, last.status))
}
