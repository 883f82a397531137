//! A fleet over three years, in memory that doesn't grow: what a process tells is what an auditor finds
//! who has kept everything (R24).

#[path = "live/process.rs"]
mod process;

use std::collections::BTreeSet;
use std::rc::Rc;

use domain::page::PageNo;
use domain::rejection::LineSource;
use domain::time::{DAY_MS, HOUR_MS};
use domain::{DecisionKind, DurationMs, Fact, Policies, Ppm, Region, RejectReason, Subject, Timestamp};
use loadtest::fleet::{Fleet, FleetConfig};
use pipeline::{Io, Rules};
use ports::{Log, MemoryLogs, MemoryStore, StateStore};

use process::Process;

const YEARS: i64 = 3;
const YEAR_DAYS: i64 = 365;
const PRODUCTS: u32 = 40;
const PARTITIONS: u32 = 3;
/// The last day of three years and the weeks after lies more than two windows later.
const SKILL_OUTAGE_DAY: i64 = 20;
/// What pages and intervals may take in memory for each badged product, with its share of skills and hubs:
/// half of what two windows of scattered hours would (16 bytes an hour), in bytes.
const PRODUCT_BYTES_MAX: u64 = 2 * 365 * 24 * 16 / 2;
/// How much more may be in memory in the third year than in the second for each day that is kept of a
/// product, in percent: there are busier and quieter years.
const GROWTH_PERCENT_MAX: u64 = 10;

fn share(ppm: u32) -> Ppm {
    Ppm::new(ppm).expect("at most one whole")
}

fn fleet() -> Fleet {
    let config = FleetConfig {
        seed: 7,
        products: PRODUCTS,
        manufacturers: 12,
        has_cast: false,
        from: Timestamp::from_date(2025, 1, 1).expect("a day"),
        days: u32::try_from(YEARS * YEAR_DAYS).expect("few"),
        events: 400_000,
        late_share: share(100_000),
        malformed_share: share(2_000),
        live_only_rejects: true,
        ..FleetConfig::default()
    };
    Fleet::new(&config).expect("a fleet")
}

/// Both presets, one after the other.
fn policies() -> Policies {
    let version = |name: &str| {
        let text = wire::policy::preset(name).expect("a preset");
        wire::policy::parse(text, name).expect("a right policy").remove(0)
    };
    Policies::new(vec![version("wwa-2024"), version("wwa-2026")]).expect("versions")
}

/// Facts with when they are appended: what is planned beforehand, the rest up to three weeks late.
fn facts(fleet: &Fleet) -> Vec<(Timestamp, Fact)> {
    let start = fleet.config().from;
    let delay = |number: i64| DurationMs(number % 5 * 5 * DAY_MS + number % 7 * HOUR_MS - DAY_MS);
    let appended = |number: i64, fact: &Fact| {
        let at = match fact {
            Fact::BadgeChange(change) => change.at,
            Fact::Withdrawal(withdrawal) => withdrawal.at,
            Fact::Exclusion(exclusion) => exclusion.interval.to,
            Fact::Listing(listing) => listing.at,
            Fact::SkillListing(listing) => listing.at,
            _ => return start,
        };
        Timestamp::clamped(at.ms() + delay(number).ms()).max(start)
    };
    let mut facts: Vec<_> = (0..).zip(fleet.facts()).map(|(number, fact)| (appended(number, &fact), fact)).collect();
    facts.sort_by_key(|(at, _)| *at);
    facts
}

fn append_fact(process: &mut Process, fact: &Fact) {
    let mut line = Vec::new();
    wire::fact::write(fact, &mut line);
    process.append(Log::Registry, "", &line);
}

fn resident_bytes(process: &Process) -> u64 {
    let partitions = process.node.partitions().iter();
    partitions.map(|partition| partition.in_hand(process.node.tables()).pages_resident_bytes).sum()
}

