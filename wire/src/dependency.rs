//! Records of `dependencies`: the health of skills and hubs as their owners see it, for the products that
//! depend on them, and how far each owner has got.
//!
//! Health comes whole per subject, region and page: a later record replaces an earlier one of its key, so
//! the log may be compacted. A page is short enough that a subject that changes its state every second makes
//! records of a quarter of a megabyte; brokers take one. An owner appends its health and its watermarks to one partition, in this order:
//! whoever has read a watermark has read all that it vouches for. Compaction may have removed some of that for
//! the sake of a later record, so whoever begins to read trusts no watermark before having read to where the
//! log ended then.

use domain::page::PageNo;
use domain::time::MINUTE_MS;
use domain::{DurationMs, Interval, IntervalSet, Region, Subject, SubjectKind, SubjectRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json;

/// The form that is written and understood.
const FORM: u64 = 1;
const WHAT: &str = "dependency record";

/// A record of `dependencies`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DependencyRecord {
    /// A skill's or hub's health.
    Health(DependencyHealth),
    /// How far an owner has got.
    Watermark(DependencyWatermark),
}

/// The health of a skill or hub in a region in one page of time, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DependencyHealth {
    /// A skill or a hub, never a product.
    pub subject: Subject,
    /// Where.
    pub region: Region,
    /// Which stretch of time.
    pub page: PageNo,
    /// Grows with each record of the same subject, region and page: of several the greatest holds.
    pub revision: u64,
    /// The down minutes of the page (R3), whole.
    pub minutes: IntervalSet,
    /// What states say (R4), once for each `state_ttl` that a policy version has.
    pub states: Vec<StateDowntime>,
}

/// Downtime by explicit states, for one `state_ttl`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateDowntime {
    /// How long a state holds at most; `None` = for ever.
    pub state_ttl: Option<DurationMs>,
    /// The stretches of `down` or `maintenance` that begin in the page, whole: they may reach beyond it; one
    /// without an end reaches to [`Timestamp::MAX`].
    pub down: IntervalSet,
}

/// Everything that a health partition's records say of its skills and hubs, those appended up to an instant,
/// is in this partition of the log before this record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DependencyWatermark {
    /// The health partition.
    pub partition: u32,
    /// The append time up to which it was read.
    pub at: Timestamp,
    /// How far its owner has decided, if it has.
    pub decided: Option<Decided>,
    /// What skills and hubs did before this instant no product of the partition looks at any more (R24), nor
    /// would after a restart; none where that isn't known.
    pub needs_from: Option<Timestamp>,
}

/// How far an owner has decided: all of its decisions up to an instant are published, the last of them with
/// this number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decided {
    /// Its T (R23).
    pub at: Timestamp,
    /// The number of its last decision; 0 before the first.
    pub seq: u64,
}

impl DependencyRecord {
    /// The record's key in the log: `skill:<id>/<region>/<page>` or `watermark/<partition>`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Health(health) => format!("{}/{}/{}", health.subject, health.region, health.page.get()),
            Self::Watermark(watermark) => format!("watermark/{}", watermark.partition),
        }
    }
}

/// A record as it is stored. Equal records are equal byte for byte.
#[must_use]
pub fn write(record: &DependencyRecord) -> Vec<u8> {
    let mut out = Vec::new();
    json::write(&RecordView::from(record), &mut out);
    out
}

/// Reads a record that [`write()`] has written.
///
/// # Errors
/// [`Error::Form`] for a form that isn't understood, [`Error::Json`] for anything else that isn't what
/// these types promise.
pub fn read(record: &[u8]) -> Result<DependencyRecord, Error> {
    json::check_form(WHAT, FORM, record)?;
    json::read::<RecordView>(WHAT, record)?.try_into().map_err(|problem: String| {
        let source = <serde_json::Error as serde::de::Error>::custom(problem);
        Error::Json { what: WHAT, source }
    })
}

/// What a record says, as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum RecordBody {
    Dependency(HealthView),
    Watermark(WatermarkView),
}

