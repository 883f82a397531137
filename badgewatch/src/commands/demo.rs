//! `demo`: a year of a small fleet, run through the pipeline, and told as a story.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Context;
use loadtest::fleet::{Fleet, FleetConfig};
use pipeline::{Ports, RunConfig, Until};
use ports::{Log, MemorySink, MemorySource};
use telemetry::Metrics;
use wire::DecisionView;
use wire::standing::StandingView;
use wire::view::{ManufacturerView, ProductView};

use super::fleet::{FleetSource, progress_bar};
use super::{policy, print};
use crate::cli::Demo;
use crate::failure::Failure;
use crate::table;

pub(super) fn run(options: &Demo) -> Result<(), Failure> {
    let fleet_config = FleetConfig { seed: options.seed, ..FleetConfig::demo() };
    let fleet = Fleet::new(&fleet_config).map_err(Failure::usage)?;
    let until = fleet_config.to();
    let config =
        RunConfig { policies: policy(&options.policy)?, health_name: "health".to_owned(), registry_name: "registry".to_owned() };
    let mut registry_lines = Vec::new();
    fleet.write_registry(&mut registry_lines).map_err(Failure::failed)?;
    let mut registry = MemorySource::lines(&String::from_utf8_lossy(&registry_lines));
    let (mut health, mut sink) = (FleetSource::new(&fleet), MemorySink::default());
    let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION")).map_err(Failure::failed)?);
    let bar = progress_bar(fleet.events_estimate(), "running");
    let started = Instant::now();
    let ports = Ports { registry: &mut registry, health: &mut health, sink: &mut sink };
    let mut progress = |records| bar.set_position(records);
    let until_ends = Until::Instant(until);
    let summary = pipeline::run_bounded(&config, until_ends, ports, &metrics, &AtomicBool::new(false), &mut progress)
        .map_err(Failure::failed)?;
    bar.finish_and_clear();
    let told = Told::from(&sink).map_err(Failure::Failed)?;
    let mut out = String::new();
    out += &format!(
        "{} products over {} days: {} events in {:.1} s ({} counted, {} repeated, {} rejected)\n\n",
        fleet_config.products,
        fleet_config.days,
        summary.records,
        started.elapsed().as_secs_f64(),
        summary.accepted,
        summary.duplicate,
        summary.rejected,
    );
    out += &format!("What was decided\n{}\n", table::story(&told.decisions));
    out += &format!("Manufacturers\n{}\n", table::manufacturers(&told.manufacturers));
    out += &format!("Standings at {until}\n{}\n", table::products(&told.products));
    out += &match &options.keep {
        Some(folder) => keep(folder, options, &fleet, &registry_lines).map_err(Failure::Failed)?,
        None => "To look further, keep the files: badgewatch demo --keep DIR\nIt then prints the command that evaluates any \
                 instant of the year.\n"
            .to_owned(),
    };
    print(out.as_bytes())
}

/// What the pipeline published.
#[derive(Default)]
struct Told {
    products: Vec<ProductView>,
    manufacturers: Vec<ManufacturerView>,
    decisions: Vec<DecisionView>,
}

impl Told {
    fn from(sink: &MemorySink) -> anyhow::Result<Self> {
        let mut told = Self::default();
        for appended in sink.appended() {
            match appended.log {
                Log::Decisions => told.decisions.push(wire::decision::read(&appended.payload)?),
                Log::Standings => match wire::standing::read(&appended.payload)? {
                    StandingView::Product(product) => told.products.push(product.standing),
                    StandingView::Manufacturer(manufacturer) => told.manufacturers.push(manufacturer.standing),
                },
                Log::Health | Log::Dependencies | Log::Registry | Log::Rejected | Log::Programme => {}
            }
        }
        Ok(told)
    }
}

/// Writes what the demo ran on, and says how to look into it.
fn keep(folder: &Path, options: &Demo, fleet: &Fleet, registry: &[u8]) -> anyhow::Result<String> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let write = |name: &str| folder.join(name);
    std::fs::write(write("registry.ndjson"), registry).context("cannot write registry.ndjson")?;
    let mut events = BufWriter::new(File::create(write("events.ndjson")).context("cannot create events.ndjson")?);
    fleet.write_events(&mut events, |_| {}).context("cannot write events.ndjson")?;
    Ok(format!(
        "Kept in {dir}. To look at any instant of the year:\n  badgewatch evaluate --policy {policy} --registry '{dir}/registry.ndjson' \
         --events '{dir}/events.ndjson' --at 2025-07-01T00:00:00Z --format table\n",
        dir = folder.display(),
        policy = options.policy,
    ))
}
