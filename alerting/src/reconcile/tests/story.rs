//! Stories: what is implied at each T, what happens meanwhile, and what is issued.

use std::fmt::Write;

use domain::decision::{Decision, DecisionKind, Evidence, InputPosition, Issuer, Reason, Scope, WarningCause, WarningLevel};
use domain::fact::{KillSwitch, Ruling, Verdict};
use domain::id::{Asin, ManufacturerId};
use domain::interval::Interval;
use domain::policy::Policies;
use domain::time::Timestamp;

use crate::brakes::Brakes;
use crate::id::{About, in_order};
use crate::reconcile::{Context, Issued, reconcile};

/// What happens.
pub(super) enum Step<'a> {
    /// At this T these are implied (in any order; later ones are left out), and those are issued.
    At(&'a str, &'a [&'a str], &'a [&'a str]),
    /// The proposal that was issued as number n is ruled on.
    Rule(usize, Verdict, &'a str),
    /// The kill switch is turned.
    Switch(bool, &'a str),
    /// What is dated before is forgotten.
    Forget(&'a str),
}

/// `2025-03-01T06:00` as an instant.
pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{text}:00Z")).expect("an instant")
}

/// The preset, with some of its lines replaced.
pub(super) fn policies(changes: &[(&str, &str)]) -> Policies {
    let preset = wire::policy::preset("wwa-2024").expect("a preset").to_owned();
    let text = changes.iter().fold(preset, |text, (from, to)| {
        assert!(text.contains(from), "the preset holds {from}");
        text.replace(from, to)
    });
    Policies::new(wire::policy::parse(&text, "a test").expect("a policy")).expect("one version")
}

/// The global version, and from June 2025 on the regional one.
pub(super) fn switching() -> Policies {
    let (first, second) = (policies(&[]), policies(&[(r#"scope = "global""#, r#"scope = "region""#)]));
    let mut regional = second.versions()[0].clone();
    (regional.name.version, regional.effective_from) = (2, at("2025-06-01T00:00"));
    Policies::new(vec![first.versions()[0].clone(), regional]).expect("two versions")
}

/// `badge_removal global 2025-03-01T06:00 budget`, with `m2` for a month's number and `from …` for where
/// a window begins.
pub(super) fn implied(line: &str, asin: Option<&str>, policies: &Policies) -> Decision {
    let mut words = line.split(' ');
    let mut word = || words.next().expect("kind, scope, instant");
    let kind = DecisionKind::parse(word()).expect("a kind");
    let scope = Scope::parse(word()).expect("a scope");
    let instant = at(word());
    let mut evidence = Evidence::new(policies.at(instant).name.clone());
    let mut reasons = Vec::new();
    for word in words {
        if let Some(from) = word.strip_prefix("from=") {
            evidence.window = Some(Interval::new(at(from), instant));
        } else if let Some(month) = word.strip_prefix('m').and_then(|month| month.parse().ok()) {
            evidence.month = Some(month);
        } else {
            reasons.push(reason(word));
        }
    }
    let about = About { asin: asin.and_then(Asin::new), manufacturer: ManufacturerId::new("m-1").expect("an id"), scope };
    about.decide(kind, reasons, instant, evidence)
}

fn reason(word: &str) -> Reason {
    const WATCH: Reason = Reason::Warning(WarningLevel::Watch, WarningCause::Budget);
    let us = domain::Marketplace::parse("US").expect("a marketplace");
    let known = [Reason::Budget, Reason::Outages, Reason::Coverage, WATCH, Reason::Brand(us), Reason::Model(us)];
    known.into_iter().find(|reason| reason.to_string() == word).expect("a reason")
}

/// `#3 badge_removal global 2025-03-01T06:00 budget supersedes #2`; a number is a place in the log.
fn line(number: usize, decision: &Decision, log: &[Decision]) -> String {
    let mut out = format!("#{number} {} {} {}", decision.kind, decision.scope, &decision.at.to_string()[..16]);
    let mut word = |word: &dyn std::fmt::Display| write!(out, " {word}").expect("a text grows");
    decision.reasons.iter().for_each(|reason| word(reason));
    if let Some(month) = decision.evidence.month {
        word(&format!("m{month}"));
    }
    if let Some(id) = decision.supersedes {
        let superseded = log.iter().position(|other| other.id == id).expect("what is superseded was issued") + 1;
        word(&format!("supersedes #{superseded}"));
    }
    if let Some(kind) = decision.evidence.amends {
        word(&format!("({kind})"));
    }
    out
}

/// Plays a story of B1. At every T the state is what the log alone says, ids are unique, and nothing is
/// left to be issued. Yields the state in the end.
pub(super) fn check(policies: &Policies, steps: &[Step<'_>]) -> Issued {
    play(policies, Some("B1"), steps)
}

/// Plays a story of a product, or of the manufacturer.
pub(super) fn play(policies: &Policies, asin: Option<&str>, steps: &[Step<'_>]) -> Issued {
    let inputs = [InputPosition { log: "events".to_owned(), partition: 0, next_offset: 7 }];
    let (mut issued, mut log) = (Issued::default(), Vec::new());
    let (mut rulings, mut turns): (Vec<Ruling>, Vec<KillSwitch>) = (Vec::new(), Vec::new());
    let mut brakes = Brakes::new(Vec::new(), policies);
    let mut forgotten = Timestamp::MIN;
    for step in steps {
        match *step {
            Step::At(t, lines, expected) => {
                let t = at(t);
                let mut lines: Vec<Decision> = lines.iter().map(|line| implied(line, asin, policies)).collect();
                lines.retain(|decision| decision.at <= t);
                in_order(&mut lines);
                let mut now = |issued: &Issued| {
                    reconcile(
                        issued,
                        &lines,
                        Context {
                            t,
                            policies,
                            rulings: &rulings,
                            brakes: &mut brakes,
                            by: Issuer::Partition(0),
                            next_seq: issued.total() as u64 + 1,
                            complete_from: forgotten,
                            inputs: &inputs,
                        },
                    )
                };
                let before = log.len();
                for decision in now(&issued) {
                    let stamp = decision.evidence.issued.as_ref().expect("an issued decision says so");
                    assert_eq!((stamp.at, stamp.inputs.as_slice()), (t, inputs.as_slice()));
                    issued.push(decision.clone());
                    log.push(decision);
                }
                let found: Vec<String> = (before..log.len()).map(|place| line(place + 1, &log[place], &log)).collect();
                assert_eq!(found, expected, "at {t}");
                assert_eq!(now(&issued), [], "nothing is left at {t}");
                check_state(&issued, &log, forgotten);
                assert_eq!(brakes, Brakes::replay(turns.clone(), policies, log.iter()));
            }
            Step::Rule(number, verdict, when) => rulings.push(ruling(&log[number - 1], verdict, at(when))),
            Step::Switch(on, when) => {
                turns.push(KillSwitch { on, at: at(when), by: "ops".to_owned(), reason: "a story".to_owned() });
                brakes.turn(turns.clone());
            }
            Step::Forget(before) => {
                forgotten = at(before);
                issued.forget(forgotten);
            }
        }
    }
    issued
}

fn check_state(issued: &Issued, log: &[Decision], forgotten: Timestamp) {
    let mut replayed = Issued::replay(log.iter().cloned());
    replayed.forget(forgotten);
    assert_eq!(*issued, replayed);
    assert_eq!(issued.total(), log.len());
    let mut ids: Vec<_> = log.iter().map(|decision| decision.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), log.len(), "ids are unique");
}

/// A ruling on an issued proposal.
pub(super) fn ruling(proposal: &Decision, verdict: Verdict, at: Timestamp) -> Ruling {
    assert_eq!(proposal.kind, DecisionKind::Proposal);
    Ruling {
        proposal: proposal.id,
        asin: proposal.asin.clone().expect("a product's proposal"),
        scope: proposal.scope,
        proposed_at: proposal.at,
        at,
        verdict,
        by: "reviewer".to_owned(),
        note: None,
    }
}
