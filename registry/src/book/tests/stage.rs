//! A stage for the programme: a register whose time goes on, and the forms that people fill in.

use domain::decision::{DecisionId, DecisionKind, Scope};
use domain::fact::{Badge, BadgeChange, ExclusionReason, ExclusionTarget, Fact, Listing, ListingStatus, SkillListing, Terms};
use domain::id::{Asin, BadgeRequestId, CertificationId, CommandId, DisputeId, ExclusionId, ManufacturerId, Marketplace};
use domain::id::{ProductId, RegionSet, SkillId};
use domain::interval::Interval;
use domain::programme::{Action, BadgeForm, Capability, CertificationForm, Command, Connection, DeviceType, DisputeForm};
use domain::programme::{Entity, EntityId, Entry, ExclusionForm, IssuedNote, MailKind, ManufacturerForm, ProductForm};
use domain::programme::{RetailId, RetailIdKind, SkillStage, TestingStep};
use domain::time::{DAY_MS, DurationMs, HOUR_MS, Timestamp};

use crate::book::Place;
use crate::register::Register;

/// 2025-01-01T00:00:00Z.
const START_MS: i64 = 1_735_689_600_000;
pub(super) const WINDOW: DurationMs = DurationMs::days(365);

/// The start of a day, counted from 2025-01-01.
pub(super) fn day(day: i64) -> Timestamp {
    Timestamp::clamped(START_MS + day * DAY_MS)
}

/// So many hours into a day.
pub(super) fn hour(of: i64, hour: i64) -> Timestamp {
    day(of) + DurationMs(hour * HOUR_MS)
}

/// A register on stage; each line is a record of its own, appended now.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) register: Register,
    pub(super) now: Timestamp,
    /// What was added when.
    pub(super) lines: Vec<(Timestamp, Entry)>,
    position: u64,
}

impl Stage {
    /// Nothing is known yet, on day 0.
    pub(super) fn new() -> Self {
        Self { register: Register::new(WINDOW), now: day(0), lines: Vec::new(), position: 0 }
    }

    /// A manufacturer and a bulb of two variants, B1 and B2, with a certification for US and CA since day 10; both
    /// are listed there, and their skill is published.
    pub(super) fn certified() -> Self {
        let mut stage = Self::new();
        stage.can(Action::DescribeManufacturer(manufacturer("m-1")));
        stage.can(Action::DescribeProduct(product("bulb", "m-1", &["B1", "B2"])));
        stage.certify(certification("na", "bulb", &["US", "CA"]), 10);
        for asin in ["B1", "B2"] {
            for code in ["US", "CA"] {
                stage.says(listing(asin, code, day(0), ListingStatus::Good));
            }
        }
        for code in ["US", "CA"] {
            stage.says(published("s-1", code, day(0), ListingStatus::Good));
        }
        stage
    }

    /// The same with B1 badged in US since day 12, by the request r1.
    pub(super) fn badged() -> Self {
        let mut stage = Self::certified();
        stage.go_to(day(12));
        stage.grant(badge("r1", "B1", &["US"]));
        stage
    }

    /// Every step of a certification, up to its approval on a day.
    pub(super) fn certify(&mut self, form: CertificationForm, on: i64) {
        let id = form.id.clone();
        self.can(Action::DraftCertification(form));
        self.can(Action::SubmitCertification(id.clone()));
        self.can(Action::AcceptCertification(id.clone()));
        for step in [TestingStep::Quoted, TestingStep::Paid, TestingStep::DeviceReceived, TestingStep::Testing] {
            self.can(Action::AdvanceTesting { id: id.clone(), step });
        }
        self.can(Action::HandInResults(id.clone()));
        self.go_to(day(on));
        self.can(Action::ApproveCertification(id));
    }

    /// Every step of a badge request, up to its approval.
    pub(super) fn grant(&mut self, form: BadgeForm) -> Option<Fact> {
        let id = form.id.clone();
        self.can(Action::DraftBadgeRequest(form));
        self.can(Action::SubmitBadgeRequest(id.clone()));
        self.can(Action::ApproveBadgeRequest(id))
    }