/// A record as JSON has it.
#[derive(Serialize, Deserialize)]
struct RecordView {
    v: u64,
    #[serde(flatten)]
    body: RecordBody,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HealthView {
    subject: String,
    region: String,
    page: u32,
    revision: u64,
    minutes: Vec<(i64, i64)>,
    states: Vec<StatesView>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatesView {
    #[serde(deserialize_with = "Option::deserialize")]
    state_ttl: Option<i64>,
    down: Vec<(i64, i64)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WatermarkView {
    partition: u32,
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decided: Option<DecidedView>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needs_from: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DecidedView {
    at: i64,
    seq: u64,
}

impl From<&DependencyRecord> for RecordView {
    fn from(record: &DependencyRecord) -> Self {
        let pairs = |set: &IntervalSet| set.iter().map(|interval| (interval.from.ms(), interval.to.ms())).collect();
        let body = match record {
            DependencyRecord::Health(health) => RecordBody::Dependency(HealthView {
                subject: health.subject.to_string(),
                region: health.region.to_string(),
                page: health.page.get(),
                revision: health.revision,
                minutes: pairs(&health.minutes),
                states: health
                    .states
                    .iter()
                    .map(|states| StatesView { state_ttl: states.state_ttl.map(DurationMs::ms), down: pairs(&states.down) })
                    .collect(),
            }),
            DependencyRecord::Watermark(DependencyWatermark { partition, at, decided, needs_from }) => {
                let decided = decided.map(|decided| DecidedView { at: decided.at.ms(), seq: decided.seq });
                let needs_from = needs_from.map(Timestamp::ms);
                RecordBody::Watermark(WatermarkView { partition: *partition, at: at.ms(), decided, needs_from })
            }
        };
        Self { v: FORM, body }
    }
}

impl TryFrom<RecordView> for DependencyRecord {
    type Error = String;

    fn try_from(view: RecordView) -> Result<Self, String> {
        match view.body {
            RecordBody::Dependency(view) => view.try_into().map(Self::Health),
            RecordBody::Watermark(view) => view.try_into().map(Self::Watermark),
        }
    }
}

impl TryFrom<WatermarkView> for DependencyWatermark {
    type Error = String;

    fn try_from(view: WatermarkView) -> Result<Self, String> {
        let decided =
            view.decided.map(|decided| Ok::<_, String>(Decided { at: instant("decided.at", decided.at)?, seq: decided.seq }));
        Ok(Self {
            partition: view.partition,
            at: instant("at", view.at)?,
            decided: decided.transpose()?,
            needs_from: view.needs_from.map(|ms| instant("needs_from", ms)).transpose()?,
        })
    }
}

impl TryFrom<HealthView> for DependencyHealth {
    type Error = String;

    fn try_from(view: HealthView) -> Result<Self, String> {
        let subject = SubjectRef::parse(&view.subject).filter(|subject| subject.kind != SubjectKind::Product);
        let subject = subject.ok_or_else(|| wrong("subject", &view.subject, "skill:<id> or hub:<ASIN>"))?;
        let region = Region::parse(&view.region).ok_or_else(|| wrong("region", &view.region, "NA, EU or FE"))?;
        let page = PageNo::new(view.page);
        if page > PageNo::of(Timestamp::MAX) {
            return Err(wrong("page", &view.page.to_string(), "a page from 1970 to 9999"));
        }
        let time = page.interval();
        let minutes = intervals("minutes", &view.minutes)?;
        let whole = |at: Timestamp| at.ms() % MINUTE_MS == 0 || at == Timestamp::MAX;
        if minutes.iter().any(|part| part.intersect(time) != *part || !whole(part.from) || !whole(part.to)) {
            return Err(format!("minutes are not all whole minutes of page {}", view.page));
        }
        let mut states: Vec<StateDowntime> = Vec::with_capacity(view.states.len());
        for StatesView { state_ttl, down } in &view.states {
            let (state_ttl, down) = (ttl(*state_ttl)?, intervals("down", down)?);
            if down.iter().any(|stretch| !time.contains(stretch.from)) {
                return Err(format!("a stretch of down doesn't begin in page {}", view.page));
            }
            if states.iter().any(|known| known.state_ttl == state_ttl) {
                return Err("a state_ttl comes twice".to_owned());
            }
            states.push(StateDowntime { state_ttl, down });
        }
        Ok(Self { subject: subject.to_owned(), region, page, revision: view.revision, minutes, states })
    }
}

fn instant(name: &str, ms: i64) -> Result<Timestamp, String> {
    Timestamp::from_ms(ms).ok_or_else(|| wrong(name, &ms.to_string(), "epoch milliseconds from 1970 to 9999"))
}

fn ttl(ms: Option<i64>) -> Result<Option<DurationMs>, String> {
    match ms {
        Some(ms) if ms < 0 => Err(wrong("state_ttl", &ms.to_string(), "milliseconds, or null for \"none\"")),
        ms => Ok(ms.map(DurationMs)),
    }
}

/// A set as it was written: in order, none empty, none touching.
fn intervals(name: &str, pairs: &[(i64, i64)]) -> Result<IntervalSet, String> {
    let mut set = IntervalSet::new();
    let mut last: Option<Timestamp> = None;
    for &(from, to) in pairs {
        let next = Interval::new(instant(name, from)?, instant(name, to)?);
        if next.is_empty() || last.is_some_and(|last| next.from <= last) {
            let expected = "intervals in order of time, none empty and no two touching";
            return Err(wrong(name, &format!("[{from},{to}]"), expected));
        }
        last = Some(next.to);
        set.push(next);
    }
    Ok(set)
}

fn wrong(name: &str, found: &str, expected: &str) -> String {
    format!("{name} has {:?}; expected {expected}", crate::error::shorten(found))
}

#[cfg(test)]
mod tests;
