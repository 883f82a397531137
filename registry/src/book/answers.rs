//! People's answers to decisions: rulings on proposals (R22), acknowledgements, the kill switch (R25).

use domain::decision::DecisionId;
use domain::fact::{Acknowledgement, Fact, KillSwitch, Ruling, Verdict};
use domain::programme::{Entity, EntityId};
use domain::time::Timestamp;

use super::unmet::{not_in, refused};
use super::{Asked, Book, Plan, Planned};

/// Statuses of a proposal, by their names on the wire.
pub(super) const OPEN: &str = "open";
/// Taken back by what is known since.
pub(super) const REVERSED: &str = "reversed";

impl Book {
    pub(super) fn rule(&self, asked: Asked<'_>, proposal: DecisionId, (verdict, note): (Verdict, Option<&str>)) -> Planned {
        let id = EntityId::Proposal(proposal);
        let Some(entity) = self.proposals.get(&self.question(proposal)) else {
            let detail = format!("{id} is not known to the registry");
            return refused("known", detail, "check the id; one that was issued just now is known within a minute");
        };
        if let Some(ruling) = &entity.ruling {
            let status = format!("{} by {} at {}", status_of(ruling.verdict), ruling.by, ruling.at);
            return refused("status", format!("{id} was {status}"), "the first answer stands");
        }
        if entity.reversed {
            return not_in(&id, (REVERSED, OPEN), &entity.trail, "nothing is left to rule on: the badge stays");
        }
        let Some(asin) = entity.note.asin.clone() else {
            return refused("proposal", format!("{id} is about no product"), "rule on proposals of removals");
        };
        let ruling = Ruling {
            proposal: entity.note.id,
            asin,
            scope: entity.note.scope,
            proposed_at: entity.note.at,
            at: asked.command.at,
            verdict,
            by: asked.command.by.clone(),
            note: note.map(str::to_owned),
        };
        let mut entity = entity.clone();
        entity.ruling = Some(ruling.clone());
        entity.trail.steps.push(asked.step(status_of(verdict), note.iter().map(|&note| note.to_owned()).collect()));
        Ok(Plan { entities: vec![Entity::Proposal(entity)], fact: Some(Fact::Ruling(ruling)) })
    }

    pub(super) fn acknowledge(&self, asked: Asked<'_>, outage: DecisionId, (cause, expected_fix): (&str, Timestamp)) -> Planned {
        let id = EntityId::Outage(outage);
        let Some(entity) = self.outages.get(&self.question(outage)) else {
            let detail = format!("{id} is not known to the registry");
            return refused("known", detail, "check the id; one that was issued just now is known within a minute");
        };
        if let Some(known) = &entity.acknowledgement {
            let detail = format!("{id} was acknowledged by {} at {}", known.by, known.at);
            return refused("status", detail, "the first answer stands");
        }
        let Some(asin) = entity.note.asin.clone() else {
            return refused("outage", format!("{id} is about no product"), "acknowledge outages of products");
        };
        let (at, by) = (asked.command.at, asked.command.by.clone());
        let acknowledgement = Acknowledgement { outage: entity.note.id, asin, at, by, cause: cause.to_owned(), expected_fix };
        let mut entity = entity.clone();
        entity.acknowledgement = Some(acknowledgement.clone());
        let notes = vec![cause.to_owned(), format!("expected to be mended {expected_fix}")];
        entity.trail.steps.push(asked.step(ACKNOWLEDGED, notes));
        Ok(Plan { entities: vec![Entity::Outage(entity)], fact: Some(Fact::Acknowledgement(acknowledgement)) })
    }

    pub(super) fn turn_kill_switch(&self, asked: Asked<'_>, on: bool, reason: &str) -> Planned {
        let (at, by) = (asked.command.at, asked.command.by.clone());
        let turn = KillSwitch { on, at, by, reason: reason.to_owned() };
        if let Some(last) = self.kill_switch.last.as_ref().filter(|last| is_later(last, &turn)) {
            let detail = format!("the kill switch was turned {} by {} at {}", switch_status(last.on), last.by, last.at);
            return refused("at", detail, "turn it at a later instant; of two turns at one instant on wins");
        }
        let mut entity = self.kill_switch.clone();
        entity.last = Some(turn.clone());
        entity.trail.steps.push(asked.step(switch_status(on), vec![reason.to_owned()]));
        Ok(Plan { entities: vec![Entity::KillSwitch(entity)], fact: Some(Fact::KillSwitch(turn)) })
    }
}

/// Whether a turn of the kill switch comes after another; of two at one instant on does.
pub(super) fn is_later(one: &KillSwitch, other: &KillSwitch) -> bool {
    (one.at, one.on) > (other.at, other.on)
}

/// The status of an outage that was answered.
pub(super) const ACKNOWLEDGED: &str = "acknowledged";

/// The status of a proposal that was ruled on.
pub(super) const fn status_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "confirmed",
        Verdict::Refused => "refused",
    }
}

/// The status of the kill switch.
pub(super) const fn switch_status(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