    /// Lets time pass: what follows.
    pub(super) fn go_to(&mut self, now: Timestamp) -> Vec<Fact> {
        self.now = now;
        let place = self.place();
        self.register.pass(place, now)
    }

    /// Takes in a line, now.
    pub(super) fn add(&mut self, entry: Entry) -> Result<Option<Fact>, String> {
        let place = self.place();
        self.lines.push((self.now, entry.clone()));
        let added = self.register.add(place, entry).map_err(|refusal| refusal.detail);
        self.register.pass(place, self.now);
        added
    }

    /// A command that is carried out, with the fact that follows.
    #[track_caller]
    pub(super) fn can(&mut self, action: Action) -> Option<Fact> {
        self.can_at(self.now, action)
    }

    #[track_caller]
    pub(super) fn can_at(&mut self, at: Timestamp, action: Action) -> Option<Fact> {
        let command = self.command(at, action);
        self.add(Entry::Command(Box::new(command))).expect("nothing is in the way")
    }

    /// A command that isn't, with why.
    #[track_caller]
    pub(super) fn cannot(&mut self, action: Action) -> String {
        self.cannot_at(self.now, action)
    }

    #[track_caller]
    pub(super) fn cannot_at(&mut self, at: Timestamp, action: Action) -> String {
        let command = self.command(at, action);
        let name = format!("command {}: ", command.id);
        let told = self.add(Entry::Command(Box::new(command))).expect_err("something is in the way");
        told.strip_prefix(&name).expect("it names the command").to_owned()
    }

    /// A fact that counts.
    #[track_caller]
    pub(super) fn says(&mut self, fact: Fact) {
        self.add(Entry::Fact(fact)).expect("it contradicts nothing");
    }

    /// A decision that was issued about a product, or about its manufacturer.
    pub(super) fn issued(&mut self, id: u8, kind: DecisionKind, scope: Scope, about: Option<&str>) {
        self.note(IssuedNote { asin: about.map(asin), ..note(id, kind, scope, self.now) });
    }

    /// One that amends another or takes it back.
    pub(super) fn supersedes(&mut self, id: u8, kind: DecisionKind, (other, at): (u8, Timestamp), about: Option<&str>) {
        let supersedes = Some(decision(other));
        self.note(IssuedNote { asin: about.map(asin), supersedes, ..note(id, kind, Scope::Global, at) });
    }

    pub(super) fn note(&mut self, note: IssuedNote) {
        self.add(Entry::Issued(note)).expect("a decision is never refused");
    }

    pub(super) fn command(&self, at: Timestamp, action: Action) -> Command {
        let id = CommandId::new(&format!("c-{}", self.position)).expect("an id");
        Command { id, at, by: "ada".to_owned(), expects: None, action }
    }

    pub(super) fn entity(&self, id: &str) -> Option<Entity> {
        self.register.book().entity(&EntityId::parse(id).expect("an entity's id"))
    }

