//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::{Asin, Interval, Timestamp};

mod asked;
mod registry;
mod rehearse;
mod rejected;

pub(crate) use asked::{
    Asked, DisputeCommand, DisputeOptions, ExclusionCommand, ExclusionOptions, KillSwitchCommand, KillSwitchOptions, OpenDispute,
    OutageCommand, OutageOptions, ProposalCommand, ProposalOptions, RequestExclusion,
};
pub(crate) use registry::{Applying, History, Import, InputFormat, RegistryCommand, RegistryPlace, Show, Shown};
pub(crate) use rehearse::Rehearse;
pub(crate) use rejected::{ListRejected, RejectedCommand, RejectedFilters, RejectedFrom, ReplayRejected, ShowRejected};

/// Watches the availability of badged smart-home products and decides, exactly and explainably,
/// which keep their badge.
#[derive(Debug, Parser)]
#[command(name = "badgewatch", version, propagate_version = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A year of a small fleet, run through the pipeline: standings, and the story of decisions.
    Demo(Demo),
    /// Standings and decisions implied by files of registry lines and events at an instant.
    Evaluate(Evaluate),
    /// Why one product stands as it does, or stood at a past instant: what was issued, what is implied now, and
    /// what may come.
    Explain(Explain),
    /// The main job: events in, standings and decisions out, over Kafka or files.
    Run(Box<Run>),
    /// A copy of everything that a run decided and rests on, while it goes on: registry, decisions and state, to a
    /// new directory.
    Backup(Backup),
    /// What `backup` copied, into empty logs and an empty state.
    Restore(Restore),
    /// A realistic fleet from a seed: registry and events, to files, stdout or Kafka.
    Generate(Generate),
    /// Checks policy files, or shows what a policy says.
    Policy(PolicyOptions),
    /// What a run would have issued, and when, over registry lines and events in files: late evidence, settling,
    /// commands and all.
    Rehearse(Rehearse),
    /// Lines that don't count: which and why, and replaying them, as they were or repaired.
    Rejected(rejected::RejectedOptions),
    /// The programme's registry: what is certified, badged, excused and disputed, and how it got there.
    Registry(Box<registry::RegistryOptions>),
    /// Exclusions: downtime that is excused.
    Exclusion(Box<ExclusionOptions>),
    /// Disputes: outages that a manufacturer doesn't accept.
    Dispute(Box<DisputeOptions>),
    /// Proposals of removals, while people decide.
    Proposal(Box<ProposalOptions>),
    /// Critical outages.
    Outage(Box<OutageOptions>),
    /// The kill switch: whether removals are enforced.
    KillSwitch(Box<KillSwitchOptions>),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The contract's JSON.
    Json,
    /// Tables for people.
    Table,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Seed of the fleet.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Preset or policy file.
    #[arg(long, default_value = "wwa-2024")]
    pub(crate) policy: String,
    /// Also writes policy, registry and events here, to look further with `evaluate`.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

