//! A whole process over logs and a store in memory, with a clock that the test sets; and what of it is
//! wrong by the auditor, who reads the same logs.

use std::collections::BTreeSet;
use std::rc::Rc;

use domain::{Decision, DecisionKind, Report, Timestamp};
use loadtest::auditor::{AuditInput, audit, differences};
use loadtest::record::{InForce, effective, said};
use loadtest::truth::{LogRecord, of_logs};
use loadtest::world::settled_after;
use pipeline::{Io, Node, Rules, Taken};
use ports::memory::StoredRecord;
use ports::{Log, MemoryLogs, MemoryReader, MemoryStore, RecordSink};
use telemetry::BatchCounts;

/// A process that owns every partition and the programme role.
pub(crate) struct Process {
    pub(crate) rules: Rc<Rules>,
    pub(crate) logs: MemoryLogs,
    pub(crate) store: MemoryStore,
    pub(crate) counts: BatchCounts,
    pub(crate) node: Node,
    /// Partitions of logs that stall: nothing of them is read.
    pub(crate) held: Vec<(Log, u32)>,
    registry: MemoryReader,
    dependencies: MemoryReader,
    health: MemoryReader,
}

impl Process {
    /// Opens the process on what its logs and its store hold.
    pub(crate) fn open(rules: &Rc<Rules>, mut logs: MemoryLogs, mut store: MemoryStore) -> Self {
        let owned: Vec<u32> = (0..rules.partitions).collect();
        let mut counts = BatchCounts::default();
        let [registry, dependencies, health] =
            [Log::Registry, Log::Dependencies, Log::Health].map(|log| logs.reader(log, 0..logs.partitions(log).expect("a log")));
        let io = &mut Io { sink: &mut logs, stores: &mut store, counts: &mut counts };
        let node = Node::open(rules, &owned, true, io).expect("a store in memory");
        let mut process =
            Self { rules: Rc::clone(rules), logs, store, counts, node, held: Vec::new(), registry, dependencies, health };
        process.read_tables();
        process
    }

    /// Appends a line to a log now, keyed as its producer would.
    pub(crate) fn append(&mut self, log: Log, key: &str, line: &[u8]) {
        self.logs.append(log, key, line).expect("logs in memory take all");
    }

    /// Lets time pass, with a tick in every log, and brings everything up to it. Yields what was issued.
    pub(crate) fn advance(&mut self, at: Timestamp) -> Vec<Decision> {
        self.logs.set_now(at);
        for partition in 0..self.rules.partitions {
            self.logs.append_to(Log::Health, partition, "", wire::tick::TICK).expect("logs in memory take all");
        }
        self.append(Log::Registry, "", wire::tick::TICK);
        let mut issued = self.tick();
        // What was just said of skills and hubs comes back.
        issued.extend(self.tick());
        assert!(!self.held.is_empty() || self.node.t() == Some(at), "nothing stalls");
        issued
    }

    fn tick(&mut self) -> Vec<Decision> {
        self.read_tables();
        let Self { logs, store, counts, node, health, rules, held, .. } = self;
        let io = &mut Io { sink: logs, stores: store, counts };
        for partition in (0..rules.partitions).filter(|&partition| !held.contains(&(Log::Health, partition))) {
            health.poll_partition(partition, usize::MAX, &mut |record| {
                assert_eq!(node.take_health(record, io).expect("logs in memory"), Taken::Done);
            });
        }
        node.tick(io).expect("logs in memory")
    }

    fn read_tables(&mut self) {
        let Self { logs, store, counts, node, held, registry, dependencies, .. } = self;
        let io = &mut Io { sink: logs, stores: store, counts };
        if !held.contains(&(Log::Registry, 0)) {
            registry.poll_partition(0, usize::MAX, &mut |record| node.take_registry(record, io).expect("logs in memory"));
        }
        node.settle_registry(io).expect("logs in memory");
        let is_read = |partition: &u32| !held.contains(&(Log::Dependencies, *partition));
        for partition in dependencies.assigned().iter().copied().filter(is_read).collect::<Vec<_>>() {
            dependencies.poll_partition(partition, usize::MAX, &mut |record| node.take_dependency(record).expect("an owner's"));
        }
    }

