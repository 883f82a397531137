//! Commands for tests: one of every action, and forms that lack whatever they may lack.

use domain::fact::{ExclusionReason, ExclusionTarget, Verdict};
use domain::id::{BadgeRequestId, CertificationId, CommandId, DisputeId, ExclusionId, ProductId};
use domain::programme::TestingStep;
use domain::programme::{Action, BadgeForm, CertificationForm, Command, DisputeForm, ExclusionForm, ManufacturerForm};
use domain::programme::{Capability, Connection, DeviceType, MailKind, ProductForm, RetailId, RetailIdKind, SkillStage};
use domain::{Asin, DecisionId, Interval, ManufacturerId, Marketplace, Region, RegionSet, SkillId, SubjectRef, Timestamp};

/// A command of every action, each filled in as far as it can be; then the same forms with nothing that is optional.
pub(crate) fn commands() -> Vec<Command> {
    let first = Action::DescribeManufacturer(manufacturer());
    let actions = std::iter::successors(Some(first), after).chain(bare());
    let command = |(number, action): (usize, Action)| Command {
        id: CommandId::new(&format!("c-{number}")).expect("an id"),
        at: at("2026-03-01T00:00:00Z"),
        by: "anna".to_owned(),
        expects: (number < 28).then_some(number as u64),
        action,
    };
    actions.enumerate().map(command).collect()
}

/// The sample that follows another. An action that isn't named here isn't sampled: put a new one in its place.
fn after(action: &Action) -> Option<Action> {
    let why = || "it isn't so".to_owned();
    let many = || vec!["no hub".to_owned(), "no manual".to_owned()];
    Some(match action {
        Action::DescribeManufacturer(_) => Action::DescribeProduct(product()),
        Action::DescribeProduct(_) => Action::DraftCertification(certification_form()),
        Action::DraftCertification(_) => Action::SubmitCertification(certification()),
        Action::SubmitCertification(_) => Action::AcceptCertification(certification()),
        Action::AcceptCertification(_) => Action::RejectCertification { id: certification(), reasons: many() },
        Action::RejectCertification { .. } => Action::AdvanceTesting { id: certification(), step: TestingStep::DeviceReceived },
        Action::AdvanceTesting { .. } => Action::HandInResults(certification()),
        Action::HandInResults(_) => Action::ApproveCertification(certification()),
        Action::ApproveCertification(_) => Action::FailCertification { id: certification(), failures: many() },
        Action::FailCertification { .. } => {
            Action::TestAgain { id: certification(), new: CertificationId::new("cert-2").expect("an id") }
        }
        Action::TestAgain { .. } => Action::DraftBadgeRequest(badge()),
        Action::DraftBadgeRequest(_) => Action::SubmitBadgeRequest(badge_request()),
        Action::SubmitBadgeRequest(_) => Action::ApproveBadgeRequest(badge_request()),
        Action::ApproveBadgeRequest(_) => Action::RejectBadgeRequest { id: badge_request(), reasons: many() },
        Action::RejectBadgeRequest { .. } => Action::WithdrawBadge(asin("any")),
        Action::WithdrawBadge(_) => Action::CountCustomers { asin: asin("any"), customers: u64::MAX },
        Action::CountCustomers { .. } => Action::RequestExclusion(exclusion_form()),
        Action::RequestExclusion(_) => Action::ApproveExclusion(exclusion()),
        Action::ApproveExclusion(_) => Action::DeclineExclusion { id: exclusion(), note: why() },
        Action::DeclineExclusion { .. } => Action::RevokeExclusion { id: exclusion(), note: why() },
        Action::RevokeExclusion { .. } => Action::OpenDispute(dispute_form()),
        Action::OpenDispute(_) => Action::UpholdDispute { id: dispute(), note: why() },
        Action::UpholdDispute { .. } => Action::DeclineDispute { id: dispute(), note: why() },
        Action::DeclineDispute { .. } => rule(Verdict::Confirmed, Some(why())),
        Action::Rule { verdict: Verdict::Confirmed, .. } => rule(Verdict::Refused, Some(why())),
        Action::Rule { verdict: Verdict::Refused, .. } => Action::AcknowledgeOutage {
            outage: DecisionId([0xab; 16]),
            cause: "power".to_owned(),
            expected_fix: at("2026-03-02T12:00:00.001Z"),
        },
        Action::AcknowledgeOutage { .. } => Action::TurnKillSwitch { on: true, reason: why() },
        Action::TurnKillSwitch { .. } => return None,
    })
}

