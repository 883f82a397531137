//! Names of things. Each is its own type, so an ASIN is never taken for a manufacturer.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Longest accepted id (ASIN, skill, manufacturer, reporter, exclusion), in bytes.
pub const ID_BYTES_MAX: usize = 256;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id, or `None` if it is empty or longer than [`ID_BYTES_MAX`].
            #[must_use]
            pub fn new(text: &str) -> Option<Self> {
                valid_id(text).then(|| Self(Arc::from(text)))
            }

            /// The id as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

text_id! {
    /// A product's ASIN. A hub is named by its ASIN, too.
    Asin
}
text_id! {
    /// A manufacturer's id.
    ManufacturerId
}
text_id! {
    /// A skill's id.
    SkillId
}
text_id! {
    /// Who reported an event; part of the event's name (R5).
    ReporterId
}
text_id! {
    /// An exclusion's id.
    ExclusionId
}
text_id! {
    /// A command's id; it is carried out once, however often it arrives.
    CommandId
}
text_id! {
    /// A product as it is certified: one model, whose variants each have an ASIN.
    ProductId
}
text_id! {
    /// A certification request's id.
    CertificationId
}
text_id! {
    /// A badge request's id.
    BadgeRequestId
}
text_id! {
    /// A dispute's id.
    DisputeId
}

/// Whether a text can be an id: not empty, at most [`ID_BYTES_MAX`] bytes.
#[must_use]
pub const fn valid_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID_BYTES_MAX
}

/// A region of the programme (R2), in the order in which scopes are listed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Region {
    /// Europe (with the Middle East, Africa and India).
    Eu,
    /// Far East.
    Fe,
    /// The Americas.
    Na,
}

impl Region {
    /// Every region, in listing order.
    pub const ALL: [Self; 3] = [Self::Eu, Self::Fe, Self::Na];
    /// How many regions there are.
    pub const COUNT: usize = 3;

    /// `EU`, `FE` or `NA`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eu => "EU",
            Self::Fe => "FE",
            Self::Na => "NA",
        }
    }

    /// The region named `EU`, `FE` or `NA`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.as_str() == text)
    }

    /// Position in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of regions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct RegionSet(u8);

impl RegionSet {
    /// No region.
    pub const NONE: Self = Self(0);
    /// Every region.
    pub const ALL: Self = Self(0b111);

    /// Whether the region is in the set.
    #[must_use]
    pub const fn contains(self, region: Region) -> bool {
        self.0 & (1 << region as u8) != 0
    }

    /// The set with the region in it.
    #[must_use]
    pub const fn with(self, region: Region) -> Self {
        Self(self.0 | (1 << region as u8))
    }

    /// The regions in listing order.
    pub fn iter(self) -> impl Iterator<Item = Region> {
        Region::ALL.into_iter().filter(move |region| self.contains(*region))
    }

    /// Whether no region is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Region> for RegionSet {
    fn from_iter<I: IntoIterator<Item = Region>>(regions: I) -> Self {
        regions.into_iter().fold(Self::NONE, Self::with)
    }
}

/// A marketplace code and its region, as data (R2). `GB` is `UK`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Marketplace {
    code: &'static str,
    region: Region,
}

const MARKETPLACES: [Marketplace; 24] = {
    const fn of(code: &'static str, region: Region) -> Marketplace {
        Marketplace { code, region }
    }
    [
        of("US", Region::Na),
        of("CA", Region::Na),
        of("MX", Region::Na),
        of("BR", Region::Na),
        of("UK", Region::Eu),
        of("DE", Region::Eu),
        of("FR", Region::Eu),
        of("IT", Region::Eu),
        of("ES", Region::Eu),
        of("NL", Region::Eu),
        of("SE", Region::Eu),
        of("PL", Region::Eu),
        of("BE", Region::Eu),
        of("IE", Region::Eu),
        of("TR", Region::Eu),
        of("AE", Region::Eu),
        of("SA", Region::Eu),
        of("EG", Region::Eu),
        of("ZA", Region::Eu),
        of("IN", Region::Eu),
        of("JP", Region::Fe),
        of("AU", Region::Fe),
        of("SG", Region::Fe),
        of("NZ", Region::Fe),
    ]
};