/// Options of `evaluate`.
#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// Preset (wwa-2024, wwa-2026, wwa) or policy file.
    #[arg(long)]
    pub(crate) policy: String,
    /// Registry lines (NDJSON); `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(crate) registry: PathBuf,
    /// Event lines (NDJSON); `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: PathBuf,
    /// T: RFC 3339, or epoch milliseconds.
    #[arg(long, value_parser = instant)]
    pub(crate) at: Timestamp,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(crate) format: Format,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The product.
    #[arg(value_name = "ASIN", value_parser = asin)]
    pub(crate) asin: Asin,
    /// The instant to explain: RFC 3339, or epoch milliseconds. Default: the end of what is known.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    pub(crate) at: Option<Timestamp>,
    /// Further downtime to assume, from the explained instant on: what would it do?
    #[arg(long, value_parser = stretch, value_name = "FROM..TO")]
    pub(crate) what_if: Option<Interval>,
    /// Preset (wwa-2024, wwa-2026, wwa) or policy file.
    #[arg(long, default_value = "wwa-2024", env = "BADGEWATCH_POLICY")]
    pub(crate) policy: String,
    /// Registry lines (NDJSON) instead of Kafka; `-` is stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "kafka", required_unless_present = "kafka", requires = "events")]
    pub(crate) registry: Option<PathBuf>,
    /// Event lines (NDJSON): with --registry; `-` is stdin.
    #[arg(long, value_name = "FILE", requires = "registry")]
    pub(crate) events: Option<PathBuf>,
    /// Issued decisions, as `run` writes them: with --registry; `-` is stdin. Without them only what is implied is told.
    #[arg(long, value_name = "FILE", requires = "registry")]
    pub(crate) decisions: Option<PathBuf>,
    /// The broker and its topics: registry, health, decisions and programme are read to their ends.
    #[command(flatten)]
    pub(crate) broker: Broker,
    /// How the explanation is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Preset (wwa-2024, wwa-2026, wwa) or policy file.
    #[arg(long, default_value = "wwa-2024", env = "BADGEWATCH_POLICY")]
    pub(crate) policy: String,
    /// Processes what is there when it starts, decides everything up to this instant, and exits.
    #[arg(long, value_parser = instant, value_name = "T")]
    pub(crate) until: Option<Timestamp>,
    /// Events from a file instead of Kafka; `-` is stdin. Without --until the run ends with the file; with --data
    /// its lines are appended to the logs there, each time that it is given, and the run goes on.
    #[arg(long, value_name = "FILE", conflicts_with = "kafka", required_unless_present_any = ["kafka", "data"])]
    pub(crate) source: Option<PathBuf>,
    /// Registry lines from a file: with --source, or with --data.
    #[arg(long, value_name = "FILE", conflicts_with = "kafka")]
    pub(crate) registry: Option<PathBuf>,
    /// A run that goes on over logs of its own in this directory, with nothing else installed: one process.
    #[arg(long, value_name = "DIR", env = "BADGEWATCH_DATA", conflicts_with_all = ["kafka", "until"])]
    pub(crate) data: Option<PathBuf>,
    /// Decisions to a file; `-` is stdout.
    #[arg(long, value_name = "FILE", requires = "source", conflicts_with = "data", default_value = "-")]
    pub(crate) decisions: PathBuf,
    /// Standings to a file; `-` is stdout. Without it they are dropped.
    #[arg(long, value_name = "FILE", requires = "source", conflicts_with = "data")]
    pub(crate) standings: Option<PathBuf>,
    /// Rejected lines, with reason and position, to a file; `-` is stdout. Without it stderr says how many there were.
    #[arg(long, value_name = "FILE", requires = "source", conflicts_with = "data")]
    pub(crate) rejected: Option<PathBuf>,
    /// The broker and its topics.
    #[command(flatten)]
    pub(crate) kafka: Kafka,
    /// Where a run that goes on keeps its checkpoints and its journal: a directory, or `s3://bucket/prefix` with the
    /// environment's `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`. All processes of
    /// a group are given the same. With --data: `DIR/state` if not given.
    #[arg(long, value_name = "DIR|URL", env = "BADGEWATCH_STATE", conflicts_with = "until")]
    pub(crate) state: Option<String>,
    /// A name of this process's own in the group, which outlives it: if it is back within its session, nobody else
    /// gets its partitions meanwhile.
    #[arg(long, value_name = "NAME", env = "BADGEWATCH_GROUP_INSTANCE", requires = "kafka", conflicts_with = "until")]
    pub(crate) group_instance: Option<String>,
    /// How long without a sign of life until the group takes this process for dead, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(3..=1800))]
    pub(crate) group_session: u64,
    /// Serves /metrics, /healthz and /readyz here. Without it, over Kafka: 127.0.0.1:9464; over files: nowhere.
    #[arg(long, value_name = "ADDR:PORT", env = "BADGEWATCH_HTTP")]
    pub(crate) http: Option<SocketAddr>,
    /// How the log on stderr is written; what is logged: `RUST_LOG`, default `info`.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

/// Options of `backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The broker and its topics.
    #[command(flatten)]
    pub(crate) broker: Broker,
    /// The directory of a run over logs of its own.
    #[arg(long, value_name = "DIR", env = "BADGEWATCH_DATA", conflicts_with = "kafka", required_unless_present = "kafka")]
    pub(crate) data: Option<PathBuf>,
    /// The run's state: a directory, or `s3://bucket/prefix`. With --data: `DIR/state` if not given.
    #[arg(long, value_name = "DIR|URL", env = "BADGEWATCH_STATE", required_unless_present = "data")]
    pub(crate) state: Option<String>,
    /// A new directory for the copy.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// Options of `restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The directory that `backup` wrote.
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// The broker and its topics, which are created; those that are there must be empty.
    #[command(flatten)]
    pub(crate) broker: Broker,
    /// The directory of a run over logs of its own, with none in it yet.
    #[arg(long, value_name = "DIR", env = "BADGEWATCH_DATA", conflicts_with = "kafka", required_unless_present = "kafka")]
    pub(crate) data: Option<PathBuf>,
    /// An empty place for the state: a directory, or `s3://bucket/prefix`. With --data: `DIR/state` if not given.
    #[arg(long, value_name = "DIR|URL", env = "BADGEWATCH_STATE", required_unless_present = "data")]
    pub(crate) state: Option<String>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Where Kafka is, what its topics are called, and how those that are missing are created.
