//! What takes badges away and brings them back, and the same for manufacturers: openings and closings as they
//! were issued, amended and taken back (R18, R21).

use std::collections::BTreeMap;

use domain::decision::{DecisionId, DecisionKind, Scope};
use domain::id::RegionSet;
use domain::programme::IssuedNote;
use domain::time::Timestamp;

/// Where something is off, by which decision and since when.
pub(super) type Off = BTreeMap<Scope, (DecisionId, Timestamp)>;

/// Every opening and closing that was issued about a badge or a manufacturer, in the order of the log.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Turns(Vec<Turn>);

/// One of them, as it was amended since.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Turn {
    /// Its id, then those of its amendments.
    ids: Vec<DecisionId>,
    kind: DecisionKind,
    scope: Scope,
    at: Timestamp,
    is_reversed: bool,
    /// Of a closing: the opening that it ends. Where that is taken back, so is this.
    arc: Option<usize>,
    /// In which regions what was decided globally goes on from here, where that doesn't follow from the
    /// instant.
    goes_on: Option<RegionSet>,
}

impl Turns {
    /// Takes in a decision; one that is no opening or closing, nor about one, changes nothing.
    pub(super) fn take(&mut self, note: &IssuedNote, goes_on: Option<RegionSet>) {
        let about = note.supersedes.and_then(|id| self.0.iter().rposition(|turn| turn.ids.contains(&id)));
        match (note.kind, about) {
            (DecisionKind::Reversal, Some(about)) => {
                for (place, turn) in self.0.iter_mut().enumerate() {
                    turn.is_reversed |= place == about || turn.arc == Some(about);
                }
            }
            (DecisionKind::Amendment, Some(about)) => {
                self.0[about].at = note.at;
                self.0[about].ids.push(note.id);
            }
            (kind, _) if is_opening(kind) || is_closing(kind) => {
                let arc = if is_closing(kind) { self.opened_before(note) } else { None };
                let turn = Turn { ids: vec![note.id], kind, scope: note.scope, at: note.at, is_reversed: false, arc, goes_on };
                self.0.push(turn);
            }
            _ => {}
        }
    }

    /// Where it is off, by what was issued and stands. What was decided globally goes on in the regions that
    /// `regions` names of an instant, once a region is decided on by itself, and what was decided in regions
    /// ends globally with all of them (R18).
    pub(super) fn off(&self, regions: impl Fn(Timestamp) -> RegionSet) -> Off {
        let mut standing: Vec<&Turn> = self.0.iter().filter(|turn| !turn.is_reversed).collect();
        // At one instant what brings back comes before what takes away (R17).
        standing.sort_by_key(|turn| (turn.at, turn.kind));
        let mut off = Off::new();
        for turn in standing {
            let Some(id) = turn.ids.last() else { continue };
            match (is_opening(turn.kind), turn.scope) {
                (true, scope) => {
                    off.entry(scope).or_insert((*id, turn.at));
                }
                (false, Scope::Global) => off.clear(),
                (false, scope) => {
                    if let Some(global) = off.remove(&Scope::Global) {
                        for region in turn.goes_on.unwrap_or_else(|| regions(turn.at)).iter() {
                            off.entry(Scope::Region(region)).or_insert(global);
                        }
                    }
                    off.remove(&scope);
                }
            }
        }
        off
    }

    /// Whether a decision, or one that it amends, is about everything.
    pub(super) fn is_global(&self, id: &DecisionId) -> bool {
        self.0.iter().any(|turn| turn.scope == Scope::Global && turn.ids.contains(id))
    }

    /// The last opening in a closing's scope that stands and comes before it.
    fn opened_before(&self, closing: &IssuedNote) -> Option<usize> {
        let opened = self.0.iter().enumerate().filter(|(_, turn)| {
            let is_before = (turn.at, turn.kind) < (closing.at, closing.kind);
            is_opening(turn.kind) && turn.scope == closing.scope && !turn.is_reversed && is_before
        });
        opened.max_by_key(|(_, turn)| turn.at).map(|(place, _)| place)
    }
}

const fn is_opening(kind: DecisionKind) -> bool {
    matches!(kind, DecisionKind::BadgeRemoval | DecisionKind::Suspension)
}

const fn is_closing(kind: DecisionKind) -> bool {
    matches!(kind, DecisionKind::Reinstatement | DecisionKind::SuspensionLifted)
}
