//! Badge requests: from a draft to a badge that is live, with everything that is checked on the way.

use domain::fact::{Badge, BadgeChange, Fact, Terms};
use domain::id::{Asin, BadgeRequestId, Marketplace, ProductId, SkillId};
use domain::programme::entity::{BadgeEntity, BadgeRequestEntity, CertificationEntity, ProductEntity};
use domain::programme::{BadgeForm, BadgeRequestStatus, BadgeStatus, CertificationStatus, Entity, EntityId, Step, Trail, Unmet};
use domain::time::Timestamp;
use domain::{Region, Scope, Subject};

use super::forms::known_product;
use super::unmet::{not_in, refused, unknown, unmet};
use super::{Asked, Book, NOBODY, Place, Plan, Planned};

/// What time does to a request that was approved.
pub(super) const GO_LIVE: &str = "go_live";

impl Book {
    pub(super) fn draft_badge_request(&self, asked: Asked<'_>, form: &BadgeForm) -> Planned {
        let product = known_product(self, &form.product)?;
        if !product.form.variants.contains(&form.asin) {
            let detail = format!("{} is no variant of product {}", form.asin, form.product);
            return refused("variant", detail, "describe the product with this ASIN among its variants");
        }
        let status = BadgeRequestStatus::NotSubmitted;
        let mut entity = match self.requests.get(&form.id) {
            None => BadgeRequestEntity {
                form: form.clone(),
                status,
                since: asked.command.at,
                reasons: Vec::new(),
                unmet: Vec::new(),
                trail: Trail::default(),
            },
            Some(known) if known.form.asin != form.asin => {
                let detail = format!("badge_request:{} is about {}", form.id, known.form.asin);
                return refused("asin", detail, "draft another request for another ASIN");
            }
            Some(known) if matches!(known.status, BadgeRequestStatus::NotSubmitted | BadgeRequestStatus::Rejected) => {
                known.clone()
            }
            Some(known) => return elsewhere(known, "not submitted, or rejected"),
        };
        entity.form = form.clone();
        moved(&mut entity, status, asked.step(status.as_str(), Vec::new()));
        Ok(Plan::of(vec![Entity::BadgeRequest(entity)]))
    }

    pub(super) fn submit_badge_request(&self, asked: Asked<'_>, id: &BadgeRequestId) -> Planned {
        let mut entity = self.request_in(id, &[BadgeRequestStatus::NotSubmitted], "not submitted")?.clone();
        let mut unmet = self.requirements(&entity.form, asked.command.at);
        unmet.extend(self.other_request(&entity.form));
        if !unmet.is_empty() {
            return Err(unmet);
        }
        (entity.reasons, entity.unmet) = (Vec::new(), Vec::new());
        moved(&mut entity, BadgeRequestStatus::UnderReview, asked.step(BadgeRequestStatus::UnderReview.as_str(), Vec::new()));
        Ok(Plan::of(vec![Entity::BadgeRequest(entity)]))
    }

    pub(super) fn approve_badge_request(&self, asked: Asked<'_>, id: &BadgeRequestId) -> Planned {
        let mut entity = self.request_in(id, &[BadgeRequestStatus::UnderReview], "under review")?.clone();
        let at = asked.command.at;
        let unmet = self.unmet_of(&entity.form, at);
        if !unmet.is_empty() {
            return Err(unmet);
        }
        moved(&mut entity, BadgeRequestStatus::Pending, asked.step(BadgeRequestStatus::Pending.as_str(), Vec::new()));
        // A date that has come goes by what held then; else it waits for it.
        let date = date_of(&entity);
        if date > at && (date > self.now || !self.unmet_of(&entity.form, date).is_empty()) {
            return Ok(Plan::of(vec![Entity::BadgeRequest(entity)]));
        }
        self.live(asked.place, entity, date)
    }

    pub(super) fn reject_badge_request(&self, asked: Asked<'_>, id: &BadgeRequestId, reasons: &[String]) -> Planned {
        let open = [BadgeRequestStatus::UnderReview, BadgeRequestStatus::Pending];
        let mut entity = self.request_in(id, &open, "under review, or pending")?.clone();
        let unmet = self.unmet_of(&entity.form, asked.command.at);
        if unmet.is_empty() && reasons.is_empty() {
            return refused("reasons", "every check is met", "say why it is rejected all the same");
        }
        let told = unmet.iter().map(|unmet| format!("{}: {}", unmet.requirement, unmet.detail));
        let notes = reasons.iter().cloned().chain(told).collect();
        moved(&mut entity, BadgeRequestStatus::Rejected, asked.step(BadgeRequestStatus::Rejected.as_str(), notes));
        (entity.reasons, entity.unmet) = (reasons.to_vec(), unmet);
        Ok(Plan::of(vec![Entity::BadgeRequest(entity)]))
    }

