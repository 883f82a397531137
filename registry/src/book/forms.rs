//! Manufacturers and products: what they say about themselves.

use domain::fact::{Fact, Manufacturer};
use domain::id::ProductId;
use domain::programme::device::REQUIRED_OF_ALL;
use domain::programme::entity::{ManufacturerEntity, ProductEntity};
use domain::programme::{CertificationStatus, DeviceType, Entity, EntityId, ManufacturerForm, ProductForm, Trail, Unmet};

use super::turns::Off;
use super::unmet::{refused, unknown, unmet};
use super::{Asked, Book, Plan, Planned};

/// Statuses of a manufacturer, by their names on the wire.
pub(super) const REGISTERED: &str = "registered";
/// Suspended in some scope.
pub(super) const SUSPENDED: &str = "suspended";

impl Book {
    pub(super) fn describe_manufacturer(&self, asked: Asked<'_>, form: &ManufacturerForm) -> Plan {
        let known = self.manufacturers.get(&form.id);
        let mut entity = known.cloned().unwrap_or_else(|| unheard_of(form.clone(), self.suspended(&form.id)));
        entity.form = form.clone();
        entity.trail.steps.push(asked.step(status(&entity), Vec::new()));
        // What the first line said stays what the registry's facts say; nothing is decided by it.
        let fact = known.is_none().then(|| {
            Fact::Manufacturer(Manufacturer {
                id: form.id.clone(),
                name: Some(form.name.clone()),
                contacts: form.contacts.clone(),
            })
        });
        Plan { entities: vec![Entity::Manufacturer(entity)], fact }
    }

    pub(super) fn describe_product(&self, asked: Asked<'_>, form: &ProductForm) -> Planned {
        if !self.manufacturers.contains_key(&form.manufacturer) {
            return unknown(&EntityId::Manufacturer(form.manufacturer.clone()));
        }
        let known = self.products.get(&form.id);
        let mut conflicts = self.taken_variants(form);
        conflicts.extend(known.map(|known| self.fixed(known, form)).unwrap_or_default());
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
        let trail = known.map_or_else(Trail::default, |known| known.trail.clone());
        let mut entity = ProductEntity { form: form.clone(), missing: missing(form), trail };
        entity.trail.steps.push(asked.step(product_status(&entity), Vec::new()));
        Ok(Plan::of(vec![Entity::Product(entity)]))
    }

    pub(super) fn put_product(&mut self, entity: ProductEntity) {
        if let Some(before) = self.products.get(&entity.form.id) {
            before.form.variants.iter().for_each(|asin| drop(self.variants.remove(asin)));
        }
        for asin in &entity.form.variants {
            self.variants.insert(asin.clone(), entity.form.id.clone());
        }
        self.wake_requests(&entity.form.id);
        self.products.insert(entity.form.id.clone(), entity);
    }

    /// An ASIN is a variant of one product.
    fn taken_variants(&self, form: &ProductForm) -> Vec<Unmet> {
        let taken = |asin| self.variants.get(asin).filter(|product| **product != form.id).map(|product| (asin, product));
        let conflicts = form.variants.iter().filter_map(taken);
        conflicts
            .map(|(asin, product)| {
                let detail = format!("{asin} is a variant of product {product}");
                unmet(format!("variant:{asin}"), detail, format!("take it from {product} first, or leave it out"))
            })
            .collect()
    }

    /// What can't change any more: another model is another product, and what is asked for or badged stays.
    fn fixed(&self, known: &ProductEntity, form: &ProductForm) -> Vec<Unmet> {
        let mut out = Vec::new();
        let before = &known.form;
        let mut fix = |name: &str, differs: bool, why: &str, remedy: &str| {
            if differs {
                out.push(unmet(name, why, remedy));
            }
        };
        let other = "describe another product, with a certification of its own";
        fix("manufacturer", before.manufacturer != form.manufacturer, "a product stays its manufacturer's", other);
        let submitted = self.certifications_of(&form.id).any(|one| {
            let is_out =
                matches!(one.status, CertificationStatus::Draft | CertificationStatus::Rejected | CertificationStatus::Failed);
            !is_out
        });
        let certified = "it is in a certification request: another model is another product";
        fix("brand", submitted && before.brand != form.brand, certified, other);
        fix("model", submitted && before.model != form.model, certified, other);
        let image = submitted && before.image.is_some() && before.image != form.image;
        fix("image", image, "it is in a certification request with another picture", "leave the picture as it is certified");
        fix("device", submitted && before.device != form.device, certified, other);
        fix("connection", submitted && before.connection != form.connection, certified, other);
        for asin in before.variants.iter().filter(|asin| !form.variants.contains(asin)) {
            let asked_for = self.badges.contains_key(asin) || self.requests_for.contains_key(asin);
            let why = format!("{asin} has a badge or a request for one");
            fix(&format!("variant:{asin}"), asked_for, &why, "leave it among the variants");
        }
        out
    }
}

/// A manufacturer of which nothing is known but its form, and where it is suspended.
pub(super) const fn unheard_of(form: ManufacturerForm, suspended: Off) -> ManufacturerEntity {
    ManufacturerEntity { form, suspended, trail: Trail { steps: Vec::new() } }
}

/// Where a manufacturer is.
pub(super) fn status(entity: &ManufacturerEntity) -> &'static str {
    if entity.suspended.is_empty() { REGISTERED } else { SUSPENDED }
}

/// Where a product is.
pub(super) fn product_status(entity: &ProductEntity) -> &'static str {
    if entity.missing.is_empty() { "ready" } else { "missing_information" }
}

/// What a certification requires that isn't said yet.
fn missing(form: &ProductForm) -> Vec<Unmet> {
    let mut out = Vec::new();
    let mut require = |name: &str, is_given: bool, what: &str| {
        if !is_given {
            out.push(unmet(name, format!("{name} is missing"), format!("give {what}")));
        }
    };
    require("retail_name", form.retail_name.is_some(), "the product's name in shops");
    require("category", form.category.is_some(), "the shops' category");
    require("device", form.device.is_some(), "the device's type");
    require("brand", form.brand.is_some(), "the brand");
    require("model", form.model.is_some(), "the model");
    require("connection", form.connection.is_some(), "the connection by which it talks to the assistant");
    require("protocol", form.protocol.is_some(), "the protocol beneath");
    require("variants", !form.variants.is_empty(), "the ASIN of each variant");
    let required = form.device.map_or_else(|| REQUIRED_OF_ALL.to_vec(), |device| DeviceType::required(device).collect());
    for capability in required.into_iter().filter(|capability| !form.capabilities.contains(capability)) {
        let of = form.device.map_or("device", DeviceType::as_str);
        let detail = format!("every {of} must have the capability {capability}");
        out.push(unmet(
            format!("capability:{capability}"),
            detail,
            format!("implement {capability}, and name it among the capabilities"),
        ));
    }
    out
}

/// The requirement that a product be Ready, with what it lacks.
pub(super) fn check_ready(product: &ProductEntity) -> Result<(), Vec<Unmet>> {
    if product.missing.is_empty() { Ok(()) } else { Err(product.missing.clone()) }
}

/// A product's entity, or that it is unknown.
pub(super) fn known_product<'a>(book: &'a Book, id: &ProductId) -> Result<&'a ProductEntity, Vec<Unmet>> {
    match book.products.get(id) {
        Some(product) => Ok(product),
        None => refused("product", format!("product:{id} is not known"), "describe the product first"),
    }
}
