//! What is to be worked off: the last hours of a big fleet, as they arrive.

use anyhow::Context;
use domain::time::HOUR_MS;
use domain::{DurationMs, Timestamp};
use loadtest::fleet::{Fleet, FleetConfig};
use ports::{Log, RecordSink};
use storage::{KafkaConfig, KafkaSink, ensure_topics};

/// How long the backlog took to come in. Brokers date all of it now, so a longer one would be of pages that are out of
/// memory by then, as no backlog of a run that keeps up is.
const PERIOD: DurationMs = DurationMs(6 * HOUR_MS);
/// Days that the fleet lives through: the period is in the last two of them, late events come from the others, too.
const DAYS: u32 = 3;

/// A fleet and its events, one after the other.
pub(crate) struct Backlog {
    fleet: Fleet,
    bytes: Vec<u8>,
    events: Vec<Sizes>,
}

/// How long a record's key and content are.
struct Sizes {
    key: usize,
    line: usize,
}

impl Backlog {
    /// So many events, about, that end now.
    pub(crate) fn generate(products: u32, events: u64, now: Timestamp) -> anyhow::Result<Self> {
        let from = now.floor_day().saturating_sub(DurationMs::days(i64::from(DAYS) - 1));
        let whole = events * u64::try_from(DurationMs::days(i64::from(DAYS)).ms() / PERIOD.ms())?;
        let config = FleetConfig { products, has_cast: false, from, days: DAYS, events: whole, ..FleetConfig::default() };
        let fleet = Fleet::new(&config).context("cannot plan the fleet")?;
        let (mut lines, mut line) = (fleet.lines(), Vec::new());
        let (mut bytes, mut kept) = (Vec::new(), Vec::new());
        let since = now.saturating_sub(PERIOD);
        while let Some(head) = lines.next_into(&mut line) {
            if head.sent_at > now {
                break;
            }
            if head.sent_at > since {
                bytes.extend_from_slice(head.key.as_bytes());
                bytes.extend_from_slice(&line);
                kept.push(Sizes { key: head.key.len(), line: line.len() });
            }
            line.clear();
        }
        drop(lines);
        Ok(Self { fleet, bytes, events: kept })
    }

    /// How many events there are.
    pub(crate) const fn len(&self) -> usize {
        self.events.len()
    }

    /// Fills topics with the fleet's registry and the first of its events.
    pub(crate) fn fill(&self, config: &KafkaConfig, events: usize) -> anyhow::Result<()> {
        ensure_topics(config, &Log::ALL).context("cannot create the topics")?;
        let mut sink = KafkaSink::open(config)?;
        let mut line = Vec::new();
        for fact in self.fleet.facts() {
            line.clear();
            wire::fact::write(&fact, &mut line);
            sink.append(Log::Registry, "", &line)?;
        }
        let mut rest = self.bytes.as_slice();
        for sizes in self.events.iter().take(events) {
            let (key, after) = rest.split_at(sizes.key);
            let (line, after) = after.split_at(sizes.line);
            sink.append(Log::Health, std::str::from_utf8(key)?, line)?;
            rest = after;
        }
        Ok(sink.flush()?)
    }
}
