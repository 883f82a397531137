//! Things that happen in the pipeline. Each knows what to log, at which level, and what to count.

use std::time::Duration;

use domain::decision::Decision;
use domain::rejection::{LineSource, RejectReason};
use domain::time::Timestamp;

use crate::counts::BatchCounts;
use crate::live::{Brake, Input};
use crate::metrics::Metrics;

/// Something that happened.
pub trait InternalEvent {
    /// Logs and counts it.
    fn emit(self, metrics: &Metrics);
}

/// A line didn't count. Counted with its batch, as it may happen on the hot path.
#[derive(Clone, Copy, Debug)]
pub struct LineRejected<'a> {
    /// Which input.
    pub source: LineSource,
    /// The record's partition.
    pub partition: u32,
    /// The record's offset.
    pub offset: u64,
    /// Why.
    pub reason: RejectReason,
    /// What was wrong, for people.
    pub detail: &'a str,
}

impl LineRejected<'_> {
    /// Logs it for those who look closely: a broken producer must not flood the log.
    pub fn emit(self, counts: &mut BatchCounts) {
        let Self { source, partition, offset, reason, detail } = self;
        counts.reject(source, reason);
        tracing::debug!(source = source.as_str(), partition, offset, reason = reason.as_str(), detail, "line rejected");
    }
}

/// An event arrived at another partition than its subject's and was appended again to that one. Counted
/// with its batch, as some producers do this to every event.
#[derive(Clone, Copy, Debug)]
pub struct EventRerouted {
    /// Where it arrived.
    pub partition: u32,
    /// The record's offset there.
    pub offset: u64,
    /// Whose it is.
    pub owner: u32,
}

impl EventRerouted {
    /// Logs it for those who look closely.
    pub fn emit(self, counts: &mut BatchCounts) {
        let Self { partition, offset, owner } = self;
        counts.rerouted += 1;
        tracing::debug!(partition, offset, owner, "event rerouted");
    }
}

/// A stretch of the registry's log was stored: the next start doesn't read it again.
#[derive(Clone, Copy, Debug)]
pub struct StretchStored {
    /// Its first offset.
    pub from: u64,
    /// The first offset behind it.
    pub to: u64,
    /// Records in it: ticks are left out.
    pub records: usize,
    /// Its length as it is stored.
    pub bytes: usize,
}

impl StretchStored {
    /// Logs it.
    pub fn emit(self) {
        let Self { from, to, records, bytes } = self;
        tracing::info!(from, to, records, bytes, "stretch of the registry stored");
    }
}

/// A stretch of the registry's log can't be read; the log is read instead.
#[derive(Clone, Copy, Debug)]
pub struct StretchUnreadable<'a> {
    /// Its first offset.
    pub from: u64,
    /// The first offset behind it.
    pub to: u64,
    /// What is wrong with it.
    pub problem: &'a str,
}

impl StretchUnreadable<'_> {
    /// Logs it.
    pub fn emit(self) {
        let Self { from, to, problem } = self;
        tracing::warn!(from, to, problem, "a stored stretch of the registry is passed over: the log is read instead");
    }
}

/// The registry's log was read to its end, from behind the stretches of it that are stored.
#[derive(Clone, Copy, Debug)]
pub struct RegistryRead {
    /// The first offset that was read.
    pub from: u64,
    /// Records read.
    pub records: u64,
}

impl RegistryRead {
    /// Logs it.
    pub fn emit(self) {
        tracing::info!(from = self.from, records = self.records, "registry's log read");
    }
}

/// The registry was read to its end.
#[derive(Clone, Copy, Debug)]
pub struct RegistryLoaded {
    /// Lines accepted.
    pub facts: u64,
    /// Lines rejected.
    pub rejected: u64,
}

impl InternalEvent for RegistryLoaded {
    fn emit(self, _metrics: &Metrics) {
        tracing::info!(facts = self.facts, rejected = self.rejected, "registry loaded");
    }
}

/// Everything that was in the source at the start has been processed.
#[derive(Clone, Copy, Debug)]
pub struct CaughtUp {
    /// Records processed since the start.
    pub records: u64,
    /// How long that took.
    pub took: Duration,
}

impl InternalEvent for CaughtUp {
    fn emit(self, metrics: &Metrics) {
        metrics.set_ready();
        tracing::info!(records = self.records, seconds = self.took.as_secs_f64(), "caught up with the source");
    }
}

/// What became of a partition in a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    /// The process owns it now.
    Owned {
        /// The first offset that it reads; from the beginning where there is no checkpoint.
        from: Option<u64>,
    },
    /// It was handed over, with all that was known of it.
    HandedOver,
    /// Somebody else took it over.
    Lost,
}