impl Marketplace {
    /// The marketplace of a code, or `None` if the programme has none such.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let code = if code == "GB" { "UK" } else { code };
        MARKETPLACES.into_iter().find(|marketplace| marketplace.code == code)
    }

    /// The code, e.g. `US`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// Every marketplace of the programme.
    pub const ALL: [Self; 24] = MARKETPLACES;

    /// The region that the marketplace belongs to.
    #[must_use]
    pub const fn region(self) -> Region {
        self.region
    }
}

impl fmt::Display for Marketplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl fmt::Debug for Marketplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// What kind of thing health is reported about (R2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SubjectKind {
    /// A badged product.
    Product,
    /// A skill that products depend on.
    Skill,
    /// A hub that products depend on; not the product of the same ASIN.
    Hub,
}

impl SubjectKind {
    /// The prefix in `product:<ASIN>`, `skill:<id>`, `hub:<ASIN>`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Skill => "skill",
            Self::Hub => "hub",
        }
    }
}

/// A subject as it stands in an event that is still in its buffer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SubjectRef<'a> {
    /// Product, skill or hub.
    pub kind: SubjectKind,
    /// ASIN or skill id, without the prefix.
    pub id: &'a str,
}

impl<'a> SubjectRef<'a> {
    /// Parses `product:<ASIN>`, `skill:<id>` or `hub:<ASIN>`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        let kind = match kind {
            "product" => SubjectKind::Product,
            "skill" => SubjectKind::Skill,
            "hub" => SubjectKind::Hub,
            _ => return None,
        };
        valid_id(id).then_some(Self { kind, id })
    }

    /// The subject with its own copy of the id.
    #[must_use]
    pub fn to_owned(self) -> Subject {
        Subject { kind: self.kind, id: Arc::from(self.id) }
    }
}

impl fmt::Display for SubjectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

/// What health is reported about (R2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    kind: SubjectKind,
    id: Arc<str>,
}

impl Subject {
    /// The product with this ASIN.
    #[must_use]
    pub fn product(asin: &Asin) -> Self {
        Self { kind: SubjectKind::Product, id: Arc::clone(&asin.0) }
    }

    /// The skill with this id.
    #[must_use]
    pub fn skill(skill: &SkillId) -> Self {
        Self { kind: SubjectKind::Skill, id: Arc::clone(&skill.0) }
    }

    /// The hub with this ASIN.
    #[must_use]
    pub fn hub(asin: &Asin) -> Self {
        Self { kind: SubjectKind::Hub, id: Arc::clone(&asin.0) }
    }

    /// Product, skill or hub.
    #[must_use]
    pub const fn kind(&self) -> SubjectKind {
        self.kind
    }

    /// ASIN or skill id, without the prefix.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The subject, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> SubjectRef<'_> {
        SubjectRef { kind: self.kind, id: &self.id }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_ref(), f)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_ref(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marketplaces_map_to_regions() {
        let check = |code: &str, expected: Option<(&str, Region)>| {
            assert_eq!(Marketplace::parse(code).map(|m| (m.code(), m.region())), expected, "{code}");
        };
        check("US", Some(("US", Region::Na)));
        check("GB", Some(("UK", Region::Eu)));
        check("IN", Some(("IN", Region::Eu)));
        check("NZ", Some(("NZ", Region::Fe)));
        check("XX", None);
    }

    #[test]
    fn subjects_have_a_known_prefix_and_an_id() {
        assert_eq!(SubjectRef::parse("hub:B0").map(|s| (s.kind, s.id)), Some((SubjectKind::Hub, "B0")));
        assert_eq!(SubjectRef::parse("skill:a:b").map(|s| s.id), Some("a:b"));
        for bad in ["", "product", "product:", "device:1", &format!("skill:{}", "x".repeat(257))] {
            assert_eq!(SubjectRef::parse(bad), None, "{bad}");
        }
    }
}