    /// Everything that a request doesn't meet at an instant.
    #[must_use]
    pub fn unmet_of(&self, form: &BadgeForm, at: Timestamp) -> Vec<Unmet> {
        let mut out = self.requirements(form, at);
        if let Ok(terms) = self.terms_of(form, at) {
            let asked_for = Terms { marketplaces: form.marketplaces.clone(), ..terms };
            out.extend(self.catalogue_objections(&form.asin, &asked_for, at));
        }
        out
    }

    /// What a badge will be about, and depend on, whose request is approved and waits for its date.
    pub fn coming_subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        self.pending_requests().flat_map(|request| {
            let skill = self.tested_skill(&request.form, date_of(request).max(self.now)).ok().flatten();
            let hub = request.form.hub.as_ref().map(Subject::hub);
            [Some(Subject::product(&request.form.asin)), skill.as_ref().map(Subject::skill), hub].into_iter().flatten()
        })
    }

    /// Approved requests whose date has come, and on which everything is met: they go live, one after the other.
    pub(super) fn due_request(&self, asin: &Asin, place: Place) -> Option<Plan> {
        let of_asin = self.requests_for.get(asin).into_iter().flatten().filter_map(|id| self.requests.get(id));
        let mut pending = of_asin.filter(|request| request.status == BadgeRequestStatus::Pending);
        pending.find_map(|request| self.go_live(request, place))
    }

    fn go_live(&self, request: &BadgeRequestEntity, place: Place) -> Option<Plan> {
        if date_of(request) > self.now || !self.unmet_of(&request.form, self.now).is_empty() {
            return None;
        }
        // The registry's facts reach back no farther (R24).
        let earliest = place.recorded_at.map_or(Timestamp::MIN, |recorded| recorded.saturating_sub(self.window));
        self.live(place, request.clone(), self.now.max(earliest)).ok()
    }

    /// The badge on, from an instant on.
    fn live(&self, place: Place, mut request: BadgeRequestEntity, at: Timestamp) -> Planned {
        let terms = self.terms_of(&request.form, at)?;
        let asin = request.form.asin.clone();
        let enabled = BadgeRequestStatus::Enabled;
        let (badge, fact) = match self.badges.get(&asin) {
            None => {
                let fact = Fact::Badge(Badge { asin: asin.clone(), terms: terms.clone(), enabled_at: at });
                (granted(&request.form, terms, at), fact)
            }
            Some(badge) => {
                // What was said since of its marketplaces is in `terms`, and would undo an earlier change.
                let since = self.terms.get(&asin).and_then(|terms| terms.marketplaces_since(self.now.max(at)));
                let at = self.free_from(&asin, since.map_or(at, |since| since.max(at)));
                self.check_free(&asin, at)?;
                let change = BadgeChange { marketplaces: Some(terms.marketplaces.clone()), ..unchanged(asin, at) };
                (BadgeEntity { terms, ..badge.clone() }, Fact::BadgeChange(change))
            }
        };
        let mut badge = badge;
        let notes = vec![format!("badge_request:{}", request.form.id)];
        badge.trail.steps.push(place.step((at, NOBODY), GO_LIVE, BadgeStatus::Enabled.as_str(), notes));
        let step = place.step((at, NOBODY), GO_LIVE, enabled.as_str(), Vec::new());
        moved(&mut request, enabled, step);
        Ok(Plan { entities: vec![Entity::BadgeRequest(request), Entity::Badge(badge)], fact: Some(fact) })
    }

    /// What doesn't depend on catalogues.
    fn requirements(&self, form: &BadgeForm, at: Timestamp) -> Vec<Unmet> {
        let mut out = Vec::new();
        if form.retail_id.is_none() {
            out.push(unmet("retail_id", "the number on the package isn't given", "give its UPC, EAN, JAN or GTIN-14"));
        }
        for &marketplace in &form.marketplaces {
            if self.certification_for(form, marketplace, at).is_none() {
                out.push(self.uncertified(form, marketplace, at));
            }
        }
        match self.badges.get(&form.asin) {
            None => {
                out.extend(self.suspensions(form));
                out.extend(self.given_back(&form.asin));
            }
            Some(badge) => {
                out.extend(in_the_way_of(badge, form));
                out.extend(self.products.get(&form.product).and_then(|product| other_product(badge, product)));
            }
        }
        if out.is_empty() {
            out.extend(self.terms_of(form, at).err().unwrap_or_default());
        }
        out
    }

    /// The approved certification that covers a marketplace at an instant: of that product, with that hub. Of
    /// several the latest, but one with the skill of the badge that there is before all others.
    fn certification_for<'a>(
        &'a self,
        form: &'a BadgeForm,
        marketplace: Marketplace,
        at: Timestamp,
    ) -> Option<&'a CertificationEntity> {
        let badge = self.badges.get(&form.asin);
        let covering = self.approved_for(form, marketplace).filter(|one| one.form.hub == form.hub && one.since <= at);
        covering.max_by_key(|one| (badge.is_some_and(|badge| badge.terms.skill == one.form.skill), one.since))
    }

    /// The certifications that cover a marketplace, with whatever hub and from whenever on.
    fn approved_for<'a>(
        &'a self,
        form: &'a BadgeForm,
        marketplace: Marketplace,
    ) -> impl Iterator<Item = &'a CertificationEntity> {
        self.certifications_of(&form.product).filter(move |one| {
            one.status == CertificationStatus::Approved
                && one.form.region == marketplace.region()
                && one.form.marketplaces.contains(&marketplace)
        })
    }

    fn uncertified(&self, form: &BadgeForm, marketplace: Marketplace, at: Timestamp) -> Unmet {
        let region = marketplace.region();
        if let Some(later) = self.approved_for(form, marketplace).find(|one| one.form.hub == form.hub) {
            let (id, since) = (&later.form.id, later.since);
            let detail = format!("certification:{id} covers {marketplace} since {since}, which is after {at}");
            return unmet(format!("certification:{marketplace}"), detail, format!("ask for {marketplace} from {since} on"));
        }
        let this_one = form.hub.as_ref().map_or_else(|| "without a hub".to_owned(), |hub| format!("with hub {hub}"));
        let detail = format!("product {} has no approved certification for {marketplace} {this_one}", form.product);
        let with_another = self.approved_for(form, marketplace).next();
        let remedy = match with_another.map(|other| (&other.form.id, &other.form.hub)) {
            Some((id, Some(hub))) => {
                format!("certification:{id} was tested with {hub}: name that hub, or have it certified {this_one}")
            }
            Some((id, None)) => {
                format!("certification:{id} was tested without a hub: name none, or have it certified {this_one}")
            }
            None => format!("have it certified in {region} for {marketplace}, or leave {marketplace} out"),
        };
        unmet(format!("certification:{marketplace}"), detail, remedy)
    }

    /// A suspended manufacturer gets no badge for a new ASIN (R16).
    fn suspensions(&self, form: &BadgeForm) -> Vec<Unmet> {
        let product = self.products.get(&form.product);
        let Some(maker) = product.and_then(|product| self.manufacturers.get(&product.form.manufacturer)) else {
            return Vec::new();
        };
        let concerns = |scope: Scope| form.marketplaces.iter().any(|marketplace| scope.includes(marketplace.region()));
        let suspended = maker.suspended.iter().filter(|(scope, _)| concerns(**scope));
        suspended
            .map(|(scope, (decision, since))| {
                let detail =
                    format!("manufacturer {} is suspended in {scope} since {since} by decision {decision}", maker.form.id);
                let remedy = "wait until its removed badges are reinstated; badges that it has stay";
                unmet(format!("suspension:{scope}"), detail, remedy)
            })
            .collect()
    }

    /// A withdrawal that came before any badge takes its ASIN's badge away for good.
    fn given_back(&self, asin: &Asin) -> Option<Unmet> {
        let mut waiting = self.waiting.get(asin).into_iter().flatten();
        waiting
            .find_map(|(_, fact)| if let Fact::Withdrawal(fact) = fact { Some(fact.at) } else { None })
            .map(|at| gone(asin, at))
    }

    fn other_request(&self, form: &BadgeForm) -> Option<Unmet> {
        let of_asin = self.requests_for.get(&form.asin).into_iter().flatten().filter_map(|id| self.requests.get(id));
        let is_open = |status| matches!(status, BadgeRequestStatus::UnderReview | BadgeRequestStatus::Pending);
        of_asin.filter(|other| other.form.id != form.id).find(|other| is_open(other.status)).map(|other| {
            let detail = format!("badge_request:{} about {} is {}", other.form.id, form.asin, other.status);
            unmet("request", detail, format!("wait for the end of {}", other.form.id))
        })
    }

    /// What the badge says once it is granted; one that is there already gains marketplaces.
    fn terms_of(&self, form: &BadgeForm, at: Timestamp) -> Result<Terms, Vec<Unmet>> {
        let skill = self.tested_skill(form, at)?;
        if let Some(badge) = self.badges.get(&form.asin) {
            if badge.terms.skill != skill || badge.terms.hub != form.hub {
                let named = |skill: &Option<SkillId>, hub: &Option<Asin>| {
                    let (skill, hub) =
                        (skill.as_ref().map_or("none", SkillId::as_str), hub.as_ref().map_or("none", Asin::as_str));
                    format!("skill {skill} and hub {hub}")
                };
                let (has, asked) = (named(&badge.terms.skill, &badge.terms.hub), named(&skill, &form.hub));
                let detail = format!("the badge of {} depends on {has}, and this request on {asked}", form.asin);
                return refused("dependencies", detail, format!("have it certified for these marketplaces with {has}"));
            }
            let mut marketplaces: Vec<Marketplace> = badge.terms.marketplaces.iter().chain(&form.marketplaces).copied().collect();
            marketplaces.sort_unstable();
            marketplaces.dedup();
            return Ok(Terms { marketplaces, ..badge.terms.clone() });
        }
        let product = known_product(self, &form.product)?;
        Ok(Terms {
            manufacturer: product.form.manufacturer.clone(),
            brand: product.form.brand.clone(),
            model: product.form.model.clone(),
            image: product.form.image.clone(),
            skill,
            hub: form.hub.clone(),
            marketplaces: form.marketplaces.clone(),
            customers: form.customers,
        })
    }

    /// A badge depends on one skill: that of its certifications.
    fn tested_skill(&self, form: &BadgeForm, at: Timestamp) -> Result<Option<SkillId>, Vec<Unmet>> {
        let tested = form.marketplaces.iter().filter_map(|marketplace| self.certification_for(form, *marketplace, at));
        let mut skills: Vec<(&Option<SkillId>, Region)> = tested.map(|one| (&one.form.skill, one.form.region)).collect();
        skills.dedup();
        match skills.as_slice() {
            [] => Ok(None),
            [(skill, _), rest @ ..] if rest.iter().all(|(other, _)| other == skill) => Ok((*skill).clone()),
            several => {
                let names = several.iter().map(|(skill, region)| {
                    let skill = skill.as_ref().map_or("none", SkillId::as_str);
                    format!("{skill} in {region}")
                });
                let detail = format!("it was certified with different skills: {}", names.collect::<Vec<_>>().join(", "));
                refused("skill", detail, "ask for one badge, of one ASIN, with one skill")
            }
        }
    }

    fn request_in(
        &self,
        id: &BadgeRequestId,
        statuses: &[BadgeRequestStatus],
        expected: &str,
    ) -> Result<&BadgeRequestEntity, Vec<Unmet>> {
        match self.requests.get(id) {
            None => unknown(&EntityId::BadgeRequest(id.clone())),
            Some(entity) if statuses.contains(&entity.status) => Ok(entity),
            Some(entity) => elsewhere(entity, expected),
        }
    }

    /// Requests that were approved, and aren't live yet.
    pub(super) fn pending_requests(&self) -> impl Iterator<Item = &BadgeRequestEntity> {
        self.pending.iter().filter_map(|id| self.requests.get(id))
    }

    /// Something that a request for an ASIN may wait for has changed.
    pub(super) fn wake(&mut self, asin: Asin) {
        self.due.insert((self.now, asin));
    }

    /// The same for the ASINs of a product.
    pub(super) fn wake_requests(&mut self, product: &ProductId) {
        let pending = self.pending_requests().filter(|request| request.form.product == *product);
        let asins: Vec<Asin> = pending.map(|request| request.form.asin.clone()).collect();
        asins.into_iter().for_each(|asin| self.wake(asin));
    }

    pub(super) fn put_request(&mut self, entity: BadgeRequestEntity) {
        let (id, asin) = (entity.form.id.clone(), entity.form.asin.clone());
        self.requests_for.entry(asin.clone()).or_default().insert(id.clone());
        if entity.status == BadgeRequestStatus::Pending {
            if let Ok(Some(skill)) = self.tested_skill(&entity.form, entity.since) {
                self.watch(&asin, &skill);
            }
            self.due.insert((date_of(&entity), asin));
            self.pending.insert(id.clone());
        } else {
            self.pending.remove(&id);
        }
        self.requests.insert(id, entity);
    }
}