#[derive(Debug, Args)]
pub(crate) struct Kafka {
    /// The broker.
    #[command(flatten)]
    pub(crate) broker: Broker,
    /// Partitions of logs that are created. Default: 64 on Kafka, 4 with `run --data`.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) partitions: Option<u32>,
}

/// Where Kafka is and what its topics are called.
#[derive(Debug, Args)]
pub(crate) struct Broker {
    /// Bootstrap brokers, `host:port[,host:port…]`.
    #[arg(long, value_name = "BROKERS")]
    pub(crate) kafka: Option<String>,
    /// What topics' names begin with: `<prefix>health`, `<prefix>registry`, `<prefix>decisions`, …
    #[arg(long, default_value = "badgewatch.", env = "BADGEWATCH_TOPIC_PREFIX")]
    pub(crate) topic_prefix: String,
    /// Properties of the Kafka client (librdkafka's): a file of lines KEY=VALUE, `#` begins a comment. A value
    /// `env:NAME` is that variable's of the environment, `file:PATH` that file's content.
    #[arg(long, value_name = "FILE", env = "BADGEWATCH_KAFKA_CONFIG")]
    pub(crate) kafka_config: Option<PathBuf>,
    /// A property of the Kafka client, e.g. `security.protocol=SSL`, instead of the file's; may be repeated. No
    /// secrets: `sasl.password` and the like stand in the file, or are given as `env:NAME` or `file:PATH`.
    #[arg(long = "kafka-property", value_name = "KEY=VALUE", value_parser = property)]
    pub(crate) properties: Vec<(String, String)>,
}

/// Options of `generate`.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// Seed: the same options give the same bytes.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Products; the first ones play fixed parts.
    #[arg(long, default_value_t = 100)]
    pub(crate) products: u32,
    /// Manufacturers. Default: a quarter of the products.
    #[arg(long)]
    pub(crate) manufacturers: Option<u32>,
    /// First day of the period.
    #[arg(long, default_value = "2025-01-01T00:00:00Z", value_parser = instant)]
    pub(crate) from: Timestamp,
    /// Days of the period.
    #[arg(long, default_value_t = 365)]
    pub(crate) days: u32,
    /// Event lines to aim at.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) events: u64,
    /// Share of late events, e.g. 5%.
    #[arg(long, default_value = "5%", value_parser = share)]
    pub(crate) late: domain::Ppm,
    /// Latest that late events arrive, in days.
    #[arg(long, default_value_t = 30)]
    pub(crate) late_days_max: u32,
    /// Share of duplicates.
    #[arg(long, default_value = "1%", value_parser = share)]
    pub(crate) duplicates: domain::Ppm,
    /// Share of malformed lines.
    #[arg(long, default_value = "0.05%", value_parser = share)]
    pub(crate) malformed: domain::Ppm,
    /// Registry lines to a file; not with --kafka.
    #[arg(long, value_name = "FILE", required_unless_present = "kafka", conflicts_with = "kafka")]
    pub(crate) registry_out: Option<PathBuf>,
    /// Event lines to a file; `-` is stdout. Not with --kafka.
    #[arg(long, value_name = "FILE", required_unless_present = "kafka", conflicts_with = "kafka")]
    pub(crate) events_out: Option<PathBuf>,
    /// The broker and its topics: registry and events go there instead.
    #[command(flatten)]
    pub(crate) kafka: Kafka,
    /// How events are partitioned: as badgewatch's contract says, or as librdkafka does if not told.
    #[arg(long, value_enum, default_value_t = Partitioner::Murmur2, requires = "kafka")]
    pub(crate) partitioner: Partitioner,
    /// Only every N-th event line, beginning with the I-th, so that N runs make up the whole; over Kafka the
    /// registry comes with part 1.
    #[arg(long, value_name = "I/N", default_value = "1/1", value_parser = part)]
    pub(crate) part: Part,
    /// Events a second. Default: as fast as possible.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
}

