//! A run over logs of its own or over Kafka's, what is appended to them, and what they hold.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use domain::{Decision, Timestamp};
use ports::{Log, RecordSink};
use storage::{EmbeddedConfig, EmbeddedLogs, KafkaConfig, KafkaSink, LogsBeside, ensure_topics};

use crate::common::process::Process;
use crate::common::{LOOK, Stored, Watched, policy, topic};

pub(crate) const PARTITIONS: u32 = 2;

/// Logs and state, and a run on them.
pub(crate) struct Installation {
    place: Place,
    /// For state, policy and what the run says.
    root: PathBuf,
    process: Option<Process>,
    /// Where the run's events go in.
    input: Option<Input>,
}

/// Where the logs are.
enum Place {
    /// In the installation's folder.
    Own,
    Kafka(Box<KafkaConfig>),
}

enum Input {
    Pipe(File),
    Topics(Box<KafkaSink>),
}

/// How often logs are opened until nobody else has them.
const OPENINGS_MAX: usize = 100;

impl Installation {
    /// Over logs of its own.
    pub(crate) fn of_its_own(root: &Path) -> Self {
        Self { place: Place::Own, root: root.to_owned(), process: None, input: None }
    }

    /// Over topics of a broker.
    pub(crate) fn over_kafka(config: &KafkaConfig, topic_prefix: &str, root: &Path) -> Self {
        std::fs::create_dir(root).unwrap();
        let config = KafkaConfig { topic_prefix: topic_prefix.to_owned(), ..config.clone() };
        Self { place: Place::Kafka(Box::new(config)), root: root.to_owned(), process: None, input: None }
    }

    /// The options that say where logs and state are.
    pub(crate) fn options(&self) -> Vec<String> {
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        match &self.place {
            Place::Own => vec!["--data".to_owned(), path(self.root.clone())],
            Place::Kafka(config) => {
                let options = ["--kafka", &config.bootstrap, "--topic-prefix", &config.topic_prefix, "--state"];
                options.map(str::to_owned).into_iter().chain([path(self.root.join("state"))]).collect()
            }
        }
    }

    /// Appends registry lines, before anything runs; to logs of its own as if it were another time.
    pub(crate) fn register(&self, at: Timestamp, lines: &[String]) {
        match &self.place {
            Place::Own => self.append_at(at, Log::Registry, lines),
            Place::Kafka(config) => {
                ensure_topics(config, &Log::ALL).unwrap();
                let mut sink = KafkaSink::open(config).unwrap();
                lines.iter().for_each(|line| sink.append(Log::Registry, "", line.as_bytes()).unwrap());
                sink.flush().unwrap();
            }
        }
    }

    /// Appends lines to logs of its own as if it were another time, before anything runs.
    pub(crate) fn append_at(&self, at: Timestamp, log: Log, lines: &[String]) {
        let config = EmbeddedConfig { partitions: PARTITIONS, ..EmbeddedConfig::default() };
        // A process that another test is just starting may hold the lock of the last opening for a moment.
        let open = || EmbeddedLogs::open(&self.logs(), &config, Arc::new(move || at));
        let logs = std::iter::repeat_with(open).take(OPENINGS_MAX).find_map(|opened| {
            std::thread::sleep(LOOK);
            opened.ok()
        });
        let logs = logs.expect("nobody else has the logs").logs;
        let mut sink = logs.sink();
        for line in lines {
            sink.append(log, &subject_of(line), line.as_bytes()).unwrap();
        }
        sink.flush().unwrap();
    }

    /// Starts the run.
    pub(crate) fn run(&mut self) {
        let file = self.root.join("policy.toml");
        std::fs::write(&file, policy()).unwrap();
        let mut arguments = self.options();
        let (partitions, file) = (PARTITIONS.to_string(), file.to_str().unwrap());
        arguments.extend(["--partitions", &partitions, "--policy", file].map(str::to_owned));
        let pipe = self.root.join("events");
        if matches!(self.place, Place::Own) {
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            arguments.extend(["--source", pipe.to_str().unwrap()].map(str::to_owned));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.process =
            Some(Process::start(Command::new(env!("CARGO_BIN_EXE_badgewatch")), &arguments, &self.root.join("run.log"), &[]));
        self.input = Some(match &self.place {
            // Both ways, so that it doesn't wait for a reader that may have ended.
            Place::Own => Input::Pipe(OpenOptions::new().read(true).write(true).open(&pipe).unwrap()),
            Place::Kafka(config) => Input::Topics(Box::new(KafkaSink::open(config).unwrap())),
        });
    }

    /// Events, to be appended where their subjects belong.
    pub(crate) fn send(&mut self, lines: &[String]) {
        match self.input.as_mut().unwrap() {
            Input::Pipe(pipe) => lines.iter().for_each(|line| writeln!(pipe, "{line}").unwrap()),
            Input::Topics(sink) => {
                lines.iter().for_each(|line| sink.append(Log::Health, &subject_of(line), line.as_bytes()).unwrap());
                sink.flush().unwrap();
            }
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    /// SIGTERM; yields the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.process.take().unwrap().stop()
    }

    /// Waits for a decision.
    pub(crate) fn wait_for(&mut self, what: &str, is_it: impl Fn(&Decision) -> bool) {
        self.wait(what, |installation| {
            let issued = [Log::Decisions, Log::Programme].into_iter().flat_map(|log| installation.read(log));
            issued.into_iter().any(|record| is_it(&wire::decision::parse(&record.payload).unwrap())).then_some(())
        });
    }

    /// Waits until so many records that name a product are appended to `health`.
    pub(crate) fn wait_for_lines(&mut self, asin: &str, lines: usize) {
        let names = |record: &&Stored| String::from_utf8_lossy(&record.payload).contains(asin);
        self.wait(asin, |installation| (installation.read(Log::Health).iter().filter(names).count() >= lines).then_some(()));
    }

    /// Everything that a log holds, read beside whoever uses it.
    pub(crate) fn read(&self, log: Log) -> Vec<Stored> {
        if let Place::Kafka(config) = &self.place {
            return topic(config, log);
        }
        let (logs, mut found) = (LogsBeside::open(&self.logs()).unwrap(), Vec::new());
        for partition in 0..logs.partitions(log) {
            let mut keep = |record: ports::Record<'_>| {
                found.push(Stored::of(&record));
                ControlFlow::Continue(())
            };
            logs.read((log, partition), 0, &mut keep).unwrap();
        }
        found
    }

    fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }
}

impl Watched for Installation {
    fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    fn seen(&self) -> String {
        let t = self.process.as_ref().and_then(|process| process.metric("badgewatch_watermark_timestamp_seconds"));
        format!("T is {t:?}")
    }
}

/// The key of a line: its subject, if it is about one.
fn subject_of(line: &str) -> String {
    wire::event::parse(line.as_bytes()).map(|parsed| parsed.event().subject.to_string()).unwrap_or_default()
}