/// When an approved request goes live at the earliest.
fn date_of(request: &BadgeRequestEntity) -> Timestamp {
    request.form.go_live.map_or(request.since, |go_live| go_live.max(request.since))
}

fn gone(asin: &Asin, at: Timestamp) -> Unmet {
    let detail = format!("the badge of {asin} was given back at {at}");
    unmet("badge", detail, "ask for the badge of another ASIN: one that was given back doesn't come again")
}

/// Another product than the one whose badge it is: its certifications say nothing about it.
fn other_product(badge: &BadgeEntity, product: &ProductEntity) -> Option<Unmet> {
    let (terms, form) = (&badge.terms, &product.form);
    let differs = |stated: &Option<String>, own: &Option<String>| stated.is_some() && stated != own;
    let what = if terms.manufacturer != form.manufacturer {
        "manufacturer"
    } else if differs(&terms.brand, &form.brand) {
        "brand"
    } else if differs(&terms.model, &form.model) {
        "model"
    } else {
        return None;
    };
    let detail = format!("the badge of {} names another {what} than product {}", badge.asin, form.id);
    Some(unmet("product", detail, "ask with the certified product that the badge is for"))
}

/// What keeps a badge that there is from gaining marketplaces.
fn in_the_way_of(badge: &BadgeEntity, form: &BadgeForm) -> Vec<Unmet> {
    let asin = &badge.asin;
    if let Some(at) = badge.withdrawn_at {
        return vec![gone(asin, at)];
    }
    let regions = form.marketplaces.iter().map(|marketplace| Scope::Region(marketplace.region()));
    if regions.into_iter().any(|scope| badge.status(scope) == BadgeStatus::Removed) {
        let detail = format!("the badge of {asin} was removed");
        return vec![unmet("badge", detail, "it comes back by reinstatement or reversal, not by a request")];
    }
    if form.marketplaces.iter().all(|marketplace| badge.terms.marketplaces.contains(marketplace)) {
        let detail = format!("{asin} has the badge in every one of these marketplaces");
        return vec![unmet("marketplaces", detail, "name a marketplace where it hasn't got it yet")];
    }
    Vec::new()
}