/// Days of badged products that are kept at an instant: of each those since its first, two windows at most.
fn kept_days(fleet: &Fleet, at: Timestamp) -> u64 {
    let badges = fleet.facts().filter_map(|fact| if let Fact::Badge(badge) = fact { Some(badge.enabled_at) } else { None });
    let age = |enabled_at: Timestamp| ((at - enabled_at).ms() / DAY_MS).clamp(0, 2 * YEAR_DAYS).unsigned_abs();
    badges.map(age).sum()
}

/// No page is stored that an event could not reach any more, nor one that is read again after a restart; as of
/// the last midnight, and the checkpoint of the day before.
fn check_pages(process: &Process, at: Timestamp) {
    let kept = PageNo::of(at.floor_day().saturating_sub(process.rules.window).saturating_sub(DurationMs(DAY_MS))).get();
    let keys = process.store.keys(b"page/").expect("a store in memory");
    let oldest = keys.iter().map(|key| {
        let text = std::str::from_utf8(key).expect("text");
        text.rsplit('/').next().expect("a part").parse::<u32>().expect("a page's number")
    });
    let oldest = oldest.min().expect("pages are stored");
    assert!(oldest >= kept, "page {oldest} is stored, {kept} is the first that can be reached");
}

/// A shared skill is down for ten minutes in the first month.
fn append_skill_outage(process: &mut Process, fleet: &Fleet, at: Timestamp) {
    let skill = fleet.facts().find_map(|fact| if let Fact::Badge(badge) = fact { badge.terms.skill } else { None });
    let subject = Subject::skill(&skill.expect("some product has a skill"));
    for (state, after_ms) in [("down", -1_200_000), ("up", -600_000)] {
        let at = at.ms() + after_ms;
        let line = format!(r#"{{"v":1,"type":"state","subject":"{subject}","region":"NA","at":{at},"state":"{state}"}}"#);
        process.append(Log::Health, &subject.to_string(), line.as_bytes());
    }
}

/// Of skills and hubs nothing is kept that began before two windows, but a state that reaches beyond
/// them. Yields whether anything is.
fn check_dependencies(process: &Process, fleet: &Fleet, at: Timestamp) -> bool {
    let two_windows = at.floor_day().saturating_sub(process.rules.window).saturating_sub(process.rules.window);
    let dependencies = &process.node.tables().dependencies;
    let pages = (0..PageNo::of(two_windows).get()).map(PageNo::new);
    let subjects = fleet.facts().filter_map(|fact| if let Fact::Badge(badge) = fact { Some(badge.terms) } else { None });
    let subjects = subjects.flat_map(|terms| {
        terms.skill.as_ref().map(Subject::skill).into_iter().chain(terms.hub.as_ref().map(Subject::hub)).collect::<Vec<_>>()
    });
    let subjects: BTreeSet<Subject> = subjects.collect();
    let kept = |subject: &Subject, region: Region| {
        let said = pages.clone().filter_map(move |page| dependencies.said(subject.as_ref(), region, page));
        said.filter(|said| said.states.iter().flat_map(|(_, down)| down.iter()).all(|down| down.to <= two_windows)).count()
    };
    let kept: usize = subjects.iter().flat_map(|subject| Region::ALL.map(|region| kept(subject, region))).sum();
    assert_eq!(kept, 0, "pages from before {two_windows} are still there on {at}");
    let told = |subject: &Subject, region: Region| {
        (0..=PageNo::of(at).get()).any(|page| dependencies.said(subject.as_ref(), region, PageNo::new(page)).is_some())
    };
    subjects.iter().any(|subject| Region::ALL.iter().any(|region| told(subject, *region)))
}

#[test]
fn three_years_are_told_as_by_one_who_has_kept_everything() {
    let fleet = fleet();
    let start = fleet.config().from;
    let rules = Rc::new(Rules::new(policies(), PARTITIONS));
    let mut process = Process::open(&rules, MemoryLogs::new(PARTITIONS, start), MemoryStore::default());
    let (mut facts, mut lines) = (facts(&fleet).into_iter().peekable(), fleet.lines().peekable());
    let mut most_bytes = [0; 3];
    // Lines come for some weeks after the last instant.
    for day in 0..YEARS * YEAR_DAYS + 35 {
        let until = start + DurationMs::days(day + 1);
        loop {
            let (fact_at, line_at) = (facts.peek().map(|(at, _)| *at), lines.peek().map(|line| line.sent_at));
            let Some(at) = [fact_at, line_at].into_iter().flatten().min().filter(|at| *at < until) else { break };
            process.logs.set_now(at);
            if fact_at == Some(at) {
                append_fact(&mut process, &facts.next().expect("it was there").1);
            } else {
                let line = lines.next().expect("it was there");
                process.append(Log::Health, &line.key, &line.bytes);
            }
        }
        if day == SKILL_OUTAGE_DAY {
            append_skill_outage(&mut process, &fleet, until);
        }
        // Midnight itself once a week, else some time after.
        process.advance(until + DurationMs(day % 7 * 10 * 60_000));
        checkpoint(&mut process);
        let year = usize::try_from(day / YEAR_DAYS).expect("few").min(2);
        let bytes = resident_bytes(&process);
        assert!(bytes <= u64::from(PRODUCTS) * PRODUCT_BYTES_MAX, "{bytes} bytes on day {day}");
        most_bytes[year] = most_bytes[year].max(bytes / kept_days(&fleet, until).max(1));
        if [400, 777, YEARS * YEAR_DAYS + 34].contains(&day) {
            assert_eq!(process.faults(), Vec::<String>::new(), "day {day}");
            check_pages(&process, until);
            let is_told = check_dependencies(&process, &fleet, until);
            assert!(is_told || day > 2 * YEAR_DAYS, "the outage of day {SKILL_OUTAGE_DAY} is known on day {day}");
        }
    }
    assert!(lines.next().is_none() && facts.next().is_none(), "everything was appended");
    check_memory(&process, most_bytes);
    let manifest = fleet.manifest();
    assert!(manifest.shared_skills > 0 && manifest.hubs > 0 && manifest.dependency_outages > 0, "{manifest:?}");
    check_happened(&process);
}

/// A checkpoint, complete.
fn checkpoint(process: &mut Process) {
    let Process { node, logs, store, counts, .. } = process;
    node.begin_checkpoint();
    let io = &mut Io { sink: logs, stores: store, counts };
    assert!(node.checkpoint(usize::MAX, io).expect("logs in memory"), "it is complete");
}

fn check_memory(process: &Process, [_, second, third]: [u64; 3]) {
    assert!(third * 100 <= second * (100 + GROWTH_PERCENT_MAX), "{second} bytes a day of a product became {third}");
    assert!(process.counts.pages_loaded > 0 && process.counts.pages_stored > 0);
}

/// The fleet had everything that the comparison is about.
fn check_happened(process: &Process) {
    let kinds: BTreeSet<DecisionKind> = process.decisions().iter().map(|decision| decision.kind).collect();
    for kind in [
        DecisionKind::Warning,
        DecisionKind::CoverageWarning,
        DecisionKind::BadgeRemoval,
        DecisionKind::ProbationStarted,
        DecisionKind::ProbationRestarted,
        DecisionKind::Reinstatement,
        DecisionKind::Suspension,
        DecisionKind::SuspensionLifted,
        DecisionKind::Amendment,
        DecisionKind::CriticalOutage,
    ] {
        assert!(kinds.contains(&kind), "{kind} is among {kinds:?}");
    }
    for reason in RejectReason::ALL {
        let happens = !matches!(reason, RejectReason::UnknownMarketplace | RejectReason::CommandRefused);
        assert!(!happens || process.counts.rejected(LineSource::Events, reason) > 0, "{reason}");
    }
    assert!(process.counts.duplicate > 0 && process.counts.accepted > 300_000);
}
