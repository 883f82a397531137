//! What the registry knows of something, and what became of a command, as clients see it: plain data.
//!
//! A form is shown with the fields of the command that fills it in, so what is shown can be changed and sent
//! again. Statuses are there twice: by their name on the wire and by the title that the console shows.

mod form;
mod of;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use crate::issued_note::NoteView;
pub use form::{FieldView, FormView, TargetView};

/// Something that the registry knows, with its history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EntityView {
    /// `KIND:ID`, as commands and messages name it, or `kill_switch`.
    pub entity: String,
    /// How many steps there were; what `expects` of a command is compared with.
    pub revision: u64,
    /// Where it is, by the status's name on the wire.
    pub status: String,
    /// The same as the console shows it.
    pub status_title: String,
    /// What is known of its kind.
    #[serde(flatten)]
    pub details: DetailsView,
    /// Every step, in order.
    pub history: Vec<StepView>,
}

/// What is known of each kind of thing; the field `kind` says which.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DetailsView {
    /// A manufacturer.
    Manufacturer {
        /// What it says about itself.
        form: FormView,
        /// Where it is suspended.
        suspended: Vec<ScopedView>,
    },
    /// A product as certified.
    Product {
        /// What is said about it.
        form: FormView,
        /// What a certification requires and it doesn't say yet.
        missing: Vec<UnmetView>,
    },
    /// A certification request.
    Certification {
        /// What is to be certified.
        form: FormView,
        /// Since when it has its status.
        since: String,
        /// When its present step should be over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<String>,
        /// Whether it isn't, though it should.
        overdue: bool,
        /// Why it was rejected, or what failed.
        reasons: Vec<String>,
        /// The request that it repeats.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeats: Option<String>,
        /// The request that repeats it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeated_by: Option<String>,
    },
    /// A badge request.
    BadgeRequest {
        /// What is asked for.
        form: FormView,
        /// Since when it has its status.
        since: String,
        /// Why it was rejected in the reviewer's words.
        reasons: Vec<String>,
        /// What wasn't met when it was rejected.
        unmet: Vec<UnmetView>,
    },
    /// The badge of an ASIN.
    Badge {
        /// The certified product, where a request granted the badge.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<String>,
        /// The request that granted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>,
        /// What it says now.
        form: FormView,
        /// When it was enabled.
        enabled_at: String,
        /// When it was given back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        withdrawn_at: Option<String>,
        /// What became of it in each of its regions.
        regions: Vec<RegionView>,
        /// Where it is removed.
        removed: Vec<ScopedView>,
        /// What doesn't hold any more of what it was granted for.
        flags: Vec<UnmetView>,
    },
    /// An exclusion, requested or approved.
    Exclusion {
        /// What is to be excused.
        form: FormView,
    },
    /// A dispute.
    Dispute {
        /// What is disputed.
        form: FormView,
        /// The exclusion that upheld it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exclusion: Option<String>,
    },
    /// A proposal that is, or was, to be ruled on.
    Proposal {
        /// What is proposed.
        decision: NoteView,
        /// What was said to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ruling: Option<RulingView>,
        /// Whether it was taken back meanwhile.
        reversed: bool,
    },
    /// A critical outage that is, or was, to be acknowledged.
    Outage {
        /// The decision.
        decision: NoteView,
        /// What was said to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        acknowledgement: Option<AcknowledgementView>,
    },
    /// The kill switch.
    KillSwitch {
        /// The last turn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<TurnView>,
    },
}

/// One step of something's history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepView {
    /// When it took effect.
    pub at: String,
    /// When its record was appended, where the log says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<String>,
    /// The record's offset in the registry's log, or the line of a file, from 0.
    pub position: u64,
    /// Who did it.
    pub by: String,
    /// The command that did it; none where a fact, a decision or time did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What was done: a command's or a fact's type, a decision's kind, or `go_live`.
    pub what: String,
    /// Where that left it, by the status's name on the wire.
    pub status: String,
    /// Why, or what else is to be said.
    pub notes: Vec<String>,
}

/// Something that is required and doesn't hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnmetView {
    /// Which requirement, e.g. `listing:DE:suppressed`.
    pub requirement: String,
    /// What is wrong.
    pub detail: String,
    /// What to do.
    pub remedy: String,
}

/// A removal or suspension in a scope.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ScopedView {
    /// `global` or a region.
    pub scope: String,
    /// The decision.
    pub decision: String,
    /// Since when.
    pub since: String,
}

/// What became of a badge in one region.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegionView {
    /// The region.
    pub region: String,
    /// By the status's name on the wire.
    pub status: String,
    /// The same as the console shows it.
    pub status_title: String,
}

/// What was said to a proposal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RulingView {
    /// `confirmation` or `refusal`.
    pub verdict: String,
    /// When.
    pub at: String,
    /// By whom.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What was said to a critical outage.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AcknowledgementView {
    /// When.
    pub at: String,
    /// By whom.
    pub by: String,
    /// What caused it.
    pub cause: String,
    /// When it is expected to be mended.
    pub expected_fix: String,
}

/// A turn of the kill switch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TurnView {
    /// On: removals become proposals.
    pub on: bool,
    /// From when on.
    pub at: String,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What became of a command.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutcomeView {
    /// The command.
    pub command: String,
    /// Whether it was carried out.
    pub accepted: bool,
    /// The revision that what it is about has since; none where it wasn't carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Everything that was in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<UnmetView>,
}
