//! `registry show` and `registry history`: what the registry knows, read without changing anything.

use std::collections::BTreeMap;

use anyhow::anyhow;
use domain::Timestamp;
use domain::fact::ExclusionTarget;
use domain::id::{Asin, ManufacturerId, ProductId, SubjectKind};
use domain::programme::{Entity, EntityId};
use registry::Book;
use wire::applied;
use wire::programme_view::{DetailsView, EntityView, StepView, UnmetView};

use super::fields::{self, Fields};
use super::known::Known;
use super::place::{Access, Place};
use super::{NOTHING, now};
use crate::cli::{Format, History, RegistryPlace, Show, Shown};
use crate::commands::{policy, print};
use crate::failure::Failure;
use crate::table::table;

pub(super) fn show(options: &Show) -> Result<(), Failure> {
    let known = read(&options.place, options.now)?;
    let at = options.now.unwrap_or_else(|| now().max(known.log_time().unwrap_or(Timestamp::MIN)));
    if let Some(Shown::One(id)) = &options.what {
        let view = EntityView::of(&found(known.book(), id)?, at);
        return match options.format {
            Format::Json => print(&[applied::write_entity(&view).as_slice(), b"\n"].concat()),
            Format::Table => print(story(&view).as_bytes()),
        };
    }
    let views = chosen(known.book(), options, at);
    match (options.format, &options.what) {
        (Format::Json, _) => {
            let lines = views.iter().flat_map(|(view, _)| [applied::write_entity(view), b"\n".to_vec()].concat());
            print(&lines.collect::<Vec<u8>>())
        }
        (Format::Table, Some(_)) => print(all(&views).as_bytes()),
        (Format::Table, None) => print(counts(&views).as_bytes()),
    }
}

pub(super) fn history(options: &History) -> Result<(), Failure> {
    let known = read(&options.place, None)?;
    let view = EntityView::of(&found(known.book(), &options.what)?, known.book().now());
    match options.format {
        Format::Json => {
            let lines = view.history.iter().flat_map(|step| [applied::write_step(step), b"\n".to_vec()].concat());
            print(&lines.collect::<Vec<u8>>())
        }
        Format::Table => print(steps(&view.history).as_bytes()),
    }
}

/// The registry as its log has it. In a file, which has no time of its own, what waits for its date happens up to `until`.
fn read(options: &RegistryPlace, until: Option<Timestamp>) -> Result<Known, Failure> {
    let window = policy(&options.policy)?.longest_window();
    let place = Place::open(options, Access::Look)?;
    let mut known = Known::new(window, place.has_times());
    place.read(&mut known, &mut |_, _| {})?;
    known.settle(until.unwrap_or_else(now));
    Ok(known)
}

fn found(book: &Book, id: &EntityId) -> Result<Entity, Failure> {
    book.entity(id).ok_or_else(|| {
        let kind = kind_of(&id.to_string()).to_owned();
        Failure::Usage(anyhow!("{id} isn't known: `badgewatch registry show {kind}` names those that are"))
    })
}

/// What passes the filters, with its manufacturer.
fn chosen(book: &Book, options: &Show, at: Timestamp) -> Vec<(EntityView, Option<ManufacturerId>)> {
    let Show { what, status, manufacturer, overdue, .. } = options;
    let is_wanted = |view: &EntityView| {
        let has_status = |wanted: &String| view.status == *wanted || view.status_title.eq_ignore_ascii_case(wanted);
        (status.is_empty() || status.iter().any(has_status)) && (!overdue || due(view).is_some_and(|(_, is_over)| is_over))
    };
    let of_kind = book.ids().filter(|id| match what {
        Some(Shown::Kind(kind)) => kind_of(&id.to_string()) == *kind,
        Some(Shown::One(_)) | None => true,
    });
    let with_maker = of_kind.filter_map(|id| book.entity(&id)).map(|entity| {
        let maker = maker(book, &entity);
        (entity, maker)
    });
    let of_maker = with_maker.filter(|(_, maker)| manufacturer.is_none() || maker == manufacturer);
    of_maker.map(|(entity, maker)| (EntityView::of(&entity, at), maker)).filter(|(view, _)| is_wanted(view)).collect()
}

