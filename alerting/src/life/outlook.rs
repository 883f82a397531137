//! A life looked back at from T: how the product stood at an earlier instant, as everything known by T
//! says, and what looking ahead from that instant needs to know.
//!
//! The life is followed afresh, so that nothing that a [`super::Life`] remembers has to reach back so far.

use domain::evidence::ProductEvidence;
use domain::interval::Interval;
use domain::life::{Phase, State};
use domain::report::{ProductStanding, Standing};
use domain::time::Timestamp;

use super::memos::Memo;
use crate::case::Case;
use crate::fold::{Trail, standing_of};
use crate::forecast::{BadgeOn, LastRun, Off, Reinstatement, Tolerated, reinstatement};
use crate::scope::ScopeCase;

/// A scope at an instant.
#[derive(Clone, Debug)]
pub struct Outlook<'a> {
    /// How the product stood there, with the numbers behind it.
    pub standing: ProductStanding,
    /// What of the badge there is to look ahead.
    pub badge: Badge<'a>,
}

/// How a badge is at an instant.
#[derive(Clone, Debug)]
pub enum Badge<'a> {
    /// It is on and judged.
    On(BadgeOn<'a>),
    /// It is on, and a breach waits for its ruling: nothing more is judged until then (R22).
    Proposed {
        /// The breach's instant.
        breach: Timestamp,
    },
    /// It is off.
    Off(Reinstatement),
    /// It was withdrawn, or the region was lost.
    Withdrawn,
}

/// Every scope that was judged at `at`, by what is known at T, to which `known` was gathered; `then` is the
/// same case with evidence gathered up to `at` only.
#[must_use]
pub fn outlook<'a>(known: &Case<'_>, until: Timestamp, then: &Case<'a>, at: Timestamp) -> Vec<Outlook<'a>> {
    let mut memo = Memo::default();
    memo.go_on(known, until, at, &mut Trail::default());
    let scopes = memo.scopes(then, at).map(|(scope, state)| {
        let standing = standing_of(&scope, state);
        let badge = if standing.standing == Standing::Withdrawn { Badge::Withdrawn } else { badge(&scope, state) };
        Outlook { standing, badge }
    });
    scopes.collect()
}

fn badge<'a>(scope: &ScopeCase<'a>, state: &State) -> Badge<'a> {
    let off = match &state.phase {
        Phase::On { .. } => return Badge::On(badge_on(scope, state)),
        Phase::Proposed(proposal) => return Badge::Proposed { breach: proposal.breach },
        Phase::Removed { breach, not_before } => Off::Removed { run_to: run_to(scope, *breach).max(*not_before) },
        Phase::Broken(broken) => Off::Removed { run_to: run_to(scope, broken.at) },
        Phase::Probation { held: Some(_), .. } => Off::Held,
        Phase::Probation { start, passed, held: None } => {
            Off::Probation(domain::report::ProbationStanding { started: *start, months_passed: *passed })
        }
    };
    let failures = scope.case.certification.failures(scope.case.product, scope.scope, scope.at);
    Badge::Off(reinstatement(scope.policy, scope.at, off, failures))
}

fn badge_on<'a>(scope: &ScopeCase<'a>, state: &State) -> BadgeOn<'a> {
    let evidence: &'a ProductEvidence = scope.evidence;
    let last_run = evidence.runs.as_slice().last();
    BadgeOn {
        policy: scope.policy,
        scope: scope.scope,
        enabled_at: scope.enabled_at,
        floor: state.floor,
        at: scope.at,
        downtime: scope.downtime.set(),
        effective: evidence.effective.set(),
        outages: &evidence.outages,
        last_run: last_run.map(|&run| LastRun { run, effective_ms: evidence.effective.ms_within(run) }),
        tolerated: state
            .refused
            .map(|refused| Tolerated { downtime_ms: refused.downtime_ms, outages: refused.outages })
            .unwrap_or_default(),
    }
}

/// How far the scope's own run that holds an instant has gone on (R14); the instant itself if none does.
fn run_to(scope: &ScopeCase<'_>, at: Timestamp) -> Timestamp {
    let runs = scope.runs.as_slice();
    let holds = |run: &&Interval| run.from < at;
    runs.get(runs.partition_point(|run| run.to < at)).filter(holds).map_or(at, |run| run.to)
}