impl Move {
    /// Every label.
    pub const LABELS: [&str; 3] = ["owned", "handed_over", "lost"];

    /// Its label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owned { .. } => Self::LABELS[0],
            Self::HandedOver => Self::LABELS[1],
            Self::Lost => Self::LABELS[2],
        }
    }
}

/// A partition came to this process or left it.
#[derive(Clone, Copy, Debug)]
pub struct PartitionMoved {
    /// Which one.
    pub partition: u32,
    /// What became of it.
    pub what: Move,
}

impl InternalEvent for PartitionMoved {
    fn emit(self, metrics: &Metrics) {
        let Self { partition, what } = self;
        metrics.live.partition_moves.with_label_values(&[what.as_str()]).inc();
        match what {
            Move::Owned { from } => tracing::info!(partition, from, "partition owned"),
            Move::HandedOver => tracing::info!(partition, "partition handed over"),
            Move::Lost => tracing::warn!(partition, "partition lost to another process"),
        }
    }
}

/// Standings and decisions were brought up to an instant.
#[derive(Clone, Copy, Debug)]
pub struct Ticked {
    /// The instant.
    pub at: Timestamp,
    /// How long that took.
    pub took: Duration,
}

impl InternalEvent for Ticked {
    fn emit(self, metrics: &Metrics) {
        metrics.set_watermark(self.at);
        metrics.observe_tick(self.took.as_secs_f64());
        tracing::debug!(at = %self.at, seconds = self.took.as_secs_f64(), "standings are up to date");
    }
}

/// A decision was published.
#[derive(Clone, Copy, Debug)]
pub struct DecisionPublished<'a>(pub &'a Decision);

impl InternalEvent for DecisionPublished<'_> {
    fn emit(self, metrics: &Metrics) {
        let Decision { id, kind, asin, manufacturer, scope, at, .. } = self.0;
        metrics.count_decision(*kind);
        let asin = asin.as_ref().map(domain::id::Asin::as_str);
        tracing::info!(%id, kind = kind.as_str(), asin, %manufacturer, scope = scope.as_str(), %at, "decision published");
    }
}

/// Records were appended to an output log.
#[derive(Clone, Copy, Debug)]
pub struct Appended<'a> {
    /// The log's name.
    pub log: &'a str,
    /// How many.
    pub records: u64,
}

impl InternalEvent for Appended<'_> {
    fn emit(self, metrics: &Metrics) {
        metrics.count_appended(self.log, self.records);
    }
}

/// An input began to hold decisions back while others move on, or ended doing so (R23).
#[derive(Clone, Copy, Debug)]
pub struct InputStalled {
    /// Which one.
    pub input: Input,
    /// Up to when it is known.
    pub at: Timestamp,
    /// Whether it is stalled now.
    pub stalled: bool,
}

impl InternalEvent for InputStalled {
    fn emit(self, metrics: &Metrics) {
        let (input, at) = (self.input.as_str(), self.at);
        metrics.live.stalled_inputs.with_label_values(&[input]).set(i64::from(self.stalled));
        if self.stalled {
            tracing::warn!(input, %at, "an input holds decisions back");
        } else {
            tracing::info!(input, %at, "the input moves on");
        }
    }
}

/// A brake was put on or taken off (R25).
#[derive(Clone, Copy, Debug)]
pub struct BrakeChanged {
    /// Which one.
    pub brake: Brake,
    /// Whether it is on now.
    pub on: bool,
}

impl InternalEvent for BrakeChanged {
    fn emit(self, metrics: &Metrics) {
        let brake = self.brake.as_str();
        metrics.live.brakes.with_label_values(&[brake]).set(i64::from(self.on));
        if self.on {
            tracing::warn!(brake, "removals become proposals");
        } else {
            tracing::info!(brake, "removals are issued again");
        }
    }
}

/// A signal asked the process to end.
#[derive(Clone, Copy, Debug)]
pub struct StopRequested<'a> {
    /// Its name.
    pub signal: &'a str,
}

impl InternalEvent for StopRequested<'_> {
    fn emit(self, _metrics: &Metrics) {
        tracing::info!(signal = self.signal, "stopping");
    }
}

/// The pipeline ended because it can't go on.
#[derive(Clone, Copy, Debug)]
pub struct PipelineFailed<'a> {
    /// Why, with its causes.
    pub error: &'a (dyn std::error::Error + 'static),
}

impl InternalEvent for PipelineFailed<'_> {
    fn emit(self, _metrics: &Metrics) {
        tracing::error!(error = self.error, "the pipeline ended");
    }
}
