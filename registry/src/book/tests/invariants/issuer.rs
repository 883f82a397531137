//! Who issues decisions as is natural, and what is so by them: naively, from the list of what stands.

use std::collections::{BTreeMap, BTreeSet};

use super::super::stage::{maker, note};
use crate::resolved::Registry;
use domain::decision::{DecisionId, DecisionKind, Scope};
use domain::id::{Asin, ManufacturerId};
use domain::product::Product;
use domain::programme::IssuedNote;
use domain::time::{DurationMs, HOUR_MS, Timestamp};
use domain::{Region, RegionSet};

/// In which regions badges were, by the ledger.
pub(super) struct Regions<'a>(pub(super) &'a Registry);

impl Regions<'_> {
    /// Regions of a badge up to an instant.
    fn until(&self, asin: &Asin, at: Timestamp) -> RegionSet {
        let product = self.0.products.get(asin).into_iter();
        let terms = product.flat_map(Product::terms).filter(|(when, _)| when.from <= at);
        terms.flat_map(|(_, terms)| terms.marketplaces.iter().map(|marketplace| marketplace.region())).collect()
    }
}

/// Removals and reinstatements of one badge that stand, the last one last: where it is off after each.
#[derive(Clone, Default, Debug)]
struct Standing(Vec<Turn>);

#[derive(Clone, Debug)]
struct Turn {
    id: DecisionId,
    kind: DecisionKind,
    scope: Scope,
    at: Timestamp,
}

/// The owner of decisions.
#[derive(Clone, Default, Debug)]
pub(super) struct Issuer {
    is_regional: bool,
    number: u8,
    badges: BTreeMap<Asin, Standing>,
    /// Regions in which a manufacturer is suspended by what was said.
    suspended: BTreeMap<ManufacturerId, RegionSet>,
    /// Those that are suspended by a global decision.
    globally: BTreeSet<ManufacturerId>,
    /// The last instant that was said of a manufacturer.
    said: BTreeMap<ManufacturerId, Timestamp>,
    /// Proposals that weren't taken back.
    proposals: Vec<(DecisionId, Asin)>,
}

impl Issuer {
    pub(super) fn switch(&mut self) {
        self.is_regional = true;
    }

    pub(super) fn next_number(&mut self) -> u8 {
        self.number = self.number.wrapping_add(1).max(1);
        self.number
    }

    /// Where a badge is off.
    pub(super) fn off(&self, asin: &Asin, regions: &Regions<'_>) -> RegionSet {
        self.off_by(asin, regions, |_| true)
    }

    /// Where it is by decisions that are picked, and those that brought it back.
    fn off_by(&self, asin: &Asin, regions: &Regions<'_>, is_picked: impl Fn(Scope) -> bool) -> RegionSet {
        let mut off = RegionSet::NONE;
        let Some(standing) = self.badges.get(asin) else { return off };
        let mut is_global = false;
        for turn in standing.0.iter().filter(|turn| turn.kind == DecisionKind::Reinstatement || is_picked(turn.scope)) {
            let keep = |off: RegionSet, drop: Region| off.iter().filter(|region| *region != drop).collect();
            off = match (turn.kind, turn.scope) {
                (DecisionKind::BadgeRemoval, Scope::Global) => {
                    is_global = true;
                    RegionSet::ALL
                }
                (DecisionKind::BadgeRemoval, Scope::Region(region)) => off.with(region),
                (_, Scope::Global) => {
                    is_global = false;
                    RegionSet::NONE
                }
                (_, Scope::Region(region)) if std::mem::take(&mut is_global) => keep(regions.until(asin, turn.at), region),
                (_, Scope::Region(region)) => keep(off, region),
            };
        }
        off
    }

    /// Where a manufacturer is suspended by what was said of it.
    pub(super) fn suspended(&self, id: &ManufacturerId) -> RegionSet {
        self.suspended.get(id).copied().unwrap_or_default()
    }

    /// What is issued next: the programme's role first, then the owner of a badge. `badges` are those that there
    /// are, with their manufacturers and regions.
    pub(super) fn decide(
        &mut self,
        pick: [u8; 4],
        now: Timestamp,
        badges: &[(Asin, ManufacturerId, RegionSet)],
        regions: &Regions<'_>,
    ) -> Option<IssuedNote> {
        self.suspend(now, badges, regions).or_else(|| self.turn(pick, now, badges, regions))
    }