    /// Where something is by its last step; `-` if it isn't known.
    pub(super) fn status(&self, id: &str) -> &'static str {
        let entity = self.entity(id);
        entity.and_then(|entity| entity.trail().steps.last().map(|step| step.status)).unwrap_or("-")
    }

    /// Every step: its day and hour, what was done, and where that left it.
    pub(super) fn trail(&self, id: &str) -> Vec<String> {
        let entity = self.entity(id).expect("it is known");
        let steps = entity.trail().steps.iter();
        steps.map(|step| format!("{} {} {}", in_days(step.at), step.what, step.status)).collect()
    }

    /// What is in the way of a badge that is flagged.
    pub(super) fn flags(&self, asin: &str) -> Vec<String> {
        match self.entity(&format!("badge:{asin}")) {
            Some(Entity::Badge(badge)) => badge.flags.into_iter().map(|flag| flag.requirement).collect(),
            _ => Vec::new(),
        }
    }

    /// The marketplaces of a badge, and when it is badged, by the book; the ledger says the same.
    pub(super) fn badge(&self, asin: &str) -> String {
        let Some(Entity::Badge(badge)) = self.entity(&format!("badge:{asin}")) else { return "-".to_owned() };
        let (registry, _) = self.register.resolve();
        let product = registry.products.get(asin).expect("the ledger has it, too");
        let until = product.withdrawn_at.filter(|at| *at <= self.now);
        assert_eq!((product.enabled_at, until), (badge.enabled_at, badge.withdrawn_at));
        assert_eq!(*product.terms_at(self.now.max(badge.enabled_at)), badge.terms);
        let codes: Vec<&str> = badge.terms.marketplaces.iter().map(|marketplace| marketplace.code()).collect();
        let until = until.map_or_else(String::new, in_days);
        format!("{} {}..{until}", codes.join("+"), in_days(badge.enabled_at))
    }

    /// Where a badge is removed.
    pub(super) fn removed(&self, asin: &str) -> String {
        match self.entity(&format!("badge:{asin}")) {
            Some(Entity::Badge(badge)) => scopes(badge.removed.keys()),
            _ => "-".to_owned(),
        }
    }

    /// Where a manufacturer is suspended.
    pub(super) fn suspended(&self, id: &str) -> String {
        match self.entity(&format!("manufacturer:{id}")) {
            Some(Entity::Manufacturer(manufacturer)) => scopes(manufacturer.suspended.keys()),
            _ => "-".to_owned(),
        }
    }

    fn place(&mut self) -> Place {
        self.position += 1;
        Place { position: self.position, recorded_at: Some(self.now) }
    }
}

fn scopes<'a>(scopes: impl Iterator<Item = &'a Scope>) -> String {
    scopes.map(|scope| scope.as_str()).collect::<Vec<_>>().join("+")
}