/// How a producer chooses a key's partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Partitioner {
    /// As Kafka's Java client does.
    Murmur2,
    /// As librdkafka does if not told, so that most events arrive at another partition than their owner's.
    Consistent,
}

/// One of several parts of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Which one, from 1 to `of`.
    pub(crate) number: u64,
    /// How many there are.
    pub(crate) of: u64,
}

impl Part {
    /// Whether a line, counted from 0, is in the part.
    pub(crate) const fn holds(self, line: u64) -> bool {
        line % self.of == self.number - 1
    }
}

/// A part, `I/N`.
fn part(text: &str) -> Result<Part, String> {
    let parts = text.split_once('/').and_then(|(number, of)| Some(Part { number: number.parse().ok()?, of: of.parse().ok()? }));
    let part = parts.filter(|part| (1..=part.of).contains(&part.number));
    part.ok_or_else(|| "expected I/N with I from 1 to N, e.g. 1/2 for the first of two parts".to_owned())
}

/// Options of `policy`.
#[derive(Debug, Args)]
pub(crate) struct PolicyOptions {
    /// What to do with policies.
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

/// What to do with policies.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Checks files: one line a version, or what is wrong where.
    Check {
        /// Policy files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Shows a policy's versions with every default filled in.
    Show {
        /// Preset (wwa-2024, wwa-2026, wwa) or policy file.
        #[arg(value_name = "NAME|FILE")]
        policy: String,
        /// Only the version in force then: RFC 3339, or epoch milliseconds.
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        at: Option<Timestamp>,
        /// How it is shown.
        #[arg(long, value_enum, default_value_t = PolicyFormat::Toml)]
        format: PolicyFormat,
    },
}

/// How policies are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyFormat {
    /// A policy file that says the same.
    Toml,
    /// Tables for people: what each number means.
    Table,
}

/// An instant in RFC 3339 or epoch milliseconds.
fn instant(text: &str) -> Result<Timestamp, String> {
    let ms = text.parse::<i64>().ok().and_then(Timestamp::from_ms);
    ms.or_else(|| Timestamp::parse_rfc3339(text))
        .ok_or_else(|| "expected RFC 3339, e.g. 2026-11-01T00:00:00Z, or epoch milliseconds".to_owned())
}

/// A stretch of time, `FROM..TO`.
fn stretch(text: &str) -> Result<Interval, String> {
    let (from, to) = text.split_once("..").ok_or("expected FROM..TO, e.g. 2026-11-01T00:00:00Z..2026-11-01T06:00:00Z")?;
    let stretch = Interval::new(instant(from)?, instant(to)?);
    if stretch.is_empty() { Err("expected FROM..TO with TO after FROM".to_owned()) } else { Ok(stretch) }
}

fn asin(text: &str) -> Result<Asin, String> {
    Asin::new(text).ok_or_else(|| "expected an ASIN as registry lines write it, e.g. B000000001".to_owned())
}

/// A percentage with at most four decimals, as policies write them.
fn share(text: &str) -> Result<domain::Ppm, String> {
    wire::policy::parse_percentage(text).ok_or_else(|| "expected a percentage, e.g. 5% or 0.05%".to_owned())
}

fn property(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, e.g. security.protocol=SSL")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Part, part};

    #[test]
    fn parts_make_up_the_whole() {
        let check = |text: &str, expected: &[u64]| {
            let part = part(text).unwrap();
            assert_eq!((0..6).filter(|&line| part.holds(line)).collect::<Vec<_>>(), expected, "{text}");
        };
        check("1/1", &[0, 1, 2, 3, 4, 5]);
        check("1/2", &[0, 2, 4]);
        check("2/2", &[1, 3, 5]);
        check("3/4", &[2]);
        assert_eq!(part("2/3"), Ok(Part { number: 2, of: 3 }));
        for wrong in ["", "1", "0/2", "3/2", "1/0", "-1/2", "a/b", "1/2/3"] {
            assert!(part(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn stretches_go_forward() {
        let read = |text: &str| super::stretch(text).map(|stretch| (stretch.from.ms(), stretch.to.ms()));
        assert_eq!(read("1000..2026-01-01T00:00:00Z"), Ok((1_000, 1_767_225_600_000)));
        for wrong in ["", "1000", "1000..", "1000..1000", "2000..1000", "a..b"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
