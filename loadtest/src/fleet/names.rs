//! Names of everything in a fleet, from its number.

use domain::{Asin, ManufacturerId, Region, ReporterId, SkillId};

const BRANDS: [&str; 24] = [
    "Northlight",
    "Hearthway",
    "Lumenix",
    "Brightwell",
    "Casalume",
    "Domovia",
    "Everlatch",
    "Fernhome",
    "Glowmere",
    "Hausklar",
    "Ivyline",
    "Juniper Home",
    "Kestrel",
    "Lanternworks",
    "Mosswood",
    "Nimbus",
    "Oakridge",
    "Pinepoint",
    "Quietfan",
    "Rivermark",
    "Solace",
    "Tidewater",
    "Umbra Home",
    "Verdant",
];
const APPROVERS: [&str; 4] = ["j.alvarez", "p.okafor", "s.lindqvist", "y.tanaka"];

/// `B000000001` for the first product.
pub(crate) fn asin(index: usize) -> Asin {
    Asin::new(&format!("B0{:08}", index + 1)).expect("short and not empty")
}

/// `B0HUB00001` for the first hub.
pub(crate) fn hub(index: usize) -> Asin {
    Asin::new(&format!("B0HUB{:05}", index + 1)).expect("short and not empty")
}

/// `skill-001` for the first skill.
pub(crate) fn skill(index: usize) -> SkillId {
    SkillId::new(&format!("skill-{:03}", index + 1)).expect("short and not empty")
}

/// `m-001` for the first manufacturer.
pub(crate) fn manufacturer(index: usize) -> ManufacturerId {
    ManufacturerId::new(&format!("m-{:03}", index + 1)).expect("short and not empty")
}

/// The brand of a manufacturer.
pub(crate) fn brand(manufacturer: &ManufacturerId) -> String {
    let number = manufacturer.as_str().trim_start_matches("m-").parse().unwrap_or(1_usize) - 1;
    let (series, which) = (number / BRANDS.len(), number % BRANDS.len());
    if series == 0 { BRANDS[which].to_owned() } else { format!("{} {}", BRANDS[which], series + 1) }
}

/// Where a manufacturer's mail goes.
pub(crate) fn contact(role: &str, manufacturer: &ManufacturerId) -> String {
    let host: String = brand(manufacturer).to_lowercase().chars().map(|c| if c == ' ' { '-' } else { c }).collect();
    format!("{role}@{host}.example")
}

/// Who approves exclusions.
pub(crate) fn approver(index: usize) -> &'static str {
    APPROVERS[index % APPROVERS.len()]
}

/// `gw-na-001` for the first gateway of North America.
pub(crate) fn gateway(region: Region, index: usize) -> ReporterId {
    ReporterId::new(&format!("gw-{}-{:03}", region.as_str().to_lowercase(), index + 1)).expect("short and not empty")
}
