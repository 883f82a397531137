//! Small fleets with results computed by hand, and the worked examples.

mod certification;
mod evidence;
mod fleets;
mod instants;
mod probation;
mod regions;
mod removal;
mod rulings;
mod stories;
mod switches;
mod warnings;

use domain::decision::DecisionKind;
use domain::event::{EventBody, HealthState};
use domain::policy::ScopeRule;
use domain::{Event, Fact, Policies, Policy, Region, Report, SubjectRef, Timestamp};

use super::differences::decision_line;
use super::{AuditInput, audit};

/// The preset `wwa-2024`.
pub(super) fn preset() -> Policy {
    let text = wire::policy::preset("wwa-2024").expect("a built-in policy");
    wire::policy::parse(text, "wwa-2024").expect("a valid policy").swap_remove(0)
}

/// The preset with states that hold for ever and no projection.
fn lasting() -> Policy {
    let mut policy = preset();
    policy.state_ttl = None;
    policy.warnings.projection = domain::DurationMs::ZERO;
    policy
}

fn regional() -> Policy {
    Policy { scope: ScopeRule::Region, ..lasting() }
}

/// A policy, and others that take its place from their instants on.
fn then(first: Policy, switches: &[(&str, Policy)]) -> Policies {
    let mut versions = vec![first];
    for (from, policy) in switches {
        let mut policy = Policy { effective_from: at(from), ..policy.clone() };
        policy.name.version = u32::try_from(versions.len()).unwrap() + 1;
        versions.push(policy);
    }
    Policies::new(versions).expect("no two at one instant")
}

/// All that is decided about a badge and its manufacturer, but for warnings.
const COURSE: [DecisionKind; 9] = [
    DecisionKind::ProbationMonthPassed,
    DecisionKind::Reinstatement,
    DecisionKind::ReinstatementHeld,
    DecisionKind::SuspensionLifted,
    DecisionKind::BadgeRemoval,
    DecisionKind::Suspension,
    DecisionKind::ProbationRestarted,
    DecisionKind::ProbationStarted,
    DecisionKind::Proposal,
];

/// An instant; date and minute are enough.
fn at(text: &str) -> Timestamp {
    let rest = match text.len() {
        10 => "T00:00:00Z",
        16 => ":00Z",
        _ => "Z",
    };
    Timestamp::parse_rfc3339(&format!("{text}{rest}")).expect("a valid instant")
}

/// A policy, a registry and events in the making.
#[derive(Debug)]
struct World {
    policies: Policies,
    facts: Vec<(u64, Fact)>,
    events: Vec<(u64, Event)>,
}

impl World {
    fn new(policies: impl Into<Policies>) -> Self {
        Self { policies: policies.into(), facts: Vec::new(), events: Vec::new() }
    }

    /// One product B1 of m-1 in the US.
    fn one(policies: impl Into<Policies>, enabled_at: &str) -> Self {
        Self::new(policies).badge("B1", "m-1", r#""US""#, enabled_at)
    }

    fn badge(self, asin: &str, manufacturer: &str, marketplaces: &str, enabled_at: &str) -> Self {
        let enabled_at = at(enabled_at);
        self.line(&format!(
            r#"{{"type": "badge", "asin": "{asin}", "manufacturer": "{manufacturer}", "brand": "Acme", "model": "One",
            "skill": "s-1", "hub": null, "marketplaces": [{marketplaces}], "enabled_at": "{enabled_at}"}}"#
        ))
    }

    /// A later badge line: `fields` from `from` on.
    fn change(self, asin: &str, from: &str, fields: &str) -> Self {
        let from = at(from);
        self.line(&format!(r#"{{"type": "badge", "asin": "{asin}", "at": "{from}", {fields}}}"#))
    }

    fn withdraw(self, asin: &str, from: &str) -> Self {
        let from = at(from);
        self.line(&format!(r#"{{"type": "badge_withdrawn", "asin": "{asin}", "at": "{from}"}}"#))
    }

    fn exclude(self, target: &str, from: &str, to: &str) -> Self {
        let (id, from, to) = (self.facts.len(), at(from), at(to));
        self.line(&format!(
            r#"{{"type": "exclusion", "id": "x-{id}", "applies_to": {target}, "from": "{from}", "to": "{to}",
            "reason": "platform", "approved_by": "team"}}"#
        ))
    }

    fn line(mut self, json: &str) -> Self {
        let fact = wire::fact::parse(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error:?}"));
        self.facts.push((self.facts.len() as u64 + 1, fact));
        self
    }

    fn state(self, subject: &str, region: Region, from: &str, state: HealthState) -> Self {
        self.event(subject, region, at(from), EventBody::State(state))
    }

    fn up(self, subject: &str, from: &str) -> Self {
        self.state(subject, Region::Na, from, HealthState::Up)
    }

    /// Down in `[from, to)`, up from then on.
    fn down(self, subject: &str, region: Region, from: &str, to: &str) -> Self {
        self.state(subject, region, from, HealthState::Down).state(subject, region, to, HealthState::Up)
    }

    /// Down for some milliseconds from an instant on, in North America.
    fn down_for(self, subject: &str, from: &str, ms: i64) -> Self {
        let from = at(from);
        let to = Timestamp::clamped(from.ms() + ms);
        self.event(subject, Region::Na, from, EventBody::State(HealthState::Down)).event(
            subject,
            Region::Na,
            to,
            EventBody::State(HealthState::Up),
        )
    }

    fn event(mut self, subject: &str, region: Region, at: Timestamp, body: EventBody) -> Self {
        let subject = SubjectRef::parse(subject).unwrap().to_owned();
        self.events.push((self.events.len() as u64 + 1, Event { subject, region, at, body, reporter: None, seq: None }));
        self
    }

    fn report(&self, until: &str) -> Report {
        let Self { policies, facts, events } = self;
        audit(&AuditInput { policies, facts, events, at: at(until) })
    }

    /// Compares the decisions up to an instant with lines: instant, kind, reasons, ASIN or `-`,
    /// manufacturer, scope.
    fn decides(&self, until: &str, expected: &[&str]) -> Report {
        self.decides_of(until, &DecisionKind::ALL, expected)
    }

    /// The same for decisions of some kinds only.
    fn decides_of(&self, until: &str, kinds: &[DecisionKind], expected: &[&str]) -> Report {
        let report = self.report(until);
        let decisions = report.decisions.iter().filter(|decision| kinds.contains(&decision.kind));
        let lines: Vec<String> = decisions.map(decision_line).collect();
        assert_eq!(lines, expected, "until {until}");
        report
    }
}

/// How the only product stands.
fn standing(report: &Report) -> (&'static str, Option<&'static str>) {
    let [product] = report.products.as_slice() else { panic!("one product in one scope: {:?}", report.products) };
    (product.standing.as_str(), product.warning_level.map(domain::WarningLevel::as_str))
}