/// `12` is the start of day 12, `12+3h` three hours later, `12+1ms` a millisecond.
fn in_days(at: Timestamp) -> String {
    let ms = at.ms() - START_MS;
    let (day, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    match rest {
        0 => format!("{day}"),
        rest if rest % HOUR_MS == 0 => format!("{day}+{}h", rest / HOUR_MS),
        rest => format!("{day}+{rest}ms"),
    }
}

pub(super) fn asin(text: &str) -> Asin {
    Asin::new(text).expect("an ASIN")
}

pub(super) fn request(text: &str) -> BadgeRequestId {
    BadgeRequestId::new(text).expect("an id")
}

pub(super) fn certification_id(text: &str) -> CertificationId {
    CertificationId::new(text).expect("an id")
}

pub(super) fn exclusion_id(text: &str) -> ExclusionId {
    ExclusionId::new(text).expect("an id")
}

pub(super) fn dispute_id(text: &str) -> DisputeId {
    DisputeId::new(text).expect("an id")
}

pub(super) fn maker(text: &str) -> ManufacturerId {
    ManufacturerId::new(text).expect("an id")
}

pub(super) const fn decision(number: u8) -> DecisionId {
    DecisionId([number; 16])
}

pub(super) fn marketplaces(codes: &[&str]) -> Vec<Marketplace> {
    let mut out: Vec<Marketplace> = codes.iter().map(|code| Marketplace::parse(code).expect("a marketplace")).collect();
    out.sort_unstable();
    out
}

pub(super) fn manufacturer(id: &str) -> ManufacturerForm {
    let (contacts, mails) = (vec!["badge@acme.example".to_owned()], MailKind::ALL.to_vec());
    ManufacturerForm { id: maker(id), name: "Acme".to_owned(), contacts, technical_contact: None, mails }
}

/// A bulb that lacks nothing.
pub(super) fn product(id: &str, of: &str, variants: &[&str]) -> ProductForm {
    let text = |text: &str| Some(text.to_owned());
    let device = DeviceType::parse("light_bulb");
    ProductForm {
        id: ProductId::new(id).expect("an id"),
        manufacturer: maker(of),
        retail_name: text("Acme Glow"),
        category: text("Lighting"),
        device,
        brand: text("Acme"),
        model: text("Glow"),
        image: None,
        connection: Some(Connection::Skill),
        protocol: text("Wi-Fi 802.11n"),
        dash_model: None,
        capabilities: device.into_iter().flat_map(DeviceType::required).collect::<Vec<Capability>>(),
        hubs: Vec::new(),
        variants: variants.iter().copied().map(asin).collect(),
    }
}

/// A certification that lacks nothing, in the region of its first marketplace.
pub(super) fn certification(id: &str, of: &str, codes: &[&str]) -> CertificationForm {
    let (text, marketplaces) = (|text: &str| Some(text.to_owned()), marketplaces(codes));
    CertificationForm {
        id: certification_id(id),
        product: ProductId::new(of).expect("an id"),
        region: marketplaces[0].region(),
        hub: None,
        marketplaces,
        made_in: text("PT"),
        hardware: text("1"),
        firmware: text("1.0.3"),
        chipset: text("ESP32"),
        skill: SkillId::new("s-1"),
        skill_name: text("Acme Home"),
        skill_stage: Some(SkillStage::Live),
        approval_code: None,
        proof: None,
    }
}

/// A request for the badge of the bulb, as soon as possible.
pub(super) fn badge(id: &str, of: &str, codes: &[&str]) -> BadgeForm {
    BadgeForm {
        id: request(id),
        product: ProductId::new("bulb").expect("an id"),
        asin: asin(of),
        retail_id: RetailId::parse(RetailIdKind::Upc, "036000291452").ok(),
        bundle: Vec::new(),
        hub: None,
        marketplaces: marketplaces(codes),
        go_live: None,
        customers: 5000,
    }
}

pub(super) fn exclusion(id: &str, target: ExclusionTarget, (from, to): (i64, i64)) -> ExclusionForm {
    ExclusionForm {
        id: exclusion_id(id),
        target,
        regions: RegionSet::ALL,
        interval: Interval::new(day(from), day(to)),
        reason: ExclusionReason::Maintenance,
        note: None,
    }
}

pub(super) fn dispute(id: &str, about: &str, (from, to): (i64, i64)) -> DisputeForm {
    DisputeForm {
        id: dispute_id(id),
        asin: asin(about),
        interval: Interval::new(day(from), day(to)),
        regions: RegionSet::ALL,
        claim: "the probe was down".to_owned(),
    }
}

pub(super) fn listing(of: &str, code: &str, at: Timestamp, status: ListingStatus) -> Fact {
    let marketplace = marketplaces(&[code])[0];
    Fact::Listing(Listing { asin: asin(of), marketplace, at, status, brand: None, model: None, image: None, hub: None })
}

pub(super) fn published(skill: &str, code: &str, at: Timestamp, status: ListingStatus) -> Fact {
    let (skill, marketplace) = (SkillId::new(skill).expect("an id"), marketplaces(&[code])[0]);
    Fact::SkillListing(SkillListing { skill, marketplace, at, status })
}

/// A badge as a fact, without skill and hub.
pub(super) fn badge_fact(of: &str, codes: &[&str], enabled_at: Timestamp) -> Fact {
    let terms = Terms {
        manufacturer: maker("m-1"),
        brand: None,
        model: None,
        image: None,
        skill: None,
        hub: None,
        marketplaces: marketplaces(codes),
        customers: 0,
    };
    Fact::Badge(Badge { asin: asin(of), terms, enabled_at })
}

/// A change of a badge that changes nothing yet.
pub(super) fn change(of: &str, at: Timestamp) -> BadgeChange {
    BadgeChange {
        asin: asin(of),
        at,
        manufacturer: None,
        brand: None,
        model: None,
        image: None,
        skill: None,
        hub: None,
        marketplaces: None,
        customers: None,
    }
}

/// A decision about the maker m-1.
pub(super) fn note(id: u8, kind: DecisionKind, scope: Scope, at: Timestamp) -> IssuedNote {
    let reasons = vec!["budget".to_owned()];
    IssuedNote { id: decision(id), kind, asin: None, manufacturer: maker("m-1"), scope, at, supersedes: None, reasons }
}