/// Whose it is, where it is anybody's.
fn maker(book: &Book, entity: &Entity) -> Option<ManufacturerId> {
    let of_product = |id: &ProductId| match book.entity(&EntityId::Product(id.clone())) {
        Some(Entity::Product(product)) => Some(product.form.manufacturer),
        _ => None,
    };
    let of_badge = |asin: &Asin| match book.entity(&EntityId::Badge(asin.clone())) {
        Some(Entity::Badge(badge)) => Some(badge.terms.manufacturer),
        _ => None,
    };
    match entity {
        Entity::Manufacturer(entity) => Some(entity.form.id.clone()),
        Entity::Product(entity) => Some(entity.form.manufacturer.clone()),
        Entity::Certification(entity) => of_product(&entity.form.product),
        Entity::BadgeRequest(entity) => of_product(&entity.form.product),
        Entity::Badge(entity) => Some(entity.terms.manufacturer.clone()),
        Entity::Exclusion(entity) => match &entity.form.target {
            ExclusionTarget::Manufacturer(id) => Some(id.clone()),
            ExclusionTarget::Subject(subject) if subject.kind() == SubjectKind::Product => {
                Asin::new(subject.id()).and_then(|asin| of_badge(&asin))
            }
            ExclusionTarget::Subject(_) | ExclusionTarget::All => None,
        },
        Entity::Dispute(entity) => of_badge(&entity.form.asin),
        Entity::Proposal(entity) => Some(entity.note.manufacturer.clone()),
        Entity::Outage(entity) => Some(entity.note.manufacturer.clone()),
        Entity::KillSwitch(_) => None,
    }
}

fn counts(views: &[(EntityView, Option<ManufacturerId>)]) -> String {
    if views.is_empty() {
        return "The registry knows nothing of the kind\n".to_owned();
    }
    let mut counts: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for (view, _) in views {
        let kind = EntityId::KINDS.iter().position(|kind| *kind == kind_of(&view.entity));
        *counts.entry((kind.unwrap_or(EntityId::KINDS.len()), &view.status_title)).or_default() += 1;
    }
    let mut told = table(&["kind", "status", "count"]);
    for ((kind, status), count) in counts {
        told.add_row([EntityId::KINDS.get(kind).copied().unwrap_or(NOTHING), status, &count.to_string()]);
    }
    format!("{told}\n")
}

/// All of one kind.
fn all(views: &[(EntityView, Option<ManufacturerId>)]) -> String {
    if views.is_empty() {
        return "The registry knows nothing of the kind\n".to_owned();
    }
    let has_due = views.iter().any(|(view, _)| matches!(view.details, DetailsView::Certification { .. }));
    let header = ["id", "status", "manufacturer", "revision", "last step", "by", "due"];
    let columns = if has_due { header.len() } else { header.len() - 1 };
    let mut told = table(&header[..columns]);
    for (view, maker) in views {
        let last = view.history.last();
        let due = due(view).map_or_else(
            || NOTHING.to_owned(),
            |(due, is_over)| {
                if is_over { format!("{due}, overdue") } else { due.to_owned() }
            },
        );
        let row = [
            view.entity.split_once(':').map_or(view.entity.as_str(), |(_, id)| id).to_owned(),
            view.status_title.clone(),
            maker.as_ref().map_or_else(|| NOTHING.to_owned(), ToString::to_string),
            view.revision.to_string(),
            last.map_or_else(|| NOTHING.to_owned(), |step| step.at.clone()),
            last.map_or_else(|| NOTHING.to_owned(), |step| step.by.clone()),
            due,
        ];
        told.add_row(row.into_iter().take(columns));
    }
    format!("{told}\n")
}

/// Everything about one thing but its history.
fn story(view: &EntityView) -> String {
    let head = [
        ("status".to_owned(), format!("{} ({})", view.status_title, view.status)),
        ("revision".to_owned(), view.revision.to_string()),
    ];
    let fields: Vec<_> = head.into_iter().chain(Fields::of(view).0).collect();
    let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let mut out = format!("{}\n", view.entity);
    for (name, text) in fields {
        out.push_str(&format!("{name:width$}  {text}\n"));
    }
    let (what, unmet) = fields::unmet(view);
    for UnmetView { requirement, detail, remedy } in unmet {
        out.push_str(&format!("{what}: {requirement}: {detail}\n  {remedy}\n"));
    }
    out
}

fn steps(history: &[StepView]) -> String {
    let mut told = table(&["at", "recorded at", "position", "by", "what", "status", "command", "notes"]);
    for step in history {
        told.add_row([
            step.at.as_str(),
            step.recorded_at.as_deref().unwrap_or(NOTHING),
            &step.position.to_string(),
            &step.by,
            &step.what,
            &step.status,
            step.command.as_deref().unwrap_or(NOTHING),
            &step.notes.join("\n"),
        ]);
    }
    format!("{told}\n")
}

fn due(view: &EntityView) -> Option<(&str, bool)> {
    match &view.details {
        DetailsView::Certification { due, overdue, .. } => due.as_deref().map(|due| (due, *overdue)),
        _ => None,
    }
}

/// The kind in `KIND:ID`.
fn kind_of(entity: &str) -> &str {
    entity.split(':').next().unwrap_or_default()
}