/// Forms without whatever is optional.
fn bare() -> Vec<Action> {
    let maker = ManufacturerForm { contacts: vec![], technical_contact: None, mails: vec![], ..manufacturer() };
    let product = ProductForm {
        retail_name: None,
        category: None,
        device: None,
        brand: None,
        model: None,
        image: None,
        connection: None,
        protocol: None,
        dash_model: None,
        capabilities: vec![],
        hubs: vec![],
        variants: vec![],
        ..product()
    };
    let certification = CertificationForm {
        hub: None,
        made_in: None,
        hardware: None,
        firmware: None,
        chipset: None,
        skill: None,
        skill_name: None,
        skill_stage: None,
        approval_code: None,
        proof: None,
        ..certification_form()
    };
    let badge = BadgeForm { retail_id: None, bundle: vec![], hub: None, go_live: None, customers: 0, ..badge() };
    let subject = SubjectRef::parse("skill:s-1").expect("a subject").to_owned();
    let exclusion =
        |target| Action::RequestExclusion(ExclusionForm { target, regions: RegionSet::ALL, note: None, ..exclusion_form() });
    vec![
        Action::DescribeManufacturer(maker),
        Action::DescribeProduct(product),
        Action::DraftCertification(certification),
        Action::DraftBadgeRequest(badge),
        Action::RejectBadgeRequest { id: badge_request(), reasons: vec![] },
        exclusion(ExclusionTarget::All),
        exclusion(ExclusionTarget::Subject(subject)),
        rule(Verdict::Confirmed, None),
        Action::TurnKillSwitch { on: false, reason: "it is over".to_owned() },
    ]
}

fn manufacturer() -> ManufacturerForm {
    ManufacturerForm {
        id: ManufacturerId::new("m-1").expect("an id"),
        name: "Acme".to_owned(),
        contacts: vec!["ops@acme.example".to_owned(), "b@acme.example".to_owned()],
        technical_contact: Some(text("tech@acme.example")),
        mails: MailKind::ALL.to_vec(),
    }
}

fn product() -> ProductForm {
    ProductForm {
        id: product_id(),
        manufacturer: ManufacturerId::new("m-1").expect("an id"),
        retail_name: Some(text("Acme One")),
        category: Some(text("lighting")),
        device: DeviceType::parse("light_bulb"),
        brand: Some(text("Acme")),
        model: Some(text("One")),
        image: Some(text("https://acme.example/one.png")),
        connection: Some(Connection::Skill),
        protocol: Some(text("Wi-Fi 802.11n")),
        dash_model: Some(text("d-1")),
        capabilities: ["PowerController", "BrightnessController"].iter().filter_map(|name| Capability::parse(name)).collect(),
        hubs: vec![asin("B0C1H26C46")],
        variants: vec![asin("B000000002"), asin("B000000001"), asin("080442957X")],
    }
}

fn certification_form() -> CertificationForm {
    CertificationForm {
        id: certification(),
        product: product_id(),
        region: Region::Eu,
        hub: Some(asin("B0C1H26C46")),
        marketplaces: marketplaces(["DE", "UK"]),
        made_in: Some(text("Malta")),
        hardware: Some(text("1.0")),
        firmware: Some(text("2.1")),
        chipset: Some(text("ESP32")),
        skill: SkillId::new("s-1"),
        skill_name: Some(text("Acme Home")),
        skill_stage: Some(SkillStage::Live),
        approval_code: Some(text("A-1")),
        proof: Some(text("https://acme.example/proof.pdf")),
    }
}

fn badge() -> BadgeForm {
    BadgeForm {
        id: badge_request(),
        product: product_id(),
        asin: asin("B000000001"),
        retail_id: RetailId::parse(RetailIdKind::Upc, "036000291452").ok(),
        bundle: vec![asin("B000000003")],
        hub: Some(asin("B0C1H26C46")),
        marketplaces: marketplaces(["DE", "US"]),
        go_live: Some(at("2026-04-01T00:00:00Z")),
        customers: 120_000,
    }
}

fn exclusion_form() -> ExclusionForm {
    ExclusionForm {
        id: exclusion(),
        target: ExclusionTarget::Manufacturer(ManufacturerId::new("m-1").expect("an id")),
        regions: RegionSet::NONE.with(Region::Na),
        interval: day(),
        reason: ExclusionReason::Maintenance,
        note: Some(text("a new firmware")),
    }
}

fn dispute_form() -> DisputeForm {
    DisputeForm {
        id: dispute(),
        asin: asin("any"),
        interval: day(),
        regions: RegionSet::NONE.with(Region::Na).with(Region::Eu),
        claim: "the probe was down".to_owned(),
    }
}

fn rule(verdict: Verdict, note: Option<String>) -> Action {
    Action::Rule { proposal: DecisionId([1; 16]), verdict, note }
}

fn day() -> Interval {
    Interval::new(at("2026-02-01T00:00:00Z"), at("2026-02-02T00:00:00Z"))
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn marketplaces(codes: [&str; 2]) -> Vec<Marketplace> {
    codes.into_iter().filter_map(Marketplace::parse).collect()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("an instant")
}

fn asin(text: &str) -> Asin {
    Asin::new(text).expect("an ASIN")
}

fn product_id() -> ProductId {
    ProductId::new("p-1").expect("an id")
}

fn certification() -> CertificationId {
    CertificationId::new("cert-1").expect("an id")
}

fn badge_request() -> BadgeRequestId {
    BadgeRequestId::new("b-1").expect("an id")
}

fn exclusion() -> ExclusionId {
    ExclusionId::new("x-1").expect("an id")
}

fn dispute() -> DisputeId {
    DisputeId::new("d-1").expect("an id")
}