    fn suspend(
        &mut self,
        now: Timestamp,
        badges: &[(Asin, ManufacturerId, RegionSet)],
        regions: &Regions<'_>,
    ) -> Option<IssuedNote> {
        let makers: BTreeSet<ManufacturerId> = badges.iter().map(|(_, maker, _)| maker.clone()).chain([maker("m-1")]).collect();
        for id in makers {
            let made = badges.iter().filter(|(_, maker, _)| *maker == id);
            let off: RegionSet = made.clone().flat_map(|(asin, _, own)| off_in(self.off(asin, regions), *own)).collect();
            let is_global = |scope| scope == Scope::Global;
            let globally = made.flat_map(|(asin, _, own)| off_in(self.off_by(asin, regions, is_global), *own)).collect();
            let said = self.suspended(&id);
            let scopes: Vec<Scope> = if self.is_regional { Region::ALL.map(Scope::Region).to_vec() } else { vec![Scope::Global] };
            for scope in scopes {
                let is_in = |set: RegionSet| set.iter().any(|region| scope.includes(region));
                if is_in(off) != is_in(said) {
                    let (kind, next) = if is_in(off) {
                        (
                            DecisionKind::Suspension,
                            Region::ALL.into_iter().filter(|r| said.contains(*r) || scope.includes(*r)).collect(),
                        )
                    } else {
                        (DecisionKind::SuspensionLifted, said.iter().filter(|region| !scope.includes(*region)).collect())
                    };
                    // What was suspended globally goes on where a badge is off by a global decision.
                    let was_global = self.globally.remove(&id);
                    let next: RegionSet =
                        if was_global && scope != Scope::Global { narrowed(next, globally, scope) } else { next };
                    if scope == Scope::Global && kind == DecisionKind::Suspension {
                        self.globally.insert(id.clone());
                    }
                    self.suspended.insert(id.clone(), next);
                    let number = self.next_number();
                    let at = self.said.get(&id).map_or(now, |last| now.max(*last + DurationMs(1)));
                    self.said.insert(id.clone(), at);
                    return Some(IssuedNote { manufacturer: id, ..note(number, kind, scope, at) });
                }
            }
        }
        None
    }

    fn turn(
        &mut self,
        [which, how, place, back]: [u8; 4],
        now: Timestamp,
        badges: &[(Asin, ManufacturerId, RegionSet)],
        regions: &Regions<'_>,
    ) -> Option<IssuedNote> {
        let (asin, manufacturer, own) = badges.get(usize::from(which).checked_rem(badges.len())?)?.clone();
        let number = self.next_number();
        let of_badge: Vec<Region> = own.iter().collect();
        let region = *of_badge.get(usize::from(place).checked_rem(of_badge.len())?)?;
        let scope = if self.is_regional { Scope::Region(region) } else { Scope::Global };
        let off = self.off(&asin, regions);
        let standing = self.badges.entry(asin.clone()).or_default();
        let earliest = standing.0.last().map_or(Timestamp::MIN, |last| last.at + DurationMs(1));
        let at = now.saturating_sub(DurationMs(i64::from(back % 30) * HOUR_MS)).max(earliest);
        let plain = IssuedNote { asin: Some(asin.clone()), manufacturer, ..note(number, DecisionKind::Proposal, scope, at) };
        match (how % 8, standing.0.last_mut()) {
            (0, _) => {
                self.proposals.push((plain.id, asin));
                return Some(plain);
            }
            (1, _) => return Some(IssuedNote { kind: DecisionKind::CriticalOutage, ..plain }),
            (2, Some(last)) => {
                let superseded = std::mem::replace(&mut last.id, plain.id);
                let scope = last.scope;
                return Some(IssuedNote {
                    kind: DecisionKind::Amendment,
                    scope,
                    at: last.at,
                    supersedes: Some(superseded),
                    ..plain
                });
            }
            (3, Some(last)) => {
                let (scope, supersedes) = (last.scope, Some(last.id));
                standing.0.pop();
                return Some(IssuedNote { kind: DecisionKind::Reversal, scope, at: now, supersedes, ..plain });
            }
            (4, Some(_)) => {
                // A removal further down: with the reinstatement that ended it.
                let opened = standing.0.iter().rposition(|turn| turn.kind == DecisionKind::BadgeRemoval)?;
                let removed = standing.0.remove(opened);
                let ended = standing.0.iter().skip(opened).position(|turn| turn.scope == removed.scope);
                if let Some(ended) = ended {
                    standing.0.remove(opened + ended);
                }
                let (scope, supersedes) = (removed.scope, Some(removed.id));
                return Some(IssuedNote { kind: DecisionKind::Reversal, scope, at: now, supersedes, ..plain });
            }
            (5, _) if !self.proposals.is_empty() => {
                let (superseded, about) = self.proposals.remove(0);
                let (asin, supersedes) = (Some(about), Some(superseded));
                return Some(IssuedNote { kind: DecisionKind::Reversal, asin, supersedes, ..plain });
            }
            _ => {}
        }
        let is_off = off_in(off, own).any(|region| scope.includes(region));
        let kind = if is_off { DecisionKind::Reinstatement } else { DecisionKind::BadgeRemoval };
        standing.0.push(Turn { id: plain.id, kind, scope, at });
        Some(IssuedNote { kind, ..plain })
    }
}

fn off_in(off: RegionSet, own: RegionSet) -> impl Iterator<Item = Region> {
    off.iter().filter(move |region| own.contains(*region))
}

fn narrowed(next: RegionSet, off: RegionSet, scope: Scope) -> RegionSet {
    next.iter().filter(|region| off.contains(*region) || scope.includes(*region)).collect()
}