fn granted(form: &BadgeForm, terms: Terms, at: Timestamp) -> BadgeEntity {
    BadgeEntity {
        asin: form.asin.clone(),
        product: Some(form.product.clone()),
        request: Some(form.id.clone()),
        terms,
        enabled_at: at,
        withdrawn_at: None,
        removed: std::collections::BTreeMap::new(),
        flags: Vec::new(),
        trail: Trail::default(),
    }
}

/// A change that changes nothing yet.
pub(super) const fn unchanged(asin: Asin, at: Timestamp) -> BadgeChange {
    BadgeChange {
        asin,
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

fn moved(entity: &mut BadgeRequestEntity, status: BadgeRequestStatus, step: Step) {
    (entity.status, entity.since) = (status, step.at);
    entity.trail.steps.push(step);
}

fn elsewhere<T>(entity: &BadgeRequestEntity, expected: &str) -> Result<T, Vec<Unmet>> {
    let what_next = match entity.status {
        BadgeRequestStatus::NotSubmitted => "submit it",
        BadgeRequestStatus::UnderReview => "approve or reject it",
        BadgeRequestStatus::Pending => "it goes live at its date, once all is met; reject it if it isn't to",
        BadgeRequestStatus::Enabled => "the badge is live: give it back, or ask for other marketplaces in another request",
        BadgeRequestStatus::Rejected => "mend what it was rejected for, draft it again and submit it",
    };
    not_in(&EntityId::BadgeRequest(entity.form.id.clone()), (entity.status, expected), &entity.trail, what_next)
}
