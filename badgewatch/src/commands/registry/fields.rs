//! What is known of something as names and texts, in order: to be shown, and compared.

use wire::programme_view::{
    AcknowledgementView, DetailsView, EntityView, FieldView, FormView, NoteView, RulingView, ScopedView, TargetView, TurnView,
    UnmetView,
};

/// Names and texts; what isn't known is left out.
#[derive(Default)]
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    /// Everything but status, revision and history.
    pub(super) fn of(view: &EntityView) -> Self {
        let fields = Self::default();
        match &view.details {
            DetailsView::Manufacturer { form, suspended } => fields.form(form).scoped("suspended", suspended),
            DetailsView::Product { form, .. } | DetailsView::Exclusion { form } => fields.form(form),
            DetailsView::Certification { form, since, due, overdue, reasons, repeats, repeated_by } => {
                let fields = fields.form(form).with("since", since).optional("due", due.as_ref());
                let fields = if *overdue { fields.with("overdue", "yes") } else { fields };
                fields.all("reason", reasons).optional("repeats", repeats.as_ref()).optional("repeated by", repeated_by.as_ref())
            }
            DetailsView::BadgeRequest { form, since, reasons, .. } => {
                fields.form(form).with("since", since).all("reason", reasons)
            }
            DetailsView::Badge { product, request, form, enabled_at, withdrawn_at, regions, removed, .. } => {
                let fields = fields.optional("product", product.as_ref()).optional("request", request.as_ref()).form(form);
                let fields = fields.with("enabled at", enabled_at).optional("withdrawn at", withdrawn_at.as_ref());
                let in_regions = regions.iter().map(|one| format!("{} {}", one.region, one.status_title));
                fields.with("in regions", &in_regions.collect::<Vec<_>>().join(", ")).scoped("removed", removed)
            }
            DetailsView::Dispute { form, exclusion } => fields.form(form).optional("upheld by", exclusion.as_ref()),
            DetailsView::Proposal { decision, ruling, reversed } => {
                let fields = fields.note(decision);
                let fields = ruling.iter().fold(fields, Self::ruling);
                if *reversed { fields.with("reversed", "yes") } else { fields }
            }
            DetailsView::Outage { decision, acknowledgement } => {
                acknowledgement.iter().fold(fields.note(decision), Self::acknowledgement)
            }
            DetailsView::KillSwitch { last } => last.iter().fold(fields, Self::turn),
        }
    }

    fn with(mut self, name: &str, text: &str) -> Self {
        self.0.push((name.to_owned(), text.to_owned()));
        self
    }

    fn optional(self, name: &str, text: Option<&String>) -> Self {
        match text {
            Some(text) => self.with(name, text),
            None => self,
        }
    }

    fn all(self, name: &str, texts: &[String]) -> Self {
        texts.iter().fold(self, |fields, text| fields.with(name, text))
    }

    fn form(self, form: &FormView) -> Self {
        let told = form.0.iter().map(|(name, field)| (name.replace('_', " "), text(field)));
        told.filter(|(_, text)| !text.is_empty()).fold(self, |fields, (name, text)| fields.with(&name, &text))
    }

    fn scoped(self, name: &str, scopes: &[ScopedView]) -> Self {
        scopes.iter().fold(self, |fields, one| {
            fields.with(&format!("{name} in {}", one.scope), &format!("since {} by decision {}", one.since, one.decision))
        })
    }

    fn note(self, note: &NoteView) -> Self {
        self.with("decision", &note.kind)
            .optional("asin", note.asin.as_ref())
            .with("manufacturer", &note.manufacturer)
            .with("scope", &note.scope)
            .with("at", &note.at)
            .optional("supersedes", note.supersedes.as_ref())
            .all("reason", &note.reasons)
    }

    fn ruling(self, ruling: &RulingView) -> Self {
        let fields = self.with("ruling", &format!("{} by {} at {}", ruling.verdict, ruling.by, ruling.at));
        fields.optional("note", ruling.note.as_ref())
    }

    fn acknowledgement(self, said: &AcknowledgementView) -> Self {
        self.with("acknowledged", &format!("by {} at {}", said.by, said.at))
            .with("cause", &said.cause)
            .with("expected fix", &said.expected_fix)
    }

    fn turn(self, turn: &TurnView) -> Self {
        let how = if turn.on { "on" } else { "off" };
        self.with("turned", &format!("{how} by {} at {}", turn.by, turn.at)).with("reason", &turn.reason)
    }
}

/// What is required and doesn't hold: of a product what it doesn't say, of a request why it was rejected, of a badge
/// what catalogues say against it. With what that is called.
pub(super) fn unmet(view: &EntityView) -> (&'static str, &[UnmetView]) {
    match &view.details {
        DetailsView::Product { missing, .. } => ("missing", missing),
        DetailsView::BadgeRequest { unmet, .. } => ("not met", unmet),
        DetailsView::Badge { flags, .. } => ("flagged", flags),
        _ => ("", &[]),
    }
}

fn text(field: &FieldView) -> String {
    match field {
        FieldView::Text(text) => text.clone(),
        FieldView::Texts(texts) => texts.join(", "),
        FieldView::Number(number) => number.to_string(),
        FieldView::Switch(true) => "yes".to_owned(),
        FieldView::Switch(false) => "no".to_owned(),
        FieldView::Target(TargetView::All(_)) => "all".to_owned(),
        FieldView::Target(TargetView::Subject(subject)) => subject.clone(),
        FieldView::Target(TargetView::Manufacturer(id)) => format!("manufacturer:{id}"),
    }
}