    /// Everything that was published of products and manufacturers.
    pub(crate) fn decisions(&self) -> Vec<Decision> {
        let records = [Log::Decisions, Log::Programme].into_iter().flat_map(|log| self.logs.records(log));
        records.map(|record| wire::decision::parse(&record.payload).expect("a decision")).collect()
    }

    /// Where what is told at T differs from what the auditor finds in the logs: every standing to the last
    /// number, and every decision in force that has settled; manufacturers, if nothing about them waits to.
    /// Nothing, if all is well. Standings move with time alone only once a day: T is to be a new day's first.
    pub(crate) fn faults(&self) -> Vec<String> {
        let at = self.node.t().expect("a process that has advanced");
        let mut truth = self.truth(at);
        let decisions = std::mem::take(&mut truth.decisions);
        truth.rejected.clear();
        let partitions = self.node.partitions().iter();
        let mut products: Vec<_> = partitions.flat_map(|partition| partition.standings().cloned()).collect();
        products.sort_by(|a, b| (&a.asin, a.scope).cmp(&(&b.asin, b.scope)));
        let settled = at.saturating_sub(settled_after(&self.rules.policies));
        let concerns = |kind| matches!(kind, DecisionKind::BadgeRemoval | DecisionKind::Reinstatement);
        if decisions.iter().any(|decision| decision.at > settled && concerns(decision.kind)) {
            truth.manufacturers = self.node.programme().expect("it has the role").standings().to_vec();
        }
        let manufacturers = self.node.programme().expect("it has the role").standings().to_vec();
        let told = Report { at, products, manufacturers, decisions: Vec::new(), rejected: Vec::new() };
        let mut faults = differences(&told, &truth);
        faults.extend(self.enforcement(&decisions, settled));
        faults
    }

    fn enforcement(&self, implied: &[Decision], settled: Timestamp) -> Vec<String> {
        let log = self.decisions();
        let of = |asin: Option<&domain::Asin>, decisions: &[Decision]| -> Vec<Decision> {
            decisions.iter().filter(|decision| decision.asin.as_ref() == asin).cloned().collect()
        };
        let settled = |list: Vec<InForce>| list.into_iter().filter(|one| one.at <= settled).collect::<Vec<_>>();
        let products: BTreeSet<_> = implied.iter().chain(&log).map(|decision| decision.asin.as_ref()).collect();
        let pairs = products.into_iter().map(|asin| {
            let (mut issued, mut implied) = (settled(effective(&of(asin, &log))), settled(said(&of(asin, implied))));
            issued.sort();
            implied.sort();
            (asin, issued, implied)
        });
        let wrong = pairs.filter(|(_, issued, implied)| issued != implied);
        wrong.map(|(asin, issued, implied)| format!("{asin:?}: in force {issued:#?}, implied {implied:#?}")).collect()
    }

    fn truth(&self, at: Timestamp) -> Report {
        let (registry, health) = (self.logs.records(Log::Registry), self.logs.records(Log::Health));
        let policies = &self.rules.policies;
        let truth = of_logs(policies, &read(&registry), &read(&health));
        audit(&AuditInput { policies, facts: &truth.facts, events: &truth.events, at })
    }
}

fn read(stored: &[StoredRecord]) -> Vec<LogRecord<'_>> {
    let record = |record: &'_ StoredRecord| (record.partition, record.offset, record.appended_at);
    let records = stored.iter().map(|stored| (record(stored), stored.payload.as_slice()));
    records.map(|((partition, offset, appended_at), payload)| LogRecord { partition, offset, appended_at, payload }).collect()
}
